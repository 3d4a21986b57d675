#include "health/gateway/who.h"

#include <stdio.h>
#include <strings.h>

#include "base/http_reply.h"
#include "health/fhir/definitions.h"
#include "health/fhir/issue.h"
#include "health/gateway/gateway_private.h"

#define SCHEME BYTES_LITERAL("Bearer ")
#define PURPOSE_OTHERWISE "TREAT"

/* --- the files of tokens and of certificates --- */

static void put_arena(struct gateway *gateway, struct arena *held, struct arena *fresh) {
	struct arena old = *held;
	*held = *fresh;
	gateway->options.threads->unlock(gateway->tokens_lock);
	arena_fini(&old);
}

enum status gateway_set_tokens(struct gateway *gateway, struct bytes text, struct err *err) {
	struct arena arena;
	struct token_table table;
	arena_init(&arena);
	enum status status = tokens_parse(&table, &arena, text, err);
	if (status != STATUS_OK) {
		arena_fini(&arena);
		return status;
	}
	gateway->options.threads->lock(gateway->tokens_lock);
	gateway->tokens = table;
	put_arena(gateway, &gateway->tokens_arena, &arena);
	return STATUS_OK;
}

enum status gateway_set_organisations(struct gateway *gateway, struct bytes text, struct err *err) {
	struct arena arena;
	struct organisation_table table;
	arena_init(&arena);
	enum status status = organisations_parse(&table, &arena, text, err);
	if (status != STATUS_OK) {
		arena_fini(&arena);
		return status;
	}
	gateway->options.threads->lock(gateway->tokens_lock);
	gateway->organisations = table;
	put_arena(gateway, &gateway->organisations_arena, &arena);
	return STATUS_OK;
}

size_t gateway_token_count(struct gateway *gateway) {
	gateway->options.threads->lock(gateway->tokens_lock);
	size_t count = gateway->tokens.count;
	gateway->options.threads->unlock(gateway->tokens_lock);
	return count;
}

/* --- who it is --- */

/* False: the file has no such token. */
static bool find_token(struct gateway *gateway, struct token *out, struct bytes authorization) {
	const struct threads *threads = gateway->options.threads;
	threads->lock(gateway->tokens_lock);
	const struct token *token = tokens_find(&gateway->tokens, authorization);
	if (token) *out = *token;
	threads->unlock(gateway->tokens_lock);
	return token != NULL;
}

bool who_is_still(struct gateway *gateway, const struct asker *asker) {
	const struct threads *threads = gateway->options.threads;
	bool is_there = false;
	if (!asker->is_of_file) return gateway->options.issuer != NULL;
	threads->lock(gateway->tokens_lock);
	for (size_t i = 0; i < gateway->tokens.count; i++)
		is_there |= strcmp(gateway->tokens.list[i].name, asker->name) == 0 &&
			    (asker->rights & ~gateway->tokens.list[i].rights) == 0;
	threads->unlock(gateway->tokens_lock);
	return is_there;
}

static void make_asker_of_token(struct asker *out, struct arena *arena, const struct token *token) {
	static const struct smart_scope read = {
	    .context = SMART_SCOPE_SYSTEM, .type = FHIR_NONE, .rights = SMART_SCOPE_READ | SMART_SCOPE_SEARCH};
	static const struct smart_scope write = {.context = SMART_SCOPE_SYSTEM,
	    .type = FHIR_NONE,
	    .rights = SMART_SCOPE_CREATE | SMART_SCOPE_UPDATE | SMART_SCOPE_DELETE};
	struct smart_scope *list = arena_zalloc(arena, 2, sizeof *list);
	*out = (struct asker){
	    .purpose = PURPOSE_OTHERWISE, .scopes = {.list = list}, .rights = token->rights, .is_of_file = true};
	snprintf(out->name, sizeof out->name, "%s", token->name);
	if (token->rights & TOKEN_READ) list[out->scopes.count++] = read;
	if (token->rights & TOKEN_WRITE) list[out->scopes.count++] = write;
}

/* A certificate names an organisation for a token that names none; two different ones are nobody's. */
static enum status take_certificate(
    struct gateway *gateway, struct asker *out, const struct http_peer *peer, struct err *err) {
	char name[ORGANISATION_NAME_MAX + 1];
	const struct threads *threads = gateway->options.threads;
	threads->lock(gateway->tokens_lock);
	const struct bytes found = organisation_find(&gateway->organisations, peer);
	snprintf(name, sizeof name, "%.*s", (int)found.len, found.data ? (const char *)found.data : "");
	threads->unlock(gateway->tokens_lock);
	if (!name[0] || strcmp(name, out->organisation) == 0) return STATUS_OK;
	if (out->organisation[0])
		return err_set(err, STATUS_DENIED, "the token and the client certificate name different organisations");
	snprintf(out->organisation, sizeof out->organisation, "%s", name);
	return STATUS_OK;
}

static bool is_bearer(struct bytes authorization) {
	return authorization.len > SCHEME.len &&
	       strncasecmp((const char *)authorization.data, (const char *)SCHEME.data, SCHEME.len) == 0;
}

/* STATUS_NOTFOUND: no bearer token is shown. STATUS_DENIED: it is not taken. STATUS_BUSY: its key is being asked for.
 */
enum status who_identify(struct gateway *gateway, struct asker *out, struct arena *arena,
    const struct http_request *request, struct err *err) {
	struct token token;
	struct bytes authorization = http_header_get(request, "authorization");
	if (!is_bearer(authorization))
		return err_set(err, STATUS_NOTFOUND, "a bearer token is needed, and there is none");
	if (find_token(gateway, &token, authorization))
		make_asker_of_token(out, arena, &token);
	else if (!gateway->options.issuer)
		return err_set(err, STATUS_DENIED, "a bearer token is needed, and this is not one");
	else
		TRY(issuer_ask(gateway->options.issuer, out, arena,
		    bytes_slice(authorization, SCHEME.len, authorization.len), request->peer, err));
	return take_certificate(gateway, out, request->peer, err);
}

/* --- refusals --- */

static bool is_fhir(const struct http_exchange *exchange) {
	const struct bytes base = BYTES_LITERAL("/fhir");
	struct bytes path = exchange->request.path;
	return bytes_equal(bytes_slice(path, 0, base.len), base) &&
	       (path.len == base.len || path.data[base.len] == '/');
}

static void refuse(
    struct http_exchange *exchange, int status, const char *code, enum fhir_issue_code issue, const char *detail) {
	http_problem(&exchange->response, status, code, detail);
	if (!is_fhir(exchange)) return;
	struct arena arena;
	struct fhir_issues issues;
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	fhir_issues_add(&issues, FHIR_ERROR, issue, "", detail);
	buf_clear(&exchange->response.body);
	fhir_operation_outcome(&exchange->response.body, &issues);
	exchange->response.content_type = "application/fhir+json";
	arena_fini(&arena);
}

/* The characters that RFC 6750 §3 lets an error_description have. */
static void make_description(char *out, size_t size, const char *text) {
	size_t len = 0;
	for (; text[len] && len + 1 < size; len++) {
		const char c = text[len];
		out[len] = c >= ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '?';
	}
	out[len] = 0;
}

static void refuse_stranger(struct http_exchange *exchange, enum status status, const struct err *err) {
	char description[sizeof err->message];
	if (status == STATUS_BUSY) {
		http_put_header(&exchange->response, "Retry-After", "1");
		refuse(exchange, 503, "issuer", FHIR_ISSUE_EXCEPTION, err->message);
		return;
	}
	make_description(description, sizeof description, err->message);
	if (status == STATUS_NOTFOUND)
		http_put_header(&exchange->response, "WWW-Authenticate", "Bearer realm=\"xinglin\"");
	else
		http_put_header(&exchange->response, "WWW-Authenticate",
		    "Bearer realm=\"xinglin\", error=\"invalid_token\", error_description=\"%s\"", description);
	refuse(exchange, 401, "token", FHIR_ISSUE_LOGIN, err->message);
}

void who_forbid(struct http_exchange *exchange, const char *code, const char *detail) {
	refuse(exchange, 403, code, FHIR_ISSUE_FORBIDDEN, detail);
}

/* --- asking --- */

bool who_asks(struct gateway *gateway, struct http_exchange *exchange, struct asker *out, struct arena *arena) {
	struct err err;
	enum status status = who_identify(gateway, out, arena, &exchange->request, &err);
	if (status == STATUS_OK) return true;
	refuse_stranger(exchange, status, &err);
	return false;
}

bool gateway_allows(
    struct gateway *gateway, struct http_exchange *exchange, unsigned right, char name[ASKER_NAME_BYTES]) {
	struct arena arena;
	struct asker asker;
	arena_init(&arena);
	bool is_allowed = who_asks(gateway, exchange, &asker, &arena);
	if (is_allowed && name) memcpy(name, asker.name, sizeof asker.name);
	if (is_allowed && (asker.rights & right) != right) {
		who_forbid(exchange, "rights", "this token does not have that right");
		is_allowed = false;
	}
	arena_fini(&arena);
	return is_allowed;
}

/* Naming a query is asking. */
static bool is_query(const struct http_exchange *exchange) {
	return bytes_equal(exchange->request.path, BYTES_LITERAL("/epcis/queries"));
}

void who_admit(struct gateway *gateway, struct http_exchange *exchange) {
	/* Before a body takes a place among the large ones. */
	bool writes = exchange->request.method == HTTP_POST && !is_fhir(exchange) && !is_query(exchange);
	if (!gateway_allows(gateway, exchange, writes ? TOKEN_WRITE : 0, NULL)) return;
	if (!gateway->options.trail || trail_is_ready(gateway->options.trail)) return;
	http_put_header(&exchange->response, "Retry-After", "5");
	refuse(exchange, 503, "trail", FHIR_ISSUE_EXCEPTION,
	    "what is asked cannot be written down, so nothing is answered");
}
