/* From criteria to conditions. */
#include "health/index/resource_condition.h"

#include <stdlib.h>

#include "health/fhir/search_units.h"

/* --- rows --- */

void resource_rows_add(struct arena *arena, struct resource_rows *rows, uint32_t row) {
	if (rows->count == rows->capacity) {
		size_t capacity = rows->capacity ? 2 * rows->capacity : 64;
		uint32_t *items = arena_alloc(arena, capacity * sizeof *items);
		if (rows->count) memcpy(items, rows->items, rows->count * sizeof *items);
		rows->items = items;
		rows->capacity = capacity;
	}
	rows->items[rows->count++] = row;
}

static int ascending(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

void resource_rows_sort(struct resource_rows *rows) {
	size_t kept = 0;
	if (rows->count) qsort(rows->items, rows->count, sizeof *rows->items, ascending);
	for (size_t i = 0; i < rows->count; i++)
		if (!kept || rows->items[kept - 1] != rows->items[i]) rows->items[kept++] = rows->items[i];
	rows->count = kept;
}

bool resource_rows_has(const struct resource_rows *rows, uint32_t row) {
	return rows->count && bsearch(&row, rows->items, rows->count, sizeof row, ascending);
}

enum status resource_spend(struct resource_question *question, uint64_t rows, struct err *err) {
	if (rows > question->budget)
		return err_set(err, STATUS_LIMIT,
		    "this search would look at too much: add a parameter that few resources meet, such as patient");
	question->budget -= rows;
	return STATUS_OK;
}

/* --- bytes of operands --- */

struct maker {
	struct resource_question *question;
	struct arena *arena;
	struct buf buf;
};

static struct bytes taken(struct maker *m) {
	struct bytes out = arena_dup(m->arena, buf_view(&m->buf));
	buf_clear(&m->buf);
	return out;
}

static struct bytes decimal(struct maker *m, struct fhir_decimal value) {
	resource_fact_put_decimal(&m->buf, value);
	return taken(m);
}

static struct bytes moment(struct maker *m, int64_t ms) {
	resource_fact_put_moment(&m->buf, ms);
	return taken(m);
}

static struct bytes digest_of(struct maker *m, struct bytes system) {
	resource_fact_put_digest(&m->buf, &m->question->resources->digest_key, system);
	struct bytes out = taken(m);
	return bytes_slice(out, 1, out.len - 1);
}

static struct bytes folded(struct maker *m, struct bytes text) {
	fhir_search_fold(&m->buf, text);
	struct bytes out = taken(m);
	return resource_fact_text(m->arena, out);
}

/* Is there a code system of the base definitions that has the code? Then elements without a system may mean it. */
static bool is_core_code(struct bytes system, struct bytes code) {
	for (size_t s = 0; s < fhir_r4.code_set_count; s++) {
		const struct fhir_code_set *set = &fhir_r4.code_sets[s];
		for (size_t g = 0; g < set->group_count; g++)
			if (bytes_equal(
				bytes_text(fhir_text(&fhir_r4, fhir_r4.code_groups[set->group_first + g].system)),
				system))
				return fhir_code_set_has(&fhir_r4, (uint16_t)s, &system, code) == FHIR_CODE_IN;
	}
	return false;
}

static void token_operand(struct maker *m, struct resource_operand *out) {
	const struct fhir_operand *said = out->said;
	out->text = resource_fact_text(m->arena, said->code);
	if (said->has_system && said->system.len) {
		out->digest = digest_of(m, said->system);
		out->is_core_code = is_core_code(said->system, said->code);
	}
}

static void number_operand(struct maker *m, struct resource_operand *out) {
	out->from = decimal(m, out->said->low);
	out->to = decimal(m, out->said->high);
	out->number = decimal(m, out->said->number);
}

/* In every unit of its dimension; in its own alone if the table does not have it. */
static void quantity_operand(struct maker *m, struct resource_operand *out) {
	const struct fhir_unit *first, *itself;
	const struct fhir_operand *said = out->said;
	size_t count;
	number_operand(m, out);
	if (said->has_system) out->digest = digest_of(m, said->system);
	bool is_ucum = said->has_system && bytes_equal(said->system, BYTES_LITERAL(FHIR_UCUM));
	if (!is_ucum || !fhir_units_of(&first, &count, &itself, said->code)) return;
	struct resource_unit_operand *units = arena_zalloc(m->arena, count, sizeof *units);
	out->units = units;
	for (size_t i = 0; i < count; i++) {
		struct fhir_decimal low, high, number;
		if (!fhir_unit_convert(&low, said->low, itself, &first[i]) ||
		    !fhir_unit_convert(&high, said->high, itself, &first[i]) ||
		    !fhir_unit_convert(&number, said->number, itself, &first[i]))
			continue;
		units[out->unit_count++] = (struct resource_unit_operand){
		    first[i].code, decimal(m, low), decimal(m, high), decimal(m, number)};
	}
}

/* The rows of what a reference may mean: an id alone, of every type that it may lead to. */
static enum status reference_operand(
    struct maker *m, struct resource_operand *out, const struct fhir_search_def *search, struct err *err) {
	const struct fhir_operand *said = out->said;
	struct fhir_list targets = fhir_list(&fhir_r4, search->targets);
	int64_t row;
	out->text = resource_fact_text(m->arena, said->text);
	if (!said->id.len) return STATUS_OK;
	for (size_t i = 0; i < (said->target != FHIR_NONE ? 1 : targets.count); i++) {
		struct resource_key key = {said->target != FHIR_NONE ? said->target : targets.items[i], said->id};
		TRY(resource_find(m->question->reader, &row, &key, err));
		if (row) resource_rows_add(m->arena, &out->rows, (uint32_t)row);
	}
	resource_rows_sort(&out->rows);
	return STATUS_OK;
}

/* A span of at most a day that ends behind the first moment (ap), or behind the last one (gt), begins no earlier. */
static int64_t since_of(const struct fhir_operand *said) {
	bool is_behind_last = said->prefix == FHIR_PREFIX_GT;
	int64_t end = is_behind_last ? said->moments.last_ms : said->moments.first_ms;
	return end < INT64_MIN + RESOURCE_FACT_SPAN_MS ? INT64_MIN : end - RESOURCE_FACT_SPAN_MS;
}

static enum status make_operand(struct maker *m, struct resource_operand *out, const struct fhir_operand *said,
    enum fhir_search_type type, const struct fhir_criterion *criterion, struct err *err) {
	out->said = said;
	if (criterion->modifier == FHIR_IDENTIFIER) type = FHIR_SEARCH_TOKEN;
	switch (type) {
	case FHIR_SEARCH_TOKEN: token_operand(m, out); return STATUS_OK;
	case FHIR_SEARCH_NUMBER: number_operand(m, out); return STATUS_OK;
	case FHIR_SEARCH_QUANTITY: quantity_operand(m, out); return STATUS_OK;
	case FHIR_SEARCH_STRING: out->text = folded(m, said->text); return STATUS_OK;
	case FHIR_SEARCH_URI: out->text = resource_fact_text(m->arena, said->text); return STATUS_OK;
	case FHIR_SEARCH_REFERENCE: return reference_operand(m, out, criterion->search, err);
	case FHIR_SEARCH_DATE:
		out->from = moment(m, said->moments.first_ms);
		out->to = moment(m, said->moments.last_ms);
		out->since = moment(m, since_of(said));
		return STATUS_OK;
	case FHIR_SEARCH_COMPOSITE: {
		struct fhir_list components = fhir_list(&fhir_r4, criterion->search->components);
		struct resource_operand *parts = arena_zalloc(m->arena, components.count / 2 + 1, sizeof *parts);
		out->parts = parts;
		for (size_t i = 0; i < components.count / 2; i++)
			TRY(make_operand(m, &parts[i], &said->parts[i], (enum fhir_search_type)components.items[2 * i],
			    criterion, err));
		return STATUS_OK;
	}
	case FHIR_SEARCH_SPECIAL: break;
	}
	return STATUS_OK;
}

/* --- ranges --- */

static void add_range(
    struct maker *m, struct resource_condition *out, size_t *capacity, struct bytes from, struct bytes to) {
	if (out->range_count == *capacity) {
		*capacity = *capacity ? 2 * *capacity : 4;
		struct resource_range *more = arena_alloc(m->arena, *capacity * sizeof *more);
		if (out->range_count) memcpy(more, out->ranges, out->range_count * sizeof *more);
		out->ranges = more;
	}
	out->ranges[out->range_count++] = (struct resource_range){from, to, false};
}

/* The first key behind all that begin with `prefix`. */
static struct bytes behind(struct arena *arena, struct bytes prefix) {
	struct bytes copy = arena_dup(arena, prefix);
	while (copy.len && copy.data[copy.len - 1] == 0xff) copy.len--;
	if (copy.len) ((uint8_t *)copy.data)[copy.len - 1]++;
	return copy;
}

static struct bytes joined(
    struct maker *m, unsigned parameter, struct bytes a, const char *zero_or_tag, struct bytes b) {
	resource_fact_put_parameter(&m->buf, parameter);
	buf_append(&m->buf, a);
	if (zero_or_tag) buf_byte(&m->buf, (uint8_t)*zero_or_tag);
	buf_append(&m->buf, b);
	return taken(m);
}

struct ranging {
	struct maker *maker;
	struct resource_condition *out;
	size_t capacity;
};
static const struct bytes nothing = {NULL, 0};

static void all_that_begin(struct ranging *r, struct bytes prefix) {
	add_range(r->maker, r->out, &r->capacity, prefix, behind(r->maker->arena, prefix));
}

/* From a value's bytes on, or up to and with them; empty: from the first, or to the last. */
static void between(struct ranging *r, struct bytes from, struct bytes to) {
	struct bytes low = joined(r->maker, r->out->parameter, from, NULL, nothing);
	struct bytes high = joined(r->maker, r->out->parameter, to, NULL, nothing);
	add_range(r->maker, r->out, &r->capacity, low, behind(r->maker->arena, high));
}

static void token_ranges(struct ranging *r, const struct resource_operand *operand) {
	struct maker *m = r->maker;
	static const char mark[] = {RESOURCE_FACT_NO_SYSTEM, RESOURCE_FACT_SYSTEM, RESOURCE_FACT_CODE_ELEMENT};
	const struct fhir_operand *said = operand->said;
	const char *tag = r->out->criterion->modifier == FHIR_IDENTIFIER ? "i" : NULL;
	resource_fact_put_parameter(&m->buf, r->out->parameter);
	if (tag) buf_byte(&m->buf, 'i');
	if (said->has_code) resource_fact_put_text(&m->buf, operand->text);
	struct bytes prefix = taken(m);
	if (said->has_code && operand->digest.len) {
		buf_append(&m->buf, prefix);
		buf_byte(&m->buf, (uint8_t)mark[RESOURCE_FACT_SYSTEM]);
		buf_append(&m->buf, operand->digest);
		all_that_begin(r, taken(m));
		if (!operand->is_core_code) return;
		buf_append(&m->buf, prefix);
		buf_byte(&m->buf, (uint8_t)mark[RESOURCE_FACT_CODE_ELEMENT]);
		prefix = taken(m);
	}
	all_that_begin(r, prefix);
}

static void string_ranges(struct ranging *r, const struct resource_operand *operand) {
	enum fhir_modifier modifier = r->out->criterion->modifier;
	bool is_whole = modifier == FHIR_WHOLE || modifier == FHIR_EXACT;
	if (modifier == FHIR_CONTAINS || modifier == FHIR_ENDS)
		between(r, nothing, nothing);
	else
		all_that_begin(r, joined(r->maker, r->out->parameter, operand->text, is_whole ? "" : NULL, nothing));
}

/* By the number alone; whoever reads a key looks at the rest. */
static void number_range(struct ranging *r, enum fhir_prefix prefix, struct bytes from, struct bytes to) {
	switch (prefix) {
	case FHIR_PREFIX_EQ:
	case FHIR_PREFIX_AP: between(r, from, to); return;
	case FHIR_PREFIX_LT:
	case FHIR_PREFIX_EB:
	case FHIR_PREFIX_LE: between(r, nothing, to); return;
	case FHIR_PREFIX_SA:
	case FHIR_PREFIX_GT:
	case FHIR_PREFIX_GE: between(r, from, nothing); return;
	case FHIR_PREFIX_NE: between(r, nothing, nothing); return;
	}
}

/* Spans of more than a day that last until `from` or longer. */
static void long_range(struct ranging *r, struct bytes from) {
	struct maker *m = r->maker;
	unsigned parameter = r->out->parameter | RESOURCE_FACT_LONG;
	struct bytes low = joined(m, parameter, from, NULL, nothing),
		     all = joined(m, parameter, nothing, NULL, nothing);
	add_range(m, r->out, &r->capacity, low, behind(m->arena, all));
	r->out->ranges[r->out->range_count - 1].is_long = true;
}

/* By the first moment. */
static void date_range(struct ranging *r, const struct resource_operand *operand) {
	switch (operand->said->prefix) {
	case FHIR_PREFIX_EQ: between(r, operand->from, operand->to); return;
	case FHIR_PREFIX_LT:
	case FHIR_PREFIX_EB:
	case FHIR_PREFIX_LE: between(r, nothing, operand->to); return;
	case FHIR_PREFIX_AP:
		between(r, operand->since, operand->to);
		long_range(r, operand->from);
		return;
	case FHIR_PREFIX_GT:
		between(r, operand->since, nothing);
		long_range(r, operand->to);
		return;
	case FHIR_PREFIX_GE:
		between(r, operand->since, nothing);
		long_range(r, operand->from);
		return;
	case FHIR_PREFIX_SA: between(r, operand->to, nothing); return;
	case FHIR_PREFIX_NE: between(r, nothing, nothing); return;
	}
}

static void quantity_ranges(struct ranging *r, const struct resource_operand *operand) {
	if (!operand->unit_count) number_range(r, operand->said->prefix, operand->from, operand->to);
	for (size_t i = 0; i < operand->unit_count; i++)
		number_range(r, operand->said->prefix, operand->units[i].from, operand->units[i].to);
}

static void reference_ranges(struct ranging *r, const struct resource_operand *operand) {
	for (size_t i = 0; i < operand->rows.count; i++) {
		resource_fact_put_row(&r->maker->buf, operand->rows.items[i]);
		struct bytes row = taken(r->maker);
		all_that_begin(r, joined(r->maker, r->out->parameter, nothing, "r", row));
	}
	if (operand->text.len) all_that_begin(r, joined(r->maker, r->out->parameter, nothing, "u", operand->text));
}

/* ":above" of "http://x/a/b" is it, "http://x/a" and "http://x". */
static void uri_ranges(struct ranging *r, const struct resource_operand *operand) {
	bool is_above = r->out->criterion->modifier == FHIR_ABOVE;
	for (size_t len = operand->text.len; len > 0; len--) {
		bool is_end = len == operand->text.len || operand->text.data[len] == '/';
		struct bytes path = bytes_slice(operand->text, 0, len);
		if (is_end) all_that_begin(r, joined(r->maker, r->out->parameter, path, is_above ? "" : NULL, nothing));
		if (!is_above) return;
	}
}

static void make_ranges(struct ranging *r, const struct resource_operand *operand, enum fhir_search_type type) {
	if (r->out->criterion->modifier == FHIR_IDENTIFIER) type = FHIR_SEARCH_TOKEN;
	switch (type) {
	case FHIR_SEARCH_TOKEN: token_ranges(r, operand); return;
	case FHIR_SEARCH_STRING: string_ranges(r, operand); return;
	case FHIR_SEARCH_DATE: date_range(r, operand); return;
	case FHIR_SEARCH_NUMBER: number_range(r, operand->said->prefix, operand->from, operand->to); return;
	case FHIR_SEARCH_QUANTITY: quantity_ranges(r, operand); return;
	case FHIR_SEARCH_REFERENCE: reference_ranges(r, operand); return;
	case FHIR_SEARCH_URI: uri_ranges(r, operand); return;
	case FHIR_SEARCH_COMPOSITE: {
		struct fhir_list components = fhir_list(&fhir_r4, r->out->criterion->search->components);
		make_ranges(r, &operand->parts[0], (enum fhir_search_type)components.items[0]);
		return;
	}
	case FHIR_SEARCH_SPECIAL: return;
	}
}

/* --- criteria --- */

static enum status make(
    struct maker *m, struct resource_condition **out, const struct fhir_criterion *criterion, struct err *err);

static struct resource_condition *node(struct maker *m, enum resource_condition_kind kind, uint16_t type) {
	struct resource_condition *out = arena_zalloc(m->arena, 1, sizeof *out);
	out->kind = kind;
	out->type = type;
	return out;
}

static enum status make_children(
    struct maker *m, struct resource_condition *out, const struct fhir_criterion *children, struct err *err) {
	struct resource_condition **last = &out->children;
	for (const struct fhir_criterion *child = children; child; child = child->next) {
		TRY(make(m, last, child, err));
		last = &(*last)->next;
	}
	return STATUS_OK;
}

static enum status make_value(
    struct maker *m, struct resource_condition *out, const struct fhir_criterion *criterion, struct err *err) {
	struct resource_operand *operands = arena_zalloc(m->arena, criterion->operand_count + 1, sizeof *operands);
	struct ranging ranging = {m, out, 0};
	enum fhir_search_type type = (enum fhir_search_type)criterion->search->type;
	out->parameter = resource_fact_number(criterion->search);
	out->criterion = criterion;
	out->operands = operands;
	out->is_deep = criterion->modifier == FHIR_EXACT || criterion->modifier == FHIR_DISPLAY ||
		       criterion->modifier == FHIR_OF_TYPE;
	if (criterion->modifier == FHIR_DISPLAY) return STATUS_OK; /* facts have no displays */
	for (size_t i = 0; i < criterion->operand_count; i++) {
		TRY(make_operand(m, &operands[i], &criterion->operands[i], type, criterion, err));
		make_ranges(&ranging, &operands[i], type);
	}
	return STATUS_OK;
}

static enum status make_ids(
    struct maker *m, struct resource_condition *out, const struct fhir_criterion *criterion, struct err *err) {
	for (size_t i = 0; i < criterion->operand_count; i++)
		for (uint16_t type = 0; type < fhir_r4.type_count; type++) {
			struct resource_key key = {type, criterion->operands[i].text};
			int64_t row = 0;
			bool is_asked = criterion->type == FHIR_NONE ? fhir_r4.types[type].kind == FHIR_KIND_RESOURCE
								     : type == criterion->type;
			if (is_asked) TRY(resource_find(m->question->reader, &row, &key, err));
			if (row) resource_rows_add(m->arena, &out->rows, (uint32_t)row);
		}
	resource_rows_sort(&out->rows);
	return STATUS_OK;
}

/* The rows that a resource's references by one parameter lead to. */
struct leading {
	struct arena *arena;
	unsigned parameter;
	struct resource_rows *out;
};

static bool lead(void *context, const struct resource_candidate *candidate) {
	struct leading *leading = context;
	struct bytes facts = candidate->facts, key;
	while (resource_fact_next(&key, &facts)) {
		unsigned parameter = (unsigned)(key.data[0] << 8 | key.data[1]);
		if (parameter > leading->parameter) break;
		if (parameter == leading->parameter && key.len == 7 && key.data[2] == 'r')
			resource_rows_add(leading->arena, leading->out, load_be32(key.data + 3));
	}
	return true;
}

/* What every resource that meets `condition` refers to. */
static enum status make_leads(struct maker *m, struct resource_condition *out,
    const struct resource_condition *condition, const uint16_t type, const struct fhir_search_def *search,
    struct err *err) {
	struct leading leading = {m->arena, resource_fact_number(search), &out->rows};
	struct resource_find find = {.condition = condition,
	    .types = &type,
	    .type_count = 1,
	    .limit = SIZE_MAX,
	    .snapshot = INT64_MAX,
	    .visit = lead,
	    .context = &leading};
	struct resource_rows none = {0};
	TRY(resource_find_all(m->question, &none, &find, err));
	resource_rows_sort(&out->rows);
	return STATUS_OK;
}

static enum status make_listed(
    struct maker *m, struct resource_condition *out, const struct fhir_criterion *criterion, struct err *err) {
	uint16_t list = fhir_definitions_type(&fhir_r4, BYTES_LITERAL("List"));
	struct resource_key key = {list, criterion->operands->text};
	struct resource_condition *itself = node(m, RESOURCE_ROWS, list);
	int64_t row;
	TRY(resource_find(m->question->reader, &row, &key, err));
	if (row) resource_rows_add(m->arena, &itself->rows, (uint32_t)row);
	return make_leads(m, out, itself, list, fhir_search_find(&fhir_r4, list, BYTES_LITERAL("item")), err);
}

/* The resources that its references lead to, each type by its own criterion; then it is a reference to one of them. */
static enum status make_chain(
    struct maker *m, struct resource_condition *out, const struct fhir_criterion *criterion, struct err *err) {
	struct resource_operand *operand = arena_zalloc(m->arena, 1, sizeof *operand);
	struct fhir_operand *said = arena_zalloc(m->arena, 1, sizeof *said);
	struct fhir_criterion *plain = arena_zalloc(m->arena, 1, sizeof *plain);
	struct ranging ranging = {m, out, 0};
	for (const struct fhir_criterion *child = criterion->children; child; child = child->next) {
		struct resource_condition *condition;
		TRY(make(m, &condition, child, err));
		struct resource_find find = {.condition = condition,
		    .types = &child->type,
		    .type_count = 1,
		    .limit = SIZE_MAX,
		    .snapshot = INT64_MAX};
		TRY(resource_find_all(m->question, &operand->rows, &find, err));
	}
	resource_rows_sort(&operand->rows);
	*plain = (struct fhir_criterion){.kind = FHIR_MATCH,
	    .type = criterion->type,
	    .search = criterion->search,
	    .operands = said,
	    .operand_count = 1};
	operand->said = said;
	out->parameter = resource_fact_number(criterion->search);
	out->criterion = plain;
	out->operands = operand;
	reference_ranges(&ranging, operand);
	return STATUS_OK;
}

static enum status make(
    struct maker *m, struct resource_condition **out, const struct fhir_criterion *criterion, struct err *err) {
	static const enum resource_condition_kind kinds[] = {[FHIR_MATCH] = RESOURCE_VALUE,
	    [FHIR_PRESENT] = RESOURCE_VALUE,
	    [FHIR_CHAIN] = RESOURCE_VALUE,
	    [FHIR_HAS] = RESOURCE_ROWS,
	    [FHIR_ALL] = RESOURCE_ALL_OF,
	    [FHIR_ANY] = RESOURCE_ANY_OF,
	    [FHIR_NOT] = RESOURCE_NONE_OF,
	    [FHIR_IDS] = RESOURCE_ROWS,
	    [FHIR_LISTED] = RESOURCE_ROWS,
	    [FHIR_NARRATIVE] = RESOURCE_ROWS,
	    [FHIR_WORDS] = RESOURCE_ROWS};
	struct resource_condition *condition = node(m, kinds[criterion->kind], criterion->type), *inner;
	*out = condition;
	switch (criterion->kind) {
	case FHIR_MATCH: return make_value(m, condition, criterion, err);
	case FHIR_PRESENT: condition->parameter = resource_fact_number(criterion->search); return STATUS_OK;
	case FHIR_CHAIN: return make_chain(m, condition, criterion, err);
	case FHIR_HAS:
		TRY(make(m, &inner, criterion->children, err));
		return make_leads(m, condition, inner, criterion->other, criterion->search, err);
	case FHIR_ALL:
	case FHIR_ANY:
	case FHIR_NOT: return make_children(m, condition, criterion->children, err);
	case FHIR_IDS: return make_ids(m, condition, criterion, err);
	case FHIR_LISTED: return make_listed(m, condition, criterion, err);
	case FHIR_NARRATIVE:
	case FHIR_WORDS: return resource_words_find(m->question, &condition->rows, criterion, err);
	}
	return STATUS_OK;
}

enum status resource_conditions_make(struct resource_question *question, struct resource_condition **out,
    const struct fhir_criterion *criteria, struct err *err) {
	struct maker m = {.question = question, .arena = question->arena};
	buf_init(&m.buf, BUF_MAX_DEFAULT);
	*out = node(&m, RESOURCE_ALL_OF, FHIR_NONE);
	enum status status = make_children(&m, *out, criteria, err);
	buf_fini(&m.buf);
	return status;
}
