/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output - the file that a session goes to: nobody else's, whole at every moment, with room for its end.
 *
 * A path is created anew with mode 0600 (owned by who called sudo): an existing regular file is renamed to
 * path.old first, unless another recorder holds it (flock). Nothing else than a regular file is touched but
 * /dev/null: no symbolic link is followed, no FIFO or device opened. "-" is stdout. Behind the data
 * TT_OUTPUT_RESERVE_BYTES stay allocated where the file system can do that, so that an end can be written
 * when it is full.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { TT_OUTPUT_RESERVE_BYTES = 4096 };

struct tt_output;

/* Logs its failures: -EBUSY another recorder writes it, -EEXIST lost a race, -EINVAL not a file, or of the
 * system. */
int tt_output_open(const char *path, struct tt_output **ret_out);
/* All of data or nothing (a file is cut back). 0, -ENOSPC (also over quota), -EFBIG, -EPIPE, ... Not logged.
 */
int tt_output_append(struct tt_output *out, const void *data, size_t len);
/* The same for the last piece, which may use the reserve; then the file is cut to its data. */
int tt_output_append_last(struct tt_output *out, const void *data, size_t len);
uint64_t tt_output_bytes(const struct tt_output *out);
const char *tt_output_path(const struct tt_output *out);
/* Nothing worth keeping was written: removes the file and puts path.old back. Does not close. */
void tt_output_undo(struct tt_output *out);
void tt_output_close(struct tt_output *out);
