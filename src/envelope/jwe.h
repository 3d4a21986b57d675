/*
 * Sealed texts: compact JWE (RFC 7516) in exactly two forms, both with `"enc":"A256GCM"`.
 *
 *   ECDH  `"alg":"ECDH-ES+A256KW"` to a P-256 public key: containers, wraps.
 *   dir   `"alg":"dir"` under a shared 256-bit key, sealed with `"zip":"DEF"`: segments, links.
 *
 * Opening accepts these and nothing else: other algorithms, any `crit`, names that occur twice, points off the curve,
 * base64url that is not canonical and anything in excess are refused before a key is used. `zip` is honoured in both
 * forms. A header is authentic only after an opening succeeded; jwe_read_header alone proves nothing.
 *
 * Ownership: texts and plaintexts are appended to the caller's buffers, whose `max` is the limit (also of what is
 * inflated); on failure they are as before. Parsed headers live in the caller's arena. Keys in between are wiped;
 * plaintexts are the caller's to wipe. Threads: pure. Sources: RFC 7516, 7518 §4.5, §4.6, §5.3, RFC 7517.
 */
#ifndef ENVELOPE_JWE_H
#define ENVELOPE_JWE_H

#include "base/mem.h"
#include "base/world.h"
#include "codec/json.h"
#include "crypto/p256.h"

enum jwe_alg { JWE_ECDH_ES_A256KW, JWE_DIR };

struct jwe_header {
	enum jwe_alg alg;
	bool deflated;
	struct p256_public epk;     /* ECDH only; on the curve */
	const struct json *members; /* the whole protected header, for the caller's own members */
};

/* The protected header, without opening. STATUS_INVALID: no JWE; STATUS_UNSUPPORTED: another algorithm, or `crit`. */
MUST_USE enum status jwe_read_header(struct jwe_header *header, struct arena *arena, struct bytes jwe, struct err *err);

/*
 * Seals to a public key. `members` is a JSON object whose members join the protected header (`cty`, `kid`, the caller's
 * own), or an empty view. STATUS_INVALID: the key is off the curve, or `members` is no object or names what the form
 * itself does. `random` gives the ephemeral key, the content key and the IV, in this order.
 */
MUST_USE enum status jwe_ecdh_seal(struct buf *out, const struct p256_public *recipient, struct bytes members,
    struct bytes plaintext, const struct random_source *random, struct err *err);

/* Seals under a key, deflated; with bucket_bytes > 1 the ciphertext is filled up to a multiple of it. */
MUST_USE enum status jwe_dir_seal(struct buf *out, const uint8_t key[32], struct bytes members, struct bytes plaintext,
    size_t bucket_bytes, const struct random_source *random, struct err *err);

/*
 * Opens a text of that form. `header` may be NULL. STATUS_INVALID and STATUS_UNSUPPORTED as above (also a text of the
 * other form); STATUS_DENIED: not sealed under this key, or changed since; STATUS_LIMIT: larger than `plaintext` may
 * become.
 */
MUST_USE enum status jwe_ecdh_open(struct buf *plaintext, struct jwe_header *header, struct arena *arena,
    struct bytes jwe, const struct p256_secret *recipient, struct err *err);
MUST_USE enum status jwe_dir_open(struct buf *plaintext, struct jwe_header *header, struct arena *arena,
    struct bytes jwe, const uint8_t key[32], struct err *err);

#endif
