#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# steal: over 20 s of full CPU load, each CPU's sum agrees with /proc/stat and with the run queue's own clock, and the victims'
# sum is the CPUs' sum.
. "$(dirname "$0")/lib.sh"
need_built
need jq
need_bpf

load_s=20
cat >"$T/load.sh" <<'LOAD'
set -e
grep '^cpu[0-9]' /proc/stat >"$T/before"
sleep "$LOAD_S"
grep '^cpu[0-9]' /proc/stat >"$T/after"
LOAD
# Busy before and after the recording, so that no CPU's first or last stretch is idle: an idle CPU accounts its steal only when
# it wakes.
begin "$H/spinner" "$(($(nproc) * 2))" $((load_s + 10))
LOAD_S=$load_s "$TT" record -q -o "$T/s.tt" -- bash "$T/load.sh" >"$T/record.log" 2>&1 || {
	not_ok record "$(tail -n 3 "$T/record.log")"
	finish
}
report_json "$T/s.tt" "$T/report.json" --section steal || { not_ok report "$(head -n 1 "$T/report.json.err")"; finish; }
report_json "$T/s.tt" "$T/victims.json" --section steal --by task || { not_ok "report --by task" "$(head -n 1 "$T/victims.json.err")"; finish; }

if [ "$(json "$T/report.json" .host.steal_reported)" != true ]; then
	check "a host without steal says so" "no note in the report" \
		is_true "$(json "$T/report.json" '.sections.steal.notes | length') > 0"
	skip "steal against /proc/stat" "this machine reports no steal"
	finish
fi

user_hz=$(getconf CLK_TCK)
tick_ns=10000000 # HZ=100 at the slowest
hz=$({ zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } 2>/dev/null | sed -n 's/^CONFIG_HZ=//p')
[ -z "$hz" ] || tick_ns=$((1000000000 / hz))
all_ns=0
cpu_value() { json "$T/report.json" ".sections.steal.tables.cpus[] | select(.cpu == \"$1\") | .$2"; }
while read -r cpu ticks; do
	kernel_ns=$(calc "$ticks * 1e9 / $user_hz")
	ours_ns=$(cpu_value "$cpu" stolen_ns)
	# One USER_HZ for the kernel's rounding at both ends, one timer tick for the part that it has not accounted yet, and 1 %.
	check_near "$cpu: stolen ns" "$ours_ns" "$kernel_ns" "$(calc "1e9 / $user_hz + $tick_ns + 0.01 * $kernel_ns")" 0
	all_ns=$(calc "$all_ns + ${ours_ns/null/0}")
	clock_ns=$(cpu_value "$cpu" rq_steal_ns)
	if [ "$clock_ns" = null ]; then
		skip "$cpu: rq->prev_steal_time_rq" "this kernel has none, or it is still 0"
	else
		# Read by the recorder at its start and end, a moment beside the records' own window: one steal gap may fall between.
		check_near "$cpu: rq->prev_steal_time_rq" "$ours_ns" "$clock_ns" 4000000 0.001
	fi
done < <(awk 'NR == FNR { before[$1] = $9; next } { print $1, $9 - before[$1] }' "$T/before" "$T/after")

check_equal "all = the CPUs together" "$(calc "$(cpu_value all stolen_ns)")" "$all_ns"
check_equal "the victims together = the CPUs together" \
	"$(json "$T/victims.json" '[.sections.steal.tables.victims[]?.stolen_ns] | add // 0')" "$(cpu_value all stolen_ns)"
check_equal "every gap was first seen at a switch, a tick or a completion" \
	"$(json "$T/report.json" '.sections.steal.tables.cpus[] | select(.cpu == "all") | .seen_switch + .seen_tick + .seen_completion + (.seen_sync // 0)')" \
	"$(cpu_value all gaps)"
finish
