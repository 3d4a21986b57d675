#include "app/serve/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDERS_MAX 16
#define PIECE_BYTES ((size_t)1 << 20)

enum status folders_join(struct folder_path *out, const char *folder, const char *name, struct err *err) {
	if ((size_t)snprintf(out->text, sizeof out->text, "%s/%s", folder, name) < sizeof out->text) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the path of %s is too long", name);
}

static enum status copy_bytes(int to, int from, const char *path, struct err *err) {
	uint8_t *piece = mem_alloc(PIECE_BYTES);
	enum status status = STATUS_OK;
	ssize_t got = 1;
	while (status == STATUS_OK && got > 0) {
		got = read(from, piece, PIECE_BYTES);
		if (got > 0) status = files_write_fd(to, bytes_make(piece, (size_t)got), path, err);
	}
	mem_free(piece);
	return got < 0 ? err_set(err, STATUS_IO, "cannot read what becomes %s: %s", path, strerror(errno)) : status;
}

enum status folders_copy_file(const char *to, const char *from, struct err *err) {
	struct stat info;
	/* A pipe would wait for its writer, and a device may have no end. */
	const int source = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (source < 0)
		return err_set(
		    err, errno == ENOENT ? STATUS_NOTFOUND : STATUS_IO, "cannot read %s: %s", from, strerror(errno));
	if (fstat(source, &info) != 0 || !S_ISREG(info.st_mode)) {
		close(source);
		return err_set(err, STATUS_INVALID, "%s is not a regular file", from);
	}
	const int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum status status = target < 0 ? err_set(err, STATUS_IO, "cannot make %s: %s", to, strerror(errno))
					: copy_bytes(target, source, to, err);
	if (target >= 0 && close(target) != 0 && status == STATUS_OK)
		status = err_set(err, STATUS_IO, "cannot write %s: %s", to, strerror(errno));
	close(source);
	return status;
}

struct walk {
	folders_visit *visit;
	void *context;
};

static enum status walk(const struct walk *walk_, const char *to, const char *from, unsigned depth, struct err *err);

static enum status walk_entry(
    const struct walk *walk_, const char *to, const char *from, unsigned depth, struct err *err) {
	struct stat info;
	if (lstat(from, &info) != 0)
		return errno == ENOENT ? STATUS_OK
				       : err_set(err, STATUS_IO, "cannot look at %s: %s", from, strerror(errno));
	if (S_ISDIR(info.st_mode)) return walk(walk_, to, from, depth + 1, err);
	return S_ISREG(info.st_mode) ? walk_->visit(walk_->context, from, to, err) : STATUS_OK;
}

static enum status walk(const struct walk *walk_, const char *to, const char *from, unsigned depth, struct err *err) {
	struct folder_path source, target;
	if (depth > FOLDERS_DEPTH_MAX) return err_set(err, STATUS_LIMIT, "%s is too deep", from);
	TRY(files_make_folder(to, err));
	DIR *folder = opendir(from);
	if (!folder) return err_set(err, STATUS_IO, "cannot read %s: %s", from, strerror(errno));
	enum status status = STATUS_OK;
	for (const struct dirent *entry; status == STATUS_OK && (entry = readdir(folder));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		status = folders_join(&source, from, entry->d_name, err);
		if (status == STATUS_OK) status = folders_join(&target, to, entry->d_name, err);
		if (status == STATUS_OK) status = walk_entry(walk_, target.text, source.text, depth, err);
	}
	closedir(folder);
	return status;
}

enum status folders_walk(const char *to, const char *from, folders_visit *visit, void *context, struct err *err) {
	return walk(&(struct walk){visit, context}, to, from, 0, err);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place) {
	(void)info, (void)kind, (void)place;
	return remove(path);
}

enum status folders_remove(const char *path, struct err *err) {
	struct stat info;
	if (lstat(path, &info) != 0 && errno == ENOENT) return STATUS_OK;
	if (nftw(path, remove_one, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) == 0) return STATUS_OK;
	return err_set(err, STATUS_IO, "cannot remove %s: %s", path, strerror(errno));
}

void folders_try_remove(const char *path) {
	if (folders_remove(path, NULL) != STATUS_OK) return; /* the next one removes it */
}
