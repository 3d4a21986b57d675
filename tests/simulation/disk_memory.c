#include "tests/simulation/disk.h"

#include "ledger/store/memory_disk.h"

struct sim_disk {
	struct memory_disk *memory;
	char path[MEMORY_DISK_PATH_BYTES];
};

struct sim_disk *sim_disk_new(void) {
	struct sim_disk *disk = mem_zalloc(1, sizeof *disk);
	disk->memory = memory_disk_new();
	memory_disk_path(disk->path, disk->memory);
	return disk;
}

void sim_disk_free(struct sim_disk *disk) {
	memory_disk_free(disk->memory);
	mem_free(disk);
}

const char *sim_disk_path(const struct sim_disk *disk) {
	return disk->path;
}

bool sim_disk_stop_next(struct sim_disk *disk, bool is_written) {
	if (is_written)
		memory_disk_cut_after(disk->memory, 0);
	else
		memory_disk_fail_after(disk->memory, 0);
	return true;
}

void sim_disk_mark(struct sim_disk *disk) {
	(void)disk; /* it knows by itself */
}

void sim_disk_freeze(struct sim_disk *disk) {
	(void)disk;
}

void sim_disk_crash(struct sim_disk *disk, bool power, struct sim_random *random) {
	const size_t unsynced = memory_disk_unsynced(disk->memory);
	memory_disk_crash(disk->memory, power ? sim_below(random, unsynced + 1) : unsynced);
}
