/*
 * Inside net/: one connection of the server, and what happens to a request on it. A connection is used by one service
 * thread; other threads read the atomic members, and the exchange while it is deferred, under the server's lock.
 */
#ifndef NET_HTTP_CONNECTION_H
#define NET_HTTP_CONNECTION_H

#include "net/http_exchange.h"
#include "net/tls_server.h"
#include "net/ws_server.h"

enum connection_phase {
	PHASE_IDLE,      /* between requests, or before the first */
	PHASE_RECEIVING, /* from a request's first line to its last byte */
	PHASE_HANDLING,
	PHASE_DEFERRED,
	PHASE_SENDING,
	PHASE_PAUSED,   /* the answer's source has nothing yet; the library does not look at the connection */
	PHASE_UPGRADED, /* the socket is ws_server.c's now */
	PHASE_CUT,      /* it was shut down, and will be gone soon */
};

struct http_connection {
	struct http_server *server;
	struct http_connection *next, *prev; /* the server's list, under its lock */
	int socket;
	_Atomic enum connection_phase phase;
	_Atomic uint64_t since_ms;    /* when the phase began, */
	_Atomic uint32_t patience_ms; /* and how long it may take */
	atomic_size_t held_bytes;     /* of memory that waits for the client */
	bool holds_place;             /* of a WebSocket: there, and was not handed over yet */

	bool headers_done;        /* of the current request */
	bool is_shown;            /* to the foreseer */
	bool headers_over;        /* more fields than a request holds */
	bool headers_bad;         /* a name that is not a token */
	int body_refusal;         /* a status: the rest of the body is dropped, and it is refused with */
	const char *body_why;     /* this */
	bool did_defer;           /* the handler deferred the current exchange */
	bool sink_refused;        /* and wrote the answer */
	atomic_size_t body_bytes; /* that came, or that they inflate to */
	int abandoned_status;     /* what the client gets for an exchange that was abandoned; 0: nothing */
	struct peer_record *peer;
	struct tls_identity *identity;     /* NULL: no TLS */
	struct served_exchange *exchange;  /* NULL: its owner has it; the next request gets another */
	struct served_exchange *abandoned; /* that one, until the client is answered; to be released */
};

/* The server's settings that a request needs; defaults are filled in. */
struct http_policy {
	struct http_service service;
	struct http_tally *tally;
	size_t header_max; /* bytes of all names and values */
	size_t body_max;
	size_t response_max;
	uint32_t deferred_max, deferred_timeout_ms;
	uint32_t request_timeout_ms, idle_timeout_ms;
	const char *const *vhosts;
	const char *const *cors_origins;
	struct ws_server *websockets;  /* NULL: none */
	struct http_observer observer; /* zeroed: none */
	struct tls_server *tls;        /* NULL: none */
};
const struct http_policy *http_server_policy(const struct http_server *server);
uint64_t http_server_clock_ms(void);
uint64_t http_server_clock_ns(void);
/* The lock of the list of connections, and of deferring. */
void http_server_lock(struct http_server *server);
void http_server_unlock(struct http_server *server);
/* Is there more than one connection? */
bool http_server_has_company(const struct http_server *server);
/* Answers are the last ones of their connections. */
bool http_server_is_draining(const struct http_server *server);
/* A connection holds so much now, and not `before`: if that is too much together, who has waited longest goes,
 * until there is room again. */
void http_server_count_held(struct http_server *server, size_t now, size_t before);
/* Cuts a connection that is too slow for its place among `large`, which is the caller's then; false: there is none. */
bool http_server_take_slow_place(struct http_server *server, const struct http_limits *limits);
/* Those who went have not let go yet. */
bool http_server_is_full(const struct http_server *server);
/* Buffers that grew past this are given back after the exchange. */
#define HTTP_KEEP_BYTES ((size_t)1 << 20)

struct http_connection *http_connection_new(struct http_server *server, struct MHD_Connection *mhd);
void http_connection_free(struct http_connection *connection);
/* A new request's target, as it stands in the request line. */
void http_connection_begin(struct http_connection *connection, const char *target);
struct http_request_line {
	const char *method;
	const char *version; /* "HTTP/1.1" */
};
/* The library's callback: once after the header, once for each part of the body, and at the end until there is an
 * answer. */
enum MHD_Result http_connection_serve(struct http_connection *connection, struct MHD_Connection *mhd,
    const struct http_request_line *line, const char *upload, size_t *upload_size);
/* The answer was sent, or the client went away. */
void http_connection_end(struct http_connection *connection);
void http_connection_enter(struct http_connection *connection, enum connection_phase phase, uint32_t patience_ms);
void http_connection_count_held(struct http_connection *connection);

/* http_answer.c: queues what stands in the response. */
enum MHD_Result http_connection_send(struct http_connection *connection, struct MHD_Connection *mhd);
/* A problem instead; `why` is for people. */
enum MHD_Result http_connection_refuse(
    struct http_connection *connection, struct MHD_Connection *mhd, int status, const char *why);
/* http_stream.c: an answer from the response's source. */
struct MHD_Response *http_stream_response(struct http_connection *connection);
/* The source may be read again. */
void http_stream_poke(struct http_connection *connection);
/* Under the server's lock, in PHASE_PAUSED: it is read on; the client is gone. */
void http_stream_resume(struct http_connection *connection);
void http_stream_end(struct http_connection *connection);
/* http_upgrade.c: answers a request to upgrade to WebSocket. */
enum MHD_Result http_connection_upgrade(struct http_connection *connection, struct MHD_Connection *mhd);

/* May a request with this Host field be served? An absent one (HTTP/1.0) may. */
bool http_host_allowed(struct bytes host, const char *const *vhosts);
/* "*" or the origin itself if it is allowed, else empty. */
struct bytes http_cors_allow(struct bytes origin, const char *const *origins);
/* RFC 9110 §5.6.2 */
bool http_is_token(struct bytes text);

#endif
