/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/write.h"

#include <errno.h>
#include <unistd.h>

int tt_write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t nr = write(fd, at, len);

		if (nr < 0 && errno == EINTR)
			continue;
		if (nr < 0)
			return errno == EDQUOT ? -ENOSPC : -errno;
		at += nr;
		len -= (size_t)nr;
	}
	return 0;
}
