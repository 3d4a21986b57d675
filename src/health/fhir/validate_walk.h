/* Inside health/fhir: what a validation carries along from a resource to its values. validate.c walks; validate_value.c
 * judges one value; validate_rules.c holds what the specification says outside its definitions. */
#ifndef HEALTH_FHIR_VALIDATE_WALK_H
#define HEALTH_FHIR_VALIDATE_WALK_H

#include "health/fhir/fhirpath.h"
#include "health/fhir/place.h"
#include "health/fhir/primitives.h"
#include "health/fhir/validate.h"

struct validate_rule; /* validate_rules.c */

struct fhir_validator {
	const struct fhir_definitions *defs;
	enum fhir_severity tags;       /* of HTML in markdown */
	struct arena compiled;         /* what is made once */
	struct arena scratch;          /* of one evaluation */
	const struct fhirpath **paths; /* of each invariant, once it was needed */
	const struct fhirpath **rules; /* of each validate_rule */
	bool *is_left_out;             /* of each invariant: what is checked otherwise, or not at all */
	fhir_primitive_check **checks; /* of each type; NULL if it is no primitive */
	uint16_t resource, bundle, reference, extension, attachment, coding, codeable_concept, xhtml, markdown;
};

/* One resource at work. */
struct validate_walk {
	struct fhir_validator *validator;
	const struct fhir_definitions *defs;
	struct fhir_issues *issues;
	struct fhirpath_context context; /* %resource and %rootResource */
};

/* An element's value, with its twin if it is a primitive. */
struct validate_value {
	const struct fhir_element_def *element; /* NULL: a resource by itself */
	uint16_t type;
	const struct json *json, *twin;
};

/* --- validate.c --- */
void validate_object(struct validate_walk *walk, uint16_t type, const struct json *json, const struct place *place);

/* --- validate_value.c --- */

/* Form, binding, reference and invariants of a value whose content was walked. */
void validate_primitive(struct validate_walk *walk, const struct validate_value *value, const struct place *place);
void validate_binding(struct validate_walk *walk, const struct validate_value *value, const struct place *place);
void validate_target(struct validate_walk *walk, const struct validate_value *value, const struct place *place);
void validate_invariants(struct validate_walk *walk, const struct validate_value *value, const struct place *place);
/* Runs one expression; adds an issue of the severity if it is false. `*cache` keeps it compiled. */
struct validate_assertion {
	const char *key, *expression, *human;
	enum fhir_severity severity;
};
void validate_assert(struct validate_walk *walk, const struct validate_assertion *assertion,
    const struct fhirpath **cache, const struct fhirpath_value *focus, const struct place *place);

/* --- validate_rules.c --- */
size_t validate_rule_count(void);
/* Rules for a value of the type, after its content. */
void validate_rules(struct validate_walk *walk, uint16_t type, const struct json *json, const struct place *place);

/* --- validate_bundle.c --- */
void validate_bundle(struct validate_walk *walk, const struct json *json, const struct place *place);

#endif
