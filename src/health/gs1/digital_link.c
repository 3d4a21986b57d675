/* GS1 Digital Link URIs: https://host/any/stem/AI/value[/AI/value…][?AI=value…][#…] */
#include "health/gs1/scan.h"

#define SEGMENTS_MAX 32u

static bool fail(struct scan *scan, const char *what) {
	return scan_fail(scan, SCAN_FAULT_BAD_URI, "this web address %s", what);
}

static bool has_bad_character(struct bytes uri) {
	for (size_t i = 0; i < uri.len; i++)
		if (uri.data[i] <= ' ' || uri.data[i] >= 0x7f || strchr("<>{}\\^`|\"", uri.data[i])) return true;
	return false;
}

static size_t find(struct bytes text, char c) {
	size_t at = 0;
	while (at < text.len && text.data[at] != (uint8_t)c) at++;
	return at;
}

static bool is_host(struct bytes host) {
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.data[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (!letter && !(c >= '0' && c <= '9') && !strchr("-.:[]_%~", c)) return false;
	}
	return host.len > 0;
}

static int hex_value(uint8_t c) {
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A percent sign that begins no escape stands for itself, as most readers take it. */
static bool add_decoded(struct scan *scan, const struct gs1_ai *ai, struct bytes value, bool in_query) {
	uint8_t decoded[128];
	size_t len = 0;
	if (value.len == 0) return fail(scan, "has an element without a value");
	for (size_t i = 0; i < value.len; i++) {
		int high = -1, low = -1;
		if (value.data[i] == '%' && i + 2 < value.len) {
			high = hex_value(value.data[i + 1]);
			low = hex_value(value.data[i + 2]);
		}
		bool escaped = high >= 0 && low >= 0;
		if (len == sizeof decoded) return fail(scan, "has a value that is too long");
		decoded[len] = escaped ? (uint8_t)(high * 16 + low) : value.data[i];
		if (!escaped && in_query && decoded[len] == '+') decoded[len] = ' ';
		len++;
		if (escaped) i += 2;
	}
	return scan_add(scan, ai, bytes_make(decoded, len));
}

/* --- the path --- */

/* May these identifiers follow the key, in this order? `keys` is "22,10,21|235". */
static bool may_follow(const char *keys, const struct bytes *segments, size_t count) {
	for (const char *sequence = keys; *sequence;) {
		const char *end = sequence;
		while (*end && *end != '|') end++;
		size_t matched = 0;
		for (const char *at = sequence; at < end;) {
			size_t len = 0;
			while (at + len < end && at[len] != ',') len++;
			if (matched < count && bytes_equal(segments[2 * matched], bytes_make(at, len))) matched++;
			at += len + (at + len < end);
		}
		if (matched == count) return true;
		sequence = end + (*end == '|');
	}
	return count == 0;
}

static size_t split_path(struct bytes segments[SEGMENTS_MAX], struct bytes path) {
	size_t count = 0;
	while (path.len) {
		path = bytes_slice(path, 1, path.len); /* the slash */
		size_t len = find(path, '/');
		if (count == SEGMENTS_MAX) {
			memmove(segments, segments + 1, (SEGMENTS_MAX - 1) * sizeof *segments); /* a long stem */
			count--;
		}
		segments[count++] = bytes_slice(path, 0, len);
		path = bytes_slice(path, len, path.len);
	}
	return count;
}

/* What stands before the key is the host's own; but this would be said of the pack. */
static bool is_qualifier(struct bytes name) {
	return bytes_equal(name, BYTES_LITERAL("10")) || bytes_equal(name, BYTES_LITERAL("17")) ||
	       bytes_equal(name, BYTES_LITERAL("21"));
}

/* From the end: the last pair whose identifier is a key and whose followers are allowed. */
static bool read_path(struct scan *scan, const struct gs1_ai **key, struct bytes path) {
	struct bytes segments[SEGMENTS_MAX];
	size_t count = split_path(segments, path);
	for (size_t pairs = 1; 2 * pairs <= count; pairs++) {
		const struct bytes *first = segments + count - 2 * pairs;
		const struct gs1_ai *ai = gs1_ai_named(first[0]);
		if (!ai) break;
		if (!ai->keys || !may_follow(ai->keys, first + 2, pairs - 1)) continue;
		if (first >= segments + 2 && is_qualifier(first[-2]))
			return fail(scan, "names a lot, a serial or an expiry before its GS1 key");
		for (size_t i = 0; i < pairs; i++)
			if (!add_decoded(scan, gs1_ai_named(first[2 * i]), first[2 * i + 1], false)) return false;
		*key = ai;
		return true;
	}
	return fail(scan, "holds no GS1 key where a Digital Link has it (…/01/<GTIN>/21/<serial>)");
}

/* --- the query --- */

static bool names(struct bytes sequence, const char *ai) {
	while (sequence.len) {
		size_t len = find(sequence, ',');
		if (bytes_equal(bytes_slice(sequence, 0, len), bytes_text(ai))) return true;
		sequence = bytes_slice(sequence, len + 1, sequence.len);
	}
	return false;
}

/* Could it stand in the path, beside what stands there? Then it must (Digital Link URI Syntax, key qualifiers). */
static bool belongs_in_path(const struct scan *scan, size_t path_count, const struct gs1_ai *key, const char *ai) {
	struct bytes rest = bytes_text(key->keys);
	while (rest.len) {
		struct bytes sequence = bytes_slice(rest, 0, find(rest, '|'));
		bool fits = names(sequence, ai);
		for (size_t i = 1; i < path_count; i++) fits = fits && names(sequence, scan->elements[i].ai);
		if (fits) return true;
		rest = bytes_slice(rest, sequence.len + 1, rest.len);
	}
	return false;
}

/* Words that version 1.0 had for identifiers, in any case, and what people write for them. */
static bool is_old_word(struct bytes name) {
	static const char *const words[] = {"lot", "ser", "exp", "batch", "serial", "expiry", "expdt"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t at = 0;
		while (at < name.len && words[i][at] && (name.data[at] | 0x20) == words[i][at]) at++;
		if (at == name.len && !words[i][at]) return true;
	}
	return false;
}

static bool read_query(struct scan *scan, const struct gs1_ai *key, struct bytes query) {
	size_t path_count = scan->element_count;
	while (query.len) {
		size_t len = find(query, '&');
		size_t semicolon = find(query, ';');
		if (semicolon < len) len = semicolon;
		struct bytes pair = bytes_slice(query, 0, len);
		query = bytes_slice(query, len + 1, query.len);
		size_t equals = find(pair, '=');
		struct bytes name = bytes_slice(pair, 0, equals);
		if (is_old_word(name))
			return fail(scan, "says lot, serial or expiry by a word, as Digital Links did before 1.2: "
					  "it must be 10, 21 or 17");
		if (!gs1_is_digits(name)) continue; /* not ours */
		const struct gs1_ai *ai = gs1_ai_named(name);
		if (!ai)
			return scan_fail(scan, SCAN_FAULT_UNKNOWN_AI,
			    "%.*s in the query is no GS1 application identifier", (int)(name.len < 12 ? name.len : 12),
			    (const char *)name.data);
		if (equals == pair.len) return fail(scan, "has an element without a value");
		if (scan_element(scan, ai->ai)) return fail(scan, "names an element twice");
		if (belongs_in_path(scan, path_count, key, ai->ai))
			return fail(scan, "holds an element in its query that belongs in its path");
		if (!add_decoded(scan, ai, bytes_slice(pair, equals + 1, pair.len), true)) return false;
	}
	return true;
}

bool scan_digital_link(struct scan *scan, struct bytes uri) {
	if (has_bad_character(uri)) return fail(scan, "has a character that no URI has");
	size_t colon = find(uri, ':');
	if (colon + 1 == find(uri, '/')) uri = bytes_slice(uri, colon + 3, uri.len); /* phones drop "https://" */
	uri.len = find(uri, '#');
	size_t question = find(uri, '?'), slash = find(uri, '/');
	struct bytes query = bytes_slice(uri, question + 1, uri.len);
	uri.len = question;
	if (slash >= uri.len || !is_host(bytes_slice(uri, 0, slash))) return fail(scan, "has no host and path");
	const struct gs1_ai *key = NULL;
	return read_path(scan, &key, bytes_slice(uri, slash, uri.len)) && read_query(scan, key, query);
}
