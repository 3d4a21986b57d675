#include "app/serve/comet_rpc.h"

#include <stdio.h>
#include <stdlib.h>

#include "codec/hex.h"
#include "comet/light_json.h"
#include "net/http_client.h"

enum { ANSWER_MAX = 4 << 20 };
/* The host is not asked for: the socket decides. */
#define COMET_URL "http://cometbft/"

struct comet_rpc {
	struct http_client http;
	struct http_response response;
	struct arena arena; /* of one call */
	struct buf request;
};

enum status comet_rpc_open(struct comet_rpc **out, const char *socket, uint32_t timeout_ms, struct err *err) {
	struct comet_rpc *rpc = mem_zalloc(1, sizeof *rpc);
	const struct http_client_options options = {
	    .unix_socket = socket, .timeout_ms = timeout_ms, .connect_timeout_ms = timeout_ms};
	http_response_init(&rpc->response, ANSWER_MAX);
	arena_init(&rpc->arena);
	buf_init(&rpc->request, BUF_MAX_DEFAULT);
	const enum status status = http_client_open(&rpc->http, &options, err);
	if (status != STATUS_OK) {
		comet_rpc_close(rpc);
		return status;
	}
	*out = rpc;
	return STATUS_OK;
}

void comet_rpc_close(struct comet_rpc *rpc) {
	if (rpc == NULL) return;
	http_client_close(&rpc->http);
	http_response_fini(&rpc->response);
	arena_fini(&rpc->arena);
	buf_fini(&rpc->request);
	mem_free(rpc);
}

static enum status post(struct comet_rpc *rpc, struct bytes request, struct err *err) {
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	return rpc->http.exchange(rpc->http.context, &rpc->response, HTTP_POST, COMET_URL, headers, request, err);
}

enum status comet_rpc_forward(struct comet_rpc *rpc, struct buf *out, struct bytes request, struct err *err) {
	TRY(post(rpc, request, err));
	buf_append(out, buf_view(&rpc->response.body));
	return buf_status(out, err);
}

/* Sends what is in `request`; gives the answer, whose text is in the arena, too. */
static enum status exchange(struct comet_rpc *rpc, const struct json **out, struct err *err) {
	TRY(post(rpc, buf_view(&rpc->request), err));
	const struct bytes text = arena_dup(&rpc->arena, buf_view(&rpc->response.body));
	if (json_parse(out, &rpc->arena, text, NULL, err) == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "CometBFT's answer is not JSON (HTTP %d)", rpc->response.status);
}

/* The result of one answer; its error says what CometBFT refuses. */
static enum status result_of(const struct json **out, const struct json *answer, struct err *err) {
	const struct json *fault = json_get(answer, "error");
	*out = json_get(answer, "result");
	if (json_is(*out, JSON_OBJECT) && fault == NULL) return STATUS_OK;
	const struct bytes why = json_string(json_get(fault, "data"));
	return err_set(err, STATUS_DENIED, "CometBFT refuses: %.*s", (int)(why.len < 200 ? why.len : 200),
	    why.data != NULL ? (const char *)why.data : "");
}

static void put_call(struct json_writer *writer, const char *method, uint64_t id) {
	json_object_begin(writer, NULL);
	json_put_text(writer, "jsonrpc", "2.0");
	json_put_u64(writer, "id", id);
	json_put_text(writer, "method", method);
}

enum status comet_rpc_send(struct comet_rpc *rpc, const struct bytes *bundles, size_t count, struct err *err) {
	struct json_writer writer = json_writer(&rpc->request);
	struct buf text;
	BUG_ON(count == 0 || count > COMET_RPC_BATCH_MAX);
	arena_reset(&rpc->arena);
	buf_clear(&rpc->request);
	buf_init(&text, BUF_MAX_DEFAULT);
	json_array_begin(&writer, NULL);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&text);
		base64_put(&text, bundles[i]);
		put_call(&writer, "broadcast_tx_async", i);
		json_object_begin(&writer, "params");
		json_put_string(&writer, "tx", buf_view(&text));
		json_object_end(&writer);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	buf_fini(&text);
	const struct json *answer, *result;
	TRY(exchange(rpc, &answer, err));
	if (!json_is(answer, JSON_ARRAY)) return result_of(&result, answer, err); /* a batch of one */
	json_foreach (item, answer) TRY(result_of(&result, item, err));
	return STATUS_OK;
}

/* CometBFT writes 64-bit numbers as strings. */
static bool spelled_u64(uint64_t *out, const struct json *value) {
	struct json number = {.type = JSON_NUMBER, .text = json_string(value)};
	return number.text.len > 0 && json_u64(out, &number);
}

/* `height` 0: the newest. Spelled as CometBFT wants it. */
static void put_call_at(struct json_writer *writer, const char *method, uint64_t height) {
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)height);
	put_call(writer, method, 1);
	json_object_begin(writer, "params");
	if (height != 0) json_put_text(writer, "height", text);
	if (strcmp(method, "validators") == 0) json_put_text(writer, "per_page", "100");
	json_object_end(writer);
	json_object_end(writer);
}

static enum status ask_at(
    struct comet_rpc *rpc, const struct json **out, const char *method, uint64_t height, struct err *err) {
	struct json_writer writer = json_writer(&rpc->request);
	const struct json *answer;
	buf_clear(&rpc->request);
	put_call_at(&writer, method, height);
	TRY(exchange(rpc, &answer, err));
	const enum status status = result_of(out, answer, err);
	return status == STATUS_DENIED ? STATUS_NOTFOUND : status; /* a height that is pruned, or to come */
}

enum status comet_rpc_light_block(struct comet_rpc *rpc, struct buf *out, uint64_t height, struct err *err) {
	const struct json *commit, *validators;
	struct comet_light_block block;
	arena_reset(&rpc->arena);
	TRY(ask_at(rpc, &commit, "commit", height, err));
	const struct json *header = json_get(json_get(commit, "signed_header"), "header");
	if (!spelled_u64(&height, json_get(header, "height")))
		return err_set(err, STATUS_INVALID, "CometBFT's commit names no height");
	TRY(ask_at(rpc, &validators, "validators", height, err));
	TRY(comet_light_block_of_json(&block, &rpc->arena, commit, validators, err));
	comet_light_block_encode(out, &block);
	return STATUS_OK;
}

/* A method without parameters. */
static enum status ask(struct comet_rpc *rpc, const struct json **out, const char *method, struct err *err) {
	arena_reset(&rpc->arena);
	return ask_at(rpc, out, method, 0, err);
}

static bool node_of(addr20 *out, const struct json *info) {
	char text[2 + 2 * sizeof out->b + 1];
	const struct bytes id = json_string(json_get(info, "id"));
	snprintf(text, sizeof text, "0x%.*s", (int)(id.len < 64 ? id.len : 64), (const char *)id.data);
	return id.len == 2 * sizeof out->b && hex_fixed(out->b, sizeof out->b, bytes_text(text)) == STATUS_OK;
}

/* Of "height/round/step". */
static uint64_t round_of(const struct json *result) {
	const struct bytes text = json_string(json_get(json_get(result, "round_state"), "height/round/step"));
	char spelled[48];
	snprintf(spelled, sizeof spelled, "%.*s", (int)(text.len < 47 ? text.len : 47), (const char *)text.data);
	const char *slash = strchr(spelled, '/');
	return slash != NULL ? strtoull(slash + 1, NULL, 10) : 0;
}

enum status comet_rpc_status(struct comet_rpc *rpc, struct comet_status *out, struct err *err) {
	const struct json *result;
	*out = (struct comet_status){0};
	TRY(ask(rpc, &result, "status", err));
	const struct json *sync = json_get(result, "sync_info");
	if (!node_of(&out->node, json_get(result, "node_info")) ||
	    !spelled_u64(&out->height, json_get(sync, "latest_block_height")))
		return err_set(err, STATUS_INVALID, "CometBFT's status names no node and height");
	out->is_catching_up = json_is(json_get(sync, "catching_up"), JSON_TRUE);
	TRY(ask(rpc, &result, "net_info", err));
	if (!spelled_u64(&out->peers, json_get(result, "n_peers")))
		return err_set(err, STATUS_INVALID, "CometBFT does not say how many peers it has");
	TRY(ask(rpc, &result, "consensus_state", err));
	out->round = round_of(result);
	return STATUS_OK;
}

enum status comet_rpc_peers(
    struct comet_rpc *rpc, struct comet_peer out[COMET_PEERS_MAX], size_t *count, struct err *err) {
	const struct json *result;
	*count = 0;
	TRY(ask(rpc, &result, "net_info", err));
	json_foreach (peer, json_get(result, "peers")) {
		const struct bytes ip = json_string(json_get(peer, "remote_ip"));
		struct comet_peer *found = &out[*count];
		if (*count == COMET_PEERS_MAX) break;
		if (!node_of(&found->node, json_get(peer, "node_info")) || ip.len >= sizeof found->ip)
			return err_set(err, STATUS_INVALID, "CometBFT does not say who a peer is");
		snprintf(found->ip, sizeof found->ip, "%.*s", (int)ip.len, (const char *)ip.data);
		++*count;
	}
	return STATUS_OK;
}
