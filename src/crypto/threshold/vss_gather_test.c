#include "crypto/threshold/vss.h"

#include "tests/unit.h"

#include "base/mem.h"
#include "tests/scripted_random.h"

#define DEALERS_MAX 8u

struct member {
	struct vss_dealing dealings[DEALERS_MAX];
	struct vss_commitments commitments;
	struct vss_share share;
};

/* Dealer `place` deals `secret` to all members. */
static void deal(struct member *members, uint8_t count, uint8_t threshold, size_t place, uint8_t dealer,
    const struct p256_secret *secret, const struct random_source *random) {
	struct vss_commitments commitments;
	struct vss_share shares[DEALERS_MAX];
	assert_int_equal(vss_deal(&commitments, shares, secret, threshold, count, random), STATUS_OK);
	for (uint8_t i = 0; i < count; i++)
		members[i].dealings[place] =
		    (struct vss_dealing){.dealer = dealer, .commitments = commitments, .share = shares[i]};
}

static struct p256_secret draw(const struct random_source *random) {
	struct p256_secret secret;
	random_fill(random, secret.d, sizeof secret.d);
	secret.d[0] &= 0x7f;
	return secret;
}

static void deal_as_founders(struct member *members, uint8_t count, uint8_t threshold, uint64_t seed) {
	struct scripted_random script = {seed};
	const struct random_source random = scripted_random(&script);
	for (uint8_t dealer = 1; dealer <= count; dealer++) {
		const struct p256_secret secret = draw(&random);
		deal(members, count, threshold, dealer - 1u, dealer, &secret, &random);
	}
}

static void found(struct member *members, uint8_t count, uint8_t threshold, uint64_t seed) {
	uint64_t false_dealers;
	deal_as_founders(members, count, threshold, seed);
	for (uint8_t i = 0; i < count; i++)
		assert_int_equal(
		    vss_found(&members[i].commitments, &members[i].share, &false_dealers, members[i].dealings, count),
		    STATUS_OK);
}

/* All have the same commitments, each share is of them, and the last `threshold` give one key. */
static struct p256_secret key_of(const struct member *members, uint8_t count) {
	struct p256_secret secret;
	struct vss_share shares[DEALERS_MAX];
	const uint8_t threshold = members[0].commitments.threshold;
	for (uint8_t i = 0; i < count; i++) {
		assert_memory_equal(&members[i].commitments, &members[0].commitments, sizeof members[0].commitments);
		assert_int_equal(members[i].share.index, i + 1);
		assert_true(vss_share_is_valid(&members[i].share, &members[0].commitments));
		shares[i] = members[i].share;
	}
	assert_int_equal(
	    vss_combine(&secret, shares + count - threshold, threshold, &members[0].commitments), STATUS_OK);
	return secret;
}

static void founders_share_a_key_that_nobody_dealt(void **state) {
	(void)state;
	for (uint8_t count = 1; count <= 5; count++) {
		for (uint8_t threshold = 1; threshold <= count; threshold++) {
			struct member members[DEALERS_MAX];
			found(members, count, threshold, 10u * count + threshold);
			const struct p256_secret key = key_of(members, count);
			for (uint8_t i = 0; i < count && threshold > 1; i++)
				assert_memory_not_equal(key.d, members[i].share.value.d, 32);
		}
	}
}

/* The old members whose bits are in `set` deal their shares to `count` new ones. */
static void deal_again(struct member *members, uint8_t count, uint8_t threshold, const struct member *old, unsigned set,
    size_t *dealings) {
	struct scripted_random script = {99};
	const struct random_source random = scripted_random(&script);
	*dealings = 0;
	for (uint8_t i = 0; i < DEALERS_MAX; i++)
		if (set >> i & 1)
			deal(
			    members, count, threshold, (*dealings)++, old[i].share.index, &old[i].share.value, &random);
}

static void a_key_is_dealt_again_to_others_and_stays_the_same(void **state) {
	static const struct {
		uint8_t count, threshold, new_count, new_threshold;
		unsigned set;
	} cases[] = {{3, 2, 3, 2, 0x5}, {3, 2, 5, 3, 0x7}, {5, 3, 1, 1, 0x1c}, {1, 1, 4, 2, 0x1}, {4, 4, 7, 5, 0xf}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct member old[DEALERS_MAX], members[DEALERS_MAX];
		size_t dealings;
		uint64_t false_dealers;
		found(old, cases[i].count, cases[i].threshold, 1000 + i);
		deal_again(members, cases[i].new_count, cases[i].new_threshold, old, cases[i].set, &dealings);
		for (uint8_t j = 0; j < cases[i].new_count; j++)
			assert_int_equal(vss_reshare(&members[j].commitments, &members[j].share, &false_dealers,
					     members[j].dealings, dealings, &old[0].commitments),
			    STATUS_OK);
		const struct p256_secret before = key_of(old, cases[i].count);
		const struct p256_secret after = key_of(members, cases[i].new_count);
		assert_memory_equal(before.d, after.d, 32);
		assert_memory_equal(members[0].commitments.points[0].xy, old[0].commitments.points[0].xy, 64);
	}
}

static enum status gather(struct member *member, size_t count, uint64_t *false_dealers) {
	return vss_found(&member->commitments, &member->share, false_dealers, member->dealings, count);
}

static void false_dealers_are_named(void **state) {
	struct member members[DEALERS_MAX];
	uint64_t false_dealers;
	(void)state;
	deal_as_founders(members, 4, 3, 5);
	members[0].dealings[1].share.value.d[31] ^= 1;
	assert_int_equal(gather(&members[0], 4, &false_dealers), STATUS_DENIED);
	assert_int_equal(false_dealers, 0x2);
	members[1].dealings[2].commitments.threshold = 2;
	assert_int_equal(gather(&members[1], 4, &false_dealers), STATUS_DENIED);
	assert_int_equal(false_dealers, 0x4);
	members[2].dealings[3].dealer = 1; /* twice */
	assert_int_equal(gather(&members[2], 4, &false_dealers), STATUS_DENIED);
	assert_int_equal(false_dealers, 0x8);
	members[3].dealings[2] = members[0].dealings[2]; /* another member's */
	assert_int_equal(gather(&members[3], 4, &false_dealers), STATUS_DENIED);
	assert_int_equal(false_dealers, 0x4);
	assert_int_equal(gather(&members[3], 0, &false_dealers), STATUS_INVALID);
	assert_int_equal(gather(&members[3], VSS_SHARES_MAX + 1, &false_dealers), STATUS_INVALID);
}

/* One that deals another secret than its old share would change the key. */
static void an_old_member_deals_its_own_share_only(void **state) {
	struct scripted_random script = {3};
	const struct random_source random = scripted_random(&script);
	struct member old[DEALERS_MAX], members[DEALERS_MAX];
	size_t dealings;
	uint64_t false_dealers;
	(void)state;
	found(old, 3, 2, 6);
	deal_again(members, 3, 2, old, 0x3, &dealings);
	const struct p256_secret another = draw(&random);
	deal(members, 3, 2, 1, 2, &another, &random);
	assert_int_equal(vss_reshare(&members[0].commitments, &members[0].share, &false_dealers, members[0].dealings,
			     dealings, &old[0].commitments),
	    STATUS_DENIED);
	assert_int_equal(false_dealers, 0x2);
	assert_int_equal(vss_reshare(&members[0].commitments, &members[0].share, &false_dealers, members[0].dealings, 1,
			     &old[0].commitments),
	    STATUS_INVALID);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(founders_share_a_key_that_nobody_dealt),
	    cmocka_unit_test(a_key_is_dealt_again_to_others_and_stays_the_same),
	    cmocka_unit_test(false_dealers_are_named),
	    cmocka_unit_test(an_old_member_deals_its_own_share_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
