/* Inside health/fhir: profiles as trees of element definitions. Threads: as fhir/profiles.h. */
#ifndef HEALTH_FHIR_PROFILE_TREE_H
#define HEALTH_FHIR_PROFILE_TREE_H

#include "health/fhir/fhirpath.h"
#include "health/fhir/profiles.h"

#define PROFILE_DEPTH_MAX 16u
#define PROFILE_MANY UINT32_MAX

struct profile_rule { /* an invariant of the profile's own */
	const char *key, *human;
	bool is_error;
	const struct fhirpath *path; /* NULL: it cannot be evaluated */
	struct profile_rule *next;
};
/* An element, a slice of one, or the root. What the base specification says already has no part here. */
struct profile_node {
	struct bytes name, slice; /* "value" of value[x]; slice: empty for the element itself */
	bool is_choice;
	uint32_t min, max;
	const struct json *definition; /* ElementDefinition; NULL: it only stands between others */
	const struct json *fixed, *pattern;
	struct bytes binding; /* URL of a required value set [empty] */
	struct profile_rule *rules;
	struct profile_node *children, *slices, *next;
};
struct profile {
	struct bytes url, version, base;
	uint16_t type;
	bool is_whole; /* a snapshot: what its base says is in it */
	struct profile_node root;
	struct profile *next;
};
struct profile_codes { /* a ValueSet or a CodeSystem */
	struct bytes url;
	const struct json *json;
	bool is_system;
	struct profile_codes *next;
};

struct fhir_profiles {
	const struct fhir_definitions *defs;
	struct arena arena;
	struct profile *first, **last;
	struct profile_codes *codes;
	size_t count; /* of all kinds */
};

/* profile_tree.c */
MUST_USE enum status profile_tree_make(
    struct fhir_profiles *profiles, struct profile *profile, const struct json *definition, struct err *err);
struct profile_node *profile_tree_child(const struct profile_node *node, struct bytes name);
/* The member of an ElementDefinition whose name begins so and goes on with a type: "fixedUri". */
const struct json *profile_tree_choice(const struct json *definition, const char *prefix);

/* profiles.c */
const struct profile *profiles_find(const struct fhir_profiles *profiles, struct bytes url);

/* profile_codes.c: is the code in the value set? */
struct profile_code {
	struct bytes system; /* data == NULL: an element of type code has none */
	struct bytes code;
};
enum fhir_code_verdict profile_codes_has(
    const struct fhir_profiles *profiles, struct bytes url, const struct profile_code *code, uint64_t *budget);

#endif
