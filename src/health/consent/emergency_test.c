/* Emergencies, against a chain that hides, changes and invents them (tests/fake_chain.h). */
#include "health/consent/emergency.h"

#include "tests/unit.h"

#include "health/contracts/cause.h"
#include "health/records/items.h"
#include "tests/fake_home.h"

#define REVIEWS 300u /* more than two pages */

struct scene {
	struct world *world;
	struct arena arena;
	struct verified verified;
	hash32 rescue_secret, folder;
	addr20 rescue;
	struct consent_emergency said; /* of review 7 */
	uint64_t stated_at;
};

/* actor, until, open and statedAt, from the low end of the word. */
static hash32 review_word(const addr20 *actor, uint64_t until_s, bool open, uint64_t stated_at) {
	hash32 word = {{0}};
	uint8_t number[8];
	memcpy(word.b + 12, actor->b, 20);
	store_be64(number, until_s);
	memcpy(word.b + 7, number + 3, 5);
	word.b[6] = open;
	store_be64(number, stated_at);
	memcpy(word.b + 1, number + 3, 5);
	return word;
}

static void set_review(struct scene *scene, uint64_t number, uint64_t until_s, bool open, const hash32 *fact) {
	struct fake_chain *chain = scene->world->chain;
	const hash32 slot = consent_reviews_slot(number);
	const hash32 second = contract_slot_after(&slot, 1), third = contract_slot_after(&slot, 2);
	const hash32 first_word = review_word(&scene->rescue, until_s, open, scene->stated_at);
	fake_set(chain, &chain->anchor.consent, &slot, &first_word);
	fake_set(chain, &chain->anchor.consent, &second, &scene->folder);
	fake_set(chain, &chain->anchor.consent, &third, fact);
}

static struct bytes signed_call(struct scene *scene, const hash32 *secret) {
	const struct deployment *anchor = &scene->world->chain->anchor;
	const struct eip712_domain domain = deployment_domain(anchor, &anchor->consent);
	const hash32 digest = consent_emergency_typed_digest(&scene->said, &domain);
	struct eth_signature signature;
	assert_int_equal(eth_sign_digest(&signature, secret, &digest), STATUS_OK);
	return consent_break_glass_call(&scene->arena, &scene->said, BYTES_OF(signature));
}

/* The log that the emergency made: its transaction's calldata are signed with this key. */
static void add_event(struct scene *scene, const hash32 *secret) {
	struct fake_chain *chain = scene->world->chain;
	const uint64_t number = 7;
	const struct contract_topics topics =
	    consent_glass_broken_event_topics(&scene->folder, &scene->rescue, &number);
	struct fake_event *event = &chain->events[chain->event_count++];
	*event = (struct fake_event){.block = scene->stated_at, .input = signed_call(scene, secret)};
	event->log = (struct log){.address = chain->anchor.consent, .topic_count = 4};
	memcpy(event->log.topics, topics.topics, sizeof event->log.topics);
}

static int begin(void **state) {
	void *world;
	struct scene *scene = mem_zalloc(1, sizeof *scene);
	if (setup(&world) != 0) return -1;
	scene->world = world;
	arena_init(&scene->arena);
	struct fake_chain *chain = scene->world->chain;
	scene->rescue_secret.b[31] = 9;
	assert_int_equal(address_of_secret(&scene->rescue, &scene->rescue_secret), STATUS_OK);
	scene->folder = (hash32){{0xf0}};
	scene->stated_at = chain->head + 1;
	scene->said = (struct consent_emergency){.folder = scene->folder,
	    .actor = scene->rescue,
	    .reason_hash = {{1}},
	    .reason = {{2}},
	    .reason_size = 3,
	    .deadline = FAKE_START_S + 1000};
	const hash32 fact = consent_emergency_typed_hash(&scene->said), newest = consent_last_review_slot();
	hash32 count = {{0}};
	store_be64(count.b + 24, REVIEWS);
	fake_set(chain, &chain->anchor.consent, &newest, &count);
	for (uint64_t n = 1; n <= REVIEWS; n++)
		set_review(scene, n, FAKE_START_S + 1000 + n, n != 8, n == 7 ? &fact : &count);
	fake_mine(chain, FAKE_START_S + 10);
	add_event(scene, &scene->rescue_secret);
	verified_begin(&scene->verified, scene->world->heads, scene->world->client, &scene->arena);
	assert_int_equal(verified_head(&scene->verified, HEADS_FRESH, &scene->world->err), STATUS_OK);
	*state = scene;
	return 0;
}

static int end(void **state) {
	struct scene *scene = *state;
	void *world = scene->world;
	arena_fini(&scene->arena);
	mem_free(scene);
	return teardown(&world);
}

static void every_emergency_is_found_by_its_number(void **state) {
	struct scene *scene = *state;
	struct consent_review reviews[EMERGENCY_PAGE];
	uint64_t newest;
	if (emergency_newest(&scene->verified, &newest, &scene->world->err)) fail_msg("%s", scene->world->err.message);
	assert_int_equal(newest, REVIEWS);
	const uint64_t first = newest - EMERGENCY_PAGE + 1;
	assert_int_equal(
	    emergency_reviews(&scene->verified, reviews, first, EMERGENCY_PAGE, &scene->world->err), STATUS_OK);
	for (size_t i = 0; i < EMERGENCY_PAGE; i++) {
		assert_memory_equal(reviews[i].actor.b, scene->rescue.b, 20);
		assert_int_equal(reviews[i].until, FAKE_START_S + 1000 + first + i);
		assert_true(hash32_equal(&reviews[i].folder, &scene->folder));
	}
	struct consent_review none;
	assert_int_equal(emergency_review(&scene->verified, &none, REVIEWS + 1, &scene->world->err), STATUS_NOTFOUND);
}

static void a_changed_review_is_refused(void **state) {
	struct scene *scene = *state;
	struct consent_review review;
	scene->world->chain->changes_bit = true;
	assert_int_equal(emergency_review(&scene->verified, &review, 7, &scene->world->err), STATUS_DENIED);
	assert_int_equal(scene->world->err.cause, CAUSE_NOT_PROVED);
}

static void a_window_ends_by_the_checkers_clock(void **state) {
	struct scene *scene = *state;
	struct consent_review review;
	assert_int_equal(emergency_review(&scene->verified, &review, 7, &scene->world->err), STATUS_OK);
	assert_true(emergency_is_open(&scene->verified, &review));
	scene->world->chain->now_ms = review.until * 1000 - 1; /* no block was made since */
	assert_true(emergency_is_open(&scene->verified, &review));
	scene->world->chain->now_ms = review.until * 1000;
	assert_false(emergency_is_open(&scene->verified, &review));
	assert_int_equal(emergency_review(&scene->verified, &review, 8, &scene->world->err), STATUS_OK);
	assert_false(emergency_is_open(&scene->verified, &review)); /* closed */
}

static enum status read_statement(struct scene *scene, struct statement_emergency *said) {
	struct consent_review review;
	scene->world->err = (struct err){0};
	assert_int_equal(emergency_review(&scene->verified, &review, 7, &scene->world->err), STATUS_OK);
	return emergency_statement(&scene->verified, said, 7, &review, &scene->world->err);
}

static void its_actors_statement_is_found(void **state) {
	struct scene *scene = *state;
	struct statement_emergency said;
	if (read_statement(scene, &said)) fail_msg("%s", scene->world->err.message);
	assert_memory_equal(said.reason_hash.b, scene->said.reason_hash.b, 32);
	assert_memory_equal(said.actor.b, scene->rescue.b, 20);
}

static void expect_no_statement(struct scene *scene, const char *words) {
	struct statement_emergency said;
	assert_int_equal(read_statement(scene, &said), STATUS_DENIED);
	assert_int_equal(scene->world->err.cause, CAUSE_NOT_PROVED);
	if (!strstr(scene->world->err.message, words)) fail_msg("%s", scene->world->err.message);
}

static void an_emergency_that_its_actor_did_not_sign_is_refused(void **state) {
	struct scene *scene = *state;
	const hash32 stranger = {{[31] = 10}};
	scene->world->chain->event_count = 0;
	add_event(scene, &stranger);
	expect_no_statement(scene, "the emergency of review 7: the emergency of 0x");
}

static void another_emergency_of_the_same_actor_is_refused(void **state) {
	struct scene *scene = *state;
	scene->world->chain->event_count = 0;
	scene->said.reason_hash.b[0] ^= 1;
	add_event(scene, &scene->rescue_secret);
	expect_no_statement(scene, "another statement than this one");
}

static void a_statement_that_is_not_served_is_refused(void **state) {
	struct scene *scene = *state;
	scene->world->chain->hides_transactions = true;
	expect_no_statement(scene, "does not serve a transaction");
	scene->world->chain->event_count = 0;
	expect_no_statement(scene, "no event in block");
}

static struct consent_stored_item release_of(struct scene *scene, uint32_t epoch) {
	struct consent_stored_item item;
	struct err *err = &scene->world->err;
	assert_int_equal(verified_head(&scene->verified, HEADS_FRESH, err), STATUS_OK);
	assert_int_equal(emergency_release(&scene->verified, &item, 7, &scene->rescue, epoch, err), STATUS_OK);
	return item;
}

static void a_release_is_a_proved_item_of_its_epoch(void **state) {
	struct scene *scene = *state;
	struct fake_chain *chain = scene->world->chain;
	assert_int_equal(release_of(scene, 2).kind, CONSENT_ITEM_KIND_NONE);
	const hash32 item = item_of_release(7, &scene->rescue, 2), slot = consent_items_slot(&item);
	const hash32 word = {{[31] = CONSENT_ITEM_KIND_RELEASE}}, blob = {{0xb1}},
		     third = contract_slot_after(&slot, 2);
	fake_set(chain, &chain->anchor.consent, &slot, &word);
	fake_set(chain, &chain->anchor.consent, &third, &blob);
	fake_mine(chain, FAKE_START_S + 20);
	const struct consent_stored_item found = release_of(scene, 2);
	assert_int_equal(found.kind, CONSENT_ITEM_KIND_RELEASE);
	assert_true(hash32_equal(&found.about, &blob));
	assert_false(found.refused);
	assert_int_equal(release_of(scene, 1).kind, CONSENT_ITEM_KIND_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(every_emergency_is_found_by_its_number),
	    TEST(a_changed_review_is_refused),
	    TEST(a_window_ends_by_the_checkers_clock),
	    TEST(its_actors_statement_is_found),
	    TEST(an_emergency_that_its_actor_did_not_sign_is_refused),
	    TEST(another_emergency_of_the_same_actor_is_refused),
	    TEST(a_statement_that_is_not_served_is_refused),
	    TEST(a_release_is_a_proved_item_of_its_epoch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
