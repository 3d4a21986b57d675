/* Who may ask JSON-RPC, and how much, on a clock of the test's own. */
#include "tests/unit.h"

#include <stdio.h>

#include "envelope/jwt.h"
#include "ledger/rpc/rpc_callers.h"
#include "tests/jwt_tokens.h"
#include "tests/scripted_random.h"

#define NOW_S 1800000000u
#define SECRET "0x0101010101010101010101010101010101010101010101010101010101010101"

static uint64_t elapsed_ns;
static struct arena arena;

static uint64_t now_ms(void *context) {
	(void)context;
	return (uint64_t)NOW_S * 1000 + elapsed_ns / 1000000;
}

static uint64_t monotonic_ns(void *context) {
	(void)context;
	return elapsed_ns;
}

static const struct clock_source test_clock = {now_ms, monotonic_ns, NULL};

static struct rpc_callers *make(uint64_t requests, uint64_t gas) {
	static struct scripted_random script;
	static struct random_source random;
	elapsed_ns = 1000000000;
	random = scripted_random(&script);
	return rpc_callers_new(&(struct rpc_callers_options){requests, gas, &test_clock, &random});
}

static enum status find(
    struct rpc_callers *callers, struct rpc_caller *out, const char *address, const char *authorization) {
	struct http_peer peer = {.has_certificate = false};
	struct http_request request = {.peer = &peer};
	snprintf(peer.address, sizeof peer.address, "%s", address);
	if (authorization)
		request.headers[request.header_count++] =
		    (struct http_header){BYTES_LITERAL("authorization"), bytes_text(authorization)};
	return rpc_callers_find(callers, out, &arena, &request, NULL);
}

static struct rpc_caller caller_at(struct rpc_callers *callers, const char *address) {
	struct rpc_caller caller;
	assert_int_equal(find(callers, &caller, address, NULL), STATUS_OK);
	return caller;
}

/* "Bearer " and a token of header and claims, signed by `sign`. */
static const char *issued(const char *claims) {
	struct buf text;
	buf_init(&text, 1 << 16);
	buf_text(&text, "Bearer ");
	struct buf token;
	buf_init(&token, 1 << 16);
	jwt_token(&token, "{\"alg\":\"ES256\"}", claims, 7);
	buf_append(&text, buf_view(&token));
	const char *out = arena_strdup(&arena, buf_view(&text));
	buf_fini(&token);
	buf_fini(&text);
	return out;
}

static const char *shared(const char *header, const char *claims, uint8_t fill) {
	hash32 secret;
	struct buf text;
	memset(secret.b, fill, sizeof secret.b);
	buf_init(&text, 1 << 16);
	buf_text(&text, "bearer ");
	const size_t from = text.len;
	base64url_put(&text, bytes_text(header));
	buf_byte(&text, '.');
	base64url_put(&text, bytes_text(claims));
	const hash32 signature = hmac_sha256(BYTES_OF(secret), bytes_slice(buf_view(&text), from, text.len));
	buf_byte(&text, '.');
	base64url_put(&text, BYTES_OF(signature));
	const char *out = arena_strdup(&arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static void set_keys(struct rpc_callers *callers, const char *text, const char *issuer, enum status wanted) {
	const struct rpc_caller_keys keys = {bytes_text(text), issuer, issuer ? "node" : NULL};
	assert_int_equal(rpc_callers_set_keys(callers, &keys, NULL), wanted);
}

static const char *set_of_keys(uint8_t number) {
	struct buf text;
	buf_init(&text, 1 << 16);
	jwt_keys(&text, number, "a");
	const char *out = arena_strdup(&arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

/* --- tokens --- */

static void a_token_of_the_shared_secret_opens_for_a_minute(void **state) {
	(void)state;
	struct rpc_callers *callers = make(0, 0);
	struct rpc_caller caller;
	set_keys(callers, SECRET "\n", NULL, STATUS_OK);
	struct {
		const char *token;
		enum status wanted;
	} cases[] = {{shared(HS256, "{\"iat\":1800000001}", 1), STATUS_OK},
	    {shared(HS256, "{\"iat\":1799999941}", 1), STATUS_OK},
	    {shared(HS256, "{\"iat\":1800000061}", 1), STATUS_OK},
	    {shared(HS256, "{\"iat\":1799999940}", 1), STATUS_DENIED},
	    {shared(HS256, "{\"iat\":1800000062}", 1), STATUS_DENIED},
	    {shared(HS256, "{\"iat\":1800000001,\"exp\":1800000001}", 1), STATUS_DENIED},
	    {shared(HS256, "{\"iat\":1800000001,\"exp\":1800000002}", 1), STATUS_OK},
	    {shared(HS256, "{}", 1), STATUS_DENIED}, {shared(HS256, "{\"iat\":1800000001}", 2), STATUS_DENIED},
	    {shared("{\"alg\":\"none\"}", "{\"iat\":1800000001}", 1), STATUS_DENIED},
	    {shared("{\"alg\":\"HS512\"}", "{\"iat\":1800000001}", 1), STATUS_DENIED},
	    {shared("{\"alg\":\"ES256\"}", "{\"iat\":1800000001}", 1), STATUS_DENIED}, {NULL, STATUS_DENIED},
	    {"Bearer ", STATUS_DENIED}, {"Bearer a.b.c", STATUS_DENIED}, {"Basic YTpi", STATUS_DENIED}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(find(callers, &caller, "127.0.0.1", cases[i].token), cases[i].wanted);
	assert_int_equal(rpc_callers_count(callers).unknown, 12);
	rpc_callers_free(callers);
}

static void what_jwt_shared_write_makes_is_taken(void **state) {
	(void)state;
	struct rpc_callers *callers = make(0, 0);
	struct rpc_caller caller;
	struct buf text;
	hash32 secret;
	memset(secret.b, 1, sizeof secret.b);
	set_keys(callers, &SECRET[2], NULL, STATUS_OK);
	buf_init(&text, 7 + JWT_SHARED_TOKEN_MAX);
	buf_text(&text, "Bearer ");
	jwt_shared_write(&text, &secret, NOW_S);
	assert_int_equal(find(callers, &caller, "127.0.0.1", buf_cstr(&text)), STATUS_OK);
	buf_fini(&text);
	rpc_callers_free(callers);
}

static void an_issuers_token_opens_if_it_is_for_this_node(void **state) {
	(void)state;
	struct rpc_callers *callers = make(0, 0);
	struct rpc_caller caller, again;
	set_keys(callers, set_of_keys(7), NULL, STATUS_INVALID); /* for whom? */
	set_keys(callers, set_of_keys(7), "issuer", STATUS_OK);
	const char *good = issued("{\"iss\":\"issuer\",\"aud\":\"node\",\"exp\":1800000100,\"sub\":\"a\"}");
	assert_int_equal(find(callers, &caller, "127.0.0.1", good), STATUS_OK);
	assert_int_equal(find(callers, &again, "::1", good), STATUS_OK);
	assert_true(caller.id == again.id); /* the subject, from wherever */
	assert_int_equal(
	    find(callers, &caller, "127.0.0.1", issued("{\"iss\":\"issuer\",\"aud\":\"gateway\",\"exp\":1800000100}")),
	    STATUS_DENIED);
	assert_int_equal(find(callers, &caller, "127.0.0.1", shared(HS256, "{\"iat\":1800000001}", 1)), STATUS_DENIED);
	elapsed_ns += (uint64_t)200 * 1000000000; /* its signature is known, and its time is over */
	assert_int_equal(find(callers, &caller, "127.0.0.1", good), STATUS_DENIED);
	elapsed_ns = 1000000000;
	set_keys(callers, set_of_keys(8), "issuer", STATUS_OK); /* what the old keys signed is over */
	assert_int_equal(find(callers, &caller, "127.0.0.1", good), STATUS_DENIED);
	rpc_callers_free(callers);
}

static void wrong_keys_leave_the_old_ones(void **state) {
	(void)state;
	static const char *const wrong[] = {"", " ", "0x", "0x01", SECRET "00", "{", "{\"keys\":[]}",
	    "zz01010101010101010101010101010101010101010101010101010101010101"};
	struct rpc_callers *callers = make(0, 0);
	struct rpc_caller caller;
	set_keys(callers, SECRET, NULL, STATUS_OK);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) set_keys(callers, wrong[i], "issuer", STATUS_INVALID);
	assert_int_equal(find(callers, &caller, "127.0.0.1", shared(HS256, "{\"iat\":1800000001}", 1)), STATUS_OK);
	rpc_callers_free(callers);
}

static void a_token_may_narrow_the_methods(void **state) {
	(void)state;
	struct rpc_callers *callers = make(0, 0);
	struct rpc_caller caller;
	set_keys(callers, SECRET, NULL, STATUS_OK);
	const char *narrow = shared(HS256, "{\"iat\":1800000001,\"methods\":[\"eth_get*\",\"eth_call\"]}", 1);
	assert_int_equal(find(callers, &caller, "127.0.0.1", narrow), STATUS_OK);
	assert_true(rpc_caller_may(&caller, "eth_getBalance"));
	assert_true(rpc_caller_may(&caller, "eth_call"));
	assert_false(rpc_caller_may(&caller, "eth_callMany"));
	assert_false(rpc_caller_may(&caller, "eth_sendRawTransaction"));
	const char *none = shared(HS256, "{\"iat\":1800000001,\"methods\":[]}", 1);
	assert_int_equal(find(callers, &caller, "127.0.0.1", none), STATUS_OK);
	assert_false(rpc_caller_may(&caller, "eth_call"));
	static const char *const wrong[] = {
	    "\"eth_call\"", "[1]", "[\"\"]", "[\"a b\"]", "{\"a\":\"eth_call\"}", "null"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *claims = arena_printf(&arena, "{\"iat\":1800000001,\"methods\":%s}", wrong[i]);
		assert_int_equal(find(callers, &caller, "127.0.0.1", shared(HS256, claims, 1)), STATUS_DENIED);
	}
	rpc_callers_free(callers);
}

/* --- buckets --- */

static void ten_seconds_of_requests_may_come_at_once(void **state) {
	(void)state;
	struct rpc_callers *callers = make(2, 0);
	const struct rpc_caller caller = caller_at(callers, "192.0.2.1"), other = caller_at(callers, "192.0.2.2");
	for (unsigned i = 0; i < 20; i++) assert_int_equal(rpc_callers_take(callers, &caller, 1), 0);
	assert_int_equal(rpc_callers_take(callers, &caller, 1), 1);
	assert_int_equal(rpc_callers_take(callers, &other, 1), 0);
	elapsed_ns += 499999000;
	assert_int_equal(rpc_callers_take(callers, &caller, 1), 1);
	elapsed_ns += 1000;
	assert_int_equal(rpc_callers_take(callers, &caller, 1), 0);
	elapsed_ns += (uint64_t)86400 * 1000000000; /* no more than ten seconds' worth is kept */
	for (unsigned i = 0; i < 20; i++) assert_int_equal(rpc_callers_take(callers, &caller, 1), 0);
	assert_int_equal(rpc_callers_take(callers, &caller, 1), 1);
	assert_int_equal(rpc_callers_count(callers).limited, 3);
	rpc_callers_free(callers);
}

static void a_batch_costs_its_members_and_may_owe_them(void **state) {
	(void)state;
	struct rpc_callers *callers = make(2, 0);
	const struct rpc_caller caller = caller_at(callers, "192.0.2.1");
	assert_int_equal(rpc_callers_take(callers, &caller, 1000), 0);
	assert_int_equal(rpc_callers_take(callers, &caller, 1), 491); /* (1000 - 20 + 1) / 2 */
	assert_int_equal(rpc_callers_wait(callers, &caller), 491);
	elapsed_ns += (uint64_t)491 * 1000000000;
	assert_int_equal(rpc_callers_wait(callers, &caller), 0);
	rpc_callers_free(callers);
}

static void gas_is_paid_afterwards(void **state) {
	(void)state;
	struct rpc_callers *callers = make(0, 1000);
	const struct rpc_caller caller = caller_at(callers, "192.0.2.1");
	assert_true(rpc_callers_have_gas(callers, &caller));
	rpc_callers_spend_gas(callers, &caller, 12000);
	assert_false(rpc_callers_have_gas(callers, &caller));
	assert_int_equal(rpc_callers_take(callers, &caller, 1), 3);
	elapsed_ns += (uint64_t)3 * 1000000000;
	assert_true(rpc_callers_have_gas(callers, &caller));
	rpc_callers_spend_gas(callers, &caller, UINT64_MAX); /* nobody is shut out for more than a minute */
	assert_int_equal(rpc_callers_take(callers, &caller, 1), 61);
	assert_int_equal(rpc_callers_count(callers).gas_limited, 1);
	rpc_callers_free(callers);
}

static void a_network_of_ipv6_is_one_caller(void **state) {
	(void)state;
	struct rpc_callers *callers = make(1, 0);
	assert_true(caller_at(callers, "2001:db8::1").id == caller_at(callers, "2001:db8::ffff:1").id);
	assert_true(caller_at(callers, "2001:db8::1").id != caller_at(callers, "2001:db8:0:1::1").id);
	assert_true(caller_at(callers, "192.0.2.1").id != caller_at(callers, "192.0.2.2").id);
	rpc_callers_free(callers);
}

/* Whoever comes from ever new addresses takes the places of those who are silent longest. */
static void places_are_bounded(void **state) {
	(void)state;
	struct rpc_callers *callers = make(1, 0);
	for (unsigned i = 0; i < 4 * CALLERS_MAX; i++) {
		char address[48];
		snprintf(address, sizeof address, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		const struct rpc_caller caller = caller_at(callers, address);
		elapsed_ns += 1000;
		assert_int_equal(rpc_callers_take(callers, &caller, 10), 0);
		assert_true(rpc_callers_take(callers, &caller, 1) > 0);
	}
	rpc_callers_free(callers);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_of_the_shared_secret_opens_for_a_minute),
	    cmocka_unit_test(what_jwt_shared_write_makes_is_taken),
	    cmocka_unit_test(an_issuers_token_opens_if_it_is_for_this_node),
	    cmocka_unit_test(wrong_keys_leave_the_old_ones),
	    cmocka_unit_test(a_token_may_narrow_the_methods),
	    cmocka_unit_test(ten_seconds_of_requests_may_come_at_once),
	    cmocka_unit_test(a_batch_costs_its_members_and_may_owe_them),
	    cmocka_unit_test(gas_is_paid_afterwards),
	    cmocka_unit_test(a_network_of_ipv6_is_one_caller),
	    cmocka_unit_test(places_are_bounded),
	};
	arena_init(&arena);
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_fini(&arena);
	return failed;
}
