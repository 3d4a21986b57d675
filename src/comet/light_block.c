/* Reading a light block, and what its parts must have in common. Writing is in encoding.c. */
#include "comet/light_block.h"

#include "codec/protobuf.h"
#include "crypto/hash.h"

#define TIME_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59 */

struct comet_time comet_time_of_ms(uint64_t ms) {
	return (struct comet_time){(int64_t)(ms / 1000), (uint32_t)(ms % 1000) * 1000000};
}

uint64_t comet_time_ms(const struct comet_time *time) {
	return time->s < 0 ? 0 : (uint64_t)time->s * 1000 + time->ns / 1000000;
}

int comet_time_compare(const struct comet_time *a, const struct comet_time *b) {
	if (a->s != b->s) return a->s < b->s ? -1 : 1;
	return a->ns == b->ns ? 0 : a->ns < b->ns ? -1 : 1;
}

/* --- reading --- */

/* The counts of what was read, which decide whether the rest fits. */
struct reading {
	struct comet_light_block *out;
	uint64_t version_block, commit_height;
	size_t signature_count;
	bool has_header, has_commit;
};

/* Passes a fault of a message inside up. */
static void leave(struct protobuf_cursor *cursor, const struct protobuf_cursor *child) {
	if (child->fault) protobuf_fail(cursor, child->fault);
}

static struct protobuf_cursor enter(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	return protobuf_cursor(protobuf_bytes(cursor, field));
}

/* A number of at most `max`. */
static uint64_t read_number(struct protobuf_cursor *cursor, const struct protobuf_field *field, uint64_t max) {
	const uint64_t value = protobuf_u64(cursor, field);
	if (value <= max) return value;
	protobuf_fail(cursor, "a number is negative or too large");
	return 0;
}

/* Empty, or `len` bytes. */
static struct bytes read_fixed(struct protobuf_cursor *cursor, const struct protobuf_field *field, size_t len) {
	const struct bytes value = protobuf_bytes(cursor, field);
	if (value.len == 0 || value.len == len) return value;
	protobuf_fail(cursor, "a hash, an address or a signature has a wrong length");
	return bytes_make(cursor->end, 0);
}

static struct comet_time read_time(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	struct comet_time time = {0, 0};
	while (protobuf_next(&child, &inner))
		if (inner.number == 1)
			time.s = protobuf_i64(&child, &inner);
		else if (inner.number == 2)
			time.ns = (uint32_t)read_number(&child, &inner, 999999999);
	if (time.s < COMET_NO_TIME || time.s > TIME_MAX) protobuf_fail(&child, "a time is out of range");
	leave(cursor, &child);
	return time;
}

static void read_parts(struct comet_block_id *out, struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	while (protobuf_next(&child, &inner))
		if (inner.number == 1)
			out->total = (uint32_t)read_number(&child, &inner, UINT32_MAX);
		else if (inner.number == 2)
			out->parts = read_fixed(&child, &inner, 32);
	leave(cursor, &child);
}

static struct comet_block_id read_block_id(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	struct comet_block_id id = {0};
	while (protobuf_next(&child, &inner))
		if (inner.number == 1)
			id.hash = read_fixed(&child, &inner, 32);
		else if (inner.number == 2)
			read_parts(&id, &child, &inner);
	leave(cursor, &child);
	return id;
}

static void read_version(struct reading *in, struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	while (protobuf_next(&child, &inner))
		if (inner.number == 1)
			in->version_block = protobuf_u64(&child, &inner);
		else if (inner.number == 2)
			in->out->header.version_app = protobuf_u64(&child, &inner);
	leave(cursor, &child);
}

static void read_header(struct reading *in, struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct comet_header *header = &in->out->header;
	struct bytes *const hashes[] = {&header->last_commit, &header->data, &header->validators,
	    &header->next_validators, &header->consensus, &header->app, &header->last_results, &header->evidence};
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	while (protobuf_next(&child, &inner))
		if (inner.number == 1)
			read_version(in, &child, &inner);
		else if (inner.number == 2)
			header->chain_id = protobuf_bytes(&child, &inner);
		else if (inner.number == 3)
			header->height = read_number(&child, &inner, COMET_HEIGHT_MAX);
		else if (inner.number == 4)
			header->time = read_time(&child, &inner);
		else if (inner.number == 5)
			header->last_block = read_block_id(&child, &inner);
		else if (inner.number >= 6 && inner.number < 6 + sizeof hashes / sizeof *hashes)
			*hashes[inner.number - 6] = read_fixed(&child, &inner, 32);
		else if (inner.number == 14)
			header->proposer = read_fixed(&child, &inner, sizeof(addr20));
	leave(cursor, &child);
	in->has_header = true;
}

static void read_signature(
    struct comet_signature *out, struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	struct bytes address = {0}, signature = {0};
	uint64_t vote = 0;
	while (protobuf_next(&child, &inner))
		if (inner.number == 1)
			vote = protobuf_u64(&child, &inner);
		else if (inner.number == 2)
			address = read_fixed(&child, &inner, sizeof out->address.b);
		else if (inner.number == 3)
			out->time = read_time(&child, &inner);
		else if (inner.number == 4)
			signature = read_fixed(&child, &inner, sizeof out->signature);
	if (vote < COMET_VOTE_ABSENT || vote > COMET_VOTE_NIL)
		protobuf_fail(&child, "a vote is neither absent, nor for the block, nor for none");
	else if (vote == COMET_VOTE_ABSENT &&
		 (address.len || signature.len || out->time.s != COMET_NO_TIME || out->time.ns))
		protobuf_fail(&child, "an absent vote has an address, a time or a signature");
	else if (vote != COMET_VOTE_ABSENT && (!address.len || !signature.len))
		protobuf_fail(&child, "a vote has no address or no signature");
	if (!child.fault && vote != COMET_VOTE_ABSENT) {
		memcpy(out->address.b, address.data, sizeof out->address.b);
		memcpy(out->signature, signature.data, sizeof out->signature);
	}
	out->vote = (enum comet_vote)vote;
	leave(cursor, &child);
}

static void read_commit(struct reading *in, struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct comet_commit *commit = &in->out->commit;
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	while (protobuf_next(&child, &inner))
		if (inner.number == 1)
			in->commit_height = read_number(&child, &inner, COMET_HEIGHT_MAX);
		else if (inner.number == 2)
			commit->round = (uint32_t)read_number(&child, &inner, INT32_MAX);
		else if (inner.number == 3)
			commit->id = read_block_id(&child, &inner);
		else if (inner.number == 4 && in->signature_count < COMET_VALIDATORS_MAX)
			read_signature(&commit->signatures[in->signature_count++], &child, &inner);
		else if (inner.number == 4)
			protobuf_fail(&child, "there are too many votes");
	leave(cursor, &child);
	in->has_commit = true;
}

static void read_signed_header(struct reading *in, struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	while (protobuf_next(&child, &inner))
		if ((inner.number == 1 && in->has_header) || (inner.number == 2 && in->has_commit))
			protobuf_fail(&child, "there are two headers or two commits");
		else if (inner.number == 1)
			read_header(in, &child, &inner);
		else if (inner.number == 2)
			read_commit(in, &child, &inner);
	leave(cursor, &child);
}

static struct bytes read_key(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	struct bytes key = {0};
	while (protobuf_next(&child, &inner))
		if (inner.number == 1)
			key = read_fixed(&child, &inner, 32);
		else
			protobuf_fail(&child, "a validator's key is not an Ed25519 key");
	leave(cursor, &child);
	return key;
}

static void read_validator(
    struct comet_validator *out, struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	struct bytes address = {0}, key = {0};
	while (protobuf_next(&child, &inner))
		if (inner.number == 1)
			address = read_fixed(&child, &inner, sizeof out->address.b);
		else if (inner.number == 2)
			key = read_key(&child, &inner);
		else if (inner.number == 3)
			out->power = read_number(&child, &inner, COMET_POWER_MAX);
	if (!key.len) {
		protobuf_fail(&child, "a validator has no key");
	} else {
		memcpy(out->key.b, key.data, sizeof out->key.b);
		const hash32 digest = sha256(key);
		if (address.len && memcmp(address.data, digest.b, address.len) != 0)
			protobuf_fail(&child, "a validator's address is not its key's");
	}
	leave(cursor, &child);
}

static void read_validators(struct reading *in, struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	struct comet_validators *set = &in->out->validators;
	struct protobuf_cursor child = enter(cursor, field);
	struct protobuf_field inner;
	if (set->count) protobuf_fail(&child, "there are two sets of validators");
	while (protobuf_next(&child, &inner))
		if (inner.number == 1 && set->count < COMET_VALIDATORS_MAX)
			read_validator(&set->list[set->count++], &child, &inner);
		else if (inner.number == 1)
			protobuf_fail(&child, "there are too many validators");
	leave(cursor, &child);
}

/* --- what must be so --- */

static enum status bad(struct err *err, const char *what) {
	return err_set(err, STATUS_INVALID, "a light block is malformed: %s", what);
}

static enum status check_header(const struct comet_header *header, struct err *err) {
	if (header->chain_id.len == 0 || header->chain_id.len > COMET_CHAIN_ID_MAX)
		return bad(err, "its chain has no name, or one that is too long");
	if (header->height == 0) return bad(err, "its height is 0");
	if (!header->validators.len || !header->next_validators.len) return bad(err, "it names no validators");
	if (!header->app.len) return bad(err, "it has no app hash");
	if (!header->proposer.len) return bad(err, "it has no proposer");
	return STATUS_OK;
}

enum status comet_light_block_check(const struct comet_light_block *block, size_t signature_count, struct err *err) {
	const struct comet_block_id *id = &block->commit.id;
	const struct comet_validators *set = &block->validators;
	TRY(check_header(&block->header, err));
	if (!id->hash.len || !id->parts.len || id->total == 0) return bad(err, "its commit is for no block");
	if (!bytes_equal(id->hash, BYTES_OF(block->header.hash))) return bad(err, "its commit is for another header");
	if (!bytes_equal(block->header.validators, BYTES_OF(set->hash)))
		return bad(err, "its validators are not those that the header names");
	if (signature_count != set->count) return bad(err, "its commit has not one vote for each validator");
	for (size_t i = 0; i < signature_count; i++)
		if (block->commit.signatures[i].vote != COMET_VOTE_ABSENT &&
		    !addr20_equal(&block->commit.signatures[i].address, &set->list[i].address))
			return bad(err, "a vote is not at its validator's place");
	return STATUS_OK;
}

enum status comet_light_block_decode(struct comet_light_block *out, struct bytes protobuf, struct err *err) {
	struct reading in = {.out = out};
	struct protobuf_cursor cursor = protobuf_cursor(protobuf);
	struct protobuf_field field;
	*out = (struct comet_light_block){0};
	if (protobuf.len > COMET_LIGHT_BLOCK_MAX)
		return err_set(err, STATUS_INVALID, "a light block has %zu bytes; %zu are allowed", protobuf.len,
		    COMET_LIGHT_BLOCK_MAX);
	while (protobuf_next(&cursor, &field))
		if (field.number == 1)
			read_signed_header(&in, &cursor, &field);
		else if (field.number == 2)
			read_validators(&in, &cursor, &field);
	if (cursor.fault) return bad(err, cursor.fault);
	if (!in.has_header || !in.has_commit) return bad(err, "it has no header or no commit");
	if (in.version_block != COMET_BLOCK_PROTOCOL) return bad(err, "its header is of another version");
	if (in.commit_height != out->header.height) return bad(err, "its commit is of another height");
	enum status status = comet_validators_make(&out->validators, err);
	if (status != STATUS_OK) return err_prefix(err, status, "a light block is malformed");
	comet_header_hash(&out->header);
	return comet_light_block_check(out, in.signature_count, err);
}
