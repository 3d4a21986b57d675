/*
 * RocksDB's folder as it is at the moment of a crash: a copy, made while the database is open. What a process wrote
 * survives its death; a loss of power cuts the log behind the last sync, at any byte.
 */
#include "tests/simulation/disk.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { PATH_BYTES = 128, NAME_BYTES = 64, TRIES = 100 };

struct log_file {
	unsigned long number; /* of NUMBER.log; 0: there is none */
	off_t size;
};
struct sim_disk {
	char folder[PATH_BYTES], path[PATH_BYTES]; /* path: the database's, within */
	unsigned generation;
	struct log_file synced, frozen;
};

static void database_path(char out[PATH_BYTES], const struct sim_disk *disk, unsigned generation) {
	BUG_ON(snprintf(out, PATH_BYTES, "%.80s/%u", disk->folder, generation) >= PATH_BYTES);
}

struct sim_disk *sim_disk_new(void) {
	struct sim_disk *disk = mem_zalloc(1, sizeof *disk);
	snprintf(disk->folder, sizeof disk->folder, "/dev/shm/xinglin-sim-XXXXXX");
	BUG_ON(mkdtemp(disk->folder) == NULL);
	database_path(disk->path, disk, 0);
	return disk;
}

static void remove_folder(const char *path) {
	char command[PATH_BYTES + 16];
	snprintf(command, sizeof command, "rm -rf -- '%s'", path);
	BUG_ON(system(command) != 0);
}

void sim_disk_free(struct sim_disk *disk) {
	remove_folder(disk->folder);
	mem_free(disk);
}

const char *sim_disk_path(const struct sim_disk *disk) {
	return disk->path;
}

bool sim_disk_stop_next(struct sim_disk *disk, bool is_written) {
	(void)disk, (void)is_written;
	return false;
}

/* The newest log: the only one that is written to. */
static struct log_file newest_log(const char *path) {
	struct log_file found = {0};
	DIR *folder = opendir(path);
	BUG_ON(folder == NULL);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		char *end;
		const unsigned long number = strtoul(entry->d_name, &end, 10);
		char file[PATH_BYTES + NAME_BYTES];
		struct stat is;
		if (number < found.number || strcmp(end, ".log") != 0) continue;
		snprintf(file, sizeof file, "%s/%.63s", path, entry->d_name);
		BUG_ON(stat(file, &is) != 0);
		found = (struct log_file){number, is.st_size};
	}
	closedir(folder);
	return found;
}

void sim_disk_mark(struct sim_disk *disk) {
	disk->synced = newest_log(disk->path);
}

/* Of the names and sizes of everything but RocksDB's own log: while that stays the same, no table came or went. */
static uint64_t digest_of(const char *path) {
	uint64_t digest = 0;
	DIR *folder = opendir(path);
	BUG_ON(folder == NULL);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		char file[PATH_BYTES + NAME_BYTES];
		struct stat is;
		struct sim_random name = {0};
		snprintf(file, sizeof file, "%s/%.63s", path, entry->d_name);
		if (strncmp(entry->d_name, "LOG", 3) == 0 || stat(file, &is) != 0) continue;
		for (const char *c = entry->d_name; *c != 0; c++) name.state = sim_any(&name) + (uint8_t)*c;
		name.state += (uint64_t)is.st_size;
		digest += sim_any(&name);
	}
	closedir(folder);
	return digest;
}

static bool copy_folder(const char *from, const char *to) {
	char command[4 * PATH_BYTES];
	const uint64_t before = digest_of(from);
	remove_folder(to);
	snprintf(command, sizeof command, "cp -a '%s' '%s' 2>/dev/null && rm -f '%s'/LOG*", from, to, to);
	return system(command) == 0 && digest_of(from) == before;
}

void sim_disk_freeze(struct sim_disk *disk) {
	char next[PATH_BYTES];
	int tries = 0;
	database_path(next, disk, disk->generation + 1);
	while (!copy_folder(disk->path, next)) BUG_ON(++tries == TRIES);
	disk->frozen = newest_log(next);
}

void sim_disk_crash(struct sim_disk *disk, bool power, struct sim_random *random) {
	char log[PATH_BYTES + NAME_BYTES];
	remove_folder(disk->path);
	database_path(disk->path, disk, ++disk->generation);
	const off_t kept = disk->synced.number == disk->frozen.number ? disk->synced.size : 0;
	if (power && disk->frozen.number != 0) {
		snprintf(log, sizeof log, "%s/%06lu.log", disk->path, disk->frozen.number);
		const off_t size = kept + (off_t)sim_below(random, (uint64_t)(disk->frozen.size - kept) + 1);
		BUG_ON(truncate(log, size) != 0);
	}
	disk->synced = (struct log_file){0};
}
