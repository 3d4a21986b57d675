#include "health/gateway/epcis_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/http_list.h"
#include "base/http_reply.h"
#include "base/log.h"
#include "health/epcis/event_terms.h"
#include "health/gateway/who.h"

#define BASE_PATH "/epcis"
#define URI_MAX 8000u
#define TEXT(view) (int)((view).len < 80 ? (view).len : 80), (view).len ? (const char *)(view).data : ""

/* --- answering --- */

void epcis_call_refuse(struct epcis_call *call, enum epcis_exception exception, const char *format, ...) {
	struct http_response *response = &call->exchange->response;
	char detail[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(detail, sizeof detail, format, arguments);
	va_end(arguments);
	response->status = epcis_exception_status(exception);
	response->content_type = "application/problem+json";
	buf_clear(&response->body);
	epcis_problem_write(&response->body, exception, detail);
}

void epcis_call_fail(struct epcis_call *call, enum status status, const struct err *err) {
	switch (status) {
	case STATUS_INVALID: epcis_call_refuse(call, EPCIS_VALIDATION, "%s", err->message); return;
	case STATUS_NOTFOUND: epcis_call_refuse(call, EPCIS_NO_SUCH_RESOURCE, "%s", err->message); return;
	case STATUS_EXISTS: epcis_call_refuse(call, EPCIS_RESOURCE_EXISTS, "%s", err->message); return;
	case STATUS_LIMIT: epcis_call_refuse(call, EPCIS_CAPTURE_LIMIT, "%s", err->message); return;
	case STATUS_BUSY:
	case STATUS_IO:
	case STATUS_TIMEOUT:
		http_put_header(&call->exchange->response, "Retry-After", "2");
		epcis_call_refuse(call, EPCIS_BUSY, "too much waits, or no node answers; try again in a moment");
		break;
	case STATUS_DENIED: epcis_call_refuse(call, EPCIS_SECURITY, "the chain refuses it"); break;
	case STATUS_UNSUPPORTED: epcis_call_refuse(call, EPCIS_NOT_IMPLEMENTED, "%s", err->message); return;
	case STATUS_OK:
	case STATUS_PRUNED:
	case STATUS_CORRUPT:
	case STATUS_INTERNAL:
	case STATUS_COUNT:
		epcis_call_refuse(call, EPCIS_FAILURE, "this server failed; its operator finds the cause in its log");
		break;
	}
	log_warn("gateway", "an EPCIS request: %s", err->message);
}

void epcis_call_answer(struct epcis_call *call, int status, struct bytes json) {
	struct http_response *response = &call->exchange->response;
	response->status = status;
	response->content_type = "application/json";
	buf_append(&response->body, json);
	http_put_header(response, "Cache-Control", "no-store");
}

static bool is_page_parameter(struct bytes name) {
	return bytes_equal(name, BYTES_LITERAL("nextPageToken")) || bytes_equal(name, BYTES_LITERAL("perPage"));
}

/* "/epcis/events?EQ_bizStep=shipping", without what names a page. */
static void put_question(struct epcis_call *call, struct buf *out) {
	const char *before = "?";
	buf_append(out, bytes_slice(call->exchange->request.path, sizeof BASE_PATH - 1, SIZE_MAX));
	for (size_t i = 0; i < call->query.count; i++) {
		const struct http_query_item *item = &call->query.items[i];
		if (is_page_parameter(item->name)) continue;
		buf_text(out, before);
		http_percent_encode(out, item->name);
		if (item->value.data) buf_byte(out, '=');
		http_percent_encode(out, item->value);
		before = "&";
	}
}

struct bytes epcis_call_question(struct epcis_call *call) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	put_question(call, &out);
	const struct bytes question = arena_dup(&call->arena, buf_view(&out));
	buf_fini(&out);
	return question;
}

struct bytes epcis_call_place(struct epcis_call *call) {
	return bytes_text(arena_printf(&call->arena, "%s\n%.*s", call->asker.name, (int)call->party.len,
	    call->party.len ? (const char *)call->party.data : ""));
}

void epcis_call_put_next(struct epcis_call *call, struct bytes cursor) {
	const struct bytes question = epcis_call_question(call);
	const char *mark = question.len && memchr(question.data, '?', question.len) ? "&" : "?";
	const uint64_t now_ms = clock_now_ms(call->server->gateway->options.clock);
	char ends[EPCIS_TIME_SIZE];
	if (!cursor.len) return;
	struct buf *headers = &call->exchange->response.headers; /* a link may be longer than http_put_header takes */
	buf_printf(headers, "Link: <%.*s%.*s%snextPageToken=%.*s&perPage=%u>; rel=\"next\"\r\n", (int)call->base.len,
	    (const char *)call->base.data, (int)question.len, (const char *)question.data, mark, (int)cursor.len,
	    (const char *)cursor.data, call->per_page);
	epcis_time_write(ends, (int64_t)now_ms + EVENTS_CURSOR_MS);
	http_put_header(&call->exchange->response, "GS1-Next-Page-Token-Expires", "%s", ends);
}

/* --- what a request wants --- */

static bool accepts_json(struct bytes accept) {
	static const char *const types[] = {
	    "*/*", "application/*", "application/json", "application/ld+json", "application/problem+json", NULL};
	while (accept.len) {
		struct bytes piece = http_list_next(&accept, ',');
		const struct bytes type = http_list_next(&piece, ';');
		for (size_t i = 0; types[i]; i++)
			if (http_list_word_is(type, types[i])) return true;
	}
	return false;
}

/* "2.0", "2.0.0", "2" */
static bool is_version_2(struct bytes text) {
	return http_list_word_is(text, "2") || http_list_word_is(text, "2.0") || http_list_word_is(text, "2.0.0") ||
	       http_list_word_is(text, "2.0.1");
}

/* False: a version that is demanded is not spoken, and 406 is written. */
static bool check_versions(struct epcis_call *call) {
	static const char *const names[] = {"gs1-epcis-version", "gs1-cbv-version", "gs1-epcis-min", "gs1-cbv-min",
	    "gs1-epcis-max", "gs1-cbv-max", NULL};
	for (size_t i = 0; names[i]; i++) {
		const struct bytes value = http_header_get(&call->exchange->request, names[i]);
		if (!value.len) continue;
		const bool is_min = strstr(names[i], "-min"), is_max = strstr(names[i], "-max");
		if (is_version_2(value) || (is_min && value.data[0] < '2') || (is_max && value.data[0] > '2')) continue;
		epcis_call_refuse(call, EPCIS_NOT_ACCEPTABLE, "%s: %.*s: this server speaks EPCIS 2.0 and CBV 2.0",
		    names[i], TEXT(value));
		return false;
	}
	return true;
}

static bool read_form(struct epcis_call *call) {
	const struct bytes value = http_header_get(&call->exchange->request, "gs1-epc-format");
	call->form = EVENT_FORM_DIGITAL_LINKS;
	if (!value.len || http_list_word_is(value, "Always_GS1_Digital_Link")) return true;
	call->form = EVENT_FORM_AS_CAPTURED;
	if (http_list_word_is(value, "No_Preference") || http_list_word_is(value, "Never_Translates")) return true;
	epcis_call_refuse(call, EPCIS_NOT_ACCEPTABLE,
	    "GS1-EPC-Format: %.*s: this server gives Always_GS1_Digital_Link, No_Preference and Never_Translates: the way "
	    "to a URN needs the length of the company prefix, which a Digital Link does not say",
	    TEXT(value));
	return false;
}

/* "example=https://ns.example.com/, other=…": a context as JSON. */
static bool read_extensions(struct epcis_call *call) {
	struct bytes rest = http_header_get(&call->exchange->request, "gs1-extensions");
	struct buf text;
	if (!rest.len) return true;
	buf_init(&text, BUF_MAX_DEFAULT);
	struct json_writer writer = json_writer(&text);
	json_object_begin(&writer, NULL);
	while (rest.len) {
		struct bytes piece = http_list_next(&rest, ',');
		const struct bytes prefix = http_list_next(&piece, '=');
		if (prefix.len && piece.len)
			json_put_string(&writer, arena_strdup(&call->arena, prefix), http_list_next(&piece, ' '));
	}
	json_object_end(&writer);
	const struct bytes json = arena_dup(&call->arena, buf_view(&text));
	buf_fini(&text);
	if (json_parse(&call->context, &call->arena, json, NULL, NULL) == STATUS_OK) return true;
	epcis_call_refuse(call, EPCIS_VALIDATION, "GS1-Extensions takes prefix=URI, …, each prefix once");
	return false;
}

static bool read_page(struct epcis_call *call) {
	const struct bytes text = http_query_get(&call->query, "perPage");
	call->token = http_query_get(&call->query, "nextPageToken");
	call->per_page = EPCIS_CALL_PER_PAGE;
	if (!text.data) return true;
	call->per_page = 0;
	for (size_t i = 0; i < text.len && i < 9; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') break;
		call->per_page = call->per_page * 10 + (uint32_t)(text.data[i] - '0');
		if (i + 1 == text.len && call->per_page) {
			if (call->per_page > EVENTS_PAGE_MAX) call->per_page = EVENTS_PAGE_MAX;
			return true;
		}
	}
	epcis_call_refuse(call, EPCIS_QUERY_PARAMETER, "perPage takes a number from 1 on, not \"%.*s\"", TEXT(text));
	return false;
}

static bool read_request(struct epcis_call *call) {
	const struct http_request *request = &call->exchange->request;
	const struct bytes accept = http_header_get(request, "accept");
	struct err err;
	if (request->path.len + request->query.len > URI_MAX) {
		epcis_call_refuse(call, EPCIS_URI_TOO_LONG, "an address has at most %u characters", URI_MAX);
		return false;
	}
	if (http_query_parse(&call->query, &call->arena, request->query, &err) != STATUS_OK) {
		epcis_call_refuse(call, EPCIS_QUERY_PARAMETER, "the query cannot be read: %s", err.message);
		return false;
	}
	if (accept.len && !accepts_json(accept)) {
		epcis_call_refuse(call, EPCIS_NOT_ACCEPTABLE,
		    "Accept names no form that this server answers in; it "
		    "answers in application/json and application/ld+json");
		return false;
	}
	return check_versions(call) && read_form(call) && read_extensions(call) && read_page(call);
}

/* --- who asks --- */

/* An organisation that trades is named as events name it: a GLN or an account. It sees what it is a party of. */
static bool is_party(struct bytes organisation) {
	return bytes_equal(bytes_slice(organisation, 0, 8), BYTES_LITERAL("urn:epc:")) ||
	       bytes_equal(bytes_slice(organisation, 0, 19), BYTES_LITERAL("https://id.gs1.org/")) ||
	       bytes_equal(bytes_slice(organisation, 0, 8), BYTES_LITERAL("did:pkh:"));
}

/* False: it may not, and the answer is written. */
static bool read_asker(struct epcis_call *call, unsigned right) {
	if (!who_asks(call->server->gateway, call->exchange, &call->asker, &call->arena)) return false;
	const struct bytes organisation = bytes_text(call->asker.organisation);
	if (is_party(organisation)) call->party = event_terms_name(&call->arena, NULL, organisation);
	if ((call->asker.rights & right) == right && (right != TOKEN_WRITE || !call->party.len)) return true;
	epcis_call_refuse(call, EPCIS_SECURITY,
	    right == TOKEN_WRITE ? "this token may not capture for this organisation"
				 : "this token may not read this organisation's events");
	return false;
}

/* --- a call's life --- */

static void put_versions(struct http_response *response) {
	http_put_header(response, "GS1-EPCIS-Version", "2.0.0");
	http_put_header(response, "GS1-CBV-Version", "2.0.0");
}

void epcis_call_serve(
    struct epcis_server *server, struct http_exchange *exchange, unsigned right, epcis_call_work *work) {
	struct epcis_call call = {.server = server, .exchange = exchange};
	arena_init(&call.arena);
	call.base = gateway_base(&call.arena, exchange, server->gateway->options.epcis_url, BASE_PATH);
	put_versions(&exchange->response);
	if (read_asker(&call, right) && read_request(&call)) work(&call);
	arena_fini(&call.arena);
}
