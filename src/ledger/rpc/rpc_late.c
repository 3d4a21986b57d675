#include "ledger/rpc/rpc_late.h"
#include "ledger/rpc/rpc_filters.h"
#include "ledger/rpc/rpc_send.h"

#include <time.h>

#define HOLES_MAX 4096u /* over all messages */
#define REASON_BYTES ((size_t)4096)
#define LOOK_EVERY_MS 1000u /* for clients that left */

struct hole {
	struct hole *next;
	size_t at; /* in the message's text */
	struct buf id;
	hash32 tx_hash;
	uint64_t due_ns, timeout_ms;
	struct buf answer; /* empty: it waits */
};

struct rpc_late {
	struct rpc_late *next;
	struct http_exchange *exchange; /* NULL: a session's */
	uint64_t session;
	struct buf text;
	struct hole *first, **end; /* in the text's order */
	size_t count;
	uint64_t seen; /* the news until which no receipt was there */
};

struct rpc_late_room {
	pthread_mutex_t lock; /* of all */
	pthread_cond_t changed;
	pthread_t thread;
	bool has_thread, is_stopping;
	bool is_new;              /* there is something to look at */
	uint64_t news;            /* how often there was a new block */
	uint64_t looks;           /* atomic */
	uint64_t sleeps_until_ns; /* the thread; UINT64_MAX: until it is woken */
	size_t count;             /* of places that are taken */
	struct rpc_late *waiting; /* of which the thread has none in hand */
	struct rpc_late *ready;   /* for sessions */
};

struct rpc_late_room *rpc_late_new(void) {
	struct rpc_late_room *room = mem_zalloc(1, sizeof *room);
	pthread_condattr_t monotonic;
	BUG_ON(pthread_mutex_init(&room->lock, NULL) != 0);
	BUG_ON(pthread_condattr_init(&monotonic) != 0);
	BUG_ON(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) != 0);
	BUG_ON(pthread_cond_init(&room->changed, &monotonic) != 0);
	pthread_condattr_destroy(&monotonic);
	return room;
}

bool rpc_late_reserve(struct rpc *rpc, uint64_t *news) {
	struct rpc_late_room *room = rpc->late;
	pthread_mutex_lock(&room->lock);
	const bool has_room = room->count < HOLES_MAX;
	room->count += has_room;
	*news = room->news;
	pthread_mutex_unlock(&room->lock);
	return has_room;
}

void rpc_late_release(struct rpc *rpc, size_t count) {
	struct rpc_late_room *room = rpc->late;
	pthread_mutex_lock(&room->lock);
	room->count -= count;
	pthread_mutex_unlock(&room->lock);
}

void rpc_late_wait(struct rpc_late **late, const struct rpc_call *call, size_t at, struct bytes id) {
	if (*late == NULL) {
		*late = mem_zalloc(1, sizeof **late);
		(*late)->end = &(*late)->first;
		buf_init(&(*late)->text, SIZE_MAX);
		(*late)->seen = call->await_news;
	}
	struct hole *hole = mem_zalloc(1, sizeof *hole);
	hole->at = at;
	hole->tx_hash = call->awaited;
	hole->timeout_ms = call->await_ms;
	hole->due_ns = clock_monotonic_ns(call->rpc->options.clock) + call->await_ms * 1000000;
	buf_init(&hole->id, SIZE_MAX);
	buf_append(&hole->id, id);
	buf_init(&hole->answer, SIZE_MAX);
	*(*late)->end = hole;
	(*late)->end = &hole->next;
	(*late)->count++;
}

static void free_late(struct rpc_late *late) {
	while (late->first) {
		struct hole *hole = late->first;
		late->first = hole->next;
		buf_fini(&hole->id);
		buf_fini(&hole->answer);
		mem_free(hole);
	}
	buf_fini(&late->text);
	mem_free(late);
}

/* --- filling --- */

/* What is said once nobody waits any more. */
static void fail_hole(struct rpc_call *call, const struct hole *hole, bool is_stopping) {
	if (is_stopping)
		rpc_fail(call, RPC_SERVER_ERROR, "the node stops; the transaction waits in its pool");
	else
		rpc_fail(call, RPC_NOT_SEALED,
		    "The transaction was added to the transaction pool but wasn't processed in %llums",
		    (unsigned long long)hole->timeout_ms);
	rpc_fail_data(call, BYTES_OF(hole->tx_hash));
}

static void look(struct rpc *rpc, struct hole *hole, bool is_stopping) {
	struct rpc_worker *worker = rpc_worker_take(rpc);
	struct rpc_call call = {.rpc = rpc, .worker = worker, .arena = &worker->arena};
	bool found = false;
	__atomic_fetch_add(&rpc->late->looks, 1, __ATOMIC_RELAXED);
	buf_init(&call.error_message, REASON_BYTES);
	rpc_begin_answer(&hole->answer, buf_view(&hole->id));
	call.out = json_writer(&hole->answer);
	enum status status = rpc_put_receipt(&call, &found, &hole->tx_hash);
	const bool is_due = is_stopping || clock_monotonic_ns(worker->clock) >= hole->due_ns;
	if (status == STATUS_OK && !found && is_due) {
		fail_hole(&call, hole, is_stopping);
		status = STATUS_INVALID;
	}
	if (status == STATUS_OK && found)
		buf_byte(&hole->answer, '}');
	else
		buf_clear(&hole->answer);
	if (status != STATUS_OK) rpc_put_error(&hole->answer, buf_view(&hole->id), &call, status);
	buf_fini(&call.error_message);
	rpc_worker_give(rpc, worker);
}

/* True: all of its holes are filled. */
static bool fill(struct rpc *rpc, struct rpc_late *late, uint64_t news, bool is_stopping) {
	const uint64_t now = clock_monotonic_ns(rpc->options.clock);
	const bool may_be_there = is_stopping || late->seen != news;
	bool is_whole = true;
	for (struct hole *hole = late->first; hole; hole = hole->next) {
		if (hole->answer.len == 0 && (may_be_there || now >= hole->due_ns)) look(rpc, hole, is_stopping);
		is_whole &= hole->answer.len > 0;
	}
	late->seen = news;
	return is_whole;
}

static void assemble(struct buf *out, const struct rpc_late *late) {
	size_t from = 0;
	for (const struct hole *hole = late->first; hole; hole = hole->next) {
		buf_append(out, bytes_slice(buf_view(&late->text), from, hole->at - from));
		buf_append(out, buf_view(&hole->answer));
		from = hole->at;
	}
	buf_append(out, bytes_slice(buf_view(&late->text), from, late->text.len - from));
}

void rpc_late_refuse(struct rpc *rpc, struct rpc_late *late, struct buf *out) {
	buf_append(&late->text, buf_view(out));
	for (struct hole *hole = late->first; hole; hole = hole->next) hole->due_ns = hole->timeout_ms = 0;
	fill(rpc, late, late->seen, false);
	rpc_late_release(rpc, late->count);
	buf_clear(out);
	assemble(out, late);
	free_late(late);
}

/* --- sending --- */

static void answer_exchange(struct rpc_late *late) {
	struct buf *body = &late->exchange->response.body;
	buf_clear(body);
	assemble(body, late);
	http_answer(late->exchange);
	free_late(late);
}

/* Under the lock. */
static void put_ready(struct rpc_late_room *room, struct rpc_late *late) {
	struct buf whole;
	buf_init(&whole, SIZE_MAX);
	assemble(&whole, late);
	buf_fini(&late->text);
	late->text = whole;
	late->next = room->ready;
	room->ready = late;
}

/* With the thread's list in hand; gives what still waits. */
static struct rpc_late *settle(struct rpc *rpc, struct rpc_late *list, uint64_t news, bool is_stopping) {
	struct rpc_late_room *room = rpc->late;
	struct rpc_late *left = NULL;
	bool any_ready = false;
	while (list) {
		struct rpc_late *late = list;
		list = late->next;
		const size_t count = late->count;
		const bool is_wanted = late->exchange == NULL || http_is_wanted(late->exchange);
		if (is_wanted && !fill(rpc, late, news, is_stopping)) {
			late->next = left;
			left = late;
			continue;
		}
		const bool is_http = late->exchange != NULL;
		if (is_http) answer_exchange(late);
		pthread_mutex_lock(&room->lock);
		room->count -= count;
		if (!is_http) put_ready(room, late);
		pthread_mutex_unlock(&room->lock);
		any_ready |= !is_http;
	}
	if (any_ready) rpc_subscriptions_wake(rpc);
	return left;
}

/* --- the thread --- */

/* Under the lock: until there is news or the first of those that wait is due. */
static void wait_for_news(struct rpc *rpc) {
	struct rpc_late_room *room = rpc->late;
	const uint64_t now = clock_monotonic_ns(rpc->options.clock);
	uint64_t ms = LOOK_EVERY_MS;
	for (const struct rpc_late *late = room->waiting; late; late = late->next)
		for (const struct hole *hole = late->first; hole; hole = hole->next) {
			const uint64_t left = hole->due_ns > now ? (hole->due_ns - now) / 1000000 + 1 : 0;
			if (hole->answer.len == 0 && left < ms) ms = left;
		}
	room->sleeps_until_ns = room->waiting ? now + ms * 1000000 : UINT64_MAX;
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	const uint64_t ns = (uint64_t)until.tv_nsec + ms % 1000 * 1000000;
	until.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	if (room->is_new || room->is_stopping) return;
	if (room->waiting)
		pthread_cond_timedwait(&room->changed, &room->lock, &until);
	else
		pthread_cond_wait(&room->changed, &room->lock);
}

static void *run(void *context) {
	struct rpc *rpc = context;
	struct rpc_late_room *room = rpc->late;
	pthread_mutex_lock(&room->lock);
	for (bool goes_on = true; goes_on;) {
		wait_for_news(rpc);
		struct rpc_late *list = room->waiting;
		const bool is_stopping = room->is_stopping;
		room->waiting = NULL;
		room->is_new = false;
		room->sleeps_until_ns = 0;
		const uint64_t news = room->news;
		goes_on = !is_stopping;
		pthread_mutex_unlock(&room->lock);
		struct rpc_late *left = settle(rpc, list, news, is_stopping);
		pthread_mutex_lock(&room->lock);
		while (left) {
			struct rpc_late *late = left;
			left = late->next;
			late->next = room->waiting;
			room->waiting = late;
		}
	}
	pthread_mutex_unlock(&room->lock);
	return NULL;
}

static uint64_t first_due_ns(const struct rpc_late *late) {
	uint64_t due_ns = UINT64_MAX - 1;
	for (const struct hole *hole = late->first; hole; hole = hole->next)
		if (hole->due_ns < due_ns) due_ns = hole->due_ns;
	return due_ns;
}

/* The thread is woken only if a block came meanwhile, which may be its own, or if it would sleep too long. */
static void begin(struct rpc *rpc, struct rpc_late *late) {
	struct rpc_late_room *room = rpc->late;
	pthread_mutex_lock(&room->lock);
	if (!room->has_thread) BUG_ON(pthread_create(&room->thread, NULL, run, rpc) != 0);
	room->has_thread = true;
	late->next = room->waiting;
	room->waiting = late;
	room->is_new |= late->seen != room->news;
	if (room->is_new || first_due_ns(late) < room->sleeps_until_ns) pthread_cond_signal(&room->changed);
	pthread_mutex_unlock(&room->lock);
}

void rpc_late_begin_http(struct rpc *rpc, struct rpc_late *late, struct http_exchange *exchange, struct bytes text) {
	buf_append(&late->text, text);
	late->exchange = exchange;
	begin(rpc, late);
}

void rpc_late_begin_session(struct rpc *rpc, struct rpc_late *late, uint64_t session, struct bytes text) {
	buf_append(&late->text, text);
	late->session = session;
	begin(rpc, late);
}

void rpc_late_news(struct rpc *rpc) {
	struct rpc_late_room *room = rpc->late;
	pthread_mutex_lock(&room->lock);
	room->is_new = true;
	room->news++;
	pthread_cond_signal(&room->changed);
	pthread_mutex_unlock(&room->lock);
}

uint64_t rpc_late_looks(const struct rpc *rpc) {
	return __atomic_load_n(&rpc->late->looks, __ATOMIC_RELAXED);
}

void rpc_late_deliver(struct rpc *rpc, void (*send)(struct rpc *rpc, uint64_t session, struct bytes text)) {
	struct rpc_late_room *room = rpc->late;
	pthread_mutex_lock(&room->lock);
	struct rpc_late *list = room->ready;
	room->ready = NULL;
	pthread_mutex_unlock(&room->lock);
	while (list) {
		struct rpc_late *late = list;
		list = late->next;
		send(rpc, late->session, buf_view(&late->text));
		free_late(late);
	}
}

void rpc_late_free(struct rpc *rpc) {
	struct rpc_late_room *room = rpc->late;
	if (room == NULL) return;
	pthread_mutex_lock(&room->lock);
	room->is_stopping = true;
	pthread_cond_signal(&room->changed);
	pthread_mutex_unlock(&room->lock);
	if (room->has_thread) pthread_join(room->thread, NULL);
	BUG_ON(room->waiting != NULL);
	while (room->ready) {
		struct rpc_late *late = room->ready;
		room->ready = late->next;
		free_late(late);
	}
	pthread_cond_destroy(&room->changed);
	pthread_mutex_destroy(&room->lock);
	mem_free(room);
}
