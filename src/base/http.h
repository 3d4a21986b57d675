/*
 * HTTP as interfaces: what a handler is given and answers (server side), and what a client can ask. net/ implements
 * them and decides nothing; only app/ wires the two (RFC 9110; no TLS or connection detail shows here).
 *
 * Ownership: everything in a request is a view that is valid during the handler's call. A response's buffers belong to
 * the caller of the handler, which init-ed them. Threads: a server may call its handler from several threads at once; a
 * client may be used by one thread at a time.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/mem.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_METHOD_OTHER };

#define HTTP_HEADER_MAX 32

struct http_header {
	struct bytes name; /* lower case */
	struct bytes value;
};

struct http_request {
	enum http_method method;
	struct bytes path;  /* "/blobs/…", percent-encoding untouched, no query */
	struct bytes query; /* after '?', or empty */
	struct http_header headers[HTTP_HEADER_MAX];
	size_t header_count;
	struct bytes body;
};

struct http_response {
	int status;               /* 200 … */
	const char *content_type; /* static text; NULL: none */
	struct buf body;
	struct buf headers; /* further "Name: value\r\n" lines, or empty */
};

typedef void http_handler(void *context, const struct http_request *request, struct http_response *response);

/*
 * What a server may ask before it calls the handler, once a request: it may be worth doing together with others that
 * are at hand. True: the server shows the others first and calls the handler then.
 */
typedef bool http_foreseer(void *context, const struct http_request *request);

/* The value of a header, or an empty view with NULL data where it is absent. `name` is lower case. */
struct bytes http_header_get(const struct http_request *request, const char *name);

struct http_client {
	/*
	 * One exchange. `url` is absolute; `headers` further "Name: value" lines, NULL-terminated, or NULL. On
	 * STATUS_OK the response holds any HTTP status; other statuses mean that no answer came (IO, TIMEOUT, LIMIT).
	 */
	MUST_USE enum status (*exchange)(void *context, struct http_response *response, enum http_method method,
	    const char *url, const char *const *headers, struct bytes body, struct err *err);
	void *context;
	/* How long each exchange may last from now on; 0: as the client was made. NULL: it has no such limit. */
	void (*limit)(void *context, uint32_t timeout_ms);
};

void http_response_init(struct http_response *response, size_t body_max);
void http_response_fini(struct http_response *response);

#endif
