#include "health/fhir/regex_tree.h"

#include "base/utf8.h"

#define DEPTH_MAX 50
#define REPEAT_MAX 1000
#define RANGES_MAX 256
#define LAST_CHARACTER 0x10ffffu

struct parser {
	struct bytes text;
	size_t at;
	struct arena *arena;
	struct regex_names *names;
	uint32_t depth, groups;
	struct err *err;
};

uint32_t regex_next(struct bytes text, size_t *at) {
	const uint8_t *p = text.data + *at;
	size_t width = *p < 0x80 ? 1 : utf8_width(p, text.len - *at);
	*at += width ? width : 1;
	if (width == 2) return (uint32_t)(p[0] & 31) << 6 | (p[1] & 63);
	if (width == 3) return (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
	if (width == 4)
		return (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 |
		       (p[3] & 63);
	return *p;
}

static enum status invalid(const struct parser *p, const char *what) {
	return err_set(p->err, STATUS_INVALID, "regular expression: %s at byte %zu", what, p->at);
}

static bool next_is(const struct parser *p, char c) {
	return p->at < p->text.len && p->text.data[p->at] == (uint8_t)c;
}

static bool take(struct parser *p, const char *text) {
	size_t len = strlen(text);
	if (p->text.len - p->at < len || memcmp(p->text.data + p->at, text, len) != 0) return false;
	p->at += len;
	return true;
}

static struct regex_tree *make(struct parser *p, struct regex_tree tree) {
	struct regex_tree *out = arena_alloc(p->arena, sizeof *out);
	*out = tree;
	return out;
}

/* --- classes --- */

struct ranges {
	struct regex_range list[RANGES_MAX];
	uint32_t count;
};

static bool add_range(struct ranges *ranges, uint32_t first, uint32_t last) {
	if (ranges->count == RANGES_MAX) return false;
	ranges->list[ranges->count++] = (struct regex_range){first, last};
	return true;
}

/* \d, \w and \s, and all others for the capital. False if `letter` is none of them, or there is no room. */
static bool add_named(struct ranges *ranges, char letter) {
	static const struct regex_range digit[] = {{'0', '9'}},
					word[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
					space[] = {{9, 13}, {' ', ' '}, {0xa0, 0xa0}, {0x2028, 0x2029}};
	char low = (char)(letter | 32);
	const struct regex_range *list = low == 'd' ? digit : low == 'w' ? word : low == 's' ? space : NULL;
	size_t count = low == 'd' ? 1 : 4;
	if (!list) return false;
	if (letter == low) {
		for (size_t i = 0; i < count; i++)
			if (!add_range(ranges, list[i].first, list[i].last)) return false;
		return true;
	}
	uint32_t from = 0;
	for (size_t i = 0; i < count; i++) {
		if (!add_range(ranges, from, list[i].first - 1)) return false;
		from = list[i].last + 1;
	}
	return add_range(ranges, from, LAST_CHARACTER);
}

static enum status class_of(struct parser *p, struct regex_tree **out, const struct ranges *ranges, bool is_negated) {
	struct bytes copy = arena_dup(p->arena, bytes_make(ranges->list, ranges->count * sizeof *ranges->list));
	struct regex_class class = {(const struct regex_range *)(const void *)copy.data, ranges->count, is_negated};
	*out = make(p, (struct regex_tree){.kind = REGEX_CLASS, .class = class});
	return STATUS_OK;
}

static enum status hex(struct parser *p, uint32_t *out, int digits) {
	*out = 0;
	for (int i = 0; i < digits; i++) {
		uint8_t c = p->at < p->text.len ? p->text.data[p->at] : 0;
		uint8_t lower = c | 32;
		bool is_digit = c >= '0' && c <= '9';
		if (!is_digit && (lower < 'a' || lower > 'f')) return invalid(p, "a hexadecimal digit is missing");
		*out = *out << 4 | (uint32_t)(is_digit ? c - '0' : lower - 'a' + 10);
		p->at++;
	}
	return STATUS_OK;
}

/* Behind a backslash: one character. */
static enum status escaped(struct parser *p, uint32_t *out) {
	static const char letters[] = "tnrfv0", meant[] = "\t\n\r\f\v";
	if (p->at == p->text.len) return invalid(p, "a backslash at the end");
	if (take(p, "x")) return hex(p, out, 2);
	if (take(p, "u")) return hex(p, out, 4);
	uint32_t c = regex_next(p->text, &p->at);
	const char *found = c && c < 128 ? strchr(letters, (int)c) : NULL;
	bool is_word = (c >= '0' && c <= '9') || (c < 128 && (c | 32) >= 'a' && (c | 32) <= 'z');
	if (found)
		*out = (uint8_t)meant[found - letters];
	else if (is_word)
		return err_set(p->err, STATUS_UNSUPPORTED, "regular expression: \\%c is not supported", (int)c);
	else
		*out = c;
	return STATUS_OK;
}

/* One end of a range; a named class is added whole, and `is_named` set. */
static enum status class_item(struct parser *p, struct ranges *ranges, uint32_t *out, bool *is_named) {
	*is_named = false;
	if (!take(p, "\\")) {
		*out = regex_next(p->text, &p->at);
		return STATUS_OK;
	}
	if (p->at < p->text.len && add_named(ranges, (char)p->text.data[p->at])) {
		p->at++;
		*is_named = true;
		return STATUS_OK;
	}
	if (take(p, "b")) {
		*out = '\b';
		return STATUS_OK;
	}
	return escaped(p, out);
}

/* Behind "[". */
static enum status parse_class(struct parser *p, struct regex_tree **out) {
	struct ranges ranges = {.count = 0};
	bool is_negated = take(p, "^"), is_first = true;
	while (is_first || !next_is(p, ']')) {
		uint32_t first, last;
		bool is_named;
		if (p->at == p->text.len) return invalid(p, "a class without its end");
		TRY(class_item(p, &ranges, &first, &is_named));
		is_first = false;
		if (is_named) continue;
		last = first;
		bool is_range = next_is(p, '-') && p->at + 1 < p->text.len && p->text.data[p->at + 1] != ']';
		if (is_range) {
			p->at++;
			TRY(class_item(p, &ranges, &last, &is_named));
			if (is_named || last < first) return invalid(p, "a range of a class that has no order");
		}
		if (!add_range(&ranges, first, last)) return invalid(p, "a class with too many ranges");
	}
	p->at++;
	return class_of(p, out, &ranges, is_negated);
}

/* --- terms --- */

static enum status parse_or(struct parser *p, struct regex_tree **out);

static bool is_name(uint8_t c) {
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

/* Behind "(". */
static enum status parse_group(struct parser *p, struct regex_tree **out) {
	struct regex_tree *inner;
	uint32_t group = 0;
	struct bytes name = {NULL, 0};
	if (++p->depth > DEPTH_MAX) return err_set(p->err, STATUS_LIMIT, "regular expression: nested too deep");
	if (!take(p, "?:")) {
		group = ++p->groups;
		bool is_named = take(p, "?<") || take(p, "?P<");
		size_t from = p->at;
		while (is_named && p->at < p->text.len && is_name(p->text.data[p->at])) p->at++;
		name = bytes_make(p->text.data + from, p->at - from);
		if (is_named && (!name.len || !take(p, ">")))
			return err_set(
			    p->err, STATUS_UNSUPPORTED, "regular expression: looking around is not supported");
		if (!is_named && next_is(p, '?'))
			return err_set(
			    p->err, STATUS_UNSUPPORTED, "regular expression: (? is not supported at byte %zu", p->at);
	}
	TRY(parse_or(p, &inner));
	if (!take(p, ")")) return invalid(p, "a group without its end");
	p->depth--;
	if (group && group < FHIR_REGEX_GROUPS_MAX) p->names->name[group] = name;
	*out = group && group < FHIR_REGEX_GROUPS_MAX
		   ? make(p, (struct regex_tree){.kind = REGEX_GROUP, .first = inner, .group = group})
		   : inner;
	return STATUS_OK;
}

static enum status parse_escape(struct parser *p, struct regex_tree **out) {
	struct ranges ranges = {.count = 0};
	uint32_t c;
	if (take(p, "b") || take(p, "B")) {
		bool is_edge = p->text.data[p->at - 1] == 'b';
		*out = make(p, (struct regex_tree){.kind = is_edge ? REGEX_WORD_EDGE : REGEX_NO_WORD_EDGE});
		return STATUS_OK;
	}
	if (p->at < p->text.len && add_named(&ranges, (char)p->text.data[p->at])) {
		p->at++;
		return class_of(p, out, &ranges, false);
	}
	TRY(escaped(p, &c));
	add_range(&ranges, c, c);
	return class_of(p, out, &ranges, false);
}

static enum status parse_atom(struct parser *p, struct regex_tree **out) {
	struct ranges ranges = {.count = 0};
	if (take(p, "(")) return parse_group(p, out);
	if (take(p, "[")) return parse_class(p, out);
	if (take(p, "\\")) return parse_escape(p, out);
	if (take(p, "^") || take(p, "$")) {
		bool is_begin = p->text.data[p->at - 1] == '^';
		*out = make(p, (struct regex_tree){.kind = is_begin ? REGEX_BEGIN : REGEX_END});
		return STATUS_OK;
	}
	if (next_is(p, '*') || next_is(p, '+') || next_is(p, '?')) return invalid(p, "nothing to repeat");
	if (take(p, "."))
		add_range(&ranges, 0, LAST_CHARACTER);
	else {
		uint32_t c = regex_next(p->text, &p->at);
		add_range(&ranges, c, c);
	}
	return class_of(p, out, &ranges, false);
}

static bool parse_count(struct parser *p, uint32_t *out) {
	size_t from = p->at;
	*out = 0;
	while (p->at < p->text.len && p->text.data[p->at] >= '0' && p->text.data[p->at] <= '9' && *out <= REPEAT_MAX)
		*out = *out * 10 + (uint32_t)(p->text.data[p->at++] - '0');
	return p->at > from;
}

/* "{n}", "{n,}" or "{n,m}"; anything else is a brace as it stands, and nothing is taken. */
static bool parse_counts(struct parser *p, uint32_t *min, uint32_t *max) {
	size_t from = p->at;
	bool is_good = take(p, "{") && parse_count(p, min);
	*max = *min;
	if (is_good && take(p, ",") && !parse_count(p, max)) *max = REGEX_ENDLESS;
	if (is_good && take(p, "}")) return true;
	p->at = from;
	return false;
}

static enum status parse_repeat(struct parser *p, struct regex_tree **out) {
	TRY(parse_atom(p, out));
	for (int times = 0;; times++) {
		uint32_t min = 0, max = REGEX_ENDLESS;
		if (take(p, "+"))
			min = 1;
		else if (take(p, "?"))
			max = 1;
		else if (!take(p, "*") && !parse_counts(p, &min, &max))
			return STATUS_OK;
		if (times == DEPTH_MAX) return err_set(p->err, STATUS_LIMIT, "regular expression: repeated too often");
		if (min > REPEAT_MAX || (max > REPEAT_MAX && max != REGEX_ENDLESS) || max < min)
			return invalid(p, "a count that is too large or without order");
		struct regex_tree repeat = {.kind = REGEX_REPEAT, .first = *out, .min = min, .max = max};
		repeat.is_lazy = take(p, "?");
		*out = make(p, repeat);
	}
}

static enum status parse_then(struct parser *p, struct regex_tree **out) {
	*out = make(p, (struct regex_tree){.kind = REGEX_THEN});
	struct regex_tree **end = &(*out)->first;
	while (p->at < p->text.len && !next_is(p, '|') && !next_is(p, ')')) {
		TRY(parse_repeat(p, end));
		end = &(*end)->next;
	}
	return STATUS_OK;
}

static enum status parse_or(struct parser *p, struct regex_tree **out) {
	*out = make(p, (struct regex_tree){.kind = REGEX_OR});
	struct regex_tree **end = &(*out)->first;
	do {
		TRY(parse_then(p, end));
		end = &(*end)->next;
	} while (take(p, "|"));
	return STATUS_OK;
}

enum status regex_parse(
    struct regex_tree **out, struct regex_names *names, struct arena *arena, struct bytes pattern, struct err *err) {
	struct parser p = {.text = pattern, .arena = arena, .names = names, .err = err};
	*names = (struct regex_names){0};
	if (pattern.len > FHIR_REGEX_PATTERN_MAX)
		return err_set(err, STATUS_LIMIT, "regular expression: %zu bytes, more than the %u allowed",
		    pattern.len, FHIR_REGEX_PATTERN_MAX);
	TRY(parse_or(&p, out));
	return p.at == pattern.len ? STATUS_OK : invalid(&p, "a parenthesis without its beginning");
}
