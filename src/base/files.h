/*
 * Whole files, written so that a reader sees the old content or the new and nothing between: a temporary name beside,
 * fsync, rename, fsync of the folder. Mode 0600. This is the one place that does so.
 *
 * What is not a regular file (a device, a pipe) is written to as it stands, and nothing is renamed over it. A symbolic
 * link stays, and its target is replaced. Threads: one owner a `struct files_out`; the rest is pure but for the disk.
 */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include "base/mem.h"

#define FILES_PATH_BYTES 4096u

/* STATUS_OK if the folder is there already. Parents are not made. */
MUST_USE enum status files_make_folder(const char *path, struct err *err);
/* STATUS_NOTFOUND, STATUS_IO; STATUS_LIMIT if it is larger than the buffer's maximum. */
MUST_USE enum status files_read(struct buf *out, const char *path, struct err *err);
MUST_USE enum status files_write(const char *path, struct bytes content, struct err *err);
bool files_exists(const char *path);
/* All of `content` at the descriptor's place. STATUS_IO says why, with `path` in the text. */
MUST_USE enum status files_write_fd(int fd, struct bytes content, const char *path, struct err *err);
/* What was renamed or made in the folder of `path` is durable. */
MUST_USE enum status files_sync_parent(const char *path, struct err *err);

/* A file that is written in pieces. */
struct files_out {
	int fd;                           /* to write to; -1 when it is not open */
	char temporary[FILES_PATH_BYTES]; /* empty: written in place */
	char path[FILES_PATH_BYTES];
};
MUST_USE enum status files_begin(struct files_out *out, const char *path, struct err *err);
MUST_USE enum status files_append(struct files_out *out, struct bytes content, struct err *err);
/* The file has its name and is durable, or nothing has changed. Either way it is closed. */
MUST_USE enum status files_finish(struct files_out *out, struct err *err);
/* Nothing changes. After files_finish it does nothing. */
void files_abandon(struct files_out *out);

#endif
