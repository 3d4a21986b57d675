/* Scans: forms, diagnoses, URNs and Digital Links, dates. */
#include "health/gs1/scan.h"

#include "health/gs1/epc.h"
#include "tests/unit.h"

static struct scan read(const char *text) {
	struct scan scan;
	scan_read(&scan, bytes_text(text));
	return scan;
}

static void test_one_pack_in_every_form(void **state) {
	(void)state;
	static const char *const forms[] = {"]d2010950600013435221712345\x1d"
					    "10LOT\x1d"
					    "17300630",
	    "(01)09506000134352(21)712345(10)LOT(17)300630",
	    "https://example.org/shop/01/09506000134352/10/LOT/21/712345?17=300630",
	    "urn:epc:id:sgtin:9506000.013435.712345",
	    "\x1d"
	    "010950600013435221712345",
	    " ]d2010950600013435221712345\n", "010950600013435221712345<GS>10LOT",
	    "010950600013435221712345\xe2\x90\x9d"
	    "10LOT"};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct scan scan = read(forms[i]);
		assert_int_equal(scan.fault, SCAN_FAULT_NONE);
		assert_string_equal(scan.gtin, "09506000134352");
		assert_string_equal(scan.serial, "712345");
	}
	/* A GTIN of 13 digits where 14 must stand: what follows is drawn into it. */
	assert_int_equal(read("]d20195060001343521712345").fault, SCAN_FAULT_CHECK_DIGIT);
}

static void test_other_things(void **state) {
	(void)state;
	assert_string_equal(read("340123450000000017").sscc, "340123450000000017");
	assert_string_equal(read("00340123450000000017").sscc, "340123450000000017");
	assert_string_equal(read("9506000134352").gtin, "09506000134352");
	assert_string_equal(read("02345673").gtin, "00000002345673");
	assert_string_equal(read("81234567890123456789").nmpa, "81234567890123456789");
	assert_int_equal(read("81234567890123456789").form, SCAN_NMPA);
	assert_string_equal(read("urn:epc:class:lgtin:4012345.012345.998877").lot, "998877");
	assert_string_equal(read("urn:epc:id:sgln:0614141.07346.1234").gln, "0614141073467");
}

static void test_diagnoses(void **state) {
	(void)state;
	assert_int_equal(read("").fault, SCAN_FAULT_EMPTY);
	assert_int_equal(read("]D20109506000134352").fault, SCAN_FAULT_CAPS_LOCK);
	assert_int_equal(read("]q30109506000134352").fault, SCAN_FAULT_CAPS_LOCK);
	assert_int_equal(read("https\xc3\x96--id.gs1.org-01-09506000134352").fault, SCAN_FAULT_KEYBOARD_LAYOUT);
	assert_int_equal(read("9506000134353").fault, SCAN_FAULT_CHECK_DIGIT);
	assert_int_equal(read("0109506000134353").fault, SCAN_FAULT_CHECK_DIGIT);
	assert_int_equal(read("010950600013435221123456789012345678901").fault, SCAN_FAULT_MISSING_SEPARATOR);
	assert_int_equal(read("010950600013435217301331").fault, SCAN_FAULT_BAD_DATE);
	assert_int_equal(read("hello").fault, SCAN_FAULT_NOT_GS1);
	assert_int_equal(read("(01)09506000134352(0A)1").fault, SCAN_FAULT_UNKNOWN_AI);
	assert_int_equal(read("(10)A(10)B").fault, SCAN_FAULT_REPEATED);
	assert_int_equal(read("urn:epc:id:giai:0614141.5").fault, SCAN_FAULT_NOT_CLAIMED);
	assert_int_equal(read("https://example.org/about").fault, SCAN_FAULT_BAD_URI);
	/* Not wrong, but suspicious: the serial reads on into an expiry. */
	struct scan hint = read("01095060001343522171234517300630");
	assert_int_equal(hint.fault, SCAN_FAULT_NONE);
	assert_non_null(strstr(hint.advice, "separator"));
	char text[] = "aYz9Z";
	scan_swap_case(text);
	assert_string_equal(text, "AyZ9z");
	scan_swap_yz(text);
	assert_string_equal(text, "AzY9y");
}

/* As people and phones give them. */
static void codes_that_were_typed_copied_or_cut_are_read(void **state) {
	(void)state;
	struct scan scan = read("id.gs1.org/01/09520123456788/21/12345");
	assert_int_equal(scan.fault, SCAN_FAULT_NONE);
	assert_int_equal(scan.form, SCAN_DIGITAL_LINK);
	assert_string_equal(scan.gtin, "09520123456788");
	assert_string_equal(scan.serial, "12345");
	scan = read("]I113400930000004"); /* ITF-14 on a case */
	assert_int_equal(scan.fault, SCAN_FAULT_NONE);
	assert_string_equal(scan.gtin, "13400930000004");
	assert_int_equal(read("]I11340093000000").fault, SCAN_FAULT_BAD_VALUE);
	scan = read("(01) 04150011164140 (21) ABC (17) 280630");
	assert_int_equal(scan.fault, SCAN_FAULT_NONE);
	assert_string_equal(scan.serial, "ABC");
	assert_string_equal(scan.expiry, "280630");
	scan = read("(01)04150011164140(7003)2001010000(21)ABC"); /* to the minute */
	assert_int_equal(scan.fault, SCAN_FAULT_NONE);
	assert_string_equal(scan.expiry, "200101");
	scan = read("(01)04150011164140(17)280630(7003)2806301200(21)ABC");
	assert_int_equal(scan.fault, SCAN_FAULT_NONE);
	assert_string_equal(scan.expiry, "280630");
	assert_int_equal(read("(01)04150011164140(17)280630(7003)2001010000(21)ABC").fault, SCAN_FAULT_BAD_DATE);
	scan = read("\xef\xbb\xbf"
		    "010415001116414021ABC");
	assert_int_equal(scan.fault, SCAN_FAULT_NONE);
	assert_string_equal(scan.serial, "ABC");
}

static void keys_of_a_french_keyboard_are_named(void **state) {
	(void)state;
	assert_int_equal(read("\xc3\xa0&\xc3\xa0'&(\xc3\xa0\xc3\xa0&&").fault, SCAN_FAULT_KEYBOARD_LAYOUT);
	assert_int_equal(read("$d2\xc3\xa0&\xc3\xa0'").fault, SCAN_FAULT_KEYBOARD_LAYOUT);
	assert_int_equal(read("((").fault, SCAN_FAULT_NOT_GS1);
}

static void a_value_that_is_too_long_although_a_separator_ends_it_is_no_missing_separator(void **state) {
	(void)state;
	assert_int_equal(read("010415001116414021ABCDEFGHIJKLMNOPQRSTU\x1d"
			      "17280630")
			     .fault,
	    SCAN_FAULT_BAD_VALUE);
	assert_int_equal(read("010415001116414021ABCDEFGHIJKLMNOPQRSTU").fault, SCAN_FAULT_MISSING_SEPARATOR);
}

static void test_there_and_back(void **state) {
	(void)state;
	static const char *const urns[] = {"urn:epc:id:sgtin:0614141.812345.6789", "urn:epc:id:sscc:0614141.1234567890",
	    "urn:epc:id:sgln:0614141.07346.1234", "urn:epc:id:sgln:0614141.07346.0", "urn:epc:id:pgln:0614141.07346",
	    "urn:epc:class:lgtin:0614141.012345.L%2F1"};
	for (size_t i = 0; i < sizeof urns / sizeof *urns; i++) {
		char link[EPC_TEXT_MAX], back[EPC_TEXT_MAX];
		struct scan scan = read(urns[i]);
		assert_true(epc_digital_link(link, &scan));
		scan = read(link);
		assert_int_equal(scan.fault, SCAN_FAULT_NONE);
		assert_true(epc_urn(back, &scan, 7));
		assert_string_equal(back, urns[i]);
	}
}

static void test_dates(void **state) {
	(void)state;
	uint64_t seconds;
	char short_text[7], iso[11];
	assert_true(gs1_expiry_seconds(&seconds, BYTES_LITERAL("300600"), 2026)); /* the month's end */
	assert_int_equal(seconds, 1909094400);                                    /* 2030-07-01T00:00:00Z */
	gs1_expiry_text(short_text, iso, seconds);
	assert_string_equal(short_text, "300630");
	assert_string_equal(iso, "2030-06-30");
	assert_true(gs1_date_seconds(&seconds, BYTES_LITERAL("2028-02-29"), 2026));
	gs1_expiry_text(short_text, iso, seconds);
	assert_string_equal(iso, "2028-02-29");
	assert_false(gs1_date_seconds(&seconds, BYTES_LITERAL("2027-02-29"), 2026));
	assert_false(gs1_expiry_seconds(&seconds, BYTES_LITERAL("301301"), 2026));
	assert_true(gs1_expiry_seconds(&seconds, BYTES_LITERAL("761231"), 2026)); /* 50 years ahead */
	gs1_expiry_text(NULL, iso, seconds);
	assert_string_equal(iso, "2076-12-31");
	assert_true(gs1_expiry_seconds(&seconds, BYTES_LITERAL("770101"), 2026)); /* 49 years ago */
	gs1_expiry_text(NULL, iso, seconds);
	assert_string_equal(iso, "1977-01-01");
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_pack_in_every_form),
	    cmocka_unit_test(test_other_things),
	    cmocka_unit_test(test_diagnoses),
	    cmocka_unit_test(codes_that_were_typed_copied_or_cut_are_read),
	    cmocka_unit_test(keys_of_a_french_keyboard_are_named),
	    cmocka_unit_test(a_value_that_is_too_long_although_a_separator_ends_it_is_no_missing_separator),
	    cmocka_unit_test(test_there_and_back),
	    cmocka_unit_test(test_dates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
