/*
 * A bundle: what a node took in within a few milliseconds, as one transaction of CometBFT; and how decided bundles
 * become the ordered transactions of a block (docs/decisions/0040-bundles.md).
 *
 * A bundle is an RLP list of one to BUNDLE_TXS_MAX signed envelopes (EIP-2718), as strings, at most BUNDLE_BYTES_MAX
 * bytes whole. Its one encoding is the canonical one. Bundles stay whole from the member that made them to execution:
 * CometBFT knows them by the hash of their bytes.
 *
 * Senders are recovered once: a table remembers whose signature an envelope bears, by its hash, whatever calls it comes
 * in. It is a hint: what it has forgotten is recovered again. Threads: any, for the table; the rest is pure.
 */
#ifndef LEDGER_CONSENSUS_BUNDLE_H
#define LEDGER_CONSENSUS_BUNDLE_H

#include "ledger/chain/chain.h"

#define BUNDLE_BYTES_MAX ((size_t)1 << 20)
enum { BUNDLE_TXS_MAX = 16384 };

void bundle_encode(struct buf *out, const struct ordered_tx *txs, size_t count);
/* The bundle's envelopes, as views in the arena. STATUS_INVALID: it is not a canonical bundle. */
MUST_USE enum status bundle_decode(
    struct bytes **envelopes, size_t *count, struct arena *arena, struct bytes bundle, struct err *err);

struct senders;
struct senders *senders_new(void);
/* NULL is allowed. */
void senders_free(struct senders *senders);
void senders_put(struct senders *senders, const hash32 *tx_hash, const addr20 *sender);
bool senders_get(struct senders *senders, const hash32 *tx_hash, addr20 *sender);

/* Transactions in the order in which they stand in bundles. */
struct bundle_txs {
	struct ordered_tx *txs;
	size_t count;
	size_t bad; /* envelopes that are no transaction, or that nobody signed: left out */
};
/* Reads what stands in bundles, whole ones or none: one that is not canonical counts as one bad envelope. The result
 * views the bundles, and lives in the arena. */
void bundles_read(
    struct bundle_txs *out, struct arena *arena, struct senders *senders, const struct bytes *bundles, size_t count);
/* As they are executed: the places that a sender's transactions take stay the same, and in them stand its transactions
 * by nonce. So an order between senders is kept, and two bundles that overtook each other do no harm. */
void bundles_order(struct bundle_txs *txs, struct arena *arena);

#endif
