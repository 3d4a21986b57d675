#include "fuzz/differ/run.h"

#include <stdlib.h>

#include "crypto/hash.h"

struct differ_run {
	struct differ_case *one;
	struct executor *executor;
	struct state *state;
	struct exec_tx_result last;
	struct buf result, remark;
	struct arena arena;
	struct err err;
};

/* Nothing here reads a disk: a failure is a bug. */
static void must(const struct differ_run *run, enum status status) {
	if (status != STATUS_OK) bug_stop(run->err.message, __FILE__, __LINE__);
}

/* --- the accounts of the case, as the state reads them --- */

static const struct case_account *find_account(const struct differ_case *one, const addr20 *address) {
	for (size_t i = 0; i < one->account_count; i++)
		if (addr20_equal(&one->accounts[i].address, address)) return &one->accounts[i];
	return NULL;
}

static enum status read_account(
    void *context, struct account *account, bool *exists, const addr20 *address, struct err *err) {
	const struct differ_run *run = context;
	const struct case_account *found = find_account(run->one, address);
	(void)err;
	*exists = found != NULL;
	*account = (struct account){.code_hash = empty_code_hash, .storage_root = empty_trie_root};
	if (found == NULL) return STATUS_OK;
	account->nonce = found->nonce;
	account->balance_wei = found->balance_wei;
	account->code_hash = found->code_hash;
	return STATUS_OK;
}

static enum status read_storage(void *context, u256 *value, const addr20 *address, const u256 *slot, struct err *err) {
	const struct differ_run *run = context;
	const struct case_account *found = find_account(run->one, address);
	(void)err;
	*value = u256_from(0);
	for (size_t i = 0; found != NULL && i < found->slot_count; i++)
		if (u256_equal(&found->slots[i].slot, slot)) *value = found->slots[i].value;
	return STATUS_OK;
}

static enum status read_has_storage(void *context, bool *has, const addr20 *address, struct err *err) {
	const struct differ_run *run = context;
	const struct case_account *found = find_account(run->one, address);
	(void)err;
	*has = found != NULL && found->slot_count > 0;
	return STATUS_OK;
}

static enum status read_code(void *context, struct buf *code, const hash32 *code_hash, struct err *err) {
	const struct differ_run *run = context;
	for (size_t i = 0; i < run->one->account_count; i++) {
		if (!hash32_equal(&run->one->accounts[i].code_hash, code_hash)) continue;
		buf_append(code, run->one->accounts[i].code);
		return STATUS_OK;
	}
	return err_set(err, STATUS_NOTFOUND, "no account has this code");
}

/* A block's hash is keccak of its number, as eight bytes. */
static enum status read_block_hash(void *context, hash32 *out, uint64_t number) {
	uint8_t bytes[8];
	(void)context;
	store_be64(bytes, number);
	*out = keccak256(bytes_make(bytes, sizeof bytes));
	return STATUS_OK;
}

/* --- a run --- */

struct differ_run *run_new(void) {
	struct differ_run *run = mem_zalloc(1, sizeof *run);
	run->executor = executor_new();
	run->state = state_new(NULL, &run->err);
	buf_init(&run->result, BUF_MAX_DEFAULT);
	buf_init(&run->remark, BUF_MAX_DEFAULT);
	arena_init(&run->arena);
	return run;
}

void run_free(struct differ_run *run) {
	if (run == NULL) return;
	executor_free(run->executor);
	state_free(run->state);
	buf_fini(&run->result);
	buf_fini(&run->remark);
	arena_fini(&run->arena);
	mem_free(run);
}

struct evm *run_evm(struct differ_run *run) {
	return executor_evm(run->executor);
}

void run_begin(struct differ_run *run, struct differ_case *one) {
	const struct exec_rules rules = {
	    .fork = one->fork, .chain_id = u256_from(one->chain_id), .blob = exec_blob_schedule(one->fork)};
	const struct state_source source = {read_account, read_storage, read_has_storage, read_code, run};
	const struct exec_block_hashes hashes = {.get = read_block_hash};
	run->one = one;
	buf_clear(&run->result);
	buf_clear(&run->remark);
	for (size_t i = 0; i < one->account_count; i++) one->accounts[i].code_hash = keccak256(one->accounts[i].code);
	state_reset(run->state, &source);
	must(run, executor_begin_block(run->executor, run->state, &rules, &one->block, &hashes, &run->err));
}

uint64_t run_nonce(struct differ_run *run, const addr20 *address) {
	uint64_t nonce;
	must(run, state_get_nonce(run->state, &nonce, address));
	return nonce;
}

static void put_logs(struct buf *out, const struct receipt *receipt) {
	put_u16(out, receipt->log_count);
	for (size_t i = 0; i < receipt->log_count; i++) {
		const struct log *log = &receipt->logs[i];
		buf_append(out, BYTES_OF(log->address));
		buf_byte(out, log->topic_count);
		for (size_t k = 0; k < log->topic_count; k++) buf_append(out, BYTES_OF(log->topics[k]));
		put_sized(out, log->data);
	}
}

const struct exec_tx_result *run_transaction(struct differ_run *run, const struct case_transaction *item) {
	enum { REFUSED, SUCCESS, REVERT, HALT };
	struct exec_tx_result *last = &run->last;
	must(run, executor_run(run->executor, last, &item->tx, &item->sender));
	if (last->verdict != TX_VERDICT_OK) {
		buf_byte(&run->result, REFUSED);
		buf_printf(&run->remark, "refused: %s\n", tx_verdict_text(last->verdict));
		return last;
	}
	const bool halts = last->outcome != EVM_SUCCESS && last->outcome != EVM_REVERT;
	buf_byte(&run->result, last->outcome == EVM_SUCCESS ? SUCCESS : halts ? HALT : REVERT);
	put_u64(&run->result, last->gas_used);
	put_sized(&run->result, halts ? (struct bytes){NULL, 0} : last->output);
	put_logs(&run->result, &last->receipt);
	buf_printf(&run->remark, "%s\n", evm_outcome_text(last->outcome));
	return last;
}

/* --- the state after --- */

struct after {
	addr20 address;
	uint64_t nonce;
	u256 balance_wei;
	hash32 code_hash;
	struct case_slot *slots;
	size_t slot_count;
};

static int compare_addresses(const void *a, const void *b) {
	return memcmp(((const struct after *)a)->address.b, ((const struct after *)b)->address.b, sizeof(addr20));
}

static int compare_slots(const void *a, const void *b) {
	const u256 *x = &((const struct case_slot *)a)->slot, *y = &((const struct case_slot *)b)->slot;
	return u256_less(x, y) ? -1 : u256_less(y, x);
}

/* What was there and was not wiped, then what was written, later ones winning. */
static void merge_storage(struct differ_run *run, struct after *after, const struct case_account *before,
    const struct account_change *change) {
	const size_t kept = before != NULL && !(change != NULL && change->storage_wiped) ? before->slot_count : 0;
	const size_t written = change != NULL ? change->storage_count : 0;
	after->slots = arena_alloc(&run->arena, (kept + written) * sizeof *after->slots);
	for (size_t i = 0; i < kept; i++) {
		bool overwritten = false;
		for (size_t k = 0; k < written && !overwritten; k++)
			overwritten = u256_equal(&change->storage[k].slot, &before->slots[i].slot);
		if (!overwritten) after->slots[after->slot_count++] = before->slots[i];
	}
	for (size_t i = 0; i < written; i++) {
		const struct storage_change *item = &change->storage[i];
		if (!u256_is_zero(&item->after))
			after->slots[after->slot_count++] = (struct case_slot){item->slot, item->after};
	}
	qsort(after->slots, after->slot_count, sizeof *after->slots, compare_slots);
}

static const struct account_change *find_change(const struct state_diff *diff, const addr20 *address) {
	for (size_t i = 0; i < diff->count; i++)
		if (addr20_equal(&diff->accounts[i].address, address)) return &diff->accounts[i];
	return NULL;
}

static void put_after(struct buf *out, const struct after *after) {
	buf_append(out, BYTES_OF(after->address));
	put_u64(out, after->nonce);
	put_word(out, &after->balance_wei);
	buf_append(out, BYTES_OF(after->code_hash));
	put_u32(out, after->slot_count);
	for (size_t i = 0; i < after->slot_count; i++) {
		put_word(out, &after->slots[i].slot);
		put_word(out, &after->slots[i].value);
	}
}

void run_end(struct differ_run *run, struct bytes *result, struct bytes *remark) {
	const struct differ_case *one = run->one;
	struct state_diff diff;
	size_t count = 0;
	must(run, state_get_diff(run->state, &diff));
	struct after *all = arena_zalloc(&run->arena, one->account_count + diff.count, sizeof *all);
	for (size_t i = 0; i < one->account_count; i++) { /* what nothing happened to */
		const struct case_account *before = &one->accounts[i];
		if (find_change(&diff, &before->address) != NULL) continue;
		all[count] = (struct after){
		    .address = before->address,
		    .nonce = before->nonce,
		    .balance_wei = before->balance_wei,
		    .code_hash = before->code_hash,
		};
		merge_storage(run, &all[count++], before, NULL);
	}
	for (size_t i = 0; i < diff.count; i++) {
		const struct account_change *change = &diff.accounts[i];
		if (!change->exists) continue;
		all[count] = (struct after){
		    .address = change->address,
		    .nonce = change->after.nonce,
		    .balance_wei = change->after.balance_wei,
		    .code_hash = change->after.code_hash,
		};
		merge_storage(run, &all[count++], find_account(one, &change->address), change);
	}
	qsort(all, count, sizeof *all, compare_addresses);
	put_u32(&run->result, count);
	for (size_t i = 0; i < count; i++) put_after(&run->result, &all[i]);
	arena_reset(&run->arena);
	BUG_ON(run->result.overflow || run->remark.overflow);
	*result = buf_view(&run->result);
	*remark = buf_view(&run->remark);
}
