/* Inside health/index: the postings that a transaction changes, gathered and written in the order of their keys. */
#ifndef HEALTH_INDEX_RESOURCE_POSTINGS_H
#define HEALTH_INDEX_RESOURCE_POSTINGS_H

#include "health/index/resources_private.h"

struct resource_postings {
	struct arena arena; /* of the transaction */
	struct resource_posting {
		struct bytes key;
		uint32_t resource, order;
		bool is_there; /* afterwards */
	} * items;
	size_t count, capacity;
};

void resource_postings_begin(struct resources *resources, struct resource_postings *postings);
/* The resource has these facts from now on, and not those of its row. */
MUST_USE enum status resource_postings_of(
    struct resources *resources, int64_t resource, struct bytes facts, struct err *err);
MUST_USE enum status resource_postings_write(struct resources *resources, struct err *err);
void resource_postings_end(struct resources *resources);

#endif
