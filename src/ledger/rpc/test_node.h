/*
 * For tests of rpc/: a node in this process, in a folder of its own under /tmp, asked through rpc_handle as an HTTP
 * server would. With a sealer, its engine runs on a thread. Include after tests/unit.h. Header-only, since every test
 * is one program.
 */
#ifndef LEDGER_RPC_TEST_NODE_H
#define LEDGER_RPC_TEST_NODE_H

#include "ledger/rpc/rpc.h"

#include "codec/json.h"
#include "ledger/consensus/solo.h"
#include "tests/scripted_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <pthread.h>

struct test_node {
	char directory[64];
	struct store *store;
	struct chain *chain;
	struct pool *pool;
	struct dev *dev;
	struct engine *engine; /* NULL: nobody seals */
	pthread_t thread;
	struct rpc *rpc;
	struct clock_source clock;
	const addr20 *unhurried; /* whose blocks may have equal timestamps, if the genesis says so; or NULL */
	struct scripted_random script;
	struct random_source random;
	struct http_exchange exchange; /* the last one */
	struct arena arena;            /* of parsed answers */
	struct err err;
};

#define NODE_OK(node, expression)                                                                                      \
	do {                                                                                                           \
		if ((expression) != STATUS_OK) fail_msg("%s: %s", #expression, (node)->err.message);                   \
	} while (0)

static inline uint64_t test_now_ms(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline uint64_t test_monotonic_ns(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void *test_node_seal(void *context) {
	struct test_node *node = context;
	struct err err;
	if (engine_run(node->engine, &err) != STATUS_OK) {
		fprintf(stderr, "the engine stopped: %s\n", err.message);
		abort();
	}
	return NULL;
}

/* Store, chain and pool; blocks may be imported before test_node_serve. */
static inline void test_node_open(struct test_node *node, struct bytes genesis) {
	const struct store_options small = {.memory_bytes = 16 << 20, .create_if_missing = true};
	*node =
	    (struct test_node){.directory = "/tmp/xinglin-rpc-XXXXXX", .clock = {test_now_ms, test_monotonic_ns, NULL}};
	arena_init(&node->arena);
	http_exchange_init(&node->exchange, BUF_MAX_DEFAULT);
	assert_non_null(mkdtemp(node->directory));
	NODE_OK(node, store_open(&node->store, node->directory, &small, &node->err));
	NODE_OK(
	    node, chain_open(&node->chain, node->store, &(struct chain_options){.genesis_json = genesis}, &node->err));
	NODE_OK(node, pool_open(&node->pool, node->chain, &(struct pool_options){0}, &node->err));
}

/* `secrets`: dev mode with these accounts, sealed by the first; NULL: a node that only answers. */
static inline void test_node_serve(struct test_node *node, const hash32 *secrets, size_t secret_count) {
	if (secrets) {
		node->dev = dev_new(&node->clock);
		if (node->unhurried) dev_leave_unhurried(node->dev, node->unhurried);
		const struct solo_options engine = {
		    .sealer_secret = secrets[0], .automine = true, .clock = &node->clock, .dev = node->dev};
		NODE_OK(node, solo_new(&node->engine, node->chain, node->pool, &engine, &node->err));
	}
	node->random = scripted_random(&node->script);
	const struct rpc_options options = {.chain = node->chain,
	    .pool = node->pool,
	    .engine = node->engine,
	    .dev = node->dev,
	    .test_methods = true,
	    .dev_mode = secrets != NULL,
	    .dev_secrets = secrets,
	    .dev_secret_count = secret_count,
	    .client_version = "xinglin/test",
	    .clock = &node->clock,
	    .random = &node->random};
	NODE_OK(node, rpc_new(&node->rpc, &options, &node->err));
	if (node->engine) assert_int_equal(pthread_create(&node->thread, NULL, test_node_seal, node), 0);
}

static inline void test_node_close(struct test_node *node) {
	char command[96];
	if (node->engine) {
		engine_stop(node->engine);
		pthread_join(node->thread, NULL);
	}
	rpc_free(node->rpc);
	engine_free(node->engine);
	dev_free(node->dev);
	pool_close(node->pool);
	chain_close(node->chain);
	store_close(node->store);
	http_exchange_fini(&node->exchange);
	arena_fini(&node->arena);
	snprintf(command, sizeof command, "rm -rf -- '%s'", node->directory);
	assert_int_equal(system(command), 0);
}

/* POSTs `body`; the answer's text. */
static inline struct bytes test_node_post(struct test_node *node, struct bytes body) {
	struct http_response *response = &node->exchange.response;
	node->exchange.request = (struct http_request){.method = HTTP_POST,
	    .path = BYTES_LITERAL("/"),
	    .headers = {{BYTES_LITERAL("content-type"), BYTES_LITERAL("application/json")}},
	    .header_count = 1,
	    .body = body};
	buf_clear(&response->body);
	buf_clear(&response->headers);
	response->status = 200;
	rpc_handle(node->rpc, &node->exchange);
	while (__atomic_load_n(&node->exchange.is_deferred, __ATOMIC_ACQUIRE))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return buf_view(&response->body);
}

/* The answer as a tree, which lives as long as the node. */
static inline const struct json *test_node_ask(struct test_node *node, struct bytes body) {
	const struct json *root;
	struct bytes text = arena_dup(&node->arena, test_node_post(node, body));
	if (json_parse(&root, &node->arena, text, &json_limits_default, &node->err) != STATUS_OK)
		fail_msg("not JSON: %s: %.*s", node->err.message, (int)text.len, (const char *)text.data);
	return root;
}

#endif
