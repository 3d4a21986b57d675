/* GET /records/{id}: read as by `record read`; or, if it is in no block, what is known of it. */
#include <stdio.h>

#include "base/http_reply.h"
#include "base/http_uri.h"
#include "base/log.h"
#include "codec/hex.h"
#include "health/consent/consent.h"
#include "health/gateway/gateway_private.h"
#include "health/gateway/record_fate.h"
#include "health/records/record.h"

/* "part" of the query: 0 if it is not there. */
static bool part_of(uint32_t *out, struct arena *arena, const struct http_exchange *exchange) {
	struct http_query query;
	*out = 0;
	if (gateway_query(&query, arena, &exchange->request, NULL) != STATUS_OK) return false;
	struct bytes text = http_query_get(&query, "part");
	if (!text.data) return true;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' || *out > RECORD_RESOURCES_MAX) return false;
		*out = *out * 10 + (uint32_t)(text.data[i] - '0');
	}
	return *out >= 1 && *out <= RECORD_RESOURCES_MAX;
}

static void write_record(struct http_response *response, const struct record_opened *record, uint32_t part) {
	response->status = 200;
	response->content_type = "application/fhir+json";
	http_put_header(response, "Cache-Control", "no-store");
	if (part)
		buf_append(&response->body, record->resources[part - 1]);
	else
		record_write_bundle(&response->body, record);
}

/* The chain has no such record: it waits, or it was refused. STATUS_NOTFOUND: nothing is known of it. */
static enum status write_fate(struct http_response *response, const hash32 *id, const struct record_fate *fate) {
	if (fate->state == RECORD_FATE_REFUSED) {
		gateway_answer_refusal(response, fate->refused_with);
		return STATUS_OK;
	}
	if (fate->state != RECORD_FATE_WAITS) return STATUS_NOTFOUND;
	struct json_writer writer = json_writer(&response->body);
	json_object_begin(&writer, NULL);
	json_put_hex(&writer, "record", BYTES_OF(*id));
	json_put_text(&writer, "state", "accepted");
	json_object_end(&writer);
	response->status = 202;
	response->content_type = "application/json";
	http_put_header(response, "Retry-After", "1");
	http_put_header(response, "Cache-Control", "no-store");
	return STATUS_OK;
}

struct reading {
	struct gateway *gateway;
	struct http_response *response;
	const hash32 *id;
	uint32_t part;                    /* 0: all */
	enum contract_error refused_with; /* of STATUS_DENIED */
};

static enum status read_opened(const struct reading *reading, struct actor_request *request, struct err *err) {
	struct record_opened record;
	TRY(record_read(request, &record, reading->id, reading->part, &consent_released_keys, err));
	write_record(reading->response, &record, reading->part);
	atomic_fetch_add(&reading->gateway->records_read, 1);
	return STATUS_OK;
}

static enum status read_into(struct reading *reading, struct arena *arena, struct err *err) {
	struct actor_request request = {0};
	struct record_fate fate = {.state = RECORD_FATE_ABSENT};
	bool waited = outbox_has(reading->gateway->outbox, reading->id);
	enum status status = gateway_begin(reading->gateway, &request, arena, err);
	if (status == STATUS_OK) status = read_opened(reading, &request, err);
	if (status == STATUS_NOTFOUND) {
		status = record_fate_find(reading->gateway, &request, &fate, reading->id, err);
		if (status == STATUS_OK && fate.state == RECORD_FATE_REGISTERED && waited) /* it is there by now */
			status = read_opened(reading, &request, err);
		else if (status == STATUS_OK)
			status = write_fate(reading->response, reading->id, &fate);
	}
	reading->refused_with = request.refused_with;
	actor_request_end(&request);
	return status;
}

void gateway_get_record(void *context, struct http_exchange *exchange) {
	struct gateway *gateway = context;
	hash32 id;
	uint32_t part;
	struct err err = {0};
	struct arena arena;
	if (!gateway_allows(gateway, exchange, TOKEN_READ, NULL)) return;
	if (hex_fixed(id.b, 32, route_param(exchange, "id")) != STATUS_OK) {
		http_problem(&exchange->response, 400, "id", "a record's id has 0x and 64 hexadecimal digits");
		return;
	}
	arena_init(&arena);
	if (part_of(&part, &arena, exchange)) {
		struct reading reading = {gateway, &exchange->response, &id, part, CONTRACT_ERROR_NONE};
		enum status status = read_into(&reading, &arena, &err);
		if (status == STATUS_DENIED)
			gateway_answer_denial(&exchange->response, &err, reading.refused_with);
		else if (status != STATUS_OK)
			gateway_answer_failure(&exchange->response, status, &err);
		if (status == STATUS_INTERNAL || status == STATUS_CORRUPT)
			log_error("gateway", "reading a record: %s", err.message);
	} else {
		http_problem(&exchange->response, 400, "part", "part is a number from 1");
	}
	arena_fini(&arena);
}
