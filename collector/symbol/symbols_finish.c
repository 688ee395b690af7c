/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From files to records.
 *
 * In the order that symbols_order.c makes: each file is read once, and what was answered early stands between what is asked now. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/symbol/debug_files.h"
#include "collector/symbol/fetcher.h"
#include "collector/symbol/frame_writer.h"
#include "collector/symbol/proc_maps.h"
#include "collector/symbol/symbols_private.h"

enum {
	KERNEL_MODULES_MAX = 4096,
	STEP_MS = 100,
	UNWIND_S = TT_SYMBOLS_FINISH_S / 2, /* names are to have their time, too */
	FETCH_ATTEMPT = 1000, /* behind all places where a debug file can be */
};

struct finish {
	struct tt_symbols *s;
	struct tt_frame_writer writer;
	tt_symbols_progress_fn progress;
	void *progress_ctx;
	uint64_t began_ns, asked_ns; /* asked_ns: when progress was called */
	bool is_stopped, unwinds, said_unwinding;
	uint32_t nr_done; /* addresses; copies, as long as it unwinds */
	struct tt_fetcher *fetcher;
	bool no_fetcher;

	struct tt_symbols_order order;

	/* the module in work */
	uint32_t first_dso, end_dso; /* of order.dsos */
	uint32_t dso;		     /* the one that is tried */
	uint32_t at, end;	     /* its addresses that are not told yet, of order.numbers */
	uint32_t id;
	uint16_t flags;
	struct tt_build_id build_id;
	struct tt_lookup_list list;
};

static bool is_stopped(void *ctx)
{
	struct finish *f = ctx;
	uint64_t now_ns = tt_now_ns();

	if (f->is_stopped || now_ns - f->asked_ns < STEP_MS * 1000000ull)
		return f->is_stopped;
	f->asked_ns = now_ns;
	f->is_stopped = f->progress && f->progress(f->progress_ctx, f->unwinds, f->nr_done, f->unwinds ? f->s->copies.nr : f->s->addresses.nr);
	if (!f->is_stopped && now_ns - f->began_ns > TT_SYMBOLS_FINISH_S * 1000000000ull) {
		log_warn("symbols: reading the files took %d s: the rest has no names", TT_SYMBOLS_FINISH_S);
		f->is_stopped = true;
	}
	return f->is_stopped;
}

static int tell(struct finish *f, const struct tt_address *address, uint32_t module,
		const struct tt_answer *answer)
{
	uint64_t offset = answer && answer->has_address ? answer->address : address->offset;
	bool is_resolved = false;

	for (unsigned i = 0; answer && i < answer->nr_frames; i++)
		is_resolved |= answer->frames[i].name.len > 0;
	f->s->stats.nr_resolved += is_resolved;
	f->nr_done++;
	return tt_frame_writer_frames(&f->writer, address->space, address->ip, module, offset, answer);
}

static const struct tt_address *address_at(const struct finish *f, uint32_t at)
{
	return &f->s->addresses.entries[f->order.numbers[at]];
}

/* --- the kernel --- */

struct kernel_modules {
	uint32_t nr;
	struct tt_slice names[KERNEL_MODULES_MAX];
	uint32_t ids[KERNEL_MODULES_MAX];
};

static int kernel_module_id(struct finish *f, struct kernel_modules *m, struct tt_slice name,
			    uint32_t *ret_id)
{
	const uint16_t flags = TT_MODULE_KERNEL | (f->s->kallsyms ? 0 : TT_MODULE_NO_SYMBOLS);

	if (!name.len || m->nr == KERNEL_MODULES_MAX)
		name = (struct tt_slice){ "[kernel.kallsyms]", strlen("[kernel.kallsyms]") };
	for (uint32_t i = m->nr; i-- > 0;) {
		if (m->names[i].len == name.len && !memcmp(m->names[i].text, name.text, name.len)) {
			*ret_id = m->ids[i];
			return 0;
		}
	}
	*ret_id = tt_frame_writer_new_module(&f->writer);
	if (m->nr < KERNEL_MODULES_MAX) {
		m->names[m->nr] = name;
		m->ids[m->nr++] = *ret_id;
	}
	return tt_frame_writer_module(&f->writer, *ret_id, flags, name, NULL);
}

static int tell_kernel_address(struct finish *f, struct kernel_modules *modules,
			       const struct tt_address *address)
{
	struct tt_answer answer = { .nr_frames = 0 };
	struct tt_kallsym symbol = { .start = 0 };
	uint32_t id;
	int err;

	if (f->s->kallsyms &&
	    tt_kallsyms_find(f->s->kallsyms, address->ip - tt_address_back(address), &symbol)) {
		answer.nr_frames = 1;
		answer.frames[0] =
			(struct tt_answer_frame){ .name = symbol.name, .offset = address->ip - symbol.start };
	}
	err = kernel_module_id(f, modules, symbol.module, &id);
	return err ? err : tell(f, address, id, &answer);
}

static int tell_kernel(struct finish *f)
{
	struct kernel_modules *modules;
	int err = 0;

	if (!f->s->addresses.nr || tt_address_class(address_at(f, 0)) != TT_CLASS_KERNEL)
		return 0;
	if (f->s->kallsyms && (err = tt_kallsyms_load(f->s->kallsyms))) {
		log_warn("symbols: /proc/kallsyms: %s: functions of the kernel have no names",
			 strerror(-err));
		tt_kallsyms_close(f->s->kallsyms);
		f->s->kallsyms = NULL;
	}
	modules = calloc(1, sizeof(*modules));
	if (!modules)
		return -ENOMEM;
	for (err = 0;
	     !err && f->at < f->s->addresses.nr && tt_address_class(address_at(f, f->at)) == TT_CLASS_KERNEL;
	     f->at++)
		err = tell_kernel_address(f, modules, address_at(f, f->at));
	free(modules);
	tt_kallsyms_close(f->s->kallsyms);
	f->s->kallsyms = NULL;
	return err;
}

/* --- one file --- */

/* Addresses up to the nth lookup, which has this answer; those that were answered early stand between. */
static int tell_up_to(struct finish *f, const struct tt_lookup *lookup, const struct tt_answer *answer)
{
	int err = 0;

	while (!err && f->at < f->end) {
		const struct tt_address *address = address_at(f, f->at);
		const struct tt_symbols *s = f->s;
		struct tt_answer early;

		if (address->flags & TT_ADDRESS_ANSWERED) {
			const uint64_t *words = s->answers + address->answer;
			size_t len = (s->answers_used - address->answer) * sizeof(*words);

			err = tell(f, address, f->id,
				   tt_answer_decode(words, len, &early) < 0 ? NULL : &early);
		} else if (!lookup) {
			err = tell(f, address, f->id, NULL);
		} else if (address->offset == lookup->offset && tt_address_back(address) == lookup->back) {
			err = tell(f, address, f->id, answer);
		} else {
			break;
		}
		f->at++;
	}
	return err;
}

static int on_answer(void *ctx, uint32_t nth, const void *bytes, size_t len, const struct tt_answer *answer)
{
	struct finish *f = ctx;

	(void)bytes;
	(void)len;
	return tell_up_to(f, &f->list.lookups[nth], answer);
}

static void on_loaded(void *ctx, const struct tt_message_loaded *loaded)
{
	struct finish *f = ctx;

	f->build_id = loaded->build_id;
	if (!loaded->nr_symbols)
		f->flags |= TT_MODULE_NO_SYMBOLS;
}

static int fetch(struct finish *f, const struct tt_build_id *build_id)
{
	int err = 0;

	if (!f->s->opts.debuginfod || !build_id->len || f->no_fetcher || f->is_stopped)
		return -ENOENT;
	if (!f->fetcher)
		err = tt_fetcher_open(&f->fetcher);
	f->no_fetcher = err;
	return err ? err : tt_fetcher_get(f->fetcher, build_id, is_stopped, f);
}

static int on_need(void *ctx, const struct tt_message_need *need, uint32_t *attempt)
{
	struct finish *f = ctx;
	const struct tt_dso *dso = tt_dso(&f->s->dsos, f->dso);
	int root_fd = dso->holder_pid ? tt_dso_root_of(&f->s->files, dso->holder_pid) : -1, fd;
	const struct tt_debug_places places = { root_fd, f->s->files.root_fd, dso->path };

	fd = *attempt < FETCH_ATTEMPT ? tt_debug_file_open(&places, need, attempt) : -ENOENT;
	if (root_fd >= 0)
		close(root_fd);
	if (fd < 0 && *attempt <= FETCH_ATTEMPT) {
		*attempt = FETCH_ATTEMPT + 1;
		fd = fetch(f, &need->build_id);
	}
	return fd;
}

/* Has a worker answer what is in f->list. 0, or what ends all. */
static int ask(struct finish *f, int fd, enum tt_job_kind kind, const char *path)
{
	const struct tt_job_owner owner = { f, on_need, on_loaded, on_answer };
	struct tt_job *job;
	int ret = tt_job_start(f->s->resolver, kind, false, fd, f->list.lookups, f->list.nr, &owner, &job);

	if (ret) {
		tt_symbols_file_failed(f->s, path, ret);
		return 0;
	}
	do
		ret = tt_job_step(job, STEP_MS);
	while (ret == 1 && !is_stopped(f));
	tt_job_close(job);
	switch (ret) {
	case 0:
	case 1:
		return 0;
	case -ENOEXEC:
		f->flags |= TT_MODULE_NO_SYMBOLS;
		return 0;
	case -EPROTO:
	case -ETIMEDOUT:
		f->flags |= TT_MODULE_NO_SYMBOLS;
		tt_symbols_file_failed(f->s, path, ret);
		return 0;
	default:
		return ret;
	}
}

static void note_deleted(struct finish *f, int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && !st.st_nlink)
		f->flags |= TT_MODULE_DELETED;
}

/* Through the first of the dsos that are this module which can be opened. */
static int resolve_file(struct finish *f)
{
	bool is_other = false;

	for (uint32_t i = f->first_dso; i < f->end_dso; i++) {
		enum tt_found found;
		int fd, err;

		f->dso = f->order.dsos[i];
		fd = tt_dso_open(&f->s->files, &f->s->dsos, f->dso, &found);
		if (fd >= 0) {
			err = ask(f, fd, TT_JOB_ELF, tt_dso(&f->s->dsos, f->dso)->path);
			if (!err)
				note_deleted(f, fd);
			close(fd);
			return err;
		}
		is_other |= found == TT_FOUND_OTHER;
	}
	f->flags |= is_other ? TT_MODULE_REPLACED : TT_MODULE_DELETED;
	f->s->stats.nr_files_replaced += is_other;
	return 0;
}

static int resolve_jit(struct finish *f, const char *path)
{
	struct tt_dso *dso = tt_dso(&f->s->dsos, f->dso);
	int fd = dso->fd >= 0 ? fcntl(dso->fd, F_DUPFD_CLOEXEC, 0) : tt_dso_open_jit(&f->s->files, dso), err;

	if (fd < 0) {
		f->flags |= TT_MODULE_NO_SYMBOLS;
		return 0;
	}
	err = ask(f, fd, TT_JOB_PERF_MAP, path);
	close(fd);
	return err;
}

/* Ours is everybody's: the kernel maps the same pages into each process. */
int tt_symbols_open_vdso(void)
{
	const char *start = (const char *)getauxval(AT_SYSINFO_EHDR), *pos;
	struct tt_text text = { .len = 0 };
	struct tt_proc_map map;
	int fd = -ENOENT;

	if (!start || tt_text_read(&text, AT_FDCWD, "/proc/self/maps"))
		return fd;
	for (pos = text.bytes; fd < 0 && tt_proc_next_map(&pos, text.bytes + text.len, &map);) {
		if (map.start != (uint64_t)(uintptr_t)start)
			continue;
		fd = memfd_create("vdso", MFD_CLOEXEC);
		if (fd >= 0 && write(fd, start, map.end - map.start) != (ssize_t)(map.end - map.start)) {
			close(fd);
			fd = -EIO;
		}
		break;
	}
	tt_text_free(&text);
	return fd;
}

static int resolve_vdso(struct finish *f)
{
	int fd = tt_symbols_open_vdso(), err;

	if (fd < 0)
		return 0;
	err = ask(f, fd, TT_JOB_ELF, "[vdso]");
	close(fd);
	return err;
}

static int resolve(struct finish *f, const char *path)
{
	switch (tt_dso(&f->s->dsos, f->dso)->kind) {
	case TT_DSO_FILE:
		return resolve_file(f);
	case TT_DSO_JIT:
		return resolve_jit(f, path);
	case TT_DSO_VDSO:
		return resolve_vdso(f);
	default:
		return 0;
	}
}

/* What is still to be asked of the module's addresses. */
static int list_lookups(struct finish *f)
{
	uint32_t *numbers = malloc((f->end - f->at) * sizeof(*numbers)), nr = 0;
	int err;

	if (!numbers)
		return -ENOMEM;
	for (uint32_t i = f->at; i < f->end; i++)
		if (!(address_at(f, i)->flags & TT_ADDRESS_ANSWERED))
			numbers[nr++] = f->order.numbers[i];
	err = tt_lookup_list_make(&f->list, &f->s->addresses, f->dso, numbers, nr);
	free(numbers);
	return err;
}

static int tell_module(struct finish *f)
{
	const struct tt_dso *dso = tt_dso(&f->s->dsos, f->dso);
	struct tt_slice path = { dso->path, dso->path_len };
	char jit_path[64];
	int err;

	f->id = tt_frame_writer_new_module(&f->writer);
	f->flags = dso->kind == TT_DSO_JIT ? TT_MODULE_JIT : 0;
	f->build_id.len = 0;
	if (dso->kind == TT_DSO_JIT) {
		path.len = (size_t)snprintf(jit_path, sizeof(jit_path), "/tmp/perf-%u.map",
					    dso->ns_pid ? dso->ns_pid : dso->pid);
		path.text = jit_path;
	}
	err = list_lookups(f);
	if (!err && f->list.nr && !is_stopped(f))
		err = resolve(f, path.text);
	if (!f->list.nr && dso->is_homeless && !dso->mount_ns) /* it was asked when it was about to go */
		f->flags |= TT_MODULE_DELETED;
	tt_lookup_list_free(&f->list);
	if (!err)
		err = tell_up_to(f, NULL, NULL);
	if (!err && f->flags & TT_MODULE_JIT && f->flags & TT_MODULE_NO_SYMBOLS)
		path = (struct tt_slice){ "//anon", strlen("//anon") }; /* there is no table */
	return err ? err : tt_frame_writer_module(&f->writer, f->id, f->flags, path, &f->build_id);
}

static int tell_modules(struct finish *f)
{
	int err = 0;

	for (f->first_dso = 0; !err && f->first_dso < f->order.nr_dsos; f->first_dso = f->end_dso) {
		uint32_t rank = f->order.ranks[f->order.dsos[f->first_dso]];

		f->end_dso = f->first_dso;
		while (f->end_dso < f->order.nr_dsos && f->order.ranks[f->order.dsos[f->end_dso]] == rank)
			f->end_dso++;
		f->dso = f->order.dsos[f->first_dso];
		for (f->end = f->at; f->end < f->s->addresses.nr; f->end++)
			if (tt_address_class(address_at(f, f->end)) != TT_CLASS_FILE ||
			    f->order.ranks[address_at(f, f->end)->dso] != rank)
				break;
		err = tell_module(f);
	}
	return err;
}

static bool is_stopped_unwinding(void *ctx, uint64_t nr_done)
{
	struct finish *f = ctx;

	f->nr_done = (uint32_t)nr_done;
	if (!is_stopped(f) && f->asked_ns - f->began_ns <= UNWIND_S * 1000000000ull)
		return false;
	if (!f->is_stopped && !f->said_unwinding)
		log_warn("symbols: unwinding took %d s: the rest of the stacks is by frame pointers", UNWIND_S);
	f->said_unwinding = true;
	return true;
}

/* Its addresses come before the order of all is made. */
static int unwind(struct finish *f)
{
	int err;

	f->unwinds = true;
	err = tt_symbols_unwind(f->s, &f->writer, is_stopped_unwinding, f);
	f->unwinds = false;
	f->nr_done = 0;
	tt_symbols_close_copies(f->s);
	tt_addresses_seal(&f->s->addresses);
	return err;
}

static int tell_all(struct finish *f)
{
	struct tt_symbols *s = f->s;
	int err = unwind(f);

	if (!err)
		err = tt_symbols_order_make(&f->order, s);
	if (!err)
		err = tell_kernel(f);
	if (!err)
		err = tell_modules(f);
	for (; !err && f->at < s->addresses.nr; f->at++, s->stats.nr_nowhere++)
		err = tell(f, address_at(f, f->at), 0, NULL);
	s->stats.nr_lost[TT_LOSS_NAMES] += f->writer.nr_names_cut;
	s->stats.nr_lost[TT_LOSS_MAPPINGS] += s->mappings.nr_beyond + s->dsos.nr_beyond;
	s->mappings.nr_beyond = s->dsos.nr_beyond = 0;
	for (uint32_t what = 1; !err && what < TT_LOSS_NR; what++)
		err = tt_frame_writer_loss(&f->writer, what, s->stats.nr_lost[what], s->started_ts_ns);
	return err ? err : tt_frame_writer_finish(&f->writer);
}

/* What only recording needs goes before what only this needs comes. */
static void end_recording(struct tt_symbols *s, struct finish *f)
{
	tt_symbols_drain(s);
	tt_symbols_advance(s, UINT64_MAX);
	tt_symbols_retry_jits(s);
	while (tt_symbols_has_early_jobs(s) && !is_stopped(f))
		tt_symbols_step_early_jobs(s, STEP_MS);
	tt_symbols_end_early_jobs(s);
	if (s->rings)
		s->stats.ring_bytes = tt_map_rings_bytes(s->rings);
	tt_map_rings_close(s->rings);
	s->rings = NULL;
	tt_map_queue_free(&s->queue, &s->dsos);
	tt_id_set_free(&s->stacks);
	free(s->waiting);
	s->waiting = NULL;
	s->nr_waiting = s->waiting_room = 0;
}

int tt_symbols_finish(struct tt_symbols *s, const struct tt_sink *sink, tt_symbols_progress_fn progress,
		      void *ctx)
{
	struct finish *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->s = s;
	f->began_ns = tt_now_ns();
	f->progress = progress;
	f->progress_ctx = ctx;
	end_recording(s, f);
	tt_frame_writer_open(&f->writer, sink);
	err = tell_all(f);
	s->stats.nr_modules = f->writer.nr_modules;
	s->stats.nr_symbols = f->writer.nr_symbols;
	tt_frame_writer_close(&f->writer);
	tt_fetcher_close(f->fetcher);
	tt_resolver_stop(s->resolver, &s->stats.helper_user_ns, &s->stats.helper_system_ns);
	tt_symbols_order_free(&f->order);
	free(f);
	return err;
}
