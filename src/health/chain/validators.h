/*
 * Heads of a consortium: believed by the votes of its validators (comet/light.h), from the anchor's on, through every
 * change of them. The node shows a light block with each head, whose app hash is the head's hash; and blocks between,
 * if the validators changed much meanwhile.
 *
 * What is trusted moves on with the blocks that are seen, and is kept in the home (validators.json), so that a home
 * that is used within the anchor's trustDays never needs another anchor, and who left is believed no more. Two light
 * blocks of one height, both decided by validators who are trusted, are evidence: whoever voted for both lied.
 *
 * Ownership: what the options point to is borrowed. Threads: one serves all threads of its home, if it is given
 * `threads`.
 */
#ifndef HEALTH_CHAIN_VALIDATORS_H
#define HEALTH_CHAIN_VALIDATORS_H

#include "health/chain/heads.h"

struct validators;
/* Of heads_options: anchor (a consortium's), store, clock, threads. STATUS_CORRUPT: what is kept is damaged. */
MUST_USE enum status validators_open(struct validators **out, const struct heads_options *options, struct err *err);
void validators_close(struct validators *validators); /* NULL is allowed */
struct head_authority validators_authority(struct validators *validators);
/* The anchor with the validators who are trusted by now in the place of its own: what this home can hand on. */
void validators_refresh(struct validators *validators, struct deployment *anchor);

/* A light block as JSON spells it; views into the arena. STATUS_INVALID. */
MUST_USE enum status validators_block_read(
    struct comet_light_block *out, struct arena *arena, struct bytes hex, struct err *err);

/* --- the proof of a block, for a file --- */

/* Light blocks in bytes: the last one's app hash is the block's hash, those before it lead there, each higher. */
struct validators_proof {
	struct bytes *blocks;
	size_t count;
};
/* From the anchor's own validators to `commit`, a light block in bytes. The node is asked for those between. */
MUST_USE enum status validators_proof_make(struct client *client, struct validators_proof *out, struct arena *arena,
    const struct deployment *anchor, struct bytes commit, uint64_t now_ms, struct err *err);
/* Pure. A block before the anchor's height counts too. STATUS_DENIED: the block of this hash is not proved, and why. */
MUST_USE enum status validators_proof_check(const struct validators_proof *proof, const hash32 *head,
    const struct deployment *anchor, uint64_t now_ms, struct err *err);

#endif
