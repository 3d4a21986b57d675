#include "health/chain/settled.h"

#include "crypto/hash.h"
#include "eth/hash_builder.h"
#include "eth/proof.h"
#include "health/chain/heads_private.h"

/* --- a block --- */

static enum status read_transactions(
    struct settled_block *out, struct arena *arena, const struct block *block, struct err *err) {
	struct bytes *raw = arena_zalloc(arena, block->transaction_count + 1, sizeof *raw);
	out->transactions = block->transactions;
	out->count = block->transaction_count;
	out->hashes = arena_zalloc(arena, out->count + 1, sizeof *out->hashes);
	for (size_t i = 0; i < out->count; i++) {
		raw[i] = out->transactions[i].raw;
		out->hashes[i] = keccak256(raw[i]);
	}
	const hash32 root = ordered_trie_root(raw, out->count);
	if (hash32_equal(&root, &block->header.transactions_root)) return STATUS_OK;
	return heads_refuse_block(err, out->number, "the transactions that the node shows are not the block's");
}

/* The block of this hash, which the caller believes, from an answer. */
static enum status check_block(struct settled_block *out, struct arena *arena, const struct client_question *question,
    uint64_t number, const hash32 *hash, struct err *err) {
	struct bytes rlp;
	struct block block;
	if (question->status != STATUS_OK) return heads_refuse_block(err, number, question->error.message);
	if (client_answer_data(&rlp, arena, question->result, "block", NULL) != STATUS_OK ||
	    block_decode(&block, arena, rlp, NULL) != STATUS_OK)
		return heads_refuse_block(err, number, "the block that the node shows is not one");
	*out = (struct settled_block){.number = number,
	    .hash = header_hash(&block.header),
	    .parent_hash = block.header.parent_hash,
	    .receipts_root = block.header.receipts_root};
	if (!hash32_equal(&out->hash, hash) || block.header.number != number)
		return heads_refuse_block(err, number, "the node shows another block than the chain has");
	return read_transactions(out, arena, &block, err);
}

static enum status read_block(struct settled_block *out, struct client *client, struct arena *arena, uint64_t number,
    const hash32 *hash, struct err *err) {
	struct client_question question = {.method = "debug_getRawBlock", .params = client_hash_param(arena, hash)};
	TRY(client_batch(client, &question, 1, arena, err));
	return check_block(out, arena, &question, number, hash, err);
}

enum status settled_read(struct settled_block *out, struct client *client, struct arena *arena, const struct head *head,
    uint64_t number, struct err *err) {
	hash32 hash = head->hash;
	BUG_ON(number > head->number);
	if (number < head->number) TRY(head_ancestor(&hash, head, number, client, arena, err));
	return read_block(out, client, arena, number, &hash, err);
}

/* By their numbers: which hash each has is known only from the one above it. */
enum status settled_read_newest(struct settled_block *out, size_t count, struct client *client, struct arena *arena,
    const struct head *head, struct err *err) {
	struct client_question *questions = arena_zalloc(arena, count, sizeof *questions);
	const uint64_t first = head->number + 1 - count;
	hash32 hash = head->hash;
	BUG_ON(count > SETTLED_BLOCKS_MAX || count > head->number);
	for (size_t i = 0; i < count; i++) {
		const char *params = arena_printf(arena, "[\"0x%llx\"]", (unsigned long long)(first + i));
		questions[i] = (struct client_question){.method = "debug_getRawBlock", .params = bytes_text(params)};
	}
	TRY(client_batch(client, questions, count, arena, err));
	for (size_t i = count; i-- > 0;) {
		TRY(check_block(&out[i], arena, &questions[i], first + i, &hash, err));
		hash = out[i].parent_hash;
	}
	return STATUS_OK;
}

size_t settled_place(const struct settled_block *block, const hash32 *tx_hash) {
	size_t i = 0;
	while (i < block->count && !hash32_equal(&block->hashes[i], tx_hash)) i++;
	return i;
}

/* --- nonces --- */

enum status settled_nonce(uint64_t *out, struct client *client, struct arena *arena, const struct head *head,
    const addr20 *account, struct err *err) {
	const struct json *answer;
	struct heads_proof proof;
	struct proof_account found;
	bool exists;
	enum status status = client_rpc(client, &answer, NULL, arena, "eth_getProof",
	    heads_proof_params(arena, account, NULL, 0, &head->hash), err);
	if (status == STATUS_DENIED)
		return heads_refuse_block(err, head->number, "the node gives no proof of this account's nonce");
	TRY(status);
	TRY(heads_proof_read(&proof, arena, answer, 0, err));
	if (proof_account(&exists, &found, &head->state_root, account, proof.account_nodes, proof.account_node_count,
		NULL) != STATUS_OK)
		return heads_refuse_block(err, head->number, "this account's nonce is not the one that the node shows");
	*out = exists ? found.nonce : 0;
	return STATUS_OK;
}

static bool is_of(const struct transaction *tx, const addr20 *account, uint64_t nonce) {
	addr20 sender;
	return tx->nonce == nonce && transaction_sender(&sender, tx, true, NULL) == STATUS_OK &&
	       addr20_equal(&sender, account);
}

enum status settled_user_of_nonce(struct settled_block *out, struct client *client, struct arena *arena,
    const struct head *head, const addr20 *account, uint64_t nonce, struct err *err) {
	hash32 hash = head->hash;
	for (uint64_t back = 0; back < SETTLED_WALK_MAX && back <= head->number; back++) {
		arena_reset(arena);
		TRY(read_block(out, client, arena, head->number - back, &hash, err));
		for (size_t i = 0; i < out->count; i++)
			if (is_of(&out->transactions[i], account, nonce)) return STATUS_OK;
		hash = out->parent_hash;
	}
	return heads_refuse_block(err, head->number, "no transaction is found that used a nonce of this account");
}
