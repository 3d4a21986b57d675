/*
 * JSON-RPC 2.0 over HTTP, in geth's shapes and error codes (Ethereum execution APIs; EIP-1186, 1474, 1898). One table
 * of methods (rpc_methods.c) makes the dispatch, the help and the documentation.
 *
 * "safe" and "finalized" mean the newest block where this node seals, since a sealed block is final; on an imported
 * chain they are what its consensus layer named. "pending" is what would be sealed now; it is run for each call that
 * asks for it (rpc_pending.c).
 *
 * Errors: -32700 not JSON, -32600 no request, -32601 no such method, -32602 a parameter (the message names it), -32603
 * the node failed, 3 a reverted call (its data beside it), -32003 too large an answer, -32002 too long a batch, -32005
 * too many signed heads in a second, or requests or gas of one caller, -32000 everything else. A batch is at most
 * batch_max requests; a request without an id is carried out and not answered. Once a batch's answers are too large, or
 * its time is up, the rest of it is refused with that error and not carried out.
 *
 * Threads: rpc_handle may run on any number of threads at once; rpc_new and rpc_free on one, with no rpc_handle
 * running. Ownership: chain, pool, engine, dev, clock and random are borrowed and must outlive it.
 */
#ifndef LEDGER_RPC_RPC_H
#define LEDGER_RPC_RPC_H

#include "base/route.h"
#include "base/world.h"
#include "base/ws.h"
#include "ledger/consensus/dev.h"
#include "ledger/consensus/engine.h"
#include "ledger/pool/pool.h"
#include "ledger/rpc/rpc_callers.h"
#include "ledger/snapshot/snapshots.h"

struct rpc;

/* Signs heads for those who ask with a challenge: a witness, which seals nothing. Any thread. */
struct rpc_head_signer {
	MUST_USE enum status (*sign)(
	    void *context, struct eth_signature *out, const struct head_statement *head, struct err *err);
	void *context;
};

/* Zero or NULL means the default in brackets, where one is given. */
struct rpc_options {
	struct chain *chain;
	struct pool *pool;     /* its observer is taken by rpc_new */
	struct engine *engine; /* NULL: nobody seals here */
	/* Who signs heads; it may be asked for a block that was the newest shortly before [the engine; it may not] */
	const struct rpc_head_signer *head_signer;
	struct snapshots *snapshots; /* of a consortium's node; NULL: none are served */
	struct dev *dev;             /* a development chain's orders; NULL: evm_* methods are not available */
	/* Serves these methods alone, NULL-terminated; "eth_*": all that begin so [all] */
	const char *const *only;
	struct rpc_callers *callers; /* who may ask, and how much [NULL: everybody, everything] */
	bool test_methods;           /* serves testing_* (rpc_build.c) */
	bool dev_mode;               /* serves the methods marked so in the table, and signs with dev_secrets */
	const hash32 *dev_secrets;   /* copied; wiped by rpc_free */
	size_t dev_secret_count;     /* at most RPC_DEV_ACCOUNTS_MAX */
	const char *client_version;  /* "xinglin/v0.1.0/linux-amd64"; must outlive it */
	const struct clock_source *clock;
	const struct random_source *random; /* of the ids of filters and subscriptions */
	uint32_t batch_max;                 /* requests in one batch [1,000] */
	size_t response_max;                /* bytes of answers to one HTTP request [25,000,000] */
	uint64_t gas_cap;                   /* of eth_call and estimates [50,000,000] */
	uint32_t call_timeout_ms;           /* of the runs of one call: eth_call, estimates, traces [5,000] */
	uint32_t batch_timeout_ms;          /* of one HTTP request or WebSocket message [30,000] */
	uint32_t logs_max;                  /* logs in one answer [10,000] */
	uint32_t subscriptions_max;         /* of one connection [100] */
	uint32_t sync_timeout_ms;           /* of eth_sendRawTransactionSync, if it names none [20,000] */
	uint32_t sync_timeout_max_ms;       /* [60,000] */
	uint32_t heads_a_second;            /* signed heads, xinglin_head [10,000] */
};
#define RPC_DEV_ACCOUNTS_MAX 64

/* STATUS_INVALID: a dev account's secret is not a valid key, or `only` names what is no method. */
MUST_USE enum status rpc_new(struct rpc **out, const struct rpc_options *options, struct err *err);
/* NULL is allowed. */
void rpc_free(struct rpc *rpc);

/* What is served over HTTP; the context is the `struct rpc`. */
extern const struct route rpc_routes[];
extern const size_t rpc_route_count;
/* The handler of `POST /`: a request or a batch. */
void rpc_handle(void *context, struct http_exchange *exchange);

/* An `http_foreseer`: an eth_sendRawTransaction(Sync) is shown to the pool, if recovering several senders together
 * pays. */
bool rpc_foresee(void *context, const struct http_exchange *exchange);

/* The same methods over WebSocket, and eth_subscribe: newHeads, logs, newPendingTransactions. The logs of a
 * block that is taken back are sent again, as removed, and what takes its place is reported anew. */
struct ws_handler rpc_ws_handler(struct rpc *rpc);
/* The waker makes that handler tick. Call this before any thread starts. */
void rpc_set_waker(struct rpc *rpc, const struct ws_waker *waker);

/* The table, sorted by name, for help and documentation. */
struct rpc_method_info {
	const char *name;
	const char *params; /* "address, [block]" */
	const char *doc;
	bool dev_only, test_only; /* in dev mode, or with test_methods */
};
size_t rpc_method_count(void);
struct rpc_method_info rpc_method_info(size_t index);

#endif
