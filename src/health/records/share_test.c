/* Shares as they are dealt and released: bound to their place, and combined from what was opened. */
#include "health/records/share.h"

#include "tests/unit.h"

#include "envelope/jwe.h"
#include "health/records/epoch.h"
#include "tests/scripted_random.h"

#define TRUSTEES 5u
#define THRESHOLD 3u

static const hash32 genesis = {{1}}, other_genesis = {{2}}, folder = {{3}}, other_folder = {{4}};

struct scene {
	struct scripted_random script;
	struct random_source random;
	struct arena arena;
	struct p256_secret secret, keys[TRUSTEES];
	struct p256_public publics[TRUSTEES];
	struct vss_commitments commitments;
	struct vss_share shares[TRUSTEES];
	struct err err;
};

static int begin(void **state) {
	struct scene *s = mem_zalloc(1, sizeof *s);
	s->script = (struct scripted_random){1};
	s->random = scripted_random(&s->script);
	arena_init(&s->arena);
	s->secret.d[31] = 77;
	for (uint8_t i = 0; i < TRUSTEES; i++) {
		s->keys[i].d[31] = (uint8_t)(i + 1);
		assert_int_equal(p256_public_of(&s->publics[i], &s->keys[i]), STATUS_OK);
	}
	assert_int_equal(vss_deal(&s->commitments, s->shares, &s->secret, THRESHOLD, TRUSTEES, &s->random), STATUS_OK);
	*state = s;
	return 0;
}

static int end(void **state) {
	struct scene *s = *state;
	arena_fini(&s->arena);
	mem_free(s);
	return 0;
}

static const struct share_release terms = {7, 2, 1000};

static struct share_place place_of(uint8_t index, const struct share_release *release) {
	return (struct share_place){&genesis, &folder, 4, index, release};
}

static struct bytes sealed(struct scene *s, const struct share_place *place) {
	const uint8_t i = (uint8_t)(place->index - 1);
	struct buf out;
	buf_init(&out, 4096);
	assert_int_equal(share_seal(&out, place, &s->publics[i], &s->shares[i], &s->random, &s->err), STATUS_OK);
	const struct bytes text = arena_dup(&s->arena, buf_view(&out));
	buf_fini(&out);
	return text;
}

static enum status opened(
    struct scene *s, struct vss_share *share, const struct share_place *place, struct bytes text) {
	return share_open(share, place, &s->keys[place->index - 1], text, &s->err);
}

static void enough_shares_that_were_dealt_give_the_key_and_fewer_do_not(void **state) {
	struct scene *s = *state;
	struct vss_share shares[TRUSTEES];
	struct p256_secret combined;
	for (uint8_t i = 1; i <= TRUSTEES; i++) {
		const struct share_place place = place_of(i, NULL);
		assert_int_equal(opened(s, &shares[i - 1], &place, sealed(s, &place)), STATUS_OK);
		assert_true(vss_share_is_valid(&shares[i - 1], &s->commitments));
		assert_memory_not_equal(shares[i - 1].value.d, s->secret.d, 32);
	}
	assert_int_equal(vss_combine(&combined, shares + 2, THRESHOLD, &s->commitments), STATUS_OK);
	assert_memory_equal(combined.d, s->secret.d, 32);
	assert_int_equal(vss_combine(&combined, shares, THRESHOLD - 1, &s->commitments), STATUS_INVALID);
}

static void a_share_is_of_its_chain_folder_epoch_and_trustee_alone(void **state) {
	struct scene *s = *state;
	const struct share_place right = place_of(2, NULL);
	struct share_place others[] = {right, right, right, right};
	others[0].genesis = &other_genesis;
	others[1].folder = &other_folder;
	others[2].epoch = 5;
	others[3].release = &terms; /* as it was dealt, it is no release */
	const struct bytes text = sealed(s, &right);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct vss_share share = {.index = 9};
		assert_int_equal(opened(s, &share, &others[i], text), STATUS_INVALID);
		assert_int_equal(share.index, 0); /* nothing of it is left */
	}
	struct vss_share share;
	const struct share_place third = place_of(3, NULL);
	assert_int_equal(share_open(&share, &third, &s->keys[1], text, &s->err), STATUS_INVALID);
	assert_int_equal(opened(s, &share, &third, text), STATUS_DENIED); /* another trustee's key */
}

static void a_release_is_for_one_emergency_one_key_and_one_time(void **state) {
	struct scene *s = *state;
	struct vss_share share;
	const struct share_place right = place_of(2, &terms), dealt = place_of(2, NULL);
	const struct bytes text = sealed(s, &right);
	assert_int_equal(opened(s, &share, &right, text), STATUS_OK);
	assert_true(vss_share_is_valid(&share, &s->commitments));
	const struct share_release others[] = {{8, 2, 1000}, {7, 3, 1000}, {7, 2, 1001}, {7, 2, 999}};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const struct share_place place = place_of(2, &others[i]);
		assert_int_equal(opened(s, &share, &place, text), STATUS_INVALID);
	}
	assert_int_equal(opened(s, &share, &dealt, text), STATUS_INVALID);
}

static void seal_bytes(struct scene *s, struct buf *out, const char *typ, struct bytes plaintext) {
	const char *members = arena_printf(&s->arena,
	    "{\"cty\":\"application/octet-stream\",\"typ\":\"%s\",\"gen\":\"0x01%062d\",\"fld\":\"0x03%062d\","
	    "\"epo\":4,\"idx\":2}",
	    typ, 0, 0);
	buf_clear(out);
	assert_int_equal(
	    jwe_ecdh_seal(out, &s->publics[1], bytes_text(members), plaintext, &s->random, &s->err), STATUS_OK);
}

static void what_is_no_share_is_refused(void **state) {
	struct scene *s = *state;
	const struct share_place place = place_of(2, NULL);
	uint8_t bytes[VSS_SHARE_BYTES + 1] = {0};
	struct vss_share share;
	struct buf out;
	buf_init(&out, 4096);
	vss_share_write(bytes, &s->shares[1]);
	seal_bytes(s, &out, "xinglin-share", bytes_make(bytes, VSS_SHARE_BYTES));
	assert_int_equal(opened(s, &share, &place, buf_view(&out)), STATUS_OK);
	seal_bytes(s, &out, "xinglin-wrap", bytes_make(bytes, VSS_SHARE_BYTES));
	assert_int_equal(opened(s, &share, &place, buf_view(&out)), STATUS_INVALID);
	for (size_t len = 0; len <= sizeof bytes; len++) {
		if (len == VSS_SHARE_BYTES) continue;
		seal_bytes(s, &out, "xinglin-share", bytes_make(bytes, len));
		assert_int_equal(opened(s, &share, &place, buf_view(&out)), STATUS_INVALID);
	}
	bytes[0] = 3; /* another trustee's, under this one's header */
	seal_bytes(s, &out, "xinglin-share", bytes_make(bytes, VSS_SHARE_BYTES));
	assert_int_equal(opened(s, &share, &place, buf_view(&out)), STATUS_INVALID);
	assert_int_equal(opened(s, &share, &place, BYTES_LITERAL("no share")), STATUS_INVALID);
	buf_fini(&out);
}

static void commitments_stand_in_the_statement_and_come_back(void **state) {
	struct scene *s = *state;
	struct epoch_recipient recipients[TRUSTEES] = {0};
	for (uint8_t i = 0; i < TRUSTEES; i++) recipients[i].address.b[19] = (uint8_t)(i + 1);
	const struct epoch_draft draft = {.recipients = recipients,
	    .recipient_count = TRUSTEES,
	    .trustee_count = TRUSTEES,
	    .threshold = THRESHOLD,
	    .commitments = s->commitments};
	struct statement_epoch epoch = {.key = s->commitments.points[0], .glass = epoch_glass(&s->arena, &draft, 30)};
	struct vss_commitments read;
	assert_int_equal(epoch.glass.commitments_count, 2 * (THRESHOLD - 1));
	assert_int_equal(share_commitments(&read, &epoch, &s->err), STATUS_OK);
	assert_memory_equal(&read, &s->commitments, sizeof read);
	assert_int_equal(share_index_of(&epoch, &recipients[4].address), 5);
	assert_int_equal(share_index_of(&epoch, &(addr20){{1}}), 0);
	epoch.glass.commitments_count--;
	assert_int_equal(share_commitments(&read, &epoch, &s->err), STATUS_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(enough_shares_that_were_dealt_give_the_key_and_fewer_do_not),
	    TEST(a_share_is_of_its_chain_folder_epoch_and_trustee_alone),
	    TEST(a_release_is_for_one_emergency_one_key_and_one_time),
	    TEST(what_is_no_share_is_refused),
	    TEST(commitments_stand_in_the_statement_and_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
