#include "envelope/segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "crypto/hash.h"

#define PATH_BYTES 4096
#define NAME_CHARS 12u /* "00000001.seg" */
#define SUM_BYTES 8u
#define SUMMED_BYTES (4 + 4 + SEGMENTS_LABEL_BYTES + SUM_BYTES)
#define HEADER_BYTES (SUMMED_BYTES + SUM_BYTES)
#define WAIT_MS 1000u
#define CHUNK_BYTES ((size_t)1 << 16)

static const uint8_t magic[4] = {'X', 'S', 'E', 'G'};

struct segments {
	struct segments_options options;
	char *directory;
	struct monitor *monitor;   /* of what follows; NULL: one thread */
	int fd;                    /* of the newest file; -1 if it only reads */
	uint32_t newest;           /* 0: there is no file yet */
	uint64_t size_bytes;       /* of the newest file */
	uint64_t appended, synced; /* entries since it was opened */
	bool is_syncing;
	bool is_broken; /* a sync failed: what is on the disk is not known */
};

struct header {
	uint8_t b[HEADER_BYTES];
};

static void enter(const struct segments *segments) {
	if (segments->monitor) segments->options.threads->lock(segments->monitor);
}

static void leave(const struct segments *segments) {
	if (segments->monitor) segments->options.threads->unlock(segments->monitor);
}

static void path_of(char out[PATH_BYTES], const struct segments *segments, uint32_t segment) {
	snprintf(out, PATH_BYTES, "%s/%08x.seg", segments->directory, segment);
}

static enum status io_failed(const struct segments *segments, const char *what, uint32_t segment, struct err *err) {
	return err_set(
	    err, STATUS_IO, "cannot %s %s/%08x.seg: %s", what, segments->directory, segment, strerror(errno));
}

/* --- entries --- */

static struct header header_of(const struct segments_label *label, struct bytes content) {
	struct header header;
	const hash32 sum = sha256(content);
	memcpy(header.b, magic, 4);
	store_be32(header.b + 4, (uint32_t)content.len);
	memcpy(header.b + 8, label->b, SEGMENTS_LABEL_BYTES);
	memcpy(header.b + 8 + SEGMENTS_LABEL_BYTES, sum.b, SUM_BYTES);
	const hash32 all = sha256(bytes_make(header.b, SUMMED_BYTES));
	memcpy(header.b + SUMMED_BYTES, all.b, SUM_BYTES);
	return header;
}

static bool is_header(const uint8_t *bytes) {
	if (memcmp(bytes, magic, 4) != 0) return false;
	const hash32 sum = sha256(bytes_make(bytes, SUMMED_BYTES));
	return memcmp(sum.b, bytes + SUMMED_BYTES, SUM_BYTES) == 0;
}

static uint32_t length_in(const struct header *header) {
	return load_be32(header->b + 4);
}

/* False: the file ends before, or it cannot be read. */
static bool read_at(int fd, uint8_t *out, size_t len, uint64_t at) {
	for (size_t done = 0; done < len;) {
		const ssize_t got = pread(fd, out + done, len - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR) continue;
		if (got <= 0) return false;
		done += (size_t)got;
	}
	return true;
}

/* The size that the entry at `at` takes; 0: none is whole there, by its header and the file's size. */
static uint64_t entry_at(struct header *header, int fd, uint64_t at, uint64_t size_bytes) {
	if (at + HEADER_BYTES > size_bytes || !read_at(fd, header->b, HEADER_BYTES, at)) return 0;
	if (!is_header(header->b)) return 0;
	const uint64_t len = HEADER_BYTES + length_in(header);
	return len <= size_bytes - at ? len : 0;
}

/* Does a whole header stand anywhere behind `at`? */
static bool has_header_behind(int fd, uint64_t at, uint64_t size_bytes) {
	uint8_t *chunk = mem_alloc(CHUNK_BYTES);
	bool found = false;
	while (!found && at + HEADER_BYTES <= size_bytes) {
		const uint64_t left = size_bytes - at;
		const size_t len = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
		if (!read_at(fd, chunk, len, at)) break;
		for (size_t i = 0; i + HEADER_BYTES <= len && !found; i++) found = is_header(chunk + i);
		at += len - HEADER_BYTES + 1;
	}
	mem_free(chunk);
	return found;
}

/* --- files --- */

static bool number_of(uint32_t *out, const char *name) {
	char *end;
	if (strlen(name) != NAME_CHARS || strcmp(name + 8, ".seg") != 0) return false;
	*out = (uint32_t)strtoul(name, &end, 16);
	return end == name + 8 && *out > 0;
}

static int compare_numbers(const void *a, const void *b) {
	const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return left < right ? -1 : left > right;
}

enum status segments_list(
    const struct segments *segments, uint32_t **numbers, size_t *count, struct arena *arena, struct err *err) {
	DIR *directory = opendir(segments->directory);
	size_t capacity = 16;
	*count = 0;
	*numbers = arena_alloc(arena, capacity * sizeof **numbers);
	if (!directory && errno == ENOENT && segments->options.only_reads) return STATUS_OK;
	if (!directory) return err_set(err, STATUS_IO, "cannot list %s: %s", segments->directory, strerror(errno));
	for (struct dirent *entry; (entry = readdir(directory));) {
		uint32_t number;
		if (!number_of(&number, entry->d_name)) continue;
		if (*count == capacity) {
			uint32_t *larger = arena_alloc(arena, 2 * capacity * sizeof *larger);
			memcpy(larger, *numbers, capacity * sizeof *larger);
			*numbers = larger;
			capacity *= 2;
		}
		(*numbers)[(*count)++] = number;
	}
	closedir(directory);
	qsort(*numbers, *count, sizeof **numbers, compare_numbers);
	return STATUS_OK;
}

/* With the lock held, and nobody syncing: all of the file so far is durable, and the next one is begun. */
static enum status begin_file(struct segments *segments, struct err *err) {
	char path[PATH_BYTES];
	if (segments->fd >= 0 && fdatasync(segments->fd) != 0) {
		segments->is_broken = true;
		return io_failed(segments, "sync", segments->newest, err);
	}
	if (segments->fd >= 0) segments->synced = segments->appended;
	path_of(path, segments, segments->newest + 1);
	const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) return io_failed(segments, "make", segments->newest + 1, err);
	const enum status status = files_sync_parent(path, err);
	if (status != STATUS_OK) {
		close(fd);
		unlink(path);
		return status;
	}
	if (segments->fd >= 0) close(segments->fd);
	segments->fd = fd;
	segments->newest++;
	segments->size_bytes = 0;
	return STATUS_OK;
}

/* The newest file's whole entries stay; what was never acknowledged is cut off. */
static enum status cut_tail(struct segments *segments, struct err *err) {
	struct header header;
	struct stat info;
	uint64_t at = 0, size;
	if (fstat(segments->fd, &info) != 0) return io_failed(segments, "look at", segments->newest, err);
	const uint64_t file_bytes = (uint64_t)info.st_size;
	while ((size = entry_at(&header, segments->fd, at, file_bytes)) != 0) at += size;
	segments->size_bytes = at;
	if (at == file_bytes) return STATUS_OK;
	if (has_header_behind(segments->fd, at + 1, file_bytes)) {
		log_error("segments",
		    "%s/%08x.seg is damaged at byte %llu; what comes is written behind it, in a new file",
		    segments->directory, segments->newest, (unsigned long long)at);
		return begin_file(segments, err);
	}
	log_warn("segments", "the last %llu bytes of %s/%08x.seg are not a whole entry; they are cut off",
	    (unsigned long long)(file_bytes - at), segments->directory, segments->newest);
	if (ftruncate(segments->fd, (off_t)at) == 0 && fsync(segments->fd) == 0) return STATUS_OK;
	return io_failed(segments, "cut", segments->newest, err);
}

static enum status open_newest(struct segments *segments, struct err *err) {
	struct arena arena;
	uint32_t *numbers;
	size_t count;
	arena_init(&arena);
	enum status status = segments_list(segments, &numbers, &count, &arena, err);
	if (status == STATUS_OK && count > 0) segments->newest = numbers[count - 1];
	arena_fini(&arena);
	if (status != STATUS_OK || count == 0 || segments->options.only_reads) return status;
	char path[PATH_BYTES];
	path_of(path, segments, segments->newest);
	segments->fd = open(path, O_RDWR | O_CLOEXEC);
	if (segments->fd < 0) return io_failed(segments, "open", segments->newest, err);
	return cut_tail(segments, err);
}

enum status segments_open(struct segments **out, const struct segments_options *options, struct err *err) {
	struct segments *segments = mem_zalloc(1, sizeof *segments);
	segments->options = *options;
	if (!segments->options.file_bytes) segments->options.file_bytes = SEGMENTS_FILE_BYTES;
	segments->directory = mem_strdup(options->directory);
	segments->fd = -1;
	if (options->threads) segments->monitor = options->threads->monitor_new(options->threads->context);
	enum status status = options->only_reads ? STATUS_OK : files_make_folder(segments->directory, err);
	if (status == STATUS_OK) status = open_newest(segments, err);
	if (status != STATUS_OK) {
		segments_close(segments);
		return status;
	}
	*out = segments;
	return STATUS_OK;
}

void segments_close(struct segments *segments) {
	if (!segments) return;
	if (segments->fd >= 0) close(segments->fd);
	if (segments->monitor) segments->options.threads->monitor_free(segments->monitor);
	mem_free(segments->directory);
	mem_free(segments);
}

/* --- writing --- */

static bool write_all(int fd, const struct header *header, struct bytes content, uint64_t at) {
	const size_t total = HEADER_BYTES + content.len;
	for (size_t done = 0; done < total;) {
		const bool in_header = done < HEADER_BYTES;
		const struct bytes head = bytes_slice(BYTES_OF(*header), done, HEADER_BYTES);
		const struct bytes rest = bytes_slice(content, in_header ? 0 : done - HEADER_BYTES, content.len);
		const struct iovec pieces[2] = {
		    {(void *)(uintptr_t)head.data, in_header ? head.len : 0}, {(void *)(uintptr_t)rest.data, rest.len}};
		const ssize_t written = pwritev(fd, pieces, 2, (off_t)(at + done));
		if (written < 0 && errno == EINTR) continue;
		if (written <= 0) return false;
		done += (size_t)written;
	}
	return true;
}

static enum status append_locked(struct segments *segments, struct segments_place *out, const struct header *header,
    struct bytes content, struct err *err) {
	const bool is_full = segments->fd < 0 || segments->size_bytes >= segments->options.file_bytes;
	if (segments->is_broken)
		return err_set(
		    err, STATUS_IO, "%s could not be synced before: nothing more is taken", segments->directory);
	if (is_full && !segments->is_syncing) TRY(begin_file(segments, err));
	const uint64_t at = segments->size_bytes;
	if (!write_all(segments->fd, header, content, at)) {
		const enum status status = io_failed(segments, "write", segments->newest, err);
		if (ftruncate(segments->fd, (off_t)at) != 0) segments->is_broken = true;
		return status;
	}
	*out = (struct segments_place){segments->newest, (uint32_t)content.len, at};
	segments->size_bytes += HEADER_BYTES + content.len;
	segments->appended++;
	return STATUS_OK;
}

enum status segments_append(struct segments *segments, struct segments_place *out, const struct segments_label *label,
    struct bytes content, struct err *err) {
	BUG_ON(segments->options.only_reads);
	if (content.len > UINT32_MAX) return err_set(err, STATUS_LIMIT, "an entry has at most 4 GiB");
	const struct header header = header_of(label, content);
	enter(segments);
	const enum status status = append_locked(segments, out, &header, content, err);
	leave(segments);
	return status;
}

/* With the lock held, which is given up for the sync. */
static enum status sync_locked(struct segments *segments, struct err *err) {
	const uint64_t wanted = segments->appended;
	while (segments->synced < wanted && !segments->is_broken) {
		if (segments->is_syncing) {
			segments->options.threads->wait(segments->monitor, WAIT_MS);
			continue;
		}
		const uint64_t appended = segments->appended;
		segments->is_syncing = true;
		leave(segments);
		const bool synced = fdatasync(segments->fd) == 0;
		const int why = errno;
		enter(segments);
		segments->is_syncing = false;
		if (synced && segments->synced < appended) segments->synced = appended;
		if (!synced) segments->is_broken = true;
		if (segments->monitor) segments->options.threads->wake_all(segments->monitor);
		errno = why;
		if (!synced) return io_failed(segments, "sync", segments->newest, err);
	}
	if (segments->synced >= wanted) return STATUS_OK;
	return err_set(err, STATUS_IO, "%s could not be synced", segments->directory);
}

enum status segments_sync(struct segments *segments, struct err *err) {
	enter(segments);
	const enum status status = sync_locked(segments, err);
	leave(segments);
	return status;
}

struct segments_place segments_end(struct segments *segments) {
	enter(segments);
	const struct segments_place place = {segments->newest, 0, segments->size_bytes};
	leave(segments);
	return place;
}

void segments_remove(struct segments *segments, uint32_t segment) {
	char path[PATH_BYTES];
	enter(segments);
	path_of(path, segments, segment);
	if (segment != segments->newest) unlink(path);
	leave(segments);
}

/* --- reading, erasing --- */

static enum status open_place(int *fd, const struct segments *segments, uint32_t segment, int flags, struct err *err) {
	char path[PATH_BYTES];
	path_of(path, segments, segment);
	*fd = open(path, flags | O_CLOEXEC);
	if (*fd >= 0) return STATUS_OK;
	if (errno != ENOENT) return io_failed(segments, "open", segment, err);
	return err_set(err, STATUS_NOTFOUND, "%s is not there", path);
}

static bool is_zero(struct bytes content) {
	for (size_t i = 0; i < content.len; i++)
		if (content.data[i]) return false;
	return true;
}

/* The content, which is `len` bytes of `out` from its end. */
static enum status check_content(
    const struct header *header, const struct segments_place *place, struct bytes content, struct err *err) {
	const hash32 sum = sha256(content);
	if (length_in(header) == place->len && memcmp(sum.b, header->b + 8 + SEGMENTS_LABEL_BYTES, SUM_BYTES) == 0)
		return STATUS_OK;
	if (length_in(header) == place->len && is_zero(content))
		return err_set(err, STATUS_NOTFOUND, "the entry was erased");
	return err_set(err, STATUS_CORRUPT, "the entry at byte %llu of %08x.seg is not what was written",
	    (unsigned long long)place->at, place->segment);
}

enum status segments_read(
    const struct segments *segments, struct buf *out, const struct segments_place *place, struct err *err) {
	struct header header;
	int fd;
	const size_t before = out->len;
	TRY(open_place(&fd, segments, place->segment, O_RDONLY, err));
	uint8_t *room = buf_extend(out, place->len);
	enum status status = buf_status(out, err);
	if (status == STATUS_OK && (!read_at(fd, header.b, HEADER_BYTES, place->at) || !is_header(header.b) ||
				       !read_at(fd, room, place->len, place->at + HEADER_BYTES)))
		status = err_set(err, STATUS_CORRUPT, "there is no entry at byte %llu of %08x.seg",
		    (unsigned long long)place->at, place->segment);
	close(fd);
	if (status == STATUS_OK) status = check_content(&header, place, bytes_make(room, place->len), err);
	if (status != STATUS_OK) out->len = before;
	return status;
}

enum status segments_label_at(
    const struct segments *segments, struct segments_label *out, const struct segments_place *place, struct err *err) {
	struct header header;
	int fd;
	TRY(open_place(&fd, segments, place->segment, O_RDONLY, err));
	const bool is_it =
	    read_at(fd, header.b, HEADER_BYTES, place->at) && is_header(header.b) && length_in(&header) == place->len;
	close(fd);
	if (!is_it) return err_set(err, STATUS_NOTFOUND, "there is no such entry");
	memcpy(out->b, header.b + 8, sizeof out->b);
	return STATUS_OK;
}

static bool write_zeros(int fd, uint64_t at, uint64_t len) {
	static const uint8_t zeros[4096];
	while (len > 0) {
		const ssize_t written = pwrite(fd, zeros, len < sizeof zeros ? (size_t)len : sizeof zeros, (off_t)at);
		if (written < 0 && errno == EINTR) continue;
		if (written <= 0) return false;
		at += (uint64_t)written;
		len -= (uint64_t)written;
	}
	return fdatasync(fd) == 0;
}

enum status segments_erase(struct segments *segments, const struct segments_place *place, struct err *err) {
	struct stat info;
	int fd;
	const enum status status = open_place(&fd, segments, place->segment, O_RDWR, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(status);
	const uint64_t content = place->at + HEADER_BYTES;
	bool erased = fstat(fd, &info) == 0;
	const uint64_t size_bytes = erased ? (uint64_t)info.st_size : 0;
	const uint64_t left = content < size_bytes ? size_bytes - content : 0;
	const uint64_t len = place->len < left ? place->len : left;
	erased = erased && write_zeros(fd, content, len);
	const enum status done = erased ? STATUS_OK : io_failed(segments, "erase in", place->segment, err);
	/* The zeros are on the disk; giving blocks back only saves room. */
	if (erased && len > 0)
		(void)!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)content, (off_t)len);
	close(fd);
	return done;
}

/* --- walking --- */

static enum status walk_file(const struct segments *segments, uint32_t segment, uint64_t at, segments_visit *visit,
    void *context, struct err *err) {
	struct header header;
	struct stat info;
	uint64_t size;
	int fd;
	enum status status = open_place(&fd, segments, segment, O_RDONLY, err);
	if (status != STATUS_OK) return status == STATUS_NOTFOUND ? STATUS_OK : status; /* removed meanwhile */
	if (fstat(fd, &info) != 0) status = io_failed(segments, "look at", segment, err);
	while (status == STATUS_OK && (size = entry_at(&header, fd, at, (uint64_t)info.st_size)) != 0) {
		const struct segments_place place = {segment, length_in(&header), at};
		struct segments_label label;
		memcpy(label.b, header.b + 8, sizeof label.b);
		status = visit(context, &place, &label, err);
		at += size;
	}
	close(fd);
	return status;
}

enum status segments_walk(const struct segments *segments, const struct segments_place *from, segments_visit *visit,
    void *context, struct err *err) {
	struct arena arena;
	uint32_t *numbers;
	size_t count;
	arena_init(&arena);
	enum status status = segments_list(segments, &numbers, &count, &arena, err);
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		if (numbers[i] < from->segment) continue;
		status =
		    walk_file(segments, numbers[i], numbers[i] == from->segment ? from->at : 0, visit, context, err);
	}
	arena_fini(&arena);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

struct looking {
	bool (*is_it)(const void *context, const struct segments_label *label);
	const void *context;
	struct segments_place found;
};

static enum status look(
    void *context, const struct segments_place *place, const struct segments_label *label, struct err *err) {
	struct looking *looking = context;
	(void)err;
	if (looking->is_it(looking->context, label)) looking->found = *place;
	return STATUS_OK;
}

enum status segments_find_last(const struct segments *segments, struct segments_place *out,
    bool (*is_it)(const void *context, const struct segments_label *label), const void *context, struct err *err) {
	struct looking looking = {.is_it = is_it, .context = context};
	struct arena arena;
	uint32_t *numbers;
	size_t count;
	arena_init(&arena);
	enum status status = segments_list(segments, &numbers, &count, &arena, err);
	for (size_t i = status == STATUS_OK ? count : 0; i-- > 0 && status == STATUS_OK && !looking.found.segment;)
		status = walk_file(segments, numbers[i], 0, look, &looking, err);
	arena_fini(&arena);
	TRY(status);
	*out = looking.found;
	return out->segment ? STATUS_OK : err_set(err, STATUS_NOTFOUND, "there is no such entry");
}
