#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# exports: what other tools are given has the report's numbers, of made sessions and of this machine; it is valid by its own rules, whatever
# the names; it tells what was lost.
# timeout: 300
. "$(dirname "$0")/lib.sh"
need_built
need jq python3 protoc
cd "$T" || exit 1

run() { "$TT" "$@" 2>"$T/err"; }
formats=(speedscope pprof ndjson)
judge() { # WHAT: what exports.py says
	sed -n "s/^\(ok\|not ok\) \([a-z]*\): /\1 \2 of $1: /p; /^#/p" python.out
	nr_ok=$((nr_ok + $(grep -c '^ok' python.out)))
	nr_not_ok=$((nr_not_ok + $(grep -c '^not ok' python.out)))
	[ "$(tail -n 1 python.out | grep -c '^ok\|^not ok\|^#')" = 1 ] || not_ok "exports of $1" "$(tail -n 3 python.out)"
}
# Every format of SESSION as out.FORMAT, and its numbers against report.json.
compare() { # SESSION WHAT [renamed]
	local pairs=()

	report_json "$1" report.json || { not_ok "report of $2" "$(head -n 1 report.json.err)"; return; }
	for format in "${formats[@]}"; do
		run export -f "$format" -o "out.$format" "$1" || not_ok "export -f $format of $2" "$(head -n 1 err)"
		pairs+=("$format" "out.$format")
	done
	python3 "$here/exports.py" report.json "${pairs[@]}" ${3:-} >python.out 2>&1
	judge "$2"
}

"$H/made_session" made.tt || { not_ok "the made session" "made_session failed"; finish; }
compare made.tt "a made session"
for format in "${formats[@]}"; do
	run export -f "$format" -o again made.tt
	check "$format: loss is told" "$(cat err)" grep -q "3 switches shed" err
	check "$format: from a pipe, to a pipe" "differs" cmp -s <(cat made.tt | "$TT" export -q -f "$format" - 2>/dev/null) \
		<("$TT" export -q -f "$format" - <made.tt 2>/dev/null)
done
for seed in 1 2 3; do
	"$H/made_session" random.tt $seed
	compare random.tt "random session $seed"
done

# --- speedscope ---

check_equal "speedscope: loss is in the name" "$(run export -f speedscope made.tt | jq -r .name)" \
	"made.tt - lost: 3 switches shed"

# --- pprof ---

pprof_top() { HOME=$T PPROF_TMPDIR=$T go tool pprof -top -nodecount=0 -unit=nanoseconds -sample_index="$1" out.pprof 2>go.err >go.out; }
run export -f pprof -o out.pprof made.tt
check "pprof: gzip takes it" "it does not" gzip -t out.pprof
if command -v go >/dev/null; then
	report_json made.tt report.json
	pprof_top stolen
	check_equal "go tool pprof: the time of the report" "$(sed -n 's/.*Total samples = \([0-9]*\)ns.*/\1/p' go.out)" \
		"$(json report.json '.sections.steal.tables.cpus[] | select(.cpu == "all") | .stolen_ns')"
	check "go tool pprof: what was lost" "$(head -n 5 go.out)" grep -q "^lost: 3 switches shed" go.out
	check "go tool pprof: functions and their own time" "$(head -n 12 go.out)" grep -q '^ *300000ns .* net/http\.(\*conn)\.serve$' go.out
	check "go tool pprof: names as they are" "$(grep operator go.out)" grep -q ' Smart<T>::operator->$' go.out
	pprof_top runq
	check_equal "go tool pprof: waits" "$(sed -n 's/.*Total samples = \([0-9]*\)ns.*/\1/p' go.out)" \
		"$(json report.json '.sections.runq.tables.cpus[] | select(.cpu == "all") | .wait_sum_ns')"
	HOME=$T PPROF_TMPDIR=$T go tool pprof -top -unit=nanoseconds -sample_index=runq -tagfocus=tid=101 out.pprof 2>go.err >go.out
	check "go tool pprof: of one task" "$(head -n 8 go.out)" grep -q "370000ns, .* of 1081233ns total" go.out
else
	skip "go tool pprof" "no go here"
fi

# --- ndjson ---

run export -f ndjson --schema -o schema.json
check_equal "--schema needs no session" "$?" 0
check "--schema of a format that has none" "$(cat err)" eval '! run export -f folded --schema && grep -q "ndjson has" err'
validates() { # FILE WHAT
	if ! python3 -c 'import jsonschema' 2>/dev/null; then
		skip "ndjson of $2: by its schema" "no jsonschema for Python here"
		return
	fi
	python3 "$here/exports.py" schema.json schema "$1" >python.out 2>&1
	judge "$2"
}
run export -f ndjson -o made.ndjson made.tt
check "ndjson: jq reads it" "it does not" eval 'jq -e . made.ndjson >jq.out'
validates made.ndjson "a made session"
validates out.ndjson "random session 3"
# a line too much, and one that lacks something: refused
sed "s/\"type\":\"steal\",/&\"more\":1,/; s/,\"wait_stolen_ns\":[0-9]*//" made.ndjson >wrong.ndjson
if python3 -c 'import jsonschema' 2>/dev/null; then
	check "what its schema does not say is refused" "it is not" eval '! python3 "$here/exports.py" schema.json schema wrong.ndjson >python.out 2>&1 && grep -q "^not ok" python.out'
fi

"$TT" record -q --source procfs -d 300ms -o counters.tt 2>err
run export -f ndjson -o counters.ndjson counters.tt
check_equal "ndjson: counters alone, which is said" "$? $(grep -c "no single events" err) $(jq -r .type counters.ndjson | sort -u | grep -c '^\(session\|cpu-counters\|task-counters\|end\)$')" "0 1 4"
validates counters.ndjson "counters"

# --- all of them ---

"$H/made_session" many.tt switches 200000
for format in "${formats[@]}"; do
	timeout 30 "$TT" export -f "$format" many.tt 2>pipe.err | head -c 1 >/dev/null
	check_equal "$format | head ends quietly" "${PIPESTATUS[0]} $(wc -c <pipe.err)" "0 0"
	[ -c /dev/full ] || continue
	run export -f "$format" made.tt >/dev/full
	check_equal "$format into a full device" "$? $(grep -c 'cannot write' err)" "1 1"
done

if has_terminal; then
	script -qec "'$TT' export -f pprof made.tt" /dev/null </dev/null >terminal 2>&1
	check "bytes are refused to a terminal" "$(head -c 200 terminal)" grep -q "will not write bytes to a terminal" terminal
else
	skip "bytes and a terminal" "no pseudo-terminal here"
fi

# --- damage, under the sanitizers ---

check_damage made.tt 0x7117e1 $((4 * ${#formats[@]})) "${formats[@]/#/export -f }"

# --- of this machine ---

reason=$(why_no_bpf)
if [ -n "$reason" ]; then
	skip "a recording of this machine" "$reason"
	finish
fi
"$TT" record -q --stacks -o real.tt -- bash -c 'dd if=/dev/zero of=disk.img bs=4k count=200 oflag=direct 2>/dev/null; sha1sum disk.img; "$H/sleeper" 2 300' \
	>record.log 2>&1 || not_ok record "$(tail -n 1 record.log)"
compare real.tt "this machine" renamed
validates out.ndjson "this machine"
finish
