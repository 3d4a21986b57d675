#include "health/gateway/smart_scopes.h"

#include "health/fhir/definitions.h"

static const char rights_letters[] = "cruds";

/* The text up to `end`, which `rest` then begins behind; all of it, and an empty rest, if `end` is not there. */
static struct bytes take_until(struct bytes *rest, char end) {
	size_t len = 0;
	while (len < rest->len && rest->data[len] != (uint8_t)end) len++;
	struct bytes word = bytes_slice(*rest, 0, len);
	*rest = bytes_slice(*rest, len + 1, rest->len);
	return word;
}

static const char *const context_names[] = {
    [SMART_SCOPE_PATIENT] = "patient", [SMART_SCOPE_USER] = "user", [SMART_SCOPE_SYSTEM] = "system"};

static bool parse_context(enum smart_scope_context *out, struct bytes text) {
	for (unsigned i = 0; i < sizeof context_names / sizeof *context_names; i++) {
		if (!bytes_equal(text, bytes_text(context_names[i]))) continue;
		*out = (enum smart_scope_context)i;
		return true;
	}
	return false;
}

/* Version 2: some of "cruds", in this order, each once. */
static bool parse_letters(unsigned *out, struct bytes text) {
	size_t at = 0;
	*out = 0;
	for (unsigned i = 0; i < sizeof rights_letters - 1; i++)
		if (at < text.len && text.data[at] == (uint8_t)rights_letters[i]) {
			*out |= 1u << i;
			at++;
		}
	return at == text.len && *out;
}

static bool parse_version_1(unsigned *out, struct bytes text) {
	static const struct {
		const char *name;
		unsigned rights;
	} words[] = {{"read", SMART_SCOPE_READ | SMART_SCOPE_SEARCH},
	    {"write", SMART_SCOPE_CREATE | SMART_SCOPE_UPDATE | SMART_SCOPE_DELETE}, {"*", SMART_SCOPE_ALL}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!bytes_equal(text, bytes_text(words[i].name))) continue;
		*out = words[i].rights;
		return true;
	}
	return false;
}

/* Parameters are names and values in the characters of a URL; what they mean is the search's business. */
static bool is_search(struct bytes text) {
	if (!text.len || text.data[text.len - 1] == '&') return false;
	while (text.len) {
		struct bytes value = take_until(&text, '&'), name = take_until(&value, '=');
		if (!name.len || !value.len) return false;
		for (size_t i = 0; i < name.len; i++)
			if (name.data[i] <= ' ' || name.data[i] >= 0x7f) return false;
		for (size_t i = 0; i < value.len; i++)
			if (value.data[i] <= ' ' || value.data[i] >= 0x7f) return false;
	}
	return true;
}

static bool parse_scope(struct smart_scope *out, struct bytes word) {
	bool is_granular = memchr(word.data, '?', word.len) != NULL;
	struct bytes head = take_until(&word, '?'), context = take_until(&head, '/'), type = take_until(&head, '.');
	*out = (struct smart_scope){.type = FHIR_NONE, .search = word};
	if (!parse_context(&out->context, context)) return false;
	if (!bytes_equal(type, BYTES_LITERAL("*"))) {
		out->type = fhir_definitions_resource(&fhir_r4, type);
		if (out->type == FHIR_NONE) return false;
	}
	if (is_granular) return is_search(word) && parse_letters(&out->rights, head);
	return parse_letters(&out->rights, head) || parse_version_1(&out->rights, head);
}

enum status smart_scopes_parse(struct smart_scopes *out, struct arena *arena, struct bytes text, struct err *err) {
	*out = (struct smart_scopes){0};
	if (text.len > SMART_SCOPES_BYTES_MAX)
		return err_set(
		    err, STATUS_LIMIT, "the scopes have %zu bytes, %zu are allowed", text.len, SMART_SCOPES_BYTES_MAX);
	struct smart_scope *list = arena_zalloc(arena, SMART_SCOPES_MAX, sizeof *list);
	struct bytes rest = arena_dup(arena, text);
	while (rest.len) {
		struct bytes word = take_until(&rest, ' ');
		struct smart_scope scope;
		if (!word.len || !parse_scope(&scope, word)) continue;
		if (out->count == SMART_SCOPES_MAX)
			return err_set(err, STATUS_LIMIT, "there are more than %u scopes", SMART_SCOPES_MAX);
		list[out->count++] = scope;
	}
	out->list = list;
	return STATUS_OK;
}

void smart_scopes_write(struct buf *out, const struct smart_scopes *scopes) {
	for (size_t i = 0; i < scopes->count; i++) {
		const struct smart_scope *scope = &scopes->list[i];
		const char *type = scope->type == FHIR_NONE ? "*" : fhir_type_name(&fhir_r4, scope->type);
		buf_printf(out, "%s%s/%s.", i ? " " : "", context_names[scope->context], type);
		for (unsigned k = 0; k < sizeof rights_letters - 1; k++)
			if (scope->rights & 1u << k) buf_byte(out, (uint8_t)rights_letters[k]);
		if (scope->search.len) buf_byte(out, '?');
		buf_append(out, scope->search);
	}
}
