/*
 * Inside app/: runners of the official test files of ethereum/tests and execution-spec-tests. One walks files and
 * folders; each failing case is printed with what differed; all are counted.
 */
#ifndef APP_CONFORMANCE_CONFORMANCE_H
#define APP_CONFORMANCE_CONFORMANCE_H

#include <stdio.h>

#include "codec/json.h"
#include "ledger/evm/fork.h"

struct conformance {
	FILE *out; /* where cases that do not pass are reported */
	size_t passed, failed, skipped;
	struct arena arena; /* of the file at work */
	struct err err;
	const char *path; /* of the file at work */
	/* One member of a file's object. */
	void (*run_test)(struct conformance *run, const struct json *test);
	void *own; /* the runner's */
};

/* Every .json below the path, in the order of names. STATUS_NOTFOUND; a file that is no JSON is a failure. */
MUST_USE enum status conformance_walk(struct conformance *run, const char *path, struct err *err);
/* "Frontier" to "Osaka", as the tests spell them. False for another name. */
bool conformance_fork(enum fork *fork, struct bytes name);
/* Reports a case that is left out, and counts it. */
void conformance_skip(struct conformance *run, const struct json *test, const char *why, struct bytes name);

/* conformance_state.c, conformance_block.c, conformance_tx.c: runs all files at `paths`. */
MUST_USE enum status conformance_state(
    struct conformance *run, const char *const *paths, size_t count, struct err *err);
MUST_USE enum status conformance_block(
    struct conformance *run, const char *const *paths, size_t count, struct err *err);
MUST_USE enum status conformance_tx(struct conformance *run, const char *const *paths, size_t count, struct err *err);

/* conformance_diff.c: what a state has that the file's expected accounts have not, and the other way round. */
struct state;
void conformance_print_difference(FILE *out, struct state *state, const struct json *expected);

#endif
