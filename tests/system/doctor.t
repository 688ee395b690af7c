#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# doctor: says what this kernel allows, and what it says is what record then does.
. "$(dirname "$0")/lib.sh"
need_built
need jq
"$TT" doctor >"$T/doctor.txt" 2>"$T/doctor.err"
status=$?
"$TT" doctor --json >"$T/doctor.json" 2>"$T/doctor.err"
check_equal "text and JSON agree about the exit status" $? $status
check_equal "doctor --json is one object" "$(jq -s length "$T/doctor.json" 2>&1)" 1
check "it names the kernel" "no $(uname -r)" grep -qF "$(uname -r)" "$T/doctor.txt"
check "it names the hypervisor" "none of the names" grep -qE 'KVM|Xen|VMware|Hyper-V|none|no hypervisor|unknown' "$T/doctor.txt"
check "it says whether steal is reported" "no word about steal" grep -qi 'steal' "$T/doctor.txt"
check_true "it fits into 80 columns" "$(awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }' "$T/doctor.txt") <= 80"
hooks='.probes | to_entries[] | .key as $probe | .value[] | . + {$probe}'
check_equal "every hook has a verdict" \
	"$(json "$T/doctor.json" "[$hooks | .verdict | select(IN(\"chosen\", \"works\", \"refused\", \"absent\", \"silent\", \"untested\") | not)] | length")" 0
# The cpu probe has one, and none without BPF.
check_true "it lists several hooks of every probe" \
	"$(json "$T/doctor.json" "[.probes | del(.cpu)[] | length] | min") >= $([ -z "$(why_no_bpf)" ] && echo 3 || echo 1)"
check_equal "every refusal has a reason or an errno, and an advice" \
	"$(json "$T/doctor.json" "[$hooks | select(.verdict == \"refused\" and (((.reason // \"\") == \"\" and .errno == null) or (.advice // \"\") == \"\"))] | length")" 0

if [ -n "$(why_no_bpf)" ]; then
	skip "the chosen rungs are those that record uses" "$(why_no_bpf)"
	check_equal "a recording through procfs is possible" $status 0
	finish
fi
check_equal "a recording is possible" $status 0
"$TT" record -q --rate 99 -d 300ms -o "$T/s.tt" >"$T/record.log" 2>&1 && report_json "$T/s.tt" "$T/report.json" ||
	{ not_ok record "$(tail -n 1 "$T/record.log")"; finish; }
for probe in steal disk runq cpu; do
	check_equal "$probe: the chosen rung is the one that record uses" \
		"$(json "$T/report.json" ".source.probes[] | select(.probe == \"$probe\") | .rung")" \
		"$(json "$T/doctor.json" "[.probes.${probe}[] | select(.verdict == \"chosen\") | .hook] | first")"
done

# A rung that works can be forced, and then is the one recorded; one that is refused fails with one line.
while read -r probe rung verdict; do
	"$TT" record -q --source bpf --rate 99 --hook "$probe=$rung" -d 200ms -o "$T/forced.tt" >"$T/forced.log" 2>&1
	status=$?
	case $verdict in
	chosen | works)
		report_json "$T/forced.tt" "$T/forced.json"
		check_equal "--hook $probe=$rung" "$status $(json "$T/forced.json" ".source.probes[] | select(.probe == \"$probe\") | .rung")" "0 $rung"
		;;
	refused | absent)
		check_equal "--hook $probe=$rung is refused in one line" "$status $(wc -l <"$T/forced.log")" "1 1"
		;;
	esac
done < <(json "$T/doctor.json" "$hooks | select((.hook | startswith(\"/proc\") | not) and .hook != \"stap\") | \"\\(.probe) \\(.hook) \\(.verdict)\"")

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	bin=$(mktemp -d /tmp/timethief-test.XXXXXX)
	at_exit "rm -rf $bin"
	install -m 755 "$TT" "$bin/timethief"
	chmod 755 "$bin"
	(cd / && setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$bin/timethief" doctor) >"$T/nobody.txt" 2>&1
	check_equal "doctor as nobody: a recording through procfs is possible" $? 0
	check "doctor as nobody names the missing capability" "no CAP_" grep -q 'CAP_' "$T/nobody.txt"
fi
finish
