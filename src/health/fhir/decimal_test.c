#include "health/fhir/decimal.h"

#include "tests/unit.h"

static struct fhir_decimal read(const char *text) {
	struct fhir_decimal out;
	assert_true(fhir_decimal_read(&out, bytes_text(text)));
	return out;
}

static void expect(struct fhir_decimal value, const char *text) {
	struct buf out;
	buf_init(&out, 200);
	fhir_decimal_write(&out, value);
	assert_string_equal(buf_cstr(&out), text);
	buf_fini(&out);
}

static void a_decimal_keeps_its_digits(void **state) {
	(void)state;
	expect(read("1.00"), "1.00");
	expect(read("-0.05"), "-0.05");
	expect(read("0"), "0");
	expect(read("1.5e3"), "1500");
	expect(read("1.5E-3"), "0.0015");
	expect(read("1e0"), "1");
	expect(read("1234567890987654321.0"), "1234567890987654321.0");
	expect(fhir_decimal_trim(read("1.500")), "1.5");
	expect(fhir_decimal_trim(read("0.000")), "0");
}

static void what_is_no_decimal_is_refused(void **state) {
	(void)state;
	struct fhir_decimal out;
	static const char *const bad[] = {
	    "", "-", ".5", "1.", "1e", "1.5x", "+1", "1e999", "1e-29", "12345678901234567890123456789012345678"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(fhir_decimal_read(&out, bytes_text(bad[i])));
	assert_false(fhir_decimal_read(&out, BYTES_LITERAL("1\0")));
}

static void decimals_are_ordered_by_value(void **state) {
	(void)state;
	assert_int_equal(fhir_decimal_compare(read("1.0"), read("1.00")), 0);
	assert_true(fhir_decimal_compare(read("-1.5"), read("-1.4")) < 0);
	assert_true(fhir_decimal_compare(read("0.1"), read("-0.1")) > 0);
	assert_true(fhir_decimal_compare(
			read("1234567890123456789012345678901234567"), read("0.0000000000000000000000000001")) > 0);
	assert_true(fhir_decimal_compare(read("10.0000000000000000000000000001"), read("10")) > 0);
}

static void arithmetic_is_exact(void **state) {
	(void)state;
	struct fhir_decimal out;
	assert_true(fhir_decimal_add(&out, read("0.1"), read("0.20")));
	expect(out, "0.30");
	assert_true(fhir_decimal_subtract(&out, read("1.0"), read("2")));
	expect(out, "-1.0");
	assert_true(fhir_decimal_multiply(&out, read("1.2"), read("1.8")));
	expect(out, "2.16");
	assert_true(fhir_decimal_divide(&out, read("1"), read("3")));
	expect(out, "0.3333333333333333");
	assert_true(fhir_decimal_divide(&out, read("-2"), read("3")));
	expect(out, "-0.6666666666666667");
	assert_true(fhir_decimal_divide(&out, read("4"), read("2.0")));
	expect(out, "2");
	assert_true(fhir_decimal_modulo(&out, read("5.5"), read("0.7")));
	expect(out, "0.6");
	assert_true(fhir_decimal_modulo(&out, read("-5"), read("3")));
	expect(out, "-2");
	assert_false(fhir_decimal_divide(&out, read("1"), read("0.0")));
	assert_false(fhir_decimal_modulo(&out, read("1"), read("0")));
	assert_false(fhir_decimal_multiply(&out, read("1e30"), read("1e30")));
	assert_false(fhir_decimal_add(&out, read("9e36"), read("9e36")));
}

static void rounding_knows_its_direction(void **state) {
	(void)state;
	struct fhir_decimal out;
	assert_true(fhir_decimal_round(&out, read("3.14159"), 3));
	expect(out, "3.142");
	assert_true(fhir_decimal_round(&out, read("-2.5"), 0));
	expect(out, "-3");
	assert_true(fhir_decimal_round(&out, read("2"), 2));
	expect(out, "2.00");
	assert_false(fhir_decimal_round(&out, read("2"), 29));
	expect(fhir_decimal_floor(read("-1.1")), "-2");
	expect(fhir_decimal_ceiling(read("-1.1")), "-1");
	expect(fhir_decimal_ceiling(read("1.1")), "2");
	expect(fhir_decimal_floor(read("1.0")), "1");
	expect(fhir_decimal_truncate(read("-1.9")), "-1");
	int64_t whole;
	assert_true(fhir_decimal_integer(&whole, read("-12.9")));
	assert_int_equal(whole, -12);
	assert_false(fhir_decimal_integer(&whole, read("9223372036854775808")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_decimal_keeps_its_digits),
	    cmocka_unit_test(what_is_no_decimal_is_refused),
	    cmocka_unit_test(decimals_are_ordered_by_value),
	    cmocka_unit_test(arithmetic_is_exact),
	    cmocka_unit_test(rounding_knows_its_direction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
