#include "ledger/state/warm.h"

#include "eth/hash_builder.h"
#include "ledger/state/rows.h"
#include "ledger/state/stored_trie.h"
#include "ledger/trie/branch.h"

#define PIECE_TARGETS 16 /* of one piece of work: rising keys, so that its cursors go forward */
#define TARGETS_MIN 16   /* for fewer it is not worth the while */
#define LEAVES_MAX 64    /* as the walk keeps them together */

/* A changed key, and the depth on the way to it from which on the cache knows nothing. */
struct target {
	const hash32 *address_hash; /* of a storage trie; NULL: of the accounts */
	const hash32 *key;
	size_t depth;
	bool wants_leaves; /* there is no record at this depth, but leaves below it */
};

struct found {
	struct found *next;
	enum trie_cache_kind kind;
	struct bytes key, value;
};

struct piece {
	const struct target *targets;
	size_t count;
	struct arena arena;
	struct found *found;
};

struct warming {
	struct trie_cache *cache;
	struct store *store;
	const struct store_snapshot *snapshot;
	struct target *targets;
	size_t count, cap;
	struct piece *pieces;
};

struct path {
	uint8_t nibbles[NIBBLES_MAX];
};

/* What a branch says of the way below it. */
enum way { WAY_ENDS, WAY_LEAVES, WAY_BRANCH };

static enum way way_below(const struct trie_branch *branch, unsigned nibble) {
	if (!(branch->child_mask >> nibble & 1)) return WAY_ENDS;
	if (!(branch->tree_mask >> nibble & 1)) return WAY_LEAVES;
	return branch->hash_mask >> nibble & 1 ? WAY_BRANCH : WAY_ENDS; /* behind an extension the walk looks itself */
}

static struct bytes cache_key(
    uint8_t room[32 + NIBBLES_MAX], const hash32 *address_hash, const struct path *path, size_t len) {
	const size_t prefix = address_hash ? 32 : 0;
	if (prefix) memcpy(room, address_hash->b, prefix);
	memcpy(room + prefix, path->nibbles, len);
	return bytes_make(room, prefix + len);
}

/* --- what is missing --- */

/* The way to the key before: the cache had the records of all branches above `depth`. */
struct way_down {
	struct path path;
	size_t depth;
};

/* From which depth on the way to this key is another one. Keys rise, so they share most of it. */
static size_t way_shared(const struct way_down *last, const struct path *path) {
	size_t depth = 0;
	while (depth < last->depth && last->path.nibbles[depth] == path->nibbles[depth]) depth++;
	return depth;
}

static void add_target(struct warming *warming, const struct target *target) {
	if (warming->count == warming->cap) {
		warming->cap = warming->cap ? 2 * warming->cap : 1024;
		warming->targets = mem_realloc(warming->targets, warming->cap * sizeof *warming->targets);
	}
	warming->targets[warming->count++] = *target;
}

/* Down from the top as far as the cache knows the way, or from where the way of the key before was left. */
static void look_up(struct warming *warming, struct way_down *last, const hash32 *address_hash, const hash32 *key) {
	const enum trie_cache_kind records = address_hash ? CACHE_STORAGE_RECORD : CACHE_ACCOUNT_RECORD;
	const enum trie_cache_kind leaves = address_hash ? CACHE_STORAGE_LEAVES : CACHE_ACCOUNT_LEAVES;
	uint8_t room[32 + NIBBLES_MAX];
	struct path path;
	struct target target = {.address_hash = address_hash, .key = key};
	nibbles_of(path.nibbles, BYTES_OF(*key));
	target.depth = way_shared(last, &path);
	last->path = path;
	for (; target.depth < NIBBLES_MAX; target.depth++) {
		struct trie_branch branch;
		const struct bytes record =
		    trie_cache_get(warming->cache, records, cache_key(room, address_hash, &path, target.depth));
		last->depth = target.depth;
		if (!record.data) break;
		if (trie_branch_decode(&branch, record, NULL) != STATUS_OK) return;
		const enum way way = way_below(&branch, path.nibbles[target.depth]);
		if (way == WAY_ENDS) return;
		if (way == WAY_BRANCH) continue;
		target.wants_leaves = true;
		target.depth++;
		if (trie_cache_get(warming->cache, leaves, cache_key(room, address_hash, &path, target.depth)).data)
			return;
		break;
	}
	add_target(warming, &target);
}

static void find_targets(struct warming *warming, const struct state_diff *diff) {
	for (size_t i = 0; i < diff->count; i++) {
		const struct account_change *change = &diff->accounts[i];
		if (change->storage_wiped || hash32_equal(&change->before.storage_root, &absent_account.storage_root))
			continue;
		struct way_down last = {.depth = 0};
		for (size_t k = 0; k < change->storage_count; k++)
			look_up(warming, &last, &change->address_hash, &change->storage[k].slot_hash);
	}
	struct way_down last = {.depth = 0};
	for (size_t i = 0; i < diff->count; i++) look_up(warming, &last, NULL, &diff->accounts[i].address_hash);
}

/* --- reading it, on any thread --- */

static unsigned nibble_of(const hash32 *key, size_t index) {
	return index % 2 ? key->b[index / 2] & 15u : key->b[index / 2] >> 4;
}

static bool is_below(struct bytes key, const struct path *path, size_t len) {
	for (size_t i = 0; i < len; i++)
		if ((i % 2 ? key.data[i / 2] & 15 : key.data[i / 2] >> 4) != path->nibbles[i]) return false;
	return true;
}

/* One trie under the cursors of one thread. They go forward only, so all is read in rising order, and once. */
struct reading {
	struct piece *piece;
	struct trie_source source;
	const hash32 *address_hash;
};

static void add_found(
    const struct reading *reading, enum trie_cache_kind kind, const struct path *path, size_t len, struct bytes value) {
	struct piece *piece = reading->piece;
	uint8_t room[32 + NIBBLES_MAX];
	struct found *found = arena_alloc(&piece->arena, sizeof *found);
	*found = (struct found){.next = piece->found, .kind = kind, .value = value};
	found->key = arena_dup(&piece->arena, cache_key(room, reading->address_hash, path, len));
	piece->found = found;
}

static void read_leaves(const struct reading *reading, const struct path *path, size_t len) {
	struct arena *arena = &reading->piece->arena;
	const struct trie_source *source = &reading->source;
	struct trie_leaf leaves[LEAVES_MAX], leaf;
	uint8_t from[32] = {0};
	size_t count = 0;
	for (size_t i = 0; i < len; i++) from[i / 2] |= (uint8_t)(path->nibbles[i] << (i % 2 ? 0 : 4));
	enum status status = source->leaf_seek(source->context, &leaf, bytes_make(from, sizeof from), len, NULL);
	while (status == STATUS_OK && leaf.key.data && leaf.key.len == 32 && is_below(leaf.key, path, len)) {
		if (count == LEAVES_MAX) return;
		leaves[count++] =
		    (struct trie_leaf){.key = arena_dup(arena, leaf.key), .value = arena_dup(arena, leaf.value)};
		status = source->leaf_next(source->context, &leaf, NULL);
	}
	if (status != STATUS_OK || count == 0) return;
	add_found(reading, reading->address_hash ? CACHE_STORAGE_LEAVES : CACHE_ACCOUNT_LEAVES, path, len,
	    cached_leaves_encode(arena, leaves, count));
}

/* The branch at `path`, below which all the targets are. Its lone leaves are needed too: they may merge with what is
 * above when their neighbours go. */
static void read_branch(
    const struct reading *reading, const struct target *targets, size_t count, struct path *path, size_t depth) {
	struct bytes record;
	struct trie_branch branch;
	const struct trie_source *source = &reading->source;
	if (depth == NIBBLES_MAX) return;
	if (source->record_get(source->context, &record, bytes_make(path->nibbles, depth), NULL) != STATUS_OK) return;
	if (!record.data || trie_branch_decode(&branch, record, NULL) != STATUS_OK) return;
	add_found(reading, reading->address_hash ? CACHE_STORAGE_RECORD : CACHE_ACCOUNT_RECORD, path, depth,
	    arena_dup(&reading->piece->arena, record));
	for (unsigned nibble = 0; nibble < 16; nibble++) {
		size_t here = 0;
		while (here < count && nibble_of(targets[here].key, depth) == nibble) here++;
		const enum way way = way_below(&branch, nibble);
		path->nibbles[depth] = (uint8_t)nibble;
		if (way == WAY_LEAVES && (here || !(branch.hash_mask >> nibble & 1)))
			read_leaves(reading, path, depth + 1);
		else if (way == WAY_BRANCH && here)
			read_branch(reading, targets, here, path, depth + 1);
		targets += here;
		count -= here;
	}
}

/* How many targets, from the first on, begin at the same place. */
static size_t same_place(const struct target *targets, size_t count) {
	const struct target *first = &targets[0];
	size_t same = 1;
	for (; same < count; same++) {
		const struct target *next = &targets[same];
		size_t shared = 0;
		if (next->address_hash != first->address_hash || next->depth != first->depth) break;
		while (shared < first->depth && nibble_of(next->key, shared) == nibble_of(first->key, shared)) shared++;
		if (shared < first->depth) break;
	}
	return same;
}

static void read_piece(void *context, size_t index) {
	const struct warming *warming = context;
	struct piece *piece = &warming->pieces[index];
	struct stored_trie trie;
	stored_trie_init(&trie, warming->store, warming->snapshot, piece->targets->address_hash != NULL, NULL);
	struct reading reading = {.piece = piece, .source = stored_trie_source(&trie)};
	for (size_t i = 0, same; i < piece->count; i += same) {
		const struct target *target = &piece->targets[i];
		struct path path;
		same = same_place(target, piece->count - i);
		reading.address_hash = target->address_hash;
		if (target->address_hash) stored_trie_select(&trie, target->address_hash, false);
		nibbles_of(path.nibbles, BYTES_OF(*target->key));
		if (target->wants_leaves)
			read_leaves(&reading, &path, target->depth);
		else
			read_branch(&reading, target, same, &path, target->depth);
	}
	stored_trie_fini(&trie);
}

/* --- all of it --- */

/* No piece has targets of both kinds. */
static size_t make_pieces(struct warming *warming) {
	size_t count = 0;
	warming->pieces = mem_zalloc(2 + warming->count / PIECE_TARGETS, sizeof *warming->pieces);
	for (size_t i = 0; i < warming->count; i++) {
		const struct target *target = &warming->targets[i];
		struct piece *piece = count ? &warming->pieces[count - 1] : NULL;
		if (!piece || piece->count == PIECE_TARGETS || !piece->targets->address_hash != !target->address_hash) {
			piece = &warming->pieces[count++];
			piece->targets = target;
			arena_init(&piece->arena);
		}
		piece->count++;
	}
	return count;
}

void trie_cache_warm(struct trie_cache *cache, struct store *store, const struct store_snapshot *snapshot,
    const struct state_diff *diff) {
	struct warming warming = {.cache = cache, .store = store, .snapshot = snapshot};
	find_targets(&warming, diff);
	if (warming.count >= TARGETS_MIN) {
		const size_t count = make_pieces(&warming);
		store_spread(store, read_piece, &warming, count);
		for (size_t i = 0; i < count; i++) {
			for (const struct found *found = warming.pieces[i].found; found; found = found->next)
				trie_cache_put(cache, found->kind, found->key, found->value);
			arena_fini(&warming.pieces[i].arena);
		}
		mem_free(warming.pieces);
	}
	mem_free(warming.targets);
}
