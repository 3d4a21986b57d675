/*
 * Inside health/fhir: what an evaluation carries along, and what its parts share. fhirpath_eval.c walks the tree;
 * fhirpath_nodes.c goes from node to node; fhirpath_equal.c compares; fhirpath_math.c calculates; functions stand in
 * fhirpath_list.c, fhirpath_string.c, fhirpath_convert.c and fhirpath_fhir.c, and their table in fhirpath_functions.c.
 */
#ifndef HEALTH_FHIR_FHIRPATH_RUN_H
#define HEALTH_FHIR_FHIRPATH_RUN_H

#include "health/fhir/fhirpath_tree.h"

struct fhirpath_run {
	const struct fhirpath_context *context;
	const struct fhir_definitions *defs;
	struct arena *arena;
	const struct fhirpath_value *focus; /* %context */
	uint32_t steps;                     /* left */
	struct err *err;
};

/* Where in an expression: what $this, $index and $total are. */
struct fhirpath_scope {
	const struct fhirpath_values *self;
	const struct fhirpath_values *total; /* or NULL */
	uint32_t index;
};

/* A call: `in` is what it is called on; arguments are evaluated by fhirpath_argument or for each item. */
struct fhirpath_call {
	const struct fhirpath_tree *tree;
	const struct fhirpath_scope *scope;
	const struct fhirpath_values *in;
};
typedef enum status fhirpath_body(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out);
struct fhirpath_function {
	const char *name;
	uint8_t min, max; /* arguments */
	bool takes_type;  /* its argument names a type */
	bool takes_pattern;
	fhirpath_body *body;
};
/* NULL if there is none. */
const struct fhirpath_function *fhirpath_function_find(struct bytes name);

/* --- fhirpath_eval.c --- */

/* A step of the evaluation is worth so many of a regular expression, and so many bytes of texts and trees. */
#define FHIRPATH_REGEX_STEPS 8u
#define FHIRPATH_STEP_BYTES 64u

/* Lists that are handed over to be filled are empty before. */

/* Refuses when the steps are used up. */
MUST_USE enum status fhirpath_step(struct fhirpath_run *run, uint32_t count);
MUST_USE enum status fhirpath_eval(struct fhirpath_run *run, const struct fhirpath_scope *scope,
    const struct fhirpath_tree *tree, struct fhirpath_values *out);
void fhirpath_push(struct fhirpath_run *run, struct fhirpath_values *values, struct fhirpath_value value);
void fhirpath_push_all(struct fhirpath_run *run, struct fhirpath_values *values, const struct fhirpath_values *more);
void fhirpath_push_bool(struct fhirpath_run *run, struct fhirpath_values *values, bool value);
void fhirpath_push_integer(struct fhirpath_run *run, struct fhirpath_values *values, int64_t value);
void fhirpath_push_text(struct fhirpath_run *run, struct fhirpath_values *values, struct bytes text);
MUST_USE enum status fhirpath_invalid(struct fhirpath_run *run, const char *format, ...) PRINTF_LIKE(2, 3);

/* The nth argument, in the scope of the call. */
MUST_USE enum status fhirpath_argument(
    struct fhirpath_run *run, const struct fhirpath_call *call, unsigned number, struct fhirpath_values *out);
/* The nth argument for one item of the input. */
MUST_USE enum status fhirpath_argument_for(struct fhirpath_run *run, const struct fhirpath_call *call, unsigned number,
    uint32_t index, struct fhirpath_values *out);
/* One value or none (`*out` NULL) as a plain one; several are refused. */
MUST_USE enum status fhirpath_single(
    struct fhirpath_run *run, const struct fhirpath_values *values, const struct fhirpath_value **out);
/* The truth of a collection: empty is unknown, one that is no boolean is true, several are refused. */
MUST_USE enum status fhirpath_truth_of(
    struct fhirpath_run *run, const struct fhirpath_values *values, enum fhirpath_truth *out);
/* One string or integer argument; `*is_there` false if it is empty. */
MUST_USE enum status fhirpath_text_argument(
    struct fhirpath_run *run, const struct fhirpath_call *call, unsigned number, bool *is_there, struct bytes *out);
MUST_USE enum status fhirpath_integer_argument(
    struct fhirpath_run *run, const struct fhirpath_call *call, unsigned number, bool *is_there, int64_t *out);

/* --- fhirpath_nodes.c --- */

MUST_USE enum status fhirpath_members(
    struct fhirpath_run *run, const struct fhirpath_value *value, struct bytes name, struct fhirpath_values *out);
MUST_USE enum status fhirpath_children(
    struct fhirpath_run *run, const struct fhirpath_value *value, struct fhirpath_values *out);
MUST_USE enum status fhirpath_descendants(
    struct fhirpath_run *run, const struct fhirpath_value *value, struct fhirpath_values *out);
/* Is a value of the type that a tree names, or of one that is made of it? A type that nobody knows is refused. */
MUST_USE enum status fhirpath_is_type(
    struct fhirpath_run *run, const struct fhirpath_value *value, const struct fhirpath_tree *tree, bool *out);
/* As fhirpath_is_type, but a primitive must be of the very type: a code is a string, and not taken for one. */
MUST_USE enum status fhirpath_as_type(
    struct fhirpath_run *run, const struct fhirpath_value *value, const struct fhirpath_tree *tree, bool *out);

/* --- fhirpath_equal.c --- */

enum fhirpath_truth fhirpath_equal(
    struct fhirpath_run *run, const struct fhirpath_value *a, const struct fhirpath_value *b);
bool fhirpath_alike(struct fhirpath_run *run, const struct fhirpath_value *a, const struct fhirpath_value *b);
MUST_USE enum status fhirpath_lists_equal(struct fhirpath_run *run, const struct fhirpath_values *a,
    const struct fhirpath_values *b, enum fhirpath_truth *out);
MUST_USE enum status fhirpath_lists_alike(
    struct fhirpath_run *run, const struct fhirpath_values *a, const struct fhirpath_values *b, bool *out);
/* Below, equal or above 0; `*is_known` false if precision or units leave it open. */
MUST_USE enum status fhirpath_order(struct fhirpath_run *run, const struct fhirpath_value *a,
    const struct fhirpath_value *b, bool *is_known, int *order);
/* Appends those of `more` that `out` does not have yet. */
MUST_USE enum status fhirpath_push_distinct(
    struct fhirpath_run *run, struct fhirpath_values *out, const struct fhirpath_values *more);
MUST_USE enum status fhirpath_has(
    struct fhirpath_run *run, const struct fhirpath_values *values, const struct fhirpath_value *value, bool *out);

/* --- fhirpath_math.c --- */

MUST_USE enum status fhirpath_calculate(struct fhirpath_run *run, enum fhirpath_operator op,
    const struct fhirpath_value *a, const struct fhirpath_value *b, struct fhirpath_values *out);
MUST_USE enum status fhirpath_negate(
    struct fhirpath_run *run, const struct fhirpath_value *value, struct fhirpath_values *out);
/* A number as a decimal; false if it is none. */
bool fhirpath_decimal_of(struct fhir_decimal *out, const struct fhirpath_value *value);

/* --- fhirpath_convert.c --- */

/* The text of a value that has one (every plain one but TYPE); false otherwise. */
bool fhirpath_text_of(struct fhirpath_run *run, const struct fhirpath_value *value, struct bytes *out);
/* "day" of "days" and so on, for calendar units; FHIR_YEAR to FHIR_FRACTION, weeks as 7 days. False for others. */
bool fhirpath_calendar_unit(struct bytes unit, enum fhir_precision *precision, int *times);
/* As fhirpath_calendar_unit, and UCUM's codes of fixed lengths too: "wk", "d", "h", "min", "s", "ms". */
bool fhirpath_time_unit(struct bytes unit, enum fhir_precision *precision, int *times);
/* The UCUM code of a calendar word that means the same ("day" → "d"), or the unit itself. */
struct bytes fhirpath_unit_code(struct bytes unit);

#endif
