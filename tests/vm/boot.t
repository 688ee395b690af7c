#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# boot: the rig itself: output and status come through, a dead guest and one that hangs are told, and nothing stays behind, of one
# that was killed only until the next.
# timeout: 300
. "$(dirname "$0")/test.sh"
need_built

export TT_VM_SCRATCH=$T/scratch # tests that run beside us have theirs elsewhere
mkdir "$TT_VM_SCRATCH"
vm_run() { # [option...] -- COMMAND...
	local status

	"$vm/run" "$@" >"$T/out" 2>"$T/err"
	status=$?
	say_boots
	return $status
}
left() { # of this test
	ls "$TT_VM_SCRATCH"
	compgen -G "/run/virtiofsd/*.$(basename "$T").*"
}
begin_run() { # NAME: one that would take long; returns when its guest's process is there. Sets $rig and $guest.
	"$vm/run" --kernel "$1" -- sleep 100 >"$T/out" 2>"$T/err" &
	rig=$!
	wait_until 60 has_guest
	guest=$(head -n 1 "$T/guest")
}
has_guest() { pgrep -f "file:$TT_VM_SCRATCH/.*/console" >"$T/guest"; }

# The one whose root is carried by virtiofs has most to leave behind.
kernel=6.1-cloud
vm_run --kernel $kernel -- bash -c 'echo out; echo err >&2; cat /proc/version; exit 7'
status=$?
if [ $status = 77 ]; then
	skip "a kernel by virtiofs" "$(tail -n 1 "$T/err")"
	kernel=6.1
	vm_run --kernel $kernel -- bash -c 'echo out; echo err >&2; cat /proc/version; exit 7'
	status=$?
	[ $status != 77 ] || skip_all "$(tail -n 1 "$T/err")"
fi
check_equal "the command's exit status" "$status" 7
check "its output" "$(head -n 1 "$T/out")" grep -qx out "$T/out"
check "apart from its errors" "$(head -n 1 "$T/err")" grep -qx err "$T/err"
check "another kernel than ours" "$(tail -n 1 "$T/out")" grep -q '^Linux version 6\.1\.' "$T/out"
check_equal "nothing is left" "$(left)" ""

vm_run --kernel 6.1 -- bash -c 'echo c >/proc/sysrq-trigger'
check_equal "a guest that dies" "$?" 125
check "says its last words" "$(tail -n 1 "$T/err")" grep -q 'Kernel panic' "$T/err"
vm_run --kernel 6.1 --timeout 3 -- sleep 100
check_equal "a guest that takes too long" "$?" 124
vm_run --kernel 9.9 -- true
check_equal "a kernel that there is not" "$?" 2
check_equal "nothing is left of these" "$(left)" ""

begin_run $kernel
kill -TERM $rig
wait $rig
check_equal "one that is ended" "$?" 130
check "leaves no guest" "$guest" wait_until 5 is_gone "$guest"
check_equal "and no file" "$(left)" ""

begin_run $kernel
kill -KILL $rig
wait $rig 2>/dev/null
check "one that is killed leaves no guest either" "$guest" wait_until 5 is_gone "$guest"
check "but files" "nothing to clean up" test -n "$(left)"
vm_run --kernel 6.1 --timeout 1 -- true
check "which the next leaves alone while they are young" "it took them away" test -n "$(left)"
touch -d '2 minutes ago' "$TT_VM_SCRATCH"/run.*
vm_run --kernel 6.1 --timeout 1 -- true
check_equal "and takes away" "$(left)" ""
begin_run 6.1
touch -d '2 minutes ago' "$TT_VM_SCRATCH"/run.*
vm_run --kernel 6.1 --timeout 1 -- true
check "but not those of one that runs" "$(tail -n 1 "$T/err")" eval '! is_gone "$guest" && [ -e "$TT_VM_SCRATCH"/run.*/console ]'
kill -TERM $rig
wait $rig
finish
