#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# baduse: every way to use the tool wrongly gives one clear line on stderr, nothing on stdout, and exit 2 for wrong use or 1
# for failure. Two recorders at once work; on one file the second refuses.
. "$(dirname "$0")/lib.sh"
need_built
cd "$T" || exit 1
source=procfs # works everywhere; the command line is the same

# Name, wanted status, a word that the line must hold, and the arguments.
refuses() { # NAME STATUS WORD ARGUMENTS...
	local name=$1 wanted=$2 word=$3 status lines

	shift 3
	timeout -k 5 20 "$TT" "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	lines=$(wc -l <"$T/err")
	if [ "$status" != "$wanted" ]; then
		not_ok "$name" "exit $status instead of $wanted: $(head -n 2 "$T/err")"
	elif [ "$lines" != 1 ]; then
		not_ok "$name" "$lines lines on stderr: $(head -n 3 "$T/err")"
	elif [ -s "$T/out" ]; then
		not_ok "$name" "talk on stdout: $(head -n 1 "$T/out")"
	elif ! grep -qiF -- "$word" "$T/err"; then
		not_ok "$name" "the line does not name '$word': $(cat "$T/err")"
	else
		ok "$name"
	fi
}

"$TT" record -q --source $source -d 300ms -o good.tt >record.log 2>&1 || not_ok "a good session" "$(tail -n 1 record.log)"

"$H/made_session" made.tt || not_ok "a made session" "made_session failed"

refuses "unknown subcommand" 2 recrod recrod
refuses "unknown option" 2 nonsense record --nonsense
refuses "unknown short option" 2 Z report -Z
refuses "unknown probe" 2 stael record --probe stael -d 1
refuses "unknown source" 2 bfp record --source bfp -d 1
refuses "hook without a probe" 2 clock record --hook clock -d 1
refuses "hook of an unknown probe" 2 nonsense record --hook nonsense=clock -d 1
if [ -z "$(why_no_bpf)" ]; then
	refuses "unknown hook" 2 nonsense record --source bpf --hook steal=nonsense -d 1
	refuses "unknown hook in second place" 2 nonsense record --hook steal=tick --hook steal=nonsense -d 1
	refuses "unknown hook of a probe that is not recorded" 2 nonsense record --probe steal --hook disk=nonsense -d 1
else
	skip "unknown hook" "only the BPF source has hooks: $(why_no_bpf)"
fi
refuses "unknown section" 2 memory report --section memory good.tt
refuses "unknown section of live" 2 memory live memory 1 1
refuses "unknown --by" 2 planet report --by planet good.tt
refuses "unknown device, record" 1 nosuchdisk record --source $source --device nosuchdisk -d 1
refuses "unknown device, report" 1 nosuchdisk report --device nosuchdisk good.tt
refuses "unknown unit of a duration" 2 10parsecs record -d 10parsecs
refuses "unknown unit of a size" 2 10q record --max-size 10q -d 1
refuses "no number" 2 many record -d many
refuses "empty number" 2 -d record -d ""
refuses "negative duration" 2 -5 record -d -5
refuses "zero duration" 2 0 record -d 0
refuses "duration that overflows" 2 99999999999999999999s record -d 99999999999999999999s
refuses "duration that overflows in ns" 2 9223372036855s record -d 9223372036855s
refuses "negative size" 2 -1 record --max-size -1 -d 1
refuses "size that overflows" 2 99999999999g record --max-size 99999999999g -d 1
refuses "ring of no size" 2 ring record --ring-size 0 -d 1
refuses "pid that is no number" 2 abc record -p abc -d 1
refuses "negative pid" 2 -7 record -p -7 -d 1
refuses "pid that overflows" 2 99999999999 record -p 99999999999 -d 1
refuses "pid that does not exist" 1 4194304 record --source $source -p 4194304 -d 1
refuses "CPU list that is none" 2 1-x record --cpu 1-x -d 1
refuses "CPU list backwards" 2 3-1 record --cpu 3-1 -d 1
refuses "CPU that does not exist" 1 8000 record --source $source --cpu 8000 -d 1
refuses "unknown event" 2 stael script -e stael good.tt
refuses "unknown event of export" 2 sched export -f folded -e sched good.tt
refuses "unknown format" 2 foldde export -f foldde good.tt
refuses "no format" 2 format export good.tt
refuses "a weight of no duration" 2 often script -e steal --repeat-weight=often good.tt
refuses "a weight of 0" 2 repeat-weight script -e steal --repeat-weight=0 good.tt
refuses "weights of switches" 2 repeat-weight script --repeat-weight good.tt
refuses "wakers of steal" 2 wakers script -e steal --wakers good.tt
refuses "stacks of steal" 2 stacks script -e steal --stacks good.tt
refuses "two files to script" 2 other.tt script good.tt other.tt
refuses "two files to export" 2 other.tt export -f folded good.tt other.tt
refuses "script: from after to" 2 --to script --from 3 --to 1 good.tt
refuses "script of counters" 1 counters script good.tt
refuses "export of counters" 1 counters export -f folded good.tt
refuses "no such session to script" 1 missing.tt script missing.tt
refuses "no such session to export" 1 missing.tt export -f folded -o out missing.tt
refuses "export into a directory that does not exist" 1 nowhere export -f folded -o nowhere/out "$T/made.tt"
refuses "export with an empty file name" 2 -o export -f folded -o "" good.tt
refuses "process that is not in the session" 1 4194304 script -e runq -p 4194304 made.tt
refuses "device that is not in the session" 1 nosuchdisk script -e disk --device nosuchdisk made.tt
refuses "script beyond the end" 1 --from script --from 1000 made.tt
refuses "interval 0" 2 0 live 0
refuses "negative interval" 2 1 live -1
refuses "count that is no number" 2 often live 1 often
refuses "count 0" 2 0 live 1 0
refuses "too many arguments to live" 2 3 live 1 2 3
refuses "two files to report" 2 other.tt report good.tt other.tt
refuses "from after to" 2 --to report --from 3 --to 1 good.tt
refuses "from beyond the end" 1 --from report --from 1000 good.tt
refuses "option without its value" 2 "'o'" record -d 1 -o
refuses "no such session" 1 missing.tt report missing.tt
refuses "output in a directory that does not exist" 1 nowhere record --source $source -d 1 -o nowhere/s.tt
refuses "output that is a directory" 1 "$T" record --source $source -d 1 -o "$T"
refuses "command that does not exist" 1 nosuchcommand record --source $source -o c.tt -- nosuchcommand
if [ -e /proc/self/mounts ]; then
	refuses "output that cannot be written" 1 /proc/s.tt record --source $source -d 1 -o /proc/s.tt
fi

# Help and version are data, not errors.
for command in "" record report script export live doctor; do
	# shellcheck disable=SC2086
	"$TT" $command --help >"$T/out" 2>"$T/err"
	check_equal "$command --help: exit status" $? 0
	check_true "$command --help is on stdout alone" "$(wc -c <"$T/out") > 200 && $(wc -c <"$T/err") == 0"
done
"$TT" --version >"$T/out" 2>&1
check "--version" "$(head -n 1 "$T/out")" grep -qE 'timethief [0-9]+\.[0-9]+' "$T/out"
for later in diff stap-build; do
	"$TT" $later >/dev/null 2>"$T/err"
	check_equal "$later does not exist yet" $? 2
done

# Full standard output: a failure, not silence.
if [ -c /dev/full ]; then
	"$TT" report good.tt >/dev/full 2>"$T/err"
	check_equal "report into a full device: exit status" $? 1
	check_equal "report into a full device: one line" "$(wc -l <"$T/err")" 1
fi

recorders() { # two at once, with SOURCE
	local first second status

	begin "$TT" record -q --source "$1" -o "one.$1.tt" -d 30 2>first.log
	first=$last_pid
	wait_until 10 test -s "one.$1.tt" || { not_ok "$1: first recorder" "$(head -n 1 first.log)"; return; }
	refuses "$1: a second recorder on the same file" 1 "one.$1.tt" record -q --source "$1" -o "one.$1.tt" -d 1
	check "$1: the first one's file is still there" "renamed" test ! -e "one.$1.tt.old"
	begin "$TT" record -q --source "$1" -o "two.$1.tt" -d 1 2>second.log
	second=$last_pid
	ended_within 20 "$second"
	wait "$second"
	status=$?
	check_equal "$1: two recorders with different files: the second" "$status" 0
	kill -INT "$first"
	ended_within 20 "$first"
	wait "$first"
	status=$?
	check_equal "$1: two recorders with different files: the first" "$status" 0
	for file in "one.$1.tt" "two.$1.tt"; do
		"$TT" report "$file" >/dev/null 2>"$T/err"
		check_equal "$1: report of $file" "$? $(head -n 1 "$T/err")" "0 "
	done
}
recorders procfs
if [ -z "$(why_no_bpf)" ]; then recorders bpf; else skip "two recorders, bpf" "$(why_no_bpf)"; fi
finish
