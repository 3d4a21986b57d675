/* Whole files under a home, written so that a reader sees the old or the new and nothing between. Threads: one owner.
 */
#ifndef HEALTH_ACTORS_FILES_H
#define HEALTH_ACTORS_FILES_H

#include "base/mem.h"

#define HOME_FILE_MAX ((size_t)64 << 20)

/* STATUS_EXISTS is no failure for the callers here: the folder is there. Parents are not made. */
MUST_USE enum status files_make_folder(const char *path, struct err *err);
MUST_USE enum status files_read(struct buf *out, const char *path, struct err *err);
MUST_USE enum status files_write(const char *path, struct bytes content, struct err *err);
bool files_exists(const char *path);

#endif
