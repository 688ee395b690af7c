# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts that run in the guest share. Bash. A command costs 70 ms here: keep them few.
set -eu
TT=${TT:-$B/timethief}
H=$B/tests/helpers
control=/sys/kernel/debug/steal_inject/control

load_injector() { insmod "$B/vm/$(uname -r)/module/steal_inject.ko" "$@"; }

recorder=$(dirname "$0")/record

# record NAME [options] -- COMMAND...: to /job/NAME.tt, what it said to /job/NAME.log. Keeps its status in /job/NAME.status. COMMAND
# may be "$recorder" NAME [options] -- COMMAND...: loads and boots are what costs here, so several hooks are recorded over one.
record() {
	local name=$1 status=0

	shift
	"$TT" record -o "/job/$name.tt" "$@" </dev/null >"/job/$name.log" 2>&1 || status=$?
	echo $status >"/job/$name.status"
}
