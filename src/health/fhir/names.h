/* Inside health/fhir: by which names ("urn:uuid:…", "http://…/Patient/1", "Patient/1") the resources of one document
 * are found. Ownership: views and an array in the arena. Threads: pure. */
#ifndef HEALTH_FHIR_NAMES_H
#define HEALTH_FHIR_NAMES_H

#include "base/mem.h"

#define NAMES_NONE SIZE_MAX
#define NAMES_SEVERAL (SIZE_MAX - 1) /* the name fits more than one */

struct names {
	struct names_slot {
		struct bytes name; /* data == NULL: free */
		uint64_t digest;
		size_t value;
	} * slots;
	size_t capacity; /* a power of two, at least twice what is put */
};
void names_init(struct names *names, struct arena *arena, size_t count_max);
/* False if the name is there already; its value stays. */
bool names_put(struct names *names, struct bytes name, size_t value);
/* As names_put, but a second value makes it NAMES_SEVERAL. */
void names_share(struct names *names, struct bytes name, size_t value);
size_t names_find(const struct names *names, struct bytes name);

#endif
