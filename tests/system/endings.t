#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# endings: however a recording ends, its file opens with everything up to the last whole block, and nothing of it stays in the
# kernel.
# timeout: 150
. "$(dirname "$0")/lib.sh"
need_built
need jq
sources=procfs
no_bpf=$(why_no_bpf)
if [ -n "$no_bpf" ]; then
	skip "what a recording with BPF leaves behind" "$no_bpf"
else
	sources="procfs bpf"
	need bpftool
	bpf_orphans >"$T/orphans.before"
fi
begin "$H/sleeper" 140 200 # so that there is something to record

# Starts a recording in the background and waits until events are in the file.
start_recording() { # FILE RECORD-OPTIONS...
	local file=$1

	shift
	begin "$TT" record --source "$source" -o "$file" "$@" >"$T/record.log" 2>&1
	recorder=$last_pid
	wait_until 20 has_events "$file" || echo "no events in $file after 20 s: $(tail -n 2 "$T/record.log")" >&2
}
has_events() { # FILE: report finds at least one whole epoch
	file_is_larger "$1" 1024 && "$TT" report --json "$1" 2>/dev/null | jq -e '.nr_events > 20' >/dev/null
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
	check_true "$1: the file holds events" "$(json "$T/report.json" .nr_events) > 20"
	check_equal "$1: it knows how it ended" "$(json "$T/report.json" .session.ended_by)" "$3"
	check_equal "$1: it is whole" "$(json "$T/report.json" .session.whole)" true
}
# A perf event lives as long as somebody holds it: descriptors of processes, and programs attached to it, which are links.
leaves_nothing() { # NAME: the kernel frees programs a moment after their last user is gone
	[ "$source" = bpf ] || return 0
	if wait_until 10 no_new_orphans "$T/orphans.before"; then
		ok "$1: no program, map or link stays"
	else
		not_ok "$1: no program, map or link stays" "$(comm -13 "$T/orphans.before" "$T/orphans.now" | tr '\n' ' ')"
	fi
}
nr_perf_events() { find /proc/[0-9]*/fd -lname 'anon_inode:\[perf_event\]' 2>/dev/null | wc -l; }
no_more_perf_events() { [ "$(nr_perf_events)" -le "$1" ]; }

signal_ends() { # SIGNAL
	local name="$source, $1" file=$T/$source.$1.tt

	start_recording "$file" -d 60
	kill "-$1" "$recorder"
	wait_for "$recorder" 20
	check_equal "$name: exit status" "$status" 0
	opens_whole "$name" "$file" signal
	leaves_nothing "$name"
}

duration_ends() {
	"$TT" record --source "$source" -o "$T/duration.tt" -d 1s >"$T/record.log" 2>&1
	check_equal "$source, duration: exit status" $? 0
	opens_whole "$source, duration" "$T/duration.tt" duration
}

command_ends() {
	"$TT" record --source "$source" -o "$T/command.tt" -- "$H/sleeper" 1 100 >"$T/record.log" 2>&1
	check_equal "$source, end of CMD: exit status" $? 0
	opens_whole "$source, end of CMD" "$T/command.tt" command
	leaves_nothing "$source, end of CMD"
	"$TT" record --source "$source" -o "$T/missing.tt" -- /nonexistent/command >"$T/missing.log" 2>&1
	check_equal "$source, a CMD that does not exist: exit status" $? 1
	check_equal "$source, a CMD that does not exist: one line" "$(wc -l <"$T/missing.log")" 1
}

# The recorder has given up its capabilities by then.
other_user() {
	setpriv --reuid=65534 --clear-groups true 2>"$T/setpriv.err" || { skip "$source, CMD of another user" "$(cat "$T/setpriv.err")"; return; }
	"$TT" record --source "$source" -o "$T/other.tt" -d 500ms -- setpriv --reuid=65534 --clear-groups sleep 60 >"$T/other.log" 2>&1
	check "$source, CMD of another user gets SIGTERM" "$(cat "$T/other.log")" file_holds "$T/other.log" 'ended by signal 15'
}

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

killed() {
	local name="$source, SIGKILL" file=$T/$source.kill.tt events=0 samples=

	# with samples, so that there are perf events
	[ "$source" = procfs ] || { samples="--stacks"; events=$(nr_perf_events); }
	start_recording "$file" -d 60 $samples
	[ "$source" = procfs ] || check_true "$name: there are perf events to leave behind" "$(nr_perf_events) > $events"
	[ "$source" = procfs ] || wait_until 10 file_is_larger "$file" 20000
	kill -KILL "$recorder"
	wait_for "$recorder" 20
	check_equal "$name: exit status" "$status" 137
	report_json "$file" "$T/report.json" || { not_ok "$name: the file opens" "$(head -n 1 "$T/report.json.err")"; return; }
	check_true "$name: the file holds events" "$(json "$T/report.json" .nr_events) > 20"
	check_equal "$name: it says that it is cut" "$(json "$T/report.json" .session.whole)" false
	"$TT" report "$file" >"$T/kill.txt" 2>/dev/null
	head -n 5 "$T/kill.txt" >"$T/kill.top"
	check "$name: the text report says so at the top" "$(cat "$T/kill.top")" grep -qi 'cut\|did not end\|killed\|no closing' "$T/kill.top"
	leaves_nothing "$name"
	[ "$source" = procfs ] || check "$name: no perf event stays" "$(nr_perf_events) of them, $events before" wait_until 10 no_more_perf_events "$events"
}

live_killed() {
	begin "$TT" live --source "$source" 100ms >"$T/live.txt" 2>"$T/live.err"
	wait_until 20 test -s "$T/live.txt"
	kill -KILL "$last_pid"
	wait_for "$last_pid" 20
	check_equal "$source, SIGKILL of live: exit status" "$status" 137
	leaves_nothing "$source, SIGKILL of live"
}

for source in $sources; do
	signal_ends INT
	signal_ends TERM
	duration_ends
	command_ends
	other_user
	killed
	live_killed
done
# These need many events; counters alone fill a file too slowly.
if [ "$source" = bpf ]; then
	disk_full
	max_size
else
	skip "disk full and --max-size" "$no_bpf"
fi

# The system's own limit of a file is not --max-size.
(ulimit -f 24; exec "$TT" record -q -o "$T/limit.tt" -d 30 -- "$H/sleeper" 20 2000) >"$T/limit.log" 2>&1
check_equal "ulimit -f: exit status" $? 1
check "ulimit -f: one line tells file and error" "$(cat "$T/limit.log")" grep -q 'limit.tt.*File too large' "$T/limit.log"
check_equal "ulimit -f: it knows how it ended" "$("$TT" report --json "$T/limit.tt" 2>/dev/null | jq -r .session.ended_by)" "file size limit"

# An earlier recording is kept once.
"$TT" record -q -o "$T/twice.tt" -d 200ms >/dev/null 2>&1
first=$(sha256sum <"$T/twice.tt")
"$TT" record -q -o "$T/twice.tt" -d 200ms >/dev/null 2>&1
check_equal "an existing file becomes FILE.old" "$(sha256sum <"$T/twice.tt.old")" "$first"
finish
