/* FHIRPath Patch (fhirpatch.html). */
#include "health/fhir/fhirpath_tree.h"
#include "health/fhir/patch_work.h"
#include "health/fhir/primitives.h"

/* One operation: its parts, and where its path leads. */
struct operation {
	struct patch_work *work;
	const struct fhir_definitions *defs;
	const struct json *parts;
	const struct fhirpath *path;
	struct fhirpath_context context;
	struct fhirpath_values found;
	struct bytes text; /* of the path */
	uint64_t *budget;  /* steps that are left for all paths of the patch */
};

/* --- the parts of an operation --- */

static const struct json *part_named(const struct json *parts, const char *name) {
	json_foreach (part, parts)
		if (json_string_is(json_get(part, "name"), name)) return part;
	return NULL;
}

/* The member "value…" of a part; NULL if it has none. */
static const struct json *value_of(const struct json *part) {
	json_foreach (member, part)
		if (member->name.len > 5 && memcmp(member->name.data, "value", 5) == 0) return member;
	return NULL;
}

static struct bytes text_of(const struct operation *o, const char *name) {
	return json_string(value_of(part_named(o->parts, name)));
}

static bool read_index(const struct operation *o, const char *name, size_t *out) {
	uint64_t number;
	if (!json_u64(&number, value_of(part_named(o->parts, name)))) return false;
	*out = (size_t)number;
	return true;
}

/* "deceasedBoolean" of "deceased" and valueBoolean, or the name itself. */
static struct bytes member_name(struct operation *o, const struct fhir_element_def *element, const struct json *part) {
	const char *name = fhir_text(o->defs, element->name);
	const struct json *value = value_of(part);
	if (element->type != FHIR_NONE || !value) return bytes_text(name);
	return bytes_text(arena_printf(
	    &o->work->arena, "%s%.*s", name, (int)value->name.len - 5, (const char *)value->name.data + 5));
}

/* --- values: as they stand, or put together of parts --- */

static bool write_value(struct operation *o, struct buf *out, uint16_t type, const struct json *part);

/* Is a part of this name before this one? Then it was written with it. */
static bool is_repeated(const struct json *parts, const struct json *part) {
	for (const struct json *before = parts->first; before != part; before = before->next)
		if (bytes_equal(json_string(json_get(before, "name")), json_string(json_get(part, "name"))))
			return true;
	return false;
}

/* One member of an object that is put together, with all its values if it repeats. */
static bool write_member(struct operation *o, struct buf *out, uint16_t type, const struct json *part) {
	struct bytes name = json_string(json_get(part, "name"));
	const struct fhir_element_def *element = fhir_element_find(o->defs, type, name);
	if (!element) return false;
	struct bytes spelled = member_name(o, element, part);
	uint16_t inner = fhir_member_find(o->defs, type, spelled).type;
	buf_printf(out, "%s\"%.*s\":", out->data[out->len - 1] == '{' ? "" : ",", (int)spelled.len,
	    (const char *)spelled.data);
	if (element->max != FHIR_MANY) return write_value(o, out, inner, part);
	buf_text(out, "[");
	for (const struct json *item = part; item; item = item->next) {
		if (!bytes_equal(json_string(json_get(item, "name")), name)) continue;
		if (item != part) buf_text(out, ",");
		if (!write_value(o, out, inner, item)) return false;
	}
	buf_text(out, "]");
	return true;
}

/* As deep as the Parameters are nested, which their parser bounds. */
static bool write_value(struct operation *o, struct buf *out, uint16_t type, const struct json *part) {
	const struct json *value = value_of(part), *parts = json_get(part, "part");
	if (value) {
		buf_append(out, value->raw);
		return true;
	}
	if (!parts || !parts->first || type == FHIR_NONE) return false;
	buf_text(out, "{");
	json_foreach (inner, parts)
		if (!is_repeated(parts, inner) && !write_member(o, out, type, inner)) return false;
	buf_text(out, "}");
	return true;
}

/* The operation's value as JSON in the arena of the operation. */
static enum fhir_patch_verdict make_value(struct operation *o, uint16_t type, struct bytes *out) {
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	const struct json *part = part_named(o->parts, "value");
	bool is_good = part && write_value(o, &text, type, part);
	if (is_good) *out = arena_dup(&o->work->arena, buf_view(&text));
	buf_fini(&text);
	if (is_good) return FHIR_PATCH_DONE;
	return patch_refuse(
	    o->work, FHIR_PATCH_MALFORMED, "it needs a part \"value\" of the elements that the type has");
}

/* --- places --- */

static const struct json *parent_of(const struct json *at, const struct json *child) {
	json_foreach (item, at) {
		if (item == child) return at;
		const struct json *found = parent_of(item, child);
		if (found) return found;
	}
	return NULL;
}

static enum fhir_patch_verdict refuse_twin(struct operation *o) {
	return patch_refuse(o->work, FHIR_PATCH_REFUSED, "primitives of this list have extensions; use JSON Patch");
}

/* Exactly one element that has a value in JSON. */
static enum fhir_patch_verdict one_found(struct operation *o) {
	if (o->found.count != 1)
		return patch_refuse(o->work, FHIR_PATCH_REFUSED,
		    "the path %.*s leads to %u elements, and must lead to one", PATCH_SHOWN(o->text), o->found.count);
	if (o->found.items[0].kind != FHIRPATH_NODE || !o->found.items[0].json)
		return patch_refuse(
		    o->work, FHIR_PATCH_REFUSED, "the path %.*s leads to no value", PATCH_SHOWN(o->text));
	return FHIR_PATCH_DONE;
}

/* The array of the list that the path leads to; it has no twin. */
static enum fhir_patch_verdict list_found(struct operation *o, const struct json **array) {
	*array = o->found.count ? parent_of(o->work->root, o->found.items[0].json) : NULL;
	bool is_whole = json_is(*array, JSON_ARRAY) && (*array)->count == o->found.count;
	uint32_t number = 0;
	json_foreach (item, is_whole ? *array : NULL) is_whole &= item == o->found.items[number++].json;
	if (!is_whole)
		return patch_refuse(
		    o->work, FHIR_PATCH_REFUSED, "the path %.*s leads to no whole list", PATCH_SHOWN(o->text));
	if (fhir_primitive_twin(parent_of(o->work->root, *array), (*array)->name)) return refuse_twin(o);
	return FHIR_PATCH_DONE;
}

/* --- operations --- */

/* Puts a value into an object: as its element, or behind the others of a list. */
static enum fhir_patch_verdict add_to(struct operation *o, const struct fhirpath_value *object, struct bytes name) {
	struct json_edit edit;
	struct bytes value;
	const struct fhir_element_def *element = fhir_element_find(o->defs, object->type, name);
	if (!element || !json_is(object->json, JSON_OBJECT))
		return patch_refuse(o->work, FHIR_PATCH_REFUSED, "there is no element %.*s in %s", PATCH_SHOWN(name),
		    fhirpath_type_text(o->defs, object));
	struct bytes spelled = member_name(o, element, part_named(o->parts, "value"));
	enum fhir_patch_verdict verdict = make_value(o, fhir_member_find(o->defs, object->type, spelled).type, &value);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	const struct json *there = NULL;
	json_foreach (member, object->json)
		if (fhir_member_find(o->defs, object->type, member->name).element == element) there = member;
	if (there && element->max != FHIR_MANY)
		return patch_refuse(
		    o->work, FHIR_PATCH_REFUSED, "%.*s is there already; replace it", PATCH_SHOWN(name));
	if (there && fhir_primitive_twin(object->json, there->name)) return refuse_twin(o);
	json_edit_init(&edit, &o->work->arena, o->work->root);
	if (there)
		json_edit_insert(&edit, there, there->count, value);
	else if (element->max == FHIR_MANY)
		json_edit_put(&edit, object->json, spelled,
		    bytes_text(arena_printf(&o->work->arena, "[%.*s]", (int)value.len, (const char *)value.data)));
	else
		json_edit_put(&edit, object->json, spelled, value);
	return patch_finish(o->work, &edit);
}

static enum fhir_patch_verdict add(struct operation *o) {
	struct bytes name = text_of(o, "name");
	if (!name.len) return patch_refuse(o->work, FHIR_PATCH_MALFORMED, "add needs a part \"name\"");
	enum fhir_patch_verdict verdict = one_found(o);
	return verdict == FHIR_PATCH_DONE ? add_to(o, &o->found.items[0], name) : verdict;
}

/* Into a list that is not there yet: the path without its last step leads to what will have it. */
static enum fhir_patch_verdict insert_first(struct operation *o, size_t index) {
	const struct fhirpath_tree *tree = o->path->tree;
	struct fhirpath rest = {.tree = tree->left};
	struct err err;
	if (tree->kind != FHIRPATH_TREE_MEMBER || index != 0)
		return patch_refuse(
		    o->work, FHIR_PATCH_REFUSED, "the path %.*s leads to no list", PATCH_SHOWN(o->text));
	if (tree->left && fhirpath_evaluate(&o->found, &o->context, &rest, &o->context.resource, &err) != STATUS_OK)
		return patch_refuse(o->work, FHIR_PATCH_REFUSED, "%s", err.message);
	if (!tree->left) o->found = (struct fhirpath_values){&o->context.resource, 1, 1};
	enum fhir_patch_verdict verdict = one_found(o);
	return verdict == FHIR_PATCH_DONE ? add_to(o, &o->found.items[0], tree->name) : verdict;
}

static enum fhir_patch_verdict insert(struct operation *o) {
	struct json_edit edit;
	const struct json *array;
	struct bytes value;
	size_t index;
	if (!read_index(o, "index", &index))
		return patch_refuse(o->work, FHIR_PATCH_MALFORMED, "insert needs a part \"index\"");
	if (!o->found.count) return insert_first(o, index);
	enum fhir_patch_verdict verdict = list_found(o, &array);
	if (verdict == FHIR_PATCH_DONE) verdict = make_value(o, o->found.items[0].type, &value);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	if (index > array->count)
		return patch_refuse(o->work, FHIR_PATCH_REFUSED, "index %zu, and the list has %u", index, array->count);
	json_edit_init(&edit, &o->work->arena, o->work->root);
	json_edit_insert(&edit, array, index, value);
	return patch_finish(o->work, &edit);
}

/* The element with its twin, and whatever has nothing else in it: no list and no object is empty. */
static enum fhir_patch_verdict remove_element(struct operation *o) {
	struct json_edit edit;
	if (!o->found.count) return FHIR_PATCH_DONE;
	enum fhir_patch_verdict verdict = one_found(o);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	const struct json *root = o->work->root, *value = o->found.items[0].json, *twin = NULL;
	const struct json *parent = parent_of(root, value);
	while (parent) {
		bool is_array = json_is(parent, JSON_ARRAY);
		if (is_array && fhir_primitive_twin(parent_of(root, parent), parent->name)) return refuse_twin(o);
		twin = is_array ? NULL : fhir_primitive_twin(parent, value->name);
		if (parent == root || parent->count > 1u + (twin != NULL)) break;
		value = parent;
		parent = parent_of(root, value);
	}
	if (!parent) return patch_refuse(o->work, FHIR_PATCH_REFUSED, "the whole resource cannot be deleted");
	json_edit_init(&edit, &o->work->arena, root);
	json_edit_remove(&edit, value);
	if (twin) json_edit_remove(&edit, twin);
	return patch_finish(o->work, &edit);
}

/* "valueString" of "valueInteger" when an integer gives way to a string; empty if the name says no type. */
static struct bytes renamed(struct operation *o, const struct fhirpath_value *old, const struct json *value) {
	const char *type = old->type == FHIR_NONE ? "" : fhir_type_name(o->defs, old->type);
	struct bytes name = old->json->name, suffix = bytes_slice(value->name, 5, value->name.len);
	size_t len = strlen(type);
	if (!len || name.len <= len || (name.data[name.len - len] | 32) != (type[0] | 32) ||
	    memcmp(name.data + name.len - len + 1, type + 1, len - 1) != 0)
		return (struct bytes){NULL, 0};
	return bytes_text(arena_printf(&o->work->arena, "%.*s%.*s", (int)(name.len - len), (const char *)name.data,
	    (int)suffix.len, (const char *)suffix.data));
}

static enum fhir_patch_verdict replace(struct operation *o) {
	struct json_edit edit;
	struct bytes json;
	enum fhir_patch_verdict verdict = one_found(o);
	if (verdict == FHIR_PATCH_DONE) verdict = make_value(o, o->found.items[0].type, &json);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	const struct fhirpath_value *old = &o->found.items[0];
	const struct json *parent = parent_of(o->work->root, old->json),
			  *value = value_of(part_named(o->parts, "value"));
	if (!parent) return patch_refuse(o->work, FHIR_PATCH_REFUSED, "the whole resource cannot be replaced");
	json_edit_init(&edit, &o->work->arena, o->work->root);
	struct bytes name = {NULL, 0};
	if (json_is(parent, JSON_OBJECT) && value) name = renamed(o, old, value);
	if (name.len && !bytes_equal(name, old->json->name)) {
		json_edit_remove(&edit, old->json);
		json_edit_put(&edit, parent, name, json);
	} else {
		json_edit_replace(&edit, old->json, json);
	}
	const struct json *twin = json_is(parent, JSON_OBJECT) ? fhir_primitive_twin(parent, old->json->name) : NULL;
	if (twin) json_edit_remove(&edit, twin);
	return patch_finish(o->work, &edit);
}

static enum fhir_patch_verdict move(struct operation *o) {
	struct json_edit edit;
	const struct json *array;
	size_t from, to;
	if (!read_index(o, "source", &from) || !read_index(o, "destination", &to))
		return patch_refuse(o->work, FHIR_PATCH_MALFORMED, "move needs parts \"source\" and \"destination\"");
	enum fhir_patch_verdict verdict = list_found(o, &array);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	if (from >= array->count || to >= array->count)
		return patch_refuse(
		    o->work, FHIR_PATCH_REFUSED, "from %zu to %zu, and the list has %u", from, to, array->count);
	const struct json *item = json_at(array, from);
	if (from == to) return FHIR_PATCH_DONE;
	json_edit_init(&edit, &o->work->arena, o->work->root);
	json_edit_remove(&edit, item);
	json_edit_insert(&edit, array, to < from ? to : to + 1, item->raw);
	return patch_finish(o->work, &edit);
}

static enum fhir_patch_verdict apply(struct operation *o) {
	static const struct {
		const char *type;
		enum fhir_patch_verdict (*body)(struct operation *o);
	} bodies[] = {
	    {"add", add}, {"insert", insert}, {"delete", remove_element}, {"replace", replace}, {"move", move}};
	struct bytes type = text_of(o, "type");
	struct err err;
	o->text = text_of(o, "path");
	if (!o->text.len) return patch_refuse(o->work, FHIR_PATCH_MALFORMED, "it needs a part \"path\"");
	o->context = fhirpath_context(o->defs, &o->work->arena, o->work->root);
	o->context.budget = o->budget;
	if (fhirpath_compile(&o->path, &o->work->arena, o->text, &err) != STATUS_OK)
		return patch_refuse(o->work, FHIR_PATCH_MALFORMED, "%s", err.message);
	if (fhirpath_evaluate(&o->found, &o->context, o->path, &o->context.resource, &err) != STATUS_OK)
		return patch_refuse(o->work, FHIR_PATCH_REFUSED, "%s", err.message);
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		if (bytes_equal(type, bytes_text(bodies[i].type))) return bodies[i].body(o);
	return patch_refuse(o->work, FHIR_PATCH_MALFORMED, "\"%.*s\" is none of add, insert, delete, replace and move",
	    PATCH_SHOWN(type));
}

enum fhir_patch_verdict fhir_patch_fhirpath(struct bytes *out, struct fhir_issues *issues,
    const struct fhir_definitions *defs, struct bytes document, const struct json *parameters) {
	const struct json *operations = json_get(parameters, "parameter");
	struct patch_work work;
	uint64_t budget = FHIR_PATCH_STEPS_MAX;
	bool is_parameters = json_string_is(json_get(parameters, "resourceType"), "Parameters");
	if (!is_parameters || (operations && operations->count > FHIR_PATCH_OPERATIONS_MAX)) {
		fhir_issues_add(issues, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "",
		    "a FHIRPath Patch is a Parameters resource with at most 1000 operations");
		return FHIR_PATCH_MALFORMED;
	}
	enum fhir_patch_verdict verdict = patch_begin(&work, issues, document);
	json_foreach (parameter, operations) {
		struct operation o = {
		    .work = &work, .defs = defs, .parts = json_get(parameter, "part"), .budget = &budget};
		if (verdict != FHIR_PATCH_DONE) break;
		work.number++;
		if (!json_string_is(json_get(parameter, "name"), "operation"))
			verdict = patch_refuse(&work, FHIR_PATCH_MALFORMED, "its name is not \"operation\"");
		else
			verdict = apply(&o);
	}
	return patch_end(&work, verdict, out);
}
