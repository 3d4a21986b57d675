/*
 * Content is kept by a backend (blob_backend.h), labelled with gate, blob and putter. What waits is found again at the
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

static const struct blob_backend *backend_of(const struct blob_room *room, const struct segments_place *place) {
	return place->segment == BLOB_REMOTE ? &room->remote : &room->files;
}

static const struct blob_backend *backend_of_puts(const struct blob_room *room) {
	return room->puts_remote ? &room->remote : &room->files;
}

static struct blob_spot spot_of(const struct blob_item *item) {
	return (struct blob_spot){item->gate, item->blob, item->place};
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
	const struct blob_backend *backend = backend_of(room, place);
	uint64_t total, size_bytes;
	if (is_taken(stock, place) || !blob_gate_is(room, &waiting.gate)) return STATUS_OK;
	const enum status status = backend->is_whole(backend->context, place, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(status);
	if (blob_content_waits(room, &size_bytes, &waiting) ||
	    blob_account_waits(room, &total, &waiting.gate, &waiting.putter, blob_charge_bytes(place->len)) !=
		STATUS_OK)
		return backend->erase(
		    backend->context, &(struct blob_spot){waiting.gate, waiting.blob, *place}, NULL, err);
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
	TRY(room->files.walk(room->files.context, &stock->from, find_waiting, stock, err));
	TRY(room->remote.walk(room->remote.context, &stock->from, find_waiting, stock, err));
	TRY(room->files.tidy(room->files.context, &stock->from, buf_view(&stock->used), err));
	return move_all_pending(room, err);
}

enum status blob_content_open(struct blob_room *room, struct err *err) {
	char path[PATH_BYTES];
	struct taking_stock stock = {.room = room};
	snprintf(path, sizeof path, "%s/segments", room->directory);
	TRY(files_make_folder(room->directory, err));
	TRY(blob_files_open(&room->files, path, room->options.threads, false, err));
	TRY(blob_s3_open(&room->remote, room->store, room->options.s3, room->options.random, err));
	room->puts_remote = room->options.s3 != NULL && room->options.s3->takes_puts;
	buf_init(&stock.taken, SIZE_MAX);
	buf_init(&stock.used, SIZE_MAX);
	const enum status status = take_stock(&stock, err);
	buf_fini(&stock.taken);
	buf_fini(&stock.used);
	return status;
}

void blob_content_close(struct blob_room *room) {
	if (room->files.close) room->files.close(room->files.context);
	if (room->remote.close) room->remote.close(room->remote.context);
}

/* --- waiting --- */

static enum status write_entry(struct blob_room *room, struct segments_place *out, const struct blob_waiting *waiting,
    struct bytes container, struct err *err) {
	const struct segments_label label = label_of(waiting);
	const struct blob_backend *backend = backend_of_puts(room);
	return backend->put(backend->context, out, &label, container, err);
}

/* Of a put: what is written comes there, or behind. */
static struct segments_place place_ahead(const struct blob_room *room) {
	const struct blob_backend *backend = backend_of_puts(room);
	return backend->end(backend->context);
}

/* What cannot be erased now is found by the next start, and waits again for ten minutes. */
static void erase(struct blob_room *room, const struct blob_waiting *waiting, const struct segments_place *place) {
	struct err err;
	const struct blob_backend *backend = backend_of(room, place);
	const struct blob_spot spot = {waiting->gate, waiting->blob, *place};
	if (backend->erase(backend->context, &spot, NULL, &err) != STATUS_OK) log_warn("blob", "%s", err.message);
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
	const struct segments_place end = place_ahead(room);
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
	const struct blob_waiting waiting = own->waiting;
	*is_new = end_put(room, own, &place, now_ms);
	if (!*is_new) erase(room, &waiting, &place);
	return STATUS_OK;
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

void blob_content_drop(struct blob_room *room, const struct blob_waiting *waiting) {
	struct segments_place place;
	pthread_mutex_lock(&room->lock);
	struct blob_row *row = blob_rows_find(room->waiting, waiting);
	const bool is_nobodys = row && remove_row(room, row, &place);
	pthread_mutex_unlock(&room->lock);
	if (is_nobodys) erase(room, waiting, &place);
}

/* --- items --- */

enum status blob_content_name(struct blob_room *room, struct segments_place *out, const struct blob_waiting *waiting,
    uint64_t size_bytes, struct err *err) {
	pthread_mutex_lock(&room->lock);
	struct blob_row *row = blob_rows_find(room->waiting, waiting);
	const bool is_it = row && row->place.len == size_bytes && row->state == BLOB_WAITS;
	if (is_it) *out = row->place;
	if (is_it) row->state = BLOB_TAKEN;
	pthread_mutex_unlock(&room->lock);
	return is_it ? STATUS_OK : err_set(err, STATUS_NOTFOUND, "no such blob of this size waits here");
}

void blob_content_give_back(struct blob_room *room, const struct blob_waiting *waiting) {
	pthread_mutex_lock(&room->lock);
	struct blob_row *row = blob_rows_find(room->waiting, waiting);
	if (row) row->state = BLOB_WAITS;
	pthread_mutex_unlock(&room->lock);
}

/* Its row is one that is being written: nobody finds it, and what is at its place is not forgotten. */
static enum status fill(struct blob_room *room, const struct blob_item *item, struct blob_row *row,
    struct bytes container, struct err *err) {
	struct segments_place place;
	bool is_its = false;
	TRY(write_entry(room, &place, &row->waiting, container, err));
	const enum status status = blob_index_fill(room, &is_its, item, &place, err);
	if (!is_its) erase(room, &row->waiting, &place);
	return status;
}

enum status blob_content_fill(
    struct blob_room *room, const struct blob_item *item, struct bytes container, struct err *err) {
	static const addr20 nobody;
	const struct blob_waiting waiting = {item->gate, item->blob, nobody};
	const uint64_t charge = blob_charge_bytes(container.len);
	uint64_t total;
	TRY(blob_account_waits(room, &total, &item->gate, &nobody, charge));
	const struct segments_place ahead = place_ahead(room);
	pthread_mutex_lock(&room->lock);
	struct blob_row *row = blob_rows_add(room->waiting, &waiting, &ahead);
	pthread_mutex_unlock(&room->lock);
	const enum status status = fill(room, item, row, container, err);
	pthread_mutex_lock(&room->lock);
	blob_rows_remove(room->waiting, row);
	pthread_mutex_unlock(&room->lock);
	blob_account_waits_no_more(room, &item->gate, &nobody, charge);
	return status;
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

enum status blob_content_has(
    struct blob_room *room, bool *has, const addr20 *gate, const hash32 *item, struct err *err) {
	struct blob_item found;
	char path[PATH_BYTES];
	*has = false;
	const enum status status = blob_index_find(room, &found, gate, item, err);
	if (status == STATUS_NOTFOUND || (status == STATUS_OK && found.state != BLOB_NAMED)) return STATUS_OK;
	TRY(status);
	item_path(path, room, gate, item);
	if (!found.place.segment) {
		*has = files_exists(path);
		return STATUS_OK;
	}
	const struct blob_backend *backend = backend_of(room, &found.place);
	const struct blob_spot spot = spot_of(&found);
	return backend->has(backend->context, has, &spot, err);
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
	if (!found.place.segment) return delete_file(room, gate, item, err);
	const struct blob_backend *backend = backend_of(room, &found.place);
	const struct blob_spot spot = spot_of(&found);
	return backend->erase(backend->context, &spot, item, err);
}

enum status blob_content_owes(
    struct blob_room *room, bool *owes, const addr20 *gate, const hash32 *item, struct err *err) {
	return room->remote.owes(room->remote.context, owes, gate, item, err);
}

static enum status read_whole(
    struct blob_room *room, struct buf *out, const addr20 *gate, const hash32 *item, struct err *err) {
	struct blob_item found;
	char path[PATH_BYTES];
	enum status status = blob_index_find(room, &found, gate, item, err);
	if (status == STATUS_OK && found.state != BLOB_NAMED) status = STATUS_NOTFOUND;
	const struct blob_backend *backend = backend_of(room, &found.place);
	const struct blob_spot spot = spot_of(&found);
	item_path(path, room, gate, item);
	if (status == STATUS_OK)
		status =
		    found.place.segment ? backend->read(backend->context, out, &spot, err) : files_read(out, path, err);
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
		const struct blob_waiting waiting = row->waiting;
		if (!remove_row(room, row, &place)) continue;
		pthread_mutex_unlock(&room->lock);
		erase(room, &waiting, &place);
		pthread_mutex_lock(&room->lock);
	}
	pthread_mutex_unlock(&room->lock);
}

/* Not synced: an earlier place only lets the next start read more. With the index's lock, since what becomes an item's
 * may have lost its row and not yet be the item's. */
static enum status save_from(struct blob_room *room, struct err *err) {
	uint8_t value[PLACE_BYTES];
	const struct segments_place end = place_ahead(room);
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
