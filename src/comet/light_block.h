/*
 * What a CometBFT consortium shows of one height: the header, the commit that decided it, and the validators who did
 * (protobuf tendermint.types.LightBlock). Decoding checks the form of all three and that they belong together: the
 * commit is of this header, with a place for each of these validators, and the header names them. Whether anybody
 * should believe these validators is light.h's question.
 *
 * Stricter than CometBFT: validators stand in CometBFT's order (power descending, then address ascending), each once
 * and with some power; a vote for the block or for none has 64 bytes of signature; the commit's block id is complete;
 * a header has an app hash and both hashes of validators. No block that was decided is refused for it.
 *
 * Ownership: views point into what was decoded. Sources: CometBFT v0.38 spec/core/{data_structures,encoding}.md.
 * Threads: pure.
 */
#ifndef COMET_LIGHT_BLOCK_H
#define COMET_LIGHT_BLOCK_H

#include "base/mem.h"

#define COMET_VALIDATORS_MAX 100u
#define COMET_CHAIN_ID_MAX 50u
#define COMET_POWER_MAX ((uint64_t)INT64_MAX / 8) /* of all validators together */
#define COMET_HEIGHT_MAX ((uint64_t)INT64_MAX)
#define COMET_LIGHT_BLOCK_MAX ((size_t)32 << 10) /* bytes of the protobuf; 100 validators take 24 KB */
#define COMET_BLOCK_PROTOCOL 11u                 /* of the headers that are understood */

/* A protobuf Timestamp: seconds since 1970, year 1 to 9999, and nanoseconds of [0, 10^9). */
struct comet_time {
	int64_t s;
	uint32_t ns;
};
#define COMET_NO_TIME INT64_C(-62135596800) /* 0001-01-01, the seconds of a vote that is absent */
struct comet_time comet_time_of_ms(uint64_t ms);
/* Rounded down; before 1970: 0. */
uint64_t comet_time_ms(const struct comet_time *time);
/* Below, equal to, or above 0, as memcmp. */
int comet_time_compare(const struct comet_time *a, const struct comet_time *b);

struct comet_validator {
	hash32 key; /* Ed25519 */
	uint64_t power;
	addr20 address; /* the first 20 bytes of the key's SHA-256 */
};

/* At least one, in order, each once. */
struct comet_validators {
	struct comet_validator list[COMET_VALIDATORS_MAX];
	size_t count;
	uint64_t power; /* of all together */
	hash32 hash;
};
/* Of keys and powers in `list`: fills in the rest. STATUS_INVALID says which rule they break. */
MUST_USE enum status comet_validators_make(struct comet_validators *set, struct err *err);

/* As it stands in what is hashed. Byte strings have 32 bytes, or none where CometBFT leaves them out. */
struct comet_block_id {
	struct bytes hash;
	uint32_t total;
	struct bytes parts;
};

struct comet_header {
	uint64_t version_app;
	struct bytes chain_id;
	uint64_t height;
	struct comet_time time;
	struct comet_block_id last_block;
	struct bytes last_commit, data, validators, next_validators, consensus, app, last_results, evidence, proposer;
	hash32 hash;
};

enum comet_vote { COMET_VOTE_ABSENT = 1, COMET_VOTE_BLOCK = 2, COMET_VOTE_NIL = 3 };

struct comet_signature {
	enum comet_vote vote;
	addr20 address;
	struct comet_time time;
	uint8_t signature[64];
};

struct comet_commit {
	uint32_t round;
	struct comet_block_id id;
	struct comet_signature signatures[COMET_VALIDATORS_MAX]; /* one for each validator, in their order */
};

struct comet_light_block {
	struct comet_header header;
	struct comet_commit commit;
	struct comet_validators validators;
};

/* STATUS_INVALID says what is wrong. Validators' addresses may be left out, and the proposer and the total power are
 * not looked at: they follow from the rest, or nothing depends on them. */
MUST_USE enum status comet_light_block_decode(struct comet_light_block *out, struct bytes protobuf, struct err *err);
/* Appends the shortest form: without validators' addresses, proposer, total power and priorities. */
void comet_light_block_encode(struct buf *out, const struct comet_light_block *block);

/* Fills in the header's hash from its members. */
void comet_header_hash(struct comet_header *header);
/* Form and agreement of the three parts, for who makes a block from elsewhere (rpc.h): all that decoding checks. The
 * validators were made, and the header's hash and the commit's list of `signature_count` are filled in. */
MUST_USE enum status comet_light_block_check(
    const struct comet_light_block *block, size_t signature_count, struct err *err);

/* Appends what the validator at `index` signed for the block; the chain's name and height are the header's. */
void comet_sign_bytes(struct buf *out, const struct comet_light_block *block, size_t index);

#endif
