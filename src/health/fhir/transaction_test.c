#include "health/fhir/transaction.h"

#include <stdio.h>

#include "tests/unit.h"

#define BASE "http://here/fhir"
#define P "urn:uuid:11111111-1111-4111-8111-111111111111"

struct scene {
	struct arena arena;
	struct fhir_issues issues;
	struct fhir_transaction plan;
	char asked[200]; /* what the resolver was asked last */
};

static int begin(void **state) {
	struct scene *s = mem_zalloc(1, sizeof *s);
	arena_init(&s->arena);
	*state = s;
	return 0;
}

static int end(void **state) {
	struct scene *s = *state;
	arena_fini(&s->arena);
	mem_free(s);
	return 0;
}

/* Of a Bundle's entries. */
static bool reads(struct scene *s, const char *type, const char *entries) {
	const struct json *bundle;
	const char *text =
	    arena_printf(&s->arena, "{\"resourceType\":\"Bundle\",\"type\":\"%s\",\"entry\":[%s]}", type, entries);
	fhir_issues_init(&s->issues, &s->arena);
	assert_int_equal(json_parse(&bundle, &s->arena, bytes_text(text), NULL, NULL), STATUS_OK);
	return fhir_transaction_read(&s->plan, &s->issues, &fhir_r4, bundle, BYTES_LITERAL(BASE));
}

#define POST_PATIENT                                                                                                   \
	"{\"fullUrl\":\"" P "\",\"resource\":{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"urn:s\","     \
	"\"value\":\"7\"}]},\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}"

static void entries_take_effect_in_their_order(void **state) {
	struct scene *s = *state;
	assert_true(reads(s, "transaction",
	    "{\"request\":{\"method\":\"GET\",\"url\":\"Patient/9\"}},"
	    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"2\"},"
	    "\"request\":{\"method\":\"PUT\",\"url\":\"Patient/2\"}}," POST_PATIENT
	    ",{\"request\":{\"method\":\"DELETE\",\"url\":\"" BASE "/Patient/1\"}}"));
	static const size_t wanted[] = {3, 2, 1, 0};
	assert_memory_equal(s->plan.order, wanted, sizeof wanted);
	assert_true(bytes_equal(s->plan.entries[3].target.id, BYTES_LITERAL("1")));
}

static void refuses(struct scene *s, const char *entry, int status) {
	assert_false(reads(s, "transaction", entry));
	assert_true(s->issues.has_error);
	assert_int_equal(s->plan.entries[0].status, status);
}

static void a_bad_entry_refuses_a_transaction(void **state) {
	struct scene *s = *state;
	refuses(s, "{}", 400);
	refuses(s, "{\"request\":{\"method\":\"PUSH\",\"url\":\"Patient\"}}", 400);
	refuses(s, "{\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}", 400);
	refuses(s,
	    "{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Observation\"}}",
	    400);
	refuses(s,
	    "{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Nothing\"}}", 404);
	refuses(s,
	    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"},\"request\":{\"method\":\"PUT\",\"url\":\"Patient/2\"}}",
	    400);
	refuses(s, "{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"PUT\",\"url\":\"Patient\"}}",
	    400);
	refuses(s, "{\"request\":{\"method\":\"DELETE\",\"url\":\"http://elsewhere/fhir/Patient/1\"}}", 400);
}

static void a_bad_entry_of_a_batch_is_its_own(void **state) {
	struct scene *s = *state;
	assert_true(reads(s, "batch", "{\"request\":{\"method\":\"GET\",\"url\":\"Nothing/1\"}}," POST_PATIENT));
	assert_int_equal(s->plan.entries[0].status, 404);
	assert_non_null(s->plan.entries[0].issues);
	assert_null(s->plan.entries[1].issues);
}

static void what_is_no_bundle_of_requests_is_refused(void **state) {
	struct scene *s = *state;
	assert_false(reads(s, "collection", ""));
	assert_true(s->issues.has_error);
}

static void one_identity_is_written_once(void **state) {
	struct scene *s = *state;
	assert_true(reads(s, "transaction",
	    "{\"request\":{\"method\":\"DELETE\",\"url\":\"Patient/1\"}},"
	    "{\"request\":{\"method\":\"DELETE\",\"url\":\"Patient?identifier=a\"}}"));
	s->plan.entries[0].reference = BYTES_LITERAL("Patient/1");
	assert_true(fhir_transaction_check_overlap(&s->plan));
	s->plan.entries[1].reference = BYTES_LITERAL("Patient/1");
	assert_false(fhir_transaction_check_overlap(&s->plan));
	assert_non_null(s->plan.entries[1].issues);
}

static void one_condition_creates_once(void **state) {
	struct scene *s = *state;
	const char *create =
	    "{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Patient\","
	    "\"ifNoneExist\":\"identifier=a|%d\"}},{\"resource\":{\"resourceType\":\"Patient\"},"
	    "\"request\":{\"method\":\"POST\",\"url\":\"Patient\",\"ifNoneExist\":\"identifier=a|1\"}}";
	assert_true(reads(s, "transaction", arena_printf(&s->arena, create, 2)));
	assert_false(reads(s, "transaction", arena_printf(&s->arena, create, 1)));
	assert_true(reads(s, "batch", arena_printf(&s->arena, create, 1)));
	assert_null(s->plan.entries[0].issues);
	assert_int_equal(s->plan.entries[1].status, 400);
}

/* However it is written; and a long one is not taken for another that begins alike. */
static void conditions_are_compared_decoded_and_whole(void **state) {
	struct scene *s = *state;
	const char *create =
	    "{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Patient\","
	    "\"ifNoneExist\":\"identifier=%0250d%s\"}},{\"resource\":{\"resourceType\":\"Patient\"},"
	    "\"request\":{\"method\":\"POST\",\"url\":\"Patient\",\"ifNoneExist\":\"identifier=%0250d%s\"}}";
	assert_true(reads(s, "transaction", arena_printf(&s->arena, create, 7, "|1", 7, "|2")));
	assert_false(reads(s, "transaction", arena_printf(&s->arena, create, 7, "|1", 7, "%7C%31")));
}

/* --- links --- */

static struct bytes resolve(void *context, struct bytes text, bool several) {
	struct scene *s = context;
	snprintf(
	    s->asked, sizeof s->asked, "%.*s%s", (int)text.len, (const char *)text.data, several ? " several" : "");
	return memmem(text.data, text.len, "none", 4) ? (struct bytes){NULL, 0} : BYTES_LITERAL("Practitioner/5");
}

/* A resource, of an entry with this fullUrl, after its links to the patient of `entries` were rewritten; NULL: it was
 * refused. */
static const char *rewritten_in(struct scene *s, const char *entries, const char *full_url, const char *resource) {
	const struct json *tree;
	struct json_edit edit;
	struct buf out;
	const struct fhir_reference_resolver resolver = {resolve, s};
	assert_true(reads(s, "transaction", entries));
	s->plan.entries[0].reference = BYTES_LITERAL("Patient/77");
	assert_int_equal(json_parse(&tree, &s->arena, bytes_text(resource), NULL, NULL), STATUS_OK);
	json_edit_init(&edit, &s->arena, tree);
	if (!fhir_transaction_rewrite(&s->plan, &edit, tree, bytes_text(full_url), &resolver)) return NULL;
	buf_init(&out, 1 << 20);
	assert_int_equal(json_edit_write(&edit, &out, NULL), STATUS_OK);
	const char *text = arena_strdup(&s->arena, buf_view(&out));
	buf_fini(&out);
	return text;
}

static const char *rewritten(struct scene *s, const char *resource) {
	return rewritten_in(s, POST_PATIENT, "", resource);
}

static void relative_references_stand_on_the_base_of_their_full_url(void **state) {
	struct scene *s = *state;
	const char *patient =
	    "{\"fullUrl\":\"http://other/fhir/Patient/1\",\"resource\":{\"resourceType\":\"Patient\"},"
	    "\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}";
	const char *flag = "{\"resourceType\":\"Flag\",\"subject\":{\"reference\":\"Patient/1\"}}";
	assert_string_equal(rewritten_in(s, patient, "http://other/fhir/Flag/9", flag),
	    "{\"resourceType\":\"Flag\",\"subject\":{\"reference\":\"Patient/77\"}}");
	assert_string_equal(rewritten_in(s, patient, "http://another/fhir/Flag/9", flag), flag);
	assert_string_equal(rewritten_in(s, patient, "urn:uuid:0b2a6a5e-5f0e-4e0e-9b0a-0d6b6a5e5f0e", flag), flag);
	assert_string_equal(rewritten_in(s, patient, "http://other/fhir/nothing/9", flag), flag);
}

static void references_and_links_become_the_new_identity(void **state) {
	struct scene *s = *state;
	assert_string_equal(rewritten(s, "{\"resourceType\":\"Observation\",\"subject\": {\"reference\":\"" P
					 "\"},\"valueQuantity\":{\"value\":1.00}}"),
	    "{\"resourceType\":\"Observation\",\"subject\": {\"reference\":\"Patient/77\"},\"valueQuantity\":{\"value\":1.00}}");
	assert_string_equal(rewritten(s, "{\"resourceType\":\"Media\",\"content\":{\"url\":\"" P "\"}}"),
	    "{\"resourceType\":\"Media\",\"content\":{\"url\":\"Patient/77\"}}");
	assert_string_equal(
	    rewritten(s, "{\"resourceType\":\"Basic\",\"extension\":[{\"url\":\"http://e\",\"valueUri\":\"" P "\"}]}"),
	    "{\"resourceType\":\"Basic\",\"extension\":[{\"url\":\"http://e\",\"valueUri\":\"Patient/77\"}]}");
	assert_string_equal(
	    rewritten(s,
		"{\"resourceType\":\"Basic\",\"contained\":[{\"resourceType\":\"Flag\",\"subject\":{\"reference\":\"" P
		"#x\"}}]}"),
	    "{\"resourceType\":\"Basic\",\"contained\":[{\"resourceType\":\"Flag\",\"subject\":{\"reference\":\"Patient/77#x\"}}]}");
	assert_string_equal(
	    rewritten(s,
		"{\"resourceType\":\"Basic\",\"_language\":{\"extension\":[{\"url\":\"http://e\",\"valueReference\":{\"reference\":\"" P
		"\"}}]}}"),
	    "{\"resourceType\":\"Basic\",\"_language\":{\"extension\":"
	    "[{\"url\":\"http://e\",\"valueReference\":{\"reference\":\"Patient/77\"}}]}}");
}

static void narratives_are_rewritten_too(void **state) {
	struct scene *s = *state;
	assert_string_equal(rewritten(s, "{\"resourceType\":\"Basic\",\"text\":{\"div\":\"<div><a href=\\\"" P "\\\">" P
					 "</a><img src='" P "'/></div>\"}}"),
	    "{\"resourceType\":\"Basic\",\"text\":{\"div\":\"<div><a href=\\\"Patient/77\\\">" P
	    "</a><img src='Patient/77'/></div>\"}}");
}

static void canonicals_and_strings_stay(void **state) {
	struct scene *s = *state;
	const char *text = "{\"resourceType\":\"CarePlan\",\"instantiatesCanonical\":[\"" P "\"],\"title\":\"" P
			   "\",\"extension\":[{\"url\":\"" P "x\",\"valueString\":\"" P "\"}]}";
	assert_string_equal(rewritten(s, text), text);
}

static void conditions_find_entries_before_the_server(void **state) {
	struct scene *s = *state;
	assert_string_equal(
	    rewritten(s, "{\"resourceType\":\"Flag\",\"subject\":{\"reference\":\"Patient?identifier=urn:s%7C7\"}}"),
	    "{\"resourceType\":\"Flag\",\"subject\":{\"reference\":\"Patient/77\"}}");
	assert_string_equal(s->asked, "");
	assert_string_equal(
	    rewritten(s, "{\"resourceType\":\"Flag\",\"author\":{\"reference\":\"Practitioner?identifier=a|b\"}}"),
	    "{\"resourceType\":\"Flag\",\"author\":{\"reference\":\"Practitioner/5\"}}");
	assert_string_equal(s->asked, "Practitioner?identifier=a|b");
	assert_null(
	    rewritten(s, "{\"resourceType\":\"Flag\",\"author\":{\"reference\":\"Practitioner?identifier=none\"}}"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(entries_take_effect_in_their_order, begin, end),
	    cmocka_unit_test_setup_teardown(a_bad_entry_refuses_a_transaction, begin, end),
	    cmocka_unit_test_setup_teardown(a_bad_entry_of_a_batch_is_its_own, begin, end),
	    cmocka_unit_test_setup_teardown(what_is_no_bundle_of_requests_is_refused, begin, end),
	    cmocka_unit_test_setup_teardown(one_identity_is_written_once, begin, end),
	    cmocka_unit_test_setup_teardown(references_and_links_become_the_new_identity, begin, end),
	    cmocka_unit_test_setup_teardown(one_condition_creates_once, begin, end),
	    cmocka_unit_test_setup_teardown(conditions_are_compared_decoded_and_whole, begin, end),
	    cmocka_unit_test_setup_teardown(relative_references_stand_on_the_base_of_their_full_url, begin, end),
	    cmocka_unit_test_setup_teardown(narratives_are_rewritten_too, begin, end),
	    cmocka_unit_test_setup_teardown(canonicals_and_strings_stay, begin, end),
	    cmocka_unit_test_setup_teardown(conditions_find_entries_before_the_server, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
