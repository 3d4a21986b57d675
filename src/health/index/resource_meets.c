/* Does a resource meet a condition? By its facts; where they only say that it may, by its content. */
#include "health/index/resource_condition.h"

/* --- one value --- */

static bool token_fits(const struct resource_operand *operand, struct bytes *key) {
	struct resource_fact_token token;
	const struct fhir_operand *said = operand->said;
	if (!resource_fact_take_token(&token, key)) return false;
	if (said->has_code && !bytes_equal(token.code, operand->text)) return false;
	if (!said->has_system) return true;
	if (!operand->digest.len) return token.mark != RESOURCE_FACT_SYSTEM;
	return token.mark == RESOURCE_FACT_SYSTEM ? bytes_equal(token.digest, operand->digest)
						  : token.mark == RESOURCE_FACT_CODE_ELEMENT && operand->is_core_code;
}

static bool ends_with(struct bytes text, struct bytes end) {
	return text.len >= end.len && bytes_equal(bytes_slice(text, text.len - end.len, end.len), end);
}

static bool begins_with(struct bytes text, struct bytes start) {
	return text.len >= start.len && bytes_equal(bytes_slice(text, 0, start.len), start);
}

static bool string_fits(const struct resource_operand *operand, enum fhir_modifier modifier, struct bytes *key) {
	struct bytes text;
	if (!resource_fact_take_text(&text, key)) return false;
	if (modifier == FHIR_WHOLE || modifier == FHIR_EXACT) return bytes_equal(text, operand->text);
	if (modifier == FHIR_ENDS) return ends_with(text, operand->text);
	if (modifier != FHIR_CONTAINS) return begins_with(text, operand->text);
	return !operand->text.len || (text.len && memmem(text.data, text.len, operand->text.data, operand->text.len));
}

/* "http://x" is above "http://x/a"; a canonical's version behind "|" does not count. */
static bool uri_fits(const struct resource_operand *operand, enum fhir_modifier modifier, struct bytes *key) {
	struct bytes text, asked = operand->text;
	if (!resource_fact_take_text(&text, key)) return false;
	if (modifier == FHIR_BELOW)
		return begins_with(text, asked) && (text.len == asked.len || text.data[asked.len] == '/');
	if (modifier == FHIR_ABOVE)
		return begins_with(asked, text) && (text.len == asked.len || asked.data[text.len] == '/');
	return bytes_equal(text, asked);
}

/* search.html#prefix, of the spans [low, high] of the search and [first, last] of the resource. */
static bool date_fits(const struct resource_operand *operand, struct bytes *key) {
	struct bytes first, last;
	if (!resource_fact_take(&first, key, operand->from.len) || !resource_fact_take(&last, key, operand->to.len))
		return false;
	int begin = bytes_compare(first, operand->from), end = bytes_compare(last, operand->to);
	bool is_within = begin >= 0 && end <= 0;
	switch (operand->said->prefix) {
	case FHIR_PREFIX_EQ: return is_within;
	case FHIR_PREFIX_NE: return !is_within;
	case FHIR_PREFIX_GT: return end > 0;
	case FHIR_PREFIX_LT: return begin < 0;
	case FHIR_PREFIX_GE: return end > 0 || is_within;
	case FHIR_PREFIX_LE: return begin < 0 || is_within;
	case FHIR_PREFIX_SA: return bytes_compare(first, operand->to) > 0;
	case FHIR_PREFIX_EB: return bytes_compare(last, operand->from) < 0;
	case FHIR_PREFIX_AP: return bytes_compare(first, operand->to) <= 0 && bytes_compare(last, operand->from) >= 0;
	}
	return false;
}

static bool number_compares(
    struct bytes value, enum fhir_prefix prefix, struct bytes from, struct bytes to, struct bytes number) {
	bool is_within = bytes_compare(value, from) >= 0 && bytes_compare(value, to) < 0;
	switch (prefix) {
	case FHIR_PREFIX_EQ:
	case FHIR_PREFIX_AP: return is_within;
	case FHIR_PREFIX_NE: return !is_within;
	case FHIR_PREFIX_GT:
	case FHIR_PREFIX_SA: return bytes_compare(value, number) > 0;
	case FHIR_PREFIX_LT:
	case FHIR_PREFIX_EB: return bytes_compare(value, number) < 0;
	case FHIR_PREFIX_GE: return bytes_compare(value, number) >= 0;
	case FHIR_PREFIX_LE: return bytes_compare(value, number) <= 0;
	}
	return false;
}

static bool number_fits(const struct resource_operand *operand, struct bytes *key) {
	struct bytes value;
	return resource_fact_take_decimal(&value, key) &&
	       number_compares(value, operand->said->prefix, operand->from, operand->to, operand->number);
}

/* "5.4||mg" asks for a code or a unit; with UCUM, units of the same dimension are compared too. */
static bool quantity_fits(const struct resource_operand *operand, struct bytes *key) {
	struct bytes value, unit;
	struct resource_fact_token code;
	const struct fhir_operand *said = operand->said;
	if (!resource_fact_take_decimal(&value, key) || !resource_fact_take_token(&code, key) ||
	    !resource_fact_take_text(&unit, key))
		return false;
	if (said->has_system && !(code.mark == RESOURCE_FACT_SYSTEM && bytes_equal(code.digest, operand->digest)))
		return false;
	for (size_t i = 0; i < operand->unit_count; i++) {
		const struct resource_unit_operand *in = &operand->units[i];
		if (bytes_equal(code.code, bytes_text(in->code)))
			return number_compares(value, said->prefix, in->from, in->to, in->number);
	}
	if (operand->unit_count) return false;
	if (said->has_code && !bytes_equal(code.code, said->code) &&
	    (said->has_system || !bytes_equal(unit, said->code)))
		return false;
	return number_compares(value, said->prefix, operand->from, operand->to, operand->number);
}

static bool reference_fits(const struct resource_operand *operand, struct bytes *key) {
	struct bytes tag, row, text;
	if (!resource_fact_take(&tag, key, 1)) return false;
	if (tag.data[0] == 'r')
		return resource_fact_take(&row, key, 4) && resource_rows_has(&operand->rows, load_be32(row.data));
	if (tag.data[0] != 'u') return false;
	if (!resource_fact_take_text(&text, key) || !operand->text.len) return false;
	return begins_with(text, operand->text) &&
	       (text.len == operand->text.len ||
		   (text.data[operand->text.len] == '|' && !memchr(operand->text.data, '|', operand->text.len)));
}

static bool operand_fits(const struct resource_condition *condition, const struct resource_operand *operand,
    enum fhir_search_type type, struct bytes *key) {
	enum fhir_modifier modifier = condition->criterion->modifier;
	struct bytes tag;
	if (modifier == FHIR_IDENTIFIER)
		return resource_fact_take(&tag, key, 1) && tag.data[0] == 'i' && token_fits(operand, key);
	switch (type) {
	case FHIR_SEARCH_TOKEN: return token_fits(operand, key);
	case FHIR_SEARCH_STRING: return string_fits(operand, modifier, key);
	case FHIR_SEARCH_URI: return uri_fits(operand, modifier, key);
	case FHIR_SEARCH_DATE: return date_fits(operand, key);
	case FHIR_SEARCH_NUMBER: return number_fits(operand, key);
	case FHIR_SEARCH_QUANTITY: return quantity_fits(operand, key);
	case FHIR_SEARCH_REFERENCE: return reference_fits(operand, key);
	case FHIR_SEARCH_COMPOSITE: {
		struct fhir_list components = fhir_list(&fhir_r4, condition->criterion->search->components);
		for (size_t i = 0; i < components.count / 2; i++) /* each takes its value off the key */
			if (!operand_fits(
				condition, &operand->parts[i], (enum fhir_search_type)components.items[2 * i], key))
				return false;
		return true;
	}
	case FHIR_SEARCH_SPECIAL: return false;
	}
	return false;
}

bool resource_key_fits(const struct resource_condition *condition, struct bytes key) {
	const struct fhir_criterion *criterion = condition->criterion;
	if (!criterion) return true;
	for (size_t i = 0; i < criterion->operand_count; i++) {
		struct bytes value = key;
		if (operand_fits(
			condition, &condition->operands[i], (enum fhir_search_type)criterion->search->type, &value))
			return true;
	}
	return false;
}

/* --- a resource --- */

static bool value_meets(const struct resource_condition *condition, struct bytes facts) {
	struct bytes key;
	if (condition->criterion && condition->criterion->modifier == FHIR_DISPLAY) return true; /* the content knows */
	while (resource_fact_next(&key, &facts)) {
		unsigned parameter = (unsigned)(key.data[0] << 8 | key.data[1]);
		if (parameter > condition->parameter) return false;
		if (parameter == condition->parameter &&
		    resource_key_fits(condition, bytes_make(key.data + 2, key.len - 2)))
			return true;
	}
	return false;
}

static enum status children_meet(struct resource_question *question, bool *out,
    const struct resource_condition *condition, struct resource_candidate *candidate, struct err *err) {
	bool is_any = condition->kind != RESOURCE_ALL_OF; /* NONE_OF: turned around */
	*out = !is_any;
	for (const struct resource_condition *child = condition->children; child && *out != is_any; child = child->next)
		TRY(resource_meets(question, out, child, candidate, err));
	if (condition->kind == RESOURCE_NONE_OF) *out = !*out;
	return STATUS_OK;
}

enum status resource_meets(struct resource_question *question, bool *out, const struct resource_condition *condition,
    struct resource_candidate *candidate, struct err *err) {
	*out = false;
	if (condition->type != FHIR_NONE && condition->type != candidate->type) return STATUS_OK;
	switch (condition->kind) {
	case RESOURCE_ROWS: *out = resource_rows_has(&condition->rows, candidate->row); return STATUS_OK;
	case RESOURCE_ALL_OF:
	case RESOURCE_ANY_OF:
	case RESOURCE_NONE_OF: return children_meet(question, out, condition, candidate, err);
	case RESOURCE_VALUE:
		*out = value_meets(condition, candidate->facts);
		if (*out && condition->is_deep) return resource_deep_fits(question, out, condition, candidate, err);
		return STATUS_OK;
	}
	return STATUS_OK;
}
