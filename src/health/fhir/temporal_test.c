#include "health/fhir/temporal.h"

#include "tests/unit.h"

static struct fhir_temporal read(const char *text) {
	struct fhir_temporal out;
	bool is_time = strlen(text) > 2 && text[2] == ':';
	if (!fhir_temporal_read(&out, bytes_text(text), is_time)) fail_msg("%s is refused", text);
	return out;
}

static void expect(struct fhir_temporal value, const char *text) {
	struct buf out;
	buf_init(&out, 200);
	fhir_temporal_write(&out, &value);
	assert_string_equal(buf_cstr(&out), text);
	buf_fini(&out);
}

static void a_time_is_as_precise_as_it_was_written(void **state) {
	(void)state;
	static const char *const texts[] = {"2015", "2015-02", "2015-02-04", "2015-02-04T14", "2015-02-04T14:34",
	    "2015-02-04T14:34:28", "2015-02-04T14:34:28.120", "2015-02-04T14:34:28Z", "2015-02-04T14:34:28.5-05:30",
	    "14:34", "14:34:28.123", "0001-01-01", "9999-12-31T23:59:59+14:00", "2000-02-29"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect(read(texts[i]), texts[i]);
}

static void what_is_no_date_is_refused(void **state) {
	(void)state;
	struct fhir_temporal out;
	static const char *const bad[] = {"", "0000", "15", "2015-", "2015-13", "2015-00", "2015-02-29", "1900-02-29",
	    "2015-02-04T24", "2015-02-04T14:60", "2015-02-04T14:34:61", "2015-02-04T14:34:28+14:01",
	    "2015-02-04T14:34:28+15:00", "2015-02-04T14:34:28.", "2015-02-04 14:34", "2015-02-04T14:34:28Zx",
	    "not a date", "2015-2-4", "2015-02T10"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (fhir_temporal_read(&out, bytes_text(bad[i]), false)) fail_msg("%s is taken", bad[i]);
	assert_false(fhir_temporal_read(&out, BYTES_LITERAL("14:34Z"), true));
}

static int order(const char *a, const char *b) {
	struct fhir_temporal x = read(a), y = read(b);
	int out;
	return fhir_temporal_compare(&out, &x, &y) ? out : 99;
}

static void an_order_is_known_or_open(void **state) {
	(void)state;
	assert_int_equal(order("2012", "2013"), -1);
	assert_int_equal(order("2012-05", "2012"), 99);
	assert_int_equal(order("2012-05", "2011"), 1);
	assert_int_equal(order("2012-04-15T15:00:00Z", "2012-04-15T10:00:00-05:00"), 0);
	assert_int_equal(order("2012-04-15T15:00:00Z", "2012-04-15T10:00:00"), 99);
	assert_int_equal(order("2012-04-15T15:30:31", "2012-04-15T15:30:31.0"), 0);
	assert_int_equal(order("2012-04-15T15:30:31", "2012-04-15T15:30:31.1"), -1);
	assert_int_equal(order("2012-04-15T10:00", "2012-04-15T10:00:00"), 99);
	assert_int_equal(order("2012-04-16T00:30:00+02:00", "2012-04-15T22:30:00Z"), 0);
	assert_int_equal(order("14:34", "14:35"), -1);
	assert_int_equal(order("14:34", "2014"), 99);
}

static struct fhir_temporal later(const char *text, enum fhir_precision unit, int64_t count) {
	struct fhir_temporal value = read(text);
	assert_true(fhir_temporal_add(&value, unit, count));
	return value;
}

static void calendars_count_months_and_days(void **state) {
	(void)state;
	expect(later("2015-01-31", FHIR_MONTH, 1), "2015-02-28");
	expect(later("2016-02-29", FHIR_YEAR, 1), "2017-02-28");
	expect(later("2015-12-31", FHIR_DAY, 1), "2016-01-01");
	expect(later("2015-01-01", FHIR_DAY, -1), "2014-12-31");
	expect(later("2015-01", FHIR_MONTH, -1), "2014-12");
	expect(later("1973-12-25T23:59:59.999+10:00", FHIR_FRACTION, 1), "1973-12-26T00:00:00.000+10:00");
	expect(later("01:00:00", FHIR_HOUR, 25), "02:00:00");
	expect(later("01:00:00", FHIR_MINUTE, -90), "23:30:00");
	struct fhir_temporal value = read("9999-12-31");
	assert_false(fhir_temporal_add(&value, FHIR_DAY, 1));
	assert_false(fhir_temporal_add(&value, FHIR_YEAR, INT64_MAX));
	assert_false(fhir_temporal_add(&value, FHIR_HOUR, INT64_MIN));
}

static void moments_span_what_is_meant(void **state) {
	(void)state;
	struct fhir_temporal epoch = read("1970-01-01T00:00:00Z"), year = read("1972"),
			     zone = read("1970-01-01T01:00:00+01:00");
	assert_int_equal(fhir_temporal_moments(&epoch).first_ms, 0);
	assert_int_equal(fhir_temporal_moments(&epoch).last_ms, 999);
	assert_int_equal(fhir_temporal_moments(&zone).first_ms, 0);
	assert_int_equal(
	    fhir_temporal_moments(&year).last_ms - fhir_temporal_moments(&year).first_ms, INT64_C(366) * 86400000 - 1);
	expect(fhir_temporal_of_ms(1448922855123), "2015-11-30T22:34:15.123Z");
	expect(fhir_temporal_of_ms(-1), "1969-12-31T23:59:59.999Z");
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_time_is_as_precise_as_it_was_written),
	    cmocka_unit_test(what_is_no_date_is_refused),
	    cmocka_unit_test(an_order_is_known_or_open),
	    cmocka_unit_test(calendars_count_months_and_days),
	    cmocka_unit_test(moments_span_what_is_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
