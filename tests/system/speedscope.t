#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# speedscope: text and folded stacks open in speedscope's own app, in headless Chromium, and show tasks and functions.
# timeout: 240
. "$(dirname "$0")/lib.sh"
need_built
need_browser speedscope
cd "$T" || exit 1

"$H/made_session" made.tt || { not_ok "the made session" "made_session failed"; finish; }
shows() { # FILE PROFILE NAME...
	timeout -k 5 100 node "$root/tests/node/speedscope.js" "$modules" "$@" 2>node.err | tee node.out
	nr_ok=$((nr_ok + $(grep -c '^ok' node.out)))
	nr_not_ok=$((nr_not_ok + $(grep -c '^not ok' node.out)))
	[ -s node.out ] || not_ok "speedscope of $1" "$(tail -n 3 node.err)"
}
# Names are those of perf's text by themselves; .txt could be anything else.
for event in steal runq disk cpu; do
	"$TT" script -q -e $event made.tt >$event.linux-perf.txt 2>err
done
shows steal.linux-perf.txt "postgres pid: 100 tid: 100" '[stolen]' clear_page_erms 'Foo::operator{}' 'main.(*Server).Serve.func1' 'operator plus'
shows runq.linux-perf.txt "worker _1 _2/3 pid: 100 tid: 101" '[runq]' __schedule '<dyn app::Job plus core::marker::Send as app::Run>::run'
shows disk.linux-perf.txt "a_ pid: 102 tid: 102" '[io_vda_flush]' submit_bio '[stack_missed]'
shows cpu.linux-perf.txt "_#hash _12.5: y pid: 108 tid: 108" 'LazyCompile:*foo /srv/a b.js_12' vfs_read
# The weights are in the other format.
"$TT" export -q -f folded -o all.collapsedstack.txt made.tt 2>err
shows all.collapsedstack.txt all.collapsedstack.txt '[stolen]' '[io_vda_read]' postgres '日本:x'
# Without its name, told by what is in it.
cp steal.linux-perf.txt steal.txt
shows steal.txt "postgres pid: 100 tid: 100" '[stolen]'
finish
