/*
 * The container that travels beside a transaction: an ordered list of parts, named by the Merkle root over them
 * (docs/wire-formats.md §1). A node checks the frame and the name; only recipients can open the parts.
 *
 * Threads: pure. Ownership: a decoded container views the bytes that it was decoded from.
 */
#ifndef ENVELOPE_CONTAINER_H
#define ENVELOPE_CONTAINER_H

#include "base/mem.h"

#define CONTAINER_BYTES_MAX ((size_t)64 << 20)
#define CONTAINER_PART_MAX ((size_t)16 << 20)
#define CONTAINER_PARTS_MAX 4096u

struct container {
	struct bytes bytes; /* all of it */
	uint32_t count;     /* of parts, [1, CONTAINER_PARTS_MAX] */
};

/* STATUS_INVALID says what is wrong with the frame; STATUS_LIMIT. */
MUST_USE enum status container_decode(struct container *out, struct bytes bytes, struct err *err);
/* index < count. */
struct bytes container_part(const struct container *container, uint32_t index);
/* The Merkle root over leaf(part). */
hash32 container_name(const struct container *container);
/* Appends the frame. STATUS_LIMIT if a count or a size is over its maximum or a part is empty. */
MUST_USE enum status container_encode(struct buf *out, const struct bytes *parts, size_t count, struct err *err);

#endif
