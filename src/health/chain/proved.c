#include "health/chain/proved.h"

/* Powers of two. */
#define ROOTS 64u
#define WORDS 8192u
#define MEMOS 1024u
#define ASKING_WAIT_MS 20u

struct root {
	hash32 head, root;
	addr20 contract;
	bool is_used;
};

struct word {
	addr20 contract;
	bool is_used;
	hash32 slot, root, word;
};

struct memo {
	hash32 key;
	uint32_t size; /* 0: none */
	uint8_t value[PROVED_MEMO_BYTES];
};

struct proved {
	const struct threads *threads;
	struct monitor *monitor; /* of what follows; NULL: one thread */
	size_t asking;           /* requests that ask for proofs */
	hash32 asked_at;         /* the head of the last one that began */
	struct root roots[ROOTS];
	size_t next_root;
	struct word words[WORDS];
	struct memo memos[MEMOS];
};

struct proved *proved_new(const struct threads *threads) {
	struct proved *proved = mem_zalloc(1, sizeof *proved);
	proved->threads = threads;
	if (threads) proved->monitor = threads->monitor_new(threads->context);
	return proved;
}

void proved_free(struct proved *proved) {
	if (!proved) return;
	if (proved->monitor) proved->threads->monitor_free(proved->monitor);
	mem_free(proved);
}

static void enter(struct proved *proved) {
	if (proved->monitor) proved->threads->lock(proved->monitor);
}

static void leave(struct proved *proved) {
	if (proved->monitor) proved->threads->unlock(proved->monitor);
}

/* --- roots --- */

bool proved_root_get(struct proved *proved, hash32 *root, const hash32 *head, const addr20 *contract) {
	bool found = false;
	enter(proved);
	for (size_t i = 0; i < ROOTS && !found; i++) {
		const struct root *entry = &proved->roots[i];
		found = entry->is_used && hash32_equal(&entry->head, head) && addr20_equal(&entry->contract, contract);
		if (found) *root = entry->root;
	}
	leave(proved);
	return found;
}

void proved_root_put(struct proved *proved, const hash32 *head, const addr20 *contract, const hash32 *root) {
	enter(proved);
	proved->roots[proved->next_root] = (struct root){*head, *root, *contract, true};
	proved->next_root = (proved->next_root + 1) % ROOTS;
	leave(proved);
}

/* With the lock held. */
static bool has_root(const struct proved *proved, const addr20 *contract, const hash32 *head) {
	for (size_t i = 0; i < ROOTS; i++) {
		const struct root *entry = &proved->roots[i];
		if (entry->is_used && addr20_equal(&entry->contract, contract) && hash32_equal(&entry->head, head))
			return true;
	}
	return false;
}

static bool is_among(const addr20 *contracts, size_t count, const addr20 *contract) {
	size_t i = 0;
	while (i < count && !addr20_equal(&contracts[i], contract)) i++;
	return i < count;
}

size_t proved_contracts_behind(struct proved *proved, addr20 *out, size_t max, const hash32 *head) {
	size_t count = 0;
	enter(proved);
	for (size_t i = 0; i < ROOTS && count < max; i++) {
		const struct root *entry = &proved->roots[i];
		if (!entry->is_used || is_among(out, count, &entry->contract)) continue;
		if (!has_root(proved, &entry->contract, head)) out[count++] = entry->contract;
	}
	leave(proved);
	return count;
}

bool proved_may_ask(struct proved *proved, const hash32 *head) {
	bool waited = false;
	if (!proved->monitor) return true;
	enter(proved);
	if (proved->asking > 0 && hash32_equal(&proved->asked_at, head)) {
		proved->threads->wait(proved->monitor, ASKING_WAIT_MS);
		waited = true;
	} else {
		proved->asking++;
		proved->asked_at = *head;
	}
	leave(proved);
	return !waited;
}

void proved_asked(struct proved *proved) {
	if (!proved->monitor) return;
	enter(proved);
	proved->asking--;
	proved->threads->wake_all(proved->monitor);
	leave(proved);
}

/* --- words --- */

/* Slots of a struct follow each other, and those of mappings are hashes: the low bytes spread both. */
static struct word *word_at(struct proved *proved, const addr20 *contract, const hash32 *slot) {
	const uint64_t low = load_be64(slot->b + 24), of = load_be64(contract->b) ^ load_be64(contract->b + 12);
	return &proved->words[(low ^ (of * UINT64_C(0x9e3779b97f4a7c15) >> 40)) & (WORDS - 1)];
}

bool proved_word_get(struct proved *proved, hash32 *word, hash32 *root, const addr20 *contract, const hash32 *slot) {
	enter(proved);
	const struct word *entry = word_at(proved, contract, slot);
	const bool found =
	    entry->is_used && hash32_equal(&entry->slot, slot) && addr20_equal(&entry->contract, contract);
	if (found) *word = entry->word;
	if (found) *root = entry->root;
	leave(proved);
	return found;
}

void proved_word_put(
    struct proved *proved, const addr20 *contract, const hash32 *slot, const hash32 *root, const hash32 *word) {
	enter(proved);
	*word_at(proved, contract, slot) = (struct word){*contract, true, *slot, *root, *word};
	leave(proved);
}

/* --- memos --- */

static struct memo *memo_at(struct proved *proved, const hash32 *key) {
	return &proved->memos[load_be64(key->b) & (MEMOS - 1)];
}

bool proved_memo_get(struct proved *proved, void *out, size_t size, const hash32 *key) {
	enter(proved);
	const struct memo *memo = memo_at(proved, key);
	const bool found = memo->size == size && hash32_equal(&memo->key, key);
	if (found) memcpy(out, memo->value, size);
	leave(proved);
	return found;
}

void proved_memo_put(struct proved *proved, const void *value, size_t size, const hash32 *key) {
	BUG_ON(size == 0 || size > PROVED_MEMO_BYTES);
	enter(proved);
	struct memo *memo = memo_at(proved, key);
	memo->key = *key;
	memo->size = (uint32_t)size;
	memcpy(memo->value, value, size);
	leave(proved);
}
