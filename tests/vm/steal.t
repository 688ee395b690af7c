#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# steal: injected at known rates and in known patterns, read by every rung that Debian's kernels allow. Where account_steal_time is
# really called, what fentry and kprobe add up is the kernel's own sum to the nanosecond; where it is not, that is told and the
# next rung is used.
# timeout: 700
# each: 6.1 6.12
. "$(dirname "$0")/test.sh"
need_built
need jq
kernel=$1
vm_options=(--timeout 450)

# Report of one phase: $T/phase.json, and of its victims $T/victims.json. Sets on_ns and, of both CPUs, injectedN accountedN looksN
# ranN (steal-load).
read_phase() { # NAME LOAD NUMBER
	local begin end start from to

	read -r begin end on_ns injected0 accounted0 looks0 ran0 injected1 accounted1 looks1 ran1 < <(sed -n "$3p" "$job/$2.phases") || return 1
	start=$(json "$T/$1.json" .session.start_ts_ns)
	from=$(awk -v s="$start" -v t="$begin" 'BEGIN { printf "%.3f", t - s / 1e9 }')
	to=$(awk -v s="$start" -v t="$end" 'BEGIN { printf "%.3f", t - s / 1e9 }')
	report_json "$job/$1.tt" "$T/phase.json" --section steal --from "$from" --to "$to" &&
		report_json "$job/$1.tt" "$T/victims.json" --section steal --by task --from "$from" --to "$to"
}
read_whole() { # NAME
	if [ "$(cat "$job/$1.status" 2>/dev/null)" = 0 ] && report_json "$job/$1.tt" "$T/$1.json"; then return; fi
	not_ok "$kernel: $1" "$(tail -n 2 "$job/$1.log" "$T/$1.json.err" 2>/dev/null)"
	cat "$job/$1.log" >&2
	return 1
}
cpu_value() { json "${3:-$T/phase.json}" ".sections.steal.tables.cpus[] | select(.cpu == \"$1\") | .$2"; }
victim_ns() { json "$T/victims.json" "[.sections.steal.tables.victims[] | select(.victim | startswith(\"$1 \")) | .stolen_ns] | add // 0"; }
finding() { json "$1" "[.findings[] | select(.code == \"$2\") | .text] | join(\" \")"; } # REPORT CODE
rung() { json "$1" '.source.probes[] | select(.probe == "steal") | .rung'; }
verified() { json "$1" '.verified[] | select(.probe == "steal") | .ok'; }

# The three pairs of rates. Injected steal begins and ends in the phase and the kernel has accounted all of it, so sums are exact
# where the rung reads what it accounted; 2 % is what is promised.
check_rates() { # NAME LOAD RUNG
	local phase what cpu injected ran

	read_whole "$1" || return
	check_equal "$kernel: $1: the rung" "$(rung "$T/$1.json")" "$3"
	check_equal "$kernel: $1: verified against /proc/stat" "$(verified "$T/$1.json")" true
	for phase in 1 2 3; do
		read_phase "$1" "$2" $phase || { not_ok "$kernel: $1: phase $phase" "no report"; continue; }
		what="$kernel: $1: $(sed -n "${phase}p" <<<$'5 and 60 %\n20 and 5 %\n60 and 20 %')"
		check_near "$what: all, ns of what was injected" "$(cpu_value all stolen_ns)" $((injected0 + injected1)) 0 0.02
		for cpu in 0 1; do
			injected=injected$cpu ran=ran$cpu
			check_near "$what: cpu$cpu" "$(cpu_value cpu$cpu stolen_ns)" "${!injected}" 0 0.02
			# Whoever runs is hit: the task by its share of the CPU's time. Seen by ticks, of which there are hundreds.
			check_near "$what: task on cpu$cpu" "$(victim_ns victim$cpu)" "$(calc "${!injected} * ${!ran} / $on_ns")" 0 0.1
		done
	done
}

check_exact() { # NAME LOAD: every phase is the kernel's own sum to the ns
	local phase off=0

	[ -s "$T/$1.json" ] || return
	for phase in 1 2 3; do
		read_phase "$1" "$2" $phase || { not_ok "$kernel: $1: phase $phase" "no report"; return; }
		[ "$(cpu_value cpu0 stolen_ns)" = "$accounted0" ] && [ "$(cpu_value cpu1 stolen_ns)" = "$accounted1" ] && continue
		off=$((off + 1))
		echo "$1 phase $phase: cpu0 $(cpu_value cpu0 stolen_ns) of $accounted0, cpu1 $(cpu_value cpu1 stolen_ns) of $accounted1" >&2
	done
	check_equal "$kernel: $1: what the kernel has accounted, to the ns, in every phase" "$off" 0
}

# By the counters alone: ticks of 10 ms at either end.
check_counters() {
	local cpu

	read_whole procfs || return
	check_equal "$kernel: procfs: the rung" "$(rung "$T/procfs.json")" /proc/stat
	for cpu in 0 1; do
		check_near "$kernel: procfs: cpu$cpu, ns of what was injected" "$(cpu_value cpu$cpu stolen_ns "$T/procfs.json")" \
			"$(awk -v field=$((4 + 4 * cpu)) '{ sum += $field } END { printf "%.0f", sum }' "$job/plain.phases")" 20000000 0
	done
	check_equal "$kernel: procfs: no jump" "$(json "$T/procfs.json" .loss.steal_jumps)" 0
}

check_patterns() {
	read_whole patterns || return
	read_phase patterns patterns 1
	check_near "$kernel: quota: gaps of 20 ms" "$(cpu_value cpu0 gap_p50_ns)" 20000000 0 0.03
	# Of a busy machine, a tick that comes late finds two together: how many there were to be seen, the clock has counted.
	check_equal "$kernel: quota: all of them" "$(cpu_value cpu0 stolen_ns)" "$injected0"
	check_equal "$kernel: quota: as many as the kernel found" "$(cpu_value cpu0 gaps)" "$looks0"
	check_true "$kernel: quota: $looks0, of $((injected0 / 20000000)) injected" "$looks0 > 0.8 * $injected0 / 20e6"
	check "$kernel: quota: named" "$(finding "$T/phase.json" steal)" \
		grep -q '20.0ms every 100ms' <<<"$(finding "$T/phase.json" steal-quota)"
	read_phase patterns patterns 2
	check_equal "$kernel: one long gap: its length" "$(cpu_value cpu1 gap_max_ns)" 300000000
	check_equal "$kernel: one long gap: alone" "$(cpu_value cpu1 gaps)" 1
	# 2.5 to 7.5 ms each; a tick that comes late finds two together
	check_true "$kernel: random gaps: p50 between 2.5 and 7.5 ms" \
		"$(cpu_value cpu0 gap_p50_ns) >= 2.5e6 && $(cpu_value cpu0 gap_p50_ns) <= 7.7e6"
	check_equal "$kernel: random gaps: all of them" "$(cpu_value cpu0 stolen_ns)" "$injected0"
	check_equal "$kernel: random gaps: as many as the kernel found" "$(cpu_value cpu0 gaps)" "$looks0"
	check_equal "$kernel: random gaps: no quota" "$(finding "$T/phase.json" steal-quota)" ""
}

pulse_ns=3600000000000
check_jumps() {
	local text leap_ns since_ns

	read_whole jumps || return
	text=$(finding "$T/jumps.json" steal-jump)
	check "$kernel: jumps: an hour forward and half a second back are named" "$text" grep -q 'jumped 2 times' <<<"$text"
	check_equal "$kernel: jumps: counted as loss" "$(json "$T/jumps.json" .loss.steal_jumps)" 2
	check_equal "$kernel: jumps: /proc/stat jumped too, so nothing is verified" "$(verified "$T/jumps.json")" null
	read_phase jumps jumps 1
	check_near "$kernel: jumps: the other CPU's sum is right" "$(cpu_value cpu0 stolen_ns)" "$injected0" 0 0.02
	# The observation that found the hour, and how long the one before was ago
	read -r leap_ns since_ns < <("$H/events" "$job/jumps.tt" | awk '
		$1 == "loss" && $2 == 1 && $4 == 8 && !leap { leap = $3 }
		leap == $3 && $1 == "steal" && $2 == 1 { print $4, $3 - last; exit }
		($1 == "switch" || $1 == "steal") && $2 == 1 { last = $3 }')
	check_true "$kernel: jumps: an hour counts for what had passed since the last look ($leap_ns ns)" \
		"$leap_ns > 0 && $leap_ns <= $since_ns && $since_ns < 1e9"
	check_near "$kernel: jumps: and for nothing else" "$(cpu_value cpu1 stolen_ns)" \
		"$(calc "$injected1 - $pulse_ns + $leap_ns")" "$(calc "4e6 + 0.1 * $leap_ns")" 0.02
	read_phase jumps jumps 2
	check_near "$kernel: jumps: going back takes nothing away" "$(cpu_value cpu0 stolen_ns)" "$injected0" 0 0.02
	check_equal "$kernel: jumps: nor adds" "$(cpu_value cpu1 stolen_ns)" 0
	check_jumps_of_counters
}

# The same by the counters: what the other columns of /proc/stat leave of the time is the most that an hour can count for.
check_jumps_of_counters() {
	local text injected begin end left_ns

	read_whole jumps.procfs || return
	text=$(finding "$T/jumps.procfs.json" steal-jump)
	check "$kernel: procfs: jumps: both are named" "$text" grep -q 'jumped 2 times' <<<"$text"
	check_equal "$kernel: procfs: jumps: counted as loss" "$(json "$T/jumps.procfs.json" .loss.steal_jumps)" 2
	check "$kernel: procfs: jumps: and told at the end" "$(tail -n 2 "$job/jumps.procfs.log")" grep -q '2 steal clock jumps' "$job/jumps.procfs.log"
	check_near "$kernel: procfs: jumps: the other CPU's sum is right" "$(cpu_value cpu0 stolen_ns "$T/jumps.procfs.json")" \
		"$(awk '{ sum += $4 } END { printf "%.0f", sum }' "$job/jumps.phases")" 20000000 0
	injected=$(awk -v pulse=$pulse_ns 'NR == 1 { printf "%.0f", $8 - pulse }' "$job/jumps.phases")
	read -r begin end < <(awk 'NR == 1 { begin = $1 } END { print begin, $2 }' "$job/jumps.phases")
	left_ns=$(awk -v all_s="$(calc "$end - $begin")" '$1 == "cpu1" { for (i = 2; i <= 8; i++) sum += FNR == NR ? -$i : $i }
		END { ns = all_s * 1e9 - sum * 1e7; printf "%.0f", (ns > 0 ? ns : 0) }' "$job"/jumps.stat{0,1})
	# each of seven columns is a whole number of ticks
	check_true "$kernel: procfs: jumps: an hour counts for no more than the rest of the time ($left_ns ns)" \
		"$(cpu_value cpu1 stolen_ns "$T/jumps.procfs.json") >= $injected - 20e6 && \
		$(cpu_value cpu1 stolen_ns "$T/jumps.procfs.json") <= $injected + $left_ns + 80e6"
	check_equal "$kernel: live by procfs: jumps" \
		"$(json "$job/live.json" '[.[].loss.steal_jumps // 0] | add' -s) $(json "$job/live.json" '[.[].findings[] | select(.code == "steal-jump")] | length' -s)" "2 2"
	check_true "$kernel: live by procfs: no share is above 100 %" \
		"$(json "$job/live.json" '[.[].sections.steal.tables.cpus[]?.steal_pct] | max' -s) <= 100"
}

check_silent() {
	local hook text

	for hook in fentry kprobe; do
		read_whole silent.$hook || continue
		check_equal "$kernel: account_steal_time by $hook attaches" "$(rung "$T/silent.$hook.json")" $hook
		text=$(json "$T/silent.$hook.json" '.verified[] | select(.probe == "steal") | .text')
		check "$kernel: and stays silent, which is said" "$text" grep -q 'attached but silent' <<<"$text"
	done
	read_whole ladder || return
	check "$kernel: the next rung takes over while recording" "$(cat "$job/ladder.log")" grep -q 'tick takes over' "$job/ladder.log"
	check_equal "$kernel: the report names the one that works" "$(rung "$T/ladder.json")" tick
	check_equal "$kernel: it is verified from there on" "$(verified "$T/ladder.json")" true
	text=$(finding "$T/ladder.json" steal-hook)
	check "$kernel: what was missed until then is told" "$text" grep -q 'are in no row' <<<"$text"
}

# What doctor says of every hook, from its text or its JSON: PROBE HOOK VERDICT ERRNO, and whether that is unproven.
doctor_says() {
	if [ -e "$job/doctor.txt" ]; then
		# columns of 10 and 27, then the verdict; what is said of a hook is further in
		awk '/^PROBE/ { table = 1; next }
			table && !NF { exit }
			table && substr($0, 11, 1) != " " {
				if ($0 ~ /^[a-z]/) probe = $1
				$0 = probe " " substr($0, 11)
				gsub(/[()]/, "")
				$1 = $1
				line[++nr] = $0
			}
			/unproven:/ { line[nr] = line[nr] " unproven" }
			END { for (i = 1; i <= nr; i++) print line[i] }' "$job/doctor.txt"
	else
		jq -r '.probes | to_entries[] | .key as $probe | .value[] |
			[$probe, .hook, .verdict, if .verdict == "absent" then empty else .errno // empty end, if .unproven then "unproven" else empty end] |
			join(" ")' "$job/doctor.json"
	fi
}
check_doctor() {
	local io_done=chosen complete=works

	[ "$kernel" != 6.1 ] || io_done=absent complete=chosen # 6.5 has the tracepoints
	doctor_says | grep -v ' stap ' >"$T/doctor"
	cat >"$T/doctor.wanted" <<-TABLE
		steal clock absent
		steal clock-rq absent
		steal tick chosen
		steal tick-cpustat works
		steal fentry silent
		steal kprobe silent
		steal /proc/stat works
		disk block_io_done $io_done
		disk fentry refused EBUSY unproven
		disk fentry-inner absent unproven
		disk kprobe refused EINVAL unproven
		disk kprobe-inner absent unproven
		disk block_rq_complete $complete
		disk /proc/diskstats works
		runq tp_btf chosen
		runq stamps works
		runq raw_tp works
		runq /proc/PID/schedstat works
		cpu perf_event chosen
	TABLE
	check_equal "$kernel: doctor: the verdict on every hook" "$(diff "$T/doctor" "$T/doctor.wanted")" ""
}

# By SystemTap: where the function is really called, what its probe adds up; where it is silent, what the tick has accounted.
check_stap() {
	local text

	check_rates stap-plain plain tick
	check_exact stap-plain plain
	check_rates stap-via via account_steal_time
	check_exact stap-via via
	read_whole stap-silent || return
	text=$(json "$T/stap-silent.json" '.verified[] | select(.probe == "steal") | .text')
	check "$kernel: SystemTap on account_steal_time alone is silent, which is said" "$text" grep -q 'attached but silent' <<<"$text"
}

build_injector "$kernel" || finish
[ "$kernel" != 6.1 ] || build_stap "$kernel"
in_guest "$kernel" steal ${stap_module:+"$stap_module"} || finish
for hook in auto tick-cpustat; do
	check_rates $hook plain ${hook/#auto/tick}
	check_exact $hook plain
done
for hook in fentry kprobe; do
	check_rates $hook via $hook
	check_exact $hook via
done
check_counters
check_patterns
check_jumps
check_silent
check_doctor
[ -z "$stap_module" ] || check_stap
finish
