#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# loss: at the default ring size nothing is lost at the highest switch rate, and every switch that the kernel counted is
# recorded or known to be unseen. With a tiny ring the loss is counted, shown and dated, and totals stay exact.
# timeout: 150
. "$(dirname "$0")/lib.sh"
need_built
need jq perf
need_bpf
perf bench sched pipe -l 10 >"$T/perf.log" 2>&1 || skip_all "perf bench does not run: $(head -n 1 "$T/perf.log")"

# The last switch of an exiting task may never reach a program, nor do those of tasks that a kernel hides from tracing; more would be a
# probe that is not where it should be. Without this bound recorded + shed + unseen would be nr_switches whatever was recorded.
few_unseen() { is_true "$1 <= 20 + $nr_forks + $2 / 10000"; } # UNSEEN SWITCHES
forks() { awk '/^processes/ { print $2 }' /proc/stat; }
cpu_rows() { json "$1" '.sections.runq.tables.cpus[] | select(.cpu != "all") | "\(.cpu) \(.recorded_switches) \(.shed_switches) \(.unseen_switches) \(.nr_switches)"'; }
lost_of() { json "$1" .loss.shed; }

nothing_is_lost() {
	local cpu recorded shed unseen kernel bad=0 nr=0 switches=0 before after nr_forks

	cat >"$T/load.sh" <<-'LOAD'
		grep ctxt /proc/stat >"$T/ctxt.first"
		setsid perf bench sched pipe -l 1000000000 >/dev/null 2>&1 & pipe_pid=$! # a group of its own: perf forks
		fio_pid=
		if [ -n "$DEVICE" ]; then fio "$here/fio/beside.fio" >/dev/null 2>&1 & fio_pid=$!; fi
		sleep "$LOAD_S"
		kill -- -"$pipe_pid" $fio_pid
		wait
		grep ctxt /proc/stat >"$T/ctxt.last"
	LOAD
	DEVICE=
	if command -v fio >/dev/null && command -v losetup >/dev/null && loop_open 64M; then
		DEVICE=/dev/$loop_dev
	else
		skip "fio beside the pipe" "no fio or no loop device; the pipe runs alone"
	fi
	before=$(awk '/^ctxt/ { print $2 }' /proc/stat)
	nr_forks=$(forks)
	DEVICE=$DEVICE RATE=2000 LOAD_S=30 "$TT" record -o "$T/full.tt" -- bash "$T/load.sh" >"$T/record.log" 2>&1 ||
		{ not_ok "record beside perf bench" "$(tail -n 3 "$T/record.log")"; return; }
	after=$(awk '/^ctxt/ { print $2 }' /proc/stat)
	nr_forks=$(($(forks) - nr_forks))
	report_json "$T/full.tt" "$T/full.json" || { not_ok "report" "$(head -n 1 "$T/full.json.err")"; return; }
	check_equal "default ring: nothing shed" "$(lost_of "$T/full.json")" 0
	while read -r cpu recorded shed unseen kernel; do
		nr=$((nr + 1))
		switches=$((switches + kernel))
		if [ "$((recorded + shed + unseen))" != "$kernel" ] || [ "$shed" != 0 ]; then
			bad=$((bad + 1))
			echo "$cpu: $recorded recorded, $shed shed, $unseen unseen, the run queue counted $kernel" >&2
		fi
		few_unseen "$unseen" "$kernel" || { bad=$((bad + 1)); echo "$cpu: $unseen unseen" >&2; }
	done < <(cpu_rows "$T/full.json")
	check_true "default ring: recorded + unseen = the run queue's nr_switches on each CPU" "$nr > 0 && $bad == 0"
	# An independent count: ctxt of /proc/stat is the sum of the run queues' nr_switches. Read within the recording and around it.
	check_true "default ring: as many switches as /proc/stat counted ($switches)" \
		"$switches >= $(awk '{ print $2 }' "$T/ctxt.last") - $(awk '{ print $2 }' "$T/ctxt.first") && $switches <= $after - $before"
	check_true "the load was high ($switches switches in 30 s)" "$switches > 300000"
	check "the summary names events and bytes" "$(tail -n 5 "$T/record.log")" file_holds "$T/record.log" '[0-9] events'
	[ -z "$DEVICE" ] || loop_close "$loop_dev"
}

# The recorder is held (SIGSTOP) for a second, so its rings must overflow, whatever the machine's speed.
a_loss_is_told() {
	local kernel_ns name tid device=none nr_forks window whole

	if command -v fio >/dev/null && command -v losetup >/dev/null && loop_open 64M; then device=$loop_dev; fi
	cat >"$T/small.sh" <<-'LOAD'
		setsid perf bench sched pipe -l 1000000000 >/dev/null 2>&1 & pipe_pid=$! # a group of its own: perf forks
		"$H/schedstat_probe" 3 "$T/truth.json" & probe_pid=$!
		fio_pid=
		if [ -n "$DEVICE" ]; then
			nice -n -20 fio "$here/fio/beside.fio" >/dev/null 2>&1 & fio_pid=$!
			while kill -0 $fio_pid && [ "$(awk '{ print $1 }' "/sys/block/${DEVICE#/dev/}/stat")" -lt 1000 ]; do sleep 0.05; done
		fi
		cut -d' ' -f1 /proc/uptime >"$T/stopped"
		kill -STOP "$PPID"
		sleep 1
		kill -CONT "$PPID"
		wait "$probe_pid"
		kill -- -"$pipe_pid" $fio_pid
		wait
	LOAD
	nr_forks=$(forks)
	[ $device = none ] || DEVICE=/dev/$device
	DEVICE=${DEVICE:-} RATE=20000 LOAD_S=30 "$TT" record --ring-size 64k -o "$T/small.tt" -- bash "$T/small.sh" >"$T/small.log" 2>&1 ||
		{ not_ok "record with a tiny ring" "$(tail -n 3 "$T/small.log")"; return; }
	nr_forks=$(($(forks) - nr_forks))
	report_json "$T/small.tt" "$T/small.json" --top 1000 || { not_ok "report of a lossy session" "$(head -n 1 "$T/small.json.err")"; return; }
	"$TT" report "$T/small.tt" >"$T/small.txt" 2>&1

	check_true "tiny ring: the loss is counted" "$(lost_of "$T/small.json") > 1000"
	check "tiny ring: the summary of record shows it" "$(tail -n 3 "$T/small.log")" \
		grep -qE '[1-9][0-9,]* (switches )?(lost|shed)|(lost|shed)[^0-9]*[1-9]' "$T/small.log"
	check "tiny ring: the report's head shows it" "$(head -n 2 "$T/small.txt")" grep -qE '[1-9][0-9,]* lost' "$T/small.txt"
	check "tiny ring: the report says when and that percentiles are partial" "$(grep -i -m 1 partial "$T/small.txt")" \
		grep -qiE 'partial.*between|between.*partial' "$T/small.txt"
	check_true "tiny ring: histograms are marked partial" \
		"$(json "$T/small.json" '[.sections.runq.histograms[] | select(.partial)] | length') > 0"

	bad=0 within_ns=20000 # the same bound as without loss, see runq.t
	while read -r cpu recorded shed unseen kernel; do
		if [ "$((recorded + shed + unseen))" != "$kernel" ] || ! few_unseen "$unseen" "$kernel"; then
			bad=$((bad + 1))
			echo "$cpu: $recorded recorded, $shed shed, $unseen unseen, the run queue counted $kernel" >&2
		fi
		# a wait whose end no program saw is told with the task's next one: of the last it is missing
		[ "$unseen" = 0 ] || within_ns=20000000
	done < <(cpu_rows "$T/small.json")
	check_equal "tiny ring: recorded + shed + few unseen = nr_switches on each CPU" "$bad" 0
	while read -r name tid kernel_ns; do
		check_near "tiny ring: $name's summed wait is still exact" \
			"$(json "$T/small.json" ".sections.runq.tables.waiters[] | select(.tid == $tid) | .wait_sum_ns")" "$kernel_ns" $within_ns 0
	done < <(json "$T/truth.json" '.tasks[] | select(.name == "ttbusy0" or .name == "ttbusy5" or .name == "ttsleep0") | "\(.name) \(.tid) \(.run_delay_ns)"')

	# Sums of our own records and headers against sums of the kernel's counters.
	all() { json "$1" ".sections.runq.tables.cpus[] | select(.cpu == \"all\") | .$2"; }
	check_true "tiny ring: waits were shed, and are in the sum" "$(all "$T/small.json" shed_wait_ns) > 1e8"
	check_equal "tiny ring: the tasks' sums and what is nobody's are the CPUs' sum" \
		"$(json "$T/small.json" '[.sections.runq.tables.waiters[].wait_sum_ns] | add')" "$(all "$T/small.json" wait_sum_ns)"
	check_equal "tiny ring: all sums agree with the kernel's counters" \
		"$(json "$T/small.json" '[.verified[] | select(.ok | not) | .text] | join(", ")')" ""
	if [ $device = none ]; then
		skip "tiny ring: requests that were shed" "no fio or no loop device"
	else
		disk() { json "$1" ".sections.disk.tables.devices[] | select(.device == \"$device\") | .$2"; }
		check_true "tiny ring: requests were shed" "$(disk "$T/small.json" shed_requests) > 100"
		check "tiny ring: and the disks' counts are exact" "$(json "$T/small.json" '.verified[] | select(.probe == "disk") | .text')" \
			eval '[ "$(json "$T/small.json" ".verified[] | select(.probe == \"disk\") | .text" | grep -c "exact\|in flight")" = 1 ]'
		check_equal "tiny ring: busy% is not made up of what is left" "$(disk "$T/small.json" busy_pct)" null
	fi

	# A part of the stretch in which everything was shed: it must not look like a quiet one. 0.4 s of the second in which the recorder was
	# held; both clocks count from boot.
	from=$(calc "$(cat "$T/stopped") + 0.4 - $(json "$T/small.json" .session.start_ts_ns) / 1e9")
	report_json "$T/small.tt" "$T/window.json" --from "${from}s" --to "$(calc "$from + 0.4")s" || { not_ok "report of a part" "$(head -n 1 "$T/window.json.err")"; return; }
	check_true "tiny ring: a part of the loss says so" "$(lost_of "$T/window.json") > 100"
	check_equal "tiny ring: a part of the loss is marked partial, or has no percentiles" \
		"$(json "$T/window.json" '[.sections.runq.histograms[]? | .partial] | all')" true
	window=$(all "$T/window.json" wait_ms_per_s)
	whole=$(all "$T/small.json" wait_ms_per_s)
	check_true "tiny ring: a part has its share of the waits ($window ms/s, $whole in all)" "$window > 0.3 * $whole && $window < 3 * $whole"
	if [ $device != none ]; then
		window=$(disk "$T/window.json" r_per_s)
		whole=$(disk "$T/small.json" r_per_s)
		check_true "tiny ring: and of the requests ($window/s, $whole in all)" "$window > 0.3 * $whole && $window < 3 * $whole"
		loop_close "$device"
	fi
}

nothing_is_lost
a_loss_is_told
finish
