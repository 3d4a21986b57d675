#include "health/trace/dispensed.h"

/* The newest of the unit's changes that this account made a dispense by. */
static enum status find_change(
    struct actor_request *request, struct client_log *out, const struct medicines_unit *unit, struct err *err) {
	const struct contract_topics topics =
	    medicines_unit_changed_event_topics(&unit->batch, &unit->index, &request->home->account);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(request, &logs, &count, &request->home->deployment.medicines, 0, &topics, err));
	while (count-- > 0) {
		struct medicines_unit_changed_event event;
		TRY(medicines_unit_changed_event_read(&event, &logs[count].log, err));
		if (event.state != MEDICINES_STATE_DISPENSED) continue;
		*out = logs[count];
		return STATUS_OK;
	}
	return err_set(err, STATUS_NOTFOUND, "this account never dispensed unit %u of the lot", unit->index);
}

/* All that the account dispensed in that transaction, in order. */
static enum status read_units(
    struct actor_request *request, struct dispensed *out, const struct client_log *change, struct err *err) {
	const struct contract_topics topics = medicines_unit_changed_event_topics(NULL, NULL, &request->home->account);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(
	    request, &logs, &count, &request->home->deployment.medicines, change->block_number, &topics, err));
	struct medicines_unit *units = arena_alloc(request->arena, (count + 1) * sizeof *units);
	for (size_t i = 0; i < count; i++) {
		struct medicines_unit_changed_event event;
		if (!hash32_equal(&logs[i].tx_hash, &change->tx_hash)) continue;
		TRY(medicines_unit_changed_event_read(&event, &logs[i].log, err));
		if (event.state == MEDICINES_STATE_DISPENSED)
			units[out->count++] = (struct medicines_unit){event.batch, event.index};
	}
	out->units = units;
	return STATUS_OK;
}

static enum status read_capture(
    struct actor_request *request, struct dispensed *out, const struct client_log *change, struct err *err) {
	const struct contract_topics topics = medicines_captured_event_topics(NULL, &request->home->account, NULL);
	struct client_log *logs;
	size_t count;
	TRY(request_logs(
	    request, &logs, &count, &request->home->deployment.medicines, change->block_number, &topics, err));
	for (size_t i = 0; i < count; i++) {
		struct medicines_captured_event event;
		if (!hash32_equal(&logs[i].tx_hash, &change->tx_hash)) continue;
		TRY(medicines_captured_event_read(&event, &logs[i].log, err));
		out->document = event.document_hash;
		out->part = event.part;
		return STATUS_OK;
	}
	return err_set(err, STATUS_CORRUPT, "the node shows a dispense without its capture");
}

enum status dispensed_find(
    struct actor_request *request, struct dispensed *out, const struct medicines_unit *unit, struct err *err) {
	struct client_log change;
	*out = (struct dispensed){.count = 0};
	TRY(find_change(request, &change, unit, err));
	out->tx_hash = change.tx_hash;
	TRY(read_units(request, out, &change, err));
	TRY(read_capture(request, out, &change, err));
	if (dispensed_place(out, unit) < out->count) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "the node shows a dispense of a pack and a capture without it");
}

size_t dispensed_place(const struct dispensed *dispensed, const struct medicines_unit *unit) {
	size_t at = 0;
	while (at < dispensed->count &&
	       !(hash32_equal(&dispensed->units[at].batch, &unit->batch) && dispensed->units[at].index == unit->index))
		at++;
	return at;
}
