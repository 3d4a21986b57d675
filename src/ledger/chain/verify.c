#include "ledger/chain/verify.h"

#include "crypto/hash.h"
#include "ledger/chain/chain_private.h"
#include "ledger/chain/log_index.h"
#include "ledger/chain/rows.h"

static enum status differs(struct err *err, const char *what) {
	return err_set(err, STATUS_CORRUPT, "%s differs from what its header says", what);
}

/* --- the state --- */

/* Reads every row of a table: the store reports blocks that the disk changed. */
static enum status read_table(struct chain *chain, uint64_t *count, enum store_table table, struct err *err) {
	struct store_cursor *cursor = store_cursor_new(chain->store, NULL, table);
	enum status status = STATUS_OK;
	*count = 0;
	for (store_cursor_seek(cursor, (struct bytes){0}); store_cursor_valid(cursor); store_cursor_next(cursor)) {
		const struct bytes key = store_cursor_key(cursor), value = store_cursor_value(cursor);
		const hash32 hash = table == TABLE_CODE ? keccak256(value) : (hash32){{0}};
		if (table == TABLE_CODE && !bytes_equal(key, BYTES_OF(hash))) {
			status = err_set(err, STATUS_CORRUPT, "a stored code differs from its hash");
			break;
		}
		++*count;
	}
	if (status == STATUS_OK) status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status;
}

static enum status read_tables(
    struct chain *chain, struct chain_verification *out, uint64_t counts[TABLE_COUNT], struct err *err) {
	for (enum store_table table = 0; table < TABLE_COUNT; table++) {
		TRY(read_table(chain, &counts[table], table, err));
		out->rows += counts[table];
	}
	out->accounts = counts[TABLE_ACCOUNT];
	out->slots = counts[TABLE_STORAGE];
	out->codes = counts[TABLE_CODE];
	return STATUS_OK;
}

static enum status verify_state(
    struct chain *chain, struct chain_verification *out, const struct header *head, struct err *err) {
	TRY(state_root_rebuild(&out->state_root, chain->store, NULL, err));
	if (!hash32_equal(&out->state_root, &head->state_root))
		return err_set(err, STATUS_CORRUPT,
		    "the root of the stored state is not the one in the header of block %llu",
		    (unsigned long long)head->number);
	return STATUS_OK;
}

/* --- one block --- */

static enum status verify_time(struct chain *chain, const struct header *header, const hash32 *hash, struct err *err) {
	uint64_t time_ms, before_ms = 0;
	enum status status = chain_time_ms(chain, &time_ms, header->number, hash, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK; /* not made here, or by a version that kept none */
	TRY(status);
	status = chain_time_ms(chain, &before_ms, header->number - 1, &header->parent_hash, err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	return time_ms / 1000 == header->timestamp && time_ms >= before_ms ? STATUS_OK : differs(err, "the time");
}

static enum status verify_header(
    struct chain *chain, const struct header *header, const hash32 *hash, uint64_t number, struct err *err) {
	struct header found;
	const hash32 computed = header_hash(header);
	if (!hash32_equal(&computed, hash)) return err_set(err, STATUS_CORRUPT, "the header has another hash");
	if (header->number != number) return err_set(err, STATUS_CORRUPT, "the header has another number");
	TRY(chain_header_by_hash(chain, &found, hash, err));
	if (found.number != number) return err_set(err, STATUS_CORRUPT, "the hash leads to another number");
	if (number == 0) return STATUS_OK;
	hash32 parent;
	const enum status status = chain_canonical_hash(chain, &parent, number - 1, err);
	if (status != STATUS_OK && status != STATUS_PRUNED) return status; /* a snapshot's first header has no parent */
	if (status == STATUS_OK && !hash32_equal(&parent, &header->parent_hash))
		return err_set(err, STATUS_CORRUPT, "the parent is not the block before it");
	TRY(verify_time(chain, header, hash, err));
	if (chain_check_state(chain, number - 1, NULL) != STATUS_OK) return STATUS_OK;
	struct store_value changes;
	const struct number_key key = number_key(number);
	TRY(chain_get(chain, &changes, TABLE_CHANGES, BYTES_OF(key), "the list of its changes is", err));
	store_value_release(&changes);
	return STATUS_OK;
}

static enum status verify_lookup(
    struct chain *chain, const struct transaction *tx, uint64_t number, size_t index, struct err *err) {
	uint64_t found_number;
	uint32_t found_index;
	const hash32 hash = transaction_hash(tx);
	TRY(chain_find_tx(chain, &found_number, &found_index, &hash, err));
	if (found_number == number && found_index == index) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "the hash of transaction %zu leads elsewhere", index);
}

/* What the chain weighs here is what it weighed before, and this block. */
static enum status verify_weight(
    struct chain *chain, const struct header *header, const hash32 *hash, struct err *err) {
	u256 before = u256_from(0), total;
	if (header->number > 0 && header->number - 1 < chain_horizon(chain).first_block) return STATUS_OK;
	TRY(chain_weigh(chain, &total, header->number, hash, err));
	if (header->number > 0) TRY(chain_weigh(chain, &before, header->number - 1, &header->parent_hash, err));
	u256_add_overflow(&before, &before, &header->difficulty);
	return u256_equal(&before, &total) ? STATUS_OK : differs(err, "the total difficulty");
}

static enum status verify_body(
    struct chain *chain, struct chain_verification *out, const struct block *block, struct err *err) {
	const struct header *header = &block->header;
	const hash32 transactions = exec_transactions_root(block), ommers = chain_ommers_hash(block);
	if (!hash32_equal(&transactions, &header->transactions_root)) return differs(err, "the transactions' root");
	if (!hash32_equal(&ommers, &header->ommers_hash)) return differs(err, "the ommers' hash");
	if (block->has_withdrawals) {
		const hash32 withdrawals = exec_withdrawals_root(block);
		if (!hash32_equal(&withdrawals, &header->withdrawals_root))
			return differs(err, "the withdrawals' root");
	}
	for (size_t i = 0; i < block->transaction_count; i++)
		TRY(verify_lookup(chain, &block->transactions[i], header->number, i, err));
	out->transactions += block->transaction_count;
	return STATUS_OK;
}

/* What stands beside the receipts, and is in no root: senders, gas of each alone, and where logs begin. */
static enum status verify_places(
    struct chain *chain, const struct block *block, const struct mined_receipt *mined, size_t count, struct err *err) {
	const bool homestead = chain_rules(chain, &block->header).fork >= FORK_HOMESTEAD;
	uint64_t gas = 0, logs = 0;
	for (size_t i = 0; i < count; i++) {
		addr20 sender = mined[i].sender;
		const struct transaction *tx = &block->transactions[i];
		const bool is_signed = !exec_is_impersonated(tx);
		if ((is_signed && transaction_sender(&sender, tx, homestead, NULL) != STATUS_OK) ||
		    !addr20_equal(&sender, &mined[i].sender))
			return err_set(err, STATUS_CORRUPT, "the sender of transaction %zu is not who signed it", i);
		gas += mined[i].gas_used;
		if (gas != mined[i].receipt.cumulative_gas) return differs(err, "a receipt's gas");
		if (mined[i].first_log != logs) return differs(err, "the place of a log");
		logs += mined[i].receipt.log_count;
	}
	return STATUS_OK;
}

static enum status verify_log_index(struct chain *chain, struct chain_verification *out, uint64_t number,
    const struct mined_receipt *mined, size_t count, struct err *err) {
	struct log_index index;
	uint64_t rows;
	log_index_init(&index);
	for (size_t i = 0; i < count; i++) log_index_add(&index, (uint32_t)i, &mined[i].receipt);
	const enum status status = log_index_check(&index, &rows, chain->store, number, err);
	log_index_fini(&index);
	out->log_rows += rows;
	return status;
}

static enum status verify_receipts(struct chain *chain, struct chain_verification *out, struct arena *arena,
    const struct block *block, const hash32 *hash, struct err *err) {
	struct mined_receipt *mined;
	size_t count;
	uint8_t bloom[BLOOM_BYTES] = {0};
	const struct header *header = &block->header;
	TRY(chain_receipts(chain, &mined, &count, arena, header->number, hash, err));
	struct receipt *receipts = arena_alloc(arena, count * sizeof *receipts);
	for (size_t i = 0; i < count; i++) receipts[i] = mined[i].receipt;
	const hash32 root = exec_receipts_root(receipts, count);
	if (!hash32_equal(&root, &header->receipts_root)) return differs(err, "the receipts' root");
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < BLOOM_BYTES; k++) bloom[k] |= receipts[i].bloom[k];
		out->logs += receipts[i].log_count;
	}
	if (memcmp(bloom, header->logs_bloom, sizeof bloom) != 0) return differs(err, "the logs' bloom");
	const uint64_t gas = count == 0 ? 0 : receipts[count - 1].cumulative_gas;
	if (header->number > 0 && gas != header->gas_used) return differs(err, "the gas used");
	TRY(verify_places(chain, block, mined, count, err));
	return verify_log_index(chain, out, header->number, mined, count, err);
}

static enum status verify_block(
    struct chain *chain, struct chain_verification *out, struct arena *arena, uint64_t number, struct err *err) {
	struct header header;
	struct block block;
	hash32 hash;
	TRY(chain_header_by_number(chain, &header, &hash, number, err));
	TRY(verify_header(chain, &header, &hash, number, err));
	TRY(chain_block_by_hash(chain, &block, arena, &hash, err));
	TRY(verify_weight(chain, &header, &hash, err));
	TRY(verify_body(chain, out, &block, err));
	TRY(verify_receipts(chain, out, arena, &block, &hash, err));
	out->blocks++;
	return STATUS_OK;
}

enum status chain_verify(struct chain *chain, struct chain_verification *out, uint64_t blocks, struct err *err) {
	struct arena arena;
	uint64_t counts[TABLE_COUNT];
	struct chain_head *head = chain_head(chain);
	const uint64_t newest = head->header.number, first = chain_horizon(chain).first_block;
	*out = (struct chain_verification){.head = newest, .first_block = first};
	enum status status = verify_state(chain, out, &head->header, err);
	chain_head_release(head);
	TRY(status);
	TRY(read_tables(chain, out, counts, err));
	arena_init(&arena);
	for (uint64_t back = 0; back < blocks && back <= newest - first && status == STATUS_OK; back++) {
		status = verify_block(chain, out, &arena, newest - back, err);
		if (status != STATUS_OK)
			status = err_prefix(err, status == STATUS_NOTFOUND ? STATUS_CORRUPT : status, "block %llu",
			    (unsigned long long)(newest - back));
		arena_reset(&arena);
	}
	arena_fini(&arena);
	TRY(status);
	if (out->blocks == newest - first + 1 && out->log_rows != counts[TABLE_LOG_INDEX])
		return err_set(err, STATUS_CORRUPT, "the index of logs has rows of no block");
	return STATUS_OK;
}
