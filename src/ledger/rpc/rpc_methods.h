/*
 * The table of methods (rpc_methods.c), and each file's methods.
 * Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_METHODS_H
#define LEDGER_RPC_RPC_METHODS_H

#include "ledger/rpc/rpc_call.h"

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
/* The first of these names or patterns that no method has; NULL: there is none. */
const char *rpc_methods_unknown(const char *const *only);
bool rpc_method_is_served(const struct rpc *rpc, const struct rpc_method *method);

rpc_method_run rpc_modules, rpc_web3_client_version, rpc_web3_sha3, rpc_net_version, rpc_net_listening,
    rpc_net_peer_count;
rpc_method_run rpc_eth_config, rpc_eth_capabilities, rpc_eth_chain_id, rpc_eth_syncing, rpc_eth_block_number,
    rpc_eth_accounts;
rpc_method_run rpc_xinglin_snapshots, rpc_xinglin_head, rpc_xinglin_light_block, rpc_xinglin_seal_of,
    rpc_xinglin_chain_info, rpc_xinglin_receipt_proofs;

rpc_method_run rpc_eth_fill;
rpc_method_run rpc_eth_gas_price, rpc_eth_max_priority_fee, rpc_eth_fee_history, rpc_eth_blob_base_fee,
    rpc_eth_base_fee;

rpc_method_run rpc_eth_get_balance, rpc_eth_get_transaction_count, rpc_eth_get_code, rpc_eth_get_storage_at,
    rpc_eth_get_storage_values, rpc_eth_get_proof;

rpc_method_run rpc_eth_get_block_by_hash, rpc_eth_get_block_by_number, rpc_eth_get_header_by_hash,
    rpc_eth_get_header_by_number, rpc_eth_block_tx_count, rpc_eth_uncle_count, rpc_eth_get_uncle,
    rpc_eth_get_block_receipts;

rpc_method_run rpc_eth_get_tx_by_hash, rpc_eth_get_tx_by_index, rpc_eth_get_raw_tx_by_index, rpc_eth_get_receipt,
    rpc_eth_send_raw, rpc_eth_send_raw_sync, rpc_eth_send_transaction, rpc_eth_resend, rpc_eth_pending_transactions;

rpc_method_run rpc_eth_sign, rpc_personal_sign, rpc_eth_sign_typed_data, rpc_eth_sign_transaction;

rpc_method_run rpc_eth_call, rpc_eth_estimate_gas, rpc_eth_create_access_list, rpc_eth_simulate;

rpc_method_run rpc_eth_get_logs, rpc_eth_new_filter, rpc_eth_new_block_filter, rpc_eth_new_pending_filter,
    rpc_eth_get_filter_changes, rpc_eth_get_filter_logs, rpc_eth_uninstall_filter;

rpc_method_run rpc_eth_subscribe, rpc_eth_unsubscribe;

rpc_method_run rpc_txpool_status, rpc_txpool_content, rpc_txpool_content_from, rpc_txpool_inspect;

rpc_method_run rpc_testing_build_block;

rpc_method_run rpc_debug_raw_header, rpc_debug_raw_block, rpc_debug_raw_receipts, rpc_debug_raw_transaction;

rpc_method_run rpc_debug_trace_transaction, rpc_debug_trace_block_by_number, rpc_debug_trace_block_by_hash,
    rpc_debug_trace_block, rpc_debug_trace_call;

rpc_method_run rpc_evm_set_time, rpc_dev_get_interval, rpc_dev_rollback, rpc_dev_reorg, rpc_dev_add_balance,
    rpc_dev_drop_of_sender;
rpc_method_run rpc_evm_mine, rpc_evm_increase_time, rpc_evm_set_next_timestamp, rpc_evm_set_automine,
    rpc_evm_set_interval, rpc_evm_snapshot, rpc_evm_revert, rpc_dev_set_timestamp_interval,
    rpc_dev_remove_timestamp_interval, rpc_dev_get_automine, rpc_dev_set_randao, rpc_dev_set_gas_limit,
    rpc_dev_set_interval_seconds, rpc_dev_set_logging, rpc_eth_send_unsigned;
rpc_method_run rpc_dev_impersonate, rpc_dev_stop_impersonating, rpc_dev_auto_impersonate, rpc_dev_set_balance,
    rpc_dev_set_code, rpc_dev_set_nonce, rpc_dev_set_storage, rpc_dev_mine, rpc_dev_reset, rpc_dev_drop_tx,
    rpc_dev_drop_all, rpc_dev_set_base_fee, rpc_dev_set_coinbase, rpc_dev_node_info, rpc_dev_metadata;

#endif
