/*
 * Dates and times as FHIR has them (datatypes.html#dateTime): only as precise as they were written, with or without a
 * time zone. One type for date, dateTime, instant and time.
 *
 * Threads: pure.
 */
#ifndef HEALTH_FHIR_TEMPORAL_H
#define HEALTH_FHIR_TEMPORAL_H

#include "base/mem.h"

enum fhir_temporal_kind { FHIR_DATE, FHIR_DATE_TIME, FHIR_TIME };
enum fhir_precision { FHIR_YEAR, FHIR_MONTH, FHIR_DAY, FHIR_HOUR, FHIR_MINUTE, FHIR_SECOND, FHIR_FRACTION };
#define FHIR_PARTS 6 /* year, month, day, hour, minute, second */

struct fhir_temporal {
	uint8_t kind;         /* enum fhir_temporal_kind */
	uint8_t precision;    /* enum fhir_precision: the last part that was written */
	uint8_t fraction_len; /* digits of a second's fraction as written, at most 9 kept */
	bool has_zone;
	int16_t zone_minutes; /* east of Greenwich */
	int16_t part[FHIR_PARTS];
	uint32_t nanoseconds; /* of the second */
};

/* "2015", "2015-02", "2015-02-04", "2015-02-04T14", …, "2015-02-04T14:34:28.123Z"; "14:34" for FHIR_TIME. Days are held
 * to their month. A year is 0001 to 9999, a second 0 to 59 (60 is read as 59.999…), a zone at most 14:00. A date with
 * a "T" is a dateTime. False for other text. */
MUST_USE bool fhir_temporal_read(struct fhir_temporal *out, struct bytes text, bool is_time);
void fhir_temporal_write(struct buf *out, const struct fhir_temporal *value);

/* Compares as FHIRPath does: false if precision or a missing zone leaves it open. `order` is negative, 0 or positive.
 */
MUST_USE bool fhir_temporal_compare(int *order, const struct fhir_temporal *a, const struct fhir_temporal *b);

/* Adds a number of a precision's units, as calendars count: a month later than January 31 is the last of February.
 * False beyond the years 1 to 9999. */
MUST_USE bool fhir_temporal_add(struct fhir_temporal *value, enum fhir_precision unit, int64_t count);

/* The first and the last moment that are meant, both as milliseconds since 1970 in UTC; without a zone, as if in UTC.
 * Not for FHIR_TIME. */
struct fhir_moments {
	int64_t first_ms, last_ms;
};
struct fhir_moments fhir_temporal_moments(const struct fhir_temporal *value);
/* A dateTime in UTC, to the millisecond. */
struct fhir_temporal fhir_temporal_of_ms(int64_t ms);
int fhir_days_of_month(int year, int month);

#endif
