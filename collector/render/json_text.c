/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/render/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "collector/base/escape.h"

json_t *tt_json_text(const char *raw)
{
	size_t len, size;
	json_t *value;
	char *safe;

	if (!raw)
		return json_null();
	len = strlen(raw);
	size = 4 * len + 1;
	safe = malloc(size);
	if (!safe)
		return NULL;
	value = json_string(tt_escape(safe, size, raw, len));
	free(safe);
	return value;
}
