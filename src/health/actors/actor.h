/*
 * An actor that lives: it opens a home once, owns its keys until it is closed (then they are wiped), and has the one
 * outbox of its account. A request borrows the actor and a client for one piece of work.
 *
 * Whoever sends holds the home's lock (home_lock.h) from the first use of the outbox until the actor is closed.
 * Commands wait for each other; for a service (an actor with `threads`) they wait shortly, and are then refused with
 * its pid. Reading takes no lock.
 *
 * Threads: with `threads`, actor_request_begin and _end may be called from any thread after actor_outbox; a request has
 * one owner.
 */
#ifndef HEALTH_ACTORS_ACTOR_H
#define HEALTH_ACTORS_ACTOR_H

#include "health/actors/request.h"
#include "health/chain/client_pool.h"

struct actor_options {
	const char *directory;
	struct bytes password;
	const struct home *unlocked; /* whose wallet is open already, instead of a password; or NULL */
	const char *rpc_url;         /* NULL: the deployment's */
	uint64_t chain_id; /* 0: each client asks its node at once; else no node is needed before it is used */
	const struct client_maker *clients;
	const struct clock_source *clock;
	const struct random_source *random;
	void (*sleep_ms)(void *context, uint32_t ms);
	void *sleep_context;
	const struct threads *threads; /* NULL: one thread calls everything, and the outbox works inside outbox_send */
	unsigned clients_max;          /* requests that have a client at once; 0: 16, or 1 without threads */
	uint32_t lock_wait_ms;         /* for a service that sends; 0: 10,000 */
	const struct progress *progress; /* hears of waiting for another program; NULL: nobody does */
};
/* STATUS_DENIED: the password does not open it. Asks no node. */
MUST_USE enum status actor_open(struct actor **out, const struct actor_options *options, struct err *err);
/* After all requests ended and outbox_run returned. NULL is allowed. */
void actor_close(struct actor *actor);
struct home *actor_home(const struct actor *actor);
/* Every request's client asks this keeper for logs (health/index gives it). Before requests begin; borrowed until the
 * actor is closed. */
void actor_keep_logs(struct actor *actor, const struct client_log_keeper *keeper);

/* Opens the outbox: takes the lock, reads the journal. Repeating it is free. A service calls it before it starts
 * threads, and lets one of them call outbox_run. STATUS_BUSY names the process that has the home. */
MUST_USE enum status actor_outbox(struct actor *actor, struct outbox **out, struct err *err);

/* What is believed of the chain, opened at the first call. STATUS_DENIED: the home trusts no deployment;
 * STATUS_CORRUPT: see heads_open. */
MUST_USE enum status actor_heads(struct actor *actor, struct heads **out, struct err *err);

/* `arena` is the caller's. `deadline_ms` by the clock's now_ms; 0: none. Without a node's URL its client is NULL. */
MUST_USE enum status actor_request_begin(
    struct actor *actor, struct actor_request *request, struct arena *arena, uint64_t deadline_ms, struct err *err);
/* A zeroed one is allowed. */
void actor_request_end(struct actor_request *request);

#endif
