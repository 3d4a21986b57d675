/*
 * One transaction, one block: from what is decided to what follows (Yellow Paper §6, §11; EIP-1559, 2718, 2929, 2930,
 * 3607, 3651, 3860, 4788, 2935, 4844, 4895, 6110, 7002, 7251, 7623, 7685, 7702, 7825, 7918, 7934).
 *
 * Nothing is written to the database here. Verdicts are values; a status other than STATUS_OK means that the world
 * failed and the block must be given up. Threads: one owner a `struct executor`. The `err` and `state` given to
 * executor_begin_block must outlive the block's work.
 */
#ifndef LEDGER_EXEC_EXEC_H
#define LEDGER_EXEC_EXEC_H

#include "ledger/evm/evm.h"
#include "ledger/state/state.h"

/* Why a transaction cannot stand in a block; texts are geth's, codes go into JSON-RPC errors. */
#define TX_VERDICTS(X)                                                                                                 \
	X(OK, "")                                                                                                      \
	X(TYPE_NOT_SUPPORTED, "transaction type not supported")                                                        \
	X(WRONG_CHAIN_ID, "invalid chain id for signer")                                                               \
	X(BAD_SIGNATURE, "invalid sender")                                                                             \
	X(NONCE_TOO_LOW, "nonce too low")                                                                              \
	X(NONCE_TOO_HIGH, "nonce too high")                                                                            \
	X(NONCE_MAX, "nonce has max value")                                                                            \
	X(SENDER_IS_CONTRACT, "sender not an eoa")                                                                     \
	X(INTRINSIC_GAS, "intrinsic gas too low")                                                                      \
	X(FLOOR_GAS, "insufficient gas for floor data gas cost")                                                       \
	X(GAS_LIMIT_OVER_BLOCK, "exceeds block gas limit")                                                             \
	X(GAS_LIMIT_OVER_CAP, "transaction gas limit too high")                                                        \
	X(FEE_CAP_BELOW_BASE_FEE, "max fee per gas less than block base fee")                                          \
	X(TIP_ABOVE_FEE_CAP, "max priority fee per gas higher than max fee per gas")                                   \
	X(INSUFFICIENT_FUNDS, "insufficient funds for gas * price + value")                                            \
	X(INIT_CODE_TOO_LARGE, "max initcode size exceeded")                                                           \
	X(BLOB_NONE, "blob transaction missing blob hashes")                                                           \
	X(BLOB_TOO_MANY, "blob transaction has too many blobs")                                                        \
	X(BLOB_VERSION, "blob hash has invalid version")                                                               \
	X(BLOB_FEE_CAP, "max fee per blob gas less than block blob gas fee")                                           \
	X(BLOB_CREATE, "blob transaction of type create")                                                              \
	X(SET_CODE_EMPTY, "EIP-7702 transaction with empty auth list")                                                 \
	X(SET_CODE_CREATE, "EIP-7702 transaction cannot be used to create contract")

#define TX_VERDICT_ENUM(name, text) TX_VERDICT_##name,
enum tx_verdict { TX_VERDICTS(TX_VERDICT_ENUM) TX_VERDICT_COUNT };
#undef TX_VERDICT_ENUM
const char *tx_verdict_text(enum tx_verdict verdict);

/* Blob parameters of the fork in force (EIP-7840, EIP-7892). */
struct blob_schedule {
	uint32_t target;
	uint32_t max;
	uint64_t base_fee_update_fraction;
};

/* The rules in force for one block. */
struct exec_rules {
	enum fork fork;
	u256 chain_id;
	struct blob_schedule blob;
	bool zero_base_fee;      /* a consortium's: base fee pinned to 0, gas price 0 accepted */
	addr20 deposit_contract; /* EIP-6110 */
};
/* The blob schedule that a fork came with (EIP-4844, 7691); zeros before Cancun. */
struct blob_schedule exec_blob_schedule(enum fork fork);

#define TX_GAS_CAP ((uint64_t)1 << 24)          /* EIP-7825 */
#define BLOCK_RLP_MAX ((size_t)8 * 1024 * 1024) /* EIP-7934: 10 MiB less a margin of 2 MiB */
#define GAS_PER_BLOB ((uint64_t)1 << 17)

struct exec_tx_result {
	enum tx_verdict verdict; /* not OK: nothing happened, the rest is empty */
	enum evm_outcome outcome;
	uint64_t gas_used;
	uint64_t peak_gas;   /* before refunds */
	struct bytes output; /* valid until the next run */
	addr20 created;
	bool is_create;
	struct receipt receipt; /* logs in the executor's arena, until executor_begin_block */
};

struct executor;
struct executor *executor_new(void);
void executor_free(struct executor *executor);
/* The machine, to set a tracer on. */
struct evm *executor_evm(struct executor *executor);

/* Receipts before Byzantium hold the state root after their transaction: from here if the caller has a trie, or zeros.
 */
struct exec_root_source {
	MUST_USE enum status (*root)(void *context, hash32 *out, struct state *state);
	void *context;
};
void executor_set_root_source(struct executor *executor, const struct exec_root_source *source);

/* `get` finds ancestors' hashes for BLOCKHASH. */
struct exec_block_hashes {
	MUST_USE enum status (*get)(void *context, hash32 *out, uint64_t number);
	void *context;
};

/* A block starts: environment from the header's fields (gas limit, base fee, …); runs the system calls that open a
 * block. */
MUST_USE enum status executor_begin_block(struct executor *executor, struct state *state,
    const struct exec_rules *rules, const struct header *header, const struct exec_block_hashes *hashes,
    struct err *err);
/* As executor_begin_block, but without those system calls: for executor_call on a state that already is after the
 * block. */
void executor_begin_calls(struct executor *executor, struct state *state, const struct exec_rules *rules,
    const struct header *header, const struct exec_block_hashes *hashes, struct err *err);
/* Simulations: the price of blob gas for what runs from now on, whatever the header says; until the next begin. Before
 * Cancun it has no effect. */
void executor_set_blob_base_fee(struct executor *executor, const u256 *fee_wei);
/* One transaction of a known sender. Ends the state's transaction unless the verdict is not OK. */
MUST_USE enum status executor_run(
    struct executor *executor, struct exec_tx_result *result, const struct transaction *tx, const addr20 *sender);
/* What eth_call and estimateGas run: no nonce, signature or sender code check; `check_funds` and fee checks as geth
 * does (a gas price of zero skips the base fee check). Changes stay in the state until the caller reverts or drops it.
 */
MUST_USE enum status executor_call(
    struct executor *executor, struct exec_tx_result *result, const struct transaction *tx, const addr20 *sender);
/* What eth_simulateV1 runs in a block: as executor_run, but the sender may be a contract, the gas limit has no cap, and
 * nonces and the base fee count only where `strict` (without it, a call that names no price pays none). */
MUST_USE enum status executor_simulate(struct executor *executor, struct exec_tx_result *result,
    const struct transaction *tx, const addr20 *sender, bool strict);
/* Withdrawals, rewards (before the merge), the requests' system calls; fills gas_used, logs_bloom, receipts_root,
 * transactions_root, withdrawals_root, blob gas used and requests_hash of `header`. The state root is the caller's. */
MUST_USE enum status executor_end_block(struct executor *executor, struct header *header, const struct block *block);
/* The roots that stand in a header (Yellow Paper §4.4.2; EIP-2718, 4895). Transactions have their envelopes (`raw`). */
hash32 exec_transactions_root(const struct block *block);
hash32 exec_receipts_root(const struct receipt *receipts, size_t count);
hash32 exec_withdrawals_root(const struct block *block);
/* The receipts so far, in order; valid until the next executor_begin_block. */
const struct receipt *executor_receipts(const struct executor *executor, size_t *count);
/* The block's requests, each its type's byte and what follows, after executor_end_block; valid as long (EIP-7685). */
#define EXEC_REQUEST_TYPES 3
const struct bytes *executor_requests(const struct executor *executor, size_t *count);

/* All that can be said without the state and the block: type, chain id, blobs, limits, intrinsic gas. For the pool too.
 */
enum tx_verdict exec_check_static(const struct transaction *tx, const struct exec_rules *rules);
uint64_t exec_intrinsic_gas(const struct transaction *tx, enum fork fork);
uint64_t exec_floor_gas(const struct transaction *tx, enum fork fork); /* EIP-7623; 0 before Prague */
/* price * gas + value + blob gas * blob price; true where that does not fit. */
bool exec_total_cost(
    u256 *out_wei, const struct transaction *tx, const u256 *gas_price_wei, const u256 *blob_price_wei);
/* Contracts that blocks themselves call (EIP-4788, 2935, 7002, 7251), by EIP-7910's names. */
struct exec_system_contract {
	const char *name;
	const addr20 *address;
	enum fork since;
};
#define EXEC_SYSTEM_CONTRACTS 4
extern const struct exec_system_contract exec_system_contracts[EXEC_SYSTEM_CONTRACTS];
/* Dev mode's impersonation: s = 1, and r twelve letters and the sender's address. That has a signature's form, so that
 * strict clients read it, and nobody comes to it by signing. Such a sender may be a contract. Elsewhere such a
 * transaction counts as signed, and no key that anyone holds fits its numbers. */
void exec_impersonate(struct transaction *tx, const addr20 *sender);
bool exec_is_impersonated(const struct transaction *tx);
addr20 exec_impersonated_sender(const struct transaction *tx);
bool exec_is_precompile(enum fork fork, const addr20 *address);
/* EIP-1559: the child's base fee. */
u256 exec_next_base_fee(const struct header *parent, const struct exec_rules *rules, bool parent_is_london);
uint64_t exec_excess_blob_gas(const struct header *parent, const struct exec_rules *rules);
u256 exec_blob_base_fee(uint64_t excess_blob_gas, const struct blob_schedule *schedule);

#endif
