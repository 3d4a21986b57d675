/* Who decided the block of a disclosure proof: the anchor's sealer, or its consortium. */
#include "health/records/disclosure.h"

#include "tests/unit.h"

#include "health/chain/validators.h"
#include "health/records/registration_slots.h"
#include "tests/fake_consortium.h"

#define DAY_MS UINT64_C(86400000)

static const hash32 record = {{5}}, salt = {{6}};
static const struct bytes resource = BYTES_LITERAL("{\"resourceType\":\"Observation\"}");

/* Registers the record in the next block. */
static void register_record(struct world *world) {
	static const uint8_t leaf_domain = 0;
	const struct bytes parts[] = {bytes_make(&leaf_domain, 1), BYTES_OF(salt), resource};
	const hash32 root = sha256_parts(parts, 3);
	hash32 slots[2], packed = {{[7] = 1, [11] = 1, [12] = 0xaa}};
	registration_slots(slots, &record);
	fake_set(world->chain, &world->chain->anchor.records, &slots[0], &root);
	fake_set(world->chain, &world->chain->anchor.records, &slots[1], &packed);
	fake_mine(world->chain, FAKE_START_S + 4);
}

static int setup_sealed(void **state) {
	setup(state);
	register_record(*state);
	return 0;
}

static int setup_decided(void **state) {
	setup_net(state);
	struct world *world = *state;
	world->chain->signs_nothing = true;
	register_record(world);
	return 0;
}

static void put_list(struct json_writer *writer, const char *name, const struct bytes *items, size_t count) {
	json_array_begin(writer, name);
	for (size_t i = 0; i < count; i++) json_put_hex(writer, NULL, items[i]);
	json_array_end(writer);
}

/* The file, as disclosure_make writes it. */
static struct bytes make_file(struct world *world, struct arena *arena) {
	const struct deployment *anchor = &world->chain->anchor;
	struct validators_proof decided = {0};
	struct client_proof proof;
	hash32 slots[2];
	struct buf text;
	registration_slots(slots, &record);
	world->err = (struct err){0};
	if (client_proof(world->client, &proof, arena, &anchor->records, slots, 2, &world->err) != STATUS_OK ||
	    (proof.commit.len && validators_proof_make(world->client, &decided, arena, anchor, proof.commit,
				     world->chain->now_ms, &world->err) != STATUS_OK))
		fail_msg("%s", world->err.message);
	buf_init(&text, 1 << 20);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", "xinglin-disclosure");
	json_put_u64(&writer, "v", 1);
	json_put_u64(&writer, "chainId", anchor->chain_id);
	json_put_hex(&writer, "genesis", BYTES_OF(anchor->genesis));
	json_put_hex(&writer, "records", BYTES_OF(anchor->records));
	json_put_hex(&writer, "record", BYTES_OF(record));
	json_put_name(&writer, "resource");
	buf_byte(&text, '"');
	base64url_put(&text, resource);
	buf_byte(&text, '"');
	json_put_hex(&writer, "salt", BYTES_OF(salt));
	json_put_u64(&writer, "index", 0);
	json_put_u64(&writer, "count", 1);
	put_list(&writer, "path", NULL, 0);
	json_put_hex(&writer, "header", proof.header_rlp);
	if (decided.count) {
		json_put_hex(&writer, "commit", decided.blocks[decided.count - 1]);
		put_list(&writer, "between", decided.blocks, decided.count - 1);
	} else {
		json_put_hex(&writer, "seal", bytes_make(proof.seal, sizeof proof.seal));
	}
	put_list(&writer, "accountProof", proof.account_nodes, proof.account_node_count);
	json_array_begin(&writer, "storageProof");
	for (size_t i = 0; i < 2; i++) {
		json_object_begin(&writer, NULL);
		json_put_hex(&writer, "key", BYTES_OF(slots[i]));
		put_list(&writer, "proof", proof.storage[i].nodes, proof.storage[i].node_count);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_object_end(&writer);
	struct bytes file = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return file;
}

static enum status verify(struct world *world, struct arena *arena, struct bytes file, uint64_t now_ms) {
	struct disclosure disclosure;
	struct buf anchor;
	world->err = (struct err){0};
	buf_init(&anchor, 1 << 16);
	deployment_write(&anchor, &world->chain->anchor);
	enum status status = disclosure_verify(&disclosure, arena, file, buf_view(&anchor), now_ms, &world->err);
	buf_fini(&anchor);
	if (status != STATUS_OK) return status;
	assert_true(bytes_equal(disclosure.resource, resource));
	assert_int_equal(disclosure.block_number, 4);
	assert_int_equal(disclosure.author.b[0], 0xaa);
	return status;
}

static void expect(struct world *world, struct bytes file, enum status status, const char *words) {
	struct arena arena;
	arena_init(&arena);
	assert_int_equal(verify(world, &arena, file, world->chain->now_ms), status);
	if (!strstr(world->err.message, words)) fail_msg("%s", world->err.message);
	arena_fini(&arena);
}

static void a_sealed_block_is_proof_for_ever(void **state) {
	struct world *world = *state;
	struct arena arena;
	arena_init(&arena);
	const struct bytes file = make_file(world, &arena);
	expect(world, file, STATUS_OK, "");
	assert_int_equal(verify(world, &arena, file, UINT64_MAX), STATUS_OK);
	world->chain->anchor.sealer.b[0] ^= 1;
	expect(world, file, STATUS_DENIED, "not sealed by the anchor's sealer");
	arena_fini(&arena);
}

static void a_decided_block_is_proof_while_the_anchor_counts(void **state) {
	struct world *world = *state;
	struct arena arena;
	arena_init(&arena);
	const struct bytes file = make_file(world, &arena);
	print_message("a file of %zu bytes\n", file.len);
	expect(world, file, STATUS_OK, "");
	assert_int_equal(verify(world, &arena, file, FAKE_START_S * 1000 + 14 * DAY_MS - 1), STATUS_OK);
	assert_int_equal(verify(world, &arena, file, FAKE_START_S * 1000 + 14 * DAY_MS), STATUS_DENIED);
	assert_non_null(strstr(world->err.message, "newer deployment"));
	assert_int_equal(verify(world, &arena, file, 0), STATUS_DENIED);
	assert_non_null(strstr(world->err.message, "in front of the clock"));
	arena_fini(&arena);
}

/* The anchor of today proves what was decided before it. */
static void an_anchor_after_the_block_serves_too(void **state) {
	struct world *world = *state;
	struct comet_trusted *trusted = &world->chain->anchor.validators;
	unsigned who[COMET_VALIDATORS_MAX];
	struct arena arena;
	arena_init(&arena);
	const struct bytes file = make_file(world, &arena);
	trusted->height = 900;
	trusted->time.s += 90 * 86400;
	world->chain->now_ms = (uint64_t)trusted->time.s * 1000;
	expect(world, file, STATUS_OK, "");
	light_set(&trusted->validators, who, (struct light_members){2, 4}); /* two of four are new */
	expect(world, file, STATUS_OK, "");
	light_set(&trusted->validators, who, (struct light_members){4, 4});
	expect(world, file, STATUS_DENIED, "0 of the trusted power 4");
	arena_fini(&arena);
}

static void blocks_between_lead_from_an_old_anchor(void **state) {
	struct world *world = *state;
	struct net *net = net_of(world);
	struct arena arena;
	arena_init(&arena);
	net->each = 10;
	net->height = 80;
	net->time_s = FAKE_START_S + 100;
	const struct bytes file = make_file(world, &arena);
	assert_true(net->between > 2);
	expect(world, file, STATUS_OK, "");
	/* From where nobody is left, without them */
	char *without = arena_strdup(&arena, file), *list = strstr(without, "\"between\":[");
	assert_non_null(list);
	list += strlen("\"between\":[");
	char *end = strchr(list, ']');
	memmove(list, end, strlen(end) + 1);
	expect(world, bytes_text(without), STATUS_DENIED, "of the trusted power 4 voted");
	arena_fini(&arena);
}

static void what_validators_did_not_decide_is_no_proof(void **state) {
	struct world *world = *state;
	struct arena arena;
	arena_init(&arena);
	const struct bytes file = make_file(world, &arena);
	char *changed = arena_strdup(&arena, file), *commit = strstr(changed, "\"commit\":\"0x");
	assert_non_null(commit);
	char *digit = strchr(commit, ',') - 40;
	*digit = *digit == '0' ? '1' : '0'; /* in the last validator's key */
	expect(world, bytes_text(changed), STATUS_DENIED, "not decided by the anchor's validators");
	memcpy(commit, "\"comMit", 7);
	expect(world, bytes_text(changed), STATUS_INVALID, "\"seal\"");
	changed = arena_strdup(&arena, file);
	memcpy(strstr(changed, "\"between\""), "\"betWeen\"", 9);
	expect(world, bytes_text(changed), STATUS_INVALID, "\"between\"");
	world->chain->anchor.validators.validators.count = 0; /* a sealer's anchor */
	world->chain->anchor.sealer = (addr20){{1}};
	expect(world, file, STATUS_DENIED, "not sealed by the anchor's sealer");
	arena_fini(&arena);
}

static void a_light_block_of_another_head_is_no_proof(void **state) {
	struct world *world = *state;
	const hash32 other = {{9}};
	struct arena arena;
	arena_init(&arena);
	net_of(world)->app = &other;
	expect(world, make_file(world, &arena), STATUS_DENIED, "of another block");
	arena_fini(&arena);
}

#define SEALED(name) cmocka_unit_test_setup_teardown(name, setup_sealed, teardown)
#define DECIDED(name) cmocka_unit_test_setup_teardown(name, setup_decided, teardown_net)

int main(void) {
	const struct CMUnitTest tests[] = {
	    SEALED(a_sealed_block_is_proof_for_ever),
	    DECIDED(a_decided_block_is_proof_while_the_anchor_counts),
	    DECIDED(an_anchor_after_the_block_serves_too),
	    DECIDED(blocks_between_lead_from_an_old_anchor),
	    DECIDED(a_light_block_of_another_head_is_no_proof),
	    DECIDED(what_validators_did_not_decide_is_no_proof),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
