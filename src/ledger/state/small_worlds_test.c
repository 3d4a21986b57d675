/*
 * Exhaustive small worlds of the state: from every small account, every short sequence of transactions as one block,
 * and as two. After each block the incremental root must be that of the full rebuild and that of a trie made straight
 * from the Yellow Paper's definition (eth/trie_twin.h); unwinding must give back every byte.
 *
 * The account's slots share nibbles of their hashed keys, so that branches come, go, and merge through extensions; a
 * neighbour with the same slots shows that nothing of one account touches the other. Destruction and creation stand
 * among the steps, so storage is wiped and written again within one block (as before EIP-6780), and touching clears
 * empty accounts (EIP-161), also those that have storage.
 */
#include "ledger/state/commitment.h"

#include "crypto/hash.h"
#include "eth/trie_twin.h"
#include "ledger/state/rows.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define SLOTS 4
#define STARTS (3 << SLOTS) /* every set of slots: of a contract, of an empty account, of one with a balance */

enum step { TOGGLE_0, TOGGLE_1, TOGGLE_2, TOGGLE_3, REWRITE_0, DESTRUCT, CREATE, TOUCH, PAY, STEP_COUNT };

struct model {
	bool exists;
	uint64_t nonce, balance;
	uint64_t slots[SLOTS];
};

struct world {
	char directory[64];
	struct store *store;
	struct store_batch *batch;
	struct trie_cache *cache; /* NULL: none */
	struct trie_updates *updates;
	struct state *state;
	struct state_view *view;
	struct err err;
	addr20 account, neighbour;
	u256 slots[SLOTS];
	struct model now;
	uint64_t number; /* of the next block */
	size_t blocks;
};

static const struct model neighbour = {true, 1, 0, {1, 2, 3, 4}};

#define assert_ok(world, expression)                                                                                   \
	do {                                                                                                           \
		enum status got_ = (expression);                                                                       \
		if (got_ != STATUS_OK) fail_msg("%s: %s", status_text(got_), (world)->err.message);                    \
	} while (0)

static hash32 slot_hash(const u256 *slot) {
	hash32 key;
	u256_store_be(key.b, slot);
	return keccak256(BYTES_OF(key));
}

static size_t shared_nibbles(const hash32 *a, const hash32 *b) {
	uint8_t x[64], y[64];
	nibbles_of(x, BYTES_OF(*a));
	nibbles_of(y, BYTES_OF(*b));
	size_t shared = 0;
	while (shared < 64 && x[shared] == y[shared]) shared++;
	return shared;
}

/* Slots 0 and 1 share three nibbles, slot 2 one with them, slot 3 none; the two accounts share two. */
static void choose_keys(struct world *world) {
	static const size_t wanted[SLOTS] = {64, 3, 1, 0};
	world->slots[0] = u256_from(0);
	const hash32 first = slot_hash(&world->slots[0]);
	for (unsigned i = 1; i < SLOTS; i++) {
		hash32 hash;
		for (uint64_t n = 1;; n++) {
			world->slots[i] = u256_from(n);
			hash = slot_hash(&world->slots[i]);
			if (shared_nibbles(&first, &hash) == wanted[i]) break;
		}
	}
	world->account = (addr20){{0xaa}};
	const hash32 account = keccak256(BYTES_OF(world->account));
	hash32 other;
	do {
		store_be64(world->neighbour.b + 12, load_be64(world->neighbour.b + 12) + 1);
		other = keccak256(BYTES_OF(world->neighbour));
	} while (shared_nibbles(&account, &other) != 2);
}

static int open_world(void **state, size_t cache_bytes) {
	struct world *world = mem_zalloc(1, sizeof *world);
	strcpy(world->directory, "/tmp/xinglin-worlds-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	const struct store_options options = {.memory_bytes = 8 << 20, .create_if_missing = true};
	assert_ok(world, store_open(&world->store, world->directory, &options, &world->err));
	world->batch = store_batch_new();
	world->cache = cache_bytes ? trie_cache_new(cache_bytes) : NULL;
	world->updates = trie_updates_new(world->cache);
	world->state = state_new(NULL, &world->err);
	choose_keys(world);
	*state = world;
	return 0;
}

static int world_open(void **state) {
	return open_world(state, 0);
}

static int world_open_cached(void **state) {
	return open_world(state, 1 << 20);
}

static int world_close(void **state) {
	struct world *world = *state;
	state_free(world->state);
	trie_updates_free(world->updates);
	trie_cache_free(world->cache);
	store_batch_free(world->batch);
	store_close(world->store);
	char command[96];
	snprintf(command, sizeof command, "rm -rf -- '%s'", world->directory);
	assert_int_equal(system(command), 0);
	mem_free(world);
	return 0;
}

/* ---- the root from its definition ---- */

static void add_entry(struct twin_entry *entry, const hash32 *key, struct bytes value) {
	nibbles_of(entry->path, BYTES_OF(*key));
	entry->path_len = NIBBLES_MAX;
	assert_true(value.len <= sizeof entry->value);
	memcpy(entry->value, value.data, value.len);
	entry->value_len = value.len;
}

static hash32 defined_storage_root(const struct world *world, const struct model *model) {
	struct twin_entry entries[SLOTS];
	size_t count = 0;
	for (size_t i = 0; i < SLOTS; i++) {
		if (!model->slots[i]) continue;
		const hash32 key = slot_hash(&world->slots[i]);
		const uint8_t value = (uint8_t)model->slots[i]; /* below 128: its own RLP */
		add_entry(&entries[count++], &key, bytes_make(&value, 1));
	}
	qsort(entries, count, sizeof *entries, twin_compare);
	return twin_root(entries, count);
}

static void add_account(
    struct twin_entry *entry, const struct world *world, const addr20 *address, const struct model *model) {
	struct buf rlp;
	buf_init(&rlp, 200);
	const hash32 root = defined_storage_root(world, model), key = keccak256(BYTES_OF(*address));
	const size_t list = rlp_list_begin(&rlp);
	rlp_put_u64(&rlp, model->nonce);
	rlp_put_u64(&rlp, model->balance);
	rlp_put_string(&rlp, BYTES_OF(root));
	rlp_put_string(&rlp, BYTES_OF(empty_code_hash));
	rlp_list_end(&rlp, list);
	add_entry(entry, &key, buf_view(&rlp));
	buf_fini(&rlp);
}

static hash32 defined_root(const struct world *world) {
	struct twin_entry entries[2];
	size_t count = 0;
	add_account(&entries[count++], world, &world->neighbour, &neighbour);
	if (world->now.exists) add_account(&entries[count++], world, &world->account, &world->now);
	qsort(entries, count, sizeof *entries, twin_compare);
	return twin_root(entries, count);
}

/* ---- blocks ---- */

/* Everything in every table of the state, so that unwinding can be held against it. */
static hash32 contents(struct world *world) {
	static const enum store_table tables[] = {TABLE_ACCOUNT, TABLE_STORAGE, TABLE_TRIE_ACCOUNT, TABLE_TRIE_STORAGE,
	    TABLE_CHANGES, TABLE_ACCOUNT_HISTORY, TABLE_STORAGE_HISTORY};
	struct keccak keccak;
	keccak256_init(&keccak);
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		struct store_cursor *cursor = store_cursor_new(world->store, NULL, tables[i]);
		for (store_cursor_seek(cursor, bytes_text("")); store_cursor_valid(cursor); store_cursor_next(cursor)) {
			const struct bytes key = store_cursor_key(cursor), value = store_cursor_value(cursor);
			const uint8_t lengths[3] = {(uint8_t)tables[i], (uint8_t)key.len, (uint8_t)value.len};
			keccak256_update(&keccak, bytes_make(lengths, sizeof lengths));
			keccak256_update(&keccak, key);
			keccak256_update(&keccak, value);
		}
		assert_ok(world, store_cursor_status(cursor, &world->err));
		store_cursor_free(cursor);
	}
	return keccak256_final(&keccak);
}

static void put_head(struct world *world) {
	uint8_t head[40] = {0};
	store_be64(head, world->number);
	store_batch_put(world->batch, world->store, TABLE_META, BYTES_LITERAL("head"), bytes_make(head, sizeof head));
}

static void begin_block(struct world *world) {
	assert_ok(world, state_view_open(&world->view, world->store, true, 0, &world->err));
	const struct state_source source = state_view_source(world->view);
	state_reset(world->state, &source);
}

static void end_block(struct world *world) {
	struct state_diff diff;
	hash32 root, rebuilt;
	assert_ok(world, state_get_diff(world->state, &diff));
	assert_ok(world, state_root(&root, &diff, world->updates, world->view, &world->err));
	store_batch_clear(world->batch);
	assert_ok(world, state_write(world->batch, world->store, &diff, world->updates, world->number, &world->err));
	put_head(world);
	assert_ok(world, store_commit(world->store, world->batch, false, &world->err));
	trie_updates_committed(world->updates);
	state_view_close(world->view);
	const hash32 defined = defined_root(world);
	assert_ok(world, state_root_rebuild(&rebuilt, world->store, NULL, &world->err));
	assert_memory_equal(root.b, defined.b, 32);
	assert_memory_equal(rebuilt.b, defined.b, 32);
	world->number++;
	world->blocks++;
}

static void unwind_block(struct world *world, const struct model *before, const hash32 *expected) {
	world->number--;
	store_batch_clear(world->batch);
	assert_ok(world, state_unwind(world->batch, world->store, world->number, &world->err));
	assert_ok(world, store_commit(world->store, world->batch, false, &world->err));
	if (world->cache) trie_cache_clear(world->cache);
	world->now = *before;
	const hash32 found = contents(world);
	assert_memory_equal(found.b, expected->b, 32);
}

/* ---- steps, each a transaction: on the state and on the model ---- */

static void set_slot(struct world *world, unsigned slot, uint64_t number) {
	const u256 value = u256_from(number);
	assert_ok(world, state_set_storage(world->state, &world->account, &world->slots[slot], &value));
	world->now.slots[slot] = number;
	world->now.exists = true;
}

static void create(struct world *world) {
	if (world->now.nonce) return; /* there is one already */
	assert_ok(world, state_begin_create(world->state, &world->account));
	assert_ok(world, state_set_nonce(world->state, &world->account, 1));
	world->now = (struct model){.exists = true, .nonce = 1, .balance = world->now.balance};
	set_slot(world, 1, 9);
}

static void take_step(struct world *world, enum step step) {
	const u256 wei = u256_from(5);
	struct model *model = &world->now;
	switch (step) {
	case TOGGLE_0:
	case TOGGLE_1:
	case TOGGLE_2:
	case TOGGLE_3: set_slot(world, step - TOGGLE_0, model->slots[step] ? 0 : 20u + step); break;
	case REWRITE_0: set_slot(world, 0, model->slots[0] + 1); break;
	case DESTRUCT:
		state_mark_destructed(world->state, &world->account);
		*model = (struct model){0};
		break;
	case CREATE: create(world); break;
	case TOUCH:
		state_touch(world->state, &world->account);
		if (!model->nonce && !model->balance) *model = (struct model){0};
		break;
	case PAY:
		assert_ok(world, state_set_balance(world->state, &world->account, &wei));
		model->exists = true;
		model->balance = 5;
		break;
	case STEP_COUNT: fail();
	}
	assert_ok(world, state_end_transaction(world->state, true));
}

static void run_block(struct world *world, const enum step *steps, size_t count) {
	begin_block(world);
	for (size_t i = 0; i < count; i++) take_step(world, steps[i]);
	end_block(world);
}

static void make_start(struct world *world, unsigned start) {
	const u256 wei = u256_from(5);
	begin_block(world);
	if (world->number == 0) {
		assert_ok(world, state_set_nonce(world->state, &world->neighbour, 1));
		for (unsigned i = 0; i < SLOTS; i++) {
			const u256 value = u256_from(neighbour.slots[i]);
			assert_ok(world, state_set_storage(world->state, &world->neighbour, &world->slots[i], &value));
		}
	}
	world->now = (struct model){0};
	for (unsigned i = 0; i < SLOTS; i++)
		if (start >> i & 1) set_slot(world, i, 10 + i);
	const unsigned kind = start >> SLOTS;
	if (kind == 1) assert_ok(world, state_set_nonce(world->state, &world->account, 1));
	if (kind == 2) assert_ok(world, state_set_balance(world->state, &world->account, &wei));
	world->now.exists |= kind != 0;
	world->now.nonce = kind == 1;
	world->now.balance = kind == 2 ? 5 : 0;
	assert_ok(world, state_end_transaction(world->state, false));
	end_block(world);
}

/* Every sequence of `length` steps as one block; where `more`, then every single step as a second one. */
static void run_all(struct world *world, size_t length, bool more) {
	enum step steps[4];
	size_t sequences = 1;
	for (size_t i = 0; i < length; i++) sequences *= STEP_COUNT;
	const struct model before = world->now;
	const hash32 old = contents(world);
	for (size_t sequence = 0; sequence < sequences; sequence++) {
		size_t rest = sequence;
		for (size_t i = 0; i < length; i++, rest /= STEP_COUNT) steps[i] = (enum step)(rest % STEP_COUNT);
		run_block(world, steps, length);
		if (more) run_all(world, 1, false);
		unwind_block(world, &before, &old);
	}
}

static void every_short_history(void **state) {
	struct world *world = *state;
	make_start(world, 0);
	const hash32 nothing = contents(world);
	const struct model none = world->now;
	for (unsigned start = 0; start < STARTS; start++) {
		make_start(world, start);
		run_all(world, 1, true);
		run_all(world, 2, false);
		if (!world->cache) run_all(world, 3, false); /* most of the time that this test takes */
		unwind_block(world, &none, &nothing);
	}
	print_message("%zu blocks\n", world->blocks);
	assert_int_equal(world->blocks, 1 + STARTS * (1 + 9 * (1 + 9) + 81 + (world->cache ? 0 : 729)));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_short_history, world_open, world_close),
	    {"every_short_history cached", every_short_history, world_open_cached, world_close, NULL},
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
