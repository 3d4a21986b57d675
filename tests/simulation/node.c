/* A simulated member's own part: its disk, its chain and pool, its application. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "tests/simulation/network.h"

enum { KEY_BYTE = 0x40, NODE_BYTE = 0x80, POWER = 10, SKEW_MAX_MS = 3600000 };
static const addr20 members_contract = {{[17] = 0xc0, 0x45, 0x37}};
const addr20 sim_receiver = {{0xaa}};

/* --- what all schedules share --- */

/* Slot 3 i of the list, for member i's account and power (ledger/consensus/members.h). */
static hash32 member_slot(size_t member, size_t word) {
	static const uint8_t list[32];
	const hash32 first = keccak256(bytes_make(list, sizeof list));
	u256 slot = u256_from_be(BYTES_OF(first));
	const u256 offset = u256_from(3 * member + word);
	hash32 out;
	u256_add_overflow(&slot, &slot, &offset);
	u256_store_be(out.b, &slot);
	return out;
}

static hash32 power_word(size_t member, uint64_t power) {
	hash32 word = {{0}};
	memset(word.b + 12, (int)member + 1, 20);
	store_be64(word.b + 4, power);
	return word;
}

static const char *hex_of(struct arena *arena, const hash32 *word) {
	struct buf text;
	buf_init(&text, 128);
	hex_put(&text, BYTES_OF(*word), true);
	const char *kept = arena_printf(arena, "%s", buf_cstr(&text));
	buf_fini(&text);
	return kept;
}

struct abci_validator sim_validator(size_t member) {
	struct abci_validator validator = {.power = POWER};
	memset(validator.key, (int)member + KEY_BYTE, sizeof validator.key);
	return validator;
}

addr20 sim_address(size_t member) {
	const struct abci_validator validator = sim_validator(member);
	const hash32 digest = sha256(bytes_make(validator.key, sizeof validator.key));
	addr20 address;
	memcpy(address.b, digest.b, sizeof address.b);
	return address;
}

/* A contract that anybody may tell what to keep: SSTORE(word 0, word 1) and the event of a change. */
static const char *members_account(struct arena *arena) {
	const hash32 topic = keccak256(bytes_text("MembersChanged(uint64)"));
	const char *storage = "\"0x0\":\"0x4\"";
	for (size_t i = 0; i < SIM_NODES; i++) {
		hash32 words[3] = {power_word(i, POWER)};
		memset(words[1].b, (int)i + KEY_BYTE, 32);
		memset(words[2].b + 12, (int)i + NODE_BYTE, 20);
		for (size_t k = 0; k < 3; k++) {
			const hash32 slot = member_slot(i, k);
			storage = arena_printf(
			    arena, "%s,\"%s\":\"%s\"", storage, hex_of(arena, &slot), hex_of(arena, &words[k]));
		}
	}
	return arena_printf(arena,
	    "\"0000000000000000000000000000000000c04537\":{\"balance\":\"0\",\"code\":\"0x6020355f35557f%s5f5fa100\","
	    "\"storage\":{%s}},",
	    hex_of(arena, &topic) + 2, storage);
}

static struct bytes genesis_text(void) {
	static struct bytes genesis;
	static struct arena arena;
	if (genesis.data != NULL) return genesis;
	arena_init(&arena);
	const struct ledger_rules rules = {.zero_base_fee = true,
	    .equal_timestamps = true,
	    .settings = ",\"members\":\"0x0000000000000000000000000000000000c04537\"",
	    .alloc = members_account(&arena)};
	genesis = ledger_genesis(&arena, &rules);
	return genesis;
}

addr20 sim_account(size_t account) {
	static addr20 known[LEDGER_ACCOUNTS];
	if (addr20_is_zero(&known[account])) known[account] = ledger_address(account);
	return known[account];
}

/* The transaction that every schedule has for this account and nonce: a transfer, or a change of a member's power. */
static struct transaction transaction_of(struct arena *arena, size_t account, uint64_t nonce) {
	struct transaction tx = ledger_transfer(nonce, &sim_receiver, SIM_TRANSFER_WEI, 1000000000);
	if (account != SIM_MEMBER_ACCOUNT) return tx;
	const size_t member = nonce % SIM_NODES;
	const hash32 words[2] = {member_slot(member, 0), power_word(member, POWER + nonce / SIM_NODES % 3)};
	tx.to = members_contract;
	tx.value_wei = u256_from(0);
	tx.gas_limit = 100000;
	tx.data = arena_dup(arena, bytes_make(words, sizeof words));
	return tx;
}

const struct sim_tx *sim_signed(size_t account, uint64_t nonce) {
	static struct sim_tx made[LEDGER_ACCOUNTS][SIM_NONCES];
	static struct arena arena;
	struct sim_tx *out = &made[account][nonce];
	if (out->envelope.data != NULL) return out;
	if (account == 0 && nonce == 0) arena_init(&arena);
	const hash32 secret = ledger_secret(account);
	struct transaction tx = transaction_of(&arena, account, nonce);
	assert_int_equal(transaction_sign(&tx, &arena, &secret, NULL), STATUS_OK);
	out->envelope = tx.raw;
	out->hash = keccak256(tx.raw);
	return out;
}

/* --- one machine --- */

static uint64_t now_ms(void *context) {
	const struct sim_node *node = context;
	return (uint64_t)((int64_t)node->sim->now_ms + node->skew_ms);
}

static uint64_t monotonic_ns(void *context) {
	const struct sim_node *node = context;
	return node->sim->now_ms * 1000000;
}

static enum status no_light_block(void *context, struct buf *out, uint64_t height, struct err *err) {
	(void)context, (void)out, (void)height;
	return err_set(err, STATUS_NOTFOUND, "none");
}

static void nothing(void *context) {
	(void)context;
}

void sim_node_make(struct sim *sim, size_t index) {
	struct sim_node *node = &sim->nodes[index];
	node->sim = sim;
	node->index = index;
	node->disk = sim_disk_new();
	node->clock = (struct clock_source){now_ms, monotonic_ns, node};
	node->skew_ms = (int64_t)sim_below(&sim->random, 2 * SKEW_MAX_MS) - SKEW_MAX_MS;
	snprintf(node->journal, sizeof node->journal, "/dev/shm/xinglin-sim-%d-%zu.journal", (int)getpid(), index);
	unlink(node->journal);
}

static void close_node(struct sim_node *node) {
	engine_free(node->engine != NULL ? &node->engine->engine : NULL);
	pool_close(node->pool);
	chain_close(node->chain);
	store_close(node->store);
	node->engine = NULL;
	node->is_up = false;
}

void sim_node_free(struct sim_node *node) {
	if (node->is_up) close_node(node);
	sim_disk_free(node->disk);
	unlink(node->journal);
}

bool sim_has_receipt(struct sim_node *node, const hash32 *hash) {
	struct arena arena;
	struct header header;
	struct mined_receipt mined;
	hash32 block;
	uint64_t number;
	uint32_t index;
	if (chain_find_tx(node->chain, &number, &index, hash, NULL) != STATUS_OK) return false;
	arena_init(&arena);
	const bool there = chain_header_by_number(node->chain, &header, &block, number, NULL) == STATUS_OK &&
			   chain_receipt(node->chain, &mined, &arena, number, &block, index, NULL) == STATUS_OK &&
			   mined.receipt.success;
	arena_fini(&arena);
	return there;
}

static void check_kept(struct sim_node *node) {
	struct sim *sim = node->sim;
	struct chain_head *head = chain_head(node->chain);
	const uint64_t number = head->header.number;
	chain_head_release(head);
	SIM_CHECK(sim, number >= node->committed, "node %zu lost block %llu: its head is %llu", node->index,
	    (unsigned long long)node->committed, (unsigned long long)number);
	node->committed = number;
	for (size_t i = 0; i < sim->tx_count; i++) {
		const struct sim_tx *tx = &sim->txs[i];
		const bool shown = tx->shown_by >> node->index & 1, returned = tx->returned_by >> node->index & 1;
		if (!shown && !returned) continue;
		struct transaction found;
		struct arena arena;
		addr20 sender;
		const bool mined = sim_has_receipt(node, &tx->hash);
		SIM_CHECK(sim, mined || !shown, "node %zu lost a receipt that it had shown", node->index);
		if (mined) continue;
		arena_init(&arena);
		SIM_CHECK(sim, pool_find(node->pool, &found, &sender, &arena, &tx->hash),
		    "node %zu lost a transaction whose hash it had returned", node->index);
		arena_fini(&arena);
	}
}

void sim_node_open(struct sim_node *node) {
	struct sim *sim = node->sim;
	struct err *err = &sim->err;
	const struct store_options store = {.memory_bytes = 4 << 20, .create_if_missing = true};
	const struct chain_options chain = {.genesis_json = genesis_text()};
	const struct pool_options pool = {.journal_path = node->journal};
	const struct comet_options options = {.clock = &node->clock,
	    .link = {.send = sim_comet_send, .light_block = no_light_block, .members_left = nothing, .context = node}};
	enum status status = store_open(&node->store, sim_disk_path(node->disk), &store, err);
	if (status == STATUS_OK) status = chain_open(&node->chain, node->store, &chain, err);
	if (status == STATUS_OK) status = pool_open(&node->pool, node->chain, &pool, err);
	if (status == STATUS_OK)
		status = comet_make(&node->engine, node->chain, node->pool, node->store, &options, err);
	SIM_CHECK(sim, status == STATUS_OK, "node %zu does not start: %s", node->index, err->message);
	node->app = comet_application(node->engine);
	node->bundler = (struct bundler){.comet = node->engine};
	node->is_up = true;
	sim_disk_mark(node->disk);
	check_kept(node);
}

/* Power takes of a file that was never synced whatever it likes; here, what stands at its end. */
static void cut_journal(struct sim_node *node) {
	struct stat is;
	if (stat(node->journal, &is) != 0) return;
	assert_int_equal(truncate(node->journal, (off_t)sim_below(&node->sim->random, (uint64_t)is.st_size + 1)), 0);
}

void sim_node_crash(struct sim_node *node, enum sim_crash kind) {
	struct sim *sim = node->sim;
	const unsigned bit = 1u << node->index;
	sim->crashes[kind]++;
	sim_comet_forget(node);
	if (kind == SIM_CRASH_COMET) {
		node->app.closed(node->app.context);
		return;
	}
	sim_disk_freeze(node->disk);
	close_node(node);
	sim_disk_crash(node->disk, kind == SIM_CRASH_POWER, &sim->random);
	if (kind == SIM_CRASH_PROCESS) return;
	for (size_t i = 0; i < sim->tx_count; i++) sim->txs[i].returned_by &= ~bit;
	cut_journal(node);
	if (kind == SIM_CRASH_POWER) return;
	for (size_t i = 0; i < sim->tx_count; i++) sim->txs[i].shown_by &= ~bit;
	sim_disk_free(node->disk);
	node->disk = sim_disk_new();
	node->committed = 0;
}
