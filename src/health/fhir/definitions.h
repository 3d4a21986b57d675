/*
 * FHIR's definitions as tables: types, elements, choices, invariants, code sets of required bindings, search
 * parameters and compartments. `fhir_r4` is the base specification, which tools/fhir-tables.py makes of HL7's own
 * package when the program is built. Whoever reads definitions takes a `struct fhir_definitions`, so that a profile's
 * can take the place of the base ones.
 *
 * A type is a datatype, a resource, or what is nested in one ("Patient.contact"). It has its own elements; those of
 * its bases are found through them. Types stand in the order of their names, and a type's number is also the number
 * of its name in the string pool. Within a type, elements and choices stand in the order of names.
 *
 * Ownership: constant data; what is returned lives as long as the definitions. Threads: pure.
 * Source: hl7.fhir.r4.core 4.0.1 (structuredefinition.html, elementdefinition.html, searchparameter.html,
 * compartmentdefinition.html).
 */
#ifndef HEALTH_FHIR_DEFINITIONS_H
#define HEALTH_FHIR_DEFINITIONS_H

#include "base/bytes.h"

#define FHIR_NONE UINT16_MAX /* no type, no code set */
#define FHIR_MANY UINT8_MAX  /* max of an element that repeats */

enum fhir_kind { FHIR_KIND_PRIMITIVE, FHIR_KIND_COMPLEX, FHIR_KIND_NESTED, FHIR_KIND_RESOURCE };
enum fhir_strength { FHIR_UNBOUND, FHIR_EXAMPLE, FHIR_PREFERRED, FHIR_EXTENSIBLE, FHIR_REQUIRED };
enum fhir_search_type {
	FHIR_SEARCH_NUMBER,
	FHIR_SEARCH_DATE,
	FHIR_SEARCH_STRING,
	FHIR_SEARCH_TOKEN,
	FHIR_SEARCH_REFERENCE,
	FHIR_SEARCH_COMPOSITE,
	FHIR_SEARCH_QUANTITY,
	FHIR_SEARCH_URI,
	FHIR_SEARCH_SPECIAL,
};

/* A "list" is a place in `lists`, where its length stands before its numbers; 0 is the empty one. */
struct fhir_type_def {
	uint16_t base; /* type, or FHIR_NONE */
	uint16_t element_first, element_count;
	uint16_t choice_first, choice_count;
	uint16_t invariants; /* list: those of the type itself, without its bases' */
	uint8_t kind;        /* enum fhir_kind */
	uint8_t is_abstract;
};
struct fhir_element_def {
	uint16_t name;       /* string; "value" of value[x] */
	uint16_t type;       /* or FHIR_NONE: a choice */
	uint16_t targets;    /* list: types that a reference or canonical may name; empty: any */
	uint16_t code_set;   /* of a required binding, or FHIR_NONE */
	uint16_t invariants; /* list: those of the element, without its type's */
	uint8_t min, max;    /* FHIR_MANY: no maximum */
	uint8_t strength;    /* enum fhir_strength */
	uint8_t flags;       /* FHIR_IN_SUMMARY, FHIR_IS_MODIFIER */
};
#define FHIR_IN_SUMMARY 1u
#define FHIR_IS_MODIFIER 2u
struct fhir_choice_def { /* "valueQuantity" */
	uint16_t name;   /* string */
	uint16_t element;
	uint16_t type;
};
struct fhir_invariant_def {
	uint16_t key, expression, human; /* strings */
	uint8_t is_error;                /* or a warning */
};
struct fhir_code_set {
	uint16_t url; /* string */
	uint16_t group_first, group_count;
	uint8_t is_open; /* its codes are not in the package (mime types, currencies, units) */
};
struct fhir_code_group {
	uint32_t code_first;
	uint16_t system; /* string */
	uint16_t code_count;
};
struct fhir_pattern_def { /* of a primitive type; primitives.h checks without it, and a test holds it to this */
	uint16_t type;
	uint16_t pattern; /* string: a regular expression; empty: none */
};
struct fhir_search_def {
	uint16_t base;       /* type */
	uint16_t code;       /* string; "birthdate" */
	uint16_t expression; /* string; empty for _text, _content and _query */
	uint16_t targets;    /* list of types */
	uint16_t components; /* list of pairs: enum fhir_search_type, string of the relative expression */
	uint16_t url;        /* string, behind "http://hl7.org/fhir/SearchParameter/" */
	uint8_t type;        /* enum fhir_search_type */
};
struct fhir_compartment_def {
	uint16_t compartment; /* type: Patient, Encounter, Practitioner, RelatedPerson or Device */
	uint16_t type;
	uint16_t
	    parameters; /* list of strings: codes of search parameters, "{def}" for the type itself; empty: outside */
};

struct fhir_definitions {
	const char *pool;        /* texts, each with a NUL behind it */
	const uint32_t *strings; /* where each begins */
	const uint16_t *lists;
	const struct fhir_type_def *types;
	const struct fhir_element_def *elements;
	const struct fhir_choice_def *choices;
	const struct fhir_invariant_def *invariants;
	const struct fhir_code_set *code_sets;
	const struct fhir_code_group *code_groups;
	const uint16_t *codes; /* strings, in the order of bytes within a group */
	const struct fhir_pattern_def *patterns;
	const struct fhir_search_def *searches; /* by the names of base and code */
	const struct fhir_compartment_def *compartments;
	size_t type_count, element_count, choice_count, invariant_count, code_set_count, pattern_count, search_count,
	    compartment_count;
};
extern const struct fhir_definitions fhir_r4;

struct fhir_list {
	const uint16_t *items;
	size_t count;
};

static inline const char *fhir_text(const struct fhir_definitions *defs, uint16_t string) {
	return defs->pool + defs->strings[string];
}
static inline const char *fhir_type_name(const struct fhir_definitions *defs, uint16_t type) {
	return fhir_text(defs, type);
}
static inline struct fhir_list fhir_list(const struct fhir_definitions *defs, uint16_t place) {
	return (struct fhir_list){&defs->lists[place + 1], defs->lists[place]};
}

/* A type by its name; FHIR_NONE if there is none. */
uint16_t fhir_definitions_type(const struct fhir_definitions *defs, struct bytes name);
/* A resource type that instances can have; FHIR_NONE otherwise. */
uint16_t fhir_definitions_resource(const struct fhir_definitions *defs, struct bytes name);
/* Is `type` the type `base` or one that is made of it? */
bool fhir_type_derives(const struct fhir_definitions *defs, uint16_t type, uint16_t base);

/* The element of a type or of its bases by FHIRPath's name ("value" for value[x]); NULL if there is none. */
const struct fhir_element_def *fhir_element_find(const struct fhir_definitions *defs, uint16_t type, struct bytes name);

/* A member of a JSON object, without the "_" of an extended primitive. */
struct fhir_member {
	const struct fhir_element_def *element; /* NULL: the type has no such member */
	uint16_t type;                          /* the value's; never FHIR_NONE if there is an element */
};
struct fhir_member fhir_member_find(const struct fhir_definitions *defs, uint16_t type, struct bytes name);

enum fhir_code_verdict { FHIR_CODE_IN, FHIR_CODE_OUT, FHIR_CODE_UNKNOWN /* an open set */ };
/* Is the code in the set? A NULL system leaves the system out (an element of type code has none). */
enum fhir_code_verdict fhir_code_set_has(
    const struct fhir_definitions *defs, uint16_t code_set, const struct bytes *system, struct bytes code);
/* By its canonical URL, a version behind "|" left out; FHIR_NONE if no required binding names it. */
uint16_t fhir_code_set_find(const struct fhir_definitions *defs, struct bytes url);

/* The parameter of a resource type, or of Resource and DomainResource for every type; NULL if there is none. */
const struct fhir_search_def *fhir_search_find(const struct fhir_definitions *defs, uint16_t type, struct bytes code);
/* The parameters by which a type's resources are in a compartment. False if the type is never in it. */
bool fhir_compartment_find(
    const struct fhir_definitions *defs, struct fhir_list *parameters, uint16_t compartment, uint16_t type);

#endif
