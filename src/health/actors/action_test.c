/* What a relay takes and what it refuses: nobody's file makes a home use its own powers. */
#include "eth/sign.h"
#include "health/actors/action.h"
#include "health/contracts/consent.h"
#include "health/contracts/directory.h"
#include "tests/unit.h"

static const hash32 patient = {{1}}, relay = {{2}}, stranger = {{3}};
static const hash32 folder = {{9}}, blob = {{8}};

struct world {
	struct arena arena;
	struct home home;
	struct actor_request request;
};

static void begin(struct world *w) {
	*w = (struct world){.home.deployment = {.chain_id = 7697,
				.genesis = {{5}},
				.directory = {{11}},
				.folders = {{12}},
				.records = {{13}},
				.consent = {{14}}}};
	arena_init(&w->arena);
	assert_int_equal(address_of_secret(&w->home.account, &relay), STATUS_OK);
	w->request = (struct actor_request){.home = &w->home, .arena = &w->arena};
}

static struct consent_grant a_grant(void) {
	struct consent_grant grant = {
	    .folder = folder, .grantee = {{7}}, .rights = 1, .purposes = 1, .until = 9, .wrap = blob, .wrap_size = 3};
	assert_int_equal(address_of_secret(&grant.by, &patient), STATUS_OK);
	return grant;
}

static struct action grant_signed_by(struct world *w, const struct consent_grant *grant, const hash32 *secret) {
	const struct deployment *deployment = &w->home.deployment;
	const struct eip712_domain domain = deployment_domain(deployment, &deployment->consent);
	struct eth_signature signature;
	hash32 digest = consent_grant_typed_digest(grant, &domain);
	assert_int_equal(eth_sign_digest(&signature, secret, &digest), STATUS_OK);
	return (struct action){
	    .to = deployment->consent, .data = consent_grant_call(&w->arena, grant, BYTES_OF(signature))};
}

static void refuses(struct world *w, const struct action *action, const char *says) {
	struct statement_call call;
	struct err err = {0};
	assert_int_equal(action_check(&w->request, &call, action, &err), STATUS_DENIED);
	if (!strstr(err.message, says)) fail_msg("%s", err.message);
}

static void a_relay_carries_what_a_controller_signed(void **state) {
	(void)state;
	struct world w;
	struct statement_call call;
	begin(&w);
	struct consent_grant grant = a_grant();
	struct action action = grant_signed_by(&w, &grant, &patient);
	action.blobs[0].gate = w.home.deployment.consent;
	action.blobs[0].blob = blob;
	action.blobs[0].container = BYTES_LITERAL("abc");
	action.blob_count = 1;
	assert_int_equal(action_check(&w.request, &call, &action, NULL), STATUS_OK);
	assert_true(addr20_equal(&call.by, &grant.by));
	grant.relay = w.home.account;
	action = grant_signed_by(&w, &grant, &patient);
	assert_int_equal(action_check(&w.request, &call, &action, NULL), STATUS_OK);
	arena_fini(&w.arena);
}

static void a_file_cannot_make_a_relay_use_its_own_powers(void **state) {
	(void)state;
	struct world w;
	begin(&w);
	struct consent_grant grant = a_grant();
	struct action action = grant_signed_by(&w, &grant, &stranger);
	refuses(&w, &action, "the signature is not of the account");
	assert_int_equal(address_of_secret(&grant.by, &relay), STATUS_OK);
	action = grant_signed_by(&w, &grant, &relay);
	refuses(&w, &action, "this home's own account signed");
	action = (struct action){
	    .to = w.home.deployment.consent, .data = consent_access_call(&w.arena, &folder, &(hash32){{0}}, 0)};
	refuses(&w, &action, "this call is none of those");
	const struct directory_standing standing = {.status = DIRECTORY_STATUS_SUSPENDED};
	action = (struct action){
	    .to = w.home.deployment.directory, .data = directory_set_standing_call(&w.arena, &standing, NULL, 0)};
	refuses(&w, &action, "this call is none of those");
	arena_fini(&w.arena);
}

static void an_action_for_another_relay_or_deployment_is_refused(void **state) {
	(void)state;
	struct world w;
	begin(&w);
	struct consent_grant grant = a_grant();
	grant.relay = (addr20){{1}};
	struct action action = grant_signed_by(&w, &grant, &patient);
	refuses(&w, &action, "another account than this home's as its relay");
	grant = a_grant();
	action = grant_signed_by(&w, &grant, &patient);
	w.home.deployment.genesis.b[0]++;
	refuses(&w, &action, "the signature is not of the account");
	arena_fini(&w.arena);
}

static void a_relay_puts_no_blob_but_the_one_that_the_call_names(void **state) {
	(void)state;
	struct world w;
	begin(&w);
	struct consent_grant grant = a_grant();
	struct action action = grant_signed_by(&w, &grant, &patient);
	action.blob_count = 1;
	action.blobs[0].gate = w.home.deployment.records;
	action.blobs[0].blob = blob;
	action.blobs[0].container = BYTES_LITERAL("abc");
	refuses(&w, &action, "a blob that its call does not name");
	action.blobs[0].gate = w.home.deployment.consent;
	action.blobs[0].container = BYTES_LITERAL("abcd");
	refuses(&w, &action, "a blob that its call does not name");
	action.blobs[0].container = BYTES_LITERAL("abc");
	action.blobs[0].blob = folder;
	refuses(&w, &action, "a blob that its call does not name");
	arena_fini(&w.arena);
}

static enum status parse(struct world *w, struct action *out, struct bytes json, const char *from, const char *to) {
	struct buf changed;
	buf_init(&changed, 65536);
	const uint8_t *at = memmem(json.data, json.len, from, strlen(from));
	assert_non_null(at);
	buf_append(&changed, bytes_make(json.data, (size_t)(at - json.data)));
	buf_text(&changed, to);
	at += strlen(from);
	buf_append(&changed, bytes_make(at, json.len - (size_t)(at - json.data)));
	enum status status = action_parse(out, &w->arena, arena_dup(&w->arena, buf_view(&changed)), 7697, NULL);
	buf_fini(&changed);
	return status;
}

static void a_file_that_is_no_action_is_refused(void **state) {
	(void)state;
	struct world w;
	struct action out;
	struct buf json;
	begin(&w);
	struct consent_grant grant = a_grant();
	struct action action = grant_signed_by(&w, &grant, &patient);
	buf_init(&json, 65536);
	assert_int_equal(action_write(&json, &action, 7697, NULL), STATUS_OK);
	struct bytes text = buf_view(&json);
	assert_int_equal(parse(&w, &out, text, "{", "{"), STATUS_OK);
	assert_true(bytes_equal(out.data, action.data) && addr20_equal(&out.to, &action.to));
	static const char *const changes[][2] = {{"xinglin-action", "xinglin-listing"}, {"\"v\":2", "\"v\":\"2\""},
	    {"\"v\":2,", ""}, {"7697", "7698"}, {"7697", "\"7697\""}, {"\"data\":\"0x", "\"data\":\"0"},
	    {"\"to\":\"0x", "\"to\":\"0x00"}, {"[]", "{}"}, {"[]", "[{\"gate\":\"0x01\"}]"}};
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		assert_int_equal(parse(&w, &out, text, changes[i][0], changes[i][1]), STATUS_INVALID);
	assert_int_equal(parse(&w, &out, text, "\"v\":2", "\"v\":1"), STATUS_UNSUPPORTED);
	buf_fini(&json);
	arena_fini(&w.arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_relay_carries_what_a_controller_signed),
	    cmocka_unit_test(a_file_cannot_make_a_relay_use_its_own_powers),
	    cmocka_unit_test(an_action_for_another_relay_or_deployment_is_refused),
	    cmocka_unit_test(a_file_that_is_no_action_is_refused),
	    cmocka_unit_test(a_relay_puts_no_blob_but_the_one_that_the_call_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
