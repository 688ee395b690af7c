#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hotplug: during record and live, a CPU goes and comes back, a CPU is plugged in, disks are plugged in, and one is taken away while it
# is being read. Nothing crashes, no count is lost, what comes shows up with its own numbers, and what is gone is closed off.
# timeout: 400
# each: 6.1 6.12
. "$(dirname "$0")/test.sh"
need_built
need jq socat
kernel=$1

qmp() { # COMMAND...: QEMU's answers
	{
		printf '%s\n' '{"execute":"qmp_capabilities"}' "$@"
		sleep 0.3 # QEMU drops what it has not read yet
	} | socat -t 2 - "UNIX-CONNECT:$T/qmp" >>"$T/qmp.log"
}
# The one that the guest calls cpu2; QEMU lists them from the last on.
plug_cpu() {
	local props

	: >"$T/qmp.log"
	qmp '{"execute":"query-hotpluggable-cpus"}'
	props=$(jq -c 'select(.return | type == "array") | [.return[] | select(has("qom-path") | not)] | last |
		.props + {driver: .type, id: "plugged"}' "$T/qmp.log")
	qmp "{\"execute\":\"device_add\",\"arguments\":$props}"
}
plug_disk() { # NAME
	truncate -s 256M "$T/$1.img"
	qmp "{\"execute\":\"blockdev-add\",\"arguments\":{\"driver\":\"raw\",\"node-name\":\"$1\",\"file\":{\"driver\":\"file\",\"filename\":\"$T/$1.img\"}}}" \
		"{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"virtio-blk-pci\",\"id\":\"$1\",\"drive\":\"$1\"}}"
}
# What the guest asks for.
serve() { # JOB
	local word

	while :; do
		for word in cpu disks unplug; do
			[ -e "$1/ask.$word" ] && [ ! -e "$1/done.$word" ] || continue
			case $word in
			cpu) plug_cpu ;;
			disks) plug_disk one && plug_disk two ;;
			unplug) qmp '{"execute":"device_del","arguments":{"id":"one"}}' ;;
			esac
			: >"$1/done.$word"
		done
		sleep 0.05
	done
}

row() { echo ".sections.$1.tables.$2[] | select(.${2%s} == \"$3\") | .$4"; } # SECTION TABLE ROW COLUMN
report() { json "$T/report.json" "$(row "$@")"; }
all_of_live() { json "$job/live.json" "[.[] | $(row "$@")] | add // 0" -s; }
# For how many seconds cpu1 was offline, at least and at most. Each switch has a time before and after, by a clock of 10 ms.
away_s() { # END-OF-RECORDING
	awk -v end="$1" '$1 == "cpu1.0" { early = $2; late = $3; low += end - late; high += end - early; nr++ }
		$1 == "cpu1.1" { low -= end - $2; high -= end - $3; nr++ }
		END { printf "%.2f %.2f\n", low - nr * 0.01, high + nr * 0.01 }' "$job/times"
}
# What was injected on a CPU, as the kernel has accounted it.
accounted_ns() { # CPU
	awk -v cpu="$1" '$1 == cpu { ns = $3 - ns } END { print ns }' "$job"/injected.{before,after}
}

check_cpus() {
	local cpu recorded_s interval_s low high nr_forks off=0 nr=0 tid ns

	interval_s=$(json "$T/report.json" '.interval.dur_ns / 1e9')
	nr_forks=$(awk '{ nr = $2 - nr } END { print nr }' "$job"/stat.{before,after})
	for cpu in all cpu0 cpu1 cpu2; do
		check_equal "$kernel: $cpu: recorded, shed and unseen switches are those of the run queue" \
			"$(report runq cpus $cpu 'recorded_switches + .shed_switches + .unseen_switches')" "$(report runq cpus $cpu nr_switches)"
		# What is not recorded is called unseen, so the sum alone says little. The bound is that of system/loss.
		check_true "$kernel: $cpu: $(report runq cpus $cpu unseen_switches) of $(report runq cpus $cpu nr_switches) are unseen: those of exiting tasks at most" \
			"$(report runq cpus $cpu unseen_switches) <= 20 + $nr_forks + $(report runq cpus $cpu nr_switches) / 10000"
	done
	while read -r tid ns; do
		nr=$((nr + 1))
		[ "$(json "$T/report.json" ".sections.runq.tables.tasks[] | select(.tid == $tid) | .wait_sum_ns")" = "$ns" ] || off=$((off + 1))
	done < <(json "$job/truth.json" '.tasks[] | "\(.tid) \(.run_delay_ns)"')
	check_equal "$kernel: of 4 tasks whose CPU was taken, those whose wait is not their run_delay" "$off of $nr" "0 of 4"
	check_equal "$kernel: no switch was shed" "$(report runq cpus all shed_switches)" 0
	check_near "$kernel: cpu0 was recorded all the time, s" "$(report steal cpus cpu0 'recorded_ns / 1e9')" "$interval_s" 0.05 0
	recorded_s=$(report steal cpus cpu1 'recorded_ns / 1e9')
	read -r low high < <(away_s "$(json "$T/report.json" '(.session.start_ts_ns + .interval.to_ns) / 1e9')")
	check_true "$kernel: cpu1 was not while it was offline ($(calc "$interval_s - $recorded_s") s of $low to $high)" \
		"$interval_s - $recorded_s >= $low && $interval_s - $recorded_s <= $high"
	recorded_s=$(report steal cpus cpu2 'recorded_ns / 1e9')
	check_true "$kernel: cpu2 was from when it came" "$recorded_s > 4 && $recorded_s < $interval_s - 3"
	check_true "$kernel: with its own switches and waits" "$(report runq cpus cpu2 recorded_switches) > 50 && $(report runq cpus cpu2 waits) > 20"
	for cpu in 0 1 2; do
		# A tick of 4 ms, and what the first tick of a CPU that comes accounts of the time before its first switch.
		check_near "$kernel: cpu$cpu: steal, ns" "$(report steal cpus cpu$cpu stolen_ns)" "$(accounted_ns $cpu)" 8e6 0.01
	done
	check_equal "$kernel: no jump of a steal clock" "$(json "$T/report.json" .loss.steal_jumps)" 0
}

check_disks() {
	local counted by_dd

	check_equal "$kernel: exact to /proc/diskstats: a disk from the beginning, and one that came" \
		"$(json "$T/report.json" '.verified[] | select(.probe == "disk") | "\(.kernel) \(.text)"' | sed 's/ (.*//')" \
		"$(($(report disk devices vda reads) + $(report disk devices vdc reads))) disk exact to /proc/diskstats"
	check_true "$kernel: vdc came and stayed" "$(report disk devices vdc reads) >= 80"
	# Its counters are gone with it; what the kernel had counted before, and the reader after that.
	counted=$(awk '{ print $4 }' "$job/vdb")
	by_dd=$(sed -n 's/^\([0-9]*\)+.* records in$/\1/p' "$job/dd")
	check_true "$kernel: vdb went while it was read" "$by_dd > 0 && $by_dd < 65536"
	check_near "$kernel: vdb: reads" "$(report disk devices vdb reads)" "$((counted + by_dd + $(report disk devices vdb failed_requests)))" 1 0
}

check_live() {
	local live=$job/live.json

	check_equal "$kernel: live says nothing and ends well" "$(cat "$job/live.err")" ""
	check_equal "$kernel: live: each interval begins where the one before ended" \
		"$(json "$live" '[range(1; length) as $i | .[$i].interval.from_ns == .[$i - 1].interval.to_ns] | all' -s)" true
	check_equal "$kernel: live: no share is above 100 %" \
		"$(json "$live" '[.[].sections | (.steal.tables.cpus[]?.steal_pct), (.disk.tables.devices[]? | .util_pct, .busy_pct)] |
			map(select(. != null and . > 100.1)) | length' -s)" 0
	# Intervals that lie wholly in a time offline have no row, those that touch none have one; those at an edge may have.
	json "$live" '(.session.start_ts_ns / 1e9) as $start | "\($start + .interval.from_ns / 1e9) \($start + .interval.to_ns / 1e9) " +
		([.sections.steal.tables.cpus[]?.cpu, .sections.runq.tables.cpus[]?.cpu] | index("cpu1") != null | tostring)' >"$T/rows"
	check_equal "$kernel: live: intervals with cpu1 offline and online, and rows of it that are wrong" \
		"$(awk -v edge=0.02 'NR == FNR && $1 == "cpu1.0" { nr++; early[nr] = $2 - edge; late[nr] = $3 + edge; back[nr] = back_late[nr] = 1e18 }
			NR == FNR && $1 == "cpu1.1" { back[nr] = $2 - edge; back_late[nr] = $3 + edge }
			NR == FNR { next }
			{ offline = touches = 0
			  for (i = 1; i <= nr; i++) {
				offline += $1 >= late[i] && $2 <= back[i]
				touches += $2 >= early[i] && $1 <= back_late[i]
			  }
			  nr_offline += offline; nr_online += !touches
			  if ((offline && $3 == "true") || (!touches && $3 == "false")) wrong++ }
			END { print (nr_offline > 1 && nr_online > 1) ? "both" : nr_offline + 0 " offline, " nr_online + 0 " online", wrong + 0 }' \
			"$job/times" "$T/rows")" "both 0"
	check_true "$kernel: live: cpu2 has one from when it came" \
		"$(json "$live" 'map([.sections.runq.tables.cpus[]?.cpu] | index("cpu2") != null) |
			index(true) as $from | if $from > 2 and (.[$from:] | all) then 1 else 0 end' -s) == 1"
	check_near "$kernel: live: vdb's reads together" "$(all_of_live disk devices vdb reads)" "$(report disk devices vdb reads)" 0 0
	check_equal "$kernel: live: vdb is not there after it went" \
		"$(json "$live" '.[-1] | .sections.disk.tables.devices[]?.device' -s | grep -c vdb)" 0
	check_equal "$kernel: live: every disk has its name" \
		"$(json "$live" '[.[].sections.disk.tables.devices[]?.device] | unique | join(" ")' -s)" "vda vdb vdc"
}

hotplug() {
	local server

	build_injector "$kernel" || return 0
	truncate -s 64M "$T/vda.img"
	# 6.12 takes the CPUs that firmware calls absent for pluggable only under a hypervisor that it knows. It does not know QEMU's
	# emulation; a serial number makes it believe in VMware.
	vm_options=(--timeout 300 --qmp "$T/qmp" --disk "$T/vda.img" --cpu qemu64,-hypervisor --qemu "-smbios type=1,serial=VMware-0")
	begin serve "$T/$kernel.hotplug"
	server=$last_pid
	in_guest "$kernel" hotplug || { kill "$server"; return 0; }
	kill "$server"
	[ -e "$job/injected.after" ] || { not_ok "$kernel: all of it was done" "$(tail -n 3 "$job/hotplug.log")"; return 0; }
	check_equal "$kernel: record: exit status" "$(cat "$job/hotplug.status")" 0
	check "$kernel: the kernel has nothing to say" "$(tail -n 1 "$job/dmesg")" eval "! grep -qE 'WARNING|BUG|Oops' '$job/dmesg'"
	report_json "$job/hotplug.tt" "$T/report.json" --top 1000 || { not_ok "$kernel: report" "$(head -n 1 "$T/report.json.err")"; return 0; }
	check_equal "$kernel: what was recorded agrees with the kernel" \
		"$(json "$T/report.json" '[.verified[] | select(.ok | not) | .text] | join("; ")')" ""
	check_cpus
	check_disks
	check_live
}

hotplug
finish
