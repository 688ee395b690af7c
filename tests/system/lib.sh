# SPDX-License-Identifier: GPL-2.0-or-later
# What every system test begins with: `. "$(dirname "$0")/lib.sh"`. Bash.
#
#   ok NAME / not_ok NAME WHY / skip NAME REASON   one promise each
#   check NAME WHY COMMAND...                      ok when COMMAND succeeds
#   check_equal, check_near, check_true ...        the same for numbers
#   need_bpf, need COMMAND                         skip the whole file, loudly
#   finish                                         exit status from what was said; every test ends with it
#
# $T is a directory of this test alone, gone at its end. Processes started with `begin` are ended by pid.

set -u
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
B=${B:-$root/build}
TT=${TT:-$B/timethief}
TT_ASAN=${TT_ASAN:-$B/asan/timethief}
H=$B/tests/helpers
test_name=$(basename "$0" .t)

mkdir -p "$B/tests/tmp"
T=$(mktemp -d "$B/tests/tmp/$test_name.XXXXXX") || exit 1
export B T H TT here # the load scripts that tests write use them
nr_ok=0 nr_not_ok=0 nr_skip=0
pids=()     # ended at exit
undo=()     # commands run at exit, last first
last_pid=

cleanup() {
	local pid i

	trap - EXIT
	for pid in "${pids[@]}"; do
		kill -CONT "$pid" 2>/dev/null
		kill "$pid" 2>/dev/null
	done
	for pid in "${pids[@]}"; do
		ended_within 5 "$pid" || kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	for ((i = ${#undo[@]} - 1; i >= 0; i--)); do
		eval "${undo[i]}" >&2
	done
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

at_exit() { undo+=("$1"); }

ok() {
	nr_ok=$((nr_ok + 1))
	echo "ok $*"
}
not_ok() { # NAME WHY
	nr_not_ok=$((nr_not_ok + 1))
	echo "not ok $1 - ${2:-}" | tr '\n' ' '
	echo
}
skip() { # NAME REASON
	nr_skip=$((nr_skip + 1))
	echo "skip $1 - $2"
}
skip_all() { # REASON
	skip "$test_name" "$1"
	exit 77
}
finish() {
	[ "$nr_not_ok" = 0 ] || exit 1
	[ "$nr_ok" -gt 0 ] || exit 77
	exit 0
}

check() { # NAME WHY COMMAND...
	local name=$1 why=$2

	shift 2
	if "$@"; then ok "$name"; else not_ok "$name" "$why"; fi
}
check_equal() { # NAME GOT WANTED
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', wanted '$3'"; fi
}
# |GOT - WANTED| <= max(ABSOLUTE, RELATIVE * WANTED); anything that is no number fails.
check_near() { # NAME GOT WANTED ABSOLUTE RELATIVE
	if is_near "$2" "$3" "$4" "$5"; then
		ok "$1 ($2, kernel $3)"
	else
		not_ok "$1" "got $2, wanted $3 within $4 or $5 of it"
	fi
}
is_near() { # GOT WANTED ABSOLUTE RELATIVE
	awk -v got="$1" -v wanted="$2" -v abs="$3" -v rel="$4" 'BEGIN {
		number = "^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$"
		if (got !~ number || wanted !~ number) exit 1
		off = got - wanted; if (off < 0) off = -off
		bound = rel * (wanted < 0 ? -wanted : wanted); if (bound < abs) bound = abs
		exit !(off <= bound) }'
}
# A condition over numbers: check_true "no loss" "$lost == 0"
check_true() { # NAME EXPRESSION
	if is_true "$2"; then ok "$1"; else not_ok "$1" "does not hold: $2"; fi
}
is_true() { [[ "$1" != *null* ]] && awk "BEGIN { exit !($1) }" 2>/dev/null; }
calc() { awk "BEGIN { printf \"%.17g\", ($1) }"; }

# jq's answer as text; "null" for what is not there.
json() { # FILE FILTER [jq options]
	local file=$1 filter=$2

	shift 2
	jq -r "$@" "$filter" "$file" 2>"$T/jq.err" || { cat "$T/jq.err" >&2; echo null; }
}

begin() { # COMMAND...: in the background, ended with the test
	"$@" &
	last_pid=$!
	pids+=("$last_pid")
}
# Waits for a condition; the deadline only bounds a failure.
wait_until() { # SECONDS COMMAND...
	local deadline_s=$((SECONDS + $1))

	shift
	until "$@" 2>/dev/null; do
		[ $SECONDS -lt $deadline_s ] || return 1
		sleep 0.02
	done
}
is_gone() { # PID: ended, or only waiting to be reaped
	local state

	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
	[ -z "$state" ] || [ "$state" = Z ]
}
ended_within() { # SECONDS PID
	wait_until "$1" is_gone "$2"
}
file_holds() { grep -qa -- "$2" "$1"; } # FILE PATTERN
file_is_larger() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt "$2" ]; } # FILE BYTES

need() { # COMMAND...
	local command

	for command; do
		command -v "$command" >/dev/null || skip_all "no $command here"
	done
}
need_built() {
	local file

	for file in "$TT" "$H/can_bpf" "$H/mangle"; do
		[ -x "$file" ] && continue
		not_ok "$test_name" "$file is not built; run make test"
		exit 1
	done
}
# Sets modules: where npm put what tests/node/package.json names.
need_browser() { # PACKAGE
	need node
	modules=$B/node/node_modules
	[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || skip_all "no Chromium here"
	[ -d "$modules/$1" ] || skip_all "npm's $1 is not installed; make deps-test does it"
}
# Judged without the tool: by loading and attaching an empty program ourselves.
why_no_bpf() {
	[ "$(id -u)" = 0 ] || { echo "not root"; return; }
	[ -r /sys/kernel/btf/vmlinux ] || { echo "this kernel gives no BTF"; return; }
	"$H/can_bpf"
	return 0
}
need_bpf() {
	local reason

	reason=$(why_no_bpf)
	[ -z "$reason" ] || skip_all "BPF does not work here: $reason"
}

# Programs, maps and links that no process holds a descriptor of. Others on this machine may come and go with their own, so
# comparing plain lists would blame us for them.
bpf_orphans() {
	local what

	for what in prog map link; do
		bpftool -j "$what" show 2>/dev/null | jq -r --arg what "$what" '.[]? | "\($what) \(.id)"'
	done | sort >"$T/bpf.there"
	grep -hoE '^(prog|map|link)_id:[[:space:]]*[0-9]+' /proc/[0-9]*/fdinfo/* 2>/dev/null |
		sed 's/_id:[[:space:]]*/ /' | sort -u >"$T/bpf.held"
	comm -23 "$T/bpf.there" "$T/bpf.held"
}
no_new_orphans() { # FILE with the orphans of before
	bpf_orphans >"$T/orphans.now"
	[ -z "$(comm -13 "$1" "$T/orphans.now")" ]
}

# A disk of our own over a file. Sets loop_dev ("loop3"); gone at the end of the test.
loop_open() { # BYTES [losetup options]
	local path size=$1

	shift
	truncate -s "$size" "$T/disk.img" || return 1
	path=$(losetup -f --show "$@" "$T/disk.img" 2>"$T/losetup.err") || return 1
	loop_dev=${path#/dev/}
	at_exit "loop_close $loop_dev"
	# somebody may have switched its accounting off, and then the kernel counts nothing
	if [ "$(cat "/sys/block/$loop_dev/queue/iostats")" = 0 ]; then
		echo 1 >"/sys/block/$loop_dev/queue/iostats"
		at_exit "echo 0 >/sys/block/$loop_dev/queue/iostats"
	fi
}
# Only while it is ours: the number may be somebody else's by now.
loop_close() { # NAME
	[ "$(cat "/sys/block/$1/loop/backing_file" 2>/dev/null)" = "$T/disk.img" ] || return 0
	losetup -d "/dev/$1"
}
# Whether a program can be given a terminal; some containers have no pseudo-terminals.
has_terminal() { command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; }
# The 17 numbers of a device's line in /proc/diskstats.
diskstats_of() { awk -v name="$1" '$3 == name { for (i = 4; i <= NF; i++) printf "%s%s", $i, i < NF ? " " : "\n" }' /proc/diskstats; }
# Field N of the difference of two such lines, 1 = reads completed (the order of Documentation/admin-guide/iostats.rst).
diskstats_delta() { # BEFORE AFTER N
	awk -v a="$1" -v b="$2" -v n="$3" 'BEGIN { split(a, x); split(b, y); d = y[n] - x[n]; if (d < 0) d += 4294967296; print d }'
}

report_json() { # SESSION OUT [report options]
	local session=$1 out=$2

	shift 2
	"$TT" report --json "$@" "$session" >"$out" 2>"$out.err" || {
		echo "report of $session failed:" >&2
		cat "$out.err" >&2
		return 1
	}
}

# NR damaged copies of SESSION, each to the next COMMAND (words of timethief's): a status of 0 or 1, a word about it, and nothing that a
# sanitizer finds.
check_damage() { # SESSION SEED NR COMMAND...
	local session=$1 seed=$2 nr=$3 commands=("${@:4}") bad=0 i kind command status

	[ -x "$TT_ASAN" ] || { not_ok "the build with sanitizers" "$TT_ASAN is not there"; return; }
	for ((i = 0; i < nr; i++)); do
		command=${commands[i % ${#commands[@]}]}
		kind=flip
		[ $((i / ${#commands[@]} % 2)) = 0 ] || kind=cut
		"$H/mangle" $kind "$seed" $i "$session" "$T/damaged.tt" >"$T/mangle.out" || bad=$((bad + 1))
		# shellcheck disable=SC2086
		ASAN_OPTIONS=exitcode=99:allocator_may_return_null=1:detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:exitcode=99:print_stacktrace=1 \
			timeout -k 5 60 "$TT_ASAN" $command "$T/damaged.tt" >"$T/damaged.out" 2>"$T/damaged.err"
		status=$?
		[ $status -le 1 ] && ! grep -q 'Sanitizer\|runtime error:' "$T/damaged.err" && [ -s "$T/damaged.err" ] && continue
		bad=$((bad + 1))
		echo "$command of $kind $i: status $status: $(head -n 3 "$T/damaged.err")" >&2
	done
	check_equal "$nr damaged sessions: what is whole, or an error, and a word" "$bad" 0
}
