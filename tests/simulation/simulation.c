/*
 * Crashes of four members, by the thousand (network.h): no member may come to other bytes than the others, and none
 * loses a block that it committed, a receipt that it showed, or a transaction whose hash it returned, unless power took
 * the last; in the end every transaction stands, once.
 *
 * SIM_CRASHES: how many crashes at least [2000]. SIM_SEED: the first schedule's seed [1]; each next one has the next.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/simulation/network.h"

enum {
	EVENTS = 1500,          /* of a schedule, before it settles */
	CRASH_PERCENT_MAX = 16, /* of each call, in most schedules; in the others nobody crashes */
	EVENT_MS_MAX = 3,
	ROUND_MS = 100,
	ROUNDS_MAX =
	    64, /* all of it within the 10 s after which what waits would be sent again just because it waits */
	RESENT_EVERY = 8, /* rounds: what power took is sent again */
	START_MS = 1000,
	FIRST_S = 1800000000
};

_Noreturn void sim_fail(struct sim *sim, const char *format, ...) {
	va_list arguments;
	char text[512];
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < SIM_NODES; i++) unlink(sim->nodes[i].journal);
	fail_msg("SIM_SEED=%llu: %s", (unsigned long long)sim->seed, text);
	abort();
}

/* --- what may happen --- */

static struct sim_node *any_node(struct sim *sim) {
	return &sim->nodes[sim_below(&sim->random, SIM_NODES)];
}

static void offer(struct sim_node *node, struct sim_tx *tx) {
	struct sim *sim = node->sim;
	enum pool_verdict verdict;
	enum tx_verdict tx_verdict;
	hash32 hash;
	const enum status status = pool_add(node->pool, &hash, &verdict, &tx_verdict, tx->envelope, &sim->err);
	SIM_CHECK(sim, status == STATUS_OK, "pool_add: %s", sim->err.message);
	if (verdict == POOL_OK || verdict == POOL_ALREADY_KNOWN) tx->returned_by |= 1u << node->index;
}

static void send_new(struct sim *sim) {
	const size_t account = sim_below(&sim->random, LEDGER_ACCOUNTS);
	/* Mostly to the same node, which then has several of its transactions under way. */
	struct sim_node *node = sim_chance(&sim->random, 80) ? &sim->nodes[account % SIM_NODES] : any_node(sim);
	if (!node->is_up || sim->tx_count == SIM_TXS_MAX || sim->nonces[account] == SIM_NONCES) return;
	sim->txs[sim->tx_count] = *sim_signed(account, sim->nonces[account]++);
	offer(node, &sim->txs[sim->tx_count]);
	struct sim_node *other = any_node(sim);
	if (other->is_up && sim_chance(&sim->random, 10)) offer(other, &sim->txs[sim->tx_count]);
	sim->tx_count++;
}

static void show_receipt(struct sim *sim) {
	struct sim_node *node = any_node(sim);
	if (!node->is_up || sim->tx_count == 0) return;
	struct sim_tx *tx = &sim->txs[sim_below(&sim->random, sim->tx_count)];
	if (sim_has_receipt(node, &tx->hash)) tx->shown_by |= 1u << node->index;
}

static void start_any(struct sim *sim) {
	struct sim_node *node = any_node(sim);
	if (!node->is_up) sim_node_open(node);
	if (!node->comet.is_running) sim_comet_start(node);
}

static void bundle_any(struct sim *sim) {
	struct sim_node *node = any_node(sim);
	if (node->is_up && node->comet.phase != SIM_COMMITTED && !sim_crashes_here(node))
		(void)comet_bundler_turn(&node->bundler);
}

static void gossip_any(struct sim *sim) {
	struct sim_node *from = any_node(sim), *to = any_node(sim);
	if (!from->comet.is_running || !sim_takes_bundles(to) || sim_crashes_here(to)) return;
	sim_gossip(from, to, sim_below(&sim->random, 16));
}

/* The whole house is dark. */
static void lose_all_power(struct sim *sim) {
	for (size_t i = 0; i < SIM_NODES; i++)
		if (sim->nodes[i].is_up) sim_node_crash(&sim->nodes[i], SIM_CRASH_POWER);
}

static void one_event(struct sim *sim) {
	const unsigned any = (unsigned)sim_below(&sim->random, 1000);
	sim->now_ms += 1 + sim_below(&sim->random, EVENT_MS_MAX);
	if (any < 100)
		send_new(sim);
	else if (any < 150)
		bundle_any(sim);
	else if (any < 200)
		gossip_any(sim);
	else if (any < 300)
		sim_propose(sim, sim_below(&sim->random, SIM_NODES), sim_chance(&sim->random, 5));
	else if (any < 750)
		sim_comet_step(any_node(sim));
	else if (any < 950)
		start_any(sim);
	else if (any < 998)
		show_receipt(sim);
	else if (sim->crash_percent > 0 && !sim->comet_alone)
		lose_all_power(sim);
}

/* --- how it must end --- */

/* What a client does whose transaction went with the power. */
static void send_lost_again(struct sim *sim) {
	for (size_t i = 0; i < sim->tx_count; i++) {
		struct sim_tx *tx = &sim->txs[i];
		if (tx->returned_by == 0 && !sim_has_receipt(&sim->nodes[0], &tx->hash)) offer(any_node(sim), tx);
	}
}

static bool has_settled(struct sim *sim) {
	for (size_t n = 0; n < SIM_NODES; n++) {
		if (!sim_is_online(&sim->nodes[n])) return false;
		for (size_t i = 0; i < sim->tx_count; i++)
			if (!sim_has_receipt(&sim->nodes[n], &sim->txs[i].hash)) return false;
	}
	return true;
}

static void bring_up(struct sim *sim) {
	for (size_t i = 0; i < SIM_NODES; i++) {
		struct sim_node *node = &sim->nodes[i];
		if (!node->is_up) sim_node_open(node);
		if (!node->comet.is_running) sim_comet_start(node);
		while (!sim_is_online(node)) sim_comet_step(node);
	}
}

static void settle_once(struct sim *sim, unsigned round) {
	sim->now_ms += ROUND_MS;
	bring_up(sim);
	if (round % RESENT_EVERY == 0) send_lost_again(sim);
	for (size_t i = 0; i < SIM_NODES; i++) (void)comet_bundler_turn(&sim->nodes[i].bundler);
	for (size_t i = 0; i < SIM_NODES; i++)
		for (size_t k = 0; k < SIM_NODES; k++) sim_gossip(&sim->nodes[i], &sim->nodes[k], SIM_BUNDLES_MAX);
	sim_propose(sim, round % SIM_NODES, true);
	bring_up(sim);
}

static hash32 head_of(struct sim_node *node, hash32 *state_root) {
	struct chain_head *head = chain_head(node->chain);
	const hash32 hash = head->hash;
	*state_root = head->header.state_root;
	chain_head_release(head);
	return hash;
}

static void check_end(struct sim *sim) {
	hash32 root, rebuilt;
	const hash32 first = head_of(&sim->nodes[0], &root);
	for (size_t i = 0; i < SIM_NODES; i++) {
		const hash32 hash = head_of(&sim->nodes[i], &root);
		SIM_CHECK(sim, hash32_equal(&hash, &first), "node %zu has another head", i);
	}
	const enum status status = state_root_rebuild(&rebuilt, sim->nodes[1].store, NULL, &sim->err);
	SIM_CHECK(sim, status == STATUS_OK && hash32_equal(&rebuilt, &root), "the state is not the header's");
	struct chain_head *head = chain_head(sim->nodes[0].chain);
	uint64_t transfers = 0;
	for (size_t i = 0; i < LEDGER_ACCOUNTS; i++) {
		const addr20 address = sim_account(i);
		struct account account;
		bool exists;
		SIM_CHECK(sim, state_view_account(head->view, &account, &exists, &address, &sim->err) == STATUS_OK,
		    "an account cannot be read");
		SIM_CHECK(sim, account.nonce == sim->nonces[i], "account %zu has sent %llu transactions, not %llu", i,
		    (unsigned long long)account.nonce, (unsigned long long)sim->nonces[i]);
		if (i != SIM_MEMBER_ACCOUNT) transfers += account.nonce;
	}
	struct account received = {0};
	bool exists;
	const addr20 to = sim_receiver;
	SIM_CHECK(sim, state_view_account(head->view, &received, &exists, &to, &sim->err) == STATUS_OK, "no receiver");
	const u256 expected = u256_from(transfers * SIM_TRANSFER_WEI);
	SIM_CHECK(sim, u256_equal(&received.balance_wei, &expected), "a transfer was lost, or made twice");
	chain_head_release(head);
}

/* --- schedules --- */

struct totals {
	uint64_t schedules, heights, transactions, within_commit, crashes[SIM_CRASH_COUNT], all;
};

static void run_schedule(struct sim *sim, uint64_t seed) {
	*sim = (struct sim){.seed = seed, .random = {seed}, .now_ms = (uint64_t)FIRST_S * 1000 + START_MS};
	arena_init(&sim->arena);
	if (sim_chance(&sim->random, 75)) sim->crash_percent = 1 + (unsigned)sim_below(&sim->random, CRASH_PERCENT_MAX);
	sim->comet_alone = sim_chance(&sim->random, 20);
	for (size_t i = 0; i < SIM_NODES; i++) sim_node_make(sim, i);
	for (unsigned i = 0; i < EVENTS; i++) one_event(sim);
	sim->crash_percent = 0;
	unsigned round = 0;
	while (!has_settled(sim)) {
		SIM_CHECK(sim, round < ROUNDS_MAX, "a transaction is in no block for ever");
		settle_once(sim, round++);
	}
	check_end(sim);
	for (size_t i = 0; i < SIM_NODES; i++) sim_node_free(&sim->nodes[i]);
	arena_fini(&sim->arena);
}

static void add(struct totals *totals, const struct sim *sim) {
	totals->schedules++;
	totals->heights += sim->tip;
	totals->transactions += sim->tx_count;
	totals->within_commit += sim->within_commit;
	for (size_t i = 0; i < SIM_CRASH_COUNT; i++) {
		totals->crashes[i] += sim->crashes[i];
		totals->all += sim->crashes[i];
	}
}

static uint64_t setting(const char *name, uint64_t otherwise) {
	const char *text = getenv(name);
	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void no_crash_makes_a_difference(void **state) {
	(void)state;
	static struct sim sim;
	struct totals totals = {0};
	const uint64_t crashes = setting("SIM_CRASHES", 2000), first = setting("SIM_SEED", 1);
	while (totals.all < crashes) {
		run_schedule(&sim, first + totals.schedules);
		add(&totals, &sim);
	}
	printf("seeds %llu to %llu: %llu heights, %llu transactions, %llu crashes (%llu of the process, %llu of power, "
	       "%llu of CometBFT, %llu of the disk; %llu of them within a commit)\n",
	    (unsigned long long)first, (unsigned long long)(first + totals.schedules - 1),
	    (unsigned long long)totals.heights, (unsigned long long)totals.transactions, (unsigned long long)totals.all,
	    (unsigned long long)totals.crashes[SIM_CRASH_PROCESS], (unsigned long long)totals.crashes[SIM_CRASH_POWER],
	    (unsigned long long)totals.crashes[SIM_CRASH_COMET], (unsigned long long)totals.crashes[SIM_CRASH_DISK],
	    (unsigned long long)totals.within_commit);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_crash_makes_a_difference)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
