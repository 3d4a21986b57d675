#include "health/fhir/definitions.h"

/* Orders a name against a text of the pool. */
static int compare(struct bytes name, const char *text) {
	size_t i = 0;
	for (; i < name.len; i++) {
		if (name.data[i] != (uint8_t)text[i]) return (int)name.data[i] - (int)(uint8_t)text[i];
		if (!text[i]) return 1; /* a NUL inside the name */
	}
	return text[i] ? -1 : 0;
}

uint16_t fhir_definitions_type(const struct fhir_definitions *defs, struct bytes name) {
	size_t low = 0, high = defs->type_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(name, fhir_text(defs, (uint16_t)middle));
		if (order == 0) return (uint16_t)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return FHIR_NONE;
}

uint16_t fhir_definitions_resource(const struct fhir_definitions *defs, struct bytes name) {
	uint16_t type = fhir_definitions_type(defs, name);
	if (type == FHIR_NONE) return FHIR_NONE;
	const struct fhir_type_def *def = &defs->types[type];
	return def->kind == FHIR_KIND_RESOURCE && !def->is_abstract ? type : FHIR_NONE;
}

bool fhir_type_derives(const struct fhir_definitions *defs, uint16_t type, uint16_t base) {
	for (; type != FHIR_NONE; type = defs->types[type].base)
		if (type == base) return true;
	return false;
}

static const struct fhir_element_def *own_element(
    const struct fhir_definitions *defs, const struct fhir_type_def *type, struct bytes name) {
	size_t low = type->element_first, high = low + type->element_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(name, fhir_text(defs, defs->elements[middle].name));
		if (order == 0) return &defs->elements[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct fhir_element_def *fhir_element_find(
    const struct fhir_definitions *defs, uint16_t type, struct bytes name) {
	for (; type != FHIR_NONE; type = defs->types[type].base) {
		const struct fhir_element_def *found = own_element(defs, &defs->types[type], name);
		if (found) return found;
	}
	return NULL;
}

static const struct fhir_choice_def *own_choice(
    const struct fhir_definitions *defs, const struct fhir_type_def *type, struct bytes name) {
	size_t low = type->choice_first, high = low + type->choice_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(name, fhir_text(defs, defs->choices[middle].name));
		if (order == 0) return &defs->choices[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct fhir_member fhir_member_find(const struct fhir_definitions *defs, uint16_t type, struct bytes name) {
	for (; type != FHIR_NONE; type = defs->types[type].base) {
		const struct fhir_type_def *def = &defs->types[type];
		const struct fhir_element_def *element = own_element(defs, def, name);
		if (element && element->type != FHIR_NONE) return (struct fhir_member){element, element->type};
		const struct fhir_choice_def *choice = own_choice(defs, def, name);
		if (choice) return (struct fhir_member){&defs->elements[choice->element], choice->type};
	}
	return (struct fhir_member){NULL, FHIR_NONE};
}

static bool group_has(const struct fhir_definitions *defs, const struct fhir_code_group *group, struct bytes code) {
	size_t low = group->code_first, high = low + group->code_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(code, fhir_text(defs, defs->codes[middle]));
		if (order == 0) return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

enum fhir_code_verdict fhir_code_set_has(
    const struct fhir_definitions *defs, uint16_t code_set, const struct bytes *system, struct bytes code) {
	const struct fhir_code_set *set = &defs->code_sets[code_set];
	if (set->is_open) return FHIR_CODE_UNKNOWN;
	for (size_t i = 0; i < set->group_count; i++) {
		const struct fhir_code_group *group = &defs->code_groups[set->group_first + i];
		if (system && compare(*system, fhir_text(defs, group->system)) != 0) continue;
		if (group_has(defs, group, code)) return FHIR_CODE_IN;
	}
	return FHIR_CODE_OUT;
}

uint16_t fhir_code_set_find(const struct fhir_definitions *defs, struct bytes url) {
	const uint8_t *version = memchr(url.data, '|', url.len);
	if (version) url.len = (size_t)(version - url.data);
	for (size_t i = 0; i < defs->code_set_count; i++)
		if (compare(url, fhir_text(defs, defs->code_sets[i].url)) == 0) return (uint16_t)i;
	return FHIR_NONE;
}

const struct fhir_search_def *fhir_search_find(const struct fhir_definitions *defs, uint16_t type, struct bytes code) {
	for (; type != FHIR_NONE; type = defs->types[type].base) {
		size_t low = 0, high = defs->search_count;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			const struct fhir_search_def *search = &defs->searches[middle];
			int order = type != search->base ? (int)type - (int)search->base
							 : compare(code, fhir_text(defs, search->code));
			if (order == 0) return search;
			if (order < 0)
				high = middle;
			else
				low = middle + 1;
		}
	}
	return NULL;
}

bool fhir_compartment_find(
    const struct fhir_definitions *defs, struct fhir_list *parameters, uint16_t compartment, uint16_t type) {
	for (size_t i = 0; i < defs->compartment_count; i++) {
		const struct fhir_compartment_def *row = &defs->compartments[i];
		if (row->compartment != compartment || row->type != type || !row->parameters) continue;
		*parameters = fhir_list(defs, row->parameters);
		return true;
	}
	return false;
}
