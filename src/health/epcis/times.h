/*
 * Times of EPCIS: xsd:dateTimeStamp ("2026-11-22T12:00:00.123+01:00"), and the offsets of zones. Threads: pure.
 * Source: XML Schema 1.1 part 2 §3.4.28; EPCIS 2.0 §7.3.
 */
#ifndef HEALTH_EPCIS_TIMES_H
#define HEALTH_EPCIS_TIMES_H

#include "base/mem.h"

/* "+01:00" */
bool epcis_is_offset(struct bytes text);
/* A time of a day that there is, with its zone. `out_ms`: Unix milliseconds, negative before 1970; NULL: not wanted.
 * Digits behind the third of a fraction do not count. */
bool epcis_time(int64_t *out_ms, struct bytes text);
/* "2026-11-22T11:00:00.123Z", NUL-terminated; years 0 to 9999. */
#define EPCIS_TIME_SIZE 32u
void epcis_time_write(char out[EPCIS_TIME_SIZE], int64_t ms);

#endif
