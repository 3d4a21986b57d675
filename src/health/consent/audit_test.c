#include "health/consent/audit.h"

#include "tests/unit.h"

#include "codec/hex.h"
#include "crypto/hash.h"
#include "eth/types.h"
#include "health/chain/blobs.h"

#define AT_MS 1700000000123ull
#define EXPIRY_S 1700000060ull

static const struct deployment deployment = {.chain_id = 7, .genesis = {{0x33}}};
static const addr20 node = {{0x0d}}, gate = {{0x9a}};
static const hash32 item = {{0x17}}, secret = {{[31] = 5}};

/* An entry as an honest node makes it: the reader's request is signed. */
struct scene {
	struct arena arena;
	struct err err;
	addr20 reader;
	struct eth_signature signature;
};

static int scene_init(void **state) {
	struct scene *s = mem_zalloc(1, sizeof *s);
	const struct blob_said said = {"part", &node, &gate, &item, 2, EXPIRY_S, 9};
	const hash32 digest = blob_said_digest(&said, deployment.chain_id, &deployment.genesis);
	arena_init(&s->arena);
	assert_int_equal(address_of_secret(&s->reader, &secret), STATUS_OK);
	assert_int_equal(eth_sign_digest(&s->signature, &secret, &digest), STATUS_OK);
	*state = s;
	return 0;
}

static int scene_fini(void **state) {
	struct scene *s = *state;
	arena_fini(&s->arena);
	mem_free(s);
	return 0;
}

static const char *hex_of(struct scene *s, struct bytes data) {
	struct buf text;
	buf_init(&text, 1024);
	hex_put(&text, data, true);
	const char *copy = arena_strdup(&s->arena, buf_view(&text));
	buf_fini(&text);
	return copy;
}

static const char *entry_text(struct scene *s) {
	return arena_printf(&s->arena,
	    "{\"v\":2,\"gate\":\"%s\",\"item\":\"%s\",\"action\":\"part\",\"part\":2,\"who\":\"%s\",\"expiry\":%llu,"
	    "\"nonce\":9,\"signature\":\"%s\",\"at\":%llu,\"outcome\":\"served\"}",
	    hex_of(s, BYTES_OF(gate)), hex_of(s, BYTES_OF(item)), hex_of(s, BYTES_OF(s->reader)), EXPIRY_S,
	    hex_of(s, bytes_make(s->signature.b, sizeof s->signature.b)), AT_MS);
}

static enum status parse(struct scene *s, struct audit_line *line, const char *text) {
	return audit_line_parse(line, &s->arena, bytes_text(text), &s->err);
}

/* The text with one part in place of another. */
static const char *edited(struct scene *s, const char *text, const char *from, const char *to) {
	const char *at = strstr(text, from);
	assert_non_null(at);
	return arena_printf(&s->arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void an_entry_is_read_and_its_reader_signed_it(void **state) {
	struct scene *s = *state;
	struct audit_line line;
	assert_int_equal(parse(s, &line, entry_text(s)), STATUS_OK);
	assert_int_equal(line.entry.part, 2);
	assert_int_equal(line.entry.at_ms, AT_MS);
	assert_true(line.entry.served && !line.entry.whole);
	assert_true(addr20_equal(&line.entry.who, &s->reader) && addr20_equal(&line.entry.gate, &gate));
	assert_true(hash32_equal(&line.entry.item, &item));
	assert_int_equal(audit_line_check(&line, &deployment, &node, AT_MS / 1000, &s->err), STATUS_OK);
}

static void malformed_entries_are_refused(void **state) {
	struct scene *s = *state;
	struct audit_line line;
	static const struct {
		const char *from, *to;
	} edits[] = {{"\"v\":2", "\"v\":1"}, {"\"part\":2", "\"part\":-2"}, {"\"part\":2", "\"part\":4294967296"},
	    {"\"who\":\"0x", "\"who\":\"0x00"}, {"\"served\"", "\"maybe\""},
	    {"\"action\":\"part\"", "\"action\":\"put\""}, {"\"nonce\":9", "\"nonce\":\"9\""},
	    {"\"gate\"", "\"gates\""}, {"\"item\":\"0x17", "\"item\":\"17"},
	    {"\"signature\":\"0x", "\"signature\":\"0x00"}, {"\"expiry\"", "\"expires\""},
	    {"\"at\":1", "\"at\":\"1\",\"b\":1"}};
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
		assert_int_equal(parse(s, &line, edited(s, entry_text(s), edits[i].from, edits[i].to)), STATUS_INVALID);
}

/* Whatever a node changes, the reader did not sign. */
static void a_read_that_its_reader_did_not_sign_is_refused(void **state) {
	struct scene *s = *state;
	struct audit_line line;
	static const addr20 other_node = {{0x0e}};
	static const struct {
		const char *from, *to;
	} edits[] = {{"\"gate\":\"0x9a", "\"gate\":\"0x9b"}, {"\"item\":\"0x17", "\"item\":\"0x18"},
	    {"\"part\":2", "\"part\":3"}, {"\"action\":\"part\"", "\"action\":\"get\""}, {"\"nonce\":9", "\"nonce\":8"},
	    {"\"expiry\":1700000060", "\"expiry\":1700000061"}};
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		assert_int_equal(parse(s, &line, edited(s, entry_text(s), edits[i].from, edits[i].to)), STATUS_OK);
		assert_int_equal(audit_line_check(&line, &deployment, &node, AT_MS / 1000, &s->err), STATUS_DENIED);
	}
	assert_int_equal(parse(s, &line, entry_text(s)), STATUS_OK);
	assert_int_equal(audit_line_check(&line, &deployment, &other_node, AT_MS / 1000, &s->err), STATUS_DENIED);
	line.entry.who.b[3] ^= 1;
	assert_int_equal(audit_line_check(&line, &deployment, &node, AT_MS / 1000, &s->err), STATUS_DENIED);
}

static void a_read_at_another_time_is_refused(void **state) {
	struct scene *s = *state;
	struct audit_line line;
	static const uint64_t times_s[] = {EXPIRY_S + 1, EXPIRY_S - 121, 0};
	assert_int_equal(parse(s, &line, entry_text(s)), STATUS_OK);
	assert_int_equal(audit_line_check(&line, &deployment, &node, AT_MS / 1000 + 1, &s->err), STATUS_DENIED);
	for (size_t i = 0; i < sizeof times_s / sizeof *times_s; i++) {
		line.entry.at_ms = times_s[i] * 1000;
		assert_int_equal(audit_line_check(&line, &deployment, &node, times_s[i], &s->err), STATUS_DENIED);
	}
	line.entry.at_ms = (EXPIRY_S - 120) * 1000;
	assert_int_equal(audit_line_check(&line, &deployment, &node, EXPIRY_S - 120, &s->err), STATUS_OK);
}

static const char page_text[] =
    "{\"count\":2,\"head\":\"0x111111111111111111111111111111111111111111111111\",\"proof\":\"0x00\",\"entries\":["
    "{\"n\":2,\"time\":5,\"before\":\"0x222222222222222222222222222222222222222222222222\",\"entry\":\"ab.cd\"}]}";

static void a_page_is_read(void **state) {
	struct scene *s = *state;
	struct audit_page page;
	const hash32 hash = keccak256(BYTES_LITERAL("ab.cd"));
	assert_int_equal(audit_page_parse(&page, &s->arena, bytes_text(page_text), &s->err), STATUS_OK);
	assert_int_equal(page.state.count, 2);
	assert_int_equal(page.state.head[0], 0x11);
	assert_true(page.has_proof && page.proof.len == 1 && page.count == 1);
	assert_int_equal(page.entries[0].link.n, 2);
	assert_int_equal(page.entries[0].link.time_s, 5);
	assert_int_equal(page.entries[0].link.before[23], 0x22);
	assert_true(hash32_equal(&page.entries[0].link.entry, &hash));
}

static void malformed_pages_are_refused(void **state) {
	struct scene *s = *state;
	struct audit_page page;
	static const struct {
		const char *from, *to;
	} edits[] = {{"\"count\":2", "\"count\":\"2\""}, {"\"head\":\"0x11", "\"head\":\"0x"}, {"\"0x00\"", "\"0x0\""},
	    {"\"0x00\"", "7"}, {"\"entries\":[", "\"entries\":[3,"}, {"\"n\":2", "\"n\":-2"}, {"\"time\"", "\"times\""},
	    {"\"before\":\"0x22", "\"before\":\"22"}, {"\"ab.cd\"", "\"\""}, {"\"ab.cd\"", "null"},
	    {"\"entries\"", "\"entry\""}};
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
		assert_int_equal(audit_page_parse(&page, &s->arena,
				     bytes_text(edited(s, page_text, edits[i].from, edits[i].to)), &s->err),
		    STATUS_INVALID);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_entry_is_read_and_its_reader_signed_it, scene_init, scene_fini),
	    cmocka_unit_test_setup_teardown(malformed_entries_are_refused, scene_init, scene_fini),
	    cmocka_unit_test_setup_teardown(a_read_that_its_reader_did_not_sign_is_refused, scene_init, scene_fini),
	    cmocka_unit_test_setup_teardown(a_read_at_another_time_is_refused, scene_init, scene_fini),
	    cmocka_unit_test_setup_teardown(a_page_is_read, scene_init, scene_fini),
	    cmocka_unit_test_setup_teardown(malformed_pages_are_refused, scene_init, scene_fini),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
