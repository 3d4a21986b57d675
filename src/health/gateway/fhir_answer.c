#include "health/gateway/fhir_answer.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/fhir/temporal.h"
#include "health/gateway/fhir_looks.h"

void fhir_answer_instant(char out[FHIR_ANSWER_INSTANT_BYTES], int64_t at_ms) {
	const struct fhir_temporal moment = fhir_temporal_of_ms(at_ms);
	struct buf text;
	buf_init(&text, FHIR_ANSWER_INSTANT_BYTES);
	fhir_temporal_write(&text, &moment);
	snprintf(out, FHIR_ANSWER_INSTANT_BYTES, "%s", buf_cstr(&text));
	buf_fini(&text);
}

void fhir_answer_outcome(struct buf *out, enum fhir_severity severity, enum fhir_issue_code code, const char *text) {
	struct arena arena;
	struct fhir_issues issues;
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	fhir_issues_add(&issues, severity, code, "", text);
	fhir_operation_outcome(out, &issues);
	arena_fini(&arena);
}

struct bytes fhir_answer_reference(struct arena *arena, const struct resource_key *key) {
	return bytes_text(arena_printf(
	    arena, "%s/%.*s", fhir_type_name(&fhir_r4, key->type), (int)key->id.len, (const char *)key->id.data));
}

/* RFC 9110 §5.6.7 */
static void put_last_modified(struct http_response *response, int64_t at_ms) {
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const months[] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const struct fhir_temporal moment = fhir_temporal_of_ms(at_ms);
	const int16_t *part = moment.part;
	http_put_header(response, "Last-Modified", "%s, %02d %s %04d %02d:%02d:%02d GMT", days[at_ms / 86400000 % 7],
	    part[2], months[part[1] - 1], part[0], part[3], part[4], part[5]);
}

void fhir_answer_put_version(struct fhir_call *call, const struct resource_version *version) {
	struct http_response *response = &call->exchange->response;
	fhir_looks_see(call, &version->folder);
	http_put_header(response, "ETag", "W/\"%u\"", version->version);
	put_last_modified(response, version->at_ms);
	if (call->exchange->request.method == HTTP_GET || call->exchange->request.method == HTTP_HEAD) return;
	const struct bytes reference = fhir_answer_reference(&call->arena, &version->key);
	const char *location = arena_printf(&call->arena, "%.*s/%.*s/_history/%u", (int)call->base.len,
	    (const char *)call->base.data, (int)reference.len, (const char *)reference.data, version->version);
	http_put_header(response, "Location", "%s", location);
	http_put_header(response, "Content-Location", "%s", location);
}

/* --- bodies --- */

static void append_pretty(struct buf *out, struct bytes json) {
	struct arena arena;
	const struct json *tree;
	arena_init(&arena);
	if (json_parse(&tree, &arena, json, NULL, NULL) == STATUS_OK) {
		json_pretty(out, tree);
		buf_byte(out, '\n');
	} else {
		buf_append(out, json);
	}
	arena_fini(&arena);
}

void fhir_answer_json(struct fhir_call *call, int status, struct bytes json) {
	struct http_response *response = &call->exchange->response;
	response->status = status;
	response->content_type = FHIR_ANSWER_TYPE;
	buf_clear(&response->body);
	if (call->is_pretty)
		append_pretty(&response->body, json);
	else
		buf_append(&response->body, json);
}

void fhir_answer_write(struct fhir_call *call, struct buf *out, struct bytes stored) {
	struct arena arena;
	const struct json *tree;
	if (fhir_subset_is_whole(&call->subset)) {
		buf_append(out, stored);
		return;
	}
	arena_init(&arena);
	if (json_parse(&tree, &arena, stored, NULL, NULL) == STATUS_OK)
		fhir_subset_write(out, &fhir_r4, &call->subset, tree);
	else
		buf_append(out, stored);
	arena_fini(&arena);
}

void fhir_answer_resource(struct fhir_call *call, int status, const struct resource_version *version) {
	fhir_answer_put_version(call, version);
	http_put_header(&call->exchange->response, "Cache-Control", "no-store");
	if (fhir_subset_is_whole(&call->subset)) {
		fhir_answer_json(call, status, version->content);
		return;
	}
	struct buf body;
	buf_init(&body, BUF_MAX_DEFAULT);
	fhir_answer_write(call, &body, version->content);
	fhir_answer_json(call, status, buf_view(&body));
	buf_fini(&body);
}

void fhir_answer_parameter(struct fhir_call *call, const char *name, const char *kind, struct bytes json) {
	struct buf body;
	buf_init(&body, BUF_MAX_DEFAULT);
	struct json_writer w = json_writer(&body);
	json_object_begin(&w, NULL);
	json_put_text(&w, "resourceType", "Parameters");
	json_array_begin(&w, "parameter");
	json_object_begin(&w, NULL);
	json_put_text(&w, "name", name);
	json_put_raw(&w, kind, json);
	json_object_end(&w);
	json_array_end(&w);
	json_object_end(&w);
	fhir_answer_json(call, 200, buf_view(&body));
	buf_wipe(&body); /* it may be a secret */
}
