#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# d3: d3-hierarchy, d3-flame-graph and the d3js_trace page find the same time in our trees as is in the folded stacks.
# timeout: 120
. "$(dirname "$0")/lib.sh"
need_built
need_browser d3-flame-graph
cd "$T" || exit 1

"$H/made_session" made.tt || { not_ok "the made session" "made_session failed"; finish; }
for format in folded sunburst d3js_trace; do
	"$TT" export -q -f $format -o $format made.tt 2>err || not_ok "export -f $format" "$(cat err)"
done
sum() { grep -- "$1" folded | awk '{ s += $NF } END { printf "%.0f\n", s }'; }
timeout -k 5 90 node "$root/tests/node/d3.js" "$modules" "$T/sunburst" "$T/d3js_trace" "$(sum '')" '[stolen]' "$(sum '\[stolen\] ')" \
	'[runq]' "$(sum '\[runq\] ')" '[io_vda_read]' "$(sum '\[io_vda_read\] ')" '[no_stack]' "$(sum '\[no_stack\]')" 2>node.err | tee node.out
nr_ok=$(grep -c '^ok' node.out)
nr_not_ok=$(grep -c '^not ok' node.out)
[ -s node.out ] || not_ok d3 "$(tail -n 3 node.err)"
finish
