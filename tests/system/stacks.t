#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stacks: programs whose call chain is known (chain/chain.cc) burn CPU, wait for it, read a disk and sleep; every output has the right
# functions with the right weights. Also what makes names hard to find: the file was deleted or replaced, its process is gone, it was in
# a mount namespace of its own; a JIT's code; stacks that are too deep; no frame pointers.
# timeout: 180
. "$(dirname "$0")/lib.sh"
need_built
need jq unshare taskset
need_bpf
loop_open 64M || skip_all "no loop device: $(cat "$T/losetup.err")"

seconds=3
cat >"$T/load.sh" <<'LOAD'
chain() { # NAME CPU PROGRAM MODE [FILE]
	taskset -c "$2" "$3" "$4" "$SECONDS_EACH" ${5:+"$5"} >"$T/$1.out" &
}
cp "$H/chain" "$T/deleted"
cp "$H/chain" "$T/replaced"
chain burn 0 "$H/chain" burn
chain deleted 0 "$T/deleted" burn
chain replaced 1 "$T/replaced" burn
chain jit 1 "$H/chain" jit
chain sleep 1 "$H/chain" sleep
chain read 0 "$H/chain" read "$DEVICE"
chain deep 1 "$H/chain" deep
chain nofp 1 "$H/chain-nofp" burn
unshare -m bash -c 'mount -t tmpfs none "$T/mnt" && cp "$H/chain" "$T/mnt/inside" && exec "$T/mnt/inside" burn "$SECONDS_EACH"' >"$T/inside.out" &
sleep 0.5
rm "$T/deleted"
cp "$H/chain-nofp" "$T/other" && mv "$T/other" "$T/replaced"
wait
LOAD
mkdir "$T/mnt"
DEVICE=/dev/$loop_dev SECONDS_EACH=$seconds \
	"$TT" record --stacks --inline --rate 997 -o "$T/s.tt" -- bash "$T/load.sh" >"$T/record.log" 2>&1 ||
	{ not_ok "record --stacks" "$(tail -n 3 "$T/record.log")"; finish; }
pid_of() { head -n 1 "$T/$1.out"; }
at_exit "rm -f /tmp/perf-$(pid_of jit).map"
told() { sed -n "s/.*$2=\([0-9]*\).*/\1/p" "$T/$1.out"; } # NAME KEY: what the kernel told the program
check "how many addresses have names is said" "$(cat "$T/record.log")" grep -q '^timethief: names: [0-9]* of [0-9]* addresses, in [0-9]* files' "$T/record.log"

sum() { awk '{ s += $NF } END { printf "%.0f\n", s }'; }
folded() { "$TT" export -q -f folded -p "$(pid_of "$1")" -e "$2" "$T/s.tt" 2>"$T/err"; } # NAME EVENT
# Of the program's time all but what is not the loop: being started and ended.
chain='__libc_start_call_main;main;chain::Link<int>::outer;inlined_link;chain::{anonymous namespace}::middle'
most_is() { # NAME EVENT SHARE LEAF WHAT
	local all_ns in_chain_ns

	folded "$1" "$2" >"$T/folded"
	all_ns=$(sum <"$T/folded")
	in_chain_ns=$(grep -F ";$chain;$4" "$T/folded" | sum)
	check_true "$1: $5" "$all_ns > 0 && $in_chain_ns >= $3 * $all_ns"
}
for program in burn deleted replaced inside; do
	most_is $program cpu 0.85 chain_c_burn "CPU time is in the chain"
	most_is $program runq 0.85 chain_c_burn "it waits where it was preempted"
done
most_is jit cpu 0.85 "chain_c_jit;jit loop" "code that was made at run time has the name of its table"
"$TT" script -q -e runq -p "$(pid_of sleep)" "$T/s.tt" >"$T/waits.txt" 2>"$T/err"
check_true "sleep: it waits after it was woken, where it slept" "$(grep -c chain_c_sleep "$T/waits.txt") > 0.7 * $(grep -c 'timethief-runq:' "$T/waits.txt")"

# Weights. The kernel's count leaves out the interrupts that came meanwhile; a sample, as a switch, does not. Samples, 1 ms apart, estimate
# what the switches tell: 5 standard deviations of as many independent ones.
on_cpu_ns() { # PID
	"$TT" script -q -e sched "$T/s.tt" 2>"$T/err" | awk -v pid="$1" '
		{ split($0, half, / ==> /); split($0, mark, /\[[0-9]+\] */); at = mark[2] + 0 }
		half[1] ~ " prev_pid=" pid " " && since { ns += (at - since) * 1e9; since = 0 }
		half[2] ~ " next_pid=" pid " " { since = at }
		END { printf "%.0f\n", ns }'
}
for program in burn deleted inside jit; do
	ran_ns=$(on_cpu_ns "$(pid_of $program)")
	check_near "$program: CPU time" "$(folded $program cpu | sum)" "$ran_ns" "$(awk -v ran="${ran_ns:-0}" 'BEGIN { print 5 * sqrt(ran * 1e9 / 997) }')" 0
done
# What comes behind the program's last word is not in its count: to exit it may have to wait once more for each that runs here.
for program in burn deleted inside jit read; do
	folded $program runq >"$T/folded"
	check_true "$program: waits for a CPU" "$(sum <"$T/folded") >= $(told $program wait_ns) - 1e6 && $(sum <"$T/folded") <= $(told $program wait_ns) + 1e8"
done
"$TT" script -q -e disk -p "$(pid_of read)" --device "$loop_dev" "$T/s.tt" >"$T/disk.txt" 2>"$T/err"
# A request whose end was not seen has no time, so it is no hit; the report has it, and a note of how many there were.
"$TT" report --json -p "$(pid_of read)" --device "$loop_dev" "$T/s.tt" >"$T/disk.json" 2>"$T/err"
check_equal "read: the report has each of its reads" "$(jq '[.sections.disk.tables.devices[] | .reads] | add' "$T/disk.json")" "$(told read nr_reads)"
nr_endless=$(jq -r '[.sections.disk.notes[]? | capture("^(?<nr>[0-9]+) requests.* end was not seen") | .nr | tonumber] | add // 0' "$T/disk.json")
check_equal "read: each is a hit, but $nr_endless" "$(grep -c "\[io_${loop_dev}_read\]" "$T/disk.txt")" $(($(told read nr_reads) - nr_endless))
check_equal "read: and all were submitted in the chain" "$(folded read disk | grep -F "$chain;chain_c_read" | grep -c "submit_bio.*;\[io_${loop_dev}_read\]")" \
	"$(folded read disk | grep -c "\[io_${loop_dev}_read\]")"
check_near "read: their time is the report's" "$("$TT" export -q -f folded -e disk --device "$loop_dev" "$T/s.tt" 2>"$T/err" | sum)" \
	"$("$TT" report --json --device "$loop_dev" "$T/s.tt" 2>"$T/err" |
		jq '[.sections.disk.tables.devices[] | .aqu_sz] | first * 1e9' | awk -v dur_ns="$("$TT" report --json "$T/s.tt" 2>"$T/err" | jq .interval.dur_ns)" '{ printf "%.0f", $1 * dur_ns / 1e9 }')" 1000 1e-9

# Who woke it, on top of where it slept.
"$TT" script -q -e runq --wakers -p "$(pid_of sleep)" "$T/s.tt" >"$T/wakers.txt" 2>"$T/err"
check "sleep: a timer woke it" "no hrtimer_wakeup" grep -q hrtimer_wakeup "$T/wakers.txt"

folded deep cpu >"$T/folded"
check_equal "deep: what is deeper than can be taken is said" "$(grep -c 'chain_c_burn' "$T/folded")" "$(grep 'chain_c_burn' "$T/folded" | grep -c '^[^;]*;\[stack_cut\];chain_c_deep;')"
check_true "deep: 127 frames" "$(grep -m 1 'chain_c_burn [0-9]*$' "$T/folded" | tr ';' '\n' | grep -c '^chain_c_') >= 125"

folded nofp cpu >"$T/folded"
check_true "without frame pointers: the leaf is right" "$(grep -F 'chain_c_burn' "$T/folded" | sum) >= 0.85 * $(sum <"$T/folded")"
check_equal "and what was replaced by it is not taken for it" "$("$TT" script -q -e cpu -p "$(pid_of replaced)" "$T/s.tt" | grep -c 'chain-nofp')" 0

# All that is told adds up to the report.
"$TT" report --json "$T/s.tt" >"$T/all.json" 2>"$T/err"
all() { json "$T/all.json" ".sections.$1.tables.cpus[] | select(.cpu == \"all\") | .$2"; }
check_equal "all waits" "$("$TT" export -q -f folded -e runq "$T/s.tt" 2>"$T/err" | sum)" "$(all runq wait_sum_ns)"
check_equal "all CPU time" "$("$TT" export -q -f folded -e cpu "$T/s.tt" 2>"$T/err" | grep -v '^\[not_sampled\]' | sum)" \
	"$(($(all cpu user_ns) + $(all cpu kernel_ns) + $(all cpu idle_ns)))"

# --- ends ---

# Names need room that --max-size keeps for them; with a disk that is full there are none, and what was recorded can be read.
"$TT" record --stacks -d 60 --max-size 300k -o "$T/max.tt" -- "$H/chain" burn 60 >"$T/max.log" 2>&1
check_equal "--max-size: no failure" $? 0
check_true "--max-size: the file stays below" "$(stat -c %s "$T/max.tt") <= 307200"
check "--max-size: it has names" "none" eval '"$TT" export -q -f folded -e cpu "$T/max.tt" 2>"$T/err" | grep -q "main;chain::Link<int>::outer;.*chain_c_burn"'

begin "$TT" record --stacks -d 60 -o "$T/killed.tt" -- "$H/chain" burn 60 >"$T/killed.log" 2>&1
recorder=$last_pid
wait_until 20 file_is_larger "$T/killed.tt" 20000
children=$(pgrep -P "$recorder" | tr '\n' ' ')
chain_pid=$(pgrep -P "$recorder" -x chain)
kill -KILL "$recorder"
[ -n "$chain_pid" ] && kill "$chain_pid"
wait "$recorder" 2>/dev/null
left=0
for pid in $children; do ended_within 5 "$pid" || left=$((left + 1)); done
check_true "SIGKILL: who reads files ends, too ($(echo "$children" | wc -w) processes)" "$(echo "$children" | wc -w) >= 2 && $left == 0"
"$TT" script -q -e cpu "$T/killed.tt" >"$T/killed.txt" 2>"$T/err"
check "SIGKILL: stacks are there, with addresses for names" "$(head -n 3 "$T/err")" grep -q '\[unknown\]' "$T/killed.txt"
finish
