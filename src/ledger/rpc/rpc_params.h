/*
 * The parameters of a call (rpc_params.c, rpc_tx_args.c): strict; failures name the parameter.
 * Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_PARAMS_H
#define LEDGER_RPC_RPC_PARAMS_H

#include "ledger/rpc/rpc_call.h"

/* NULL if it is absent or null. */
const struct json *rpc_param(const struct rpc_call *call, size_t index);
enum status rpc_bad_param(struct rpc_call *call, size_t index, const char *format, ...) PRINTF_LIKE(3, 4);
MUST_USE enum status rpc_param_address(struct rpc_call *call, addr20 *out, size_t index);
MUST_USE enum status rpc_param_hash(struct rpc_call *call, hash32 *out, size_t index);
MUST_USE enum status rpc_param_quantity(struct rpc_call *call, uint64_t *out, size_t index);
MUST_USE enum status rpc_param_u256(struct rpc_call *call, u256 *out, size_t index);
/* The text with 0x for 0X. */
struct bytes rpc_hex_text(struct rpc_call *call, struct bytes text);
/* A number as eth_feeHistory and test tools take it: JSON's own, or text, decimal or after 0x, zeros in front or not.
 */
MUST_USE enum status rpc_param_number(struct rpc_call *call, uint64_t *out, size_t index);
MUST_USE enum status rpc_number_of(struct rpc_call *call, uint64_t *out, const struct json *value, size_t index);
MUST_USE enum status rpc_big_number_of(struct rpc_call *call, u256 *out, const struct json *value, size_t index);
/* `missing` if it is absent. */
MUST_USE enum status rpc_param_bool(struct rpc_call *call, bool *out, size_t index, bool missing);
/* Into worker->scratch; valid until that is used again. */
MUST_USE enum status rpc_param_data(struct rpc_call *call, struct bytes *out, size_t index);
/* Of at most 32 bytes, shorter ones padded on the left; without 0x too, and of odd digit counts, as geth does. */
MUST_USE enum status rpc_slot_of(struct rpc_call *call, u256 *out, const struct json *value, size_t index);
/* Of its text: how many, without 0x. */
size_t rpc_slot_digits(struct bytes text);

/* RPC_BLOCK_NEXT, which no parameter names: the newest state, in the block that would come next. */
enum rpc_block_kind { RPC_BLOCK_LATEST, RPC_BLOCK_NEXT, RPC_BLOCK_PENDING, RPC_BLOCK_NUMBER, RPC_BLOCK_HASH };
struct rpc_block_id {
	enum rpc_block_kind kind;
	uint64_t number;
	hash32 hash;
	bool require_canonical;
};
/* A tag, a number, a hash or an EIP-1898 object; the newest block if it is absent. */
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
	bool data_differs; /* from "input": what is to be signed may not be so ambiguous */
};
MUST_USE enum status rpc_param_tx(struct rpc_call *call, struct rpc_tx_args *out, size_t index);
MUST_USE enum status rpc_tx_args_of(
    struct rpc_call *call, struct rpc_tx_args *out, const struct json *object, size_t index);

#endif
