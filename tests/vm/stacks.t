#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stacks: with them every hook loads as well, they come with every kind of event, what they stand for is told, and on a machine that has
# little to do none is shed. Copies of stacks are unwound.
# timeout: 550
# each: 6.1 6.12
. "$(dirname "$0")/test.sh"
need_built
need jq
kernel=$1
truncate -s 64M "$T/vda"
vm_options=(--disk "$T/vda" --timeout 450)

# How many events of each kind have a stack, how many ids nothing was told of, and how many stacks of the kernel begin elsewhere: "WORD
# NUMBER" lines in $T/NAME.counts.
count() { # NAME
	"$H/events" "$job/$1.tt" | awk '
		function stack(what, id) {
			if (id == "0") return
			if (id == "1") { nr["missed"]++; return }
			nr[what]++
			used[id] = 1
		}
		$1 == "stack" { told[$2] = 1; ips += NF - 5; if ($6 !~ /^ffff/ && $5 == "0x0") nr["odd"]++ }
		$1 == "switch" { nr["switches"] += $4 != 0 }
		$1 == "switch" && NF == 16 { stack("switch_kernel", $13); stack("switch_user", $14); stack("waker_kernel", $15); stack("waker_user", $16) }
		$1 == "steal" && NF == 8 { stack("steal_kernel", $7); stack("steal_user", $8) }
		$1 == "disk" { stack("disk_kernel", $(NF - 1)); stack("disk_user", $NF) }
		$1 == "sample" { stack("sample_kernel", $9); stack("sample_user", $10) }
		END {
			for (id in used) if (!(id in told)) nr["untold"]++
			for (id in told) nr["told"]++
			nr["depth"] = nr["told"] ? ips / nr["told"] : 0
			for (what in nr) print what, nr[what]
		}' >"$T/$1.counts"
}
nr() { awk -v what="$2" '$1 == what { nr = $2 } END { print nr + 0 }' "$T/$1.counts"; } # NAME WORD

check_session() { # NAME RUNGS WORD...: each of the words has stacks
	local name=$1 rungs=$2 word

	[ "$(cat "$job/$name.status" 2>/dev/null)" = 0 ] && report_json "$job/$name.tt" "$T/$name.json" || {
		not_ok "$kernel: $rungs" "$(tail -n 2 "$job/$name.log")"
		return
	}
	check_equal "$kernel: $rungs: the rungs" "$(json "$T/$name.json" '.source.probes | map("\(.probe)=\(.rung)") | join(" ")')" "$rungs"
	count "$name"
	for word in "${@:3}"; do
		check_true "$kernel: $rungs: $word: $(nr "$name" "$word") stacks" "$(nr "$name" "$word") >= 5"
	done
	check_true "$kernel: $rungs: $(nr "$name" told) different ones, of $(nr "$name" depth) frames on average" \
		"$(nr "$name" told) > 20 && $(nr "$name" depth) > 4"
	check_equal "$kernel: $rungs: what every id stands for is told" "$(nr "$name" untold) $(nr "$name" odd)" "0 0"
	check_equal "$kernel: $rungs: none is shed, and none could not be taken" \
		"$(json "$T/$name.json" '.loss | .stacks + .stack_missed + .shed + .records') $(nr "$name" missed)" "0 0"
}

build_injector $kernel || finish
in_guest $kernel stacks || finish
done=block_io_done
[ $kernel != 6.1 ] || done=block_rq_complete
switch="switch_kernel switch_user waker_kernel waker_user" disk="disk_kernel disk_user" steal="steal_kernel steal_user"
check_session first "steal=tick disk=$done runq=tp_btf cpu=perf_event" $switch $disk $steal sample_kernel sample_user
check_session second "steal=tick-cpustat disk=block_rq_complete runq=stamps cpu=perf_event" $switch $disk $steal sample_kernel sample_user
check_session third "steal=fentry disk=$done runq=raw_tp cpu=perf_event" $switch $disk $steal sample_kernel sample_user
check_session fourth "steal=kprobe disk=$done" $disk $steal
told=$(sed -n 's/.*unwinding: of \([0-9]*\) copies of user stacks ([^)]*) \([0-9]*\) whole, \([0-9]*\) cut where the copy ends, \([0-9]*\) .*/\1 \2 \3 \4/p' "$job/fifth.log")
read -r nr whole cut astray <<<"$told"
check_true "$kernel: by DWARF: of ${nr:-0} copies ${whole:-0} whole, ${cut:-0} cut, ${astray:-0} without a way on" \
	"${nr:-0} >= 20 && ${whole:-0} >= 0.3 * ${nr:-0} && ${whole:-0} + ${cut:-0} >= 0.7 * ${nr:-0}"
# Who was stolen from, and where: of a program whose call chain is known; to start it takes much of an emulated CPU's time.
chain='__libc_start_call_main;main;chain::Link<int>::outer;chain::\{anonymous namespace\}::middle;chain_c_burn'
stolen_in_chain() { # NAME PID-LINE
	local pid all_ns in_chain_ns

	pid=$(sed -n "$2p" "$job/chain.out")
	"$TT" export -q -f folded -e steal -p "${pid:-0}" "$job/$1.tt" >"$T/folded" 2>"$T/err"
	all_ns=$(awk '{ s += $NF } END { printf "%.0f", s }' "$T/folded")
	in_chain_ns=$(grep -E ";$chain(;|\b)" "$T/folded" | awk '{ s += $NF } END { printf "%.0f", s }')
	check_true "$kernel: $1: $in_chain_ns of $all_ns ns stolen from chain are in its call chain" "$all_ns > 2e7 && $in_chain_ns >= 0.4 * $all_ns"
	check_equal "$kernel: $1: what is stolen from it is the report's" "$all_ns" \
		"$("$TT" report --json --section steal -p "${pid:-0}" "$job/$1.tt" 2>"$T/err" | jq '[.sections.steal.tables.victims[].stolen_ns] | add')"
}
stolen_in_chain first 1
stolen_in_chain third 3
check_equal "$kernel: each switch has the stack of who left, but for idle" "$(nr first switch_kernel)" "$(nr first switches)"
# 6.2 brought what the second build of the programs needs
check_equal "$kernel: the programs are those for this kernel" "$(grep -c 'programs for newer kernels do not load' "$job/first.log")" 0
finish
