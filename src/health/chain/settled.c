#include "health/chain/settled.h"

#include "crypto/hash.h"
#include "eth/hash_builder.h"
#include "eth/proof.h"
#include "health/chain/heads_private.h"

static enum status refuse(struct err *err, uint64_t number, const char *what) {
	err_set(err, STATUS_DENIED, "not proved: %s (block %llu)", what, (unsigned long long)number);
	return heads_not_proved(err);
}

/* --- a block --- */

/* The node's answers as bytes: a block's RLP, and its receipts. */
struct shown {
	struct bytes block;
	struct bytes *receipts;
	size_t receipt_count;
};

static void put_questions(struct client_question *questions, struct bytes params) {
	questions[0] = (struct client_question){.method = "debug_getRawBlock", .params = params};
	questions[1] = (struct client_question){.method = "debug_getRawReceipts", .params = params};
}

static enum status read_answers(
    struct shown *out, struct arena *arena, const struct client_question *questions, uint64_t number, struct err *err) {
	const struct json *receipts = questions[1].result;
	for (size_t i = 0; i < 2; i++)
		if (questions[i].status != STATUS_OK) return refuse(err, number, questions[i].error.message);
	if (client_answer_data(&out->block, arena, questions[0].result, "block", NULL) != STATUS_OK ||
	    !json_is(receipts, JSON_ARRAY))
		return refuse(err, number, "the node shows no block with its receipts");
	out->receipts = arena_zalloc(arena, receipts->count + 1, sizeof *out->receipts);
	out->receipt_count = 0;
	json_foreach (receipt, receipts)
		if (client_answer_data(&out->receipts[out->receipt_count++], arena, receipt, "receipt", NULL) !=
		    STATUS_OK)
			return refuse(err, number, "the node shows no receipts");
	return STATUS_OK;
}

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
	return refuse(err, out->number, "the transactions that the node shows are not the block's");
}

static enum status read_receipts(struct settled_block *out, struct arena *arena, const struct shown *shown,
    const hash32 *receipts_root, struct err *err) {
	const hash32 root = ordered_trie_root(shown->receipts, shown->receipt_count);
	struct receipt *receipts = arena_zalloc(arena, shown->receipt_count + 1, sizeof *receipts);
	if (shown->receipt_count != out->count || !hash32_equal(&root, receipts_root))
		return refuse(err, out->number, "the receipts that the node shows are not the block's");
	for (size_t i = 0; i < out->count; i++)
		if (receipt_decode(&receipts[i], arena, shown->receipts[i], NULL) != STATUS_OK)
			return refuse(err, out->number, "a receipt of the block is not one");
	out->receipts = receipts;
	return STATUS_OK;
}

/* The block of this hash, which the caller believes, from two answers. */
static enum status check_block(struct settled_block *out, struct arena *arena, const struct client_question *questions,
    uint64_t number, const hash32 *hash, struct err *err) {
	struct shown shown;
	struct block block;
	TRY(read_answers(&shown, arena, questions, number, err));
	if (block_decode(&block, arena, shown.block, NULL) != STATUS_OK)
		return refuse(err, number, "the block that the node shows is not one");
	*out = (struct settled_block){
	    .number = number, .hash = header_hash(&block.header), .parent_hash = block.header.parent_hash};
	if (!hash32_equal(&out->hash, hash) || block.header.number != number)
		return refuse(err, number, "the node shows another block than the chain has");
	TRY(read_transactions(out, arena, &block, err));
	return read_receipts(out, arena, &shown, &block.header.receipts_root, err);
}

static enum status read_block(struct settled_block *out, struct client *client, struct arena *arena, uint64_t number,
    const hash32 *hash, struct err *err) {
	struct client_question questions[2];
	put_questions(questions, client_hash_param(arena, hash));
	/* One by one: either may be nearly as large as a node's answer can be. */
	for (size_t i = 0; i < 2; i++) TRY(client_batch(client, &questions[i], 1, arena, err));
	return check_block(out, arena, questions, number, hash, err);
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
	struct client_question *questions = arena_zalloc(arena, 2 * count, sizeof *questions);
	const uint64_t first = head->number + 1 - count;
	hash32 hash = head->hash;
	BUG_ON(count > SETTLED_BLOCKS_MAX || count > head->number);
	for (size_t i = 0; i < count; i++) {
		const char *params = arena_printf(arena, "[\"0x%llx\"]", (unsigned long long)(first + i));
		put_questions(&questions[2 * i], bytes_text(params));
	}
	TRY(client_batch(client, questions, 2 * count, arena, err));
	for (size_t i = count; i-- > 0;) {
		TRY(check_block(&out[i], arena, &questions[2 * i], first + i, &hash, err));
		hash = out[i].parent_hash;
	}
	return STATUS_OK;
}

const struct transaction *settled_find(
    struct client_receipt *out, const struct settled_block *block, const hash32 *tx_hash, const addr20 *account) {
	for (size_t i = 0; i < block->count; i++) {
		if (!hash32_equal(&block->hashes[i], tx_hash)) continue;
		const struct transaction *tx = &block->transactions[i];
		const struct receipt *receipt = &block->receipts[i];
		*out = (struct client_receipt){.tx_hash = *tx_hash,
		    .block_hash = block->hash,
		    .block_number = block->number,
		    .gas_used = receipt->cumulative_gas - (i ? block->receipts[i - 1].cumulative_gas : 0),
		    .success = receipt->success,
		    .logs = receipt->logs,
		    .log_count = receipt->log_count};
		if (tx->is_create && receipt->success) out->created = address_of_create(account, tx->nonce);
		return tx;
	}
	return NULL;
}

static bool is_same_log(const struct log *a, const struct log *b) {
	return addr20_equal(&a->address, &b->address) && a->topic_count == b->topic_count &&
	       memcmp(a->topics, b->topics, a->topic_count * sizeof *a->topics) == 0 && bytes_equal(a->data, b->data);
}

bool settled_holds(const struct settled_block *block, const struct client_log *log) {
	size_t first = 0; /* the place in the block of a receipt's first log */
	for (size_t i = 0; i < block->count; first += block->receipts[i++].log_count) {
		const struct receipt *receipt = &block->receipts[i];
		if (!hash32_equal(&block->hashes[i], &log->tx_hash)) continue;
		return log->block_number == block->number && log->log_index >= first &&
		       log->log_index - first < receipt->log_count &&
		       is_same_log(&receipt->logs[log->log_index - first], &log->log);
	}
	return false;
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
		return refuse(err, head->number, "the node gives no proof of this account's nonce");
	TRY(status);
	TRY(heads_proof_read(&proof, arena, answer, 0, err));
	if (proof_account(&exists, &found, &head->state_root, account, proof.account_nodes, proof.account_node_count,
		NULL) != STATUS_OK)
		return refuse(err, head->number, "this account's nonce is not the one that the node shows");
	*out = exists ? found.nonce : 0;
	return STATUS_OK;
}

static bool is_of(const struct transaction *tx, const addr20 *account, uint64_t nonce) {
	addr20 sender;
	return tx->nonce == nonce && transaction_sender(&sender, tx, true, NULL) == STATUS_OK &&
	       addr20_equal(&sender, account);
}

enum status settled_user_of_nonce(struct settled_block *out, hash32 *tx_hash, struct client *client,
    struct arena *arena, const struct head *head, const addr20 *account, uint64_t nonce, struct err *err) {
	hash32 hash = head->hash;
	for (uint64_t back = 0; back < SETTLED_WALK_MAX && back <= head->number; back++) {
		arena_reset(arena);
		TRY(read_block(out, client, arena, head->number - back, &hash, err));
		for (size_t i = 0; i < out->count; i++) {
			if (!is_of(&out->transactions[i], account, nonce)) continue;
			*tx_hash = out->hashes[i];
			return STATUS_OK;
		}
		hash = out->parent_hash;
	}
	return refuse(err, head->number, "no transaction is found that used a nonce of this account");
}
