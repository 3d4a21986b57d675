/* The outbox against a node that is a table in memory: what it says is scripted, time passes only when somebody sleeps.
 */
#include "health/chain/outbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "tests/scripted_random.h"
#include "tests/unit.h"

#define CHAIN_ID 7697u
#define TXS_MAX 64u

/* --- the node --- */

struct fake_tx {
	hash32 hash;
	uint64_t nonce;
	struct bytes data;
	u256 max_fee_wei;
	uint64_t gas_limit;
	bool is_mined, fails;
	uint64_t block;
};

static struct node {
	struct arena arena;
	struct fake_tx txs[TXS_MAX]; /* in the pool or in a block */
	size_t tx_count, raw_count;  /* raw_count: how often something was sent */
	uint64_t nonce, head, base_fee_wei, gas;
	bool mines, is_away, forgets, loses_answer;
	const char *refusal; /* of the next transaction that is sent */
	const char *estimate_refusal;
	const char *refuses_text; /* calldata that holds it reverts in an estimate */
	size_t estimates, simulations, blobs_put;
	bool simulates;
	bool needs_blob;
	uint64_t now_ms;
} node;

static uint64_t fake_now(void *context) {
	(void)context;
	return node.now_ms;
}

static uint64_t fake_monotonic(void *context) {
	(void)context;
	return node.now_ms * 1000000;
}

static const struct clock_source fake_clock = {fake_now, fake_monotonic, NULL};

static void mine_all(void) {
	bool any = true;
	while (any) {
		any = false;
		for (size_t i = 0; i < node.tx_count; i++) {
			struct fake_tx *tx = &node.txs[i];
			if (tx->is_mined || tx->nonce != node.nonce) continue;
			u256 base_fee = u256_from(node.base_fee_wei);
			if (u256_less(&tx->max_fee_wei, &base_fee)) continue;
			tx->is_mined = any = true;
			tx->block = ++node.head;
			node.nonce++;
		}
	}
}

static void fake_sleep(void *context, uint32_t ms) {
	(void)context;
	node.now_ms += ms;
	if (node.mines) mine_all();
}

static const char *error_text(const char *text) {
	return arena_printf(&node.arena, "\"error\":{\"code\":-32000,\"message\":\"%s\"}", text);
}

static const char *hex_text(struct bytes data) {
	struct buf text;
	buf_init(&text, 1 << 20);
	hex_put(&text, data, true);
	const char *copy = arena_strdup(&node.arena, buf_view(&text));
	buf_fini(&text);
	return copy;
}

static struct bytes first_hex(const struct json *value) {
	struct buf data;
	buf_init(&data, 1 << 20);
	assert_int_equal(hex_data(&data, json_string(value)), STATUS_OK);
	struct bytes copy = arena_dup(&node.arena, buf_view(&data));
	buf_fini(&data);
	return copy;
}

static const char *take_raw(struct bytes raw) {
	struct transaction tx;
	node.raw_count++;
	assert_int_equal(transaction_decode(&tx, NULL, &node.arena, raw, NULL), STATUS_OK);
	if (node.refusal) {
		const char *said = node.refusal;
		node.refusal = NULL;
		return error_text(said);
	}
	u256 base_fee = u256_from(node.base_fee_wei);
	if (u256_less(&tx.max_fee_wei, &base_fee)) return error_text("max fee per gas less than block base fee");
	if (node.needs_blob && node.blobs_put == 0)
		return error_text("the blob that it names was not put here by its sender");
	if (tx.nonce < node.nonce) return error_text("nonce too low");
	hash32 hash = transaction_hash(&tx);
	for (size_t i = 0; i < node.tx_count; i++) {
		if (hash32_equal(&node.txs[i].hash, &hash)) return error_text("already known");
		if (node.txs[i].nonce == tx.nonce && !node.txs[i].is_mined) {
			if (!u256_less(&node.txs[i].max_fee_wei, &tx.max_fee_wei))
				return error_text("replacement transaction underpriced");
			node.txs[i] = node.txs[--node.tx_count];
		}
	}
	if (!node.forgets) {
		assert_true(node.tx_count < TXS_MAX);
		node.txs[node.tx_count++] = (struct fake_tx){.hash = hash,
		    .nonce = tx.nonce,
		    .data = tx.data,
		    .max_fee_wei = tx.max_fee_wei,
		    .gas_limit = tx.gas_limit};
	}
	return arena_printf(&node.arena, "\"result\":\"%s\"", hex_text(BYTES_OF(hash)));
}

static const char *receipt_of(const hash32 *hash) {
	for (size_t i = 0; i < node.tx_count; i++) {
		const struct fake_tx *tx = &node.txs[i];
		if (!tx->is_mined || !hash32_equal(&tx->hash, hash)) continue;
		return arena_printf(&node.arena,
		    "\"result\":{\"blockHash\":\"%s\",\"blockNumber\":\"0x%llx\",\"gasUsed\":\"0x1\",\"status\":\"0x%"
		    "d\","
		    "\"contractAddress\":null,\"logs\":[]}",
		    hex_text(BYTES_OF(tx->hash)), (unsigned long long)tx->block, !tx->fails);
	}
	return "\"result\":null";
}

static uint64_t pending_nonce(void) {
	uint64_t nonce = node.nonce;
	for (size_t i = 0; i < node.tx_count; i++)
		if (!node.txs[i].is_mined && node.txs[i].nonce >= nonce) nonce = node.txs[i].nonce + 1;
	return nonce;
}

static bool is_refused(struct bytes data) {
	return node.refuses_text && memmem(data.data, data.len, node.refuses_text, strlen(node.refuses_text));
}

static const char *estimate_of(const struct json *params) {
	struct bytes data = first_hex(json_get(json_at(params, 0), "data"));
	node.estimates++;
	if (node.estimate_refusal) return error_text(node.estimate_refusal);
	if (is_refused(data)) return error_text("execution reverted");
	return arena_printf(&node.arena, "\"result\":\"0x%llx\"", (unsigned long long)node.gas);
}

static const char *simulation_of(const struct json *params) {
	const struct json *calls = json_get(json_at(json_get(json_at(params, 0), "blockStateCalls"), 0), "calls");
	const char *said = "", *between = "";
	if (!node.simulates) return error_text("the method eth_simulateV1 does not exist");
	json_foreach (call, calls) {
		const bool fails = is_refused(first_hex(json_get(call, "data")));
		said = arena_printf(&node.arena, "%s%s{\"status\":\"0x%d\",\"gasUsed\":\"0x%llx\"%s}", said, between,
		    !fails, (unsigned long long)node.gas,
		    fails ? ",\"error\":{\"message\":\"execution reverted\"}" : "");
		between = ",";
	}
	node.simulations++;
	return arena_printf(&node.arena, "\"result\":[{\"calls\":[%s]}]", said);
}

static const char *answer(struct bytes method, const struct json *params) {
	if (bytes_equal(method, BYTES_LITERAL("eth_chainId")))
		return arena_printf(&node.arena, "\"result\":\"0x%x\"", CHAIN_ID);
	if (bytes_equal(method, BYTES_LITERAL("eth_estimateGas"))) return estimate_of(params);
	if (bytes_equal(method, BYTES_LITERAL("eth_simulateV1"))) return simulation_of(params);
	if (bytes_equal(method, BYTES_LITERAL("eth_call"))) return error_text("execution reverted: why");
	if (bytes_equal(method, BYTES_LITERAL("eth_blockNumber")))
		return arena_printf(&node.arena, "\"result\":\"0x%llx\"", (unsigned long long)node.head);
	if (bytes_equal(method, BYTES_LITERAL("eth_getBlockByNumber")))
		return arena_printf(
		    &node.arena, "\"result\":{\"baseFeePerGas\":\"0x%llx\"}", (unsigned long long)node.base_fee_wei);
	if (bytes_equal(method, BYTES_LITERAL("eth_getTransactionCount"))) {
		bool pending = json_string_is(json_at(params, 1), "pending");
		return arena_printf(
		    &node.arena, "\"result\":\"0x%llx\"", (unsigned long long)(pending ? pending_nonce() : node.nonce));
	}
	if (bytes_equal(method, BYTES_LITERAL("eth_sendRawTransaction")))
		return take_raw(first_hex(json_at(params, 0)));
	if (bytes_equal(method, BYTES_LITERAL("eth_sendRawTransactionSync"))) return error_text("method not found");
	hash32 hash;
	assert_true(bytes_equal(method, BYTES_LITERAL("eth_getTransactionReceipt")));
	assert_int_equal(hex_fixed(hash.b, 32, json_string(json_at(params, 0))), STATUS_OK);
	return receipt_of(&hash);
}

static enum status fake_exchange(void *context, struct http_response *response, enum http_method method,
    const char *url, const char *const *headers, struct bytes body, struct err *err) {
	(void)context, (void)url, (void)headers;
	const struct json *root;
	if (node.is_away) return err_set(err, STATUS_IO, "connection refused");
	buf_clear(&response->body);
	response->status = method == HTTP_PUT ? 201 : 200;
	if (method == HTTP_PUT) {
		node.blobs_put++;
		return STATUS_OK;
	}
	assert_int_equal(json_parse(&root, &node.arena, body, NULL, err), STATUS_OK);
	const char *said = answer(json_string(json_get(root, "method")), json_get(root, "params"));
	if (node.loses_answer) return err_set(err, STATUS_IO, "connection reset");
	buf_printf(&response->body, "{\"jsonrpc\":\"2.0\",\"id\":1,%s}", said);
	return STATUS_OK;
}

/* --- the outbox under test --- */

static const struct http_client fake_http = {fake_exchange, NULL, NULL};
static const hash32 secret = {.b = {7}};
static const addr20 sealer = {{1}}, contract = {{2}};
static const hash32 genesis = {{3}};
static struct scripted_random script;
static struct random_source random_source;
static struct client *client;
static struct outbox *outbox;
static char folder[64], journal[96];
static struct arena arena;

static void open_outbox(const struct threads *threads) {
	struct outbox_options options = {.client = client,
	    .threads = threads,
	    .secret = &secret,
	    .node = &sealer,
	    .genesis = &genesis,
	    .random = &random_source,
	    .journal_path = journal};
	struct err err = {0};
	enum status status = outbox_open(&outbox, &options, &err);
	if (status != STATUS_OK) fail_msg("%s", err.message);
}

/* As kill -9 does: the journal is as it is, whatever the outbox would have done when it is closed. */
static void die(void) {
	char kept[128];
	snprintf(kept, sizeof kept, "%s.kept", journal);
	assert_int_equal(link(journal, kept), 0);
	outbox_close(outbox);
	outbox = NULL;
	unlink(journal);
	assert_int_equal(rename(kept, journal), 0);
}

static int begin(void **state) {
	(void)state;
	node = (struct node){.mines = true, .gas = 50000, .now_ms = 1000000, .nonce = 5};
	arena_init(&node.arena);
	arena_init(&arena);
	random_source = scripted_random(&script);
	snprintf(folder, sizeof folder, "/tmp/xinglin-outbox-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal, sizeof journal, "%s/outbox.journal", folder);
	const struct client_options options = {
	    .url = "http://node", .http = &fake_http, .clock = &fake_clock, .sleep_ms = fake_sleep};
	assert_int_equal(client_open(&client, &options, NULL), STATUS_OK);
	open_outbox(NULL);
	return 0;
}

static int end(void **state) {
	(void)state;
	outbox_close(outbox);
	outbox = NULL;
	client_close(client);
	unlink(journal);
	assert_int_equal(rmdir(folder), 0);
	arena_fini(&arena);
	arena_fini(&node.arena);
	return 0;
}

struct heard {
	size_t calls;
	enum outbox_end end;
	size_t merged, place;
	char reason[160];
};

static void hear(void *context, const struct outbox_result *result) {
	struct heard *heard = context;
	heard->calls++;
	heard->end = result->end;
	heard->merged = result->merged;
	heard->place = result->place;
	snprintf(heard->reason, sizeof heard->reason, "%s", result->verdict.reason);
}

static void encode_joined(struct buf *data, const struct bytes *items, size_t count) {
	buf_byte(data, (uint8_t)count);
	for (size_t i = 0; i < count; i++) buf_append(data, items[i]);
}
static const struct outbox_merger joiner = {4, encode_joined};

static void submit(struct heard *heard, const char *text) {
	const struct outbox_entry entry = {
	    .to = &contract, .data = bytes_text(text), .completed = hear, .context = heard};
	assert_int_equal(outbox_submit(outbox, &entry, NULL), STATUS_OK);
}

static void submit_joined(struct heard *heard, uint8_t key, const char *text) {
	const struct outbox_entry entry = {.to = &contract,
	    .data = bytes_text(text),
	    .merger = &joiner,
	    .merge_key = {.b = {key}},
	    .merge_item = bytes_text(text),
	    .completed = hear,
	    .context = heard};
	assert_int_equal(outbox_submit(outbox, &entry, NULL), STATUS_OK);
}

static void drain(void) {
	struct err err = {0};
	enum status status = outbox_drain(outbox, node.now_ms + 600000, &err);
	if (status != STATUS_OK) fail_msg("%s", err.message);
}

/* How many transactions with this calldata stand in blocks. */
static size_t mined_with(const char *text) {
	size_t count = 0;
	for (size_t i = 0; i < node.tx_count; i++)
		count += node.txs[i].is_mined && bytes_equal(node.txs[i].data, bytes_text(text));
	return count;
}

/* --- tests --- */

static void several_are_sent_at_once_with_nonces_in_order_and_each_is_heard_of_once(void **state) {
	(void)state;
	struct heard heard[3] = {0};
	submit(&heard[0], "first");
	submit(&heard[1], "second");
	submit(&heard[2], "third");
	node.mines = false;
	assert_int_equal(outbox_drain(outbox, node.now_ms + 50, NULL), STATUS_TIMEOUT);
	assert_int_equal(node.tx_count, 3);
	for (uint64_t i = 0; i < 3; i++) assert_int_equal(node.txs[i].nonce, 5 + i);
	assert_true(bytes_equal(node.txs[1].data, bytes_text("second")));
	node.mines = true;
	drain();
	for (size_t i = 0; i < 3; i++) assert_true(heard[i].calls == 1 && heard[i].end == OUTBOX_DONE);
}

static void what_waits_for_one_folder_goes_together_and_other_folders_go_by_themselves(void **state) {
	(void)state;
	struct heard heard[7] = {0};
	submit_joined(&heard[0], 1, "a");
	submit_joined(&heard[1], 2, "x");
	submit_joined(&heard[2], 1, "b");
	submit_joined(&heard[3], 1, "c");
	submit_joined(&heard[4], 1, "d");
	submit_joined(&heard[5], 1, "e"); /* over the merger's four */
	submit(&heard[6], "alone");
	drain();
	assert_int_equal(node.tx_count, 4);
	assert_int_equal(mined_with("\4abcd"), 1);
	assert_int_equal(mined_with("x") + mined_with("e") + mined_with("alone"), 3);
	assert_true(heard[3].merged == 4 && heard[3].place == 2);
	assert_true(heard[6].merged == 1 && heard[6].end == OUTBOX_DONE);
}

/* --- beside other threads: what they do happens while the runner waits --- */

static struct meanwhile {
	struct heard heard[2];
	bool second_comes;
	uint32_t waited_ms;
} meanwhile;

static struct monitor *fake_monitor_new(void *context) {
	return context;
}

static void fake_monitor_use(struct monitor *monitor) {
	(void)monitor;
}

static void fake_wait(struct monitor *monitor, uint32_t timeout_ms) {
	(void)monitor;
	fake_sleep(NULL, timeout_ms);
	if (node.tx_count == 0) meanwhile.waited_ms += timeout_ms;
	if (meanwhile.second_comes) {
		meanwhile.second_comes = false;
		submit_joined(&meanwhile.heard[1], 1, "b");
		outbox_expect(outbox, false);
	}
	if (meanwhile.heard[0].calls > 0) outbox_stop(outbox);
}

static void run_with_one_expected(bool it_comes) {
	const struct threads threads = {.monitor_new = fake_monitor_new,
	    .monitor_free = fake_monitor_use,
	    .lock = fake_monitor_use,
	    .unlock = fake_monitor_use,
	    .wait = fake_wait,
	    .wake_all = fake_monitor_use,
	    .context = &meanwhile};
	meanwhile = (struct meanwhile){.second_comes = it_comes};
	outbox_close(outbox);
	open_outbox(&threads);
	submit_joined(&meanwhile.heard[0], 1, "a");
	outbox_expect(outbox, true);
	outbox_run(outbox);
	outbox_close(outbox);
	open_outbox(NULL);
}

static void what_is_prepared_is_awaited_and_travels_with_what_waits(void **state) {
	(void)state;
	run_with_one_expected(true);
	assert_int_equal(mined_with("\2ab"), 1);
	assert_int_equal(node.tx_count, 1);
	assert_true(meanwhile.heard[0].merged == 2 && meanwhile.heard[1].calls == 1);
}

static void what_takes_long_to_prepare_is_not_awaited(void **state) {
	(void)state;
	run_with_one_expected(false);
	assert_int_equal(mined_with("a"), 1);
	assert_in_range(meanwhile.waited_ms, 1, 10);
}

static void one_that_reverts_does_not_take_down_those_that_travelled_with_it(void **state) {
	(void)state;
	struct heard heard[3] = {0};
	node.refuses_text = "bad";
	submit_joined(&heard[0], 1, "a");
	submit_joined(&heard[1], 1, "bad");
	submit_joined(&heard[2], 1, "c");
	drain();
	assert_int_equal(heard[0].end, OUTBOX_DONE);
	assert_int_equal(heard[1].end, OUTBOX_REFUSED);
	assert_int_equal(heard[2].end, OUTBOX_DONE);
	assert_true(mined_with("a") == 1 && mined_with("c") == 1 && mined_with("bad") == 0);
}

/* Only what would fail goes alone. */
static void a_node_that_simulates_says_which_one_reverts(void **state) {
	(void)state;
	struct heard heard[4] = {0};
	node.simulates = true;
	node.refuses_text = "bad";
	submit_joined(&heard[0], 1, "a");
	submit_joined(&heard[1], 1, "bad");
	submit_joined(&heard[2], 1, "c");
	submit_joined(&heard[3], 1, "d");
	drain();
	assert_int_equal(heard[1].end, OUTBOX_REFUSED);
	for (size_t i = 0; i < 4; i++)
		if (i != 1) assert_int_equal(heard[i].end, OUTBOX_DONE);
	assert_int_equal(node.raw_count, 1); /* a, c and d in one */
	assert_int_equal(node.estimates, 0);
	/* All; each; those three; the bad one, while they are on their way and once they have ended. */
	assert_int_equal(node.simulations, 5);
	assert_true(node.txs[0].gas_limit > node.gas);
}

static void an_estimate_that_reverts_is_believed_only_when_nothing_sent_before_is_on_its_way(void **state) {
	(void)state;
	struct heard heard[2] = {0};
	node.mines = false;
	submit(&heard[0], "opens");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	node.estimate_refusal = "execution reverted"; /* since what opens it is in no block yet */
	submit(&heard[1], "uses it");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	assert_int_equal(heard[1].calls, 0);
	node.estimate_refusal = NULL;
	node.mines = true;
	drain();
	assert_int_equal(heard[1].end, OUTBOX_DONE);
	node.estimate_refusal = "execution reverted";
	submit(&heard[1], "never");
	drain();
	assert_int_equal(heard[1].end, OUTBOX_REFUSED);
	assert_string_equal(heard[1].reason, "execution reverted");
}

static void a_revert_in_a_block_is_told_with_its_reason(void **state) {
	(void)state;
	struct heard heard = {0};
	node.mines = false;
	submit(&heard, "fails");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	node.txs[0].fails = true;
	node.mines = true;
	drain();
	assert_int_equal(heard.end, OUTBOX_REVERTED);
	assert_string_equal(heard.reason, "execution reverted: why");
}

static void after_a_kill_the_same_bytes_are_sent_and_nothing_is_done_twice(void **state) {
	(void)state;
	struct heard heard = {0};
	node.mines = false;
	submit(&heard, "once");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	const hash32 hash = node.txs[0].hash;
	node.tx_count = 0; /* the node was killed too, and forgot */
	die();
	open_outbox(NULL);
	assert_int_equal(outbox_counts(outbox).waiting, 1);
	node.mines = true;
	drain();
	assert_int_equal(node.tx_count, 1);
	assert_true(hash32_equal(&node.txs[0].hash, &hash));
	assert_int_equal(mined_with("once"), 1);
}

static void what_was_mined_while_nobody_looked_is_not_sent_anew(void **state) {
	(void)state;
	struct heard heard = {0};
	node.mines = false;
	submit(&heard, "once");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	die();
	mine_all();
	open_outbox(NULL);
	drain();
	assert_int_equal(mined_with("once"), 1);
	assert_int_equal(node.nonce, 6);
	node.mines = true;
	submit(&heard, "next");
	drain();
	assert_int_equal(mined_with("next"), 1);
}

static void what_was_accepted_and_not_signed_is_sent_after_a_kill(void **state) {
	(void)state;
	struct heard heard = {0};
	submit(&heard, "accepted");
	die();
	open_outbox(NULL);
	drain();
	assert_int_equal(mined_with("accepted"), 1);
}

static void an_answer_that_was_lost_does_not_send_twice(void **state) {
	(void)state;
	struct heard heard = {0};
	submit(&heard, "once");
	node.loses_answer = true;
	assert_int_equal(outbox_drain(outbox, node.now_ms + 3000, NULL), STATUS_TIMEOUT);
	node.loses_answer = false;
	drain();
	assert_int_equal(heard.end, OUTBOX_DONE);
	assert_int_equal(mined_with("once"), 1);
}

static void what_a_pool_forgot_is_sent_again(void **state) {
	(void)state;
	struct heard heard = {0};
	node.forgets = true;
	submit(&heard, "forgotten");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 1000, NULL), STATUS_TIMEOUT);
	assert_int_equal(node.raw_count, 1);
	node.forgets = false;
	drain();
	assert_int_equal(mined_with("forgotten"), 1);
	assert_true(outbox_counts(outbox).resent >= 1);
}

static void a_nonce_that_another_program_used_is_given_anew(void **state) {
	(void)state;
	struct heard heard = {0};
	node.forgets = true;
	submit(&heard, "late");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	node.forgets = false;
	node.nonce = 6; /* the other's transaction */
	drain();
	assert_int_equal(heard.end, OUTBOX_DONE);
	assert_int_equal(mined_with("late"), 1);
	assert_int_equal(node.nonce, 7);
}

static void a_fee_below_the_base_fee_is_raised_with_the_same_nonce(void **state) {
	(void)state;
	struct heard heard = {0};
	node.base_fee_wei = 1000;
	node.mines = false;
	submit(&heard, "cheap");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	const hash32 cheap = node.txs[0].hash;
	node.base_fee_wei = 5000000000u;
	node.tx_count = 0; /* the pool dropped it */
	node.mines = true;
	drain();
	assert_int_equal(heard.end, OUTBOX_DONE);
	assert_int_equal(node.nonce, 6);
	assert_false(hash32_equal(&node.txs[0].hash, &cheap));
}

static void a_refused_transaction_leaves_no_hole_before_later_ones(void **state) {
	(void)state;
	struct heard heard[2] = {0};
	submit(&heard[0], "before");
	drain();
	heard[0] = (struct heard){0};
	node.refusal = "insufficient funds for gas * price + value";
	submit(&heard[0], "refused");
	submit(&heard[1], "behind");
	drain();
	assert_int_equal(heard[0].end, OUTBOX_REFUSED);
	assert_non_null(strstr(heard[0].reason, "insufficient funds"));
	assert_int_equal(heard[1].end, OUTBOX_DONE);
	assert_int_equal(mined_with("refused"), 0);
}

static void a_hole_is_filled_after_a_kill_too(void **state) {
	(void)state;
	struct heard heard[2] = {0};
	node.refusal = "insufficient funds for gas * price + value";
	submit(&heard[0], "refused");
	submit(&heard[1], "behind");
	node.mines = false;
	/* One round: the first is refused, the second sent behind its nonce. */
	assert_int_equal(outbox_drain(outbox, node.now_ms + 1, NULL), STATUS_TIMEOUT);
	die();
	open_outbox(NULL);
	node.mines = true;
	drain();
	assert_int_equal(mined_with("behind"), 1);
}

static void blobs_that_the_node_lost_are_put_again_from_the_journal(void **state) {
	(void)state;
	struct heard heard = {0};
	static const uint8_t container[] = {'X', 'L', 'C', '1', 0, 0, 0, 1, 0, 0, 0, 1, 'p'};
	const struct outbox_blob blob = {contract, {container, sizeof container}};
	const struct outbox_entry entry = {.to = &contract,
	    .data = bytes_text("names a blob"),
	    .blobs = &blob,
	    .blob_count = 1,
	    .completed = hear,
	    .context = &heard};
	node.needs_blob = true;
	assert_int_equal(outbox_submit(outbox, &entry, NULL), STATUS_OK);
	drain();
	assert_int_equal(heard.end, OUTBOX_DONE);
	assert_int_equal(node.blobs_put, 1);
}

static void a_deadline_ends_the_waiting_and_not_the_work(void **state) {
	(void)state;
	struct outbox_result result;
	struct err err = {0};
	const uint64_t begin_ms = node.now_ms;
	const struct outbox_entry entry = {.to = &contract, .data = bytes_text("slow"), .deadline_ms = begin_ms + 5000};
	node.mines = false;
	assert_int_equal(outbox_send(outbox, &result, &arena, &entry, &err), STATUS_TIMEOUT);
	assert_int_equal(result.end, OUTBOX_KEPT);
	assert_false(hash32_is_zero(&result.receipt.tx_hash));
	assert_true(node.now_ms - begin_ms >= 5000 && node.now_ms - begin_ms < 5200);
	outbox_close(outbox);
	open_outbox(NULL);
	node.mines = true;
	drain();
	assert_int_equal(mined_with("slow"), 1);
}

static void several_that_are_sent_together_end_together_with_the_limits_that_they_name(void **state) {
	(void)state;
	struct outbox_result results[3];
	struct outbox_entry entries[3];
	static const char *const texts[3] = {"one", "two", "three"};
	for (size_t i = 0; i < 3; i++)
		entries[i] = (struct outbox_entry){.to = &contract,
		    .data = bytes_text(texts[i]),
		    .gas_limit = 30000 + i,
		    .deadline_ms = node.now_ms + 60000};
	assert_int_equal(outbox_send_all(outbox, results, &arena, entries, 3, NULL), STATUS_OK);
	assert_int_equal(node.estimates, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(results[i].end, OUTBOX_DONE);
		assert_true(bytes_equal(node.txs[i].data, bytes_text(texts[i])));
		assert_int_equal(node.txs[i].nonce, 5 + i);
		assert_int_equal(node.txs[i].gas_limit, 30000 + i);
	}
	assert_int_equal(outbox_counts(outbox).waiting, 0);
}

static void of_several_each_is_kept_that_is_in_no_block_in_time(void **state) {
	(void)state;
	struct outbox_result results[2];
	struct err err = {0};
	const struct outbox_entry entries[2] = {
	    {.to = &contract, .data = bytes_text("one"), .gas_limit = 30000, .deadline_ms = node.now_ms + 1000},
	    {.to = &contract, .data = bytes_text("two"), .gas_limit = 30000, .deadline_ms = node.now_ms + 1000}};
	node.mines = false;
	assert_int_equal(outbox_send_all(outbox, results, &arena, entries, 2, &err), STATUS_TIMEOUT);
	for (size_t i = 0; i < 2; i++) assert_int_equal(results[i].end, OUTBOX_KEPT);
	die();
	open_outbox(NULL);
	node.mines = true;
	drain();
	assert_int_equal(mined_with("one") + mined_with("two"), 2);
	assert_int_equal(node.tx_count, 2);
}

static void a_node_that_is_away_is_waited_for_until_the_deadline(void **state) {
	(void)state;
	struct outbox_result result;
	struct err err = {0};
	const struct outbox_entry entry = {
	    .to = &contract, .data = bytes_text("later"), .deadline_ms = node.now_ms + 3000};
	node.is_away = true;
	assert_int_equal(outbox_send(outbox, &result, &arena, &entry, &err), STATUS_TIMEOUT);
	assert_non_null(strstr(err.message, "connection refused"));
	node.is_away = false;
	drain();
	assert_int_equal(mined_with("later"), 1);
}

static void more_gas_than_one_transaction_may_use_is_refused_before_it_is_sent(void **state) {
	(void)state;
	struct heard heard = {0};
	node.gas = OUTBOX_GAS_MAX + 1;
	submit(&heard, "heavy");
	drain();
	assert_int_equal(heard.end, OUTBOX_REFUSED);
	assert_non_null(strstr(heard.reason, "16777216"));
	node.gas = OUTBOX_GAS_MAX; /* no headroom above the bound */
	submit(&heard, "just");
	drain();
	assert_int_equal(heard.end, OUTBOX_DONE);
	static uint8_t large[OUTBOX_TX_BYTES_MAX];
	const struct outbox_entry entry = {.to = &contract, .data = {large, sizeof large}};
	assert_int_equal(outbox_submit(outbox, &entry, NULL), STATUS_LIMIT);
}

static void a_torn_end_is_cut_off_and_damage_inside_is_an_error(void **state) {
	(void)state;
	struct heard heard = {0};
	struct err err = {0};
	struct stat info;
	submit(&heard, "kept");
	submit(&heard, "torn");
	die();
	assert_int_equal(stat(journal, &info), 0);
	assert_int_equal(truncate(journal, info.st_size - 1), 0);
	open_outbox(NULL);
	assert_int_equal(outbox_counts(outbox).waiting, 1);
	submit(&heard, "behind");
	die();
	int fd = open(journal, O_RDWR | O_CLOEXEC);
	uint8_t flipped;
	assert_int_equal(pread(fd, &flipped, 1, 12), 1);
	flipped ^= 1;
	assert_int_equal(pwrite(fd, &flipped, 1, 12), 1);
	struct outbox_options options = {.client = client,
	    .secret = &secret,
	    .node = &sealer,
	    .genesis = &genesis,
	    .random = &random_source,
	    .journal_path = journal};
	assert_int_equal(outbox_open(&outbox, &options, &err), STATUS_CORRUPT);
	assert_non_null(strstr(err.message, "damaged at byte 0"));
	outbox = NULL;
	close(fd);
}

static void a_restored_journal_sends_only_what_was_signed_and_only_as_it_was(void **state) {
	(void)state;
	struct heard heard = {0};
	size_t kept, dropped;
	node.mines = false;
	submit(&heard, "signed");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	submit(&heard, "unsigned");
	die();
	assert_int_equal(outbox_mark_restored(&kept, &dropped, journal, NULL), STATUS_OK);
	assert_true(kept == 1 && dropped == 1);
	node.tx_count = 0;
	node.nonce = 6; /* the original home went on, and used the nonce otherwise */
	node.mines = true;
	open_outbox(NULL);
	drain();
	assert_int_equal(node.tx_count, 0);
	assert_int_equal(outbox_counts(outbox).refused, 1);
}

/* --- names --- */

static const hash32 names[2] = {{{1}}, {{2}}};

static void submit_named(struct heard *heard, const char *text) {
	const struct outbox_entry entry = {.to = &contract,
	    .data = bytes_text(text),
	    .names = names,
	    .name_count = 2,
	    .completed = hear,
	    .context = heard};
	assert_int_equal(outbox_submit(outbox, &entry, NULL), STATUS_OK);
}

static void witness(void *context, const hash32 *refused, size_t count, const struct client_verdict *verdict) {
	assert_int_equal(count, 2);
	assert_memory_equal(refused, names, sizeof names);
	assert_non_null(strstr(verdict->reason, "execution reverted"));
	assert_true(outbox_has(outbox, &names[0])); /* told before it is forgotten */
	++*(size_t *)context;
}

static void an_entry_is_known_by_its_names_until_it_is_over_also_after_a_kill(void **state) {
	(void)state;
	struct heard heard = {0};
	const hash32 other = {{3}};
	node.mines = false;
	submit_named(&heard, "named");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	die();
	open_outbox(NULL);
	assert_true(outbox_has(outbox, &names[0]) && outbox_has(outbox, &names[1]) && !outbox_has(outbox, &other));
	node.mines = true;
	drain();
	assert_false(outbox_has(outbox, &names[1]));
}

static void a_refusal_is_witnessed_also_of_what_an_earlier_run_accepted(void **state) {
	(void)state;
	struct heard heard = {0};
	size_t witnessed = 0;
	submit_named(&heard, "never");
	die();
	open_outbox(NULL);
	outbox_set_witness(outbox, &(struct outbox_witness){witness, &witnessed});
	node.estimate_refusal = "execution reverted";
	drain();
	assert_int_equal(witnessed, 1);
	assert_false(outbox_has(outbox, &names[0]));
	node.estimate_refusal = NULL;
	node.mines = false;
	submit_named(&heard, "fails");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	node.txs[0].fails = true;
	node.mines = true;
	drain();
	assert_int_equal(witnessed, 2);
}

static void who_is_let_go_hears_that_it_goes_on_and_hears_nothing_more(void **state) {
	(void)state;
	struct heard some[2] = {{0}};
	node.mines = false;
	submit(&some[0], "a");
	submit(&some[1], "b");
	assert_int_equal(outbox_drain(outbox, node.now_ms + 10, NULL), STATUS_TIMEOUT);
	outbox_let_go(outbox, node.now_ms);
	assert_int_equal(some[0].calls, 0); /* without a deadline */
	outbox_let_go(outbox, UINT64_MAX);
	outbox_let_go(outbox, UINT64_MAX);
	for (size_t i = 0; i < 2; i++) assert_true(some[i].calls == 1 && some[i].end == OUTBOX_KEPT);
	node.mines = true;
	drain();
	assert_int_equal(some[0].calls, 1);
	assert_int_equal(mined_with("a") + mined_with("b"), 2);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
	    TEST(several_are_sent_at_once_with_nonces_in_order_and_each_is_heard_of_once),
	    TEST(what_waits_for_one_folder_goes_together_and_other_folders_go_by_themselves),
	    TEST(what_is_prepared_is_awaited_and_travels_with_what_waits),
	    TEST(what_takes_long_to_prepare_is_not_awaited),
	    TEST(one_that_reverts_does_not_take_down_those_that_travelled_with_it),
	    TEST(a_node_that_simulates_says_which_one_reverts),
	    TEST(an_estimate_that_reverts_is_believed_only_when_nothing_sent_before_is_on_its_way),
	    TEST(a_revert_in_a_block_is_told_with_its_reason),
	    TEST(after_a_kill_the_same_bytes_are_sent_and_nothing_is_done_twice),
	    TEST(what_was_mined_while_nobody_looked_is_not_sent_anew),
	    TEST(what_was_accepted_and_not_signed_is_sent_after_a_kill),
	    TEST(an_answer_that_was_lost_does_not_send_twice),
	    TEST(what_a_pool_forgot_is_sent_again),
	    TEST(a_nonce_that_another_program_used_is_given_anew),
	    TEST(a_fee_below_the_base_fee_is_raised_with_the_same_nonce),
	    TEST(a_refused_transaction_leaves_no_hole_before_later_ones),
	    TEST(a_hole_is_filled_after_a_kill_too),
	    TEST(blobs_that_the_node_lost_are_put_again_from_the_journal),
	    TEST(a_deadline_ends_the_waiting_and_not_the_work),
	    TEST(several_that_are_sent_together_end_together_with_the_limits_that_they_name),
	    TEST(of_several_each_is_kept_that_is_in_no_block_in_time),
	    TEST(a_node_that_is_away_is_waited_for_until_the_deadline),
	    TEST(more_gas_than_one_transaction_may_use_is_refused_before_it_is_sent),
	    TEST(a_torn_end_is_cut_off_and_damage_inside_is_an_error),
	    TEST(a_restored_journal_sends_only_what_was_signed_and_only_as_it_was),
	    TEST(an_entry_is_known_by_its_names_until_it_is_over_also_after_a_kill),
	    TEST(a_refusal_is_witnessed_also_of_what_an_earlier_run_accepted),
	    TEST(who_is_let_go_hears_that_it_goes_on_and_hears_nothing_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
