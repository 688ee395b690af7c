/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/ndjson_kinds.h"

#include <assert.h>
#include <string.h>

#include "collector/session/info.h"

#define AT(owner, member) offsetof(struct owner, member), sizeof(((struct owner *)0)->member)
#define UINT(key, owner, member, help)                                                                       \
	{                                                                                                    \
		key, help, TT_ND_UINT, TT_ND_NEVER_NULL, AT(owner, member), 0, NULL                          \
	}
#define UINT_OR_0(key, owner, member, help)                                                                  \
	{                                                                                                    \
		key, help, TT_ND_UINT, TT_ND_NULL_0, AT(owner, member), 0, NULL                              \
	}
#define UINT_OR_ONES(key, owner, member, help)                                                               \
	{                                                                                                    \
		key, help, TT_ND_UINT, TT_ND_NULL_ALL_ONES, AT(owner, member), 0, NULL                       \
	}
#define VALUE(key, how, owner, member, help)                                                                 \
	{                                                                                                    \
		key, help, how, TT_ND_NEVER_NULL, AT(owner, member), 0, NULL                                 \
	}
#define NAMED(key, how, owner, member, mask, names, help)                                                    \
	{                                                                                                    \
		key, help, how, TT_ND_NEVER_NULL, AT(owner, member), mask, names                             \
	}
#define CONST(key, json, help)                                                                               \
	{                                                                                                    \
		key, help, TT_ND_CONST, TT_ND_NEVER_NULL, 0, 0, 0, json                                      \
	}
#define END                                                                                                  \
	{                                                                                                    \
		0                                                                                            \
	}

static const struct tt_nd_name states[] = {
	{ TT_STATE_RUNNING, "R" },
	{ TT_STATE_SLEEPING, "S" },
	{ TT_STATE_DISK_SLEEP, "D" },
	{ TT_STATE_STOPPED, "T" },
	{ TT_STATE_TRACED, "t" },
	{ TT_STATE_DEAD, "X" },
	{ TT_STATE_PARKED, "P" },
	{ TT_STATE_IDLE, "I" },
	{ TT_STATE_ZOMBIE, "Z" },
	{ TT_STATE_OTHER, "other" },
	{ 0 },
};
static const struct tt_nd_name wait_kinds[] = {
	{ TT_WAIT_WAKEUP, "wakeup" },
	{ TT_WAIT_NEW, "new" },
	{ TT_WAIT_PREEMPTED, "preempted" },
	{ 0 },
};
static const struct tt_nd_name switch_flags[] = {
	{ TT_SW_PREEMPTED, "preempted" },   { TT_SW_PUSHED, "pushed" },
	{ TT_SW_IOWAIT, "iowait" },	    { TT_SW_WOKEN_IN_IRQ, "woken_in_irq" },
	{ TT_SW_MIGRATED, "migrated" },	    { TT_SW_THROTTLED, "throttled" },
	{ TT_SW_STEAL_JUMP, "steal_jump" }, { 0 },
};
static const struct tt_nd_name seen_by[] = {
	{ TT_SEEN_SWITCH, "switch" },
	{ TT_SEEN_TICK, "tick" },
	{ TT_SEEN_COMPLETION, "completion" },
	{ TT_SEEN_SYNC, "sync" },
	{ 0 },
};
static const struct tt_nd_name groups[] = {
	{ TT_DISK_READ, "read" },
	{ TT_DISK_WRITE, "write" },
	{ TT_DISK_DISCARD, "discard" },
	{ TT_DISK_FLUSHES, "flush" },
	{ 0 },
};
static const struct tt_nd_name disk_flags[] = {
	{ TT_DISK_COUNTED, "counted" },
	{ TT_DISK_SECTORS_COUNTED, "sectors_counted" },
	{ TT_DISK_NO_ISSUE, "no_issue" },
	{ TT_DISK_NO_START, "no_start" },
	{ TT_DISK_BIO, "bio" },
	{ TT_DISK_PASSTHROUGH, "passthrough" },
	{ TT_DISK_FLUSH, "flush" },
	{ TT_DISK_NO_END, "no_end" },
	{ 0 },
};
static const struct tt_nd_name task_reasons[] = {
	{ TT_TASK_AT_START, "at_start" }, { TT_TASK_FORK, "fork" },
	{ TT_TASK_EXEC, "exec" },	  { TT_TASK_RENAME, "rename" },
	{ TT_TASK_CGROUP, "cgroup" },	  { TT_TASK_EXIT, "exit" },
	{ TT_TASK_AT_END, "at_end" },	  { 0 },
};
static const struct tt_nd_name task_flags[] = {
	{ TT_TASK_KTHREAD, "kthread" },
	{ TT_TASK_OURS, "ours" },
	{ TT_TASK_WHOLE_PROCESS, "whole_process" },
	{ 0 },
};
static const struct tt_nd_name sample_modes[] = { { 0, "kernel" }, { TT_SAMPLE_USER, "user" }, { 0 } };
static const struct tt_nd_name sums_flags[] = { { TT_DISK_SUMS_PART, "part" }, { 0 } };
static const struct tt_nd_name module_flags[] = {
	{ TT_MODULE_KERNEL, "kernel" },		{ TT_MODULE_JIT, "jit" },
	{ TT_MODULE_DELETED, "deleted" },	{ TT_MODULE_REPLACED, "replaced" },
	{ TT_MODULE_NO_SYMBOLS, "no_symbols" }, { 0 },
};
static const struct tt_nd_name format_version[] = { { 0, "1" }, { 0 } };
static const struct tt_nd_name clock_name[] = { { 0, "\"CLOCK_MONOTONIC\"" }, { 0 } };
static const struct tt_nd_name units[] = {
	{ 0, "{\"_ns\":\"nanoseconds\",\"_ms\":\"milliseconds\",\"bytes\":\"bytes\",\"sector\":\"512 bytes\","
	     "\"_sectors\":\"512 bytes\",\"_ticks\":\"1/user_hz seconds\"}" },
	{ 0 }
};

static const struct tt_nd_field session_fields[] = {
	CONST("timethief_ndjson", format_version,
	      "version of this format; new types and fields do not change it"),
	CONST("clock", clock_name, "of ts_ns and all that ends in _ts_ns"),
	CONST("units", units, "by the end of a field's name"),
	VALUE("tool_version", TT_ND_TEXT, tt_info, tool_version, "of timethief, at recording"),
	VALUE("hostname", TT_ND_TEXT, tt_info, hostname, "the recorded machine"),
	VALUE("kernel_release", TT_ND_TEXT, tt_info, kernel_release, "uname -r"),
	VALUE("kernel_version", TT_ND_TEXT, tt_info, kernel_version, "uname -v"),
	VALUE("arch", TT_ND_TEXT, tt_info, arch, "uname -m"),
	VALUE("boot_id", TT_ND_TEXT, tt_info, boot_id, "of this boot"),
	VALUE("hypervisor", TT_ND_TEXT, tt_info, hypervisor, "KVM, Xen, VMware, Hyper-V, none, unknown"),
	VALUE("steal_reported", TT_ND_BOOL, tt_info, steal_reported,
	      "whether the kernel accounts steal at all"),
	UINT("nr_cpus_possible", tt_info, nr_cpus_possible, "CPUs that could be there"),
	UINT("nr_cpus_online", tt_info, nr_cpus_online, "CPUs online at the start"),
	UINT("user_hz", tt_info, user_hz, "ticks a second in fields that end in _ticks"),
	UINT("start_ts_ns", tt_info, start_ts_ns, "start of the recording, CLOCK_MONOTONIC as every ts_ns"),
	VALUE("realtime_offset_ns", TT_ND_INT, tt_info, realtime_offset_ns,
	      "CLOCK_REALTIME less CLOCK_MONOTONIC at the start"),
	VALUE("utc_offset_s", TT_ND_INT, tt_info, utc_offset_s, "local time of the machine less UTC"),
	VALUE("time_zone", TT_ND_TEXT, tt_info, time_zone, "its name"),
	VALUE("source", TT_ND_TEXT, tt_info, source, "bpf or stap"),
	VALUE("source_reason", TT_ND_TEXT, tt_info, source_reason,
	      "why not a better one; empty: it is the best"),
	VALUE("command", TT_ND_TEXT, tt_info, command, "record -- COMMAND"),
	VALUE("filter_pid", TT_ND_TEXT, tt_info, filter_pid,
	      "-p of the recording, which is the default here"),
	VALUE("filter_cgroup", TT_ND_TEXT, tt_info, filter_cgroup, "--cgroup"),
	VALUE("filter_device", TT_ND_TEXT, tt_info, filter_device, "--device"),
	VALUE("filter_cpu", TT_ND_TEXT, tt_info, filter_cpu, "--cpu"),
	{ "probes", "what was recorded, and by which hook", TT_ND_PROBES, TT_ND_NEVER_NULL, 0, 0, 0, NULL },
	END,
};

static const struct tt_nd_field switch_fields[] = {
	UINT_OR_ONES("prev_tid", tt_nd_switch, sw.prev_tid, "who left; null right after a loss"),
	VALUE("prev_comm", TT_ND_COMM, tt_nd_switch, sw.prev_tid, "its name"),
	NAMED("prev_state", TT_ND_ENUM, tt_nd_switch, sw.ev.flags, TT_SW_STATE_MASK, states,
	      "what it does now, as in ps(1)"),
	UINT_OR_0("slice_ns", tt_nd_switch, sw.slice_ns, "how long it ran, steal included; null: not seen"),
	UINT("next_tid", tt_nd_switch, sw.next_tid, "who came; 0: idle"),
	VALUE("next_comm", TT_ND_COMM, tt_nd_switch, sw.next_tid, "its name"),
	UINT("next_prio", tt_nd_switch, sw.next_prio,
	     "kernel priority: 0 to 99 real-time, 100 to 139 normal, 255 deadline"),
	NAMED("wait_kind", TT_ND_ENUM, tt_nd_switch, sw.wait_kind, 0, wait_kinds,
	      "why it had to wait; null: not known"),
	UINT("wait_ns", tt_nd_switch, sw.wait_ns, "how long it waited for a CPU: growth of its run_delay"),
	UINT("wait_stolen_ns", tt_nd_switch, wait_stolen_ns, "of it stolen from the CPU it was queued on"),
	UINT("deliver_ns", tt_nd_switch, sw.deliver_ns, "from waking to the queue, before the wait"),
	UINT_OR_ONES("waker_tid", tt_nd_switch, waker_tid,
		     "who woke it (or whom the interrupt hit that did), or its parent"),
	VALUE("waker_comm", TT_ND_COMM, tt_nd_switch, waker_tid, "its name"),
	UINT_OR_ONES("queued_cpu", tt_nd_switch, sw.queued_cpu, "the CPU it was queued on first"),
	NAMED("flags", TT_ND_FLAGS, tt_nd_switch, sw.ev.flags, 0, switch_flags,
	      "preempted, pushed, iowait: of who left; the others of who came"),
	VALUE("prev_kstack", TT_ND_STACK, tt_nd_switch, sw.prev_kstack, "where who left is, in the kernel"),
	VALUE("prev_ustack", TT_ND_STACK, tt_nd_switch, sw.prev_ustack, "where who left is, in its program"),
	VALUE("waker_kstack", TT_ND_STACK, tt_nd_switch, sw.waker_kstack,
	      "what the waker did, in the kernel"),
	VALUE("waker_ustack", TT_ND_STACK, tt_nd_switch, sw.waker_ustack,
	      "what the waker did, in its program"),
	END,
};

static const struct tt_nd_field steal_fields[] = {
	UINT("steal_ns", tt_ev_steal, steal_ns, "stolen from this CPU"),
	UINT("since_ns", tt_ev_steal, since_ns, "time since the observation before: the gap lies in it"),
	UINT_OR_ONES("tid", tt_ev_steal, tid, "who was on the CPU; null: not known"),
	VALUE("comm", TT_ND_COMM, tt_ev_steal, tid, "its name"),
	NAMED("seen", TT_ND_ENUM, tt_ev_steal, seen, 0, seen_by, "what saw it first"),
	VALUE("shed", TT_ND_BOOL, tt_ev_steal, shed,
	      "not a gap: the sum of a stretch whose records were shed"),
	VALUE("kstack", TT_ND_STACK, tt_ev_steal, kstack, "what it hit, in the kernel"),
	VALUE("ustack", TT_ND_STACK, tt_ev_steal, ustack, "what it hit, in the program"),
	END,
};

static const struct tt_nd_field disk_fields[] = {
	VALUE("device", TT_ND_DEVICE, tt_nd_disk, disk.dev, "name of the disk"),
	UINT("dev", tt_nd_disk, disk.dev, "major << 20 | minor"),
	NAMED("operation", TT_ND_ENUM, tt_nd_disk, group, 0, groups, "as /proc/diskstats counts it"),
	VALUE("cmd_flags", TT_ND_HEX, tt_nd_disk, disk.cmd_flags,
	      "request->cmd_flags; the low 8 bits are enum req_op"),
	UINT_OR_ONES("tid", tt_nd_disk, tid, "who submitted"),
	VALUE("comm", TT_ND_COMM, tt_nd_disk, tid, "its name"),
	UINT("sector", tt_nd_disk, disk.sector, "where, in 512 bytes"),
	UINT("bytes", tt_nd_disk, disk.bytes, "completed"),
	UINT("total_ns", tt_nd_disk, disk.total_ns, "from start to completion: the sum of the next four"),
	UINT("queue_ns", tt_nd_disk, disk.queue_ns, "before the first issue to the driver"),
	UINT("requeue_ns", tt_nd_disk, disk.requeue_ns, "requeued, until issued again"),
	UINT("device_ns", tt_nd_disk, disk.device_ns, "with the driver"),
	UINT("flush_ns", tt_nd_disk, disk.flush_ns, "in the flush sequence around it"),
	UINT("nr_counted", tt_nd_disk, nr_counted, "as how many requests /proc/diskstats counts it"),
	UINT("nr_issues", tt_nd_disk, disk.nr_issues, "times issued"),
	UINT("nr_completions", tt_nd_disk, disk.nr_completions, "more than 1: in parts"),
	UINT("error", tt_nd_disk, disk.error, "blk_status_t of the first failure; 0: none"),
	UINT_OR_ONES("submit_cpu", tt_nd_disk, disk.submit_cpu, "where it was submitted"),
	UINT_OR_ONES("issue_cpu", tt_nd_disk, disk.issue_cpu, "where it was issued"),
	UINT_OR_0("steal_issue_ns", tt_nd_disk, disk.steal_issue_ns, "steal clock of issue_cpu then"),
	UINT_OR_0("steal_done_ns", tt_nd_disk, disk.steal_done_ns, "steal clock of cpu at completion"),
	NAMED("flags", TT_ND_FLAGS, tt_nd_disk, disk.flags, 0, disk_flags, "bpf/event.h, TT_DISK_*"),
	VALUE("kstack", TT_ND_STACK, tt_nd_disk, kstack, "of the submitter, in the kernel"),
	VALUE("ustack", TT_ND_STACK, tt_nd_disk, ustack, "of the submitter, in its program"),
	END,
};

static const struct tt_nd_field sample_fields[] = {
	UINT("tid", tt_sample, tid, "who ran; 0: idle"),
	UINT("pid", tt_sample, pid, "its process"),
	VALUE("comm", TT_ND_COMM, tt_sample, tid, "its name"),
	NAMED("mode", TT_ND_ENUM, tt_sample, flags, TT_SAMPLE_USER, sample_modes, "what code"),
	UINT("period_ns", tt_sample, period_ns, "that it stands for: since the sample before"),
	UINT("steal_ns", tt_sample, steal_ns, "stolen of it"),
	UINT("unsampled_ns", tt_sample, unsampled_ns, "before that, for which no sample stands"),
	VALUE("kstack", TT_ND_STACK, tt_sample, kstack, "in the kernel"),
	VALUE("ustack", TT_ND_STACK, tt_sample, ustack, "in its program"),
	END,
};

static const struct tt_nd_field task_fields[] = {
	UINT("tid", tt_task, tid, "the kernel's task->pid"),
	UINT("pid", tt_task, pid, "of its process"),
	UINT("parent_pid", tt_task, parent_pid, "of the process that its parent is in"),
	VALUE("comm", TT_ND_TEXT, tt_task, comm, "its name"),
	NAMED("why", TT_ND_ENUM, tt_task, why, 0, task_reasons, "what it did"),
	NAMED("flags", TT_ND_FLAGS, tt_task, flags, 0, task_flags, "ours: of the recorder"),
	UINT("start_ns", tt_task, start_ns, "task->start_time: tells who has the same tid apart"),
	VALUE("cgroup_id", TT_ND_HEX, tt_task, cgroup_id, "bit 63: of the v1 cpu hierarchy"),
	VALUE("cgroup", TT_ND_CGROUP, tt_task, cgroup_id, "its path"),
	UINT("run_delay_ns", tt_task, run_delay_ns, "kernel's sum of waits"),
	UINT("open_wait_ns", tt_task, open_wait_ns, "waiting right now for so long, not in run_delay_ns"),
	UINT("exec_ns", tt_task, exec_ns, "kernel's sum of CPU time"),
	END,
};

static const struct tt_nd_field cgroup_fields[] = {
	VALUE("id", TT_ND_HEX, tt_cgroup, id, "bit 63: of the v1 cpu hierarchy"),
	VALUE("path", TT_ND_TEXT, tt_cgroup, path, "from the root of its hierarchy"),
	END,
};

static const struct tt_nd_field device_fields[] = {
	UINT("dev", tt_device, dev, "major << 20 | minor"),
	VALUE("name", TT_ND_TEXT, tt_device, name, "vda"),
	VALUE("is_partition", TT_ND_BOOL, tt_device, is_partition, "of a disk"),
	VALUE("is_stacked", TT_ND_BOOL, tt_device, is_stacked,
	      "on other disks: its requests are theirs, too"),
	UINT("rotational", tt_device, rotational, "as in /sys/block"),
	UINT("size_sectors", tt_device, size_sectors, "of 512 bytes"),
	END,
};

static const struct tt_nd_field cpu_counter_fields[] = {
	UINT("user_ticks", tt_cpu_counters, ticks[0], "/proc/stat"),
	UINT("nice_ticks", tt_cpu_counters, ticks[1], "/proc/stat"),
	UINT("system_ticks", tt_cpu_counters, ticks[2], "/proc/stat"),
	UINT("idle_ticks", tt_cpu_counters, ticks[3], "/proc/stat"),
	UINT("iowait_ticks", tt_cpu_counters, ticks[4], "/proc/stat"),
	UINT("irq_ticks", tt_cpu_counters, ticks[5], "/proc/stat"),
	UINT("softirq_ticks", tt_cpu_counters, ticks[6], "/proc/stat"),
	UINT("steal_ticks", tt_cpu_counters, ticks[7], "/proc/stat"),
	UINT("guest_ticks", tt_cpu_counters, ticks[8], "/proc/stat"),
	UINT("guest_nice_ticks", tt_cpu_counters, ticks[9], "/proc/stat"),
	UINT_OR_0("steal_clock_ns", tt_cpu_counters, steal_clock_ns, "as the probe reads it"),
	UINT_OR_0("prev_steal_rq_ns", tt_cpu_counters, prev_steal_rq_ns, "rq->prev_steal_time_rq"),
	UINT_OR_0("nr_switches", tt_cpu_counters, nr_switches, "rq->nr_switches"),
	END,
};

static const struct tt_nd_field disk_counter_fields[] = {
	UINT("dev", tt_disk_counters, dev, "major << 20 | minor"),
	VALUE("name", TT_ND_TEXT, tt_disk_counters, name, "vda"),
	UINT("in_flight", tt_disk_counters, in_flight, "/proc/diskstats"),
	UINT("reads", tt_disk_counters, ios[0], "/proc/diskstats"),
	UINT("writes", tt_disk_counters, ios[1], "/proc/diskstats"),
	UINT("discards", tt_disk_counters, ios[2], "/proc/diskstats"),
	UINT("flushes", tt_disk_counters, ios[3], "/proc/diskstats"),
	UINT("read_merges", tt_disk_counters, merges[0], "/proc/diskstats"),
	UINT("write_merges", tt_disk_counters, merges[1], "/proc/diskstats"),
	UINT("discard_merges", tt_disk_counters, merges[2], "/proc/diskstats"),
	UINT("read_sectors", tt_disk_counters, sectors[0], "/proc/diskstats"),
	UINT("written_sectors", tt_disk_counters, sectors[1], "/proc/diskstats"),
	UINT("discarded_sectors", tt_disk_counters, sectors[2], "/proc/diskstats"),
	UINT("read_ms", tt_disk_counters, ticks_ms[0], "/proc/diskstats; wraps at 2^32"),
	UINT("write_ms", tt_disk_counters, ticks_ms[1], "/proc/diskstats; wraps at 2^32"),
	UINT("discard_ms", tt_disk_counters, ticks_ms[2], "/proc/diskstats; wraps at 2^32"),
	UINT("flush_ms", tt_disk_counters, ticks_ms[3], "/proc/diskstats; wraps at 2^32"),
	UINT("io_ticks_ms", tt_disk_counters, io_ticks_ms, "/proc/diskstats; wraps at 2^32"),
	UINT("time_in_queue_ms", tt_disk_counters, time_in_queue_ms, "/proc/diskstats; wraps at 2^32"),
	END,
};

static const struct tt_nd_field task_counter_fields[] = {
	UINT("tid", tt_task_counters, tid, "the kernel's task->pid"),
	UINT("pid", tt_task_counters, pid, "of its process"),
	VALUE("comm", TT_ND_TEXT, tt_task_counters, comm, "its name"),
	UINT("start_ns", tt_task_counters, start_ns, "tells who has the same tid apart"),
	UINT("exec_ns", tt_task_counters, exec_ns, "/proc/PID/task/TID/schedstat"),
	UINT("run_delay_ns", tt_task_counters, run_delay_ns, "/proc/PID/task/TID/schedstat"),
	UINT("nr_timeslices", tt_task_counters, nr_timeslices, "/proc/PID/task/TID/schedstat"),
	END,
};

static const struct tt_nd_field disk_sums_fields[] = {
	VALUE("device", TT_ND_DEVICE, tt_disk_sums, dev, "name of the disk"),
	UINT("dev", tt_disk_sums, dev, "major << 20 | minor"),
	NAMED("operation", TT_ND_ENUM, tt_disk_sums, group, 0, groups, "as /proc/diskstats counts it"),
	NAMED("flags", TT_ND_FLAGS, tt_disk_sums, flags, 0, sums_flags,
	      "part: cut by --from or --to, by its share in time"),
	UINT("nr_merges", tt_disk_sums, nr_merges, "into requests of this disk, since the line before"),
	UINT("nr_shed", tt_disk_sums, nr_shed, "requests whose records found no room"),
	UINT("shed_bytes", tt_disk_sums, shed_bytes, "of them"),
	UINT("shed_total_ns", tt_disk_sums, shed_total_ns, "of them"),
	UINT("shed_queue_ns", tt_disk_sums, shed_queue_ns, "of them"),
	UINT("shed_device_ns", tt_disk_sums, shed_device_ns, "of them"),
	END,
};

static const struct tt_nd_field loss_fields[] = {
	VALUE("what", TT_ND_LOSS, tt_loss, what, "what was lost"),
	UINT("count", tt_loss, count, "how many"),
	UINT("since_ts_ns", tt_loss, since_ts_ns, "after this, and not after ts_ns"),
	END,
};

static const struct tt_nd_field hook_change_fields[] = {
	VALUE("probe", TT_ND_TEXT, tt_hook_change, probe, "which"),
	VALUE("from", TT_ND_TEXT, tt_hook_change, from, "the hook that saw nothing"),
	VALUE("to", TT_ND_TEXT, tt_hook_change, to, "what took its place"),
	END,
};

static const struct tt_nd_field window_fields[] = {
	VALUE("begins", TT_ND_BOOL, tt_ev_window, begins, "recording begins on this CPU; else it ends"),
	UINT("tid", tt_ev_window, tid, "who was running"),
	VALUE("comm", TT_ND_COMM, tt_ev_window, tid, "its name"),
	UINT_OR_0("steal_clock_ns", tt_ev_window, steal_clock_ns, "of this CPU"),
	UINT("nr_switches", tt_ev_window, nr_switches, "rq->nr_switches"),
	UINT("wait_total_ns", tt_ev_window, wait_total_ns, "sum of all waits on this CPU"),
	END,
};

static const struct tt_nd_field shed_wait_fields[] = {
	UINT("wait_ns", tt_ev_shed_wait, wait_ns,
	     "sum of the waits that ended in a stretch whose switches were shed"),
	UINT("since_ts_ns", tt_ev_shed_wait, since_ts_ns, "its beginning"),
	END,
};

static const struct tt_nd_field module_fields[] = {
	VALUE("path", TT_ND_STRING, tt_nd_module, path,
	      "a file, [kernel.kallsyms], or a module of the kernel"),
	VALUE("build_id", TT_ND_STRING, tt_nd_module, build_id, "in hex"),
	NAMED("flags", TT_ND_FLAGS, tt_nd_module, flags, 0, module_flags, "bpf/event.h, TT_MODULE_*"),
	END,
};

static const struct tt_nd_field stack_fields[] = {
	VALUE("id", TT_ND_STACK, tt_nd_stack, id, "as in the lines that have it"),
	VALUE("known", TT_ND_BOOL, tt_nd_stack, is_known, "else what it stands for was lost"),
	VALUE("cut", TT_ND_BOOL, tt_nd_stack, is_cut, "deeper than could be taken"),
	{ "frames", "its functions, leaf first", TT_ND_FRAMES, TT_ND_NEVER_NULL, 0, 0, 0, NULL },
	END,
};

static const struct tt_nd_field end_fields[] = {
	UINT("from_ts_ns", tt_nd_end, from_ts_ns, "of what was exported"),
	UINT("to_ts_ns", tt_nd_end, to_ts_ns, "of what was exported"),
	UINT("nr_lines", tt_nd_end, nr_lines, "before this one"),
	VALUE("session_lacks", TT_ND_STRING, tt_nd_end, lack, "why the session is not whole; null: it is"),
	{ "lost", "in this time, of each kind", TT_ND_LOST, TT_ND_NEVER_NULL,
	  offsetof(struct tt_nd_end, nr_lost), 0, 0, NULL },
	END,
};

const struct tt_nd_kind tt_nd_kinds[] = {
	{ "session", "the first line: what was recorded, where and how", 0, session_fields },
	{ "sched-switch", "a context switch", TT_EV_SWITCH, switch_fields },
	{ "steal", "time that the hypervisor took from a CPU", TT_EV_STEAL, steal_fields },
	{ "disk", "a request that is over; ts_ns: its completion", TT_EV_DISK, disk_fields },
	{ "cpu-sample", "what a CPU did", TT_EV_SAMPLE, sample_fields },
	{ "task", "a task, with the kernel's counters by then", TT_EV_TASK, task_fields },
	{ "cgroup", "a cgroup", TT_EV_CGROUP, cgroup_fields },
	{ "device", "a disk", TT_EV_DEVICE, device_fields },
	{ "cpu-counters", "the kernel's counters of a CPU", TT_EV_CPU_COUNTERS, cpu_counter_fields },
	{ "disk-counters", "the kernel's counters of a disk", TT_EV_DISK_COUNTERS, disk_counter_fields },
	{ "task-counters", "the kernel's counters of a task", TT_EV_TASK_COUNTERS, task_counter_fields },
	{ "disk-sums", "requests that are known by their sums", TT_EV_DISK_SUMS, disk_sums_fields },
	{ "loss", "something was lost", TT_EV_LOSS, loss_fields },
	{ "hook-change", "a hook gave way to another", TT_EV_HOOK_CHANGE, hook_change_fields },
	{ "window", "where recording begins and ends on a CPU", TT_EV_WINDOW, window_fields },
	{ "shed-wait", "waits that are known by their sum", TT_EV_SHED_WAIT, shed_wait_fields },
	{ "module", "where code is from; comes before the first stack with it", 0, module_fields },
	{ "stack", "what an id of a stack stands for; comes before the first line with it", 0, stack_fields },
	{ "end", "the last line: if it is not there, the export is not whole", 0, end_fields },
	{ 0 },
};

const struct tt_nd_kind *tt_nd_kind_of(unsigned kind)
{
	for (const struct tt_nd_kind *k = tt_nd_kinds; k->type; k++) {
		if (k->kind == kind && kind)
			return k;
	}
	return NULL;
}

const struct tt_nd_kind *tt_nd_kind_named(const char *type)
{
	const struct tt_nd_kind *k = tt_nd_kinds;

	while (k->type && strcmp(k->type, type) != 0)
		k++;
	assert(k->type);
	return k;
}
