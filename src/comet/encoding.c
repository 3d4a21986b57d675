/* Writing: headers and commits, the leaves of hashes, and what is signed. */
#include "comet/encoding.h"

#include "crypto/hash.h"
#include "crypto/merkle.h"

#define HEADER_LEAVES 14u
#define LEAF_MAX 128u
#define PRECOMMIT 2u

static void put_time_fields(struct buf *out, const struct comet_time *time) {
	protobuf_put_i64(out, 1, time->s);
	protobuf_put_u64(out, 2, time->ns);
}

static void put_block_id_fields(struct buf *out, const struct comet_block_id *id) {
	protobuf_put_bytes(out, 1, id->hash);
	const size_t parts = protobuf_begin(out, 2);
	protobuf_put_u64(out, 1, id->total);
	protobuf_put_bytes(out, 2, id->parts);
	protobuf_end(out, parts);
}

void comet_put_time(struct buf *out, uint32_t number, const struct comet_time *time) {
	const size_t mark = protobuf_begin(out, number);
	put_time_fields(out, time);
	protobuf_end(out, mark);
}

void comet_put_block_id(struct buf *out, uint32_t number, const struct comet_block_id *id) {
	const size_t mark = protobuf_begin(out, number);
	put_block_id_fields(out, id);
	protobuf_end(out, mark);
}

/* --- hashes --- */

struct leaves {
	hash32 hashes[HEADER_LEAVES];
	size_t count;
	struct buf text; /* of the leaf that is being written */
};

static void leaf_end(struct leaves *leaves) {
	leaves->hashes[leaves->count++] = merkle_leaf(buf_view(&leaves->text));
	buf_clear(&leaves->text);
}

static void leaf_of_bytes(struct leaves *leaves, struct bytes value) {
	protobuf_put_bytes(&leaves->text, 1, value);
	leaf_end(leaves);
}

void comet_header_hash(struct comet_header *header) {
	struct leaves leaves = {.count = 0};
	buf_init(&leaves.text, LEAF_MAX);
	protobuf_put_u64(&leaves.text, 1, COMET_BLOCK_PROTOCOL);
	protobuf_put_u64(&leaves.text, 2, header->version_app);
	leaf_end(&leaves);
	leaf_of_bytes(&leaves, header->chain_id);
	protobuf_put_u64(&leaves.text, 1, header->height);
	leaf_end(&leaves);
	put_time_fields(&leaves.text, &header->time);
	leaf_end(&leaves);
	put_block_id_fields(&leaves.text, &header->last_block);
	leaf_end(&leaves);
	leaf_of_bytes(&leaves, header->last_commit);
	leaf_of_bytes(&leaves, header->data);
	leaf_of_bytes(&leaves, header->validators);
	leaf_of_bytes(&leaves, header->next_validators);
	leaf_of_bytes(&leaves, header->consensus);
	leaf_of_bytes(&leaves, header->app);
	leaf_of_bytes(&leaves, header->last_results);
	leaf_of_bytes(&leaves, header->evidence);
	leaf_of_bytes(&leaves, header->proposer);
	header->hash = merkle_root(leaves.hashes, leaves.count);
	buf_fini(&leaves.text);
}

void comet_sign_bytes(struct buf *out, const struct comet_light_block *block, size_t index) {
	const struct comet_signature *signature = &block->commit.signatures[index];
	struct buf vote;
	buf_init(&vote, 256);
	protobuf_put_u64(&vote, 1, PRECOMMIT);
	protobuf_put_fixed64(&vote, 2, block->header.height);
	protobuf_put_fixed64(&vote, 3, block->commit.round);
	comet_put_block_id(&vote, 4, &block->commit.id);
	comet_put_time(&vote, 5, &signature->time);
	protobuf_put_bytes(&vote, 6, block->header.chain_id);
	protobuf_put_uvarint(out, vote.len);
	buf_append(out, buf_view(&vote));
	buf_fini(&vote);
}

/* --- what travels --- */

static void put_header(struct buf *out, const struct comet_header *header) {
	const struct bytes hashes[] = {header->last_commit, header->data, header->validators, header->next_validators,
	    header->consensus, header->app, header->last_results, header->evidence, header->proposer};
	const size_t mark = protobuf_begin(out, 1), version = protobuf_begin(out, 1);
	protobuf_put_u64(out, 1, COMET_BLOCK_PROTOCOL);
	protobuf_put_u64(out, 2, header->version_app);
	protobuf_end(out, version);
	protobuf_put_bytes(out, 2, header->chain_id);
	protobuf_put_u64(out, 3, header->height);
	comet_put_time(out, 4, &header->time);
	comet_put_block_id(out, 5, &header->last_block);
	for (uint32_t i = 0; i < sizeof hashes / sizeof *hashes; i++) protobuf_put_bytes(out, 6 + i, hashes[i]);
	protobuf_end(out, mark);
}

static void put_commit(struct buf *out, const struct comet_light_block *block) {
	const size_t mark = protobuf_begin(out, 2);
	protobuf_put_u64(out, 1, block->header.height);
	protobuf_put_u64(out, 2, block->commit.round);
	comet_put_block_id(out, 3, &block->commit.id);
	for (size_t i = 0; i < block->validators.count; i++) {
		const struct comet_signature *signature = &block->commit.signatures[i];
		const size_t one = protobuf_begin(out, 4);
		protobuf_put_u64(out, 1, signature->vote);
		if (signature->vote != COMET_VOTE_ABSENT) protobuf_put_bytes(out, 2, BYTES_OF(signature->address));
		comet_put_time(out, 3, &signature->time);
		if (signature->vote != COMET_VOTE_ABSENT)
			protobuf_put_bytes(out, 4, bytes_make(signature->signature, 64));
		protobuf_end(out, one);
	}
	protobuf_end(out, mark);
}

static void put_validators(struct buf *out, const struct comet_validators *set) {
	const size_t mark = protobuf_begin(out, 2);
	for (size_t i = 0; i < set->count; i++) {
		const size_t one = protobuf_begin(out, 1), key = protobuf_begin(out, 2);
		protobuf_put_bytes(out, 1, BYTES_OF(set->list[i].key));
		protobuf_end(out, key);
		protobuf_put_u64(out, 3, set->list[i].power);
		protobuf_end(out, one);
	}
	protobuf_end(out, mark);
}

void comet_light_block_encode(struct buf *out, const struct comet_light_block *block) {
	const size_t mark = protobuf_begin(out, 1);
	put_header(out, &block->header);
	put_commit(out, block);
	protobuf_end(out, mark);
	put_validators(out, &block->validators);
}
