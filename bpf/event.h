/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event.h - what a probe says and the collector hears; the one header both sides include.
 *
 * Bytes:  host-endian, fixed width, no hidden padding. How a session file packs them is session/'s secret.
 * Time:   every *_ts_ns is nanoseconds of CLOCK_MONOTONIC (bpf_ktime_get_ns, stap ktime_get_ns).
 * Tasks:  tid is the kernel's task->pid, pid is task->tgid, both in the initial pid namespace. 0 is idle.
 *
 * Everything travels in batches: a header (struct tt_batch) and the records behind it. There are two streams:
 *
 *   TT_STREAM_SCHED    one CPU's time line, packed: struct tt_switch for every context switch and struct
 * tt_mark for steal that was first seen between switches. Times are differences to the record before.
 *   TT_STREAM_RECORDS  everything else: whole records that begin with struct tt_record and carry their own
 * time.
 *
 * Nothing is dropped without a number: the header counts what was shed before it, cumulatively.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
typedef uint8_t tt_u8;
typedef uint16_t tt_u16;
typedef uint32_t tt_u32;
typedef uint64_t tt_u64;
typedef int64_t tt_s64;
#else
typedef __u8 tt_u8;
typedef __u16 tt_u16;
typedef __u32 tt_u32;
typedef __u64 tt_u64;
typedef __s64 tt_s64;
#endif

enum tt_kind {
#define TT_KIND(id, NAME, ...) TT_EV_##NAME = id,
#include "kinds.def"
#undef TT_KIND
};

enum tt_stream { TT_STREAM_SCHED = 1, TT_STREAM_RECORDS = 2 };

enum {
	TT_WIRE_VERSION = 1,
	TT_CPU_NONE = 0xffff,	   /* batch of no particular CPU (names, counters) */
	TT_BATCH_BYTES_MAX = 8192, /* a batch, header included, never exceeds this */
	TT_COMM_LEN = 16,
	TT_DISK_NAME_LEN = 32,
	TT_CGROUP_PATH_LEN = 256,
};

/* Header of a batch. 64 bytes.
 *
 * For TT_STREAM_SCHED all fields count; the absolute clocks make totals exact whatever was shed:
 *   steal_clock_ns(end) - steal_clock_ns(start) = steal of this CPU,
 *   nr_switches(end) - nr_switches(start) = recorded + shed + unseen switches,
 *   wait_total_ns(end) - wait_total_ns(start) = waits recorded + waits in shed records.
 * base_ts_ns, steal_clock_ns, nr_switches, wait_total_ns and prev_tid are the state just before the first
 * record; a batch may hold no record at all, and then says just that state (the end of a stretch). The nr_*
 * counts are cumulative since recording began on this CPU, up to just before the first record. For
 * TT_STREAM_RECORDS only size, cpu, stream, version, nr_records, base_ts_ns (of the first record) and
 * nr_shed_records are set.
 */
struct tt_batch {
	tt_u32 size; /* bytes, header included, a multiple of 8 */
	tt_u16 cpu;
	tt_u8 stream;  /* enum tt_stream */
	tt_u8 version; /* TT_WIRE_VERSION */
	tt_u64 base_ts_ns;
	tt_u64 steal_clock_ns;	 /* absolute, as the steal rung in use reads it, jumps taken out; 0 = no steal
				    rung */
	tt_u64 nr_switches;	 /* rq->nr_switches; where it cannot be read, our own count */
	tt_u64 wait_total_ns;	 /* sum of wait_ns of all switches, shed ones included */
	tt_u64 nr_shed_switches; /* switches whose record found no room */
	tt_u32 nr_shed_records;	 /* other records of this CPU that found no room */
	tt_u32 prev_tid;	 /* who was running at base_ts_ns */
	tt_u16 nr_records;
	tt_u16 flags;	  /* TT_BATCH_* */
	tt_u32 nr_nested; /* programs that interrupted another of this CPU and wrote nothing */
};

enum {
	TT_BATCH_FIRST = 1,	 /* recording begins on this CPU at base_ts_ns */
	TT_BATCH_LAST = 2,	 /* recording ended on this CPU after the last record of this batch */
	TT_BATCH_AFTER_SHED = 4, /* switch records or marks were shed between the batch before and this one */
};

/* u32 durations: below 2^31 they are nanoseconds; with the top bit set, the rest counts units of 1024 ns
 * (2.1 s to 36 min, at most 1.024 us too small). */
#define TT_DUR32_SCALED 0x80000000u

static inline tt_u32 tt_dur32_pack(tt_u64 ns)
{
	if (ns < TT_DUR32_SCALED)
		return (tt_u32)ns;
	ns >>= 10;
	return TT_DUR32_SCALED | (ns < TT_DUR32_SCALED ? (tt_u32)ns : TT_DUR32_SCALED - 1);
}

static inline tt_u64 tt_dur32_unpack(tt_u32 packed)
{
	return packed & TT_DUR32_SCALED ? (tt_u64)(packed & ~TT_DUR32_SCALED) << 10 : packed;
}

/* deliver_ns is a remainder of two clocks, or between two tracepoints: what is below is noise */
enum { TT_DELIVER_STEP_NS = 256 };

/* flags of the packed records */
enum {
	TT_SW_STATE_MASK = 0x000f, /* of who left: enum tt_task_state */
	TT_SW_PREEMPTED = 0x0010,  /* who left lost the CPU while it wanted to run on */
	TT_SW_IOWAIT = 0x0020,	   /* who left sleeps for I/O (task->in_iowait) */
	TT_SW_WAIT_MASK = 0x00c0,  /* why who comes had to wait: enum tt_wait_kind << TT_SW_WAIT_SHIFT */
	TT_SW_WAIT_SHIFT = 6,
	TT_SW_WOKEN_IN_IRQ = 0x0100, /* the waker was an interrupt that hit waker_tid */
	TT_SW_MIGRATED = 0x0200,     /* who comes waited on another CPU first (queued_cpu) */
	TT_SW_THROTTLED = 0x0400,    /* who comes was throttled by a CPU quota during the wait */
	TT_SW_PUSHED = 0x0800,	     /* who left was pushed off by the kernel, it did not call schedule(): R+ of perf */
	TT_SW_SEEN_MASK = 0x3000,    /* marks: what saw the steal: enum tt_steal_seen << TT_SW_SEEN_SHIFT */
	TT_SW_SEEN_SHIFT = 12,
	TT_SW_STEAL_JUMP = 0x4000, /* the steal clock went back or jumped; steal_ns was clamped */
	TT_SW_MARK = 0x8000,	   /* this record is a struct tt_mark */
};

enum tt_task_state {			      /* what a task that left the CPU does; the letters of ps(1) */
		     TT_STATE_RUNNING = 0,    /* R: still runnable */
		     TT_STATE_SLEEPING = 1,   /* S */
		     TT_STATE_DISK_SLEEP = 2, /* D */
		     TT_STATE_STOPPED = 3,    /* T */
		     TT_STATE_TRACED = 4,     /* t */
		     TT_STATE_DEAD = 5,	      /* X: nobody waits for it */
		     TT_STATE_PARKED = 6,     /* P */
		     TT_STATE_IDLE = 7,	      /* I: uninterruptible, not in the load average */
		     TT_STATE_OTHER = 8,
		     TT_STATE_ZOMBIE = 9, /* Z: dead, its parent has not asked yet */
};

enum tt_wait_kind {
	TT_WAIT_UNKNOWN = 0,   /* queued before recording began, or its start was not seen */
	TT_WAIT_WAKEUP = 1,    /* woken by waker_tid */
	TT_WAIT_NEW = 2,       /* first run after fork; waker_tid is the parent */
	TT_WAIT_PREEMPTED = 3, /* was pushed off a CPU (or yielded) while runnable */
};

enum tt_steal_seen { TT_SEEN_SWITCH = 0, TT_SEEN_TICK = 1, TT_SEEN_COMPLETION = 2, TT_SEEN_SYNC = 3 };

/* One context switch. Who left is the record before: its next_tid (the header's prev_tid for the first). */
struct tt_switch {
	tt_u32 dts_ns;	 /* since the record before, or since base_ts_ns; never scaled */
	tt_u32 steal_ns; /* dur32: stolen on this CPU since the record before; the victim is who left */
	tt_u16 flags;
	tt_u16 seq; /* low bits of nr_switches after this switch: a gap is a loss */
	tt_u32 next_tid;
	tt_u32 wait_ns;	   /* dur32: growth of sched_info.run_delay of who comes */
	tt_u32 deliver_ns; /* dur32: sched_waking to the queue; 0 unless TT_WAIT_WAKEUP. BPF: in steps of TT_DELIVER_STEP_NS, but for stamps */
	tt_u32 waker_tid;
	tt_u16 queued_cpu; /* CPU it was queued on first; TT_CPU_NONE = unknown */
	tt_u8 next_prio;   /* kernel prio: 0..99 real-time, 100..139 normal, 255 deadline */
	tt_u8 ext;	   /* number of 8-byte words that follow this record: enum tt_switch_ext */
};

/* Words behind a switch: ids of stacks. 0, 2 or 4 of them. */
enum tt_switch_ext {
	TT_EXT_PREV_KSTACK = 0, /* of who left: where it was preempted, or sleeps */
	TT_EXT_PREV_USTACK = 1,
	TT_EXT_WAKER_KSTACK = 2, /* of who woke who comes; of an interrupt the kernel's only */
	TT_EXT_WAKER_USTACK = 3,
	TT_EXT_MAX = 4,
};

/* Steal first seen between two switches. Emitted only when steal_ns > 0 (or at TT_SEEN_SYNC). */
struct tt_mark {
	tt_u32 dts_ns;
	tt_u32 steal_ns; /* dur32 */
	tt_u16 flags;	 /* TT_SW_MARK set */
	tt_u8 ext;	 /* number of 8-byte words that follow: 0, or ids of the victim's kernel and user stack */
	tt_u8 pad;
	tt_u32 tid; /* who was running: the victim */
};

#ifndef __bpf__
/* Bytes of a packed record with what follows it. flags lie at the same place in both, so one look tells which it is. */
static inline tt_u32 tt_packed_size(const struct tt_switch *rec)
{
	if (rec->flags & TT_SW_MARK)
		return sizeof(struct tt_mark) + 8u * ((const struct tt_mark *)rec)->ext;
	return sizeof(*rec) + 8u * rec->ext;
}
_Static_assert(__builtin_offsetof(struct tt_switch, flags) == __builtin_offsetof(struct tt_mark, flags), "told apart by flags");
#endif

/* Head of every record of TT_STREAM_RECORDS. */
struct tt_record {
	tt_u16 size; /* bytes, the whole record, a multiple of 8 */
	tt_u16 kind; /* enum tt_kind */
	tt_u32 cpu;  /* TT_CPU_NONE when no CPU is meant */
	tt_u64 ts_ns;
};

/* A finished block request (or bio of a bio-based device).
 * queue_ns + requeue_ns + device_ns + flush_ns = total_ns, always. */
struct tt_disk {
	struct tt_record rec; /* ts_ns, cpu: completion */
	tt_u64 total_ns;      /* what await averages: completion - start */
	tt_u64 queue_ns;      /* start to the first issue to the driver */
	tt_u64 requeue_ns;    /* requeued to issued again, summed */
	tt_u64 device_ns;     /* with the driver, summed over issues */
	tt_u64 flush_ns; /* in the flush sequence: preflush until the issue, postflush or FUA after the data */
	tt_u64 sector;
	tt_u64 bytes;	       /* completed bytes, summed over partial completions */
	tt_u64 steal_issue_ns; /* steal clock of issue_cpu at the first issue; 0 = not read */
	tt_u64 steal_done_ns;  /* steal clock of rec.cpu at completion; 0 = not read */
	tt_u32 dev;	       /* kernel dev_t of the whole disk: major << 20 | minor */
	tt_u32 cmd_flags;      /* request->cmd_flags; low 8 bits enum req_op */
	tt_u32 tid;	       /* who submitted; with TT_DISK_NO_SUBMITTER 0 */
	tt_u16 submit_cpu, issue_cpu;
	tt_u16 flags; /* TT_DISK_* */
	tt_u16 nr_issues;
	tt_u16 nr_completions; /* > 1: partial completion. TT_DISK_BIO: pieces, each counted by the kernel */
	tt_u16 error;	       /* blk_status_t (or -errno of old kernels) of the first failure; 0 = none */
};

enum {
	TT_DISK_COUNTED =
		1, /* in ios[] of /proc/diskstats: accounted, out of the flush sequence; or a flush */
	TT_DISK_NO_ISSUE = 2,	  /* never issued: an empty preflush, or it failed before */
	TT_DISK_NO_START = 4,	  /* started before recording began: queue_ns is unknown and 0 */
	TT_DISK_BIO = 8,	  /* bio-based device */
	TT_DISK_PASSTHROUGH = 16, /* SG_IO and the like: no file system request */
	TT_DISK_NO_SUBMITTER = 32,
	TT_DISK_FLUSH = 64,   /* a flush of the device's cache: fl_ios of /proc/diskstats */
	TT_DISK_NO_END = 256, /* over, but its end was not seen: ts_ns is when that was found, times are 0 */
	TT_DISK_SECTORS_COUNTED = 128, /* bytes are in sectors[] of /proc/diskstats */
};

/* A task: its name, and its counters as the kernel has them at this moment. */
struct tt_task {
	struct tt_record rec;
	tt_u64 start_ns; /* task->start_time: tells a reused tid from the same task */
	tt_u64 cgroup_id;
	tt_u64 run_delay_ns; /* sched_info.run_delay */
	tt_u64 open_wait_ns; /* queued right now for so long (not yet in run_delay_ns) */
	tt_u64 exec_ns;	     /* se.sum_exec_runtime */
	tt_u32 tid, pid, parent_pid;
	tt_u16 why;		/* enum tt_task_why */
	tt_u16 flags;		/* TT_TASK_* */
	char comm[TT_COMM_LEN]; /* any bytes; NUL-terminated unless full */
};

enum tt_task_why {
	TT_TASK_AT_START = 1, /* existed when recording began */
	TT_TASK_FORK = 2,
	TT_TASK_EXEC = 3,
	TT_TASK_RENAME = 4,
	TT_TASK_CGROUP = 5, /* moved */
	TT_TASK_EXIT = 6,
	TT_TASK_AT_END = 7, /* still there when recording ended */
};

enum {
	TT_TASK_KTHREAD = 1,
	TT_TASK_OURS = 2,	   /* the recorder itself */
	TT_TASK_WHOLE_PROCESS = 4, /* TT_TASK_CGROUP: all threads of pid moved */
};

struct tt_cgroup {
	struct tt_record rec;
	tt_u64 id; /* kernfs id = inode number in its hierarchy; v1 ids have TT_CGROUP_V1 set */
	char path[TT_CGROUP_PATH_LEN]; /* from the root of the hierarchy, any bytes, NUL-terminated */
};

/* Ids of the v1 cpu hierarchy live in another number space than v2's. */
#define TT_CGROUP_V1 (1ull << 63)

struct tt_device {
	struct tt_record rec;
	tt_u32 dev;
	tt_u16 rotational;
	tt_u8 is_partition;
	tt_u8 is_stacked; /* on other devices (dm, md, ...): what is done to it is done to them */
	tt_u64 size_sectors;
	char name[TT_DISK_NAME_LEN];
};

/* One cpuN line of /proc/stat in USER_HZ ticks, in the file's order (user nice system idle iowait irq softirq
 * steal guest guest_nice). rec.cpu is N. */
enum { TT_STAT_STEAL = 7, TT_STAT_NR = 10 };
struct tt_cpu_counters {
	struct tt_record rec;
	tt_u64 ticks[TT_STAT_NR];
	tt_u64 steal_clock_ns;	 /* steal of the rung in use, 0 = unknown */
	tt_u64 prev_steal_rq_ns; /* rq->prev_steal_time_rq, 0 = unknown */
	tt_u64 nr_switches;	 /* rq->nr_switches, 0 = unknown */
};

/* One line of /proc/diskstats: reads, writes, discards, flushes. Kernels that lack a field leave 0. */
enum { TT_DISK_READ = 0, TT_DISK_WRITE = 1, TT_DISK_DISCARD = 2, TT_DISK_FLUSHES = 3, TT_DISK_GROUPS = 4 };
struct tt_disk_counters {
	struct tt_record rec;
	tt_u32 dev, in_flight;
	tt_u64 ios[TT_DISK_GROUPS], merges[TT_DISK_GROUPS], sectors[TT_DISK_GROUPS];
	tt_u32 ticks_ms[TT_DISK_GROUPS]; /* 32-bit in the kernel's text: wraps */
	tt_u32 io_ticks_ms, time_in_queue_ms;
	char name[TT_DISK_NAME_LEN];
};

/* /proc/PID/task/TID/schedstat. */
struct tt_task_counters {
	struct tt_record rec;
	tt_u64 exec_ns, run_delay_ns, nr_timeslices;
	tt_u64 start_ns;
	tt_u32 tid, pid;
	char comm[TT_COMM_LEN];
};

/* Merges into requests of a device, and what the disk probe had to shed: differences since the one before. */
struct tt_disk_sums {
	struct tt_record rec;
	tt_u32 dev;
	tt_u16 group; /* TT_DISK_READ .. TT_DISK_FLUSHES */
	tt_u16 flags; /* TT_DISK_SUMS_PART; 0 in a file */
	tt_u64 nr_merges;
	tt_u64 nr_shed, shed_bytes, shed_total_ns, shed_queue_ns,
		shed_device_ns; /* requests without a record */
};

enum { TT_DISK_SUMS_PART = 1 /* of a longer stretch, by its share in time */ };

/* A hook saw nothing while the kernel's own counter grew, and another took its place. Counters of the kernel come right before it:
 * from them on the new one can be compared. */
struct tt_hook_change {
	struct tt_record rec;
	char probe[8], from[24], to[24]; /* names as in timethief doctor, NUL-terminated */
};

/* Stacks. An id is of one stack only. Mostly it is a hash of the addresses, keyed for the session, and the stack's only one; records of a
 * user stack that was unwound by DWARF have an id of their own, which a tt_stack_alias leads on from. Else taken by frame pointers
 * (user), and by what the kernel unwinds itself with. */
enum {
	TT_STACK_NONE = 0,   /* not asked for, or there is none: a kernel thread has no user stack */
	TT_STACK_MISSED = 1, /* there was one, and it could not be taken */
	TT_STACK_IDS = 2,    /* the first that is an id */
	TT_STACK_DEPTH_MAX = 127,
};

/* What an id stands for. Comes once for each id, more often where the kernel side has forgotten that it was told. */
struct tt_stack {
	struct tt_record rec;
	tt_u64 id;
	tt_u64 space; /* whose addresses: 0 = the kernel's; else a hash of a process between two execs */
	tt_u32 pid;   /* of that process */
	tt_u16 nr;
	tt_u16 flags; /* TT_STACK_* */
	/* tt_u64 ips[nr]: where each function is, leaf first; of callers the address that they return to */
};

enum {
	TT_STACK_USER = 1,
	TT_STACK_CUT = 2, /* deeper than could be taken */
	TT_STACK_DWARF = 4, /* unwound by what the files say of their code (record --unwind dwarf), else by frame pointers */
	TT_STACK_LOST_WAY = 8, /* of those: there was no way on before the outermost function */
};

enum { TT_COPY_CHUNK_BYTES = 512, TT_COPY_BYTES_MAX = 15 * TT_COPY_CHUNK_BYTES, TT_COPY_REGS = 21 };

/* What is on a user's stack, to be unwound when recording is over. For the collector only: a session has the stack that it became. */
struct tt_user_copy {
	struct tt_record rec;
	tt_u64 id; /* what the event has for its stack; of this copy alone */
	tt_u64 by_frame_pointers; /* the stack as it was taken besides: an id, or TT_STACK_NONE, TT_STACK_MISSED */
	tt_u64 space;
	tt_u32 pid;
	tt_u16 nr_bytes;
	tt_u16 nr_by_frame_pointers; /* addresses of that stack */
	tt_u64 regs[TT_COPY_REGS]; /* struct pt_regs of x86-64 */
	/* tt_u8 bytes[nr_bytes]: from the stack pointer on; a multiple of TT_COPY_CHUNK_BYTES */
};

/* Two ids of one stack. Of several for one id the last is right: first what frame pointers found, later maybe what DWARF did. */
struct tt_stack_alias {
	struct tt_record rec;
	tt_u64 id;
	tt_u64 same_as; /* of a tt_stack; never an alias */
};

/* The CPU looked at, at a fixed rate (record --rate). */
struct tt_sample {
	struct tt_record rec;
	tt_u64 period_ns; /* that it stands for: since the sample before on this CPU, or since recording began on it */
	tt_u64 steal_ns;  /* of it */
	tt_u64 unsampled_ns; /* not in period_ns: the sample came so late that it cannot stand for all that went before */
	tt_u64 kstack, ustack;
	tt_u32 tid, pid; /* 0 = idle */
	tt_u16 flags;	 /* TT_SAMPLE_* */
	tt_u16 pad[3];
};

enum { TT_SAMPLE_USER = 1 /* ran user code */ };

/* A disk record of a recording with stacks is longer: the submitter's. */
struct tt_disk_with_stacks {
	struct tt_disk disk;
	tt_u64 kstack, ustack;
};

/* Where code comes from: the kernel, one of its modules, a file, a table of a JIT. */
struct tt_module {
	struct tt_record rec;
	tt_u32 id; /* from 1 */
	tt_u16 flags;
	tt_u8 build_id_len, build_id[21];
	tt_u32 path_len;
	/* char path[]: NUL-padded to a multiple of 8; any bytes */
};

enum {
	TT_MODULE_KERNEL = 1,
	TT_MODULE_JIT = 2,
	TT_MODULE_DELETED = 4, /* there was no such file any more */
	TT_MODULE_REPLACED = 8, /* the file was another one by then: its symbols were not taken */
	TT_MODULE_NO_SYMBOLS = 16, /* the file was read and has none */
};

/* The name of a function or of a source file. */
struct tt_symbol {
	struct tt_record rec;
	tt_u32 id; /* from 1 */
	tt_u32 name_len;
	/* char name[]: NUL-padded to a multiple of 8; any bytes */
};

/* What is at an address: one record, and one more for each function that was inlined there, the innermost first. */
struct tt_frame {
	struct tt_record rec;
	tt_u64 space, ip; /* as in struct tt_stack */
	tt_u64 offset; /* of ip in the symbol; without one, in the module (address of its ELF file) */
	tt_u32 module, symbol; /* ids, 0 = unknown */
	tt_u32 file, line; /* id of a symbol that is the source file's name; 0 = unknown */
	tt_u16 flags, pad[3];
};

enum { TT_FRAME_INLINED = 1 /* into the one that follows */ };

/* Something was lost, when and how much. */
struct tt_loss {
	struct tt_record rec; /* ts_ns: when it was noticed; cpu: where, or TT_CPU_NONE */
	tt_u64 since_ts_ns;   /* it happened after this */
	tt_u64 count;
	tt_u32 what; /* enum tt_loss_what */
	tt_u32 pad;
};

enum tt_loss_what {
	TT_LOSS_SWITCHES = 1, /* ring full: switch records shed */
	TT_LOSS_RECORDS = 2,  /* ring full: other records shed */
	TT_LOSS_TASK_STATE =
		3, /* no memory to remember a task: its wait has no closed part, its waker is unknown */
	TT_LOSS_REQUEST_STATE =
		4,	    /* table of running requests full: a request without queue and device time */
	TT_LOSS_NESTED = 5, /* a probe interrupted a probe of the same CPU and could not write */
	TT_LOSS_UNSEEN = 6, /* the kernel skipped the program (recursion) */
	TT_LOSS_NAMES = 7,  /* a name was cut or did not fit */
	TT_LOSS_JUMP = 8,   /* steal clock went back or jumped; clamped */
	TT_LOSS_PACKETS = 9, /* SystemTap's packets that never came or could not be read; what was in them is unknown */
	TT_LOSS_STACKS = 10, /* stacks that found no room: their id stands for nothing */
	TT_LOSS_STACK_MISSED = 11, /* stacks that could not be taken */
	TT_LOSS_STACK_CUT = 12, /* stacks deeper than could be taken */
	TT_LOSS_MAPPINGS = 13, /* where files were mapped was lost: addresses without a module */
	TT_LOSS_COPIES = 14, /* user stacks that should be unwound by DWARF, and have frame pointers only */
	TT_LOSS_NR,
};

#ifndef __bpf__
_Static_assert(sizeof(struct tt_batch) == 64, "wire layout changed");
_Static_assert(sizeof(struct tt_switch) == 32 && sizeof(struct tt_mark) == 16, "wire layout changed");
_Static_assert(sizeof(struct tt_record) == 16 && sizeof(struct tt_disk) == 112, "wire layout changed");
_Static_assert(sizeof(struct tt_task) == 88 && sizeof(struct tt_cgroup) == 280, "wire layout changed");
_Static_assert(sizeof(struct tt_stack) == 40 && sizeof(struct tt_sample) == 72, "wire layout changed");
_Static_assert(sizeof(struct tt_user_copy) == 216 && sizeof(struct tt_stack_alias) == 32, "wire layout changed");
_Static_assert(sizeof(struct tt_module) == 48 && sizeof(struct tt_symbol) == 24 && sizeof(struct tt_frame) == 64, "wire layout changed");
#endif
