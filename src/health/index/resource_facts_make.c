/* The facts of a resource: the values of its search parameters, and in whose compartment it is. */
#include <stdlib.h>

#include "health/fhir/search_query.h"
#include "health/index/resource_facts.h"

#define FACTS_MAX 20000u     /* of one resource; what is beyond is not found by search */
#define COMBINATIONS_MAX 64u /* of one element of a composite */
#define PARTS_MAX 4u
#define KEY_MAX 1000u /* bytes of a key */

struct value_list {
	struct resource_fact *items; /* keys without a parameter */
	size_t count, capacity;
};
struct making {
	const struct resource_facts_maker *maker;
	struct resource_facts *out;
	const struct resource_key *resource;
	uint16_t patient_type;
	struct fhir_list compartment; /* codes of parameters whose patients count */
	struct buf buf;
	const struct fhir_search_def *composite; /* whose parts are gathered; NULL: none */
	uint32_t group;
	struct value_list parts[PARTS_MAX];
	unsigned id_parameter;
};

static void *grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size) {
	if (count < *capacity) return items;
	*capacity = *capacity ? 2 * *capacity : 32;
	void *more = arena_alloc(arena, *capacity * size);
	if (count) memcpy(more, items, count * size);
	return more;
}

static void add(struct making *m, struct resource_fact fact) {
	struct resource_facts *out = m->out;
	if (out->count == FACTS_MAX) return;
	out->items = grow(m->maker->arena, out->items, out->count, &out->capacity, sizeof *out->items);
	out->items[out->count++] = fact;
}

/* --- one value --- */

static void put_token(struct making *m, struct bytes system, struct bytes code, bool is_code) {
	resource_fact_put_text(&m->buf, resource_fact_text(m->maker->arena, code));
	if (system.len)
		resource_fact_put_digest(&m->buf, m->maker->key, system);
	else
		buf_byte(&m->buf, is_code ? RESOURCE_FACT_CODE_ELEMENT : RESOURCE_FACT_NO_SYSTEM);
}

/* "Patient/1" below our own base or relative, with or without a version. */
static bool local_target(const struct making *m, struct resource_key *out, struct bytes text) {
	const char *base = m->maker->base;
	size_t len = base ? strlen(base) : 0;
	if (base && text.len > len + 1 && memcmp(text.data, base, len) == 0 && text.data[len] == '/')
		text = bytes_make(text.data + len + 1, text.len - len - 1);
	const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
	if (!slash) return false;
	out->type = fhir_definitions_resource(&fhir_r4, bytes_make(text.data, (size_t)(slash - text.data)));
	out->id = bytes_make(slash + 1, (size_t)(text.data + text.len - slash) - 1);
	const uint8_t *end = out->id.len ? memchr(out->id.data, '/', out->id.len) : NULL;
	if (end && ((size_t)(out->id.data + out->id.len - end) < 10 || memcmp(end, "/_history/", 10) != 0))
		return false;
	if (end) out->id.len = (size_t)(end - out->id.data);
	return out->type != FHIR_NONE && out->id.len && out->id.len <= RESOURCE_ID_MAX;
}

/* False: it says nothing that can be asked. */
static bool put_reference(struct making *m, struct resource_fact *fact, const struct fhir_search_value *value) {
	struct resource_key target;
	if (local_target(m, &target, value->text)) {
		buf_byte(&m->buf, 'r');
		if (fact->link_count == 2) return false;
		fact->links[fact->link_count++] =
		    (struct resource_fact_link){m->buf.len, {target.type, arena_dup(m->maker->arena, target.id)}};
		resource_fact_put_row(&m->buf, 0);
		return true;
	}
	if (!value->text.len || value->text.data[0] == '#') return false;
	buf_byte(&m->buf, 'u');
	resource_fact_put_text(&m->buf, resource_fact_text(m->maker->arena, value->text));
	return true;
}

static void put_quantity(struct making *m, const struct fhir_search_value *value) {
	struct arena *arena = m->maker->arena;
	resource_fact_put_decimal(&m->buf, value->number);
	put_token(m, value->system, value->code, false);
	bool is_other = !bytes_equal(value->unit, value->code);
	resource_fact_put_text(&m->buf, is_other ? resource_fact_text(arena, value->unit) : (struct bytes){NULL, 0});
}

static bool put_value(struct making *m, struct resource_fact *fact, const struct fhir_search_value *value) {
	switch (value->type) {
	case FHIR_SEARCH_TOKEN:
		if (!value->code.len && !value->system.len) return false; /* a text alone */
		put_token(m, value->system, value->code, value->is_code);
		return true;
	case FHIR_SEARCH_STRING: {
		struct buf folded;
		buf_init(&folded, BUF_MAX_DEFAULT);
		fhir_search_fold(&folded, value->text);
		resource_fact_put_text(&m->buf, resource_fact_text(m->maker->arena, buf_view(&folded)));
		bool is_text = folded.len > 0;
		buf_fini(&folded);
		return is_text;
	}
	case FHIR_SEARCH_DATE:
		resource_fact_put_moment(&m->buf, value->moments.first_ms);
		resource_fact_put_moment(&m->buf, value->moments.last_ms);
		return true;
	case FHIR_SEARCH_NUMBER: resource_fact_put_decimal(&m->buf, value->number); return true;
	case FHIR_SEARCH_QUANTITY: put_quantity(m, value); return true;
	case FHIR_SEARCH_REFERENCE: return put_reference(m, fact, value);
	case FHIR_SEARCH_URI:
		resource_fact_put_text(&m->buf, resource_fact_text(m->maker->arena, value->text));
		return true;
	case FHIR_SEARCH_COMPOSITE:
	case FHIR_SEARCH_SPECIAL: return false;
	}
	return false;
}

static struct bytes taken(struct making *m) {
	struct bytes key = arena_dup(m->maker->arena, buf_view(&m->buf));
	return key;
}

/* --- composites --- */

/* One key of the chosen value of each part. */
static void combine(struct making *m, const size_t *chosen, size_t count) {
	struct resource_fact fact = {.link_count = 0};
	buf_clear(&m->buf);
	resource_fact_put_parameter(&m->buf, resource_fact_number(m->composite));
	for (size_t part = 0; part < count; part++) {
		const struct resource_fact *value = &m->parts[part].items[chosen[part]];
		for (size_t i = 0; i < value->link_count && fact.link_count < 2; i++)
			fact.links[fact.link_count++] =
			    (struct resource_fact_link){m->buf.len + value->links[i].at, value->links[i].target};
		buf_append(&m->buf, value->key);
	}
	fact.key = taken(m);
	if (fact.key.len <= KEY_MAX) add(m, fact);
}

static void end_group(struct making *m) {
	size_t chosen[PARTS_MAX] = {0}, count = 0, made = 0;
	if (!m->composite) return;
	count = fhir_list(&fhir_r4, m->composite->components).count / 2;
	bool is_whole = count <= PARTS_MAX;
	for (size_t part = 0; part < count && is_whole; part++) is_whole = m->parts[part].count > 0;
	while (is_whole && made++ < COMBINATIONS_MAX) {
		combine(m, chosen, count);
		size_t part = 0;
		while (part < count && ++chosen[part] == m->parts[part].count) chosen[part++] = 0;
		if (part == count) break;
	}
	for (size_t part = 0; part < PARTS_MAX; part++) m->parts[part].count = 0;
	m->composite = NULL;
}

static void add_part(struct making *m, const struct fhir_search_def *search, const struct fhir_search_value *value) {
	struct resource_fact fact = {.link_count = 0};
	if (m->composite != search || m->group != value->group) end_group(m);
	m->composite = search;
	m->group = value->group;
	buf_clear(&m->buf);
	if (value->part >= PARTS_MAX || !put_value(m, &fact, value)) return;
	struct value_list *list = &m->parts[value->part];
	fact.key = taken(m);
	list->items = grow(m->maker->arena, list->items, list->count, &list->capacity, sizeof *list->items);
	list->items[list->count++] = fact;
}

/* --- a resource --- */

static void add_compartment(struct making *m, const struct resource_key *patient) {
	struct resource_fact fact = {.link_count = 1};
	buf_clear(&m->buf);
	resource_fact_put_parameter(&m->buf, RESOURCE_FACT_COMPARTMENT);
	buf_byte(&m->buf, 'r');
	fact.links[0] = (struct resource_fact_link){m->buf.len, *patient};
	resource_fact_put_row(&m->buf, 0);
	fact.key = taken(m);
	add(m, fact);
}

static bool is_of_compartment(const struct making *m, const struct fhir_search_def *search) {
	const char *code = fhir_text(&fhir_r4, search->code);
	for (size_t i = 0; i < m->compartment.count; i++)
		if (strcmp(fhir_text(&fhir_r4, m->compartment.items[i]), code) == 0) return true;
	return false;
}

/* By the identifier that a reference has beside or instead of its text. */
static void add_identifier(
    struct making *m, const struct fhir_search_def *search, const struct fhir_search_value *value) {
	buf_clear(&m->buf);
	resource_fact_put_parameter(&m->buf, resource_fact_number(search));
	buf_byte(&m->buf, 'i');
	put_token(m, value->system, value->code, false);
	add(m, (struct resource_fact){.key = taken(m)});
}

static void add_long(struct making *m, const struct fhir_search_def *search, const struct fhir_search_value *value) {
	const struct fhir_moments *span = &value->moments;
	bool is_open = span->first_ms == INT64_MIN || span->last_ms == INT64_MAX;
	if (!is_open && span->last_ms - span->first_ms <= RESOURCE_FACT_SPAN_MS) return;
	buf_clear(&m->buf);
	resource_fact_put_parameter(&m->buf, resource_fact_number(search) | RESOURCE_FACT_LONG);
	resource_fact_put_moment(&m->buf, span->last_ms);
	resource_fact_put_moment(&m->buf, span->first_ms);
	add(m, (struct resource_fact){.key = taken(m)});
}

static void visit(void *context, const struct fhir_search_def *search, const struct fhir_search_value *value) {
	struct making *m = context;
	struct resource_fact fact = {.link_count = 0};
	if (resource_fact_number(search) == m->id_parameter) return;
	if (search->type == FHIR_SEARCH_COMPOSITE) {
		add_part(m, search, value);
		return;
	}
	if (value->type == FHIR_SEARCH_REFERENCE && value->code.len) add_identifier(m, search, value);
	if (value->type == FHIR_SEARCH_DATE) add_long(m, search, value);
	buf_clear(&m->buf);
	resource_fact_put_parameter(&m->buf, resource_fact_number(search));
	if (!put_value(m, &fact, value)) return;
	fact.key = taken(m);
	add(m, fact);
	if (fact.link_count && fact.links[0].target.type == m->patient_type && is_of_compartment(m, search))
		add_compartment(m, &fact.links[0].target);
}

enum status resource_facts_make(struct resource_facts *out, const struct resource_facts_maker *maker,
    const struct resource_key *key, const struct json *tree, struct err *err) {
	struct making m = {.maker = maker, .out = out, .resource = key};
	*out = (struct resource_facts){0};
	m.patient_type = fhir_definitions_type(&fhir_r4, BYTES_LITERAL("Patient"));
	m.id_parameter = resource_fact_number(fhir_search_find(&fhir_r4, key->type, BYTES_LITERAL("_id")));
	buf_init(&m.buf, BUF_MAX_DEFAULT);
	if (!fhir_compartment_find(&fhir_r4, &m.compartment, m.patient_type, key->type))
		m.compartment = (struct fhir_list){NULL, 0};
	enum status status = fhir_search_values(maker->searcher, tree, visit, &m, err);
	/* It is sealed and registered already: what takes too long to find out is not found by search, as what is
	 * beyond FACTS_MAX. */
	if (status == STATUS_LIMIT) status = STATUS_OK;
	end_group(&m);
	if (key->type == m.patient_type) add_compartment(&m, key);
	buf_clear(&m.buf);
	resource_fact_put_parameter(&m.buf, RESOURCE_FACT_TYPE);
	resource_fact_put_parameter(&m.buf, key->type);
	add(&m, (struct resource_fact){.key = taken(&m)});
	buf_fini(&m.buf);
	return status;
}

static int by_key(const void *a, const void *b) {
	return bytes_compare(((const struct resource_fact *)a)->key, ((const struct resource_fact *)b)->key);
}

struct bytes resource_facts_pack(struct arena *arena, struct resource_facts *facts) {
	struct buf out;
	size_t kept = 0;
	if (facts->count) qsort(facts->items, facts->count, sizeof *facts->items, by_key);
	buf_init(&out, BUF_MAX_DEFAULT);
	for (size_t i = 0; i < facts->count; i++) {
		const struct resource_fact *fact = &facts->items[i];
		if (kept && bytes_equal(facts->items[kept - 1].key, fact->key)) continue;
		facts->items[kept++] = *fact;
		resource_fact_put_parameter(&out, (unsigned)fact->key.len);
		buf_append(&out, fact->key);
	}
	facts->count = kept;
	struct bytes packed = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return packed;
}
