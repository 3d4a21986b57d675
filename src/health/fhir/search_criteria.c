#include "health/fhir/search_criteria.h"

#define UNKNOWN "this type has no such search parameter: the CapabilityStatement lists those that there are"

struct fhir_criterion *fhir_search_node(
    struct fhir_search_reader *reader, struct bytes name, enum fhir_criterion_kind kind, uint16_t type) {
	if (++reader->nodes > FHIR_SEARCH_NODES_MAX) {
		fhir_search_refuse(reader, FHIR_ISSUE_TOO_COSTLY, name,
		    "a search of more than %u criteria: ask for fewer at once", FHIR_SEARCH_NODES_MAX);
		return NULL;
	}
	struct fhir_criterion *node = arena_zalloc(reader->arena, 1, sizeof *node);
	node->kind = kind;
	node->type = type;
	node->other = FHIR_NONE;
	return node;
}

struct fhir_criterion **fhir_search_add(struct fhir_criterion **last, struct fhir_criterion *child) {
	*last = child;
	return &child->next;
}

static struct fhir_criterion *not_of(
    struct fhir_search_reader *reader, const struct fhir_search_leaf *leaf, struct fhir_criterion *child) {
	struct fhir_criterion *node = child ? fhir_search_node(reader, leaf->whole, FHIR_NOT, child->type) : NULL;
	if (node) node->children = child;
	return node;
}

const struct fhir_search_def *fhir_search_of(const struct fhir_definitions *defs, uint16_t type, struct bytes code) {
	if (type == FHIR_NONE) type = fhir_definitions_type(defs, BYTES_LITERAL("Resource"));
	return fhir_search_find(defs, type, code);
}

/* --- names --- */

/* "code:not.rest": what comes first, and its modifier. */
struct head {
	struct bytes code, modifier, rest; /* rest.data NULL: there is no chain */
};

static struct head head_of(struct bytes name) {
	struct head head = {.code = name};
	size_t at = 0;
	while (at < name.len && name.data[at] != ':' && name.data[at] != '.') at++;
	head.code = bytes_slice(name, 0, at);
	if (at < name.len && name.data[at] == ':') {
		size_t from = ++at;
		while (at < name.len && name.data[at] != '.') at++;
		head.modifier = bytes_make(name.data + from, at - from);
	}
	if (at < name.len) head.rest = bytes_make(name.data + at + 1, name.len - at - 1);
	return head;
}

static bool is(struct bytes text, const char *word) {
	return bytes_equal(text, bytes_text(word));
}

static bool begins(struct bytes text, const char *prefix) {
	return bytes_equal(bytes_slice(text, 0, strlen(prefix)), bytes_text(prefix));
}

static bool is_narrative(struct bytes code) {
	return is(code, "_text") || is(code, "_content");
}

bool fhir_search_names(const struct fhir_definitions *defs, uint16_t type, struct bytes name) {
	struct head head = head_of(name);
	return is(head.code, "_has") || is(head.code, "_list") || is(head.code, "_filter") || is_narrative(head.code) ||
	       fhir_search_of(defs, type, head.code);
}

static const char *type_text(enum fhir_search_type type) {
	static const char *const names[] = {
	    "number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"};
	return names[type];
}

/* --- values --- */

static struct fhir_criterion *refuse_modifier(struct fhir_search_reader *reader, const struct fhir_search_leaf *leaf,
    const struct fhir_search_def *search, struct bytes modifier) {
	fhir_search_refuse(reader, FHIR_ISSUE_INVALID, leaf->whole,
	    "the modifier ':%.40s' is not one of a parameter of type %s: leave it out",
	    arena_strdup(reader->arena, modifier), type_text((enum fhir_search_type)search->type));
	return NULL;
}

/* ":missing=true" */
static struct fhir_criterion *missing(struct fhir_search_reader *reader, const struct fhir_search_leaf *leaf,
    uint16_t type, const struct fhir_search_def *search) {
	bool absent = is(leaf->value, "true");
	if (!absent && !is(leaf->value, "false")) {
		fhir_search_refuse(reader, FHIR_ISSUE_VALUE, leaf->whole, "a value of :missing is true or false");
		return NULL;
	}
	/* There are no facts of ids. "One of no ids" is no resource, and every resource has one. */
	const bool is_id = is(bytes_text(fhir_text(reader->defs, search->code)), "_id");
	struct fhir_criterion *node = fhir_search_node(reader, leaf->whole, is_id ? FHIR_IDS : FHIR_PRESENT, type);
	if (is_id) absent = !absent;
	if (node) node->search = search;
	return absent ? not_of(reader, leaf, node) : node;
}

/* ":in": every code of the set, each with its system. */
static struct fhir_criterion *in_set(struct fhir_search_reader *reader, const struct fhir_search_leaf *leaf,
    uint16_t type, const struct fhir_search_def *search) {
	const struct fhir_definitions *defs = reader->defs;
	uint16_t number = fhir_code_set_find(defs, leaf->value);
	if (number == FHIR_NONE || defs->code_sets[number].is_open) {
		fhir_search_refuse(reader, FHIR_ISSUE_NOT_SUPPORTED, leaf->whole,
		    "this server does not have the codes of that value set: list the codes themselves");
		return NULL;
	}
	const struct fhir_code_set *set = &defs->code_sets[number];
	struct fhir_criterion *node = fhir_search_node(reader, leaf->whole, FHIR_MATCH, type);
	size_t count = 0;
	for (uint16_t g = 0; g < set->group_count; g++) count += defs->code_groups[set->group_first + g].code_count;
	reader->operands += count;
	if (!node) return NULL;
	if (reader->operands > FHIR_SEARCH_OPERANDS_MAX) {
		fhir_search_refuse(reader, FHIR_ISSUE_TOO_COSTLY, leaf->whole,
		    "a search of more than %u values: ask for fewer at once", FHIR_SEARCH_OPERANDS_MAX);
		return NULL;
	}
	struct fhir_operand *operands = arena_zalloc(reader->arena, count + 1, sizeof *operands);
	node->search = search;
	node->operands = operands;
	for (uint16_t g = 0; g < set->group_count; g++) {
		const struct fhir_code_group *group = &defs->code_groups[set->group_first + g];
		for (uint16_t c = 0; c < group->code_count; c++)
			operands[node->operand_count++] = (struct fhir_operand){.has_code = true,
			    .has_system = true,
			    .system = bytes_text(fhir_text(defs, group->system)),
			    .code = bytes_text(fhir_text(defs, defs->codes[group->code_first + c]))};
	}
	/* elements of type code have no system */
	for (size_t i = 0; search->type == FHIR_SEARCH_TOKEN && i < node->operand_count; i++)
		operands[i].text = operands[i].code;
	return node;
}

/* What the modifiers mean that change how values are compared. False: not one of this type. */
static bool comparison_of(struct fhir_search_wanted *wanted, struct bytes modifier) {
	static const struct {
		const char *word;
		enum fhir_search_type type;
		enum fhir_modifier modifier;
	} known[] = {{"exact", FHIR_SEARCH_STRING, FHIR_EXACT}, {"contains", FHIR_SEARCH_STRING, FHIR_CONTAINS},
	    {"text", FHIR_SEARCH_TOKEN, FHIR_DISPLAY}, {"of-type", FHIR_SEARCH_TOKEN, FHIR_OF_TYPE},
	    {"identifier", FHIR_SEARCH_REFERENCE, FHIR_IDENTIFIER}, {"above", FHIR_SEARCH_URI, FHIR_ABOVE},
	    {"below", FHIR_SEARCH_URI, FHIR_BELOW}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].type == wanted->type && is(modifier, known[i].word)) {
			wanted->modifier = known[i].modifier;
			return true;
		}
	return false;
}

static struct fhir_criterion *match(struct fhir_search_reader *reader, const struct fhir_search_leaf *leaf,
    uint16_t type, const struct fhir_search_wanted *wanted) {
	struct fhir_criterion *node = fhir_search_node(reader, leaf->whole, FHIR_MATCH, type);
	if (!node) return NULL;
	node->search = wanted->search;
	node->modifier = wanted->modifier;
	return fhir_search_operands(reader, node, wanted, leaf->value) ? node : NULL;
}

static struct fhir_criterion *with_modifier(struct fhir_search_reader *reader, const struct fhir_search_leaf *leaf,
    uint16_t type, const struct fhir_search_def *search, struct bytes modifier) {
	struct fhir_search_wanted wanted = {
	    leaf->whole, search, (enum fhir_search_type)search->type, FHIR_PLAIN, FHIR_NONE};
	bool is_token = wanted.type == FHIR_SEARCH_TOKEN, is_reference = wanted.type == FHIR_SEARCH_REFERENCE;
	if (!modifier.data || comparison_of(&wanted, modifier)) return match(reader, leaf, type, &wanted);
	if (is(modifier, "missing")) return missing(reader, leaf, type, search);
	if (is_token && is(modifier, "not")) return not_of(reader, leaf, match(reader, leaf, type, &wanted));
	if (is_token && is(modifier, "in")) return in_set(reader, leaf, type, search);
	if (is_token && is(modifier, "not-in")) return not_of(reader, leaf, in_set(reader, leaf, type, search));
	if ((is_token || is_reference) && (is(modifier, "above") || is(modifier, "below"))) {
		fhir_search_refuse(reader, FHIR_ISSUE_NOT_SUPPORTED, leaf->whole,
		    "this server does not know which concept is above which: list the codes themselves");
		return NULL;
	}
	wanted.target = fhir_definitions_resource(reader->defs, modifier);
	if (is_reference && wanted.target != FHIR_NONE) return match(reader, leaf, type, &wanted);
	return refuse_modifier(reader, leaf, search, modifier);
}

/* --- a filter's comparisons (search_filter.html) --- */

static const struct {
	char word[3];
	enum fhir_prefix prefix;
	enum fhir_modifier modifier; /* of strings */
} operations[] = {{"eq", FHIR_PREFIX_EQ, FHIR_WHOLE}, {"ne", FHIR_PREFIX_NE, FHIR_WHOLE},
    {"gt", FHIR_PREFIX_GT, FHIR_PLAIN}, {"lt", FHIR_PREFIX_LT, FHIR_PLAIN}, {"ge", FHIR_PREFIX_GE, FHIR_PLAIN},
    {"le", FHIR_PREFIX_LE, FHIR_PLAIN}, {"ap", FHIR_PREFIX_AP, FHIR_PLAIN}, {"sa", FHIR_PREFIX_SA, FHIR_PLAIN},
    {"eb", FHIR_PREFIX_EB, FHIR_PLAIN}, {"co", FHIR_PREFIX_EQ, FHIR_CONTAINS}, {"sw", FHIR_PREFIX_EQ, FHIR_PLAIN},
    {"ew", FHIR_PREFIX_EQ, FHIR_ENDS}};

static bool is_ordered(enum fhir_search_type type) {
	return type == FHIR_SEARCH_NUMBER || type == FHIR_SEARCH_DATE || type == FHIR_SEARCH_QUANTITY;
}

/* Does the operation fit the parameter's type? co, sw, ew: strings; gt and its like: what is ordered; eq, ne: all. */
static bool fits(const char *operation, enum fhir_search_type type) {
	bool is_equality = strcmp(operation, "eq") == 0 || strcmp(operation, "ne") == 0;
	bool is_text = strcmp(operation, "co") == 0 || strcmp(operation, "sw") == 0 || strcmp(operation, "ew") == 0;
	return is_equality || (is_text ? type == FHIR_SEARCH_STRING : is_ordered(type));
}

static struct fhir_criterion *compare(struct fhir_search_reader *reader, const struct fhir_search_leaf *leaf,
    uint16_t type, const struct fhir_search_def *search) {
	struct fhir_search_wanted wanted = {
	    leaf->whole, search, (enum fhir_search_type)search->type, FHIR_PLAIN, FHIR_NONE};
	if (strcmp(leaf->operation, "pr") == 0)
		return missing(reader,
		    &(struct fhir_search_leaf){
			leaf->whole, is(leaf->value, "true") ? BYTES_LITERAL("false") : BYTES_LITERAL("true"), NULL},
		    type, search);
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
		if (strcmp(operations[i].word, leaf->operation) != 0 || !fits(leaf->operation, wanted.type)) continue;
		struct fhir_criterion *node = fhir_search_node(reader, leaf->whole, FHIR_MATCH, type);
		struct fhir_operand *operand = arena_zalloc(reader->arena, 1, sizeof *operand);
		bool is_not = strcmp(leaf->operation, "ne") == 0 && !is_ordered(wanted.type);
		operand->prefix = is_ordered(wanted.type) ? operations[i].prefix : FHIR_PREFIX_EQ;
		if (wanted.type == FHIR_SEARCH_STRING) wanted.modifier = operations[i].modifier;
		if (!node || !fhir_search_operand(reader, operand, &wanted, leaf->value)) return NULL;
		node->search = search;
		node->modifier = wanted.modifier;
		node->operands = operand;
		node->operand_count = 1;
		return is_not ? not_of(reader, leaf, node) : node;
	}
	fhir_search_refuse(reader, FHIR_ISSUE_NOT_SUPPORTED, leaf->whole,
	    "this server does not compare a parameter of type %s by '%s'", type_text(wanted.type), leaf->operation);
	return NULL;
}

/* --- chains and _has --- */

static bool is_target(const struct fhir_definitions *defs, const struct fhir_search_def *search, uint16_t type) {
	struct fhir_list targets = fhir_list(defs, search->targets);
	for (size_t i = 0; i < targets.count; i++)
		if (targets.items[i] == type) return true;
	return targets.count == 0;
}

static bool is_instance_type(const struct fhir_definitions *defs, uint16_t type) {
	return defs->types[type].kind == FHIR_KIND_RESOURCE && !defs->types[type].is_abstract;
}

/* Does the name mean something for the type, down to its end? Where a reference leads to many types, most have no such
 * parameters. Looking is counted, as criteria are. */
static bool leads_on(struct fhir_search_reader *reader, uint16_t type, struct bytes name, unsigned depth) {
	const struct fhir_definitions *defs = reader->defs;
	struct head head = head_of(name);
	if (depth > FHIR_SEARCH_DEPTH_MAX || ++reader->nodes > FHIR_SEARCH_NODES_MAX) return true; /* said later */
	if (!fhir_search_names(defs, type, name)) return false;
	const struct fhir_search_def *search = fhir_search_of(defs, type, head.code);
	if (!head.rest.data || is(head.code, "_has") || !search) return true;
	if (head.modifier.data) {
		uint16_t only = fhir_definitions_resource(defs, head.modifier);
		return only != FHIR_NONE && is_target(defs, search, only) &&
		       leads_on(reader, only, head.rest, depth + 1);
	}
	for (uint16_t target = 0; search->type == FHIR_SEARCH_REFERENCE && target < defs->type_count; target++)
		if (is_instance_type(defs, target) && is_target(defs, search, target) &&
		    leads_on(reader, target, head.rest, depth + 1))
			return true;
	return false;
}

static struct fhir_criterion *chain(struct fhir_search_reader *reader, uint16_t type, const struct head *head,
    const struct fhir_search_def *search, const struct fhir_search_leaf *leaf, unsigned depth) {
	const struct fhir_definitions *defs = reader->defs;
	uint16_t only = head->modifier.data ? fhir_definitions_resource(defs, head->modifier) : FHIR_NONE;
	if (search->type != FHIR_SEARCH_REFERENCE) {
		fhir_search_refuse(
		    reader, FHIR_ISSUE_INVALID, leaf->whole, "only a reference leads to another resource");
		return NULL;
	}
	if (head->modifier.data && (only == FHIR_NONE || !is_target(defs, search, only)))
		return refuse_modifier(reader, leaf, search, head->modifier);
	struct fhir_criterion *node = fhir_search_node(reader, leaf->whole, FHIR_CHAIN, type);
	if (!node) return NULL;
	struct fhir_criterion **last = &node->children;
	node->search = search;
	for (uint16_t target = 0; target < defs->type_count; target++) {
		if (only != FHIR_NONE ? target != only : !is_instance_type(defs, target)) continue;
		if (!is_target(defs, search, target) || !leads_on(reader, target, head->rest, depth + 1)) continue;
		struct fhir_criterion *child = fhir_search_criterion(reader, target, head->rest, leaf, depth + 1);
		if (!child) return NULL;
		last = fhir_search_add(last, child);
	}
	if (!node->children)
		fhir_search_refuse(reader, FHIR_ISSUE_INVALID, leaf->whole,
		    "no type that this reference leads to has such a search parameter");
	return node->children ? node : NULL;
}

/* "_has:Observation:patient:code": `name` is what follows "_has:". */
static struct fhir_criterion *has(struct fhir_search_reader *reader, uint16_t type, struct bytes name,
    const struct fhir_search_leaf *leaf, unsigned depth) {
	const struct fhir_definitions *defs = reader->defs;
	struct bytes rest = name, other = fhir_search_cut(&rest, ':'), code = fhir_search_cut(&rest, ':');
	uint16_t number = fhir_definitions_resource(defs, other);
	const struct fhir_search_def *search = number == FHIR_NONE ? NULL : fhir_search_of(defs, number, code);
	if (!rest.data || !search || search->type != FHIR_SEARCH_REFERENCE) {
		fhir_search_refuse(reader, FHIR_ISSUE_INVALID, leaf->whole,
		    "write _has:Type:reference:parameter, of which reference is a parameter that leads here");
		return NULL;
	}
	if (type != FHIR_NONE && !is_target(defs, search, type)) {
		fhir_search_refuse(reader, FHIR_ISSUE_INVALID, leaf->whole,
		    "this reference never leads to the type that is searched for");
		return NULL;
	}
	struct fhir_criterion *node = fhir_search_node(reader, leaf->whole, FHIR_HAS, type);
	if (!node) return NULL;
	node->other = number;
	node->search = search;
	node->children = fhir_search_criterion(reader, number, rest, leaf, depth + 1);
	return node->children ? node : NULL;
}

/* --- a parameter --- */

static struct fhir_criterion *words(struct fhir_search_reader *reader, enum fhir_criterion_kind kind, uint16_t type,
    const struct fhir_search_leaf *leaf) {
	struct fhir_criterion *node = fhir_search_node(reader, leaf->whole, kind, type);
	struct fhir_operand *operands = arena_zalloc(reader->arena, 1, sizeof *operands);
	operands->text = leaf->value;
	if (!node) return NULL;
	node->operands = operands;
	node->operand_count = 1;
	return node;
}

/* "List/12", or the id alone. */
static struct fhir_criterion *listed(
    struct fhir_search_reader *reader, uint16_t type, const struct fhir_search_leaf *leaf) {
	struct fhir_search_leaf of = *leaf;
	if (begins(of.value, "List/")) of.value = bytes_slice(of.value, 5, of.value.len);
	if (of.value.len && of.value.data[0] != '$') return words(reader, FHIR_LISTED, type, &of);
	fhir_search_refuse(reader, FHIR_ISSUE_NOT_SUPPORTED, leaf->whole,
	    "this server keeps no functional lists: give the id of a List");
	return NULL;
}

static struct fhir_criterion *ids(
    struct fhir_search_reader *reader, uint16_t type, const struct fhir_search_leaf *leaf, struct bytes modifier) {
	struct fhir_search_wanted wanted = {leaf->whole, fhir_search_of(reader->defs, type, BYTES_LITERAL("_id")),
	    FHIR_SEARCH_TOKEN, FHIR_PLAIN, FHIR_NONE};
	struct fhir_criterion *node = fhir_search_node(reader, leaf->whole, FHIR_IDS, type);
	if (!node || !fhir_search_operands(reader, node, &wanted, leaf->value)) return NULL;
	return is(modifier, "not") || (leaf->operation && strcmp(leaf->operation, "ne") == 0)
		   ? not_of(reader, leaf, node)
		   : node;
}

/* Parameters that are not looked up in what resources say. *known false: it is none of these. */
static struct fhir_criterion *special(struct fhir_search_reader *reader, bool *known, uint16_t type,
    const struct head *head, const struct fhir_search_leaf *leaf) {
	bool is_plain = !head->modifier.data && !leaf->operation;
	*known = true;
	if (is(head->code, "_filter") && is_plain) return fhir_search_filter(reader, type, leaf->value);
	if (is(head->code, "_text") && is_plain) return words(reader, FHIR_NARRATIVE, type, leaf);
	if (is(head->code, "_content") && is_plain) return words(reader, FHIR_WORDS, type, leaf);
	if (is(head->code, "_list") && is_plain) return listed(reader, type, leaf);
	if (is(head->code, "_id") && (!head->modifier.data || is(head->modifier, "not")) &&
	    (!leaf->operation || strcmp(leaf->operation, "eq") == 0 || strcmp(leaf->operation, "ne") == 0))
		return ids(reader, type, leaf, head->modifier);
	*known = is_narrative(head->code) || is(head->code, "_filter") || is(head->code, "_list") ||
		 is(head->code, "_query");
	if (*known)
		fhir_search_refuse(reader, FHIR_ISSUE_NOT_SUPPORTED, leaf->whole,
		    "this server does not do this with the parameter: leave out what stands behind its name");
	return NULL;
}

struct fhir_criterion *fhir_search_criterion(struct fhir_search_reader *reader, uint16_t type, struct bytes name,
    const struct fhir_search_leaf *leaf, unsigned depth) {
	struct head head = head_of(name);
	bool is_known;
	if (depth > FHIR_SEARCH_DEPTH_MAX) {
		fhir_search_refuse(reader, FHIR_ISSUE_TOO_COSTLY, leaf->whole,
		    "names go more than %u levels deep: ask step by step", FHIR_SEARCH_DEPTH_MAX);
		return NULL;
	}
	if (begins(name, "_has:")) return has(reader, type, bytes_slice(name, 5, name.len), leaf, depth);
	if (!head.rest.data) {
		struct fhir_criterion *node = special(reader, &is_known, type, &head, leaf);
		if (is_known) return node;
	}
	const struct fhir_search_def *search = fhir_search_of(reader->defs, type, head.code);
	if (!search) {
		fhir_search_refuse(reader, FHIR_ISSUE_NOT_SUPPORTED, leaf->whole, UNKNOWN);
		return NULL;
	}
	if (head.rest.data) return chain(reader, type, &head, search, leaf, depth);
	if (!leaf->operation) return with_modifier(reader, leaf, type, search, head.modifier);
	return head.modifier.data ? refuse_modifier(reader, leaf, search, head.modifier)
				  : compare(reader, leaf, type, search);
}
