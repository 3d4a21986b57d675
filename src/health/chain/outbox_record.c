/*
 * The records of the outbox's journal; numbers are big-endian:
 *	'E' id u64, create u8, to 20, calldata len u32 + bytes, blobs u32, of each: gate 20, len u32 + container;
 *	    names u32, each 32; a journal of an earlier version ends before the names
 *	'T' nonce u64, items u32 + ids u64, the signed transaction; the same nonce again: signed with another fee
 *	'N' nonce u64, fate u8: that transaction is over
 *	'D' id u64: an item that was in no transaction is finished
 *	'R': all before it came from a backup
 */
#include "health/chain/outbox_private.h"

/* --- writing --- */

static void put_u32(struct buf *out, size_t value) {
	uint8_t bytes[4];
	store_be32(bytes, (uint32_t)value);
	buf_append(out, bytes_make(bytes, sizeof bytes));
}

static void put_u64(struct buf *out, uint64_t value) {
	uint8_t bytes[8];
	store_be64(bytes, value);
	buf_append(out, bytes_make(bytes, sizeof bytes));
}

void outbox_record_item(struct buf *out, const struct outbox_item *item, const struct outbox_entry *entry) {
	buf_byte(out, 'E');
	put_u64(out, item->id);
	buf_byte(out, item->is_create);
	buf_append(out, BYTES_OF(item->to));
	put_u32(out, item->data.len);
	buf_append(out, item->data);
	put_u32(out, entry->blob_count);
	for (size_t i = 0; i < entry->blob_count; i++) {
		buf_append(out, BYTES_OF(entry->blobs[i].gate));
		put_u32(out, entry->blobs[i].container.len);
		buf_append(out, entry->blobs[i].container);
	}
	put_u32(out, entry->name_count);
	for (size_t i = 0; i < entry->name_count; i++) buf_append(out, BYTES_OF(entry->names[i]));
}

void outbox_record_tx(struct buf *out, const struct outbox_tx *tx) {
	buf_byte(out, 'T');
	put_u64(out, tx->nonce);
	put_u32(out, tx->count);
	for (size_t i = 0; i < tx->count; i++) put_u64(out, tx->items[i]->id);
	buf_append(out, buf_view(&tx->raw));
}

void outbox_record_tx_end(struct buf *out, uint64_t nonce, enum outbox_fate fate) {
	buf_byte(out, 'N');
	put_u64(out, nonce);
	buf_byte(out, (uint8_t)fate);
}

void outbox_record_item_end(struct buf *out, uint64_t id) {
	buf_byte(out, 'D');
	put_u64(out, id);
}

void outbox_record_restored(struct buf *out) {
	buf_byte(out, 'R');
}

/* --- reading: a cursor that fails stickily --- */

struct cursor {
	struct bytes rest;
	bool failed;
};

static struct bytes take(struct cursor *cursor, size_t len) {
	static const uint8_t zeros[32];
	if (len > cursor->rest.len) cursor->failed = true;
	if (cursor->failed) return bytes_make(zeros, len < sizeof zeros ? len : 0);
	struct bytes taken = bytes_slice(cursor->rest, 0, len);
	cursor->rest = bytes_slice(cursor->rest, len, cursor->rest.len);
	return taken;
}

static uint32_t take_u32(struct cursor *cursor) {
	return load_be32(take(cursor, 4).data);
}

static uint64_t take_u64(struct cursor *cursor) {
	return load_be64(take(cursor, 8).data);
}

static uint8_t take_byte(struct cursor *cursor) {
	return *take(cursor, 1).data;
}

static enum status malformed(struct err *err) {
	return err_set(err, STATUS_CORRUPT, "the outbox's journal holds a record that makes no sense");
}

static struct outbox_blob take_blob(struct cursor *cursor) {
	struct outbox_blob blob;
	memcpy(blob.gate.b, take(cursor, 20).data, 20);
	blob.container = take(cursor, take_u32(cursor));
	return blob;
}

static void take_names(hash32 names[OUTBOX_NAMES_MAX], size_t *count, struct cursor *cursor) {
	*count = cursor->rest.len ? take_u32(cursor) : 0;
	if (*count > OUTBOX_NAMES_MAX) cursor->failed = true;
	for (size_t i = 0; i < *count && !cursor->failed; i++) memcpy(names[i].b, take(cursor, 32).data, 32);
}

static enum status read_item(struct outbox *outbox, uint64_t at, struct cursor *cursor, struct err *err) {
	struct outbox_entry entry = {0};
	hash32 names[OUTBOX_NAMES_MAX];
	uint64_t id = take_u64(cursor);
	bool is_create = take_byte(cursor) != 0;
	addr20 to;
	memcpy(to.b, take(cursor, 20).data, 20);
	entry.to = is_create ? NULL : &to;
	entry.data = take(cursor, take_u32(cursor));
	for (uint32_t left = take_u32(cursor); left > 0 && !cursor->failed; left--) (void)take_blob(cursor);
	entry.names = names;
	take_names(names, &entry.name_count, cursor);
	if (cursor->failed || outbox_item_find(outbox, id)) return malformed(err);
	struct outbox_item *item = outbox_item_new(outbox, &entry);
	item->id = id;
	item->journal_at = at;
	if (id >= outbox->next_id) outbox->next_id = id + 1;
	return STATUS_OK;
}

static void remove_from(struct outbox_tx *tx, const struct outbox_item *item) {
	size_t kept = 0;
	for (size_t i = 0; i < tx->count; i++)
		if (tx->items[i] != item) tx->items[kept++] = tx->items[i];
	tx->count = kept;
}

static enum status read_tx(struct outbox *outbox, struct cursor *cursor, struct err *err) {
	uint64_t nonce = take_u64(cursor);
	size_t count = take_u32(cursor);
	struct outbox_tx *tx = outbox_tx_find(outbox, nonce);
	if (cursor->failed || count > OUTBOX_MERGED_MAX) return malformed(err);
	if (!tx) {
		tx = mem_zalloc(1, sizeof *tx);
		tx->nonce = nonce;
		buf_init(&tx->raw, OUTBOX_TX_BYTES_MAX);
		outbox_tx_insert(outbox, tx);
	}
	for (size_t i = 0; i < tx->count; i++) tx->items[i]->tx = NULL;
	tx->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct outbox_item *item = outbox_item_find(outbox, take_u64(cursor));
		if (cursor->failed || !item) return malformed(err);
		if (item->tx) remove_from(item->tx, item); /* its end was not written down before it was signed anew */
		item->tx = tx;
		tx->items[tx->count++] = item;
	}
	return outbox_tx_take_raw(tx, cursor->rest, err) == STATUS_OK ? STATUS_OK : malformed(err);
}

static enum status read_tx_end(struct outbox *outbox, struct cursor *cursor, struct err *err) {
	struct outbox_tx *tx = outbox_tx_find(outbox, take_u64(cursor));
	uint8_t fate = take_byte(cursor);
	if (cursor->failed || !tx || fate > OUTBOX_FATE_WAITS_AGAIN) return malformed(err);
	for (size_t i = 0; i < tx->count; i++) {
		tx->items[i]->tx = NULL;
		tx->items[i]->goes_alone = true;
		if (fate == OUTBOX_FATE_FINISHED) outbox_item_free(outbox, tx->items[i]);
	}
	outbox_tx_free(outbox, tx);
	return STATUS_OK;
}

/* What was not signed when the backup was made may have been sent since. */
static enum status read_restored(struct outbox *outbox) {
	for (struct outbox_item *item = outbox->first, *next; item; item = next) {
		next = item->next;
		item->is_restored = true;
		if (item->tx) continue;
		outbox_item_free(outbox, item);
		outbox->dropped_count++;
	}
	return STATUS_OK;
}

enum status outbox_record_read(void *context, uint64_t at, struct bytes record, struct err *err) {
	struct outbox *outbox = context;
	struct cursor cursor = {record, false};
	switch (take_byte(&cursor)) {
	case 'E': return read_item(outbox, at, &cursor, err);
	case 'T': return read_tx(outbox, &cursor, err);
	case 'N': return read_tx_end(outbox, &cursor, err);
	case 'R': return read_restored(outbox);
	case 'D': {
		struct outbox_item *item = outbox_item_find(outbox, take_u64(&cursor));
		if (cursor.failed || !item || item->tx) return malformed(err);
		outbox_item_free(outbox, item);
		return STATUS_OK;
	}
	default: return malformed(err);
	}
}

enum status outbox_record_blobs(struct bytes record, outbox_blob_visit *visit, void *context, struct err *err) {
	struct cursor cursor = {record, false};
	(void)take(&cursor, 1 + 8 + 1 + 20);
	(void)take(&cursor, take_u32(&cursor));
	for (uint32_t left = take_u32(&cursor); left > 0 && !cursor.failed; left--) {
		struct outbox_blob blob = take_blob(&cursor);
		if (!cursor.failed) TRY(visit(context, &blob, err));
	}
	return cursor.failed ? malformed(err) : STATUS_OK;
}
