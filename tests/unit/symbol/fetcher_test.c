/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug files from a server, which is a directory here (file:). */
#include "collector/symbol/fetcher.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <sys/sysmacros.h>

#include "tests/unit/symbol/build.h"
#include "tests/unit/symbol/stacks.h"

static const struct tt_build_id build_id = { 8, { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef } };

static void setup(void)
{
	char value[128];

	if (!dlopen("libdebuginfod.so.1", RTLD_NOW))
		skip_test("libdebuginfod.so.1 is not installed");
	make_dir();
	cr_assert(run_in_dir("mkdir -p server/buildid/0123456789abcdef cache") == 0);
	snprintf(value, sizeof(value), "file://%s/server", dir);
	setenv("DEBUGINFOD_URLS", value, 1);
	snprintf(value, sizeof(value), "%s/cache", dir);
	setenv("DEBUGINFOD_CACHE_PATH", value, 1);
}

TestSuite(fetcher, .init = setup, .fini = remove_dir, .timeout = 60);

Test(fetcher, a_file_that_the_server_has)
{
	const struct tt_build_id other = { 8, { 9 } };
	struct tt_fetcher *f;
	char text[8] = "";
	int fd;

	write_file("server/buildid/0123456789abcdef/debuginfo", "hello");
	cr_assert(eq(int, tt_fetcher_open(&f), 0));
	fd = tt_fetcher_get(f, &build_id, NULL, NULL);
	cr_assert(ge(int, fd, 0));
	cr_expect(eq(long, pread(fd, text, 7, 0), 5));
	cr_expect(eq(str, text, "hello"));
	cr_expect(eq(int, tt_fetcher_get(f, &other, NULL, NULL), -ENOENT));
	tt_fetcher_close(f);
	tt_fetcher_close(NULL);
}

Test(fetcher, without_servers_there_is_nothing)
{
	struct tt_fetcher *f;

	setenv("DEBUGINFOD_URLS", "", 1);
	cr_assert(eq(int, tt_fetcher_open(&f), 0));
	cr_expect(lt(int, tt_fetcher_get(f, &build_id, NULL, NULL), 0));
	cr_expect(lt(int, tt_fetcher_get(f, &build_id, NULL, NULL), 0));
	tt_fetcher_close(f);
}

static const char source[] =
	"static __attribute__((noinline)) int hidden(int x) { asm volatile(\"\"); return x + 1; }\n"
	"int main(int argc, char **argv) { (void)argv; return hidden(argc); }\n";

/* The name of hidden, in a stripped file whose debug file only the server has. */
static void see_hidden(bool debuginfod, const char *expected)
{
	const struct tt_symbols_options opts = { .root = dir, .debuginfod = debuginfod };
	char path[128], text[512];
	struct stat st;
	uint64_t hidden;

	need_tool("cc");
	need_tool("objcopy");
	write_file("a.c", source);
	cr_assert(run_in_dir("mkdir -p bin proc/77 && cc -g -O1 -no-pie -Wl,--build-id=0x0123456789abcdef -o "
			     "a a.c && "
			     "objcopy --only-keep-debug a server/buildid/0123456789abcdef/debuginfo && strip "
			     "-o bin/a a") == 0);
	hidden = nm_address("a", "hidden") + 0x100000;
	snprintf(path, sizeof(path), "%s/bin/a", dir);
	cr_assert(eq(int, stat(path, &st), 0));
	snprintf(text, sizeof(text), "00500000-00600000 r-xp 00000000 %02x:%02x %lu /bin/a\n",
		 major(st.st_dev), minor(st.st_dev), st.st_ino);
	write_file("proc/77/maps", text);
	cr_assert(eq(int, tt_symbols_open(&opts, &symbols), 0));
	tt_symbols_start(symbols);
	note_one(10, 1, 77, hidden);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, hidden), (char *)expected));
	close_symbols();
}

Test(fetcher, names_come_from_the_server_when_that_is_asked_for)
{
	see_hidden(true, "hidden");
}

Test(fetcher, nothing_is_fetched_when_it_is_not)
{
	see_hidden(false, "");
	cr_expect(run_in_dir("test -z \"$(ls cache)\"") == 0);
}
