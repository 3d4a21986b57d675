/*
 * A light client of a CometBFT consortium: from validators who are trusted to a block of a later height, with nothing
 * but their signatures. The rules and their order are those of CometBFT's own light client (light/verifier.go), which
 * judges the vectors of this room:
 *
 *	- the trusted block is not older than the trusting period, by the checker's clock;
 *	- the block is of the named chain, higher, later, and not further in front of the clock than is allowed;
 *	- of the next height: its validators are the ones that the trusted header named as next;
 *	  of a later one: validators with more than a third of the trusted power voted for it;
 *	- validators with more than two thirds of its own power voted for it.
 *
 * Why a third of those who are trusted is enough: fewer than a third of them lie, so one who does not lie voted, and he
 * votes for no block that was not decided. If too few of them voted, comet_light_follow goes there in smaller steps.
 *
 * Votes are looked at in their order until the power is enough; what stands behind is not looked at.
 *
 * Ownership: the caller's; blocks from a source live as long as the source says. Threads: pure.
 */
#ifndef COMET_LIGHT_H
#define COMET_LIGHT_H

#include "comet/light_block.h"

#define COMET_STEPS_MAX 200u /* blocks that are fetched at most on the way to one */

/* A decided block, and what later ones are judged by. Of an anchor: the set that decides the next height, at genesis
 * with the height 0. */
struct comet_trusted {
	uint64_t height;
	struct comet_time time;
	hash32 hash;
	hash32 next_validators; /* hash */
	struct comet_validators validators;
};
struct comet_trusted comet_trusted_of(const struct comet_light_block *block);

struct comet_rules {
	struct bytes chain_id;
	struct comet_time now;
	uint64_t trust_s; /* the trusting period */
	uint64_t ahead_s; /* a block's time may be so far in front of now */
};
/* The name of the chain whose Ethereum genesis has this hash. */
#define COMET_CHAIN_ID_SIZE (COMET_CHAIN_ID_MAX + 1)
void comet_chain_id(char out[COMET_CHAIN_ID_SIZE], const hash32 *genesis);

enum comet_verdict {
	COMET_BELIEVED,
	COMET_TOO_FAR, /* too few of the trusted validators voted: a block between may help */
	COMET_REFUSED
};
/* `block` was decoded, or passed comet_light_block_check. `why` is written unless it is believed. */
enum comet_verdict comet_light_verify(const struct comet_trusted *trusted, const struct comet_light_block *block,
    const struct comet_rules *rules, struct err *why);

/* Where blocks between are asked for. */
struct comet_source {
	MUST_USE enum status (*get)(void *context, struct comet_light_block *out, uint64_t height, struct err *err);
	void *context;
};
/*
 * Verifies `block` from *trusted, by blocks between if it must; *trusted is then the last one on the way that was
 * needed (or as it was), and `block` is believed. STATUS_DENIED: it is not, and why; also the source's failures.
 * `source` NULL: no blocks between.
 */
MUST_USE enum status comet_light_follow(struct comet_trusted *trusted, const struct comet_light_block *block,
    const struct comet_rules *rules, const struct comet_source *source, struct err *err);

#endif
