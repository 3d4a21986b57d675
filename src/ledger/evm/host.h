/*
 * The EVM's only window on the world: a table of functions that exec/ binds to state/ (Yellow Paper §9; EIP-1153, 2929,
 * 6780).
 *
 * Every function that may read the database returns an `enum status`: a failing disk aborts the block and never becomes
 * a failed EVM call. Everything that writes is journaled by the host, so that `revert_to` undoes it. Threads: one
 * owner. Ownership: views that are returned stay valid until the transaction ends.
 */
#ifndef LEDGER_EVM_HOST_H
#define LEDGER_EVM_HOST_H

#include "base/status.h"
#include "eth/types.h"

struct evm_code {
	struct bytes bytes;        /* at least 33 readable zero bytes stand behind the end */
	const uint64_t *jumpdests; /* one bit a byte of code; NULL if bytes.len == 0 */
	hash32 hash;
};

struct evm_host {
	/* Present in the state, even if empty (before EIP-161 that matters). */
	MUST_USE enum status (*account_exists)(void *context, bool *out, const addr20 *address);
	/* EIP-161: nonce 0, balance 0, no code; absent accounts are empty. */
	MUST_USE enum status (*account_is_empty)(void *context, bool *out, const addr20 *address);
	MUST_USE enum status (*get_balance)(void *context, u256 *out_wei, const addr20 *address);
	MUST_USE enum status (*add_balance)(void *context, const addr20 *address, const u256 *wei); /* touches */
	MUST_USE enum status (*sub_balance)(
	    void *context, const addr20 *address, const u256 *wei); /* caller checked it */
	MUST_USE enum status (*get_nonce)(void *context, uint64_t *out, const addr20 *address);
	MUST_USE enum status (*set_nonce)(void *context, const addr20 *address, uint64_t nonce);
	/* Code as stored (an EIP-7702 designation is given as its 23 bytes). */
	MUST_USE enum status (*get_code)(void *context, struct evm_code *out, const addr20 *address);
	/* Zero where the account does not exist; empty_code_hash where it has no code. */
	MUST_USE enum status (*get_code_hash)(void *context, hash32 *out, const addr20 *address);
	MUST_USE enum status (*set_code)(void *context, const addr20 *address, struct bytes code);
	MUST_USE enum status (*get_storage)(void *context, u256 *out, const addr20 *address, const u256 *slot);
	/* The value at the start of the transaction (EIP-2200). */
	MUST_USE enum status (*get_original_storage)(void *context, u256 *out, const addr20 *address, const u256 *slot);
	MUST_USE enum status (*set_storage)(void *context, const addr20 *address, const u256 *slot, const u256 *value);
	/* EIP-7610 / collision rule: does the account have any storage? */
	MUST_USE enum status (*has_storage)(void *context, bool *out, const addr20 *address);
	void (*get_transient)(void *context, u256 *out, const addr20 *address, const u256 *slot);
	void (*set_transient)(void *context, const addr20 *address, const u256 *slot, const u256 *value);
	/* EIP-2929: marks as warm; true if it was cold. */
	bool (*warm_account)(void *context, const addr20 *address);
	bool (*warm_slot)(void *context, const addr20 *address, const u256 *slot);
	/* A contract starts here: storage cleared, marked as created in this transaction; the balance stays. */
	MUST_USE enum status (*begin_create)(void *context, const addr20 *address);
	bool (*is_created_here)(void *context, const addr20 *address);
	/* The account goes at the end of the transaction; true the first time. Its balance was moved by the caller. */
	bool (*mark_destructed)(void *context, const addr20 *address);
	/* EIP-161: an account that was touched and is empty goes at the end of the transaction. */
	void (*touch)(void *context, const addr20 *address);
	void (*add_log)(void *context, const struct log *log); /* copies */
	/* Zero for what is out of reach. */
	MUST_USE enum status (*get_block_hash)(void *context, hash32 *out, uint64_t number);
	size_t (*snapshot)(void *context);
	void (*revert_to)(void *context, size_t snapshot);
};

#endif
