#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# runq: waits of ordinary, real-time and deadline tasks against /proc/PID/schedstat and /proc/schedstat, by every rung; and a CPU
# quota is not passed off as a busy CPU.
# timeout: 600
# each: 6.1 6.12
. "$(dirname "$0")/test.sh"
need_built
need jq
kernel=$1
vm_options=(--timeout 300)

task_value() { json "$T/report.json" ".sections.runq.tables.tasks[] | select(.tid == $1) | .$2"; }
check_value() { json "$T/report.json" '.verified[] | select(.probe == "runq") | .ok'; }

# The kernel's number is from when the task has fallen asleep for good. Stamps do not see a task that waits and moves: 3 % and 3 us a
# wait are promised.
check_tasks() { # HOOK LOAD
	local name tid kernel_ns waits nr=0 bound_ns relative=0

	[ "$1" = stamps ] && relative=0.03
	while read -r name tid kernel_ns waits; do
		nr=$((nr + 1))
		bound_ns=0
		[ "$1" = stamps ] && bound_ns=$((waits * 3000))
		check_near "$kernel: $1: $name: summed wait, ns" "$(task_value "$tid" wait_sum_ns)" "$kernel_ns" "$bound_ns" "$relative"
	done < <(json "$job/$2.truth.json" '.tasks[] | "\(.name) \(.tid) \(.run_delay_ns) \(.nr_timeslices)"')
	check_equal "$kernel: $1: all nine tasks were compared" "$nr" 9
}

# Field 8 of a cpu line: ns that tasks waited on it, added when they come or leave the queue.
check_cpus() { # HOOK LOAD
	local from to start kernel_ns

	start=$(json "$T/report.json" .session.start_ts_ns)
	from=$(awk -v s="$start" 'NR == 1 { printf "%.3f", $1 - s / 1e9 }' "$job/$2.schedstat0")
	to=$(awk -v s="$start" 'NR == 1 { printf "%.3f", $1 - s / 1e9 }' "$job/$2.schedstat1")
	report_json "$job/$1.tt" "$T/part.json" --section runq --from "$from" --to "$to" || return
	kernel_ns=$(awk '/^cpu/ { sum += FNR == NR ? -$9 : $9 } END { printf "%.0f", sum }' "$job/$2".schedstat{0,1})
	# nothing but the script itself waits at the edges
	check_near "$kernel: $1: all CPUs, against /proc/schedstat" \
		"$(json "$T/part.json" '.sections.runq.tables.cpus[] | select(.cpu == "all") | .wait_sum_ns')" "$kernel_ns" 10000000 0.01
}

check_quota() { # NAME STAT-BEFORE|/dev/null STAT-AFTER
	local text throttled_ns row

	report_json "$job/$1.tt" "$T/report.json" || { not_ok "$kernel: $1" "$(head -n 1 "$T/report.json.err")"; return; }
	throttled_ns=$(awk '$1 == "throttled_usec" { ns = $2 * 1000 - ns } END { printf "%.0f", ns }' "$2" "$3")
	row='[.sections.runq.tables.waiters[] | select(.waiter | startswith("inquota")) | .throttled_ns] | add'
	# Our number is of whole waits in which the group was throttled.
	check_near "$kernel: $1: waits under it, against cpu.stat" "$(json "$T/report.json" "$row")" "$throttled_ns" 0 0.1
	text=$(json "$T/report.json" '.findings[] | select(.code == "runq-wait") | .text')
	check "$kernel: $1: the finding says so" "$text" grep -q 'held back by a CPU quota of its cgroup' <<<"$text"
}

hooks="tp_btf raw_tp stamps procfs"
[ $kernel != 6.1 ] || ! build_stap $kernel || hooks+=" stap"
in_guest $kernel runq ${stap_module:+"$stap_module"} || finish
declare -A rungs=([stap]=sched_info [procfs]=/proc/PID/schedstat)
for hook in $hooks; do
	if [ "$(cat "$job/$hook.status")" != 0 ] || ! report_json "$job/$hook.tt" "$T/report.json" --top 100; then
		not_ok "$kernel: $hook" "$(tail -n 2 "$job/$hook.log")"
		continue
	fi
	check_equal "$kernel: $hook: the rung" "$(json "$T/report.json" '.source.probes[] | select(.probe == "runq") | .rung')" "${rungs[$hook]:-$hook}"
	load=all
	[ $hook != stamps ] || load=stamps
	check_tasks $hook $load
	[ $hook != procfs ] || continue # which has sums of tasks only
	check_cpus $hook $load
	[ $hook = stamps ] || check_equal "$kernel: $hook: verified against schedstat" "$(check_value)" true
done
check_quota quota /dev/null "$job/quota.stat"
check_quota inner "$job/quota.stat" "$job/inner.stat"
finish
