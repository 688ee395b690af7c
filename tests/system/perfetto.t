#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# perfetto: protoc knows every field of the trace; read as Perfetto reads it nothing is dropped or drawn wrong, and its sums are the report's.
# timeout: 240
. "$(dirname "$0")/lib.sh"
need_built
need jq perl protoc
cd "$T" || exit 1
made=$T/made.tt
"$H/made_session" "$made" || { not_ok "the made session" "made_session failed"; finish; }

# To OUT.json what a reader makes of it. Fails when the trace is wrong.
export_trace() { # SESSION OUT [export options]
	local session=$1 out=$2

	shift 2
	"$TT" export -f perfetto -o "$out.pftrace" "$@" "$session" 2>"$out.err" || { cat "$out.err"; return 1; }
	protoc --decode=pftrace.Trace -I"$root" "$root/collector/export/proto/perfetto.proto" <"$out.pftrace" >"$out.txt" || return 1
	perl "$here/perfetto.pl" <"$out.txt" >"$out.json" 2>"$out.wrong" || { head -n 5 "$out.wrong"; return 1; }
	rm "$out.txt"
}
# What differs between a trace and the report of the same session, as JSON; nothing = {}. Waits by task are those of the report but
# for what was shed; a reader's slices are one more than switches for each stretch that begins with a task that runs.
# shellcheck disable=SC2016
differences() { # OUT SESSION [report options]
	local out=$1 session=$2

	shift 2
	report_json "$session" "$out.report" "$@" || return 1
	jq -c -n --slurpfile trace "$out.json" --slurpfile report "$out.report" '
		def sum: [.[]?] | add // 0;
		def rows($section; $table): $report[0].sections[$section].tables[$table] // [];
		def all($section; $key): [rows($section; "cpus")[] | select(.cpu == "all") | .[$key]][0] // 0;
		def by(f; g): map({ (f): g }) | add // {} | with_entries(select(.value > 0));
		def by_cpu($section; $key): rows($section; "cpus") | map(select(.cpu != "all")) | by(.cpu; .[$key]);
		def by_disk(f): rows("disk"; "devices") | by(.device; f);
		def by_split($key): rows("disk"; "split") | by(.device; .[$key]);
		$trace[0] as $t |
		{
			waits: [($t.wait_ns | sum), all("runq"; "wait_sum_ns") - all("runq"; "shed_wait_ns")],
			shed_waits: [($t.shed_wait_ns // 0), all("runq"; "shed_wait_ns")],
			wait_slices: [($t.slices.runq // 0), all("runq"; "waits")],
			waits_stolen: [($t.wait_stolen_ns // 0), all("runq"; "stolen_ns")],
			switches: [($t.sched | [.[]?.slices] | sum), all("runq"; "recorded_switches") + ($t.sched | [.[]?.gaps] | sum)],
			shed_switches: [($t.dropped | sum), all("runq"; "shed_switches")],
			stolen: [($t.stolen_ns // {}), by_cpu("steal"; "stolen_ns")],
			stolen_counters: [($t.counters // {} | with_entries(select(.key | test("stolen time$")) | .key |= sub(" .*"; "") | .value |= .[0])),
					  by_cpu("steal"; "stolen_ns")],
			requests: [([($t.disks // {} | map_values(.requests)), ($t.shed_requests // {})] | map(to_entries[]) | group_by(.key)
				    | map({ (.[0].key): (map(.value) | add) }) | add // {}), by_disk(.reads + .writes + .discards + .flushes)],
			request_ns: [($t.disks // {} | map_values(.total_ns)), by_split("total_ns")],
			shed_request_ns: [($t.shed_total_ns // {}), by_split("shed_total_ns")],
			queue_ns: [($t.disks // {} | map_values(.queue_ns) | with_entries(select(.value > 0))), by_split("queue_ns")],
			sampled: [($t.sampled_ns | sum), all("cpu"; "user_ns") + all("cpu"; "kernel_ns") + all("cpu"; "idle_ns")],
			samples: [($t.samples // 0), all("cpu"; "samples")],
		} | with_entries(select(.value[0] != .value[1]))'
}
# The same by task, where the report has all of them.
tasks_differ() { # OUT
	# shellcheck disable=SC2016
	jq -c -n --slurpfile trace "$1.json" --slurpfile report "$1.report" \
		'[$report[0].sections.runq.tables.tasks[] | select(.wait_sum_ns != ($trace[0].wait_ns[.tid | tostring] // 0)) | [.tid, .wait_sum_ns, $trace[0].wait_ns[.tid | tostring]]]'
}
same_as_report() { # NAME OUT SESSION [options]
	local name=$1 out=$2 session=$3 why

	shift 3
	why=$(export_trace "$session" "$out" "$@") || { not_ok "$name: a whole trace" "$why"; return 1; }
	check_equal "$name: sums are the report's" "$(differences "$out" "$session" "$@")" "{}"
}

# --- one session with everything ---

same_as_report "the made session" all "$made" || finish
check_equal "waits, task by task" "$(tasks_differ all)" "[]"
check_equal "as long as they were" "$(json all.json '.wait_slices_ns == .wait_ns and .stolen_slices_ns + 30000 == ([.stolen_ns[]] | add)')" true
check_equal "why tasks waited" "$(json all.json '.wait_names | keys | join(", ")')" "forked, preempted, waits, why was not seen, woken"
check_equal "every state a task leaves in" "$(json all.json '.states | keys_unsorted | sort | join(" ")')" "0 1 128 16384 2 256 32 4 64 8"
check_equal "loss is told to the viewer" "$(json all.json '[.losses["3 switches shed"], .lost_bundles, .dropped["1"], .sched["1"].gap_ns, .["end"].lost] | tostring')" \
	'[1,1,3,500000,"3 switches shed"]'
check_equal "what samples do not stand for" "$(json all.json .not_sampled_ns)" 2080965
check_equal "queue and device time" "$(json all.json '.parts.device == ([.disks[].total_ns] | add)')" true
check_equal "stacks: of steal, waits, requests and samples" "$(json all.json '[.stacks.steal, .stacks.runq, .stacks.disk, .samples_with_stacks] | tostring')" "[10,4,4,4]"
check_equal "hostile names" "$(json all.json '[.threads["104"], .threads["105"], .processes["109"]] | tostring')" '["\\xff\\x01\\x0a;(x)\\x09#\\xc3(\\\\ \"1","日本;x"," lead'$'\xc2\xa0''t "]'
check_equal "hostile functions" "$(json all.json '[.functions | has("a;b\\x0ac\\xff", "<script>alert(1)</script>", "日本語\\xe2\\x80\\xae", "operator+", "[stack_cut]", "[stack_lost]")] | all')" true
check_equal "files" "$(json all.json '.modules | keys | join(" ")')" "/srv/my app (v2)/server /tmp/perf-100.map /usr/lib/libc.so.6 [ext4] [kernel.kallsyms] timethief unknown"
check_equal "of which machine" "$(json all.json '[.kernel, .session.host, .session.probes] | tostring')" \
	'["6.18.44","made","steal: clock, disk: block_io_done, runq: tp_btf, cpu: perf_event"]'
check "as much from a pipe, into a pipe" "differs" cmp -s <("$TT" export -q -f perfetto - <"$made" 2>err) all.pftrace

# --- parts of it ---

for event in steal runq disk cpu; do
	check "-e $event: a whole trace" "it is not" export_trace "$made" only -e $event
	check_equal "-e $event: nothing else, and every switch" \
		"$(json only.json '[(.slices // {} | keys | join("")), (.samples // 0), ([.sched[].slices] | add)] | tostring')" \
		"$(case $event in cpu) echo '["",5,18]' ;; *) echo "[\"$event\",0,18]" ;; esac)"
done
same_as_report "--device dm-0" device "$made" --device dm-0
same_as_report "--cpu 1" cpu "$made" --cpu 1
check_equal "--cpu 1: no other's switches" "$(json cpu.json '.sched | keys | join(" ")')" 1
check "-p 102: a whole trace" "it is not" export_trace "$made" task -p 102
check_equal "-p: its waits, among all switches" "$(json task.json '[.wait_ns, ([.sched[].slices] | add)] | tostring')" '[{"102":5000},18]'
total=$(json all.json '[.wait_ns[], .stolen_ns[], .disks[].total_ns] | add')
halves=0
for half in "--to 2500us" "--from 2500us"; do
	# shellcheck disable=SC2086
	check "$half: a whole trace" "it is not" export_trace "$made" half $half
	halves=$((halves + $(json half.json '[.wait_ns[]?, .stolen_ns[]?, .disks[]?.total_ns] | add // 0')))
done
check_near "before and after 2.5 ms together are all" "$halves" "$total" 4 0

# --- at random, and many ---

bad=0
for seed in 1 2 3 4 5 6 7 8; do
	"$H/made_session" random.tt $seed
	why=$(export_trace random.tt random && differences random random.tt) && [ "$why" = "{}" ] && continue
	bad=$((bad + 1))
	echo "# seed $seed: $why" | cut -c 1-300
done
check_equal "8 random sessions: sums are the report's" "$bad" 0
"$H/made_session" many.tt switches 20000
same_as_report "20,000 switches" many many.tt

# --- memory ---

"$H/made_session" small.tt switches 200000
"$H/made_session" large.tt switches 1000000
peak_kib() { "$B/tests/bench/peak" "$TT" export -q -f perfetto "$1" | awk '{ print $4 }'; }
small_kib=$(peak_kib small.tt)
large_kib=$(peak_kib large.tt)
check_true "five times the switches, the same memory" "${small_kib:-0} > 0 && ${large_kib:-0} > 0 && ${large_kib:-0} < ${small_kib:-0} + 4096"

# --- files and terminals ---

timeout 20 "$TT" export -f perfetto many.tt 2>err | head -c 100 >/dev/null
check_equal "a closed pipe is no failure" "${PIPESTATUS[0]} $(wc -c <err)" "0 0"
if [ -c /dev/full ]; then
	"$TT" export -q -f perfetto "$made" >/dev/full 2>err
	check_equal "into a full device" "$? $(wc -l <err) $(grep -c 'cannot write' err)" "1 1 1"
fi
if has_terminal; then
	script -qec "$TT export -f perfetto $made" typescript </dev/null >terminal.out
	check_equal "not to a terminal" "$? $(grep -c 'terminal' terminal.out) $(tr -d '\r\n\t -~' <terminal.out | wc -c)" "1 1 0"
else
	skip "not to a terminal" "no pseudo-terminals here"
fi

# --- damage, under the sanitizers ---

check_damage "$made" 0x7e12fe 16 "export -f perfetto"

# --- of this machine ---

reason=$(why_no_bpf)
if [ -n "$reason" ]; then
	skip "a recording of this machine" "$reason"
	finish
fi
load() {
	"$H/sleeper" 1 300
	dd if=/dev/zero of="$T/written" bs=64k count=64 oflag=direct 2>/dev/null || dd if=/dev/zero of="$T/written" bs=64k count=64 conv=fsync 2>/dev/null
}
export -f load
export H T
"$TT" record -q --stacks -o real.tt -- bash -c load >record.log 2>&1 || not_ok record "$(tail -n 1 record.log)"
same_as_report "this machine" real real.tt || finish
check_equal "this machine: waits, task by task" "$(tasks_differ real)" "[]"
check_true "this machine: every waiting task's slices are as long as its waits" "$(json real.json '[.wait_ns[]] | add') == $(json real.json '[.wait_slices_ns[]] | add')"
check_true "this machine: tasks of the load are there" "$(json real.json '[.threads[] | select(. == "sleeper")] | length') > 0"
finish
