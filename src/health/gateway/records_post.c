/*
 * POST /records?folder=0x…: a FHIR document is sealed and registered as by `record add`, and the answer comes after its
 * receipt. No thread waits meanwhile:
 *
 *     the server's thread   defers the exchange
 *     a worker              checks, seals, puts the blobs, hands the record to the outbox      (seal)
 *     the outbox's thread   learns what became of it                                           (completed)
 *     a worker              writes the answer, and what became of an Idempotency-Key           (finish)
 *
 * The outbox may be faster than the worker that handed the record over: whichever is second goes on.
 */
#include <stdio.h>

#include "base/http_reply.h"
#include "base/http_uri.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "health/gateway/gateway_private.h"
#include "health/records/division.h"

struct posting {
	struct gateway *gateway;
	struct http_exchange *exchange; /* deferred, and ours */
	struct arena arena;
	struct folder_list folders;
	struct record_added added[RECORD_ADDITIONS_MAX];
	struct key_claim claim;
	atomic_uint arrivals; /* of the worker that handed over, and of the outbox */
	enum outbox_end end;
	hash32 tx_hash;
	uint64_t block_number;
	enum contract_error refused_with;
};

static void answer(struct posting *posting) {
	struct http_exchange *exchange = posting->exchange;
	arena_fini(&posting->arena);
	mem_free(posting);
	http_answer(exchange);
}

/* --- the answer --- */

static void write_records(struct posting *posting) {
	struct json_writer writer = json_writer(&posting->exchange->response.body);
	bool is_done = posting->end == OUTBOX_DONE;
	json_object_begin(&writer, NULL);
	json_array_begin(&writer, "records");
	for (size_t i = 0; i < posting->folders.count; i++) {
		json_object_begin(&writer, NULL);
		json_put_hex(&writer, "record", BYTES_OF(posting->added[i].record));
		json_put_hex(&writer, "folder", BYTES_OF(posting->folders.ids[i]));
		json_put_u64(&writer, "resources", posting->added[i].resource_count);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_put_text(&writer, "state", is_done ? "registered" : "accepted");
	if (!hash32_is_zero(&posting->tx_hash)) json_put_hex(&writer, "transaction", BYTES_OF(posting->tx_hash));
	if (is_done) json_put_u64(&writer, "block", posting->block_number);
	json_object_end(&writer);
}

/* 201: it is in a block. 202: it was accepted and will be; the journal has it. */
static void answer_accepted(struct posting *posting) {
	struct http_response *response = &posting->exchange->response;
	struct buf location;
	response->status = posting->end == OUTBOX_DONE ? 201 : 202;
	response->content_type = "application/json";
	buf_init(&location, 128);
	json_put_hex(&(struct json_writer){.out = &location}, NULL, BYTES_OF(posting->added[0].record));
	/* The writer gives the id in quotes. */
	http_put_header(response, "Location", "/records/%.66s", buf_cstr(&location) + 1);
	buf_fini(&location);
	write_records(posting);
}

static void finish(void *argument) {
	struct posting *posting = argument;
	struct gateway *gateway = posting->gateway;
	struct http_response *response = &posting->exchange->response;
	bool is_accepted = posting->end == OUTBOX_DONE || posting->end == OUTBOX_KEPT;
	if (is_accepted) {
		answer_accepted(posting);
		atomic_fetch_add(&gateway->records_added, posting->folders.count);
		keys_finish(gateway->keys, &posting->claim, response->status, buf_view(&response->body));
	} else {
		gateway_answer_refusal(response, posting->refused_with);
		atomic_fetch_add(&gateway->records_refused, posting->folders.count);
		keys_drop(gateway->keys, &posting->claim);
	}
	answer(posting);
}

/* Writing to the disk is not for the outbox's thread, unless the workers are ending. */
static void arrive(struct posting *posting) {
	if (atomic_fetch_add(&posting->arrivals, 1) == 0) return;
	if (!workers_give(posting->gateway->options.workers, finish, posting)) finish(posting);
}

static void completed(void *context, const struct outbox_result *result) {
	struct posting *posting = context;
	posting->end = result->end;
	posting->tx_hash = result->receipt.tx_hash;
	posting->block_number = result->receipt.block_number;
	posting->refused_with = result->verdict.refusal.error;
	arrive(posting);
}

/* --- checking and sealing --- */

static enum status read_document(
    struct posting *posting, struct record_addition *additions, struct http_query *query, struct err *err) {
	struct fhir_document document;
	struct fhir_issues issues;
	const struct http_request *request = &posting->exchange->request;
	TRY(gateway_query(query, &posting->arena, request, err));
	TRY(folder_list_parse(&posting->folders, http_query_get(query, "folder"), err));
	fhir_issues_init(&issues, &posting->arena);
	if (!fhir_document_read(&document, &issues, request->body)) return fhir_issues_status(&issues, err);
	return record_divide(additions, &posting->arena, &document, &posting->folders, err);
}

static enum status hand_over(struct posting *posting, const struct record_addition *additions, struct err *err) {
	struct gateway *gateway = posting->gateway;
	struct actor_request request = {0};
	const struct record_listener listener = {completed, posting};
	enum status status = gateway_begin(gateway, &request, &posting->arena, err);
	if (status == STATUS_OK)
		status = record_submit(&request, posting->added, additions, posting->folders.count, &listener, err);
	if (status != STATUS_OK) posting->refused_with = request.refused_with;
	actor_request_end(&request);
	return status;
}

/* True: the work is to be done. False: the answer is written. */
static bool claim_key(struct posting *posting, const char *owner) {
	struct http_exchange *exchange = posting->exchange;
	struct http_response *response = &exchange->response;
	struct bytes key = http_header_get(&exchange->request, "idempotency-key");
	enum key_state state;
	struct key_answer earlier;
	struct err err;
	if (!key.data) return true;
	if (key.len == 0 || key.len > KEY_TEXT_MAX) {
		http_problem(response, 400, "idempotency-key", "a key has 1 to 255 characters");
		return false;
	}
	const struct bytes parts[] = {exchange->request.query, BYTES_LITERAL("\n"), exchange->request.body};
	posting->claim.name = key_name(owner, key);
	posting->claim.request = sha256_parts(parts, 3);
	enum status status =
	    keys_claim(posting->gateway->keys, &state, &posting->claim, &earlier, &posting->arena, &err);
	if (status != STATUS_OK) {
		gateway_answer_failure(response, status, &err);
		return false;
	}
	switch (state) {
	case KEY_NEW: return true;
	case KEY_ANSWERED:
		response->status = earlier.status;
		response->content_type = "application/json";
		http_put_header(response, "Idempotent-Replayed", "true");
		buf_append(&response->body, earlier.body);
		return false;
	case KEY_RUNNING:
		http_put_header(response, "Retry-After", "1");
		http_problem(response, 409, "in-progress", "a request with this key is being carried out");
		return false;
	case KEY_OTHER:
		http_problem(response, 422, "key-reused", "this key was used for another request");
		return false;
	case KEY_UNKNOWN:
		http_problem(response, 409, "outcome-unknown",
		    "the gateway ended while it accepted this request: look for it in the folder, and if it is "
		    "not there, send it with a new key");
		return false;
	}
	return false;
}

static void seal(void *argument) {
	struct posting *posting = argument;
	struct gateway *gateway = posting->gateway;
	struct http_exchange *exchange = posting->exchange;
	struct record_addition additions[RECORD_ADDITIONS_MAX];
	struct http_query query;
	struct err err = {0};
	char owner[TOKEN_NAME_MAX + 1];
	if (!http_is_wanted(exchange) || !gateway_allows(gateway, exchange, TOKEN_WRITE, owner)) {
		answer(posting);
		return;
	}
	enum status status = read_document(posting, additions, &query, &err);
	if (status == STATUS_OK && !claim_key(posting, owner)) {
		answer(posting);
		return;
	}
	if (status == STATUS_OK) status = hand_over(posting, additions, &err);
	if (status == STATUS_OK) {
		arrive(posting);
		return;
	}
	if (status == STATUS_DENIED)
		gateway_answer_refusal(&exchange->response, posting->refused_with);
	else
		gateway_answer_failure(&exchange->response, status, &err);
	if (exchange->response.status >= 500) log_warn("gateway", "adding a record: %s", status_text(status));
	atomic_fetch_add(&gateway->records_refused, 1);
	keys_drop(gateway->keys, &posting->claim);
	answer(posting);
}

void gateway_post_records(void *context, struct http_exchange *exchange) {
	struct gateway *gateway = context;
	if (!http_defer(exchange)) {
		http_put_header(&exchange->response, "Retry-After", "1");
		http_problem(&exchange->response, 503, "busy", "too many requests are being answered");
		return;
	}
	struct posting *posting = mem_zalloc(1, sizeof *posting);
	posting->gateway = gateway;
	posting->exchange = exchange;
	arena_init(&posting->arena);
	if (workers_give(gateway->options.workers, seal, posting)) return;
	http_put_header(&exchange->response, "Retry-After", "1");
	http_problem(&exchange->response, 503, "busy", "too many requests are being answered");
	answer(posting);
}
