/* What is read from other accounts, blocks and the transaction (Yellow Paper app. H.2, 30s and 40s; EIP-1052, 1884,
 * 2929, 4844). */
#include "ledger/evm/op_environment.h"

int64_t account_access_cost(struct evm *evm, const addr20 *address, int32_t before_berlin) {
	if (evm->fork < FORK_BERLIN) return before_berlin;
	return HOST(evm, warm_account, address) ? GAS_COLD_ACCOUNT : GAS_WARM;
}

enum op_end calldataload(struct evm *evm, struct frame *f) {
	(void)evm;
	const struct bytes part = bytes_slice(f->message.input, u256_clamp_u64(&f->sp[-1]), 32);
	uint8_t word[32] = {0};
	if (part.len > 0) memcpy(word, part.data, part.len);
	f->sp[-1] = u256_load_be(word);
	return END_NEXT;
}

enum op_end balance(struct evm *evm, struct frame *f) {
	const addr20 address = address_of_word(&f->sp[-1]);
	OP_CHARGE(f, account_access_cost(evm, &address, evm->costs->balance));
	OP_TRY(evm, HOST(evm, get_balance, &f->sp[-1], &address));
	return END_NEXT;
}

enum op_end selfbalance(struct evm *evm, struct frame *f) {
	OP_TRY(evm, HOST(evm, get_balance, f->sp, &f->message.recipient));
	return END_NEXT;
}

enum op_end extcodesize(struct evm *evm, struct frame *f) {
	const addr20 address = address_of_word(&f->sp[-1]);
	struct evm_code code;
	OP_CHARGE(f, account_access_cost(evm, &address, evm->costs->extcode));
	OP_TRY(evm, HOST(evm, get_code, &code, &address));
	f->sp[-1] = u256_from(code.bytes.len);
	return END_NEXT;
}

/* Zero for what is absent, or empty in the sense of EIP-161 (EIP-1052). */
enum op_end extcodehash(struct evm *evm, struct frame *f) {
	const addr20 address = address_of_word(&f->sp[-1]);
	hash32 hash;
	bool empty = false;
	OP_CHARGE(f, account_access_cost(evm, &address, evm->costs->extcodehash));
	OP_TRY(evm, HOST(evm, get_code_hash, &hash, &address));
	if (hash32_equal(&hash, &empty_code_hash)) OP_TRY(evm, HOST(evm, account_is_empty, &empty, &address));
	f->sp[-1] = empty ? u256_from(0) : u256_load_be(hash.b);
	return END_NEXT;
}

/* The last 256 blocks only. */
enum op_end blockhash(struct evm *evm, struct frame *f) {
	const uint64_t number = f->sp[-1].w[0], now = evm->block.number;
	hash32 hash = {{0}};
	if (u256_fits_u64(&f->sp[-1]) && number < now && now - number <= 256)
		OP_TRY(evm, HOST(evm, get_block_hash, &hash, number));
	f->sp[-1] = u256_load_be(hash.b);
	return END_NEXT;
}

enum op_end blobhash(struct evm *evm, struct frame *f) {
	const uint64_t index = u256_clamp_u64(&f->sp[-1]);
	f->sp[-1] = index < evm->tx.blob_count ? u256_load_be(evm->tx.blob_hashes[index].b) : u256_from(0);
	return END_NEXT;
}
