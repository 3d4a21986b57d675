/*
 * What a member of a consortium signs when it has put a container on its disk: its receipt, and the requests by which
 * members ask each other for containers (docs/wire-formats.md §5a). A member signs with the key of its CometBFT node,
 * whose identifier stands in the contract Members: the first 20 bytes of the key's SHA-256. Both texts are longer than
 * the 32 bytes that CometBFT signs with that key when peers connect, so none stands for the other.
 *
 * Threads: pure. Ownership: `text` is the caller's.
 */
#ifndef ETH_HELD_H
#define ETH_HELD_H

#include "base/mem.h"
#include "crypto/ed25519.h"

#define HELD_RECEIPTS_MAX 64u

/* "I hold this container for that putter, and will as long as the chain wants it": of a blob at a gate. */
struct held_receipt {
	hash32 key; /* of the member's node */
	uint64_t time_s;
	uint8_t signature[ED25519_SIGNATURE_BYTES];
};
struct held_blob {
	const hash32 *genesis;
	addr20 gate, putter;
	hash32 blob;
	uint64_t size_bytes;
};
addr20 held_node_of(const hash32 *key);
MUST_USE enum status held_sign(
    struct held_receipt *out, const struct held_blob *blob, const struct ed25519_secret *secret, uint64_t time_s);
bool held_verify(const struct held_receipt *receipt, const struct held_blob *blob);

/* A request from member to member: to this one alone, on this chain, until it expires. */
struct held_request {
	const hash32 *genesis;
	addr20 asked; /* identifier of the node that is asked */
	uint64_t expiry_s;
	struct bytes path, body;
};
/* Appends what is signed. */
void held_request_text(struct buf *text, const struct held_request *request);

#endif
