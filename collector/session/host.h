/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host - what doctor says about this machine beyond what a recording keeps of it (info.h).
 *
 * root is "" or a directory that holds proc and sys. Asks the CPU itself (CPUID) only when root is "".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "collector/session/info.h"

enum tt_steal_support {
	TT_STEAL_NOT_REPORTED,
	TT_STEAL_REPORTED,
	TT_STEAL_UNKNOWN, /* nothing was stolen since boot, and nothing else tells */
};

/* Whether this kernel accounts steal, given the hypervisor as tt_info_fill_host names it. why gets how we
 * know: one clause without a full stop. */
enum tt_steal_support tt_host_steal_support(const char *root, const char *hypervisor, char *why, size_t size);

/* "docker" "podman" "lxc" "kubernetes" "container" ..., false when we are in none (as far as one can see). */
bool tt_host_container(const char *root, char *name, size_t size);
