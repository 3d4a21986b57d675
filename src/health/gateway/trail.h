/*
 * The trail of a gateway: who asked for what, when, for which purpose, and how it ended. It holds no content: of a
 * search the names of its parameters, of a resource its type, id and version.
 *
 * It is a chain of files in the home's folder trail/, sealed under a key of the home's wallet, to which entries are
 * only added (docs/wire-formats.md §12). An entry is in its file before its answer leaves, so that kill -9 takes none
 * away; trail_sync makes them durable, many at once. A file has TRAIL_FILE_BYTES, which are taken from the disk when it
 * is begun: while the last TRAIL_RESERVE_BYTES are not to be had, trail_is_ready says no, and what is asked meanwhile
 * still has its place.
 *
 * Threads: any.
 */
#ifndef HEALTH_GATEWAY_TRAIL_H
#define HEALTH_GATEWAY_TRAIL_H

#include "base/threads.h"
#include "health/actors/home.h"
#include "health/gateway/asker.h"
#include "health/index/look_lists.h"

#define TRAIL_FILE_BYTES ((size_t)16 << 20)
#define TRAIL_RESERVE_BYTES ((size_t)4 << 20)
#define TRAIL_ENTRY_MAX ((size_t)8 << 10) /* sealed; its texts are cut to fit */
#define TRAIL_FOLDERS_MAX 32u             /* of one entry */

struct trail_entry {
	uint64_t at_ms;
	const struct asker *asker;
	struct bytes request; /* its id */
	const char *method;
	struct bytes what; /* "/fhir/Patient/1" and, behind '?', names of parameters */
	struct bytes made; /* where a new version is: the answer's Location [empty] */
	int status;        /* of the answer */
	/* Whose content the answer shows, or would have shown. `names_first`: the path names what is in the first. */
	const hash32 *folders;
	size_t folder_count; /* at most TRAIL_FOLDERS_MAX */
	bool names_first;
};

struct trail;
struct trail_options {
	const struct home *home;
	const struct random_source *random;
	const struct threads *threads; /* [NULL: one thread] */
};
/* All borrowed, the home until it returns. STATUS_CORRUPT: the newest file is not this home's trail. What a crash left
 * half written is cut off. */
MUST_USE enum status trail_open(struct trail **out, const struct trail_options *options, struct err *err);
void trail_close(struct trail *trail); /* NULL is allowed */
void trail_add(struct trail *trail, const struct trail_entry *entry);
/* May something be asked? No: the disk has no room for the trail, or does not take it. */
bool trail_is_ready(struct trail *trail);
/* What was added is durable after it, and a disk that was full is tried again. A service calls it ever so often. */
void trail_sync(struct trail *trail);

struct trail_counts {
	uint64_t added, lost; /* lost: the disk did not take them */
};
struct trail_counts trail_counts(struct trail *trail);
/* Entries of all its files. */
uint64_t trail_count(struct trail *trail);

/* --- following: what was added, in order, while it grows --- */

struct trail_seen {
	uint64_t n; /* its number, from 1 */
	struct bytes entry;
	const uint8_t *key; /* 32 bytes, of its file */
};
/* Each entry behind the place, at most `max` of them; the place moves on. STATUS_CORRUPT: the place is not this
 * trail's, or the chain does not hold. */
MUST_USE enum status trail_follow(struct trail *trail, struct look_lists_place *place, size_t max,
    void (*visit)(void *context, const struct trail_seen *seen), void *context, struct err *err);

/* --- reading --- */

/* Each entry in turn, as JSON; false ends the reading. `file` is the number of its file, `n` its own from 1. */
typedef bool trail_visit(void *context, uint32_t file, uint64_t n, struct bytes entry);
struct trail_found {
	uint64_t count; /* entries of the files that are there */
	uint32_t first_file, last_file;
	hash32 head; /* of the chain, after the newest entry */
};
/*
 * Reads and checks all files from the oldest that is there. STATUS_CORRUPT names the file whose chain or seal does not
 * hold; entries before it were shown. A trail that was cut at its end is not noticed by the chain alone: compare `head`
 * with one that was kept elsewhere. No entry at all: STATUS_OK.
 */
MUST_USE enum status trail_read(
    const struct home *home, struct trail_found *found, trail_visit *visit, void *context, struct err *err);

#endif
