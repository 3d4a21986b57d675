/*
 * An HTTP/1.1 server (RFC 9110, 9112) on libmicrohttpd that gives every request to one `http_handler` (base/http.h) and
 * decides nothing else. It keeps connections alive, takes pipelined requests in order, and bounds what a client can
 * cost:
 *
 * - a body over body_max: 413, and the connection closes before the body is read; below large_path it is
 *   large_body_max, and more than large_at_once of such bodies: 503
 * - a header over header_max, or more than HTTP_HEADER_MAX fields: 431
 * - more than connections_max: the one that is silent longest goes, unless all are being answered; then the newest
 * - slower than request_timeout_ms from connecting to a request's first line, or from there to its last byte: closed;
 *   so too who takes longer than idle_timeout_ms to send a large body, to take an answer, or to begin the next request
 * - more than held_max bytes of bodies and answers waiting for their clients: who has waited longest with one over a
 *   MiB is closed; until it is gone, others are told 503
 * - contradictory lengths (two Content-Length fields, or one beside Transfer-Encoding): 400
 * - a foreign Host (DNS rebinding): 403 unless `vhosts` allows it; numeric addresses always pass
 * - another origin's page: no CORS header unless `cors_origins` allows it; preflights are answered here
 *
 * Threads: http_server_run may have one caller, which waits inside it while service threads call the handler;
 * http_server_stop may come from any thread or a signal handler. Source of the choice:
 * docs/decisions/0004-http-server.md.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "base/http.h"
#include "base/ws.h"

struct http_server;

/* Zero or NULL means the default in brackets. Lists end with NULL and, as the texts, must outlive the server. */
struct http_server_options {
	const char *address;    /* numeric, IPv4 or IPv6 ["127.0.0.1"] */
	uint16_t port;          /* [0: a free one, see http_server_port] */
	http_foreseer *foresee; /* given the handler's context [none]; not asked where there is but one connection */
	size_t body_max;        /* bytes [5 MiB] */
	/* Requests below one path may say a larger length, a few at once; the rest are told 503. */
	const char *large_path;          /* "/blobs/" [none] */
	size_t large_body_max;           /* bytes */
	uint32_t large_at_once;          /* [4] */
	size_t response_max;             /* bytes [BUF_MAX_DEFAULT]; over it the client gets a 500 */
	size_t header_max;               /* bytes of request line and fields, about [16 KiB] */
	uint32_t connections_max;        /* [256] */
	uint32_t request_timeout_ms;     /* [30,000] */
	uint32_t idle_timeout_ms;        /* [120,000] */
	size_t held_max;                 /* bytes [512 MiB] */
	uint32_t threads;                /* that call the handler [1] */
	const char *const *vhosts;       /* names besides numeric addresses; "*": any [{"localhost"}] */
	const char *const *cors_origins; /* "http://host:port" each, or "*" [none] */
	/* WebSocket on the same port, at any path; a page's Origin must be one of cors_origins. */
	const struct ws_handler *websockets; /* [none] */
	uint32_t websockets_max;             /* of connections_max [half of them] */
	size_t message_max;                  /* bytes of one message [body_max] */
	uint32_t ping_interval_ms;           /* [30,000] */
};

/*
 * Binds and listens; clients may connect, and are served once http_server_run is called. STATUS_BUSY names the port
 * that another process holds; STATUS_INVALID an address that is none. `context` is the handler's.
 */
MUST_USE enum status http_server_open(struct http_server **out, const struct http_server_options *options,
    http_handler *handler, void *context, struct err *err);
uint16_t http_server_port(const struct http_server *server);
/* Serves until http_server_stop; answers in flight are finished first. Once a server. */
MUST_USE enum status http_server_run(struct http_server *server, struct err *err);
/* Makes the WebSocket handler tick soon: a ws_waker's function; from any thread, while the server is open. */
void http_server_wake(void *server);
/* Safe in a signal handler. */
void http_server_stop(struct http_server *server);
/* After http_server_run has returned (or was never called). NULL is allowed. */
void http_server_close(struct http_server *server);

#endif
