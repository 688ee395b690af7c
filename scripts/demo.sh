#!/bin/sh
# What `make demo` runs after the build: records this machine under a short real load and shows the report.
# Where BPF is not allowed the recording comes from /proc, and says why.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
seconds=${1:-8}
session=$B/demo.tt

[ -x "$B/timethief" ] || { echo "demo: $B/timethief is not built; run make first" >&2; exit 1; }
echo "\$ timethief record -o $session -- scripts/demo-load.sh $seconds"
"$B/timethief" record -o "$session" -- scripts/demo-load.sh "$seconds"
echo
echo "\$ timethief report $session"
exec "$B/timethief" report "$session"
