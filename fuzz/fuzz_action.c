/* A file of a signed action: what is taken is the same when it is written again, and its blob has the name that it
 * says.
 */
#include "envelope/container.h"
#include "health/actors/action.h"

#include "fuzz/target.h"

#define CHAIN_ID 7697u

static void check_again(struct arena *arena, const struct action *action) {
	struct action again;
	struct buf text;
	buf_init(&text, (size_t)192 << 20);
	BUG_ON(action_write(&text, action, CHAIN_ID, NULL) != STATUS_OK);
	BUG_ON(action_parse(&again, arena, buf_view(&text), CHAIN_ID, NULL) != STATUS_OK);
	BUG_ON(!addr20_equal(&again.to, &action->to) || !bytes_equal(again.data, action->data));
	BUG_ON(again.blob_count != action->blob_count || !bytes_equal(again.key, action->key));
	buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	struct action action;
	arena_init(&arena);
	if (action_parse(&action, &arena, bytes_make(data, size), CHAIN_ID, NULL) == STATUS_OK) {
		BUG_ON(action.blob_count > ACTION_BLOBS_MAX);
		for (size_t i = 0; i < action.blob_count; i++) {
			struct container container;
			BUG_ON(container_decode(&container, action.blobs[i].container, NULL) != STATUS_OK);
			const hash32 name = container_name(&container);
			BUG_ON(!hash32_equal(&name, &action.blobs[i].blob));
		}
		check_again(&arena, &action);
	}
	arena_fini(&arena);
	return 0;
}
