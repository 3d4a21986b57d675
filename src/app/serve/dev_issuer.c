#include <stdio.h>

#include "app/serve/dev_issuer_private.h"
#include "app/system.h"
#include "base/http_reply.h"
#include "base/log.h"
#include "base/route.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "net/http_server.h"

#define KID "dev"
#define ANSWER_MAX ((size_t)256 << 10)

uint64_t dev_issuer_now_s(void) {
	return clock_now_ms(&world_clock) / 1000;
}

/* --- answers --- */

static void no_store(struct http_response *response) {
	response->content_type = "application/json";
	http_put_header(response, "Cache-Control", "no-store");
}

void dev_issuer_refuse(struct http_exchange *exchange, int status, const char *error, const char *why) {
	struct json_writer writer = json_writer(&exchange->response.body);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "error", error);
	json_put_text(&writer, "error_description", why);
	json_object_end(&writer);
	exchange->response.status = status;
	no_store(&exchange->response);
}

void dev_issuer_put_keys(const struct dev_issuer *issuer, struct buf *out) {
	buf_text(out, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"alg\":\"ES256\",\"kid\":\"" KID
		      "\",\"x\":\"");
	base64url_put(out, bytes_make(issuer->key.xy, 32));
	buf_text(out, "\",\"y\":\"");
	base64url_put(out, bytes_make(issuer->key.xy + 32, 32));
	buf_text(out, "\"}]}");
}

static void get_keys(void *context, struct http_exchange *exchange) {
	dev_issuer_put_keys(context, &exchange->response.body);
	exchange->response.status = 200;
	exchange->response.content_type = "application/json";
}

static void get_description(void *context, struct http_exchange *exchange) {
	static const char *const ends[][2] = {{"authorization_endpoint", "/authorize"}, {"token_endpoint", "/token"},
	    {"jwks_uri", "/jwks"}, {"introspection_endpoint", "/introspect"}, {"registration_endpoint", "/register"}};
	static const char *const lists[][2] = {{"response_types_supported", "code"},
	    {"subject_types_supported", "public"}, {"id_token_signing_alg_values_supported", "ES256"},
	    {"code_challenge_methods_supported", "S256"}};
	struct dev_issuer *issuer = context;
	struct json_writer writer = json_writer(&exchange->response.body);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "issuer", issuer->url);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		char url[192];
		snprintf(url, sizeof url, "%s%s", issuer->url, ends[i][1]);
		json_put_text(&writer, ends[i][0], url);
	}
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		json_array_begin(&writer, lists[i][0]);
		json_put_text(&writer, NULL, lists[i][1]);
		json_array_end(&writer);
	}
	json_object_end(&writer);
	exchange->response.status = 200;
	exchange->response.content_type = "application/json";
}

/* --- grants --- */

void dev_issuer_keep(struct dev_issuer *issuer, const struct dev_grant *grant, char secret[DEV_SECRET_TEXT]) {
	uint8_t random[32];
	struct buf text;
	random_fill(&world_random, random, sizeof random);
	buf_init(&text, DEV_SECRET_TEXT);
	base64url_put(&text, bytes_make(random, sizeof random));
	snprintf(secret, DEV_SECRET_TEXT, "%s", buf_cstr(&text));
	struct dev_grant *kept = &issuer->grants[issuer->grant_next++ % DEV_GRANTS_MAX];
	*kept = *grant;
	kept->secret = sha256(bytes_text(secret));
	buf_wipe(&text);
	mem_wipe(random, sizeof random);
}

struct dev_grant *dev_issuer_take(struct dev_issuer *issuer, struct bytes secret, bool is_code) {
	const hash32 wanted = sha256(secret);
	for (size_t i = 0; i < DEV_GRANTS_MAX; i++) {
		struct dev_grant *grant = &issuer->grants[i];
		if (grant->is_code != is_code || !hash32_equal(&grant->secret, &wanted)) continue;
		memset(&grant->secret, 0, sizeof grant->secret); /* once */
		return grant->until_s > dev_issuer_now_s() ? grant : NULL;
	}
	return NULL;
}

bool dev_issuer_parameter(char *out, size_t size, const struct http_query *query, const char *name) {
	const struct bytes value = http_query_get(query, name);
	if (value.len >= size) return false;
	if (value.len) memcpy(out, value.data, value.len);
	out[value.len] = 0;
	return true;
}

void dev_issuer_sign(const struct dev_issuer *issuer, struct buf *out, struct bytes claims) {
	uint8_t signature[64];
	const size_t from = out->len;
	base64url_put(out, BYTES_LITERAL("{\"alg\":\"ES256\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}"));
	buf_byte(out, '.');
	base64url_put(out, claims);
	const hash32 digest = sha256(bytes_slice(buf_view(out), from, out->len));
	BUG_ON(p256_sign(signature, &issuer->secret, &digest) != STATUS_OK);
	buf_byte(out, '.');
	base64url_put(out, bytes_make(signature, sizeof signature));
}

/* --- the server --- */

#define FORM "application/x-www-form-urlencoded"
static const struct route routes[] = {
    ROUTE(HTTP_GET, "/.well-known/openid-configuration", get_description, "what it is"),
    ROUTE(HTTP_GET, "/jwks", get_keys, "its key"),
    ROUTE(HTTP_GET, "/authorize", dev_issuer_authorize, "the page that asks for the patient"),
    ROUTE(HTTP_POST, "/approve", dev_issuer_approve, "what the page sends", .accepts = FORM),
    ROUTE(HTTP_POST, "/token", dev_issuer_token, "tokens for a code, a refresh token or an assertion", .accepts = FORM),
    ROUTE(HTTP_POST, "/register", dev_issuer_register, "a backend service's keys", .accepts = "application/json"),
    ROUTE(HTTP_POST, "/introspect", dev_issuer_introspect, "what a token says", .accepts = FORM),
};

static void *run(void *context) {
	struct dev_issuer *issuer = context;
	struct err err;
	if (http_server_run(issuer->server, &err) != STATUS_OK) log_warn("issuer", "%s", err.message);
	return NULL;
}

static enum status make_keys(struct dev_issuer *issuer, struct err *err) {
	uint8_t seed[32];
	struct buf text;
	random_fill(&world_random, seed, sizeof seed);
	enum status status = p256_derive_key_pair(&issuer->secret, &issuer->key, bytes_make(seed, sizeof seed));
	mem_wipe(seed, sizeof seed);
	if (status != STATUS_OK) return err_set(err, status, "the issuer's key cannot be made");
	buf_init(&text, JWK_SET_BYTES_MAX);
	dev_issuer_put_keys(issuer, &text);
	status = jwk_set_parse(&issuer->keys, buf_view(&text), err);
	buf_fini(&text);
	return status;
}

static enum status open_server(struct dev_issuer *issuer, struct err *err) {
	static const char *const any_page[] = {"*", NULL};
	const struct route_table table = {routes, sizeof routes / sizeof *routes, issuer};
	const struct http_server_options options = {.response_max = ANSWER_MAX,
	    .body_max = ANSWER_MAX,
	    .connections_max = 64,
	    .cors_origins = any_page,
	    .drain_ms = 500};
	issuer->router = router_new(&table, 1, NULL);
	const struct http_service service = router_service(issuer->router);
	TRY(http_server_open(&issuer->server, &options, &service, err));
	snprintf(issuer->url, sizeof issuer->url, "http://127.0.0.1:%u", http_server_port(issuer->server));
	issuer->has_thread = pthread_create(&issuer->thread, NULL, run, issuer) == 0;
	return issuer->has_thread ? STATUS_OK : err_set(err, STATUS_INTERNAL, "cannot start the issuer's thread");
}

enum status dev_issuer_open(struct dev_issuer **out, struct err *err) {
	struct dev_issuer *issuer = mem_zalloc(1, sizeof *issuer);
	enum status status = make_keys(issuer, err);
	if (status == STATUS_OK) status = open_server(issuer, err);
	if (status == STATUS_OK)
		*out = issuer;
	else
		dev_issuer_close(issuer);
	return status;
}

const char *dev_issuer_url(const struct dev_issuer *issuer) {
	return issuer->url;
}

void dev_issuer_close(struct dev_issuer *issuer) {
	if (!issuer) return;
	if (issuer->has_thread) {
		http_server_stop(issuer->server);
		pthread_join(issuer->thread, NULL);
	}
	http_server_close(issuer->server);
	router_free(issuer->router);
	for (size_t i = 0; i < DEV_CLIENTS_MAX; i++) jwk_set_free(issuer->clients[i].keys);
	jwk_set_free(issuer->keys);
	mem_wipe(issuer, sizeof *issuer);
	mem_free(issuer);
}
