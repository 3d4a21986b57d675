/*
 * A lock whose key nobody holds. Whoever makes it needs the public key alone. It binds a label, which says for what its
 * parts may be given: holders of shares of the key (vss.h) check that the lock was made for that label by somebody who
 * knew its secret, and only then give their part of it. t parts, each proved, open it together.
 *
 * TDH2 of Shoup and Gennaro, "Securing Threshold Cryptosystems against Chosen Ciphertext Attack" (2002), over P-256.
 * With the key X = xG and a second generator H, whose logarithm nobody knows:
 *
 *	r, s random; u = rG, v = rH, w = sG, z = sH; k = HKDF-SHA256(x coordinate of rX, "xinglin/outer/1" || label)
 *	text = tag || AES-256-GCM(k, IV 0, message); e = hash(SHA-256(text), label, u, w, v, z); f = s + r e
 *	lock = u || v || e || f || text
 *
 * A part is the holder's f(i)u with its proof, which is what voprf_evaluate makes of u; voprf_combine gives xu = rX.
 * A key that is used for locks is used for nothing else.
 *
 * Threads: pure, but for the random source. Nothing branches on a secret, or keeps one; locks and labels are public.
 */
#ifndef CRYPTO_THRESHOLD_TDH2_H
#define CRYPTO_THRESHOLD_TDH2_H

#include "base/mem.h"
#include "crypto/threshold/voprf.h"

#define TDH2_PROOF_BYTES (2 * VOPRF_ELEMENT_BYTES + 64u) /* u, v compressed; e, f */
#define TDH2_HEAD_BYTES (TDH2_PROOF_BYTES + 32u)         /* and SHA-256 of what follows in the lock */
#define TDH2_TAG_BYTES 16u
#define TDH2_OVERHEAD_BYTES (TDH2_PROOF_BYTES + TDH2_TAG_BYTES)
#define TDH2_LABEL_MAX 1024u

/* What holders are shown of a lock: all of it but the text. */
struct tdh2_head {
	struct p256_public u, v;
	uint8_t e[32], f[32];
	hash32 text;
};

/* Appends the lock of `message`. STATUS_INVALID: the key is not on the curve; STATUS_LIMIT: a label over
 * TDH2_LABEL_MAX. */
MUST_USE enum status tdh2_lock(struct buf *out, const struct p256_public *key, struct bytes label, struct bytes message,
    const struct random_source *random);
/* The head of a lock. STATUS_INVALID: it is too short, or has a point that is not on the curve. */
MUST_USE enum status tdh2_head_of(struct tdh2_head *out, struct bytes lock);
/* A head as it travels. Reading refuses another length, and what is not the one encoding of a point. */
void tdh2_head_write(uint8_t out[TDH2_HEAD_BYTES], const struct tdh2_head *head);
MUST_USE enum status tdh2_head_read(struct tdh2_head *out, struct bytes data);
/* Was this lock made for this label? Whoever holds a share asks this first, and gives a part of no other. */
bool tdh2_is_for(const struct tdh2_head *head, struct bytes label);
/* Appends the message. `opened` is xu, as voprf_combine gives it for head.u. STATUS_DENIED: it is not this lock's, or
 * the text was changed. STATUS_INVALID: this is not a lock, or `opened` is not on the curve. */
MUST_USE enum status tdh2_open(
    struct buf *out, struct bytes lock, struct bytes label, const struct p256_public *opened);
/* The same for a key that one holds whole: what was locked to nobody else. STATUS_INVALID: the secret is out of range.
 */
MUST_USE enum status tdh2_open_alone(
    struct buf *out, struct bytes lock, struct bytes label, const struct p256_secret *secret);

#endif
