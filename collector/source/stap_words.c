/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/stap_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct tt_stap_rule {
	const char *has[3]; /* all in one line */
	int err;
	bool overload;
	const char *means, *advice; /* %R = the kernel's release */
};

#define INSERT	 "Couldn't insert module"
#define PREBUILT "record with --stap-module FILE (timethief stap-build -r %R -o FILE makes one elsewhere)"
#define REBUILD	 "make one for this kernel: timethief stap-build -r %R -o FILE"

/* The most telling first: of several that match, the first in this table counts. */
static const struct tt_stap_rule rules[] = {
	/* rights */
	{ { "You are trying to run systemtap as a normal user" },
	  -EPERM,
	  false,
	  "SystemTap is for root and members of the group stapdev",
	  "run as root, or add the user to stapdev and log in again" },
	{ { "You are trying to load the module" },
	  -EPERM,
	  false,
	  "SystemTap is for root and members of the groups stapdev and stapusr",
	  "run as root, or add the user to stapdev and log in again" },
	{ { "You should either be root, or be part of" },
	  -EPERM,
	  false,
	  "SystemTap is for root and members of the group stapdev",
	  "run as root, or add the user to stapdev and log in again" },
	{ { "groups can only use unsigned modules within" },
	  -EPERM,
	  false,
	  "a member of stapusr may only load modules of /lib/modules/%R/systemtap",
	  "run as root, or put the module there, or add the user to stapdev" },
	{ { "privilege credentials", "are insufficient" },
	  -EPERM,
	  false,
	  "this user's rights do not suffice for the module",
	  "run as root, or add the user to stapdev and log in again" },
	{ { "The effective user ID of staprun must be set to the root user" },
	  -EPERM,
	  false,
	  "staprun is not setuid root",
	  "run as root, or install the package systemtap-runtime anew" },
	/* signatures */
	{ { "requires modules to be signed" },
	  -EPERM,
	  false,
	  "this kernel takes signed modules only (Secure Boot)",
	  "sign the module with a key that the kernel knows, or switch Secure Boot off" },
	{ { "There is no machine owner key (MOK) in common" },
	  -EPERM,
	  false,
	  "this kernel takes signed modules only (Secure Boot)",
	  "sign the module with a key that the kernel knows, or switch Secure Boot off" },
	{ { "Unable to verify the signature for the module" },
	  -EPERM,
	  false,
	  "the module's signature is refused",
	  "run as root, or sign it with a key that staprun trusts" },
	{ { INSERT, "Key was rejected by service" },
	  -EPERM,
	  false,
	  "the kernel refused the module's signature (Secure Boot or lockdown)",
	  "sign the module with a key that the kernel knows (mokutil --import), or switch Secure Boot off" },
	{ { INSERT, "Required key not available" },
	  -EPERM,
	  false,
	  "the kernel takes signed modules only, and does not know this one's key",
	  "sign the module with a key that the kernel knows (mokutil --import), or switch Secure Boot off" },
	/* insertion */
	{ { INSERT, "in FIPS mode" },
	  -EPERM,
	  false,
	  "staprun loads no modules in FIPS mode",
	  "STAP_FIPS_OVERRIDE=1 in the environment lets it, if the kernel takes the module" },
	{ { INSERT, "Operation not permitted" },
	  -EPERM,
	  false,
	  "the kernel loads no modules (lockdown, kernel.modules_disabled, or CAP_SYS_MODULE is missing)",
	  "run as root on the host, without lockdown" },
	{ { INSERT, "Function not implemented" },
	  -ENOSYS,
	  false,
	  "this kernel loads no modules at all (CONFIG_MODULES is off), and SystemTap needs one",
	  "use another source, or a kernel with modules" },
	{ { INSERT, "File exists" },
	  -ENOSYS,
	  false,
	  "a module of this name is loaded already: another recording runs, or one was left behind",
	  "end it; staprun -d timethief removes what was left behind" },
	{ { INSERT, "Invalid module format" },
	  -ENOSYS,
	  false,
	  "the module is for another kernel than %R",
	  REBUILD },
	{ { INSERT, "Module has wrong symbol version" },
	  -ENOSYS,
	  false,
	  "the module is for another build of kernel %R",
	  REBUILD },
	{ { INSERT, "Unknown symbol in module" },
	  -ENOSYS,
	  false,
	  "this kernel lacks a function that the module calls (dmesg names it), or does not know an option "
	  "of it",
	  REBUILD },
	{ { INSERT, "Invalid parameters" },
	  -ENOSYS,
	  false,
	  "the module refuses its options: it was made from other scripts",
	  REBUILD },
	{ { INSERT, "Cannot allocate memory" },
	  -ENOSYS,
	  false,
	  "there is not enough memory for the module's buffers",
	  "smaller ones: --ring-size 1m" },
	{ { INSERT }, -ENOSYS, false, "the kernel refused the module", "dmesg may tell why" },
	{ { "module release mismatch" },
	  -ENOSYS,
	  false,
	  "the module is for another kernel than %R",
	  REBUILD },
	{ { "module version mismatch" },
	  -ENOSYS,
	  false,
	  "the module is for another build of kernel %R",
	  REBUILD },
	{ { "Build-id mismatch" },
	  -ENOSYS,
	  false,
	  "the module was made with the debuginfo of another build of this kernel",
	  REBUILD },
	{ { "Cannot attach to module" },
	  -ENOSYS,
	  false,
	  "staprun finds no module under the name of its file",
	  REBUILD },
	{ { "Couldn't mount" },
	  -ENOSYS,
	  false,
	  "debugfs cannot be mounted",
	  "mount -t debugfs none /sys/kernel/debug" },
	{ { "Failed to initialize control channel" },
	  -ENOSYS,
	  false,
	  "staprun cannot reach its module (debugfs and /proc are needed)",
	  "mount -t debugfs none /sys/kernel/debug" },
	{ { "Couldn't open output file" },
	  -ENOSYS,
	  false,
	  "staprun cannot open its output",
	  "see the line with -v" },
	/* making a module */
	{ { "Ensure kernel development headers" },
	  -ENOSYS,
	  false,
	  "the headers of kernel %R are not installed",
	  "install linux-headers-%R (kernel-devel-%R), or " PREBUILT },
	{ { "Checking \"", "failed with error" },
	  -ENOSYS,
	  false,
	  "the headers of kernel %R are not installed",
	  "install linux-headers-%R (kernel-devel-%R), or " PREBUILT },
	{ { "kernel release isn't" },
	  -ENOSYS,
	  false,
	  "what was given is not the build folder of a kernel",
	  "install linux-headers-%R (kernel-devel-%R)" },
	{ { "task_work_cancel" },
	  -ENOSYS,
	  false,
	  "this SystemTap does not compile with the headers of kernel %R, whose task_work_cancel() has "
	  "changed",
	  "timethief stap-build uses a changed copy of SystemTap's runtime; or install SystemTap 5.2 or "
	  "later" },
	{ { "missing", "debuginfo" },
	  -ENOSYS,
	  false,
	  "the debuginfo of kernel %R is not installed",
	  "install linux-image-%R-dbg (kernel-debuginfo-%R), or take another hook" },
	{ { "requires debuginfo" },
	  -ENOSYS,
	  false,
	  "the debuginfo of kernel %R is not installed",
	  "install linux-image-%R-dbg (kernel-debuginfo-%R), or take another hook" },
	{ { "No space left on device" },
	  -ENOSYS,
	  false,
	  "the disk is full",
	  "make room, or set TMPDIR and SYSTEMTAP_DIR to where there is" },
	{ { "gcc", "not found" },
	  -ENOSYS,
	  false,
	  "there is no compiler here",
	  "install gcc and make, or " PREBUILT },
	{ { "gcc", "No such file or directory" },
	  -ENOSYS,
	  false,
	  "there is no compiler here",
	  "install gcc and make, or " PREBUILT },
	{ { "make", "not found" },
	  -ENOSYS,
	  false,
	  "there is no make here",
	  "install gcc and make, or " PREBUILT },
	{ { "Spawn error", "make" },
	  -ENOSYS,
	  false,
	  "there is no make here",
	  "install gcc and make, or " PREBUILT },
	{ { "unrecognized option" },
	  -ENOSYS,
	  false,
	  "this SystemTap does not know an option that is needed",
	  "install SystemTap 1.8 or later" },
	{ { "parse failed" },
	  -ENOSYS,
	  false,
	  "this SystemTap does not understand the scripts",
	  "install SystemTap 1.8 or later; -v shows where it stopped" },
	/* while it runs */
	{ { "probe overhead", "exceeded threshold" },
	  -EOVERFLOW,
	  true,
	  "SystemTap stopped the probes: they took too much of a CPU",
	  "record fewer probes (--probe disk), or with BPF" },
	{ { "Skipped too many probes" },
	  -EOVERFLOW,
	  true,
	  "SystemTap stopped the probes: too many could not run",
	  "record fewer probes (--probe disk), or with BPF" },
	{ { "MAXACTION exceeded" },
	  -EOVERFLOW,
	  true,
	  "SystemTap stopped the probes: a handler took too long",
	  "record fewer probes (--probe disk), or with BPF" },
	{ { "MAXNESTING exceeded" },
	  -EOVERFLOW,
	  true,
	  "SystemTap stopped the probes: a handler nested too deep",
	  "record fewer probes (--probe disk), or with BPF" },
	/* the catch-alls of its passes */
	{ { "registration error" },
	  -ENOSYS,
	  false,
	  "the kernel refused a probe",
	  "take another hook: timethief doctor lists them" },
	{ { "Pass 2: analysis failed" },
	  -ENOSYS,
	  false,
	  "the scripts ask for what kernel %R does not have, or this SystemTap does not know",
	  "-v shows SystemTap's own words" },
	{ { "Pass 3: translation failed" },
	  -ENOSYS,
	  false,
	  "SystemTap could not translate the scripts",
	  "-v shows its own words" },
	{ { "Pass 4: compilation failed" },
	  -ENOSYS,
	  false,
	  "the module does not compile with the headers of kernel %R",
	  "-v shows SystemTap's own words; a newer SystemTap may know this kernel; or " PREBUILT },
};
enum { NR_RULES = sizeof(rules) / sizeof(rules[0]) };

static bool matches(const struct tt_stap_rule *rule, const char *line)
{
	for (unsigned i = 0; i < 3 && rule->has[i]; i++)
		if (!strstr(line, rule->has[i]))
			return false;
	return true;
}

/* The number that follows the text, 0 when there is none. */
static uint64_t number_after(const char *line, const char *text)
{
	const char *at = strstr(line, text);

	return at ? strtoull(at + strlen(text), NULL, 10) : 0;
}

static uint64_t last_number(const char *line)
{
	const char *at = strrchr(line, ':');

	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* Skips for a lock or a low stack are in "skipped probes"; these two are not. */
static void count_losses(struct tt_stap_words *w, const char *line)
{
	w->nr_errors += number_after(line, "Number of errors: ");
	w->nr_skipped += number_after(line, "skipped probes: ");
	if (strstr(line, "Skipped due to reentrancy") || strstr(line, "Skipped due to missed k"))
		w->nr_skipped += last_number(line);
	if (strstr(line, "transport failures"))
		w->nr_transport_failures += number_after(line, "There were ");
}

static void take_line(struct tt_stap_words *w, tt_stap_line_fn told, void *ctx)
{
	unsigned nr = w->rule ? (unsigned)(w->rule - rules) : NR_RULES;

	w->line[w->line_bytes] = '\0';
	w->line_bytes = 0;
	if (!w->line[0])
		return;
	for (unsigned i = 0; i < nr; i++) {
		if (!matches(&rules[i], w->line))
			continue;
		w->rule = &rules[i];
		memcpy(w->detail, w->line, sizeof(w->detail));
		break;
	}
	if (!w->first_error[0] &&
	    (strstr(w->line, "error") || strstr(w->line, "ERROR") || strstr(w->line, "annot")))
		memcpy(w->first_error, w->line, sizeof(w->first_error));
	count_losses(w, w->line);
	memcpy(w->tail[w->nr_lines++ % TT_STAP_TAIL_LINES], w->line, sizeof(w->line));
	if (told)
		told(ctx, w->line);
}

void tt_stap_words_add(struct tt_stap_words *w, const char *text, size_t len, tt_stap_line_fn told, void *ctx)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' || text[i] == '\0')
			take_line(w, told, ctx);
		else if (w->line_bytes < sizeof(w->line) - 1)
			w->line[w->line_bytes++] = text[i];
	}
}

void tt_stap_words_end(struct tt_stap_words *w, tt_stap_line_fn told, void *ctx)
{
	take_line(w, told, ctx);
}

static size_t put_text(char *text, size_t size, size_t used, const char *words, const char *release)
{
	for (; *words && used + 1 < size; words++) {
		if (words[0] == '%' && words[1] == 'R') {
			used += (size_t)snprintf(text + used, size - used, "%s", release);
			words++;
		} else {
			text[used++] = *words;
		}
	}
	used = used < size ? used : size - 1;
	text[used] = '\0';
	return used;
}

int tt_stap_words_explain(const struct tt_stap_words *w, const char *release, int status, char *text,
			  size_t size)
{
	if (w->rule) {
		size_t used = put_text(text, size, 0, w->rule->means, release);

		used = put_text(text, size, used, "; ", release);
		put_text(text, size, used, w->rule->advice, release);
		return w->rule->err;
	}
	if (w->first_error[0])
		snprintf(text, size, "SystemTap says: %s", w->first_error);
	else if (WIFSIGNALED(status))
		snprintf(text, size, "SystemTap was ended by signal %d", WTERMSIG(status));
	else
		snprintf(text, size, "SystemTap ended with status %d%s%s", WEXITSTATUS(status),
			 w->nr_lines ? "; its last words: " : "",
			 w->nr_lines ? w->tail[(w->nr_lines - 1) % TT_STAP_TAIL_LINES] : "");
	return -ENOSYS;
}

bool tt_stap_words_is_overload(const struct tt_stap_words *w)
{
	return w->rule && w->rule->overload;
}

int tt_stap_parse_version(const char *text, unsigned *ret_major, unsigned *ret_minor)
{
	const char *at = strstr(text, "(version ");

	if (!at || sscanf(at, "(version %u.%u", ret_major, ret_minor) != 2)
		return -EINVAL;
	return 0;
}
