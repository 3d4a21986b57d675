#include "health/actors/home_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/files.h"

#define TRY_EVERY_MS 50u

static enum status open_lock(int *lock, const char *directory, const char *name, struct err *err) {
	char path[FILES_PATH_BYTES];
	if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path)
		return err_set(err, STATUS_LIMIT, "the path of the home is too long");
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return *lock >= 0 ? STATUS_OK : err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
}

/* 0: the holder has not written its pid yet. */
static long holder(int lock) {
	char text[24] = "";
	ssize_t len = pread(lock, text, sizeof text - 1, 0);
	return len > 0 ? strtol(text, NULL, 10) : 0;
}

static void write_holder(int lock) {
	char text[24];
	int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	/* Only for a message: if it is not written, the message lacks the pid. */
	if (ftruncate(lock, 0) == 0) (void)!pwrite(lock, text, (size_t)len, 0);
}

enum status home_lock(int *lock, const char *directory, const struct home_lock_wait *wait, struct err *err) {
	TRY(open_lock(lock, directory, "lock", err));
	const uint64_t begin_ns = clock_monotonic_ns(wait->clock);
	while (flock(*lock, LOCK_EX | LOCK_NB) != 0) {
		const bool is_held = errno == EWOULDBLOCK || errno == EINTR;
		if (is_held && clock_monotonic_ns(wait->clock) - begin_ns < (uint64_t)wait->wait_ms * 1000000) {
			wait->sleep_ms(wait->sleep_context, TRY_EVERY_MS);
			continue;
		}
		enum status status =
		    is_held ? err_set(err, STATUS_BUSY, "the home %s is in use by process %ld, which sends for it",
				  directory, holder(*lock))
			    : err_set(err, STATUS_IO, "cannot lock %s: %s", directory, strerror(errno));
		home_unlock(*lock);
		*lock = -1;
		return status;
	}
	write_holder(*lock);
	return STATUS_OK;
}

enum status home_files_lock(int *lock, const char *directory, enum home_files_use use, struct err *err) {
	TRY(open_lock(lock, directory, "files.lock", err));
	while (flock(*lock, use == HOME_FILES_ALONE ? LOCK_EX : LOCK_SH) != 0) {
		if (errno == EINTR) continue;
		enum status status = err_set(err, STATUS_IO, "cannot lock %s: %s", directory, strerror(errno));
		home_unlock(*lock);
		*lock = -1;
		return status;
	}
	return STATUS_OK;
}

void home_unlock(int lock) {
	if (lock >= 0) close(lock);
}
