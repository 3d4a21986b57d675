/* Inside health/fhir: the functions of FHIRPath, one row each: name in expressions, body, least and most arguments, and
 * whether the argument names a type (T) or is a regular expression (P). */
#ifndef HEALTH_FHIR_FHIRPATH_FUNCTIONS_H
#define HEALTH_FHIR_FHIRPATH_FUNCTIONS_H

#include "health/fhir/fhirpath_run.h"

#define FHIRPATH_PLAIN 0u
#define FHIRPATH_T 1u
#define FHIRPATH_P 2u

// clang-format off
#define FHIRPATH_FUNCTIONS(X) \
	X("empty", empty, 0, 0, PLAIN) \
	X("exists", exists, 0, 1, PLAIN) \
	X("all", all, 1, 1, PLAIN) \
	X("allTrue", all_true, 0, 0, PLAIN) \
	X("allFalse", all_false, 0, 0, PLAIN) \
	X("anyTrue", any_true, 0, 0, PLAIN) \
	X("anyFalse", any_false, 0, 0, PLAIN) \
	X("count", count, 0, 0, PLAIN) \
	X("distinct", distinct, 0, 0, PLAIN) \
	X("isDistinct", is_distinct, 0, 0, PLAIN) \
	X("where", where, 1, 1, PLAIN) \
	X("select", select, 1, 1, PLAIN) \
	X("repeat", repeat, 1, 1, PLAIN) \
	X("first", first, 0, 0, PLAIN) \
	X("last", last, 0, 0, PLAIN) \
	X("tail", tail, 0, 0, PLAIN) \
	X("single", single, 0, 0, PLAIN) \
	X("skip", skip, 1, 1, PLAIN) \
	X("take", take, 1, 1, PLAIN) \
	X("union", union, 1, 1, PLAIN) \
	X("combine", combine, 1, 1, PLAIN) \
	X("intersect", intersect, 1, 1, PLAIN) \
	X("exclude", exclude, 1, 1, PLAIN) \
	X("subsetOf", subset_of, 1, 1, PLAIN) \
	X("supersetOf", superset_of, 1, 1, PLAIN) \
	X("aggregate", aggregate, 1, 2, PLAIN) \
	X("iif", iif, 2, 3, PLAIN) \
	X("not", not, 0, 0, PLAIN) \
	X("children", children, 0, 0, PLAIN) \
	X("descendants", descendants, 0, 0, PLAIN) \
	X("trace", trace, 1, 2, PLAIN) \
	X("is", is, 1, 1, T) \
	X("as", of_type, 1, 1, T) \
	X("ofType", of_type, 1, 1, T) \
	X("type", type, 0, 0, PLAIN) \
	X("now", now, 0, 0, PLAIN) \
	X("today", today, 0, 0, PLAIN) \
	X("timeOfDay", time_of_day, 0, 0, PLAIN) \
	X("toBoolean", to_boolean, 0, 0, PLAIN) \
	X("toInteger", to_integer, 0, 0, PLAIN) \
	X("toDecimal", to_decimal, 0, 0, PLAIN) \
	X("toString", to_string, 0, 0, PLAIN) \
	X("toDate", to_date, 0, 0, PLAIN) \
	X("toDateTime", to_date_time, 0, 0, PLAIN) \
	X("toTime", to_time, 0, 0, PLAIN) \
	X("toQuantity", to_quantity, 0, 1, PLAIN) \
	X("convertsToBoolean", converts_to_boolean, 0, 0, PLAIN) \
	X("convertsToInteger", converts_to_integer, 0, 0, PLAIN) \
	X("convertsToDecimal", converts_to_decimal, 0, 0, PLAIN) \
	X("convertsToString", converts_to_string, 0, 0, PLAIN) \
	X("convertsToDate", converts_to_date, 0, 0, PLAIN) \
	X("convertsToDateTime", converts_to_date_time, 0, 0, PLAIN) \
	X("convertsToTime", converts_to_time, 0, 0, PLAIN) \
	X("convertsToQuantity", converts_to_quantity, 0, 1, PLAIN) \
	X("abs", abs, 0, 0, PLAIN) \
	X("ceiling", ceiling, 0, 0, PLAIN) \
	X("floor", floor, 0, 0, PLAIN) \
	X("truncate", truncate, 0, 0, PLAIN) \
	X("round", round, 0, 1, PLAIN) \
	X("sqrt", sqrt, 0, 0, PLAIN) \
	X("exp", exp, 0, 0, PLAIN) \
	X("ln", ln, 0, 0, PLAIN) \
	X("log", log, 1, 1, PLAIN) \
	X("power", power, 1, 1, PLAIN) \
	X("lowBoundary", low_boundary, 0, 1, PLAIN) \
	X("highBoundary", high_boundary, 0, 1, PLAIN) \
	X("precision", precision, 0, 0, PLAIN) \
	X("indexOf", index_of, 1, 1, PLAIN) \
	X("lastIndexOf", last_index_of, 1, 1, PLAIN) \
	X("substring", substring, 1, 2, PLAIN) \
	X("startsWith", starts_with, 1, 1, PLAIN) \
	X("endsWith", ends_with, 1, 1, PLAIN) \
	X("contains", contains, 1, 1, PLAIN) \
	X("upper", upper, 0, 0, PLAIN) \
	X("lower", lower, 0, 0, PLAIN) \
	X("trim", trim, 0, 0, PLAIN) \
	X("length", length, 0, 0, PLAIN) \
	X("toChars", to_chars, 0, 0, PLAIN) \
	X("split", split, 1, 1, PLAIN) \
	X("join", join, 0, 1, PLAIN) \
	X("replace", replace, 2, 2, PLAIN) \
	X("matches", matches, 1, 1, P) \
	X("matchesFull", matches_full, 1, 1, PLAIN) \
	X("replaceMatches", replace_matches, 2, 2, P) \
	X("encode", encode, 1, 1, PLAIN) \
	X("decode", decode, 1, 1, PLAIN) \
	X("escape", escape, 1, 1, PLAIN) \
	X("unescape", unescape, 1, 1, PLAIN) \
	X("extension", extension, 1, 1, PLAIN) \
	X("hasValue", has_value, 0, 0, PLAIN) \
	X("getValue", get_value, 0, 0, PLAIN) \
	X("resolve", resolve, 0, 0, PLAIN) \
	X("memberOf", member_of, 1, 1, PLAIN) \
	X("conformsTo", conforms_to, 1, 1, PLAIN) \
	X("htmlChecks", html_checks, 0, 0, PLAIN)
// clang-format on

#define FHIRPATH_DECLARE(text, body, min, max, flags) fhirpath_body fhirpath_fn_##body;
FHIRPATH_FUNCTIONS(FHIRPATH_DECLARE)
#undef FHIRPATH_DECLARE

#endif
