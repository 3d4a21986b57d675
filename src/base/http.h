/*
 * HTTP as interfaces: what a service is given and answers (server side), and what a client can ask. net/ implements
 * them and decides nothing; only app/ wires the two (RFC 9110; no TLS or connection detail shows here).
 *
 * A request and its answer together are an exchange. A handler writes the answer and returns; or it defers the
 * exchange, returns, and any thread answers later:
 *
 *     if (!http_defer(exchange)) { exchange->response.status = 503; return; }
 *     give_to_another_thread(exchange);         // the handler does not touch it any more
 *     …
 *     exchange->response.status = 201;          // the other thread
 *     http_answer(exchange);                    // exactly once; the exchange is gone afterwards
 *
 * Ownership: everything in a request is a view that is valid until the answer: until the handler returns or, if it
 * deferred, until http_answer. The response's buffers belong to the exchange. A deferred exchange stays valid for its
 * owner even if the client went away, the deadline passed or the server stopped: http_is_wanted says so then, and the
 * late answer is dropped. So every deferred exchange must be answered.
 *
 * Threads: a server may call its service from several threads at once; an exchange has one owner at a time; a client
 * may be used by one thread at a time.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/mem.h"

#include <stdatomic.h>

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_PATCH, HTTP_METHOD_OTHER };

#define HTTP_HEADER_MAX 64
#define HTTP_PARAMS_MAX 4

struct http_header {
	struct bytes name; /* lower case */
	struct bytes value;
};

struct http_exchange;

#define HTTP_PEER_NAMES_MAX 16

/* The other end of a connection. */
struct http_peer {
	char address[48]; /* numeric */
	bool is_tls;
	bool has_certificate; /* and it was verified against the authorities that the server has for its clients */
	hash32 certificate_sha256;
	const char *subject;                     /* of the certificate, as RFC 4514 writes it */
	struct bytes names[HTTP_PEER_NAMES_MAX]; /* its subjectAltName: "DNS:…", "URI:…", "email:…" */
	size_t name_count;
};

struct http_request {
	enum http_method method;
	struct bytes path;  /* "/blobs/…", percent-encoding untouched, no query */
	struct bytes query; /* after '?', or empty */
	struct http_header headers[HTTP_HEADER_MAX];
	size_t header_count;
	struct bytes body;
	const struct http_peer *peer; /* NULL in tests without a server */
};

#define HTTP_LENGTH_UNKNOWN UINT64_MAX

/*
 * An answer that comes in pieces: `read` is asked for the next one when the client has taken what came before, so that
 * one piece is in memory, however long the whole is. A source is closed once, after its last read, also if the answer
 * never went out; until then its exchange is valid.
 *
 * A source that has nothing yet costs no thread: `read` gives HTTP_SOURCE_WAIT, and any thread calls http_more when
 * there is something. `close` must not return while another thread is inside http_more for it: both hold the owner's
 * lock. `read` and `close` are called without any lock of the server.
 */
enum http_source_state { HTTP_SOURCE_MORE, HTTP_SOURCE_END, HTTP_SOURCE_WAIT, HTTP_SOURCE_FAILED };
struct http_source {
	/* Writes [1, size] bytes for MORE, none else. FAILED: the connection is cut, so that the client notices. */
	enum http_source_state (*read)(void *context, size_t *len, uint8_t *out, size_t size);
	void (*close)(void *context); /* [NULL: nothing to do] */
	void *context;
	uint64_t length; /* bytes of the whole; HTTP_LENGTH_UNKNOWN: it ends with END */
	size_t
	    held_bytes; /* of memory that it keeps until it is closed; they count as a body that waits for its client */
};

/*
 * A request's body that is taken in pieces, in order, as they come; the handler then sees an empty body. `write` runs
 * on a service thread, and while it runs nothing more is read from this client. False: it wrote a refusal into the
 * response; the rest is dropped and the handler is not called. Closed once, after the handler, or without it if the
 * body never ended.
 */
struct http_sink {
	bool (*write)(void *context, struct http_exchange *exchange, struct bytes piece);
	void (*close)(void *context); /* [NULL: nothing to do] */
	void *context;
};

struct http_response {
	int status;               /* 200 … */
	const char *content_type; /* static text; NULL: none */
	struct buf body;
	struct buf headers;        /* further "Name: value\r\n" lines, or empty */
	struct http_source source; /* in place of the body [read is NULL: none] */
};

/* What one request may cost. Zero means the server's own setting. */
struct http_limits {
	size_t body_max;        /* bytes of the request's body; over it: 413 */
	size_t large_body_max;  /* a stated length over body_max may reach this, if one of the places is free [none] */
	uint32_t large_at_once; /* the places, else 503 */
	atomic_uint *large;     /* counts them; must outlive the server */
	size_t answer_max;      /* bytes of the answer's body; over it: 500 */
	uint32_t at_once;       /* exchanges at once, else 503 [any number] */
	atomic_uint *busy;      /* counts them; must outlive the server */
	uint32_t deadline_ms;   /* of a deferred exchange, else 504 */
};

/* What of an exchange may be compressed with gzip, if its client wants that: a mask. */
enum http_gzip {
	HTTP_GZIP_ANSWERS = 1, /* text of some size; the server sees to Content-Encoding, Vary and entity tags */
	HTTP_GZIP_BODIES = 2,  /* the body's limit then counts what it inflates to */
	HTTP_GZIP_BOTH = 3
};

struct http_exchange {
	struct http_request request;
	struct http_response response;
	struct http_sink sink; /* admit may set it [write is NULL: the body is collected] */
	struct http_limits limits;
	unsigned gzip;                              /* enum http_gzip; admit may set it */
	const void *route;                          /* what http_service.admit found, for its handler */
	struct http_header params[HTTP_PARAMS_MAX]; /* of the path (route.h) */
	size_t param_count;
	struct buf path_text; /* of the params */
	bool is_noted;        /* the application's own, for its observer: the handler has written it down already */
	const struct http_exchange_ops *ops; /* the server's; NULL: of http_exchange_init */
	bool is_deferred;                    /* without a server: for tests */
};

struct http_exchange_ops {
	bool (*defer)(struct http_exchange *exchange);
	void (*answer)(struct http_exchange *exchange);
	bool (*is_wanted)(const struct http_exchange *exchange);
	void (*more)(struct http_exchange *exchange);
};

typedef void http_handler(void *context, struct http_exchange *exchange);

/*
 * What a server may ask before it calls the handler, once a request: it may be worth doing together with others that
 * are at hand. True: the server shows the others first and calls the handler then.
 */
typedef bool http_foreseer(void *context, const struct http_exchange *exchange);

struct http_service {
	http_handler *handle;
	/*
	 * After the header and before the body, which is empty here: may set `limits` and `route`, or refuse the
	 * request by setting the response's status, which is 0 here; then the body is not read. May not defer.
	 */
	http_handler *admit; /* [NULL: everything may come, at the server's own limits] */
	/* After the server refused a request by itself, with a problem in the response: to say it in another form. */
	http_handler *refused;  /* [NULL: it stays a problem] */
	http_foreseer *foresee; /* [NULL: none]; not asked if there is only one connection */
	void *context;
};

/* Is shown every answer before it is sent, whoever made it: for counting. On any of the server's threads. */
struct http_observer {
	void (*answered)(void *context, const struct http_exchange *exchange, uint64_t duration_ns);
	void *context;
};

/*
 * The handler will return without an answer; it comes by http_answer, from any thread. False: too many exchanges are
 * deferred already, or this one is; the handler answers now (503).
 */
MUST_USE bool http_defer(struct http_exchange *exchange);
/* Sends the answer of a deferred exchange, or drops it if nobody waits for it any more. Frees the exchange. */
void http_answer(struct http_exchange *exchange);
/* False: the client went away, the deadline passed or the server stopped. Work for the answer alone may end. */
bool http_is_wanted(const struct http_exchange *exchange);
/* The answer's source, which had nothing, may be read again. From any thread, before its close. */
void http_more(struct http_exchange *exchange);
/* Closes the answer's source, and the request's sink, if there are any that are open. */
void http_source_close(struct http_source *source);
void http_sink_close(struct http_sink *sink);

/* An exchange without a server, for tests: http_defer sets is_deferred, http_answer clears it. */
void http_exchange_init(struct http_exchange *exchange, size_t answer_max);
void http_exchange_fini(struct http_exchange *exchange);

/* The value of a header, or an empty view with NULL data if it is absent. `name` is lower case. */
struct bytes http_header_get(const struct http_request *request, const char *name);
/* "GET" …; "?" for HTTP_METHOD_OTHER. */
const char *http_method_name(enum http_method method);
/* HTTP_METHOD_OTHER for an unknown one; methods are case-sensitive. */
enum http_method http_method_of(const char *name);

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
