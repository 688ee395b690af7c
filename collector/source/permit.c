/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/permit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/source/proc_file.h"
#include "collector/source/proc_parse.h"

enum { CAP_SYS_ADMIN_BIT = 21, CAP_SYS_RESOURCE_BIT = 24, CAP_PERFMON_BIT = 38, CAP_BPF_BIT = 39 };

static void read_capabilities(int root_fd, struct tt_permit *p)
{
	uint64_t last_cap = 0, effective = 0;
	char text[8192], *line;

	if (tt_proc_read_small(root_fd, "proc/self/status", text, sizeof(text)) > 0) {
		line = strstr(text, "\nCapEff:");
		if (line)
			effective = strtoull(line + 8, NULL, 16);
	}
	p->cap_sys_admin = effective >> CAP_SYS_ADMIN_BIT & 1;
	p->cap_sys_resource = effective >> CAP_SYS_RESOURCE_BIT & 1;
	p->cap_perfmon = effective >> CAP_PERFMON_BIT & 1;
	p->cap_bpf = effective >> CAP_BPF_BIT & 1;
	p->has_cap_bpf = tt_proc_read_u64(root_fd, "proc/sys/kernel/cap_last_cap", &last_cap) &&
			 last_cap >= CAP_BPF_BIT;

	/* The initial namespace maps every id to itself. user_namespaces(7) */
	if (!tt_proc_read_line(root_fd, "proc/self/uid_map", text, sizeof(text))) {
		unsigned inside, outside, nr;

		p->in_user_namespace = sscanf(text, "%u %u %u", &inside, &outside, &nr) != 3 || inside ||
				       outside || nr != UINT32_MAX;
	}
}

/* The file names all modes, the one in force in brackets: "none [integrity] confidentiality". */
static void read_lockdown(int root_fd, struct tt_permit *p)
{
	char line[128], *open, *close;

	p->lockdown[0] = '\0';
	if (tt_proc_read_line(root_fd, "sys/kernel/security/lockdown", line, sizeof(line)))
		return;
	open = strchr(line, '[');
	close = open ? strchr(open, ']') : NULL;
	if (!close || (size_t)(close - open) > sizeof(p->lockdown))
		return;
	*close = '\0';
	strcpy(p->lockdown, open + 1);
}

static int read_sysctl(int root_fd, const char *path)
{
	char line[32], *end;
	long value;

	if (tt_proc_read_line(root_fd, path, line, sizeof(line)))
		return INT32_MIN;
	value = strtol(line, &end, 10);
	return end == line || value < INT32_MIN || value > INT32_MAX ? INT32_MIN : (int)value;
}

static void read_btf(int root_fd, struct tt_permit *p)
{
	static const char path[] = "sys/kernel/btf/vmlinux";
	struct stat st;

	p->btf = TT_BTF_ABSENT;
	p->btf_bytes = 0;
	if (fstatat(root_fd, path, &st, 0))
		return;
	p->btf = faccessat(root_fd, path, R_OK, AT_EACCESS) ? TT_BTF_UNREADABLE : TT_BTF_READABLE;
	p->btf_bytes = (uint64_t)st.st_size;
}

static void lower_limit(int root_fd, const char *path, uint64_t *limit)
{
	uint64_t bytes;

	/* v2 says "max" for none, v1 the largest number of whole pages */
	if (tt_proc_read_u64(root_fd, path, &bytes) && bytes < 1ull << 62 && bytes < *limit)
		*limit = bytes;
}

/* A limit of any cgroup above binds too. cgroup is changed. */
static void lower_limit_upwards(int root_fd, const char *mount, char *cgroup, const char *file,
				uint64_t *limit)
{
	for (;;) {
		char path[PATH_MAX], *slash;

		if (snprintf(path, sizeof(path), "%s%s/%s", mount, cgroup, file) < (int)sizeof(path))
			lower_limit(root_fd, path, limit);
		slash = strrchr(cgroup, '/');
		if (!slash)
			return;
		*slash = '\0';
	}
}

static uint64_t read_cgroup_limit(int root_fd)
{
	char text[4096], cgroup[PATH_MAX];
	struct tt_proc_cgroup_line line;
	uint64_t limit = UINT64_MAX;
	ssize_t len = tt_proc_read_small(root_fd, "proc/self/cgroup", text, sizeof(text));
	const char *pos = text;

	while (len > 0 && tt_proc_next_cgroup(&pos, text + len, &line)) {
		bool is_v1_memory = tt_slice_has_item(line.controllers, "memory");

		if ((!line.is_v2 && !is_v1_memory) || line.path.len >= sizeof(cgroup))
			continue;
		memcpy(cgroup, line.path.text, line.path.len);
		cgroup[line.path.len] = '\0';
		if (is_v1_memory)
			lower_limit_upwards(root_fd, "sys/fs/cgroup/memory", cgroup, "memory.limit_in_bytes",
					    &limit);
		else
			lower_limit_upwards(root_fd, "sys/fs/cgroup", cgroup, "memory.max", &limit);
	}
	return limit;
}

void tt_permit_read(const char *root, struct tt_permit *ret)
{
	int root_fd = tt_proc_open_root(root);
	struct rlimit memlock;

	memset(ret, 0, sizeof(*ret));
	ret->unprivileged_bpf_disabled = ret->perf_event_paranoid = INT32_MIN;
	ret->cgroup_memory_limit_bytes = ret->memlock_bytes = UINT64_MAX;
	if (root_fd < 0)
		return;
	read_capabilities(root_fd, ret);
	read_lockdown(root_fd, ret);
	ret->unprivileged_bpf_disabled = read_sysctl(root_fd, "proc/sys/kernel/unprivileged_bpf_disabled");
	ret->perf_event_paranoid = read_sysctl(root_fd, "proc/sys/kernel/perf_event_paranoid");
	read_btf(root_fd, ret);
	ret->cgroup_memory_limit_bytes = read_cgroup_limit(root_fd);
	if (!getrlimit(RLIMIT_MEMLOCK, &memlock) && memlock.rlim_cur != RLIM_INFINITY)
		ret->memlock_bytes = memlock.rlim_cur;
	close(root_fd);
}

bool tt_permit_allows_bpf(const struct tt_permit *p, char *missing, size_t size)
{
	const char *what = NULL;

	if (p->in_user_namespace)
		what = "the initial user namespace";
	else if (p->cap_sys_admin)
		what = NULL; /* stands for the other two */
	else if (!p->has_cap_bpf)
		what = "CAP_SYS_ADMIN";
	else if (!p->cap_bpf && !p->cap_perfmon)
		what = "CAP_BPF and CAP_PERFMON";
	else if (!p->cap_bpf)
		what = "CAP_BPF";
	else if (!p->cap_perfmon)
		what = "CAP_PERFMON";
	if (what)
		snprintf(missing, size, "%s", what);
	return !what;
}
