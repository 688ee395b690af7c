# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts of tests/vm share. Bash.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
B=${B:-$root/build}
case $B in /*) ;; *) B=$root/$B ;; esac
export B LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

die() { # STATUS MESSAGE
	echo "$(basename "$0"): $2" >&2
	exit "$1"
}
