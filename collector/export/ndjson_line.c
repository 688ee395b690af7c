/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/ndjson_line.h"

#include <stdbool.h>
#include <string.h>

#include "collector/base/escape.h"
#include "collector/render/words.h"

/* The longest is a module's: a path that fills its batch, each byte at most 5 as JSON. */
enum { TEXT_MAX = TT_BATCH_BYTES_MAX, LINE_BYTES_MAX = 5 * TEXT_MAX + (16 << 10) };
_Static_assert((int)LINE_BYTES_MAX <= (int)TT_OUT_ROOM_MAX, "a line does not fit");

struct line {
	char *to;
	const struct tt_world *world;
};

#define PUT(to, literal) ((char *)memcpy(to, literal, sizeof(literal) - 1) + sizeof(literal) - 1)

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

/* Without quotes. */
static char *put_escaped(char *to, const char *raw, size_t len)
{
	char safe[4 * TEXT_MAX + 1];

	tt_escape(safe, sizeof(safe), raw, len);
	for (const char *c = safe; *c; c++) {
		if (*c == '"' || *c == '\\')
			*to++ = '\\';
		*to++ = *c;
	}
	return to;
}

char *tt_nd_text(char *to, const char *raw, size_t len)
{
	size_t nr_plain = 0;

	*to++ = '"';
	while (nr_plain < len && raw[nr_plain] && is_plain(raw[nr_plain]))
		nr_plain++;
	if (nr_plain < len && raw[nr_plain]) {
		to = put_escaped(to, raw, len);
	} else {
		memcpy(to, raw, nr_plain);
		to += nr_plain;
	}
	*to++ = '"';
	return to;
}

char *tt_nd_u64(char *to, uint64_t value)
{
	if (value <= TT_ND_NUMBER_MAX)
		return tt_put_u64(to, value, 0);
	*to++ = '"';
	to = tt_put_u64(to, value, 0);
	*to++ = '"';
	return to;
}

static char *put_i64(char *to, int64_t value)
{
	uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
	bool is_text = size > TT_ND_NUMBER_MAX;

	if (is_text)
		*to++ = '"';
	if (value < 0)
		*to++ = '-';
	to = tt_put_u64(to, size, 0);
	if (is_text)
		*to++ = '"';
	return to;
}

char *tt_nd_hex(char *to, uint64_t value)
{
	unsigned nr = value ? (67 - (unsigned)__builtin_clzll(value)) / 4 : 1;

	to = PUT(to, "\"0x");
	while (nr--)
		*to++ = "0123456789abcdef"[value >> 4 * nr & 15];
	*to++ = '"';
	return to;
}

static char *put_stack(char *to, uint64_t id)
{
	if (id == TT_STACK_NONE)
		return PUT(to, "null");
	return id == TT_STACK_MISSED ? PUT(to, "\"missed\"") : tt_nd_hex(to, id);
}

static char *put_comm(const struct line *l, uint32_t tid)
{
	const struct tt_world_task *task = tid == TT_TID_UNKNOWN ? NULL : tt_world_task(l->world, tid);

	return task && task->comm[0] ? tt_nd_text(l->to, task->comm, TT_COMM_LEN) : PUT(l->to, "null");
}

static char *put_device(const struct line *l, uint32_t dev)
{
	const struct tt_world_device *device = tt_world_device(l->world, dev);
	char *to = l->to;

	if (device && device->name[0])
		return tt_nd_text(to, device->name, TT_DISK_NAME_LEN);
	*to++ = '"';
	to = tt_put_u64(to, dev >> 20, 0);
	*to++ = ':';
	to = tt_put_u64(to, dev & 0xfffff, 0);
	*to++ = '"';
	return to;
}

static char *put_cgroup(const struct line *l, uint64_t id)
{
	const char *path = id ? tt_world_cgroup_path(l->world, id) : NULL;

	return path ? tt_nd_text(l->to, path, TT_CGROUP_PATH_LEN) : PUT(l->to, "null");
}

static char *put_key(char *to, const char *key)
{
	*to++ = '"';
	to = stpcpy(to, key);
	return PUT(to, "\":");
}

static char *put_probes(char *to, const struct tt_info *info)
{
	*to++ = '[';
	for (unsigned i = 0; i < info->nr_probes && i < TT_INFO_NR_PROBES; i++) {
		const struct tt_probe_info *p = &info->probes[i];

		to = i ? PUT(to, ",{\"probe\":") : PUT(to, "{\"probe\":");
		to = tt_nd_text(to, p->probe, sizeof(p->probe));
		to = PUT(to, ",\"rung\":");
		to = tt_nd_text(to, p->rung, sizeof(p->rung));
		to = PUT(to, ",\"detail\":");
		to = tt_nd_text(to, p->detail, sizeof(p->detail));
		*to++ = '}';
	}
	*to++ = ']';
	return to;
}

static char *put_loss(char *to, uint64_t what)
{
	const char *key = what && what < TT_LOSS_NR ? tt_loss_key((unsigned)what) : NULL;

	return key ? tt_nd_text(to, key, TEXT_MAX) : PUT(to, "null");
}

static char *put_lost(char *to, const uint64_t *nr_lost)
{
	for (unsigned what = 1; what < TT_LOSS_NR; what++) {
		*to++ = what == 1 ? '{' : ',';
		to = put_key(to, tt_loss_key(what));
		to = tt_nd_u64(to, nr_lost[what]);
	}
	*to++ = '}';
	return to;
}

static uint64_t read_uint(const void *from, size_t size)
{
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (size) {
	case 8:
		memcpy(&u64, from, sizeof(u64));
		return u64;
	case 4:
		memcpy(&u32, from, sizeof(u32));
		return u32;
	case 2:
		memcpy(&u16, from, sizeof(u16));
		return u16;
	default:
		return *(const uint8_t *)from;
	}
}

static bool is_null(const struct tt_nd_field *f, uint64_t value)
{
	if (f->null == TT_ND_NULL_0)
		return !value;
	return f->null == TT_ND_NULL_ALL_ONES && value == UINT64_MAX >> (64 - 8 * f->size);
}

static char *put_enum(char *to, const struct tt_nd_field *f, uint64_t value)
{
	for (const struct tt_nd_name *n = f->names; n->name; n++) {
		if (n->value == (f->mask ? value & f->mask : value)) {
			*to++ = '"';
			to = stpcpy(to, n->name);
			*to++ = '"';
			return to;
		}
	}
	return PUT(to, "null");
}

static char *put_flags(char *to, const struct tt_nd_field *f, uint64_t value)
{
	char *first = to + 1;

	*to++ = '[';
	for (const struct tt_nd_name *n = f->names; n->name; n++) {
		if (!(value & n->value))
			continue;
		if (to != first)
			*to++ = ',';
		*to++ = '"';
		to = stpcpy(to, n->name);
		*to++ = '"';
	}
	*to++ = ']';
	return to;
}

static char *put_string(char *to, const char *string)
{
	return string ? tt_nd_text(to, string, TEXT_MAX) : PUT(to, "null");
}

static char *put_value(const struct line *l, const struct tt_nd_field *f, const void *from)
{
	uint64_t value = f->how == TT_ND_TEXT ? 0 : read_uint(from, f->size);

	switch (f->how) {
	case TT_ND_UINT:
		return is_null(f, value) ? PUT(l->to, "null") : tt_nd_u64(l->to, value);
	case TT_ND_INT:
		return put_i64(l->to, f->size == 4 ? (int32_t)value : (int64_t)value);
	case TT_ND_BOOL:
		return value ? PUT(l->to, "true") : PUT(l->to, "false");
	case TT_ND_HEX:
		return tt_nd_hex(l->to, value);
	case TT_ND_STACK:
		return put_stack(l->to, value);
	case TT_ND_TEXT:
		return tt_nd_text(l->to, from, f->size);
	case TT_ND_STRING:
		return put_string(l->to, *(const char *const *)from);
	case TT_ND_ENUM:
		return put_enum(l->to, f, value);
	case TT_ND_FLAGS:
		return put_flags(l->to, f, value);
	case TT_ND_COMM:
		return put_comm(l, (uint32_t)value);
	case TT_ND_DEVICE:
		return put_device(l, (uint32_t)value);
	case TT_ND_CGROUP:
		return put_cgroup(l, value);
	case TT_ND_PROBES:
		return put_probes(l->to, from);
	case TT_ND_LOSS:
		return put_loss(l->to, value);
	case TT_ND_LOST:
		return put_lost(l->to, from);
	case TT_ND_CONST:
		return stpcpy(l->to, f->names->name);
	case TT_ND_FRAMES:
		break;
	}
	return l->to;
}

static char *put_when(char *to, const struct tt_event *ev)
{
	to = PUT(to, ",\"ts_ns\":");
	to = tt_nd_u64(to, ev->ts_ns);
	to = PUT(to, ",\"cpu\":");
	return ev->cpu == TT_CPU_NONE ? PUT(to, "null") : tt_put_u64(to, ev->cpu, 0);
}

void tt_nd_put_line(struct tt_out *out, const struct tt_world *world, const struct tt_nd_kind *kind,
		    const struct tt_event *ev, const void *fields_of)
{
	struct line l = { tt_out_room(out, LINE_BYTES_MAX), world };
	const struct tt_nd_field *f = kind->fields;

	l.to = PUT(l.to, "{\"type\":\"");
	l.to = stpcpy(l.to, kind->type);
	*l.to++ = '"';
	if (ev)
		l.to = put_when(l.to, ev);
	for (; f->key && f->how != TT_ND_FRAMES; f++) {
		*l.to++ = ',';
		l.to = put_key(l.to, f->key);
		l.to = put_value(&l, f, (const char *)fields_of + f->offset);
	}
	if (!f->key)
		l.to = PUT(l.to, "}\n");
	out->at = l.to;
}
