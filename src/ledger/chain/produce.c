/* The seam: executing a decided block on the head, and committing it in one database transaction. */
#include "codec/rlp.h"
#include "crypto/hash.h"
#include "ledger/chain/chain_private.h"
#include "ledger/chain/rows.h"
#include "ledger/state/account_cache.h"
#include "ledger/store/tables.h"

enum {
	BODY_MARGIN_BYTES = 4096,
	/* So many bytes of receipts, and one transaction's more (2.1 MB at most, EIP-7825): whoever proves how a
	 * transaction ended gets all receipts of its block in one answer. */
	RECEIPTS_ROOM_BYTES = 8 << 20,
	LOG_BYTES = 256, /* of a log beside its data, at most */
};

struct pending_block *pending_new(struct chain *chain) {
	BUG_ON(chain->pending != NULL);
	struct pending_block *pending = mem_zalloc(1, sizeof *pending);
	pending->private_part = mem_zalloc(1, sizeof *pending->private_part);
	arena_init(&pending->private_part->arena);
	pending->private_part->updates = trie_updates_new(chain->trie_cache);
	chain->pending = pending;
	chain->err.message[0] = 0;
	return pending;
}

void chain_drop(struct chain *chain, struct pending_block *pending) {
	if (pending == NULL) return;
	BUG_ON(chain->pending != pending);
	chain->pending = NULL;
	trie_updates_free(pending->private_part->updates);
	arena_fini(&pending->private_part->arena);
	mem_free(pending->private_part);
	mem_free(pending);
}

/* --- executing --- */

/* About what the newest receipt takes. */
static size_t newest_receipt_bytes(struct chain *chain) {
	size_t count, bytes = LOG_BYTES;
	const struct receipt *receipts = executor_receipts(chain->executor, &count);
	const struct receipt *newest = &receipts[count - 1];
	for (size_t i = 0; i < newest->log_count; i++) bytes += LOG_BYTES + newest->logs[i].data.len;
	return bytes;
}

/* Runs them; fills block.transactions, verdicts. `room_bytes`: what the body may still take (EIP-7934). */
static enum status run_transactions(struct chain *chain, struct pending_block *pending, const struct ordered_tx *txs,
    size_t count, bool strict, struct err *err) {
	struct arena *arena = &pending->private_part->arena;
	enum tx_verdict *verdicts = arena_zalloc(arena, count, sizeof *verdicts);
	struct block *block = &pending->block;
	size_t room_bytes = BLOCK_RLP_MAX - BODY_MARGIN_BYTES, receipts_bytes = 0;
	block->transactions = arena_alloc(arena, count * sizeof *block->transactions);
	pending->private_part->senders = arena_alloc(arena, count * sizeof *pending->private_part->senders);
	hash32 *hashes = arena_alloc(arena, count * sizeof *hashes);
	pending->verdicts = verdicts;
	pending->tx_hashes = hashes;
	for (size_t i = 0; i < count; i++) {
		struct exec_tx_result result = {.verdict = TX_VERDICT_GAS_LIMIT_OVER_BLOCK};
		const size_t size = rlp_string_size(txs[i].tx->raw);
		if (strict || (size <= room_bytes && receipts_bytes < RECEIPTS_ROOM_BYTES))
			TRY(executor_run(chain->executor, &result, txs[i].tx, &txs[i].sender));
		verdicts[i] = result.verdict;
		if (result.verdict == TX_VERDICT_OK) {
			pending->private_part->senders[block->transaction_count] = txs[i].sender;
			hashes[block->transaction_count] =
			    txs[i].hash != NULL ? *txs[i].hash : transaction_hash(txs[i].tx);
			block->transactions[block->transaction_count++] = *txs[i].tx;
			room_bytes -= size;
			receipts_bytes += newest_receipt_bytes(chain);
		} else if (strict) {
			return err_set(err, STATUS_INVALID, "transaction %zu: %s", i, tx_verdict_text(result.verdict));
		}
	}
	return STATUS_OK;
}

static enum status edit_state(struct chain *chain, const struct block_decision *decision) {
	const struct block_orders *orders = decision != NULL ? decision->orders : NULL;
	if (orders == NULL || orders->edit == NULL) return STATUS_OK;
	TRY(orders->edit(orders->edit_context, chain->state));
	return state_end_transaction(chain->state, true);
}

static enum status execute(
    struct chain *chain, struct pending_block *pending, const struct ordered_tx *txs, size_t count, bool strict) {
	const struct chain_head *head = chain->head;
	const struct state_source source = state_view_source(head->view);
	const struct exec_rules rules = chain_rules(chain, &pending->header);
	const struct exec_block_hashes hashes = chain_block_hashes(chain);
	struct pending_block_private *own = pending->private_part;
	state_reset(chain->state, &source);
	TRY(executor_begin_block(chain->executor, chain->state, &rules, &pending->header, &hashes, &chain->err));
	TRY(dao_move_funds(chain->genesis, chain->state, pending->header.number));
	TRY(run_transactions(chain, pending, txs, count, strict, &chain->err));
	TRY(edit_state(chain, own->decision));
	TRY(executor_end_block(chain->executor, &pending->header, &pending->block));
	TRY(state_get_diff(chain->state, &own->diff));
	TRY(state_root(&pending->header.state_root, &own->diff, own->updates, head->view, &chain->err));
	pending->receipts = executor_receipts(chain->executor, &pending->receipt_count);
	pending->hash = header_hash(&pending->header);
	pending->block.header = pending->header;
	return STATUS_OK;
}

enum status pending_execute(struct chain *chain, struct pending_block *pending, const struct ordered_tx *txs,
    size_t count, bool strict, struct err *err) {
	const enum status status = execute(chain, pending, txs, count, strict);
	return status == STATUS_OK ? status : chain_fault(chain, status, err);
}

enum status chain_execute(
    struct chain *chain, struct pending_block **out, const struct block_decision *decision, struct err *err) {
	if (!chain->next_is_merged)
		return err_set(err, STATUS_UNSUPPORTED,
		    "blocks can be made only after the merge: set terminalTotalDifficulty to 0 in the genesis file");
	struct pending_block *pending = pending_new(chain);
	enum status status = chain_decide_header(chain, &pending->header, chain->head, decision, err);
	pending->block.has_withdrawals = pending->header.field_count >= HEADER_SHANGHAI;
	pending->private_part->decision = decision;
	pending->time_ms = chain_decide_ms(chain, pending->header.timestamp, decision->time_ms);
	if (status == STATUS_OK)
		status = pending_execute(chain, pending, decision->txs, decision->tx_count, false, err);
	if (status != STATUS_OK) {
		chain_drop(chain, pending);
		return status;
	}
	*out = pending;
	return STATUS_OK;
}

struct state_source chain_pending_state(struct chain *chain, const struct pending_block *pending) {
	BUG_ON(chain->pending != pending);
	return state_as_source(chain->state);
}

/* --- committing --- */

static void put_block(struct store_batch *batch, struct chain *chain, const struct pending_block *pending) {
	const uint64_t number = pending->header.number;
	const struct number_key number_row = number_key(number);
	const struct block_key key = block_key(number, &pending->hash);
	struct store *store = chain->store;
	struct buf bytes;
	u256 total = chain->total_difficulty;
	u256_add_overflow(&total, &total, &pending->header.difficulty);
	buf_init(&bytes, BUF_MAX_DEFAULT);
	header_encode(&bytes, &pending->header);
	store_batch_put(batch, store, TABLE_HEADER, BYTES_OF(key), buf_view(&bytes));
	store_batch_put(batch, store, TABLE_CANONICAL, BYTES_OF(number_row), BYTES_OF(pending->hash));
	store_batch_put(batch, store, TABLE_NUMBER, BYTES_OF(pending->hash), BYTES_OF(number_row));
	store_batch_put(batch, store, TABLE_META, bytes_text("head"), BYTES_OF(key));
	buf_fini(&bytes);
	if (pending->time_ms != 0) {
		uint8_t row[TIME_ROW_BYTES];
		time_row_encode(row, pending->time_ms);
		store_batch_put(batch, store, TABLE_TIME, BYTES_OF(key), bytes_make(row, sizeof row));
	}
	chain_put_body(batch, chain, &pending->block, &pending->hash, &total);
	chain_put_receipts(batch, chain, pending);
	for (size_t i = 0; i < pending->block.transaction_count; i++) {
		uint8_t row[TX_ROW_BYTES];
		tx_row_encode(row, number, (uint32_t)i);
		store_batch_put(
		    batch, store, TABLE_TX_LOOKUP, BYTES_OF(pending->tx_hashes[i]), bytes_make(row, sizeof row));
	}
}

static void put_genesis(struct store_batch *batch, struct chain *chain) {
	uint8_t schema[4];
	store_be32(schema, STORE_SCHEMA);
	store_batch_put(batch, chain->store, TABLE_META, bytes_text("schema"), bytes_make(schema, sizeof schema));
	store_batch_put(batch, chain->store, TABLE_META, bytes_text("genesis"), genesis_json(chain->genesis));
	chain_del_mark(batch, chain);
}

static enum status write_block(
    struct chain *chain, const struct pending_block *pending, const struct secp_signature *seal, struct err *err) {
	struct store_batch *batch = store_batch_new();
	put_block(batch, chain, pending);
	if (pending->header.number == 0) put_genesis(batch, chain);
	if (seal != NULL) {
		uint8_t row[SEAL_ROW_BYTES];
		seal_row_encode(row, seal);
		store_batch_put(batch, chain->store, TABLE_SEAL, BYTES_OF(pending->hash), bytes_make(row, sizeof row));
	}
	for (size_t i = 0; i < pending->note_count; i++)
		store_batch_put(batch, chain->store, TABLE_META, pending->notes[i].key, pending->notes[i].value);
	enum status status = state_write(batch, chain->store, &pending->private_part->diff,
	    pending->private_part->updates, pending->header.number, err);
	if (status == STATUS_OK) status = store_commit(chain->store, batch, !chain->syncs_later, err);
	store_batch_free(batch);
	return status;
}

/* What the next block follows on. */
static void count_block(struct chain *chain, const struct pending_block *pending) {
	const struct header *header = &pending->header;
	chain->time_ms = pending->time_ms;
	u256_add_overflow(&chain->total_difficulty, &chain->total_difficulty, &header->difficulty);
	chain->next_is_merged = chain_is_merged(chain, header, &chain->total_difficulty);
}

enum status chain_commit(
    struct chain *chain, struct pending_block *pending, const struct secp_signature *seal, struct err *err) {
	enum status status = write_block(chain, pending, seal, err);
	if (status == STATUS_OK) {
		trie_updates_committed(pending->private_part->updates);
		account_cache_learn(chain->account_cache, &pending->private_part->diff);
	}
	if (status == STATUS_OK) status = chain_publish(chain, &pending->header, &pending->hash, err);
	if (status == STATUS_OK) {
		count_block(chain, pending);
		for (size_t i = 0; i < chain->observer_count; i++) {
			const struct chain_observer *observer = &chain->observers[i];
			if (observer->new_head != NULL) observer->new_head(observer->context, chain->head, pending);
		}
	}
	chain_drop(chain, pending);
	return status == STATUS_OK ? chain_prune(chain, err) : status;
}
