#include "health/fhir/search_query.h"

#include "health/fhir/search_criteria.h"

#define ITEMS_MAX 64u /* sorts, includes, elements */

/* A query at work. */
struct query_reader {
	struct fhir_search_reader reader;
	struct fhir_search *out;
	struct fhir_criterion **last;
	const struct http_query *query;
	struct http_query_item *used;
	struct fhir_search_sort *sorts;
	struct fhir_search_include *includes;
	struct bytes *elements;
	uint16_t *types;
};
/* What became of a parameter. */
enum taking { TAKEN, LEFT_OUT, REFUSED };

static bool is(struct bytes text, const char *word) {
	return bytes_equal(text, bytes_text(word));
}

static enum taking refuse(
    struct query_reader *q, enum fhir_issue_code code, const struct http_query_item *item, const char *why) {
	fhir_search_refuse(&q->reader, code, item->name, "%s", why);
	return REFUSED;
}

/* An unknown name: strict handling refuses it, lenient handling goes on without it (search.html#errors). */
static enum taking unknown(struct query_reader *q, const struct http_query_item *item, const char *why) {
	if (q->reader.settings->is_strict) return refuse(q, FHIR_ISSUE_NOT_SUPPORTED, item, why);
	fhir_issues_add(q->reader.issues, FHIR_WARNING, FHIR_ISSUE_NOT_SUPPORTED,
	    arena_strdup(q->reader.arena, item->name), arena_printf(q->reader.arena, "left out: %s", why));
	return LEFT_OUT;
}

/* --- what a page shows --- */

static enum taking take_count(struct query_reader *q, const struct http_query_item *item) {
	uint32_t count = 0;
	bool is_number = item->value.len > 0 && item->value.len < 10;
	for (size_t i = 0; i < item->value.len && is_number; i++) {
		is_number = item->value.data[i] >= '0' && item->value.data[i] <= '9';
		count = 10 * count + item->value.data[i] - '0';
	}
	if (!is_number) return refuse(q, FHIR_ISSUE_VALUE, item, "_count is a number from 0 on");
	q->out->count = count < FHIR_SEARCH_COUNT_MAX ? count : FHIR_SEARCH_COUNT_MAX;
	return TAKEN;
}

/* One of some words; its place in `words`, or -1. */
static int word_of(struct bytes value, const char *const *words) {
	for (int i = 0; words[i]; i++)
		if (is(value, words[i])) return i;
	return -1;
}

static enum taking take_total(struct query_reader *q, const struct http_query_item *item) {
	static const char *const words[] = {"none", "estimate", "accurate", NULL};
	int word = word_of(item->value, words);
	if (word < 0) return refuse(q, FHIR_ISSUE_VALUE, item, "_total is none, estimate or accurate");
	q->out->total = (enum fhir_search_total)word;
	return TAKEN;
}

static enum taking take_summary(struct query_reader *q, const struct http_query_item *item) {
	static const char *const words[] = {"false", "true", "text", "data", "count", NULL};
	int word = word_of(item->value, words);
	if (word < 0) return refuse(q, FHIR_ISSUE_VALUE, item, "_summary is true, false, text, data or count");
	q->out->summary = (enum fhir_search_summary)word;
	return TAKEN;
}

static enum taking take_elements(struct query_reader *q, const struct http_query_item *item) {
	struct bytes rest = item->value;
	while (rest.data && q->out->element_count < ITEMS_MAX) {
		struct bytes name = fhir_search_cut(&rest, ',');
		if (name.len) q->elements[q->out->element_count++] = name;
	}
	return rest.data ? refuse(q, FHIR_ISSUE_TOO_COSTLY, item, "_elements names too many elements") : TAKEN;
}

/* The parameter of every type that is searched for; NULL if one has none. */
static const struct fhir_search_def *common(const struct query_reader *q, struct bytes code) {
	const struct fhir_search *out = q->out;
	if (!out->type_count) return fhir_search_of(out->defs, FHIR_NONE, code);
	const struct fhir_search_def *first = fhir_search_of(out->defs, out->types[0], code);
	for (size_t i = 1; i < out->type_count && first; i++)
		if (fhir_search_of(out->defs, out->types[i], code) != first) first = NULL;
	return first;
}

static enum taking take_sort(struct query_reader *q, const struct http_query_item *item) {
	struct bytes rest = item->value;
	while (rest.data) {
		struct bytes code = fhir_search_cut(&rest, ',');
		bool descending = code.len && code.data[0] == '-';
		if (descending) code = bytes_slice(code, 1, code.len);
		const struct fhir_search_def *search = common(q, code);
		bool is_ordered = search && search->type != FHIR_SEARCH_COMPOSITE &&
				  search->type != FHIR_SEARCH_SPECIAL && *fhir_text(q->out->defs, search->expression);
		if (!is_ordered)
			return refuse(q, FHIR_ISSUE_NOT_SUPPORTED, item,
			    "it sorts by what is no parameter of this type, or has no order: name one such as _lastUpdated");
		if (q->out->sort_count == ITEMS_MAX)
			return refuse(q, FHIR_ISSUE_TOO_COSTLY, item, "it sorts by too many parameters");
		q->sorts[q->out->sort_count++] = (struct fhir_search_sort){search, descending};
	}
	return TAKEN;
}

/* "Observation:subject:Patient", "Observation:*", "*" */
static enum taking take_include(struct query_reader *q, const struct http_query_item *item, bool is_reverse) {
	const struct fhir_definitions *defs = q->out->defs;
	static const char wrong[] =
	    "write Type:parameter or Type:parameter:TargetType; the parameter is a reference, or *";
	struct fhir_search_include include = {.source = FHIR_NONE, .target = FHIR_NONE, .is_reverse = is_reverse};
	const uint8_t *colon = memchr(item->name.data, ':', item->name.len);
	struct bytes modifier = {NULL, 0}, rest = item->value;
	if (colon) modifier = bytes_make(colon + 1, (size_t)(item->name.data + item->name.len - colon - 1));
	include.is_iterated = is(modifier, "iterate") || is(modifier, "recurse");
	if (colon && !include.is_iterated)
		return refuse(q, FHIR_ISSUE_INVALID, item, "the modifier of an include is :iterate: leave it out");
	struct bytes source = fhir_search_cut(&rest, ':');
	if (!is(source, "*")) {
		struct bytes code = rest.data ? fhir_search_cut(&rest, ':') : rest;
		include.source = fhir_definitions_resource(defs, source);
		if (include.source == FHIR_NONE || !code.len) return refuse(q, FHIR_ISSUE_INVALID, item, wrong);
		if (!is(code, "*")) {
			include.search = fhir_search_of(defs, include.source, code);
			if (!include.search || include.search->type != FHIR_SEARCH_REFERENCE)
				return refuse(q, FHIR_ISSUE_INVALID, item, wrong);
		}
	}
	if (rest.data) {
		include.target = fhir_definitions_resource(defs, rest);
		if (include.target == FHIR_NONE) return refuse(q, FHIR_ISSUE_INVALID, item, wrong);
	}
	if (q->out->include_count == ITEMS_MAX) return refuse(q, FHIR_ISSUE_TOO_COSTLY, item, "too many includes");
	q->includes[q->out->include_count++] = include;
	return TAKEN;
}

static enum taking take_contained(struct query_reader *q, const struct http_query_item *item) {
	if (is(item->value, "false")) return TAKEN;
	return refuse(q, FHIR_ISSUE_NOT_SUPPORTED, item,
	    "this server finds resources, and not what they contain: leave it out, or say false");
}

static struct bytes plain_name(struct bytes name) {
	const uint8_t *colon = memchr(name.data, ':', name.len);
	return colon ? bytes_slice(name, 0, (size_t)(colon - name.data)) : name;
}

/* Parameters of the result. *known false: it is none of these. */
static enum taking take_result(struct query_reader *q, const struct http_query_item *item, bool *known) {
	*known = true;
	if (is(item->name, "_count")) return take_count(q, item);
	if (is(item->name, "_total")) return take_total(q, item);
	if (is(item->name, "_summary")) return take_summary(q, item);
	if (is(item->name, "_elements")) return take_elements(q, item);
	if (is(item->name, "_sort")) return take_sort(q, item);
	if (is(item->name, "_contained") || is(item->name, "_containedType")) return take_contained(q, item);
	if (is(plain_name(item->name), "_include")) return take_include(q, item, false);
	if (is(plain_name(item->name), "_revinclude")) return take_include(q, item, true);
	if (is(item->name, "_format") || is(item->name, "_pretty")) return TAKEN;
	if (is(item->name, "_type"))
		return q->reader.settings->type == FHIR_NONE ? TAKEN
							     : unknown(q, item, "the path names the type already");
	if (is(item->name, "cursor")) {
		q->out->cursor = item->value;
		return LEFT_OUT;
	}
	*known = false;
	return LEFT_OUT;
}

/* --- criteria --- */

static void require(struct query_reader *q, struct fhir_criterion *node) {
	q->last = fhir_search_add(q->last, node);
}

/* One parameter asked of several types, each with a definition of its own. */
static struct fhir_criterion *of_each_type(struct query_reader *q, const struct http_query_item *item) {
	struct fhir_search_leaf leaf = {item->name, item->value, NULL};
	struct fhir_criterion *any = fhir_search_node(&q->reader, item->name, FHIR_ANY, FHIR_NONE), **last;
	if (!any) return NULL;
	last = &any->children;
	for (size_t i = 0; i < q->out->type_count; i++) {
		struct fhir_criterion *node = fhir_search_criterion(&q->reader, q->out->types[i], item->name, &leaf, 0);
		struct fhir_criterion *of =
		    node ? fhir_search_node(&q->reader, item->name, FHIR_ALL, q->out->types[i]) : NULL;
		if (!of) return NULL;
		of->children = node; /* asked of this type alone */
		last = fhir_search_add(last, of);
	}
	return any;
}

static bool every_type_has(const struct query_reader *q, struct bytes name) {
	const struct fhir_search *out = q->out;
	if (!out->type_count) return fhir_search_names(out->defs, FHIR_NONE, name);
	for (size_t i = 0; i < out->type_count; i++)
		if (!fhir_search_names(out->defs, out->types[i], name)) return false;
	return true;
}

static enum taking take_criterion(struct query_reader *q, const struct http_query_item *item) {
	struct fhir_search_leaf leaf = {item->name, item->value, NULL};
	if (!every_type_has(q, item->name))
		return unknown(q, item, "there is no such search parameter here; the CapabilityStatement lists them");
	if (!item->value.len) return unknown(q, item, "it has no value");
	struct fhir_criterion *node =
	    q->out->type_count > 1 ? of_each_type(q, item)
				   : fhir_search_criterion(&q->reader,
					 q->out->type_count ? q->out->types[0] : FHIR_NONE, item->name, &leaf, 0);
	if (!node) return REFUSED;
	require(q, node);
	return TAKEN;
}

/* --- types and compartments --- */

static bool take_types(struct query_reader *q) {
	const struct fhir_search_settings *settings = q->reader.settings;
	struct bytes rest = http_query_get(q->query, "_type");
	q->types = arena_alloc(q->reader.arena, (q->out->defs->type_count + 1) * sizeof *q->types);
	q->out->types = q->types;
	if (settings->type != FHIR_NONE) q->types[q->out->type_count++] = settings->type;
	while (settings->type == FHIR_NONE && rest.data) {
		uint16_t type = fhir_definitions_resource(q->out->defs, fhir_search_cut(&rest, ','));
		if (type == FHIR_NONE)
			return fhir_search_refuse(&q->reader, FHIR_ISSUE_VALUE, BYTES_LITERAL("_type"),
			    "it names what is no type of resource of FHIR R4");
		bool is_there = false;
		for (size_t i = 0; i < q->out->type_count; i++) is_there |= q->types[i] == type;
		if (!is_there) q->types[q->out->type_count++] = type;
	}
	return true;
}

/* A reference by one of a compartment's parameters to its owner. */
static struct fhir_criterion *member(struct query_reader *q, uint16_t type, struct bytes code) {
	const struct fhir_search_settings *settings = q->reader.settings;
	bool is_itself = is(code, "{def}");
	struct fhir_criterion *node = fhir_search_node(&q->reader, code, is_itself ? FHIR_IDS : FHIR_MATCH, type);
	struct fhir_operand *operand = arena_zalloc(q->reader.arena, 1, sizeof *operand);
	if (!node) return NULL;
	*operand = (struct fhir_operand){.target = settings->compartment,
	    .id = settings->compartment_id,
	    .text = is_itself ? settings->compartment_id : (struct bytes){NULL, 0}};
	node->search = is_itself ? NULL : fhir_search_of(q->out->defs, type, code);
	node->operands = operand;
	node->operand_count = 1;
	return node;
}

static bool add_members(struct query_reader *q, struct fhir_criterion ***last, uint16_t type) {
	struct fhir_list codes;
	if (type == q->reader.settings->compartment) { /* it is in its own */
		struct fhir_criterion *itself = member(q, type, BYTES_LITERAL("{def}"));
		if (!itself) return false;
		*last = fhir_search_add(*last, itself);
	}
	if (!fhir_compartment_find(q->out->defs, &codes, q->reader.settings->compartment, type)) return true;
	for (size_t i = 0; i < codes.count; i++) {
		struct fhir_criterion *node = member(q, type, bytes_text(fhir_text(q->out->defs, codes.items[i])));
		if (!node) return false;
		if (node->kind == FHIR_MATCH && !node->search) continue;
		struct fhir_criterion *of = fhir_search_node(&q->reader, (struct bytes){NULL, 0}, FHIR_ALL, type);
		if (!of) return false;
		of->children = node;
		*last = fhir_search_add(*last, of);
	}
	return true;
}

static bool take_compartment(struct query_reader *q) {
	if (q->reader.settings->compartment == FHIR_NONE) return true;
	struct fhir_criterion *any = fhir_search_node(&q->reader, (struct bytes){NULL, 0}, FHIR_ANY, FHIR_NONE), **last;
	if (!any) return false;
	last = &any->children;
	for (size_t i = 0; i < q->out->type_count; i++)
		if (!add_members(q, &last, q->out->types[i])) return false;
	for (uint16_t type = 0; !q->out->type_count && type < q->out->defs->type_count; type++)
		if (!add_members(q, &last, type)) return false;
	require(q, any); /* without children it is met by nothing */
	return true;
}

/* --- the whole --- */

static bool take_all(struct query_reader *q) {
	bool good = take_types(q) && take_compartment(q);
	for (size_t i = 0; i < q->query->count && good; i++) {
		const struct http_query_item *item = &q->query->items[i];
		bool is_known;
		enum taking taking = take_result(q, item, &is_known);
		if (!is_known) taking = take_criterion(q, item);
		if (taking == TAKEN) q->used[q->out->used_count++] = *item;
		good = taking != REFUSED && !q->reader.issues->has_error;
	}
	return good;
}

enum status fhir_search_read(struct fhir_search **out, struct arena *arena, const struct fhir_search_settings *settings,
    const struct http_query *query, struct fhir_issues *issues) {
	struct fhir_search *search = arena_zalloc(arena, 1, sizeof *search);
	struct query_reader q = {
	    .reader = {.settings = settings, .defs = settings->defs, .arena = arena, .issues = issues},
	    .out = search,
	    .query = query,
	    .last = (struct fhir_criterion **)&search->criteria};
	q.used = arena_zalloc(arena, query->count + 1, sizeof *q.used);
	q.sorts = arena_zalloc(arena, ITEMS_MAX, sizeof *q.sorts);
	q.includes = arena_zalloc(arena, ITEMS_MAX, sizeof *q.includes);
	q.elements = arena_zalloc(arena, ITEMS_MAX, sizeof *q.elements);
	*search = (struct fhir_search){.defs = settings->defs,
	    .compartment = settings->compartment,
	    .compartment_id = settings->compartment_id,
	    .count = FHIR_SEARCH_COUNT_DEFAULT,
	    .used = q.used,
	    .sorts = q.sorts,
	    .includes = q.includes,
	    .elements = q.elements};
	if (!take_all(&q)) return STATUS_INVALID;
	if (search->summary == FHIR_SUMMARY_COUNT) search->count = 0;
	if (!search->count) search->total = FHIR_TOTAL_ACCURATE;
	*out = search;
	return STATUS_OK;
}

void fhir_search_write(struct buf *out, const struct fhir_search *search) {
	for (size_t i = 0; i < search->used_count; i++) {
		if (i) buf_text(out, "&");
		http_percent_encode(out, search->used[i].name);
		buf_text(out, "=");
		http_percent_encode(out, search->used[i].value);
	}
}
