/*
 * The walk against its plain twin: all leaves fed to the hash builder at once. After every step the root and every
 * stored branch record must be those of the twin, so that by induction any sequence of steps is right.
 */
#include "ledger/trie/walk.h"

#include "eth/hash_builder.h"
#include "eth/types.h"
#include "ledger/trie/branch.h"

#include "tests/unit.h"

#include <stdlib.h>

#define LEAVES_MAX 4096
#define ROWS_MAX 2048

struct leaf {
	uint8_t key[32];
	uint8_t value[40];
	size_t value_len;
};

struct row {
	uint8_t path[64];
	size_t path_len;
	uint8_t record[TRIE_BRANCH_BYTES_MAX];
	size_t record_len;
};

/* What sink->leaves reported about a path. */
struct memory {
	uint8_t path[64];
	size_t path_len, count;
	struct leaf leaves[64];
	uint8_t from[64];
	hash32 hashes[64];
};

struct world {
	size_t key_bytes;
	struct leaf leaves[LEAVES_MAX];
	size_t leaf_count;
	struct row rows[ROWS_MAX];
	size_t row_count;
	size_t cursor;           /* of leaves */
	int calls_until_failure; /* of the source; below zero: never */
	struct memory *memories; /* NULL: the plain twin, whose leaves are read again */
	size_t memory_count;
	const struct memory *recalled; /* leaves come from it; `cursor` counts them */
	size_t recalls;
};

#define MEMORIES_MAX 2048

struct change {
	uint8_t key[32];
	bool exists;
	uint8_t value[40];
	size_t value_len;
};

static struct bytes row_path(const struct row *row) {
	return bytes_make(row->path, row->path_len);
}

static bool source_fails(struct world *world) {
	return world->calls_until_failure >= 0 && world->calls_until_failure-- == 0;
}

static enum status record_seek(
    void *context, struct bytes *path, struct bytes *record, struct bytes from, struct err *err) {
	struct world *world = context;
	if (source_fails(world)) return err_set(err, STATUS_IO, "disk");
	*path = (struct bytes){0};
	for (size_t i = 0; i < world->row_count; i++) {
		if (bytes_compare(row_path(&world->rows[i]), from) < 0) continue;
		*path = row_path(&world->rows[i]);
		*record = bytes_make(world->rows[i].record, world->rows[i].record_len);
		break;
	}
	return STATUS_OK;
}

static enum status record_get(void *context, struct bytes *record, struct bytes path, struct err *err) {
	struct bytes found;
	TRY(record_seek(context, &found, record, path, err));
	if (!found.data || !bytes_equal(found, path)) *record = (struct bytes){0};
	return STATUS_OK;
}

static void give_leaf(struct world *world, struct trie_leaf *leaf) {
	*leaf = (struct trie_leaf){0};
	if (world->recalled) {
		if (world->cursor == world->recalled->count) return;
		const struct leaf *kept = &world->recalled->leaves[world->cursor];
		*leaf = (struct trie_leaf){bytes_make(kept->key, world->key_bytes),
		    bytes_make(kept->value, kept->value_len), world->recalled->from[world->cursor],
		    world->recalled->hashes[world->cursor]};
		return;
	}
	if (world->cursor == world->leaf_count) return;
	const struct leaf *at = &world->leaves[world->cursor];
	*leaf = (struct trie_leaf){
	    .key = bytes_make(at->key, world->key_bytes), .value = bytes_make(at->value, at->value_len)};
}

static struct memory *memory_of(const struct world *world, struct bytes path) {
	for (size_t i = 0; i < world->memory_count; i++)
		if (bytes_equal(bytes_make(world->memories[i].path, world->memories[i].path_len), path))
			return &world->memories[i];
	return NULL;
}

static void remember(void *context, struct bytes path, const struct trie_leaf *leaves, size_t count) {
	struct world *world = context;
	struct memory *memory = memory_of(world, path);
	if (count == 0) {
		if (memory) *memory = world->memories[--world->memory_count];
		return;
	}
	if (!memory) {
		assert_true(world->memory_count < MEMORIES_MAX);
		memory = &world->memories[world->memory_count++];
	}
	assert_true(count <= 64);
	if (path.len) memcpy(memory->path, path.data, path.len);
	memory->path_len = path.len;
	memory->count = count;
	for (size_t i = 0; i < count; i++) {
		memcpy(memory->leaves[i].key, leaves[i].key.data, leaves[i].key.len);
		memcpy(memory->leaves[i].value, leaves[i].value.data, leaves[i].value.len);
		memory->leaves[i].value_len = leaves[i].value.len;
		memory->from[i] = leaves[i].from;
		memory->hashes[i] = leaves[i].hash;
	}
}

/* Every memory holds exactly the leaves that are there below its path, whether it will be asked again or not. */
static void assert_memories(const struct world *world) {
	for (size_t m = 0; m < world->memory_count; m++) {
		const struct memory *memory = &world->memories[m];
		size_t next = 0;
		for (size_t i = 0; i < world->leaf_count; i++) {
			const struct leaf *leaf = &world->leaves[i];
			uint8_t path[64];
			nibbles_of(path, bytes_make(leaf->key, world->key_bytes));
			if (memcmp(path, memory->path, memory->path_len) != 0) continue;
			assert_true(next < memory->count);
			const struct leaf *kept = &memory->leaves[next++];
			assert_memory_equal(kept->key, leaf->key, world->key_bytes);
			assert_true(bytes_equal(
			    bytes_make(kept->value, kept->value_len), bytes_make(leaf->value, leaf->value_len)));
		}
		assert_int_equal(next, memory->count);
	}
}

static enum status leaf_seek(
    void *context, struct trie_leaf *leaf, struct bytes from, size_t nibbles, struct err *err) {
	struct world *world = context;
	if (source_fails(world)) return err_set(err, STATUS_IO, "disk");
	uint8_t path[64];
	nibbles_of(path, from);
	world->recalled = memory_of(world, bytes_make(path, nibbles));
	if (world->recalled) {
		world->cursor = 0;
		world->recalls++;
		give_leaf(world, leaf);
		return STATUS_OK;
	}
	size_t low = 0, high = world->leaf_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (memcmp(world->leaves[middle].key, from.data, from.len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	world->cursor = low;
	give_leaf(world, leaf);
	return STATUS_OK;
}

static enum status leaf_next(void *context, struct trie_leaf *leaf, struct err *err) {
	struct world *world = context;
	if (source_fails(world)) return err_set(err, STATUS_IO, "disk");
	world->cursor++;
	give_leaf(world, leaf);
	return STATUS_OK;
}

static struct bytes change_value(void *context, size_t index) {
	const struct change *change = (const struct change *)context + index;
	return change->exists ? bytes_make(change->value, change->value_len) : (struct bytes){0};
}

static size_t row_find(const struct world *world, struct bytes path) {
	size_t i = 0;
	while (i < world->row_count && bytes_compare(row_path(&world->rows[i]), path) < 0) i++;
	return i;
}

static void row_put(void *context, struct bytes path, struct bytes record) {
	struct world *world = context;
	size_t i = row_find(world, path);
	if (i == world->row_count || !bytes_equal(row_path(&world->rows[i]), path)) {
		assert_true(world->row_count < ROWS_MAX);
		memmove(&world->rows[i + 1], &world->rows[i], (world->row_count++ - i) * sizeof *world->rows);
	}
	struct row *row = &world->rows[i];
	if (path.len) memcpy(row->path, path.data, path.len);
	memcpy(row->record, record.data, record.len);
	row->path_len = path.len;
	row->record_len = record.len;
}

static void row_del(void *context, struct bytes path) {
	struct world *world = context;
	size_t i = row_find(world, path);
	assert_true(i < world->row_count && bytes_equal(row_path(&world->rows[i]), path));
	memmove(&world->rows[i], &world->rows[i + 1], (--world->row_count - i) * sizeof *world->rows);
}

static void leaves_apply(struct world *world, const struct change *change) {
	size_t i = 0;
	while (i < world->leaf_count && memcmp(world->leaves[i].key, change->key, world->key_bytes) < 0) i++;
	bool found = i < world->leaf_count && memcmp(world->leaves[i].key, change->key, world->key_bytes) == 0;
	if (!change->exists) {
		if (found)
			memmove(&world->leaves[i], &world->leaves[i + 1],
			    (--world->leaf_count - i) * sizeof *world->leaves);
		return;
	}
	if (!found) {
		assert_true(world->leaf_count < LEAVES_MAX);
		memmove(&world->leaves[i + 1], &world->leaves[i], (world->leaf_count++ - i) * sizeof *world->leaves);
	}
	memcpy(world->leaves[i].key, change->key, sizeof change->key);
	memcpy(world->leaves[i].value, change->value, sizeof change->value);
	world->leaves[i].value_len = change->value_len;
}

static void twin_branch(void *context, struct bytes path, uint16_t child_mask, uint16_t hash_mask, const hash32 *hashes,
    uint16_t tree_mask) {
	if (!(hash_mask | tree_mask)) return;
	uint8_t record[TRIE_BRANCH_BYTES_MAX];
	size_t len = trie_branch_encode(record, child_mask, tree_mask, hash_mask, hashes);
	row_put(context, path, bytes_make(record, len));
}

/* Records are written into `out`, the leaves come from `world`. */
static hash32 twin(struct world *out, const struct world *world) {
	struct hash_builder_watch watch = {.branch = twin_branch, .context = out};
	struct hash_builder *builder = hash_builder_new(&watch);
	out->row_count = 0;
	for (size_t i = 0; i < world->leaf_count; i++) {
		uint8_t nibbles[64];
		nibbles_of(nibbles, bytes_make(world->leaves[i].key, world->key_bytes));
		hash_builder_leaf(builder, bytes_make(nibbles, 2 * world->key_bytes),
		    bytes_make(world->leaves[i].value, world->leaves[i].value_len));
	}
	hash32 root = hash_builder_root(builder);
	hash_builder_free(builder);
	return root;
}

static void assert_rows_equal(const struct world *a, const struct world *b) {
	assert_int_equal(a->row_count, b->row_count);
	for (size_t i = 0; i < a->row_count; i++) {
		const struct row *x = &a->rows[i], *y = &b->rows[i];
		assert_true(bytes_equal(row_path(x), row_path(y)));
		assert_true(bytes_equal(bytes_make(x->record, x->record_len), bytes_make(y->record, y->record_len)));
	}
}

static struct trie_changes changes_of(const struct world *world, struct change *changes, size_t count, bool wiped) {
	return (struct trie_changes){
	    changes->key, sizeof *changes, count, world->key_bytes, change_value, changes, wiped};
}

static enum status walk(
    struct trie_walker *walker, hash32 *root, struct world *world, struct change *changes, size_t count, bool wiped) {
	struct trie_source source = {record_seek, record_get, leaf_seek, leaf_next, world};
	struct trie_sink sink = {row_put, row_del, NULL, world->memories ? remember : NULL, world};
	struct trie_changes all = changes_of(world, changes, count, wiped);
	return trie_walk(walker, root, &source, &all, &sink, NULL);
}

/* One step of a history, checked against the twin. */
static hash32 step(struct trie_walker *walker, struct world *world, struct change *changes, size_t count, bool wiped) {
	static struct world expected;
	hash32 root;
	assert_int_equal(walk(walker, &root, world, changes, count, wiped), STATUS_OK);
	if (wiped) world->leaf_count = 0;
	for (size_t i = 0; i < count; i++) leaves_apply(world, &changes[i]);
	if (wiped) world->memory_count = 0;
	assert_memories(world);
	hash32 plain = twin(&expected, world);
	assert_memory_equal(root.b, plain.b, 32);
	assert_rows_equal(world, &expected);
	return root;
}

/* ---- exhaustive small worlds: every set of keys to every other set of keys ---- */

struct small {
	uint16_t keys[9]; /* two bytes each */
	unsigned count;
	size_t value_len; /* 1: nodes stand inside their parents; 33: all are hashed */
};

static void small_change(struct change *change, const struct small *small, unsigned key, bool exists, uint8_t version) {
	memset(change, 0, sizeof *change);
	change->key[0] = (uint8_t)(small->keys[key] >> 8);
	change->key[1] = (uint8_t)small->keys[key];
	change->exists = exists;
	change->value_len = small->value_len;
	memset(change->value, (int)(1 + key + 16 * version), small->value_len);
}

static void small_world(struct world *world, const struct small *small, unsigned set, uint8_t version) {
	world->key_bytes = 2;
	world->leaf_count = 0;
	world->calls_until_failure = -1;
	for (unsigned key = 0; key < small->count; key++) {
		struct change change;
		small_change(&change, small, key, true, version);
		if (set >> key & 1) leaves_apply(world, &change);
	}
}

static uint32_t all_pairs(const struct small *small) {
	unsigned sets = 1u << small->count;
	struct world *worlds = mem_zalloc(2, sizeof *worlds);
	struct world *from = &worlds[0], *to = &worlds[1];
	hash32 *roots = mem_zalloc(sets, sizeof *roots);
	struct trie_walker *walker = trie_walker_new();
	struct row *rows = mem_zalloc(sets, 16 * sizeof *rows);
	size_t *row_counts = mem_zalloc(sets, sizeof *row_counts);
	for (unsigned set = 0; set < sets; set++) {
		small_world(to, small, set, 1);
		roots[set] = twin(to, to);
		assert_true(to->row_count <= 16);
		row_counts[set] = to->row_count;
		memcpy(&rows[16 * set], to->rows, to->row_count * sizeof *rows);
	}
	uint32_t steps = 0;
	for (unsigned a = 0; a < sets; a++) {
		/* Kept keys are left alone (0), or all rewritten (1). */
		for (uint8_t rewrite = 0; rewrite < 2; rewrite++) {
			small_world(from, small, a, rewrite ? 0 : 1);
			twin(from, from);
			struct row before[16];
			size_t before_count = from->row_count;
			memcpy(before, from->rows, before_count * sizeof *before);
			for (unsigned b = 0; b < sets; b++) {
				struct change changes[9];
				size_t count = 0;
				for (unsigned key = 0; key < small->count; key++) {
					bool was = a >> key & 1, is = b >> key & 1;
					if (was != is || (is && rewrite))
						small_change(&changes[count++], small, key, is, 1);
				}
				memcpy(from->rows, before, before_count * sizeof *before);
				from->row_count = before_count;
				hash32 root;
				assert_int_equal(walk(walker, &root, from, changes, count, false), STATUS_OK);
				to->row_count = row_counts[b];
				memcpy(to->rows, &rows[16 * b], row_counts[b] * sizeof *rows);
				assert_memory_equal(root.b, roots[b].b, 32);
				assert_rows_equal(from, to);
				steps++;
			}
		}
	}
	trie_walker_free(walker);
	mem_free(row_counts);
	mem_free(rows);
	mem_free(roots);
	mem_free(worlds);
	return steps;
}

static const struct small shapes[] = {
    /* an extension above all; two nibbles, three deep */
    {{0x0000, 0x0001, 0x0010, 0x0011, 0x0100, 0x0101, 0x0110, 0x0111}, 8, 0},
    /* leaves with a rest of their path */
    {{0x0007, 0x00f7, 0x0f07, 0x0ff7, 0xf007, 0xf0f7, 0xff07, 0xfff7}, 8, 0},
    /* extensions in the middle; three nibbles */
    {{0x0000, 0x0001, 0x000f, 0x1000, 0x1001, 0x100f, 0xf000, 0xf001, 0xf00f}, 9, 0},
    /* a deep comb beside a lonely leaf */
    {{0x0000, 0x0001, 0x000f, 0x0010, 0x0011, 0x0100, 0x1000, 0xf000}, 8, 0},
};
static const size_t lengths[] = {1, 33};

static void exhaustive_small_worlds(void **state) {
	(void)state;
	uint32_t steps = 0;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
			struct small small = shapes[i];
			small.value_len = lengths[j];
			steps += all_pairs(&small);
		}
	}
	assert_int_equal(steps, 2 * 2 * (3 * 65536 + 262144));
	print_message("%u steps between small worlds\n", steps);
}

/* ---- random histories over whole keys ---- */

static uint64_t random_state;

static uint32_t random_below(uint32_t limit) {
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % limit;
}

/* Nibbles come from few values, so that keys share long prefixes. */
static void random_key(uint8_t key[32]) {
	memset(key, 0, 32);
	unsigned depth = random_below(8);
	for (unsigned i = 0; i < 32; i++) {
		uint8_t few = (uint8_t)(random_below(2) << 4 | random_below(2));
		key[i] = i < depth ? few : (uint8_t)(31 * i);
	}
	key[31] = (uint8_t)random_below(random_below(2) ? 256 : 2);
	if (random_below(4) == 0) key[0] = (uint8_t)random_below(256);
}

static int compare_changes(const void *a, const void *b) {
	return memcmp(((const struct change *)a)->key, ((const struct change *)b)->key, 32);
}

static size_t random_changes(struct change *changes, const struct world *world, size_t count) {
	for (size_t i = 0; i < count; i++) {
		memset(&changes[i], 0, sizeof changes[i]);
		if (world->leaf_count && random_below(2))
			memcpy(changes[i].key, world->leaves[random_below((uint32_t)world->leaf_count)].key, 32);
		else
			random_key(changes[i].key);
		changes[i].exists = random_below(5) > 1;
		changes[i].value_len = 1 + random_below(40);
		for (size_t j = 0; j < changes[i].value_len; j++) changes[i].value[j] = (uint8_t)random_below(256);
	}
	qsort(changes, count, sizeof *changes, compare_changes);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || memcmp(changes[kept - 1].key, changes[i].key, 32) != 0) changes[kept++] = changes[i];
	return kept;
}

static void run_histories(bool remembers) {
	struct world *world = mem_zalloc(1, sizeof *world);
	struct memory *memories = remembers ? mem_zalloc(MEMORIES_MAX, sizeof *memories) : NULL;
	struct trie_walker *walker = trie_walker_new();
	static struct change changes[128];
	size_t most_leaves = 0, most_rows = 0, wipes = 0, recalls = 0;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		random_state = seed * 0x9e3779b97f4a7c15u;
		*world = (struct world){.key_bytes = 32, .calls_until_failure = -1, .memories = memories};
		for (int round = 0; round < 60; round++) {
			size_t count = random_changes(changes, world, random_below(round % 8 == 0 ? 128 : 6));
			bool wiped = random_below(25) == 0;
			step(walker, world, changes, count, wiped);
			wipes += wiped;
			if (world->leaf_count > most_leaves) most_leaves = world->leaf_count;
			if (world->row_count > most_rows) most_rows = world->row_count;
		}
		while (world->leaf_count) {
			size_t count = world->leaf_count < 5 ? world->leaf_count : 5;
			for (size_t i = 0; i < count; i++) {
				memcpy(changes[i].key, world->leaves[i].key, 32);
				changes[i].exists = false;
			}
			step(walker, world, changes, count, false);
		}
		assert_int_equal(world->row_count, 0);
		recalls += world->recalls;
	}
	print_message(
	    "up to %zu leaves, %zu records, %zu wipes, %zu recalls\n", most_leaves, most_rows, wipes, recalls);
	assert_true(most_leaves > 100 && most_rows > 20 && wipes > 10 && (recalls > 1000) == remembers);
	trie_walker_free(walker);
	mem_free(memories);
	mem_free(world);
}

static void random_histories(void **state) {
	(void)state;
	run_histories(false);
}

/* The same, with leaves that come back as the walks before reported them. */
static void random_histories_with_memory(void **state) {
	(void)state;
	run_histories(true);
}

/* Random ways through the small worlds: every shape comes and goes while memories are kept. */
static void small_worlds_with_memory(void **state) {
	(void)state;
	struct world *world = mem_zalloc(1, sizeof *world);
	struct memory *memories = mem_zalloc(MEMORIES_MAX, sizeof *memories);
	struct trie_walker *walker = trie_walker_new();
	size_t recalls = 0;
	random_state = 11;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
			struct small small = shapes[i];
			small.value_len = lengths[j];
			*world = (struct world){.key_bytes = 2, .calls_until_failure = -1, .memories = memories};
			for (int round = 0; round < 5000; round++) {
				struct change changes[9];
				size_t count = 0;
				for (unsigned key = 0; key < small.count; key++)
					if (random_below(3) == 0)
						small_change(&changes[count++], &small, key, random_below(2),
						    (uint8_t)random_below(4));
				step(walker, world, changes, count, false);
			}
			recalls += world->recalls;
		}
	}
	print_message("%zu recalls\n", recalls);
	assert_true(recalls > 1000);
	trie_walker_free(walker);
	mem_free(memories);
	mem_free(world);
}

static size_t nodes_seen;

static void count_node(void *context, struct bytes path, struct bytes rlp) {
	(void)context;
	(void)path;
	assert_true(rlp.len > 0);
	nodes_seen++;
}

/* What no change touches is not read: with 2,000 leaves one change makes a handful of nodes. */
static void cost_follows_what_changed(void **state) {
	(void)state;
	struct world *world = mem_zalloc(1, sizeof *world);
	struct trie_walker *walker = trie_walker_new();
	world->key_bytes = 32;
	world->calls_until_failure = -1;
	random_state = 7;
	for (int i = 0; i < 2000; i++) {
		struct change change = {.exists = true, .value_len = 33};
		for (int j = 0; j < 32; j++) change.key[j] = (uint8_t)random_below(256);
		leaves_apply(world, &change);
	}
	twin(world, world);
	struct change change = {.exists = true, .value = {9}, .value_len = 33};
	memcpy(change.key, world->leaves[1000].key, 32);
	struct trie_source source = {record_seek, record_get, leaf_seek, leaf_next, world};
	struct trie_sink sink = {.node = count_node, .context = world};
	struct trie_changes changes = changes_of(world, &change, 1, false);
	hash32 root;
	assert_int_equal(trie_walk(walker, &root, &source, &changes, &sink, NULL), STATUS_OK);
	assert_in_range(nodes_seen, 4, 60);
	trie_walker_free(walker);
	mem_free(world);
}

/* Every call of the source fails once: the walk says so, and changes no record. */
static void failing_source_is_passed_up(void **state) {
	(void)state;
	struct world *world = mem_zalloc(1, sizeof *world);
	struct trie_walker *walker = trie_walker_new();
	*world = (struct world){.key_bytes = 32, .calls_until_failure = -1};
	random_state = 3;
	static struct change changes[128];
	for (int i = 0; i < 4; i++) step(walker, world, changes, random_changes(changes, world, 100), false);
	size_t count = random_changes(changes, world, 20);
	int failures = 0;
	for (;; failures++) {
		world->calls_until_failure = failures;
		hash32 root;
		size_t rows = world->row_count;
		enum status status = walk(walker, &root, world, changes, count, false);
		if (status == STATUS_OK) break;
		assert_int_equal(status, STATUS_IO);
		assert_int_equal(world->row_count, rows);
	}
	assert_true(failures > 10);
	trie_walker_free(walker);
	mem_free(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exhaustive_small_worlds),
	    cmocka_unit_test(random_histories),
	    cmocka_unit_test(random_histories_with_memory),
	    cmocka_unit_test(small_worlds_with_memory),
	    cmocka_unit_test(cost_follows_what_changed),
	    cmocka_unit_test(failing_source_is_passed_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
