/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker that unwinds does: the maps of a process come first, then its stacks. Nothing is freed: the process ends with the last one. */
#include "collector/symbol/worker.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAPS_MAX = 65536 };

struct unwind_worker {
	int fd;
	struct tt_unwind_map *maps;
	uint32_t nr_maps;
	struct tt_unwinder *unwinder;
	union {
		struct tt_message_maps maps;
		struct tt_message_walk walk;
	} in;
	struct tt_message_walked out;
};

/* Ends with the other side, and with what is not of the form. */
static size_t receive(struct unwind_worker *w)
{
	ssize_t len = tt_message_receive(w->fd, &w->in, sizeof(w->in), NULL, NULL, false);

	if (len <= 0)
		_exit(len < 0);
	return (size_t)len;
}

static void receive_maps(struct unwind_worker *w)
{
	do {
		size_t len = receive(w);
		struct tt_unwind_map *maps;

		if (len < offsetof(struct tt_message_maps, maps) || w->in.maps.type != TT_MESSAGE_MAPS ||
		    w->in.maps.nr > TT_UNWIND_MAPS_MAX ||
		    len != offsetof(struct tt_message_maps, maps) +
				    w->in.maps.nr * sizeof(w->in.maps.maps[0]) ||
		    w->nr_maps + w->in.maps.nr > MAPS_MAX)
			_exit(1);
		maps = realloc(w->maps, (w->nr_maps + w->in.maps.nr + 1) * sizeof(*maps));
		if (!maps)
			_exit(1);
		memcpy(maps + w->nr_maps, w->in.maps.maps, w->in.maps.nr * sizeof(*maps));
		w->maps = maps;
		w->nr_maps += w->in.maps.nr;
	} while (!w->in.maps.is_last);
}

static int ask_for_file(void *ctx, uint32_t nth)
{
	struct unwind_worker *w = ctx;
	const struct tt_message_need need = { .type = TT_MESSAGE_NEED,
					      .what = TT_NEED_MAPPED,
					      .attempt = nth };
	struct tt_message_file file;
	unsigned nr_fds = 1;
	int fd;

	if (tt_message_send(w->fd, &need, sizeof(need), NULL, 0) ||
	    tt_message_receive(w->fd, &file, sizeof(file), &fd, &nr_fds, false) != sizeof(file) ||
	    file.type != TT_MESSAGE_FILE)
		_exit(1);
	return nr_fds ? fd : -ENOENT;
}

static void walk(struct unwind_worker *w, size_t len)
{
	const struct tt_message_walk *in = &w->in.walk;
	enum tt_unwound how;

	if (len < offsetof(struct tt_message_walk, bytes) || in->type != TT_MESSAGE_WALK ||
	    in->nr_bytes > TT_COPY_BYTES_MAX || len != offsetof(struct tt_message_walk, bytes) + in->nr_bytes)
		_exit(1);
	w->out = (struct tt_message_walked){ .type = TT_MESSAGE_WALKED };
	w->out.nr = tt_unwinder_walk(w->unwinder, in->regs, in->bytes, in->nr_bytes, w->out.ips, &how);
	w->out.how = how;
	if (tt_message_send(w->fd, &w->out,
			    offsetof(struct tt_message_walked, ips) + w->out.nr * sizeof(w->out.ips[0]), NULL,
			    0))
		_exit(1);
}

void tt_unwind_worker_run(int fd)
{
	struct unwind_worker *w = calloc(1, sizeof(*w));

	if (!w)
		_exit(1);
	w->fd = fd;
	receive_maps(w);
	if (tt_unwinder_open(w->maps, w->nr_maps, ask_for_file, w, &w->unwinder))
		_exit(1);
	for (;;)
		walk(w, receive(w));
}
