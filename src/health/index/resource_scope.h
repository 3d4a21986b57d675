/*
 * What an asker may see of the indexed resources: rules of which one has to admit a resource. A scope goes inside every
 * query, count, join, include and history, so that what is outside is neither found nor counted.
 *
 * Ownership: rules and texts are the caller's, and live as long as the query. Threads: pure.
 */
#ifndef HEALTH_INDEX_RESOURCE_SCOPE_H
#define HEALTH_INDEX_RESOURCE_SCOPE_H

#include "base/bytes.h"

#define RESOURCE_SCOPE_OWN 1u  /* of this organisation: it controls them, or wrote the resource */
#define RESOURCE_SCOPE_OPEN 2u /* of others, of the folders whose window is open for the asker */

struct resource_scope_rule {
	uint16_t type;        /* of fhir_r4; FHIR_NONE: any */
	bool in_compartment;  /* of `patient` alone */
	struct bytes patient; /* its logical id */
	unsigned folders;     /* RESOURCE_SCOPE_* */
	struct bytes
	    search; /* "category=laboratory": it has to match as well [empty]; if it is no search, nothing does */
};
struct resource_scope {
	const struct resource_scope_rule *rules;
	size_t count;       /* 0: nothing is seen */
	const hash32 *open; /* folders of others whose window is open for this asker: nothing of any other is seen */
	size_t open_count;
};

#endif
