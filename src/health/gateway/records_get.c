/* GET /records/{id}: read as by `record read`; or, if it is in no block, what is known of it. */
#include <stdio.h>

#include "base/http_conditional.h"
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

struct reading {
	struct gateway *gateway;
	struct http_exchange *exchange;
	const hash32 *id;
	uint32_t part;                    /* 0: all */
	enum contract_error refused_with; /* of STATUS_DENIED */
};

/* --- entity tags and ranges --- */

/* Of the answer's form: a program that writes a record in another way has another number. */
#define FORM 1
#define ETAG_BYTES 96u

/* The root commits to every byte of the record's resources, so that the tag is a strong one. */
static void put_etag(char out[ETAG_BYTES], const hash32 *root, uint32_t part) {
	int used = snprintf(out, ETAG_BYTES, "\"%d-%u-", FORM, part);
	for (size_t i = 0; i < sizeof root->b; i++)
		used += snprintf(out + used, ETAG_BYTES - (size_t)used, "%02x", root->b[i]);
	snprintf(out + used, ETAG_BYTES - (size_t)used, "\"");
}

/*
 * Is there nothing to open, since the client has the record, or asks on a condition that does not hold? Then the answer
 * is written. The node is asked all the same, for the lead alone: it decides whether this actor may read the record
 * now, and writes the look into the access log.
 */
static enum status check_condition(
    struct actor_request *request, bool *is_answered, const struct reading *reading, struct err *err) {
	const struct http_request *http = &reading->exchange->request;
	struct http_response *response = &reading->exchange->response;
	struct record_registration registration;
	struct blob_verdict verdict;
	char etag[ETAG_BYTES];
	*is_answered = false;
	if (!http_header_get(http, "if-none-match").data && !http_header_get(http, "if-match").data) return STATUS_OK;
	TRY(record_find(request, &registration, reading->id, err));
	put_etag(etag, &registration.root, reading->part);
	const enum http_precondition condition = http_precondition_of(http, etag);
	if (condition == HTTP_PRECONDITION_MET) return STATUS_OK;
	TRY(record_probe(request, &verdict, reading->id, err));
	if (!verdict.ok) return STATUS_OK; /* reading it says why */
	*is_answered = true;
	if (condition == HTTP_PRECONDITION_FAILED) {
		http_problem(response, 412, "precondition", "the record has another entity tag");
		return STATUS_OK;
	}
	response->status = 304;
	http_put_header(response, "ETag", "%s", etag);
	http_put_header(response, "Cache-Control", "no-store");
	return STATUS_OK;
}

/* --- reading --- */

static void write_record(const struct reading *reading, struct arena *arena, const struct record_opened *record) {
	struct http_response *response = &reading->exchange->response;
	struct record_pieces pieces;
	char etag[ETAG_BYTES];
	put_etag(etag, &record->registration.root, reading->part);
	if (reading->part) {
		struct bytes *one = &record->resources[reading->part - 1];
		pieces = (struct record_pieces){one, 1, one->len};
	} else {
		record_bundle_pieces(&pieces, arena, record);
	}
	const struct http_range range = http_range_of(&reading->exchange->request, etag, pieces.len);
	http_put_header(response, "ETag", "%s", etag);
	http_put_header(response, "Cache-Control", "no-store");
	http_put_header(response, "Accept-Ranges", "bytes");
	http_put_content_range(response, &range);
	if (range.kind == HTTP_RANGE_NONE) {
		http_problem(response, 416, "range", "the record has no such bytes");
		return;
	}
	response->status = range.kind == HTTP_RANGE_PART ? 206 : 200;
	response->content_type = "application/fhir+json";
	gateway_answer_pieces(response, arena, &pieces, &range);
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

static enum status read_opened(const struct reading *reading, struct actor_request *request, struct err *err) {
	struct record_opened record;
	bool is_answered;
	TRY(check_condition(request, &is_answered, reading, err));
	if (is_answered) return STATUS_OK;
	TRY(record_read(request, &record, reading->id, reading->part, &consent_released_keys, err));
	write_record(reading, request->arena, &record);
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
			status = write_fate(&reading->exchange->response, reading->id, &fate);
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
		struct reading reading = {gateway, exchange, &id, part, CONTRACT_ERROR_NONE};
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
