/* Gathering a capture's operations, and reading what became of them. */
#include "health/trace/capture.h"

enum status capture_add(struct capture *capture, struct bytes operation, struct err *err) {
	/* In the calldata: where it begins, its length, and its bytes up to a whole word. */
	size_t bytes = 64 + (operation.len + 31) / 32 * 32;
	if (capture->count == CAPTURE_OPERATIONS_MAX)
		return err_set(err, STATUS_LIMIT,
		    "this document needs more than %u operations, which is the most of a transaction: divide it",
		    CAPTURE_OPERATIONS_MAX);
	if (capture->bytes + bytes > CAPTURE_BYTES_MAX)
		return err_set(err, STATUS_LIMIT,
		    "this document names more packs than a transaction takes: divide it so that each names at most %u",
		    CAPTURE_NAMED_MAX);
	capture->operations[capture->count++] = operation;
	capture->bytes += bytes;
	return STATUS_OK;
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
	if (event.kind == MEDICINES_EVENT_ALERT)
		out->alerts[out->alert_count++] = (struct medicines_alert){
		    .event = event.alert, .block_number = out->receipt.block_number, .tx_hash = out->receipt.tx_hash};
	return STATUS_OK;
}

enum status capture_send(
    struct actor_request *request, struct capture_result *out, const struct capture *capture, struct err *err) {
	const struct medicines_capture_args args = {.document_hash = capture->document,
	    .events_root = capture->events_root,
	    .part = capture->part,
	    .operations = capture->operations,
	    .operations_count = capture->count};
	*out = (struct capture_result){.code = MEDICINES_CODE_OK};
	TRY(medicines_send(request, &out->receipt, medicines_capture_call(request->arena, &args), err));
	out->alerts = arena_zalloc(request->arena, out->receipt.log_count + 1, sizeof *out->alerts);
	for (size_t i = 0; i < out->receipt.log_count; i++)
		TRY(read_log(out, &request->home->deployment.medicines, request->arena, &out->receipt.logs[i], err));
	return STATUS_OK;
}
