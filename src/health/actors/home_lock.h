/*
 * Two locks on a home, both of the kernel (flock), so that a program that dies gives them back:
 *	HOME/lock        who sends: held as long as an outbox is open; the file names the pid, and says "service"
 *	                 behind it if that program runs until it is stopped
 *	HOME/files.lock  who changes files: shared to write one, alone to read and then write, and for a backup
 * Reading takes neither, since every file is written whole. Threads: any; each lock is its own.
 */
#ifndef HEALTH_ACTORS_HOME_LOCK_H
#define HEALTH_ACTORS_HOME_LOCK_H

#include "base/world.h"

struct home_lock_wait {
	bool is_service;  /* the caller is one */
	uint32_t wait_ms; /* for a holder that is a service, or that does not say who it is; a service's for any */
	const struct clock_source *clock;
	void (*sleep_ms)(void *context, uint32_t ms);
	void *sleep_context;
	const struct progress *progress; /* hears that it waits; NULL: nobody does */
};
/*
 * A command ends by itself, so that commands wait for each other as long as it takes: several packaging lines send
 * through one home at once. STATUS_BUSY: another program has it still, and which. `*lock` is for home_unlock.
 */
MUST_USE enum status home_lock(int *lock, const char *directory, const struct home_lock_wait *wait, struct err *err);
/* Waits without end: a change is short. */
enum home_files_use { HOME_FILES_WRITE, HOME_FILES_ALONE };
MUST_USE enum status home_files_lock(int *lock, const char *directory, enum home_files_use use, struct err *err);
void home_unlock(int lock); /* below 0: nothing */

#endif
