#include "codec/json_edit.h"

#include <stdlib.h>

/*
 * A change belongs to a child that is there (replace, remove), or to a place among a container's children (add). It is
 * found by `at`, the source byte where the child or the container begins: so the changes inside any value are a run of
 * the sorted list.
 */
enum change_kind { CHANGE_REPLACE, CHANGE_REMOVE, CHANGE_ADD };

struct json_change {
	const uint8_t *at;
	enum change_kind kind;
	size_t order; /* in which it was asked for */
	size_t index; /* CHANGE_ADD: before which child */
	struct bytes name;
	struct bytes json;
};

void json_edit_init(struct json_edit *edit, struct arena *arena, const struct json *root) {
	*edit = (struct json_edit){.arena = arena, .root = root};
}

static void add_change(struct json_edit *edit, struct json_change change) {
	if (edit->count == edit->capacity) {
		size_t capacity = edit->capacity ? 2 * edit->capacity : 16;
		struct json_change *larger = arena_zalloc(edit->arena, capacity, sizeof *larger);
		if (edit->count) memcpy(larger, edit->changes, edit->count * sizeof *larger);
		edit->changes = larger;
		edit->capacity = capacity;
	}
	change.order = edit->count;
	edit->changes[edit->count++] = change;
}

void json_edit_replace(struct json_edit *edit, const struct json *value, struct bytes json) {
	add_change(edit, (struct json_change){.at = value->raw.data, .kind = CHANGE_REPLACE, .json = json});
}

void json_edit_remove(struct json_edit *edit, const struct json *value) {
	BUG_ON(value == edit->root);
	add_change(edit, (struct json_change){.at = value->raw.data, .kind = CHANGE_REMOVE});
}

void json_edit_put_at(
    struct json_edit *edit, const struct json *object, size_t index, struct bytes name, struct bytes json) {
	BUG_ON(!json_is(object, JSON_OBJECT));
	json_foreach (member, object) {
		if (!bytes_equal(member->name, name)) continue;
		json_edit_replace(edit, member, json);
		return;
	}
	if (index > object->count) index = object->count;
	struct json_change change = {
	    .at = object->raw.data, .kind = CHANGE_ADD, .index = index, .name = name, .json = json};
	add_change(edit, change);
}

void json_edit_put(struct json_edit *edit, const struct json *object, struct bytes name, struct bytes json) {
	json_edit_put_at(edit, object, object->count, name, json);
}

void json_edit_insert(struct json_edit *edit, const struct json *array, size_t index, struct bytes json) {
	BUG_ON(!json_is(array, JSON_ARRAY));
	if (index > array->count) index = array->count;
	add_change(edit, (struct json_change){.at = array->raw.data, .kind = CHANGE_ADD, .index = index, .json = json});
}

/* --- writing --- */

static int by_place(const void *left, const void *right) {
	const struct json_change *a = left, *b = right;
	if (a->at != b->at) return a->at < b->at ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* The first change at or behind a source byte. */
static size_t first_from(const struct json_edit *edit, const uint8_t *at) {
	size_t low = 0, high = edit->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (edit->changes[middle].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What was asked of one child itself: the last word counts. NULL: nothing. */
static const struct json_change *change_of(const struct json_edit *edit, const struct json *value) {
	const struct json_change *last = NULL;
	for (size_t i = first_from(edit, value->raw.data); i < edit->count; i++) {
		const struct json_change *change = &edit->changes[i];
		if (change->at != value->raw.data) break;
		if (change->kind != CHANGE_ADD) last = change;
	}
	return last;
}

static bool is_touched(const struct json_edit *edit, const struct json *value) {
	size_t first = first_from(edit, value->raw.data);
	return first < edit->count && edit->changes[first].at < value->raw.data + value->raw.len;
}

/* The container that is being written. */
struct container {
	const struct json *value;
	struct bytes first_lead; /* white space before its first child, which added children take too */
	size_t written;
};

static bool is_space(uint8_t c) {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* From the end of the child before, or from the opening bracket, to the child's value: white space and a comma, and in
 * objects the name and its colon. */
static struct bytes text_before(const struct json *container, const struct json *previous, const struct json *child) {
	const uint8_t *from = previous ? previous->raw.data + previous->raw.len : container->raw.data + 1;
	const uint8_t *to = child ? child->raw.data : container->raw.data + container->raw.len - 1;
	return bytes_make(from, (size_t)(to - from));
}

static size_t space_count(struct bytes text) {
	size_t n = 0;
	while (n < text.len && is_space(text.data[n])) n++;
	return n;
}

static void write_lead(struct buf *out, struct container *container, const struct json *previous, struct bytes text) {
	size_t comma = previous ? space_count(text) : 0; /* a comma stands there if a child stands before */
	struct bytes rest = bytes_slice(text, previous ? comma + 1 : 0, text.len);
	if (container->written++ > 0) {
		buf_append(out, bytes_slice(text, 0, comma));
		buf_byte(out, ',');
	}
	buf_append(out, rest);
}

static void write_string(struct buf *out, struct bytes text) {
	struct json_writer writer = json_writer(out);
	json_put_string(&writer, NULL, text);
}

static void write_added(struct buf *out, struct container *container, const struct json_change *change) {
	if (container->written++ > 0) buf_byte(out, ',');
	buf_append(out, container->first_lead);
	if (container->value->type == JSON_OBJECT) {
		write_string(out, change->name);
		buf_byte(out, ':');
	}
	buf_append(out, change->json);
}

static void write_added_before(
    const struct json_edit *edit, struct buf *out, struct container *container, size_t index) {
	const uint8_t *at = container->value->raw.data;
	for (size_t i = first_from(edit, at); i < edit->count && edit->changes[i].at == at; i++)
		if (edit->changes[i].kind == CHANGE_ADD && edit->changes[i].index == index)
			write_added(out, container, &edit->changes[i]);
}

/* As deep as the parser allowed (json_limits). */
static void write_value(const struct json_edit *edit, struct buf *out, const struct json *value) {
	const struct json_change *own = change_of(edit, value);
	if (own || !is_touched(edit, value)) {
		buf_append(out, own ? own->json : value->raw);
		return;
	}
	struct bytes opening = text_before(value, NULL, value->first);
	struct container container = {.value = value, .first_lead = bytes_slice(opening, 0, space_count(opening))};
	const struct json *previous = NULL;
	size_t index = 0;
	buf_byte(out, value->raw.data[0]);
	json_foreach (child, value) {
		const struct json_change *change = change_of(edit, child);
		write_added_before(edit, out, &container, index++);
		if (!change || change->kind != CHANGE_REMOVE) {
			write_lead(out, &container, previous, text_before(value, previous, child));
			write_value(edit, out, child);
		}
		previous = child;
	}
	write_added_before(edit, out, &container, index);
	if (previous) buf_append(out, text_before(value, previous, NULL));
	buf_byte(out, value->raw.data[value->raw.len - 1]);
}

enum status json_edit_write(struct json_edit *edit, struct buf *out, struct err *err) {
	if (edit->count) qsort(edit->changes, edit->count, sizeof *edit->changes, by_place);
	write_value(edit, out, edit->root);
	return buf_status(out, err);
}
