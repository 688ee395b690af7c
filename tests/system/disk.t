#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# disk: every completed request and sector is counted exactly as /proc/diskstats counts it; times agree with iostat -x; the
# parts of a request's time add up. On a loop device of our own that is idle at both ends, for two I/O schedulers.
# timeout: 180
. "$(dirname "$0")/lib.sh"
need_built
need jq fio iostat losetup
need_bpf
loop_open 256M || skip_all "no loop device: $(cat "$T/losetup.err")"

ulimit -c 0
queue=/sys/block/$loop_dev/queue

# Runs as the recorded command: the recording spans it, the device is idle at its both ends.
cat >"$T/load.sh" <<'LOAD'
set -e
stats() { grep -w "$DEV" /proc/diskstats; }
stats >"$T/before"
# "-y" would hide the first report, which is the sign that iostat has read its first counters.
S_TIME_FORMAT=ISO stdbuf -oL iostat -x -d -o JSON "$DEV" "$IOSTAT_S" 2 >"$T/iostat.json" &
iostat_pid=$!
for ((i = 0; i < 250; i++)); do grep -q '"disk_device"' "$T/iostat.json" && break; sleep 0.02; done
fio "$here/fio/mixed.fio" >"$T/fio.log" 2>&1
if [ "$DISCARDS" = yes ]; then fio "$here/fio/discard.fio" >"$T/discard.log" 2>&1; fi
blockdev --flushbufs "/dev/$DEV"
# it must outlast the load: the device is idle at the end of its interval
kill -0 "$iostat_pid" || touch "$T/iostat.short"
wait "$iostat_pid"
stats >"$T/after"
LOAD

# The tool's numbers of the device, by the names that they have in the JSON.
value() { # COLUMN [TABLE]
	json "$T/report.json" ".sections.disk.tables.${2:-devices}[] | select(.device == \"$loop_dev\") | .$1"
}
seconds() { json "$T/report.json" '.interval.dur_ns / 1e9'; }
kernel() { diskstats_delta "$before" "$after" "$1"; }

run_with() { # SCHEDULER [beside]
	local scheduler=$1 name=$1${2:+, $2 another busy disk} beside=

	echo "$scheduler" >"$queue/scheduler" 2>/dev/null
	grep -q "\[$scheduler\]" "$queue/scheduler" || { skip "$scheduler" "this kernel has no $scheduler"; return; }
	discards=no
	[ "$(cat "$queue/discard_max_bytes")" -gt 0 ] && discards=yes
	if [ -n "${2:-}" ]; then
		dd if=/dev/zero of="$T/beside" bs=1M count=64 oflag=direct 2>"$T/dd.err" ||
			{ skip "$name" "no direct I/O to files here: $(head -n 1 "$T/dd.err")"; return; }
		RATE=0 DEVICE=$T/beside begin fio "$here/fio/beside.fio" >"$T/beside.log" 2>&1
		beside=$last_pid
	fi
	rm -f "$T/after" "$T/iostat.short"
	DEV=$loop_dev DEVICE=/dev/$loop_dev DISCARDS=$discards IOSTAT_S=6 \
		"$TT" record -q -o "$T/s.tt" -- bash "$T/load.sh" >"$T/record.log" 2>&1 || {
		not_ok "$name: record" "$(tail -n 3 "$T/record.log" "$T/fio.log")"
		return
	}
	[ -s "$T/after" ] || { not_ok "$name: load" "$(tail -n 3 "$T/record.log" "$T/fio.log")"; return; }
	report_json "$T/s.tt" "$T/report.json" || { not_ok "$name: report" "$(head -n 1 "$T/report.json.err")"; return; }
	before=$(awk '{ $1 = $2 = $3 = ""; print }' "$T/before")
	after=$(awk '{ $1 = $2 = $3 = ""; print }' "$T/after")

	check_equal "$name: reads" "$(value reads)" "$(kernel 1)"
	check_equal "$name: sectors read" "$(value 'read_bytes / 512')" "$(kernel 3)"
	check_equal "$name: writes" "$(value writes)" "$(kernel 5)"
	check_equal "$name: sectors written" "$(value 'written_bytes / 512')" "$(kernel 7)"
	# shown as a rate: counted back
	check_equal "$name: merged reads" "$(value "r_merges_per_s * $(seconds) | round")" "$(kernel 2)"
	check_equal "$name: merged writes" "$(value "w_merges_per_s * $(seconds) | round")" "$(kernel 6)"
	check_equal "$name: flushes" "$(value flushes)" "$(kernel 16)"
	if [ "$discards" = yes ]; then
		check_equal "$name: discards" "$(value discards)" "$(kernel 12)"
		check_equal "$name: sectors discarded" "$(value 'discarded_bytes / 512')" "$(kernel 14)"
	else
		skip "$name: discards" "$loop_dev takes none over this file system"
	fi
	check_true "$name: the load reached the device" "$(kernel 1) > 1000 && $(kernel 5) > 1000 && $(kernel 16) > 10"
	if [ -n "$beside" ]; then
		check "$name: it was busy all the time" "$(tail -n 1 "$T/beside.log")" eval "! is_gone $beside"
		kill "$beside"
		return
	fi
	against_iostat "$scheduler"
	against_kernel_ticks "$scheduler"
	against_kernel_times "$scheduler"
	parts_add_up "$scheduler"
}

# iostat divides the kernel's milliseconds by its requests: 5 % or the 0.05 ms that its two decimals and the kernel's rounding
# leave.
against_iostat() { # SCHEDULER
	local column

	[ ! -e "$T/iostat.short" ] || { skip "$1: as iostat" "the machine is so busy that the load outlasted iostat's interval"; return; }
	for column in r_await w_await f_await; do
		check_near "$1: $column as iostat" "$(value "${column}_ms")" \
			"$(json "$T/iostat.json" ".sysstat.hosts[0].statistics[1].disk[0][\"$column\"]")" 0.05 0.05
	done
}

# The same without iostat's rounding: all of a direction's waiting, in the kernel's milliseconds. The kernel may share one start
# time between the requests of a plug, so its sums are a little larger.
against_kernel_ticks() { # SCHEDULER
	check_near "$1: r_await * reads, ms" "$(calc "$(value r_await_ms) * $(value reads)")" "$(kernel 4)" 2 0.05
	check_near "$1: w_await * writes, ms" "$(calc "$(value w_await_ms) * $(value writes)")" "$(kernel 8)" 2 0.05
	check_near "$1: f_await * flushes, ms" "$(calc "$(value f_await_ms) * $(value flushes)")" "$(kernel 17)" 2 0.05
}

# aqu-sz and %util are averages over an interval, and ours is not iostat's: compared as milliseconds. The kernel cuts each of
# four sums to a whole millisecond.
against_kernel_times() { # SCHEDULER
	local interval_ms

	interval_ms=$(calc "$(json "$T/report.json" .interval.dur_ns) / 1e6")
	check_near "$1: aqu-sz" "$(calc "$(value aqu_sz) * $interval_ms")" "$(kernel 11)" 4 0.05
	check_near "$1: %util" "$(calc "$(value util_pct) / 100 * $interval_ms")" "$(kernel 10)" 4 0.05
	# Linux counts busy time in jiffies, and before 6.10 one for every lonely request; under this load nearly always busy. Each busy stretch
	# is off by up to a jiffy at either end, both ways: half a jiffy of 4 ms times the root of some thousands of stretches, where other
	# work makes the load pause, is a tenth of its 3 s.
	check_near "$1: busy time" "$(calc "$(value busy_pct) / 100 * $interval_ms")" "$(kernel 10)" 8 0.1
}

# Per request, so of every sum: a queue time that was taken from another's device time would show here.
parts_add_up() { # SCHEDULER
	local total parts bad=0 nr=0

	while read -r total parts; do
		nr=$((nr + 1))
		[ "$total" = "$parts" ] && continue
		bad=$((bad + 1))
		echo "$loop_dev: total $total, parts $parts" >&2
	done < <(json "$T/report.json" ".sections.disk.tables.split[] | select(.device == \"$loop_dev\") |
		\"\(.total_ns) \(.queue_ns + .requeue_ns + .device_net_ns + .stolen_ns + .flush_ns)\"")
	check_true "$1: queue + requeue + device + flush = total" "$nr == 1 && $bad == 0"
	check_equal "$1: the same of each single request" "$(value split_errors split)" 0
	check_true "$1: and there were as many requests" \
		"$(value requests split) >= $(value reads) + $(value writes)"
	check_true "$1: percentiles are in order" \
		"$(value r_p50_ns latency) <= $(value r_p99_ns latency) && $(value r_p99_ns latency) <= $(value r_max_ns latency)"
	check_equal "$1: verified by the recording itself" \
		"$(json "$T/report.json" '[.verified[] | select(.probe == "disk") | .ok] | all')" true
}

run_with none
run_with mq-deadline
# Its interrupts hit the programs while they run for this one.
run_with none beside
finish
