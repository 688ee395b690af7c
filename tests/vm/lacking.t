#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lacking: under a hypervisor whose timer no tracepoint shows, a clock of each CPU sees the steal, to the nanosecond; and a kernel without
# BTF gets a clear answer.
# timeout: 300
# each: 6.1 6.12
. "$(dirname "$0")/test.sh"
need_built
need jq
kernel=$1

check_clock() {
	local phase cpu begin end start from to injected accounted

	[ "$(cat "$job/clock.status")" = 0 ] && report_json "$job/clock.tt" "$T/clock.json" || {
		not_ok "$kernel: record by a clock" "$(tail -n 2 "$job/clock.log")"
		return
	}
	check_equal "$kernel: the hypervisor" "$(json "$T/clock.json" .host.hypervisor)" Hyper-V
	check "$kernel: its timer interrupt is not looked for" "$(json "$T/clock.json" '.source.probes[0].detail')" \
		grep -q '; tick seen by a cpu-clock event$' <<<"$(json "$T/clock.json" '.source.probes[] | select(.probe == "steal") | .detail')"
	check_equal "$kernel: verified against /proc/stat" "$(json "$T/clock.json" '.verified[] | select(.probe == "steal") | .ok')" true
	start=$(json "$T/clock.json" .session.start_ts_ns)
	for phase in 1 2; do
		read -r begin end _ injected[0] accounted[0] _ _ injected[1] accounted[1] _ _ < <(sed -n "${phase}p" "$job/clock.phases")
		from=$(awk -v s="$start" -v t="$begin" 'BEGIN { printf "%.3f", t - s / 1e9 }')
		to=$(awk -v s="$start" -v t="$end" 'BEGIN { printf "%.3f", t - s / 1e9 }')
		report_json "$job/clock.tt" "$T/phase.json" --section steal --from "$from" --to "$to" || return
		for cpu in 0 1; do
			check_equal "$kernel: phase $phase: cpu$cpu: what was injected and what was accounted, ns" \
				"$(json "$T/phase.json" ".sections.steal.tables.cpus[] | select(.cpu == \"cpu$cpu\") | .stolen_ns") ${accounted[cpu]}" \
				"${injected[cpu]} ${injected[cpu]}"
		done
	done
	# a pinned task is never switched away from: what was stolen from it, the clock has seen
	check_true "$kernel: most of it was seen by the clock" \
		"$(json "$T/clock.json" '.sections.steal.tables.cpus[] | select(.cpu == "all") | if .seen_tick > .seen_switch then 1 else 0 end') == 1"
}

check_no_btf() {
	local reason

	check_equal "$kernel: without BTF: --source bpf fails" "$(cat "$job/bpf.status")" 1
	check "$kernel: in one line that names SystemTap and procfs" "$(cat "$job/bpf.log")" \
		eval "[ \$(wc -l <'$job/bpf.log') = 1 ] && grep -q 'no BTF.*SystemTap.*--source procfs' '$job/bpf.log'"
	check_equal "$kernel: auto records" "$(cat "$job/auto.status")" 0
	report_json "$job/auto.tt" "$T/report.json"
	check_equal "$kernel: through procfs" "$(json "$T/report.json" .source.name)" procfs
	reason=$(json "$T/report.json" .source.reason)
	check "$kernel: and the report says why, to the end" "$reason" grep -q 'no BTF.*stap: .*headers.*makes one elsewhere)$' <<<"$reason"
	check "$kernel: doctor names both ways on" "$(tr '\n' ' ' <"$job/doctor.txt")" \
		eval "tr -s ' \n' ' ' <'$job/doctor.txt' | grep -q 'Ways on: SystemTap, or /proc counters'"
	check_equal "$kernel: and says that a recording is possible" "$(cat "$job/doctor.status")" 0
}

build_injector $kernel || finish
vm_options=(--timeout 240 --cpu qemu64,tcg-cpuid=off --qemu "-smbios type=1,manufacturer=Microsoft,product=Virtual")
in_guest $kernel lacking || finish
check_clock
check_no_btf
finish
