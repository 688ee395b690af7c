/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events - every event of a session file as a line of words, for tests that compare two recordings.
 *
 *   events FILE
 *
 * A line begins with the kind; numbers are decimal, but flags. Names are in percent escapes, so a word has no space.
 *   window CPU TS begins|ends
 *   switch CPU TS PREV NEXT LEAVING WAIT DELIVER COMING WAKER QUEUED_CPU PRIO     flags of who leaves, of who comes
 *   steal CPU TS NS TID SEEN
 *   disk CPU TS DEV SECTOR CMD_FLAGS BYTES FLAGS ISSUES COMPLETIONS ERROR SUBMIT_CPU ISSUE_CPU TID TOTAL QUEUE REQUEUE DEVICE FLUSH
 *   task CPU TS WHY TID PID PARENT FLAGS START CGROUP COMM RUN_DELAY EXEC
 *   cgroup CPU TS ID PATH
 *   loss CPU TS WHAT COUNT
 *   stack ID SPACE PID FLAGS IP...
 *   sample CPU TS PERIOD STEAL TID PID FLAGS KSTACK USTACK
 *   module ID FLAGS PATH / symbol ID NAME / frame SPACE IP MODULE SYMBOL OFFSET FLAGS
 * With stacks, switch has PREV_K PREV_U WAKER_K WAKER_U at its end, steal and disk K U. Ids and addresses are hexadecimal.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "collector/event/decode.h"
#include "collector/session/session.h"

enum { COMING = TT_SW_WAIT_MASK | TT_SW_WOKEN_IN_IRQ | TT_SW_MIGRATED | TT_SW_THROTTLED };

static void print_name(const char *name, size_t max)
{
	for (size_t i = 0; i < max && name[i]; i++)
		if (isalnum((unsigned char)name[i]) || strchr("/._-:", name[i]))
			putchar(name[i]);
		else
			printf("%%%02x", (unsigned char)name[i]);
}

static void print_record(const struct tt_record *rec)
{
	const struct tt_disk *d = (const void *)rec;
	const struct tt_disk_with_stacks *ds = (const void *)rec;
	const struct tt_task *t = (const void *)rec;
	const struct tt_cgroup *g = (const void *)rec;
	const struct tt_loss *l = (const void *)rec;
	const struct tt_stack *stack = (const void *)rec;
	const struct tt_sample *sample = (const void *)rec;
	const struct tt_module *module = (const void *)rec;
	const struct tt_symbol *symbol = (const void *)rec;
	const struct tt_frame *frame = (const void *)rec;

	switch (rec->kind) {
	case TT_EV_STACK:
		printf("stack %llx %llx %u 0x%x", (unsigned long long)stack->id, (unsigned long long)stack->space, stack->pid,
		       stack->flags);
		for (unsigned i = 0; i < stack->nr; i++)
			printf(" %llx", ((const unsigned long long *)(stack + 1))[i]);
		putchar('\n');
		break;
	case TT_EV_SAMPLE:
		printf("sample %u %llu %llu %llu %u %u 0x%x %llx %llx\n", rec->cpu, (unsigned long long)rec->ts_ns,
		       (unsigned long long)sample->period_ns, (unsigned long long)sample->steal_ns, sample->tid, sample->pid,
		       sample->flags, (unsigned long long)sample->kstack, (unsigned long long)sample->ustack);
		break;
	case TT_EV_MODULE:
		printf("module %u 0x%x ", module->id, module->flags);
		print_name((const char *)(module + 1), module->path_len);
		putchar('\n');
		break;
	case TT_EV_SYMBOL:
		printf("symbol %u ", symbol->id);
		print_name((const char *)(symbol + 1), symbol->name_len);
		putchar('\n');
		break;
	case TT_EV_FRAME:
		printf("frame %llx %llx %u %u %llx 0x%x\n", (unsigned long long)frame->space, (unsigned long long)frame->ip, frame->module,
		       frame->symbol, (unsigned long long)frame->offset, frame->flags);
		break;
	case TT_EV_DISK:
		printf("disk %u %llu %u %llu 0x%x %llu 0x%x %u %u %u %u %u %u %llu %llu %llu %llu %llu",
		       rec->cpu, (unsigned long long)rec->ts_ns, d->dev, (unsigned long long)d->sector,
		       d->cmd_flags, (unsigned long long)d->bytes, d->flags, d->nr_issues, d->nr_completions,
		       d->error, d->submit_cpu, d->issue_cpu, d->tid, (unsigned long long)d->total_ns,
		       (unsigned long long)d->queue_ns, (unsigned long long)d->requeue_ns,
		       (unsigned long long)d->device_ns, (unsigned long long)d->flush_ns);
		if (rec->size >= sizeof(*ds))
			printf(" %llx %llx", (unsigned long long)ds->kstack, (unsigned long long)ds->ustack);
		putchar('\n');
		break;
	case TT_EV_TASK:
		printf("task %u %llu %u %u %u %u 0x%x %llu %llu ", rec->cpu, (unsigned long long)rec->ts_ns,
		       t->why, t->tid, t->pid, t->parent_pid, t->flags, (unsigned long long)t->start_ns,
		       (unsigned long long)t->cgroup_id);
		print_name(t->comm, sizeof(t->comm));
		printf(" %llu %llu\n", (unsigned long long)t->run_delay_ns, (unsigned long long)t->exec_ns);
		break;
	case TT_EV_CGROUP:
		printf("cgroup %u %llu %llu ", rec->cpu, (unsigned long long)rec->ts_ns,
		       (unsigned long long)g->id);
		print_name(g->path, sizeof(g->path));
		putchar('\n');
		break;
	case TT_EV_LOSS:
		printf("loss %u %llu %u %llu\n", rec->cpu, (unsigned long long)rec->ts_ns, l->what,
		       (unsigned long long)l->count);
		break;
	}
}

static void print_event(void *ctx, const struct tt_event *ev)
{
	const struct tt_ev_switch *sw = (const void *)ev;
	const struct tt_ev_steal *steal = (const void *)ev;
	const struct tt_ev_window *window = (const void *)ev;

	(void)ctx;
	switch (ev->kind) {
	case TT_EV_WINDOW:
		printf("window %u %llu %s\n", ev->cpu, (unsigned long long)ev->ts_ns,
		       window->begins ? "begins" : "ends");
		break;
	case TT_EV_SWITCH:
		printf("switch %u %llu %u %u 0x%x %llu %llu 0x%x %u %u %u", ev->cpu,
		       (unsigned long long)ev->ts_ns, sw->prev_tid, sw->next_tid, ev->flags & ~COMING,
		       (unsigned long long)sw->wait_ns, (unsigned long long)sw->deliver_ns,
		       ev->flags & COMING, sw->waker_tid, sw->queued_cpu, sw->next_prio);
		if (sw->has_stacks)
			printf(" %llx %llx %llx %llx", (unsigned long long)sw->prev_kstack, (unsigned long long)sw->prev_ustack,
			       (unsigned long long)sw->waker_kstack, (unsigned long long)sw->waker_ustack);
		putchar('\n');
		break;
	case TT_EV_STEAL:
		printf("steal %u %llu %llu %u %u", ev->cpu, (unsigned long long)ev->ts_ns,
		       (unsigned long long)steal->steal_ns, steal->tid, steal->seen);
		if (steal->kstack)
			printf(" %llx %llx", (unsigned long long)steal->kstack, (unsigned long long)steal->ustack);
		putchar('\n');
		break;
	default:
		print_record(((const struct tt_ev_record *)ev)->rec);
	}
}

static int decode_batch(void *ctx, const void *batch, size_t len)
{
	return tt_decode(ctx, batch, len, print_event, NULL);
}

static int ignore_epoch(void *ctx, uint64_t until_ts_ns)
{
	(void)ctx, (void)until_ts_ns;
	return 0;
}

int main(int argc, char **argv)
{
	struct tt_session_reader *r = NULL;
	struct tt_decoder *dec = NULL;
	struct tt_sink sink = { .batch = decode_batch, .epoch = ignore_epoch };
	int err;

	if (argc != 2) {
		fprintf(stderr, "usage: events FILE\n");
		return 2;
	}
	err = tt_decoder_open(&dec);
	sink.ctx = dec;
	if (!err)
		err = tt_session_open(argv[1], &r);
	while (!err)
		err = tt_session_read_epoch(r, &sink);
	if (err < 0)
		fprintf(stderr, "events: %s: %s\n", argv[1], strerror(-err));
	else if (tt_session_get_end(r)->reason[0])
		fprintf(stderr, "events: %s: %s\n", argv[1], tt_session_get_end(r)->reason);
	tt_session_close(r);
	tt_decoder_close(dec);
	return err < 0;
}
