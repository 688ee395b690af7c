#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# page: the page of export -f html in Chromium: its numbers are the report's, every view draws and is operated by mouse, keys and touch,
# hostile names stay text, nothing is asked for, and anybody can read it.
# timeout: 500
. "$(dirname "$0")/lib.sh"
need_built
need_browser axe-core
cd "$T" || exit 1

page_of() { # SESSION [export options]
	"$TT" export -q -f html -o "${1%.tt}.html" "${@:2}" "$1" 2>err && return
	grep -q 'this build has no page' err && skip_all "this build has no page; make page puts it in"
	not_ok "export -f html of $1" "$(cat err)"
	finish
}
in_browser() { # SCRIPT ARGUMENT...
	local status

	timeout -k 5 300 node "$root/tests/node/$1" "$modules" "${@:2}" 2>node.err | tee node.out
	status=${PIPESTATUS[0]}
	nr_ok=$((nr_ok + $(grep -c '^ok' node.out)))
	nr_not_ok=$((nr_not_ok + $(grep -c '^not ok' node.out)))
	[ "$status" != 124 ] || not_ok "$1" "it takes too long"
	[ "$status" = 0 ] || grep -q '^not ok' node.out || not_ok "$1" "status $status: $(tail -n 3 node.err)"
	[ -s node.out ] || not_ok "$1" "it said nothing"
}

# the modules by themselves
node --test --test-reporter=tap "$root/tests/page/" >modules.tap 2>&1
sed -n 's/^\(not \)\{0,1\}ok [0-9]* - \(.*\)/\1ok \2/p' modules.tap
nr_ok=$(grep -c '^ok' modules.tap)
nr_not_ok=$(grep -c '^not ok' modules.tap)
[ "$nr_ok" -gt 0 ] || not_ok modules "$(tail -n 3 modules.tap)"

"$H/made_busy" busy.tt 9 && "$H/made_busy" base.tt 3 && "$H/made_busy" wide.tt 2 2000 64 && cp busy.tt compared.tt && "$H/made_markup" markup.tt || { not_ok "made sessions" "a helper failed"; finish; }
"$TT" record -q --source procfs -o empty.tt -d 300ms >empty.log 2>&1 || not_ok "record --source procfs" "$(cat empty.log)"
page_of busy.tt
page_of compared.tt --baseline base.tt
page_of wide.tt
page_of markup.tt
page_of empty.tt
in_browser page_numbers.js "$TT" busy.tt busy.html 3.3 4.6
in_browser page_use.js busy.html compared.html wide.html
in_browser page_safe.js busy.html markup.html empty.html

if [ -n "$(why_no_bpf)" ]; then
	skip "the numbers of a recording of this machine" "$(why_no_bpf)"
	finish
fi
"$TT" record -q --stacks -o real.tt -- bash -c 'for i in $(seq 20); do dd if=/dev/zero of="$T/data" bs=64k count=20 oflag=dsync; done; i=0; while ((i++ < 200000)); do :; done' \
	>record.log 2>&1
check_equal "a recording of this machine" $? 0
page_of real.tt
in_browser page_numbers.js "$TT" real.tt real.html "$(calc "$(json <("$TT" report --json real.tt) .interval.dur_ns) / 3e9")" "$(calc "$(json <("$TT" report --json real.tt) .interval.dur_ns) / 2e9")"
finish
