#include "ledger/chain/adopt.h"

#include "crypto/secp256k1_keys.h"
#include "ledger/chain/chain_private.h"
#include "ledger/chain/rows.h"
#include "ledger/state/account_cache.h"
#include "ledger/state/load.h"

static const char MARK[] = "adopting";

static enum status put_mark(struct chain *chain, struct err *err) {
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, chain->store, TABLE_META, bytes_text(MARK), (struct bytes){0});
	const enum status status = store_commit(chain->store, batch, true, err);
	store_batch_free(batch);
	return status;
}

enum status chain_is_adopting(struct chain *chain, bool *out, struct err *err) {
	struct store_value row;
	TRY(store_get(chain->store, NULL, TABLE_META, &row, bytes_text(MARK), err));
	*out = row.view.data != NULL;
	store_value_release(&row);
	return STATUS_OK;
}

void chain_del_mark(struct store_batch *batch, struct chain *chain) {
	store_batch_del(batch, chain->store, TABLE_META, bytes_text(MARK));
}

enum status chain_adopt_begin(struct chain *chain, struct err *err) {
	if (chain->head->header.number != 0)
		return err_set(err, STATUS_EXISTS, "the chain has %llu blocks already: a snapshot is for an empty one",
		    (unsigned long long)chain->head->header.number);
	TRY(put_mark(chain, err));
	return state_wipe(chain->store, err);
}

/* --- blocks --- */

void chain_adopt_header(
    struct chain *chain, struct store_batch *batch, const struct header *header, const hash32 *hash) {
	const struct number_key number = number_key(header->number);
	const struct block_key key = block_key(header->number, hash);
	struct buf bytes;
	buf_init(&bytes, BUF_MAX_DEFAULT);
	header_encode(&bytes, header);
	store_batch_put(batch, chain->store, TABLE_HEADER, BYTES_OF(key), buf_view(&bytes));
	store_batch_put(batch, chain->store, TABLE_CANONICAL, BYTES_OF(number), BYTES_OF(*hash));
	store_batch_put(batch, chain->store, TABLE_NUMBER, BYTES_OF(*hash), BYTES_OF(number));
	buf_fini(&bytes);
}

static enum status differs(struct err *err, const struct header *header, const char *what) {
	return err_set(err, STATUS_INVALID, "block %llu: %s differ from what its header says",
	    (unsigned long long)header->number, what);
}

static enum status check_block(const struct adopted_block *adopted, struct err *err) {
	const struct block *block = adopted->block;
	const struct header *header = &block->header;
	const hash32 transactions = exec_transactions_root(block);
	if (!hash32_equal(&transactions, &header->transactions_root)) return differs(err, header, "transactions");
	const hash32 receipts = exec_receipts_root(adopted->receipts, adopted->receipt_count);
	if (adopted->receipt_count != block->transaction_count || !hash32_equal(&receipts, &header->receipts_root))
		return differs(err, header, "receipts");
	const hash32 ommers = chain_ommers_hash(block);
	const bool has_withdrawals = header->field_count >= HEADER_SHANGHAI;
	if (!hash32_equal(&ommers, &header->ommers_hash) || block->has_withdrawals != has_withdrawals)
		return differs(err, header, "ommers or withdrawals");
	if (!has_withdrawals) return STATUS_OK;
	const hash32 withdrawals = exec_withdrawals_root(block);
	return hash32_equal(&withdrawals, &header->withdrawals_root) ? STATUS_OK : differs(err, header, "withdrawals");
}

static enum status put_lookups(
    struct store_batch *batch, struct chain *chain, const struct block *block, addr20 *senders, struct err *err) {
	for (size_t i = 0; i < block->transaction_count; i++) {
		uint8_t row[TX_ROW_BYTES];
		const hash32 hash = transaction_hash(&block->transactions[i]);
		if (transaction_sender(&senders[i], &block->transactions[i], true, err) != STATUS_OK)
			return err_prefix(err, STATUS_INVALID, "transaction %zu", i);
		tx_row_encode(row, block->header.number, (uint32_t)i);
		store_batch_put(batch, chain->store, TABLE_TX_LOOKUP, BYTES_OF(hash), bytes_make(row, sizeof row));
	}
	return STATUS_OK;
}

enum status chain_adopt_block(
    struct chain *chain, struct store_batch *batch, const struct adopted_block *adopted, struct err *err) {
	struct pending_block_private own = {0};
	const struct pending_block rows = {.header = adopted->block->header,
	    .hash = adopted->hash,
	    .receipts = adopted->receipts,
	    .receipt_count = adopted->receipt_count,
	    .private_part = &own};
	TRY(check_block(adopted, err));
	arena_init(&own.arena);
	own.senders = arena_alloc(&own.arena, adopted->receipt_count * sizeof *own.senders);
	const enum status status = put_lookups(batch, chain, adopted->block, own.senders, err);
	if (status == STATUS_OK) {
		chain_put_body(batch, chain, adopted->block, &adopted->hash, &chain->total_difficulty);
		chain_put_receipts(batch, chain, &rows);
	}
	arena_fini(&own.arena);
	return status;
}

/* --- the end --- */

static void forget_caches(struct chain *chain) {
	trie_cache_clear(chain->trie_cache);
	account_cache_clear(chain->account_cache);
}

static enum status commit_head(
    struct chain *chain, struct store_batch *batch, const struct adopted_head *adopted, struct err *err) {
	const struct block_key key = block_key(adopted->header.number, &adopted->hash);
	const struct chain_horizon horizon = {adopted->first_block, adopted->header.number};
	store_batch_put(batch, chain->store, TABLE_META, bytes_text("head"), BYTES_OF(key));
	for (size_t i = 0; i < adopted->note_count; i++)
		store_batch_put(batch, chain->store, TABLE_META, adopted->notes[i].key, adopted->notes[i].value);
	chain_put_horizon(batch, chain, &horizon);
	chain_del_mark(batch, chain);
	TRY(store_commit(chain->store, batch, true, err));
	chain_set_horizon(chain, &horizon);
	return STATUS_OK;
}

enum status chain_adopt_finish(
    struct chain *chain, struct store_batch *batch, const struct adopted_head *adopted, struct err *err) {
	TRY(commit_head(chain, batch, adopted, err));
	forget_caches(chain);
	TRY(chain_publish(chain, &adopted->header, &adopted->hash, err));
	TRY(chain_weigh_head(chain, err));
	for (size_t i = 0; i < chain->observer_count; i++) {
		const struct chain_observer *observer = &chain->observers[i];
		if (observer->jumped != NULL) observer->jumped(observer->context, chain->head);
	}
	return STATUS_OK;
}

enum status chain_adopt_abort(struct chain *chain, struct err *err) {
	TRY(state_wipe(chain->store, err));
	forget_caches(chain);
	state_reset(chain->state, NULL);
	chain->total_difficulty = u256_from(0);
	TRY(chain_write_genesis(chain, err));
	return chain_weigh_head(chain, err);
}
