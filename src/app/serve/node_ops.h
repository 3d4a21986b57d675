/* Inside app/serve: what operators see of a node: readiness and metrics. */
#ifndef APP_SERVE_NODE_OPS_H
#define APP_SERVE_NODE_OPS_H

#include "app/serve/consortium.h"
#include "app/serve/ops.h"
#include "ledger/blob/blob.h"
#include "ledger/pool/pool.h"
#include "ledger/rpc/rpc_callers.h"

struct node_ops {
	struct chain *chain;
	struct pool *pool;
	struct blob_room *blobs;
	struct rpc_callers *callers;   /* NULL: everybody may ask JSON-RPC */
	struct consortium *consortium; /* NULL: this node alone orders transactions */
	const char *data;
	atomic_ullong min_free_bytes;
	atomic_bool is_sealing;   /* the executing thread runs */
	struct http_metrics http; /* the caller's to init */
	struct ops ops;
};

/* `ops` is filled and borrows the rest, so it must not move afterwards. */
void node_ops_init(
    struct node_ops *ops, struct chain *chain, struct pool *pool, struct blob_room *blobs, const char *data);

#endif
