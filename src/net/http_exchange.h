/*
 * Inside net/: one exchange of the server, in a piece of memory of its own, because its owner may keep it longer than
 * its connection does.
 *
 * A connection has one exchange and uses it again for each request. While it is deferred, two sides can end it: its
 * owner (http_answer) and the server (exchange_abandon: deadline, client gone, stop). One atomic state decides which
 * of them was first. The first resumes the connection. If that was the server, the exchange is the owner's from then
 * on, and its request is also the connection's to read, until the client has its answer; the last one frees it.
 */
#ifndef NET_HTTP_EXCHANGE_H
#define NET_HTTP_EXCHANGE_H

#include "net/http_gzip.h"
#include "net/http_server.h"

#include <microhttpd.h>

struct http_connection;

/* What exchanges count, which may outlive the server. */
struct http_tally {
	atomic_uint references;
	atomic_uint deferred;  /* exchanges whose owners have not answered */
	atomic_uint answering; /* owners inside http_answer */
	atomic_size_t held_bytes;
};
struct http_tally *http_tally_new(void);
/* NULL is allowed. */
void http_tally_release(struct http_tally *tally);

/* Who is at the other end; exchanges may outlive their connection. */
struct peer_record {
	atomic_uint references;
	bool is_described; /* by its certificate, once the handshake is over */
	struct http_peer shown;
	struct arena arena;
};
void peer_record_release(struct peer_record *peer);

enum exchange_state { EXCHANGE_OPEN, EXCHANGE_DEFERRED, EXCHANGE_ANSWERED, EXCHANGE_ABANDONED };

struct served_exchange {
	struct http_exchange shown; /* first */
	atomic_uint holders;        /* 2: it was abandoned, and the connection still reads its request */
	struct http_connection *connection;
	struct MHD_Connection *mhd;
	struct http_tally *tally;
	struct peer_record *peer;
	_Atomic enum exchange_state state;
	atomic_bool is_gone; /* the client will hardly read the answer */
	uint64_t due_ms;
	uint64_t began_ns; /* monotonic */
	size_t held_bytes;
	bool is_poked;         /* under the server's lock: the source has more than when it was read last */
	atomic_bool is_broken; /* the client left while the source had nothing */
	bool is_busy;          /* counted in the limits' counter */
	_Atomic(atomic_uint *) large_place; /* the counter of a place for large bodies; NULL: it has none */
	_Atomic uint64_t large_since_ms;
	struct buf admitted;    /* header lines that admit gave, as the request's id; refusals have them too */
	struct buf uri;         /* as sent, with the query */
	struct bytes authority; /* of the request: its Host, or that of an absolute target */
	char *text;             /* header names in lower case, and values */
	size_t text_used, text_size;
	struct buf body;
	struct gunzip *gunzip; /* of a body that comes compressed; else NULL */
	struct gzip *gzip;     /* of an answer that goes out compressed, piece by piece; else NULL */
	size_t sent_bytes;     /* of the plain response's body, to `gzip` */
};

struct served_exchange *exchange_new(struct http_connection *connection);
/* One holder less, and it is freed if that was the last. NULL is allowed. */
void exchange_release(struct served_exchange *exchange);
/* For a new request: everything of the last one is forgotten. */
void exchange_begin(struct served_exchange *exchange, const char *target);
/* The exchange is over: places are given back, and memory over HTTP_KEEP_BYTES. */
void exchange_end(struct served_exchange *exchange);
/* Copies a header field; false: there are too many, or too many bytes. */
bool exchange_take_header(struct served_exchange *exchange, struct bytes name, struct bytes value);
/* Under the server's lock. True: it was deferred, and now its owner's; the caller resumes the connection, and releases
 * the exchange. */
bool exchange_abandon(struct served_exchange *exchange);
/* For the answer to an abandoned exchange: the new one is of the same request and route. */
void exchange_stand_in(struct served_exchange *exchange, const struct served_exchange *abandoned);

#endif
