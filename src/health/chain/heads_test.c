/* Which head is believed: against a chain that can lie (tests/fake_chain.h). */
#include "health/chain/heads.h"

#include <pthread.h>

#include "tests/unit.h"

#include "health/contracts/cause.h"
#include "tests/fake_home.h"

static enum status take(struct world *world, uint32_t max_age_s) {
	world->err = (struct err){0};
	return heads_take(world->heads, &world->head, world->client, max_age_s, &world->err);
}

static void expect_head(struct world *world, uint64_t number) {
	if (take(world, HEADS_FRESH) != STATUS_OK) fail_msg("%s", world->err.message);
	assert_int_equal(world->head.number, number);
	assert_memory_equal(world->head.hash.b, world->chain->blocks[number].hash.b, 32);
}

/* Refused with words, and nothing was kept of it. */
static void expect_refusal(struct world *world, uint32_t max_age_s, unsigned cause, const char *words) {
	const unsigned writes = world->memory.writes;
	assert_int_equal(take(world, max_age_s), STATUS_DENIED);
	if (!strstr(world->err.message, words)) fail_msg("%s", world->err.message);
	assert_int_equal(world->err.cause, cause);
	assert_int_equal(world->memory.writes, writes);
}

/* --- honest --- */

static void a_signed_head_is_taken_and_kept(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	assert_int_equal(world->memory.writes, 1);
	expect_head(world, 3);
	assert_int_equal(world->memory.writes, 1); /* it is the same */
	fake_mine(world->chain, FAKE_START_S + 4);
	expect_head(world, 4);
	assert_int_equal(world->chain->proofs, 0); /* the next block shows its parent itself */
	reopen(world);
	world->chain->shows_head = 3;
	expect_refusal(world, HEADS_FRESH, CAUSE_OLD_HEAD, "this home has seen block 4");
}

static void a_challenge_makes_an_old_block_new(void **state) {
	struct world *world = *state;
	world->chain->now_ms = (FAKE_START_S + 90000) * 1000; /* a quiet chain */
	expect_head(world, 3);
	assert_int_equal(take(world, 10), STATUS_OK);
}

static void a_seal_is_enough_where_age_is_allowed(void **state) {
	struct world *world = *state;
	world->chain->signs_no_head = true;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "proves no head");
	expect_refusal(world, 60, CAUSE_OLD_HEAD, "97 seconds ago, and at most 60");
	assert_int_equal(take(world, 97), STATUS_OK);
	assert_int_equal(world->head.number, 3);
	world->chain->signs_nothing = true;
	expect_refusal(world, 97, CAUSE_NOT_PROVED, "nobody sealed it");
}

static void time_never_runs_behind_the_head(void **state) {
	struct world *world = *state;
	world->chain->now_ms = FAKE_START_S * 1000 - 50000;
	assert_int_equal(heads_now_s(world->heads), FAKE_START_S - 50);
	expect_head(world, 3);
	assert_int_equal(heads_now_s(world->heads), FAKE_START_S + 3);
	world->chain->now_ms = (FAKE_START_S + 7) * 1000;
	assert_int_equal(heads_now_s(world->heads), FAKE_START_S + 7);
}

/* --- lies about who signed, and what --- */

static void another_sealers_head_is_refused(void **state) {
	struct world *world = *state;
	const hash32 other = {{9}};
	world->chain->signs_with = &other;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "did not sign it");
	world->chain->signs_no_head = true;
	expect_refusal(world, 200, CAUSE_NOT_PROVED, "did not sign it");
}

static void an_answer_to_another_challenge_is_refused(void **state) {
	struct world *world = *state;
	world->chain->repeats_challenge = true;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "did not sign it");
}

static void a_signature_of_the_bare_hash_is_refused(void **state) {
	struct world *world = *state;
	world->chain->signs_no_head = world->chain->signs_bare_hash = true;
	expect_refusal(world, 200, CAUSE_NOT_PROVED, "did not sign it");
}

static void a_head_with_another_time_than_its_block_is_refused(void **state) {
	struct world *world = *state;
	world->chain->shows_time = true;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "did not sign it");
}

static void a_signature_of_another_deployment_is_refused(void **state) {
	struct world *world = *state;
	struct deployment other = world->chain->anchor;
	other.genesis.b[0] ^= 1;
	world->options.anchor = &other;
	reopen(world);
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "did not sign it");
	other = world->chain->anchor;
	other.chain_id++;
	reopen(world);
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "did not sign it");
}

/* --- lies about time --- */

static void a_head_from_the_future_is_refused(void **state) {
	struct world *world = *state;
	world->chain->now_ms = (FAKE_START_S + 3 - HEADS_AHEAD_S) * 1000;
	expect_head(world, 3);
	fake_mine(world->chain, FAKE_START_S + 4);
	expect_refusal(world, HEADS_FRESH, CAUSE_OLD_HEAD, "61 seconds behind the time of block 4");
}

static void an_older_head_is_refused(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	world->chain->shows_head = 2;
	expect_refusal(world, HEADS_FRESH, CAUSE_OLD_HEAD, "the node shows block 2");
}

/* --- descent --- */

static void mine_to(struct world *world, uint64_t number) {
	world->chain->skips_state = true;
	while (world->chain->head + 1 < number) fake_mine(world->chain, FAKE_START_S + 4);
	world->chain->skips_state = false;
	fake_mine(world->chain, FAKE_START_S + 5);
}

static void a_head_of_many_blocks_later_is_proved_by_the_chains_history(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	mine_to(world, 300);
	expect_head(world, 300);
	assert_int_equal(world->chain->proofs, 1);
	assert_int_equal(world->chain->headers, 0);
}

static void without_history_the_headers_between_are_read(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	mine_to(world, 700);
	world->chain->hides_history = true;
	expect_head(world, 700);
	assert_int_equal(world->chain->headers, 696);
	assert_true(world->chain->exchanges < 12); /* many in one exchange */
}

static void history_reaches_further_than_its_contract_in_steps(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	mine_to(world, 1009);
	mine_to(world, 9200);
	world->chain->changes_header = true;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "is not the one that was asked for");
	world->chain->changes_header = false;
	world->chain->proofs = world->chain->headers = 0;
	expect_head(world, 9200);
	assert_int_equal(world->chain->proofs, 2); /* at 9,200 for 1,009, and there for 3 */
	assert_int_equal(world->chain->headers, 1);
}

static void a_changed_header_between_is_refused(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	mine_to(world, 40);
	world->chain->hides_history = world->chain->changes_header = true;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "descends from block 3");
}

static void a_broken_proof_of_history_is_refused(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	mine_to(world, 40);
	world->chain->cuts_nodes = 1;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "descends from block 3");
	world->chain->cuts_nodes = 0;
	world->chain->proves_at = 2;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "descends from block 3");
	world->chain->proves_at = 0;
	expect_head(world, 40);
}

/* --- forks --- */

static void expect_stop(struct world *world) {
	struct buf text;
	assert_int_equal(take(world, HEADS_FRESH), STATUS_CORRUPT);
	assert_int_equal(world->err.cause, CAUSE_TWO_BLOCKS);
	assert_non_null(strstr(world->err.message, "two signed blocks of one height"));
	buf_init(&text, 8192);
	assert_int_equal(memory_get(&world->memory, &text, "evidence.json", NULL), STATUS_OK);
	assert_non_null(strstr(buf_cstr(&text), "\"height\":3"));
	buf_fini(&text);
	/* It stays stopped, here and in the next program, though the node is honest again. */
	assert_int_equal(take(world, HEADS_FRESH), STATUS_CORRUPT);
	heads_close(world->heads);
	world->heads = NULL;
	assert_int_equal(heads_open(&world->heads, &world->options, &world->err), STATUS_CORRUPT);
	assert_int_equal(world->err.cause, CAUSE_TWO_BLOCKS);
}

/* Block 3 anew, and what was before it. */
static void fork_at_3(struct world *world) {
	world->chain->head = 2;
	fake_mine(world->chain, FAKE_START_S + 9);
}

static void another_block_of_the_same_height_stops_everything(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	fork_at_3(world);
	expect_stop(world);
}

static void a_child_of_another_block_stops_everything(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	fork_at_3(world);
	fake_mine(world->chain, FAKE_START_S + 10);
	expect_stop(world);
}

static void a_later_head_of_another_branch_stops_everything(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	world->chain->keeps_history = false; /* the slots of the first branch are gone with it */
	world->chain->slot_count = 0;
	world->chain->head = 2;
	world->chain->keeps_history = true;
	fake_mine(world->chain, FAKE_START_S + 9);
	mine_to(world, 50);
	expect_stop(world);
}

static void headers_show_another_branch_too(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	fork_at_3(world);
	mine_to(world, 50);
	world->chain->hides_history = true;
	expect_stop(world);
}

static void another_signers_fork_is_no_evidence(void **state) {
	struct world *world = *state;
	const hash32 other = {{9}};
	expect_head(world, 3);
	fork_at_3(world);
	world->chain->signs_with = &other;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "did not sign it");
}

static void evidence_that_cannot_be_written_stops_this_program(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	fork_at_3(world);
	world->memory.is_full = true;
	assert_int_equal(take(world, HEADS_FRESH), STATUS_IO);
	assert_int_equal(take(world, HEADS_FRESH), STATUS_CORRUPT);
}

/* --- what is kept --- */

static void a_head_that_cannot_be_kept_is_not_taken(void **state) {
	struct world *world = *state;
	world->memory.is_full = true;
	assert_int_equal(take(world, HEADS_FRESH), STATUS_IO);
}

static void a_damaged_head_is_refused(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	world->memory.texts[0][40] ^= 1;
	heads_close(world->heads);
	world->heads = NULL;
	assert_int_equal(heads_open(&world->heads, &world->options, &world->err), STATUS_CORRUPT);
	assert_non_null(strstr(world->err.message, "head.json"));
}

/* Another program took block 5 while this one asked for block 4's successor: this one follows it. */
static void another_programs_newer_head_is_followed(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	fake_mine(world->chain, FAKE_START_S + 4);
	fake_mine(world->chain, FAKE_START_S + 5);
	world->chain->shows_head = 4;
	const struct head newer = world->chain->blocks[5];
	world->chain->now_ms += 1000; /* it is time to write one */
	world->memory.overtakes = &newer;
	expect_refusal(world, HEADS_FRESH, CAUSE_OLD_HEAD, "this home has seen block 5");
	world->chain->shows_head = 0;
	expect_head(world, 5);
}

/* As another thread, between this one's question and its answer; then the node shows this one an older block. */
static void another_takes_5(void *context) {
	struct world *world = context;
	struct head head;
	assert_int_equal(heads_take(world->heads, &head, world->client, HEADS_FRESH, &world->err), STATUS_OK);
	assert_int_equal(head.number, 5);
	world->chain->shows_head = 4;
}

static void another_threads_newer_head_is_followed(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	fake_mine(world->chain, FAKE_START_S + 4);
	fake_mine(world->chain, FAKE_START_S + 5);
	world->chain->before = another_takes_5;
	world->chain->before_context = world;
	expect_refusal(world, HEADS_FRESH, CAUSE_OLD_HEAD, "this home has seen block 5");
}

static void a_head_is_written_once_a_second_and_at_the_end(void **state) {
	struct world *world = *state;
	for (uint64_t number = 3; number <= 20; number++) {
		expect_head(world, number);
		fake_mine(world->chain, FAKE_START_S + 4);
	}
	assert_int_equal(world->memory.writes, 1);
	world->chain->now_ms += 1000;
	expect_head(world, 21);
	assert_int_equal(world->memory.writes, 2);
	fake_mine(world->chain, FAKE_START_S + 4);
	expect_head(world, 22);
	reopen(world);
	assert_int_equal(world->memory.writes, 3);
	world->chain->shows_head = 21;
	expect_refusal(world, HEADS_FRESH, CAUSE_OLD_HEAD, "this home has seen block 22");
}

/* The two programs of a home saw different branches: neither may write over what the other saw. */
static void another_programs_branch_stops_everything(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	const struct head of_other = world->chain->blocks[3];
	struct head branch;
	fork_at_3(world);
	branch = world->chain->blocks[3];
	world->chain->blocks[3] = of_other;
	world->chain->head = 3;
	fake_mine(world->chain, FAKE_START_S + 10);
	world->chain->now_ms += 1000;
	world->memory.overtakes = &branch;
	expect_stop(world);
}

static void evidence_that_another_program_found_stops_this_one(void **state) {
	struct world *world = *state;
	expect_head(world, 3);
	memory_put(&world->memory, "evidence.json", BYTES_LITERAL("{\"height\":3}"));
	fake_mine(world->chain, FAKE_START_S + 4);
	world->chain->now_ms += 1000;
	assert_int_equal(take(world, HEADS_FRESH), STATUS_CORRUPT);
	assert_int_equal(world->err.cause, CAUSE_TWO_BLOCKS);
}

/* --- witnesses --- */

static void name_witnesses(struct world *world, size_t count, uint8_t threshold) {
	struct deployment *anchor = &world->chain->anchor;
	anchor->witness_count = count;
	anchor->witness_threshold = threshold;
	for (size_t i = 0; i < count; i++) {
		struct deployment_witness *witness = &anchor->witnesses[i];
		world->chain->witness_secrets[i].b[0] = (uint8_t)(0x40 + i);
		assert_int_equal(address_of_secret(&witness->account, &world->chain->witness_secrets[i]), STATUS_OK);
		snprintf(witness->url, sizeof witness->url, "http://witness-%zu", i);
	}
}

static void enough_witnesses_must_sign(void **state) {
	struct world *world = *state;
	name_witnesses(world, 3, 2);
	world->chain->witnesses_silent = 1;
	expect_head(world, 3);
	world->chain->witnesses_silent = 2;
	expect_refusal(
	    world, HEADS_FRESH, CAUSE_NOT_PROVED, "1 of 3 witnesses signed it, and the deployment asks for 2");
	world->chain->witnesses_silent = 0;
	world->chain->anchor.witnesses[0].account.b[0] ^= 1;
	expect_head(world, 3);
	world->chain->anchor.witnesses[1].account.b[0] ^= 1;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "1 of 3 witnesses");
}

static void a_witness_that_lags_is_waited_for(void **state) {
	struct world *world = *state;
	name_witnesses(world, 1, 1);
	world->chain->witness_lags = true;
	expect_head(world, 3);
	assert_int_equal(world->chain->witness_questions, 2);
}

/* Somebody else's chain: nobody signs its heads but witnesses. */
static void witnesses_alone_are_enough_where_there_is_no_sealer(void **state) {
	struct world *world = *state;
	name_witnesses(world, 2, 2);
	world->chain->anchor.sealer = (addr20){{0}};
	world->chain->signs_no_head = world->chain->signs_nothing = true;
	expect_head(world, 3);
	world->chain->witnesses_silent = 1;
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "1 of 2 witnesses");
}

/* --- another authority --- */

static enum status commits(void *context, struct head *head, const struct head_shown *shown, struct err *err) {
	const uint64_t *decided = context;
	assert_non_null(shown->answer);
	head->known_ms = 0;
	return head->number <= *decided
		   ? STATUS_OK
		   : err_set(err, STATUS_DENIED, "no commit decides block %llu", (unsigned long long)head->number);
}

static void another_authority_takes_the_sealers_place(void **state) {
	struct world *world = *state;
	const hash32 other = {{9}};
	uint64_t decided = 3;
	const struct head_authority authority = {.check = commits, .context = &decided};
	world->chain->signs_with = &other; /* nobody looks at it */
	world->options.authority = &authority;
	reopen(world);
	expect_head(world, 3);
	fake_mine(world->chain, FAKE_START_S + 4);
	expect_refusal(world, HEADS_FRESH, CAUSE_NOT_PROVED, "no commit decides block 4");
	decided = 4;
	world->chain->now_ms = (FAKE_START_S + 4 + HEADS_QUIET_S + 1) * 1000;
	expect_refusal(world, HEADS_FRESH, CAUSE_OLD_HEAD, "121 seconds ago");
	world->chain->now_ms -= 1000;
	expect_head(world, 4);
}

/* --- threads --- */

enum { REQUESTS = 4 };

/* A lock with a condition; `waits` counts those that wait. */
struct monitor {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned waits;
};

static struct monitor *monitor_new(void *context) {
	struct monitor **out = context, *monitor = mem_zalloc(1, sizeof *monitor);
	pthread_mutex_init(&monitor->mutex, NULL);
	pthread_cond_init(&monitor->changed, NULL);
	if (!*out) *out = monitor; /* the heads' own is the first */
	return monitor;
}

static void monitor_free(struct monitor *monitor) {
	pthread_mutex_destroy(&monitor->mutex);
	pthread_cond_destroy(&monitor->changed);
	mem_free(monitor);
}

static void monitor_lock(struct monitor *monitor) {
	pthread_mutex_lock(&monitor->mutex);
}

static void monitor_unlock(struct monitor *monitor) {
	pthread_mutex_unlock(&monitor->mutex);
}

static void monitor_wait(struct monitor *monitor, uint32_t timeout_ms) {
	(void)timeout_ms;
	monitor->waits++;
	pthread_cond_broadcast(&monitor->changed);
	pthread_cond_wait(&monitor->changed, &monitor->mutex);
	monitor->waits--;
}

static void monitor_wake_all(struct monitor *monitor) {
	pthread_cond_broadcast(&monitor->changed);
}

struct taking {
	struct world *world;
	struct monitor *monitor;
	pthread_t threads[REQUESTS];
	struct head heads[REQUESTS];
	enum status statuses[REQUESTS];
	struct err errs[REQUESTS];
	unsigned next;
};

static void *take_one(void *argument) {
	struct taking *taking = argument;
	const unsigned own = __atomic_fetch_add(&taking->next, 1, __ATOMIC_SEQ_CST);
	taking->statuses[own] = heads_take(
	    taking->world->heads, &taking->heads[own], taking->world->client, HEADS_FRESH, &taking->errs[own]);
	return NULL;
}

/* While the first request's challenge is on its way, the others come, and wait. */
static void others_come(void *context) {
	struct taking *taking = context;
	for (unsigned i = 1; i < REQUESTS; i++) pthread_create(&taking->threads[i], NULL, take_one, taking);
	pthread_mutex_lock(&taking->monitor->mutex);
	while (taking->monitor->waits < REQUESTS - 1)
		pthread_cond_wait(&taking->monitor->changed, &taking->monitor->mutex);
	pthread_mutex_unlock(&taking->monitor->mutex);
}

static void take_in_threads(struct taking *taking, struct world *world) {
	struct threads threads = {
	    monitor_new, monitor_free, monitor_lock, monitor_unlock, monitor_wait, monitor_wake_all, &taking->monitor};
	taking->world = world;
	world->options.threads = &threads;
	reopen(world);
	world->chain->exchanges = 0;
	world->chain->before = others_come;
	world->chain->before_context = taking;
	pthread_create(&taking->threads[0], NULL, take_one, taking);
	for (unsigned i = 0; i < REQUESTS; i++) pthread_join(taking->threads[i], NULL);
	heads_close(world->heads);
	world->heads = NULL;
	world->options.threads = NULL;
	reopen(world);
}

/* One challenge for all that waited when it was sent; none is served by one that was sent before it came. */
static void requests_share_a_challenge_that_is_sent_after_they_came(void **state) {
	struct taking taking = {0};
	struct world *world = *state;
	take_in_threads(&taking, world);
	for (unsigned i = 0; i < REQUESTS; i++)
		if (taking.statuses[i] != STATUS_OK) fail_msg("%s", taking.errs[i].message);
	assert_int_equal(world->chain->exchanges, 2);
	for (unsigned i = 1; i < REQUESTS; i++) {
		assert_memory_not_equal(taking.heads[i].challenge.b, taking.heads[0].challenge.b, 32);
		assert_memory_equal(taking.heads[i].challenge.b, taking.heads[1].challenge.b, 32);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(a_signed_head_is_taken_and_kept),
	    TEST(a_challenge_makes_an_old_block_new),
	    TEST(a_seal_is_enough_where_age_is_allowed),
	    TEST(time_never_runs_behind_the_head),
	    TEST(another_sealers_head_is_refused),
	    TEST(an_answer_to_another_challenge_is_refused),
	    TEST(a_signature_of_the_bare_hash_is_refused),
	    TEST(a_head_with_another_time_than_its_block_is_refused),
	    TEST(a_signature_of_another_deployment_is_refused),
	    TEST(a_head_from_the_future_is_refused),
	    TEST(an_older_head_is_refused),
	    TEST(a_head_of_many_blocks_later_is_proved_by_the_chains_history),
	    TEST(without_history_the_headers_between_are_read),
	    TEST(history_reaches_further_than_its_contract_in_steps),
	    TEST(a_changed_header_between_is_refused),
	    TEST(a_broken_proof_of_history_is_refused),
	    TEST(another_block_of_the_same_height_stops_everything),
	    TEST(a_child_of_another_block_stops_everything),
	    TEST(a_later_head_of_another_branch_stops_everything),
	    TEST(headers_show_another_branch_too),
	    TEST(another_signers_fork_is_no_evidence),
	    TEST(evidence_that_cannot_be_written_stops_this_program),
	    TEST(a_head_that_cannot_be_kept_is_not_taken),
	    TEST(a_damaged_head_is_refused),
	    TEST(another_programs_newer_head_is_followed),
	    TEST(another_threads_newer_head_is_followed),
	    TEST(a_head_is_written_once_a_second_and_at_the_end),
	    TEST(another_programs_branch_stops_everything),
	    TEST(evidence_that_another_program_found_stops_this_one),
	    TEST(enough_witnesses_must_sign),
	    TEST(a_witness_that_lags_is_waited_for),
	    TEST(witnesses_alone_are_enough_where_there_is_no_sealer),
	    TEST(another_authority_takes_the_sealers_place),
	    TEST(requests_share_a_challenge_that_is_sent_after_they_came),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
