#include "ledger/rpc/rpc.h"

#include "ledger/rpc/rpc_filters.h"
#include "ledger/rpc/rpc_late.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_params.h"
#include "ledger/rpc/rpc_send.h"

#include <stdarg.h>
#include <stdio.h>

#define BATCH_MAX_DEFAULT 1000u
#define RESPONSE_MAX_DEFAULT ((size_t)25000000)
#define GAS_CAP_DEFAULT ((uint64_t)50000000)
#define CALL_TIMEOUT_MS_DEFAULT 5000u
#define BATCH_TIMEOUT_MS_DEFAULT 30000u
#define LOGS_MAX_DEFAULT 10000u
#define SUBSCRIPTIONS_MAX_DEFAULT 100u
#define SYNC_TIMEOUT_MS_DEFAULT 20000u
#define SYNC_TIMEOUT_MAX_MS_DEFAULT 60000u
#define HEADS_A_SECOND_DEFAULT 10000u
#define MESSAGE_MAX ((size_t)4096)
#define SCRATCH_MAX ((size_t)128 << 20)
#define SCRATCH_KEPT ((size_t)1 << 20)

static const struct json_limits request_limits = {(size_t)128 << 20, 64, 1000000};

/* --- life --- */

static void on_tx_added(void *context, const hash32 *hash) {
	const struct rpc *rpc = context;
	rpc_filters_tx_added(rpc->filters, hash);
	rpc_subscriptions_news((struct rpc *)context);
}

/* A worker at rest does not hold an old state in the store. */
static void let_go_of_heads(void *context) {
	struct rpc *rpc = context;
	pthread_mutex_lock(&rpc->lock);
	for (struct rpc_worker *worker = rpc->idle; worker; worker = worker->next) rpc_worker_forget(worker);
	pthread_mutex_unlock(&rpc->lock);
}

static void on_new_head(void *context, const struct chain_head *head, const struct pending_block *block) {
	(void)head, (void)block;
	let_go_of_heads(context);
	rpc_subscriptions_news(context);
	rpc_late_news(context);
}

static void on_jump(void *context, const struct chain_head *head) {
	on_new_head(context, head, NULL);
}

/* Its logs where they stood, in the arena. */
static struct rpc_removed_block removed_block(const struct unwound_block *block, struct arena *arena) {
	struct rpc_removed_block out = {.number = block->header.number};
	for (size_t i = 0; i < block->count; i++) out.count += block->receipts[i].receipt.log_count;
	struct found_log *logs = arena_alloc(arena, out.count * sizeof *logs);
	size_t at = 0;
	for (size_t i = 0; i < block->count; i++) {
		const struct mined_receipt *mined = &block->receipts[i];
		for (size_t k = 0; k < mined->receipt.log_count; k++)
			logs[at++] = (struct found_log){.log = &mined->receipt.logs[k],
			    .block_number = block->header.number,
			    .block_hash = block->hash,
			    .block_timestamp = block->header.timestamp,
			    .tx_hash = block->tx_hashes[i],
			    .tx_index = (uint32_t)i,
			    .log_index = mined->first_log + (uint32_t)k};
	}
	out.logs = logs;
	return out;
}

static void on_removed_head(void *context, const struct unwound_block *block) {
	struct rpc *rpc = context;
	struct arena arena;
	arena_init(&arena);
	const struct rpc_removed_block removed = removed_block(block, &arena);
	let_go_of_heads(rpc);
	rpc_filters_removed(rpc->filters, &removed);
	rpc_subscriptions_removed(rpc, &removed);
	arena_fini(&arena);
}

static enum status take_accounts(struct rpc *rpc, const struct rpc_options *options, struct err *err) {
	if (options->dev_secret_count > RPC_DEV_ACCOUNTS_MAX)
		return err_set(err, STATUS_INVALID, "at most %u dev accounts", RPC_DEV_ACCOUNTS_MAX);
	for (size_t i = 0; options->dev_mode && i < options->dev_secret_count; i++) {
		struct rpc_account *account = &rpc->accounts[i];
		account->secret = options->dev_secrets[i];
		if (address_of_secret(&account->address, &account->secret) != STATUS_OK)
			return err_set(err, STATUS_INVALID, "the secret of dev account %zu is not a valid key", i);
		rpc->account_count++;
	}
	return STATUS_OK;
}

enum status rpc_new(struct rpc **out, const struct rpc_options *options, struct err *err) {
	*out = NULL;
	BUG_ON(!options->chain || !options->pool || !options->clock || !options->random || !options->client_version);
	for (size_t i = 1; i < rpc_method_count(); i++)
		BUG_ON(strcmp(rpc_method_info(i - 1).name, rpc_method_info(i).name) >= 0);
	struct rpc *rpc = mem_zalloc(1, sizeof *rpc);
	rpc->options = *options;
	rpc->options.dev_secrets = NULL;
	if (!rpc->options.batch_max) rpc->options.batch_max = BATCH_MAX_DEFAULT;
	if (!rpc->options.response_max) rpc->options.response_max = RESPONSE_MAX_DEFAULT;
	if (!rpc->options.gas_cap) rpc->options.gas_cap = GAS_CAP_DEFAULT;
	if (!rpc->options.call_timeout_ms) rpc->options.call_timeout_ms = CALL_TIMEOUT_MS_DEFAULT;
	if (!rpc->options.batch_timeout_ms) rpc->options.batch_timeout_ms = BATCH_TIMEOUT_MS_DEFAULT;
	if (!rpc->options.sync_timeout_ms) rpc->options.sync_timeout_ms = SYNC_TIMEOUT_MS_DEFAULT;
	if (!rpc->options.sync_timeout_max_ms) rpc->options.sync_timeout_max_ms = SYNC_TIMEOUT_MAX_MS_DEFAULT;
	if (!rpc->options.heads_a_second) rpc->options.heads_a_second = HEADS_A_SECOND_DEFAULT;
	if (!rpc->options.logs_max) rpc->options.logs_max = LOGS_MAX_DEFAULT;
	BUG_ON(pthread_mutex_init(&rpc->lock, NULL) != 0);
	BUG_ON(pthread_mutex_init(&rpc->send_lock, NULL) != 0);
	rpc->next_snapshot_id = 1;
	rpc->filters = rpc_filters_new();
	rpc->subscriptions = rpc_subscriptions_new();
	rpc->late = rpc_late_new();
	if (!rpc->options.subscriptions_max) rpc->options.subscriptions_max = SUBSCRIPTIONS_MAX_DEFAULT;
	const char *unknown = rpc_methods_unknown(options->only);
	enum status status = take_accounts(rpc, options, err);
	if (status == STATUS_OK && unknown != NULL)
		status = err_set(err, STATUS_INVALID, "no method of JSON-RPC is called %.80s", unknown);
	if (status != STATUS_OK) {
		rpc_free(rpc);
		return status;
	}
	pool_observe(options->pool, &(struct pool_observer){on_tx_added, rpc});
	chain_observe(options->chain, &(struct chain_observer){on_new_head, on_removed_head, on_jump, rpc});
	*out = rpc;
	return STATUS_OK;
}

void rpc_free(struct rpc *rpc) {
	if (!rpc) return;
	rpc_late_free(rpc);
	while (rpc->idle) {
		struct rpc_worker *worker = rpc->idle;
		rpc->idle = worker->next;
		rpc_worker_free(worker);
	}
	rpc_subscriptions_free(rpc->subscriptions);
	rpc_filters_free(rpc->filters);
	pthread_mutex_destroy(&rpc->send_lock);
	pthread_mutex_destroy(&rpc->lock);
	mem_wipe(rpc->accounts, sizeof rpc->accounts);
	mem_free(rpc);
}

static bool is_due(void *context) {
	const struct rpc_worker *worker = context;
	return clock_monotonic_ns(worker->clock) > worker->call_due_ns;
}

struct rpc_worker *rpc_worker_take(struct rpc *rpc) {
	pthread_mutex_lock(&rpc->lock);
	struct rpc_worker *worker = rpc->idle;
	if (worker) rpc->idle = worker->next;
	pthread_mutex_unlock(&rpc->lock);
	if (worker) return worker;
	worker = mem_zalloc(1, sizeof *worker);
	worker->clock = rpc->options.clock;
	worker->interrupt = (struct evm_interrupt){is_due, worker};
	arena_init(&worker->arena);
	arena_init(&worker->block.arena);
	buf_init(&worker->scratch, SCRATCH_MAX);
	return worker;
}

void rpc_worker_give(struct rpc *rpc, struct rpc_worker *worker) {
	arena_reset(&worker->arena);
	if (worker->scratch.cap > SCRATCH_KEPT) {
		buf_fini(&worker->scratch);
		buf_init(&worker->scratch, SCRATCH_MAX);
	}
	pthread_mutex_lock(&rpc->lock);
	worker->next = rpc->idle;
	rpc->idle = worker;
	pthread_mutex_unlock(&rpc->lock);
}

void rpc_worker_free(struct rpc_worker *worker) {
	rpc_worker_forget(worker);
	executor_free(worker->executor);
	if (worker->state) state_free(worker->state);
	if (worker->other_state) state_free(worker->other_state);
	buf_fini(&worker->scratch);
	arena_fini(&worker->block.arena);
	arena_fini(&worker->arena);
	mem_free(worker);
}

/* --- one request --- */

void rpc_put_done(struct rpc_call *call, bool answer) {
	if (call->is_anvils)
		json_put_null(&call->out, NULL);
	else
		json_put_bool(&call->out, NULL, answer);
}

enum status rpc_fail(struct rpc_call *call, int code, const char *format, ...) {
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	call->error_code = code;
	buf_clear(&call->error_message);
	buf_text(&call->error_message, text);
	return STATUS_INVALID;
}

void rpc_fail_data(struct rpc_call *call, struct bytes data) {
	struct buf json;
	struct json_writer writer = json_writer(&json);
	buf_init(&json, SIZE_MAX);
	json_put_hex(&writer, NULL, data);
	call->error_data = arena_dup(call->arena, buf_view(&json));
	call->has_error_data = true;
	buf_fini(&json);
}

void rpc_fail_quantity(struct rpc_call *call, uint64_t quantity) {
	call->error_data = bytes_text(arena_printf(call->arena, "\"0x%llx\"", (unsigned long long)quantity));
	call->has_error_data = true;
}

static void put_id(struct buf *out, struct bytes id) {
	buf_text(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	buf_append(out, id);
}

static struct bytes id_json(const struct json *id) {
	return id ? id->raw : BYTES_LITERAL("null");
}

static void put_error(struct buf *out, struct bytes id, int code, struct bytes message, const struct bytes *data) {
	struct json_writer writer = json_writer(out);
	put_id(out, id);
	buf_byte(out, ',');
	json_object_begin(&writer, "error");
	json_put_name(&writer, "code");
	buf_printf(out, "%d", code);
	json_put_string(&writer, "message", message);
	if (data) json_put_raw(&writer, "data", *data);
	json_object_end(&writer);
	buf_byte(out, '}');
}

static bool id_is_well_formed(const struct json *id) {
	return !id || json_is(id, JSON_STRING) || json_is(id, JSON_NUMBER) || json_is(id, JSON_NULL);
}

static size_t param_count(const struct json *params) {
	return params ? params->count : 0;
}

/* An operational failure becomes an error of the protocol: what a caller may cause keeps geth's -32000. */
static void explain(struct rpc_call *call, enum status status) {
	if (call->error_code) return;
	if (status == STATUS_TIMEOUT) {
		const uint32_t ms = call->rpc->options.call_timeout_ms;
		const bool whole = ms % 1000 == 0;
		rpc_fail(call, RPC_SERVER_ERROR, "execution aborted (timeout = %u%s)", whole ? ms / 1000 : ms,
		    whole ? "s" : "ms");
		return;
	}
	const char *text = call->err.message[0] ? call->err.message : status_text(status);
	if (status == STATUS_PRUNED) {
		rpc_fail(call, RPC_PRUNED, "%s", text);
		return;
	}
	bool is_ours = status == STATUS_IO || status == STATUS_CORRUPT || status == STATUS_INTERNAL;
	rpc_fail(call, is_ours ? RPC_INTERNAL : RPC_SERVER_ERROR, "%s", text);
}

void rpc_begin_answer(struct buf *out, struct bytes id) {
	put_id(out, id);
	buf_text(out, ",\"result\":");
}

void rpc_put_error(struct buf *out, struct bytes id, struct rpc_call *call, enum status status) {
	explain(call, status);
	put_error(
	    out, id, call->error_code, buf_view(&call->error_message), call->has_error_data ? &call->error_data : NULL);
}

/* A call's time begins; or the batch that it belongs to is at its end already. */
static enum status begin_call(struct rpc_call *call) {
	struct rpc_worker *worker = call->worker;
	const uint64_t now = clock_monotonic_ns(worker->clock);
	if (!worker->refusal && now > worker->request_due_ns) worker->refusal = RPC_TIMED_OUT;
	if (worker->refusal == RPC_TIMED_OUT) return rpc_fail(call, RPC_TIMED_OUT, "request timed out");
	if (worker->refusal) return rpc_fail(call, worker->refusal, "response too large");
	if (worker->caller && !rpc_callers_have_gas(call->rpc->options.callers, worker->caller))
		return rpc_fail(call, RPC_LIMIT, "limit exceeded: gas of this caller's calls");
	worker->call_due_ns = now + (uint64_t)call->rpc->options.call_timeout_ms * 1000000;
	if (worker->call_due_ns > worker->request_due_ns) worker->call_due_ns = worker->request_due_ns;
	return STATUS_OK;
}

static enum status run_method(struct rpc_call *call, struct bytes name, const struct json *params) {
	TRY(begin_call(call));
	const struct rpc_method *method = rpc_method_find(name);
	const struct rpc_caller *caller = call->worker->caller;
	if (!method || !rpc_method_is_served(call->rpc, method) || (caller && !rpc_caller_may(caller, method->name)))
		return rpc_fail(call, RPC_NO_METHOD, "the method %.*s does not exist/is not available",
		    (int)(name.len > 100 ? 100 : name.len), (const char *)name.data);
	if (params && json_is(params, JSON_NULL)) params = NULL;
	if (params && !json_is(params, JSON_ARRAY)) return rpc_fail(call, RPC_INVALID_PARAMS, "non-array args");
	if (param_count(params) > method->params_max)
		return rpc_fail(call, RPC_INVALID_PARAMS, "too many arguments, want at most %u", method->params_max);
	call->params = json_without_nulls(call->arena, params);
	for (size_t i = 0; i < method->params_min; i++)
		if (!rpc_param(call, i))
			return rpc_fail(call, RPC_INVALID_PARAMS, "missing value for required argument %zu", i);
	call->is_anvils = strncmp(method->name, "anvil_", 6) == 0;
	return method->run(call);
}

/* Carries out one request and appends its answer; nothing for a notification. False where nothing was appended. */
static bool answer_one(struct rpc *rpc, struct rpc_worker *worker, struct rpc_session *session, struct buf *out,
    const struct json *request, const struct pool_reading *reading) {
	const struct json *id = json_get(request, "id"), *method = json_get(request, "method");
	if (!json_is(request, JSON_OBJECT) || !json_string_is(json_get(request, "jsonrpc"), "2.0") ||
	    !json_is(method, JSON_STRING) || !id_is_well_formed(id)) {
		put_error(out, id_json(id_is_well_formed(id) ? id : NULL), RPC_INVALID_REQUEST,
		    BYTES_LITERAL("invalid request"), NULL);
		return true;
	}
	struct rpc_call call = {
	    .rpc = rpc, .worker = worker, .session = session, .arena = &worker->arena, .reading = reading};
	buf_init(&call.error_message, MESSAGE_MAX);
	const size_t before = out->len;
	rpc_begin_answer(out, id_json(id));
	call.out = json_writer(out);
	worker->spent_gas = 0;
	enum status status = run_method(&call, json_string(method), json_get(request, "params"));
	if (worker->caller) rpc_callers_spend_gas(rpc->options.callers, worker->caller, worker->spent_gas);
	if (status == STATUS_OK && out->len > rpc->options.response_max) out->overflow = true;
	if (out->overflow) {
		out->overflow = false;
		status = rpc_fail(&call, RPC_TOO_LARGE, "response too large");
		call.has_error_data = false;
		worker->refusal = RPC_TOO_LARGE;
	}
	if (status != STATUS_OK) {
		out->len = before;
		rpc_put_error(out, id_json(id), &call, status);
	} else if (call.awaits) {
		out->len = before;
		if (id)
			rpc_late_wait(&worker->late, &call, before, id->raw);
		else
			rpc_late_release(rpc, 1);
	} else {
		buf_byte(out, '}');
	}
	buf_fini(&call.error_message);
	if (id) return true;
	out->len = before;
	return false;
}

/* The one that stands for a whole batch, as in geth's answer. */
static const struct json *first_id(const struct json *batch) {
	json_foreach (request, batch) {
		const struct json *id = json_get(request, "id");
		if (id && id_is_well_formed(id)) return id;
	}
	return NULL;
}

static void answer_batch(struct rpc *rpc, struct rpc_worker *worker, struct rpc_session *session, struct buf *out,
    const struct json *batch) {
	if (batch->count == 0) {
		put_error(out, id_json(NULL), RPC_INVALID_REQUEST, BYTES_LITERAL("empty batch"), NULL);
		return;
	}
	if (batch->count > rpc->options.batch_max) {
		buf_byte(out, '[');
		put_error(out, id_json(first_id(batch)), RPC_INVALID_REQUEST, BYTES_LITERAL("batch too large"), NULL);
		buf_byte(out, ']');
		return;
	}
	const struct pool_reading *readings = rpc_read_ahead(&worker->arena, batch);
	size_t index = 0;
	const size_t before = out->len;
	buf_byte(out, '[');
	bool any = false;
	json_foreach (request, batch) {
		if (any) buf_byte(out, ',');
		const struct pool_reading *reading = readings && readings[index].good ? &readings[index] : NULL;
		const struct arena_mark mark = arena_mark(&worker->arena);
		bool answered = answer_one(rpc, worker, session, out, request, reading);
		arena_rewind(&worker->arena, mark);
		if (!answered && any) out->len--;
		any |= answered;
		index++;
	}
	buf_byte(out, ']');
	if (!any) out->len = before;
}

/* False: the caller has to wait. A batch that is too large to be carried out costs one request. */
static bool pay(struct rpc *rpc, struct rpc_message *message, const struct json *root, struct buf *out) {
	const bool is_batch = json_is(root, JSON_ARRAY);
	const bool counts = is_batch && root->count > 0 && root->count <= rpc->options.batch_max;
	if (!message->caller) return true;
	message->wait_s = rpc_callers_take(rpc->options.callers, message->caller, counts ? root->count : 1);
	if (message->wait_s == 0) return true;
	const struct json *id = is_batch ? first_id(root) : json_get(root, "id");
	put_error(out, id_json(id_is_well_formed(id) ? id : NULL), RPC_LIMIT, BYTES_LITERAL("limit exceeded"), NULL);
	return false;
}

struct rpc_late *rpc_answer(struct rpc *rpc, struct rpc_message *message, struct buf *out) {
	struct rpc_worker *worker = rpc_worker_take(rpc);
	worker->caller = message->caller;
	worker->request_due_ns = clock_monotonic_ns(worker->clock) + (uint64_t)rpc->options.batch_timeout_ms * 1000000;
	worker->refusal = 0;
	worker->late = NULL;
	const struct json *root = NULL;
	struct err err;
	enum status status = json_parse(&root, &worker->arena, message->body, &request_limits, &err);
	const bool is_paid = pay(rpc, message, status == STATUS_OK ? root : NULL, out);
	if (!is_paid) {
		/* answered */
	} else if (status != STATUS_OK) {
		char text[sizeof err.message + 16];
		int length = snprintf(text, sizeof text, "parse error: %s", err.message);
		put_error(out, id_json(NULL), RPC_PARSE_ERROR, bytes_make(text, (size_t)length), NULL);
	} else if (json_is(root, JSON_ARRAY)) {
		answer_batch(rpc, worker, message->session, out, root);
	} else {
		answer_one(rpc, worker, message->session, out, root, NULL);
	}
	struct rpc_late *late = worker->late;
	rpc_worker_give(rpc, worker);
	return late;
}
