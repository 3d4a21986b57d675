/*
 * Regular expressions that take linear time: a Thompson automaton, never a backtracking search, so no pattern is
 * catastrophic (docs/decisions/0046). The syntax is what FHIR's definitions and FHIRPath's matches() use: literals, .,
 * [classes], \d \w \s \D \W \S, \b, ^ $, groups (?:…) (…) (?<name>…), |, and * + ? {n,m}, lazy ones too. `.` takes
 * every character, line feeds included; ^ and $ are the ends of the text. Back references, looking around and \p are
 * refused as not supported.
 *
 * Bounds: a pattern of FHIR_REGEX_PATTERN_MAX bytes, FHIR_REGEX_PROGRAM_MAX instructions, and the steps that a search
 * is given: one for each character and state of the automaton. Ownership: all in the arena that is given. Threads: a
 * compiled expression is constant.
 */
#ifndef HEALTH_FHIR_REGEX_H
#define HEALTH_FHIR_REGEX_H

#include "base/mem.h"

#define FHIR_REGEX_PATTERN_MAX 4096u
#define FHIR_REGEX_PROGRAM_MAX 20000u
#define FHIR_REGEX_GROUPS_MAX 10u /* the whole match is group 0; further groups are not kept */

struct fhir_regex;

/* STATUS_INVALID, STATUS_UNSUPPORTED or STATUS_LIMIT say what is wrong with the pattern. */
MUST_USE enum status fhir_regex_compile(
    const struct fhir_regex **out, struct arena *arena, struct bytes pattern, struct err *err);

struct fhir_regex_match {
	bool is_found;
	/* Byte offsets of each group; SIZE_MAX if it took no part. */
	size_t from[FHIR_REGEX_GROUPS_MAX], to[FHIR_REGEX_GROUPS_MAX];
};
/* Is there a match anywhere; where is the leftmost one at or behind the byte `from`. `*steps` are those that may be
 * taken, and afterwards those that are left. STATUS_LIMIT if there were too few. */
MUST_USE enum status fhir_regex_has(bool *is_found, uint64_t *steps, struct arena *scratch,
    const struct fhir_regex *regex, struct bytes text, struct err *err);
MUST_USE enum status fhir_regex_search(struct fhir_regex_match *match, uint64_t *steps, struct arena *scratch,
    const struct fhir_regex *regex, struct bytes text, size_t from, struct err *err);
/* The group of a name; 0 if there is none. */
uint32_t fhir_regex_group(const struct fhir_regex *regex, struct bytes name);

#endif
