/*
 * What every action of an actor needs at once: its home, a chain, the world. Made by app/ for one command.
 */
#ifndef HEALTH_ACTORS_SESSION_H
#define HEALTH_ACTORS_SESSION_H

#include "health/actors/home.h"

struct session {
	struct home *home;
	struct client *client;
	const struct clock_source *clock;
	const struct random_source *random;
	struct arena *arena; /* of the command */
};
/* Asks in the name of the home's account. */
struct blob_asker session_asker(const struct session *session);
/* Sends as the home's account. A revert is STATUS_DENIED with the contract's reason in `err`. */
MUST_USE enum status session_transact(
    struct session *session, struct client_receipt *receipt, const addr20 *to, struct bytes data, struct err *err);
/* A view that must succeed; a revert is STATUS_DENIED. */
MUST_USE enum status session_call(
    struct session *session, struct bytes *output, const addr20 *to, struct bytes data, struct err *err);
/* Is the chain that answers the one of the deployment (chain id and genesis)? STATUS_DENIED otherwise. */
MUST_USE enum status session_check_chain(struct session *session, struct err *err);

#endif
