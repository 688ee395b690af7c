/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info_json.c - see info_json.h. The members are lists of fields that both directions walk. */
#include "collector/session/info_json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "collector/event/decode.h"

enum field_type { FIELD_TEXT, FIELD_BOOL, FIELD_U32, FIELD_I32, FIELD_U64, FIELD_I64 };

struct field {
	const char *name;
	enum field_type type;
	size_t offset, size;
};

#define FIELD(owner, member, type)                                                                           \
	{                                                                                                    \
#member, type, offsetof(struct owner, member), sizeof(((struct owner *)0)->member)           \
	}

static const struct field info_fields[] = {
	FIELD(tt_info, tool_version, FIELD_TEXT),
	FIELD(tt_info, hostname, FIELD_TEXT),
	FIELD(tt_info, kernel_release, FIELD_TEXT),
	FIELD(tt_info, kernel_version, FIELD_TEXT),
	FIELD(tt_info, arch, FIELD_TEXT),
	FIELD(tt_info, boot_id, FIELD_TEXT),
	FIELD(tt_info, hypervisor, FIELD_TEXT),
	FIELD(tt_info, steal_reported, FIELD_BOOL),
	FIELD(tt_info, nr_cpus_possible, FIELD_U32),
	FIELD(tt_info, nr_cpus_online, FIELD_U32),
	FIELD(tt_info, user_hz, FIELD_U32),
	FIELD(tt_info, realtime_offset_ns, FIELD_I64),
	FIELD(tt_info, utc_offset_s, FIELD_I32),
	FIELD(tt_info, time_zone, FIELD_TEXT),
	FIELD(tt_info, start_ts_ns, FIELD_U64),
	FIELD(tt_info, source, FIELD_TEXT),
	FIELD(tt_info, source_reason, FIELD_TEXT),
	FIELD(tt_info, unwind, FIELD_TEXT),
	FIELD(tt_info, command, FIELD_TEXT),
	FIELD(tt_info, filter_pid, FIELD_TEXT),
	FIELD(tt_info, filter_cgroup, FIELD_TEXT),
	FIELD(tt_info, filter_device, FIELD_TEXT),
	FIELD(tt_info, filter_cpu, FIELD_TEXT),
	{ 0 },
};

static const struct field probe_fields[] = {
	FIELD(tt_probe_info, probe, FIELD_TEXT),
	FIELD(tt_probe_info, rung, FIELD_TEXT),
	FIELD(tt_probe_info, detail, FIELD_TEXT),
	{ 0 },
};

static const struct field summary_fields[] = {
	FIELD(tt_summary, start_ts_ns, FIELD_U64),    FIELD(tt_summary, end_ts_ns, FIELD_U64),
	FIELD(tt_summary, nr_events, FIELD_U64),      FIELD(tt_summary, wire_bytes, FIELD_U64),
	FIELD(tt_summary, file_bytes, FIELD_U64),     FIELD(tt_summary, prog_ns, FIELD_U64),
	FIELD(tt_summary, prog_runs, FIELD_U64),      FIELD(tt_summary, cpu_user_ns, FIELD_U64),
	FIELD(tt_summary, cpu_system_ns, FIELD_U64),  FIELD(tt_summary, peak_rss_bytes, FIELD_U64),
	FIELD(tt_summary, ring_bytes, FIELD_U64),     FIELD(tt_summary, ended_by, FIELD_TEXT),
	FIELD(tt_summary, command_status, FIELD_I32), { 0 },
};

/* In the file a loss has a name, so that its number can change its meaning only in a new version of the
 * format. */
static const char *const loss_names[TT_LOSS_NR] = {
	[TT_LOSS_SWITCHES] = "switches",     [TT_LOSS_RECORDS] = "records",
	[TT_LOSS_TASK_STATE] = "task_state", [TT_LOSS_REQUEST_STATE] = "request_state",
	[TT_LOSS_NESTED] = "nested",	     [TT_LOSS_UNSEEN] = "unseen",
	[TT_LOSS_NAMES] = "names",	     [TT_LOSS_JUMP] = "jump",
	[TT_LOSS_PACKETS] = "packets",
	[TT_LOSS_STACKS] = "stacks",	     [TT_LOSS_STACK_MISSED] = "stack_missed",
	[TT_LOSS_STACK_CUT] = "stack_cut",   [TT_LOSS_MAPPINGS] = "mappings",
	[TT_LOSS_COPIES] = "copies",
};

/* Bytes of the UTF-8 character at s, 0 = not one. Surrogates, overlong forms and what is above U+10FFFF are
 * none. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	if (len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/* NUL-terminated, or cut at size. */
static json_t *text_to_json(const char *text, size_t size)
{
	size_t len = strnlen(text, size), to = 0;
	char *clean = malloc(3 * len + 1); /* U+FFFD has three bytes */
	json_t *json;

	if (!clean)
		return NULL;
	for (size_t i = 0; i < len;) {
		size_t char_len = utf8_len((const unsigned char *)text + i, len - i);

		memcpy(clean + to, char_len ? text + i : "\xef\xbf\xbd", char_len ? char_len : 3);
		to += char_len ? char_len : 3;
		i += char_len ? char_len : 1;
	}
	json = json_stringn(clean, to);
	free(clean);
	return json;
}

static json_t *u64_to_json(uint64_t value)
{
	return json_integer(value <= INT64_MAX ? (json_int_t)value : INT64_MAX);
}

static json_t *field_to_json(const struct field *f, const void *from)
{
	switch (f->type) {
	case FIELD_TEXT:
		return text_to_json(from, f->size);
	case FIELD_BOOL:
		return json_boolean(*(const bool *)from);
	case FIELD_U32:
		return json_integer(*(const uint32_t *)from);
	case FIELD_I32:
		return json_integer(*(const int32_t *)from);
	case FIELD_I64:
		return json_integer(*(const int64_t *)from);
	case FIELD_U64:
		return u64_to_json(*(const uint64_t *)from);
	}
	return NULL;
}

/* New object of all fields; NULL = no memory. */
static json_t *fields_to_json(const struct field *fields, const void *from)
{
	json_t *object = json_object();

	for (const struct field *f = fields; object && f->name; f++) {
		if (json_object_set_new(object, f->name, field_to_json(f, (const char *)from + f->offset))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_int_t clamp(json_int_t value, json_int_t min, json_int_t max)
{
	return value < min ? min : value > max ? max : value;
}

/* Cut at a whole character. */
static void text_from_json(const json_t *json, char *to, size_t size)
{
	const char *text = json_string_value(json);
	size_t len = text ? json_string_length(json) : 0;

	if (len >= size)
		for (len = size - 1; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	if (len)
		memcpy(to, text, len);
	memset(to + len, 0, size - len);
}

static void field_from_json(const struct field *f, const json_t *json, void *to)
{
	json_int_t value = json_integer_value(json); /* 0 when it is no integer */

	switch (f->type) {
	case FIELD_TEXT:
		text_from_json(json, to, f->size);
		break;
	case FIELD_BOOL:
		*(bool *)to = json_is_true(json);
		break;
	case FIELD_U32:
		*(uint32_t *)to = (uint32_t)clamp(value, 0, UINT32_MAX);
		break;
	case FIELD_I32:
		*(int32_t *)to = (int32_t)clamp(value, INT32_MIN, INT32_MAX);
		break;
	case FIELD_I64:
		*(int64_t *)to = value;
		break;
	case FIELD_U64:
		*(uint64_t *)to = (uint64_t)clamp(value, 0, INT64_MAX);
		break;
	}
}

static void fields_from_json(const struct field *fields, const json_t *object, void *to)
{
	for (const struct field *f = fields; f->name; f++)
		field_from_json(f, json_object_get(object, f->name), (char *)to + f->offset);
}

/* The kinds of this version, for readers that know fewer or more. */
static json_t *kinds_to_json(void)
{
	json_t *kinds = json_array();

#define TT_KIND(id, NAME, SHAPE, payload, shown, key)                                                        \
	if (kinds && json_array_append_new(kinds, json_pack("{s:i, s:s, s:s, s:i, s:s}", "id", id, "name",   \
							    shown, "shape", #SHAPE, "size",                  \
							    (int)sizeof(struct payload), "key", key))) {     \
		json_decref(kinds);                                                                          \
		kinds = NULL;                                                                                \
	}
#include "bpf/kinds.def"
#undef TT_KIND
	return kinds;
}

static json_t *probes_to_json(const struct tt_info *info)
{
	json_t *probes = json_array();

	for (unsigned i = 0; probes && i < info->nr_probes && i < TT_INFO_NR_PROBES; i++) {
		if (json_array_append_new(probes, fields_to_json(probe_fields, &info->probes[i]))) {
			json_decref(probes);
			return NULL;
		}
	}
	return probes;
}

static json_t *lost_to_json(const struct tt_summary *summary)
{
	json_t *lost = json_object();

	for (unsigned what = 1; lost && what < TT_LOSS_NR; what++) {
		if (json_object_set_new(lost, loss_names[what], u64_to_json(summary->nr_lost[what]))) {
			json_decref(lost);
			return NULL;
		}
	}
	return lost;
}

/* Takes object over; NULL is fine. */
static int dump(json_t *object, char **ret_text, size_t *ret_len)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	*ret_len = strlen(text);
	return 0;
}

int tt_info_to_json(const struct tt_info *info, char **ret_text, size_t *ret_len)
{
	json_t *object = fields_to_json(info_fields, info);

	if (object && (json_object_set_new(object, "wire_version", json_integer(TT_WIRE_VERSION)) ||
		       json_object_set_new(object, "probes", probes_to_json(info)) ||
		       json_object_set_new(object, "kinds", kinds_to_json()))) {
		json_decref(object);
		return -ENOMEM;
	}
	return dump(object, ret_text, ret_len);
}

int tt_summary_to_json(const struct tt_summary *summary, char **ret_text, size_t *ret_len)
{
	json_t *object = fields_to_json(summary_fields, summary);

	if (object && json_object_set_new(object, "nr_lost", lost_to_json(summary))) {
		json_decref(object);
		return -ENOMEM;
	}
	return dump(object, ret_text, ret_len);
}

static json_t *load_object(const char *text, size_t len)
{
	json_t *json = json_loadb(text, len, 0, NULL);

	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

int tt_info_from_json(const char *text, size_t len, struct tt_info *ret_info)
{
	json_t *object = load_object(text, len);
	const json_t *probes;

	if (!object)
		return -EBADMSG;
	memset(ret_info, 0, sizeof(*ret_info));
	fields_from_json(info_fields, object, ret_info);
	probes = json_object_get(object, "probes");
	for (size_t i = 0; i < json_array_size(probes) && i < TT_INFO_NR_PROBES; i++)
		fields_from_json(probe_fields, json_array_get(probes, i),
				 &ret_info->probes[ret_info->nr_probes++]);
	json_decref(object);
	return 0;
}

int tt_summary_from_json(const char *text, size_t len, struct tt_summary *ret_summary)
{
	static const struct field count = { "count", FIELD_U64, 0, sizeof(uint64_t) };
	json_t *object = load_object(text, len);
	const json_t *lost;

	if (!object)
		return -EBADMSG;
	memset(ret_summary, 0, sizeof(*ret_summary));
	fields_from_json(summary_fields, object, ret_summary);
	lost = json_object_get(object, "nr_lost");
	for (unsigned what = 1; what < TT_LOSS_NR; what++)
		field_from_json(&count, json_object_get(lost, loss_names[what]), &ret_summary->nr_lost[what]);
	json_decref(object);
	return 0;
}
