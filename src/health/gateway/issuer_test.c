#include "health/gateway/issuer.h"

#include "codec/json.h"
#include "health/fhir/definitions.h"
#include "health/gateway/tokens.h"
#include "tests/jwt_tokens.h"
#include "tests/unit.h"

#define NOW_S 1800000000u
#define ISSUER "https://issuer.example/realms/ward"
#define AUDIENCE "https://gateway.example/fhir"
#define BASE "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":1800000300,\"client_id\":\"app\",\"sub\":\"u1\""
#define CLAIMS(more) "{" BASE more "}"
#define HEADER "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"a\"}"

static uint64_t passed_s; /* since the start */

static uint64_t fake_now(void *context) {
	(void)context;
	return (NOW_S + passed_s) * 1000;
}

static uint64_t fake_monotonic(void *context) {
	(void)context;
	return passed_s * 1000000000u;
}

static const struct clock_source fake_clock = {fake_now, fake_monotonic, NULL};

static struct issuer_options options_at_url(void) {
	return (struct issuer_options){.issuer = ISSUER,
	    .audience = AUDIENCE,
	    .subject_claims = ISSUER_SUBJECT_CLAIMS,
	    .organisation_claims = ISSUER_ORGANISATION_CLAIMS,
	    .purpose_claims = ISSUER_PURPOSE_CLAIMS,
	    .patient_claims = ISSUER_PATIENT_CLAIMS,
	    .purpose = "TREAT",
	    .clock = &fake_clock};
}

static struct arena arena;

static void set_keys(struct issuer *issuer, uint8_t number, const char *kid) {
	struct buf text;
	buf_init(&text, ISSUER_ANSWER_MAX);
	jwt_keys(&text, number, kid);
	assert_int_equal(issuer_set_keys(issuer, buf_view(&text), NULL), STATUS_OK);
	buf_fini(&text);
}

/* An issuer with the key 7, as "a", of a file. */
static struct issuer *issuer_of_file(void) {
	struct issuer_options options = options_at_url();
	options.keys_of_file = true;
	struct issuer *issuer = issuer_new(&options);
	passed_s = 0;
	set_keys(issuer, 7, "a");
	return issuer;
}

static enum status ask_as(struct issuer *issuer, struct asker *out, const char *header, const char *claims, uint8_t key,
    const struct http_peer *peer) {
	struct buf text;
	buf_init(&text, 1 << 20);
	jwt_token(&text, header, claims, key);
	enum status status = issuer_ask(issuer, out, &arena, buf_view(&text), peer, NULL);
	buf_fini(&text);
	return status;
}

static enum status ask(struct issuer *issuer, struct asker *out, const char *claims) {
	return ask_as(issuer, out, HEADER, claims, 7, NULL);
}

static void a_token_names_caller_person_organisation_and_purpose(void **state) {
	(void)state;
	struct issuer *issuer = issuer_of_file();
	struct asker asker;
	assert_int_equal(
	    ask(issuer, &asker,
		CLAIMS(",\"scope\":\"openid patient/*.rs\",\"fhirUser\":\"Practitioner/p7\",\"patient\":\"p1\","
		       "\"organization\":\"Organization/ward\",\"purpose_of_use\":\"ETREAT\"")),
	    STATUS_OK);
	assert_string_equal(asker.name, "app u1");
	assert_string_equal(asker.subject, "Practitioner/p7");
	assert_string_equal(asker.organisation, "Organization/ward");
	assert_string_equal(asker.purpose, "ETREAT");
	assert_true(bytes_equal(asker.patient, BYTES_LITERAL("p1")));
	assert_int_equal(asker.scopes.count, 1);
	assert_int_equal(asker.rights, 0);
	issuer_free(issuer);
}

static void the_extensions_of_iua_and_udap_are_read(void **state) {
	(void)state;
	struct issuer *issuer = issuer_of_file();
	struct asker asker;
	assert_int_equal(ask(issuer, &asker,
			     CLAIMS(",\"extensions\":{\"ihe_iua\":{\"subject_organization_id\":\"urn:oid:1.2\","
				    "\"purpose_of_use\":[{\"system\":\"s\",\"code\":\"HRESCH\"}]}}")),
	    STATUS_OK);
	assert_string_equal(asker.organisation, "urn:oid:1.2");
	assert_string_equal(asker.purpose, "HRESCH");
	assert_int_equal(
	    ask(issuer, &asker,
		CLAIMS(",\"extensions\":{\"hl7-b2b\":{\"organization_id\":\"https://ward\",\"purpose_of_use\":["
		       "\"urn:oid:2.16.840.1.113883.5.8#HPAYMT\"]}}")),
	    STATUS_OK);
	assert_string_equal(asker.organisation, "https://ward");
	assert_string_equal(asker.purpose, "HPAYMT");
	issuer_free(issuer);
}

static void a_system_has_no_person(void **state) {
	(void)state;
	struct issuer *issuer = issuer_of_file();
	struct asker asker;
	assert_int_equal(ask(issuer, &asker,
			     "{\"iss\":\"" ISSUER "\",\"aud\":[\"" AUDIENCE "\"],\"exp\":1800000300,\"azp\":\"loader\","
			     "\"sub\":\"loader\",\"scope\":\"system/*.cruds\"}"),
	    STATUS_OK);
	assert_string_equal(asker.name, "loader");
	assert_string_equal(asker.subject, "");
	assert_string_equal(asker.purpose, "TREAT");
	assert_int_equal(asker.rights, TOKEN_READ | TOKEN_WRITE);
	issuer_free(issuer);
}

static void rights_beside_fhir_need_a_scope_of_everything(void **state) {
	(void)state;
	struct issuer *issuer = issuer_of_file();
	static const struct {
		const char *claims;
		unsigned rights;
	} cases[] = {{CLAIMS(",\"scope\":\"user/*.rs\""), TOKEN_READ}, {CLAIMS(",\"scope\":\"user/*.r\""), 0},
	    {CLAIMS(",\"scope\":\"user/*.cud\""), TOKEN_WRITE}, {CLAIMS(",\"scope\":\"user/Patient.cruds\""), 0},
	    {CLAIMS(",\"scope\":\"patient/*.cruds\",\"patient\":\"p\""), 0},
	    {CLAIMS(",\"scope\":\"user/*.rs?category=a\""), 0},
	    {CLAIMS(",\"scp\":[\"openid\",\"system/*.rs\"]"), TOKEN_READ},
	    {CLAIMS(",\"scope\":\"metrics all read,write\""), 0}, {CLAIMS(""), 0}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct asker asker;
		assert_int_equal(ask(issuer, &asker, cases[i].claims), STATUS_OK);
		assert_int_equal(asker.rights, cases[i].rights);
	}
	issuer_free(issuer);
}

static void claims_that_do_not_fit_are_refused(void **state) {
	(void)state;
	struct issuer *issuer = issuer_of_file();
	static const char *const claims[] = {CLAIMS(",\"purpose_of_use\":\"MARKETING\""),
	    CLAIMS(",\"purpose_of_use\":7"), CLAIMS(",\"patient\":\"a/b\""), CLAIMS(",\"patient\":\"\""),
	    CLAIMS(",\"patient\":\"Patient/\""),
	    CLAIMS(
		",\"patient\":{\"x\":1},\"scope\":\"patient/*.rs\",\"azp\":{}") /* an object without a code is none */,
	    CLAIMS(",\"organization\":\"a\\nb\""), CLAIMS(",\"fhirUser\":\"\""), CLAIMS(",\"fhirUser\":true"),
	    CLAIMS(",\"typ\":\"ID\""), CLAIMS(",\"typ\":\"Refresh\""), CLAIMS(",\"cnf\":{\"jkt\":\"AA\"}"),
	    "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":1800000300}",
	    "{\"iss\":\"" ISSUER "\",\"aud\":\"app\",\"exp\":1800000300,\"client_id\":\"app\"}"};
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		struct asker asker;
		bool is_harmless = strstr(claims[i], "azp") != NULL;
		if ((ask(issuer, &asker, claims[i]) == STATUS_DENIED) == is_harmless) fail_msg("%s", claims[i]);
	}
	struct asker asker;
	assert_int_equal(
	    ask_as(issuer, &asker, "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\",\"kid\":\"a\"}", CLAIMS(""), 7, NULL),
	    STATUS_DENIED);
	issuer_free(issuer);
}

static void a_bound_token_is_taken_with_its_certificate_only(void **state) {
	(void)state;
	struct issuer *issuer = issuer_of_file();
	struct asker asker;
	struct http_peer peer = {.has_certificate = true, .certificate_sha256 = {{1, 2, 3}}};
	struct buf claims;
	buf_init(&claims, 4096);
	buf_text(&claims, "{" BASE ",\"cnf\":{\"x5t#S256\":\"");
	base64url_put(&claims, BYTES_OF(peer.certificate_sha256));
	buf_text(&claims, "\"}}");
	assert_int_equal(ask_as(issuer, &asker, HEADER, buf_cstr(&claims), 7, &peer), STATUS_OK);
	assert_int_equal(ask_as(issuer, &asker, HEADER, buf_cstr(&claims), 7, NULL), STATUS_DENIED);
	peer.certificate_sha256.b[31] ^= 1;
	assert_int_equal(ask_as(issuer, &asker, HEADER, buf_cstr(&claims), 7, &peer), STATUS_DENIED);
	peer.certificate_sha256.b[31] ^= 1;
	peer.has_certificate = false;
	assert_int_equal(ask_as(issuer, &asker, HEADER, buf_cstr(&claims), 7, &peer), STATUS_DENIED);
	buf_fini(&claims);
	issuer_free(issuer);
}

static void a_token_that_was_taken_still_ends(void **state) {
	(void)state;
	struct issuer *issuer = issuer_of_file();
	struct asker asker;
	for (unsigned i = 0; i < 3; i++) assert_int_equal(ask(issuer, &asker, CLAIMS("")), STATUS_OK);
	passed_s = 359;
	assert_int_equal(ask(issuer, &asker, CLAIMS("")), STATUS_OK);
	passed_s = 360;
	assert_int_equal(ask(issuer, &asker, CLAIMS("")), STATUS_DENIED);
	issuer_free(issuer);
}

/* --- keys that come and go --- */

static void keys_are_found_by_discovery_and_renewed(void **state) {
	(void)state;
	const struct issuer_options options = options_at_url();
	struct issuer *issuer = issuer_new(&options);
	struct asker asker;
	char url[ISSUER_URL_MAX];
	passed_s = 0;
	assert_false(issuer_is_ready(issuer));
	assert_int_equal(ask(issuer, &asker, CLAIMS("")), STATUS_BUSY);
	assert_int_equal(issuer_wants(issuer, url), ISSUER_WANTS_DISCOVERY);
	assert_string_equal(url, ISSUER "/.well-known/openid-configuration");
	assert_int_equal(issuer_wants(issuer, url), ISSUER_WANTS_NOTHING);
	assert_int_equal(issuer_set_discovery(
			     issuer, BYTES_LITERAL("{\"issuer\":\"https://evil\",\"jwks_uri\":\"https://k\"}"), NULL),
	    STATUS_DENIED);
	assert_int_equal(
	    issuer_set_discovery(
		issuer, BYTES_LITERAL("{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"http://issuer.example/keys\"}"), NULL),
	    STATUS_INVALID);
	assert_int_equal(issuer_set_discovery(issuer,
			     BYTES_LITERAL("{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://issuer.example/keys\","
					   "\"token_endpoint\":\"https://issuer.example/token\"}"),
			     NULL),
	    STATUS_OK);
	assert_int_equal(issuer_wants(issuer, url), ISSUER_WANTS_KEYS);
	assert_string_equal(url, "https://issuer.example/keys");
	set_keys(issuer, 7, "a");
	assert_true(issuer_is_ready(issuer));
	assert_int_equal(ask(issuer, &asker, CLAIMS("")), STATUS_OK);
	passed_s = ISSUER_FRESH_SECONDS - 1;
	assert_int_equal(issuer_wants(issuer, url), ISSUER_WANTS_NOTHING);
	passed_s = ISSUER_FRESH_SECONDS;
	assert_int_equal(issuer_wants(issuer, url), ISSUER_WANTS_KEYS);
	issuer_free(issuer);
}

#define LATE_CLAIMS "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":1900000000,\"client_id\":\"app\"}"

static void a_new_key_is_asked_for_once_and_an_old_one_ends(void **state) {
	(void)state;
	struct issuer_options options = options_at_url();
	options.keys_url = "https://issuer.example/keys";
	struct issuer *issuer = issuer_new(&options);
	struct asker asker;
	char url[ISSUER_URL_MAX];
	static const char new_key[] = "{\"alg\":\"ES256\",\"kid\":\"b\"}";
	passed_s = 0;
	assert_int_equal(issuer_wants(issuer, url), ISSUER_WANTS_KEYS);
	set_keys(issuer, 7, "a");
	assert_int_equal(ask(issuer, &asker, LATE_CLAIMS), STATUS_OK);
	passed_s = ISSUER_RETRY_SECONDS - 1; /* it was asked just now */
	assert_int_equal(ask_as(issuer, &asker, new_key, LATE_CLAIMS, 8, NULL), STATUS_DENIED);
	passed_s = ISSUER_RETRY_SECONDS;
	assert_int_equal(ask_as(issuer, &asker, new_key, LATE_CLAIMS, 8, NULL), STATUS_BUSY);
	assert_int_equal(issuer_wants(issuer, url), ISSUER_WANTS_KEYS);
	assert_int_equal(issuer_wants(issuer, url), ISSUER_WANTS_NOTHING);
	set_keys(issuer, 8, "b");
	assert_int_equal(ask_as(issuer, &asker, new_key, LATE_CLAIMS, 8, NULL), STATUS_OK);
	assert_int_equal(ask(issuer, &asker, LATE_CLAIMS), STATUS_DENIED); /* though its signature was once verified */
	issuer_free(issuer);
}

static void keys_that_nobody_renews_end_after_a_day(void **state) {
	(void)state;
	struct issuer_options options = options_at_url();
	options.keys_url = "https://issuer.example/keys";
	struct issuer *issuer = issuer_new(&options);
	struct asker asker;
	passed_s = 0;
	set_keys(issuer, 7, "a");
	passed_s = ISSUER_KEPT_SECONDS - 1;
	assert_int_equal(ask(issuer, &asker, LATE_CLAIMS), STATUS_OK);
	passed_s = ISSUER_KEPT_SECONDS;
	assert_false(issuer_is_ready(issuer));
	assert_int_not_equal(ask(issuer, &asker, LATE_CLAIMS), STATUS_OK);
	issuer_free(issuer);
}

static void a_set_that_is_none_leaves_the_old_one(void **state) {
	(void)state;
	struct issuer *issuer = issuer_of_file();
	struct asker asker;
	assert_int_equal(issuer_set_keys(issuer, BYTES_LITERAL("{\"keys\":[]}"), NULL), STATUS_INVALID);
	assert_int_equal(ask(issuer, &asker, CLAIMS("")), STATUS_OK);
	issuer_free(issuer);
}

static void apps_are_told_where_the_issuer_is(void **state) {
	(void)state;
	struct issuer_options options = options_at_url();
	options.authorize_url = "https://issuer.example/authorize";
	struct issuer *issuer = issuer_new(&options);
	const struct json *root;
	struct buf text;
	buf_init(&text, 1 << 16);
	assert_int_equal(issuer_set_discovery(issuer,
			     BYTES_LITERAL("{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://issuer.example/keys\","
					   "\"authorization_endpoint\":\"https://elsewhere\","
					   "\"token_endpoint\":\"https://issuer.example/token\"}"),
			     NULL),
	    STATUS_OK);
	issuer_smart_configuration(issuer, &text);
	assert_int_equal(json_parse(&root, &arena, buf_view(&text), NULL, NULL), STATUS_OK);
	assert_true(json_string_is(json_get(root, "issuer"), ISSUER));
	assert_true(json_string_is(json_get(root, "authorization_endpoint"), "https://issuer.example/authorize"));
	assert_true(json_string_is(json_get(root, "token_endpoint"), "https://issuer.example/token"));
	assert_true(json_string_is(json_at(json_get(root, "code_challenge_methods_supported"), 0), "S256"));
	assert_true(json_get(root, "capabilities")->count > 5);
	buf_fini(&text);
	issuer_free(issuer);
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
	    cmocka_unit_test(a_token_names_caller_person_organisation_and_purpose),
	    cmocka_unit_test(the_extensions_of_iua_and_udap_are_read),
	    cmocka_unit_test(a_system_has_no_person),
	    cmocka_unit_test(rights_beside_fhir_need_a_scope_of_everything),
	    cmocka_unit_test(claims_that_do_not_fit_are_refused),
	    cmocka_unit_test(a_bound_token_is_taken_with_its_certificate_only),
	    cmocka_unit_test(a_token_that_was_taken_still_ends),
	    cmocka_unit_test(keys_are_found_by_discovery_and_renewed),
	    cmocka_unit_test(a_new_key_is_asked_for_once_and_an_old_one_ends),
	    cmocka_unit_test(keys_that_nobody_renews_end_after_a_day),
	    cmocka_unit_test(a_set_that_is_none_leaves_the_old_one),
	    cmocka_unit_test(apps_are_told_where_the_issuer_is),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
