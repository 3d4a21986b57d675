/*
 * Content is in segments (envelope/segments.h), labelled with gate, blob and putter. What waits is found again at the
 * start: it is what stands behind the place in the row "S" and is no item's. An item's row says where its content is;
 * taking what waits moves no byte. What waits is charged to its putter as long as its row is in the table of what
 * waits: whoever removes the row gives the charge back, once.
 *
 * Nodes before version 0.13 kept files: `items/<2 digits>/<gate>-<item>`, which stay until they are erased, and
 * `pending/<gate>-<blob>-<putter>`, which move into segments at the first start.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "codec/hex.h"
#include "ledger/blob/blob_room.h"

#define PATH_BYTES 512
#define PLACE_BYTES (4 + 8)

static enum status io_failed(struct err *err, const char *what, const char *path) {
	return err_set(err, STATUS_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static struct segments_label label_of(const struct blob_waiting *waiting) {
	struct segments_label label = {{0}};
	memcpy(label.b, waiting->gate.b, 20);
	memcpy(label.b + 20, waiting->blob.b, 32);
	memcpy(label.b + 52, waiting->putter.b, 20);
	return label;
}

static struct blob_waiting waiting_of(const struct segments_label *label) {
	struct blob_waiting waiting;
	memcpy(waiting.gate.b, label->b, 20);
	memcpy(waiting.blob.b, label->b + 20, 32);
	memcpy(waiting.putter.b, label->b + 52, 20);
	return waiting;
}

static int compare_places(const void *a, const void *b) {
	const struct segments_place *left = a, *right = b;
	if (left->segment != right->segment) return left->segment < right->segment ? -1 : 1;
	return left->at < right->at ? -1 : left->at > right->at;
}

/* --- opening: what items have --- */

/* What a start finds out. */
struct taking_stock {
	struct blob_room *room;
	struct segments_place from; /* what waits stands behind it */
	struct buf taken;           /* places of items behind it */
	struct buf used;            /* numbers of segments that items are in, each once a run */
};

static enum status read_from(struct taking_stock *stock, struct err *err) {
	struct store_value value;
	TRY(store_get(stock->room->store, NULL, TABLE_BLOB, &value, BYTES_LITERAL("S"), err));
	if (value.view.len == PLACE_BYTES)
		stock->from = (struct segments_place){
		    .segment = load_be32(value.view.data), .at = load_be64(value.view.data + 4)};
	store_value_release(&value);
	return STATUS_OK;
}

static enum status count_item(void *context, const struct blob_item *item, struct err *err) {
	struct taking_stock *stock = context;
	const struct segments_place *place = &item->place;
	(void)err;
	stock->room->item_count++;
	stock->room->content_bytes += item->size_bytes;
	if (!place->segment) return STATUS_OK;
	if (compare_places(place, &stock->from) >= 0) buf_append(&stock->taken, bytes_make(place, sizeof *place));
	const struct bytes used = buf_view(&stock->used);
	if (!used.len || memcmp(used.data + used.len - 4, &place->segment, 4) != 0)
		buf_append(&stock->used, bytes_make(&place->segment, 4));
	return STATUS_OK;
}

static bool is_taken(const struct taking_stock *stock, const struct segments_place *place) {
	return stock->taken.len && bsearch(place, stock->taken.data, stock->taken.len / sizeof *place, sizeof *place,
				       compare_places) != NULL;
}

/* A segment before the first one that may hold what waits, and in which no item is. */
static enum status remove_unused(const struct taking_stock *stock, struct err *err) {
	struct segments *segments = stock->room->segments;
	struct arena arena;
	uint32_t *numbers;
	size_t count;
	arena_init(&arena);
	const enum status status = segments_list(segments, &numbers, &count, &arena, err);
	for (size_t i = 0; status == STATUS_OK && i < count && numbers[i] < stock->from.segment; i++) {
		bool is_used = false;
		for (size_t at = 0; at < stock->used.len && !is_used; at += 4)
			is_used = memcmp(stock->used.data + at, &numbers[i], 4) == 0;
		if (!is_used) segments_remove(segments, numbers[i]);
	}
	arena_fini(&arena);
	return status;
}

/* --- opening: what waits --- */

static void add_row(struct blob_room *room, const struct blob_waiting *waiting, const struct segments_place *place) {
	pthread_mutex_lock(&room->lock);
	struct blob_row *row = blob_rows_add(room->waiting, waiting, place);
	row->since_ms = clock_now_ms(room->options.clock); /* at a start its ten minutes begin again */
	row->state = BLOB_WAITS;
	pthread_mutex_unlock(&room->lock);
}

/* What is no item's waits, if it is whole: what was erased, and what was never acknowledged, is not. What has no room
 * any more goes. */
static enum status find_waiting(
    void *context, const struct segments_place *place, const struct segments_label *label, struct err *err) {
	struct taking_stock *stock = context;
	struct blob_room *room = stock->room;
	const struct blob_waiting waiting = waiting_of(label);
	struct buf content;
	uint64_t total, size_bytes;
	if (is_taken(stock, place) || !blob_gate_is(room, &waiting.gate)) return STATUS_OK;
	buf_init(&content, CONTAINER_BYTES_MAX);
	const enum status status = segments_read(room->segments, &content, place, err);
	buf_fini(&content);
	if (status == STATUS_NOTFOUND || status == STATUS_CORRUPT || status == STATUS_LIMIT) return STATUS_OK;
	TRY(status);
	if (blob_content_waits(room, &size_bytes, &waiting) ||
	    blob_account_waits(room, &total, &waiting.gate, &waiting.putter, blob_charge_bytes(place->len)) !=
		STATUS_OK)
		return segments_erase(room->segments, place, err);
	add_row(room, &waiting, place);
	return STATUS_OK;
}

/* --- opening: files of an older node --- */

/* Of a name in pending/. */
static bool waiting_of_name(struct blob_waiting *out, const struct blob_room *room, const char *name) {
	char text[3][67];
	if (strlen(name) != 40 + 1 + 64 + 1 + 40 || name[40] != '-' || name[105] != '-') return false;
	snprintf(text[0], sizeof text[0], "0x%.40s", name);
	snprintf(text[1], sizeof text[1], "0x%.64s", name + 41);
	snprintf(text[2], sizeof text[2], "0x%.40s", name + 106);
	return hex_fixed(out->gate.b, 20, bytes_text(text[0])) == STATUS_OK &&
	       hex_fixed(out->blob.b, 32, bytes_text(text[1])) == STATUS_OK &&
	       hex_fixed(out->putter.b, 20, bytes_text(text[2])) == STATUS_OK && blob_gate_is(room, &out->gate);
}

static enum status move_pending(struct blob_room *room, const char *path, const char *name, struct err *err) {
	struct blob_waiting waiting;
	struct buf content;
	uint64_t total;
	enum status status = STATUS_OK;
	buf_init(&content, CONTAINER_BYTES_MAX);
	const bool is_whole = waiting_of_name(&waiting, room, name) && files_read(&content, path, NULL) == STATUS_OK;
	if (is_whole && blob_account_waits(
			    room, &total, &waiting.gate, &waiting.putter, blob_charge_bytes(content.len)) == STATUS_OK)
		status = blob_content_put(room, &waiting, buf_view(&content), err);
	buf_fini(&content);
	if (status == STATUS_OK && unlink(path) != 0) status = io_failed(err, "remove", path);
	return status;
}

static enum status move_all_pending(struct blob_room *room, struct err *err) {
	char folder[PATH_BYTES], path[2 * PATH_BYTES];
	snprintf(folder, sizeof folder, "%s/pending", room->directory);
	DIR *directory = opendir(folder);
	if (!directory) return errno == ENOENT ? STATUS_OK : io_failed(err, "list", folder);
	enum status status = STATUS_OK;
	for (struct dirent *entry; status == STATUS_OK && (entry = readdir(directory));) {
		if (entry->d_name[0] == '.') continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		status = move_pending(room, path, entry->d_name, err);
	}
	closedir(directory);
	if (status == STATUS_OK && rmdir(folder) != 0) return io_failed(err, "remove", folder);
	return status;
}

/* --- opening --- */

static enum status take_stock(struct taking_stock *stock, struct err *err) {
	struct blob_room *room = stock->room;
	TRY(read_from(stock, err));
	TRY(blob_index_walk(room, count_item, stock, err));
	if (stock->taken.len)
		qsort(stock->taken.data, stock->taken.len / sizeof(struct segments_place),
		    sizeof(struct segments_place), compare_places);
	TRY(segments_walk(room->segments, &stock->from, find_waiting, stock, err));
	TRY(remove_unused(stock, err));
	return move_all_pending(room, err);
}

enum status blob_content_open(struct blob_room *room, struct err *err) {
	char path[PATH_BYTES];
	struct taking_stock stock = {.room = room};
	snprintf(path, sizeof path, "%s/segments", room->directory);
	TRY(files_make_folder(room->directory, err));
	TRY(segments_open(
	    &room->segments, &(struct segments_options){.directory = path, .threads = room->options.threads}, err));
	buf_init(&stock.taken, SIZE_MAX);
	buf_init(&stock.used, SIZE_MAX);
	const enum status status = take_stock(&stock, err);
	buf_fini(&stock.taken);
	buf_fini(&stock.used);
	return status;
}

void blob_content_close(struct blob_room *room) {
	segments_close(room->segments);
}

/* --- waiting --- */

static enum status write_entry(struct blob_room *room, struct segments_place *out, const struct blob_waiting *waiting,
    struct bytes container, struct err *err) {
	const struct segments_label label = label_of(waiting);
	TRY(segments_append(room->segments, out, &label, container, err));
	return segments_sync(room->segments, err);
}

/* With the room's lock held, which is given up for a moment: the row goes, and the charge with it. False: its content
 * is an item's. */
static bool remove_row(struct blob_room *room, struct blob_row *row, struct segments_place *place) {
	const struct blob_waiting waiting = row->waiting;
	const bool is_nobodys = row->state != BLOB_TAKEN;
	*place = row->place;
	blob_rows_remove(room->waiting, row);
	pthread_mutex_unlock(&room->lock);
	blob_account_waits_no_more(room, &waiting.gate, &waiting.putter, blob_charge_bytes(place->len));
	pthread_mutex_lock(&room->lock);
	return is_nobodys;
}

/* NULL: the same waits already, and its ten minutes begin again. */
static struct blob_row *begin_put(struct blob_room *room, const struct blob_waiting *waiting, uint64_t now_ms) {
	const struct segments_place end = segments_end(room->segments); /* it comes there, or behind */
	struct blob_row *own = NULL;
	pthread_mutex_lock(&room->lock);
	struct blob_row *earlier = blob_rows_find(room->waiting, waiting);
	if (earlier && earlier->state == BLOB_WAITS)
		earlier->since_ms = now_ms;
	else
		own = blob_rows_add(room->waiting, waiting, &end);
	pthread_mutex_unlock(&room->lock);
	return own;
}

/* It waits from now on, in place of the same that became an item's. False: the same was put meanwhile. */
static bool end_put(struct blob_room *room, struct blob_row *own, const struct segments_place *place, uint64_t now_ms) {
	struct segments_place taken;
	pthread_mutex_lock(&room->lock);
	struct blob_row *earlier = blob_rows_find(room->waiting, &own->waiting);
	if (earlier && earlier->state == BLOB_TAKEN) (void)remove_row(room, earlier, &taken);
	const bool is_new = !blob_rows_find(room->waiting, &own->waiting);
	if (is_new) {
		own->place = *place;
		own->since_ms = now_ms;
		own->state = BLOB_WAITS;
	} else {
		blob_rows_remove(room->waiting, own);
	}
	pthread_mutex_unlock(&room->lock);
	return is_new;
}

static enum status put_new(struct blob_room *room, bool *is_new, struct blob_row *own, struct bytes container,
    uint64_t now_ms, struct err *err) {
	struct segments_place place;
	const enum status status = write_entry(room, &place, &own->waiting, container, err);
	if (status != STATUS_OK) {
		pthread_mutex_lock(&room->lock);
		blob_rows_remove(room->waiting, own);
		pthread_mutex_unlock(&room->lock);
		return status;
	}
	*is_new = end_put(room, own, &place, now_ms);
	return *is_new ? STATUS_OK : segments_erase(room->segments, &place, err);
}

enum status blob_content_put(
    struct blob_room *room, const struct blob_waiting *waiting, struct bytes container, struct err *err) {
	const uint64_t now_ms = clock_now_ms(room->options.clock);
	bool is_new = false;
	enum status status = STATUS_OK;
	struct blob_row *own = begin_put(room, waiting, now_ms);
	if (own) status = put_new(room, &is_new, own, container, now_ms, err);
	if (!is_new)
		blob_account_waits_no_more(room, &waiting->gate, &waiting->putter, blob_charge_bytes(container.len));
	return status;
}

bool blob_content_waits(struct blob_room *room, uint64_t *size_bytes, const struct blob_waiting *waiting) {
	pthread_mutex_lock(&room->lock);
	const struct blob_row *row = blob_rows_find(room->waiting, waiting);
	if (row) *size_bytes = row->place.len;
	pthread_mutex_unlock(&room->lock);
	return row != NULL;
}

/* Content that cannot be erased now is found by the next start, and waits again for ten minutes. */
static void erase(struct blob_room *room, const struct segments_place *place) {
	struct err err;
	if (segments_erase(room->segments, place, &err) != STATUS_OK) log_warn("blob", "%s", err.message);
}

void blob_content_drop(struct blob_room *room, const struct blob_waiting *waiting) {
	struct segments_place place;
	pthread_mutex_lock(&room->lock);
	struct blob_row *row = blob_rows_find(room->waiting, waiting);
	const bool is_nobodys = row && remove_row(room, row, &place);
	pthread_mutex_unlock(&room->lock);
	if (is_nobodys) erase(room, &place);
}

/* --- items --- */

static enum status copy(
    struct blob_room *room, struct segments_place *out, const struct blob_waiting *waiting, struct err *err) {
	struct buf content;
	const struct segments_place from = *out;
	buf_init(&content, CONTAINER_BYTES_MAX);
	enum status status = segments_read(room->segments, &content, &from, err);
	if (status == STATUS_OK) status = write_entry(room, out, waiting, buf_view(&content), err);
	buf_fini(&content);
	return status;
}

enum status blob_content_name(struct blob_room *room, struct segments_place *out, const struct blob_waiting *waiting,
    uint64_t size_bytes, struct err *err) {
	pthread_mutex_lock(&room->lock);
	struct blob_row *row = blob_rows_find(room->waiting, waiting);
	const bool is_it = row && row->place.len == size_bytes;
	const bool is_taken_already = is_it && row->state == BLOB_TAKEN;
	if (is_it) *out = row->place;
	if (is_it) row->state = BLOB_TAKEN;
	pthread_mutex_unlock(&room->lock);
	if (!is_it) return err_set(err, STATUS_NOTFOUND, "no such blob of this size waits here");
	return is_taken_already ? copy(room, out, waiting, err) : STATUS_OK;
}

void blob_content_give_back(struct blob_room *room, const struct blob_waiting *waiting) {
	pthread_mutex_lock(&room->lock);
	struct blob_row *row = blob_rows_find(room->waiting, waiting);
	if (row) row->state = BLOB_WAITS;
	pthread_mutex_unlock(&room->lock);
}

static void item_path(char out[PATH_BYTES], const struct blob_room *room, const addr20 *gate, const hash32 *item) {
	struct buf of, name;
	buf_init(&of, 64);
	buf_init(&name, 80);
	hex_put(&of, BYTES_OF(*gate), false);
	hex_put(&name, BYTES_OF(*item), false);
	snprintf(out, PATH_BYTES, "%s/items/%02x/%s-%s", room->directory, item->b[0], buf_cstr(&of), buf_cstr(&name));
	buf_fini(&of);
	buf_fini(&name);
}

/* Whose is what stands at the item's place? After a lost folder it may be another's. */
static enum status look_at_place(
    struct blob_room *room, bool *is_its_own, const struct blob_item *item, struct err *err) {
	struct segments_label label;
	TRY(segments_label_at(room->segments, &label, &item->place, err));
	const struct blob_waiting said = waiting_of(&label);
	*is_its_own = addr20_equal(&said.gate, &item->gate) && hash32_equal(&said.blob, &item->blob);
	return STATUS_OK;
}

bool blob_content_has(struct blob_room *room, const addr20 *gate, const hash32 *item) {
	struct blob_item found;
	char path[PATH_BYTES];
	bool is_its_own;
	if (blob_index_find(room, &found, gate, item, NULL) != STATUS_OK || found.state != BLOB_NAMED) return false;
	item_path(path, room, gate, item);
	if (!found.place.segment) return files_exists(path);
	return look_at_place(room, &is_its_own, &found, NULL) == STATUS_OK && is_its_own;
}

static enum status delete_file(struct blob_room *room, const addr20 *gate, const hash32 *item, struct err *err) {
	char path[PATH_BYTES];
	item_path(path, room, gate, item);
	if (unlink(path) == 0) return files_sync_parent(path, err);
	return errno == ENOENT ? STATUS_OK : io_failed(err, "delete", path);
}

enum status blob_content_delete(struct blob_room *room, const addr20 *gate, const hash32 *item, struct err *err) {
	struct blob_item found;
	const enum status status = blob_index_find(room, &found, gate, item, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(status);
	if (found.state != BLOB_NAMED) return STATUS_OK;
	bool is_its_own;
	if (!found.place.segment) return delete_file(room, gate, item, err);
	if (look_at_place(room, &is_its_own, &found, NULL) == STATUS_OK && !is_its_own) return STATUS_OK;
	return segments_erase(room->segments, &found.place, err);
}

static enum status read_whole(
    struct blob_room *room, struct buf *out, const addr20 *gate, const hash32 *item, struct err *err) {
	struct blob_item found;
	char path[PATH_BYTES];
	enum status status = blob_index_find(room, &found, gate, item, err);
	if (status == STATUS_OK && found.state != BLOB_NAMED) status = STATUS_NOTFOUND;
	item_path(path, room, gate, item);
	if (status == STATUS_OK)
		status = found.place.segment ? segments_read(room->segments, out, &found.place, err)
					     : files_read(out, path, err);
	return status == STATUS_NOTFOUND ? err_set(err, status, "no content is kept for this item") : status;
}

enum status blob_content_read(struct blob_room *room, struct buf *out, const addr20 *gate, const hash32 *item,
    bool whole, uint32_t part, struct err *err) {
	if (whole) return read_whole(room, out, gate, item, err);
	struct buf frame;
	buf_init(&frame, CONTAINER_BYTES_MAX);
	struct container container;
	enum status status = read_whole(room, &frame, gate, item, err);
	if (status == STATUS_OK && container_decode(&container, buf_view(&frame), err) != STATUS_OK)
		status = STATUS_CORRUPT;
	if (status == STATUS_OK && part >= container.count)
		status = err_set(err, STATUS_NOTFOUND, "the item has %u parts", container.count);
	if (status == STATUS_OK) buf_append(out, container_part(&container, part));
	buf_fini(&frame);
	return status;
}

/* --- sweeping --- */

static void drop_older(struct blob_room *room, uint64_t since_ms) {
	struct segments_place place;
	pthread_mutex_lock(&room->lock);
	for (struct blob_row *row; (row = blob_rows_older(room->waiting, since_ms));) {
		if (!remove_row(room, row, &place)) continue;
		pthread_mutex_unlock(&room->lock);
		erase(room, &place);
		pthread_mutex_lock(&room->lock);
	}
	pthread_mutex_unlock(&room->lock);
}

/* Not synced: an earlier place only lets the next start read more. With the index's lock, since a copy that is to
 * become an item's has no row. */
static enum status save_from(struct blob_room *room, struct err *err) {
	uint8_t value[PLACE_BYTES];
	const struct segments_place end = segments_end(room->segments);
	pthread_mutex_lock(&room->lock);
	const struct segments_place from = blob_rows_lowest(room->waiting, &end);
	pthread_mutex_unlock(&room->lock);
	store_be32(value, from.segment);
	store_be64(value + 4, from.at);
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_LITERAL("S"), bytes_make(value, sizeof value));
	const enum status status = store_commit(room->store, batch, false, err);
	store_batch_free(batch);
	return status;
}

enum status blob_content_sweep(struct blob_room *room, uint64_t age_ms, struct err *err) {
	const uint64_t now_ms = clock_now_ms(room->options.clock);
	drop_older(room, now_ms > age_ms ? now_ms - age_ms : 0);
	pthread_mutex_lock(&room->index_lock);
	const enum status status = save_from(room, err);
	pthread_mutex_unlock(&room->index_lock);
	return status;
}
