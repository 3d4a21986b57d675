#include "health/gateway/fhir_binary.h"

#include "base/http_reply.h"
#include "base/route.h"
#include "codec/hex.h"
#include "health/gateway/fhir_answer.h"

#define FHIR_TYPES "application/fhir+json, application/json, application/json+fhir, text/json"

static bool is_binary(const struct fhir_call *call) {
	return call->target.type != FHIR_NONE && strcmp(fhir_type_name(&fhir_r4, call->target.type), "Binary") == 0;
}

/* A list that names FHIR's own form first or alone wants the resource; "*" and other types want the bytes. */
bool fhir_binary_wants_bytes(const struct fhir_call *call) {
	const struct bytes accept = http_header_get(&call->exchange->request, "accept");
	if (!is_binary(call) || fhir_call_parameter(call, "_format").len) return false;
	const uint8_t *comma = accept.len ? memchr(accept.data, ',', accept.len) : NULL;
	const size_t len = comma ? (size_t)(comma - accept.data) : accept.len;
	return !route_accepts(FHIR_TYPES ", application/fhir+xml", bytes_slice(accept, 0, len));
}

bool fhir_binary_brings_bytes(const struct fhir_call *call) {
	const struct bytes type = http_header_get(&call->exchange->request, "content-type");
	return is_binary(call) && type.len && !route_accepts(FHIR_TYPES, type);
}

/* --- base64 (RFC 4648 §4) --- */

/* 64: a character that stands for nothing. */
static unsigned digit_of(uint8_t c) {
	if (c >= 'A' && c <= 'Z') return c - 'A';
	if (c >= 'a' && c <= 'z') return c - 'a' + 26u;
	if (c >= '0' && c <= '9') return c - '0' + 52u;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* What was validated when it was stored; white space and padding stand for nothing. */
static void append_decoded(struct buf *out, struct bytes text) {
	uint32_t bits = 0;
	unsigned count = 0;
	for (size_t i = 0; i < text.len; i++) {
		const unsigned digit = digit_of(text.data[i]);
		if (digit == 64) continue;
		bits = bits << 6 | digit;
		count += 6;
		if (count < 8) continue;
		count -= 8;
		buf_byte(out, (uint8_t)(bits >> count));
	}
}

void fhir_binary_write(struct buf *out, const struct json *binary) {
	append_decoded(out, json_string(json_get(binary, "data")));
}

/* --- out --- */

/* A media type goes into a header line: only what such a type can have. */
static bool is_media_type(struct bytes type) {
	for (size_t i = 0; i < type.len; i++)
		if (type.data[i] < 32 || type.data[i] > 126) return false;
	return type.len > 2 && type.len < 200 && memchr(type.data, '/', type.len);
}

void fhir_binary_answer(struct fhir_call *call, const struct resource_version *version) {
	struct http_response *response = &call->exchange->response;
	const struct json *binary;
	struct err err = {0};
	if (json_parse(&binary, &call->arena, version->content, NULL, &err) != STATUS_OK) {
		fhir_call_fail(call, STATUS_CORRUPT, &err);
		return;
	}
	const struct bytes type = json_string(json_get(binary, "contentType"));
	buf_clear(&response->body);
	fhir_binary_write(&response->body, binary);
	response->status = 200;
	response->content_type = NULL;
	http_put_header(response, "Content-Type", "%.*s", is_media_type(type) ? (int)type.len : 24,
	    is_media_type(type) ? (const char *)type.data : "application/octet-stream");
	http_put_header(response, "X-Content-Type-Options", "nosniff");
	http_put_header(response, "Content-Security-Policy", "sandbox; default-src 'none'");
	http_put_header(response, "Cache-Control", "no-store");
	fhir_answer_put_version(call, version);
}

/* --- in --- */

bool fhir_binary_of_body(struct fhir_call *call, const struct json **out) {
	const struct http_request *request = &call->exchange->request;
	const struct bytes context = http_header_get(request, "x-security-context");
	struct buf text;
	struct err err = {0};
	if (!request->body.len) {
		fhir_call_refuse(call, 400, FHIR_ISSUE_REQUIRED, "the request has no bytes");
		return false;
	}
	buf_init(&text, BUF_MAX_DEFAULT);
	struct json_writer w = json_writer(&text);
	json_object_begin(&w, NULL);
	json_put_text(&w, "resourceType", "Binary");
	if (call->target.id.len) json_put_string(&w, "id", call->target.id);
	json_put_string(&w, "contentType", http_header_get(request, "content-type"));
	if (context.len) {
		json_object_begin(&w, "securityContext");
		json_put_string(&w, "reference", context);
		json_object_end(&w);
	}
	json_put_name(&w, "data");
	buf_byte(&text, '"');
	base64_put(&text, request->body);
	buf_byte(&text, '"');
	json_object_end(&w);
	enum status status = buf_status(&text, &err);
	if (status == STATUS_OK)
		status = json_parse(out, &call->arena, arena_dup(&call->arena, buf_view(&text)), NULL, &err);
	buf_fini(&text);
	if (status == STATUS_OK) return true;
	fhir_call_refuse(call, 413, FHIR_ISSUE_TOO_LONG, "the bytes are too many for one resource: %s", err.message);
	return false;
}
