/* Headers at every count of fields, blocks, receipts, blooms, constants and address spelling. */
#include "codec/rlp.h"
#include "crypto/hash.h"
#include "eth/types.h"
#include "tests/unit.h"

static struct header sample_header(uint8_t field_count) {
	struct header header = {.parent_hash = {{1}},
	    .beneficiary = {{2}},
	    .difficulty = u256_from(0),
	    .number = 5,
	    .gas_limit = 30000000,
	    .timestamp = 1700000000,
	    .extra_data = "extra",
	    .extra_data_len = 5,
	    .nonce = {0, 0, 0, 0, 0, 0, 0, 42},
	    .field_count = field_count};
	if (field_count >= HEADER_LONDON) header.base_fee_wei = u256_from(7);
	if (field_count >= HEADER_SHANGHAI) header.withdrawals_root = empty_trie_root;
	if (field_count > HEADER_SHANGHAI) header.excess_blob_gas = 131072;
	if (field_count >= HEADER_CANCUN) header.parent_beacon_root = (hash32){{9}};
	if (field_count >= HEADER_PRAGUE) header.requests_hash = empty_requests_hash;
	return header;
}

static void test_header_fields(void **state) {
	(void)state;
	static const uint8_t counts[] = {15, 16, 17, 19, 20, 21};
	struct buf out;
	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof counts; i++) {
		struct header header = sample_header(counts[i]), decoded;
		buf_clear(&out);
		header_encode(&out, &header);
		assert_int_equal(header_decode(&decoded, buf_view(&out), NULL), STATUS_OK);
		assert_int_equal(decoded.field_count, counts[i]);
		struct buf again;
		buf_init(&again, 4096);
		header_encode(&again, &decoded);
		assert_true(bytes_equal(buf_view(&out), buf_view(&again)));
		buf_fini(&again);
		hash32 hash = header_hash(&decoded), expected = keccak256(buf_view(&out));
		assert_true(hash32_equal(&hash, &expected));
	}
	buf_fini(&out);
}

/* A header with `count` fields for a count that cannot be, and with extraData of a length. */
static enum status decode_shaped(size_t count, size_t extra_len) {
	static const size_t widths[] = {32, 32, 20, 32, 32, 32, 256, 0, 0, 0, 0, 0, 0, 32, 8, 0, 32, 0, 0, 32, 32, 32};
	static const uint8_t zeros[256];
	struct buf out;
	struct header header;
	buf_init(&out, 4096);
	size_t list = rlp_list_begin(&out);
	for (size_t i = 0; i < count; i++) rlp_put_string(&out, bytes_make(zeros, i == 12 ? extra_len : widths[i]));
	rlp_list_end(&out, list);
	enum status status = header_decode(&header, buf_view(&out), NULL);
	buf_fini(&out);
	return status;
}

static void test_header_refused(void **state) {
	(void)state;
	for (size_t count = 0; count <= 22; count++) {
		bool is_valid = count == 15 || count == 16 || count == 17 || count == 19 || count == 20 || count == 21;
		assert_int_equal(decode_shaped(count, 0), is_valid ? STATUS_OK : STATUS_INVALID);
	}
	assert_int_equal(decode_shaped(HEADER_PRAGUE, 32), STATUS_OK);
	assert_int_equal(decode_shaped(HEADER_PRAGUE, 33), STATUS_INVALID);
}

static void test_block_with_wrapped_legacy(void **state) {
	(void)state;
	struct arena arena;
	struct buf out;
	arena_init(&arena);
	buf_init(&out, 1 << 16);
	const hash32 secret = {{[31] = 9}};
	struct transaction txs[2] = {
	    {.type = TX_LEGACY, .gas_limit = 21000}, {.type = TX_DYNAMIC_FEE, .has_chain_id = true}};
	for (int i = 0; i < 2; i++) assert_int_equal(transaction_sign(&txs[i], &arena, &secret, NULL), STATUS_OK);
	struct withdrawal withdrawal = {.index = 1, .validator_index = 2, .address = {{3}}, .amount_gwei = 4};
	struct block block = {.header = sample_header(HEADER_PRAGUE),
			 .transactions = txs,
			 .transaction_count = 2,
			 .has_withdrawals = true,
			 .withdrawals = &withdrawal,
			 .withdrawal_count = 1},
		     decoded;
	block_encode(&out, &block);
	assert_int_equal(block_decode(&decoded, &arena, buf_view(&out), NULL), STATUS_OK);
	assert_int_equal(decoded.transaction_count, 2);
	assert_int_equal(decoded.transactions[1].type, TX_DYNAMIC_FEE);
	assert_int_equal(decoded.withdrawals[0].amount_gwei, 4);
	assert_int_equal(decoded.rlp_size, out.len);
	for (size_t len = 0; len < out.len; len++)
		assert_int_equal(
		    block_decode(&decoded, &arena, bytes_slice(buf_view(&out), 0, len), NULL), STATUS_INVALID);
	/* Fields alone encode to the same as the raw envelope. */
	struct block without_raw = block;
	struct transaction plain[2] = {txs[0], txs[1]};
	plain[0].raw = plain[1].raw = (struct bytes){0};
	without_raw.transactions = plain;
	struct buf again;
	buf_init(&again, 1 << 16);
	block_encode(&again, &without_raw);
	assert_true(bytes_equal(buf_view(&out), buf_view(&again)));
	buf_fini(&again);
	/* A legacy transaction inside a string is another block. */
	buf_clear(&out);
	size_t body = rlp_list_begin(&out), list = rlp_list_begin(&out);
	rlp_put_string(&out, txs[0].raw);
	rlp_list_end(&out, list);
	rlp_put_list_header(&out, 0);
	rlp_list_end(&out, body);
	assert_int_equal(block_body_decode(&decoded, &arena, buf_view(&out), NULL), STATUS_INVALID);
	buf_fini(&out);
	arena_fini(&arena);
}

static void test_receipts(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	struct log logs[2] = {
	    {.address = {{1}}, .topics = {{{2}}, {{3}}, {{4}}, {{5}}}, .topic_count = 4, .data = BYTES_LITERAL("data")},
	    {.address = {{6}}}};
	for (int type = TX_LEGACY; type <= TX_SET_CODE; type++) {
		struct receipt receipt = {.type = (enum tx_type)type,
				   .has_root = type == TX_LEGACY,
				   .root = {{7}},
				   .success = type != TX_ACCESS_LIST,
				   .cumulative_gas = 21000,
				   .logs = logs,
				   .log_count = 2},
			       decoded;
		bloom_add_log(receipt.bloom, &logs[0]);
		struct buf out, again;
		buf_init(&out, 1 << 16);
		buf_init(&again, 1 << 16);
		receipt_encode(&out, &receipt);
		assert_int_equal(receipt_decode(&decoded, &arena, buf_view(&out), NULL), STATUS_OK);
		assert_int_equal(decoded.type, type);
		assert_true(
		    decoded.has_root == receipt.has_root && (decoded.has_root || decoded.success == receipt.success));
		assert_int_equal(decoded.log_count, 2);
		assert_int_equal(decoded.logs[0].topic_count, 4);
		assert_true(bytes_equal(decoded.logs[0].data, logs[0].data));
		receipt_encode(&again, &decoded);
		assert_true(bytes_equal(buf_view(&out), buf_view(&again)));
		for (size_t len = 0; len < out.len; len++)
			assert_int_equal(receipt_decode(&decoded, &arena, bytes_slice(buf_view(&out), 0, len), NULL),
			    STATUS_INVALID);
		buf_fini(&out);
		buf_fini(&again);
	}
	arena_fini(&arena);
}

static void test_bloom(void **state) {
	(void)state;
	uint8_t bloom[BLOOM_BYTES] = {0};
	unsigned bits = 0;
	bloom_add(bloom, BYTES_LITERAL("item"));
	for (size_t i = 0; i < BLOOM_BYTES; i++) bits += (unsigned)__builtin_popcount(bloom[i]);
	assert_in_range(bits, 1, 3);
	assert_true(bloom_may_contain(bloom, BYTES_LITERAL("item")));
	assert_false(bloom_may_contain(bloom, BYTES_LITERAL("other")));
}

static void test_constants(void **state) {
	(void)state;
	hash32 hash = keccak256(BYTES_LITERAL("\xc0"));
	assert_true(hash32_equal(&hash, &empty_ommers_hash));
	hash = keccak256(BYTES_LITERAL("\x80"));
	assert_true(hash32_equal(&hash, &empty_trie_root));
	hash = keccak256((struct bytes){0});
	assert_true(hash32_equal(&hash, &empty_code_hash));
	hash = sha256((struct bytes){0});
	assert_true(hash32_equal(&hash, &empty_requests_hash));
}

/* Nonces around the widths of RLP numbers, against the list written with the RLP writer. */
static void test_create_nonces(void **state) {
	(void)state;
	static const uint64_t nonces[] = {0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, UINT32_MAX, UINT64_MAX};
	const addr20 sender = {{0xaa}};
	for (size_t i = 0; i < sizeof nonces / sizeof *nonces; i++) {
		struct buf out;
		buf_init(&out, 64);
		size_t list = rlp_list_begin(&out);
		rlp_put_string(&out, BYTES_OF(sender));
		rlp_put_u64(&out, nonces[i]);
		rlp_list_end(&out, list);
		hash32 hash = keccak256(buf_view(&out));
		addr20 address = address_of_create(&sender, nonces[i]);
		assert_memory_equal(address.b, hash.b + 12, 20);
		buf_fini(&out);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_header_fields), cmocka_unit_test(test_header_refused),
	    cmocka_unit_test(test_block_with_wrapped_legacy), cmocka_unit_test(test_receipts),
	    cmocka_unit_test(test_bloom), cmocka_unit_test(test_constants), cmocka_unit_test(test_create_nonces)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
