/* Queries as trees of criteria, written as text; what is refused, and with which issue. */
#include "health/fhir/search_query.h"

#include <malloc.h>

#include "health/fhir/search_units.h"
#include "tests/unit.h"

static void put(struct buf *out, struct bytes text) {
	buf_text(out, "'");
	buf_append(out, text);
	buf_text(out, "'");
}

static void put_operand(struct buf *out, const struct fhir_operand *operand, enum fhir_search_type type) {
	static const char *const prefixes[] = {"", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"};
	buf_text(out, prefixes[operand->prefix]);
	switch (type) {
	case FHIR_SEARCH_DATE:
		buf_printf(
		    out, "%lld..%lld", (long long)operand->moments.first_ms, (long long)operand->moments.last_ms);
		break;
	case FHIR_SEARCH_NUMBER:
	case FHIR_SEARCH_QUANTITY:
		fhir_decimal_write(out, operand->low);
		buf_text(out, "..");
		fhir_decimal_write(out, operand->high);
		if (operand->has_system) put(out, operand->system);
		if (operand->has_code) put(out, operand->code);
		break;
	case FHIR_SEARCH_TOKEN:
		if (operand->has_system) put(out, operand->system), buf_text(out, "|");
		if (operand->has_code) put(out, operand->code);
		break;
	case FHIR_SEARCH_REFERENCE:
		if (operand->target != FHIR_NONE) buf_printf(out, "%s/", fhir_type_name(&fhir_r4, operand->target));
		put(out, operand->id.len ? operand->id : operand->text);
		break;
	case FHIR_SEARCH_COMPOSITE:
	case FHIR_SEARCH_STRING:
	case FHIR_SEARCH_URI:
	case FHIR_SEARCH_SPECIAL: put(out, operand->text); break;
	}
}

static void put_operands(struct buf *out, const struct fhir_criterion *node) {
	struct fhir_list components =
	    node->search ? fhir_list(&fhir_r4, node->search->components) : (struct fhir_list){NULL, 0};
	for (size_t i = 0; i < node->operand_count; i++) {
		if (i) buf_text(out, ",");
		if (node->operands[i].parts)
			for (size_t k = 0; k < components.count / 2; k++) {
				if (k) buf_text(out, "$");
				put_operand(
				    out, &node->operands[i].parts[k], (enum fhir_search_type)components.items[2 * k]);
			}
		else
			put_operand(out, &node->operands[i],
			    node->search ? (enum fhir_search_type)node->search->type : FHIR_SEARCH_STRING);
	}
}

static void put_criterion(struct buf *out, const struct fhir_criterion *node) {
	static const char *const kinds[] = {
	    "", "present", "chain", "has", "all", "any", "not", "ids", "listed", "narrative", "words"};
	static const char *const modifiers[] = {
	    "", ":exact", ":whole", ":contains", ":ends", ":text", ":identifier", ":of-type", ":above", ":below"};
	buf_text(out, kinds[node->kind]);
	if (node->type != FHIR_NONE) buf_printf(out, " %s", fhir_type_name(&fhir_r4, node->type));
	if (node->other != FHIR_NONE) buf_printf(out, "<-%s", fhir_type_name(&fhir_r4, node->other));
	if (node->search) buf_printf(out, ".%s", fhir_text(&fhir_r4, node->search->code));
	buf_printf(out, "%s=", modifiers[node->modifier]);
	put_operands(out, node);
	for (const struct fhir_criterion *child = node->children; child; child = child->next) {
		buf_text(out, child == node->children ? "(" : "; ");
		put_criterion(out, child);
	}
	if (node->children) buf_text(out, ")");
}

struct asked {
	struct arena arena;
	struct fhir_issues issues;
	struct fhir_search *search;
	enum status status;
	struct buf text;
};

static void ask_with(struct asked *asked, struct fhir_search_settings settings, const char *query) {
	struct http_query items;
	struct err err;
	arena_init(&asked->arena);
	fhir_issues_init(&asked->issues, &asked->arena);
	buf_init(&asked->text, 1 << 22);
	settings.defs = &fhir_r4;
	settings.base = "http://here/fhir";
	if (http_query_parse(&items, &asked->arena, bytes_text(query), &err)) fail_msg("%s: %s", query, err.message);
	asked->status = fhir_search_read(&asked->search, &asked->arena, &settings, &items, &asked->issues);
	assert_int_equal(asked->status, asked->issues.has_error ? STATUS_INVALID : STATUS_OK);
	if (asked->status != STATUS_OK) return;
	for (const struct fhir_criterion *node = asked->search->criteria; node; node = node->next) {
		put_criterion(&asked->text, node);
		if (node->next) buf_text(&asked->text, " & ");
	}
}

static struct fhir_search_settings of_type(const char *type) {
	return (struct fhir_search_settings){
	    .type = type ? fhir_definitions_resource(&fhir_r4, bytes_text(type)) : FHIR_NONE, .compartment = FHIR_NONE};
}

static void end(struct asked *asked) {
	buf_fini(&asked->text);
	arena_fini(&asked->arena);
}

static void expect(const char *type, const char *query, const char *text) {
	struct asked asked;
	ask_with(&asked, of_type(type), query);
	if (asked.status != STATUS_OK) fail_msg("%s: %s", query, asked.issues.list[0].diagnostics);
	if (strcmp(buf_cstr(&asked.text), text) != 0) fail_msg("%s: %s, not %s", query, buf_cstr(&asked.text), text);
	end(&asked);
}

static void refused(const char *type, const char *query, enum fhir_issue_code code) {
	struct asked asked;
	ask_with(&asked, of_type(type), query);
	if (asked.status == STATUS_OK) fail_msg("%s is taken: %s", query, buf_cstr(&asked.text));
	if (asked.issues.list[0].code != code)
		fail_msg("%s: %s, not %s", query, fhir_issue_code_text(asked.issues.list[0].code),
		    fhir_issue_code_text(code));
	assert_true(strlen(asked.issues.list[0].expression) > 0 && strlen(asked.issues.list[0].diagnostics) > 10);
	end(&asked);
}

static void each_type_of_parameter_is_read(void **state) {
	(void)state;
	expect("Patient", "family=Smi&given=A,B", " Patient.family='Smi' &  Patient.given='A','B'");
	expect("Patient", "family:exact=Smith&name:contains=x",
	    " Patient.family:exact='Smith' &  Patient.name:contains='x'");
	expect("Observation", "code=http://l|8-1,|x,y,s|", " Observation.code='http://l'|'8-1',''|'x','y','s'|");
	expect("Observation", "date=2024-01-02", " Observation.date=1704153600000..1704239999999");
	expect("Observation", "date=ge1970-01-01T00:00:00%2B01:00", " Observation.date=ge-3600000..-3599001");
	expect("Observation", "date=ge1970-01-01T00:00:00+01:00", " Observation.date=ge-3600000..-3599001");
	expect("Observation", "value-quantity=5.4|http://u|mg,gt50,5||kg,5|kg",
	    " Observation.value-quantity=5.35..5.45'http://u''mg',gt49.5..50.5,4.5..5.5'kg',4.5..5.5'kg'");
	expect("RiskAssessment", "probability=1e2,ap100,0.80",
	    " RiskAssessment.probability=95..105,ap90.0..110.0,0.795..0.805");
	expect("Observation",
	    "subject=Patient/1,2,http://here/fhir/Patient/3,http://other/Patient/4,Patient/5/_history/6",
	    " Observation.subject=Patient/'1','2',Patient/'3','http://other/Patient/4',Patient/'5'");
	expect("Observation", "subject:Patient=1", " Observation.subject=Patient/'1'");
	expect("Observation", "subject:identifier=s|v", " Observation.subject:identifier='s|v'");
	expect("Patient", "identifier:of-type=s|MR|1\\|2", " Patient.identifier:of-type='1|2'");
	expect("ValueSet", "url:below=http://x", " ValueSet.url:below='http://x'");
	expect("Observation", "code-value-quantity=s|c$gt5|u|mg",
	    " Observation.code-value-quantity='s'|'c'$gt4.5..5.5'u''mg'");
	expect("Patient", "name=a\\,b\\$c\\\\d", " Patient.name='a,b$c\\d'");
}

static void modifiers_change_what_is_asked(void **state) {
	(void)state;
	expect("Patient", "gender:not=male", "not Patient=( Patient.gender='male')");
	expect("Patient", "gender:missing=true", "not Patient=(present Patient.gender=)");
	expect("Patient", "gender:missing=false", "present Patient.gender=");
	expect("Observation", "code:text=heart", " Observation.code:text='heart'");
	expect("Patient", "gender:in=http://hl7.org/fhir/ValueSet/administrative-gender",
	    " Patient.gender='http://hl7.org/fhir/administrative-gender'|'female',"
	    "'http://hl7.org/fhir/administrative-gender'|'male','http://hl7.org/fhir/administrative-gender'|'other',"
	    "'http://hl7.org/fhir/administrative-gender'|'unknown'");
}

static void chains_lead_to_other_resources(void **state) {
	(void)state;
	expect("Observation", "patient.family=A", "chain Observation.patient=( Patient.family='A')");
	expect("Observation", "subject.name=A", "chain Observation.subject=( Location.name='A';  Patient.name='A')");
	expect("Observation", "subject:Patient.organization.name:exact=A",
	    "chain Observation.subject=(chain Patient.organization=( Organization.name:exact='A'))");
	expect(
	    "Patient", "_has:Observation:patient:code=x", "has Patient<-Observation.patient=( Observation.code='x')");
	expect("Patient", "_has:Observation:patient:_has:AuditEvent:entity:action=R",
	    "has Patient<-Observation.patient=(has Observation<-AuditEvent.entity=( AuditEvent.action='R'))");
	expect("Encounter", "patient._has:Observation:patient:code=x",
	    "chain Encounter.patient=(has Group<-Observation.patient=( Observation.code='x');"
	    " has Patient<-Observation.patient=( Observation.code='x'))");
}

static void filters_are_read_with_their_precedence(void **state) {
	(void)state;
	expect("Patient", "_filter=name co \"pet\"", "any Patient=(all Patient=( Patient.name:contains='pet'))");
	expect("Patient", "_filter=given eq \"a\" or given sw b and (not(gender ne male))",
	    "any Patient=(all Patient=( Patient.given:whole='a'); all Patient=( Patient.given='b'; any Patient=("
	    "all Patient=(not Patient=(any Patient=(all Patient=(not Patient=( Patient.gender='male'))))))))");
	expect("Observation", "_filter=value-quantity gt 5 and date pr true",
	    "any Observation=(all Observation=( Observation.value-quantity=gt4.5..5.5; present Observation.date=))");
	expect("Observation", "_filter=patient.family eq x",
	    "any Observation=(all Observation=(chain Observation.patient=( Patient.family:whole='x')))");
	refused("Patient", "_filter=name co", FHIR_ISSUE_INVALID);
	refused("Patient", "_filter=(name eq a", FHIR_ISSUE_INVALID);
	refused("Patient", "_filter=name eq a b", FHIR_ISSUE_INVALID);
	refused("Patient", "_filter=name eq \"a", FHIR_ISSUE_INVALID);
	refused("Patient", "_filter=nosuch eq a", FHIR_ISSUE_INVALID);
	refused("Patient", "_filter=((((((((((name eq a))))))))))", FHIR_ISSUE_INVALID);
	refused("Patient", "_filter=gender gt male", FHIR_ISSUE_NOT_SUPPORTED);
}

static void what_is_wrong_is_refused_with_its_code(void **state) {
	(void)state;
	refused("Patient", "family:wrong=a", FHIR_ISSUE_INVALID);
	refused("Patient", "gender:exact=a", FHIR_ISSUE_INVALID);
	refused("Patient", "birthdate:contains=a", FHIR_ISSUE_INVALID);
	refused("Patient", "birthdate=hello", FHIR_ISSUE_VALUE);
	refused("Patient", "birthdate=2024-13-01", FHIR_ISSUE_VALUE);
	refused("Patient", "gender:missing=maybe", FHIR_ISSUE_VALUE);
	refused("Patient", "family=a,,b", FHIR_ISSUE_VALUE);
	refused("Observation", "value-quantity=x", FHIR_ISSUE_VALUE);
	refused("Observation", "code:above=1", FHIR_ISSUE_NOT_SUPPORTED);
	refused("Observation", "code:in=http://snomed.info/sct?fhir_vs", FHIR_ISSUE_NOT_SUPPORTED);
	refused("Observation", "code-value-quantity=a", FHIR_ISSUE_VALUE);
	refused("Observation", "code-value-quantity=a$1$2", FHIR_ISSUE_VALUE);
	refused("Observation", "code.name=a", FHIR_ISSUE_INVALID);
	refused("Observation", "subject:Practitioner.name=a", FHIR_ISSUE_INVALID);
	refused("Observation", "patient.nosuch=a", FHIR_ISSUE_INVALID);
	refused("Patient", "_has:Observation:code:status=a", FHIR_ISSUE_INVALID);
	refused("Patient", "_has:Observation=a", FHIR_ISSUE_INVALID);
	refused("Patient", "_has:Observation:patient:nosuch=a", FHIR_ISSUE_NOT_SUPPORTED);
	refused("Location", "near=1|2", FHIR_ISSUE_NOT_SUPPORTED);
	refused("Patient", "_query=x", FHIR_ISSUE_NOT_SUPPORTED);
	refused("Patient", "_list=$current-problems", FHIR_ISSUE_NOT_SUPPORTED);
	refused("Patient", "_contained=true", FHIR_ISSUE_NOT_SUPPORTED);
	refused("Patient", "_count=x", FHIR_ISSUE_VALUE);
	refused("Patient", "_total=x", FHIR_ISSUE_VALUE);
	refused("Patient", "_summary=x", FHIR_ISSUE_VALUE);
	refused("Patient", "_sort=nosuch", FHIR_ISSUE_NOT_SUPPORTED);
	refused("Patient", "_include=Patient:name", FHIR_ISSUE_INVALID);
	refused("Patient", "_include:wrong=Patient:organization", FHIR_ISSUE_INVALID);
	refused(NULL, "_type=Patient,Nosuch", FHIR_ISSUE_VALUE);
}

static void unknown_parameters_are_left_out_or_refused(void **state) {
	(void)state;
	struct asked asked;
	struct fhir_search_settings strict = of_type("Patient");
	ask_with(&asked, of_type("Patient"), "nosuch=1&family=a%26b&_nosuch=2&_count=5&_sort=-birthdate,family&given=");
	assert_int_equal(asked.status, STATUS_OK);
	assert_int_equal(asked.issues.count, 3);
	assert_int_equal(asked.issues.list[0].severity, FHIR_WARNING);
	assert_int_equal(asked.search->count, 5);
	assert_int_equal(asked.search->sort_count, 2);
	assert_true(asked.search->sorts[0].descending && !asked.search->sorts[1].descending);
	buf_clear(&asked.text);
	fhir_search_write(&asked.text, asked.search);
	assert_string_equal(buf_cstr(&asked.text), "family=a%26b&_count=5&_sort=-birthdate%2Cfamily");
	end(&asked);
	strict.is_strict = true;
	ask_with(&asked, strict, "nosuch=1");
	assert_int_equal(asked.status, STATUS_INVALID);
	end(&asked);
}

static void several_types_are_searched_by_what_all_have(void **state) {
	(void)state;
	expect(NULL, "_lastUpdated=ge1970-01-01&_id=a,b", "._lastUpdated=ge0..86399999 & ids='a','b'");
	expect(NULL, "_type=Patient,Practitioner&name=a",
	    "any=(all Patient=( Patient.name='a'); all Practitioner=( Practitioner.name='a'))");
	expect(NULL, "_type=Patient,Observation&name=a&_tag=x",
	    "any=(all Patient=( Patient._tag='x'); all Observation=( Observation._tag='x'))");
}

static void a_compartment_is_one_more_criterion(void **state) {
	(void)state;
	struct asked asked;
	struct fhir_search_settings settings = of_type("Observation");
	settings.compartment = fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Patient"));
	settings.compartment_id = BYTES_LITERAL("7");
	ask_with(&asked, settings, "code=x");
	assert_string_equal(buf_cstr(&asked.text),
	    "any=(all Observation=( Observation.subject=Patient/'7'); all Observation=( Observation.performer=Patient/'7'))"
	    " &  Observation.code='x'");
	end(&asked);
	settings.type =
	    fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Location")); /* never in it: nothing is found */
	ask_with(&asked, settings, "");
	assert_string_equal(buf_cstr(&asked.text), "any=");
	end(&asked);
}

static void searches_are_bounded(void **state) {
	(void)state;
	struct buf query;
	buf_init(&query, 1 << 20);
	buf_text(&query, "family=a");
	for (unsigned i = 0; i < FHIR_SEARCH_OPERANDS_MAX; i++) buf_text(&query, ",a");
	refused("Patient", buf_cstr(&query), FHIR_ISSUE_TOO_COSTLY);
	buf_clear(&query);
	for (unsigned i = 0; i < 20; i++) buf_text(&query, "_has:Patient:link:");
	buf_text(&query, "family=a");
	refused("Patient", buf_cstr(&query), FHIR_ISSUE_TOO_COSTLY);
	buf_clear(&query);
	for (unsigned i = 0; i < 900; i++)
		buf_text(&query, "status:in=http://hl7.org/fhir/ValueSet/observation-status&");
	refused("Observation", buf_cstr(&query), FHIR_ISSUE_TOO_COSTLY);
	refused("AuditEvent", "entity.subject.subject.subject.subject.subject.identifier=x", FHIR_ISSUE_TOO_COSTLY);
	buf_fini(&query);
}

static size_t taken_bytes(void) {
	const struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

/* Each value by its own length: else a filter of a megabyte would take a gigabyte. */
static void a_filters_quoted_values_take_no_more_than_they_are(void **state) {
	(void)state;
	struct asked asked;
	struct buf query;
	buf_init(&query, 1 << 21);
	buf_text(&query, "_filter=family eq \"a\\\"b\"");
	for (unsigned i = 0; i < 900; i++) buf_text(&query, " or family eq \"a\"");
	buf_text(&query, " or family eq \"");
	for (unsigned i = 0; i < 1 << 20; i++) buf_byte(&query, 'x');
	buf_byte(&query, '"');
	const size_t before = taken_bytes();
	ask_with(&asked, of_type("Patient"), buf_cstr(&query));
	assert_int_equal(asked.status, STATUS_OK);
	assert_non_null(strstr(buf_cstr(&asked.text), "'a\"b'"));
	assert_true(taken_bytes() - before < (size_t)100 << 20);
	end(&asked);
	buf_fini(&query);
}

static void folding_leaves_case_and_accents_out(void **state) {
	(void)state;
	static const char *const pairs[][2] = {{"  M\xc3\xbcller \t  X ", "muller x"},
	    {"\xc3\x89lo\xc3\xafse", "eloise"}, {"e\xcc\x81", "e"}, {"\xc5\x81\xc3\xb3\xc5\xba", "loz"},
	    {"Stra\xc3\x9f"
	     "e",
		"strasse"},
	    {"\xce\x91\xce\x9d\xce\x9d\xce\x91", "\xce\xb1\xce\xbd\xce\xbd\xce\xb1"},
	    {"\xd0\x98\xd0\x92\xd0\x90\xd0\x9d", "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd"}, {"Nguy\xe1\xbb\x85n", "nguyen"},
	    {"\xe7\x8e\x8b", "\xe7\x8e\x8b"}, {"", ""}};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct buf out;
		buf_init(&out, 100);
		fhir_search_fold(&out, bytes_text(pairs[i][0]));
		assert_string_equal(buf_cstr(&out), pairs[i][1]);
		buf_fini(&out);
	}
}

static void units_of_one_dimension_convert(void **state) {
	(void)state;
	static const char *const cases[][4] = {{"5.4", "mg", "g", "0.0054"}, {"1", "kg", "ug", "1000000000"},
	    {"90", "min", "h", "1.5"}, {"5.5", "mmol/L", "umol/dL", "550"}, {"42", "mmol/mol", "%", "4.2"},
	    {"100", "mg/dL", "g/L", "1"}, {"6", "[ft_i]", "cm", "182.88"}, {"3", "/uL", "/mL", "3000"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct fhir_unit *first, *from, *to;
		size_t count;
		struct fhir_decimal value, wanted;
		assert_true(fhir_units_of(&first, &count, &from, bytes_text(cases[i][1])));
		assert_true(fhir_units_of(&first, &count, &to, bytes_text(cases[i][2])));
		assert_true(from >= first && from < first + count);
		assert_true(fhir_decimal_read(&value, bytes_text(cases[i][0])));
		assert_true(fhir_decimal_read(&wanted, bytes_text(cases[i][3])));
		assert_true(fhir_unit_convert(&value, value, from, to));
		assert_int_equal(fhir_decimal_compare(value, wanted), 0);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_type_of_parameter_is_read),
	    cmocka_unit_test(modifiers_change_what_is_asked),
	    cmocka_unit_test(chains_lead_to_other_resources),
	    cmocka_unit_test(filters_are_read_with_their_precedence),
	    cmocka_unit_test(what_is_wrong_is_refused_with_its_code),
	    cmocka_unit_test(unknown_parameters_are_left_out_or_refused),
	    cmocka_unit_test(several_types_are_searched_by_what_all_have),
	    cmocka_unit_test(a_compartment_is_one_more_criterion),
	    cmocka_unit_test(searches_are_bounded),
	    cmocka_unit_test(a_filters_quoted_values_take_no_more_than_they_are),
	    cmocka_unit_test(folding_leaves_case_and_accents_out),
	    cmocka_unit_test(units_of_one_dimension_convert),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
