#include "ledger/snapshot/make.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/files.h"
#include "codec/rlp.h"
#include "crypto/hash.h"
#include "ledger/state/load.h"

enum { ITEMS_BETWEEN_LOOKS = 4096 };

struct maker {
	const struct snapshot_source *source;
	const char *folder;
	struct buf chunk, item, hashes; /* `hashes`: of the chunks that are written */
	size_t items;
};

static enum status check_stop(const struct maker *maker, struct err *err) {
	const atomic_bool *stop = maker->source->stop;
	return stop != NULL && atomic_load(stop) ? err_set(err, STATUS_BUSY, "the node stops") : STATUS_OK;
}

static enum status write_file(const struct maker *maker, const char *name, struct bytes content, struct err *err) {
	char path[FILES_PATH_BYTES];
	if ((size_t)snprintf(path, sizeof path, "%s/%s", maker->folder, name) >= sizeof path)
		return err_set(err, STATUS_INVALID, "the path %s is too long", maker->folder);
	return files_write(path, content, err);
}

static enum status write_chunk(struct maker *maker, struct err *err) {
	char name[24];
	const size_t count = maker->hashes.len / sizeof(hash32);
	if (count == SNAPSHOT_CHUNKS_MAX)
		return err_set(err, STATUS_LIMIT, "a snapshot of more than %zu chunks", count);
	const hash32 hash = sha256(buf_view(&maker->chunk));
	TRY(buf_status(&maker->chunk, err));
	snprintf(name, sizeof name, "%zu", count);
	TRY(write_file(maker, name, buf_view(&maker->chunk), err));
	buf_append(&maker->hashes, BYTES_OF(hash));
	buf_clear(&maker->chunk);
	return STATUS_OK;
}

static enum status put(struct maker *maker, const struct snapshot_item *item, struct err *err) {
	if (++maker->items % ITEMS_BETWEEN_LOOKS == 0) TRY(check_stop(maker, err));
	buf_clear(&maker->item);
	snapshot_item_put(&maker->item, item);
	if (maker->chunk.len > 0 && maker->chunk.len + maker->item.len > SNAPSHOT_CHUNK_BYTES)
		TRY(write_chunk(maker, err));
	buf_append(&maker->chunk, buf_view(&maker->item));
	return STATUS_OK;
}

/* --- headers and blocks --- */

static enum status put_headers(struct maker *maker, struct header *newest, struct err *err) {
	const uint64_t to = maker->source->number;
	struct buf rlp;
	buf_init(&rlp, BUF_MAX_DEFAULT);
	enum status status = STATUS_OK;
	for (uint64_t at = to >= SNAPSHOT_HEADERS ? to - SNAPSHOT_HEADERS + 1 : 0; at <= to && status == STATUS_OK;
	     at++) {
		status = chain_header_by_number(maker->source->chain, newest, NULL, at, err);
		if (status != STATUS_OK) break;
		buf_clear(&rlp);
		header_encode(&rlp, newest);
		const struct snapshot_item item = {.kind = SNAPSHOT_HEADER, .value = buf_view(&rlp)};
		status = put(maker, &item, err);
	}
	buf_fini(&rlp);
	return status;
}

/* The two parts of a block's item, appended. */
static enum status encode_block(
    struct chain *chain, struct buf *body, struct buf *list, struct arena *arena, uint64_t number, struct err *err) {
	struct block block;
	struct header header;
	struct mined_receipt *receipts;
	struct buf envelope;
	size_t count;
	hash32 hash;
	TRY(chain_header_by_number(chain, &header, &hash, number, err));
	TRY(chain_block_at(chain, &block, arena, number, &hash, err));
	TRY(chain_receipts(chain, &receipts, &count, arena, number, &hash, err));
	block_body_encode(body, &block);
	buf_init(&envelope, BUF_MAX_DEFAULT);
	const size_t mark = rlp_list_begin(list);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&envelope);
		receipt_encode(&envelope, &receipts[i].receipt);
		rlp_put_string(list, buf_view(&envelope));
	}
	rlp_list_end(list, mark);
	buf_fini(&envelope);
	return STATUS_OK;
}

/* `maker` NULL: only its size is asked for. */
static enum status put_block(
    struct maker *maker, const struct snapshot_source *source, size_t *size, uint64_t number, struct err *err) {
	struct buf body, receipts;
	struct arena arena;
	arena_init(&arena);
	buf_init(&body, BUF_MAX_DEFAULT);
	buf_init(&receipts, BUF_MAX_DEFAULT);
	enum status status = encode_block(source->chain, &body, &receipts, &arena, number, err);
	*size = body.len + receipts.len;
	if (status == STATUS_OK && *size > SNAPSHOT_CHUNK_BYTES_MAX)
		status = err_set(err, STATUS_LIMIT, "a block of %zu bytes does not fit in a snapshot", *size);
	if (status == STATUS_OK && maker != NULL) {
		const struct snapshot_item item = {
		    .kind = SNAPSHOT_BLOCK, .number = number, .value = buf_view(&body), .more = buf_view(&receipts)};
		status = put(maker, &item, err);
	}
	buf_fini(&body);
	buf_fini(&receipts);
	arena_fini(&arena);
	return status;
}

/* Which blocks are in it depends on the chain alone. Whoever has these of one block has what those of the next need. */
static enum status put_blocks(struct maker *maker, struct err *err) {
	const struct snapshot_source *source = maker->source;
	size_t size, all = 0;
	uint64_t first = source->number + 1;
	while (first > 1 && source->number - first + 1 < SNAPSHOT_HEADERS - 1) {
		TRY(put_block(NULL, source, &size, first - 1, err));
		all += size;
		if (all > SNAPSHOT_BLOCKS_BYTES && first <= source->number) break;
		first--;
	}
	for (uint64_t number = first; number <= source->number; number++)
		TRY(put_block(maker, source, &size, number, err));
	return STATUS_OK;
}

/* --- codes --- */

static int compare_hashes(const void *a, const void *b) {
	return memcmp(a, b, sizeof(hash32));
}

static enum status note_code(struct buf *hashes, struct bytes row, struct err *err) {
	hash32 hash;
	bool has;
	TRY(state_row_code(&has, &hash, row, err));
	if (!has) return STATUS_OK;
	if (hashes->len / sizeof hash >= SNAPSHOT_CODES_MAX)
		return err_set(err, STATUS_LIMIT, "more than %d accounts with code", SNAPSHOT_CODES_MAX);
	buf_append(hashes, BYTES_OF(hash));
	return STATUS_OK;
}

static enum status find_codes(struct maker *maker, struct buf *hashes, struct err *err) {
	struct store_cursor *cursor = store_cursor_new(maker->source->store, maker->source->view, TABLE_ACCOUNT);
	enum status status = STATUS_OK;
	for (store_cursor_seek(cursor, (struct bytes){0}); store_cursor_valid(cursor) && status == STATUS_OK;
	     store_cursor_next(cursor))
		status = note_code(hashes, store_cursor_value(cursor), err);
	if (status == STATUS_OK) status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	if (hashes->len > 0) qsort(hashes->data, hashes->len / sizeof(hash32), sizeof(hash32), compare_hashes);
	return status;
}

static enum status put_code(struct maker *maker, struct bytes hash, struct err *err) {
	struct store_value code;
	TRY(store_get(maker->source->store, maker->source->view, TABLE_CODE, &code, hash, err));
	const struct snapshot_item item = {.kind = SNAPSHOT_CODE, .value = code.view};
	const enum status status = code.view.data != NULL
				       ? put(maker, &item, err)
				       : err_set(err, STATUS_CORRUPT, "a contract's code is missing");
	store_value_release(&code);
	return status;
}

static enum status put_codes(struct maker *maker, struct err *err) {
	struct buf hashes;
	buf_init(&hashes, SIZE_MAX);
	enum status status = find_codes(maker, &hashes, err);
	for (size_t at = 0; at < hashes.len && status == STATUS_OK; at += sizeof(hash32)) {
		if (at > 0 && memcmp(hashes.data + at, hashes.data + at - sizeof(hash32), sizeof(hash32)) == 0)
			continue;
		status = put_code(maker, bytes_make(hashes.data + at, sizeof(hash32)), err);
	}
	buf_fini(&hashes);
	return status;
}

/* --- accounts and slots --- */

/* The rows of the account, from the cursor on; it moves behind them. */
static enum status put_slots(
    struct maker *maker, struct store_cursor *slots, const hash32 *address_hash, struct err *err) {
	for (; store_cursor_valid(slots); store_cursor_next(slots)) {
		const struct bytes key = store_cursor_key(slots);
		if (key.len != 64 || memcmp(key.data, address_hash->b, 32) != 0) break;
		struct snapshot_item item = {.kind = SNAPSHOT_SLOT, .value = store_cursor_value(slots)};
		memcpy(item.key.b, key.data + 32, 32);
		TRY(put(maker, &item, err));
	}
	return store_cursor_status(slots, err);
}

static enum status put_accounts(
    struct maker *maker, struct store_cursor *accounts, struct store_cursor *slots, struct err *err) {
	store_cursor_seek(slots, (struct bytes){0});
	for (store_cursor_seek(accounts, (struct bytes){0}); store_cursor_valid(accounts);
	     store_cursor_next(accounts)) {
		struct snapshot_item item = {.kind = SNAPSHOT_ACCOUNT, .value = store_cursor_value(accounts)};
		const struct bytes key = store_cursor_key(accounts);
		if (key.len != sizeof item.key.b) return err_set(err, STATUS_CORRUPT, "an account's key is malformed");
		memcpy(item.key.b, key.data, key.len);
		TRY(put(maker, &item, err));
		TRY(put_slots(maker, slots, &item.key, err));
	}
	return store_cursor_status(accounts, err);
}

static enum status put_state(struct maker *maker, struct err *err) {
	const struct snapshot_source *source = maker->source;
	struct store_cursor *accounts = store_cursor_new(source->store, source->view, TABLE_ACCOUNT);
	struct store_cursor *slots = store_cursor_new(source->store, source->view, TABLE_STORAGE);
	const enum status status = put_accounts(maker, accounts, slots, err);
	store_cursor_free(accounts);
	store_cursor_free(slots);
	return status;
}

/* --- all of it --- */

/* Last, so that a folder with a manifest is whole. */
static enum status write_manifest(struct maker *maker, const struct header *header, struct err *err) {
	const struct snapshot_manifest manifest = {.genesis = *chain_genesis_hash(maker->source->chain),
	    .height = maker->source->height,
	    .header = *header,
	    .chunks = (const hash32 *)maker->hashes.data,
	    .chunk_count = maker->hashes.len / sizeof(hash32)};
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	snapshot_manifest_encode(&out, &manifest);
	const enum status status = write_file(maker, "manifest", buf_view(&out), err);
	buf_fini(&out);
	return status;
}

static enum status make(struct maker *maker, struct err *err) {
	struct header header;
	TRY(files_make_folder(maker->folder, err));
	TRY(put_headers(maker, &header, err));
	TRY(put_blocks(maker, err));
	TRY(put_codes(maker, err));
	TRY(put_state(maker, err));
	if (maker->chunk.len > 0) TRY(write_chunk(maker, err));
	TRY(check_stop(maker, err));
	return write_manifest(maker, &header, err);
}

enum status snapshot_make(const struct snapshot_source *source, const char *folder, struct err *err) {
	struct maker maker = {.source = source, .folder = folder};
	buf_init(&maker.chunk, SNAPSHOT_CHUNK_BYTES_MAX + (1 << 20));
	buf_init(&maker.item, SNAPSHOT_CHUNK_BYTES_MAX + (1 << 20));
	buf_init(&maker.hashes, SIZE_MAX);
	const enum status status = make(&maker, err);
	buf_fini(&maker.chunk);
	buf_fini(&maker.item);
	buf_fini(&maker.hashes);
	return status;
}
