/* $everything of a patient or an encounter (patient-operation-everything.html, encounter-operation-everything.html):
 * it, its compartment, and what is referred to. Of Patient itself: the types of patients' compartments. */
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_operation.h"
#include "health/gateway/fhir_page.h"
#include "health/gateway/fhir_read.h"
#include "health/gateway/fhir_search.h"

#define ITEMS_MAX 6u

struct everything {
	struct http_query_item items[ITEMS_MAX];
	struct http_query query;
	struct buf used; /* of the links */
};

static void put(struct everything *e, const char *name, struct bytes value) {
	e->items[e->query.count++] = (struct http_query_item){bytes_text(name), value};
}

/* A parameter of the operation: as the search knows it, and as the links show it. */
static void take(struct everything *e, struct fhir_call *call, const struct json *parameters, const char *name,
    const char *searched, const char *prefix) {
	const struct bytes value = fhir_operation_parameter(call, parameters, name);
	if (!value.len) return;
	put(e, searched,
	    bytes_text(arena_printf(&call->arena, "%s%.*s", prefix, (int)value.len, (const char *)value.data)));
	if (strcmp(name, "cursor") == 0) return;
	if (e->used.len) buf_byte(&e->used, '&');
	buf_text(&e->used, name);
	buf_byte(&e->used, '=');
	http_percent_encode(&e->used, value);
}

static bool has(const struct resource_page *page, const struct resource_key *key) {
	for (size_t i = 0; i < page->count; i++)
		if (page->hits[i].version.key.type == key->type && bytes_equal(page->hits[i].version.key.id, key->id))
			return true;
	return false;
}

/* The owner of the compartment stands first on the first page, whatever the compartment says of it. */
static void put_owner(struct fhir_call *call, struct resource_page *page, const struct resource_version *owner) {
	if (has(page, &owner->key)) return;
	struct resource_hit *hits = arena_zalloc(&call->arena, page->count + 1, sizeof *hits);
	hits[0] = (struct resource_hit){*owner, RESOURCE_MATCH};
	if (page->count) memcpy(hits + 1, page->hits, page->count * sizeof *hits);
	page->hits = hits;
	page->count++;
	if (page->has_total) page->total++;
}

static struct bytes path_of(struct fhir_call *call) {
	const struct bytes id = call->target.id;
	return bytes_text(
	    arena_printf(&call->arena, "%s%s%.*s/$everything", fhir_type_name(&fhir_r4, call->target.type),
		id.len ? "/" : "", (int)id.len, id.len ? (const char *)id.data : ""));
}

/* `owner`: of the compartment; NULL: all of the type. */
static void answer(
    struct fhir_call *call, struct everything *e, const struct resource_version *owner, const struct json *parameters) {
	struct resource_page found;
	struct fhir_search *search;
	const struct fhir_search_scope scope = {FHIR_NONE, owner ? call->target.type : FHIR_NONE, call->target.id};
	const bool is_first = !fhir_operation_parameter(call, parameters, "cursor").len;
	const bool has_types = fhir_operation_parameter(call, parameters, "_type").len > 0;
	if (!fhir_search_run(call, &found, &search, &scope, &e->query)) return;
	if (owner && is_first && !has_types) put_owner(call, &found, owner);
	const struct fhir_page page = {"searchset", path_of(call), buf_view(&e->used), search->count > 0, &found};
	fhir_page_answer(call, &page);
}

/* Care dates stand in another element of each type: what is asked for by them is refused, not given whole. */
static bool takes_no_dates(struct fhir_call *call, const struct json *parameters) {
	if (!fhir_operation_parameter(call, parameters, "start").len &&
	    !fhir_operation_parameter(call, parameters, "end").len)
		return true;
	fhir_call_refuse(call, 400, FHIR_ISSUE_NOT_SUPPORTED,
	    "$everything does not choose by start and end here: search the types that you need by their dates");
	return false;
}

/* "Patient,Observation,…": what can be in a compartment of the type. */
static struct bytes types_of(struct fhir_call *call) {
	const uint16_t owner = call->target.type;
	struct fhir_list parameters;
	struct buf names;
	buf_init(&names, BUF_MAX_DEFAULT);
	buf_text(&names, fhir_type_name(&fhir_r4, owner));
	for (uint16_t type = 0; type < fhir_r4.type_count; type++)
		if (type != owner && fhir_compartment_find(&fhir_r4, &parameters, owner, type))
			buf_printf(&names, ",%s", fhir_type_name(&fhir_r4, type));
	const struct bytes out = arena_dup(&call->arena, buf_view(&names));
	buf_fini(&names);
	return out;
}

void fhir_operation_everything(struct fhir_call *call, const struct json *parameters) {
	struct resource_version owner;
	struct everything e = {.query = {.items = e.items}};
	const bool is_one = call->target.id.len > 0;
	const bool has_types = fhir_operation_parameter(call, parameters, "_type").len > 0;
	if (!takes_no_dates(call, parameters) || (is_one && !fhir_read_find(call, &owner))) return;
	buf_init(&e.used, BUF_MAX_DEFAULT);
	take(&e, call, parameters, "_type", "_type", "");
	take(&e, call, parameters, "_count", "_count", "");
	take(&e, call, parameters, "_since", "_lastUpdated", "ge");
	take(&e, call, parameters, "cursor", "cursor", "");
	if (!is_one && !has_types) put(&e, "_type", types_of(call));
	/* Who asks for types wants no others. */
	if (!has_types) put(&e, "_include:iterate", BYTES_LITERAL("*"));
	answer(call, &e, is_one ? &owner : NULL, parameters);
	buf_fini(&e.used);
}
