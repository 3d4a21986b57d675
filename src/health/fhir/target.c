#include "health/fhir/target.h"

#include "base/http_uri.h"

bool fhir_id_is_valid(struct bytes text) {
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '.') return false;
	}
	return text.len >= 1 && text.len <= 64;
}

uint32_t fhir_version_number(struct bytes text) {
	uint64_t number = 0;
	if (text.len < 1 || text.len > 10 || text.data[0] == '0') return 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') return 0;
		number = number * 10 + (uint64_t)(text.data[i] - '0');
	}
	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

#define SEGMENTS_MAX 5

static struct bytes take_query(struct bytes *text) {
	const uint8_t *mark = text->len ? memchr(text->data, '?', text->len) : NULL;
	if (!mark) return (struct bytes){NULL, 0};
	const size_t len = (size_t)(mark - text->data);
	const struct bytes query = bytes_make(mark + 1, text->len - len - 1);
	text->len = len;
	return query;
}

/* The number of segments; SEGMENTS_MAX + 1: more, or an empty one. */
static size_t divide(struct bytes segments[SEGMENTS_MAX], struct bytes path) {
	size_t count = 0;
	if (path.len && path.data[0] == '/') path = bytes_slice(path, 1, path.len);
	if (path.len && path.data[path.len - 1] == '/') path.len--;
	if (!path.len) return 0;
	for (;;) {
		const uint8_t *end = path.len ? memchr(path.data, '/', path.len) : NULL;
		const size_t len = end ? (size_t)(end - path.data) : path.len;
		if (len == 0 || count == SEGMENTS_MAX) return SEGMENTS_MAX + 1;
		segments[count++] = bytes_slice(path, 0, len);
		if (!end) return count;
		path = bytes_slice(path, len + 1, path.len);
	}
}

static bool is(struct bytes segment, const char *word) {
	return bytes_equal(segment, bytes_text(word));
}

static bool is_operation(struct bytes segment) {
	return segment.len > 1 && segment.data[0] == '$';
}

/* The word that ends a path of the system, of a type or of an instance. */
static enum fhir_target_verdict read_word(struct fhir_target *out, struct bytes word) {
	if (is_operation(word)) {
		out->kind = FHIR_TARGET_OPERATION;
		out->operation = bytes_slice(word, 1, word.len);
	} else if (is(word, "_history")) {
		out->kind = FHIR_TARGET_HISTORY;
	} else if (is(word, "_search") && !out->id.len) {
		out->kind = FHIR_TARGET_SEARCH;
	} else {
		return FHIR_TARGET_NO_PATH;
	}
	return FHIR_TARGET_FOUND;
}

/* What stands behind "Patient/1/". */
static enum fhir_target_verdict read_below(
    struct fhir_target *out, const struct fhir_definitions *defs, const struct bytes *rest, size_t count) {
	if (count == 2 && is(rest[0], "_history")) {
		out->kind = FHIR_TARGET_VERSION;
		out->version = rest[1];
		return fhir_id_is_valid(rest[1]) ? FHIR_TARGET_FOUND : FHIR_TARGET_NO_ID;
	}
	if (count == 1 && read_word(out, rest[0]) == FHIR_TARGET_FOUND) return FHIR_TARGET_FOUND;
	if (count > 2 || (count == 2 && !is(rest[1], "_search"))) return FHIR_TARGET_NO_PATH;
	out->kind = count == 2 ? FHIR_TARGET_SEARCH : FHIR_TARGET_COMPARTMENT;
	if (is(rest[0], "*")) return FHIR_TARGET_FOUND;
	out->within = fhir_definitions_resource(defs, rest[0]);
	return out->within == FHIR_NONE ? FHIR_TARGET_NO_TYPE : FHIR_TARGET_FOUND;
}

enum fhir_target_verdict fhir_target_parse(
    struct fhir_target *out, const struct fhir_definitions *defs, struct bytes text) {
	struct bytes segments[SEGMENTS_MAX];
	*out = (struct fhir_target){.kind = FHIR_TARGET_SYSTEM, .type = FHIR_NONE, .within = FHIR_NONE};
	out->query = take_query(&text);
	const size_t count = divide(segments, text);
	if (count == 0) return FHIR_TARGET_FOUND;
	if (count > SEGMENTS_MAX) return FHIR_TARGET_NO_PATH;
	if (count == 1 && is(segments[0], "metadata")) {
		out->kind = FHIR_TARGET_METADATA;
		return FHIR_TARGET_FOUND;
	}
	if (count == 1 && read_word(out, segments[0]) == FHIR_TARGET_FOUND) return FHIR_TARGET_FOUND;
	out->type = fhir_definitions_resource(defs, segments[0]);
	if (out->type == FHIR_NONE) return FHIR_TARGET_NO_TYPE;
	out->kind = FHIR_TARGET_TYPE;
	if (count == 1) return FHIR_TARGET_FOUND;
	if (count == 2 && read_word(out, segments[1]) == FHIR_TARGET_FOUND) return FHIR_TARGET_FOUND;
	if (!fhir_id_is_valid(segments[1])) return FHIR_TARGET_NO_ID;
	out->kind = FHIR_TARGET_INSTANCE;
	out->id = segments[1];
	return count == 2 ? FHIR_TARGET_FOUND : read_below(out, defs, segments + 2, count - 2);
}

/* Do the decoded bytes hold a mark that parts a path? */
static bool has_marks(struct bytes decoded, struct bytes raw) {
	size_t slashes = 0;
	for (size_t i = 0; i < raw.len; i++) slashes += raw.data[i] == '/';
	for (size_t i = 0; i < decoded.len; i++) slashes -= decoded.data[i] == '/';
	return slashes != 0 || memchr(decoded.data, '?', decoded.len);
}

struct bytes fhir_target_decode(struct arena *arena, struct bytes text) {
	struct bytes path = text, out = text;
	struct buf plain;
	(void)take_query(&path);
	if (!path.len || !memchr(path.data, '%', path.len)) return text;
	buf_init(&plain, text.len + 1);
	if (http_percent_decode(&plain, path, false) && !has_marks(buf_view(&plain), path)) {
		buf_append(&plain, bytes_slice(text, path.len, text.len));
		out = arena_dup(arena, buf_view(&plain));
	}
	buf_fini(&plain);
	return out;
}

struct bytes fhir_condition_query(
    const struct fhir_definitions *defs, uint16_t type, struct bytes base, struct bytes condition) {
	struct bytes front = condition;
	const struct bytes query = take_query(&front);
	if (!query.data || type == FHIR_NONE) return condition;
	const bool is_absolute = base.len && front.len > base.len && front.data[base.len] == '/';
	if (is_absolute && bytes_equal(bytes_slice(front, 0, base.len), base))
		front = bytes_slice(front, base.len, front.len);
	if (front.len && front.data[0] == '/') front = bytes_slice(front, 1, front.len);
	return !front.len || is(front, fhir_type_name(defs, type)) ? query : condition;
}
