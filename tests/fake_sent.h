/*
 * Transactions of one account on a fake chain (tests/fake_chain.h): taken, put into blocks, and shown, with the ways in
 * which a node can lie about them. Header only; include after tests/fake_home.h.
 */
#ifndef TESTS_FAKE_SENT_H
#define TESTS_FAKE_SENT_H

#include "tests/fake_home.h"

#define FAKE_SENT_MAX 64u

struct fake_sent {
	uint64_t block; /* 0: it waits */
	hash32 hash;
	struct transaction tx;
	bool fails;
};

static struct fake_sending {
	struct fake_chain *chain;
	struct arena arena;
	addr20 account;
	uint64_t nonces[FAKE_BLOCKS_MAX];
	struct fake_sent sent[FAKE_SENT_MAX];
	size_t count, raws; /* raws: how often something was sent */
	bool mines;         /* whenever time passes */

	/* The lies. */
	bool swallows, hides_receipts, cuts_receipts, denies, cuts_block;
	uint64_t names_block, shows_block, shows_receipts_of; /* in place of what was asked for; 0: honest */
	const char *refuses_blocks;
	bool knows_no_proofs;   /* as nodes of another make */
	size_t proofs_a_answer; /* at most; 0: all that were asked for */
	unsigned refusals;      /* of the next ones that are sent */
	bool takes_refused;
} sending;

static inline void fake_receipt(struct buf *out, const struct fake_sent *sent, size_t place, bool succeeds) {
	struct receipt receipt = {.type = sent->tx.type, .success = succeeds, .cumulative_gas = 21000 * (place + 1)};
	receipt_encode(out, &receipt);
}

/* What a block holds, in order. */
static inline size_t fake_block_content(const struct fake_sent **out, uint64_t block) {
	size_t count = 0;
	for (size_t i = 0; i < sending.count; i++)
		if (block && sending.sent[i].block == block) out[count++] = &sending.sent[i];
	return count;
}

/* Takes what waits and is next, and sets the roots. */
static inline void fake_fill(struct fake_chain *chain, struct header *header) {
	const struct fake_sent *content[FAKE_SENT_MAX];
	struct bytes raw[FAKE_SENT_MAX], receipts[FAKE_SENT_MAX];
	uint64_t nonce = sending.nonces[header->number - 1];
	(void)chain;
	for (size_t i = 0; i < sending.count; i++) {
		struct fake_sent *sent = &sending.sent[i];
		if (sent->block || sent->tx.nonce != nonce) continue;
		sent->block = header->number;
		nonce++;
		i = (size_t)-1; /* a lower place may be next now */
	}
	sending.nonces[header->number] = nonce;
	const size_t count = fake_block_content(content, header->number);
	for (size_t i = 0; i < count; i++) {
		struct buf receipt;
		buf_init(&receipt, 1024);
		fake_receipt(&receipt, content[i], i, !content[i]->fails);
		receipts[i] = arena_dup(&sending.arena, buf_view(&receipt));
		raw[i] = content[i]->tx.raw;
		buf_fini(&receipt);
	}
	header->transactions_root = ordered_trie_root(raw, count);
	header->receipts_root = ordered_trie_root(receipts, count);
}

static inline void fake_put_sent(struct json_writer *writer, struct bytes raw) {
	struct fake_sent *sent = &sending.sent[sending.count];
	if (sending.count == FAKE_SENT_MAX ||
	    transaction_decode(&sent->tx, NULL, &sending.arena, arena_dup(&sending.arena, raw), NULL) != STATUS_OK)
		abort();
	sent->hash = transaction_hash(&sent->tx);
	sending.raws++;
	bool is_known = false;
	for (size_t i = 0; i < sending.count; i++) is_known |= hash32_equal(&sending.sent[i].hash, &sent->hash);
	if (sent->tx.nonce < sending.nonces[sending.chain->head]) {
		fake_put_error(writer, "nonce too low");
		return;
	}
	const bool is_refused = sending.refusals > 0;
	if (is_refused) {
		sending.refusals--;
		fake_put_error(writer, "insufficient funds");
	} else {
		json_put_hex(writer, "result", BYTES_OF(sent->hash));
	}
	if (is_refused ? sending.takes_refused : !sending.swallows && !is_known) sending.count++;
}

static inline void fake_put_raw_block(struct json_writer *writer, uint64_t number) {
	const struct fake_sent *content[FAKE_SENT_MAX];
	struct transaction transactions[FAKE_SENT_MAX];
	const struct head *head = &sending.chain->blocks[number];
	struct block block = {.transactions = transactions, .has_withdrawals = true};
	struct buf rlp;
	if (header_decode(&block.header, bytes_make(head->rlp, head->rlp_len), NULL) != STATUS_OK) abort();
	block.transaction_count = fake_block_content(content, number);
	for (size_t i = 0; i < block.transaction_count; i++) transactions[i] = content[i]->tx;
	if (sending.cuts_block && block.transaction_count) block.transaction_count--;
	buf_init(&rlp, (size_t)1 << 20);
	block_encode(&rlp, &block);
	json_put_hex(writer, "result", buf_view(&rlp));
	buf_fini(&rlp);
}

static inline void fake_put_raw_receipts(struct json_writer *writer, uint64_t number) {
	const struct fake_sent *content[FAKE_SENT_MAX];
	const size_t count = fake_block_content(content, number);
	json_array_begin(writer, "result");
	for (size_t i = 0; i + sending.cuts_receipts < count; i++) {
		struct buf receipt;
		buf_init(&receipt, 1024);
		fake_receipt(&receipt, content[i], i, !content[i]->fails != sending.denies);
		json_put_hex(writer, NULL, buf_view(&receipt));
		buf_fini(&receipt);
	}
	json_array_end(writer);
}

/* With their proofs, of the places that were asked for. */
static inline void fake_put_receipt_proofs(struct json_writer *writer, uint64_t number, const struct json *places) {
	const struct fake_sent *content[FAKE_SENT_MAX];
	struct bytes receipts[FAKE_SENT_MAX];
	const size_t count = fake_block_content(content, number) - sending.cuts_receipts;
	size_t left = sending.proofs_a_answer ? sending.proofs_a_answer : FAKE_SENT_MAX;
	for (size_t i = 0; i < count; i++) {
		struct buf receipt;
		buf_init(&receipt, 1024);
		fake_receipt(&receipt, content[i], i, !content[i]->fails != sending.denies);
		receipts[i] = arena_dup(&sending.arena, buf_view(&receipt));
		buf_fini(&receipt);
	}
	json_array_begin(writer, "result");
	json_foreach (place, places) {
		struct ordered_proof proof = {.count = 0};
		uint64_t index;
		size_t wanted;
		if (!json_u64(&index, place)) abort();
		wanted = (size_t)index;
		if (wanted < count) ordered_trie_prove(&proof, &sending.arena, receipts, count, &wanted, 1);
		if (!left--) break;
		json_array_begin(writer, NULL);
		for (size_t k = 0; k < proof.count; k++) json_put_hex(writer, NULL, proof.nodes[k]);
		json_array_end(writer);
	}
	json_array_end(writer);
}

static inline void fake_put_receipt(struct json_writer *writer, const hash32 *hash) {
	static const hash32 no_hash;
	uint64_t block = sending.names_block;
	for (size_t i = 0; i < sending.count && !sending.hides_receipts && !block; i++)
		if (hash32_equal(&sending.sent[i].hash, hash)) block = sending.sent[i].block;
	if (!block) {
		json_put_null(writer, "result");
		return;
	}
	json_object_begin(writer, "result");
	json_put_hex(writer, "blockHash", BYTES_OF(no_hash));
	json_put_quantity(writer, "blockNumber", block);
	json_put_quantity(writer, "gasUsed", 1);
	json_put_quantity(writer, "status", 1);
	json_array_begin(writer, "logs");
	json_array_end(writer);
	json_object_end(writer);
}

static inline bool fake_sent_method(
    struct fake_chain *chain, struct json_writer *writer, const struct json *name, const struct json *params) {
	const bool is_block = json_string_is(name, "debug_getRawBlock");
	const bool is_proofs = json_string_is(name, "xinglin_receiptProofs") && !sending.knows_no_proofs;
	hash32 hash;
	struct buf raw;
	if (is_block || is_proofs || json_string_is(name, "debug_getRawReceipts")) {
		const struct head *head = fake_named(chain, json_at(params, 0));
		const uint64_t other = is_block ? sending.shows_block : sending.shows_receipts_of;
		const uint64_t number = other ? other : head ? head->number : 0;
		if (!head || sending.refuses_blocks)
			fake_put_error(writer, sending.refuses_blocks ? sending.refuses_blocks : "no such block");
		else if (is_block)
			fake_put_raw_block(writer, number);
		else if (is_proofs)
			fake_put_receipt_proofs(writer, number, json_at(params, 1));
		else
			fake_put_raw_receipts(writer, number);
		return true;
	}
	if (json_string_is(name, "eth_estimateGas")) {
		json_put_quantity(writer, "result", 50000);
		return true;
	}
	if (json_string_is(name, "eth_getTransactionReceipt")) {
		if (hex_fixed(hash.b, 32, json_string(json_at(params, 0))) != STATUS_OK) abort();
		fake_put_receipt(writer, &hash);
		return true;
	}
	if (!json_string_is(name, "eth_sendRawTransaction")) return false;
	buf_init(&raw, (size_t)1 << 20);
	if (hex_data(&raw, json_string(json_at(params, 0))) != STATUS_OK) abort();
	fake_put_sent(writer, buf_view(&raw));
	buf_fini(&raw);
	return true;
}

static inline void fake_sending_begin(struct fake_chain *chain, const hash32 *secret) {
	memset(&sending, 0, sizeof sending);
	sending.chain = chain;
	sending.mines = true;
	arena_init(&sending.arena);
	if (address_of_secret(&sending.account, secret) != STATUS_OK) abort();
	chain->sender = &sending.account;
	chain->sender_nonces = sending.nonces;
	chain->method = fake_sent_method;
	chain->fill = fake_fill;
}

static inline void fake_sending_end(void) {
	arena_fini(&sending.arena);
}

/* Another program's transaction of the same account. */
static inline void fake_send_as_another(const hash32 *secret, uint64_t nonce) {
	struct transaction tx = {.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(sending.chain->anchor.chain_id),
	    .nonce = nonce,
	    .gas_limit = 21000};
	struct fake_sent *sent = &sending.sent[sending.count++];
	if (transaction_sign(&tx, &sending.arena, secret, NULL) != STATUS_OK) abort();
	*sent = (struct fake_sent){.tx = tx, .hash = transaction_hash(&tx)};
}

#endif
