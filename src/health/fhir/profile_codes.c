/* Value sets that enumerate their codes, and code systems that are whole. */
#include "health/fhir/profile_tree.h"

static struct bytes without_version(struct bytes url) {
	const uint8_t *bar = url.len ? memchr(url.data, '|', url.len) : NULL;
	return bytes_slice(url, 0, bar ? (size_t)(bar - url.data) : url.len);
}

static const struct json *find(const struct fhir_profiles *profiles, struct bytes url, bool is_system) {
	url = without_version(url);
	for (const struct profile_codes *at = profiles->codes; at; at = at->next)
		if (at->is_system == is_system && bytes_equal(at->url, url)) return at->json;
	return NULL;
}

static bool pay(uint64_t *budget) {
	if (*budget) --*budget;
	return *budget > 0;
}

/* A code among concepts and what stands below them. */
static bool lists(const struct json *concepts, struct bytes code, uint64_t *budget, unsigned depth) {
	if (depth == 0) return false;
	json_foreach (item, concepts) {
		if (!pay(budget)) return false;
		if (bytes_equal(json_string(json_get(item, "code")), code)) return true;
		if (lists(json_get(item, "concept"), code, budget, depth - 1)) return true;
	}
	return false;
}

static enum fhir_code_verdict of_set(const struct fhir_profiles *profiles, struct bytes url,
    const struct profile_code *code, uint64_t *budget, unsigned depth);

static enum fhir_code_verdict of_system(
    const struct fhir_profiles *profiles, struct bytes system, const struct profile_code *code, uint64_t *budget) {
	const struct json *json = find(profiles, system, true);
	if (!json || !json_string_is(json_get(json, "content"), "complete")) return FHIR_CODE_UNKNOWN;
	return lists(json_get(json, "concept"), code->code, budget, PROFILE_DEPTH_MAX) ? FHIR_CODE_IN : FHIR_CODE_OUT;
}

/* An include (or exclude): what its system gives, and what all its value sets have. */
static enum fhir_code_verdict of_include(const struct fhir_profiles *profiles, const struct json *include,
    const struct profile_code *code, uint64_t *budget, unsigned depth) {
	const struct bytes system = json_string(json_get(include, "system"));
	enum fhir_code_verdict verdict = FHIR_CODE_IN;
	if (system.len) {
		if (code->system.data && !bytes_equal(system, code->system)) return FHIR_CODE_OUT;
		const struct json *concepts = json_get(include, "concept");
		if (json_get(include, "filter"))
			verdict = FHIR_CODE_UNKNOWN;
		else if (concepts)
			verdict = lists(concepts, code->code, budget, 1) ? FHIR_CODE_IN : FHIR_CODE_OUT;
		else
			verdict = of_system(profiles, system, code, budget);
	}
	json_foreach (set, json_get(include, "valueSet")) {
		if (verdict == FHIR_CODE_OUT) break;
		const enum fhir_code_verdict one = of_set(profiles, json_string(set), code, budget, depth - 1);
		if (one != FHIR_CODE_IN) verdict = one;
	}
	return verdict;
}

static bool expansion_has(
    const struct json *contains, const struct profile_code *code, uint64_t *budget, unsigned depth) {
	if (depth == 0) return false;
	json_foreach (item, contains) {
		if (!pay(budget)) return false;
		const bool is_system =
		    !code->system.data || bytes_equal(json_string(json_get(item, "system")), code->system);
		if (is_system && bytes_equal(json_string(json_get(item, "code")), code->code)) return true;
		if (expansion_has(json_get(item, "contains"), code, budget, depth - 1)) return true;
	}
	return false;
}

static enum fhir_code_verdict of_compose(const struct fhir_profiles *profiles, const struct json *compose,
    const struct profile_code *code, uint64_t *budget, unsigned depth) {
	enum fhir_code_verdict verdict = FHIR_CODE_OUT;
	json_foreach (include, json_get(compose, "include")) {
		const enum fhir_code_verdict one = of_include(profiles, include, code, budget, depth);
		if (one == FHIR_CODE_IN || verdict == FHIR_CODE_OUT) verdict = one;
		if (verdict == FHIR_CODE_IN) break;
	}
	json_foreach (exclude, json_get(compose, "exclude")) {
		const enum fhir_code_verdict one = of_include(profiles, exclude, code, budget, depth);
		if (one == FHIR_CODE_IN) return FHIR_CODE_OUT;
		if (one == FHIR_CODE_UNKNOWN && verdict == FHIR_CODE_IN) verdict = FHIR_CODE_UNKNOWN;
	}
	return verdict;
}

static enum fhir_code_verdict of_set(const struct fhir_profiles *profiles, struct bytes url,
    const struct profile_code *code, uint64_t *budget, unsigned depth) {
	const struct json *json = find(profiles, url, false);
	if (!depth || !pay(budget)) return FHIR_CODE_UNKNOWN;
	if (!json) {
		const uint16_t set = fhir_code_set_find(profiles->defs, url);
		if (set == FHIR_NONE) return FHIR_CODE_UNKNOWN;
		return fhir_code_set_has(profiles->defs, set, code->system.data ? &code->system : NULL, code->code);
	}
	const struct json *compose = json_get(json, "compose"), *expansion = json_get(json, "expansion");
	if (compose) return of_compose(profiles, compose, code, budget, depth);
	if (!json_get(expansion, "contains")) return FHIR_CODE_UNKNOWN;
	return expansion_has(json_get(expansion, "contains"), code, budget, PROFILE_DEPTH_MAX) ? FHIR_CODE_IN
											       : FHIR_CODE_OUT;
}

enum fhir_code_verdict profile_codes_has(
    const struct fhir_profiles *profiles, struct bytes url, const struct profile_code *code, uint64_t *budget) {
	return of_set(profiles, url, code, budget, PROFILE_DEPTH_MAX);
}
