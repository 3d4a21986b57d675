/*
 * The audit log: `audit.log`, only ever appended to. Each entry is
 *
 *	gate 20 | item 32 | length u32 | a compact JWE of that length
 *
 * sealed to the key that the gate names for the item, so that the operator keeps it and cannot read it. Each sealed
 * entry holds the SHA-256 of the one before; the newest hash and the count are anchored on the chain. A torn tail (a
 * crash while appending) was never acknowledged and is cut off when the log is opened.
 *
 * The file is the log; rows of TABLE_BLOB find in it: "a" gate, item, number (the item's own, from 1) leads to an
 * entry, and "A" says up to where the file has rows. What the rows lack is read from the file when it is opened, so
 * they need no sync.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "envelope/jwe.h"
#include "ledger/blob/blob_room.h"

#define ENTRY_HEAD (20 + 32 + 4)
#define ENTRY_JWE_MAX 4096u
#define PAGE 200u /* entries in one answer */
#define KEY_BYTES (1 + 20 + 32 + 8)
#define VALUE_BYTES (8 + 4)
#define END_BYTES (8 + 8 + 32)

struct entry {
	addr20 gate;
	hash32 item;
	uint64_t at; /* of the JWE in the file */
	uint32_t length;
};

struct blob_audit {
	int fd;
	uint64_t end, count;
	hash32 head;       /* SHA-256 of the newest sealed entry; zero if there is none */
	uint64_t anchored; /* count at the last anchor of this run */
};

struct key {
	uint8_t b[KEY_BYTES];
};

static struct key key_of(const addr20 *gate, const hash32 *item, uint64_t number) {
	struct key key = {{'a'}};
	memcpy(key.b + 1, gate->b, 20);
	memcpy(key.b + 21, item->b, 32);
	store_be64(key.b + 53, number);
	return key;
}

static bool read_at(int fd, uint8_t *out, size_t len, uint64_t at) {
	for (size_t done = 0; done < len;) {
		ssize_t got = pread(fd, out + done, len - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR) continue;
		if (got <= 0) return false;
		done += (size_t)got;
	}
	return true;
}

/* --- rows --- */

/* The number of the item's newest entry; 0: it has none. */
static enum status newest_of(
    struct blob_room *room, uint64_t *number, const addr20 *gate, const hash32 *item, struct err *err) {
	const struct key last = key_of(gate, item, UINT64_MAX);
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	*number = 0;
	store_cursor_seek_back(cursor, BYTES_OF(last));
	if (store_cursor_valid(cursor)) {
		const struct bytes key = store_cursor_key(cursor);
		if (key.len == KEY_BYTES && memcmp(key.data, last.b, 53) == 0) *number = load_be64(key.data + 53);
	}
	const enum status status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status;
}

/* The file has one entry more, and the rows know it. */
static enum status learn(struct blob_room *room, const struct entry *entry, const hash32 *hash, struct err *err) {
	struct blob_audit *audit = room->audit;
	uint64_t newest;
	TRY(newest_of(room, &newest, &entry->gate, &entry->item, err));
	const struct key key = key_of(&entry->gate, &entry->item, newest + 1);
	uint8_t value[VALUE_BYTES], end[END_BYTES];
	store_be64(value, entry->at);
	store_be32(value + 8, entry->length);
	store_be64(end, entry->at + entry->length);
	store_be64(end + 8, audit->count + 1);
	memcpy(end + 16, hash->b, 32);
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_OF(key), bytes_make(value, sizeof value));
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_LITERAL("A"), bytes_make(end, sizeof end));
	const enum status status = store_commit(room->store, batch, false, err);
	store_batch_free(batch);
	if (status != STATUS_OK) return status;
	audit->end = entry->at + entry->length;
	audit->count++;
	audit->head = *hash;
	return STATUS_OK;
}

static enum status read_end(struct blob_room *room, struct blob_audit *audit, struct err *err) {
	struct store_value value;
	TRY(store_get(room->store, NULL, TABLE_BLOB, &value, BYTES_LITERAL("A"), err));
	if (value.view.len == END_BYTES) {
		audit->end = load_be64(value.view.data);
		audit->count = load_be64(value.view.data + 8);
		memcpy(audit->head.b, value.view.data + 16, 32);
	}
	store_value_release(&value);
	return STATUS_OK;
}

/* Reads entries from where the rows end, as long as they are whole. */
static enum status read_rest(struct blob_room *room, struct err *err) {
	const struct blob_audit *audit = room->audit;
	uint8_t head[ENTRY_HEAD], sealed[ENTRY_JWE_MAX];
	while (read_at(audit->fd, head, sizeof head, audit->end)) {
		struct entry entry = {.at = audit->end + ENTRY_HEAD, .length = load_be32(head + 52)};
		if (entry.length == 0 || entry.length > sizeof sealed) return STATUS_OK;
		if (!read_at(audit->fd, sealed, entry.length, entry.at)) return STATUS_OK;
		memcpy(entry.gate.b, head, 20);
		memcpy(entry.item.b, head + 20, 32);
		const hash32 hash = sha256(bytes_make(sealed, entry.length));
		TRY(learn(room, &entry, &hash, err));
	}
	return STATUS_OK;
}

/* The rows of a log that is not there any more. */
static enum status forget_rows(struct blob_room *room, struct err *err) {
	struct store_batch *batch = store_batch_new();
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	for (store_cursor_seek(cursor, BYTES_LITERAL("a")); store_cursor_valid(cursor); store_cursor_next(cursor)) {
		const struct bytes key = store_cursor_key(cursor);
		if (key.data[0] != 'a') break;
		store_batch_del(batch, room->store, TABLE_BLOB, key);
	}
	store_batch_del(batch, room->store, TABLE_BLOB, BYTES_LITERAL("A"));
	enum status status = store_cursor_status(cursor, err);
	if (status == STATUS_OK) status = store_commit(room->store, batch, true, err);
	store_cursor_free(cursor);
	store_batch_free(batch);
	return status;
}

/* A log that the operator has removed begins anew; one that is only shorter than it was is not believed. */
static enum status open_file(struct blob_room *room, const char *path, struct err *err) {
	struct blob_audit *audit = room->audit;
	const bool is_there = access(path, F_OK) == 0;
	audit->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (audit->fd < 0) return err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
	TRY(read_end(room, audit, err));
	if (is_there || audit->end == 0) return STATUS_OK;
	log_error("blob", "%s is gone, with %llu entries; a new one begins", path, (unsigned long long)audit->count);
	*audit = (struct blob_audit){.fd = audit->fd};
	return forget_rows(room, err);
}

enum status blob_audit_open(struct blob_room *room, struct err *err) {
	char path[512];
	struct stat info;
	snprintf(path, sizeof path, "%s/audit.log", room->directory);
	struct blob_audit *audit = room->audit = mem_zalloc(1, sizeof *audit);
	TRY(open_file(room, path, err));
	if (fstat(audit->fd, &info) != 0)
		return err_set(err, STATUS_IO, "cannot look at %s: %s", path, strerror(errno));
	if ((uint64_t)info.st_size < audit->end)
		return err_set(err, STATUS_CORRUPT,
		    "%s has %llu bytes, and %llu were written and acknowledged: patients would miss reads; bring "
		    "the file back, or remove it to begin a new one",
		    path, (unsigned long long)info.st_size, (unsigned long long)audit->end);
	TRY(read_rest(room, err));
	if (ftruncate(audit->fd, (off_t)audit->end) != 0)
		return err_set(err, STATUS_IO, "cannot mend %s: %s", path, strerror(errno));
	return STATUS_OK;
}

void blob_audit_close(struct blob_audit *audit) {
	if (!audit) return;
	if (audit->fd >= 0) close(audit->fd);
	mem_free(audit);
}

/* --- adding --- */

static void put_entry(struct buf *out, const struct blob_room *room, const struct blob_read *read) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 1);
	json_put_hex(&writer, "item", BYTES_OF(read->item));
	json_put_u64(&writer, "part", read->part);
	json_put_hex(&writer, "who", BYTES_OF(read->who));
	json_put_u64(&writer, "at", clock_now_ms(room->options.clock));
	json_put_text(&writer, "outcome", read->served ? "served" : "refused");
	json_put_hex(&writer, "prev", BYTES_OF(room->audit->head));
	json_put_u64(&writer, "seq", room->audit->count + 1);
	json_object_end(&writer);
}

static enum status append_locked(
    struct blob_room *room, const struct blob_read *read, struct bytes sealed, struct err *err) {
	const struct blob_audit *audit = room->audit;
	struct buf line;
	buf_init(&line, ENTRY_HEAD + ENTRY_JWE_MAX);
	buf_append(&line, BYTES_OF(read->gate));
	buf_append(&line, BYTES_OF(read->item));
	uint8_t length[4];
	store_be32(length, (uint32_t)sealed.len);
	buf_append(&line, bytes_make(length, 4));
	buf_append(&line, sealed);
	enum status status = buf_status(&line, err);
	ssize_t written = status == STATUS_OK ? pwrite(audit->fd, line.data, line.len, (off_t)audit->end) : 0;
	if (status == STATUS_OK && ((size_t)written != line.len || fdatasync(audit->fd) != 0))
		status = err_set(err, STATUS_IO, "cannot append to the audit log: %s", strerror(errno));
	if (status == STATUS_OK) {
		const hash32 hash = sha256(sealed);
		const struct entry entry = {read->gate, read->item, audit->end + ENTRY_HEAD, (uint32_t)sealed.len};
		status = learn(room, &entry, &hash, err);
	}
	buf_fini(&line);
	return status;
}

enum status blob_audit_add(struct blob_room *room, const struct blob_read *read, struct err *err) {
	bool has;
	struct p256_public key;
	TRY(blob_gate_audit_key(room, &has, key.xy, &read->gate, &read->item, err));
	if (!has) return STATUS_OK;
	struct buf plain, sealed;
	buf_init(&plain, 1024);
	buf_init(&sealed, ENTRY_JWE_MAX);
	pthread_mutex_lock(&room->audit_lock);
	put_entry(&plain, room, read);
	enum status status = jwe_ecdh_seal(
	    &sealed, &key, BYTES_LITERAL("{\"typ\":\"xinglin-audit\"}"), buf_view(&plain), room->options.random, err);
	if (status == STATUS_OK) status = append_locked(room, read, buf_view(&sealed), err);
	pthread_mutex_unlock(&room->audit_lock);
	buf_fini(&plain);
	buf_fini(&sealed);
	return status;
}

/* --- listing --- */

static enum status put_sealed(struct blob_room *room, struct json_writer *out, const struct key *key, struct err *err) {
	struct store_value value;
	uint8_t sealed[ENTRY_JWE_MAX];
	TRY(store_get(room->store, NULL, TABLE_BLOB, &value, BYTES_OF(*key), err));
	const bool is_sound = value.view.len == VALUE_BYTES;
	const uint64_t at = is_sound ? load_be64(value.view.data) : 0;
	const uint32_t length = is_sound ? load_be32(value.view.data + 8) : 0;
	store_value_release(&value);
	if (length == 0 || length > sizeof sealed || !read_at(room->audit->fd, sealed, length, at))
		return err_set(err, STATUS_CORRUPT, "an entry of the audit log cannot be read");
	json_put_string(out, NULL, bytes_make(sealed, length));
	return STATUS_OK;
}

/* What is in the file and in the rows does not change any more: no lock. */
enum status blob_audit_list(
    struct blob_room *room, struct buf *out, const addr20 *gate, const hash32 *item, uint32_t before, struct err *err) {
	uint64_t total;
	TRY(newest_of(room, &total, gate, item, err));
	uint64_t number = before != 0 && before <= total ? before - 1 : total;
	const uint64_t least = number > PAGE ? number - PAGE : 0;
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "total", total);
	json_array_begin(&writer, "entries");
	for (; number > least; number--) {
		const struct key key = key_of(gate, item, number);
		TRY(put_sealed(room, &writer, &key, err));
	}
	json_array_end(&writer);
	if (least > 0) json_put_u64(&writer, "next", least + 1);
	json_object_end(&writer);
	return buf_status(out, err);
}

bool blob_audit_unanchored(struct blob_room *room, hash32 *head, uint64_t *count) {
	pthread_mutex_lock(&room->audit_lock);
	*head = room->audit->head;
	*count = room->audit->count;
	bool owed = room->audit->count > room->audit->anchored;
	pthread_mutex_unlock(&room->audit_lock);
	return owed;
}

void blob_audit_anchored(struct blob_room *room, uint64_t count) {
	pthread_mutex_lock(&room->audit_lock);
	room->audit->anchored = count;
	pthread_mutex_unlock(&room->audit_lock);
}
