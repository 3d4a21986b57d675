#include "health/fhir/search_values.h"

#include "health/fhir/fhirpath.h"
#include "health/fhir/reference.h"

struct fhir_searcher {
	const struct fhir_definitions *defs;
	struct arena compiled, scratch;
	const struct fhirpath **paths; /* of each parameter, once it was needed */
	const struct fhirpath **parts; /* of each string that is a component's expression, likewise */
};

struct fhir_searcher *fhir_searcher_new(const struct fhir_definitions *defs) {
	struct fhir_searcher *s = mem_zalloc(1, sizeof *s);
	s->defs = defs;
	arena_init(&s->compiled);
	arena_init(&s->scratch);
	s->paths = arena_zalloc(&s->compiled, defs->search_count, sizeof *s->paths);
	s->parts = arena_zalloc(&s->compiled, UINT16_MAX, sizeof *s->parts);
	return s;
}

void fhir_searcher_free(struct fhir_searcher *searcher) {
	if (!searcher) return;
	arena_fini(&searcher->compiled);
	arena_fini(&searcher->scratch);
	mem_free(searcher);
}

/* One parameter at work. */
struct extraction {
	struct fhir_searcher *searcher;
	const struct fhir_definitions *defs;
	struct fhirpath_context context;
	const struct fhir_search_def *search;
	fhir_search_visit *visit;
	void *visit_context;
	struct fhir_search_value value; /* with part and group set */
};

static void give(struct extraction *x, struct fhir_search_value value) {
	value.part = x->value.part;
	value.group = x->value.group;
	value.type = x->value.type;
	x->visit(x->visit_context, x->search, &value);
}

static bool is_of(const struct extraction *x, const struct fhirpath_value *value, const char *type) {
	return value->type != FHIR_NONE &&
	       fhir_type_derives(x->defs, value->type, fhir_definitions_type(x->defs, bytes_text(type)));
}

static struct bytes member(const struct json *object, const char *name) {
	return json_string(json_get(object, name));
}

static bool is_scalar(const struct json *json) {
	return json && json->type != JSON_OBJECT && json->type != JSON_ARRAY && json->type != JSON_NULL;
}

/* --- tokens --- */

static void give_coding(struct extraction *x, const struct json *coding) {
	struct fhir_search_value value = {
	    .system = member(coding, "system"), .code = member(coding, "code"), .text = member(coding, "display")};
	if (value.code.len || value.system.len || value.text.len) give(x, value);
}

static void give_identifier(struct extraction *x, const struct json *json) {
	const struct json *type = json_get(json, "type"), *coding = json_at(json_get(type, "coding"), 0);
	struct fhir_search_value value = {.system = member(json, "system"),
	    .code = member(json, "value"),
	    .text = member(type, "text"),
	    .type_system = member(coding, "system"),
	    .type_code = member(coding, "code")};
	if (value.code.len) give(x, value);
}

static void give_token(struct extraction *x, const struct fhirpath_value *value) {
	const struct json *json = value->json;
	if (value->kind == FHIRPATH_BOOLEAN) {
		give(x, (struct fhir_search_value){
			    .is_code = true, .code = value->boolean ? BYTES_LITERAL("true") : BYTES_LITERAL("false")});
	} else if (is_of(x, value, "CodeableConcept")) {
		json_foreach (coding, json_get(json, "coding")) give_coding(x, coding);
		if (member(json, "text").len) give(x, (struct fhir_search_value){.text = member(json, "text")});
	} else if (is_of(x, value, "Coding")) {
		give_coding(x, json);
	} else if (is_of(x, value, "Identifier")) {
		give_identifier(x, json);
	} else if (is_of(x, value, "ContactPoint")) {
		if (member(json, "value").len) give(x, (struct fhir_search_value){.code = member(json, "value")});
	} else if (is_scalar(json)) {
		give(x, (struct fhir_search_value){.is_code = true,
			    .code = json->type == JSON_STRING || json->type == JSON_NUMBER ? json->text : json->raw});
	}
}

/* --- strings --- */

static void give_text(struct extraction *x, struct bytes text) {
	if (text.len) give(x, (struct fhir_search_value){.text = text});
}

/* Each text directly below a value, but for codes such as "use". */
static void give_parts(struct extraction *x, const struct json *json, const char *const *names) {
	for (; *names; names++) {
		const struct json *part = json_get(json, *names);
		give_text(x, json_string(part));
		if (json_is(part, JSON_ARRAY))
			json_foreach (item, part) give_text(x, json_string(item));
	}
}

static void give_string(struct extraction *x, const struct fhirpath_value *value) {
	static const char *const name[] = {"text", "family", "given", "prefix", "suffix", NULL};
	static const char *const address[] = {
	    "text", "line", "city", "district", "state", "postalCode", "country", NULL};
	if (value->kind == FHIRPATH_STRING)
		give_text(x, value->text);
	else if (is_of(x, value, "HumanName"))
		give_parts(x, value->json, name);
	else if (is_of(x, value, "Address"))
		give_parts(x, value->json, address);
	else if (json_is(value->json, JSON_STRING))
		give_text(x, value->json->text);
}

/* --- dates --- */

static bool moments_of(const struct json *json, struct fhir_moments *out) {
	struct fhir_temporal temporal;
	if (!json_is(json, JSON_STRING) || !fhir_temporal_read(&temporal, json->text, false)) return false;
	*out = fhir_temporal_moments(&temporal);
	return true;
}

/* An end that is not there is open. */
static bool moments_of_period(const struct json *period, struct fhir_moments *out) {
	struct fhir_moments start = {INT64_MIN, 0}, end = {0, INT64_MAX};
	bool has_start = moments_of(json_get(period, "start"), &start),
	     has_end = moments_of(json_get(period, "end"), &end);
	*out = (struct fhir_moments){start.first_ms, end.last_ms};
	return has_start || has_end;
}

static void give_date(struct extraction *x, const struct fhirpath_value *value) {
	struct fhir_search_value out = {.moments = {INT64_MAX, INT64_MIN}};
	if (is_of(x, value, "Period")) {
		if (moments_of_period(value->json, &out.moments)) give(x, out);
		return;
	}
	if (is_of(x, value, "Timing")) { /* from its first event to its last, or the bounds of its repetition */
		const struct json *bounds = json_get(json_get(value->json, "repeat"), "boundsPeriod");
		json_foreach (event, json_get(value->json, "event")) {
			struct fhir_moments one;
			if (!moments_of(event, &one)) continue;
			if (one.first_ms < out.moments.first_ms) out.moments.first_ms = one.first_ms;
			if (one.last_ms > out.moments.last_ms) out.moments.last_ms = one.last_ms;
		}
		if (out.moments.first_ms <= out.moments.last_ms || moments_of_period(bounds, &out.moments))
			give(x, out);
		return;
	}
	if (moments_of(value->json, &out.moments)) give(x, out);
}

/* --- numbers and quantities --- */

static void give_quantity_of(struct extraction *x, const struct json *json, struct bytes system, struct bytes code) {
	struct fhir_search_value value = {.system = system, .code = code, .unit = member(json, "unit")};
	const struct json *number = json_get(json, "value");
	if (!code.len) value.code = value.unit;
	if (json_is(number, JSON_NUMBER) && fhir_decimal_read(&value.number, number->text)) give(x, value);
}

static void give_quantity(struct extraction *x, const struct fhirpath_value *value) {
	const struct json *json = value->json, *low = json_get(json, "low"), *high = json_get(json, "high");
	if (is_of(x, value, "Money"))
		give_quantity_of(x, json, BYTES_LITERAL("urn:iso:std:iso:4217"), member(json, "currency"));
	else if (is_of(x, value, "Quantity"))
		give_quantity_of(x, json, member(json, "system"), member(json, "code"));
	if (!is_of(x, value, "Range")) return;
	if (low) give_quantity_of(x, low, member(low, "system"), member(low, "code"));
	if (high) give_quantity_of(x, high, member(high, "system"), member(high, "code"));
}

static void give_number(struct extraction *x, const struct fhirpath_value *value) {
	struct fhir_search_value out = {.system = {NULL, 0}};
	if (json_is(value->json, JSON_NUMBER) && fhir_decimal_read(&out.number, value->json->text))
		give(x, out);
	else if (is_of(x, value, "Range"))
		give_quantity(x, value);
}

/* --- references and URIs --- */

static void give_reference(struct extraction *x, const struct fhirpath_value *value) {
	const struct json *json = value->json, *identifier = json_get(json, "identifier");
	struct fhir_search_value out = {.target = FHIR_NONE, .text = json_string(json)};
	if (is_of(x, value, "Reference")) {
		struct bytes said = member(json, "type");
		out.text = member(json, "reference");
		out.system = member(identifier, "system");
		out.code = member(identifier, "value");
		out.target = fhir_reference_type(x->defs, out.text);
		if (out.target == FHIR_NONE && said.len) out.target = fhir_definitions_resource(x->defs, said);
	}
	if (out.text.len || out.code.len) give(x, out);
}

static void give_value(struct extraction *x, const struct fhirpath_value *value) {
	switch (x->value.type) {
	case FHIR_SEARCH_TOKEN: give_token(x, value); return;
	case FHIR_SEARCH_STRING: give_string(x, value); return;
	case FHIR_SEARCH_DATE: give_date(x, value); return;
	case FHIR_SEARCH_QUANTITY: give_quantity(x, value); return;
	case FHIR_SEARCH_NUMBER: give_number(x, value); return;
	case FHIR_SEARCH_REFERENCE: give_reference(x, value); return;
	case FHIR_SEARCH_URI: give_text(x, json_string(value->json)); return;
	case FHIR_SEARCH_COMPOSITE:
	case FHIR_SEARCH_SPECIAL: return;
	}
}

/* --- parameters --- */

static enum status evaluate(struct extraction *x, const struct fhirpath **cache, uint16_t expression,
    const struct fhirpath_value *focus, struct fhirpath_values *out, struct err *err) {
	if (!*cache)
		TRY(fhirpath_compile(cache, &x->searcher->compiled, bytes_text(fhir_text(x->defs, expression)), err));
	return fhirpath_evaluate(out, &x->context, *cache, focus, err);
}

/* The parts of one element. */
static enum status give_composite(struct extraction *x, const struct fhirpath_value *element, struct err *err) {
	struct fhir_list components = fhir_list(x->defs, x->search->components);
	for (size_t i = 0; i + 1 < components.count; i += 2) {
		struct fhirpath_values values;
		uint16_t expression = components.items[i + 1];
		TRY(evaluate(x, &x->searcher->parts[expression], expression, element, &values, err));
		x->value.type = (enum fhir_search_type)components.items[i];
		x->value.part = (uint16_t)(i / 2);
		for (uint32_t k = 0; k < values.count; k++) give_value(x, &values.items[k]);
	}
	return STATUS_OK;
}

static enum status give_parameter(struct extraction *x, struct err *err) {
	struct fhirpath_values values;
	const struct fhirpath **cache = &x->searcher->paths[x->search - x->defs->searches];
	if (!*fhir_text(x->defs, x->search->expression)) return STATUS_OK;
	TRY(evaluate(x, cache, x->search->expression, &x->context.resource, &values, err));
	for (uint32_t i = 0; i < values.count; i++) {
		x->value = (struct fhir_search_value){.type = (enum fhir_search_type)x->search->type, .group = i};
		if (x->value.type == FHIR_SEARCH_COMPOSITE)
			TRY(give_composite(x, &values.items[i], err));
		else
			give_value(x, &values.items[i]);
	}
	return STATUS_OK;
}

/* The first parameter of a type: they stand in the order of types and codes. */
static size_t first_of(const struct fhir_definitions *defs, uint16_t type) {
	size_t low = 0, high = defs->search_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (defs->searches[middle].base < type)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What evaluating takes for one resource. */
static enum status begin(struct extraction *x, struct fhir_searcher *searcher, const struct json *resource,
    uint64_t *budget, struct err *err) {
	x->searcher = searcher;
	x->defs = searcher->defs;
	x->context = fhirpath_context(searcher->defs, &searcher->scratch, resource);
	x->context.budget = budget;
	if (x->context.resource.type == FHIR_NONE) return err_set(err, STATUS_INVALID, "it is no resource of FHIR R4");
	*budget = FHIR_SEARCH_STEPS + (uint64_t)FHIR_SEARCH_STEPS_A_BYTE * resource->raw.len;
	return STATUS_OK;
}

enum status fhir_search_values(struct fhir_searcher *searcher, const struct json *resource, fhir_search_visit *visit,
    void *context, struct err *err) {
	const struct fhir_definitions *defs = searcher->defs;
	struct extraction x = {.visit = visit, .visit_context = context};
	uint64_t budget;
	TRY(begin(&x, searcher, resource, &budget, err));
	enum status status = STATUS_OK;
	for (uint16_t type = x.context.resource.type; type != FHIR_NONE; type = defs->types[type].base)
		for (size_t i = first_of(defs, type); i < defs->search_count && defs->searches[i].base == type; i++) {
			struct arena_mark mark = arena_mark(&searcher->scratch);
			x.search = &defs->searches[i];
			/* One that cannot be evaluated is no reason to leave the others out. */
			if (budget && give_parameter(&x, err) != STATUS_OK) status = STATUS_LIMIT;
			arena_rewind(&searcher->scratch, mark);
		}
	arena_reset(&searcher->scratch);
	return status;
}

enum status fhir_search_values_of(struct fhir_searcher *searcher, const struct json *resource,
    const struct fhir_search_def *search, fhir_search_visit *visit, void *context, struct err *err) {
	struct extraction x = {.visit = visit, .visit_context = context, .search = search};
	uint64_t budget;
	TRY(begin(&x, searcher, resource, &budget, err));
	enum status status = give_parameter(&x, err);
	arena_reset(&searcher->scratch);
	return status;
}
