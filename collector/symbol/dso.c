/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/dso.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/symbol/proc_maps.h"

enum { NR_AT_FIRST = 256, PATH_BYTES_MAX = 4096 };

/* How the kernel calls memory without a file, in events and in /proc/PID/maps. */
static const char *const anon_prefixes[] = {
	"//anon",    "[heap]", "[stack",	 "[anon:",	"[anon_shmem:",
	"/dev/zero", "/SYSV",  "/anon_hugepage", "anon_inode:", "/dev/ashmem/",
};

static bool has_prefix(struct tt_slice s, const char *prefix)
{
	size_t len = strlen(prefix);

	return s.len >= len && !memcmp(s.text, prefix, len);
}

static enum tt_dso_kind kind_of(struct tt_slice path)
{
	if (!path.len)
		return TT_DSO_ANON;
	for (size_t i = 0; i < sizeof(anon_prefixes) / sizeof(anon_prefixes[0]); i++)
		if (has_prefix(path, anon_prefixes[i]))
			return TT_DSO_ANON;
	if (tt_slice_is(path, "[vdso]"))
		return TT_DSO_VDSO;
	if (path.text[0] != '/' || has_prefix(path, "//")) /* "//toolong" */
		return TT_DSO_PSEUDO;
	return TT_DSO_FILE;
}

static bool is_same(const struct tt_dso *a, const struct tt_dso *b)
{
	return a->kind == b->kind && a->path_len == b->path_len && a->major == b->major &&
	       a->minor == b->minor && a->ino == b->ino && a->generation == b->generation &&
	       a->space == b->space && !memcmp(a->path, b->path, a->path_len);
}

static uint32_t hash_of(const struct tt_dsos *d, const struct tt_dso *dso)
{
	uint32_t path = tt_slots_hash(&d->slots, dso->path, dso->path_len);
	uint64_t key[4] = { (uint64_t)dso->kind << 32 | path, dso->ino, dso->space, dso->generation };

	return tt_slots_hash(&d->slots, key, sizeof(key));
}

static uint32_t find(const struct tt_dsos *d, const struct tt_dso *dso, uint32_t hash)
{
	uint32_t probe = 0, nr;

	while ((nr = tt_slots_next(&d->slots, hash, &probe)) != TT_SLOTS_NONE)
		if (is_same(&d->entries[nr], dso))
			break;
	return nr;
}

/* The number of an entry that nobody uses. */
static uint32_t take_free(struct tt_dsos *d)
{
	uint32_t nr = d->free_head;

	if (nr != TT_DSO_NONE) {
		d->free_head = d->entries[nr].holder_pid; /* a chain through the free ones */
		return nr;
	}
	if (d->nr == d->room) {
		uint32_t room = d->room ? 2 * d->room : NR_AT_FIRST;
		struct tt_dso *entries;

		if (d->nr == TT_DSO_MAX)
			return TT_DSO_NONE;
		entries = realloc(d->entries, room * sizeof(*entries));
		if (!entries)
			return TT_DSO_NONE;
		d->entries = entries;
		d->room = room;
	}
	return d->nr++;
}

static void give_free(struct tt_dsos *d, uint32_t nr)
{
	d->entries[nr].nr_refs = 0;
	d->entries[nr].holder_pid = d->free_head;
	d->free_head = nr;
}

static uint32_t add(struct tt_dsos *d, const struct tt_dso *dso, uint32_t hash)
{
	char *path = malloc(dso->path_len + 1);
	uint32_t nr = path ? take_free(d) : TT_DSO_NONE;

	if (nr == TT_DSO_NONE || tt_slots_add(&d->slots, hash, nr)) {
		if (nr != TT_DSO_NONE)
			give_free(d, nr);
		free(path);
		d->nr_beyond++;
		return TT_DSO_NONE;
	}
	memcpy(path, dso->path, dso->path_len);
	path[dso->path_len] = '\0';
	d->entries[nr] = *dso;
	d->entries[nr].path = path;
	d->entries[nr].nr_refs = 1;
	d->entries[nr].fd = -1;
	return nr;
}

static uint32_t get(struct tt_dsos *d, const struct tt_dso *dso)
{
	uint32_t hash = hash_of(d, dso), nr = find(d, dso, hash);

	if (nr == TT_SLOTS_NONE)
		return add(d, dso, hash);
	d->entries[nr].nr_refs++;
	return nr;
}

uint32_t tt_dsos_get(struct tt_dsos *d, const struct tt_map_event *map)
{
	char path[PATH_BYTES_MAX];
	struct tt_dso dso = { .kind = kind_of(map->path), .path = path, .mapped_ts_ns = map->ts_ns };

	if (dso.kind == TT_DSO_ANON || dso.kind == TT_DSO_VDSO) {
		uint32_t nr = dso.kind == TT_DSO_ANON ? d->anon : d->vdso;

		d->entries[nr].nr_refs++;
		return nr;
	}
	dso.path_len = (uint32_t)tt_proc_map_path(map->path, path, sizeof(path), NULL);
	if (dso.kind == TT_DSO_FILE) {
		dso.is_memfd = has_prefix(map->path, "/memfd:");
		dso.major = map->major;
		dso.minor = map->minor;
		dso.ino = map->ino;
		dso.generation = map->generation;
	}
	return get(d, &dso);
}

uint32_t tt_dsos_get_jit(struct tt_dsos *d, uint64_t space, uint32_t pid)
{
	char path[1] = "";

	return get(d, &(struct tt_dso){ .kind = TT_DSO_JIT, .path = path, .space = space, .pid = pid });
}

void tt_dsos_hold(struct tt_dsos *d, uint32_t nr, int fd)
{
	tt_dsos_let_go(d, nr);
	d->entries[nr].fd = fd;
	d->nr_fds++;
}

void tt_dsos_let_go(struct tt_dsos *d, uint32_t nr)
{
	struct tt_dso *dso = &d->entries[nr];

	if (dso->fd < 0)
		return;
	close(dso->fd);
	dso->fd = -1;
	d->nr_fds--;
}

void tt_dsos_ref(struct tt_dsos *d, uint32_t nr)
{
	d->entries[nr].nr_refs++;
}

void tt_dsos_unref(struct tt_dsos *d, uint32_t nr)
{
	struct tt_dso *dso;

	if (nr == TT_DSO_NONE)
		return;
	dso = &d->entries[nr];
	if (--dso->nr_refs)
		return;
	tt_slots_remove(&d->slots, hash_of(d, dso), nr);
	tt_dsos_let_go(d, nr);
	free(dso->path);
	give_free(d, nr);
}

int tt_dsos_open(struct tt_dsos *d)
{
	char anon[] = "//anon", vdso[] = "[vdso]";

	*d = (struct tt_dsos){ .free_head = TT_DSO_NONE };
	tt_slots_init(&d->slots);
	d->anon = get(d, &(struct tt_dso){ .kind = TT_DSO_ANON, .path = anon, .path_len = sizeof(anon) - 1 });
	d->vdso = get(d, &(struct tt_dso){ .kind = TT_DSO_VDSO, .path = vdso, .path_len = sizeof(vdso) - 1 });
	return d->anon == TT_DSO_NONE || d->vdso == TT_DSO_NONE ? -ENOMEM : 0;
}

void tt_dsos_close(struct tt_dsos *d)
{
	for (uint32_t nr = 0; nr < d->nr; nr++) {
		if (!d->entries[nr].nr_refs)
			continue;
		tt_dsos_let_go(d, nr);
		free(d->entries[nr].path);
	}
	free(d->entries);
	tt_slots_free(&d->slots);
	*d = (struct tt_dsos){ .free_head = TT_DSO_NONE };
}
