/*
 * FHIRPath (http://hl7.org/fhirpath/N1, and FHIR R4 fhirpath.html) over JSON trees: the language of invariants, search
 * parameters and patches. An expression is compiled once and evaluated as often as wanted.
 *
 * What FHIR adds: extension(), hasValue(), getValue(), resolve(), memberOf() for the code sets of required bindings,
 * htmlChecks(), conformsTo() for base types; %resource, %rootResource, %context, %ucum, %sct, %loinc, %vs-…, %ext-….
 * resolve() finds contained resources; of any other reference it knows the type alone, which is what search parameters
 * and invariants ask (`resolve() is Patient`).
 *
 * Bounds: an expression of FHIRPATH_TEXT_MAX bytes nested FHIRPATH_DEPTH_MAX deep; an evaluation of `steps_max` steps,
 * and as many values. Ownership: a compiled expression and all results lie in the arenas that were given, and point
 * into the JSON trees. Threads: a compiled expression is constant; an evaluation has one owner.
 */
#ifndef HEALTH_FHIR_FHIRPATH_H
#define HEALTH_FHIR_FHIRPATH_H

#include "codec/json.h"
#include "health/fhir/decimal.h"
#include "health/fhir/definitions.h"
#include "health/fhir/temporal.h"

#define FHIRPATH_TEXT_MAX 8192u
#define FHIRPATH_DEPTH_MAX 200u
#define FHIRPATH_STEPS_MAX 1000000u

enum fhirpath_kind {
	FHIRPATH_NODE, /* an element or a resource */
	FHIRPATH_BOOLEAN,
	FHIRPATH_INTEGER,
	FHIRPATH_DECIMAL,
	FHIRPATH_STRING,
	FHIRPATH_TEMPORAL, /* Date, DateTime or Time */
	FHIRPATH_QUANTITY,
	FHIRPATH_TYPE, /* what type() gives: a namespace and a name */
};

struct fhirpath_value {
	enum fhirpath_kind kind;
	uint16_t type; /* NODE: its type, or FHIR_NONE if no definition says it */
	bool boolean;
	const struct json *json;   /* NODE: the value; NULL if it has extensions alone, or is only referred to */
	const struct json *shadow; /* NODE: of a primitive, the object with its id and extensions; or NULL */
	union {
		int64_t integer;
		struct fhir_decimal decimal; /* of a QUANTITY too */
		struct fhir_temporal temporal;
	};
	struct bytes text; /* STRING; QUANTITY: its unit, "1" without one; TYPE: its name */
	const char *space; /* TYPE: "System" or "FHIR" */
};

struct fhirpath_values {
	struct fhirpath_value *items;
	uint32_t count, capacity;
};

struct fhirpath;

/* STATUS_INVALID (with the byte), STATUS_UNSUPPORTED (a function that is not known), STATUS_LIMIT. */
MUST_USE enum status fhirpath_compile(
    const struct fhirpath **out, struct arena *arena, struct bytes text, struct err *err);

struct fhirpath_context {
	const struct fhir_definitions *defs;
	struct arena *arena;                 /* of results and of what is needed on the way */
	struct fhirpath_value resource;      /* %resource: the one that has the element */
	struct fhirpath_value root_resource; /* %rootResource: the one that contains it, or the same */
	int64_t now_ms;                      /* what now() and today() say, since 1970 in UTC */
	uint32_t steps_max;                  /* 0: FHIRPATH_STEPS_MAX */
	uint64_t *budget; /* steps that are left for this evaluation and others, which share it; NULL: no such bound */
};

/* The node of a resource, its type as it says itself; type FHIR_NONE if it is not one of R4. */
struct fhirpath_value fhirpath_resource(const struct fhir_definitions *defs, const struct json *resource);
/* A context in which `resource` is the one that everything is asked of. */
struct fhirpath_context fhirpath_context(
    const struct fhir_definitions *defs, struct arena *arena, const struct json *resource);

/* Evaluates for one value, which is also %context. STATUS_INVALID if the expression asks for what cannot be (several
 * values where one must be), STATUS_UNSUPPORTED, STATUS_LIMIT. */
MUST_USE enum status fhirpath_evaluate(struct fhirpath_values *out, const struct fhirpath_context *context,
    const struct fhirpath *path, const struct fhirpath_value *focus, struct err *err);

enum fhirpath_truth { FHIRPATH_FALSE, FHIRPATH_TRUE, FHIRPATH_UNKNOWN /* empty */ };
/* As an invariant is read: one value that is not a boolean counts as true. */
MUST_USE enum status fhirpath_test(enum fhirpath_truth *out, const struct fhirpath_context *context,
    const struct fhirpath *path, const struct fhirpath_value *focus, struct err *err);

/* A primitive node as a value of FHIRPath's own types, by its type; every other value as it is. */
struct fhirpath_value fhirpath_plain(const struct fhir_definitions *defs, const struct fhirpath_value *value);
/* "Patient", "string", "System.Integer": what type a value has, for a person. */
const char *fhirpath_type_text(const struct fhir_definitions *defs, const struct fhirpath_value *value);
/* Appends a value as toString() spells it, or a complex one as its JSON. */
void fhirpath_write(struct buf *out, const struct fhir_definitions *defs, const struct fhirpath_value *value);

#endif
