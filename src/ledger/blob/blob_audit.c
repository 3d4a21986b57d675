/*
 * The audit log: `audit.log`, only ever appended to. Each entry is
 *
 *	gate 20 | item 32 | length u32 | a compact JWE of that length
 *
 * sealed to the key that the gate names for the item, so that the operator keeps it and cannot read it. Each sealed
 * entry holds the SHA-256 of the one before; the newest hash and the count are anchored on the chain. A torn tail (a
 * crash while appending) was never acknowledged and is cut off when the log is opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "envelope/jwe.h"
#include "ledger/blob/blob_room.h"

#define ENTRY_HEAD (20 + 32 + 4)
#define ENTRY_JWE_MAX 4096u
#define ENTRIES_MAX 50000u /* of one item in one answer */

struct entry {
	addr20 gate;
	hash32 item;
	uint64_t at; /* of the JWE in the file */
	uint32_t length;
};

struct blob_audit {
	int fd;
	uint64_t end;
	hash32 head; /* SHA-256 of the newest sealed entry; zero if there is none */
	struct entry *entries;
	size_t count, capacity;
	uint64_t anchored; /* count at the last anchor of this run */
};

static void remember(struct blob_audit *audit, struct entry entry, const hash32 *head) {
	if (audit->count == audit->capacity) {
		audit->capacity = audit->capacity ? audit->capacity * 2 : 64;
		audit->entries = mem_realloc(audit->entries, audit->capacity * sizeof *audit->entries);
	}
	audit->entries[audit->count++] = entry;
	audit->head = *head;
	audit->end = entry.at + entry.length;
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

/* Reads entries as long as they are whole. */
static void load(struct blob_audit *audit) {
	uint8_t head[ENTRY_HEAD], sealed[ENTRY_JWE_MAX];
	while (read_at(audit->fd, head, sizeof head, audit->end)) {
		struct entry entry = {.at = audit->end + ENTRY_HEAD, .length = load_be32(head + 52)};
		if (entry.length == 0 || entry.length > sizeof sealed) return;
		if (!read_at(audit->fd, sealed, entry.length, entry.at)) return;
		memcpy(entry.gate.b, head, 20);
		memcpy(entry.item.b, head + 20, 32);
		hash32 hash = sha256(bytes_make(sealed, entry.length));
		remember(audit, entry, &hash);
	}
}

enum status blob_audit_open(struct blob_audit **out, const char *directory, struct err *err) {
	char path[512];
	snprintf(path, sizeof path, "%s/audit.log", directory);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) return err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
	struct blob_audit *audit = mem_zalloc(1, sizeof *audit);
	audit->fd = fd;
	load(audit);
	if (ftruncate(fd, (off_t)audit->end) != 0) {
		enum status status = err_set(err, STATUS_IO, "cannot mend %s: %s", path, strerror(errno));
		blob_audit_close(audit);
		return status;
	}
	*out = audit;
	return STATUS_OK;
}

void blob_audit_close(struct blob_audit *audit) {
	if (!audit) return;
	close(audit->fd);
	mem_free(audit->entries);
	mem_free(audit);
}

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
    struct blob_audit *audit, const struct blob_read *read, struct bytes sealed, struct err *err) {
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
		hash32 hash = sha256(sealed);
		struct entry entry = {read->gate, read->item, audit->end + ENTRY_HEAD, (uint32_t)sealed.len};
		remember(audit, entry, &hash);
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
	pthread_mutex_lock(&room->lock);
	put_entry(&plain, room, read);
	enum status status = jwe_ecdh_seal(
	    &sealed, &key, BYTES_LITERAL("{\"typ\":\"xinglin-audit\"}"), buf_view(&plain), room->options.random, err);
	if (status == STATUS_OK) status = append_locked(room->audit, read, buf_view(&sealed), err);
	pthread_mutex_unlock(&room->lock);
	buf_fini(&plain);
	buf_fini(&sealed);
	return status;
}

static enum status list_locked(
    struct blob_audit *audit, struct buf *out, const addr20 *gate, const hash32 *item, struct err *err) {
	struct json_writer writer = json_writer(out);
	uint8_t sealed[ENTRY_JWE_MAX];
	size_t listed = 0;
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < audit->count && listed < ENTRIES_MAX; i++) {
		const struct entry *entry = &audit->entries[i];
		if (!hash32_equal(&entry->item, item) || !addr20_equal(&entry->gate, gate)) continue;
		if (!read_at(audit->fd, sealed, entry->length, entry->at))
			return err_set(err, STATUS_IO, "cannot read the audit log: %s", strerror(errno));
		json_put_string(&writer, NULL, bytes_make(sealed, entry->length));
		listed++;
	}
	json_array_end(&writer);
	return buf_status(out, err);
}

enum status blob_audit_list(
    struct blob_room *room, struct buf *out, const addr20 *gate, const hash32 *item, struct err *err) {
	pthread_mutex_lock(&room->lock);
	enum status status = list_locked(room->audit, out, gate, item, err);
	pthread_mutex_unlock(&room->lock);
	return status;
}

bool blob_audit_unanchored(struct blob_room *room, hash32 *head, uint64_t *count) {
	pthread_mutex_lock(&room->lock);
	*head = room->audit->head;
	*count = room->audit->count;
	bool owed = room->audit->count > room->audit->anchored;
	pthread_mutex_unlock(&room->lock);
	return owed;
}

void blob_audit_anchored(struct blob_room *room, uint64_t count) {
	pthread_mutex_lock(&room->lock);
	room->audit->anchored = count;
	pthread_mutex_unlock(&room->lock);
}
