/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_demangle.c - any bytes as the name of a function: what is made of it is bounded. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "collector/symbol/demangle.h"

/* libiberty gives back what it allocated only when it is not interrupted; whoever demangles ends soon. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1), *out = malloc(TT_NAME_BYTES_MAX);
	bool is_cut;

	if (name && out) {
		memcpy(name, data, size);
		name[size] = '\0';
		if (tt_demangle(name, out, &is_cut) > TT_NAME_BYTES_MAX ||
		    tt_name_fit(name, strlen(name)) > strlen(name))
			__builtin_trap();
	}
	free(name);
	free(out);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	static const char *const seeds[] = {
		"_ZNSt8_Rb_treeISsSt4pairIKSsiESt10_Select1stIS2_ESt4lessISsESaIS2_EE16_M_insert_"
		"uniqueERKS2_",
		"_ZN4core3ptr85drop_in_place$LT$std..rt..lang_start$LT$$LP$$RP$$GT$..$u7b$$u7b$closure$u7d$$"
		"u7d$$GT$17h0123456789abcdefE",
		"_RINvNtC3std3mem8align_ofjdE",
		"_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate",
		"_D3std5array__T8AppenderTAyaZQoMFNaNbNfAyaZv",
		"memcpy@@GLIBC_2.14",
		"_Z1fI1aIiiES0_IS1_S1_ES0_IS2_S2_ES0_IS3_S3_EEvv",
	};

	if (nth >= sizeof(seeds) / sizeof(seeds[0]) || strlen(seeds[nth]) > max)
		return 0;
	memcpy(data, seeds[nth], strlen(seeds[nth]));
	return strlen(seeds[nth]);
}

static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif
