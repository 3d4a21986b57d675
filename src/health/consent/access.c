/* Asking for a window, and the log of all who asked. */
#include "health/consent/access.h"

#include "health/consent/consent_private.h"

void access_event_of(struct access_event *out, const struct consent_access_event *event) {
	*out = (struct access_event){.folder = event->folder,
	    .record = event->record,
	    .actor = event->actor,
	    .purpose = event->purpose,
	    .permitted = event->permitted,
	    .reason = (uint8_t)event->reason,
	    .until = event->until};
}

/* The decision that a receipt holds. STATUS_NOTFOUND: it holds none. */
static enum status decision(
    struct actor_request *request, struct access_event *out, const struct client_receipt *receipt, struct err *err) {
	for (size_t i = 0; i < receipt->log_count; i++) {
		const struct log *log = &receipt->logs[i];
		struct consent_event event;
		if (!addr20_equal(&log->address, &request->home->deployment.consent)) continue;
		TRY(consent_event_read(&event, request->arena, log, err));
		if (event.kind != CONSENT_EVENT_ACCESS) continue;
		access_event_of(out, &event.access);
		out->block_number = receipt->block_number;
		out->tx_hash = receipt->tx_hash;
		return STATUS_OK;
	}
	return STATUS_NOTFOUND;
}

/* A look inside a window that is open already is no event: the window is the answer. */
static enum status open_window(struct actor_request *request, struct access_event *out, struct bytes call,
    const struct client_receipt *receipt, struct err *err) {
	const addr20 *consent = &request->home->deployment.consent;
	struct bytes output;
	struct consent_access_result decided;
	struct consent_window window;
	TRY(request_call(request, &output, consent, call, err));
	TRY(consent_access_read(&decided, output, err));
	struct bytes asked = consent_window_of_call(request->arena, &out->actor, &out->folder, &out->record);
	TRY(request_call(request, &output, consent, asked, err));
	TRY(consent_window_of_read(&window, output, err));
	out->permitted = decided.permitted;
	out->reason = (uint8_t)decided.reason;
	out->until = window.until;
	out->block_number = receipt->block_number;
	out->tx_hash = receipt->tx_hash;
	return STATUS_OK;
}

enum status access_ask(struct actor_request *request, struct access_event *out, const hash32 *folder,
    const hash32 *record, enum purpose purpose, struct err *err) {
	struct client_receipt receipt;
	struct bytes call = consent_access_call(request->arena, folder, record, (uint8_t)purpose);
	TRY(request_transact(request, &receipt, &request->home->deployment.consent, call, err));
	enum status status = decision(request, out, &receipt, err);
	if (status != STATUS_NOTFOUND) return status;
	*out = (struct access_event){
	    .folder = *folder, .record = *record, .actor = request->home->account, .purpose = (uint8_t)purpose};
	return open_window(request, out, call, &receipt, err);
}

enum status access_log(
    struct actor_request *request, struct access_event **out, size_t *count, const hash32 *folder, struct err *err) {
	struct client_log *logs;
	size_t found;
	struct contract_topics topics = consent_access_event_topics(folder, NULL, NULL);
	TRY(request_logs(request, &logs, &found, &request->home->deployment.consent, 0, &topics, err));
	*out = arena_zalloc(request->arena, found, sizeof **out);
	*count = 0;
	for (size_t i = 0; i < found; i++) {
		struct access_event *event = &(*out)[*count];
		struct consent_access_event read;
		TRY(consent_access_event_read(&read, &logs[i].log, err));
		access_event_of(event, &read);
		event->block_number = logs[i].block_number;
		event->timestamp = logs[i].timestamp;
		event->tx_hash = logs[i].tx_hash;
		(*count)++;
	}
	return STATUS_OK;
}
