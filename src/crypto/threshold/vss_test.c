#include "crypto/threshold/vss.h"

#include "tests/unit.h"

#include "base/mem.h"
#include "tests/hexbytes.h"
#include "tests/scripted_random.h"

static const char order_text[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/* RFC 9591, appendix E.3, FROST(P-256, SHA-256): two of three. */
static const char rfc_secret[] = "8ba9bba2e0fd8c4767154d35a0b7562244a4aaf6f36c8fb8735fa48b301bd8de";
static const char rfc_coefficient[] = "80f25e6c0709353e46bfbe882a11bdbb1f8097e46340eb8673b7e14556e6c3a4";
static const char rfc_key_x[] = "3a309ad94e9fe8a7ba45dfc58f38bf091959d3c99cfbd02b4dc00585ec45ab70";
static const char *const rfc_shares[] = {"0c9c1a0fe806c184add50bbdcac913dda73e482daf95dcb9f35dbb0d8a9f7731",
    "8d8e787bef0ff6c2f494ca45f4dad198c6bee01212d6c84067159c52e1863ad5",
    "0e80d6e8f6192c003b5488ce1eec8f5429587d48cf001541e713b2d53c09d928"};

static void given_bytes_fill(void *context, uint8_t *out, size_t len) {
	const char **text = context;
	assert_non_null(*text); /* one coefficient is drawn, once */
	hexbytes(out, len, *text);
	*text = NULL;
}

struct dealt {
	struct p256_secret secret;
	struct vss_commitments commitments;
	struct vss_share shares[VSS_SHARES_MAX];
};

static void deal_as_rfc9591(struct dealt *dealt) {
	const char *coefficient = rfc_coefficient;
	const struct random_source random = {given_bytes_fill, &coefficient};
	hexbytes(dealt->secret.d, 32, rfc_secret);
	assert_int_equal(vss_deal(&dealt->commitments, dealt->shares, &dealt->secret, 2, 3, &random), STATUS_OK);
}

static void deal(struct dealt *dealt, uint8_t threshold, uint8_t count, uint64_t seed) {
	struct scripted_random script = {seed};
	const struct random_source random = scripted_random(&script);
	random_fill(&random, dealt->secret.d, sizeof dealt->secret.d);
	dealt->secret.d[0] &= 0x7f;
	assert_int_equal(
	    vss_deal(&dealt->commitments, dealt->shares, &dealt->secret, threshold, count, &random), STATUS_OK);
}

static void shares_are_those_of_rfc9591(void **state) {
	(void)state;
	struct dealt dealt;
	deal_as_rfc9591(&dealt);
	assert_int_equal(dealt.commitments.threshold, 2);
	assert_hex(dealt.commitments.points[0].xy, 32, rfc_key_x);
	assert_int_equal(dealt.commitments.points[0].xy[63] & 1, 0); /* 02: an even y */
	for (uint8_t i = 0; i < 3; i++) {
		assert_int_equal(dealt.shares[i].index, i + 1);
		assert_hex(dealt.shares[i].value.d, 32, rfc_shares[i]);
		assert_true(vss_share_is_valid(&dealt.shares[i], &dealt.commitments));
	}
}

static void every_pair_of_rfc9591s_shares_gives_the_group_secret(void **state) {
	(void)state;
	struct dealt dealt;
	deal_as_rfc9591(&dealt);
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 3; j++) {
			const struct vss_share pair[] = {dealt.shares[i], dealt.shares[j]};
			struct p256_secret secret;
			const enum status status = vss_combine(&secret, pair, 2, &dealt.commitments);
			assert_int_equal(status, i == j ? STATUS_INVALID : STATUS_OK);
			if (i != j) assert_hex(secret.d, 32, rfc_secret);
		}
	}
}

/* For every t of n, and every set of trustees: enough of them give the secret, and fewer are refused. */
static void every_set_that_is_large_enough_gives_the_secret(void **state) {
	(void)state;
	for (uint8_t count = 1; count <= 5; count++) {
		for (uint8_t threshold = 1; threshold <= count; threshold++) {
			struct dealt dealt;
			deal(&dealt, threshold, count, count * 100u + threshold);
			for (unsigned set = 0; set < 1u << count; set++) {
				struct vss_share some[VSS_SHARES_MAX];
				size_t have = 0;
				for (uint8_t i = count; i-- > 0;)
					if (set >> i & 1) some[have++] = dealt.shares[i];
				struct p256_secret secret;
				const enum status status = vss_combine(&secret, some, have, &dealt.commitments);
				assert_int_equal(status, have >= threshold ? STATUS_OK : STATUS_INVALID);
				static const struct p256_secret nothing;
				assert_memory_equal(secret.d, have >= threshold ? dealt.secret.d : nothing.d, 32);
			}
		}
	}
}

static void the_largest_set_works(void **state) {
	(void)state;
	struct dealt dealt;
	struct p256_secret secret;
	deal(&dealt, VSS_THRESHOLD_MAX, VSS_SHARES_MAX, 1);
	for (uint8_t i = 0; i < VSS_SHARES_MAX; i++)
		assert_true(vss_share_is_valid(&dealt.shares[i], &dealt.commitments));
	assert_int_equal(vss_combine(&secret, dealt.shares, VSS_SHARES_MAX, &dealt.commitments), STATUS_OK);
	assert_memory_equal(secret.d, dealt.secret.d, 32);
}

static void one_of_n_holds_the_key(void **state) {
	(void)state;
	struct dealt dealt;
	deal(&dealt, 1, 3, 2);
	for (size_t i = 0; i < 3; i++) assert_memory_equal(dealt.shares[i].value.d, dealt.secret.d, 32);
}

static void two_dealings_of_one_secret_share_nothing_but_the_key(void **state) {
	(void)state;
	struct dealt first, second;
	struct scripted_random script = {77};
	const struct random_source random = scripted_random(&script);
	deal(&first, 3, 5, 3);
	second.secret = first.secret;
	assert_int_equal(vss_deal(&second.commitments, second.shares, &second.secret, 3, 5, &random), STATUS_OK);
	assert_memory_equal(&first.commitments.points[0], &second.commitments.points[0], sizeof(struct p256_public));
	struct p256_secret secret;
	const struct vss_share mixed[] = {first.shares[0], first.shares[1], second.shares[2]};
	assert_int_equal(vss_combine(&secret, mixed, 3, &first.commitments), STATUS_DENIED);
	assert_false(vss_share_is_valid(&second.shares[2], &first.commitments));
}

static void a_dealing_out_of_bounds_is_refused(void **state) {
	(void)state;
	struct scripted_random script = {0};
	const struct random_source random = scripted_random(&script);
	struct dealt dealt = {.secret = {{[31] = 5}}};
	static const uint8_t bad[][2] = {{0, 0}, {0, 3}, {4, 3}, {1, 0}, {1, VSS_SHARES_MAX + 1},
	    {VSS_THRESHOLD_MAX + 1, VSS_SHARES_MAX}, {255, 255}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(
		    vss_deal(&dealt.commitments, dealt.shares, &dealt.secret, bad[i][0], bad[i][1], &random),
		    STATUS_INVALID);
	mem_wipe(&dealt.secret, sizeof dealt.secret);
	assert_int_equal(vss_deal(&dealt.commitments, dealt.shares, &dealt.secret, 2, 3, &random), STATUS_INVALID);
	hexbytes(dealt.secret.d, 32, order_text);
	assert_int_equal(vss_deal(&dealt.commitments, dealt.shares, &dealt.secret, 2, 3, &random), STATUS_INVALID);
}

/* What a random source gives at or above the order is no coefficient. */
static void draws_out_of_the_field_again_fill(void *context, uint8_t *out, size_t len) {
	unsigned *draws = context;
	memset(out, 0, len);
	if (*draws == 0) memset(out, 0xff, len);
	if (*draws == 1) hexbytes(out, len, order_text);
	if (*draws == 3) hexbytes(out, len, rfc_coefficient);
	++*draws;
}

static void a_coefficient_is_in_the_field_and_not_zero(void **state) {
	(void)state;
	unsigned draws = 0;
	const struct random_source random = {draws_out_of_the_field_again_fill, &draws};
	struct dealt dealt;
	hexbytes(dealt.secret.d, 32, rfc_secret);
	assert_int_equal(vss_deal(&dealt.commitments, dealt.shares, &dealt.secret, 2, 3, &random), STATUS_OK);
	assert_int_equal(draws, 4);
	assert_hex(dealt.shares[0].value.d, 32, rfc_shares[0]);
}

static void a_false_share_is_found_and_spoils_the_secret(void **state) {
	(void)state;
	struct dealt dealt;
	deal(&dealt, 3, 5, 4);
	for (unsigned bit = 0; bit < 256; bit += 17) {
		struct vss_share shares[3] = {dealt.shares[4], dealt.shares[1], dealt.shares[2]};
		struct p256_secret secret = {{1}};
		shares[1].value.d[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(vss_share_is_valid(&shares[1], &dealt.commitments));
		assert_true(vss_share_is_valid(&shares[0], &dealt.commitments));
		assert_int_not_equal(vss_combine(&secret, shares, 3, &dealt.commitments), STATUS_OK);
		assert_memory_equal(secret.d, (const uint8_t[32]){0}, 32);
	}
}

static void a_share_under_another_index_is_found(void **state) {
	(void)state;
	struct dealt dealt;
	deal(&dealt, 2, 3, 5);
	struct vss_share wrong = dealt.shares[0];
	struct p256_secret secret;
	for (unsigned index = 0; index < 256; index++) {
		wrong.index = (uint8_t)index;
		assert_int_equal(vss_share_is_valid(&wrong, &dealt.commitments), index == 1);
		const struct vss_share pair[] = {wrong, dealt.shares[1]};
		const enum status status = vss_combine(&secret, pair, 2, &dealt.commitments);
		if (index == 1)
			assert_int_equal(status, STATUS_OK);
		else
			assert_int_equal(status,
			    index == 0 || index == 2 || index > VSS_SHARES_MAX ? STATUS_INVALID : STATUS_DENIED);
	}
}

static void a_false_commitment_is_found(void **state) {
	(void)state;
	struct dealt dealt, other;
	deal(&dealt, 3, 5, 6);
	deal(&other, 3, 5, 7);
	for (size_t j = 0; j < 3; j++) {
		struct vss_commitments changed = dealt.commitments;
		changed.points[j] = other.commitments.points[j];
		assert_false(vss_share_is_valid(&dealt.shares[0], &changed));
		changed.points[j].xy[63] ^= 1; /* not on the curve */
		assert_false(vss_share_is_valid(&dealt.shares[0], &changed));
	}
	struct p256_secret secret;
	assert_int_equal(vss_combine(&secret, dealt.shares, 3, &other.commitments), STATUS_DENIED);
	struct vss_commitments shorter = dealt.commitments;
	shorter.threshold = 2; /* a dealer that says fewer are enough */
	assert_false(vss_share_is_valid(&dealt.shares[0], &shorter));
	assert_int_equal(vss_combine(&secret, dealt.shares, 2, &shorter), STATUS_DENIED);
}

static void values_off_the_field_are_refused(void **state) {
	(void)state;
	struct dealt dealt;
	struct p256_secret secret;
	deal(&dealt, 2, 3, 8);
	static const char *const values[] = {"0000000000000000000000000000000000000000000000000000000000000000",
	    order_text, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		struct vss_share pair[2] = {dealt.shares[0], dealt.shares[1]};
		uint8_t bytes[VSS_SHARE_BYTES];
		hexbytes(pair[1].value.d, 32, values[i]);
		assert_false(vss_share_is_valid(&pair[1], &dealt.commitments));
		assert_int_equal(vss_combine(&secret, pair, 2, &dealt.commitments), STATUS_INVALID);
		vss_share_write(bytes, &pair[1]);
		assert_int_equal(vss_share_read(&pair[0], bytes_make(bytes, sizeof bytes)), STATUS_INVALID);
	}
}

static void too_many_shares_are_refused(void **state) {
	(void)state;
	struct dealt dealt;
	struct vss_share shares[VSS_SHARES_MAX + 1];
	struct p256_secret secret;
	deal(&dealt, 2, VSS_SHARES_MAX, 9);
	memcpy(shares, dealt.shares, sizeof dealt.shares);
	shares[VSS_SHARES_MAX] = dealt.shares[0];
	assert_int_equal(vss_combine(&secret, shares, VSS_SHARES_MAX, &dealt.commitments), STATUS_OK);
	assert_int_equal(vss_combine(&secret, shares, VSS_SHARES_MAX + 1, &dealt.commitments), STATUS_INVALID);
}

static void a_share_is_read_as_it_was_written(void **state) {
	(void)state;
	struct dealt dealt;
	struct vss_share read;
	uint8_t bytes[VSS_SHARE_BYTES + 1] = {0};
	deal(&dealt, 2, 3, 10);
	vss_share_write(bytes, &dealt.shares[2]);
	assert_int_equal(bytes[0], 3);
	assert_int_equal(vss_share_read(&read, bytes_make(bytes, VSS_SHARE_BYTES)), STATUS_OK);
	assert_int_equal(read.index, 3);
	assert_memory_equal(read.value.d, dealt.shares[2].value.d, 32);
	for (size_t len = 0; len <= sizeof bytes; len++)
		assert_int_equal(
		    vss_share_read(&read, bytes_make(bytes, len)), len == VSS_SHARE_BYTES ? STATUS_OK : STATUS_INVALID);
	bytes[0] = 0;
	assert_int_equal(vss_share_read(&read, bytes_make(bytes, VSS_SHARE_BYTES)), STATUS_INVALID);
	bytes[0] = VSS_SHARES_MAX + 1;
	assert_int_equal(vss_share_read(&read, bytes_make(bytes, VSS_SHARE_BYTES)), STATUS_INVALID);
}

static void commitments_are_read_from_a_statement(void **state) {
	(void)state;
	struct dealt dealt;
	struct vss_commitments read;
	deal(&dealt, 3, 5, 11);
	struct p256_public points[VSS_THRESHOLD_MAX];
	memcpy(points, dealt.commitments.points, sizeof points);
	const struct bytes rest = bytes_make(points + 1, 2 * VSS_POINT_BYTES);
	assert_int_equal(vss_commitments_read(&read, 3, points, rest), STATUS_OK);
	assert_true(vss_share_is_valid(&dealt.shares[4], &read));
	static const uint8_t wrong[] = {0, 1, 2, 4, 8, 9, 255};
	for (size_t i = 0; i < sizeof wrong; i++)
		assert_int_equal(vss_commitments_read(&read, wrong[i], points, rest), STATUS_INVALID);
	assert_int_equal(vss_commitments_read(&read, 1, points, (struct bytes){NULL, 0}), STATUS_OK);
	for (size_t j = 0; j < 3; j++) {
		points[j].xy[63] ^= 1;
		assert_int_equal(vss_commitments_read(&read, 3, points, rest), STATUS_INVALID);
		points[j].xy[63] ^= 1;
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shares_are_those_of_rfc9591),
	    cmocka_unit_test(every_pair_of_rfc9591s_shares_gives_the_group_secret),
	    cmocka_unit_test(every_set_that_is_large_enough_gives_the_secret),
	    cmocka_unit_test(the_largest_set_works),
	    cmocka_unit_test(one_of_n_holds_the_key),
	    cmocka_unit_test(two_dealings_of_one_secret_share_nothing_but_the_key),
	    cmocka_unit_test(a_dealing_out_of_bounds_is_refused),
	    cmocka_unit_test(a_coefficient_is_in_the_field_and_not_zero),
	    cmocka_unit_test(a_false_share_is_found_and_spoils_the_secret),
	    cmocka_unit_test(a_share_under_another_index_is_found),
	    cmocka_unit_test(a_false_commitment_is_found),
	    cmocka_unit_test(values_off_the_field_are_refused),
	    cmocka_unit_test(too_many_shares_are_refused),
	    cmocka_unit_test(a_share_is_read_as_it_was_written),
	    cmocka_unit_test(commitments_are_read_from_a_statement),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
