/* Inside health/fhir: an expression as a tree. fhirpath_lex.c makes words of text, fhirpath_parse.c a tree of words. */
#ifndef HEALTH_FHIR_FHIRPATH_TREE_H
#define HEALTH_FHIR_FHIRPATH_TREE_H

#include "health/fhir/fhirpath.h"
#include "health/fhir/regex.h"

enum fhirpath_word_kind {
	FHIRPATH_WORD_END,
	FHIRPATH_WORD_NAME,      /* an identifier or a keyword */
	FHIRPATH_WORD_DELIMITED, /* `identifier` */
	FHIRPATH_WORD_STRING,
	FHIRPATH_WORD_NUMBER,
	FHIRPATH_WORD_TEMPORAL, /* @… */
	FHIRPATH_WORD_VARIABLE, /* $this, $index, $total */
	FHIRPATH_WORD_CONSTANT, /* %name */
	FHIRPATH_WORD_SIGN,     /* an operator or punctuation */
};
struct fhirpath_word {
	enum fhirpath_word_kind kind;
	struct bytes text; /* decoded: without quotes and escapes */
	struct fhir_temporal temporal;
	size_t at; /* byte in the expression */
};
struct fhirpath_lexer {
	struct bytes text;
	size_t at;
	struct arena *arena;
	struct err *err;
};
MUST_USE enum status fhirpath_next_word(struct fhirpath_lexer *lexer, struct fhirpath_word *out);

enum fhirpath_tree_kind {
	FHIRPATH_TREE_LITERAL,  /* `value` */
	FHIRPATH_TREE_EMPTY,    /* {} */
	FHIRPATH_TREE_MEMBER,   /* `left`.`name`; without left: of what the expression stands on */
	FHIRPATH_TREE_CALL,     /* `left`.`function`(arguments) */
	FHIRPATH_TREE_INDEX,    /* left[right] */
	FHIRPATH_TREE_NEGATE,   /* -left */
	FHIRPATH_TREE_PLUS,     /* +left */
	FHIRPATH_TREE_BINARY,   /* left op right */
	FHIRPATH_TREE_IS,       /* left is `name` */
	FHIRPATH_TREE_AS,       /* left as `name` */
	FHIRPATH_TREE_THIS,     /* $this */
	FHIRPATH_TREE_POSITION, /* $index */
	FHIRPATH_TREE_TOTAL,    /* $total */
	FHIRPATH_TREE_CONSTANT, /* %name */
};

#define FHIRPATH_OPERATORS(X)                                                                                          \
	X(IMPLIES, "implies", 1)                                                                                       \
	X(OR, "or", 2)                                                                                                 \
	X(XOR, "xor", 2)                                                                                               \
	X(AND, "and", 3)                                                                                               \
	X(IN, "in", 4)                                                                                                 \
	X(CONTAINS, "contains", 4)                                                                                     \
	X(EQUAL, "=", 5)                                                                                               \
	X(ALIKE, "~", 5)                                                                                               \
	X(NOT_EQUAL, "!=", 5)                                                                                          \
	X(NOT_ALIKE, "!~", 5)                                                                                          \
	X(LESS, "<", 6)                                                                                                \
	X(GREATER, ">", 6)                                                                                             \
	X(LESS_OR_EQUAL, "<=", 6)                                                                                      \
	X(GREATER_OR_EQUAL, ">=", 6)                                                                                   \
	X(UNION, "|", 7)                                                                                               \
	X(ADD, "+", 9)                                                                                                 \
	X(SUBTRACT, "-", 9)                                                                                            \
	X(JOIN, "&", 9)                                                                                                \
	X(MULTIPLY, "*", 10)                                                                                           \
	X(DIVIDE, "/", 10)                                                                                             \
	X(DIV, "div", 10)                                                                                              \
	X(MOD, "mod", 10)
#define FHIRPATH_OPERATOR_ENUM(name, text, binding) FHIRPATH_##name,
enum fhirpath_operator { FHIRPATH_OPERATORS(FHIRPATH_OPERATOR_ENUM) FHIRPATH_OPERATOR_COUNT };
#undef FHIRPATH_OPERATOR_ENUM

struct fhirpath_function; /* fhirpath_run.h */

struct fhirpath_tree {
	enum fhirpath_tree_kind kind;
	enum fhirpath_operator op;
	struct bytes name;  /* MEMBER, CONSTANT; IS and AS: of the type */
	struct bytes space; /* IS, AS: of the type; empty: any */
	const struct fhirpath_function *function;
	struct fhirpath_value value;
	struct fhirpath_tree *left, *right;
	struct fhirpath_tree *arguments, *next; /* the first; the one behind this one */
	uint32_t depth;                         /* of what hangs on it, itself included: at most FHIRPATH_DEPTH_MAX */
	const struct fhir_regex *regex;         /* CALL: of a pattern that is a literal, compiled before; or NULL */
};

struct fhirpath {
	struct fhirpath_tree *tree;
	struct bytes text;
};

#endif
