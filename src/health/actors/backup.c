/* What stands in a backup: for each file be16 path length, path, be64 size, content; be16 0 ends it. */
#include "health/actors/backup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "health/actors/backup_stream.h"
#include "health/actors/home_lock.h"
#include "health/chain/outbox.h"

#define RELATIVE_MAX 255u
#define DEPTH_MAX 4u
#define FILES_MAX 10000000u
#define CONTENT_MAX ((size_t)8 << 30)

/* --- names --- */

static bool ends_with(const char *name, const char *end) {
	size_t len = strlen(name), end_len = strlen(end);
	return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

/* Locks, unfinished files, and what is made anew from the chain. */
static bool is_left_out(const char *name) {
	return name[0] == '.' || strcmp(name, "lock") == 0 || strcmp(name, "files.lock") == 0 ||
	       strncmp(name, "index.db", 8) == 0 || ends_with(name, ".part");
}

/* Letters, digits, '.', '_' and '-', parted by '/'; no part is empty or begins with '.': it stays inside the home. */
static bool is_relative(const char *path) {
	unsigned depth = 1;
	bool at_begin = true;
	for (const char *c = path; *c; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
			     *c == '_' || *c == '-';
		if (*c == '/' && (at_begin || ++depth > DEPTH_MAX)) return false;
		if (*c != '/' && !plain && (*c != '.' || at_begin)) return false;
		at_begin = *c == '/';
	}
	return !at_begin;
}

static enum status join(char out[FILES_PATH_BYTES], const char *directory, const char *relative, struct err *err) {
	if ((size_t)snprintf(out, FILES_PATH_BYTES, "%s%s%s", directory, relative[0] ? "/" : "", relative) <
	    FILES_PATH_BYTES)
		return STATUS_OK;
	return err_set(err, STATUS_LIMIT, "a path is too long: %s", relative);
}

/* --- making one --- */

struct making {
	struct backup_stream stream;
	struct backup_report *report;
	const char *directory;
};

static enum status put_content(struct making *making, const char *relative, struct bytes content, struct err *err) {
	uint8_t number[8];
	store_be32(number, (uint32_t)strlen(relative));
	TRY(backup_stream_put(&making->stream, bytes_make(number + 2, 2), err));
	TRY(backup_stream_put(&making->stream, bytes_text(relative), err));
	store_be64(number, content.len);
	TRY(backup_stream_put(&making->stream, bytes_make(number, 8), err));
	TRY(backup_stream_put(&making->stream, content, err));
	making->report->files++;
	making->report->bytes += content.len;
	return STATUS_OK;
}

/* A file that is removed meanwhile (a finished journal, what a gateway forgets) is not needed. */
static enum status put_file(struct making *making, const char *relative, const char *path, struct err *err) {
	struct buf content;
	buf_init(&content, CONTENT_MAX);
	enum status status = files_read(&content, path, err);
	if (status == STATUS_OK) status = put_content(making, relative, buf_view(&content), err);
	buf_wipe(&content);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

static enum status put_folder(struct making *making, const char *relative, unsigned depth, struct err *err);

static enum status put_entry(
    struct making *making, const char *folder, const char *name, unsigned depth, struct err *err) {
	char relative[RELATIVE_MAX + 1], path[FILES_PATH_BYTES];
	struct stat info;
	if (is_left_out(name)) return STATUS_OK;
	if ((size_t)snprintf(relative, sizeof relative, "%s%s%s", folder, folder[0] ? "/" : "", name) >=
		sizeof relative ||
	    !is_relative(relative))
		return err_set(err, STATUS_INVALID, "%s/%s is not a file of a home: move it away", folder, name);
	TRY(join(path, making->directory, relative, err));
	if (lstat(path, &info) != 0)
		return errno == ENOENT ? STATUS_OK
				       : err_set(err, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
	if (S_ISDIR(info.st_mode)) return put_folder(making, relative, depth + 1, err);
	if (!S_ISREG(info.st_mode)) return err_set(err, STATUS_INVALID, "%s is not a regular file", path);
	return put_file(making, relative, path, err);
}

static enum status put_folder(struct making *making, const char *relative, unsigned depth, struct err *err) {
	char path[FILES_PATH_BYTES];
	enum status status = STATUS_OK;
	if (depth > DEPTH_MAX) return err_set(err, STATUS_LIMIT, "%s is too deep for a home", relative);
	TRY(join(path, making->directory, relative, err));
	DIR *directory = opendir(path);
	if (!directory) return err_set(err, STATUS_IO, "cannot list %s: %s", path, strerror(errno));
	for (struct dirent *entry; status == STATUS_OK && (entry = readdir(directory));)
		status = put_entry(making, relative, entry->d_name, depth, err);
	closedir(directory);
	return status;
}

enum status backup_make(struct backup_report *report, const struct home *home, const char *path, struct bytes password,
    const struct keystore_cost *cost, const struct random_source *random, struct err *err) {
	struct making making = {.report = report, .directory = home->directory};
	static const uint8_t end[2];
	int lock = -1;
	*report = (struct backup_report){0};
	enum status status = backup_stream_begin(&making.stream, path, password, cost, random, err);
	if (status == STATUS_OK) status = home_files_lock(&lock, home->directory, HOME_FILES_ALONE, err);
	if (status == STATUS_OK) status = put_folder(&making, "", 1, err);
	home_unlock(lock);
	if (status == STATUS_OK) status = backup_stream_put(&making.stream, bytes_make(end, sizeof end), err);
	if (status == STATUS_OK) status = backup_stream_finish(&making.stream, err);
	backup_stream_fini(&making.stream);
	return status;
}

/* --- restoring one --- */

static enum status malformed(struct err *err) {
	return err_set(err, STATUS_CORRUPT, "the backup holds an entry that makes no sense");
}

static enum status make_parents(char *path, size_t base_len, struct err *err) {
	for (char *slash = strchr(path + base_len + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		enum status status = files_make_folder(path, err);
		*slash = '/';
		TRY(status);
	}
	return STATUS_OK;
}

static enum status restore_content(struct backup_stream *stream, const char *path, uint64_t size, struct err *err) {
	struct files_out out;
	uint8_t chunk[1 << 14];
	TRY(files_begin(&out, path, err));
	enum status status = STATUS_OK;
	while (size && status == STATUS_OK) {
		size_t some = size < sizeof chunk ? (size_t)size : sizeof chunk;
		status = backup_stream_get(stream, chunk, some, err);
		if (status == STATUS_OK) status = files_append(&out, bytes_make(chunk, some), err);
		size -= some;
	}
	mem_wipe(chunk, sizeof chunk);
	if (status == STATUS_OK) return files_finish(&out, err);
	files_abandon(&out);
	return status;
}

/* `*more` false: that was the last one. */
static enum status restore_file(
    struct backup_stream *stream, struct backup_report *report, bool *more, const char *directory, struct err *err) {
	uint8_t number[8] = {0};
	char relative[RELATIVE_MAX + 1] = "", path[FILES_PATH_BYTES];
	TRY(backup_stream_get(stream, number + 2, 2, err));
	size_t len = load_be32(number);
	*more = len != 0;
	if (!len) return backup_stream_end(stream, err);
	if (len > RELATIVE_MAX || ++report->files > FILES_MAX) return malformed(err);
	TRY(backup_stream_get(stream, (uint8_t *)relative, len, err));
	if (strlen(relative) != len || !is_relative(relative)) return malformed(err);
	TRY(backup_stream_get(stream, number, 8, err));
	TRY(join(path, directory, relative, err));
	if (files_exists(path)) return malformed(err);
	TRY(make_parents(path, strlen(directory), err));
	const uint64_t size = load_be64(number);
	if (size > CONTENT_MAX) return malformed(err);
	report->bytes += size;
	return restore_content(stream, path, size, err);
}

static void remove_all(const char *path, unsigned depth) {
	DIR *directory = depth <= DEPTH_MAX ? opendir(path) : NULL;
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		char inner[FILES_PATH_BYTES];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		if (join(inner, path, entry->d_name, NULL) != STATUS_OK) continue;
		if (unlink(inner) != 0) remove_all(inner, depth + 1);
	}
	if (directory) closedir(directory);
	rmdir(path);
}

/* It goes on as a home that may be behind. */
static enum status mark(struct backup_report *report, const char *directory, struct err *err) {
	char path[FILES_PATH_BYTES];
	TRY(home_make_folders(directory, err)); /* empty ones are not in a backup */
	TRY(join(path, directory, HOME_OUTBOX, err));
	if (files_exists(path)) TRY(outbox_mark_restored(&report->outbox_kept, &report->outbox_dropped, path, err));
	TRY(join(path, directory, HOME_RESTORED, err));
	return files_write(path, (struct bytes){NULL, 0}, err);
}

static enum status restore_into(
    struct backup_report *report, const char *directory, const char *path, struct bytes password, struct err *err) {
	struct backup_stream stream;
	enum status status = backup_stream_open(&stream, path, password, err);
	for (bool more = true; status == STATUS_OK && more;)
		status = restore_file(&stream, report, &more, directory, err);
	backup_stream_fini(&stream);
	if (status == STATUS_OK) status = mark(report, directory, err);
	return status;
}

/* Does it hold anything? */
static bool is_in_use(const char *directory) {
	struct stat info;
	size_t entries = 0;
	if (lstat(directory, &info) != 0) return false;
	DIR *opened = opendir(directory);
	if (!opened) return true;
	for (struct dirent *entry; (entry = readdir(opened));)
		entries += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(opened);
	return entries != 0;
}

enum status backup_restore(struct backup_report *report, const char *directory, const char *path, struct bytes password,
    const struct random_source *random, struct err *err) {
	char beside[FILES_PATH_BYTES];
	uint64_t unique;
	*report = (struct backup_report){0};
	if (is_in_use(directory))
		return err_set(err, STATUS_EXISTS, "%s is not empty: a backup is restored into a new home", directory);
	random_fill(random, &unique, sizeof unique);
	size_t len = strlen(directory);
	while (len > 1 && directory[len - 1] == '/') len--;
	if ((size_t)snprintf(beside, sizeof beside, "%.*s.restoring-%016llx", (int)len, directory,
		(unsigned long long)unique) >= sizeof beside)
		return err_set(err, STATUS_LIMIT, "the path of the home is too long");
	TRY(files_make_folder(beside, err));
	enum status status = restore_into(report, beside, path, password, err);
	if (status == STATUS_OK && rename(beside, directory) != 0)
		status = err_set(err, STATUS_IO, "cannot make %s: %s", directory, strerror(errno));
	if (status != STATUS_OK) {
		remove_all(beside, 1);
		return status;
	}
	return files_sync_parent(directory, err);
}
