/* What parses can be written, and what is written parses to the same text again. */
#include "codec/json.h"
#include "fuzz/target.h"

#define DEPTH_MAX 64

static void write_value(struct json_writer *writer, const char *name, const struct json *value, struct arena *arena);

static void write_children(struct json_writer *writer, const struct json *parent, struct arena *arena) {
	uint32_t count = 0;
	json_foreach (item, parent) {
		count++;
		if (parent->type == JSON_ARRAY) {
			write_value(writer, NULL, item, arena);
			continue;
		}
		/* The writer's names are C strings, so one with a NUL inside goes as a value. */
		bool is_c_string = !memchr(item->name.data, 0, item->name.len);
		write_value(writer, is_c_string ? arena_strdup(arena, item->name) : "\x01", item, arena);
	}
	BUG_ON(count != parent->count);
}

static void write_value(struct json_writer *writer, const char *name, const struct json *value, struct arena *arena) {
	switch (value->type) {
	case JSON_NULL: json_put_null(writer, name); break;
	case JSON_FALSE: json_put_bool(writer, name, false); break;
	case JSON_TRUE: json_put_bool(writer, name, true); break;
	case JSON_NUMBER: json_put_raw(writer, name, value->text); break;
	case JSON_STRING: json_put_string(writer, name, value->text); break;
	case JSON_ARRAY:
		json_array_begin(writer, name);
		write_children(writer, value, arena);
		json_array_end(writer);
		break;
	case JSON_OBJECT:
		json_object_begin(writer, name);
		write_children(writer, value, arena);
		json_object_end(writer);
		break;
	}
}

static void write_tree(struct buf *out, const struct json *root, struct arena *arena) {
	struct json_writer writer = json_writer(out);
	buf_init(out, BUF_MAX_DEFAULT);
	write_value(&writer, NULL, root, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct json_limits limits = {.bytes_max = 1 << 20, .depth_max = DEPTH_MAX, .values_max = 10000};
	const struct json *root, *again;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	enum status status = json_parse(&root, &arena, bytes_make(data, size), &limits, &err);
	BUG_ON((status == STATUS_OK) != (root != NULL));
	if (root) {
		struct buf first, second;
		write_tree(&first, root, &arena);
		status = json_parse(&again, &arena, buf_view(&first), &limits, &err);
		/* Two names with a NUL inside were written as one, and escapes may lengthen beyond the limit. */
		if (status == STATUS_OK) {
			write_tree(&second, again, &arena);
			BUG_ON(!bytes_equal(buf_view(&first), buf_view(&second)));
			buf_fini(&second);
		} else {
			BUG_ON(!memmem(data, size, "\\u0", 3) && status != STATUS_LIMIT);
		}
		buf_fini(&first);
	}
	arena_fini(&arena);
	return 0;
}
