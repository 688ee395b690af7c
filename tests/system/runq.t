#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# runq: with 6 busy loops and 4 sleepers on 2 CPUs, every task's summed wait is its run_delay of /proc/PID/schedstat, waits after
# preemption included; and the histogram agrees with runqlat of libbpf-tools beside it.
. "$(dirname "$0")/lib.sh"
need_built
need jq
need_bpf
[ -r /proc/self/schedstat ] || skip_all "this kernel has no /proc/PID/schedstat"

# The tasks live and die within the recording, so that all they ever waited is in it.
cat >"$T/load.sh" <<'LOAD'
set -e
if command -v runqlat >/dev/null; then runqlat 30 1 >"$T/runqlat" 2>"$T/runqlat.err" & pid=$!; fi
"$H/schedstat_probe" 10 "$T/truth.json"
if [ -n "${pid:-}" ]; then kill -INT "$pid"; wait "$pid" || true; fi
LOAD
"$TT" record -q -o "$T/s.tt" -- bash "$T/load.sh" >"$T/record.log" 2>&1 || {
	not_ok record "$(tail -n 3 "$T/record.log")"
	finish
}
report_json "$T/s.tt" "$T/report.json" --section runq --top 100 || { not_ok report "$(head -n 1 "$T/report.json.err")"; finish; }
task_value() { json "$T/report.json" ".sections.runq.tables.tasks[] | select(.tid == $1) | .$2"; }

nr=0
while read -r name tid kernel_ns; do
	nr=$((nr + 1))
	# Nothing is open and nothing is rounded: the kernel's number is from after the task's death, ours covers its life. The
	# 20 us are the switch of an exiting task that no program gets to see.
	check_near "$name: summed wait, ns" "$(task_value "$tid" wait_sum_ns)" "$kernel_ns" 20000 0
done < <(json "$T/truth.json" '.tasks[] | "\(.name) \(.tid) \(.run_delay_ns)"')
check_equal "all ten tasks were compared" "$nr" 10

# A busy loop never sleeps: it waits again only because it was preempted.
waiter_value() { json "$T/report.json" ".sections.runq.tables.waiters[] | select(.tid == $(tid_of "$1")) | .$2"; }
tid_of() { json "$T/truth.json" ".tasks[] | select(.name == \"$1\") | .tid"; }
check_true "a task preempted while runnable waits" "$(waiter_value ttbusy0 waits) > 50 && $(waiter_value ttbusy0 preempted_pct) > 90"
check_true "a sleeper waits after wakeups" "$(waiter_value ttsleep0 waits) > 100 && $(waiter_value ttsleep0 preempted_pct) < 50"
check_equal "waits are those after a wakeup and those after preemption" \
	"$(json "$T/report.json" '.sections.runq.tables.cpus[] | select(.cpu == "all") | .waits - .woken - .preempted')" 0
check_equal "all = the CPUs together" \
	"$(json "$T/report.json" '.sections.runq.tables.cpus | map(select(.cpu != "all") | .wait_sum_ns) | add')" \
	"$(json "$T/report.json" '.sections.runq.tables.cpus[] | select(.cpu == "all") | .wait_sum_ns')"

# Percentile P of runqlat's histogram of powers of two: the range that it falls into, in ns.
runqlat_range_ns() { # P
	awk -v p="$1" 'BEGIN { n = 0 } /->/ { low[n] = $1; high[n] = $3; nr[n] = $5; total += $5; n++ }
		END { for (i = 0; i < n; i++) { sum += nr[i]; if (sum >= total * p / 100) { print low[i] * 1000, high[i] * 1000 + 999; exit } } }' \
		"$T/runqlat"
}
if ! grep -q -- '->' "$T/runqlat" 2>/dev/null; then
	skip "runqlat beside it" "$(head -n 1 "$T/runqlat.err" 2>/dev/null || echo "no runqlat here")"
	finish
fi
for p in 50 99; do
	read -r low_ns high_ns < <(runqlat_range_ns "$p")
	ours_ns=$(json "$T/report.json" ".sections.runq.tables.cpus[] | select(.cpu == \"all\") | .wait_p${p}_ns")
	# runqlat's buckets are powers of two. It starts the clock at the wakeup tracepoint, a moment after the kernel's run_delay
	# does, and misses tasks that were preempted in another state than running: the same order, not the same number.
	if is_true "$ours_ns >= $low_ns / 4 && $ours_ns <= $high_ns * 4"; then
		ok "p$p is of the order of runqlat's (ours $ours_ns ns, runqlat $low_ns to $high_ns ns)"
	else
		not_ok "p$p is of the order of runqlat's" "ours $ours_ns ns, runqlat $low_ns to $high_ns ns"
	fi
done
finish
