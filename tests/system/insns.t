#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# insns: no BPF program has grown unnoticed. tests/system/insns.txt has what each had when it was last looked at; 5 % and 4 more are
# another compiler's. After a change that is worth it: INSNS_WRITE=1 tests/run insns
. "$(dirname "$0")/lib.sh"
need_built
{
	"$H/insns" "$B/timethief.bpf.o" && "$H/insns" "$B/timethief_modern.bpf.o" | sed 's/^/modern:/'
} 2>"$T/err" | sort >"$T/now"
[ -z "${INSNS_WRITE:-}" ] || cp "$T/now" "$here/insns.txt"
[ -s "$T/now" ] || { not_ok "instructions of the programs" "$(cat "$T/err")"; finish; }
check_equal "the programs are those of the table" "$(cut -d' ' -f1 "$T/now" | xargs)" "$(cut -d' ' -f1 "$here/insns.txt" | xargs)"
while read -r name now kept; do
	check_true "$name: $now instructions, $kept in the table" "$now <= $kept * 1.05 + 4"
done < <(join "$T/now" "$here/insns.txt")
finish
