/* What the files of health/index share. */
#ifndef HEALTH_INDEX_INDEX_PRIVATE_H
#define HEALTH_INDEX_INDEX_PRIVATE_H

#include "health/chain/follow.h"
#include "health/index/db.h"
#include "health/index/index.h"

struct index {
	const struct home *home;
	char *path;
	const struct threads *threads;
	struct monitor *monitor; /* held around each use of `db`; NULL: one thread */
	struct db *db;           /* NULL until the first question */
	unsigned openings;       /* of the file: what was read before the last one is of another file */
	struct client_log_keeper keeper;
	const struct progress *progress; /* NULL: nobody hears how the index fills */
};

void index_lock(struct index *index);
void index_unlock(struct index *index);
/* index.c, and the lock is held: opens the file where that was not done, or makes it anew. */
MUST_USE enum status index_open(struct index *index, struct err *err);
/* After a failure: was the file found damaged? Then it is gone, the next index_open makes a new one, and the caller may
 * try once more. */
bool index_gave_up(struct index *index);

#endif
