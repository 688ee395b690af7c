/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/terminal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "collector/base/units.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 20, WIDTH_MAX = 10000 };

unsigned tt_terminal_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	uint32_t width;

	if (columns && !tt_parse_u32(columns, &width) && width >= WIDTH_MIN && width <= WIDTH_MAX)
		return width;
	if (!ioctl(fd, TIOCGWINSZ, &ws) && ws.ws_col >= WIDTH_MIN && ws.ws_col <= WIDTH_MAX)
		return ws.ws_col;
	return WIDTH_DEFAULT;
}

bool tt_terminal_has_colour(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color && no_color[0])
		return false;
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

static bool names_utf8(const char *locale)
{
	for (; *locale; locale++) {
		if (!strncasecmp(locale, "utf-8", 5) || !strncasecmp(locale, "utf8", 4))
			return true;
	}
	return false;
}

bool tt_terminal_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && value[0])
			return names_utf8(value);
	}
	return false;
}
