/* What was written down of an idempotency key, with anything in it: it is damage, or it makes sense and is the same
 * when it is written again. */
#include "fuzz/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "health/gateway/keys.h"

static char folder[64];
static struct home home;

static uint64_t now_ms(void *context) {
	(void)context;
	return 0;
}

static void remove_folder(void) {
	static const char *const paths[] = {"requests", "files.lock", ""};
	char path[128];
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, paths[i]);
		remove(path);
	}
}

static void make_folder(void) {
	snprintf(folder, sizeof folder, "/tmp/xinglin-fuzz-keys-XXXXXX");
	BUG_ON(!mkdtemp(folder));
	home.directory = folder;
	atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct clock_source clock = {now_ms, now_ms, NULL};
	if (!folder[0]) make_folder();
	struct arena arena;
	struct key_answer answer, again;
	enum key_state state, state_again;
	struct key_claim claim = {.name = {{1}}, .request = {{1}}};
	struct outcomes *outcomes = outcomes_new(&home, &clock);
	struct keys *keys = keys_new(outcomes, NULL);
	arena_init(&arena);
	BUG_ON(outcome_key_write(outcomes, &claim.name, bytes_make(data, size), NULL) != STATUS_OK);
	if (keys_claim(keys, &state, &claim, &answer, &arena, NULL) == STATUS_OK && state == KEY_NAMED) {
		BUG_ON(keys_put_records(keys, &claim, answer.records, answer.record_count, NULL) != STATUS_OK);
		keys_release(keys, &claim);
		BUG_ON(keys_claim(keys, &state_again, &claim, &again, &arena, NULL) != STATUS_OK);
		BUG_ON(state_again != KEY_NAMED || again.record_count != answer.record_count);
		BUG_ON(memcmp(again.records, answer.records, answer.record_count * sizeof *answer.records) != 0);
	}
	keys_drop(keys, &claim);
	outcome_key_remove(outcomes, &claim.name);
	arena_fini(&arena);
	keys_free(keys);
	outcomes_free(outcomes);
	return 0;
}
