/* Searching: each kind of parameter, chains, includes, sorting, pages under writes, scopes, over a few resources that
 * can be read. resource_model_test.c does it over many, beside a plain model. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/files.h"
#include "crypto/hash.h"
#include "health/index/resource_condition.h"
#include "tests/unit.h"

struct world {
	char directory[64];
	struct home home;
	struct resources *resources;
	struct arena arena;
	struct err err;
	uint64_t records;
};

static const struct resource_scope_rule every_rule = {
    .type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN | RESOURCE_SCOPE_OPEN};
static const hash32 foreign = {{2}};
static const struct resource_scope everything = {&every_rule, 1, &foreign, 1};

static uint16_t type_of(const char *name) {
	return fhir_definitions_resource(&fhir_r4, bytes_text(name));
}

/* `text` with ' for ". */
static void put_as(
    struct world *world, uint32_t version, enum resource_method method, const char *text, bool is_foreign) {
	char *content = arena_strdup(&world->arena, bytes_text(text));
	const struct json *json;
	for (char *c = content; *c; c++)
		if (*c == '\'') *c = '"';
	if (json_parse(&json, &world->arena, bytes_text(content), NULL, &world->err))
		fail_msg("%s", world->err.message);
	struct resource_write write = {
	    .key = {fhir_definitions_resource(&fhir_r4, json_string(json_get(json, "resourceType"))),
		json_string(json_get(json, "id"))},
	    .version = version,
	    .method = method,
	    .at_ms = (int64_t)(1000 * ++world->records),
	    .part = 1,
	    .is_foreign = is_foreign,
	    .content = bytes_text(content)};
	write.folder.b[0] = is_foreign ? 2 : 1;
	store_be64(write.record.b, world->records);
	if (resources_put(world->resources, &write, 1, &world->err)) fail_msg("%s: %s", text, world->err.message);
}

static void put(struct world *world, const char *text) {
	put_as(world, 1, RESOURCE_POST, text, false);
}

static int setup(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	struct resource_settings settings = {.base = "http://here/fhir"};
	strcpy(world->directory, "/tmp/xinglin-search-XXXXXX");
	if (!mkdtemp(world->directory)) return -1;
	world->home.directory = world->directory;
	memset(world->home.entropy, 0x5e, sizeof world->home.entropy);
	arena_init(&world->arena);
	if (resources_open(&world->resources, &world->home, &settings, &world->err)) return -1;
	put(world, "{'resourceType':'Organization','id':'org','name':'Charit\xc3\xa9 Berlin'}");
	put(world,
	    "{'resourceType':'Patient','id':'a','identifier':[{'system':'s1','value':'100','type':{'coding':[{"
	    "'system':'t','code':'MR'}]}}],'name':[{'family':'M\xc3\xbcller','given':['Anna','Eva']}],'gender':'female',"
	    "'birthDate':'1980-02','active':true,'managingOrganization':{'reference':'Organization/org'}}");
	put(world, "{'resourceType':'Patient','id':'b','identifier':[{'system':'s2','value':'100'}],'name':[{"
		   "'family':'Muller-Smith','given':['Bob']}],'gender':'male','birthDate':'1990-05-06'}");
	put(world, "{'resourceType':'Patient','id':'c','name':[{'family':'Zhou'}],'birthDate':'1980-02-14'}");
	put(world,
	    "{'resourceType':'Observation','id':'o1','status':'final','code':{'coding':[{'system':'l','code':'1',"
	    "'display':'Heart rate'},{'system':'m','code':'x'}],'text':'Pulse'},'subject':{'reference':'Patient/a'},"
	    "'effectiveDateTime':'2020-01-01T10:00:00Z','valueQuantity':{'value':5.4,'unit':'milligram',"
	    "'system':'http://unitsofmeasure.org','code':'mg'}}");
	put(world,
	    "{'resourceType':'Observation','id':'o2','status':'final','code':{'coding':[{'system':'l','code':'1'}]},"
	    "'subject':{'reference':'http://here/fhir/Patient/b'},'effectivePeriod':{'start':'2019-06','end':'2020-06'},"
	    "'valueQuantity':{'value':0.007,'system':'http://unitsofmeasure.org','code':'g'}}");
	put(world,
	    "{'resourceType':'Observation','id':'o3','status':'amended','code':{'coding':[{'code':'2'}]},"
	    "'subject':{'reference':'Patient/a','identifier':{'system':'s1','value':'100'}},"
	    "'component':[{'code':{'coding':[{'code':'p'}]},'valueQuantity':{'value':1}},{'code':{'coding':[{'code':'q'}]},"
	    "'valueQuantity':{'value':2}}]}");
	put(world, "{'resourceType':'ValueSet','id':'v','status':'active','url':'http://x/fhir/vs/1'}");
	put(world, "{'resourceType':'List','id':'l','status':'current','mode':'working','entry':[{'item':{"
		   "'reference':'Patient/b'}},{'item':{'reference':'Observation/o3'}}]}");
	put(world, "{'resourceType':'RiskAssessment','id':'r','status':'final','subject':{'reference':'Patient/a'},"
		   "'prediction':[{'probabilityDecimal':-0.5}]}");
	*state = world;
	return 0;
}

static int teardown(void **state) {
	struct world *world = *state;
	char path[128];
	resources_close(world->resources);
	arena_fini(&world->arena);
	snprintf(path, sizeof path, "%s/" RESOURCE_FILE, world->directory);
	db_remove(path);
	rmdir(world->directory);
	mem_free(world);
	return 0;
}

/* --- asking --- */

struct asked {
	struct resource_page page;
	enum status status;
};

static struct asked ask(
    struct world *world, const char *type, const char *query, const struct resource_scope *scope, const char *asker) {
	struct asked asked = {.status = STATUS_INVALID};
	struct http_query items;
	struct fhir_search *search;
	struct fhir_issues *issues = arena_alloc(&world->arena, sizeof *issues);
	struct fhir_search_settings settings = {.defs = &fhir_r4,
	    .type = type ? type_of(type) : FHIR_NONE,
	    .base = "http://here/fhir",
	    .is_strict = true,
	    .compartment = FHIR_NONE};
	fhir_issues_init(issues, &world->arena);
	if (type && strchr(type, '/')) { /* "Patient/a/Observation" */
		char *copy = arena_strdup(&world->arena, bytes_text(type)), *rest;
		settings.compartment = type_of(strtok_r(copy, "/", &rest));
		settings.compartment_id = bytes_text(strtok_r(NULL, "/", &rest));
		settings.type = type_of(rest + (*rest == 0x2f));
	}
	if (http_query_parse(&items, &world->arena, bytes_text(query), &world->err)) fail_msg("%s", world->err.message);
	if (fhir_search_read(&search, &world->arena, &settings, &items, issues) != STATUS_OK)
		fail_msg("%s: %s", query, issues->list[0].diagnostics);
	asked.status = resources_search(
	    world->resources, &asked.page, &world->arena, scope, bytes_text(asker), search, &world->err);
	return asked;
}

/* "a b +org": ids of matches, then of what is included; all pages, with | between them. */
static const char *found_in(
    struct world *world, const char *type, const char *query, const struct resource_scope *scope) {
	struct buf text;
	struct bytes cursor = {NULL, 0};
	buf_init(&text, 100000);
	do {
		const char *whole = cursor.len ? arena_printf(&world->arena, "%s&cursor=%.*s", query, (int)cursor.len,
						     (const char *)cursor.data)
					       : query;
		struct asked asked = ask(world, type, whole, scope, "ann");
		if (asked.status != STATUS_OK) fail_msg("%s: %s", query, world->err.message);
		if (cursor.len) buf_text(&text, " |");
		for (size_t i = 0; i < asked.page.count; i++) {
			buf_printf(&text, "%s%s", text.len ? " " : "",
			    asked.page.hits[i].role == RESOURCE_INCLUDED ? "+" : "");
			buf_append(&text, asked.page.hits[i].version.key.id);
		}
		cursor = asked.page.cursor;
	} while (cursor.len);
	const char *out = arena_strdup(&world->arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

static void expect(struct world *world, const char *type, const char *query, const char *ids) {
	const char *found = found_in(world, type, query, &everything);
	if (strcmp(found, ids) != 0) fail_msg("%s?%s: '%s', not '%s'", type ? type : "", query, found, ids);
}

static void strings_and_tokens_are_found(void **state) {
	struct world *world = *state;
	expect(world, "Patient", "", "a b c");
	expect(world, "Patient", "family=mull", "a b");
	expect(world, "Patient", "family=M%C3%9CLLER", "a b");
	expect(world, "Patient", "family:exact=M%C3%BCller", "a");
	expect(world, "Patient", "family:exact=muller", "");
	expect(world, "Patient", "family:contains=smi", "b");
	expect(world, "Patient", "given=eva", "a");
	expect(world, "Patient", "given=eva,bob", "a b");
	expect(world, "Patient", "given=eva&given=bob", "");
	expect(world, "Patient", "identifier=100", "a b");
	expect(world, "Patient", "identifier=s1|100", "a");
	expect(world, "Patient", "identifier=s1|", "a");
	expect(world, "Patient", "identifier=|100", "");
	expect(world, "Patient", "identifier:of-type=t|MR|100", "a");
	expect(world, "Patient", "identifier:of-type=t|XX|100", "");
	expect(world, "Patient", "gender=female", "a");
	expect(world, "Patient", "gender=http://hl7.org/fhir/administrative-gender|female", "a");
	expect(world, "Patient", "gender=http://wrong|female", "");
	expect(world, "Patient", "gender:not=female", "b c");
	expect(world, "Patient", "gender:missing=true", "c");
	expect(world, "Patient", "gender:missing=false", "a b");
	expect(world, "Patient", "gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", "a b");
	expect(world, "Observation", "code=l|1", "o1 o2");
	expect(world, "Observation", "code=|2", "o3");
	expect(world, "Observation", "code=l|2", "");
	expect(world, "Observation", "code:text=heart", "o1");
	expect(world, "Observation", "code:text=pul", "o1");
	expect(world, "Observation", "code:not=x", "o2 o3");
	expect(world, "Patient", "_id=b,a,zz", "a b");
	expect(world, "Patient", "_id:not=b", "a c");
	expect(world, "Patient", "_id:missing=true", "");
	expect(world, "Patient", "_id:missing=false", "a b c");
	expect(world, "ValueSet", "url=http://x/fhir/vs/1", "v");
	expect(world, "ValueSet", "url=http://x/fhir", "");
	expect(world, "ValueSet", "url:below=http://x/fhir", "v");
	expect(world, "ValueSet", "url:below=http://x/fh", "");
	expect(world, "ValueSet", "url:above=http://x/fhir/vs/1/2", "v");
}

static void dates_and_numbers_are_found_by_what_they_span(void **state) {
	struct world *world = *state;
	expect(world, "Patient", "birthdate=1980", "a c");
	expect(world, "Patient", "birthdate=1980-02-14", "c");
	expect(world, "Patient", "birthdate=ne1980", "b");
	expect(world, "Patient", "birthdate=gt1980-02-14", "a b");
	expect(world, "Patient", "birthdate=ge1990&birthdate=lt1991", "b");
	expect(world, "Patient", "birthdate=sa1980-02-28", "b");
	expect(world, "Patient", "birthdate=eb1980-02-14", "");
	expect(world, "Patient", "birthdate=lt1980-02-14", "a");
	expect(world, "Observation", "date=gt2020-05", "o2");
	expect(world, "Observation", "date=ge2020-02", "o2");
	expect(world, "Observation", "date=gt2020-07", "");
	put(world, "{'resourceType':'Patient','id':'z','birthDate':'9999-12-31'}");
	expect(world, "Patient", "birthdate=9999-12-31", "z");
	expect(world, "Patient", "birthdate=gt9000", "z");
	expect(world, "Observation", "date=2020", "o1");
	expect(world, "Observation", "date=ap2020-01", "o1 o2");
	expect(world, "Observation", "date=2020-01-01,2019-01", "o1");
	expect(world, "Observation", "value-quantity=5.4", "o1");
	expect(world, "Observation", "value-quantity=0.0054|http://unitsofmeasure.org|g", "o1");
	expect(world, "Observation", "value-quantity=5.4||mg", "o1");
	expect(world, "Observation", "value-quantity=5.4||milligram", "o1");
	expect(world, "Observation", "value-quantity=gt6|http://unitsofmeasure.org|mg", "o2");
	expect(world, "Observation", "value-quantity=le7000|http://unitsofmeasure.org|ug", "o1 o2");
	expect(world, "Observation", "value-quantity=5.4|http://unitsofmeasure.org|kg", "");
	expect(world, "Observation", "component-code-value-quantity=p$1", "o3");
	expect(world, "Observation", "component-code-value-quantity=p$2", "");
	expect(world, "Observation", "code-value-quantity=l|1$lt6", "o1 o2");
	expect(world, "Observation", "code-value-quantity=x$gt5", "o1");
	expect(world, "RiskAssessment", "probability=-0.5", "r");
	expect(world, "RiskAssessment", "probability=lt-0.4", "r");
	expect(world, "RiskAssessment", "probability=gt-0.4", "");
	expect(world, "RiskAssessment", "probability=ap-0.53", "r");
}

static void references_chains_and_their_reverse_are_found(void **state) {
	struct world *world = *state;
	expect(world, "Observation", "subject=Patient/a", "o1 o3");
	expect(world, "Observation", "patient=a", "o1 o3");
	expect(world, "Observation", "patient=http://here/fhir/Patient/b", "o2");
	expect(world, "Observation", "subject=Patient/none", "");
	expect(world, "Observation", "subject:identifier=s1|100", "o3");
	expect(world, "Observation", "patient.family=muller", "o1 o2 o3");
	expect(world, "Observation", "subject.gender=male", "o2");
	expect(world, "Observation", "subject:Patient.organization.name=charite", "o1 o3");
	expect(world, "Observation", "subject:missing=true", "");
	expect(world, "Patient", "_has:Observation:patient:code=l|1", "a b");
	expect(world, "Patient", "_has:Observation:patient:code=2", "a");
	expect(world, "Organization", "_has:Patient:organization:_has:Observation:patient:code=2", "org");
	expect(world, "Patient", "_list=l", "b");
	expect(world, "Observation", "_list=l&status=amended", "o3");
	expect(world, "Patient/a/Observation", "", "o1 o3");
	expect(world, "Patient/a/Observation", "code=2", "o3");
	expect(world, "Patient/a/Organization", "", "");
	expect(world, "Patient/a/Patient", "", "a");
	expect(world, NULL, "_id=a,o1", "a o1");
	expect(world, NULL, "_type=Patient,Observation&_id=a,o1,v", "a o1");
	expect(world, "Patient", "_filter=family co \"mull\" and not(gender eq male)", "a");
	expect(world, "Patient", "_filter=given eq bob or birthdate lt 1980-02-20 and family sw zh", "b c");
}

static void includes_bring_what_belongs_to_matches(void **state) {
	struct world *world = *state;
	expect(world, "Observation", "code=l|1&_include=Observation:patient", "o1 o2 +a +b");
	expect(world, "Observation", "code=2&_include=Observation:patient&_include:iterate=Patient:organization",
	    "o3 +a +org");
	expect(world, "Observation", "code=2&_include=Observation:patient&_include=Patient:organization", "o3 +a");
	expect(world, "Observation", "code=2&_include=Observation:subject:Group", "o3");
	expect(world, "Observation", "code=2&_include=*", "o3 +a");
	expect(world, "Patient", "_id=a&_revinclude=Observation:patient", "a +o1 +o3");
	expect(world, "Patient", "_id=a&_revinclude=Observation:*", "a +o1 +o3");
	expect(world, "Organization",
	    "_revinclude:iterate=Patient:organization&_revinclude:iterate=Observation:patient", "org +a +o1 +o3");
	expect(world, "Observation", "_count=1&code=l|1&_include=Observation:patient", "o1 +a | o2 +b");
}

static void results_are_sorted_and_paged(void **state) {
	struct world *world = *state;
	expect(world, "Patient", "_sort=birthdate", "a c b");
	expect(world, "Patient", "_sort=-birthdate", "b c a");
	expect(world, "Patient", "_sort=family", "a b c");
	expect(world, "Patient", "_sort=gender,-family", "a b c");
	expect(world, "Patient", "_sort=-_id", "c b a");
	for (unsigned count = 1; count < 3; count++) {
		expect(world, "Patient", arena_printf(&world->arena, "_count=%u", count),
		    count == 1 ? "a | b | c" : "a b | c");
		expect(world, "Patient", arena_printf(&world->arena, "_count=%u&_sort=-birthdate", count),
		    count == 1 ? "b | c | a" : "b c | a");
		expect(world, "Observation", arena_printf(&world->arena, "_count=%u&_sort=date", count),
		    count == 1 ? "o2 | o1 | o3" : "o2 o1 | o3");
	}
	struct asked asked = ask(world, "Patient", "_count=1&_total=accurate", &everything, "ann");
	assert_true(asked.page.has_total && asked.page.total == 3 && asked.page.count == 1);
	asked = ask(world, "Patient", "_summary=count&gender=male", &everything, "ann");
	assert_true(asked.page.has_total && asked.page.total == 1 && asked.page.count == 0 && !asked.page.cursor.len);
	asked = ask(world, "Patient", "_count=0", &everything, "ann");
	assert_true(asked.page.has_total && asked.page.total == 3 && asked.page.count == 0);
}

static const char *page_of(struct world *world, const char *query, struct bytes *cursor) {
	struct buf text;
	const char *whole = cursor->len ? arena_printf(&world->arena, "%s&cursor=%.*s", query, (int)cursor->len,
					      (const char *)cursor->data)
					: query;
	struct asked asked = ask(world, "Patient", whole, &everything, "ann");
	if (asked.status) fail_msg("%s", world->err.message);
	buf_init(&text, 1000);
	for (size_t i = 0; i < asked.page.count; i++) buf_append(&text, asked.page.hits[i].version.key.id);
	*cursor = asked.page.cursor;
	const char *out = arena_strdup(&world->arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

static void pages_stand_still_while_others_write(void **state) {
	struct world *world = *state;
	struct bytes plain = {NULL, 0}, sorted = {NULL, 0};
	assert_string_equal(page_of(world, "_count=1", &plain), "a");
	assert_string_equal(page_of(world, "_count=1&_sort=birthdate", &sorted), "a");
	/* a changes and would stand at the end now; c changes and stays; d is new; b is deleted */
	put_as(world, 2, RESOURCE_PUT, "{'resourceType':'Patient','id':'a','birthDate':'2020'}", false);
	put_as(world, 2, RESOURCE_PUT, "{'resourceType':'Patient','id':'c','birthDate':'1800'}", false);
	put(world, "{'resourceType':'Patient','id':'d','birthDate':'1985'}");
	put(world,
	    "{'resourceType':'Observation','id':'o9','status':'final','code':{'text':'x'},'subject':{'reference':'Patient/e'}}");
	put(world, "{'resourceType':'Patient','id':'e','birthDate':'1986'}");
	assert_string_equal(page_of(world, "_count=1", &plain), "b");
	put_as(world, 2, RESOURCE_DELETE, "{'resourceType':'Patient','id':'b'}", false);
	assert_string_equal(page_of(world, "_count=1", &plain), "c");
	assert_int_equal(plain.len, 0);
	assert_string_equal(page_of(world, "_count=1&_sort=birthdate", &sorted), "c");
	assert_int_equal(sorted.len, 0);
	expect(world, "Patient", "", "a c d e");
	expect(world, "Patient", "_sort=birthdate", "c d e a");
	expect(world, "Patient", "birthdate=1980", "");
}

static void a_cursor_is_of_one_asker_and_one_search(void **state) {
	struct world *world = *state;
	struct asked first = ask(world, "Patient", "_count=1", &everything, "ann");
	const char *next = arena_printf(
	    &world->arena, "_count=1&cursor=%.*s", (int)first.page.cursor.len, (const char *)first.page.cursor.data);
	assert_int_equal(ask(world, "Patient", next, &everything, "ann").status, STATUS_OK);
	assert_int_equal(ask(world, "Patient", next, &everything, "bob").status, STATUS_INVALID);
	assert_int_equal(ask(world, "Observation", next, &everything, "ann").status, STATUS_INVALID);
	assert_int_equal(ask(world, "Patient/a/Patient", next, &everything, "ann").status, STATUS_INVALID);
	assert_int_equal(
	    ask(world, "Patient", arena_printf(&world->arena, "gender=male&%s", next), &everything, "ann").status,
	    STATUS_INVALID);
	assert_int_equal(ask(world, "Patient", "_count=1&cursor=AAAA", &everything, "ann").status, STATUS_INVALID);
	assert_int_equal(ask(world, "Patient", "_count=1&cursor=!", &everything, "ann").status, STATUS_INVALID);
}

static void expect_in(
    struct world *world, const struct resource_scope *scope, const char *type, const char *query, const char *ids) {
	const char *found = found_in(world, type, query, scope);
	if (strcmp(found, ids) != 0) fail_msg("%s?%s: '%s', not '%s'", type ? type : "", query, found, ids);
}

static void a_scope_is_inside_of_every_question(void **state) {
	struct world *world = *state;
	const unsigned both = RESOURCE_SCOPE_OWN | RESOURCE_SCOPE_OPEN;
	put_as(world, 1, RESOURCE_POST,
	    "{'resourceType':'Observation','id':'f','status':'final','code':{'coding':[{'code':'3'}]},'subject':{'reference':'Patient/c'}}",
	    true);
	struct resource_scope_rule
	    of_a = {.type = FHIR_NONE, .in_compartment = true, .patient = BYTES_LITERAL("a"), .folders = both},
	    own = {.type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN},
	    final[] = {{.type = type_of("Observation"), .folders = both, .search = BYTES_LITERAL("status=final")},
		{.type = type_of("Patient"), .folders = both}},
	    broken = {.type = type_of("Patient"), .folders = both, .search = BYTES_LITERAL("nosuch=1")};
	struct resource_scope patient = {.rules = &of_a, .count = 1}, mine = {.rules = &own, .count = 1},
			      finals = {final, 2, &foreign, 1}, none = {.rules = &broken, .count = 1},
			      closed = {.rules = &every_rule, .count = 1};
	expect_in(world, &patient, "Patient", "", "a");
	expect_in(world, &patient, "Observation", "", "o1 o3");
	expect_in(world, &patient, "Observation", "code=l|1", "o1");
	expect_in(world, &patient, "Observation", "patient.family=muller", "o1 o3");
	expect_in(world, &patient, "Observation", "_id=o2", "");
	expect_in(world, &patient, "Observation", "subject:Patient.organization.name=charite",
	    ""); /* the organisation is not seen */
	expect_in(world, &patient, "Observation",
	    "code=l|1&_include=Observation:patient&_include:iterate=Patient:organization", "o1 +a");
	expect_in(world, &mine, "Observation", "", "o1 o2 o3");
	expect_in(world, &mine, "Patient", "_has:Observation:patient:code=3", "");
	expect_in(world, &mine, "Patient", "_id=c&_revinclude=Observation:patient", "c");
	expect_in(world, &everything, "Patient", "_has:Observation:patient:code=3", "c");
	expect_in(world, &finals, "Observation", "", "o1 o2 f");
	/* the window is closed, and the rows are still there */
	expect_in(world, &closed, "Observation", "", "o1 o2 o3");
	expect_in(world, &closed, "Patient", "_has:Observation:patient:code=3", "");
	expect_in(world, &closed, "Patient", "_id=c&_revinclude=Observation:patient", "c");
	expect_in(world, &finals, "Patient", "_has:Observation:patient:code=2", "");
	expect_in(world, &finals, "Patient", "_id=a&_revinclude=Observation:patient", "a +o1");
	expect_in(world, &none, "Patient", "", "");
	put_as(world, 2, RESOURCE_DELETE, "{'resourceType':'Observation','id':'o1'}", false);
	struct resource_key gone = {type_of("Observation"), BYTES_LITERAL("o1")};
	struct resource_version tombstone; /* its patient learns that it is gone */
	assert_int_equal(
	    resources_get(world->resources, &tombstone, &world->arena, &patient, &gone, 0, &world->err), STATUS_OK);
	assert_int_equal(tombstone.method, RESOURCE_DELETE);
	struct asked counted = ask(world, "Observation", "_summary=count", &patient, "ann");
	assert_int_equal(counted.page.total, 1);
	struct resource_version found;
	struct resource_key keys[] = {
	    {type_of("Observation"), BYTES_LITERAL("o3")}, {type_of("Observation"), BYTES_LITERAL("o1")}};
	assert_int_equal(
	    resources_get(world->resources, &found, &world->arena, &finals, &keys[0], 0, &world->err), STATUS_NOTFOUND);
	assert_int_equal(
	    resources_get(world->resources, &found, &world->arena, &finals, &keys[1], 1, &world->err), STATUS_OK);
	struct resource_page page;
	struct resource_history history = {.key = {type_of("Observation"), {NULL, 0}},
	    .since_ms = INT64_MIN,
	    .at_first_ms = INT64_MIN,
	    .at_last_ms = INT64_MAX,
	    .count = 10};
	assert_int_equal(
	    resources_history(world->resources, &page, &world->arena, &finals, &history, &world->err), STATUS_OK);
	assert_int_equal(page.count, 3); /* o1 as it was, o2, f */
	assert_int_equal(
	    resources_history(world->resources, &page, &world->arena, &patient, &history, &world->err), STATUS_OK);
	assert_int_equal(page.count, 3); /* o1, o3, and that o1 is gone */
}

static void words_are_found_in_narratives_and_contents(void **state) {
	struct world *world = *state;
	put(world, "{'resourceType':'Patient','id':'w','text':{'status':'generated','div':'<div xmlns=\\'x\\'>Chronic "
		   "<b>\xc3\x84sthma</b></div>'},'maritalStatus':{'text':'widowed person'}}");
	expect(world, "Patient", "_text=asthma", "w");
	expect(world, "Patient", "_text=chronic+asthma", "w");
	expect(world, "Patient", "_text=widowed", "");
	expect(world, "Patient", "_text=div", "");
	expect(world, "Patient", "_content=widowed", "w");
	expect(world, "Patient", "_content=widowed+anna", "");
	expect(world, "Patient", "_content=widowed+OR+anna", "a w");
	expect(world, "Patient", "_content=person+NOT+asthma", "");
	expect(world, "Patient", "_content=%22*%20NEAR(", "");
	expect(world, "Patient", "_content=OR", "");
	expect(world, "Observation", "_content=pulse&patient=a", "o1");
	put_as(world, 2, RESOURCE_PUT, "{'resourceType':'Patient','id':'w','maritalStatus':{'text':'married person'}}",
	    false);
	expect(world, "Patient", "_text=asthma", "");
	expect(world, "Patient", "_content=widowed", "");
	expect(world, "Patient", "_content=married", "w");
	put_as(world, 3, RESOURCE_DELETE, "{'resourceType':'Patient','id':'w'}", false);
	expect(world, "Patient", "_content=person", "");
}

/* SQLite would take minutes for a question of a million words. */
static void a_question_has_a_bounded_number_of_words(void **state) {
	struct world *world = *state;
	struct buf query;
	buf_init(&query, 1000);
	buf_text(&query, "_content=a");
	for (unsigned i = 1; i < 100; i++) buf_text(&query, "+a");
	assert_int_equal(ask(world, "Patient", buf_cstr(&query), &everything, "ann").status, STATUS_OK);
	buf_text(&query, "+a");
	assert_int_equal(ask(world, "Patient", buf_cstr(&query), &everything, "ann").status, STATUS_LIMIT);
	buf_fini(&query);
}

/* --- dropping --- */

static struct bytes read_file(struct world *world, const char *path) {
	struct buf text;
	buf_init(&text, BUF_MAX_DEFAULT);
	if (files_read(&text, path, &world->err) != STATUS_OK) buf_clear(&text); /* there is none */
	struct bytes out = arena_dup(&world->arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

/* All pages of the file as they are without their encryption, free ones too, by a connection of its own. */
static struct bytes decrypted(struct world *world) {
	uint8_t key[32];
	struct db *db;
	struct buf text;
	bool row = true;
	const char *path = arena_printf(&world->arena, "%s/" RESOURCE_FILE, world->directory);
	hkdf_sha256(key, sizeof key, (struct bytes){NULL, 0}, bytes_make(world->home.entropy, 32),
	    BYTES_LITERAL("xinglin resources 1"));
	assert_int_equal(db_open(&db, path, key, &world->err), STATUS_OK);
	buf_init(&text, BUF_MAX_DEFAULT);
	for (int64_t page = 1; row; page++) {
		sqlite3_stmt *statement;
		assert_int_equal(
		    db_statement(db, &statement, "SELECT data FROM sqlite_dbpage WHERE pgno = ?", &world->err),
		    STATUS_OK);
		sqlite3_bind_int64(statement, 1, page);
		assert_int_equal(db_step(db, statement, &row, &world->err), STATUS_OK);
		if (row) buf_append(&text, db_column(statement, 0));
		db_end(statement);
	}
	db_close(db);
	struct bytes out = arena_dup(&world->arena, buf_view(&text));
	buf_fini(&text);
	assert_true(memcmp(out.data, "SQLite format 3", 16) == 0);
	return out;
}

static bool holds(struct bytes text, const char *word) {
	return memmem(text.data, text.len, word, strlen(word)) != NULL;
}

/* Words as they stand in facts, in tables of words, in names. Content is compressed: its canary is its own bytes. */
static const char *const canaries[] = {"canaryfamily", "canarycode", "canaryid", "canaryref", "zebraword", "canaryurl"};
#define CANARIES                                                                                                       \
	"{'resourceType':'Observation','id':'canaryid','status':'final','code':{'coding':[{"                           \
	"'system':'http://canaryurl/s','code':'canarycode'}],'text':'zebraword'},"                                     \
	"'subject':{'reference':'Patient/canaryref'},'instantiatesUri':'http://canaryurl/x','valueString':'CanaryFamily'}"

static void what_is_dropped_is_in_no_page_of_the_file(void **state) {
	struct world *world = *state;
	char *wal = arena_printf(&world->arena, "%s/" RESOURCE_FILE "-wal", world->directory);
	put_as(world, 1, RESOURCE_POST, CANARIES, true);
	/* it was another before, which referred to others */
	put_as(world, 1, RESOURCE_POST,
	    "{'resourceType':'Patient','id':'canaryidtwo','name':[{'family':'CanaryFamily'}],"
	    "'generalPractitioner':[{'reference':'Practitioner/canaryrefold'}]}",
	    true);
	put_as(
	    world, 2, RESOURCE_PUT, "{'resourceType':'Patient','id':'canaryidtwo','name':[{'family':'Other'}]}", true);
	/* a resource of ours, of which they have a later version */
	put_as(world, 2, RESOURCE_PUT,
	    "{'resourceType':'Patient','id':'c','name':[{'family':'CanaryFamily'}],'birthDate':'1980-02-14'}", true);
	assert_int_equal(db_run(world->resources->writer, "PRAGMA wal_checkpoint(TRUNCATE)", &world->err), STATUS_OK);
	struct bytes before = decrypted(world);
	for (size_t i = 0; i < 5; i++)
		if (!holds(before, canaries[i])) fail_msg("%s was never there", canaries[i]);
	expect(world, "Patient", "family=canaryfamily", "c");
	expect(world, "Observation", "_content=zebraword", "canaryid");
	assert_int_equal(resources_drop_folder(world->resources, &foreign, &world->err), STATUS_OK);
	assert_int_equal(read_file(world, wal).len, 0);
	struct bytes after = decrypted(world);
	for (size_t i = 0; i < sizeof canaries / sizeof *canaries; i++)
		if (holds(after, canaries[i])) fail_msg("%s is left", canaries[i]);
	expect(world, "Patient", "family=canaryfamily", "");
	expect(world, "Observation", "_content=zebraword", "");
	expect(world, "Patient", "family=zhou", "c"); /* ours is the current one again */
	expect(world, "Patient", "_content=zhou", "c");
	expect(world, "Observation", "code=l|1", "o1 o2");
	struct resource_counts counts;
	assert_int_equal(resources_count(world->resources, &counts, &world->err), STATUS_OK);
	assert_int_equal(counts.folders, 1);
	assert_int_equal(resources_drop_folder(world->resources, &foreign, &world->err), STATUS_OK);
	/* and it can come again */
	put_as(world, 1, RESOURCE_POST, CANARIES, true);
	expect(world, "Observation", "code=canarycode", "canaryid");
}

/* One of two records of a folder is erased: the other stays, and nothing of the first is in any page. */
static void an_erased_record_is_in_no_page_of_the_file(void **state) {
	struct world *world = *state;
	struct resource_version mine, found;
	struct resource_key key = {type_of("Observation"), BYTES_LITERAL("canaryid")};
	put_as(world, 1, RESOURCE_POST, CANARIES, false);
	assert_int_equal(
	    resources_get(world->resources, &mine, &world->arena, &everything, &key, 0, &world->err), STATUS_OK);
	assert_int_equal(db_run(world->resources->writer, "PRAGMA wal_checkpoint(TRUNCATE)", &world->err), STATUS_OK);
	assert_true(holds(decrypted(world), "canarycode"));
	assert_int_equal(resources_drop_record(world->resources, &mine.record, &world->err), STATUS_OK);
	struct bytes after = decrypted(world);
	for (size_t i = 0; i < sizeof canaries / sizeof *canaries; i++)
		if (holds(after, canaries[i])) fail_msg("%s is left", canaries[i]);
	assert_int_equal(
	    resources_get(world->resources, &found, &world->arena, &everything, &key, 0, &world->err), STATUS_NOTFOUND);
	expect(world, "Observation", "code=l|1", "o1 o2");
	assert_int_equal(resources_drop_record(world->resources, &mine.record, &world->err), STATUS_OK);
}

/* The search above would see a leftover: here is one. */
static void a_leftover_in_a_free_page_is_seen(void **state) {
	struct world *world = *state;
	struct db *db = world->resources->writer;
	assert_int_equal(db_run(db,
			     "PRAGMA secure_delete=OFF; CREATE TABLE t(x); INSERT INTO t VALUES('canaryfree' || "
			     "hex(zeroblob(3000))); DROP TABLE t; PRAGMA wal_checkpoint(TRUNCATE)",
			     &world->err),
	    STATUS_OK);
	assert_true(holds(decrypted(world), "canaryfree"));
}

static void conditional_interactions_see_up_to_two(void **state) {
	struct world *world = *state;
	static const struct {
		const char *query;
		size_t count;
	} cases[] = {{"identifier=s1|100", 1}, {"identifier=100", 2}, {"identifier=none", 0}, {"_count=1", 2}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_query items;
		struct fhir_search *search;
		struct fhir_issues issues;
		struct resource_version matches[2];
		size_t count;
		struct fhir_search_settings settings = {
		    .defs = &fhir_r4, .type = type_of("Patient"), .compartment = FHIR_NONE};
		fhir_issues_init(&issues, &world->arena);
		assert_int_equal(
		    http_query_parse(&items, &world->arena, bytes_text(cases[i].query), &world->err), STATUS_OK);
		assert_int_equal(fhir_search_read(&search, &world->arena, &settings, &items, &issues), STATUS_OK);
		assert_int_equal(
		    resources_match(world->resources, matches, &count, &world->arena, &everything, search, &world->err),
		    STATUS_OK);
		assert_int_equal(count, cases[i].count);
	}
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(strings_and_tokens_are_found),
	    TEST(dates_and_numbers_are_found_by_what_they_span),
	    TEST(references_chains_and_their_reverse_are_found),
	    TEST(includes_bring_what_belongs_to_matches),
	    TEST(results_are_sorted_and_paged),
	    TEST(pages_stand_still_while_others_write),
	    TEST(a_cursor_is_of_one_asker_and_one_search),
	    TEST(a_scope_is_inside_of_every_question),
	    TEST(words_are_found_in_narratives_and_contents),
	    TEST(a_question_has_a_bounded_number_of_words),
	    TEST(an_erased_record_is_in_no_page_of_the_file),
	    TEST(what_is_dropped_is_in_no_page_of_the_file),
	    TEST(a_leftover_in_a_free_page_is_seen),
	    TEST(conditional_interactions_see_up_to_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
