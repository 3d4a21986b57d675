/*
 * What a member keeps of the outer seal (eth/outer.h), in its data folder:
 *
 *	seal/N.statement   statement number N
 *	seal/N.share       this member's share of it: mode 0600; whoever has f + 1 of them opens every lock
 *
 * Threads: pure but for the disk.
 */
#ifndef APP_SERVE_OUTER_FOLDER_H
#define APP_SERVE_OUTER_FOLDER_H

#include "base/files.h"
#include "eth/outer.h"

#define OUTER_FOLDER_SHARES_MAX 1024u

/* STATUS_NOTFOUND: it is not there. STATUS_CORRUPT: it is none. */
MUST_USE enum status outer_folder_share(struct vss_share *out, const char *data, uint64_t number, struct err *err);
MUST_USE enum status outer_folder_statement(struct buf *out, const char *data, uint64_t number, struct err *err);
/* Numbers of the shares that are there, ascending; none if there is no such folder. STATUS_LIMIT: more than
 * OUTER_FOLDER_SHARES_MAX. */
MUST_USE enum status outer_folder_numbers(
    uint64_t out[OUTER_FOLDER_SHARES_MAX], size_t *count, const char *data, struct err *err);
MUST_USE enum status outer_folder_write_share(
    const char *data, uint64_t number, const struct vss_share *share, struct err *err);
/* The share is durable before the statement. */
MUST_USE enum status outer_folder_write(
    const char *data, const struct outer_statement *statement, const struct vss_share *share, struct err *err);

#endif
