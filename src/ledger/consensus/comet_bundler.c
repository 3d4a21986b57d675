/* The thread that takes what this node's pool has, makes bundles of it, and sends them to be ordered. */
#include "ledger/consensus/comet_private.h"

#include <time.h>

#include "base/log.h"

enum {
	IDLE_WAIT_MS = 1000,
	PAUSE_MS = 5,              /* after each turn: what comes meanwhile is one bundle */
	RETRY_MS = 200,            /* after one that failed: CometBFT is starting, or gone */
	BUNDLE_BYTES = 128 * 1024, /* of envelopes: then a bundle is full; the largest envelope fits (pool/admit.c) */
	BUNDLES_AT_ONCE = 5,       /* in base64 they stay within the 1 MB that CometBFT takes in one request */
	AGAIN_AFTER_MS = 10000,    /* what is not in a block by then, and ... */
	AGAIN_AFTER_HEIGHTS = 3    /* ... while so many heights went by, is sent again */
};

static void sleep_ms(uint64_t ms) {
	const struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&time, NULL);
}

static uint64_t now_ms(const struct comet *comet) {
	return clock_monotonic_ns(comet->options.clock) / 1000000;
}

/* Before when it must have been sent, to be sent again; 0: nothing is. While no height goes by, sending again would
 * only add to what waits. */
static uint64_t again_before(struct bundler *bundler, uint64_t now) {
	const uint64_t height = atomic_load(&bundler->comet->height);
	if (now < AGAIN_AFTER_MS || height < bundler->again_from + AGAIN_AFTER_HEIGHTS) return 0;
	bundler->again_from = height;
	return now - AGAIN_AFTER_MS;
}

/* The next bundle's transactions, whose senders CheckTx will not have to recover again. */
static enum status take(struct bundler *bundler, struct pool_pick *out, struct arena *arena, struct err *err) {
	struct comet *comet = bundler->comet;
	const uint64_t now = now_ms(comet);
	struct chain_head *head = chain_head(comet->chain);
	const struct pool_sending sending = {.gas_max = head->header.gas_limit,
	    .count_max = BUNDLE_TXS_MAX,
	    .bytes_max = BUNDLE_BYTES,
	    .under_way_max = pace_under_way(&comet->pace),
	    .now = now,
	    .again_before = again_before(bundler, now)};
	chain_head_release(head);
	TRY(pool_send(comet->pool, out, arena, &sending, err));
	pace_left(&comet->pace, atomic_load(&comet->height), out->under_way - out->count);
	pace_sent(&comet->pace, out->under_way);
	for (size_t i = 0; i < out->count; i++) senders_put(comet->senders, out->txs[i].hash, &out->txs[i].sender);
	return STATUS_OK;
}

static enum status take_bundles(
    struct bundler *bundler, struct bytes *bundles, size_t *count, struct arena *arena, struct err *err) {
	for (*count = 0; *count < BUNDLES_AT_ONCE;) {
		struct pool_pick picked;
		struct buf bundle;
		TRY(take(bundler, &picked, arena, err));
		if (picked.count == 0) break;
		buf_init(&bundle, BUNDLE_BYTES_MAX);
		bundle_encode(&bundle, picked.txs, picked.count);
		bundles[(*count)++] = arena_dup(arena, buf_view(&bundle));
		buf_fini(&bundle);
	}
	return STATUS_OK;
}

static void note_failure(struct bundler *bundler, const char *text) {
	if (!bundler->has_failed) log_info("comet", "bundles wait: %s", text);
	bundler->has_failed = true;
	pool_send_again(bundler->comet->pool, NULL);
}

uint64_t comet_bundler_turn(struct bundler *bundler) {
	struct comet *comet = bundler->comet;
	struct bytes bundles[BUNDLES_AT_ONCE];
	struct arena arena;
	struct err err;
	size_t count;
	arena_init(&arena);
	enum status status = take_bundles(bundler, bundles, &count, &arena, &err);
	if (status == STATUS_OK && count > 0) {
		status = comet->options.link.send(comet->options.link.context, bundles, count, &err);
		if (status == STATUS_OK) bundler->has_failed = false;
	}
	if (status != STATUS_OK) note_failure(bundler, err.message);
	arena_fini(&arena);
	return status == STATUS_OK ? PAUSE_MS : RETRY_MS;
}

void *comet_bundle(void *context) {
	struct bundler bundler = {.comet = context};
	while (!work_queue_is_stopping(&bundler.comet->work)) {
		const bool has_work = pool_wait(bundler.comet->pool, IDLE_WAIT_MS);
		if (has_work || pool_counts(bundler.comet->pool).pending > 0) sleep_ms(comet_bundler_turn(&bundler));
	}
	return NULL;
}
