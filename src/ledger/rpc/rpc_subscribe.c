/*
 * Sessions over WebSocket, and what they subscribe to. All of it runs on the handler's one thread but for the news,
 * which any thread brings: they only say that there is something to look at. What is new is then read from the chain,
 * so that a slow client costs the sealing thread nothing.
 */
#include "base/log.h"
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_filters.h"
#include "ledger/rpc/rpc_late.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_write.h"

#define TXS_AT_ONCE 256u

enum subscription_kind { SUBSCRIBES_HEADS, SUBSCRIBES_LOGS, SUBSCRIBES_TXS, SUBSCRIBES_SYNCING };

struct subscription {
	struct subscription *next;
	u256 id;
	uint64_t serial; /* rises with each one made */
	enum subscription_kind kind;
	uint64_t from_block;        /* the first one to report */
	bool full;                  /* whole transactions */
	struct arena arena;         /* of criteria */
	struct log_filter criteria; /* of logs */
};

struct rpc_session {
	struct rpc *rpc;
	struct ws_peer *peer;
	struct rpc_session *next;
	uint64_t serial; /* no two have the same */
	struct subscription *first;
	size_t count;
	struct buf answer;
	struct arena arena; /* of caller */
	struct rpc_caller caller;
};

struct rpc_subscriptions {
	struct ws_waker waker;
	atomic_uint count; /* of all sessions */

	/* The handler's thread's own. */
	struct rpc_session *sessions;
	uint64_t last_serial; /* of subscriptions and sessions */
	uint64_t next_block;  /* not reported yet */
	size_t tx_count;      /* subscriptions to transactions */
	uint64_t tx_place;

	pthread_mutex_t lock; /* of the rest */
	struct removed_block *first_removed, **last_removed;
};

/* A block that was taken back since the last tick, in its own arena. */
struct removed_block {
	struct removed_block *next;
	struct arena arena;
	struct rpc_removed_block block;
	uint64_t told_below; /* to subscriptions of a lower serial; 0: to all */
};

struct rpc_subscriptions *rpc_subscriptions_new(void) {
	struct rpc_subscriptions *all = mem_zalloc(1, sizeof *all);
	BUG_ON(pthread_mutex_init(&all->lock, NULL) != 0);
	all->last_removed = &all->first_removed;
	return all;
}

static void free_removed(struct removed_block *first) {
	while (first) {
		struct removed_block *next = first->next;
		arena_fini(&first->arena);
		mem_free(first);
		first = next;
	}
}

void rpc_subscriptions_free(struct rpc_subscriptions *all) {
	if (!all) return;
	BUG_ON(all->sessions);
	free_removed(all->first_removed);
	pthread_mutex_destroy(&all->lock);
	mem_free(all);
}

void rpc_set_waker(struct rpc *rpc, const struct ws_waker *waker) {
	rpc->subscriptions->waker = *waker;
}

void rpc_subscriptions_news(struct rpc *rpc) {
	const struct rpc_subscriptions *all = rpc->subscriptions;
	if (all->count > 0 && all->waker.wake) all->waker.wake(all->waker.context);
}

void rpc_subscriptions_wake(struct rpc *rpc) {
	const struct ws_waker *waker = &rpc->subscriptions->waker;
	if (waker->wake) waker->wake(waker->context);
}

static struct removed_block *copy_removed(const struct rpc_removed_block *block) {
	struct removed_block *copy = mem_zalloc(1, sizeof *copy);
	arena_init(&copy->arena);
	struct found_log *found = arena_alloc(&copy->arena, block->count * sizeof *found);
	struct log *logs = arena_alloc(&copy->arena, block->count * sizeof *logs);
	for (size_t i = 0; i < block->count; i++) {
		found[i] = block->logs[i];
		logs[i] = *block->logs[i].log;
		logs[i].data = arena_dup(&copy->arena, logs[i].data);
		found[i].log = &logs[i];
	}
	copy->block = (struct rpc_removed_block){.number = block->number, .logs = found, .count = block->count};
	return copy;
}

void rpc_subscriptions_removed(struct rpc *rpc, const struct rpc_removed_block *block) {
	struct rpc_subscriptions *all = rpc->subscriptions;
	if (all->count == 0) return;
	struct removed_block *copy = copy_removed(block);
	pthread_mutex_lock(&all->lock);
	*all->last_removed = copy;
	all->last_removed = &copy->next;
	pthread_mutex_unlock(&all->lock);
	rpc_subscriptions_news(rpc);
}

/* --- subscribing --- */

static uint64_t newest_number(const struct rpc *rpc) {
	struct chain_head *head = chain_head(rpc->options.chain);
	const uint64_t number = head->header.number;
	chain_head_release(head);
	return number;
}

static void end_subscription(struct rpc_session *session, struct subscription **at) {
	struct rpc_subscriptions *all = session->rpc->subscriptions;
	struct subscription *ended = *at;
	*at = ended->next;
	session->count--;
	all->count--;
	if (ended->kind == SUBSCRIBES_TXS) {
		rpc_filters_watch_txs(session->rpc->filters, false);
		all->tx_count--;
	}
	arena_fini(&ended->arena);
	mem_free(ended);
}

static enum status take_kind(struct rpc_call *call, struct subscription *out) {
	const struct json *name = rpc_param(call, 0), *detail = rpc_param(call, 1);
	if (json_string_is(name, "newHeads")) {
		out->kind = SUBSCRIBES_HEADS;
		return STATUS_OK;
	}
	if (json_string_is(name, "logs")) {
		out->kind = SUBSCRIBES_LOGS;
		return rpc_filters_criteria(call, &out->criteria, &out->arena, 1);
	}
	if (json_string_is(name, "newPendingTransactions")) {
		out->kind = SUBSCRIBES_TXS;
		return detail ? rpc_param_bool(call, &out->full, 1, false) : STATUS_OK;
	}
	if (json_string_is(name, "syncing")) { /* it never is, as eth_syncing says: nothing to report */
		out->kind = SUBSCRIBES_SYNCING;
		return STATUS_OK;
	}
	if (!json_is(name, JSON_STRING)) return rpc_bad_param(call, 0, "expected a subscription's name");
	return rpc_fail(call, RPC_NO_METHOD, "no such subscription: newHeads, logs, newPendingTransactions, syncing");
}

/* What went before a subscription began is nothing to it. */
static void spare_next(struct rpc_subscriptions *all) {
	pthread_mutex_lock(&all->lock);
	for (struct removed_block *at = all->first_removed; at; at = at->next)
		if (at->told_below == 0) at->told_below = all->last_serial + 1;
	pthread_mutex_unlock(&all->lock);
}

static void begin_subscription(struct rpc_session *session, struct subscription *made) {
	struct rpc_subscriptions *all = session->rpc->subscriptions;
	spare_next(all);
	made->from_block = newest_number(session->rpc) + 1;
	if (all->count == 0) all->next_block = made->from_block;
	if (made->kind == SUBSCRIBES_TXS) {
		const uint64_t place = rpc_filters_watch_txs(session->rpc->filters, true);
		if (all->tx_count++ == 0) all->tx_place = place;
	}
	made->id = rpc_new_id(session->rpc);
	made->serial = ++all->last_serial;
	made->next = session->first;
	session->first = made;
	session->count++;
	all->count++;
}

enum status rpc_eth_subscribe(struct rpc_call *call) {
	struct rpc_session *session = call->session;
	if (!session) return rpc_fail(call, RPC_NO_METHOD, "notifications not supported: subscribe over WebSocket");
	if (session->count >= call->rpc->options.subscriptions_max)
		return rpc_fail(call, RPC_SERVER_ERROR, "too many subscriptions (%zu)", session->count);
	struct subscription *made = mem_zalloc(1, sizeof *made);
	arena_init(&made->arena);
	const enum status status = take_kind(call, made);
	if (status != STATUS_OK) {
		arena_fini(&made->arena);
		mem_free(made);
		return status;
	}
	begin_subscription(session, made);
	rpc_put_u256(&call->out, NULL, &made->id);
	return STATUS_OK;
}

enum status rpc_eth_unsubscribe(struct rpc_call *call) {
	struct rpc_session *session = call->session;
	u256 id;
	if (!session) return rpc_fail(call, RPC_NO_METHOD, "notifications not supported: subscribe over WebSocket");
	TRY(rpc_param_id(call, &id, 0));
	struct subscription **at = &session->first;
	while (*at && !u256_equal(&(*at)->id, &id)) at = &(*at)->next;
	if (*at == NULL) return rpc_fail(call, RPC_SERVER_ERROR, "subscription not found");
	end_subscription(session, at);
	json_put_bool(&call->out, NULL, true);
	return STATUS_OK;
}

/* --- sessions --- */

static void *on_open(void *context, struct ws_peer *peer) {
	struct rpc *rpc = context;
	struct rpc_session *session = mem_zalloc(1, sizeof *session);
	session->rpc = rpc;
	session->peer = peer;
	session->serial = ++rpc->subscriptions->last_serial;
	buf_init(&session->answer, rpc->options.response_max + ((size_t)2 << 20));
	arena_init(&session->arena);
	if (rpc->options.callers) session->caller = rpc_session_caller(&session->arena, peer->note);
	peer->lasts_ms = session->caller.lasts_ms;
	session->next = rpc->subscriptions->sessions;
	rpc->subscriptions->sessions = session;
	return session;
}

static void on_message(void *context, struct bytes text) {
	struct rpc_session *session = context;
	buf_clear(&session->answer);
	struct rpc_message message = {
	    .session = session, .caller = session->rpc->options.callers ? &session->caller : NULL, .body = text};
	struct rpc_late *late = rpc_answer(session->rpc, &message, &session->answer);
	if (late)
		rpc_late_begin_session(session->rpc, late, session->serial, buf_view(&session->answer));
	else if (session->answer.len)
		ws_send(session->peer, buf_view(&session->answer));
	if (session->answer.cap < (size_t)1 << 20) return;
	const size_t max = session->answer.max;
	buf_fini(&session->answer);
	buf_init(&session->answer, max);
}

static void on_close(void *context) {
	struct rpc_session *session = context;
	struct rpc_session **at = &session->rpc->subscriptions->sessions;
	while (*at != session) at = &(*at)->next;
	*at = session->next;
	while (session->first) end_subscription(session, &session->first);
	buf_fini(&session->answer);
	arena_fini(&session->arena);
	mem_free(session);
}

/* --- telling --- */

/* One round of news; `call` has an answer's buffer of its own. */
struct telling {
	struct rpc_call *call;
	struct buf message, result;
	struct rpc_session *session;
	const struct subscription *subscription;
};

static void tell(struct telling *telling, struct bytes result) {
	struct buf *out = &telling->message;
	buf_clear(out);
	struct json_writer id = json_writer(out);
	buf_text(out, "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":");
	rpc_put_u256(&id, NULL, &telling->subscription->id);
	buf_text(out, ",\"result\":");
	buf_append(out, result);
	buf_text(out, "}}");
	ws_send(telling->session->peer, buf_view(out));
}

static struct json_writer *new_result(struct telling *telling) {
	buf_clear(&telling->result);
	telling->call->out = json_writer(&telling->result);
	return &telling->call->out;
}

static void tell_log(void *context, const struct found_log *found) {
	struct telling *telling = context;
	rpc_write_log(new_result(telling), found, false);
	tell(telling, buf_view(&telling->result));
}

typedef void telling_visit(struct telling *telling, uint64_t number);

/* Each subscription of a kind, whosever it is. */
static void each(struct telling *telling, enum subscription_kind kind, uint64_t number, telling_visit *visit) {
	struct rpc_subscriptions *all = telling->call->rpc->subscriptions;
	for (telling->session = all->sessions; telling->session; telling->session = telling->session->next)
		for (const struct subscription *at = telling->session->first; at; at = at->next) {
			if (at->kind != kind || number < at->from_block) continue;
			telling->subscription = at;
			visit(telling, number);
		}
}

static void tell_result(struct telling *telling, uint64_t number) {
	(void)number;
	tell(telling, buf_view(&telling->result));
}

static void tell_logs(struct telling *telling, uint64_t number) {
	struct rpc_call *call = telling->call;
	struct log_filter criteria = telling->subscription->criteria;
	criteria.from = criteria.to = number;
	const enum status status =
	    chain_logs(call->rpc->options.chain, &criteria, call->rpc->options.logs_max, tell_log, telling, &call->err);
	if (status != STATUS_OK)
		log_warn("rpc", "not all logs of a block reached the subscribers: %s", call->err.message);
}

static void tell_blocks(struct telling *telling) {
	struct rpc_subscriptions *all = telling->call->rpc->subscriptions;
	const uint64_t newest = newest_number(telling->call->rpc);
	for (; all->next_block <= newest; all->next_block++) {
		struct rpc_found_block block;
		bool found;
		const struct rpc_block_id id = {.kind = RPC_BLOCK_NUMBER, .number = all->next_block};
		if (rpc_find_block(telling->call, &block, &found, &id) != STATUS_OK || !found) return;
		new_result(telling);
		rpc_write_head(telling->call, &block.header, &block.hash);
		each(telling, SUBSCRIBES_HEADS, all->next_block, tell_result);
		each(telling, SUBSCRIBES_LOGS, all->next_block, tell_logs);
	}
}

static void tell_removed(struct telling *telling, const struct rpc_removed_block *block) {
	for (size_t i = 0; i < block->count; i++) {
		if (!log_filter_matches(&telling->subscription->criteria, block->logs[i].log)) continue;
		rpc_write_log(new_result(telling), &block->logs[i], true);
		tell(telling, buf_view(&telling->result));
	}
}

/* If the block was reported, all subscribers get its logs as removed; what takes its place is reported anew. */
static void take_back(struct telling *telling, const struct removed_block *removed) {
	const struct rpc_removed_block *block = &removed->block;
	struct rpc_subscriptions *all = telling->call->rpc->subscriptions;
	if (block->number >= all->next_block) return;
	all->next_block = block->number;
	for (telling->session = all->sessions; telling->session; telling->session = telling->session->next)
		for (struct subscription *at = telling->session->first; at; at = at->next) {
			if (removed->told_below > 0 && at->serial >= removed->told_below) continue;
			if (at->from_block > block->number) at->from_block = block->number;
			telling->subscription = at;
			if (at->kind == SUBSCRIBES_LOGS) tell_removed(telling, block);
		}
}

static struct removed_block *take_removed(struct rpc_subscriptions *all) {
	pthread_mutex_lock(&all->lock);
	struct removed_block *first = all->first_removed;
	all->first_removed = NULL;
	all->last_removed = &all->first_removed;
	pthread_mutex_unlock(&all->lock);
	return first;
}

static void follow_unwinding(struct telling *telling) {
	struct removed_block *first = take_removed(telling->call->rpc->subscriptions);
	for (const struct removed_block *at = first; at; at = at->next) take_back(telling, at);
	free_removed(first);
}

static void tell_tx(struct telling *telling, uint64_t number) {
	(void)number;
	if (!telling->subscription->full) tell(telling, buf_view(&telling->result));
}

static void tell_full_tx(struct telling *telling, uint64_t number) {
	(void)number;
	if (telling->subscription->full) tell(telling, buf_view(&telling->result));
}

/* The transaction as it waits, or as it was sealed meanwhile. False: it is gone. */
static bool write_tx(struct telling *telling, const hash32 *hash) {
	struct rpc_call *call = telling->call;
	struct transaction tx;
	struct rpc_found_tx at;
	struct mined_receipt receipt;
	addr20 from;
	bool found;
	if (pool_find(call->rpc->options.pool, &tx, &from, call->arena, hash)) {
		rpc_write_tx(new_result(telling), NULL, &tx, &from, NULL, NULL, 0);
		return true;
	}
	if (rpc_find_tx(call, &at, &found, hash) != STATUS_OK || !found) return false;
	if (rpc_tx_receipt(call, &receipt, &found, &at) != STATUS_OK || !found) return false;
	rpc_write_tx(new_result(telling), NULL, &at.tx, &receipt.sender, &at.block.header, &at.block.hash, at.index);
	return true;
}

static void tell_txs(struct telling *telling) {
	struct rpc_call *call = telling->call;
	struct rpc_subscriptions *all = call->rpc->subscriptions;
	hash32 hashes[TXS_AT_ONCE];
	size_t count;
	while ((count = rpc_filters_txs(call->rpc->filters, hashes, &all->tx_place, TXS_AT_ONCE)) > 0)
		for (size_t i = 0; i < count; i++) {
			const struct arena_mark mark = arena_mark(call->arena);
			json_put_hex(new_result(telling), NULL, BYTES_OF(hashes[i]));
			each(telling, SUBSCRIBES_TXS, UINT64_MAX, tell_tx);
			if (write_tx(telling, &hashes[i])) each(telling, SUBSCRIBES_TXS, UINT64_MAX, tell_full_tx);
			arena_rewind(call->arena, mark);
		}
}

static void send_late(struct rpc *rpc, uint64_t serial, struct bytes text) {
	struct rpc_session *session = rpc->subscriptions->sessions;
	while (session && session->serial != serial) session = session->next;
	if (session && text.len) ws_send(session->peer, text);
}

static void on_tick(void *context) {
	struct rpc *rpc = context;
	struct rpc_subscriptions *all = rpc->subscriptions;
	rpc_late_deliver(rpc, send_late);
	if (all->count == 0) {
		free_removed(take_removed(all));
		return;
	}
	struct rpc_worker *worker = rpc_worker_take(rpc);
	struct rpc_call call = {.rpc = rpc, .worker = worker, .arena = &worker->arena};
	struct telling telling = {.call = &call};
	buf_init(&call.error_message, 4096);
	buf_init(&telling.message, BUF_MAX_DEFAULT);
	buf_init(&telling.result, BUF_MAX_DEFAULT);
	follow_unwinding(&telling);
	if (all->tx_count > 0) tell_txs(&telling);
	tell_blocks(&telling);
	buf_fini(&telling.message);
	buf_fini(&telling.result);
	buf_fini(&call.error_message);
	rpc_worker_give(rpc, worker);
}

struct ws_handler rpc_ws_handler(struct rpc *rpc) {
	return (struct ws_handler){on_open, on_message, on_close, on_tick, rpc_ws_admit, rpc};
}
