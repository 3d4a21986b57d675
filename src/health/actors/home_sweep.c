#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "health/actors/home.h"

#define RANDOM_LEN 6u /* of mkostemps, in base/files.c */

static bool is_left(const char *name) {
	static const char suffix[] = ".part";
	const size_t len = strlen(name), end = sizeof suffix - 1;
	return len > RANDOM_LEN + 1 + end && strcmp(name + len - end, suffix) == 0 &&
	       name[len - end - RANDOM_LEN - 1] == '.';
}

static void sweep_folder(int folder, const char *name, unsigned levels) {
	struct stat info;
	const int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	if (!list) {
		if (fd >= 0) close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(list));) {
		if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
		if (S_ISDIR(info.st_mode) && levels) sweep_folder(fd, entry->d_name, levels - 1);
		if (S_ISREG(info.st_mode) && is_left(entry->d_name)) unlinkat(fd, entry->d_name, 0);
	}
	closedir(list);
}

void home_sweep(const struct home *home) {
	int lock;
	if (home_change_begin(home, &lock, NULL) != STATUS_OK) return;
	sweep_folder(AT_FDCWD, home->directory, 1);
	home_change_end(lock);
}
