/*
 * Random searches over HL7's examples and Synthea's resources, beside a plain model that scans everything and compares
 * what search parameters say, without keys, postings or SQL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/files.h"
#include "base/utf8.h"
#include "health/fhir/search_units.h"
#include "health/index/resource_condition.h"
#include "tests/unit.h"
#include "tests/vectors.h"

#define RESOURCES_MAX 4000u
#define QUERIES 1500u

struct entry {
	struct resource_key key;
	const struct json *tree;
};
static struct entry entries[RESOURCES_MAX];
static size_t entry_count;
static struct fhir_searcher *searcher;
static struct arena arena;
static uint64_t random_state = 88172645463325252ull;

static uint64_t random_below(uint64_t bound) {
	random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
	return random_state % bound;
}

static struct entry *find_entry(uint16_t type, struct bytes id) {
	for (size_t i = 0; i < entry_count; i++)
		if (entries[i].key.type == type && bytes_equal(entries[i].key.id, id)) return &entries[i];
	return NULL;
}

static bool has_searches(uint16_t type) {
	for (size_t i = 0; i < fhir_r4.search_count; i++)
		if (fhir_r4.searches[i].base == type) return true;
	return false;
}

static void add_resource(struct bytes text) {
	const struct json *tree;
	if (entry_count == RESOURCES_MAX || json_parse(&tree, &arena, text, NULL, NULL) != STATUS_OK) return;
	uint16_t type = fhir_definitions_resource(&fhir_r4, json_string(json_get(tree, "resourceType")));
	struct bytes id = json_string(json_get(tree, "id"));
	bool is_new = type != FHIR_NONE && id.len && has_searches(type) && !find_entry(type, id);
	if (is_new) entries[entry_count++] = (struct entry){{type, id}, tree};
}

static void add_example(void *context, const char *path) {
	(void)context;
	add_resource(vectors_parse(&arena, path)->raw);
}

/* Up to 60 lines of each file: resources of one type. */
static void add_lines(void *context, const char *path) {
	struct buf text;
	(void)context;
	buf_init(&text, BUF_MAX_DEFAULT);
	assert_int_equal(files_read(&text, path, NULL), STATUS_OK);
	struct bytes all = arena_dup(&arena, buf_view(&text));
	buf_fini(&text);
	for (size_t from = 0, lines = 0; from < all.len && lines < 60; lines++) {
		const uint8_t *end = memchr(all.data + from, '\n', all.len - from);
		size_t len = end ? (size_t)(end - all.data) - from : all.len - from;
		add_resource(bytes_slice(all, from, len));
		from += len + 1;
	}
}

/* --- the model --- */

struct value_list {
	struct fhir_search_value items[400];
	size_t count;
	const struct fhir_search_def *search;
};

static struct bytes copy(struct bytes text) {
	return arena_dup(&arena, text);
}

static void keep_value(void *context, const struct fhir_search_def *search, const struct fhir_search_value *value) {
	struct value_list *list = context;
	if (search != list->search || list->count == 400) return;
	struct fhir_search_value kept = *value;
	kept.system = copy(value->system), kept.code = copy(value->code), kept.text = copy(value->text);
	kept.unit = copy(value->unit), kept.type_system = copy(value->type_system),
	kept.type_code = copy(value->type_code);
	list->items[list->count++] = kept;
}

static void values_of(struct value_list *out, const struct entry *entry, const struct fhir_search_def *search) {
	*out = (struct value_list){.search = search};
	assert_int_equal(fhir_search_values_of(searcher, entry->tree, search, keep_value, out, NULL), STATUS_OK);
}

static struct bytes fold(struct bytes text) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	fhir_search_fold(&out, text);
	struct bytes folded = copy(buf_view(&out));
	buf_fini(&out);
	return folded;
}

static bool starts(struct bytes text, struct bytes with) {
	return text.len >= with.len && bytes_equal(bytes_slice(text, 0, with.len), with);
}

static bool contains(struct bytes text, struct bytes part) {
	for (size_t at = 0; at + part.len <= text.len; at++)
		if (bytes_equal(bytes_slice(text, at, part.len), part)) return true;
	return false;
}

static bool core_has(struct bytes system, struct bytes code) {
	for (uint16_t s = 0; s < fhir_r4.code_set_count; s++)
		for (size_t g = 0; g < fhir_r4.code_sets[s].group_count; g++) {
			const struct fhir_code_group *group =
			    &fhir_r4.code_groups[fhir_r4.code_sets[s].group_first + g];
			if (!bytes_equal(bytes_text(fhir_text(&fhir_r4, group->system)), system)) continue;
			for (uint16_t c = 0; c < group->code_count; c++)
				if (bytes_equal(
					bytes_text(fhir_text(&fhir_r4, fhir_r4.codes[group->code_first + c])), code))
					return true;
		}
	return false;
}

static bool token_fits(const struct fhir_operand *operand, const struct fhir_search_value *value) {
	if (!value->code.len && !value->system.len) return false;
	if (operand->has_code && !bytes_equal(operand->code, value->code)) return false;
	if (!operand->has_system) return true;
	if (bytes_equal(operand->system, value->system)) return true;
	return value->is_code && operand->system.len && core_has(operand->system, operand->code);
}

static bool date_fits(const struct fhir_operand *operand, const struct fhir_moments *value) {
	const struct fhir_moments *asked = &operand->moments;
	bool within = value->first_ms >= asked->first_ms && value->last_ms <= asked->last_ms;
	switch (operand->prefix) {
	case FHIR_PREFIX_EQ: return within;
	case FHIR_PREFIX_NE: return !within;
	case FHIR_PREFIX_GT: return value->last_ms > asked->last_ms;
	case FHIR_PREFIX_LT: return value->first_ms < asked->first_ms;
	case FHIR_PREFIX_GE: return within || value->last_ms > asked->last_ms;
	case FHIR_PREFIX_LE: return within || value->first_ms < asked->first_ms;
	case FHIR_PREFIX_SA: return value->first_ms > asked->last_ms;
	case FHIR_PREFIX_EB: return value->last_ms < asked->first_ms;
	case FHIR_PREFIX_AP: return value->first_ms <= asked->last_ms && value->last_ms >= asked->first_ms;
	}
	return false;
}

static bool number_fits(const struct fhir_operand *operand, struct fhir_decimal value) {
	bool within = fhir_decimal_compare(value, operand->low) >= 0 && fhir_decimal_compare(value, operand->high) < 0;
	int order = fhir_decimal_compare(value, operand->number);
	switch (operand->prefix) {
	case FHIR_PREFIX_EQ:
	case FHIR_PREFIX_AP: return within;
	case FHIR_PREFIX_NE: return !within;
	case FHIR_PREFIX_GT:
	case FHIR_PREFIX_SA: return order > 0;
	case FHIR_PREFIX_LT:
	case FHIR_PREFIX_EB: return order < 0;
	case FHIR_PREFIX_GE: return order >= 0;
	case FHIR_PREFIX_LE: return order <= 0;
	}
	return false;
}

static bool quantity_fits(const struct fhir_operand *operand, const struct fhir_search_value *value) {
	const struct fhir_unit *first, *asked, *said;
	size_t count;
	struct fhir_operand scaled = *operand;
	if (operand->has_system && !bytes_equal(operand->system, value->system)) return false;
	if (operand->has_system && bytes_equal(operand->system, BYTES_LITERAL(FHIR_UCUM)) &&
	    fhir_units_of(&first, &count, &asked, operand->code)) {
		if (!fhir_units_of(&first, &count, &said, value->code) || said->dimension != asked->dimension)
			return false;
		return fhir_unit_convert(&scaled.low, operand->low, asked, said) &&
		       fhir_unit_convert(&scaled.high, operand->high, asked, said) &&
		       fhir_unit_convert(&scaled.number, operand->number, asked, said) &&
		       number_fits(&scaled, value->number);
	}
	bool is_unit = !operand->has_system && bytes_equal(operand->code, value->unit);
	if (operand->has_code && !bytes_equal(operand->code, value->code) && !is_unit) return false;
	return number_fits(operand, value->number);
}

/* "Patient/1", with or without a version. */
static bool key_of(struct resource_key *out, const struct fhir_search_value *value) {
	const uint8_t *slash = value->text.len ? memchr(value->text.data, '/', value->text.len) : NULL;
	if (!slash) return false;
	out->type =
	    fhir_definitions_resource(&fhir_r4, bytes_make(value->text.data, (size_t)(slash - value->text.data)));
	out->id = bytes_make(slash + 1, (size_t)(value->text.data + value->text.len - slash) - 1);
	const uint8_t *end = out->id.len ? memchr(out->id.data, '/', out->id.len) : NULL;
	if (end) out->id.len = (size_t)(end - out->id.data);
	return out->type != FHIR_NONE;
}

static struct entry *target_of(const struct fhir_search_value *value) {
	struct resource_key key;
	return key_of(&key, value) ? find_entry(key.type, key.id) : NULL;
}

static bool reference_fits(const struct fhir_operand *operand, const struct fhir_search_value *value) {
	struct bytes said = value->text;
	if (!operand->id.len)
		return said.len && said.data[0] != '#' &&
		       (bytes_equal(operand->text, said) ||
			   (starts(said, operand->text) && said.data[operand->text.len] == '|'));
	struct resource_key key;
	return key_of(&key, value) && bytes_equal(key.id, operand->id) &&
	       (operand->target == FHIR_NONE || operand->target == key.type);
}

static bool string_fits(const struct fhir_operand *operand, enum fhir_modifier modifier, struct bytes text) {
	struct bytes said = fold(text), asked = fold(operand->text);
	if (modifier == FHIR_EXACT) return bytes_equal(text, operand->text);
	if (modifier == FHIR_CONTAINS) return said.len && contains(said, asked);
	if (modifier == FHIR_WHOLE) return said.len && bytes_equal(said, asked);
	return said.len && starts(said, asked);
}

static bool value_fits(
    const struct fhir_operand *operand, enum fhir_modifier modifier, const struct fhir_search_value *value) {
	if (modifier == FHIR_DISPLAY) return value->text.len && starts(fold(value->text), fold(operand->text));
	switch (value->type) {
	case FHIR_SEARCH_TOKEN: return token_fits(operand, value);
	case FHIR_SEARCH_STRING: return string_fits(operand, modifier, value->text);
	case FHIR_SEARCH_DATE: return date_fits(operand, &value->moments);
	case FHIR_SEARCH_NUMBER: return number_fits(operand, value->number);
	case FHIR_SEARCH_QUANTITY: return quantity_fits(operand, value);
	case FHIR_SEARCH_REFERENCE: return reference_fits(operand, value);
	case FHIR_SEARCH_URI: return bytes_equal(value->text, operand->text);
	case FHIR_SEARCH_COMPOSITE:
	case FHIR_SEARCH_SPECIAL: return false;
	}
	return false;
}

/* Each part has a value of the same element. */
static bool composite_fits(const struct fhir_operand *operand, const struct value_list *values, size_t parts) {
	for (size_t g = 0; g < values->count; g++) {
		size_t fit = 0;
		for (size_t part = 0; part < parts; part++)
			for (size_t i = 0; i < values->count; i++)
				if (values->items[i].group == values->items[g].group && values->items[i].part == part &&
				    value_fits(&operand->parts[part], FHIR_PLAIN, &values->items[i])) {
					fit++;
					break;
				}
		if (fit == parts) return true;
	}
	return false;
}

static bool meets(const struct fhir_criterion *criterion, const struct entry *entry);

static bool matches(const struct fhir_criterion *criterion, const struct entry *entry) {
	static struct value_list values; /* read before it is asked anything else */
	values_of(&values, entry, criterion->search);
	for (size_t o = 0; o < criterion->operand_count; o++) {
		if (criterion->search->type == FHIR_SEARCH_COMPOSITE &&
		    composite_fits(
			&criterion->operands[o], &values, fhir_list(&fhir_r4, criterion->search->components).count / 2))
			return true;
		for (size_t i = 0; i < values.count && criterion->search->type != FHIR_SEARCH_COMPOSITE; i++)
			if (value_fits(&criterion->operands[o], criterion->modifier, &values.items[i])) return true;
	}
	return false;
}

static bool chain_meets(const struct fhir_criterion *criterion, const struct entry *entry) {
	struct value_list *values = arena_alloc(&arena, sizeof *values);
	values_of(values, entry, criterion->search);
	for (size_t i = 0; i < values->count; i++) {
		const struct entry *target = target_of(&values->items[i]);
		for (const struct fhir_criterion *child = criterion->children; child && target; child = child->next)
			if (child->type == target->key.type && meets(child, target)) return true;
	}
	return false;
}

static bool has_meets(const struct fhir_criterion *criterion, const struct entry *entry) {
	struct value_list *values = arena_alloc(&arena, sizeof *values);
	for (size_t e = 0; e < entry_count; e++) {
		if (entries[e].key.type != criterion->other || !meets(criterion->children, &entries[e])) continue;
		values_of(values, &entries[e], criterion->search);
		for (size_t i = 0; i < values->count; i++)
			if (target_of(&values->items[i]) == entry) return true;
	}
	return false;
}

static bool is_present(const struct fhir_criterion *criterion, const struct entry *entry) {
	static struct value_list values;
	values_of(&values, entry, criterion->search);
	for (size_t i = 0; i < values.count; i++) {
		const struct fhir_search_value *value = &values.items[i];
		bool says = value->type == FHIR_SEARCH_TOKEN    ? value->code.len || value->system.len
			    : value->type == FHIR_SEARCH_STRING ? fold(value->text).len > 0
			    : value->type == FHIR_SEARCH_REFERENCE
				? value->code.len || (value->text.len && value->text.data[0] != '#')
				: true;
		if (says) return true;
	}
	return false;
}

static bool meets(const struct fhir_criterion *criterion, const struct entry *entry) {
	switch (criterion->kind) {
	case FHIR_MATCH: return matches(criterion, entry);
	case FHIR_PRESENT: return is_present(criterion, entry);
	case FHIR_CHAIN: return chain_meets(criterion, entry);
	case FHIR_HAS: return has_meets(criterion, entry);
	case FHIR_ALL:
	case FHIR_ANY:
	case FHIR_NOT:
		for (const struct fhir_criterion *child = criterion->children; child; child = child->next)
			if (meets(child, entry) != (criterion->kind == FHIR_ALL)) return criterion->kind == FHIR_ANY;
		return criterion->kind != FHIR_ANY;
	case FHIR_IDS:
		for (size_t i = 0; i < criterion->operand_count; i++)
			if (bytes_equal(criterion->operands[i].text, entry->key.id)) return true;
		return false;
	case FHIR_LISTED:
	case FHIR_NARRATIVE:
	case FHIR_WORDS: break;
	}
	return false;
}

/* --- random searches --- */

static void put_encoded(struct buf *out, struct bytes text) {
	struct buf escaped;
	buf_init(&escaped, BUF_MAX_DEFAULT);
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("\\,|$", text.data[i]) && text.data[i]) buf_byte(&escaped, '\\');
		buf_byte(&escaped, text.data[i]);
	}
	http_percent_encode(out, buf_view(&escaped));
	buf_fini(&escaped);
}

static void put_prefix(struct buf *out) {
	static const char *const prefixes[] = {"", "", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"};
	buf_text(out, prefixes[random_below(sizeof prefixes / sizeof *prefixes)]);
}

static void put_moment(struct buf *out, int64_t ms) {
	static const enum fhir_precision precisions[] = {FHIR_YEAR, FHIR_MONTH, FHIR_DAY, FHIR_SECOND};
	struct fhir_temporal at = fhir_temporal_of_ms(ms);
	struct buf text;
	buf_init(&text, 100);
	at.precision = (uint8_t)precisions[random_below(4)];
	if (at.precision < FHIR_HOUR) at.kind = FHIR_DATE, at.has_zone = false;
	fhir_temporal_write(&text, &at);
	http_percent_encode(out, buf_view(&text));
	buf_fini(&text);
}

static bool put_value(struct buf *out, const struct fhir_search_value *value) {
	switch (value->type) {
	case FHIR_SEARCH_TOKEN:
		if (!value->code.len) return false;
		if (random_below(3)) put_encoded(out, value->system), buf_text(out, "%7C");
		put_encoded(out, value->code);
		return true;
	case FHIR_SEARCH_STRING:
		if (!value->text.len || value->text.len > 150) return false;
		put_encoded(out,
		    random_below(2) ? value->text
				    : fold(bytes_slice(value->text, 0, utf8_width(value->text.data, value->text.len))));
		return true;
	case FHIR_SEARCH_DATE:
		if (value->moments.first_ms < -50000000000000 || value->moments.first_ms > 200000000000000)
			return false;
		put_prefix(out);
		put_moment(out, value->moments.first_ms);
		return true;
	case FHIR_SEARCH_NUMBER:
	case FHIR_SEARCH_QUANTITY:
		put_prefix(out);
		fhir_decimal_write(out, value->number);
		if (value->type == FHIR_SEARCH_QUANTITY && random_below(2)) {
			buf_text(out, "%7C");
			if (random_below(2)) put_encoded(out, value->system);
			buf_text(out, "%7C");
			put_encoded(out, random_below(3) ? value->code : value->unit);
		}
		return true;
	case FHIR_SEARCH_REFERENCE:
		if (!value->text.len || value->text.data[0] == '#') return false;
		put_encoded(out, value->text);
		return true;
	case FHIR_SEARCH_URI: put_encoded(out, value->text); return value->text.len > 0;
	case FHIR_SEARCH_COMPOSITE:
	case FHIR_SEARCH_SPECIAL: return false;
	}
	return false;
}

static const struct fhir_search_def *random_search(const struct entry *entry) {
	for (;;) {
		const struct fhir_search_def *search = &fhir_r4.searches[random_below(fhir_r4.search_count)];
		if (search->base == entry->key.type) return search;
	}
}

/* One value of the parameter that some resource has. */
static bool put_operand(struct buf *out, const struct entry *entry, const struct fhir_search_def *search) {
	struct value_list *values = arena_alloc(&arena, sizeof *values);
	values_of(values, entry, search);
	if (!values->count) return false;
	const struct fhir_search_value *one = &values->items[random_below(values->count)];
	if (search->type != FHIR_SEARCH_COMPOSITE) return put_value(out, one);
	for (uint16_t part = 0; part < fhir_list(&fhir_r4, search->components).count / 2; part++) {
		size_t i = 0;
		while (i < values->count && (values->items[i].group != one->group || values->items[i].part != part))
			i++;
		if (part) buf_text(out, "%24");
		if (i == values->count || !put_value(out, &values->items[i])) return false;
	}
	return true;
}

/* "code:not=x", of a resource of the type. */
static bool put_parameter(struct buf *out, const struct entry *entry) {
	static const char *const of_string[] = {"", "", ":exact", ":contains"}, *const of_token[] = {
										    "", "", "", ":not"};
	const struct fhir_search_def *search = random_search(entry);
	buf_text(out, fhir_text(&fhir_r4, search->code));
	if (random_below(12) == 0) {
		buf_text(out, random_below(2) ? ":missing=true" : ":missing=false");
		return search->type != FHIR_SEARCH_SPECIAL;
	}
	if (search->type == FHIR_SEARCH_STRING) buf_text(out, of_string[random_below(4)]);
	if (search->type == FHIR_SEARCH_TOKEN) buf_text(out, of_token[random_below(4)]);
	buf_text(out, "=");
	bool good = put_operand(out, entry, search);
	if (good && random_below(4) == 0) {
		buf_text(out, ",");
		const struct entry *other = &entries[random_below(entry_count)];
		good = put_operand(out, other->key.type == entry->key.type ? other : entry, search);
	}
	return good;
}

/* A chain by a reference that the resource has, or _has by one that leads to it. */
static bool put_chain(struct buf *out, const struct entry *entry) {
	struct value_list *values = arena_alloc(&arena, sizeof *values);
	const struct fhir_search_def *search = random_search(entry);
	if (search->type != FHIR_SEARCH_REFERENCE) return false;
	values_of(values, entry, search);
	const struct entry *target = values->count ? target_of(&values->items[0]) : NULL;
	if (!target) return false;
	buf_printf(out, "%s:%s.", fhir_text(&fhir_r4, search->code), fhir_type_name(&fhir_r4, target->key.type));
	return put_parameter(out, target);
}

static bool put_has(struct buf *out, const struct entry **about, const struct entry *entry) {
	struct value_list *values = arena_alloc(&arena, sizeof *values);
	const struct fhir_search_def *search = random_search(entry);
	if (search->type != FHIR_SEARCH_REFERENCE) return false;
	values_of(values, entry, search);
	*about = values->count ? target_of(&values->items[0]) : NULL;
	if (!*about) return false;
	buf_printf(out, "_has:%s:%s:", fhir_type_name(&fhir_r4, entry->key.type), fhir_text(&fhir_r4, search->code));
	return put_parameter(out, entry);
}

/* --- the index --- */

static struct resources *resources;
static const struct resource_scope_rule every_rule = {
    .type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN | RESOURCE_SCOPE_OPEN};
static const struct resource_scope everything = {.rules = &every_rule, .count = 1};

static void put_all(void) {
	struct err err;
	for (size_t i = 0; i < entry_count; i++) {
		struct resource_write write = {
		    .key = entries[i].key, .version = 1, .part = 1, .content = entries[i].tree->raw};
		store_be64(write.record.b, i + 1);
		if (resources_put(resources, &write, 1, &err))
			fail_msg("%.*s: %s", (int)write.key.id.len, (const char *)write.key.id.data, err.message);
	}
}

static bool is_found(const struct resource_page *page, const struct entry *entry) {
	for (size_t i = 0; i < page->count; i++)
		if (bytes_equal(page->hits[i].version.key.id, entry->key.id)) return true;
	return false;
}

/* How many the search finds; both answers are the same. -1: it is refused. */
static int compare(uint16_t type, const char *query) {
	struct http_query items;
	struct fhir_search *search;
	struct fhir_issues *issues = arena_alloc(&arena, sizeof *issues);
	struct resource_page page;
	struct err err;
	struct fhir_search_settings settings = {.defs = &fhir_r4, .type = type, .compartment = FHIR_NONE};
	fhir_issues_init(issues, &arena);
	if (http_query_parse(&items, &arena, bytes_text(query), &err) != STATUS_OK) return -1;
	if (fhir_search_read(&search, &arena, &settings, &items, issues) != STATUS_OK) return -1;
	if (resources_search(resources, &page, &arena, &everything, BYTES_LITERAL("a"), search, &err))
		fail_msg("%s: %s", query, err.message);
	size_t wanted = 0;
	for (size_t e = 0; e < entry_count; e++) {
		bool all = entries[e].key.type == type;
		for (const struct fhir_criterion *c = search->criteria; c && all; c = c->next)
			all = meets(c, &entries[e]);
		wanted += all;
		if (entries[e].key.type == type && all != is_found(&page, &entries[e]))
			fail_msg("%s?%s: %s/%.*s is %s", fhir_type_name(&fhir_r4, type), query,
			    fhir_type_name(&fhir_r4, type), (int)entries[e].key.id.len,
			    (const char *)entries[e].key.id.data, all ? "not found" : "found");
	}
	assert_int_equal(page.count, wanted);
	return (int)wanted;
}

static void random_searches_find_what_a_scan_finds(void **state) {
	char directory[] = "/tmp/xinglin-model-XXXXXX", path[128];
	struct home home = {.directory = mkdtemp(directory)};
	struct resource_settings settings = {0};
	struct err err;
	size_t found = 0, refused = 0, asked = 0;
	(void)state;
	vectors_need("fhir/official-r4-examples");
	arena_init(&arena);
	searcher = fhir_searcher_new(&fhir_r4);
	vectors_walk(vectors_path(&arena, "fhir/official-r4-examples"), ".json", add_example, NULL);
	vectors_walk(vectors_path(&arena, "fhir/synthea-bulk-10"), ".ndjson", add_lines, NULL);
	assert_true(entry_count > 500);
	assert_int_equal(resources_open(&resources, &home, &settings, &err), STATUS_OK);
	put_all();
	while (asked < QUERIES) {
		struct arena_mark mark = arena_mark(&arena);
		struct buf query;
		const struct entry *entry = &entries[random_below(entry_count)], *about = entry;
		buf_init(&query, BUF_MAX_DEFAULT);
		unsigned shape = (unsigned)random_below(8);
		bool good = shape == 0   ? put_chain(&query, entry)
			    : shape == 1 ? put_has(&query, &about, entry)
					 : put_parameter(&query, entry);
		for (unsigned more = (unsigned)random_below(3); more && good && shape > 1; more--) {
			buf_text(&query, "&");
			good = put_parameter(&query, entry);
		}
		buf_text(&query, "&_count=1000");
		int count = good ? compare(about->key.type, buf_cstr(&query)) : -2;
		asked += good;
		refused += count == -1;
		found += count > 0;
		buf_fini(&query);
		arena_rewind(&arena, mark);
	}
	printf(
	    "%zu resources, %zu searches: %zu find something, %zu are refused\n", entry_count, asked, found, refused);
	assert_true(found > QUERIES / 2 && refused < QUERIES / 10);
	resources_close(resources);
	snprintf(path, sizeof path, "%s/" RESOURCE_FILE, directory);
	db_remove(path);
	rmdir(directory);
	fhir_searcher_free(searcher);
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_searches_find_what_a_scan_finds)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
