/*
 * The texts of a request's target: percent-encoding (RFC 3986 §2.1) and queries (WHATWG's
 * application/x-www-form-urlencoded, which is what clients write after '?').
 *
 * Strict: an escape is '%' and two hex digits; what comes out is UTF-8 without control characters, else the text is
 * refused. Threads: pure.
 */
#ifndef BASE_HTTP_URI_H
#define BASE_HTTP_URI_H

#include "base/mem.h"

/* Appends the decoded text; `plus_is_space` as in queries. False: the text is malformed, or `out` is full. */
MUST_USE bool http_percent_decode(struct buf *out, struct bytes text, bool plus_is_space);
/* Appends a path segment or a query's name or value, everything but RFC 3986's unreserved characters escaped. */
void http_percent_encode(struct buf *out, struct bytes text);

/* One parameter of a query, decoded. A parameter without '=' has an empty value with NULL data. */
struct http_query_item {
	struct bytes name;
	struct bytes value;
};
struct http_query {
	struct http_query_item *items; /* in the query's order; names may repeat */
	size_t count;
};
#define HTTP_QUERY_ITEMS_MAX 1000u
/*
 * Decodes a query or a form's body into the arena. Empty pieces ("a&&b") are skipped; a piece without a name is
 * refused. STATUS_INVALID: malformed; STATUS_LIMIT: over HTTP_QUERY_ITEMS_MAX.
 */
MUST_USE enum status http_query_parse(struct http_query *out, struct arena *arena, struct bytes query, struct err *err);
/* The first value of that name, or an empty view with NULL data. */
struct bytes http_query_get(const struct http_query *query, const char *name);

/* Where a server can be asked: "http://[::1]:8545", IPv6 addresses in brackets (RFC 3986 §3.2.2). */
void http_origin_write(struct buf *out, bool is_tls, const char *address, uint16_t port);

#endif
