/* Heads of a consortium: against a chain whose members sign light blocks, and a node that lies about them. */
#include "health/chain/validators.h"

#include "tests/unit.h"

#include "health/contracts/cause.h"
#include "tests/fake_consortium.h"

#define DAY UINT64_C(86400)
#define NEVER UINT64_MAX

static enum status take(struct world *world, uint32_t max_age_s) {
	world->err = (struct err){0};
	return heads_take(world->heads, &world->head, world->client, max_age_s, &world->err);
}

static void expect_head(struct world *world, uint64_t number) {
	if (take(world, HEADS_FRESH) != STATUS_OK) fail_msg("%s", world->err.message);
	assert_int_equal(world->head.number, number);
}

static void expect_refusal(struct world *world, unsigned cause, const char *words) {
	assert_int_equal(take(world, HEADS_FRESH), STATUS_DENIED);
	if (!strstr(world->err.message, words)) fail_msg("%s", world->err.message);
	assert_int_equal(world->err.cause, cause);
}

static const char *kept(struct world *world, const char *name) {
	static char text[8192];
	struct buf bytes;
	buf_init(&bytes, sizeof text - 1);
	assert_int_equal(memory_get(&world->memory, &bytes, name, NULL), STATUS_OK);
	snprintf(text, sizeof text, "%s", buf_cstr(&bytes));
	buf_fini(&bytes);
	return text;
}

/* --- honest --- */

static void a_decided_head_is_taken_and_its_validators_kept(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	assert_non_null(strstr(kept(world, "validators.json"), "\"trusted\":\"0x"));
	assert_int_equal(world->memory.writes, 2); /* the validators and the head */
	expect_head(world, 3);
	assert_int_equal(world->memory.writes, 2);
	net_of(world)->height += 5;
	net_of(world)->time_s += 5;
	fake_mine(world->chain, FAKE_START_S + 4);
	expect_head(world, 4);
	assert_int_equal(net_of(world)->between, 0);
}

/* A quiet consortium's block is old, and its newest light block is not. */
static void a_light_block_makes_an_old_head_new(void **state) {
	struct world *world = *state;
	world->chain->now_ms = (FAKE_START_S + 90000) * 1000;
	net_of(world)->height = 1500;
	net_of(world)->time_s = FAKE_START_S + 90000 - HEADS_QUIET_S;
	expect_head(world, 3);
	assert_int_equal(take(world, HEADS_QUIET_S), STATUS_OK);
	world->chain->now_ms += 1000;
	expect_refusal(world, CAUSE_OLD_HEAD, "too old");
	net_of(world)->height++;
	net_of(world)->time_s++;
	expect_head(world, 3);
}

static void members_are_followed_through_changes(void **state) {
	struct world *world = *state;
	struct net *net = net_of(world);
	net->each = 10;
	net->time_s = FAKE_START_S + net->height;
	expect_head(world, 3);
	net->height = 80;
	net->time_s = FAKE_START_S + 100;
	fake_mine(world->chain, FAKE_START_S + 4);
	expect_head(world, 4);
	assert_in_range(net->between, 2, 40);
	/* What was learnt is kept. */
	reopen(world);
	net->between = 0;
	net->height = 85;
	net->time_s++;
	expect_head(world, 4);
	assert_int_equal(net->between, 0);
}

/* Another node, or the same one by another way, may be a few heights behind. */
static void an_older_light_block_counts_too(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	net_of(world)->height = 8;
	net_of(world)->time_s--;
	expect_head(world, 3);
	net_of(world)->time_s = FAKE_START_S;
	assert_int_equal(take(world, 200), STATUS_OK);
}

static void the_anchor_can_be_handed_on_as_it_is_by_now(void **state) {
	struct world *world = *state;
	struct deployment fresh, again;
	struct buf text;
	expect_head(world, 3);
	heads_refresh_anchor(world->heads, &fresh);
	assert_int_equal(fresh.validators.height, 9);
	buf_init(&text, 1 << 16);
	deployment_write(&text, &fresh);
	world->err = (struct err){0};
	if (deployment_parse(&again, buf_view(&text), &world->err) != STATUS_OK) fail_msg("%s", world->err.message);
	assert_int_equal(again.validators.height, 9);
	assert_memory_equal(again.validators.validators.hash.b, fresh.validators.validators.hash.b, sizeof(hash32));
	buf_fini(&text);
}

/* --- lies --- */

static void heads_that_were_not_decided_are_refused(void **state) {
	struct world *world = *state;
	struct net *net = net_of(world);
	const hash32 app = {{5}};
	net->shows_none = true;
	expect_refusal(world, CAUSE_NOT_PROVED, "not believed");
	net->shows_none = false;
	net->shows_nonsense = true;
	expect_refusal(world, CAUSE_NOT_PROVED, "malformed");
	net->shows_nonsense = false;
	net->votes = 2;
	expect_refusal(world, CAUSE_NOT_PROVED, "more than two thirds are needed");
	net->votes = 0;
	net->spoils_vote = true;
	expect_refusal(world, CAUSE_NOT_PROVED, "signature is not its validator's");
	net->spoils_vote = false;
	net->app = &app;
	expect_refusal(world, CAUSE_NOT_PROVED, "of another head");
	net->app = NULL;
	net->chain_id = "xinglin-ffffffffffffffffffffffffffffffffffffffff";
	expect_refusal(world, CAUSE_NOT_PROVED, "another chain");
	net->chain_id = NULL;
	net->members.from = 4;
	net->hides_between = true;
	expect_refusal(world, CAUSE_NOT_PROVED, "height 4");
	assert_int_equal(world->memory.count, 0);
	net->members.from = 0;
	expect_head(world, 3);
}

static void those_who_left_decide_nothing_any_more(void **state) {
	struct world *world = *state;
	struct net *net = net_of(world);
	net->before = (struct light_members){0, 4};
	net->members = (struct light_members){4, 4};
	net->changed_at = 8;
	expect_head(world, 3);
	net->changed_at = NEVER; /* the old four sign height 20, and all between */
	net->height = 20;
	net->time_s++;
	expect_refusal(world, CAUSE_NOT_PROVED, "");
	reopen(world);
	expect_refusal(world, CAUSE_NOT_PROVED, "");
	net->changed_at = 8;
	expect_head(world, 3);
}

static void a_light_block_from_the_future_is_refused(void **state) {
	struct world *world = *state;
	net_of(world)->time_s = world->chain->now_ms / 1000 + HEADS_AHEAD_S;
	expect_refusal(world, CAUSE_NOT_PROVED, "in front of the clock");
	net_of(world)->time_s--;
	expect_head(world, 3);
}

/* Validators' clocks may be in front of ours: the node is asked all the same, each time. */
static void a_head_that_seems_newer_than_now_is_asked_for_again(void **state) {
	struct world *world = *state;
	net_of(world)->time_s = world->chain->now_ms / 1000 + 30;
	expect_head(world, 3);
	const unsigned asked = world->chain->exchanges;
	fake_mine(world->chain, FAKE_START_S + 4);
	net_of(world)->height++;
	net_of(world)->time_s++;
	expect_head(world, 4);
	assert_true(world->chain->exchanges > asked);
}

static void trust_ends_after_its_days(void **state) {
	struct world *world = *state;
	struct net *net = net_of(world);
	world->chain->now_ms = (FAKE_START_S + 14 * DAY) * 1000;
	net->time_s = FAKE_START_S + 14 * DAY;
	expect_refusal(world, CAUSE_OLD_ANCHOR, "newer deployment is needed");
	world->chain->now_ms -= 1000;
	expect_head(world, 3); /* and the home trusts its validators from here on */
	world->chain->now_ms += 13 * DAY * 1000;
	net->height++;
	net->time_s += 13 * DAY;
	expect_head(world, 3);
	world->chain->now_ms += (14 * DAY + 1) * 1000;
	net->height++;
	net->time_s += 14 * DAY;
	expect_refusal(world, CAUSE_OLD_ANCHOR, "newer deployment is needed");
	/* A newer anchor helps. */
	world->chain->anchor.validators.height = net->height;
	world->chain->anchor.validators.time.s = (int64_t)net->time_s;
	net->height++;
	net->time_s++;
	reopen(world);
	expect_head(world, 3);
}

/* --- two blocks --- */

static void expect_stop(struct world *world) {
	assert_int_equal(take(world, HEADS_FRESH), STATUS_CORRUPT);
	assert_int_equal(world->err.cause, CAUSE_TWO_BLOCKS);
	const char *blocks = strstr(kept(world, "evidence.json"), "\"blocks\":[\"0x");
	assert_non_null(blocks);
	assert_non_null(strstr(blocks, ",\"0x"));
	assert_int_equal(take(world, HEADS_FRESH), STATUS_CORRUPT);
	heads_close(world->heads);
	world->heads = NULL;
	assert_int_equal(heads_open(&world->heads, &world->options, &world->err), STATUS_CORRUPT);
}

static void two_blocks_of_one_height_stop_everything(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	net_of(world)->time_s--; /* the same height, head and voters, and another block */
	expect_stop(world);
}

static void two_blocks_of_one_height_stop_another_program_too(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	reopen(world);
	net_of(world)->time_s--;
	expect_stop(world);
}

static void two_heads_stop_everything_and_both_commits_are_kept(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	world->chain->head = 2;
	fake_mine(world->chain, FAKE_START_S + 9);
	net_of(world)->height++;
	net_of(world)->time_s++;
	expect_stop(world);
}

static void votes_that_do_not_count_are_no_evidence(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	net_of(world)->time_s--;
	net_of(world)->votes = 2;
	expect_refusal(world, CAUSE_NOT_PROVED, "two thirds");
	net_of(world)->votes = 0;
	net_of(world)->members.from = 4;
	expect_refusal(world, CAUSE_NOT_PROVED, "");
	net_of(world)->members.from = 0;
	net_of(world)->time_s++;
	expect_head(world, 3);
}

/* --- what is kept --- */

static void what_is_kept_damaged_is_said(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	heads_close(world->heads);
	world->heads = NULL;
	memory_put(&world->memory, "validators.json", BYTES_LITERAL("{\"v\":1,\"trusted\":\"0x0a00\"}"));
	assert_int_equal(heads_open(&world->heads, &world->options, &world->err), STATUS_CORRUPT);
	assert_non_null(strstr(world->err.message, "validators.json"));
}

static void a_full_disk_stops_what_is_new(void **state) {
	struct world *world = *state;
	world->memory.is_full = true;
	assert_int_equal(take(world, HEADS_FRESH), STATUS_IO);
	world->memory.is_full = false;
	expect_head(world, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_net, teardown_net)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(a_decided_head_is_taken_and_its_validators_kept),
	    TEST(a_light_block_makes_an_old_head_new),
	    TEST(members_are_followed_through_changes),
	    TEST(an_older_light_block_counts_too),
	    TEST(the_anchor_can_be_handed_on_as_it_is_by_now),
	    TEST(heads_that_were_not_decided_are_refused),
	    TEST(those_who_left_decide_nothing_any_more),
	    TEST(a_light_block_from_the_future_is_refused),
	    TEST(a_head_that_seems_newer_than_now_is_asked_for_again),
	    TEST(trust_ends_after_its_days),
	    TEST(two_blocks_of_one_height_stop_everything),
	    TEST(two_blocks_of_one_height_stop_another_program_too),
	    TEST(two_heads_stop_everything_and_both_commits_are_kept),
	    TEST(votes_that_do_not_count_are_no_evidence),
	    TEST(what_is_kept_damaged_is_said),
	    TEST(a_full_disk_stops_what_is_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
