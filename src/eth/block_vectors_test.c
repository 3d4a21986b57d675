/*
 * Whole chains: every block decodes and encodes to the same bytes, names its parent's hash, and its roots of
 * transactions, withdrawals and ommers are right; every sender is recovered. Then eth_getProof's answers against these
 * chains' state roots.
 */
#include "tests/unit.h"

#include "codec/rlp.h"
#include "crypto/hash.h"
#include "eth/hash_builder.h"
#include "eth/proof.h"
#include "eth/types.h"
#include "tests/vectors.h"

static bool encodes_to(const struct block *block, struct bytes rlp, struct arena *arena) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	block_encode(&out, block);
	bool is_same = bytes_equal(buf_view(&out), rlp);
	buf_clear(&out);
	block_body_encode(&out, block);
	struct block body;
	struct bytes encoded = arena_dup(arena, buf_view(&out));
	is_same = is_same && block_body_decode(&body, arena, encoded, NULL) == STATUS_OK;
	buf_clear(&out);
	block_body_encode(&out, &body);
	is_same = is_same && bytes_equal(buf_view(&out), encoded);
	buf_fini(&out);
	return is_same;
}

static bool transactions_fit(const struct block *block, struct arena *arena) {
	struct bytes *items = arena_zalloc(arena, block->transaction_count, sizeof *items);
	for (size_t i = 0; i < block->transaction_count; i++) {
		const struct transaction *tx = &block->transactions[i];
		addr20 sender;
		struct buf again;
		items[i] = tx->raw;
		buf_init(&again, BUF_MAX_DEFAULT);
		transaction_encode(&again, tx);
		bool is_same = bytes_equal(buf_view(&again), tx->raw);
		buf_fini(&again);
		if (!is_same || transaction_sender(&sender, tx, block->header.number > 0, NULL)) return false;
	}
	hash32 root = ordered_trie_root(items, block->transaction_count);
	return hash32_equal(&root, &block->header.transactions_root);
}

/* The withdrawals' encodings are taken from the block itself: its last item is their list. */
static bool withdrawals_fit(const struct block *block, struct bytes rlp) {
	if (!block->has_withdrawals) return block->header.field_count < HEADER_SHANGHAI;
	struct rlp_cursor cursor = rlp_cursor(rlp);
	struct rlp_cursor fields = rlp_enter(&cursor);
	for (int i = 0; i < 3; i++) rlp_raw(&fields);
	struct rlp_cursor list = rlp_enter(&fields);
	struct bytes items[64];
	assert_true(block->withdrawal_count <= 64);
	for (size_t i = 0; i < block->withdrawal_count; i++) items[i] = rlp_raw(&list);
	hash32 root = ordered_trie_root(items, block->withdrawal_count);
	return hash32_equal(&root, &block->header.withdrawals_root);
}

static bool ommers_fit(const struct block *block) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	size_t list = rlp_list_begin(&out);
	for (size_t i = 0; i < block->ommer_count; i++) header_encode(&out, &block->ommers[i]);
	rlp_list_end(&out, list);
	hash32 hash = keccak256(buf_view(&out));
	buf_fini(&out);
	return hash32_equal(&hash, &block->header.ommers_hash);
}

/* Finds the state root of a block by its hash, its number, or `latest`. */
struct search {
	hash32 hash;
	uint64_t number;
	bool by_hash, by_number, found;
	hash32 state_root;
};

static void look(struct search *search, const struct header *header) {
	hash32 hash = header_hash(header);
	if (search->by_hash && !hash32_equal(&hash, &search->hash)) return;
	if (search->by_number && header->number != search->number) return;
	search->found = true;
	search->state_root = header->state_root; /* of the last one that fits */
}

static void run_chain(struct vectors *vectors, const char *relative, bool links, struct search *search) {
	struct arena arena, scratch;
	arena_init(&arena);
	arena_init(&scratch);
	struct rlp_cursor chain = rlp_cursor(vectors_read(&arena, vectors_path(&arena, relative)));
	hash32 previous = {0};
	for (size_t i = 0; !rlp_at_end(&chain); i++) {
		struct bytes rlp = rlp_raw(&chain);
		struct block block;
		struct err err = {0};
		arena_reset(&scratch);
		bool is_good = block_decode(&block, &scratch, rlp, &err) == STATUS_OK;
		if (is_good) {
			bool is_linked = !links || i == 0 || hash32_equal(&previous, &block.header.parent_hash);
			is_good = is_linked && block.rlp_size == rlp.len && encodes_to(&block, rlp, &scratch) &&
				  transactions_fit(&block, &scratch) && withdrawals_fit(&block, rlp) &&
				  ommers_fit(&block);
			previous = header_hash(&block.header);
			if (search) look(search, &block.header);
		}
		if (err.message[0]) printf("%s\n", err.message);
		vectors_count(vectors, is_good, relative, BYTES_LITERAL(""));
	}
	assert_int_equal(rlp_finish(&chain, NULL), STATUS_OK);
	arena_fini(&scratch);
	arena_fini(&arena);
}

static void test_chains(void **state) {
	(void)state;
	vectors_need("ethereum/rpc");
	struct vectors vectors = {.name = "chains"};
	run_chain(&vectors, "ethereum/rpc/cancun-2023/chain.rlp", true, NULL);
	run_chain(&vectors, "ethereum/rpc/osaka-bpo2-2026/chain.rlp", true, NULL);
	run_chain(&vectors, "ethereum/chains-besu/mainnet-first-1000/1000.blocks", true, NULL);
	run_chain(&vectors, "ethereum/chains-besu/snap-500/testBlockchain.blocks", true, NULL);
	run_chain(&vectors, "ethereum/chains-besu/hive-34/testBlockchain.blocks", true, NULL);
	run_chain(&vectors, "ethereum/chains-besu/london-5/testLondonBlockchain.blocks", true, NULL);
	vectors_report(&vectors);
}

/* Are the faults of this block such as decoding alone must see? */
static bool is_refused_by_decoding(struct bytes exception) {
	static const char *const faults[] = {"RLP_", "EXTRA_DATA_TOO_BIG", "TYPE_4_TX_CONTRACT_CREATION"};
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		if (memmem(exception.data, exception.len, faults[i], strlen(faults[i]))) return true;
	return false;
}

static bool valid_block_fits(const struct json *item, struct bytes rlp, struct arena *arena) {
	struct block block;
	hash32 expected, hash;
	if (block_decode(&block, arena, rlp, NULL)) return false;
	if (hex_fixed(expected.b, 32, json_string(json_get(json_get(item, "blockHeader"), "hash")))) return false;
	hash = header_hash(&block.header);
	return hash32_equal(&hash, &expected) && encodes_to(&block, rlp, arena) && transactions_fit(&block, arena) &&
	       withdrawals_fit(&block, rlp) && ommers_fit(&block);
}

static struct bytes exception_of(const struct json *item) {
	json_foreach (member, item)
		if (bytes_equal(bytes_slice(member->name, 0, 15), BYTES_LITERAL("expectException")))
			return json_string(member);
	return (struct bytes){0};
}

static void visit_test_file(void *context, const char *path) {
	struct vectors *vectors = context;
	struct arena arena;
	arena_init(&arena);
	json_foreach (test, vectors_parse(&arena, path)) {
		json_foreach (item, json_get(test, "blocks")) {
			struct bytes rlp = vectors_hex(&arena, json_string(json_get(item, "rlp"))),
				     exception = exception_of(item);
			struct block block;
			if (!exception.data)
				vectors_count(vectors, valid_block_fits(item, rlp, &arena), path, test->name);
			else if (is_refused_by_decoding(exception))
				vectors_count(
				    vectors, block_decode(&block, &arena, rlp, NULL) != STATUS_OK, path, test->name);
			else
				vectors->skipped++; /* against the chain's rules, which are ledger/'s */
		}
	}
	arena_fini(&arena);
}

static void test_blockchain_tests(void **state) {
	(void)state;
	vectors_need("ethereum/blockchain");
	struct vectors vectors = {.name = "BlockchainTests' blocks"};
	struct arena arena;
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, "ethereum/blockchain"), ".json", visit_test_file, &vectors);
	arena_fini(&arena);
	vectors_report(&vectors);
}

#define NODES_MAX 64

static size_t read_nodes(struct bytes nodes[NODES_MAX], struct arena *arena, const struct json *list) {
	size_t count = 0;
	json_foreach (item, list) {
		assert_true(count < NODES_MAX);
		nodes[count++] = vectors_hex(arena, json_string(item));
	}
	return count;
}

static u256 quantity(const struct json *value) {
	uint8_t be[32];
	assert_int_equal(hex_quantity256(be, json_string(value)), STATUS_OK);
	return u256_load_be(be);
}

static bool storage_holds(struct arena *arena, const struct json *item, const hash32 *storage_root) {
	struct bytes nodes[NODES_MAX], key = json_string(json_get(item, "key"));
	size_t count = read_nodes(nodes, arena, json_get(item, "proof"));
	hash32 slot;
	if (hex_fixed(slot.b, 32, key) && hex_quantity256(slot.b, key)) {
		memset(slot.b, 0, 32);
		if (hex_fixed(slot.b + 31, 1, key)) return false;
	}
	u256 value, expected = quantity(json_get(item, "value"));
	return proof_storage(&value, storage_root, &slot, nodes, count, NULL) == STATUS_OK &&
	       u256_equal(&value, &expected);
}

static bool account_holds(struct arena *arena, const struct json *result, const hash32 *state_root) {
	struct bytes nodes[NODES_MAX];
	size_t count = read_nodes(nodes, arena, json_get(result, "accountProof"));
	addr20 address;
	hash32 storage_root, code_hash;
	assert_int_equal(hex_fixed(address.b, 20, json_string(json_get(result, "address"))), STATUS_OK);
	assert_int_equal(hex_fixed(storage_root.b, 32, json_string(json_get(result, "storageHash"))), STATUS_OK);
	assert_int_equal(hex_fixed(code_hash.b, 32, json_string(json_get(result, "codeHash"))), STATUS_OK);
	u256 balance = quantity(json_get(result, "balance")), nonce = quantity(json_get(result, "nonce"));
	struct proof_account account;
	bool exists;
	if (proof_account(&exists, &account, state_root, &address, nodes, count, NULL) || !exists) return false;
	bool is_good = u256_equal(&account.balance_wei, &balance) && account.nonce == u256_clamp_u64(&nonce) &&
		       hash32_equal(&account.storage_root, &storage_root) &&
		       hash32_equal(&account.code_hash, &code_hash);
	json_foreach (item, json_get(result, "storageProof"))
		is_good = is_good && storage_holds(arena, item, &account.storage_root);
	return is_good;
}

/* A line behind `mark` of an .io file. */
static const struct json *line_of(struct arena *arena, struct bytes text, const char *mark) {
	const char *from = strstr((const char *)arena_strdup(arena, text), mark);
	assert_non_null(from);
	const char *end = strchr(from, '\n');
	const struct json *parsed;
	struct bytes line = bytes_make(from + 3, end ? (size_t)(end - from) - 3 : strlen(from + 3));
	assert_int_equal(json_parse(&parsed, arena, line, &json_limits_default, NULL), STATUS_OK);
	return parsed;
}

static void run_proof(struct vectors *vectors, const char *chain, const char *name) {
	struct arena arena;
	struct vectors ignored = {.name = "chain"};
	struct search search = {0};
	arena_init(&arena);
	struct bytes text =
	    vectors_read(&arena, vectors_path(&arena, arena_printf(&arena, "%s/eth_getProof/%s", chain, name)));
	struct bytes where = json_string(json_at(json_get(line_of(&arena, text, ">> "), "params"), 2));
	search.by_hash = hex_fixed(search.hash.b, 32, where) == STATUS_OK;
	search.by_number = hex_quantity(&search.number, where) == STATUS_OK;
	run_chain(&ignored, arena_printf(&arena, "%s/chain.rlp", chain), true, &search);
	const struct json *result = json_get(line_of(&arena, text, "<< "), "result");
	vectors_count(
	    vectors, search.found && account_holds(&arena, result, &search.state_root), name, BYTES_LITERAL(""));
	arena_fini(&arena);
}

static void test_proofs(void **state) {
	(void)state;
	vectors_need("ethereum/rpc");
	struct vectors vectors = {.name = "eth_getProof"};
	run_proof(&vectors, "ethereum/rpc/cancun-2023", "get-account-proof-blockhash.io");
	run_proof(&vectors, "ethereum/rpc/cancun-2023", "get-account-proof-with-storage.io");
	run_proof(&vectors, "ethereum/rpc/osaka-bpo2-2026", "get-account-proof-blockhash.io");
	run_proof(&vectors, "ethereum/rpc/osaka-bpo2-2026", "get-account-proof-default-block.io");
	run_proof(&vectors, "ethereum/rpc/osaka-bpo2-2026", "get-account-proof-with-storage.io");
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_chains), cmocka_unit_test(test_blockchain_tests), cmocka_unit_test(test_proofs)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
