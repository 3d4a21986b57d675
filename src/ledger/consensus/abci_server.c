#include "ledger/consensus/abci_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "codec/protobuf.h"

enum {
	READ_BYTES = 1 << 18,  /* of one connection before the others have their turn */
	KEPT_BYTES = 1 << 20,  /* a buffer that has grown over it is given back when it is empty */
	LENGTH_BYTES_MAX = 10, /* of a varint */
	POLL_LISTENER = 0,
	POLL_WAKE = 1,
	POLL_FIRST = 2
};

struct connection {
	int fd;
	struct buf in, out;
	size_t sent;    /* of `out` */
	bool is_last;   /* nothing more is read; closed once all was sent */
	bool is_comets; /* it brought blocks, transactions or a snapshot, and not only somebody's question */
};

struct abci_server {
	struct abci_application application;
	int listener, wake; /* -1: none */
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	struct connection connections[ABCI_CONNECTIONS_MAX];
	size_t count;
	struct arena arena; /* of one request */
};

/* --- one request --- */

static enum status answer_block(
    struct abci_server *server, struct buf *out, const struct abci_request *request, struct err *err) {
	const struct abci_application *app = &server->application;
	const struct abci_block *block = &request->block;
	struct bytes *txs = arena_alloc(&server->arena, block->tx_count * sizeof *txs);
	size_t count = 0;
	if (request->kind == ABCI_PREPARE_PROPOSAL) {
		TRY(app->prepare(app->context, txs, &count, block, err));
		BUG_ON(count > block->tx_count);
		abci_put_prepared(out, txs, count);
		return STATUS_OK;
	}
	if (request->kind == ABCI_PROCESS_PROPOSAL) {
		struct abci_verdict verdict = {.log = ""};
		TRY(app->process(app->context, &verdict, block, err));
		if (verdict.code != 0)
			log_warn("abci", "a proposal for height %llu is refused: %s", (unsigned long long)block->height,
			    verdict.log);
		abci_put_processed(out, verdict.code == 0);
		return STATUS_OK;
	}
	struct abci_outcome outcome = {0};
	TRY(app->finalize(app->context, &outcome, &server->arena, block, err));
	const struct abci_decided decided = {.tx_count = block->tx_count,
	    .updates = outcome.updates,
	    .update_count = outcome.update_count,
	    .code = outcome.code,
	    .app_hash = BYTES_OF(outcome.app_hash)};
	abci_put_finalized(out, &decided);
	return STATUS_OK;
}

static enum status answer_info(struct abci_server *server, struct buf *out, struct err *err) {
	const struct abci_application *app = &server->application;
	struct abci_standing standing = {0};
	TRY(app->info(app->context, &standing, err));
	abci_put_info(out, app->name, standing.height, BYTES_OF(standing.app_hash));
	return STATUS_OK;
}

static enum status answer_init(
    struct abci_server *server, struct buf *out, const struct abci_init *init, struct err *err) {
	const struct abci_application *app = &server->application;
	struct abci_started started = {0};
	TRY(app->init_chain(app->context, &started, &server->arena, init, err));
	abci_put_init_chain(out, started.validators, started.validator_count, BYTES_OF(started.app_hash));
	return STATUS_OK;
}

static enum status answer_commit(struct abci_server *server, struct buf *out, struct err *err) {
	const struct abci_application *app = &server->application;
	uint64_t retain_height = 0;
	TRY(app->commit(app->context, &retain_height, err));
	abci_put_commit(out, retain_height);
	return STATUS_OK;
}

static enum status answer_chunk(
    struct abci_server *server, struct buf *out, const struct abci_chunk *wanted, struct err *err) {
	const struct abci_application *app = &server->application;
	struct buf chunk;
	buf_init(&chunk, ABCI_FRAME_MAX);
	const enum status status = app->read_chunk(app->context, &chunk, wanted, err);
	if (status == STATUS_OK) abci_put_loaded(out, buf_view(&chunk));
	buf_fini(&chunk);
	return status;
}

static enum status answer_snapshots(
    struct abci_server *server, struct buf *out, const struct abci_request *request, struct err *err) {
	const struct abci_application *app = &server->application;
	if (request->kind == ABCI_LIST_SNAPSHOTS) {
		const struct abci_snapshot *snapshots = NULL;
		size_t count = 0;
		TRY(app->list(app->context, &snapshots, &count, &server->arena, err));
		abci_put_snapshots(out, snapshots, count);
	} else if (request->kind == ABCI_OFFER_SNAPSHOT) {
		enum abci_offered verdict = ABCI_OFFER_REJECT;
		TRY(app->offer(app->context, &verdict, &request->offer, err));
		abci_put_offered(out, verdict);
	} else if (request->kind == ABCI_APPLY_SNAPSHOT_CHUNK) {
		struct abci_applying applying = {.verdict = ABCI_APPLY_ABORT, .index = request->chunk.index};
		TRY(app->apply(app->context, &applying, &server->arena, &request->chunk, err));
		abci_put_applied(out, &applying);
	} else {
		return answer_chunk(server, out, &request->chunk, err);
	}
	return STATUS_OK;
}

static enum status answer(
    struct abci_server *server, struct buf *out, const struct abci_request *request, struct err *err) {
	const struct abci_application *app = &server->application;
	struct abci_verdict verdict = {.log = ""};
	switch (request->kind) {
	case ABCI_ECHO: abci_put_echo(out, request->echo); return STATUS_OK;
	case ABCI_FLUSH: abci_put_flush(out); return STATUS_OK;
	case ABCI_QUERY:
		TRY(app->query(app->context, &verdict, &request->query, err));
		abci_put_query(out, verdict.code, verdict.log, (struct bytes){0});
		return STATUS_OK;
	case ABCI_CHECK_TX:
		TRY(app->check_tx(app->context, &verdict, request->check_tx, err));
		abci_put_check_tx(out, verdict.code, verdict.log);
		return STATUS_OK;
	case ABCI_LIST_SNAPSHOTS:
	case ABCI_OFFER_SNAPSHOT:
	case ABCI_LOAD_SNAPSHOT_CHUNK:
	case ABCI_APPLY_SNAPSHOT_CHUNK: return answer_snapshots(server, out, request, err);
	case ABCI_PREPARE_PROPOSAL:
	case ABCI_PROCESS_PROPOSAL:
	case ABCI_FINALIZE_BLOCK: return answer_block(server, out, request, err);
	case ABCI_INFO: return answer_info(server, out, err);
	case ABCI_INIT_CHAIN: return answer_init(server, out, &request->init, err);
	case ABCI_COMMIT: return answer_commit(server, out, err);
	}
	return err_set(err, STATUS_INTERNAL, "an ABCI request that nobody answers");
}

/* Answers go out framed as requests come in. */
static void put_frame(struct connection *connection, struct bytes message) {
	protobuf_put_uvarint(&connection->out, message.len);
	buf_append(&connection->out, message);
}

/* What only a CometBFT at work sends. */
static bool is_comets(enum abci_kind kind) {
	return kind == ABCI_FINALIZE_BLOCK || kind == ABCI_CHECK_TX || kind == ABCI_OFFER_SNAPSHOT;
}

/* A bad request ends its connection; a failure of the application ends the loop, too. */
static enum status serve_message(
    struct abci_server *server, struct connection *connection, struct bytes message, struct err *err) {
	struct abci_request request;
	struct err failure;
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	const bool good = abci_request_decode(&request, &server->arena, message, &failure) == STATUS_OK;
	if (good && is_comets(request.kind)) connection->is_comets = true;
	const enum status status = good ? answer(server, &out, &request, &failure) : STATUS_OK;
	if (!good || status != STATUS_OK) {
		log_error("abci", "%s", failure.message);
		buf_clear(&out);
		abci_put_exception(&out, failure.message);
		connection->is_last = true;
	}
	put_frame(connection, buf_view(&out));
	buf_fini(&out);
	arena_reset(&server->arena);
	if (status != STATUS_OK && err != NULL) *err = failure;
	return status;
}

/* --- a connection's bytes --- */

static void give_back(struct buf *buf) {
	const size_t max = buf->max;
	if (buf->cap <= KEPT_BYTES) {
		buf_clear(buf);
		return;
	}
	buf_fini(buf);
	buf_init(buf, max);
}

static void bad_frame(struct connection *connection) {
	log_error("abci", "a frame without a length, or longer than %zu bytes; the connection is closed",
	    (size_t)ABCI_FRAME_MAX);
	connection->is_last = true;
}

/* The frames that are whole. */
static enum status serve_frames(struct abci_server *server, struct connection *connection, struct err *err) {
	struct bytes rest = buf_view(&connection->in);
	enum status status = STATUS_OK;
	while (status == STATUS_OK && !connection->is_last && rest.len > 0) {
		struct bytes body = rest;
		uint64_t len;
		const bool has_length = protobuf_uvarint(&len, &body);
		if (!has_length && rest.len < LENGTH_BYTES_MAX) break;
		if (!has_length || len > ABCI_FRAME_MAX) {
			bad_frame(connection);
			break;
		}
		if (body.len < len) break;
		status = serve_message(server, connection, bytes_make(body.data, (size_t)len), err);
		rest = bytes_make(body.data + len, body.len - (size_t)len);
	}
	const size_t used = connection->in.len - rest.len;
	if (rest.len == 0) {
		give_back(&connection->in);
	} else if (used > 0) {
		memmove(connection->in.data, rest.data, rest.len);
		connection->in.len = rest.len;
	}
	return status;
}

/* False: the peer has gone. */
static bool read_some(struct connection *connection) {
	uint8_t *room = buf_extend(&connection->in, READ_BYTES);
	if (room == NULL) return false;
	const ssize_t got = recv(connection->fd, room, READ_BYTES, 0);
	connection->in.len -= READ_BYTES - (got > 0 ? (size_t)got : 0);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* False: the peer has gone. */
static bool send_some(struct connection *connection) {
	while (connection->sent < connection->out.len) {
		const ssize_t sent = send(connection->fd, connection->out.data + connection->sent,
		    connection->out.len - connection->sent, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) continue;
		if (sent < 0) return errno == EAGAIN;
		connection->sent += (size_t)sent;
	}
	give_back(&connection->out);
	connection->sent = 0;
	return true;
}

static void forget(struct abci_server *server, size_t at) {
	struct connection *connection = &server->connections[at];
	const bool is_comets = connection->is_comets;
	close(connection->fd);
	buf_fini(&connection->in);
	buf_fini(&connection->out);
	server->connections[at] = server->connections[--server->count];
	if (is_comets) server->application.closed(server->application.context);
}

/* --- the loop --- */

static void take_new(struct abci_server *server) {
	const int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) return;
	if (server->count == ABCI_CONNECTIONS_MAX) {
		log_warn("abci", "more than %d connections to the ABCI socket", ABCI_CONNECTIONS_MAX);
		close(fd);
		return;
	}
	struct connection *connection = &server->connections[server->count++];
	*connection = (struct connection){.fd = fd};
	buf_init(&connection->in, ABCI_FRAME_MAX + LENGTH_BYTES_MAX + READ_BYTES);
	buf_init(&connection->out, SIZE_MAX / 2); /* bounded by what is asked, and by the blocks' size */
}

/* `is_open` false: it is to be forgotten. */
static enum status serve_connection(
    struct abci_server *server, struct connection *connection, short events, bool *is_open, struct err *err) {
	enum status status = STATUS_OK;
	*is_open = true;
	if ((events & (POLLIN | POLLHUP | POLLERR)) && !connection->is_last) {
		*is_open = read_some(connection);
		if (*is_open) status = serve_frames(server, connection, err);
	}
	if (*is_open) *is_open = send_some(connection);
	if (connection->is_last && connection->out.len == 0) *is_open = false;
	if (connection->is_last && (events & (POLLHUP | POLLERR))) *is_open = false;
	return status;
}

static void wait_for_events(const struct abci_server *server, struct pollfd *polled, int timeout_ms) {
	polled[POLL_LISTENER] = (struct pollfd){.fd = server->listener, .events = POLLIN};
	polled[POLL_WAKE] = (struct pollfd){.fd = server->wake, .events = POLLIN};
	for (size_t i = 0; i < server->count; i++) {
		const struct connection *connection = &server->connections[i];
		const int out = connection->out.len > 0 ? POLLOUT : 0, in = connection->is_last ? 0 : POLLIN;
		polled[POLL_FIRST + i] = (struct pollfd){.fd = connection->fd, .events = (short)(in | out)};
	}
	if (poll(polled, POLL_FIRST + server->count, timeout_ms) >= 0) return;
	for (size_t i = 0; i < POLL_FIRST + server->count; i++) polled[i].revents = 0; /* a signal came */
}

enum status abci_server_turn(struct abci_server *server, int timeout_ms, struct err *err) {
	struct pollfd polled[POLL_FIRST + ABCI_CONNECTIONS_MAX];
	wait_for_events(server, polled, timeout_ms);
	if (polled[POLL_WAKE].revents != 0) {
		uint64_t count;
		if (read(server->wake, &count, sizeof count) < 0 && errno != EAGAIN)
			return err_set(err, STATUS_IO, "the ABCI loop's eventfd: %s", strerror(errno));
	}
	/* From the last on, since one that is forgotten gives its place to the last. */
	for (size_t i = server->count; i-- > 0;) {
		bool is_open = true;
		const short events = polled[POLL_FIRST + i].revents;
		if (events == 0) continue;
		const enum status status = serve_connection(server, &server->connections[i], events, &is_open, err);
		if (!is_open) forget(server, i);
		TRY(status);
	}
	if (polled[POLL_LISTENER].revents != 0) take_new(server);
	return STATUS_OK;
}

void abci_server_wake(struct abci_server *server) {
	const uint64_t one = 1;
	const ssize_t written = write(server->wake, &one, sizeof one);
	(void)written; /* it fails only while a wake-up waits already */
}

/* --- opening --- */

static enum status listen_at(struct abci_server *server, const char *path, struct err *err) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return err_set(err, STATUS_INVALID, "%s: a socket's path has at most %zu bytes", path,
		    sizeof address.sun_path - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(path);
	/* Linux gives the file the mode that its socket has. */
	const bool bound = server->listener >= 0 && fchmod(server->listener, 0600) == 0 &&
			   bind(server->listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
			   listen(server->listener, ABCI_CONNECTIONS_MAX) == 0;
	if (!bound) return err_set(err, STATUS_IO, "cannot listen at %s: %s", path, strerror(errno));
	memcpy(server->path, address.sun_path, sizeof server->path);
	return STATUS_OK;
}

enum status abci_server_open(
    struct abci_server **out, const char *path, const struct abci_application *application, struct err *err) {
	struct abci_server *server = mem_zalloc(1, sizeof *server);
	server->application = *application;
	server->listener = -1;
	arena_init(&server->arena);
	server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	enum status status = STATUS_OK;
	if (server->wake < 0) status = err_set(err, STATUS_INTERNAL, "no eventfd: %s", strerror(errno));
	if (status == STATUS_OK) status = listen_at(server, path, err);
	if (status != STATUS_OK) {
		abci_server_close(server);
		return status;
	}
	*out = server;
	return STATUS_OK;
}

void abci_server_close(struct abci_server *server) {
	if (server == NULL) return;
	for (size_t i = 0; i < server->count; i++) {
		close(server->connections[i].fd);
		buf_fini(&server->connections[i].in);
		buf_fini(&server->connections[i].out);
	}
	if (server->listener >= 0) close(server->listener);
	if (server->path[0] != 0) unlink(server->path);
	if (server->wake >= 0) close(server->wake);
	arena_fini(&server->arena);
	mem_free(server);
}
