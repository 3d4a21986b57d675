#include "health/gateway/fhir_history.h"

#include "health/fhir/temporal.h"
#include "health/gateway/fhir_page.h"

#define COUNT_DEFAULT 20u
#define COUNT_MAX 1000u

#define TEXT(view) (int)((view).len < 80 ? (view).len : 80), (view).len ? (const char *)(view).data : ""

static bool read_count(struct fhir_call *call, struct resource_history *query) {
	const struct bytes text = fhir_call_parameter(call, "_count");
	uint32_t count = 0;
	query->count = COUNT_DEFAULT;
	if (!text.data) return true;
	if (!text.len || text.len > 9) goto bad;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') goto bad;
		count = count * 10 + (uint32_t)(text.data[i] - '0');
	}
	query->count = count < COUNT_MAX ? count : COUNT_MAX;
	return true;
bad:
	fhir_call_refuse(call, 400, FHIR_ISSUE_VALUE, "_count is \"%.*s\"; it takes a number from 0", TEXT(text));
	return false;
}

static bool read_moments(struct fhir_call *call, struct fhir_moments *out, const char *name, struct bytes text) {
	struct fhir_temporal moment;
	if (fhir_temporal_read(&moment, text, false)) {
		*out = fhir_temporal_moments(&moment);
		return true;
	}
	fhir_call_refuse(call, 400, FHIR_ISSUE_VALUE,
	    "%s is \"%.*s\"; it takes a date or a time, as 2026-11-30T20:15:00Z (write + as %%2B)", name, TEXT(text));
	return false;
}

static bool read_times(struct fhir_call *call, struct resource_history *query) {
	const struct bytes since = fhir_call_parameter(call, "_since"), at = fhir_call_parameter(call, "_at");
	struct fhir_moments moments;
	if (since.len) {
		if (!read_moments(call, &moments, "_since", since)) return false;
		query->since_ms = moments.first_ms;
	}
	if (at.len) {
		if (!read_moments(call, &moments, "_at", at)) return false;
		query->at_first_ms = moments.first_ms;
		query->at_last_ms = moments.last_ms;
	}
	return true;
}

/* What a history has no parameter for is left out, or refused if handling is strict. */
static bool read_query(struct fhir_call *call, struct buf *used) {
	static const char *const names[] = {
	    "_since", "_at", "_count", "_format", "_pretty", "_summary", "_elements", "cursor"};
	const size_t name_count = sizeof names / sizeof *names;
	for (size_t i = 0; i < call->query.count; i++) {
		const struct http_query_item *item = &call->query.items[i];
		size_t known = 0;
		while (known < name_count && !bytes_equal(item->name, bytes_text(names[known]))) known++;
		if (known == name_count && call->is_strict) {
			fhir_call_refuse(call, 400, FHIR_ISSUE_NOT_SUPPORTED,
			    "a history has no parameter \"%.*s\"; it takes _since, _at and _count", TEXT(item->name));
			return false;
		}
		if (known >= name_count - 1) continue; /* the cursor comes with each link anew */
		if (used->len) buf_byte(used, '&');
		http_percent_encode(used, item->name);
		buf_byte(used, '=');
		http_percent_encode(used, item->value);
	}
	return true;
}

static struct bytes path_of(struct fhir_call *call) {
	const struct fhir_target *target = &call->target;
	if (target->type == FHIR_NONE) return BYTES_LITERAL("_history");
	return bytes_text(arena_printf(&call->arena, "%s%s%.*s/_history", fhir_type_name(&fhir_r4, target->type),
	    target->id.len ? "/" : "", TEXT(target->id)));
}

static void answer(struct fhir_call *call, const struct resource_history *query, struct bytes used) {
	struct resource_scope scope;
	struct resource_page found;
	struct err err = {0};
	const enum asker_right right = query->key.id.len ? ASKER_READ : ASKER_SEARCH;
	if (!fhir_call_scope(call, &scope, right, query->key.type)) return;
	const enum status status =
	    resources_history(call->server->resources, &found, &call->arena, &scope, query, &err);
	if (status != STATUS_OK) {
		fhir_call_fail(call, status, &err);
	} else if (query->key.id.len && found.count == 0 && !query->cursor.len && query->since_ms == INT64_MIN &&
		   query->at_first_ms == INT64_MIN && query->count > 0) {
		fhir_call_refuse(
		    call, 404, FHIR_ISSUE_NOT_FOUND, "there is no such resource, or not for whom this token names");
	} else {
		/* What stands on several pages is not counted. */
		found.has_total = !query->cursor.len && !found.cursor.len && query->count > 0;
		found.total = found.count;
		const struct fhir_page page = {"history", path_of(call), used, true, &found};
		fhir_page_answer(call, &page);
	}
}

void fhir_history(struct fhir_call *call) {
	struct buf used;
	struct resource_history query = {.key = {call->target.type, call->target.id},
	    .since_ms = INT64_MIN,
	    .at_first_ms = INT64_MIN,
	    .at_last_ms = INT64_MAX,
	    .cursor = fhir_call_parameter(call, "cursor"),
	    .asker = asker_place(&call->arena, &call->asker)};
	buf_init(&used, BUF_MAX_DEFAULT);
	if (read_count(call, &query) && read_times(call, &query) && read_query(call, &used))
		answer(call, &query, buf_view(&used));
	buf_fini(&used);
}
