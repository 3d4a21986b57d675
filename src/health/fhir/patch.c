#include "health/fhir/patch.h"

#include "health/fhir/patch_work.h"
#include "health/fhir/same.h"

/* Where a pointer leads: into `parent`, at a member or an index. */
struct target {
	const struct json *parent; /* NULL: the root */
	const struct json *value;  /* NULL: there is none yet */
	struct bytes name;         /* decoded; of a member */
	size_t index;              /* of an element; the count for "-" */
};

/* --- pointers (RFC 6901) --- */

/* The next token, decoded into the arena. False for a "~" that escapes nothing. */
static bool next_token(struct patch_work *p, struct bytes *rest, struct bytes *out) {
	uint8_t *text = arena_alloc(&p->arena, rest->len);
	size_t len = 0, at = 1; /* behind the "/" */
	for (; at < rest->len && rest->data[at] != '/'; at++) {
		uint8_t c = rest->data[at];
		if (c == '~') {
			uint8_t escaped = at + 1 < rest->len ? rest->data[++at] : 0;
			if (escaped != '0' && escaped != '1') return false;
			c = escaped == '0' ? '~' : '/';
		}
		text[len++] = c;
	}
	*out = bytes_make(text, len);
	*rest = bytes_slice(*rest, at, rest->len);
	return true;
}

/* "0", "12"; no zero before other digits. */
static bool read_index(size_t *out, struct bytes token) {
	*out = 0;
	if (!token.len || token.len > 9 || (token.len > 1 && token.data[0] == '0')) return false;
	for (size_t i = 0; i < token.len; i++) {
		if (token.data[i] < '0' || token.data[i] > '9') return false;
		*out = *out * 10 + (size_t)(token.data[i] - '0');
	}
	return true;
}

static const struct json *member_named(const struct json *object, struct bytes name) {
	json_foreach (member, object)
		if (bytes_equal(member->name, name)) return member;
	return NULL;
}

/* One step down; false if there is no such place in an array, or nothing to step into. */
static bool step(struct target *target, struct bytes token) {
	const struct json *parent = target->value;
	*target = (struct target){.parent = parent, .name = token};
	if (json_is(parent, JSON_OBJECT)) {
		target->value = member_named(parent, token);
		return true;
	}
	if (!json_is(parent, JSON_ARRAY)) return false;
	if (bytes_equal(token, BYTES_LITERAL("-")))
		target->index = parent->count;
	else if (!read_index(&target->index, token) || target->index > parent->count)
		return false;
	target->value = json_at(parent, target->index);
	return true;
}

static enum fhir_patch_verdict find(
    struct patch_work *p, const struct json *pointer, const char *name, struct target *out) {
	struct bytes path = json_string(pointer), rest = path, token;
	*out = (struct target){.value = p->root};
	if (!path.data) return patch_refuse(p, FHIR_PATCH_MALFORMED, "it needs a \"%s\", a string", name);
	if (path.len && path.data[0] != '/')
		return patch_refuse(
		    p, FHIR_PATCH_MALFORMED, "the path %.*s does not begin with a /", PATCH_SHOWN(path));
	while (rest.len) {
		if (!next_token(p, &rest, &token))
			return patch_refuse(p, FHIR_PATCH_MALFORMED, "the path %.*s has a ~ that is neither ~0 nor ~1",
			    PATCH_SHOWN(path));
		if (!step(out, token))
			return patch_refuse(p, FHIR_PATCH_REFUSED, "there is no place %.*s", PATCH_SHOWN(path));
	}
	return FHIR_PATCH_DONE;
}

/* As find, and something stands there. */
static enum fhir_patch_verdict find_there(
    struct patch_work *p, const struct json *pointer, const char *name, struct target *out) {
	enum fhir_patch_verdict verdict = find(p, pointer, name, out);
	struct bytes path = json_string(pointer);
	if (verdict == FHIR_PATCH_DONE && !out->value)
		return patch_refuse(p, FHIR_PATCH_REFUSED, "there is nothing at %.*s", PATCH_SHOWN(path));
	return verdict;
}

/* --- operations --- */

static enum fhir_patch_verdict put_whole(struct patch_work *p, struct bytes json) {
	buf_clear(&p->text);
	buf_append(&p->text, json);
	return patch_parse(p);
}

static enum fhir_patch_verdict add(struct patch_work *p, const struct json *pointer, struct bytes json) {
	struct json_edit edit;
	struct target target;
	enum fhir_patch_verdict verdict = find(p, pointer, "path", &target);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	if (!target.parent) return put_whole(p, json);
	json_edit_init(&edit, &p->arena, p->root);
	if (json_is(target.parent, JSON_ARRAY))
		json_edit_insert(&edit, target.parent, target.index, json);
	else
		json_edit_put(&edit, target.parent, target.name, json);
	return patch_finish(p, &edit);
}

static enum fhir_patch_verdict remove_at(struct patch_work *p, const struct json *pointer, const char *name) {
	struct json_edit edit;
	struct target target;
	enum fhir_patch_verdict verdict = find_there(p, pointer, name, &target);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	if (!target.parent) return patch_refuse(p, FHIR_PATCH_REFUSED, "the whole document cannot be removed");
	json_edit_init(&edit, &p->arena, p->root);
	json_edit_remove(&edit, target.value);
	return patch_finish(p, &edit);
}

static enum fhir_patch_verdict replace(struct patch_work *p, const struct json *pointer, struct bytes json) {
	struct json_edit edit;
	struct target target;
	enum fhir_patch_verdict verdict = find_there(p, pointer, "path", &target);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	if (!target.parent) return put_whole(p, json);
	json_edit_init(&edit, &p->arena, p->root);
	json_edit_replace(&edit, target.value, json);
	return patch_finish(p, &edit);
}

static enum fhir_patch_verdict test(struct patch_work *p, const struct json *pointer, const struct json *value) {
	struct target target;
	struct bytes path = json_string(pointer);
	enum fhir_patch_verdict verdict = find_there(p, pointer, "path", &target);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	if (!same_json(target.value, value))
		return patch_refuse(
		    p, FHIR_PATCH_REFUSED, "the test of %.*s fails: another value stands there", PATCH_SHOWN(path));
	return FHIR_PATCH_DONE;
}

/* move and copy: what stands at "from" is taken along, spelled as it is. A value that is moved into itself finds no
 * place there any more. */
static enum fhir_patch_verdict carry(struct patch_work *p, const struct json *operation, bool is_move) {
	const struct json *from = json_get(operation, "from"), *path = json_get(operation, "path");
	struct bytes source = json_string(from), goal = json_string(path);
	struct target target;
	enum fhir_patch_verdict verdict = find_there(p, from, "from", &target);
	if (verdict != FHIR_PATCH_DONE) return verdict;
	if (!goal.data) return patch_refuse(p, FHIR_PATCH_MALFORMED, "it needs a \"path\", a string");
	if (is_move && bytes_equal(source, goal)) return FHIR_PATCH_DONE;
	struct buf value;
	buf_init(&value, BUF_MAX_DEFAULT);
	buf_append(&value, target.value->raw);
	if (is_move) verdict = remove_at(p, from, "from");
	if (verdict == FHIR_PATCH_DONE) verdict = add(p, path, buf_view(&value));
	buf_fini(&value);
	return verdict;
}

static enum fhir_patch_verdict apply(struct patch_work *p, const struct json *operation) {
	const struct json *op = json_get(operation, "op"), *path = json_get(operation, "path");
	const struct json *value = json_get(operation, "value");
	if (!json_is(operation, JSON_OBJECT) || !json_is(op, JSON_STRING))
		return patch_refuse(p, FHIR_PATCH_MALFORMED, "it is not an object with an \"op\"");
	if (json_string_is(op, "remove")) return remove_at(p, path, "path");
	if (json_string_is(op, "move")) return carry(p, operation, true);
	if (json_string_is(op, "copy")) return carry(p, operation, false);
	bool is_add = json_string_is(op, "add"), is_replace = json_string_is(op, "replace");
	if (!is_add && !is_replace && !json_string_is(op, "test"))
		return patch_refuse(p, FHIR_PATCH_MALFORMED,
		    "\"%.*s\" is none of add, remove, replace, move, copy and test", PATCH_SHOWN(op->text));
	if (!value) return patch_refuse(p, FHIR_PATCH_MALFORMED, "it needs a \"value\"");
	if (is_add) return add(p, path, value->raw);
	return is_replace ? replace(p, path, value->raw) : test(p, path, value);
}

enum fhir_patch_verdict fhir_patch_json(
    struct bytes *out, struct fhir_issues *issues, struct bytes document, const struct json *patch) {
	struct patch_work p;
	if (!json_is(patch, JSON_ARRAY) || patch->count > FHIR_PATCH_OPERATIONS_MAX) {
		fhir_issues_add(issues, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "",
		    "a JSON Patch is an array of at most 1000 operations");
		return FHIR_PATCH_MALFORMED;
	}
	enum fhir_patch_verdict verdict = patch_begin(&p, issues, document);
	json_foreach (operation, patch) {
		if (verdict != FHIR_PATCH_DONE) break;
		p.number++;
		verdict = apply(&p, operation);
	}
	return patch_end(&p, verdict, out);
}
