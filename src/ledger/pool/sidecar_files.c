#include "ledger/pool/sidecar_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "codec/hex.h"
#include "ledger/pool/journal.h"

enum { HASH_DIGITS = 66 }; /* with 0x */

static const size_t FILE_MAX_BYTES = 8 << 20;

static enum status io_error(const char *path, struct err *err) {
	return err_set(err, STATUS_IO, "sidecar %s: %s", path, strerror(errno));
}

static void path_of(struct buf *out, const struct sidecar_files *files, const hash32 *hash) {
	buf_init(out, 1 << 14);
	buf_text(out, files->folder);
	buf_byte(out, '/');
	hex_put(out, BYTES_OF(*hash), true);
	buf_cstr(out);
}

enum status sidecar_files_open(struct sidecar_files *files, const char *folder, struct err *err) {
	*files = (struct sidecar_files){.folder = folder != NULL ? mem_strdup(folder) : NULL};
	if (folder == NULL || mkdir(folder, 0700) == 0 || errno == EEXIST) return STATUS_OK;
	return io_error(folder, err);
}

void sidecar_files_close(struct sidecar_files *files) {
	mem_free(files->folder);
	mem_free(files->retired);
	*files = (struct sidecar_files){0};
}

static enum status write_file(const char *path, struct bytes bytes, struct err *err) {
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) return io_error(path, err);
	while (bytes.len > 0) {
		const ssize_t done = write(fd, bytes.data, bytes.len);
		if (done < 0 && errno == EINTR) continue;
		if (done < 0) break;
		bytes = bytes_slice(bytes, (size_t)done, bytes.len);
	}
	enum status status = bytes.len == 0 ? STATUS_OK : io_error(path, err);
	if (close(fd) != 0 && status == STATUS_OK) status = io_error(path, err);
	if (status != STATUS_OK) unlink(path);
	return status;
}

enum status sidecar_files_put(struct sidecar_files *files, const hash32 *hash, struct bytes items, struct err *err) {
	struct buf path, record;
	if (files->folder == NULL) return STATUS_OK;
	sidecar_files_claim(files, hash);
	path_of(&path, files, hash);
	buf_init(&record, FILE_MAX_BYTES);
	journal_put(&record, items);
	enum status status = buf_status(&record, err);
	if (status == STATUS_OK) status = write_file(buf_cstr(&path), buf_view(&record), err);
	buf_fini(&record);
	buf_fini(&path);
	return status;
}

static void read_file(struct buf *out, const char *path) {
	uint8_t chunk[1 << 16];
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;
	while (got > 0) {
		got = read(fd, chunk, sizeof chunk);
		if (got > 0) buf_append(out, bytes_make(chunk, (size_t)got));
		if (got < 0 && errno == EINTR) got = 1;
	}
	if (fd >= 0) close(fd);
}

enum status sidecar_files_get(const struct sidecar_files *files, struct buf *out, const hash32 *hash, struct err *err) {
	struct buf path, record;
	struct bytes items = {0};
	if (files->folder == NULL) return err_set(err, STATUS_NOTFOUND, "sidecars are not kept");
	path_of(&path, files, hash);
	buf_init(&record, FILE_MAX_BYTES);
	read_file(&record, buf_cstr(&path));
	const size_t size = record.overflow ? 0 : journal_get(&items, buf_view(&record));
	const bool good = size != 0 && size == record.len;
	if (good) buf_append(out, items);
	buf_fini(&record);
	buf_fini(&path);
	return good ? STATUS_OK : err_set(err, STATUS_NOTFOUND, "the sidecar is not there, or damaged");
}

static uint64_t size_of(const struct sidecar_files *files, const hash32 *hash) {
	struct buf path;
	struct stat info;
	path_of(&path, files, hash);
	const uint64_t size = stat(buf_cstr(&path), &info) == 0 ? (uint64_t)info.st_size : 0;
	buf_fini(&path);
	return size;
}

void sidecar_files_retire(struct sidecar_files *files, const hash32 *hash, uint64_t head_number) {
	if (files->folder == NULL) return;
	const uint64_t bytes = size_of(files, hash);
	if (files->retired_count == files->retired_cap) {
		files->retired_cap = files->retired_cap == 0 ? 16 : 2 * files->retired_cap;
		files->retired = mem_realloc(files->retired, files->retired_cap * sizeof *files->retired);
	}
	files->retired[files->retired_count++] = (struct retired_sidecar){*hash, head_number, bytes};
	files->retired_bytes += bytes;
}

void sidecar_files_claim(struct sidecar_files *files, const hash32 *hash) {
	for (size_t i = 0; i < files->retired_count; i++) {
		struct retired_sidecar *at = &files->retired[i];
		if (!hash32_equal(&at->hash, hash)) continue;
		files->retired_bytes -= at->bytes;
		memmove(at, at + 1, (--files->retired_count - i) * sizeof *at);
		return;
	}
}

void sidecar_files_trim(struct sidecar_files *files, uint64_t head_number) {
	size_t gone = 0;
	for (; gone < files->retired_count; gone++) {
		const struct retired_sidecar *oldest = &files->retired[gone];
		const bool is_old = head_number > oldest->number + SIDECAR_KEPT_BLOCKS;
		if (!is_old && files->retired_bytes <= SIDECAR_KEPT_BYTES) break;
		files->retired_bytes -= oldest->bytes;
		struct buf path;
		path_of(&path, files, &oldest->hash);
		if (unlink(buf_cstr(&path)) != 0 && errno != ENOENT)
			log_warn("pool", "a sidecar cannot be deleted: %s", strerror(errno));
		buf_fini(&path);
	}
	if (gone == 0) return;
	files->retired_count -= gone;
	memmove(files->retired, files->retired + gone, files->retired_count * sizeof *files->retired);
}

void sidecar_files_sweep(struct sidecar_files *files, uint64_t head_number,
    bool (*waits)(void *context, const hash32 *hash), void *context) {
	DIR *folder = files->folder != NULL ? opendir(files->folder) : NULL;
	if (folder == NULL) return;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		hash32 hash;
		const struct bytes name = bytes_text(entry->d_name);
		if (name.len != HASH_DIGITS || hex_fixed(hash.b, sizeof hash.b, name) != STATUS_OK) continue;
		if (!waits(context, &hash)) sidecar_files_retire(files, &hash, head_number);
	}
	closedir(folder);
}
