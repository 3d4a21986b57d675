/* Does a head descend from the last one? By its parent, by EIP-2935's contract, or by all headers between. */
#include "crypto/hash.h"
#include "eth/proof.h"
#include "health/chain/heads_private.h"

#define HISTORY_BLOCKS 8191u /* EIP-2935: the state after a block has the hashes of so many before it */
#define HEADERS_A_PAGE CLIENT_BATCH_MAX

const addr20 head_history_contract = {{0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb, 0x7a, 0x02, 0x33,
    0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35}};

hash32 head_history_slot(uint64_t number) {
	hash32 slot = {{0}};
	store_be64(slot.b + 24, number % HISTORY_BLOCKS);
	return slot;
}

static enum status refuse(struct err *err, const char *what, uint64_t number) {
	err_set(err, STATUS_DENIED,
	    "the head is not believed: the node does not show that it descends from block %llu "
	    "(%s)",
	    (unsigned long long)number, what);
	return heads_not_proved(err);
}

static hash32 parent_of(const struct head *head) {
	struct header header;
	BUG_ON(header_decode(&header, bytes_make(head->rlp, head->rlp_len), NULL) != STATUS_OK);
	return header.parent_hash;
}

/* --- EIP-2935 --- */

/* The hash of an earlier block as the state after `head` has it; *has false: the chain keeps none, or the node does not
 * prove states that old. */
static enum status ask_history(hash32 *out, bool *has, const struct head *head, uint64_t number, struct client *client,
    struct arena *arena, struct err *err) {
	const hash32 slot = head_history_slot(number);
	const struct json *answer;
	struct heads_proof proof;
	struct proof_account account;
	bool exists;
	u256 value;
	*has = false;
	enum status status = client_rpc(client, &answer, NULL, arena, "eth_getProof",
	    heads_proof_params(arena, &head_history_contract, &slot, 1, &head->hash), err);
	if (status == STATUS_DENIED) return STATUS_OK;
	TRY(status);
	TRY(heads_proof_read(&proof, arena, answer, 1, err));
	if (proof_account(&exists, &account, &head->state_root, &head_history_contract, proof.account_nodes,
		proof.account_node_count, NULL) != STATUS_OK)
		return refuse(err, "a proof of the chain's own history does not hold", number);
	if (!exists) return STATUS_OK;
	if (proof_storage(&value, &account.storage_root, &slot, proof.slots[0].nodes, proof.slots[0].node_count,
		NULL) != STATUS_OK)
		return refuse(err, "a proof of the chain's own history does not hold", number);
	*has = !u256_is_zero(&value);
	u256_store_be(out->b, &value);
	return STATUS_OK;
}

static enum status ask_header(
    struct head *out, const hash32 *hash, struct client *client, struct arena *arena, struct err *err) {
	const struct json *answer;
	struct bytes rlp;
	TRY(client_rpc(client, &answer, NULL, arena, "debug_getRawHeader", client_hash_param(arena, hash), err));
	TRY(client_answer_data(&rlp, arena, answer, "header", err));
	if (head_decode(out, rlp, NULL) != STATUS_OK || !hash32_equal(&out->hash, hash))
		return refuse(err, "a header is not the one that was asked for", out->number);
	return STATUS_OK;
}

/* --- headers --- */

/* Checks the headers from `at`'s parent down to the child of block `to`, a page at once; sets *at to the lowest. */
static enum status walk_page(
    struct head *at, uint64_t to, struct client *client, struct arena *arena, struct err *err) {
	const uint64_t left = at->number - to - 1;
	const size_t count = left < HEADERS_A_PAGE ? (size_t)left : HEADERS_A_PAGE;
	struct client_question *questions = arena_zalloc(arena, count, sizeof *questions);
	for (size_t i = 0; i < count; i++) {
		questions[i].method = "debug_getRawHeader";
		questions[i].params =
		    bytes_text(arena_printf(arena, "[\"0x%llx\"]", (unsigned long long)(at->number - 1 - i)));
	}
	TRY(client_batch(client, questions, count, arena, err));
	for (size_t i = 0; i < count; i++) {
		const hash32 wanted = parent_of(at);
		const uint64_t number = at->number - 1;
		struct bytes rlp;
		if (questions[i].status != STATUS_OK) return refuse(err, "a header was not given", to);
		TRY(client_answer_data(&rlp, arena, questions[i].result, "header", err));
		if (head_decode(at, rlp, NULL) != STATUS_OK || !hash32_equal(&at->hash, &wanted) ||
		    at->number != number)
			return refuse(err, "a header is not its child's parent", to);
	}
	return STATUS_OK;
}

static enum status walk_headers(
    hash32 *out, const struct head *from, uint64_t to, struct client *client, struct err *err) {
	struct head at = *from; /* down to the child of block `to`, which names it */
	if (from->number - to > HEADS_HEADERS_MAX)
		return err_set(err, STATUS_LIMIT,
		    "%llu blocks lie between this home's last head and the node's: over %u, the node must prove the "
		    "history of older states",
		    (unsigned long long)(from->number - to), HEADS_HEADERS_MAX);
	while (at.number > to + 1) {
		struct arena page;
		arena_init(&page);
		enum status status = walk_page(&at, to, client, &page, err);
		arena_fini(&page);
		TRY(status);
	}
	*out = parent_of(&at);
	return STATUS_OK;
}

/* --- all of it --- */

enum status head_ancestor(hash32 *out, const struct head *head, uint64_t number, struct client *client,
    struct arena *arena, struct err *err) {
	struct head at = *head;
	for (;;) {
		const uint64_t lowest = at.number > HISTORY_BLOCKS ? at.number - HISTORY_BLOCKS : 0;
		bool has;
		if (at.number == number + 1) {
			*out = parent_of(&at);
			return STATUS_OK;
		}
		TRY(ask_history(out, &has, &at, number > lowest ? number : lowest, client, arena, err));
		if (!has) return walk_headers(out, &at, number, client, err);
		if (number >= lowest) return STATUS_OK;
		const hash32 hop = *out;
		TRY(ask_header(&at, &hop, client, arena, err));
		if (at.number != lowest) return refuse(err, "the chain's own history names another block", number);
	}
}

enum status head_descends(bool *forks, const struct head *head, const struct head *last, struct client *client,
    struct arena *arena, struct err *err) {
	hash32 hash;
	*forks = false;
	TRY(head_ancestor(&hash, head, last->number, client, arena, err));
	*forks = !hash32_equal(&hash, &last->hash);
	return STATUS_OK;
}
