/*
 * Finding logs. Each constraint of a filter (its addresses, the topics of a place) is a set of rows of the log index;
 * blocks that stand in all of them are found by seeking from one to the other, then the transactions in all of them,
 * and their receipts decide. A filter without constraints walks the receipts.
 */
#include "crypto/hash.h"
#include "ledger/chain/chain_private.h"
#include "ledger/chain/log_index.h"
#include "ledger/chain/rows.h"

#define NO_BLOCK UINT64_MAX
enum { CONSTRAINTS_MAX = 5, ALL_ITEMS = 0xffff };
_Static_assert(GROUP_ITEMS == 16, "a group's items are marked in 16 bits");

/* Any of these values. */
struct constraint {
	size_t count;
	uint64_t *fingerprints;
	uint64_t *next; /* of each: the first block from the last place asked for that has it, or NO_BLOCK */
};

struct log_search {
	struct chain *chain;
	const struct store_snapshot *snapshot;
	const struct log_filter *filter;
	uint64_t to;
	size_t left; /* logs that may still be visited */
	void (*visit)(void *context, const struct found_log *log);
	void *context;
	struct constraint constraints[CONSTRAINTS_MAX];
	size_t constraint_count;
	struct store_cursor *cursor; /* on LOG_INDEX, or on RECEIPTS */
	struct arena filter_arena, arena;
};

bool log_filter_matches(const struct log_filter *filter, const struct log *log) {
	bool any = filter->address_count == 0;
	for (size_t i = 0; i < filter->address_count && !any; i++)
		any = addr20_equal(&filter->addresses[i], &log->address);
	if (!any || filter->topic_count > log->topic_count) return false;
	for (size_t t = 0; t < filter->topic_count && any; t++) {
		any = filter->topics[t].count == 0;
		for (size_t i = 0; i < filter->topics[t].count && !any; i++)
			any = hash32_equal(&filter->topics[t].any_of[i], &log->topics[t]);
	}
	return any;
}

/* --- one block's logs --- */

struct searched_block {
	uint64_t number;
	hash32 hash;
	struct block_key key;
	bool has_timestamp;
	uint64_t timestamp;
};

static struct searched_block searched_block(uint64_t number, const hash32 *hash) {
	return (struct searched_block){.number = number, .hash = *hash, .key = block_key(number, hash)};
}

static enum status read_timestamp(struct log_search *search, struct searched_block *block, struct err *err) {
	struct store_value row;
	struct header header;
	if (block->has_timestamp) return STATUS_OK;
	TRY(store_get(search->chain->store, search->snapshot, TABLE_HEADER, &row, BYTES_OF(block->key), err));
	const enum status status = header_decode(&header, row.view, err);
	store_value_release(&row);
	if (status != STATUS_OK) return err_prefix(err, STATUS_CORRUPT, "stored header");
	block->timestamp = header.timestamp;
	block->has_timestamp = true;
	return STATUS_OK;
}

/* A group of receipts with the transactions beside it, which are read when a log of theirs matches. */
struct searched_group {
	struct searched_block *block;
	size_t first;
	struct bytes receipts;
	struct store_value transactions;
};

static enum status read_tx_hash(
    struct log_search *search, struct searched_group *group, hash32 *out, size_t item, struct err *err) {
	struct bytes envelope;
	if (group->transactions.view.data == NULL)
		TRY(chain_read_group(search->chain, search->snapshot, &group->transactions, TABLE_TXS,
		    &group->block->key, group->first, err));
	TRY(group_row_item(&envelope, group->transactions.view, item, err));
	*out = keccak256(envelope);
	return STATUS_OK;
}

static enum status visit_receipt(
    struct log_search *search, struct searched_group *group, size_t item, struct err *err) {
	struct bytes bytes;
	struct mined_receipt mined;
	struct searched_block *block = group->block;
	TRY(group_row_item(&bytes, group->receipts, item, err));
	TRY(receipt_item_decode(&mined, &search->arena, bytes, false, err));
	struct found_log found = {.block_number = block->number,
	    .block_hash = block->hash,
	    .tx_index = (uint32_t)(group->first + item),
	    .log_index = mined.first_log};
	bool is_first = true;
	for (size_t i = 0; i < mined.receipt.log_count; i++, found.log_index++) {
		found.log = &mined.receipt.logs[i];
		if (!log_filter_matches(search->filter, found.log)) continue;
		if (search->left-- == 0) return err_set(err, STATUS_LIMIT, "the query matches too many logs");
		if (is_first) {
			TRY(read_timestamp(search, block, err));
			TRY(read_tx_hash(search, group, &found.tx_hash, item, err));
			found.block_timestamp = block->timestamp;
			is_first = false;
		}
		search->visit(search->context, &found);
	}
	return STATUS_OK;
}

/* `marks`: bit i stands for the group's item i. */
static enum status visit_group(struct log_search *search, struct searched_block *block, size_t first,
    struct bytes receipts, uint16_t marks, struct err *err) {
	struct searched_group group = {.block = block, .first = first, .receipts = receipts};
	size_t count;
	TRY(group_row_count(&count, receipts, err));
	enum status status = STATUS_OK;
	for (size_t item = 0; item < count && status == STATUS_OK; item++)
		if (marks >> item & 1) status = visit_receipt(search, &group, item, err);
	store_value_release(&group.transactions);
	arena_reset(&search->arena);
	return status;
}

/* --- without the index --- */

static enum status scan(struct log_search *search, struct err *err) {
	const struct number_key first = number_key(search->filter->from);
	struct searched_block block = {.number = NO_BLOCK};
	struct store_cursor *cursor = search->cursor;
	for (store_cursor_seek(cursor, BYTES_OF(first)); store_cursor_valid(cursor); store_cursor_next(cursor)) {
		const struct bytes key = store_cursor_key(cursor);
		hash32 hash;
		if (key.len != sizeof(struct group_key))
			return err_set(err, STATUS_CORRUPT, "a stored group's key is malformed");
		const uint64_t number = load_be64(key.data);
		if (number > search->to) break;
		memcpy(hash.b, key.data + 8, sizeof hash);
		if (number != block.number) block = searched_block(number, &hash);
		TRY(visit_group(search, &block, load_be32(key.data + 40), store_cursor_value(cursor), ALL_ITEMS, err));
	}
	return store_cursor_status(cursor, err);
}

/* --- with it --- */

static void add_constraint(struct log_search *search, struct constraint **out, size_t count) {
	*out = &search->constraints[search->constraint_count++];
	(*out)->count = count;
	(*out)->fingerprints = arena_alloc(&search->filter_arena, count * sizeof *(*out)->fingerprints);
	(*out)->next = arena_zalloc(&search->filter_arena, count, sizeof *(*out)->next);
}

static void add_constraints(struct log_search *search) {
	const struct log_filter *filter = search->filter;
	struct constraint *constraint;
	if (filter->address_count > 0) add_constraint(search, &constraint, filter->address_count);
	for (size_t i = 0; i < filter->address_count; i++)
		constraint->fingerprints[i] = log_index_address(&filter->addresses[i]);
	for (size_t place = 0; place < filter->topic_count; place++) {
		if (filter->topics[place].count == 0) continue;
		add_constraint(search, &constraint, filter->topics[place].count);
		for (size_t i = 0; i < filter->topics[place].count; i++)
			constraint->fingerprints[i] = log_index_topic(&filter->topics[place].any_of[i], place);
	}
}

static enum status seek(
    struct log_search *search, uint64_t *next, uint64_t fingerprint, uint64_t from, struct err *err) {
	const struct log_index_key key = log_index_key(fingerprint, from);
	store_cursor_seek(search->cursor, BYTES_OF(key));
	*next = NO_BLOCK;
	if (!store_cursor_valid(search->cursor)) return store_cursor_status(search->cursor, err);
	const struct bytes found = store_cursor_key(search->cursor);
	if (found.len != sizeof key) return err_set(err, STATUS_CORRUPT, "a stored log index key is malformed");
	if (memcmp(found.data, key.b, 8) == 0) *next = load_be64(found.data + 8);
	return STATUS_OK;
}

/* The first block from `from` on with one of the constraint's values. */
static enum status next_block(
    struct log_search *search, uint64_t *out, struct constraint *constraint, uint64_t from, struct err *err) {
	*out = NO_BLOCK;
	for (size_t i = 0; i < constraint->count; i++) {
		if (constraint->next[i] < from)
			TRY(seek(search, &constraint->next[i], constraint->fingerprints[i], from, err));
		if (constraint->next[i] < *out) *out = constraint->next[i];
	}
	return STATUS_OK;
}

/* The first block from `*number` on that is in all constraints. */
static enum status next_common_block(struct log_search *search, uint64_t *number, struct err *err) {
	for (size_t agreed = 0, i = 0; agreed < search->constraint_count && *number <= search->to;) {
		uint64_t found;
		TRY(next_block(search, &found, &search->constraints[i], *number, err));
		agreed = found == *number ? agreed + 1 : 1;
		*number = found;
		i = (i + 1) % search->constraint_count;
	}
	return STATUS_OK;
}

/* Marks, group by group, the transactions that one row names. */
static enum status mark_row(struct log_search *search, uint16_t *marks, size_t group_count, uint64_t fingerprint,
    uint64_t number, struct err *err) {
	struct store_value row;
	const struct log_index_key key = log_index_key(fingerprint, number);
	TRY(store_get(search->chain->store, search->snapshot, TABLE_LOG_INDEX, &row, BYTES_OF(key), err));
	struct log_index_reader reader = log_index_reader(row.view);
	for (uint32_t tx; log_index_next(&reader, &tx);) {
		if (tx / GROUP_ITEMS >= group_count) {
			reader.failed = true;
			break;
		}
		marks[tx / GROUP_ITEMS] |= (uint16_t)(1u << tx % GROUP_ITEMS);
	}
	store_value_release(&row);
	return reader.failed ? err_set(err, STATUS_CORRUPT, "a stored log index row is malformed") : STATUS_OK;
}

/* What all constraints mark of a block. */
static enum status mark_block(
    struct log_search *search, uint16_t *all, size_t group_count, uint64_t number, struct err *err) {
	uint16_t *marks = arena_alloc(&search->arena, group_count * sizeof *marks);
	memset(all, 0xff, group_count * sizeof *all);
	for (size_t c = 0; c < search->constraint_count; c++) {
		const struct constraint *constraint = &search->constraints[c];
		memset(marks, 0, group_count * sizeof *marks);
		for (size_t i = 0; i < constraint->count; i++)
			if (constraint->next[i] == number)
				TRY(mark_row(search, marks, group_count, constraint->fingerprints[i], number, err));
		for (size_t g = 0; g < group_count; g++) all[g] &= marks[g];
	}
	return STATUS_OK;
}

static enum status read_block(
    struct log_search *search, struct searched_block *out, size_t *group_count, uint64_t number, struct err *err) {
	struct store *store = search->chain->store;
	struct store_value row;
	struct body_row body;
	hash32 hash = {{0}};
	const struct number_key key = number_key(number);
	TRY(store_get(store, search->snapshot, TABLE_CANONICAL, &row, BYTES_OF(key), err));
	const bool good = row.view.len == sizeof hash;
	if (good) memcpy(hash.b, row.view.data, sizeof hash);
	store_value_release(&row);
	if (!good) return err_set(err, STATUS_CORRUPT, "the log index names a block that is not there");
	*out = searched_block(number, &hash);
	TRY(store_get(store, search->snapshot, TABLE_BODY, &row, BYTES_OF(out->key), err));
	const enum status status = body_row_decode(&body, row.view, err);
	store_value_release(&row);
	*group_count = ((size_t)body.transaction_count + GROUP_ITEMS - 1) / GROUP_ITEMS;
	return status;
}

static enum status visit_block(struct log_search *search, uint64_t number, struct err *err) {
	struct searched_block block;
	size_t group_count = 0;
	TRY(read_block(search, &block, &group_count, number, err));
	uint16_t *marks = mem_zalloc(group_count, sizeof *marks);
	enum status status = mark_block(search, marks, group_count, number, err);
	for (size_t g = 0; g < group_count && status == STATUS_OK; g++) {
		struct store_value receipts;
		if (marks[g] == 0) continue;
		status = chain_read_group(
		    search->chain, search->snapshot, &receipts, TABLE_RECEIPTS, &block.key, g * GROUP_ITEMS, err);
		if (status != STATUS_OK) break;
		status = visit_group(search, &block, g * GROUP_ITEMS, receipts.view, marks[g], err);
		store_value_release(&receipts);
	}
	mem_free(marks);
	arena_reset(&search->arena);
	return status;
}

/* Block 0 has no logs, so that 0 is before every place that is asked for. */
static enum status follow_index(struct log_search *search, struct err *err) {
	uint64_t number = search->filter->from > 0 ? search->filter->from : 1;
	for (;; number++) {
		TRY(next_common_block(search, &number, err));
		if (number > search->to || number == NO_BLOCK) return STATUS_OK;
		TRY(visit_block(search, number, err));
	}
}

/* Block 0 has no logs. */
static enum status check_range(const struct log_search *search, struct err *err) {
	const struct log_filter *filter = search->filter;
	const uint64_t first = chain_horizon(search->chain).first_block, from = filter->from > 0 ? filter->from : 1;
	return from < first && from <= filter->to ? chain_missing_block(search->chain, from, "logs", err) : STATUS_OK;
}

static enum status search_logs(struct log_search *search, bool by_index, struct err *err) {
	struct chain *chain = search->chain;
	TRY(check_range(search, err));
	struct chain_head *head = chain_head(chain);
	struct store_snapshot *snapshot = store_snapshot_new(chain->store);
	const uint64_t newest = head->header.number;
	chain_head_release(head);
	search->to = search->filter->to < newest ? search->filter->to : newest;
	search->snapshot = snapshot;
	arena_init(&search->filter_arena);
	arena_init(&search->arena);
	if (by_index) add_constraints(search);
	const bool has_constraints = search->constraint_count > 0;
	search->cursor = store_cursor_new(chain->store, snapshot, has_constraints ? TABLE_LOG_INDEX : TABLE_RECEIPTS);
	const enum status status = has_constraints ? follow_index(search, err) : scan(search, err);
	store_cursor_free(search->cursor);
	store_snapshot_free(chain->store, snapshot);
	arena_fini(&search->filter_arena);
	arena_fini(&search->arena);
	return status;
}

enum status chain_logs(struct chain *chain, const struct log_filter *filter, size_t limit,
    void (*visit)(void *context, const struct found_log *log), void *context, struct err *err) {
	struct log_search search = {
	    .chain = chain, .filter = filter, .left = limit, .visit = visit, .context = context};
	return search_logs(&search, true, err);
}

enum status chain_logs_by_scan(struct chain *chain, const struct log_filter *filter, size_t limit,
    void (*visit)(void *context, const struct found_log *log), void *context, struct err *err) {
	struct log_search search = {
	    .chain = chain, .filter = filter, .left = limit, .visit = visit, .context = context};
	return search_logs(&search, false, err);
}
