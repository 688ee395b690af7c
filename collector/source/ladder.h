/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ladder - which hooks ("rungs") of each probe this kernel takes, and why not the others. For doctor.
 *
 * probe and rung are static strings; reason and advice are one plain sentence each, "" when there is nothing
 * to say.
 */
#pragma once

#include <stdbool.h>

struct tt_rung_report {
	const char *probe, *rung;
	enum {
		TT_RUNG_CHOSEN,	  /* a recording would use it */
		TT_RUNG_WORKS,	  /* it would do as well, a better one was chosen */
		TT_RUNG_REFUSED,  /* the kernel said no: err */
		TT_RUNG_ABSENT,	  /* this kernel has no such hook */
		TT_RUNG_SILENT,	  /* attached, but it missed what the kernel's own counter saw */
		TT_RUNG_UNTESTED, /* attached, but nothing happened that it could have seen */
	} verdict;
	int err;       /* errno, positive; 0 = none */
	bool unproven; /* written for kernels that the tests cannot run on */
	char reason[200];
	char advice[200];
};

/* Loads and attaches each rung of the BPF ladders alone for about a second and detaches it. Writes at most
 * max reports, best rung first within a probe. 0, or -EPERM when BPF is not permitted at all (then *ret_nr is
 * not written). */
int tt_bpf_examine(struct tt_rung_report *reports, unsigned max, unsigned *ret_nr);

/* SystemTap's rung of a probe, without trying: a module is made only when a recording begins. Chosen is for the caller to say. */
void tt_stap_examine(const char *probe, struct tt_rung_report *report);
