/* Heads of a consortium: against a chain whose members sign light blocks, and a node that lies about them. */
#include "health/chain/validators.h"

#include "tests/unit.h"

#include "health/contracts/cause.h"
#include "tests/fake_home.h"
#include "tests/light_blocks.h"

#define DAY UINT64_C(86400)
#define NOBODY UINT64_MAX

/* The light block that stands for each head, and how it lies. */
struct net {
	uint64_t height; /* of the newest */
	uint64_t time_s;
	struct light_members members, next;
	uint64_t changed_at; /* before this height others decided: */
	struct light_members before;
	uint64_t each;        /* or one member changes each so many heights */
	const char *chain_id; /* NULL: the anchor's */
	size_t votes;         /* 0: all */
	const hash32 *app;    /* NULL: the head's */
	bool spoils_vote;
	bool shows_none, shows_nonsense;
	bool hides_between;
	unsigned between;
	struct light_made made;
};

static struct light_members members_at(const struct net *net, uint64_t height) {
	if (net->each) return (struct light_members){(unsigned)(height / net->each), 4};
	return height < net->changed_at ? net->before : net->members;
}

static void make(struct fake_chain *chain, uint64_t height, uint64_t time_s, const hash32 *app) {
	struct net *net = chain->consortium;
	char chain_id[COMET_CHAIN_ID_SIZE];
	comet_chain_id(chain_id, &chain->anchor.genesis);
	const struct light_members next =
	    net->next.count && height == net->height ? net->next : members_at(net, height + 1);
	light_make(&net->made, net->chain_id ? net->chain_id : chain_id, height, members_at(net, height), next, app);
	net->made.block.header.time = (struct comet_time){(int64_t)time_s, 0};
	light_sign(&net->made, net->votes ? net->votes : 100);
	if (net->spoils_vote) net->made.block.commit.signatures[0].signature[9] ^= 1;
}

static void put_block(struct json_writer *writer, const char *name, const struct net *net) {
	struct buf bytes;
	buf_init(&bytes, COMET_LIGHT_BLOCK_MAX);
	comet_light_block_encode(&bytes, &net->made.block);
	json_put_hex(writer, name, buf_view(&bytes));
	buf_fini(&bytes);
}

static void put_commit(struct fake_chain *chain, struct json_writer *writer, const struct head *head) {
	struct net *net = chain->consortium;
	if (net->shows_none) return;
	if (net->shows_nonsense) {
		json_put_text(writer, "commit", "0x0a00");
		return;
	}
	make(chain, net->height, net->time_s, net->app ? net->app : &head->hash);
	put_block(writer, "commit", net);
}

static bool between(
    struct fake_chain *chain, struct json_writer *writer, const struct json *name, const struct json *params) {
	struct net *net = chain->consortium;
	static const hash32 app = {{0xaa}};
	uint64_t height;
	if (!json_string_is(name, "xinglin_lightBlock")) return false;
	if (hex_quantity(&height, json_string(json_at(params, 0))) != STATUS_OK) abort();
	net->between++;
	if (net->hides_between) {
		json_put_null(writer, "result");
		return true;
	}
	make(chain, height, FAKE_START_S + height, &app);
	put_block(writer, "result", net);
	return true;
}

/* Ten seconds of head 3, by four members whom the anchor names as of genesis. */
static int setup_net(void **state) {
	setup(state);
	struct world *world = *state;
	struct net *net = mem_zalloc(1, sizeof *net);
	struct comet_trusted *trusted = &world->chain->anchor.validators;
	unsigned who[COMET_VALIDATORS_MAX];
	net->members = (struct light_members){0, 4};
	net->height = 9;
	net->time_s = FAKE_START_S + 90;
	world->chain->consortium = net;
	world->chain->put_commit = put_commit;
	world->chain->method = between;
	world->chain->anchor.sealer = (addr20){{0}};
	world->chain->anchor.trust_days = 14;
	*trusted = (struct comet_trusted){.time = {FAKE_START_S, 0}};
	light_set(&trusted->validators, who, net->members);
	trusted->next_validators = trusted->validators.hash;
	reopen(world);
	return 0;
}

static int teardown_net(void **state) {
	struct world *world = *state;
	mem_free(world->chain->consortium);
	return teardown(state);
}

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

static struct net *net_of(struct world *world) {
	return world->chain->consortium;
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
	net->changed_at = NOBODY; /* the old four sign height 20, and all between */
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
