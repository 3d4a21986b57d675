/*
 * Profiles: StructureDefinitions that constrain FHIR's resources and datatypes, with the ValueSets and CodeSystems that
 * they bind to, as packages bring them (packages.fhir.org: an NPM tarball). Whoever claims one (meta.profile), or asks
 * $validate for it, is checked against it beside the base specification.
 *
 * Checked: cardinality, fixed and pattern values, slices by value, pattern, type and exists, required bindings to value
 * sets that enumerate their codes, the profile's own invariants, and the profiles of extensions and datatypes. A
 * differential is enough if the base profile is there too. Not checked: slices by profile, the profiles of what a
 * reference leads to, maxLength and minValue, bindings to value sets that filter, and weaker bindings. mustSupport is
 * for programs, not for data.
 *
 * Bounds: PROFILE_DEPTH_MAX profiles inside each other, FHIR_PROFILE_STEPS steps and FHIR_PROFILE_STEPS_A_BYTE for
 * all profiles that a resource is held to.
 * Ownership: what is taken in is copied. Threads: one owner until the last was taken in; then any may check.
 * Source: FHIR R4 profiling.html, elementdefinition.html.
 */
#ifndef HEALTH_FHIR_PROFILES_H
#define HEALTH_FHIR_PROFILES_H

#include "codec/json.h"
#include "health/fhir/definitions.h"
#include "health/fhir/issue.h"

#define FHIR_PROFILE_STEPS 2000000u
#define FHIR_PROFILE_STEPS_A_BYTE 20u
#define FHIR_PROFILES_MAX 4000u /* definitions of all kinds */

struct fhir_profiles;
struct fhir_profiles *fhir_profiles_new(const struct fhir_definitions *defs);
void fhir_profiles_free(struct fhir_profiles *profiles); /* NULL is allowed */

/* One resource; of a type that says nothing here, nothing happens. STATUS_INVALID: it is malformed, or a profile of
 * what R4 does not have. STATUS_LIMIT. */
MUST_USE enum status fhir_profiles_take(struct fhir_profiles *profiles, struct bytes text, struct err *err);
/* The files package/NAME.json of a package, as the tar archive that its tarball holds. STATUS_INVALID: it is no such
 * archive, or one of them is not taken. */
MUST_USE enum status fhir_profiles_take_package(struct fhir_profiles *profiles, struct bytes tar, struct err *err);

/* Those that constrain resources, in the order in which they came. */
size_t fhir_profiles_count(const struct fhir_profiles *profiles);
const char *fhir_profiles_url(const struct fhir_profiles *profiles, size_t index);
uint16_t fhir_profiles_type(const struct fhir_profiles *profiles, size_t index);

/* Is the profile there? `url` may name a version behind "|". */
bool fhir_profiles_has(const struct fhir_profiles *profiles, struct bytes url);
/* What checking a resource may take, whatever number of profiles it claims. */
uint64_t fhir_profiles_steps(const struct json *resource);
/* Adds what is wrong by that profile. True: no error was added. What it takes is taken from `*steps`. */
bool fhir_profiles_check(const struct fhir_profiles *profiles, struct fhir_issues *issues, const struct json *resource,
    struct bytes url, uint64_t *steps);

#endif
