/*
 * Content is files: `pending/<gate>-<blob>-<putter>` and `items/<2 digits>/<gate>-<item>`. A file is written under a
 * temporary name, synced, and linked, so that what has its name is whole. An item's file is a hard link made from the
 * putter's pending one. What waits is charged to its putter as long as the file is there: whoever removes the file
 * gives the charge back, once.
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

static void pending_path(char out[PATH_BYTES], const struct blob_room *room, const struct blob_waiting *waiting) {
	char gate[41], blob[65], putter[41];
	hex_text(gate, BYTES_OF(waiting->gate));
	hex_text(blob, BYTES_OF(waiting->blob));
	hex_text(putter, BYTES_OF(waiting->putter));
	snprintf(out, PATH_BYTES, "%s/pending/%s-%s-%s", room->directory, gate, blob, putter);
}

/* The inverse, of a name in pending/. */
static bool waiting_of(struct blob_waiting *out, const struct blob_room *room, const char *name) {
	char text[3][67];
	if (strlen(name) != 40 + 1 + 64 + 1 + 40 || name[40] != '-' || name[105] != '-') return false;
	snprintf(text[0], sizeof text[0], "0x%.40s", name);
	snprintf(text[1], sizeof text[1], "0x%.64s", name + 41);
	snprintf(text[2], sizeof text[2], "0x%.40s", name + 106);
	return hex_fixed(out->gate.b, 20, bytes_text(text[0])) == STATUS_OK &&
	       hex_fixed(out->blob.b, 32, bytes_text(text[1])) == STATUS_OK &&
	       hex_fixed(out->putter.b, 20, bytes_text(text[2])) == STATUS_OK && blob_gate_is(room, &out->gate);
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

/* Calls `visit` for each file of a folder; none if the folder is not there. */
static enum status visit_files(struct blob_room *room, const char *path,
    void (*visit)(struct blob_room *room, int folder, const char *name, const struct stat *info), struct err *err) {
	DIR *directory = opendir(path);
	if (!directory) return errno == ENOENT ? STATUS_OK : io_failed(err, "list", path);
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct stat info;
		if (entry->d_name[0] == '.') continue;
		if (fstatat(dirfd(directory), entry->d_name, &info, 0) == 0)
			visit(room, dirfd(directory), entry->d_name, &info);
	}
	closedir(directory);
	return STATUS_OK;
}

static void count_item(struct blob_room *room, int folder, const char *name, const struct stat *info) {
	(void)folder;
	(void)name;
	room->item_count++;
	room->content_bytes += (uint64_t)info->st_size;
}

static enum status count_items(struct blob_room *room, struct err *err) {
	char path[PATH_BYTES];
	for (int shard = 0; shard < 256; shard++) {
		hash32 first = {.b = {(uint8_t)shard}};
		shard_path(path, room, &first);
		TRY(visit_files(room, path, count_item, err));
	}
	return STATUS_OK;
}

/* What waited when the node stopped waits on. What has no room any more goes, and what has another name, which a write
 * that did not end has left. */
static void count_pending(struct blob_room *room, int folder, const char *name, const struct stat *info) {
	struct blob_waiting waiting;
	uint64_t total;
	if (!waiting_of(&waiting, room, name) || blob_account_waits(room, &total, &waiting.gate, &waiting.putter,
						     blob_charge_bytes((uint64_t)info->st_size)) != STATUS_OK)
		unlinkat(folder, name, 0);
}

enum status blob_content_open(struct blob_room *room, struct err *err) {
	char path[PATH_BYTES];
	TRY(make_directory(room->directory, err));
	snprintf(path, sizeof path, "%s/items", room->directory);
	TRY(make_directory(path, err));
	TRY(count_items(room, err));
	snprintf(path, sizeof path, "%s/pending", room->directory);
	TRY(make_directory(path, err));
	return visit_files(room, path, count_pending, err);
}

/* --- waiting --- */

/* `*is_new` false: the file is there already. */
static enum status write_once(bool *is_new, const char *path, struct bytes content, struct err *err) {
	struct files_out out;
	TRY(files_begin(&out, path, err));
	enum status status = files_append(&out, content, err);
	if (status == STATUS_OK && fsync(out.fd) != 0) status = io_failed(err, "write", path);
	if (status == STATUS_OK) {
		*is_new = link(out.temporary, path) == 0;
		if (!*is_new && errno != EEXIST) status = io_failed(err, "write", path);
	}
	files_abandon(&out);
	return status == STATUS_OK ? files_sync_parent(path, err) : status;
}

enum status blob_content_put(
    struct blob_room *room, const struct blob_waiting *waiting, struct bytes container, struct err *err) {
	char path[PATH_BYTES];
	bool is_new = false;
	pending_path(path, room, waiting);
	const enum status status = write_once(&is_new, path, container, err);
	if (!is_new)
		blob_account_waits_no_more(room, &waiting->gate, &waiting->putter, blob_charge_bytes(container.len));
	if (status == STATUS_OK && !is_new) utimensat(AT_FDCWD, path, NULL, 0); /* its ten minutes begin again */
	return status;
}

bool blob_content_waits(const struct blob_room *room, uint64_t *size_bytes, const struct blob_waiting *waiting) {
	char path[PATH_BYTES];
	struct stat info;
	pending_path(path, room, waiting);
	if (stat(path, &info) != 0) return false;
	*size_bytes = (uint64_t)info.st_size;
	return true;
}

static void drop(struct blob_room *room, const struct blob_waiting *waiting, uint64_t size_bytes) {
	char path[PATH_BYTES];
	pending_path(path, room, waiting);
	if (unlink(path) == 0)
		blob_account_waits_no_more(room, &waiting->gate, &waiting->putter, blob_charge_bytes(size_bytes));
}

void blob_content_drop(struct blob_room *room, const struct blob_waiting *waiting) {
	uint64_t size_bytes;
	if (blob_content_waits(room, &size_bytes, waiting)) drop(room, waiting, size_bytes);
}

/* --- items --- */

/* An item had `old` (NULL: nothing) and has now a file of `size_bytes`. */
static void count_replaced(struct blob_room *room, const struct stat *old, uint64_t size_bytes) {
	pthread_mutex_lock(&room->lock);
	if (old)
		room->content_bytes -= (uint64_t)old->st_size;
	else
		room->item_count++;
	room->content_bytes += size_bytes;
	pthread_mutex_unlock(&room->lock);
}

enum status blob_content_name(struct blob_room *room, const hash32 *item, const struct blob_waiting *waiting,
    uint64_t size_bytes, struct err *err) {
	char from[PATH_BYTES], to[PATH_BYTES], parent[PATH_BYTES], beside[PATH_BYTES];
	struct stat old;
	uint64_t waiting_bytes;
	if (!blob_content_waits(room, &waiting_bytes, waiting) || waiting_bytes != size_bytes)
		return err_set(err, STATUS_NOTFOUND, "no such blob of this size waits here");
	pending_path(from, room, waiting);
	item_path(to, room, &waiting->gate, item);
	parent_of(parent, to);
	TRY(make_shard(parent, err));
	const bool replaces = stat(to, &old) == 0;
	snprintf(beside, sizeof beside, "%s/.new", parent);
	unlink(beside); /* of a crash */
	if (link(from, beside) != 0) {
		if (errno == ENOENT) return err_set(err, STATUS_NOTFOUND, "the blob does not wait here any more");
		return io_failed(err, "link", to);
	}
	if (rename(beside, to) != 0) return io_failed(err, "link", to);
	unlink(beside); /* rename(2) leaves it if both are one file already */
	TRY(sync_directory(parent, err));
	count_replaced(room, replaces ? &old : NULL, size_bytes);
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

bool blob_content_has(const struct blob_room *room, const addr20 *gate, const hash32 *item) {
	char path[PATH_BYTES];
	item_path(path, room, gate, item);
	return access(path, R_OK) == 0;
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

/* --- sweeping --- */

void blob_content_sweep(struct blob_room *room, uint64_t age_ms) {
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "%s/pending", room->directory);
	DIR *directory = opendir(path);
	if (!directory) return;
	const uint64_t now_ms = clock_now_ms(room->options.clock);
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct stat info;
		struct blob_waiting waiting;
		if (!waiting_of(&waiting, room, entry->d_name)) continue;
		if (fstatat(dirfd(directory), entry->d_name, &info, 0) != 0) continue;
		if ((uint64_t)info.st_mtim.tv_sec * 1000 + age_ms < now_ms)
			drop(room, &waiting, (uint64_t)info.st_size);
	}
	closedir(directory);
}
