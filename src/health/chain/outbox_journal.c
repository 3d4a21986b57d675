/* The outbox's journal: be32 length, the first 4 bytes of the record's SHA-256, the record; appended, and rewritten
 * when little of it is alive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "health/chain/outbox_private.h"

#define FRAME_BYTES 8u
#define RECORD_MAX ((size_t)512 << 20)
#define JOURNAL_MAX ((size_t)8 << 30)

void outbox_journal_put(struct buf *records, struct bytes record) {
	hash32 sum = sha256(record);
	uint8_t *frame = buf_extend(records, FRAME_BYTES);
	if (!frame) return;
	store_be32(frame, (uint32_t)record.len);
	memcpy(frame + 4, sum.b, 4);
	buf_append(records, record);
}

/* The bytes that the record at the beginning of `rest` takes; 0: none is whole there. */
static size_t get_record(struct bytes *record, struct bytes rest) {
	if (rest.len < FRAME_BYTES) return 0;
	size_t len = load_be32(rest.data);
	if (len > RECORD_MAX || len > rest.len - FRAME_BYTES) return 0;
	*record = bytes_slice(rest, FRAME_BYTES, len);
	hash32 sum = sha256(*record);
	return memcmp(sum.b, rest.data + 4, 4) == 0 ? FRAME_BYTES + len : 0;
}

/* A record that is damaged, and not torn at the end, has a whole one behind it. */
static bool is_damaged_inside(struct bytes rest) {
	struct bytes record;
	if (rest.len < FRAME_BYTES) return false;
	size_t len = load_be32(rest.data);
	return len < rest.len - FRAME_BYTES && get_record(&record, bytes_slice(rest, FRAME_BYTES + len, rest.len)) != 0;
}

static enum status visit_all(
    struct outbox_journal *journal, struct bytes all, outbox_visit *visit, void *context, struct err *err) {
	struct bytes record;
	size_t at = 0;
	for (size_t size; (size = get_record(&record, bytes_slice(all, at, all.len))) != 0; at += size)
		TRY(visit(context, at, record, err));
	if (is_damaged_inside(bytes_slice(all, at, all.len)))
		return err_set(err, STATUS_CORRUPT, "%s is damaged at byte %zu: put back a backup of this home",
		    journal->path, at);
	if (at < all.len)
		log_warn(
		    "outbox", "the journal's last %zu bytes are not a whole record; they are cut off", all.len - at);
	if (at < all.len && ftruncate(journal->fd, (off_t)at) != 0)
		return err_set(err, STATUS_IO, "cannot cut %s: %s", journal->path, strerror(errno));
	journal->size_bytes = journal->synced_bytes = at;
	return STATUS_OK;
}

enum status outbox_journal_open(
    struct outbox_journal *journal, const char *path, outbox_visit *visit, void *context, struct err *err) {
	struct buf all;
	*journal = (struct outbox_journal){.path = mem_strdup(path)};
	journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (journal->fd < 0) return err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
	buf_init(&all, JOURNAL_MAX);
	enum status status = files_read(&all, path, err);
	if (status == STATUS_OK) status = visit_all(journal, buf_view(&all), visit, context, err);
	if (status == STATUS_OK) status = files_sync_parent(path, err);
	buf_fini(&all);
	return status;
}

void outbox_journal_close(struct outbox_journal *journal) {
	if (journal->path && journal->fd >= 0) close(journal->fd);
	mem_free(journal->path);
	*journal = (struct outbox_journal){.fd = -1};
}

enum status outbox_journal_append(struct outbox_journal *journal, uint64_t *at, struct bytes record, struct err *err) {
	struct buf framed;
	if (journal->is_broken)
		return err_set(
		    err, STATUS_IO, "%s could not be synced before: nothing more is accepted", journal->path);
	buf_init(&framed, RECORD_MAX + FRAME_BYTES);
	outbox_journal_put(&framed, record);
	enum status status = buf_status(&framed, err);
	if (status == STATUS_OK) status = files_write_fd(journal->fd, buf_view(&framed), journal->path, err);
	if (status == STATUS_OK) {
		if (at) *at = journal->size_bytes;
		journal->size_bytes += framed.len;
	} else if (ftruncate(journal->fd, (off_t)journal->size_bytes) != 0) {
		journal->is_broken = true;
	}
	buf_fini(&framed);
	return status;
}

enum status outbox_journal_sync(struct outbox_journal *journal, struct err *err) {
	if (fdatasync(journal->fd) == 0) return STATUS_OK;
	journal->is_broken = true;
	return err_set(err, STATUS_IO, "cannot sync %s: %s", journal->path, strerror(errno));
}

enum status outbox_journal_read(
    const struct outbox_journal *journal, struct buf *record, uint64_t at, struct err *err) {
	uint8_t frame[FRAME_BYTES];
	struct buf framed;
	struct bytes view;
	if (pread(journal->fd, frame, sizeof frame, (off_t)at) != sizeof frame || load_be32(frame) > RECORD_MAX)
		return err_set(err, STATUS_IO, "cannot read %s", journal->path);
	buf_init(&framed, RECORD_MAX + FRAME_BYTES);
	size_t len = FRAME_BYTES + load_be32(frame);
	uint8_t *room = buf_extend(&framed, len);
	bool whole = room != NULL;
	for (size_t got = 0; whole && got < len;) {
		ssize_t some = pread(journal->fd, room + got, len - got, (off_t)(at + got));
		whole = some > 0 || (some < 0 && errno == EINTR);
		got += some > 0 ? (size_t)some : 0;
	}
	whole = whole && get_record(&view, buf_view(&framed)) != 0;
	if (whole) buf_append(record, view);
	buf_fini(&framed);
	return whole ? buf_status(record, err)
		     : err_set(err, STATUS_IO, "%s does not give back what was written", journal->path);
}

enum status outbox_journal_replace(struct outbox_journal *journal, struct bytes records, struct err *err) {
	TRY(files_write(journal->path, records, err));
	int fd = open(journal->path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (fd < 0) {
		journal->is_broken = true;
		return err_set(err, STATUS_IO, "cannot open %s: %s", journal->path, strerror(errno));
	}
	close(journal->fd);
	journal->fd = fd;
	journal->size_bytes = journal->synced_bytes = records.len;
	return STATUS_OK;
}
