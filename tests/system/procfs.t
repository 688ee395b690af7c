#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# procfs: without privileges the counters of /proc give %steal, the iostat -x table and each task's run delay, and the output
# says what it cannot know. Run as root it becomes nobody; where root may not use BPF anyway, it is unprivileged enough.
. "$(dirname "$0")/lib.sh"
need_built
need jq

# The binary may lie where the other user cannot look.
bin=$(mktemp -d /tmp/timethief-test.XXXXXX)
at_exit "rm -rf $bin"
install -m 755 "$TT" "$bin/timethief"
install -m 755 "$H/spinner" "$H/sleeper" "$bin/"
mkdir -m 777 "$bin/out"
chmod 755 "$bin"
as_nobody() { "$@"; }
if [ "$(id -u)" = 0 ] && [ -z "$(why_no_bpf)" ]; then
	need setpriv
	as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"; }
	as_nobody true 2>"$T/setpriv.err" || skip_all "cannot become another user: $(cat "$T/setpriv.err")"
fi
tt() { (cd "$bin/out" && as_nobody "$bin/timethief" "$@"); }

begin as_nobody "$bin/spinner" $(($(nproc) * 3)) 30
loops() { pgrep -f "^$bin/spinner" | while read -r pid; do pgrep -P "$pid" >/dev/null || echo "$pid"; done; } # not their parent
wait_until 5 eval '[ "$(loops | wc -l)" = $(($(nproc) * 3)) ]'
waiters=$(loops | tr '\n' ' ')
device=
if [ "$(id -u)" = 0 ] && command -v losetup >/dev/null && loop_open 16M; then device=$loop_dev; fi
delays() { for pid in $waiters; do awk '{ print $2 }' "/proc/$pid/schedstat"; done | awk '{ n += $1 } END { printf "%.0f", n }'; }
# Readings around the recording and within it, so that what it says must lie between; the disk is idle at both ends.
cat >"$bin/out/within.sh" <<LOAD
for pid in $waiters; do awk '{ print \$2 }' /proc/\$pid/schedstat; done >first
sleep 3
for pid in $waiters; do awk '{ print \$2 }' /proc/\$pid/schedstat; done >last
LOAD
grep '^cpu[0-9]' /proc/stat >"$T/stat.before"
delays_before=$(delays)
[ -z "$device" ] || disk_before=$(diskstats_of "$device")
if [ -n "$device" ]; then
	begin bash -c "sleep 1; dd if=/dev/$device of=/dev/null bs=16k count=200 iflag=direct; dd if=/dev/zero of=/dev/$device bs=4k count=100 oflag=direct" >"$T/dd.log" 2>&1
fi
tt record --source procfs -o s.tt -- bash within.sh >"$T/record.log" 2>&1
check_equal "record --source procfs as nobody" "$?" 0
delays_after=$(delays)
grep '^cpu[0-9]' /proc/stat >"$T/stat.after"
[ -z "$device" ] || disk_after=$(diskstats_of "$device")
tt report --json s.tt >"$T/report.json" 2>"$T/report.err" || { not_ok report "$(head -n 1 "$T/report.err")"; finish; }
tt report s.tt >"$T/report.txt" 2>&1

check_equal "the report names its source" "$(json "$T/report.json" .source.name)" procfs
awk 'NR == FNR { before[$1] = $9; next } { print $1, $9 - before[$1] }' "$T/stat.before" "$T/stat.after" >"$T/steal"
user_hz=$(getconf CLK_TCK)
while read -r cpu ticks; do
	# Ours is read within the two readings here: a little less is right, more is wrong; one USER_HZ for the rounding.
	ours_ns=$(json "$T/report.json" ".sections.steal.tables.cpus[] | select(.cpu == \"$cpu\") | .stolen_ns")
	if [ "$ours_ns" = null ] && [ "$(json "$T/report.json" .host.steal_reported)" = false ]; then
		skip "$cpu: stolen ns" "this machine reports no steal"
		continue
	fi
	check_near "$cpu: stolen ns" "$ours_ns" "$(calc "$ticks * 1e9 / $user_hz")" 20000000 0.2
done <"$T/steal"
check_true "the disk table has iostat's columns" \
	"$(json "$T/report.json" '[.sections.disk.tables.devices[]? | select(has("r_await_ms") and has("aqu_sz") and has("util_pct"))] | length') == $(json "$T/report.json" '[.sections.disk.tables.devices[]?] | length')"
# A disk section without devices has nothing to say it about, nor has one on steal where none is reported.
check_equal "every section says what it cannot know" \
	"$(json "$T/report.json" '[.sections | to_entries[] | select(.value.tables | length > 0) | select(.key != "disk" or (.value.tables.devices | length) > 0) |
		.value | any(.notes[]; test("single events"))] | all')" true
check "and so does the text" "no word of it" grep -q 'single' "$T/report.txt"

if [ -z "$device" ]; then
	skip "the disk table against /proc/diskstats" "no loop device"
else
	disk() { json "$T/report.json" ".sections.disk.tables.devices[] | select(.device == \"$device\") | .$1"; }
	check_true "there was a load ($(diskstats_delta "$disk_before" "$disk_after" 1) reads)" "$(diskstats_delta "$disk_before" "$disk_after" 1) >= 200"
	check_equal "reads are those of /proc/diskstats" "$(disk reads)" "$(diskstats_delta "$disk_before" "$disk_after" 1)"
	check_equal "and sectors read" "$(calc "$(disk read_bytes) / 512")" "$(diskstats_delta "$disk_before" "$disk_after" 3)"
	check_equal "writes are those of /proc/diskstats" "$(disk writes)" "$(diskstats_delta "$disk_before" "$disk_after" 5)"
	check_equal "and sectors written" "$(calc "$(disk written_bytes) / 512")" "$(diskstats_delta "$disk_before" "$disk_after" 7)"
	# the kernel's ms over its count: the formula of iostat
	check_near "r_await is iostat's" "$(disk r_await_ms)" \
		"$(calc "$(diskstats_delta "$disk_before" "$disk_after" 4) / $(diskstats_delta "$disk_before" "$disk_after" 1)")" 0.0001 0
fi
if [ -r /proc/self/schedstat ]; then
	spinner_ns=$(json "$T/report.json" '[.sections.runq.tables.tasks[] | select(.comm == "spinner") | .wait_sum_ns] | add')
	least=$(paste -d' ' "$bin/out/first" "$bin/out/last" | awk '{ n += $2 - $1 } END { printf "%.0f", n }')
	most=$((delays_after - delays_before))
	check_true "run delay of the busy loops lies between readings within and around ($least <= $spinner_ns <= $most)" \
		"$least > 1e9 && $spinner_ns >= $least && $spinner_ns <= $most"
else
	skip "run delay per task" "this kernel has no /proc/PID/schedstat"
fi

if as_nobody "$H/can_bpf" >/dev/null 2>&1; then
	skip "auto falls back" "BPF is allowed to every user here"
else
	tt record --source auto -d 500ms -o auto.tt >"$T/auto.log" 2>&1
	check_equal "auto without privileges: exit status" $? 0
	check_true "auto says in one line why it is procfs" "$(grep -ciE 'procfs|/proc' "$T/auto.log") >= 1"
	check "the reason names what is missing" "$(head -n 2 "$T/auto.log")" grep -qE 'CAP_[A-Z]+|BTF|BPF|root' "$T/auto.log"
	tt record --source bpf -d 500ms -o bpf.tt >"$T/bpf.log" 2>&1
	check_equal "--source bpf without privileges: exit status" $? 1
	if [ -r /sys/kernel/btf/vmlinux ]; then
		check "it names the missing capability" "$(cat "$T/bpf.log")" grep -q 'CAP_' "$T/bpf.log"
	fi
	check_equal "it says so in one line" "$(wc -l <"$T/bpf.log")" 1
	check "it leaves no file" "bpf.tt was made" test ! -e "$bin/out/bpf.tt"
fi
finish
