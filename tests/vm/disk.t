#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# disk, by each rung that Debian's kernels allow: every kind of disk is counted exactly as /proc/diskstats counts it, whatever
# happens to a request on its way; a known delay is the await; blk_account_io_done is refused, said so, and the next rung taken.
# timeout: 600
# each: 6.1 6.12
. "$(dirname "$0")/test.sh"
need_built
need jq mdadm dmsetup
kernel=$1
truncate -s 64M "$T/vda"
vm_options=(--disk "$T/vda" --timeout 300)

# name in the report, and what it is
disks="vda=virtio-blk nullb0=null_blk nullb1=null_blk,everything sda=scsi_debug sdb=scsi_debug,everything
sdc=scsi_debug,under_multipath loop0=loop loop1=loop,mirrored loop2=loop,under_dm,mirrored dm-0=dm_linear dm-1=dm_linear,mirrored
dm-2=dm_crypt dm-3=dm_multipath md0=md_raid1 zram0=zram ram0=brd"

# For each disk, as ours and the kernel's: requests, sectors, merges.
rows() { # SESSION
	jq -r '.sections.disk.tables.devices[] |
		# what its rates are divided by: from counters only it is not quite the interval
		(if .reads > 0 then .reads / .r_per_s elif .writes > 0 then .writes / .w_per_s else 0 end) as $s | def nr: . * $s | round;
		[.device,
		"\(.reads) reads, \(.writes) writes, \(.discards) discards, \(.flushes) flushes",
		"\(.read_bytes / 512) read, \(.written_bytes / 512) written, \(.discarded_bytes / 512) discarded",
		"\(.r_merges_per_s | nr) of reads, \(.w_merges_per_s | nr) of writes, \(.d_merges_per_s | nr) of discards"
		] | join("|")' "$T/$1.json" >"$T/$1.ours"
	awk 'NR == FNR { for (i = 4; i <= NF; i++) was[$3, i] = $i; next }
		{ for (i = 4; i <= NF; i++) d[i] = $i - was[$3, i]
		  printf "%s|%d reads, %d writes, %d discards, %d flushes|", $3, d[4], d[8], d[15], d[19]
		  printf "%d read, %d written, %d discarded|%d of reads, %d of writes, %d of discards\n",
			d[6], d[10], d[17], d[5], d[9], d[16] }' "$job"/{before,after} >"$T/$1.kernel"
}
row() { awk -F '|' -v disk="$2" -v column="$3" '$1 == disk { print $column }' "$T/$1"; } # FILE DISK COLUMN
value() { # SESSION DISK COLUMN [TABLE]
	json "$T/$1.json" ".sections.disk.tables.${4:-devices}[] | select(.device == \"$2\") | .$3"
}
# The kernel's milliseconds of a disk for reads (7) or writes (11) by the number of them
kernel_await() { # DISK COLUMN
	awk -v disk="$1" -v ms="$2" '$3 == disk { sign = FNR == NR ? -1 : 1; sum += sign * $ms; nr += sign * $(ms - 3) }
		END { print nr ? sum / nr : "none" }' "$job"/{before,after}
}

counts_are_exact() { # SESSION
	local pair disk name nr_ran=0

	rows "$1"
	for pair in $disks; do
		disk=${pair%%=*} name="$kernel: ${pair#*=} by $1"
		[ "$1 $disk" != "procfs ram0" ] || continue # what never moved has no row there
		check_equal "$name: requests" "$(row "$1.ours" "$disk" 2)" "$(row "$1.kernel" "$disk" 2)"
		check_equal "$name: sectors" "$(row "$1.ours" "$disk" 3)" "$(row "$1.kernel" "$disk" 3)"
		check_equal "$name: merges" "$(row "$1.ours" "$disk" 4)" "$(row "$1.kernel" "$disk" 4)"
		[[ "$(row "$1.kernel" "$disk" 2)" =~ ^0\ reads,\ 0\ w ]] || nr_ran=$((nr_ran + 1))
	done
	# no driver accounts a ramdisk, so the kernel has 0 for it and so have we
	check_equal "$kernel: by $1: each disk but brd had I/O" "$nr_ran" "$(($(wc -w <<<"$disks") - 1))"
}

check_own() { # SESSION: what it says of itself
	check_equal "$kernel: by $1: verified by the recording itself" \
		"$(json "$T/$1.json" '.verified[] | select(.probe == "disk") | "\(.ok) \(.ours - .kernel)"')" "true 0"
	check_equal "$kernel: by $1: nothing shed" "$(json "$T/$1.json" '[.sections.disk.tables.devices[].shed_requests] | add')" 0
}

# One request at a time, which the device answers 50 ms after it got it. A busy host holds some of them up, anywhere: then the
# mean says nothing, neither the kernel's nor ours.
awaits_are_the_delay() { # SESSION
	local disk pair name ours theirs

	for pair in nullb0=null_blk sda=scsi_debug; do
		disk=${pair%%=*}
		for column in r_await=7 w_await=11; do
			name="$kernel: ${pair#*=} by $1: ${column%%=*}"
			ours=$(value "$1" "$disk" "${column%%=*}_ms") theirs=$(kernel_await "$disk" "${column#*=}")
			check_true "$name is not below the delay" "$ours >= 50"
			if is_near "$theirs" 50 0 0.1; then
				check_near "$name is the delay" "$ours" 50 0 0.1
				check_near "$name is the kernel's" "$ours" "$theirs" 0 0.05
			else
				skip "$name" "the host is busy: the kernel's own mean of 50 ms each is $theirs ms"
			fi
		done
		check_near "$kernel: ${pair#*=} by $1: median time in the device is the delay" \
			"$(value "$1" "$disk" device_p50_ns latency)" 50000000 0 0.1
	done
}

# 5 fsyncs, 5 O_DSYNC writes and 1 fsync of pages become 11 empty preflushes of md, which it passes on uncounted.
flags_and_parts() { # SESSION
	check_equal "$kernel: by $1: 12 passthrough commands, 11 flushes of md, 5 reads of brd are told apart" \
		"$(json "$T/$1.json" '.sections.disk.notes | map(select(test("does not count"))) | .[0]' | grep -o '^[0-9]*')" 28
	check_equal "$kernel: by $1: the unreadable sectors are a failed request" "$(value "$1" sdb failed_requests)" 1
	check_true "$kernel: by $1: time between requeue and issue" "$(value "$1" sdb requeue_ns split) > 0"
	check_true "$kernel: by $1: time in flushes" \
		"$(value "$1" sdb flush_ns split) > 0 && $(value "$1" vda flush_ns split) > 0"
	check_equal "$kernel: by $1: the parts of each request are its total" \
		"$(json "$T/$1.json" '[.sections.disk.tables.split[].split_errors] | add')" 0
}

# What the load did is I/O of some task once, however many devices it went through: those at the bottom have all of it.
no_tree_counts_twice() { # SESSION
	local bottom='[.sections.disk.tables.devices[] | select(.device | test("^(dm-|md)") | not)]'

	local sum

	report_json "$job/$1.tt" "$T/tasks.json" --by task || { not_ok "$kernel: report by task" "it failed"; return; }
	for sum in "reads=map(.reads)" "read_bytes=map(.read_bytes)" "writes=map(.writes + .discards + .flushes)" \
		"written_bytes=map(.written_bytes + .discarded_bytes)"; do
		check_equal "$kernel: by $1: ${sum%%=*} of all submitters are those of the lowest devices" \
			"$(json "$T/tasks.json" "[.sections.disk.tables.submitters[].${sum%%=*}] | add")" \
			"$(json "$T/$1.json" "$bottom | ${sum#*=} | add")"
	done
	report_json "$job/$1.tt" "$T/tasks.json" --by task --device dm-0
	check_equal "$kernel: by $1: and those of a named device its own" \
		"$(json "$T/tasks.json" '[.sections.disk.tables.submitters[].written_bytes] | add')" \
		"$(value "$1" dm-0 'written_bytes + .discarded_bytes')"
}

# From the kernel's own trace of sdb: did all of that happen?
was_provoked() {
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
	set -- $seen
	check_true "$kernel: provoked: $1 passthrough commands, $2 discards, $3 flushes" "$1 == 12 && $2 == 5 && $3 > 5"
	check_true "$kernel: provoked: $4 partial completions, $5 requeues" "$4 > 2 && $5 > 5"
	check_true "$kernel: provoked: $6 merges of requests, $7 behind one, $8 in front of one" "$6 > 5 && $7 > 5 && $8 > 5"
}

hook_is_refused() { # HOOK WHY
	check_equal "$kernel: $1 alone is an error" "$(cat "$job/$1.status")" 1
	check "$kernel: $1: and why" "$(tail -n 1 "$job/$1.log")" grep -q -- "--hook disk=$1: $2" "$job/$1.log"
}

is_recorded() { # SESSION RUNG
	[ "$(cat "$job/$1.status" 2>/dev/null)" = 0 ] && report_json "$job/$1.tt" "$T/$1.json" || {
		not_ok "$kernel: $1" "$(tail -n 2 "$job/$1.log")"
		return 1
	}
	check_equal "$kernel: the rung of $1" "$(json "$T/$1.json" '.source.probes[] | select(.probe == "disk") | .rung')" "$2"
}

[ $kernel != 6.1 ] || build_stap $kernel
in_guest $kernel disk ${stap_module:+"$stap_module"} || finish
sessions="default block_rq_complete"
# SystemTap's kprobe reaches the function that BPF's is refused at.
[ -z "$stap_module" ] || sessions+=" stap"
declare -A rungs=([default]=block_io_done [block_rq_complete]=block_rq_complete [stap]=blk_account_io_done)
[ $kernel != 6.1 ] || rungs[default]=block_rq_complete
for session in $sessions; do
	is_recorded $session ${rungs[$session]} || continue
	counts_are_exact $session
	check_own $session
	awaits_are_the_delay $session
	flags_and_parts $session
	no_tree_counts_twice $session
done
was_provoked
if is_recorded procfs /proc/diskstats; then
	counts_are_exact procfs
	check_near "$kernel: by procfs: null_blk: r_await" "$(value procfs nullb0 r_await_ms)" "$(kernel_await nullb0 7)" 0.01 0
	check_near "$kernel: by procfs: scsi_debug: w_await" "$(value procfs sda w_await_ms)" "$(kernel_await sda 11)" 0.01 0
fi
hook_is_refused fentry 'refused by this kernel: Device or resource busy'
hook_is_refused kprobe 'refused by this kernel: Invalid argument'
hook_is_refused kprobe-inner 'no function __blk_account_io_done'
check "$kernel: of a ladder that was given, the one that is refused is told" "$(cat "$job/block_rq_complete.log")" \
	grep -q -- '--hook disk=fentry: refused by this kernel: Device or resource busy' "$job/block_rq_complete.log"
finish
