#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# nested: genuine KVM steal, end to end. A guest runs a guest of its own, and a busy loop on the same CPU. What timethief records
# in the inner guest is what its kernel counts, what the scheduler of its host tells of the vCPU's thread, and what timethief
# records there at the same time.
# timeout: 400
# each: 6.1 6.12
. "$(dirname "$0")/test.sh"
need_built
need jq

# The kernel of the inner guest; the host's is 6.1. On 6.12 it takes the BPF programs that are built for newer kernels.
kernel=$1
inner_kernel=$("$vm/kernel" $kernel 2>"$T/err") || { skip "$kernel in a guest" "$(tail -n 1 "$T/err")"; finish; }
# One CPU: all compete for it without being told to. With two, the inner guest does not come up.
vm_options=(--cpus 1 --memory 1536 --cpu qemu64,+svm,+npt --timeout 370)
in_guest 6.1 nested "$inner_kernel" || finish
inner=$job/inner
if [ "$(<"$job/host.status")" != 0 ] || [ ! -s "$job/marks" ] || [ ! -s "$inner/marks" ]; then
	not_ok "the inner guest" "$(tail -n 3 "$job/host.log")"
	tail -n 40 "$job"/*.log "$inner"/*.log >&2
	finish
fi
check_equal "no file of the inner guest is left" "$(<"$job/left")" ""
for session in "$inner/inner" "$inner/tick" "$job/host"; do
	name=$(basename "$session")
	report_json "$session.tt" "$T/$name.json" || { not_ok "$name: report" "$(head -n 1 "$T/$name.json.err")"; finish; }
done

# --- what was recorded, and how
check_equal "the inner guest's hypervisor" "$(json "$T/inner.json" .host.hypervisor)" KVM
rung() { json "$T/$1.json" ".source.probes[] | select(.probe == \"$2\") | .rung"; }
check_equal "its kernel" "$(json "$T/inner.json" .host.kernel_release)" "$(basename "$inner_kernel")"
check_equal "inner: the best hook for steal" "$(rung inner steal)" clock
check_equal "tick: the one that was asked for" "$(rung tick steal)" tick
verified() { json "$T/$1.json" ".verified[] | select(.probe == \"$2\") | .$3"; }
for word in "inner steal" "inner runq" "tick steal" "host runq"; do
	read -r name probe <<<"$word"
	check_equal "$name: its own check: $(verified "$name" "$probe" text)" "$(verified "$name" "$probe" ok)" true
done
for name in inner tick host; do
	check_equal "$name: losses" "$(json "$T/$name.json" '.loss | .shed + .switches + .records + .steal_jumps')" 0
done
finding=$(json "$T/inner.json" '.findings[0].text')
check "inner: the first finding: $finding" "does not name the steal" \
	grep -qE '^cpu0 was stolen for [0-9.]+ % of the time' <<<"$finding"

# A line of marks: WORD SECONDS COUNTER... The seconds are those of the session's clock, so a report can be had from one to another.
growth() { # FOLDER FROM TO FIELD
	awk -v from="$2" -v to="$3" -v field="$4" '$1 == from { a = $field } $1 == to { printf "%.12g", $field - a }' "$1/marks"
}
report_between() { # FOLDER SESSION FROM TO OUT [report options]
	local window

	window=$(awk -v from="$3" -v to="$4" -v start_ns="$(json "$T/$2.json" .session.start_ts_ns)" '
		$1 == from { printf "--from %.3f ", $2 - start_ns / 1e9 }
		$1 == to { printf "--to %.3f", $2 - start_ns / 1e9 }' "$1/marks")
	report_json "$1/$2.tt" "$5" $window "${@:6}" || not_ok "report of $2 $window" "$(head -n 1 "$5.err")"
}
cpu0() { json "$1" ".sections.steal.tables.cpus[] | select(.cpu == \"cpu0\") | .$2"; } # REPORT KEY

# --- the same amount from everywhere
report_between "$inner" inner coarse end "$T/inner.all"
report_between "$inner" tick coarse end "$T/tick.all"
report_between "$job" host coarse end "$T/host.all" --by task
steal_ns=$(cpu0 "$T/inner.all" stolen_ns)
stat_ns=$(calc "$(growth "$inner" coarse end 3) * 1e9 / $(json "$T/inner.json" .host.user_hz)")
run_delay_ns=$(growth "$job" coarse end 4)
waits_ns=$(json "$T/host.all" ".sections.runq.tables.waiters[] | select(.tid == $(<"$job/vcpu")) | .wait_sum_ns")
check_true "enough to judge by, of $(growth "$inner" coarse end 2) s" "$stat_ns > 4e9"
check_near "steal: /proc/stat" "$steal_ns" "$stat_ns" 0 0.01
check_near "steal: run_delay of the vCPU's thread" "$steal_ns" "$run_delay_ns" 0 0.02
check_near "steal: the waits of that thread, recorded on the host" "$steal_ns" "$waits_ns" 0 0.02
check_near "steal: the tick's account, recorded meanwhile" "$steal_ns" "$(cpu0 "$T/tick.all" stolen_ns)" 0 0.01
# 10 ms of the clock that the window is cut by, and a turn that is open, at each end
check_near "waits recorded on the host: run_delay" "$waits_ns" "$run_delay_ns" 40000000 0.01

# --- when, and whom
below() { # REPORT NS: share of the gaps that are certainly shorter
	json "$1" '.sections.steal.histograms[] | select(.name == "gaps") |
		([.buckets_ns[] | select(.[1] < $ns) | .[2]] | add // 0) / .count * 1000 | round / 1000' \
		--argjson ns "$2"
}
of_victim() { # REPORT NAME: share of the steal, in %
	json "$1" '[.sections.steal.tables.victims[] | select(.victim | split(" ")[0] == $name) | .share_pct] |
		add // 0 | round' --arg name "$2"
}
for word in "coarse fine" "fine idle" "idle end"; do
	read -r from to <<<"$word"
	report_between "$inner" inner "$from" "$to" "$T/inner.$from" --section steal --by task
	check_true "$from: $(cpu0 "$T/inner.$from" gaps) gaps, p50 $(cpu0 "$T/inner.$from" gap_p50_ns) ns" \
		"$(cpu0 "$T/inner.$from" stolen_ns) > 5e8 && $(cpu0 "$T/inner.$from" gaps) > 100"
done
# the host's tick ends a turn a little less than 4 ms after it began
share=$(below "$T/inner.coarse" 3500000)
check_true "turns that the host's tick ends: hardly a gap is shorter ($share)" "$share < 0.3"
share=$(below "$T/inner.fine" 3500000)
check_true "turns of 1 ms: many gaps are shorter than a tick ($share)" "$share > 0.3"
share=$(below "$T/inner.fine" 2000000)
check_true "and than half of one ($share)" "$share > 0.15"
worst=$(json "$T/inner.coarse" '.sections.steal.tables.victims[0].victim')
check "a busy CPU: the worst victim is who runs ($worst)" "it is not the spinner" grep -q '^spinner ' <<<"$worst"
share=$(of_victim "$T/inner.idle" idle)
check_true "a CPU that sleeps: its idle task is a victim ($share %)" "$share > 5"
finish
