/* Reading the chain: local calls and numbers. Logs are in logs.c. */
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
		client_verdict_of_error(verdict, &error);
		return STATUS_OK;
	}
	TRY(status);
	return client_answer_data(output, arena, result, "output of the call", err);
}

/* A method without arguments, or with one address, that answers with a quantity. */
static enum status quantity(
    struct client *client, uint64_t *out, const char *method, struct bytes params, const char *what, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	const struct json *result;
	enum status status = client_rpc(client, &result, NULL, &arena, method, params, err);
	if (status == STATUS_OK) status = client_answer_quantity(out, result, what, err);
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
