#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# disk, by each rung that Debian's kernels allow: every kind of disk is counted exactly as /proc/diskstats counts it, whatever
# happens to a request on its way; a known delay is the await; blk_account_io_done is refused, said so, and the next rung taken.
# timeout: 720
. "$(dirname "$0")/test.sh"
need_built
need jq mdadm dmsetup
truncate -s 64M "$T/vda"
vm_options=(--disk "$T/vda" --timeout 180)

# name in the report, and what it is
disks="vda=virtio-blk nullb0=null_blk nullb1=null_blk,everything sda=scsi_debug sdb=scsi_debug,everything
sdc=scsi_debug,under_multipath loop0=loop loop1=loop,mirrored loop2=loop,under_dm,mirrored dm-0=dm_linear dm-1=dm_linear,mirrored
dm-2=dm_crypt dm-3=dm_multipath md0=md_raid1 zram0=zram ram0=brd"

# For each disk, as ours and the kernel's: requests, sectors, merges.
rows() { # SESSION
	jq -r '(.interval.dur_ns / 1e9) as $s | def nr: . * $s | round;
		.sections.disk.tables.devices[] | [.device,
		"\(.reads) reads, \(.writes) writes, \(.discards) discards, \(.flushes) flushes",
		"\(.read_bytes / 512) read, \(.written_bytes / 512) written, \(.discarded_bytes / 512) discarded",
		"\(.r_merges_per_s | nr) of reads, \(.w_merges_per_s | nr) of writes, \(.d_merges_per_s | nr) of discards"
		] | join("|")' "$T/$1.json" >"$T/$1.ours"
	awk 'NR == FNR { for (i = 4; i <= NF; i++) was[$3, i] = $i; next }
		{ for (i = 4; i <= NF; i++) d[i] = $i - was[$3, i]
		  printf "%s|%d reads, %d writes, %d discards, %d flushes|", $3, d[4], d[8], d[15], d[19]
		  printf "%d read, %d written, %d discarded|%d of reads, %d of writes, %d of discards\n",
			d[6], d[10], d[17], d[5], d[9], d[16] }' "$job/$1.before" "$job/$1.after" >"$T/$1.kernel"
}
row() { awk -F '|' -v disk="$2" -v column="$3" '$1 == disk { print $column }' "$T/$1"; } # FILE DISK COLUMN
value() { # SESSION DISK COLUMN [TABLE]
	json "$T/$1.json" ".sections.disk.tables.${4:-devices}[] | select(.device == \"$2\") | .$3"
}
# The kernel's milliseconds of a disk for reads (7) or writes (11) by the number of them
kernel_await() { # SESSION DISK COLUMN
	awk -v disk="$2" -v ms="$3" '$3 == disk { sign = FNR == NR ? -1 : 1; sum += sign * $ms; nr += sign * $(ms - 3) }
		END { print nr ? sum / nr : "none" }' "$job/$1.before" "$job/$1.after"
}

counts_are_exact() { # KERNEL SESSION
	local pair disk name nr_ran=0

	rows "$2"
	for pair in $disks; do
		disk=${pair%%=*} name="$1: ${pair#*=} by $2"
		check_equal "$name: requests" "$(row "$2.ours" "$disk" 2)" "$(row "$2.kernel" "$disk" 2)"
		check_equal "$name: sectors" "$(row "$2.ours" "$disk" 3)" "$(row "$2.kernel" "$disk" 3)"
		check_equal "$name: merges" "$(row "$2.ours" "$disk" 4)" "$(row "$2.kernel" "$disk" 4)"
		[[ "$(row "$2.kernel" "$disk" 2)" =~ ^0\ reads,\ 0\ w ]] || nr_ran=$((nr_ran + 1))
	done
	# no driver accounts a ramdisk, so the kernel has 0 for it and so have we
	check_equal "$1: by $2: each disk but brd had I/O" "$nr_ran" "$(($(wc -w <<<"$disks") - 1))"
	check_equal "$1: by $2: verified by the recording itself" \
		"$(json "$T/$2.json" '.verified[] | select(.probe == "disk") | "\(.ok) \(.ours - .kernel)"')" "true 0"
	check_equal "$1: by $2: nothing shed" "$(json "$T/$2.json" '[.sections.disk.tables.devices[].shed_requests] | add')" 0
}

# One request at a time, which the device answers 50 ms after it got it. A busy host holds some of them up, anywhere: then the
# mean says nothing, neither the kernel's nor ours.
awaits_are_the_delay() { # KERNEL SESSION
	local disk pair name ours kernel

	for pair in nullb0=null_blk sda=scsi_debug; do
		disk=${pair%%=*}
		for column in r_await=7 w_await=11; do
			name="$1: ${pair#*=} by $2: ${column%%=*}"
			ours=$(value "$2" "$disk" "${column%%=*}_ms") kernel=$(kernel_await "$2" "$disk" "${column#*=}")
			check_true "$name is not below the delay" "$ours >= 50"
			if is_near "$kernel" 50 0 0.1; then
				check_near "$name is the delay" "$ours" 50 0 0.1
				check_near "$name is the kernel's" "$ours" "$kernel" 0 0.05
			else
				skip "$name" "the host is busy: the kernel's own mean of 50 ms each is $kernel ms"
			fi
		done
		check_near "$1: ${pair#*=} by $2: median time in the device is the delay" \
			"$(value "$2" "$disk" device_p50_ns latency)" 50000000 0 0.1
	done
}

# 5 fsyncs, 5 O_DSYNC writes and 1 fsync of pages become 11 empty preflushes of md, which it passes on uncounted.
flags_and_parts() { # KERNEL SESSION
	check_equal "$1: by $2: 12 passthrough commands, 11 flushes of md, 5 reads of brd are told apart" \
		"$(json "$T/$2.json" '.sections.disk.notes | map(select(test("does not count"))) | .[0]' | grep -o '^[0-9]*')" 28
	check_equal "$1: by $2: the unreadable sectors are a failed request" "$(value "$2" sdb failed_requests)" 1
	check_true "$1: by $2: time between requeue and issue" "$(value "$2" sdb requeue_ns split) > 0"
	check_true "$1: by $2: time in flushes" \
		"$(value "$2" sdb flush_ns split) > 0 && $(value "$2" vda flush_ns split) > 0"
	check_equal "$1: by $2: the parts of each request are its total" \
		"$(json "$T/$2.json" '[.sections.disk.tables.split[].split_errors] | add')" 0
}

# What the load did is I/O of some task once, however many devices it went through: those at the bottom have all of it.
no_tree_counts_twice() { # KERNEL SESSION
	local bottom='[.sections.disk.tables.devices[] | select(.device | test("^(dm-|md)") | not)]'

	local sum

	report_json "$job/$2.tt" "$T/tasks.json" --by task || { not_ok "$1: report by task" "it failed"; return; }
	for sum in "reads=map(.reads)" "read_bytes=map(.read_bytes)" "writes=map(.writes + .discards + .flushes)" \
		"written_bytes=map(.written_bytes + .discarded_bytes)"; do
		check_equal "$1: by $2: ${sum%%=*} of all submitters are those of the lowest devices" \
			"$(json "$T/tasks.json" "[.sections.disk.tables.submitters[].${sum%%=*}] | add")" \
			"$(json "$T/$2.json" "$bottom | ${sum#*=} | add")"
	done
	report_json "$job/$2.tt" "$T/tasks.json" --by task --device dm-0
	check_equal "$1: by $2: and those of a named device its own" \
		"$(json "$T/tasks.json" '[.sections.disk.tables.submitters[].written_bytes] | add')" \
		"$(value "$2" dm-0 'written_bytes + .discarded_bytes')"
}

# From the kernel's own trace of sdb: did all of that happen?
was_provoked() { # KERNEL
	local seen

	seen=$(awk '{ for (i = 1; i < NF; i++) if ($i ~ /^block_/) break; event = $i; op = $(i + 2) }
		# ... block_rq_issue: 8,16 R 4096 () 0 + 8 [disk_load], block_rq_complete: 8,16 R () 0 + 8 [0]
		{ for (i = 1; i < NF; i++) if ($i == "+") { sector = $(i - 1); size = $(i + 1) } }
		event == "block_rq_issue:" {
			issued[sector] = size
			passthrough += op == "N" && size == 0
			discards += op ~ /D/
			flushes += op ~ /^F/ && size == 0
		}
		event == "block_rq_complete:" && size > 0 && size < issued[sector] { partial++ }
		event == "block_rq_requeue:" { requeues++ }
		event == "block_rq_merge:" { rq_merges++ }
		event == "block_bio_backmerge:" { backmerges++ }
		event == "block_bio_frontmerge:" { frontmerges++ }
		END { print passthrough + 0, discards + 0, flushes + 0, partial + 0, requeues + 0, rq_merges + 0,
			backmerges + 0, frontmerges + 0 }' "$job/trace")
	set -- "$1" $seen
	check_true "$1: provoked: $2 passthrough commands, $3 discards, $4 flushes" "$2 == 12 && $3 == 5 && $4 > 5"
	check_true "$1: provoked: $5 partial completions, $6 requeues" "$5 > 2 && $6 > 5"
	check_true "$1: provoked: $7 merges of requests, $8 behind one, $9 in front of one" "$7 > 5 && $8 > 5 && $9 > 5"
}

hook_is_refused() { # KERNEL HOOK ERRNO MESSAGE
	check_equal "$1: $2 is refused" "$(cat "$job/$2.status")" 1
	check "$1: $2: and why" "$(tail -n 1 "$job/$2.log")" grep -q -- "--hook disk=$2: refused by this kernel: $4" "$job/$2.log"
	check "$1: doctor says $2 refused ($3)" "$(grep -m 1 -w "$2" "$job/doctor")" \
		eval "sed -n '/^disk /,/^runq /p' '$job/doctor' | grep -qE '^ +$2 +refused \($3\)'"
}

run_on() { # KERNEL RUNG
	local session
	local -A rungs=([default]=$2 [block_rq_complete]=block_rq_complete)

	in_guest "$1" disk || return
	hook_is_refused "$1" fentry EBUSY 'Device or resource busy'
	hook_is_refused "$1" kprobe EINVAL 'Invalid argument'
	check "$1: doctor chooses $2" "$(grep -m 1 -w "$2" "$job/doctor")" grep -qE "$2 +chosen" "$job/doctor"
	for session in default block_rq_complete; do
		[ "$(cat "$job/$session.status")" = 0 ] && report_json "$job/$session.tt" "$T/$session.json" || {
			not_ok "$1: $session" "$(tail -n 2 "$job/$session.log")"
			continue
		}
		check_equal "$1: the rung of $session" \
			"$(json "$T/$session.json" '.source.probes[] | select(.probe == "disk") | .rung')" "${rungs[$session]}"
		counts_are_exact "$1" $session
		awaits_are_the_delay "$1" $session
		flags_and_parts "$1" $session
		no_tree_counts_twice "$1" $session
	done
	was_provoked "$1"
}

# The same by SystemTap, whose kprobe reaches the function that BPF's is refused at.
run_stap() { # KERNEL
	build_stap "$1" && in_guest "$1" disk "$stap_module" || return
	[ "$(cat "$job/stap.status")" = 0 ] && report_json "$job/stap.tt" "$T/stap.json" || {
		not_ok "$1: stap" "$(tail -n 2 "$job/stap.log")"
		return
	}
	check_equal "$1: the rung of stap" "$(json "$T/stap.json" '.source.probes[] | select(.probe == "disk") | .rung')" blk_account_io_done
	counts_are_exact "$1" stap
	awaits_are_the_delay "$1" stap
	flags_and_parts "$1" stap
	no_tree_counts_twice "$1" stap
}

run_on 6.1 block_rq_complete
run_stap 6.1
run_on 6.12 block_io_done
finish
