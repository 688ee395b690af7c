/* SPDX-License-Identifier: GPL-2.0-or-later */
/* made - for tests of exports: a recording with stacks that nobody recorded, in batches. It holds every cause, every kind of stack and
 * hostile names; and others at random, whose sums must come out.
 *
 * Two CPUs from 6 s on. Batches go to emit in the order of writing; everything is one epoch.
 */
#pragma once

#include <stdio.h>

#include "collector/session/info.h"
#include "tests/unit/stack_records.h"

#ifndef MADE_CPUS_MAX
#define MADE_CPUS_MAX 2
#endif

typedef void (*made_emit_fn)(void *ctx, const union tb *t);

struct made {
	made_emit_fn emit;
	void *ctx;
	union tb t;
	unsigned nth; /* switch of the batch */
	uint32_t stolen_ns[MADE_CPUS_MAX][256]; /* by CPU and ms: for samples that agree with the rest */
	/* the clocks of a CPU, as its headers tell them */
	struct made_cpu {
		uint64_t ts_ns, steal_clock_ns, nr_switches, wait_total_ns;
		uint32_t running_tid;
	} cpus[MADE_CPUS_MAX];
};

#define MADE_START_NS 6000000000ull

static const struct tt_info made_info = {
	.tool_version = "0.1.0",
	.hostname = "made",
	.kernel_release = "6.18.44",
	.arch = "x86_64",
	.hypervisor = "KVM",
	.steal_reported = true,
	.nr_cpus_possible = 2,
	.nr_cpus_online = 2,
	.user_hz = 100,
	.realtime_offset_ns = 1795292043ll * 1000000000,
	.start_ts_ns = MADE_START_NS - 1000000,
	.source = "bpf",
	.nr_probes = 4,
	.probes = { { .probe = "steal", .rung = "clock" },
		    { .probe = "disk", .rung = "block_io_done" },
		    { .probe = "runq", .rung = "tp_btf" },
		    { .probe = "cpu", .rung = "perf_event" } },
};

static inline void made_flush(struct made *m)
{
	m->emit(m->ctx, &m->t);
}

static inline void made_records(struct made *m)
{
	tb_begin(&m->t, TT_STREAM_RECORDS, TT_CPU_NONE, 1);
}

static inline void made_sched(struct made *m, unsigned cpu, unsigned flags)
{
	const struct made_cpu *c = &m->cpus[cpu];

	tb_begin(&m->t, TT_STREAM_SCHED, cpu, c->ts_ns);
	m->t.b.steal_clock_ns = c->steal_clock_ns;
	m->t.b.nr_switches = c->nr_switches;
	m->t.b.wait_total_ns = c->wait_total_ns;
	m->t.b.prev_tid = c->running_tid;
	m->t.b.flags = (uint16_t)flags;
	m->nth = 0;
}

struct made_switch {
	uint32_t dts_ns, next_tid;
	unsigned state; /* of who leaves, or TT_SW_PREEMPTED */
	unsigned wait_kind;
	uint32_t wait_ns, steal_ns, waker_tid;
	unsigned flags;
	uint64_t stacks[TT_EXT_MAX];
};

static inline void made_stolen(struct made *m, unsigned cpu, uint64_t steal_ns)
{
	m->stolen_ns[cpu][(m->cpus[cpu].ts_ns - MADE_START_NS + 999999) / 1000000 % 256] += (uint32_t)steal_ns;
	m->cpus[cpu].steal_clock_ns += steal_ns;
}

static inline void made_switch(struct made *m, const struct made_switch *ms)
{
	struct made_cpu *c = &m->cpus[m->t.b.cpu];
	struct tt_switch *sw = tb_switch(&m->t, ms->dts_ns, ms->next_tid, ++m->nth);

	sw->steal_ns = ms->steal_ns;
	sw->flags = (uint16_t)(ms->state | ms->wait_kind << TT_SW_WAIT_SHIFT | ms->flags);
	sw->wait_ns = ms->wait_ns;
	sw->waker_tid = ms->waker_tid;
	sw->queued_cpu = m->t.b.cpu;
	sw->next_prio = ms->next_tid == 18 ? 0 : 120;
	if (ms->stacks[0] || ms->stacks[1] || ms->stacks[2])
		tb_ext(&m->t, &sw->ext, ms->stacks, TT_EXT_MAX);
	c->ts_ns += ms->dts_ns;
	c->nr_switches++;
	made_stolen(m, m->t.b.cpu, ms->steal_ns);
	c->wait_total_ns += ms->wait_ns;
	c->running_tid = ms->next_tid;
}

static inline void made_mark(struct made *m, uint32_t dts_ns, uint32_t steal_ns, unsigned seen, uint64_t kstack, uint64_t ustack)
{
	struct made_cpu *c = &m->cpus[m->t.b.cpu];
	struct tt_mark *mark = tb_mark(&m->t, dts_ns, steal_ns, seen, c->running_tid);
	uint64_t stacks[2] = { kstack, ustack };

	if (kstack || ustack)
		tb_ext(&m->t, &mark->ext, stacks, 2);
	c->ts_ns += dts_ns;
	made_stolen(m, m->t.b.cpu, steal_ns);
}

static inline struct tt_task *made_task(struct made *m, uint32_t tid, uint32_t pid, const char *comm)
{
	struct tt_task *rec = tb_record(&m->t, TT_EV_TASK, sizeof(*rec), TT_CPU_NONE, MADE_START_NS + 5000);

	rec->tid = tid;
	rec->pid = pid;
	rec->why = TT_TASK_AT_START;
	memcpy(rec->comm, comm, strlen(comm) < TT_COMM_LEN ? strlen(comm) : TT_COMM_LEN);
	return rec;
}

static inline void made_device(struct made *m, uint32_t dev, const char *name, bool is_stacked)
{
	struct tt_device *rec = tb_record(&m->t, TT_EV_DEVICE, sizeof(*rec), TT_CPU_NONE, MADE_START_NS);

	rec->dev = dev;
	rec->is_stacked = is_stacked;
	snprintf(rec->name, sizeof(rec->name), "%s", name);
}

static inline struct tt_disk *made_disk(struct made *m, uint64_t ts_ns, uint32_t dev, unsigned op, uint32_t tid, uint64_t total_ns,
					uint64_t kstack, uint64_t ustack)
{
	struct tt_disk_with_stacks *rec = tb_record(&m->t, TT_EV_DISK, sizeof(*rec), 1, ts_ns);

	rec->disk.dev = dev;
	rec->disk.cmd_flags = op;
	rec->disk.tid = tid;
	rec->disk.total_ns = rec->disk.device_ns = total_ns;
	rec->disk.bytes = 4096;
	rec->disk.flags = TT_DISK_COUNTED | TT_DISK_SECTORS_COUNTED | (tid ? 0 : TT_DISK_NO_SUBMITTER);
	rec->disk.nr_issues = rec->disk.nr_completions = 1;
	rec->kstack = kstack;
	rec->ustack = ustack;
	return &rec->disk;
}

static inline void made_sample(struct made *m, uint64_t ts_ns, unsigned cpu, uint32_t tid, uint64_t period_ns, uint64_t steal_ns,
			       uint64_t kstack, uint64_t ustack)
{
	struct tt_sample *rec = tb_record(&m->t, TT_EV_SAMPLE, sizeof(*rec), cpu, ts_ns);

	rec->period_ns = period_ns;
	rec->steal_ns = steal_ns;
	rec->tid = rec->pid = tid;
	rec->kstack = kstack;
	rec->ustack = ustack;
}

/* --- the session with everything --- */

enum { /* ids of stacks */
	MADE_K_SWITCH = 1000, MADE_K_TICK, MADE_K_TICK_USER, MADE_K_WAKE, MADE_K_WAKE_IRQ, MADE_K_SUBMIT, MADE_K_IDLE,
	MADE_U_CXX, MADE_U_GO, MADE_U_RUST, MADE_U_JIT, MADE_U_HOSTILE, MADE_U_DEEP, MADE_U_EMPTY, MADE_U_NO_NAMES, MADE_U_INLINED,
	MADE_LOST, /* never told */
};
enum { MADE_VMLINUX = 1, MADE_EXT4, MADE_BINARY, MADE_JIT, MADE_LIBC };

/* A stack whose functions have these names; the file of each comes before its name. "" has no name. */
static inline void made_stack(struct made *m, uint64_t id, uint64_t space, unsigned flags, uint32_t module, const char *const *names)
{
	static uint32_t last_symbol;
	uint64_t ips[TT_STACK_DEPTH_MAX] = { 0 };
	unsigned nr = 0;

	made_records(m);
	if (id == MADE_K_SWITCH)
		last_symbol = 0;
	for (; names[nr]; nr++)
		ips[nr] = (space ? 0x400000 : 0xffffffff81000000ull) + id * 0x1000 + nr * 0x10;
	tb_stack(&m->t, id, space, flags, ips, nr);
	for (unsigned i = 0; i < nr; i++) {
		if (names[i][0])
			tb_symbol(&m->t, ++last_symbol, names[i]);
		tb_frame(&m->t, space, ips[i], module, names[i][0] ? last_symbol : 0);
	}
	made_flush(m);
}

#define MADE_STACK(m, id, space, flags, module, ...)                                                                 \
	made_stack(m, id, space, flags, module, (const char *const[]){ __VA_ARGS__, NULL })
#define MADE_OWN "bpf_prog_0123456789abcdef_sched__switch", "bpf_trace_run4", "__traceiter_sched_switch"
#define MADE_IRQ "__sysvec_apic_timer_interrupt", "sysvec_apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt"

static inline void made_deep_stack(struct made *m)
{
	uint64_t ips[TT_STACK_DEPTH_MAX];

	made_records(m);
	for (unsigned i = 0; i < TT_STACK_DEPTH_MAX; i++)
		ips[i] = 0x900000 + i % 2;
	tb_stack(&m->t, MADE_U_DEEP, 7, TT_STACK_CUT, ips, TT_STACK_DEPTH_MAX);
	tb_symbol(&m->t, 500, "even");
	tb_symbol(&m->t, 501, "odd");
	tb_frame(&m->t, 7, 0x900000, MADE_BINARY, 500);
	tb_frame(&m->t, 7, 0x900001, MADE_BINARY, 501);
	tb_stack(&m->t, MADE_U_EMPTY, 7, 0, ips, 0);
	made_flush(m);
}

static inline void made_inlined_stack(struct made *m)
{
	static const uint64_t ips[] = { 0xa00000, 0xa00010, 0xa00020 };

	made_records(m);
	tb_stack(&m->t, MADE_U_INLINED, 7, 0, ips, 3);
	tb_symbol(&m->t, 510, "inline_leaf(int)");
	tb_symbol(&m->t, 511, "caller");
	tb_frame(&m->t, 7, 0xa00000, MADE_BINARY, 510)->flags = TT_FRAME_INLINED;
	tb_frame(&m->t, 7, 0xa00000, MADE_BINARY, 511);
	tb_frame(&m->t, 7, 0xa00010, MADE_LIBC, 0); /* a file without symbols; 0xa00020 is nowhere */
	made_flush(m);
}

static inline void made_stacks(struct made *m)
{
	struct tt_module *binary;

	MADE_STACK(m, MADE_K_SWITCH, 0, 0, MADE_VMLINUX, MADE_OWN, "__schedule", "schedule", "futex_wait_queue", "do_syscall_64");
	MADE_STACK(m, MADE_K_TICK, 0, 0, MADE_VMLINUX, "", "bpf_trace_run1", MADE_IRQ, "clear_page_erms", "do_user_addr_fault");
	MADE_STACK(m, MADE_K_TICK_USER, 0, 0, MADE_VMLINUX, "bpf_trace_run1", MADE_IRQ);
	MADE_STACK(m, MADE_K_WAKE, 0, 0, MADE_VMLINUX, "bpf_trace_run1", "try_to_wake_up", "futex_wake", "do_syscall_64");
	MADE_STACK(m, MADE_K_WAKE_IRQ, 0, 0, MADE_VMLINUX, "try_to_wake_up", "hrtimer_wakeup", MADE_IRQ, "innocent_bystander");
	MADE_STACK(m, MADE_K_SUBMIT, 0, 0, MADE_EXT4, "submit_bio", "ext4_read_folio", "vfs_read");
	MADE_STACK(m, MADE_K_IDLE, 0, 0, MADE_VMLINUX, "native_safe_halt", "cpu_idle_loop", "start_secondary");
	MADE_STACK(m, MADE_U_CXX, 7, 0, MADE_BINARY, "operator+(A const&, A const&)", "Smart<T>::operator->() const", "Foo::operator()(int) const &",
		   "std::function<void (int)>::operator()(int) const [clone .isra.0]", "(anonymous namespace)::run(void (*)(int))",
		   "std::vector<int, std::allocator<int> >::push_back(int const&)", "operator\"\" _ms", "main");
	MADE_STACK(m, MADE_U_GO, 7, 0, MADE_BINARY, "net/http.(*conn).serve", "main.(*Server).Serve.func1", "runtime.goexit");
	MADE_STACK(m, MADE_U_RUST, 7, 0, MADE_BINARY, "<alloc::vec::Vec<T> as core::iter::Extend<&'a T>>::extend",
		   "core::ops::function::FnOnce::call_once{{vtable.shim}}", "<dyn app::Job + core::marker::Send as app::Run>::run",
		   "app::f::<fn(u8) -> u8>");
	MADE_STACK(m, MADE_U_JIT, 7, 0, MADE_JIT, "LazyCompile:*foo /srv/a b.js 12", "RegExp:[&<>\"']", "Lcom/foo/Bar;::baz", "frame 3.5");
	MADE_STACK(m, MADE_U_HOSTILE, 7, 0, MADE_BINARY, "a;b\nc\xff", " lead", "trail ", "(", "\"", "日本語\xe2\x80\xae", "<script>alert(1)</script>",
		   "\\", "[unknown]");
	MADE_STACK(m, MADE_U_NO_NAMES, 7, 0, MADE_LIBC, "", "");
	made_deep_stack(m);
	made_inlined_stack(m);
	made_records(m);
	tb_module(&m->t, MADE_VMLINUX, TT_MODULE_KERNEL, "[kernel.kallsyms]");
	tb_module(&m->t, MADE_EXT4, TT_MODULE_KERNEL, "[ext4]");
	binary = tb_module(&m->t, MADE_BINARY, 0, "/srv/my app (v2)/server");
	binary->build_id_len = 20;
	memset(binary->build_id, 0xa5, binary->build_id_len);
	tb_module(&m->t, MADE_JIT, TT_MODULE_JIT, "/tmp/perf-100.map");
	tb_module(&m->t, MADE_LIBC, TT_MODULE_NO_SYMBOLS, "/usr/lib/libc.so.6");
	made_flush(m);
}

static inline void made_names(struct made *m)
{
	made_records(m);
	made_task(m, 18, 18, "migration/0");
	made_task(m, 100, 100, "postgres");
	made_task(m, 101, 100, "worker 1 2/3");
	made_task(m, 102, 102, "a");
	made_task(m, 103, 103, "1234");
	made_task(m, 104, 104, "\xff\x01\n;(x)\t#\xc3(\\ \"1");
	made_task(m, 105, 105, "日本;x");
	made_task(m, 106, 0, "no process"); /* 107 has no name at all */
	made_task(m, 108, 108, "#hash 12.5: y");
	made_task(m, 109, 109, " lead\xc2\xa0" "t ");
	made_task(m, 110, 110, "\xc3\xa9");
	made_device(m, 253u << 20, "vda", false);
	made_device(m, 252u << 20, "evil ;(x) +1", false);
	made_device(m, 251u << 20, "dm-0", true);
	made_flush(m);
}

static inline void made_cpu0(struct made *m)
{
	made_sched(m, 0, TT_BATCH_FIRST);
	made_mark(m, 1000000, 200000, TT_SEEN_TICK, MADE_K_TICK, MADE_U_CXX);
	made_mark(m, 500000, 300000, TT_SEEN_TICK, MADE_K_TICK_USER, MADE_U_GO);
	made_switch(m, &(struct made_switch){ 500000, 101, TT_STATE_SLEEPING, TT_WAIT_WAKEUP, 40000, 1000, 100, 0,
					      { MADE_K_SWITCH, MADE_U_CXX, MADE_K_WAKE, MADE_U_GO } });
	made_switch(m, &(struct made_switch){ 250000, 102, TT_SW_PREEMPTED, TT_WAIT_NEW, 5000, 0, 101, 0,
					      { MADE_K_SWITCH, MADE_U_RUST, MADE_K_WAKE, MADE_U_RUST } });
	made_switch(m, &(struct made_switch){ 250000, 101, TT_STATE_DISK_SLEEP, TT_WAIT_PREEMPTED, 250000, 0, 0, 0,
					      { MADE_K_SWITCH, MADE_U_JIT, 0, 0 } });
	made_mark(m, 250000, 7000, TT_SEEN_COMPLETION, MADE_K_SUBMIT, TT_STACK_MISSED);
	made_switch(m, &(struct made_switch){ 250000, 100, TT_STATE_SLEEPING, TT_WAIT_WAKEUP, 60000, 2000, 102, TT_SW_WOKEN_IN_IRQ,
					      { MADE_K_SWITCH, MADE_U_HOSTILE, MADE_K_WAKE_IRQ, TT_STACK_NONE } });
	made_switch(m, &(struct made_switch){ 100000, 103, TT_STATE_STOPPED, TT_WAIT_UNKNOWN, 1234, 5, 0, 0, { TT_STACK_MISSED, TT_STACK_MISSED, 0, 0 } });
	made_switch(m, &(struct made_switch){ 100000, 104, TT_STATE_ZOMBIE, TT_WAIT_WAKEUP, 999, 20, 107, 0, { MADE_LOST, MADE_U_DEEP, MADE_LOST, 0 } });
	made_switch(m, &(struct made_switch){ 100000, 101, TT_STATE_IDLE, TT_WAIT_WAKEUP, 80000, 10, 110, 0,
					      { MADE_K_SWITCH, MADE_U_EMPTY, MADE_K_WAKE, MADE_U_INLINED } });
	made_switch(m, &(struct made_switch){ 100000, 0, TT_STATE_SLEEPING, 0, 0, 0, 0, 0, { MADE_K_SWITCH, MADE_U_DEEP, 0, 0 } });
	made_mark(m, 300000, 50000, TT_SEEN_TICK, MADE_K_IDLE, TT_STACK_NONE);
	made_flush(m);
}

/* With a stretch that was shed: 3 switches, 30 us of steal, 4 us of waits. */
static inline void made_cpu1(struct made *m)
{
	struct made_cpu *c = &m->cpus[1];

	made_sched(m, 1, TT_BATCH_FIRST);
	made_switch(m, &(struct made_switch){ 1000000, 18, TT_STATE_IDLE, TT_WAIT_WAKEUP, 2000, 0, 106, 0, { MADE_K_IDLE, 0, MADE_K_WAKE, 0 } });
	made_switch(m, &(struct made_switch){ 20000, 106, TT_STATE_PARKED, TT_WAIT_WAKEUP, 3000, 0, 18, 0, { MADE_K_SWITCH, 0, MADE_K_WAKE, 0 } });
	made_flush(m);
	c->ts_ns += 500000;
	c->nr_switches += 3;
	c->steal_clock_ns += 30000;
	c->wait_total_ns += 4000;
	c->running_tid = 107;
	made_sched(m, 1, TT_BATCH_AFTER_SHED);
	m->t.b.nr_shed_switches = 3;
	made_switch(m, &(struct made_switch){ 200000, 108, TT_STATE_SLEEPING, TT_WAIT_PREEMPTED, 7000, 500, 0, 0, { MADE_K_SWITCH, MADE_U_NO_NAMES, 0, 0 } });
	made_switch(m, &(struct made_switch){ 200000, 109, TT_SW_PREEMPTED | TT_SW_PUSHED, TT_WAIT_WAKEUP, 8000, 0, 108, 0, { MADE_K_SWITCH, MADE_U_NO_NAMES, MADE_K_WAKE, 0 } });
	made_switch(m, &(struct made_switch){ 200000, 105, TT_STATE_TRACED, TT_WAIT_WAKEUP, 9000, 0, 109, 0, { MADE_K_SWITCH, 0, MADE_K_WAKE, 0 } });
	made_switch(m, &(struct made_switch){ 200000, 110, TT_STATE_OTHER, TT_WAIT_WAKEUP, 11000, 0, 105, 0, { 0, MADE_U_INLINED, MADE_K_WAKE, 0 } });
	made_switch(m, &(struct made_switch){ 200000, 108, TT_STATE_SLEEPING, TT_WAIT_PREEMPTED, 600000, 0, 0, 0, { MADE_K_SWITCH, MADE_U_EMPTY, 0, 0 } });
	made_flush(m);
}

static inline void made_disks(struct made *m)
{
	struct tt_disk_sums *sums;

	made_records(m);
	made_disk(m, MADE_START_NS + 1200000, 253u << 20, 0, 100, 150000, MADE_K_SUBMIT, MADE_U_CXX);
	made_disk(m, MADE_START_NS + 1300000, 252u << 20, 1, 104, 90000, MADE_K_SUBMIT, MADE_U_JIT);
	made_disk(m, MADE_START_NS + 1400000, 253u << 20, 3, 0, 33000, 0, 0);
	made_disk(m, MADE_START_NS + 1500000, 253u << 20, 2, 102, 44000, MADE_K_SUBMIT, TT_STACK_MISSED)->flags |= TT_DISK_FLUSH;
	made_disk(m, MADE_START_NS + 1600000, 251u << 20, 1, 100, 70000, MADE_K_SUBMIT, MADE_U_INLINED)->nr_completions = 2;
	((struct tt_disk *)(m->t.data + m->t.b.size - sizeof(struct tt_disk_with_stacks)))->flags |= TT_DISK_BIO;
	made_disk(m, MADE_START_NS + 1700000, 253u << 20, 0, 100, 999999, 0, 0)->flags &= (uint16_t)~TT_DISK_COUNTED;
	made_disk(m, MADE_START_NS + 1800000, 248u << 20 | 7, 0, 107, 5000, 0, 0); /* nobody knows that disk */
	sums = tb_record(&m->t, TT_EV_DISK_SUMS, sizeof(*sums), TT_CPU_NONE, MADE_START_NS + 1900000);
	sums->dev = 253u << 20;
	sums->group = TT_DISK_WRITE;
	sums->nr_shed = 3;
	sums->shed_total_ns = 12345;
	made_flush(m);
}

static inline void made_samples(struct made *m)
{
	made_records(m);
	made_sample(m, MADE_START_NS + 1000000, 0, 100, 1000000, 200000, MADE_K_SUBMIT, MADE_U_CXX);
	made_sample(m, MADE_START_NS + 2000000, 0, 101, 1000000, 301000, 0, MADE_U_RUST);
	made_sample(m, MADE_START_NS + 1000000, 1, 0, 1000000, 0, MADE_K_IDLE, 0);
	made_sample(m, MADE_START_NS + 2000000, 1, 108, 1000000, 30500, MADE_K_SUBMIT, MADE_U_JIT);
	made_sample(m, MADE_START_NS + 2100000, 1, 109, 100000, 0, 0, 0);
	made_flush(m);
}

/* The ends of both CPUs, and what was lost. */
static inline void made_end(struct made *m)
{
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		m->cpus[cpu].ts_ns += 10000;
		made_sched(m, cpu, TT_BATCH_LAST);
		if (cpu)
			m->t.b.nr_shed_switches = 3;
		made_flush(m);
	}
}

static inline void made_begin(struct made *m, made_emit_fn emit, void *ctx)
{
	memset(m, 0, sizeof(*m));
	m->emit = emit;
	m->ctx = ctx;
	for (unsigned cpu = 0; cpu < MADE_CPUS_MAX; cpu++)
		m->cpus[cpu] = (struct made_cpu){ MADE_START_NS, 1000, 100, 5000, cpu ? 0 : 100 };
}

static inline void made_session(made_emit_fn emit, void *ctx)
{
	static struct made m;

	made_begin(&m, emit, ctx);
	made_names(&m);
	made_cpu0(&m);
	made_cpu1(&m);
	made_disks(&m);
	made_samples(&m);
	made_end(&m);
	made_stacks(&m);
}

/* --- at random --- */

static inline uint64_t made_random_stack(uint64_t *seed)
{
	static const uint64_t ids[] = { TT_STACK_NONE, TT_STACK_MISSED, MADE_K_SWITCH, MADE_K_TICK, MADE_U_CXX, MADE_U_DEEP, MADE_U_EMPTY,
					MADE_LOST, MADE_U_HOSTILE, MADE_U_INLINED, MADE_K_WAKE_IRQ };

	return ids[tb_random(seed) % (sizeof(ids) / sizeof(ids[0]))];
}

/* What a reader of text could take for a tid, a CPU, a time or an event. */
static inline void made_random_names(struct made *m, uint64_t *seed)
{
	static const char letters[] = "  0123/.::[]()#;ax+-\"'\xc2\xa0\xe3\x80\x80";
	char comm[TT_COMM_LEN];

	made_records(m);
	for (uint32_t tid = 111; tid < 114; tid++) {
		memset(comm, 0, sizeof(comm));
		for (unsigned i = 0; i < TT_COMM_LEN - 1; i++)
			comm[i] = letters[tb_random(seed) % (sizeof(letters) - 1)];
		made_task(m, tid, tid, comm);
	}
	made_flush(m);
}

static inline void made_random_sched(struct made *m, unsigned cpu, unsigned flags, uint64_t *seed)
{
	struct made_cpu *c = &m->cpus[cpu];

	made_sched(m, cpu, flags);
	for (unsigned nr = (unsigned)(tb_random(seed) % 60); nr; nr--) {
		uint64_t rnd = tb_random(seed);
		struct made_switch ms = {
			.dts_ns = 1 + (uint32_t)(rnd % 1000000),
			.next_tid = (uint32_t)(rnd >> 20) % 12 ? 100 + (uint32_t)(rnd >> 24) % 14 : 0,
			.state = (unsigned)(rnd >> 30) % 9,
			.wait_kind = (unsigned)(rnd >> 35) % 4,
			.wait_ns = (uint32_t)(rnd >> 40) % 3000000,
			.steal_ns = rnd >> 60 ? 0 : (uint32_t)(rnd % 1000000 / 2),
			.waker_tid = 100 + (uint32_t)(rnd >> 44) % 14,
			.flags = rnd >> 61 ? 0 : TT_SW_WOKEN_IN_IRQ,
		};

		for (unsigned i = 0; i < TT_EXT_MAX && rnd >> 62; i++)
			ms.stacks[i] = made_random_stack(seed);
		if (tb_random(seed) % 4)
			made_switch(m, &ms);
		else
			made_mark(m, ms.dts_ns, ms.dts_ns / 2, (unsigned)(rnd >> 33) % 4, made_random_stack(seed), made_random_stack(seed));
	}
	made_flush(m);
	/* what is shed before the next batch */
	if (tb_random(seed) % 5 == 0) {
		c->nr_switches += 4;
		c->wait_total_ns += 777;
		c->ts_ns += 1000000;
		made_stolen(m, cpu, tb_random(seed) % 50000);
		c->running_tid = 100 + (uint32_t)(tb_random(seed) % 14);
	}
}

static inline void made_random_records(struct made *m, uint64_t *seed)
{
	static const uint32_t devs[] = { 253u << 20, 252u << 20, 251u << 20, 7u << 20 };
	struct tt_disk_sums *sums;

	made_records(m);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t rnd = tb_random(seed);
		struct tt_disk *rec = made_disk(m, MADE_START_NS + rnd % 20000000, devs[rnd >> 62], (unsigned)(rnd >> 40) % 6,
						(uint32_t)(rnd >> 32) % 4 ? 100 + (uint32_t)(rnd >> 34) % 14 : 0, (rnd >> 24) % 9000000,
						made_random_stack(seed), made_random_stack(seed));

		rec->flags ^= (uint16_t)(rnd >> 50 & (TT_DISK_FLUSH | TT_DISK_BIO));
		if (rnd >> 58 == 1)
			rec->flags &= (uint16_t)~TT_DISK_COUNTED;
		rec->nr_completions = (uint16_t)((rnd >> 20) % 3);
	}
	sums = tb_record(&m->t, TT_EV_DISK_SUMS, sizeof(*sums), TT_CPU_NONE, MADE_START_NS + 20000000);
	sums->dev = devs[tb_random(seed) % 4];
	sums->group = (uint16_t)(tb_random(seed) % TT_DISK_GROUPS);
	sums->nr_shed = 1;
	sums->shed_total_ns = tb_random(seed) % 1000000;
	made_flush(m);
}

/* A sample every ms, of what was stolen in it; but some were lost. */
static inline void made_random_samples(struct made *m, uint64_t *seed)
{
	made_records(m);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		for (unsigned i = 1; i < 20 && MADE_START_NS + i * 1000000 < m->cpus[cpu].ts_ns; i++) {
			if (tb_random(seed) % 4)
				made_sample(m, MADE_START_NS + i * 1000000, cpu, (uint32_t)(100 + tb_random(seed) % 14), 1000000, m->stolen_ns[cpu][i],
					    made_random_stack(seed), made_random_stack(seed));
		}
	}
	made_flush(m);
}

static inline void made_random(uint64_t seed, made_emit_fn emit, void *ctx)
{
	static struct made m;

	made_begin(&m, emit, ctx);
	made_names(&m);
	made_random_names(&m, &seed);
	for (unsigned i = 0; i < 6; i++)
		made_random_sched(&m, i % 2, i < 2 ? TT_BATCH_FIRST : 0, &seed);
	made_random_records(&m, &seed);
	made_random_samples(&m, &seed);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		m.cpus[cpu].ts_ns += 10000;
		made_sched(&m, cpu, TT_BATCH_LAST);
		made_flush(&m);
	}
	made_stacks(&m);
}
