#include "health/gateway/fhir_page.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_bundle.h"
#include "health/gateway/fhir_looks.h"

static void put_link(
    struct json_writer *w, const struct fhir_call *call, const struct fhir_page *page, struct bytes cursor) {
	struct buf url;
	buf_init(&url, BUF_MAX_DEFAULT);
	buf_append(&url, call->base);
	if (page->path.len) buf_byte(&url, '/');
	buf_append(&url, page->path);
	if (page->query.len || cursor.len) buf_byte(&url, '?');
	buf_append(&url, page->query);
	if (page->query.len && cursor.len) buf_byte(&url, '&');
	if (cursor.len) buf_text(&url, "cursor=");
	buf_append(&url, cursor);
	json_object_begin(w, NULL);
	json_put_text(w, "relation", cursor.len ? "next" : "self");
	json_put_string(w, "url", buf_view(&url));
	json_object_end(w);
	buf_fini(&url);
}

static void put_resource(struct json_writer *w, struct fhir_call *call, const struct resource_version *version) {
	json_put_name(w, "resource");
	fhir_answer_write(call, w->out, version->content);
}

static void put_full_url(struct json_writer *w, struct fhir_call *call, const struct resource_version *version) {
	const struct bytes reference = fhir_answer_reference(&call->arena, &version->key);
	json_put_text(w, "fullUrl",
	    arena_printf(&call->arena, "%.*s/%.*s", (int)call->base.len, (const char *)call->base.data,
		(int)reference.len, (const char *)reference.data));
}

/* --- searchset --- */

static void put_hit(struct json_writer *w, struct fhir_call *call, const struct resource_hit *hit) {
	json_object_begin(w, NULL);
	put_full_url(w, call, &hit->version);
	put_resource(w, call, &hit->version);
	json_object_begin(w, "search");
	json_put_text(w, "mode", hit->role == RESOURCE_MATCH ? "match" : "include");
	json_object_end(w);
	json_object_end(w);
}

static void put_warnings(struct json_writer *w, const struct fhir_call *call) {
	struct buf outcome;
	buf_init(&outcome, BUF_MAX_DEFAULT);
	fhir_operation_outcome(&outcome, &call->issues);
	json_object_begin(w, NULL);
	json_put_raw(w, "resource", buf_view(&outcome));
	json_object_begin(w, "search");
	json_put_text(w, "mode", "outcome");
	json_object_end(w);
	json_object_end(w);
	buf_fini(&outcome);
}

/* --- history --- */

static void put_change(struct json_writer *w, struct fhir_call *call, const struct resource_version *version) {
	static const char *const methods[] = {
	    [RESOURCE_POST] = "POST", [RESOURCE_PUT] = "PUT", [RESOURCE_PATCH] = "PATCH", [RESOURCE_DELETE] = "DELETE"};
	char instant[FHIR_ANSWER_INSTANT_BYTES], etag[24];
	const struct bytes reference = fhir_answer_reference(&call->arena, &version->key);
	const int status = version->method == RESOURCE_DELETE ? 204 : version->version == 1 ? 201 : 200;
	fhir_answer_instant(instant, version->at_ms);
	snprintf(etag, sizeof etag, "W/\"%u\"", version->version);
	json_object_begin(w, NULL);
	put_full_url(w, call, version);
	if (version->method != RESOURCE_DELETE) put_resource(w, call, version);
	json_object_begin(w, "request");
	json_put_text(w, "method", methods[version->method]);
	if (version->method == RESOURCE_POST)
		json_put_text(w, "url", fhir_type_name(&fhir_r4, version->key.type));
	else
		json_put_string(w, "url", reference);
	json_object_end(w);
	json_object_begin(w, "response");
	json_put_text(w, "status", fhir_bundle_status(status));
	json_put_text(w, "etag", etag);
	json_put_text(w, "lastModified", instant);
	json_object_end(w);
	json_object_end(w);
}

/* --- the Bundle --- */

static void put_entries(struct json_writer *w, struct fhir_call *call, const struct fhir_page *page) {
	const struct resource_page *found = page->found;
	const bool is_history = strcmp(page->type, "history") == 0;
	const bool has_warnings = !is_history && call->issues.count > 0;
	const size_t count = page->shows_resources ? found->count : 0;
	if (!count && !has_warnings) return;
	json_array_begin(w, "entry");
	for (size_t i = 0; i < count; i++) {
		if (is_history)
			put_change(w, call, &found->hits[i].version);
		else
			put_hit(w, call, &found->hits[i]);
	}
	if (has_warnings) put_warnings(w, call);
	json_array_end(w);
}

void fhir_page_answer(struct fhir_call *call, const struct fhir_page *page) {
	char instant[FHIR_ANSWER_INSTANT_BYTES];
	struct buf body;
	buf_init(&body, BUF_MAX_DEFAULT);
	struct json_writer w = json_writer(&body);
	fhir_answer_instant(instant, (int64_t)clock_now_ms(call->server->gateway->options.clock));
	json_object_begin(&w, NULL);
	json_put_text(&w, "resourceType", "Bundle");
	json_object_begin(&w, "meta");
	json_put_text(&w, "lastUpdated", instant);
	json_object_end(&w);
	json_put_text(&w, "type", page->type);
	if (page->found->has_total) json_put_u64(&w, "total", page->found->total);
	json_array_begin(&w, "link");
	put_link(&w, call, page, (struct bytes){NULL, 0});
	if (page->found->cursor.len) put_link(&w, call, page, page->found->cursor);
	json_array_end(&w);
	put_entries(&w, call, page);
	json_object_end(&w);
	if (page->shows_resources) fhir_looks_see_page(call, page->found);
	http_put_header(&call->exchange->response, "Cache-Control", "no-store");
	fhir_answer_json(call, 200, buf_view(&body));
	buf_fini(&body);
}
