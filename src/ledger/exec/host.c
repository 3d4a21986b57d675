#include "ledger/exec/executor.h"

#define STATE(context) (((struct executor *)(context))->state)

static enum status host_account_exists(void *context, bool *out, const addr20 *address) {
	return state_account_exists(STATE(context), out, address);
}

static enum status host_account_is_empty(void *context, bool *out, const addr20 *address) {
	return state_account_is_empty(STATE(context), out, address);
}

static enum status host_get_balance(void *context, u256 *out_wei, const addr20 *address) {
	return state_get_balance(STATE(context), out_wei, address);
}

static enum status host_add_balance(void *context, const addr20 *address, const u256 *wei) {
	return state_add_balance(STATE(context), address, wei);
}

static enum status host_sub_balance(void *context, const addr20 *address, const u256 *wei) {
	return state_sub_balance(STATE(context), address, wei);
}

static enum status host_get_nonce(void *context, uint64_t *out, const addr20 *address) {
	return state_get_nonce(STATE(context), out, address);
}

static enum status host_set_nonce(void *context, const addr20 *address, uint64_t nonce) {
	return state_set_nonce(STATE(context), address, nonce);
}

static enum status host_get_code(void *context, struct evm_code *out, const addr20 *address) {
	struct state_code code;
	TRY(state_get_code(STATE(context), &code, address));
	*out = (struct evm_code){.bytes = code.bytes, .jumpdests = code.jumpdests, .hash = code.hash};
	return STATUS_OK;
}

static enum status host_get_code_hash(void *context, hash32 *out, const addr20 *address) {
	return state_get_code_hash(STATE(context), out, address);
}

static enum status host_set_code(void *context, const addr20 *address, struct bytes code) {
	return state_set_code(STATE(context), address, code);
}

static enum status host_get_storage(void *context, u256 *out, const addr20 *address, const u256 *slot) {
	return state_get_storage(STATE(context), out, address, slot);
}

static enum status host_get_original_storage(void *context, u256 *out, const addr20 *address, const u256 *slot) {
	return state_get_original_storage(STATE(context), out, address, slot);
}

static enum status host_set_storage(void *context, const addr20 *address, const u256 *slot, const u256 *value) {
	return state_set_storage(STATE(context), address, slot, value);
}

static enum status host_has_storage(void *context, bool *out, const addr20 *address) {
	return state_has_storage(STATE(context), out, address);
}

static void host_get_transient(void *context, u256 *out, const addr20 *address, const u256 *slot) {
	state_get_transient(STATE(context), out, address, slot);
}

static void host_set_transient(void *context, const addr20 *address, const u256 *slot, const u256 *value) {
	state_set_transient(STATE(context), address, slot, value);
}

bool exec_is_precompile(enum fork fork, const addr20 *address) {
	static const uint8_t zeros[18];
	if (memcmp(address->b, zeros, sizeof zeros) != 0) return false;
	const unsigned number = (unsigned)address->b[18] << 8 | address->b[19];
	unsigned last = 4;
	if (fork >= FORK_BYZANTIUM) last = 8;
	if (fork >= FORK_ISTANBUL) last = 9;
	if (fork >= FORK_CANCUN) last = 10;
	if (fork >= FORK_PRAGUE) last = 17;
	return (number >= 1 && number <= last) || (fork >= FORK_OSAKA && number == 0x100);
}

/* Precompiles are warm from the start (EIP-2929). */
static bool host_warm_account(void *context, const addr20 *address) {
	const struct executor *executor = context;
	return !exec_is_precompile(executor->rules.fork, address) && state_warm_account(executor->state, address);
}

static bool host_warm_slot(void *context, const addr20 *address, const u256 *slot) {
	return state_warm_slot(STATE(context), address, slot);
}

static enum status host_begin_create(void *context, const addr20 *address) {
	return state_begin_create(STATE(context), address);
}

static bool host_is_created_here(void *context, const addr20 *address) {
	return state_is_created_here(STATE(context), address);
}

static bool host_mark_destructed(void *context, const addr20 *address) {
	return state_mark_destructed(STATE(context), address);
}

static void host_touch(void *context, const addr20 *address) {
	state_touch(STATE(context), address);
}

static void host_add_log(void *context, const struct log *log) {
	state_add_log(STATE(context), log);
}

static enum status host_get_block_hash(void *context, hash32 *out, uint64_t number) {
	const struct executor *executor = context;
	*out = (hash32){{0}};
	if (executor->hashes.get == NULL) return STATUS_OK;
	return executor->hashes.get(executor->hashes.context, out, number);
}

static size_t host_snapshot(void *context) {
	return state_snapshot(STATE(context));
}

static void host_revert_to(void *context, size_t snapshot) {
	state_revert_to(STATE(context), snapshot);
}

const struct evm_host exec_host = {
    .account_exists = host_account_exists,
    .account_is_empty = host_account_is_empty,
    .get_balance = host_get_balance,
    .add_balance = host_add_balance,
    .sub_balance = host_sub_balance,
    .get_nonce = host_get_nonce,
    .set_nonce = host_set_nonce,
    .get_code = host_get_code,
    .get_code_hash = host_get_code_hash,
    .set_code = host_set_code,
    .get_storage = host_get_storage,
    .get_original_storage = host_get_original_storage,
    .set_storage = host_set_storage,
    .has_storage = host_has_storage,
    .get_transient = host_get_transient,
    .set_transient = host_set_transient,
    .warm_account = host_warm_account,
    .warm_slot = host_warm_slot,
    .begin_create = host_begin_create,
    .is_created_here = host_is_created_here,
    .mark_destructed = host_mark_destructed,
    .touch = host_touch,
    .add_log = host_add_log,
    .get_block_hash = host_get_block_hash,
    .snapshot = host_snapshot,
    .revert_to = host_revert_to,
};
