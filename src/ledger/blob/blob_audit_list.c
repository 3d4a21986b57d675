/* A page of a list of the audit log, as JSON (docs/wire-formats.md §6). */
#include "codec/json.h"
#include "crypto/merkle_map.h"
#include "ledger/blob/blob_audit.h"

#define PAGE 200u /* entries in one answer */

static void put_head(struct json_writer *out, const char *name, const uint8_t head[LIST_HEAD_BYTES]) {
	json_put_hex(out, name, bytes_make(head, LIST_HEAD_BYTES));
}

/* A rebuild while we look takes rows away for moments: the map is then made again under the lock. */
static enum status prove(
    struct blob_room *room, struct buf *proof, const hash32 *root, const hash32 *list, struct err *err) {
	enum status status = blob_audit_prove(room, proof, root, list, err);
	if (status != STATUS_CORRUPT) return status;
	pthread_mutex_lock(&room->audit_lock);
	status = blob_audit_rebuild(room, err);
	pthread_mutex_unlock(&room->audit_lock);
	buf_clear(proof);
	return status == STATUS_OK ? blob_audit_prove(room, proof, root, list, err) : status;
}

static enum status put_proof(
    struct blob_room *room, struct json_writer *out, const hash32 *root, const hash32 *list, struct err *err) {
	struct buf proof;
	buf_init(&proof, MERKLE_MAP_PROOF_MAX);
	const enum status status = prove(room, &proof, root, list, err);
	if (status == STATUS_OK) json_put_hex(out, "proof", buf_view(&proof));
	buf_fini(&proof);
	return status;
}

static enum status put_sealed(struct blob_room *room, struct json_writer *out, const struct audit_row *row,
    uint64_t number, const uint8_t before[LIST_HEAD_BYTES], struct err *err) {
	uint8_t sealed[AUDIT_JWE_MAX];
	TRY(blob_audit_read(room, sealed, row, err));
	json_object_begin(out, NULL);
	json_put_u64(out, "n", number);
	json_put_u64(out, "time", row->time_s);
	put_head(out, "before", before);
	json_put_string(out, "entry", bytes_make(sealed, row->length));
	json_object_end(out);
	return STATUS_OK;
}

/* Entries `number` down to `least` + 1. */
static enum status put_entries(struct blob_room *room, struct json_writer *out, const hash32 *list, uint64_t number,
    uint64_t least, struct err *err) {
	struct audit_row row, earlier = {.length = 0};
	if (number > least) TRY(blob_audit_row(room, &row, list, number, err));
	for (; number > least; number--, row = earlier) {
		memset(&earlier, 0, sizeof earlier);
		if (number > 1) TRY(blob_audit_row(room, &earlier, list, number - 1, err));
		TRY(put_sealed(room, out, &row, number, earlier.after, err));
	}
	return STATUS_OK;
}

/* What is in the file and in the rows does not change any more: no lock. */
enum status blob_audit_list(
    struct blob_room *room, struct buf *out, const hash32 *list, const struct blob_audit_page *page, struct err *err) {
	struct list_state state;
	TRY(blob_audit_state(room, &state, list, err));
	const uint64_t number = page->before != 0 && page->before <= state.count ? page->before - 1 : state.count;
	const uint64_t least = number > PAGE ? number - PAGE : 0;
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "count", state.count);
	put_head(&writer, "head", state.head);
	if (page->has_root) TRY(put_proof(room, &writer, &page->root, list, err));
	json_array_begin(&writer, "entries");
	TRY(put_entries(room, &writer, list, number, least, err));
	json_array_end(&writer);
	if (least > 0) json_put_u64(&writer, "next", least + 1);
	json_object_end(&writer);
	return buf_status(out, err);
}
