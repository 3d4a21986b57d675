/* Reading a bundle's entries into a plan. The rewriting of references is in transaction_links.c. */
#include "health/fhir/transaction.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/http_uri.h"
#include "health/fhir/reference.h"

#define TEXT(view) (int)((view).len < 200 ? (view).len : 200), (const char *)(view).data

void fhir_entry_refuse(struct fhir_transaction *transaction, size_t index, int status, enum fhir_issue_code code,
    const char *format, ...) {
	struct fhir_entry *entry = &transaction->entries[index];
	char expression[48], why[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	if (!entry->issues) {
		entry->issues = arena_zalloc(transaction->arena, 1, sizeof *entry->issues);
		fhir_issues_init(entry->issues, transaction->arena);
	}
	if (entry->status < 400) entry->status = status;
	snprintf(expression, sizeof expression, "Bundle.entry[%zu]", index);
	fhir_issues_add(entry->issues, FHIR_ERROR, code, expression, why);
}

/* --- one entry --- */

static bool read_method(struct fhir_entry *entry, struct bytes method) {
	static const struct {
		const char *name;
		enum fhir_entry_method method;
	} methods[] = {{"GET", FHIR_ENTRY_GET}, {"HEAD", FHIR_ENTRY_GET}, {"POST", FHIR_ENTRY_POST},
	    {"PUT", FHIR_ENTRY_PUT}, {"DELETE", FHIR_ENTRY_DELETE}, {"PATCH", FHIR_ENTRY_PATCH}};
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (!bytes_equal(method, bytes_text(methods[i].name))) continue;
		entry->method = methods[i].method;
		entry->is_head = i == 1;
		return true;
	}
	return false;
}

/* The URL relative to the base; one of another server stays as it is, and then names no path. */
static struct bytes relative(struct bytes url, struct bytes base) {
	if (base.len && url.len >= base.len && memcmp(url.data, base.data, base.len) == 0 &&
	    (url.len == base.len || url.data[base.len] == '/'))
		return bytes_slice(url, base.len, url.len);
	return url;
}

static void read_url(struct fhir_transaction *transaction, size_t index) {
	struct fhir_entry *entry = &transaction->entries[index];
	const struct bytes url = fhir_target_decode(transaction->arena, relative(entry->url, transaction->base));
	switch (fhir_target_parse(&entry->target, transaction->defs, url)) {
	case FHIR_TARGET_FOUND: return;
	case FHIR_TARGET_NO_TYPE:
		fhir_entry_refuse(transaction, index, 404, FHIR_ISSUE_NOT_SUPPORTED,
		    "request.url \"%.*s\" names no resource type of FHIR R4; it is relative to this server's base",
		    TEXT(entry->url));
		return;
	case FHIR_TARGET_NO_ID:
		fhir_entry_refuse(transaction, index, 400, FHIR_ISSUE_VALUE,
		    "request.url \"%.*s\" has an id that FHIR does not allow ([A-Za-z0-9-.], 1 to 64)",
		    TEXT(entry->url));
		return;
	case FHIR_TARGET_NO_PATH:
		fhir_entry_refuse(transaction, index, 400, FHIR_ISSUE_VALUE,
		    "request.url \"%.*s\" is no path of FHIR's REST; write Type, Type/id or Type?parameters",
		    TEXT(entry->url));
		return;
	}
}

/* What a write's URL may be, and that the resource is there and of its type. */
static void check_write(struct fhir_transaction *transaction, size_t index) {
	struct fhir_entry *entry = &transaction->entries[index];
	const bool is_type = entry->target.kind == FHIR_TARGET_TYPE;
	if (entry->method == FHIR_ENTRY_POST && entry->target.kind == FHIR_TARGET_OPERATION) return;
	if (!is_type && (entry->method == FHIR_ENTRY_POST || entry->target.kind != FHIR_TARGET_INSTANCE)) {
		fhir_entry_refuse(transaction, index, 400, FHIR_ISSUE_VALUE,
		    "a %s goes to %s, and request.url is \"%.*s\"", entry->method == FHIR_ENTRY_POST ? "POST" : "write",
		    entry->method == FHIR_ENTRY_POST ? "a type, as Patient" : "Type/id or Type?parameters",
		    TEXT(entry->url));
		return;
	}
	if (is_type && entry->method != FHIR_ENTRY_POST) {
		entry->condition = entry->target.query;
		if (!entry->condition.len)
			fhir_entry_refuse(transaction, index, 400, FHIR_ISSUE_REQUIRED,
			    "request.url \"%.*s\" needs an id (Type/id) or search parameters (Type?parameters)",
			    TEXT(entry->url));
	}
	if (entry->method == FHIR_ENTRY_DELETE) return;
	if (!entry->resource) {
		fhir_entry_refuse(
		    transaction, index, 400, FHIR_ISSUE_REQUIRED, "a POST, PUT or PATCH needs entry.resource");
		return;
	}
	if (entry->method == FHIR_ENTRY_PATCH) return;
	const struct bytes type = json_string(json_get(entry->resource, "resourceType"));
	const char *wanted = fhir_type_name(transaction->defs, entry->target.type);
	if (!bytes_equal(type, bytes_text(wanted)))
		fhir_entry_refuse(transaction, index, 400, FHIR_ISSUE_INVALID,
		    "entry.resource is of type \"%.*s\", and request.url is about %s: both must name one type",
		    TEXT(type), wanted);
}

/* An update's resource has the URL's id (http.html#update). */
static void check_id(struct fhir_transaction *transaction, size_t index) {
	struct fhir_entry *entry = &transaction->entries[index];
	if (entry->method != FHIR_ENTRY_PUT || !entry->target.id.len || !entry->resource) return;
	const struct bytes id = json_string(json_get(entry->resource, "id"));
	if (!bytes_equal(id, entry->target.id))
		fhir_entry_refuse(transaction, index, 400, FHIR_ISSUE_INVALID,
		    "entry.resource has the id \"%.*s\", and request.url \"%.*s\": an update needs the same one",
		    TEXT(id), TEXT(entry->target.id));
}

static void read_entry(struct fhir_transaction *transaction, size_t index, const struct json *json) {
	struct fhir_entry *entry = &transaction->entries[index];
	const struct json *request = json_get(json, "request"), *resource = json_get(json, "resource");
	const struct bytes method = json_string(json_get(request, "method"));
	entry->resource = json_is(resource, JSON_OBJECT) ? resource : NULL;
	entry->full_url = json_string(json_get(json, "fullUrl"));
	entry->url = json_string(json_get(request, "url"));
	entry->if_match = json_string(json_get(request, "ifMatch"));
	entry->if_none_match = json_string(json_get(request, "ifNoneMatch"));
	entry->if_modified_since = json_string(json_get(request, "ifModifiedSince"));
	if (!json_is(request, JSON_OBJECT) || !entry->url.data || !method.data) {
		fhir_entry_refuse(transaction, index, 400, FHIR_ISSUE_REQUIRED,
		    "an entry of a batch or transaction needs request.method and request.url (bdl-3)");
		return;
	}
	if (!read_method(entry, method)) {
		fhir_entry_refuse(transaction, index, 400, FHIR_ISSUE_VALUE,
		    "request.method \"%.*s\" is none of GET, HEAD, POST, PUT, PATCH, DELETE", TEXT(method));
		return;
	}
	read_url(transaction, index);
	if (entry->issues || entry->method == FHIR_ENTRY_GET) return;
	if (entry->method == FHIR_ENTRY_POST)
		entry->condition = fhir_condition_query(transaction->defs, entry->target.type, transaction->base,
		    json_string(json_get(request, "ifNoneExist")));
	check_write(transaction, index);
	check_id(transaction, index);
}

/* --- the bundle --- */

static void put_order(struct fhir_transaction *transaction) {
	size_t at = 0;
	transaction->order = arena_zalloc(transaction->arena, transaction->count + 1, sizeof *transaction->order);
	for (int method = FHIR_ENTRY_DELETE; method <= FHIR_ENTRY_GET; method++)
		for (size_t i = 0; i < transaction->count; i++)
			if ((int)transaction->entries[i].method == method) transaction->order[at++] = i;
}

/* PATCH counts as an update: they share a place in the order, and no identity. */
static void put_links(struct fhir_transaction *transaction) {
	names_init(&transaction->links, transaction->arena, transaction->count);
	for (size_t i = 0; i < transaction->count; i++) {
		const struct fhir_entry *entry = &transaction->entries[i];
		if (!entry->full_url.len || entry->method == FHIR_ENTRY_GET) continue;
		if (names_put(&transaction->links, entry->full_url, i) || !transaction->is_atomic) continue;
		fhir_entry_refuse(transaction, i, 400, FHIR_ISSUE_DUPLICATE,
		    "another entry has the fullUrl \"%.*s\" too (bdl-7)", TEXT(entry->full_url));
	}
}

#define IDENTIFIERS_MAX 20u /* of one resource that conditional references find */

static void name_identifiers(struct fhir_transaction *transaction, size_t index) {
	const struct fhir_entry *entry = &transaction->entries[index];
	const struct json *list = json_get(entry->resource, "identifier");
	size_t count = 0;
	json_foreach (identifier, list) {
		const struct bytes system = json_string(json_get(identifier, "system"));
		const struct bytes value = json_string(json_get(identifier, "value"));
		if (!value.len || count++ == IDENTIFIERS_MAX) continue;
		const char *name = arena_printf(transaction->arena, "%s?identifier=%.*s|%.*s",
		    fhir_type_name(transaction->defs, entry->target.type), (int)system.len, (const char *)system.data,
		    (int)value.len, (const char *)value.data);
		if (names_find(&transaction->named, bytes_text(name)) != index)
			names_share(&transaction->named, bytes_text(name), index);
	}
}

static void put_named(struct fhir_transaction *transaction) {
	names_init(&transaction->named, transaction->arena, transaction->count * IDENTIFIERS_MAX);
	for (size_t i = 0; i < transaction->count; i++) {
		const struct fhir_entry *entry = &transaction->entries[i];
		const bool is_written = entry->method == FHIR_ENTRY_POST || entry->method == FHIR_ENTRY_PUT;
		if (is_written && !entry->issues && entry->target.type != FHIR_NONE) name_identifiers(transaction, i);
	}
}

/* The same for "identifier=a%7Cb" and "identifier=a|b". */
static struct bytes name_of_condition(struct fhir_transaction *transaction, const struct fhir_entry *entry) {
	struct buf name;
	buf_init(&name, BUF_MAX_DEFAULT);
	buf_text(&name, fhir_type_name(transaction->defs, entry->target.type));
	buf_byte(&name, '?');
	const size_t len = name.len;
	if (!http_percent_decode(&name, entry->condition, true)) {
		name.len = len;
		buf_append(&name, entry->condition);
	}
	const struct bytes out = arena_dup(transaction->arena, buf_view(&name));
	buf_fini(&name);
	return out;
}

/* Entries are resolved against what was there before the bundle: two that create under one condition, if nothing fits
 * it, would make twins. */
static void check_conditions(struct fhir_transaction *transaction) {
	struct names conditions;
	names_init(&conditions, transaction->arena, transaction->count);
	for (size_t i = 0; i < transaction->count; i++) {
		const struct fhir_entry *entry = &transaction->entries[i];
		const bool creates = entry->method == FHIR_ENTRY_POST || entry->method == FHIR_ENTRY_PUT;
		if (!creates || entry->issues || !entry->condition.len || entry->target.type == FHIR_NONE) continue;
		const struct bytes name = name_of_condition(transaction, entry);
		if (names_put(&conditions, name, i)) continue;
		fhir_entry_refuse(transaction, i, 400, FHIR_ISSUE_DUPLICATE,
		    "entry %zu creates under the condition \"%.*s\" too: write the resource once, and refer to its fullUrl",
		    names_find(&conditions, name), TEXT(entry->condition));
	}
}

/* The whole's issues are those of its entries, for a transaction. */
static bool gather(struct fhir_transaction *transaction, struct fhir_issues *issues) {
	for (size_t i = 0; transaction->is_atomic && i < transaction->count; i++) {
		const struct fhir_issues *own = transaction->entries[i].issues;
		for (size_t k = 0; own && k < own->count; k++)
			fhir_issues_add(issues, own->list[k].severity, own->list[k].code, own->list[k].expression,
			    own->list[k].diagnostics);
	}
	return !issues->has_error;
}

static bool read_bundle(struct fhir_transaction *out, struct fhir_issues *issues, const struct json *bundle) {
	const struct json *type = json_get(bundle, "type"), *entries = json_get(bundle, "entry");
	out->is_atomic = json_string_is(type, "transaction");
	if (!json_string_is(json_get(bundle, "resourceType"), "Bundle") ||
	    (!out->is_atomic && !json_string_is(type, "batch"))) {
		fhir_issues_add(issues, FHIR_ERROR, FHIR_ISSUE_VALUE, "Bundle.type",
		    "what is posted to the base must be a Bundle of type transaction or batch; post another Bundle to "
		    "Bundle, to keep it as it is");
		return false;
	}
	if (entries && !json_is(entries, JSON_ARRAY)) {
		fhir_issues_add(issues, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "Bundle.entry", "entry must be an array");
		return false;
	}
	out->count = entries ? entries->count : 0;
	if (out->count <= FHIR_TRANSACTION_MAX) return true;
	fhir_issues_add(issues, FHIR_ERROR, FHIR_ISSUE_TOO_COSTLY, "Bundle.entry",
	    arena_printf(issues->arena, "it has %zu entries, and %u are taken at once: divide it", out->count,
		FHIR_TRANSACTION_MAX));
	return false;
}

bool fhir_transaction_read(struct fhir_transaction *out, struct fhir_issues *issues,
    const struct fhir_definitions *defs, const struct json *bundle, struct bytes base) {
	size_t index = 0;
	*out = (struct fhir_transaction){.arena = issues->arena, .defs = defs, .base = base};
	if (!read_bundle(out, issues, bundle)) return false;
	out->entries = arena_zalloc(out->arena, out->count + 1, sizeof *out->entries);
	json_foreach (entry, json_get(bundle, "entry")) read_entry(out, index++, entry);
	put_order(out);
	put_links(out);
	check_conditions(out);
	put_named(out);
	return gather(out, issues);
}

bool fhir_transaction_check_overlap(struct fhir_transaction *transaction) {
	struct names written;
	bool is_free = true;
	names_init(&written, transaction->arena, transaction->count);
	for (size_t i = 0; i < transaction->count; i++) {
		const struct fhir_entry *entry = &transaction->entries[i];
		if (entry->method == FHIR_ENTRY_GET || entry->issues || !entry->reference.len) continue;
		if (names_put(&written, entry->reference, i)) continue;
		is_free = false;
		fhir_entry_refuse(transaction, i, 400, FHIR_ISSUE_DUPLICATE,
		    "entry %zu writes %.*s too, and a bundle writes each resource once",
		    names_find(&written, entry->reference), TEXT(entry->reference));
	}
	return is_free;
}
