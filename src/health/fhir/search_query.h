/*
 * A search as its query says it (search.html): parameters with prefixes, modifiers and chains, _has, _filter, includes,
 * sorting and paging, read against the definitions into a tree of criteria. Whoever answers it needs no definitions of
 * its own.
 *
 * An unknown parameter is left out and reported as a warning, or refused if handling is strict. An unknown modifier, a
 * value that its type cannot have, and what this program does not do are always refused. Each issue has the parameter
 * as its expression, and says what to do.
 *
 * Bounds: FHIR_SEARCH_NODES_MAX criteria, FHIR_SEARCH_OPERANDS_MAX values, FHIR_SEARCH_DEPTH_MAX levels.
 * Ownership: everything lies in the arena, or is a view into the query. Threads: pure.
 */
#ifndef HEALTH_FHIR_SEARCH_QUERY_H
#define HEALTH_FHIR_SEARCH_QUERY_H

#include "base/http_uri.h"
#include "health/fhir/decimal.h"
#include "health/fhir/definitions.h"
#include "health/fhir/issue.h"
#include "health/fhir/temporal.h"

#define FHIR_SEARCH_NODES_MAX 2000u
#define FHIR_SEARCH_OPERANDS_MAX 5000u
#define FHIR_SEARCH_DEPTH_MAX 8u
#define FHIR_SEARCH_COUNT_DEFAULT 20u
#define FHIR_SEARCH_COUNT_MAX 1000u

enum fhir_prefix {
	FHIR_PREFIX_EQ,
	FHIR_PREFIX_NE,
	FHIR_PREFIX_GT,
	FHIR_PREFIX_LT,
	FHIR_PREFIX_GE,
	FHIR_PREFIX_LE,
	FHIR_PREFIX_SA,
	FHIR_PREFIX_EB,
	FHIR_PREFIX_AP
};
enum fhir_modifier {
	FHIR_PLAIN,
	FHIR_EXACT,      /* string: as it is spelled */
	FHIR_WHOLE,      /* string: folded, but all of it; _filter's eq */
	FHIR_CONTAINS,   /* string */
	FHIR_ENDS,       /* string; _filter's ew */
	FHIR_DISPLAY,    /* token: ":text" */
	FHIR_IDENTIFIER, /* reference, by the identifier in it */
	FHIR_OF_TYPE,    /* token: identifiers with their type */
	FHIR_ABOVE,      /* uri */
	FHIR_BELOW
};

/* One value; what stands in it depends on the parameter's type. */
struct fhir_operand {
	enum fhir_prefix prefix;
	struct bytes text;                   /* string, uri; a reference that is a URL; a token's display */
	bool has_system, has_code;           /* token: "|code" has a system, which is empty; "system|" has no code */
	struct bytes system, code;           /* token; quantity: code, of which `has_code` says that one is asked for */
	struct fhir_decimal number;          /* number, quantity */
	struct fhir_decimal low, high;       /* number, quantity: what its digits span, without `high` itself */
	struct fhir_moments moments;         /* date */
	uint16_t target;                     /* reference: the type; FHIR_NONE: a URL in `text` */
	struct bytes id;                     /* reference */
	struct bytes type_system, type_code; /* FHIR_OF_TYPE */
	const struct fhir_operand *parts;    /* composite: one a component */
};

enum fhir_criterion_kind {
	FHIR_MATCH,     /* some value of `search` fits some operand */
	FHIR_PRESENT,   /* `search` has a value */
	FHIR_CHAIN,     /* some reference of `search` leads to a resource that meets some child */
	FHIR_HAS,       /* a resource of type `other` refers to it by `search`, and meets the child if there is one */
	FHIR_ALL,       /* every child */
	FHIR_ANY,       /* some child */
	FHIR_NOT,       /* not its child */
	FHIR_IDS,       /* its id is in `text` of some operand */
	FHIR_LISTED,    /* it is in the List whose id is in the first operand's `text` */
	FHIR_NARRATIVE, /* _text: words in the first operand's `text` */
	FHIR_WORDS,     /* _content: likewise */
};
struct fhir_criterion {
	enum fhir_criterion_kind kind;
	uint16_t type;  /* of the resource that it is asked of; FHIR_NONE: any */
	uint16_t other; /* HAS */
	const struct fhir_search_def *search;
	enum fhir_modifier modifier;
	const struct fhir_operand *operands;
	size_t operand_count;
	struct fhir_criterion *children, *next; /* a list */
};

struct fhir_search_sort {
	const struct fhir_search_def *search;
	bool descending;
};
struct fhir_search_include {
	uint16_t source;                      /* the type that refers; FHIR_NONE: any */
	const struct fhir_search_def *search; /* NULL: all its references */
	uint16_t target;                      /* or FHIR_NONE: any */
	bool is_reverse, is_iterated;
};
enum fhir_search_total { FHIR_TOTAL_NONE, FHIR_TOTAL_ESTIMATE, FHIR_TOTAL_ACCURATE };
enum fhir_search_summary {
	FHIR_SUMMARY_FALSE,
	FHIR_SUMMARY_TRUE,
	FHIR_SUMMARY_TEXT,
	FHIR_SUMMARY_DATA,
	FHIR_SUMMARY_COUNT
};

struct fhir_search {
	const struct fhir_definitions *defs;
	const uint16_t *types; /* that are searched for */
	size_t type_count;     /* 0: all */
	uint16_t compartment;  /* as in the settings; it is one of the criteria */
	struct bytes compartment_id;
	const struct fhir_criterion *criteria; /* all of them */
	const struct fhir_search_sort *sorts;
	size_t sort_count;
	const struct fhir_search_include *includes;
	size_t include_count;
	uint32_t count; /* on a page; 0: the total alone */
	enum fhir_search_total total;
	enum fhir_search_summary summary;
	const struct bytes *elements; /* of _elements */
	size_t element_count;
	struct bytes cursor; /* [empty] */
	/* What was used, in the query's order and without `cursor`: for the self link, and what pages are bound to. */
	const struct http_query_item *used;
	size_t used_count;
};

struct fhir_search_settings {
	const struct fhir_definitions *defs;
	uint16_t type;    /* FHIR_NONE: the whole system */
	const char *base; /* URLs below it are our own references: "https://host/fhir" [NULL] */
	bool is_strict;   /* Prefer: handling=strict */
	int64_t now_ms;   /* for the prefix ap */
	/* "/Patient/1/Observation" [FHIR_NONE] */
	uint16_t compartment;
	struct bytes compartment_id;
};
/* STATUS_INVALID: refused, the issues say why. With STATUS_OK they hold warnings. */
MUST_USE enum status fhir_search_read(struct fhir_search **out, struct arena *arena,
    const struct fhir_search_settings *settings, const struct http_query *query, struct fhir_issues *issues);
/* Appends "name=value&name=value" of what was used. */
void fhir_search_write(struct buf *out, const struct fhir_search *search);

/* Text as strings are compared: case folded, accents taken off Latin letters, runs of blanks one blank. Other scripts
 * keep their letters, but for the case of Greek and Cyrillic ones. Appends. */
void fhir_search_fold(struct buf *out, struct bytes text);

#endif
