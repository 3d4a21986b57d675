#include "ledger/store/store.h"

#include "base/log.h"
#include "ledger/store/readers.h"
#include "ledger/store/tables.h"

#include <rocksdb/c.h>

#define MEMORY_DEFAULT_BYTES ((size_t)256 << 20)
#define MEMORY_LEAST_BYTES ((size_t)8 << 20)
#define BLOOM_BITS_PER_KEY 10
#define OPEN_FILES_MAX 512
#define GET_MANY_CHUNK 256
/* Twice RocksDB's own: a fifth less is written. Bloom filters and the tries' cache spare most of the reads. */
#define FILES_BEFORE_COMPACTION 8
/* Each table takes one at once, so large ones would be most of an idle node's memory. */
#define ARENA_BLOCK_BYTES ((size_t)64 << 10)

/* RocksDB insists on a column family of this name; it stays empty. Handle i + 1 belongs to table i. */
#define HANDLE_COUNT (TABLE_COUNT + 1)
static const char *const handle_names[HANDLE_COUNT] = {"default",
#define STORE_TABLE_TEXT(name, text) text,
    STORE_TABLES(STORE_TABLE_TEXT)
#undef STORE_TABLE_TEXT
};

struct store {
	rocksdb_t *db;
	rocksdb_column_family_handle_t *handles[HANDLE_COUNT];
	rocksdb_options_t *options[HANDLE_COUNT]; /* as the handles; the first one's are the database's, too */
	rocksdb_readoptions_t *read;
	rocksdb_writeoptions_t *write_durable;
	rocksdb_writeoptions_t *write_buffered;
	struct readers *readers;
	struct store_usage usage[TABLE_COUNT];
};

struct store_snapshot {
	const rocksdb_snapshot_t *handle;
	rocksdb_readoptions_t *read;
};

struct store_cursor {
	rocksdb_iterator_t *iterator;
};

struct store_batch {
	rocksdb_writebatch_t *rows;
	struct store_usage usage[TABLE_COUNT];
};

static rocksdb_column_family_handle_t *handle_of(const struct store *store, enum store_table table) {
	BUG_ON((unsigned)table >= TABLE_COUNT);
	return store->handles[table + 1];
}

/* Takes RocksDB's malloc-ed text. The beginning of the text says which kind of failure it is. A file that names a
 * checksum, a compression or a version that does not exist is damaged, too. */
static enum status take_failure(char *text, const char *action, struct err *err) {
	static const char *const damages[] = {"Corruption", "Not implemented", "Invalid argument"};
	enum status status = STATUS_IO;
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++)
		if (strncmp(text, damages[i], strlen(damages[i])) == 0) status = STATUS_CORRUPT;
	err_set(err, status, "cannot %s: %s", action, text);
	rocksdb_free(text);
	return status;
}

static enum status take_open_failure(char *text, const char *directory, struct err *err) {
	enum status status;
	if (strstr(text, "lock hold by current process") ||
	    (strstr(text, "While lock file") && strstr(text, "temporarily unavailable")))
		status = err_set(err, STATUS_BUSY, "another xinglin uses this folder: %s", directory);
	else if (strstr(text, "create_if_missing is false"))
		status = err_set(err, STATUS_NOTFOUND, "no database in %s", directory);
	else if (strstr(text, "Column families not opened"))
		status = err_set(err, STATUS_UNSUPPORTED,
		    "the database in %s has tables that this version does not know: %s", directory, text);
	else
		return take_failure(text, "open the database", err);
	rocksdb_free(text);
	return status;
}

/* Keys are asked for that are not there: most slots that a block writes are new, and receipts are asked for until they
 * come. */
static bool is_probed(size_t handle) {
	return handle == TABLE_ACCOUNT + 1 || handle == TABLE_STORAGE + 1 || handle == TABLE_TX_LOOKUP + 1;
}

/* Almost all of it is hashes, which nothing makes shorter. */
static bool is_of_hashes(size_t handle) {
	return is_probed(handle) || handle == TABLE_TRIE_ACCOUNT + 1 || handle == TABLE_TRIE_STORAGE + 1 ||
	       handle == TABLE_LOG_INDEX + 1;
}

/* Read by ranges alone, but for unwinding, and as large as the state: filters would take memory for nothing. */
static bool is_ranged(size_t handle) {
	return handle == TABLE_CHANGES + 1 || handle == TABLE_ACCOUNT_HISTORY + 1 ||
	       handle == TABLE_STORAGE_HISTORY + 1;
}

static rocksdb_block_based_table_options_t *blocks_new(rocksdb_cache_t *cache, bool has_filter) {
	rocksdb_block_based_table_options_t *blocks = rocksdb_block_based_options_create();
	rocksdb_block_based_options_set_block_cache(blocks, cache);
	if (has_filter)
		rocksdb_block_based_options_set_filter_policy(
		    blocks, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS_PER_KEY));
	rocksdb_block_based_options_set_cache_index_and_filter_blocks(blocks, 1);
	rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(blocks, 1);
	rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(blocks, 1);
	rocksdb_block_based_options_set_format_version(blocks, 5);
	return blocks;
}

/* Of one table, and of the database where it is the first. Write buffers take `write_bytes` over all tables. */
static rocksdb_options_t *options_new(size_t handle, size_t write_bytes, rocksdb_cache_t *cache, bool create) {
	rocksdb_options_t *options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(options, create);
	rocksdb_options_set_create_missing_column_families(options, 1); /* a table that is younger than the folder */
	rocksdb_options_set_db_write_buffer_size(options, write_bytes);
	rocksdb_options_set_write_buffer_size(options, write_bytes / 2);
	rocksdb_options_set_max_write_buffer_number(options, 3);
	rocksdb_options_set_arena_block_size(options, ARENA_BLOCK_BYTES);
	if (is_probed(handle)) { /* a filter answers for the write buffer, as the bloom filters do for files */
		rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, 0.05);
		rocksdb_options_set_memtable_whole_key_filtering(options, 1);
	}
	rocksdb_options_set_max_total_wal_size(options, 2 * write_bytes);
	rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
	rocksdb_options_set_max_background_jobs(options, 2);
	rocksdb_options_set_level0_file_num_compaction_trigger(options, FILES_BEFORE_COMPACTION);
	rocksdb_options_set_compression(
	    options, is_of_hashes(handle) ? rocksdb_no_compression : rocksdb_lz4_compression);
	rocksdb_options_set_max_open_files(options, OPEN_FILES_MAX);
	rocksdb_options_set_bytes_per_sync(options, 1 << 20);
	/* A commit is synced before it is acknowledged, so a torn tail of the log was promised to nobody. */
	rocksdb_options_set_wal_recovery_mode(options, rocksdb_point_in_time_recovery);
	/* No LOG file: Debian's build keeps assertions, and one of them stops the process when LOG meets a full disk.
	 * The calls themselves report what goes wrong. */
	rocksdb_options_set_info_log_level(options, 6);
	rocksdb_options_set_keep_log_file_num(options, 1);
	rocksdb_options_set_stats_dump_period_sec(options, 0);
	rocksdb_options_set_stats_persist_period_sec(options, 0);
	rocksdb_block_based_table_options_t *blocks = blocks_new(cache, !is_ranged(handle));
	rocksdb_options_set_block_based_table_factory(options, blocks);
	rocksdb_block_based_options_destroy(blocks);
	return options;
}

/* A quarter of the memory is for write buffers, and half as much for those that are full and on their way to the disk.
 * The rest is for blocks, indexes and filters, which all tables share. */
static void make_options(struct store *store, size_t memory_bytes, bool create) {
	const size_t write_bytes = memory_bytes / 4;
	rocksdb_cache_t *cache = rocksdb_cache_create_lru(memory_bytes - write_bytes - write_bytes / 2);
	for (size_t i = 0; i < HANDLE_COUNT; i++) store->options[i] = options_new(i, write_bytes, cache, create);
	rocksdb_cache_destroy(cache); /* the options hold it */
}

static void close_handles(struct store *store) {
	readers_free(store->readers);
	for (size_t i = 0; i < HANDLE_COUNT; i++)
		if (store->handles[i]) rocksdb_column_family_handle_destroy(store->handles[i]);
	if (store->db) rocksdb_close(store->db);
	rocksdb_readoptions_destroy(store->read);
	rocksdb_writeoptions_destroy(store->write_durable);
	rocksdb_writeoptions_destroy(store->write_buffered);
	for (size_t i = 0; i < HANDLE_COUNT; i++) rocksdb_options_destroy(store->options[i]);
	mem_free(store);
}

/* A new folder is given the schema's number; any other number than ours is refused. */
static enum status check_schema(struct store *store, bool create, struct err *err) {
	static const struct bytes key = {(const uint8_t *)"schema", 6};
	uint8_t ours[4];
	store_be32(ours, STORE_SCHEMA);
	struct store_value value;
	TRY(store_get(store, NULL, TABLE_META, &value, key, err));
	enum status status = STATUS_OK;
	if (value.view.data) {
		if (!bytes_equal(value.view, bytes_make(ours, sizeof ours)))
			status = err_set(
			    err, STATUS_UNSUPPORTED, "the database has another layout than schema %u", STORE_SCHEMA);
	} else if (!create) {
		status = err_set(err, STATUS_CORRUPT, "the database does not say its schema");
	} else {
		struct store_batch *batch = store_batch_new();
		store_batch_put(batch, store, TABLE_META, key, bytes_make(ours, sizeof ours));
		status = store_commit(store, batch, true, err);
		store_batch_free(batch);
	}
	store_value_release(&value);
	return status;
}

enum status store_open(
    struct store **out, const char *directory, const struct store_options *options, struct err *err) {
	size_t memory_bytes = options->memory_bytes ? options->memory_bytes : MEMORY_DEFAULT_BYTES;
	if (memory_bytes < MEMORY_LEAST_BYTES) memory_bytes = MEMORY_LEAST_BYTES;
	struct store *store = mem_zalloc(1, sizeof *store);
	make_options(store, memory_bytes, options->create_if_missing);
	store->readers = readers_new();
	store->read = rocksdb_readoptions_create();
	store->write_durable = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(store->write_durable, 1);
	store->write_buffered = rocksdb_writeoptions_create();
	/* Batches are mostly in order, so each insertion starts where the one before ended. */
	rocksdb_writeoptions_set_memtable_insert_hint_per_batch(store->write_durable, 1);
	rocksdb_writeoptions_set_memtable_insert_hint_per_batch(store->write_buffered, 1);

	const rocksdb_options_t *table_options[HANDLE_COUNT];
	for (size_t i = 0; i < HANDLE_COUNT; i++) table_options[i] = store->options[i];
	char *text = NULL;
	store->db = rocksdb_open_column_families(
	    store->options[0], directory, HANDLE_COUNT, handle_names, table_options, store->handles, &text);
	enum status status =
	    text ? take_open_failure(text, directory, err) : check_schema(store, options->create_if_missing, err);
	if (status != STATUS_OK) {
		close_handles(store);
		return status;
	}
	*out = store;
	return STATUS_OK;
}

void store_close(struct store *store) {
	if (!store) return;
	rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
	rocksdb_flushoptions_set_wait(flush, 1);
	for (size_t i = 0; i < HANDLE_COUNT; i++) {
		char *text = NULL;
		rocksdb_flush_cf(store->db, flush, store->handles[i], &text);
		if (!text) continue;
		/* Nothing is lost: what was committed stands in the log, which the next open replays. */
		log_warn("store", "flush of %s at closing failed: %s", handle_names[i], text);
		rocksdb_free(text);
	}
	rocksdb_flushoptions_destroy(flush);
	close_handles(store);
}

static const rocksdb_readoptions_t *read_options(const struct store *store, const struct store_snapshot *snapshot) {
	return snapshot ? snapshot->read : store->read;
}

static struct store_value value_of(rocksdb_pinnableslice_t *slice) {
	size_t len = 0;
	const char *data = slice ? rocksdb_pinnableslice_value(slice, &len) : NULL;
	return (struct store_value){{(const uint8_t *)data, len}, slice};
}

enum status store_get(struct store *store, const struct store_snapshot *snapshot, enum store_table table,
    struct store_value *out, struct bytes key, struct err *err) {
	char *text = NULL;
	*out = value_of(rocksdb_get_pinned_cf(
	    store->db, read_options(store, snapshot), handle_of(store, table), (const char *)key.data, key.len, &text));
	return text ? take_failure(text, "read", err) : STATUS_OK;
}

void store_value_release(struct store_value *value) {
	if (value->owner) rocksdb_pinnableslice_destroy(value->owner);
	*value = (struct store_value){0};
}

static enum status get_chunk(struct store *store, const struct store_snapshot *snapshot, enum store_table table,
    struct store_value *out, const struct bytes *keys, size_t count, struct err *err) {
	const char *data[GET_MANY_CHUNK];
	size_t sizes[GET_MANY_CHUNK];
	rocksdb_pinnableslice_t *slices[GET_MANY_CHUNK];
	char *texts[GET_MANY_CHUNK];
	for (size_t i = 0; i < count; i++) {
		data[i] = (const char *)keys[i].data;
		sizes[i] = keys[i].len;
	}
	rocksdb_batched_multi_get_cf(store->db, read_options(store, snapshot), handle_of(store, table), count, data,
	    sizes, slices, texts, false);
	enum status status = STATUS_OK;
	for (size_t i = 0; i < count; i++) {
		out[i] = value_of(slices[i]);
		if (!texts[i]) continue;
		if (status == STATUS_OK)
			status = take_failure(texts[i], "read", err);
		else
			rocksdb_free(texts[i]);
	}
	return status;
}

enum status store_get_many(struct store *store, const struct store_snapshot *snapshot, enum store_table table,
    struct store_value *out, const struct bytes *keys, size_t count, struct err *err) {
	enum status status = STATUS_OK;
	size_t done = 0;
	while (done < count && status == STATUS_OK) {
		size_t chunk = count - done < GET_MANY_CHUNK ? count - done : GET_MANY_CHUNK;
		status = get_chunk(store, snapshot, table, out + done, keys + done, chunk, err);
		done += chunk;
	}
	if (status == STATUS_OK) return STATUS_OK;
	for (size_t i = 0; i < done; i++) store_value_release(&out[i]);
	return status;
}

void store_spread(struct store *store, void (*work)(void *context, size_t index), void *context, size_t count) {
	readers_run(store->readers, work, context, count);
}

struct store_snapshot *store_snapshot_new(struct store *store) {
	struct store_snapshot *snapshot = mem_alloc(sizeof *snapshot);
	snapshot->handle = rocksdb_create_snapshot(store->db);
	snapshot->read = rocksdb_readoptions_create();
	rocksdb_readoptions_set_snapshot(snapshot->read, snapshot->handle);
	return snapshot;
}

void store_snapshot_free(struct store *store, struct store_snapshot *snapshot) {
	if (!snapshot) return;
	rocksdb_readoptions_destroy(snapshot->read);
	rocksdb_release_snapshot(store->db, snapshot->handle);
	mem_free(snapshot);
}

struct store_cursor *store_cursor_new(
    struct store *store, const struct store_snapshot *snapshot, enum store_table table) {
	struct store_cursor *cursor = mem_alloc(sizeof *cursor);
	cursor->iterator =
	    rocksdb_create_iterator_cf(store->db, read_options(store, snapshot), handle_of(store, table));
	return cursor;
}

void store_cursor_free(struct store_cursor *cursor) {
	if (!cursor) return;
	rocksdb_iter_destroy(cursor->iterator);
	mem_free(cursor);
}

void store_cursor_seek(struct store_cursor *cursor, struct bytes key) {
	rocksdb_iter_seek(cursor->iterator, (const char *)key.data, key.len);
}

void store_cursor_seek_back(struct store_cursor *cursor, struct bytes key) {
	rocksdb_iter_seek_for_prev(cursor->iterator, (const char *)key.data, key.len);
}

void store_cursor_next(struct store_cursor *cursor) {
	rocksdb_iter_next(cursor->iterator);
}

bool store_cursor_valid(const struct store_cursor *cursor) {
	return rocksdb_iter_valid(cursor->iterator);
}

struct bytes store_cursor_key(const struct store_cursor *cursor) {
	size_t len;
	const char *data = rocksdb_iter_key(cursor->iterator, &len);
	return bytes_make(data, len);
}

struct bytes store_cursor_value(const struct store_cursor *cursor) {
	size_t len;
	const char *data = rocksdb_iter_value(cursor->iterator, &len);
	return bytes_make(data, len);
}

enum status store_cursor_status(const struct store_cursor *cursor, struct err *err) {
	char *text = NULL;
	rocksdb_iter_get_error(cursor->iterator, &text);
	return text ? take_failure(text, "read", err) : STATUS_OK;
}

struct store_batch *store_batch_new(void) {
	struct store_batch *batch = mem_zalloc(1, sizeof *batch);
	batch->rows = rocksdb_writebatch_create();
	return batch;
}

void store_batch_free(struct store_batch *batch) {
	if (!batch) return;
	rocksdb_writebatch_destroy(batch->rows);
	mem_free(batch);
}

void store_batch_clear(struct store_batch *batch) {
	rocksdb_writebatch_clear(batch->rows);
	memset(batch->usage, 0, sizeof batch->usage);
}

static void count_row(struct store_batch *batch, enum store_table table, size_t bytes) {
	batch->usage[table].rows++;
	batch->usage[table].bytes += bytes;
}

void store_batch_put(
    struct store_batch *batch, struct store *store, enum store_table table, struct bytes key, struct bytes value) {
	rocksdb_writebatch_put_cf(
	    batch->rows, handle_of(store, table), (const char *)key.data, key.len, (const char *)value.data, value.len);
	count_row(batch, table, key.len + value.len);
}

void store_batch_del(struct store_batch *batch, struct store *store, enum store_table table, struct bytes key) {
	rocksdb_writebatch_delete_cf(batch->rows, handle_of(store, table), (const char *)key.data, key.len);
	count_row(batch, table, key.len);
}

size_t store_batch_bytes(const struct store_batch *batch) {
	size_t bytes = 0;
	for (size_t i = 0; i < TABLE_COUNT; i++) bytes += batch->usage[i].bytes;
	return bytes;
}

/* RocksDB counts comparisons for whoever profiles it, thread by thread, in the innermost loop of a write: a tenth of
 * it. */
static void count_nothing(void) {
	static _Thread_local bool is_done;
	if (!is_done) rocksdb_set_perf_level(rocksdb_disable);
	is_done = true;
}

enum status store_commit(struct store *store, struct store_batch *batch, bool durable, struct err *err) {
	char *text = NULL;
	count_nothing();
	rocksdb_write(store->db, durable ? store->write_durable : store->write_buffered, batch->rows, &text);
	if (text) return take_failure(text, "commit", err);
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (batch->usage[i].rows == 0) continue;
		__atomic_fetch_add(&store->usage[i].rows, batch->usage[i].rows, __ATOMIC_RELAXED);
		__atomic_fetch_add(&store->usage[i].bytes, batch->usage[i].bytes, __ATOMIC_RELAXED);
	}
	return STATUS_OK;
}

const char *store_table_name(enum store_table table) {
	return handle_names[table + 1];
}

struct store_usage store_usage(struct store *store, enum store_table table) {
	struct store_usage usage = store->usage[table];
	rocksdb_property_int_cf(store->db, handle_of(store, table), "rocksdb.live-sst-files-size", &usage.file_bytes);
	return usage;
}

enum status store_checkpoint(struct store *store, const char *directory, struct err *err) {
	char *failure = NULL;
	rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(store->db, &failure);
	if (failure) return take_failure(failure, "make a checkpoint", err);
	rocksdb_checkpoint_create(checkpoint, directory, 0, &failure); /* 0: with what is in memory, in files */
	rocksdb_checkpoint_object_destroy(checkpoint);
	return failure ? take_failure(failure, "make a checkpoint", err) : STATUS_OK;
}
