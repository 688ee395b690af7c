/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk.bpf.c - block requests from start to the end of accounting, and bios of devices that have no requests.
 *
 * From: block_io_start (accounting starts). To: block_io_done, which blk_account_io_done itself fires.
 * Emits struct tt_disk. Sources: block/blk-mq.c, block/blk-flush.c, include/trace/events/block.h.
 *
 *   start ... issue ... (requeue ... issue) ... complete [... flush sequence ...] done
 *   |-queue-| |----------device and requeue---| |----------flush--------------|
 *
 * With a preflush on a device with a volatile cache, the time until the data is issued is flush time too.
 *
 * Counts equal /proc/diskstats exactly, because they are taken where and when the kernel counts:
 * - a request is counted at done if its accounting was started (is_accounted) and it has left the flush sequence (a
 * FUA write is done twice);
 * - sectors are counted at every (partial) completion; at done the request's size is already 0;
 * - a flush is counted when the flush request of the flush machinery completes; an empty preflush is never
 * issued. Below a dm-multipath there is a copy of that request, which the kernel counts like any other: as a
 * read of nothing;
 * - a request that is merged into another starts and never ends;
 * - a bio of a bio-based device counts once for each piece that the driver made of it.
 *
 * A program can miss an event: the kernel skips it when it would interrupt itself, and hides some tasks from tracing, with
 * the interrupts that hit them. A request whose end was missed is found later, when its memory starts a new request or by
 * disk__sweep, and still counted; one whose completion was missed has had all its bytes completed when it is done.
 *
 * The start is the kernel's own (start_time_ns) when the request is accounted, as in await; without
 * RQF_IO_STAT that field is stale, and then it is the time of block_io_start.
 */
#include "bpf/observe.bpf.h"

/* An argument that moved: place i if the knob is set, else place j. The empty asm keeps the compiler from
 * making one load with a computed offset of it, which the verifier refuses on a context. */
#define MOVED_ARG(ctx, knob, i, j)                                                                           \
	({                                                                                                   \
		void *arg_;                                                                                  \
		if (knob) {                                                                                  \
			arg_ = (void *)(ctx)[i];                                                             \
			asm volatile("# arg " #i : "+r"(arg_));                                              \
		} else {                                                                                     \
			arg_ = (void *)(ctx)[j];                                                             \
			asm volatile("# arg " #j : "+r"(arg_));                                              \
		}                                                                                            \
		arg_;                                                                                        \
	})

/* A field of p. Pointers that the verifier knows are read by plain loads, which cost a tenth of a helper's call; those of
 * a kprobe it does not know. */
#define RD(is_typed, p, field) ((is_typed) ? (p)->field : BPF_CORE_READ(p, field))
#define TYPED		       true
#define UNTYPED		       false

enum { OP_WRITE = 1, OP_FLUSH = 2, OP_DISCARD = 3, OP_DRV_IN = 34, OP_DRV_OUT = 35 };
enum { RAMDISK_MAJOR = 1, MD_MAJOR = 9 }; /* include/uapi/linux/major.h */

/* A request or bio on its way; key: its address. */
struct io {
	u64 start_ts_ns;   /* 0 = not seen */
	u64 issue_ts_ns;   /* first issue; 0 = never */
	u64 complete_ts_ns; /* of the data */
	u64 bytes;
	u64 steal_issue_ns;
	u32 data_len; /* at the start, and again at the first issue: merges */
	u32 cmd_flags;
	u16 nr_issues, nr_completions, error, flags;
	u64 requeue_ts_ns; /* 0 = not requeued now */
	u64 requeue_ns;
	u64 sector;
	struct tt_stack_ids stacks; /* the submitter's */
	u32 dev;
	u32 tid;
	u16 submit_cpu, issue_cpu;
	u16 is_accounted : 1;	   /* when it was issued */
	u16 in_flush_sequence : 1;
	u16 after_preflush : 1; /* the data waited for a flush of the cache before it was issued */
};

/* TT_MODERN: a request's state is in the seat that its address points to, when that was free: an array is looked up inline and a seat is
 * taken and left by one instruction. Who finds the seat taken is in the hash table. 0.8 MiB. */
enum { NR_SEATS_LOG2 = 13, NR_OVERFLOW_MAX = 32768 };

struct io_seat {
	u64 key; /* of who sits here, 0 = nobody */
	struct io io;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << NR_SEATS_LOG2);
	__type(key, u32);
	__type(value, struct io_seat);
} tt_io_seats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NR_OVERFLOW_MAX);
	__type(key, u64);
	__type(value, struct io);
} tt_ios SEC(".maps");

static u64 nr_overflow; /* entries of tt_ios */

/* A request's key is its address. A bio's is odd: disk__sweep must not take it for a request, whatever its state holds just now. */
enum { BIO_KEY = 1 };

struct disk_sum_key {
	u32 dev, group;
};

/* Cumulative; the collector turns growth into struct tt_disk_sums. */
struct disk_sum {
	u64 nr_merges;
	u64 nr_shed, shed_bytes, shed_total_ns, shed_queue_ns, shed_device_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct disk_sum_key);
	__type(value, struct disk_sum);
} tt_disk_sums SEC(".maps");

struct disk_batch {
	struct tt_batch head;
	struct tt_disk_with_stacks record; /* without stacks only its first part */
};

#define DISK_RECORD_BYTES (tt_stacks ? sizeof(struct tt_disk_with_stacks) : sizeof(struct tt_disk))

static __always_inline u32 group_of(u32 cmd_flags)
{
	u32 op = cmd_flags & 0xff;

	if (op == OP_DISCARD)
		return TT_DISK_DISCARD;
	if (op == OP_FLUSH)
		return TT_DISK_FLUSHES;
	return op & 1 ? TT_DISK_WRITE : TT_DISK_READ; /* op_is_write() */
}

static __always_inline u32 dev_of(const struct gendisk *disk, bool is_typed)
{
	if (!disk)
		return 0;
	return (u32)RD(is_typed, disk, major) << 20 | (u32)RD(is_typed, disk, first_minor);
}

static __always_inline u32 dev_of_request(const struct request *rq, bool is_typed)
{
	const struct request___rq_disk *old = (const void *)rq;

	if (bpf_core_field_exists(old->rq_disk))
		return dev_of(RD(is_typed, old, rq_disk), is_typed);
	return dev_of(is_typed ? rq->q->disk : BPF_CORE_READ(rq, q, disk), is_typed);
}

static __always_inline struct gendisk *disk_of_bio(const struct bio *bio)
{
	const struct bio___bi_disk *old = (const void *)bio;

	return bpf_core_field_exists(old->bi_disk) ? old->bi_disk : bio->bi_bdev->bd_disk;
}

static __always_inline struct disk_sum *sum_of(u32 dev, u32 cmd_flags)
{
	struct disk_sum_key key = { .dev = dev, .group = group_of(cmd_flags) };
	struct disk_sum *sum = bpf_map_lookup_elem(&tt_disk_sums, &key);
	struct disk_sum zero = {};

	if (sum)
		return sum;
	bpf_map_update_elem(&tt_disk_sums, &key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tt_disk_sums, &key);
}

static __always_inline void count_merge(u32 dev, u32 cmd_flags)
{
	struct disk_sum *sum;

	if (!tt_recording || (tt_only_dev && dev != tt_only_dev))
		return;
	sum = sum_of(dev, cmd_flags);
	if (sum)
		__sync_fetch_and_add(&sum->nr_merges, 1);
}

/* Whether the kernel accounts this request. Until 6.12 passthrough requests have RQF_IO_STAT too, but only
 * blk_account_io_start() sets the part that their I/O would be added to, and it leaves them out. */
static __always_inline bool is_accounted(struct request *rq, bool is_typed)
{
	return RD(is_typed, rq, rq_flags) & tt_rqf_io_stat && RD(is_typed, rq, part);
}

/* A record that found no room still counts in the totals. */
static __always_inline void count_shed(const struct tt_disk *d)
{
	bool is_copy = (d->cmd_flags & 0xff) == OP_FLUSH && !(d->flags & TT_DISK_FLUSH);
	struct disk_sum *sum = sum_of(d->dev, is_copy ? 0 : d->cmd_flags);
	u32 nr = d->flags & TT_DISK_BIO ? d->nr_completions : 1;

	if (!sum || !(d->flags & TT_DISK_COUNTED))
		return;
	__sync_fetch_and_add(&sum->nr_shed, nr);
	if (d->flags & TT_DISK_SECTORS_COUNTED)
		__sync_fetch_and_add(&sum->shed_bytes, d->bytes);
	__sync_fetch_and_add(&sum->shed_total_ns, nr * d->total_ns);
	__sync_fetch_and_add(&sum->shed_queue_ns, d->queue_ns);
	__sync_fetch_and_add(&sum->shed_device_ns, d->device_ns);
}

static __always_inline void count_lost_io(void)
{
	struct tt_cpu *c = tt_this_cpu();

	if (c)
		c->nr_lost_request_state++;
}

#ifdef TT_MODERN
static __always_inline struct io_seat *seat_of(u64 key)
{
	/* Fibonacci hashing: addresses come in steps. The verifier lets a pointer be a number only in 32 bits. */
	u32 seat = (u32)key * 0x9e3779b9u >> (32 - NR_SEATS_LOG2);

	return bpf_map_lookup_elem(&tt_io_seats, &seat);
}
#endif

/* NULL: nothing is known. */
static __always_inline struct io *find_io(u64 key)
{
#ifdef TT_MODERN
	struct io_seat *seat = seat_of(key);

	if (seat && seat->key == key)
		return &seat->io;
#endif
	return nr_overflow ? bpf_map_lookup_elem(&tt_ios, &key) : NULL;
}

/* Of one that is not known, all zero. NULL: the table is full. */
static __always_inline struct io *make_io(u64 key)
{
	struct io none;

#ifdef TT_MODERN
	struct io_seat *seat = seat_of(key);

	if (seat && !__sync_val_compare_and_swap(&seat->key, 0, key)) {
		__builtin_memset(&seat->io, 0, sizeof(seat->io));
		return &seat->io;
	}
#endif
	__builtin_memset(&none, 0, sizeof(none));
	if (bpf_map_update_elem(&tt_ios, &key, &none, BPF_NOEXIST)) {
		count_lost_io();
		return NULL;
	}
	__sync_fetch_and_add(&nr_overflow, 1);
	return bpf_map_lookup_elem(&tt_ios, &key);
}

/* Nothing more will be told of this life of it. False: somebody else was first. */
static __always_inline bool forget_io(u64 key)
{
#ifdef TT_MODERN
	struct io_seat *seat = seat_of(key);

	if (seat && seat->key == key)
		return __sync_val_compare_and_swap(&seat->key, key, 0) == key;
#endif
	if (!nr_overflow || bpf_map_delete_elem(&tt_ios, &key))
		return false;
	__sync_fetch_and_add(&nr_overflow, -1);
	return true;
}

static __always_inline void io_from_request(struct io *io, struct request *rq, bool is_typed)
{
	io->dev = dev_of_request(rq, is_typed);
	io->cmd_flags = RD(is_typed, rq, cmd_flags);
	io->sector = RD(is_typed, rq, __sector);
	io->submit_cpu = TT_CPU_NONE;
	io->issue_cpu = TT_CPU_NONE;
}

/* Also looks at the steal clock for the CPU's time line: completions are where a stolen CPU wakes up. is_ours: the buffers. */
static __always_inline u64 observe_completion(void *ctx, struct tt_cpu *c, u64 now_ns, bool is_ours)
{
	if (!c || !c->steal_mode)
		return 0;
	/* one that is fresh only where the scheduler has just looked: the tick will do it */
	if (c->steal_mode == TT_STEAL_AT_SWITCH || !is_ours)
		return tt_read_steal(c);
	tt_observe(ctx, c, now_ns, TT_SEEN_COMPLETION);
	return c->raw_steal_ns;
}

static __always_inline void put_stacks(struct tt_disk_with_stacks *record, const struct tt_stack_ids *stacks)
{
	record->kstack = stacks->kernel;
	record->ustack = stacks->user;
}

/* With the others of this CPU, or straight into the ring when the buffers are not ours. */
static __always_inline void put_record(struct tt_cpu *c, const struct tt_disk *d, const struct tt_stack_ids *stacks, bool is_ours)
{
	struct disk_batch *b;
	u64 submit_flags;
	struct tt_disk_with_stacks *place = is_ours ? tt_stage_record(c, d->rec.ts_ns, DISK_RECORD_BYTES) : NULL;

	if (place) {
		__builtin_memcpy(&place->disk, d, sizeof(*d));
		if (tt_stacks)
			put_stacks(place, stacks);
		return;
	}
	b = tt_reserve_batch(sizeof(b->head) + DISK_RECORD_BYTES, &submit_flags);
	if (!b) {
		tt_count_shed_record(c);
		count_shed(d);
		return;
	}
	tt_fill_batch(&b->head, c, sizeof(b->head) + DISK_RECORD_BYTES, d->rec.ts_ns);
	__builtin_memcpy(&b->record.disk, d, sizeof(*d));
	if (tt_stacks)
		put_stacks(&b->record, stacks);
	bpf_ringbuf_submit(b, submit_flags);
}

/* As it was submitted: the flush machinery takes the flag off before the data is issued. */
static __always_inline bool is_preflush(const struct io *io)
{
	if (!bpf_core_enum_value_exists(enum req_flag_bits, __REQ_PREFLUSH))
		return false;
	return io->cmd_flags >> bpf_core_enum_value(enum req_flag_bits, __REQ_PREFLUSH) & 1;
}

/* The end. start_ts_ns: 0 = unknown. ctx as in tt_observe. Consumes io. */
static __always_inline void emit_io(void *ctx, struct io *io, u64 start_ts_ns, u64 now_ns, u16 flags)
{
	struct tt_cpu *c = tt_this_cpu();
	struct tt_disk d = {};
	bool is_ours;

	if (!tt_recording || (tt_only_dev && io->dev != tt_only_dev))
		return;
	flags |= io->flags;
	if (flags & TT_DISK_NO_END)
		io->issue_ts_ns = io->requeue_ns = 0; /* nothing is known of its times */
	if (!start_ts_ns || start_ts_ns > now_ns) {
		start_ts_ns = io->issue_ts_ns ? io->issue_ts_ns : now_ns;
		flags |= TT_DISK_NO_START;
	}
	d.total_ns = now_ns - start_ts_ns;
	if (!io->issue_ts_ns) {
		/* an empty preflush spends its life in the flush sequence; another request failed before the
		 * driver, or was issued before recording began */
		if (io->in_flush_sequence || is_preflush(io)) {
			d.flush_ns = d.total_ns;
			flags |= TT_DISK_NO_ISSUE;
		} else if (io->start_ts_ns) {
			d.queue_ns = d.total_ns;
			flags |= TT_DISK_NO_ISSUE;
		} else {
			d.device_ns = d.total_ns;
			flags |= TT_DISK_NO_START;
		}
	} else {
		u64 data_end_ns = now_ns;

		if (io->issue_ts_ns > start_ts_ns && io->after_preflush)
			d.flush_ns = io->issue_ts_ns - start_ts_ns;
		else if (io->issue_ts_ns > start_ts_ns)
			d.queue_ns = io->issue_ts_ns - start_ts_ns;
		if (io->in_flush_sequence && io->complete_ts_ns) {
			data_end_ns = io->complete_ts_ns;
			d.flush_ns += now_ns - data_end_ns;
		}
		d.requeue_ns = io->requeue_ns;
		if (d.queue_ns + d.flush_ns + d.requeue_ns > d.total_ns) {
			/* what we knew is of the request's life before: its end and the next start were missed */
			d.queue_ns = d.flush_ns = d.requeue_ns = 0;
			flags |= TT_DISK_NO_START;
		}
		d.device_ns = d.total_ns - d.queue_ns - d.flush_ns - d.requeue_ns;
	}
	d.rec.size = DISK_RECORD_BYTES;
	d.rec.kind = TT_EV_DISK;
	d.rec.cpu = bpf_get_smp_processor_id();
	d.rec.ts_ns = now_ns;
	d.sector = io->sector;
	d.bytes = io->bytes;
	d.steal_issue_ns = io->steal_issue_ns;
	d.dev = io->dev;
	d.cmd_flags = io->cmd_flags;
	d.tid = io->tid;
	d.submit_cpu = io->submit_cpu;
	d.issue_cpu = io->issue_cpu;
	d.flags = flags;
	d.nr_issues = io->nr_issues;
	d.nr_completions = io->nr_completions;
	d.error = io->error;
	is_ours = c && c->on == TT_CPU_ON && !c->busy;
	if (is_ours) {
		c->busy = 1;
		barrier();
	}
	d.steal_done_ns = observe_completion(ctx, c, now_ns, is_ours);
	put_record(c, &d, &io->stacks, is_ours);
	if (is_ours) {
		barrier();
		c->busy = 0;
	}
}

/* The request is free or reused, so what is known of it is over, and its end was not seen. If it was issued it is told now,
 * and so is an empty preflush, which never is; another one went into some other request. */
static __noinline int emit_unseen_end(struct io *io, u64 now_ns)
{
	bool is_empty_preflush = is_preflush(io) && !io->data_len;
	u32 op = io->cmd_flags & 0xff;

	if (op == OP_FLUSH && !io->is_accounted) {
		if (io->issue_ts_ns)
			emit_io(NULL, io, now_ns, now_ns, TT_DISK_COUNTED | TT_DISK_FLUSH | TT_DISK_NO_END);
	} else if (io->complete_ts_ns) {
		/* newer kernels fire no block_io_done for passthrough (blk_mq_need_time_stamp) */
		emit_io(NULL, io, io->start_ts_ns, io->complete_ts_ns,
			(io->is_accounted ? TT_DISK_COUNTED : 0) |
				(op == OP_DRV_IN || op == OP_DRV_OUT ? TT_DISK_PASSTHROUGH : 0));
	} else if ((io->is_accounted && io->issue_ts_ns) || is_empty_preflush) {
		io->bytes = io->data_len;
		emit_io(NULL, io, now_ns, now_ns, TT_DISK_COUNTED | TT_DISK_SECTORS_COUNTED | TT_DISK_NO_END);
	}
	return 0;
}

static __always_inline int on_start(void *ctx, struct request *rq)
{
	u64 now_ns = bpf_ktime_get_ns(), key = (u64)rq;
	struct io *io = find_io(key);

	if (io) {
		struct io before = *io;

		if (forget_io(key))
			emit_unseen_end(&before, now_ns);
	}
	io = make_io(key);
	if (!io)
		return 0;
	io_from_request(io, rq, TYPED);
	io->start_ts_ns = now_ns;
	io->data_len = rq->__data_len;
	io->tid = (u32)bpf_get_current_pid_tgid();
	io->submit_cpu = bpf_get_smp_processor_id();
	if (tt_stacks)
		io->stacks = tt_take_stacks(ctx, TT_COPY_NONE);
	return 0;
}

/* The state of a request. One whose start was not seen: a flush, or it was there before us. */
static __always_inline struct io *find_or_make_io(struct request *rq)
{
	u64 key = (u64)rq;
	struct io *io = find_io(key);

	if (io)
		return io;
	io = make_io(key);
	if (!io)
		return NULL;
	io_from_request(io, rq, TYPED);
	io->flags = TT_DISK_NO_SUBMITTER;
	return io;
}

static __always_inline int on_issue(struct request *rq)
{
	u64 now_ns = bpf_ktime_get_ns();
	struct io *io = find_or_make_io(rq);
	struct tt_cpu *c;

	if (!io)
		return 0;
	if ((io->cmd_flags & 0xff) == OP_FLUSH && io->issue_ts_ns && !io->requeue_ts_ns) {
		/* the one flush request of a queue has no start: this is already the next flush */
		emit_unseen_end(io, now_ns);
		io->issue_ts_ns = io->requeue_ns = 0;
		io->nr_issues = 0;
	}
	io->nr_issues++;
	if (!io->issue_ts_ns) {
		io->issue_ts_ns = now_ns;
		io->issue_cpu = bpf_get_smp_processor_id();
		io->data_len = rq->__data_len;
		io->is_accounted = is_accounted(rq, TYPED);
		io->after_preflush = (io->cmd_flags & 0xff) != OP_FLUSH && is_preflush(io) &&
				     rq->rq_flags & tt_rqf_flush_seq;
		io->sector = rq->__sector; /* a front merge moves it */
		c = tt_this_cpu();
		if (c && c->steal_mode)
			io->steal_issue_ns = tt_read_steal(c);
	} else if (io->requeue_ts_ns) {
		io->requeue_ns += now_ns - io->requeue_ts_ns;
	}
	io->requeue_ts_ns = 0;
	return 0;
}

static __always_inline int on_requeue(struct request *rq)
{
	u64 key = (u64)rq;
	struct io *io = find_io(key);

	if (io && io->issue_ts_ns)
		io->requeue_ts_ns = bpf_ktime_get_ns();
	return 0;
}

/* Accounting of a request is over. */
static __always_inline int on_done(void *ctx, struct request *rq, bool is_typed)
{
	u64 now_ns = bpf_ktime_get_ns();
	u64 key = (u64)rq;
	u32 rq_flags = RD(is_typed, rq, rq_flags);
	struct io *known = find_io(key);
	struct io io = {};
	u64 start_ts_ns;
	u16 flags = 0;
	u32 op;

	if (rq_flags & tt_rqf_flush_seq) {
		if (known)
			known->in_flush_sequence = 1;
		return 0; /* the data of a flush sequence; it is done once more at the end */
	}
	if (known) {
		io = *known;
		forget_io(key);
	} else {
		/* neither start nor issue nor completion was seen: the table was full */
		io_from_request(&io, rq, is_typed);
		io.flags = TT_DISK_NO_SUBMITTER;
	}
	op = io.cmd_flags & 0xff;
	start_ts_ns = io.start_ts_ns;
	if (is_accounted(rq, is_typed)) {
		u64 kernel_ts_ns = RD(is_typed, rq, start_time_ns);

		flags |= TT_DISK_COUNTED;
		if (kernel_ts_ns && kernel_ts_ns <= now_ns)
			start_ts_ns = kernel_ts_ns;
		if (io.bytes < io.data_len) {
			/* A completion was missed. A request is only done when the kernel has counted all of it. */
			io.bytes = io.data_len;
			flags |= TT_DISK_SECTORS_COUNTED;
		}
	}
	if (op == OP_DRV_IN || op == OP_DRV_OUT)
		flags |= TT_DISK_PASSTHROUGH;
	emit_io(ctx, &io, start_ts_ns, now_ns, flags);
	return 0;
}

static __always_inline int on_complete(void *ctx, struct request *rq, u32 error, u32 nr_bytes)
{
	u64 now_ns = bpf_ktime_get_ns();
	u64 key = (u64)rq;
	u32 rq_flags = rq->rq_flags;
	u32 op = rq->cmd_flags & 0xff;
	struct io *io;

	/* dm-multipath completes all of a request, and then ends it with nothing left. With tt_done_at_complete the first was
	 * its end. An empty preflush has a bio until its end. */
	io = find_io(key);
	if (!nr_bytes && !rq->bio && !io)
		return 0;
	if (!io)
		io = find_or_make_io(rq);
	if (!io)
		return 0;
	if (error && !io->error)
		io->error = error;
	if (op == OP_FLUSH && rq_flags & tt_rqf_flush_seq) {
		struct io flush = *io;

		forget_io(key);
		/* blk_account_io_flush() takes it from start_time_ns, which blk_rq_init() has set */
		emit_io(ctx, &flush, rq->start_time_ns, now_ns, TT_DISK_COUNTED | TT_DISK_FLUSH);
		return 0;
	}
	/* a write of nothing that was not issued is an empty preflush: without its start we did not see it with its flag */
	if (rq_flags & tt_rqf_flush_seq || (op == OP_WRITE && !nr_bytes && !io->issue_ts_ns && !io->error))
		io->in_flush_sequence = 1;
	if (nr_bytes || !io->nr_completions) {
		/* the end of a flush sequence completes once more, with nothing */
		io->bytes += nr_bytes;
		io->nr_completions += nr_bytes != 0;
		io->complete_ts_ns = now_ns;
		if (is_accounted(rq, TYPED))
			io->flags |= TT_DISK_SECTORS_COUNTED;
	}
	if (tt_done_at_complete && nr_bytes >= rq->__data_len)
		return on_done(ctx, rq, TYPED);
	return 0;
}

SEC("?tp_btf/block_io_start")
int BPF_PROG(disk__io_start, struct request *rq)
{
	return on_start(ctx, rq);
}

SEC("?tp_btf/block_io_done")
int BPF_PROG(disk__io_done, struct request *rq)
{
	return on_done(ctx, rq, TYPED);
}

/* The tracepoints below had a leading request_queue until 5.11 (a54895fa057c), also in stable and RHEL
 * kernels. */
SEC("?tp_btf/block_rq_issue")
int disk__rq_issue(u64 *ctx)
{
	return on_issue(MOVED_ARG(ctx, tt_blk_queue_arg, 1, 0));
}

SEC("?tp_btf/block_rq_requeue")
int disk__rq_requeue(u64 *ctx)
{
	return on_requeue(MOVED_ARG(ctx, tt_blk_queue_arg, 1, 0));
}

SEC("?tp_btf/block_rq_complete")
int disk__rq_complete(u64 *ctx)
{
	s32 error = ctx[1]; /* until 5.15 -errno, then blk_status_t */

	return on_complete(ctx, (void *)ctx[0], error < 0 ? -error : (u8)error, (u32)ctx[2]);
}

/* attempt_merge(): this request goes into another one and will not be done. */
SEC("?tp_btf/block_rq_merge")
int disk__rq_merge(u64 *ctx)
{
	struct request *rq = MOVED_ARG(ctx, tt_blk_queue_arg, 1, 0);
	u64 key = (u64)rq;

	if (is_accounted(rq, TYPED))
		count_merge(dev_of_request(rq, TYPED), rq->cmd_flags);
	forget_io(key);
	return 0;
}

SEC("?tp_btf/block_bio_backmerge")
int disk__bio_backmerge(u64 *ctx)
{
	struct bio *bio = MOVED_ARG(ctx, tt_blk_queue_arg, 2, 0);

	count_merge(dev_of(disk_of_bio(bio), TYPED), bio->bi_opf);
	return 0;
}

SEC("?tp_btf/block_bio_frontmerge")
int disk__bio_frontmerge(u64 *ctx)
{
	struct bio *bio = MOVED_ARG(ctx, tt_blk_queue_arg, 2, 0);

	count_merge(dev_of(disk_of_bio(bio), TYPED), bio->bi_opf);
	return 0;
}

/* dm-N */
static __always_inline bool is_dm(struct gendisk *disk)
{
	char name[4] = {};

	bpf_probe_read_kernel(name, sizeof(name), disk->disk_name);
	return name[0] == 'd' && name[1] == 'm' && name[2] == '-';
}

/* How often the kernel counts a bio of a bio-based device as it comes; splits are seen later. brd counts nothing.
 * md passes empty preflushes on without counting them (md_flush_request); all others count one as a write of
 * nothing. dm makes a preflush with data an empty preflush first and counts both (dm_io_complete). */
static __always_inline u16 nr_pieces_of(const struct io *io, struct gendisk *disk)
{
	if (io->dev >> 20 == RAMDISK_MAJOR)
		return 0;
	if (!is_preflush(io))
		return 1;
	if (!io->bytes)
		return io->dev >> 20 != MD_MAJOR;
	return is_dm(disk) ? 2 : 1;
}

/* Devices without requests (dm, md, zram, ...): a bio from its submission to its end. Those of request-based
 * devices are left to the hooks above. */
SEC("?tp_btf/block_bio_queue")
int disk__bio_queue(u64 *ctx)
{
	struct bio *bio = MOVED_ARG(ctx, tt_blk_queue_arg, 1, 0);
	struct gendisk *disk = disk_of_bio(bio);
	u64 key = (u64)bio + BIO_KEY;
	struct io *io;

	if (disk->queue->mq_ops)
		return 0;
	forget_io(key); /* its end was missed */
	io = make_io(key);
	if (!io)
		return 0;
	io->start_ts_ns = bpf_ktime_get_ns();
	io->issue_ts_ns = io->start_ts_ns;
	io->nr_issues = 1;
	io->dev = dev_of(disk, TYPED);
	io->cmd_flags = bio->bi_opf;
	io->sector = bio->bi_iter.bi_sector;
	io->bytes = bio->bi_iter.bi_size;
	io->tid = (u32)bpf_get_current_pid_tgid();
	io->submit_cpu = bpf_get_smp_processor_id();
	io->issue_cpu = io->submit_cpu;
	io->flags = TT_DISK_BIO;
	io->nr_completions = nr_pieces_of(io, disk);
	if (io->nr_completions)
		io->flags |= TT_DISK_COUNTED | TT_DISK_SECTORS_COUNTED;
	if (tt_stacks)
		io->stacks = tt_take_stacks(ctx, TT_COPY_NONE);
	return 0;
}

/* The driver takes only the first part now; the rest comes as a bio of its own, of which block_bio_queue does not tell. dm
 * shows us the rest, which is the bio that it got; bio_split_to_limits() the first part, which is chained to it. */
SEC("?tp_btf/block_split")
int disk__bio_split(u64 *ctx)
{
	struct bio *bio = MOVED_ARG(ctx, tt_blk_queue_arg, 1, 0);
	u64 key = (u64)bio + BIO_KEY;
	struct io *io = find_io(key);

	if (!io) {
		key = (u64)bio->bi_private + BIO_KEY;
		io = find_io(key);
	}
	if (io && io->flags & TT_DISK_COUNTED && io->flags & TT_DISK_BIO)
		io->nr_completions++;
	return 0;
}

SEC("?tp_btf/block_bio_complete")
int disk__bio_complete(u64 *ctx)
{
	struct bio *bio = MOVED_ARG(ctx, tt_bio_complete_queue_arg, 1, 0);
	u64 now_ns = bpf_ktime_get_ns();
	u64 key = (u64)bio + BIO_KEY;
	struct io *known = find_io(key);
	struct io io;

	if (!known)
		return 0;
	io = *known;
	forget_io(key);
	io.error = bio->bi_status;
	emit_io(ctx, &io, io.start_ts_ns, now_ns, 0);
	return 0;
}

struct sweep {
	u64 now_ns;
};

/* The kernel frees a request after block_io_done: one that is free and still known has missed its end. */
static __always_inline void sweep_io(u64 key, const struct io *io, u64 now_ns)
{
	struct io copy = *io;
	struct io *again;

	if (key & BIO_KEY || !tt_request_is_free((void *)key))
		return;
	again = find_io(key);
	if (!again || again->start_ts_ns != copy.start_ts_ns || again->issue_ts_ns != copy.issue_ts_ns)
		return;
	copy = *again;
	if (forget_io(key))
		emit_unseen_end(&copy, now_ns);
}

#ifdef TT_MODERN
static long sweep_seat(struct bpf_map *map, u32 *nr, struct io_seat *seat, struct sweep *s)
{
	if (seat->key)
		sweep_io(seat->key, &seat->io, s->now_ns);
	return 0;
}
#endif

static long sweep_overflow(struct bpf_map *map, u64 *key, struct io *io, struct sweep *s)
{
	sweep_io(*key, io, s->now_ns);
	return 0;
}

/* Run by the collector at every epoch. bpf_for_each_map_elem: 5.13. */
SEC("?raw_tp/sched_switch")
int disk__sweep(void *ctx)
{
	struct sweep s = { .now_ns = bpf_ktime_get_ns() };

#ifdef TT_MODERN
	bpf_for_each_map_elem(&tt_io_seats, sweep_seat, &s, 0);
#endif
	if (nr_overflow)
		bpf_for_each_map_elem(&tt_ios, sweep_overflow, &s, 0);
	return 0;
}

/* The same end as block_io_done for kernels without it. 5.16 (be6bfe36db17) made blk_account_io_done() an
 * inline wrapper of __blk_account_io_done(); 6.5 undid that. (request) until 4.17, then (request, now). */
SEC("?fentry/blk_account_io_done")
int BPF_PROG(disk__account_fentry, struct request *rq)
{
	return on_done(ctx, rq, TYPED);
}

SEC("?fentry/__blk_account_io_done")
int BPF_PROG(disk__account_inner_fentry, struct request *rq)
{
	return on_done(ctx, rq, TYPED);
}

SEC("?kprobe/blk_account_io_done")
int BPF_KPROBE(disk__account_kprobe, struct request *rq)
{
	return on_done(ctx, rq, UNTYPED);
}

SEC("?kprobe/__blk_account_io_done")
int BPF_KPROBE(disk__account_inner_kprobe, struct request *rq)
{
	return on_done(ctx, rq, UNTYPED);
}
