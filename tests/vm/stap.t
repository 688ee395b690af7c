#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stap: what SystemTap's module records is what BPF's programs record, event by event; what does not fit is counted and totals say so; a
# module that was built elsewhere runs where nothing can be compiled; the scripts print readable text without the collector.
# timeout: 600
. "$(dirname "$0")/test.sh"
need_built
need jq
kernel=6.1
truncate -s 64M "$T/vda"
vm_options=(--disk "$T/vda" --timeout 300 --memory 768)

sum() { awk -v name="$1" '$1 == name { print $2 }' "$T/sums"; }
runq() { json "$T/$1.json" ".sections.runq.tables.cpus[] | select(.cpu == \"all\") | .$2"; } # SESSION COLUMN
lost() { json "$T/$1.json" ".loss.$2"; }
ready() { # SESSION: its report is in $T/SESSION.json
	if [ "$(cat "$job/$1.status" 2>/dev/null)" = 0 ] && report_json "$job/$1.tt" "$T/$1.json"; then return; fi
	not_ok "$kernel: $1" "$(tail -n 2 "$job/$1.log" "$T/$1.json.err" 2>/dev/null)"
	return 1
}
disk_row() { json "$T/$1.json" '.sections.disk.tables.devices[] | select(.device == "vda") | "\(.reads) \(.writes) \(.flushes) \(.read_bytes) \(.written_bytes)"'; }
kernel_disk_row() { # NAME: of the load
	awk '$3 == "vda" { sign = FNR == NR ? -1 : 1; r += sign * $4; w += sign * $8; f += sign * $19; rs += sign * $6; ws += sign * $10 }
		END { printf "%d %d %d %d %d\n", r, w, f, rs * 512, ws * 512 }' "$job/$1.0" "$job/$1.1"
}
ctxt() { awk '$1 == "ctxt" { sum += FNR == NR ? -$2 : $2 } END { print sum }' "$job/$1.0" "$job/$1.1"; }
forks() { awk '$1 == "processes" { sum += FNR == NR ? -$2 : $2 } END { print sum }' "$job/$1.0" "$job/$1.1"; }
# The part between the load's two readings of the counters
part() { # SESSION
	local start from to

	start=$(json "$T/$1.json" .session.start_ts_ns)
	from=$(awk -v s="$start" 'NR == 1 { printf "%.3f", $1 - s / 1e9 }' "$job/both.0")
	to=$(awk -v s="$start" 'NR == 1 { printf "%.3f", $1 - s / 1e9 }' "$job/both.1")
	report_json "$job/$1.tt" "$T/$1.part.json" --from "$from" --to "$to"
}

check_side_by_side() {
	cp "$job/bpf.status" "$job/stap.status"
	ready bpf && ready stap && part bpf && part stap || return
	for name in bpf stap; do "$H/events" "$job/$name.tt" >"$T/$name.events"; done
	awk -f "$vm/compare.awk" "$T/stap.events" "$T/bpf.events" >"$T/sums" 2>"$T/differences"
	head -n 60 "$T/differences" >&2
	check_true "$kernel: side by side: there is something to compare" \
		"$(sum switches) > 10000 && $(sum requests) > 250 && $(sum tasks) > 40 && $(sum tasks_differ) >= 0"
	check_equal "$kernel: side by side: switches that only SystemTap has" "$(sum switches_unpaired)" 0
	check_true "$kernel: side by side: $(sum switches_extra) of $(sum switches) switches that only BPF has: at most 0.1 %" \
		"$(sum switches_extra) <= 0.001 * $(sum switches)"
	check_equal "$kernel: golden: switches that differ in tasks, flags, state, wait (to the ns), waker, CPU or priority" "$(sum switches_differ)" 0
	check_true "$kernel: golden: how a task came to wait is known to both, but for $(sum small_knows) that BPF and $(sum big_knows) that SystemTap did not see" \
		"$(sum small_knows) + $(sum big_knows) <= 0.001 * $(sum switches)"
	check_equal "$kernel: golden: requests that differ in bytes, flags, counts, error, CPUs or submitter" "$(sum requests_differ) $(sum requests_unpaired)" "0 0"
	check_equal "$kernel: golden: tasks that differ in process, parent, start, cgroup, name or flags" "$(sum tasks_differ)" 0

	check_near "$kernel: side by side: waits of the load" "$(runq stap.part waits)" "$(runq bpf.part waits)" 0 0.001
	for column in wait_p50_ns wait_p99_ns; do
		# one bucket is 3 %
		check_near "$kernel: side by side: $column" "$(runq stap.part $column)" "$(runq bpf.part $column)" 0 0.032
	done
	check_near "$kernel: side by side: summed wait" "$(runq stap.part wait_sum_ns)" "$(runq bpf.part wait_sum_ns)" 1000000 0.001
	check_equal "$kernel: side by side: requests and bytes of vda, SystemTap and BPF" "$(disk_row stap.part)" "$(disk_row bpf.part)"
	check_equal "$kernel: and those of /proc/diskstats" "$(disk_row stap.part)" "$(kernel_disk_row both)"
	check_near "$kernel: side by side: steal" \
		"$(json "$T/stap.part.json" '.sections.steal.tables.cpus[] | select(.cpu == "all") | .stolen_ns')" \
		"$(json "$T/bpf.part.json" '.sections.steal.tables.cpus[] | select(.cpu == "all") | .stolen_ns')" 0 0.01
	for probe in steal disk runq; do
		check_equal "$kernel: SystemTap's recording verifies $probe" "$(json "$T/stap.json" ".verified[] | select(.probe == \"$probe\") | .ok")" true
	done
	check_equal "$kernel: it lost nothing" "$(json "$T/stap.json" '.loss | add')" 0
}

check_flood() {
	ready flood || return
	check_true "$kernel: overload: $(lost flood switches) switches are counted as lost" "$(lost flood switches) > 1000"
	check_equal "$kernel: overload: no packet is lost without a number" "$(lost flood packets)" 0
	check_equal "$kernel: overload: recorded + lost + unseen is what the run queues counted" \
		"$(runq flood 'recorded_switches + .shed_switches + .unseen_switches')" "$(runq flood nr_switches)"
	# that is so by definition, unless what nobody recorded is few: the last switches of tasks that exit
	check_true "$kernel: overload: $(runq flood unseen_switches) of them are unseen, at most one for each of $(forks flood) forks" \
		"$(runq flood unseen_switches) <= 20 + $(forks flood) + $(runq flood nr_switches) / 10000"
	# the rest of the recording is around what the load has read, a second at most
	check_true "$kernel: overload: which is $(runq flood nr_switches), what /proc/stat says of the load: $(ctxt flood)" \
		"$(runq flood nr_switches) >= $(ctxt flood) && $(runq flood nr_switches) <= $(ctxt flood) * 1.05 + 500"
	check_equal "$kernel: overload: summed waits are exact nevertheless" "$(json "$T/flood.json" '.verified[] | select(.probe == "runq") | .ok')" true
	check "$kernel: overload: the report says partial" "$(grep -i lost "$job/flood.log")" \
		grep -qiE 'lost|shed|partial' <("$TT" report "$job/flood.tt")
	check "$kernel: overload: so does the end of record" "$(cat "$job/flood.log")" grep -qE '[1-9][0-9]* lost|lost [1-9]' "$job/flood.log"
	check "$kernel: overload: the module is gone afterwards" "$(cat "$job/lsmod.flood")" eval "! grep -q ^timethief '$job/lsmod.flood'"
}

check_bare() {
	ready bare || return
	check_true "$kernel: no compiler, no headers: the module records" "$(runq bare nr_switches) > 0"
	check_true "$kernel: and without a module it is an error" "$(cat "$job/hopeless.status") == 1"
	check_equal "$kernel: in lines that say what to do" "$(grep -ciE 'panic|segfault' "$job/hopeless.log")" 0
	check "$kernel: which name stap or headers" "$(cat "$job/hopeless.log")" grep -qiE 'stap|headers' "$job/hopeless.log"
	check "$kernel: no module is left" "$(cat "$job/lsmod.end")" eval "! grep -q ^timethief '$job/lsmod.end'"
	local complaints='BUG:|WARNING:|Oops|detected stall|soft lockup|scheduling while'

	check "$kernel: the kernel has no complaint" "$(grep -E "$complaints" "$job/dmesg" | head -n 3)" \
		eval "! grep -qE '$complaints' '$job/dmesg'"
}

# On this machine: as the oldest SystemTap that has their C, and what an older one is told.
check_scripts() {
	local options script

	readarray -t options < <("$vm/stap" $kernel 2>/dev/null)
	export SYSTEMTAP_DIR=$B/vm/stap-cache
	for script in timethief steal disk runq; do
		check "$script.stp is understood as SystemTap 1.8 understands it" "$(tail -n 3 "$T/parsed" 2>/dev/null)" \
			eval 'stap -p2 --compatible=1.8 "${options[@]}" "$root/stap/$script.stp" >"$T/parsed" 2>&1 && grep -q sched_switch\\\|block_rq_issue "$T/parsed"'
		check "$script.stp: an older one hears what it needs" "$(tail -n 3 "$T/parsed")" \
			eval 'stap -p1 --compatible=1.7 "${options[@]}" "$root/stap/$script.stp" >"$T/parsed" 2>&1 && grep -q "needs SystemTap 1.8" "$T/parsed" && ! grep -q timethief.begin "$T/parsed"'
	done
}

# What a person sees.
check_text() {
	local out=$job/text

	check "$kernel: runq.stp: percentiles and rows" "$(tail -n 5 "$out.runq")" eval "grep -qE '^wakeup +[0-9]+ ' '$out.runq' && grep -qE ' - +[0-9]+[mu]s +[0-9]+ +[0-9]+ +\|\*' '$out.runq'"
	check_equal "$kernel: disk.stp: 100 reads and 50 writes of the load are all there" \
		"$(awk '$1 == "read" || $1 == "write" { print $1, $2 }' "$out.disk" | head -n 2 | tr '\n' ' ')" "read 100 write 50 "
	check "$kernel: disk.stp: which hook" "$(head -n 3 "$out.disk")" grep -q 'hook blk_account_io_done' "$out.disk"
	check "$kernel: steal.stp says that account_steal_time is silent, and reads the tick" "$(head -n 3 "$out.steal")" \
		grep -q 'hook tick (account_steal_time is silent' "$out.steal"
	for cpu in 0 1; do
		check_near "$kernel: steal.stp: ms stolen from cpu$cpu, and what was injected" \
			"$(awk -v cpu=cpu$cpu '$1 == cpu { sub("ms", "", $2); print $2 ~ /s/ ? $2 * 1000 : $2 }' "$out.steal")" \
			"$(awk -v cpu=$cpu '$1 == cpu { print $2 / 1e6 }' "$out.control")" 0 0.011
	done
	check_equal "$kernel: steal.stp: its sum is the kernel's" "$(awk '$1 == "all" { print $2 }' "$out.steal")" "$(awk '$1 == "all" { print $NF }' "$out.steal")"
	for script in runq disk steal; do
		check "$kernel: $script.stp says what was lost" "$(tail -n 2 "$out.$script")" grep -q '^lost: nothing' "$out.$script"
	done
}

build_scripts() { # the modules of the single scripts, beside the collector's
	local script

	for script in runq disk steal; do
		"$vm/stap" $kernel "$(dirname "$stap_module")/$script.ko" "$root/stap/$script.stp" >/dev/null 2>"$T/err" && continue
		not_ok "$kernel: build of $script.stp" "$(tail -n 2 "$T/err")"
		return 1
	done
}

build_injector $kernel && build_stap $kernel && check_scripts && build_scripts && in_guest $kernel stap "$stap_module" && {
	check_side_by_side
	check_flood
	check_bare
	check_text
}
finish
