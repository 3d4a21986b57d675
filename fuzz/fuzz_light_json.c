/* What is read from CometBFT's JSON is written and read again as the same block. */
#include "comet/light_json.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct comet_light_block block, again;
	const struct json *root;
	struct arena arena;
	struct buf text;
	arena_init(&arena);
	if (json_parse(&root, &arena, bytes_make(data, size), NULL, NULL) == STATUS_OK &&
	    comet_light_block_of_json(&block, &arena, json_get(root, "commit"), json_get(root, "validators"), NULL) ==
		STATUS_OK) {
		buf_init(&text, COMET_LIGHT_BLOCK_MAX);
		comet_light_block_encode(&text, &block);
		BUG_ON(comet_light_block_decode(&again, buf_view(&text), NULL) != STATUS_OK);
		BUG_ON(!hash32_equal(&again.header.hash, &block.header.hash));
		buf_fini(&text);
	}
	arena_fini(&arena);
	return 0;
}
