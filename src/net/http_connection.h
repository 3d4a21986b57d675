/*
 * Inside net/: one connection of the server, and what happens to a request on it. A connection is used by one service
 * thread; only the atomic members are read by others too.
 */
#ifndef NET_HTTP_CONNECTION_H
#define NET_HTTP_CONNECTION_H

#include "net/http_server.h"
#include "net/ws_server.h"

#include <microhttpd.h>
#include <stdatomic.h>

#define HTTP_NAMES_BYTES 2048

struct http_connection {
	struct http_server *server;
	struct http_connection *next, *prev; /* the server's list, under its lock */
	int socket;
	_Atomic uint64_t since_ms;    /* when the current phase began (receiving, answering, idle), */
	_Atomic uint32_t patience_ms; /* and how long it may take */
	atomic_size_t held_bytes;     /* of memory that waits for the client */
	atomic_bool in_handler;
	atomic_bool is_upgraded; /* the socket is ws_server.c's now */
	atomic_bool is_cut;      /* it was shut down, and will be gone soon */
	bool holds_place;        /* there, and was not handed over yet */
	bool holds_large;        /* one of the server's places for a large body */

	bool headers_done; /* of the current request */
	bool is_shown;     /* to the foreseer */
	bool headers_over; /* more fields than a request holds */
	bool headers_bad;  /* a name that is none */
	bool body_over;
	struct buf uri;               /* as sent, with the query */
	char names[HTTP_NAMES_BYTES]; /* header names in lower case */
	size_t names_used;
	struct buf body;
	struct http_request request;
	struct http_response response;
};

/* The server's settings that a request needs; defaults are filled in. */
struct http_policy {
	http_handler *handler;
	http_foreseer *foresee; /* NULL: none */
	void *context;
	size_t body_max;
	struct bytes large_path; /* empty: none */
	size_t large_body_max;
	size_t response_max;
	uint32_t request_timeout_ms, idle_timeout_ms;
	const char *const *vhosts;
	const char *const *cors_origins;
	struct ws_server *websockets; /* NULL: none */
};
const struct http_policy *http_server_policy(const struct http_server *server);
uint64_t http_server_clock_ms(void);
/* Is there more than one connection? */
bool http_server_has_company(const struct http_server *server);
/* A place for a large body; false where all are taken. */
bool http_server_take_large(struct http_server *server);
void http_server_give_large(struct http_server *server);
/* A connection holds so much now, and not `before`: where that is too much together, who has waited longest goes,
 * until there is room again. */
void http_server_count_held(struct http_server *server, size_t now, size_t before);
/* Those who went have not let go yet. */
bool http_server_is_full(const struct http_server *server);
/* Buffers that grew past this are given back after the exchange. */
#define HTTP_KEEP_BYTES ((size_t)1 << 20)

struct http_connection *http_connection_new(struct http_server *server, int socket);
void http_connection_free(struct http_connection *connection);
/* A new request's target, as it stands in the request line. */
void http_connection_begin(struct http_connection *connection, const char *target);
/* The library's callback, which comes once after the header, once for each part of the body, and once at the end. */
enum MHD_Result http_connection_serve(struct http_connection *connection, struct MHD_Connection *mhd,
    const char *method, const char *upload, size_t *upload_size);
/* The answer was sent, or the client went away. */
void http_connection_end(struct http_connection *connection);

/* May a request with this Host field be served? An absent one (HTTP/1.0) may. */
bool http_host_allowed(struct bytes host, const char *const *vhosts);
/* "*" or the origin itself where it is allowed, else empty. */
struct bytes http_cors_allow(struct bytes origin, const char *const *origins);

#endif
