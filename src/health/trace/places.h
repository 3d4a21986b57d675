/* Where a name stands in a list, found without walking it. Ownership: the arena. */
#ifndef HEALTH_TRACE_PLACES_H
#define HEALTH_TRACE_PLACES_H

#include "base/bytes.h"
#include "base/mem.h"

struct places {
	struct place *rows; /* a table with free rows between the taken ones */
	size_t count, room;
};
/* The name of two texts together; the first one has no NUL. */
hash32 places_name(const char *first, const char *second);
/* NULL: it was never put. */
const uint32_t *places_get(const struct places *places, const hash32 *name);
/* In place of what it had before. */
void places_put(struct places *places, struct arena *arena, const hash32 *name, uint32_t value);

#endif
