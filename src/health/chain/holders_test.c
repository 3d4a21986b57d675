/* Receipts of an answer to a put are read one by one; what is none is passed over, and nothing of it is believed. */
#include "health/chain/holders.h"

#include "tests/unit.h"

#define KEY "0x1111111111111111111111111111111111111111111111111111111111111111"
#define SIGNATURE                                                                                                      \
	"0x22222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222"   \
	"222222222222222222222222"
#define RECEIPT "{\"key\":\"" KEY "\",\"time\":7,\"signature\":\"" SIGNATURE "\"}"

static size_t count_of(const char *answer) {
	struct holders holders;
	holders_read(&holders, bytes_text(answer));
	for (size_t i = 0; i < holders.count; i++) {
		assert_int_equal(holders.receipts[i].key.b[31], 0x11);
		assert_int_equal(holders.receipts[i].time_s, 7);
		assert_int_equal(holders.receipts[i].signature[63], 0x22);
	}
	return holders.count;
}

static void receipts_are_read(void **state) {
	(void)state;
	assert_int_equal(count_of("{\"blob\":\"0x\",\"held\":[" RECEIPT "]}"), 1);
	assert_int_equal(count_of("{\"held\":[" RECEIPT "," RECEIPT "]}"), 2);
}

static void what_is_no_receipt_is_passed_over(void **state) {
	(void)state;
	static const char *const answers[] = {"", "{}", "[]", "held", "{\"held\":7}", "{\"held\":{}}", "{\"held\":[]}",
	    "{\"held\":[null,7,\"x\",{}]}", "{\"held\":[{\"key\":\"" KEY "\",\"time\":7,\"signature\":\"0x22\"}]}",
	    "{\"held\":[{\"key\":\"0x11\",\"time\":7,\"signature\":\"" SIGNATURE "\"}]}",
	    "{\"held\":[{\"key\":\"" KEY "\",\"time\":-7,\"signature\":\"" SIGNATURE "\"}]}"};
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) assert_int_equal(count_of(answers[i]), 0);
	assert_int_equal(count_of("{\"held\":[{}," RECEIPT "]}"), 1);
}

static void no_more_receipts_are_read_than_there_can_be_members(void **state) {
	(void)state;
	struct buf answer;
	buf_init(&answer, BUF_MAX_DEFAULT);
	buf_text(&answer, "{\"held\":[" RECEIPT);
	for (int i = 0; i < 200; i++) buf_text(&answer, "," RECEIPT);
	buf_text(&answer, "]}");
	assert_int_equal(count_of(buf_cstr(&answer)), HELD_RECEIPTS_MAX);
	buf_fini(&answer);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(receipts_are_read),
	    cmocka_unit_test(what_is_no_receipt_is_passed_over),
	    cmocka_unit_test(no_more_receipts_are_read_than_there_can_be_members)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
