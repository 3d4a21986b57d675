#include "health/actors/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
	while ((got = read(fd, chunk, sizeof chunk)) > 0) buf_append(out, bytes_make(chunk, (size_t)got));
	mem_wipe(chunk, sizeof chunk);
	int saved = errno;
	close(fd);
	if (got < 0) return err_set(err, STATUS_IO, "cannot read %s: %s", path, strerror(saved));
	return buf_status(out, err);
}

static bool write_whole(int fd, struct bytes content) {
	while (content.len) {
		ssize_t written = write(fd, content.data, content.len);
		if (written < 0 && errno == EINTR) continue;
		if (written < 0) return false;
		content = bytes_slice(content, (size_t)written, content.len);
	}
	return fsync(fd) == 0;
}

/* The folder's entry is durable too. */
static bool sync_parent(const char *path) {
	char parent[4096];
	snprintf(parent, sizeof parent, "%s", path);
	char *slash = strrchr(parent, '/');
	if (slash) *slash = 0;
	int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0) close(fd);
	return synced;
}

enum status files_write(const char *path, struct bytes content, struct err *err) {
	char temporary[4096];
	if ((size_t)snprintf(temporary, sizeof temporary, "%s.part", path) >= sizeof temporary)
		return err_set(err, STATUS_LIMIT, "the path is too long: %s", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = fd >= 0 && write_whole(fd, content);
	int saved = errno;
	if (fd >= 0) close(fd);
	if (good && rename(temporary, path) == 0 && sync_parent(path)) return STATUS_OK;
	if (good) saved = errno;
	unlink(temporary);
	return err_set(err, STATUS_IO, "cannot write %s: %s", path, strerror(saved));
}
