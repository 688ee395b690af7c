#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# script and export: text that every reader takes, whatever the names; sums that are the report's; the same from a file and a pipe; damage,
# closed pipes and files that are in the way.
# timeout: 300
. "$(dirname "$0")/lib.sh"
need_built
need jq perl
cd "$T" || exit 1
golden=$root/tests/golden/export
made=$T/made.tt
"$H/made_session" "$made" || { not_ok "the made session" "made_session failed"; finish; }

run() { "$TT" "$@" 2>"$T/err"; }
sum_weights() { sed -n 's/^.*: *\([0-9][0-9]*\) timethief-[a-z]*: $/\1/p' | awk '{ s += $1 } END { printf "%.0f\n", s }'; }
sum_folded() { awk '{ s += $NF } END { printf "%.0f\n", s }'; }

# --- one session, whichever way it comes ---

for event in sched steal runq disk cpu; do
	run script -e $event "$made" >$event.txt
	check_equal "script -e $event" "$?" 0
	check "script -e $event: as in the golden file" "differs" cmp -s $event.txt "$golden/script-$event.txt"
done
run script "$made" >default.txt
check "without -e it is every switch" "differs" cmp -s default.txt sched.txt
run script -e runq --wakers "$made" >wakers.txt
check "--wakers" "differs" cmp -s wakers.txt "$golden/script-runq-wakers.txt"
run script --stacks "$made" >stacks.txt
check "--stacks" "differs" cmp -s stacks.txt "$golden/script-sched-stacks.txt"
for format in folded.txt sunburst.json d3js_trace.js; do
	run export -f ${format%.*} -o "out.$format" "$made"
	check_equal "export -f ${format%.*}" "$?" 0
	check "export -f ${format%.*}: as in the golden file" "differs" cmp -s "out.$format" "$golden/export-$format"
	check "export -f ${format%.*}: from a pipe, to a pipe" "differs" cmp -s <(run export -f ${format%.*} - <"$made") "out.$format"
done
check "loss is told" "$(cat err)" grep -q "3 switches shed" err
# jq goes 256 levels deep, and the steal of this session has stacks of 127 frames
check "JSON is valid" "not valid" eval '"$TT" export -q -f sunburst -e runq "$made" 2>err | jq -e . >jq.out'
check "JavaScript is JSON behind its variable" "not valid" eval \
	'"$TT" export -q -f d3js_trace -e runq "$made" 2>err | sed "1s/^var trace_json = //" | jq -e . >jq.out'

mkdir spool
check "a pipe is read twice" "differs" cmp -s <(cat "$made" | TMPDIR=$T/spool run script -e steal -) steal.txt
check "and leaves nothing behind" "files in TMPDIR" eval '[ -z "$(ls -A spool)" ]'
TMPDIR=$T/nowhere "$TT" script -e steal - <"$made" >/dev/null 2>err
check_equal "a file as standard input needs no copy" "$?" 0
cat "$made" | TMPDIR=$T/nowhere "$TT" script -e steal - >/dev/null 2>err
check_equal "no room for the copy: a failure" "$? $(wc -l <err)" "1 1"

# --- readers ---

for event in steal runq disk cpu wakers; do
	check "-e $event: every reader reads the same" "$(perl "$here/readers.pl" check $event.txt | head -n 4)" perl "$here/readers.pl" check $event.txt >reader.out
done
for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do
	"$H/made_session" random.tt $seed
	for event in steal runq disk cpu; do
		"$TT" script -q -e $event random.tt >random.txt 2>err
		perl "$here/readers.pl" check random.txt >reader.out || { not_ok "random session $seed, -e $event" "$(head -n 3 reader.out)"; cp random.txt "$B/tests/logs/script-$seed-$event.txt"; }
	done
done
ok "12 random sessions, every cause: every reader reads the same"
for event in steal runq disk; do
	check "-e $event: folded is what stackcollapse-perf.pl makes of the text" "differs" \
		diff <(perl "$here/readers.pl" fold $event.txt) <("$TT" export -q -f folded -e $event "$made" 2>/dev/null | LC_ALL=C sort) >diff.out
done
check "-e cpu: the same, but idle is swapper in the text" "differs" \
	diff <(perl "$here/readers.pl" fold cpu.txt | sed 's/^swapper;/idle;/' | LC_ALL=C sort) <("$TT" export -q -f folded -e cpu "$made" 2>/dev/null | LC_ALL=C sort) >diff.out
check_equal "without -e, all causes" "$(sum_folded <out.folded.txt)" "$(cat steal.txt runq.txt disk.txt cpu.txt | sum_weights)"
check_equal "-e is repeatable" "$("$TT" export -q -f folded -e steal -e runq "$made" 2>/dev/null | sum_folded)" "$(cat steal.txt runq.txt | sum_weights)"

# --- weights ---

run script -e runq --repeat-weight=10us "$made" >repeated.txt
nr=$(grep -c timethief-runq repeated.txt)
check_near "--repeat-weight: as many records as there are units" "$((nr * 10000))" "$(sum_weights <runq.txt)" 5000 0
check "and says how many" "$(cat err)" grep -q "$nr records of 10.0us" err
check "and is still what readers read" "$(perl "$here/readers.pl" check repeated.txt | head -n 3)" perl "$here/readers.pl" check repeated.txt >reader.out
for cut in "--to 2ms" "--from 2ms"; do
	for event in steal runq disk; do
		# shellcheck disable=SC2086
		"$TT" script -q -e $event $cut "$made" 2>/dev/null
	done
done >halves.txt
# what is known of a stretch only is split by time, to whole ns
check_near "before and after 2 ms together are all" "$(sum_weights <halves.txt)" "$(cat steal.txt runq.txt disk.txt | sum_weights)" 4 0
check_equal "--device" "$("$TT" script -q -e disk --device dm-0 "$made" 2>/dev/null | sum_weights)" 140000
check_equal "-p" "$("$TT" script -q -e runq -p 102 "$made" 2>/dev/null | sum_weights)" 5000
check_equal "--cpu" "$("$TT" script -q -e steal --cpu 1 "$made" 2>/dev/null | sum_weights)" 30500
check_equal "-p of switches: who comes or leaves" "$("$TT" script -q -p 102 "$made" 2>/dev/null | grep -c sched_switch)" 2

# --- files and pipes ---

echo old >there
run export -f folded -o there "$made"
check "an existing file becomes .old" "it did not" eval '[ "$(cat there.old)" = old ] && cmp -s there out.folded.txt'
echo keep >kept
run export -f folded -o kept missing.tt
check_equal "no session: what is there stays" "$? $(cat kept) $(ls kept*)" "1 keep kept"
run export -f folded -o kept -p 4194304 "$made"
check_equal "nothing of what was asked for: what is there stays" "$? $(cat kept) $(ls kept*)" "1 keep kept"
ln -s kept link
run export -f folded -o link "$made"
check_equal "a symbolic link is not followed" "$? $(cat kept)" "1 keep"
cp "$made" same.tt
run export -f folded -o same.tt same.tt
check "onto the session itself: it is kept as .old" "it is not" eval 'cmp -s same.tt out.folded.txt && cmp -s same.tt.old "$made"'
"$H/made_session" many.tt switches 200000
for command in "script" "script -e runq" "export -f folded"; do
	# shellcheck disable=SC2086
	timeout 20 "$TT" $command many.tt 2>pipe.err | head -n 1 >/dev/null
	check_equal "$command | head ends quietly" "${PIPESTATUS[0]} $(wc -c <pipe.err)" "0 0"
done
if [ -c /dev/full ]; then
	for command in "script $made" "script -e steal $made" "export -f sunburst $made" "script many.tt" "script -e runq many.tt"; do
		# shellcheck disable=SC2086
		"$TT" $command >/dev/full 2>err
		check_equal "${command/$T?/} into a full device" "$? $(wc -l <err) $(grep -c 'cannot write' err)" "1 1 1"
	done
fi
"$TT" record -q --source procfs -d 300ms -o counters.tt 2>err
run script counters.tt >out
check_equal "a session of counters has no events" "$? $(wc -c <out) $(wc -l <err)" "1 0 1"

# --- damage, under the sanitizers ---

check_damage "$made" 0x7117e0 40 "script -e runq --wakers" "export -f d3js_trace" "script --stacks" "script -e cpu --repeat-weight=1us"

# --- of this machine ---

reason=$(why_no_bpf)
if [ -n "$reason" ]; then
	skip "a recording of this machine" "$reason"
	finish
fi
perf=
command -v perf >/dev/null && perf record -q -B -k mono -e sched:sched_switch -a -o try.data -- true >/dev/null 2>&1 && perf=1
if [ -n "$perf" ]; then
	begin perf record -q -B -k mono -e sched:sched_switch -a -o perf.data -- sleep 2.5
	perf_pid=$last_pid
fi
"$TT" record -q --stacks -o real.tt -- "$H/sleeper" 3 300 >record.log 2>&1 || not_ok "record" "$(tail -n 1 record.log)"
report_json real.tt all.json || { not_ok report "$(head -n 1 all.json.err)"; finish; }
row() { json all.json ".sections.$1.tables.$2[] | select(.$3 == \"all\") | .$4"; }
run script -e runq real.tt >runq.txt
check_equal "waits: the report's sum" "$(sum_weights <runq.txt)" "$(row runq cpus cpu wait_sum_ns)"
run script real.tt >sched.txt
check_equal "switches: as many as the report has" "$(wc -l <sched.txt)" "$(row runq cpus cpu recorded_switches)"
run script -e steal real.tt >steal.txt
run script -e cpu real.tt >cpu.txt
if [ "$(json all.json .host.steal_reported)" = true ]; then
	check_equal "steal: the report's sum" "$(sum_weights <steal.txt)" "$(row steal cpus cpu stolen_ns)"
	check_equal "CPU time: recorded less stolen" "$(sum_weights <cpu.txt)" \
		"$(calc "$(row steal cpus cpu recorded_ns) - $(row steal cpus cpu stolen_ns)")"
else
	skip "steal of this machine" "its kernel reports none"
fi
check_equal "CPU time: what samples stand for" "$(grep -v '^\[not_sampled\]' cpu.txt | sum_weights)" \
	"$(json all.json '.sections.cpu.tables.cpus[] | select(.cpu == "all") | .user_ns + .kernel_ns + .idle_ns')"
check_equal "all of it in folded" "$("$TT" export -q -f folded -e runq -e steal -e cpu real.tt 2>/dev/null | sum_folded)" \
	"$(cat runq.txt steal.txt cpu.txt | sum_weights)"
for event in runq steal cpu; do
	perl "$here/readers.pl" check $event.txt >reader.out 2>&1
	check_equal "this machine's $event: every reader reads the same" "$? $(head -n 4 reader.out | cut -c 1-200)" "0 $(head -n 4 reader.out | cut -c 1-200)"
done

# Line by line as perf script prints the same switches, away from both ends. The name at the head of perf's line is of /proc,
# which says more of kworkers: left out.
if [ -n "$perf" ]; then
	ended_within 20 "$perf_pid"
	wait "$perf_pid"
	perf script -i perf.data 2>/dev/null >perf.txt
fi
if [ -n "$perf" ] && [ -s perf.txt ]; then
	# Without the time, of one CPU at a time, between two times.
	middle() { # FILE CPU FROM TO
		awk -v cpu="[$2]" -v from="$3" -v to="$4" '{ for (i = 2; i < NF; i++) if ($i == cpu && $(i - 1) ~ /^[0-9]+$/) { t = $(i + 1) + 0; break } }
			i < NF && t > from && t < to { sub(/ +[0-9]+\.[0-9]+: /, " ")
				print substr($0, match($0, /[0-9]+ \[[0-9]+\] sched:/)) }' "$1"
	}
	times() { awk '{ for (i = 2; i < NF; i++) if ($i ~ /^[0-9]+\.[0-9]+:$/) { print $i + 0; break } }' "$1"; }
	from_s=$( (times sched.txt | head -n 1; times perf.txt | head -n 1) | sort -n | tail -n 1)
	to_s=$( (times sched.txt | tail -n 1; times perf.txt | tail -n 1) | sort -n | head -n 1)
	for cpu in 000 001; do
		middle sched.txt $cpu "$(calc "$from_s + 0.2")" "$(calc "$to_s - 0.2")" >ours
		middle perf.txt $cpu "$(calc "$from_s + 0.2")" "$(calc "$to_s - 0.2")" >theirs
		nr=$(wc -l <theirs)
		same=$(diff --unchanged-line-format='=%L' --old-line-format='' --new-line-format='' ours theirs | grep -c '^=')
		check_true "CPU $cpu: $same of $nr lines are perf script's" "$nr > 0 && $same >= 0.98 * $nr - 4"
	done
else
	skip "the lines of perf script" "perf did not record sched:sched_switch here"
fi
finish
