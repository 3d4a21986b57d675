/*
 * A twin of store.h in memory, for tests and simulations: it answers as RocksDB does, and it can fail and lose what was
 * not synced. A program takes it by compiling store_memory.c among its own sources; it then stands before the library.
 *
 * A disk outlives the stores that are opened on it. What a durable commit wrote survives every crash; of the commits
 * after it a crash keeps as many as the caller says, in their order, whole (as the write-ahead log does).
 *
 * Threads: the disk's own functions belong to one thread, while no store is in use by others.
 */
#ifndef LEDGER_STORE_MEMORY_DISK_H
#define LEDGER_STORE_MEMORY_DISK_H

#include "ledger/store/store.h"

struct memory_disk;
struct memory_disk *memory_disk_new(void);
/* After its store was closed. */
void memory_disk_free(struct memory_disk *disk);
/* The directory to give to store_open. */
#define MEMORY_DISK_PATH_BYTES 40
void memory_disk_path(char path[MEMORY_DISK_PATH_BYTES], const struct memory_disk *disk);

/* The commit after `commits` more, and every one after it, gives STATUS_IO and writes nothing; UINT64_MAX: none does.
 */
void memory_disk_fail_after(struct memory_disk *disk, uint64_t commits);
/* The same, but the first commit that fails was written and not synced: the next crash may keep it. */
void memory_disk_cut_after(struct memory_disk *disk, uint64_t commits);
/* Commits that the next crash may lose. */
size_t memory_disk_unsynced(const struct memory_disk *disk);
/* Power is lost: all but the first `keep` of the unsynced commits is gone, and failing ends. The store on it must be
 * closed first, which syncs nothing here. */
void memory_disk_crash(struct memory_disk *disk, size_t keep);

#endif
