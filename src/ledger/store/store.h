/*
 * The embedded database, behind the only header that the rest of the ledger sees. It is RocksDB (docs/decisions): one
 * column family a table, one synced write batch a commit.
 *
 * A batch is atomic and durable (fdatasync of the log) when store_commit returns. A snapshot is a consistent view that
 * stays while others write. Values that reads return are owned by a `struct store_value` until it is released. A second
 * process on the same folder gets STATUS_BUSY. A full disk gives STATUS_IO, and nothing of that batch is seen; after
 * the next open it is there whole, if its log reached the disk all the same, or not at all.
 *
 * Threads: a store, and its snapshots, may be read from any thread. Batches may be committed from any thread, too, each
 * on its own table's rows: who decides a row by what it reads holds a lock of its own. store_spread and store_usage are
 * for the thread that commits blocks.
 */
#ifndef LEDGER_STORE_STORE_H
#define LEDGER_STORE_STORE_H

#include "base/mem.h"

/* Byte layouts: tables.h. */
#define STORE_TABLES(X)                                                                                                \
	X(META, "meta")                                                                                                \
	X(HEADER, "header")                                                                                            \
	X(CANONICAL, "canonical")                                                                                      \
	X(NUMBER, "number")                                                                                            \
	X(BODY, "body")                                                                                                \
	X(TXS, "transactions")                                                                                         \
	X(RECEIPTS, "receipts")                                                                                        \
	X(SEAL, "seal")                                                                                                \
	X(TIME, "time")                                                                                                \
	X(TX_LOOKUP, "tx_lookup")                                                                                      \
	X(LOG_INDEX, "log_index")                                                                                      \
	X(ACCOUNT, "account")                                                                                          \
	X(STORAGE, "storage")                                                                                          \
	X(CODE, "code")                                                                                                \
	X(TRIE_ACCOUNT, "trie_account")                                                                                \
	X(TRIE_STORAGE, "trie_storage")                                                                                \
	X(CHANGES, "changes")                                                                                          \
	X(ACCOUNT_HISTORY, "account_history")                                                                          \
	X(STORAGE_HISTORY, "storage_history")                                                                          \
	X(BLOB, "blob")

#define STORE_TABLE_ENUM(name, text) TABLE_##name,
enum store_table { STORE_TABLES(STORE_TABLE_ENUM) TABLE_COUNT };
#undef STORE_TABLE_ENUM

struct store;
struct store_snapshot;
struct store_cursor;
struct store_batch;

struct store_options {
	size_t memory_bytes; /* block cache and write buffers together; 0: 256 MiB */
	bool create_if_missing;
};

MUST_USE enum status store_open(
    struct store **out, const char *directory, const struct store_options *options, struct err *err);
/* Flushes, so that the next open is quick. NULL is allowed. */
void store_close(struct store *store);

struct store_value {
	struct bytes view; /* data == NULL if the key is absent */
	void *owner;
};
/* `snapshot` NULL: the newest state. An absent key is STATUS_OK with data == NULL. */
MUST_USE enum status store_get(struct store *store, const struct store_snapshot *snapshot, enum store_table table,
    struct store_value *out, struct bytes key, struct err *err);
void store_value_release(struct store_value *value);
/* Many keys at once, in one pass. */
MUST_USE enum status store_get_many(struct store *store, const struct store_snapshot *snapshot, enum store_table table,
    struct store_value *out, const struct bytes *keys, size_t count, struct err *err);

/* For many reads that wait for the disk: calls work(context, i) for every i below `count`, in any order, on this thread
 * and on some of the store's own; returns after the last. For who commits. */
void store_spread(struct store *store, void (*work)(void *context, size_t index), void *context, size_t count);

struct store_snapshot *store_snapshot_new(struct store *store);
void store_snapshot_free(struct store *store, struct store_snapshot *snapshot);

/* Ordered by unsigned bytes. Key and value views live until the cursor moves. */
struct store_cursor *store_cursor_new(
    struct store *store, const struct store_snapshot *snapshot, enum store_table table);
void store_cursor_free(struct store_cursor *cursor);
/* At the first key >= `key`. */
void store_cursor_seek(struct store_cursor *cursor, struct bytes key);
/* At the last key <= `key`. */
void store_cursor_seek_back(struct store_cursor *cursor, struct bytes key);
void store_cursor_next(struct store_cursor *cursor);
bool store_cursor_valid(const struct store_cursor *cursor);
struct bytes store_cursor_key(const struct store_cursor *cursor);
struct bytes store_cursor_value(const struct store_cursor *cursor);
/* A cursor that ended because of a failing disk says so here. */
MUST_USE enum status store_cursor_status(const struct store_cursor *cursor, struct err *err);

struct store_batch *store_batch_new(void);
void store_batch_free(struct store_batch *batch);
void store_batch_clear(struct store_batch *batch);
void store_batch_put(
    struct store_batch *batch, struct store *store, enum store_table table, struct bytes key, struct bytes value);
void store_batch_del(struct store_batch *batch, struct store *store, enum store_table table, struct bytes key);
size_t store_batch_bytes(const struct store_batch *batch);
/* `durable`: on the disk when it returns; otherwise it survives the process, not the power. */
MUST_USE enum status store_commit(struct store *store, struct store_batch *batch, bool durable, struct err *err);

/* A copy of the database as it is now, in a folder that is not there yet, on the same file system: files that never
 * change again are linked. Others may commit meanwhile. Any thread. */
MUST_USE enum status store_checkpoint(struct store *store, const char *directory, struct err *err);

/* What a table was given since the store was opened: rows put and deleted, bytes of keys and values; and what its files
 * hold now. For who commits. */
struct store_usage {
	uint64_t rows, bytes;
	uint64_t file_bytes;
};
struct store_usage store_usage(struct store *store, enum store_table table);
const char *store_table_name(enum store_table table);

#endif
