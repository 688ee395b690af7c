/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/map_rings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/base/units.h"
#include "collector/source/proc_file.h"

enum {
	CPUS_MAX = 8192,
	RING_BYTES_MAX =
		512
		<< 10, /* what every user may lock per CPU (kernel.perf_event_mlock_kb), but for one page */
	RING_BYTES_MIN = 32 << 10,
	CPU_LIST_BYTES = 4096,
	WORD_BITS = 8 * sizeof(long),
};

struct ring {
	int fd;				   /* -1 = the CPU is not online, or has none */
	struct perf_event_mmap_page *page; /* the data follow */
};

struct tt_map_rings {
	struct ring *rings;
	unsigned nr;
	size_t page_bytes, ring_bytes; /* of data; a power of two */
	char online[CPU_LIST_BYTES];   /* as of the last look */
	char record[65536];	       /* one that lies across the end of a ring */
};

static int open_event(unsigned cpu)
{
	struct perf_event_attr attr = tt_map_event_attr();
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void close_ring(struct tt_map_rings *r, struct ring *ring)
{
	if (ring->page)
		munmap(ring->page, r->page_bytes + r->ring_bytes);
	if (ring->fd >= 0)
		close(ring->fd);
	*ring = (struct ring){ .fd = -1 };
}

static int open_ring(struct tt_map_rings *r, unsigned cpu)
{
	struct ring *ring = &r->rings[cpu];
	void *memory;
	int err;

	ring->fd = open_event(cpu);
	if (ring->fd < 0) {
		err = ring->fd;
		ring->fd = -1;
		return err;
	}
	memory = mmap(NULL, r->page_bytes + r->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (memory == MAP_FAILED) {
		err = -errno;
		close_ring(r, ring);
		return err;
	}
	ring->page = memory;
	return 0;
}

static bool is_set(const unsigned long *mask, unsigned bit)
{
	return mask[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

/* Opens rings of CPUs that are online and have none, closes those of CPUs that are not. Returns how many were opened, or the first error. */
static int match_cpus(struct tt_map_rings *r)
{
	unsigned long mask[CPUS_MAX / WORD_BITS] = { 0 };
	int nr_opened = 0, err = 0;

	if (tt_parse_cpu_list(r->online, mask, CPUS_MAX))
		return -EINVAL;
	for (unsigned cpu = 0; cpu < r->nr; cpu++) {
		struct ring *ring = &r->rings[cpu];

		if (!is_set(mask, cpu)) {
			close_ring(r, ring);
		} else if (ring->fd < 0) {
			int open_err = open_ring(r, cpu);

			if (open_err && !err)
				err = open_err;
			nr_opened += !open_err;
		}
	}
	return err ? err : nr_opened;
}

static int read_online(char text[CPU_LIST_BYTES])
{
	return tt_proc_read_line(AT_FDCWD, "/sys/devices/system/cpu/online", text, CPU_LIST_BYTES);
}

int tt_map_rings_open(struct tt_map_rings **ret)
{
	struct tt_map_rings *r = calloc(1, sizeof(*r));
	long nr = sysconf(_SC_NPROCESSORS_CONF);
	int err;

	if (!r)
		return -ENOMEM;
	r->nr = nr < 1 ? 1 : nr > CPUS_MAX ? CPUS_MAX : (unsigned)nr;
	r->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	r->ring_bytes = RING_BYTES_MAX;
	while (r->ring_bytes * r->nr > TT_MAP_RINGS_BYTES_MAX && r->ring_bytes > RING_BYTES_MIN)
		r->ring_bytes /= 2;
	if (r->ring_bytes < r->page_bytes)
		r->ring_bytes = r->page_bytes;
	r->rings = calloc(r->nr, sizeof(*r->rings));
	for (unsigned i = 0; r->rings && i < r->nr; i++)
		r->rings[i].fd = -1;
	err = r->rings ? read_online(r->online) : -ENOMEM;
	if (!err)
		err = match_cpus(r);
	if (err < 0) {
		tt_map_rings_close(r);
		return err;
	}
	*ret = r;
	return 0;
}

void tt_map_rings_close(struct tt_map_rings *r)
{
	if (!r)
		return;
	for (unsigned i = 0; r->rings && i < r->nr; i++)
		close_ring(r, &r->rings[i]);
	free(r->rings);
	free(r);
}

bool tt_map_rings_follow_cpus(struct tt_map_rings *r)
{
	char online[CPU_LIST_BYTES];

	if (read_online(online) || !strcmp(online, r->online))
		return false;
	memcpy(r->online, online, sizeof(online));
	return match_cpus(r) != 0;
}

uint64_t tt_map_rings_bytes(const struct tt_map_rings *r)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < r->nr; i++)
		if (r->rings[i].page)
			bytes += r->page_bytes + r->ring_bytes;
	return bytes;
}

/* The bytes at at, which may continue at the beginning of the ring. */
static void copy_out(const struct tt_map_rings *r, const char *data, uint64_t at, void *dst, size_t len)
{
	size_t begin = at & (r->ring_bytes - 1),
	       first = r->ring_bytes - begin < len ? r->ring_bytes - begin : len;

	memcpy(dst, data + begin, first);
	memcpy((char *)dst + first, data, len - first);
}

static void drain_ring(struct tt_map_rings *r, struct ring *ring, tt_map_event_fn fn, void *ctx)
{
	const char *data = (const char *)ring->page + r->page_bytes;
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE), at = ring->page->data_tail;

	while (head - at >= sizeof(struct perf_event_header)) {
		struct perf_event_header record;
		struct tt_map_event event;

		copy_out(r, data, at, &record, sizeof(record));
		if (record.size < sizeof(record) || record.size > head - at)
			break;
		copy_out(r, data, at, r->record, record.size);
		if (tt_map_event_decode(r->record, record.size, &event) > 0)
			fn(ctx, &event);
		at += record.size;
	}
	__atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
}

void tt_map_rings_drain(struct tt_map_rings *r, tt_map_event_fn fn, void *ctx)
{
	for (unsigned i = 0; i < r->nr; i++)
		if (r->rings[i].page)
			drain_ring(r, &r->rings[i], fn, ctx);
}
