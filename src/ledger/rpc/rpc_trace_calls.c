/* callTracer: the tree of calls; 4byteTracer: the selectors they carry; noopTracer. */
#include "ledger/rpc/rpc_run.h"
#include "ledger/rpc/rpc_trace.h"
#include "ledger/rpc/rpc_write.h"

struct kept_log {
	struct kept_log *next;
	struct log log;
	uint64_t index;  /* in the transaction */
	size_t position; /* how many calls of this frame came before it */
};

struct frame {
	struct frame *parent, *next, *calls, **calls_end;
	size_t call_count;
	struct kept_log *logs, **logs_end;
	const char *type;
	addr20 from, to;
	bool has_to, has_value, failed;
	u256 value_wei;
	uint64_t gas, gas_used;
	struct bytes input, output;
	const char *error;
	struct bytes reason;  /* of a revert */
	uint64_t logs_before; /* of the transaction, when it began */
};

static const char *const kind_names[] = {[EVM_CALL] = "CALL",
    [EVM_DELEGATECALL] = "DELEGATECALL",
    [EVM_CALLCODE] = "CALLCODE",
    [EVM_STATICCALL] = "STATICCALL",
    [EVM_CREATE] = "CREATE",
    [EVM_CREATE2] = "CREATE2"};

/* --- callTracer --- */

struct calls {
	struct frame *top, *at; /* at: the frame that runs, among those that are kept */
	uint16_t depth;         /* of the one that really runs, from 1 */
	uint64_t log_count;     /* of the transaction so far, without what was undone */
};

static bool is_create(const struct evm_message *message) {
	return message->kind == EVM_CREATE || message->kind == EVM_CREATE2;
}

static struct frame *frame_new(struct trace *trace) {
	struct calls *own = trace->own;
	struct frame *frame = arena_zalloc(trace->call->arena, 1, sizeof *frame);
	frame->calls_end = &frame->calls;
	frame->logs_end = &frame->logs;
	frame->parent = own->at;
	trace->kept_bytes += sizeof *frame;
	if (frame->parent) {
		*frame->parent->calls_end = frame;
		frame->parent->calls_end = &frame->next;
		frame->parent->call_count++;
	} else {
		own->top = frame;
	}
	return frame;
}

static void on_enter(void *context, const struct evm_message *message) {
	struct trace *trace = context;
	struct calls *own = trace->own;
	own->depth++;
	if (trace->options->only_top_call && message->depth > 0) return;
	const bool delegates = message->kind == EVM_DELEGATECALL;
	struct frame *frame = frame_new(trace);
	own->at = frame;
	frame->type = kind_names[message->kind];
	frame->logs_before = own->log_count;
	frame->from = delegates ? message->recipient : message->sender;
	frame->to = is_create(message) ? message->recipient : message->code_address;
	frame->has_to = true;
	frame->has_value = message->kind != EVM_STATICCALL;
	frame->value_wei = message->value_wei;
	frame->gas = message->gas;
	frame->input = trace_keep(trace, message->input);
}

static void on_leave(void *context, const struct evm_message *message, const struct evm_result *result) {
	struct trace *trace = context;
	struct calls *own = trace->own;
	own->depth--;
	if (trace->options->only_top_call && message->depth > 0) return;
	struct frame *frame = own->at;
	own->at = frame->parent;
	frame->gas_used = frame->gas - result->gas_left;
	frame->failed = result->outcome != EVM_SUCCESS;
	if (!frame->failed || result->outcome == EVM_REVERT) frame->output = trace_keep(trace, result->output);
	if (!frame->failed) return;
	own->log_count = frame->logs_before;
	char panic[RPC_PANIC_TEXT_BYTES];
	frame->error = trace_error_text(trace, result->outcome);
	if (is_create(message)) frame->has_to = false;
	if (result->outcome == EVM_REVERT) frame->reason = trace_keep(trace, rpc_revert_reason(result->output, panic));
}

static void on_selfdestruct(void *context, const addr20 *self, const addr20 *heir, const u256 *wei) {
	struct trace *trace = context;
	if (trace->options->only_top_call) return;
	struct frame *frame = frame_new(trace);
	frame->type = "SELFDESTRUCT";
	frame->from = *self;
	frame->to = *heir;
	frame->has_to = frame->has_value = true;
	frame->value_wei = *wei;
}

static void on_log(void *context, const struct log *log) {
	struct trace *trace = context;
	struct calls *own = trace->own;
	const uint64_t index = own->log_count++;
	if (trace->options->only_top_call && own->depth > 1) return;
	struct kept_log *kept = arena_zalloc(trace->call->arena, 1, sizeof *kept);
	kept->log = *log;
	kept->log.data = trace_keep(trace, log->data);
	kept->index = index;
	kept->position = own->at->call_count;
	trace->kept_bytes += sizeof *kept;
	*own->at->logs_end = kept;
	own->at->logs_end = &kept->next;
}

static enum status begin_calls(struct trace *trace) {
	trace->own = arena_zalloc(trace->call->arena, 1, sizeof(struct calls));
	trace->hooks.enter = on_enter;
	trace->hooks.leave = on_leave;
	trace->hooks.selfdestruct = on_selfdestruct;
	if (trace->options->with_log) trace->hooks.log = on_log;
	return STATUS_OK;
}

static void put_logs(struct json_writer *out, const struct frame *frame) {
	json_array_begin(out, "logs");
	for (const struct kept_log *at = frame->logs; at; at = at->next) {
		json_object_begin(out, NULL);
		json_put_hex(out, "address", BYTES_OF(at->log.address));
		json_array_begin(out, "topics");
		for (size_t i = 0; i < at->log.topic_count; i++) json_put_hex(out, NULL, BYTES_OF(at->log.topics[i]));
		json_array_end(out);
		json_put_hex(out, "data", at->log.data);
		json_put_quantity(out, "index", at->index);
		json_put_quantity(out, "position", at->position);
		json_object_end(out);
	}
	json_array_end(out);
}

/* Logs of what was undone are left out, as geth does. */
static void put_members(struct json_writer *out, const struct frame *frame, bool undone) {
	json_put_text(out, "type", frame->type);
	json_put_hex(out, "from", BYTES_OF(frame->from));
	if (frame->has_to) json_put_hex(out, "to", BYTES_OF(frame->to));
	if (frame->has_value) rpc_put_u256(out, "value", &frame->value_wei);
	json_put_quantity(out, "gas", frame->gas);
	json_put_quantity(out, "gasUsed", frame->gas_used);
	json_put_hex(out, "input", frame->input);
	if (frame->output.len) json_put_hex(out, "output", frame->output);
	if (frame->error) json_put_text(out, "error", frame->error);
	if (frame->reason.len) json_put_string(out, "revertReason", frame->reason);
	if (frame->logs && !undone) put_logs(out, frame);
}

/* Down and up by the frames' own links: they may be a thousand deep. */
static void put_tree(const struct calls *own, struct json_writer *out) {
	const struct frame *at = own->top, *undone = NULL; /* the outermost failed frame around `at` */
	json_object_begin(out, NULL);
	for (;;) {
		if (!undone && at->failed) undone = at;
		put_members(out, at, undone != NULL);
		if (at->calls) {
			json_array_begin(out, "calls");
			at = at->calls;
			json_object_begin(out, NULL);
			continue;
		}
		json_object_end(out);
		while (at != own->top && !at->next) {
			if (at == undone) undone = NULL;
			at = at->parent;
			json_array_end(out);
			json_object_end(out);
		}
		if (at == own->top) return;
		if (at == undone) undone = NULL;
		at = at->next;
		json_object_begin(out, NULL);
	}
}

static enum status finish_calls(struct trace *trace, const struct exec_tx_result *result) {
	struct calls *own = trace->own;
	own->top->gas = trace->tx->gas_limit;
	own->top->gas_used = result->gas_used;
	put_tree(own, &trace->call->out);
	return STATUS_OK;
}

const struct tracer trace_calls = {"callTracer", begin_calls, finish_calls};

/* --- 4byteTracer --- */

/* How often a selector came with so many bytes behind it. */
struct selector {
	struct selector *next;
	uint8_t bytes[4];
	size_t rest_bytes;
	uint64_t count;
};

static void on_enter_selector(void *context, const struct evm_message *message) {
	struct trace *trace = context;
	if (is_create(message) || message->input.len < 4) return;
	if (exec_is_precompile(trace->fork, &message->code_address)) return;
	const size_t rest = message->input.len - 4;
	struct selector **at = (struct selector **)&trace->own;
	while (*at && ((*at)->rest_bytes != rest || memcmp((*at)->bytes, message->input.data, 4) != 0))
		at = &(*at)->next;
	if (!*at) {
		struct selector *added = arena_zalloc(trace->call->arena, 1, sizeof *added);
		memcpy(added->bytes, message->input.data, 4);
		added->rest_bytes = rest;
		*at = added;
	}
	(*at)->count++;
}

static enum status begin_4byte(struct trace *trace) {
	trace->own = NULL;
	trace->hooks.enter = on_enter_selector;
	return STATUS_OK;
}

static enum status finish_4byte(struct trace *trace, const struct exec_tx_result *result) {
	struct json_writer *out = &trace->call->out;
	(void)result;
	json_object_begin(out, NULL);
	for (const struct selector *at = trace->own; at; at = at->next) {
		const char *name = arena_printf(trace->call->arena, "0x%02x%02x%02x%02x-%zu", at->bytes[0],
		    at->bytes[1], at->bytes[2], at->bytes[3], at->rest_bytes);
		json_put_u64(out, name, at->count);
	}
	json_object_end(out);
	return STATUS_OK;
}

const struct tracer trace_4byte = {"4byteTracer", begin_4byte, finish_4byte};

/* --- noopTracer --- */

static enum status begin_nothing(struct trace *trace) {
	trace->own = NULL;
	return STATUS_OK;
}

static enum status finish_nothing(struct trace *trace, const struct exec_tx_result *result) {
	(void)result;
	json_object_begin(&trace->call->out, NULL);
	json_object_end(&trace->call->out);
	return STATUS_OK;
}

const struct tracer trace_nothing = {"noopTracer", begin_nothing, finish_nothing};
