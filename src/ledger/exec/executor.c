#include "ledger/exec/executor.h"

#include "codec/rlp.h"
#include "eth/hash_builder.h"

struct executor *executor_new(void) {
	struct executor *executor = mem_zalloc(1, sizeof *executor);
	executor->evm = evm_new();
	evm_set_host(executor->evm, &exec_host, executor);
	arena_init(&executor->arena);
	return executor;
}

void executor_free(struct executor *executor) {
	if (executor == NULL) return;
	evm_free(executor->evm);
	arena_fini(&executor->arena);
	mem_free(executor->receipts);
	mem_free(executor);
}

struct evm *executor_evm(struct executor *executor) {
	return executor->evm;
}

void executor_set_root_source(struct executor *executor, const struct exec_root_source *source) {
	executor->roots = source != NULL ? *source : (struct exec_root_source){0};
}

const struct receipt *executor_receipts(const struct executor *executor, size_t *count) {
	*count = executor->receipt_count;
	return executor->receipts;
}

const struct bytes *executor_requests(const struct executor *executor, size_t *count) {
	*count = executor->request_count;
	return executor->requests;
}

void executor_begin_calls(struct executor *executor, struct state *state, const struct exec_rules *rules,
    const struct header *header, const struct exec_block_hashes *hashes, struct err *err) {
	executor->state = state;
	executor->rules = *rules;
	executor->hashes = hashes != NULL ? *hashes : (struct exec_block_hashes){0};
	executor->err = err;
	executor->receipt_count = executor->request_count = 0;
	executor->gas_used = executor->blob_gas_used = 0;
	memset(executor->bloom, 0, sizeof executor->bloom);
	arena_reset(&executor->arena);
	executor->env = (struct evm_block_env){
	    .coinbase = header->beneficiary,
	    .number = header->number,
	    .timestamp = header->timestamp,
	    .gas_limit = header->gas_limit,
	    .difficulty = header->difficulty,
	    .randao = header->mix_hash,
	    .base_fee_wei = rules->fork >= FORK_LONDON ? header->base_fee_wei : u256_from(0),
	    .chain_id = rules->chain_id,
	};
	if (rules->fork >= FORK_CANCUN)
		executor->env.blob_base_fee_wei = exec_blob_base_fee(header->excess_blob_gas, &rules->blob);
	evm_set_block(executor->evm, rules->fork, &executor->env);
}

enum status executor_begin_block(struct executor *executor, struct state *state, const struct exec_rules *rules,
    const struct header *header, const struct exec_block_hashes *hashes, struct err *err) {
	executor_begin_calls(executor, state, rules, header, hashes, err);
	return exec_open_block(executor, header);
}

void executor_set_blob_base_fee(struct executor *executor, const u256 *fee_wei) {
	if (executor->rules.fork < FORK_CANCUN) return;
	executor->env.blob_base_fee_wei = *fee_wei;
	evm_set_block(executor->evm, executor->rules.fork, &executor->env);
}

/* EIP-4895; an amount of zero still touches the account. */
static enum status pay_withdrawals(struct executor *executor, const struct block *block) {
	for (size_t i = 0; i < block->withdrawal_count; i++) {
		const u256 gwei = u256_from(block->withdrawals[i].amount_gwei), unit = u256_from(1000000000);
		const u256 wei = u256_mul(&gwei, &unit);
		TRY(state_add_balance(executor->state, &block->withdrawals[i].address, &wei));
	}
	return STATUS_OK;
}

/* Yellow Paper §11.3; EIP-649, 1234. */
static enum status pay_rewards(struct executor *executor, const struct header *header, const struct block *block) {
	const enum fork fork = executor->rules.fork;
	const u256 ether = u256_from(1000000000000000000);
	const u256 count = u256_from(fork >= FORK_CONSTANTINOPLE ? 2 : fork >= FORK_BYZANTIUM ? 3 : 5);
	const u256 reward = u256_mul(&ether, &count);
	const u256 nephew_part = u256_from(32), nephew_share = u256_div(&reward, &nephew_part);
	u256 miner = reward;
	for (size_t i = 0; i < block->ommer_count; i++) {
		const struct header *ommer = &block->ommers[i];
		const u256 left = u256_from(8 + ommer->number - header->number), eight = u256_from(8);
		u256 share = u256_mul(&reward, &left);
		share = u256_div(&share, &eight);
		TRY(state_add_balance(executor->state, &ommer->beneficiary, &share));
		u256_add_overflow(&miner, &miner, &nephew_share);
	}
	return state_add_balance(executor->state, &header->beneficiary, &miner);
}

hash32 exec_transactions_root(const struct block *block) {
	struct bytes *items = mem_alloc(block->transaction_count * sizeof *items);
	for (size_t i = 0; i < block->transaction_count; i++) {
		items[i] = block->transactions[i].raw;
		BUG_ON(items[i].len == 0);
	}
	const hash32 root = ordered_trie_root(items, block->transaction_count);
	mem_free(items);
	return root;
}

/* One list's root, each item encoded into one buffer. */
struct encoded_list {
	struct buf bytes;
	size_t *ends;
	size_t count;
};

static hash32 encoded_list_root(struct encoded_list *list) {
	struct bytes *items = mem_alloc(list->count * sizeof *items);
	for (size_t i = 0, start = 0; i < list->count; start = list->ends[i++])
		items[i] = bytes_make(list->bytes.data + start, list->ends[i] - start);
	BUG_ON(list->bytes.overflow);
	const hash32 root = ordered_trie_root(items, list->count);
	mem_free(items);
	mem_free(list->ends);
	buf_fini(&list->bytes);
	return root;
}

static struct encoded_list encoded_list(size_t count) {
	struct encoded_list list = {.ends = mem_alloc(count * sizeof *list.ends), .count = count};
	buf_init(&list.bytes, SIZE_MAX);
	return list;
}

hash32 exec_receipts_root(const struct receipt *receipts, size_t count) {
	struct encoded_list list = encoded_list(count);
	for (size_t i = 0; i < count; i++) {
		receipt_encode(&list.bytes, &receipts[i]);
		list.ends[i] = list.bytes.len;
	}
	return encoded_list_root(&list);
}

hash32 exec_withdrawals_root(const struct block *block) {
	struct encoded_list list = encoded_list(block->withdrawal_count);
	for (size_t i = 0; i < block->withdrawal_count; i++) {
		const struct withdrawal *withdrawal = &block->withdrawals[i];
		const size_t mark = rlp_list_begin(&list.bytes);
		rlp_put_u64(&list.bytes, withdrawal->index);
		rlp_put_u64(&list.bytes, withdrawal->validator_index);
		rlp_put_string(&list.bytes, BYTES_OF(withdrawal->address));
		rlp_put_u64(&list.bytes, withdrawal->amount_gwei);
		rlp_list_end(&list.bytes, mark);
		list.ends[i] = list.bytes.len;
	}
	return encoded_list_root(&list);
}

enum status executor_end_block(struct executor *executor, struct header *header, const struct block *block) {
	const enum fork fork = executor->rules.fork;
	if (fork < FORK_PARIS) TRY(pay_rewards(executor, header, block));
	if (fork >= FORK_SHANGHAI) TRY(pay_withdrawals(executor, block));
	TRY(state_end_transaction(executor->state, fork >= FORK_SPURIOUS));
	if (fork >= FORK_PRAGUE) TRY(exec_collect_requests(executor, &header->requests_hash));

	header->gas_used = executor->gas_used;
	memcpy(header->logs_bloom, executor->bloom, sizeof header->logs_bloom);
	header->receipts_root = exec_receipts_root(executor->receipts, executor->receipt_count);
	header->transactions_root = exec_transactions_root(block);
	if (fork >= FORK_SHANGHAI) header->withdrawals_root = exec_withdrawals_root(block);
	if (fork >= FORK_CANCUN) header->blob_gas_used = executor->blob_gas_used;
	return STATUS_OK;
}
