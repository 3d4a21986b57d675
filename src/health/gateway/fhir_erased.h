/*
 * What was erased, or forgotten with its folder, leaves this organisation's own index too. The chain's logs say which
 * it may be (asked from where the last run ended, which the home keeps as fhir-erased.json); the proved state decides.
 * The author's own copies stay, as the law asks; they are read by the command line.
 *
 * Inside health/gateway. Threads: one.
 */
#ifndef HEALTH_GATEWAY_FHIR_ERASED_H
#define HEALTH_GATEWAY_FHIR_ERASED_H

#include "health/actors/actor.h"
#include "health/index/resources.h"

struct fhir_erased {
	struct resources *resources; /* borrowed */
	bool is_loaded;
	uint64_t next_block; /* the first one whose logs were not read */
};
/* Drops what the blocks since the last call erased. */
MUST_USE enum status fhir_erased_follow(struct fhir_erased *erased, struct actor_request *request, struct err *err);

#endif
