/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/stap_words.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "collector/source/stap_tool.h"

static int explain(const char *said, int status, char *text, size_t size)
{
	struct tt_stap_words w = { 0 };

	tt_stap_words_add(&w, said, strlen(said), NULL, NULL);
	tt_stap_words_end(&w, NULL, NULL);
	return tt_stap_words_explain(&w, "6.1.0-56-amd64", status, text, size);
}

Test(stap_words, the_most_telling_line_counts_wherever_it_stands)
{
	char text[TT_STAP_WHY_MAX];
	int err = explain("stp_task_work.c:23: error: incompatible types for task_work_cancel\n"
			  "make[1]: *** [Makefile:1] Error 2\n"
			  "Pass 4: compilation failed.  [man error::pass4]\n",
			  256, text, sizeof(text));

	cr_expect_eq(err, -ENOSYS);
	cr_expect_not_null(strstr(text, "task_work_cancel() has changed"));
	cr_expect_not_null(strstr(text, "kernel 6.1.0-56-amd64"));
	cr_expect_null(strstr(text, "%R"));
}

Test(stap_words, a_lack_of_rights_lets_another_source_be_tried)
{
	char text[TT_STAP_WHY_MAX];

	cr_expect_eq(explain("ERROR: You are trying to load the module x as a normal user.", 256, text,
			     sizeof(text)),
		     -EPERM);
	cr_expect_eq(explain("ERROR: Couldn't insert module 'x.ko': Key was rejected by service\n", 256, text,
			     sizeof(text)),
		     -EPERM);
}

Test(stap_words, what_nobody_knows_is_passed_on)
{
	char text[TT_STAP_WHY_MAX];

	explain("hello\nERROR: the moon is full\nbye\n", 256, text, sizeof(text));
	cr_expect_str_eq(text, "SystemTap says: ERROR: the moon is full");
	explain("hello\nbye\n", 256, text, sizeof(text));
	cr_expect_str_eq(text, "SystemTap ended with status 1; its last words: bye");
	explain("", 9, text, sizeof(text));
	cr_expect_str_eq(text, "SystemTap was ended by signal 9");
}

Test(stap_words, losses_are_added_up)
{
	static const char said[] =
		"WARNING: Number of errors: 2, skipped probes: 40\n"
		"WARNING: Skipped due to global 'x' lock timeout: 40\n"
		"WARNING: Skipped due to reentrancy: 3\n"
		"WARNING: Skipped due to missed kprobe on 'f': 5\n"
		"WARNING: There were 7 transport failures. Try stap -s to increase the buffer size from 8.";
	struct tt_stap_words w = { 0 };

	for (size_t i = 0; said[i]; i++) /* in the smallest pieces */
		tt_stap_words_add(&w, said + i, 1, NULL, NULL);
	tt_stap_words_end(&w, NULL, NULL);
	cr_expect_eq(w.nr_errors, 2);
	cr_expect_eq(w.nr_skipped, 48, "a lock timeout is among the 40");
	cr_expect_eq(w.nr_transport_failures, 7);
	cr_expect(not(tt_stap_words_is_overload(&w)));
}

Test(stap_words, overload_is_told_from_other_ends)
{
	struct tt_stap_words w = { 0 };
	static const char said[] = "ERROR: probe overhead (500000100 cycles) exceeded threshold (500000000 "
				   "cycles) in last 1000000000 cycles\n";

	tt_stap_words_add(&w, said, sizeof(said) - 1, NULL, NULL);
	cr_expect(tt_stap_words_is_overload(&w));
}

Test(stap_words, lines_and_texts_of_any_length_stay_within_their_bounds)
{
	struct tt_stap_words w = { 0 };
	char small[20];

	for (unsigned i = 0; i < 100000; i++)
		tt_stap_words_add(&w, "error", 5, NULL, NULL);
	tt_stap_words_end(&w, NULL, NULL);
	cr_expect_eq(strlen(w.first_error), TT_STAP_LINE_MAX - 1);
	for (unsigned i = 0; i < 1000; i++)
		tt_stap_words_add(&w, "Couldn't insert module\n", 23, NULL, NULL);
	cr_expect_eq(w.nr_lines, 1001);
	tt_stap_words_explain(&w, "release", 0, small, sizeof(small));
	cr_expect_eq(strlen(small), sizeof(small) - 1);
}

Test(stap_words, versions_are_read_as_stap_prints_them)
{
	unsigned major = 0, minor = 0;

	cr_expect_eq(
		tt_stap_parse_version(
			"Systemtap translator/driver (version 4.8/0.188, Debian version 4.8-2)\nCopyright",
			&major, &minor),
		0);
	cr_expect_eq(major * 100 + minor, 408);
	cr_expect_eq(tt_stap_parse_version("SystemTap translator/driver (version 1.7/0.152)", &major, &minor),
		     0);
	cr_expect_eq(major * 100 + minor, 107);
	cr_expect_eq(tt_stap_parse_version("bash: stap: not found", &major, &minor), -EINVAL);
}

Test(stap_module, modinfo_tells_name_release_and_whose_it_is)
{
	static const char info[] = "license=GPL\0name=timethief\0parmtype=tt_wait:long\0vermagic=6.1.0-56-"
				   "amd64 SMP mod_unload \0";
	struct tt_stap_module module = { .is_ours = false };

	tt_stap_parse_modinfo(info, sizeof(info) - 1, &module);
	cr_expect_str_eq(module.name, "timethief");
	cr_expect_str_eq(module.release, "6.1.0-56-amd64");
	cr_expect(module.is_ours);
}

Test(stap_module, modinfo_without_an_end_or_with_long_names_is_cut)
{
	struct tt_stap_module module = { .is_ours = false };
	char info[4096] = "vermagic=";

	memset(info + 9, 'v', sizeof(info) - 9);
	tt_stap_parse_modinfo(info, sizeof(info), &module);
	cr_expect_eq(strlen(module.release), sizeof(module.release) - 1);
	cr_expect_str_eq(module.name, "");
	tt_stap_parse_modinfo(info, 0, &module);
	tt_stap_parse_modinfo("name=", 5, &module);
	cr_expect_str_eq(module.name, "");
}

Test(stap_tool, a_file_that_is_no_module_is_refused)
{
	struct tt_stap_module module;
	char why[TT_STAP_WHY_MAX];

	cr_expect_eq(tt_stap_module_read("/proc/self/exe", &module, why, sizeof(why)), -EINVAL);
	cr_expect_not_null(strstr(why, "is no kernel module"));
	cr_expect_eq(tt_stap_module_read("/nonexistent", &module, why, sizeof(why)), -ENOENT);
}
