/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ndjson_schema - the JSON Schema of each line of the export ndjson. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "collector/export/ndjson_line.h"
#include "collector/export/ndjson_schema.h"
#include "collector/render/words.h"

/* NULL is out of memory. jansson's functions take it and fail, but for arrays and objects, which would go on without it: so what is put
 * together here becomes NULL with it. */

static json_t *with(json_t *object, const char *key, json_t *value)
{
	if (!json_object_set_new(object, key, value))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *with_item(json_t *list, json_t *value)
{
	if (!json_array_append_new(list, value))
		return list;
	json_decref(list);
	return NULL;
}

static json_t *of_type(const char *type)
{
	return json_pack("{ss}", "type", type);
}

static json_t *text_like(const char *pattern)
{
	return json_pack("{ssss}", "type", "string", "pattern", pattern);
}

static json_t *number_of(bool has_sign)
{
	json_int_t max = (json_int_t)TT_ND_NUMBER_MAX;

	return json_pack("{s[{sssIsI},o]}", "anyOf", "type", "integer", "minimum",
			 has_sign ? -max : (json_int_t)0, "maximum", max,
			 text_like(has_sign ? "^-?[0-9]{16,20}$" : "^[0-9]{16,20}$"));
}

static json_t *or_null(json_t *schema)
{
	return json_pack("{s[o,o]}", "anyOf", schema, of_type("null"));
}

static json_t *names_of(const struct tt_nd_name *names)
{
	json_t *list = json_array();

	for (; names->name; names++)
		list = with_item(list, json_string(names->name));
	return json_pack("{so}", "enum", list);
}

/* An object with exactly these members. */
static json_t *object_of(json_t *properties)
{
	json_t *required = json_array();
	const char *key;
	json_t *value;

	json_object_foreach(properties, key, value) required = with_item(required, json_string(key));
	return json_pack("{sssosbso}", "type", "object", "properties", properties, "additionalProperties", 0,
			 "required", required);
}

static json_t *losses(void)
{
	json_t *list = json_array();

	for (unsigned what = 1; what < TT_LOSS_NR; what++)
		list = with_item(list, json_string(tt_loss_key(what)));
	return json_pack("{so}", "enum", list);
}

static json_t *lost(void)
{
	json_t *properties = json_object();

	for (unsigned what = 1; what < TT_LOSS_NR; what++)
		properties = with(properties, tt_loss_key(what), number_of(false));
	return object_of(properties);
}

static json_t *list_of(json_t *schema)
{
	return json_pack("{ssso}", "type", "array", "items", schema);
}

static json_t *probes(void)
{
	return list_of(object_of(json_pack("{sososo}", "probe", of_type("string"), "rung", of_type("string"),
					   "detail", of_type("string"))));
}

static json_t *frames(void)
{
	json_t *frame = json_pack("{sososososososo}", "ip", text_like("^0x[0-9a-f]+$"), "symbol",
				  or_null(of_type("string")), "offset", or_null(number_of(false)), "module",
				  or_null(of_type("string")), "file", or_null(of_type("string")), "line",
				  or_null(of_type("integer")), "inlined", of_type("boolean"));

	return list_of(object_of(frame));
}

static json_t *schema_of_how(const struct tt_nd_field *f)
{
	switch (f->how) {
	case TT_ND_UINT:
		return f->null == TT_ND_NEVER_NULL ? number_of(false) : or_null(number_of(false));
	case TT_ND_INT:
		return number_of(true);
	case TT_ND_BOOL:
		return of_type("boolean");
	case TT_ND_HEX:
		return text_like("^0x[0-9a-f]{1,16}$");
	case TT_ND_STACK:
		return or_null(text_like("^(missed|0x[0-9a-f]{1,16})$"));
	case TT_ND_TEXT:
	case TT_ND_DEVICE:
		return of_type("string");
	case TT_ND_STRING:
	case TT_ND_COMM:
	case TT_ND_CGROUP:
		return or_null(of_type("string"));
	case TT_ND_ENUM:
		return or_null(names_of(f->names));
	case TT_ND_FLAGS:
		return list_of(names_of(f->names));
	case TT_ND_PROBES:
		return probes();
	case TT_ND_LOSS:
		return or_null(losses());
	case TT_ND_LOST:
		return lost();
	case TT_ND_CONST:
		return json_pack("{so}", "const", json_loads(f->names->name, JSON_DECODE_ANY, NULL));
	case TT_ND_FRAMES:
		return frames();
	}
	return NULL;
}

static json_t *schema_of(const struct tt_nd_field *f)
{
	return with(schema_of_how(f), "description", json_string(f->help));
}

static json_t *line_of(const struct tt_nd_kind *kind)
{
	json_t *properties = json_pack("{s{ss}}", "type", "const", kind->type);

	if (kind->kind) {
		properties = with(properties, "ts_ns", number_of(false));
		properties = with(properties, "cpu", or_null(of_type("integer")));
	}
	for (const struct tt_nd_field *f = kind->fields; f->key; f++)
		properties = with(properties, f->key, schema_of(f));
	return with(object_of(properties), "description", json_string(kind->help));
}

int tt_nd_put_schema(struct tt_out *out)
{
	json_t *lines = json_array(), *schema;
	char *text;

	for (const struct tt_nd_kind *kind = tt_nd_kinds; kind->type; kind++)
		lines = with_item(lines, line_of(kind));
	schema = json_pack(
		"{ssssssso}", "$schema", "http://json-schema.org/draft-07/schema#", "title",
		"a line of timethief export -f ndjson", "description",
		"ts_ns and all that ends in _ts_ns: CLOCK_MONOTONIC. Units end a name: _ns, _ms, _bytes, "
		"_sectors "
		"(512 bytes), _ticks (1/user_hz s). Numbers above 2^53 - 1 are strings of digits. In text, "
		"control characters and invalid UTF-8 are \\xNN, and a backslash is two.",
		"oneOf", lines);
	text = json_dumps(schema, JSON_INDENT(2));
	json_decref(schema);
	if (!text)
		return -ENOMEM;
	tt_out_text(out, text);
	tt_out_char(out, '\n');
	free(text);
	return 0;
}
