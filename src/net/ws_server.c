#include "net/ws_server.h"

#include "base/mem.h"
#include "net/http_connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#define READ_PAUSE_BYTES (WS_QUEUE_MAX / 16)
/* How many bytes one connection may send before the others have their turn. */
#define TURN_BYTES ((size_t)256 << 10)

struct ws_connection {
	struct ws_peer peer; /* first */
	struct ws_connection *next;
	struct ws_server *server;
	int socket;
	struct MHD_UpgradeResponseHandle *handle;
	wslay_event_context_ptr frames;
	struct buf early, note;
	size_t early_used, turn_bytes;
	void *session;
	uint64_t heard_ms, pinged_ms, moved_ms; /* moved: when output last went out, or began to wait */
	uint64_t ends_ms;                       /* 0: never */
	bool is_over, is_dismissed;
};

struct ws_server {
	struct ws_server_options options;
	int event;
	pthread_t thread;
	struct ws_connection *connections; /* the thread's own */
	struct pollfd *polled;

	pthread_mutex_t lock; /* of all that follows */
	struct ws_connection *adopted;
	uint32_t count;
	bool stopping, is_awake;
};

/* --- frames --- */

static ssize_t on_recv(wslay_event_context_ptr frames, uint8_t *out, size_t len, int flags, void *context) {
	struct ws_connection *connection = context;
	(void)flags;
	const size_t waiting = connection->early.len - connection->early_used;
	if (waiting > 0) {
		const size_t part = waiting < len ? waiting : len;
		memcpy(out, connection->early.data + connection->early_used, part);
		connection->early_used += part;
		return (ssize_t)part;
	}
	if (connection->turn_bytes >= TURN_BYTES || wslay_event_get_queued_msg_length(frames) > READ_PAUSE_BYTES) {
		wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	const ssize_t got = recv(connection->socket, out, len, MSG_DONTWAIT);
	if (got > 0) {
		connection->turn_bytes += (size_t)got;
		connection->heard_ms = http_server_clock_ms();
		return got;
	}
	const bool is_empty = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
	wslay_event_set_error(frames, is_empty ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static ssize_t on_send(wslay_event_context_ptr frames, const uint8_t *data, size_t len, int flags, void *context) {
	struct ws_connection *connection = context;
	(void)flags;
	const ssize_t sent = send(connection->socket, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0) {
		connection->moved_ms = http_server_clock_ms();
		return sent;
	}
	const bool is_full = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	wslay_event_set_error(frames, is_full ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

/* Binary messages count as text: some clients send all so. */
static void on_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *arg, void *context) {
	struct ws_connection *connection = context;
	(void)frames;
	if (wslay_is_ctrl_frame(arg->opcode)) return; /* answered by the library */
	if (connection->ends_ms && http_server_clock_ms() >= connection->ends_ms) return;
	const struct ws_handler *handler = connection->server->options.handler;
	handler->message(connection->session, bytes_make(arg->msg, arg->msg_length));
}

static bool on_peer_send(struct ws_peer *peer, struct bytes text) {
	struct ws_connection *connection = (struct ws_connection *)peer;
	const struct wslay_event_msg message = {WSLAY_TEXT_FRAME, text.data, text.len};
	const size_t waiting = wslay_event_get_queued_msg_length(connection->frames);
	if (waiting == 0) connection->moved_ms = http_server_clock_ms();
	if (connection->is_dismissed) return false;
	if (waiting > WS_QUEUE_MAX || wslay_event_queue_msg(connection->frames, &message) != 0)
		connection->is_over = true;
	return !connection->is_over;
}

/* --- connections --- */

static void connection_start(struct ws_server *server, struct ws_connection *connection) {
	static const struct wslay_event_callbacks callbacks = {
	    .recv_callback = on_recv, .send_callback = on_send, .on_msg_recv_callback = on_message};
	BUG_ON(wslay_event_context_server_init(&connection->frames, &callbacks, connection) != 0);
	wslay_event_config_set_max_recv_msg_length(connection->frames, server->options.message_max);
	connection->heard_ms = connection->pinged_ms = connection->moved_ms = http_server_clock_ms();
	connection->next = server->connections;
	server->connections = connection;
	connection->session = server->options.handler->open(server->options.handler->context, &connection->peer);
	if (connection->peer.lasts_ms) connection->ends_ms = connection->heard_ms + connection->peer.lasts_ms;
}

static void connection_end(struct ws_connection *connection) {
	struct ws_server *server = connection->server;
	if (connection->frames) {
		server->options.handler->close(connection->session);
		wslay_event_context_free(connection->frames);
	}
	buf_fini(&connection->early);
	buf_fini(&connection->note);
	MHD_upgrade_action(connection->handle, MHD_UPGRADE_ACTION_CLOSE);
	mem_free(connection);
	ws_server_release(server);
}

/* Reads, answers and writes what can be without waiting. After a broken frame a close frame still goes out. */
static void connection_turn(struct ws_connection *connection, bool readable) {
	wslay_event_context_ptr frames = connection->frames;
	connection->turn_bytes = 0;
	if (readable && wslay_event_want_read(frames) && wslay_event_recv(frames) != 0)
		wslay_event_shutdown_read(frames);
	if (wslay_event_want_write(frames) && wslay_event_send(frames) != 0) connection->is_over = true;
	if (!wslay_event_want_read(frames) && !wslay_event_want_write(frames)) connection->is_over = true;
}

static void connection_dismiss(struct ws_connection *connection) {
	connection->is_dismissed = true;
	if (wslay_event_queue_close(connection->frames, WSLAY_CODE_POLICY_VIOLATION, NULL, 0) != 0)
		connection->is_over = true;
}

static void connection_watch(struct ws_connection *connection, uint64_t now) {
	const uint32_t interval = connection->server->options.ping_interval_ms;
	if (connection->ends_ms && now >= connection->ends_ms && !connection->is_dismissed)
		connection_dismiss(connection);
	if (connection->is_dismissed && now > connection->ends_ms + interval) connection->is_over = true;
	const bool waits = wslay_event_want_write(connection->frames);
	if (now > connection->heard_ms + 2 * (uint64_t)interval) connection->is_over = true;
	if (waits && now > connection->moved_ms + 2 * (uint64_t)interval) connection->is_over = true;
	if (now < connection->heard_ms + interval || now < connection->pinged_ms + interval) return;
	const struct wslay_event_msg ping = {WSLAY_PING, NULL, 0};
	connection->pinged_ms = now;
	if (wslay_event_queue_msg(connection->frames, &ping) != 0) connection->is_over = true;
}

/* --- the thread --- */

static void reap(struct ws_server *server) {
	for (struct ws_connection **at = &server->connections; *at;) {
		struct ws_connection *connection = *at;
		if (connection->is_over) {
			*at = connection->next;
			connection_end(connection);
		} else {
			at = &connection->next;
		}
	}
}

/* Takes over what came in; false: stop. */
static bool take_news(struct ws_server *server) {
	uint64_t ignored;
	const ssize_t got = read(server->event, &ignored, sizeof ignored);
	(void)got;
	pthread_mutex_lock(&server->lock);
	struct ws_connection *adopted = server->adopted;
	const bool woken = server->is_awake, stopping = server->stopping;
	server->adopted = NULL;
	server->is_awake = false;
	pthread_mutex_unlock(&server->lock);
	while (adopted) {
		struct ws_connection *next = adopted->next;
		connection_start(server, adopted);
		connection_turn(adopted, true);
		adopted = next;
	}
	if (woken) server->options.handler->tick(server->options.handler->context);
	return !stopping;
}

/* Until this connection is to be looked at, too. */
static int patience_of(const struct ws_connection *connection, int others_ms) {
	const uint64_t now = http_server_clock_ms();
	uint64_t wait_ms = connection->server->options.ping_interval_ms / 4 + 1;
	const bool ends = connection->ends_ms && !connection->is_dismissed;
	if (ends && connection->ends_ms < now + wait_ms)
		wait_ms = connection->ends_ms > now ? connection->ends_ms - now : 0;
	return others_ms >= 0 && (uint64_t)others_ms < wait_ms ? others_ms : (int)wait_ms;
}

static int fill_poll(struct ws_server *server, size_t *count) {
	int patience_ms = -1;
	*count = 0;
	server->polled[(*count)++] = (struct pollfd){.fd = server->event, .events = POLLIN};
	for (struct ws_connection *at = server->connections; at; at = at->next) {
		const bool full = wslay_event_get_queued_msg_length(at->frames) > READ_PAUSE_BYTES;
		const short in = wslay_event_want_read(at->frames) && !full ? POLLIN : 0;
		const short out = wslay_event_want_write(at->frames) ? POLLOUT : 0;
		server->polled[(*count)++] = (struct pollfd){.fd = at->socket, .events = (short)(in | out)};
		patience_ms = patience_of(at, patience_ms);
	}
	return patience_ms;
}

static void say_goodbye(struct ws_server *server) {
	for (struct ws_connection *at = server->connections; at; at = at->next) {
		wslay_event_queue_close(at->frames, WSLAY_CODE_GOING_AWAY, NULL, 0);
		connection_turn(at, false);
		at->is_over = true;
	}
	reap(server);
}

static void *run(void *context) {
	struct ws_server *server = context;
	size_t count;
	for (;;) {
		const int patience_ms = fill_poll(server, &count);
		if (poll(server->polled, count, patience_ms) < 0 && errno != EINTR) count = 1;
		const uint64_t now = http_server_clock_ms();
		size_t i = 1;
		for (struct ws_connection *at = server->connections; at && i < count; at = at->next, i++) {
			const short seen = server->polled[i].revents;
			connection_watch(at, now);
			connection_turn(at, (seen & (POLLIN | POLLHUP | POLLERR)) != 0);
		}
		if (!take_news(server)) break;
		reap(server);
	}
	say_goodbye(server);
	return NULL;
}

/* --- from outside --- */

enum status ws_server_open(struct ws_server **out, const struct ws_server_options *options, struct err *err) {
	struct ws_server *server = mem_zalloc(1, sizeof *server);
	server->options = *options;
	server->polled = mem_zalloc(options->connections_max + 1, sizeof *server->polled);
	BUG_ON(pthread_mutex_init(&server->lock, NULL) != 0);
	server->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->event >= 0 && pthread_create(&server->thread, NULL, run, server) == 0) {
		*out = server;
		return STATUS_OK;
	}
	if (server->event >= 0) close(server->event);
	pthread_mutex_destroy(&server->lock);
	mem_free(server->polled);
	mem_free(server);
	return err_set(err, STATUS_IO, "cannot start the WebSocket thread: %s", strerror(errno));
}

static void ring(const struct ws_server *server) {
	const uint64_t one = 1;
	const ssize_t written = write(server->event, &one, sizeof one); /* a full counter rings too */
	(void)written;
}

void ws_server_stop(struct ws_server *server) {
	pthread_mutex_lock(&server->lock);
	const bool stops = !server->stopping;
	server->stopping = true;
	pthread_mutex_unlock(&server->lock);
	if (!stops) return;
	ring(server);
	pthread_join(server->thread, NULL);
}

void ws_server_close(struct ws_server *server) {
	if (!server) return;
	ws_server_stop(server);
	close(server->event);
	pthread_mutex_destroy(&server->lock);
	mem_free(server->polled);
	mem_free(server);
}

void ws_server_wake(void *context) {
	struct ws_server *server = context;
	pthread_mutex_lock(&server->lock);
	const bool rings = !server->is_awake;
	server->is_awake = true;
	pthread_mutex_unlock(&server->lock);
	if (rings) ring(server);
}

const struct ws_handler *ws_server_handler(const struct ws_server *server) {
	return server->options.handler;
}

bool ws_server_reserve(struct ws_server *server) {
	pthread_mutex_lock(&server->lock);
	const bool has_room = server->count < server->options.connections_max && !server->stopping;
	if (has_room) server->count++;
	pthread_mutex_unlock(&server->lock);
	return has_room;
}

void ws_server_release(struct ws_server *server) {
	pthread_mutex_lock(&server->lock);
	server->count--;
	pthread_mutex_unlock(&server->lock);
}

void ws_server_adopt(struct ws_server *server, int socket, struct MHD_UpgradeResponseHandle *handle, struct bytes early,
    struct bytes note) {
	struct ws_connection *connection = mem_zalloc(1, sizeof *connection);
	connection->peer.send = on_peer_send;
	connection->server = server;
	connection->socket = socket;
	/* Small answers and notifications go at once, not when the peer has acknowledged the last (some 40 ms). A
	 * socket of TLS is not one of TCP here, and refuses; it has no such wait. */
	const int on = 1;
	setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	connection->handle = handle;
	buf_init(&connection->early, early.len);
	buf_append(&connection->early, early);
	buf_init(&connection->note, note.len);
	buf_append(&connection->note, note);
	connection->peer.note = buf_view(&connection->note);
	pthread_mutex_lock(&server->lock);
	const bool too_late = server->stopping;
	if (!too_late) {
		connection->next = server->adopted;
		server->adopted = connection;
	}
	pthread_mutex_unlock(&server->lock);
	if (too_late)
		connection_end(connection);
	else
		ring(server);
}
