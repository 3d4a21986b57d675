#include "health/epcis/times.h"

#include <stdio.h>

#define DAY_MS 86400000

static bool digits_at(struct bytes text, size_t at, size_t count, int least, int most) {
	int value = 0;
	if (at + count > text.len) return false;
	for (size_t i = 0; i < count; i++) {
		if (text.data[at + i] < '0' || text.data[at + i] > '9') return false;
		value = 10 * value + (text.data[at + i] - '0');
	}
	return value >= least && value <= most;
}

static int number_at(struct bytes text, size_t at) {
	return 10 * (text.data[at] - '0') + text.data[at + 1] - '0';
}

bool epcis_is_offset(struct bytes text) {
	return text.len == 6 && (text.data[0] == '+' || text.data[0] == '-') && digits_at(text, 1, 2, 0, 14) &&
	       text.data[3] == ':' && digits_at(text, 4, 2, 0, 59);
}

/* --- days (proleptic Gregorian) --- */

static bool is_leap(int year) {
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month) {
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Since 1970-01-01. Years begin in March, so that the leap day is their last. */
static int64_t day_number(int year, int month, int day) {
	const int64_t y = month > 2 ? year : year - 1;
	const int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* --- times --- */

/* The characters of a fraction with its dot; *ms gets its first three digits. 0: there is none; SIZE_MAX: no digits. */
static size_t fraction(int64_t *ms, struct bytes text, size_t at) {
	size_t end = at + 1;
	int weight = 100;
	*ms = 0;
	if (at == text.len || text.data[at] != '.') return 0;
	for (; end < text.len && text.data[end] >= '0' && text.data[end] <= '9'; end++, weight /= 10)
		*ms += (text.data[end] - '0') * weight;
	return end == at + 1 ? SIZE_MAX : end - at;
}

bool epcis_time(int64_t *out_ms, struct bytes text) {
	static const char shape[] = "....-..-..T..:..:..";
	const size_t plain = sizeof shape - 1;
	int64_t ms;
	if (text.len <= plain) return false;
	for (size_t i = 0; i < plain; i++)
		if (shape[i] != '.' && text.data[i] != (uint8_t)shape[i]) return false;
	if (!digits_at(text, 0, 4, 0, 9999) || !digits_at(text, 5, 2, 1, 12) || !digits_at(text, 8, 2, 1, 31) ||
	    !digits_at(text, 11, 2, 0, 23) || !digits_at(text, 14, 2, 0, 59) || !digits_at(text, 17, 2, 0, 59))
		return false;
	const int year = 100 * number_at(text, 0) + number_at(text, 2);
	if (number_at(text, 8) > days_in(year, number_at(text, 5))) return false;
	const size_t behind = fraction(&ms, text, plain);
	if (behind == SIZE_MAX) return false;
	const struct bytes zone = bytes_slice(text, plain + behind, text.len);
	if (!bytes_equal(zone, BYTES_LITERAL("Z")) && !epcis_is_offset(zone)) return false;
	ms += day_number(year, number_at(text, 5), number_at(text, 8)) * DAY_MS;
	ms += ((number_at(text, 11) * 60 + number_at(text, 14)) * 60 + number_at(text, 17)) * (int64_t)1000;
	if (zone.len > 1) {
		const int64_t offset = (number_at(zone, 1) * 60 + number_at(zone, 4)) * (int64_t)60000;
		ms -= zone.data[0] == '+' ? offset : -offset;
	}
	if (out_ms) *out_ms = ms;
	return true;
}

void epcis_time_write(char out[EPCIS_TIME_SIZE], int64_t ms) {
	const int64_t days = (ms >= 0 ? ms : ms - DAY_MS + 1) / DAY_MS;
	const int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	const int64_t of_era = shifted - era * 146097;
	const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const int64_t from_march = (5 * of_year + 2) / 153;
	const int day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
	const int month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
	const int year = (int)(year_of_era + era * 400 + (month <= 2));
	const int rest = (int)(ms - days * DAY_MS);
	snprintf(out, EPCIS_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year % 10000u,
	    (unsigned)month % 100u, (unsigned)day % 100u, (unsigned)(rest / 3600000) % 100u,
	    (unsigned)(rest / 60000) % 60u, (unsigned)(rest / 1000) % 60u, (unsigned)rest % 1000u);
}
