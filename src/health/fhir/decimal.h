/*
 * Decimals as FHIR has them (datatypes.html#decimal): exact, with the number of digits behind the point that they were
 * written with, so that 1.00 stays 1.00. At most 37 digits, of which at most FHIR_SCALE_MAX stand behind the point.
 *
 * Threads: pure. Results that do not fit are refused (false), never rounded; division rounds to FHIR_QUOTIENT_SCALE.
 */
#ifndef HEALTH_FHIR_DECIMAL_H
#define HEALTH_FHIR_DECIMAL_H

#include "base/mem.h"

#define FHIR_SCALE_MAX 28
#define FHIR_QUOTIENT_SCALE 16

struct fhir_decimal {
	__int128 digits; /* the value times 10^scale; below 10^37 in magnitude */
	int32_t scale;   /* 0 to FHIR_SCALE_MAX */
};

/* A JSON number, exponents included. False for other text or what does not fit. */
MUST_USE bool fhir_decimal_read(struct fhir_decimal *out, struct bytes text);
struct fhir_decimal fhir_decimal_of(int64_t value);
void fhir_decimal_write(struct buf *out, struct fhir_decimal value);
/* Without zeros at its end, behind the point. */
struct fhir_decimal fhir_decimal_trim(struct fhir_decimal value);
/* Below, equal to, or above 0 as a < b, a = b, a > b. */
int fhir_decimal_compare(struct fhir_decimal a, struct fhir_decimal b);
/* Within 64 bits, the part behind the point cut off. */
MUST_USE bool fhir_decimal_integer(int64_t *out, struct fhir_decimal value);

MUST_USE bool fhir_decimal_add(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b);
MUST_USE bool fhir_decimal_subtract(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b);
MUST_USE bool fhir_decimal_multiply(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b);
/* False for a divisor of 0 too. */
MUST_USE bool fhir_decimal_divide(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b);
/* a - b * trunc(a / b) */
MUST_USE bool fhir_decimal_modulo(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b);
/* With `scale` digits behind the point, halves away from zero; a value with fewer digits is filled with zeros. */
MUST_USE bool fhir_decimal_round(struct fhir_decimal *out, struct fhir_decimal value, int32_t scale);
/* Toward zero; toward minus infinity; toward plus infinity. */
struct fhir_decimal fhir_decimal_truncate(struct fhir_decimal value);
struct fhir_decimal fhir_decimal_floor(struct fhir_decimal value);
struct fhir_decimal fhir_decimal_ceiling(struct fhir_decimal value);

#endif
