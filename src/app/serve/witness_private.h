/* What the files of a witness share. */
#ifndef APP_SERVE_WITNESS_PRIVATE_H
#define APP_SERVE_WITNESS_PRIVATE_H

#include <pthread.h>

#include "app/serve/chain_data.h"
#include "app/serve/ops.h"
#include "app/serve/witness.h"
#include "ledger/pool/pool.h"
#include "ledger/rpc/rpc.h"

struct witness {
	struct witness_options options;
	hash32 secret;
	addr20 account;
	hash32 domain; /* of what it signs */
	bool has_sealer;
	addr20 sealer; /* whose seal each block must have */
	struct chain_data ledger;
	struct pool *pool; /* empty: no method puts anything into it */
	struct rpc_head_signer signer;
	struct rpc *rpc;
	struct router *router;
	struct http_server *server;
	struct http_metrics http;
	struct http_observer observer;
	struct ops ops;
	struct ops_server *ops_server; /* NULL: metrics are not served */
	atomic_ullong min_free_bytes;
	atomic_bool stopping;
	enum status ledger_status; /* why the following thread ended; read after it was joined */
	struct err ledger_err;

	pthread_mutex_t lock; /* of what follows */
	uint64_t seen_ms;     /* when the node last answered */
	uint64_t node_head;
	bool is_following; /* all that the node shows is in our chain, or will be */
	char why[256];     /* if it does not follow */
};

/* The body of the following thread: until witness->stopping. Fails only if the own ledger does. */
MUST_USE enum status witness_follow(struct witness *witness, struct err *err);

#endif
