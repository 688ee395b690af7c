#!/bin/sh
# Installs the named Debian packages that are missing; says which. Does nothing when none is.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

missing=
for package in "$@"; do
	status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "timethief: this is no Debian system; install the counterparts of:$missing" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "timethief: packages are missing; as root: apt-get install$missing" >&2
	exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list of package names
install_missing() { apt-get install -y --no-install-recommends $missing >"$log" 2>&1; }
# A fresh machine has no package lists, or old ones.
if ! install_missing && ! { apt-get update >"$log" 2>&1 && install_missing; }; then
	tail -n 20 "$log" >&2
	exit 1
fi
