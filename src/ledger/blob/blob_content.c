/*
 * Content is files: `pending/<blob>-<putter>` and `items/<2 digits>/<gate>-<item>`. A file is written under a temporary
 * name, synced, and renamed, so that what has its name is whole. An item's file is a hard link made from the putter's
 * pending one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "codec/hex.h"
#include "ledger/blob/blob_room.h"

#define PATH_BYTES 512

static void hex_text(char *out, struct bytes data) {
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < data.len; i++) {
		out[2 * i] = digits[data.data[i] >> 4];
		out[2 * i + 1] = digits[data.data[i] & 15];
	}
	out[2 * data.len] = 0;
}

static void pending_path(char out[PATH_BYTES], const struct blob_room *room, const hash32 *blob, const addr20 *putter) {
	char name[65], who[41];
	hex_text(name, BYTES_OF(*blob));
	hex_text(who, BYTES_OF(*putter));
	snprintf(out, PATH_BYTES, "%s/pending/%s-%s", room->directory, name, who);
}

static void shard_path(char out[PATH_BYTES], const struct blob_room *room, const hash32 *item) {
	snprintf(out, PATH_BYTES, "%s/items/%02x", room->directory, item->b[0]);
}

static void item_path(char out[PATH_BYTES], const struct blob_room *room, const addr20 *gate, const hash32 *item) {
	char of[41], name[65];
	hex_text(of, BYTES_OF(*gate));
	hex_text(name, BYTES_OF(*item));
	snprintf(out, PATH_BYTES, "%s/items/%02x/%s-%s", room->directory, item->b[0], of, name);
}

static enum status io_failed(struct err *err, const char *what, const char *path) {
	return err_set(err, STATUS_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static enum status make_directory(const char *path, struct err *err) {
	if (mkdir(path, 0700) == 0 || errno == EEXIST) return STATUS_OK;
	return io_failed(err, "make", path);
}

static enum status sync_directory(const char *path, struct err *err) {
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0) {
		enum status status = io_failed(err, "sync", path);
		if (fd >= 0) close(fd);
		return status;
	}
	close(fd);
	return STATUS_OK;
}

/* The directory part of a path made above. */
static void parent_of(char out[PATH_BYTES], const char *path) {
	snprintf(out, PATH_BYTES, "%s", path);
	char *slash = strrchr(out, '/');
	BUG_ON(!slash);
	*slash = 0;
}

static enum status make_shard(const char *path, struct err *err) {
	char parent[PATH_BYTES];
	if (mkdir(path, 0700) != 0) return errno == EEXIST ? STATUS_OK : io_failed(err, "make", path);
	parent_of(parent, path);
	return sync_directory(parent, err);
}

static enum status count_items(struct blob_room *room, struct err *err) {
	char path[PATH_BYTES];
	for (int shard = 0; shard < 256; shard++) {
		hash32 first = {.b = {(uint8_t)shard}};
		shard_path(path, room, &first);
		DIR *directory = opendir(path);
		if (!directory && errno == ENOENT) continue; /* made with its first item */
		if (!directory) return io_failed(err, "list", path);
		for (struct dirent *entry; (entry = readdir(directory));) {
			struct stat info;
			if (entry->d_name[0] == '.') continue;
			if (fstatat(dirfd(directory), entry->d_name, &info, 0) != 0) continue;
			room->item_count++;
			room->content_bytes += (uint64_t)info.st_size;
		}
		closedir(directory);
	}
	return STATUS_OK;
}

enum status blob_content_open(struct blob_room *room, struct err *err) {
	char path[PATH_BYTES];
	TRY(make_directory(room->directory, err));
	snprintf(path, sizeof path, "%s/pending", room->directory);
	TRY(make_directory(path, err));
	snprintf(path, sizeof path, "%s/items", room->directory);
	TRY(make_directory(path, err));
	return count_items(room, err);
}

enum status blob_content_put(
    struct blob_room *room, const hash32 *blob, const addr20 *putter, struct bytes container, struct err *err) {
	char path[PATH_BYTES];
	pending_path(path, room, blob, putter);
	return files_write(path, container, err);
}

bool blob_content_is_pending(const struct blob_room *room, const hash32 *blob, const addr20 *putter) {
	char path[PATH_BYTES];
	pending_path(path, room, blob, putter);
	return access(path, R_OK) == 0;
}

enum status blob_content_name(struct blob_room *room, const addr20 *gate, const hash32 *item, const hash32 *blob,
    const addr20 *putter, uint64_t *size_bytes, struct err *err) {
	char from[PATH_BYTES], to[PATH_BYTES], parent[PATH_BYTES];
	pending_path(from, room, blob, putter);
	item_path(to, room, gate, item);
	parent_of(parent, to);
	TRY(make_shard(parent, err));
	if (link(from, to) != 0 && errno != EEXIST) {
		if (errno == ENOENT) return err_set(err, STATUS_NOTFOUND, "its sender put no such blob here");
		return io_failed(err, "link", to);
	}
	TRY(sync_directory(parent, err));
	struct stat info;
	if (stat(to, &info) != 0) return io_failed(err, "look at", to);
	*size_bytes = (uint64_t)info.st_size;
	unlink(from); /* best effort: the sweep comes by */
	pthread_mutex_lock(&room->lock);
	room->item_count++;
	room->content_bytes += *size_bytes;
	pthread_mutex_unlock(&room->lock);
	return STATUS_OK;
}

enum status blob_content_delete(struct blob_room *room, const addr20 *gate, const hash32 *item, struct err *err) {
	char path[PATH_BYTES], parent[PATH_BYTES];
	item_path(path, room, gate, item);
	struct stat info;
	if (stat(path, &info) != 0) return errno == ENOENT ? STATUS_OK : io_failed(err, "look at", path);
	if (unlink(path) != 0) return io_failed(err, "delete", path);
	parent_of(parent, path);
	TRY(sync_directory(parent, err));
	pthread_mutex_lock(&room->lock);
	room->item_count--;
	room->content_bytes -= (uint64_t)info.st_size;
	pthread_mutex_unlock(&room->lock);
	return STATUS_OK;
}

static enum status read_file(struct buf *out, const char *path, struct err *err) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT) return err_set(err, STATUS_NOTFOUND, "no content is kept for this item");
		return io_failed(err, "open", path);
	}
	struct stat info;
	enum status status = fstat(fd, &info) == 0 ? STATUS_OK : io_failed(err, "look at", path);
	uint8_t *room = status == STATUS_OK ? buf_extend(out, (size_t)info.st_size) : NULL;
	if (status == STATUS_OK && !room) status = buf_status(out, err);
	for (size_t at = 0; status == STATUS_OK && at < (size_t)info.st_size;) {
		ssize_t got = read(fd, room + at, (size_t)info.st_size - at);
		if (got < 0 && errno == EINTR) continue;
		if (got <= 0)
			status = io_failed(err, "read", path);
		else
			at += (size_t)got;
	}
	close(fd);
	return status;
}

enum status blob_content_read(struct blob_room *room, struct buf *out, const addr20 *gate, const hash32 *item,
    bool whole, uint32_t part, struct err *err) {
	char path[PATH_BYTES];
	item_path(path, room, gate, item);
	if (whole) return read_file(out, path, err);
	struct buf frame;
	buf_init(&frame, CONTAINER_BYTES_MAX);
	struct container container;
	enum status status = read_file(&frame, path, err);
	if (status == STATUS_OK && container_decode(&container, buf_view(&frame), err) != STATUS_OK)
		status = STATUS_CORRUPT;
	if (status == STATUS_OK && part >= container.count)
		status = err_set(err, STATUS_NOTFOUND, "the item has %u parts", container.count);
	if (status == STATUS_OK) buf_append(out, container_part(&container, part));
	buf_fini(&frame);
	return status;
}

uint64_t blob_content_sweep(struct blob_room *room, uint64_t age_ms) {
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "%s/pending", room->directory);
	DIR *directory = opendir(path);
	if (!directory) return 0;
	uint64_t now_ms = clock_now_ms(room->options.clock), left = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct stat info;
		if (entry->d_name[0] == '.' || fstatat(dirfd(directory), entry->d_name, &info, 0) != 0) continue;
		uint64_t written_ms = (uint64_t)info.st_mtim.tv_sec * 1000;
		if (written_ms + age_ms < now_ms)
			unlinkat(dirfd(directory), entry->d_name, 0);
		else
			left++;
	}
	closedir(directory);
	return left;
}
