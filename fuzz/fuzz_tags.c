/*
 * Files about products' tags, with anything in them: a dealing of the key, and a product's request, which is the same
 * when it is written again. The first byte chooses.
 */
#include "fuzz/target.h"
#include "health/trace/product_request.h"
#include "health/trace/tag_dealing.h"

static struct home home = {.deployment = {.chain_id = 7697, .products = {{0x22}}}};

static void read_dealing(struct actor_request *request, struct bytes data) {
	struct tag_dealing dealing;
	if (tag_dealing_read(request, &dealing, data, NULL) != STATUS_OK) return;
	const struct statement_tag_holders *to = &dealing.to;
	BUG_ON(to->number == 0 || to->holder_count > STATEMENT_HOLDERS_MAX);
	BUG_ON(to->commitments.threshold == 0 || to->commitments.threshold > to->holder_count);
	for (size_t i = 0; i < to->holder_count; i++) {
		BUG_ON(!dealing.shares[i].data);
		BUG_ON(statement_tag_holder_index(to, &to->holders[i]) != i + 1);
	}
}

static void read_request(struct actor_request *request, struct bytes data) {
	struct product_request *asked = arena_zalloc(request->arena, 2, sizeof *asked);
	struct buf first, second;
	if (product_request_read(request, &asked[0], data, NULL) != STATUS_OK) return;
	buf_init(&first, 2 * PRODUCT_REQUEST_MAX);
	buf_init(&second, 2 * PRODUCT_REQUEST_MAX);
	product_request_write(&first, &home.deployment, &asked[0]);
	BUG_ON(product_request_read(request, &asked[1], buf_view(&first), NULL) != STATUS_OK);
	product_request_write(&second, &home.deployment, &asked[1]);
	BUG_ON(!bytes_equal(buf_view(&first), buf_view(&second)));
	buf_fini(&first);
	buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct bytes rest = bytes_slice(bytes_make(data, size), 1, size);
	struct arena arena;
	struct actor_request request = {.home = &home, .arena = &arena};
	if (size > PRODUCT_REQUEST_MAX) return 0;
	arena_init(&arena);
	if (size && data[0] % 2 == 0) read_dealing(&request, rest);
	if (size && data[0] % 2 == 1) read_request(&request, rest);
	arena_fini(&arena);
	return 0;
}
