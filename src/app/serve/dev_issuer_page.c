/* The developers' issuer: the page on which somebody says who he is and which patient an app is opened for. */
#include <stdio.h>
#include <strings.h>

#include "app/serve/dev_issuer_private.h"
#include "base/http_reply.h"

/* What the page carries from the app's request to the answer. */
static const char *const carried[] = {
    "client_id", "redirect_uri", "scope", "state", "code_challenge", "nonce", "launch"};
#define CARRIED_COUNT (sizeof carried / sizeof *carried)

static void put_escaped(struct buf *out, struct bytes text) {
	for (size_t i = 0; i < text.len; i++) switch (text.data[i]) {
		case '&': buf_text(out, "&amp;"); break;
		case '<': buf_text(out, "&lt;"); break;
		case '>': buf_text(out, "&gt;"); break;
		case '"': buf_text(out, "&quot;"); break;
		case '\'': buf_text(out, "&#39;"); break;
		default: buf_byte(out, text.data[i]); break;
		}
}

/* Apps of developers run on this machine: a redirection leads nowhere else. */
static bool is_local(const char *url) {
	static const char *const beginnings[] = {"http://localhost:", "http://localhost/",
	    "http://127.0.0.1:", "http://127.0.0.1/", "https://localhost:", "https://127.0.0.1:", "http://[::1]:"};
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
		if (strncasecmp(url, beginnings[i], strlen(beginnings[i])) == 0) return !strchr(url, '#');
	return false;
}

/* False: the request is refused, and the answer is written. Never by a redirection to a place that was not checked. */
static bool take_request(struct dev_grant *out, struct http_exchange *exchange, const struct http_query *query) {
	*out = (struct dev_grant){.is_code = true, .until_s = dev_issuer_now_s() + DEV_CODE_SECONDS};
	bool fits = dev_issuer_parameter(out->client, sizeof out->client, query, "client_id") &&
		    dev_issuer_parameter(out->redirect, sizeof out->redirect, query, "redirect_uri") &&
		    dev_issuer_parameter(out->challenge, sizeof out->challenge, query, "code_challenge") &&
		    dev_issuer_parameter(out->scope, sizeof out->scope, query, "scope") &&
		    dev_issuer_parameter(out->nonce, sizeof out->nonce, query, "nonce");
	if (fits && out->client[0] && is_local(out->redirect) && strlen(out->challenge) == 43) return true;
	dev_issuer_refuse(exchange, 400, "invalid_request",
	    "client_id, a redirect_uri on this machine, and code_challenge (PKCE, S256) are needed");
	return false;
}

static bool parse(struct http_query *out, struct arena *arena, struct http_exchange *exchange, struct bytes text) {
	struct err err;
	if (http_query_parse(out, arena, text, &err) == STATUS_OK) return true;
	dev_issuer_refuse(exchange, 400, "invalid_request", err.message);
	return false;
}

static void write_page(struct http_response *response, const struct http_query *query) {
	struct buf *out = &response->body;
	buf_text(out,
	    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>xinglin dev</title>"
	    "<h1>An app asks for access</h1><p>This page is for developers: it believes what you type.</p><p>");
	put_escaped(out, http_query_get(query, "client_id"));
	buf_text(out, " asks for: ");
	put_escaped(out, http_query_get(query, "scope"));
	buf_text(out, "</p><form method=\"post\" action=\"/approve\">");
	for (size_t i = 0; i < CARRIED_COUNT; i++) {
		buf_printf(out, "<input type=\"hidden\" name=\"%s\" value=\"", carried[i]);
		put_escaped(out, http_query_get(query, carried[i]));
		buf_text(out, "\">");
	}
	buf_text(out, "<p><label>Patient's id <input name=\"patient\"></label></p>"
		      "<p><label>You are <input name=\"user\" value=\"Practitioner/dev\"></label></p>"
		      "<button>Allow</button></form>");
	response->status = 200;
	response->content_type = "text/html; charset=utf-8";
	http_put_header(response, "Cache-Control", "no-store");
	http_put_header(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

void dev_issuer_authorize(void *context, struct http_exchange *exchange) {
	struct arena arena;
	struct http_query query;
	struct dev_grant grant;
	(void)context;
	arena_init(&arena);
	if (parse(&query, &arena, exchange, exchange->request.query) && take_request(&grant, exchange, &query)) {
		bool is_code = bytes_equal(http_query_get(&query, "response_type"), BYTES_LITERAL("code"));
		bool is_s256 = bytes_equal(http_query_get(&query, "code_challenge_method"), BYTES_LITERAL("S256"));
		if (is_code && is_s256)
			write_page(&exchange->response, &query);
		else
			dev_issuer_refuse(
			    exchange, 400, "invalid_request", "response_type is code, and code_challenge_method S256");
	}
	arena_fini(&arena);
}

static void redirect(
    struct http_exchange *exchange, const struct dev_grant *grant, const char *code, struct bytes state) {
	struct buf url;
	buf_init(&url, 4000);
	buf_printf(&url, "%s%ccode=%s", grant->redirect, strchr(grant->redirect, '?') ? '&' : '?', code);
	if (state.len) {
		buf_text(&url, "&state=");
		http_percent_encode(&url, state);
	}
	if (url.overflow) {
		dev_issuer_refuse(exchange, 400, "invalid_request", "state is too long");
	} else {
		http_put_header(&exchange->response, "Location", "%s", buf_cstr(&url));
		exchange->response.status = 302;
	}
	buf_wipe(&url);
}

void dev_issuer_approve(void *context, struct http_exchange *exchange) {
	struct arena arena;
	struct http_query query;
	struct dev_grant grant;
	char code[DEV_SECRET_TEXT];
	arena_init(&arena);
	if (parse(&query, &arena, exchange, exchange->request.body) && take_request(&grant, exchange, &query)) {
		if (dev_issuer_parameter(grant.patient, sizeof grant.patient, &query, "patient") &&
		    dev_issuer_parameter(grant.user, sizeof grant.user, &query, "user")) {
			dev_issuer_keep(context, &grant, code);
			redirect(exchange, &grant, code, http_query_get(&query, "state"));
			mem_wipe(code, sizeof code);
		} else {
			dev_issuer_refuse(exchange, 400, "invalid_request", "patient or user is too long");
		}
	}
	arena_fini(&arena);
}
