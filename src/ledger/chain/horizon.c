/*
 * How far back this node remembers. Blocks and states before the horizon are dropped after each commit, a few at a
 * time, so that no block waits for it; headers stay, and so does which block a transaction is in.
 */
#include "ledger/chain/chain_private.h"
#include "ledger/chain/rows.h"
#include "ledger/store/tables.h"

enum { HORIZON_ROW_BYTES = 16, DROPPED_AT_ONCE = 16 };

struct chain_horizon chain_horizon(const struct chain *chain) {
	return (struct chain_horizon){
	    .first_block = atomic_load(&chain->first_block), .first_state = atomic_load(&chain->first_state)};
}

enum status chain_load_horizon(struct chain *chain, struct err *err) {
	struct store_value row;
	TRY(store_get(chain->store, NULL, TABLE_META, &row, bytes_text("horizon"), err));
	const bool is_there = row.view.data != NULL, good = row.view.len == HORIZON_ROW_BYTES;
	const uint64_t first_block = is_there && good ? load_be64(row.view.data) : 0;
	const uint64_t first_state = is_there && good ? load_be64(row.view.data + 8) : 0;
	store_value_release(&row);
	if (is_there && !good) return err_set(err, STATUS_CORRUPT, "the stored horizon is malformed");
	chain_set_horizon(chain, &(struct chain_horizon){first_block, first_state});
	return STATUS_OK;
}

void chain_put_horizon(struct store_batch *batch, struct chain *chain, const struct chain_horizon *horizon) {
	uint8_t row[HORIZON_ROW_BYTES];
	store_be64(row, horizon->first_block);
	store_be64(row + 8, horizon->first_state);
	store_batch_put(batch, chain->store, TABLE_META, bytes_text("horizon"), bytes_make(row, sizeof row));
}

void chain_set_horizon(struct chain *chain, const struct chain_horizon *horizon) {
	atomic_store(&chain->first_block, horizon->first_block);
	atomic_store(&chain->first_state, horizon->first_state);
}

enum status chain_missing_block(const struct chain *chain, uint64_t number, const char *what, struct err *err) {
	const uint64_t first = atomic_load(&chain->first_block);
	if (number == 0 || number >= first) return err_set(err, STATUS_NOTFOUND, "%s not found", what);
	return err_set(err, STATUS_PRUNED, "pruned history unavailable: this node keeps blocks from %llu on",
	    (unsigned long long)first);
}

enum status chain_check_state(const struct chain *chain, uint64_t number, struct err *err) {
	const uint64_t first = atomic_load(&chain->first_state);
	if (number >= first) return STATUS_OK;
	return err_set(err, STATUS_PRUNED, "pruned history unavailable: this node keeps states from block %llu on",
	    (unsigned long long)first);
}

/* --- dropping --- */

/* The first block that stays, now that the head is this one. */
static uint64_t first_to_keep(const struct chain *chain, const struct header *head) {
	const uint64_t blocks = chain->retention.blocks;
	return blocks > 0 && head->number >= blocks ? head->number - blocks + 1 : 0;
}

static bool is_too_young(const struct chain *chain, const struct header *header, const struct header *head) {
	return header->timestamp + chain->retention.seconds > head->timestamp;
}

static enum status drop_block(struct chain *chain, struct store_batch *batch, struct arena *arena,
    const struct header *header, const hash32 *hash, struct err *err) {
	struct mined_receipt *receipts;
	size_t count;
	TRY(chain_receipts(chain, &receipts, &count, arena, header->number, hash, err));
	chain_del_receipts(batch, chain, header->number, hash, receipts, count);
	chain_del_body(batch, chain, header->number, hash, count);
	return state_forget(batch, chain->store, header->number, err);
}

static enum status drop_some(struct chain *chain, struct store_batch *batch, struct chain_horizon *horizon,
    const struct header *head, struct err *err) {
	struct arena arena;
	enum status status = STATUS_OK;
	const uint64_t keep = first_to_keep(chain, head);
	uint64_t number = horizon->first_block > 0 ? horizon->first_block : 1;
	arena_init(&arena);
	for (size_t i = 0; i < DROPPED_AT_ONCE && number < keep && status == STATUS_OK; i++, number++) {
		struct header header;
		hash32 hash;
		status = chain_header_by_number(chain, &header, &hash, number, err);
		if (status == STATUS_OK && is_too_young(chain, &header, head)) break;
		if (status == STATUS_OK) status = drop_block(chain, batch, &arena, &header, &hash, err);
		if (horizon->first_state < number) horizon->first_state = number;
		horizon->first_block = number + 1;
		arena_reset(&arena);
	}
	arena_fini(&arena);
	return status;
}

enum status chain_prune(struct chain *chain, struct err *err) {
	const struct chain_horizon before = chain_horizon(chain);
	struct chain_horizon horizon = before;
	if (chain->retention.blocks == 0) return STATUS_OK;
	struct store_batch *batch = store_batch_new();
	enum status status = drop_some(chain, batch, &horizon, &chain->head->header, err);
	if (status == STATUS_OK && horizon.first_block != before.first_block) {
		/* Whoever asks meanwhile is told that it is gone before it is. */
		chain_set_horizon(chain, &horizon);
		chain_put_horizon(batch, chain, &horizon);
		status = store_commit(chain->store, batch, false, err);
	}
	store_batch_free(batch);
	return status;
}
