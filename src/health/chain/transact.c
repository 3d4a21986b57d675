/* The single steps of sending: an estimate, the base fee, the raw transaction, its receipt. The outbox takes them. */
#include "codec/hex.h"
#include "health/chain/client_private.h"

bool client_error_is_of_node(const struct client_error *error) {
	return error->code == -32603 || error->code == -32005;
}

static void put_call(struct json_writer *writer, const addr20 *from, const addr20 *to, struct bytes data) {
	json_object_begin(writer, NULL);
	json_put_hex(writer, "from", BYTES_OF(*from));
	if (to) json_put_hex(writer, "to", BYTES_OF(*to));
	json_put_hex(writer, "data", data);
	json_object_end(writer);
}

enum status client_estimate(struct client *client, uint64_t *gas, struct client_verdict *verdict, struct arena *arena,
    const struct transaction *tx, const addr20 *from, struct err *err) {
	struct buf params;
	buf_init(&params, CLIENT_ANSWER_MAX);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	put_call(&writer, from, tx->is_create ? NULL : &tx->to, tx->data);
	json_array_end(&writer);
	const struct json *result;
	struct client_error error = {0};
	enum status status = client_rpc(client, &result, &error, arena, "eth_estimateGas", buf_view(&params), err);
	buf_fini(&params);
	*verdict = (struct client_verdict){.ok = true};
	if (status == STATUS_DENIED && !client_error_is_of_node(&error)) {
		client_verdict_of_error(verdict, &error);
		return STATUS_OK;
	}
	if (status == STATUS_DENIED) return STATUS_IO;
	TRY(status);
	return client_answer_quantity(gas, result, "gas estimate", err);
}

enum status client_call_gas(struct client *client, uint64_t *gas, struct client_verdict *verdict, struct arena *arena,
    const addr20 *from, const addr20 *to, struct bytes data, struct err *err) {
	const struct transaction tx = {.to = *to, .data = data};
	return client_estimate(client, gas, verdict, arena, &tx, from, err);
}

enum status client_base_fee(struct client *client, uint64_t *base_fee_wei, struct arena *arena, struct err *err) {
	const struct json *result;
	TRY(client_rpc(client, &result, NULL, arena, "eth_getBlockByNumber", BYTES_LITERAL("[\"latest\",false]"), err));
	return client_answer_quantity(base_fee_wei, json_get(result, "baseFeePerGas"), "base fee", err);
}

/* `wait_ms` 0: the method without waiting. */
static enum status send_raw(struct client *client, struct client_error *error, struct arena *arena, struct bytes raw,
    uint32_t wait_ms, struct err *err) {
	struct buf params;
	buf_init(&params, CLIENT_ANSWER_MAX);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, raw);
	if (wait_ms) json_put_u64(&writer, NULL, wait_ms);
	json_array_end(&writer);
	const struct json *result;
	const char *method = wait_ms ? "eth_sendRawTransactionSync" : "eth_sendRawTransaction";
	const enum status status = client_rpc(client, &result, error, arena, method, buf_view(&params), err);
	buf_fini(&params);
	return status;
}

enum status client_send_raw(
    struct client *client, struct client_verdict *verdict, struct arena *arena, struct bytes raw, struct err *err) {
	struct client_error error = {0};
	const enum status status = send_raw(client, &error, arena, raw, 0, err);
	*verdict = (struct client_verdict){.ok = status == STATUS_OK};
	if (status == STATUS_DENIED && !client_error_is_of_node(&error)) {
		client_verdict_of_error(verdict, &error);
		return STATUS_OK;
	}
	return status == STATUS_DENIED ? STATUS_IO : status;
}

enum status client_send_raw_and_wait(
    struct client *client, bool *taken, struct arena *arena, struct bytes raw, uint32_t wait_ms, struct err *err) {
	enum { NOT_SEALED = 4 }; /* EIP-7966: it is in the pool */
	struct client_error error = {0};
	const enum status status = send_raw(client, &error, arena, raw, wait_ms, err);
	*taken = status == STATUS_OK || (status == STATUS_DENIED && error.code == NOT_SEALED);
	return status == STATUS_DENIED ? STATUS_OK : status;
}

static enum status read_receipt(
    struct client_receipt *out, struct arena *arena, const struct json *receipt, struct err *err) {
	uint64_t succeeded;
	const struct json *logs = json_get(receipt, "logs"), *created = json_get(receipt, "contractAddress");
	TRY(client_answer_fixed(out->block_hash.b, 32, json_get(receipt, "blockHash"), "block hash", err));
	TRY(client_answer_quantity(&out->block_number, json_get(receipt, "blockNumber"), "block number", err));
	TRY(client_answer_quantity(&out->gas_used, json_get(receipt, "gasUsed"), "gas used", err));
	TRY(client_answer_quantity(&succeeded, json_get(receipt, "status"), "status", err));
	out->success = succeeded == 1;
	if (json_is(created, JSON_STRING))
		TRY(client_answer_fixed(out->created.b, 20, created, "contract's address", err));
	if (!json_is(logs, JSON_ARRAY)) return client_senseless(err, "the node's receipt has no logs");
	out->logs = arena_zalloc(arena, logs->count, sizeof *out->logs);
	json_foreach (entry, logs) TRY(client_read_log(&out->logs[out->log_count++], arena, entry, err));
	return STATUS_OK;
}

enum status client_find_receipt(struct client *client, struct client_receipt *out, bool *found, struct arena *arena,
    const hash32 *hash, struct err *err) {
	const struct json *result = NULL;
	TRY(client_rpc(client, &result, NULL, arena, "eth_getTransactionReceipt", client_hash_param(arena, hash), err));
	*found = !json_is(result, JSON_NULL);
	*out = (struct client_receipt){.tx_hash = *hash};
	return *found ? read_receipt(out, arena, result, err) : STATUS_OK;
}
