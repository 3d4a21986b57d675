/*
 * The node as methods see it, the worker that carries a request, one call, and how a call fails.
 * Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_CALL_H
#define LEDGER_RPC_RPC_CALL_H

#include "codec/json.h"
#include "ledger/rpc/rpc.h"

#include <pthread.h>
#include <stdatomic.h>

enum rpc_code {
	RPC_REVERTED = 3,
	/* eth_sendRawTransactionSync's (EIP-7966) */
	RPC_NOT_SEALED = 4,
	RPC_NOT_READY = 5,
	RPC_NONCE_GAP = 6,
	RPC_SERVER_ERROR = -32000,
	RPC_PRUNED = 4444, /* as geth answers for what is before its horizon (EIP-4444) */
	RPC_TIMED_OUT = -32002,
	RPC_TOO_LARGE = -32003,
	RPC_LIMIT = -32005,
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	RPC_PARSE_ERROR = -32700,
	/* eth_simulateV1's */
	RPC_VM_ERROR = -32015,
	RPC_NONCE_TOO_LOW = -38010,
	RPC_NONCE_TOO_HIGH = -38011,
	RPC_BASE_FEE_TOO_LOW = -38012,
	RPC_INTRINSIC_GAS = -38013,
	RPC_INSUFFICIENT_FUNDS = -38014,
	RPC_BLOCK_GAS_LIMIT = -38015,
	RPC_BLOCK_ORDER = -38020,
	RPC_TIME_ORDER = -38021,
	RPC_MOVE_TO_SELF = -38022,
	RPC_INIT_CODE_TOO_LARGE = -38025,
	RPC_OVER_LIMIT = -38026,
};

struct rpc_account {
	addr20 address;
	hash32 secret;
};

struct rpc_snapshot {
	uint64_t id;
	uint64_t number;
	hash32 hash;
	int64_t time_shift_s; /* of the blocks to come */
};
#define RPC_SNAPSHOTS_MAX 256
#define RPC_IMPERSONATED_MAX 256

struct rpc_filters;       /* rpc_filters.c */
struct rpc_subscriptions; /* rpc_subscribe.c */
struct rpc_session;       /* there too */
struct rpc_late_room;     /* rpc_late.c */
struct rpc_late;          /* there too */
struct rpc_worker;

struct rpc {
	struct rpc_options options; /* defaults filled in */
	struct rpc_account accounts[RPC_DEV_ACCOUNTS_MAX];
	size_t account_count;
	struct rpc_filters *filters;
	struct rpc_subscriptions *subscriptions;
	struct rpc_late_room *late;

	pthread_mutex_t send_lock; /* one eth_sendTransaction at a time chooses a nonce */
	pthread_mutex_t lock;      /* of all below */
	struct rpc_worker *idle;
	struct rpc_snapshot snapshots[RPC_SNAPSHOTS_MAX];
	size_t snapshot_count;
	uint64_t next_snapshot_id;
	addr20 impersonated[RPC_IMPERSONATED_MAX];
	size_t impersonated_count;
	bool impersonates_all;
	uint64_t heads_second; /* the second in which heads were signed last, and how many */
	uint32_t heads_signed;
	hash32 unproved;  /* the head whose proof was waited for in vain (rpc_consortium.c) */
	hash32 tip_block; /* the block that suggested_tip belongs to */
	u256 suggested_tip_wei;
};

/* A decoded block that stays for the next call. */
struct rpc_block {
	bool is_loaded;
	hash32 hash;
	struct arena arena;
	struct block block;
	struct mined_receipt *receipts; /* as many as transactions; NULL: not asked for yet */
	bool is_pending;                /* nobody sealed it: it has no hash, and receipts hold the senders alone */
};

/* What one running request owns; reused, so that a request finds its memory, its state and its machine ready. */
struct rpc_worker {
	struct rpc_worker *next;
	struct arena arena; /* until the HTTP request ends */
	struct buf scratch; /* bytes within one call */
	struct err err;     /* of state and executor */
	struct evm_interrupt interrupt;
	const struct clock_source *clock;
	uint64_t request_due_ns, call_due_ns; /* when patience ends, by the monotonic clock */
	int refusal;                          /* not 0: the error that the rest of a batch gets */
	const struct rpc_caller *caller;      /* of the running message; NULL: callers are not known */
	uint64_t spent_gas;                   /* by the running call */
	struct state *state;
	struct state_source source; /* what it reads from */
	struct state *other_state;  /* what `source` may be, for a call on the pending block */
	struct executor *executor;
	struct chain_head *prepared; /* state and executor stand at this head; NULL: at none */
	unsigned prepared_uses;
	struct rpc_block block;
	struct rpc_late *late; /* of the running message: what of its answer waits */
};
struct rpc_worker *rpc_worker_take(struct rpc *rpc);
void rpc_worker_give(struct rpc *rpc, struct rpc_worker *worker);
void rpc_worker_free(struct rpc_worker *worker);
/* Its state and executor stand at no head any more. */
void rpc_worker_forget(struct rpc_worker *worker);

struct rpc_call {
	struct rpc *rpc;
	struct rpc_worker *worker;
	struct arena *arena;
	struct rpc_session *session;        /* of a WebSocket; NULL: HTTP */
	const struct json *params;          /* an array, or NULL */
	const struct pool_reading *reading; /* the transaction that it sends, where that was read ahead; else NULL */
	struct json_writer out;             /* a method writes exactly one value */
	struct err err;                     /* for what methods call; becomes a -32000 or -32603 */
	bool is_anvils;                     /* by a name that begins with anvil_: see rpc_put_done */
	int error_code;                     /* 0: none */
	struct buf error_message;
	struct bytes error_data; /* JSON, in the arena */
	bool has_error_data;
	/* The answer is this transaction's receipt, once it is there: what the method wrote does not count. */
	bool awaits;
	hash32 awaited;
	uint64_t await_ms;
	uint64_t await_news; /* new blocks before it was sent (rpc_late.h) */
};

/* Sets the call's error; always returns STATUS_INVALID. */
enum status rpc_fail(struct rpc_call *call, int code, const char *format, ...) PRINTF_LIKE(3, 4);
/* What a development helper answers when it is done: null under anvil's name, which strict clients decode as nothing;
 * `answer` under Hardhat's. */
void rpc_put_done(struct rpc_call *call, bool answer);
/* The error's `data`. */
void rpc_fail_data(struct rpc_call *call, struct bytes data);
void rpc_fail_quantity(struct rpc_call *call, uint64_t quantity);

/* An answer up to its result, and a whole one of an error: what `status` and the call say. `id` is JSON. */
void rpc_begin_answer(struct buf *out, struct bytes id);
void rpc_put_error(struct buf *out, struct bytes id, struct rpc_call *call, enum status status);

/* A whole message, as a session's or an HTTP request's. */
struct rpc_message {
	struct rpc_session *session;     /* NULL: HTTP */
	const struct rpc_caller *caller; /* NULL: callers are not known */
	struct bytes body;
	uint32_t wait_s; /* an output. Not 0: it came too soon, and after so many seconds may come again */
};
/* Answers into `out` (rpc.c). Not NULL: a part of the answer waits, and is the caller's to begin (rpc_late.h). */
MUST_USE struct rpc_late *rpc_answer(struct rpc *rpc, struct rpc_message *message, struct buf *out);

/* A ws_handler's admit (rpc_http.c), and who it was that it let in, in the arena. */
void rpc_ws_admit(void *context, struct http_exchange *exchange);
struct rpc_caller rpc_session_caller(struct arena *arena, struct bytes note);

#endif
