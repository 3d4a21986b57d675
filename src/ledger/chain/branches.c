#include "ledger/chain/branches.h"

#include "ledger/chain/chain_private.h"
#include "ledger/chain/rows.h"

/* --- blocks aside --- */

struct aside_key {
	uint8_t b[37];
};

static struct aside_key aside_key(const hash32 *hash) {
	struct aside_key key;
	memcpy(key.b, "aside", 5);
	memcpy(key.b + 5, hash->b, 32);
	return key;
}

void chain_put_aside(struct store_batch *batch, struct chain *chain, uint64_t number, const hash32 *hash) {
	const struct aside_key key = aside_key(hash);
	const struct number_key value = number_key(number);
	store_batch_put(batch, chain->store, TABLE_META, BYTES_OF(key), BYTES_OF(value));
}

/* Of a block on the chain or aside. */
static enum status find_number(struct chain *chain, uint64_t *out, const hash32 *hash, struct err *err) {
	struct header header = {0};
	struct store_value row;
	const struct aside_key key = aside_key(hash);
	const enum status status = chain_header_by_hash(chain, &header, hash, NULL);
	*out = header.number;
	if (status != STATUS_NOTFOUND) return status;
	TRY(chain_get(chain, &row, TABLE_META, BYTES_OF(key), "block", err));
	const bool good = row.view.len == 8;
	if (good) *out = load_be64(row.view.data);
	store_value_release(&row);
	if (!good) return err_set(err, STATUS_CORRUPT, "a stored block number is malformed");
	return chain_header_at(chain, &header, *out, hash, err); /* it may have been taken back for good */
}

static enum status keep_aside(
    struct chain *chain, const struct block *block, const hash32 *hash, const u256 *total_difficulty, struct err *err) {
	struct buf rlp;
	struct store_batch *batch = store_batch_new();
	const struct block_key key = block_key(block->header.number, hash);
	buf_init(&rlp, BUF_MAX_DEFAULT);
	header_encode(&rlp, &block->header);
	store_batch_put(batch, chain->store, TABLE_HEADER, BYTES_OF(key), buf_view(&rlp));
	buf_fini(&rlp);
	chain_put_body(batch, chain, block, hash, total_difficulty);
	chain_put_aside(batch, chain, block->header.number, hash);
	const enum status status = store_commit(chain->store, batch, true, err);
	store_batch_free(batch);
	return status;
}

static enum status forget_aside(struct chain *chain, const struct block *block, const hash32 *hash, struct err *err) {
	const uint64_t number = block->header.number;
	struct store_batch *batch = store_batch_new();
	const struct block_key key = block_key(number, hash);
	const struct aside_key aside = aside_key(hash);
	store_batch_del(batch, chain->store, TABLE_HEADER, BYTES_OF(key));
	chain_del_body(batch, chain, number, hash, block->transaction_count);
	store_batch_del(batch, chain->store, TABLE_META, BYTES_OF(aside));
	const enum status status = store_commit(chain->store, batch, true, err);
	store_batch_free(batch);
	return status;
}

/* A block that is aside, executed on the head; one that does not hold is forgotten. */
static enum status import_aside(struct chain *chain, uint64_t number, const hash32 *hash, struct err *err) {
	struct block block;
	struct arena arena;
	struct buf rlp;
	arena_init(&arena);
	buf_init(&rlp, BUF_MAX_DEFAULT);
	enum status status = chain_block_at(chain, &block, &arena, number, hash, err);
	if (status == STATUS_OK) {
		block_encode(&rlp, &block);
		status = chain_import(chain, buf_view(&rlp), err);
		if (status == STATUS_INVALID) {
			const enum status forgotten = forget_aside(chain, &block, hash, NULL);
			if (forgotten != STATUS_OK) status = err_set(err, forgotten, "%s", status_text(forgotten));
		}
	}
	buf_fini(&rlp);
	arena_fini(&arena);
	return status;
}

/* --- the way from one branch to another --- */

struct step {
	uint64_t number;
	hash32 hash;
};

/* The blocks from `hash` back to the chain, newest first, in the arena; `root` is where they leave it. */
static enum status find_way(struct chain *chain, struct step **out, size_t *count, uint64_t *root, struct arena *arena,
    uint64_t number, hash32 hash, struct err *err) {
	size_t room = 0;
	*out = NULL;
	*count = 0;
	for (;; number--) {
		struct header header;
		hash32 canonical;
		const enum status status = chain_canonical_hash(chain, &canonical, number, NULL);
		if (status != STATUS_OK && status != STATUS_NOTFOUND)
			return err_set(err, status, "%s", status_text(status));
		if (status == STATUS_OK && hash32_equal(&canonical, &hash)) break;
		TRY(chain_header_at(chain, &header, number, &hash, err));
		if (number == 0) return err_set(err, STATUS_CORRUPT, "a branch has another block 0");
		if (*count == room) {
			room = room == 0 ? 16 : 2 * room;
			struct step *more = arena_alloc(arena, room * sizeof *more);
			if (*count > 0) memcpy(more, *out, *count * sizeof *more);
			*out = more;
		}
		(*out)[(*count)++] = (struct step){.number = number, .hash = hash};
		hash = header.parent_hash;
	}
	*root = number;
	return STATUS_OK;
}

static enum status go(struct chain *chain, const struct step *way, size_t count, uint64_t root, struct err *err) {
	while (chain->head->header.number > root) TRY(chain_unwind_aside(chain, err));
	for (size_t i = count; i-- > 0;) TRY(import_aside(chain, way[i].number, &way[i].hash, err));
	return STATUS_OK;
}

static enum status go_to(struct chain *chain, uint64_t number, const hash32 *hash, struct err *err) {
	struct arena arena;
	struct step *way;
	size_t count;
	uint64_t root;
	arena_init(&arena);
	enum status status = find_way(chain, &way, &count, &root, &arena, number, *hash, err);
	if (status == STATUS_OK) status = go(chain, way, count, root, err);
	arena_fini(&arena);
	return status;
}

enum status chain_follow(struct chain *chain, const hash32 *hash, struct err *err) {
	uint64_t number;
	const hash32 old_hash = chain->head->hash;
	const uint64_t old_number = chain->head->header.number;
	TRY(find_number(chain, &number, hash, err));
	const enum status status = go_to(chain, number, hash, err);
	if (status == STATUS_INVALID) TRY(go_to(chain, old_number, &old_hash, NULL));
	return status;
}

/* --- weighing --- */

/* Does the body belong to the header? Then what is stored under the header's hash is this block and no other. */
static enum status check_body_roots(const struct block *block, struct err *err) {
	const struct header *header = &block->header;
	const hash32 transactions = exec_transactions_root(block), ommers = chain_ommers_hash(block);
	bool good = hash32_equal(&transactions, &header->transactions_root) &&
		    hash32_equal(&ommers, &header->ommers_hash) &&
		    block->has_withdrawals == (header->field_count >= HEADER_SHANGHAI);
	if (good && block->has_withdrawals) {
		const hash32 withdrawals = exec_withdrawals_root(block);
		good = hash32_equal(&withdrawals, &header->withdrawals_root);
	}
	return good ? STATUS_OK : err_set(err, STATUS_INVALID, "invalid block: its body is not what its header names");
}

static enum status take_aside(
    struct chain *chain, enum chain_taken *taken, const struct block *block, const hash32 *hash, struct err *err) {
	struct header parent;
	u256 total;
	const struct header *header = &block->header;
	if (header->number == 0) return err_set(err, STATUS_INVALID, "invalid block: another block 0");
	const enum status known = chain_header_at(chain, &parent, header->number - 1, &header->parent_hash, err);
	if (known == STATUS_NOTFOUND) return err_set(err, STATUS_INVALID, "invalid block: its parent is unknown");
	TRY(known);
	TRY(chain_weigh(chain, &total, parent.number, &header->parent_hash, err));
	const bool merged = chain_is_merged(chain, &parent, &total);
	TRY(chain_check_header(chain, header, &parent, merged, err));
	TRY(check_body_roots(block, err));
	u256_add_overflow(&total, &total, &header->difficulty);
	TRY(keep_aside(chain, block, hash, &total, err));
	*taken = CHAIN_KEPT_ASIDE;
	const struct header *head = &chain->head->header;
	const bool head_is_after_merge = head->number > 0 && u256_is_zero(&head->difficulty);
	if (merged || head_is_after_merge || !u256_less(&chain->total_difficulty, &total)) return STATUS_OK;
	*taken = CHAIN_CHANGED_BRANCH;

	return chain_follow(chain, hash, err);
}

enum status chain_take(struct chain *chain, enum chain_taken *taken, struct bytes block_rlp, struct err *err) {
	struct arena arena;
	struct block block;
	uint64_t number;
	arena_init(&arena);
	enum status status = block_decode(&block, &arena, block_rlp, err);
	if (status == STATUS_OK) {
		const hash32 hash = header_hash(&block.header);
		const bool extends = hash32_equal(&block.header.parent_hash, &chain->head->hash);
		*taken = CHAIN_EXTENDED;
		if (extends)
			status = chain_import(chain, block_rlp, err);
		else if (find_number(chain, &number, &hash, NULL) == STATUS_OK)
			status = err_set(err, STATUS_EXISTS, "block %llu is known already", (unsigned long long)number);
		else
			status = take_aside(chain, taken, &block, &hash, err);
	}
	arena_fini(&arena);
	return status;
}

/* --- what is named --- */

static enum status check_ancestor(struct chain *chain, const hash32 *hash, const char *name, struct err *err) {
	struct header header;
	const hash32 none = {{0}};
	if (hash32_equal(hash, &none)) return STATUS_OK;
	const enum status status = chain_header_by_hash(chain, &header, hash, err);
	return status == STATUS_NOTFOUND ? err_set(err, STATUS_INVALID, "the %s block is no ancestor of the head", name)
					 : status;
}

enum status chain_set_forkchoice(struct chain *chain, const struct chain_forkchoice *choice, struct err *err) {
	TRY(chain_follow(chain, &choice->head, err));
	TRY(check_ancestor(chain, &choice->safe, "safe", err));
	TRY(check_ancestor(chain, &choice->finalized, "finalized", err));
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, chain->store, TABLE_META, bytes_text("safe"), BYTES_OF(choice->safe));
	store_batch_put(batch, chain->store, TABLE_META, bytes_text("finalized"), BYTES_OF(choice->finalized));
	const enum status status = store_commit(chain->store, batch, true, err);
	store_batch_free(batch);
	return status;
}

static enum status named_block(struct chain *chain, hash32 *out, const char *name, struct err *err) {
	struct store_value row;
	struct header header;
	*out = (hash32){{0}};
	TRY(store_get(chain->store, NULL, TABLE_META, &row, bytes_text(name), err));
	const bool good = row.view.len == sizeof *out || row.view.data == NULL;
	if (row.view.len == sizeof *out) memcpy(out->b, row.view.data, sizeof *out);
	store_value_release(&row);
	if (!good) return err_set(err, STATUS_CORRUPT, "the stored %s block is malformed", name);
	const enum status status = chain_header_by_hash(chain, &header, out, NULL);
	if (status == STATUS_NOTFOUND) *out = (hash32){{0}};
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

enum status chain_get_forkchoice(struct chain *chain, struct chain_forkchoice *out, struct err *err) {
	struct chain_head *head = chain_head(chain);
	out->head = head->hash;
	chain_head_release(head);
	TRY(named_block(chain, &out->safe, "safe", err));
	return named_block(chain, &out->finalized, "finalized", err);
}
