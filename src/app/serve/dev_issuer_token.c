/* The developers' issuer: tokens for codes (RFC 6749, RFC 7636), refresh tokens and assertions (RFC 7523). */
#include <stdio.h>

#include "app/serve/dev_issuer_private.h"
#include "app/system.h"
#include "base/http_reply.h"
#include "codec/hex.h"
#include "crypto/hash.h"

#define ASSERTION "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define CLAIMS_MAX ((size_t)8 << 10)
#define ASSERTION_SECONDS_MAX 300u

/* --- making tokens --- */

static bool has_scope(const char *scopes, const char *wanted) {
	const size_t len = strlen(wanted);
	for (const char *at = scopes; (at = strstr(at, wanted)); at += len)
		if ((at == scopes || at[-1] == ' ') && (at[len] == 0 || at[len] == ' ')) return true;
	return false;
}

static void put_base(
    struct json_writer *writer, const struct dev_issuer *issuer, const struct dev_grant *grant, const char *audience) {
	uint8_t id[16];
	struct buf text;
	const uint64_t now_s = dev_issuer_now_s();
	random_fill(&world_random, id, sizeof id);
	buf_init(&text, 64);
	base64url_put(&text, bytes_make(id, sizeof id));
	json_put_text(writer, "iss", issuer->url);
	json_put_text(writer, "aud", audience);
	json_put_text(writer, "sub", grant->user[0] ? grant->user : grant->client);
	json_put_u64(writer, "iat", now_s);
	json_put_u64(writer, "exp", now_s + DEV_TOKEN_SECONDS);
	json_put_string(writer, "jti", buf_view(&text));
	if (grant->user[0]) json_put_text(writer, "fhirUser", grant->user);
	buf_fini(&text);
}

static void sign_access(const struct dev_issuer *issuer, struct buf *out, const struct dev_grant *grant) {
	struct buf claims;
	buf_init(&claims, CLAIMS_MAX);
	struct json_writer writer = json_writer(&claims);
	json_object_begin(&writer, NULL);
	put_base(&writer, issuer, grant, DEV_ISSUER_AUDIENCE);
	json_put_text(&writer, "client_id", grant->client);
	json_put_text(&writer, "scope", grant->scope);
	if (grant->patient[0]) json_put_text(&writer, "patient", grant->patient);
	json_object_end(&writer);
	dev_issuer_sign(issuer, out, buf_view(&claims));
	buf_fini(&claims);
}

/* Of OpenID Connect: for the client, and refused by the gateway. */
static void sign_id(const struct dev_issuer *issuer, struct buf *out, const struct dev_grant *grant) {
	struct buf claims;
	buf_init(&claims, CLAIMS_MAX);
	struct json_writer writer = json_writer(&claims);
	json_object_begin(&writer, NULL);
	put_base(&writer, issuer, grant, grant->client);
	if (grant->nonce[0]) json_put_text(&writer, "nonce", grant->nonce);
	json_object_end(&writer);
	dev_issuer_sign(issuer, out, buf_view(&claims));
	buf_fini(&claims);
}

static void put_refresh(struct dev_issuer *issuer, struct json_writer *writer, const struct dev_grant *grant) {
	char secret[DEV_SECRET_TEXT];
	struct dev_grant refresh = *grant;
	refresh.is_code = false;
	refresh.until_s = dev_issuer_now_s() + DEV_REFRESH_SECONDS;
	dev_issuer_keep(issuer, &refresh, secret);
	json_put_text(writer, "refresh_token", secret);
	mem_wipe(secret, sizeof secret);
}

static void answer(struct dev_issuer *issuer, struct http_exchange *exchange, const struct dev_grant *grant) {
	struct buf token;
	struct json_writer writer = json_writer(&exchange->response.body);
	buf_init(&token, 2 * CLAIMS_MAX);
	json_object_begin(&writer, NULL);
	sign_access(issuer, &token, grant);
	json_put_string(&writer, "access_token", buf_view(&token));
	json_put_text(&writer, "token_type", "Bearer");
	json_put_u64(&writer, "expires_in", DEV_TOKEN_SECONDS);
	json_put_text(&writer, "scope", grant->scope);
	if (grant->patient[0]) json_put_text(&writer, "patient", grant->patient);
	if (has_scope(grant->scope, "openid")) {
		buf_clear(&token);
		sign_id(issuer, &token, grant);
		json_put_string(&writer, "id_token", buf_view(&token));
	}
	if (has_scope(grant->scope, "offline_access") || has_scope(grant->scope, "online_access"))
		put_refresh(issuer, &writer, grant);
	json_object_end(&writer);
	buf_wipe(&token);
	exchange->response.status = 200;
	exchange->response.content_type = "application/json";
	http_put_header(&exchange->response, "Cache-Control", "no-store");
}

/* --- grants --- */

/* RFC 7636 §4.6. */
static bool fits_challenge(const struct dev_grant *grant, struct bytes verifier) {
	struct buf text;
	buf_init(&text, 64);
	const hash32 hash = sha256(verifier);
	base64url_put(&text, BYTES_OF(hash));
	bool fits =
	    verifier.len >= 43 && verifier.len <= 128 && bytes_equal(buf_view(&text), bytes_text(grant->challenge));
	buf_fini(&text);
	return fits;
}

static void take_code(struct dev_issuer *issuer, struct http_exchange *exchange, const struct http_query *form) {
	const struct dev_grant *found = dev_issuer_take(issuer, http_query_get(form, "code"), true);
	if (!found || !bytes_equal(http_query_get(form, "redirect_uri"), bytes_text(found->redirect)) ||
	    !fits_challenge(found, http_query_get(form, "code_verifier"))) {
		dev_issuer_refuse(
		    exchange, 400, "invalid_grant", "the code, its redirect_uri or its code_verifier is not right");
		return;
	}
	const struct dev_grant grant = *found;
	answer(issuer, exchange, &grant);
}

static void take_refresh(struct dev_issuer *issuer, struct http_exchange *exchange, const struct http_query *form) {
	const struct dev_grant *found = dev_issuer_take(issuer, http_query_get(form, "refresh_token"), false);
	if (!found) {
		dev_issuer_refuse(exchange, 400, "invalid_grant", "the refresh token was used, or is over");
		return;
	}
	const struct dev_grant grant = *found;
	answer(issuer, exchange, &grant);
}

/* --- backend services --- */

static struct dev_client *client_of(struct dev_issuer *issuer, struct bytes id) {
	for (size_t i = 0; id.len && i < DEV_CLIENTS_MAX; i++)
		if (issuer->clients[i].keys && bytes_equal(bytes_text(issuer->clients[i].id), id))
			return &issuer->clients[i];
	return NULL;
}

/* Once each. */
static bool is_fresh(struct dev_client *client, struct bytes assertion) {
	const hash32 name = sha256(assertion);
	const size_t room = sizeof client->seen / sizeof *client->seen;
	for (size_t i = 0; i < room; i++)
		if (hash32_equal(&client->seen[i], &name)) return false;
	client->seen[client->seen_count++ % room] = name;
	return true;
}

/* SMART App Launch 2, "Client Authentication: Asymmetric". NULL: `err` says why. */
static struct dev_client *check_assertion(
    struct dev_issuer *issuer, struct arena *arena, struct bytes assertion, struct err *err) {
	struct jwt token;
	char audience[160];
	uint64_t exp_s;
	if (jwt_parse(&token, arena, assertion, err) != STATUS_OK) return NULL;
	const struct bytes id = json_string(json_get(token.claims, "iss"));
	struct dev_client *client = client_of(issuer, id);
	snprintf(audience, sizeof audience, "%s/token", issuer->url);
	const struct jwt_expected expected = {
	    .issuer = id, .audience = bytes_text(audience), .now_s = dev_issuer_now_s()};
	if (!client) {
		(void)err_set(err, STATUS_DENIED, "the client is not registered");
		return NULL;
	}
	if (jwt_verify(&token, client->keys, err) != STATUS_OK || jwt_check(&token, &expected, err) != STATUS_OK)
		return NULL;
	if (bytes_equal(json_string(json_get(token.claims, "sub")), id) && jwt_time(&exp_s, &token, "exp") &&
	    exp_s <= dev_issuer_now_s() + ASSERTION_SECONDS_MAX && json_get(token.claims, "jti") &&
	    is_fresh(client, assertion))
		return client;
	(void)err_set(err, STATUS_DENIED, "sub is the client, exp at most five minutes ahead, jti new");
	return NULL;
}

static void take_assertion(struct dev_issuer *issuer, struct http_exchange *exchange, const struct http_query *form) {
	struct arena arena;
	struct err err = {.message = "client_assertion_type is " ASSERTION};
	struct dev_grant grant = {.is_code = false};
	arena_init(&arena);
	bool is_typed = bytes_equal(http_query_get(form, "client_assertion_type"), BYTES_LITERAL(ASSERTION));
	const struct dev_client *client =
	    is_typed ? check_assertion(issuer, &arena, http_query_get(form, "client_assertion"), &err) : NULL;
	if (!client) {
		dev_issuer_refuse(exchange, 401, "invalid_client", err.message);
	} else if (!dev_issuer_parameter(grant.scope, sizeof grant.scope, form, "scope")) {
		dev_issuer_refuse(exchange, 400, "invalid_scope", "the scope is too long");
	} else {
		snprintf(grant.client, sizeof grant.client, "%s", client->id);
		answer(issuer, exchange, &grant);
	}
	arena_fini(&arena);
}

void dev_issuer_register(void *context, struct http_exchange *exchange) {
	struct dev_issuer *issuer = context;
	struct arena arena;
	const struct json *root;
	struct err err;
	uint8_t random[16];
	struct dev_client *client = NULL;
	arena_init(&arena);
	for (size_t i = 0; i < DEV_CLIENTS_MAX && !client; i++)
		if (!issuer->clients[i].keys) client = &issuer->clients[i];
	enum status status = json_parse(&root, &arena, exchange->request.body, NULL, &err);
	const struct json *keys = status == STATUS_OK ? json_get(root, "jwks") : NULL;
	if (!client || !keys || jwk_set_parse(&client->keys, keys->raw, &err) != STATUS_OK) {
		dev_issuer_refuse(exchange, 400, "invalid_client_metadata",
		    client && keys ? err.message : "a body with jwks is needed, and fewer clients than there are");
	} else {
		random_fill(&world_random, random, sizeof random);
		struct buf id;
		buf_init(&id, DEV_SECRET_TEXT);
		base64url_put(&id, bytes_make(random, sizeof random));
		snprintf(client->id, sizeof client->id, "%s", buf_cstr(&id));
		buf_fini(&id);
		buf_printf(&exchange->response.body,
		    "{\"client_id\":\"%s\",\"token_endpoint_auth_method\":\"private_key_jwt\"}", client->id);
		exchange->response.status = 201;
		exchange->response.content_type = "application/json";
	}
	arena_fini(&arena);
}

/* --- /token and /introspect --- */

void dev_issuer_token(void *context, struct http_exchange *exchange) {
	struct arena arena;
	struct http_query form;
	struct err err;
	arena_init(&arena);
	enum status status = http_query_parse(&form, &arena, exchange->request.body, &err);
	const struct bytes kind = status == STATUS_OK ? http_query_get(&form, "grant_type") : (struct bytes){NULL, 0};
	if (bytes_equal(kind, BYTES_LITERAL("authorization_code")))
		take_code(context, exchange, &form);
	else if (bytes_equal(kind, BYTES_LITERAL("refresh_token")))
		take_refresh(context, exchange, &form);
	else if (bytes_equal(kind, BYTES_LITERAL("client_credentials")))
		take_assertion(context, exchange, &form);
	else
		dev_issuer_refuse(exchange, 400, "unsupported_grant_type",
		    "grant_type is authorization_code, refresh_token or client_credentials");
	arena_fini(&arena);
}

/* RFC 7662: what the token says, if it is one of ours that is not over. */
void dev_issuer_introspect(void *context, struct http_exchange *exchange) {
	struct dev_issuer *issuer = context;
	struct arena arena;
	struct http_query form;
	struct jwt token;
	const struct jwt_expected expected = {.issuer = bytes_text(issuer->url),
	    .audience = BYTES_LITERAL(DEV_ISSUER_AUDIENCE),
	    .now_s = dev_issuer_now_s()};
	arena_init(&arena);
	bool is_active = http_query_parse(&form, &arena, exchange->request.body, NULL) == STATUS_OK &&
			 jwt_parse(&token, &arena, http_query_get(&form, "token"), NULL) == STATUS_OK &&
			 jwt_verify(&token, issuer->keys, NULL) == STATUS_OK &&
			 jwt_check(&token, &expected, NULL) == STATUS_OK;
	struct json_writer writer = json_writer(&exchange->response.body);
	json_object_begin(&writer, NULL);
	json_put_bool(&writer, "active", is_active);
	json_foreach (claim, is_active ? token.claims : NULL) {
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)claim->name.len, (const char *)claim->name.data);
		json_put_raw(&writer, name, claim->raw);
	}
	json_object_end(&writer);
	exchange->response.status = 200;
	exchange->response.content_type = "application/json";
	http_put_header(&exchange->response, "Cache-Control", "no-store");
	arena_fini(&arena);
}
