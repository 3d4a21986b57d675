#include "ledger/state/trie_cache.h"

#include "eth/hash_builder.h"
#include "ledger/state/overlay.h"

#define BYTES_PER_BUCKET 512
#define BUCKETS_MIN 64
#define ROOM_STEP_BYTES 128 /* parts change by a leaf or a hash at a time: most changes find the room they need */
#define KEY_BYTES_MAX (32 + NIBBLES_MAX)

/* What an entry at a path may hold: the leaves below each of its 16 children, its record, or all leaves below it. */
enum { PART_RECORD = 16, PART_LEAVES = 17, PART_COUNT = 18 };

struct entry {
	struct entry *next; /* in its bucket */
	struct entry *older, *newer;
	uint64_t hash;
	bool is_used; /* since it was made, or spared last */
	bool is_storage;
	uint8_t key_len;
	uint32_t room;             /* of `bytes`, in bytes */
	uint32_t ends[PART_COUNT]; /* of the parts in `bytes`, where they stand in order behind the key */
	uint8_t bytes[];
};

/* An entry and a part of it. */
struct target {
	struct bytes key;
	bool is_storage;
	unsigned part;
};

struct trie_cache {
	size_t bytes_max, bytes;
	struct entry **buckets;
	size_t bucket_mask;
	struct entry *oldest, *newest;
	struct entry *last; /* found or made last: who asks for one part of a branch asks for its other parts next */
};

struct trie_cache *trie_cache_new(size_t bytes_max) {
	struct trie_cache *cache = mem_zalloc(1, sizeof *cache);
	size_t buckets = BUCKETS_MIN;
	while (buckets < bytes_max / BYTES_PER_BUCKET) buckets *= 2;
	cache->bytes_max = bytes_max;
	cache->buckets = mem_zalloc(buckets, sizeof(struct entry *));
	cache->bucket_mask = buckets - 1;
	return cache;
}

static size_t entry_bytes(const struct entry *entry) {
	return sizeof *entry + entry->room;
}

static size_t part_start(const struct entry *entry, unsigned part) {
	return part ? entry->ends[part - 1] : entry->key_len;
}

static struct target target_of(enum trie_cache_kind kind, struct bytes key) {
	struct target target = {.key = key, .is_storage = kind >= CACHE_STORAGE_RECORD, .part = PART_RECORD};
	const size_t prefix = target.is_storage ? 32 : 0;
	BUG_ON(key.len < prefix || key.len > KEY_BYTES_MAX);
	if (kind == CACHE_ACCOUNT_LEAVES || kind == CACHE_STORAGE_LEAVES) {
		target.part = PART_LEAVES;
		if (key.len > prefix) { /* they stand at the branch above */
			target.key.len--;
			target.part = key.data[target.key.len];
		}
	}
	return target;
}

static bool is_at(const struct entry *entry, const struct target *target) {
	return entry->is_storage == target->is_storage &&
	       bytes_equal(bytes_make(entry->bytes, entry->key_len), target->key);
}

/* NULL if there is none. */
static struct entry *find(struct trie_cache *cache, const struct target *target) {
	if (cache->last && is_at(cache->last, target)) return cache->last;
	const uint64_t hash = overlay_hash(target->key, target->is_storage);
	struct entry *entry = cache->buckets[hash & cache->bucket_mask];
	while (entry && (entry->hash != hash || !is_at(entry, target))) entry = entry->next;
	if (entry) cache->last = entry;
	return entry;
}

/* Where it is linked into its bucket. */
static struct entry **place_of(const struct trie_cache *cache, const struct entry *entry) {
	struct entry **place = &cache->buckets[entry->hash & cache->bucket_mask];
	while (*place != entry) place = &(*place)->next;
	return place;
}

/* --- age --- */

/* The list's links to an entry that came, or moved in memory. */
static void relink(struct trie_cache *cache, struct entry *entry) {
	*(entry->older ? &entry->older->newer : &cache->oldest) = entry;
	*(entry->newer ? &entry->newer->older : &cache->newest) = entry;
}

static void link_newest(struct trie_cache *cache, struct entry *entry) {
	entry->newer = NULL;
	entry->older = cache->newest;
	relink(cache, entry);
}

static void unlink_entry(struct trie_cache *cache, struct entry *entry) {
	*(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
}

static void drop(struct trie_cache *cache, struct entry *entry) {
	*place_of(cache, entry) = entry->next;
	unlink_entry(cache, entry);
	if (cache->last == entry) cache->last = NULL;
	cache->bytes -= entry_bytes(entry);
	mem_free(entry);
}

/* The oldest one that was not used since its last turn: reading then need not move it in the list. */
static void drop_one(struct trie_cache *cache) {
	while (cache->oldest->is_used) {
		struct entry *spared = cache->oldest;
		spared->is_used = false;
		unlink_entry(cache, spared);
		link_newest(cache, spared);
	}
	drop(cache, cache->oldest);
}

void trie_cache_clear(struct trie_cache *cache) {
	while (cache->oldest) drop_one(cache);
}

void trie_cache_free(struct trie_cache *cache) {
	if (!cache) return;
	trie_cache_clear(cache);
	mem_free(cache->buckets);
	mem_free(cache);
}

/* --- reading and writing --- */

struct bytes trie_cache_get(struct trie_cache *cache, enum trie_cache_kind kind, struct bytes key) {
	const struct target target = target_of(kind, key);
	struct entry *entry = find(cache, &target);
	if (!entry) return (struct bytes){0};
	entry->is_used = true;
	const size_t start = part_start(entry, target.part), end = entry->ends[target.part];
	return start == end ? (struct bytes){0} : bytes_make(entry->bytes + start, end - start);
}

static uint32_t room_for(size_t bytes) {
	BUG_ON(bytes > UINT32_MAX - ROOM_STEP_BYTES);
	return (uint32_t)((bytes + ROOM_STEP_BYTES - 1) / ROOM_STEP_BYTES * ROOM_STEP_BYTES);
}

static struct entry *entry_new(struct trie_cache *cache, const struct target *target) {
	const uint32_t room = room_for(target->key.len);
	struct entry *entry = mem_alloc(sizeof *entry + room);
	*entry = (struct entry){.hash = overlay_hash(target->key, target->is_storage),
	    .is_storage = target->is_storage,
	    .key_len = (uint8_t)target->key.len,
	    .room = room};
	for (unsigned part = 0; part < PART_COUNT; part++) entry->ends[part] = entry->key_len;
	if (target->key.len) memcpy(entry->bytes, target->key.data, target->key.len);
	struct entry **bucket = &cache->buckets[entry->hash & cache->bucket_mask];
	entry->next = *bucket;
	*bucket = entry;
	link_newest(cache, entry);
	cache->bytes += entry_bytes(entry);
	cache->last = entry;
	return entry;
}

/* The entry moves. */
static struct entry *give_room(struct trie_cache *cache, struct entry *entry, size_t bytes) {
	struct entry **place = place_of(cache, entry);
	cache->bytes -= entry_bytes(entry);
	const uint32_t room = room_for(bytes);
	entry = mem_realloc(entry, sizeof *entry + room);
	entry->room = room;
	cache->bytes += entry_bytes(entry);
	*place = cache->last = entry;
	relink(cache, entry);
	return entry;
}

/* Makes a part `len` bytes long. The entry may move. */
static struct entry *resize(struct trie_cache *cache, struct entry *entry, unsigned part, size_t len) {
	const size_t start = part_start(entry, part), end = entry->ends[part];
	const size_t all = entry->ends[PART_COUNT - 1], rest = all - end;
	const size_t larger = all - (end - start) + len;
	if (len == end - start) return entry;
	if (larger > entry->room) entry = give_room(cache, entry, larger);
	memmove(entry->bytes + start + len, entry->bytes + end, rest);
	for (unsigned i = part; i < PART_COUNT; i++) entry->ends[i] = (uint32_t)(entry->ends[i] + len - (end - start));
	return entry;
}

void trie_cache_put(struct trie_cache *cache, enum trie_cache_kind kind, struct bytes key, struct bytes value) {
	const struct target target = target_of(kind, key);
	struct entry *entry = find(cache, &target);
	if (!entry) entry = entry_new(cache, &target);
	entry = resize(cache, entry, target.part, value.len);
	memcpy(entry->bytes + part_start(entry, target.part), value.data, value.len);
	entry->is_used = true;
	while (cache->bytes > cache->bytes_max) drop_one(cache);
}

void trie_cache_del(struct trie_cache *cache, enum trie_cache_kind kind, struct bytes key) {
	const struct target target = target_of(kind, key);
	struct entry *entry = find(cache, &target);
	if (!entry) return;
	entry = resize(cache, entry, target.part, 0);
	if (entry->ends[PART_COUNT - 1] == entry->key_len) drop(cache, entry);
}

/* --- leaves --- */

struct bytes cached_leaves_encode(struct arena *arena, const struct trie_leaf *leaves, size_t count) {
	size_t len = 0;
	for (size_t i = 0; i < count; i++) len += 32 + 1 + (leaves[i].from ? 32 : 0) + 1 + leaves[i].value.len;
	uint8_t *out = arena_alloc(arena, len), *at = out;
	for (size_t i = 0; i < count; i++) {
		const struct trie_leaf *leaf = &leaves[i];
		BUG_ON(leaf->key.len != 32 || leaf->value.len > UINT8_MAX);
		memcpy(at, leaf->key.data, 32);
		at[32] = leaf->from;
		at += 33;
		if (leaf->from) {
			memcpy(at, leaf->hash.b, 32);
			at += 32;
		}
		*at++ = (uint8_t)leaf->value.len;
		memcpy(at, leaf->value.data, leaf->value.len);
		at += leaf->value.len;
	}
	return bytes_make(out, len);
}

struct trie_leaf cached_leaves_take(struct bytes *rest) {
	const uint8_t *at = rest->data;
	struct trie_leaf leaf = {.key = bytes_make(at, 32), .from = at[32]};
	at += 33;
	if (leaf.from) {
		memcpy(leaf.hash.b, at, 32);
		at += 32;
	}
	leaf.value = bytes_make(at + 1, *at);
	at += 1 + leaf.value.len;
	*rest = bytes_make(at, rest->len - (size_t)(at - rest->data));
	return leaf;
}
