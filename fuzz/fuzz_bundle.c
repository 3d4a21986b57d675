/* What is a bundle re-encodes to the same bytes; and what is executed of bundles is what stands in them, each sender's
 * nonces rising, in the places that the sender's transactions had. */
#include "fuzz/target.h"
#include "ledger/consensus/bundle.h"

static void check_encoding(struct arena *arena, struct bytes bundle) {
	struct bytes *envelopes;
	size_t count;
	if (bundle_decode(&envelopes, &count, arena, bundle, NULL) != STATUS_OK) return;
	struct transaction *txs = arena_zalloc(arena, count, sizeof *txs);
	struct ordered_tx *ordered = arena_zalloc(arena, count, sizeof *ordered);
	for (size_t i = 0; i < count; i++) {
		txs[i].raw = envelopes[i];
		ordered[i].tx = &txs[i];
	}
	struct buf out;
	buf_init(&out, 2 * BUNDLE_BYTES_MAX);
	bundle_encode(&out, ordered, count);
	BUG_ON(!bytes_equal(buf_view(&out), bundle));
	buf_fini(&out);
}

static void check_order(struct arena *arena, const struct bytes *bundles, size_t count) {
	static struct senders *senders; /* for all inputs: it remembers, and must say the same as who recovers anew */
	struct bundle_txs before, after;
	if (senders == NULL) senders = senders_new();
	bundles_read(&before, arena, senders, bundles, count);
	bundles_read(&after, arena, senders, bundles, count); /* by the remembered senders */
	BUG_ON(before.count != after.count || before.bad != after.bad);
	bundles_order(&after, arena);
	for (size_t i = 0; i < before.count; i++) BUG_ON(!addr20_equal(&before.txs[i].sender, &after.txs[i].sender));
	for (size_t i = 0; i < after.count; i++)
		for (size_t k = i + 1; k < after.count; k++)
			BUG_ON(addr20_equal(&after.txs[i].sender, &after.txs[k].sender) &&
			       after.txs[i].tx->nonce > after.txs[k].tx->nonce);
}

/* The input is two bundles: the first byte says how long the first of them is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	if (size == 0) return 0;
	const size_t first = data[0] < size - 1 ? data[0] : size - 1;
	const struct bytes bundles[] = {bytes_make(data + 1, first), bytes_make(data + 1 + first, size - 1 - first)};
	arena_init(&arena);
	check_encoding(&arena, bytes_make(data + 1, size - 1));
	check_order(&arena, bundles, 2);
	arena_fini(&arena);
	return 0;
}
