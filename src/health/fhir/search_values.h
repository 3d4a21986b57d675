/*
 * What search parameters find in a resource: typed values, from which an index is made (search.html). Each value is
 * what the resource says, undigested: whoever indexes decides about case, prefixes and comparison.
 *
 * By the parameter's type: a token of a Coding, CodeableConcept (each coding, and its text), Identifier, ContactPoint,
 * boolean, code, id, string or uri; a string of a string, HumanName or Address, each part by itself; a date of a date,
 * dateTime, instant, Period or Timing, as the moments that it spans; a quantity of a Quantity, Money or Range (both
 * ends); a number; a reference of a Reference, canonical or uri; a uri. A composite gives the values of its parts,
 * which belong together by `group`. Other types than a parameter expects give nothing, and so does Location.near,
 * whose position is no value of one of these types.
 *
 * Bounds: FHIR_SEARCH_STEPS steps and FHIR_SEARCH_STEPS_A_BYTE a byte of the resource for all its parameters together.
 * Ownership: values are views into the resource's tree or the searcher's memory, and die when the visit returns.
 * Threads: one owner a searcher.
 */
#ifndef HEALTH_FHIR_SEARCH_VALUES_H
#define HEALTH_FHIR_SEARCH_VALUES_H

#include "codec/json.h"
#include "health/fhir/decimal.h"
#include "health/fhir/definitions.h"
#include "health/fhir/temporal.h"

#define FHIR_SEARCH_STEPS 1000000u
#define FHIR_SEARCH_STEPS_A_BYTE 20u

struct fhir_search_value {
	enum fhir_search_type type;  /* never composite or special */
	uint16_t part;               /* of a composite: which component, from 0 */
	uint32_t group;              /* of a composite: values of one group are from one element */
	struct bytes system;         /* token, quantity: or empty; a Money's is urn:iso:std:iso:4217 */
	struct bytes code;           /* token; quantity: its code, or its unit if it has none */
	struct bytes text;           /* token: display or text; string, uri; reference: as it is spelled */
	struct bytes unit;           /* quantity: for people */
	struct fhir_decimal number;  /* number, quantity */
	struct fhir_moments moments; /* date; INT64_MIN and INT64_MAX: an end that is open */
	bool is_code;                /* token: of an element without a system, which its definition implies */
	uint16_t target;             /* reference: the type it names, or FHIR_NONE */
	/* reference: the identifier that it names by, in `system` and `code`; token: that of an Identifier's type */
	struct bytes type_system, type_code;
};
typedef void fhir_search_visit(
    void *context, const struct fhir_search_def *search, const struct fhir_search_value *value);

struct fhir_searcher;
struct fhir_searcher *fhir_searcher_new(const struct fhir_definitions *defs);
void fhir_searcher_free(struct fhir_searcher *searcher); /* NULL is allowed */

/* Visits the values of every parameter of the resource's type and of its bases, in the order of their codes within a
 * type. STATUS_INVALID if it is no resource of R4. STATUS_LIMIT: values of a parameter are missing, since its
 * expression takes too long or cannot be evaluated on this resource; those of the others were visited. */
MUST_USE enum status fhir_search_values(struct fhir_searcher *searcher, const struct json *resource,
    fhir_search_visit *visit, void *context, struct err *err);
/* The values of one parameter of the resource's type or of its bases. */
MUST_USE enum status fhir_search_values_of(struct fhir_searcher *searcher, const struct json *resource,
    const struct fhir_search_def *search, fhir_search_visit *visit, void *context, struct err *err);

#endif
