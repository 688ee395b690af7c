#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# flavours: Debian's real-time and cloud kernels take the same hooks and prove them.
# timeout: 300
# each: 6.12-rt 6.1-cloud
. "$(dirname "$0")/test.sh"
need_built
need jq
kernel=$1

truncate -s 64M "$T/disk"
vm_options=(--timeout 240 --disk "$T/disk")
in_guest $kernel flavour || finish
check_equal "$kernel: record" "$(cat "$job/all.status")" 0
report_json "$job/all.tt" "$T/report.json" --top 100 || { not_ok "$kernel: report" "$(head -n 1 "$T/report.json.err")"; finish; }
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
done=block_io_done
[ $kernel != 6.1-cloud ] || done=block_rq_complete
check_equal "$kernel: the hooks are those of the plain kernel" \
	"$(json "$T/report.json" '.source.probes | map("\(.probe) \(.rung)") | join(", ")')" "steal tick, disk $done, runq tp_btf"
finish
