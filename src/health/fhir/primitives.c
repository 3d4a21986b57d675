#include "health/fhir/primitives.h"

#include "health/fhir/decimal.h"
#include "health/fhir/temporal.h"

#define STRING_BYTES_MAX ((size_t)1 << 20) /* datatypes.html#string; attachments are base64Binary */

static bool is_digit(uint8_t c) {
	return c >= '0' && c <= '9';
}

static bool is_space(uint8_t c) {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool begins(struct bytes text, const char *prefix) {
	return bytes_equal(bytes_slice(text, 0, strlen(prefix)), bytes_text(prefix));
}

static const char *boolean(const struct json *value) {
	return json_is(value, JSON_TRUE) || json_is(value, JSON_FALSE) ? NULL : "is not true or false, without quotes";
}

/* --- numbers --- */

static const char *decimal(const struct json *value) {
	return json_is(value, JSON_NUMBER) ? NULL : "is not a number, without quotes";
}

static const char *whole(const struct json *value, int64_t low, const char *why) {
	struct fhir_decimal number;
	int64_t integer;
	if (!json_is(value, JSON_NUMBER)) return "is not a number, without quotes";
	for (size_t i = 0; i < value->text.len; i++)
		if (!is_digit(value->text.data[i]) && value->text.data[i] != '-') return why;
	if (!fhir_decimal_read(&number, value->text) || !fhir_decimal_integer(&integer, number)) return why;
	return integer >= low && integer <= INT32_MAX ? NULL : why;
}

static const char *integer(const struct json *value) {
	return whole(value, INT32_MIN, "is not an integer of 32 bits");
}

static const char *unsigned_int(const struct json *value) {
	return whole(value, 0, "is not an integer from 0 to 2147483647");
}

static const char *positive_int(const struct json *value) {
	return whole(value, 1, "is not an integer from 1 to 2147483647");
}

/* --- texts --- */

static const char *string(const struct json *value) {
	struct bytes text = json_string(value);
	bool has_ink = false;
	if (!text.data) return "is not a string";
	if (!text.len) return "is an empty string; leave the element out";
	if (text.len > STRING_BYTES_MAX) return "is longer than 1 MB";
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 32 && !is_space(text.data[i])) return "has a control character";
		has_ink |= !is_space(text.data[i]);
	}
	return has_ink ? NULL : "has nothing but white space";
}

/* "\S+(\s\S+)*" */
static const char *code(const struct json *value) {
	const char *why = string(value);
	struct bytes text = json_string(value);
	for (size_t i = 0; !why && i < text.len; i++) {
		bool is_edge = i == 0 || i + 1 == text.len || is_space(text.data[i + 1]);
		if (is_space(text.data[i]) && is_edge)
			why = "is not a code: white space at its ends, or twice in a row";
	}
	return why;
}

static const char *id(const struct json *value) {
	const char *why = "is not an id: 1 to 64 letters, digits, - and .";
	struct bytes text = json_string(value);
	if (text.len < 1 || text.len > 64) return why;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (!is_digit(c) && ((c | 32) < 'a' || (c | 32) > 'z') && c != '-' && c != '.') return why;
	}
	return NULL;
}

/* urn:uuid: and 36 characters; `letters` is the bit that may differ from lower case. */
static bool is_uuid(struct bytes text, uint8_t letters) {
	if (!begins(text, "urn:uuid:") || text.len != 9 + 36) return false;
	for (size_t i = 0; i < 36; i++) {
		uint8_t c = text.data[9 + i];
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (is_dash ? c != '-' : !is_digit(c) && ((c | letters) < 'a' || (c | letters) > 'f')) return false;
	}
	return true;
}

/* urn:oid:[0-2](\.(0|[1-9][0-9]*))+ */
static bool is_oid(struct bytes text) {
	if (!begins(text, "urn:oid:") || text.len < 11 || text.data[8] < '0' || text.data[8] > '2') return false;
	size_t at = 9;
	while (at < text.len) {
		if (text.data[at++] != '.' || at == text.len || !is_digit(text.data[at])) return false;
		bool is_zero = text.data[at++] == '0';
		if (is_zero && at < text.len && is_digit(text.data[at])) return false;
		while (at < text.len && is_digit(text.data[at])) at++;
	}
	return true;
}

static const char *uri(const struct json *value) {
	struct bytes text = json_string(value);
	if (!text.data) return "is not a string";
	if (!text.len) return "is an empty string; leave the element out";
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= 32) return "is not a URI: it has white space or a control character";
	const uint8_t *fragment = memchr(text.data, '#', text.len);
	if (fragment) text.len = (size_t)(fragment - text.data);
	if (begins(text, "urn:uuid:") && !is_uuid(text, 32)) return "is not a UUID behind urn:uuid:";
	if (begins(text, "urn:oid:") && !is_oid(text)) return "is not an OID behind urn:oid:";
	return NULL;
}

static const char *oid(const struct json *value) {
	return is_oid(json_string(value)) ? NULL : "is not urn:oid: and an OID";
}

static const char *uuid(const struct json *value) {
	return is_uuid(json_string(value), 0) ? NULL : "is not urn:uuid: and a UUID in lower case";
}

bool fhir_primitive_base64(struct bytes text, size_t *bytes) {
	size_t count = 0, padding = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		bool is_letter = (c | 32) >= 'a' && (c | 32) <= 'z';
		if (is_space(c)) continue;
		if (c == '=')
			padding++;
		else if (padding || (!is_letter && !is_digit(c) && c != '+' && c != '/'))
			return false;
		count++;
	}
	*bytes = count / 4 * 3 - padding;
	return count && count % 4 == 0 && padding <= 2;
}

static const char *base64(const struct json *value) {
	size_t bytes;
	if (!json_is(value, JSON_STRING)) return "is not a string";
	return fhir_primitive_base64(value->text, &bytes)
		   ? NULL
		   : "is not base64: four letters, digits, + and / to three bytes";
}

/* --- dates and times --- */

static bool read_temporal(const struct json *value, bool is_time, struct fhir_temporal *out) {
	/* FHIRPath's spelling "2015T" is none of FHIR's. */
	struct bytes text = json_string(value);
	return text.len && text.data[text.len - 1] != 'T' && fhir_temporal_read(out, text, is_time);
}

static const char *date(const struct json *value) {
	struct fhir_temporal read;
	bool is_good = read_temporal(value, false, &read) && read.precision <= FHIR_DAY;
	return is_good ? NULL : "is not a date: YYYY, YYYY-MM or YYYY-MM-DD";
}

static const char *date_time(const struct json *value) {
	struct fhir_temporal read;
	bool is_good = read_temporal(value, false, &read) &&
		       (read.precision <= FHIR_DAY || (read.precision >= FHIR_SECOND && read.has_zone));
	return is_good ? NULL : "is not a dateTime: a date, or YYYY-MM-DDThh:mm:ss with a time zone";
}

static const char *instant(const struct json *value) {
	struct fhir_temporal read;
	bool is_good = read_temporal(value, false, &read) && read.precision >= FHIR_SECOND && read.has_zone;
	return is_good ? NULL : "is not an instant: YYYY-MM-DDThh:mm:ss with a time zone";
}

static const char *time(const struct json *value) {
	struct fhir_temporal read;
	return read_temporal(value, true, &read) && read.precision >= FHIR_SECOND ? NULL : "is not a time: hh:mm:ss";
}

static const char *xhtml(const struct json *value) {
	return json_is(value, JSON_STRING) && value->text.len ? NULL : "is not a string";
}

fhir_primitive_check *fhir_primitive_find(struct bytes type) {
	static const struct {
		const char *name;
		fhir_primitive_check *check;
	} checks[] = {{"string", string}, {"code", code}, {"uri", uri}, {"id", id}, {"dateTime", date_time},
	    {"decimal", decimal}, {"boolean", boolean}, {"canonical", uri}, {"url", uri}, {"date", date},
	    {"instant", instant}, {"markdown", string}, {"integer", integer}, {"positiveInt", positive_int},
	    {"unsignedInt", unsigned_int}, {"time", time}, {"base64Binary", base64}, {"oid", oid}, {"uuid", uuid},
	    {"xhtml", xhtml}};
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		if (bytes_equal(type, bytes_text(checks[i].name))) return checks[i].check;
	return NULL;
}

const struct json *fhir_primitive_twin(const struct json *object, struct bytes name) {
	json_foreach (member, object)
		if (member->name.len == name.len + 1 && member->name.data[0] == '_' &&
		    memcmp(member->name.data + 1, name.data, name.len) == 0)
			return member;
	return NULL;
}
