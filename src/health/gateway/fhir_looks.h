/*
 * Into which folders a FHIR call looked: each is named in the trail, before the answer leaves. Inside health/gateway.
 *
 * Threads: as the call.
 */
#ifndef HEALTH_GATEWAY_FHIR_LOOKS_H
#define HEALTH_GATEWAY_FHIR_LOOKS_H

#include "health/gateway/fhir_call.h"

/* The answer shows something of this folder. */
void fhir_looks_see(struct fhir_call *call, const hash32 *folder);
void fhir_looks_see_page(struct fhir_call *call, const struct resource_page *page);

/* What the call saw, each folder once; if it saw nothing, the folder of what it asked for. `names_first`: the path
 * names what is in the first. In the call's arena. */
struct fhir_looks {
	const hash32 *folders;
	size_t count;
	bool names_first;
};
struct fhir_looks fhir_looks_of(struct fhir_call *call);
/* Adds the call, whose answer is written, to the trail; or, of an answer that comes in pieces, what the next one
 * shows. */
void fhir_looks_note(struct fhir_call *call);

#endif
