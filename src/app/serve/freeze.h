/*
 * A node's folder as it is at one moment, beside the node's work: `backup-frozen` inside the folder itself, where files
 * that never change again are linked, and others are copied. The database is a checkpoint; CometBFT stands still while
 * its files are copied, so that they are what a crash would leave; blobs and the pool's journal come after the
 * database, as after a crash, too. Keys are not in it.
 *
 * A program that wants one makes the file `backup-wanted`. The node that has the folder sees it within a second, and
 * leaves `backup-frozen`, or `backup-failed` with the reason.
 *
 * Threads: freeze_serve on one thread of the node.
 */
#ifndef APP_SERVE_FREEZE_H
#define APP_SERVE_FREEZE_H

#include "app/serve/consortium.h"
#include "ledger/store/store.h"

#define FREEZE_WANTED "backup-wanted"
#define FREEZE_FROZEN "backup-frozen"
#define FREEZE_FAILED "backup-failed"

struct freeze_source {
	const char *data;
	struct store *store;
	const char *comet_home;        /* NULL: none */
	struct consortium *consortium; /* whose CometBFT stands still meanwhile; NULL: none runs */
};

/* What an earlier one left is removed first. */
MUST_USE enum status freeze_make(const struct freeze_source *source, struct err *err);
/* Does what is wanted, if anything is. Failures are logged. */
void freeze_serve(const struct freeze_source *source);

#endif
