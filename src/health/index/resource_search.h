/* Inside health/index: one search at work. */
#ifndef HEALTH_INDEX_RESOURCE_SEARCH_H
#define HEALTH_INDEX_RESOURCE_SEARCH_H

#include "health/index/resource_condition.h"

#define RESOURCE_SORT_KEYS_MAX 2048u /* bytes of the sort keys of one resource, in a cursor */

/* What a cursor holds: the snapshot, the total (-1: not counted), the last row, and its sort keys. */
struct resource_search_after {
	int64_t snapshot, total;
	uint32_t row;
	struct bytes keys; /* each behind its length of 2 bytes; length 0xffff: none */
};
struct resource_search_match {
	struct bytes keys;
	uint32_t row;
};
struct resource_search_run {
	struct resource_question *question;
	const struct fhir_search *search;
	struct resource_condition *condition;
	struct cursor_place place;
	struct resource_search_after after;
	struct resource_search_match *matches;
	size_t count, capacity, seen; /* seen: all that match, those of pages before too */
	struct err *err;
	enum status status;
};

void resource_search_keep(struct resource_search_run *run, struct resource_search_match match);
void resource_search_sort(struct resource_search_run *run);
/* Where it stands in the order. */
MUST_USE enum status resource_search_place(
    struct resource_search_run *run, struct resource_search_match *out, const struct resource_candidate *candidate);
int resource_search_compare(
    const struct fhir_search *search, const struct resource_search_match *a, const struct resource_search_match *b);
/* The smallest value of the parameter, or the largest if it is sorted the other way; NULL data: it has none. */
struct bytes resource_search_value(struct bytes facts, const struct fhir_search_sort *sort);
bool resource_search_is_by_id(const struct fhir_search_sort *sort);

/*
 * resource_walk.c: when many resources match, the postings of the parameter that is sorted by are read in their order
 * until there is a page. *done false: that is no way for this search, or the page reaches those without a value.
 */
MUST_USE enum status resource_walk(struct resource_search_run *run, bool *done);

#endif
