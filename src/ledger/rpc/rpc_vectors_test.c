/* The execution APIs' own exchanges (.io files), asked of a node that imported the chain they were made on. */
#include "codec/rlp.h"
#include "tests/unit.h"
#include "tests/vectors.h"

#include "codec/hex.h"
#include "ledger/chain/branches.h"

#include "ledger/rpc/test_node.h"

/* Members that one age of the interface has and another has not. */
static const char *const no_names[] = {NULL};
static const char *const names_of_2023[] = {
    "blockTimestamp", "totalDifficulty", "chainId", "yParity", "baseFeePerBlobGas", "blobGasUsedRatio", NULL};

/* Files whose answer here is another, and why. */
static const struct {
	const char *file, *why;
} exceptions[] = {
    {"eth_capabilities/get-capabilities.io", "a member that a node without deletions leaves out"},
    {"cancun-2023/eth_getStorage/get-storage-invalid-key-too-large.io", "-32602 since 2025"},
    {"cancun-2023/eth_getStorage/get-storage-invalid-key.io", "-32602 since 2025"},
};

static bool ends(const char *text, const char *tail) {
	const size_t len = strlen(text), tail_len = strlen(tail);
	return len >= tail_len && strcmp(text + len - tail_len, tail) == 0;
}

static bool is_excepted(const char *path) {
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
		if (!ends(path, exceptions[i].file)) continue;
		printf("%s: skipped: %s\n", exceptions[i].file, exceptions[i].why);
		return true;
	}
	return false;
}

struct suite {
	struct test_node node;
	struct vectors tally;
	const char *const *ignored;
};

static bool is_ignored(struct bytes name, const char *const *ignored) {
	for (; *ignored; ignored++)
		if (bytes_equal(name, bytes_text(*ignored))) return true;
	return false;
}

static const struct json *member(const struct json *object, struct bytes name) {
	json_foreach (item, object)
		if (bytes_equal(item->name, name)) return item;
	return NULL;
}

static bool same(const struct json *want, const struct json *have, bool shape_only, const char *const *ignored);

/* An address or a nonce that names a member: a value, which shape does not ask for. */
static bool is_value(struct bytes name) {
	if (name.len == 42 && name.data[0] == '0' && name.data[1] == 'x') return true;
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] < '0' || name.data[i] > '9') return false;
	return name.len > 0;
}

static bool same_members(
    const struct json *want, const struct json *have, bool shape_only, const char *const *ignored) {
	json_foreach (item, want) {
		if (is_ignored(item->name, ignored)) continue;
		const struct json *other = member(have, item->name);
		if (!other && shape_only && is_value(item->name)) continue;
		if (!other || !same(item, other, shape_only, ignored)) return false;
	}
	json_foreach (item, have)
		if (!is_ignored(item->name, ignored) && !member(want, item->name) &&
		    !(shape_only && is_value(item->name)))
			return false;
	return true;
}

static bool same_items(const struct json *want, const struct json *have, bool shape_only, const char *const *ignored) {
	const struct json *other = have->first;
	if (!shape_only && want->count != have->count) return false;
	json_foreach (item, want) {
		if (!other) break;
		if (!same(item, other, shape_only, ignored)) return false;
		other = other->next;
	}
	return true;
}

/* Deeply equal; or, shape_only, of the same types and member names. */
static bool same(const struct json *want, const struct json *have, bool shape_only, const char *const *ignored) {
	if (want->type != have->type) return false;
	switch (want->type) {
	case JSON_OBJECT: return same_members(want, have, shape_only, ignored);
	case JSON_ARRAY: return same_items(want, have, shape_only, ignored);
	case JSON_STRING:
	case JSON_NUMBER: return shape_only || bytes_equal(want->text, have->text);
	case JSON_NULL:
	case JSON_TRUE:
	case JSON_FALSE: return true;
	}
	return false;
}

static struct bytes next_line(struct bytes *rest) {
	const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
	const size_t len = end ? (size_t)(end - rest->data) : rest->len;
	const struct bytes line = bytes_slice(*rest, 0, len);
	*rest = bytes_slice(*rest, len + 1, rest->len);
	return line;
}

static bool begins(struct bytes line, const char *prefix) {
	return line.len >= strlen(prefix) && memcmp(line.data, prefix, strlen(prefix)) == 0;
}

static bool is_served(struct bytes request, struct arena *arena) {
	const struct json *root;
	if (json_parse(&root, arena, request, &json_limits_default, NULL) != STATUS_OK) return false;
	for (size_t i = 0; i < rpc_method_count(); i++)
		if (json_string_is(json_get(root, "method"), rpc_method_info(i).name)) return true;
	return false;
}

static bool exchange(struct suite *suite, struct bytes request, struct bytes expected, bool shape_only) {
	struct test_node *node = &suite->node;
	const struct json *want;
	NODE_OK(node, json_parse(&want, &node->arena, expected, &json_limits_default, &node->err));
	const struct json *have = test_node_ask(node, request);
	if (same(want, have, shape_only, suite->ignored)) return true;
	printf("asked %.*s\nwant  %.*s\nhave  %.*s\n", (int)(request.len > 300 ? 300 : request.len),
	    (const char *)request.data, (int)(expected.len > 1000 ? 1000 : expected.len), (const char *)expected.data,
	    (int)(have->raw.len > 1000 ? 1000 : have->raw.len), (const char *)have->raw.data);
	return false;
}

static void run_file(void *context, const char *path) {
	struct suite *suite = context;
	struct bytes rest = vectors_read(&suite->node.arena, path), request = {NULL, 0};
	bool shape_only = false, good = true, skipped = is_excepted(path);
	while (rest.len && !skipped) {
		const struct bytes line = next_line(&rest);
		if (begins(line, "// speconly:")) shape_only = true;
		if (begins(line, ">> ")) request = bytes_slice(line, 3, line.len);
		if (!begins(line, "<< ")) continue;
		skipped = !is_served(request, &suite->node.arena);
		if (!skipped) good &= exchange(suite, request, bytes_slice(line, 3, line.len), shape_only);
	}
	if (skipped)
		suite->tally.skipped++; /* besides the exceptions: methods that are not served, as debug_trace* */
	else
		vectors_count(&suite->tally, good, path, BYTES_LITERAL(""));
}

/* A node that holds the chain of a genesis file and a file of blocks, or what it can of it. */
static void serve_chain(struct test_node *node, struct arena *arena, const char *genesis, const char *chain) {
	test_node_open(node, vectors_read(arena, genesis));
	struct rlp_cursor blocks = rlp_cursor(vectors_read(arena, chain));
	enum status status = STATUS_OK;
	while (status == STATUS_OK && !rlp_at_end(&blocks)) {
		struct block block;
		const struct bytes rlp = rlp_raw(&blocks);
		NODE_OK(node, block_decode(&block, arena, rlp, &node->err));
		if (block.header.number > 0) status = chain_import(node->chain, rlp, &node->err);
		if (status != STATUS_OK)
			printf(
			    "%s: block %llu: %s\n", chain, (unsigned long long)block.header.number, node->err.message);
	}
	test_node_serve(node, NULL, 0);
}

static void run_suite(const char *folder, const char *const *ignored) {
	struct suite suite = {.tally = {.name = folder}, .ignored = ignored};
	struct test_node *node = &suite.node;
	struct arena arena;
	arena_init(&arena);
	vectors_need(folder);
	const char *path = vectors_path(&arena, folder);
	serve_chain(
	    node, &arena, arena_printf(&arena, "%s/genesis.json", path), arena_printf(&arena, "%s/chain.rlp", path));
	vectors_walk(path, ".io", run_file, &suite);
	test_node_close(node);
	arena_fini(&arena);
	vectors_report(&suite.tally);
}

static void osaka_2026(void **state) {
	(void)state;
	run_suite("ethereum/rpc/osaka-bpo2-2026", no_names);
}

static void cancun_2023(void **state) {
	(void)state;
	run_suite("ethereum/rpc/cancun-2023", names_of_2023);
}

static uint64_t number_of(struct test_node *node, const char *tag) {
	uint64_t number;
	const struct json *answer = test_node_ask(node,
	    bytes_text(arena_printf(&node->arena,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBlockByNumber\",\"params\":[\"%s\",false]}", tag)));
	const struct json *text = json_get(json_get(answer, "result"), "number");
	assert_int_equal(hex_quantity(&number, json_string(text)), STATUS_OK);
	return number;
}

/* On a chain that others sealed, safe and finalized are what was named; and the newest block before that. */
static void named_blocks(void **state) {
	struct test_node node;
	struct arena arena;
	struct header header;
	struct chain_forkchoice choice;
	(void)state;
	arena_init(&arena);
	vectors_need("ethereum/rpc/cancun-2023");
	const char *path = vectors_path(&arena, "ethereum/rpc/cancun-2023");
	serve_chain(
	    &node, &arena, arena_printf(&arena, "%s/genesis.json", path), arena_printf(&arena, "%s/chain.rlp", path));
	const uint64_t newest = number_of(&node, "latest");
	assert_int_equal(number_of(&node, "safe"), newest);
	assert_int_equal(number_of(&node, "finalized"), newest);
	NODE_OK(&node, chain_header_by_number(node.chain, &header, &choice.head, newest, &node.err));
	NODE_OK(&node, chain_header_by_number(node.chain, &header, &choice.safe, newest - 2, &node.err));
	NODE_OK(&node, chain_header_by_number(node.chain, &header, &choice.finalized, newest - 5, &node.err));
	NODE_OK(&node, chain_set_forkchoice(node.chain, &choice, &node.err));
	assert_int_equal(number_of(&node, "latest"), newest);
	assert_int_equal(number_of(&node, "safe"), newest - 2);
	assert_int_equal(number_of(&node, "finalized"), newest - 5);
	test_node_close(&node);
	arena_fini(&arena);
}

/* Besu's own: { request, response, statusCode }. Its block 23 calls a BLS12-381 precompile. */
static void run_exchange_file(void *context, const char *path) {
	struct suite *suite = context;
	const struct json *file = vectors_parse(&suite->node.arena, path);
	const struct json *request = json_get(file, "request"), *response = json_get(file, "response");
	uint64_t number;
	assert_true(request && response);
	assert_int_equal(hex_quantity(&number, json_string(json_at(json_get(request, "params"), 0))), STATUS_OK);
	struct chain_head *head = chain_head(suite->node.chain);
	const bool is_there = number <= head->header.number;
	chain_head_release(head);
	if ((is_there || number < 23) && !is_excepted(path))
		vectors_count(
		    &suite->tally, exchange(suite, request->raw, response->raw, false), path, BYTES_LITERAL(""));
	else
		suite->tally.skipped++;
}

static void besu_tracers(void **state) {
	static const char *const folders[] = {"call-tracer", "prestate-tracer", "4byte-tracer"};
	struct suite suite = {.tally = {.name = "ethereum/rpc/besu-tracers"}, .ignored = no_names};
	struct arena arena;
	(void)state;
	arena_init(&arena);
	vectors_need(suite.tally.name);
	const char *path = vectors_path(&arena, suite.tally.name);
	serve_chain(&suite.node, &arena, arena_printf(&arena, "%s/chain-data/genesis.json", path),
	    arena_printf(&arena, "%s/chain-data/blocks.bin", path));
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		vectors_walk(arena_printf(&arena, "%s/%s", path, folders[i]), ".json", run_exchange_file, &suite);
	test_node_close(&suite.node);
	arena_fini(&arena);
	vectors_report(&suite.tally);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(osaka_2026), cmocka_unit_test(cancun_2023),
	    cmocka_unit_test(named_blocks), cmocka_unit_test(besu_tracers)};
	return cmocka_run_group_tests_name("rpc vectors", tests, NULL, NULL);
}
