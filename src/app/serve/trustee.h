/*
 * The trustee's service: looks for emergencies every so often, and releases keys (health/consent/trustee.h). It is one
 * of the gateway's services, or a process of its own. Threads: it has one; the functions belong to their caller.
 */
#ifndef APP_SERVE_TRUSTEE_H
#define APP_SERVE_TRUSTEE_H

#include "health/actors/actor.h"

struct trustee_service;
MUST_USE enum status trustee_service_start(
    struct trustee_service **out, struct actor *actor, uint32_t every_ms, struct err *err);
/* Its counters; NULL is allowed, and has none. Any thread, until it is freed. */
void trustee_service_metrics(struct trustee_service *service, struct buf *out);
/* How many emergencies its last round left to a person: their actor had its number of shares of the day. NULL: 0. Any
 * thread. */
uint64_t trustee_service_limited(struct trustee_service *service);
/* That, in words for the operator; "" if it is 0. */
#define TRUSTEE_CONDITION_BYTES 256u
void trustee_condition(char out[TRUSTEE_CONDITION_BYTES], uint64_t limited);
/* Waits for the round that runs. NULL is allowed in both. */
void trustee_service_stop(struct trustee_service *service);
void trustee_service_free(struct trustee_service *service);

#endif
