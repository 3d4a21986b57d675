#include "health/epcis/event_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/hash.h"
#include "health/epcis/namespaces.h"
#include "health/gs1/epc_uri.h"
#include "health/gs1/gs1.h"

#define CBV "https://ref.gs1.org/cbv/"
#define VOC "https://gs1.org/voc/"
#define TEXT(view) (int)(view).len, (view).len ? (const char *)(view).data : ""

/* --- what names mean --- */

struct event_hash_names {
	struct arena *arena;
	const struct json *context; /* or NULL */
	bool is_xml;
	const struct json **ignored; /* fields that a repository added for itself, by name */
	size_t ignored_count;
};

/* A member "x:ignoreFields" of a document, or of a query's results, lists what its repository added. */
static void find_ignored(struct event_hash_names *names, const struct json *object) {
	json_foreach (member, object) {
		struct bytes local = member->name;
		if (!json_is(member, JSON_ARRAY) || !epcis_namespace_of(names->context, &local).data) continue;
		if (!bytes_equal(local, BYTES_LITERAL("ignoreFields"))) continue;
		names->ignored = arena_zalloc(names->arena, member->count + 1, sizeof *names->ignored);
		names->ignored_count = 0;
		json_foreach (field, member) names->ignored[names->ignored_count++] = field;
	}
}

struct event_hash_names *event_hash_names_of(struct arena *arena, const struct json *document, bool is_xml) {
	struct event_hash_names *names = arena_zalloc(arena, 1, sizeof *names);
	names->arena = arena;
	names->is_xml = is_xml;
	names->context = json_get(document, "@context");
	find_ignored(names, document);
	find_ignored(names, json_get(json_get(document, "epcisBody"), "queryResults"));
	return names;
}

static bool is_ignored(const struct event_hash_names *names, struct bytes name) {
	for (size_t i = 0; i < names->ignored_count; i++)
		if (bytes_equal(json_string(names->ignored[i]), name)) return true;
	return false;
}

/* --- sorted pieces --- */

struct pieces {
	struct bytes *items;
	size_t count, room;
};

static void add(struct arena *arena, struct pieces *pieces, struct bytes piece) {
	if (pieces->count == pieces->room) {
		struct bytes *more = arena_alloc(arena, (2 * pieces->room + 8) * sizeof *more);
		if (pieces->count) memcpy(more, pieces->items, pieces->count * sizeof *more);
		pieces->items = more;
		pieces->room = 2 * pieces->room + 8;
	}
	pieces->items[pieces->count++] = piece;
}

static int compare(const void *a, const void *b) {
	return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static struct bytes joined(struct arena *arena, const struct pieces *pieces, const char *head) {
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	buf_text(&out, head);
	for (size_t i = 0; i < pieces->count; i++) buf_append(&out, pieces->items[i]);
	const struct bytes text = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return text;
}

static struct bytes sorted(struct arena *arena, struct pieces *pieces, const char *head) {
	if (pieces->count) qsort(pieces->items, pieces->count, sizeof *pieces->items, compare);
	return joined(arena, pieces, head);
}

/* --- values --- */

#define EXACT_DIGITS 15u /* of an integer that is the same as a double */

/* Without zeros behind a fraction. A longer integer is what a double makes of it, as in the reference generator. */
static struct bytes canonical_number(struct arena *arena, struct bytes text) {
	if (text.len > EXACT_DIGITS && gs1_is_digits(text))
		return bytes_text(arena_printf(arena, "%.0f", strtod(arena_strdup(arena, text), NULL)));
	if (memchr(text.data, '.', text.len) && !memchr(text.data, 'e', text.len) &&
	    !memchr(text.data, 'E', text.len)) {
		while (text.data[text.len - 1] == '0') text.len--;
		if (text.data[text.len - 1] == '.') text.len--;
	}
	return text;
}

static struct bytes canonical_time(struct arena *arena, struct bytes text) {
	struct tm at = {0};
	char plain[20] = "";
	unsigned milliseconds = 0, weight = 1000;
	int hours, minutes;
	if (text.len < sizeof plain) return text;
	memcpy(plain, text.data, sizeof plain - 1);
	if (sscanf(plain, "%4d-%2d-%2dT%2d:%2d:%2d", &at.tm_year, &at.tm_mon, &at.tm_mday, &at.tm_hour, &at.tm_min,
		&at.tm_sec) != 6)
		return text;
	at.tm_year -= 1900;
	at.tm_mon--;
	time_t seconds = timegm(&at);
	size_t i = sizeof plain - 1;
	if (text.data[i] == '.')
		for (i++; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++, weight /= 10)
			/* the fourth digit rounds, and those behind it do nothing */
			milliseconds += weight > 1 ? (unsigned)(text.data[i] - '0') * weight / 10
						   : weight == 1 && text.data[i] >= '5';
	seconds += milliseconds / 1000;
	milliseconds %= 1000;
	const char *zone = arena_strdup(arena, bytes_slice(text, i, text.len));
	if (sscanf(zone + (*zone != 0), "%2d:%2d", &hours, &minutes) == 2)
		seconds -= (*zone == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	if (!gmtime_r(&seconds, &at)) return text;
	return bytes_text(arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", at.tm_year + 1900, at.tm_mon + 1,
	    at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec, milliseconds));
}

/* How a field is written: "name=value"; each value of a list by its `inner` name; the members of an object; or each
 * object of a list, headed by `inner`. What a list is called stands in front of it, but for those that `is_bare`. */
enum kind { VALUE, VALUES, OBJECT, OBJECTS };
struct field {
	const char *name;
	enum kind kind;
	const char *inner;           /* of VALUE too: another name; NULL: the same */
	const char *prefix, *urn;    /* what a bare word stands for; how it was spelled before 2.0 */
	const struct field *members; /* in order; ends with a NULL name */
	bool is_time, is_bare, is_number;
};

static bool is_word(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == ':' || text.data[i] == '/') return false;
	return text.len > 0;
}

static struct bytes canonical_text(const struct event_hash_names *names, const struct field *field, struct bytes text) {
	struct buf out;
	const char *prefix = field ? field->prefix : NULL;
	if (field && field->is_time) return canonical_time(names->arena, text);
	if (field && field->urn && bytes_equal(bytes_slice(text, 0, strlen(field->urn)), bytes_text(field->urn)))
		text = bytes_slice(text, strlen(field->urn), text.len);
	if (prefix && is_word(text)) return bytes_text(arena_printf(names->arena, "%s%.*s", prefix, TEXT(text)));
	struct bytes local = text;
	const struct bytes space = epcis_namespace_of(names->is_xml ? NULL : names->context, &local);
	if (space.data) return bytes_text(arena_printf(names->arena, "%.*s%.*s", TEXT(space), TEXT(local)));
	buf_init(&out, BUF_MAX_DEFAULT);
	if (epc_uri_canonical(&out, text)) text = arena_dup(names->arena, buf_view(&out));
	buf_fini(&out);
	return text;
}

static struct bytes value_of(
    const struct event_hash_names *names, const struct field *field, const struct json *value) {
	switch (value->type) {
	case JSON_NUMBER: return canonical_number(names->arena, value->text);
	case JSON_STRING: /* XML has no other numbers */
		if (field && field->is_number && json_is_number(value->text))
			return canonical_number(names->arena, value->text);
		return canonical_text(names, field, value->text);
	case JSON_TRUE: return BYTES_LITERAL("true");
	case JSON_FALSE: return BYTES_LITERAL("false");
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT: break;
	}
	return (struct bytes){NULL, 0};
}

/* --- extensions --- */

static void add_members(
    const struct event_hash_names *names, struct pieces *out, const struct json *object, bool is_own);

static void add_extension(
    const struct event_hash_names *names, struct pieces *out, struct bytes name, const struct json *value) {
	struct arena *arena = names->arena;
	struct bytes local = name;
	const struct bytes space = epcis_namespace_of(names->context, &local);
	const char *key = space.data ? arena_printf(arena, "{%.*s}%.*s", TEXT(space), TEXT(local))
				     : arena_printf(arena, "%.*s", TEXT(local));
	if (json_is(value, JSON_ARRAY)) {
		json_foreach (item, value) add_extension(names, out, name, item);
	} else if (json_is(value, JSON_OBJECT)) {
		const struct json *literal = json_get(value, "@value");
		const struct bytes text = literal ? value_of(names, NULL, literal) : (struct bytes){NULL, 0};
		struct pieces inside = {0};
		if (text.len) key = arena_printf(arena, "%s=%.*s", key, TEXT(text));
		add_members(names, &inside, value, false);
		add(arena, out, sorted(arena, &inside, key));
	} else if (!json_is(value, JSON_NULL)) {
		const struct bytes text = value_of(names, NULL, value);
		add(arena, out, bytes_text(arena_printf(arena, text.len ? "%s=%.*s" : "%s%.*s", key, TEXT(text))));
	}
}

/* Of an object that is EPCIS's own, the members that are not: their names have a prefix. Of another one, all. */
static void add_members(
    const struct event_hash_names *names, struct pieces *out, const struct json *object, bool is_own) {
	json_foreach (member, object) {
		const struct bytes name = member->name;
		const bool is_keyword = name.len && name.data[0] == '@'; /* of JSON-LD: @value, @type */
		const bool has_prefix = name.len && memchr(name.data, ':', name.len);
		const bool is_left_out = bytes_equal(name, BYTES_LITERAL("rdfs:comment")) || is_ignored(names, name);
		if (!is_keyword && !is_left_out && (has_prefix || !is_own)) add_extension(names, out, name, member);
	}
}

/* --- an event's own fields --- */

#define SIMPLE(called)                                                                                                 \
	{ .name = called }
#define NUMBER(called)                                                                                                 \
	{ .name = called, .is_number = true }
#define TIMED(called)                                                                                                  \
	{ .name = called, .is_time = true }
#define WORD(called, prefix_, urn_)                                                                                    \
	{ .name = called, .prefix = prefix_, .urn = urn_ }
#define WORDS(called, prefix_, urn_)                                                                                   \
	{ .name = called, .kind = VALUES, .inner = called, .prefix = prefix_, .urn = urn_, .is_bare = true }
#define EPCS(called)                                                                                                   \
	{ .name = called, .kind = VALUES, .inner = "epc" }
#define WHOLE(called, of)                                                                                              \
	{ .name = called, .kind = OBJECT, .members = of }
#define EACH(called, head, of)                                                                                         \
	{ .name = called, .kind = OBJECTS, .inner = head, .members = of }

static const struct field nothing[] = {SIMPLE(NULL)};
static const struct field place[] = {SIMPLE("id"), SIMPLE(NULL)};
static const struct field quantity[] = {SIMPLE("epcClass"), NUMBER("quantity"), SIMPLE("uom"), SIMPLE(NULL)};
static const struct field persistent[] = {WORDS("set", CBV "Disp-", "urn:epcglobal:cbv:disp:"),
    WORDS("unset", CBV "Disp-", "urn:epcglobal:cbv:disp:"), SIMPLE(NULL)};
static const struct field transaction[] = {
    WORD("type", CBV "BTT-", "urn:epcglobal:cbv:btt:"), SIMPLE("bizTransaction"), SIMPLE(NULL)};
static const struct field source[] = {
    WORD("type", CBV "SDT-", "urn:epcglobal:cbv:sdt:"), SIMPLE("source"), SIMPLE(NULL)};
static const struct field destination[] = {
    WORD("type", CBV "SDT-", "urn:epcglobal:cbv:sdt:"), SIMPLE("destination"), SIMPLE(NULL)};
static const struct field metadata[] = {TIMED("time"), TIMED("startTime"), TIMED("endTime"), SIMPLE("deviceID"),
    SIMPLE("deviceMetadata"), SIMPLE("rawData"), SIMPLE("dataProcessingMethod"), SIMPLE("bizRules"), SIMPLE(NULL)};
static const struct field report[] = {WORD("type", VOC, NULL), WORD("exception", VOC, NULL), SIMPLE("deviceID"),
    SIMPLE("deviceMetadata"), SIMPLE("rawData"), SIMPLE("dataProcessingMethod"), TIMED("time"), SIMPLE("microorganism"),
    SIMPLE("chemicalSubstance"), NUMBER("value"), WORD("component", CBV "Comp-", "urn:epcglobal:cbv:comp:"),
    NUMBER("stringValue"), SIMPLE("booleanValue"), SIMPLE("hexBinaryValue"), SIMPLE("uriValue"), NUMBER("minValue"),
    NUMBER("maxValue"), NUMBER("meanValue"), NUMBER("sDev"), NUMBER("percRank"), NUMBER("percValue"), SIMPLE("uom"),
    SIMPLE("coordinateReferenceSystem"), SIMPLE(NULL)};
static const struct field sensor[] = {WHOLE("sensorMetadata", metadata),
    {.name = "sensorReport", .kind = OBJECTS, .inner = "sensorReport", .members = report, .is_bare = true},
    SIMPLE(NULL)};
static const struct field event_fields[] = {{.name = "type", .inner = "eventType"}, TIMED("eventTime"),
    SIMPLE("eventTimeZoneOffset"), WORDS("certificationInfo", NULL, NULL), SIMPLE("parentID"), EPCS("epcList"),
    EPCS("inputEPCList"), EPCS("childEPCs"), EACH("quantityList", "quantityElement", quantity),
    EACH("childQuantityList", "quantityElement", quantity), EACH("inputQuantityList", "quantityElement", quantity),
    EPCS("outputEPCList"), EACH("outputQuantityList", "quantityElement", quantity), SIMPLE("action"),
    SIMPLE("transformationID"), WORD("bizStep", CBV "BizStep-", "urn:epcglobal:cbv:bizstep:"),
    WORD("disposition", CBV "Disp-", "urn:epcglobal:cbv:disp:"), WHOLE("persistentDisposition", persistent),
    WHOLE("readPoint", place), WHOLE("bizLocation", place), EACH("sensorElementList", "sensorElement", sensor),
    EACH("bizTransactionList", "", transaction), EACH("destinationList", "", destination),
    EACH("sourceList", "", source), WHOLE("ilmd", nothing), SIMPLE(NULL)};

static struct bytes fields_of(
    const struct event_hash_names *names, const struct field *fields, const struct json *object, const char *head);

static void add_value(
    const struct event_hash_names *names, struct pieces *out, const struct field *field, const struct json *value) {
	const struct bytes text = value_of(names, field, value);
	const char *name = field->inner ? field->inner : field->name;
	if (text.data) add(names->arena, out, bytes_text(arena_printf(names->arena, "%s=%.*s", name, TEXT(text))));
}

/* Each value or object of a list, sorted, or the one that stands there without a list. */
static void add_list(
    const struct event_hash_names *names, struct pieces *out, const struct field *field, const struct json *list) {
	struct pieces items = {0};
	const bool is_list = json_is(list, JSON_ARRAY);
	for (const struct json *at = is_list ? list->first : list; at; at = is_list ? at->next : NULL) {
		if (field->kind == VALUES)
			add_value(names, &items, field, at);
		else
			add(names->arena, &items, fields_of(names, field->members, at, field->inner));
	}
	if (items.count) add(names->arena, out, sorted(names->arena, &items, field->is_bare ? "" : field->name));
}

static void add_field(
    const struct event_hash_names *names, struct pieces *out, const struct field *field, const struct json *value) {
	if (field->kind == VALUE) {
		add_value(names, out, field, value);
	} else if (field->kind == OBJECT) {
		const struct bytes text = fields_of(names, field->members, value, field->name);
		if (text.len > strlen(field->name)) add(names->arena, out, text);
	} else {
		add_list(names, out, field, value);
	}
}

static bool is_field(const struct field *fields, struct bytes name) {
	for (; fields->name; fields++)
		if (bytes_equal(name, bytes_text(fields->name))) return true;
	return false;
}

/* What a sensorReport has without a prefix and EPCIS does not know stands among the event's extensions, under its
 * path. */
static void add_strays(const struct event_hash_names *names, struct pieces *out, const struct json *event) {
	json_foreach (element, json_get(event, "sensorElementList"))
		json_foreach (one, json_get(element, "sensorReport"))
			json_foreach (member, one) {
				if (is_field(report, member->name) || memchr(member->name.data, ':', member->name.len))
					continue;
				struct pieces stray = {0};
				add_extension(names, &stray, member->name, member);
				add(names->arena, out,
				    joined(names->arena, &stray, "sensorElementListsensorElementsensorReport"));
			}
}

/* Fields in their order, and behind them what a document adds, sorted. Without fields (ilmd) that is everything. */
static struct bytes fields_of(
    const struct event_hash_names *names, const struct field *fields, const struct json *object, const char *head) {
	struct pieces own = {0}, more = {0};
	for (const struct field *field = fields; field->name; field++) {
		const struct json *value = json_get(object, field->name);
		if (value && !json_is(value, JSON_NULL)) add_field(names, &own, field, value);
	}
	add_members(names, &more, object, fields->name != NULL);
	if (fields == event_fields) add_strays(names, &more, object);
	add(names->arena, &own, sorted(names->arena, &more, ""));
	return joined(names->arena, &own, head);
}

struct bytes event_hash_prehash(const struct event_hash_names *names, const struct json *event) {
	return fields_of(names, event_fields, event, "");
}

void event_hash(char out[EVENT_HASH_TEXT_SIZE], struct bytes prehash) {
	const hash32 hash = sha256(prehash);
	char digits[65] = "";
	for (size_t i = 0; i < 32; i++) snprintf(digits + 2 * i, 3, "%02x", hash.b[i]);
	snprintf(out, EVENT_HASH_TEXT_SIZE, "ni:///sha-256;%s?ver=CBV2.0", digits);
}
