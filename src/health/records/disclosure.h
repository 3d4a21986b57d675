/*
 * Disclosure proofs: one resource of a record, shown with everything that proves its place on the chain, in one file;
 * and checking such a file with no node and no network (docs/wire-formats.md §7, §8). The file's `index` and `count`
 * give the path its shape; they are no claims (the root of RFC 6962 does not commit to the count), so that nothing
 * reports them. Threads: one owner a request; verification is pure.
 */
#ifndef HEALTH_RECORDS_DISCLOSURE_H
#define HEALTH_RECORDS_DISCLOSURE_H

#include "health/records/record.h"

/* Appends the file. `index` counts resources from 1. Needs what record_read needs. */
MUST_USE enum status disclosure_make(struct actor_request *request, struct buf *out, const hash32 *record,
    uint32_t index, const struct folder_keys *further, struct err *err);

struct disclosure {
	hash32 record;
	struct bytes resource; /* exact bytes, in the arena */
	addr20 author;
	uint32_t epoch;
	bool erased;
	uint64_t added_at;     /* seconds */
	uint64_t block_number; /* in whose state it stands */
	uint64_t block_timestamp;
	hash32 block_hash;
};
/* STATUS_DENIED names the first link that does not hold; STATUS_INVALID: the file is malformed; also where the anchor
 * is of another chain. `now_ms` decides whether a consortium's anchor still counts. */
MUST_USE enum status disclosure_verify(struct disclosure *out, struct arena *arena, struct bytes file,
    struct bytes anchor, uint64_t now_ms, struct err *err);

#endif
