/* _filter (search_filter.html): comparisons with and, or, not and parentheses; "and" binds closer than "or". */
#include "health/fhir/search_criteria.h"

struct lexer {
	struct fhir_search_reader *reader;
	uint16_t type;
	struct bytes text;
	size_t at;
	unsigned depth;
};
static const struct bytes whole = {(const uint8_t *)"_filter", 7};

static struct fhir_criterion *refuse(struct lexer *lexer, const char *why) {
	fhir_search_refuse(lexer->reader, FHIR_ISSUE_INVALID, whole, "at character %zu: %s", lexer->at + 1, why);
	return NULL;
}

static void skip_blanks(struct lexer *lexer) {
	while (lexer->at < lexer->text.len && lexer->text.data[lexer->at] == ' ') lexer->at++;
}

static bool take(struct lexer *lexer, char wanted) {
	skip_blanks(lexer);
	if (lexer->at >= lexer->text.len || lexer->text.data[lexer->at] != (uint8_t)wanted) return false;
	lexer->at++;
	return true;
}

/* What stands before the next blank or parenthesis. */
static struct bytes word(struct lexer *lexer) {
	skip_blanks(lexer);
	size_t from = lexer->at;
	while (lexer->at < lexer->text.len && !strchr(" ()", lexer->text.data[lexer->at])) lexer->at++;
	return bytes_slice(lexer->text, from, lexer->at - from);
}

static bool take_word(struct lexer *lexer, const char *wanted) {
	size_t before = lexer->at;
	if (bytes_equal(word(lexer), bytes_text(wanted))) return true;
	lexer->at = before;
	return false;
}

/* Where the quoted text that begins at `from` ends: the place of its last quote. SIZE_MAX: it does not end. */
static size_t end_of_quoted(struct bytes text, size_t from) {
	for (size_t at = from + 1; at < text.len; at++) {
		if (text.data[at] == '"') return at;
		if (text.data[at] == '\\') at++;
	}
	return SIZE_MAX;
}

/* A text in quotes, with \" and \\ in it. NULL data: there is none, or it does not end. Its memory is its own length,
 * since a filter may have thousands. */
static struct bytes quoted(struct lexer *lexer) {
	const size_t end = end_of_quoted(lexer->text, lexer->at);
	if (end == SIZE_MAX) return (struct bytes){NULL, 0};
	uint8_t *out = arena_alloc(lexer->reader->arena, end - lexer->at);
	size_t len = 0;
	for (lexer->at++; lexer->at < end; lexer->at++) {
		if (lexer->text.data[lexer->at] == '\\') lexer->at++;
		out[len++] = lexer->text.data[lexer->at];
	}
	lexer->at++;
	return bytes_make(out, len);
}

static struct fhir_criterion *comparison(struct lexer *lexer) {
	struct fhir_search_leaf leaf = {.whole = whole};
	struct bytes name = word(lexer), operation = word(lexer);
	if (!name.len || operation.len != 2)
		return refuse(lexer, "write: parameter operator value, as in name co \"pet\"");
	skip_blanks(lexer);
	bool is_quoted = lexer->at < lexer->text.len && lexer->text.data[lexer->at] == '"';
	leaf.value = is_quoted ? quoted(lexer) : word(lexer);
	if (!leaf.value.len) return refuse(lexer, "a value is missing, or its quotes are not closed");
	leaf.operation = arena_strdup(lexer->reader->arena, operation);
	if (!fhir_search_names(lexer->reader->defs, lexer->type, name) || name.data[0] == '_')
		if (!fhir_search_of(lexer->reader->defs, lexer->type, name))
			return refuse(lexer, "this type has no such search parameter");
	return fhir_search_criterion(lexer->reader, lexer->type, name, &leaf, 1);
}

static struct fhir_criterion *expression(struct lexer *lexer);

static struct fhir_criterion *operand(struct lexer *lexer) {
	bool is_not = take_word(lexer, "not");
	bool is_group = take(lexer, '(');
	if (is_not && !is_group) return refuse(lexer, "after not there is a parenthesis");
	struct fhir_criterion *inner = is_group ? expression(lexer) : comparison(lexer);
	if (!inner || (is_group && !take(lexer, ')')))
		return inner ? refuse(lexer, "a parenthesis is not closed") : NULL;
	if (!is_not) return inner;
	struct fhir_criterion *node = fhir_search_node(lexer->reader, whole, FHIR_NOT, lexer->type);
	if (node) node->children = inner;
	return node;
}

/* Operands with one word between them. */
static struct fhir_criterion *row(struct lexer *lexer, const char *between, enum fhir_criterion_kind kind,
    struct fhir_criterion *(*next)(struct lexer *)) {
	struct fhir_criterion *node = fhir_search_node(lexer->reader, whole, kind, lexer->type);
	struct fhir_criterion **last = node ? &node->children : NULL;
	do {
		struct fhir_criterion *child = node ? next(lexer) : NULL;
		if (!child) return NULL;
		last = fhir_search_add(last, child);
	} while (take_word(lexer, between));
	return node;
}

static struct fhir_criterion *conjunction(struct lexer *lexer) {
	return row(lexer, "and", FHIR_ALL, operand);
}

static struct fhir_criterion *expression(struct lexer *lexer) {
	if (++lexer->depth > FHIR_SEARCH_DEPTH_MAX) return refuse(lexer, "parentheses go too deep");
	struct fhir_criterion *node = row(lexer, "or", FHIR_ANY, conjunction);
	lexer->depth--;
	return node;
}

struct fhir_criterion *fhir_search_filter(struct fhir_search_reader *reader, uint16_t type, struct bytes text) {
	struct lexer lexer = {.reader = reader, .type = type, .text = text};
	struct fhir_criterion *node = expression(&lexer);
	skip_blanks(&lexer);
	return node && lexer.at < text.len ? refuse(&lexer, "'and', 'or' or the end is expected") : node;
}
