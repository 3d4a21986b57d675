#include "ledger/chain/rebuild.h"

#include "crypto/hash.h"
#include "ledger/chain/chain_private.h"
#include "ledger/chain/genesis.h"
#include "ledger/chain/rows.h"

#define BLOCK_BYTES_MAX ((size_t)64 << 20)
#define BATCH_BYTES ((size_t)4 << 20)

struct rebuild {
	struct chain *damaged, *fresh;
	struct store *store; /* the fresh one */
	hash32 *hashes;      /* of blocks 0 to head */
	uint64_t head;
	struct chain_rebuilt *out;
};

static enum status lost(struct err *err, enum status status, uint64_t number) {
	const bool is_lost = status == STATUS_NOTFOUND || status == STATUS_INVALID || status == STATUS_CORRUPT;
	return err_prefix(err, is_lost ? STATUS_CORRUPT : status, "block %llu is lost", (unsigned long long)number);
}

/* --- which blocks --- */

/* The header under a number and a hash: the tables that lead from one to the other may be damaged. */
static enum status read_parent(struct rebuild *rebuild, uint64_t number, struct err *err) {
	const struct block_key key = block_key(number, &rebuild->hashes[number]);
	struct store_value row;
	struct header header;
	TRY(chain_get(rebuild->damaged, &row, TABLE_HEADER, BYTES_OF(key), "its header", err));
	const hash32 hash = keccak256(row.view);
	enum status status = header_decode(&header, row.view, err);
	if (status == STATUS_OK && (!hash32_equal(&hash, &rebuild->hashes[number]) || header.number != number))
		status = err_set(err, STATUS_CORRUPT, "its header has another hash or number");
	if (status == STATUS_OK) rebuild->hashes[number - 1] = header.parent_hash;
	store_value_release(&row);
	return status;
}

static enum status find_hashes(struct rebuild *rebuild, struct err *err) {
	for (uint64_t number = rebuild->head; number > 0; number--) {
		const enum status status = read_parent(rebuild, number, err);
		if (status != STATUS_OK) return lost(err, status, number);
	}
	if (hash32_equal(&rebuild->hashes[0], chain_genesis_hash(rebuild->damaged))) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "the headers do not lead to the genesis");
}

/* --- the blocks --- */

static enum status take_block(struct rebuild *rebuild, struct arena *arena, uint64_t number, struct err *err) {
	const hash32 *hash = &rebuild->hashes[number];
	struct secp_signature seal;
	struct block block;
	struct buf rlp;
	enum status status = chain_block_at(rebuild->damaged, &block, arena, number, hash, err);
	if (status == STATUS_OK) {
		const hash32 transactions = exec_transactions_root(&block);
		if (!hash32_equal(&transactions, &block.header.transactions_root))
			status = err_set(err, STATUS_CORRUPT, "its transactions differ from what its header says");
	}
	if (status != STATUS_OK) return lost(err, status, number);
	const enum status sealed = chain_seal(rebuild->damaged, &seal, hash, err);
	if (sealed != STATUS_OK && sealed != STATUS_NOTFOUND) return lost(err, sealed, number);
	buf_init(&rlp, BLOCK_BYTES_MAX);
	block_encode(&rlp, &block);
	status = buf_status(&rlp, err);
	if (status == STATUS_OK)
		status = chain_import_sealed(rebuild->fresh, buf_view(&rlp), sealed == STATUS_OK ? &seal : NULL, err);
	buf_fini(&rlp);
	rebuild->out->transactions += block.transaction_count;
	if (status != STATUS_INVALID) return status;
	return err_prefix(err, STATUS_UNSUPPORTED, "block %llu cannot be made again", (unsigned long long)number);
}

static enum status take_blocks(struct rebuild *rebuild, struct err *err) {
	struct arena arena;
	enum status status = STATUS_OK;
	arena_init(&arena);
	chain_sync_later(rebuild->fresh, true);
	for (uint64_t number = 1; number <= rebuild->head && status == STATUS_OK; number++) {
		if (number == rebuild->head) chain_sync_later(rebuild->fresh, false);
		status = take_block(rebuild, &arena, number, err);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	return status;
}

/* --- what stands beside them --- */

/* The fresh chain has its own of these; and blocks aside are not taken along. */
static bool is_copied(enum store_table table, struct bytes key) {
	static const char *const own[] = {"schema", "head", "genesis", "horizon"};
	if (table != TABLE_META) return true;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (bytes_equal(key, bytes_text(own[i]))) return false;
	const struct bytes aside = bytes_text("aside");
	return key.len < aside.len || memcmp(key.data, aside.data, aside.len) != 0;
}

static enum status copy_table(struct rebuild *rebuild, enum store_table table, struct err *err) {
	struct store_cursor *cursor = store_cursor_new(rebuild->damaged->store, NULL, table);
	struct store_batch *batch = store_batch_new();
	enum status status = STATUS_OK;
	for (store_cursor_seek(cursor, (struct bytes){0}); status == STATUS_OK && store_cursor_valid(cursor);
	     store_cursor_next(cursor)) {
		const struct bytes key = store_cursor_key(cursor);
		if (!is_copied(table, key)) continue;
		store_batch_put(batch, rebuild->store, table, key, store_cursor_value(cursor));
		if (store_batch_bytes(batch) < BATCH_BYTES) continue;
		status = store_commit(rebuild->store, batch, false, err);
		store_batch_clear(batch);
	}
	if (status == STATUS_OK) status = store_cursor_status(cursor, err);
	if (status == STATUS_OK) status = store_commit(rebuild->store, batch, true, err);
	store_batch_free(batch);
	store_cursor_free(cursor);
	return status == STATUS_OK
		   ? status
		   : err_prefix(err, status, "the table %s, which follows from no block", store_table_name(table));
}

static enum status copy_rest(struct rebuild *rebuild, struct err *err) {
	static const enum store_table rest[] = {TABLE_META, TABLE_TIME, TABLE_BLOB};
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) TRY(copy_table(rebuild, rest[i], err));
	return STATUS_OK;
}

/* --- all --- */

static enum status open_fresh(struct rebuild *rebuild, struct bytes given, struct err *err) {
	const struct chain_options options = {
	    .genesis_json = given.len ? given : genesis_json(chain_genesis(rebuild->damaged))};
	TRY(chain_open(&rebuild->fresh, rebuild->store, &options, err));
	if (hash32_equal(chain_genesis_hash(rebuild->fresh), chain_genesis_hash(rebuild->damaged))) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "the genesis makes another chain");
}

enum status chain_rebuild(
    struct chain_rebuilt *out, struct store *fresh, struct chain *damaged, struct bytes given, struct err *err) {
	struct rebuild rebuild = {.damaged = damaged, .store = fresh, .out = out};
	struct chain_head *head = chain_head(damaged);
	*out = (struct chain_rebuilt){.head = head->header.number, .head_hash = head->hash};
	chain_head_release(head);
	if (chain_horizon(damaged).first_block > 0)
		return err_set(err, STATUS_PRUNED,
		    "blocks before %llu are not kept, and the state cannot be made of the rest",
		    (unsigned long long)chain_horizon(damaged).first_block);
	rebuild.head = out->head;
	rebuild.hashes = mem_zalloc(rebuild.head + 1, sizeof *rebuild.hashes);
	rebuild.hashes[rebuild.head] = out->head_hash;
	enum status status = find_hashes(&rebuild, err);
	if (status == STATUS_OK) status = open_fresh(&rebuild, given, err);
	if (status == STATUS_OK) status = take_blocks(&rebuild, err);
	if (status == STATUS_OK) status = copy_rest(&rebuild, err);
	chain_close(rebuild.fresh);
	mem_free(rebuild.hashes);
	return status;
}
