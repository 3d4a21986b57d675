/* Reading what was committed. Any thread. */
#include "ledger/chain/chain_private.h"
#include "ledger/chain/rows.h"

enum status chain_canonical_hash(struct chain *chain, hash32 *out, uint64_t number, struct err *err) {
	struct store_value row;
	const struct number_key key = number_key(number);
	*out = (hash32){{0}};
	TRY(chain_get(chain, &row, TABLE_CANONICAL, BYTES_OF(key), "block", err));
	const bool good = row.view.len == sizeof *out;
	if (good) memcpy(out->b, row.view.data, sizeof *out);
	store_value_release(&row);
	return good ? STATUS_OK : err_set(err, STATUS_CORRUPT, "a stored block hash is malformed");
}

static enum status number_of_hash(struct chain *chain, uint64_t *out, const hash32 *hash, struct err *err) {
	struct store_value row;
	*out = 0;
	TRY(chain_get(chain, &row, TABLE_NUMBER, BYTES_OF(*hash), "block", err));
	const bool good = row.view.len == 8;
	if (good) *out = load_be64(row.view.data);
	store_value_release(&row);
	return good ? STATUS_OK : err_set(err, STATUS_CORRUPT, "a stored block number is malformed");
}

enum status chain_header_at(
    struct chain *chain, struct header *out, uint64_t number, const hash32 *hash, struct err *err) {
	struct store_value row;
	const struct block_key key = block_key(number, hash);
	TRY(chain_get(chain, &row, TABLE_HEADER, BYTES_OF(key), "block", err));
	enum status status = header_decode(out, row.view, err);
	store_value_release(&row);
	return status == STATUS_OK ? status : err_prefix(err, STATUS_CORRUPT, "stored header");
}

enum status chain_header_by_number(
    struct chain *chain, struct header *out, hash32 *hash, uint64_t number, struct err *err) {
	hash32 canonical;
	TRY(chain_canonical_hash(chain, &canonical, number, err));
	if (hash != NULL) *hash = canonical;
	return chain_header_at(chain, out, number, &canonical, err);
}

enum status chain_header_by_hash(struct chain *chain, struct header *out, const hash32 *hash, struct err *err) {
	uint64_t number;
	TRY(number_of_hash(chain, &number, hash, err));
	return chain_header_at(chain, out, number, hash, err);
}

enum status chain_block_by_hash(
    struct chain *chain, struct block *out, struct arena *arena, const hash32 *hash, struct err *err) {
	struct store_value row;
	struct header header;
	TRY(chain_header_by_hash(chain, &header, hash, err));
	const struct block_key key = block_key(header.number, hash);
	TRY(chain_get(chain, &row, TABLE_BODY, BYTES_OF(key), "block body", err));
	const struct bytes body = arena_dup(arena, row.view);
	store_value_release(&row);
	if (block_body_decode(out, arena, body, err) != STATUS_OK)
		return err_prefix(err, STATUS_CORRUPT, "stored body");
	out->header = header;
	return STATUS_OK;
}

static enum status receipts_row(
    struct chain *chain, struct bytes *row, struct arena *arena, uint64_t number, const hash32 *hash, struct err *err) {
	struct store_value value;
	const struct block_key key = block_key(number, hash);
	TRY(chain_get(chain, &value, TABLE_RECEIPTS, BYTES_OF(key), "receipts", err));
	*row = arena_dup(arena, value.view);
	store_value_release(&value);
	return STATUS_OK;
}

enum status chain_receipt(struct chain *chain, struct receipt *out, uint64_t *first_log, uint64_t *gas_used,
    struct arena *arena, uint64_t number, const hash32 *block_hash, uint32_t index, struct err *err) {
	struct store_value row;
	struct receipt view;
	uint64_t gas_before;
	const struct block_key key = block_key(number, block_hash);
	TRY(chain_get(chain, &row, TABLE_RECEIPTS, BYTES_OF(key), "receipts", err));
	enum status status = receipts_row_get(&view, arena, row.view, index, err);
	if (status == STATUS_OK) status = receipts_row_before(first_log, &gas_before, row.view, index, err);
	if (status == STATUS_OK) {
		for (size_t i = 0; i < view.log_count; i++) view.logs[i].data = arena_dup(arena, view.logs[i].data);
		*out = view;
		*gas_used = view.cumulative_gas - gas_before;
	}
	store_value_release(&row);
	return status;
}

enum status chain_receipts(struct chain *chain, struct receipt **out, size_t *count, struct arena *arena,
    uint64_t number, const hash32 *block_hash, struct err *err) {
	struct bytes row;
	TRY(receipts_row(chain, &row, arena, number, block_hash, err));
	TRY(receipts_row_count(count, row, err));
	*out = arena_zalloc(arena, *count, sizeof **out);
	for (size_t i = 0; i < *count; i++) TRY(receipts_row_get(&(*out)[i], arena, row, i, err));
	return STATUS_OK;
}

enum status chain_find_tx(
    struct chain *chain, uint64_t *number, uint32_t *index, const hash32 *tx_hash, struct err *err) {
	struct store_value row;
	TRY(chain_get(chain, &row, TABLE_TX_LOOKUP, BYTES_OF(*tx_hash), "transaction", err));
	const enum status status = tx_row_decode(number, index, row.view, err);
	store_value_release(&row);
	TRY(status);
	/* Durable a moment before its block is the head: who sees a receipt must find its state at the head. */
	struct chain_head *head = chain_head(chain);
	const uint64_t newest = head->header.number;
	chain_head_release(head);
	return *number <= newest ? STATUS_OK : err_set(err, STATUS_NOTFOUND, "transaction not found");
}

enum status chain_seal(struct chain *chain, struct secp_signature *out, const hash32 *hash, struct err *err) {
	struct store_value row;
	TRY(chain_get(chain, &row, TABLE_SEAL, BYTES_OF(*hash), "seal", err));
	const enum status status = seal_row_decode(out, row.view, err);
	store_value_release(&row);
	return status;
}
