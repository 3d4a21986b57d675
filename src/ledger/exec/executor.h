/*
 * What the files of exec/ share: the executor and the steps of a transaction and of a block. Internal to exec/.
 */
#ifndef LEDGER_EXEC_EXECUTOR_H
#define LEDGER_EXEC_EXECUTOR_H

#include "ledger/exec/exec.h"

enum { INIT_CODE_MAX_BYTES = 2 * 24576 }; /* EIP-3860 */

struct executor {
	struct evm *evm;
	struct state *state;
	struct exec_rules rules;
	struct exec_block_hashes hashes;
	struct exec_root_source roots;
	struct evm_block_env env;
	struct err *err;
	struct arena arena; /* logs of the block's receipts */
	struct receipt *receipts;
	size_t receipt_count, receipt_cap;
	uint64_t gas_used; /* by the block's transactions so far */
	uint64_t blob_gas_used;
	uint8_t bloom[BLOOM_BYTES];
	struct bytes requests[EXEC_REQUEST_TYPES]; /* in the arena */
	size_t request_count;
};

/* host.c: the machine's window on the state. The context is the executor. */
extern const struct evm_host exec_host;

/* validate.c: may the transaction stand here? Reads the state, changes nothing. */
MUST_USE enum status exec_validate(
    struct executor *executor, enum tx_verdict *verdict, const struct transaction *tx, const addr20 *sender);
/* What one unit of gas costs the sender. */
u256 exec_gas_price(const struct executor *executor, const struct transaction *tx);

/* authorization.c: applies an EIP-7702 list; adds what is given back for accounts that existed. */
MUST_USE enum status exec_apply_authorizations(
    struct executor *executor, int64_t *refund_gas, const struct transaction *tx);
/* Is this code an EIP-7702 designation, and of whom? */
bool exec_is_delegation(addr20 *target, struct bytes code);

/* system.c: calls by the protocol itself. `*missing`: there is no code at `address`. */
MUST_USE enum status exec_system_call(struct executor *executor, bool *missing, bool *success, struct bytes *output,
    const addr20 *address, struct bytes input);
MUST_USE enum status exec_open_block(struct executor *executor, const struct header *header);
/* EIP-7685: all requests, and the hash over them. STATUS_INVALID if the block cannot be valid. */
MUST_USE enum status exec_collect_requests(struct executor *executor, hash32 *requests_hash);

#endif
