/* Inside health/fhir: where a value stands: links from it up to the root, on the stack. Threads: pure. */
#ifndef HEALTH_FHIR_PLACE_H
#define HEALTH_FHIR_PLACE_H

#include "health/fhir/issue.h"

struct place {
	const struct place *parent;
	struct bytes name; /* of a member; data == NULL: the index */
	size_t index;
};
#define PLACE_TEXT_MAX 400u

/* Appends "Bundle.entry[3].resource.name[0]". */
void place_write(struct buf *out, const struct place *place);
/* Adds an issue about what stands there. */
void place_issue(struct fhir_issues *issues, enum fhir_severity severity, enum fhir_issue_code code,
    const struct place *place, const char *why);
/* An error about it. */
void place_refuse(struct fhir_issues *issues, enum fhir_issue_code code, const struct place *place, const char *format,
    ...) PRINTF_LIKE(4, 5);

#endif
