/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files read by processes that may fail. */
#include "collector/symbol/resolver.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "collector/symbol/debug_files.h"
#include "tests/unit/symbol/build.h"

enum { NR_ANSWERS_MAX = 4096 };

static struct tt_resolver *resolver;
static int root_fd;
static struct {
	const char *path;     /* of the file, for its debug files */
	const char *truncate; /* when it was loaded */
	struct tt_message_loaded loaded;
	unsigned nr_answers, nr_needs;
	unsigned nr_frames;
	char name[TT_NAME_BYTES_MAX + 1]; /* of the last answer's first frame */
	uint64_t offset, address;
} seen;

static int on_need(void *ctx, const struct tt_message_need *need, uint32_t *attempt)
{
	const struct tt_debug_places places = { -1, root_fd, seen.path };

	(void)ctx;
	seen.nr_needs++;
	return tt_debug_file_open(&places, need, attempt);
}

static void on_loaded(void *ctx, const struct tt_message_loaded *loaded)
{
	(void)ctx;
	seen.loaded = *loaded;
	if (seen.truncate)
		cr_assert(eq(int, truncate(seen.truncate, 0), 0));
}

static int on_answer(void *ctx, uint32_t nth, const void *bytes, size_t len, const struct tt_answer *answer)
{
	(void)ctx;
	(void)bytes;
	(void)len;
	cr_assert(eq(u32, nth, seen.nr_answers));
	seen.nr_answers++;
	seen.nr_frames = answer->nr_frames;
	seen.address = answer->address;
	seen.name[0] = '\0';
	if (answer->nr_frames) {
		memcpy(seen.name, answer->frames[0].name.text, answer->frames[0].name.len);
		seen.name[answer->frames[0].name.len] = '\0';
		seen.offset = answer->frames[0].offset;
	}
	return 0;
}

static const struct tt_job_owner owner = { NULL, on_need, on_loaded, on_answer };

static int run_job(enum tt_job_kind kind, const char *name, const struct tt_lookup *lookups, uint32_t nr)
{
	char path[128];
	struct tt_job *job;
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert(ge(int, fd, 0), "%s", path);
	seen.nr_answers = seen.nr_needs = 0;
	seen.name[0] = '\0';
	ret = tt_job_start(resolver, kind, false, fd, lookups, nr, &owner, &job);
	close(fd);
	if (ret)
		return ret;
	while ((ret = tt_job_step(job, 100)) == 1)
		;
	tt_job_close(job);
	return ret;
}

static const char source[] =
	"#include <stdio.h>\n"
	"static __attribute__((noinline)) int hidden(int x) { asm volatile(\"\"); return x + 1; }\n"
	"int shown(int x) { return hidden(x) * 2; }\n"
	"int main(int argc, char **argv) { (void)argv; return shown(argc); }\n";

static void setup(void)
{
	make_dir();
	seen.path = "/bin/a";
	root_fd = open(dir, O_PATH | O_DIRECTORY);
	cr_assert(eq(int, tt_resolver_open(false, &resolver), 0));
}

static void teardown(void)
{
	tt_resolver_close(resolver);
	remove_dir();
}

TestSuite(resolver, .init = setup, .fini = teardown, .timeout = 110);

/* a, not stripped, and its address of hidden in the file. It is not position independent: offset = address - 0x400000 where segments lie
 * in the file as in memory, which readelf confirms in elf_symbols_test. */
static uint64_t build_a(const char *options)
{
	need_tool("cc");
	need_tool("objcopy");
	write_file("a.c", source);
	cr_assert(run_in_dir("cc -O1 -g -no-pie %s -o a a.c", options) == 0);
	return nm_address("a", "hidden") - 0x400000;
}

Test(resolver, a_file_with_symbols)
{
	uint64_t hidden = build_a("");
	const struct tt_lookup lookups[] = { { .offset = 1 },
					     { .offset = hidden },
					     { .offset = hidden, .back = 1 },
					     { .offset = hidden + 2 } };

	cr_expect(eq(int, run_job(TT_JOB_ELF, "a", lookups, 4), 0));
	cr_expect(eq(uint, seen.nr_answers, 4));
	cr_expect(eq(str, seen.name, "hidden"));
	cr_expect(eq(u64, seen.offset, 2));
	cr_expect(eq(u64, seen.address, hidden + 0x400002));
	cr_expect(eq(uint, seen.nr_needs, 0));
	cr_expect(gt(u32, seen.loaded.nr_symbols, 4));
	cr_expect(eq(int, run_job(TT_JOB_ELF, "a", lookups, 3), 0));
	cr_expect(ne(str, seen.name, "hidden"), "the byte before is another function's");
}

Test(resolver, more_lookups_than_a_message_holds)
{
	static struct tt_lookup lookups[3 * TT_LOOKUPS_MAX + 5];
	uint64_t hidden = build_a("");

	for (unsigned i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++)
		lookups[i].offset = hidden;
	cr_expect(eq(int, run_job(TT_JOB_ELF, "a", lookups, sizeof(lookups) / sizeof(lookups[0])), 0));
	cr_expect(eq(uint, seen.nr_answers, sizeof(lookups) / sizeof(lookups[0])));
	cr_expect(eq(int, run_job(TT_JOB_ELF, "a", lookups, 0), 0));
}

static void see_hidden(uint64_t hidden, const char *expected)
{
	const struct tt_lookup lookup = { .offset = hidden + 1 };

	cr_expect(eq(int, run_job(TT_JOB_ELF, "a", &lookup, 1), 0));
	cr_expect(eq(str, seen.name, (char *)expected));
}

Test(resolver, a_debug_file_by_build_id)
{
	uint64_t hidden = build_a("-Wl,--build-id=0x0123456789abcdef");

	cr_assert(run_in_dir("mkdir -p usr/lib/debug/.build-id/01 && objcopy --only-keep-debug a "
			     "usr/lib/debug/.build-id/01/23456789abcdef.debug && strip a") == 0);
	seen.path = "/usr/bin/a";
	see_hidden(hidden, "hidden");
	cr_assert(run_in_dir("chmod o-r usr/lib/debug/.build-id/01/*") == 0);
	see_hidden(hidden, "");
}

Test(resolver, a_debug_file_by_its_name)
{
	uint64_t hidden = build_a("-Wl,--build-id=0x0123456789abcdef");
	static const char *const places[] = { "bin", "bin/.debug", "usr/lib/debug/bin" };

	cr_assert(run_in_dir("objcopy --only-keep-debug a a.debug && strip a && objcopy "
			     "--add-gnu-debuglink=a.debug a") == 0);
	seen.path = "/bin/a";
	see_hidden(hidden, "");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		cr_assert(run_in_dir("mkdir -p %s && cp a.debug %s/", places[i], places[i]) == 0);
		see_hidden(hidden, "hidden");
		cr_assert(run_in_dir("rm %s/a.debug", places[i]) == 0);
	}
	/* another build of the same is not taken */
	cr_assert(run_in_dir("cc -O1 -g -no-pie -Wl,--build-id=0x99 -o b a.c && objcopy --only-keep-debug b "
			     "bin/a.debug") == 0);
	see_hidden(hidden, "");
	cr_expect(ge(uint, seen.nr_needs, 2));
}

Test(resolver, symbols_packed_into_the_file)
{
	uint64_t hidden = build_a("");

	need_tool("xz");
	cr_assert(run_in_dir("objcopy -S --remove-section .comment --keep-symbol=hidden a mini 2>/dev/null; "
			     "objcopy --only-keep-debug a debug && objcopy -S --remove-section .comment "
			     "--keep-symbol=hidden debug mini && "
			     "xz mini && strip a && objcopy --add-section .gnu_debugdata=mini.xz a") == 0);
	see_hidden(hidden, "hidden");
	cr_assert(
		run_in_dir(
			"head -c 100 mini.xz >cut.xz && objcopy --update-section .gnu_debugdata=cut.xz a") ==
		0);
	see_hidden(hidden, "");
}

Test(resolver, no_symbols_at_all)
{
	uint64_t hidden = build_a("-Wl,--build-id=none -static -nostdlib -Wl,-emain");
	const struct tt_lookup lookup = { .offset = hidden };

	cr_assert(run_in_dir("strip a") == 0);
	cr_expect(eq(int, run_job(TT_JOB_ELF, "a", &lookup, 1), 0));
	cr_expect(eq(u32, seen.loaded.nr_symbols, 0));
	cr_expect(eq(u64, seen.address, hidden + 0x400000), "the address is known all the same");
}

Test(resolver, the_table_of_a_jit)
{
	const struct tt_lookup lookups[] = { { .offset = 0x1000 }, { .offset = 0x1010, .back = 1 } };

	write_file("perf.map", "1000 10 one\n1010 10 two\n");
	cr_expect(eq(int, run_job(TT_JOB_PERF_MAP, "perf.map", lookups, 2), 0));
	cr_expect(eq(str, seen.name, "one"));
	cr_expect(eq(u64, seen.offset, 16));
}

Test(resolver, what_is_no_elf_file)
{
	const struct tt_lookup lookup = { .offset = 0 };

	write_file("text", "hello\n");
	cr_expect(eq(int, run_job(TT_JOB_ELF, "text", &lookup, 1), -ENOEXEC));
	write_file("text", "");
	cr_expect(eq(int, run_job(TT_JOB_ELF, "text", &lookup, 1), -ENOEXEC));
}

Test(resolver, a_worker_that_crashes_costs_one_file)
{
	uint64_t hidden = build_a("");
	const struct tt_lookup lookup = { .offset = hidden };
	char path[64];

	cr_assert(run_in_dir("cp a b") == 0);
	snprintf(path, sizeof(path), "%s/b", dir);
	seen.truncate = path; /* under the worker, which has it mapped: SIGBUS */
	cr_expect(eq(int, run_job(TT_JOB_ELF, "b", &lookup, 1), -EPROTO));
	seen.truncate = NULL;
	see_hidden(hidden, "hidden");
}

/* Bytes at fixed places of the headers, and some at random: nothing but an answer or a clean failure may come of it. */
Test(resolver, corrupted_files_fail_cleanly)
{
	struct tt_lookup lookups[16];
	uint64_t hidden = build_a("");
	char path[64];
	struct stat st;
	char *bytes;
	uint32_t random = 12345;
	int fd, nr_failed = 0;

	for (unsigned i = 0; i < 16; i++)
		lookups[i] = (struct tt_lookup){ .offset = hidden - 64 + 16 * i };
	snprintf(path, sizeof(path), "%s/a", dir);
	fd = open(path, O_RDONLY);
	cr_assert(eq(int, fstat(fd, &st), 0));
	bytes = malloc((size_t)st.st_size);
	cr_assert(eq(long, read(fd, bytes, (size_t)st.st_size), st.st_size));
	close(fd);
	snprintf(path, sizeof(path), "%s/bad", dir);
	for (unsigned round = 0; round < 120; round++) {
		char *copy = malloc((size_t)st.st_size);
		off_t size = st.st_size;
		int ret;

		memcpy(copy, bytes, (size_t)st.st_size);
		if (round <
		    40) { /* every field of a section's head at the end of the file, the largest numbers */
			memset(copy + st.st_size - 64 * 3 + 4 * round % 192, 0xff, 8);
		} else if (round < 60) { /* the section table is cut */
			size -= (off_t)(round - 40) * 64 + 7;
		} else if (round < 80) { /* the ELF header */
			memset(copy + 16 + (round - 60) * 2, (int)(round * 37), 2);
		} else {
			for (unsigned i = 0; i < 200; i++) {
				random = random * 1664525 + 1013904223;
				copy[random % (uint32_t)st.st_size] = (char)(random >> 24);
			}
		}
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		cr_assert(eq(long, write(fd, copy, (size_t)size), size));
		close(fd);
		free(copy);
		ret = run_job(TT_JOB_ELF, "bad", lookups, 16);
		cr_assert(ret == 0 || ret == -ENOEXEC || ret == -EPROTO, "round %u: %d", round, ret);
		nr_failed += ret != 0;
	}
	free(bytes);
	cr_expect(gt(int, nr_failed, 0));
	see_hidden(hidden, "hidden");
}

Test(resolver, without_the_keeper_nothing_is_read)
{
	const struct tt_lookup lookup = { .offset = 0 };
	uint64_t user_ns, system_ns;

	write_file("text", "hello\n");
	tt_resolver_stop(resolver, &user_ns, &system_ns);
	cr_expect(eq(int, run_job(TT_JOB_ELF, "text", &lookup, 1), -EPIPE));
}

/* --- a worker that lies --- */

static int tell_job(const void *message, size_t len)
{
	static const struct tt_lookup lookups[2];
	struct tt_job *job;
	int pair[2], ret;
	const struct tt_message_loaded loaded = { .type = TT_MESSAGE_LOADED };

	cr_assert(eq(int, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0));
	cr_assert(eq(int, tt_job_adopt(pair[0], lookups, 2, &owner, &job), 0));
	seen.nr_answers = 0;
	cr_assert(eq(int, tt_message_send(pair[1], &loaded, sizeof(loaded), NULL, 0), 0));
	cr_assert(eq(int, tt_message_send(pair[1], message, len, NULL, 0), 0));
	ret = tt_job_step(job, 0);
	close(pair[1]);
	tt_job_close(job);
	return ret;
}

Test(resolver, a_worker_that_lies_is_not_believed)
{
	static struct {
		struct tt_message_answers head;
		_Alignas(8) char bytes[4 * TT_ANSWER_BYTES_MAX];
	} m;
	const struct tt_answer answer = { .nr_frames = 1, .frames = { { .name = { "x", 1 } } } };
	const struct tt_message_loaded loaded = { .type = TT_MESSAGE_LOADED };
	size_t len = 0;

	for (unsigned i = 0; i < 3; i++)
		len += tt_answer_encode(&answer, m.bytes + len);
	m.head = (struct tt_message_answers){ .type = TT_MESSAGE_ANSWERS, .nr = 3 };
	cr_expect(eq(int, tell_job(&m, sizeof(m.head) + len), -EPROTO), "more answers than questions");
	m.head.nr = 2;
	cr_expect(eq(int, tell_job(&m, sizeof(m.head) + len), -EPROTO), "bytes that belong to none");
	cr_expect(eq(int, tell_job(&m, sizeof(m.head) + len / 3 * 2 - 8), -EPROTO), "half an answer");
	cr_expect(eq(int, tell_job(&m, sizeof(m.head) + len / 3 * 2), 0), "as it should be");
	cr_expect(eq(uint, seen.nr_answers, 2));
	m.head.type = 77;
	cr_expect(eq(int, tell_job(&m, sizeof(m.head) + len / 3 * 2), -EPROTO), "unknown");
	cr_expect(eq(int, tell_job(&m, 2), -EPROTO), "no message at all");
	cr_expect(eq(int, tell_job(&loaded, sizeof(loaded)), -EPROTO), "loaded twice");
}

Test(resolver, a_worker_that_asks_for_ever_is_stopped)
{
	static const struct tt_lookup lookups[1];
	struct tt_message_need need = { .type = TT_MESSAGE_NEED, .what = TT_NEED_DEBUG, .name = "x" };
	struct tt_job *job;
	int pair[2], ret = 1;

	seen.path = "/bin/a";
	cr_assert(eq(int, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0));
	cr_assert(eq(int, tt_job_adopt(pair[0], lookups, 1, &owner, &job), 0));
	for (unsigned i = 0; i < 1000 && ret == 1; i++) {
		cr_assert(eq(int, tt_message_send(pair[1], &need, sizeof(need), NULL, 0), 0));
		ret = tt_job_step(job, 0);
	}
	cr_expect(eq(int, ret, -EPROTO));
	tt_job_close(job);
}

Test(resolver, debug_files_are_looked_for_where_they_may_be)
{
	static const char *const names[] = { "../secret", "/secret", "/usr/lib/debug/../../../secret",
					     "/usr/lib/debug/link" };
	struct tt_message_need need = { .what = TT_NEED_ALT };
	const struct tt_debug_places places = { -1, root_fd, "/bin/a" };

	write_file("secret", "x");
	cr_assert(run_in_dir("mkdir -p usr/lib/debug bin && chmod 640 secret && ln -s /secret "
			     "usr/lib/debug/link && mkfifo bin/fifo") == 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t attempt = 0;

		strcpy(need.name, names[i]);
		need.what = TT_NEED_ALT;
		cr_expect(eq(int, tt_debug_file_open(&places, &need, &attempt), -ENOENT), "%s", names[i]);
		need.what = TT_NEED_DEBUG;
		attempt = 0;
		cr_expect(eq(int, tt_debug_file_open(&places, &need, &attempt), -ENOENT), "%s", names[i]);
	}
	strcpy(need.name, "fifo");
	cr_expect(eq(int, tt_debug_file_open(&places, &need, &(uint32_t){ 0 }), -ENOENT),
		  "only regular files");
	memset(need.name, 'x', sizeof(need.name));
	cr_expect(eq(int, tt_debug_file_open(&places, &need, &(uint32_t){ 0 }), -ENOENT),
		  "a name without an end");
	memset(&need, 0, sizeof(need));
	need.what = TT_NEED_DEBUG;
	need.build_id.len = 255;
	cr_expect(eq(int, tt_debug_file_open(&places, &need, &(uint32_t){ 0 }), -ENOENT));
}

/* --- what the keeper may do --- */

static void status_line(pid_t pid, const char *name, char *value, size_t size)
{
	char path[64], line[256];
	FILE *f;

	value[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			snprintf(value, size, "%s", line + strlen(name) + 1);
	if (f)
		fclose(f);
	value[strcspn(value, "\n")] = '\0';
}

Test(resolver, the_keeper_has_no_privileges)
{
	char value[256], path[64];
	int fd;
	pid_t pid;

	cr_assert(eq(int, tt_keeper_start(&fd, &pid), 0));
	for (int i = 0; i < 500; i++) { /* until it has dropped them */
		status_line(pid, "NoNewPrivs:", value, sizeof(value));
		if (!strcmp(value, "1"))
			break;
		usleep(10000);
	}
	cr_expect(eq(str, value, "1"));
	status_line(pid, "CapEff:", value, sizeof(value));
	cr_expect(eq(str, value, "0000000000000000"));
	status_line(pid, "CapPrm:", value, sizeof(value));
	cr_expect(eq(str, value, "0000000000000000"));
	if (geteuid() == 0) {
		status_line(pid, "Uid:", value, sizeof(value));
		cr_expect(eq(str, value, "65534\t65534\t65534\t65534"));
		status_line(pid, "Gid:", value, sizeof(value));
		cr_expect(eq(str, value, "65534\t65534\t65534\t65534"));
		status_line(pid, "Groups:", value, sizeof(value));
		cr_expect(eq(str, value, " "));
		snprintf(path, sizeof(path), "/proc/%d/root/etc", pid);
		cr_expect(ne(int, access(path, F_OK), 0), "it sees no files");
	}
	close(fd);
	cr_assert(eq(int, waitpid(pid, NULL, 0), pid), "ends with its socket");
}
