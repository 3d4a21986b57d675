#include "net/http_exchange.h"

#include "net/http_connection.h"

#define URI_MAX ((size_t)64 << 10)

/* --- the tally --- */

struct http_tally *http_tally_new(void) {
	struct http_tally *tally = mem_zalloc(1, sizeof *tally);
	tally->references = 1;
	return tally;
}

void http_tally_release(struct http_tally *tally) {
	if (tally && atomic_fetch_sub(&tally->references, 1) == 1) mem_free(tally);
}

void peer_record_release(struct peer_record *peer) {
	if (atomic_fetch_sub(&peer->references, 1) != 1) return;
	arena_fini(&peer->arena);
	mem_free(peer);
}

/* --- deferring --- */

static bool on_defer(struct http_exchange *shown) {
	struct served_exchange *exchange = (struct served_exchange *)shown;
	struct http_connection *connection = exchange->connection;
	const struct http_policy *policy = http_server_policy(connection->server);
	if (exchange->state != EXCHANGE_OPEN) return false;
	if (atomic_fetch_add(&exchange->tally->deferred, 1) >= policy->deferred_max) {
		atomic_fetch_sub(&exchange->tally->deferred, 1);
		return false;
	}
	const uint32_t deadline_ms =
	    shown->limits.deadline_ms ? shown->limits.deadline_ms : policy->deferred_timeout_ms;
	connection->did_defer = true;
	MHD_suspend_connection(exchange->mhd); /* first: from DEFERRED on, others may resume it */
	http_server_lock(connection->server);
	exchange->due_ms = http_server_clock_ms() + deadline_ms;
	connection->phase = PHASE_DEFERRED;
	exchange->state = EXCHANGE_DEFERRED;
	http_server_unlock(connection->server);
	return true;
}

static void on_answer(struct http_exchange *shown) {
	struct served_exchange *exchange = (struct served_exchange *)shown;
	struct http_tally *tally = exchange->tally;
	struct MHD_Connection *mhd = exchange->mhd;
	enum exchange_state state = EXCHANGE_DEFERRED;
	atomic_fetch_add(&tally->references, 1);
	atomic_fetch_add(&tally->answering, 1); /* the server's stop waits for those who may resume */
	if (atomic_compare_exchange_strong(&exchange->state, &state, EXCHANGE_ANSWERED)) {
		MHD_resume_connection(mhd); /* from here on the exchange is the connection's again */
	} else {
		BUG_ON(state != EXCHANGE_ABANDONED); /* not deferred, or answered twice */
		exchange_release(exchange);
	}
	atomic_fetch_sub(&tally->deferred, 1);
	atomic_fetch_sub(&tally->answering, 1);
	http_tally_release(tally);
}

static bool on_is_wanted(const struct http_exchange *shown) {
	const struct served_exchange *exchange = (const struct served_exchange *)shown;
	return exchange->state != EXCHANGE_ABANDONED && !exchange->is_gone;
}

static void on_more(struct http_exchange *shown) {
	struct served_exchange *exchange = (struct served_exchange *)shown;
	http_stream_poke(exchange->connection);
}

bool exchange_abandon(struct served_exchange *exchange) {
	enum exchange_state state = EXCHANGE_DEFERRED;
	atomic_fetch_add(&exchange->holders, 1); /* before its owner may let go */
	if (atomic_compare_exchange_strong(&exchange->state, &state, EXCHANGE_ABANDONED)) return true;
	atomic_fetch_sub(&exchange->holders, 1);
	return false;
}

/* --- life --- */

static const struct http_exchange_ops served_ops = {on_defer, on_answer, on_is_wanted, on_more};

struct served_exchange *exchange_new(struct http_connection *connection) {
	const struct http_policy *policy = http_server_policy(connection->server);
	struct served_exchange *exchange = mem_zalloc(1, sizeof *exchange);
	exchange->holders = 1;
	exchange->connection = connection;
	exchange->tally = policy->tally;
	atomic_fetch_add(&exchange->tally->references, 1);
	exchange->peer = connection->peer;
	atomic_fetch_add(&exchange->peer->references, 1);
	exchange->text_size = policy->header_max;
	exchange->text = mem_alloc(exchange->text_size);
	exchange->shown.ops = &served_ops;
	buf_init(&exchange->uri, URI_MAX);
	buf_init(&exchange->body, policy->body_max);
	buf_init(&exchange->shown.path_text, 0);
	http_response_init(&exchange->shown.response, policy->response_max);
	buf_init(&exchange->admitted, exchange->shown.response.headers.max);
	return exchange;
}

static void free_codings(struct served_exchange *exchange) {
	gunzip_free(exchange->gunzip);
	gzip_free(exchange->gzip);
	exchange->gunzip = NULL;
	exchange->gzip = NULL;
}

static void give_places(struct served_exchange *exchange) {
	atomic_uint *large = atomic_exchange(&exchange->large_place, NULL);
	if (exchange->is_busy) atomic_fetch_sub(exchange->shown.limits.busy, 1);
	if (large) atomic_fetch_sub(large, 1);
	exchange->is_busy = false;
}

void exchange_release(struct served_exchange *exchange) {
	if (!exchange || atomic_fetch_sub(&exchange->holders, 1) != 1) return;
	http_sink_close(&exchange->shown.sink);
	free_codings(exchange);
	give_places(exchange);
	atomic_fetch_sub(&exchange->tally->held_bytes, exchange->held_bytes);
	http_tally_release(exchange->tally);
	peer_record_release(exchange->peer);
	buf_fini(&exchange->admitted);
	buf_fini(&exchange->uri);
	buf_fini(&exchange->body);
	buf_fini(&exchange->shown.path_text);
	mem_free(exchange->text);
	http_response_fini(&exchange->shown.response);
	mem_free(exchange);
}

void exchange_begin(struct served_exchange *exchange, const char *target) {
	const struct http_policy *policy = http_server_policy(exchange->connection->server);
	struct http_response *response = &exchange->shown.response;
	buf_clear(&exchange->admitted);
	buf_clear(&exchange->uri);
	buf_text(&exchange->uri, target);
	buf_clear(&exchange->body);
	exchange->body.max = policy->body_max;
	exchange->shown.request.header_count = 0;
	exchange->shown.request.body = (struct bytes){NULL, 0};
	exchange->shown.limits = (struct http_limits){0};
	exchange->shown.gzip = 0;
	exchange->shown.route = NULL;
	exchange->shown.param_count = 0;
	exchange->is_poked = false;
	exchange->is_broken = false;
	exchange->text_used = exchange->sent_bytes = 0;
	exchange->state = EXCHANGE_OPEN;
	exchange->is_gone = false;
	exchange->began_ns = policy->observer.answered ? http_server_clock_ns() : 0;
	buf_clear(&response->body);
	buf_clear(&response->headers);
	response->body.max = policy->response_max;
	response->content_type = NULL;
	response->status = 0;
}

void exchange_stand_in(struct served_exchange *exchange, const struct served_exchange *abandoned) {
	exchange->mhd = abandoned->mhd;
	exchange->shown.request = abandoned->shown.request;
	exchange->shown.route = abandoned->shown.route;
	exchange->shown.gzip = abandoned->shown.gzip;
	exchange->began_ns = abandoned->began_ns;
	buf_append(&exchange->admitted, buf_view(&abandoned->admitted));
}

static void buf_shrink(struct buf *buf) {
	if (buf->cap <= HTTP_KEEP_BYTES) return;
	const size_t max = buf->max;
	buf_fini(buf);
	buf_init(buf, max);
}

void exchange_end(struct served_exchange *exchange) {
	http_source_close(&exchange->shown.response.source);
	http_sink_close(&exchange->shown.sink);
	free_codings(exchange);
	give_places(exchange);
	buf_shrink(&exchange->body);
	buf_shrink(&exchange->shown.response.body);
}

bool exchange_take_header(struct served_exchange *exchange, struct bytes name, struct bytes value) {
	struct http_request *request = &exchange->shown.request;
	if (request->header_count == HTTP_HEADER_MAX ||
	    name.len + value.len > exchange->text_size - exchange->text_used)
		return false;
	char *lower = exchange->text + exchange->text_used, *copy = lower + name.len;
	for (size_t i = 0; i < name.len; i++)
		lower[i] = (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] + 32 : name.data[i]);
	if (value.len) memcpy(copy, value.data, value.len);
	exchange->text_used += name.len + value.len;
	request->headers[request->header_count++] =
	    (struct http_header){bytes_make(lower, name.len), bytes_make(copy, value.len)};
	return true;
}
