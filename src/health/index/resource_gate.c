/* Scopes: which rule admits what. */
#include "health/index/resource_condition.h"

static const struct resource_scope_rule every_rule = {
    .type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN | RESOURCE_SCOPE_OPEN};
static const struct resource_scope everything = {.rules = &every_rule, .count = 1};

/* A granular rule: its search is made ready without a scope, since it decides about one. A search that is refused, or
 * pages and sorts, admits nothing. */
static enum status read_search(struct resource_question *question, struct resource_gate_rule *out,
    const struct resource_scope_rule *rule, struct err *err) {
	struct fhir_search_settings settings = {.defs = &fhir_r4,
	    .type = rule->type,
	    .base = question->resources->base,
	    .is_strict = true,
	    .compartment = FHIR_NONE};
	struct http_query query;
	struct fhir_issues *issues = arena_alloc(question->arena, sizeof *issues);
	struct fhir_search *search;
	struct resource_condition *condition;
	fhir_issues_init(issues, question->arena);
	out->is_closed = true;
	if (http_query_parse(&query, question->arena, rule->search, NULL) != STATUS_OK ||
	    fhir_search_read(&search, question->arena, &settings, &query, issues) != STATUS_OK || !search->criteria ||
	    search->sort_count || search->include_count)
		return STATUS_OK;
	TRY(resource_conditions_make(question, &condition, search->criteria, err));
	out->condition = condition;
	out->is_closed = false;
	return STATUS_OK;
}

/* The rows of the folders that are open to the asker. */
static enum status find_open(
    struct resource_question *question, int64_t **out, const struct resource_scope *scope, struct err *err) {
	struct db *db = question->reader->db;
	*out = arena_zalloc(question->arena, scope->open_count + 1, sizeof **out);
	if (!atomic_load(&question->resources->has_foreign)) return STATUS_OK;
	for (size_t i = 0; i < scope->open_count; i++) {
		sqlite3_stmt *statement;
		bool row;
		TRY(db_statement(db, &statement, "SELECT id FROM folder WHERE hash = ?", err));
		db_bind(statement, 1, BYTES_OF(scope->open[i]));
		enum status status = db_step(db, statement, &row, err);
		if (status == STATUS_OK && row) (*out)[i] = sqlite3_column_int64(statement, 0);
		db_end(statement);
		TRY(status);
	}
	return STATUS_OK;
}

enum status resource_gate_open(
    struct resource_question *question, const struct resource_scope *scope, struct err *err) {
	uint16_t patient = fhir_definitions_type(&fhir_r4, BYTES_LITERAL("Patient"));
	struct resource_gate_rule open = {0}, *rules = arena_zalloc(question->arena, scope->count + 1, sizeof *rules);
	question->gate = (struct resource_gate){&everything, &open, FHIR_NONE, NULL};
	int64_t *folders = NULL;
	enum status status = find_open(question, &folders, scope, err);
	for (size_t i = 0; i < scope->count && status == STATUS_OK; i++) {
		struct resource_key key = {patient, scope->rules[i].patient};
		int64_t row = 0;
		if (scope->rules[i].in_compartment && key.id.len)
			status = resource_find(question->reader, &row, &key, err);
		rules[i].patient = (uint32_t)row;
		if (status == STATUS_OK && scope->rules[i].search.len)
			status = read_search(question, &rules[i], &scope->rules[i], err);
	}
	question->gate =
	    (struct resource_gate){scope, rules, fhir_definitions_type(&fhir_r4, BYTES_LITERAL("Group")), folders};
	return status;
}

static bool is_listed(struct bytes patients, uint32_t patient) {
	for (size_t at = 0; at + 4 <= patients.len; at += 4)
		if (load_be32(patients.data + at) == patient) return true;
	return false;
}

static bool is_of_patient(const struct resource_seen *seen, uint32_t patient) {
	struct bytes facts = seen->facts, key;
	if (!patient) return false;
	if (!facts.data) return is_listed(seen->patients, patient);
	while (resource_fact_next(&key, &facts))
		if (key.len == 7 && (unsigned)(key.data[0] << 8 | key.data[1]) == RESOURCE_FACT_COMPARTMENT &&
		    load_be32(key.data + 3) == patient)
			return true;
	return false;
}

static enum status make_facts(struct resource_question *question, struct resource_candidate *candidate,
    const struct resource_key *key, struct err *err) {
	struct resource_reader *reader = question->reader;
	struct resource_facts facts;
	if (!reader->searcher) reader->searcher = fhir_searcher_new(&fhir_r4);
	struct resource_facts_maker maker = {
	    reader->searcher, question->arena, question->resources->base, &question->resources->digest_key};
	TRY(resource_spend(question, RESOURCE_CONTENT_COST, err));
	TRY(resource_facts_make(&facts, &maker, key, candidate->tree, err));
	for (size_t i = 0; i < facts.count; i++)
		for (size_t k = 0; k < facts.items[i].link_count; k++) {
			int64_t row;
			TRY(resource_find(reader, &row, &facts.items[i].links[k].target, err));
			store_be32((uint8_t *)facts.items[i].key.data + facts.items[i].links[k].at, (uint32_t)row);
		}
	candidate->facts = resource_facts_pack(question->arena, &facts);
	return STATUS_OK;
}

enum status resource_candidate_facts(
    struct resource_question *question, struct resource_candidate *candidate, struct err *err) {
	struct resource_version version;
	TRY(resource_load(question->reader, &version, question->arena, candidate->sequence, err));
	TRY(json_parse(&candidate->tree, question->arena, version.content, NULL, err));
	return make_facts(question, candidate, &version.key, err);
}

static enum status would_find(struct resource_question *question, bool *out, const struct resource_scope_rule *rule,
    const struct resource_scope *scope, const struct json *resource, struct err *err) {
	struct resource_gate_rule open = {0}, ready = {0};
	const struct resource_key key = {
	    fhir_definitions_resource(&fhir_r4, json_string(json_get(resource, "resourceType"))),
	    json_string(json_get(resource, "id"))};
	struct resource_candidate candidate = {.type = key.type, .tree = resource};
	question->gate = (struct resource_gate){&everything, &open, FHIR_NONE, NULL};
	if (scope) TRY(resource_gate_open(question, scope, err));
	TRY(read_search(question, &ready, rule, err));
	if (ready.is_closed || key.type == FHIR_NONE) return STATUS_OK;
	if (key.id.len) {
		int64_t row;
		TRY(resource_find(question->reader, &row, &key, err));
		candidate.row = (uint32_t)row;
	}
	TRY(make_facts(question, &candidate, &key, err));
	return resource_meets(question, out, ready.condition, &candidate, err);
}

enum status resources_would_find(struct resources *resources, bool *out, struct arena *arena,
    const struct resource_scope_rule *rule, const struct resource_scope *scope, const struct json *resource,
    struct err *err) {
	struct resource_question question = {.resources = resources, .arena = arena, .budget = RESOURCE_BUDGET};
	*out = false;
	TRY(resources_borrow(resources, &question.reader, err));
	enum status status = would_find(&question, out, rule, scope, resource, err);
	resources_give_back(resources, question.reader);
	return status;
}

static enum status meets_search(struct resource_question *question, bool *out, const struct resource_seen *seen,
    const struct resource_condition *condition, struct err *err) {
	struct resource_candidate candidate = {
	    .row = seen->row, .type = seen->type, .sequence = seen->sequence, .facts = seen->facts};
	if (!candidate.facts.data) TRY(resource_candidate_facts(question, &candidate, err));
	return resource_meets(question, out, condition, &candidate, err);
}

static bool is_open(const struct resource_gate *gate, int64_t folder) {
	if (!folder || gate->scope == &everything) return true;
	for (size_t i = 0; i < gate->scope->open_count; i++)
		if (gate->open[i] == folder) return true;
	return false;
}

enum status resource_gate_admits(
    struct resource_question *question, bool *out, const struct resource_seen *seen, struct err *err) {
	const struct resource_gate *gate = &question->gate;
	*out = false;
	if (!is_open(gate, seen->foreign)) return STATUS_OK;
	for (size_t i = 0; i < gate->scope->count && !*out; i++) {
		const struct resource_scope_rule *rule = &gate->scope->rules[i];
		unsigned folder = seen->foreign ? RESOURCE_SCOPE_OPEN : RESOURCE_SCOPE_OWN;
		if (rule->type != FHIR_NONE && rule->type != seen->type) continue;
		if (!(rule->folders & folder) || gate->rules[i].is_closed) continue;
		if (rule->in_compartment && (seen->type == gate->group || !is_of_patient(seen, gate->rules[i].patient)))
			continue;
		*out = true;
		if (gate->rules[i].condition) TRY(meets_search(question, out, seen, gate->rules[i].condition, err));
	}
	return STATUS_OK;
}
