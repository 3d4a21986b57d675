/* The sealed stream of a backup: chunks of AES-256-GCM, numbered, the last one marked. Inside actors/, and of a node's
 * keys (app/serve/backup.c). */
#ifndef HEALTH_ACTORS_BACKUP_STREAM_H
#define HEALTH_ACTORS_BACKUP_STREAM_H

#include "base/files.h"
#include "envelope/keystore.h"

#define BACKUP_HEADER_BYTES 60u
#define BACKUP_CHUNK_BYTES ((size_t)1 << 20)
#define BACKUP_TAG_BYTES 16u

struct backup_stream {
	uint8_t header[BACKUP_HEADER_BYTES];
	uint8_t key[32];
	uint64_t chunk;  /* its number */
	uint8_t *plain;  /* BACKUP_CHUNK_BYTES */
	uint8_t *sealed; /* and the tag */
	size_t len, at;  /* of `plain`: filled, and read */
	bool is_last;    /* reading: no chunk comes behind this one */
	struct files_out out;
	int in; /* -1 if it is not open */
};

MUST_USE enum status backup_stream_begin(struct backup_stream *stream, const char *path, struct bytes password,
    const struct keystore_cost *cost, const struct random_source *random, struct err *err);
MUST_USE enum status backup_stream_put(struct backup_stream *stream, struct bytes content, struct err *err);
/* Seals the last chunk, and the file has its name. */
MUST_USE enum status backup_stream_finish(struct backup_stream *stream, struct err *err);

/* STATUS_DENIED: wrong password. STATUS_INVALID, STATUS_CORRUPT. */
MUST_USE enum status backup_stream_open(
    struct backup_stream *stream, const char *path, struct bytes password, struct err *err);
/* Exactly `len` bytes. STATUS_CORRUPT. */
MUST_USE enum status backup_stream_get(struct backup_stream *stream, uint8_t *out, size_t len, struct err *err);
/* Nothing stands behind what was read. */
MUST_USE enum status backup_stream_end(struct backup_stream *stream, struct err *err);

/* Wipes; what was begun and not finished is gone. A zeroed one with `in` and `out.fd` -1 is allowed. */
void backup_stream_fini(struct backup_stream *stream);

#endif
