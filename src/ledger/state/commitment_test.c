/*
 * Random histories of a small world: after every block the incremental root must be that of the full rebuild and that
 * of a world made from nothing; the past must read as it was, proofs must hold, and unwinding must give back every
 * byte.
 */
#include "ledger/state/commitment.h"

#include "crypto/hash.h"
#include "eth/proof.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define ACCOUNTS 24
#define SLOTS 20
#define BLOCKS 60

struct model_account {
	bool exists;
	uint64_t nonce, balance;
	uint8_t code; /* 0: none; else it is this byte, three times */
	uint64_t slots[SLOTS];
};

struct model {
	struct model_account accounts[ACCOUNTS];
};

struct world {
	char directory[64];
	struct store *store;
	struct store_batch *batch;
	struct trie_cache *cache; /* NULL: the plain twin, which reads everything from the store */
	struct trie_updates *updates;
	struct state *state;
	struct state_view *view;
	struct err err;
	uint64_t random;
	struct model now;
	struct model past[BLOCKS + 1];
	hash32 roots[BLOCKS + 1];
	hash32 contents[BLOCKS + 1];
};

#define assert_ok(world, expression)                                                                                   \
	do {                                                                                                           \
		enum status got_ = (expression);                                                                       \
		if (got_ != STATUS_OK) fail_msg("%s: %s", status_text(got_), (world)->err.message);                    \
	} while (0)

static uint32_t below(struct world *world, uint32_t limit) {
	world->random = world->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(world->random >> 33) % limit;
}

static addr20 address_of(uint32_t index) {
	addr20 address = {{0xad}};
	store_be32(address.b + 16, index * 2654435761u);
	return address;
}

/* Even slots are small numbers, odd ones far away. */
static u256 slot_of(uint32_t index) {
	u256 slot = u256_from(index);
	if (index % 2) slot.w[3] = 0x1234567890u * index;
	return slot;
}

static u256 value_of(uint64_t seed) {
	u256 value = u256_from(seed);
	if (seed % 3 == 1) value.w[3] = seed << 32;
	return value;
}

static int open_world(void **state, size_t cache_bytes) {
	struct world *world = mem_zalloc(1, sizeof *world);
	strcpy(world->directory, "/tmp/xinglin-state-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	struct store_options options = {.memory_bytes = 8 << 20, .create_if_missing = true};
	assert_ok(world, store_open(&world->store, world->directory, &options, &world->err));
	world->batch = store_batch_new();
	world->cache = cache_bytes ? trie_cache_new(cache_bytes) : NULL;
	world->updates = trie_updates_new(world->cache);
	world->state = state_new(NULL, &world->err);
	*state = world;
	return 0;
}

static int world_open(void **state) {
	return open_world(state, 0);
}

static int world_open_cached(void **state) {
	return open_world(state, 1 << 20);
}

/* Things go all the time. */
static int world_open_tight(void **state) {
	return open_world(state, 6000);
}

static int world_close(void **state) {
	struct world *world = *state;
	state_free(world->state);
	trie_updates_free(world->updates);
	trie_cache_free(world->cache);
	store_batch_free(world->batch);
	state_view_close(world->view);
	store_close(world->store);
	char command[96];
	snprintf(command, sizeof command, "rm -rf -- '%s'", world->directory);
	assert_int_equal(system(command), 0);
	mem_free(world);
	return 0;
}

/* Everything in every table; code stays when a block is unwound, so it is left out. */
static hash32 contents(struct world *world) {
	struct keccak keccak;
	keccak256_init(&keccak);
	for (int table = 0; table < TABLE_COUNT; table++) {
		if (table == TABLE_CODE) continue;
		struct store_cursor *cursor = store_cursor_new(world->store, NULL, (enum store_table)table);
		for (store_cursor_seek(cursor, bytes_text("")); store_cursor_valid(cursor); store_cursor_next(cursor)) {
			uint8_t lengths[12];
			store_be32(lengths, (uint32_t)table);
			store_be32(lengths + 4, (uint32_t)store_cursor_key(cursor).len);
			store_be32(lengths + 8, (uint32_t)store_cursor_value(cursor).len);
			keccak256_update(&keccak, bytes_make(lengths, sizeof lengths));
			keccak256_update(&keccak, store_cursor_key(cursor));
			keccak256_update(&keccak, store_cursor_value(cursor));
		}
		assert_ok(world, store_cursor_status(cursor, &world->err));
		store_cursor_free(cursor);
	}
	return keccak256_final(&keccak);
}

/* ---- writing: the same steps on the state and on the model ---- */

static struct bytes code_bytes(uint8_t room[3], uint8_t code) {
	memset(room, code, 3);
	return bytes_make(room, 3);
}

static void write_account(struct world *world, uint32_t index) {
	struct model_account *model = &world->now.accounts[index];
	addr20 address = address_of(index);
	uint8_t room[3];
	if (!model->exists) *model = (struct model_account){.exists = true};
	switch (below(world, 3)) {
	case 0: model->balance = below(world, 5) ? below(world, 1000) : 0; break;
	case 1: model->nonce = below(world, 300); break;
	case 2: model->code = (uint8_t)below(world, 4); break;
	}
	u256 balance = u256_from(model->balance);
	assert_ok(world, state_set_balance(world->state, &address, &balance));
	assert_ok(world, state_set_nonce(world->state, &address, model->nonce));
	assert_ok(world,
	    state_set_code(world->state, &address, model->code ? code_bytes(room, model->code) : (struct bytes){0}));
}

static void write_slots(struct world *world, uint32_t index) {
	struct model_account *model = &world->now.accounts[index];
	addr20 address = address_of(index);
	for (uint32_t i = 0, count = below(world, 6); i < count; i++) {
		model->exists = true;
		uint32_t number = below(world, SLOTS);
		u256 slot = slot_of(number);
		model->slots[number] = below(world, 3) ? 1 + below(world, 400) : 0;
		u256 value = value_of(model->slots[number]);
		if (!model->slots[number]) value = u256_from(0);
		assert_ok(world, state_set_storage(world->state, &address, &slot, &value));
	}
}

static void destruct(struct world *world, uint32_t index) {
	addr20 address = address_of(index);
	state_mark_destructed(world->state, &address);
	world->now.accounts[index] = (struct model_account){0};
}

static void random_step(struct world *world, uint32_t index) {
	switch (below(world, 8)) {
	case 0: destruct(world, index); break;
	case 1:
	case 2: write_account(world, index); break;
	default: write_slots(world, index); break;
	}
}

/* What is undone must leave nothing behind. */
static void random_transaction(struct world *world) {
	bool destructed[ACCOUNTS] = {0};
	for (uint32_t i = 0, count = below(world, 5); i < count; i++) {
		uint32_t index = below(world, ACCOUNTS);
		if (destructed[index]) continue;
		struct model before = world->now;
		size_t snapshot = state_snapshot(world->state);
		random_step(world, index);
		if (below(world, 4) == 0) {
			state_revert_to(world->state, snapshot);
			world->now = before;
		} else {
			destructed[index] = !world->now.accounts[index].exists;
		}
	}
	assert_ok(world, state_end_transaction(world->state, false));
}

static void put_head(struct world *world, uint64_t number) {
	uint8_t head[40] = {0};
	store_be64(head, number);
	store_batch_put(world->batch, world->store, TABLE_META, BYTES_LITERAL("head"), bytes_make(head, sizeof head));
}

static void open_view(struct world *world) {
	state_view_close(world->view);
	world->view = NULL;
	assert_ok(world, state_view_open(&world->view, world->store, true, 0, &world->err));
}

/* A world of nothing else, all leaves at once. */
static hash32 root_from_nothing(struct world *world) {
	struct state *fresh = state_new(NULL, &world->err);
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		const struct model_account *model = &world->now.accounts[i];
		if (!model->exists) continue;
		addr20 address = address_of(i);
		u256 balance = u256_from(model->balance);
		uint8_t room[3];
		assert_ok(world, state_set_balance(fresh, &address, &balance));
		assert_ok(world, state_set_nonce(fresh, &address, model->nonce));
		if (model->code) assert_ok(world, state_set_code(fresh, &address, code_bytes(room, model->code)));
		for (uint32_t j = 0; j < SLOTS; j++) {
			u256 slot = slot_of(j), value = value_of(model->slots[j]);
			if (model->slots[j]) assert_ok(world, state_set_storage(fresh, &address, &slot, &value));
		}
	}
	assert_ok(world, state_end_transaction(fresh, false));
	struct state_diff diff;
	hash32 root;
	assert_ok(world, state_get_diff(fresh, &diff));
	assert_ok(world, state_root_of_diff(&root, &diff, &world->err));
	state_free(fresh);
	return root;
}

static void commit_block(struct world *world, uint64_t number) {
	struct state_diff diff;
	assert_ok(world, state_get_diff(world->state, &diff));
	assert_ok(world, state_root(&world->roots[number], &diff, world->updates, world->view, &world->err));
	store_batch_clear(world->batch);
	assert_ok(world, state_write(world->batch, world->store, &diff, world->updates, number, &world->err));
	put_head(world, number);
	assert_ok(world, store_commit(world->store, world->batch, false, &world->err));
	trie_updates_committed(world->updates);
	world->past[number] = world->now;
	world->contents[number] = contents(world);
	open_view(world);
}

static void random_block(struct world *world, uint64_t number) {
	struct state_source source = state_view_source(world->view);
	state_reset(world->state, &source);
	for (uint32_t i = 0, count = below(world, 8); i < count; i++) random_transaction(world);
	commit_block(world, number);
	hash32 rebuilt, plain = root_from_nothing(world);
	assert_ok(world, state_root_rebuild(&rebuilt, world->store, NULL, &world->err));
	assert_memory_equal(world->roots[number].b, plain.b, 32);
	assert_memory_equal(world->roots[number].b, rebuilt.b, 32);
}

/* ---- reading back ---- */

static void assert_account(
    struct world *world, const struct state_view *view, const struct model *model, uint32_t index) {
	const struct model_account *expected = &model->accounts[index];
	addr20 address = address_of(index);
	struct account account;
	bool exists;
	assert_ok(world, state_view_account(view, &account, &exists, &address, &world->err));
	assert_int_equal(exists, expected->exists);
	assert_int_equal(account.nonce, expected->nonce);
	u256 balance = u256_from(expected->balance);
	assert_true(u256_equal(&account.balance_wei, &balance));
	if (expected->code) {
		uint8_t room[3];
		struct buf code;
		buf_init(&code, 100);
		assert_ok(world, state_view_code(view, &code, &account.code_hash, &world->err));
		assert_true(bytes_equal(buf_view(&code), code_bytes(room, expected->code)));
		buf_fini(&code);
	} else {
		assert_memory_equal(account.code_hash.b, empty_code_hash.b, 32);
	}
	for (uint32_t i = 0; i < SLOTS; i++) {
		u256 slot = slot_of(i), value, wanted = value_of(expected->slots[i]);
		if (!expected->slots[i]) wanted = u256_from(0);
		assert_ok(world, state_view_storage(view, &value, &address, &slot, &world->err));
		assert_true(u256_equal(&value, &wanted));
	}
}

static void assert_proof(struct world *world, const struct state_view *view, uint64_t number, uint32_t index) {
	const struct model_account *expected = &world->past[number].accounts[index];
	addr20 address = address_of(index);
	u256 slots[4];
	for (uint32_t i = 0; i < 4; i++) slots[i] = slot_of(below(world, SLOTS + 3)); /* also never written ones */
	slots[3] = slots[0];
	struct arena arena;
	arena_init(&arena);
	struct state_proof proof;
	assert_ok(world, state_view_proof(view, &proof, &arena, &address, slots, 4, &world->err));
	bool exists;
	struct proof_account proven;
	assert_ok(world, proof_account(&exists, &proven, &world->roots[number], &address, proof.account_nodes,
			     proof.account_node_count, &world->err));
	assert_int_equal(exists, index < ACCOUNTS && expected->exists);
	assert_int_equal(proof.exists, exists);
	assert_int_equal(proof.storage_count, 4);
	if (exists) assert_memory_equal(proven.storage_root.b, proof.account.storage_root.b, 32);
	for (size_t i = 0; i < 4; i++) {
		hash32 slot;
		u256_store_be(slot.b, &slots[i]);
		u256 value;
		assert_ok(world, proof_storage(&value, &proof.account.storage_root, &slot, proof.storage[i].nodes,
				     proof.storage[i].node_count, &world->err));
		assert_true(u256_equal(&value, &proof.storage[i].value));
	}
	arena_fini(&arena);
}

/* Random transactions over an older block give the root that they give anywhere. */
static void assert_past_root(
    struct world *world, const struct state_view *view, uint64_t number, uint32_t transactions) {
	struct trie_updates *updates = trie_updates_new(NULL);
	struct state_source source = state_view_source(view);
	const struct model now = world->now;
	struct state_diff diff;
	hash32 root;
	world->now = world->past[number];
	state_reset(world->state, &source);
	for (uint32_t i = 0; i < transactions; i++) random_transaction(world);
	assert_ok(world, state_get_diff(world->state, &diff));
	assert_ok(world, state_root(&root, &diff, updates, view, &world->err));
	hash32 plain = root_from_nothing(world);
	assert_memory_equal(root.b, plain.b, 32);
	if (transactions == 0) assert_memory_equal(root.b, world->roots[number].b, 32);
	world->now = now;
	trie_updates_free(updates);
}

static void assert_past(struct world *world, uint64_t number) {
	struct state_view *view;
	assert_ok(world, state_view_open(&view, world->store, false, number, &world->err));
	for (uint32_t i = 0; i < ACCOUNTS; i++) assert_account(world, view, &world->past[number], i);
	for (uint32_t i = 0; i < 6; i++) assert_proof(world, view, number, below(world, ACCOUNTS));
	for (uint32_t i = 0; i < 6; i++) assert_past_root(world, view, number, i);
	state_view_close(view);
}

/* Back to before block `number`. */
static void unwind_block(struct world *world, uint64_t number) {
	assert_memory_equal(contents(world).b, world->contents[number].b, 32);
	store_batch_clear(world->batch);
	assert_ok(world, state_unwind(world->batch, world->store, number, &world->err));
	if (number)
		put_head(world, number - 1);
	else
		store_batch_del(world->batch, world->store, TABLE_META, BYTES_LITERAL("head"));
	assert_ok(world, store_commit(world->store, world->batch, false, &world->err));
	if (world->cache) trie_cache_clear(world->cache);
	world->now = number ? world->past[number - 1] : (struct model){0};
	open_view(world);
}

static void run_history(struct world *world, uint64_t seed) {
	world->random = seed;
	world->now = (struct model){0};
	open_view(world);
	hash32 start = contents(world);
	for (uint64_t number = 0; number <= BLOCKS; number++) {
		random_block(world, number);
		if (number > 1 && below(world, 10) == 0) unwind_block(world, number--);
	}
	for (uint64_t number = 0; number <= BLOCKS; number += 1 + below(world, 5)) assert_past(world, number);
	struct state_view *none;
	assert_int_equal(state_view_open(&none, world->store, false, BLOCKS + 1, &world->err), STATUS_NOTFOUND);
	for (uint64_t number = BLOCKS + 1; number-- > 0;) unwind_block(world, number);
	assert_memory_equal(contents(world).b, start.b, 32);
}

static void random_histories(void **state) {
	for (uint64_t seed = 1; seed <= 3; seed++) run_history(*state, seed);
}

/* A history without the row that its list names, or with another value: found, not believed. */
static void damaged_history_is_found(void **state) {
	struct world *world = *state;
	world->random = 5;
	open_view(world);
	for (uint64_t number = 0; number < 10; number++) random_block(world, number);
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, TABLE_STORAGE_HISTORY);
	size_t tried = 0;
	for (store_cursor_seek(cursor, bytes_text("")); store_cursor_valid(cursor); store_cursor_next(cursor)) {
		struct bytes key = store_cursor_key(cursor);
		if (load_be64(key.data + 64) != 9) continue;
		for (int kind = 0; kind < 2; kind++) {
			store_batch_clear(world->batch);
			if (kind)
				store_batch_del(world->batch, world->store, TABLE_STORAGE_HISTORY, key);
			else
				store_batch_put(
				    world->batch, world->store, TABLE_STORAGE_HISTORY, key, bytes_text("wrong"));
			assert_ok(world, store_commit(world->store, world->batch, false, &world->err));
			store_batch_clear(world->batch);
			assert_int_equal(state_unwind(world->batch, world->store, 9, &world->err), STATUS_CORRUPT);
			tried++;
		}
		break;
	}
	store_cursor_free(cursor);
	assert_int_equal(tried, 2);
}

static void assert_rebuild_refuses(struct world *world, enum store_table table, bool delete) {
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, table);
	store_cursor_seek(cursor, bytes_text(""));
	assert_true(store_cursor_valid(cursor));
	struct buf key, value;
	buf_init(&key, 1000);
	buf_init(&value, 1000);
	buf_append(&key, store_cursor_key(cursor));
	buf_append(&value, store_cursor_value(cursor));
	store_cursor_free(cursor);
	store_batch_clear(world->batch);
	value.data[value.len - 1] ^= 1;
	if (delete)
		store_batch_del(world->batch, world->store, table, buf_view(&key));
	else
		store_batch_put(world->batch, world->store, table, buf_view(&key), buf_view(&value));
	assert_ok(world, store_commit(world->store, world->batch, false, &world->err));
	hash32 root;
	assert_int_equal(state_root_rebuild(&root, world->store, NULL, &world->err), STATUS_CORRUPT);
	value.data[value.len - 1] ^= 1;
	store_batch_clear(world->batch);
	store_batch_put(world->batch, world->store, table, buf_view(&key), buf_view(&value));
	assert_ok(world, store_commit(world->store, world->batch, false, &world->err));
	assert_ok(world, state_root_rebuild(&root, world->store, NULL, &world->err));
	buf_fini(&key);
	buf_fini(&value);
}

static void rebuild_sees_every_damage(void **state) {
	struct world *world = *state;
	world->random = 6;
	open_view(world);
	for (uint64_t number = 0; number < 20; number++) random_block(world, number);
	static const enum store_table tables[] = {TABLE_TRIE_ACCOUNT, TABLE_TRIE_STORAGE, TABLE_STORAGE};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		assert_rebuild_refuses(world, tables[i], true);
		assert_rebuild_refuses(world, tables[i], false);
	}
	uint8_t orphan[64] = {1};
	store_batch_clear(world->batch);
	store_batch_put(world->batch, world->store, TABLE_STORAGE, bytes_make(orphan, 64), bytes_text("x"));
	assert_ok(world, store_commit(world->store, world->batch, false, &world->err));
	hash32 root;
	assert_int_equal(state_root_rebuild(&root, world->store, NULL, &world->err), STATUS_CORRUPT);
}

/* Wiped and written again in one block: what was there goes, also where the new contract writes the same slots. */
static void wiped_and_rewritten(void **state) {
	struct world *world = *state;
	open_view(world);
	addr20 address = address_of(3);
	u256 one = u256_from(1);
	for (uint64_t number = 0; number < 2; number++) {
		struct state_source source = state_view_source(world->view);
		state_reset(world->state, &source);
		if (number) {
			state_mark_destructed(world->state, &address);
			assert_ok(world, state_end_transaction(world->state, true));
			assert_ok(world, state_begin_create(world->state, &address));
		}
		assert_ok(world, state_set_nonce(world->state, &address, 1));
		struct model_account *model = &world->now.accounts[3];
		*model = (struct model_account){.exists = true, .nonce = 1};
		for (uint32_t i = 0; i < SLOTS; i++) {
			if (number && i % 4) continue;
			u256 slot = slot_of(i), value;
			assert_ok(world, state_get_storage(world->state, &value, &address, &slot));
			assert_true(u256_is_zero(&value));
			model->slots[i] = 1;
			value = value_of(1);
			if (i == 4) model->slots[i] = 2, value = value_of(2);
			assert_ok(world, state_set_storage(world->state, &address, &slot, &value));
		}
		assert_ok(world, state_set_balance(world->state, &address, &one));
		model->balance = 1;
		assert_ok(world, state_end_transaction(world->state, true));
		commit_block(world, number);
		hash32 rebuilt, plain = root_from_nothing(world);
		assert_ok(world, state_root_rebuild(&rebuilt, world->store, NULL, &world->err));
		assert_memory_equal(world->roots[number].b, plain.b, 32);
		assert_memory_equal(world->roots[number].b, rebuilt.b, 32);
	}
	assert_past(world, 0);
	assert_past(world, 1);
	store_batch_clear(world->batch);
	assert_ok(world, state_unwind(world->batch, world->store, 1, &world->err));
	put_head(world, 0);
	assert_ok(world, store_commit(world->store, world->batch, false, &world->err));
	assert_memory_equal(contents(world).b, world->contents[0].b, 32);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
#define CACHED(name)                                                                                                   \
	{ #name " cached", name, world_open_cached, world_close, NULL }
#define TIGHT(name)                                                                                                    \
	{ #name " tight", name, world_open_tight, world_close, NULL }
	const struct CMUnitTest tests[] = {
	    TEST(random_histories),
	    TEST(damaged_history_is_found),
	    TEST(rebuild_sees_every_damage),
	    TEST(wiped_and_rewritten),
	    CACHED(random_histories),
	    TIGHT(random_histories),
	    CACHED(wiped_and_rewritten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
