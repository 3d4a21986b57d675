/*
 * The protected header of a compact JWE, and the key that wraps the content's key: what sealing and opening share.
 * Internal to the room. Sources: RFC 7516 §4, RFC 7518 §4.6. Threads: pure.
 */
#ifndef ENVELOPE_JWE_HEADER_H
#define ENVELOPE_JWE_HEADER_H

#include "envelope/jwe.h"

/* `encoded` is base64url. Refuses what jwe.h says. */
MUST_USE enum status jwe_header_parse(
    struct jwe_header *header, struct arena *arena, struct bytes encoded, struct err *err);

/* Appends the base64url form of the header made of `header` and the caller's `members`. */
MUST_USE enum status jwe_header_put(
    struct buf *out, const struct jwe_header *header, struct bytes members, struct err *err);

/* The key-encryption key agreed between one's secret key and the other side's public one (Concat KDF, one round). */
MUST_USE enum status jwe_header_agree(uint8_t kek[32], const struct jwe_header *header, const struct p256_secret *mine,
    const struct p256_public *theirs, struct err *err);

/* Exactly `len` bytes. */
MUST_USE enum status jwe_base64url_fixed(uint8_t *out, size_t len, struct bytes text);

#endif
