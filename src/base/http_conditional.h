/*
 * Requests that depend on what a client has: entity tags, preconditions (RFC 9110 §13), one range of bytes (§14), and
 * which content codings a client takes (§12.5.3).
 *
 * An entity tag is written as in the field, quotes included: "\"7\"" or "W/\"7\"". What is malformed counts as the
 * RFC says: an If-Match matches nothing, other fields are as if absent. Threads: pure.
 */
#ifndef BASE_HTTP_CONDITIONAL_H
#define BASE_HTTP_CONDITIONAL_H

#include "base/http.h"

/* Does a list of entity tags, or "*", have this one? Strong: both must be strong; NULL: nothing is there to have one.
 */
bool http_etag_listed(struct bytes list, const char *etag, bool is_strong);

enum http_precondition {
	HTTP_PRECONDITION_MET,
	HTTP_PRECONDITION_NOT_MODIFIED, /* 304: a GET or HEAD of what the client has */
	HTTP_PRECONDITION_FAILED        /* 412 */
};
/* If-Match, then If-None-Match; `etag` is of what the request is about, NULL if there is nothing yet. */
enum http_precondition http_precondition_of(const struct http_request *request, const char *etag);

/*
 * Does the client have what was last modified at `at_ms`? If-Modified-Since of a GET or HEAD, which counts only without
 * an If-None-Match (RFC 9110 §13.1.3); a date of another form than IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT") is as
 * if absent.
 */
bool http_is_unmodified(const struct http_request *request, int64_t at_ms);

enum http_range_kind {
	HTTP_RANGE_WHOLE, /* 200: none, several, malformed, not a GET, or If-Range names another state */
	HTTP_RANGE_PART,  /* 206, with http_put_content_range */
	HTTP_RANGE_NONE   /* 416, with http_put_content_range: nothing of it is there */
};
struct http_range {
	enum http_range_kind kind;
	uint64_t first, len; /* bytes; for WHOLE all of them */
	uint64_t size;       /* of the whole */
};
/* Which bytes of `size` are asked for. `etag` may be NULL; then If-Range never holds. */
struct http_range http_range_of(const struct http_request *request, const char *etag, uint64_t size);
/* Content-Range of a PART or a NONE; otherwise nothing is added. */
void http_put_content_range(struct http_response *response, const struct http_range *range);

/* Which codings an answer may have. What is malformed in Accept-Encoding counts as a weight of 0. */
struct http_codings {
	bool gzip;     /* it is named, and identity is not named with a greater weight */
	bool identity; /* plain bytes are not refused ("identity;q=0", or "*;q=0" alone) */
};
struct http_codings http_codings_of(const struct http_request *request);

/* How the request's body is coded: Content-Encoding. */
enum http_body_coding { HTTP_BODY_PLAIN, HTTP_BODY_GZIP, HTTP_BODY_OTHER };
enum http_body_coding http_body_coding_of(const struct http_request *request);

#endif
