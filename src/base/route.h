/*
 * Tables of routes: which handler answers which method and path, and what such a request may cost. Facts are rows: a
 * room offers a table, app/ puts tables together into a router, which is an http_service, and the documentation is
 * made from the same rows.
 *
 * A path is "/" or segments: text, "{name}" for one segment that is not empty, or at the end "{name*}" for all the
 * rest, which may be empty. Text wins over a name, segment by segment from the left. Handlers read names by
 * route_param, percent-decoded (http_uri.h).
 *
 * The router answers by itself, before the body is read: 404 (no such path), 405 with Allow, 400 (malformed escapes),
 * 415 (the body's type or coding), 406 (the client refuses every coding that the answer may have); OPTIONS; HEAD is its
 * GET without the body.
 *
 * Threads: a router is made by one thread; its service may be called from any.
 */
#ifndef BASE_ROUTE_H
#define BASE_ROUTE_H

#include "base/workers.h"

struct route {
	enum http_method method;
	const char *path;
	http_handler *handle;
	const char *doc;           /* one line: what it does */
	const char *accepts;       /* media types of the body with ", " between; others: 415 [NULL: any] */
	struct http_limits limits; /* without the counters, which the router has */
	unsigned gzip;             /* enum http_gzip: what may be compressed */
	bool waits;                /* the handler blocks: a worker calls it */
	http_handler *begin;       /* before the body: may set the exchange's sink, or refuse by a status [NULL] */
	http_foreseer *foresee;    /* [NULL] */
};

/* A row: ROUTE(HTTP_GET, "/things/{id}", handle_thing, "one thing", .waits = true) */
#define ROUTE(method_, path_, handle_, doc_, ...)                                                                      \
	{ .method = method_, .path = path_, .handle = handle_, .doc = doc_, ##__VA_ARGS__ }

struct route_table {
	const struct route *rows;
	size_t count;
	void *context; /* of the handlers */
};

struct router;
/* `workers` may be NULL if no row waits. Rows and workers must outlive it. Two rows of one method and path are a bug.
 */
struct router *router_new(const struct route_table *tables, size_t table_count, const struct workers *workers);
/* Rows of this table that wait have workers of their own from now on. Before the router serves. */
void router_set_workers(struct router *router, const struct route_table *table, const struct workers *workers);
/* When no exchange has one of its routes any more, deferred ones included. NULL is allowed. */
void router_free(struct router *router);
struct http_service router_service(struct router *router);

/* The decoded part of the path that "{name}" stood for; a name that the route does not have is a bug. */
struct bytes route_param(const struct http_exchange *exchange, const char *name);

/* The path of the row that a request was given to, a text of the table; NULL: no row served it. */
const char *router_path(const struct http_exchange *exchange);

/* Does a Content-Type name one of the media types in the list? Its parameters and case do not count. */
bool route_accepts(const char *types, struct bytes content_type);

#endif
