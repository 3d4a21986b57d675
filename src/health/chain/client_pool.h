/*
 * Clients of one node for several threads: a client serves one thread at a time, so a request borrows one.
 * Threads: with `threads`, client_pool_borrow and _return may be called from any thread.
 */
#ifndef HEALTH_CHAIN_CLIENT_POOL_H
#define HEALTH_CHAIN_CLIENT_POOL_H

#include "base/threads.h"
#include "health/chain/client.h"

/* Makes HTTP clients; app/ gives net's. */
struct client_maker {
	MUST_USE enum status (*open)(void *context, struct http_client *out, struct err *err);
	void (*close)(void *context, struct http_client *client); /* a zeroed one is allowed */
	void *context;
};

struct client_pool_options {
	const char *url;
	const struct client_maker *maker;
	const struct clock_source *clock;
	void (*sleep_ms)(void *context, uint32_t ms);
	void *sleep_context;
	const struct threads *threads; /* NULL: one thread */
	unsigned max;                  /* clients at once, at least 1 */
	uint64_t chain_id;             /* of client_options */
};
struct client_pool;

/* Asks no node; options are copied, what they point to is borrowed. */
struct client_pool *client_pool_new(const struct client_pool_options *options);
/* After all clients were returned. NULL is allowed. */
void client_pool_free(struct client_pool *pool);
/* Waits for a free one until `deadline_ms` by the clock (0: without end). STATUS_TIMEOUT: none became free. STATUS_IO:
 * the node does not answer. */
MUST_USE enum status client_pool_borrow(
    struct client_pool *pool, struct client **out, uint64_t deadline_ms, struct err *err);
void client_pool_return(struct client_pool *pool, struct client *client);

#endif
