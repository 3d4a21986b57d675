#include "comet/privval.h"

#include <stdio.h>

#include "comet/encoding.h"

enum message { PUB_KEY_REQUEST = 1, SIGN_VOTE_REQUEST = 3, SIGN_PROPOSAL_REQUEST = 5, PING_REQUEST = 7 };
enum kind { KIND_PREVOTE = 1, KIND_PRECOMMIT = 2, KIND_PROPOSAL = 32 };
#define HASH_BYTES 32u
#define CHAIN_ID_MAX 50u
#define REFUSAL_CODE 1u

/* A vote or a proposal. */
struct thing {
	uint64_t kind;
	int64_t height, round, pol_round;
	struct comet_block_id block;
	struct comet_time time;
	struct bytes address, extension, chain_id;
	uint64_t index;
};

int privval_compare(const struct privval_state *a, const struct privval_state *b) {
	if (a->height != b->height) return a->height < b->height ? -1 : 1;
	if (a->round != b->round) return a->round < b->round ? -1 : 1;
	return (int)a->step - (int)b->step;
}

/* --- reading --- */

static enum status read_time(struct comet_time *out, struct bytes message, struct err *err) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	while (protobuf_next(&cursor, &field)) {
		if (field.number == 1) out->s = protobuf_i64(&cursor, &field);
		if (field.number == 2) {
			const uint64_t ns = protobuf_u64(&cursor, &field);
			if (ns >= 1000000000) protobuf_fail(&cursor, "a time has more than a second of nanoseconds");
			out->ns = (uint32_t)ns;
		}
	}
	return protobuf_finish(&cursor, err);
}

static struct bytes read_hash(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	const struct bytes hash = protobuf_bytes(cursor, field);
	if (hash.len && hash.len != HASH_BYTES) protobuf_fail(cursor, "a hash has 32 bytes");
	return hash;
}

static enum status read_parts(struct comet_block_id *out, struct bytes message, struct err *err) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	while (protobuf_next(&cursor, &field)) {
		if (field.number == 2) out->parts = read_hash(&cursor, &field);
		if (field.number != 1) continue;
		const uint64_t total = protobuf_u64(&cursor, &field);
		if (total > UINT32_MAX) protobuf_fail(&cursor, "a block has fewer parts");
		out->total = (uint32_t)total;
	}
	return protobuf_finish(&cursor, err);
}

static enum status read_block(struct comet_block_id *out, struct bytes message, struct err *err) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	enum status status = STATUS_OK;
	while (status == STATUS_OK && protobuf_next(&cursor, &field)) {
		if (field.number == 1) out->hash = read_hash(&cursor, &field);
		if (field.number == 2) status = read_parts(out, protobuf_bytes(&cursor, &field), err);
	}
	return status == STATUS_OK ? protobuf_finish(&cursor, err) : status;
}

/* Numbers of the fields that a vote and a proposal have in different places. */
struct places {
	uint32_t pol_round, block, time, address, index, extension; /* 0: it has none */
};
static const struct places vote_places = {.block = 4, .time = 5, .address = 6, .index = 7, .extension = 9};
static const struct places proposal_places = {.pol_round = 4, .block = 5, .time = 6};

static enum status read_fields(
    struct thing *out, const struct places *at, struct protobuf_cursor *cursor, struct err *err) {
	struct protobuf_field field;
	enum status status = STATUS_OK;
	while (status == STATUS_OK && protobuf_next(cursor, &field)) {
		const uint32_t number = field.number;
		if (number == 1)
			out->kind = protobuf_u64(cursor, &field);
		else if (number == 2)
			out->height = protobuf_i64(cursor, &field);
		else if (number == 3)
			out->round = protobuf_i64(cursor, &field);
		else if (number == at->pol_round)
			out->pol_round = protobuf_i64(cursor, &field);
		else if (number == at->block)
			status = read_block(&out->block, protobuf_bytes(cursor, &field), err);
		else if (number == at->time)
			status = read_time(&out->time, protobuf_bytes(cursor, &field), err);
		else if (number == at->address)
			out->address = protobuf_bytes(cursor, &field);
		else if (number == at->index)
			out->index = protobuf_u64(cursor, &field);
		else if (number == at->extension)
			out->extension = protobuf_bytes(cursor, &field);
	}
	return status == STATUS_OK ? protobuf_finish(cursor, err) : status;
}

static enum status check(const struct thing *thing, bool is_proposal, struct err *err) {
	const bool is_vote = thing->kind == KIND_PREVOTE || thing->kind == KIND_PRECOMMIT;
	const bool has_block = thing->block.hash.len > 0;
	if (is_proposal ? thing->kind != KIND_PROPOSAL : !is_vote)
		return err_set(err, STATUS_INVALID, "neither a vote nor a proposal is of this kind");
	if (thing->height <= 0 || thing->round < 0 || thing->round > INT32_MAX || thing->pol_round < -1 ||
	    thing->pol_round > INT32_MAX)
		return err_set(err, STATUS_INVALID, "its height or its round is out of range");
	if (has_block != (thing->block.parts.len > 0) || has_block != (thing->block.total > 0) ||
	    (is_proposal && !has_block))
		return err_set(err, STATUS_INVALID, "it names half a block, or none");
	if (!thing->chain_id.len || thing->chain_id.len > CHAIN_ID_MAX)
		return err_set(err, STATUS_INVALID, "a chain's name has 1 to %u bytes", CHAIN_ID_MAX);
	if (thing->extension.len && (thing->kind != KIND_PRECOMMIT || !has_block))
		return err_set(err, STATUS_INVALID, "only a vote for a block has an extension");
	return STATUS_OK;
}

/* SignVoteRequest and SignProposalRequest: the thing, and the chain's name. */
static enum status read_request(struct thing *out, struct bytes message, bool is_proposal, struct err *err) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	struct bytes thing = {NULL, 0};
	*out = (struct thing){.kind = 0};
	while (protobuf_next(&cursor, &field)) {
		if (field.number == 1) thing = protobuf_bytes(&cursor, &field);
		if (field.number == 2) out->chain_id = protobuf_bytes(&cursor, &field);
	}
	TRY(protobuf_finish(&cursor, err));
	struct protobuf_cursor fields = protobuf_cursor(thing);
	TRY(read_fields(out, is_proposal ? &proposal_places : &vote_places, &fields, err));
	return check(out, is_proposal, err);
}

/* --- what is signed --- */

static void put_canonical(struct buf *out, const struct thing *thing) {
	const bool is_proposal = thing->kind == KIND_PROPOSAL;
	uint32_t number = 4;
	struct buf text;
	buf_init(&text, PRIVVAL_SIGN_BYTES_MAX);
	protobuf_put_u64(&text, 1, thing->kind);
	protobuf_put_fixed64(&text, 2, (uint64_t)thing->height);
	protobuf_put_fixed64(&text, 3, (uint64_t)thing->round);
	if (is_proposal) protobuf_put_i64(&text, number++, thing->pol_round);
	if (thing->block.hash.len) comet_put_block_id(&text, number, &thing->block);
	comet_put_time(&text, number + 1, &thing->time);
	protobuf_put_bytes(&text, number + 2, thing->chain_id);
	protobuf_put_uvarint(out, text.len);
	buf_append(out, buf_view(&text));
	buf_fini(&text);
}

static void put_canonical_extension(struct buf *out, const struct thing *thing) {
	struct buf text;
	buf_init(&text, PRIVVAL_MESSAGE_MAX + PRIVVAL_SIGN_BYTES_MAX);
	protobuf_put_bytes(&text, 1, thing->extension);
	protobuf_put_fixed64(&text, 2, (uint64_t)thing->height);
	protobuf_put_fixed64(&text, 3, (uint64_t)thing->round);
	protobuf_put_bytes(&text, 4, thing->chain_id);
	protobuf_put_uvarint(out, text.len);
	buf_append(out, buf_view(&text));
	buf_fini(&text);
}

/* The time within what was signed. */
static bool signed_time(struct comet_time *out, const struct privval_state *state) {
	struct bytes rest = bytes_make(state->sign_bytes, state->sign_len);
	struct protobuf_field field;
	uint64_t len;
	if (!protobuf_uvarint(&len, &rest) || len != rest.len) return false;
	const uint32_t number = state->step == PRIVVAL_PROPOSE ? 6 : 5;
	struct protobuf_cursor cursor = protobuf_cursor(rest);
	while (protobuf_next(&cursor, &field))
		if (field.number == number) return read_time(out, protobuf_bytes(&cursor, &field), NULL) == STATUS_OK;
	return false;
}

/* --- the rule --- */

static bool is_last(const struct privval_state *state, const struct thing *thing) {
	struct buf text;
	buf_init(&text, PRIVVAL_SIGN_BYTES_MAX + 8);
	put_canonical(&text, thing);
	const bool is_same = bytes_equal(buf_view(&text), bytes_make(state->sign_bytes, state->sign_len));
	buf_fini(&text);
	return is_same;
}

/* At the height, the round and the step of what was signed last. */
static enum status sign_again(struct privval *signer, struct thing *thing, struct err *err) {
	const struct privval_state *state = &signer->state;
	const struct comet_time asked = thing->time;
	if (state->sign_len && is_last(state, thing)) return STATUS_OK;
	if (state->sign_len && signed_time(&thing->time, state) && is_last(state, thing)) return STATUS_OK;
	thing->time = asked;
	return err_set(err, STATUS_DENIED, "another thing was signed at height %llu, round %u, step %u",
	    (unsigned long long)state->height, state->round, (unsigned)state->step);
}

static enum status sign_new(
    struct privval *signer, struct privval_state *next, const struct thing *thing, struct err *err) {
	struct buf text;
	buf_init(&text, sizeof next->sign_bytes);
	put_canonical(&text, thing);
	enum status status = buf_status(&text, err);
	if (status == STATUS_OK) status = signing_key_ed25519(&signer->key, next->signature, buf_view(&text), err);
	if (status == STATUS_OK) {
		memcpy(next->sign_bytes, text.data, text.len);
		next->sign_len = text.len;
		status = signer->save(signer->context, next, err);
	}
	buf_fini(&text);
	if (status == STATUS_OK) signer->state = *next;
	return status;
}

static enum status sign(struct privval *signer, struct thing *thing, struct err *err) {
	struct privval_state next = {.height = (uint64_t)thing->height,
	    .round = (uint32_t)thing->round,
	    .step = thing->kind == KIND_PROPOSAL  ? PRIVVAL_PROPOSE
		    : thing->kind == KIND_PREVOTE ? PRIVVAL_PREVOTE
						  : PRIVVAL_PRECOMMIT};
	const int order = privval_compare(&next, &signer->state);
	enum status status;
	if (order > 0) return sign_new(signer, &next, thing, err);
	if (order == 0)
		status = sign_again(signer, thing, err);
	else
		status = err_set(err, STATUS_DENIED, "height %llu, round %u, step %u was signed already",
		    (unsigned long long)signer->state.height, signer->state.round, (unsigned)signer->state.step);
	signer->refused += status != STATUS_OK;
	return status;
}

/* --- answers --- */

static void put_refusal(struct buf *out, uint32_t number, const struct err *err) {
	const size_t answer = protobuf_begin(out, number), error = protobuf_begin(out, 2);
	protobuf_put_u64(out, 1, REFUSAL_CODE);
	protobuf_put_bytes(out, 2, bytes_text(err->message));
	protobuf_end(out, error);
	protobuf_end(out, answer);
}

static enum status put_extension(
    struct buf *out, const struct privval *signer, const struct thing *thing, struct err *err) {
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	struct buf text;
	if (thing->kind != KIND_PRECOMMIT || !thing->block.hash.len) return STATUS_OK;
	buf_init(&text, PRIVVAL_MESSAGE_MAX + 2 * PRIVVAL_SIGN_BYTES_MAX);
	put_canonical_extension(&text, thing);
	const enum status status = signing_key_ed25519(&signer->key, signature, buf_view(&text), err);
	buf_fini(&text);
	protobuf_put_bytes(out, 9, thing->extension);
	protobuf_put_bytes(out, 10, bytes_make(signature, sizeof signature));
	return status;
}

static enum status put_signed(
    struct buf *out, const struct privval *signer, const struct thing *thing, struct err *err) {
	const bool is_proposal = thing->kind == KIND_PROPOSAL;
	enum status status = STATUS_OK;
	const size_t answer = protobuf_begin(out, is_proposal ? 6 : 4), inner = protobuf_begin(out, 1);
	const struct bytes signature = bytes_make(signer->state.signature, sizeof signer->state.signature);
	uint32_t number = 4;
	protobuf_put_u64(out, 1, thing->kind);
	protobuf_put_i64(out, 2, thing->height);
	protobuf_put_i64(out, 3, thing->round);
	if (is_proposal) protobuf_put_i64(out, number++, thing->pol_round);
	comet_put_block_id(out, number++, &thing->block);
	comet_put_time(out, number++, &thing->time);
	if (!is_proposal) protobuf_put_bytes(out, number++, thing->address);
	if (!is_proposal) protobuf_put_u64(out, number++, thing->index);
	protobuf_put_bytes(out, number, signature);
	if (!is_proposal) status = put_extension(out, signer, thing, err);
	protobuf_end(out, inner);
	protobuf_end(out, answer);
	return status;
}

static enum status answer_sign(
    struct privval *signer, struct buf *out, struct bytes request, bool is_proposal, struct err *err) {
	struct thing thing;
	struct err why = {0};
	enum status status = read_request(&thing, request, is_proposal, &why);
	if (status == STATUS_OK) status = sign(signer, &thing, &why);
	const size_t before = out->len;
	if (status == STATUS_OK) status = put_signed(out, signer, &thing, &why);
	if (status == STATUS_OK) return status;
	out->len = before;
	put_refusal(out, is_proposal ? 6 : 4, &why);
	if (err) *err = why;
	return STATUS_OK;
}

static void put_key(struct buf *out, const struct privval *signer) {
	const size_t answer = protobuf_begin(out, 2), key = protobuf_begin(out, 1);
	protobuf_put_bytes(out, 1, bytes_make(signer->key.public_key, sizeof(hash32)));
	protobuf_end(out, key);
	protobuf_end(out, answer);
}

enum status privval_answer(struct privval *signer, struct buf *out, struct bytes message, struct err *err) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field = {.number = 0}, next;
	if (!protobuf_next(&cursor, &field)) return err_set(err, STATUS_INVALID, "an empty message asks nothing");
	const struct bytes request = protobuf_bytes(&cursor, &field);
	if (protobuf_next(&cursor, &next)) protobuf_fail(&cursor, "a message asks one thing");
	TRY(protobuf_finish(&cursor, err));
	switch (field.number) {
	case PUB_KEY_REQUEST: put_key(out, signer); return STATUS_OK;
	case SIGN_VOTE_REQUEST: return answer_sign(signer, out, request, false, err);
	case SIGN_PROPOSAL_REQUEST: return answer_sign(signer, out, request, true, err);
	case PING_REQUEST: protobuf_end(out, protobuf_begin(out, 8)); return STATUS_OK;
	}
	return err_set(err, STATUS_INVALID, "a signer is not asked with message %u", field.number);
}
