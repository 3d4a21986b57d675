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
	expect(text, "\"rpc\":\"http://127.0.0.1:8545\"", "\"rpc\":5", STATUS_INVALID, "rpc");
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
	    cmocka_unit_test(nobody_decides_blocks_only_with_witnesses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
