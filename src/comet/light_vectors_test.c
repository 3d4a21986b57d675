/* tests/vectors/comet.json: light blocks, honest and not, with what CometBFT's own light client says of each
 * (tests/comet/judge). What it does not believe, nobody here believes. */
#include "comet/light.h"
#include "comet/light_json.h"

#include "tests/unit.h"

#include "crypto/ed25519.h"
#include "tests/vectors.h"

/* light_block.h says why: CometBFT makes no such set. */
static const char *const stricter[] = {"validators in another order", "a validator without power"};

struct file {
	struct arena arena;
	const struct json *root;
	struct comet_rules rules;
};

static int setup(void **state) {
	struct file *file = mem_zalloc(1, sizeof *file);
	uint64_t trust_s, ahead_s;
	arena_init(&file->arena);
	file->root = vectors_parse(&file->arena, SOURCE_ROOT "/tests/vectors/comet.json");
	assert_true(json_u64(&trust_s, json_get(file->root, "trustS")));
	assert_true(json_u64(&ahead_s, json_get(file->root, "aheadS")));
	file->rules = (struct comet_rules){
	    .chain_id = json_string(json_get(file->root, "chain")), .trust_s = trust_s, .ahead_s = ahead_s};
	*state = file;
	return 0;
}

static int teardown(void **state) {
	struct file *file = *state;
	arena_fini(&file->arena);
	mem_free(file);
	return 0;
}

static struct bytes block_at(struct file *file, const struct json *place) {
	uint64_t at;
	assert_true(json_u64(&at, place));
	return vectors_hex(&file->arena, json_string(json_at(json_get(file->root, "blocks"), at)));
}

static struct comet_trusted trusted_at(struct file *file, const struct json *place) {
	struct comet_light_block block;
	struct err err = {0};
	if (comet_light_block_decode(&block, block_at(file, place), &err) != STATUS_OK) fail_msg("%s", err.message);
	return comet_trusted_of(&block);
}

static bool is_stricter(const struct json *name) {
	for (size_t i = 0; i < sizeof stricter / sizeof *stricter; i++)
		if (json_string_is(name, stricter[i])) return true;
	return false;
}

static const char *verdict_of(struct file *file, const struct json *vector, struct err *why) {
	const struct comet_trusted trusted = trusted_at(file, json_get(vector, "trusted"));
	const struct json *now = json_get(vector, "now");
	struct comet_light_block block;
	uint64_t s, ns;
	assert_true(json_u64(&s, json_get(now, "s")));
	assert_true(json_u64(&ns, json_get(now, "ns")));
	file->rules.now = (struct comet_time){(int64_t)s, (uint32_t)ns};
	if (comet_light_block_decode(&block, block_at(file, json_get(vector, "block")), why) != STATUS_OK)
		return "refused";
	switch (comet_light_verify(&trusted, &block, &file->rules, why)) {
	case COMET_BELIEVED: return "believed";
	case COMET_TOO_FAR: return "too far";
	case COMET_REFUSED: return "refused";
	}
	return "";
}

static void each_verdict_is_cometbfts(void **state) {
	struct file *file = *state;
	struct vectors vectors = {.name = "comet: blocks"};
	json_foreach (vector, json_get(file->root, "vectors")) {
		struct err why = {0};
		const char *verdict = verdict_of(file, vector, &why);
		const struct json *name = json_get(vector, "name"), *wanted = json_get(vector, "verdict");
		const bool is_right =
		    is_stricter(name) ? strcmp(verdict, "refused") == 0 : json_string_is(wanted, verdict);
		if (!is_right) printf("%s: %s\n", verdict, why.message);
		vectors_count(&vectors, is_right, "vector", json_string(name));
	}
	vectors_report(&vectors);
}

/* --- whole ways --- */

struct chain {
	struct file *file;
	const struct json *blocks;
};

static enum status get(void *context, struct comet_light_block *out, uint64_t height, struct err *err) {
	struct chain *chain = context;
	return comet_light_block_decode(out, block_at(chain->file, json_at(chain->blocks, height - 1)), err);
}

static void each_way_ends_as_with_cometbft(void **state) {
	struct file *file = *state;
	struct vectors vectors = {.name = "comet: ways"};
	json_foreach (walk, json_get(file->root, "walks")) {
		struct chain chain = {file, json_get(walk, "blocks")};
		const struct comet_source source = {get, &chain};
		struct comet_light_block last;
		struct err why = {0};
		uint64_t from, to;
		assert_true(json_u64(&from, json_get(walk, "from")));
		assert_true(json_u64(&to, json_get(walk, "to")));
		struct comet_trusted trusted = trusted_at(file, json_at(chain.blocks, from - 1));
		assert_int_equal(get(&chain, &last, to, &why), STATUS_OK);
		file->rules.now = last.header.time;
		const enum status status = comet_light_follow(&trusted, &last, &file->rules, &source, &why);
		const char *verdict = status == STATUS_OK ? "believed" : "refused";
		assert_true(status == STATUS_OK || status == STATUS_DENIED);
		assert_true(status == STATUS_OK || trusted.height == from);
		if (!json_string_is(json_get(walk, "verdict"), verdict)) printf("%s: %s\n", verdict, why.message);
		vectors_count(&vectors, json_string_is(json_get(walk, "verdict"), verdict), "walk",
		    json_string(json_get(walk, "name")));
	}
	vectors_report(&vectors);
}

/* --- CometBFT's JSON --- */

static void each_answer_of_its_rpc_is_the_same_block(void **state) {
	struct file *file = *state;
	struct vectors vectors = {.name = "comet: answers"};
	json_foreach (answer, json_get(file->root, "answers")) {
		struct comet_light_block block, same;
		struct err why = {0};
		struct buf text, wanted;
		buf_init(&text, COMET_LIGHT_BLOCK_MAX);
		buf_init(&wanted, COMET_LIGHT_BLOCK_MAX);
		const struct bytes bytes = block_at(file, json_get(answer, "block"));
		assert_int_equal(comet_light_block_decode(&same, bytes, &why), STATUS_OK);
		if (comet_light_block_of_json(&block, &file->arena, json_get(answer, "commit"),
			json_get(answer, "validators"), &why) != STATUS_OK)
			fail_msg("%s", why.message);
		comet_light_block_encode(&text, &block);
		comet_light_block_encode(&wanted, &same);
		vectors_count(&vectors, bytes_equal(buf_view(&text), buf_view(&wanted)), "answer", bytes_text("?"));
		assert_int_equal(comet_light_block_of_json(&block, &file->arena, json_get(answer, "validators"),
				     json_get(answer, "commit"), &why),
		    STATUS_INVALID);
		buf_fini(&text);
		buf_fini(&wanted);
	}
	vectors_report(&vectors);
}

static void times_are_read_as_rfc_3339_spells_them(void **state) {
	static const struct {
		const char *text;
		int64_t s;
		uint32_t ns;
	} good[] = {{"1970-01-01T00:00:00Z", 0, 0}, {"0001-01-01T00:00:00Z", INT64_C(-62135596800), 0},
	    {"2024-02-29T23:59:59.000000001Z", 1709251199, 1}, {"2000-03-01T00:00:00.5Z", 951868800, 500000000},
	    {"9999-12-31T23:59:59.999999999Z", INT64_C(253402300799), 999999999}};
	static const char *const bad[] = {"", "Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
	    "2023-01-01T24:00:00Z", "2023-01-01T00:00:60Z", "2023-00-01T00:00:00Z", "2023-04-31T00:00:00Z",
	    "2023-01-01T00:00:00", "2023-01-01T00:00:00.Z", "2023-01-01T00:00:00.1234567890Z",
	    "2023-01-01T00:00:00+00:00", "2023-01-01 00:00:00Z", "0000-01-01T00:00:00Z", "2023-01-01T00:00:00,5Z",
	    "2023-01-01T00:00:00.-5Z"};
	struct comet_time time;
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(comet_time_parse(&time, bytes_text(good[i].text)));
		assert_true(time.s == good[i].s && time.ns == good[i].ns);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(comet_time_parse(&time, bytes_text(bad[i])));
}

/* --- signatures with points of small order --- */

static void each_signature_of_small_order_counts_as_with_cometbft(void **state) {
	struct file *file = *state;
	const struct json *signatures = json_get(file->root, "signatures");
	const struct json *encodings = json_get(signatures, "encodings"), *valid = json_get(signatures, "valid");
	struct vectors vectors = {.name = "comet: signatures of small order"};
	for (size_t k = 0; k < encodings->count; k++) {
		const struct bytes row = json_string(json_at(valid, k));
		const struct bytes key_bytes = vectors_hex(&file->arena, json_string(json_at(encodings, k)));
		hash32 key;
		memcpy(key.b, key_bytes.data, sizeof key.b);
		assert_int_equal(row.len, encodings->count);
		for (size_t r = 0; r < encodings->count; r++) {
			const struct bytes nonce = vectors_hex(&file->arena, json_string(json_at(encodings, r)));
			uint8_t signature[ED25519_SIGNATURE_BYTES] = {0};
			memcpy(signature, nonce.data, 32);
			const bool is_valid =
			    ed25519_verify(signature, &key, json_string(json_get(signatures, "message")));
			vectors_count(&vectors, is_valid == (row.data[r] == '1'), "row", row);
		}
	}
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_verdict_is_cometbfts, setup, teardown),
	    cmocka_unit_test_setup_teardown(each_way_ends_as_with_cometbft, setup, teardown),
	    cmocka_unit_test_setup_teardown(each_answer_of_its_rpc_is_the_same_block, setup, teardown),
	    cmocka_unit_test(times_are_read_as_rfc_3339_spells_them),
	    cmocka_unit_test_setup_teardown(each_signature_of_small_order_counts_as_with_cometbft, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
