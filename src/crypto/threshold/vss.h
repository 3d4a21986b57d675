/*
 * Verifiable secret sharing: a dealer divides a P-256 secret among n trustees so that any t of them give it back, and
 * fewer learn nothing. Each trustee can check its own share against public commitments, and so can everybody to whom a
 * share is shown; commitment 0 is the public key of the secret itself.
 *
 * Shamir's scheme with Feldman's commitments, over P-256's scalar field: RFC 9591, appendix C (FROST(P-256, SHA-256)).
 * The shares are f(1) … f(n) of a random polynomial f of degree t - 1 with f(0) = secret; commitment j is a_j G for its
 * coefficient a_j. Unlike there, t = 1 is allowed: each share is then the secret itself.
 *
 * What holds a secret belongs to the caller, which wipes it (mem_wipe). Nothing here branches on a secret or keeps one;
 * indexes, t, n and commitments are public. Threads: pure, but for the random source.
 */
#ifndef CRYPTO_THRESHOLD_VSS_H
#define CRYPTO_THRESHOLD_VSS_H

#include "base/world.h"
#include "crypto/p256.h"

#define VSS_SHARES_MAX 64u    /* n; 1 <= t <= n. A bit each in a uint64_t */
#define VSS_THRESHOLD_MAX 22u /* t: f + 1 of 64 */
#define VSS_SHARE_BYTES 33u   /* one byte of index, 32 of value (big-endian) */
#define VSS_POINT_BYTES 64u   /* x || y */

struct vss_share {
	uint8_t index; /* 1 to VSS_SHARES_MAX; 0 would be the secret itself */
	struct p256_secret value;
};

struct vss_commitments {
	uint8_t threshold; /* t, and how many points there are */
	struct p256_public points[VSS_THRESHOLD_MAX];
};

/* Writes `count` shares, of indexes 1 to `count`. STATUS_INVALID: not 1 <= threshold <= count, one over its bound, or
 * the secret is not a valid key; then nothing secret is in `shares`. */
MUST_USE enum status vss_deal(struct vss_commitments *commitments, struct vss_share *shares,
    const struct p256_secret *secret, uint8_t threshold, uint8_t count, const struct random_source *random);

/* Is it the dealer's share of its index? False also for an index or a value out of range. */
bool vss_share_is_valid(const struct vss_share *share, const struct vss_commitments *commitments);

/* f(index) G, which everybody can know: the public key of that share. STATUS_INVALID: an index out of range, a point
 * off the curve, or the share of it would be 0. */
MUST_USE enum status vss_public_share(
    struct p256_public *out, const struct vss_commitments *commitments, uint8_t index);

/*
 * The secret from at least t shares, in any order. STATUS_INVALID: fewer than t, more than VSS_SHARES_MAX, an index
 * twice, or an index or a value out of range. STATUS_DENIED: they do not give the secret of commitment 0, so one of
 * them is false (vss_share_is_valid says which). On failure `secret` is zero.
 */
MUST_USE enum status vss_combine(struct p256_secret *secret, const struct vss_share *shares, size_t count,
    const struct vss_commitments *commitments);

/*
 * A key that nobody ever held. Several dealers deal to the same `n`; what one member got of each makes its share of the
 * sum. `dealer` is the dealer's own index: among the founders, or, if an old key is dealt again, of the old share that
 * it dealt.
 */
struct vss_dealing {
	uint8_t dealer;
	struct vss_commitments commitments;
	struct vss_share share; /* the reader's own */
};

/*
 * The share and the commitments of a new key, the sum of what all founders dealt. `*false_dealers`: a bit for each
 * place whose dealer's index is out of range or was there before, whose threshold or share's index is not the first
 * one's, or whose share is not of its commitments. STATUS_DENIED: there is one. STATUS_INVALID: no dealings or more
 * than VSS_SHARES_MAX, or a sum is zero.
 */
MUST_USE enum status vss_found(struct vss_commitments *commitments, struct vss_share *share, uint64_t *false_dealers,
    const struct vss_dealing *dealings, size_t count);

/*
 * The same key for other members and another threshold: each old member deals its share. Commitment 0 stays as it is.
 * As above; false is also a dealing whose commitment 0 is not the dealer's old public share. STATUS_INVALID too: fewer
 * dealings than the old threshold. All new members use the same dealings.
 */
MUST_USE enum status vss_reshare(struct vss_commitments *commitments, struct vss_share *share, uint64_t *false_dealers,
    const struct vss_dealing *dealings, size_t count, const struct vss_commitments *old);

/* A share's bytes. Reading refuses (STATUS_INVALID) another length, and an index or a value out of range. */
void vss_share_write(uint8_t out[VSS_SHARE_BYTES], const struct vss_share *share);
MUST_USE enum status vss_share_read(struct vss_share *out, struct bytes data);

/* Commitments as statements have them: the public key, and the points after it, `rest` (x || y each).
 * STATUS_INVALID: threshold out of range, another length than t - 1 points, or a point that is not on the curve. */
MUST_USE enum status vss_commitments_read(
    struct vss_commitments *out, uint8_t threshold, const struct p256_public *key, struct bytes rest);

#endif
