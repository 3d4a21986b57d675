/*
 * Blinded tags: what stands on the chain instead of GTINs, lots, serials and SSCCs. Exact bytes: docs/wire-formats.md
 * §10. Serial numbers can be guessed, so nothing here is a plain hash. Threads: pure; keys are the caller's to wipe.
 */
#ifndef HEALTH_TRACE_TAGS_H
#define HEALTH_TRACE_TAGS_H

#include "base/bytes.h"

/* `gtin` has 14 digits, `code` is a container's (gs1/epc.h). */
hash32 tag_batch(const hash32 *key, const char *gtin, const char *lot);
hash32 tag_unit(const hash32 *key, const char *gtin, const char *serial);
/* A container's tag commits to its code. The salt, which its opener alone makes, keeps the code from being guessed, and
 * whoever gets it proves the code by it. */
hash32 tag_container_salt(const hash32 *container_key, const char *code);
hash32 tag_container(const hash32 *salt, const char *code);
/* What the chain keeps of a product's key. */
hash32 tag_key_commitment(const hash32 *key);
/* An actor's container key, from its wallet's entropy. */
hash32 tag_container_key(const uint8_t entropy[32]);
/* keccak256(abi.encode(product, tag)), and the contract's container id. */
hash32 tag_batch_id(const hash32 *product, const hash32 *tag);
hash32 tag_container_id(const addr20 *opener, const hash32 *tag);

#endif
