#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# build-page.sh [--strict] SOURCE FOLDER OUT: the page of `timethief export -f html`, from SOURCE, with the packages that its lock file names, which
# go to FOLDER. Where npm is missing, or cannot get them, OUT is empty: that makes a tool without the page. With --strict it is an error.
set -eu

strict=
[ "$1" != --strict ] || { strict=1; shift; }
source=$1 folder=$2 out=$3

no_page() { # WHY
	echo "  no page for export -f html: $1" >&2
	[ -z "$strict" ] || exit 1
	: >"$out"
	exit 0
}

npm=${NPM-npm}
{ [ -n "$npm" ] && command -v "$npm" && command -v node; } >/dev/null ||
	no_page "it takes Node.js and npm; with them, 'make page' puts it in"
mkdir -p "$folder"
if ! cmp -s "$source/package-lock.json" "$folder/installed.json"; then
	cp "$source/package.json" "$source/package-lock.json" "$folder"
	# all that it is built from, whatever NODE_ENV says; and nothing is left outside of FOLDER
	(cd "$folder" && "$npm" ci --include=dev --include=optional --ignore-scripts --no-audit --no-fund --no-update-notifier \
		--cache "$folder/cache" --logs-max=0 --loglevel=error --fetch-retries=1 --fetch-timeout=20000) >"$folder/npm.log" 2>&1 ||
		no_page "npm could not get its packages (see $folder/npm.log); with a network, 'make page' puts it in"
	(cd "$folder" && node -e 'require("esbuild"); null ?? 0') >>"$folder/npm.log" 2>&1 ||
		no_page "node cannot run what makes it (see $folder/npm.log); Node.js 18 can"
	cp "$source/package-lock.json" "$folder/installed.json"
fi
# a mistake in the page is an error, whoever wants the page
node "$source/bundle.js" "$folder/node_modules" "$out.tmp"
mv "$out.tmp" "$out"
