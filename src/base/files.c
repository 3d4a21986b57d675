#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum status files_make_folder(const char *path, struct err *err) {
	if (mkdir(path, 0700) == 0 || errno == EEXIST) return STATUS_OK;
	return err_set(err, STATUS_IO, "cannot make %s: %s", path, strerror(errno));
}

bool files_exists(const char *path) {
	return access(path, F_OK) == 0;
}

enum status files_read(struct buf *out, const char *path, struct err *err) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		enum status status = errno == ENOENT ? STATUS_NOTFOUND : STATUS_IO;
		return err_set(err, status, "cannot read %s: %s", path, strerror(errno));
	}
	uint8_t chunk[1 << 14];
	ssize_t got;
	while ((got = read(fd, chunk, sizeof chunk)) > 0 && !out->overflow)
		buf_append(out, bytes_make(chunk, (size_t)got));
	mem_wipe(chunk, sizeof chunk);
	int saved = errno;
	close(fd);
	if (got < 0) return err_set(err, STATUS_IO, "cannot read %s: %s", path, strerror(saved));
	if (out->overflow) return err_set(err, STATUS_LIMIT, "%s is larger than %zu bytes", path, out->max);
	return STATUS_OK;
}

enum status files_write_fd(int fd, struct bytes content, const char *path, struct err *err) {
	while (content.len) {
		ssize_t written = write(fd, content.data, content.len);
		if (written < 0 && errno == EINTR) continue;
		if (written < 0) return err_set(err, STATUS_IO, "cannot write %s: %s", path, strerror(errno));
		content = bytes_slice(content, (size_t)written, content.len);
	}
	return STATUS_OK;
}

enum status files_sync_parent(const char *path, struct err *err) {
	char parent[FILES_PATH_BYTES];
	snprintf(parent, sizeof parent, "%s", path);
	char *slash = strrchr(parent, '/');
	if (slash) slash[slash == parent] = 0;
	int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;
	int saved = errno;
	if (fd >= 0) close(fd);
	return synced ? STATUS_OK : err_set(err, STATUS_IO, "cannot sync the folder of %s: %s", path, strerror(saved));
}

/* --- in pieces --- */

static enum status cannot(const struct files_out *out, const char *what, struct err *err) {
	return err_set(err, STATUS_IO, "cannot %s %s: %s", what, out->path, strerror(errno));
}

/* The path behind symbolic links; the path itself if nothing is there yet. */
static enum status resolve(struct files_out *out, const char *path, struct err *err) {
	char *real = realpath(path, NULL);
	size_t len = (size_t)snprintf(out->path, sizeof out->path, "%s", real ? real : path);
	free(real);
	return len < sizeof out->path ? STATUS_OK : err_set(err, STATUS_LIMIT, "the path is too long: %s", path);
}

enum status files_begin(struct files_out *out, const char *path, struct err *err) {
	static const char suffix[] = ".part";
	struct stat info;
	out->fd = -1;
	out->temporary[0] = 0;
	TRY(resolve(out, path, err));
	if (stat(out->path, &info) == 0 && !S_ISREG(info.st_mode)) {
		out->fd = open(out->path, O_WRONLY | O_CLOEXEC);
		return out->fd >= 0 ? STATUS_OK : cannot(out, "write", err);
	}
	size_t len = (size_t)snprintf(out->temporary, sizeof out->temporary, "%s.XXXXXX%s", out->path, suffix);
	if (len >= sizeof out->temporary) return err_set(err, STATUS_LIMIT, "the path is too long: %s", path);
	out->fd = mkostemps(out->temporary, sizeof suffix - 1, O_CLOEXEC);
	return out->fd >= 0 ? STATUS_OK : cannot(out, "create", err);
}

enum status files_append(struct files_out *out, struct bytes content, struct err *err) {
	return files_write_fd(out->fd, content, out->path, err);
}

void files_abandon(struct files_out *out) {
	if (out->fd < 0) return;
	close(out->fd);
	out->fd = -1;
	if (out->temporary[0]) unlink(out->temporary);
}

enum status files_finish(struct files_out *out, struct err *err) {
	/* A pipe or a terminal has nothing to sync. */
	bool good = fsync(out->fd) == 0 || (!out->temporary[0] && (errno == EINVAL || errno == EROFS));
	if (!good) {
		enum status status = cannot(out, "write", err);
		files_abandon(out);
		return status;
	}
	good = close(out->fd) == 0;
	out->fd = -1;
	if (!out->temporary[0]) return good ? STATUS_OK : cannot(out, "write", err);
	if (good && rename(out->temporary, out->path) == 0) return files_sync_parent(out->path, err);
	enum status status = cannot(out, "write", err);
	unlink(out->temporary);
	return status;
}

enum status files_write(const char *path, struct bytes content, struct err *err) {
	struct files_out out;
	TRY(files_begin(&out, path, err));
	enum status status = files_append(&out, content, err);
	if (status == STATUS_OK) return files_finish(&out, err);
	files_abandon(&out);
	return status;
}
