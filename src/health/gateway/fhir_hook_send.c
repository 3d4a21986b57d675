/* One notification: a POST without content, or the resource as an update (PUT) below the endpoint; signed. */
#include <stdio.h>

#include "base/http_reply.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "health/chain/client_pool.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_hook_private.h"

#define ANSWER_MAX ((size_t)64 << 10)
#define OWN_HEADERS 5u

void fhir_hook_secret_of(char out[65], const uint8_t key[32], const struct fhir_hook_state *state) {
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	buf_printf(&text, "%s\n%s", state->id, state->asker.name); /* an id has no line break */
	const hash32 secret = hmac_sha256(bytes_make(key, 32), buf_view(&text));
	buf_clear(&text);
	hex_put(&text, BYTES_OF(secret), false);
	snprintf(out, 65, "%s", buf_cstr(&text));
	buf_wipe(&text);
}

/* The same for every attempt: whoever got it twice sees that. */
static const char *delivery_of(struct arena *arena, const uint8_t key[32], const char *id, int64_t place) {
	const char *name = arena_printf(arena, "%s %lld", id, (long long)place);
	const hash32 hash = hmac_sha256(bytes_make(key, 32), bytes_text(name));
	return arena_printf(
	    arena, "%016llx%016llx", (unsigned long long)load_be64(hash.b), (unsigned long long)load_be64(hash.b + 8));
}

/* t=SECONDS,v1=HEX: HMAC-SHA256 under the secret's letters, of "SECONDS.METHOD.DELIVERY." and the body. */
static const char *signature_of(struct arena *arena, const char *secret, const char *said, struct bytes body) {
	struct buf text, hex;
	buf_init(&text, BUF_MAX_DEFAULT);
	buf_init(&hex, 65);
	buf_text(&text, said);
	buf_append(&text, body);
	const hash32 mac = hmac_sha256(bytes_text(secret), buf_view(&text));
	hex_put(&hex, BYTES_OF(mac), false);
	const char *out = arena_strdup(arena, buf_view(&hex));
	buf_fini(&text);
	buf_fini(&hex);
	return out;
}

struct notification {
	struct arena *arena;
	enum http_method method;
	const char *url;
	struct bytes body;
	const char *headers[FHIR_HOOK_HEADERS_MAX + OWN_HEADERS + 1];
};

static void put_headers(struct notification *out, const struct fhir_hook *hook, const uint8_t key[32],
    const struct resource_change *change) {
	struct arena *arena = out->arena;
	char secret[65];
	size_t count = 0;
	const uint64_t now_s = clock_now_ms(fhir_hooks_clock(hook->hooks)) / 1000;
	const char *delivery = delivery_of(arena, key, hook->state.id, change->sequence);
	const char *said =
	    arena_printf(arena, "%llu.%s.%s.", (unsigned long long)now_s, http_method_name(out->method), delivery);
	fhir_hook_secret_of(secret, key, &hook->state);
	for (size_t i = 0; hook->terms.headers[i]; i++) out->headers[count++] = hook->terms.headers[i];
	out->headers[count++] = arena_printf(arena, "X-Hook-Subscription: %s", hook->state.id);
	out->headers[count++] = arena_printf(arena, "X-Hook-Delivery: %s", delivery);
	out->headers[count++] = arena_printf(arena, "X-Hook-Signature: t=%llu,v1=%s", (unsigned long long)now_s,
	    signature_of(arena, secret, said, out->body));
	/* A body of no bytes has no type, and curl would say that it is a form. */
	out->headers[count++] = out->body.len ? "Content-Type: " FHIR_ANSWER_TYPE : "Content-Type:";
	mem_wipe(secret, sizeof secret);
}

static void make(struct notification *out, const struct fhir_hook *hook, const uint8_t key[32],
    const struct resource_change *change) {
	const struct resource_version *version = &change->version;
	const char *endpoint = hook->terms.endpoint;
	out->method = hook->terms.has_payload ? HTTP_PUT : HTTP_POST;
	out->url = endpoint;
	if (hook->terms.has_payload) {
		const struct bytes reference = fhir_answer_reference(out->arena, &version->key);
		const size_t len = strlen(endpoint);
		out->body = version->content;
		out->url = arena_printf(out->arena, "%s%s%.*s", endpoint, len && endpoint[len - 1] == '/' ? "" : "/",
		    (int)reference.len, (const char *)reference.data);
	}
	put_headers(out, hook, key, change);
}

static bool judge(struct fhir_hook_sent *sent, int status) {
	if (status >= 200 && status < 300) return true;
	sent->is_final = status == 410;
	snprintf(sent->why, sizeof sent->why, "the endpoint answers %d%s", status,
	    status >= 300 && status < 400 ? ", and redirects are not followed" : "");
	return false;
}

/* Causes of the network are said in a few words: what stands behind an address is nobody's business. */
static const char *text_of(enum status status) {
	if (status == STATUS_TIMEOUT) return "the endpoint does not answer in time";
	if (status == STATUS_LIMIT) return "the endpoint's answer is too large";
	if (status == STATUS_INVALID) return "the endpoint's URL is not one that can be asked";
	return "the endpoint cannot be reached";
}

bool fhir_hook_send(
    struct fhir_hook *hook, const uint8_t key[32], const struct resource_change *change, struct fhir_hook_sent *sent) {
	const struct client_maker *maker = fhir_hooks_maker(hook->hooks);
	struct http_client client = {0};
	struct http_response response;
	struct arena arena;
	struct err err = {0};
	struct notification notification = {.arena = &arena};
	bool is_taken = false;
	*sent = (struct fhir_hook_sent){0};
	arena_init(&arena);
	http_response_init(&response, ANSWER_MAX);
	make(&notification, hook, key, change);
	enum status status = maker->open(maker->context, &client, &err);
	if (status == STATUS_OK)
		status = client.exchange(client.context, &response, notification.method, notification.url,
		    notification.headers, notification.body, &err);
	if (status == STATUS_OK)
		is_taken = judge(sent, response.status);
	else
		snprintf(sent->why, sizeof sent->why, "%s", text_of(status));
	maker->close(maker->context, &client);
	http_response_fini(&response);
	arena_fini(&arena);
	return is_taken;
}
