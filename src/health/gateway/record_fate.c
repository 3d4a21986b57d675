#include "health/gateway/record_fate.h"

#include "base/log.h"
#include "health/records/record.h"

/*
 * The outbox is asked before the chain: what leaves the one for the other in between is then found on the chain. What
 * is in none of the two, and was not refused, was never accepted.
 */
enum status record_fate_find(struct gateway *gateway, struct actor_request *request, struct record_fate *out,
    const hash32 *record, struct err *err) {
	struct record_registration registration;
	bool waits = outbox_has(gateway->outbox, record);
	request->verified.has_head = false; /* nor is the chain looked at as it was before */
	enum status status = record_find(request, &registration, record, err);
	*out = (struct record_fate){.state = RECORD_FATE_REGISTERED};
	if (status != STATUS_NOTFOUND) return status;
	status = outcome_refusal_read(gateway->files, &out->refused_with, record, err);
	out->state = status == STATUS_OK ? RECORD_FATE_REFUSED : waits ? RECORD_FATE_WAITS : RECORD_FATE_ABSENT;
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

void record_fate_note_refusal(
    void *witness, const hash32 *names, size_t name_count, const struct client_verdict *verdict) {
	struct gateway *gateway = witness;
	const struct home *home = actor_home(gateway->options.actor);
	struct err err;
	for (size_t i = 0; i < name_count; i++) {
		if (outcome_refusal_write(gateway->files, &names[i], verdict->refusal.error, &err) != STATUS_OK)
			log_warn("gateway", "that a record was refused could not be kept: %s", err.message);
		record_drop_refused(home, &names[i]);
	}
}
