/*
 * Signed requests that were served stand in the database until they expire, so that none serves twice, after a restart
 * either. Rows are written and not synced: they survive the process, and only a machine that lost its power, or whose
 * kernel stopped, loses some. A row "b" says in which run of the machine the room was open; if that was another one,
 * and the room was not closed, all that could have been served then is refused: what expires within the next two
 * minutes.
 */
#include "ledger/blob/blob_room.h"

#define KEY_BYTES (1 + 8 + 20 + 8)
#define SWEEP_AT_ONCE 1024u
#define KEPT_S 600u /* after they expired, since a clock may be set back */

/* What "b" says of a room that was closed: all its rows are on the disk. */
static const struct bytes closed = BYTES_LITERAL("closed");

struct key {
	uint8_t b[KEY_BYTES];
};

/* In the order of expiry. */
static struct key key_of(uint64_t expiry_s, const addr20 *who, uint64_t nonce) {
	struct key key = {{'n'}};
	store_be64(key.b + 1, expiry_s);
	memcpy(key.b + 9, who->b, 20);
	store_be64(key.b + 29, nonce);
	return key;
}

static uint64_t now_s_of(const struct blob_room *room) {
	return clock_now_ms(room->options.clock) / 1000;
}

static enum status write_row(
    struct blob_room *room, struct bytes key, struct bytes value, bool durable, struct err *err) {
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, room->store, TABLE_BLOB, key, value);
	const enum status status = store_commit(room->store, batch, durable, err);
	store_batch_free(batch);
	return status;
}

enum status blob_nonces_open(struct blob_room *room, struct err *err) {
	struct store_value last;
	TRY(store_get(room->store, NULL, TABLE_BLOB, &last, BYTES_LITERAL("b"), err));
	const bool lost = last.view.data && !bytes_equal(last.view, closed) &&
			  !bytes_equal(last.view, bytes_text(room->options.machine_run));
	store_value_release(&last);
	if (lost) room->refuse_until_s = now_s_of(room) + BLOB_EXPIRY_AHEAD_S;
	TRY(write_row(room, BYTES_LITERAL("b"), bytes_text(room->options.machine_run), true, err));
	room->is_running = true;
	return STATUS_OK;
}

void blob_nonces_close(struct blob_room *room) {
	struct err err;
	if (!room->is_running) return;
	/* If it cannot be written, the next start only refuses more than it must. */
	if (write_row(room, BYTES_LITERAL("b"), closed, true, &err) != STATUS_OK) return;
}

static enum status use_locked(struct blob_room *room, bool *fresh, const struct key *key, struct err *err) {
	struct store_value known;
	TRY(store_get(room->store, NULL, TABLE_BLOB, &known, BYTES_OF(*key), err));
	*fresh = !known.view.data;
	store_value_release(&known);
	return *fresh ? write_row(room, BYTES_OF(*key), (struct bytes){NULL, 0}, false, err) : STATUS_OK;
}

enum status blob_nonce_use(
    struct blob_room *room, bool *fresh, const addr20 *who, uint64_t nonce, uint64_t expiry_s, struct err *err) {
	const struct key key = key_of(expiry_s, who, nonce);
	*fresh = false;
	if (expiry_s <= room->refuse_until_s) return STATUS_OK;
	pthread_mutex_lock(&room->nonce_lock);
	const enum status status = use_locked(room, fresh, &key, err);
	pthread_mutex_unlock(&room->nonce_lock);
	return status;
}

enum status blob_nonces_sweep(struct blob_room *room, struct err *err) {
	const addr20 nobody = {{0}};
	const uint64_t now_s = now_s_of(room);
	const struct key end = key_of(now_s < KEPT_S ? 0 : now_s - KEPT_S, &nobody, 0);
	enum status status = STATUS_OK;
	for (bool more = true; more && status == STATUS_OK;) {
		struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
		struct store_batch *batch = store_batch_new();
		size_t count = 0;
		for (store_cursor_seek(cursor, BYTES_LITERAL("n")); count < SWEEP_AT_ONCE && store_cursor_valid(cursor);
		     store_cursor_next(cursor), count++) {
			const struct bytes key = store_cursor_key(cursor);
			if (key.len != KEY_BYTES || memcmp(key.data, end.b, KEY_BYTES) >= 0) break;
			store_batch_del(batch, room->store, TABLE_BLOB, key);
		}
		more = count == SWEEP_AT_ONCE;
		status = store_cursor_status(cursor, err);
		if (status == STATUS_OK && count > 0) status = store_commit(room->store, batch, false, err);
		store_batch_free(batch);
		store_cursor_free(cursor);
	}
	return status;
}
