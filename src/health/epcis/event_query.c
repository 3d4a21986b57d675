#include "health/epcis/event_query.h"

#include "health/gs1/epc_uri.h"

#define TEXT(view) (int)((view).len < 80 ? (view).len : 80), (view).len ? (const char *)(view).data : ""

/* --- the parameters that EPCIS names --- */

enum ops {
	OP_NONE = 1, /* the name alone */
	OP_EQ = 2,
	OP_GE = 4,
	OP_LT = 8,
	OP_GT = 16,
	OP_LE = 32,
	OP_MATCH = 64,
	OP_WD = 128,
	OP_EXISTS = 256,
	OP_ANY_NUMBER = OP_EQ | OP_GE | OP_LT | OP_GT | OP_LE,
	OP_FIELD = OP_ANY_NUMBER | OP_EXISTS
};
enum kind { PLAIN, NAME, EVENT_TYPE, ACTION, STEP, DISPOSITION, REASON, SENSOR_TYPE, EPC, NUMBER, TIME, FIELD };

struct parameter {
	const char *name;
	unsigned ops;
	enum kind kind;
	const char *keys[EVENT_QUERY_KEYS_MAX]; /* NULL: the name itself */
};
static const struct parameter parameters[] = {
    {"eventType", OP_NONE, EVENT_TYPE, {NULL}},
    {"eventTime", OP_GE | OP_LT, TIME, {NULL}},
    {"recordTime", OP_GE | OP_LT, TIME, {NULL}},
    {"errorDeclarationTime", OP_GE | OP_LT, TIME, {NULL}},
    {"errorDeclaration_Time", OP_GE | OP_LT, TIME, {"errorDeclarationTime"}},
    {"startTime", OP_GE | OP_LT, TIME, {NULL}},
    {"endTime", OP_GE | OP_LT, TIME, {NULL}},
    {"time", OP_GE | OP_LT, TIME, {NULL}},
    {"action", OP_EQ, ACTION, {NULL}},
    {"bizStep", OP_EQ, STEP, {NULL}},
    {"disposition", OP_EQ, DISPOSITION, {NULL}},
    {"persistentDisposition_set", OP_EQ, DISPOSITION, {NULL}},
    {"persistentDisposition_unset", OP_EQ, DISPOSITION, {NULL}},
    {"readPoint", OP_EQ | OP_WD, NAME, {NULL}},
    {"bizLocation", OP_EQ | OP_WD, NAME, {NULL}},
    {"transformationID", OP_EQ, NAME, {NULL}},
    {"eventID", OP_EQ, PLAIN, {NULL}},
    {"errorReason", OP_EQ, REASON, {NULL}},
    {"correctiveEventID", OP_EQ, PLAIN, {NULL}},
    {"errorDeclaration", OP_EXISTS, PLAIN, {NULL}},
    {"sensorElementList", OP_EXISTS, PLAIN, {NULL}},
    {"epc", OP_MATCH, EPC, {"epc", "childEPC"}},
    {"parentID", OP_MATCH, EPC, {"parentID"}},
    {"inputEPC", OP_MATCH, EPC, {"inputEPC"}},
    {"outputEPC", OP_MATCH, EPC, {"outputEPC"}},
    {"anyEPC", OP_MATCH, EPC, {"epc", "childEPC", "parentID", "inputEPC", "outputEPC"}},
    {"epcClass", OP_MATCH, EPC, {"epcClass", "childEPCClass"}},
    {"inputEPCClass", OP_MATCH, EPC, {"inputEPCClass"}},
    {"outputEPCClass", OP_MATCH, EPC, {"outputEPCClass"}},
    {"anyEPCClass", OP_MATCH, EPC, {"epcClass", "childEPCClass", "inputEPCClass", "outputEPCClass"}},
    {"quantity", OP_ANY_NUMBER, NUMBER, {NULL}},
    {"percRank", OP_ANY_NUMBER, NUMBER, {NULL}},
    {"type", OP_EQ, SENSOR_TYPE, {NULL}},
    {"deviceID", OP_EQ, NAME, {NULL}},
    {"dataProcessingMethod", OP_EQ, NAME, {NULL}},
    {"microorganism", OP_EQ, NAME, {NULL}},
    {"chemicalSubstance", OP_EQ, NAME, {NULL}},
    {"bizRules", OP_EQ, NAME, {NULL}},
    {"stringValue", OP_EQ, PLAIN, {NULL}},
    {"hexBinaryValue", OP_EQ, PLAIN, {NULL}},
    {"uriValue", OP_EQ, NAME, {NULL}},
    {"booleanValue", OP_EQ, PLAIN, {NULL}},
};

/* What a parameter's name says. */
struct reading {
	unsigned op;
	enum kind kind;
	struct bytes keys[EVENT_QUERY_KEYS_MAX];
	size_t key_count;
};

static bool starts(struct bytes text, const char *head) {
	return bytes_equal(bytes_slice(text, 0, strlen(head)), bytes_text(head));
}

/* The operator in front of the name, which *name then is without. */
static unsigned take_op(struct bytes *name) {
	static const struct {
		const char *text;
		unsigned op;
	} ops[] = {{"EQ_", OP_EQ}, {"GE_", OP_GE}, {"LT_", OP_LT}, {"GT_", OP_GT}, {"LE_", OP_LE}, {"MATCH_", OP_MATCH},
	    {"WD_", OP_WD}, {"EXISTS_", OP_EXISTS}};
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (starts(*name, ops[i].text)) {
			*name = bytes_slice(*name, strlen(ops[i].text), name->len);
			return ops[i].op;
		}
	return OP_NONE;
}

static bool read_named(struct reading *out, struct bytes name) {
	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
		const struct parameter *parameter = &parameters[i];
		if (!bytes_equal(name, bytes_text(parameter->name)) || !(parameter->ops & out->op)) continue;
		out->kind = parameter->kind;
		if (!parameter->keys[0]) out->keys[out->key_count++] = bytes_text(parameter->name);
		for (size_t k = 0; k < EVENT_QUERY_KEYS_MAX && parameter->keys[k]; k++)
			out->keys[out->key_count++] = bytes_text(parameter->keys[k]);
		return true;
	}
	return false;
}

/* "bizTransaction_po", "source_owning_party": a type that is CBV's, or a name. */
static bool read_typed(struct reading *out, struct arena *arena, const struct json *context, struct bytes name) {
	static const struct {
		const char *head;
		enum event_terms_vocabulary vocabulary;
	} typed[] = {{"bizTransaction_", EVENT_TERMS_TRANSACTION_TYPES}, {"source_", EVENT_TERMS_PARTY_TYPES},
	    {"destination_", EVENT_TERMS_PARTY_TYPES}};
	for (size_t i = 0; i < sizeof typed / sizeof *typed && out->op == OP_EQ; i++) {
		const size_t len = strlen(typed[i].head);
		if (!starts(name, typed[i].head) || name.len == len) continue;
		const struct bytes type =
		    event_terms_word(arena, context, typed[i].vocabulary, bytes_slice(name, len, name.len));
		out->kind = NAME;
		out->keys[out->key_count++] =
		    bytes_text(arena_printf(arena, "%s%.*s", typed[i].head, (int)type.len, (const char *)type.data));
		return true;
	}
	return false;
}

/* "value_CEL" */
static bool read_measure(struct reading *out, struct bytes name) {
	static const char *const heads[] = {
	    "value_", "quantity_", "minValue_", "maxValue_", "meanValue_", "sDev_", "percValue_"};
	for (size_t i = 0; i < sizeof heads / sizeof *heads && (out->op & OP_ANY_NUMBER); i++) {
		const struct bytes unit = bytes_slice(name, strlen(heads[i]), name.len);
		bool is_unit = starts(name, heads[i]) && unit.len >= 2 && unit.len <= 4;
		for (size_t k = 0; is_unit && k < unit.len; k++)
			is_unit = (unit.data[k] >= 'A' && unit.data[k] <= 'Z') ||
				  (unit.data[k] >= '0' && unit.data[k] <= '9');
		if (!is_unit) continue;
		out->kind = NUMBER;
		out->keys[out->key_count++] = name;
		return true;
	}
	return false;
}

/* "INNER_ILMD_example:part" */
static bool read_field(struct reading *out, struct arena *arena, const struct json *context, struct bytes name) {
	static const char *const areas[] = {"ILMD_", "ERROR_DECLARATION_", "SENSORELEMENT_", "SENSORMETADATA_",
	    "SENSORREPORT_", "readPoint_", "bizLocation_"};
	const char *inner = starts(name, "INNER_") ? "INNER_" : "", *area = "";
	name = bytes_slice(name, strlen(inner), name.len);
	for (size_t i = 0; i < sizeof areas / sizeof *areas && !*area; i++)
		if (starts(name, areas[i])) area = areas[i];
	name = bytes_slice(name, strlen(area), name.len);
	out->keys[0] = event_terms_field(arena, context, arena_printf(arena, "%s%s", inner, area), name);
	out->key_count = 1;
	out->kind = FIELD;
	return (out->op & OP_FIELD) && out->keys[0].data;
}

/* --- values --- */

/* Which thread of reading a parameter is at. */
struct reader {
	struct event_query *query;
	struct arena *arena;
	const struct json *context;
	struct bytes name; /* the whole parameter's, for messages */
	enum epcis_exception *exception;
	struct err *err;
};

static enum status refuse(const struct reader *reader, const char *why) {
	*reader->exception = EPCIS_QUERY_PARAMETER;
	return err_set(reader->err, STATUS_INVALID, "%.*s %s", TEXT(reader->name), why);
}

static bool is_one_of(struct bytes text, const char *const *words) {
	for (; *words; words++)
		if (bytes_equal(text, bytes_text(*words))) return true;
	return false;
}

static enum status read_operand(
    const struct reader *reader, struct event_query_operand *out, enum kind kind, struct bytes text) {
	static const char *const actions[] = {"ADD", "OBSERVE", "DELETE", NULL};
	static const char *const types[] = {
	    "ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent", NULL};
	struct arena *arena = reader->arena;
	*out = (struct event_query_operand){.text = text};
	switch (kind) {
	case NUMBER:
	case TIME:
		out->text = (struct bytes){NULL, 0};
		out->has_number =
		    kind == TIME ? event_terms_time(&out->number, text) : event_terms_number(&out->number, text);
		if (out->has_number) return STATUS_OK;
		return refuse(reader, kind == TIME ? "takes a time with its zone, as 2026-11-22T12:00:00.000Z"
						   : "takes a decimal number");
	case ACTION:
		if (is_one_of(text, actions)) return STATUS_OK;
		return refuse(reader, "takes ADD, OBSERVE or DELETE");
	case EVENT_TYPE:
		if (!is_one_of(text, types) && !memchr(text.data, ':', text.len))
			return refuse(reader, "takes ObjectEvent, AggregationEvent, TransactionEvent, "
					      "TransformationEvent, AssociationEvent, or an extension's whole name");
		out->text = event_terms_name(arena, reader->context, text);
		return STATUS_OK;
	case STEP: out->text = event_terms_word(arena, reader->context, EVENT_TERMS_STEPS, text); return STATUS_OK;
	case DISPOSITION:
		out->text = event_terms_word(arena, reader->context, EVENT_TERMS_DISPOSITIONS, text);
		return STATUS_OK;
	case REASON:
		out->text = event_terms_word(arena, reader->context, EVENT_TERMS_ERROR_REASONS, text);
		return STATUS_OK;
	case SENSOR_TYPE:
		out->text = event_terms_word(arena, reader->context, EVENT_TERMS_SENSOR_TYPES, text);
		return STATUS_OK;
	case FIELD: out->has_number = event_terms_number(&out->number, text) || event_terms_time(&out->number, text);
	/* fall through */
	case NAME:
	case EPC: out->text = event_terms_name(arena, reader->context, text); return STATUS_OK;
	case PLAIN: return STATUS_OK;
	}
	return STATUS_OK;
}

/* One value as operands: several, if it is a pattern, or says "within". */
static enum status add_operands(
    const struct reader *reader, struct event_query_condition *out, const struct reading *reading, struct bytes text) {
	size_t count = 0;
	const char *const *begun = NULL;
	if (!text.len) return refuse(reader, "has an empty value");
	TRY(read_operand(reader, &out->operands[out->operand_count], reading->kind, text));
	const struct bytes first = out->operands[out->operand_count++].text;
	if (reading->kind == EPC) begun = epc_uri_pattern(reader->arena, &count, text);
	for (size_t i = 0; begun && i < count; i++)
		out->operands[out->operand_count++] =
		    (struct event_query_operand){.text = bytes_text(begun[i]), .is_start = true};
	if (reading->op == OP_WD)
		out->operands[out->operand_count++] = (struct event_query_operand){
		    .text =
			bytes_text(arena_printf(reader->arena, "%.*s/254/", (int)first.len, (const char *)first.data)),
		    .is_start = true};
	return STATUS_OK;
}

static enum event_query_compare compare_of(unsigned op) {
	switch (op) {
	case OP_GE: return EVENT_QUERY_GREATER_OR_EQUAL;
	case OP_GT: return EVENT_QUERY_GREATER;
	case OP_LE: return EVENT_QUERY_LESS_OR_EQUAL;
	case OP_LT: return EVENT_QUERY_LESS;
	case OP_EXISTS: return EVENT_QUERY_EXISTS;
	default: return EVENT_QUERY_EQUAL;
	}
}

/* "true", "false"; a query's JSON may also have a number or null, which mean that it is there. */
static enum status read_existence(
    const struct reader *reader, struct event_query_condition *out, const struct bytes *values, size_t count) {
	const struct bytes value = count ? values[0] : BYTES_LITERAL("true");
	if (count > 1) return refuse(reader, "takes one value: true or false");
	if (bytes_equal(value, BYTES_LITERAL("false")))
		out->compare = EVENT_QUERY_ABSENT;
	else if (!bytes_equal(value, BYTES_LITERAL("true")) && !json_is_number(value) && value.len)
		return refuse(reader, "takes true or false");
	return STATUS_OK;
}

static enum status add_condition(
    const struct reader *reader, const struct reading *reading, const struct bytes *values, size_t count) {
	struct event_query *query = reader->query;
	const bool is_range = reading->op & (OP_GE | OP_GT | OP_LE | OP_LT);
	if (query->count == EVENT_QUERY_CONDITIONS_MAX || count > EVENT_QUERY_OPERANDS_MAX) {
		*reader->exception = EPCIS_QUERY_TOO_COMPLEX;
		return err_set(reader->err, STATUS_INVALID,
		    "a query has at most %u parameters, each of at most %u values", EVENT_QUERY_CONDITIONS_MAX,
		    EVENT_QUERY_OPERANDS_MAX);
	}
	struct event_query_condition *out = &query->conditions[query->count];
	*out = (struct event_query_condition){.key_count = reading->key_count, .compare = compare_of(reading->op)};
	memcpy(out->keys, reading->keys, sizeof out->keys);
	if (reading->op == OP_EXISTS) {
		TRY(read_existence(reader, out, values, count));
	} else {
		if (!count) return refuse(reader, "has no value");
		if (is_range && count > 1) return refuse(reader, "takes one value");
		out->operands = arena_zalloc(reader->arena, count * (EPC_URI_STARTS_MAX + 1), sizeof *out->operands);
		for (size_t i = 0; i < count; i++) TRY(add_operands(reader, out, reading, values[i]));
		if (is_range && !out->operands[0].has_number) return refuse(reader, "takes a number or a time");
	}
	query->count++;
	return STATUS_OK;
}

/* --- controls --- */

static bool read_count(uint64_t *out, struct bytes text) {
	*out = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' || *out > UINT32_MAX) return false;
		*out = *out * 10 + (uint64_t)(text.data[i] - '0');
	}
	return text.len > 0 && *out > 0;
}

static enum status read_order(const struct reader *reader, struct bytes value) {
	struct event_query *query = reader->query;
	query->is_ordered = true;
	query->order = EVENT_QUERY_BY_FIELD;
	if (bytes_equal(value, BYTES_LITERAL("recordTime")))
		query->order = EVENT_QUERY_BY_RECORD_TIME;
	else if (bytes_equal(value, BYTES_LITERAL("eventTime")))
		query->order = EVENT_QUERY_BY_EVENT_TIME;
	else
		query->order_key = event_terms_field(reader->arena, reader->context, "", value);
	if (query->order != EVENT_QUERY_BY_FIELD || query->order_key.data) return STATUS_OK;
	return refuse(reader, "takes eventTime, recordTime, or the name of an extension's field whose prefix is known");
}

/* *found false: the parameter is not one of these. */
static enum status read_control(const struct reader *reader, bool *found, const struct bytes *values, size_t count) {
	struct event_query *query = reader->query;
	const struct bytes name = reader->name, value = count ? values[0] : (struct bytes){NULL, 0};
	const bool is_limit = bytes_equal(name, BYTES_LITERAL("eventCountLimit"));
	const bool is_max = bytes_equal(name, BYTES_LITERAL("maxEventCount"));
	const bool is_order = bytes_equal(name, BYTES_LITERAL("orderBy"));
	*found = is_limit || is_max || is_order || bytes_equal(name, BYTES_LITERAL("orderDirection"));
	if (!*found) return STATUS_OK;
	if (count != 1) return refuse(reader, "takes one value");
	if (is_limit || is_max)
		return read_count(is_limit ? &query->limit : &query->max, value)
			   ? STATUS_OK
			   : refuse(reader, "takes a number of at least 1");
	if (is_order) return read_order(reader, value);
	query->is_ascending = bytes_equal(value, BYTES_LITERAL("ASC"));
	if (query->is_ascending || bytes_equal(value, BYTES_LITERAL("DESC"))) return STATUS_OK;
	return refuse(reader, "takes ASC or DESC");
}

/* --- adding --- */

enum status event_query_add(struct event_query *query, struct arena *arena, const struct json *context,
    struct bytes name, const struct bytes *values, size_t count, enum epcis_exception *exception, struct err *err) {
	const struct reader reader = {query, arena, context, name, exception, err};
	struct reading reading = {0};
	struct bytes rest = name;
	bool found;
	TRY(read_control(&reader, &found, values, count));
	if (found) return STATUS_OK;
	reading.op = take_op(&rest);
	found = read_named(&reading, rest) || read_typed(&reading, arena, context, rest) ||
		read_measure(&reading, rest) || read_field(&reading, arena, context, rest);
	if (found) return add_condition(&reader, &reading, values, count);
	if (memchr(rest.data, ':', rest.len) && (reading.op & OP_FIELD))
		return refuse(&reader, "has a prefix that nothing defines: give it in GS1-Extensions, or in @context");
	if (starts(name, "HASATTR_") || starts(name, "EQ_ATTR_") || starts(name, "EQATTR_")) {
		*exception = EPCIS_NOT_IMPLEMENTED;
		return err_set(
		    err, STATUS_INVALID, "%.*s: attributes of master data are not asked for yet", TEXT(name));
	}
	return refuse(&reader, "is not a parameter of EPCIS's queries");
}

/* Each value of a parameter in JSON as a text. */
static size_t texts_of(struct bytes *out, const struct json *value) {
	size_t count = 0;
	if (json_is(value, JSON_ARRAY)) {
		json_foreach (item, value) out[count++] = json_is(item, JSON_STRING) ? item->text : item->raw;
	} else if (!json_is(value, JSON_NULL)) {
		out[count++] = json_is(value, JSON_STRING) ? value->text : value->raw;
	}
	return count;
}

enum status event_query_add_all(struct event_query *query, struct arena *arena, const struct json *context,
    const struct json *object, enum epcis_exception *exception, struct err *err) {
	const struct json *own = json_get(object, "@context");
	*exception = EPCIS_QUERY_VALIDATION;
	if (!json_is(object, JSON_OBJECT)) return err_set(err, STATUS_INVALID, "a query is an object of parameters");
	json_foreach (member, object) {
		if (member == own) continue;
		struct bytes *values = arena_zalloc(arena, member->count + 1, sizeof *values);
		if (json_is(member, JSON_OBJECT))
			return err_set(
			    err, STATUS_INVALID, "%.*s is an object, and a parameter has values", TEXT(member->name));
		json_foreach (item, member)
			if (json_is(item, JSON_ARRAY) || json_is(item, JSON_OBJECT))
				return err_set(
				    err, STATUS_INVALID, "%.*s has a value that is not a text", TEXT(member->name));
		const size_t count = texts_of(values, member);
		TRY(event_query_add(query, arena, own ? own : context, member->name, values, count, exception, err));
	}
	return STATUS_OK;
}

enum status event_query_check(const struct event_query *query, enum epcis_exception *exception, struct err *err) {
	*exception = EPCIS_QUERY_PARAMETER;
	if (query->limit && query->max)
		return err_set(err, STATUS_INVALID, "eventCountLimit and maxEventCount exclude each other");
	if (query->limit && !query->is_ordered) return err_set(err, STATUS_INVALID, "eventCountLimit needs orderBy");
	return STATUS_OK;
}

void event_query_require_any(
    struct event_query *query, struct arena *arena, const char *const *keys, struct bytes text) {
	BUG_ON(query->count == EVENT_QUERY_CONDITIONS_MAX + EVENT_QUERY_OWN_MAX);
	struct event_query_condition *out = &query->conditions[query->count++];
	*out = (struct event_query_condition){.operand_count = 1};
	for (; *keys && out->key_count < EVENT_QUERY_KEYS_MAX; keys++) out->keys[out->key_count++] = bytes_text(*keys);
	out->operands = arena_zalloc(arena, 1, sizeof *out->operands);
	out->operands[0].text = text;
}

void event_query_require(struct event_query *query, struct arena *arena, const char *key, struct bytes text) {
	const char *const keys[] = {key, NULL};
	event_query_require_any(query, arena, keys, text);
}

/* --- judging an event --- */

static bool fits(
    const struct event_query_operand *operand, enum event_query_compare compare, const struct event_term *term) {
	const bool is_number = !term->text.data;
	if (compare == EVENT_QUERY_EQUAL && !is_number && operand->text.data)
		return operand->is_start ? bytes_equal(bytes_slice(term->text, 0, operand->text.len), operand->text)
					 : bytes_equal(term->text, operand->text);
	if (!is_number || !operand->has_number) return false;
	switch (compare) {
	case EVENT_QUERY_EQUAL: return term->number == operand->number;
	case EVENT_QUERY_LESS: return term->number < operand->number;
	case EVENT_QUERY_LESS_OR_EQUAL: return term->number <= operand->number;
	case EVENT_QUERY_GREATER: return term->number > operand->number;
	case EVENT_QUERY_GREATER_OR_EQUAL: return term->number >= operand->number;
	case EVENT_QUERY_EXISTS:
	case EVENT_QUERY_ABSENT: break;
	}
	return false;
}

static bool holds(const struct event_query_condition *condition, const struct event_terms *terms) {
	for (size_t i = 0; i < terms->count; i++) {
		const struct event_term *term = &terms->list[i];
		bool is_meant = false;
		for (size_t k = 0; k < condition->key_count; k++)
			is_meant |= bytes_equal(condition->keys[k], term->key);
		if (!is_meant) continue;
		if (condition->compare == EVENT_QUERY_EXISTS || condition->compare == EVENT_QUERY_ABSENT)
			return condition->compare == EVENT_QUERY_EXISTS;
		for (size_t k = 0; k < condition->operand_count; k++)
			if (fits(&condition->operands[k], condition->compare, term)) return true;
	}
	return condition->compare == EVENT_QUERY_ABSENT;
}

bool event_query_meets(const struct event_query *query, const struct event_terms *terms) {
	for (size_t i = 0; i < query->count; i++)
		if (!holds(&query->conditions[i], terms)) return false;
	return true;
}
