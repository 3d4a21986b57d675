/* Inside health/fhir: a regular expression as a tree, which regex_parse.c makes and regex.c turns into a program. */
#ifndef HEALTH_FHIR_REGEX_TREE_H
#define HEALTH_FHIR_REGEX_TREE_H

#include "health/fhir/regex.h"

enum regex_kind {
	REGEX_CLASS,  /* one character of a class */
	REGEX_THEN,   /* its children one behind the other */
	REGEX_OR,     /* one of its children, the first before the second */
	REGEX_REPEAT, /* its child from `min` to `max` times */
	REGEX_GROUP,  /* its child, kept as `group` */
	REGEX_BEGIN,
	REGEX_END,
	REGEX_WORD_EDGE,
	REGEX_NO_WORD_EDGE,
};

struct regex_range {
	uint32_t first, last; /* code points */
};
struct regex_class {
	const struct regex_range *ranges;
	uint32_t count;
	bool is_negated;
};

#define REGEX_ENDLESS UINT32_MAX

struct regex_tree {
	enum regex_kind kind;
	struct regex_class class;
	struct regex_tree *first, *next; /* child; sibling */
	uint32_t min, max;
	bool is_lazy;
	uint32_t group;
};

struct regex_names {
	struct bytes name[FHIR_REGEX_GROUPS_MAX];
};

MUST_USE enum status regex_parse(
    struct regex_tree **out, struct regex_names *names, struct arena *arena, struct bytes pattern, struct err *err);
/* The next character; an ill-formed byte stands for itself. Moves `at`, which must be below the length. */
uint32_t regex_next(struct bytes text, size_t *at);

#endif
