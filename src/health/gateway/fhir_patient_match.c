/*
 * Patient/$match (patient-operation-match.html). A common identifier is a certain match; the same family name and date
 * of birth are a probable one if a given name is the same too, else a possible one.
 */
#include <stdio.h>

#include "base/http_reply.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_looks.h"
#include "health/gateway/fhir_operation.h"
#include "health/gateway/fhir_search.h"

#define MATCHES_MAX 100u
#define IDENTIFIERS_MAX 20u
#define GRADE_URL "http://hl7.org/fhir/StructureDefinition/match-grade"

enum grade { GRADE_CERTAIN, GRADE_PROBABLE, GRADE_POSSIBLE };
static const struct {
	const char *code, *score;
} grades[] = {{"certain", "1.0"}, {"probable", "0.8"}, {"possible", "0.5"}};

struct matching {
	struct fhir_call *call;
	const struct json *patient;
	struct {
		struct resource_version version;
		enum grade grade;
	} found[MATCHES_MAX];
	size_t count;
};

/* search.html#escaping */
static struct bytes escaped(struct arena *arena, struct bytes text) {
	uint8_t *out = arena_alloc(arena, 2 * text.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("\\|,$", text.data[i]) && text.data[i]) out[len++] = '\\';
		out[len++] = text.data[i];
	}
	return bytes_make(out, len);
}

static bool is_known(const struct matching *m, const struct resource_version *version) {
	for (size_t i = 0; i < m->count; i++)
		if (bytes_equal(m->found[i].version.key.id, version->key.id)) return true;
	return false;
}

static const struct json *tree_of(struct matching *m, const struct resource_version *version) {
	const struct json *tree;
	return json_parse(&tree, &m->call->arena, version->content, NULL, NULL) == STATUS_OK ? tree : NULL;
}

/* Have the two a given name in common? */
static bool shares_given(const struct json *a, const struct json *b) {
	json_foreach (left, json_get(a, "name"))
		json_foreach (given, json_get(left, "given"))
			json_foreach (right, json_get(b, "name"))
				json_foreach (other, json_get(right, "given"))
					if (given->text.len && bytes_equal(given->text, other->text)) return true;
	return false;
}

/* False: the answer is written. */
static bool look(struct matching *m, struct http_query_item *items, size_t count, bool is_certain) {
	const struct http_query query = {items, count};
	const uint16_t type = m->call->target.type;
	const struct fhir_search_scope scope = {type, FHIR_NONE, {NULL, 0}};
	struct resource_page page;
	struct fhir_search *search;
	if (!fhir_search_run(m->call, &page, &search, &scope, &query)) return false;
	for (size_t i = 0; i < page.count && m->count < MATCHES_MAX; i++) {
		const struct resource_version *version = &page.hits[i].version;
		if (is_known(m, version)) continue;
		const bool is_close = is_certain || shares_given(m->patient, tree_of(m, version));
		m->found[m->count].version = *version;
		m->found[m->count++].grade = is_certain ? GRADE_CERTAIN : is_close ? GRADE_PROBABLE : GRADE_POSSIBLE;
	}
	return true;
}

static bool look_by_identifiers(struct matching *m) {
	size_t count = 0;
	struct arena *arena = &m->call->arena;
	json_foreach (identifier, json_get(m->patient, "identifier")) {
		const struct bytes system = escaped(arena, json_string(json_get(identifier, "system")));
		const struct bytes value = escaped(arena, json_string(json_get(identifier, "value")));
		if (!value.len || count++ == IDENTIFIERS_MAX) continue;
		const char *token = arena_printf(arena, "%.*s%s%.*s", (int)system.len, (const char *)system.data,
		    system.len ? "|" : "", (int)value.len, (const char *)value.data);
		struct http_query_item item = {BYTES_LITERAL("identifier"), bytes_text(token)};
		if (!look(m, &item, 1, true)) return false;
	}
	return true;
}

static bool look_by_name(struct matching *m) {
	const struct bytes born = json_string(json_get(m->patient, "birthDate"));
	json_foreach (name, json_get(m->patient, "name")) {
		const struct bytes family = json_string(json_get(name, "family"));
		if (!family.len || !born.len) continue;
		struct http_query_item items[] = {{BYTES_LITERAL("family:exact"), escaped(&m->call->arena, family)},
		    {BYTES_LITERAL("birthdate"), born}};
		if (!look(m, items, 2, false)) return false;
	}
	return true;
}

static void put_match(struct json_writer *w, struct matching *m, size_t index) {
	const struct resource_version *version = &m->found[index].version;
	const enum grade grade = m->found[index].grade;
	const struct bytes reference = fhir_answer_reference(&m->call->arena, &version->key);
	fhir_looks_see(m->call, &version->folder);
	json_object_begin(w, NULL);
	json_put_text(w, "fullUrl",
	    arena_printf(&m->call->arena, "%.*s/%.*s", (int)m->call->base.len, (const char *)m->call->base.data,
		(int)reference.len, (const char *)reference.data));
	json_put_raw(w, "resource", version->content);
	json_object_begin(w, "search");
	json_array_begin(w, "extension");
	json_object_begin(w, NULL);
	json_put_text(w, "url", GRADE_URL);
	json_put_text(w, "valueCode", grades[grade].code);
	json_object_end(w);
	json_array_end(w);
	json_put_text(w, "mode", "match");
	json_put_number(w, "score", bytes_text(grades[grade].score));
	json_object_end(w);
	json_object_end(w);
}

/* The certain ones first. */
static void answer(struct matching *m, size_t limit) {
	struct buf body;
	size_t shown = 0;
	buf_init(&body, BUF_MAX_DEFAULT);
	struct json_writer w = json_writer(&body);
	json_object_begin(&w, NULL);
	json_put_text(&w, "resourceType", "Bundle");
	json_put_text(&w, "type", "searchset");
	json_put_u64(&w, "total", m->count < limit ? m->count : limit);
	if (m->count) json_array_begin(&w, "entry");
	for (int grade = GRADE_CERTAIN; grade <= GRADE_POSSIBLE; grade++)
		for (size_t i = 0; i < m->count && shown < limit; i++)
			if ((int)m->found[i].grade == grade && ++shown) put_match(&w, m, i);
	if (m->count) json_array_end(&w);
	json_object_end(&w);
	http_put_header(&m->call->exchange->response, "Cache-Control", "no-store");
	fhir_answer_json(m->call, 200, buf_view(&body));
	buf_fini(&body);
}

void fhir_operation_match(struct fhir_call *call, const struct json *parameters) {
	const struct bytes count = fhir_operation_parameter(call, parameters, "count");
	const uint32_t limit = count.data ? fhir_version_number(count) : MATCHES_MAX;
	const bool only_certain =
	    bytes_equal(fhir_operation_parameter(call, parameters, "onlyCertainMatches"), BYTES_LITERAL("true"));
	struct matching *m = arena_zalloc(&call->arena, 1, sizeof *m);
	m->call = call;
	m->patient = fhir_operation_resource(parameters, "resource");
	if (!json_string_is(json_get(m->patient, "resourceType"), "Patient") || !limit) {
		fhir_call_refuse(call, 400, FHIR_ISSUE_REQUIRED,
		    "$match needs Parameters with a parameter \"resource\" that is a Patient, and takes count from 1");
		return;
	}
	if (!look_by_identifiers(m) || (!only_certain && !look_by_name(m))) return;
	answer(m, limit);
}
