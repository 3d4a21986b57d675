#include "ledger/snapshot/format.h"

#include "codec/rlp.h"
#include "crypto/hash.h"

/* --- the manifest: [format, genesis, height, header, [chunk, …]] --- */

void snapshot_manifest_encode(struct buf *out, const struct snapshot_manifest *manifest) {
	const size_t whole = rlp_list_begin(out);
	rlp_put_u64(out, SNAPSHOT_FORMAT);
	rlp_put_string(out, BYTES_OF(manifest->genesis));
	rlp_put_u64(out, manifest->height);
	header_encode(out, &manifest->header);
	const size_t chunks = rlp_list_begin(out);
	for (size_t i = 0; i < manifest->chunk_count; i++) rlp_put_string(out, BYTES_OF(manifest->chunks[i]));
	rlp_list_end(out, chunks);
	rlp_list_end(out, whole);
}

static void read_chunks(struct rlp_cursor *cursor, struct snapshot_manifest *out, struct arena *arena) {
	struct rlp_cursor chunks = rlp_enter(cursor);
	const size_t room = (size_t)(chunks.end - chunks.at) / (1 + sizeof(hash32));
	hash32 *hashes = arena_alloc(arena, room * sizeof *hashes);
	out->chunks = hashes;
	while (!rlp_at_end(&chunks) && out->chunk_count < room)
		rlp_fixed(&chunks, hashes[out->chunk_count++].b, sizeof hashes->b);
	rlp_leave(cursor, &chunks);
	if (out->chunk_count == 0 || out->chunk_count > SNAPSHOT_CHUNKS_MAX)
		rlp_fail(cursor, "a snapshot has 1 to 100000 chunks");
}

enum status snapshot_manifest_decode(
    struct snapshot_manifest *out, struct arena *arena, struct bytes manifest, struct err *err) {
	*out = (struct snapshot_manifest){0};
	if (manifest.len > SNAPSHOT_MANIFEST_BYTES_MAX)
		return err_set(err, STATUS_INVALID, "a snapshot's manifest of %zu bytes", manifest.len);
	struct rlp_cursor outer = rlp_cursor(manifest), cursor = rlp_enter(&outer);
	if (rlp_u64(&cursor) != SNAPSHOT_FORMAT) rlp_fail(&cursor, "a snapshot of another format");
	rlp_fixed(&cursor, out->genesis.b, sizeof out->genesis.b);
	out->height = rlp_u64(&cursor);
	const struct bytes header = rlp_raw(&cursor);
	read_chunks(&cursor, out, arena);
	rlp_leave(&outer, &cursor);
	TRY(rlp_finish(&outer, err));
	TRY(header_decode(&out->header, header, err));
	out->block = header_hash(&out->header);
	if (out->height == 0 || out->header.number == 0)
		return err_set(err, STATUS_INVALID, "a snapshot of block 0, or of height 0");
	return STATUS_OK;
}

hash32 snapshot_hash(struct bytes manifest) {
	return sha256(manifest);
}

/* --- items --- */

static void put_be32(struct buf *out, size_t value) {
	uint8_t *at = buf_extend(out, 4);
	if (at != NULL) store_be32(at, (uint32_t)value);
}

static void put_be64(struct buf *out, uint64_t value) {
	uint8_t *at = buf_extend(out, 8);
	if (at != NULL) store_be64(at, value);
}

static void put_long(struct buf *out, struct bytes value) {
	put_be32(out, value.len);
	buf_append(out, value);
}

void snapshot_item_put(struct buf *out, const struct snapshot_item *item) {
	buf_byte(out, (uint8_t)item->kind);
	switch (item->kind) {
	case SNAPSHOT_BLOCK:
		put_be64(out, item->number);
		put_long(out, item->value);
		put_long(out, item->more);
		return;
	case SNAPSHOT_HEADER:
	case SNAPSHOT_CODE: put_long(out, item->value); return;
	case SNAPSHOT_ACCOUNT:
	case SNAPSHOT_SLOT:
		BUG_ON(item->value.len > UINT8_MAX);
		buf_append(out, BYTES_OF(item->key));
		buf_byte(out, (uint8_t)item->value.len);
		buf_append(out, item->value);
		return;
	}
}

/* Reads that fail stickily: then `left` has no data. */
static struct bytes take(struct bytes *left, size_t len) {
	if (left->data == NULL || left->len < len) {
		*left = (struct bytes){0};
		return (struct bytes){0};
	}
	const struct bytes taken = bytes_make(left->data, len);
	*left = bytes_make(left->data + len, left->len - len);
	return taken;
}

static struct bytes take_long(struct bytes *left) {
	const struct bytes len = take(left, 4);
	return len.data != NULL ? take(left, load_be32(len.data)) : (struct bytes){0};
}

static void take_keyed(struct snapshot_item *out, struct bytes *left) {
	const struct bytes key = take(left, sizeof out->key.b), len = take(left, 1);
	if (len.data == NULL) return;
	memcpy(out->key.b, key.data, sizeof out->key.b);
	out->value = take(left, len.data[0]);
}

enum status snapshot_item_take(struct snapshot_item *out, struct bytes *rest, struct err *err) {
	struct bytes left = *rest;
	const uint8_t kind = take(&left, 1).data[0];
	*out = (struct snapshot_item){.kind = (enum snapshot_kind)kind};
	if (kind < SNAPSHOT_HEADER || kind > SNAPSHOT_SLOT)
		return err_set(err, STATUS_INVALID, "an item of the unknown kind %u", kind);
	switch (out->kind) {
	case SNAPSHOT_BLOCK: {
		const struct bytes number = take(&left, 8);
		out->number = number.data != NULL ? load_be64(number.data) : 0;
		out->value = take_long(&left);
		out->more = take_long(&left);
		break;
	}
	case SNAPSHOT_HEADER:
	case SNAPSHOT_CODE: out->value = take_long(&left); break;
	case SNAPSHOT_ACCOUNT:
	case SNAPSHOT_SLOT: take_keyed(out, &left); break;
	}
	if (left.data == NULL) return err_set(err, STATUS_INVALID, "an item is longer than its chunk");
	*rest = left;
	return STATUS_OK;
}
