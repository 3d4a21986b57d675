/* Reading what was committed. Any thread. */
#include "ledger/chain/chain_private.h"
#include "ledger/chain/rows.h"

enum status chain_canonical_hash(struct chain *chain, hash32 *out, uint64_t number, struct err *err) {
	struct store_value row;
	const struct number_key key = number_key(number);
	*out = (hash32){{0}};
	TRY(store_get(chain->store, NULL, TABLE_CANONICAL, &row, BYTES_OF(key), err));
	if (row.view.data == NULL) return chain_missing_block(chain, number, "block", err);
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
	uint64_t number;
	TRY(number_of_hash(chain, &number, hash, err));
	return chain_block_at(chain, out, arena, number, hash, err);
}

enum status chain_find_tx(
    struct chain *chain, uint64_t *number, uint32_t *index, const hash32 *tx_hash, struct err *err) {
	struct store_value row;
	TRY(chain_get(chain, &row, TABLE_TX_LOOKUP, BYTES_OF(*tx_hash), "transaction", err));
	const enum status status = tx_row_decode(number, index, row.view, err);
	store_value_release(&row);
	TRY(status);
	/* Durable a moment before its block is the head: whoever sees a receipt must find its state at the head. */
	struct chain_head *head = chain_head(chain);
	const uint64_t newest = head->header.number;
	chain_head_release(head);
	return *number <= newest ? STATUS_OK : err_set(err, STATUS_NOTFOUND, "transaction not found");
}

enum status chain_time_ms(struct chain *chain, uint64_t *out, uint64_t number, const hash32 *hash, struct err *err) {
	struct store_value row;
	const struct block_key key = block_key(number, hash);
	*out = 0;
	TRY(chain_get(chain, &row, TABLE_TIME, BYTES_OF(key), "time", err));
	const enum status status = time_row_decode(out, row.view, err);
	store_value_release(&row);
	return status;
}

enum status chain_seal(struct chain *chain, struct secp_signature *out, const hash32 *hash, struct err *err) {
	struct store_value row;
	TRY(chain_get(chain, &row, TABLE_SEAL, BYTES_OF(*hash), "seal", err));
	const enum status status = seal_row_decode(out, row.view, err);
	store_value_release(&row);
	return status;
}
