#include "health/gs1/epc_uri.h"

#include "health/gs1/gs1.h"

#define CANONICAL "https://id.gs1.org/"
#define FIELDS_MAX 5u
#define KEY_MAX 48u

/* --- URNs --- */

/* How a URN's fields make a key: company prefix and reference have `digits` together, and "indicator" and check digit
 * are moved or reckoned. If `digits` is 0, they are characters that just follow each other. */
struct scheme {
	const char *urn;
	const char *ai, *qualifier; /* qualifier NULL: what follows the reference belongs to the key */
	uint8_t digits;
	bool has_indicator, has_check_digit;
	uint8_t fields; /* of the whole: prefix, reference, …, tail */
	const char *before;
};
static const struct scheme schemes[] = {
    {"urn:epc:id:sgtin:", "01", "21", 13, true, true, 3, ""},
    {"urn:epc:id:upui:", "01", "235", 13, true, true, 3, ""},
    {"urn:epc:class:lgtin:", "01", "10", 13, true, true, 3, ""},
    {"urn:epc:idpat:sgtin:", "01", "21", 13, true, true, 3, ""},
    {"urn:epc:idpat:upui:", "01", "235", 13, true, true, 3, ""},
    {"urn:epc:id:itip:", "8006", "21", 13, true, true, 5, ""},
    {"urn:epc:idpat:itip:", "8006", "21", 13, true, true, 5, ""},
    {"urn:epc:id:sscc:", "00", NULL, 17, true, true, 2, ""},
    {"urn:epc:id:sgln:", "414", "254", 12, false, true, 3, ""},
    {"urn:epc:id:pgln:", "417", NULL, 12, false, true, 2, ""},
    {"urn:epc:id:grai:", "8003", NULL, 12, false, true, 3, "0"},
    {"urn:epc:idpat:grai:", "8003", NULL, 12, false, true, 3, "0"},
    {"urn:epc:id:gsrn:", "8018", NULL, 17, false, true, 2, ""},
    {"urn:epc:id:gsrnp:", "8017", NULL, 17, false, true, 2, ""},
    {"urn:epc:id:gsin:", "402", NULL, 16, false, true, 2, ""},
    {"urn:epc:id:gdti:", "253", NULL, 12, false, true, 3, ""},
    {"urn:epc:idpat:gdti:", "253", NULL, 12, false, true, 3, ""},
    {"urn:epc:id:sgcn:", "255", NULL, 12, false, true, 3, ""},
    {"urn:epc:idpat:sgcn:", "255", NULL, 12, false, true, 3, ""},
    {"urn:epc:id:giai:", "8004", NULL, 0, false, false, 2, ""},
    {"urn:epc:id:ginc:", "401", NULL, 0, false, false, 2, ""},
    {"urn:epc:id:cpi:", "8010", "8011", 0, false, false, 3, ""},
    {"urn:epc:idpat:cpi:", "8010", "8011", 0, false, false, 3, ""},
};

static int hex_value(uint8_t c) {
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What a path of a canonical Digital Link has as it is (CBV 2.0 §8.9.2 step 18). */
static bool is_plain(uint8_t c) {
	const uint8_t letter = c | 0x20;
	return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._~'", c));
}

/* Escapes anew whatever is escaped or not; a "%" that escapes nothing is itself. */
static void put_escaped(struct buf *out, struct bytes text) {
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (c == '%' && i + 2 < text.len && hex_value(text.data[i + 1]) >= 0 &&
		    hex_value(text.data[i + 2]) >= 0) {
			c = (uint8_t)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
			i += 2;
		}
		if (is_plain(c))
			buf_byte(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

/* All but the last field end at dots. False: there are fewer. */
static bool split(struct bytes *fields, size_t count, struct bytes text) {
	for (size_t i = 0; i + 1 < count; i++) {
		const uint8_t *dot = text.len ? memchr(text.data, '.', text.len) : NULL;
		if (!dot) return false;
		const size_t len = (size_t)(dot - text.data);
		fields[i] = bytes_slice(text, 0, len);
		text = bytes_slice(text, len + 1, text.len);
	}
	fields[count - 1] = text;
	return true;
}

/* Prefix and reference as the key has them; false: they are not as long as the scheme says, or no digits. */
static bool put_key(struct buf *out, const struct scheme *scheme, struct bytes prefix, struct bytes reference) {
	uint8_t digits[KEY_MAX];
	size_t len = 0;
	if (!scheme->digits) {
		if (!prefix.len || !reference.len) return false;
		put_escaped(out, prefix);
		put_escaped(out, reference);
		return true;
	}
	if (prefix.len + reference.len != scheme->digits || !gs1_is_digits(prefix)) return false;
	if (reference.len && !gs1_is_digits(reference)) return false;
	if (scheme->has_indicator) {
		if (!reference.len) return false;
		digits[len++] = reference.data[0];
		reference = bytes_slice(reference, 1, reference.len);
	}
	memcpy(digits + len, prefix.data, prefix.len);
	len += prefix.len;
	if (reference.len) memcpy(digits + len, reference.data, reference.len);
	len += reference.len;
	digits[len] = (uint8_t)gs1_check_digit(bytes_make(digits, len));
	buf_append(out, bytes_text(scheme->before));
	buf_append(out, bytes_make(digits, len + 1));
	return true;
}

static bool put_urn(struct buf *out, const struct scheme *scheme, struct bytes text) {
	struct bytes fields[FIELDS_MAX];
	if (!split(fields, scheme->fields, text)) return false;
	buf_printf(out, CANONICAL "%s/", scheme->ai);
	if (!put_key(out, scheme, fields[0], fields[1])) return false;
	for (uint8_t i = 2; i + 1 < scheme->fields; i++) {
		if (!gs1_is_digits(fields[i]) || fields[i].len != 2) return false;
		buf_append(out, fields[i]);
	}
	if (scheme->fields == 2) return true;
	const struct bytes tail = fields[scheme->fields - 1];
	if (!tail.len) return false;
	if (bytes_equal(tail, BYTES_LITERAL("*"))) return strncmp(scheme->urn, "urn:epc:idpat:", 14) == 0;
	if (strcmp(scheme->ai, "414") == 0 && bytes_equal(tail, BYTES_LITERAL("0"))) return true;
	if (scheme->qualifier) buf_printf(out, "/%s/", scheme->qualifier);
	put_escaped(out, tail);
	return true;
}

/* --- Digital Links --- */

/* The keys of EPCs, what qualifies them to one, and the words that Digital Link 1.1 had for them. `digits`: the key
 * has at least so many, and then anything. */
struct link_key {
	const char *ai, *word;
	const char *qualifiers[3];
	uint8_t digits;
	bool is_exact;
};
static const struct link_key link_keys[] = {
    {"01", "gtin", {"21", "235", "10"}, 8, true},
    {"8006", "itip", {"21", "10"}, 18, true},
    {"8010", "cpid", {"8011"}, 4, false},
    {"414", "gln", {"254"}, 13, true},
    {"417", "party", {NULL}, 13, true},
    {"8017", "gsrnp", {NULL}, 18, true},
    {"8018", "gsrn", {NULL}, 18, true},
    {"255", "gcn", {NULL}, 13, false},
    {"00", "sscc", {NULL}, 18, true},
    {"253", "gdti", {NULL}, 13, false},
    {"401", "ginc", {NULL}, 4, false},
    {"402", "gsin", {NULL}, 17, true},
    {"8003", "grai", {NULL}, 14, false},
    {"8004", "giai", {NULL}, 4, false},
};
static const char *const qualifier_words[][2] = {{"21", "ser"}, {"10", "lot"}, {"254", "glnx"}, {"8011", "cpsn"}};

static bool is(struct bytes segment, const char *word) {
	return word && bytes_equal(segment, bytes_text(word));
}

static bool is_qualifier(struct bytes segment, const char *ai) {
	for (size_t i = 0; i < sizeof qualifier_words / sizeof *qualifier_words; i++)
		if (strcmp(qualifier_words[i][0], ai) == 0 && is(segment, qualifier_words[i][1])) return true;
	return is(segment, ai);
}

static bool take_segment(struct bytes *segment, struct bytes *path) {
	if (!path->len || path->data[0] != '/') return false;
	*path = bytes_slice(*path, 1, path->len);
	const uint8_t *end = path->len ? memchr(path->data, '/', path->len) : NULL;
	*segment = bytes_slice(*path, 0, end ? (size_t)(end - path->data) : path->len);
	*path = bytes_slice(*path, segment->len, path->len);
	return true;
}

static bool is_value(const struct link_key *key, struct bytes value) {
	const bool is_gtin = strcmp(key->ai, "01") == 0;
	if (is_gtin) return gs1_is_digits(value) && (value.len == 8 || (value.len >= 12 && value.len <= 14));
	if (key->is_exact ? value.len != key->digits : value.len < key->digits) return false;
	return gs1_is_digits(bytes_slice(value, 0, key->digits));
}

static void put_link(struct buf *out, const struct link_key *key, struct bytes value, struct bytes path) {
	struct bytes name, found;
	buf_printf(out, CANONICAL "%s/", key->ai);
	if (strcmp(key->ai, "01") == 0) buf_printf(out, "%.*s", (int)(14 - value.len), "00000000000000");
	put_escaped(out, value);
	for (size_t i = 0; i < 3 && key->qualifiers[i]; i++)
		for (struct bytes rest = path; take_segment(&name, &rest) && take_segment(&found, &rest);)
			if (is_qualifier(name, key->qualifiers[i]) && found.len) {
				buf_printf(out, "/%s/", key->qualifiers[i]);
				put_escaped(out, found);
				return;
			}
}

static bool put_link_of(struct buf *out, struct bytes text) {
	const size_t scheme = is(bytes_slice(text, 0, 8), "https://")  ? 8
			      : is(bytes_slice(text, 0, 7), "http://") ? 7
								       : 0;
	struct bytes path = bytes_slice(text, scheme, text.len), segment, value;
	if (!scheme) return false;
	for (size_t i = 0; i < path.len; i++)
		if (path.data[i] == '?' || path.data[i] == '#') path.len = i;
	const uint8_t *slash = path.len ? memchr(path.data, '/', path.len) : NULL;
	if (!slash) return false;
	path = bytes_slice(path, (size_t)(slash - path.data), path.len);
	while (take_segment(&segment, &path)) {
		struct bytes rest = path;
		if (!take_segment(&value, &rest)) return false;
		for (size_t i = 0; i < sizeof link_keys / sizeof *link_keys; i++) {
			const struct link_key *key = &link_keys[i];
			if ((!is(segment, key->ai) && !is(segment, key->word)) || !is_value(key, value)) continue;
			put_link(out, key, value, rest);
			return true;
		}
	}
	return false;
}

bool epc_uri_canonical(struct buf *out, struct bytes text) {
	const size_t start = out->len;
	bool done = false;
	for (size_t i = 0; !done && i < sizeof schemes / sizeof *schemes; i++) {
		const size_t len = strlen(schemes[i].urn);
		if (!is(bytes_slice(text, 0, len), schemes[i].urn)) continue;
		done = put_urn(out, &schemes[i], bytes_slice(text, len, text.len));
		break;
	}
	if (!done && out->len == start) done = put_link_of(out, text);
	if (!done) out->len = start;
	return done;
}

/* --- patterns --- */

static const struct {
	const char *urn;
	const char *like; /* the scheme whose EPCs it matches */
} patterns[] = {{"urn:epc:idpat:sgtin:", "urn:epc:id:sgtin:"}, {"urn:epc:idpat:sscc:", "urn:epc:id:sscc:"},
    {"urn:epc:idpat:sgln:", "urn:epc:id:sgln:"}, {"urn:epc:idpat:grai:", "urn:epc:id:grai:"},
    {"urn:epc:idpat:giai:", "urn:epc:id:giai:"}, {"urn:epc:idpat:gdti:", "urn:epc:id:gdti:"},
    {"urn:epc:idpat:cpi:", "urn:epc:id:cpi:"}, {"urn:epc:idpat:sgcn:", "urn:epc:id:sgcn:"},
    {"urn:epc:idpat:gsrn:", "urn:epc:id:gsrn:"}, {"urn:epc:idpat:upui:", "urn:epc:id:upui:"}};

static const struct scheme *pattern_of(struct bytes *text) {
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		const size_t len = strlen(patterns[i].urn);
		if (!is(bytes_slice(*text, 0, len), patterns[i].urn)) continue;
		*text = bytes_slice(*text, len, text->len);
		for (const struct scheme *scheme = schemes;; scheme++)
			if (strcmp(scheme->urn, patterns[i].like) == 0) return scheme;
	}
	return NULL;
}

/* "https://id.gs1.org/01/" and, of each indicator, the company prefix. */
static size_t starts_of_prefix(
    struct arena *arena, const char **out, const struct scheme *scheme, struct bytes prefix) {
	const unsigned count = scheme->has_indicator ? 10 : 1;
	for (unsigned i = 0; i < count; i++) {
		char indicator[2] = {(char)('0' + i), 0};
		out[i] = arena_printf(arena, CANONICAL "%s/%s%s%.*s", scheme->ai, scheme->before,
		    scheme->has_indicator ? indicator : "", (int)prefix.len, (const char *)prefix.data);
	}
	return count;
}

const char *const *epc_uri_pattern(struct arena *arena, size_t *count, struct bytes text) {
	struct bytes fields[FIELDS_MAX];
	const struct scheme *scheme = pattern_of(&text);
	const char **out = arena_zalloc(arena, EPC_URI_STARTS_MAX, sizeof *out);
	if (!scheme || !split(fields, scheme->fields, text)) return NULL;
	const struct bytes last = fields[scheme->fields - 1];
	if (!is(last, "*")) return NULL;
	const bool any_reference = scheme->fields == 2 || is(fields[1], "*");
	if (any_reference && is(fields[0], "*")) {
		out[0] = arena_printf(arena, CANONICAL "%s/", scheme->ai);
		*count = 1;
		return out;
	}
	if (!fields[0].len || !gs1_is_digits(fields[0])) return NULL;
	if (any_reference) {
		*count = starts_of_prefix(arena, out, scheme, fields[0]);
		return out;
	}
	struct buf start;
	buf_init(&start, EPC_URI_STARTS_MAX * KEY_MAX);
	buf_printf(&start, CANONICAL "%s/", scheme->ai);
	const bool is_key = put_key(&start, scheme, fields[0], fields[1]);
	if (is_key && scheme->qualifier) buf_printf(&start, "/%s/", scheme->qualifier);
	out[0] = arena_strdup(arena, buf_view(&start));
	buf_fini(&start);
	*count = 1;
	return is_key ? out : NULL;
}
