/*
 * Would the product's table take all of these serials? It keeps 26 bits of each and rarely takes a sound one for
 * another (docs/decisions/0038): once in a million packs, so once in a hundred documents of 10,000.
 *
 * For one that the table has: neither the home's documents nor a proof of a slot say so before it happens, so it is
 * tried, as the contract of medicines would. Nobody proves the answer: a node that lies here can only bring about what
 * happened without asking. For another one of the same document: that is reckoned here, from the buckets that two of
 * them would share.
 */
#include "health/contracts/products.h"
#include "health/epcis/planner.h"

#define FRAGMENT_BYTES 8u
#define TRIED_AT_ONCE 2500u /* what nodes run in one call, at up to 15,000 gas a serial */

static size_t place_of(const hash32 *tags, size_t count, const uint8_t fragment[FRAGMENT_BYTES]) {
	size_t at = 0;
	while (at < count && memcmp(tags[at].b, fragment, FRAGMENT_BYTES) != 0) at++;
	return at;
}

static enum status try_some(struct actor_request *request, size_t *at, const hash32 *product, const hash32 *tags,
    size_t count, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	uint8_t *fragments = arena_alloc(request->arena, count * FRAGMENT_BYTES);
	struct products_insert_result result;
	struct client_verdict verdict;
	struct bytes output;
	for (size_t i = 0; i < count; i++) memcpy(fragments + i * FRAGMENT_BYTES, tags[i].b, FRAGMENT_BYTES);
	const struct bytes call =
	    products_insert_call(request->arena, product, bytes_make(fragments, count * FRAGMENT_BYTES));
	TRY(client_call(request->client, &output, &verdict, request->arena, &deployment->medicines,
	    &deployment->products, call, err));
	*at = count;
	if (!verdict.ok) return STATUS_OK; /* a node that does not run it so far: the transactions are tried again */
	TRY(products_insert_read(&result, output, err));
	if (result.result != PRODUCTS_INSERTION_DONE) *at = place_of(tags, count, result.fragment);
	return STATUS_OK;
}

enum status plan_try_serials(struct actor_request *request, size_t *at, const hash32 *product, const hash32 *tags,
    size_t count, struct err *err) {
	for (*at = 0; *at < count;) {
		const size_t some = count - *at < TRIED_AT_ONCE ? count - *at : TRIED_AT_ONCE;
		size_t refused;
		TRY(try_some(request, &refused, product, tags + *at, some, err));
		*at += refused;
		if (refused < some) return STATUS_OK;
	}
	return STATUS_OK;
}

struct table {
	struct actor_request *request;
	const hash32 *product;
};

static enum status bucket_of(void *context, struct serial_bucket *out, uint64_t fragment, struct err *err) {
	const struct table *table = context;
	return medicines_serial_bucket(table->request, out, table->product, fragment, err);
}

enum status plan_compare_serials(struct actor_request *request, size_t *at, const hash32 *product, const hash32 *tags,
    size_t count, struct err *err) {
	struct table table = {request, product};
	uint64_t *fragments = arena_alloc(request->arena, (count + 1) * sizeof *fragments);
	for (size_t i = 0; i < count; i++) fragments[i] = load_be64(tags[i].b);
	return serials_first_alike(at, fragments, count, bucket_of, &table, err);
}
