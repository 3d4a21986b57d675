#include "health/gateway/who.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/fhir/definitions.h"
#include "health/fhir/issue.h"
#include "health/gateway/gateway_private.h"

#define PURPOSE_OTHERWISE "TREAT"

/* --- the file of tokens --- */

enum status gateway_set_tokens(struct gateway *gateway, struct bytes text, struct err *err) {
	struct arena arena, old;
	struct token_table table;
	const struct threads *threads = gateway->options.threads;
	arena_init(&arena);
	enum status status = tokens_parse(&table, &arena, text, err);
	if (status != STATUS_OK) {
		arena_fini(&arena);
		return status;
	}
	threads->lock(gateway->tokens_lock);
	old = gateway->tokens_arena;
	gateway->tokens_arena = arena;
	gateway->tokens = table;
	threads->unlock(gateway->tokens_lock);
	arena_fini(&old);
	return STATUS_OK;
}

size_t gateway_token_count(struct gateway *gateway) {
	gateway->options.threads->lock(gateway->tokens_lock);
	size_t count = gateway->tokens.count;
	gateway->options.threads->unlock(gateway->tokens_lock);
	return count;
}

/* False: there is no such token. */
static bool find_token(struct gateway *gateway, struct token *out, const struct http_exchange *exchange) {
	const struct threads *threads = gateway->options.threads;
	threads->lock(gateway->tokens_lock);
	const struct token *token = tokens_find(&gateway->tokens, http_header_get(&exchange->request, "authorization"));
	if (token) *out = *token;
	threads->unlock(gateway->tokens_lock);
	return token != NULL;
}

static void make_asker_of_token(struct asker *out, struct arena *arena, const struct token *token) {
	static const struct smart_scope read = {
	    SMART_SCOPE_SYSTEM, FHIR_NONE, SMART_SCOPE_READ | SMART_SCOPE_SEARCH, {NULL, 0}};
	static const struct smart_scope write = {
	    SMART_SCOPE_SYSTEM, FHIR_NONE, SMART_SCOPE_CREATE | SMART_SCOPE_UPDATE | SMART_SCOPE_DELETE, {NULL, 0}};
	struct smart_scope *list = arena_zalloc(arena, 2, sizeof *list);
	*out = (struct asker){.purpose = PURPOSE_OTHERWISE, .scopes = {.list = list}};
	snprintf(out->name, sizeof out->name, "%s", token->name);
	if (token->rights & TOKEN_READ) list[out->scopes.count++] = read;
	if (token->rights & TOKEN_WRITE) list[out->scopes.count++] = write;
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

static void refuse_stranger(struct http_exchange *exchange) {
	http_put_header(&exchange->response, "WWW-Authenticate", "Bearer realm=\"xinglin\"");
	refuse(exchange, 401, "token", FHIR_ISSUE_LOGIN, "a bearer token is needed, and this is not one");
}

void who_forbid(struct http_exchange *exchange, const char *code, const char *detail) {
	refuse(exchange, 403, code, FHIR_ISSUE_FORBIDDEN, detail);
}

/* --- asking --- */

bool who_asks(struct gateway *gateway, struct http_exchange *exchange, struct asker *out, struct arena *arena) {
	struct token token;
	if (find_token(gateway, &token, exchange)) {
		make_asker_of_token(out, arena, &token);
		return true;
	}
	refuse_stranger(exchange);
	return false;
}

bool gateway_allows(
    struct gateway *gateway, struct http_exchange *exchange, unsigned right, char name[TOKEN_NAME_MAX + 1]) {
	struct token token;
	if (!find_token(gateway, &token, exchange)) {
		refuse_stranger(exchange);
		return false;
	}
	if (name) memcpy(name, token.name, sizeof token.name);
	if ((token.rights & right) == right) return true;
	who_forbid(exchange, "rights", "this token does not have that right");
	return false;
}

void who_admit(struct gateway *gateway, struct http_exchange *exchange) {
	struct token token;
	if (!find_token(gateway, &token, exchange))
		refuse_stranger(exchange);
	else if (exchange->request.method == HTTP_POST &&
		 !is_fhir(exchange)) /* before a body takes a large one's place */
		(void)gateway_allows(gateway, exchange, TOKEN_WRITE, NULL);
}

void gateway_token_name(struct gateway *gateway, const struct http_exchange *exchange, char name[TOKEN_NAME_MAX + 1]) {
	struct token token;
	bool is_known = find_token(gateway, &token, exchange);
	memcpy(name, is_known ? token.name : "", is_known ? sizeof token.name : 1);
}
