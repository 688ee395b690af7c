#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# report: every way to cut a session gives the same totals; widths, colours and hostile names are handled.
. "$(dirname "$0")/lib.sh"
need_built
need jq
source=bpf
reason=$(why_no_bpf)
[ -z "$reason" ] || { source=procfs; skip "report of single events" "$reason"; }

# A task whose name is an attack on the terminal, and one with spaces and an umlaut in an old encoding.
hostile=$'\033]0;x\007'
cp "$H/sleeper" "$T/$hostile"
cp "$H/sleeper" "$T/"$'a b\xe4'
cat >"$T/load.sh" <<'LOAD'
"$H/spinner" 4 3 & a=$!
"$T/$hostile" 3 500 & b=$!
"$T/"$'a b\xe4' 3 500 & c=$!
wait $a $b $c
LOAD
hostile=$hostile "$TT" record -q --source $source -o "$T/s.tt" -- bash "$T/load.sh" >"$T/record.log" 2>&1 ||
	{ not_ok record "$(tail -n 1 "$T/record.log")"; finish; }
report_json "$T/s.tt" "$T/all.json" || { not_ok report "$(head -n 1 "$T/all.json.err")"; finish; }

"$TT" report "$T/s.tt" >"$T/all.txt" 2>"$T/all.err"
check_equal "findings come first, then steal, disk, runq" \
	"$(grep -oE '^(FINDINGS|STEAL|DISK|RUNQ)' "$T/all.txt" | uniq | tr '\n' ' ')" "FINDINGS STEAL DISK RUNQ "
check_true "at least one finding" "$(json "$T/all.json" '.findings | length') >= 1"
check_equal "JSON has a schema version" "$(json "$T/all.json" .timethief_json)" 1
check "no control bytes but newlines in the text" "raw bytes" eval '! grep -qP "[\x00-\x08\x0b-\x1f\x7f]" "$T/all.txt"'
check "no colour when not on a terminal" "escape sequences" eval '! grep -q $'"'\\033'"' "$T/all.txt"'
check_true "80 columns when not on a terminal" "$(awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }' "$T/all.txt") <= 80"
"$TT" report --top 1000 "$T/s.tt" >"$T/top.txt" 2>&1
check "the hostile name is there, escaped" "not in the text" grep -qF '\x1b]0;x\x07' "$T/top.txt"
check_equal "and in JSON" "$(json "$T/all.json" '[.sections.runq.tables.tasks[].comm | select(startswith("\\x1b]0;x"))] | length')" 1
check "the JSON is valid although names are hostile" "not valid" jq -e . "$T/all.json" >"$T/jq.out"

for section in steal disk runq; do
	report_json "$T/s.tt" "$T/$section.json" --section $section || { not_ok "--section $section" "$(head -n 1 "$T/$section.json.err")"; continue; }
	check_equal "--section $section holds that alone" "$(json "$T/$section.json" '.sections | keys | join(" ")')" $section
	check_equal "--section $section says the same" "$(jq -S ".sections.$section" "$T/$section.json" | sha256sum)" \
		"$(jq -S ".sections.$section" "$T/all.json" | sha256sum)"
done
# Each wait is in the matrix of occupants, and in that of preempters or of wakers.
report_json "$T/s.tt" "$T/chord.json" --section chord --top 100000 || not_ok "--section chord" "$(head -n 1 "$T/chord.json.err")"
check_equal "all sections are those without the matrix" "$(json "$T/all.json" '.sections | has("chord")')" false
if [ $source = bpf ]; then
	sum() { json "$T/chord.json" "[.sections.chord.tables.$1[]?.wait_ns] | add // 0"; }
	waited=$(json "$T/all.json" '.sections.runq.tables.cpus[] | select(.cpu == "all") | .wait_sum_ns - .shed_wait_ns')
	check_equal "--section chord: occupants had the CPU for all the time waited" "$(sum occupants)" "$waited"
	check_equal "--section chord: preempters and wakers began all of it" "$(calc "$(sum preempters) + $(sum wakers)")" "$waited"
	check_equal "--section chord --by cgroup has the same sum" "$("$TT" report --json --section chord --by cgroup --top 100000 "$T/s.tt" |
		jq '[.sections.chord.tables.occupants[].wait_ns] | add')" "$waited"
	check_equal "the spinners wait for each other" "$(json "$T/chord.json" \
		'[.sections.chord.tables.preempters[] | select((.from | startswith("spinner")) and (.to | startswith("spinner")))] | length > 0')" true
fi
for by in cpu task cgroup device; do
	"$TT" report --by $by "$T/s.tt" >"$T/by.txt" 2>"$T/by.err"
	check_equal "--by $by" "$? $(head -n 1 "$T/by.err")" "0 "
done
# What cannot be shown that way says so.
"$TT" report --by device "$T/s.tt" >"$T/by.txt"
check "--by device: the run queue says that it has none" "no note" grep -q -- '--by device: ' "$T/by.txt"
# A cgroup can be named as the report prints it.
report_json "$T/s.tt" "$T/cgroups.json" --by cgroup
cgroup=$(json "$T/cgroups.json" '[.sections.runq.tables.waiters[] | .cgroup_path | select(. != null)] | first')
if [ "$cgroup" = null ]; then
	skip "--cgroup takes what cgroup_path says" "no waiter has a cgroup here"
else
	"$TT" report --cgroup "$cgroup" "$T/s.tt" >"$T/cgroup.txt" 2>"$T/cgroup.err"
	check_equal "--cgroup takes what cgroup_path says" "$? $(head -n 1 "$T/cgroup.err")" "0 "
fi
"$TT" report --classic --section disk "$T/s.tt" >"$T/classic.txt" 2>&1
check_equal "--classic" $? 0
# Tables are split, never cut: every number of a wide page is on a narrow one. The file's path is wider.
long=$T/a-directory-whose-name-is-wider-than-the-page
mkdir "$long" && ln "$T/s.tt" "$long/s.tt"
numbers() { grep -oE '[0-9][0-9.,]*([num]s|s|%|[kMG]?B)?' "$1" | sort -u; }
COLUMNS=400 "$TT" report "$long/s.tt" >"$T/wide.txt" 2>&1
COLUMNS=50 "$TT" report "$long/s.tt" >"$T/narrow.txt" 2>&1
check_equal "a narrow page loses no number" "$(comm -23 <(numbers "$T/wide.txt") <(numbers "$T/narrow.txt") | tr '\n' ' ')" ""
check_true "and stays narrow" "$(awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }' "$T/narrow.txt") <= 50"

# The halves of a session add up to the whole.
if [ $source = bpf ]; then
	report_json "$T/s.tt" "$T/first.json" --to 1.5s && report_json "$T/s.tt" "$T/second.json" --from 1.5s ||
		not_ok "--from and --to" "$(cat "$T"/first.json.err "$T"/second.json.err)"
	waits() { json "$1" '.sections.runq.tables.cpus[] | select(.cpu == "all") | .waits'; }
	check_equal "waits before and after 1.5 s together are all waits" \
		"$(calc "$(waits "$T/first.json") + $(waits "$T/second.json")")" "$(waits "$T/all.json")"
	stolen() { json "$1" '.sections.steal.tables.cpus[] | select(.cpu == "all") | .stolen_ns'; }
	if [ "$(json "$T/all.json" .host.steal_reported)" = true ]; then
		check_equal "steal before and after 1.5 s together is all steal" \
			"$(calc "$(stolen "$T/first.json") + $(stolen "$T/second.json")")" "$(stolen "$T/all.json")"
	else
		skip "steal before and after 1.5 s together is all steal" "this machine reports no steal"
	fi
fi

# Colour on a terminal, none with NO_COLOR.
if has_terminal; then
	script -qec "$TT report $T/s.tt" /dev/null </dev/null >"$T/tty.txt" 2>&1
	check "colour on a terminal" "no escape sequence" grep -q $'\033\\[' "$T/tty.txt"
	NO_COLOR=1 script -qec "$TT report $T/s.tt" /dev/null </dev/null >"$T/tty.txt" 2>&1
	check "none with NO_COLOR" "escape sequences" eval '! grep -q $'"'\\033'"' "$T/tty.txt"'
else
	skip "colour on a terminal" "no script(1) or no pseudo-terminals"
fi
timeout 20 "$TT" report "$T/s.tt" 2>"$T/pipe.err" | head -n 1 >/dev/null
status=${PIPESTATUS[0]}
check_true "report | head ends quietly" "($status == 0 || $status == 141) && $(wc -c <"$T/pipe.err") == 0"
finish
