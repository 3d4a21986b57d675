#include "app/serve/consortium.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "app/serve/comet_process.h"
#include "app/serve/comet_rpc.h"
#include "app/serve/signing_guard.h"
#include "app/system.h"
#include "base/log.h"
#include "codec/hex.h"

enum {
	PATH_BYTES = 108,   /* of a unix socket's address */
	SENDING_MS = 10000, /* CometBFT may be busy with a large block */
	ASKING_MS = 2000,   /* a thread of JSON-RPC waits meanwhile */
	STANDING_MS = 1000, /* an answer about CometBFT is as good as new for so long */
	LOOKS_MAX = 20,     /* for strangers among the peers, after a member left */
	LOOK_MS = 500,
	FAULTLESS_MAX = 3, /* with so few members none may be missing */
	TURN_MS = 10000    /* if all have to start CometBFT anew, then one after the other */
};

struct consortium {
	struct consortium_options options;
	char app_socket[PATH_BYTES], rpc_socket[PATH_BYTES];
	struct comet_rpc *sending; /* the bundling thread's own */
	pthread_mutex_t lock;      /* of what follows */
	struct comet_rpc *asking;
	struct comet_process *process; /* NULL: none was started, or it was ended */
	struct engine *engine;         /* set before anything else runs */
	pthread_mutex_t watch_lock;    /* of what follows */
	struct comet_rpc *watching;
	struct comet_status seen; /* at `seen_ms`, if CometBFT answered */
	bool seen_answers;
	uint64_t seen_ms;
	pthread_t guard;
	bool has_guard, sits_out;   /* sits_out: its folder is a copy of one that has signed; before the guard starts */
	pthread_mutex_t guard_lock; /* of what follows */
	pthread_cond_t guard_wake;
	bool somebody_left, is_stopping;
};

static enum status socket_path(char out[PATH_BYTES], const char *data, const char *name, struct err *err) {
	if (snprintf(out, PATH_BYTES, "%s/%s", data, name) < PATH_BYTES) return STATUS_OK;
	return err_set(err, STATUS_INVALID,
	    "%s/%s: a socket's path has at most %d bytes; take a data folder nearer to /", data, name, PATH_BYTES - 1);
}

enum status consortium_open(struct consortium **out, const struct consortium_options *options, struct err *err) {
	struct consortium *consortium = mem_zalloc(1, sizeof *consortium);
	consortium->options = *options;
	pthread_mutex_init(&consortium->lock, NULL);
	pthread_mutex_init(&consortium->watch_lock, NULL);
	pthread_mutex_init(&consortium->guard_lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&consortium->guard_wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	enum status status = socket_path(consortium->app_socket, options->data, "abci.sock", err);
	if (status == STATUS_OK) status = socket_path(consortium->rpc_socket, options->data, "comet.sock", err);
	if (status == STATUS_OK) status = comet_rpc_open(&consortium->sending, consortium->rpc_socket, SENDING_MS, err);
	if (status == STATUS_OK) status = comet_rpc_open(&consortium->asking, consortium->rpc_socket, ASKING_MS, err);
	if (status == STATUS_OK) status = comet_rpc_open(&consortium->watching, consortium->rpc_socket, ASKING_MS, err);
	if (status != STATUS_OK) {
		consortium_close(consortium);
		return status;
	}
	*out = consortium;
	return STATUS_OK;
}

void consortium_close(struct consortium *consortium) {
	if (consortium == NULL) return;
	consortium_stop(consortium);
	comet_rpc_close(consortium->sending);
	comet_rpc_close(consortium->asking);
	comet_rpc_close(consortium->watching);
	pthread_cond_destroy(&consortium->guard_wake);
	pthread_mutex_destroy(&consortium->guard_lock);
	pthread_mutex_destroy(&consortium->watch_lock);
	pthread_mutex_destroy(&consortium->lock);
	mem_free(consortium);
}

const char *consortium_socket(const struct consortium *consortium) {
	return consortium->app_socket;
}

static enum status send(void *context, const struct bytes *bundles, size_t count, struct err *err) {
	struct consortium *consortium = context;
	return comet_rpc_send(consortium->sending, bundles, count, err);
}

static enum status light_block(void *context, struct buf *out, uint64_t height, struct err *err) {
	struct consortium *consortium = context;
	pthread_mutex_lock(&consortium->lock);
	const enum status status = comet_rpc_light_block(consortium->asking, out, height, err);
	pthread_mutex_unlock(&consortium->lock);
	return status;
}

enum status consortium_ask(struct consortium *consortium, struct buf *out, struct bytes request, struct err *err) {
	pthread_mutex_lock(&consortium->lock);
	const enum status status = comet_rpc_forward(consortium->asking, out, request, err);
	pthread_mutex_unlock(&consortium->lock);
	return status;
}

static void restart(struct consortium *consortium) {
	pthread_mutex_lock(&consortium->lock);
	if (consortium->process != NULL) comet_process_restart(consortium->process);
	pthread_mutex_unlock(&consortium->lock);
}

static void members_left(void *context) {
	struct consortium *consortium = context;
	pthread_mutex_lock(&consortium->guard_lock);
	consortium->somebody_left = true;
	pthread_cond_signal(&consortium->guard_wake);
	pthread_mutex_unlock(&consortium->guard_lock);
}

static bool remembers(void *context, addr20 *validator, uint64_t *height) {
	const struct consortium *consortium = context;
	const char *home = consortium->options.home;
	return home != NULL && signing_guard_validator(home, validator, NULL) == STATUS_OK &&
	       signing_guard_height(home, height, NULL) == STATUS_OK;
}

static void forgot(void *context) {
	const struct consortium *consortium = context;
	struct err err;
	if (signing_guard_disown(consortium->options.home, &err) != STATUS_OK) log_error("comet", "%s", err.message);
}

struct comet_link consortium_link(struct consortium *consortium) {
	return (struct comet_link){send, light_block, members_left, consortium, remembers, forgot};
}

/* CometBFT's consensus has stopped. If the others decided what is wrong here, so does the node. Whatever else it was, a
 * full disk or an answer that did not come, CometBFT begins anew; its words are logged, and not the stack of its
 * goroutines. */
static void failed(void *context, const char *line) {
	struct consortium *consortium = context;
	char words[384];
	const char *stack = strstr(line, " stack=");
	snprintf(words, sizeof words, "%.*s", stack != NULL ? (int)(stack - line) : (int)sizeof words - 1, line);
	/* "+2/3 prevoted for an invalid block", "+2/3 committed …", "Failed to process committed block …" */
	if (strstr(words, "an invalid block") != NULL || strstr(words, "process committed block") != NULL)
		comet_fail(consortium->engine, words);
	else if (strncmp(words, "panic", 5) != 0) /* then it ends by itself */
		restart(consortium);
}

/* --- those who left --- */

/* False: the node stops. */
static bool wait_ms(struct consortium *consortium, uint64_t ms) {
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&consortium->guard_lock);
	int result = 0;
	while (!consortium->is_stopping && result == 0)
		result = pthread_cond_timedwait(&consortium->guard_wake, &consortium->guard_lock, &until);
	const bool goes_on = !consortium->is_stopping;
	pthread_mutex_unlock(&consortium->guard_lock);
	return goes_on;
}

/* Of whoever shares the address, as on one machine, the connection ends too, and is made again at once. */
static enum status cut(struct consortium *consortium, const struct comet_peer *peer, struct err *err) {
	struct buf node;
	size_t count = 0;
	buf_init(&node, 64);
	hex_put(&node, BYTES_OF(peer->node), false);
	pthread_mutex_lock(&consortium->lock);
	enum status status =
	    consortium->process == NULL ? STATUS_OK : comet_process_cut(consortium->process, peer->ip, &count, err);
	pthread_mutex_unlock(&consortium->lock);
	if (status == STATUS_OK)
		log_info("comet", "%s is no member any more: %zu connections with %s are ended", buf_cstr(&node), count,
		    peer->ip);
	buf_fini(&node);
	return status;
}

/* Ends the connections of peers that are no members; `strangers`: so many were there. */
static enum status send_away(struct consortium *consortium, size_t *strangers, struct err *err) {
	struct comet_peer peers[COMET_PEERS_MAX];
	size_t count, place;
	*strangers = 0;
	pthread_mutex_lock(&consortium->watch_lock);
	enum status status = comet_rpc_peers(consortium->watching, peers, &count, err);
	pthread_mutex_unlock(&consortium->watch_lock);
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		if (comet_is_follower(consortium->engine, &peers[i].node)) continue;
		status = comet_member_place(consortium->engine, &place, &peers[i].node, err);
		if (status != STATUS_NOTFOUND) continue;
		++*strangers;
		status = cut(consortium, &peers[i], err);
	}
	return status;
}

/* Nothing but a new start ends a connection here. The members take turns, so that the chain goes on. */
static void restart_in_turn(struct consortium *consortium, const char *why) {
	struct comet_status status;
	struct err err;
	size_t place = 0;
	pthread_mutex_lock(&consortium->watch_lock);
	const bool answers = comet_rpc_status(consortium->watching, &status, &err) == STATUS_OK;
	pthread_mutex_unlock(&consortium->watch_lock);
	if (answers && comet_member_place(consortium->engine, &place, &status.node, &err) != STATUS_OK) return;
	log_warn("comet", "CometBFT is started anew in %zu s, since a member left: %s", place * TURN_MS / 1000, why);
	if (wait_ms(consortium, place * TURN_MS)) restart(consortium);
}

/* Looks until no stranger is there: CometBFT may be starting, or the stranger may come back once before its filter
 * knows of the change. */
static void look_for_strangers(struct consortium *consortium) {
	struct err err;
	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		size_t strangers = 0;
		const enum status status = send_away(consortium, &strangers, &err);
		if (status == STATUS_UNSUPPORTED) {
			restart_in_turn(consortium, err.message);
			return;
		}
		if (status == STATUS_OK && strangers == 0) return;
		if (!wait_ms(consortium, LOOK_MS)) return;
	}
	log_warn("comet", "one who is no member any more may still be connected: restart this node");
}

/* --- what an operator asks --- */

struct consortium_standing consortium_standing(struct consortium *consortium) {
	struct consortium_standing out = {.progress = comet_progress(consortium->engine)};
	const uint64_t now = clock_monotonic_ns(&world_clock) / 1000000;
	pthread_mutex_lock(&consortium->watch_lock);
	if (consortium->seen_ms == 0 || now - consortium->seen_ms >= STANDING_MS) {
		consortium->seen_answers = comet_rpc_status(consortium->watching, &consortium->seen, NULL) == STATUS_OK;
		consortium->seen_ms = clock_monotonic_ns(&world_clock) / 1000000;
	}
	if (consortium->seen_answers) {
		out.answers = true;
		out.round = consortium->seen.round;
		out.peers = consortium->seen.peers;
		out.is_catching_up = consortium->seen.is_catching_up;
	}
	pthread_mutex_unlock(&consortium->watch_lock);
	out.liar_count = comet_liars(consortium->engine, out.liars);
	return out;
}

/* --- a folder from a backup --- */

static enum status open_process(struct consortium *consortium, uint64_t height, struct err *err) {
	struct comet_process *process;
	const struct comet_process_options options = {.program = consortium->options.program,
	    .home = consortium->options.home,
	    .app_socket = consortium->app_socket,
	    .rpc_socket = consortium->rpc_socket,
	    .app_height = height,
	    .failed = failed,
	    .context = consortium};
	TRY(comet_process_open(&process, &options, err));
	pthread_mutex_lock(&consortium->lock);
	consortium->process = process;
	pthread_mutex_unlock(&consortium->lock);
	return STATUS_OK;
}

static void close_process(struct consortium *consortium) {
	pthread_mutex_lock(&consortium->lock);
	struct comet_process *process = consortium->process;
	consortium->process = NULL;
	pthread_mutex_unlock(&consortium->lock);
	comet_process_close(process);
}

void consortium_pause(struct consortium *consortium, bool is_paused) {
	pthread_mutex_lock(&consortium->lock);
	if (consortium->process) comet_process_pause(consortium->process, is_paused);
	pthread_mutex_unlock(&consortium->lock);
}

/* Is it where the others are? Its own word alone is none, unless it is alone. */
static bool has_caught_up(struct consortium *consortium, size_t members) {
	const struct consortium_standing is = consortium_standing(consortium);
	return is.answers && !is.is_catching_up && is.progress.height > 0 && (is.peers > 0 || members == 1);
}

/* Meanwhile its key signs nothing. The original may have voted for the height after the newest one, and for the one
 * after that, if it was ahead of the others. */
static void sit_out(struct consortium *consortium) {
	struct err err;
	size_t members = 0;
	do {
		if (!wait_ms(consortium, LOOK_MS)) return;
		members = comet_member_count(consortium->engine);
	} while (!has_caught_up(consortium, members));
	const uint64_t tip = comet_progress(consortium->engine).height;
	const uint64_t above = members > FAULTLESS_MAX ? tip + 2 : tip;
	close_process(consortium);
	enum status status = signing_guard_release(consortium->options.home, above, &err);
	if (status == STATUS_OK) status = open_process(consortium, tip, &err);
	if (status == STATUS_OK)
		log_info("comet", "this member has caught up, and signs above height %llu", (unsigned long long)above);
	else
		log_error("comet", "%s", err.message);
}

static enum status check_copy(struct consortium *consortium, struct err *err) {
	TRY(signing_guard_check(consortium->options.home, &consortium->sits_out, err));
	if (!consortium->sits_out) return STATUS_OK;
	log_warn("comet",
	    "this folder is a copy of one whose key has signed: this member signs nothing until it has caught up with "
	    "the others");
	return signing_guard_hold(consortium->options.home, err);
}

/* --- its thread --- */

static void *guard(void *context) {
	struct consortium *consortium = context;
	if (consortium->sits_out) sit_out(consortium);
	pthread_mutex_lock(&consortium->guard_lock);
	while (!consortium->is_stopping) {
		if (!consortium->somebody_left) {
			pthread_cond_wait(&consortium->guard_wake, &consortium->guard_lock);
			continue;
		}
		consortium->somebody_left = false;
		pthread_mutex_unlock(&consortium->guard_lock);
		look_for_strangers(consortium);
		pthread_mutex_lock(&consortium->guard_lock);
	}
	pthread_mutex_unlock(&consortium->guard_lock);
	return NULL;
}

static void stop_guard(struct consortium *consortium) {
	if (!consortium->has_guard) return;
	pthread_mutex_lock(&consortium->guard_lock);
	consortium->is_stopping = true;
	pthread_cond_broadcast(&consortium->guard_wake);
	pthread_mutex_unlock(&consortium->guard_lock);
	pthread_join(consortium->guard, NULL);
	consortium->has_guard = false;
}

/* --- its life --- */

void consortium_attach(struct consortium *consortium, struct engine *engine) {
	consortium->engine = engine;
}

enum status consortium_start(struct consortium *consortium, uint64_t height, struct err *err) {
	if (consortium->options.home != NULL) {
		TRY(check_copy(consortium, err));
		TRY(open_process(consortium, height, err));
	}
	if (pthread_create(&consortium->guard, NULL, guard, consortium) != 0)
		return err_set(err, STATUS_INTERNAL, "cannot start the thread that sends strangers away");
	consortium->has_guard = true;
	return STATUS_OK;
}

void consortium_stop(struct consortium *consortium) {
	stop_guard(consortium);
	close_process(consortium);
}
