/*
 * WebSocket (RFC 6455) as an interface: the events that a handler gets, and how it sends. net/ implements it; only app/
 * wires the two.
 *
 * Threads: one thread calls all functions of a handler, so that sessions need no lock; ws_send may be called only
 * there. Whoever learns news on another thread asks for a `tick` through a `ws_waker`.
 */
#ifndef BASE_WS_H
#define BASE_WS_H

#include "base/http.h"

/* The other end of one connection; lives from open to close. */
struct ws_peer {
	bool (*send)(struct ws_peer *peer, struct bytes text);
	struct bytes note; /* what `admit` wrote [empty] */
	/* What `open` may set: after so long the peer is told 1008 and nothing of it is taken any more [0: it stays] */
	uint64_t lasts_ms;
};

/* Queues one text message (UTF-8), copied. False: too much waits already; the connection is being closed. */
static inline bool ws_send(struct ws_peer *peer, struct bytes text) {
	return peer->send(peer, text);
}

struct ws_handler {
	/* Returns the session, which the other calls are given. */
	void *(*open)(void *context, struct ws_peer *peer);
	/* A whole message; it should be UTF-8, but a client may have sent it as binary. */
	void (*message)(void *session, struct bytes text);
	void (*close)(void *session);
	/* After a wake, once for any number of them. */
	void (*tick)(void *context);
	/* Before the handshake: may refuse the request by setting the response's status, which is 0 here. Otherwise
	 * what it writes into the response's body is the peer's note. On any of the server's threads. [NULL] */
	http_handler *admit;
	void *context;
};

/* From any thread; quick. */
struct ws_waker {
	void (*wake)(void *context);
	void *context;
};

#endif
