#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# demo: what `make demo` runs ends well and shows a report, with BPF and without.
. "$(dirname "$0")/lib.sh"
need_built
cd "$root" || exit 1
"$root/scripts/demo.sh" 2 >"$T/demo.txt" 2>&1
check_equal "the demo ends well" $? 0
for word in FINDINGS STEAL DISK RUNQ; do
	check "the demo shows $word" "not there" file_holds "$T/demo.txt" "$word"
done
if [ -n "$(why_no_bpf)" ]; then
	check "the demo says why it used /proc" "$(head -n 3 "$T/demo.txt")" grep -qi 'proc' "$T/demo.txt"
fi
check_equal "its load leaves no file" "$(find /var/tmp -maxdepth 1 -name 'timethief-demo.*' -newer "$T" | wc -l)" 0
finish
