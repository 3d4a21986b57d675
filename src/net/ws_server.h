/*
 * Inside net/: WebSocket connections (RFC 6455) that the HTTP server handed over, on one thread of their own; frames
 * are libwslay's (docs/decisions/0013-websocket-frames.md).
 *
 *   a message over message_max             1009
 *   a broken frame, an unmasked one        1002; text that is no UTF-8: 1007 (a binary message is taken as text,
 * unchecked) more than WS_QUEUE_MAX bytes waiting   dropped; from a sixteenth of that on, nothing more is read from it
 *   no byte for two ping intervals         dropped (a ping goes out after one)
 *   the node stops                         1001
 *   its time is over (ws_peer.lasts_ms)    1008
 *
 * Threads: ws_server_adopt and ws_server_wake from any; the others from the one that runs the HTTP server.
 */
#ifndef NET_WS_SERVER_H
#define NET_WS_SERVER_H

#include "base/http.h"
#include "base/status.h"
#include "base/ws.h"

#include <microhttpd.h>

#define WS_QUEUE_MAX ((size_t)32 << 20)

struct ws_server;
struct ws_server_options {
	const struct ws_handler *handler;
	size_t message_max;
	uint32_t ping_interval_ms;
	uint32_t connections_max;
};
MUST_USE enum status ws_server_open(struct ws_server **out, const struct ws_server_options *options, struct err *err);
/* Says 1001 to all, closes them, ends the thread; what comes later is closed at once. */
void ws_server_stop(struct ws_server *server);
/* When nobody can adopt any more. NULL is allowed. */
void ws_server_close(struct ws_server *server);
void ws_server_wake(void *server);
const struct ws_handler *ws_server_handler(const struct ws_server *server);
/* Takes one of the connections' places; false: there is none. Who is not adopted after all gives it back. */
bool ws_server_reserve(struct ws_server *server);
void ws_server_release(struct ws_server *server);
/* The library's socket after the 101, for a place that was reserved; `early` came with the request, `note` is the
 * peer's. */
void ws_server_adopt(struct ws_server *server, int socket, struct MHD_UpgradeResponseHandle *handle, struct bytes early,
    struct bytes note);

/* Is this a request to upgrade? */
bool ws_is_upgrade(const struct http_request *request);
/* 0 where the handshake is good: `accept` is its answer; else an HTTP status. */
#define WS_ACCEPT_BYTES 32
int ws_check_handshake(char accept[WS_ACCEPT_BYTES], const struct http_request *request);

#endif
