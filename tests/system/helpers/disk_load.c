/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk_load STEP... - what a program can ask of a disk, step by step, in one process: where a fork costs 70 ms a script cannot.
 *
 *   DEVICE:read:N       N reads of 4 KiB, one at a time, never next to each other
 *   DEVICE:write:N      the same, writes
 *   DEVICE:big:KIB      one read of KIB
 *   DEVICE:bigwrite:KIB one write
 *   DEVICE:bad:KIB      one read that must fail
 *   DEVICE:queue:N      N reads at once
 *   DEVICE:merge:N      N times three writes in one io_submit: blocks 0, 2, 1. 1 goes in front of 2, and both go behind 0
 *   DEVICE:pages:N      N dirty pages of the page cache, written back by fsync
 *   DEVICE:sync:N       N writes with O_DSYNC: FUA, or a flush behind each
 *   DEVICE:flush:N      N fsyncs with nothing to write
 *   DEVICE:preflush:N   N dirty pages and one fsync of each
 *   DEVICE:discard:N    N discards of 64 KiB
 *   DEVICE:zero:KIB     write zeroes (BLKZEROOUT)
 *   DEVICE:inquiry:N    N SCSI commands through SG_IO, which are no I/O of the block layer's own
 *   FILE:set:WORD       writes WORD into FILE
 *   FILE:stats          copies /proc/diskstats to FILE
 *   -:wait:MS           nothing
 *
 * DEVICE is a name in /dev; FILE is a path. Data is direct unless said; read and write begin at 0 every time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, NR_AT_ONCE_MAX = 64 };

static const char *step;
static char *buf; /* aligned */

static void fail(const char *what)
{
	fprintf(stderr, "disk_load: %s: %s: %s\n", step, what, strerror(errno));
	exit(1);
}

static int open_disk(const char *name, int flags)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | flags);
	if (fd < 0)
		fail("open");
	return fd;
}

static bool transfer(int fd, bool is_write, size_t size, off_t offset)
{
	ssize_t n = is_write ? pwrite(fd, buf, size, offset) : pread(fd, buf, size, offset);

	return n == (ssize_t)size;
}

static void one_by_one(const char *name, int flags, bool is_write, int nr)
{
	int fd = open_disk(name, flags);

	for (int i = 0; i < nr; i++)
		if (!transfer(fd, is_write, BLOCK, (off_t)i * 2 * BLOCK))
			fail("transfer");
	close(fd);
}

static void one_big(const char *name, bool is_write, size_t kib, bool must_fail)
{
	int fd = open_disk(name, O_DIRECT);

	if (transfer(fd, is_write, kib * 1024, 0) == must_fail)
		fail(must_fail ? "no error" : "transfer");
	close(fd);
}

/* nr requests in one system call; blocks[i] is where, in blocks */
static void at_once(int fd, bool is_write, int nr, const int *blocks)
{
	struct iocb iocbs[NR_AT_ONCE_MAX] = { 0 }, *list[NR_AT_ONCE_MAX];
	struct io_event events[NR_AT_ONCE_MAX];
	aio_context_t ctx = 0;

	if (syscall(SYS_io_setup, NR_AT_ONCE_MAX, &ctx))
		fail("io_setup");
	for (int i = 0; i < nr; i++) {
		iocbs[i].aio_fildes = fd;
		iocbs[i].aio_lio_opcode = is_write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
		iocbs[i].aio_buf = (unsigned long)(buf + i * BLOCK);
		iocbs[i].aio_nbytes = BLOCK;
		iocbs[i].aio_offset = (long long)blocks[i] * BLOCK;
		list[i] = &iocbs[i];
	}
	if (syscall(SYS_io_submit, ctx, nr, list) != nr)
		fail("io_submit");
	if (syscall(SYS_io_getevents, ctx, nr, nr, events, NULL) != nr)
		fail("io_getevents");
	for (int i = 0; i < nr; i++)
		if (events[i].res != BLOCK)
			fail("one of many");
	syscall(SYS_io_destroy, ctx);
}

static void merge(const char *name, int nr)
{
	int fd = open_disk(name, O_DIRECT);

	for (int i = 0; i < nr; i++)
		at_once(fd, true, 3, (const int[]){ 8 * i, 8 * i + 2, 8 * i + 1 });
	close(fd);
}

static void queue(const char *name, int nr)
{
	int fd = open_disk(name, O_DIRECT), blocks[NR_AT_ONCE_MAX];

	for (int i = 0; i < NR_AT_ONCE_MAX; i++)
		blocks[i] = 2 * i;
	at_once(fd, false, nr < NR_AT_ONCE_MAX ? nr : NR_AT_ONCE_MAX, blocks);
	close(fd);
}

static void pages(const char *name, int nr, int nr_syncs)
{
	int fd = open_disk(name, 0);

	for (int i = 0; i < nr; i++) {
		if (!transfer(fd, true, BLOCK, (off_t)i * BLOCK))
			fail("transfer");
		if (i >= nr - nr_syncs && fsync(fd))
			fail("fsync");
	}
	close(fd);
}

static void flush(const char *name, int nr)
{
	int fd = open_disk(name, 0);

	while (nr--)
		if (fsync(fd))
			fail("fsync");
	close(fd);
}

static void ranges(const char *name, unsigned long what, int nr, unsigned long long size)
{
	int fd = open_disk(name, 0);

	for (int i = 0; i < nr; i++)
		if (ioctl(fd, what, (unsigned long long[]){ 2 * i * size, size }))
			fail("ioctl");
	close(fd);
}

static void inquiry(const char *name, int nr)
{
	unsigned char cdb[6] = { 0x12, 0, 0, 0, 96, 0 }, sense[32];
	int fd = open_disk(name, 0);

	while (nr--) {
		sg_io_hdr_t io = { .interface_id = 'S',
				   .dxfer_direction = SG_DXFER_FROM_DEV,
				   .cmd_len = sizeof(cdb),
				   .cmdp = cdb,
				   .mx_sb_len = sizeof(sense),
				   .sbp = sense,
				   .dxfer_len = 96,
				   .dxferp = buf,
				   .timeout = 10000 };

		if (ioctl(fd, SG_IO, &io) || io.status)
			fail("SG_IO");
	}
	close(fd);
}

static void set(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, word, strlen(word)) < 0)
		fail("set");
	close(fd);
}

static void stats(const char *path)
{
	static char text[1 << 18];
	int from = open("/proc/diskstats", O_RDONLY), to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	size_t len = 0;
	ssize_t n;

	while ((n = read(from, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	if (from < 0 || to < 0 || write(to, text, len) != (ssize_t)len)
		fail("copy");
	close(from);
	close(to);
}

static void wait_ms(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

static void do_step(const char *name, const char *what, const char *word)
{
	int nr = atoi(word);

	if (!strcmp(what, "read"))
		one_by_one(name, O_DIRECT, false, nr);
	else if (!strcmp(what, "write"))
		one_by_one(name, O_DIRECT, true, nr);
	else if (!strcmp(what, "sync"))
		one_by_one(name, O_DIRECT | O_DSYNC, true, nr);
	else if (!strcmp(what, "big") || !strcmp(what, "bad"))
		one_big(name, false, (size_t)nr, !strcmp(what, "bad"));
	else if (!strcmp(what, "bigwrite"))
		one_big(name, true, (size_t)nr, false);
	else if (!strcmp(what, "queue"))
		queue(name, nr);
	else if (!strcmp(what, "merge"))
		merge(name, nr);
	else if (!strcmp(what, "pages"))
		pages(name, nr, 1);
	else if (!strcmp(what, "preflush"))
		pages(name, nr, nr);
	else if (!strcmp(what, "flush"))
		flush(name, nr);
	else if (!strcmp(what, "discard"))
		ranges(name, BLKDISCARD, nr, 65536);
	else if (!strcmp(what, "zero"))
		ranges(name, BLKZEROOUT, 1, 1024ULL * (unsigned)nr);
	else if (!strcmp(what, "inquiry"))
		inquiry(name, nr);
	else if (!strcmp(what, "set"))
		set(name, word);
	else if (!strcmp(what, "stats"))
		stats(name);
	else if (!strcmp(what, "wait"))
		wait_ms(nr);
	else {
		errno = EINVAL;
		fail("no such step");
	}
}

int main(int argc, char **argv)
{
	const size_t size = 16 << 20;

	buf = aligned_alloc(BLOCK, size);
	if (!buf)
		return 1;
	memset(buf, 'x', size);
	for (int i = 1; i < argc; i++) {
		char copy[256], *name = copy, *what, *word;

		step = argv[i];
		snprintf(copy, sizeof(copy), "%s", step);
		what = strchr(copy, ':');
		if (!what) {
			errno = EINVAL;
			fail("no step");
		}
		*what++ = '\0';
		word = strchr(what, ':');
		if (word)
			*word++ = '\0';
		do_step(name, what, word ? word : "");
	}
	return 0;
}
