/* Typed transactions: what each type holds, what is refused, sidecars, signing, and authorizations. */
#include "codec/rlp.h"
#include "crypto/hash.h"
#include "eth/types.h"
#include "tests/unit.h"

static const hash32 secret = {{[31] = 7}};
static const hash32 slots[2] = {{{1}}, {{2}}};
static const hash32 blobs[2] = {{{0x01, 0xaa}}, {{0x01, 0xbb}}};
static const struct access_entry accesses[2] = {
    {.address = {{3}}, .slots = slots, .slot_count = 2}, {.address = {{4}}}};

static struct transaction sample(enum tx_type type, const struct authorization *authorizations) {
	struct transaction tx = {.type = type,
	    .has_chain_id = true,
	    .chain_id = u256_from(1337),
	    .nonce = 9,
	    .max_priority_fee_wei = u256_from(2),
	    .max_fee_wei = u256_from(type < TX_DYNAMIC_FEE ? 2 : 300),
	    .gas_limit = 21000,
	    .to = {{5}},
	    .value_wei = u256_from(1000000),
	    .data = BYTES_LITERAL("data")};
	if (type != TX_LEGACY) tx.access_list = accesses, tx.access_count = 2;
	if (type == TX_BLOB) tx.blob_hashes = blobs, tx.blob_count = 2, tx.max_blob_fee_wei = u256_from(77);
	if (type == TX_SET_CODE) tx.authorizations = authorizations, tx.authorization_count = 1;
	return tx;
}

static struct authorization sample_authorization(void) {
	struct authorization authorization = {.chain_id = u256_from(1337), .address = {{6}}, .nonce = 3};
	assert_int_equal(authorization_sign(&authorization, &secret), STATUS_OK);
	return authorization;
}

static void assert_same(const struct transaction *a, const struct transaction *b) {
	assert_int_equal(a->type, b->type);
	assert_true(u256_equal(&a->chain_id, &b->chain_id) && u256_equal(&a->max_fee_wei, &b->max_fee_wei));
	assert_true(
	    u256_equal(&a->max_priority_fee_wei, &b->max_priority_fee_wei) && u256_equal(&a->value_wei, &b->value_wei));
	assert_true(u256_equal(&a->r, &b->r) && u256_equal(&a->s, &b->s) && u256_equal(&a->v, &b->v));
	assert_true(a->nonce == b->nonce && a->gas_limit == b->gas_limit && a->y_parity == b->y_parity);
	assert_true(bytes_equal(a->data, b->data) && bytes_equal(a->raw, b->raw) && addr20_equal(&a->to, &b->to));
	assert_int_equal(a->access_count, b->access_count);
	for (size_t i = 0; i < a->access_count; i++) {
		assert_true(addr20_equal(&a->access_list[i].address, &b->access_list[i].address));
		assert_int_equal(a->access_list[i].slot_count, b->access_list[i].slot_count);
		for (size_t k = 0; k < a->access_list[i].slot_count; k++)
			assert_true(hash32_equal(&a->access_list[i].slots[k], &b->access_list[i].slots[k]));
	}
	assert_int_equal(a->blob_count, b->blob_count);
	for (size_t i = 0; i < a->blob_count; i++) assert_true(hash32_equal(&a->blob_hashes[i], &b->blob_hashes[i]));
	assert_int_equal(a->authorization_count, b->authorization_count);
}

static void test_every_type(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	struct authorization authorization = sample_authorization();
	addr20 expected, sender;
	assert_int_equal(address_of_secret(&expected, &secret), STATUS_OK);
	for (int type = TX_LEGACY; type <= TX_SET_CODE; type++) {
		struct transaction tx = sample((enum tx_type)type, &authorization), decoded;
		struct err err;
		assert_int_equal(transaction_sign(&tx, &arena, &secret, &err), STATUS_OK);
		assert_int_equal(transaction_decode(&decoded, NULL, &arena, tx.raw, &err), STATUS_OK);
		assert_same(&tx, &decoded);
		assert_int_equal(transaction_sender(&sender, &decoded, true, &err), STATUS_OK);
		assert_true(addr20_equal(&sender, &expected));
		/* If it is cut off anywhere, or has a byte more, it is not a valid transaction. */
		for (size_t len = 0; len < tx.raw.len; len++)
			assert_int_equal(transaction_decode(&decoded, NULL, &arena, bytes_slice(tx.raw, 0, len), NULL),
			    STATUS_INVALID);
		uint8_t *longer = arena_alloc(&arena, tx.raw.len + 1);
		memcpy(longer, tx.raw.data, tx.raw.len);
		longer[tx.raw.len] = 0;
		struct bytes more = bytes_make(longer, tx.raw.len + 1);
		assert_int_equal(transaction_decode(&decoded, NULL, &arena, more, NULL), STATUS_INVALID);
	}
	arena_fini(&arena);
}

static void test_create_only_where_allowed(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	struct authorization authorization = sample_authorization();
	for (int type = TX_LEGACY; type <= TX_SET_CODE; type++) {
		struct transaction tx = sample((enum tx_type)type, &authorization), decoded;
		tx.is_create = true;
		assert_int_equal(transaction_sign(&tx, &arena, &secret, NULL), STATUS_OK);
		bool may_create = type < TX_BLOB;
		assert_int_equal(
		    transaction_decode(&decoded, NULL, &arena, tx.raw, NULL), may_create ? STATUS_OK : STATUS_INVALID);
		if (may_create) assert_true(decoded.is_create);
	}
	arena_fini(&arena);
}

/* Empty lists decode: that a type 3 or 4 must have some is a rule of exec. */
static void test_empty_lists(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	for (int type = TX_BLOB; type <= TX_SET_CODE; type++) {
		struct transaction tx = sample((enum tx_type)type, NULL), decoded;
		tx.blob_count = tx.authorization_count = tx.access_count = 0;
		assert_int_equal(transaction_sign(&tx, &arena, &secret, NULL), STATUS_OK);
		assert_int_equal(transaction_decode(&decoded, NULL, &arena, tx.raw, NULL), STATUS_OK);
		assert_int_equal(decoded.blob_count + decoded.authorization_count + decoded.access_count, 0);
	}
	arena_fini(&arena);
}

/* The pool form: [transaction, blobs, commitments, proofs], or with a version in second place. */
static struct bytes wrap(struct arena *arena, struct bytes raw, const char *rest, size_t rest_len) {
	struct buf out;
	buf_init(&out, 1 << 16);
	buf_byte(&out, TX_BLOB);
	size_t list = rlp_list_begin(&out);
	buf_append(&out, bytes_slice(raw, 1, raw.len));
	buf_append(&out, bytes_make(rest, rest_len));
	rlp_list_end(&out, list);
	struct bytes copy = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return copy;
}

static void test_sidecar(void **state) {
	(void)state;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	struct transaction tx = sample(TX_BLOB, NULL), decoded;
	assert_int_equal(transaction_sign(&tx, &arena, &secret, &err), STATUS_OK);
	static const struct {
		const char *rest;
		size_t len;
		enum status status;
	} cases[] = {{"\xc1\x05\xc0\xc0", 4, STATUS_OK}, {"\x01\xc0\xc0\xc0", 4, STATUS_OK},
	    {"\xc0\xc0", 2, STATUS_INVALID}, {"\xc0\xc0\xc0\xc0\xc0", 5, STATUS_INVALID},
	    {"\xc2\x05\xc0", 3, STATUS_INVALID}, {"", 0, STATUS_INVALID}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes sidecar, wrapped = wrap(&arena, tx.raw, cases[i].rest, cases[i].len);
		assert_int_equal(transaction_decode(&decoded, &sidecar, &arena, wrapped, NULL), cases[i].status);
		assert_int_equal(transaction_decode(&decoded, NULL, &arena, wrapped, NULL), STATUS_INVALID);
		if (cases[i].status) continue;
		assert_int_equal(transaction_decode(&decoded, &sidecar, &arena, wrapped, NULL), STATUS_OK);
		assert_true(bytes_equal(sidecar, bytes_make(cases[i].rest, cases[i].len)));
		assert_same(&tx, &decoded);
	}
	struct bytes sidecar;
	assert_int_equal(transaction_decode(&decoded, &sidecar, &arena, tx.raw, NULL), STATUS_OK);
	assert_int_equal(sidecar.len, 0);
	arena_fini(&arena);
}

static void test_legacy_v(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	static const struct {
		uint64_t v;
		bool is_valid, has_chain_id;
		uint64_t chain_id;
		uint8_t y_parity;
	} cases[] = {{0, false, false, 0, 0}, {1, false, false, 0, 0}, {26, false, false, 0, 0},
	    {27, true, false, 0, 0}, {28, true, false, 0, 1}, {29, false, false, 0, 0}, {34, false, false, 0, 0},
	    {35, true, true, 0, 0}, {36, true, true, 0, 1}, {37, true, true, 1, 0}, {38, true, true, 1, 1},
	    {UINT64_MAX, true, true, (UINT64_MAX - 35) / 2, 0}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct transaction tx = sample(TX_LEGACY, NULL), decoded;
		struct buf out;
		tx.v = u256_from(cases[i].v);
		tx.r = tx.s = u256_from(1);
		buf_init(&out, 1 << 16);
		transaction_encode(&out, &tx);
		enum status status = transaction_decode(&decoded, NULL, &arena, buf_view(&out), NULL);
		assert_int_equal(status, cases[i].is_valid ? STATUS_OK : STATUS_INVALID);
		if (!status) {
			assert_true(
			    decoded.has_chain_id == cases[i].has_chain_id && decoded.y_parity == cases[i].y_parity);
			assert_true(u256_clamp_u64(&decoded.chain_id) == cases[i].chain_id);
		}
		buf_fini(&out);
	}
	/* A chain id that would push v over 256 bits cannot be signed for. */
	struct transaction tx = sample(TX_LEGACY, NULL);
	tx.chain_id = (u256){{0, 0, 0, (uint64_t)1 << 63}};
	assert_int_equal(transaction_sign(&tx, &arena, &secret, NULL), STATUS_INVALID);
	tx = sample(TX_LEGACY, NULL);
	assert_int_equal(transaction_sign(&tx, &arena, &(hash32){{0}}, NULL), STATUS_INVALID);
	arena_fini(&arena);
}

/* Signatures that no key can have made, and the high s of EIP-2. */
static void test_sender_rules(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	struct transaction tx = sample(TX_DYNAMIC_FEE, NULL);
	assert_int_equal(transaction_sign(&tx, &arena, &secret, NULL), STATUS_OK);
	static const u256 order = {{0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};
	struct transaction high = tx;
	addr20 sender, expected;
	assert_false(u256_sub_overflow(&high.s, &order, &tx.s));
	high.y_parity ^= 1;
	assert_int_equal(transaction_sender(&sender, &high, true, NULL), STATUS_INVALID);
	assert_int_equal(transaction_sender(&sender, &high, false, NULL), STATUS_OK);
	assert_int_equal(address_of_secret(&expected, &secret), STATUS_OK);
	assert_true(addr20_equal(&sender, &expected));
	struct transaction zero_r = tx, zero_s = tx, large_r = tx;
	zero_r.r = zero_s.s = u256_from(0);
	large_r.r = order;
	assert_int_equal(transaction_sender(&sender, &zero_r, false, NULL), STATUS_INVALID);
	assert_int_equal(transaction_sender(&sender, &zero_s, false, NULL), STATUS_INVALID);
	assert_int_equal(transaction_sender(&sender, &large_r, false, NULL), STATUS_INVALID);
	arena_fini(&arena);
}

static void test_authorization(void **state) {
	(void)state;
	struct authorization authorization = sample_authorization(), changed = authorization;
	addr20 authority, expected;
	assert_int_equal(address_of_secret(&expected, &secret), STATUS_OK);
	assert_int_equal(authorization_authority(&authority, &authorization), STATUS_OK);
	assert_true(addr20_equal(&authority, &expected));
	changed.nonce++;
	assert_true(authorization_authority(&authority, &changed) || !addr20_equal(&authority, &expected));
	changed = authorization;
	changed.y_parity = u256_from(2);
	assert_int_equal(authorization_authority(&authority, &changed), STATUS_INVALID);
	static const u256 order = {{0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};
	changed = authorization;
	assert_false(u256_sub_overflow(&changed.s, &order, &authorization.s));
	changed.y_parity.w[0] ^= 1;
	assert_int_equal(authorization_authority(&authority, &changed), STATUS_INVALID);
	/* A parity over 8 bits makes the whole transaction invalid (EIP-7702). */
	struct arena arena;
	arena_init(&arena);
	struct transaction tx, decoded;
	for (uint64_t parity = 254; parity < 258; parity++) {
		authorization.y_parity = u256_from(parity);
		tx = sample(TX_SET_CODE, &authorization);
		assert_int_equal(transaction_sign(&tx, &arena, &secret, NULL), STATUS_OK);
		enum status status = transaction_decode(&decoded, NULL, &arena, tx.raw, NULL);
		assert_int_equal(status, parity < 256 ? STATUS_OK : STATUS_INVALID);
	}
	arena_fini(&arena);
}

static void test_unknown_types(void **state) {
	(void)state;
	struct arena arena;
	struct transaction tx;
	arena_init(&arena);
	for (unsigned first = 0; first < 256; first++) {
		uint8_t envelope[2] = {(uint8_t)first, 0xc0};
		assert_int_equal(transaction_decode(&tx, NULL, &arena, bytes_make(envelope, 2), NULL), STATUS_INVALID);
	}
	assert_int_equal(transaction_decode(&tx, NULL, &arena, (struct bytes){0}, NULL), STATUS_INVALID);
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_type),
	    cmocka_unit_test(test_create_only_where_allowed), cmocka_unit_test(test_empty_lists),
	    cmocka_unit_test(test_sidecar), cmocka_unit_test(test_legacy_v), cmocka_unit_test(test_sender_rules),
	    cmocka_unit_test(test_authorization), cmocka_unit_test(test_unknown_types)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
