/* Observation/$lastn (observation-operation-lastn.html): of each code the newest observations. */
#include "health/fhir/names.h"
#include "health/gateway/fhir_operation.h"
#include "health/gateway/fhir_page.h"
#include "health/gateway/fhir_search.h"

#define LOOKED_AT_MAX 1000u /* observations, the newest first */
#define LAST_MAX 100u

/* What observations of one code have in common: their first coding, or their text. */
static struct bytes code_of(struct fhir_call *call, const struct resource_version *version) {
	const struct json *tree;
	if (json_parse(&tree, &call->arena, version->content, NULL, NULL) != STATUS_OK) return BYTES_LITERAL("");
	const struct json *code = json_get(tree, "code"), *coding = json_at(json_get(code, "coding"), 0);
	const struct bytes system = json_string(json_get(coding, "system")),
			   value = json_string(json_get(coding, "code"));
	const struct bytes text = json_string(json_get(code, "text"));
	if (!value.len) return text.len ? text : BYTES_LITERAL("-");
	return bytes_text(arena_printf(&call->arena, "%.*s|%.*s", (int)system.len,
	    system.len ? (const char *)system.data : "", (int)value.len, (const char *)value.data));
}

static void keep_last(struct fhir_call *call, struct resource_page *page, uint32_t last) {
	struct names codes;
	uint32_t *counts = arena_zalloc(&call->arena, page->count + 1, sizeof *counts);
	size_t code_count = 0, kept = 0;
	names_init(&codes, &call->arena, page->count);
	for (size_t i = 0; i < page->count; i++) {
		const struct bytes code = code_of(call, &page->hits[i].version);
		if (names_put(&codes, code, code_count)) code_count++;
		if (counts[names_find(&codes, code)]++ < last) page->hits[kept++] = page->hits[i];
	}
	page->count = kept;
	page->has_total = true;
	page->total = kept;
	page->cursor = (struct bytes){NULL, 0};
}

/* The newest first, and enough of them; every other parameter is the search's. */
static void make_query(struct fhir_call *call, struct http_query *out) {
	*out = (struct http_query){.items = arena_zalloc(&call->arena, call->query.count + 3, sizeof *out->items)};
	for (size_t i = 0; i < call->query.count; i++) {
		const struct bytes name = call->query.items[i].name;
		const bool is_own =
		    bytes_equal(name, BYTES_LITERAL("max")) || bytes_equal(name, BYTES_LITERAL("_count")) ||
		    bytes_equal(name, BYTES_LITERAL("_sort")) || bytes_equal(name, BYTES_LITERAL("cursor"));
		if (!is_own) out->items[out->count++] = call->query.items[i];
	}
	out->items[out->count++] = (struct http_query_item){BYTES_LITERAL("_sort"), BYTES_LITERAL("-date")};
	out->items[out->count++] = (struct http_query_item){BYTES_LITERAL("_count"), BYTES_LITERAL("1000")};
}

/* 0: it is no number from 1 to LAST_MAX. */
static uint32_t read_max(struct bytes text) {
	const uint32_t number = fhir_version_number(text);
	return text.data ? (number <= LAST_MAX ? number : 0) : 1;
}

void fhir_operation_lastn(struct fhir_call *call, const struct json *parameters) {
	struct http_query query;
	struct resource_page found;
	struct fhir_search *search;
	struct buf used;
	const struct fhir_search_scope scope = {call->target.type, FHIR_NONE, {NULL, 0}};
	const uint32_t last = read_max(fhir_operation_parameter(call, parameters, "max"));
	const bool has_subject = fhir_call_parameter(call, "patient").len || fhir_call_parameter(call, "subject").len;
	if (!last || !has_subject) {
		fhir_call_refuse(call, 400, FHIR_ISSUE_REQUIRED,
		    "$lastn needs patient (or subject), and takes max from 1 to %u; category or code make it narrower",
		    LAST_MAX);
		return;
	}
	make_query(call, &query);
	if (!fhir_search_run(call, &found, &search, &scope, &query)) return;
	keep_last(call, &found, last);
	buf_init(&used, BUF_MAX_DEFAULT);
	fhir_search_write(&used, search);
	const struct fhir_page page = {"searchset", BYTES_LITERAL("Observation/$lastn"), buf_view(&used), true, &found};
	fhir_page_answer(call, &page);
	buf_fini(&used);
}
