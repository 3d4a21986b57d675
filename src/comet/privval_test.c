/* A key signs one thing for a height, a round and a step, whatever comes. */
#include "tests/unit.h"

#include "comet/encoding.h"
#include "comet/privval.h"

static unsigned saves;
static bool disk_is_full;
static struct ed25519_secret secret;

static enum status save(void *context, const struct privval_state *state, struct err *err) {
	(void)context, (void)state;
	saves++;
	return disk_is_full ? err_set(err, STATUS_IO, "the disk is full") : STATUS_OK;
}

static struct privval make(void) {
	struct privval signer = {.save = save};
	memset(secret.seed, 7, sizeof secret.seed);
	assert_int_equal(signing_key_of_ed25519(&signer.key, &secret), STATUS_OK);
	saves = 0;
	disk_is_full = false;
	return signer;
}

struct ask {
	uint64_t kind;
	int64_t height, round;
	uint8_t block; /* 0: nil */
	int64_t time_s;
};

static void put_request(struct buf *out, const struct ask *ask) {
	uint8_t hash[32];
	memset(hash, ask->block, sizeof hash);
	const struct bytes name = ask->block ? bytes_make(hash, sizeof hash) : (struct bytes){NULL, 0};
	const struct comet_block_id id = {.hash = name, .total = ask->block ? 1 : 0, .parts = name};
	const bool is_proposal = ask->kind == 32;
	uint32_t number = 4;
	const size_t message = protobuf_begin(out, is_proposal ? 5 : 3), thing = protobuf_begin(out, 1);
	protobuf_put_u64(out, 1, ask->kind);
	protobuf_put_i64(out, 2, ask->height);
	protobuf_put_i64(out, 3, ask->round);
	if (is_proposal) protobuf_put_i64(out, number++, -1);
	comet_put_block_id(out, number++, &id);
	comet_put_time(out, number, &(struct comet_time){.s = ask->time_s});
	protobuf_end(out, thing);
	protobuf_put_bytes(out, 2, BYTES_LITERAL("chain"));
	protobuf_end(out, message);
}

static struct bytes field_of(struct bytes message, uint32_t number) {
	struct protobuf_cursor cursor = protobuf_cursor(message);
	struct protobuf_field field;
	while (protobuf_next(&cursor, &field))
		if (field.number == number) return protobuf_bytes(&cursor, &field);
	return (struct bytes){NULL, 0};
}

/* The signature in the answer; empty: it was refused. In `out`. */
static struct bytes signature_of(struct privval *signer, struct buf *out, const struct ask *ask) {
	struct buf request;
	const bool is_proposal = ask->kind == 32;
	buf_init(&request, 1 << 16);
	buf_clear(out);
	put_request(&request, ask);
	assert_int_equal(privval_answer(signer, out, buf_view(&request), NULL), STATUS_OK);
	buf_fini(&request);
	const struct bytes answer = field_of(buf_view(out), is_proposal ? 6 : 4);
	assert_true(answer.len > 0);
	const struct bytes thing = field_of(answer, 1);
	assert_true((thing.len == 0) == (field_of(answer, 2).len > 0));
	return field_of(thing, is_proposal ? 7 : 8);
}

static bool signs(struct privval *signer, const struct ask *ask) {
	struct buf out;
	buf_init(&out, 1 << 16);
	const bool has = signature_of(signer, &out, ask).len == ED25519_SIGNATURE_BYTES;
	buf_fini(&out);
	return has;
}

static void one_thing_is_signed_at_a_place(void **state) {
	(void)state;
	struct privval signer = make();
	assert_true(signs(&signer, &(struct ask){32, 5, 0, 1, 10}));
	assert_true(signs(&signer, &(struct ask){1, 5, 0, 1, 11}));
	assert_true(signs(&signer, &(struct ask){2, 5, 0, 1, 12}));
	assert_int_equal(saves, 3);
	const struct ask refused[] = {{2, 5, 0, 2, 12}, {2, 5, 0, 0, 12}, {1, 5, 0, 1, 11}, {32, 5, 0, 1, 10},
	    {2, 4, 9, 1, 12}, {1, 5, 0, 2, 11}};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) assert_false(signs(&signer, &refused[i]));
	assert_int_equal(saves, 3);
	assert_int_equal(signer.refused, 6);
	assert_true(signs(&signer, &(struct ask){2, 5, 0, 1, 12})); /* the same again */
	assert_int_equal(saves, 3);
	assert_true(signs(&signer, &(struct ask){1, 5, 1, 2, 13}));
	assert_false(signs(&signer, &(struct ask){2, 5, 0, 1, 12}));
	assert_true(signs(&signer, &(struct ask){32, 6, 0, 3, 14}));
}

static void the_same_with_another_time_gets_the_time_that_was_signed(void **state) {
	(void)state;
	struct privval signer = make();
	struct buf first, again;
	buf_init(&first, 1 << 16);
	buf_init(&again, 1 << 16);
	const struct bytes one = signature_of(&signer, &first, &(struct ask){2, 5, 0, 1, 10});
	const struct bytes two = signature_of(&signer, &again, &(struct ask){2, 5, 0, 1, 99});
	assert_true(one.len == ED25519_SIGNATURE_BYTES && bytes_equal(one, two));
	assert_true(
	    bytes_equal(field_of(field_of(buf_view(&first), 4), 1), field_of(field_of(buf_view(&again), 4), 1)));
	assert_false(signs(&signer, &(struct ask){2, 5, 0, 2, 99}));
	buf_fini(&first);
	buf_fini(&again);
}

static void nothing_is_signed_that_is_not_kept(void **state) {
	(void)state;
	struct privval signer = make();
	disk_is_full = true;
	assert_false(signs(&signer, &(struct ask){1, 5, 0, 1, 10}));
	disk_is_full = false;
	assert_true(signs(&signer, &(struct ask){1, 5, 0, 2, 10}));
}

static void without_what_was_signed_nothing_is_signed_again(void **state) {
	(void)state;
	struct privval signer = make();
	signer.state = (struct privval_state){.height = 9, .round = 0, .step = PRIVVAL_PREVOTE};
	assert_false(signs(&signer, &(struct ask){1, 9, 0, 1, 10}));
	assert_true(signs(&signer, &(struct ask){2, 9, 0, 1, 10}));
}

/* A precommit for nil, field by field as types/canonical.go has them. */
static void the_signature_is_of_cometbfts_bytes(void **state) {
	(void)state;
	static const uint8_t expected[] = {0x28, 0x8, 0x2, 0x11, 0x1, 0, 0, 0, 0, 0, 0, 0, 0x19, 0x1, 0, 0, 0, 0, 0, 0,
	    0, 0x2a, 0x2, 0x8, 0x1, 0x32, 0x5, 'c', 'h', 'a', 'i', 'n'};
	struct privval signer = make();
	struct buf out;
	uint8_t text[sizeof expected];
	buf_init(&out, 1 << 16);
	const struct bytes signature = signature_of(&signer, &out, &(struct ask){2, 1, 1, 0, 1});
	memcpy(text, expected, sizeof text);
	text[0] = sizeof text - 1; /* the length in front */
	assert_int_equal(signer.state.sign_len, sizeof text);
	assert_memory_equal(signer.state.sign_bytes, text, sizeof text);
	hash32 point;
	memcpy(point.b, signer.key.public_key, sizeof point.b);
	assert_true(ed25519_verify(signature.data, &point, bytes_make(text, sizeof text)));
	buf_fini(&out);
}

static void what_is_out_of_range_is_refused(void **state) {
	(void)state;
	struct privval signer = make();
	const struct ask wrong[] = {{0, 5, 0, 1, 1}, {3, 5, 0, 1, 1}, {2, 0, 0, 1, 1}, {2, -1, 0, 1, 1},
	    {2, 5, -1, 1, 1}, {2, 5, (int64_t)INT32_MAX + 1, 1, 1}, {32, 5, 0, 0, 1}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(signs(&signer, &wrong[i]));
	assert_int_equal(saves, 0);
}

static void what_is_no_request_ends_the_connection(void **state) {
	(void)state;
	static const struct bytes wrong[] = {BYTES_LITERAL(""), BYTES_LITERAL("\x12\x00"), BYTES_LITERAL("\x08\x01"),
	    BYTES_LITERAL("\x1a\x05"), BYTES_LITERAL("\x3a\x00\x3a\x00"), BYTES_LITERAL("\x4a\x00")};
	struct privval signer = make();
	struct buf out;
	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(privval_answer(&signer, &out, wrong[i], NULL), STATUS_INVALID);
	assert_int_equal(out.len, 0);
	assert_int_equal(privval_answer(&signer, &out, BYTES_LITERAL("\x3a\x00"), NULL), STATUS_OK);
	assert_true(bytes_equal(buf_view(&out), BYTES_LITERAL("\x42\x00")));
	buf_fini(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_thing_is_signed_at_a_place),
	    cmocka_unit_test(the_same_with_another_time_gets_the_time_that_was_signed),
	    cmocka_unit_test(nothing_is_signed_that_is_not_kept),
	    cmocka_unit_test(without_what_was_signed_nothing_is_signed_again),
	    cmocka_unit_test(the_signature_is_of_cometbfts_bytes),
	    cmocka_unit_test(what_is_out_of_range_is_refused),
	    cmocka_unit_test(what_is_no_request_ends_the_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
