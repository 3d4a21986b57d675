/* From a token's claims to an asker. */
#include <stdio.h>

#include "codec/hex.h"
#include "health/consent/purpose.h"
#include "health/fhir/definitions.h"
#include "health/gateway/issuer_private.h"
#include "health/gateway/tokens.h"

/* --- finding a claim --- */

/* A step of a JSON pointer: "~1" is a slash, "~0" a tilde. */
static const struct json *step_into(const struct json *value, struct bytes step) {
	char name[128];
	size_t len = 0;
	for (size_t i = 0; i < step.len; i++) {
		if (len + 1 >= sizeof name) return NULL;
		char c = (char)step.data[i];
		if (c == '~' && i + 1 < step.len) c = step.data[++i] == '1' ? '/' : '~';
		name[len++] = c;
	}
	name[len] = 0;
	return json_get(value, name);
}

static struct bytes take_until(struct bytes *rest, char end) {
	size_t len = 0;
	while (len < rest->len && rest->data[len] != (uint8_t)end) len++;
	struct bytes part = bytes_slice(*rest, 0, len);
	*rest = bytes_slice(*rest, len + 1, rest->len);
	return part;
}

static const struct json *find_claim(const struct json *claims, struct bytes name) {
	if (!name.len || name.data[0] != '/') return step_into(claims, name);
	struct bytes rest = bytes_slice(name, 1, name.len);
	while (claims && rest.len) claims = step_into(claims, take_until(&rest, '/'));
	return claims;
}

/* The first claim of the list that the token has; of a list its first, of a coding its code. NULL: none. */
static const struct json *first_claim(const struct json *claims, const char *names) {
	struct bytes rest = bytes_text(names);
	while (rest.len) {
		const struct json *value = find_claim(claims, take_until(&rest, ','));
		if (json_is(value, JSON_ARRAY)) value = json_at(value, 0);
		if (json_is(value, JSON_OBJECT)) value = json_get(value, "code");
		if (value && !json_is(value, JSON_NULL)) return value;
	}
	return NULL;
}

/* --- texts --- */

/* Into a text that logs and the audit show. A claim that is absent leaves it empty. */
static enum status take_text(char *out, size_t size, const struct json *claim, const char *what, struct err *err) {
	out[0] = 0;
	if (!claim) return STATUS_OK;
	struct bytes text = json_string(claim);
	if (!text.len || text.len >= size)
		return err_set(err, STATUS_DENIED, "the token's %s is not a text of 1 to %zu bytes", what, size - 1);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] == 0x7f)
			return err_set(err, STATUS_DENIED, "the token's %s has control characters", what);
	memcpy(out, text.data, text.len);
	out[text.len] = 0;
	return STATUS_OK;
}

static enum status take_caller(struct asker *out, const struct json *claims, struct err *err) {
	char client[ASKER_TEXT_MAX + 1], subject[ASKER_TEXT_MAX + 1];
	const struct json *claim = json_get(claims, "client_id");
	TRY(take_text(client, sizeof client, claim ? claim : json_get(claims, "azp"), "client_id", err));
	TRY(take_text(subject, sizeof subject, json_get(claims, "sub"), "sub", err));
	if (!client[0] && !subject[0])
		return err_set(
		    err, STATUS_DENIED, "the token names neither a client (client_id, azp) nor a subject (sub)");
	bool is_system = !client[0] || !subject[0] || strcmp(client, subject) == 0;
	if (is_system)
		snprintf(out->name, sizeof out->name, "%s", client[0] ? client : subject);
	else
		snprintf(out->name, sizeof out->name, "%s %s", client, subject);
	if (is_system && strcmp(out->subject, subject) == 0) out->subject[0] = 0;
	return STATUS_OK;
}

/* "http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT", "urn:oid:2.16.840.1.113883.5.8#TREAT": the code alone. */
static enum status take_purpose(struct asker *out, const struct json *claim, const char *otherwise, struct err *err) {
	char text[ASKER_TEXT_MAX + 1];
	enum purpose purpose;
	TRY(take_text(text, sizeof text, claim, "purpose of use", err));
	const char *code = text[0] ? text : otherwise;
	if (!code) return err_set(err, STATUS_DENIED, "the token names no purpose of use");
	for (const char *at = code; *at; at++)
		if (*at == '|' || *at == '#') code = at + 1;
	if (purpose_parse(&purpose, bytes_text(code), NULL) != STATUS_OK)
		return err_set(err, STATUS_DENIED, "the token's purpose of use is not one that the contract has");
	snprintf(out->purpose, sizeof out->purpose, "%s", purpose_code(purpose));
	return STATUS_OK;
}

/* "Patient/123" or "123": a logical id (FHIR R4, datatypes.html#id). */
static enum status take_patient(struct asker *out, struct arena *arena, const struct json *claim, struct err *err) {
	const struct bytes prefix = BYTES_LITERAL("Patient/");
	if (!claim) return STATUS_OK;
	struct bytes id = json_string(claim);
	if (bytes_equal(bytes_slice(id, 0, prefix.len), prefix)) id = bytes_slice(id, prefix.len, id.len);
	bool is_id = id.len > 0 && id.len <= 64;
	for (size_t i = 0; i < id.len; i++) {
		uint8_t c = id.data[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '.') is_id = false;
	}
	if (!is_id) return err_set(err, STATUS_DENIED, "the token's patient is not an id");
	out->patient = arena_dup(arena, id);
	return STATUS_OK;
}

/* --- scopes --- */

/* A text, or a list of texts, as issuers differ. */
static enum status take_scopes(struct asker *out, struct arena *arena, const struct json *claims, struct err *err) {
	struct buf words;
	const struct json *claim = json_get(claims, "scope");
	if (!claim) claim = json_get(claims, "scp");
	buf_init(&words, JWT_BYTES_MAX);
	if (json_is(claim, JSON_STRING)) buf_append(&words, claim->text);
	if (json_is(claim, JSON_ARRAY))
		json_foreach (word, claim) {
			buf_append(&words, json_string(word));
			buf_byte(&words, ' ');
		}
	enum status status = smart_scopes_parse(&out->scopes, arena, buf_view(&words), err);
	buf_fini(&words);
	return status == STATUS_OK ? status : STATUS_DENIED;
}

/* What a scope of everything gives on the routes beside /fhir, which know no types. */
static unsigned rights_of(const struct smart_scopes *scopes) {
	unsigned all = 0, out = 0;
	for (size_t i = 0; i < scopes->count; i++) {
		const struct smart_scope *scope = &scopes->list[i];
		bool is_whole = scope->context != SMART_SCOPE_PATIENT && scope->type == FHIR_NONE && !scope->search.len;
		if (is_whole) all |= scope->rights;
	}
	const unsigned read = SMART_SCOPE_READ | SMART_SCOPE_SEARCH;
	if ((all & read) == read) out |= TOKEN_READ;
	if ((all | read) == SMART_SCOPE_ALL) out |= TOKEN_WRITE;
	return out;
}

enum status issuer_asker_of(struct asker *out, struct arena *arena, const struct issuer_options *options,
    const struct json *claims, struct err *err) {
	*out = (struct asker){.name = ""};
	const struct json *subject = first_claim(claims, options->subject_claims);
	const struct json *organisation = first_claim(claims, options->organisation_claims);
	TRY(take_text(out->subject, sizeof out->subject, subject, "subject", err));
	TRY(take_text(out->organisation, sizeof out->organisation, organisation, "organisation", err));
	TRY(take_caller(out, claims, err));
	TRY(take_purpose(out, first_claim(claims, options->purpose_claims), options->purpose, err));
	TRY(take_patient(out, arena, first_claim(claims, options->patient_claims), err));
	TRY(take_scopes(out, arena, claims, err));
	out->rights = rights_of(&out->scopes);
	return STATUS_OK;
}

/* --- a certificate's tokens --- */

enum status issuer_check_binding(const struct json *claims, const struct http_peer *peer, struct err *err) {
	const struct json *binding = json_get(claims, "cnf");
	if (!binding) return STATUS_OK;
	struct buf hash;
	buf_init(&hash, 64);
	enum status decoded = base64url_data(&hash, json_string(json_get(binding, "x5t#S256")));
	bool is_readable = decoded == STATUS_OK && hash.len == 32 && binding->count == 1;
	bool is_same = is_readable && peer && peer->has_certificate &&
		       bytes_equal(buf_view(&hash), BYTES_OF(peer->certificate_sha256));
	buf_fini(&hash);
	if (!is_readable) return err_set(err, STATUS_DENIED, "the token is bound in a way that is not supported (cnf)");
	if (is_same) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the token is bound to a client certificate that was not shown");
}
