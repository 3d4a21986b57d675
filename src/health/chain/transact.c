/* Sending a transaction and waiting for its receipt. */
#include <stdio.h>

#include "codec/hex.h"
#include "health/chain/client_private.h"

#define WAIT_MS 30000u
#define FIRST_POLL_MS 2u
#define POLL_MAX_MS 100u
#define GAS_HEADROOM 5u /* a fifth on top of the estimate */

static void put_call(struct json_writer *writer, const addr20 *from, const addr20 *to, struct bytes data) {
	json_object_begin(writer, NULL);
	json_put_hex(writer, "from", BYTES_OF(*from));
	if (to) json_put_hex(writer, "to", BYTES_OF(*to));
	json_put_hex(writer, "data", data);
	json_object_end(writer);
}

/* A revert of the estimate is a verdict: nothing is sent. */
static enum status estimate(struct client *client, uint64_t *gas, struct client_verdict *verdict, struct arena *arena,
    const addr20 *from, const addr20 *to, struct bytes data, struct err *err) {
	struct buf params;
	buf_init(&params, CLIENT_ANSWER_MAX);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	put_call(&writer, from, to, data);
	json_array_end(&writer);
	const struct json *result;
	struct client_error error = {0};
	enum status status = client_rpc(client, &result, &error, arena, "eth_estimateGas", buf_view(&params), err);
	buf_fini(&params);
	*verdict = (struct client_verdict){.ok = true};
	if (status == STATUS_DENIED) {
		verdict_of_error(verdict, client, &error);
		return STATUS_OK;
	}
	TRY(status);
	TRY(answer_quantity(gas, result, "gas estimate", err));
	*gas += *gas / GAS_HEADROOM;
	return STATUS_OK;
}

/* Twice the base fee, and a small tip where there is a base fee at all. */
static enum status set_fees(struct client *client, struct transaction *tx, struct arena *arena, struct err *err) {
	const struct json *result;
	uint64_t base_fee = 0;
	TRY(client_rpc(client, &result, NULL, arena, "eth_getBlockByNumber", BYTES_LITERAL("[\"latest\",false]"), err));
	TRY(answer_quantity(&base_fee, json_get(result, "baseFeePerGas"), "base fee", err));
	if (base_fee == 0) return STATUS_OK;
	tx->max_priority_fee_wei = u256_from(1000000000u);
	u256 twice = u256_from(2 * base_fee);
	u256_add_overflow(&tx->max_fee_wei, &twice, &tx->max_priority_fee_wei);
	return STATUS_OK;
}

static enum status send_raw(struct client *client, hash32 *hash, struct client_verdict *verdict, struct arena *arena,
    struct bytes raw, struct err *err) {
	struct buf params;
	buf_init(&params, CLIENT_ANSWER_MAX);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, raw);
	json_array_end(&writer);
	const struct json *result;
	struct client_error error = {0};
	enum status status =
	    client_rpc(client, &result, &error, arena, "eth_sendRawTransaction", buf_view(&params), err);
	buf_fini(&params);
	if (status == STATUS_DENIED) {
		verdict_of_error(verdict, client, &error);
		return STATUS_OK;
	}
	TRY(status);
	return answer_fixed(hash->b, 32, result, "transaction hash", err);
}

static enum status read_receipt(
    struct client_receipt *out, struct arena *arena, const struct json *receipt, struct err *err) {
	uint64_t succeeded;
	const struct json *logs = json_get(receipt, "logs"), *created = json_get(receipt, "contractAddress");
	TRY(answer_fixed(out->block_hash.b, 32, json_get(receipt, "blockHash"), "block hash", err));
	TRY(answer_quantity(&out->block_number, json_get(receipt, "blockNumber"), "block number", err));
	TRY(answer_quantity(&out->gas_used, json_get(receipt, "gasUsed"), "gas used", err));
	TRY(answer_quantity(&succeeded, json_get(receipt, "status"), "status", err));
	out->success = succeeded == 1;
	if (json_is(created, JSON_STRING)) TRY(answer_fixed(out->created.b, 20, created, "contract's address", err));
	if (!json_is(logs, JSON_ARRAY)) return err_set(err, STATUS_INTERNAL, "the node's receipt has no logs");
	out->logs = arena_zalloc(arena, logs->count, sizeof *out->logs);
	json_foreach (entry, logs) TRY(client_read_log(&out->logs[out->log_count++], arena, entry, err));
	return STATUS_OK;
}

static enum status wait_for_receipt(
    struct client *client, struct client_receipt *out, struct arena *arena, struct err *err) {
	struct buf params;
	buf_init(&params, 128);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, BYTES_OF(out->tx_hash));
	json_array_end(&writer);
	const struct json *result = NULL;
	enum status status = STATUS_OK;
	uint32_t pause_ms = FIRST_POLL_MS;
	for (uint32_t waited_ms = 0;; waited_ms += pause_ms) {
		status = client_rpc(client, &result, NULL, arena, "eth_getTransactionReceipt", buf_view(&params), err);
		if (status != STATUS_OK || !json_is(result, JSON_NULL)) break;
		if (waited_ms >= WAIT_MS) {
			status = err_set(err, STATUS_TIMEOUT, "the transaction was sent and is in no block after %u s",
			    WAIT_MS / 1000);
			break;
		}
		client->options.sleep_ms(client->options.sleep_context, pause_ms);
		pause_ms = pause_ms * 2 < POLL_MAX_MS ? pause_ms * 2 : POLL_MAX_MS;
	}
	buf_fini(&params);
	TRY(status);
	return read_receipt(out, arena, result, err);
}

enum status client_transact(struct client *client, struct client_receipt *receipt, struct client_verdict *verdict,
    struct arena *arena, const hash32 *secret, const addr20 *to, struct bytes data, struct err *err) {
	struct transaction tx = {.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(client->chain_id),
	    .is_create = !to,
	    .data = data};
	addr20 from;
	*receipt = (struct client_receipt){0};
	if (to) tx.to = *to;
	TRY(address_of_secret(&from, secret));
	TRY(estimate(client, &tx.gas_limit, verdict, arena, &from, to, data, err));
	if (!verdict->ok) return STATUS_OK;
	TRY(set_fees(client, &tx, arena, err));
	TRY(client_nonce(client, &tx.nonce, &from, err));
	TRY(transaction_sign(&tx, arena, secret, err));
	TRY(send_raw(client, &receipt->tx_hash, verdict, arena, tx.raw, err));
	if (!verdict->ok) return STATUS_OK;
	TRY(wait_for_receipt(client, receipt, arena, err));
	verdict->ok = receipt->success;
	if (!receipt->success)
		snprintf(verdict->reason, sizeof verdict->reason, "the transaction failed in block %llu",
		    (unsigned long long)receipt->block_number);
	return STATUS_OK;
}
