/* Paging and following, against a scripted node and a store in memory. */
#include "health/chain/follow.h"

#include "tests/fake_node.h"
#include "tests/unit.h"

#define BLOCKS 1000u
#define STORED_MAX 4096u

/* --- a store in memory --- */

struct memory {
	struct follow_block kept[STORED_MAX];
	size_t kept_count;
	struct client_log rows[STORED_MAX]; /* without what they point to */
	size_t row_count;
	unsigned unwound;
};

static enum status memory_kept(void *context, struct follow_block *out, bool *found, size_t back, struct err *err) {
	struct memory *memory = context;
	(void)err;
	*found = back < memory->kept_count;
	if (*found) *out = memory->kept[memory->kept_count - 1 - back];
	return STATUS_OK;
}

static enum status memory_unwind(void *context, uint64_t last, struct err *err) {
	struct memory *memory = context;
	size_t left = 0;
	(void)err;
	for (size_t i = 0; i < memory->row_count; i++)
		if (memory->rows[i].block_number <= last) memory->rows[left++] = memory->rows[i];
	memory->row_count = left;
	while (memory->kept_count && memory->kept[memory->kept_count - 1].number > last) memory->kept_count--;
	memory->unwound++;
	return STATUS_OK;
}

static enum status memory_add(void *context, const struct follow_page *page, struct err *err) {
	struct memory *memory = context;
	(void)err;
	for (size_t i = 0; i < page->log_count; i++) {
		bool is_there = false;
		for (size_t r = 0; r < memory->row_count && !is_there; r++)
			is_there = logs_compare(&memory->rows[r], &page->logs[i]) == 0;
		if (!is_there) memory->rows[memory->row_count++] = page->logs[i];
	}
	if (memory->kept_count == 0 || memory->kept[memory->kept_count - 1].number < page->end.number)
		memory->kept[memory->kept_count++] = page->end;
	return STATUS_OK;
}

/* --- a world --- */

static const addr20 contract = {{0xc0}};

static hash32 topic_of(uint64_t number) {
	hash32 topic = {{0x70}};
	store_be64(topic.b + 24, number);
	return topic;
}

struct world {
	struct fake_node node;
	struct fake_log logs[4 * BLOCKS];
	struct client *client;
	struct memory memory;
	struct follow_store store;
	struct follow_watch watches[512];
	hash32 genesis;
	struct err err;
};

/* Each block has a log of subject 1, and one of a subject of its own. */
static void fill(struct world *world, uint64_t from, uint64_t to, uint32_t extra) {
	for (uint64_t block = from; block <= to; block++)
		for (uint32_t i = 0; i < 2 + extra; i++) {
			struct fake_log *log = &world->logs[world->node.log_count++];
			*log = (struct fake_log){.block = block, .index = i};
			log->log.address = contract;
			log->log.topic_count = 2;
			log->log.topics[0] = topic_of(0);
			log->log.topics[1] = topic_of(i == 0 ? 1 : i == 1 ? 1000 + block : 2);
		}
	world->node.head = to;
}

static struct follow_watch watch_of(uint64_t subject) {
	struct follow_watch watch = {.address = contract, .has_topic = {true, true}};
	watch.topics[0] = topic_of(0);
	watch.topics[1] = topic_of(subject);
	return watch;
}

static int setup(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	world->node.logs = world->logs;
	world->node.branch_from = UINT64_MAX;
	world->client = fake_client(&world->node);
	world->store = (struct follow_store){memory_kept, memory_unwind, memory_add, &world->memory, NULL};
	world->genesis = fake_hash(&world->node, 0);
	world->watches[0] = watch_of(1);
	fill(world, 1, BLOCKS, 0);
	*state = world;
	return 0;
}

static int teardown(void **state) {
	struct world *world = *state;
	mem_free((void *)client_options_of(world->client)->http);
	client_close(world->client);
	mem_free(world);
	return 0;
}

static enum status run(struct world *world, size_t watches) {
	return follow_run(world->client, &world->store, &world->genesis, world->watches, watches, &world->err);
}

static void expect_rows(const struct world *world, size_t count) {
	assert_int_equal(world->memory.row_count, count);
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			assert_int_not_equal(logs_compare(&world->memory.rows[i], &world->memory.rows[j]), 0);
}

/* --- following --- */

static void a_watch_reads_what_concerns_it_and_then_only_what_is_new(void **state) {
	struct world *world = *state;
	assert_int_equal(run(world, 1), STATUS_OK);
	expect_rows(world, BLOCKS);
	assert_int_equal(world->watches[0].next_block, BLOCKS + 1);
	assert_int_equal(world->node.logs_shown, BLOCKS);
	assert_int_equal(world->node.log_requests, 1);
	assert_int_equal(run(world, 1), STATUS_OK);
	assert_int_equal(world->node.log_requests, 1);
	fill(world, BLOCKS + 1, BLOCKS + 3, 0);
	assert_int_equal(run(world, 1), STATUS_OK);
	assert_int_equal(world->node.logs_shown, BLOCKS + 3);
	expect_rows(world, BLOCKS + 3);
}

static void a_node_that_limits_blocks_or_logs_is_asked_in_pages(void **state) {
	struct world *world = *state;
	world->node.blocks_max = 37;
	assert_int_equal(run(world, 1), STATUS_OK);
	expect_rows(world, BLOCKS);
	world->memory.row_count = world->memory.kept_count = 0;
	world->watches[0].next_block = 0;
	world->node.blocks_max = 0;
	world->node.logs_max = 10;
	assert_int_equal(run(world, 1), STATUS_OK);
	expect_rows(world, BLOCKS);
}

static void a_block_that_the_node_never_gives_ends_the_run_and_keeps_what_was_read(void **state) {
	struct world *world = *state;
	fill(world, BLOCKS + 1, BLOCKS + 1, 3);
	world->node.logs_max = 1;
	world->watches[0] = watch_of(2);
	assert_int_equal(run(world, 1), STATUS_DENIED);
	assert_non_null(strstr(world->err.message, "block 1001"));
	assert_int_equal(world->watches[0].next_block, BLOCKS + 1);
}

static void repeated_and_reordered_logs_are_kept_once_and_in_order(void **state) {
	struct world *world = *state;
	world->node.repeats = world->node.reverses = true;
	assert_int_equal(run(world, 1), STATUS_OK);
	expect_rows(world, BLOCKS);
	for (size_t i = 1; i < BLOCKS; i++)
		assert_true(logs_compare(&world->memory.rows[i - 1], &world->memory.rows[i]) < 0);
}

static void a_log_that_was_not_asked_for_is_refused(void **state) {
	struct world *world = *state;
	world->node.shows_foreign = true;
	assert_int_equal(run(world, 1), STATUS_INTERNAL);
	assert_int_equal(world->memory.row_count, 0);
}

static void watches_that_differ_in_one_topic_are_asked_together(void **state) {
	struct world *world = *state;
	for (size_t i = 0; i < 300; i++) world->watches[i] = watch_of(1001 + i);
	assert_int_equal(run(world, 300), STATUS_OK);
	expect_rows(world, 300);
	assert_int_equal(world->node.log_requests, 2); /* 256 and 44 */
	fill(world, BLOCKS + 1, BLOCKS + 1, 0);
	world->watches[300] = watch_of(BLOCKS + 1 + 1000);
	assert_int_equal(run(world, 301), STATUS_OK); /* the new one is caught up alone */
	expect_rows(world, 301);
	for (size_t i = 0; i < 301; i++) assert_int_equal(world->watches[i].next_block, BLOCKS + 2);
}

static void an_error_in_the_middle_keeps_the_pages_before_it(void **state) {
	struct world *world = *state;
	world->node.blocks_max = 100;
	world->node.fails_after = 40;
	assert_int_equal(run(world, 1), STATUS_IO);
	uint64_t at = world->watches[0].next_block;
	assert_true(at > 1 && at <= BLOCKS);
	expect_rows(world, at - 1);
	world->node.fails_after = 0;
	assert_int_equal(run(world, 1), STATUS_OK);
	expect_rows(world, BLOCKS);
}

/* --- reorganisations --- */

static void branch(struct fake_node *node, uint64_t from, uint64_t head, uint32_t index) {
	node->branch_from = from;
	node->branch++;
	node->head = head;
	while (node->log_count && node->logs[node->log_count - 1].block > head) node->log_count--;
	for (size_t i = 0; i < node->log_count; i++)
		if (node->logs[i].block >= from && node->logs[i].index == 0) node->logs[i].index = index;
}

static void a_reorganisation_unwinds_to_the_common_ancestor(void **state) {
	struct world *world = *state;
	for (uint64_t head = 990; head <= BLOCKS; head++) { /* so that each of these blocks is kept */
		world->node.head = head;
		assert_int_equal(run(world, 1), STATUS_OK);
	}
	branch(&world->node, 996, 998, 7);
	size_t before = world->node.logs_shown;
	assert_int_equal(run(world, 1), STATUS_OK);
	assert_int_equal(world->memory.unwound, 1);
	assert_int_equal(world->node.logs_shown - before, 3); /* 996, 997, 998 */
	expect_rows(world, 998);
	for (size_t i = 0; i < world->memory.row_count; i++)
		assert_int_equal(world->memory.rows[i].log_index, world->memory.rows[i].block_number >= 996 ? 7 : 0);
}

static void a_reorganisation_right_after_the_first_run_is_survived(void **state) {
	struct world *world = *state;
	assert_int_equal(run(world, 1), STATUS_OK);
	branch(&world->node, BLOCKS - 1, BLOCKS, 7);
	assert_int_equal(run(world, 1), STATUS_OK);
	expect_rows(world, BLOCKS);
	for (size_t i = 0; i < world->memory.row_count; i++)
		assert_int_equal(
		    world->memory.rows[i].log_index, world->memory.rows[i].block_number >= BLOCKS - 1 ? 7 : 0);
}

static void a_node_that_is_behind_is_followed_from_where_it_is(void **state) {
	struct world *world = *state;
	for (uint64_t head = 900; head <= BLOCKS; head += 50) {
		world->node.head = head;
		assert_int_equal(run(world, 1), STATUS_OK);
	}
	world->node.head = 960;
	assert_int_equal(run(world, 1), STATUS_OK);
	expect_rows(world, 960);
	world->node.head = BLOCKS;
	assert_int_equal(run(world, 1), STATUS_OK);
	expect_rows(world, BLOCKS);
}

static void turn(struct fake_node *node) {
	branch(node, 500, BLOCKS, 7);
}

static void a_chain_that_turns_while_it_is_read_is_read_again(void **state) {
	struct world *world = *state;
	world->node.head = 499;
	assert_int_equal(run(world, 1), STATUS_OK);
	world->node.head = BLOCKS;
	world->node.before_logs = turn;
	assert_int_equal(run(world, 1), STATUS_OK); /* the kept hash is of the old branch */
	assert_int_equal(run(world, 1), STATUS_OK);
	assert_int_equal(world->memory.unwound, 1);
	expect_rows(world, BLOCKS);
	for (size_t i = 0; i < world->memory.row_count; i++)
		assert_int_equal(world->memory.rows[i].log_index, world->memory.rows[i].block_number >= 500 ? 7 : 0);
}

static void another_genesis_or_another_past_stops(void **state) {
	struct world *world = *state;
	world->genesis.b[31] ^= 1;
	assert_int_equal(run(world, 1), STATUS_DENIED);
	assert_int_equal(world->memory.row_count, 0);
	world->genesis.b[31] ^= 1;
	assert_int_equal(run(world, 1), STATUS_OK);
	branch(&world->node, 1, BLOCKS, 7);
	assert_int_equal(run(world, 1), STATUS_CORRUPT);
	assert_non_null(strstr(world->err.message, "another past"));
	expect_rows(world, BLOCKS);
}

/* --- client_logs --- */

static void client_logs_pages_and_merges_filters(void **state) {
	struct world *world = *state;
	struct client_log_filter filters[2] = {{.address = &contract, .has_topic = {true, true}}};
	struct client_log *logs;
	struct arena arena;
	size_t count;
	arena_init(&arena);
	filters[0].topics[0] = topic_of(0);
	filters[0].topics[1] = topic_of(1);
	filters[1] = filters[0];
	filters[1].topics[1] = topic_of(1000 + 5);
	world->node.logs_max = 100;
	assert_int_equal(client_logs_kept(world->client, &logs, &count, &arena, filters, 2, &world->err), STATUS_OK);
	assert_int_equal(count, BLOCKS + 1);
	for (size_t i = 1; i < count; i++) assert_true(logs_compare(&logs[i - 1], &logs[i]) < 0);
	filters[0].from_block = BLOCKS - 3;
	assert_int_equal(client_logs(world->client, &logs, &count, &arena, filters, &world->err), STATUS_OK);
	assert_int_equal(count, 4);
	arena_fini(&arena);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_watch_reads_what_concerns_it_and_then_only_what_is_new),
	    TEST(a_node_that_limits_blocks_or_logs_is_asked_in_pages),
	    TEST(a_block_that_the_node_never_gives_ends_the_run_and_keeps_what_was_read),
	    TEST(repeated_and_reordered_logs_are_kept_once_and_in_order),
	    TEST(a_log_that_was_not_asked_for_is_refused),
	    TEST(watches_that_differ_in_one_topic_are_asked_together),
	    TEST(an_error_in_the_middle_keeps_the_pages_before_it),
	    TEST(a_reorganisation_unwinds_to_the_common_ancestor),
	    TEST(a_reorganisation_right_after_the_first_run_is_survived),
	    TEST(a_node_that_is_behind_is_followed_from_where_it_is),
	    TEST(a_chain_that_turns_while_it_is_read_is_read_again),
	    TEST(another_genesis_or_another_past_stops),
	    TEST(client_logs_pages_and_merges_filters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
