#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cpu: samples say who ran. Against the kernel's own account of a busy loop's run time.
. "$(dirname "$0")/lib.sh"
need_built
need_bpf

begin "$H/spinner" 1 60 0
wait_until 5 pgrep -P "$last_pid" >/dev/null
spinner=$(pgrep -P "$last_pid")
"$TT" record -q --rate 500 -o "$T/s.tt" -- bash -c '
	cat /proc/'"$spinner"'/schedstat >"$T/before"
	sleep 4
	cat /proc/'"$spinner"'/schedstat >"$T/after"' >"$T/record.log" 2>&1
check_equal "record --rate" $? 0
report_json "$T/s.tt" "$T/report.json" --section cpu --section steal --section runq || { not_ok report "$(head -n 1 "$T/report.json.err")"; finish; }

check_true "samples come at the rate asked for" \
	"$(json "$T/report.json" '[.sections.cpu.tables.cpus[] | select(.cpu == "cpu0") | .samples] | first') > 4 * 500 * 0.9"
# The recording lasts a little longer than the time between the readings; sampling errs by its period for each of the loop's turns.
ran_ns=$(json "$T/report.json" "[.sections.cpu.tables.tasks[] | select(.tid == $spinner) | .run_ns] | first")
kernel_ns=$(($(awk '{ print $1 }' "$T/after") - $(awk '{ print $1 }' "$T/before")))
check_near "a busy loop's run time, and the kernel's" "$ran_ns" "$kernel_ns" 100000000 0.06
check_true "it ran user code" "$(json "$T/report.json" "[.sections.cpu.tables.tasks[] | select(.tid == $spinner) | .user_pct] | first") > 90"
all() { json "$T/report.json" ".sections.cpu.tables.cpus[] | select(.cpu == \"all\") | .$1"; }
check_equal "user, kernel, idle and stolen time are the time sampled" \
	"$(($(all user_ns) + $(all kernel_ns) + $(all idle_ns) + $(all stolen_ns)))" "$(all sampled_ns)"
# What no sample stands for: the stretch behind the last one of each CPU.
check_near "and with what could not be sampled all that was recorded" \
	"$(calc "$(all sampled_ns) + $(all unsampled_ns)")" "$(json "$T/report.json" '.interval.dur_ns * .host.nr_cpus_online')" 20000000 0.02

check_true "without --rate and --stacks nobody samples" "$("$TT" record -q -d 300ms -o "$T/none.tt" && "$TT" report --json "$T/none.tt" |
	jq '.sections | has("cpu")' | grep -c false) == 1"
"$TT" live --json cpu 300ms 2 --probe cpu >"$T/live.json" 2>"$T/live.err"
check_equal "live cpu has samples in every interval" "$(jq -s '[.[] | .sections.cpu.tables.cpus[0].samples > 10] | all' "$T/live.json")" true
"$TT" live cpu 300ms 1 >"$T/live.txt" 2>&1
check_true "live cpu alone takes them without being told twice" "$(grep -c 'cpu0' "$T/live.txt") > 0"
finish
