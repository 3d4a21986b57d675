#include "codec/json.h"

#include "base/utf8.h"

#include <stdlib.h>

const struct json_limits json_limits_default = {.bytes_max = (size_t)64 << 20, .depth_max = 128, .values_max = 4000000};

/* An open container. Frames form a stack, so that depth costs arena memory and never the C stack. */
struct frame {
	struct json *container;
	struct json *last; /* its newest child */
	struct frame *outer;
};

struct parser {
	const uint8_t *begin, *at, *end;
	const struct json_limits *limits;
	struct arena *arena;
	struct err *err;
	struct frame *top, *spare;
	struct json *root;
	uint32_t depth, values;
};

static enum status expected(const struct parser *p, const char *what) {
	return err_set(p->err, STATUS_INVALID, "JSON: expected %s at byte %zu", what, (size_t)(p->at - p->begin));
}

static void skip_space(struct parser *p) {
	while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t')) p->at++;
}

static bool next_is(const struct parser *p, char c) {
	return p->at < p->end && *p->at == (uint8_t)c;
}

static bool take(struct parser *p, char c) {
	if (!next_is(p, c)) return false;
	p->at++;
	return true;
}

static bool is_digit(const struct parser *p) {
	return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

static bool take_digits(struct parser *p) {
	const uint8_t *from = p->at;
	while (is_digit(p)) p->at++;
	return p->at != from;
}

static enum status parse_number(struct parser *p, struct bytes *text) {
	const uint8_t *from = p->at;
	take(p, '-');
	if (!take(p, '0') && !take_digits(p)) return expected(p, "a digit");
	if (take(p, '.') && !take_digits(p)) return expected(p, "a digit after the point");
	if (take(p, 'e') || take(p, 'E')) {
		if (!take(p, '+')) take(p, '-');
		if (!take_digits(p)) return expected(p, "a digit of the exponent");
	}
	*text = bytes_make(from, (size_t)(p->at - from));
	return STATUS_OK;
}

/* Four hexadecimal digits, or -1. */
static int32_t take_hex4(struct parser *p) {
	if (p->end - p->at < 4) return -1;
	int32_t value = 0;
	for (int i = 0; i < 4; i++) {
		uint8_t c = p->at[i];
		int digit = c >= '0' && c <= '9'                 ? c - '0'
			    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
								 : -1;
		if (digit < 0) return -1;
		value = value << 4 | digit;
	}
	p->at += 4;
	return value;
}

/* Behind "\u": one scalar value, maybe spelled as a surrogate pair. */
static enum status parse_unicode_escape(struct parser *p, uint8_t **to) {
	int32_t high = take_hex4(p);
	if (high < 0) return expected(p, "four hexadecimal digits");
	uint32_t scalar = (uint32_t)high;
	if (scalar >= 0xd800 && scalar <= 0xdfff) {
		if (scalar >= 0xdc00) return expected(p, "no lone low surrogate");
		if (!take(p, '\\') || !take(p, 'u')) return expected(p, "a low surrogate");
		int32_t low = take_hex4(p);
		if (low < 0xdc00 || low > 0xdfff) return expected(p, "a low surrogate");
		scalar = 0x10000 + ((scalar - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
	}
	*to += utf8_encode(*to, scalar);
	return STATUS_OK;
}

/* Behind a backslash. */
static enum status parse_escape(struct parser *p, uint8_t **to) {
	static const char spelled[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	if (take(p, 'u')) return parse_unicode_escape(p, to);
	const char *found = p->at < p->end && *p->at ? strchr(spelled, *p->at) : NULL;
	if (!found) return expected(p, "an escape");
	p->at++;
	*(*to)++ = (uint8_t)meant[found - spelled];
	return STATUS_OK;
}

/* Steps over what stands for itself in a string: up to a quote, a backslash, or a fault. */
static void skip_plain(struct parser *p) {
	while (p->at < p->end) {
		size_t plain = utf8_plain_run(p->at, (size_t)(p->end - p->at));
		p->at += plain;
		if (p->at == p->end || *p->at < 0x80) return;
		size_t width = utf8_width(p->at, (size_t)(p->end - p->at));
		if (!width) return;
		p->at += width;
	}
}

/* The rest of a string whose plain beginning is [from, p->at): decoded into the arena, since it has an escape. */
static enum status parse_escaped(struct parser *p, struct bytes *text, const uint8_t *from) {
	struct parser probe = *p;
	while (probe.at < probe.end && *probe.at != '"') probe.at += *probe.at == '\\' ? 2 : 1;
	if (probe.at >= probe.end) return expected(p, "a closing quote");
	uint8_t *decoded = arena_alloc(p->arena, (size_t)(probe.at - from)), *to = decoded; /* decoding never grows */
	for (;;) {
		memcpy(to, from, (size_t)(p->at - from));
		to += p->at - from;
		if (!take(p, '\\')) break;
		TRY(parse_escape(p, &to));
		from = p->at;
		skip_plain(p);
	}
	*text = bytes_make(decoded, (size_t)(to - decoded));
	return STATUS_OK;
}

static enum status parse_string(struct parser *p, struct bytes *text) {
	if (!take(p, '"')) return expected(p, "a string");
	const uint8_t *from = p->at;
	skip_plain(p);
	*text = bytes_make(from, (size_t)(p->at - from));
	if (next_is(p, '\\')) TRY(parse_escaped(p, text, from));
	if (take(p, '"')) return STATUS_OK;
	return expected(p, p->at == p->end ? "a closing quote" : "well-formed UTF-8 without control characters");
}

static enum status parse_word(struct parser *p, const char *word) {
	size_t len = strlen(word);
	if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0) return expected(p, "a value");
	p->at += len;
	return STATUS_OK;
}

static enum status open_container(struct parser *p, struct json *value) {
	if (p->depth == p->limits->depth_max)
		return err_set(p->err, STATUS_LIMIT, "JSON: nested deeper than %u", p->limits->depth_max);
	struct frame *frame = p->spare;
	if (frame)
		p->spare = frame->outer;
	else
		frame = arena_alloc(p->arena, sizeof *frame);
	*frame = (struct frame){.container = value, .outer = p->top};
	p->top = frame;
	p->depth++;
	p->at++;
	return STATUS_OK;
}

static int compare_names(const void *a, const void *b) {
	const struct json *const *left = a, *const *right = b;
	return bytes_compare((*left)->name, (*right)->name);
}

#define FEW_NAMES 12

static const struct json *duplicate_among_few(const struct json *object) {
	json_foreach (item, object)
		for (const struct json *later = item->next; later; later = later->next)
			if (bytes_equal(item->name, later->name)) return later;
	return NULL;
}

static const struct json *duplicate_among_many(const struct json *object) {
	const struct json **sorted = mem_alloc(object->count * sizeof *sorted), *found = NULL;
	size_t count = 0;
	json_foreach (item, object) sorted[count++] = item;
	qsort(sorted, count, sizeof *sorted, compare_names);
	for (size_t i = 1; i < count && !found; i++)
		if (bytes_equal(sorted[i - 1]->name, sorted[i]->name)) found = sorted[i];
	mem_free(sorted);
	return found;
}

#define SHOWN_NAME_BYTES 64

static enum status close_container(struct parser *p) {
	struct frame *frame = p->top;
	struct json *value = frame->container;
	p->top = frame->outer;
	frame->outer = p->spare;
	p->spare = frame;
	p->depth--;
	p->at++;
	value->raw.len = (size_t)(p->at - value->raw.data);
	if (value->type != JSON_OBJECT) return STATUS_OK;
	const struct json *twice = value->count > FEW_NAMES ? duplicate_among_many(value) : duplicate_among_few(value);
	if (!twice) return STATUS_OK;
	int shown = twice->name.len < SHOWN_NAME_BYTES ? (int)twice->name.len : SHOWN_NAME_BYTES;
	return err_set(p->err, STATUS_INVALID,
	    "JSON: the name \"%.*s\" stands twice in the object at byte %zu, with another value at byte %zu", shown,
	    (const char *)twice->name.data, (size_t)(value->raw.data - p->begin), (size_t)(twice->raw.data - p->begin));
}

/* A scalar whole, or the opening of a container. */
static enum status parse_value_start(struct parser *p, struct json *value) {
	const uint8_t *from = p->at;
	value->raw = bytes_make(from, 0);
	switch (p->at < p->end ? *p->at : 0) {
	case '{': value->type = JSON_OBJECT; return open_container(p, value);
	case '[': value->type = JSON_ARRAY; return open_container(p, value);
	case '"':
		value->type = JSON_STRING;
		TRY(parse_string(p, &value->text));
		break;
	case 't':
		value->type = JSON_TRUE;
		TRY(parse_word(p, "true"));
		break;
	case 'f':
		value->type = JSON_FALSE;
		TRY(parse_word(p, "false"));
		break;
	case 'n':
		value->type = JSON_NULL;
		TRY(parse_word(p, "null"));
		break;
	default:
		if (!next_is(p, '-') && !is_digit(p)) return expected(p, "a value");
		value->type = JSON_NUMBER;
		TRY(parse_number(p, &value->text));
	}
	value->raw.len = (size_t)(p->at - from);
	return STATUS_OK;
}

/* A value, linked where it belongs: with its name and colon before it in an object. */
static enum status parse_value(struct parser *p) {
	if (++p->values > p->limits->values_max)
		return err_set(p->err, STATUS_LIMIT, "JSON: more than %u values", p->limits->values_max);
	struct json *value = arena_zalloc(p->arena, 1, sizeof *value);
	struct frame *frame = p->top;
	if (!frame) {
		p->root = value;
	} else {
		*(frame->last ? &frame->last->next : &frame->container->first) = value;
		frame->last = value;
		frame->container->count++;
		if (frame->container->type == JSON_OBJECT) {
			TRY(parse_string(p, &value->name));
			skip_space(p);
			if (!take(p, ':')) return expected(p, "a colon");
			skip_space(p);
		}
	}
	return parse_value_start(p, value);
}

static enum status parse_document(struct parser *p) {
	skip_space(p);
	TRY(parse_value(p));
	for (skip_space(p); p->top; skip_space(p)) {
		bool is_object = p->top->container->type == JSON_OBJECT;
		if (next_is(p, is_object ? '}' : ']')) {
			TRY(close_container(p));
			continue;
		}
		if (p->top->last) {
			if (!take(p, ',')) return expected(p, is_object ? "a comma or }" : "a comma or ]");
			skip_space(p);
		}
		TRY(parse_value(p));
	}
	if (p->at == p->end) return STATUS_OK;
	if (*p->at == '{' || *p->at == '[')
		return err_set(p->err, STATUS_INVALID,
		    "JSON: a second document begins at byte %zu; a file holds one, so cut an NDJSON file into its lines",
		    (size_t)(p->at - p->begin));
	return expected(p, "the end");
}

enum status json_parse(const struct json **root, struct arena *arena, struct bytes text,
    const struct json_limits *limits, struct err *err) {
	*root = NULL;
	if (!limits) limits = &json_limits_default;
	if (text.len > limits->bytes_max)
		return err_set(
		    err, STATUS_LIMIT, "JSON: %zu bytes are over the limit of %zu", text.len, limits->bytes_max);
	if (!text.data) text = BYTES_LITERAL("");
	struct parser parser = {.begin = text.data,
	    .at = text.data,
	    .end = text.data + text.len,
	    .limits = limits,
	    .arena = arena,
	    .err = err};
	TRY(parse_document(&parser));
	*root = parser.root;
	return STATUS_OK;
}

const struct json *json_get(const struct json *object, const char *name) {
	if (!json_is(object, JSON_OBJECT)) return NULL;
	json_foreach (item, object)
		if (bytes_equal(item->name, bytes_text(name))) return item;
	return NULL;
}

const struct json *json_at(const struct json *array, size_t index) {
	if (!json_is(array, JSON_ARRAY) || index >= array->count) return NULL;
	const struct json *item = array->first;
	while (index--) item = item->next;
	return item;
}

struct bytes json_string(const struct json *value) {
	return json_is(value, JSON_STRING) ? value->text : (struct bytes){0};
}

bool json_is(const struct json *value, enum json_type type) {
	return value && value->type == type;
}

bool json_string_is(const struct json *value, const char *text) {
	return json_is(value, JSON_STRING) && bytes_equal(value->text, bytes_text(text));
}

static bool has_null_members(const struct json *value) {
	json_foreach (item, value)
		if ((json_is(value, JSON_OBJECT) && json_is(item, JSON_NULL)) || has_null_members(item)) return true;
	return false;
}

const struct json *json_without_nulls(struct arena *arena, const struct json *value) {
	if (!has_null_members(value)) return value;
	struct json *copy = arena_alloc(arena, sizeof *copy), **end = &copy->first;
	*copy = *value;
	copy->count = 0;
	json_foreach (item, value) {
		if (json_is(value, JSON_OBJECT) && json_is(item, JSON_NULL)) continue;
		struct json *kept = arena_alloc(arena, sizeof *kept);
		*kept = *json_without_nulls(arena, item);
		*end = kept;
		end = &kept->next;
		copy->count++;
	}
	*end = NULL;
	return copy;
}

bool json_u64(uint64_t *out, const struct json *value) {
	if (!json_is(value, JSON_NUMBER)) return false;
	uint64_t sum = 0;
	for (size_t i = 0; i < value->text.len; i++) {
		uint8_t c = value->text.data[i];
		if (c < '0' || c > '9') return false;
		if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, c - '0', &sum)) return false;
	}
	*out = sum;
	return true;
}
