/*
 * Blob transactions in the pool. The blobs here are polynomials that are constant, 0 or 1: then the commitment is
 * infinity or the generator, and every proof is infinity. Random blobs are in tests/process/test_blob_transactions.py.
 */
#include "tests/unit.h"

#include <stdio.h>
#include <sys/stat.h>

#include "codec/rlp.h"
#include "crypto/hash.h"
#include "ledger/chain/branches.h"
#include "ledger/pool/kzg.h"
#include "ledger/pool/sidecar_files.h"
#include "tests/ledger_world.h"

#define GWEI 1000000000ull
#define ETHER 1000000000000000000ull

enum {
	BLOBS_MAX = 9,
	WRONG_FIRST_PROOF = 1,
	SWAPPED_COMMITMENTS = 2,
	SHORT_PROOFS = 4,
	LARGE_ELEMENT = 8,
	MORE_ITEMS = 16
};

static const addr20 somebody = {{0x11, 0x22, 0x33}};
static const uint8_t generator[KZG_POINT_BYTES] = {0x97, 0xf1, 0xd3, 0xa7, 0x31, 0x97, 0xd7, 0x94, 0x26, 0x95, 0x63,
    0x8c, 0x4f, 0xa9, 0xac, 0x0f, 0xc3, 0x68, 0x8c, 0x4f, 0x97, 0x74, 0xb9, 0x05, 0xa1, 0x4e, 0x3a, 0x3f, 0x17, 0x1b,
    0xac, 0x58, 0x6c, 0x55, 0xe8, 0x3f, 0xf9, 0x7a, 0x1a, 0xef, 0xfb, 0x3a, 0xf0, 0x0a, 0xdb, 0x22, 0xc6, 0xbb};
static const uint8_t infinity[KZG_POINT_BYTES] = {0xc0};

/* Blob i is constantly i % 2. */
static const uint8_t *commitment(size_t i) {
	return i % 2 == 0 ? infinity : generator;
}

static void put_blobs(struct buf *out, size_t count, unsigned faults) {
	static uint8_t blob[KZG_BLOB_BYTES];
	const size_t list = rlp_list_begin(out);
	for (size_t i = 0; i < count; i++) {
		for (size_t at = 31; at < sizeof blob; at += 32) blob[at] = (uint8_t)(i % 2);
		blob[0] = faults & LARGE_ELEMENT ? 0xff : 0; /* above the group's order */
		rlp_put_string(out, bytes_make(blob, sizeof blob));
	}
	rlp_list_end(out, list);
}

static void put_points(struct buf *out, size_t blobs, size_t proofs, unsigned faults) {
	size_t list = rlp_list_begin(out);
	for (size_t i = 0; i < blobs; i++)
		rlp_put_string(out, bytes_make(commitment(faults & SWAPPED_COMMITMENTS ? i + 1 : i), KZG_POINT_BYTES));
	rlp_list_end(out, list);
	list = rlp_list_begin(out);
	for (size_t i = 0; i < proofs; i++)
		rlp_put_string(
		    out, bytes_make(i == 0 && faults & WRONG_FIRST_PROOF ? generator : infinity, KZG_POINT_BYTES));
	rlp_list_end(out, list);
	if (faults & MORE_ITEMS) rlp_put_u64(out, 1);
}

/* 0x03 || rlp([transaction, version?, blobs, commitments, proofs]) */
static struct bytes wrap(
    struct arena *arena, const struct transaction *tx, unsigned version, size_t blobs, unsigned faults) {
	const size_t proofs = blobs * (version == 0 ? 1 : KZG_BLOB_CELLS) - (faults & SHORT_PROOFS ? 1 : 0);
	struct buf out;
	buf_init(&out, 4 << 20);
	buf_byte(&out, 3);
	const size_t list = rlp_list_begin(&out);
	buf_append(&out, bytes_slice(tx->raw, 1, tx->raw.len));
	if (version != 0) rlp_put_u64(&out, version);
	put_blobs(&out, blobs, faults);
	put_points(&out, blobs, proofs, faults);
	rlp_list_end(&out, list);
	const struct bytes wrapped = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return wrapped;
}

static struct transaction blob_tx(struct ledger_world *world, uint64_t nonce, size_t count, uint64_t fee_wei) {
	struct transaction tx = ledger_transfer(nonce, &somebody, 1, fee_wei);
	hash32 *hashes = arena_alloc(&world->arena, count * sizeof *hashes);
	for (size_t i = 0; i < count; i++) {
		hashes[i] = sha256(bytes_make(commitment(i), KZG_POINT_BYTES));
		hashes[i].b[0] = 1;
	}
	tx.type = TX_BLOB;
	tx.max_blob_fee_wei = u256_from(fee_wei);
	tx.blob_hashes = hashes;
	tx.blob_count = count;
	return tx;
}

static enum pool_verdict add(
    struct ledger_world *world, size_t account, uint64_t nonce, size_t count, uint64_t fee_wei) {
	hash32 hash;
	enum tx_verdict verdict;
	struct transaction tx = blob_tx(world, nonce, count, fee_wei);
	ledger_sign(world, &tx, account);
	return ledger_add(
	    world, &hash, wrap(&world->arena, &tx, world->rules.before_osaka ? 0 : 1, count, 0), &verdict);
}

static void assert_refused(struct ledger_world *world, struct bytes wrapped, const char *why) {
	hash32 hash;
	enum pool_verdict verdict;
	enum tx_verdict tx_verdict;
	assert_int_equal(pool_add(world->pool, &hash, &verdict, &tx_verdict, wrapped, &world->err), STATUS_INVALID);
	assert_string_equal(world->err.message, why);
}

static bool is_kept(const struct ledger_world *world, const hash32 *hash) {
	char path[200], *end = path + snprintf(path, sizeof path, "%s/0x", world->sidecars);
	struct stat info;
	for (size_t i = 0; i < sizeof hash->b; i++) end += snprintf(end, 3, "%02x", hash->b[i]);
	return stat(path, &info) == 0;
}

/* A version 1 sidecar is taken, the block counts its gas, and the file outlives its block for a while. */
static void cell_proofs(void **state) {
	(void)state;
	struct ledger_world world;
	struct transaction found;
	addr20 sender;
	hash32 hash;
	enum tx_verdict verdict;
	ledger_open(&world, false);
	struct transaction tx = blob_tx(&world, 0, 3, 2 * GWEI);
	ledger_sign(&world, &tx, 0);
	assert_int_equal(ledger_add(&world, &hash, wrap(&world.arena, &tx, 1, 3, 0), &verdict), POOL_OK);
	assert_int_equal(ledger_add(&world, &hash, wrap(&world.arena, &tx, 1, 3, 0), &verdict), POOL_ALREADY_KNOWN);
	assert_true(pool_find(world.pool, &found, &sender, &world.arena, &hash));
	assert_int_equal(found.blob_count, 3);
	assert_true(is_kept(&world, &hash));
	assert_int_equal(ledger_seal(&world, 0), 1);
	struct chain_head *head = chain_head(world.chain);
	assert_int_equal(head->header.blob_gas_used, 3 * GAS_PER_BLOB);
	assert_int_equal(head->header.excess_blob_gas, 0);
	chain_head_release(head);
	for (int i = 1; i < SIDECAR_KEPT_BLOCKS; i++) ledger_seal(&world, 0);
	assert_true(is_kept(&world, &hash));
	ledger_seal(&world, 0);
	assert_false(is_kept(&world, &hash));
	ledger_close(&world);
}

static void what_does_not_hold_is_refused(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	struct arena *arena = &world.arena;
	struct transaction tx = blob_tx(&world, 0, 2, 2 * GWEI);
	ledger_sign(&world, &tx, 0);
	assert_refused(&world, tx.raw, "missing sidecar in blob transaction");
	assert_refused(&world, wrap(arena, &tx, 0, 2, 0), "unexpected sidecar version, want: 1, got: 0");
	assert_refused(&world, wrap(arena, &tx, 2, 2, 0), "unsupported sidecar version");
	assert_refused(&world, wrap(arena, &tx, 1, 1, 0), "invalid number of 1 blobs compared to 2 blob hashes");
	assert_refused(&world, wrap(arena, &tx, 1, 2, SHORT_PROOFS), "invalid number of 255 blob proofs expected 256");
	assert_refused(&world, wrap(arena, &tx, 1, 2, SWAPPED_COMMITMENTS),
	    "blob 0: computed hash of its commitment mismatches transaction one");
	assert_refused(&world, wrap(arena, &tx, 1, 2, WRONG_FIRST_PROOF), "invalid blob proof");
	assert_refused(&world, wrap(arena, &tx, 1, 2, LARGE_ELEMENT), "invalid blob proof");
	assert_refused(&world, wrap(arena, &tx, 1, 2, MORE_ITEMS), "RLP: sidecar has not three or four parts");
	hash32 *hashes = (hash32 *)tx.blob_hashes; /* the blobs are proved, but for other hashes */
	const hash32 first = hashes[0];
	hashes[0] = hashes[1];
	hashes[1] = first;
	ledger_sign(&world, &tx, 0);
	assert_refused(
	    &world, wrap(arena, &tx, 1, 2, 0), "blob 0: computed hash of its commitment mismatches transaction one");
	const struct pool_counts counts = pool_counts(world.pool);
	assert_int_equal(counts.pending + counts.queued, 0);
	ledger_close(&world);
}

static enum tx_verdict judged(struct ledger_world *world, struct transaction *tx, size_t count) {
	hash32 hash;
	enum tx_verdict verdict;
	ledger_sign(world, tx, 0);
	assert_int_equal(ledger_add(world, &hash, wrap(&world->arena, tx, 1, count, 0), &verdict), POOL_INVALID);
	return verdict;
}

static void rules_of_the_chain(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	struct transaction tx = blob_tx(&world, 0, 7, 2 * GWEI);
	assert_int_equal(judged(&world, &tx, 7), TX_VERDICT_BLOB_TOO_MANY);
	tx = blob_tx(&world, 0, 1, 2 * GWEI);
	((hash32 *)tx.blob_hashes)->b[0] = 2;
	assert_int_equal(judged(&world, &tx, 1), TX_VERDICT_BLOB_VERSION);
	tx = blob_tx(&world, 0, 6, 2 * GWEI);
	tx.max_blob_fee_wei = u256_from(2 * ETHER); /* 6 * 2^17 * 2 ether are over a million */
	assert_int_equal(judged(&world, &tx, 6), TX_VERDICT_INSUFFICIENT_FUNDS);
	assert_int_equal(add(&world, 0, 1, 1, 2 * GWEI), POOL_BLOB_GAP);
	ledger_close(&world);
}

static void replacement_needs_twice_as_much(void **state) {
	(void)state;
	struct ledger_world world;
	hash32 hash;
	enum tx_verdict verdict;
	ledger_open(&world, false);
	assert_int_equal(add(&world, 0, 0, 1, 100), POOL_OK);
	assert_int_equal(add(&world, 0, 0, 1, 199), POOL_UNDERPRICED);
	assert_int_equal(add(&world, 0, 0, 2, 200), POOL_OK);
	struct transaction plain = ledger_transfer(0, &somebody, 1, 1000);
	assert_int_equal(ledger_add(&world, &hash, ledger_sign(&world, &plain, 0), &verdict), POOL_UNDERPRICED);
	struct transaction tx = blob_tx(&world, 0, 1, 400);
	tx.max_blob_fee_wei = u256_from(399);
	ledger_sign(&world, &tx, 0);
	assert_int_equal(ledger_add(&world, &hash, wrap(&world.arena, &tx, 1, 1, 0), &verdict), POOL_UNDERPRICED);
	const struct pool_counts counts = pool_counts(world.pool);
	assert_int_equal(counts.pending, 1);
	ledger_close(&world);
}

/* Nine blobs a block: what does not fit waits, and nothing else waits for it. */
static void a_block_has_room_for_so_many(void **state) {
	(void)state;
	struct ledger_world world;
	hash32 hash;
	enum tx_verdict verdict;
	ledger_open(&world, false);
	for (size_t account = 0; account < 3; account++)
		assert_int_equal(add(&world, account, 0, 6, 3 * GWEI), POOL_OK);
	assert_int_equal(add(&world, 3, 0, 3, 2 * GWEI), POOL_OK);
	struct transaction plain = ledger_transfer(0, &somebody, 1, 2 * GWEI);
	assert_int_equal(ledger_add(&world, &hash, ledger_sign(&world, &plain, 4), &verdict), POOL_OK);
	assert_int_equal(ledger_seal(&world, 0), 3);
	assert_int_equal(ledger_seal(&world, 0), 1);
	assert_int_equal(ledger_seal(&world, 0), 1);
	assert_int_equal(ledger_seal(&world, 0), 0);
	ledger_close(&world);
}

/* Full blocks of blobs raise their price; a transaction that offers too little waits until it falls (where gas costs
 * nothing: EIP-7918). */
static void a_blob_fee_below_the_blob_base_fee_waits(void **state) {
	(void)state;
	struct ledger_world world;
	hash32 hash;
	enum tx_verdict verdict;
	ledger_open(&world, true);
	for (uint64_t nonce = 0; nonce < 10; nonce++) {
		assert_int_equal(add(&world, 0, nonce, 6, 10 * GWEI), POOL_OK);
		assert_int_equal(add(&world, 1, nonce, 3, 10 * GWEI), POOL_OK);
		assert_int_equal(ledger_seal(&world, 0), 2);
	}
	struct transaction tx = blob_tx(&world, 0, 1, 10 * GWEI);
	tx.max_blob_fee_wei = u256_from(1);
	ledger_sign(&world, &tx, 2);
	assert_int_equal(ledger_add(&world, &hash, wrap(&world.arena, &tx, 1, 1, 0), &verdict), POOL_OK);
	size_t blocks = 1;
	while (ledger_seal(&world, 0) == 0) assert_true(++blocks < 100);
	assert_true(blocks > 1);
	ledger_close(&world);
}

/* A block that fork choice leaves gives its blob transactions back while their sidecars are kept. */
static void what_fork_choice_leaves_waits_again(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	const hash32 genesis = *chain_genesis_hash(world.chain);
	assert_int_equal(add(&world, 0, 0, 2, 2 * GWEI), POOL_OK);
	assert_int_equal(add(&world, 0, 1, 1, 2 * GWEI), POOL_OK);
	assert_int_equal(ledger_seal(&world, 0), 2);
	assert_int_equal(pool_counts(world.pool).pending, 0);
	assert_done(&world, chain_follow(world.chain, &genesis, &world.err));
	assert_int_equal(pool_counts(world.pool).pending, 2);
	assert_int_equal(ledger_seal(&world, 99000), 2);
	ledger_close(&world);
}

static void a_restart_finds_them(void **state) {
	(void)state;
	struct ledger_world world;
	char command[200];
	ledger_open(&world, false);
	assert_int_equal(add(&world, 0, 0, 2, 2 * GWEI), POOL_OK);
	assert_int_equal(add(&world, 1, 0, 1, 2 * GWEI), POOL_OK);
	ledger_end(&world);
	ledger_start(&world);
	assert_int_equal(pool_counts(world.pool).pending, 2);
	ledger_end(&world);
	/* A sidecar that has lost bytes is not valid. */
	snprintf(command, sizeof command, "for f in '%s'/*; do truncate -s -1 $f; break; done", world.sidecars);
	assert_int_equal(system(command), 0);
	ledger_start(&world);
	assert_int_equal(pool_counts(world.pool).pending, 1);
	assert_int_equal(ledger_seal(&world, 0), 1);
	ledger_close(&world);
}

static void the_blob_pool_has_a_limit(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	ledger_end(&world);
	world.blobs_max = 8;
	ledger_start(&world);
	assert_int_equal(add(&world, 0, 0, 6, 2 * GWEI), POOL_OK);
	assert_int_equal(add(&world, 1, 0, 3, 2 * GWEI), POOL_BLOBS_FULL);
	assert_int_equal(add(&world, 1, 0, 2, 2 * GWEI), POOL_OK);
	assert_int_equal(ledger_seal(&world, 0), 2);
	assert_int_equal(add(&world, 1, 1, 6, 2 * GWEI), POOL_OK);
	ledger_close(&world);
}

static void before_osaka_a_proof_is_a_blobs(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open_by(&world, (struct ledger_rules){.before_osaka = true});
	assert_int_equal(add(&world, 0, 0, 9, 2 * GWEI), POOL_OK);
	struct transaction tx = blob_tx(&world, 0, 2, 2 * GWEI);
	ledger_sign(&world, &tx, 1);
	assert_refused(&world, wrap(&world.arena, &tx, 1, 2, 0), "unexpected sidecar version, want: 0, got: 1");
	assert_refused(&world, wrap(&world.arena, &tx, 0, 2, WRONG_FIRST_PROOF), "invalid blob proof");
	assert_refused(&world, wrap(&world.arena, &tx, 0, 2, LARGE_ELEMENT), "invalid blob proof");
	assert_int_equal(ledger_seal(&world, 0), 1);
	ledger_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cell_proofs),
	    cmocka_unit_test(what_does_not_hold_is_refused),
	    cmocka_unit_test(rules_of_the_chain),
	    cmocka_unit_test(replacement_needs_twice_as_much),
	    cmocka_unit_test(a_block_has_room_for_so_many),
	    cmocka_unit_test(a_blob_fee_below_the_blob_base_fee_waits),
	    cmocka_unit_test(what_fork_choice_leaves_waits_again),
	    cmocka_unit_test(a_restart_finds_them),
	    cmocka_unit_test(the_blob_pool_has_a_limit),
	    cmocka_unit_test(before_osaka_a_proof_is_a_blobs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
