/*
 * Whole folders of regular files: walked, copied, removed. Symbolic links, sockets and devices are passed over. Depth
 * is bounded. Threads: any, on folders of their own.
 */
#ifndef APP_SERVE_FOLDERS_H
#define APP_SERVE_FOLDERS_H

#include "base/files.h"

#define FOLDERS_DEPTH_MAX 8u

struct folder_path {
	char text[FILES_PATH_BYTES];
};
/* folder/name. STATUS_INVALID: it is too long. */
MUST_USE enum status folders_join(struct folder_path *out, const char *folder, const char *name, struct err *err);

/* Of the two paths of one file, below `from` and below `to`. */
typedef enum status folders_visit(void *context, const char *from, const char *to, struct err *err);
/* Makes `to` and the folders below it as in `from`, and visits each file. */
MUST_USE enum status folders_walk(
    const char *to, const char *from, folders_visit *visit, void *context, struct err *err);
/* As it is now, mode 0600; not synced. STATUS_NOTFOUND: it is not there. STATUS_INVALID: it is no regular file. */
MUST_USE enum status folders_copy_file(const char *to, const char *from, struct err *err);
/* Whatever it is. STATUS_OK if it is not there. */
MUST_USE enum status folders_remove(const char *path, struct err *err);
/* After another failure, which counts. */
void folders_try_remove(const char *path);

#endif
