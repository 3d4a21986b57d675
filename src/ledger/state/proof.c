/*
 * Proofs (EIP-1186) by the same walk as the root: a key that counts as changed is opened from the root down, and the
 * nodes made on its way are the proof. For an older block the leaves that changed since (touched.h) are laid over the
 * flat tables with the values they had: of the account trie all, of the storage trie those of the account.
 */
#include "crypto/hash.h"
#include "eth/hash_builder.h"
#include "ledger/state/rows.h"
#include "ledger/state/stored_trie.h"
#include "ledger/state/touched.h"

struct leaf_change {
	hash32 key;
	uint8_t payload[ACCOUNT_PAYLOAD_BYTES_MAX];
	uint8_t payload_len; /* 0: no such leaf */
};

struct proof_node {
	struct proof_node *next;
	struct bytes path, rlp;
};

struct prover {
	const struct state_view *view;
	const hash32 *address_hash;  /* of the storage trie at work; NULL: the account trie */
	struct touched touched;      /* the targets and what changed since */
	struct leaf_change *changes; /* of the trie at work */
	size_t count;
	const hash32 *targets;
	size_t target_count;
	struct arena *arena;
	struct proof_node *nodes;
	struct err *err;
};

/* The payload that the leaf has in the view. */
static enum status read_leaf(struct prover *prover, struct leaf_change *leaf) {
	leaf->payload_len = 0;
	if (!prover->address_hash) {
		struct account account;
		bool exists;
		TRY(view_account_by_hash(prover->view, &account, &exists, &leaf->key, prover->err));
		if (exists) leaf->payload_len = (uint8_t)account_payload(leaf->payload, &account);
		return STATUS_OK;
	}
	u256 value;
	TRY(view_storage_by_hash(prover->view, &value, prover->address_hash, &leaf->key, prover->err));
	uint8_t room[32];
	struct bytes row = u256_trimmed_be(room, &value);
	if (row.len) leaf->payload_len = (uint8_t)storage_payload(leaf->payload, row);
	return STATUS_OK;
}

/* The leaves of the trie at work, in order, as they are in the view. */
static enum status read_leaves(struct prover *prover) {
	const struct touched *touched = &prover->touched;
	prover->count = 0;
	prover->changes = mem_realloc(prover->changes, touched->count * sizeof *prover->changes);
	for (size_t i = 0; i < touched->count; i++) {
		const struct touched_leaf *leaf = &touched->leaves[i];
		if (leaf->has_slot != (prover->address_hash != NULL)) continue;
		struct leaf_change *change = &prover->changes[prover->count++];
		change->key = leaf->has_slot ? leaf->slot : leaf->account;
		TRY(read_leaf(prover, change));
	}
	return STATUS_OK;
}

static bool is_on_way(struct bytes path, const hash32 *target) {
	uint8_t nibbles[NIBBLES_MAX];
	nibbles_of(nibbles, BYTES_OF(*target));
	return path.len == 0 || memcmp(path.data, nibbles, path.len) == 0;
}

/* A node under 32 bytes stands inside its parent, unless it is the root. */
static void on_node(void *context, struct bytes path, struct bytes rlp) {
	struct prover *prover = context;
	if (rlp.len < 32 && path.len) return;
	bool wanted = false;
	for (size_t i = 0; i < prover->target_count && !wanted; i++) wanted = is_on_way(path, &prover->targets[i]);
	if (!wanted) return;
	struct proof_node *node = arena_alloc(prover->arena, sizeof *node);
	*node = (struct proof_node){prover->nodes, arena_dup(prover->arena, path), arena_dup(prover->arena, rlp)};
	prover->nodes = node;
}

static struct bytes leaf_value(void *context, size_t index) {
	const struct leaf_change *leaf = &((const struct prover *)context)->changes[index];
	return leaf->payload_len ? bytes_make(leaf->payload, leaf->payload_len) : (struct bytes){0};
}

static enum status walk(struct prover *prover, hash32 *root) {
	struct stored_trie stored;
	stored_trie_init(&stored, prover->view->store, prover->view->snapshot, prover->address_hash != NULL, NULL);
	if (prover->address_hash) stored_trie_select(&stored, prover->address_hash, false);
	struct trie_source source = stored_trie_source(&stored);
	struct trie_changes changes = {
	    prover->changes->key.b, sizeof *prover->changes, prover->count, 32, leaf_value, prover, false};
	struct trie_sink sink = {.node = on_node, .context = prover};
	struct trie_walker *walker = trie_walker_new();
	enum status status = trie_walk(walker, root, &source, &changes, &sink, prover->err);
	trie_walker_free(walker);
	stored_trie_fini(&stored);
	return status;
}

/* From the root down. */
static void take_nodes(struct prover *prover, struct bytes **nodes, size_t *count, const hash32 *target) {
	struct bytes by_depth[NIBBLES_MAX + 1] = {{0}};
	*count = 0;
	for (const struct proof_node *node = prover->nodes; node; node = node->next) {
		if (!is_on_way(node->path, target)) continue;
		by_depth[node->path.len] = node->rlp;
		++*count;
	}
	struct bytes *out = *nodes = arena_alloc(prover->arena, *count * sizeof *out);
	for (size_t depth = 0; depth <= NIBBLES_MAX; depth++)
		if (by_depth[depth].data) *out++ = by_depth[depth];
}

/* The nodes on the way to every target, and the trie's root. */
static enum status prove(
    struct prover *prover, hash32 *root, const hash32 *address_hash, const hash32 *targets, size_t target_count) {
	prover->address_hash = address_hash;
	prover->targets = targets;
	prover->target_count = target_count;
	prover->nodes = NULL;
	TRY(read_leaves(prover));
	return walk(prover, root);
}

/* The targets of both tries, and what changed since around them. */
static enum status touch(
    struct prover *prover, const hash32 *address_hash, const hash32 *slot_hashes, size_t slot_count) {
	struct touched *touched = &prover->touched;
	TRY(touched_add(touched, address_hash, NULL));
	for (size_t i = 0; i < slot_count; i++) TRY(touched_add(touched, address_hash, &slot_hashes[i]));
	TRY(touched_since(touched, prover->view, slot_count ? TOUCHED_SLOTS_OF_ONE : TOUCHED_NO_SLOTS, address_hash));
	touched_sort(touched);
	return STATUS_OK;
}

static enum status prove_account(struct prover *prover, struct state_proof *proof, const hash32 *address_hash) {
	hash32 root;
	TRY(view_account_by_hash(prover->view, &proof->account, &proof->exists, address_hash, prover->err));
	TRY(prove(prover, &root, NULL, address_hash, 1));
	take_nodes(prover, &proof->account_nodes, &proof->account_node_count, address_hash);
	return STATUS_OK;
}

static enum status prove_storage(struct prover *prover, struct state_proof *proof, const hash32 *address_hash,
    const hash32 *slot_hashes, size_t slot_count) {
	hash32 root;
	if (!slot_count || hash32_equal(&proof->account.storage_root, &absent_account.storage_root)) return STATUS_OK;
	TRY(prove(prover, &root, address_hash, slot_hashes, slot_count));
	if (!hash32_equal(&root, &proof->account.storage_root))
		return err_set(prover->err, STATUS_CORRUPT, "an account's storage root does not fit its storage");
	for (size_t i = 0; i < slot_count; i++) {
		struct state_storage_proof *slot = &proof->storage[i];
		TRY(view_storage_by_hash(prover->view, &slot->value, address_hash, &slot_hashes[i], prover->err));
		take_nodes(prover, &slot->nodes, &slot->node_count, &slot_hashes[i]);
	}
	return STATUS_OK;
}

enum status state_view_proof(const struct state_view *view, struct state_proof *proof, struct arena *arena,
    const addr20 *address, const u256 *slots, size_t slot_count, struct err *err) {
	struct prover prover = {.view = view, .arena = arena, .err = err};
	const hash32 address_hash = keccak256(BYTES_OF(*address));
	hash32 *slot_hashes = arena_alloc(arena, slot_count * sizeof *slot_hashes);
	*proof = (struct state_proof){.storage_count = slot_count};
	proof->storage = arena_zalloc(arena, slot_count, sizeof *proof->storage);
	for (size_t i = 0; i < slot_count; i++) {
		uint8_t slot_bytes[32];
		u256_store_be(slot_bytes, &slots[i]);
		slot_hashes[i] = keccak256(bytes_make(slot_bytes, sizeof slot_bytes));
		proof->storage[i].slot = slots[i];
	}
	touched_init(&prover.touched, err);
	enum status status = touch(&prover, &address_hash, slot_hashes, slot_count);
	if (status == STATUS_OK) status = prove_account(&prover, proof, &address_hash);
	if (status == STATUS_OK) status = prove_storage(&prover, proof, &address_hash, slot_hashes, slot_count);
	touched_fini(&prover.touched);
	mem_free(prover.changes);
	return status;
}
