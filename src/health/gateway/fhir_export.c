#include "health/gateway/fhir_export.h"
#include "crypto/hash.h"

#include <stdio.h>

#include "base/http_reply.h"
#include "health/fhir/temporal.h"
#include "health/gateway/fhir_answer.h"
#include "health/gateway/fhir_looks.h"
#include "health/gateway/fhir_operation.h"
#include "health/gateway/fhir_read.h"
#include "health/gateway/fhir_search.h"

#define NDJSON "application/fhir+ndjson"
#define STEP_NS 500000000u /* of counting, while a client polls */
#define TYPES_MAX 160u
#define ID_DIGITS 32u
#define PAGE "1000"
#define FILTER_BYTES 1024u
#define TYPE_LIST_BYTES 4096u
#define ELEMENTS_BYTES 512u
#define MEMBERS_MAX 10000u

struct job {
	char id[ID_DIGITS + 1]; /* "": free */
	char asker[sizeof(((struct asker *)NULL)->name)];
	hash32 place;  /* of the token that began it (asker_place): another one of the same client sees nothing of it */
	int64_t at_ms; /* transactionTime */
	char since[64]; /* or "" */
	char group[65]; /* whose members' it is; or "" */
	uint32_t group_version;
	char filter[FILTER_BYTES];     /* of _typeFilter; or "" */
	char elements[ELEMENTS_BYTES]; /* or "" */
	char request[1024];
	uint16_t types[TYPES_MAX];
	uint64_t counts[TYPES_MAX];
	size_t type_count, counted;
};
struct fhir_exports {
	const struct threads *threads;
	struct monitor *monitor;
	struct job jobs[FHIR_EXPORT_JOBS_MAX];
};

struct fhir_exports *fhir_exports_new(const struct threads *threads) {
	struct fhir_exports *exports = mem_zalloc(1, sizeof *exports);
	exports->threads = threads;
	exports->monitor = threads->monitor_new(threads->context);
	return exports;
}

void fhir_exports_free(struct fhir_exports *exports) {
	if (!exports) return;
	exports->threads->monitor_free(exports->monitor);
	mem_free(exports);
}

/* --- the table of jobs --- */

static bool is_free(const struct job *job, int64_t now_ms) {
	return !job->id[0] || now_ms - job->at_ms > (int64_t)FHIR_EXPORT_KEPT_MS;
}

static bool put_job(struct fhir_call *call, const struct job *job) {
	struct fhir_exports *exports = call->server->exports;
	size_t place = FHIR_EXPORT_JOBS_MAX, of_asker = 0;
	exports->threads->lock(exports->monitor);
	for (size_t i = 0; i < FHIR_EXPORT_JOBS_MAX; i++) {
		if (is_free(&exports->jobs[i], job->at_ms))
			place = i;
		else
			of_asker += strcmp(exports->jobs[i].asker, job->asker) == 0;
	}
	const bool is_put = place < FHIR_EXPORT_JOBS_MAX && of_asker < FHIR_EXPORT_JOBS_OF_ONE_MAX;
	if (is_put) exports->jobs[place] = *job;
	exports->threads->unlock(exports->monitor);
	return is_put;
}

static hash32 place_of(struct fhir_call *call) {
	return sha256(asker_place(&call->arena, &call->asker));
}

/* The asker's own job; `update` takes the place of what is kept, an empty one ends it. */
static bool find_job(struct fhir_call *call, struct job *out, const struct job *update) {
	struct fhir_exports *exports = call->server->exports;
	const struct bytes id = fhir_call_parameter(call, "job");
	const int64_t now_ms = (int64_t)clock_now_ms(call->server->gateway->options.clock);
	const hash32 place = place_of(call);
	bool is_found = false;
	exports->threads->lock(exports->monitor);
	for (size_t i = 0; i < FHIR_EXPORT_JOBS_MAX && !is_found; i++) {
		struct job *job = &exports->jobs[i];
		if (is_free(job, now_ms) || !bytes_equal(id, bytes_text(job->id))) continue;
		if (!hash32_equal(&job->place, &place)) continue;
		is_found = true;
		if (out) *out = *job;
		if (update) *job = *update;
	}
	exports->threads->unlock(exports->monitor);
	if (!is_found)
		fhir_call_refuse(call, 404, FHIR_ISSUE_NOT_FOUND,
		    "there is no such export, or it was ended, or is over an hour old; ask for a new one with $export");
	return is_found;
}

/* --- kick-off --- */

static bool is_of_patients(uint16_t type) {
	static const struct bytes patient = {(const uint8_t *)"Patient", 7};
	struct fhir_list parameters;
	const uint16_t compartment = fhir_definitions_resource(&fhir_r4, patient);
	return type == compartment || fhir_compartment_find(&fhir_r4, &parameters, compartment, type);
}

static bool is_wanted(struct bytes wanted, uint16_t type) {
	const struct bytes name = bytes_text(fhir_type_name(&fhir_r4, type));
	while (wanted.len) {
		const uint8_t *comma = memchr(wanted.data, ',', wanted.len);
		const size_t len = comma ? (size_t)(comma - wanted.data) : wanted.len;
		if (bytes_equal(bytes_slice(wanted, 0, len), name)) return true;
		wanted = bytes_slice(wanted, len + 1, wanted.len);
	}
	return false;
}

static void choose_types(struct job *job, struct bytes wanted, bool of_patients) {
	for (size_t type = 0; type < fhir_r4.type_count && job->type_count < TYPES_MAX; type++) {
		const struct fhir_type_def *def = &fhir_r4.types[type];
		if (def->kind != FHIR_KIND_RESOURCE || def->is_abstract) continue;
		if (wanted.len && !is_wanted(wanted, (uint16_t)type)) continue;
		if (of_patients && !is_of_patients((uint16_t)type)) continue;
		if (job->group[0] && strcmp(fhir_type_name(&fhir_r4, (uint16_t)type), "Group") == 0) continue;
		job->types[job->type_count++] = (uint16_t)type;
	}
}

/* --- _typeFilter: "Observation?status=final,Condition?code=x" --- */

/* The query of the first filter in the list; the list moves on. A comma begins another filter if a type follows. */
static struct bytes next_filter(struct bytes *list, uint16_t *type) {
	size_t len = 0;
	const uint8_t *mark = list->len ? memchr(list->data, '?', list->len) : NULL;
	const size_t head = mark ? (size_t)(mark - list->data) : list->len;
	*type = fhir_definitions_resource(&fhir_r4, bytes_slice(*list, 0, head));
	for (len = head; len < list->len; len++) {
		const struct bytes rest = bytes_slice(*list, len + 1, list->len);
		const uint8_t *next = rest.len ? memchr(rest.data, '?', rest.len) : NULL;
		if (list->data[len] == ',' && next &&
		    fhir_definitions_resource(&fhir_r4, bytes_slice(rest, 0, (size_t)(next - rest.data))) != FHIR_NONE)
			break;
	}
	const struct bytes query = bytes_slice(*list, head + 1, len > head ? len - head - 1 : 0);
	*list = bytes_slice(*list, len + 1, list->len);
	return query;
}

/* False: it is refused, and a 400 is written. */
static bool check_filter(struct fhir_call *call, uint16_t type, struct bytes query) {
	struct http_query items;
	struct fhir_search *search;
	struct err err;
	const struct fhir_search_settings settings = {
	    .defs = &fhir_r4, .type = type, .is_strict = true, .compartment = FHIR_NONE};
	if (type == FHIR_NONE)
		fhir_call_refuse(call, 400, FHIR_ISSUE_VALUE,
		    "_typeFilter takes searches, as Observation?status=final, with commas between");
	else if (http_query_parse(&items, &call->arena, query, &err) != STATUS_OK)
		fhir_call_refuse(call, 400, FHIR_ISSUE_INVALID, "_typeFilter cannot be read: %s", err.message);
	else if (fhir_search_read(&search, &call->arena, &settings, &items, &call->issues) != STATUS_OK)
		fhir_call_answer_issues(call, 400);
	else if (!search->criteria || search->sort_count || search->include_count || search->cursor.len)
		fhir_call_refuse(
		    call, 400, FHIR_ISSUE_NOT_SUPPORTED, "_typeFilter takes parameters that choose, and no others");
	else
		return true;
	return false;
}

static bool check_filters(struct fhir_call *call, const struct job *job) {
	struct bytes list = bytes_text(job->filter);
	uint16_t seen[TYPES_MAX], type;
	for (size_t count = 0; list.len && count < TYPES_MAX; count++) {
		const struct bytes query = next_filter(&list, &type);
		if (!check_filter(call, type, query)) return false;
		for (size_t i = 0; i < count; i++) {
			if (seen[i] != type) continue;
			fhir_call_refuse(call, 400, FHIR_ISSUE_NOT_SUPPORTED,
			    "_typeFilter has two filters of %s: begin an export for each",
			    fhir_type_name(&fhir_r4, type));
			return false;
		}
		seen[count] = type;
	}
	return true;
}

/* The filter of one type [empty]. */
static struct bytes filter_of(const struct job *job, uint16_t wanted) {
	struct bytes list = bytes_text(job->filter);
	uint16_t type;
	while (list.len) {
		const struct bytes query = next_filter(&list, &type);
		if (type == wanted) return query;
	}
	return (struct bytes){NULL, 0};
}

/* --- the parameters --- */

/* All values of a parameter, with commas between. False: they are too long, and a 400 is written. */
static bool take_list(struct fhir_call *call, const struct json *parameters, const char *name, char *out, size_t size) {
	struct buf text;
	buf_init(&text, size);
	fhir_operation_values(call, parameters, name, &text);
	const bool fits = !text.overflow && text.len < size;
	snprintf(out, size, "%s", fits ? buf_cstr(&text) : "");
	buf_fini(&text);
	if (!fits) fhir_call_refuse(call, 400, FHIR_ISSUE_TOO_LONG, "%s has over %zu bytes", name, size - 1);
	return fits;
}

static bool check_parameters(struct fhir_call *call, const struct json *parameters, struct job *job) {
	static const char *const formats[] = {
	    "application/fhir+ndjson", "application/fhir ndjson", "application/ndjson", "ndjson"};
	const struct bytes format = fhir_operation_parameter(call, parameters, "_outputFormat");
	const struct bytes since = fhir_operation_parameter(call, parameters, "_since");
	struct fhir_temporal moment;
	bool is_known = !format.data;
	for (size_t i = 0; i < 4; i++) is_known |= bytes_equal(format, bytes_text(formats[i]));
	if (!is_known)
		fhir_call_refuse(call, 400, FHIR_ISSUE_NOT_SUPPORTED, "_outputFormat is application/fhir+ndjson");
	else if (since.len && (since.len >= sizeof job->since || !fhir_temporal_read(&moment, since, false)))
		fhir_call_refuse(call, 400, FHIR_ISSUE_VALUE, "_since takes an instant, as 2026-11-30T20:15:00Z");
	else if (job->type_count == 0)
		fhir_call_refuse(call, 400, FHIR_ISSUE_VALUE, "_type names no resource type that this export has");
	else
		return check_filters(call, job);
	return false;
}

/* --- members of a Group --- */

/* The ids of the patients who are members of the Group, in the version that the export began with. */
static enum status read_members(struct fhir_call *call, struct arena *arena, const struct job *job, struct bytes **out,
    size_t *count, struct err *err) {
	static const struct bytes prefix = {(const uint8_t *)"Patient/", 8};
	struct resource_scope scope;
	struct resource_version group;
	const struct json *tree;
	const struct resource_key key = {
	    fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Group")), bytes_text(job->group)};
	*count = 0;
	TRY(asker_scope(&scope, arena, &call->asker, ASKER_READ, key.type, err));
	TRY(resources_get(call->server->resources, &group, arena, &scope, &key, job->group_version, err));
	TRY(json_parse(&tree, arena, group.content, NULL, err));
	const struct json *members = json_get(tree, "member");
	*out = arena_zalloc(arena, members ? members->count + 1 : 1, sizeof **out);
	json_foreach (member, members) {
		const struct bytes reference = json_string(json_get(json_get(member, "entity"), "reference"));
		if (json_is(json_get(member, "inactive"), JSON_TRUE)) continue;
		if (!bytes_equal(bytes_slice(reference, 0, prefix.len), prefix)) continue;
		(*out)[(*count)++] = bytes_slice(reference, prefix.len, reference.len);
	}
	return *count <= MEMBERS_MAX ? STATUS_OK
				     : err_set(err, STATUS_LIMIT, "the group has over %u members", MEMBERS_MAX);
}

/* False: there is no such Group, and the answer is written. */
static bool take_group(struct fhir_call *call, struct job *job) {
	struct resource_version group;
	if (!call->target.id.len) return true;
	if (!fhir_read_find(call, &group)) return false;
	snprintf(job->group, sizeof job->group, "%.*s", (int)group.key.id.len, (const char *)group.key.id.data);
	job->group_version = group.version;
	return true;
}

void fhir_export_begin(struct fhir_call *call, const struct json *parameters) {
	struct resource_scope scope;
	uint8_t random[ID_DIGITS / 2];
	struct job *job = arena_zalloc(&call->arena, 1, sizeof *job);
	const struct http_request *request = &call->exchange->request;
	const struct bytes since = fhir_operation_parameter(call, parameters, "_since");
	char types[TYPE_LIST_BYTES];
	if (!fhir_call_scope(call, &scope, ASKER_SEARCH, FHIR_NONE) || !take_group(call, job)) return;
	if (!take_list(call, parameters, "_type", types, sizeof types) ||
	    !take_list(call, parameters, "_typeFilter", job->filter, sizeof job->filter) ||
	    !take_list(call, parameters, "_elements", job->elements, sizeof job->elements))
		return;
	choose_types(job, bytes_text(types), call->target.type != FHIR_NONE);
	if (!check_parameters(call, parameters, job)) return;
	random_fill(call->server->gateway->options.random, random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++) snprintf(job->id + 2 * i, 3, "%02x", random[i]);
	job->at_ms = fhir_server_now_ms(call->server);
	snprintf(job->asker, sizeof job->asker, "%s", call->asker.name);
	job->place = place_of(call);
	snprintf(job->since, sizeof job->since, "%.*s", (int)since.len, since.len ? (const char *)since.data : "");
	snprintf(job->request, sizeof job->request, "%.*s%.*s%s%.*s", (int)call->base.len,
	    (const char *)call->base.data, (int)(request->path.len - 5), (const char *)request->path.data + 5,
	    request->query.len ? "?" : "", (int)request->query.len,
	    request->query.len ? (const char *)request->query.data : "");
	if (!put_job(call, job)) {
		http_put_header(&call->exchange->response, "Retry-After", "120");
		fhir_call_refuse(call, 429, FHIR_ISSUE_THROTTLED,
		    "%u exports of one client are kept, and %u of all: end one (DELETE), or wait",
		    FHIR_EXPORT_JOBS_OF_ONE_MAX, FHIR_EXPORT_JOBS_MAX);
		return;
	}
	http_put_header(&call->exchange->response, "Content-Location", "%.*s/$export-poll-status?job=%s",
	    (int)call->base.len, (const char *)call->base.data, job->id);
	fhir_issues_add(&call->issues, FHIR_INFORMATION, FHIR_ISSUE_INFORMATIONAL, "",
	    "the export has begun; poll the URL of Content-Location");
	fhir_call_answer_issues(call, 202);
}

/* --- the search of one type --- */

/* What was there at the job's moment, and is newer than _since. */
static enum status make_query(struct arena *arena, const struct job *job, uint16_t type, struct http_query *out,
    const char *count, struct err *err) {
	char instant[FHIR_ANSWER_INSTANT_BYTES];
	struct http_query filter;
	TRY(http_query_parse(&filter, arena, filter_of(job, type), err));
	struct http_query_item *items = arena_zalloc(arena, filter.count + 5, sizeof *items);
	fhir_answer_instant(instant, job->at_ms);
	*out = (struct http_query){items, filter.count};
	if (filter.count) memcpy(items, filter.items, filter.count * sizeof *items);
	items[out->count++] =
	    (struct http_query_item){BYTES_LITERAL("_lastUpdated"), bytes_text(arena_printf(arena, "le%s", instant))};
	if (job->since[0])
		items[out->count++] = (struct http_query_item){
		    BYTES_LITERAL("_lastUpdated"), bytes_text(arena_printf(arena, "gt%s", job->since))};
	if (strcmp(count, "0") == 0)
		items[out->count++] = (struct http_query_item){BYTES_LITERAL("_total"), BYTES_LITERAL("accurate")};
	items[out->count++] = (struct http_query_item){BYTES_LITERAL("_count"), bytes_text(count)};
	return STATUS_OK;
}

/* One question of an export. */
struct asked {
	uint16_t type;
	struct bytes member; /* whose compartment alone [empty] */
	const char *count;   /* of a page; "0": the total alone */
	struct bytes cursor;
};

static enum status find_page(struct fhir_call *call, struct arena *arena, const struct job *job,
    const struct asked *asked, struct resource_page *out, struct err *err) {
	struct http_query query;
	struct fhir_search *search;
	struct resource_scope scope;
	struct fhir_issues *issues = arena_zalloc(arena, 1, sizeof *issues);
	const uint16_t type = asked->type, patient = fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Patient"));
	const struct fhir_search_settings settings = {.defs = &fhir_r4,
	    .type = type,
	    .compartment = asked->member.len ? patient : FHIR_NONE,
	    .compartment_id = asked->member};
	*out = (struct resource_page){.has_total = true};
	/* Types that the token does not reach are left out. */
	if (asker_scope(&scope, arena, &call->asker, ASKER_SEARCH, type, err) != STATUS_OK) return STATUS_OK;
	fhir_foreign_admit(call->server->foreign, &scope, arena, call->asker.purpose); /* anew for each page */
	TRY(make_query(arena, job, type, &query, asked->count, err));
	fhir_issues_init(issues, arena);
	TRY(fhir_search_read(&search, arena, &settings, &query, issues));
	search->cursor = asked->cursor;
	return resources_search(
	    call->server->resources, out, arena, &scope, asker_place(arena, &call->asker), search, err);
}

/* --- status --- */

static enum status count_type(
    struct fhir_call *call, const struct job *job, uint16_t type, uint64_t *total, struct err *err) {
	struct resource_page page;
	struct bytes *members;
	size_t count;
	struct asked asked = {.type = type, .count = "0"};
	*total = 0;
	if (!job->group[0]) {
		TRY(find_page(call, &call->arena, job, &asked, &page, err));
		*total = page.total;
		return STATUS_OK;
	}
	TRY(read_members(call, &call->arena, job, &members, &count, err));
	for (size_t i = 0; i < count; i++) {
		asked.member = members[i];
		TRY(find_page(call, &call->arena, job, &asked, &page, err));
		*total += page.total;
	}
	return STATUS_OK;
}

static bool count_some(struct fhir_call *call, struct job *job) {
	const struct clock_source *clock = call->server->gateway->options.clock;
	const uint64_t began_ns = clock_monotonic_ns(clock);
	struct err err = {0};
	while (job->counted < job->type_count && clock_monotonic_ns(clock) - began_ns < STEP_NS) {
		const enum status status =
		    count_type(call, job, job->types[job->counted], &job->counts[job->counted], &err);
		if (status != STATUS_OK) {
			fhir_call_fail(call, status, &err);
			return false;
		}
		job->counted++;
	}
	return true;
}

static void put_outputs(struct json_writer *w, struct fhir_call *call, const struct job *job) {
	json_array_begin(w, "output");
	for (size_t i = 0; i < job->type_count; i++) {
		if (!job->counts[i]) continue;
		const char *type = fhir_type_name(&fhir_r4, job->types[i]);
		json_object_begin(w, NULL);
		json_put_text(w, "type", type);
		json_put_text(w, "url",
		    arena_printf(&call->arena, "%.*s/$export-file?job=%s&type=%s", (int)call->base.len,
			(const char *)call->base.data, job->id, type));
		json_put_u64(w, "count", job->counts[i]);
		json_object_end(w);
	}
	json_array_end(w);
}

static void answer_manifest(struct fhir_call *call, const struct job *job) {
	char instant[FHIR_ANSWER_INSTANT_BYTES];
	struct http_response *response = &call->exchange->response;
	fhir_answer_instant(instant, job->at_ms);
	buf_clear(&response->body);
	struct json_writer w = json_writer(&response->body);
	json_object_begin(&w, NULL);
	json_put_text(&w, "transactionTime", instant);
	json_put_text(&w, "request", job->request);
	json_put_bool(&w, "requiresAccessToken", true);
	put_outputs(&w, call, job);
	json_array_begin(&w, "error");
	json_array_end(&w);
	json_object_end(&w);
	response->status = 200;
	response->content_type = "application/json";
	http_put_header(response, "Cache-Control", "no-store");
}

void fhir_export_status(struct fhir_call *call, const struct json *parameters) {
	static const struct job ended;
	struct job *job = arena_zalloc(&call->arena, 1, sizeof *job);
	(void)parameters;
	const bool ends = call->exchange->request.method == HTTP_DELETE;
	if (!find_job(call, job, ends ? &ended : NULL)) return;
	if (ends) {
		call->exchange->response.status = 202;
		return;
	}
	if (!count_some(call, job) || !find_job(call, NULL, job)) return;
	if (job->counted == job->type_count) {
		answer_manifest(call, job);
		return;
	}
	http_put_header(&call->exchange->response, "X-Progress", "%zu of %zu types", job->counted, job->type_count);
	http_put_header(&call->exchange->response, "Retry-After", "1");
	call->exchange->response.status = 202;
}

/* --- a file --- */

/* One that goes out: it keeps its call until the client has all of it. */
struct stream {
	struct fhir_call *call;
	struct job *job;
	uint16_t type;
	bool is_last;          /* the page at hand */
	struct bytes *members; /* of a Group's export; in the call's arena */
	size_t member_count, member;
	struct fhir_subset subset;
	struct arena page; /* of the page at hand */
	char *cursor;      /* of the next one */
	struct buf text;   /* of the page */
	size_t sent;       /* of it */
};

static struct bytes member_of(const struct stream *stream) {
	return stream->member < stream->member_count ? stream->members[stream->member] : (struct bytes){NULL, 0};
}

/* What _elements leaves of it, in the page's arena. */
static struct bytes shown(struct stream *stream, struct bytes content) {
	const struct json *tree;
	struct buf out;
	if (fhir_subset_is_whole(&stream->subset)) return content;
	if (json_parse(&tree, &stream->page, content, NULL, NULL) != STATUS_OK) return content;
	buf_init(&out, BUF_MAX_DEFAULT);
	fhir_subset_write(&out, &fhir_r4, &stream->subset, tree);
	const struct bytes copy = arena_dup(&stream->page, buf_view(&out));
	buf_fini(&out);
	return copy;
}

/* "id,Patient.name": the names that are of the type. False: they are too many, and a 400 is written. */
static bool read_elements(struct stream *stream) {
	struct bytes list = bytes_text(stream->job->elements);
	const struct bytes type = bytes_text(fhir_type_name(&fhir_r4, stream->type));
	struct buf names;
	buf_init(&names, ELEMENTS_BYTES);
	while (list.len) {
		const uint8_t *comma = memchr(list.data, ',', list.len);
		struct bytes name = bytes_slice(list, 0, comma ? (size_t)(comma - list.data) : list.len);
		list = bytes_slice(list, name.len + 1, list.len);
		const uint8_t *dot = name.len ? memchr(name.data, '.', name.len) : NULL;
		if (dot && !bytes_equal(bytes_slice(name, 0, (size_t)(dot - name.data)), type)) continue;
		if (dot) name = bytes_slice(name, (size_t)(dot - name.data) + 1, name.len);
		if (names.len) buf_byte(&names, ',');
		buf_append(&names, name);
	}
	const bool is_good =
	    fhir_subset_read_elements(&stream->subset, arena_dup(&stream->call->arena, buf_view(&names)));
	buf_fini(&names);
	if (!is_good)
		fhir_call_refuse(stream->call, 400, FHIR_ISSUE_TOO_COSTLY, "_elements names more than %u elements",
		    FHIR_SUBSET_ELEMENTS_MAX);
	return is_good;
}

/* False: the Group cannot be read any more, and the answer is written. */
static bool read_group(struct stream *stream) {
	struct err err = {0};
	if (!stream->job->group[0]) return true;
	const enum status status = read_members(
	    stream->call, &stream->call->arena, stream->job, &stream->members, &stream->member_count, &err);
	if (status != STATUS_OK) fhir_call_fail(stream->call, status, &err);
	stream->is_last = stream->member_count == 0;
	return status == STATUS_OK;
}

static enum status next_page(struct stream *stream) {
	struct resource_page found;
	struct err err;
	const struct bytes cursor = stream->cursor ? bytes_text(stream->cursor) : (struct bytes){NULL, 0};
	arena_reset(&stream->page);
	const struct asked asked = {.type = stream->type, .count = PAGE, .cursor = cursor, .member = member_of(stream)};
	TRY(find_page(stream->call, &stream->page, stream->job, &asked, &found, &err));
	fhir_looks_see_page(stream->call, &found);
	if (found.count) fhir_looks_note(stream->call);
	buf_clear(&stream->text);
	stream->sent = 0;
	for (size_t i = 0; i < found.count; i++) {
		const struct bytes content = shown(stream, found.hits[i].version.content);
		/* Between values a new line is white space; inside texts JSON has none. */
		uint8_t *line = buf_extend(&stream->text, content.len + 1);
		if (!line) return STATUS_LIMIT;
		for (size_t k = 0; k < content.len; k++)
			line[k] = content.data[k] == '\n' || content.data[k] == '\r' ? ' ' : content.data[k];
		line[content.len] = '\n';
	}
	mem_free(stream->cursor);
	stream->cursor = found.cursor.len ? mem_zalloc(found.cursor.len + 1, 1) : NULL;
	if (stream->cursor) memcpy(stream->cursor, found.cursor.data, found.cursor.len);
	if (!stream->cursor) stream->member++;
	stream->is_last = !stream->cursor && stream->member >= stream->member_count;
	return STATUS_OK;
}

static enum http_source_state read_stream(void *context, size_t *len, uint8_t *out, size_t size) {
	struct stream *stream = context;
	*len = 0;
	while (stream->sent == stream->text.len) {
		if (stream->is_last) return HTTP_SOURCE_END;
		if (next_page(stream) != STATUS_OK) return HTTP_SOURCE_FAILED;
	}
	*len = stream->text.len - stream->sent < size ? stream->text.len - stream->sent : size;
	memcpy(out, stream->text.data + stream->sent, *len);
	stream->sent += *len;
	return HTTP_SOURCE_MORE;
}

static void close_stream(void *context) {
	struct stream *stream = context;
	struct fhir_call *call = stream->call;
	mem_free(stream->cursor);
	buf_fini(&stream->text);
	arena_fini(&stream->page);
	fhir_call_free(call); /* and with it the stream */
}

static bool has_type(const struct job *job, uint16_t type) {
	for (size_t i = 0; i < job->type_count; i++)
		if (job->types[i] == type) return true;
	return false;
}

void fhir_export_file(struct fhir_call *call, const struct json *parameters) {
	struct http_response *response = &call->exchange->response;
	struct job *job = arena_zalloc(&call->arena, 1, sizeof *job);
	const uint16_t type = fhir_definitions_resource(&fhir_r4, fhir_call_parameter(call, "type"));
	(void)parameters;
	if (!find_job(call, job, NULL)) return;
	if (type == FHIR_NONE || !has_type(job, type)) {
		fhir_call_refuse(
		    call, 404, FHIR_ISSUE_NOT_FOUND, "the export has no file of this type; its status lists them");
		return;
	}
	struct stream *stream = arena_zalloc(&call->arena, 1, sizeof *stream);
	*stream = (struct stream){.call = call, .job = job, .type = type};
	if (!read_group(stream) || !read_elements(stream)) return;
	arena_init(&stream->page);
	buf_init(&stream->text, BUF_MAX_DEFAULT);
	response->status = 200;
	response->content_type = NDJSON;
	response->source = (struct http_source){read_stream, close_stream, stream, HTTP_LENGTH_UNKNOWN, 0};
	http_put_header(response, "Cache-Control", "no-store");
	call->is_kept = true;
}
