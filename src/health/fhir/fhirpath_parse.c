#include "health/fhir/fhirpath_run.h"

struct parser {
	struct fhirpath_lexer lexer;
	struct fhirpath_word word; /* the next one */
	struct arena *arena;
	struct err *err;
	uint32_t depth; /* of open calls of parse_expression */
};

static const struct {
	const char *text;
	uint8_t binding;
} operators[] = {
#define OPERATOR_ROW(name, text, binding) [FHIRPATH_##name] = {text, binding},
    FHIRPATH_OPERATORS(OPERATOR_ROW)
#undef OPERATOR_ROW
};
#define BINDING_TYPE 8 /* is, as */
#define BINDING_SIGN 11

static enum status parse_expression(struct parser *p, int binding, struct fhirpath_tree **out);

static enum status refused(const struct parser *p, const char *what) {
	return err_set(p->err, STATUS_INVALID, "FHIRPath: %s at byte %zu", what, p->word.at);
}

static enum status advance(struct parser *p) {
	return fhirpath_next_word(&p->lexer, &p->word);
}

static bool is_word(const struct parser *p, enum fhirpath_word_kind kind, const char *text) {
	return p->word.kind == kind && bytes_equal(p->word.text, bytes_text(text));
}

static bool is_sign(const struct parser *p, const char *text) {
	return is_word(p, FHIRPATH_WORD_SIGN, text);
}

static enum status expect(struct parser *p, const char *sign) {
	if (is_sign(p, sign)) return advance(p);
	return err_set(p->err, STATUS_INVALID, "FHIRPath: expected %s at byte %zu", sign, p->word.at);
}

static uint32_t deeper(uint32_t depth, const struct fhirpath_tree *child) {
	return child && child->depth > depth ? child->depth : depth;
}

/* Whoever walks a tree may recurse, since none is deeper than the limit. */
static enum status make(struct parser *p, struct fhirpath_tree tree, struct fhirpath_tree **out) {
	uint32_t depth = deeper(deeper(0, tree.left), tree.right);
	for (const struct fhirpath_tree *argument = tree.arguments; argument; argument = argument->next)
		depth = deeper(depth, argument);
	if (depth == FHIRPATH_DEPTH_MAX) return err_set(p->err, STATUS_LIMIT, "FHIRPath: the expression is too long");
	*out = arena_alloc(p->arena, sizeof **out);
	**out = tree;
	(*out)->depth = depth + 1;
	return STATUS_OK;
}

static enum status literal(struct parser *p, struct fhirpath_value value, struct fhirpath_tree **out) {
	TRY(advance(p));
	return make(p, (struct fhirpath_tree){.kind = FHIRPATH_TREE_LITERAL, .value = value}, out);
}

/* A number, and the unit behind it if it is a quantity. */
static enum status parse_number(struct parser *p, struct fhirpath_tree **out) {
	struct fhirpath_value value = {.kind = FHIRPATH_DECIMAL, .type = FHIR_NONE};
	struct bytes digits = p->word.text;
	enum fhir_precision unused;
	int times;
	if (!fhir_decimal_read(&value.decimal, digits)) {
		/* JSON has no leading zeros; FHIRPath has. */
		while (digits.len > 1 && digits.data[0] == '0' && digits.data[1] != '.')
			digits = bytes_slice(digits, 1, digits.len);
		if (!fhir_decimal_read(&value.decimal, digits)) return refused(p, "a number with too many digits");
	}
	TRY(advance(p));
	bool is_calendar = p->word.kind == FHIRPATH_WORD_NAME && fhirpath_calendar_unit(p->word.text, &unused, &times);
	if (p->word.kind == FHIRPATH_WORD_STRING || is_calendar) {
		value.kind = FHIRPATH_QUANTITY;
		value.text = p->word.text;
		return literal(p, value, out);
	}
	if (!memchr(digits.data, '.', digits.len)) {
		struct fhir_decimal decimal = value.decimal;
		value.kind = FHIRPATH_INTEGER;
		if (!fhir_decimal_integer(&value.integer, decimal)) return refused(p, "an integer that is too large");
	}
	return make(p, (struct fhirpath_tree){.kind = FHIRPATH_TREE_LITERAL, .value = value}, out);
}

/* --- calls --- */

static enum status parse_name(struct parser *p, struct bytes *out) {
	if (p->word.kind != FHIRPATH_WORD_NAME && p->word.kind != FHIRPATH_WORD_DELIMITED)
		return refused(p, "expected a name");
	*out = p->word.text;
	return advance(p);
}

/* "FHIR.Patient", "Patient" */
static enum status parse_type(struct parser *p, struct fhirpath_tree *tree) {
	TRY(parse_name(p, &tree->name));
	if (!is_sign(p, ".")) return STATUS_OK;
	bool is_space =
	    bytes_equal(tree->name, BYTES_LITERAL("System")) || bytes_equal(tree->name, BYTES_LITERAL("FHIR"));
	if (!is_space) return STATUS_OK;
	TRY(advance(p));
	tree->space = tree->name;
	return parse_name(p, &tree->name);
}

static enum status parse_arguments(struct parser *p, struct fhirpath_tree *call) {
	struct fhirpath_tree **end = &call->arguments;
	unsigned count = 0;
	if (!is_sign(p, ")") && call->function->takes_type) {
		TRY(parse_type(p, call));
		count = 1;
	} else if (!is_sign(p, ")")) {
		for (;;) {
			TRY(parse_expression(p, 0, end));
			end = &(*end)->next;
			count++;
			if (!is_sign(p, ",")) break;
			TRY(advance(p));
		}
	}
	if (count < call->function->min || count > call->function->max)
		return err_set(p->err, STATUS_INVALID, "FHIRPath: %s() takes %u to %u arguments and has %u",
		    call->function->name, call->function->min, call->function->max, count);
	return expect(p, ")");
}

/* A name, or a call if a parenthesis is next. */
static enum status parse_invocation(struct parser *p, struct fhirpath_tree *left, struct fhirpath_tree **out) {
	struct fhirpath_tree tree = {.kind = FHIRPATH_TREE_MEMBER, .left = left};
	bool may_be_call = p->word.kind == FHIRPATH_WORD_NAME;
	TRY(parse_name(p, &tree.name));
	if (!may_be_call || !is_sign(p, "(")) return make(p, tree, out);
	tree.kind = FHIRPATH_TREE_CALL;
	tree.function = fhirpath_function_find(tree.name);
	if (!tree.function)
		return err_set(p->err, STATUS_UNSUPPORTED, "FHIRPath: there is no function %.*s()",
		    tree.name.len < 64 ? (int)tree.name.len : 64, (const char *)tree.name.data);
	TRY(advance(p));
	tree.name = (struct bytes){NULL, 0};
	TRY(parse_arguments(p, &tree));
	const struct fhirpath_tree *first = tree.arguments;
	if (tree.function->takes_pattern && first && first->kind == FHIRPATH_TREE_LITERAL &&
	    first->value.kind == FHIRPATH_STRING)
		TRY(fhir_regex_compile(&tree.regex, p->arena, first->value.text, p->err));
	return make(p, tree, out);
}

/* --- terms --- */

static enum status parse_variable(struct parser *p, struct fhirpath_tree **out) {
	static const struct {
		const char *name;
		enum fhirpath_tree_kind kind;
	} variables[] = {
	    {"this", FHIRPATH_TREE_THIS}, {"index", FHIRPATH_TREE_POSITION}, {"total", FHIRPATH_TREE_TOTAL}};
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
		if (!bytes_equal(p->word.text, bytes_text(variables[i].name))) continue;
		TRY(advance(p));
		return make(p, (struct fhirpath_tree){.kind = variables[i].kind}, out);
	}
	return refused(p, "expected $this, $index or $total");
}

static enum status parse_sign(struct parser *p, struct fhirpath_tree **out) {
	struct fhirpath_tree tree = {.kind = is_sign(p, "-") ? FHIRPATH_TREE_NEGATE : FHIRPATH_TREE_PLUS};
	if (is_sign(p, "(")) {
		TRY(advance(p));
		TRY(parse_expression(p, 0, out));
		return expect(p, ")");
	}
	if (is_sign(p, "{")) {
		TRY(advance(p));
		TRY(expect(p, "}"));
		return make(p, (struct fhirpath_tree){.kind = FHIRPATH_TREE_EMPTY}, out);
	}
	if (!is_sign(p, "-") && !is_sign(p, "+")) return refused(p, "expected a value");
	TRY(advance(p));
	TRY(parse_expression(p, BINDING_SIGN, &tree.left));
	return make(p, tree, out);
}

static enum status parse_term(struct parser *p, struct fhirpath_tree **out) {
	struct fhirpath_value value = {.type = FHIR_NONE};
	switch (p->word.kind) {
	case FHIRPATH_WORD_END: return refused(p, "expected a value");
	case FHIRPATH_WORD_STRING:
		value.kind = FHIRPATH_STRING;
		value.text = p->word.text;
		return literal(p, value, out);
	case FHIRPATH_WORD_TEMPORAL:
		value.kind = FHIRPATH_TEMPORAL;
		value.temporal = p->word.temporal;
		return literal(p, value, out);
	case FHIRPATH_WORD_NUMBER: return parse_number(p, out);
	case FHIRPATH_WORD_VARIABLE: return parse_variable(p, out);
	case FHIRPATH_WORD_CONSTANT: {
		struct fhirpath_tree tree = {.kind = FHIRPATH_TREE_CONSTANT, .name = p->word.text};
		TRY(advance(p));
		return make(p, tree, out);
	}
	case FHIRPATH_WORD_NAME:
		value.kind = FHIRPATH_BOOLEAN;
		value.boolean = is_word(p, FHIRPATH_WORD_NAME, "true");
		if (value.boolean || is_word(p, FHIRPATH_WORD_NAME, "false")) return literal(p, value, out);
		return parse_invocation(p, NULL, out);
	case FHIRPATH_WORD_DELIMITED: return parse_invocation(p, NULL, out);
	case FHIRPATH_WORD_SIGN: return parse_sign(p, out);
	}
	return STATUS_INTERNAL;
}

/* ".name", "[index]" as often as they follow. */
static enum status parse_postfix(struct parser *p, struct fhirpath_tree **out) {
	TRY(parse_term(p, out));
	for (;;) {
		if (is_sign(p, ".")) {
			TRY(advance(p));
			TRY(parse_invocation(p, *out, out));
		} else if (is_sign(p, "[")) {
			struct fhirpath_tree tree = {.kind = FHIRPATH_TREE_INDEX, .left = *out};
			TRY(advance(p));
			TRY(parse_expression(p, 0, &tree.right));
			TRY(expect(p, "]"));
			TRY(make(p, tree, out));
		} else {
			return STATUS_OK;
		}
	}
}

static bool is_operator(const struct parser *p, enum fhirpath_operator *out) {
	if (p->word.kind != FHIRPATH_WORD_SIGN && p->word.kind != FHIRPATH_WORD_NAME) return false;
	for (size_t i = 0; i < FHIRPATH_OPERATOR_COUNT; i++) {
		*out = (enum fhirpath_operator)i;
		if (bytes_equal(p->word.text, bytes_text(operators[i].text))) return true;
	}
	return false;
}

/* Precedence climbing: takes every operator that binds more than `binding`. */
static enum status parse_operators(struct parser *p, int binding, struct fhirpath_tree **out) {
	for (;;) {
		bool is_is = is_word(p, FHIRPATH_WORD_NAME, "is"), is_as = is_word(p, FHIRPATH_WORD_NAME, "as");
		struct fhirpath_tree tree = {.kind = is_is   ? FHIRPATH_TREE_IS
						     : is_as ? FHIRPATH_TREE_AS
							     : FHIRPATH_TREE_BINARY,
		    .left = *out};
		if (is_is || is_as) {
			if (binding >= BINDING_TYPE) return STATUS_OK;
			TRY(advance(p));
			TRY(parse_type(p, &tree));
		} else {
			if (!is_operator(p, &tree.op) || operators[tree.op].binding <= binding) return STATUS_OK;
			TRY(advance(p));
			TRY(parse_expression(p, operators[tree.op].binding, &tree.right));
		}
		TRY(make(p, tree, out));
	}
}

static enum status parse_expression(struct parser *p, int binding, struct fhirpath_tree **out) {
	if (++p->depth > FHIRPATH_DEPTH_MAX) return err_set(p->err, STATUS_LIMIT, "FHIRPath: nested too deep");
	TRY(parse_postfix(p, out));
	TRY(parse_operators(p, binding, out));
	p->depth--;
	return STATUS_OK;
}

enum status fhirpath_compile(const struct fhirpath **out, struct arena *arena, struct bytes text, struct err *err) {
	if (text.len > FHIRPATH_TEXT_MAX)
		return err_set(
		    err, STATUS_LIMIT, "FHIRPath: %zu bytes, more than the %u allowed", text.len, FHIRPATH_TEXT_MAX);
	struct parser p = {.lexer = {text, 0, arena, err}, .arena = arena, .err = err};
	struct fhirpath *path = arena_zalloc(arena, 1, sizeof *path);
	path->text = text;
	TRY(advance(&p));
	TRY(parse_expression(&p, 0, &path->tree));
	if (p.word.kind != FHIRPATH_WORD_END) return refused(&p, "expected the end");
	*out = path;
	return STATUS_OK;
}
