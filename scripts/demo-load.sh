#!/bin/sh
# A short real load with something of everything: more busy loops than CPUs, a task that sleeps and wakes, and writes with
# fsync to a temporary file. Runs for SECONDS (default 8) and leaves nothing behind.
# SPDX-License-Identifier: GPL-2.0-or-later
set -u

seconds=${1:-8}
case $seconds in '' | *[!0-9]* | 0) echo "usage: demo-load.sh [SECONDS]" >&2; exit 2 ;; esac
nr_cpus=$(nproc 2>/dev/null || echo 1)
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/timethief-demo.XXXXXX") || exit 1
pids=

finish() {
	trap - EXIT INT TERM HUP
	# shellcheck disable=SC2086 # a list of pids
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# Two busy loops per CPU: each has to wait half of the time.
i=0
while [ $i -lt $((nr_cpus * 2)) ]; do
	timeout "$seconds" sh -c 'while :; do :; done' &
	pids="$pids $!"
	i=$((i + 1))
done

# Wakes twenty times a second, and then waits behind the loops.
timeout "$seconds" sh -c 'while :; do sleep 0.05; done' &
pids="$pids $!"

if command -v fio >/dev/null; then
	fio --name=demo --filename="$dir/file" --size=64m --rw=randrw --bs=4k-16k --ioengine=psync --direct=1 --fsync=16 \
		--time_based --runtime="$seconds" >"$dir/log" 2>&1 ||
		# no O_DIRECT on this file system (tmpfs)
		fio --name=demo --filename="$dir/file" --size=64m --rw=randrw --bs=4k-16k --ioengine=psync --fsync=16 \
			--time_based --runtime="$seconds" >"$dir/log" 2>&1 || cat "$dir/log" >&2
else
	end=$(($(date +%s) + seconds))
	while [ "$(date +%s)" -lt $end ]; do
		dd if=/dev/zero of="$dir/file" bs=64k count=64 oflag=direct conv=fsync 2>/dev/null ||
			dd if=/dev/zero of="$dir/file" bs=64k count=64 conv=fsync 2>/dev/null
		dd if="$dir/file" of=/dev/null bs=64k iflag=direct 2>/dev/null || sleep 0.1
	done
fi
wait
