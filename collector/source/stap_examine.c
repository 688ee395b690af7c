/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What SystemTap's rung of a ladder would do on this machine, as far as can be told without making a module. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "collector/source/ladder.h"
#include "collector/source/stap_tool.h"

/* "what is missing; what to do" */
static void split(struct tt_rung_report *r, char *why)
{
	char *semicolon = strstr(why, "; ");

	if (semicolon) {
		*semicolon = '\0';
		snprintf(r->advice, sizeof(r->advice), "%.*s", (int)sizeof(r->advice) - 1, semicolon + 2);
	}
	snprintf(r->reason, sizeof(r->reason), "%.*s", (int)sizeof(r->reason) - 1, why);
}

void tt_stap_examine(const char *probe, struct tt_rung_report *r)
{
	char why[TT_STAP_WHY_MAX];
	struct tt_stap_tool tool;
	struct utsname host;
	int err;

	memset(r, 0, sizeof(*r));
	r->probe = probe;
	r->rung = "stap";
	uname(&host);
	tt_stap_tool_find(&tool);
	err = tt_stap_check_kernel(false, why, sizeof(why));
	if (!err)
		err = tt_stap_check_build(&tool, host.release, why, sizeof(why));
	if (!err)
		err = tt_stap_check_insert(&tool, false, why, sizeof(why));
	if (!err) {
		r->verdict = TT_RUNG_UNTESTED;
		snprintf(r->reason, sizeof(r->reason),
			 "SystemTap %u.%u is here; its module is made when a recording begins (record "
			 "--source stap)",
			 tool.major, tool.minor);
		return;
	}
	r->verdict = err == -EPERM ? TT_RUNG_REFUSED : TT_RUNG_ABSENT;
	r->err = err == -EPERM ? EPERM : 0;
	split(r, why);
}
