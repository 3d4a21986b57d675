/*
 * Primitive values as JSON spells them (datatypes.html#primitive, json.html#primitive): each type's form, checked
 * without regular expressions; primitives_test.c holds the forms to the specification's own patterns. Threads: pure.
 */
#ifndef HEALTH_FHIR_PRIMITIVES_H
#define HEALTH_FHIR_PRIMITIVES_H

#include "codec/json.h"

/* NULL if the value is one of the type; else what is wrong, as the end of a sentence about it ("is not a date: …"). */
typedef const char *fhir_primitive_check(const struct json *value);
/* The check of a type; NULL if it is no primitive type. */
fhir_primitive_check *fhir_primitive_find(struct bytes type);
/* base64 with white space; the number of bytes it stands for. False if it is not. */
bool fhir_primitive_base64(struct bytes text, size_t *bytes);
/* "_birthDate" beside "birthDate": the id and the extensions of a primitive member (json.html#primitive). NULL: none.
 */
const struct json *fhir_primitive_twin(const struct json *object, struct bytes name);

#endif
