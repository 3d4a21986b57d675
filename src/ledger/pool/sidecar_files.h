/*
 * The sidecars of blob transactions on the disk, a file each: no execution reads them, so memory holds none. A file is
 * named by its transaction's hash and is one record of the journal's format; it is written whole before the hash is
 * returned (not synced, as the journal).
 *
 * A sidecar is kept while its transaction waits, and SIDECAR_KEPT_BLOCKS blocks longer, so that one that stood in a
 * block which fork choice takes back can wait again; of those that wait no more the oldest go first where they are over
 * SIDECAR_KEPT_BYTES. There is no consensus layer here that would keep them for anybody.
 *
 * Internal to pool/. Threads: one owner at a time (the pool's lock).
 */
#ifndef LEDGER_POOL_SIDECAR_FILES_H
#define LEDGER_POOL_SIDECAR_FILES_H

#include "base/mem.h"

enum { SIDECAR_KEPT_BLOCKS = 64 };
#define SIDECAR_KEPT_BYTES ((uint64_t)256 << 20)

struct retired_sidecar {
	hash32 hash;
	uint64_t number; /* the newest block's then, before the one that may have taken it */
	uint64_t bytes;
};

struct sidecar_files {
	char *folder;                    /* NULL: nothing is kept */
	struct retired_sidecar *retired; /* by age */
	size_t retired_count, retired_cap;
	uint64_t retired_bytes;
};

/* Makes the folder where it is missing. NULL: none. STATUS_IO. */
MUST_USE enum status sidecar_files_open(struct sidecar_files *files, const char *folder, struct err *err);
void sidecar_files_close(struct sidecar_files *files);

/* Its transaction waits. STATUS_IO; then there is no such file. */
MUST_USE enum status sidecar_files_put(
    struct sidecar_files *files, const hash32 *hash, struct bytes items, struct err *err);
/* Appends the sidecar's items. STATUS_NOTFOUND, also for a file that is damaged. */
MUST_USE enum status sidecar_files_get(
    const struct sidecar_files *files, struct buf *out, const hash32 *hash, struct err *err);
/* Its transaction waits no more, or again. */
void sidecar_files_retire(struct sidecar_files *files, const hash32 *hash, uint64_t head_number);
void sidecar_files_claim(struct sidecar_files *files, const hash32 *hash);
/* Deletes what is old enough. */
void sidecar_files_trim(struct sidecar_files *files, uint64_t head_number);
/* Retires every file of the folder for which nothing waits: what a stop left behind. */
void sidecar_files_sweep(
    struct sidecar_files *files, uint64_t head_number, bool (*waits)(void *context, const hash32 *hash), void *context);

#endif
