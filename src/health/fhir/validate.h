/*
 * Validation of a resource against definitions (validation.html): structure, cardinality, choices, primitives, what
 * references may name, required bindings, invariants, contained resources and those of bundle entries; and, in
 * validate_rules.c, rules that the specification's text has and no invariant. Everything that is wrong becomes an
 * issue with its FHIRPath.
 *
 * Not checked, since the definitions do not hold it: codes of open code sets (mime types, currencies, units) and of
 * terminologies, extensions' own definitions. Profiles are fhir/profiles.h. dom-6 ("should have narrative") is left
 * out as a matter of taste. An invariant whose expression cannot be evaluated is a warning.
 *
 * Bounds: a validation takes a number of steps that grows with the resource's size (FHIR_VALIDATE_STEPS and
 * FHIR_VALIDATE_STEPS_A_BYTE); one that needs more is refused as too costly.
 *
 * Ownership: a validator keeps invariants compiled, and memory for its work. Threads: one owner a validator; the
 * definitions are shared.
 */
#ifndef HEALTH_FHIR_VALIDATE_H
#define HEALTH_FHIR_VALIDATE_H

#include "codec/json.h"
#include "health/fhir/definitions.h"
#include "health/fhir/issue.h"

#define FHIR_VALIDATE_STEPS 2000000u
#define FHIR_VALIDATE_STEPS_A_BYTE 20u

struct fhir_validator;
enum fhir_markdown { FHIR_MARKDOWN_WARNS, FHIR_MARKDOWN_REFUSES }; /* what an HTML tag in markdown becomes */
struct fhir_validator *fhir_validator_new(const struct fhir_definitions *defs, enum fhir_markdown markdown);
void fhir_validator_free(struct fhir_validator *validator); /* NULL is allowed */

/* `resource` is any tree of json_parse; its nesting is bounded by that parser. True if no error was added. */
bool fhir_validate(struct fhir_validator *validator, struct fhir_issues *issues, const struct json *resource);

#endif
