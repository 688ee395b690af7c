#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# disk: a bio-based device (zram) has no requests; its bios are counted exactly as /proc/diskstats counts them.
. "$(dirname "$0")/lib.sh"
need_built
need jq fio
need_bpf
number=$(cat /sys/class/zram-control/hot_add 2>/dev/null) || skip_all "this kernel has no zram, or we may not add one"
zram=zram$number
at_exit "echo 1 >/sys/block/$zram/reset; echo $number >/sys/class/zram-control/hot_remove"
echo 64M >"/sys/block/$zram/disksize" || skip_all "$zram takes no size"
wait_until 5 test -b "/dev/$zram" || skip_all "/dev/$zram does not appear (no devtmpfs)"

# Discards are left out: zram ends them without accounting them, so the kernel has no number to compare with.
cat >"$T/load.sh" <<'LOAD'
set -e
grep -w "$DEV" /proc/diskstats >"$T/before"
fio "$here/fio/bio.fio" >"$T/fio.log" 2>&1
grep -w "$DEV" /proc/diskstats >"$T/after"
LOAD
DEV=$zram DEVICE=/dev/$zram "$TT" record -q --probe disk -o "$T/s.tt" -- bash "$T/load.sh" >"$T/record.log" 2>&1 || {
	not_ok record "$(tail -n 3 "$T/record.log")"
	finish
}
report_json "$T/s.tt" "$T/report.json" || { not_ok report "$(head -n 1 "$T/report.json.err")"; finish; }
value() { json "$T/report.json" ".sections.disk.tables.devices[] | select(.device == \"$zram\") | .$1"; }
before=$(awk '{ $1 = $2 = $3 = ""; print }' "$T/before")
after=$(awk '{ $1 = $2 = $3 = ""; print }' "$T/after")
check_equal "reads" "$(value reads)" "$(diskstats_delta "$before" "$after" 1)"
check_equal "sectors read" "$(value 'read_bytes / 512')" "$(diskstats_delta "$before" "$after" 3)"
check_equal "writes" "$(value writes)" "$(diskstats_delta "$before" "$after" 5)"
check_equal "sectors written" "$(value 'written_bytes / 512')" "$(diskstats_delta "$before" "$after" 7)"
check_true "the load reached the device" "$(value reads) >= 1000 && $(value writes) >= 1000"
finish
