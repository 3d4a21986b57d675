#include "health/gateway/issuer.h"

#include <stdio.h>
#include <strings.h>

#include "crypto/hash.h"
#include "health/gateway/issuer_private.h"

#define VERIFIED_MAX 1024u
#define SECOND_NS 1000000000u
#define DISCOVERY_PATH "/.well-known/openid-configuration"
#define FACT_COUNT 5u

/* What discovery may say that the SMART configuration repeats. */
enum fact { FACT_KEYS, FACT_AUTHORIZE, FACT_TOKEN, FACT_INTROSPECT, FACT_REVOKE };
static const char *const fact_names[FACT_COUNT] = {
    "jwks_uri", "authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint"};

struct issuer {
	struct issuer_options options;
	struct monitor *lock;     /* of all that follows */
	struct jwk_set *keys;     /* NULL: none yet */
	uint64_t keys_s, asked_s; /* monotonic; when they came, and when they were asked for last. 0: never */
	bool has_discovery, is_wanted;
	char facts[FACT_COUNT][ISSUER_URL_MAX];
	/* Hashes of tokens whose signatures the current keys verified, each at the place that its bytes name: so a
	 * token costs one signature and not one a request. Its claims are judged each time. */
	hash32 verified[VERIFIED_MAX];
};

struct issuer *issuer_new(const struct issuer_options *options) {
	struct issuer *issuer = mem_zalloc(1, sizeof *issuer);
	issuer->options = *options;
	if (options->threads) issuer->lock = options->threads->monitor_new(options->threads->context);
	if (options->keys_url) snprintf(issuer->facts[FACT_KEYS], ISSUER_URL_MAX, "%s", options->keys_url);
	if (options->authorize_url)
		snprintf(issuer->facts[FACT_AUTHORIZE], ISSUER_URL_MAX, "%s", options->authorize_url);
	if (options->token_url) snprintf(issuer->facts[FACT_TOKEN], ISSUER_URL_MAX, "%s", options->token_url);
	return issuer;
}

void issuer_free(struct issuer *issuer) {
	if (!issuer) return;
	if (issuer->lock) issuer->options.threads->monitor_free(issuer->lock);
	jwk_set_free(issuer->keys);
	mem_free(issuer);
}

static void lock(struct issuer *issuer) {
	if (issuer->lock) issuer->options.threads->lock(issuer->lock);
}

static void unlock(struct issuer *issuer) {
	if (issuer->lock) issuer->options.threads->unlock(issuer->lock);
}

/* At least 1, so that 0 is never. */
static uint64_t now_s(const struct issuer *issuer) {
	return clock_monotonic_ns(issuer->options.clock) / SECOND_NS + 1;
}

/* --- keys --- */

enum status issuer_set_keys(struct issuer *issuer, struct bytes text, struct err *err) {
	struct jwk_set *set;
	TRY(jwk_set_parse(&set, text, err));
	lock(issuer);
	struct jwk_set *old = issuer->keys;
	issuer->keys = set;
	issuer->keys_s = now_s(issuer);
	issuer->is_wanted = false;
	memset(issuer->verified, 0, sizeof issuer->verified);
	unlock(issuer);
	jwk_set_free(old);
	return STATUS_OK;
}

static bool begins(struct bytes text, const char *with) {
	const size_t len = strlen(with);
	return text.len > len && strncasecmp((const char *)text.data, with, len) == 0;
}

/* What came over https does not lead to plain HTTP. */
static bool is_url(const struct issuer *issuer, struct bytes text) {
	bool is_plain = begins(bytes_text(issuer->options.issuer), "http://");
	if (text.len >= ISSUER_URL_MAX) return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f) return false;
	return begins(text, "https://") || (is_plain && begins(text, "http://"));
}

static enum status take_facts(struct issuer *issuer, const struct json *root, struct err *err) {
	const struct json *iss = json_get(root, "issuer");
	if (!json_is(iss, JSON_STRING) || !bytes_equal(iss->text, bytes_text(issuer->options.issuer)))
		return err_set(err, STATUS_DENIED, "it describes another issuer than the one that is configured");
	for (unsigned i = 0; i < FACT_COUNT; i++) {
		struct bytes url = json_string(json_get(root, fact_names[i]));
		if (issuer->facts[i][0] || !url.len) continue;
		if (!is_url(issuer, url))
			return err_set(err, STATUS_INVALID, "its %s is not an address with https", fact_names[i]);
		memcpy(issuer->facts[i], url.data, url.len);
		issuer->facts[i][url.len] = 0;
	}
	if (!issuer->facts[FACT_KEYS][0]) return err_set(err, STATUS_INVALID, "it names no keys (jwks_uri)");
	issuer->has_discovery = true;
	issuer->asked_s = 0; /* the keys may be asked for at once */
	return STATUS_OK;
}

enum status issuer_set_discovery(struct issuer *issuer, struct bytes text, struct err *err) {
	static const struct json_limits limits = {.bytes_max = ISSUER_ANSWER_MAX, .depth_max = 16, .values_max = 8192};
	const struct json *root;
	struct arena arena;
	arena_init(&arena);
	enum status status = json_parse(&root, &arena, text, &limits, err);
	lock(issuer);
	if (status == STATUS_OK) status = take_facts(issuer, root, err);
	unlock(issuer);
	arena_fini(&arena);
	return status == STATUS_OK ? status : err_prefix(err, status, "what the issuer says of itself");
}

static bool may_ask(const struct issuer *issuer, uint64_t now) {
	return !issuer->asked_s || now >= issuer->asked_s + ISSUER_RETRY_SECONDS;
}

/* OpenID Connect Discovery §4.1: a slash at the issuer's end does not count. */
static void put_discovery_url(char url[ISSUER_URL_MAX], const char *issuer) {
	size_t len = strlen(issuer);
	if (len && issuer[len - 1] == '/') len--;
	snprintf(url, ISSUER_URL_MAX, "%.*s%s", (int)len, issuer, DISCOVERY_PATH);
}

enum issuer_want issuer_wants(struct issuer *issuer, char url[ISSUER_URL_MAX]) {
	enum issuer_want want = ISSUER_WANTS_NOTHING;
	if (issuer->options.keys_of_file) return want;
	lock(issuer);
	const uint64_t now = now_s(issuer);
	bool is_old = !issuer->keys || issuer->is_wanted || now >= issuer->keys_s + ISSUER_FRESH_SECONDS;
	if (is_old && may_ask(issuer, now)) {
		want = issuer->facts[FACT_KEYS][0] ? ISSUER_WANTS_KEYS : ISSUER_WANTS_DISCOVERY;
		if (want == ISSUER_WANTS_KEYS)
			snprintf(url, ISSUER_URL_MAX, "%s", issuer->facts[FACT_KEYS]);
		else
			put_discovery_url(url, issuer->options.issuer);
		issuer->asked_s = now;
	}
	unlock(issuer);
	return want;
}

static bool has_keys(const struct issuer *issuer) {
	if (!issuer->keys) return false;
	return issuer->options.keys_of_file || now_s(issuer) < issuer->keys_s + ISSUER_KEPT_SECONDS;
}

bool issuer_is_ready(struct issuer *issuer) {
	lock(issuer);
	bool is_ready = has_keys(issuer);
	unlock(issuer);
	return is_ready;
}

/* --- tokens --- */

/* With the lock. A key that is not known is asked for, unless that was done just now. */
static enum status want_keys(struct issuer *issuer, struct err *err) {
	if (issuer->options.keys_of_file) return err_set(err, STATUS_DENIED, "the issuer has no such key");
	if (!issuer->is_wanted && !may_ask(issuer, now_s(issuer)))
		return err_set(err, STATUS_DENIED, "the issuer has no such key");
	issuer->is_wanted = true;
	return err_set(err, STATUS_BUSY, "the issuer is asked for its keys");
}

/* With the lock. */
static enum status verify(struct issuer *issuer, const struct jwt *token, const hash32 *name, struct err *err) {
	hash32 *known = &issuer->verified[load_be32(name->b) % VERIFIED_MAX];
	if (!has_keys(issuer)) return want_keys(issuer, err);
	if (hash32_equal(known, name)) return STATUS_OK;
	enum status status = jwt_verify(token, issuer->keys, err);
	if (status == STATUS_NOTFOUND) return want_keys(issuer, err);
	if (status == STATUS_OK) *known = *name;
	return status;
}

/* What an access token calls itself. An ID token or a refresh token opens nothing. */
static enum status check_kind(const struct jwt *token, struct err *err) {
	static const char *const kinds[] = {"JWT", "at+jwt", "application/at+jwt"};
	const struct json *kind = json_get(token->claims, "typ");
	bool is_access = !token->typ.len;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (token->typ.len == strlen(kinds[i]) &&
		    strncasecmp((const char *)token->typ.data, kinds[i], token->typ.len) == 0)
			is_access = true;
	if (!is_access || (kind && !json_string_is(kind, "Bearer")))
		return err_set(err, STATUS_DENIED, "the token is not an access token");
	return STATUS_OK;
}

enum status issuer_ask(struct issuer *issuer, struct asker *out, struct arena *arena, struct bytes token,
    const struct http_peer *peer, struct err *err) {
	struct jwt jwt;
	if (jwt_parse(&jwt, arena, token, err) != STATUS_OK) return STATUS_DENIED;
	const hash32 name = sha256(token);
	lock(issuer);
	enum status status = verify(issuer, &jwt, &name, err);
	unlock(issuer);
	TRY(status);
	const struct jwt_expected expected = {.issuer = bytes_text(issuer->options.issuer),
	    .audience = bytes_text(issuer->options.audience),
	    .now_s = clock_now_ms(issuer->options.clock) / 1000};
	TRY(jwt_check(&jwt, &expected, err));
	TRY(check_kind(&jwt, err));
	TRY(issuer_check_binding(jwt.claims, peer, err));
	return issuer_asker_of(out, arena, &issuer->options, jwt.claims, err);
}

/* --- what apps are told --- */

static void put_list(struct json_writer *writer, const char *name, const char *const *items, size_t count) {
	json_array_begin(writer, name);
	for (size_t i = 0; i < count; i++) json_put_text(writer, NULL, items[i]);
	json_array_end(writer);
}
#define PUT_LIST(writer, name, ...)                                                                                    \
	do {                                                                                                           \
		static const char *const items_[] = {__VA_ARGS__};                                                     \
		put_list(writer, name, items_, sizeof items_ / sizeof *items_);                                        \
	} while (0)

void issuer_smart_configuration(struct issuer *issuer, struct buf *out) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "issuer", issuer->options.issuer);
	lock(issuer);
	for (unsigned i = 0; i < FACT_COUNT; i++)
		if (issuer->facts[i][0]) json_put_text(&writer, fact_names[i], issuer->facts[i]);
	unlock(issuer);
	PUT_LIST(&writer, "grant_types_supported", "authorization_code", "client_credentials");
	PUT_LIST(&writer, "response_types_supported", "code");
	PUT_LIST(&writer, "code_challenge_methods_supported", "S256");
	PUT_LIST(&writer, "token_endpoint_auth_methods_supported", "private_key_jwt", "client_secret_basic");
	PUT_LIST(&writer, "token_endpoint_auth_signing_alg_values_supported", "ES256", "ES384", "RS256", "PS256");
	PUT_LIST(&writer, "scopes_supported", "openid", "fhirUser", "launch", "launch/patient", "offline_access",
	    "patient/*.cruds", "user/*.cruds", "system/*.cruds");
	PUT_LIST(&writer, "capabilities", "launch-ehr", "launch-standalone", "client-public",
	    "client-confidential-symmetric", "client-confidential-asymmetric", "context-ehr-patient",
	    "context-standalone-patient", "permission-patient", "permission-user", "permission-offline",
	    "permission-v1", "permission-v2", "sso-openid-connect");
	json_object_end(&writer);
}

static void put_address(struct json_writer *writer, const char *name, const char *url) {
	if (!url[0]) return;
	json_object_begin(writer, NULL);
	json_put_text(writer, "url", name);
	json_put_text(writer, "valueUri", url);
	json_object_end(writer);
}

/* The extension by which apps of SMART's first version find the issuer. */
static void put_addresses(struct json_writer *writer, struct issuer *issuer) {
	lock(issuer);
	if (issuer->facts[FACT_AUTHORIZE][0] || issuer->facts[FACT_TOKEN][0]) {
		json_array_begin(writer, "extension");
		json_object_begin(writer, NULL);
		json_put_text(writer, "url", "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris");
		json_array_begin(writer, "extension");
		put_address(writer, "authorize", issuer->facts[FACT_AUTHORIZE]);
		put_address(writer, "token", issuer->facts[FACT_TOKEN]);
		json_array_end(writer);
		json_object_end(writer);
		json_array_end(writer);
	}
	unlock(issuer);
}

void issuer_security(struct issuer *issuer, struct json_writer *writer) {
	json_object_begin(writer, "security");
	if (issuer) put_addresses(writer, issuer);
	json_array_begin(writer, "service");
	json_object_begin(writer, NULL);
	json_array_begin(writer, "coding");
	json_object_begin(writer, NULL);
	json_put_text(writer, "system", "http://terminology.hl7.org/CodeSystem/restful-security-service");
	json_put_text(writer, "code", issuer ? "SMART-on-FHIR" : "OAuth");
	json_object_end(writer);
	json_array_end(writer);
	json_object_end(writer);
	json_array_end(writer);
	json_put_text(writer, "description",
	    issuer ? "a bearer token of the issuer, or of this gateway's file of tokens"
		   : "a bearer token of this gateway's file of tokens");
	json_object_end(writer);
}
