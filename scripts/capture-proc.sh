#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a fixture of this machine's /proc and /sys for the tests: tests/fixtures/proc/HOST/t0 and t1, SECONDS apart.
#
#	scripts/capture-proc.sh tests/fixtures/proc/web3 [SECONDS [PID...]]
#
# Takes counters, names of disks and the cgroup mounts; of the tasks only PIDs (default: this shell), since names and
# paths of processes are private. Look through the result before you publish it.
set -eu

[ $# -ge 1 ] || { echo "usage: $0 DIRECTORY [SECONDS [PID...]]" >&2; exit 2; }
host=$1
seconds=${2:-2}
[ $# -ge 2 ] && shift 2 || shift
pids=${*:-$$}

copy() { # FILE: a missing one is left out
	[ -r "/$1" ] || return 0
	mkdir -p "$out/${1%/*}"
	cat "/$1" > "$out/$1" 2>/dev/null || rm -f "$out/$1"
}

copy_disks() {
	for disk in /sys/dev/block/*; do
		grep -q '[1-9]' "$disk/stat" 2>/dev/null || continue # nothing ever happened there
		device=sys/dev/block/${disk##*/}
		for file in uevent size partition queue/rotational; do copy "$device/$file"; done
	done
}

copy_tasks() {
	for pid in $pids; do
		for task in /proc/"$pid"/task/[0-9]*; do
			for file in stat schedstat cgroup; do copy "${task#/}/$file"; done
		done
	done
}

capture() { # INTO
	out=$1
	mkdir -p "$out"
	for file in stat diskstats sysinfo sys/kernel/osrelease sys/kernel/version; do copy "proc/$file"; done
	mkdir -p "$out/proc/self"
	grep -E ' - cgroup2? ' /proc/self/mountinfo > "$out/proc/self/mountinfo" || :
	grep -o no-steal-acc /proc/cmdline > "$out/proc/cmdline" || :
	# The first CPU tells the hypervisor; serial numbers are not wanted.
	[ -r /proc/cpuinfo ] && sed '/^$/q' /proc/cpuinfo > "$out/proc/cpuinfo"
	for file in hypervisor/type devices/system/cpu/possible devices/system/cpu/online class/dmi/id/sys_vendor \
		class/dmi/id/product_name devices/system/clocksource/clocksource0/available_clocksource; do
		copy "sys/$file"
	done
	copy_disks
	copy_tasks
}

capture "$host/t0"
sleep "$seconds"
capture "$host/t1"
