/*
 * Following the gates' events: BlobNamed and BlobErased of canonical blocks take effect on content and rows, once each:
 * the row that an event changes and the "h" row, which says how far events took effect, are committed together. So a
 * crash at any point is mended by catching up from there. Rows are not synced: a later sync of the database, at the
 * latest the next block's, takes them along, and if power is lost before, the events take effect once more.
 *
 * An item whose content was not put here in time awaits it: a row "m" gate, blob, item finds it when the blob comes.
 */
#include <time.h>

#include "base/log.h"
#include "eth/abi.h"
#include "ledger/blob/blob_room.h"

#define KEY_BYTES (1 + 20 + 32)
#define OLD_VALUE_BYTES (32 + 8 + 1)
#define VALUE_BYTES (OLD_VALUE_BYTES + 4 + 8)
#define AWAITED_BYTES (1 + 20 + 32 + 32)
#define PROGRESS_BYTES (8 + 4)
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

/* An older node's row says no place: its content is a file. */
static bool parse_item(struct blob_item *out, struct bytes value) {
	if (value.len != VALUE_BYTES && value.len != OLD_VALUE_BYTES) return false;
	memcpy(out->blob.b, value.data, 32);
	out->size_bytes = load_be64(value.data + 32);
	out->state = value.data[40];
	if (value.len == OLD_VALUE_BYTES || out->state != BLOB_NAMED) return true;
	out->place.segment = load_be32(value.data + OLD_VALUE_BYTES);
	out->place.at = load_be64(value.data + OLD_VALUE_BYTES + 4);
	out->place.len = (uint32_t)out->size_bytes;
	return true;
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
	else if (!parse_item(out, value.view))
		status = err_set(err, STATUS_CORRUPT, "blob row of %zu bytes", value.view.len);
	store_value_release(&value);
	return status;
}

bool blob_index_parse(struct blob_item *out, struct bytes key, struct bytes value) {
	*out = (struct blob_item){.state = 0};
	if (key.len != KEY_BYTES || key.data[0] != 'i') return false;
	memcpy(out->gate.b, key.data + 1, 20);
	memcpy(out->item.b, key.data + 21, 32);
	return parse_item(out, value);
}

enum status blob_index_walk(struct blob_room *room, blob_item_visit *visit, void *context, struct err *err) {
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	enum status status = STATUS_OK;
	for (store_cursor_seek(cursor, BYTES_LITERAL("i")); status == STATUS_OK && store_cursor_valid(cursor);
	     store_cursor_next(cursor)) {
		const struct bytes key = store_cursor_key(cursor);
		struct blob_item item;
		if (key.len == 0 || key.data[0] != 'i') break;
		if (!blob_index_parse(&item, key, store_cursor_value(cursor)))
			status = err_set(err, STATUS_CORRUPT, "a blob's row is damaged");
		else if (item.state == BLOB_NAMED)
			status = visit(context, &item, err);
	}
	if (status == STATUS_OK) status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status;
}

static void put_item(struct blob_room *room, struct store_batch *batch, const struct blob_item *item) {
	struct key key = key_of('i', &item->gate, &item->item);
	uint8_t value[VALUE_BYTES];
	memcpy(value, item->blob.b, 32);
	store_be64(value + 32, item->size_bytes);
	value[40] = (uint8_t)item->state;
	store_be32(value + OLD_VALUE_BYTES, item->place.segment);
	store_be64(value + OLD_VALUE_BYTES + 4, item->place.at);
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_OF(key), bytes_make(value, sizeof value));
}

static void put_owed(struct blob_room *room, struct store_batch *batch, const struct blob_item *item, bool owed) {
	struct key key = key_of('e', &item->gate, &item->item);
	if (owed)
		store_batch_put(batch, room->store, TABLE_BLOB, BYTES_OF(key), (struct bytes){NULL, 0});
	else
		store_batch_del(batch, room->store, TABLE_BLOB, BYTES_OF(key));
}

struct awaited_key {
	uint8_t b[AWAITED_BYTES];
};

static struct awaited_key awaited_key_of(const addr20 *gate, const hash32 *blob, const hash32 *item) {
	struct awaited_key key = {{'m'}};
	memcpy(key.b + 1, gate->b, 20);
	memcpy(key.b + 21, blob->b, 32);
	memcpy(key.b + 53, item->b, 32);
	return key;
}

/* The row of the item as it was (`old`, of any state), and as it is now. */
static void put_change(
    struct blob_room *room, struct store_batch *batch, const struct blob_item *old, const struct blob_item *item) {
	const struct awaited_key before = awaited_key_of(&old->gate, &old->blob, &old->item);
	const struct awaited_key after = awaited_key_of(&item->gate, &item->blob, &item->item);
	if (old->state == BLOB_MISSING) store_batch_del(batch, room->store, TABLE_BLOB, BYTES_OF(before));
	if (item->state == BLOB_MISSING)
		store_batch_put(batch, room->store, TABLE_BLOB, BYTES_OF(after), (struct bytes){NULL, 0});
	if (old->state == BLOB_ERASED || item->state == BLOB_ERASED)
		put_owed(room, batch, item, item->state == BLOB_ERASED);
	put_item(room, batch, item);
}

enum status blob_index_awaiting(struct blob_room *room, struct blob_item *out, size_t *count, size_t max,
    const addr20 *gate, const hash32 *blob, uint64_t size_bytes, struct err *err) {
	static const hash32 first;
	const struct awaited_key from = awaited_key_of(gate, blob, &first);
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	enum status status = STATUS_OK;
	*count = 0;
	for (store_cursor_seek(cursor, BYTES_OF(from)); *count < max && store_cursor_valid(cursor);
	     store_cursor_next(cursor)) {
		const struct bytes key = store_cursor_key(cursor);
		hash32 item;
		if (key.len != AWAITED_BYTES || memcmp(key.data, from.b, 53) != 0) break;
		memcpy(item.b, key.data + 53, 32);
		status = blob_index_find(room, &out[*count], gate, &item, err);
		if (status != STATUS_OK) break;
		if (out[*count].size_bytes == size_bytes) (*count)++;
	}
	if (status == STATUS_OK) status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status;
}

/* The item as the table has it; `state` 0: it is not known. */
static enum status find_any(
    struct blob_room *room, struct blob_item *out, const addr20 *gate, const hash32 *item, struct err *err) {
	const enum status status = blob_index_find(room, out, gate, item, err);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

/* Rows of a kind, from the key behind `after` on: their keys go to `keys`, one behind the other. */
static enum status walk(
    struct blob_room *room, char kind, uint8_t *after, size_t len, struct buf *keys, size_t max, struct err *err) {
	uint8_t from[1 + sizeof(struct blob_awaited)] = {(uint8_t)kind};
	memcpy(from + 1, after, len);
	const struct bytes first = bytes_make(from, 1 + len);
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	store_cursor_seek(cursor, first);
	if (store_cursor_valid(cursor) && bytes_equal(store_cursor_key(cursor), first)) store_cursor_next(cursor);
	memset(after, 0, len);
	size_t count = 0;
	for (; count < max && store_cursor_valid(cursor); store_cursor_next(cursor), count++) {
		const struct bytes key = store_cursor_key(cursor);
		if (key.len != 1 + len || key.data[0] != kind) break;
		buf_append(keys, bytes_slice(key, 1, len));
		memcpy(after, key.data + 1, len);
	}
	if (count < max) memset(after, 0, len);
	const enum status status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status == STATUS_OK ? buf_status(keys, err) : status;
}

/* Of the rows of a kind, those whose item is in this state. An item's key ends with its 32 bytes. */
static enum status walk_items(struct blob_room *room, struct blob_item *out, size_t *count, size_t max, char kind,
    uint8_t *after, size_t len, struct err *err) {
	const enum blob_state wanted = kind == 'm' ? BLOB_MISSING : BLOB_NAMED;
	struct buf keys;
	buf_init(&keys, BUF_MAX_DEFAULT);
	*count = 0;
	enum status status = walk(room, kind, after, len, &keys, max, err);
	for (size_t at = 0; at < keys.len && status == STATUS_OK; at += len) {
		addr20 gate;
		hash32 item;
		memcpy(gate.b, keys.data + at, 20);
		memcpy(item.b, keys.data + at + len - 32, 32);
		status = find_any(room, &out[*count], &gate, &item, err);
		if (status == STATUS_OK && out[*count].state == wanted) (*count)++;
	}
	buf_fini(&keys);
	return status;
}

enum status blob_index_missing(struct blob_room *room, struct blob_item *out, size_t *count, size_t max,
    struct blob_awaited *after, struct err *err) {
	return walk_items(room, out, count, max, 'm', after->b, sizeof after->b, err);
}

enum status blob_index_named(struct blob_room *room, struct blob_item *out, size_t *count, size_t max,
    struct blob_kept *after, struct err *err) {
	return walk_items(room, out, count, max, 'i', after->b, sizeof after->b, err);
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

/* --- events, under the index's lock --- */

/* An event of a gate in a block, and what it may touch. */
struct event {
	struct blob_room *room;
	struct store_batch *batch;
	const struct log *log;
	const struct transaction *tx;
	struct blob_waiting used; /* what became content and need not wait any more, if `has_used` */
	bool has_used;
	struct blob_item old, item; /* as it was, and as it is; the same if nothing changed */
};

/* The commit is done. */
static void count_change(struct blob_room *room, const struct blob_item *old, const struct blob_item *item) {
	pthread_mutex_lock(&room->lock);
	if (old->state == BLOB_NAMED) room->item_count--;
	if (old->state == BLOB_NAMED) room->content_bytes -= old->size_bytes;
	if (item->state == BLOB_NAMED) room->item_count++;
	if (item->state == BLOB_NAMED) room->content_bytes += item->size_bytes;
	pthread_mutex_unlock(&room->lock);
}

static void change(struct event *event, const struct blob_item *old, const struct blob_item *item) {
	put_change(event->room, event->batch, old, item);
	event->old = *old;
	event->item = *item;
}

/* A second naming of an item replaces what it had, and revives an item that was erased: the contract says what stands.
 * Content that its sender did not put, or of another size than it said, is none. */
static enum status on_named(struct event *event, struct err *err) {
	const struct log *log = event->log;
	struct blob_item old;
	TRY(find_any(event->room, &old, &log->address, &log->topics[1], err));
	struct abi_reader reader = abi_reader(log->data);
	struct blob_item item = {.gate = log->address, .item = log->topics[1], .blob = log->topics[2]};
	item.size_bytes = abi_u64(&reader);
	const bool is_same = hash32_equal(&old.blob, &item.blob) && old.size_bytes == item.size_bytes;
	if (old.state == BLOB_NAMED && is_same) return STATUS_OK;
	event->used = (struct blob_waiting){.gate = item.gate, .blob = item.blob};
	enum status status = transaction_sender(&event->used.putter, event->tx, true, NULL);
	if (status == STATUS_OK && abi_finish(&reader, NULL) != STATUS_OK) status = STATUS_INVALID;
	if (status == STATUS_OK)
		status = blob_content_name(event->room, &item.place, &event->used, item.size_bytes, err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND && status != STATUS_INVALID) return status;
	event->has_used = status == STATUS_OK;
	item.state = event->has_used ? BLOB_NAMED : BLOB_MISSING;
	TRY(blob_content_delete(event->room, &item.gate, &item.item, err)); /* what it had */
	if (!event->has_used) atomic_store(&event->room->has_more_missing, true);
	change(event, &old, &item);
	return STATUS_OK;
}

static enum status on_erased(struct event *event, struct err *err) {
	struct blob_item old;
	TRY(find_any(event->room, &old, &event->log->address, &event->log->topics[1], err));
	/* What was named before a snapshot is noted too, so that nobody's list brings it back. */
	const bool may_stand = old.state == 0 && blob_names_are_due(event->room);
	if (old.state != BLOB_NAMED && old.state != BLOB_MISSING && !may_stand) return STATUS_OK;
	struct blob_item item = old;
	item.state = BLOB_ERASED;
	item.place = (struct segments_place){0};
	TRY(blob_content_delete(event->room, &item.gate, &item.item, err));
	change(event, &old, &item);
	return STATUS_OK;
}

static enum status on_confirmed(struct event *event, struct err *err) {
	struct blob_item old;
	addr20 node;
	memcpy(node.b, event->log->topics[2].b + 12, 20);
	if (!addr20_equal(&node, &event->room->options.node)) return STATUS_OK;
	TRY(find_any(event->room, &old, &event->log->address, &event->log->topics[1], err));
	if (old.state != BLOB_ERASED) return STATUS_OK;
	struct blob_item item = old;
	item.state = BLOB_CONFIRMED;
	change(event, &old, &item);
	return STATUS_OK;
}

static enum status take_effect(struct event *event, struct err *err) {
	const struct log *log = event->log;
	const hash32 named = abi_topic("BlobNamed(bytes32,bytes32,uint256)"), erased = abi_topic("BlobErased(bytes32)"),
		     confirmed = abi_topic("ErasureConfirmed(bytes32,address)");
	if (log->topic_count == 3 && hash32_equal(&log->topics[0], &named)) return on_named(event, err);
	if (log->topic_count == 2 && hash32_equal(&log->topics[0], &erased)) return on_erased(event, err);
	if (log->topic_count == 3 && hash32_equal(&log->topics[0], &confirmed)) return on_confirmed(event, err);
	return STATUS_OK;
}

static void put_progress(struct blob_room *room, struct store_batch *batch, uint64_t followed, uint32_t applied) {
	uint8_t value[PROGRESS_BYTES];
	store_be64(value, followed);
	store_be32(value + 8, applied);
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_LITERAL("h"), bytes_make(value, sizeof value));
}

/* One commit an event: a later event of the same block sees what an earlier one did. `nth`: of the block's events of
 * gates, from 1. */
static enum status follow_log(
    struct blob_room *room, const struct log *log, const struct transaction *tx, uint32_t nth, struct err *err) {
	struct event event = {.room = room, .batch = store_batch_new(), .log = log, .tx = tx};
	pthread_mutex_lock(&room->index_lock);
	enum status status = take_effect(&event, err);
	if (status == STATUS_OK && store_batch_bytes(event.batch) > 0) {
		put_progress(room, event.batch, room->followed, nth);
		status = store_commit(room->store, event.batch, false, err);
	}
	if (status == STATUS_OK) room->applied = nth;
	if (status == STATUS_OK) count_change(room, &event.old, &event.item);
	if (status == STATUS_OK && event.has_used) blob_content_drop(room, &event.used);
	if (status != STATUS_OK && event.has_used) blob_content_give_back(room, &event.used);
	pthread_mutex_unlock(&room->index_lock);
	store_batch_free(event.batch);
	return status;
}

static enum status change_item(
    struct blob_room *room, const struct blob_item *old, const struct blob_item *item, struct err *err) {
	struct store_batch *batch = store_batch_new();
	put_change(room, batch, old, item);
	const enum status status = store_commit(room->store, batch, true, err);
	store_batch_free(batch);
	if (status == STATUS_OK) count_change(room, old, item);
	return status;
}

static enum status fill_locked(struct blob_room *room, bool *is_its, const struct blob_item *item,
    const struct segments_place *place, struct err *err) {
	struct blob_item old;
	TRY(find_any(room, &old, &item->gate, &item->item, err));
	if (old.state != BLOB_MISSING || !hash32_equal(&old.blob, &item->blob) || old.size_bytes != place->len)
		return STATUS_OK;
	struct blob_item filled = old;
	filled.place = *place;
	filled.state = BLOB_NAMED;
	const enum status status = change_item(room, &old, &filled, err);
	*is_its = status == STATUS_OK;
	return status;
}

enum status blob_index_fill(struct blob_room *room, bool *is_its, const struct blob_item *item,
    const struct segments_place *place, struct err *err) {
	*is_its = false;
	pthread_mutex_lock(&room->index_lock);
	const enum status status = fill_locked(room, is_its, item, place, err);
	pthread_mutex_unlock(&room->index_lock);
	return status;
}

static enum status lose_locked(struct blob_room *room, const struct blob_item *item, struct err *err) {
	struct blob_item now;
	TRY(find_any(room, &now, &item->gate, &item->item, err));
	if (now.state != BLOB_NAMED || !hash32_equal(&now.blob, &item->blob)) return STATUS_OK;
	TRY(blob_content_delete(room, &item->gate, &item->item, err));
	atomic_fetch_add(&room->damaged, 1);
	atomic_store(&room->has_more_missing, true);
	struct blob_item lost = now;
	lost.state = BLOB_MISSING;
	lost.place = (struct segments_place){0};
	return change_item(room, &now, &lost, err);
}

enum status blob_index_lost(struct blob_room *room, const struct blob_item *item, struct err *err) {
	pthread_mutex_lock(&room->index_lock);
	const enum status status = lose_locked(room, item, err);
	pthread_mutex_unlock(&room->index_lock);
	return status;
}

enum status blob_index_learn(struct blob_room *room, const struct blob_item *items, size_t count, struct err *err) {
	struct store_batch *batch = store_batch_new();
	enum status status = STATUS_OK;
	pthread_mutex_lock(&room->index_lock);
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		struct blob_item old;
		status = find_any(room, &old, &items[i].gate, &items[i].item, err);
		if (status == STATUS_OK && old.state == 0) put_change(room, batch, &old, &items[i]);
	}
	if (status == STATUS_OK) status = store_commit(room->store, batch, false, err);
	pthread_mutex_unlock(&room->index_lock);
	store_batch_free(batch);
	atomic_store(&room->has_more_missing, true);
	return status;
}

static enum status save_followed(struct blob_room *room, struct err *err) {
	struct store_batch *batch = store_batch_new();
	put_progress(room, batch, room->followed, room->applied);
	const enum status status = store_commit(room->store, batch, false, err);
	store_batch_free(batch);
	if (status == STATUS_OK) room->saved = room->followed;
	return status;
}

/* The newest block whose events all took effect, and events of the next one. */
static void finish_block(struct blob_room *room, uint64_t number) {
	room->followed = number;
	room->applied = 0;
}

static bool bloom_has_gate(const struct blob_room *room, const struct header *header) {
	for (size_t i = 0; i < room->gate_count; i++)
		if (bloom_may_contain(header->logs_bloom, BYTES_OF(room->gates[i]))) return true;
	return false;
}

/* `*nth` counts the block's events of gates; those that took effect already are passed over. */
static enum status follow_receipt(struct blob_room *room, const struct receipt *receipt, const struct transaction *tx,
    uint32_t *nth, struct err *err) {
	for (size_t i = 0; i < receipt->log_count; i++) {
		const struct log *log = &receipt->logs[i];
		if (log->topic_count < 2 || !blob_gate_is(room, &log->address)) continue;
		if (++*nth > room->applied) TRY(follow_log(room, log, tx, *nth, err));
	}
	return STATUS_OK;
}

static enum status follow_pending(struct blob_room *room, const struct pending_block *pending, struct err *err) {
	uint32_t nth = 0;
	BUG_ON(pending->receipt_count != pending->block.transaction_count);
	for (size_t i = 0; i < pending->receipt_count; i++)
		TRY(follow_receipt(room, &pending->receipts[i], &pending->block.transactions[i], &nth, err));
	finish_block(room, pending->header.number);
	return save_followed(room, err);
}

static enum status catch_up_one(struct blob_room *room, struct arena *arena, uint64_t number, struct err *err) {
	struct header header;
	hash32 hash;
	struct block block;
	struct mined_receipt *receipts;
	size_t count;
	uint32_t nth = 0;
	TRY(chain_header_by_number(room->chain, &header, &hash, number, err));
	TRY(chain_block_by_hash(room->chain, &block, arena, &hash, err));
	TRY(chain_receipts(room->chain, &receipts, &count, arena, number, &hash, err));
	if (number != room->followed + 1) finish_block(room, number - 1); /* those between have no events */
	for (size_t i = 0; i < count; i++)
		TRY(follow_receipt(room, &receipts[i].receipt, &block.transactions[i], &nth, err));
	finish_block(room, number);
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
	if (status == STATUS_OK && room->followed != newest) finish_block(room, newest);
	buf_fini(&numbers);
	arena_fini(&arena);
	return status;
}

/* A node that began with a snapshot was told no events before it: other members know what they named. */
static enum status skip_unknown(struct blob_room *room, uint64_t newest, struct err *err) {
	const uint64_t first = chain_horizon(room->chain).first_block;
	if (first == 0 || room->followed + 1 >= first || newest < first) return STATUS_OK;
	if (room->peers == NULL)
		log_info("blob", "events before block %llu are not known here: what they named is not served",
		    (unsigned long long)first);
	finish_block(room, first - 1);
	struct store_batch *batch = store_batch_new();
	put_progress(room, batch, room->followed, room->applied);
	if (room->peers != NULL) blob_names_owe(room, batch, first - 1);
	const enum status status = store_commit(room->store, batch, true, err);
	store_batch_free(batch);
	return status;
}

enum status blob_index_catch_up(struct blob_room *room, struct err *err) {
	struct store_value value;
	TRY(store_get(room->store, NULL, TABLE_BLOB, &value, BYTES_LITERAL("h"), err));
	const bool is_known = value.view.len == PROGRESS_BYTES;
	room->followed = room->saved = is_known ? load_be64(value.view.data) : 0;
	room->applied = is_known ? load_be32(value.view.data + 8) : 0;
	store_value_release(&value);
	struct chain_head *head = chain_head(room->chain);
	const uint64_t newest = head->header.number;
	chain_head_release(head);
	if (room->followed > newest) finish_block(room, newest); /* the chain was unwound */
	TRY(skip_unknown(room, newest, err));
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
	if (number != room->followed + 1 || block == NULL)
		status = blob_index_catch_up(room, &err);
	else if (!bloom_has_gate(room, &head->header)) {
		finish_block(room, number);
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
	if (room->followed + 1 >= block->header.number) finish_block(room, block->header.number - 1);
}

static void jumped(void *context, const struct chain_head *head) {
	new_head(context, head, NULL);
}

struct chain_observer blob_observer(struct blob_room *room) {
	return (struct chain_observer){
	    .new_head = new_head, .removed_head = removed_head, .jumped = jumped, .context = room};
}
