#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# live: the same numbers every interval; as JSON one object a line; survives a closed pipe, Ctrl-C, a resized terminal, and
# devices that come and go.
. "$(dirname "$0")/lib.sh"
need_built
need jq
sources=procfs
if [ -z "$(why_no_bpf)" ]; then sources="procfs bpf"; else skip "live with BPF" "$(why_no_bpf)"; fi
begin "$H/sleeper" 100 500

intervals() { # SOURCE
	local begin_ns end_ns

	begin_ns=$(date +%s%N)
	"$TT" live --source "$1" --json 500ms 4 >"$T/live.json" 2>"$T/live.err"
	check_equal "$1: live --json: exit status" "$? $(grep -c rror "$T/live.err")" "0 0"
	end_ns=$(date +%s%N)
	check_equal "$1: one object a line" "$(wc -l <"$T/live.json") $(jq -s length "$T/live.json")" "4 4"
	check_equal "$1: with a schema version" "$(jq -s 'map(.timethief_json) | unique | join(" ")' -r "$T/live.json")" 1
	check_equal "$1: with all sections" "$(jq -r '.sections | keys | join(" ")' "$T/live.json" | sort -u)" "disk runq steal"
	# From due time to due time: a busy machine may make one late, which makes the next one shorter; drift would add up.
	check_true "$1: intervals of 500 ms, four together" \
		"$(jq -s '.[-1].interval.to_ns - .[0].interval.from_ns' "$T/live.json") > 1.95e9 &&
		$(jq -s '.[-1].interval.to_ns - .[0].interval.from_ns' "$T/live.json") < 2.6e9"
	# The session began when live did, not at the epoch of some clock.
	check_true "$1: times count from the start of live" "$(jq -s '.[0].interval.from_ns' "$T/live.json") < 5e9 && $(jq -s '.[0].session.start_ts_ns' "$T/live.json") > 0"
	check_true "$1: four of them take 2 s and a start" "$end_ns - $begin_ns >= 2e9 && $end_ns - $begin_ns < 6e9"
	check_equal "$1: each begins where the one before ended" \
		"$(jq -s '[range(1; length) as $i | .[$i].interval.from_ns == .[$i - 1].interval.to_ns] | all' "$T/live.json")" true
	# so wide that no table is split, each part with its header
	COLUMNS=300 "$TT" live --source "$1" runq 200ms 2 >"$T/live.txt" 2>/dev/null
	check_equal "$1: one section alone" "$(grep -cE '^(STEAL|DISK)' "$T/live.txt")" 0
	check_true "$1: its header with each interval" "$(grep -c '^RUNQ ' "$T/live.txt") == 2"
}

closed_pipe() { # SOURCE
	local status

	timeout -k 5 20 "$TT" live --source "$1" 100ms 2>"$T/live.err" | head -n 1 >/dev/null
	status=${PIPESTATUS[0]}
	# 0 or killed by SIGPIPE, as other tools; never a hang and never a word about it
	if { [ "$status" = 0 ] || [ "$status" = 141 ]; } && ! grep -qi 'pipe' "$T/live.err"; then
		ok "$1: live | head ends"
	else
		not_ok "$1: live | head ends" "status $status, $(head -n 1 "$T/live.err")"
	fi
}

interrupted() { # SOURCE
	local pid status

	begin "$TT" live --source "$1" 100ms >"$T/live.txt" 2>"$T/live.err"
	pid=$last_pid
	wait_until 10 test -s "$T/live.txt"
	kill -INT "$pid"
	ended_within 10 "$pid" || { not_ok "$1: Ctrl-C ends live" "still running"; return; }
	wait "$pid"
	status=$?
	check_equal "$1: Ctrl-C ends live" "$status" 0
}

resized() { # SOURCE: on a pseudo-terminal of changing width
	has_terminal || { skip "$1: a resized terminal" "no script(1) or no pseudo-terminals"; return; }
	cat >"$T/resize.sh" <<-'LOAD'
		stty cols 120 rows 30
		"$TT" live --source "$SOURCE" 100ms 12 & pid=$!
		for width in 100 80 40 20 1 200; do sleep 0.15; stty cols $width; kill -WINCH $pid; done
		wait $pid
		echo "status $?"
	LOAD
	SOURCE=$1 timeout -k 5 30 script -qec "bash $T/resize.sh" /dev/null >"$T/live.txt" 2>&1 </dev/null
	check "$1: a resized terminal" "$(tail -n 2 "$T/live.txt")" grep -q 'status 0' "$T/live.txt"
}

devices_come_and_go() { # SOURCE
	local pid status device

	begin "$TT" live --source "$1" --json disk 200ms >"$T/live.json" 2>"$T/live.err"
	pid=$last_pid
	wait_until 10 test -s "$T/live.json"
	if loop_open 16M; then
		device=$loop_dev
		dd if=/dev/zero of="/dev/$device" bs=64k count=64 oflag=direct 2>/dev/null
		check "$1: a device that comes is seen" "not in $(wc -l <"$T/live.json") lines" wait_until 5 file_holds "$T/live.json" "\"$device\""
		loop_close "$device"
		sleep 0.5 # two more intervals without it
	else
		skip "$1: a device that comes" "no loop device: $(cat "$T/losetup.err")"
	fi
	if is_gone "$pid"; then
		not_ok "$1: live survives devices" "it ended: $(tail -n 1 "$T/live.err")"
	else
		ok "$1: live survives devices"
	fi
	kill -INT "$pid" 2>/dev/null
	ended_within 10 "$pid"
}

for source in $sources; do
	intervals "$source"
	closed_pipe "$source"
	interrupted "$source"
	resized "$source"
	devices_come_and_go "$source"
done
if [ -n "$(why_no_bpf)" ]; then
	"$TT" live --json 200ms 1 >/dev/null 2>"$T/live.err"
	check_equal "live says in one line why it uses procfs" "$(wc -l <"$T/live.err")" 1
fi
finish
