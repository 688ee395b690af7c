#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# flavours: Debian's real-time and cloud kernels take the same hooks and prove them; and a kernel without BTF gets a clear answer.
# timeout: 300
. "$(dirname "$0")/test.sh"
need_built
need jq

truncate -s 64M "$T/disk"
for kernel in 6.12-rt 6.1-cloud; do
	vm_options=(--timeout 120 --disk "$T/disk")
	in_guest $kernel flavour || continue
	check_equal "$kernel: record" "$(cat "$job/all.status")" 0
	report_json "$job/all.tt" "$T/report.json" --top 100 || { not_ok "$kernel: report" "$(head -n 1 "$T/report.json.err")"; continue; }
	check_equal "$kernel: disk and run queue are verified" \
		"$(json "$T/report.json" '[.verified[] | select(.probe != "steal") | .ok] | map(tostring) | join(" ")')" "true true"
	# the disk is new with the guest: all that it ever did was recorded, but for what looked for partitions at boot
	read -r reads writes < <(json "$T/report.json" '.sections.disk.tables.devices[] | select(.device == "vda") | "\(.reads) \(.writes)"')
	check_equal "$kernel: reads of 200 blocks of 64 KiB, and writes of 200 of 4 KiB" "$reads $writes" "200 200"
	off=0
	while read -r tid ns; do
		# 20 us: the switch of an exiting task that no program gets to see
		is_near "$(json "$T/report.json" ".sections.runq.tables.tasks[] | select(.tid == $tid) | .wait_sum_ns")" "$ns" 20000 0 ||
			off=$((off + 1))
	done < <(json "$job/truth.json" '.tasks[] | "\(.tid) \(.run_delay_ns)"')
	check_equal "$kernel: every task's wait is its run_delay" $off 0
	for probe in steal disk runq; do
		check_equal "$kernel: $probe: the hook is the one that doctor chose" \
			"$(json "$T/report.json" ".source.probes[] | select(.probe == \"$probe\") | .rung")" \
			"$(json "$job/doctor.json" "[.probes.${probe}[] | select(.verdict == \"chosen\") | .hook] | first")"
	done
done

vm_options=(--timeout 90)
kernel=6.1
if in_guest $kernel no-btf; then
	check_equal "without BTF: --source bpf fails" "$(cat "$job/bpf.status")" 1
	check "in one line that names SystemTap and procfs" "$(cat "$job/bpf.log")" \
		eval "[ \$(wc -l <'$job/bpf.log') = 1 ] && grep -q 'no BTF.*SystemTap.*--source procfs' '$job/bpf.log'"
	check_equal "auto records" "$(cat "$job/auto.status")" 0
	report_json "$job/auto.tt" "$T/report.json"
	check_equal "through procfs" "$(json "$T/report.json" .source.name)" procfs
	check "and the report says why" "$(json "$T/report.json" .source.reason)" grep -q 'no BTF' <<<"$(json "$T/report.json" .source.reason)"
	check "doctor names both ways on" "$(tr '\n' ' ' <"$job/doctor.txt")" \
		eval "tr -s ' \n' ' ' <'$job/doctor.txt' | grep -q 'Ways on: SystemTap, or /proc counters'"
	check_equal "and says that a recording is possible" "$(cat "$job/doctor.status")" 0
fi
finish
