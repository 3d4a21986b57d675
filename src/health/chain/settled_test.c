/* The outbox with heads, against a chain that can lie about nonces, blocks and receipts (tests/fake_sent.h). */
#include "health/chain/settled.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit.h"

#include "health/chain/outbox.h"
#include "health/contracts/cause.h"
#include "tests/fake_sent.h"

static const hash32 secret = {.b = {7}};
static const addr20 sealer = {{1}}, contract = {{2}};
static struct world *world;
static struct outbox *outbox;
static struct arena arena;
static char folder[64], journal[96];

/* Time passes, and a block comes. */
static void sleep_and_mine(void *context, uint32_t ms) {
	struct fake_chain *chain = context;
	chain->now_ms += ms;
	if (sending.mines) fake_mine(chain, chain->now_ms / 1000);
}

static uint64_t monotonic_ns(void *context) {
	return ((struct fake_chain *)context)->now_ms * 1000000;
}

static void open_outbox(void) {
	struct err err = {0};
	const struct outbox_options options = {.client = world->client,
	    .secret = &secret,
	    .node = &sealer,
	    .genesis = &world->chain->anchor.genesis,
	    .random = &world->random,
	    .journal_path = journal,
	    .heads = world->heads};
	if (outbox_open(&outbox, &options, &err) != STATUS_OK) fail_msg("%s", err.message);
}

static int begin(void **state) {
	void *made;
	(void)state;
	if (setup(&made) != 0) return -1;
	world = made;
	world->clock = (struct clock_source){fake_chain_now, monotonic_ns, world->chain};
	client_close(world->client);
	const struct client_options client = {.url = "http://fake",
	    .http = &world->http,
	    .clock = &world->clock,
	    .sleep_ms = sleep_and_mine,
	    .sleep_context = world->chain};
	assert_int_equal(client_open(&world->client, &client, NULL), STATUS_OK);
	fake_sending_begin(world->chain, &secret);
	arena_init(&arena);
	snprintf(folder, sizeof folder, "/tmp/xinglin-settled-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal, sizeof journal, "%s/outbox.journal", folder);
	open_outbox();
	return 0;
}

static int end(void **state) {
	void *made = world;
	(void)state;
	outbox_close(outbox);
	fake_sending_end();
	arena_fini(&arena);
	unlink(journal);
	assert_int_equal(rmdir(folder), 0);
	return teardown(&made);
}

static enum status send(struct outbox_result *result, struct err *err) {
	const struct outbox_entry entry = {
	    .to = &contract, .data = bytes_text("data"), .deadline_ms = world->chain->now_ms + 30000};
	*err = (struct err){0};
	return outbox_send(outbox, result, &arena, &entry, err);
}

static void assert_sent(bool succeeds) {
	struct outbox_result result;
	struct err err;
	if (send(&result, &err) != STATUS_OK) fail_msg("%s", err.message);
	assert_int_equal(result.end, succeeds ? OUTBOX_DONE : OUTBOX_REVERTED);
	assert_int_equal(result.receipt.gas_used, 21000);
}

static void drain(void) {
	struct err err = {0};
	if (outbox_drain(outbox, world->chain->now_ms + 60000, &err) != STATUS_OK) fail_msg("%s", err.message);
}

static void assert_unproved(const char *what) {
	struct outbox_result result;
	struct err err;
	assert_int_equal(send(&result, &err), STATUS_DENIED);
	assert_int_equal(err.cause, CAUSE_NOT_PROVED_SENT);
	assert_int_equal(result.end, OUTBOX_UNPROVED);
	if (!strstr(err.message, what)) fail_msg("%s", err.message);
	assert_int_equal(outbox_counts(outbox).waiting, 1);
}

/* As kill -9 does. */
static void start_again(void) {
	char kept[128];
	snprintf(kept, sizeof kept, "%s.kept", journal);
	assert_int_equal(link(journal, kept), 0);
	outbox_close(outbox);
	unlink(journal);
	assert_int_equal(rename(kept, journal), 0);
	open_outbox();
}

/* --- tests --- */

static void success_and_failure_are_the_blocks(void **state) {
	(void)state;
	assert_sent(true);
	sending.hides_receipts = true; /* nobody asks for one */
	assert_sent(true);
	fake_mine(world->chain, world->chain->now_ms / 1000);
	sending.mines = false;
	struct outbox_result result;
	struct err err;
	assert_int_equal(send(&result, &err), STATUS_TIMEOUT);
	sending.sent[2].fails = true;
	sending.mines = true;
	drain();
	assert_int_equal(outbox_counts(outbox).refused, 1);
	assert_int_equal(sending.count, 3);
	for (uint64_t i = 0; i < 3; i++) assert_int_equal(sending.sent[i].tx.nonce, i);
}

static void what_the_node_shows_of_a_block_is_held_to_its_header(void **state) {
	(void)state;
	assert_sent(true); /* block of another transaction, for the lies */
	const uint64_t other = sending.sent[0].block;
	sending.denies = true;
	assert_unproved("the receipts that the node shows are not the block's");
	sending.denies = false;
	drain();
	sending.cuts_receipts = true;
	assert_unproved("the receipts that the node shows are not the block's");
	sending.cuts_receipts = false;
	drain();
	sending.cuts_block = true;
	assert_unproved("the transactions that the node shows are not the block's");
	sending.cuts_block = false;
	drain();
	sending.shows_block = other;
	assert_unproved("the node shows another block than the chain has");
	sending.shows_block = 0;
	drain();
	fake_mine(world->chain, world->chain->now_ms / 1000);
	sending.shows_receipts_of = world->chain->head;
	assert_unproved("the receipts that the node shows are not the block's");
	sending.shows_receipts_of = 0;
	drain();
	sending.refuses_blocks = "pruned";
	assert_unproved("pruned");
	sending.refuses_blocks = NULL;
	drain();
	assert_int_equal(outbox_counts(outbox).done, 7);
	assert_int_equal(sending.count, 7); /* and nothing was sent twice */
}

static void a_node_that_swallows_is_waited_for_and_the_next_one_gets_it(void **state) {
	(void)state;
	struct outbox_result result;
	struct err err;
	sending.swallows = true;
	sending.names_block = 1; /* and shows a receipt */
	assert_int_equal(send(&result, &err), STATUS_TIMEOUT);
	assert_int_equal(result.end, OUTBOX_KEPT);
	start_again();
	sending.swallows = false;
	sending.names_block = 0;
	drain();
	assert_int_equal(sending.count, 1);
}

static void a_nonce_that_another_program_used_is_seen_in_its_block(void **state) {
	(void)state;
	struct outbox_result result;
	struct err err;
	sending.mines = false;
	sending.swallows = true;
	assert_int_equal(send(&result, &err), STATUS_TIMEOUT);
	fake_send_as_another(&secret, 0);
	sending.mines = true;
	sending.swallows = false;
	drain();
	assert_int_equal(sending.count, 2);
	assert_int_equal(sending.sent[1].tx.nonce, 1);
	assert_true(sending.sent[1].block > sending.sent[0].block);
}

/* Else it would be sent again under a new nonce, and fail because it stands already. */
static void a_hidden_receipt_does_not_make_it_happen_twice(void **state) {
	(void)state;
	struct outbox_result result;
	struct err err;
	sending.mines = false;
	assert_int_equal(send(&result, &err), STATUS_TIMEOUT);
	for (unsigned i = 0; i < 70; i++) fake_mine(world->chain, world->chain->now_ms / 1000);
	sending.hides_receipts = true;
	start_again();
	drain();
	assert_int_equal(sending.count, 1);
}

static void after_a_restart_the_nodes_receipt_says_where_to_look_and_no_more(void **state) {
	(void)state;
	struct outbox_result result;
	struct err err;
	sending.mines = false;
	assert_int_equal(send(&result, &err), STATUS_TIMEOUT);
	for (unsigned i = 0; i < 100; i++) fake_mine(world->chain, world->chain->now_ms / 1000);
	start_again();
	drain();
	assert_int_equal(sending.count, 1);
	assert_int_equal(send(&result, &err), STATUS_TIMEOUT);
	for (unsigned i = 0; i < 100; i++) fake_mine(world->chain, world->chain->now_ms / 1000);
	sending.names_block = world->chain->head; /* where it is not */
	start_again();
	drain();
	assert_int_equal(sending.count, 2);
	assert_int_equal(outbox_counts(outbox).done, 1);
}

static void nothing_is_signed_with_a_nonce_that_is_not_proved(void **state) {
	(void)state;
	assert_sent(true);
	start_again();
	world->chain->proves_at = 1; /* before it was sent */
	assert_unproved("nonce");
	assert_int_equal(sending.raws, 1);
	world->chain->proves_at = 0;
	drain();
	assert_int_equal(sending.count, 2);
	assert_int_equal(sending.sent[1].tx.nonce, 1);
}

static void a_refusal_is_told_once_another_transaction_has_used_the_nonce(void **state) {
	(void)state;
	struct outbox_result result;
	struct err err;
	sending.refusals = 1;
	assert_int_equal(send(&result, &err), STATUS_OK);
	assert_int_equal(result.end, OUTBOX_REFUSED);
	assert_string_equal(result.verdict.reason, "insufficient funds");
	assert_int_equal(sending.count, 1);
	assert_int_equal(sending.sent[0].tx.data.len, 0);
	assert_sent(true);
	assert_int_equal(sending.sent[1].tx.nonce, 1);
}

static void what_a_node_refuses_and_takes_has_succeeded(void **state) {
	(void)state;
	sending.refusals = 1;
	sending.takes_refused = true;
	assert_sent(true);
	assert_int_equal(sending.sent[0].tx.data.len, 4);
}

static void a_node_that_refuses_everything_is_not_believed(void **state) {
	(void)state;
	sending.refusals = 2;
	assert_unproved("insufficient funds");
	start_again();
	drain();
	assert_int_equal(outbox_counts(outbox).refused, 1);
	assert_int_equal(sending.sent[0].tx.data.len, 0);
}

/* --- a node that is slow --- */

#define SLOW_MS 25000u /* each answer */

static uint32_t limit_ms;

static void limit(void *context, uint32_t timeout_ms) {
	(void)context;
	limit_ms = timeout_ms;
}

static enum status exchange_slowly(void *context, struct http_response *response, enum http_method method,
    const char *url, const char *const *headers, struct bytes body, struct err *err) {
	struct fake_chain *chain = context;
	const bool is_late = limit_ms && limit_ms < SLOW_MS;
	chain->now_ms += is_late ? limit_ms : SLOW_MS;
	if (is_late) return err_set(err, STATUS_TIMEOUT, "it answers too late");
	return fake_chain_exchange(context, response, method, url, headers, body, err);
}

static void a_slow_node_is_waited_for_no_longer_than_a_silent_one(void **state) {
	(void)state;
	struct outbox_result result;
	struct err err;
	const uint64_t before_ms = world->chain->now_ms;
	world->http.exchange = exchange_slowly;
	world->http.limit = limit;
	assert_int_equal(send(&result, &err), STATUS_TIMEOUT);
	assert_int_equal(result.end, OUTBOX_KEPT);
	assert_int_equal(world->chain->now_ms, before_ms + 30000);
	world->http.exchange = fake_chain_exchange;
	drain();
	assert_int_equal(limit_ms, 0); /* other questions have no deadline */
	assert_int_equal(sending.count, 1);
}

/* --- logs --- */

static void a_log_is_a_transactions_if_its_receipt_holds_it(void **state) {
	(void)state;
	struct log logs[2] = {{.topic_count = 2}, {.topic_count = 2}};
	for (uint8_t i = 0; i < 2; i++) logs[i].topics[1].b[0] = i;
	const struct client_receipt receipt = {.tx_hash = {{1}}, .block_number = 7, .logs = logs, .log_count = 2};
	const struct client_log honest = {.log = logs[1], .block_number = 7, .log_index = 2, .tx_hash = {{1}}};
	struct client_log false_ones[5];
	for (size_t i = 0; i < 5; i++) false_ones[i] = honest;
	false_ones[0].block_number = 8;
	false_ones[1].tx_hash = (hash32){{4}};
	false_ones[2].log.topics[1].b[0] = 9;
	false_ones[3].log.address.b[0] = 9;
	false_ones[4].log.data = bytes_text("more");
	assert_true(settled_holds(&receipt, &honest));
	for (size_t i = 0; i < 5; i++) assert_false(settled_holds(&receipt, &false_ones[i]));
}

/* --- receipts --- */

static void all_that_stand_in_one_block_end_at_once_however_few_one_answer_proves(void **state) {
	(void)state;
	struct outbox_result result;
	struct err err;
	sending.mines = false;
	for (size_t i = 0; i < 5; i++) assert_int_equal(send(&result, &err), STATUS_TIMEOUT);
	sending.sent[3].fails = true;
	fake_mine(world->chain, world->chain->now_ms / 1000);
	sending.proofs_a_answer = 2;
	sending.mines = true;
	drain();
	assert_int_equal(outbox_counts(outbox).done, 4);
	assert_int_equal(outbox_counts(outbox).refused, 1);
	assert_int_equal(sending.count, 5);
}

static void a_node_that_proves_no_receipt_shows_all_of_a_block(void **state) {
	(void)state;
	sending.knows_no_proofs = true;
	assert_sent(true);
	sending.denies = true;
	assert_unproved("the receipts that the node shows are not the block's");
	sending.denies = false;
	drain();
	sending.cuts_receipts = true;
	assert_unproved("the receipts that the node shows are not the block's");
	sending.cuts_receipts = false;
	drain();
	assert_int_equal(sending.count, 3);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
	    TEST(success_and_failure_are_the_blocks),
	    TEST(what_the_node_shows_of_a_block_is_held_to_its_header),
	    TEST(a_node_that_swallows_is_waited_for_and_the_next_one_gets_it),
	    TEST(a_nonce_that_another_program_used_is_seen_in_its_block),
	    TEST(a_hidden_receipt_does_not_make_it_happen_twice),
	    TEST(after_a_restart_the_nodes_receipt_says_where_to_look_and_no_more),
	    TEST(a_refusal_is_told_once_another_transaction_has_used_the_nonce),
	    TEST(what_a_node_refuses_and_takes_has_succeeded),
	    TEST(a_node_that_refuses_everything_is_not_believed),
	    TEST(nothing_is_signed_with_a_nonce_that_is_not_proved),
	    TEST(a_slow_node_is_waited_for_no_longer_than_a_silent_one),
	    TEST(a_log_is_a_transactions_if_its_receipt_holds_it),
	    TEST(all_that_stand_in_one_block_end_at_once_however_few_one_answer_proves),
	    TEST(a_node_that_proves_no_receipt_shows_all_of_a_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
