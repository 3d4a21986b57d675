#include "health/actors/home_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"

#define TRY_EVERY_MS 50u
#define SERVICE "service"

static enum status open_lock(int *lock, const char *directory, const char *name, struct err *err) {
	char path[FILES_PATH_BYTES];
	if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path)
		return err_set(err, STATUS_LIMIT, "the path of the home is too long");
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return *lock >= 0 ? STATUS_OK : err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
}

struct holder {
	long pid; /* 0: it has not written it yet */
	bool is_service;
};

static struct holder read_holder(int lock) {
	char text[40] = "", word[8] = "";
	struct holder holder = {0};
	if (pread(lock, text, sizeof text - 1, 0) > 0) sscanf(text, "%ld %7s", &holder.pid, word);
	holder.is_service = strcmp(word, SERVICE) == 0;
	return holder;
}

static void write_holder(int lock, bool is_service) {
	char text[40];
	int len = snprintf(text, sizeof text, "%ld%s\n", (long)getpid(), is_service ? " " SERVICE : "");
	/* Only for those who wait: if it is not written, they wait for a holder that does not say who it is. */
	if (ftruncate(lock, 0) == 0) (void)!pwrite(lock, text, (size_t)len, 0);
}

/* How long a caller has waited for the same holder. */
struct patience {
	const struct home_lock_wait *wait;
	struct holder holder;
	uint64_t since_ns;
	bool is_told;
};

static bool is_exhausted(struct patience *patience, int lock) {
	const struct holder holder = read_holder(lock);
	const uint64_t now_ns = clock_monotonic_ns(patience->wait->clock);
	if (holder.pid != patience->holder.pid) {
		patience->holder = holder;
		patience->since_ns = now_ns;
	}
	const bool is_long = now_ns - patience->since_ns >= (uint64_t)patience->wait->wait_ms * 1000000;
	const bool ends_by_itself = holder.pid && !holder.is_service && !patience->wait->is_service;
	if (is_long && ends_by_itself && !patience->is_told) {
		const struct log_field fields[] = {LOG_NUMBER("process", (uint64_t)holder.pid)};
		log_event(&(struct log_event){
		    LOG_INFO, "home", "waiting for another command that sends for this home", fields, 1});
		patience->is_told = true;
	}
	return is_long && !ends_by_itself;
}

enum status home_lock(int *lock, const char *directory, const struct home_lock_wait *wait, struct err *err) {
	struct patience patience = {.wait = wait, .since_ns = clock_monotonic_ns(wait->clock)};
	enum status status = STATUS_OK;
	TRY(open_lock(lock, directory, "lock", err));
	while (status == STATUS_OK && flock(*lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			status = err_set(err, STATUS_IO, "cannot lock %s: %s", directory, strerror(errno));
		} else if (is_exhausted(&patience, *lock)) {
			status = err_set(err, STATUS_BUSY, "the home %s is in use by %s %ld, which sends for it",
			    directory, patience.holder.is_service ? "the service with process" : "process",
			    patience.holder.pid);
		} else {
			progress_at(wait->progress, "waiting for another command that sends for this home", 0, 0);
			wait->sleep_ms(wait->sleep_context, TRY_EVERY_MS);
		}
	}
	if (status == STATUS_OK) {
		write_holder(*lock, wait->is_service);
		return STATUS_OK;
	}
	home_unlock(*lock);
	*lock = -1;
	return status;
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
