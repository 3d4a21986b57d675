/* A receipt stands for one container at one gate of one chain, and for its signer alone. */
#include "eth/held.h"

#include "tests/unit.h"

static const struct ed25519_secret secret = {{7}};
static const hash32 genesis = {{1}};

static struct held_blob blob_of(void) {
	return (struct held_blob){
	    .genesis = &genesis, .gate = {{2}}, .putter = {{3}}, .blob = {{4}}, .size_bytes = 5000};
}

static void a_receipt_is_its_members_own(void **state) {
	(void)state;
	const struct held_blob blob = blob_of();
	struct held_receipt receipt;
	hash32 key;
	assert_int_equal(held_sign(&receipt, &blob, &secret, 1700000000), STATUS_OK);
	assert_true(held_verify(&receipt, &blob));
	assert_int_equal(ed25519_public_of(&key, &secret), STATUS_OK);
	assert_memory_equal(receipt.key.b, key.b, 32);
	receipt.key.b[0] ^= 1;
	assert_false(held_verify(&receipt, &blob));
}

static void a_receipt_stands_for_nothing_else(void **state) {
	(void)state;
	static const hash32 other_genesis = {{9}};
	const struct held_blob blob = blob_of();
	struct held_receipt receipt, later;
	assert_int_equal(held_sign(&receipt, &blob, &secret, 1700000000), STATUS_OK);
	struct held_blob others[5] = {blob, blob, blob, blob, blob};
	others[0].genesis = &other_genesis;
	others[1].gate.b[19] = 1;
	others[2].putter.b[19] = 1;
	others[3].blob.b[31] = 1;
	others[4].size_bytes++;
	for (size_t i = 0; i < 5; i++) assert_false(held_verify(&receipt, &others[i]));
	later = receipt;
	later.time_s++;
	assert_false(held_verify(&later, &blob));
}

/* CometBFT signs 32 bytes with this key when peers connect: no text of ours is so short. */
static void what_is_signed_is_longer_than_a_challenge(void **state) {
	(void)state;
	struct buf text;
	buf_init(&text, 256);
	held_request_text(
	    &text, &(struct held_request){.genesis = &genesis, .path = BYTES_LITERAL("/"), .expiry_s = 1});
	assert_true(text.len > 64);
	buf_fini(&text);
}

static void a_request_is_for_one_member_path_and_body(void **state) {
	(void)state;
	const struct held_request request = {.genesis = &genesis,
	    .asked = {{5}},
	    .expiry_s = 10,
	    .path = BYTES_LITERAL("/a"),
	    .body = BYTES_LITERAL("b")};
	struct held_request others[5] = {request, request, request, request, request};
	static const hash32 other_genesis = {{9}};
	others[0].genesis = &other_genesis;
	others[1].asked.b[0] = 6;
	others[2].expiry_s = 11;
	others[3].path = BYTES_LITERAL("/ab");
	others[4].body = BYTES_LITERAL("c");
	struct buf text, other;
	buf_init(&text, 256);
	buf_init(&other, 256);
	held_request_text(&text, &request);
	for (size_t i = 0; i < 5; i++) {
		buf_clear(&other);
		held_request_text(&other, &others[i]);
		assert_false(bytes_equal(buf_view(&text), buf_view(&other)));
	}
	buf_fini(&text);
	buf_fini(&other);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_receipt_is_its_members_own),
	    cmocka_unit_test(a_receipt_stands_for_nothing_else),
	    cmocka_unit_test(what_is_signed_is_longer_than_a_challenge),
	    cmocka_unit_test(a_request_is_for_one_member_path_and_body)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
