/* _include and _revinclude (search.html#include): once for the matches; with :iterate, again for what was included. */
#include "health/index/resource_condition.h"

#define INCLUDED_MAX 1000u /* on a page */
#define REFERRING_MAX 20000u

struct including {
	struct resource_question *question;
	struct resource_page *page;
	const struct fhir_search *search;
	struct resource_rows there; /* on the page, sorted */
	struct resource_rows found; /* of this round, to be looked at */
	size_t capacity;            /* of the page's hits; 0: not ours to write yet */
};

static unsigned parameter_of(struct bytes key) {
	return (unsigned)(key.data[0] << 8 | key.data[1]);
}

static bool is_reference_of(const struct fhir_search_include *include, unsigned parameter) {
	if (include->search) return parameter == resource_fact_number(include->search);
	return parameter < fhir_r4.search_count && fhir_r4.searches[parameter].type == FHIR_SEARCH_REFERENCE;
}

/* What a resource refers to. */
static enum status forward(
    struct including *in, const struct fhir_search_include *include, uint32_t row, struct err *err) {
	struct resource_candidate candidate;
	struct bytes key;
	bool is_there;
	TRY(resource_candidate_load(in->question, &is_there, &candidate, row, err));
	if (!is_there || (include->source != FHIR_NONE && include->source != candidate.type)) return STATUS_OK;
	while (resource_fact_next(&key, &candidate.facts))
		if (key.len == 7 && key.data[2] == 'r' && is_reference_of(include, parameter_of(key)))
			resource_rows_add(in->question->arena, &in->found, load_be32(key.data + 3));
	return STATUS_OK;
}

static enum status referring_by(struct including *in, unsigned parameter, uint32_t row, struct err *err) {
	struct buf key;
	struct resource_range range;
	bool whole;
	buf_init(&key, 16);
	resource_fact_put_parameter(&key, parameter);
	buf_byte(&key, 'r');
	resource_fact_put_row(&key, row);
	range.from = arena_dup(in->question->arena, buf_view(&key));
	buf_byte(&key, 0);
	range.to = arena_dup(in->question->arena, buf_view(&key));
	buf_fini(&key);
	TRY(resource_range_rows(in->question, &in->found, &whole, NULL, &range, REFERRING_MAX, err));
	return whole ? STATUS_OK
		     : err_set(err, STATUS_LIMIT, "_revinclude finds too many resources: ask for them by themselves");
}

/* What refers to a resource. */
static enum status backward(
    struct including *in, const struct fhir_search_include *include, uint32_t row, struct err *err) {
	if (include->search) return referring_by(in, resource_fact_number(include->search), row, err);
	for (unsigned p = 0; p < fhir_r4.search_count; p++) {
		const struct fhir_search_def *search = &fhir_r4.searches[p];
		bool is_asked = search->type == FHIR_SEARCH_REFERENCE &&
				(include->source == FHIR_NONE || search->base == include->source);
		if (is_asked) TRY(referring_by(in, p, row, err));
	}
	return STATUS_OK;
}

static bool is_wanted(const struct fhir_search_include *include, const struct resource_candidate *candidate) {
	uint16_t type = include->is_reverse ? include->source : include->target;
	return type == FHIR_NONE || type == candidate->type;
}

static enum status add(
    struct including *in, struct resource_rows *added, const struct resource_candidate *candidate, struct err *err) {
	struct resource_page *page = in->page;
	struct resource_version version;
	uint32_t row = candidate->row;
	if (in->there.count >= INCLUDED_MAX + in->search->count)
		return err_set(err, STATUS_LIMIT,
		    "a page would include more than %u resources: ask for fewer matches with _count", INCLUDED_MAX);
	TRY(resource_load(in->question->reader, &version, in->question->arena, candidate->sequence, err));
	if (page->count >= in->capacity) {
		in->capacity = 2 * page->count + 32;
		struct resource_hit *hits = arena_alloc(in->question->arena, in->capacity * sizeof *hits);
		memcpy(hits, page->hits, page->count * sizeof *hits);
		page->hits = hits;
	}
	page->hits[page->count++] = (struct resource_hit){version, RESOURCE_INCLUDED};
	resource_rows_add(in->question->arena, added, row);
	return STATUS_OK;
}

/* One include of the given rows; what is new is added to the page, and to `added`. */
static enum status include_for(struct including *in, struct resource_rows *added, const struct resource_rows *rows,
    const struct fhir_search_include *include, struct err *err) {
	in->found.count = 0;
	for (size_t i = 0; i < rows->count; i++)
		TRY(include->is_reverse ? backward(in, include, rows->items[i], err)
					: forward(in, include, rows->items[i], err));
	resource_rows_sort(&in->found);
	size_t before = added->count;
	for (size_t i = 0; i < in->found.count; i++) {
		struct resource_candidate candidate;
		bool is_there;
		if (resource_rows_has(&in->there, in->found.items[i])) continue;
		TRY(resource_candidate_load(in->question, &is_there, &candidate, in->found.items[i], err));
		if (is_there && is_wanted(include, &candidate)) TRY(add(in, added, &candidate, err));
	}
	for (size_t i = before; i < added->count; i++)
		resource_rows_add(in->question->arena, &in->there, added->items[i]);
	resource_rows_sort(&in->there);
	return STATUS_OK;
}

enum status resource_includes_add(struct resource_question *question, struct resource_page *page,
    const struct resource_rows *matches, const struct fhir_search *search, struct err *err) {
	struct including in = {.question = question, .page = page, .search = search};
	struct resource_rows round = *matches;
	bool is_first = true;
	for (size_t i = 0; i < matches->count; i++) resource_rows_add(question->arena, &in.there, matches->items[i]);
	resource_rows_sort(&in.there);
	while (round.count && search->include_count) {
		struct resource_rows added = {0};
		for (size_t i = 0; i < search->include_count; i++)
			if (is_first || search->includes[i].is_iterated)
				TRY(include_for(&in, &added, &round, &search->includes[i], err));
		round = added;
		is_first = false;
	}
	return STATUS_OK;
}
