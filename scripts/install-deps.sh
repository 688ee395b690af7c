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
# shellcheck disable=SC2086 # a list of package names
if ! apt-get install -y --no-install-recommends $missing >/tmp/timethief-deps.$$ 2>&1; then
	# A fresh machine has no or old package lists.
	apt-get update >/tmp/timethief-deps.$$ 2>&1 &&
		apt-get install -y --no-install-recommends $missing >>/tmp/timethief-deps.$$ 2>&1 || {
		tail -n 20 /tmp/timethief-deps.$$ >&2
		rm -f /tmp/timethief-deps.$$
		exit 1
	}
fi
rm -f /tmp/timethief-deps.$$
