#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# speedscope: what it reads of ours opens in its own app, in headless Chromium, and shows tasks and functions, and where the format has
# weights, our times.
# timeout: 240
. "$(dirname "$0")/lib.sh"
need_built
need_browser speedscope
cd "$T" || exit 1

"$H/made_session" made.tt || { not_ok "the made session" "made_session failed"; finish; }
groups=()
shows() { groups+=(${groups[0]+--} "$@"); } # FILE PROFILE NAME...

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
# Its own format has profiles by cause, with weights.
"$TT" export -q -f speedscope -o all.speedscope.json made.tt 2>err
shows all.speedscope.json "made.tt - lost: 3 switches shed" '590.53µs (100%)' '[stolen]' clear_page_erms 'operator"" _ms' '\xff\x01\x0a;(x)'
shows all.speedscope.json "runq: waited for a CPU" '1.08ms (100%)' '[runq]' 'a;b\x0ac\xff' '<script>alert(1)</script>' '370.00µs (34%)'
shows all.speedscope.json "disk: requests" '150.00µs (32%)' '[io_vda_read]' '[io_evil_:{x}_plus_1_write]'
shows all.speedscope.json "cpu: ran" '2.08ms (37%)' '[not_sampled]' 'RegExp:[&<>"'"']"
# Of pprof's it shows the type that the profile has for its default.
"$TT" export -q -f pprof -o all.pb.gz made.tt 2>err
shows all.pb.gz all.pb.gz '300.00µs (51%)' 'net/http.(*conn).serve' '200.00µs (34%)' clear_page_erms '[stack_lost]'

timeout -k 5 200 node "$root/tests/node/speedscope.js" "$modules" "${groups[@]}" 2>node.err | tee node.out
nr_ok=$(grep -c '^ok' node.out)
nr_not_ok=$(grep -c '^not ok' node.out)
check_equal "every file was opened" "$(grep -c 'nothing to complain about' node.out)" $(($(printf '%s\n' "${groups[@]}" | grep -c '^--$') + 1))
[ -s node.out ] || not_ok speedscope "$(tail -n 3 node.err)"
finish
