/*
 * A home in one file: sealed under the wallet's password, authenticated from end to end (docs/wire-formats.md §11).
 *
 * A backup may be made while another program uses the home: no file changes while it reads. What can be made anew from
 * the chain (the index) is left out. A restored home goes on as a new one: its outbox sends what was signed as it was
 * signed and nothing else (health/chain/outbox.h), and it asks the chain which folders' keys are in use before it makes
 * one (the mark HOME_RESTORED). Threads: one owner. Source: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015).
 */
#ifndef HEALTH_ACTORS_BACKUP_H
#define HEALTH_ACTORS_BACKUP_H

#include "envelope/keystore.h"
#include "health/actors/home.h"

struct backup_report {
	size_t files;
	uint64_t bytes;                     /* of their contents */
	size_t outbox_kept, outbox_dropped; /* of a restored outbox: goes on as signed; may be on the chain already */
};
/* Writes `path` whole. STATUS_IO. */
MUST_USE enum status backup_make(struct backup_report *report, const struct home *home, const char *path,
    struct bytes password, const struct keystore_cost *cost, const struct random_source *random, struct err *err);
/*
 * Makes the home `directory`, which is not there or empty (STATUS_EXISTS otherwise); on failure it is as before.
 * STATUS_DENIED: wrong password. STATUS_CORRUPT: changed, or cut short. STATUS_INVALID: not such a file.
 */
MUST_USE enum status backup_restore(struct backup_report *report, const char *directory, const char *path,
    struct bytes password, const struct random_source *random, struct err *err);

#endif
