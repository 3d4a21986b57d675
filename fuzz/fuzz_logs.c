/* A node that answers anything to eth_getLogs: what is taken was asked for, in order, and each log once. */
#include "fuzz/target.h"
#include "health/chain/logs.h"

#define BLOCKS 64u

static enum status answer(void *context, struct http_response *response, enum http_method method, const char *url,
    const char *const *headers, struct bytes body, struct err *err) {
	const struct bytes *input = context;
	static const char chain_id[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x7\"}";
	(void)method, (void)url, (void)headers;
	bool is_first = memmem(body.data, body.len, "eth_chainId", 11) != NULL;
	response->status = 200;
	buf_append(&response->body, is_first ? bytes_text(chain_id) : *input);
	return buf_status(&response->body, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct bytes input = bytes_make(data, size);
	static const addr20 contract = {{0xc0}};
	static const hash32 topic = {{0x70}};
	struct http_client http = {.exchange = answer, .context = &input};
	struct client_options options = {.url = "http://fuzz", .http = &http};
	struct logs_query query = {.address = &contract, .topics[0] = {&topic, 1}};
	struct logs_walk walk = {.next_block = 1, .last_block = BLOCKS};
	struct client_log *logs;
	struct client *client;
	struct arena arena;
	size_t count;
	struct err err;
	BUG_ON(client_open(&client, &options, &err) != STATUS_OK);
	arena_init(&arena);
	if (logs_page(&walk, client, &logs, &count, &arena, &query, &err) == STATUS_OK)
		for (size_t i = 0; i < count; i++) {
			BUG_ON(!logs_match(&query, &logs[i].log));
			BUG_ON(logs[i].block_number < 1 || logs[i].block_number > BLOCKS);
			BUG_ON(i > 0 && logs_compare(&logs[i - 1], &logs[i]) >= 0);
		}
	arena_fini(&arena);
	client_close(client);
	return 0;
}
