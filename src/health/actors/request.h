/*
 * One request of an actor: what every action needs at once, that is its home, a chain and the world.
 */
#ifndef HEALTH_ACTORS_REQUEST_H
#define HEALTH_ACTORS_REQUEST_H

#include "health/actors/home.h"

struct actor_request {
	struct home *home;
	struct client *client;
	const struct clock_source *clock;
	const struct random_source *random;
	struct arena *arena; /* of the command */
};
/* Asks in the name of the home's account. */
struct blob_asker request_asker(const struct actor_request *request);
/* Sends as the home's account. A revert is STATUS_DENIED with the contract's reason in `err`. */
MUST_USE enum status request_transact(struct actor_request *request, struct client_receipt *receipt, const addr20 *to,
    struct bytes data, struct err *err);
/* A view that must succeed; a revert is STATUS_DENIED. */
MUST_USE enum status request_call(
    struct actor_request *request, struct bytes *output, const addr20 *to, struct bytes data, struct err *err);
/* Is the chain that answers the one of the deployment (chain id and genesis)? STATUS_DENIED otherwise. */
MUST_USE enum status request_check_chain(struct actor_request *request, struct err *err);

#endif
