/* Transactions: finding them, their receipts, and sending signed ones. */
#include "codec/hex.h"
#include "crypto/secp256k1_many.h"
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_late.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_send.h"
#include "ledger/rpc/rpc_write.h"

/* What a request of one small transaction needs. */
static const struct json_limits foreseen_limits = {4096, 8, 64};

static enum status put_null(struct rpc_call *call) {
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

static enum status put_found_tx(struct rpc_call *call, const struct rpc_found_tx *at) {
	struct mined_receipt receipt;
	bool found;
	TRY(rpc_tx_receipt(call, &receipt, &found, at));
	if (!found) return put_null(call);
	rpc_write_tx(&call->out, NULL, &at->tx, &receipt.sender, &at->block.header, &at->block.hash, at->index);
	return STATUS_OK;
}

enum status rpc_eth_get_tx_by_hash(struct rpc_call *call) {
	hash32 hash;
	struct rpc_found_tx at;
	struct transaction waiting;
	addr20 from;
	bool found;
	TRY(rpc_param_hash(call, &hash, 0));
	TRY(rpc_find_tx(call, &at, &found, &hash));
	if (found) return put_found_tx(call, &at);
	if (pool_find(call->rpc->options.pool, &waiting, &from, call->arena, &hash)) {
		rpc_write_tx(&call->out, NULL, &waiting, &from, NULL, NULL, 0);
		return STATUS_OK;
	}
	/* A block may have taken it out of the pool between the two looks. */
	TRY(rpc_find_tx(call, &at, &found, &hash));
	return found ? put_found_tx(call, &at) : put_null(call);
}

enum status rpc_eth_get_tx_by_index(struct rpc_call *call) {
	struct rpc_found_tx at;
	bool found;
	TRY(rpc_param_tx_place(call, &at, &found));
	return found ? put_found_tx(call, &at) : put_null(call);
}

enum status rpc_eth_get_raw_tx_by_index(struct rpc_call *call) {
	struct rpc_found_tx at;
	bool found;
	TRY(rpc_param_tx_place(call, &at, &found));
	json_put_hex(&call->out, NULL, found ? at.tx.raw : (struct bytes){NULL, 0}); /* as geth */
	return STATUS_OK;
}

enum status rpc_put_receipt(struct rpc_call *call, bool *found, const hash32 *tx_hash) {
	struct rpc_found_tx at;
	struct mined_receipt receipt;
	TRY(rpc_find_tx(call, &at, found, tx_hash));
	if (*found) TRY(rpc_tx_receipt(call, &receipt, found, &at));
	if (*found) rpc_write_receipt(call, &at.tx, &receipt, &at.block.header, &at.block.hash, at.index);
	return STATUS_OK;
}

enum status rpc_eth_get_receipt(struct rpc_call *call) {
	hash32 hash;
	bool found;
	TRY(rpc_param_hash(call, &hash, 0));
	TRY(rpc_put_receipt(call, &found, &hash));
	return found ? STATUS_OK : put_null(call);
}

/* Why the pool did not take it. */
static enum status refuse(struct rpc_call *call, enum pool_verdict verdict, enum tx_verdict tx_verdict) {
	if (verdict == POOL_OK) return STATUS_OK;
	return rpc_fail(call, RPC_SERVER_ERROR, "%s",
	    verdict == POOL_INVALID ? tx_verdict_text(tx_verdict) : pool_verdict_text(verdict));
}

static enum status add(struct rpc_call *call, hash32 *hash, struct bytes envelope, const struct pool_reading *reading) {
	struct pool *pool = call->rpc->options.pool;
	enum pool_verdict verdict = POOL_OK;
	enum tx_verdict tx_verdict = TX_VERDICT_OK;
	call->err.message[0] = 0;
	const enum status status = reading != NULL
				       ? pool_add_reading(pool, hash, &verdict, &tx_verdict, reading, &call->err)
				       : pool_add(pool, hash, &verdict, &tx_verdict, envelope, &call->err);
	if (status == STATUS_INVALID)
		return rpc_fail(
		    call, RPC_SERVER_ERROR, "%s", call->err.message[0] ? call->err.message : "malformed transaction");
	TRY(status);
	return refuse(call, verdict, tx_verdict);
}

static enum status take(struct rpc_call *call, struct bytes envelope, const struct pool_reading *reading) {
	hash32 hash;
	TRY(add(call, &hash, envelope, reading));
	json_put_hex(&call->out, NULL, BYTES_OF(hash));
	return STATUS_OK;
}

enum status rpc_pool_take(struct rpc_call *call, struct bytes envelope) {
	return take(call, envelope, NULL);
}

enum status rpc_pool_take_unsigned(struct rpc_call *call, const struct transaction *tx, const addr20 *from) {
	hash32 hash;
	enum pool_verdict verdict = POOL_OK;
	enum tx_verdict tx_verdict = TX_VERDICT_OK;
	TRY(pool_add_unsigned(call->rpc->options.pool, &hash, &verdict, &tx_verdict, tx, from, &call->err));
	TRY(refuse(call, verdict, tx_verdict));
	json_put_hex(&call->out, NULL, BYTES_OF(hash));
	return STATUS_OK;
}

enum status rpc_eth_send_raw(struct rpc_call *call) {
	struct bytes envelope;
	if (call->reading != NULL) return take(call, call->reading->tx.raw, call->reading);
	TRY(rpc_param_data(call, &envelope, 0));
	return rpc_pool_take(call, envelope);
}

/* EIP-7966: what has to wait for other transactions is not taken. */
static enum status refuse_gap(struct rpc_call *call, const struct pool_reading *reading) {
	uint64_t next;
	TRY(pool_next_nonce(call->rpc->options.pool, &next, &reading->sender, &call->err));
	if (reading->tx.nonce <= next) return STATUS_OK;
	rpc_fail_quantity(call, next);
	return rpc_fail(call, RPC_NONCE_GAP, "nonce too high: the account's next is %llu", (unsigned long long)next);
}

/* Milliseconds; geth's limits, and the node's own for none and for zero. */
static enum status param_timeout(struct rpc_call *call, uint64_t *out_ms, size_t index) {
	const struct rpc_options *options = &call->rpc->options;
	*out_ms = 0;
	if (rpc_param(call, index)) TRY(rpc_param_number(call, out_ms, index));
	if (*out_ms == 0) *out_ms = options->sync_timeout_ms;
	if (*out_ms > options->sync_timeout_max_ms) *out_ms = options->sync_timeout_max_ms;
	return STATUS_OK;
}

/* The sender is recovered once. Envelopes that cannot be read are the pool's to refuse. */
static enum status add_without_gap(struct rpc_call *call) {
	const struct pool_reading *reading = call->reading;
	struct pool_reading alone = {.good = false};
	struct bytes envelope = {0};
	if (reading == NULL) {
		TRY(rpc_param_data(call, &envelope, 0));
		envelope = arena_dup(call->arena, envelope);
		pool_read(call->rpc->options.pool, &alone, call->arena, envelope);
		if (alone.good) reading = &alone;
	}
	if (reading != NULL) TRY(refuse_gap(call, reading));
	return add(call, &call->awaited, envelope, reading);
}

enum status rpc_eth_send_raw_sync(struct rpc_call *call) {
	struct bytes envelope;
	TRY(rpc_param_data(call, &envelope, 0));
	TRY(param_timeout(call, &call->await_ms, 1));
	if (!rpc_late_reserve(call->rpc, &call->await_news))
		return rpc_fail(call, RPC_NOT_READY, "too many transactions are waited for");
	const enum status status = add_without_gap(call);
	call->awaits = status == STATUS_OK;
	if (!call->awaits) rpc_late_release(call->rpc, 1);
	return status;
}

/* The envelope that a request of a batch sends; empty if it is another request, or a wrong one. */
static struct bytes sent_envelope(struct arena *arena, const struct json *request) {
	const struct json *method = json_get(request, "method");
	if (!json_string_is(method, "eth_sendRawTransaction") && !json_string_is(method, "eth_sendRawTransactionSync"))
		return (struct bytes){0};
	const struct bytes text = json_string(json_at(json_get(request, "params"), 0));
	struct bytes envelope = {0};
	struct buf data;
	buf_init(&data, text.len);
	if (hex_data(&data, text) == STATUS_OK) envelope = arena_dup(arena, buf_view(&data));
	buf_fini(&data);
	return envelope;
}

bool rpc_foresee(void *context, const struct http_exchange *exchange) {
	struct rpc *rpc = context;
	const struct http_request *request = &exchange->request;
	const struct bytes name = BYTES_LITERAL("\"eth_sendRawTransaction"); /* …Sync too */
	const struct json *root;
	struct err err;
	if (!secp_many_pays() || request->body.len > foreseen_limits.bytes_max ||
	    !memmem(request->body.data, request->body.len, name.data, name.len))
		return false;
	struct rpc_worker *worker = rpc_worker_take(rpc);
	const bool foreseen = json_parse(&root, &worker->arena, request->body, &foreseen_limits, &err) == STATUS_OK &&
			      pool_foresee(rpc->options.pool, sent_envelope(&worker->arena, root));
	rpc_worker_give(rpc, worker);
	return foreseen;
}

const struct pool_reading *rpc_read_ahead(struct arena *arena, const struct json *batch) {
	struct bytes *envelopes = arena_alloc(arena, batch->count * sizeof *envelopes);
	size_t count = 0, sent = 0;
	json_foreach (request, batch) {
		envelopes[count] = sent_envelope(arena, request);
		sent += envelopes[count++].len > 0;
	}
	if (sent < 2) return NULL;
	struct pool_reading *readings = arena_alloc(arena, count * sizeof *readings);
	pool_read_many(readings, arena, envelopes, count);
	return readings;
}
