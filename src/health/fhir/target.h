/*
 * What the path of a FHIR request names (http.html#3.1.0): "Patient/1/_history/2", "Patient?identifier=…",
 * "Patient/1/$everything", "Patient/1/Observation". The same text stands in a request's line, behind the base, and in a
 * Bundle's entry.request.url. Threads: pure. Ownership: views into the text, or the arena's.
 */
#ifndef HEALTH_FHIR_TARGET_H
#define HEALTH_FHIR_TARGET_H

#include "base/mem.h"
#include "health/fhir/definitions.h"

enum fhir_target_kind {
	FHIR_TARGET_SYSTEM,      /* "" */
	FHIR_TARGET_METADATA,    /* "metadata" */
	FHIR_TARGET_TYPE,        /* "Patient" */
	FHIR_TARGET_INSTANCE,    /* "Patient/1" */
	FHIR_TARGET_VERSION,     /* "Patient/1/_history/2" */
	FHIR_TARGET_HISTORY,     /* "_history", "Patient/_history", "Patient/1/_history" */
	FHIR_TARGET_SEARCH,      /* "_search", "Patient/_search", "Patient/1/Observation/_search" */
	FHIR_TARGET_COMPARTMENT, /* "Patient/1/Observation", and "Patient/1/" with an asterisk */
	FHIR_TARGET_OPERATION,   /* "$export", "Patient/$match", "Patient/1/$everything" */
};

struct fhir_target {
	enum fhir_target_kind kind;
	uint16_t type;          /* or FHIR_NONE: of the system */
	uint16_t within;        /* of a compartment: the type that is searched, or FHIR_NONE: all */
	struct bytes id;        /* or empty */
	struct bytes version;   /* of VERSION */
	struct bytes operation; /* without its "$" */
	struct bytes query;     /* behind "?"; data == NULL: there is no "?" */
};

enum fhir_target_verdict {
	FHIR_TARGET_FOUND,
	FHIR_TARGET_NO_TYPE, /* it names a type that R4 does not have */
	FHIR_TARGET_NO_ID,   /* it has an id that no resource can have */
	FHIR_TARGET_NO_PATH, /* FHIR has no such path */
};
/* `text` is relative to the base; one "/" before or behind it is ignored. */
enum fhir_target_verdict fhir_target_parse(
    struct fhir_target *out, const struct fhir_definitions *defs, struct bytes text);

/* The text with its path decoded ("Patient/1/%24everything"): its query, and what an escape would make another path of
 * (a "/", a "?"), stay as they are. */
struct bytes fhir_target_decode(struct arena *arena, struct bytes text);

/* The query of a condition (http.html#ccreate): clients write "identifier=1", and also "?identifier=1",
 * "Patient?identifier=1" or that behind `base` (an absolute URL without "/" at its end). Whatever else stands in front
 * of the query stays, and is no search parameter then. */
struct bytes fhir_condition_query(
    const struct fhir_definitions *defs, uint16_t type, struct bytes base, struct bytes condition);

/* [A-Za-z0-9\-.]{1,64} (datatypes.html#id) */
bool fhir_id_is_valid(struct bytes text);
/* A version's number as this server gives them, 1 to 4,294,967,295 without leading zeros; 0: it is none. */
uint32_t fhir_version_number(struct bytes text);

#endif
