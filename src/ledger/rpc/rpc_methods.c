/* The one table of methods: dispatch, help and documentation come from it. Sorted by name (rpc_new checks). */
#include "ledger/rpc/rpc_methods.h"

static const struct rpc_method methods[] = {
    {"anvil_addBalance", rpc_dev_add_balance, 2, 2, RPC_SOLO, "address, wei",
	"raises a balance, in a block of its own"},
    {"anvil_autoImpersonateAccount", rpc_dev_auto_impersonate, 1, 1, RPC_DEV, "on",
	"eth_sendTransaction takes any sender"},
    {"anvil_dropAllTransactions", rpc_dev_drop_all, 0, 0, RPC_DEV, "", "empties the pool"},
    {"anvil_dropTransaction", rpc_dev_drop_tx, 1, 1, RPC_DEV, "hash",
	"takes a waiting transaction out; false if there is none"},
    {"anvil_getAutomine", rpc_dev_get_automine, 0, 0, RPC_SOLO, "", "whether transactions are sealed as they come"},
    {"anvil_getIntervalMining", rpc_dev_get_interval, 0, 0, RPC_SOLO, "", "the interval in seconds, or null"},
    {"anvil_impersonateAccount", rpc_dev_impersonate, 1, 1, RPC_DEV, "address",
	"eth_sendTransaction takes this sender without a key"},
    {"anvil_increaseTime", rpc_evm_increase_time, 1, 1, RPC_SOLO, "seconds",
	"moves the clock of the blocks to come; gives the sum of all moves"},
    {"anvil_metadata", rpc_dev_metadata, 0, 0, RPC_DEV, "", "client, chain and newest block, as Hardhat shows them"},
    {"anvil_mine", rpc_dev_mine, 0, 2, RPC_SOLO, "[count], [seconds between]", "seals blocks now"},
    {"anvil_nodeInfo", rpc_dev_node_info, 0, 0, RPC_DEV, "", "the chain's newest block and fees, as anvil shows them"},
    {"anvil_removeBlockTimestampInterval", rpc_dev_remove_timestamp_interval, 0, 0, RPC_SOLO, "",
	"blocks follow the clock again"},
    {"anvil_removePoolTransactions", rpc_dev_drop_of_sender, 1, 1, RPC_DEV, "address",
	"takes a sender's waiting transactions out"},
    {"anvil_reorg", rpc_dev_reorg, 1, 2, RPC_SOLO, "depth, [[transaction, block], ...]",
	"takes blocks back and seals as many others, of these transactions (signed, or requests)"},
    {"anvil_reset", rpc_dev_reset, 0, 1, RPC_SOLO, "", "goes back to genesis and empties the pool"},
    {"anvil_revert", rpc_evm_revert, 1, 1, RPC_SOLO, "snapshot", "goes back to a snapshot; false if there is none"},
    {"anvil_rollback", rpc_dev_rollback, 0, 1, RPC_SOLO, "[depth]",
	"takes blocks back, and the blocks' time with them"},
    {"anvil_setAutomine", rpc_evm_set_automine, 1, 1, RPC_SOLO, "on", "whether transactions are sealed as they come"},
    {"anvil_setBalance", rpc_dev_set_balance, 2, 2, RPC_SOLO, "address, wei", "sets a balance, in a block of its own"},
    {"anvil_setBlockGasLimit", rpc_dev_set_gas_limit, 1, 1, RPC_SOLO, "gas", "the gas limit of the blocks to come"},
    {"anvil_setBlockTimestampInterval", rpc_dev_set_timestamp_interval, 1, 1, RPC_SOLO, "seconds",
	"each block is this much after its parent, whatever the clock says"},
    {"anvil_setCode", rpc_dev_set_code, 2, 2, RPC_SOLO, "address, code",
	"sets an account's code, in a block of its own"},
    {"anvil_setCoinbase", rpc_dev_set_coinbase, 1, 1, RPC_SOLO, "address", "who gets the tips of the blocks to come"},
    {"anvil_setIntervalMining", rpc_dev_set_interval_seconds, 1, 1, RPC_SOLO, "seconds",
	"seals by interval; 0 ends it"},
    {"anvil_setLoggingEnabled", rpc_dev_set_logging, 1, 1, RPC_DEV, "on", "accepted; requests are never logged"},
    {"anvil_setNextBlockBaseFeePerGas", rpc_dev_set_base_fee, 1, 1, RPC_SOLO, "wei", "the next block's base fee"},
    {"anvil_setNextBlockTimestamp", rpc_evm_set_next_timestamp, 1, 1, RPC_SOLO, "seconds",
	"the next block's timestamp"},
    {"anvil_setNonce", rpc_dev_set_nonce, 2, 2, RPC_SOLO, "address, nonce", "sets a nonce, in a block of its own"},
    {"anvil_setPrevRandao", rpc_dev_set_randao, 1, 1, RPC_SOLO, "word", "the next block's prevrandao"},
    {"anvil_setStorageAt", rpc_dev_set_storage, 3, 3, RPC_SOLO, "address, slot, word",
	"sets a storage slot, in a block of its own"},
    {"anvil_setTime", rpc_evm_set_time, 1, 1, RPC_SOLO, "seconds or milliseconds",
	"sets the time of the blocks to come; gives how far it went on"},
    {"anvil_snapshot", rpc_evm_snapshot, 0, 0, RPC_SOLO, "", "remembers the newest block for anvil_revert"},
    {"anvil_stopImpersonatingAccount", rpc_dev_stop_impersonating, 1, 1, RPC_DEV, "address", "ends impersonateAccount"},
    {"debug_getRawBlock", rpc_debug_raw_block, 1, 1, RPC_ALWAYS, "block", "a block's RLP"},
    {"debug_getRawHeader", rpc_debug_raw_header, 1, 1, RPC_ALWAYS, "block", "a header's RLP"},
    {"debug_getRawReceipts", rpc_debug_raw_receipts, 1, 1, RPC_ALWAYS, "block", "the receipts' consensus encodings"},
    {"debug_getRawTransaction", rpc_debug_raw_transaction, 1, 1, RPC_ALWAYS, "hash", "a transaction's envelope"},
    {"debug_traceBlock", rpc_debug_trace_block, 1, 2, RPC_ALWAYS, "block RLP, [config]",
	"runs a block again under a tracer; its parent must be known"},
    {"debug_traceBlockByHash", rpc_debug_trace_block_by_hash, 1, 2, RPC_ALWAYS, "hash, [config]",
	"runs a block again under a tracer"},
    {"debug_traceBlockByNumber", rpc_debug_trace_block_by_number, 1, 2, RPC_ALWAYS, "block, [config]",
	"runs a block again under a tracer"},
    {"debug_traceCall", rpc_debug_trace_call, 1, 3, RPC_ALWAYS, "call, [block], [config]",
	"runs a call under a tracer; config may hold stateOverrides and blockOverrides"},
    {"debug_traceTransaction", rpc_debug_trace_transaction, 1, 2, RPC_ALWAYS, "hash, [config]",
	"runs a sealed transaction again: every step, or callTracer, prestateTracer, 4byteTracer, noopTracer"},
    {"eth_accounts", rpc_eth_accounts, 0, 0, RPC_ALWAYS, "", "accounts that this node signs for (dev mode only)"},
    {"eth_baseFee", rpc_eth_base_fee, 0, 0, RPC_ALWAYS, "", "the next block's base fee, wei"},
    {"eth_blobBaseFee", rpc_eth_blob_base_fee, 0, 0, RPC_ALWAYS, "", "the price of blob gas, wei"},
    {"eth_blockNumber", rpc_eth_block_number, 0, 0, RPC_ALWAYS, "", "the newest block's number"},
    {"eth_call", rpc_eth_call, 1, 4, RPC_ALWAYS, "call, [block], [state overrides], [block overrides]",
	"runs a call on a block's state and gives its output; nothing is kept"},
    {"eth_capabilities", rpc_eth_capabilities, 0, 0, RPC_ALWAYS, "", "from which block on this node has what"},
    {"eth_chainId", rpc_eth_chain_id, 0, 0, RPC_ALWAYS, "", "the chain id that transactions are signed for (EIP-695)"},
    {"eth_config", rpc_eth_config, 0, 0, RPC_ALWAYS, "", "the fork in force, the next and the last (EIP-7910)"},
    {"eth_createAccessList", rpc_eth_create_access_list, 1, 3, RPC_ALWAYS, "call, [block], [state overrides]",
	"the accounts and slots that a call touches, and its gas with that list (EIP-2930)"},
    {"eth_estimateGas", rpc_eth_estimate_gas, 1, 4, RPC_ALWAYS, "call, [block], [state overrides], [block overrides]",
	"a gas limit with which the call succeeds, at most 1.5 % above the least"},
    {"eth_feeHistory", rpc_eth_fee_history, 2, 3, RPC_ALWAYS, "count, newest block, [percentiles]",
	"base fees, fullness and tips of up to 1,024 blocks"},
    {"eth_fillTransaction", rpc_eth_fill, 1, 1, RPC_ALWAYS, "transaction",
	"fills in nonce, gas and fees, of blobs too; signs and sends nothing"},
    {"eth_gasPrice", rpc_eth_gas_price, 0, 0, RPC_ALWAYS, "", "a gas price for the next blocks, wei"},
    {"eth_getBalance", rpc_eth_get_balance, 1, 2, RPC_ALWAYS, "address, [block]", "an account's balance, wei"},
    {"eth_getBlockByHash", rpc_eth_get_block_by_hash, 1, 2, RPC_ALWAYS, "hash, [full transactions]",
	"a block, or null"},
    {"eth_getBlockByNumber", rpc_eth_get_block_by_number, 1, 2, RPC_ALWAYS, "block, [full transactions]",
	"a block, or null"},
    {"eth_getBlockReceipts", rpc_eth_get_block_receipts, 1, 1, RPC_ALWAYS, "block", "all receipts of a block, or null"},
    {"eth_getBlockTransactionCountByHash", rpc_eth_block_tx_count, 1, 1, RPC_ALWAYS, "hash",
	"how many transactions a block holds"},
    {"eth_getBlockTransactionCountByNumber", rpc_eth_block_tx_count, 1, 1, RPC_ALWAYS, "block",
	"how many transactions a block holds"},
    {"eth_getCode", rpc_eth_get_code, 1, 2, RPC_ALWAYS, "address, [block]", "an account's code"},
    {"eth_getFilterChanges", rpc_eth_get_filter_changes, 1, 1, RPC_ALWAYS, "filter", "what came since the last time"},
    {"eth_getFilterLogs", rpc_eth_get_filter_logs, 1, 1, RPC_ALWAYS, "filter", "all logs that a filter fits"},
    {"eth_getHeaderByHash", rpc_eth_get_header_by_hash, 1, 1, RPC_ALWAYS, "hash", "a header, or null"},
    {"eth_getHeaderByNumber", rpc_eth_get_header_by_number, 1, 1, RPC_ALWAYS, "block", "a header, or null"},
    {"eth_getLogs", rpc_eth_get_logs, 1, 1, RPC_ALWAYS, "{fromBlock, toBlock | blockHash, address, topics}",
	"logs of sealed blocks"},
    {"eth_getProof", rpc_eth_get_proof, 1, 3, RPC_ALWAYS, "address, [slots], [block]",
	"an account, some of its slots, and their Merkle proofs (EIP-1186)"},
    {"eth_getRawTransactionByBlockHashAndIndex", rpc_eth_get_raw_tx_by_index, 2, 2, RPC_ALWAYS, "hash, index",
	"a transaction's envelope, or 0x"},
    {"eth_getRawTransactionByBlockNumberAndIndex", rpc_eth_get_raw_tx_by_index, 2, 2, RPC_ALWAYS, "block, index",
	"a transaction's envelope, or 0x"},
    {"eth_getRawTransactionByHash", rpc_debug_raw_transaction, 1, 1, RPC_ALWAYS, "hash",
	"a sealed or waiting transaction's envelope, or 0x"},
    {"eth_getStorageAt", rpc_eth_get_storage_at, 2, 3, RPC_ALWAYS, "address, slot, [block]", "a storage slot"},
    {"eth_getStorageValues", rpc_eth_get_storage_values, 1, 2, RPC_ALWAYS, "{address: [slot, ...]}, [block]",
	"many storage slots at once"},
    {"eth_getTransactionByBlockHashAndIndex", rpc_eth_get_tx_by_index, 2, 2, RPC_ALWAYS, "hash, index",
	"a transaction, or null"},
    {"eth_getTransactionByBlockNumberAndIndex", rpc_eth_get_tx_by_index, 2, 2, RPC_ALWAYS, "block, index",
	"a transaction, or null"},
    {"eth_getTransactionByHash", rpc_eth_get_tx_by_hash, 1, 1, RPC_ALWAYS, "hash",
	"a sealed or waiting transaction, or null"},
    {"eth_getTransactionCount", rpc_eth_get_transaction_count, 1, 2, RPC_ALWAYS, "address, [block]",
	"an account's next nonce; \"pending\" counts what waits"},
    {"eth_getTransactionReceipt", rpc_eth_get_receipt, 1, 1, RPC_ALWAYS, "hash",
	"a sealed transaction's receipt, or null"},
    {"eth_getUncleByBlockHashAndIndex", rpc_eth_get_uncle, 2, 2, RPC_ALWAYS, "hash, index",
	"an ommer's header, or null"},
    {"eth_getUncleByBlockNumberAndIndex", rpc_eth_get_uncle, 2, 2, RPC_ALWAYS, "block, index",
	"an ommer's header, or null"},
    {"eth_getUncleCountByBlockHash", rpc_eth_uncle_count, 1, 1, RPC_ALWAYS, "hash", "how many ommers a block names"},
    {"eth_getUncleCountByBlockNumber", rpc_eth_uncle_count, 1, 1, RPC_ALWAYS, "block", "how many ommers a block names"},
    {"eth_maxPriorityFeePerGas", rpc_eth_max_priority_fee, 0, 0, RPC_ALWAYS, "", "a tip for the next blocks, wei"},
    {"eth_networkId", rpc_net_version, 0, 0, RPC_DEV, "", "net_version by anvil's name"},
    {"eth_newBlockFilter", rpc_eth_new_block_filter, 0, 0, RPC_ALWAYS, "", "watches for new blocks"},
    {"eth_newFilter", rpc_eth_new_filter, 1, 1, RPC_ALWAYS, "{fromBlock, toBlock, address, topics}",
	"watches for logs"},
    {"eth_newPendingTransactionFilter", rpc_eth_new_pending_filter, 0, 1, RPC_ALWAYS, "",
	"watches for transactions that come in"},
    {"eth_pendingTransactions", rpc_eth_pending_transactions, 0, 0, RPC_ALWAYS, "",
	"what waits of the accounts that this node signs for"},
    {"eth_requestAccounts", rpc_eth_accounts, 0, 0, RPC_DEV, "", "eth_accounts, as a page asks a wallet (EIP-1102)"},
    {"eth_resend", rpc_eth_resend, 1, 3, RPC_DEV, "transaction, [gas price], [gas]",
	"a waiting transaction of this node's accounts again, on other terms"},
    {"eth_sendRawTransaction", rpc_eth_send_raw, 1, 1, RPC_ALWAYS, "envelope",
	"takes a signed transaction and gives its hash; it is in the journal then"},
    {"eth_sendRawTransactionSync", rpc_eth_send_raw_sync, 1, 2, RPC_ALWAYS, "envelope, [milliseconds]",
	"takes a signed transaction and gives its receipt once it is sealed (EIP-7966)"},
    {"eth_sendTransaction", rpc_eth_send_transaction, 1, 1, RPC_DEV, "transaction",
	"signs with an account of this node, fills what is missing, and sends"},
    {"eth_sendUnsignedTransaction", rpc_eth_send_unsigned, 1, 1, RPC_DEV, "transaction",
	"eth_sendTransaction in any sender's name, without a key"},
    {"eth_sign", rpc_eth_sign, 2, 2, RPC_DEV, "address, message", "signs a message with its EIP-191 prefix"},
    {"eth_signTransaction", rpc_eth_sign_transaction, 1, 1, RPC_DEV, "transaction",
	"signs with an account of this node and sends nothing: {raw, tx}"},
    {"eth_signTypedData", rpc_eth_sign_typed_data, 2, 2, RPC_DEV, "address, typed data",
	"signs structured data (EIP-712)"},
    {"eth_signTypedData_v3", rpc_eth_sign_typed_data, 2, 2, RPC_DEV, "address, typed data",
	"the same as eth_signTypedData_v4"},
    {"eth_signTypedData_v4", rpc_eth_sign_typed_data, 2, 2, RPC_DEV, "address, typed data",
	"signs structured data (EIP-712), given as JSON or in a string"},
    {"eth_simulateV1", rpc_eth_simulate, 1, 2, RPC_ALWAYS, "{blockStateCalls, …}, [block]",
	"runs blocks of calls that nobody seals on top of the newest block"},
    {"eth_subscribe", rpc_eth_subscribe, 1, 2, RPC_ALWAYS,
	"newHeads | logs, {address, topics} | newPendingTransactions, [full] | syncing",
	"over WebSocket: sends what is new from now on"},
    {"eth_syncing", rpc_eth_syncing, 0, 0, RPC_ALWAYS, "", "false: this node makes the blocks"},
    {"eth_uninstallFilter", rpc_eth_uninstall_filter, 1, 1, RPC_ALWAYS, "filter",
	"ends a filter; false if there is none"},
    {"eth_unsubscribe", rpc_eth_unsubscribe, 1, 1, RPC_ALWAYS, "subscription", "ends a subscription"},
    {"evm_increaseTime", rpc_evm_increase_time, 1, 1, RPC_SOLO, "seconds",
	"moves the clock of the blocks to come; gives the sum of all moves"},
    {"evm_mine", rpc_evm_mine, 0, 1, RPC_SOLO, "[timestamp | {blocks, timestamp}]",
	"seals a block now, even an empty one, or several"},
    {"evm_revert", rpc_evm_revert, 1, 1, RPC_SOLO, "snapshot", "goes back to a snapshot; false if there is none"},
    {"evm_setAccountNonce", rpc_dev_set_nonce, 2, 2, RPC_SOLO, "address, nonce", "sets a nonce, in a block of its own"},
    {"evm_setAutomine", rpc_evm_set_automine, 1, 1, RPC_SOLO, "on", "whether transactions are sealed as they come"},
    {"evm_setBlockGasLimit", rpc_dev_set_gas_limit, 1, 1, RPC_SOLO, "gas", "the gas limit of the blocks to come"},
    {"evm_setIntervalMining", rpc_evm_set_interval, 1, 1, RPC_SOLO, "milliseconds", "seals by interval; 0 ends it"},
    {"evm_setNextBlockTimestamp", rpc_evm_set_next_timestamp, 1, 1, RPC_SOLO, "seconds", "the next block's timestamp"},
    {"evm_setTime", rpc_evm_set_time, 1, 1, RPC_SOLO, "seconds or milliseconds",
	"sets the time of the blocks to come; gives how far it went on"},
    {"evm_snapshot", rpc_evm_snapshot, 0, 0, RPC_SOLO, "", "remembers the newest block for evm_revert"},
    {"hardhat_addBalance", rpc_dev_add_balance, 2, 2, RPC_SOLO, "address, wei",
	"raises a balance, in a block of its own"},
    {"hardhat_autoImpersonateAccount", rpc_dev_auto_impersonate, 1, 1, RPC_DEV, "on",
	"eth_sendTransaction takes any sender"},
    {"hardhat_dropAllTransactions", rpc_dev_drop_all, 0, 0, RPC_DEV, "", "empties the pool"},
    {"hardhat_dropTransaction", rpc_dev_drop_tx, 1, 1, RPC_DEV, "hash",
	"takes a waiting transaction out; false if there is none"},
    {"hardhat_getAutomine", rpc_dev_get_automine, 0, 0, RPC_SOLO, "", "whether transactions are sealed as they come"},
    {"hardhat_impersonateAccount", rpc_dev_impersonate, 1, 1, RPC_DEV, "address",
	"eth_sendTransaction takes this sender without a key"},
    {"hardhat_metadata", rpc_dev_metadata, 0, 0, RPC_DEV, "", "client, chain and newest block, as Hardhat shows them"},
    {"hardhat_mine", rpc_dev_mine, 0, 2, RPC_SOLO, "[count], [seconds between]", "seals blocks now"},
    {"hardhat_reset", rpc_dev_reset, 0, 1, RPC_SOLO, "", "goes back to genesis and empties the pool"},
    {"hardhat_setBalance", rpc_dev_set_balance, 2, 2, RPC_SOLO, "address, wei",
	"sets a balance, in a block of its own"},
    {"hardhat_setCode", rpc_dev_set_code, 2, 2, RPC_SOLO, "address, code",
	"sets an account's code, in a block of its own"},
    {"hardhat_setCoinbase", rpc_dev_set_coinbase, 1, 1, RPC_SOLO, "address", "who gets the tips of the blocks to come"},
    {"hardhat_setLoggingEnabled", rpc_dev_set_logging, 1, 1, RPC_DEV, "on", "accepted; requests are never logged"},
    {"hardhat_setNextBlockBaseFeePerGas", rpc_dev_set_base_fee, 1, 1, RPC_SOLO, "wei", "the next block's base fee"},
    {"hardhat_setNonce", rpc_dev_set_nonce, 2, 2, RPC_SOLO, "address, nonce", "sets a nonce, in a block of its own"},
    {"hardhat_setPrevRandao", rpc_dev_set_randao, 1, 1, RPC_SOLO, "word", "the next block's prevrandao"},
    {"hardhat_setStorageAt", rpc_dev_set_storage, 3, 3, RPC_SOLO, "address, slot, word",
	"sets a storage slot, in a block of its own"},
    {"hardhat_stopImpersonatingAccount", rpc_dev_stop_impersonating, 1, 1, RPC_DEV, "address",
	"ends impersonateAccount"},
    {"net_listening", rpc_net_listening, 0, 0, RPC_ALWAYS, "", "true"},
    {"net_peerCount", rpc_net_peer_count, 0, 0, RPC_ALWAYS, "", "0x0: peers belong to the consensus engine"},
    {"net_version", rpc_net_version, 0, 0, RPC_ALWAYS, "", "the chain id, decimal"},
    {"personal_sign", rpc_personal_sign, 2, 3, RPC_DEV, "message, address, [password, not looked at]",
	"signs a message with its EIP-191 prefix"},
    {"rpc_modules", rpc_modules, 0, 0, RPC_ALWAYS, "", "the prefixes of the methods that are served"},
    {"testing_buildBlockV1", rpc_testing_build_block, 2, 4, RPC_TESTING,
	"parent hash, payload attributes, [envelopes or null], [extra data]",
	"the payload on a parent: of these transactions, or of what waits; nothing is kept"},
    {"txpool_content", rpc_txpool_content, 0, 0, RPC_ALWAYS, "", "waiting transactions, by sender and nonce"},
    {"txpool_contentFrom", rpc_txpool_content_from, 1, 1, RPC_ALWAYS, "address", "one sender's waiting transactions"},
    {"txpool_inspect", rpc_txpool_inspect, 0, 0, RPC_ALWAYS, "", "waiting transactions, one line each"},
    {"txpool_status", rpc_txpool_status, 0, 0, RPC_ALWAYS, "", "how many transactions wait"},
    {"web3_clientVersion", rpc_web3_client_version, 0, 0, RPC_ALWAYS, "", "this node's name and version"},
    {"web3_sha3", rpc_web3_sha3, 1, 1, RPC_ALWAYS, "data", "the data's Keccak-256 hash"},
    {"xinglin_chainInfo", rpc_xinglin_chain_info, 0, 0, RPC_ALWAYS, "",
	"chain id, genesis hash, sealer, blob gates, admission, members, version; whether blocks may have equal timestamps"},
    {"xinglin_head", rpc_xinglin_head, 1, 2, RPC_ALWAYS, "challenge, [block hash]",
	"the newest block, its header, and who signs heads here signed it with the challenge; a witness also signs a "
	"block that was its newest shortly before; a consortium's node gives the newest light block that proves a block"},
    {"xinglin_lightBlock", rpc_xinglin_light_block, 1, 1, RPC_ALWAYS, "height",
	"of a consortium: CometBFT's header, commit and validators of this height, as protobuf; or null"},
    {"xinglin_receiptProofs", rpc_xinglin_receipt_proofs, 2, 2, RPC_ALWAYS, "block, [index, ...]",
	"for each receipt the nodes from the block's receiptsRoot down to it: of the first that fit, one at least"},
    {"xinglin_sealOf", rpc_xinglin_seal_of, 1, 1, RPC_ALWAYS, "block hash",
	"the sealer, its signature of number and hash, and the decided time in milliseconds; a consortium's node gives the "
	"light block that proves it; or null"},
    {"xinglin_snapshots", rpc_xinglin_snapshots, 0, 0, RPC_ALWAYS, "",
	"of a consortium: the snapshots that this node gives to whoever joins, the newest first"},
};
#define METHOD_COUNT (sizeof methods / sizeof *methods)

size_t rpc_method_count(void) {
	return METHOD_COUNT;
}

struct rpc_method_info rpc_method_info(size_t index) {
	BUG_ON(index >= METHOD_COUNT);
	const struct rpc_method *method = &methods[index];
	return (struct rpc_method_info){method->name, method->params, method->doc,
	    method->need == RPC_DEV || method->need == RPC_SOLO, method->need == RPC_TESTING};
}

const struct rpc_method *rpc_method_find(struct bytes name) {
	size_t low = 0, high = METHOD_COUNT;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = bytes_compare(name, bytes_text(methods[middle].name));
		if (order == 0) return &methods[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* "eth_*": all that begin so. */
static bool matches(const char *pattern, const char *name) {
	const size_t len = strlen(pattern);
	if (len > 0 && pattern[len - 1] == '*') return strncmp(pattern, name, len - 1) == 0;
	return strcmp(pattern, name) == 0;
}

static bool is_listed(const char *const *only, const char *name) {
	if (only == NULL) return true;
	for (; *only; only++)
		if (matches(*only, name)) return true;
	return false;
}

const char *rpc_methods_unknown(const char *const *only) {
	for (; only && *only; only++) {
		size_t found = 0;
		for (size_t i = 0; i < METHOD_COUNT; i++) found += matches(*only, methods[i].name);
		if (found == 0) return *only;
	}
	return NULL;
}

bool rpc_method_is_served(const struct rpc *rpc, const struct rpc_method *method) {
	if (!is_listed(rpc->options.only, method->name)) return false;
	switch (method->need) {
	case RPC_ALWAYS: return true;
	case RPC_DEV: return rpc->options.dev_mode;
	case RPC_SOLO: return rpc->options.dev_mode && rpc->options.dev;
	case RPC_TESTING: return rpc->options.test_methods;
	}
	return false;
}
