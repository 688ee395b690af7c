/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/kallsyms.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char text[] = "0000000000000000 A fixed_percpu_data\n"
			   "ffffffff81000000 T _stext\n"
			   "ffffffff81000000 T _text\n"
			   "ffffffff81000000 T startup\n"
			   "ffffffff81000100 t helper\n"
			   "ffffffff81000200 W __weak_one\n"
			   "ffffffff81000200 T strong\n"
			   "ffffffff81000300 T sys_short\n"
			   "ffffffff81000300 T sys_longer\n"
			   "ffffffff81000300 T __much_longer_name\n"
			   "ffffffff81000380 D data\n"
			   "ffffffff81000400 T _etext\n"
			   "ffffffffc0002000 t beta\t[second]\n"
			   "ffffffffc0001000 t gamma\t[first]\n"
			   "ffffffffc0001800 t alpha\t[first]\n"
			   "ffffffffc0100000 t bpf_prog_6deef7357e7b4530_main\t[bpf]\n";

static struct tt_kallsyms *load(const char *all, size_t piece)
{
	struct tt_kallsyms *k = tt_kallsyms_new();
	size_t len = strlen(all);

	cr_assert(k != NULL);
	for (size_t at = 0; at < len; at += piece)
		cr_assert(eq(int, tt_kallsyms_feed(k, all + at, len - at < piece ? len - at : piece), 0));
	cr_assert(eq(int, tt_kallsyms_end(k), 0));
	return k;
}

/* "name+offset module", "-" = none. */
static const char *at(const struct tt_kallsyms *k, uint64_t address)
{
	static char found[2][256];
	static unsigned turn;
	struct tt_kallsym symbol;

	if (!tt_kallsyms_find(k, address, &symbol))
		return "-";
	turn ^= 1;
	snprintf(found[turn], sizeof(found[turn]), "%.*s+%llx %.*s", (int)symbol.name.len, symbol.name.text,
		 (unsigned long long)(address - symbol.start), (int)symbol.module.len, symbol.module.text);
	return found[turn];
}

Test(kallsyms, the_name_before_an_address)
{
	struct tt_kallsyms *k = load(text, sizeof(text));

	cr_expect(eq(str, (char *)at(k, 0xffffffff80ffffff), "-"), "before the first");
	cr_expect(eq(str, (char *)at(k, 0xffffffff810001ff), "helper+ff "));
	cr_expect(eq(str, (char *)at(k, 0xffffffff81000400), "-"), "where the code ends");
	cr_expect(eq(str, (char *)at(k, 0xffffffffc0001010), "gamma+10 [first]"), "modules are in no order");
	cr_expect(eq(str, (char *)at(k, 0xffffffffc0001801), "alpha+1 [first]"));
	cr_expect(eq(str, (char *)at(k, 0xffffffffc0002000), "beta+0 [second]"));
	cr_expect(eq(str, (char *)at(k, 0xffffffffc0100020), "bpf_prog_6deef7357e7b4530_main+20 [bpf]"));
	cr_expect(eq(str, (char *)at(k, 0xffffffffc0100000 + TT_KALLSYM_BYTES_MAX), "-"),
		  "no function is so long");
	tt_kallsyms_close(k);
}

Test(kallsyms, of_several_names_the_one_that_perf_takes)
{
	struct tt_kallsyms *k = load(text, sizeof(text));

	cr_expect(eq(str, (char *)at(k, 0xffffffff81000000), "startup+0 "), "few underscores");
	cr_expect(eq(str, (char *)at(k, 0xffffffff81000200), "strong+0 "), "not weak");
	cr_expect(eq(str, (char *)at(k, 0xffffffff81000381), "sys_longer+81 "), "long; and data are no code");
	tt_kallsyms_close(k);
}

Test(kallsyms, the_text_may_come_in_any_pieces)
{
	struct tt_kallsyms *whole = load(text, sizeof(text));

	for (size_t piece = 1; piece < 100; piece++) {
		struct tt_kallsyms *k = load(text, piece);

		for (uint64_t address = 0xffffffff81000000; address < 0xffffffff81000400; address += 0x40)
			cr_expect(eq(str, (char *)at(k, address), (char *)at(whole, address)),
				  "in pieces of %zu", piece);
		cr_expect(eq(str, (char *)at(k, 0xffffffffc0100001), (char *)at(whole, 0xffffffffc0100001)));
		tt_kallsyms_close(k);
	}
	tt_kallsyms_close(whole);
}

Test(kallsyms, lines_of_another_form_are_skipped)
{
	static char odd[8192];
	struct tt_kallsyms *k;

	strcpy(odd, "\n \nxyz T bad\nffffffff81000000\nffffffff81000000 T\nffffffff81000000 TT "
		    "two\nffffffff81000010 T ");
	memset(odd + strlen(odd), 'x', 4000);
	strcat(odd, "\nffffffff81000020 t good\nffffffff81000030 t last_without_end");
	for (size_t piece = 1; piece < sizeof(odd); piece = piece * 3 + 1) {
		k = load(odd, piece);
		cr_expect(eq(str, (char *)at(k, 0xffffffff81000018), "-"), "too long, in pieces of %zu",
			  piece);
		cr_expect(eq(str, (char *)at(k, 0xffffffff81000021), "good+1 "));
		cr_expect(eq(str, (char *)at(k, 0xffffffff81000031), "last_without_end+1 "));
		tt_kallsyms_close(k);
	}
}

static struct tt_kallsyms *open_file(const char *content)
{
	char root[] = "/tmp/tt-kallsyms-XXXXXX", path[64];
	struct tt_kallsyms *k;
	FILE *f;

	cr_assert(mkdtemp(root) != NULL);
	snprintf(path, sizeof(path), "%s/proc", root);
	cr_assert(eq(int, mkdir(path, 0755), 0));
	strcat(path, "/kallsyms");
	f = fopen(path, "w");
	cr_assert(f != NULL);
	fputs(content, f);
	fclose(f);
	cr_assert(eq(int, tt_kallsyms_open(root, &k), 0));
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(root);
	return k;
}

Test(kallsyms, what_hides_its_addresses_is_told)
{
	struct tt_kallsyms *k =
		open_file("0000000000000000 A fixed\n0000000000000000 T _text\n0000000000000000 t x\n");

	cr_expect(tt_kallsyms_are_hidden(k));
	tt_kallsyms_close(k);
	k = open_file(text);
	cr_expect(not(tt_kallsyms_are_hidden(k)), "per-CPU symbols are 0 by themselves");
	cr_assert(eq(int, tt_kallsyms_load(k), 0));
	cr_expect(eq(str, (char *)at(k, 0xffffffff81000101), "helper+1 "));
	tt_kallsyms_close(k);
	k = open_file("");
	cr_assert(eq(int, tt_kallsyms_load(k), 0));
	cr_expect(eq(str, (char *)at(k, 0xffffffff81000101), "-"));
	tt_kallsyms_close(k);
	tt_kallsyms_close(NULL);
}
