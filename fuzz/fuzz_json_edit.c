/* A changed document is JSON again, and what was not changed has its bytes still. The input's last bytes say what to
 * do. */
#include "codec/json_edit.h"
#include "fuzz/target.h"

#define CHANGES_MAX 16

static size_t count_values(const struct json *value) {
	size_t count = 1;
	json_foreach (child, value) count += count_values(child);
	return count;
}

/* The value of this number, in the order of the source; `*parent` is what holds it. */
static const struct json *pick(const struct json *value, const struct json **parent, size_t *number) {
	if ((*number)-- == 0) return value;
	json_foreach (child, value) {
		*parent = value;
		const struct json *found = pick(child, parent, number);
		if (found) return found;
	}
	return NULL;
}

static void change(struct json_edit *edit, const struct json *root, size_t number, uint8_t how) {
	const struct json *parent = NULL, *value = pick(root, &parent, &number);
	if (how % 3 == 0)
		json_edit_replace(edit, value, BYTES_LITERAL("1.00"));
	else if (how % 3 == 1 && value != root)
		json_edit_remove(edit, value);
	else if (value->type == JSON_ARRAY)
		json_edit_insert(edit, value, how / 3, BYTES_LITERAL("{}"));
	else if (value->type == JSON_OBJECT && !json_get(value, "new") && edit->count == 0)
		json_edit_put(edit, value, BYTES_LITERAL("new"), BYTES_LITERAL("[]"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct json_limits limits = {.bytes_max = 1 << 20, .depth_max = 64, .values_max = 10000};
	struct bytes orders = size > 2 * CHANGES_MAX ? bytes_make(data + size - 2 * CHANGES_MAX, 2 * CHANGES_MAX)
						     : bytes_make(data, size & ~(size_t)1);
	const struct json *root, *again;
	struct arena arena;
	arena_init(&arena);
	if (json_parse(&root, &arena, bytes_make(data, size), &limits, NULL) == STATUS_OK) {
		struct json_edit edit;
		struct buf out;
		size_t values = count_values(root);
		buf_init(&out, BUF_MAX_DEFAULT);
		json_edit_init(&edit, &arena, root);
		BUG_ON(json_edit_write(&edit, &out, NULL) != STATUS_OK || !bytes_equal(buf_view(&out), root->raw));
		for (size_t i = 0; i + 1 < orders.len; i += 2)
			change(&edit, root, orders.data[i] % values, orders.data[i + 1]);
		buf_clear(&out);
		BUG_ON(json_edit_write(&edit, &out, NULL) != STATUS_OK);
		BUG_ON(json_parse(&again, &arena, buf_view(&out), NULL, NULL) != STATUS_OK);
		buf_fini(&out);
	}
	arena_fini(&arena);
	return 0;
}
