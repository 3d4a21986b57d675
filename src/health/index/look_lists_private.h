/* What the files of the lists of looks share. */
#ifndef HEALTH_INDEX_LOOK_LISTS_PRIVATE_H
#define HEALTH_INDEX_LOOK_LISTS_PRIVATE_H

#include "health/index/db.h"
#include "health/index/look_lists.h"

struct look_lists_stand {
	struct look_lists_place place;
	uint64_t round;                                  /* of freezing, from 1 */
	struct look_lists_anchor newest, frozen, before; /* `newest`: the map as it is; its count is not used */
};
struct look_lists {
	char *path;
	struct db *db;
	const struct threads *threads;
	struct monitor *monitor;       /* around each use of `db` and `stand`; NULL: one thread */
	struct look_lists_stand stand; /* as the file has it */
};
void look_lists_lock(struct look_lists *lists);
void look_lists_unlock(struct look_lists *lists);
/* Inside a transaction. */
MUST_USE enum status look_lists_put_stand(
    struct look_lists *lists, const struct look_lists_stand *stand, struct err *err);

#endif
