#include "codec/hex.h"
#include "eth/abi.h"
#include "tests/unit.h"

static struct bytes words(struct buf *out, const char *const *lines, size_t count) {
	buf_init(out, 1 << 16);
	for (size_t i = 0; i < count; i++) {
		struct buf text;
		buf_init(&text, 128);
		buf_printf(&text, "0x%s", lines[i]);
		assert_int_equal(hex_data(out, buf_view(&text)), STATUS_OK);
		buf_fini(&text);
	}
	return buf_view(out);
}
#define WORDS(out, ...)                                                                                                \
	words(out, (const char *const[]){__VA_ARGS__},                                                                 \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
#define W(tail) "00000000000000000000000000000000000000000000000000000000000000" tail
#define TEXT(head) head "00000000000000000000000000000000000000000000000000000000"

static void test_selector(void **state) {
	(void)state;
	struct buf out;
	buf_init(&out, 64);
	abi_put_selector(&out, "transfer(address,uint256)");
	assert_memory_equal(out.data, "\xa9\x05\x9c\xbb", 4);
	hash32 topic = abi_topic("Transfer(address,address,uint256)");
	assert_memory_equal(topic.b, "\xdd\xf2\x52\xad\x1b\xe2\xc8\x9b", 8);
	buf_fini(&out);
}

/* f(uint256,(bytes,bool)[],string): tuples of dynamic size inside an array. */
static void put_nested(struct buf *out) {
	struct abi_row row = abi_row_begin(out);
	abi_put_u64(out, 5);
	size_t list = abi_reserve(out), text = abi_reserve(out);
	abi_tail(&row, list);
	abi_put_u64(out, 2);
	struct abi_row elements = abi_row_begin(out);
	size_t heads[2] = {abi_reserve(out), abi_reserve(out)};
	for (size_t i = 0; i < 2; i++) {
		abi_tail(&elements, heads[i]);
		struct abi_row tuple = abi_row_begin(out);
		size_t data = abi_reserve(out);
		abi_put_bool(out, i == 1);
		abi_tail(&tuple, data);
		abi_put_bytes(out, bytes_make("abcdefghijklmnopqrstuvwxyzabcdefghij", i ? 33 : 0));
	}
	abi_tail(&row, text);
	abi_put_bytes(out, BYTES_LITERAL("Hello"));
}

static void test_nested(void **state) {
	(void)state;
	struct buf out;
	buf_init(&out, 1 << 16);
	put_nested(&out);
	struct abi_reader reader = abi_reader(buf_view(&out));
	assert_int_equal(abi_u64(&reader), 5);
	size_t count;
	struct abi_reader elements = abi_array(&reader, &count);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		struct abi_reader tuple = abi_tuple(&elements);
		struct bytes data = abi_bytes(&tuple);
		assert_int_equal(data.len, i ? 33 : 0);
		assert_true(abi_bool(&tuple) == (i == 1));
	}
	assert_true(bytes_equal(abi_bytes(&reader), BYTES_LITERAL("Hello")));
	assert_int_equal(abi_finish(&reader, NULL), STATUS_OK);
	/* Cut off anywhere but at its end, it is refused. */
	for (size_t len = 0; len < out.len; len++) {
		reader = abi_reader(bytes_slice(buf_view(&out), 0, len));
		abi_u64(&reader);
		elements = abi_array(&reader, &count);
		for (size_t i = 0; i < count; i++) {
			struct abi_reader tuple = abi_tuple(&elements);
			abi_bytes(&tuple);
			abi_bool(&tuple);
		}
		abi_bytes(&reader);
		assert_int_equal(abi_finish(&reader, NULL), STATUS_INVALID);
	}
	buf_fini(&out);
}

static void test_words(void **state) {
	(void)state;
	struct buf out;
	const addr20 address = {{1, 2}};
	const hash32 hash = {{9}};
	const u256 big = {{1, 2, 3, 4}};
	buf_init(&out, 1 << 16);
	abi_put_u64(&out, UINT64_MAX);
	abi_put_u256(&out, &big);
	abi_put_bool(&out, true);
	abi_put_address(&out, &address);
	abi_put_hash32(&out, &hash);
	abi_put_fixed(&out, BYTES_LITERAL("\xaa\xbb\xcc\xdd"));
	assert_int_equal(out.len, 6 * 32);
	struct abi_reader reader = abi_reader(buf_view(&out));
	assert_true(abi_u64(&reader) == UINT64_MAX);
	u256 read = abi_u256(&reader);
	assert_true(u256_equal(&read, &big));
	assert_true(abi_bool(&reader));
	addr20 read_address = abi_address(&reader);
	assert_true(addr20_equal(&read_address, &address));
	hash32 read_hash = abi_hash32(&reader);
	assert_true(hash32_equal(&read_hash, &hash));
	uint8_t four[4];
	abi_fixed(&reader, four, 4);
	assert_memory_equal(four, "\xaa\xbb\xcc\xdd", 4);
	assert_int_equal(abi_finish(&reader, NULL), STATUS_OK);
	assert_int_equal(abi_u64(&reader), 0); /* nothing is left */
	assert_int_equal(abi_finish(&reader, NULL), STATUS_INVALID);
	buf_fini(&out);
}

static enum status read_bytes(struct bytes data) {
	struct abi_reader reader = abi_reader(data);
	abi_bytes(&reader);
	return abi_finish(&reader, NULL);
}

static void test_refused(void **state) {
	(void)state;
	struct buf out;
	assert_int_equal(read_bytes(WORDS(&out, W("20"), W("04"), TEXT("61626364"))), STATUS_OK);
	buf_fini(&out);
	assert_int_equal(
	    read_bytes(WORDS(&out, W("00"), W("04"), TEXT("61626364"))), STATUS_INVALID); /* its own head */
	buf_fini(&out);
	assert_int_equal(
	    read_bytes(WORDS(&out, W("21"), W("04"), TEXT("61626364"))), STATUS_INVALID); /* no whole word */
	buf_fini(&out);
	assert_int_equal(read_bytes(WORDS(&out, W("20"), W("03"), TEXT("61626364"))), STATUS_INVALID); /* padding */
	buf_fini(&out);
	assert_int_equal(read_bytes(WORDS(&out, W("20"), W("21"), TEXT("61626364"))), STATUS_INVALID); /* too long */
	buf_fini(&out);
	assert_int_equal(read_bytes(WORDS(&out, W("80"), W("04"), TEXT("61626364"))), STATUS_INVALID); /* outside */
	buf_fini(&out);
	const char *huge = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
	assert_int_equal(read_bytes(WORDS(&out, huge, W("04"), TEXT("61626364"))), STATUS_INVALID);
	buf_fini(&out);
	assert_int_equal(read_bytes(WORDS(&out, W("20"), huge, TEXT("61626364"))), STATUS_INVALID);
	buf_fini(&out);
	struct abi_reader reader = abi_reader(WORDS(&out, W("02"), huge, TEXT("61626364")));
	abi_bool(&reader);
	assert_int_equal(abi_finish(&reader, NULL), STATUS_INVALID);
	reader = abi_reader(bytes_slice(buf_view(&out), 32, 64));
	abi_address(&reader);
	assert_int_equal(abi_finish(&reader, NULL), STATUS_INVALID);
	reader = abi_reader(bytes_slice(buf_view(&out), 64, 32));
	uint8_t three[3];
	abi_fixed(&reader, three, 3);
	assert_int_equal(abi_finish(&reader, NULL), STATUS_INVALID);
	buf_fini(&out);
	/* An array that claims more than there is. */
	size_t count;
	reader = abi_reader(WORDS(&out, W("20"), W("02"), W("01")));
	abi_array(&reader, &count);
	assert_int_equal(count, 0);
	assert_int_equal(abi_finish(&reader, NULL), STATUS_INVALID);
	buf_fini(&out);
}

static void test_overflow(void **state) {
	(void)state;
	struct buf out;
	buf_init(&out, 100);
	put_nested(&out);
	assert_int_equal(buf_status(&out, NULL), STATUS_LIMIT);
	buf_fini(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_selector), cmocka_unit_test(test_nested),
	    cmocka_unit_test(test_words), cmocka_unit_test(test_refused), cmocka_unit_test(test_overflow)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
