#include "health/fhir/fhirpath_run.h"

#include <stdarg.h>
#include <stdio.h>

/* --- what evaluations share --- */

enum status fhirpath_step(struct fhirpath_run *run, uint32_t count) {
	if (run->steps < count)
		return err_set(run->err, STATUS_LIMIT, "FHIRPath: the evaluation takes more steps than are allowed");
	run->steps -= count;
	return STATUS_OK;
}

enum status fhirpath_invalid(struct fhirpath_run *run, const char *format, ...) {
	char text[200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return err_set(run->err, STATUS_INVALID, "FHIRPath: %s", text);
}

void fhirpath_push(struct fhirpath_run *run, struct fhirpath_values *values, struct fhirpath_value value) {
	if (values->count == values->capacity) {
		uint32_t capacity = values->capacity ? 2 * values->capacity : 2;
		struct fhirpath_value *items = arena_alloc(run->arena, capacity * sizeof *items);
		if (values->count) memcpy(items, values->items, values->count * sizeof *items);
		values->items = items;
		values->capacity = capacity;
	}
	values->items[values->count++] = value;
}

void fhirpath_push_all(struct fhirpath_run *run, struct fhirpath_values *values, const struct fhirpath_values *more) {
	for (uint32_t i = 0; i < more->count; i++) fhirpath_push(run, values, more->items[i]);
}

void fhirpath_push_bool(struct fhirpath_run *run, struct fhirpath_values *values, bool value) {
	fhirpath_push(
	    run, values, (struct fhirpath_value){.kind = FHIRPATH_BOOLEAN, .type = FHIR_NONE, .boolean = value});
}

void fhirpath_push_integer(struct fhirpath_run *run, struct fhirpath_values *values, int64_t value) {
	fhirpath_push(
	    run, values, (struct fhirpath_value){.kind = FHIRPATH_INTEGER, .type = FHIR_NONE, .integer = value});
}

void fhirpath_push_text(struct fhirpath_run *run, struct fhirpath_values *values, struct bytes text) {
	fhirpath_push(run, values, (struct fhirpath_value){.kind = FHIRPATH_STRING, .type = FHIR_NONE, .text = text});
}

static const struct fhirpath_tree *argument_of(const struct fhirpath_call *call, unsigned number) {
	const struct fhirpath_tree *argument = call->tree->arguments;
	while (argument && number--) argument = argument->next;
	return argument;
}

enum status fhirpath_argument(
    struct fhirpath_run *run, const struct fhirpath_call *call, unsigned number, struct fhirpath_values *out) {
	const struct fhirpath_tree *argument = argument_of(call, number);
	return argument ? fhirpath_eval(run, call->scope, argument, out) : STATUS_OK;
}

enum status fhirpath_argument_for(struct fhirpath_run *run, const struct fhirpath_call *call, unsigned number,
    uint32_t index, struct fhirpath_values *out) {
	const struct fhirpath_tree *argument = argument_of(call, number);
	struct fhirpath_values item = {&call->in->items[index], 1, 1};
	struct fhirpath_scope scope = {.self = &item, .index = index, .total = call->scope->total};
	return argument ? fhirpath_eval(run, &scope, argument, out) : STATUS_OK;
}

enum status fhirpath_single(
    struct fhirpath_run *run, const struct fhirpath_values *values, const struct fhirpath_value **out) {
	*out = NULL;
	if (!values->count) return STATUS_OK;
	if (values->count > 1) return fhirpath_invalid(run, "%u values where one is needed", values->count);
	struct fhirpath_value *plain = arena_alloc(run->arena, sizeof *plain);
	*plain = fhirpath_plain(run->defs, &values->items[0]);
	*out = plain;
	return STATUS_OK;
}

enum status fhirpath_truth_of(
    struct fhirpath_run *run, const struct fhirpath_values *values, enum fhirpath_truth *out) {
	*out = FHIRPATH_UNKNOWN;
	if (!values->count) return STATUS_OK;
	if (values->count > 1) return fhirpath_invalid(run, "%u values where a boolean is needed", values->count);
	struct fhirpath_value plain = fhirpath_plain(run->defs, &values->items[0]);
	*out = plain.kind != FHIRPATH_BOOLEAN || plain.boolean ? FHIRPATH_TRUE : FHIRPATH_FALSE;
	return STATUS_OK;
}

enum status fhirpath_text_argument(
    struct fhirpath_run *run, const struct fhirpath_call *call, unsigned number, bool *is_there, struct bytes *out) {
	struct fhirpath_values values = {0};
	const struct fhirpath_value *value;
	TRY(fhirpath_argument(run, call, number, &values));
	TRY(fhirpath_single(run, &values, &value));
	*is_there = value != NULL;
	if (value && value->kind != FHIRPATH_STRING) return fhirpath_invalid(run, "an argument that must be a string");
	if (value) *out = value->text;
	return STATUS_OK;
}

enum status fhirpath_integer_argument(
    struct fhirpath_run *run, const struct fhirpath_call *call, unsigned number, bool *is_there, int64_t *out) {
	struct fhirpath_values values = {0};
	const struct fhirpath_value *value;
	TRY(fhirpath_argument(run, call, number, &values));
	TRY(fhirpath_single(run, &values, &value));
	*is_there = value != NULL;
	if (value && value->kind != FHIRPATH_INTEGER)
		return fhirpath_invalid(run, "an argument that must be an integer");
	if (value) *out = value->integer;
	return STATUS_OK;
}

/* --- operators --- */

static enum status push_truth(struct fhirpath_run *run, struct fhirpath_values *out, enum fhirpath_truth truth) {
	if (truth != FHIRPATH_UNKNOWN) fhirpath_push_bool(run, out, truth == FHIRPATH_TRUE);
	return STATUS_OK;
}

static enum fhirpath_truth inverse(enum fhirpath_truth truth) {
	return truth == FHIRPATH_UNKNOWN ? truth : truth == FHIRPATH_TRUE ? FHIRPATH_FALSE : FHIRPATH_TRUE;
}

/* and, or, xor, implies: three-valued. The right side is not evaluated if the left one decides. */
static enum status eval_logic(struct fhirpath_run *run, const struct fhirpath_scope *scope,
    const struct fhirpath_tree *tree, struct fhirpath_values *out) {
	struct fhirpath_values left = {0}, right = {0};
	enum fhirpath_truth a, b;
	TRY(fhirpath_eval(run, scope, tree->left, &left));
	TRY(fhirpath_truth_of(run, &left, &a));
	if (tree->op == FHIRPATH_AND && a == FHIRPATH_FALSE) return push_truth(run, out, FHIRPATH_FALSE);
	if (tree->op == FHIRPATH_OR && a == FHIRPATH_TRUE) return push_truth(run, out, FHIRPATH_TRUE);
	if (tree->op == FHIRPATH_IMPLIES && a == FHIRPATH_FALSE) return push_truth(run, out, FHIRPATH_TRUE);
	TRY(fhirpath_eval(run, scope, tree->right, &right));
	TRY(fhirpath_truth_of(run, &right, &b));
	if (tree->op == FHIRPATH_IMPLIES) {
		if (b == FHIRPATH_TRUE) return push_truth(run, out, FHIRPATH_TRUE);
		return push_truth(run, out, a == FHIRPATH_TRUE ? b : FHIRPATH_UNKNOWN);
	}
	if (tree->op == FHIRPATH_AND) {
		if (b == FHIRPATH_FALSE) return push_truth(run, out, FHIRPATH_FALSE);
		return push_truth(run, out, a == FHIRPATH_UNKNOWN ? a : b);
	}
	if (tree->op == FHIRPATH_OR) {
		if (b == FHIRPATH_TRUE) return push_truth(run, out, FHIRPATH_TRUE);
		return push_truth(run, out, a == FHIRPATH_UNKNOWN ? a : b);
	}
	if (a == FHIRPATH_UNKNOWN || b == FHIRPATH_UNKNOWN) return STATUS_OK;
	return push_truth(run, out, a != b ? FHIRPATH_TRUE : FHIRPATH_FALSE);
}

static enum status eval_membership(struct fhirpath_run *run, const struct fhirpath_values *one,
    const struct fhirpath_values *all, struct fhirpath_values *out) {
	bool has;
	if (!one->count) return STATUS_OK;
	if (one->count > 1) return fhirpath_invalid(run, "%u values where membership is asked of one", one->count);
	TRY(fhirpath_has(run, all, &one->items[0], &has));
	fhirpath_push_bool(run, out, has);
	return STATUS_OK;
}

static enum status eval_order(struct fhirpath_run *run, enum fhirpath_operator op, const struct fhirpath_value *a,
    const struct fhirpath_value *b, struct fhirpath_values *out) {
	bool is_known;
	int order;
	if (!a || !b) return STATUS_OK;
	TRY(fhirpath_order(run, a, b, &is_known, &order));
	if (!is_known) return STATUS_OK;
	bool is_true = op == FHIRPATH_LESS            ? order < 0
		       : op == FHIRPATH_GREATER       ? order > 0
		       : op == FHIRPATH_LESS_OR_EQUAL ? order <= 0
						      : order >= 0;
	fhirpath_push_bool(run, out, is_true);
	return STATUS_OK;
}

/* &: as +, but what is empty is an empty text. */
static enum status eval_join(struct fhirpath_run *run, const struct fhirpath_value *a, const struct fhirpath_value *b,
    struct fhirpath_values *out) {
	struct bytes left = {NULL, 0}, right = {NULL, 0};
	if ((a && a->kind != FHIRPATH_STRING) || (b && b->kind != FHIRPATH_STRING))
		return fhirpath_invalid(run, "& joins strings");
	if (a) left = a->text;
	if (b) right = b->text;
	TRY(fhirpath_step(run, (uint32_t)((left.len + right.len) / FHIRPATH_STEP_BYTES)));
	uint8_t *joined = arena_alloc(run->arena, left.len + right.len);
	if (left.len) memcpy(joined, left.data, left.len);
	if (right.len) memcpy(joined + left.len, right.data, right.len);
	fhirpath_push_text(run, out, bytes_make(joined, left.len + right.len));
	return STATUS_OK;
}

static enum status eval_equality(struct fhirpath_run *run, enum fhirpath_operator op,
    const struct fhirpath_values *left, const struct fhirpath_values *right, struct fhirpath_values *out) {
	if (op == FHIRPATH_ALIKE || op == FHIRPATH_NOT_ALIKE) {
		bool is_alike;
		TRY(fhirpath_lists_alike(run, left, right, &is_alike));
		fhirpath_push_bool(run, out, is_alike == (op == FHIRPATH_ALIKE));
		return STATUS_OK;
	}
	enum fhirpath_truth truth;
	TRY(fhirpath_lists_equal(run, left, right, &truth));
	return push_truth(run, out, op == FHIRPATH_EQUAL ? truth : inverse(truth));
}

static enum status eval_binary(struct fhirpath_run *run, const struct fhirpath_scope *scope,
    const struct fhirpath_tree *tree, struct fhirpath_values *out) {
	struct fhirpath_values left = {0}, right = {0};
	const struct fhirpath_value *a, *b;
	if (tree->op <= FHIRPATH_AND) return eval_logic(run, scope, tree, out);
	TRY(fhirpath_eval(run, scope, tree->left, &left));
	TRY(fhirpath_eval(run, scope, tree->right, &right));
	if (tree->op == FHIRPATH_IN) return eval_membership(run, &left, &right, out);
	if (tree->op == FHIRPATH_CONTAINS) return eval_membership(run, &right, &left, out);
	if (tree->op >= FHIRPATH_EQUAL && tree->op <= FHIRPATH_NOT_ALIKE)
		return eval_equality(run, tree->op, &left, &right, out);
	if (tree->op == FHIRPATH_UNION) {
		TRY(fhirpath_push_distinct(run, out, &left));
		return fhirpath_push_distinct(run, out, &right);
	}
	TRY(fhirpath_single(run, &left, &a));
	TRY(fhirpath_single(run, &right, &b));
	if (tree->op >= FHIRPATH_LESS && tree->op <= FHIRPATH_GREATER_OR_EQUAL)
		return eval_order(run, tree->op, a, b, out);
	if (tree->op == FHIRPATH_JOIN) return eval_join(run, a, b, out);
	if (!a || !b) return STATUS_OK;
	return fhirpath_calculate(run, tree->op, a, b, out);
}

/* --- the rest of the tree --- */

static enum status eval_index(struct fhirpath_run *run, const struct fhirpath_scope *scope,
    const struct fhirpath_tree *tree, struct fhirpath_values *out) {
	struct fhirpath_values left = {0}, right = {0};
	const struct fhirpath_value *index;
	TRY(fhirpath_eval(run, scope, tree->left, &left));
	TRY(fhirpath_eval(run, scope, tree->right, &right));
	TRY(fhirpath_single(run, &right, &index));
	if (!index) return STATUS_OK;
	if (index->kind != FHIRPATH_INTEGER) return fhirpath_invalid(run, "an index that is no integer");
	if (index->integer >= 0 && index->integer < left.count) fhirpath_push(run, out, left.items[index->integer]);
	return STATUS_OK;
}

static enum status eval_sign(struct fhirpath_run *run, const struct fhirpath_scope *scope,
    const struct fhirpath_tree *tree, struct fhirpath_values *out) {
	struct fhirpath_values inner = {0};
	const struct fhirpath_value *value;
	TRY(fhirpath_eval(run, scope, tree->left, &inner));
	TRY(fhirpath_single(run, &inner, &value));
	if (!value) return STATUS_OK;
	struct fhir_decimal unused;
	if (tree->kind == FHIRPATH_TREE_NEGATE) return fhirpath_negate(run, value, out);
	if (!fhirpath_decimal_of(&unused, value)) return fhirpath_invalid(run, "+ before what is no number");
	fhirpath_push(run, out, *value);
	return STATUS_OK;
}

static enum status eval_type(struct fhirpath_run *run, const struct fhirpath_scope *scope,
    const struct fhirpath_tree *tree, struct fhirpath_values *out) {
	struct fhirpath_values left = {0};
	TRY(fhirpath_eval(run, scope, tree->left, &left));
	if (!left.count) return STATUS_OK;
	bool is;
	if (tree->kind == FHIRPATH_TREE_IS) {
		if (left.count > 1)
			return fhirpath_invalid(run, "%u values where the type of one is asked", left.count);
		TRY(fhirpath_is_type(run, &left.items[0], tree, &is));
		fhirpath_push_bool(run, out, is);
		return STATUS_OK;
	}
	/* "as" takes lists: "(Observation.component.value as Quantity)" is a search parameter of R4. */
	for (uint32_t i = 0; i < left.count; i++) {
		TRY(fhirpath_step(run, 1));
		TRY(fhirpath_as_type(run, &left.items[i], tree, &is));
		if (is) fhirpath_push(run, out, left.items[i]);
	}
	return STATUS_OK;
}

static enum status eval_constant(
    struct fhirpath_run *run, const struct fhirpath_tree *tree, struct fhirpath_values *out) {
	static const struct {
		const char *name, *text;
	} texts[] = {
	    {"ucum", "http://unitsofmeasure.org"}, {"sct", "http://snomed.info/sct"}, {"loinc", "http://loinc.org"}};
	static const struct {
		const char *prefix, *url;
	} families[] = {{"vs-", "http://hl7.org/fhir/ValueSet/"}, {"ext-", "http://hl7.org/fhir/StructureDefinition/"}};
	struct bytes name = tree->name;
	if (bytes_equal(name, BYTES_LITERAL("resource")))
		fhirpath_push(run, out, run->context->resource);
	else if (bytes_equal(name, BYTES_LITERAL("rootResource")))
		fhirpath_push(run, out, run->context->root_resource);
	else if (bytes_equal(name, BYTES_LITERAL("context")))
		fhirpath_push(run, out, *run->focus);
	if (out->count) return STATUS_OK;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (!bytes_equal(name, bytes_text(texts[i].name))) continue;
		fhirpath_push_text(run, out, bytes_text(texts[i].text));
		return STATUS_OK;
	}
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		size_t len = strlen(families[i].prefix);
		if (name.len <= len || memcmp(name.data, families[i].prefix, len) != 0) continue;
		struct bytes rest = bytes_slice(name, len, name.len);
		fhirpath_push_text(run, out,
		    bytes_text(
			arena_printf(run->arena, "%s%.*s", families[i].url, (int)rest.len, (const char *)rest.data)));
		return STATUS_OK;
	}
	return fhirpath_invalid(
	    run, "there is no constant %%%.*s", name.len < 64 ? (int)name.len : 64, (const char *)name.data);
}

/* At its beginning a path may name the type of what it stands on: "Patient.name". */
static bool names_focus(const struct fhirpath_run *run, const struct fhirpath_value *value, struct bytes name) {
	if (!name.len || name.data[0] < 'A' || name.data[0] > 'Z' || value->kind != FHIRPATH_NODE) return false;
	uint16_t type = fhir_definitions_type(run->defs, name);
	return type != FHIR_NONE && fhir_type_derives(run->defs, value->type, type);
}

static enum status eval_member(struct fhirpath_run *run, const struct fhirpath_scope *scope,
    const struct fhirpath_tree *tree, struct fhirpath_values *out) {
	struct fhirpath_values left = {0};
	const struct fhirpath_values *from = scope->self;
	if (tree->left) {
		TRY(fhirpath_eval(run, scope, tree->left, &left));
		from = &left;
	}
	for (uint32_t i = 0; i < from->count; i++) {
		if (!tree->left && names_focus(run, &from->items[i], tree->name))
			fhirpath_push(run, out, from->items[i]);
		else
			TRY(fhirpath_members(run, &from->items[i], tree->name, out));
	}
	return STATUS_OK;
}

static enum status eval_call(struct fhirpath_run *run, const struct fhirpath_scope *scope,
    const struct fhirpath_tree *tree, struct fhirpath_values *out) {
	struct fhirpath_values left = {0};
	struct fhirpath_call call = {tree, scope, scope->self};
	if (tree->left) {
		TRY(fhirpath_eval(run, scope, tree->left, &left));
		call.in = &left;
	}
	return tree->function->body(run, &call, out);
}

enum status fhirpath_eval(struct fhirpath_run *run, const struct fhirpath_scope *scope,
    const struct fhirpath_tree *tree, struct fhirpath_values *out) {
	TRY(fhirpath_step(run, 1));
	switch (tree->kind) {
	case FHIRPATH_TREE_LITERAL: fhirpath_push(run, out, tree->value); return STATUS_OK;
	case FHIRPATH_TREE_EMPTY: return STATUS_OK;
	case FHIRPATH_TREE_MEMBER: return eval_member(run, scope, tree, out);
	case FHIRPATH_TREE_CALL: return eval_call(run, scope, tree, out);
	case FHIRPATH_TREE_INDEX: return eval_index(run, scope, tree, out);
	case FHIRPATH_TREE_NEGATE:
	case FHIRPATH_TREE_PLUS: return eval_sign(run, scope, tree, out);
	case FHIRPATH_TREE_BINARY: return eval_binary(run, scope, tree, out);
	case FHIRPATH_TREE_IS:
	case FHIRPATH_TREE_AS: return eval_type(run, scope, tree, out);
	case FHIRPATH_TREE_THIS: fhirpath_push_all(run, out, scope->self); return STATUS_OK;
	case FHIRPATH_TREE_POSITION: fhirpath_push_integer(run, out, scope->index); return STATUS_OK;
	case FHIRPATH_TREE_TOTAL:
		if (scope->total) fhirpath_push_all(run, out, scope->total);
		return STATUS_OK;
	case FHIRPATH_TREE_CONSTANT: return eval_constant(run, tree, out);
	}
	return STATUS_INTERNAL;
}

enum status fhirpath_evaluate(struct fhirpath_values *out, const struct fhirpath_context *context,
    const struct fhirpath *path, const struct fhirpath_value *focus, struct err *err) {
	uint32_t steps = context->steps_max ? context->steps_max : FHIRPATH_STEPS_MAX;
	if (context->budget && *context->budget < steps) steps = (uint32_t)*context->budget;
	struct fhirpath_run run = {.context = context,
	    .defs = context->defs,
	    .arena = context->arena,
	    .focus = focus,
	    .steps = steps,
	    .err = err};
	struct fhirpath_value item = *focus;
	struct fhirpath_values self = {&item, 1, 1};
	struct fhirpath_scope scope = {.self = &self};
	*out = (struct fhirpath_values){0};
	enum status status = fhirpath_eval(&run, &scope, path->tree, out);
	if (context->budget) *context->budget -= steps - run.steps;
	return status;
}

enum status fhirpath_test(enum fhirpath_truth *out, const struct fhirpath_context *context, const struct fhirpath *path,
    const struct fhirpath_value *focus, struct err *err) {
	struct fhirpath_values values;
	struct fhirpath_run run = {.context = context, .defs = context->defs, .arena = context->arena, .err = err};
	*out = FHIRPATH_UNKNOWN;
	TRY(fhirpath_evaluate(&values, context, path, focus, err));
	return fhirpath_truth_of(&run, &values, out);
}
