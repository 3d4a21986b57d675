/* The model of CometBFT beside a simulated member, and what the members' CometBFTs decide together. */
#include "comet/light.h"
#include "crypto/hash.h"
#include "tests/simulation/network.h"

enum { TX_BYTES_MAX = 4 << 20, BUNDLES_PROPOSED_MAX = 256 };

static size_t intern(struct sim *sim, struct bytes bundle) {
	for (size_t i = 0; i < sim->bundle_count; i++)
		if (bytes_equal(sim->bundles[i], bundle)) return i;
	SIM_CHECK(sim, sim->bundle_count < SIM_BUNDLES_MAX, "more than %d bundles", SIM_BUNDLES_MAX);
	sim->bundles[sim->bundle_count] = arena_dup(&sim->arena, bundle);
	return sim->bundle_count++;
}

/* --- crashes --- */

bool sim_crashes_here(struct sim_node *node) {
	struct sim *sim = node->sim;
	if (!sim_chance(&sim->random, sim->crash_percent)) return false;
	const unsigned any = (unsigned)sim_below(&sim->random, 100);
	sim_node_crash(node, sim->comet_alone ? SIM_CRASH_COMET
			     : any < 40       ? SIM_CRASH_PROCESS
			     : any < 75       ? SIM_CRASH_POWER
			     : any < 98       ? SIM_CRASH_COMET
					      : SIM_CRASH_DISK);
	return true;
}

static void expect_done(struct sim_node *node, enum status status, const char *what) {
	SIM_CHECK(node->sim, status == STATUS_OK, "node %zu: %s: %s", node->index, what, node->sim->err.message);
}

/* --- the pool of bundles --- */

static void deliver(struct sim_node *node, size_t bundle) {
	struct sim_comet *comet = &node->comet;
	struct abci_verdict verdict = {0, ""};
	if (comet->is_cached[bundle]) return;
	comet->is_cached[bundle] = true;
	expect_done(node, node->app.check_tx(node->app.context, &verdict, node->sim->bundles[bundle], &node->sim->err),
	    "CheckTx");
	if (verdict.code == 0)
		comet->pool[comet->pool_count++] = bundle;
	else
		comet->is_cached[bundle] = false;
}

enum status sim_comet_send(void *context, const struct bytes *bundles, size_t count, struct err *err) {
	struct sim_node *node = context;
	if (!node->comet.is_running) return err_set(err, STATUS_IO, "CometBFT is not there");
	for (size_t i = 0; i < count; i++) deliver(node, intern(node->sim, bundles[i]));
	return STATUS_OK;
}

/* Between Commit and the saved state CometBFT holds its pool's lock: what comes waits until it is over. */
bool sim_takes_bundles(const struct sim_node *node) {
	return node->comet.is_running && node->comet.phase != SIM_COMMITTED;
}

void sim_gossip(struct sim_node *from, struct sim_node *to, size_t most) {
	for (size_t i = 0; i < from->comet.pool_count && i < most; i++) deliver(to, from->comet.pool[i]);
}

/* What was decided leaves the pool, and stays in the cache unless its answer had a code. */
static void update_pool(struct sim_node *node, const struct sim_height *height) {
	struct sim_comet *comet = &node->comet;
	for (size_t i = 0; i < height->count; i++) {
		const size_t bundle = intern(node->sim, height->bundles[i]);
		size_t kept = 0;
		comet->is_cached[bundle] = height->code == 0;
		for (size_t k = 0; k < comet->pool_count; k++)
			if (comet->pool[k] != bundle) comet->pool[kept++] = comet->pool[k];
		comet->pool_count = kept;
	}
}

void sim_comet_forget(struct sim_node *node) {
	node->comet = (struct sim_comet){
	    .block = node->comet.block, .state = node->comet.state, .has_answer = node->comet.has_answer};
}

/* --- a height --- */

static struct abci_block block_of(const struct sim_height *height, uint64_t number) {
	return (struct abci_block){.height = number,
	    .time_ms = height->time_ms,
	    .txs = height->bundles,
	    .tx_count = height->count,
	    .max_tx_bytes = TX_BYTES_MAX,
	    .proposer = BYTES_OF(height->proposer)};
}

static hash32 hash_of_outcome(const struct abci_outcome *outcome) {
	struct buf text;
	buf_init(&text, 1 << 16);
	buf_append(&text, BYTES_OF(outcome->app_hash));
	for (size_t i = 0; i < outcome->update_count; i++) {
		buf_append(&text, bytes_make(outcome->updates[i].key, ABCI_KEY_BYTES));
		buf_printf(&text, "%llu,", (unsigned long long)outcome->updates[i].power);
	}
	buf_printf(&text, "%u", outcome->code);
	const hash32 hash = sha256(buf_view(&text));
	buf_fini(&text);
	return hash;
}

/* Every node must answer what the first one did, each time. */
static void finalize(struct sim_node *node, uint64_t number) {
	struct sim *sim = node->sim;
	struct sim_height *height = &sim->heights[number];
	const struct abci_block block = block_of(height, number);
	struct abci_outcome outcome = {0};
	struct arena arena;
	arena_init(&arena);
	expect_done(node, node->app.finalize(node->app.context, &outcome, &arena, &block, &sim->err), "FinalizeBlock");
	const hash32 hash = hash_of_outcome(&outcome);
	arena_fini(&arena);
	if (!height->is_known) {
		height->is_known = true;
		height->outcome = hash;
		height->app_hash = outcome.app_hash;
		height->code = outcome.code;
	}
	SIM_CHECK(sim, hash32_equal(&hash, &height->outcome), "node %zu made other bytes of height %llu", node->index,
	    (unsigned long long)number);
}

/* False: it crashed within. */
static bool commit(struct sim_node *node) {
	struct sim *sim = node->sim;
	uint64_t retain_height;
	const bool stops = !sim->comet_alone && sim_chance(&sim->random, 2 * sim->crash_percent);
	const bool must_fail = stops && sim_disk_stop_next(node->disk, sim_chance(&sim->random, 50));
	const enum status status = node->app.commit(node->app.context, &retain_height, &sim->err);
	SIM_CHECK(sim, must_fail == (status != STATUS_OK), "node %zu: Commit: %s", node->index, status_text(status));
	if (stops) {
		sim->within_commit++;
		sim_node_crash(node, sim_chance(&sim->random, 50) ? SIM_CRASH_PROCESS : SIM_CRASH_POWER);
		return false;
	}
	struct chain_head *head = chain_head(node->chain);
	if (head->header.number > node->committed) sim_disk_mark(node->disk);
	node->committed = head->header.number;
	chain_head_release(head);
	return true;
}

void sim_comet_step(struct sim_node *node) {
	struct sim_comet *comet = &node->comet;
	if (!comet->is_running || (comet->phase == SIM_IDLE && comet->state == node->sim->tip)) return;
	if (sim_crashes_here(node)) return;
	switch (comet->phase) {
	case SIM_IDLE:
		comet->block = comet->state + 1;
		comet->has_answer = false;
		break;
	case SIM_SAVED: finalize(node, comet->block); break;
	case SIM_FINALIZED: comet->has_answer = true; break;
	case SIM_ANSWERED:
		if (!commit(node)) return;
		break;
	case SIM_COMMITTED: comet->state = comet->block; update_pool(node, &node->sim->heights[comet->block]);
	}
	comet->phase = comet->phase == SIM_COMMITTED ? SIM_IDLE : comet->phase + 1;
}

/* --- the handshake --- */

static bool init_chain(struct sim_node *node) {
	struct sim *sim = node->sim;
	struct abci_validator validators[SIM_NODES];
	struct abci_started started = {0};
	struct arena arena;
	char chain_id[COMET_CHAIN_ID_SIZE];
	comet_chain_id(chain_id, chain_genesis_hash(node->chain));
	for (size_t i = 0; i < SIM_NODES; i++) validators[i] = sim_validator(i);
	const struct abci_init init = {.chain_id = bytes_text(chain_id),
	    .validators = validators,
	    .validator_count = SIM_NODES,
	    .initial_height = 1};
	arena_init(&arena);
	expect_done(node, node->app.init_chain(node->app.context, &started, &arena, &init, &sim->err), "InitChain");
	SIM_CHECK(sim, hash32_equal(&started.app_hash, chain_genesis_hash(node->chain)), "InitChain: another hash");
	arena_fini(&arena);
	return !sim_crashes_here(node);
}

/* FinalizeBlock and Commit of the heights after `from`; the last one is applied as in a running CometBFT if its state
 * was not saved. */
static bool replay(struct sim_node *node, uint64_t from) {
	struct sim_comet *comet = &node->comet;
	for (uint64_t number = from + 1; number <= comet->block; number++) {
		finalize(node, number);
		if (sim_crashes_here(node)) return false;
		if (number > comet->state) comet->has_answer = true;
		if (!commit(node) || sim_crashes_here(node)) return false;
	}
	return true;
}

void sim_comet_start(struct sim_node *node) {
	struct sim *sim = node->sim;
	struct sim_comet *comet = &node->comet;
	struct abci_standing standing;
	if (sim_crashes_here(node)) return;
	expect_done(node, node->app.info(node->app.context, &standing, &sim->err), "Info");
	if (standing.height == 0 && !init_chain(node)) return;
	SIM_CHECK(sim, standing.height <= comet->block, "node %zu is at %llu, ahead of its CometBFT at %llu",
	    node->index, (unsigned long long)standing.height, (unsigned long long)comet->block);
	SIM_CHECK(sim,
	    standing.height == 0 || hash32_equal(&standing.app_hash, &sim->heights[standing.height].app_hash),
	    "node %zu came back with another hash of height %llu", node->index, (unsigned long long)standing.height);
	if (standing.height == comet->block)
		SIM_CHECK(sim, comet->state == comet->block || comet->has_answer,
		    "node %zu committed what CometBFT has no answer of", node->index);
	if (!replay(node, standing.height)) return;
	comet->state = comet->block;
	comet->is_running = true;
}

/* --- deciding --- */

bool sim_is_online(const struct sim_node *node) {
	return node->comet.is_running && node->comet.phase == SIM_IDLE && node->comet.state == node->sim->tip;
}

/* What an honest proposer makes of its pool. */
static void prepare(struct sim_node *node, struct sim_height *height) {
	struct sim *sim = node->sim;
	const struct sim_comet *comet = &node->comet;
	struct bytes *pool = arena_alloc(&sim->arena, (comet->pool_count + 1) * sizeof *pool);
	struct bytes *chosen = arena_alloc(&sim->arena, (comet->pool_count + 1) * sizeof *chosen);
	for (size_t i = 0; i < comet->pool_count; i++) pool[i] = sim->bundles[comet->pool[i]];
	height->bundles = pool;
	height->count = comet->pool_count;
	struct abci_block block = block_of(height, sim->tip + 1);
	if (sim_chance(&sim->random, 20)) block.max_tx_bytes = 1000;
	size_t count = 0;
	expect_done(node, node->app.prepare(node->app.context, chosen, &count, &block, &sim->err), "PrepareProposal");
	height->bundles = chosen;
	height->count = count;
}

/* Bundles of any time, in any order, also twice; and what is no bundle. False: an honest node must refuse it. */
static bool lie(struct sim *sim, struct sim_height *height) {
	static const char *const nonsense[] = {"", "\xc0", "garbage", "\xc1\x80"};
	struct bytes *chosen = arena_alloc(&sim->arena, BUNDLES_PROPOSED_MAX * sizeof *chosen);
	height->bundles = chosen;
	height->count = sim->bundle_count == 0 ? 0 : sim_below(&sim->random, 5);
	for (size_t i = 0; i < height->count; i++) {
		const size_t newest = sim->bundle_count < 6 ? sim->bundle_count : 6;
		chosen[i] = sim->bundles[sim->bundle_count - 1 - sim_below(&sim->random, newest)];
	}
	if (!sim_chance(&sim->random, 25)) return true;
	chosen[height->count++] = bytes_text(nonsense[sim_below(&sim->random, 4)]);
	return false;
}

static bool is_proof_due(const struct sim *sim) {
	const struct sim_height *last = &sim->heights[sim->tip];
	return sim->tip > 0 && (sim->tip == 1 || !hash32_equal(&last->app_hash, &last[-1].app_hash));
}

/* Do three accept it? All who are asked must say the same. */
static bool is_accepted(struct sim *sim, const struct sim_height *height, bool is_honest) {
	const struct abci_block block = block_of(height, sim->tip + 1);
	size_t votes = 0;
	for (size_t i = 0; i < SIM_NODES; i++) {
		struct sim_node *node = &sim->nodes[i];
		struct abci_verdict verdict = {0, ""};
		if (!sim_is_online(node) || sim_crashes_here(node)) continue;
		expect_done(node, node->app.process(node->app.context, &verdict, &block, &sim->err), "ProcessProposal");
		SIM_CHECK(sim, (verdict.code == 0) == is_honest, "node %zu: a proposal is %s", i,
		    is_honest ? "refused" : "accepted");
		votes += verdict.code == 0;
	}
	return votes >= SIM_QUORUM;
}

void sim_propose(struct sim *sim, size_t proposer, bool any_time) {
	struct sim_node *node = &sim->nodes[proposer];
	size_t online = 0;
	for (size_t i = 0; i < SIM_NODES; i++) online += sim_is_online(&sim->nodes[i]);
	if (online < SIM_QUORUM || !sim_is_online(node) || sim->tip + 1 == SIM_HEIGHTS_MAX) return;
	if (sim_crashes_here(node)) return;
	struct sim_height *height = &sim->heights[sim->tip + 1];
	*height = (struct sim_height){.time_ms = sim->now_ms, .proposer = sim_address(proposer)};
	bool is_honest = true;
	if (proposer == SIM_LIAR && !any_time && sim_chance(&sim->random, 60))
		is_honest = lie(sim, height);
	else
		prepare(node, height);
	if (height->count == 0 && !any_time && !is_proof_due(sim)) return;
	if (is_accepted(sim, height, is_honest)) sim->tip++;
}
