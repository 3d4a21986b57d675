#include "health/gateway/fhir_search.h"

#include "health/gateway/fhir_page.h"
#include "health/gateway/fhir_write.h"

static struct bytes path_of(struct fhir_call *call) {
	const struct fhir_target *target = &call->target;
	if (target->type == FHIR_NONE) return (struct bytes){NULL, 0};
	const char *type = fhir_type_name(&fhir_r4, target->type);
	if (!target->id.len) return bytes_text(type);
	return bytes_text(
	    arena_printf(&call->arena, "%s/%.*s/%s", type, (int)target->id.len, (const char *)target->id.data,
		target->within == FHIR_NONE ? "*" : fhir_type_name(&fhir_r4, target->within)));
}

bool fhir_search_run(struct fhir_call *call, struct resource_page *found, struct fhir_search **search,
    const struct fhir_search_scope *scope, const struct http_query *query) {
	struct resource_scope seen;
	struct err err = {0};
	const struct fhir_search_settings settings = {.defs = &fhir_r4,
	    .type = scope->type,
	    .base = (const char *)call->base.data,
	    .is_strict = call->is_strict,
	    .now_ms = (int64_t)clock_now_ms(call->server->gateway->options.clock),
	    .compartment = scope->compartment,
	    .compartment_id = scope->compartment_id};
	if (!fhir_call_scope(call, &seen, ASKER_SEARCH, scope->type)) return false;
	if (fhir_search_read(search, &call->arena, &settings, query, &call->issues) != STATUS_OK) {
		fhir_call_answer_issues(call, 400);
		return false;
	}
	const enum status status = resources_search(call->server->resources, found, &call->arena, &seen,
	    asker_place(&call->arena, &call->asker), *search, &err);
	if (status == STATUS_OK) return true;
	if (status == STATUS_LIMIT)
		fhir_call_refuse(call, 400, FHIR_ISSUE_TOO_COSTLY, "%s: make the search narrower", err.message);
	else
		fhir_call_fail(call, status, &err);
	return false;
}

/* Patient, Encounter, Practitioner, RelatedPerson, Device. */
static bool has_compartment(uint16_t type) {
	for (size_t i = 0; i < fhir_r4.compartment_count; i++)
		if (fhir_r4.compartments[i].compartment == type) return true;
	return false;
}

void fhir_search(struct fhir_call *call) {
	struct resource_page found;
	struct fhir_search *search;
	struct buf used;
	const bool is_compartment = call->target.id.len > 0;
	const struct fhir_search_scope scope = {.type = is_compartment ? call->target.within : call->target.type,
	    .compartment = is_compartment ? call->target.type : FHIR_NONE,
	    .compartment_id = call->target.id};
	if (is_compartment && !has_compartment(scope.compartment)) {
		fhir_call_refuse(call, 404, FHIR_ISSUE_NOT_SUPPORTED,
		    "R4 has no compartment of %s: search the type that you need by its reference",
		    fhir_type_name(&fhir_r4, scope.compartment));
		return;
	}
	if (!fhir_search_run(call, &found, &search, &scope, &call->query)) return;
	buf_init(&used, BUF_MAX_DEFAULT);
	fhir_search_write(&used, search);
	const bool shows_resources = search->count > 0 && search->summary != FHIR_SUMMARY_COUNT;
	const struct fhir_page page = {"searchset", path_of(call), buf_view(&used), shows_resources, &found};
	fhir_page_answer(call, &page);
	buf_fini(&used);
}

void fhir_search_form(struct fhir_call *call) {
	struct http_query form, all;
	struct err err;
	const struct bytes body = call->exchange->request.body;
	if (body.len && !fhir_write_takes(call, "application/x-www-form-urlencoded",
			    "a search by POST has a form: application/x-www-form-urlencoded"))
		return;
	if (http_query_parse(&form, &call->arena, body, &err) != STATUS_OK) {
		fhir_call_refuse(call, 400, FHIR_ISSUE_INVALID, "the form cannot be read: %s", err.message);
		return;
	}
	all.count = call->query.count + form.count;
	all.items = arena_zalloc(&call->arena, all.count + 1, sizeof *all.items);
	if (call->query.count) memcpy(all.items, call->query.items, call->query.count * sizeof *all.items);
	if (form.count) memcpy(all.items + call->query.count, form.items, form.count * sizeof *all.items);
	if (fhir_call_take_query(call, &all)) fhir_search(call);
}
