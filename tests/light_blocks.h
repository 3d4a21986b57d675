/*
 * A consortium in memory, for tests: its members sign light blocks, honest and not. Header only; include after
 * tests/unit.h.
 */
#ifndef TESTS_LIGHT_BLOCKS_H
#define TESTS_LIGHT_BLOCKS_H

#include <stdlib.h>

#include "comet/light.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"

#define LIGHT_START_S INT64_C(1800000000)

/* Who decides a block, who comes after, and whose key each one has: member i has the key number i. */
struct light_members {
	unsigned from, count;
};

static inline struct ed25519_secret light_secret(unsigned member) {
	const hash32 seed = sha256(bytes_make(&member, sizeof member));
	struct ed25519_secret secret;
	memcpy(secret.seed, seed.b, sizeof secret.seed);
	return secret;
}

/* In CometBFT's order, each with the power 1; `who` is the member at each place. */
static inline void light_set(struct comet_validators *out, unsigned *who, struct light_members members) {
	*out = (struct comet_validators){.count = members.count};
	for (unsigned i = 0; i < members.count; i++) {
		const struct ed25519_secret secret = light_secret(members.from + i);
		hash32 key;
		if (ed25519_public_of(&key, &secret) != STATUS_OK) abort();
		const hash32 digest = sha256(BYTES_OF(key));
		unsigned at = i;
		for (; at > 0 && memcmp(digest.b, out->list[at - 1].address.b, sizeof(addr20)) < 0; at--) {
			out->list[at] = out->list[at - 1];
			who[at] = who[at - 1];
		}
		out->list[at] = (struct comet_validator){.key = key, .power = 1};
		memcpy(out->list[at].address.b, digest.b, sizeof(addr20));
		who[at] = members.from + i;
	}
	if (comet_validators_make(out, NULL) != STATUS_OK) abort();
}

/* What a block is made of. Bytes live as long as this. */
struct light_made {
	struct comet_light_block block;
	unsigned who[COMET_VALIDATORS_MAX];
	char chain_id[COMET_CHAIN_ID_SIZE];
	hash32 next, app, other;
	addr20 proposer;
};

/* The votes again, after what they sign was changed: of the validators at the first `count` places. */
static inline void light_sign(struct light_made *made, size_t count) {
	struct comet_light_block *block = &made->block;
	comet_header_hash(&block->header);
	block->commit.id = (struct comet_block_id){BYTES_OF(block->header.hash), 1, BYTES_OF(made->other)};
	for (size_t i = 0; i < block->validators.count; i++) {
		struct comet_signature *vote = &block->commit.signatures[i];
		const struct ed25519_secret secret = light_secret(made->who[i]);
		struct buf text;
		*vote = (struct comet_signature){.vote = COMET_VOTE_ABSENT, .time = {COMET_NO_TIME, 0}};
		if (i >= count) continue;
		vote->vote = COMET_VOTE_BLOCK;
		vote->address = block->validators.list[i].address;
		vote->time = (struct comet_time){block->header.time.s, (uint32_t)i};
		buf_init(&text, 256);
		comet_sign_bytes(&text, block, i);
		if (ed25519_sign(vote->signature, &secret, buf_view(&text)) != STATUS_OK) abort();
		buf_fini(&text);
	}
}

/* A block that everybody voted for. `chain_id` is copied. */
static inline void light_make(struct light_made *made, const char *chain_id, uint64_t height,
    struct light_members members, struct light_members next, const hash32 *app) {
	struct comet_header *header = &made->block.header;
	struct comet_validators *set = mem_alloc(sizeof *set);
	*made = (struct light_made){.app = *app, .other = {{9}}, .proposer = {{1}}};
	memcpy(made->chain_id, chain_id, strlen(chain_id));
	light_set(set, made->who, next);
	made->next = set->hash;
	mem_free(set);
	light_set(&made->block.validators, made->who, members);
	*header = (struct comet_header){.chain_id = bytes_text(made->chain_id),
	    .height = height,
	    .time = {LIGHT_START_S + (int64_t)height * 60, 5},
	    .last_block = {BYTES_OF(made->other), 1, BYTES_OF(made->other)},
	    .validators = BYTES_OF(made->block.validators.hash),
	    .next_validators = BYTES_OF(made->next),
	    .app = BYTES_OF(made->app),
	    .proposer = BYTES_OF(made->proposer)};
	light_sign(made, members.count);
}

#endif
