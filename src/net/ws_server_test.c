/* The socket of a WebSocket connection, seen from inside the server's process. */
#include "net/ws_server.h"

#include "net/test_server.h"

#include <netinet/tcp.h>

static void *session_open(void *context, struct ws_peer *peer) {
	(void)context;
	return peer;
}

static void session_message(void *session, struct bytes text) {
	assert_true(ws_send(session, text));
}

static void session_close(void *session) {
	(void)session;
}

static void session_tick(void *context) {
	(void)context;
}

static void nothing(void *context, struct http_exchange *exchange) {
	(void)context, (void)exchange;
}

/* The server's end of our connection. */
static int other_end(int fd) {
	struct sockaddr_in own, peer;
	socklen_t size = sizeof own;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
	for (int other = 3; other < 1024; other++) {
		size = sizeof peer;
		if (getpeername(other, (struct sockaddr *)&peer, &size) == 0 && size == sizeof peer &&
		    peer.sin_port == own.sin_port)
			return other;
	}
	return -1;
}

/* Otherwise a second small frame would wait until the peer has acknowledged the first, some 40 ms. */
static void frames_go_without_waiting_for_more(void **state) {
	(void)state;
	static const struct ws_handler websockets = {
	    session_open, session_message, session_close, session_tick, NULL, NULL};
	static const char upgrade[] = HEAD_OF("GET", "/") "Connection: Upgrade\r\nUpgrade: websocket\r\n"
							  "Sec-WebSocket-Version: 13\r\n"
							  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	static const char hello[] = "\x81\x85\0\0\0\0hello";
	static char answer[ANSWER_BYTES];
	struct served served;
	int is_on = 0;
	socklen_t size = sizeof is_on;
	start_options(
	    &served, (struct http_server_options){.websockets = &websockets}, (struct http_service){.handle = nothing});
	const int fd = dial(served.port);
	put(fd, upgrade, sizeof upgrade - 1);
	assert_false(hear(fd, answer, "\r\n\r\n", 1, 2000));
	put(fd, hello, sizeof hello - 1);
	assert_false(hear(fd, answer, "hello", 1, 2000));
	assert_int_equal(getsockopt(other_end(fd), IPPROTO_TCP, TCP_NODELAY, &is_on, &size), 0);
	assert_true(is_on);
	close(fd);
	stop(&served);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(frames_go_without_waiting_for_more)};
	return cmocka_run_group_tests_name("ws_server", tests, NULL, NULL);
}
