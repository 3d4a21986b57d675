/*
 * What the files of rpc/ share: the node as methods see it, one call, and the parts that several namespaces use.
 * Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_INTERNAL_H
#define LEDGER_RPC_RPC_INTERNAL_H

#include "codec/json.h"
#include "ledger/rpc/rpc.h"

#include <pthread.h>
#include <stdatomic.h>

enum rpc_code {
	RPC_REVERTED = 3,
	RPC_SERVER_ERROR = -32000,
	RPC_TIMED_OUT = -32002,
	RPC_TOO_LARGE = -32003,
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
struct rpc_worker;

struct rpc {
	struct rpc_options options; /* defaults filled in */
	struct rpc_account accounts[RPC_DEV_ACCOUNTS_MAX];
	size_t account_count;
	struct rpc_filters *filters;
	struct rpc_subscriptions *subscriptions;

	pthread_mutex_t send_lock; /* one eth_sendTransaction at a time chooses a nonce */
	pthread_mutex_t lock;      /* of all below */
	struct rpc_worker *idle;
	struct rpc_snapshot snapshots[RPC_SNAPSHOTS_MAX];
	size_t snapshot_count;
	uint64_t next_snapshot_id;
	addr20 impersonated[RPC_IMPERSONATED_MAX];
	size_t impersonated_count;
	bool impersonates_all;
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
	struct state *state;
	struct state_source source; /* what it reads from */
	struct state *other_state;  /* what `source` may be, for a call on the pending block */
	struct executor *executor;
	struct chain_head *prepared; /* state and executor stand at this head; NULL: at none */
	unsigned prepared_uses;
	struct rpc_block block;
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
	int error_code;                     /* 0: none */
	struct buf error_message;
	struct bytes error_data; /* in the arena */
	bool has_error_data;
};

/* STATUS_OK with one value written, or a failure: an error of the protocol set by rpc_fail, or an explained operational
 * one. */
typedef enum status rpc_method_run(struct rpc_call *call);

/* RPC_SOLO: dev mode with a sealing engine; RPC_TESTING: where rpc_options say so. */
enum rpc_need { RPC_ALWAYS, RPC_DEV, RPC_SOLO, RPC_TESTING };
struct rpc_method {
	const char *name;
	rpc_method_run *run;
	uint8_t params_min, params_max;
	enum rpc_need need;
	const char *params;
	const char *doc;
};
const struct rpc_method *rpc_method_find(struct bytes name);
bool rpc_method_is_served(const struct rpc *rpc, const struct rpc_method *method);

/* Sets the call's error; always returns STATUS_INVALID. */
enum status rpc_fail(struct rpc_call *call, int code, const char *format, ...) PRINTF_LIKE(3, 4);
void rpc_fail_data(struct rpc_call *call, struct bytes data);

/* --- parameters (rpc_params.c): strict; failures name the parameter --- */

/* NULL where it is absent or null. */
const struct json *rpc_param(const struct rpc_call *call, size_t index);
enum status rpc_bad_param(struct rpc_call *call, size_t index, const char *format, ...) PRINTF_LIKE(3, 4);
MUST_USE enum status rpc_param_address(struct rpc_call *call, addr20 *out, size_t index);
MUST_USE enum status rpc_param_hash(struct rpc_call *call, hash32 *out, size_t index);
MUST_USE enum status rpc_param_quantity(struct rpc_call *call, uint64_t *out, size_t index);
/* A quantity, or a plain JSON number (as test tools send). */
MUST_USE enum status rpc_param_number(struct rpc_call *call, uint64_t *out, size_t index);
MUST_USE enum status rpc_number_of(struct rpc_call *call, uint64_t *out, const struct json *value, size_t index);
/* `missing` where it is absent. */
MUST_USE enum status rpc_param_bool(struct rpc_call *call, bool *out, size_t index, bool missing);
/* Into worker->scratch; valid until that is used again. */
MUST_USE enum status rpc_param_data(struct rpc_call *call, struct bytes *out, size_t index);
/* Of at most 32 bytes, shorter ones padded on the left; odd digit counts are taken, as geth does. */
MUST_USE enum status rpc_slot_of(struct rpc_call *call, u256 *out, const struct json *value, size_t index);

enum rpc_block_kind { RPC_BLOCK_LATEST, RPC_BLOCK_PENDING, RPC_BLOCK_NUMBER, RPC_BLOCK_HASH };
struct rpc_block_id {
	enum rpc_block_kind kind;
	uint64_t number;
	hash32 hash;
	bool require_canonical;
};
/* A tag, a number, a hash or an EIP-1898 object; the newest block where it is absent. */
MUST_USE enum status rpc_param_block(struct rpc_call *call, struct rpc_block_id *out, size_t index);
/* A tag or a number alone. */
MUST_USE enum status rpc_param_block_number(struct rpc_call *call, struct rpc_block_id *out, size_t index);
MUST_USE enum status rpc_block_id_of(
    struct rpc_call *call, struct rpc_block_id *out, const struct json *value, size_t index);

/* Members of an object parameter; absent and null leave `out` as it is, `*has` (may be NULL) says which. */
MUST_USE enum status rpc_member_address(
    struct rpc_call *call, addr20 *out, bool *has, const struct json *object, const char *name, size_t index);
MUST_USE enum status rpc_member_hash(
    struct rpc_call *call, hash32 *out, bool *has, const struct json *object, const char *name, size_t index);
MUST_USE enum status rpc_member_quantity(
    struct rpc_call *call, uint64_t *out, bool *has, const struct json *object, const char *name, size_t index);
MUST_USE enum status rpc_member_u256(
    struct rpc_call *call, u256 *out, bool *has, const struct json *object, const char *name, size_t index);
/* In the arena. */
MUST_USE enum status rpc_member_data(
    struct rpc_call *call, struct bytes *out, bool *has, const struct json *object, const char *name, size_t index);

/* What eth_call, eth_estimateGas, eth_createAccessList and eth_sendTransaction take. */
struct rpc_tx_args {
	struct transaction tx; /* fields that were given; the rest zero */
	addr20 from;
	bool has_from, has_to, has_gas, has_gas_price, has_max_fee, has_max_priority_fee, has_nonce, has_chain_id;
	bool has_access_list, has_authorizations;
};
MUST_USE enum status rpc_param_tx(struct rpc_call *call, struct rpc_tx_args *out, size_t index);
MUST_USE enum status rpc_tx_args_of(
    struct rpc_call *call, struct rpc_tx_args *out, const struct json *object, size_t index);

/* --- blocks and states (rpc_chain.c) --- */

struct rpc_found_block {
	struct header header;
	hash32 hash;
};
/* `*found` false where there is none; an absent hash is not an error here. */
MUST_USE enum status rpc_find_block(
    struct rpc_call *call, struct rpc_found_block *out, bool *found, const struct rpc_block_id *id);
/* The same, with geth's errors for what is not there. */
MUST_USE enum status rpc_require_block(
    struct rpc_call *call, struct rpc_found_block *out, const struct rpc_block_id *id);
/* The safe or the finalized block: what a consensus layer named; else, and where this node sealed, the newest. */
MUST_USE enum status rpc_find_safe(struct rpc_call *call, struct rpc_block_id *out, bool finalized);

struct rpc_state {
	struct header header;
	hash32 hash;                   /* of a pending block: its parent's */
	const struct state_view *view; /* of a pending block: its parent's, for proofs */
	struct state_source source;    /* where to read accounts and code */
	struct chain_head *head;       /* counted, where the view is the head's */
	struct state_view *owned_view; /* else this */
};
MUST_USE enum status rpc_state_open(struct rpc_call *call, struct rpc_state *out, const struct rpc_block_id *id);
void rpc_state_close(struct rpc_state *state);

/* What waits, as a block (rpc_pending.c). The state is good until the worker opens another. */
MUST_USE enum status rpc_pending_open(struct rpc_call *call, struct rpc_state *out);
MUST_USE enum status rpc_pending_block(struct rpc_call *call, struct rpc_block **out); /* in the arena */

/* The block in the worker's cache, valid until the next load. */
MUST_USE enum status rpc_block_load(struct rpc_call *call, struct rpc_block **out, const hash32 *hash);
/* Who signed it; or, in dev mode, whom it impersonates. */
MUST_USE enum status rpc_sender_of(struct rpc_call *call, addr20 *out, const struct transaction *tx, enum fork fork);
/* Fills in its receipts, which tell the senders, too. */
MUST_USE enum status rpc_block_receipts(struct rpc_call *call, struct rpc_block *block);
/* One transaction of the chain, read without the rest of its block; in the arena. */
struct rpc_found_tx {
	struct rpc_found_block block;
	uint32_t index;
	struct transaction tx;
};
MUST_USE enum status rpc_find_tx(struct rpc_call *call, struct rpc_found_tx *out, bool *found, const hash32 *tx_hash);
/* The one that parameters 0 (a block) and 1 (an index) name. */
MUST_USE enum status rpc_param_tx_place(struct rpc_call *call, struct rpc_found_tx *out, bool *found);
/* Its receipt, which tells the sender, too. `*found` false: it was unwound meanwhile. */
MUST_USE enum status rpc_tx_receipt(
    struct rpc_call *call, struct mined_receipt *out, bool *found, const struct rpc_found_tx *tx);
u256 rpc_next_base_fee(const struct rpc *rpc, const struct header *head);
struct exec_rules rpc_next_rules(const struct rpc *rpc, const struct header *head);
/* What a unit of gas costs whoever sends it into a block with this base fee. */
u256 rpc_effective_gas_price(const struct transaction *tx, const u256 *base_fee_wei);
MUST_USE enum status rpc_suggest_tip(struct rpc_call *call, u256 *out_wei);

/* --- JSON of the chain's things (rpc_write.c) --- */

void rpc_put_u256(struct json_writer *out, const char *name, const u256 *value);
void rpc_put_word(struct json_writer *out, const char *name, const u256 *value); /* 32 bytes */
/* "0x…" of at most 32 bytes, where data names a member. */
void rpc_hex_name(char out[67], struct bytes data);
/* `header` NULL: it waits in the pool. */
void rpc_write_tx(struct json_writer *out, const char *name, const struct transaction *tx, const addr20 *from,
    const struct header *header, const hash32 *block_hash, size_t index);
/* `full`: transactions as objects, not hashes alone. */
MUST_USE enum status rpc_write_block(struct rpc_call *call, struct rpc_block *block, bool full);
/* The same without the braces, for who adds to it. */
MUST_USE enum status rpc_write_block_members(struct rpc_call *call, struct rpc_block *block, bool full);
/* An ommer, of which only the header is known. */
void rpc_write_ommer(struct rpc_call *call, const struct header *header);
void rpc_write_log(struct json_writer *out, const struct found_log *found, bool removed);
void rpc_write_receipt(struct rpc_call *call, const struct transaction *tx, const struct mined_receipt *mined,
    const struct header *header, const hash32 *block_hash, size_t index);
void rpc_write_withdrawals(struct json_writer *out, const struct block *block);
void rpc_write_access_list(struct json_writer *out, const char *name, const struct access_entry *entries, size_t count);

/* --- running code --- */

/* An account or slot that differs from the committed state for one call (rpc_override.c). NULL for no object. */
struct rpc_overrides;
MUST_USE enum status rpc_overrides_parse(
    struct rpc_call *call, struct rpc_overrides **out, const struct json *object, size_t index);
struct state_source rpc_overrides_source(struct rpc_overrides *overrides, const struct state_source *base);
/* What becomes of precompiles that are overridden or moved; in the arena. */
MUST_USE enum status rpc_overrides_moves(struct rpc_call *call, const struct rpc_overrides *overrides, enum fork fork,
    struct evm_precompile_move **out, size_t *count);
/* Writes them into a state, as one transaction. NULL: nothing. */
MUST_USE enum status rpc_overrides_apply(const struct rpc_overrides *overrides, struct state *state);
/* Changes the header that a call sees; NULL for no object. */
MUST_USE enum status rpc_override_header(
    struct rpc_call *call, struct header *header, const struct json *object, size_t index);

/* Makes the worker's state and executor ready for a block on `source`, which is copied; `opens_block`: with the system
 * calls that open one, which a state after its block has behind it. */
MUST_USE enum status rpc_executor_begin(struct rpc_call *call, const struct state_source *source,
    const struct exec_rules *rules, const struct header *header, bool opens_block);

/* What a call runs on: parameter `first + 1` names the block, those behind it override. Close it after the last run. */
struct rpc_run {
	struct rpc_state state;
	struct header header; /* as the call sees it */
	struct exec_rules rules;
	struct rpc_tx_args args;
};
/* Parses parameters 0 to 3 and makes the worker's state and executor ready. */
MUST_USE enum status rpc_run_open(struct rpc_call *call, struct rpc_run *run);
void rpc_run_close(struct rpc_run *run);
/* The same for a transaction made elsewhere, on the newest block. */
MUST_USE enum status rpc_run_open_at_head(struct rpc_call *call, struct rpc_run *run, const struct rpc_tx_args *args);
/* Runs once and undoes it. The output stands in the worker's machine until the next run. */
MUST_USE enum status rpc_run_once(
    struct rpc_call *call, struct exec_tx_result *result, const struct transaction *tx, const addr20 *from);
/* The same with a tracer's config object in parameter 2, which holds the overrides. */
MUST_USE enum status rpc_run_open_traced(struct rpc_call *call, struct rpc_run *run);
/* The text inside Error(string) or Panic(uint256) (Solidity ABI), or empty; `panic` is where the latter is made. */
#define RPC_PANIC_TEXT_BYTES 96
struct bytes rpc_revert_reason(struct bytes output, char panic[RPC_PANIC_TEXT_BYTES]);
/* The error of a transaction that cannot run, with who and how much (rpc_verdict.c). The state is as it found it. */
struct rpc_failed_tx {
	const struct transaction *tx;
	const addr20 *from;
	const struct header *header; /* of its block */
	enum fork fork;
};
enum status rpc_fail_verdict(
    struct rpc_call *call, int code, enum tx_verdict verdict, const struct rpc_failed_tx *failed);
/* The error of a call that did not succeed (a verdict, a revert, a fault of the machine). */
enum status rpc_fail_run(struct rpc_call *call, const struct exec_tx_result *result, const struct rpc_run *run);
/* rpc_estimate.c */
MUST_USE enum status rpc_estimate(struct rpc_call *call, uint64_t *gas, struct rpc_run *run);

/* Dev mode: may this address send without a key? (rpc_dev_state.c) */
bool rpc_is_impersonated(struct rpc *rpc, const addr20 *address);
/* Takes all that waits out of the pool. */
void rpc_drop_waiting(struct rpc_call *call);
/* Gives it to the pool in `from`'s name and writes its hash. */
MUST_USE enum status rpc_pool_take_unsigned(struct rpc_call *call, const struct transaction *tx, const addr20 *from);
/* Gives an envelope to the pool and writes its hash, or fails with geth's text (rpc_eth_tx.c). */
MUST_USE enum status rpc_pool_take(struct rpc_call *call, struct bytes envelope);
/* One a request of the batch: those that send a good transaction are read together, ahead. NULL for less than two. */
const struct pool_reading *rpc_read_ahead(struct arena *arena, const struct json *batch);

/* --- filters --- */

struct rpc_filters *rpc_filters_new(void);
void rpc_filters_free(struct rpc_filters *filters);
void rpc_filters_tx_added(struct rpc_filters *filters, const hash32 *hash);
/* The logs of a block that was taken back, for who was told of them. */
struct rpc_removed_block {
	uint64_t number;
	const struct found_log *logs;
	size_t count;
};
void rpc_filters_removed(struct rpc_filters *filters, const struct rpc_removed_block *block);
/* For subscriptions, which read on from a place: the newest one, while `watch` is on. */
uint64_t rpc_filters_watch_txs(struct rpc_filters *filters, bool watch);
/* At most `max` hashes from `*place` on, which moves. */
size_t rpc_filters_txs(struct rpc_filters *filters, hash32 *out, uint64_t *place, size_t max);
/* The criteria of a logs filter object in parameter `index`, or everything; in `arena`. */
MUST_USE enum status rpc_filters_criteria(
    struct rpc_call *call, struct log_filter *out, struct arena *arena, size_t index);

/* --- subscriptions --- */

struct rpc_subscriptions *rpc_subscriptions_new(void);
void rpc_subscriptions_free(struct rpc_subscriptions *subscriptions);
/* From any thread. */
void rpc_subscriptions_news(struct rpc *rpc);
void rpc_subscriptions_removed(struct rpc *rpc, const struct rpc_removed_block *block);
/* A whole message, as a session's or an HTTP request's; answers into `out` (rpc.c). */
void rpc_answer(struct rpc *rpc, struct rpc_session *session, struct bytes body, struct buf *out);
/* A header as newHeads tells it. */
void rpc_write_head(struct rpc_call *call, const struct header *header, const hash32 *hash);

/* --- methods, one line each, by file --- */

rpc_method_run rpc_web3_client_version, rpc_web3_sha3, rpc_net_version, rpc_net_listening, rpc_net_peer_count;
rpc_method_run rpc_eth_config, rpc_eth_capabilities, rpc_eth_chain_id, rpc_eth_syncing, rpc_eth_block_number,
    rpc_eth_accounts;
rpc_method_run rpc_xinglin_seal_of, rpc_xinglin_chain_info;

rpc_method_run rpc_eth_fill;
rpc_method_run rpc_eth_gas_price, rpc_eth_max_priority_fee, rpc_eth_fee_history, rpc_eth_blob_base_fee,
    rpc_eth_base_fee;

rpc_method_run rpc_eth_get_balance, rpc_eth_get_transaction_count, rpc_eth_get_code, rpc_eth_get_storage_at,
    rpc_eth_get_storage_values, rpc_eth_get_proof;

rpc_method_run rpc_eth_get_block_by_hash, rpc_eth_get_block_by_number, rpc_eth_block_tx_count, rpc_eth_uncle_count,
    rpc_eth_get_uncle, rpc_eth_get_block_receipts;

rpc_method_run rpc_eth_get_tx_by_hash, rpc_eth_get_tx_by_index, rpc_eth_get_raw_tx_by_index, rpc_eth_get_receipt,
    rpc_eth_send_raw, rpc_eth_send_transaction, rpc_eth_sign, rpc_personal_sign;

rpc_method_run rpc_eth_call, rpc_eth_estimate_gas, rpc_eth_create_access_list, rpc_eth_simulate;

rpc_method_run rpc_eth_get_logs, rpc_eth_new_filter, rpc_eth_new_block_filter, rpc_eth_new_pending_filter,
    rpc_eth_get_filter_changes, rpc_eth_get_filter_logs, rpc_eth_uninstall_filter;

rpc_method_run rpc_eth_subscribe, rpc_eth_unsubscribe;

rpc_method_run rpc_txpool_status, rpc_txpool_content, rpc_txpool_content_from, rpc_txpool_inspect;

rpc_method_run rpc_testing_build_block;

rpc_method_run rpc_debug_raw_header, rpc_debug_raw_block, rpc_debug_raw_receipts, rpc_debug_raw_transaction;

rpc_method_run rpc_debug_trace_transaction, rpc_debug_trace_block_by_number, rpc_debug_trace_block_by_hash,
    rpc_debug_trace_block, rpc_debug_trace_call;

rpc_method_run rpc_evm_mine, rpc_evm_increase_time, rpc_evm_set_next_timestamp, rpc_evm_set_automine,
    rpc_evm_set_interval, rpc_evm_snapshot, rpc_evm_revert, rpc_dev_set_timestamp_interval,
    rpc_dev_remove_timestamp_interval, rpc_dev_get_automine, rpc_dev_set_randao, rpc_dev_set_gas_limit,
    rpc_dev_set_interval_seconds, rpc_dev_set_logging, rpc_eth_send_unsigned;
rpc_method_run rpc_dev_impersonate, rpc_dev_stop_impersonating, rpc_dev_auto_impersonate, rpc_dev_set_balance,
    rpc_dev_set_code, rpc_dev_set_nonce, rpc_dev_set_storage, rpc_dev_mine, rpc_dev_reset, rpc_dev_drop_tx,
    rpc_dev_drop_all, rpc_dev_set_base_fee, rpc_dev_set_coinbase, rpc_dev_node_info, rpc_dev_metadata;

#endif
