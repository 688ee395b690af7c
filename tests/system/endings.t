#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# endings: however a recording ends, its file opens with everything up to the last whole block, and nothing of it stays in the
# kernel.
# timeout: 150
. "$(dirname "$0")/lib.sh"
need_built
need jq bpftool
need_bpf

bpf_orphans >"$T/orphans.before"
begin "$H/sleeper" 140 200 # so that there is something to record

# Starts a recording in the background and waits until events are in the file.
start_recording() { # FILE RECORD-OPTIONS...
	local file=$1

	shift
	begin "$TT" record -o "$file" "$@" >"$T/record.log" 2>&1
	recorder=$last_pid
	wait_until 20 has_events "$file" || echo "no events in $file after 20 s: $(tail -n 2 "$T/record.log")" >&2
}
has_events() { # FILE: report finds at least one whole epoch with switches
	file_is_larger "$1" 4096 && "$TT" report --json "$1" 2>/dev/null | jq -e '.nr_events > 100' >/dev/null
}
# Sets $status; no $(...), as only the shell that started a process can wait for it.
wait_for() { # PID SECONDS
	status="still running after $2 s"
	ended_within "$2" "$1" || return
	wait "$1"
	status=$?
}

opens_whole() { # NAME FILE ENDED_BY: in order, with a closing summary
	report_json "$2" "$T/report.json" || { not_ok "$1: the file opens" "$(head -n 1 "$T/report.json.err")"; return; }
	check_true "$1: the file holds events" "$(json "$T/report.json" .nr_events) > 100"
	check_equal "$1: it knows how it ended" "$(json "$T/report.json" .session.ended_by)" "$3"
	check_equal "$1: it is whole" "$(json "$T/report.json" .session.whole)" true
}
leaves_nothing() { # NAME: the kernel frees programs a moment after their last user is gone
	if wait_until 10 no_new_orphans "$T/orphans.before"; then
		ok "$1: no program, map or link stays"
	else
		not_ok "$1: no program, map or link stays" "$(comm -13 "$T/orphans.before" "$T/orphans.now" | tr '\n' ' ')"
	fi
}

signal_ends() { # SIGNAL
	start_recording "$T/$1.tt" -d 60
	kill "-$1" "$recorder"
	wait_for "$recorder" 20
	check_equal "$1: exit status" "$status" 0
	opens_whole "$1" "$T/$1.tt" signal
	leaves_nothing "$1"
}
signal_ends INT
signal_ends TERM

"$TT" record -o "$T/duration.tt" -d 1s >"$T/record.log" 2>&1
check_equal "duration: exit status" $? 0
opens_whole duration "$T/duration.tt" duration

"$TT" record -o "$T/command.tt" -- "$H/sleeper" 1 100 >"$T/record.log" 2>&1
check_equal "end of CMD: exit status" $? 0
opens_whole "end of CMD" "$T/command.tt" command
leaves_nothing "end of CMD"

"$TT" record -o "$T/missing.tt" -- /nonexistent/command >"$T/missing.log" 2>&1
check_equal "a CMD that does not exist: exit status" $? 1
check_equal "a CMD that does not exist: one line" "$(wc -l <"$T/missing.log")" 1

disk_full() {
	mkdir "$T/small"
	mount -t tmpfs -o size=192k tmpfs "$T/small" 2>"$T/mount.err" || { skip "disk full" "no tmpfs: $(cat "$T/mount.err")"; return; }
	at_exit "umount $T/small"
	begin "$H/spinner" 4 60
	spinner=$last_pid
	begin "$H/sleeper" 60 20
	begin "$TT" record -o "$T/small/s.tt" -d 60 >"$T/full.log" 2>&1
	recorder=$last_pid
	wait_for "$recorder" 60
	check_equal "disk full: exit status" "$status" 1
	check "disk full: it says so" "$(tail -n 2 "$T/full.log")" grep -qi 'no space left\|disk full' "$T/full.log"
	opens_whole "disk full" "$T/small/s.tt" "disk full"
	leaves_nothing "disk full"
	kill "$spinner"
}
disk_full

max_size() {
	local bytes

	begin "$H/sleeper" 60 20
	begin "$TT" record -o "$T/max.tt" --max-size 256k -d 60 >"$T/max.log" 2>&1
	recorder=$last_pid
	wait_for "$recorder" 60
	check_equal "--max-size: exit status" "$status" 0
	bytes=$(stat -c %s "$T/max.tt")
	check_true "--max-size: the file stays below it ($bytes bytes)" "$bytes <= 262144 && $bytes > 16384"
	opens_whole "--max-size" "$T/max.tt" max-size
	leaves_nothing "--max-size"
}
max_size

killed() {
	start_recording "$T/kill.tt" -d 60
	wait_until 10 file_is_larger "$T/kill.tt" 20000
	kill -KILL "$recorder"
	wait_for "$recorder" 20
	check_equal "SIGKILL: exit status" "$status" 137
	report_json "$T/kill.tt" "$T/report.json" || { not_ok "SIGKILL: the file opens" "$(head -n 1 "$T/report.json.err")"; return; }
	check_true "SIGKILL: the file holds events" "$(json "$T/report.json" .nr_events) > 100"
	check_equal "SIGKILL: it says that it is cut" "$(json "$T/report.json" .session.whole)" false
	"$TT" report "$T/kill.tt" >"$T/kill.txt" 2>&1
	check "SIGKILL: the text report says so at the top" "$(head -n 3 "$T/kill.txt")" \
		grep -qi 'cut\|did not end\|killed\|no closing' <(head -n 5 "$T/kill.txt")
	leaves_nothing SIGKILL
}
killed

# An earlier recording is kept once.
"$TT" record -q -o "$T/twice.tt" -d 200ms >/dev/null 2>&1
first=$(sha256sum <"$T/twice.tt")
"$TT" record -q -o "$T/twice.tt" -d 200ms >/dev/null 2>&1
check_equal "an existing file becomes FILE.old" "$(sha256sum <"$T/twice.tt.old")" "$first"
finish
