#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# steal: injected at known rates and in known patterns, read by every rung that Debian's kernels allow. Where account_steal_time is
# really called, what fentry and kprobe add up is the kernel's own sum to the nanosecond; where it is not, that is told and the
# next rung is used.
# timeout: 780
. "$(dirname "$0")/test.sh"
need_built
need jq
vm_options=(--timeout 250)

# Report of one phase: $T/phase.json, and of its victims $T/victims.json. Sets injected0 accounted0 injected1 accounted1.
read_phase() { # NAME NUMBER
	local begin end start from to

	read -r begin end injected0 accounted0 injected1 accounted1 < <(sed -n "$2p" "$job/$1.phases") || return 1
	start=$(json "$T/$1.json" .session.start_ts_ns)
	from=$(awk -v s="$start" -v t="$begin" 'BEGIN { printf "%.3f", t - s / 1e9 }')
	to=$(awk -v s="$start" -v t="$end" 'BEGIN { printf "%.3f", t - s / 1e9 }')
	report_json "$job/$1.tt" "$T/phase.json" --section steal --from "$from" --to "$to" &&
		report_json "$job/$1.tt" "$T/victims.json" --section steal --by task --from "$from" --to "$to"
}
read_whole() { # NAME
	if [ "$(cat "$job/$1.status" 2>/dev/null)" = 0 ] && report_json "$job/$1.tt" "$T/$1.json"; then return; fi
	not_ok "$kernel: $1" "$(tail -n 2 "$job/$1.log" "$T/$1.json.err" 2>/dev/null)"
	return 1
}
cpu_value() { json "$T/phase.json" ".sections.steal.tables.cpus[] | select(.cpu == \"$1\") | .$2"; }
victim_ns() { json "$T/victims.json" "[.sections.steal.tables.victims[] | select(.victim | startswith(\"$1 \")) | .stolen_ns] | add // 0"; }
finding() { json "$1" "[.findings[] | select(.code == \"$2\") | .text] | join(\" \")"; } # REPORT CODE
rung() { json "$1" '.source.probes[] | select(.probe == "steal") | .rung'; }
verified() { json "$1" '.verified[] | select(.probe == "steal") | .ok'; }

# The three pairs of rates. Injected steal begins and ends in the phase and the kernel has accounted all of it, so sums are exact
# where the rung reads what it accounted; 2 % is what is promised.
check_rates() { # NAME RUNG
	local phase what

	read_whole "$1" || return
	check_equal "$kernel: $1: the rung" "$(rung "$T/$1.json")" "$2"
	check_equal "$kernel: $1: verified against /proc/stat" "$(verified "$T/$1.json")" true
	for phase in 1 2 3; do
		read_phase "$1" $phase || { not_ok "$kernel: $1: phase $phase" "no report"; continue; }
		what="$kernel: $1: $(sed -n "${phase}p" <<<$'5 and 60 %\n20 and 5 %\n60 and 20 %')"
		check_near "$what: cpu0, ns of what was injected" "$(cpu_value cpu0 stolen_ns)" "$injected0" 0 0.02
		check_near "$what: cpu1" "$(cpu_value cpu1 stolen_ns)" "$injected1" 0 0.02
		check_near "$what: all" "$(cpu_value all stolen_ns)" $((injected0 + injected1)) 0 0.02
		# the pinned tasks take all of their CPU, but for the load script and what the kernel does there
		check_near "$what: task on cpu0" "$(victim_ns victim0)" "$injected0" 0 0.1
		check_near "$what: task on cpu1" "$(victim_ns victim1)" "$injected1" 0 0.1
	done
}

check_exact() { # NAME: every phase is the kernel's own sum to the ns
	local phase off=0

	[ -s "$T/$1.json" ] || return
	for phase in 1 2 3; do
		read_phase "$1" $phase || { not_ok "$kernel: $1: phase $phase" "no report"; return; }
		[ "$(cpu_value cpu0 stolen_ns)" = "$accounted0" ] && [ "$(cpu_value cpu1 stolen_ns)" = "$accounted1" ] && continue
		off=$((off + 1))
		echo "$1 phase $phase: cpu0 $(cpu_value cpu0 stolen_ns) of $accounted0, cpu1 $(cpu_value cpu1 stolen_ns) of $accounted1" >&2
	done
	check_equal "$kernel: $1: what the kernel has accounted, to the ns, in every phase" "$off" 0
}

check_patterns() {
	read_whole patterns || return
	read_phase patterns 1
	check_near "$kernel: quota: gaps of 20 ms" "$(cpu_value cpu0 gap_p50_ns)" 20000000 0 0.03
	check_equal "$kernel: quota: their number" "$(cpu_value cpu0 gaps)" "$((injected0 / 20000000))"
	check "$kernel: quota: named" "$(finding "$T/phase.json" steal)" \
		grep -q '20.0ms every 100ms' <<<"$(finding "$T/phase.json" steal-quota)"
	read_phase patterns 2
	check_equal "$kernel: one long gap: its length" "$(cpu_value cpu1 gap_max_ns)" 300000000
	check_equal "$kernel: one long gap: alone" "$(cpu_value cpu1 gaps)" 1
	# 2.5 to 7.5 ms each; a tick that comes late finds two together
	check_true "$kernel: random gaps: p50 between 2.5 and 7.5 ms" \
		"$(cpu_value cpu0 gap_p50_ns) >= 2.5e6 && $(cpu_value cpu0 gap_p50_ns) <= 7.7e6"
	check_equal "$kernel: random gaps: all of them" "$(cpu_value cpu0 stolen_ns)" "$injected0"
	check_equal "$kernel: random gaps: no quota" "$(finding "$T/phase.json" steal-quota)" ""
}

check_jumps() {
	local text

	read_whole jumps || return
	text=$(finding "$T/jumps.json" steal-jump)
	check "$kernel: jumps: an hour forward and half a second back are named" "$text" grep -q 'jumped 2 times' <<<"$text"
	check_equal "$kernel: jumps: counted as loss" "$(json "$T/jumps.json" .loss.steal_jumps)" 2
	check_equal "$kernel: jumps: /proc/stat jumped too, so nothing is verified" "$(verified "$T/jumps.json")" null
	read_phase jumps 1
	check_near "$kernel: jumps: the other CPU's sum is right" "$(cpu_value cpu0 stolen_ns)" "$injected0" 0 0.02
	check_true "$kernel: jumps: an hour is not believed" "$(cpu_value cpu1 stolen_ns) < $(cpu_value cpu1 recorded_ns)"
	read_phase jumps 2
	check_near "$kernel: jumps: going back takes nothing away" "$(cpu_value cpu0 stolen_ns)" "$injected0" 0 0.02
	check_equal "$kernel: jumps: nor adds" "$(cpu_value cpu1 stolen_ns)" 0
}

check_silent() {
	local hook text

	for hook in fentry kprobe; do
		read_whole silent.$hook || continue
		check_equal "$kernel: account_steal_time by $hook attaches" "$(rung "$T/silent.$hook.json")" $hook
		text=$(json "$T/silent.$hook.json" '.verified[] | select(.probe == "steal") | .text')
		check "$kernel: and stays silent, which is said" "$text" grep -q 'attached but silent' <<<"$text"
		check_equal "$kernel: doctor says the same" "$(json "$job/doctor.json" ".probes.steal[] | select(.hook == \"$hook\") | .verdict")" silent
	done
	read_whole ladder || return
	check "$kernel: the next rung takes over while recording" "$(cat "$job/ladder.log")" grep -q 'tick takes over' "$job/ladder.log"
	check_equal "$kernel: the report names the one that works" "$(rung "$T/ladder.json")" tick
	check_equal "$kernel: it is verified from there on" "$(verified "$T/ladder.json")" true
	text=$(finding "$T/ladder.json" steal-hook)
	check "$kernel: what was missed until then is told" "$text" grep -q 'are in no row' <<<"$text"
	check_equal "$kernel: doctor would take tick" \
		"$(json "$job/doctor.json" '[.probes.steal[] | select(.verdict == "chosen") | .hook] | join(" ")')" tick
}

# By SystemTap: where the function is really called, what its probe adds up; where it is silent, what the tick has accounted.
check_stap() {
	local text

	build_stap $kernel || return
	if in_guest $kernel steal plain "$stap_module"; then
		check_rates stap-plain tick
		check_exact stap-plain
		if read_whole stap-silent; then
			text=$(json "$T/stap-silent.json" '.verified[] | select(.probe == "steal") | .text')
			check "$kernel: SystemTap on account_steal_time alone is silent, which is said" "$text" grep -q 'attached but silent' <<<"$text"
		fi
	fi
	if in_guest $kernel steal via "$stap_module"; then
		check_rates stap-via account_steal_time
		check_exact stap-via
	fi
}

for kernel in 6.1 6.12; do
	build_injector $kernel || continue
	if in_guest $kernel steal plain; then
		check_rates auto tick
		check_exact auto
		check_rates tick-cpustat tick-cpustat
		check_exact tick-cpustat
		check_patterns
		check_jumps
		check_silent
	fi
	if in_guest $kernel steal via; then
		for hook in fentry kprobe; do
			check_rates $hook $hook
			check_exact $hook
		done
	fi
	[ $kernel != 6.1 ] || check_stap
done
finish
