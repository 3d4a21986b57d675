/*
 * Following the gates' events: BlobNamed and BlobErased of canonical blocks take effect on files and rows, once each;
 * replaying a block changes nothing, so that a crash at any point is mended by catching up from the "h" row.
 */
#include <time.h>

#include "base/log.h"
#include "eth/abi.h"
#include "ledger/blob/blob_room.h"

#define KEY_BYTES (1 + 20 + 32)
#define VALUE_BYTES (32 + 8 + 1)
#define SAVE_EVERY 256u /* blocks without events between two writes of "h" */
#define SETTLE_SECONDS 1

struct key {
	uint8_t b[KEY_BYTES];
};

static struct key key_of(char kind, const addr20 *gate, const hash32 *item) {
	struct key key;
	key.b[0] = (uint8_t)kind;
	memcpy(key.b + 1, gate->b, 20);
	memcpy(key.b + 21, item->b, 32);
	return key;
}

enum status blob_index_find(
    struct blob_room *room, struct blob_item *out, const addr20 *gate, const hash32 *item, struct err *err) {
	*out = (struct blob_item){.gate = *gate, .item = *item};
	struct key key = key_of('i', gate, item);
	struct store_value value;
	TRY(store_get(room->store, NULL, TABLE_BLOB, &value, BYTES_OF(key), err));
	enum status status = STATUS_OK;
	if (!value.view.data)
		status = err_set(err, STATUS_NOTFOUND, "no such item");
	else if (value.view.len != VALUE_BYTES)
		status = err_set(err, STATUS_CORRUPT, "blob row of %zu bytes", value.view.len);
	else {
		memcpy(out->blob.b, value.view.data, 32);
		out->size_bytes = load_be64(value.view.data + 32);
		out->state = value.view.data[40];
	}
	store_value_release(&value);
	return status;
}

static void put_item(struct blob_room *room, struct store_batch *batch, const struct blob_item *item) {
	struct key key = key_of('i', &item->gate, &item->item);
	uint8_t value[VALUE_BYTES];
	memcpy(value, item->blob.b, 32);
	store_be64(value + 32, item->size_bytes);
	value[40] = (uint8_t)item->state;
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_OF(key), bytes_make(value, sizeof value));
}

static void put_owed(struct blob_room *room, struct store_batch *batch, const struct blob_item *item, bool owed) {
	struct key key = key_of('e', &item->gate, &item->item);
	if (owed)
		store_batch_put(batch, room->store, TABLE_BLOB, BYTES_OF(key), (struct bytes){NULL, 0});
	else
		store_batch_del(batch, room->store, TABLE_BLOB, BYTES_OF(key));
}

enum status blob_index_unconfirmed(
    struct blob_room *room, struct blob_item *out, size_t *count, size_t max, struct err *err) {
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	*count = 0;
	for (store_cursor_seek(cursor, BYTES_LITERAL("e")); *count < max && store_cursor_valid(cursor);
	     store_cursor_next(cursor)) {
		struct bytes key = store_cursor_key(cursor);
		if (key.len != KEY_BYTES || key.data[0] != 'e') break;
		struct blob_item *item = &out[(*count)++];
		memcpy(item->gate.b, key.data + 1, 20);
		memcpy(item->item.b, key.data + 21, 32);
	}
	enum status status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status;
}

static enum status on_named(struct blob_room *room, struct store_batch *batch, const struct log *log,
    const struct transaction *tx, struct err *err) {
	struct blob_item item;
	enum status found = blob_index_find(room, &item, &log->address, &log->topics[1], NULL);
	if (found == STATUS_OK && item.state != BLOB_MISSING) return STATUS_OK;
	if (found != STATUS_OK && found != STATUS_NOTFOUND)
		return blob_index_find(room, &item, &log->address, &log->topics[1], err);
	item = (struct blob_item){
	    .gate = log->address, .item = log->topics[1], .blob = log->topics[2], .state = BLOB_NAMED};
	addr20 sender;
	enum status status = transaction_sender(&sender, tx, true, NULL);
	if (status == STATUS_OK)
		status = blob_content_name(room, &item.gate, &item.item, &item.blob, &sender, &item.size_bytes, err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND && status != STATUS_INVALID) return status;
	if (status != STATUS_OK) item.state = BLOB_MISSING;
	put_item(room, batch, &item);
	return STATUS_OK;
}

static enum status on_erased(
    struct blob_room *room, struct store_batch *batch, const struct log *log, struct err *err) {
	struct blob_item item;
	enum status status = blob_index_find(room, &item, &log->address, &log->topics[1], err);
	if (status == STATUS_NOTFOUND) return STATUS_OK; /* erased before it was ever named: nothing is held */
	TRY(status);
	if (item.state == BLOB_ERASED || item.state == BLOB_CONFIRMED) return STATUS_OK;
	TRY(blob_content_delete(room, &item.gate, &item.item, err));
	item.state = BLOB_ERASED;
	put_item(room, batch, &item);
	put_owed(room, batch, &item, true);
	return STATUS_OK;
}

static enum status on_confirmed(
    struct blob_room *room, struct store_batch *batch, const struct log *log, struct err *err) {
	struct blob_item item;
	addr20 node;
	memcpy(node.b, log->topics[2].b + 12, 20);
	if (!addr20_equal(&node, &room->options.node)) return STATUS_OK;
	enum status status = blob_index_find(room, &item, &log->address, &log->topics[1], err);
	if (status == STATUS_NOTFOUND || (status == STATUS_OK && item.state != BLOB_ERASED)) return STATUS_OK;
	TRY(status);
	item.state = BLOB_CONFIRMED;
	put_item(room, batch, &item);
	put_owed(room, batch, &item, false);
	return STATUS_OK;
}

/* One commit an event: a later event of the same block sees what an earlier one did. */
static enum status follow_log(
    struct blob_room *room, const struct log *log, const struct transaction *tx, struct err *err) {
	if (log->topic_count < 2 || !blob_gate_is(room, &log->address)) return STATUS_OK;
	hash32 named = abi_topic("BlobNamed(bytes32,bytes32,uint256)"), erased = abi_topic("BlobErased(bytes32)"),
	       confirmed = abi_topic("ErasureConfirmed(bytes32,address)");
	struct store_batch *batch = store_batch_new();
	enum status status = STATUS_OK;
	if (log->topic_count == 3 && hash32_equal(&log->topics[0], &named))
		status = on_named(room, batch, log, tx, err);
	else if (log->topic_count == 2 && hash32_equal(&log->topics[0], &erased))
		status = on_erased(room, batch, log, err);
	else if (log->topic_count == 3 && hash32_equal(&log->topics[0], &confirmed))
		status = on_confirmed(room, batch, log, err);
	if (status == STATUS_OK && store_batch_bytes(batch) > 0) status = store_commit(room->store, batch, true, err);
	store_batch_free(batch);
	return status;
}

static enum status save_followed(struct blob_room *room, struct err *err) {
	uint8_t value[8];
	store_be64(value, room->followed);
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_LITERAL("h"), bytes_make(value, sizeof value));
	enum status status = store_commit(room->store, batch, false, err);
	store_batch_free(batch);
	if (status == STATUS_OK) room->saved = room->followed;
	return status;
}

static bool bloom_has_gate(const struct blob_room *room, const struct header *header) {
	for (size_t i = 0; i < room->gate_count; i++)
		if (bloom_may_contain(header->logs_bloom, BYTES_OF(room->gates[i]))) return true;
	return false;
}

static enum status follow_receipt(
    struct blob_room *room, const struct receipt *receipt, const struct transaction *tx, struct err *err) {
	for (size_t i = 0; i < receipt->log_count; i++) TRY(follow_log(room, &receipt->logs[i], tx, err));
	return STATUS_OK;
}

static enum status follow_pending(struct blob_room *room, const struct pending_block *pending, struct err *err) {
	BUG_ON(pending->receipt_count != pending->block.transaction_count);
	for (size_t i = 0; i < pending->receipt_count; i++)
		TRY(follow_receipt(room, &pending->receipts[i], &pending->block.transactions[i], err));
	room->followed = pending->header.number;
	return save_followed(room, err);
}

static enum status catch_up_one(struct blob_room *room, struct arena *arena, uint64_t number, struct err *err) {
	struct header header;
	hash32 hash;
	struct block block;
	struct mined_receipt *receipts;
	size_t count;
	TRY(chain_header_by_number(room->chain, &header, &hash, number, err));
	TRY(chain_block_by_hash(room->chain, &block, arena, &hash, err));
	TRY(chain_receipts(room->chain, &receipts, &count, arena, number, &hash, err));
	for (size_t i = 0; i < count; i++) TRY(follow_receipt(room, &receipts[i].receipt, &block.transactions[i], err));
	room->followed = number;
	return STATUS_OK;
}

/* The number of each block that has events of gates, once. */
static void note_block(void *context, const struct found_log *log) {
	struct buf *numbers = context;
	const bool is_known = numbers->len > 0 && memcmp(numbers->data + numbers->len - 8, &log->block_number, 8) == 0;
	if (!is_known) buf_append(numbers, bytes_make(&log->block_number, 8));
}

/* Follows the blocks after `followed` up to `newest`: the chain's index over logs names those that matter. */
static enum status catch_up_to(struct blob_room *room, uint64_t newest, struct err *err) {
	const struct log_filter filter = {
	    .from = room->followed + 1, .to = newest, .addresses = room->gates, .address_count = room->gate_count};
	struct arena arena;
	struct buf numbers;
	arena_init(&arena);
	buf_init(&numbers, BUF_MAX_DEFAULT);
	enum status status = STATUS_OK;
	if (room->gate_count > 0) status = chain_logs(room->chain, &filter, SIZE_MAX, note_block, &numbers, err);
	if (status == STATUS_OK) status = buf_status(&numbers, err);
	for (size_t at = 0; at < numbers.len && status == STATUS_OK; at += 8) {
		uint64_t number;
		memcpy(&number, numbers.data + at, 8);
		status = catch_up_one(room, &arena, number, err);
		arena_reset(&arena);
	}
	if (status == STATUS_OK) room->followed = newest;
	buf_fini(&numbers);
	arena_fini(&arena);
	return status;
}

enum status blob_index_catch_up(struct blob_room *room, struct err *err) {
	struct store_value value;
	TRY(store_get(room->store, NULL, TABLE_BLOB, &value, BYTES_LITERAL("h"), err));
	room->followed = room->saved = value.view.len == 8 ? load_be64(value.view.data) : 0;
	store_value_release(&value);
	struct chain_head *head = chain_head(room->chain);
	const uint64_t newest = head->header.number;
	chain_head_release(head);
	if (room->followed > newest) room->followed = newest; /* the chain was unwound */
	TRY(catch_up_to(room, newest, err));
	return save_followed(room, err);
}

/*
 * A block's events that cannot take effect (a full disk) leave `followed` where it is: later blocks wait, and the next
 * catch-up, by the next head or the next start, begins there again.
 */
static void new_head(void *context, const struct chain_head *head, const struct pending_block *block) {
	struct blob_room *room = context;
	struct err err = {0};
	uint64_t number = head->header.number;
	enum status status;
	if (number != room->followed + 1)
		status = blob_index_catch_up(room, &err);
	else if (!bloom_has_gate(room, &head->header)) {
		room->followed = number;
		status = number - room->saved >= SAVE_EVERY ? save_followed(room, &err) : STATUS_OK;
	} else {
		status = follow_pending(room, block, &err);
	}
	if (status != STATUS_OK)
		log_error("blob", "events of block %llu wait: %s", (unsigned long long)number, err.message);
	pthread_mutex_lock(&room->lock);
	pthread_cond_broadcast(&room->followed_more);
	pthread_mutex_unlock(&room->lock);
}

void blob_index_settle(struct blob_room *room) {
	struct chain_head *head = chain_head(room->chain);
	uint64_t number = head->header.number;
	chain_head_release(head);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += SETTLE_SECONDS;
	pthread_mutex_lock(&room->lock);
	while (room->followed < number)
		if (pthread_cond_timedwait(&room->followed_more, &room->lock, &until) != 0) break;
	pthread_mutex_unlock(&room->lock);
}

static void removed_head(void *context, const struct unwound_block *block) {
	struct blob_room *room = context;
	if (room->followed >= block->header.number) room->followed = block->header.number - 1;
}

struct chain_observer blob_observer(struct blob_room *room) {
	return (struct chain_observer){.new_head = new_head, .removed_head = removed_head, .context = room};
}
