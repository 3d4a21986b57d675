/*
 * The audit log: `audit.log`, only ever appended to. Each entry is
 *
 *	list 32 | time u64 | length u32 | a compact JWE of that length
 *
 * The list is the one that the gate names for the item that was read (a folder's), and the entry is sealed to the key
 * that the gate names, so that the operator keeps it and cannot read it. Entries of a list fold to its head as those of
 * a contract's list do (eth/lists.h; the entry is the JWE's keccak256, the time the clock's in seconds), and the heads
 * of all lists are a map (blob_audit_map.c), whose root is anchored on the chain. A torn tail (a crash while appending)
 * was never acknowledged and is cut off when the log is opened.
 *
 * The file is the log; rows of TABLE_BLOB find in it: "a" list, number (the list's own, from 1) leads to an entry, and
 * "A" says up to where the file has rows. What the rows lack is read from the file when it is opened, so they need no
 * sync; and if they are damaged, all of them are made from the file again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/hash.h"
#include "ledger/blob/blob_audit.h"

#define ENTRY_HEAD AUDIT_ENTRY_HEAD
#define KEY_BYTES (1 + 32 + 8)
#define VALUE_BYTES (8 + 4 + 8 + LIST_HEAD_BYTES)
#define FORGOTTEN_AT_ONCE 4096u

struct entry {
	hash32 list;
	uint64_t time_s;
	uint64_t at; /* of the JWE in the file */
	struct bytes sealed;
};

struct key {
	uint8_t b[KEY_BYTES];
};

static struct key key_of(const hash32 *list, uint64_t number) {
	struct key key = {{'a'}};
	memcpy(key.b + 1, list->b, 32);
	store_be64(key.b + 33, number);
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

static bool parse_row(struct audit_row *out, struct bytes value) {
	if (value.len != VALUE_BYTES) return false;
	out->at = load_be64(value.data);
	out->length = load_be32(value.data + 8);
	out->time_s = load_be64(value.data + 12);
	memcpy(out->after, value.data + 20, LIST_HEAD_BYTES);
	return out->length > 0 && out->length <= AUDIT_JWE_MAX;
}

static enum status damaged(struct err *err) {
	return err_set(err, STATUS_CORRUPT, "a row of the audit log is damaged");
}

enum status blob_audit_state(struct blob_room *room, struct list_state *out, const hash32 *list, struct err *err) {
	const struct key last = key_of(list, UINT64_MAX);
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	struct audit_row row;
	bool is_sound = true;
	*out = (struct list_state){.count = 0};
	store_cursor_seek_back(cursor, BYTES_OF(last));
	if (store_cursor_valid(cursor)) {
		const struct bytes key = store_cursor_key(cursor);
		if (key.len == KEY_BYTES && memcmp(key.data, last.b, 33) == 0) {
			is_sound = parse_row(&row, store_cursor_value(cursor));
			out->count = load_be64(key.data + 33);
			if (is_sound) memcpy(out->head, row.after, LIST_HEAD_BYTES);
		}
	}
	const enum status status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	return status == STATUS_OK && !is_sound ? damaged(err) : status;
}

enum status blob_audit_row(
    struct blob_room *room, struct audit_row *out, const hash32 *list, uint64_t number, struct err *err) {
	const struct key key = key_of(list, number);
	struct store_value value;
	TRY(store_get(room->store, NULL, TABLE_BLOB, &value, BYTES_OF(key), err));
	const bool is_sound = parse_row(out, value.view);
	store_value_release(&value);
	return is_sound ? STATUS_OK : damaged(err);
}

enum status blob_audit_read(
    struct blob_room *room, uint8_t sealed[AUDIT_JWE_MAX], const struct audit_row *row, struct err *err) {
	if (read_at(room->audit->fd, sealed, row->length, row->at)) return STATUS_OK;
	return err_set(err, STATUS_IO, "an entry of the audit log cannot be read");
}

static void put_row(
    struct store_batch *batch, struct blob_room *room, const struct entry *entry, const struct list_state *state) {
	const struct key key = key_of(&entry->list, state->count);
	uint8_t value[VALUE_BYTES];
	store_be64(value, entry->at);
	store_be32(value + 8, (uint32_t)entry->sealed.len);
	store_be64(value + 12, entry->time_s);
	memcpy(value + 20, state->head, LIST_HEAD_BYTES);
	store_batch_put(batch, room->store, TABLE_BLOB, BYTES_OF(key), bytes_make(value, sizeof value));
}

/* The file has one entry more: rows and map learn of it, in one commit. */
static enum status learn(struct blob_room *room, const struct entry *entry, struct err *err) {
	struct blob_audit next = *room->audit;
	struct list_state state;
	TRY(blob_audit_state(room, &state, &entry->list, err));
	const hash32 hash = keccak256(entry->sealed);
	list_append(&state, entry->time_s, &hash);
	struct store_batch *batch = store_batch_new();
	put_row(batch, room, entry, &state);
	enum status status = blob_audit_map_put(room, batch, &next.root, &entry->list, &state, err);
	next.end = entry->at + entry->sealed.len;
	next.count++;
	blob_audit_put_end(batch, room, &next);
	if (status == STATUS_OK) status = store_commit(room->store, batch, false, err);
	store_batch_free(batch);
	if (status == STATUS_OK) *room->audit = next;
	return status;
}

/* Reads entries from where the rows end, as long as they are whole. Where the map was anchored last, it is frozen
 * again: what the chain shows can be proved under. */
static enum status read_rest(struct blob_room *room, struct err *err) {
	struct blob_audit *audit = room->audit;
	struct blob_anchor anchored = {.count = 0};
	uint8_t head[ENTRY_HEAD], sealed[AUDIT_JWE_MAX];
	const addr20 *gate;
	TRY(blob_gate_anchor(room, &gate, &anchored, err));
	while (read_at(audit->fd, head, sizeof head, audit->end)) {
		const uint32_t length = load_be32(head + 40);
		struct entry entry = {.time_s = load_be64(head + 32), .at = audit->end + ENTRY_HEAD};
		if (length == 0 || length > sizeof sealed) return STATUS_OK;
		if (!read_at(audit->fd, sealed, length, entry.at)) return STATUS_OK;
		memcpy(entry.list.b, head, 32);
		entry.sealed = bytes_make(sealed, length);
		TRY(learn(room, &entry, err));
		if (audit->count == anchored.count && audit->frozen.count < anchored.count)
			blob_audit_map_freeze(audit); /* its row is written with the next entry's, or below */
	}
	return STATUS_OK;
}

static enum status keep_end(struct blob_room *room, struct err *err) {
	struct store_batch *batch = store_batch_new();
	blob_audit_put_end(batch, room, room->audit);
	const enum status status = store_commit(room->store, batch, false, err);
	store_batch_free(batch);
	return status;
}

/* Some of the rows whose key begins with this letter. */
static enum status forget_some(struct blob_room *room, bool *more, uint8_t letter, struct err *err) {
	struct store_batch *batch = store_batch_new();
	struct store_cursor *cursor = store_cursor_new(room->store, NULL, TABLE_BLOB);
	size_t count = 0;
	store_cursor_seek(cursor, bytes_make(&letter, 1));
	for (; store_cursor_valid(cursor) && count < FORGOTTEN_AT_ONCE; store_cursor_next(cursor), count++) {
		const struct bytes key = store_cursor_key(cursor);
		if (key.data[0] != letter) break;
		store_batch_del(batch, room->store, TABLE_BLOB, key);
	}
	enum status status = store_cursor_status(cursor, err);
	if (status == STATUS_OK) status = store_commit(room->store, batch, false, err);
	*more = count == FORGOTTEN_AT_ONCE;
	store_cursor_free(cursor);
	store_batch_free(batch);
	return status;
}

/* "A" goes first: rows without it are of a log that was being forgotten. */
static enum status forget_rows(struct blob_room *room, struct err *err) {
	static const uint8_t letters[] = {'A', 'a', 's', 'x'};
	for (size_t i = 0; i < sizeof letters; i++) {
		bool more = true;
		while (more) TRY(forget_some(room, &more, letters[i], err));
	}
	*room->audit = (struct blob_audit){.fd = room->audit->fd};
	return STATUS_OK;
}

enum status blob_audit_rebuild(struct blob_room *room, struct err *err) {
	log_warn("blob", "the rows and the map of the audit log are made from its file again");
	TRY(forget_rows(room, err));
	TRY(read_rest(room, err));
	return keep_end(room, err);
}

/* A log that the operator has removed begins anew; one that is only shorter than it was is not believed. */
static enum status open_file(struct blob_room *room, const char *path, struct err *err) {
	struct blob_audit *audit = room->audit;
	const bool is_there = access(path, F_OK) == 0;
	audit->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (audit->fd < 0) return err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
	TRY(blob_audit_get_end(room, audit, err));
	if (audit->end == 0) return forget_rows(room, err); /* what is there was being forgotten */
	if (is_there) return STATUS_OK;
	log_error("blob", "%s is gone, with %llu entries; a new one begins", path, (unsigned long long)audit->count);
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
	enum status status = read_rest(room, err);
	if (status == STATUS_CORRUPT) status = blob_audit_rebuild(room, err);
	if (status == STATUS_OK) status = keep_end(room, err);
	TRY(status);
	if ((uint64_t)info.st_size - audit->end > AUDIT_TOGETHER_BYTES) /* more than what was being written */
		return err_set(err, STATUS_CORRUPT, "%s holds what is no entry, from byte %llu on", path,
		    (unsigned long long)audit->end);
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

static void put_line(struct buf *out, const struct audit_addition *entry) {
	uint8_t numbers[12];
	store_be64(numbers, entry->time_s);
	store_be32(numbers + 8, (uint32_t)entry->sealed.len);
	buf_append(out, BYTES_OF(entry->list));
	buf_append(out, bytes_make(numbers, sizeof numbers));
	buf_append(out, entry->sealed);
}

static enum status write_lines(struct blob_audit *audit, const struct audit_addition *first, struct err *err) {
	struct buf lines;
	buf_init(&lines, AUDIT_TOGETHER_BYTES);
	for (const struct audit_addition *entry = first; entry; entry = entry->next) put_line(&lines, entry);
	enum status status = buf_status(&lines, err);
	const ssize_t written = status == STATUS_OK ? pwrite(audit->fd, lines.data, lines.len, (off_t)audit->end) : 0;
	if (status == STATUS_OK && ((size_t)written != lines.len || fdatasync(audit->fd) != 0))
		status = err_set(err, STATUS_IO, "cannot append to the audit log: %s", strerror(errno));
	buf_fini(&lines);
	return status;
}

static enum status learn_all(struct blob_room *room, const struct audit_addition *first, struct err *err) {
	for (const struct audit_addition *said = first; said; said = said->next) {
		const struct entry entry = {said->list, said->time_s, room->audit->end + ENTRY_HEAD, said->sealed};
		TRY(learn(room, &entry, err));
	}
	return STATUS_OK;
}

enum status blob_audit_append(struct blob_room *room, const struct audit_addition *first, struct err *err) {
	enum status status = write_lines(room->audit, first, err);
	if (status == STATUS_OK) status = learn_all(room, first, err);
	/* The file has the entries: what the rows lack of them is read with the rest. */
	if (status == STATUS_CORRUPT) status = blob_audit_rebuild(room, err);
	/* What nobody acknowledges goes, as far as the disk still does anything. */
	if (status != STATUS_OK && ftruncate(room->audit->fd, (off_t)room->audit->end) != 0)
		log_error("blob", "the audit log keeps a tail that nobody acknowledged: %s", strerror(errno));
	return status;
}

uint64_t blob_audit_count(struct blob_room *room) {
	pthread_mutex_lock(&room->audit_lock);
	const uint64_t count = room->audit->count;
	pthread_mutex_unlock(&room->audit_lock);
	return count;
}
