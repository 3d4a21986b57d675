/* Queries over the terms of events: what each parameter finds, and what is refused. */
#include "base/http_uri.h"
#include "health/epcis/event_query.h"
#include "tests/unit.h"

#define CONTEXT "{\"example\":\"https://ns.example.com/epcis/\",\"ex\":\"https://ns.example.com/epcis/\"}"

static const char object_event[] =
    "{\"type\":\"ObjectEvent\",\"eventTime\":\"2026-11-22T12:00:00.5+01:00\",\"eventTimeZoneOffset\":\"+01:00\","
    "\"eventID\":\"urn:uuid:1\",\"action\":\"OBSERVE\",\"bizStep\":\"urn:epcglobal:cbv:bizstep:shipping\","
    "\"disposition\":\"https://ref.gs1.org/cbv/Disp-in_transit\","
    "\"persistentDisposition\":{\"set\":[\"recalled\"],\"unset\":[\"completeness_inferred\"]},"
    "\"epcList\":[\"urn:epc:id:sgtin:4012345.077889.25\",\"https://id.example.org/01/04012345778892/21/26\"],"
    "\"quantityList\":[{\"epcClass\":\"urn:epc:class:lgtin:4012345.012345.998877\",\"quantity\":200,\"uom\":\"KGM\"}],"
    "\"readPoint\":{\"id\":\"urn:epc:id:sgln:4012345.00001.7\",\"example:gate\":\"north\"},"
    "\"bizLocation\":{\"id\":\"https://id.gs1.org/414/4012345000016\"},"
    "\"bizTransactionList\":[{\"type\":\"po\",\"bizTransaction\":\"urn:epcglobal:cbv:bt:4012345000009:po-1\"}],"
    "\"sourceList\":[{\"type\":\"urn:epcglobal:cbv:sdt:owning_party\",\"source\":\"urn:epc:id:pgln:4012345.00000\"}],"
    "\"destinationList\":[{\"type\":\"location\",\"destination\":\"urn:epc:id:sgln:0614141.00000.0\"}],"
    "\"ilmd\":{\"example:harvest\":\"2026-11-20T00:00:00Z\",\"example:farm\":{\"example:field\":\"7\"}},"
    "\"sensorElementList\":[{\"sensorMetadata\":{\"time\":\"2026-11-22T10:00:00Z\",\"deviceID\":\"urn:epc:id:giai:4000001.111\"},"
    "\"sensorReport\":[{\"type\":\"Temperature\",\"value\":26.0,\"uom\":\"CEL\",\"booleanValue\":true,"
    "\"example:note\":\"warm\"}]}],\"example:part\":\"a|b\",\"example:weight\":1.50,"
    "\"example:outer\":{\"example:inside\":[3,\"four\"]}}";

static const char corrected_event[] =
    "{\"type\":\"AggregationEvent\",\"eventTime\":\"2025-01-01T00:00:00Z\",\"eventTimeZoneOffset\":\"+00:00\","
    "\"action\":\"ADD\",\"parentID\":\"urn:epc:id:sscc:4012345.0000000111\","
    "\"childEPCs\":[\"urn:epc:id:sgtin:4012345.077889.25\"],"
    "\"errorDeclaration\":{\"declarationTime\":\"2026-02-01T00:00:00Z\",\"reason\":\"did_not_occur\","
    "\"correctiveEventIDs\":[\"urn:uuid:9\"]}}";

static void assert_ok(enum status status, const struct err *err) {
	if (status != STATUS_OK) fail_msg("%s", err->message);
}

static void make_terms(struct event_terms *out, struct arena *arena, const char *text) {
	const struct json *context, *event;
	struct err err;
	assert_ok(json_parse(&context, arena, BYTES_LITERAL(CONTEXT), NULL, &err), &err);
	assert_ok(json_parse(&event, arena, bytes_text(text), NULL, &err), &err);
	*out = (struct event_terms){0};
	event_terms_of(out, arena, context, event);
	event_terms_add_number(out, arena, "recordTime", 1764590400000.0);
	event_terms_add_text(out, arena, "eventID", json_string(json_get(event, "eventID")));
}

static enum status read_query(struct event_query *query, struct arena *arena, const char *text,
    enum epcis_exception *exception, struct err *err) {
	struct http_query parsed;
	const struct json *context;
	*query = (struct event_query){0};
	TRY(json_parse(&context, arena, BYTES_LITERAL(CONTEXT), NULL, err));
	TRY(http_query_parse(&parsed, arena, bytes_text(text), err));
	for (size_t i = 0; i < parsed.count; i++) {
		struct bytes rest = parsed.items[i].value, values[8];
		size_t count = 0;
		while (rest.data) {
			const uint8_t *end = rest.len ? memchr(rest.data, '|', rest.len) : NULL;
			values[count++] = bytes_slice(rest, 0, end ? (size_t)(end - rest.data) : rest.len);
			rest =
			    end ? bytes_slice(rest, (size_t)(end - rest.data) + 1, rest.len) : (struct bytes){NULL, 0};
		}
		TRY(event_query_add(query, arena, context, parsed.items[i].name, values, count, exception, err));
	}
	return event_query_check(query, exception, err);
}

/* 1: it finds the object event, 2: the corrected one, 3: both. */
static const struct {
	const char *query;
	unsigned finds;
} questions[] = {
    {"", 3},
    {"eventType=ObjectEvent", 1},
    {"eventType=ObjectEvent|AggregationEvent", 3},
    {"eventType=TransformationEvent", 0},
    {"GE_eventTime=2026-11-22T11:00:00.500Z", 1},
    {"GE_eventTime=2026-11-22T11:00:00.501Z", 0},
    {"LT_eventTime=2026-11-22T11:00:00.500Z", 2},
    {"GE_eventTime=2025-01-01T00:00:00Z&LT_eventTime=2026-01-01T01:00:00%2B01:00", 2},
    {"LT_recordTime=2030-01-01T00:00:00Z", 3},
    {"EQ_action=ADD", 2},
    {"EQ_action=ADD|OBSERVE", 3},
    {"EQ_bizStep=shipping", 1},
    {"EQ_bizStep=receiving%7Cshipping", 1},
    {"EQ_bizStep=https://ref.gs1.org/cbv/BizStep-shipping", 1},
    {"EQ_bizStep=cbv:BizStep-shipping", 1},
    {"EQ_bizStep=Shipping", 0},
    {"EQ_disposition=in_transit", 1},
    {"EQ_persistentDisposition_set=recalled", 1},
    {"EQ_persistentDisposition_unset=recalled", 0},
    {"EQ_readPoint=https://id.gs1.org/414/4012345000016/254/7", 1},
    {"EQ_readPoint=urn:epc:id:sgln:4012345.00001.0", 0},
    {"WD_readPoint=urn:epc:id:sgln:4012345.00001.0", 1},
    {"WD_bizLocation=urn:epc:id:sgln:4012345.00001.0", 1},
    {"EQ_readPoint_example:gate=north", 1},
    {"EQ_bizTransaction_po=urn:epcglobal:cbv:bt:4012345000009:po-1", 1},
    {"EQ_bizTransaction_inv=urn:epcglobal:cbv:bt:4012345000009:po-1", 0},
    {"EQ_source_owning_party=https://id.gs1.org/417/4012345000009", 1},
    {"EQ_destination_location=urn:epc:id:sgln:0614141.00000.0", 1},
    {"MATCH_epc=https://id.gs1.org/01/04012345778892/21/25", 3},
    {"MATCH_epc=urn:epc:id:sgtin:4012345.077889.26", 1},
    {"MATCH_epc=urn:epc:idpat:sgtin:4012345.*.*", 3},
    {"MATCH_epc=urn:epc:idpat:sgtin:4012345.077889.*", 3},
    {"MATCH_epc=urn:epc:idpat:sgtin:4012345.177889.*", 0},
    {"MATCH_epc=urn:epc:idpat:sgtin:4012346.*.*", 0},
    {"MATCH_epc=urn:epc:id:sscc:4012345.0000000111", 0},
    {"MATCH_anyEPC=urn:epc:id:sscc:4012345.0000000111", 2},
    {"MATCH_parentID=urn:epc:idpat:sscc:4012345.*", 2},
    {"MATCH_epcClass=urn:epc:class:lgtin:4012345.012345.998877", 1},
    {"MATCH_inputEPCClass=urn:epc:class:lgtin:4012345.012345.998877", 0},
    {"MATCH_anyEPCClass=urn:epc:class:lgtin:4012345.012345.998877", 1},
    {"EQ_quantity=200", 1},
    {"GT_quantity=200", 0},
    {"GE_quantity_KGM=200.0", 1},
    {"GE_quantity_LBR=1", 0},
    {"EQ_eventID=urn:uuid:1", 1},
    {"EXISTS_errorDeclaration=true", 2},
    {"EXISTS_errorDeclaration=false", 1},
    {"EQ_errorReason=did_not_occur", 2},
    {"EQ_correctiveEventID=urn:uuid:9", 2},
    {"GE_errorDeclarationTime=2026-01-01T00:00:00Z", 2},
    {"GE_errorDeclaration_Time=2026-03-01T00:00:00Z", 0},
    {"EXISTS_sensorElementList=true", 1},
    {"EQ_type=Temperature", 1},
    {"EQ_type=gs1:Temperature", 1},
    {"EQ_deviceID=urn:epc:id:giai:4000001.111", 1},
    {"GE_value_CEL=25", 1},
    {"LT_value_CEL=25", 0},
    {"GE_value_FAH=25", 0},
    {"EQ_booleanValue=true", 1},
    {"GE_time=2026-11-22T10:00:00Z", 1},
    {"EQ_SENSORREPORT_example:note=warm", 1},
    {"EQ_example:note=warm", 0},
    {"EQ_ILMD_ex:harvest=2026-11-20T00:00:00Z", 1},
    {"GE_ILMD_example:harvest=2026-11-19T23:00:00-01:00", 1},
    {"EQ_INNER_ILMD_example:field=7", 1},
    {"EQ_ILMD_example:field=7", 0},
    {"EXISTS_ILMD_example:farm=true", 1},
    {"EQ_example:weight=1.5", 1},
    {"GT_example:weight=1.49", 1},
    {"LE_example:weight=1.4", 0},
    {"EXISTS_example:outer=true", 1},
    {"EQ_INNER_example:inside=four", 1},
    {"GT_INNER_example:inside=2", 1},
    {"EQ_bizStep=shipping&EQ_action=ADD", 0},
};

static void each_parameter_finds_what_it_says(void **state) {
	struct arena arena;
	struct event_terms terms[2];
	(void)state;
	arena_init(&arena);
	make_terms(&terms[0], &arena, object_event);
	make_terms(&terms[1], &arena, corrected_event);
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		enum epcis_exception exception;
		struct event_query query;
		struct err err;
		if (read_query(&query, &arena, questions[i].query, &exception, &err) != STATUS_OK)
			fail_msg("%s: %s", questions[i].query, err.message);
		const unsigned found = event_query_meets(&query, &terms[0]) + 2u * event_query_meets(&query, &terms[1]);
		if (found != questions[i].finds)
			fail_msg("%s finds %u, not %u", questions[i].query, found, questions[i].finds);
	}
	arena_fini(&arena);
}

static const struct {
	const char *query;
	enum epcis_exception exception;
} refused[] = {
    {"EQ_action=MOVE", EPCIS_QUERY_PARAMETER},
    {"eventType=PackEvent", EPCIS_QUERY_PARAMETER},
    {"GE_eventTime=2026-11-22", EPCIS_QUERY_PARAMETER},
    {"GE_eventTime=2026-02-30T00:00:00Z", EPCIS_QUERY_PARAMETER},
    {"GE_eventTime=2026-01-01T00:00:00Z|2027-01-01T00:00:00Z", EPCIS_QUERY_PARAMETER},
    {"EQ_eventTime=2026-01-01T00:00:00Z", EPCIS_QUERY_PARAMETER},
    {"GT_quantity=many", EPCIS_QUERY_PARAMETER},
    {"EQ_bizStep", EPCIS_QUERY_PARAMETER},
    {"EQ_bizStep=", EPCIS_QUERY_PARAMETER},
    {"EQ_bizStep=a||b", EPCIS_QUERY_PARAMETER},
    {"bizStep=shipping", EPCIS_QUERY_PARAMETER},
    {"EQ_teleport=1", EPCIS_QUERY_PARAMETER},
    {"EQ_unknown:field=1", EPCIS_QUERY_PARAMETER},
    {"EQ_value_C=1", EPCIS_QUERY_PARAMETER},
    {"orderBy=bizStep", EPCIS_QUERY_PARAMETER},
    {"orderDirection=UP", EPCIS_QUERY_PARAMETER},
    {"eventCountLimit=5", EPCIS_QUERY_PARAMETER},
    {"orderBy=eventTime&eventCountLimit=5&maxEventCount=5", EPCIS_QUERY_PARAMETER},
    {"maxEventCount=0", EPCIS_QUERY_PARAMETER},
    {"maxEventCount=-1", EPCIS_QUERY_PARAMETER},
    {"EXISTS_errorDeclaration=maybe", EPCIS_QUERY_PARAMETER},
    {"HASATTR_example:a=b", EPCIS_NOT_IMPLEMENTED},
};

static void what_is_no_query_is_refused_by_its_exception(void **state) {
	struct arena arena;
	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		enum epcis_exception exception = EPCIS_EXCEPTION_COUNT;
		struct event_query query;
		struct err err;
		assert_int_equal(read_query(&query, &arena, refused[i].query, &exception, &err), STATUS_INVALID);
		if (exception != refused[i].exception) fail_msg("%s: %s", refused[i].query, err.message);
	}
	arena_fini(&arena);
}

static void a_query_in_json_is_the_same_query(void **state) {
	struct arena arena;
	struct event_terms terms;
	const struct json *object;
	enum epcis_exception exception;
	struct event_query query = {0};
	struct err err;
	(void)state;
	arena_init(&arena);
	make_terms(&terms, &arena, object_event);
	assert_ok(json_parse(&object, &arena,
		      BYTES_LITERAL(
			  "{\"@context\":{\"mine\":\"https://ns.example.com/epcis/\"},\"eventType\":[\"ObjectEvent\"],"
			  "\"GT_mine:weight\":1.2,\"EQ_bizStep\":[\"shipping\",\"storing\"],\"GE_eventTime\":"
			  "\"2026-01-01T00:00:00Z\",\"EXISTS_sensorElementList\":null,\"EQ_quantity\":[200],"
			  "\"orderBy\":\"eventTime\",\"orderDirection\":\"ASC\",\"eventCountLimit\":10}"),
		      NULL, &err),
	    &err);
	assert_ok(event_query_add_all(&query, &arena, NULL, object, &exception, &err), &err);
	assert_ok(event_query_check(&query, &exception, &err), &err);
	assert_true(event_query_meets(&query, &terms));
	assert_true(query.is_ascending && query.order == EVENT_QUERY_BY_EVENT_TIME && query.limit == 10);
	arena_fini(&arena);
}

static void more_values_than_the_limit_are_too_complex(void **state) {
	struct arena arena;
	struct bytes values[EVENT_QUERY_OPERANDS_MAX + 1];
	enum epcis_exception exception;
	struct event_query query = {0};
	struct err err;
	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i <= EVENT_QUERY_OPERANDS_MAX; i++)
		values[i] = BYTES_LITERAL("urn:epc:idpat:sgtin:4012345.*.*");
	assert_ok(event_query_add(&query, &arena, NULL, BYTES_LITERAL("MATCH_epc"), values, EVENT_QUERY_OPERANDS_MAX,
		      &exception, &err),
	    &err);
	assert_int_equal(event_query_add(&query, &arena, NULL, BYTES_LITERAL("MATCH_epc"), values,
			     EVENT_QUERY_OPERANDS_MAX + 1, &exception, &err),
	    STATUS_INVALID);
	assert_int_equal(exception, EPCIS_QUERY_TOO_COMPLEX);
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_parameter_finds_what_it_says),
	    cmocka_unit_test(what_is_no_query_is_refused_by_its_exception),
	    cmocka_unit_test(a_query_in_json_is_the_same_query),
	    cmocka_unit_test(more_values_than_the_limit_are_too_complex)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
