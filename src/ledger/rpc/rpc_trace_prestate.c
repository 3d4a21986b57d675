/* prestateTracer: the accounts and slots that a transaction touched, as they were before it; in diffMode, what it
 * changed. */
#include "ledger/rpc/rpc_trace.h"
#include "ledger/rpc/rpc_write.h"

#include "crypto/hash.h"

enum {
	OP_BALANCE = 0x31,
	OP_EXTCODESIZE = 0x3b,
	OP_EXTCODECOPY = 0x3c,
	OP_EXTCODEHASH = 0x3f,
	OP_SLOAD = 0x54,
	OP_SSTORE = 0x55,
	OP_CALL = 0xf1,
	OP_CALLCODE = 0xf2,
	OP_DELEGATECALL = 0xf4,
	OP_STATICCALL = 0xfa,
	OP_SELFDESTRUCT = 0xff
};

struct touched_slot {
	struct touched_slot *next;
	u256 slot, before, after;
};

struct values {
	u256 balance_wei;
	uint64_t nonce;
	struct bytes code;
	hash32 code_hash;
};

struct touched {
	struct touched *next;
	addr20 address;
	struct values before, after;
	struct touched_slot *slots, **slots_end;
	bool was_empty, created, deleted;
	bool is_changed;
};

struct prestate {
	struct touched *accounts, **accounts_end;
};

static enum status read_values(struct trace *trace, struct values *out, const addr20 *address) {
	struct state_code code;
	TRY(state_get_balance(trace->state, &out->balance_wei, address));
	TRY(state_get_nonce(trace->state, &out->nonce, address));
	TRY(state_get_code(trace->state, &code, address));
	out->code = trace_keep(trace, code.bytes);
	out->code_hash = code.bytes.len ? code.hash : empty_code_hash;
	return STATUS_OK;
}

static enum status touch(struct trace *trace, struct touched **out, const addr20 *address) {
	struct prestate *own = trace->own;
	for (*out = own->accounts; *out; *out = (*out)->next)
		if (addr20_equal(&(*out)->address, address)) return STATUS_OK;
	struct touched *added = arena_zalloc(trace->call->arena, 1, sizeof *added);
	added->address = *address;
	added->slots_end = &added->slots;
	TRY(read_values(trace, &added->before, address));
	added->was_empty = added->before.nonce == 0 && u256_is_zero(&added->before.balance_wei) &&
			   hash32_equal(&added->before.code_hash, &empty_code_hash);
	*own->accounts_end = added;
	own->accounts_end = &added->next;
	*out = added;
	return STATUS_OK;
}

static enum status touch_slot(struct trace *trace, const addr20 *address, const u256 *slot) {
	struct touched *account;
	TRY(touch(trace, &account, address));
	if (trace->options->no_slots) return STATUS_OK;
	for (const struct touched_slot *at = account->slots; at; at = at->next)
		if (u256_equal(&at->slot, slot)) return STATUS_OK;
	struct touched_slot *added = arena_zalloc(trace->call->arena, 1, sizeof *added);
	added->slot = *slot;
	TRY(state_get_storage(trace->state, &added->before, address, slot));
	*account->slots_end = added;
	account->slots_end = &added->next;
	return STATUS_OK;
}

static addr20 address_of(const u256 *word) {
	uint8_t big_endian[32];
	addr20 address;
	u256_store_be(big_endian, word);
	memcpy(address.b, big_endian + 12, sizeof address.b);
	return address;
}

/* And whose code it designates (EIP-7702). */
static enum status touch_callee(struct trace *trace, const addr20 *address) {
	static const uint8_t mark[3] = {0xef, 0x01, 0x00};
	struct touched *account;
	struct state_code code;
	addr20 target;
	TRY(touch(trace, &account, address));
	TRY(state_get_code(trace->state, &code, address));
	if (code.bytes.len != 23 || memcmp(code.bytes.data, mark, sizeof mark) != 0) return STATUS_OK;
	memcpy(target.b, code.bytes.data + sizeof mark, sizeof target.b);
	return touch(trace, &account, &target);
}

static enum status touch_step(struct trace *trace, const struct evm_step *step) {
	const size_t depth = step->stack_count;
	const u256 *top = step->stack + depth;
	struct touched *account;
	addr20 address;
	switch (step->opcode) {
	case OP_SLOAD:
	case OP_SSTORE: return depth >= 1 ? touch_slot(trace, &step->message->recipient, &top[-1]) : STATUS_OK;
	case OP_BALANCE:
	case OP_EXTCODESIZE:
	case OP_EXTCODECOPY:
	case OP_EXTCODEHASH:
	case OP_SELFDESTRUCT:
		if (depth < 1) return STATUS_OK;
		address = address_of(&top[-1]);
		return touch(trace, &account, &address);
	case OP_CALL:
	case OP_CALLCODE:
	case OP_DELEGATECALL:
	case OP_STATICCALL:
		if (depth < 5) return STATUS_OK;
		address = address_of(&top[-2]);
		return touch_callee(trace, &address);
	default: return STATUS_OK;
	}
}

static void on_step(void *context, const struct evm_step *step) {
	struct trace *trace = context;
	if (trace->failure == STATUS_OK) trace->failure = touch_step(trace, step);
}

static void on_enter(void *context, const struct evm_message *message) {
	struct trace *trace = context;
	struct touched *account;
	if (message->kind != EVM_CREATE && message->kind != EVM_CREATE2) return;
	if (trace->failure == STATUS_OK) trace->failure = touch(trace, &account, &message->recipient);
	if (trace->failure == STATUS_OK) account->created = true;
}

static void on_selfdestruct(void *context, const addr20 *self, const addr20 *heir, const u256 *wei) {
	struct trace *trace = context;
	struct touched *account;
	(void)heir, (void)wei;
	if (trace->failure == STATUS_OK) trace->failure = touch(trace, &account, self);
	if (trace->failure == STATUS_OK) account->deleted |= trace->fork < FORK_CANCUN || account->created;
}

static enum status begin(struct trace *trace) {
	const struct transaction *tx = trace->tx;
	struct prestate *own = arena_zalloc(trace->call->arena, 1, sizeof *own);
	struct touched *account;
	own->accounts_end = &own->accounts;
	trace->own = own;
	trace->hooks.step = on_step;
	trace->hooks.enter = on_enter;
	trace->hooks.selfdestruct = on_selfdestruct;
	TRY(touch(trace, &account, &trace->from));
	if (!tx->is_create) TRY(touch_callee(trace, &tx->to));
	TRY(touch(trace, &account, &trace->coinbase));
	for (size_t i = 0; i < tx->authorization_count; i++) {
		addr20 authority;
		if (authorization_authority(&authority, &tx->authorizations[i]) == STATUS_OK)
			TRY(touch(trace, &account, &authority));
	}
	return STATUS_OK;
}

/* --- writing --- */

static bool has_code(const struct values *values) {
	return !hash32_equal(&values->code_hash, &empty_code_hash);
}

static void put_account(const struct trace *trace, struct json_writer *out, const struct touched *account) {
	const struct values *values = &account->before;
	rpc_put_u256(out, "balance", &values->balance_wei);
	if (has_code(values) && !trace->options->no_code) json_put_hex(out, "code", values->code);
	if (has_code(values)) json_put_hex(out, "codeHash", BYTES_OF(values->code_hash));
	if (values->nonce) json_put_u64(out, "nonce", values->nonce);
}

static void put_slot(struct json_writer *out, const struct touched_slot *slot, const u256 *value) {
	uint8_t key[32];
	char name[67];
	u256_store_be(key, &slot->slot);
	rpc_hex_name(name, bytes_make(key, sizeof key));
	rpc_put_word(out, name, value);
}

/* Slots that `shows` picks, as a member, if there are any. */
typedef bool slot_filter(const struct touched_slot *slot);
static void put_slots(struct json_writer *out, const struct touched *account, slot_filter *shows, bool after) {
	bool any = false;
	for (const struct touched_slot *at = account->slots; at; at = at->next) {
		if (!shows(at)) continue;
		if (!any) json_object_begin(out, "storage");
		any = true;
		put_slot(out, at, after ? &at->after : &at->before);
	}
	if (any) json_object_end(out);
}

static bool every_slot(const struct touched_slot *slot) {
	(void)slot;
	return true;
}

static bool had_other_value(const struct touched_slot *slot) {
	return !u256_is_zero(&slot->before) && !u256_equal(&slot->before, &slot->after);
}

static bool has_new_value(const struct touched_slot *slot) {
	return !u256_is_zero(&slot->after) && !u256_equal(&slot->before, &slot->after);
}

static bool had_value(const struct touched_slot *slot) {
	return !u256_is_zero(&slot->before);
}

static enum status read_after(struct trace *trace, struct touched *account) {
	const struct values *before = &account->before, *after = &account->after;
	TRY(read_values(trace, &account->after, &account->address));
	bool changed = !u256_equal(&before->balance_wei, &after->balance_wei) || before->nonce != after->nonce ||
		       !hash32_equal(&before->code_hash, &after->code_hash);
	for (struct touched_slot *at = account->slots; at; at = at->next) {
		TRY(state_get_storage(trace->state, &at->after, &account->address, &at->slot));
		changed |= !u256_equal(&at->before, &at->after);
	}
	account->is_changed = changed || account->deleted;
	return STATUS_OK;
}

static void put_after(const struct trace *trace, struct json_writer *out, const struct touched *account) {
	const struct values *before = &account->before, *after = &account->after;
	if (!u256_equal(&before->balance_wei, &after->balance_wei)) rpc_put_u256(out, "balance", &after->balance_wei);
	if (!hash32_equal(&before->code_hash, &after->code_hash)) {
		if (!trace->options->no_code) json_put_hex(out, "code", after->code);
		json_put_hex(out, "codeHash", BYTES_OF(after->code_hash));
	}
	if (before->nonce != after->nonce && after->nonce) json_put_u64(out, "nonce", after->nonce);
	put_slots(out, account, has_new_value, true);
}

static void account_begin(struct json_writer *out, const struct touched *account) {
	char name[67];
	rpc_hex_name(name, BYTES_OF(account->address));
	json_object_begin(out, name);
}

static enum status finish_diff(struct trace *trace) {
	struct prestate *own = trace->own;
	struct json_writer *out = &trace->call->out;
	for (struct touched *at = own->accounts; at; at = at->next) TRY(read_after(trace, at));
	json_object_begin(out, NULL);
	json_object_begin(out, "post");
	for (const struct touched *at = own->accounts; at; at = at->next) {
		if (!at->is_changed || at->deleted) continue;
		account_begin(out, at);
		put_after(trace, out, at);
		json_object_end(out);
	}
	json_object_end(out);
	json_object_begin(out, "pre");
	for (const struct touched *at = own->accounts; at; at = at->next) {
		if (!at->is_changed || (at->was_empty && !trace->options->with_empty)) continue;
		account_begin(out, at);
		put_account(trace, out, at);
		put_slots(out, at, at->deleted ? had_value : had_other_value, false);
		json_object_end(out);
	}
	json_object_end(out);
	json_object_end(out);
	return STATUS_OK;
}

static enum status finish(struct trace *trace, const struct exec_tx_result *result) {
	const struct prestate *own = trace->own;
	struct json_writer *out = &trace->call->out;
	(void)result;
	if (trace->options->diff_mode) return finish_diff(trace);
	json_object_begin(out, NULL);
	for (const struct touched *at = own->accounts; at; at = at->next) {
		if (at->was_empty && !trace->options->with_empty) continue;
		account_begin(out, at);
		put_account(trace, out, at);
		put_slots(out, at, every_slot, false);
		json_object_end(out);
	}
	json_object_end(out);
	return STATUS_OK;
}

const struct tracer trace_prestate = {"prestateTracer", begin, finish};
