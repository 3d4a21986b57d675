/* Finding logs: headers are scanned in order, and only a block whose bloom may match is opened. */
#include "ledger/chain/chain_private.h"
#include "ledger/chain/rows.h"

static bool bloom_may_match(const struct log_filter *filter, const uint8_t bloom[BLOOM_BYTES]) {
	bool any = filter->address_count == 0;
	for (size_t i = 0; i < filter->address_count && !any; i++)
		any = bloom_may_contain(bloom, BYTES_OF(filter->addresses[i]));
	for (size_t t = 0; t < filter->topic_count && any; t++) {
		any = filter->topics[t].count == 0;
		for (size_t i = 0; i < filter->topics[t].count && !any; i++)
			any = bloom_may_contain(bloom, BYTES_OF(filter->topics[t].any_of[i]));
	}
	return any;
}

static bool log_matches(const struct log_filter *filter, const struct log *log) {
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

struct log_search {
	struct chain *chain;
	const struct log_filter *filter;
	size_t left; /* logs that may still be visited */
	void (*visit)(void *context, const struct found_log *log);
	void *context;
	struct arena arena; /* of one block */
};

static enum status visit_receipt(
    struct log_search *search, struct found_log *found, const struct receipt *receipt, struct err *err) {
	for (size_t i = 0; i < receipt->log_count; i++, found->log_index++) {
		found->log = &receipt->logs[i];
		if (!log_matches(search->filter, found->log)) continue;
		if (search->left == 0) return err_set(err, STATUS_LIMIT, "the query matches too many logs");
		search->left--;
		search->visit(search->context, found);
	}
	return STATUS_OK;
}

static enum status visit_block(
    struct log_search *search, const struct header *header, const hash32 *hash, struct err *err) {
	struct receipt *receipts;
	struct block block;
	size_t count;
	TRY(chain_receipts(search->chain, &receipts, &count, &search->arena, header->number, hash, err));
	struct found_log found = {
	    .block_number = header->number, .block_hash = *hash, .block_timestamp = header->timestamp};
	bool any = false;
	for (size_t i = 0; i < count && !any; i++)
		for (size_t k = 0; k < receipts[i].log_count && !any; k++)
			any = log_matches(search->filter, &receipts[i].logs[k]);
	if (!any) return STATUS_OK;
	TRY(chain_block_by_hash(search->chain, &block, &search->arena, hash, err));
	for (size_t i = 0; i < count; i++) {
		found.tx_index = (uint32_t)i;
		if (receipts[i].log_count > 0) found.tx_hash = transaction_hash(&block.transactions[i]);
		TRY(visit_receipt(search, &found, &receipts[i], err));
	}
	return STATUS_OK;
}

/* Only canonical headers are kept, so the table's order is the chain's. */
static enum status scan(struct log_search *search, struct store_cursor *cursor, struct err *err) {
	const struct number_key first = number_key(search->filter->from);
	for (store_cursor_seek(cursor, BYTES_OF(first)); store_cursor_valid(cursor); store_cursor_next(cursor)) {
		struct header header;
		hash32 hash;
		const struct bytes key = store_cursor_key(cursor);
		if (key.len != sizeof(struct block_key))
			return err_set(err, STATUS_CORRUPT, "a stored header's key is malformed");
		if (load_be64(key.data) > search->filter->to) break;
		memcpy(hash.b, key.data + 8, 32);
		TRY(header_decode(&header, store_cursor_value(cursor), err));
		if (!bloom_may_match(search->filter, header.logs_bloom)) continue;
		TRY(visit_block(search, &header, &hash, err));
		arena_reset(&search->arena);
	}
	return store_cursor_status(cursor, err);
}

enum status chain_logs(struct chain *chain, const struct log_filter *filter, size_t limit,
    void (*visit)(void *context, const struct found_log *log), void *context, struct err *err) {
	struct log_search search = {
	    .chain = chain, .filter = filter, .left = limit, .visit = visit, .context = context};
	arena_init(&search.arena);
	struct store_snapshot *snapshot = store_snapshot_new(chain->store);
	struct store_cursor *cursor = store_cursor_new(chain->store, snapshot, TABLE_HEADER);
	const enum status status = scan(&search, cursor, err);
	store_cursor_free(cursor);
	store_snapshot_free(chain->store, snapshot);
	arena_fini(&search.arena);
	return status;
}
