/* web3_*, net_*, xinglin_*: what the node says about itself; and the chain's few standing facts. */
#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_params.h"
#include "ledger/rpc/rpc_write.h"

static u256 chain_id_of(const struct rpc_call *call) {
	return genesis_chain_id(chain_genesis(call->rpc->options.chain));
}

enum status rpc_web3_client_version(struct rpc_call *call) {
	json_put_text(&call->out, NULL, call->rpc->options.client_version);
	return STATUS_OK;
}

enum status rpc_web3_sha3(struct rpc_call *call) {
	struct bytes data;
	TRY(rpc_param_data(call, &data, 0));
	const hash32 hash = keccak256(data);
	json_put_hex(&call->out, NULL, BYTES_OF(hash));
	return STATUS_OK;
}

/* Each prefix of a method that is served; the table is sorted, so that those of one stand together. */
enum status rpc_modules(struct rpc_call *call) {
	struct bytes last = {NULL, 0};
	json_object_begin(&call->out, NULL);
	for (size_t i = 0; i < rpc_method_count(); i++) {
		const char *name = rpc_method_info(i).name;
		const struct bytes prefix = bytes_make(name, strcspn(name, "_"));
		if (bytes_equal(prefix, last) || !rpc_method_is_served(call->rpc, rpc_method_find(bytes_text(name))))
			continue;
		json_put_text(&call->out, arena_strdup(call->arena, prefix), "1.0");
		last = prefix;
	}
	json_object_end(&call->out);
	return STATUS_OK;
}

enum status rpc_net_version(struct rpc_call *call) {
	char decimal[80];
	const u256 id = chain_id_of(call);
	u256_to_decimal(decimal, &id);
	json_put_text(&call->out, NULL, decimal);
	return STATUS_OK;
}

enum status rpc_net_listening(struct rpc_call *call) {
	json_put_bool(&call->out, NULL, true);
	return STATUS_OK;
}

enum status rpc_net_peer_count(struct rpc_call *call) {
	json_put_quantity(&call->out, NULL, 0);
	return STATUS_OK;
}

enum status rpc_eth_chain_id(struct rpc_call *call) {
	const u256 id = chain_id_of(call);
	rpc_put_u256(&call->out, NULL, &id);
	return STATUS_OK;
}

enum status rpc_eth_syncing(struct rpc_call *call) {
	json_put_bool(&call->out, NULL, false);
	return STATUS_OK;
}

enum status rpc_eth_block_number(struct rpc_call *call) {
	struct chain_head *head = chain_head(call->rpc->options.chain);
	json_put_quantity(&call->out, NULL, head->header.number);
	chain_head_release(head);
	return STATUS_OK;
}

enum status rpc_eth_accounts(struct rpc_call *call) {
	const struct rpc *rpc = call->rpc;
	json_array_begin(&call->out, NULL);
	for (size_t i = 0; i < rpc->account_count; i++)
		json_put_hex(&call->out, NULL, BYTES_OF(rpc->accounts[i].address));
	json_array_end(&call->out);
	return STATUS_OK;
}

/* Milliseconds, of a block that a version made which kept them; else null. */
static enum status put_time(struct rpc_call *call, const hash32 *hash) {
	struct chain *chain = call->rpc->options.chain;
	struct header header;
	uint64_t time_ms;
	TRY(chain_header_by_hash(chain, &header, hash, &call->err));
	const enum status status = chain_time_ms(chain, &time_ms, header.number, hash, &call->err);
	if (status == STATUS_OK) json_put_quantity(&call->out, "timeMs", time_ms);
	if (status == STATUS_NOTFOUND) json_put_null(&call->out, "timeMs");
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

/* r, s, v as wallets write them: v is 27 or 28. The sealer is who signed, recovered from the signature itself. */
enum status rpc_xinglin_seal_of(struct rpc_call *call) {
	hash32 hash;
	struct secp_signature seal;
	uint8_t key[64], signature[65];
	TRY(rpc_param_hash(call, &hash, 0));
	enum status status = chain_seal(call->rpc->options.chain, &seal, &hash, &call->err);
	if (status == STATUS_NOTFOUND) {
		json_put_null(&call->out, NULL);
		return STATUS_OK;
	}
	TRY(status);
	if (secp_recover(key, &seal, &hash) != STATUS_OK)
		return err_set(&call->err, STATUS_CORRUPT, "the stored seal of this block is no signature");
	memcpy(signature, seal.r, 32);
	memcpy(signature + 32, seal.s, 32);
	signature[64] = (uint8_t)(27 + seal.y_parity);
	const addr20 sealer = address_of_public_key(key);
	json_object_begin(&call->out, NULL);
	json_put_hex(&call->out, "signature", bytes_make(signature, sizeof signature));
	json_put_hex(&call->out, "sealer", BYTES_OF(sealer));
	TRY(put_time(call, &hash));
	json_object_end(&call->out);
	return STATUS_OK;
}

enum status rpc_xinglin_chain_info(struct rpc_call *call) {
	const struct rpc_options *options = &call->rpc->options;
	const struct genesis *genesis = chain_genesis(options->chain);
	struct json_writer *out = &call->out;
	const u256 id = chain_id_of(call);
	addr20 sealer, gates[BLOB_GATES_MAX];
	const size_t gate_count = genesis_blob_gates(genesis, gates);
	bool has_sealer = genesis_sealer(genesis, &sealer);
	if (!has_sealer && options->engine) {
		sealer = engine_sealer(options->engine);
		has_sealer = true;
	}
	json_object_begin(out, NULL);
	rpc_put_u256(out, "chainId", &id);
	json_put_hex(out, "genesisHash", BYTES_OF(*chain_genesis_hash(options->chain)));
	if (has_sealer)
		json_put_hex(out, "sealer", BYTES_OF(sealer));
	else
		json_put_null(out, "sealer");
	json_put_bool(out, "equalTimestamps", genesis_equal_timestamps(genesis));
	json_array_begin(out, "blobGates");
	for (size_t i = 0; i < gate_count; i++) json_put_hex(out, NULL, BYTES_OF(gates[i]));
	json_array_end(out);
	json_put_text(out, "version", options->client_version);
	json_object_end(out);
	return STATUS_OK;
}
