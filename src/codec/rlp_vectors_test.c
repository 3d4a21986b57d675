/* RLP vectors of ethereum/tests and of ethers: encoding, decoding, and what must be refused. */
#include "tests/unit.h"

#include "codec/rlp.h"
#include "tests/vectors.h"

/* A decimal number of any size ("#123") as big-endian bytes. */
static struct bytes big_number(struct arena *arena, struct bytes digits) {
	uint8_t *out = arena_zalloc(arena, 64, 1);
	for (size_t i = 0; i < digits.len; i++) {
		unsigned carry = digits.data[i] - '0';
		for (size_t k = 64; k-- > 0;) {
			carry += out[k] * 10u;
			out[k] = (uint8_t)carry;
			carry >>= 8;
		}
	}
	return bytes_make(out, 64);
}

static void encode(struct buf *out, struct arena *arena, const struct json *value, bool strings_are_hex) {
	uint64_t number;
	if (json_is(value, JSON_ARRAY)) {
		size_t list = rlp_list_begin(out);
		json_foreach (item, value) encode(out, arena, item, strings_are_hex);
		rlp_list_end(out, list);
	} else if (json_u64(&number, value)) {
		rlp_put_u64(out, number);
	} else if (strings_are_hex) {
		rlp_put_string(out, vectors_hex(arena, json_string(value)));
	} else if (json_string(value).len && json_string(value).data[0] == '#') {
		rlp_put_uint(out, big_number(arena, bytes_slice(json_string(value), 1, SIZE_MAX)));
	} else {
		rlp_put_string(out, json_string(value));
	}
}

/* Reads every item through the cursor and writes it again: what decodes must re-encode to the same bytes. */
static void copy_items(struct buf *out, struct rlp_cursor *cursor) {
	while (!rlp_at_end(cursor)) {
		if (!rlp_next_is_list(cursor)) {
			rlp_put_string(out, rlp_string(cursor));
			continue;
		}
		struct rlp_cursor child = rlp_enter(cursor);
		size_t list = rlp_list_begin(out);
		copy_items(out, &child);
		rlp_list_end(out, list);
		rlp_leave(cursor, &child);
	}
}

static bool copies(struct bytes encoded) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	struct rlp_cursor cursor = rlp_cursor(encoded);
	copy_items(&out, &cursor);
	bool is_same = rlp_finish(&cursor, NULL) == STATUS_OK && bytes_equal(buf_view(&out), encoded);
	buf_fini(&out);
	return is_same;
}

static bool case_is_good(struct arena *arena, const struct json *in, struct bytes encoded, bool strings_are_hex) {
	if (json_string_is(in, "INVALID")) return rlp_check(encoded, NULL) == STATUS_INVALID;
	bool is_good = rlp_check(encoded, NULL) == STATUS_OK && copies(encoded);
	if (json_string_is(in, "VALID")) return is_good;
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	encode(&out, arena, in, strings_are_hex);
	is_good = is_good && bytes_equal(buf_view(&out), encoded);
	buf_fini(&out);
	return is_good;
}

static void run_file(struct vectors *vectors, const char *file, const char *in, const char *out, bool strings_are_hex) {
	struct arena arena;
	arena_init(&arena);
	json_foreach (item, vectors_json(&arena, file)) {
		struct bytes encoded = vectors_hex(&arena, json_string(json_get(item, out)));
		struct bytes name = item->name.len ? item->name : json_string(json_get(item, "name"));
		vectors_count(vectors, case_is_good(&arena, json_get(item, in), encoded, strings_are_hex), file, name);
	}
	arena_fini(&arena);
}

static void test_ethereum(void **state) {
	(void)state;
	vectors_need("ethereum/rlp");
	struct vectors vectors = {.name = "RLP ethereum/tests"};
	run_file(&vectors, "ethereum/rlp/ethereum-tests/rlptest.json", "in", "out", false);
	run_file(&vectors, "ethereum/rlp/ethereum-tests/invalidRLPTest.json", "in", "out", false);
	run_file(&vectors, "ethereum/rlp/ethereum-tests/RandomRLPTests/example.json", "in", "out", false);
	vectors_report(&vectors);
}

static void test_ethers(void **state) {
	(void)state;
	vectors_need("ethereum/rlp/ethers");
	struct vectors vectors = {.name = "RLP ethers"};
	run_file(&vectors, "ethereum/rlp/ethers/rlp.json", "decoded", "encoded", true);
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ethereum), cmocka_unit_test(test_ethers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
