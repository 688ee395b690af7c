#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# boot: the rig itself: output and status come through, a dead guest and one that hangs are told, and nothing stays behind.
# timeout: 300
. "$(dirname "$0")/test.sh"
need_built

before=$(compgen -G "$B/vm/run.*") # of another test run, or of one that was killed
"$vm/run" --kernel 6.1 -- bash -c 'echo out; echo err >&2; cat /proc/version; exit 7' >"$T/out" 2>"$T/err"
status=$?
[ $status != 77 ] || skip_all "$(tail -n 1 "$T/err")"
check_equal "the command's exit status" "$status" 7
check "its output" "$(head -n 1 "$T/out")" grep -qx out "$T/out"
check "apart from its errors" "$(head -n 1 "$T/err")" grep -qx err "$T/err"
check "another kernel than ours" "$(tail -n 1 "$T/out")" grep -q '^Linux version 6\.1\.' "$T/out"
"$vm/run" --kernel 6.1 -- bash -c 'echo c >/proc/sysrq-trigger' >"$T/out" 2>"$T/err"
check_equal "a guest that dies" "$?" 125
check "says its last words" "$(tail -n 1 "$T/err")" grep -q 'Kernel panic' "$T/err"
"$vm/run" --kernel 6.1 --timeout 3 -- sleep 100 >"$T/out" 2>"$T/err"
check_equal "a guest that takes too long" "$?" 124
"$vm/run" --kernel 9.9 -- true >"$T/out" 2>"$T/err"
check_equal "a kernel that there is not" "$?" 2
"$vm/run" --kernel 6.1 -- sleep 100 >"$T/out" 2>"$T/err" &
rig=$!
scratch_of_rig() { comm -13 <(sort <<<"$before") <(compgen -G "$B/vm/run.*" | sort); }
has_guest() { [ -n "$(scratch_of_rig)" ] && pgrep -f "$(scratch_of_rig)/console" >"$T/guest"; }
wait_until 30 has_guest
kill -TERM $rig
wait $rig
check_equal "one that is ended" "$?" 130
check "leaves no guest" "$(cat "$T/guest")" wait_until 5 is_gone "$(head -n 1 "$T/guest")"
check_equal "and no file" "$(scratch_of_rig)" ""
finish
