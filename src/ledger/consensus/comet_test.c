/* The engine against a scripted CometBFT. */
#include "ledger/consensus/comet.h"

#include "tests/unit.h"

#include "tests/scripted_comet.h"

static void a_chain_begins_with_the_hash_of_its_genesis(void **state) {
	(void)state;
	struct running running;
	char chain_id[COMET_CHAIN_ID_SIZE];
	open_node(&running);
	assert_int_equal(info_height(&running), 0);
	comet_chain_id(chain_id, chain_genesis_hash(running.world.chain));
	for (int i = 0; i < 2; i++) { /* it may be asked again before the first height */
		const struct bytes answer = ask(&running, ABCI_INIT_CHAIN, init_body(&running, chain_id));
		const hash32 hash = hash_of(field_of(answer, 3).bytes);
		assert_true(hash32_equal(&hash, chain_genesis_hash(running.world.chain)));
	}
	close_node(&running);
}

static void another_chains_genesis_stops_the_node(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	ask_for(&running, ABCI_INIT_CHAIN, init_body(&running, "xinglin-of-somebody-else"), 1);
	pthread_join(running.thread, NULL);
	assert_int_equal(running.status, STATUS_INVALID);
	assert_non_null(strstr(running.err.message, "xinglin-of-somebody-else"));
	engine_free(running.engine);
	close(running.fd);
	ledger_close(&running.world);
}

static void a_decided_bundle_becomes_the_block_that_solo_would_make(void **state) {
	(void)state;
	struct running running;
	struct ledger_world alone;
	open_node(&running);
	const struct bytes envelopes[] = {transfer(&running, 0, 0), transfer(&running, 1, 0), transfer(&running, 0, 1)};
	const struct bytes bundle = bundle_of(&running, envelopes, 3);
	assert_true(processes(&running, 1, &bundle, 1));
	const hash32 hash = decide(&running, 1, &bundle, 1);
	const hash32 head = head_hash(&running);
	assert_true(hash32_equal(&hash, &head));
	assert_int_equal(info_height(&running), 1);
	assert_int_equal(head_header(&running).timestamp, TIME_S + 1);

	/* The same transactions and the same time, through the seam alone. */
	ledger_open_by(&alone, (struct ledger_rules){.equal_timestamps = true, .zero_base_fee = true});
	struct bundle_txs txs;
	struct pending_block *pending;
	struct senders *senders = senders_new();
	bundles_read(&txs, &alone.arena, senders, &bundle, 1);
	const struct block_decision decision = {
	    .txs = txs.txs, .tx_count = txs.count, .time_ms = (uint64_t)(TIME_S + 1) * 1000 + 250};
	assert_done(&alone, chain_execute(alone.chain, &pending, &decision, &alone.err));
	assert_int_equal(pending->block.transaction_count, 3);
	assert_true(hash32_equal(&pending->hash, &hash));
	chain_drop(alone.chain, pending);
	senders_free(senders);
	ledger_close(&alone);

	uint64_t height;
	assert_done(&running.world, engine_decided_at(running.engine, &height, 1, &running.world.err));
	assert_int_equal(height, 1);
	close_node(&running);
}

static void an_empty_decision_changes_nothing(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes bundle = one(&running, 0, 0);
	const hash32 hash = decide(&running, 1, &bundle, 1);
	for (uint64_t height = 2; height < 5; height++) {
		const hash32 again = decide(&running, height, NULL, 0);
		assert_true(hash32_equal(&hash, &again));
	}
	const hash32 again = decide(&running, 5, &bundle, 1); /* a bundle whose time is over */
	assert_true(hash32_equal(&hash, &again));
	assert_int_equal(head_header(&running).number, 1);
	restart(&running);
	assert_int_equal(info_height(&running), 5);
	const hash32 kept = info_hash(&running);
	assert_true(hash32_equal(&hash, &kept));
	close_node(&running);
}

/* What CometBFT is told to keep after this height. */
static uint64_t retained_after(struct running *running, uint64_t height, const struct bytes *bundles, size_t count) {
	finalize(running, height, bundles, count);
	return field_of(ask(running, ABCI_COMMIT, (struct bytes){0}), 3).value;
}

static void cometbft_keeps_its_blocks_as_far_back_as_the_node_keeps_its_own(void **state) {
	(void)state;
	struct running running;
	struct ledger_rules rules = {.equal_timestamps = true, .zero_base_fee = true, .retention = {.blocks = 3}};
	open_by(&running, rules);
	for (uint64_t number = 1; number <= 8; number++) { /* decided at each second height */
		const struct bytes bundle = one(&running, 0, number - 1);
		const uint64_t first = number >= 4 ? number - 2 : 0, wanted = first > 0 ? 2 * first - 1 : 0;
		assert_int_equal(retained_after(&running, 2 * number - 1, &bundle, 1), wanted);
		assert_int_equal(retained_after(&running, 2 * number, NULL, 0), wanted);
	}
	close_node(&running);
}

/* OfferSnapshot {1: Snapshot {1: height, 2: format, 3: chunks, 4: hash, 5: metadata}, 2: app hash}. */
static struct bytes offer_body(struct running *running, uint32_t format, struct bytes manifest) {
	struct buf body;
	const hash32 hash = snapshot_hash(manifest);
	buf_init(&body, 1 << 16);
	const size_t snapshot = protobuf_begin(&body, 1);
	protobuf_put_u64(&body, 1, 7);
	protobuf_put_u64(&body, 2, format);
	protobuf_put_u64(&body, 3, 1);
	protobuf_put_bytes(&body, 4, BYTES_OF(hash));
	protobuf_put_bytes(&body, 5, manifest);
	protobuf_end(&body, snapshot);
	protobuf_put_bytes(&body, 2, BYTES_OF(hash));
	const struct bytes kept = arena_dup(&running->world.arena, buf_view(&body));
	buf_fini(&body);
	return kept;
}

static void a_snapshot_that_cannot_be_is_refused_and_the_node_goes_on(void **state) {
	(void)state;
	struct running running;
	char chain_id[COMET_CHAIN_ID_SIZE];
	const struct bytes nonsense = BYTES_LITERAL("no manifest");
	open_node(&running);
	assert_int_equal(count_of(ask(&running, ABCI_LIST_SNAPSHOTS, (struct bytes){0}), 1), 0);
	assert_int_equal(field_of(ask(&running, ABCI_LOAD_SNAPSHOT_CHUNK, (struct bytes){0}), 1).bytes.len, 0);
	const struct bytes other = offer_body(&running, SNAPSHOT_FORMAT + 1, nonsense);
	assert_int_equal(field_of(ask(&running, ABCI_OFFER_SNAPSHOT, other), 1).value, ABCI_OFFER_REJECT_FORMAT);
	const struct bytes bad = offer_body(&running, SNAPSHOT_FORMAT, nonsense);
	assert_int_equal(field_of(ask(&running, ABCI_OFFER_SNAPSHOT, bad), 1).value, ABCI_OFFER_REJECT_SENDER);
	const struct bytes chunk = ask(&running, ABCI_APPLY_SNAPSHOT_CHUNK, (struct bytes){0});
	assert_int_equal(field_of(chunk, 1).value, ABCI_APPLY_ABORT);
	comet_chain_id(chain_id, chain_genesis_hash(running.world.chain));
	ask(&running, ABCI_INIT_CHAIN, init_body(&running, chain_id));
	const struct bytes bundle = one(&running, 0, 0);
	decide(&running, 1, &bundle, 1);
	assert_int_equal(info_height(&running), 1);
	close_node(&running);
}

static void bundles_that_overtake_each_other_do_no_harm(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes bundles[] = {one(&running, 0, 1), one(&running, 1, 0), one(&running, 0, 0)};
	const struct bytes answer = finalize(&running, 1, bundles, 3);
	assert_int_equal(count_of(answer, 2), 3); /* a result for each bundle */
	ask(&running, ABCI_COMMIT, (struct bytes){0});
	size_t count;
	const hash32 hash = head_hash(&running);
	assert_done(&running.world, chain_transaction_count(running.world.chain, &count, 1, &hash, &running.world.err));
	assert_int_equal(count, 3);
	close_node(&running);
}

static void a_crash_before_the_commit_comes_to_the_same_bytes(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes first = one(&running, 0, 0), second = one(&running, 0, 1);
	decide(&running, 1, &first, 1);
	const hash32 decided = hash_of(field_of(finalize(&running, 2, &second, 1), 5).bytes);
	restart(&running); /* what was decided was nowhere but in memory */
	assert_int_equal(info_height(&running), 1);
	const hash32 again = decide(&running, 2, &second, 1);
	assert_true(hash32_equal(&decided, &again));
	assert_int_equal(info_height(&running), 2);
	close_node(&running);
}

static void a_comet_that_comes_back_decides_again(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes bundle = one(&running, 0, 0), other = one(&running, 1, 0);
	finalize(&running, 1, &bundle, 1);
	close(running.fd);
	connect_to(&running);
	assert_int_equal(info_height(&running), 0);
	decide(&running, 1, &other, 1);
	assert_int_equal(info_height(&running), 1);
	close_node(&running);
}

/* A block, and who voted for the one before it. */
static struct bytes voted_body(struct running *running, uint64_t height, uint8_t validator, uint64_t flag) {
	struct buf body;
	uint8_t address[20];
	memset(address, validator, sizeof address);
	buf_init(&body, 1 << 16);
	const size_t commit = protobuf_begin(&body, 2), vote = protobuf_begin(&body, 2), who = protobuf_begin(&body, 1);
	protobuf_put_bytes(&body, 1, bytes_make(address, sizeof address));
	protobuf_end(&body, who);
	protobuf_put_u64(&body, 3, flag);
	protobuf_end(&body, vote);
	protobuf_end(&body, commit);
	protobuf_put_u64(&body, 5, height);
	const struct bytes kept = arena_dup(&running->world.arena, buf_view(&body));
	buf_fini(&body);
	return kept;
}

static void a_vote_that_its_key_does_not_remember_stops_the_node(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	running.remembered = 2;
	decide(&running, 1, NULL, 0);
	const struct bytes good[] = {voted_body(&running, 2, 0x77, 2), voted_body(&running, 3, 0x77, 3),
	    voted_body(&running, 4, 0x66, 2),
	    voted_body(&running, 5, 0x77, 1)}; /* somebody else's; and an absent one */
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ask(&running, ABCI_FINALIZE_BLOCK, good[i]);
		ask(&running, ABCI_COMMIT, (struct bytes){0});
	}
	assert_false(running.has_forgotten);
	ask_for(&running, ABCI_FINALIZE_BLOCK, voted_body(&running, 6, 0x77, 2), 1);
	pthread_join(running.thread, NULL);
	assert_int_equal(running.status, STATUS_CORRUPT);
	assert_true(running.has_forgotten);
	engine_free(running.engine);
	close(running.fd);
	ledger_close(&running.world);
}

static void a_height_out_of_turn_stops_the_node(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	ask_for(&running, ABCI_FINALIZE_BLOCK, block_body(&running, 7, NULL, 0), 1);
	pthread_join(running.thread, NULL);
	assert_int_equal(running.status, STATUS_CORRUPT);
	engine_free(running.engine);
	close(running.fd);
	ledger_close(&running.world);
}

static void what_is_no_bundle_is_refused(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes good = one(&running, 0, 0), bare = transfer(&running, 0, 0);
	struct bytes spoiled = arena_dup(&running.world.arena, bare);
	((uint8_t *)spoiled.data)[spoiled.len - 40] ^= 1; /* within s: another signer, who has nothing to do with it */
	const struct bytes empty_list = bytes_make("\xc0", 1), garbage = bytes_text("garbage");
	const struct bytes longer = arena_dup(&running.world.arena, bytes_make(good.data, good.len));
	assert_int_equal(check_tx(&running, good), 0);
	assert_true(processes(&running, 1, &good, 1));
	const struct bytes bad[] = {bare, empty_list, garbage, bytes_make(longer.data, longer.len - 1), {0}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct bytes pair[] = {good, bad[i]};
		assert_int_not_equal(check_tx(&running, bad[i]), 0);
		assert_false(processes(&running, 1, pair, 2));
	}
	decide(&running, 1, &good, 1);
	assert_int_not_equal(check_tx(&running, good), 0); /* it is in a block already */
	close_node(&running);
}

static void a_proposal_keeps_bundles_whole_and_within_its_bytes(void **state) {
	(void)state;
	struct running running;
	struct buf body;
	open_node(&running);
	const struct bytes bundles[] = {one(&running, 0, 0), one(&running, 1, 0), one(&running, 2, 0)};
	buf_init(&body, 1 << 20);
	protobuf_put_u64(&body, 1, 2 * (bundles[0].len + 8));
	for (size_t i = 0; i < 3; i++) protobuf_put_message(&body, 2, bundles[i]);
	protobuf_put_u64(&body, 5, 1);
	const struct bytes answer = ask(&running, ABCI_PREPARE_PROPOSAL, buf_view(&body));
	assert_int_equal(count_of(answer, 1), 2);
	assert_true(bytes_equal(field_of(answer, 1).bytes, bundles[1]));
	buf_fini(&body);
	close_node(&running);
}

static struct bytes await_bundle(struct running *running, size_t index) {
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_MS / 1000;
	pthread_mutex_lock(&running->lock);
	int result = 0;
	while (running->sent_count <= index && result == 0)
		result = pthread_cond_timedwait(&running->came, &running->lock, &until);
	assert_true(running->sent_count > index);
	const struct bytes kept = arena_dup(&running->world.arena, buf_view(&running->sent[index]));
	pthread_mutex_unlock(&running->lock);
	return kept;
}

static void add(struct running *running, size_t account, uint64_t nonce) {
	hash32 hash;
	enum tx_verdict verdict;
	assert_int_equal(ledger_add(&running->world, &hash, transfer(running, account, nonce), &verdict), POOL_OK);
}

static void what_the_pool_takes_in_is_sent_once(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	add(&running, 0, 0);
	const struct bytes first = await_bundle(&running, 0);
	add(&running, 0, 1);
	const struct bytes second = await_bundle(&running, 1);
	const struct bytes both[] = {first, second}, expected[] = {one(&running, 0, 0), one(&running, 0, 1)};
	assert_true(bytes_equal(first, expected[0]));
	assert_true(bytes_equal(second, expected[1]));
	decide(&running, 1, both, 2);
	assert_int_equal(pool_counts(running.world.pool).pending, 0);
	close_node(&running);
}

static uint64_t code_of(struct bytes finalized) {
	return field_of(field_of(finalized, 2).bytes, 1).value;
}

/* The code lets CometBFT take the same bytes a second time. */
static void what_a_block_left_out_is_sent_again(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	add(&running, 0, 0);
	await_bundle(&running, 0);
	add(&running, 0, 1);
	const struct bytes second = await_bundle(&running, 1);
	/* Its nonce is too high, so nothing stands in a block. */
	assert_int_equal(code_of(finalize(&running, 1, &second, 1)), 1);
	ask(&running, ABCI_COMMIT, (struct bytes){0});
	assert_int_equal(head_header(&running).number, 0);
	/* With what comes before it, which may be lost as well. */
	const struct bytes again = await_bundle(&running, 2);
	const struct bytes envelopes[] = {transfer(&running, 0, 0), transfer(&running, 0, 1)};
	const struct bytes expected = bundle_of(&running, envelopes, 2);
	assert_true(bytes_equal(again, expected));
	assert_int_equal(code_of(finalize(&running, 2, &again, 1)), 0);
	ask(&running, ABCI_COMMIT, (struct bytes){0});
	assert_int_equal(pool_counts(running.world.pool).pending, 0);
	close_node(&running);
}

static void a_replacement_is_sent_although_its_place_is_under_way(void **state) {
	(void)state;
	struct running running;
	hash32 hash;
	enum tx_verdict verdict;
	const addr20 to = {{0xbb}};
	open_node(&running);
	add(&running, 0, 0);
	const struct bytes first = await_bundle(&running, 0);
	struct transaction tx = ledger_transfer(0, &to, 5, 2 * GWEI);
	tx.max_priority_fee_wei = tx.max_fee_wei;
	const struct bytes envelope = ledger_sign(&running.world, &tx, 0);
	assert_int_equal(ledger_add(&running.world, &hash, envelope, &verdict), POOL_OK);
	const struct bytes second = await_bundle(&running, 1), expected = bundle_of(&running, &envelope, 1);
	assert_true(bytes_equal(second, expected));
	/* Both are decided, the later one first: what stands first wins, and the pool is empty. */
	const struct bytes both[] = {second, first};
	decide(&running, 1, both, 2);
	assert_int_equal(head_header(&running).gas_used, 21000);
	const u256 paid = ledger_balance(&running.world, &to);
	assert_true(u256_equal(&paid, &tx.value_wei));
	assert_int_equal(pool_counts(running.world.pool).pending, 0);
	close_node(&running);
}

static void what_comet_did_not_take_is_sent_again(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	pthread_mutex_lock(&running.lock);
	running.refuses = true;
	pthread_mutex_unlock(&running.lock);
	add(&running, 0, 0);
	pthread_mutex_lock(&running.lock);
	while (running.refused == 0) pthread_cond_wait(&running.came, &running.lock);
	running.refuses = false;
	pthread_mutex_unlock(&running.lock);
	const struct bytes bundle = await_bundle(&running, 0), expected = one(&running, 0, 0);
	assert_true(bytes_equal(bundle, expected));
	close_node(&running);
}

/* Pieces of frames, and frames that are glued together, are the same requests. */
static void frames_may_come_in_pieces(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const char echo[] = "\x06\x0a\x04\x0a\x02hi", flush[] = "\x02\x12\x00";
	for (size_t i = 0; i < sizeof echo - 1; i++) assert_int_equal(send(running.fd, echo + i, 1, 0), 1);
	uint8_t got[32];
	assert_int_equal(recv(running.fd, got, 7, MSG_WAITALL), 7);
	assert_memory_equal(got, "\x06\x12\x04\x0a\x02hi", 7);
	char many[30];
	for (size_t i = 0; i < 10; i++) memcpy(many + 3 * i, flush, 3);
	assert_int_equal(send(running.fd, many, sizeof many, 0), sizeof many);
	assert_int_equal(recv(running.fd, got, 30, MSG_WAITALL), 30);
	for (size_t i = 0; i < 10; i++) assert_memory_equal(got + 3 * i, "\x02\x1a\x00", 3);
	close_node(&running);
}

static void an_unknown_request_gets_an_exception_and_the_connection_ends(void **state) {
	(void)state;
	struct running running;
	open_node(&running);
	const struct bytes text = field_of(ask_for(&running, (enum abci_kind)18, (struct bytes){0}, 1), 1).bytes;
	assert_int_equal(text.len, strlen("ABCI request 18 is not known here"));
	uint8_t byte;
	assert_int_equal(recv(running.fd, &byte, 1, 0), 0);
	close_node(&running);
}

/* Who may open the socket may disturb nobody who uses it already, not even between a decision and its commit. */
static void garbage_on_another_connection_changes_nothing(void **state) {
	(void)state;
	static const char *const garbage[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x01\x00",
	    "\x04\x12\x02\xff\xff", "GET / HTTP/1.1\r\n\r\n", ""};
	struct running running;
	open_node(&running);
	const struct bytes bundle = one(&running, 0, 0);
	const hash32 hash = hash_of(field_of(finalize(&running, 1, &bundle, 1), 5).bytes);
	const int comets = running.fd;
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		uint8_t byte[256];
		connect_to(&running);
		assert_int_equal(send(running.fd, garbage[i], strlen(garbage[i]), MSG_NOSIGNAL), strlen(garbage[i]));
		shutdown(running.fd, SHUT_WR);
		while (recv(running.fd, byte, sizeof byte, 0) > 0) continue; /* until it is closed */
		close(running.fd);
	}
	running.fd = comets;
	ask(&running, ABCI_COMMIT, (struct bytes){0});
	const hash32 head = head_hash(&running);
	assert_true(hash32_equal(&hash, &head));
	close_node(&running);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_chain_begins_with_the_hash_of_its_genesis),
	    cmocka_unit_test(another_chains_genesis_stops_the_node),
	    cmocka_unit_test(a_decided_bundle_becomes_the_block_that_solo_would_make),
	    cmocka_unit_test(an_empty_decision_changes_nothing),
	    cmocka_unit_test(a_snapshot_that_cannot_be_is_refused_and_the_node_goes_on),
	    cmocka_unit_test(cometbft_keeps_its_blocks_as_far_back_as_the_node_keeps_its_own),
	    cmocka_unit_test(bundles_that_overtake_each_other_do_no_harm),
	    cmocka_unit_test(a_crash_before_the_commit_comes_to_the_same_bytes),
	    cmocka_unit_test(a_comet_that_comes_back_decides_again),
	    cmocka_unit_test(a_vote_that_its_key_does_not_remember_stops_the_node),
	    cmocka_unit_test(a_height_out_of_turn_stops_the_node),
	    cmocka_unit_test(what_is_no_bundle_is_refused),
	    cmocka_unit_test(a_proposal_keeps_bundles_whole_and_within_its_bytes),
	    cmocka_unit_test(what_the_pool_takes_in_is_sent_once),
	    cmocka_unit_test(what_a_block_left_out_is_sent_again),
	    cmocka_unit_test(a_replacement_is_sent_although_its_place_is_under_way),
	    cmocka_unit_test(what_comet_did_not_take_is_sent_again),
	    cmocka_unit_test(frames_may_come_in_pieces),
	    cmocka_unit_test(garbage_on_another_connection_changes_nothing),
	    cmocka_unit_test(an_unknown_request_gets_an_exception_and_the_connection_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
