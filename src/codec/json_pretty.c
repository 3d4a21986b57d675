/* Laying out JSON for people: two spaces a level, scalars as they are spelled. */
#include "codec/json.h"

static void new_line(struct buf *out, unsigned depth) {
	buf_byte(out, '\n');
	for (unsigned i = 0; i < depth; i++) buf_text(out, "  ");
}

static void put(struct buf *out, const struct json *value, unsigned depth) {
	const bool is_object = json_is(value, JSON_OBJECT);
	if ((!is_object && !json_is(value, JSON_ARRAY)) || !value->first) {
		buf_append(out, value->raw);
		return;
	}
	buf_byte(out, is_object ? '{' : '[');
	json_foreach (child, value) {
		if (child != value->first) buf_byte(out, ',');
		new_line(out, depth + 1);
		if (is_object) {
			struct json_writer writer = json_writer(out);
			json_put_string(&writer, NULL, child->name);
			buf_text(out, ": ");
		}
		put(out, child, depth + 1);
	}
	new_line(out, depth);
	buf_byte(out, is_object ? '}' : ']');
}

void json_pretty(struct buf *out, const struct json *value) {
	put(out, value, 0);
}
