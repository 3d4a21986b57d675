/* Whole request bodies against a node that does not seal: every answer is JSON, and the node serves the next one. */
#include "codec/json.h"
#include "fuzz/ledger.h"
#include "fuzz/target.h"
#include "ledger/rpc/rpc.h"
#include "tests/scripted_random.h"

#include <time.h>

static uint64_t now_ms(void *context) {
	(void)context;
	return 1700000000000;
}

static uint64_t monotonic_ns(void *context) {
	struct timespec now;
	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct rpc *rpc;
static struct scripted_random script;

static void close_rpc(void) {
	rpc_free(rpc);
}

static void open_rpc(void) {
	static const struct clock_source clock = {now_ms, monotonic_ns, NULL};
	static const hash32 secret = {.b[31] = 1};
	struct fuzz_ledger *ledger = fuzz_ledger_open();
	static struct random_source random;
	random = scripted_random(&script);
	const struct rpc_options options = {.chain = ledger->chain,
	    .pool = ledger->pool,
	    .dev_mode = true,
	    .dev_secrets = &secret,
	    .dev_secret_count = 1,
	    .client_version = "xinglin/fuzz",
	    .clock = &clock,
	    .random = &random,
	    .gas_cap = 200000,
	    .call_timeout_ms = 200,
	    .sync_timeout_ms = 1,
	    .sync_timeout_max_ms = 1,
	    .response_max = 1000000};
	BUG_ON(rpc_new(&rpc, &options, &ledger->err) != STATUS_OK);
	atexit(close_rpc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct json_limits limits = {.bytes_max = BUF_MAX_DEFAULT, .depth_max = 1000, .values_max = 1000000};
	struct http_exchange exchange;
	http_exchange_init(&exchange, BUF_MAX_DEFAULT);
	exchange.request = (struct http_request){.method = HTTP_POST,
	    .path = BYTES_LITERAL("/"),
	    .headers = {{BYTES_LITERAL("content-type"), BYTES_LITERAL("application/json")}},
	    .header_count = 1,
	    .body = bytes_make(data, size)};
	struct http_response *response = &exchange.response;
	const struct json *answer;
	struct arena arena;
	struct err err;
	if (!rpc) open_rpc();
	arena_init(&arena);
	rpc_handle(rpc, &exchange);
	while (__atomic_load_n(&exchange.is_deferred, __ATOMIC_ACQUIRE))
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	BUG_ON(response->status != 200 || response->body.overflow);
	if (response->body.len > 0) /* a notification has none */
		BUG_ON(json_parse(&answer, &arena, buf_view(&response->body), &limits, &err) != STATUS_OK);
	http_exchange_fini(&exchange);
	arena_fini(&arena);
	return 0;
}
