# SPDX-License-Identifier: GPL-2.0-or-later
# Compares what two recordings of the same time say of each event: awk -f compare.awk SMALL BIG, both from tests/helpers/events. SMALL is the
# one whose windows are compared; BIG must reach beyond them. Prints lines NAME VALUE, and each difference on stderr.
#
# Events are paired per CPU: a switch by who left and who came, in order; a request by device, sector and operation, in order; a task by
# thread, why and name. Each side takes its own time, so times of pairs differ by what lies between two probes of one tracepoint
# (apart_ns_max). What the kernel says is the same to the bit: tasks, flags, waits, bytes.
function complain(what, a, b) {
	if (++nr_shown <= 40) print what "\n  small " a "\n  big   " b >"/dev/stderr"
}
# Of a pair of switches: everything but our own times. DELIVER is taken twice, too.
function switch_key() { return $4 " " $5 " " $6 " " $7 " " $12 }

FNR == 1 { side++ }
$1 == "window" && side == 1 { if ($4 == "begins" && !($2 in from)) from[$2] = $3; if ($4 == "ends") until[$2] = $3 }
$1 == "switch" {
	i = ++nr_sw[side, $2]
	ts[side, $2, i] = $3; who[side, $2, i] = $4 " " $5; what[side, $2, i] = switch_key(); deliver[side, $2, i] = $8
	wait[side, $2, i] = $7; why[side, $2, i] = $9 " " $10 " " $11
	cpus[$2] = 1
}
$1 == "disk" {
	# in the file they are in the order of CPUs
	key = $4 " " $5 " " $6; keys[key] = 1
	for (i = ++nr_disk[side, key]; i > 1 && disk_ts[side, key, i - 1] > $3; i--) {
		disk[side, key, i] = disk[side, key, i - 1]; disk_ts[side, key, i] = disk_ts[side, key, i - 1]
	}
	# how long it took is from each side's own clock
	disk[side, key, i] = "bytes " $7 " flags " $8 " issues " $9 " completions " $10 " error " $11 " submit_cpu " $12 " issue_cpu " $13 " tid " $14
	disk_ts[side, key, i] = $3
}
$1 == "task" && $4 != 1 && $4 != 7 { # those of the ends are at different times
	key = $5 " " $4 " " $10; i = ++nr_task[side, key]; tasks[key] = 1
	task[side, key, i] = "pid " $6 " parent " $7 " start " $9 " cgroup " $8 " flags " $8; task_ts[side, key, i] = $3
}
$1 == "steal" { steal[side] += $4 }
END {
	nobody_knows = "0x0 0 65535"
	for (c in cpus) {
		n = nr_sw[1, c]; m = nr_sw[2, c]
		# A wait in ns is as good as a name: the first one that both have is where they begin to go side by side.
		for (i = 1; i <= n; i++) {
			if (!wait[1, c, i]) continue
			for (j = 1; j <= m && what[2, c, j] != what[1, c, i]; j++) ;
			if (j <= m) break
		}
		for (; i > 1 && j > 1 && who[1, c, i - 1] == who[2, c, j - 1]; i--) j--
		nr_unpaired += i - 1
		for (; i <= n; i++) {
			nr_switches++
			if (j > m || who[1, c, i] != who[2, c, j]) {
				# one side has more: on to where they agree again
				for (k = j + 1; k <= j + 50 && k <= m; k++) if (wait[1, c, i] && what[2, c, k] == what[1, c, i]) break
				if (k > j + 50 || k > m) {
					nr_unpaired++
					complain("switch of cpu" c " at " ts[1, c, i] " has no counterpart", what[1, c, i], what[2, c, j])
					continue
				}
				for (; j < k; j++) { nr_extra++; complain("switch of cpu" c " at " ts[2, c, j] " is missing", "", what[2, c, j]) }
			}
			apart = ts[1, c, i] - ts[2, c, j]; if (apart < 0) apart = -apart
			if (apart > apart_max) apart_max = apart
			# The kernel skips a program that would interrupt itself. Then nobody knows how the task came to wait.
			if (what[1, c, i] == what[2, c, j] && why[1, c, i] == why[2, c, j]) nr_same++
			else if (what[1, c, i] == what[2, c, j] && why[2, c, j] == nobody_knows) nr_small_knows++
			else if (what[1, c, i] == what[2, c, j] && why[1, c, i] == nobody_knows) nr_big_knows++
			else { nr_differ++; complain("switch of cpu" c " at " ts[1, c, i] " and " ts[2, c, j], what[1, c, i] " " why[1, c, i], what[2, c, j] " " why[2, c, j]) }
			j++
		}
	}
	for (key in keys) {
		# BIG may have begun earlier with the same sector: pair from the last on
		n = nr_disk[1, key]; m = nr_disk[2, key]
		for (i = 0; i < n; i++) {
			nr_ios++
			if (i >= m) { nr_ios_unpaired++; complain("request " key " has no counterpart", disk[1, key, n - i], ""); continue }
			if (disk[1, key, n - i] == disk[2, key, m - i]) nr_ios_same++
			else { nr_ios_differ++; complain("request " key, disk[1, key, n - i], disk[2, key, m - i]) }
		}
	}
	for (key in tasks) {
		n = nr_task[1, key]; m = nr_task[2, key]
		for (i = 0; i < n; i++) {
			nr_tasks++
			if (i < m && task[1, key, n - i] == task[2, key, m - i]) nr_tasks_same++
			else { nr_tasks_differ++; complain("task " key, task[1, key, n - i], i < m ? task[2, key, m - i] : "none") }
		}
	}
	print "switches", nr_switches + 0; print "switches_same", nr_same + 0; print "switches_differ", nr_differ + 0; print "small_knows", nr_small_knows + 0; print "big_knows", nr_big_knows + 0
	print "switches_unpaired", nr_unpaired + 0; print "switches_extra", nr_extra + 0; print "apart_ns_max", apart_max + 0
	print "requests", nr_ios + 0; print "requests_same", nr_ios_same + 0; print "requests_differ", nr_ios_differ + 0; print "requests_unpaired", nr_ios_unpaired + 0
	print "tasks", nr_tasks + 0; print "tasks_same", nr_tasks_same + 0; print "tasks_differ", nr_tasks_differ + 0
	printf "steal_small %.0f\nsteal_big %.0f\n", steal[1], steal[2]
}
