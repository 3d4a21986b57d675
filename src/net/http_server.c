#include "net/http_server.h"

#include "net/http_connection.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BODY_MAX_DEFAULT ((size_t)5 << 20)
#define HEADER_MAX_DEFAULT ((size_t)16 << 10)
#define CONNECTIONS_MAX_DEFAULT 256u
#define REQUEST_TIMEOUT_MS_DEFAULT 30000u
#define IDLE_TIMEOUT_MS_DEFAULT 120000u
#define HELD_MAX_DEFAULT ((size_t)512 << 20)
#define PING_INTERVAL_MS_DEFAULT 30000u
#define DEFERRED_TIMEOUT_MS_DEFAULT 60000u
#define DRAIN_MS_DEFAULT 5000u
#define THREADS_MAX 64u
/* A large body's speed is judged after this part of idle_timeout_ms. */
#define SLOW_AFTER_PART 32u
/* After drain_ms, so many steps more for what was abandoned to reach its clients. */
#define DRAIN_STEP_MS 5
#define DRAIN_LAST_STEPS 40u
/* What the library's pool holds for a connection besides the header: its own records and the answer's header. */
#define POOL_EXTRA_BYTES ((size_t)4 << 10)

struct http_server {
	struct http_server_options options; /* defaults filled in */
	struct http_policy policy;
	int listener; /* -1 once the library owns it */
	int stop_event;
	uint16_t port;
	atomic_uint connection_count;
	atomic_bool is_draining;
	pthread_mutex_t lock; /* of all that follows */
	struct http_connection *connections;
	struct pollfd *polled; /* connections_max of them; the sweeper's */
};

static const char *const vhosts_default[] = {"localhost", NULL};

const struct http_policy *http_server_policy(const struct http_server *server) {
	return &server->policy;
}

bool http_server_has_company(const struct http_server *server) {
	return server->connection_count > 1;
}

bool http_server_is_draining(const struct http_server *server) {
	return server->is_draining;
}

void http_server_lock(struct http_server *server) {
	pthread_mutex_lock(&server->lock);
}

void http_server_unlock(struct http_server *server) {
	pthread_mutex_unlock(&server->lock);
}

uint64_t http_server_clock_ns(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t http_server_clock_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint16_t http_server_port(const struct http_server *server) {
	return server->port;
}

static void fill_defaults(struct http_server_options *options) {
	if (!options->address) options->address = "127.0.0.1";
	if (!options->body_max) options->body_max = BODY_MAX_DEFAULT;
	if (!options->response_max) options->response_max = BUF_MAX_DEFAULT;
	if (!options->header_max) options->header_max = HEADER_MAX_DEFAULT;
	if (!options->connections_max) options->connections_max = CONNECTIONS_MAX_DEFAULT;
	if (!options->request_timeout_ms) options->request_timeout_ms = REQUEST_TIMEOUT_MS_DEFAULT;
	if (!options->idle_timeout_ms) options->idle_timeout_ms = IDLE_TIMEOUT_MS_DEFAULT;
	if (!options->held_max) options->held_max = HELD_MAX_DEFAULT;
	if (!options->threads) options->threads = 1;
	if (!options->deferred_max) options->deferred_max = options->connections_max / 2 + 1;
	if (!options->deferred_timeout_ms) options->deferred_timeout_ms = DEFERRED_TIMEOUT_MS_DEFAULT;
	if (!options->drain_ms) options->drain_ms = DRAIN_MS_DEFAULT;
	if (!options->vhosts) options->vhosts = vhosts_default;
	if (!options->websockets_max) options->websockets_max = options->connections_max / 2 + 1;
	if (!options->message_max) options->message_max = options->body_max;
	if (!options->ping_interval_ms) options->ping_interval_ms = PING_INTERVAL_MS_DEFAULT;
}

static enum status bind_listener(
    int socket, const struct addrinfo *address, const struct http_server_options *options, struct err *err) {
	int one = 1;
	if (setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
		return err_set(err, STATUS_IO, "cannot prepare a socket: %s", strerror(errno));
	if (bind(socket, address->ai_addr, address->ai_addrlen) == 0 && listen(socket, SOMAXCONN) == 0)
		return STATUS_OK;
	int why = errno;
	if (why == EADDRINUSE)
		return err_set(err, STATUS_BUSY, "port %u on %s is in use by another process; choose another port",
		    options->port, options->address);
	return err_set(err, why == EACCES ? STATUS_DENIED : STATUS_IO, "cannot listen on port %u of %s: %s",
	    options->port, options->address, strerror(why));
}

static enum status open_listener(struct http_server *server, struct err *err) {
	const struct http_server_options *options = &server->options;
	const struct addrinfo hints = {
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char port[8];
	snprintf(port, sizeof port, "%u", options->port);
	if (getaddrinfo(options->address, port, &hints, &found) != 0)
		return err_set(err, STATUS_INVALID, "\"%s\" is not a numeric address to listen on", options->address);
	server->listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum status status = server->listener < 0 ? err_set(err, STATUS_IO, "cannot make a socket: %s", strerror(errno))
						  : bind_listener(server->listener, found, options, err);
	freeaddrinfo(found);
	if (status != STATUS_OK) return status;
	struct sockaddr_storage bound;
	socklen_t size = sizeof bound;
	char text[8];
	if (getsockname(server->listener, (struct sockaddr *)&bound, &size) != 0 ||
	    getnameinfo((struct sockaddr *)&bound, size, NULL, 0, text, sizeof text, NI_NUMERICSERV) != 0)
		return err_set(err, STATUS_IO, "cannot read back the port");
	server->port = (uint16_t)strtoul(text, NULL, 10);
	return STATUS_OK;
}

static struct http_policy policy_of(const struct http_server_options *options, const struct http_service *service) {
	return (struct http_policy){.service = *service,
	    .tally = http_tally_new(),
	    .header_max = options->header_max + POOL_EXTRA_BYTES,
	    .body_max = options->body_max,
	    .response_max = options->response_max,
	    .deferred_max = options->deferred_max,
	    .deferred_timeout_ms = options->deferred_timeout_ms,
	    .request_timeout_ms = options->request_timeout_ms,
	    .idle_timeout_ms = options->idle_timeout_ms,
	    .vhosts = options->vhosts,
	    .cors_origins = options->cors_origins,
	    .observer = options->observer ? *options->observer : (struct http_observer){0}};
}

static enum status open_all(struct http_server *server, struct err *err) {
	const struct ws_server_options websockets = {.handler = server->options.websockets,
	    .message_max = server->options.message_max,
	    .ping_interval_ms = server->options.ping_interval_ms,
	    .connections_max = server->options.websockets_max};
	server->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->stop_event < 0) return err_set(err, STATUS_IO, "cannot make an event: %s", strerror(errno));
	if (server->options.tls) TRY(tls_server_open(&server->policy.tls, server->options.tls, err));
	TRY(open_listener(server, err));
	return websockets.handler ? ws_server_open(&server->policy.websockets, &websockets, err) : STATUS_OK;
}

enum status http_server_open(struct http_server **out, const struct http_server_options *options,
    const struct http_service *service, struct err *err) {
	*out = NULL;
	if (options->threads > THREADS_MAX)
		return err_set(err, STATUS_INVALID, "%u service threads; at most %u", options->threads, THREADS_MAX);
	struct http_server *server = mem_zalloc(1, sizeof *server);
	server->options = *options;
	fill_defaults(&server->options);
	server->policy = policy_of(&server->options, service);
	server->listener = server->stop_event = -1;
	server->polled =
	    mem_zalloc(server->options.connections_max + 2 * server->options.threads, sizeof *server->polled);
	BUG_ON(pthread_mutex_init(&server->lock, NULL) != 0);
	enum status status = open_all(server, err);
	if (status == STATUS_OK)
		*out = server;
	else
		http_server_close(server);
	return status;
}

void http_server_close(struct http_server *server) {
	if (!server) return;
	ws_server_close(server->policy.websockets);
	tls_server_close(server->policy.tls);
	if (server->listener >= 0) close(server->listener);
	if (server->stop_event >= 0) close(server->stop_event);
	pthread_mutex_destroy(&server->lock);
	http_tally_release(server->policy.tally);
	mem_free(server->polled);
	mem_free(server);
}

void http_server_wake(void *context) {
	struct http_server *server = context;
	if (server->policy.websockets) ws_server_wake(server->policy.websockets);
}

enum status http_server_reload_tls(struct http_server *server, const struct tls_files *files, struct err *err) {
	if (!server->policy.tls || !files->cert)
		return err_set(err, STATUS_UNSUPPORTED, "switching TLS on or off needs a restart");
	return tls_server_reload(server->policy.tls, files, err);
}

void http_server_stop(struct http_server *server) {
	const uint64_t one = 1;
	ssize_t written = write(server->stop_event, &one, sizeof one); /* a full counter means that it is set already */
	(void)written;
}

/* --- connections that have to go --- */

/* Under the lock. The library frees a connection only after on_connection took it off the list, so the socket is still
 * its own here. */
static void cut(struct http_connection *connection) {
	connection->phase = PHASE_CUT;
	shutdown(connection->socket, SHUT_RDWR);
}

/* For the client: it is the client's time that passes. */
static bool is_waiting(const struct http_connection *connection) {
	const enum connection_phase phase = connection->phase;
	return phase == PHASE_IDLE || phase == PHASE_RECEIVING || phase == PHASE_SENDING;
}

/* Under the lock: who has been in its phase longest, of those that wait and hold more than `held_bytes`; or NULL. */
static struct http_connection *longest_waiting(const struct http_server *server, size_t held_bytes) {
	struct http_connection *longest = NULL;
	for (struct http_connection *at = server->connections; at; at = at->next)
		if (is_waiting(at) && at->held_bytes >= held_bytes && (!longest || at->since_ms < longest->since_ms))
			longest = at;
	return longest;
}

void http_server_count_held(struct http_server *server, size_t now, size_t before) {
	struct http_connection *longest;
	size_t held = 0;
	if (atomic_fetch_add(&server->policy.tally->held_bytes, now - before) + now - before <=
	    server->options.held_max)
		return;
	pthread_mutex_lock(&server->lock);
	for (struct http_connection *at = server->connections; at; at = at->next)
		if (at->phase != PHASE_CUT) held += at->held_bytes;
	while (
	    held > server->options.held_max / 4 * 3 && (longest = longest_waiting(server, HTTP_KEEP_BYTES)) != NULL) {
		held -= longest->held_bytes;
		cut(longest);
	}
	pthread_mutex_unlock(&server->lock);
}

bool http_server_is_full(const struct http_server *server) {
	return server->policy.tally->held_bytes > server->options.held_max;
}

/* A body of the largest size would not be whole in its time, if it came like this one. */
static bool is_slow(const struct http_connection *connection, size_t large_body_max, uint32_t patience_ms) {
	const uint64_t took_ms = http_server_clock_ms() - connection->exchange->large_since_ms;
	return took_ms > patience_ms / SLOW_AFTER_PART &&
	       (uint64_t)connection->body_bytes * patience_ms < took_ms * large_body_max;
}

bool http_server_take_slow_place(struct http_server *server, const struct http_limits *limits) {
	bool has_place = false;
	pthread_mutex_lock(&server->lock);
	for (struct http_connection *at = server->connections; at && !has_place; at = at->next) {
		atomic_uint *large = limits->large;
		if (at->phase != PHASE_RECEIVING || at->exchange->large_place != large ||
		    !is_slow(at, limits->large_body_max, server->options.idle_timeout_ms))
			continue;
		has_place = atomic_compare_exchange_strong(&at->exchange->large_place, &large, NULL);
		if (has_place) cut(at);
	}
	pthread_mutex_unlock(&server->lock);
	return has_place;
}

/* Under the lock: the client of a deferred exchange gets `status` (0: nothing), whatever its owner answers later. */
static void abandon(struct http_connection *connection, int status) {
	struct MHD_Connection *mhd = connection->exchange->mhd;
	if (!exchange_abandon(connection->exchange)) return;
	connection->abandoned = connection->exchange;
	connection->exchange = NULL;
	connection->held_bytes = 0;
	connection->abandoned_status = status;
	connection->phase = PHASE_HANDLING;
	MHD_resume_connection(mhd);
}

/* The library does not look at these. */
static bool is_suspended(const struct http_connection *connection) {
	return connection->phase == PHASE_DEFERRED || connection->phase == PHASE_PAUSED;
}

/* Under the lock. A client that has only ended its own side may still read an answer, but would leave a stream open
 * without end. */
static void watch_one(struct http_connection *connection, short seen, uint64_t now) {
	if (connection->phase == PHASE_PAUSED) {
		if (seen) http_stream_end(connection);
		return;
	}
	if (seen) connection->exchange->is_gone = true;
	if (seen & (POLLHUP | POLLERR | POLLNVAL))
		abandon(connection, 0);
	else if (now >= connection->exchange->due_ms)
		abandon(connection, MHD_HTTP_GATEWAY_TIMEOUT);
}

/* Under the lock. */
static void watch_suspended(struct http_server *server, uint64_t now) {
	size_t count = 0, index = 0;
	for (struct http_connection *at = server->connections; at; at = at->next)
		if (is_suspended(at)) server->polled[count++] = (struct pollfd){.fd = at->socket, .events = POLLRDHUP};
	if (count == 0 || poll(server->polled, count, 0) < 0) return;
	for (struct http_connection *at = server->connections; at && index < count; at = at->next) {
		if (at->socket != server->polled[index].fd) continue;
		const short seen = server->polled[index++].revents;
		if (is_suspended(at)) watch_one(at, seen, now);
	}
}

/* Closes what is slower than the rule in http_server.h allows. */
static void sweep(struct http_server *server) {
	const uint64_t now = http_server_clock_ms();
	pthread_mutex_lock(&server->lock);
	for (struct http_connection *at = server->connections; at; at = at->next)
		if (is_waiting(at) && now > at->since_ms && now - at->since_ms > at->patience_ms) cut(at);
	watch_suspended(server, now);
	pthread_mutex_unlock(&server->lock);
}

/* --- the library's callbacks --- */

static enum MHD_Result on_accept(void *context, const struct sockaddr *address, socklen_t size) {
	(void)address, (void)size;
	struct http_server *server = context;
	if (server->is_draining) return MHD_NO;
	if (server->connection_count < server->options.connections_max) return MHD_YES;
	pthread_mutex_lock(&server->lock);
	struct http_connection *longest = longest_waiting(server, 0);
	if (longest) cut(longest);
	pthread_mutex_unlock(&server->lock);
	return longest ? MHD_YES : MHD_NO;
}

static void link_connection(struct http_server *server, struct http_connection *connection) {
	pthread_mutex_lock(&server->lock);
	connection->next = server->connections;
	if (connection->next) connection->next->prev = connection;
	server->connections = connection;
	pthread_mutex_unlock(&server->lock);
}

static void unlink_connection(struct http_server *server, struct http_connection *connection) {
	pthread_mutex_lock(&server->lock);
	if (connection->next) connection->next->prev = connection->prev;
	if (connection->prev)
		connection->prev->next = connection->next;
	else
		server->connections = connection->next;
	pthread_mutex_unlock(&server->lock);
}

static void on_connection(
    void *context, struct MHD_Connection *mhd, void **slot, enum MHD_ConnectionNotificationCode code) {
	struct http_server *server = context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		struct http_connection *connection = http_connection_new(server, mhd);
		*slot = connection;
		server->connection_count++;
		link_connection(server, connection);
	} else if (*slot) {
		unlink_connection(server, *slot);
		server->connection_count--;
		http_connection_free(*slot);
		*slot = NULL;
	}
}

static struct http_connection *connection_of(struct MHD_Connection *mhd) {
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* The library would keep a record of each parameter of the query in its small pool, and drop the connection when that
 * is full. Nobody reads these, since the target was copied: the library's own copy ends at the '?'. */
static void hide_query(char *target) {
	char *query = strchr(target, '?');
	if (query) query[1] = 0;
}

static void *on_target(void *context, const char *target, struct MHD_Connection *mhd) {
	(void)context;
	struct http_connection *connection = connection_of(mhd);
	http_connection_begin(connection, target);
	hide_query((char *)(uintptr_t)target);
	return connection;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **slot) {
	(void)context, (void)url;
	const struct http_request_line line = {method, version};
	return http_connection_serve(*slot, mhd, &line, upload, upload_size);
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **slot, enum MHD_RequestTerminationCode code) {
	(void)context, (void)mhd, (void)code;
	http_connection_end(*slot);
}

/* Paths and queries stay as they were sent. */
static size_t keep_escapes(void *context, struct MHD_Connection *mhd, char *text) {
	(void)context, (void)mhd;
	return strlen(text);
}

/* --- running --- */

/* The library wants to know where a certificate comes from; each connection gets its identity's before it asks. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *names, int name_count,
    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **certificate, unsigned *count,
    gnutls_privkey_t *key) {
	(void)session, (void)names, (void)name_count, (void)algorithms, (void)algorithm_count;
	(void)certificate, (void)count, (void)key;
	return -1;
}

static struct MHD_Daemon *start_daemon(struct http_server *server) {
	const struct http_server_options *options = &server->options;
	const unsigned timeout_s = options->idle_timeout_ms / 1000 + 1;
	const struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
	    {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)no_certificate}, {MHD_OPTION_END, 0, NULL}};
	const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	/* With epoll the library spins while a handshake waits for its client (0.9.75); with poll it sleeps. */
	const unsigned loop =
	    server->policy.tls ? MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS : MHD_USE_EPOLL_INTERNAL_THREAD;
	return MHD_start_daemon(loop | MHD_USE_ITC | MHD_ALLOW_UPGRADE | MHD_ALLOW_SUSPEND_RESUME, 0, on_accept, server,
	    on_request, server, MHD_OPTION_ARRAY, server->policy.tls ? tls : none, MHD_OPTION_LISTEN_SOCKET,
	    server->listener, MHD_OPTION_CONNECTION_LIMIT, options->connections_max + 2 * options->threads,
	    MHD_OPTION_CONNECTION_TIMEOUT, timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    options->header_max + POOL_EXTRA_BYTES, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
	    MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
	    options->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, options->threads, MHD_OPTION_END);
}

/* What the stop waits for: requests whose header is there, and their answers. Idle connections are cut. */
static bool has_work(struct http_server *server) {
	bool found = false;
	pthread_mutex_lock(&server->lock);
	for (struct http_connection *at = server->connections; at; at = at->next) {
		const enum connection_phase phase = at->phase;
		if (phase == PHASE_IDLE)
			cut(at);
		else
			found |= phase != PHASE_CUT && phase != PHASE_UPGRADED;
	}
	pthread_mutex_unlock(&server->lock);
	return found;
}

/* True: the library may stop. It must not while connections are suspended, or owners are about to resume them. */
static bool abandon_all(struct http_server *server) {
	bool any = false;
	pthread_mutex_lock(&server->lock);
	for (struct http_connection *at = server->connections; at; at = at->next) {
		if (at->phase != PHASE_DEFERRED) continue;
		any = true;
		abandon(at, MHD_HTTP_SERVICE_UNAVAILABLE);
	}
	pthread_mutex_unlock(&server->lock);
	return !any && server->policy.tally->answering == 0;
}

/* They are read once more, and end if there is nothing: none pauses any more. */
static void end_streams(struct http_server *server) {
	pthread_mutex_lock(&server->lock);
	for (struct http_connection *at = server->connections; at; at = at->next)
		if (at->phase == PHASE_PAUSED) http_stream_resume(at);
	pthread_mutex_unlock(&server->lock);
}

static void pause_ms(long ms) {
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* The ordered stop. */
static void drain(struct http_server *server) {
	const uint64_t until = http_server_clock_ms() + server->options.drain_ms;
	server->is_draining = true;
	end_streams(server);
	while (has_work(server) && http_server_clock_ms() < until) {
		sweep(server);
		pause_ms(DRAIN_STEP_MS);
	}
	for (unsigned i = 0; !abandon_all(server) || (i < DRAIN_LAST_STEPS && has_work(server)); i++)
		pause_ms(DRAIN_STEP_MS);
}

enum status http_server_run(struct http_server *server, struct err *err) {
	BUG_ON(server->listener < 0);
	struct MHD_Daemon *daemon = start_daemon(server);
	if (!daemon) return err_set(err, STATUS_IO, "the HTTP server does not start on port %u", server->port);
	server->listener = -1;
	const uint32_t quarter_ms = server->options.request_timeout_ms / 4;
	const int patience_ms = (int)(quarter_ms < 10 ? 10 : quarter_ms > 1000 ? 1000 : quarter_ms);
	struct pollfd stop = {.fd = server->stop_event, .events = POLLIN};
	while (poll(&stop, 1, patience_ms) <= 0) sweep(server);
	/* Nobody else is accepted from here on (on_accept). MHD_quiesce_daemon would say so to the library, but version
	 * 0.9.75 aborts the process if a service thread takes the listening socket out of its epoll set at the same
	 * time. */
	drain(server);
	/* The library waits for the sockets that it handed over. */
	if (server->policy.websockets) ws_server_stop(server->policy.websockets);
	MHD_stop_daemon(daemon);
	return STATUS_OK;
}
