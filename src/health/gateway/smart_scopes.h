/*
 * Scopes of SMART App Launch, versions 1 and 2, as a token's `scope` lists them:
 *
 *	patient/Observation.rs?category=laboratory   user/Patient.cruds   system/Patient.read
 *
 * A word that is no such scope (openid, launch, offline_access, a misspelled one) gives no right, and is no mistake.
 * A star in place of the type means every type. Version 1 is read as version 2: read is rs, write is cud, the star is
 * cruds.
 *
 * Ownership: the list and its texts live in the arena. Threads: pure.
 * Source: hl7.org/fhir/smart-app-launch/STU2.2, "Scopes for requesting FHIR Resources".
 */
#ifndef HEALTH_GATEWAY_SMART_SCOPES_H
#define HEALTH_GATEWAY_SMART_SCOPES_H

#include "base/mem.h"

#define SMART_SCOPES_MAX 256u
#define SMART_SCOPES_BYTES_MAX ((size_t)16 << 10)

enum smart_scope_context { SMART_SCOPE_PATIENT, SMART_SCOPE_USER, SMART_SCOPE_SYSTEM };
/* In the order in which version 2 spells them. */
enum smart_scope_right {
	SMART_SCOPE_CREATE = 1,
	SMART_SCOPE_READ = 2,
	SMART_SCOPE_UPDATE = 4,
	SMART_SCOPE_DELETE = 8,
	SMART_SCOPE_SEARCH = 16,
	SMART_SCOPE_ALL = 31
};

struct smart_scope {
	enum smart_scope_context context;
	uint16_t type; /* of fhir_r4; FHIR_NONE: any */
	unsigned rights;
	struct bytes search; /* granular: "category=laboratory" [empty: all] */
};
struct smart_scopes {
	const struct smart_scope *list;
	size_t count;
};
/* STATUS_LIMIT: longer than SMART_SCOPES_BYTES_MAX, or more than SMART_SCOPES_MAX. */
MUST_USE enum status smart_scopes_parse(
    struct smart_scopes *out, struct arena *arena, struct bytes text, struct err *err);
/* Appends the list as smart_scopes_parse reads it. */
void smart_scopes_write(struct buf *out, const struct smart_scopes *scopes);

#endif
