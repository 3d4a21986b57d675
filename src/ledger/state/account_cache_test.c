#include "ledger/state/account_cache.h"

#include "tests/unit.h"

#include "crypto/hash.h"

enum { ACCOUNTS = 40, COMMITS = 300 };

/* The whole past, kept plainly: nonces[commit][account]; an even nonce is an account that is gone. */
static uint64_t nonces[COMMITS][ACCOUNTS];

static hash32 name_of(size_t account) {
	hash32 out = {0};
	store_be64(out.b, account / 2); /* two share each place */
	out.b[31] = (uint8_t)account;
	return out;
}

static uint32_t noise(uint32_t number) {
	uint8_t bytes[4];
	store_be32(bytes, number);
	const hash32 hash = keccak256(bytes_make(bytes, 4));
	return load_be32(hash.b);
}

/* Some accounts change, each by a new nonce. */
static void commit_one(struct account_cache *cache, uint32_t commit) {
	struct account_change changes[ACCOUNTS];
	struct state_diff diff = {.accounts = changes};
	memcpy(nonces[commit], nonces[commit - 1], sizeof nonces[0]);
	for (size_t i = 0; i < ACCOUNTS; i++) {
		const uint32_t luck = noise(commit * ACCOUNTS + (uint32_t)i);
		if (luck % 8 != 0) continue;
		nonces[commit][i] = luck >> 8;
		changes[diff.count++] = (struct account_change){.address_hash = name_of(i),
		    .exists = nonces[commit][i] % 2 != 0,
		    .after = {.nonce = nonces[commit][i]}};
	}
	account_cache_learn(cache, &diff);
}

/* What it says is what was; returns how often it said something. */
static size_t ask_all(struct account_cache *cache, uint32_t commit, uint64_t at) {
	size_t found = 0;
	for (size_t i = 0; i < ACCOUNTS; i++) {
		struct account account;
		bool exists;
		const hash32 name = name_of(i);
		if (!account_cache_get(cache, &account, &exists, &name, at)) continue;
		assert_int_equal(account.nonce, nonces[commit][i]);
		assert_int_equal(exists, nonces[commit][i] % 2 != 0);
		found++;
	}
	return found;
}

static void says_what_was(void **state) {
	(void)state;
	struct account_cache *cache = account_cache_new();
	uint64_t at[COMMITS];
	at[0] = account_cache_commit(cache);
	size_t new = 0, old = 0;
	for (uint32_t commit = 1; commit < COMMITS; commit++) {
		commit_one(cache, commit);
		at[commit] = account_cache_commit(cache);
		new += ask_all(cache, commit, at[commit]);
		for (uint32_t back = 1; back < 5 && back <= commit; back++)
			old += ask_all(cache, commit - back, at[commit - back]);
	}
	assert_true(new > (COMMITS - 50) * ACCOUNTS / 2 / 2);
	assert_true(old > 0);
	account_cache_free(cache);
}

/* After unwinding, a view of the blocks that are gone finds nothing of the blocks that came instead. */
static void forgets_a_branch(void **state) {
	(void)state;
	struct account_cache *cache = account_cache_new();
	for (uint32_t commit = 1; commit < 20; commit++) commit_one(cache, commit);
	const uint64_t gone = account_cache_commit(cache);
	account_cache_clear(cache);
	assert_int_equal(ask_all(cache, 19, gone), 0);
	assert_int_equal(ask_all(cache, 19, account_cache_commit(cache)), 0);
	memcpy(nonces[29], nonces[10], sizeof nonces[0]);
	for (uint32_t commit = 30; commit < 50; commit++) commit_one(cache, commit);
	assert_int_equal(ask_all(cache, 19, gone), 0);
	assert_true(ask_all(cache, 49, account_cache_commit(cache)) > 0);
	account_cache_free(cache);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(says_what_was),
	    cmocka_unit_test(forgets_a_branch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
