#include "health/epcis/epcis.h"

#include "codec/json_input.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "health/epcis/epcis_xml.h"
#include "health/epcis/times.h"
#include "health/gs1/gs1.h"

#define EPCS_MAX 100000u

static const char *const kind_names[] = {"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent",
    "AssociationEvent", "extension event"};

const char *epcis_kind_name(enum epcis_kind kind) {
	return kind_names[kind];
}

/* --- words --- */

/* The word behind the last of these heads, or the whole. "https://ref.gs1.org/cbv/BizStep-shipping" → "shipping". */
static const char *bare_word(struct arena *arena, const struct json *value, const char *const *heads) {
	struct bytes text = json_string(value);
	for (; *heads; heads++) {
		size_t len = strlen(*heads);
		if (text.len > len && bytes_equal(bytes_slice(text, 0, len), bytes_text(*heads)))
			return arena_strdup(arena, bytes_slice(text, len, text.len));
	}
	return arena_strdup(arena, text);
}

static const char *step_of(struct arena *arena, const struct json *value) {
	static const char *const heads[] = {"https://ref.gs1.org/cbv/BizStep-", "https://gs1.org/voc/Bizstep-",
	    "cbv:BizStep-", "urn:epcglobal:cbv:bizstep:", NULL};
	return bare_word(arena, value, heads);
}

static const char *disposition_of(struct arena *arena, const struct json *value) {
	static const char *const heads[] = {
	    "https://ref.gs1.org/cbv/Disp-", "cbv:Disp-", "urn:epcglobal:cbv:disp:", NULL};
	return bare_word(arena, value, heads);
}

/* Is this member's name CBV's `name`, in one of the ways to spell it? */
static bool is_cbv_member(struct bytes member, const char *name) {
	static const char *const heads[] = {
	    "", "cbvmda:", "https://ref.gs1.org/cbv/", "urn:epcglobal:cbv:mda#", "urn:epcglobal:cbv:mda:"};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		size_t len = strlen(heads[i]);
		if (bytes_equal(bytes_slice(member, 0, len), bytes_text(heads[i])) &&
		    bytes_equal(bytes_slice(member, len, member.len), bytes_text(name)))
			return true;
	}
	return false;
}

/* --- times --- */

/* *latest_ms becomes the time, if that is later. */
static bool read_time(uint64_t *latest_ms, struct bytes text) {
	int64_t ms;
	if (!epcis_time(&ms, text)) return false;
	if (ms > 0 && (uint64_t)ms > *latest_ms) *latest_ms = (uint64_t)ms;
	return true;
}

bool epcis_date_seconds(uint64_t *out, struct bytes text, unsigned this_year) {
	const struct bytes zone = bytes_slice(text, 10, text.len);
	if (text.len > 10 && !epcis_time(NULL, text) && !bytes_equal(zone, BYTES_LITERAL("Z")) &&
	    !epcis_is_offset(zone))
		return false;
	return gs1_date_seconds(out, bytes_slice(text, 0, 10), this_year);
}

/* --- contexts --- */

/* What names of the standard may stand for in a context: their addresses, and how the field writes them. */
static const char *const standard_names[][5] = {
    {"cbvmda", "urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda", "urn:epcglobal:cbv:mda#", "https://ref.gs1.org/cbv/"},
    {"cbv", "https://ref.gs1.org/cbv/", "https://ns.gs1.org/cbv/", "urn:epcglobal:cbv:", NULL},
    {"epcis", "https://ref.gs1.org/epcis/", "https://ns.gs1.org/epcis/", "urn:epcglobal:epcis:", NULL},
    {"gs1", "https://gs1.org/voc/", "https://www.gs1.org/voc/", "https://ref.gs1.org/voc/", NULL}};
/* Members that are read; EPCIS's own context protects them, so that no document gives them another meaning. */
static const char *const protected_names[] = {"EPCISDocument", "EPCISQueryDocument", "ObjectEvent", "AggregationEvent",
    "TransactionEvent", "TransformationEvent", "AssociationEvent", "action", "bizStep", "childEPCs",
    "childQuantityList", "destination", "destinationList", "disposition", "epcClass", "epcList", "epcisBody",
    "errorDeclaration", "eventList", "eventTime", "ilmd", "inputEPCList", "itemExpirationDate", "lotNumber",
    "outputEPCList", "outputQuantityList", "parentID", "persistentDisposition", "quantityList", "set", "source",
    "sourceList", "unset"};

static bool is_one_of(struct bytes text, const char *const *names, size_t count) {
	for (size_t i = 0; i < count && names[i]; i++)
		if (bytes_equal(text, bytes_text(names[i]))) return true;
	return false;
}

/* Does a term stand for what the standard's own contexts say, as one does that is copied from them? */
static bool is_standard_term(struct bytes name, struct bytes stands_for) {
	static const char *const heads[] = {"epcis:", "https://ref.gs1.org/epcis/",
	    "cbvmda:", "urn:epcglobal:cbv:mda:", "cbv:", "https://ref.gs1.org/cbv/"};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		const size_t len = strlen(heads[i]);
		if (bytes_equal(bytes_slice(stands_for, 0, len), bytes_text(heads[i])) &&
		    bytes_equal(bytes_slice(stands_for, len, stands_for.len), name))
			return true;
	}
	return false;
}

static enum status check_term(const struct json *member, struct err *err) {
	const struct bytes stands_for =
	    json_is(member, JSON_OBJECT) ? json_string(json_get(member, "@id")) : json_string(member);
	for (size_t i = 0; i < sizeof standard_names / sizeof *standard_names; i++) {
		const char *const *names = standard_names[i];
		if (!bytes_equal(member->name, bytes_text(names[0])) || is_one_of(stands_for, names + 1, 4)) continue;
		return err_set(err, STATUS_INVALID,
		    "the @context gives the prefix %s another meaning than the standard's (%s)", names[0], names[1]);
	}
	const size_t count = sizeof protected_names / sizeof *protected_names;
	if (!is_one_of(member->name, protected_names, count) || is_standard_term(member->name, stands_for))
		return STATUS_OK;
	return err_set(err, STATUS_INVALID, "the @context gives %.*s another meaning than the standard's",
	    (int)member->name.len, (const char *)member->name.data);
}

/* Names are read as CBV's and EPCIS's: a context that says otherwise is refused. An address, a list, or an object. */
static enum status check_context(const struct json *context, struct err *err) {
	if (json_is(context, JSON_OBJECT)) {
		json_foreach (member, context) TRY(check_term(member, err));
	} else if (json_is(context, JSON_ARRAY)) {
		json_foreach (item, context)
			if (json_is(item, JSON_OBJECT)) TRY(check_context(item, err));
	}
	return STATUS_OK;
}

/* --- events --- */

static enum status string_list(struct bytes **out, size_t *count, struct arena *arena, const struct json *list,
    const char *name, struct err *err) {
	*out = NULL;
	*count = 0;
	if (!list) return STATUS_OK;
	if (!json_is(list, JSON_ARRAY) || list->count > EPCS_MAX)
		return err_set(err, STATUS_INVALID, "%s is no list of at most %u", name, EPCS_MAX);
	*out = arena_alloc(arena, (list->count + 1) * sizeof **out);
	json_foreach (item, list) {
		struct bytes text = json_string(item);
		if (!text.len) return err_set(err, STATUS_INVALID, "%s holds what is no identifier", name);
		(*out)[(*count)++] = text;
	}
	return STATUS_OK;
}

static enum status class_list(
    struct epcis_event *out, struct arena *arena, const struct json *list, const char *name, struct err *err) {
	if (!list) return STATUS_OK;
	if (!json_is(list, JSON_ARRAY) || list->count > EPCS_MAX)
		return err_set(err, STATUS_INVALID, "%s is no list of at most %u", name, EPCS_MAX);
	out->classes = arena_alloc(arena, (list->count + 1) * sizeof *out->classes);
	json_foreach (item, list) {
		struct bytes text = json_string(json_get(item, "epcClass"));
		if (!text.len) return err_set(err, STATUS_INVALID, "%s holds an entry without its epcClass", name);
		out->classes[out->class_count++] = text;
	}
	return STATUS_OK;
}

/* The possessing party of a source or destination list, else the owning one. Two different ones of one kind say
 * nothing: which of them has the goods? */
static enum status party_of(struct bytes *out, struct arena *arena, const struct json *event, const char *list,
    const char *member, struct err *err) {
	static const char *const heads[] = {"https://ref.gs1.org/cbv/SDT-", "cbv:SDT-", "urn:epcglobal:cbv:sdt:", NULL};
	static const char *const kinds[] = {"possessing_party", "owning_party"};
	struct bytes found[2] = {{NULL, 0}, {NULL, 0}};
	json_foreach (item, json_get(event, list)) {
		const char *type = bare_word(arena, json_get(item, "type"), heads);
		const struct bytes id = json_string(json_get(item, member));
		for (size_t i = 0; i < 2; i++) {
			if (strcmp(type, kinds[i]) != 0) continue;
			if (found[i].len && !bytes_equal(found[i], id))
				return err_set(
				    err, STATUS_INVALID, "%s names two different parties of type %s", list, kinds[i]);
			found[i] = id;
		}
	}
	*out = found[found[0].len ? 0 : 1];
	return STATUS_OK;
}

static enum status read_action(struct epcis_event *out, const struct json *event, struct err *err) {
	static const char *const names[] = {"", "ADD", "OBSERVE", "DELETE"};
	const struct json *action = json_get(event, "action");
	bool needed = out->kind != EPCIS_TRANSFORMATION && out->kind != EPCIS_EXTENSION;
	if (!action && !needed) return STATUS_OK;
	if (action && out->kind == EPCIS_TRANSFORMATION)
		return err_set(err, STATUS_INVALID, "a TransformationEvent has no action");
	for (int i = EPCIS_ADD; i <= EPCIS_DELETE; i++)
		if (json_string_is(action, names[i])) out->action = (enum epcis_action)i;
	if (out->action == EPCIS_NO_ACTION && needed)
		return err_set(err, STATUS_INVALID, "action must be ADD, OBSERVE or DELETE");
	return STATUS_OK;
}

static enum status read_times(struct epcis_event *out, const struct json *event, struct err *err) {
	const struct json *declared = json_get(json_get(event, "errorDeclaration"), "declarationTime");
	if (!read_time(&out->latest_ms, json_string(json_get(event, "eventTime"))))
		return err_set(err, STATUS_INVALID, "eventTime must be a time with its zone, as 2026-11-22T12:00:00Z");
	if (!epcis_is_offset(json_string(json_get(event, "eventTimeZoneOffset"))))
		return err_set(err, STATUS_INVALID, "eventTimeZoneOffset must be as +01:00");
	const struct json *recorded = json_get(event, "recordTime");
	if (recorded && !read_time(&out->latest_ms, json_string(recorded)))
		return err_set(err, STATUS_INVALID, "recordTime must be a time with its zone");
	if (declared && !read_time(&out->latest_ms, json_string(declared)))
		return err_set(err, STATUS_INVALID, "declarationTime must be a time with its zone");
	return STATUS_OK;
}

/* A string, or a typed literal of JSON-LD: {"@value": "L1", "@type": …}. */
static enum status read_literal(struct bytes *out, const struct json *member, struct err *err) {
	const struct json *value = member->type == JSON_OBJECT ? json_get(member, "@value") : member;
	if (!value || value->type != JSON_STRING)
		return err_set(err, STATUS_INVALID, "%.*s must be a string, in quotes", (int)member->name.len,
		    (const char *)member->name.data);
	if (out->len && !bytes_equal(*out, json_string(value)))
		return err_set(err, STATUS_INVALID, "ilmd says two things: %.*s stands in it under another name too",
		    (int)member->name.len, (const char *)member->name.data);
	*out = json_string(value);
	return STATUS_OK;
}

static enum status read_ilmd(struct epcis_event *out, const struct json *ilmd, struct err *err) {
	json_foreach (member, ilmd) {
		if (is_cbv_member(member->name, "lotNumber")) TRY(read_literal(&out->lot, member, err));
		if (is_cbv_member(member->name, "itemExpirationDate")) TRY(read_literal(&out->expiry, member, err));
	}
	return STATUS_OK;
}

static enum status read_things(
    struct epcis_event *out, struct arena *arena, const struct json *event, struct err *err) {
	bool holds_children = out->kind == EPCIS_AGGREGATION || out->kind == EPCIS_ASSOCIATION;
	const char *list = holds_children ? "childEPCs" : "epcList";
	const char *classes = holds_children ? "childQuantityList" : "quantityList";
	if (out->kind == EPCIS_TRANSFORMATION) {
		list = "outputEPCList";
		classes = "outputQuantityList";
	}
	TRY(string_list(&out->epcs, &out->epc_count, arena, json_get(event, list), list, err));
	TRY(class_list(out, arena, json_get(event, classes), classes, err));
	out->parent = json_string(json_get(event, "parentID"));
	if (holds_children && out->action != EPCIS_OBSERVE && !out->parent.len)
		return err_set(err, STATUS_INVALID, "an aggregation names its parentID");
	if (out->kind == EPCIS_OBJECT && out->epc_count + out->class_count == 0 &&
	    !json_get(event, "sensorElementList"))
		return err_set(err, STATUS_INVALID, "an ObjectEvent names what it is about (epcList or quantityList)");
	return STATUS_OK;
}

static bool has_recalled(struct arena *arena, const struct json *words) {
	json_foreach (word, words)
		if (strcmp(disposition_of(arena, word), "recalled") == 0) return true;
	return false;
}

static enum status read_event(struct epcis_event *out, struct arena *arena, const struct json *event, struct err *err) {
	struct bytes type = json_string(json_get(event, "type"));
	*out = (struct epcis_event){.kind = EPCIS_EXTENSION, .raw = event->raw, .tree = event};
	if (!json_is(event, JSON_OBJECT) || !type.len) return err_set(err, STATUS_INVALID, "it has no type");
	TRY(check_context(json_get(event, "@context"), err));
	TRY(check_context(json_get(json_get(event, "ilmd"), "@context"), err));
	for (int i = 0; i < EPCIS_EXTENSION; i++)
		if (bytes_equal(type, bytes_text(kind_names[i]))) out->kind = (enum epcis_kind)i;
	TRY(read_times(out, event, err));
	TRY(read_action(out, event, err));
	out->step = step_of(arena, json_get(event, "bizStep"));
	out->disposition = disposition_of(arena, json_get(event, "disposition"));
	out->corrects = json_get(event, "errorDeclaration") != NULL;
	const struct json *persistent = json_get(event, "persistentDisposition");
	out->sets_recalled = has_recalled(arena, json_get(persistent, "set"));
	out->unsets_recalled = has_recalled(arena, json_get(persistent, "unset"));
	if (out->sets_recalled && out->unsets_recalled)
		return err_set(err, STATUS_INVALID, "persistentDisposition both sets and unsets recalled");
	TRY(party_of(&out->source, arena, event, "sourceList", "source", err));
	TRY(party_of(&out->destination, arena, event, "destinationList", "destination", err));
	TRY(read_ilmd(out, json_get(event, "ilmd"), err));
	return out->kind == EPCIS_EXTENSION ? STATUS_OK : read_things(out, arena, event, err);
}

/* --- documents --- */

/* "2", "2.0", "2.0.1" */
static bool is_version_2(struct bytes text) {
	if (text.len == 0 || text.data[0] != '2') return false;
	for (size_t i = 1; i < text.len; i++) {
		const bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';
		if (i % 2 ? text.data[i] != '.' : !is_digit) return false;
	}
	return text.len % 2 == 1;
}

static enum status event_list(const struct json **out, const struct json *root, struct err *err) {
	const struct json *body = json_get(root, "epcisBody");
	if (!json_get(root, "@context"))
		return err_set(err, STATUS_INVALID, "an EPCIS document in JSON-LD has an @context");
	if (json_string_is(json_get(root, "type"), "EPCISDocument"))
		*out = json_get(body, "eventList");
	else if (json_string_is(json_get(root, "type"), "EPCISQueryDocument"))
		*out = json_get(json_get(json_get(body, "queryResults"), "resultsBody"), "eventList");
	else
		return err_set(err, STATUS_INVALID, "this is no EPCISDocument");
	if (!is_version_2(json_string(json_get(root, "schemaVersion"))))
		return err_set(err, STATUS_INVALID, "schemaVersion is not 2.0: other versions are not read yet");
	if (!epcis_time(NULL, json_string(json_get(root, "creationDate"))))
		return err_set(err, STATUS_INVALID, "creationDate must be a time with its zone");
	if (!json_is(*out, JSON_ARRAY) || (*out)->count > EPCIS_EVENTS_MAX)
		return err_set(err, STATUS_INVALID, "epcisBody holds no eventList of at most %u", EPCIS_EVENTS_MAX);
	return STATUS_OK;
}

enum status epcis_parse(struct epcis_document *out, struct arena *arena, struct bytes text, struct err *err) {
	const struct json *root, *list = NULL;
	*out = (struct epcis_document){.text = text};
	if (text.len > EPCIS_BYTES_MAX) return err_set(err, STATUS_LIMIT, "an EPCIS document has at most 16 MiB");
	out->is_xml = epcis_xml_is(text);
	if (out->is_xml) {
		TRY(epcis_xml_read(&root, arena, text, err));
	} else {
		TRY(json_input(&text, err));
		TRY(json_parse(&root, arena, text, NULL, err));
	}
	if (!out->is_xml) TRY(check_context(json_get(root, "@context"), err));
	TRY(event_list(&list, root, err));
	out->tree = root;
	out->events = arena_zalloc(arena, list->count + 1, sizeof *out->events);
	json_foreach (event, list) {
		enum status status = read_event(&out->events[out->count], arena, event, err);
		if (status != STATUS_OK) return err_prefix(err, status, "event %zu", out->count + 1);
		out->count++;
	}
	return STATUS_OK;
}

hash32 epcis_root(const struct epcis_document *document, const hash32 *salt) {
	hash32 root = {{0}}, *leaves;
	if (!document->count) return root;
	leaves = mem_zalloc(document->count, sizeof *leaves);
	for (size_t i = 0; i < document->count; i++) {
		uint8_t info[5 + 4] = "event", event[64];
		hash32 hash = sha256(document->events[i].raw);
		store_be32(info + 5, (uint32_t)i);
		hkdf_expand_sha256(event, 32, salt, bytes_make(info, sizeof info));
		memcpy(event + 32, hash.b, 32);
		leaves[i] = merkle_leaf(bytes_make(event, sizeof event));
	}
	root = merkle_root(leaves, document->count);
	mem_free(leaves);
	return root;
}
