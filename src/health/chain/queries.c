/* Reading the chain: local calls, numbers, logs. */
#include "codec/hex.h"
#include "health/chain/client_private.h"

enum status client_call(struct client *client, struct bytes *output, struct client_verdict *verdict,
    struct arena *arena, const addr20 *from, const addr20 *to, struct bytes data, struct err *err) {
	struct buf params;
	buf_init(&params, CLIENT_ANSWER_MAX);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	json_object_begin(&writer, NULL);
	if (from) json_put_hex(&writer, "from", BYTES_OF(*from));
	json_put_hex(&writer, "to", BYTES_OF(*to));
	json_put_hex(&writer, "data", data);
	json_object_end(&writer);
	json_put_text(&writer, NULL, "latest");
	json_array_end(&writer);
	const struct json *result;
	struct client_error error = {0};
	enum status status = client_rpc(client, &result, &error, arena, "eth_call", buf_view(&params), err);
	buf_fini(&params);
	*verdict = (struct client_verdict){.ok = true};
	*output = (struct bytes){NULL, 0};
	if (status == STATUS_DENIED) {
		verdict_of_error(verdict, client, &error);
		return STATUS_OK;
	}
	TRY(status);
	return answer_data(output, arena, result, "output of the call", err);
}

/* A method without arguments, or with one address, that answers with a quantity. */
static enum status quantity(
    struct client *client, uint64_t *out, const char *method, struct bytes params, const char *what, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	const struct json *result;
	enum status status = client_rpc(client, &result, NULL, &arena, method, params, err);
	if (status == STATUS_OK) status = answer_quantity(out, result, what, err);
	arena_fini(&arena);
	return status;
}

static enum status nonce_at(
    struct client *client, uint64_t *nonce, const addr20 *address, const char *block, struct err *err) {
	struct buf params;
	buf_init(&params, 256);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, BYTES_OF(*address));
	json_put_text(&writer, NULL, block);
	json_array_end(&writer);
	enum status status = quantity(client, nonce, "eth_getTransactionCount", buf_view(&params), "nonce", err);
	buf_fini(&params);
	return status;
}

enum status client_nonce(struct client *client, uint64_t *nonce, const addr20 *address, struct err *err) {
	return nonce_at(client, nonce, address, "pending", err);
}

enum status client_mined_nonce(struct client *client, uint64_t *nonce, const addr20 *address, struct err *err) {
	return nonce_at(client, nonce, address, "latest", err);
}

enum status client_block_number(struct client *client, uint64_t *number, struct err *err) {
	return quantity(client, number, "eth_blockNumber", BYTES_LITERAL("[]"), "block number", err);
}

enum status client_timestamp(struct client *client, uint64_t *seconds, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	const struct json *result;
	enum status status =
	    client_rpc(client, &result, NULL, &arena, "eth_getBlockByNumber", BYTES_LITERAL("[\"latest\",false]"), err);
	if (status == STATUS_OK) status = answer_quantity(seconds, json_get(result, "timestamp"), "timestamp", err);
	arena_fini(&arena);
	return status;
}

/* --- logs --- */

enum status client_read_log(struct log *out, struct arena *arena, const struct json *entry, struct err *err) {
	const struct json *topics = json_get(entry, "topics");
	*out = (struct log){0};
	TRY(answer_fixed(out->address.b, 20, json_get(entry, "address"), "log's address", err));
	if (!json_is(topics, JSON_ARRAY) || topics->count > 4)
		return err_set(err, STATUS_INTERNAL, "the node's answer holds a log without topics");
	json_foreach (topic, topics)
		TRY(answer_fixed(out->topics[out->topic_count++].b, 32, topic, "log's topic", err));
	return answer_data(&out->data, arena, json_get(entry, "data"), "log's data", err);
}

static void put_log_filter(struct buf *out, const struct client_log_filter *filter) {
	struct json_writer writer = json_writer(out);
	json_array_begin(&writer, NULL);
	json_object_begin(&writer, NULL);
	json_put_quantity(&writer, "fromBlock", filter->from_block);
	json_put_text(&writer, "toBlock", "latest");
	if (filter->address) json_put_hex(&writer, "address", BYTES_OF(*filter->address));
	json_array_begin(&writer, "topics");
	int last = 3;
	while (last >= 0 && !filter->has_topic[last]) last--;
	for (int i = 0; i <= last; i++) {
		if (filter->has_topic[i])
			json_put_hex(&writer, NULL, BYTES_OF(filter->topics[i]));
		else
			json_put_null(&writer, NULL);
	}
	json_array_end(&writer);
	json_object_end(&writer);
	json_array_end(&writer);
}

static enum status read_found(struct client_log *out, struct arena *arena, const struct json *entry, struct err *err) {
	TRY(client_read_log(&out->log, arena, entry, err));
	TRY(answer_quantity(&out->block_number, json_get(entry, "blockNumber"), "log's block number", err));
	TRY(answer_fixed(out->tx_hash.b, 32, json_get(entry, "transactionHash"), "log's transaction hash", err));
	const struct json *timestamp = json_get(entry, "blockTimestamp");
	if (timestamp) TRY(answer_quantity(&out->timestamp, timestamp, "log's timestamp", err));
	return STATUS_OK;
}

enum status client_logs(struct client *client, struct client_log **logs, size_t *count, struct arena *arena,
    const struct client_log_filter *filter, struct err *err) {
	struct buf params;
	buf_init(&params, 4096);
	put_log_filter(&params, filter);
	const struct json *result;
	enum status status = client_rpc(client, &result, NULL, arena, "eth_getLogs", buf_view(&params), err);
	buf_fini(&params);
	TRY(status);
	if (!json_is(result, JSON_ARRAY))
		return err_set(err, STATUS_INTERNAL, "the node's answer holds no list of logs");
	*logs = arena_zalloc(arena, result->count, sizeof **logs);
	*count = 0;
	json_foreach (entry, result) TRY(read_found(&(*logs)[(*count)++], arena, entry, err));
	return STATUS_OK;
}
