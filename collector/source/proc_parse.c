/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/proc_parse.h"

#include <errno.h>
#include <string.h>

static bool take_u64(struct tt_slice *s, uint64_t *ret)
{
	struct tt_slice word;

	return tt_slice_take_word(s, &word) && tt_slice_u64(word, ret);
}

static bool parse_cpu_line(struct tt_slice line, struct tt_cpu_counters *ret)
{
	struct tt_slice word;
	uint64_t cpu;

	/* The line "cpu " is the sum of all. */
	if (!tt_slice_take_word(&line, &word) || word.len < 4 || memcmp(word.text, "cpu", 3))
		return false;
	if (!tt_slice_u64((struct tt_slice){ word.text + 3, word.len - 3 }, &cpu) || cpu >= TT_CPU_NONE)
		return false;

	memset(ret, 0, sizeof(*ret));
	ret->rec.cpu = (tt_u32)cpu;
	for (unsigned i = 0; i < TT_STAT_NR; i++) {
		uint64_t ticks;

		if (!tt_slice_take_word(&line, &word))
			return i > 3; /* user nice system idle have always been there */
		if (!tt_slice_u64(word, &ticks))
			return false;
		ret->ticks[i] = ticks;
	}
	return true;
}

bool tt_proc_next_cpu(const char **pos, const char *end, struct tt_cpu_counters *ret)
{
	struct tt_slice line;

	while (tt_slice_next_line(pos, end, &line))
		if (parse_cpu_line(line, ret))
			return true;
	return false;
}

/* Order of the numbers behind the name, Documentation/ABI/testing/procfs-diskstats. */
enum {
	DISK_READS = 0, /* ios, merges, sectors, ms */
	DISK_WRITES = 4,
	DISK_IN_FLIGHT = 8,
	DISK_IO_MS = 9,
	DISK_QUEUE_MS = 10,
	DISK_DISCARDS = 11,
	DISK_FLUSH_IOS = 15,
	DISK_FLUSH_MS = 16,
	DISK_NR_FIELDS = 17,
};

static void set_disk_group(struct tt_disk_counters *c, unsigned group, const uint64_t *fields)
{
	c->ios[group] = fields[0];
	c->merges[group] = fields[1];
	c->sectors[group] = fields[2];
	c->ticks_ms[group] = (tt_u32)fields[3];
}

static bool parse_disk_line(struct tt_slice line, struct tt_disk_counters *ret)
{
	uint64_t major, minor, fields[DISK_NR_FIELDS] = { 0 };
	struct tt_slice name, word;
	unsigned nr = 0;

	/* 12 and 20 bits: MAJOR() and MINOR() of the kernel's dev_t */
	if (!take_u64(&line, &major) || !take_u64(&line, &minor) || major >> 12 || minor >> 20)
		return false;
	if (!tt_slice_take_word(&line, &name))
		return false;
	while (nr < DISK_NR_FIELDS && tt_slice_take_word(&line, &word))
		if (!tt_slice_u64(word, &fields[nr++]))
			return false;
	if (nr < 11)
		return false;
	if (nr < 17)
		fields[DISK_FLUSH_IOS] = fields[DISK_FLUSH_MS] = 0; /* half a group is none */
	if (nr < 15)
		memset(&fields[DISK_DISCARDS], 0, 4 * sizeof(fields[0]));

	memset(ret, 0, sizeof(*ret));
	ret->dev = (tt_u32)(major << 20 | minor);
	ret->in_flight = (tt_u32)fields[DISK_IN_FLIGHT];
	set_disk_group(ret, TT_DISK_READ, &fields[DISK_READS]);
	set_disk_group(ret, TT_DISK_WRITE, &fields[DISK_WRITES]);
	set_disk_group(ret, TT_DISK_DISCARD, &fields[DISK_DISCARDS]);
	ret->ios[TT_DISK_FLUSHES] = fields[DISK_FLUSH_IOS];
	ret->ticks_ms[TT_DISK_FLUSHES] = (tt_u32)fields[DISK_FLUSH_MS];
	ret->io_ticks_ms = (tt_u32)fields[DISK_IO_MS];
	ret->time_in_queue_ms = (tt_u32)fields[DISK_QUEUE_MS];
	memcpy(ret->name, name.text, name.len < TT_DISK_NAME_LEN ? name.len : TT_DISK_NAME_LEN - 1);
	return true;
}

bool tt_proc_next_disk(const char **pos, const char *end, struct tt_disk_counters *ret)
{
	struct tt_slice line;

	while (tt_slice_next_line(pos, end, &line))
		if (parse_disk_line(line, ret))
			return true;
	return false;
}

int tt_proc_parse_schedstat(const char *text, size_t len, struct tt_proc_schedstat *ret)
{
	struct tt_slice rest = { text, len }, line;
	struct tt_proc_schedstat stat;
	const char *pos = text;

	if (!tt_slice_next_line(&pos, text + len, &line))
		return -EINVAL;
	rest = line;
	if (!take_u64(&rest, &stat.exec_ns) || !take_u64(&rest, &stat.run_delay_ns) ||
	    !take_u64(&rest, &stat.nr_timeslices))
		return -EINVAL;
	*ret = stat;
	return 0;
}

/* /proc shows more than task->comm: a kworker's name is followed by -work or +work (fs/proc/array.c
 * proc_task_name, since 4.18), and long names of kernel threads come whole (since 5.17). The probes see
 * task->comm, so names are cut to that. */
static void set_comm(char *comm, struct tt_slice name, uint32_t flags)
{
	static const char rescuer[] = "kworker/R-"; /* here the dash belongs to the name */
	size_t len = name.len;

	if (flags & TT_PF_WQ_WORKER) {
		size_t i = len >= sizeof(rescuer) - 1 && !memcmp(name.text, rescuer, sizeof(rescuer) - 1)
				   ? sizeof(rescuer) - 1
				   : 0;

		for (; i < len; i++)
			if (name.text[i] == '-' || name.text[i] == '+')
				len = i;
	}
	if (len > TT_COMM_LEN - 1)
		len = TT_COMM_LEN - 1;
	memset(comm, 0, TT_COMM_LEN);
	memcpy(comm, name.text, len);
}

static const char *find_last(const char *text, size_t len, char c)
{
	while (len)
		if (text[--len] == c)
			return text + len;
	return NULL;
}

int tt_proc_parse_task_stat(const char *text, size_t len, struct tt_proc_task_stat *ret)
{
	/* Numbers of proc(5), counted from 1 = tid, 2 = comm, 3 = state. */
	enum { FIELD_STATE = 3, FIELD_PPID = 4, FIELD_FLAGS = 9, FIELD_START = 22 };
	const char *open = memchr(text, '(', len), *close = find_last(text, len, ')');
	struct tt_slice head, rest, word;
	uint64_t tid, value;
	struct tt_proc_task_stat stat = { 0 };

	if (!open || !close || close < open)
		return -EINVAL;
	head = (struct tt_slice){ text, (size_t)(open - text) };
	if (!take_u64(&head, &tid) || tid > INT32_MAX)
		return -EINVAL;
	stat.tid = (uint32_t)tid;

	rest = (struct tt_slice){ close + 1, (size_t)(text + len - close - 1) };
	for (unsigned field = FIELD_STATE; field <= FIELD_START; field++) {
		if (!tt_slice_take_word(&rest, &word))
			return -EINVAL;
		if (field != FIELD_PPID && field != FIELD_FLAGS && field != FIELD_START)
			continue; /* some of the others are negative */
		if (!tt_slice_u64(word, &value))
			return -EINVAL;
		if (field == FIELD_PPID)
			stat.parent_pid = (uint32_t)value;
		else if (field == FIELD_FLAGS)
			stat.flags = (uint32_t)value;
		else
			stat.start_ticks = value;
	}
	set_comm(stat.comm, (struct tt_slice){ open + 1, (size_t)(close - open - 1) }, stat.flags);
	*ret = stat;
	return 0;
}

static bool parse_cgroup_line(struct tt_slice line, struct tt_proc_cgroup_line *ret)
{
	const char *first = memchr(line.text, ':', line.len), *second;
	const char *end = line.text + line.len;
	uint64_t hierarchy;

	if (!first || !tt_slice_u64((struct tt_slice){ line.text, (size_t)(first - line.text) }, &hierarchy))
		return false;
	second = memchr(first + 1, ':', (size_t)(end - first - 1));
	if (!second || second + 1 == end || second[1] != '/')
		return false;
	ret->controllers = (struct tt_slice){ first + 1, (size_t)(second - first - 1) };
	ret->is_v2 = !hierarchy && !ret->controllers.len;
	ret->is_v1_cpu = tt_slice_has_item(ret->controllers, "cpu");
	ret->path = (struct tt_slice){ second + 1, (size_t)(end - second - 1) };
	return true;
}

bool tt_proc_next_cgroup(const char **pos, const char *end, struct tt_proc_cgroup_line *ret)
{
	struct tt_slice line;

	while (tt_slice_next_line(pos, end, &line))
		if (parse_cgroup_line(line, ret))
			return true;
	return false;
}

/* 31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw: optional fields up to a single dash,
 * proc(5) */
static bool parse_mount_line(struct tt_slice line, struct tt_proc_mount *ret)
{
	struct tt_slice word;

	for (unsigned i = 0; i < 3; i++)
		if (!tt_slice_take_word(&line, &word))
			return false;
	if (!tt_slice_take_word(&line, &ret->root) || !tt_slice_take_word(&line, &ret->mount_point))
		return false;
	do {
		if (!tt_slice_take_word(&line, &word))
			return false;
	} while (!tt_slice_is(word, "-"));
	return tt_slice_take_word(&line, &ret->fs_type) && tt_slice_take_word(&line, &word) &&
	       tt_slice_take_word(&line, &ret->super_options);
}

bool tt_proc_next_mount(const char **pos, const char *end, struct tt_proc_mount *ret)
{
	struct tt_slice line;

	while (tt_slice_next_line(pos, end, &line))
		if (parse_mount_line(line, ret))
			return true;
	return false;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

bool tt_proc_unescape(struct tt_slice s, char *dst, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.text[i];

		if (c == '\\' && s.len - i > 3 && is_octal(s.text[i + 1]) && is_octal(s.text[i + 2]) &&
		    is_octal(s.text[i + 3])) {
			c = (char)((s.text[i + 1] - '0') << 6 | (s.text[i + 2] - '0') << 3 |
				   (s.text[i + 3] - '0'));
			i += 3;
		}
		if (!c || used + 1 >= size)
			return false;
		dst[used++] = c;
	}
	if (used >= size)
		return false;
	dst[used] = '\0';
	return true;
}
