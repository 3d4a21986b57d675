#include "app/serve/upstream.h"

#include "app/system.h"
#include "codec/hex.h"
#include "health/chain/client.h"
#include "net/http_client.h"

#define BLOCK_MAX ((size_t)64 << 20)
#define BLOCK_TXS_MAX 100000u

struct upstream {
	const char *url;
	uint64_t chain_id;
	enum replica_mode mode;
	struct http_client http;
	struct client *client; /* NULL: it was not reached yet */
};

static enum status reach(struct upstream *upstream, struct err *err) {
	if (upstream->client) return STATUS_OK;
	if (!upstream->http.exchange) TRY(http_client_open(&upstream->http, &(struct http_client_options){0}, err));
	const struct client_options options = {.url = upstream->url, .http = &upstream->http, .clock = &world_clock};
	TRY(client_open(&upstream->client, &options, err));
	if (client_chain_id(upstream->client) == upstream->chain_id) return STATUS_OK;
	const unsigned long long id = client_chain_id(upstream->client);
	client_close(upstream->client);
	upstream->client = NULL;
	return err_set(err, STATUS_INVALID, "%s has the chain id %llu, and this chain %llu", upstream->url, id,
	    (unsigned long long)upstream->chain_id);
}

static enum status ask(struct upstream *upstream, const struct json **answer, struct arena *arena, const char *method,
    const char *params, struct err *err) {
	TRY(reach(upstream, err));
	return client_rpc(upstream->client, answer, NULL, arena, method, bytes_text(params), err);
}

static const char *number_param(struct arena *arena, uint64_t number, const char *further) {
	return arena_printf(arena, "[\"0x%llx\"%s]", (unsigned long long)number, further);
}

static enum status bad_answer(struct err *err, const char *what, uint64_t number) {
	return err_set(
	    err, STATUS_IO, "the node's answer for %s %llu makes no sense", what, (unsigned long long)number);
}

static enum status newest(void *context, uint64_t *number, struct err *err) {
	struct upstream *upstream = context;
	TRY(reach(upstream, err));
	return client_block_number(upstream->client, number, err);
}

/* Its block in JSON, transactions as hashes. */
static enum status find_block(
    struct upstream *upstream, const struct json **out, struct arena *arena, uint64_t number, struct err *err) {
	TRY(ask(upstream, out, arena, "eth_getBlockByNumber", number_param(arena, number, ",false"), err));
	if (json_is(*out, JSON_NULL)) return err_set(err, STATUS_NOTFOUND, "the node has no such block");
	return STATUS_OK;
}

static enum status hash(void *context, hash32 *out, uint64_t number, struct err *err) {
	struct arena arena;
	const struct json *block;
	arena_init(&arena);
	enum status status = find_block(context, &block, &arena, number, err);
	if (status == STATUS_OK && hex_fixed(out->b, 32, json_string(json_get(block, "hash"))) != STATUS_OK)
		status = bad_answer(err, "block", number);
	arena_fini(&arena);
	return status;
}

static enum status data_of(struct bytes *out, struct arena *arena, const struct json *answer, size_t max) {
	struct buf data;
	buf_init(&data, max);
	enum status status = hex_data(&data, json_string(answer));
	if (status == STATUS_OK) status = buf_status(&data, NULL);
	if (status == STATUS_OK) *out = arena_dup(arena, buf_view(&data));
	buf_fini(&data);
	return status;
}

static enum status take_transactions(struct upstream *upstream, struct replica_block *out, struct arena *arena,
    uint64_t number, size_t count, struct err *err) {
	struct bytes *envelopes = arena_zalloc(arena, count + 1, sizeof *envelopes);
	for (size_t i = 0; i < count; i++) {
		const struct json *answer;
		const char *index = arena_printf(arena, ",\"0x%zx\"", i);
		TRY(ask(upstream, &answer, arena, "eth_getRawTransactionByBlockNumberAndIndex",
		    number_param(arena, number, index), err));
		if (data_of(&envelopes[i], arena, answer, BLOCK_MAX) != STATUS_OK)
			return bad_answer(err, "a transaction of block", number);
	}
	out->envelopes = envelopes;
	out->envelope_count = count;
	return STATUS_OK;
}

static enum status take_order(
    struct upstream *upstream, struct replica_block *out, struct arena *arena, uint64_t number, struct err *err) {
	const struct json *block;
	TRY(find_block(upstream, &block, arena, number, err));
	const struct json *transactions = json_get(block, "transactions");
	if (!json_is(transactions, JSON_ARRAY) || transactions->count > BLOCK_TXS_MAX ||
	    hex_quantity(&out->timestamp, json_string(json_get(block, "timestamp"))) != STATUS_OK)
		return bad_answer(err, "block", number);
	return take_transactions(upstream, out, arena, number, transactions->count, err);
}

static enum status block(
    void *context, struct replica_block *out, struct arena *arena, uint64_t number, struct err *err) {
	struct upstream *upstream = context;
	const struct json *answer;
	if (upstream->mode == REPLICA_ORDER) return take_order(upstream, out, arena, number, err);
	TRY(ask(upstream, &answer, arena, "debug_getRawBlock", number_param(arena, number, ""), err));
	if (data_of(&out->rlp, arena, answer, BLOCK_MAX) != STATUS_OK) return bad_answer(err, "block", number);
	return STATUS_OK;
}

/* "[\"0x…\"]" */
static struct bytes data_param(struct arena *arena, struct bytes data) {
	struct buf params;
	buf_init(&params, 2 * data.len + 16);
	struct json_writer writer = json_writer(&params);
	json_array_begin(&writer, NULL);
	json_put_hex(&writer, NULL, data);
	json_array_end(&writer);
	struct bytes out = arena_dup(arena, buf_view(&params));
	buf_fini(&params);
	return out;
}

static enum status seal(void *context, struct eth_signature *out, const hash32 *hash, struct err *err) {
	struct upstream *upstream = context;
	struct arena arena;
	const struct json *answer;
	TRY(reach(upstream, err));
	arena_init(&arena);
	enum status status = client_rpc(
	    upstream->client, &answer, NULL, &arena, "xinglin_sealOf", data_param(&arena, BYTES_OF(*hash)), err);
	if (status == STATUS_OK &&
	    hex_fixed(out->b, sizeof out->b, json_string(json_get(answer, "signature"))) != STATUS_OK)
		status = err_set(err, STATUS_NOTFOUND, "the node shows no seal");
	arena_fini(&arena);
	return status;
}

/* What it has already is no refusal; nor is what it has in a block, which we do not have yet. */
static bool is_there_already(const struct client_error *error) {
	return strstr(error->message, "already") || strstr(error->message, "nonce too low");
}

static enum status send(void *context, struct bytes envelope, struct err *err) {
	struct upstream *upstream = context;
	struct arena arena;
	const struct json *answer;
	struct client_error error = {0};
	TRY(reach(upstream, err));
	arena_init(&arena);
	enum status status = client_rpc(
	    upstream->client, &answer, &error, &arena, "eth_sendRawTransaction", data_param(&arena, envelope), err);
	if (status == STATUS_DENIED && is_there_already(&error)) status = STATUS_OK;
	arena_fini(&arena);
	return status;
}

struct upstream *upstream_new(const char *url, uint64_t chain_id, enum replica_mode mode) {
	struct upstream *upstream = mem_zalloc(1, sizeof *upstream);
	*upstream = (struct upstream){.url = url, .chain_id = chain_id, .mode = mode};
	return upstream;
}

void upstream_free(struct upstream *upstream) {
	if (!upstream) return;
	client_close(upstream->client);
	http_client_close(&upstream->http);
	mem_free(upstream);
}

struct replica_link upstream_link(struct upstream *upstream) {
	return (struct replica_link){newest, hash, block, seal, send, upstream};
}
