#include "ledger/pool/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"

static const size_t RECORD_MAX_BYTES = 4 << 20;

static uint32_t checksum(struct bytes envelope) {
	return (uint32_t)crc32(0, envelope.data, (uInt)envelope.len);
}

void journal_put(struct buf *records, struct bytes envelope) {
	uint8_t *header = buf_extend(records, JOURNAL_HEADER_BYTES);
	if (header == NULL) return;
	store_be32(header, (uint32_t)envelope.len);
	store_be32(header + 4, checksum(envelope));
	buf_append(records, envelope);
}

static enum status io_error(const struct journal *journal, const char *what, struct err *err) {
	return err_set(err, STATUS_IO, "pool journal %s: %s: %s", journal->path, what, strerror(errno));
}

static enum status write_all(const struct journal *journal, int fd, struct bytes bytes, struct err *err) {
	while (bytes.len > 0) {
		const ssize_t done = write(fd, bytes.data, bytes.len);
		if (done < 0 && errno == EINTR) continue;
		if (done < 0) return io_error(journal, "write", err);
		bytes = bytes_slice(bytes, (size_t)done, bytes.len);
	}
	return STATUS_OK;
}

static enum status read_all(const struct journal *journal, struct buf *out, struct err *err) {
	for (;;) {
		uint8_t chunk[1 << 16];
		const ssize_t got = read(journal->fd, chunk, sizeof chunk);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) return io_error(journal, "read", err);
		if (got == 0) return buf_status(out, err);
		buf_append(out, bytes_make(chunk, (size_t)got));
	}
}

size_t journal_get(struct bytes *envelope, struct bytes records) {
	if (records.len < JOURNAL_HEADER_BYTES) return 0;
	const size_t len = load_be32(records.data);
	if (len > RECORD_MAX_BYTES || len > records.len - JOURNAL_HEADER_BYTES) return 0;
	*envelope = bytes_slice(records, JOURNAL_HEADER_BYTES, len);
	return checksum(*envelope) == load_be32(records.data + 4) ? JOURNAL_HEADER_BYTES + len : 0;
}

/* How many bytes hold whole records. */
static size_t visit_records(struct bytes all, void (*visit)(void *context, struct bytes envelope), void *context) {
	struct bytes envelope;
	size_t at = 0;
	for (size_t size; (size = journal_get(&envelope, bytes_slice(all, at, all.len))) != 0; at += size)
		visit(context, envelope);
	return at;
}

enum status journal_open(struct journal *journal, const char *path, void (*visit)(void *context, struct bytes envelope),
    void *context, struct err *err) {
	*journal = (struct journal){.path = path != NULL ? mem_strdup(path) : NULL, .fd = -1};
	if (path == NULL) return STATUS_OK;
	struct buf all;
	buf_init(&all, (size_t)1 << 32);
	journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	enum status status = journal->fd < 0 ? io_error(journal, "open", err) : read_all(journal, &all, err);
	if (status == STATUS_OK) {
		journal->size_bytes = visit_records(buf_view(&all), visit, context);
		if (journal->size_bytes < all.len)
			log_warn("pool", "the journal's last %zu bytes are no whole record; dropped",
			    all.len - (size_t)journal->size_bytes);
		if (ftruncate(journal->fd, (off_t)journal->size_bytes) != 0)
			status = io_error(journal, "truncate", err);
	}
	buf_fini(&all);
	if (status != STATUS_OK) journal_close(journal);
	return status;
}

void journal_close(struct journal *journal) {
	if (journal->fd >= 0) close(journal->fd);
	mem_free(journal->path);
	*journal = (struct journal){.fd = -1};
}

enum status journal_append(struct journal *journal, struct bytes envelope, struct err *err) {
	if (journal->path == NULL) return STATUS_OK;
	struct buf record;
	buf_init(&record, RECORD_MAX_BYTES + JOURNAL_HEADER_BYTES);
	journal_put(&record, envelope);
	enum status status = buf_status(&record, err);
	if (status == STATUS_OK) status = write_all(journal, journal->fd, buf_view(&record), err);
	if (status == STATUS_OK) {
		journal->size_bytes += record.len;
	} else if (ftruncate(journal->fd, (off_t)journal->size_bytes) != 0) {
		log_error("pool", "the journal holds half a record and cannot be cut: %s", strerror(errno));
	}
	buf_fini(&record);
	return status;
}

enum status journal_replace(struct journal *journal, struct bytes records, struct err *err) {
	char beside[4096];
	if (journal->path == NULL) return STATUS_OK;
	if ((size_t)snprintf(beside, sizeof beside, "%s.new", journal->path) >= sizeof beside)
		return err_set(err, STATUS_LIMIT, "the pool journal's path is too long");
	const int fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0) return io_error(journal, "open", err);
	enum status status = write_all(journal, fd, records, err);
	if (status == STATUS_OK && rename(beside, journal->path) != 0) status = io_error(journal, "rename", err);
	if (status != STATUS_OK) {
		close(fd);
		return status;
	}
	close(journal->fd);
	journal->fd = fd;
	journal->size_bytes = records.len;
	return STATUS_OK;
}
