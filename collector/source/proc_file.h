/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc_file - whole files and directories of /proc and /sys, relative to a directory's descriptor.
 *
 * Nothing here blocks on a pipe or follows a file beyond its bound. Paths are relative ("proc/stat").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The directory that holds proc and sys; "" = "/". A descriptor, or a negative errno. */
int tt_proc_open_root(const char *root);

/* At most size - 1 bytes by one read, NUL-terminated: enough for files of one record. The length, or a
 * negative errno. */
ssize_t tt_proc_read_small(int dir_fd, const char *path, char *buf, size_t size);
/* The first line without its newline. Returns 0 or a negative errno, and then an empty string. */
int tt_proc_read_line(int dir_fd, const char *path, char *buf, size_t size);
/* A file that is one number. False when it is not there or no number. */
bool tt_proc_read_u64(int dir_fd, const char *path, uint64_t *ret);

/* A file of any length up to TT_TEXT_BYTES_MAX; what is beyond is not read. Zero to initialise; may be read
 * into again. */
enum { TT_TEXT_BYTES_MAX = 8 << 20 };
struct tt_text {
	char *bytes; /* len of them, then a NUL */
	size_t len, room;
};
int tt_text_read(struct tt_text *t, int dir_fd, const char *path); /* 0 or a negative errno */
void tt_text_free(struct tt_text *t);

/* The entries of a directory whose name is a decimal number above 0 (tasks). Plain value of 8 KiB; close it.
 */
struct tt_proc_dir {
	int fd;
	unsigned pos, len;
	_Alignas(8) char entries[8192];
};
int tt_proc_dir_open(struct tt_proc_dir *d, int dir_fd, const char *path);
void tt_proc_dir_close(struct tt_proc_dir *d);
/* 1 and the number, 0 at the end, or a negative errno. */
int tt_proc_dir_next(struct tt_proc_dir *d, uint32_t *ret_number);
