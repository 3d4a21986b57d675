#include "health/fhir/definitions.h"

#include "health/fhir/bundle.h"
#include "tests/unit.h"

static uint16_t type(const char *name) {
	return fhir_definitions_type(&fhir_r4, bytes_text(name));
}

static const struct fhir_element_def *element(const char *owner, const char *name) {
	return fhir_element_find(&fhir_r4, type(owner), bytes_text(name));
}

static struct fhir_member member(const char *owner, const char *name) {
	return fhir_member_find(&fhir_r4, type(owner), bytes_text(name));
}

static enum fhir_code_verdict code(uint16_t set, const char *text) {
	return fhir_code_set_has(&fhir_r4, set, NULL, bytes_text(text));
}

/* R4 counts 148 resources: 146 of which there are instances, Resource and DomainResource. */
static void the_tables_hold_all_of_r4(void **state) {
	(void)state;
	size_t resources = 0, primitives = 0, complex = 0;
	for (size_t i = 0; i < fhir_r4.type_count; i++) {
		const struct fhir_type_def *def = &fhir_r4.types[i];
		bool is_instance = def->kind == FHIR_KIND_RESOURCE && !def->is_abstract;
		resources += is_instance;
		primitives += def->kind == FHIR_KIND_PRIMITIVE;
		complex += def->kind == FHIR_KIND_COMPLEX;
		if (is_instance) assert_true(fhir_type_is_known(bytes_text(fhir_type_name(&fhir_r4, (uint16_t)i))));
	}
	assert_int_equal(resources, 146);
	assert_int_equal(primitives, 20);
	assert_int_equal(complex, 41);
	assert_int_equal(fhir_r4.search_count, 1706);
}

static void types_are_found_by_their_names(void **state) {
	(void)state;
	for (size_t i = 0; i < fhir_r4.type_count; i++)
		assert_int_equal(type(fhir_type_name(&fhir_r4, (uint16_t)i)), i);
	assert_int_equal(type("Patien"), FHIR_NONE);
	assert_int_equal(type("Patients"), FHIR_NONE);
	assert_int_equal(type(""), FHIR_NONE);
	assert_int_equal(fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("HumanName")), FHIR_NONE);
	assert_int_equal(fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("DomainResource")), FHIR_NONE);
	assert_int_equal(fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Patient")), type("Patient"));
	assert_int_equal(fhir_definitions_type(&fhir_r4, BYTES_LITERAL("Patient\0x")), FHIR_NONE);
}

static void a_type_has_its_own_elements_and_those_of_its_bases(void **state) {
	(void)state;
	assert_int_equal(element("Patient", "birthDate")->type, type("date"));
	assert_int_equal(element("Patient", "contained")->max, FHIR_MANY);
	assert_int_equal(element("Patient", "id")->type, type("id"));
	assert_int_equal(element("Patient.contact", "modifierExtension")->type, type("Extension"));
	assert_int_equal(element("Patient.communication", "language")->min, 1);
	assert_null(element("Patient", "brithDate"));
	assert_null(element("Patient.contact", "contained"));
	assert_int_equal(element("Questionnaire.item", "item")->type, type("Questionnaire.item"));
	assert_true(element("Observation", "status")->flags & FHIR_IS_MODIFIER);
	assert_true(element("Observation", "status")->flags & FHIR_IN_SUMMARY);
	assert_int_equal(element("Extension", "url")->min, 1);
	assert_true(fhir_type_derives(&fhir_r4, type("Age"), type("Quantity")));
	assert_true(fhir_type_derives(&fhir_r4, type("code"), type("string")));
	assert_false(fhir_type_derives(&fhir_r4, type("string"), type("code")));
}

static void a_choice_is_spelled_with_its_type(void **state) {
	(void)state;
	assert_int_equal(element("Observation", "value")->type, FHIR_NONE);
	assert_int_equal(member("Observation", "valueQuantity").type, type("Quantity"));
	assert_ptr_equal(member("Observation", "valueDateTime").element, element("Observation", "value"));
	assert_null(member("Observation", "value").element);
	assert_null(member("Observation", "valueAttachment").element);
	assert_int_equal(member("Extension", "valueAttachment").type, type("Attachment"));
	assert_int_equal(member("Patient", "name").type, type("HumanName"));
	assert_null(member("Patient", "").element);
}

static void a_reference_says_what_it_may_name(void **state) {
	(void)state;
	struct fhir_list targets = fhir_list(&fhir_r4, element("Patient", "managingOrganization")->targets);
	assert_int_equal(targets.count, 1);
	assert_int_equal(targets.items[0], type("Organization"));
	assert_int_equal(fhir_list(&fhir_r4, element("Observation", "focus")->targets).count, 0);
}

static void required_codes_are_known(void **state) {
	(void)state;
	uint16_t gender = element("Patient", "gender")->code_set;
	assert_int_equal(code(gender, "female"), FHIR_CODE_IN);
	assert_int_equal(code(gender, "Female"), FHIR_CODE_OUT);
	assert_int_equal(code(gender, ""), FHIR_CODE_OUT);
	assert_int_equal(code(element("Attachment", "contentType")->code_set, "text/plain"), FHIR_CODE_UNKNOWN);
	assert_int_equal(element("Patient", "maritalStatus")->code_set, FHIR_NONE);
	struct bytes right = BYTES_LITERAL("http://hl7.org/fhir/administrative-gender"), wrong = BYTES_LITERAL("urn:x");
	assert_int_equal(fhir_code_set_has(&fhir_r4, gender, &right, BYTES_LITERAL("male")), FHIR_CODE_IN);
	assert_int_equal(fhir_code_set_has(&fhir_r4, gender, &wrong, BYTES_LITERAL("male")), FHIR_CODE_OUT);
	assert_int_equal(
	    fhir_code_set_find(&fhir_r4, BYTES_LITERAL("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1")),
	    gender);
	assert_int_equal(fhir_code_set_find(&fhir_r4, BYTES_LITERAL("http://hl7.org/fhir/ValueSet/none")), FHIR_NONE);
	for (size_t i = 0; i < fhir_r4.code_set_count; i++)
		for (size_t g = 0; g < fhir_r4.code_sets[i].group_count; g++) {
			const struct fhir_code_group *group =
			    &fhir_r4.code_groups[fhir_r4.code_sets[i].group_first + g];
			for (size_t c = 0; c < group->code_count; c++)
				assert_int_equal(
				    code((uint16_t)i, fhir_text(&fhir_r4, fhir_r4.codes[group->code_first + c])),
				    FHIR_CODE_IN);
		}
}

static const char *expression(const char *base, const char *search) {
	const struct fhir_search_def *found = fhir_search_find(&fhir_r4, type(base), bytes_text(search));
	return found ? fhir_text(&fhir_r4, found->expression) : NULL;
}

static void search_parameters_are_found_by_type(void **state) {
	(void)state;
	assert_string_equal(expression("Patient", "birthdate"), "Patient.birthDate");
	assert_string_equal(expression("Observation", "code"), "Observation.code");
	assert_string_equal(expression("Observation", "_id"), "Resource.id");
	assert_string_equal(expression("Observation", "_text"), "");
	assert_null(expression("Observation", "birthdate"));
	assert_null(expression("Observation", "_filter"));
	const struct fhir_search_def *pair =
	    fhir_search_find(&fhir_r4, type("Observation"), BYTES_LITERAL("code-value-quantity"));
	struct fhir_list components = fhir_list(&fhir_r4, pair->components);
	assert_int_equal(pair->type, FHIR_SEARCH_COMPOSITE);
	assert_int_equal(components.count, 4);
	assert_int_equal(components.items[0], FHIR_SEARCH_TOKEN);
	assert_string_equal(fhir_text(&fhir_r4, components.items[1]), "code");
	assert_int_equal(components.items[2], FHIR_SEARCH_QUANTITY);
	for (size_t i = 0; i < fhir_r4.search_count; i++) {
		const struct fhir_search_def *search = &fhir_r4.searches[i];
		assert_ptr_equal(
		    fhir_search_find(&fhir_r4, search->base, bytes_text(fhir_text(&fhir_r4, search->code))), search);
	}
}

static void compartments_name_their_parameters(void **state) {
	(void)state;
	struct fhir_list parameters;
	assert_true(fhir_compartment_find(&fhir_r4, &parameters, type("Patient"), type("Observation")));
	assert_int_equal(parameters.count, 2);
	assert_string_equal(fhir_text(&fhir_r4, parameters.items[0]), "subject");
	assert_string_equal(fhir_text(&fhir_r4, parameters.items[1]), "performer");
	assert_false(fhir_compartment_find(&fhir_r4, &parameters, type("Patient"), type("Organization")));
	assert_false(fhir_compartment_find(&fhir_r4, &parameters, type("Observation"), type("Patient")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_tables_hold_all_of_r4),
	    cmocka_unit_test(types_are_found_by_their_names),
	    cmocka_unit_test(a_type_has_its_own_elements_and_those_of_its_bases),
	    cmocka_unit_test(a_choice_is_spelled_with_its_type),
	    cmocka_unit_test(a_reference_says_what_it_may_name),
	    cmocka_unit_test(required_codes_are_known),
	    cmocka_unit_test(search_parameters_are_found_by_type),
	    cmocka_unit_test(compartments_name_their_parameters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
