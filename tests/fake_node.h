/*
 * A scripted Ethereum node behind `struct http_client`: blocks and logs in memory, and the ways in which nodes differ
 * or fail. For tests of what follows a chain, and to measure it. Header only; one test program, one fake node.
 */
#ifndef TESTS_FAKE_NODE_H
#define TESTS_FAKE_NODE_H

#include <stdio.h>
#include <stdlib.h>

#include "codec/hex.h"
#include "codec/json.h"
#include "health/chain/client.h"

struct fake_log {
	struct log log;
	uint64_t block;
	uint32_t index;
};

struct fake_node {
	uint64_t head;
	uint64_t branch_from; /* blocks from here on have other hashes by `branch` */
	uint8_t branch;
	struct fake_log *logs; /* by block and index */
	size_t log_count;
	/* how it behaves */
	uint64_t blocks_max;  /* of one eth_getLogs; 0: any */
	size_t logs_max;      /* of one answer; 0: any */
	unsigned fails_after; /* that many requests are answered, then none; 0: never */
	bool repeats, reverses, shows_foreign;
	/* what was asked */
	unsigned requests, log_requests;
	size_t logs_shown;
	void (*before_head)(struct fake_node *node); /* NULL, or once: something happens before the head is told */
	void (*before_logs)(struct fake_node *node); /* NULL, or once: the chain turns while it is read */
};

static inline hash32 fake_hash(const struct fake_node *node, uint64_t number) {
	hash32 hash = {{0xb1}};
	hash.b[1] = number >= node->branch_from ? node->branch : 0;
	store_be64(hash.b + 24, number);
	return hash;
}

static inline uint64_t fake_number(const struct json *value) {
	uint64_t number = 0;
	if (hex_quantity(&number, json_string(value)) != STATUS_OK) abort();
	return number;
}

static inline void fake_happens(struct fake_node *node, void (**event)(struct fake_node *)) {
	void (*happens)(struct fake_node *) = *event;
	*event = NULL;
	if (happens) happens(node);
}

static inline void fake_put_block(struct fake_node *node, struct json_writer *writer, const struct json *params) {
	const struct json *tag = json_at(params, 0);
	if (json_string_is(tag, "latest")) fake_happens(node, &node->before_head);
	uint64_t number = json_string_is(tag, "latest") ? node->head : fake_number(tag);
	if (number > node->head) {
		json_put_null(writer, "result");
		return;
	}
	hash32 hash = fake_hash(node, number);
	json_object_begin(writer, "result");
	json_put_quantity(writer, "number", number);
	json_put_hex(writer, "hash", BYTES_OF(hash));
	json_put_quantity(writer, "timestamp", number);
	json_object_end(writer);
}

static inline bool fake_takes(const struct json *place, const hash32 *topic) {
	hash32 value;
	if (!place || json_is(place, JSON_NULL)) return true;
	json_foreach (one, place) {
		if (hex_fixed(value.b, 32, json_string(one)) != STATUS_OK) abort();
		if (topic && hash32_equal(&value, topic)) return true;
	}
	return false;
}

static inline bool fake_passes(const struct fake_log *log, const struct json *filter) {
	addr20 address;
	const struct json *topics = json_get(filter, "topics");
	if (hex_fixed(address.b, 20, json_string(json_get(filter, "address"))) != STATUS_OK) abort();
	if (!addr20_equal(&address, &log->log.address)) return false;
	for (unsigned i = 0; i < 4; i++)
		if (!fake_takes(json_at(topics, i), i < log->log.topic_count ? &log->log.topics[i] : NULL))
			return false;
	return true;
}

static inline void fake_put_log(struct json_writer *writer, const struct fake_log *log) {
	hash32 tx = {{0x7a}};
	store_be64(tx.b + 24, log->block);
	json_object_begin(writer, NULL);
	json_put_hex(writer, "address", BYTES_OF(log->log.address));
	json_array_begin(writer, "topics");
	for (unsigned i = 0; i < log->log.topic_count; i++) json_put_hex(writer, NULL, BYTES_OF(log->log.topics[i]));
	json_array_end(writer);
	json_put_hex(writer, "data", log->log.data);
	json_put_quantity(writer, "blockNumber", log->block);
	json_put_quantity(writer, "blockTimestamp", 1700000000 + log->block);
	json_put_quantity(writer, "logIndex", log->index);
	json_put_hex(writer, "transactionHash", BYTES_OF(tx));
	json_object_end(writer);
}

static inline void fake_error(struct json_writer *writer, const char *text) {
	json_object_begin(writer, "error");
	json_put_raw(writer, "code", BYTES_LITERAL("-32005"));
	json_put_text(writer, "message", text);
	json_object_end(writer);
}

/* The first log of block `from` or later. */
static inline size_t fake_first(const struct fake_node *node, uint64_t from) {
	size_t low = 0, high = node->log_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (node->logs[middle].block < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static inline void fake_put_logs(struct fake_node *node, struct json_writer *writer, const struct json *params) {
	const struct json *filter = json_at(params, 0);
	fake_happens(node, &node->before_logs);
	uint64_t from = fake_number(json_get(filter, "fromBlock")), to = fake_number(json_get(filter, "toBlock"));
	size_t *found = malloc((node->log_count + 1) * sizeof *found), count = 0;
	node->log_requests++;
	for (size_t i = fake_first(node, from); i < node->log_count && node->logs[i].block <= to; i++)
		if (fake_passes(&node->logs[i], filter)) found[count++] = i;
	if ((node->blocks_max && to - from + 1 > node->blocks_max) || (node->logs_max && count > node->logs_max)) {
		fake_error(writer, "ask for less");
		free(found);
		return;
	}
	json_array_begin(writer, "result");
	for (size_t i = 0; i < count; i++) {
		const struct fake_log *log = &node->logs[found[node->reverses ? count - 1 - i : i]];
		fake_put_log(writer, log);
		if (node->repeats) fake_put_log(writer, log);
	}
	if (node->shows_foreign) {
		struct fake_log foreign = {.block = from};
		fake_put_log(writer, &foreign);
	}
	json_array_end(writer);
	node->logs_shown += count;
	free(found);
}

static inline enum status fake_exchange(void *context, struct http_response *response, enum http_method method,
    const char *url, const char *const *headers, struct bytes body, struct err *err) {
	struct fake_node *node = context;
	struct arena arena;
	const struct json *root;
	(void)method, (void)url, (void)headers;
	if (node->fails_after && node->requests == node->fails_after)
		return err_set(err, STATUS_IO, "the fake node does not answer");
	node->requests++;
	arena_init(&arena);
	if (json_parse(&root, &arena, body, NULL, err) != STATUS_OK) abort();
	const struct json *name = json_get(root, "method"), *params = json_get(root, "params");
	struct json_writer writer = json_writer(&response->body);
	json_object_begin(&writer, NULL);
	if (json_string_is(name, "eth_chainId"))
		json_put_quantity(&writer, "result", 7);
	else if (json_string_is(name, "eth_blockNumber"))
		json_put_quantity(&writer, "result", node->head);
	else if (json_string_is(name, "eth_getBlockByNumber"))
		fake_put_block(node, &writer, params);
	else if (json_string_is(name, "eth_getLogs"))
		fake_put_logs(node, &writer, params);
	else
		fake_error(&writer, "no such method");
	json_object_end(&writer);
	response->status = 200;
	arena_fini(&arena);
	return buf_status(&response->body, err);
}

static inline uint64_t fake_time(void *context) {
	(void)context;
	return 0;
}

/* A client of this node; both live until the program ends. */
static inline struct client *fake_client(struct fake_node *node) {
	static const struct clock_source clock = {.now_ms = fake_time, .monotonic_ns = fake_time};
	struct http_client *http = mem_zalloc(1, sizeof *http);
	struct client_options options = {.url = "http://fake", .http = http, .clock = &clock};
	struct client *client;
	struct err err;
	*http = (struct http_client){.exchange = fake_exchange, .context = node};
	if (client_open(&client, &options, &err) != STATUS_OK) abort();
	return client;
}

#endif
