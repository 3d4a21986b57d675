/*
 * The twin of store.c (memory_disk.h). A table is an immutable sorted array of rows; a commit makes a new array beside
 * the old one, which snapshots and cursors go on holding. So a crash is a step back to an earlier version.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/store/memory_disk.h"
#include "ledger/store/tables.h"

struct row {
	atomic_size_t owners;
	struct bytes key, value; /* behind this struct, in one allocation */
};

/* All tables at one moment. */
struct version {
	atomic_size_t owners;
	struct {
		struct row **rows;
		size_t count;
	} tables[TABLE_COUNT];
};

struct memory_disk {
	struct version **versions; /* the synced one, and those that commits made since */
	size_t count, capacity;
	uint64_t commits, fails_at;
	bool is_open, cuts; /* cuts: the commit at `fails_at` is written before it fails */
};

struct store {
	struct memory_disk *disk;
	pthread_mutex_t lock; /* of the disk's newest version */
	struct store_usage usage[TABLE_COUNT];
};

struct store_snapshot {
	struct version *version;
};

struct store_cursor {
	struct version *version;
	enum store_table table;
	size_t at; /* the table's count: not at a row */
};

struct change {
	enum store_table table;
	size_t order;
	struct row *row;
	bool is_deletion;
};
struct store_batch {
	struct change *changes;
	size_t count, capacity, bytes;
};

static const char *const table_names[TABLE_COUNT] = {
#define STORE_TABLE_TEXT(name, text) text,
    STORE_TABLES(STORE_TABLE_TEXT)
#undef STORE_TABLE_TEXT
};

/* --- rows and versions --- */

static struct row *row_new(struct bytes key, struct bytes value) {
	struct row *row = mem_alloc(sizeof *row + key.len + value.len);
	uint8_t *bytes = (uint8_t *)(row + 1);
	if (key.len) memcpy(bytes, key.data, key.len);
	if (value.len) memcpy(bytes + key.len, value.data, value.len);
	atomic_init(&row->owners, 1);
	row->key = bytes_make(bytes, key.len);
	row->value = bytes_make(bytes + key.len, value.len);
	return row;
}

static struct row *row_hold(struct row *row) {
	atomic_fetch_add(&row->owners, 1);
	return row;
}

static void row_release(struct row *row) {
	if (atomic_fetch_sub(&row->owners, 1) == 1) mem_free(row);
}

static struct version *version_hold(struct version *version) {
	atomic_fetch_add(&version->owners, 1);
	return version;
}

static void version_release(struct version *version) {
	if (atomic_fetch_sub(&version->owners, 1) != 1) return;
	for (size_t t = 0; t < TABLE_COUNT; t++) {
		for (size_t i = 0; i < version->tables[t].count; i++) row_release(version->tables[t].rows[i]);
		mem_free(version->tables[t].rows);
	}
	mem_free(version);
}

/* The first row of a table whose key is not below `key`. */
static size_t lower_bound(const struct version *version, enum store_table table, struct bytes key) {
	size_t low = 0, high = version->tables[table].count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (bytes_compare(version->tables[table].rows[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* --- the disk --- */

struct memory_disk *memory_disk_new(void) {
	struct memory_disk *disk = mem_zalloc(1, sizeof *disk);
	disk->capacity = 16;
	disk->versions = mem_zalloc(disk->capacity, sizeof *disk->versions);
	disk->versions[0] = mem_zalloc(1, sizeof **disk->versions);
	atomic_init(&disk->versions[0]->owners, 1);
	disk->count = 1;
	disk->fails_at = UINT64_MAX;
	return disk;
}

void memory_disk_free(struct memory_disk *disk) {
	if (!disk) return;
	BUG_ON(disk->is_open);
	for (size_t i = 0; i < disk->count; i++) version_release(disk->versions[i]);
	mem_free(disk->versions);
	mem_free(disk);
}

void memory_disk_path(char path[MEMORY_DISK_PATH_BYTES], const struct memory_disk *disk) {
	snprintf(path, MEMORY_DISK_PATH_BYTES, "memory:%p", (const void *)disk);
}

void memory_disk_fail_after(struct memory_disk *disk, uint64_t commits) {
	disk->fails_at = commits == UINT64_MAX ? UINT64_MAX : disk->commits + commits;
	disk->cuts = false;
}

void memory_disk_cut_after(struct memory_disk *disk, uint64_t commits) {
	memory_disk_fail_after(disk, commits);
	disk->cuts = true;
}

size_t memory_disk_unsynced(const struct memory_disk *disk) {
	return disk->count - 1;
}

void memory_disk_crash(struct memory_disk *disk, size_t keep) {
	BUG_ON(disk->is_open || keep > memory_disk_unsynced(disk));
	for (size_t i = keep + 1; i < disk->count; i++) version_release(disk->versions[i]);
	for (size_t i = 0; i < keep; i++) version_release(disk->versions[i]);
	disk->versions[0] = disk->versions[keep];
	disk->count = 1;
	disk->fails_at = UINT64_MAX;
}

/* --- the store --- */

static enum status check_schema(struct store *store, bool create, struct err *err) {
	static const struct bytes key = {(const uint8_t *)"schema", 6};
	struct store_value value;
	uint8_t ours[4];
	store_be32(ours, STORE_SCHEMA);
	TRY(store_get(store, NULL, TABLE_META, &value, key, err));
	bool is_there = value.view.data != NULL, is_ours = bytes_equal(value.view, bytes_make(ours, sizeof ours));
	store_value_release(&value);
	if (is_there) return is_ours ? STATUS_OK : err_set(err, STATUS_UNSUPPORTED, "the database has another layout");
	if (!create) return err_set(err, STATUS_NOTFOUND, "no database on this disk");
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, store, TABLE_META, key, bytes_make(ours, sizeof ours));
	enum status status = store_commit(store, batch, true, err);
	store_batch_free(batch);
	return status;
}

enum status store_open(
    struct store **out, const char *directory, const struct store_options *options, struct err *err) {
	void *disk;
	if (sscanf(directory, "memory:%p", &disk) != 1)
		return err_set(err, STATUS_NOTFOUND, "%s is not a disk in memory", directory);
	struct store *store = mem_zalloc(1, sizeof *store);
	store->disk = disk;
	if (store->disk->is_open) {
		mem_free(store);
		return err_set(err, STATUS_BUSY, "another xinglin uses this folder: %s", directory);
	}
	store->disk->is_open = true;
	pthread_mutex_init(&store->lock, NULL);
	enum status status = check_schema(store, options->create_if_missing, err);
	if (status == STATUS_OK)
		*out = store;
	else
		store_close(store);
	return status;
}

void store_close(struct store *store) {
	if (!store) return;
	store->disk->is_open = false;
	pthread_mutex_destroy(&store->lock);
	mem_free(store);
}

static struct version *hold_newest(struct store *store) {
	pthread_mutex_lock(&store->lock);
	struct version *version = version_hold(store->disk->versions[store->disk->count - 1]);
	pthread_mutex_unlock(&store->lock);
	return version;
}

static struct version *hold_view(struct store *store, const struct store_snapshot *snapshot) {
	return snapshot ? version_hold(snapshot->version) : hold_newest(store);
}

enum status store_get(struct store *store, const struct store_snapshot *snapshot, enum store_table table,
    struct store_value *out, struct bytes key, struct err *err) {
	(void)err;
	struct version *version = hold_view(store, snapshot);
	size_t at = lower_bound(version, table, key);
	*out = (struct store_value){0};
	if (at < version->tables[table].count && bytes_equal(version->tables[table].rows[at]->key, key)) {
		struct row *row = row_hold(version->tables[table].rows[at]);
		*out = (struct store_value){row->value, row};
	}
	version_release(version);
	return STATUS_OK;
}

void store_value_release(struct store_value *value) {
	if (value->owner) row_release(value->owner);
	*value = (struct store_value){0};
}

enum status store_get_many(struct store *store, const struct store_snapshot *snapshot, enum store_table table,
    struct store_value *out, const struct bytes *keys, size_t count, struct err *err) {
	for (size_t i = 0; i < count; i++) TRY(store_get(store, snapshot, table, &out[i], keys[i], err));
	return STATUS_OK;
}

void store_spread(struct store *store, void (*work)(void *context, size_t index), void *context, size_t count) {
	(void)store;
	for (size_t i = 0; i < count; i++) work(context, i);
}

struct store_snapshot *store_snapshot_new(struct store *store) {
	struct store_snapshot *snapshot = mem_alloc(sizeof *snapshot);
	snapshot->version = hold_newest(store);
	return snapshot;
}

void store_snapshot_free(struct store *store, struct store_snapshot *snapshot) {
	(void)store;
	if (!snapshot) return;
	version_release(snapshot->version);
	mem_free(snapshot);
}

/* --- cursors --- */

struct store_cursor *store_cursor_new(
    struct store *store, const struct store_snapshot *snapshot, enum store_table table) {
	struct store_cursor *cursor = mem_alloc(sizeof *cursor);
	*cursor = (struct store_cursor){.version = hold_view(store, snapshot), .table = table};
	cursor->at = cursor->version->tables[table].count;
	return cursor;
}

void store_cursor_free(struct store_cursor *cursor) {
	if (!cursor) return;
	version_release(cursor->version);
	mem_free(cursor);
}

void store_cursor_seek(struct store_cursor *cursor, struct bytes key) {
	cursor->at = lower_bound(cursor->version, cursor->table, key);
}

void store_cursor_seek_back(struct store_cursor *cursor, struct bytes key) {
	store_cursor_seek(cursor, key);
	if (store_cursor_valid(cursor) && bytes_equal(store_cursor_key(cursor), key)) return;
	cursor->at = cursor->at ? cursor->at - 1 : cursor->version->tables[cursor->table].count;
}

void store_cursor_next(struct store_cursor *cursor) {
	cursor->at++;
}

bool store_cursor_valid(const struct store_cursor *cursor) {
	return cursor->at < cursor->version->tables[cursor->table].count;
}

struct bytes store_cursor_key(const struct store_cursor *cursor) {
	return cursor->version->tables[cursor->table].rows[cursor->at]->key;
}

struct bytes store_cursor_value(const struct store_cursor *cursor) {
	return cursor->version->tables[cursor->table].rows[cursor->at]->value;
}

enum status store_cursor_status(const struct store_cursor *cursor, struct err *err) {
	(void)cursor;
	(void)err;
	return STATUS_OK;
}

/* --- batches --- */

struct store_batch *store_batch_new(void) {
	return mem_zalloc(1, sizeof(struct store_batch));
}

void store_batch_clear(struct store_batch *batch) {
	for (size_t i = 0; i < batch->count; i++) row_release(batch->changes[i].row);
	batch->count = batch->bytes = 0;
}

void store_batch_free(struct store_batch *batch) {
	if (!batch) return;
	store_batch_clear(batch);
	mem_free(batch->changes);
	mem_free(batch);
}

static void add_change(struct store_batch *batch, enum store_table table, struct row *row, bool is_deletion) {
	BUG_ON((unsigned)table >= TABLE_COUNT);
	if (batch->count == batch->capacity) {
		batch->capacity = batch->capacity ? 2 * batch->capacity : 64;
		batch->changes = mem_realloc(batch->changes, batch->capacity * sizeof *batch->changes);
	}
	batch->bytes += row->key.len + row->value.len;
	batch->changes[batch->count] = (struct change){table, batch->count, row, is_deletion};
	batch->count++;
}

void store_batch_put(
    struct store_batch *batch, struct store *store, enum store_table table, struct bytes key, struct bytes value) {
	(void)store;
	add_change(batch, table, row_new(key, value), false);
}

void store_batch_del(struct store_batch *batch, struct store *store, enum store_table table, struct bytes key) {
	(void)store;
	add_change(batch, table, row_new(key, (struct bytes){NULL, 0}), true);
}

size_t store_batch_bytes(const struct store_batch *batch) {
	return batch->bytes;
}

/* By table and key; of several changes of one row the last one counts. */
static int by_row(const void *left, const void *right) {
	const struct change *a = left, *b = right;
	if (a->table != b->table) return a->table < b->table ? -1 : 1;
	int order = bytes_compare(a->row->key, b->row->key);
	return order ? order : (a->order > b->order) - (a->order < b->order);
}

/* One table's new rows: the old ones and the sorted changes, merged. Returns how many changes were its own. */
static size_t merge_table(struct version *next, const struct version *before, enum store_table table,
    const struct change *changes, size_t count) {
	size_t own = 0, at = 0, n = 0, old_count = before->tables[table].count;
	while (own < count && changes[own].table == table) own++;
	struct row **rows = mem_alloc((old_count + own + 1) * sizeof *rows), **old = before->tables[table].rows;
	for (size_t i = 0; i < own; i++) {
		if (i + 1 < own && bytes_equal(changes[i].row->key, changes[i + 1].row->key)) continue;
		while (at < old_count && bytes_compare(old[at]->key, changes[i].row->key) < 0)
			rows[n++] = row_hold(old[at++]);
		if (at < old_count && bytes_equal(old[at]->key, changes[i].row->key)) at++;
		if (!changes[i].is_deletion) rows[n++] = row_hold(changes[i].row);
	}
	while (at < old_count) rows[n++] = row_hold(old[at++]);
	next->tables[table].rows = rows;
	next->tables[table].count = n;
	return own;
}

static struct version *version_after(const struct version *before, struct store_batch *batch) {
	struct version *next = mem_zalloc(1, sizeof *next);
	size_t done = 0;
	atomic_init(&next->owners, 1);
	/* In place: a batch keeps its changes, and sorting leaves the order of one row's changes as it is. */
	if (batch->count) qsort(batch->changes, batch->count, sizeof *batch->changes, by_row);
	for (size_t t = 0; t < TABLE_COUNT; t++)
		done += merge_table(next, before, (enum store_table)t, batch->changes + done, batch->count - done);
	BUG_ON(done != batch->count);
	return next;
}

static void append_version(struct memory_disk *disk, struct version *version) {
	if (disk->count == disk->capacity) {
		disk->capacity *= 2;
		disk->versions = mem_realloc(disk->versions, disk->capacity * sizeof *disk->versions);
	}
	disk->versions[disk->count++] = version;
}

/* A sync takes everything before it to the disk. */
static void sync_all(struct memory_disk *disk) {
	for (size_t i = 0; i + 1 < disk->count; i++) version_release(disk->versions[i]);
	disk->versions[0] = disk->versions[disk->count - 1];
	disk->count = 1;
}

enum status store_commit(struct store *store, struct store_batch *batch, bool durable, struct err *err) {
	struct memory_disk *disk = store->disk;
	const bool fails = disk->commits >= disk->fails_at, cut = fails && disk->cuts;
	if (fails && !cut) return err_set(err, STATUS_IO, "cannot commit: the disk in memory fails");
	struct version *next = version_after(disk->versions[disk->count - 1], batch);
	for (size_t i = 0; i < batch->count; i++) {
		struct store_usage *usage = &store->usage[batch->changes[i].table];
		usage->rows++;
		usage->bytes += batch->changes[i].row->key.len + batch->changes[i].row->value.len;
	}
	pthread_mutex_lock(&store->lock);
	append_version(disk, next);
	if (durable && !cut) sync_all(disk);
	disk->commits++;
	disk->cuts = false;
	pthread_mutex_unlock(&store->lock);
	return cut ? err_set(err, STATUS_IO, "cannot sync: the disk in memory fails") : STATUS_OK;
}

const char *store_table_name(enum store_table table) {
	return table_names[table];
}

struct store_usage store_usage(struct store *store, enum store_table table) {
	return store->usage[table];
}
