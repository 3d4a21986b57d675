/*
 * Subscriptions (FHIR R4 subscription.html, channel rest-hook): whoever wrote one is sent what is written later and
 * meets its criteria, as long as his rights allow him to read it.
 *
 * The index is the queue: a subscription keeps the place in the index up to which it was served, so that nothing is
 * lost by kill -9. A notification is sent at least once, and those of one subscription in the order of the writes; one
 * that fails is tried again with a pause that doubles, and holds up those behind it. After too many attempts, or if the
 * subscriber's rights have ended, the server writes a new version of the Subscription, whose status is error.
 *
 * What a subscription needs beside its resource (whose rights it has, how far it is) is a small sealed file in the
 * home's folder hooks/, ID.VERSION. It is written before the Subscription is, and counts if that version is current.
 *
 * Threads: any. At most FHIR_HOOKS_SENDERS workers send at once.
 */
#ifndef HEALTH_GATEWAY_FHIR_HOOKS_H
#define HEALTH_GATEWAY_FHIR_HOOKS_H

#include "health/gateway/fhir_commit.h"
#include "health/gateway/fhir_server.h"

#define FHIR_HOOKS_MAX 256u       /* active ones; those that are written at the same moment may be a few more */
#define FHIR_HOOKS_OF_ONE_MAX 64u /* of one asker, so that others have places too */
#define FHIR_HOOKS_SENDERS 2u
#define FHIR_HOOK_LEASE_MS                                                                                             \
	2678400000 /* 31 days: how long the rights of an issuer's token serve one that has no end                      \
		    */

struct fhir_hooks;
struct fhir_hooks *fhir_hooks_new(struct fhir_server *server);
void fhir_hooks_free(struct fhir_hooks *hooks); /* NULL is allowed; no worker runs any more */

/* Types of which something was written: one bit for each, which some share. */
#define FHIR_HOOKS_ALL_TYPES UINT64_MAX
uint64_t fhir_hooks_types(const struct fhir_commit *commit);
/* Gives what is due to workers. fhir_hooks_wake may be called at any time, fhir_hooks_step by the server's own duty. */
void fhir_hooks_wake(struct fhir_hooks *hooks, uint64_t types);
void fhir_hooks_step(struct fhir_hooks *hooks);

/* Is the Subscription one that this server can carry out for who asks? Adds what is wrong. Pure but for the clock. */
bool fhir_hook_check(
    struct fhir_server *server, struct fhir_issues *issues, const struct asker *asker, const struct json *subscription);
/* Sets the status that the server gives an accepted one: requested becomes active. */
void fhir_hook_activate(struct json_edit *edit, const struct json *subscription);
/* A version that is about to be committed: keeps whose rights it has. STATUS_LIMIT: there are FHIR_HOOKS_MAX, or
 * FHIR_HOOKS_OF_ONE_MAX of the asker. */
MUST_USE enum status fhir_hook_prepare(struct fhir_hooks *hooks, struct arena *arena, const struct asker *asker,
    const struct fhir_commit_change *change, struct err *err);
/* It was committed. */
void fhir_hook_take(struct fhir_hooks *hooks, const struct fhir_commit_change *change);

/* With which notifications are signed, for who wrote the Subscription: 64 hex digits. False: it is not his, or not
 * active. */
bool fhir_hook_secret(struct fhir_hooks *hooks, char out[65], struct bytes id, const struct asker *asker);

#endif
