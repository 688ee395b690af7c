/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/session/session.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/session/format.h"
#include "tests/unit/batches.h"

static char dir[64], path[96], old_path[112], other[96];
static const struct tt_info info = {
	.tool_version = "0.1",
	.hostname = "web-3",
	.command = "bad \xff bytes",
	.user_hz = 100,
	.realtime_offset_ns = 1234567890123456789,
	.utc_offset_s = -3600,
	.steal_reported = true,
	.nr_probes = 2,
	.probes = { { .probe = "steal", .rung = "clock" }, { .probe = "disk", .detail = "by \"hand\"\n" } },
};

static void setup(void)
{
	tt_log_set_level(TT_LOG_QUIET);
	snprintf(dir, sizeof(dir), "/tmp/tt-session-test-XXXXXX");
	cr_assert(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/s.tt", dir);
	snprintf(old_path, sizeof(old_path), "%s.old", path);
	snprintf(other, sizeof(other), "%s/other", dir);
}

static void teardown(void)
{
	unlink(path);
	unlink(old_path);
	unlink(other);
	rmdir(dir);
}

/* What is refused is also said, thousands of times: not into the test's output. */
static void hush(void)
{
	cr_assert(freopen("/dev/null", "w", stderr) != NULL);
}

TestSuite(session, .init = setup, .fini = teardown);

/* A list of batches, of one stream each: within a stream the order is kept. */
struct list {
	uint8_t *data;
	size_t size, max;
	unsigned nr;
};

static void list_add(struct list *l, const void *batch, size_t len)
{
	if (l->size + len > l->max) {
		l->max = 2 * l->max + len;
		l->data = realloc(l->data, l->max);
		cr_assert(l->data != NULL);
	}
	memcpy(l->data + l->size, batch, len);
	l->size += len;
	l->nr++;
}

static struct list written[2], got[2];
static uint64_t epochs[1000];
static unsigned nr_epochs;

static int on_batch(void *ctx, const void *data, size_t len)
{
	const struct tt_batch *b = data;

	(void)ctx;
	cr_assert(le(sz, len, TT_BATCH_BYTES_MAX));
	cr_assert(eq(sz, len, b->size));
	list_add(&got[b->stream == TT_STREAM_RECORDS], data, len);
	return 0;
}

static int on_epoch(void *ctx, uint64_t until_ts_ns)
{
	(void)ctx;
	epochs[nr_epochs++ % 1000] = until_ts_ns;
	return 0;
}

static const struct tt_sink sink = { NULL, on_batch, on_epoch };

static void write_one(struct tt_session_writer *w, const union tb *t)
{
	cr_assert(eq(int, tt_session_write_batch(w, t, t->b.size), 0));
	list_add(&written[t->b.stream == TT_STREAM_RECORDS], t, t->b.size);
}

/* Reads all; 0, or the error of opening. */
static int read_all(const char *file, struct tt_session_end *ret_end)
{
	struct tt_session_reader *r;
	int err = tt_session_open(file, &r);

	got[0].size = got[1].size = nr_epochs = 0;
	if (err)
		return err;
	while (!(err = tt_session_read_epoch(r, &sink)))
		;
	cr_expect(eq(int, err, 1));
	cr_expect(eq(int, tt_session_read_epoch(r, &sink), 1), "the end stays the end");
	*ret_end = *tt_session_get_end(r);
	tt_session_close(r);
	return 0;
}

static void expect_same(void)
{
	for (unsigned i = 0; i < 2; i++) {
		cr_assert(eq(sz, got[i].size, written[i].size));
		if (!written[i].size)
			continue;
		cr_assert(eq(int, memcmp(got[i].data, written[i].data, got[i].size), 0));
	}
}

static uint8_t *load(size_t *ret_size)
{
	FILE *f = fopen(path, "r");
	uint8_t *data = malloc(1 << 20);

	cr_assert(f && data);
	*ret_size = fread(data, 1, 1 << 20, f);
	fclose(f);
	return data;
}

static void store(const void *data, size_t size)
{
	FILE *f = fopen(other, "w");

	cr_assert(f != NULL);
	cr_assert(eq(sz, fwrite(data, 1, size, f), size));
	fclose(f);
}

/* Three epochs of a few batches each; *ret_whole gets the file's size after each of them. */
static void write_small(uint64_t *ret_whole)
{
	struct tt_session_writer *w;
	struct tt_summary summary = { .nr_events = 99, .ended_by = "duration", .command_status = -1 };
	uint64_t seed = 11;
	union tb t;

	summary.nr_lost[TT_LOSS_UNSEEN] = 4;
	cr_assert(eq(int, tt_session_create(path, &info, 0, &w), 0));
	for (unsigned epoch = 0; epoch < 3; epoch++) {
		for (unsigned i = 0; i < 4; i++) {
			tb_random_batch(&t, &seed);
			t.b.nr_records = 0;
			t.b.size = 64;
			if (t.b.stream == TT_STREAM_SCHED)
				tb_switch(&t, 5, 6, 1);
			else
				tb_record(&t, TT_EV_DISK, sizeof(struct tt_disk), 0, 9);
			write_one(w, &t);
		}
		cr_assert(eq(int, tt_session_write_epoch(w, 1000 * (epoch + 1)), 0));
		ret_whole[epoch] = tt_session_writer_bytes(w);
	}
	cr_assert(eq(int, tt_session_write_end(w, &summary), 0));
	tt_session_writer_close(w);
}

Test(session, random_batches_come_back_bit_by_bit)
{
	struct tt_session_writer *w;
	struct tt_session_end end;
	struct tt_summary summary = { 0 };
	uint64_t seed = 1;
	union tb t;

	cr_assert(eq(int, tt_session_create(path, &info, 0, &w), 0));
	for (unsigned epoch = 0; epoch < 20; epoch++) {
		unsigned nr = (unsigned)(tb_random(&seed) % 200);

		while (nr--) {
			tb_random_batch(&t, &seed);
			write_one(w, &t);
		}
		cr_assert(eq(int, tt_session_write_epoch(w, epoch + 7), 0));
	}
	cr_assert(eq(int, tt_session_write_end(w, &summary), 0));
	tt_session_writer_close(w);
	cr_assert(eq(int, read_all(path, &end), 0));
	expect_same();
	cr_expect(eq(u32, nr_epochs, 20));
	cr_expect(eq(u64, epochs[19], 26));
	cr_expect(eq(int, end.has_summary, true));
	cr_expect(eq(int, end.damaged, false));
	cr_expect(eq(str, end.reason, ""));
}

Test(session, an_epoch_of_many_blocks_comes_back_and_pipe_switches_are_small)
{
	struct tb_pipe pipes[2] = { { .seed = 1, .cpu = 0, .ts_ns = 1000 },
				    { .seed = 2, .cpu = 1, .ts_ns = 1500 } };
	struct tt_session_writer *w;
	struct tt_session_end end;
	unsigned nr_switches = 0;
	union tb t;

	cr_assert(eq(int, tt_session_create(path, &info, 0, &w), 0));
	for (unsigned i = 0; i < 3000; i++) { /* 12 MiB on the wire */
		tb_pipe_batch(&t, &pipes[i % 2]);
		nr_switches += t.b.nr_records;
		write_one(w, &t);
	}
	cr_assert(eq(int, tt_session_write_epoch(w, 1), 0));
	cr_expect(lt(dbl, (double)tt_session_writer_bytes(w) / nr_switches, 3.0), "bytes per switch");
	tt_session_writer_close(w); /* killed: no end */
	cr_assert(eq(int, read_all(path, &end), 0));
	expect_same();
	cr_expect(eq(int, end.has_summary, false));
	cr_expect(eq(int, end.damaged, false));
	cr_expect(ne(str, end.reason, ""));
}

/* Random batches hardly get smaller: 40 MiB of them are far more than one epoch may hold. */
Test(session, an_epoch_that_grows_too_large_is_written_in_parts)
{
	struct tt_session_writer *w;
	struct tt_session_end end;
	uint64_t seed = 3;
	union tb t;

	cr_assert(eq(int, tt_session_create(path, &info, 0, &w), 0));
	tb_random_batch(&t, &seed);
	write_one(w, &t);
	cr_assert(eq(int, tt_session_write_epoch(w, 5), 0));
	for (uint64_t bytes = 0; bytes < 40 << 20; bytes += t.b.size) {
		tb_random_batch(&t, &seed);
		write_one(w, &t);
	}
	cr_assert(eq(int, tt_session_write_epoch(w, 9), 0));
	tt_session_writer_close(w);
	cr_assert(eq(int, read_all(path, &end), 0));
	expect_same();
	cr_expect(gt(u32, nr_epochs, 2));
	cr_expect(eq(u64, epochs[1], 5), "a part promises nothing new");
	cr_expect(eq(u64, epochs[nr_epochs - 1], 9));
	cr_expect(eq(int, end.damaged, false));
}

Test(session, info_and_summary_come_back_with_bad_utf8_replaced)
{
	struct tt_session_reader *r;
	uint64_t whole[3];
	const struct tt_info *back;

	write_small(whole);
	cr_assert(eq(int, tt_session_open(path, &r), 0));
	back = tt_session_info(r);
	cr_expect(eq(str, (char *)back->hostname, "web-3"));
	cr_expect(eq(str, (char *)back->command, "bad \xef\xbf\xbd bytes"));
	cr_expect(eq(u32, back->user_hz, 100));
	cr_expect(eq(i64, back->realtime_offset_ns, 1234567890123456789));
	cr_expect(eq(i32, back->utc_offset_s, -3600));
	cr_expect(eq(int, back->steal_reported, true));
	cr_assert(eq(u32, back->nr_probes, 2));
	cr_expect(eq(str, (char *)back->probes[1].detail, "by \"hand\"\n"));
	while (!tt_session_read_epoch(r, &sink))
		;
	cr_expect(eq(u64, tt_session_get_end(r)->summary.nr_events, 99));
	cr_expect(eq(u64, tt_session_get_end(r)->summary.nr_lost[TT_LOSS_UNSEEN], 4));
	cr_expect(eq(i32, tt_session_get_end(r)->summary.command_status, -1));
	cr_expect(eq(str, (char *)tt_session_get_end(r)->summary.ended_by, "duration"));
	tt_session_close(r);
}

Test(session, cut_at_every_byte_it_gives_every_whole_epoch_and_no_more)
{
	uint64_t whole[3];
	struct tt_session_end end;
	size_t size, first_epoch = 0;
	uint8_t *data;

	hush();
	write_small(whole);
	data = load(&size);
	for (size_t len = 0; len < size; len++) {
		unsigned nr_whole = (len >= whole[0]) + (len >= whole[1]) + (len >= whole[2]);
		int err;

		store(data, len);
		err = read_all(other, &end);
		if (err) {
			cr_assert(eq(int, err, -EBADMSG), "cut at %zu", len);
			cr_assert(eq(u32, nr_whole, 0), "cut at %zu", len);
			first_epoch = len;
			continue;
		}
		cr_assert(eq(u32, nr_epochs, nr_whole), "cut at %zu", len);
		cr_assert(eq(int, end.has_summary, false));
		cr_assert(eq(int, end.damaged, false), "cut at %zu: %s", len, end.reason);
		cr_assert(ne(str, end.reason, ""));
		cr_assert(le(u64, end.offset, len));
	}
	cr_expect(gt(sz, first_epoch, 0));
	free(data);
}

Test(session, a_flip_of_any_byte_is_noticed_and_what_came_before_is_kept)
{
	uint64_t whole[3];
	struct tt_session_end end;
	size_t size;
	uint8_t *data;

	hush();
	write_small(whole);
	data = load(&size);
	for (size_t at = 0; at < size; at++) {
		unsigned nr_whole = (at >= whole[0]) + (at >= whole[1]) + (at >= whole[2]);
		int err;

		data[at] ^= (uint8_t)(1 << at % 8);
		store(data, size);
		data[at] ^= (uint8_t)(1 << at % 8);
		err = read_all(other, &end);
		if (err) {
			cr_assert(lt(u64, at, whole[0]), "flip at %zu", at);
			continue;
		}
		cr_assert(eq(u32, nr_epochs, nr_whole), "flip at %zu: %s", at, end.reason);
		cr_assert(eq(int, end.damaged, true), "flip at %zu: %s", at, end.reason);
		cr_assert(ne(str, end.reason, ""));
	}
	free(data);
}

Test(session, bytes_after_the_end_are_damage)
{
	uint64_t whole[3];
	struct tt_session_end end;
	size_t size;
	uint8_t *data;

	write_small(whole);
	data = load(&size);
	data[size] = 0;
	store(data, size + 1);
	cr_assert(eq(int, read_all(other, &end), 0));
	cr_expect(eq(int, end.damaged, true));
	cr_expect(eq(int, end.has_summary, true));
	cr_expect(eq(u64, end.offset, size));
	free(data);
}

/* Appends a block with the next number to a file image; returns its new size. */
static size_t put_block(uint8_t *file, size_t size, uint32_t *number, struct tt_block_header head,
			const void *payload)
{
	head.number = (*number)++;
	head.head_check = (uint32_t)XXH64(&head, offsetof(struct tt_block_header, head_check), 0);
	head.check = tt_block_check(&head, payload);
	memcpy(file + size, &head, sizeof(head));
	memcpy(file + size + sizeof(head), payload, head.packed_size);
	return size + sizeof(head) + head.packed_size;
}

/* A block of a type that does not exist yet goes behind the second epoch; the numbers of those after it move.
 */
Test(session, unknown_blocks_are_skipped)
{
	static const struct tt_block_header newer = {
		.magic = TT_BLOCK_MAGIC, .type = 4242, .packed_size = 5, .raw_size = 5
	};
	uint8_t *data, *copy = calloc(1, 1 << 20);
	size_t size, at = sizeof(struct tt_file_header), to = at;
	uint64_t whole[3];
	struct tt_session_end end;
	uint32_t number = 0;

	write_small(whole);
	data = load(&size);
	memcpy(copy, data, at);
	while (at < size) {
		struct tt_block_header head;

		if (at == whole[1])
			to = put_block(copy, to, &number, newer, "hello");
		memcpy(&head, data + at, sizeof(head));
		to = put_block(copy, to, &number, head, data + at + sizeof(head));
		at += sizeof(head) + head.packed_size;
	}
	store(copy, to);
	cr_assert(eq(int, read_all(other, &end), 0));
	cr_expect(eq(u32, nr_epochs, 3));
	cr_expect(eq(str, end.reason, ""));
	cr_expect(eq(sz, to, size + sizeof(newer) + 5));
	expect_same();
	free(data);
	free(copy);
}

Test(session, max_bytes_ends_the_recording_with_a_whole_file)
{
	struct tb_pipe pipe = { .seed = 1 };
	struct tt_session_writer *w;
	struct tt_session_end end;
	struct tt_summary summary = { .ended_by = "max-size" };
	struct stat st;
	unsigned nr = 0;
	union tb t;
	int err;

	hush();
	cr_expect(eq(int, tt_session_create(path, &info, 100, &w), -EFBIG));
	cr_expect(eq(int, access(path, F_OK), -1));
	cr_assert(eq(int, tt_session_create(path, &info, 20000, &w), 0));
	do {
		for (unsigned i = 0; i < 5; i++) {
			tb_pipe_batch(&t, &pipe);
			cr_assert(eq(int, tt_session_write_batch(w, &t, t.b.size), 0));
		}
		err = tt_session_write_epoch(w, ++nr);
	} while (!err && nr < 1000);
	cr_expect(eq(int, err, -EFBIG));
	cr_expect(eq(int, tt_session_write_batch(w, &t, t.b.size), -EFBIG));
	cr_expect(eq(int, tt_session_write_epoch(w, nr), -EFBIG));
	cr_expect(eq(int, tt_session_write_end(w, &summary), 0));
	tt_session_writer_close(w);
	cr_assert(eq(int, stat(path, &st), 0));
	cr_expect(le(i64, st.st_size, 20000));
	cr_assert(eq(int, read_all(path, &end), 0));
	cr_expect(eq(u32, nr_epochs, nr - 1));
	cr_expect(gt(u32, nr_epochs, 1));
	cr_expect(eq(str, end.summary.ended_by, "max-size"));
}

static bool mount_small_tmpfs(void)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("none", dir, "tmpfs", 0, "size=128k");
}

Test(session, a_full_disk_leaves_whole_epochs_and_room_for_the_end)
{
	struct tb_pipe pipe = { .seed = 1 };
	struct tt_session_writer *w;
	struct tt_session_end end;
	struct tt_summary summary = { .ended_by = "disk full" };
	unsigned nr = 0;
	union tb t;
	int err;

	hush();
	if (!mount_small_tmpfs())
		cr_skip_test("cannot mount a tmpfs here");
	cr_assert(eq(int, tt_session_create(path, &info, 0, &w), 0));
	do {
		tb_pipe_batch(&t, &pipe);
		cr_assert(eq(int, tt_session_write_batch(w, &t, t.b.size), 0));
		err = tt_session_write_epoch(w, ++nr);
	} while (!err && nr < 10000);
	cr_expect(eq(int, err, -ENOSPC));
	/* somebody else takes the last free byte */
	int fd = open(other, O_CREAT | O_WRONLY, 0600);
	while (write(fd, &t, sizeof(t)) > 0)
		;
	close(fd);
	cr_expect(eq(int, tt_session_write_end(w, &summary), 0));
	tt_session_writer_close(w);
	cr_assert(eq(int, read_all(path, &end), 0));
	cr_expect(eq(u32, nr_epochs, nr - 1));
	cr_expect(eq(str, end.summary.ended_by, "disk full"));
	cr_expect(eq(str, end.reason, ""));
}

Test(session, a_write_that_stops_half_way_is_cut_back)
{
	struct tb_pipe pipe = { .seed = 1 };
	struct rlimit limit = { 10000, 10000 };
	struct tt_session_writer *w;
	struct tt_session_end end;
	struct tt_summary summary = { 0 };
	unsigned nr = 0;
	union tb t;
	int err;

	hush();
	signal(SIGXFSZ, SIG_IGN);
	cr_assert(eq(int, tt_session_create(path, &info, 0, &w), 0));
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
	do {
		for (unsigned i = 0; i < 20; i++) {
			tb_pipe_batch(&t, &pipe);
			cr_assert(eq(int, tt_session_write_batch(w, &t, t.b.size), 0));
		}
		err = tt_session_write_epoch(w, ++nr);
	} while (!err && nr < 1000);
	cr_expect(eq(int, err, -EFBIG));
	cr_expect(eq(int, tt_session_write_end(w, &summary), 0));
	tt_session_writer_close(w);
	cr_assert(eq(int, read_all(path, &end), 0));
	cr_expect(eq(u32, nr_epochs, nr - 1));
	cr_expect(eq(str, end.reason, ""));
}

Test(session, a_batch_that_is_none_is_refused)
{
	struct tt_session_writer *w;
	union tb t;

	cr_assert(eq(int, tt_session_create(path, &info, 0, &w), 0));
	tb_begin(&t, TT_STREAM_SCHED, 0, 5);
	t.b.nr_records = 1;
	cr_expect(eq(int, tt_session_write_batch(w, &t, t.b.size), -EBADMSG));
	cr_expect(eq(int, tt_session_write_epoch(w, 1), 0), "and does no harm");
	tt_session_writer_close(w);
}

Test(session, an_existing_file_is_kept_as_old_and_a_locked_one_is_refused)
{
	struct tt_session_writer *first, *second;
	struct stat st, old_st;

	hush();
	cr_assert(eq(int, tt_session_create(path, &info, 0, &first), 0));
	cr_expect(eq(int, tt_session_create(path, &info, 0, &second), -EBUSY));
	cr_expect(eq(int, access(old_path, F_OK), -1));
	tt_session_writer_close(first);
	cr_assert(eq(int, stat(path, &st), 0));
	cr_expect(eq(u32, st.st_mode & 07777, 0600));
	cr_assert(eq(int, tt_session_create(path, &info, 0, &second), 0));
	cr_assert(eq(int, stat(old_path, &old_st), 0));
	cr_expect(eq(u64, st.st_ino, old_st.st_ino));
	tt_session_writer_close(second);
}

Test(session, what_is_no_file_is_not_written_to, .timeout = 10)
{
	struct tt_session_writer *w;

	hush();
	cr_expect(eq(int, tt_session_create(dir, &info, 0, &w), -EISDIR));
	cr_expect(eq(int, tt_session_create("/no/such/dir/x", &info, 0, &w), -ENOENT));
	cr_assert(eq(int, mkfifo(path, 0600), 0));
	cr_expect(eq(int, tt_session_create(path, &info, 0, &w), -EINVAL));
	unlink(path);
	store("precious", 8);
	cr_assert(eq(int, symlink(other, path), 0));
	cr_expect(eq(int, tt_session_create(path, &info, 0, &w), -EINVAL));
	cr_expect(eq(int, access(other, F_OK), 0));
	cr_assert(eq(int, tt_session_create("/dev/null", &info, 0, &w), 0));
	cr_expect(eq(int, tt_session_write_epoch(w, 1), 0));
	tt_session_writer_close(w);
}

Test(session, what_is_no_session_is_named, .timeout = 10)
{
	static const struct {
		const char *bytes;
		size_t len;
	} foreign[] = {
		{ "", 0 },
		{ "T", 1 },
		{ "PERFILE2xxxxxxxxxxxxxxxxxxxxxxxxxxxx", 30 },
		{ "\x1f\x8b", 2 },
		{ "TIMETHIEF\n\x1a\0", 12 },
		{ "hello, this is a text of some length", 36 },
	};
	struct tt_session_reader *r;

	hush();
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		store(foreign[i].bytes, foreign[i].len);
		cr_expect(eq(int, tt_session_open(other, &r), -EBADMSG), "case %zu", i);
	}
	cr_expect(eq(int, tt_session_open("/dev/zero", &r), -EBADMSG));
	cr_expect(eq(int, tt_session_open("/dev/null", &r), -EBADMSG));
	cr_expect(eq(int, tt_session_open(dir, &r), -EBADMSG));
	cr_expect(eq(int, tt_session_open("/no/such/file", &r), -ENOENT));
}

Test(session, a_newer_version_is_told_from_damage)
{
	uint64_t whole[3];
	struct tt_file_header head;
	struct tt_session_reader *r;
	size_t size;
	uint8_t *data;

	hush();
	write_small(whole);
	data = load(&size);
	memcpy(&head, data, sizeof(head));
	head.version = 2;
	memcpy(data, &head, sizeof(head));
	store(data, size);
	cr_expect(eq(int, tt_session_open(other, &r), -EBADMSG));
	head.check = XXH64(&head, offsetof(struct tt_file_header, check), 0);
	memcpy(data, &head, sizeof(head));
	store(data, size);
	cr_expect(eq(int, tt_session_open(other, &r), -EPROTONOSUPPORT));
	free(data);
}

static int failing_batch(void *ctx, const void *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return -ECANCELED;
}

Test(session, the_sinks_error_comes_back)
{
	static const struct tt_sink failing = { NULL, failing_batch, on_epoch };
	uint64_t whole[3];
	struct tt_session_reader *r;

	write_small(whole);
	cr_assert(eq(int, tt_session_open(path, &r), 0));
	cr_expect(eq(int, tt_session_read_epoch(r, &failing), -ECANCELED));
	tt_session_close(r);
}

static void read_on(struct tt_session_reader *r)
{
	got[0].size = got[1].size = nr_epochs = 0;
	while (!tt_session_read_epoch(r, &sink))
		;
	cr_expect(tt_session_get_end(r)->has_summary);
	cr_expect(not(tt_session_get_end(r)->damaged), "%s", tt_session_get_end(r)->reason);
	cr_expect(eq(u32, nr_epochs, 3));
}

static void expect_twice(struct tt_session_reader *r)
{
	for (unsigned i = 0; i < 3; i++) {
		read_on(r);
		expect_same();
		cr_assert(eq(int, tt_session_rewind(r), 0));
	}
	tt_session_skip_sched(r);
	read_on(r);
	cr_expect(eq(sz, got[0].size, 0), "switches are passed over");
	cr_expect(eq(sz, got[1].size, written[1].size));
	cr_assert(eq(int, tt_session_rewind(r), 0));
	read_on(r);
	expect_same();
}

Test(session, a_file_can_be_read_twice_and_without_its_switches)
{
	struct tt_session_reader *r;
	uint64_t whole[3];

	write_small(whole);
	cr_assert(eq(int, tt_session_open_twice(path, NULL, NULL, &r), 0));
	expect_twice(r);
	tt_session_close(r);
}

static void count_call(void *ctx, uint64_t done_bytes)
{
	*(uint64_t *)ctx = done_bytes;
}

/* Also when nothing may have a name there: TMPDIR holds no new file. */
Test(session, a_pipe_can_be_read_twice)
{
	struct tt_session_reader *r;
	uint64_t whole[3], done_bytes = 0;
	char name[32];
	size_t size;
	uint8_t *data;
	int fds[2];

	write_small(whole);
	data = load(&size);
	cr_assert(eq(int, pipe(fds), 0));
	cr_assert(lt(sz, size, 65536), "it fits into the pipe");
	cr_assert(eq(sz, (size_t)write(fds[1], data, size), size));
	close(fds[1]);
	free(data);
	cr_assert(eq(int, setenv("TMPDIR", dir, 1), 0));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[0]);
	cr_assert(eq(int, tt_session_open_twice(name, count_call, &done_bytes, &r), 0));
	cr_expect(eq(u64, done_bytes, size));
	unlink(path);
	cr_expect(eq(int, rmdir(dir), 0), "its file has no name");
	expect_twice(r);
	tt_session_close(r);
	close(fds[0]);
}

Test(session, a_flip_in_a_switch_is_noticed_also_when_switches_are_passed_over)
{
	struct tt_session_reader *r;
	uint64_t whole[3];
	size_t size;
	uint8_t *data;

	write_small(whole);
	data = load(&size);
	data[whole[1] + 40] ^= 1; /* in the third epoch's first block */
	store(data, size);
	free(data);
	cr_assert(eq(int, tt_session_open_twice(other, NULL, NULL, &r), 0));
	tt_session_skip_sched(r);
	got[0].size = got[1].size = nr_epochs = 0;
	while (!tt_session_read_epoch(r, &sink))
		;
	cr_expect(tt_session_get_end(r)->damaged);
	cr_expect(eq(u32, nr_epochs, 2));
	tt_session_close(r);
}
