/*
 * What owes a folder a new key: whoever had the present one, or a share of it, and lost the right to it since. The
 * chain marks some of it (rotationOwed); ends that come by themselves, of a grant or of a licence, it cannot mark.
 *
 * Ownership: the request's arena. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_OWED_H
#define HEALTH_CONSENT_OWED_H

#include "health/records/folder.h"

enum owed_why {
	OWED_GRANT_ENDED,   /* its last day is over */
	OWED_GRANT_REVOKED, /* or replaced by one that does not read */
	OWED_LICENCE_ENDED, /* the directory lists the reader, or the trustee, as active no more */
	OWED_KEY_STOLEN,    /* the reader's, or the trustee's, to which the present one may be wrapped */
	OWED_EMERGENCY,     /* `review` */
	OWED_HAND_OVER,     /* the controller before knows the key */
	OWED_MARKED,        /* the chain says so, for a reason that is none of these */
	OWED_WHY_COUNT,
};
struct owed {
	enum owed_why why;
	addr20 who;
	uint64_t review;
};
const char *owed_why_name(enum owed_why why); /* "grant-ended", … */
/* Proved, of the newest epoch; none: nothing is owed. Of emergencies, those among the newest 1,000 looks. */
MUST_USE enum status owed_find(
    struct actor_request *request, struct owed **out, size_t *count, const struct folder *folder, struct err *err);

#endif
