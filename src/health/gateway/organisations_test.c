#include "health/gateway/organisations.h"

#include "tests/unit.h"

#define HASH "0102000000000000000000000000000000000000000000000000000000000000"

static struct arena arena;

static enum status parse(struct organisation_table *out, const char *text) {
	return organisations_parse(out, &arena, bytes_text(text), NULL);
}

static void a_certificate_names_its_organisation(void **state) {
	(void)state;
	struct organisation_table table;
	struct http_peer peer = {.has_certificate = true, .name_count = 2, .certificate_sha256 = {{9}}};
	peer.names[0] = BYTES_LITERAL("DNS:other");
	peer.names[1] = BYTES_LITERAL("DNS:his.ward.example");
	assert_int_equal(
	    parse(&table, "# who\n\nDNS:his.ward.example\tOrganization/ward 3 \r\nsha256:" HASH " Organization/lab\n"),
	    STATUS_OK);
	assert_int_equal(table.count, 2);
	assert_true(bytes_equal(organisation_find(&table, &peer), BYTES_LITERAL("Organization/ward 3")));
	peer.name_count = 1;
	assert_int_equal(organisation_find(&table, &peer).len, 0);
	peer.certificate_sha256 = (hash32){{1, 2}};
	assert_true(bytes_equal(organisation_find(&table, &peer), BYTES_LITERAL("Organization/lab")));
	peer.has_certificate = false;
	assert_int_equal(organisation_find(&table, &peer).len, 0);
	assert_int_equal(organisation_find(&table, NULL).len, 0);
}

static void a_line_with_a_mistake_is_refused(void **state) {
	(void)state;
	static const char *const texts[] = {"DNS:a", "DNS:a \n", "a b", "CN:a b", "sha256:12 b", "sha256:" HASH "0 b",
	    "sha256:0000000000000000000000000000000000000000000000000000000000000000 b", "DNS:a b\nDNS:a c",
	    "DNS:a b\x01"};
	struct organisation_table table;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(parse(&table, texts[i]), STATUS_INVALID);
	assert_int_equal(parse(&table, ""), STATUS_OK);
	assert_int_equal(table.count, 0);
}

static int begin(void **state) {
	(void)state;
	arena_init(&arena);
	return 0;
}

static int end(void **state) {
	(void)state;
	arena_fini(&arena);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_certificate_names_its_organisation),
	    cmocka_unit_test(a_line_with_a_mistake_is_refused),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
