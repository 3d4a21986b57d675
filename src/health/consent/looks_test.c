/* The list of looks, against a chain that hides, changes and invents entries (tests/fake_chain.h). */
#include "health/consent/looks.h"

#include "tests/unit.h"

#include "health/contracts/cause.h"
#include "health/contracts/consent.h"
#include "tests/fake_home.h"

#define LOOKS 20u

struct scene {
	struct world *world;
	struct arena arena;
	struct verified verified;
	struct list_state list;
	hash32 folder, slot;
	struct access_event seen[2 * LOOKS];
	size_t seen_count;
};

static void put_word(uint8_t *data, size_t at, uint64_t value) {
	store_be64(data + 32 * at + 24, value);
}

/* What Consent does: an event, and its entry in the list. Words of the entry: record, actor, purpose, permitted,
 * reason, until, review. */
static void look(struct scene *scene, uint64_t time_s) {
	struct fake_chain *chain = scene->world->chain;
	const uint64_t n = scene->list.count + 1;
	const hash32 record = {{(uint8_t)n}};
	const addr20 actor = {{(uint8_t)n, 7}};
	const struct contract_topics topics = consent_access_event_topics(&scene->folder, &record, &actor);
	uint8_t words[7 * 32] = {0}, *data = arena_zalloc(&scene->arena, 7 * 32, 1);
	memcpy(words, record.b, 32);
	memcpy(words + 32 + 12, actor.b, 20);
	put_word(words, 3, n % 2);
	put_word(words, 4, n % 2 ? CONSENT_REASON_PERMITTED : CONSENT_REASON_NO_GRANT);
	put_word(words, 5, n % 2 ? time_s + 1800 : 0);
	memcpy(data, words + 2 * 32, 5 * 32); /* purpose to review */
	put_word(data, 5, n);
	memcpy(data + 6 * 32, scene->list.head, LIST_HEAD_BYTES);
	const hash32 entry = keccak256(bytes_make(words, sizeof words));
	list_append(&scene->list, time_s, &entry);
	struct fake_event *event = &chain->events[chain->event_count++];
	*event = (struct fake_event){.block = chain->head + 1};
	event->log = (struct log){.address = chain->anchor.consent, .topic_count = 4, .data = bytes_make(data, 7 * 32)};
	memcpy(event->log.topics, topics.topics, sizeof event->log.topics);
	const hash32 word = list_store(&scene->list);
	fake_set(chain, &chain->anchor.consent, &scene->slot, &word);
	fake_mine(chain, time_s);
}

static void take_head(struct scene *scene) {
	if (verified_head(&scene->verified, HEADS_FRESH, &scene->world->err)) fail_msg("%s", scene->world->err.message);
}

static int begin(void **state) {
	void *world;
	struct scene *scene = mem_zalloc(1, sizeof *scene);
	if (setup(&world) != 0) return -1;
	scene->world = world;
	arena_init(&scene->arena);
	scene->folder = (hash32){{0xf0}};
	scene->slot = consent_look_lists_slot(&scene->folder);
	for (unsigned i = 0; i < LOOKS; i++) look(scene, FAKE_START_S + 10 + i);
	verified_begin(&scene->verified, scene->world->heads, scene->world->client, &scene->arena);
	take_head(scene);
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

static enum status see(void *context, const struct access_event *event, struct err *err) {
	struct scene *scene = context;
	(void)err;
	scene->seen[scene->seen_count++] = *event;
	return STATUS_OK;
}

static enum status read_looks(struct scene *scene, uint64_t before, uint64_t max) {
	const struct looks looks = {scene->folder, before, max, see, scene};
	scene->seen_count = 0;
	scene->world->err = (struct err){0};
	return looks_read(&scene->verified, &looks, &scene->world->err);
}

static void expect(struct scene *scene, uint64_t before, uint64_t max, uint64_t first, size_t count) {
	if (read_looks(scene, before, max)) fail_msg("%s", scene->world->err.message);
	assert_int_equal(scene->seen_count, count);
	for (size_t i = 0; i < count; i++) assert_int_equal(scene->seen[i].n, first - i);
}

static void every_look_is_shown_newest_first(void **state) {
	struct scene *scene = *state;
	expect(scene, 0, 0, LOOKS, LOOKS);
	for (size_t i = 0; i < LOOKS; i++) {
		const struct access_event *event = &scene->seen[i];
		assert_int_equal(event->timestamp, FAKE_START_S + 10 + event->n - 1);
		assert_int_equal(event->actor.b[0], event->n);
		assert_int_equal(event->permitted, event->n % 2);
	}
}

static void the_log_has_pages(void **state) {
	struct scene *scene = *state;
	expect(scene, 0, 5, LOOKS, 5);
	expect(scene, LOOKS - 4, 5, LOOKS - 5, 5);
	expect(scene, 3, 5, 2, 2);
	expect(scene, 1, 5, 0, 0);
	expect(scene, LOOKS + 1, 2, LOOKS, 2);
	expect(scene, UINT64_MAX, 2, LOOKS, 2);
	expect(scene, 3, 0, 2, 2);
	expect(scene, 0, UINT64_MAX, LOOKS, LOOKS);
	expect(scene, 3, UINT64_MAX, 2, 2);
}

static void expect_refusal(struct scene *scene, const char *words) {
	assert_int_equal(read_looks(scene, 0, 0), STATUS_DENIED);
	assert_int_equal(scene->world->err.cause, CAUSE_NOT_PROVED);
	if (!strstr(scene->world->err.message, words)) fail_msg("%s", scene->world->err.message);
}

static void a_hidden_look_is_named(void **state) {
	struct scene *scene = *state;
	scene->world->chain->hides_event = 7;
	expect_refusal(scene, "entries 7 to 7 of the list were not served");
	scene->world->chain->hides_event = LOOKS;
	expect_refusal(scene, "entries 20 to 20 of the list were not served");
	scene->world->chain->event_count = 0;
	expect_refusal(scene, "entries 1 to 20 of the list were not served");
}

static void each_word_of_a_look_counts(void **state) {
	struct scene *scene = *state;
	const struct fake_event *event = &scene->world->chain->events[4];
	for (size_t word = 0; word < 5; word++) { /* purpose, permitted, reason, until, review */
		uint8_t *byte = (uint8_t *)event->log.data.data + 32 * word + 31;
		*byte ^= 1;
		expect_refusal(scene, "entry 5 is not the one that the list has");
		*byte ^= 1;
	}
	struct log *log = &scene->world->chain->events[4].log;
	log->topics[2].b[31] ^= 1; /* the record */
	expect_refusal(scene, "entry 5 is not the one that the list has");
	log->topics[2].b[31] ^= 1;
	log->topics[3].b[31] ^= 1; /* the actor */
	expect_refusal(scene, "entry 5 is not the one that the list has");
}

static void only_what_a_transaction_added_is_read(void **state) {
	struct scene *scene = *state;
	const struct list_state before = scene->list;
	const struct looks looks = {scene->folder, 0, 0, see, scene};
	look(scene, FAKE_START_S + 60);
	look(scene, FAKE_START_S + 61);
	take_head(scene);
	if (looks_read_since(&scene->verified, &looks, &before, &scene->world->err))
		fail_msg("%s", scene->world->err.message);
	assert_int_equal(scene->seen_count, 2);
	scene->world->chain->hides_event = LOOKS + 2;
	assert_int_equal(looks_read_since(&scene->verified, &looks, &before, &scene->world->err), STATUS_DENIED);
}

/* Whoever decides blocks can sign a state that no transaction made. */
static void a_list_that_was_rewritten_is_refused(void **state) {
	struct scene *scene = *state;
	struct fake_chain *chain = scene->world->chain;
	expect(scene, 0, 0, LOOKS, LOOKS);
	chain->event_count = 0;
	scene->list = (struct list_state){0};
	for (unsigned i = 0; i < LOOKS - 1; i++) look(scene, FAKE_START_S + 60 + i);
	take_head(scene);
	expect_refusal(scene, "not those that this home was shown before");
	look(scene, FAKE_START_S + 90);
	take_head(scene);
	expect_refusal(scene, "not those that this home was shown before");
	look(scene, FAKE_START_S + 91);
	take_head(scene);
	expect_refusal(scene, "not those that this home was shown before");
}

static void a_page_is_not_taken_for_the_whole(void **state) {
	struct scene *scene = *state;
	struct list_state remembered;
	struct world *world = scene->world;
	expect(scene, 0, 5, LOOKS, 5);
	assert_int_equal(
	    verified_remembered(world->heads, &remembered, &world->chain->anchor.consent, &scene->slot, &world->err),
	    STATUS_OK);
	assert_int_equal(remembered.count, 0);
	expect(scene, 0, 0, LOOKS, LOOKS);
	assert_int_equal(
	    verified_remembered(world->heads, &remembered, &world->chain->anchor.consent, &scene->slot, &world->err),
	    STATUS_OK);
	assert_int_equal(remembered.count, LOOKS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(every_look_is_shown_newest_first),
	    TEST(the_log_has_pages),
	    TEST(a_hidden_look_is_named),
	    TEST(each_word_of_a_look_counts),
	    TEST(only_what_a_transaction_added_is_read),
	    TEST(a_list_that_was_rewritten_is_refused),
	    TEST(a_page_is_not_taken_for_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
