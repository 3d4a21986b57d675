#include "health/chain/client_pool.h"

struct pooled {
	struct pooled *next; /* of those that are free */
	struct http_client http;
	struct client *client;
};

struct client_pool {
	struct client_pool_options options;
	char *url;
	struct monitor *monitor;
	struct pooled *all; /* options.max of them */
	struct pooled *free_ones;
};

static void enter(struct client_pool *pool) {
	if (pool->monitor) pool->options.threads->lock(pool->monitor);
}

static void leave(struct client_pool *pool) {
	if (pool->monitor) pool->options.threads->unlock(pool->monitor);
}

struct client_pool *client_pool_new(const struct client_pool_options *options) {
	struct client_pool *pool = mem_zalloc(1, sizeof *pool);
	pool->options = *options;
	pool->options.url = pool->url = mem_strdup(options->url);
	pool->all = mem_zalloc(options->max, sizeof *pool->all);
	if (options->threads) pool->monitor = options->threads->monitor_new(options->threads->context);
	for (unsigned i = options->max; i-- > 0;) {
		pool->all[i].next = pool->free_ones;
		pool->free_ones = &pool->all[i];
	}
	return pool;
}

void client_pool_free(struct client_pool *pool) {
	if (!pool) return;
	for (unsigned i = 0; i < pool->options.max; i++) {
		client_close(pool->all[i].client);
		pool->options.maker->close(pool->options.maker->context, &pool->all[i].http);
	}
	if (pool->monitor) pool->options.threads->monitor_free(pool->monitor);
	mem_free(pool->all);
	mem_free(pool->url);
	mem_free(pool);
}

static enum status open_one(struct client_pool *pool, struct pooled *one, struct err *err) {
	const struct client_maker *maker = pool->options.maker;
	if (!one->http.exchange) TRY(maker->open(maker->context, &one->http, err));
	struct client_options options = {.url = pool->url,
	    .http = &one->http,
	    .clock = pool->options.clock,
	    .sleep_ms = pool->options.sleep_ms,
	    .sleep_context = pool->options.sleep_context,
	    .chain_id = pool->options.chain_id};
	return client_open(&one->client, &options, err);
}

/* NULL: none became free. */
static struct pooled *take(struct client_pool *pool, uint64_t deadline_ms) {
	enter(pool);
	while (!pool->free_ones && pool->monitor) {
		uint64_t now_ms = clock_now_ms(pool->options.clock);
		if (deadline_ms && now_ms >= deadline_ms) break;
		uint64_t left_ms = deadline_ms ? deadline_ms - now_ms : 1000;
		pool->options.threads->wait(pool->monitor, left_ms < 1000 ? (uint32_t)left_ms : 1000);
	}
	struct pooled *one = pool->free_ones;
	if (one) pool->free_ones = one->next;
	leave(pool);
	return one;
}

static void give_back(struct client_pool *pool, struct pooled *one) {
	enter(pool);
	one->next = pool->free_ones;
	pool->free_ones = one;
	leave(pool);
	if (pool->monitor) pool->options.threads->wake_all(pool->monitor);
}

enum status client_pool_borrow(struct client_pool *pool, struct client **out, uint64_t deadline_ms, struct err *err) {
	struct pooled *one = take(pool, deadline_ms);
	if (!one) return err_set(err, STATUS_TIMEOUT, "all %u connections to the node are in use", pool->options.max);
	enum status status = one->client ? STATUS_OK : open_one(pool, one, err);
	if (status != STATUS_OK) {
		give_back(pool, one);
		return status;
	}
	client_set_deadline(one->client, deadline_ms);
	*out = one->client;
	return STATUS_OK;
}

void client_pool_return(struct client_pool *pool, struct client *client) {
	if (!client) return;
	unsigned i = 0;
	while (i < pool->options.max && pool->all[i].client != client) i++;
	BUG_ON(i == pool->options.max);
	client_set_deadline(client, 0);
	give_back(pool, &pool->all[i]);
}
