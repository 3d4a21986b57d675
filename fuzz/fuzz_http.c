/* What comes over a connection, against a real server: requests as they are, or WebSocket frames after a good handshake
 * where the first byte is odd. The handlers see only what is within bounds, and the server serves the next one. */
#include "fuzz/target.h"
#include "net/http_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX ((size_t)4096)
static const char upgrade[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
			      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

static struct http_server *server;
static pthread_t thread;

static void handle(void *context, struct http_exchange *exchange) {
	const struct http_request *request = &exchange->request;
	struct http_response *response = &exchange->response;
	(void)context;
	BUG_ON(request->header_count > HTTP_HEADER_MAX || request->body.len > MESSAGE_MAX);
	for (size_t i = 0; i < request->header_count; i++) BUG_ON(request->headers[i].name.len == 0);
	response->content_type = "text/plain";
	buf_append(&response->body, request->path);
	buf_append(&response->body, request->query);
	buf_append(&response->body, request->body);
}

static void admit(void *context, struct http_exchange *exchange) {
	(void)context;
	exchange->gzip = HTTP_GZIP_BOTH;
}

static void *session_open(void *context, struct ws_peer *peer) {
	(void)context;
	return peer;
}

static void session_message(void *session, struct bytes text) {
	BUG_ON(text.len > MESSAGE_MAX);
	(void)ws_send(session, text);
}

static void session_close(void *session) {
	(void)session;
}

static void session_tick(void *context) {
	(void)context;
}

static void *serve(void *context) {
	struct err err;
	BUG_ON(http_server_run(context, &err) != STATUS_OK);
	return NULL;
}

/* It serves until the process ends. */
static void start(void) {
	static const struct ws_handler websockets = {session_open, session_message, session_close, session_tick, NULL};
	const struct http_server_options options = {.body_max = MESSAGE_MAX,
	    .websockets = &websockets,
	    .message_max = MESSAGE_MAX,
	    .request_timeout_ms = 1000,
	    .idle_timeout_ms = 1000};
	const struct http_service service = {.handle = handle, .admit = admit};
	struct err err;
	BUG_ON(http_server_open(&server, &options, &service, &err) != STATUS_OK);
	BUG_ON(pthread_create(&thread, NULL, serve, server) != 0);
}

static void put(int fd, struct bytes bytes) {
	while (bytes.len > 0) {
		const ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
		if (sent <= 0) return; /* refused before it was all sent */
		bytes = bytes_slice(bytes, (size_t)sent, bytes.len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	char answer[4096];
	if (size == 0) return 0;
	if (!server) start();
	const struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(http_server_port(server)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct linger at_once = {.l_onoff = 1}; /* so that no port waits after it */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	BUG_ON(connect(fd, (const struct sockaddr *)&to, sizeof to) != 0);
	if (data[0] % 2) put(fd, bytes_make(upgrade, sizeof upgrade - 1));
	put(fd, bytes_make(data + 1, size - 1));
	shutdown(fd, SHUT_WR);
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	while (poll(&readable, 1, 10000) > 0)
		if (recv(fd, answer, sizeof answer, 0) <= 0) break;
	close(fd);
	return 0;
}
