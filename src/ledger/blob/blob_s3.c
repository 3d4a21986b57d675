/*
 * Contents in an object store, and the list of them in the database: the store is never asked what there is, but for
 * the pass that finds what should not be there. TABLE_BLOB has a row 'o' for each object that is being put or is kept,
 * by its number (state, length, label), and a row 'd' for each that must go, by whose it was (zeros: nobody's) and its
 * number (the blob). The row 'O' is the mark of this node's list, which the object "owner" has too.
 *
 * An object's name is "number-blob", of 16 and 64 hexadecimal digits. The number is the time in microseconds, and it
 * rises: no name is ever used twice, also if the database is an older copy. So nothing is overwritten, and a put that
 * is repeated is another object.
 *
 * A put writes its row before the object and says "kept" behind it: what a crash leaves between is deleted by the next
 * start. Deleting is a row in the database, which the thread of `work` carries out, again and again until the store
 * says that it is done; only then is an erasure confirmed.
 *
 * Two nodes that shared a prefix would delete each other's objects as nobody's. So the object "owner" names the list
 * that the prefix belongs to and the run of the node that opened it last. Whoever finds another list there, or before
 * deleting what is nobody's another run, goes no further.
 */
#include <pthread.h>
#include <stdio.h>

#include "base/log.h"
#include "codec/hex.h"
#include "envelope/container.h"
#include "ledger/blob/blob_backend.h"
#include "ledger/blob/blob_room.h"

#define OWNER "owner"
#define MARK_BYTES 16u
#define OWNER_CHARS (4 * MARK_BYTES + 1) /* list, a blank, run */
#define NUMBER_KEY (1 + 8)
#define DUE_KEY (1 + 20 + 32 + 8)
#define ROW_BYTES (1 + 4 + SEGMENTS_LABEL_BYTES)
#define NAME_CHARS (16 + 1 + 64)
#define DELETE_AT_ONCE 32u
#define PASS_EVERY_MS (24u * 60 * 60 * 1000)
#define PAUSE_FIRST_MS 500u
#define PAUSE_MAX_MS (30u * 1000)

enum object_state { PUTTING = 1, KEPT = 2 };

struct s3 {
	struct store *store;
	struct blob_s3_client *client; /* NULL: no object store is named */
	const struct clock_source *clock;
	bool begins_anew, only_reads;
	char list[2 * MARK_BYTES + 1], run[2 * MARK_BYTES + 1];
	pthread_mutex_t lock; /* of what stands until the next empty line */
	uint64_t last;        /* number of an object */
	struct blob_store_state state;

	/* the working thread only */
	uint64_t rests_until_ms;
	uint32_t rest_ms;
	uint8_t due[DUE_KEY]; /* the row that was tried last */
	bool is_passing, was_owner_seen;
	uint64_t pass_at_ms;
	struct buf token; /* of the pass's next page; empty: the first */
	uint64_t objects, bytes;
};

struct row_key {
	uint8_t b[NUMBER_KEY];
};

static struct row_key row_key(uint64_t number) {
	struct row_key key = {{'o'}};
	store_be64(key.b + 1, number);
	return key;
}

static void due_key(uint8_t key[DUE_KEY], const addr20 *gate, const hash32 *item, uint64_t number) {
	memset(key, 0, DUE_KEY);
	key[0] = 'd';
	if (item) memcpy(key + 1, gate->b, 20);
	if (item) memcpy(key + 21, item->b, 32);
	store_be64(key + 53, number);
}

/* A row's presence only. */
static enum status has_row(struct s3 *s3, bool *has, uint64_t number, struct err *err) {
	const struct row_key key = row_key(number);
	struct store_value value;
	TRY(store_get(s3->store, NULL, TABLE_BLOB, &value, BYTES_OF(key), err));
	*has = value.view.data != NULL;
	store_value_release(&value);
	return STATUS_OK;
}

static void name_of(char out[NAME_CHARS + 1], uint64_t number, const hash32 *blob) {
	int len = snprintf(out, NAME_CHARS + 1, "%016llx-", (unsigned long long)number);
	for (size_t i = 0; i < 32; i++) len += snprintf(out + len, NAME_CHARS + 1 - (size_t)len, "%02x", blob->b[i]);
}

static bool digit(uint8_t *out, uint8_t c) {
	const bool is_letter = c >= 'a' && c <= 'f';
	*out = is_letter ? c - 'a' + 10 : c - '0';
	return is_letter || (c >= '0' && c <= '9');
}

/* False: it is no name of ours. */
static bool parse_name(uint64_t *number, hash32 *blob, struct bytes name) {
	uint8_t high, low;
	*number = 0;
	if (name.len != NAME_CHARS || name.data[16] != '-') return false;
	for (size_t i = 0; i < 16; i++) {
		if (!digit(&low, name.data[i])) return false;
		*number = *number << 4 | low;
	}
	for (size_t i = 0; i < 32; i++) {
		if (!digit(&high, name.data[17 + 2 * i]) || !digit(&low, name.data[18 + 2 * i])) return false;
		blob->b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static enum status nowhere(struct err *err) {
	return err_set(err, STATUS_IO, "this content is in an object store, and blob-store does not name one");
}

static bool is_usable(struct s3 *s3, struct err *err) {
	pthread_mutex_lock(&s3->lock);
	const bool is = s3->state.is_usable;
	if (!is) err_set(err, STATUS_IO, "the object store cannot be used: %s", s3->state.why);
	pthread_mutex_unlock(&s3->lock);
	return is;
}

static void set_usable(struct s3 *s3, bool is, const char *why) {
	pthread_mutex_lock(&s3->lock);
	s3->state.is_usable = is;
	snprintf(s3->state.why, sizeof s3->state.why, "%.255s", why);
	pthread_mutex_unlock(&s3->lock);
}

/* --- whose place it is --- */

/* STATUS_NOTFOUND: nobody's. */
static enum status read_owner(struct s3 *s3, bool *is_ours, bool *is_this_run, struct err *err) {
	struct buf text;
	buf_init(&text, OWNER_CHARS + 64);
	const enum status status = blob_s3_get(s3->client, &text, OWNER, OWNER_CHARS + 64, err);
	const size_t half = 2 * MARK_BYTES;
	*is_ours = status == STATUS_OK && text.len == OWNER_CHARS && memcmp(text.data, s3->list, half) == 0;
	*is_this_run = *is_ours && memcmp(text.data + half + 1, s3->run, half) == 0;
	buf_fini(&text);
	return status == STATUS_CORRUPT ? STATUS_OK : status;
}

static enum status write_owner(struct s3 *s3, struct err *err) {
	char text[OWNER_CHARS + 1];
	snprintf(text, sizeof text, "%s %s", s3->list, s3->run);
	return blob_s3_put(s3->client, OWNER, bytes_text(text), err);
}

/* A prefix that nobody has marked becomes this node's, if nothing was kept under another before. */
static enum status take_place(struct s3 *s3, struct err *err) {
	bool is_ours, is_this_run;
	const enum status status = read_owner(s3, &is_ours, &is_this_run, err);
	if (status == STATUS_OK && !is_ours)
		return err_set(err, STATUS_DENIED,
		    "another node keeps its blobs under this prefix of the bucket: every node needs a prefix of its own");
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	if (status == STATUS_NOTFOUND && s3->last > 0 && !s3->begins_anew)
		return err_set(err, STATUS_DENIED,
		    "this node keeps blobs in an object store, and this bucket and prefix do not have its mark: is it the "
		    "right one? If what was kept is lost, start once with --blob-s3-anew");
	return write_owner(s3, err);
}

static enum status check_place(struct s3 *s3, struct err *err) {
	bool keeps;
	TRY(blob_s3_keeps_versions(s3->client, &keeps, err));
	if (keeps)
		return err_set(err, STATUS_DENIED,
		    "the bucket keeps versions of what is deleted, or did so before, so that erasing would not erase: a "
		    "bucket that never had versioning is needed");
	return STATUS_OK;
}

static enum status begin(struct s3 *s3, struct err *err) {
	struct err why = {0};
	enum status status = check_place(s3, &why);
	if (status == STATUS_OK) status = take_place(s3, &why);
	set_usable(s3, status == STATUS_OK, why.message);
	return status == STATUS_OK ? STATUS_OK : err_set(err, status, "%s", why.message);
}

/* Something is missing or changed. Only if the store has this node's mark is that believed. */
static enum status believe(struct s3 *s3, enum status found, struct err *err) {
	bool is_ours, is_this_run;
	struct err why = {0};
	const enum status status = read_owner(s3, &is_ours, &is_this_run, &why);
	if (status == STATUS_OK && is_ours) return found;
	return err_set(err, STATUS_IO, "the object store does not show this node's mark: %s",
	    status == STATUS_OK ? "it is another's" : why.message);
}

/* --- putting --- */

static void put_row(struct s3 *s3, struct store_batch *batch, uint64_t number, enum object_state state, size_t len,
    const struct segments_label *label) {
	const struct row_key key = row_key(number);
	uint8_t value[ROW_BYTES] = {(uint8_t)state};
	store_be32(value + 1, (uint32_t)len);
	memcpy(value + 5, label->b, sizeof label->b);
	store_batch_put(batch, s3->store, TABLE_BLOB, BYTES_OF(key), bytes_make(value, sizeof value));
}

static enum status set_row(struct s3 *s3, uint64_t number, enum object_state state, size_t len,
    const struct segments_label *label, struct err *err) {
	struct store_batch *batch = store_batch_new();
	put_row(s3, batch, number, state, len, label);
	const enum status status = store_commit(s3->store, batch, state == KEPT, err);
	store_batch_free(batch);
	return status;
}

static uint64_t next_number(struct s3 *s3) {
	const uint64_t now_us = clock_now_ms(s3->clock) * 1000;
	pthread_mutex_lock(&s3->lock);
	const uint64_t number = s3->last = now_us > s3->last ? now_us : s3->last + 1;
	pthread_mutex_unlock(&s3->lock);
	return number;
}

static enum status owe(struct s3 *s3, const struct blob_spot *spot, const hash32 *item, struct err *err) {
	const struct row_key key = row_key(spot->place.at);
	uint8_t due[DUE_KEY];
	due_key(due, &spot->gate, item, spot->place.at);
	struct store_batch *batch = store_batch_new();
	store_batch_del(batch, s3->store, TABLE_BLOB, BYTES_OF(key));
	store_batch_put(batch, s3->store, TABLE_BLOB, bytes_make(due, sizeof due), BYTES_OF(spot->blob));
	const enum status status = store_commit(s3->store, batch, false, err);
	store_batch_free(batch);
	if (status != STATUS_OK) return status;
	pthread_mutex_lock(&s3->lock);
	s3->state.owed++;
	pthread_mutex_unlock(&s3->lock);
	return STATUS_OK;
}

static struct blob_spot spot_of(const struct segments_place *place, const struct segments_label *label) {
	struct blob_spot spot = {.place = *place};
	memcpy(spot.gate.b, label->b, 20);
	memcpy(spot.blob.b, label->b + 20, 32);
	return spot;
}

static enum status put(void *context, struct segments_place *out, const struct segments_label *label,
    struct bytes content, struct err *err) {
	struct s3 *s3 = context;
	char name[NAME_CHARS + 1];
	if (!s3->client) return nowhere(err);
	if (!is_usable(s3, err)) return STATUS_IO;
	*out = (struct segments_place){BLOB_REMOTE, (uint32_t)content.len, next_number(s3)};
	const struct blob_spot spot = spot_of(out, label);
	name_of(name, out->at, &spot.blob);
	TRY(set_row(s3, out->at, PUTTING, content.len, label, err));
	enum status status = blob_s3_put(s3->client, name, content, err);
	if (status == STATUS_OK) status = set_row(s3, out->at, KEPT, content.len, label, err);
	if (status == STATUS_OK) return STATUS_OK;
	struct err ignored; /* the next start finds the row, if this fails too */
	(void)!owe(s3, &spot, NULL, &ignored);
	return STATUS_IO;
}

/* --- reading, erasing --- */

/* `*is_kept` false: it was erased. */
static enum status is_kept(struct s3 *s3, bool *is_kept, const struct blob_spot *spot, struct err *err) {
	if (!s3->client) return nowhere(err);
	return has_row(s3, is_kept, spot->place.at, err);
}

static enum status read_once(struct s3 *s3, struct buf *out, const struct blob_spot *spot, struct err *err) {
	char name[NAME_CHARS + 1];
	struct container container;
	const size_t before = out->len;
	name_of(name, spot->place.at, &spot->blob);
	TRY(blob_s3_get(s3->client, out, name, spot->place.len, err));
	const struct bytes content = bytes_slice(buf_view(out), before, out->len);
	if (content.len == spot->place.len && container_decode(&container, content, NULL) == STATUS_OK) {
		const hash32 is = container_name(&container);
		if (hash32_equal(&is, &spot->blob)) return STATUS_OK;
	}
	out->len = before;
	return err_set(err, STATUS_CORRUPT, "the object store gives other bytes for %s than were put", name);
}

/* What was changed on the way is right the second time. */
static enum status read_content(void *context, struct buf *out, const struct blob_spot *spot, struct err *err) {
	struct s3 *s3 = context;
	bool is_there = false;
	TRY(is_kept(s3, &is_there, spot, err));
	if (!is_there) return err_set(err, STATUS_NOTFOUND, "the content was erased");
	enum status status = read_once(s3, out, spot, err);
	if (status == STATUS_CORRUPT) status = read_once(s3, out, spot, err);
	if (status == STATUS_CORRUPT) log_error("blob", "%s", err ? err->message : "an object was changed");
	if (status == STATUS_CORRUPT || status == STATUS_NOTFOUND) return believe(s3, status, err);
	return status == STATUS_OK || status == STATUS_LIMIT ? status : STATUS_IO;
}

static enum status has(void *context, bool *out, const struct blob_spot *spot, struct err *err) {
	struct s3 *s3 = context;
	char name[NAME_CHARS + 1];
	uint64_t size_bytes = 0;
	TRY(is_kept(s3, out, spot, err));
	if (!*out) return STATUS_OK;
	name_of(name, spot->place.at, &spot->blob);
	const enum status status = blob_s3_size(s3->client, &size_bytes, name, err);
	*out = status == STATUS_OK && size_bytes == spot->place.len;
	if (*out) return STATUS_OK;
	if (status != STATUS_OK && status != STATUS_NOTFOUND && status != STATUS_CORRUPT) return STATUS_IO;
	return believe(s3, STATUS_OK, err);
}

static enum status erase(void *context, const struct blob_spot *spot, const hash32 *item, struct err *err) {
	struct s3 *s3 = context;
	bool is_there = false;
	TRY(has_row(s3, &is_there, spot->place.at, err));
	return is_there ? owe(s3, spot, item, err) : STATUS_OK;
}

static enum status owes(void *context, bool *out, const addr20 *gate, const hash32 *item, struct err *err) {
	struct s3 *s3 = context;
	uint8_t key[DUE_KEY];
	due_key(key, gate, item, 0);
	struct store_cursor *cursor = store_cursor_new(s3->store, NULL, TABLE_BLOB);
	store_cursor_seek(cursor, bytes_make(key, sizeof key));
	*out = store_cursor_valid(cursor) &&
	       bytes_equal(bytes_slice(store_cursor_key(cursor), 0, 53), bytes_make(key, 53));
	const enum status status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status;
}

/* --- opening --- */

static bool parse_row(
    struct segments_place *place, struct segments_label *label, struct bytes key, struct bytes value) {
	if (key.len != NUMBER_KEY || value.len != ROW_BYTES) return false;
	*place = (struct segments_place){BLOB_REMOTE, load_be32(value.data + 1), load_be64(key.data + 1)};
	memcpy(label->b, value.data + 5, sizeof label->b);
	return true;
}

static enum status visit_row(struct store_cursor *cursor, segments_visit *visit, void *of, struct err *err) {
	struct segments_place place;
	struct segments_label label;
	if (!parse_row(&place, &label, store_cursor_key(cursor), store_cursor_value(cursor)))
		return err_set(err, STATUS_CORRUPT, "a row of the list of objects is damaged");
	return visit(of, &place, &label, err);
}

static enum status walk(
    void *context, const struct segments_place *from, segments_visit *visit, void *of, struct err *err) {
	struct s3 *s3 = context;
	const struct row_key first = row_key(from->segment == BLOB_REMOTE ? from->at : 0);
	struct store_cursor *cursor = store_cursor_new(s3->store, NULL, TABLE_BLOB);
	enum status status = STATUS_OK;
	for (store_cursor_seek(cursor, BYTES_OF(first)); status == STATUS_OK && store_cursor_valid(cursor);
	     store_cursor_next(cursor)) {
		if (store_cursor_key(cursor).data[0] != 'o') break;
		status = visit_row(cursor, visit, of, err);
	}
	if (status == STATUS_OK) status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

/* Puts that were not finished are owed since the list was opened. */
static enum status is_whole(void *context, const struct segments_place *place, struct err *err) {
	struct s3 *s3 = context;
	bool is;
	TRY(has_row(s3, &is, place->at, err));
	return is ? STATUS_OK : STATUS_NOTFOUND;
}

static struct segments_place end(void *context) {
	struct s3 *s3 = context;
	pthread_mutex_lock(&s3->lock);
	const struct segments_place place = {BLOB_REMOTE, 0, s3->last + 1};
	pthread_mutex_unlock(&s3->lock);
	return place;
}

static enum status tidy(void *context, const struct segments_place *from, struct bytes used, struct err *err) {
	(void)context;
	(void)from;
	(void)used;
	(void)err;
	return STATUS_OK;
}

/* The spots of puts that were not finished, one behind the other. */
static enum status read_list(struct s3 *s3, struct buf *unfinished, struct err *err) {
	struct store_cursor *cursor = store_cursor_new(s3->store, NULL, TABLE_BLOB);
	for (store_cursor_seek(cursor, BYTES_LITERAL("d")); store_cursor_valid(cursor); store_cursor_next(cursor)) {
		if (store_cursor_key(cursor).data[0] != 'd') break;
		s3->state.owed++;
	}
	for (store_cursor_seek(cursor, BYTES_LITERAL("o")); store_cursor_valid(cursor); store_cursor_next(cursor)) {
		struct segments_place place;
		struct segments_label label;
		const struct bytes value = store_cursor_value(cursor);
		if (store_cursor_key(cursor).data[0] != 'o') break;
		if (!parse_row(&place, &label, store_cursor_key(cursor), value)) continue;
		const struct blob_spot spot = spot_of(&place, &label);
		s3->last = place.at;
		if (value.data[0] == PUTTING) buf_append(unfinished, bytes_make(&spot, sizeof spot));
	}
	const enum status status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status == STATUS_OK ? buf_status(unfinished, err) : status;
}

static enum status open_list(struct s3 *s3, struct err *err) {
	struct buf unfinished;
	buf_init(&unfinished, SIZE_MAX);
	enum status status = read_list(s3, &unfinished, err);
	for (size_t at = 0; status == STATUS_OK && at < unfinished.len && !s3->only_reads;
	     at += sizeof(struct blob_spot)) {
		struct blob_spot spot;
		memcpy(&spot, unfinished.data + at, sizeof spot);
		status = owe(s3, &spot, NULL, err);
	}
	buf_fini(&unfinished);
	return status;
}

static void write_mark(char out[2 * MARK_BYTES + 1], const uint8_t mark[MARK_BYTES]) {
	for (size_t i = 0; i < MARK_BYTES; i++) snprintf(out + 2 * i, 3, "%02x", mark[i]);
}

/* The list's mark is made once; the run's each time. */
static enum status read_marks(struct s3 *s3, const struct random_source *random, struct err *err) {
	uint8_t mark[MARK_BYTES] = {0};
	struct store_value value;
	if (random) random_fill(random, mark, sizeof mark);
	write_mark(s3->run, mark);
	TRY(store_get(s3->store, NULL, TABLE_BLOB, &value, BYTES_LITERAL("O"), err));
	const bool is_known = value.view.len == sizeof mark;
	if (is_known) memcpy(mark, value.view.data, sizeof mark);
	store_value_release(&value);
	if (!is_known && random) {
		random_fill(random, mark, sizeof mark);
		struct store_batch *batch = store_batch_new();
		store_batch_put(batch, s3->store, TABLE_BLOB, BYTES_LITERAL("O"), bytes_make(mark, sizeof mark));
		const enum status status = store_commit(s3->store, batch, true, err);
		store_batch_free(batch);
		TRY(status);
	}
	write_mark(s3->list, mark);
	return STATUS_OK;
}

/* --- work: deleting --- */

struct due {
	uint8_t key[DUE_KEY];
	hash32 blob;
};

/* Rows behind the one that was tried last, and from the first on if there is none. */
static enum status read_due(struct s3 *s3, struct due due[DELETE_AT_ONCE], size_t *count, struct err *err) {
	struct store_cursor *cursor = store_cursor_new(s3->store, NULL, TABLE_BLOB);
	const struct bytes last = bytes_make(s3->due, sizeof s3->due);
	*count = 0;
	store_cursor_seek(cursor, last);
	if (store_cursor_valid(cursor) && bytes_equal(store_cursor_key(cursor), last)) store_cursor_next(cursor);
	for (; *count < DELETE_AT_ONCE && store_cursor_valid(cursor); store_cursor_next(cursor)) {
		const struct bytes key = store_cursor_key(cursor), value = store_cursor_value(cursor);
		if (key.len != DUE_KEY || key.data[0] != 'd' || value.len != 32) break;
		memcpy(due[*count].key, key.data, DUE_KEY);
		memcpy(due[(*count)++].blob.b, value.data, 32);
	}
	const enum status status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status;
}

static enum status delete_one(struct s3 *s3, const struct due *due, struct err *err) {
	char name[NAME_CHARS + 1];
	name_of(name, load_be64(due->key + 53), &due->blob);
	TRY(blob_s3_delete(s3->client, name, err));
	struct store_batch *batch = store_batch_new();
	store_batch_del(batch, s3->store, TABLE_BLOB, bytes_make(due->key, DUE_KEY));
	const enum status status = store_commit(s3->store, batch, false, err);
	store_batch_free(batch);
	if (status != STATUS_OK) return status;
	pthread_mutex_lock(&s3->lock);
	s3->state.owed -= s3->state.owed > 0;
	s3->state.deleted++;
	pthread_mutex_unlock(&s3->lock);
	return STATUS_OK;
}

/* One that the store refuses to delete stops no other: the next time goes on behind it. */
static enum status delete_some(struct s3 *s3, bool *more, struct err *err) {
	struct due due[DELETE_AT_ONCE];
	size_t count;
	TRY(read_due(s3, due, &count, err));
	for (size_t i = 0; i < count; i++) {
		memcpy(s3->due, due[i].key, DUE_KEY);
		TRY(delete_one(s3, &due[i], err));
	}
	*more |= count == DELETE_AT_ONCE;
	if (count < DELETE_AT_ONCE) memset(s3->due, 0, sizeof s3->due);
	s3->due[0] = 'd';
	return STATUS_OK;
}

/* --- work: what should not be there --- */

static enum status is_still_ours(struct s3 *s3, struct err *err) {
	bool is_ours, is_this_run = false;
	if (s3->was_owner_seen) return STATUS_OK;
	TRY(read_owner(s3, &is_ours, &is_this_run, err));
	s3->was_owner_seen = is_this_run;
	if (is_this_run) return STATUS_OK;
	err_set(err, STATUS_DENIED,
	    "another process has opened this prefix of the bucket since: two nodes must not share one");
	set_usable(s3, false, err->message);
	return STATUS_DENIED;
}

/* An object of which the list does not know: of a put that came after its node had given it up, or from an older copy
 * of the bucket. */
static enum status look_at_object(struct s3 *s3, const struct blob_s3_object *object, struct err *err) {
	struct blob_spot spot = {.place = {.segment = BLOB_REMOTE}};
	bool is_known;
	if (!parse_name(&spot.place.at, &spot.blob, object->key)) return STATUS_OK;
	TRY(has_row(s3, &is_known, spot.place.at, err));
	s3->objects += is_known;
	s3->bytes += is_known ? object->size_bytes : 0;
	if (is_known) return STATUS_OK;
	TRY(is_still_ours(s3, err));
	pthread_mutex_lock(&s3->lock);
	s3->state.strays++;
	pthread_mutex_unlock(&s3->lock);
	return owe(s3, &spot, NULL, err);
}

static enum status read_page(struct s3 *s3, struct blob_s3_page *page, struct arena *arena, struct err *err) {
	TRY(blob_s3_list(s3->client, page, arena, buf_view(&s3->token), err));
	for (size_t i = 0; i < page->count; i++) TRY(look_at_object(s3, &page->objects[i], err));
	buf_clear(&s3->token);
	buf_append(&s3->token, page->next);
	return buf_status(&s3->token, err);
}

static void end_pass(struct s3 *s3) {
	s3->is_passing = false;
	s3->pass_at_ms = clock_now_ms(s3->clock) + PASS_EVERY_MS;
	pthread_mutex_lock(&s3->lock);
	s3->state.objects = s3->objects;
	s3->state.bytes = s3->bytes;
	s3->state.passes++;
	pthread_mutex_unlock(&s3->lock);
}

static enum status pass_on(struct s3 *s3, bool *more, struct err *err) {
	struct arena arena;
	if (!s3->is_passing && clock_now_ms(s3->clock) < s3->pass_at_ms) return STATUS_OK;
	if (!s3->is_passing) {
		TRY(check_place(s3, err)); /* somebody may have switched versions on since */
		s3->is_passing = true;
		s3->was_owner_seen = false;
		s3->objects = s3->bytes = 0;
		buf_clear(&s3->token);
	}
	struct blob_s3_page *page = mem_zalloc(1, sizeof *page);
	arena_init(&arena);
	const enum status status = read_page(s3, page, &arena, err);
	arena_fini(&arena);
	mem_free(page);
	if (status != STATUS_OK) s3->is_passing = false; /* from the first page on, later */
	if (status == STATUS_OK && s3->token.len == 0) end_pass(s3);
	*more |= s3->is_passing;
	return status;
}

static enum status work_now(struct s3 *s3, bool *more, struct err *err) {
	if (!is_usable(s3, NULL)) TRY(begin(s3, err));
	TRY(delete_some(s3, more, err));
	const enum status status = pass_on(s3, more, err);
	if (status == STATUS_DENIED) set_usable(s3, false, err->message);
	return status;
}

static enum status work(void *context, bool *more, struct err *err) {
	struct s3 *s3 = context;
	struct err why = {0};
	*more = false;
	if (!s3->client || clock_now_ms(s3->clock) < s3->rests_until_ms) return STATUS_OK;
	const enum status status = work_now(s3, more, &why);
	if (status == STATUS_OK)
		s3->rest_ms = 0;
	else
		s3->rest_ms = s3->rest_ms == 0                 ? PAUSE_FIRST_MS
			      : s3->rest_ms * 2 < PAUSE_MAX_MS ? s3->rest_ms * 2
							       : PAUSE_MAX_MS;
	s3->rests_until_ms = s3->rest_ms > 0 ? clock_now_ms(s3->clock) + s3->rest_ms : 0;
	*more &= status == STATUS_OK;
	return status == STATUS_OK ? STATUS_OK : err_set(err, status, "%s", why.message);
}

static void state(void *context, struct blob_store_state *out) {
	struct s3 *s3 = context;
	pthread_mutex_lock(&s3->lock);
	*out = s3->state;
	pthread_mutex_unlock(&s3->lock);
	out->is_remote = s3->client != NULL;
	if (!s3->client) return;
	const struct blob_s3_counts counts = blob_s3_client_counts(s3->client);
	out->requests = counts.requests;
	out->retries = counts.retries;
	out->failures = counts.failures;
	if (out->is_usable && !counts.is_up) {
		out->is_usable = false;
		memcpy(out->why, counts.why, sizeof out->why);
	}
}

static void close_s3(void *context) {
	struct s3 *s3 = context;
	blob_s3_client_free(s3->client);
	buf_fini(&s3->token);
	pthread_mutex_destroy(&s3->lock);
	mem_free(s3);
}

/* A store that answers, and will not do, is told to whoever starts the node; one that is down must not stop it. */
static enum status begin_at_once(struct s3 *s3, struct err *err) {
	struct err why = {0};
	const enum status status = begin(s3, &why);
	if (status == STATUS_OK) return STATUS_OK;
	if (status == STATUS_DENIED) return err_set(err, status, "%s", why.message);
	log_error("blob", "the node starts without its object store, and goes on trying: %s", why.message);
	return STATUS_OK;
}

enum status blob_s3_open(struct blob_backend *out, struct store *store, const struct blob_s3_options *options,
    const struct random_source *random, struct err *err) {
	struct s3 *s3 = mem_zalloc(1, sizeof *s3);
	s3->store = store;
	s3->due[0] = 'd';
	pthread_mutex_init(&s3->lock, NULL);
	buf_init(&s3->token, 1 << 16);
	if (options) {
		s3->clock = options->clock;
		s3->begins_anew = options->begins_anew;
		s3->client = blob_s3_client_new(options);
	}
	s3->only_reads = !random;
	enum status status = open_list(s3, err);
	if (status == STATUS_OK && options) status = read_marks(s3, random, err);
	if (status == STATUS_OK && options && random) status = begin_at_once(s3, err);
	if (status != STATUS_OK) {
		close_s3(s3);
		return status;
	}
	*out = (struct blob_backend){
	    put, read_content, has, erase, owes, walk, is_whole, end, tidy, work, state, close_s3, s3};
	return STATUS_OK;
}
