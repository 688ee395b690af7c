# SPDX-License-Identifier: GPL-2.0-or-later
# What the benchmarks share. Bash. A benchmark is a file of tests/bench whose functions are called by tests/bench/run.
#
# Everything is measured in rounds: each round runs all variants once, in another order, so that a noisy minute hits all of them;
# what is compared is taken from the same round. Raw figures: one line "ROW VARIANT ROUND VALUE" each in $raw.
set -u
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
B=${B:-$root/build}
case $B in /*) ;; *) B=$root/$B ;; esac
TT=${TT:-$B/timethief}
PATH=$PATH:/usr/sbin:/sbin
export B TT
rounds=${ROUNDS:-5}
out=$B/bench
raw=$out/raw.txt
W=$out/work
mkdir -p "$W"

have() { command -v "$1" >/dev/null; }
say() { echo "bench: $*" >&2; }
note() { echo "$1 $2 $3 $4" >>"$raw"; } # ROW VARIANT ROUND VALUE

# --- tracers: begin_NAME starts it, end_tracer ends it and waits ---
tracer_pid=
begin_none() { tracer_pid=; }
begin_empty() { "$B/tests/bench/empty" "$B/tests/bench/empty.bpf.o" >"$W/empty.log" 2>&1 & tracer_pid=$!; }
begin_timethief() { "$TT" record -q --probe runq -o "$W/t.tt" -d 1h >"$W/t.log" 2>&1 & tracer_pid=$!; }
begin_timethief-all() { "$TT" record -q -o "$W/t.tt" -d 1h >"$W/t.log" 2>&1 & tracer_pid=$!; }
begin_timethief-disk() { "$TT" record -q --probe disk -o "$W/t.tt" -d 1h >"$W/t.log" 2>&1 & tracer_pid=$!; }
begin_timethief-stacks() { "$TT" record -q --stacks -o "$W/t.tt" -d 1h >"$W/t.log" 2>&1 & tracer_pid=$!; }
begin_timethief-dwarf() { "$TT" record -q --stacks --unwind dwarf -o "$W/t.tt" -d 1h >"$W/t.log" 2>&1 & tracer_pid=$!; }
begin_perf-dwarf() { perf record --call-graph dwarf,8192 -a -e sched:sched_switch -o "$W/perf.data" -- sleep 3600 >"$W/perf.log" 2>&1 & tracer_pid=$!; }
begin_perf-stacks() { perf record -g -a -e sched:sched_switch,sched:sched_waking -o "$W/perf.data" -- sleep 3600 >"$W/perf.log" 2>&1 & tracer_pid=$!; }
begin_runqlat() { runqlat 3600 1 >"$W/runqlat.log" 2>&1 & tracer_pid=$!; }
begin_bpftrace() { bpftrace "$here/runqlat.bt" >"$W/bpftrace.log" 2>&1 & tracer_pid=$!; }
begin_perf-sched() { perf sched record -o "$W/perf.data" -- sleep 3600 >"$W/perf.log" 2>&1 & tracer_pid=$!; }
begin_trace-cmd() { trace-cmd record -e sched -o "$W/trace.dat" >"$W/trace-cmd.log" 2>&1 & tracer_pid=$!; }
begin_biolatency() { biolatency 3600 1 >"$W/biolatency.log" 2>&1 & tracer_pid=$!; }
begin_biosnoop() { biosnoop >"$W/biosnoop.log" 2>&1 & tracer_pid=$!; }
begin_blktrace() { blktrace -d "$DEVICE" -D "$W" -o blk >"$W/blktrace.log" 2>&1 & tracer_pid=$!; }
begin_perf-block() { perf record -a -e block:block_rq_issue,block:block_rq_complete -o "$W/perf.data" -- sleep 3600 >"$W/perf.log" 2>&1 & tracer_pid=$!; }
end_tracer() {
	local i

	[ -n "$tracer_pid" ] || return 0
	kill -INT "$tracer_pid" 2>/dev/null
	# perf waits for its command, which took no notice
	pkill -INT -P "$tracer_pid" 2>/dev/null
	for ((i = 0; i < 600; i++)); do kill -0 "$tracer_pid" 2>/dev/null || break; sleep 0.1; done
	kill -KILL "$tracer_pid" 2>/dev/null
	wait "$tracer_pid" 2>/dev/null
	tracer_pid=
	rm -f "$W"/*.data "$W"/*.dat* "$W"/blk* "$W"/t.tt
}
trap end_tracer EXIT
trap 'exit 130' INT TERM

needs() { # TRACER: what it runs
	case $1 in
	runqlat | biolatency | biosnoop | bpftrace | trace-cmd | blktrace) echo "$1" ;;
	perf-*) echo perf ;;
	*) echo true ;;
	esac
}

# measure ROW LOAD TRACER...: LOAD prints one figure. Under each tracer, in every round, in turn.
measure() {
	local row=$1 load=$2 round i tracer value

	shift 2
	local tracers=("$@") nr=$#
	for ((round = 1; round <= rounds; round++)); do
		for ((i = 0; i < nr; i++)); do
			tracer=${tracers[(i + round) % nr]}
			have "$(needs "$tracer")" || continue
			"begin_$tracer"
			[ "$tracer" = none ] || sleep 2 # attached, and past its first work
			if [ -n "$tracer_pid" ] && ! kill -0 "$tracer_pid" 2>/dev/null; then
				say "$row: $tracer does not run here: $(tail -n 1 "$W"/"${tracer%%-*}"*.log 2>/dev/null)"
				tracer_pid=
				continue
			fi
			value=$($load) && note "$row" "$tracer" "$round" "$value"
			end_tracer
		done
	done
}

# As measured; what is added to "none", divided by PER; and that as a ratio to what each REFERENCE adds in the same round.
table() { # ROW TITLE UNIT PER [REFERENCE...]
	awk -v row="$1" -v unit="$3" -v per="$4" -v refs="${*:5}" -f "$here/table.awk" "$raw" | {
		echo
		echo "### $2"
		echo
		cat
	}
}
