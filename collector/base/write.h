/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write - all of it. */
#pragma once

#include <stddef.h>

/* Goes on after signals and short writes. 0 or -errno; over quota is -ENOSPC. */
int tt_write_all(int fd, const void *data, size_t len);
