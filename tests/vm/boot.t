#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# boot: the rig itself, and every kernel line and flavour with the built tool in it: output and status come through, a dead guest
# and one that hangs are told, and nothing stays behind.
# timeout: 300
. "$(dirname "$0")/test.sh"
need_built

# Of the rig; the flavours' own recordings are below.
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
"$vm/run" --kernel 6.1 --timeout 2 -- true >"$T/out" 2>"$T/err"
check_equal "a guest that takes too long" "$?" 124
"$vm/run" --kernel 9.9 -- true >"$T/out" 2>"$T/err"
check_equal "a kernel that there is not" "$?" 2
check "no guest is left" "$(pgrep -fa "$B/vm/run[.]")" eval "! pgrep -f '$B/vm/run[.]'"
check_equal "and no file" "$(compgen -G "$B/vm/run.*")" ""
finish
