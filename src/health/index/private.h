/* What the files of health/index share. */
#ifndef HEALTH_INDEX_PRIVATE_H
#define HEALTH_INDEX_PRIVATE_H

#include "health/chain/follow.h"
#include "health/index/db.h"
#include "health/index/index.h"

struct index {
	const struct home *home;
	char *path;
	struct db *db;      /* NULL until the first question */
	int64_t generation; /* how often the file was unwound, when this program last looked */
	struct client_log_keeper keeper;
};

/* index.c: opens the file where that was not done, or makes it anew. */
MUST_USE enum status index_open(struct index *index, struct err *err);
/* After a failure: was the file found damaged? Then it is gone, the next index_open makes a new one, and the caller may
 * try once more. */
bool index_gave_up(struct index *index);

#endif
