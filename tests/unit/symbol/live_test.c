/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that live, exit, and lose their files, on this machine. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/symbol/build.h"
#include "tests/unit/symbol/stacks.h"

static const char victim_source[] =
	"#define _GNU_SOURCE\n"
	"#include <pthread.h>\n"
	"#include <stdint.h>\n"
	"#include <stdio.h>\n"
	"#include <stdlib.h>\n"
	"#include <string.h>\n"
	"#include <sys/mman.h>\n"
	"#include <unistd.h>\n"
	"__attribute__((noinline)) int victim_work(int x) { return x * 3 + 1; }\n"
	"static void *stay(void *arg) { pause(); return arg; }\n"
	"int main(void)\n"
	"{\n"
	"	char line[64];\n"
	"	printf(\"%d %llx\\n\", (int)getpid(), (unsigned long long)(uintptr_t)victim_work);\n"
	"	fflush(stdout);\n"
	"	while (fgets(line, sizeof(line), stdin)) {\n"
	"		unsigned long long told = 0;\n"
	"		if (line[0] == 'f') {\n" /* a child that lives as long as we do */
	"			told = (unsigned long long)fork();\n"
	"			if (!told) { pause(); _exit(0); }\n"
	"		} else if (line[0] == 'j') {\n" /* a JIT */
	"			char path[64];\n"
	"			char *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,\n"
	"					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
	"			FILE *map;\n"
	"			snprintf(path, sizeof(path), \"/tmp/perf-%d.map\", (int)getpid());\n"
	"			map = fopen(path, \"w\");\n"
	"			told = (uintptr_t)code;\n"
	"			fprintf(map, \"%llx 40 jitted code\\n\", told + 64);\n"
	"			fclose(map);\n"
	"		} else if (line[0] == 't') {\n" /* the first thread goes, another one stays */
	"			pthread_t thread;\n"
	"			pthread_create(&thread, NULL, stay, NULL);\n"
	"			printf(\"%d 0\\n\", (int)getpid());\n"
	"			fflush(stdout);\n"
	"			pthread_exit(NULL);\n"
	"		} else if (line[0] == 'e') {\n"
	"			line[strcspn(line, \"\\n\")] = 0;\n"
	"			execl(line + 2, line + 2, (char *)NULL);\n"
	"		}\n"
	"		printf(\"%d %llx\\n\", (int)getpid(), told);\n"
	"		fflush(stdout);\n"
	"	}\n"
	"	return victim_work(1) != 4;\n"
	"}\n";

struct victim {
	pid_t pid, shell; /* shell: who is to be waited for */
	uint64_t work;
	FILE *to, *from;
};

static void setup(void)
{
	need_tool("cc");
	make_dir();
	write_file("victim.c", victim_source);
	cr_assert(run_in_dir("cc -O1 -pthread -o victim victim.c") == 0);
}

static void teardown(void)
{
	close_symbols();
	remove_dir();
}

TestSuite(live, .init = setup, .fini = teardown, .timeout = 60);

static void hear(struct victim *v, unsigned long long *ret)
{
	char line[64];
	int pid;

	cr_assert(fgets(line, sizeof(line), v->from) != NULL);
	cr_assert(eq(int, sscanf(line, "%d %llx", &pid, ret), 2));
	v->pid = pid;
}

static struct victim start_victim(const char *command)
{
	int to[2], from[2];
	struct victim v;
	unsigned long long work;

	cr_assert(pipe(to) == 0 && pipe(from) == 0);
	v.shell = fork();
	if (!v.shell) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		for (int fd = 3; fd < 256; fd++)
			close(fd);
		if (chdir(dir))
			_exit(127);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	v.to = fdopen(to[1], "w");
	v.from = fdopen(from[0], "r");
	hear(&v, &work);
	v.work = work;
	return v;
}

static uint64_t tell(struct victim *v, const char *command)
{
	unsigned long long told;

	fprintf(v->to, "%s\n", command);
	fflush(v->to);
	hear(v, &told);
	return told;
}

static void end_victim(struct victim *v)
{
	fclose(v->to);
	fclose(v->from);
	while (waitpid(v->shell, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool are_root(void)
{
	return geteuid() == 0;
}

/* Events of mappings need it: else whoever exits before an epoch is not known. */
static void need_root(void)
{
	if (!are_root())
		skip_test("needs root: mappings as they happen, other mount namespaces, deleted files");
}

Test(live, a_process_that_lives)
{
	struct victim v = start_victim("exec ./victim");

	open_symbols("", false);
	note_one(10, 1, (uint32_t)v.pid, v.work + 1);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work + 1), "victim_work"));
	cr_expect(eq(u64, frame_of(1, v.work + 1, 0)->offset, 1));
	cr_expect(eq(u16, module_of(1, v.work + 1)->flags, 0));
	cr_expect(module_of(1, v.work + 1)->build_id_len > 0);
	end_victim(&v);
}

Test(live, a_process_that_exits_after_the_epoch)
{
	struct victim v = start_victim("exec ./victim");

	open_symbols("", false);
	note_one(10, 1, (uint32_t)v.pid, v.work);
	end_epoch();
	end_victim(&v);
	end_epoch();
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
}

Test(live, a_process_that_came_and_went_within_an_epoch)
{
	struct victim v;

	need_root();
	open_symbols("", false);
	v = start_victim("exec ./victim");
	note_one(10, 1, (uint32_t)v.pid, v.work);
	end_victim(&v);
	end_epoch();
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
}

Test(live, what_came_before_exec_is_of_the_file_before)
{
	struct victim v;
	uint64_t work;

	need_root();
	/* at the same address, so that only the time tells them apart */
	cr_assert(
		run_in_dir(
			"sed s/victim_work/other_work/ victim.c >other.c && cc -O1 -pthread -no-pie -o other "
			"other.c") == 0);
	cr_assert(run_in_dir("cc -O1 -pthread -no-pie -o victim victim.c") == 0);
	open_symbols("", false);
	v = start_victim("exec ./victim");
	work = v.work;
	note_one(10, 1, (uint32_t)v.pid, work);
	cr_assert(eq(u64, tell(&v, "e ./other"), work));
	note_one(11, 2, (uint32_t)v.pid, work);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, work), "victim_work"));
	cr_expect(eq(str, (char *)name_of(2, work), "other_work"));
	end_victim(&v);
}

Test(live, a_child_has_what_its_parent_had)
{
	struct victim v;
	uint64_t child;

	open_symbols("", false);
	v = start_victim("exec ./victim");
	child = tell(&v, "f");
	note_one(10, 7, (uint32_t)child, v.work);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(7, v.work), "victim_work"));
	kill((pid_t)child, SIGKILL);
	end_victim(&v);
}

/* One is known from /proc, by device and inode, the other from an event, by its build id. */
Test(live, a_file_of_before_and_after_the_start_is_one)
{
	struct victim before, after;

	need_root();
	before = start_victim("exec ./victim");
	open_symbols("", false);
	after = start_victim("exec ./victim");
	note_one(10, 1, (uint32_t)before.pid, before.work);
	note_one(11, 2, (uint32_t)after.pid, after.work);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, before.work), "victim_work"));
	cr_expect(eq(u32, frame_of(1, before.work, 0)->module, frame_of(2, after.work, 0)->module));
	end_victim(&before);
	end_victim(&after);
}

Test(live, a_process_whose_first_thread_is_gone)
{
	struct victim v;

	open_symbols("", false);
	v = start_victim("exec ./victim");
	note_one(10, 1, (uint32_t)v.pid, v.work);
	end_epoch();
	tell(&v, "t");
	for (int i = 0; i < 3; i++)
		end_epoch();
	note_one(11, 2, (uint32_t)v.pid, v.work);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(2, v.work), "victim_work"));
	kill(v.pid, SIGKILL);
	end_victim(&v);
}

Test(live, a_deleted_file_is_read_while_its_process_lives)
{
	struct victim v;

	need_root();
	v = start_victim("exec ./victim");
	open_symbols("", false);
	note_one(10, 1, (uint32_t)v.pid, v.work);
	cr_assert(run_in_dir("rm victim") == 0);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
	cr_expect(eq(u16, module_of(1, v.work)->flags, TT_MODULE_DELETED));
	end_victim(&v);
}

Test(live, a_deleted_file_is_asked_when_its_process_exits)
{
	struct victim v;

	need_root();
	v = start_victim("exec ./victim");
	open_symbols("", false);
	note_one(10, 1, (uint32_t)v.pid, v.work);
	end_epoch();
	cr_assert(run_in_dir("rm victim") == 0);
	end_victim(&v);
	end_epoch();
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
	cr_expect(eq(u16, module_of(1, v.work)->flags, TT_MODULE_DELETED));
}

Test(live, another_file_in_its_place_is_not_taken_for_it)
{
	struct tt_symbols_stats stats;
	struct victim v;

	need_root();
	open_symbols("", false);
	v = start_victim("exec ./victim");
	note_one(10, 1, (uint32_t)v.pid, v.work);
	end_victim(&v); /* before anybody looked */
	cr_assert(run_in_dir("sed s/victim_work/wrong_work/ victim.c >other.c && cc -O1 -pthread -o other "
			     "other.c && "
			     "mv other victim") == 0);
	end_epoch();
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), ""));
	cr_expect(eq(u16, module_of(1, v.work)->flags, TT_MODULE_REPLACED));
	tt_symbols_read_stats(symbols, &stats);
	cr_expect(eq(u64, stats.nr_files_replaced, 1));
}

/* What record keeps when it has started: see symbols.h. */
static void drop_capabilities(void)
{
	const uint64_t keep = 1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH |
			      1ull << 38 /* CAP_PERFMON */;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { (uint32_t)keep, (uint32_t)keep, 0 },
						  { (uint32_t)(keep >> 32), (uint32_t)(keep >> 32), 0 } };

	cr_assert(syscall(SYS_capset, &head, caps) == 0, "%s", strerror(errno));
}

/* Of another user, in a file that only that one may read; deleted, too. */
Test(live, what_is_found_with_the_privileges_of_a_recording)
{
	struct victim v;

	need_root();
	need_tool("setpriv");
	cr_assert(run_in_dir("chown 1234 victim && chmod 700 victim") == 0);
	open_symbols("", false);
	drop_capabilities();
	v = start_victim("exec setpriv --reuid=1234 --clear-groups ./victim");
	cr_assert(run_in_dir("rm victim") == 0);
	note_one(10, 1, (uint32_t)v.pid, v.work);
	end_epoch();
	note_one(11, 2, (uint32_t)v.pid, v.work);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
	cr_expect(eq(str, (char *)name_of(2, v.work), "victim_work"));
	end_victim(&v);
}

/* As a container runtime does it: what setup does and command runs is in a mount namespace of its own. */
static struct victim start_in_container(const char *commands)
{
	char line[512];

	need_root();
	need_tool("unshare");
	if (run_in_dir("mkdir -p inside && unshare -m mount -t tmpfs none inside"))
		skip_test("no mount namespaces here");
	open_symbols("", false);
	snprintf(line, sizeof(line), "exec unshare -m sh -c 'mount -t tmpfs none inside && %s'", commands);
	return start_victim(line);
}

Test(live, a_file_of_another_mount_namespace)
{
	struct victim v = start_in_container("cp victim inside/hidden && exec inside/hidden");

	note_one(10, 1, (uint32_t)v.pid, v.work);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
	end_victim(&v);
}

Test(live, a_file_of_a_mount_namespace_that_is_gone)
{
	struct victim v = start_in_container("cp victim inside/hidden && exec inside/hidden");

	note_one(10, 1, (uint32_t)v.pid, v.work);
	end_epoch();
	end_victim(&v);
	end_epoch();
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
}

/* Nobody looked while it lived; but its container lives. */
Test(live, a_short_program_of_a_container)
{
	struct victim v = start_in_container(
		"cp victim inside/hidden && inside/hidden </dev/null && echo 1 1 && read line");
	unsigned long long told;
	uint32_t pid = (uint32_t)v.pid;

	note_one(10, 1, pid, v.work);
	hear(&v, &told); /* it has exited */
	end_epoch();
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
	end_victim(&v);
}

Test(live, a_root_directory_of_its_own)
{
	struct victim v;

	if (run_in_dir("cc -O1 -pthread -static -o static victim.c 2>/dev/null"))
		skip_test("no static libc");
	v = start_in_container("cp static inside/hidden && exec chroot inside /hidden");
	note_one(10, 1, (uint32_t)v.pid, v.work);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
	cr_expect(eq(str, (char *)module_of(1, v.work)->path, "/hidden"), "as the process sees it");
	end_victim(&v);
}

/* What mappings say of device and inode there is not what stat(2) says. */
static void see_overlay(bool ends_early)
{
	struct victim v;

	need_root();
	if (run_in_dir("mkdir -p o && unshare -m sh -c 'mount -t tmpfs none o && mkdir o/l o/u o/w o/m && "
		       "mount -t overlay none -o lowerdir=o/l,upperdir=o/u,workdir=o/w o/m' 2>/dev/null"))
		skip_test("no overlayfs here");
	v = start_in_container(
		"mkdir inside/l inside/u inside/w inside/m && cp victim inside/l/hidden && "
		"mount -t overlay none -o lowerdir=inside/l,upperdir=inside/u,workdir=inside/w inside/m && "
		"exec inside/m/hidden");
	note_one(10, 1, (uint32_t)v.pid, v.work);
	if (ends_early)
		note_one(11, 2, (uint32_t)v.pid, v.work);
	end_epoch();
	if (ends_early) {
		end_victim(&v);
		end_epoch();
		end_epoch();
	}
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, v.work), "victim_work"));
	cr_expect(eq(u16, module_of(1, v.work)->flags, 0));
	if (!ends_early)
		end_victim(&v);
}

Test(live, a_file_of_a_container_with_layers)
{
	see_overlay(false);
}

Test(live, a_file_of_a_container_with_layers_that_is_gone)
{
	see_overlay(true);
}

Test(live, the_table_of_a_jit)
{
	struct victim v;
	char path[64];
	uint64_t code;

	open_symbols("", false);
	v = start_victim("exec ./victim");
	code = tell(&v, "j");
	note_one(10, 1, (uint32_t)v.pid, code + 64 + 5);
	note_one(11, 1, (uint32_t)v.pid, code + 1);
	end_epoch();
	end_victim(&v);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, code + 64 + 5), "jitted code"));
	cr_expect(eq(u64, frame_of(1, code + 64 + 5, 0)->offset, 5));
	cr_expect(eq(str, (char *)name_of(1, code + 1), ""));
	cr_expect(eq(u16, module_of(1, code + 1)->flags, TT_MODULE_JIT));
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", v.pid);
	cr_expect(eq(str, (char *)module_of(1, code + 1)->path, path));
	unlink(path);
}

Test(live, the_kernel_and_the_vdso)
{
	uint64_t address = 0, vdso = 0;
	char line[512], name[256], type;
	unsigned long long start;
	FILE *f = fopen("/proc/kallsyms", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx %c %255s", &start, &type, name) == 3 && !strcmp(name, "schedule"))
			address = start;
	if (f)
		fclose(f);
	if (!address)
		skip_test("/proc/kallsyms shows no addresses");
	f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "[vdso]"))
			vdso = strtoull(line, NULL, 16);
	if (f)
		fclose(f);
	open_symbols("", false);
	note_one(10, 0, 0, address + 4);
	end_epoch();
	note_one(11, 5, (uint32_t)getpid(), vdso + 16);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(0, address + 4), "schedule"));
	cr_expect(eq(str, (char *)module_of(0, address + 4)->path, "[kernel.kallsyms]"));
	cr_expect(eq(u16, module_of(0, address + 4)->flags, TT_MODULE_KERNEL));
	cr_expect(eq(str, (char *)module_of(5, vdso + 16)->path, "[vdso]"));
}
