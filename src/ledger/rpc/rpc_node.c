/* web3_*, net_*, xinglin_*: what the node says about itself; and the chain's few standing facts. */
#include "crypto/hash.h"
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_consortium.h"
#include "ledger/rpc/rpc_methods.h"
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
enum status rpc_put_time_ms(struct rpc_call *call, const hash32 *hash) {
	struct chain *chain = call->rpc->options.chain;
	struct header header;
	uint64_t time_ms;
	TRY(chain_header_by_hash(chain, &header, hash, &call->err));
	const enum status status = chain_time_ms(chain, &time_ms, header.number, hash, &call->err);
	if (status == STATUS_OK) json_put_quantity(&call->out, "timeMs", time_ms);
	if (status == STATUS_NOTFOUND) json_put_null(&call->out, "timeMs");
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

/* The sealer is who signed, recovered from the signature itself. */
enum status rpc_xinglin_seal_of(struct rpc_call *call) {
	struct chain *chain = call->rpc->options.chain;
	hash32 hash;
	struct header header;
	struct secp_signature seal;
	struct eth_signature signature;
	addr20 sealer;
	TRY(rpc_param_hash(call, &hash, 0));
	if (rpc_is_consortium(call)) return rpc_consortium_seal_of(call, &hash);
	enum status status = chain_seal(chain, &seal, &hash, &call->err);
	if (status == STATUS_NOTFOUND) {
		json_put_null(&call->out, NULL);
		return STATUS_OK;
	}
	TRY(status);
	TRY(chain_header_by_hash(chain, &header, &hash, &call->err));
	const u256 chain_id = chain_id_of(call);
	const hash32 domain = seal_domain(&chain_id, chain_genesis_hash(chain));
	const hash32 digest = seal_digest(&domain, header.number, &hash);
	memcpy(signature.b, seal.r, 32);
	memcpy(signature.b + 32, seal.s, 32);
	signature.b[64] = (uint8_t)(27 + seal.y_parity);
	if (eth_signer(&sealer, &signature, &digest) != STATUS_OK)
		return err_set(&call->err, STATUS_CORRUPT, "the stored seal of this block is no signature");
	json_object_begin(&call->out, NULL);
	json_put_hex(&call->out, "signature", BYTES_OF(signature));
	json_put_hex(&call->out, "sealer", BYTES_OF(sealer));
	TRY(rpc_put_time_ms(call, &hash));
	json_object_end(&call->out);
	return STATUS_OK;
}

/* --- signed heads --- */

#define HEADS_BACK 16u /* a block that was the newest so many blocks ago may still be asked of a witness */

/* A signature costs a node more than its question costs whoever asks. */
static enum status count_head(struct rpc_call *call) {
	struct rpc *rpc = call->rpc;
	const uint64_t second = clock_monotonic_ns(rpc->options.clock) / 1000000000;
	pthread_mutex_lock(&rpc->lock);
	if (rpc->heads_second != second) rpc->heads_signed = 0;
	rpc->heads_second = second;
	const bool is_over = rpc->heads_signed >= rpc->options.heads_a_second;
	if (!is_over) rpc->heads_signed++;
	pthread_mutex_unlock(&rpc->lock);
	if (!is_over) return STATUS_OK;
	return rpc_fail(call, RPC_LIMIT, "more than %u heads a second are asked for", rpc->options.heads_a_second);
}

/* The newest block; with a second parameter, the block of that hash, if it was the newest shortly before. */
static enum status wanted_head(struct rpc_call *call, struct rpc_found_block *out) {
	struct chain_head *head = chain_head(call->rpc->options.chain);
	const uint64_t newest = head->header.number;
	out->header = head->header;
	out->hash = head->hash;
	chain_head_release(head);
	if (!rpc_param(call, 1)) return STATUS_OK;
	if (!call->rpc->options.head_signer) return rpc_bad_param(call, 1, "the sealer signs its newest block alone");
	struct rpc_block_id id = {.kind = RPC_BLOCK_HASH, .require_canonical = true};
	TRY(rpc_param_hash(call, &id.hash, 1));
	TRY(rpc_require_block(call, out, &id));
	if (out->header.number + HEADS_BACK >= newest) return STATUS_OK;
	return rpc_fail(call, RPC_SERVER_ERROR, "block %llu is not new any more: block %llu is the newest",
	    (unsigned long long)out->header.number, (unsigned long long)newest);
}

static enum status sign_head(struct rpc_call *call, struct eth_signature *out, const struct head_statement *statement) {
	const struct rpc_options *options = &call->rpc->options;
	if (options->head_signer) {
		const struct rpc_head_signer *signer = options->head_signer;
		const enum status status = signer->sign(signer->context, out, statement, &call->err);
		if (status != STATUS_DENIED) return status;
		return rpc_fail(call, RPC_SERVER_ERROR, "%s", arena_strdup(call->arena, bytes_text(call->err.message)));
	}
	return engine_sign_head(options->engine, out, statement, &call->err);
}

enum status rpc_xinglin_head(struct rpc_call *call) {
	struct head_statement statement;
	struct rpc_found_block block;
	struct eth_signature signature;
	struct buf *rlp = &call->worker->scratch;
	TRY(rpc_param_hash(call, &statement.challenge, 0));
	if (hash32_is_zero(&statement.challenge)) return rpc_bad_param(call, 0, "a challenge is not zero");
	if (!call->rpc->options.engine && !call->rpc->options.head_signer)
		return rpc_fail(call, RPC_SERVER_ERROR, "nobody signs heads here");
	TRY(count_head(call));
	if (rpc_is_consortium(call)) return rpc_consortium_head(call);
	TRY(wanted_head(call, &block));
	statement.number = block.header.number;
	statement.hash = block.hash;
	statement.time_s = block.header.timestamp;
	TRY(sign_head(call, &signature, &statement));
	buf_clear(rlp);
	header_encode(rlp, &block.header);
	json_object_begin(&call->out, NULL);
	json_put_quantity(&call->out, "number", statement.number);
	json_put_hex(&call->out, "hash", BYTES_OF(statement.hash));
	json_put_quantity(&call->out, "time", statement.time_s);
	json_put_hex(&call->out, "header", buf_view(rlp));
	json_put_hex(&call->out, "signature", BYTES_OF(signature));
	json_object_end(&call->out);
	return STATUS_OK;
}

enum status rpc_xinglin_chain_info(struct rpc_call *call) {
	const struct rpc_options *options = &call->rpc->options;
	const struct genesis *genesis = chain_genesis(options->chain);
	struct json_writer *out = &call->out;
	const u256 id = chain_id_of(call);
	addr20 sealer, admission, members, gates[BLOB_GATES_MAX];
	const size_t gate_count = genesis_blob_gates(genesis, gates);
	bool has_sealer = genesis_sealer(genesis, &sealer);
	if (!has_sealer && options->engine) {
		sealer = engine_sealer(options->engine);
		has_sealer = !addr20_is_zero(&sealer);
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
	if (genesis_admission(genesis, &admission))
		json_put_hex(out, "admission", BYTES_OF(admission));
	else
		json_put_null(out, "admission");
	if (genesis_members(genesis, &members))
		json_put_hex(out, "members", BYTES_OF(members));
	else
		json_put_null(out, "members");
	json_put_text(out, "version", options->client_version);
	json_object_end(out);
	return STATUS_OK;
}
