#include "health/fhir/temporal.h"

#include <stdio.h>

#define MS_PER_MINUTE 60000
#define MS_PER_DAY INT64_C(86400000)

static bool is_leap(int year) {
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int fhir_days_of_month(int year, int month) {
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* --- reading --- */

struct reading {
	struct bytes text;
	size_t at;
};

static bool take(struct reading *r, char c) {
	if (r->at == r->text.len || r->text.data[r->at] != (uint8_t)c) return false;
	r->at++;
	return true;
}

/* Exactly so many digits, in [low, high]. */
static bool number(struct reading *r, int16_t *out, int digits, int low, int high) {
	int value = 0;
	if (r->text.len - r->at < (size_t)digits) return false;
	for (int i = 0; i < digits; i++) {
		uint8_t c = r->text.data[r->at++];
		if (c < '0' || c > '9') return false;
		value = value * 10 + (c - '0');
	}
	*out = (int16_t)value;
	return value >= low && value <= high;
}

static bool read_fraction(struct reading *r, struct fhir_temporal *out) {
	uint32_t unit = 100000000;
	size_t from = r->at;
	while (r->at < r->text.len && r->text.data[r->at] >= '0' && r->text.data[r->at] <= '9') {
		out->nanoseconds += unit * (uint32_t)(r->text.data[r->at++] - '0');
		unit /= 10;
	}
	out->precision = FHIR_FRACTION;
	out->fraction_len = r->at - from > 9 ? 9 : (uint8_t)(r->at - from);
	return r->at > from;
}

/* "14", "14:34", "14:34:28", "14:34:28.123" */
static bool read_clock(struct reading *r, struct fhir_temporal *out) {
	if (!number(r, &out->part[FHIR_HOUR], 2, 0, 23)) return false;
	out->precision = FHIR_HOUR;
	if (!take(r, ':')) return true;
	if (!number(r, &out->part[FHIR_MINUTE], 2, 0, 59)) return false;
	out->precision = FHIR_MINUTE;
	if (!take(r, ':')) return true;
	if (!number(r, &out->part[FHIR_SECOND], 2, 0, 60)) return false;
	out->precision = FHIR_SECOND;
	if (take(r, '.') && !read_fraction(r, out)) return false;
	if (out->part[FHIR_SECOND] == 60) { /* a leap second is the end of its minute */
		out->part[FHIR_SECOND] = 59;
		out->nanoseconds = 999999999;
	}
	return true;
}

static bool read_zone(struct reading *r, struct fhir_temporal *out) {
	int16_t hours, minutes;
	if (r->at == r->text.len) return true;
	out->has_zone = true;
	if (take(r, 'Z')) return true;
	bool is_west = take(r, '-');
	if (!is_west && !take(r, '+')) return false;
	if (!number(r, &hours, 2, 0, 14) || !take(r, ':') || !number(r, &minutes, 2, 0, hours == 14 ? 0 : 59))
		return false;
	out->zone_minutes = (int16_t)(hours * 60 + minutes);
	if (is_west) out->zone_minutes = (int16_t)-out->zone_minutes;
	return true;
}

static bool read_date(struct reading *r, struct fhir_temporal *out) {
	if (!number(r, &out->part[FHIR_YEAR], 4, 1, 9999)) return false;
	if (!take(r, '-')) return true;
	if (!number(r, &out->part[FHIR_MONTH], 2, 1, 12)) return false;
	out->precision = FHIR_MONTH;
	if (!take(r, '-')) return true;
	int last = fhir_days_of_month(out->part[FHIR_YEAR], out->part[FHIR_MONTH]);
	out->precision = FHIR_DAY;
	return number(r, &out->part[FHIR_DAY], 2, 1, last);
}

bool fhir_temporal_read(struct fhir_temporal *out, struct bytes text, bool is_time) {
	struct reading r = {text, 0};
	*out = (struct fhir_temporal){.kind = is_time ? FHIR_TIME : FHIR_DATE, .part = {0, 1, 1}};
	if (is_time) return read_clock(&r, out) && r.at == text.len;
	if (!read_date(&r, out)) return false;
	if (take(&r, 'T')) {
		out->kind = FHIR_DATE_TIME;
		if (r.at == text.len) return true; /* "2015T": a dateTime by FHIRPath's spelling */
		if (out->precision != FHIR_DAY || !read_clock(&r, out) || !read_zone(&r, out)) return false;
	}
	return r.at == text.len;
}

/* --- writing --- */

static void write_clock(struct buf *out, const struct fhir_temporal *value) {
	buf_printf(out, "%02d", value->part[FHIR_HOUR]);
	if (value->precision >= FHIR_MINUTE) buf_printf(out, ":%02d", value->part[FHIR_MINUTE]);
	if (value->precision >= FHIR_SECOND) buf_printf(out, ":%02d", value->part[FHIR_SECOND]);
	if (value->precision < FHIR_FRACTION) return;
	char digits[16];
	snprintf(digits, sizeof digits, "%09u", value->nanoseconds);
	buf_printf(out, ".%.*s", (int)value->fraction_len, digits);
}

void fhir_temporal_write(struct buf *out, const struct fhir_temporal *value) {
	if (value->kind == FHIR_TIME) {
		write_clock(out, value);
		return;
	}
	buf_printf(out, "%04d", value->part[FHIR_YEAR]);
	if (value->precision >= FHIR_MONTH) buf_printf(out, "-%02d", value->part[FHIR_MONTH]);
	if (value->precision >= FHIR_DAY) buf_printf(out, "-%02d", value->part[FHIR_DAY]);
	if (value->precision < FHIR_HOUR) return;
	buf_text(out, "T");
	write_clock(out, value);
	if (!value->has_zone) return;
	int minutes = value->zone_minutes < 0 ? -value->zone_minutes : value->zone_minutes;
	if (minutes)
		buf_printf(out, "%c%02d:%02d", value->zone_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
	else
		buf_text(out, "Z");
}

/* --- counting --- */

/* Days since 1970-01-01 of the proleptic Gregorian calendar. */
static int64_t days_of(int year, int month, int day) {
	int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int16_t *part, int64_t days) {
	days += 719468;
	int64_t era = days / 146097, of_era = days - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100), shifted = (5 * of_year + 2) / 153;
	part[FHIR_DAY] = (int16_t)(of_year - (153 * shifted + 2) / 5 + 1);
	part[FHIR_MONTH] = (int16_t)(shifted < 10 ? shifted + 3 : shifted - 9);
	part[FHIR_YEAR] = (int16_t)(year + era * 400 + (part[FHIR_MONTH] <= 2));
}

#define FIRST_DAY INT64_C(-719162) /* 0001-01-01 */
#define LAST_DAY INT64_C(2932896)  /* 9999-12-31 */

static int64_t clock_ms(const struct fhir_temporal *value) {
	const int16_t *part = value->part;
	return ((part[FHIR_HOUR] * 60 + part[FHIR_MINUTE]) * 60 + part[FHIR_SECOND]) * INT64_C(1000) +
	       value->nanoseconds / 1000000;
}

static bool set_ms(struct fhir_temporal *value, int64_t days, int64_t ms) {
	days += ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
	ms = ((ms % MS_PER_DAY) + MS_PER_DAY) % MS_PER_DAY;
	if (value->kind != FHIR_TIME) {
		if (days < FIRST_DAY || days > LAST_DAY) return false;
		date_of(value->part, days);
	}
	value->part[FHIR_HOUR] = (int16_t)(ms / 3600000);
	value->part[FHIR_MINUTE] = (int16_t)(ms / MS_PER_MINUTE % 60);
	value->part[FHIR_SECOND] = (int16_t)(ms / 1000 % 60);
	value->nanoseconds = (uint32_t)(ms % 1000) * 1000000 + value->nanoseconds % 1000000;
	return true;
}

static int64_t day_number(const struct fhir_temporal *value) {
	return days_of(value->part[FHIR_YEAR], value->part[FHIR_MONTH], value->part[FHIR_DAY]);
}

static bool add_months(struct fhir_temporal *value, int64_t count) {
	int64_t months = value->part[FHIR_YEAR] * INT64_C(12) + value->part[FHIR_MONTH] - 1 + count;
	if (months < 12 || months >= 120000) return false;
	int year = (int)(months / 12), month = (int)(months % 12) + 1, last = fhir_days_of_month(year, month);
	value->part[FHIR_YEAR] = (int16_t)year;
	value->part[FHIR_MONTH] = (int16_t)month;
	if (value->part[FHIR_DAY] > last) value->part[FHIR_DAY] = (int16_t)last;
	return true;
}

bool fhir_temporal_add(struct fhir_temporal *value, enum fhir_precision unit, int64_t count) {
	static const int64_t ms_of[] = {
	    [FHIR_HOUR] = 3600000, [FHIR_MINUTE] = 60000, [FHIR_SECOND] = 1000, [FHIR_FRACTION] = 1};
	const int64_t most =
	    INT64_C(1) << 40; /* of any unit: beyond every calendar, and within 64 bits as milliseconds */
	if (count > most || count < -most) return false;
	if (value->kind == FHIR_TIME && unit < FHIR_HOUR) return false;
	if (unit == FHIR_YEAR) return add_months(value, count * 12);
	if (unit == FHIR_MONTH) return add_months(value, count);
	int64_t days = value->kind == FHIR_TIME ? 0 : day_number(value);
	if (unit == FHIR_DAY) return set_ms(value, days + count, clock_ms(value));
	if (count > INT64_MAX / ms_of[unit] / 2 || count < INT64_MIN / ms_of[unit] / 2) return false;
	return set_ms(value, days, clock_ms(value) + count * ms_of[unit]);
}

/* --- comparing --- */

/* In UTC, if it has a zone and a clock. */
static struct fhir_temporal in_utc(const struct fhir_temporal *value) {
	struct fhir_temporal out = *value;
	if (!value->has_zone || !value->zone_minutes || value->precision < FHIR_MINUTE) return out;
	out.zone_minutes = 0;
	/* At the edge of the calendar it stays where it is. */
	return fhir_temporal_add(&out, FHIR_MINUTE, -value->zone_minutes) ? out : *value;
}

bool fhir_temporal_compare(int *order, const struct fhir_temporal *a, const struct fhir_temporal *b) {
	if ((a->kind == FHIR_TIME) != (b->kind == FHIR_TIME)) return false;
	bool have_clocks = a->precision >= FHIR_HOUR && b->precision >= FHIR_HOUR;
	if (a->kind != FHIR_TIME && have_clocks && a->has_zone != b->has_zone) return false;
	struct fhir_temporal x = have_clocks ? in_utc(a) : *a, y = have_clocks ? in_utc(b) : *b;
	uint8_t last_x = x.precision > FHIR_SECOND ? FHIR_SECOND : x.precision;
	uint8_t last_y = y.precision > FHIR_SECOND ? FHIR_SECOND : y.precision;
	uint8_t last = last_x < last_y ? last_x : last_y;
	for (uint8_t i = a->kind == FHIR_TIME ? FHIR_HOUR : FHIR_YEAR; i <= last; i++) {
		*order = (x.part[i] > y.part[i]) - (x.part[i] < y.part[i]);
		if (*order) return true;
	}
	if (last_x != last_y) return false;
	*order = last == FHIR_SECOND ? (x.nanoseconds > y.nanoseconds) - (x.nanoseconds < y.nanoseconds) : 0;
	return true;
}

/* --- moments --- */

struct fhir_moments fhir_temporal_moments(const struct fhir_temporal *value) {
	BUG_ON(value->kind == FHIR_TIME);
	int64_t first = day_number(value) * MS_PER_DAY + clock_ms(value) - value->zone_minutes * INT64_C(60000),
		span = 1;
	const int16_t *part = value->part;
	switch ((enum fhir_precision)value->precision) {
	case FHIR_YEAR: span = (is_leap(part[FHIR_YEAR]) ? 366 : 365) * MS_PER_DAY; break;
	case FHIR_MONTH: span = fhir_days_of_month(part[FHIR_YEAR], part[FHIR_MONTH]) * MS_PER_DAY; break;
	case FHIR_DAY: span = MS_PER_DAY; break;
	case FHIR_HOUR: span = 3600000; break;
	case FHIR_MINUTE: span = MS_PER_MINUTE; break;
	case FHIR_SECOND: span = 1000; break;
	case FHIR_FRACTION: span = value->fraction_len == 1 ? 100 : value->fraction_len == 2 ? 10 : 1; break;
	}
	return (struct fhir_moments){first, first + span - 1};
}

struct fhir_temporal fhir_temporal_of_ms(int64_t ms) {
	struct fhir_temporal out = {
	    .kind = FHIR_DATE_TIME, .precision = FHIR_FRACTION, .fraction_len = 3, .has_zone = true};
	BUG_ON(!set_ms(&out, 0, ms));
	return out;
}
