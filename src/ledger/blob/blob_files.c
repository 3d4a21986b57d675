/* Contents in files of this machine: segments (envelope/segments.h). What is erased is gone when `erase` returns. */
#include "ledger/blob/blob_backend.h"
#include "ledger/blob/blob_room.h"

static enum status put(void *context, struct segments_place *out, const struct segments_label *label,
    struct bytes content, struct err *err) {
	TRY(segments_append(context, out, label, content, err));
	return segments_sync(context, err);
}

static enum status read_content(void *context, struct buf *out, const struct blob_spot *spot, struct err *err) {
	return segments_read(context, out, &spot->place, err);
}

/* After a lost folder another's content may stand at a place. */
static enum status has(void *context, bool *out, const struct blob_spot *spot, struct err *err) {
	struct segments_label label;
	const enum status status = segments_label_at(context, &label, &spot->place, err);
	*out = status == STATUS_OK && memcmp(label.b, spot->gate.b, 20) == 0 &&
	       memcmp(label.b + 20, spot->blob.b, 32) == 0;
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

static enum status erase(void *context, const struct blob_spot *spot, const hash32 *item, struct err *err) {
	struct segments_label label;
	bool is_its_own;
	(void)item;
	if (segments_label_at(context, &label, &spot->place, NULL) == STATUS_OK) {
		TRY(has(context, &is_its_own, spot, err));
		if (!is_its_own) return STATUS_OK;
	}
	return segments_erase(context, &spot->place, err);
}

static enum status owes(void *context, bool *out, const addr20 *gate, const hash32 *item, struct err *err) {
	(void)context;
	(void)gate;
	(void)item;
	(void)err;
	*out = false;
	return STATUS_OK;
}

static enum status walk(
    void *context, const struct segments_place *from, segments_visit *visit, void *of, struct err *err) {
	return segments_walk(context, from, visit, of, err);
}

static enum status is_whole(void *context, const struct segments_place *place, struct err *err) {
	struct buf content;
	buf_init(&content, CONTAINER_BYTES_MAX);
	const enum status status = segments_read(context, &content, place, err);
	buf_fini(&content);
	return status == STATUS_CORRUPT || status == STATUS_LIMIT ? STATUS_NOTFOUND : status;
}

static struct segments_place end(void *context) {
	return segments_end(context);
}

/* A segment before the first one that may hold what waits, and in which no item is, goes. */
static enum status tidy(void *context, const struct segments_place *from, struct bytes used, struct err *err) {
	struct segments *segments = context;
	struct arena arena;
	uint32_t *numbers;
	size_t count;
	arena_init(&arena);
	const enum status status = segments_list(segments, &numbers, &count, &arena, err);
	for (size_t i = 0; status == STATUS_OK && i < count && numbers[i] < from->segment; i++) {
		bool is_used = false;
		for (size_t at = 0; at < used.len && !is_used; at += 4)
			is_used = memcmp(used.data + at, &numbers[i], 4) == 0;
		if (!is_used) segments_remove(segments, numbers[i]);
	}
	arena_fini(&arena);
	return status;
}

static enum status work(void *context, bool *more, struct err *err) {
	(void)context;
	(void)err;
	*more = false;
	return STATUS_OK;
}

static void state(void *context, struct blob_store_state *out) {
	(void)context;
	*out = (struct blob_store_state){.is_usable = true};
}

static void close_files(void *context) {
	segments_close(context);
}

enum status blob_files_open(
    struct blob_backend *out, const char *directory, const struct threads *threads, bool only_reads, struct err *err) {
	struct segments *segments;
	TRY(segments_open(&segments,
	    &(struct segments_options){.directory = directory, .threads = threads, .only_reads = only_reads}, err));
	*out = (struct blob_backend){
	    put, read_content, has, erase, owes, walk, is_whole, end, tidy, work, state, close_files, segments};
	return STATUS_OK;
}
