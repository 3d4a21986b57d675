/* The anchor is strict: what it does not pin, nobody believes. */
#include "health/chain/deployment.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

static struct deployment example(void) {
	struct deployment anchor = {.chain_id = 7,
	    .genesis = {{1}},
	    .sealer = {{2}},
	    .rpc_url = "http://127.0.0.1:8545",
	    .registrars = {{{3}}, {{4}}, {{5}}},
	    .registrar_count = 3,
	    .threshold = 2,
	    .witnesses = {{{{6}}, "http://w1"}, {{{7}}, "http://w2"}},
	    .witness_count = 2,
	    .witness_threshold = 1,
	    .nodes = {{{{8}}, "https://n1"}, {{{9}}, "https://n2"}},
	    .node_count = 2,
	    .directory = {{11}},
	    .folders = {{12}},
	    .records = {{13}},
	    .consent = {{14}},
	    .medicines = {{15}}};
	anchor.code.directory.b[0] = 21;
	anchor.code.medicines.b[0] = 25;
	return anchor;
}

static const char *text_of(const struct deployment *anchor) {
	static char text[8192];
	struct buf json;
	buf_init(&json, sizeof text - 1);
	deployment_write(&json, anchor);
	assert_int_equal(buf_status(&json, NULL), STATUS_OK);
	snprintf(text, sizeof text, "%s", buf_cstr(&json));
	buf_fini(&json);
	return text;
}

static void what_is_written_is_read(void **state) {
	(void)state;
	struct deployment anchor = example(), again;
	struct err err;
	assert_int_equal(deployment_parse(&again, bytes_text(text_of(&anchor)), &err), STATUS_OK);
	assert_memory_equal(&again, &anchor, sizeof anchor);
	anchor.witness_count = anchor.witness_threshold = 0;
	memset(anchor.witnesses, 0, sizeof anchor.witnesses);
	anchor.node_count = 0;
	memset(anchor.nodes, 0, sizeof anchor.nodes);
	assert_int_equal(deployment_parse(&again, bytes_text(text_of(&anchor)), &err), STATUS_OK);
	assert_memory_equal(&again, &anchor, sizeof anchor);
	assert_int_equal(deployment_code_of(&again, &again.medicines)->b[0], 25);
	assert_null(deployment_code_of(&again, &again.sealer));
}

static void expect(const char *text, const char *from, const char *to, enum status status, const char *words) {
	static char changed[8192];
	struct deployment anchor;
	struct err err = {0};
	const char *at = strstr(text, from);
	assert_non_null(at);
	snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_int_equal(deployment_parse(&anchor, bytes_text(changed), &err), status);
	if (!strstr(err.message, words)) fail_msg("%s -> %s: %s", from, to, err.message);
}

static void anything_else_is_refused_with_its_name(void **state) {
	(void)state;
	const struct deployment anchor = example();
	const char *text = text_of(&anchor);
	expect(text, "\"v\":2", "\"v\":1", STATUS_UNSUPPORTED, "version 1 pins neither the contracts' code");
	expect(text, "xinglin-deployment", "xinglin-action", STATUS_INVALID, "not a deployment");
	expect(text, "\"chainId\":7", "\"chainId\":\"7\"", STATUS_INVALID, "chainId");
	expect(text, "\"genesis\":\"0x01", "\"genesis\":\"0x", STATUS_INVALID, "genesis");
	expect(text, "\"threshold\":2", "\"threshold\":1", STATUS_INVALID, "more than half");
	expect(text, "\"threshold\":2", "\"threshold\":4", STATUS_INVALID, "threshold");
	expect(text, "\"threshold\":2", "\"threshold\":0", STATUS_INVALID, "threshold");
	expect(text, "\"0x0400", "\"0x0300", STATUS_INVALID, "one account twice");
	expect(text, "\"codeHash\"", "\"codehash\"", STATUS_INVALID, "codeHash");
	expect(text, "\"directory\":{", "\"directory\":{\"owner\":1,", STATUS_INVALID, "directory has members");
	expect(text, "\"v\":2,", "\"v\":2,\"note\":\"\",", STATUS_INVALID, "members that are not known");
	expect(text, "\"urls\":[\"http://w1\",", "\"urls\":[", STATUS_INVALID, "urls");
	expect(text, "http://w1", "", STATUS_INVALID, "urls");
	expect(text, "\"url\":\"https://n1\"", "\"url\":\"\"", STATUS_INVALID, "url");
	expect(text, "\"url\":\"https://n1\"", "\"url\":\"u\",\"v\":1", STATUS_INVALID, "an entry of \"nodes\"");
	expect(text, "\"account\":\"0x09", "\"account\":\"0x08", STATUS_INVALID, "one account twice");
	expect(text, "\"nodes\":[", "\"nodes\":[],\"more\":[", STATUS_INVALID, "nodes");
	expect(text, "\"rpc\":\"http://127.0.0.1:8545\"", "\"rpc\":5", STATUS_INVALID, "rpc");
}

static struct deployment consortium(void) {
	struct deployment anchor = example();
	struct comet_trusted *trusted = &anchor.validators;
	anchor.sealer = (addr20){{0}};
	anchor.trust_days = 14;
	*trusted = (struct comet_trusted){.height = 12, .hash = {{8}}, .time = {1800000000, 0}};
	trusted->validators.count = 3;
	trusted->validators.list[0] = (struct comet_validator){.key = {{31}}, .power = 9};
	trusted->validators.list[1] = (struct comet_validator){.key = {{32}}, .power = 8};
	trusted->validators.list[2] = (struct comet_validator){.key = {{33}}, .power = 7};
	assert_int_equal(comet_validators_make(&trusted->validators, NULL), STATUS_OK);
	trusted->next_validators = trusted->validators.hash;
	return anchor;
}

static void a_consortiums_validators_take_the_sealers_place(void **state) {
	(void)state;
	struct deployment anchor = consortium(), again;
	struct err err = {0};
	assert_true(deployment_is_consortium(&anchor));
	if (deployment_parse(&again, bytes_text(text_of(&anchor)), &err) != STATUS_OK) fail_msg("%s", err.message);
	assert_memory_equal(&again, &anchor, sizeof anchor);
	anchor.witness_count = anchor.witness_threshold = 0;
	memset(anchor.witnesses, 0, sizeof anchor.witnesses);
	assert_int_equal(deployment_parse(&again, bytes_text(text_of(&anchor)), &err), STATUS_OK);
	const struct deployment solo = example();
	assert_false(deployment_is_consortium(&solo));
}

static void what_is_wrong_with_validators_is_named(void **state) {
	(void)state;
	const struct deployment anchor = consortium();
	const char *text = text_of(&anchor);
	expect(text, "\"validators\":{", "\"validators\":{\"chain\":1,", STATUS_INVALID, "\"validators\" has members");
	expect(text, "\"validators\":{", "\"sealer\":\"0x\",\"validators\":{", STATUS_INVALID,
	    "members that are not known");
	expect(text, "\"validators\":{", "\"validators\":5,\"v2\":{", STATUS_INVALID, "validators");
	expect(text, "\"height\":12", "\"height\":-1", STATUS_INVALID, "height");
	expect(text, "\"hash\":\"0x08", "\"hash\":\"0x", STATUS_INVALID, "hash");
	expect(text, "\"time\":18", "\"time\":18000000000", STATUS_INVALID, "time");
	expect(text, "\"trustDays\":14", "\"trustDays\":0", STATUS_INVALID, "trustDays");
	expect(text, "\"trustDays\":14", "\"trustDays\":3651", STATUS_INVALID, "trustDays");
	expect(text, "\"power\":9", "\"power\":7", STATUS_INVALID, "not in its place");
	expect(text, "\"power\":7", "\"power\":0", STATUS_INVALID, "power");
	expect(text, "\"power\":9", "\"power\":1152921504606846975", STATUS_INVALID, "too large");
	expect(text, "\"power\":9", "\"weight\":9", STATUS_INVALID, "power");
	expect(text, "\"key\":\"0x20", "\"key\":\"0x1f", STATUS_INVALID, "twice");
}

/* What is pinned stays; where somebody is found may change. */
static void only_places_may_differ(void **state) {
	(void)state;
	const struct deployment anchor = example();
	struct deployment moved = anchor, other;
	snprintf(moved.rpc_url, sizeof moved.rpc_url, "http://elsewhere");
	snprintf(moved.witnesses[1].url, sizeof moved.witnesses[1].url, "http://elsewhere");
	moved.node_count = 1;
	assert_true(deployment_is_same(&anchor, &moved));
	other = moved = consortium();
	assert_false(deployment_is_same(&anchor, &other));
	other.validators.height++;
	assert_true(deployment_is_same(&moved, &other)); /* a newer place to begin from */
	for (size_t i = 0; i < 9; i++) {
		other = anchor;
		uint8_t *const changed[] = {other.genesis.b, other.sealer.b, other.registrars[2].b, &other.threshold,
		    other.witnesses[1].account.b, &other.witness_threshold, other.consent.b, other.code.medicines.b,
		    (uint8_t *)&other.chain_id};
		*changed[i] ^= 64;
		assert_false(deployment_is_same(&anchor, &other));
	}
}

static void nobody_decides_blocks_only_with_witnesses(void **state) {
	(void)state;
	struct deployment anchor = example(), again;
	struct err err;
	anchor.sealer = (addr20){{0}};
	assert_int_equal(deployment_parse(&again, bytes_text(text_of(&anchor)), &err), STATUS_OK);
	anchor.witness_count = 0;
	assert_int_equal(deployment_parse(&again, bytes_text(text_of(&anchor)), &err), STATUS_INVALID);
	assert_non_null(strstr(err.message, "no witnesses"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(anything_else_is_refused_with_its_name),
	    cmocka_unit_test(a_consortiums_validators_take_the_sealers_place),
	    cmocka_unit_test(what_is_wrong_with_validators_is_named),
	    cmocka_unit_test(nobody_decides_blocks_only_with_witnesses),
	    cmocka_unit_test(only_places_may_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
