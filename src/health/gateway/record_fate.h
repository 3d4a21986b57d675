/*
 * What became of a record that was handed to the outbox, also by an earlier run. Inside health/gateway. Threads: as the
 * request.
 */
#ifndef HEALTH_GATEWAY_RECORD_FATE_H
#define HEALTH_GATEWAY_RECORD_FATE_H

#include "health/gateway/gateway_private.h"

enum record_fate_state {
	RECORD_FATE_ABSENT, /* never accepted, or forgotten */
	RECORD_FATE_WAITS,  /* accepted, and in no block yet */
	RECORD_FATE_REGISTERED,
	RECORD_FATE_REFUSED, /* after it was accepted */
};
struct record_fate {
	enum record_fate_state state;
	enum contract_error refused_with; /* of RECORD_FATE_REFUSED */
};
MUST_USE enum status record_fate_find(struct gateway *gateway, struct actor_request *request, struct record_fate *out,
    const hash32 *record, struct err *err);

/* An outbox_witness's function; `witness` is the gateway. */
void record_fate_note_refusal(
    void *witness, const hash32 *names, size_t name_count, const struct client_verdict *verdict);

#endif
