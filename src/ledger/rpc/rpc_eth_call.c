/* eth_call, eth_estimateGas, eth_createAccessList. */
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_run.h"
#include "ledger/rpc/rpc_write.h"

enum status rpc_eth_call(struct rpc_call *call) {
	struct rpc_run run;
	struct exec_tx_result result;
	TRY(rpc_run_open(call, &run));
	enum status status = rpc_run_once(call, &result, &run.args.tx, &run.args.from);
	if (status == STATUS_OK && (result.verdict != TX_VERDICT_OK || result.outcome != EVM_SUCCESS))
		status = rpc_fail_run(call, &result, &run);
	if (status == STATUS_OK) json_put_hex(&call->out, NULL, result.output);
	rpc_run_close(&run);
	return status;
}

enum status rpc_eth_estimate_gas(struct rpc_call *call) {
	struct rpc_run run;
	uint64_t gas = 0;
	TRY(rpc_run_open_to_send(call, &run));
	enum status status = rpc_estimate(call, &gas, &run);
	rpc_run_close(&run);
	if (status == STATUS_OK) json_put_quantity(&call->out, NULL, gas);
	return status;
}

/* --- access lists --- */

struct touched_slot {
	u256 slot;
	struct touched_slot *next;
};
struct touched {
	addr20 address;
	struct touched_slot *slots, **slots_end;
	size_t slot_count;
	struct touched *next;
};
/* What one run touched, in the order of first touch. Steps pay 100 gas and more, which bounds the walk along the lists.
 */
struct touches {
	struct arena *arena;
	struct touched *first, **end;
	size_t count, slot_count;
	bool over;
	addr20 without[2]; /* sender and recipient are warm anyway */
	enum fork fork;
};
#define TOUCHES_MAX 2048u

static struct touched *touch(struct touches *touches, const addr20 *address) {
	for (struct touched *at = touches->first; at; at = at->next)
		if (addr20_equal(&at->address, address)) return at;
	if (touches->count + touches->slot_count >= TOUCHES_MAX) {
		touches->over = true;
		return NULL;
	}
	struct touched *added = arena_zalloc(touches->arena, 1, sizeof *added);
	added->address = *address;
	added->slots_end = &added->slots;
	*touches->end = added;
	touches->end = &added->next;
	touches->count++;
	return added;
}

static void touch_slot(struct touches *touches, const addr20 *address, const u256 *slot) {
	struct touched *account = touch(touches, address);
	if (!account) return;
	for (struct touched_slot *at = account->slots; at; at = at->next)
		if (u256_equal(&at->slot, slot)) return;
	if (touches->count + touches->slot_count >= TOUCHES_MAX) {
		touches->over = true;
		return;
	}
	struct touched_slot *added = arena_zalloc(touches->arena, 1, sizeof *added);
	added->slot = *slot;
	*account->slots_end = added;
	account->slots_end = &added->next;
	account->slot_count++;
	touches->slot_count++;
}

static void touch_account(struct touches *touches, const u256 *word) {
	uint8_t big_endian[32];
	addr20 address;
	u256_store_be(big_endian, word);
	memcpy(address.b, big_endian + 12, 20);
	for (size_t i = 0; i < 2; i++)
		if (addr20_equal(&address, &touches->without[i])) return;
	if (!exec_is_precompile(touches->fork, &address)) touch(touches, &address);
}

static void on_step(void *context, const struct evm_step *step) {
	enum {
		BALANCE = 0x31,
		EXTCODESIZE = 0x3b,
		EXTCODECOPY = 0x3c,
		EXTCODEHASH = 0x3f,
		SLOAD = 0x54,
		SSTORE = 0x55
	};
	enum { CALL = 0xf1, CALLCODE = 0xf2, DELEGATECALL = 0xf4, STATICCALL = 0xfa, SELFDESTRUCT = 0xff };
	struct touches *touches = context;
	const size_t depth = step->stack_count;
	switch (step->opcode) {
	case SLOAD:
	case SSTORE:
		if (depth >= 1) touch_slot(touches, &step->message->recipient, &step->stack[depth - 1]);
		break;
	case BALANCE:
	case EXTCODESIZE:
	case EXTCODECOPY:
	case EXTCODEHASH:
	case SELFDESTRUCT:
		if (depth >= 1) touch_account(touches, &step->stack[depth - 1]);
		break;
	case CALL:
	case CALLCODE:
	case DELEGATECALL:
	case STATICCALL:
		if (depth >= 5) touch_account(touches, &step->stack[depth - 2]);
		break;
	default: break;
	}
}

/* The touches as a transaction carries them. */
static const struct access_entry *entries_of(const struct touches *touches) {
	struct access_entry *entries = arena_zalloc(touches->arena, touches->count, sizeof *entries);
	size_t i = 0;
	for (const struct touched *at = touches->first; at; at = at->next, i++) {
		hash32 *slots = arena_alloc(touches->arena, at->slot_count * sizeof *slots);
		size_t k = 0;
		for (const struct touched_slot *slot = at->slots; slot; slot = slot->next)
			u256_store_be(slots[k++].b, &slot->slot);
		entries[i] = (struct access_entry){at->address, slots, at->slot_count};
	}
	return entries;
}

static enum status run_traced(
    struct rpc_call *call, struct exec_tx_result *result, struct touches *touches, const struct rpc_run *run) {
	struct evm *evm = executor_evm(call->worker->executor);
	*touches = (struct touches){.arena = call->arena,
	    .end = &touches->first,
	    .without = {run->args.from, run->args.tx.to},
	    .fork = run->rules.fork};
	for (size_t i = 0; i < run->args.tx.access_count; i++) {
		const struct access_entry *entry = &run->args.tx.access_list[i];
		touch(touches, &entry->address);
		for (size_t k = 0; k < entry->slot_count; k++) {
			const u256 slot = u256_load_be(entry->slots[k].b);
			touch_slot(touches, &entry->address, &slot);
		}
	}
	evm_set_tracer(evm, &(struct evm_tracer){.step = on_step, .context = touches});
	enum status status = rpc_run_once(call, result, &run->args.tx, &run->args.from);
	evm_set_tracer(evm, NULL);
	return status;
}

/* Runs with the list that the last run gave until it grows no more: warm slots change what a contract does with its
 * gas. */
static enum status settle_list(
    struct rpc_call *call, struct exec_tx_result *result, struct touches *touches, struct rpc_run *run) {
	for (size_t before = SIZE_MAX;;) {
		TRY(run_traced(call, result, touches, run));
		if (result->verdict != TX_VERDICT_OK) return rpc_fail_run(call, result, run);
		if (touches->over) return rpc_fail(call, RPC_SERVER_ERROR, "access list over %u entries", TOUCHES_MAX);
		const size_t size = touches->count + touches->slot_count;
		if (size == before) return STATUS_OK;
		before = size;
		run->args.tx.access_list = entries_of(touches);
		run->args.tx.access_count = touches->count;
		if (run->args.tx.type == TX_LEGACY) run->args.tx.type = TX_ACCESS_LIST;
	}
}

enum status rpc_eth_create_access_list(struct rpc_call *call) {
	struct rpc_run run;
	struct exec_tx_result result;
	struct touches touches;
	struct json_writer *out = &call->out;
	TRY(rpc_run_open_to_send(call, &run));
	enum status status = settle_list(call, &result, &touches, &run);
	const char *failure = status == STATUS_OK ? rpc_fault_text(call, run.rules.fork, result.outcome) : NULL;
	rpc_run_close(&run);
	TRY(status);
	json_object_begin(out, NULL);
	rpc_write_access_list(out, "accessList", run.args.tx.access_list, run.args.tx.access_count);
	if (result.outcome != EVM_SUCCESS) json_put_text(out, "error", failure);
	json_put_quantity(out, "gasUsed", result.gas_used);
	json_object_end(out);
	return STATUS_OK;
}
