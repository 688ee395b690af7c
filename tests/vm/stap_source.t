#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The SystemTap source with a real module, loaded by staprun alone in a guest without compiler or headers: whatever way a recording ends,
# no module, no folder and no process is left, and what was recorded can be read.
# timeout: 600
. "$(dirname "$0")/test.sh"
need_built
need jq
vm_options=(--timeout 240 --memory 1024)
kernel=6.1

build_stap $kernel || finish
in_guest $kernel stap_source "$stap_module" || finish

result() { awk -v name="$1" '$1 == name { print $2, $3 + $4 + $5 }' "$job/results"; }
check_equal "a recording as long as a command" "$(result whole)" "0 0"
check_equal "one that is over at once" "$(result short)" "0 0"
report_json "$job/short.tt" "$T/short.json"
check_equal "has the windows of both CPUs" "$(json "$T/short.json" '[.sections.runq.tables.cpus[].cpu] | tostring')" '["all","cpu0","cpu1"]'
check_equal "Ctrl-C" "$(result int)" "0 0"
check_equal "SIGKILL of the collector: module, folder and staprun are gone" "$(result kill)" "137 0"
check_equal "SIGKILL of its keeper" "$(result keeper)" "1 0"
check_equal "SIGKILL of stapio" "$(result stapio)" "1 0"
check_equal "a second recording is refused and does not disturb the first" "$(result two)" "10 0"
check "and it says why" "$(cat "$job/second.log")" grep -q 'loaded already' "$job/second.log"
check_equal "live" "$(result live) $(grep -c '^RUNQ' "$job/live.txt")" "0 0 2"
[ "$(result live)" = "0 0" ] || tail -n 5 "$job/live.txt" "$job/auto.log" >&2
check_equal "auto takes it where BPF is not possible" "$(result auto) $(grep -c 'recording with stap instead of bpf' "$job/auto.log")" "0 0 1"
check_equal "auto without SystemTap's headers takes procfs" "$(result procfs) $(grep -c 'recording with procfs instead of bpf.*stap: the headers of kernel' "$job/procfs.log")" "0 0 1"
for name in int keeper stapio first; do
	check_equal "$name: what was recorded can be read" "$("$TT" report "$job/$name.tt" >/dev/null 2>&1; echo $?)" 0
done
report_json "$job/whole.tt" "$T/report.json"
check_equal "its source is told" "$(json "$T/report.json" .source.name)" stap
check_equal "what it counted is what the kernel counted" "$(json "$T/report.json" '[.verified[] | select(.probe == "disk" or .probe == "runq") | .ok] | tostring')" "[true,true]"
check_equal "200 reads" "$(json "$T/report.json" '[.sections.disk.tables.devices[] | select(.device == "nullb0") | .nr_reads // .reads] | tostring')" "[200]"
check_equal "nothing is lost" "$(json "$T/report.json" '.lost // {} | [.switches, .records, .packets] | map(. // 0) | add')" 0
finish
