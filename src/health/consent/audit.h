/*
 * What nodes served of a record: the sealed audit entries that they keep, opened and checked against each other and
 * against the anchors on the chain (docs/wire-formats.md).
 *
 * Ownership: lists and texts live in the request's arena. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_AUDIT_H
#define HEALTH_CONSENT_AUDIT_H

#include "health/actors/request.h"

struct audit_entry {
	addr20 who;
	uint32_t part; /* 0: the whole container, or its lead */
	bool served;
	uint64_t at_ms;
	uint64_t seq; /* from 1, over all of the node's entries */
};
struct audit_log {
	struct audit_entry *entries; /* oldest first */
	size_t count;
	size_t anchors; /* entries whose hash a node anchored on the chain, and it is the same */
};
/*
 * By the folder's controller: audit entries of one record, opened with its audit key. STATUS_CORRUPT where an entry
 * cannot be opened, is of another record, does not hang on the one before it, or differs from what was anchored.
 */
MUST_USE enum status audit_reads(
    struct actor_request *request, struct audit_log *out, const hash32 *record, struct err *err);

/* The parts of it that need no chain. */
struct audit_line {
	struct audit_entry entry;
	hash32 item;
	hash32 prev; /* SHA-256 of the node's entry before */
	hash32 hash; /* SHA-256 of this one, sealed */
};
/* An opened entry; `sealed` is the JWE that it came in. STATUS_INVALID. */
MUST_USE enum status audit_line_parse(
    struct audit_line *out, struct arena *arena, struct bytes sealed, struct bytes plaintext, struct err *err);
/* All of `item`, ascending, and hanging together where they follow one another. STATUS_CORRUPT. */
MUST_USE enum status audit_check(const struct audit_line *lines, size_t count, const hash32 *item, struct err *err);

#endif
