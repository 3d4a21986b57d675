/*
 * The node that a replica follows (ledger/consensus/replica.h), over its JSON-RPC: any Ethereum node that answers
 * eth_getBlockByNumber, eth_sendRawTransaction and, for its blocks, debug_getRawBlock (geth, a xinglin node); for their
 * order alone, eth_getRawTransactionByBlockNumberAndIndex (anvil).
 *
 * Nothing that it says is believed. It is reached at the first question, and again after it was away.
 * Threads: the link's functions one at a time.
 */
#ifndef APP_SERVE_UPSTREAM_H
#define APP_SERVE_UPSTREAM_H

#include "ledger/consensus/replica.h"

struct upstream;

/* `url` is borrowed. `chain_id`: that it must have. Asks nothing yet. */
struct upstream *upstream_new(const char *url, uint64_t chain_id, enum replica_mode mode);
void upstream_free(struct upstream *upstream); /* NULL is allowed */
struct replica_link upstream_link(struct upstream *upstream);

#endif
