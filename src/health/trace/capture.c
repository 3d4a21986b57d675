/* Gathering a capture's operations, and reading what became of them. */
#include "health/trace/capture.h"

#include "crypto/hash.h"
#include "eth/abi.h"

bool capture_add(struct capture *capture, struct bytes operation) {
	/* In the calldata: where it begins, its length, and its bytes up to a whole word. */
	size_t bytes = 64 + (operation.len + 31) / 32 * 32;
	if (capture->count == CAPTURE_OPERATIONS_MAX || capture->bytes + bytes > CAPTURE_BYTES_MAX) return false;
	capture->operations[capture->count++] = operation;
	capture->bytes += bytes;
	return true;
}

hash32 capture_id(const addr20 *sender, const struct capture *capture) {
	const hash32 words[3] = {abi_topic_of_address(sender), capture->document, abi_topic_of_u64(capture->part)};
	return keccak256(bytes_make(words, sizeof words));
}

/* All that the document does is to dispense one unit: there is a cheaper call for that. */
static bool is_one_dispense(struct medicines_unit *out, struct arena *arena, const struct capture *capture) {
	struct medicines_dispense_args args;
	struct err not_one;
	if (!capture->is_whole || capture->count != 1) return false;
	if (medicines_dispense_call_read(&args, arena, capture->operations[0], &not_one) != STATUS_OK) return false;
	if (args.units_count == 1) *out = args.units[0];
	return args.units_count == 1;
}

struct bytes capture_call(struct actor_request *request, const struct capture *capture) {
	const struct medicines_capture_args args = {.document_hash = capture->document,
	    .events_root = capture->events_root,
	    .part = capture->part,
	    .operations = capture->operations,
	    .operations_count = capture->count};
	struct medicines_unit one;
	if (is_one_dispense(&one, request->arena, capture))
		return medicines_dispense_loose_call(request->arena, &capture->document, &one.batch, one.index);
	return medicines_capture_call(request->arena, &args);
}

/* Logs of other contracts, and events that no capture needs, are passed over; a log of ours that makes no sense is the
 * node's fault. */
static enum status read_log(
    struct capture_result *out, const addr20 *contract, struct arena *arena, const struct log *log, struct err *err) {
	struct medicines_event event;
	if (!addr20_equal(&log->address, contract)) return STATUS_OK;
	TRY(medicines_event_read(&event, arena, log, err));
	if (event.kind == MEDICINES_EVENT_CAPTURED) {
		out->id = event.captured.capture_id;
		out->code = event.captured.code;
	}
	if (event.kind == MEDICINES_EVENT_CAPTURE_REPEATED) {
		out->id = event.capture_repeated.capture_id;
		out->repeated = true;
	}
	if (event.kind == MEDICINES_EVENT_COMMISSIONED)
		out->commissioned[out->commissioned_count++] = event.commissioned;
	if (event.kind == MEDICINES_EVENT_ALERT)
		out->alerts[out->alert_count++] = (struct medicines_alert){
		    .event = event.alert, .block_number = out->receipt.block_number, .tx_hash = out->receipt.tx_hash};
	return STATUS_OK;
}

static enum status read_result(
    struct actor_request *request, struct capture_result *out, const struct outbox_result *result, struct err *err) {
	if (result->end != OUTBOX_DONE) return medicines_refusal(&result->verdict, err);
	*out = (struct capture_result){.receipt = result->receipt, .code = MEDICINES_CODE_OK};
	out->commissioned = arena_zalloc(request->arena, out->receipt.log_count + 1, sizeof *out->commissioned);
	out->alerts = arena_zalloc(request->arena, out->receipt.log_count + 1, sizeof *out->alerts);
	for (size_t i = 0; i < out->receipt.log_count; i++)
		TRY(read_log(out, &request->home->deployment.medicines, request->arena, &out->receipt.logs[i], err));
	return STATUS_OK;
}

enum status capture_send(struct actor_request *request, struct capture_result *out, size_t *ended,
    const struct capture_entry *const *captures, size_t count, struct err *err) {
	struct outbox_result results[OUTBOX_SENT_MAX];
	struct outbox_entry entries[OUTBOX_SENT_MAX];
	for (size_t i = 0; i < count; i++)
		entries[i] = (struct outbox_entry){.to = &request->home->deployment.medicines,
		    .data = capture_call(request, &captures[i]->capture),
		    .gas_limit = captures[i]->gas_limit};
	*ended = 0;
	const enum status status = request_send_all(request, results, entries, count, err);
	while (*ended < count && results[*ended].end != OUTBOX_KEPT && results[*ended].end != OUTBOX_UNPROVED) {
		TRY(read_result(request, &out[*ended], &results[*ended], err));
		if (hash32_is_zero(&out[*ended].id)) /* one unit alone: there was no capture */
			out[*ended].id = capture_id(&request->home->account, &captures[*ended]->capture);
		++*ended;
	}
	return status;
}
