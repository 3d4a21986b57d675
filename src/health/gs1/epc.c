#include "health/gs1/epc.h"

#include <stdio.h>

#define FIELDS_MAX 3u

static bool fail(struct scan *scan, const char *what) {
	return scan_fail(scan, SCAN_FAULT_BAD_URI, "this EPC URN has %s", what);
}

static int hex_value(uint8_t c) {
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes %XX; false for a broken one or too long a value. */
static bool unescape(char *out, size_t size, struct bytes text) {
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++, len++) {
		int high = 0, low = text.data[i];
		if (len + 1 == size) return false;
		if (text.data[i] == '%') {
			if (i + 2 >= text.len) return false;
			high = hex_value(text.data[i + 1]);
			low = hex_value(text.data[i + 2]);
			if (high < 0 || low < 0) return false;
			i += 2;
		}
		out[len] = (char)(high * 16 + low);
	}
	out[len] = 0;
	return len > 0 && gs1_is_cset82(bytes_make(out, len));
}

/* The first `count` - 1 fields end at dots; the last is the rest. */
static bool split(struct bytes *fields, size_t count, struct bytes text) {
	for (size_t i = 0; i + 1 < count; i++) {
		size_t len = 0;
		while (len < text.len && text.data[len] != '.') len++;
		if (len == text.len) return false;
		fields[i] = bytes_slice(text, 0, len);
		text = bytes_slice(text, len + 1, text.len);
	}
	fields[count - 1] = text;
	return true;
}

static bool is_prefix(struct bytes field) {
	return gs1_is_digits(field) && field.len >= 6 && field.len <= 12;
}

static bool is_digits_or_empty(struct bytes field) {
	return field.len == 0 || gs1_is_digits(field);
}

/* Joins indicator (or extension digit), company prefix and reference, and appends the check digit. */
static struct bytes key_of(char *out, bool has_indicator, struct bytes prefix, struct bytes reference) {
	size_t len = 0;
	if (has_indicator) out[len++] = (char)reference.data[0];
	memcpy(out + len, prefix.data, prefix.len);
	len += prefix.len;
	if (has_indicator) reference = bytes_slice(reference, 1, reference.len);
	if (reference.len) memcpy(out + len, reference.data, reference.len);
	len += reference.len;
	out[len] = gs1_check_digit(bytes_make(out, len));
	return bytes_make(out, len + 1);
}

static bool add(struct scan *scan, const char *ai, struct bytes value) {
	return scan_add(scan, gs1_ai_named(bytes_text(ai)), value);
}

/* SGTIN and LGTIN: prefix and item reference are 13 digits together. */
static bool trade_item(struct scan *scan, const char *second, struct bytes text) {
	struct bytes f[FIELDS_MAX];
	char key[20], value[21];
	if (!split(f, 3, text)) return fail(scan, "too few fields");
	if (!is_prefix(f[0]) || !gs1_is_digits(f[1]) || f[0].len + f[1].len != 13)
		return fail(scan, "a company prefix and item reference that are not 13 digits together");
	if (!unescape(value, sizeof value, f[2])) return fail(scan, "a bad serial or lot");
	return add(scan, "01", key_of(key, true, f[0], f[1])) && add(scan, second, bytes_text(value));
}

static bool container(struct scan *scan, struct bytes text) {
	struct bytes f[FIELDS_MAX];
	char key[20];
	if (!split(f, 2, text)) return fail(scan, "too few fields");
	if (!is_prefix(f[0]) || !gs1_is_digits(f[1]) || f[0].len + f[1].len != 17)
		return fail(scan, "a company prefix and serial reference that are not 17 digits together");
	return add(scan, "00", key_of(key, true, f[0], f[1]));
}

static bool place(struct scan *scan, bool has_extension, struct bytes text) {
	struct bytes f[FIELDS_MAX];
	char key[20], extension[21];
	if (!split(f, has_extension ? 3 : 2, text)) return fail(scan, "too few fields");
	if (!is_prefix(f[0]) || !is_digits_or_empty(f[1]) || f[0].len + f[1].len != 12)
		return fail(scan, "a company prefix and location reference that are not 12 digits together");
	if (has_extension && !unescape(extension, sizeof extension, f[2])) return fail(scan, "a bad extension");
	if (!add(scan, has_extension ? "414" : "417", key_of(key, false, f[0], f[1]))) return false;
	return !has_extension || strcmp(extension, "0") == 0 || add(scan, "254", bytes_text(extension));
}

bool scan_epc_urn(struct scan *scan, struct bytes urn) {
	static const char *const heads[] = {
	    "urn:epc:id:sgtin:", "urn:epc:class:lgtin:", "urn:epc:id:sscc:", "urn:epc:id:sgln:", "urn:epc:id:pgln:"};
	size_t which = 0;
	while (which < 5 && !bytes_equal(bytes_slice(urn, 0, strlen(heads[which])), bytes_text(heads[which]))) which++;
	if (which == 5)
		return scan_fail(scan, SCAN_FAULT_NOT_CLAIMED, "this kind of EPC URN (%.*s) names no medicine",
		    (int)(urn.len < 40 ? urn.len : 40), (const char *)urn.data);
	struct bytes text = bytes_slice(urn, strlen(heads[which]), urn.len);
	if (which < 2) return trade_item(scan, which == 0 ? "21" : "10", text);
	if (which == 2) return container(scan, text);
	return place(scan, which == 3, text);
}

/* --- writing --- */

/* Characters that stand for themselves in a path segment (RFC 3986 unreserved), or in a URN's field (TDS §5.4). */
static size_t escape(char *out, size_t size, const char *value, const char *plain) {
	size_t len = 0;
	for (; *value && len + 4 < size; value++) {
		bool letter = (*value >= 'A' && *value <= 'Z') || (*value >= 'a' && *value <= 'z');
		if (letter || (*value >= '0' && *value <= '9') || strchr(plain, *value))
			out[len++] = *value;
		else
			len += (size_t)snprintf(out + len, size - len, "%%%02X", (unsigned)(unsigned char)*value);
	}
	out[len] = 0;
	return len;
}

bool epc_digital_link(char out[EPC_TEXT_MAX], const struct scan *scan) {
	char text[80] = "";
	const struct scan_element *extension = scan_element(scan, "254"), *party = scan_element(scan, "417");
	int used = -1;
	if (scan->gtin[0] && scan->serial[0]) {
		escape(text, sizeof text, scan->serial, "-._~");
		used = snprintf(out, EPC_TEXT_MAX, "https://id.gs1.org/01/%s/21/%s", scan->gtin, text);
	} else if (scan->gtin[0] && scan->lot[0]) {
		escape(text, sizeof text, scan->lot, "-._~");
		used = snprintf(out, EPC_TEXT_MAX, "https://id.gs1.org/01/%s/10/%s", scan->gtin, text);
	} else if (scan->gtin[0]) {
		used = snprintf(out, EPC_TEXT_MAX, "https://id.gs1.org/01/%s", scan->gtin);
	} else if (scan->sscc[0]) {
		used = snprintf(out, EPC_TEXT_MAX, "https://id.gs1.org/00/%s", scan->sscc);
	} else if (scan->gln[0]) {
		if (extension) escape(text, sizeof text, extension->value, "-._~");
		used = snprintf(out, EPC_TEXT_MAX, "https://id.gs1.org/%s/%s%s%s", party ? "417" : "414", scan->gln,
		    extension ? "/254/" : "", text);
	}
	return used > 0 && (size_t)used < EPC_TEXT_MAX;
}

bool epc_container_code(char out[EPC_CODE_MAX], const struct scan *scan) {
	if (!scan->sscc[0]) return scan->gtin[0] && scan->serial[0] && epc_digital_link(out, scan);
	memcpy(out, scan->sscc, sizeof scan->sscc);
	return true;
}

bool epc_urn(char out[EPC_TEXT_MAX], const struct scan *scan, unsigned n) {
	char text[80] = "";
	const char *plain = "!'()*+,-.:;=_";
	const struct scan_element *extension = scan_element(scan, "254");
	bool party = scan_element(scan, "417") != NULL;
	int used = -1;
	if (n < 6 || n > 12) return false;
	if (scan->gtin[0] && (scan->serial[0] || scan->lot[0])) {
		escape(text, sizeof text, scan->serial[0] ? scan->serial : scan->lot, plain);
		used = snprintf(out, EPC_TEXT_MAX, "%s:%.*s.%c%.*s.%s",
		    scan->serial[0] ? "urn:epc:id:sgtin" : "urn:epc:class:lgtin", (int)n, scan->gtin + 1, scan->gtin[0],
		    (int)(12 - n), scan->gtin + 1 + n, text);
	} else if (scan->sscc[0]) {
		used = snprintf(out, EPC_TEXT_MAX, "urn:epc:id:sscc:%.*s.%c%.*s", (int)n, scan->sscc + 1, scan->sscc[0],
		    (int)(16 - n), scan->sscc + 1 + n);
	} else if (scan->gln[0]) {
		escape(text, sizeof text, extension ? extension->value : "0", plain);
		used = snprintf(out, EPC_TEXT_MAX, "urn:epc:id:%s:%.*s.%.*s%s%s", party ? "pgln" : "sgln", (int)n,
		    scan->gln, (int)(12 - n), scan->gln + n, party ? "" : ".", party ? "" : text);
	}
	return used > 0 && (size_t)used < EPC_TEXT_MAX;
}
