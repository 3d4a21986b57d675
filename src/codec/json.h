/*
 * JSON (RFC 8259), strict: UTF-8 is checked, duplicate names and lone surrogates are refused, numbers stay text, depth
 * and size are bounded. Reading gives a tree in an arena whose `raw` spans are the exact source bytes of every value,
 * so that a signed or hashed part can be taken as it stood. Writing is a small forward-only writer.
 *
 * Threads: one owner a tree or writer.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include "base/mem.h"

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	uint32_t count;     /* of children */
	struct bytes name;  /* decoded member name, where the parent is an object */
	struct bytes text;  /* string: decoded UTF-8; number: as spelled; otherwise empty */
	struct bytes raw;   /* the value's source bytes */
	struct json *first; /* children, in source order */
	struct json *next;
};

struct json_limits {
	size_t bytes_max;
	uint32_t depth_max;
	uint32_t values_max;
};
/* 64 MiB, 128 deep, 4 million values. */
extern const struct json_limits json_limits_default;

/* STATUS_INVALID names the byte offset and what was expected; STATUS_LIMIT. `text` must outlive the tree. `limits`
 * NULL: the default ones. */
MUST_USE enum status json_parse(const struct json **root, struct arena *arena, struct bytes text,
    const struct json_limits *limits, struct err *err);

/* All of these accept NULL and a value of another type, and give NULL, an empty view or false then. */
const struct json *json_get(const struct json *object, const char *name);
const struct json *json_at(const struct json *array, size_t index);
struct bytes json_string(const struct json *value); /* data == NULL if it is not a string */
bool json_is(const struct json *value, enum json_type type);
bool json_string_is(const struct json *value, const char *text);
/* A number spelled as a plain non-negative integer within 64 bits. */
bool json_u64(uint64_t *out, const struct json *value);
/* The value without the members that are null, at any depth of objects and arrays; an array's own null elements stay.
 * The value itself if it has none, else a copy in the arena, whose `raw` spans still show them. */
const struct json *json_without_nulls(struct arena *arena, const struct json *value);
/* Each child in turn: `json_foreach (item, parent) {`. */
#define json_foreach(item, parent)                                                                                     \
	for (const struct json *item = (parent) ? (parent)->first : NULL; item; item = item->next)

/* The writer puts commas and names; `name` is NULL inside arrays and at the top. Strings are escaped minimally;
 * ill-formed UTF-8 in them becomes U+FFFD, so that the output is JSON whatever comes in. */
struct json_writer {
	struct buf *out;
	bool needs_comma;
};
struct json_writer json_writer(struct buf *out);
void json_object_begin(struct json_writer *writer, const char *name);
void json_object_end(struct json_writer *writer);
void json_array_begin(struct json_writer *writer, const char *name);
void json_array_end(struct json_writer *writer);
void json_put_string(struct json_writer *writer, const char *name, struct bytes text);
void json_put_text(struct json_writer *writer, const char *name, const char *text);
void json_put_u64(struct json_writer *writer, const char *name, uint64_t value);
/* A number as it is spelled, such as a decimal 1.00 that must stay 1.00; a text that is not a JSON number is a bug. */
void json_put_number(struct json_writer *writer, const char *name, struct bytes spelled);
/* RFC 8259 §6. */
bool json_is_number(struct bytes text);
void json_put_bool(struct json_writer *writer, const char *name, bool value);
void json_put_null(struct json_writer *writer, const char *name);
/* Already JSON. */
void json_put_raw(struct json_writer *writer, const char *name, struct bytes json);
/* "0x…" strings. */
void json_put_hex(struct json_writer *writer, const char *name, struct bytes data);
void json_put_quantity(struct json_writer *writer, const char *name, uint64_t value);
void json_put_quantity_be(struct json_writer *writer, const char *name, struct bytes big_endian);
/* A member's name alone; the caller appends one value to `out` by itself. */
void json_put_name(struct json_writer *writer, const char *name);
/* Appends the value laid out for people; numbers and strings as they are spelled. */
void json_pretty(struct buf *out, const struct json *value);

#endif
