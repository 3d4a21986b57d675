/*
 * Changes to a JSON document that leave every other byte as it stood: numbers keep their spelling, strings their
 * escapes, members their order and white space. What FHIR needs to set meta.versionId, to rewrite references and to
 * patch, without a new rendering of what somebody signed.
 *
 * Changes are gathered against a tree of json_parse and written in one pass. A change of a value that is itself
 * replaced or removed has no effect; of two replacements of one value the later counts. White space beside a removed
 * or an inserted child follows its neighbours'.
 *
 * Ownership: texts and trees that are handed over must outlive json_edit_write; the list lives in the arena.
 * Threads: one owner an edit.
 */
#ifndef CODEC_JSON_EDIT_H
#define CODEC_JSON_EDIT_H

#include "codec/json.h"

struct json_change;
struct json_edit {
	struct arena *arena;
	const struct json *root;
	struct json_change *changes; /* by place in the source once they are written */
	size_t count, capacity;
};

void json_edit_init(struct json_edit *edit, struct arena *arena, const struct json *root);
/* `json` is one value that was already checked; it takes the place of `value`, which stands in the tree. */
void json_edit_replace(struct json_edit *edit, const struct json *value, struct bytes json);
/* A member or an element; not the root. */
void json_edit_remove(struct json_edit *edit, const struct json *value);
/* Sets a member: replaces the one of this name, or adds it behind the others. Once a name and edit where it is new. */
void json_edit_put(struct json_edit *edit, const struct json *object, struct bytes name, struct bytes json);
/* As json_edit_put, but a new member stands before the one at `index`; beyond: behind all. */
void json_edit_put_at(
    struct json_edit *edit, const struct json *object, size_t index, struct bytes name, struct bytes json);
/* Inserts an element before the one at `index`; at `array->count` or beyond: behind all. Several at one place stand in
 * the order in which they were inserted. */
void json_edit_insert(struct json_edit *edit, const struct json *array, size_t index, struct bytes json);
/* Appends the changed document. STATUS_LIMIT if `out` is full. */
MUST_USE enum status json_edit_write(struct json_edit *edit, struct buf *out, struct err *err);

#endif
