#include "ledger/chain/chain_private.h"

#include "codec/rlp.h"
#include "ledger/chain/adopt.h"
#include "ledger/chain/rows.h"
#include "ledger/state/account_cache.h"

#define CACHE_DEFAULT_BYTES ((size_t)32 << 20)

enum status chain_fault(struct chain *chain, enum status status, struct err *err) {
	if (chain->err.message[0] == 0) return err_set(err, status, "%s", status_text(status));
	return err_set(err, status, "%s", chain->err.message);
}

enum status chain_get(struct chain *chain, struct store_value *out, enum store_table table, struct bytes key,
    const char *what, struct err *err) {
	TRY(store_get(chain->store, NULL, table, out, key, err));
	if (out->view.data == NULL) return err_set(err, STATUS_NOTFOUND, "%s not found", what);
	return STATUS_OK;
}

/* --- the head --- */

struct chain_head *chain_head(struct chain *chain) {
	pthread_mutex_lock(&chain->lock);
	struct chain_head *head = chain->head;
	head->references++;
	pthread_mutex_unlock(&chain->lock);
	return head;
}

struct chain_head *chain_head_at(struct chain *chain, uint64_t number) {
	pthread_mutex_lock(&chain->lock);
	struct chain_head *head = chain->head;
	if (head->header.number != number) head = chain->recent[number % CHAIN_RECENT_HEADS];
	if (head != NULL && head->header.number != number) head = NULL;
	if (head != NULL) head->references++;
	pthread_mutex_unlock(&chain->lock);
	return head;
}

struct chain_head *chain_head_of(struct chain *chain, const hash32 *hash) {
	pthread_mutex_lock(&chain->lock);
	struct chain_head *found = hash32_equal(&chain->head->hash, hash) ? chain->head : NULL;
	for (size_t i = 0; i < CHAIN_RECENT_HEADS && found == NULL; i++) {
		struct chain_head *head = chain->recent[i];
		if (head != NULL && hash32_equal(&head->hash, hash)) found = head;
	}
	if (found != NULL) found->references++;
	pthread_mutex_unlock(&chain->lock);
	return found;
}

void chain_head_release(struct chain_head *head) {
	if (head == NULL) return;
	struct chain *chain = head->chain;
	pthread_mutex_lock(&chain->lock);
	BUG_ON(head->references == 0);
	const bool last = --head->references == 0;
	pthread_mutex_unlock(&chain->lock);
	if (!last) return;
	state_view_close((struct state_view *)head->view);
	mem_free(head);
}

/* Under the lock, with the new head in its place: the one before it becomes a recent one. After an unwinding those that
 * are not below the new head are of a branch that was left. What goes is in `gone`. */
static size_t retire(struct chain *chain, struct chain_head **gone, struct chain_head *old) {
	size_t count = 0;
	if (old == NULL) return 0;
	struct chain_head **place = &chain->recent[old->header.number % CHAIN_RECENT_HEADS];
	if (*place != NULL) gone[count++] = *place;
	*place = old;
	if (old->header.number < chain->head->header.number) return count;
	for (size_t i = 0; i < CHAIN_RECENT_HEADS; i++) {
		struct chain_head *head = chain->recent[i];
		if (head == NULL || head->header.number < chain->head->header.number) continue;
		gone[count++] = head;
		chain->recent[i] = NULL;
	}
	return count;
}

enum status chain_publish(struct chain *chain, const struct header *header, const hash32 *hash, struct err *err) {
	struct chain_head *gone[CHAIN_RECENT_HEADS + 1];
	struct state_view *view;
	TRY(state_view_open(&view, chain->store, true, header->number, err));
	state_view_use(view, chain->account_cache);
	struct chain_head *head = mem_alloc(sizeof *head);
	*head = (struct chain_head){.header = *header, .hash = *hash, .view = view, .chain = chain, .references = 1};
	pthread_mutex_lock(&chain->lock);
	struct chain_head *old = chain->head;
	chain->head = head;
	const size_t count = retire(chain, gone, old);
	pthread_mutex_unlock(&chain->lock);
	for (size_t i = 0; i < count; i++) chain_head_release(gone[i]);
	return STATUS_OK;
}

enum status chain_view_at(struct chain *chain, struct state_view **out, uint64_t number, struct err *err) {
	struct chain_head *head = chain_head(chain);
	const uint64_t newest = head->header.number;
	chain_head_release(head);
	if (number > newest) return err_set(err, STATUS_NOTFOUND, "block %llu not found", (unsigned long long)number);
	TRY(chain_check_state(chain, number, err));
	return state_view_open(out, chain->store, false, number, err);
}

bool chain_is_merged(const struct chain *chain, const struct header *header, const u256 *total) {
	return (header->number > 0 && u256_is_zero(&header->difficulty)) || genesis_is_merged(chain->genesis, total);
}

enum status chain_weigh_head(struct chain *chain, struct err *err) {
	const struct header *head = &chain->head->header;
	TRY(chain_weigh(chain, &chain->total_difficulty, head->number, &chain->head->hash, err));
	chain->next_is_merged = chain_is_merged(chain, head, &chain->total_difficulty);
	const enum status status = chain_time_ms(chain, &chain->time_ms, head->number, &chain->head->hash, err);
	return status == STATUS_NOTFOUND ? STATUS_OK : status; /* then it is 0 */
}

/* --- opening --- */

enum status chain_write_genesis(struct chain *chain, struct err *err) {
	const struct genesis *genesis = chain->genesis;
	struct pending_block *pending = pending_new(chain);
	struct state_view *nothing = NULL;
	enum status status = genesis_fill_state(genesis, chain->state, &chain->err);
	if (status == STATUS_OK) status = state_get_diff(chain->state, &pending->private_part->diff);
	if (status == STATUS_OK) status = state_view_open(&nothing, chain->store, true, 0, &chain->err);
	pending->header = genesis_header(genesis);
	if (status == STATUS_OK)
		status = state_root(&pending->header.state_root, &pending->private_part->diff,
		    pending->private_part->updates, nothing, &chain->err);
	if (nothing != NULL) state_view_close(nothing);
	if (status != STATUS_OK) {
		status = chain_fault(chain, status, err);
		chain_drop(chain, pending);
		return status;
	}
	pending->hash = header_hash(&pending->header);
	pending->block.header = pending->header;
	pending->block.has_withdrawals = pending->header.field_count >= HEADER_SHANGHAI;
	return chain_commit(chain, pending, NULL, err);
}

/* The block that META names; `*found` is false in a new store. */
static enum status load_head(struct chain *chain, bool *found, struct err *err) {
	struct store_value row;
	struct header header;
	hash32 hash;
	TRY(store_get(chain->store, NULL, TABLE_META, &row, bytes_text("head"), err));
	*found = row.view.data != NULL;
	if (!*found) return STATUS_OK;
	const bool good = row.view.len == HEAD_ROW_BYTES;
	if (good) memcpy(hash.b, row.view.data + 8, 32);
	store_value_release(&row);
	if (!good) return err_set(err, STATUS_CORRUPT, "the stored head is malformed");
	TRY(chain_header_by_hash(chain, &header, &hash, err));
	return chain_publish(chain, &header, &hash, err);
}

/* What is in no header, and yet decides which signatures and which blocks are valid, never changes. */
static enum status check_settings(const struct chain *chain, struct bytes stored_json, struct err *err) {
	struct genesis *stored;
	TRY(genesis_parse(&stored, stored_json, err));
	const u256 was = genesis_chain_id(stored), is = genesis_chain_id(chain->genesis);
	const bool equal = genesis_equal_timestamps(stored) == genesis_equal_timestamps(chain->genesis);
	genesis_free(stored);
	if (u256_equal(&was, &is) && equal) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the genesis file has another %s than the chain in this data folder",
	    equal ? "chain id" : "config.xinglin.equalTimestamps");
}

static enum status load_genesis(struct chain *chain, struct bytes given, struct err *err) {
	struct store_value stored;
	TRY(store_get(chain->store, NULL, TABLE_META, &stored, bytes_text("genesis"), err));
	const bool is_new = stored.view.data == NULL;
	enum status status;
	if (is_new && given.len == 0)
		status = err_set(err, STATUS_INVALID, "a new chain needs a genesis file");
	else
		status = genesis_parse(&chain->genesis, given.len > 0 ? given : stored.view, err);
	if (status == STATUS_OK && !is_new && given.len > 0) status = check_settings(chain, stored.view, err);
	store_value_release(&stored);
	return status;
}

/* Does the genesis given make the block 0 that is stored? Its state is not stored again: the header's root shows
 * whether it is the same. */
static enum status check_genesis(struct chain *chain, struct err *err) {
	struct state_diff diff;
	struct header header = genesis_header(chain->genesis);
	enum status status = genesis_fill_state(chain->genesis, chain->state, &chain->err);
	if (status == STATUS_OK) status = state_get_diff(chain->state, &diff);
	if (status == STATUS_OK) status = state_root_of_diff(&header.state_root, &diff, &chain->err);
	state_reset(chain->state, NULL);
	if (status != STATUS_OK) return chain_fault(chain, status, err);
	const hash32 hash = header_hash(&header);
	if (!hash32_equal(&hash, &chain->genesis_hash))
		return err_set(
		    err, STATUS_INVALID, "the genesis file makes another block 0 than the one in this data folder");
	return STATUS_OK;
}

static enum status open_all(struct chain *chain, const struct chain_options *options, struct err *err) {
	bool found;
	bool was_adopting;
	TRY(load_genesis(chain, options->genesis_json, err));
	TRY(chain_is_adopting(chain, &was_adopting, err));
	TRY(load_head(chain, &found, err));
	if (!found) TRY(chain_write_genesis(chain, err));
	TRY(chain_load_horizon(chain, err));
	TRY(chain_canonical_hash(chain, &chain->genesis_hash, 0, err));
	if (found && options->genesis_json.len > 0) TRY(check_genesis(chain, err));
	if (was_adopting) TRY(chain_adopt_abort(chain, err));
	return chain_weigh_head(chain, err);
}

static enum status root_before_byzantium(void *context, hash32 *out, struct state *state) {
	struct chain *chain = context;
	struct state_diff diff;
	struct trie_updates *updates = trie_updates_new(NULL);
	enum status status = state_get_diff(state, &diff);
	if (status == STATUS_OK) status = state_root(out, &diff, updates, chain->head->view, &chain->err);
	trie_updates_free(updates);
	return status;
}

enum status chain_open(struct chain **out, struct store *store, const struct chain_options *options, struct err *err) {
	struct chain *chain = mem_zalloc(1, sizeof *chain);
	chain->store = store;
	chain->retention = options->retention;
	pthread_mutex_init(&chain->lock, NULL);
	chain->state = state_new(NULL, &chain->err);
	chain->executor = executor_new();
	chain->trie_cache = trie_cache_new(options->cache_bytes ? options->cache_bytes : CACHE_DEFAULT_BYTES);
	chain->account_cache = account_cache_new();
	const struct exec_root_source roots = {.root = root_before_byzantium, .context = chain};
	executor_set_root_source(chain->executor, &roots);
	const enum status status = open_all(chain, options, err);
	if (status != STATUS_OK) {
		chain_close(chain);
		return status;
	}
	*out = chain;
	return STATUS_OK;
}

void chain_close(struct chain *chain) {
	if (chain == NULL) return;
	if (chain->pending != NULL) chain_drop(chain, chain->pending);
	for (size_t i = 0; i < CHAIN_RECENT_HEADS; i++) chain_head_release(chain->recent[i]);
	chain_head_release(chain->head);
	executor_free(chain->executor);
	trie_cache_free(chain->trie_cache);
	account_cache_free(chain->account_cache);
	state_free(chain->state);
	genesis_free(chain->genesis);
	pthread_mutex_destroy(&chain->lock);
	mem_free(chain);
}

/* --- small things --- */

const struct genesis *chain_genesis(const struct chain *chain) {
	return chain->genesis;
}

void chain_sync_later(struct chain *chain, bool later) {
	chain->syncs_later = later;
}

const hash32 *chain_genesis_hash(const struct chain *chain) {
	return &chain->genesis_hash;
}

struct exec_rules chain_rules(const struct chain *chain, const struct header *header) {
	const u256 zero = u256_from(0);
	const bool merged =
	    header->number == 0 ? genesis_is_merged(chain->genesis, &zero) : u256_is_zero(&header->difficulty);
	return genesis_rules(chain->genesis, header->number, header->timestamp, merged);
}

static enum status ancestor_hash(void *context, hash32 *out, uint64_t number) {
	const enum status status = chain_canonical_hash(context, out, number, NULL);
	return status == STATUS_NOTFOUND ? STATUS_OK : status; /* then it is zero */
}

struct exec_block_hashes chain_block_hashes(struct chain *chain) {
	return (struct exec_block_hashes){.get = ancestor_hash, .context = chain};
}

void chain_observe(struct chain *chain, const struct chain_observer *observer) {
	BUG_ON(chain->observer_count == OBSERVERS_MAX);
	chain->observers[chain->observer_count++] = *observer;
}
