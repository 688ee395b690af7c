#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# html: what is in the page of a real recording is what the report says, of all of it and of parts; and who asks for what cannot be is told so.
# What a browser makes of it: page.t.
# timeout: 120
. "$(dirname "$0")/lib.sh"
need_built
need node jq
cd "$T" || exit 1
"$H/made_session" made.tt

data() { # PAGE OUT [FROM TO]
	local page=$1 out=$2

	shift 2
	node "$root/tests/node/page_data.js" "$page" "$@" >"$out" 2>data.err || not_ok "the data of $page" "$(tail -n 3 data.err)"
}
all_sections=(--section steal --section disk --section runq --section cpu --section chord)

refused() { # NAME STATUS WORDS ARGUMENTS...
	local name=$1 status=$2 words=$3 got

	shift 3
	"$TT" "$@" >out 2>err </dev/null
	got=$?
	[ $got = "$status" ] || not_ok "$name" "status $got: $(cat err)"
	check "$name" "said $(cat err)" grep -q -- "$words" err
	check "$name: nothing is left behind" "there is a file" test ! -e x.html
}

# --- a tool that was built without npm has everything else ---
with_page=$TT
TT=$H/timethief-no-page
refused "a build without the page" 1 "make page" export -f html -o x.html made.tt
refused "its report" 1 "make page" report --html x.html made.tt
"$TT" export --help | tr -s ' \n' ' ' >help
check "which says so in --help" "$(cat help)" grep -q "and more (not in this build)" help
check "and exports what it can" "failed" "$TT" export -q -f folded -o folded.txt made.tt
TT=$with_page
if [ ! -s "$B/page.html" ]; then
	skip "what is in the page" "this build has none; make page says why"
	finish
fi

# --- a real recording ---
cat >load.sh <<'SH'
for i in 1 2 3 4; do timeout 0.8 sh -c "while :; do dd if=/dev/zero of=f$i bs=16k count=40 oflag=dsync 2>/dev/null; done" & done
for i in 1 2 3; do timeout 0.8 sh -c 'while :; do :; done' & done
wait
SH
if [ -z "$(why_no_bpf)" ]; then
	"$TT" record -q -d 10 --stacks -o real.tt -- sh load.sh 2>record.err || not_ok "a recording" "$(tail -n 2 record.err)"
	"$TT" export -q -f html -o real.html real.tt 2>err || not_ok "export -f html" "$(cat err)"
	data real.html real.json
	report_json real.tt report.json "${all_sections[@]}"
	check_equal "the page has the report as report --json prints it" "$(jq -S .report real.json | md5sum)" "$(jq -S . report.json | md5sum)"
	check_equal "waits" "$(json real.json '.cells["0:2"].nr + .cells["0:3"].nr')" "$(json report.json '.sections.runq.tables.cpus[0].waits')"
	check_equal "wait time" "$(json real.json '[.cells["0:2", "0:3", "0:5"].ns // 0] | add')" \
		"$(json report.json '.sections.runq.tables.cpus[0].wait_sum_ns')"
	check_equal "heat map of waits" "$(json real.json '.cells["2:map0"].nr')" "$(json report.json '.sections.runq.tables.cpus[0].waits')"
	check_equal "requests" "$(json real.json '[.cells["1:0", "1:1", "1:2", "1:3"].nr // 0] | add')" \
		"$(json report.json '[.sections.disk.tables.devices[] | .reads + .writes + .discards + .flushes] | add')"
	check_equal "stacks have all hits" "$(json real.json .entries_ns)" "$(json real.json '.cells["5:all"].ns')"
	"$TT" export -q -f folded real.tt >folded 2>err
	check_equal "and those of -f folded" "$(json real.json .entries_ns)" "$(awk '{ s += $NF } END { printf "%.0f", s }' folded)"
	# who ran before a switch that was not seen is not known: a slice is missing, however long
	known=$(json real.json '(.time["time.task"] + .time["time.idle"]) / .windows_ns')
	check_true "the timeline knows nearly all of the recorded time ($known)" \
		"$known <= 1 && $known > ($(json real.json '.report.loss | .unseen + .shed') > 0 ? 0.5 : 0.999)"
	check_equal "every switch is there" "$(json real.json '.meta.events.all')" true

	"$TT" report -q --html again.html real.tt 2>err || not_ok "report --html" "$(cat err)"
	check "report --html writes the same" "differs" cmp -s real.html again.html
	# through a pipe
	"$TT" export -q -f html - <real.tt >piped.html 2>err || not_ok "export of standard input" "$(cat err)"
	data piped.html piped.json
	check_equal "standard input to standard output" "$(json piped.json .entries_ns)" "$(json real.json .entries_ns)"

	# slots 64 to 192 of the page are the same stretch of the session
	slot_ns=$(json real.json .meta.time.slot_ns)
	data real.html part.json 64 192
	report_json real.tt part-report.json --from "$((64 * slot_ns))ns" --to "$((192 * slot_ns))ns"
	check_equal "a selection of slots is report --from --to" "$(json part.json '[.cells["0:2", "0:3"].nr // 0] | add')" \
		"$(json part-report.json '.sections.runq.tables.cpus[0].waits')"
	"$TT" export -q -f html --from "$((64 * slot_ns))ns" --to "$((192 * slot_ns))ns" -o part.html real.tt 2>err || not_ok "--from --to" "$(cat err)"
	data part.html from-to.json
	check_equal "and export --from --to" "$(json from-to.json '[.cells["0:2", "0:3"].nr // 0] | add')" \
		"$(json part-report.json '.sections.runq.tables.cpus[0].waits')"

	"$TT" export -q -f html --baseline real.tt -o diff.html made.tt 2>err || not_ok "--baseline" "$(cat err)"
	data diff.html diff.json
	check_equal "a baseline has all of the other session" "$(json diff.json .base_entries_ns)" "$(json real.json .entries_ns)"
	check_equal "and says what it is" "$(json diff.json .meta.baseline.file)" real.tt
	check_equal "without one there is none" "$(json real.json .meta.baseline)" null
else
	skip "a real recording" "BPF does not work here"
fi

# --- without switches nobody knows who had a CPU ---
if [ -z "$(why_no_bpf)" ]; then
	"$TT" record -q -d 400ms --probe disk -o disk.tt 2>err && "$TT" export -q -f html -o disk.html disk.tt 2>err || not_ok "--probe disk" "$(cat err)"
	data disk.html disk.json
	check_equal "--probe disk: no CPU, and no slice" "$(json disk.json '[.columns["cpu.id"], .columns["switch.ts"]] | tostring')" "[0,0]"
	"$TT" export -q -f html --from 300ms --to 301ms -o tiny.html real.tt 2>err || not_ok "a millisecond" "$(cat err)"
	data tiny.html tiny.json
	check_equal "a millisecond: every CPU has a row" "$(json tiny.json '.columns["cpu.id"]')" "$(json real.json '.columns["cpu.id"]')"
fi

# --- ten minutes, with about as many single events as a page holds: what it takes at most ---
"$H/made_busy" minutes.tt 600 500 && "$TT" export -q -f html -o minutes.html minutes.tt 2>err || not_ok "ten minutes" "$(cat err)"
data minutes.html minutes.json
check_true "a page of ten minutes ($(stat -c %s minutes.html) bytes) with $(json minutes.json .meta.events.nr) single events stays below 15 MB" \
	"$(stat -c %s minutes.html) < 15 * 10^6 && $(json minutes.json .meta.events.nr) > 0.9 * $(json minutes.json .meta.events.max) && \
	$(json minutes.json .meta.events.nr) <= $(json minutes.json .meta.events.max)"
rm -f minutes.*

# --- counters only ---
"$TT" record -q --source procfs -d 1 -o counters.tt 2>err
"$TT" export -f html -o counters.html counters.tt 2>err || not_ok "counters only" "$(cat err)"
data counters.html counters.json
check_true "a session of counters has tables" "$(json counters.json '.report.sections.runq.tables.cpus | length') > 0"
check "and says that it has no events" "$(cat err)" grep -q "no single events" err

# --- what cannot be ---
refused "a baseline that is not there" 1 "cannot open nothing.tt" export -f html --baseline nothing.tt -o x.html made.tt
refused "a baseline of counters" 1 "nothing can be compared with" export -f html --baseline counters.tt -o x.html made.tt
refused "a baseline for another format" 2 "folded compares nothing" export -f folded --baseline made.tt -o x.html made.tt
refused "one stream as two sessions" 2 "cannot be both" export -f html --baseline - -o x.html -
refused "a page and JSON" 2 "one of them" report --html x.html --json made.tt
refused "a page of one section" 2 "leave --section out" report --html x.html --section disk made.tt
refused "a stretch beyond the end" 1 "beyond the end" export -f html --from 1h -o x.html made.tt
finish
