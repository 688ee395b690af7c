#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Our disk table beside the real iostat -x, for the same interval.
#
#	scripts/compare-iostat.sh [SECONDS [SOURCE [DEVICE]]]
#
# SECONDS (default 5) of recording with SOURCE (bpf, procfs or auto, the default). iostat runs inside the recording, so the two
# intervals differ by the few milliseconds that a process takes to start: compare rates within a percent or two.
# TIMETHIEF names the program to run.
set -eu

seconds=${1:-5}
source=${2:-auto}
device=${3:-}
timethief=${TIMETHIEF:-$(dirname "$0")/../build/timethief}

command -v iostat >/dev/null || { echo "$0: needs iostat, from the package sysstat" >&2; exit 1; }
[ -x "$timethief" ] || { echo "$0: $timethief is not built (make)" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM

# The first report of iostat is the time since boot; -y leaves it out.
"$timethief" record -q --source "$source" --probe disk -o "$scratch/session.tt" -- \
	sh -c 'LC_ALL=C iostat -x -y "$1" 1 $2 > "$3"' sh "$seconds" "$device" "$scratch/iostat"

echo "=== iostat -x, $seconds s"
sed '/^Linux/d; /^avg-cpu/,/^$/d; /^$/d' "$scratch/iostat"
echo
echo "=== timethief report --section disk, $source"
"$timethief" report --section disk "$scratch/session.tt"
