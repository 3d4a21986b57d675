/* Functions on lists: which values there are, which are taken, and in what order. */
#include "health/fhir/fhirpath_functions.h"

static enum status truth_for(
    struct fhirpath_run *run, const struct fhirpath_call *call, uint32_t index, enum fhirpath_truth *out) {
	struct fhirpath_values values = {0};
	TRY(fhirpath_argument_for(run, call, 0, index, &values));
	return fhirpath_truth_of(run, &values, out);
}

enum status fhirpath_fn_empty(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	fhirpath_push_bool(run, out, call->in->count == 0);
	return STATUS_OK;
}

enum status fhirpath_fn_exists(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	enum fhirpath_truth truth = FHIRPATH_FALSE;
	if (!call->tree->arguments) truth = call->in->count ? FHIRPATH_TRUE : FHIRPATH_FALSE;
	for (uint32_t i = 0; call->tree->arguments && truth != FHIRPATH_TRUE && i < call->in->count; i++)
		TRY(truth_for(run, call, i, &truth));
	fhirpath_push_bool(run, out, truth == FHIRPATH_TRUE);
	return STATUS_OK;
}

enum status fhirpath_fn_all(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	enum fhirpath_truth truth = FHIRPATH_TRUE;
	for (uint32_t i = 0; truth == FHIRPATH_TRUE && i < call->in->count; i++) TRY(truth_for(run, call, i, &truth));
	fhirpath_push_bool(run, out, truth == FHIRPATH_TRUE);
	return STATUS_OK;
}

/* How many of the input's booleans are true, and how many false. */
static enum status count_truths(struct fhirpath_run *run, const struct fhirpath_call *call, uint32_t counts[2]) {
	for (uint32_t i = 0; i < call->in->count; i++) {
		struct fhirpath_value plain = fhirpath_plain(run->defs, &call->in->items[i]);
		if (plain.kind != FHIRPATH_BOOLEAN) return fhirpath_invalid(run, "a value that is no boolean");
		counts[plain.boolean]++;
	}
	return STATUS_OK;
}

enum status fhirpath_fn_all_true(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	uint32_t counts[2] = {0, 0};
	TRY(count_truths(run, call, counts));
	fhirpath_push_bool(run, out, !counts[false]);
	return STATUS_OK;
}

enum status fhirpath_fn_all_false(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	uint32_t counts[2] = {0, 0};
	TRY(count_truths(run, call, counts));
	fhirpath_push_bool(run, out, !counts[true]);
	return STATUS_OK;
}

enum status fhirpath_fn_any_true(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	uint32_t counts[2] = {0, 0};
	TRY(count_truths(run, call, counts));
	fhirpath_push_bool(run, out, counts[true] > 0);
	return STATUS_OK;
}

enum status fhirpath_fn_any_false(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	uint32_t counts[2] = {0, 0};
	TRY(count_truths(run, call, counts));
	fhirpath_push_bool(run, out, counts[false] > 0);
	return STATUS_OK;
}

enum status fhirpath_fn_count(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	fhirpath_push_integer(run, out, call->in->count);
	return STATUS_OK;
}

enum status fhirpath_fn_distinct(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return fhirpath_push_distinct(run, out, call->in);
}

enum status fhirpath_fn_is_distinct(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_values distinct = {0};
	TRY(fhirpath_push_distinct(run, &distinct, call->in));
	fhirpath_push_bool(run, out, distinct.count == call->in->count);
	return STATUS_OK;
}

enum status fhirpath_fn_where(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	for (uint32_t i = 0; i < call->in->count; i++) {
		enum fhirpath_truth truth;
		TRY(truth_for(run, call, i, &truth));
		if (truth == FHIRPATH_TRUE) fhirpath_push(run, out, call->in->items[i]);
	}
	return STATUS_OK;
}

/* What the argument gives for each item of a list. */
static enum status select_from(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	for (uint32_t i = 0; i < call->in->count; i++) {
		struct fhirpath_values found = {0};
		TRY(fhirpath_argument_for(run, call, 0, i, &found));
		fhirpath_push_all(run, out, &found);
		TRY(fhirpath_step(run, found.count));
	}
	return STATUS_OK;
}

enum status fhirpath_fn_select(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return select_from(run, call, out);
}

/* What the argument gives for the input, and for what it gave, until nothing new comes. */
enum status fhirpath_fn_repeat(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_values now = *call->in;
	while (now.count) {
		struct fhirpath_call inner = {call->tree, call->scope, &now};
		struct fhirpath_values found = {0}, more = {0};
		TRY(select_from(run, &inner, &found));
		uint32_t before = out->count;
		TRY(fhirpath_push_distinct(run, out, &found));
		for (uint32_t i = before; i < out->count; i++) fhirpath_push(run, &more, out->items[i]);
		now = more;
	}
	return STATUS_OK;
}

static enum status push_slice(struct fhirpath_run *run, const struct fhirpath_call *call, int64_t from, int64_t count,
    struct fhirpath_values *out) {
	for (int64_t i = from < 0 ? 0 : from; i < call->in->count && i - from < count; i++)
		fhirpath_push(run, out, call->in->items[i]);
	return fhirpath_step(run, out->count);
}

enum status fhirpath_fn_first(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return push_slice(run, call, 0, 1, out);
}

enum status fhirpath_fn_last(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return call->in->count ? push_slice(run, call, (int64_t)call->in->count - 1, 1, out) : STATUS_OK;
}

enum status fhirpath_fn_tail(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return push_slice(run, call, 1, UINT32_MAX, out);
}

enum status fhirpath_fn_single(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	if (call->in->count > 1) return fhirpath_invalid(run, "%u values where single() needs one", call->in->count);
	return push_slice(run, call, 0, 1, out);
}

enum status fhirpath_fn_skip(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	int64_t count = 0;
	bool is_there;
	TRY(fhirpath_integer_argument(run, call, 0, &is_there, &count));
	return push_slice(run, call, count < 0 ? 0 : count, UINT32_MAX, out);
}

enum status fhirpath_fn_take(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	int64_t count = 0;
	bool is_there;
	TRY(fhirpath_integer_argument(run, call, 0, &is_there, &count));
	return is_there ? push_slice(run, call, 0, count, out) : STATUS_OK;
}

/* --- two lists --- */

enum status fhirpath_fn_union(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_values other = {0};
	TRY(fhirpath_argument(run, call, 0, &other));
	TRY(fhirpath_push_distinct(run, out, call->in));
	return fhirpath_push_distinct(run, out, &other);
}

enum status fhirpath_fn_combine(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_values other = {0};
	TRY(fhirpath_argument(run, call, 0, &other));
	fhirpath_push_all(run, out, call->in);
	fhirpath_push_all(run, out, &other);
	return fhirpath_step(run, out->count);
}

/* Those of the input that the other list has, or has not. */
static enum status filter(
    struct fhirpath_run *run, const struct fhirpath_call *call, bool has, struct fhirpath_values *out) {
	struct fhirpath_values other = {0};
	TRY(fhirpath_argument(run, call, 0, &other));
	for (uint32_t i = 0; i < call->in->count; i++) {
		bool is_there;
		TRY(fhirpath_step(run, 1));
		TRY(fhirpath_has(run, &other, &call->in->items[i], &is_there));
		if (is_there == has) fhirpath_push(run, out, call->in->items[i]);
	}
	return STATUS_OK;
}

enum status fhirpath_fn_intersect(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_values found = {0};
	TRY(filter(run, call, true, &found));
	return fhirpath_push_distinct(run, out, &found);
}

enum status fhirpath_fn_exclude(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return filter(run, call, false, out);
}

enum status fhirpath_fn_subset_of(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_values found = {0};
	TRY(filter(run, call, true, &found));
	fhirpath_push_bool(run, out, found.count == call->in->count);
	return STATUS_OK;
}

enum status fhirpath_fn_superset_of(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_values other = {0};
	bool has = true;
	TRY(fhirpath_argument(run, call, 0, &other));
	for (uint32_t i = 0; has && i < other.count; i++) TRY(fhirpath_has(run, call->in, &other.items[i], &has));
	fhirpath_push_bool(run, out, has);
	return STATUS_OK;
}

/* --- one for all --- */

enum status fhirpath_fn_aggregate(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_values total = {0};
	TRY(fhirpath_argument(run, call, 1, &total));
	for (uint32_t i = 0; i < call->in->count; i++) {
		struct fhirpath_values item = {&call->in->items[i], 1, 1}, next = {0};
		struct fhirpath_scope scope = {.self = &item, .index = i, .total = &total};
		TRY(fhirpath_eval(run, &scope, call->tree->arguments, &next));
		total = next;
	}
	fhirpath_push_all(run, out, &total);
	return STATUS_OK;
}

/* The branch that is not taken is not evaluated. Arguments stand on the whole input. */
enum status fhirpath_fn_iif(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_scope scope = *call->scope;
	struct fhirpath_call inner = {call->tree, &scope, call->in};
	struct fhirpath_values condition = {0};
	const struct fhirpath_value *value;
	if (call->tree->left) scope.self = call->in;
	if (call->tree->left && call->in->count > 1)
		return fhirpath_invalid(run, "iif() on %u values", call->in->count);
	TRY(fhirpath_argument(run, &inner, 0, &condition));
	TRY(fhirpath_single(run, &condition, &value));
	if (value && value->kind != FHIRPATH_BOOLEAN) return fhirpath_invalid(run, "iif() needs a boolean first");
	return fhirpath_argument(run, &inner, value && value->boolean ? 1 : 2, out);
}

enum status fhirpath_fn_not(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	enum fhirpath_truth truth;
	TRY(fhirpath_truth_of(run, call->in, &truth));
	if (truth != FHIRPATH_UNKNOWN) fhirpath_push_bool(run, out, truth == FHIRPATH_FALSE);
	return STATUS_OK;
}

enum status fhirpath_fn_children(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	for (uint32_t i = 0; i < call->in->count; i++) TRY(fhirpath_children(run, &call->in->items[i], out));
	return STATUS_OK;
}

enum status fhirpath_fn_descendants(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	for (uint32_t i = 0; i < call->in->count; i++) TRY(fhirpath_descendants(run, &call->in->items[i], out));
	return STATUS_OK;
}

/* Nothing is written anywhere: what a patient's record holds belongs into no log. */
enum status fhirpath_fn_trace(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	fhirpath_push_all(run, out, call->in);
	return fhirpath_step(run, out->count);
}

enum status fhirpath_fn_is(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	bool is;
	if (call->in->count > 1)
		return fhirpath_invalid(run, "%u values where the type of one is asked", call->in->count);
	if (!call->in->count) return STATUS_OK;
	TRY(fhirpath_is_type(run, &call->in->items[0], call->tree, &is));
	fhirpath_push_bool(run, out, is);
	return STATUS_OK;
}

/* as() takes lists here, since dom-3 hands it one. */
enum status fhirpath_fn_of_type(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	for (uint32_t i = 0; i < call->in->count; i++) {
		bool is;
		TRY(fhirpath_step(run, 1));
		TRY(fhirpath_as_type(run, &call->in->items[i], call->tree, &is));
		if (is) fhirpath_push(run, out, call->in->items[i]);
	}
	return STATUS_OK;
}
