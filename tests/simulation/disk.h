/*
 * The disk of a simulated machine, over the store's twin in memory (disk_memory.c) or over RocksDB (disk_rocks.c): a
 * program is linked with one of them. Threads: one.
 */
#ifndef TESTS_SIMULATION_DISK_H
#define TESTS_SIMULATION_DISK_H

#include "tests/simulation/random.h"

struct sim_disk;
struct sim_disk *sim_disk_new(void);
/* After its store was closed. */
void sim_disk_free(struct sim_disk *disk);
/* The directory to give to store_open. */
const char *sim_disk_path(const struct sim_disk *disk);
/* The machine stops in the next commit; `is_written`: it may be there after the crash. True: the commit will fail.
 * RocksDB's succeeds all the same, and a loss of power may take it. */
bool sim_disk_stop_next(struct sim_disk *disk, bool is_written);
/* Whatever durable commit has returned by now must survive: called after each one that did. */
void sim_disk_mark(struct sim_disk *disk);
/* The machine stops: first this, then the store is closed, then sim_disk_crash. */
void sim_disk_freeze(struct sim_disk *disk);
/* `power`: what was not synced may be lost. Otherwise only the process died. */
void sim_disk_crash(struct sim_disk *disk, bool power, struct sim_random *random);

#endif
