/* Blocks that others made, and taking blocks back. */
#include "ledger/chain/chain_private.h"
#include "ledger/chain/rows.h"
#include "ledger/state/account_cache.h"

static enum status recover_senders(
    struct ordered_tx *txs, const struct block *block, struct arena *arena, bool homestead, struct err *err) {
	const size_t count = block->transaction_count;
	const struct transaction **list = arena_alloc(arena, count * sizeof *list);
	addr20 *senders = arena_alloc(arena, count * sizeof *senders);
	enum status *statuses = arena_alloc(arena, count * sizeof *statuses);
	for (size_t i = 0; i < count; i++) list[i] = &block->transactions[i];
	transaction_senders(senders, statuses, list, count, homestead);
	for (size_t i = 0; i < count; i++) {
		if (statuses[i] != STATUS_OK)
			return err_set(err, STATUS_INVALID, "invalid block: transaction %zu: invalid sender", i);
		txs[i] = (struct ordered_tx){.tx = list[i], .sender = senders[i]};
	}
	return STATUS_OK;
}

static enum status check_place(struct chain *chain, const struct block *block, const hash32 *hash, struct err *err) {
	struct header known;
	const struct chain_head *head = chain->head;
	if (chain_header_by_hash(chain, &known, hash, NULL) == STATUS_OK)
		return err_set(err, STATUS_EXISTS, "block %llu is known already", (unsigned long long)known.number);
	if (!hash32_equal(&block->header.parent_hash, &head->hash))
		return err_set(err, STATUS_INVALID, "invalid block: its parent is not the head");
	return STATUS_OK;
}

static enum status check_body(const struct block *block, const struct exec_rules *rules, struct err *err) {
	if (block->has_withdrawals != (rules->fork >= FORK_SHANGHAI))
		return err_set(err, STATUS_INVALID, "invalid block: withdrawals do not fit its fork");
	if (rules->fork >= FORK_OSAKA && block->rlp_size > BLOCK_RLP_MAX)
		return err_set(err, STATUS_INVALID, "invalid block: larger than EIP-7934 allows");
	return STATUS_OK;
}

/* What execution gave against what the header says; the hash covers all, the names are for people. */
static enum status compare(
    const struct pending_block *pending, const struct header *claimed, const hash32 *hash, struct err *err) {
	const struct header *got = &pending->header;
	const char *what = NULL;
	if (got->gas_used != claimed->gas_used)
		what = "gas used";
	else if (!hash32_equal(&got->transactions_root, &claimed->transactions_root))
		what = "transactions root";
	else if (!hash32_equal(&got->receipts_root, &claimed->receipts_root))
		what = "receipts root";
	else if (memcmp(got->logs_bloom, claimed->logs_bloom, BLOOM_BYTES) != 0)
		what = "logs bloom";
	else if (!hash32_equal(&got->withdrawals_root, &claimed->withdrawals_root))
		what = "withdrawals root";
	else if (got->blob_gas_used != claimed->blob_gas_used)
		what = "blob gas used";
	else if (!hash32_equal(&got->requests_hash, &claimed->requests_hash))
		what = "requests hash";
	else if (!hash32_equal(&got->state_root, &claimed->state_root))
		what = "state root";
	else if (!hash32_equal(&pending->hash, hash))
		what = "header";
	return what == NULL ? STATUS_OK : err_set(err, STATUS_INVALID, "invalid block: wrong %s", what);
}

static enum status import_decoded(
    struct chain *chain, struct pending_block *pending, const hash32 *hash, struct err *err) {
	struct arena *arena = &pending->private_part->arena;
	const struct block decoded = pending->block;
	const struct header *header = &decoded.header;
	const bool merged = chain->next_is_merged;
	const struct exec_rules rules = genesis_rules(chain->genesis, header->number, header->timestamp, merged);
	TRY(check_place(chain, &decoded, hash, err));
	TRY(chain_check_header(chain, header, &chain->head->header, merged, err));
	TRY(check_body(&decoded, &rules, err));
	TRY(chain_check_ommers(chain, &decoded, err));
	struct ordered_tx *txs = arena_alloc(arena, decoded.transaction_count * sizeof *txs);
	TRY(recover_senders(txs, &decoded, arena, rules.fork >= FORK_HOMESTEAD, err));
	pending->header = *header;
	pending->block.transaction_count = 0; /* filled again as they run */
	TRY(pending_execute(chain, pending, txs, decoded.transaction_count, true, err));
	return compare(pending, header, hash, err);
}

enum status chain_import(struct chain *chain, struct bytes block_rlp, struct err *err) {
	return chain_import_sealed(chain, block_rlp, NULL, err);
}

enum status chain_import_sealed(
    struct chain *chain, struct bytes block_rlp, const struct secp_signature *seal, struct err *err) {
	struct pending_block *pending = pending_new(chain);
	struct arena *arena = &pending->private_part->arena;
	const struct bytes copy = arena_dup(arena, block_rlp);
	enum status status = block_decode(&pending->block, arena, copy, err);
	if (status == STATUS_OK) {
		const hash32 hash = header_hash(&pending->block.header);
		status = import_decoded(chain, pending, &hash, err);
	}
	if (status != STATUS_OK) {
		chain_drop(chain, pending);
		return status;
	}
	return chain_commit(chain, pending, seal, err);
}

/* --- taking back --- */

static enum status read_unwound(struct chain *chain, struct unwound_block *out, struct arena *arena,
    const struct chain_head *head, struct err *err) {
	struct block block;
	struct mined_receipt *receipts;
	out->header = head->header;
	out->hash = head->hash;
	TRY(chain_block_by_hash(chain, &block, arena, &head->hash, err));
	TRY(chain_receipts(chain, &receipts, &out->count, arena, head->header.number, &head->hash, err));
	hash32 *tx_hashes = arena_alloc(arena, out->count * sizeof *tx_hashes);
	for (size_t i = 0; i < out->count; i++) tx_hashes[i] = transaction_hash(&block.transactions[i]);
	out->tx_hashes = tx_hashes;
	out->receipts = receipts;
	return STATUS_OK;
}

static void del_block(struct store_batch *batch, struct chain *chain, const struct unwound_block *gone, bool aside) {
	struct store *store = chain->store;
	const uint64_t number = gone->header.number;
	const struct number_key number_row = number_key(number);
	const struct block_key key = block_key(number, &gone->hash);
	const struct block_key parent = block_key(number - 1, &gone->header.parent_hash);
	for (size_t i = 0; i < gone->count; i++)
		store_batch_del(batch, store, TABLE_TX_LOOKUP, BYTES_OF(gone->tx_hashes[i]));
	store_batch_del(batch, store, TABLE_CANONICAL, BYTES_OF(number_row));
	store_batch_del(batch, store, TABLE_NUMBER, BYTES_OF(gone->hash));
	chain_del_receipts(batch, chain, number, &gone->hash, gone->receipts, gone->count);
	if (aside) {
		chain_put_aside(batch, chain, number, &gone->hash);
	} else {
		store_batch_del(batch, store, TABLE_SEAL, BYTES_OF(gone->hash));
		store_batch_del(batch, store, TABLE_TIME, BYTES_OF(key));
		store_batch_del(batch, store, TABLE_HEADER, BYTES_OF(key));
		chain_del_body(batch, chain, number, &gone->hash, gone->count);
	}
	store_batch_put(batch, store, TABLE_META, bytes_text("head"), BYTES_OF(parent));
}

static enum status take_back(struct chain *chain, const struct unwound_block *gone, bool aside, struct err *err) {
	struct header parent;
	TRY(chain_header_by_hash(chain, &parent, &gone->header.parent_hash, err));
	struct store_batch *batch = store_batch_new();
	enum status status = state_unwind(batch, chain->store, gone->header.number, err);
	if (status == STATUS_OK) {
		del_block(batch, chain, gone, aside);
		status = store_commit(chain->store, batch, !chain->syncs_later, err);
	}
	store_batch_free(batch);
	trie_cache_clear(chain->trie_cache);
	account_cache_clear(chain->account_cache);
	TRY(status);
	TRY(chain_publish(chain, &parent, &gone->header.parent_hash, err));
	return chain_weigh_head(chain, err);
}

static enum status unwind(struct chain *chain, bool aside, struct err *err) {
	struct arena arena;
	struct unwound_block gone;
	if (chain->head->header.number == 0)
		return err_set(err, STATUS_INVALID, "the genesis block cannot be taken back");
	BUG_ON(chain->pending != NULL);
	arena_init(&arena);
	enum status status = read_unwound(chain, &gone, &arena, chain->head, err);
	if (status == STATUS_OK) status = take_back(chain, &gone, aside, err);
	for (size_t i = 0; i < chain->observer_count && status == STATUS_OK; i++) {
		const struct chain_observer *observer = &chain->observers[i];
		if (observer->removed_head != NULL) observer->removed_head(observer->context, &gone);
	}
	arena_fini(&arena);
	return status;
}

enum status chain_unwind_head(struct chain *chain, struct err *err) {
	return unwind(chain, false, err);
}

enum status chain_unwind_aside(struct chain *chain, struct err *err) {
	return unwind(chain, true, err);
}
