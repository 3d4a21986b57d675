/* GET /records/{id}: read as by `record read`. */
#include <stdio.h>

#include "base/http_reply.h"
#include "base/http_uri.h"
#include "base/log.h"
#include "codec/hex.h"
#include "health/consent/consent.h"
#include "health/gateway/gateway_private.h"
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

static enum status read_into(struct gateway *gateway, struct http_exchange *exchange, struct arena *arena,
    const hash32 *id, uint32_t part, struct err *err) {
	struct actor_request request = {0};
	struct record_opened record;
	enum status status = gateway_begin(gateway, &request, arena, err);
	if (status == STATUS_OK) status = record_read(&request, &record, id, part, &consent_released_keys, err);
	if (status == STATUS_OK) write_record(&exchange->response, &record, part);
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
		enum status status = read_into(gateway, exchange, &arena, &id, part, &err);
		if (status == STATUS_OK)
			atomic_fetch_add(&gateway->records_read, 1);
		else
			gateway_answer_failure(&exchange->response, status, &err);
		if (status == STATUS_INTERNAL || status == STATUS_CORRUPT)
			log_error("gateway", "reading a record: %s", err.message);
	} else {
		http_problem(&exchange->response, 400, "part", "part is a number from 1");
	}
	arena_fini(&arena);
}
