/*
 * Common units of UCUM by what they measure, so that 5.4 mg is found by 0.0054 g. Units of one dimension differ by a
 * factor; what needs more than that (degrees of temperature, logarithms, molar masses) stands alone.
 *
 * Threads: pure. Source: https://ucum.org/ucum (The Unified Code for Units of Measure), tables 1 to 5.
 */
#ifndef HEALTH_FHIR_SEARCH_UNITS_H
#define HEALTH_FHIR_SEARCH_UNITS_H

#include "health/fhir/decimal.h"

#define FHIR_UCUM "http://unitsofmeasure.org"

/* Units of the same dimension stand together. */
struct fhir_unit {
	const char *code;
	unsigned dimension;
	int64_t digits; /* of how many of the dimension's own unit it is: digits * 10^exponent */
	int exponent;
};
/* The unit's whole dimension, itself included: first and count. False: the code is not in the table. */
bool fhir_units_of(const struct fhir_unit **first, size_t *count, const struct fhir_unit **itself, struct bytes code);
/* The same quantity in another unit of the dimension. False if it does not fit a decimal. */
MUST_USE bool fhir_unit_convert(
    struct fhir_decimal *out, struct fhir_decimal value, const struct fhir_unit *from, const struct fhir_unit *to);

#endif
