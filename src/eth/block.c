#include "eth/rlp_u256.h"
#include "eth/types.h"

/* A legacy transaction of nine empty fields; typed ones are longer. */
#define TRANSACTION_BYTES_MIN 10
#define HEADER_BYTES_MIN 400
#define WITHDRAWAL_BYTES_MIN (1 + 1 + 1 + 21 + 1)

/* Legacy transactions stand in the list as lists, typed ones as strings (EIP-2718). */
static enum status decode_transactions(
    struct block *out, struct arena *arena, struct rlp_cursor *list, struct err *err) {
	out->transaction_count = rlp_count(list, TRANSACTION_BYTES_MIN);
	out->transactions = arena_zalloc(arena, out->transaction_count, sizeof *out->transactions);
	for (size_t i = 0; i < out->transaction_count; i++) {
		bool is_legacy = rlp_next_is_list(list);
		struct bytes envelope = is_legacy ? rlp_raw(list) : rlp_string(list);
		if (list->fault) break;
		if (!is_legacy && envelope.data[0] >= 0xc0)
			return err_set(err, STATUS_INVALID, "transaction %zu: legacy transaction inside a string", i);
		enum status status = transaction_decode(&out->transactions[i], NULL, arena, envelope, err);
		if (status) return err_prefix(err, status, "transaction %zu", i);
	}
	return STATUS_OK;
}

static enum status decode_ommers(struct block *out, struct arena *arena, struct rlp_cursor *list, struct err *err) {
	out->ommer_count = rlp_count(list, HEADER_BYTES_MIN);
	out->ommers = arena_zalloc(arena, out->ommer_count, sizeof *out->ommers);
	for (size_t i = 0; i < out->ommer_count; i++) {
		enum status status = header_decode(&out->ommers[i], rlp_raw(list), err);
		if (status) return err_prefix(err, status, "ommer %zu", i);
	}
	return STATUS_OK;
}

static void decode_withdrawals(struct block *out, struct arena *arena, struct rlp_cursor *list) {
	out->has_withdrawals = true;
	out->withdrawal_count = rlp_count(list, WITHDRAWAL_BYTES_MIN);
	out->withdrawals = arena_zalloc(arena, out->withdrawal_count, sizeof *out->withdrawals);
	for (size_t i = 0; i < out->withdrawal_count; i++) {
		struct withdrawal *withdrawal = &out->withdrawals[i];
		struct rlp_cursor fields = rlp_enter(list);
		withdrawal->index = rlp_u64(&fields);
		withdrawal->validator_index = rlp_u64(&fields);
		rlp_fixed(&fields, withdrawal->address.b, 20);
		withdrawal->amount_gwei = rlp_u64(&fields);
		rlp_leave(list, &fields);
	}
}

/* The fields of a body, which are also a block's behind its header. */
static enum status decode_body_fields(
    struct block *out, struct arena *arena, struct rlp_cursor *fields, struct err *err) {
	struct rlp_cursor transactions = rlp_enter(fields);
	TRY(decode_transactions(out, arena, &transactions, err));
	rlp_leave(fields, &transactions);
	struct rlp_cursor ommers = rlp_enter(fields);
	TRY(decode_ommers(out, arena, &ommers, err));
	rlp_leave(fields, &ommers);
	if (rlp_at_end(fields)) return STATUS_OK;
	struct rlp_cursor withdrawals = rlp_enter(fields);
	decode_withdrawals(out, arena, &withdrawals);
	rlp_leave(fields, &withdrawals);
	return STATUS_OK;
}

static enum status decode_list(
    struct block *out, struct arena *arena, struct bytes rlp, bool has_header, struct err *err) {
	memset(out, 0, sizeof *out);
	struct rlp_cursor cursor = rlp_cursor(rlp);
	struct rlp_cursor fields = rlp_enter(&cursor);
	if (has_header) {
		struct bytes header = rlp_raw(&fields);
		if (!fields.fault) TRY(header_decode(&out->header, header, err));
	}
	TRY(decode_body_fields(out, arena, &fields, err));
	rlp_leave(&cursor, &fields);
	return rlp_finish(&cursor, err);
}

enum status block_decode(struct block *out, struct arena *arena, struct bytes rlp, struct err *err) {
	enum status status = decode_list(out, arena, rlp, true, err);
	if (status) return err_prefix(err, status, "block");
	if (out->has_withdrawals != (out->header.field_count >= HEADER_SHANGHAI))
		return err_set(err, STATUS_INVALID, "block: withdrawals in the body do not fit the header");
	out->rlp_size = rlp.len;
	return STATUS_OK;
}

enum status block_body_decode(struct block *out, struct arena *arena, struct bytes rlp, struct err *err) {
	enum status status = decode_list(out, arena, rlp, false, err);
	return status ? err_prefix(err, status, "block body") : STATUS_OK;
}

static void encode_transaction_item(struct buf *out, const struct transaction *tx) {
	struct buf envelope;
	buf_init(&envelope, out->max);
	struct bytes raw = tx->raw;
	if (!raw.len) {
		transaction_encode(&envelope, tx);
		raw = buf_view(&envelope);
	}
	if (envelope.overflow)
		out->overflow = true;
	else if (tx->type == TX_LEGACY)
		buf_append(out, raw);
	else
		rlp_put_string(out, raw);
	buf_fini(&envelope);
}

static void encode_withdrawals(struct buf *out, const struct block *block) {
	size_t list = rlp_list_begin(out);
	for (size_t i = 0; i < block->withdrawal_count; i++) {
		const struct withdrawal *withdrawal = &block->withdrawals[i];
		size_t fields = rlp_list_begin(out);
		rlp_put_u64(out, withdrawal->index);
		rlp_put_u64(out, withdrawal->validator_index);
		rlp_put_string(out, BYTES_OF(withdrawal->address));
		rlp_put_u64(out, withdrawal->amount_gwei);
		rlp_list_end(out, fields);
	}
	rlp_list_end(out, list);
}

static void encode_body_fields(struct buf *out, const struct block *block) {
	size_t list = rlp_list_begin(out);
	for (size_t i = 0; i < block->transaction_count; i++) encode_transaction_item(out, &block->transactions[i]);
	rlp_list_end(out, list);
	list = rlp_list_begin(out);
	for (size_t i = 0; i < block->ommer_count; i++) header_encode(out, &block->ommers[i]);
	rlp_list_end(out, list);
	if (block->has_withdrawals) encode_withdrawals(out, block);
}

void block_encode(struct buf *out, const struct block *block) {
	size_t list = rlp_list_begin(out);
	header_encode(out, &block->header);
	encode_body_fields(out, block);
	rlp_list_end(out, list);
}

void block_body_encode(struct buf *out, const struct block *block) {
	size_t list = rlp_list_begin(out);
	encode_body_fields(out, block);
	rlp_list_end(out, list);
}
