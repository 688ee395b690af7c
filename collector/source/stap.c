/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SystemTap source: a kernel module made of the scripts in stap/, run by staprun, read through a FIFO per CPU.
 *
 * open makes the module (or takes --stap-module), and has it loaded and waiting: what can be refused is refused before a recording
 * begins. The windows of all CPUs begin and end when the module's control file is told, not with the module: stapio up to 4.8 stops
 * reading when the module says that it ends, and what was written last would be lost.
 */
#include "collector/source/stap_private.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/source/bpf_rungs.h"
#include "collector/source/btf_shape.h"

enum {
	READY_MS = 60000, /* from staprun's start to a module that waits */
	SETTLE_MS = 3000, /* until it has chosen its hooks */
	END_MS = 10000,	  /* from "end" to the last batch of every CPU */
	GONE_MS = 60000,  /* until the module is unloaded; the keeper insists meanwhile */
	STEP_MS = 50,
	FIFO_BYTES = 1 << 20,
};

static struct stap_source *self(struct tt_source *src)
{
	return (struct stap_source *)src;
}

/* --- the module's files --- */

static void proc_path(const struct stap_source *s, const char *file, char *path, size_t size)
{
	snprintf(path, size, "%s/systemtap/%s/%s", tt_stap_proc(), s->module_name, file);
}

void tt_stap_read_status(const struct stap_source *s, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t n = 0;
	int fd;

	text[0] = '\0';
	proc_path(s, "status", path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

bool tt_stap_status_word(const char *status, const char *name, char *value, size_t size)
{
	size_t len = strlen(name), n;

	while (*status) {
		status += strspn(status, " \n");
		if (!strncmp(status, name, len) && status[len] == '=') {
			status += len + 1;
			n = strcspn(status, " \n");
			snprintf(value, size, "%.*s", (int)(n < size ? n : size - 1), status);
			return true;
		}
		status += strcspn(status, " \n");
	}
	return false;
}

static int tell_module(const struct stap_source *s, const char *word)
{
	char path[PATH_MAX];
	int fd, err = 0;

	proc_path(s, "control", path, sizeof(path));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, word, strlen(word)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* --- opening --- */

static int refuse(int err, const char *why)
{
	log_error("stap: %s", why);
	return err;
}

static void explain_end(struct stap_source *s, char *why, size_t size, int *ret_err)
{
	*ret_err = tt_stap_words_explain(&s->words, s->release, s->child_status, why, size);
}

/* Its control file would be that of another recording, or of one that nobody reads. */
static int refuse_loaded(struct stap_source *s)
{
	char path[PATH_MAX];

	proc_path(s, "control", path, sizeof(path));
	if (access(path, F_OK))
		return 0;
	log_error("stap: a module %s is loaded already: another recording runs, or one was left behind; end "
		  "it; "
		  "staprun -d %s removes what was left behind",
		  s->module_name, s->module_name);
	return -EBUSY;
}

/* As many as there may be, so that stapio finds a FIFO for each and makes no file. */
static int make_fifos(struct stap_source *s)
{
	s->fifo_fds = malloc(s->nr_cpus * sizeof(*s->fifo_fds));
	if (!s->fifo_fds)
		return -ENOMEM;
	for (unsigned i = 0; i < s->nr_cpus; i++)
		s->fifo_fds[i] = -1;
	for (unsigned i = 0; i < s->nr_cpus; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/out_%u", s->work_dir, i);
		if (mkfifo(path, 0600))
			return -errno;
		s->fifo_fds[i] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (s->fifo_fds[i] < 0)
			return -errno;
		fcntl(s->fifo_fds[i], F_SETPIPE_SZ, FIFO_BYTES); /* smaller will do, too */
	}
	return 0;
}

static uint64_t offset_of(const struct btf *btf, const char *type, const char *field)
{
	int64_t offset;

	return btf && tt_btf_field_offset(btf, type, field, &offset) && offset > 0 ? (uint64_t)offset : 0;
}

/* What only BTF knows of this kernel; where there is none the module does without. */
static unsigned put_offsets(char (*words)[48], unsigned nr)
{
	struct btf *btf = btf__load_vmlinux_btf();
	uint64_t nr_switches = offset_of(btf, "rq", "nr_switches"),
		 parent = offset_of(btf, "task_group", "parent"),
		 bandwidth = offset_of(btf, "task_group", "cfs_bandwidth"),
		 quota = offset_of(btf, "cfs_bandwidth", "quota"),
		 nr_throttled = offset_of(btf, "cfs_bandwidth", "nr_throttled");

	btf__free(btf);
	if (nr_switches)
		snprintf(words[nr++], sizeof(*words), "tt_rq_nr_switches_at=%llu",
			 (unsigned long long)nr_switches);
	if (!bandwidth || !quota || !nr_throttled || !parent)
		return nr;
	snprintf(words[nr++], sizeof(*words), "tt_group_quota_at=%llu",
		 (unsigned long long)(bandwidth + quota));
	snprintf(words[nr++], sizeof(*words), "tt_group_nr_throttled_at=%llu",
		 (unsigned long long)(bandwidth + nr_throttled));
	snprintf(words[nr++], sizeof(*words), "tt_group_parent_at=%llu", (unsigned long long)parent);
	return nr;
}

static int start_module(struct stap_source *s, const struct stap_hooks *hooks)
{
	char out[PATH_MAX], megabytes[16], words[16][48];
	struct tt_stap_child_options child = { .work_dir = s->work_dir, .module = s->module_name };
	char *argv[32];
	unsigned nr = 0, nr_words = 0;

	snprintf(out, sizeof(out), "%s/out", s->work_dir);
	snprintf(megabytes, sizeof(megabytes), "%llu", (unsigned long long)(s->ring_bytes >> 20));
	snprintf(words[nr_words++], sizeof(*words), "tt_records=1");
	snprintf(words[nr_words++], sizeof(*words), "tt_wait=1");
	snprintf(words[nr_words++], sizeof(*words), "tt_probes=%u", s->probes);
	snprintf(words[nr_words++], sizeof(*words), "tt_only_dev=%u", s->only_dev);
	snprintf(words[nr_words++], sizeof(*words), "tt_tgid=%d", (int)getpid());
	snprintf(words[nr_words++], sizeof(*words), "tt_steal_hook=%u", hooks->steal);
	snprintf(words[nr_words++], sizeof(*words), "tt_disk_hook=%u", hooks->disk);
	nr_words = put_offsets(words, nr_words);
	argv[nr++] = "staprun";
	argv[nr++] = "-b";
	argv[nr++] = megabytes;
	argv[nr++] = "-o";
	argv[nr++] = out;
	argv[nr++] = s->module_path;
	for (unsigned i = 0; i < nr_words; i++)
		argv[nr++] = words[i];
	argv[nr] = NULL;
	child.argv = argv;
	return tt_stap_child_start(&child, &s->child);
}

/* Another recorder may have been faster: then this is its module's, and ours is about to be refused. */
static bool is_ours(const char *status)
{
	char tgid[16];

	return !tt_stap_status_word(status, "tgid", tgid, sizeof(tgid)) || atoi(tgid) == (int)getpid();
}

/* Until the module waits for our word: its probes are in place then. */
static int wait_until_ready(struct stap_source *s)
{
	uint64_t begin_ns = tt_now_ns();
	char why[TT_STAP_WHY_MAX], status[512], state[32], hook[32];
	int err;

	for (;;) {
		err = tt_stap_feed(s, STEP_MS);
		if (err == 1) {
			tt_stap_child_wait(s->child, GONE_MS, &s->child_status);
			explain_end(s, why, sizeof(why), &err);
			return refuse(err, why);
		}
		if (err && err != -EINTR)
			return err;
		tt_stap_read_status(s, status, sizeof(status));
		/* which hooks are alive the module knows after a few ticks */
		if (tt_stap_status_word(status, "state", state, sizeof(state)) && is_ours(status) &&
		    (!tt_stap_status_word(status, "steal", hook, sizeof(hook)) || strcmp(hook, "auto") != 0 ||
		     tt_now_ns() - begin_ns > SETTLE_MS * 1000000ull))
			return 0;
		if (s->stopped_by_user && s->stopped_by_user())
			return refuse(-EINTR, "stopped before the recording began");
		if (tt_now_ns() - begin_ns > READY_MS * 1000000ull)
			return refuse(
				-ENOSYS,
				"the module does not answer within a minute; -v shows what SystemTap says");
	}
}

static void tell_probes(const struct stap_source *s, struct tt_info *info)
{
	static const unsigned probes[] = { TT_PROBE_STEAL, TT_PROBE_DISK, TT_PROBE_RUNQ };
	char status[512];

	tt_stap_read_status(s, status, sizeof(status));
	info->nr_probes = 0;
	for (unsigned i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		struct tt_probe_info *p = &info->probes[info->nr_probes];

		if (!(s->probes & probes[i]))
			continue;
		info->nr_probes++;
		memset(p, 0, sizeof(*p));
		snprintf(p->probe, sizeof(p->probe), "%s", tt_probe_name(probes[i]));
		if (!tt_stap_status_word(status, p->probe, p->rung, sizeof(p->rung)))
			snprintf(p->rung, sizeof(p->rung), "stap");
		if (s->tool.has_stap)
			snprintf(p->detail, sizeof(p->detail), "kernel module of SystemTap %u.%u",
				 s->tool.major, s->tool.minor);
		else
			snprintf(p->detail, sizeof(p->detail), "kernel module of SystemTap");
	}
}

/* staprun takes the file's name for the module's. */
static int link_module(struct stap_source *s, const char *file)
{
	char real[PATH_MAX];
	int err = 0;

	if (snprintf(s->module_path, sizeof(s->module_path), "%s/%s.ko", s->work_dir, s->module_name) >=
	    (int)sizeof(s->module_path))
		err = -ENAMETOOLONG;
	else if (!realpath(file, real) || symlink(real, s->module_path))
		err = -errno;
	if (err)
		log_error("stap: %s: %s", file, strerror(-err));
	return err;
}

/* The module that was given, or a new one. */
static int get_module(struct stap_source *s, const struct tt_source_options *opts)
{
	struct tt_stap_build build = {
		.release = s->release, .work_dir = s->work_dir, .stopped = opts->stopped, .tool = &s->tool
	};
	struct tt_stap_module module;
	char why[TT_STAP_WHY_MAX];
	int err;

	if (!opts->stap_module) {
		err = tt_stap_check_kernel(false, why, sizeof(why));
		if (!err)
			err = tt_stap_check_build(&s->tool, s->release, why, sizeof(why));
		if (!err)
			err = tt_stap_check_insert(&s->tool, false, why, sizeof(why));
		if (!err)
			err = tt_stap_build(&build, why, sizeof(why));
		snprintf(s->module_path, sizeof(s->module_path), "%s/" TT_STAP_MODULE_NAME ".ko",
			 s->work_dir);
		snprintf(s->module_name, sizeof(s->module_name), "%s", TT_STAP_MODULE_NAME);
		return err ? refuse(err, why) : 0;
	}
	err = tt_stap_check_kernel(true, why, sizeof(why));
	if (err)
		return refuse(err, why);
	err = tt_stap_module_read(opts->stap_module, &module, why, sizeof(why));
	if (err)
		return refuse(err == -EINVAL ? -ENOEXEC : err, why);
	if (strcmp(module.release, s->release) != 0) {
		snprintf(why, sizeof(why),
			 "%s: the module is for kernel %s, this is %s; make one for this: timethief "
			 "stap-build -r %s -o FILE",
			 opts->stap_module, module.release, s->release, s->release);
		return refuse(-ENOEXEC, why);
	}
	err = tt_stap_check_insert(&s->tool, module.is_signed, why, sizeof(why));
	if (err)
		return refuse(err, why);
	snprintf(s->module_name, sizeof(s->module_name), "%s", module.name);
	return link_module(s, opts->stap_module);
}

static void stap_close(struct tt_source *src)
{
	struct stap_source *s = self(src);

	if (!s)
		return;
	for (unsigned i = 0; s->fifo_fds && i < s->nr_cpus; i++)
		if (s->fifo_fds[i] >= 0)
			close(s->fifo_fds[i]);
	tt_stap_child_close(s->child);
	if (s->work_dir[0]) /* the keeper has done it, unless somebody killed it */
		tt_stap_remove_tree(s->work_dir);
	tt_stap_streams_close(s->streams);
	free(s->fifo_fds);
	free(s->cpus);
	free(s->fds);
	free(s->disk_names);
	free(s);
}

/* SystemTap counts in MB, from 1 to 4095. By default as much as the BPF source takes. */
static uint64_t ring_bytes(uint64_t wanted, unsigned nr_cpus)
{
	uint64_t mib = wanted ? (wanted + (1 << 20) - 1) >> 20 : 256 / nr_cpus;

	if (!wanted && mib > 8)
		mib = 8;
	if (wanted && wanted < 1 << 20)
		log_verbose("stap: rings of 1 MB, the smallest that SystemTap has");
	return (mib < 1 ? 1 : mib > 4095 ? 4095 : mib) << 20;
}

static int allocate(struct stap_source *s, const struct tt_source_options *opts, const struct tt_sink *sink)
{
	int nr_cpus = libbpf_num_possible_cpus();
	struct utsname host;

	if (nr_cpus < 1)
		return refuse(-ENOSYS,
			      "cannot tell how many CPUs there may be (/sys/devices/system/cpu/possible)");
	uname(&host);
	snprintf(s->release, sizeof(s->release), "%s", host.release);
	s->src.ops = &tt_source_stap;
	s->src.sink = *sink;
	s->proc_root = "";
	s->nr_cpus = (unsigned)nr_cpus;
	s->probes = opts->probes;
	s->only_dev = opts->device;
	s->stopped_by_user = opts->stopped;
	s->interval_ns = opts->interval_ns ? opts->interval_ns : 1000000000;
	s->epoch_bytes = opts->epoch_bytes ? opts->epoch_bytes : STAP_EPOCH_BYTES;
	s->ring_bytes = ring_bytes(opts->ring_bytes, s->nr_cpus);
	s->cpus = calloc(s->nr_cpus, sizeof(*s->cpus));
	s->disk_names = calloc(1, sizeof(*s->disk_names));
	s->fds = calloc(s->nr_cpus + 1, sizeof(*s->fds));
	if (!s->cpus || !s->disk_names || !s->fds)
		return -ENOMEM;
	return tt_stap_streams_open(s->nr_cpus, 0, tt_stap_on_batch, s, &s->streams);
}

static int stap_open(const struct tt_source_options *opts, struct tt_info *info, const struct tt_sink *sink,
		     struct tt_source **ret_src)
{
	struct stap_source *s;
	struct stap_hooks hooks;
	int err = tt_stap_parse_hooks(opts, &hooks);

	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	err = allocate(s, opts, sink);
	if (err)
		goto fail;
	tt_stap_tool_find(&s->tool);
	err = tt_stap_make_work_dir(s->work_dir, sizeof(s->work_dir));
	if (err) {
		log_error("stap: cannot make a folder %s: %s; set TMPDIR", s->work_dir, strerror(-err));
		s->work_dir[0] = '\0';
		goto fail;
	}
	err = get_module(s, opts);
	if (!err)
		err = refuse_loaded(s);
	if (!err)
		err = make_fifos(s);
	if (!err)
		err = start_module(s, &hooks);
	if (!err)
		err = wait_until_ready(s);
	if (err)
		goto fail;
	tell_probes(s, info);
	*ret_src = &s->src;
	return 0;
fail:
	stap_close(&s->src);
	return err;
}

/* --- running --- */

static int stap_start(struct tt_source *src)
{
	struct stap_source *s = self(src);
	int err = tell_module(s, "begin\n");

	if (err) {
		log_error("stap: cannot tell the module to begin: %s", strerror(-err));
		return err;
	}
	s->started = true;
	s->started_ns = s->last_epoch_ns = tt_now_ns();
	s->next_due_ns = s->started_ns + s->interval_ns;
	err = tt_stap_emit_counters(s);
	return err ? err : tt_proc_emit_cgroups(s->proc_root, &s->src.sink);
}

/* It ended although nobody asked. What came before is kept. */
static int judge_end(struct stap_source *s)
{
	char why[TT_STAP_WHY_MAX];
	int err;

	tt_stap_child_wait(s->child, GONE_MS, &s->child_status);
	explain_end(s, why, sizeof(why), &err);
	log_error("stap: the recording ends here: %s", why);
	return -EIO;
}

static int stap_poll(struct tt_source *src, int timeout_ms)
{
	struct stap_source *s = self(src);
	uint64_t now_ns = tt_now_ns();
	int left_ms = now_ns >= s->next_due_ns ? 0 : (int)((s->next_due_ns - now_ns + 999999) / 1000000);
	int err;

	err = tt_stap_feed(s, left_ms < timeout_ms ? left_ms : timeout_ms);
	if (err)
		return err == 1 ? judge_end(s) : err;
	now_ns = tt_now_ns();
	if (now_ns < s->next_due_ns && s->bytes_since_epoch < s->epoch_bytes)
		return 0;
	while (s->next_due_ns <= now_ns)
		s->next_due_ns += s->interval_ns;
	return tt_stap_make_epoch(s, tt_stap_promise_ns(s));
}

/* is_over NULL: until SystemTap has ended. */
static int feed_until(struct stap_source *s, bool (*is_over)(const struct stap_source *s),
		      unsigned timeout_ms)
{
	uint64_t begin_ns = tt_now_ns();
	int err = 0;

	while (!err && !(is_over && is_over(s)) && tt_now_ns() - begin_ns < timeout_ms * 1000000ull) {
		err = tt_stap_feed(s, STEP_MS);
		if (err == -EINTR) /* a second Ctrl-C */
			err = 0;
	}
	return err == 1 ? 0 : err;
}

/* What came and was no record of ours, or came too late to be put in its place. */
static void tell_garbage(const struct stap_source *s)
{
	const struct tt_stap_stats *stats = tt_stap_streams_stats(s->streams);

	if (stats->nr_skips)
		log_warn("stap: %llu bytes in %llu places were no records and are left out, the first at byte %llu of CPU %u's stream",
			 (unsigned long long)stats->skipped_bytes, (unsigned long long)stats->nr_skips,
			 (unsigned long long)stats->skip_offset, stats->skip_stream);
	if (stats->nr_refused)
		log_warn("stap: %llu packets came twice, or after they were counted as missing, and are left out",
			 (unsigned long long)stats->nr_refused);
}

static int stap_stop(struct tt_source *src)
{
	struct stap_source *s = self(src);
	int err = 0;

	if (!s->started || s->stopped)
		return 0;
	s->stopped = true;
	if (!s->child_ended) {
		int told;

		err = tt_stap_emit_counters(s);
		told = tell_module(s, "end\n");
		if (told)
			log_verbose("stap: cannot tell the module to end: %s", strerror(-told));
		else if (!err) {
			tt_stap_read_windows(s);
			err = feed_until(s, tt_stap_all_windows_ended, END_MS);
		}
		s->ended_ts_ns = tt_now_ns();
		if (!err)
			tt_stap_read_losses(s); /* while the module can still be asked */
		tt_stap_child_end(s->child);
		if (!err)
			err = feed_until(s, NULL, GONE_MS);
		tt_stap_child_wait(s->child, GONE_MS, &s->child_status);
	}
	for (unsigned i = 0; i < s->nr_cpus && !err; i++)
		if (s->fifo_fds[i] >= 0)
			err = tt_stap_streams_end(s->streams, i);
	for (uint32_t sequence; !err && tt_stap_streams_wait(s->streams, &sequence);)
		err = tt_stap_streams_give_up(s->streams);
	tell_garbage(s);
	if (!err)
		err = tt_stap_close_windows(s);
	return err ? err : tt_stap_make_epoch(s, tt_now_ns());
}

static void stap_stats(struct tt_source *src, struct tt_source_stats *ret_stats)
{
	struct stap_source *s = self(src);

	memset(ret_stats, 0, sizeof(*ret_stats));
	if (!s->stopped)
		tt_stap_read_losses(s);
	memcpy(ret_stats->nr_lost, s->nr_lost, sizeof(ret_stats->nr_lost));
	ret_stats->ring_bytes = s->ring_bytes * s->nr_cpus;
	ret_stats->ended_ts_ns = s->ended_ts_ns;
	if (s->child)
		tt_stap_child_cost(s->child, &ret_stats->helper_user_ns, &ret_stats->helper_system_ns);
}

const struct tt_source_ops tt_source_stap = {
	.name = "stap",
	.help = "a SystemTap module: the same events as BPF, for kernels where BPF cannot",
	.open = stap_open,
	.start = stap_start,
	.poll = stap_poll,
	.stop = stap_stop,
	.stats = stap_stats,
	.close = stap_close,
};
