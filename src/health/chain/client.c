/* The connection, one JSON-RPC call, and reading its answer strictly. What is asked with it is in queries.c and
 * transact.c. */
#include "health/chain/client.h"

#include <stdarg.h>
#include <stdio.h>

#include "codec/hex.h"
#include "health/chain/client_private.h"
#include "health/contracts/cause.h"

enum { CODE_PRUNED = 4444 }; /* of EIP-4444, as geth and our node answer */

enum status client_senseless(struct err *err, const char *format, ...) {
	char text[200];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return err_because(err, CAUSE_NOT_PROVED, err_set(err, STATUS_INTERNAL, "%s", text));
}

static enum status ask_chain_id(struct client *client, struct err *err) {
	struct arena arena;
	const struct json *result;
	arena_init(&arena);
	enum status status = client_rpc(client, &result, NULL, &arena, "eth_chainId", BYTES_LITERAL("[]"), err);
	if (status == STATUS_OK) status = client_answer_quantity(&client->chain_id, result, "chain id", err);
	arena_fini(&arena);
	return status;
}

enum status client_open(struct client **out, const struct client_options *options, struct err *err) {
	struct client *client = mem_zalloc(1, sizeof *client);
	client->options = *options;
	client->url = mem_strdup(options->url);
	client->options.url = client->url;
	client->chain_id = options->chain_id;
	enum status status = client->chain_id ? STATUS_OK : ask_chain_id(client, err);
	if (status != STATUS_OK) {
		client_close(client);
		return status;
	}
	*out = client;
	return STATUS_OK;
}

void client_close(struct client *client) {
	if (!client) return;
	mem_free(client->url);
	mem_free(client);
}

uint64_t client_chain_id(const struct client *client) {
	return client->chain_id;
}

const char *client_url(const struct client *client) {
	return client->url;
}

const struct client_options *client_options_of(const struct client *client) {
	return &client->options;
}

void client_keep_logs(struct client *client, const struct client_log_keeper *keeper) {
	client->keeper = keeper;
}

void client_set_deadline(struct client *client, uint64_t deadline_ms) {
	client->deadline_ms = deadline_ms;
}

enum status client_begin_exchange(const struct client *client, struct err *err) {
	const struct http_client *http = client->options.http;
	uint64_t left_ms = 0;
	if (client->deadline_ms) {
		uint64_t now_ms = clock_now_ms(client->options.clock);
		if (now_ms >= client->deadline_ms)
			return err_set(err, STATUS_TIMEOUT, "the time for this request is over");
		left_ms = client->deadline_ms - now_ms;
	}
	if (http->limit) http->limit(http->context, left_ms < UINT32_MAX ? (uint32_t)left_ms : 0);
	return STATUS_OK;
}

/* --- one call --- */

static void put_request(struct json_writer *writer, uint64_t id, const char *method, struct bytes params) {
	json_object_begin(writer, NULL);
	json_put_text(writer, "jsonrpc", "2.0");
	json_put_u64(writer, "id", id);
	json_put_text(writer, "method", method);
	json_put_raw(writer, "params", params);
	json_object_end(writer);
}

static enum status exchange(
    struct client *client, struct http_response *response, const char *url, struct bytes request, struct err *err) {
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	const struct http_client *http = client->options.http;
	TRY(client_begin_exchange(client, err));
	enum status status = http->exchange(http->context, response, HTTP_POST, url, headers, request, err);
	if (status != STATUS_OK)
		return err_because(
		    err, CAUSE_NODE_SILENT, err_prefix(err, status, "no answer from the node at %s", url));
	if (response->status != 200)
		return err_set(err, STATUS_IO, "the node at %s answers with HTTP status %d", url, response->status);
	return STATUS_OK;
}

/* Sends what was written and parses the answer. `what` names it in a refusal. */
static enum status ask(struct client *client, const struct json **root, struct arena *arena, const char *url,
    const struct buf *request, const char *what, struct err *err) {
	struct http_response response;
	http_response_init(&response, CLIENT_ANSWER_MAX);
	enum status status = buf_status(request, err);
	if (status == STATUS_OK) status = exchange(client, &response, url, buf_view(request), err);
	if (status == STATUS_OK) {
		struct bytes answer = arena_dup(arena, buf_view(&response.body));
		status = json_parse(root, arena, answer, NULL, err);
		if (status != STATUS_OK)
			err_because(err, CAUSE_NOT_PROVED,
			    err_prefix(err, status, "the node's answer to %s is not JSON", what));
	}
	http_response_fini(&response);
	return status;
}

void client_read_error(struct client_error *out, struct arena *arena, const struct json *error) {
	struct bytes message = json_string(json_get(error, "message"));
	const struct json *code = json_get(error, "code"), *data = json_get(error, "data");
	*out = (struct client_error){0};
	snprintf(out->message, sizeof out->message, "%.*s", (int)message.len, (const char *)message.data);
	for (char *at = out->message; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = ' '; /* a terminal obeys some of these */
	if (json_is(code, JSON_NUMBER) && code->text.len < 20) {
		bool negative = code->text.len && code->text.data[0] == '-';
		struct json magnitude = *code;
		uint64_t value = 0;
		magnitude.text = bytes_slice(code->text, negative, code->text.len);
		if (json_u64(&value, &magnitude) && value <= INT64_MAX)
			out->code = negative ? -(int64_t)value : (int64_t)value;
	}
	if (json_is(data, JSON_STRING) && client_answer_data(&out->data, arena, data, "error data", NULL) != STATUS_OK)
		out->data = (struct bytes){NULL, 0};
}

static enum status read_result(const struct json **result, struct client_error *error, struct arena *arena,
    const struct json *answer, const char *method, struct err *err) {
	const struct json *fault = json_get(answer, "error");
	if (fault) {
		client_read_error(error, arena, fault);
		const bool is_pruned = error->code == CODE_PRUNED;
		return err_set(err, is_pruned ? STATUS_PRUNED : STATUS_DENIED, "%s: %s", method, error->message);
	}
	*result = json_get(answer, "result");
	if (!*result) return client_senseless(err, "the node's answer to %s has no result", method);
	return STATUS_OK;
}

enum status client_ask_at(
    struct client *client, const char *url, struct client_question *question, struct arena *arena, struct err *err) {
	struct buf request;
	const struct json *root = NULL;
	buf_init(&request, CLIENT_ANSWER_MAX);
	struct json_writer writer = json_writer(&request);
	put_request(&writer, ++client->next_id, question->method, question->params);
	question->status = ask(client, &root, arena, url, &request, question->method, err);
	buf_fini(&request);
	if (question->status == STATUS_OK)
		question->status = read_result(&question->result, &question->error, arena, root, question->method, err);
	return question->status;
}

enum status client_rpc(struct client *client, const struct json **result, struct client_error *error,
    struct arena *arena, const char *method, struct bytes params, struct err *err) {
	struct client_question question = {.method = method, .params = params};
	enum status status = client_ask_at(client, client->url, &question, arena, err);
	if (error && status == STATUS_DENIED) *error = question.error;
	*result = question.result;
	return status;
}

/* --- several calls --- */

/* The place of an answer by its id; each may come once. */
static enum status settle(struct client_question *questions, size_t count, uint64_t first_id, struct arena *arena,
    const struct json *answer, struct err *err) {
	uint64_t id;
	if (!json_u64(&id, json_get(answer, "id")) || id < first_id || id - first_id >= count)
		return client_senseless(err, "the node answers what was not asked");
	struct client_question *question = &questions[id - first_id];
	if (question->status != STATUS_NOTFOUND) return client_senseless(err, "the node answers one call twice");
	question->status = read_result(&question->result, &question->error, arena, answer, question->method, err);
	const bool is_answered = question->status == STATUS_DENIED || question->status == STATUS_PRUNED;
	return is_answered ? STATUS_OK : question->status;
}

enum status client_batch(
    struct client *client, struct client_question *questions, size_t count, struct arena *arena, struct err *err) {
	struct buf request;
	const struct json *root = NULL;
	const uint64_t first_id = client->next_id + 1;
	if (count == 0) return STATUS_OK;
	buf_init(&request, CLIENT_ANSWER_MAX);
	struct json_writer writer = json_writer(&request);
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < count; i++) {
		questions[i].status = STATUS_NOTFOUND; /* no answer yet */
		put_request(&writer, ++client->next_id, questions[i].method, questions[i].params);
	}
	json_array_end(&writer);
	enum status status = ask(client, &root, arena, client->url, &request, "a batch", err);
	buf_fini(&request);
	TRY(status);
	if (!json_is(root, JSON_ARRAY) || root->count != count)
		return client_senseless(err, "the node answers %u of %zu calls", root->count, count);
	json_foreach (answer, root) TRY(settle(questions, count, first_id, arena, answer, err));
	return STATUS_OK;
}

/* --- reading answers --- */

enum status client_answer_quantity(uint64_t *out, const struct json *value, const char *what, struct err *err) {
	if (hex_quantity(out, json_string(value)) == STATUS_OK) return STATUS_OK;
	return client_senseless(err, "the node's answer holds no quantity where the %s is expected", what);
}

enum status client_answer_fixed(uint8_t *out, size_t len, const struct json *value, const char *what, struct err *err) {
	if (hex_fixed(out, len, json_string(value)) == STATUS_OK) return STATUS_OK;
	return client_senseless(err, "the node's answer holds no %zu bytes where the %s is expected", len, what);
}

struct bytes client_hash_param(struct arena *arena, const hash32 *hash) {
	struct buf text;
	buf_init(&text, 80);
	hex_put(&text, BYTES_OF(*hash), true);
	const char *params = arena_printf(arena, "[\"%s\"]", buf_cstr(&text));
	buf_fini(&text);
	return bytes_text(params);
}

enum status client_answer_data(
    struct bytes *out, struct arena *arena, const struct json *value, const char *what, struct err *err) {
	struct bytes text = json_string(value);
	struct buf data;
	buf_init(&data, text.len);
	enum status status = text.data ? hex_data(&data, text) : STATUS_INVALID;
	if (status == STATUS_OK) *out = arena_dup(arena, buf_view(&data));
	buf_fini(&data);
	return status == STATUS_OK
		   ? status
		   : client_senseless(err, "the node's answer holds no data where the %s is expected", what);
}
