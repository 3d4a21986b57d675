/*
 * An HTTP/1.1 server (RFC 9110, 9112) on libmicrohttpd that gives every request to one `http_service` (base/http.h) and
 * decides nothing else. It keeps connections alive, takes pipelined requests in order, and bounds what a client can
 * cost:
 *
 * - a body over its limit: 413, and the connection closes before the body is read
 * - more large bodies, or exchanges, at once than the request's limits allow: 503; but a large body that comes too
 *   slowly (so that one of the largest size would take over idle_timeout_ms) is cut, and the next has its place
 * - a header over header_max, or more than HTTP_HEADER_MAX fields: 431
 * - more than connections_max: the one that is silent longest goes, unless all are being answered; then the newest
 * - slower than request_timeout_ms from connecting to a request's first line, or from there to its last byte: closed;
 *   also a client that takes longer than idle_timeout_ms to send a large body, to take an answer, or to begin the next
 *   request
 * - more than held_max bytes of bodies and answers waiting for their clients: the one that has waited longest with over
 *   a MiB is closed; until it is gone, others get 503
 * - contradictory lengths (two Content-Length fields, or one beside Transfer-Encoding): 400
 * - a foreign Host (DNS rebinding): 403 unless `vhosts` allows it; numeric addresses always pass
 * - another origin's page: no CORS header unless `cors_origins` allows it; preflights are answered here
 *
 * A deferred exchange costs its memory and one of deferred_max places, and no thread. At its deadline the client gets
 * 504; if the client goes away the owner learns of it within a second (http_is_wanted).
 *
 * An answer from a source (base/http.h) costs one piece of 32 KiB, and no thread while the source has nothing. A client
 * that goes meanwhile is noticed within a second. Streams that wait end with the stop.
 *
 * The stop is ordered: no new connections, no further request on idle ones; what is in flight is answered for at most
 * drain_ms, what is still deferred then gets 503, and the rest is closed.
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

/* PEM files; the texts are not kept. */
struct tls_files {
	const char *cert;      /* the server's certificate and what leads from it to an authority */
	const char *key;       /* its key, not encrypted */
	const char *client_ca; /* authorities whose certificates clients must show [NULL: none is asked for] */
	bool client_optional;  /* a client without a certificate is served; the handler sees that it has none */
};

/* Zero or NULL means the default in brackets. Lists end with NULL and, as the texts, must outlive the server. */
struct http_server_options {
	const char *address;                  /* numeric, IPv4 or IPv6 ["127.0.0.1"] */
	uint16_t port;                        /* [0: a free one, see http_server_port] */
	const struct tls_files *tls;          /* [NULL: no TLS] */
	size_t body_max;                      /* bytes, unless admit says otherwise [5 MiB] */
	uint32_t deferred_max;                /* exchanges that are deferred at once [half of connections_max] */
	uint32_t deferred_timeout_ms;         /* until their answers, unless admit says otherwise [60,000] */
	uint32_t drain_ms;                    /* of the stop, at most [5,000] */
	size_t response_max;                  /* bytes [BUF_MAX_DEFAULT]; over it the client gets a 500 */
	size_t header_max;                    /* bytes of request line and fields, about [16 KiB] */
	uint32_t connections_max;             /* [256] */
	uint32_t request_timeout_ms;          /* [30,000] */
	uint32_t idle_timeout_ms;             /* [120,000] */
	size_t held_max;                      /* bytes [512 MiB] */
	uint32_t threads;                     /* that call the handler [1] */
	const char *const *vhosts;            /* names besides numeric addresses; "*": any [{"localhost"}] */
	const char *const *cors_origins;      /* "http://host:port" each, or "*" [none] */
	const struct http_observer *observer; /* copied [none] */
	/* WebSocket on the same port, at any path; a page's Origin must be one of cors_origins. */
	const struct ws_handler *websockets; /* [none] */
	uint32_t websockets_max;             /* of connections_max [half of them] */
	size_t message_max;                  /* bytes of one message [body_max] */
	uint32_t ping_interval_ms;           /* [30,000] */
};

/*
 * Binds and listens; clients may connect, and are served once http_server_run is called. STATUS_BUSY names the port
 * that another process holds; STATUS_INVALID an address that is not numeric.
 */
MUST_USE enum status http_server_open(struct http_server **out, const struct http_server_options *options,
    const struct http_service *service, struct err *err);
uint16_t http_server_port(const struct http_server *server);
/* Serves until http_server_stop, and returns after the ordered stop. Once a server. */
MUST_USE enum status http_server_run(struct http_server *server, struct err *err);
/* Makes the WebSocket handler tick soon: a ws_waker's function; from any thread, while the server is open. */
void http_server_wake(void *server);
/*
 * Reads these files for connections to come; nothing is dropped. A failure says what is wrong with them, and what was
 * read before goes on serving. STATUS_UNSUPPORTED: TLS cannot be switched on or off. From any thread; not in a signal
 * handler.
 */
MUST_USE enum status http_server_reload_tls(struct http_server *server, const struct tls_files *files, struct err *err);
/* Safe in a signal handler. */
void http_server_stop(struct http_server *server);
/* After http_server_run has returned (or was never called). Exchanges that are still deferred stay with their owners.
 * NULL is allowed. */
void http_server_close(struct http_server *server);

#endif
