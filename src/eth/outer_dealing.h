/*
 * How the outer seal's key comes to a consortium's members without anybody having it, and to others after a change:
 * each who shall hold a share says under which key it takes it (an *offer*); each dealer writes a *dealing*, with a
 * locked share for every holder; each holder gathers all dealings. If the key is founded, all holders deal; else those
 * who hold it, as many as its threshold or more, each its own share, and the key stays as it is. Whoever gathers the
 * same dealings gets the same statement, whose hash members then vote for.
 *
 * Offers and dealings are signed with the key of the member's CometBFT node (held.h); both texts are longer than the 32
 * bytes that CometBFT signs with it. Ownership: plain values. Threads: pure, but for the random source.
 */
#ifndef ETH_OUTER_DEALING_H
#define ETH_OUTER_DEALING_H

#include "crypto/ed25519.h"
#include "eth/outer.h"

#define OUTER_OFFER_BYTES (16u + 32u + VOPRF_ELEMENT_BYTES + ED25519_SIGNATURE_BYTES)
#define OUTER_SHARE_LOCK_BYTES (TDH2_OVERHEAD_BYTES + VSS_SHARE_BYTES)
#define OUTER_DEALING_MAX                                                                                              \
	(OUTER_STATEMENT_MAX + 32u + OUTER_SHARE_LOCK_BYTES * OUTER_HOLDERS_MAX + ED25519_SIGNATURE_BYTES)

/* A member's keys of one chain: of its node, and the one that shares are locked to, which follows from it. Wipe it. */
struct outer_member {
	const hash32 *genesis;
	struct ed25519_secret node;
	struct p256_secret secret;
	struct outer_offer {
		hash32 key;               /* of the node */
		struct p256_public takes; /* its shares */
	} offer;
};
MUST_USE enum status outer_member_init(
    struct outer_member *out, const hash32 *genesis, const struct ed25519_secret *node);
/* STATUS_INTERNAL: the node's key does not sign. */
MUST_USE enum status outer_offer_write(uint8_t out[OUTER_OFFER_BYTES], const struct outer_member *member);
/* STATUS_INVALID: not an offer. STATUS_DENIED: its node did not sign it, or for another chain. */
MUST_USE enum status outer_offer_read(struct outer_offer *out, struct bytes data, const hash32 *genesis);

/* This member deals `secret`, of a new key or its share of the old one, to `count` offers, in any order. Appends the
 * dealing. STATUS_INVALID: a node occurs twice, or there are 0 or over OUTER_HOLDERS_MAX. */
MUST_USE enum status outer_deal(struct buf *out, const struct outer_member *member, uint64_t number,
    const struct p256_secret *secret, const struct outer_offer *offers, size_t count,
    const struct random_source *random);

struct outer_dealing {
	addr20 dealer;
	struct outer_statement to; /* of what this dealer deals */
	struct bytes locks;        /* of the shares, in the holders' order: views */
};
/* STATUS_INVALID: not a dealing. STATUS_DENIED: its dealer did not sign it, or for another chain. */
MUST_USE enum status outer_dealing_read(struct outer_dealing *out, struct bytes data, const hash32 *genesis);
/* The statement, and this member's share of it: wipe it. `old` NULL: the key is new. STATUS_DENIED and STATUS_INVALID
 * say in `err` whose dealing is false, or which are missing. */
MUST_USE enum status outer_gather(struct outer_statement *out, struct vss_share *share,
    const struct outer_member *member, const struct outer_dealing *dealings, size_t count,
    const struct outer_statement *old, struct err *err);

#endif
