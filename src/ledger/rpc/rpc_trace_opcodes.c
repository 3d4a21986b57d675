/* The tracer without a name: every step, with stack, memory and storage (EIP-3155 in geth's shape). Written as it runs.
 */
#include "ledger/evm/opcodes.h"
#include "ledger/rpc/rpc_trace.h"
#include "ledger/rpc/rpc_write.h"

/* All slots that were read or written so far. */
struct seen_slot {
	struct seen_slot *next;
	addr20 address;
	u256 slot, value;
};

struct opcodes {
	struct seen_slot *slots, **slots_end;
	uint64_t step_count;
	bool is_open; /* a step waits for its end */
	uint8_t opcode;
	addr20 self;
	bool reads, writes;
	u256 slot, value; /* of the storage instruction; value where it writes */
};

static void note_slot(struct trace *trace, const addr20 *address, const u256 *slot, const u256 *value) {
	struct opcodes *own = trace->own;
	struct seen_slot *at = own->slots;
	while (at && !(addr20_equal(&at->address, address) && u256_equal(&at->slot, slot))) at = at->next;
	if (!at) {
		at = arena_zalloc(trace->call->arena, 1, sizeof *at);
		at->address = *address;
		at->slot = *slot;
		*own->slots_end = at;
		own->slots_end = &at->next;
	}
	at->value = *value;
}

static void put_storage(struct trace *trace) {
	const struct opcodes *own = trace->own;
	struct json_writer *out = &trace->call->out;
	json_object_begin(out, "storage");
	for (const struct seen_slot *at = own->slots; at; at = at->next) {
		uint8_t slot[32];
		char name[67];
		if (!addr20_equal(&at->address, &own->self)) continue;
		u256_store_be(slot, &at->slot);
		rpc_hex_name(name, bytes_make(slot, sizeof slot));
		rpc_put_word(out, name, &at->value);
	}
	json_object_end(out);
}

static void put_memory(struct json_writer *out, struct bytes memory) {
	json_array_begin(out, "memory");
	for (size_t at = 0; at < memory.len; at += 32) json_put_hex(out, NULL, bytes_slice(memory, at, 32));
	json_array_end(out);
}

static void on_step(void *context, const struct evm_step *step) {
	struct trace *trace = context;
	struct opcodes *own = trace->own;
	const struct trace_options *options = trace->options;
	struct json_writer *out = &trace->call->out;
	own->is_open = !out->out->overflow && (options->limit == 0 || own->step_count < options->limit);
	if (!own->is_open) return;
	own->step_count++;
	own->opcode = step->opcode;
	json_object_begin(out, NULL);
	json_put_u64(out, "pc", step->pc);
	json_put_text(out, "op", trace_opcode_name(trace, step->opcode));
	json_put_u64(out, "gas", step->gas);
	json_put_u64(out, "depth", step->depth + 1u);
	if (!options->no_stack) {
		json_array_begin(out, "stack");
		for (size_t i = 0; i < step->stack_count; i++) rpc_put_u256(out, NULL, &step->stack[i]);
		json_array_end(out);
	}
	if (options->with_memory && step->memory.len) put_memory(out, step->memory);
	if (options->with_return_data && step->return_data.len) json_put_hex(out, "returnData", step->return_data);
	const u256 *top = step->stack + step->stack_count;
	own->reads = !options->no_storage && step->opcode == OP_SLOAD && step->stack_count >= 1;
	own->writes = !options->no_storage && step->opcode == OP_SSTORE && step->stack_count >= 2;
	if (own->reads || own->writes) own->slot = top[-1];
	if (own->writes) own->value = top[-2];
	own->self = step->message->recipient;
}

static bool is_of_stack(enum evm_outcome outcome) {
	return outcome == EVM_STACK_UNDERFLOW || outcome == EVM_STACK_OVERFLOW;
}

/* As geth, whose steps are written before their instructions run: what an instruction itself finds wrong comes after.
 * geth says "out of gas" of all that it finds while it reckons the price. */
static void put_error(struct trace *trace, enum evm_outcome outcome) {
	const char *text = trace_error_text(trace, outcome);
	if (is_of_stack(outcome) || outcome == EVM_GAS_OVERFLOW || strncmp(text, "out of gas", 10) == 0)
		json_put_text(&trace->call->out, "error", text);
}

/* What the instruction asks for: a stack that is wrong is found before anything is charged. */
static uint64_t asked_gas(const struct opcodes *own, const struct evm_step_end *end) {
	return is_of_stack(end->outcome) ? opcode_table[own->opcode].gas : end->cost_gas;
}

static void on_step_end(void *context, const struct evm_step_end *end) {
	struct trace *trace = context;
	struct opcodes *own = trace->own;
	struct json_writer *out = &trace->call->out;
	if (!own->is_open) return;
	json_put_u64(out, "gasCost", asked_gas(own, end));
	if (end->outcome > EVM_REVERT) put_error(trace, end->outcome);
	const bool ran = !end->is_over && end->stack_count + own->writes > 0;
	if (own->writes && !end->is_over) note_slot(trace, &own->self, &own->slot, &own->value);
	if (own->reads && ran) note_slot(trace, &own->self, &own->slot, &end->stack[end->stack_count - 1]);
	if ((own->writes || own->reads) && !end->is_over) put_storage(trace);
	if (end->refund_gas > 0) json_put_u64(out, "refund", (uint64_t)end->refund_gas);
	json_object_end(out);
}

/* The answer's object starts before the run: its members' order is free. */
static enum status begin(struct trace *trace) {
	struct opcodes *own = arena_zalloc(trace->call->arena, 1, sizeof *own);
	own->slots_end = &own->slots;
	trace->own = own;
	trace->hooks.step = on_step;
	trace->hooks.step_end = on_step_end;
	json_object_begin(&trace->call->out, NULL);
	json_array_begin(&trace->call->out, "structLogs");
	return STATUS_OK;
}

static enum status finish(struct trace *trace, const struct exec_tx_result *result) {
	struct json_writer *out = &trace->call->out;
	const bool has_output = result->outcome == EVM_SUCCESS || result->outcome == EVM_REVERT;
	json_array_end(out);
	json_put_u64(out, "gas", result->gas_used);
	json_put_bool(out, "failed", result->outcome != EVM_SUCCESS);
	json_put_hex(out, "returnValue", has_output ? result->output : (struct bytes){NULL, 0});
	json_object_end(out);
	return STATUS_OK;
}

const struct tracer trace_opcodes = {"", begin, finish};
