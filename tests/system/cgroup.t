#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cgroup: a process with threads that moves to another cgroup while it is recorded counts there from then on, all of it: in the report, by a
# filter, and in the page.
# timeout: 60
. "$(dirname "$0")/lib.sh"
need_built
need_bpf
need python3 jq

# where a task's cgroup is looked for: the v2 hierarchy, or the v1 one of cpu
for mount in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/cpu; do
	old=$mount/timethief-test-$$/old new=$mount/timethief-test-$$/new
	[ -e $mount/cgroup.procs ] && mkdir -p $old $new 2>"$T/err" && break
	mount=
done
[ -n "$mount" ] || skip_all "no cgroup can be made here: $(cat "$T/err")"
at_exit "rmdir $old $new $mount/timethief-test-$$"

cat >"$T/load.py" <<'EOF'
import os, sys, threading, time

def turn():
    end = time.monotonic() + 2
    while time.monotonic() < end:
        time.sleep(0.001)

def move(to):
    with open(to + "/cgroup.procs", "w") as procs:
        procs.write(str(os.getpid()))

move(sys.argv[1])
threads = [threading.Thread(target=turn) for _ in range(4)]
for thread in threads:
    thread.start()
time.sleep(1)
move(sys.argv[2])
for thread in threads:
    thread.join()
move(sys.argv[3])  # so that the others can be removed
EOF
"$TT" record -q -o "$T/s.tt" -- python3 "$T/load.py" $old $new $mount 2>"$T/err" || { not_ok record "$(cat "$T/err")"; finish; }

report_json "$T/s.tt" "$T/report.json" --by cgroup --top 100000
waits_in() { json "$T/report.json" "[.sections.runq.tables.waiters[] | select((.cgroup_path // \"\") | endswith(\"timethief-test-$$/$1\")) | .waits] | add // 0"; }
check_true "waits before the move are of the one cgroup ($(waits_in old))" "$(waits_in old) > 500"
check_true "and after it of the other, those of the threads, too ($(waits_in new))" "$(waits_in new) > 500"
filtered() { json <("$TT" report --json --cgroup "/timethief-test-$$/$1" "$T/s.tt" 2>/dev/null) '.sections.runq.tables.cpus[] | select(.cpu == "all") | .waits'; }
check_equal "--cgroup of the one has the same" "$(filtered old)" "$(waits_in old)"
check_equal "and of the other" "$(filtered new)" "$(waits_in new)"
finish
