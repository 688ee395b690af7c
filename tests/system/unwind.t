#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# unwind: record --unwind dwarf has whole stacks of programs without frame pointers: C and C++ whose call chain is known, through libc, and a
# packaged program in Rust. Call frame information that is garbage costs its own program's stacks only; whatever a stack could not get is counted.
# timeout: 180
. "$(dirname "$0")/lib.sh"
need_built
need jq objcopy perl rg taskset
need_bpf

seconds=3
nofp=$H/chain-nofp
objcopy --dump-section .eh_frame="$T/frames" "$nofp" "$T/scratch" &&
	perl -0777 -pe 's/(.)/chr(255 - ord($1))/gse' "$T/frames" >"$T/garbage" &&
	objcopy --update-section .eh_frame="$T/garbage" "$nofp" "$T/garbled" 2>"$T/objcopy.err"
check "a program whose .eh_frame is garbage" "$(cat "$T/objcopy.err")" test -x "$T/garbled"
yes 'the quick brown fox jumps over the lazy dog 0123456789' | head -c 64M >"$T/text"
cat >"$T/load.sh" <<'LOAD'
taskset -c 0 "$H/chain-nofp" burn "$SECONDS_EACH" >"$T/burn.out" &
taskset -c 0 "$T/garbled" burn "$SECONDS_EACH" >"$T/garbled.out" &
taskset -c 1 "$H/chain-nofp" sort "$SECONDS_EACH" >"$T/sort.out" &
taskset -c 1 sh -c 'echo $$ >"$T/rust.out"; exec rg -j1 --count "(q[a-z]+k|l.z[a-z]) .*[0-7]{9}\d*$" "$T/text" "$T/text" "$T/text"' >/dev/null &
wait
LOAD
export H SECONDS_EACH=$seconds
"$TT" record --stacks --unwind dwarf --rate 499 -o "$T/s.tt" -- bash "$T/load.sh" >"$T/record.log" 2>&1 ||
	{ not_ok "record --unwind dwarf" "$(tail -n 3 "$T/record.log")"; finish; }
pid_of() { head -n 1 "$T/$1.out"; }
sum() { awk '{ s += $NF } END { printf "%.0f\n", s }'; }
folded() { "$TT" export -q -f folded -p "$(pid_of "$1")" -e "$2" "$T/s.tt" 2>"$T/err"; } # NAME EVENT
nr_lost=$(sed -n 's/.*[(, ]\([0-9]*\) user stacks by frame pointers after all.*/\1/p' "$T/record.log")
nr_copies=$(sed -n 's/.*of \([0-9]*\) copies of user stacks.*/\1/p' "$T/record.log")
# Starting and ending are not in the loop. On a machine that has more to do, others' waits take of the rate, too, and where the recorder is
# late copies are the first to be done without.
is_busy=$(awk -v lost="${nr_lost:-0}" -v nr="${nr_copies:-0}" 'BEGIN { print (lost > 0.05 * nr) }')
cpu_share=0.85 waits_share=0.8
[ "$is_busy" = 0 ] || { cpu_share=0.4 waits_share=0.2; echo "# ${nr_lost:-0} of $((nr_lost + nr_copies)) copies were not to be had"; }
share_is() { # NAME EVENT SHARE PATTERN WHAT
	local all_ns with_ns

	folded "$1" "$2" >"$T/folded"
	all_ns=$(sum <"$T/folded")
	with_ns=$(grep -E "$4" "$T/folded" | sum)
	check_true "$1: $5" "$all_ns > 0 && $with_ns >= $3 * $all_ns"
}
chain='^chain-nofp;_start;__libc_start_main(_impl|@@GLIBC_2.34)?;__libc_start_call_main;main;chain::Link<int>::outer;chain::\{anonymous namespace\}::middle'
share_is burn cpu $cpu_share "$chain;chain_c_burn" "CPU time has the whole chain"
share_is burn runq $waits_share "$chain;chain_c_burn" "so have waits"
share_is sort runq $waits_share "$chain;chain_c_sort" "waits, too"
share_is sort cpu $cpu_share "$chain;chain_c_sort;.*(qsort|msort)[^;]*;(.*;)?chain_c_compare" "through the C library, too"
# Debian takes the program's own names away; those of the C library remain.
share_is rust cpu $cpu_share '^rg;(_start|\[rg\]);__libc_start_main[^;]*;__libc_start_call_main;(main|\[rg\]);' "CPU time of a program in Rust is whole"
folded garbled cpu >"$T/folded"
check_equal "garbage: nobody is led through it" "$(grep -c '^garbled;.*__libc_start_call_main;main;' "$T/folded")" 0
check_true "garbage: its leaf is right" "$(grep -c 'chain_c_burn' "$T/folded") > 0"
check_true "garbage: its CPU time is there" "$(sum <"$T/folded") > 1e8"

told=$(sed -n 's/.*of \([0-9]*\) copies of user stacks ([^)]*) \([0-9]*\) whole, \([0-9]*\) cut where the copy ends, \([0-9]*\) without a way on, \([0-9]*\) not unwound.*/\1 \2 \3 \4 \5/p' "$T/record.log")
read -r nr whole cut astray not_unwound <<<"$told"
check_equal "what became of copies is said: ${whole:-0} whole, ${cut:-0} cut, ${astray:-0} without a way on, ${not_unwound:-0} not unwound" \
	"$((whole + cut + astray + not_unwound))" "${nr:-none}"
check_true "a third of them, at least, is whole" "${whole:-0} > 0.3 * ${nr:-0}"

# Reports, and formats that tell stacks by their ids, have the same of both ways to unwind.
check_equal "weights do not depend on it" "$("$TT" export -q -f folded -e cpu "$T/s.tt" 2>"$T/err" | sum)" \
	"$("$TT" script -q -e cpu "$T/s.tt" 2>"$T/err" | sed -n 's/.*: *\([0-9]*\) timethief-cpu:.*/\1/p' | sum)"

# At most 250 a second on each CPU for waits, and 250 + 99 for samples and steal; 32 more of each at once. Far more is asked for.
"$TT" record --stacks --unwind dwarf --unwind-wait 1us -o "$T/many.tt" -- "$H/sleeper" 2 50 >"$T/many.log" 2>&1 ||
	not_ok "record of many waits" "$(tail -n 3 "$T/many.log")"
nr=$(sed -n 's/.*of \([0-9]*\) copies of user stacks.*/\1/p' "$T/many.log")
took_s=$(sed -n 's/.*many.tt: \([0-9.]*\) s, ended by.*/\1/p' "$T/many.log")
check_true "not more than the rate: ${nr:-0} in ${took_s:-0} s" "${nr:-0} > 0 && ${nr:-0} <= $(nproc) * (${took_s:-0} * 599 + 64)"
check "what is beyond it is counted" "$(cat "$T/many.log")" grep -q '[0-9]* user stacks by frame pointers after all' "$T/many.log"

# Killed, it has unwound nothing: stacks are those by frame pointers, and none is lost.
begin "$TT" record -q --stacks --unwind dwarf -o "$T/killed.tt" -d 60
sleep 2.5
kill -KILL "$last_pid"
wait "$last_pid" 2>/dev/null
"$TT" export -q -f folded "$T/killed.tt" >"$T/folded" 2>"$T/err"
check_true "SIGKILL: there are stacks, and none is lost" "$(wc -l <"$T/folded") > 5 && $(grep -c 'stack_lost' "$T/folded") == 0"

expect_usage() { # WORDS OPTION...
	local words=$1

	shift
	"$TT" record "$@" -o "$T/x.tt" -- true >"$T/out" 2>&1
	check_equal "$*: wrong use" "$?" 2
	check "$*: says why" "$(cat "$T/out")" grep -qF -- "$words" "$T/out"
}
expect_usage "--unwind: 'orc' is no way" --stacks --unwind orc
expect_usage "--unwind has a meaning only with --stacks" --unwind dwarf
expect_usage "--unwind-wait has a meaning only with --unwind dwarf" --stacks --unwind-wait 1ms
finish
