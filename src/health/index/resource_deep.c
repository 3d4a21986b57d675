/* What facts do not keep: how strings are spelled, displays, the types of identifiers. The content is read again. */
#include "health/index/resource_condition.h"

struct looking {
	const struct resource_condition *condition;
	struct arena *arena;
	bool found;
};

static bool display_fits(struct arena *arena, struct bytes text, const struct fhir_operand *operand) {
	struct buf folded, asked;
	(void)arena;
	buf_init(&folded, BUF_MAX_DEFAULT);
	buf_init(&asked, BUF_MAX_DEFAULT);
	fhir_search_fold(&folded, text);
	fhir_search_fold(&asked, operand->text);
	bool fits = folded.len >= asked.len && (!asked.len || memcmp(folded.data, asked.data, asked.len) == 0);
	buf_fini(&folded);
	buf_fini(&asked);
	return fits;
}

static bool value_fits(
    const struct looking *looking, const struct fhir_operand *operand, const struct fhir_search_value *value) {
	switch (looking->condition->criterion->modifier) {
	case FHIR_EXACT: return bytes_equal(value->text, operand->text);
	case FHIR_DISPLAY: return value->text.len && display_fits(looking->arena, value->text, operand);
	case FHIR_OF_TYPE:
		return bytes_equal(value->code, operand->code) &&
		       bytes_equal(value->type_system, operand->type_system) &&
		       bytes_equal(value->type_code, operand->type_code);
	case FHIR_PLAIN:
	case FHIR_WHOLE:
	case FHIR_CONTAINS:
	case FHIR_ENDS:
	case FHIR_IDENTIFIER:
	case FHIR_ABOVE:
	case FHIR_BELOW: return true;
	}
	return false;
}

static void visit(void *context, const struct fhir_search_def *search, const struct fhir_search_value *value) {
	struct looking *looking = context;
	const struct fhir_criterion *criterion = looking->condition->criterion;
	(void)search;
	for (size_t i = 0; i < criterion->operand_count && !looking->found; i++)
		looking->found = value_fits(looking, &criterion->operands[i], value);
}

enum status resource_deep_fits(struct resource_question *question, bool *out,
    const struct resource_condition *condition, struct resource_candidate *candidate, struct err *err) {
	struct looking looking = {condition, question->arena, false};
	struct resource_reader *reader = question->reader;
	TRY(resource_spend(question, RESOURCE_CONTENT_COST, err));
	if (!candidate->tree) {
		struct resource_version version;
		TRY(resource_load(reader, &version, question->arena, candidate->sequence, err));
		TRY(json_parse(&candidate->tree, question->arena, version.content, NULL, err));
	}
	if (!reader->searcher) reader->searcher = fhir_searcher_new(&fhir_r4);
	TRY(fhir_search_values_of(
	    reader->searcher, candidate->tree, condition->criterion->search, visit, &looking, err));
	*out = looking.found;
	return STATUS_OK;
}
