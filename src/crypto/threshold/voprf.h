/*
 * A function of a text that needs a key which nobody holds. It is meant for tags of products; nothing uses it yet.
 * Holders have shares of the key (vss.h). Whoever wants f(text) blinds the text, asks holders for their parts, checks
 * each part against the holder's public share, puts t of them together and unblinds. Holders learn neither the text
 * nor f(text); fewer than t of them cannot compute it, and nobody can pass a false part.
 *
 * VOPRF of RFC 9497, mode 1, suite P256-SHA256, batches of one; parts are combined by Lagrange's coefficients, so the
 * result is that of the whole key. Threads: pure, but for the random source. What holds a secret belongs to the caller,
 * which wipes it. Nothing branches on a key or a blind; the text is the asker's own, and the time of hashing shows it.
 */
#ifndef CRYPTO_THRESHOLD_VOPRF_H
#define CRYPTO_THRESHOLD_VOPRF_H

#include "crypto/threshold/vss.h"

#define VOPRF_ELEMENT_BYTES 33u /* SEC 1, compressed */
#define VOPRF_PROOF_BYTES 64u   /* c || s */
#define VOPRF_PART_BYTES (1u + VOPRF_ELEMENT_BYTES + VOPRF_PROOF_BYTES)
#define VOPRF_TEXT_MAX 65535u

struct voprf_part {
	uint8_t index; /* of the holder's share */
	struct p256_public evaluated;
	uint8_t proof[VOPRF_PROOF_BYTES];
};

/* Blind, with a secret that is uniform in [1, n). STATUS_LIMIT: a text over VOPRF_TEXT_MAX; STATUS_INVALID: the blind
 * is out of range. */
MUST_USE enum status voprf_blind(struct p256_public *blinded, const struct p256_secret *blind, struct bytes text);

/* BlindEvaluate, with one share. STATUS_INVALID: the element is not on the curve, or the share is out of range. */
MUST_USE enum status voprf_evaluate(struct voprf_part *out, const struct vss_share *share,
    const struct p256_public *blinded, const struct random_source *random);

/* VerifyProof: was this part made of `blinded` with the share that belongs to the public share `key`? */
bool voprf_part_is_valid(
    const struct voprf_part *part, const struct p256_public *key, const struct p256_public *blinded);

/*
 * The whole key's evaluation, from the first t valid parts, in any order. `*false_parts`: a bit for each place in
 * `parts` whose part is false (its index is out of range or was there before, or its proof fails). STATUS_DENIED: fewer
 * than t are valid. STATUS_INVALID: more than VSS_SHARES_MAX parts.
 */
MUST_USE enum status voprf_combine(struct p256_public *out, uint64_t *false_parts, const struct voprf_part *parts,
    size_t count, const struct vss_commitments *commitments, const struct p256_public *blinded);

/* Finalize. STATUS_INVALID: the element is not on the curve; STATUS_LIMIT as above. */
MUST_USE enum status voprf_finalize(
    hash32 *out, struct bytes text, const struct p256_secret *blind, const struct p256_public *evaluated);

/* Bytes of what travels. Reading refuses (STATUS_INVALID) another length, an index out of range, and what is not the
 * one encoding of a point of the curve. */
void voprf_element_write(uint8_t out[VOPRF_ELEMENT_BYTES], const struct p256_public *element);
MUST_USE enum status voprf_element_read(struct p256_public *out, struct bytes data);
void voprf_part_write(uint8_t out[VOPRF_PART_BYTES], const struct voprf_part *part);
MUST_USE enum status voprf_part_read(struct voprf_part *out, struct bytes data);

#endif
