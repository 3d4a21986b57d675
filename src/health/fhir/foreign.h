/*
 * Resources of other authors, as this server shows them. Two hospitals may both have a Patient/1, so a resource of
 * another author has another id here: FHIR_FOREIGN_PREFIX and 32 hexadecimal digits of SHA-256 over the author's
 * account, the type and the author's id. It is the same in every gateway and at every time, and no author's resource
 * can take the place of another's. Relative references, and relative URLs of attachments, name the same author's
 * resources, and lead to them here; all else stays byte for byte. Two tags are added to meta: whose it is
 * (FHIR_FOREIGN_AUTHOR), and what the author calls it (FHIR_FOREIGN_NAME).
 *
 * Ownership: results live in the arena. Threads: pure.
 */
#ifndef HEALTH_FHIR_FOREIGN_H
#define HEALTH_FHIR_FOREIGN_H

#include "codec/json.h"
#include "health/fhir/definitions.h"

#define FHIR_FOREIGN_PREFIX "shared-"
#define FHIR_FOREIGN_AUTHOR "urn:xinglin:author" /* systems of the tags */
#define FHIR_FOREIGN_NAME "urn:xinglin:name"

/* Is the id one that another author's resource may have here? Clients choose none of these. */
bool fhir_foreign_is(struct bytes id);
/* Of "Patient" and "1". */
struct bytes fhir_foreign_id(struct arena *arena, const addr20 *author, struct bytes type, struct bytes id);
/* The author's content as it is shown here. STATUS_INVALID: it is no resource that has an id. */
MUST_USE enum status fhir_foreign_write(struct bytes *out, struct arena *arena, const struct fhir_definitions *defs,
    const addr20 *author, struct bytes content, struct err *err);

#endif
