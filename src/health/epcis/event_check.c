#include "health/epcis/event_check.h"

#include "health/epcis/event_terms.h"
#include "health/epcis/namespaces.h"
#include "health/gs1/scan.h"

#define TEXT(view) (int)((view).len < 60 ? (view).len : 60), (view).len ? (const char *)(view).data : ""

/* --- words --- */

static const char *const steps[] = {"accepting", "arriving", "assembling", "collecting", "commissioning", "consigning",
    "creating_class_instance", "cycle_counting", "decommissioning", "departing", "destroying", "disassembling",
    "dispensing", "encoding", "entering_exiting", "holding", "inspecting", "installing", "killing", "loading", "other",
    "packing", "picking", "receiving", "removing", "repackaging", "repairing", "replacing", "reserving",
    "retail_selling", "sampling", "sensor_reporting", "shipping", "staging_outbound", "stock_taking", "stocking",
    "storing", "transporting", "unloading", "unpacking", "void_shipping", NULL};
static const char *const dispositions[] = {"active", "available", "completeness_inferred", "completeness_verified",
    "conformant", "container_closed", "container_open", "damaged", "destroyed", "dispensed", "disposed", "encoded",
    "expired", "in_progress", "in_transit", "inactive", "mismatch_class", "mismatch_instance", "mismatch_quantity",
    "needs_replacement", "no_pedigree_match", "non_conformant", "non_sellable_other", "partially_dispensed", "recalled",
    "reserved", "retail_sold", "returned", "sellable_accessible", "sellable_not_accessible", "stolen", "unavailable",
    "unknown", NULL};
static const char *const transaction_types[] = {"bol", "cert", "desadv", "inv", "pedigree", "po", "poc", "prodorder",
    "recadv", "rma", "testprd", "testres", "upevt", NULL};
static const char *const party_types[] = {"owning_party", "possessing_party", "location", NULL};
static const char *const reasons[] = {"did_not_occur", "incorrect_data", NULL};

static bool is_one_of(struct bytes text, const char *const *words) {
	for (; words && *words; words++)
		if (bytes_equal(text, bytes_text(*words))) return true;
	return false;
}

/* What one event is judged with. */
struct judge {
	struct arena *arena;
	const struct json *context;
	struct err *err;
};

/* Own words are URIs, or names whose prefix is known. */
static enum status check_word(const struct judge *judge, const struct json *value,
    enum event_terms_vocabulary vocabulary, const char *const *words, const char *what) {
	if (!value || json_is(value, JSON_NULL)) return STATUS_OK;
	const struct bytes text = json_string(value);
	const struct bytes word = event_terms_word(judge->arena, judge->context, vocabulary, text);
	if (text.len && (is_one_of(word, words) || memchr(word.data, ':', word.len))) return STATUS_OK;
	return err_set(judge->err, STATUS_INVALID, "%s \"%.*s\" is not a word of CBV 2.0, nor a URI", what, TEXT(text));
}

static enum status check_words(const struct judge *judge, const struct json *list, const char *what) {
	json_foreach (item, list) TRY(check_word(judge, item, EVENT_TERMS_DISPOSITIONS, dispositions, what));
	return STATUS_OK;
}

static enum status check_typed(const struct judge *judge, const struct json *list,
    enum event_terms_vocabulary vocabulary, const char *const *words, const char *what, const char *member) {
	if (list && !json_is(list, JSON_ARRAY)) return err_set(judge->err, STATUS_INVALID, "%s is not a list", what);
	json_foreach (item, list) {
		if (!json_string(json_get(item, member)).len)
			return err_set(judge->err, STATUS_INVALID, "%s has an entry without %s", what, member);
		TRY(check_word(judge, json_get(item, "type"), vocabulary, words, what));
	}
	return STATUS_OK;
}

/* --- fields --- */

static const char *const common[] = {"@context", "type", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID",
    "certificationInfo", "errorDeclaration", "bizStep", "disposition", "readPoint", "bizLocation", "bizTransactionList",
    "sourceList", "destinationList", "sensorElementList", NULL};
static const char *const of_object[] = {"action", "epcList", "quantityList", "persistentDisposition", "ilmd", NULL};
static const char *const of_parent[] = {
    "action", "parentID", "childEPCs", "childQuantityList", "persistentDisposition", NULL};
static const char *const of_transaction[] = {
    "action", "parentID", "epcList", "quantityList", "persistentDisposition", NULL};
static const char *const of_transformation[] = {"inputEPCList", "inputQuantityList", "outputEPCList",
    "outputQuantityList", "transformationID", "persistentDisposition", "ilmd", NULL};
static const char *const *const own_fields[] = {[EPCIS_OBJECT] = of_object,
    [EPCIS_AGGREGATION] = of_parent,
    [EPCIS_TRANSACTION] = of_transaction,
    [EPCIS_TRANSFORMATION] = of_transformation,
    [EPCIS_ASSOCIATION] = of_parent};

static enum status check_fields(const struct judge *judge, const struct epcis_event *event) {
	json_foreach (member, event->tree) {
		struct bytes local = member->name;
		const bool is_prefixed = local.len && memchr(local.data, ':', local.len);
		if (is_one_of(local, common) || is_one_of(local, own_fields[event->kind])) continue;
		if (!is_prefixed)
			return err_set(judge->err, STATUS_INVALID,
			    "\"%.*s\" is not a field of a %s; fields of one's own have a prefix", TEXT(local),
			    epcis_kind_name(event->kind));
		if (!epcis_namespace_of(judge->context, &local).data &&
		    !bytes_equal(bytes_slice(local, 0, 4), BYTES_LITERAL("http")))
			return err_set(judge->err, STATUS_INVALID, "the prefix of \"%.*s\" is not defined in @context",
			    TEXT(member->name));
	}
	return STATUS_OK;
}

/* --- identifiers --- */

/* What looks like an EPC is one: a check digit that is wrong is somebody's mistake. Other URIs may be anything. */
static enum status check_epc(const struct judge *judge, struct bytes text, const char *what) {
	static const char *const heads[] = {
	    "urn:epc:id:sgtin:", "urn:epc:id:sscc:", "urn:epc:class:lgtin:", "https://id.gs1.org/", NULL};
	struct scan scan;
	bool is_epc = false;
	for (size_t i = 0; heads[i]; i++)
		is_epc |= bytes_equal(bytes_slice(text, 0, strlen(heads[i])), bytes_text(heads[i]));
	if (!memchr(text.data, ':', text.len))
		return err_set(judge->err, STATUS_INVALID, "%s: \"%.*s\" is not a URI", what, TEXT(text));
	if (!is_epc) return STATUS_OK;
	scan_read(&scan, text);
	if (scan.fault == SCAN_FAULT_NONE) return STATUS_OK;
	return err_set(judge->err, STATUS_INVALID, "%s: %.*s: %s", what, TEXT(text), scan.advice);
}

static enum status check_things(const struct judge *judge, const struct epcis_event *event) {
	for (size_t i = 0; i < event->epc_count; i++) TRY(check_epc(judge, event->epcs[i], "an EPC"));
	for (size_t i = 0; i < event->class_count; i++) TRY(check_epc(judge, event->classes[i], "an EPC class"));
	if (event->parent.len) TRY(check_epc(judge, event->parent, "parentID"));
	return STATUS_OK;
}

static enum status check_event(const struct judge *judge, const struct epcis_event *event) {
	const struct json *tree = event->tree, *persistent = json_get(tree, "persistentDisposition");
	if (event->kind == EPCIS_EXTENSION) return STATUS_OK;
	TRY(check_fields(judge, event));
	TRY(check_word(judge, json_get(tree, "bizStep"), EVENT_TERMS_STEPS, steps, "bizStep"));
	TRY(check_word(judge, json_get(tree, "disposition"), EVENT_TERMS_DISPOSITIONS, dispositions, "disposition"));
	TRY(check_words(judge, json_get(persistent, "set"), "persistentDisposition"));
	TRY(check_words(judge, json_get(persistent, "unset"), "persistentDisposition"));
	TRY(check_typed(judge, json_get(tree, "bizTransactionList"), EVENT_TERMS_TRANSACTION_TYPES, transaction_types,
	    "bizTransactionList", "bizTransaction"));
	TRY(check_typed(
	    judge, json_get(tree, "sourceList"), EVENT_TERMS_PARTY_TYPES, party_types, "sourceList", "source"));
	TRY(check_typed(judge, json_get(tree, "destinationList"), EVENT_TERMS_PARTY_TYPES, party_types,
	    "destinationList", "destination"));
	TRY(check_word(judge, json_get(json_get(tree, "errorDeclaration"), "reason"), EVENT_TERMS_ERROR_REASONS,
	    reasons, "errorDeclaration.reason"));
	return check_things(judge, event);
}

enum status event_check_document(
    size_t *at, struct arena *arena, const struct epcis_document *document, struct err *err) {
	for (*at = 0; *at < document->count; ++*at) {
		const struct arena_mark mark = arena_mark(arena);
		const struct epcis_event *event = &document->events[*at];
		const struct json *own = json_get(event->tree, "@context");
		const struct judge judge = {arena, own ? own : json_get(document->tree, "@context"), err};
		const enum status status = check_event(&judge, event);
		arena_rewind(arena, mark);
		if (status != STATUS_OK) return err_prefix(err, status, "event %zu", *at + 1);
	}
	return STATUS_OK;
}
