#include "health/epcis/event_terms.h"

#include <stdlib.h>

#include "health/epcis/namespaces.h"
#include "health/epcis/times.h"
#include "health/gs1/epc_uri.h"

#define CBV "https://ref.gs1.org/cbv/"
#define URN "urn:epcglobal:cbv:"
#define TEXT(view) (int)(view).len, (view).len ? (const char *)(view).data : ""

/* What the terms of one event are made with. */
struct maker {
	struct event_terms *out;
	struct arena *arena;
	const struct json *context;
};

/* --- adding --- */

static void add(struct event_terms *terms, struct arena *arena, struct event_term term) {
	if (terms->count == terms->room) {
		const size_t room = 2 * terms->room + 32;
		struct event_term *list = arena_alloc(arena, room * sizeof *list);
		if (terms->count) memcpy(list, terms->list, terms->count * sizeof *list);
		terms->list = list;
		terms->room = room;
	}
	terms->list[terms->count++] = term;
}

void event_terms_add_text(struct event_terms *out, struct arena *arena, const char *key, struct bytes text) {
	if (text.len) add(out, arena, (struct event_term){.key = bytes_text(key), .text = text});
}

void event_terms_add_number(struct event_terms *out, struct arena *arena, const char *key, double number) {
	add(out, arena, (struct event_term){.key = bytes_text(key), .number = number});
}

static void add_time(struct maker *maker, const char *key, const struct json *value) {
	double ms;
	if (event_terms_time(&ms, json_string(value))) event_terms_add_number(maker->out, maker->arena, key, ms);
}

/* --- the one spelling --- */

bool event_terms_time(double *out_ms, struct bytes text) {
	int64_t ms;
	if (!epcis_time(&ms, text)) return false;
	*out_ms = (double)ms;
	return true;
}

bool event_terms_number(double *out, struct bytes text) {
	char copy[64];
	if (!json_is_number(text) || text.len >= sizeof copy) return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	*out = strtod(copy, NULL);
	return *out <= 1e300 && *out >= -1e300;
}

struct bytes event_terms_name(struct arena *arena, const struct json *context, struct bytes text) {
	struct bytes local = text;
	const struct bytes space = epcis_namespace_of(context, &local);
	if (space.data) return bytes_text(arena_printf(arena, "%.*s%.*s", TEXT(space), TEXT(local)));
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	if (epc_uri_canonical(&out, text)) text = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return text;
}

static const struct {
	const char *heads[4];
} vocabularies[] = {
    [EVENT_TERMS_STEPS] = {{CBV "BizStep-", URN "bizstep:", CBV "Bizstep-", "https://gs1.org/voc/Bizstep-"}},
    [EVENT_TERMS_DISPOSITIONS] = {{CBV "Disp-", URN "disp:", NULL}},
    [EVENT_TERMS_TRANSACTION_TYPES] = {{CBV "BTT-", URN "btt:", NULL}},
    [EVENT_TERMS_PARTY_TYPES] = {{CBV "SDT-", URN "sdt:", NULL}},
    [EVENT_TERMS_ERROR_REASONS] = {{CBV "ER-", URN "er:", NULL}},
    [EVENT_TERMS_SENSOR_TYPES] = {{"https://gs1.org/voc/", NULL, NULL}},
};

struct bytes event_terms_word(
    struct arena *arena, const struct json *context, enum event_terms_vocabulary vocabulary, struct bytes text) {
	const struct bytes whole = event_terms_name(arena, context, text);
	for (size_t i = 0; i < 4 && vocabularies[vocabulary].heads[i]; i++) {
		const struct bytes head = bytes_text(vocabularies[vocabulary].heads[i]);
		if (whole.len > head.len && memcmp(whole.data, head.data, head.len) == 0)
			return bytes_slice(whole, head.len, whole.len);
	}
	return whole;
}

struct bytes event_terms_field(struct arena *arena, const struct json *context, const char *area, struct bytes name) {
	struct bytes local = name;
	const struct bytes space = epcis_namespace_of(context, &local);
	if (!space.data) return (struct bytes){NULL, 0};
	return bytes_text(arena_printf(arena, "%s{%.*s}%.*s", area, TEXT(space), TEXT(local)));
}

/* --- extensions --- */

static void add_field(struct maker *maker, const char *key, const struct json *value, const char *area);

/* The fields of an object that are not EPCIS's own. `area`: "ILMD_" …, with "INNER_" in front of it inside others. */
static void add_fields(struct maker *maker, const char *area, const struct json *object) {
	if (!json_is(object, JSON_OBJECT)) return;
	json_foreach (member, object) {
		const struct bytes key = event_terms_field(maker->arena, maker->context, area, member->name);
		if (key.data) add_field(maker, (const char *)key.data, member, area);
	}
}

static void add_value(struct maker *maker, const char *key, const struct json *value) {
	double number;
	struct bytes text = value->text;
	if (json_is(value, JSON_TRUE)) text = BYTES_LITERAL("true");
	if (json_is(value, JSON_FALSE)) text = BYTES_LITERAL("false");
	if (json_is(value, JSON_STRING)) text = event_terms_name(maker->arena, maker->context, text);
	event_terms_add_text(maker->out, maker->arena, key, text);
	if (event_terms_number(&number, text) || event_terms_time(&number, text))
		event_terms_add_number(maker->out, maker->arena, key, number);
}

/* A number or a time is a text too. What holds others has an empty text, so that it exists. */
static void add_field(struct maker *maker, const char *key, const struct json *value, const char *area) {
	static const char inner[] = "INNER_";
	if (json_is(value, JSON_ARRAY)) {
		json_foreach (item, value) add_field(maker, key, item, area);
	} else if (json_is(value, JSON_OBJECT)) {
		const struct json *literal = json_get(value, "@value");
		const bool is_inner = strncmp(area, inner, sizeof inner - 1) == 0;
		if (literal)
			add_value(maker, key, literal);
		else
			add(maker->out, maker->arena, (struct event_term){bytes_text(key), BYTES_LITERAL(""), 0});
		add_fields(maker, is_inner ? area : arena_printf(maker->arena, "%s%s", inner, area), value);
	} else if (!json_is(value, JSON_NULL)) {
		add_value(maker, key, value);
	}
}

/* --- EPCIS's own --- */

static void add_name(struct maker *maker, const char *key, const struct json *value) {
	const struct bytes text = json_string(value);
	if (text.len)
		event_terms_add_text(
		    maker->out, maker->arena, key, event_terms_name(maker->arena, maker->context, text));
}

/* A text, or each of a list. */
static void add_names(struct maker *maker, const char *key, const struct json *value) {
	if (json_is(value, JSON_ARRAY)) {
		json_foreach (item, value) add_name(maker, key, item);
	} else {
		add_name(maker, key, value);
	}
}

static void add_words(
    struct maker *maker, const char *key, enum event_terms_vocabulary vocabulary, const struct json *value) {
	if (json_is(value, JSON_ARRAY)) {
		json_foreach (item, value) add_words(maker, key, vocabulary, item);
	} else if (json_is(value, JSON_STRING)) {
		event_terms_add_text(maker->out, maker->arena, key,
		    event_terms_word(maker->arena, maker->context, vocabulary, value->text));
	}
}

static void add_place(struct maker *maker, const char *key, const struct json *place) {
	add_name(maker, key, json_get(place, "id"));
	add_fields(maker, arena_printf(maker->arena, "%s_", key), place);
}

/* Each of a list, under a key that ends with its type: "source_owning_party". */
static void add_typed(struct maker *maker, const char *key, enum event_terms_vocabulary vocabulary, const char *member,
    const struct json *list) {
	json_foreach (item, list) {
		const struct bytes type =
		    event_terms_word(maker->arena, maker->context, vocabulary, json_string(json_get(item, "type")));
		add_name(maker, arena_printf(maker->arena, "%s_%.*s", key, TEXT(type)), json_get(item, member));
	}
}

static void add_number(struct maker *maker, const char *key, const struct json *value) {
	double number;
	if (value && event_terms_number(&number, value->text))
		event_terms_add_number(maker->out, maker->arena, key, number);
}

/* "value", and "value_CEL" with its unit. */
static void add_measure(struct maker *maker, const char *key, const struct json *object, bool is_alone) {
	const struct bytes unit = json_string(json_get(object, "uom"));
	const struct json *value = json_get(object, key);
	if (!value) return;
	if (is_alone) add_number(maker, key, value);
	if (unit.len) add_number(maker, arena_printf(maker->arena, "%s_%.*s", key, TEXT(unit)), value);
}

static void add_quantities(struct maker *maker, const char *key, const struct json *list) {
	json_foreach (item, list) {
		add_name(maker, key, json_get(item, "epcClass"));
		add_measure(maker, "quantity", item, true);
	}
}

/* --- sensors --- */

static void add_report(struct maker *maker, const struct json *report) {
	static const char *const names[] = {"deviceID", "deviceMetadata", "rawData", "dataProcessingMethod",
	    "microorganism", "chemicalSubstance", "stringValue", "hexBinaryValue", "uriValue", "component", "exception",
	    "coordinateReferenceSystem", NULL};
	static const char *const measures[] = {"value", "minValue", "maxValue", "meanValue", "sDev", "percValue", NULL};
	const struct json *truth = json_get(report, "booleanValue");
	add_words(maker, "type", EVENT_TERMS_SENSOR_TYPES, json_get(report, "type"));
	for (size_t i = 0; names[i]; i++) add_name(maker, names[i], json_get(report, names[i]));
	for (size_t i = 0; measures[i]; i++) add_measure(maker, measures[i], report, false);
	add_number(maker, "percRank", json_get(report, "percRank"));
	add_time(maker, "time", json_get(report, "time"));
	if (json_is(truth, JSON_TRUE) || json_is(truth, JSON_FALSE))
		event_terms_add_text(maker->out, maker->arena, "booleanValue", truth->raw);
	add_fields(maker, "SENSORREPORT_", report);
}

static void add_sensor(struct maker *maker, const struct json *element) {
	static const char *const names[] = {
	    "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules", NULL};
	const struct json *metadata = json_get(element, "sensorMetadata");
	for (size_t i = 0; names[i]; i++) add_name(maker, names[i], json_get(metadata, names[i]));
	add_time(maker, "time", json_get(metadata, "time"));
	add_time(maker, "startTime", json_get(metadata, "startTime"));
	add_time(maker, "endTime", json_get(metadata, "endTime"));
	add_fields(maker, "SENSORMETADATA_", metadata);
	json_foreach (report, json_get(element, "sensorReport")) add_report(maker, report);
	add_fields(maker, "SENSORELEMENT_", element);
}

/* --- an event --- */

static void add_declaration(struct maker *maker, const struct json *declaration) {
	if (!json_is(declaration, JSON_OBJECT)) return;
	event_terms_add_text(maker->out, maker->arena, "errorDeclaration", BYTES_LITERAL("true"));
	add_time(maker, "errorDeclarationTime", json_get(declaration, "declarationTime"));
	add_words(maker, "errorReason", EVENT_TERMS_ERROR_REASONS, json_get(declaration, "reason"));
	add_names(maker, "correctiveEventID", json_get(declaration, "correctiveEventIDs"));
	add_fields(maker, "ERROR_DECLARATION_", declaration);
}

static void add_things(struct maker *maker, const struct json *event) {
	static const char *const lists[][2] = {{"epc", "epcList"}, {"childEPC", "childEPCs"}, {"parentID", "parentID"},
	    {"inputEPC", "inputEPCList"}, {"outputEPC", "outputEPCList"}, {"transformationID", "transformationID"}};
	static const char *const quantities[][2] = {{"epcClass", "quantityList"},
	    {"childEPCClass", "childQuantityList"}, {"inputEPCClass", "inputQuantityList"},
	    {"outputEPCClass", "outputQuantityList"}};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		add_names(maker, lists[i][0], json_get(event, lists[i][1]));
	for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++)
		add_quantities(maker, quantities[i][0], json_get(event, quantities[i][1]));
}

void event_terms_of(
    struct event_terms *out, struct arena *arena, const struct json *context, const struct json *event) {
	struct maker maker = {out, arena, context};
	const struct json *persistent = json_get(event, "persistentDisposition");
	const struct json *sensors = json_get(event, "sensorElementList");
	add_name(&maker, "eventType", json_get(event, "type"));
	add_time(&maker, "eventTime", json_get(event, "eventTime"));
	event_terms_add_text(out, arena, "action", json_string(json_get(event, "action")));
	add_words(&maker, "bizStep", EVENT_TERMS_STEPS, json_get(event, "bizStep"));
	add_words(&maker, "disposition", EVENT_TERMS_DISPOSITIONS, json_get(event, "disposition"));
	add_words(&maker, "persistentDisposition_set", EVENT_TERMS_DISPOSITIONS, json_get(persistent, "set"));
	add_words(&maker, "persistentDisposition_unset", EVENT_TERMS_DISPOSITIONS, json_get(persistent, "unset"));
	add_place(&maker, "readPoint", json_get(event, "readPoint"));
	add_place(&maker, "bizLocation", json_get(event, "bizLocation"));
	add_typed(&maker, "bizTransaction", EVENT_TERMS_TRANSACTION_TYPES, "bizTransaction",
	    json_get(event, "bizTransactionList"));
	add_typed(&maker, "source", EVENT_TERMS_PARTY_TYPES, "source", json_get(event, "sourceList"));
	add_typed(&maker, "destination", EVENT_TERMS_PARTY_TYPES, "destination", json_get(event, "destinationList"));
	add_things(&maker, event);
	add_declaration(&maker, json_get(event, "errorDeclaration"));
	if (sensors) event_terms_add_text(out, arena, "sensorElementList", BYTES_LITERAL("true"));
	json_foreach (element, sensors) add_sensor(&maker, element);
	add_fields(&maker, "ILMD_", json_get(event, "ilmd"));
	add_fields(&maker, "", event);
}
