/* Calldata of the transactions of one block, against a chain that can lie about it (tests/fake_chain.h). */
#include "health/chain/calldata.h"

#include "tests/unit.h"

#include "health/contracts/cause.h"
#include "tests/fake_home.h"

#define RIGHT BYTES_LITERAL("what was stated")
#define WRONG BYTES_LITERAL("what was never stated")

struct looking {
	struct world *world;
	struct arena arena;
	struct verified verified;
	uint64_t block;
	unsigned reads;
};

static int begin(void **state) {
	void *world;
	struct looking *looking = mem_zalloc(1, sizeof *looking);
	if (setup(&world) != 0) return -1;
	looking->world = world;
	arena_init(&looking->arena);
	struct fake_chain *chain = looking->world->chain;
	looking->block = chain->head + 1;
	for (uint32_t i = 0; i < 3; i++) { /* three events of one transaction */
		struct fake_event *event = &chain->events[chain->event_count++];
		*event = (struct fake_event){.block = looking->block, .index = i, .input = RIGHT};
		event->log = (struct log){.address = chain->anchor.consent, .topics = {{{1}}}, .topic_count = 1};
	}
	fake_mine(chain, FAKE_START_S + 10);
	fake_mine(chain, FAKE_START_S + 20);
	verified_begin(&looking->verified, looking->world->heads, looking->world->client, &looking->arena);
	assert_int_equal(verified_head(&looking->verified, HEADS_FRESH, &looking->world->err), STATUS_OK);
	*state = looking;
	return 0;
}

static int end(void **state) {
	struct looking *looking = *state;
	void *world = looking->world;
	arena_fini(&looking->arena);
	mem_free(looking);
	return teardown(&world);
}

static enum status read_it(void *context, struct bytes input, struct err *err) {
	struct looking *looking = context;
	looking->reads++;
	if (bytes_equal(input, RIGHT)) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "another statement than this one");
}

static enum status look(struct looking *looking, uint64_t block) {
	struct world *world = looking->world;
	const struct calldata_wish wish = {.query = {.address = &world->chain->anchor.consent},
	    .block = block,
	    .what = "the emergency of review 7",
	    .read = read_it,
	    .context = looking};
	looking->reads = 0;
	world->err = (struct err){0};
	return verified_statement(&looking->verified, &wish, &world->err);
}

static void expect_refusal(struct looking *looking, uint64_t block, const char *words) {
	struct err *err = &looking->world->err;
	assert_int_equal(look(looking, block), STATUS_DENIED);
	assert_int_equal(err->cause, CAUSE_NOT_PROVED);
	if (!strstr(err->message, words)) fail_msg("%s", err->message);
}

static void the_calldata_of_a_block_is_read_once_a_transaction(void **state) {
	struct looking *looking = *state;
	assert_int_equal(look(looking, looking->block), STATUS_OK);
	assert_int_equal(looking->reads, 1);
}

/* Seventy transactions of one kind; the statement stands in this one, from 1. */
static void add_transactions(struct looking *looking, size_t statement) {
	struct fake_chain *chain = looking->world->chain;
	chain->event_count = 0;
	for (size_t i = 1; i <= 70; i++) {
		struct fake_event *event = &chain->events[chain->event_count++];
		*event = (struct fake_event){.block = chain->head + 1, .input = i == statement ? RIGHT : WRONG};
		event->log = (struct log){.address = chain->anchor.consent, .topics = {{{1}}}, .topic_count = 1};
		fake_mine(chain, FAKE_START_S + 20 + 10 * i);
	}
	chain->now_ms = (FAKE_START_S + 20 + 700) * 1000;
	if (verified_head(&looking->verified, HEADS_FRESH, &looking->world->err))
		fail_msg("%s", looking->world->err.message);
}

static void one_statement_is_found_among_many_the_newest_first(void **state) {
	struct looking *looking = *state;
	add_transactions(looking, 69);
	assert_int_equal(look(looking, CALLDATA_ANY_BLOCK), STATUS_OK);
	assert_int_equal(looking->reads, 2);
	add_transactions(looking, 1);
	assert_int_equal(look(looking, CALLDATA_ANY_BLOCK), STATUS_OK);
	assert_int_equal(looking->reads, 70);
	add_transactions(looking, 0);
	expect_refusal(looking, CALLDATA_ANY_BLOCK, "the emergency of review 7: another statement than this one");
}

static void what_is_not_the_statement_is_refused_by_name(void **state) {
	struct looking *looking = *state;
	looking->world->chain->events[0].input = WRONG;
	expect_refusal(looking, looking->block, "the emergency of review 7: another statement than this one");
}

static void what_is_not_served_is_refused_with_the_block(void **state) {
	struct looking *looking = *state;
	expect_refusal(looking, looking->block + 1, "no event in block 5");
	looking->world->chain->hides_transactions = true;
	expect_refusal(looking, looking->block, "does not serve a transaction of block 4");
	looking->world->chain->event_count = 0;
	expect_refusal(looking, looking->block, "no event in block 4");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(the_calldata_of_a_block_is_read_once_a_transaction),
	    TEST(one_statement_is_found_among_many_the_newest_first),
	    TEST(what_is_not_the_statement_is_refused_by_name),
	    TEST(what_is_not_served_is_refused_with_the_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
