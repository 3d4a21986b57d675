#include "ledger/pool/foreseen.h"

#include "tests/unit.h"

#include "base/mem.h"

enum { THREADS = 8, ROUNDS = 100, BAD_EVERY = 5 };

/* Transaction `number` of `thread`, signed by the thread's own key; every BAD_EVERYth by nobody. */
static struct bytes envelope_of(struct arena *arena, addr20 *signer, unsigned thread, uint64_t number) {
	const hash32 secret = {.b = {[31] = (uint8_t)(thread + 1)}};
	struct transaction tx = {.type = TX_DYNAMIC_FEE,
	    .chain_id = u256_from(1),
	    .has_chain_id = true,
	    .nonce = number,
	    .gas_limit = 21000};
	assert_int_equal(transaction_sign(&tx, arena, &secret, NULL), STATUS_OK);
	assert_int_equal(transaction_sender(signer, &tx, true, NULL), STATUS_OK);
	if (number % BAD_EVERY) return tx.raw;
	struct bytes raw = arena_dup(arena, tx.raw);
	memset((uint8_t *)(uintptr_t)raw.data + raw.len - 32, 0xff, 32); /* s: over n */
	return raw;
}

struct offering {
	struct foreseen *foreseen;
	unsigned thread, wrong;
	size_t found;
};

/* Two at a time, as connections of one HTTP thread. Asserts nothing itself: cmocka's jumps stay on the main thread. */
static void *offer(void *context) {
	struct offering *offering = context;
	struct arena arena;
	arena_init(&arena);
	for (uint64_t number = 0; number < ROUNDS; number += 2) {
		struct bytes envelopes[2];
		addr20 signers[2], sender;
		for (unsigned i = 0; i < 2; i++) {
			envelopes[i] = envelope_of(&arena, &signers[i], offering->thread, number + i);
			offering->wrong += !foreseen_put(offering->foreseen, envelopes[i]);
		}
		for (unsigned i = 0; i < 2; i++) {
			const bool found = foreseen_take(offering->foreseen, &sender, envelopes[i]);
			offering->wrong += found != ((number + i) % BAD_EVERY != 0);
			offering->wrong += found && memcmp(sender.b, signers[i].b, sizeof sender.b) != 0;
			offering->found += found;
		}
	}
	arena_fini(&arena);
	return NULL;
}

static void threads_get_their_own_answers(void **state) {
	(void)state;
	struct foreseen foreseen;
	struct offering offerings[THREADS];
	pthread_t threads[THREADS];
	foreseen_init(&foreseen);
	for (unsigned i = 0; i < THREADS; i++) {
		offerings[i] = (struct offering){.foreseen = &foreseen, .thread = i};
		assert_int_equal(pthread_create(&threads[i], NULL, offer, &offerings[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(offerings[i].wrong, 0);
		assert_int_equal(offerings[i].found, ROUNDS - ROUNDS / BAD_EVERY);
	}
	foreseen_fini(&foreseen);
}

/* A taken envelope is gone, the same one can be there twice, and garbage harms nobody. */
static void answers_once(void **state) {
	(void)state;
	struct foreseen foreseen;
	struct arena arena;
	addr20 signer, sender;
	static const uint8_t large[FORESEEN_BYTES + 1];
	foreseen_init(&foreseen);
	arena_init(&arena);
	const struct bytes envelope = envelope_of(&arena, &signer, 0, 1);
	assert_false(foreseen_take(&foreseen, &sender, envelope));
	assert_false(foreseen_put(&foreseen, (struct bytes){0}));
	assert_false(foreseen_take(&foreseen, &sender, (struct bytes){0}));
	assert_false(foreseen_put(&foreseen, bytes_make(large, sizeof large)));
	assert_true(foreseen_put(&foreseen, bytes_make(large, FORESEEN_BYTES)));
	assert_true(foreseen_put(&foreseen, envelope));
	assert_true(foreseen_put(&foreseen, envelope));
	for (int i = 0; i < 2; i++) {
		memset(&sender, 0, sizeof sender);
		assert_true(foreseen_take(&foreseen, &sender, envelope));
		assert_memory_equal(sender.b, signer.b, sizeof sender.b);
	}
	assert_false(foreseen_take(&foreseen, &sender, envelope));
	assert_false(foreseen_take(&foreseen, &sender, bytes_make(large, FORESEEN_BYTES)));
	arena_fini(&arena);
	foreseen_fini(&foreseen);
}

/* Where all places wait to be read none is lost; once read they are given away, should nobody ask. */
static void the_forsaken_make_room(void **state) {
	(void)state;
	struct foreseen foreseen;
	struct arena arena;
	struct bytes envelopes[FORESEEN_MAX + 1];
	addr20 signer, sender;
	foreseen_init(&foreseen);
	arena_init(&arena);
	for (size_t i = 0; i <= FORESEEN_MAX; i++) {
		envelopes[i] = envelope_of(&arena, &signer, 0, BAD_EVERY * i + 1);
		assert_int_equal(foreseen_put(&foreseen, envelopes[i]), i < FORESEEN_MAX);
	}
	assert_true(foreseen_take(&foreseen, &sender, envelopes[0]));
	for (size_t i = 0; i < 2 * FORESEEN_MAX; i++) {
		assert_true(foreseen_put(&foreseen, envelopes[FORESEEN_MAX]));
		assert_true(foreseen_take(&foreseen, &sender, envelopes[FORESEEN_MAX]));
	}
	for (size_t i = 0; i < FORESEEN_MAX; i++) assert_true(foreseen_put(&foreseen, envelopes[i]));
	assert_false(foreseen_put(&foreseen, envelopes[FORESEEN_MAX]));
	arena_fini(&arena);
	foreseen_fini(&foreseen);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads_get_their_own_answers),
	    cmocka_unit_test(answers_once),
	    cmocka_unit_test(the_forsaken_make_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
