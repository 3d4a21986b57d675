/* Is every item's content here, and is it what was put? For a node that is stopped. */
#include <stdio.h>

#include "codec/hex.h"
#include "ledger/blob/blob_room.h"

struct verifying {
	struct blob_room *room;
	struct blob_verification *out;
	struct buf content;
	bool reads_remote;
};

static enum status damaged(const struct blob_item *item, const struct err *why, struct err *err) {
	struct buf name;
	buf_init(&name, 80);
	hex_put(&name, BYTES_OF(item->item), true);
	err_set(err, STATUS_CORRUPT, "the sealed content of item %s is damaged: %s", buf_cstr(&name), why->message);
	buf_fini(&name);
	return STATUS_CORRUPT;
}

/* Erasing comes before the row that says so. A copy that was made between has the one without the other. */
static bool was_erased(const struct blob_room *room, const struct blob_item *item) {
	const struct blob_spot spot = {item->gate, item->blob, item->place};
	bool is_there;
	if (!item->place.segment) return false;
	if (item->place.segment == BLOB_REMOTE)
		return room->remote.is_whole(room->remote.context, &item->place, NULL) == STATUS_NOTFOUND;
	return room->files.has(room->files.context, &is_there, &spot, NULL) == STATUS_OK && is_there;
}

static enum status verify_item(void *context, const struct blob_item *item, struct err *err) {
	struct verifying *verifying = context;
	struct container container;
	struct err why = {0};
	if (item->place.segment == BLOB_REMOTE && !verifying->reads_remote) {
		verifying->out->unseen++;
		return STATUS_OK;
	}
	buf_clear(&verifying->content);
	enum status status =
	    blob_content_read(verifying->room, &verifying->content, &item->gate, &item->item, true, 0, &why);
	if (status == STATUS_NOTFOUND && was_erased(verifying->room, item)) {
		verifying->out->erased++;
		return STATUS_OK;
	}
	if (status == STATUS_OK) status = container_decode(&container, buf_view(&verifying->content), &why);
	if (status != STATUS_OK)
		return status == STATUS_IO ? err_set(err, status, "%s", why.message) : damaged(item, &why, err);
	const hash32 name = container_name(&container);
	if (!hash32_equal(&name, &item->blob) || verifying->content.len != item->size_bytes) {
		err_set(&why, STATUS_CORRUPT, "it has another name or size than its row says");
		return damaged(item, &why, err);
	}
	verifying->out->items++;
	verifying->out->bytes += item->size_bytes;
	return STATUS_OK;
}

static enum status open_contents(
    struct blob_room *room, const char *directory, const struct blob_s3_options *s3, struct err *err) {
	char path[4096];
	snprintf(path, sizeof path, "%s/segments", directory);
	TRY(blob_files_open(&room->files, path, NULL, true, err));
	return blob_s3_open(&room->remote, room->store, s3, NULL, err);
}

enum status blob_verify(struct store *store, const char *directory, const struct blob_s3_options *s3,
    struct blob_verification *out, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	struct blob_room room = {.store = store, .directory = arena_strdup(&arena, bytes_text(directory))};
	struct verifying verifying = {.room = &room, .out = out, .reads_remote = s3 != NULL};
	*out = (struct blob_verification){0};
	buf_init(&verifying.content, CONTAINER_BYTES_MAX);
	enum status status = open_contents(&room, directory, s3, err);
	if (status == STATUS_OK) status = blob_index_walk(&room, verify_item, &verifying, err);
	blob_content_close(&room);
	buf_fini(&verifying.content);
	arena_fini(&arena);
	return status;
}
