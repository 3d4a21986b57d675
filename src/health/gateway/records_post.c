/*
 * POST /records?folder=0x…: a FHIR document is sealed and registered as by `record add`, and the answer comes after its
 * receipt. No thread waits meanwhile:
 *
 *     the server's thread   defers the exchange
 *     a worker              checks, seals, puts the blobs, hands the record to the outbox      (seal)
 *     the outbox's thread   learns what became of it                                           (completed)
 *     a worker              writes the answer, and what became of an Idempotency-Key           (finish)
 *
 * With a key, the records' ids are written down before the outbox gets them, so a request that is sent again, also
 * after kill -9, learns what became of them. The outbox may be faster than the worker that handed the record over:
 * whichever is second goes on.
 */
#include <stdio.h>

#include "base/http_reply.h"
#include "base/http_uri.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "health/gateway/gateway_private.h"
#include "health/gateway/record_fate.h"
#include "health/records/division.h"

struct posting {
	struct gateway *gateway;
	struct http_exchange *exchange; /* deferred, and ours */
	struct arena arena;
	struct folder_list folders;
	struct record_added added[RECORD_ADDITIONS_MAX];
	struct key_record records[RECORD_ADDITIONS_MAX];
	struct key_claim claim;
	atomic_uint arrivals; /* of the worker that handed over, and of the outbox */
	enum outbox_end end;
	hash32 tx_hash;
	uint64_t block_number; /* 0: it is not known */
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
		json_put_hex(&writer, "record", BYTES_OF(posting->records[i].id));
		json_put_hex(&writer, "folder", BYTES_OF(posting->records[i].folder));
		json_put_u64(&writer, "resources", posting->records[i].resource_count);
		json_object_end(&writer);
	}
	json_array_end(&writer);
	json_put_text(&writer, "state", is_done ? "registered" : "accepted");
	if (!hash32_is_zero(&posting->tx_hash)) json_put_hex(&writer, "transaction", BYTES_OF(posting->tx_hash));
	if (posting->block_number) json_put_u64(&writer, "block", posting->block_number);
	json_object_end(&writer);
}

/* 201: it is in a block. 202: it was accepted and will be; the journal has it. */
static void answer_accepted(struct posting *posting) {
	struct http_response *response = &posting->exchange->response;
	struct buf location;
	response->status = posting->end == OUTBOX_DONE ? 201 : 202;
	response->content_type = "application/json";
	buf_init(&location, 128);
	json_put_hex(&(struct json_writer){.out = &location}, NULL, BYTES_OF(posting->records[0].id));
	/* The writer gives the id in quotes. */
	http_put_header(response, "Location", "/records/%.66s", buf_cstr(&location) + 1);
	buf_fini(&location);
	write_records(posting);
}

/* An answer that is final is kept with the key; what is on its way is asked for again when the key comes back. */
static void end_claim(struct posting *posting) {
	struct keys *keys = posting->gateway->keys;
	const struct http_response *response = &posting->exchange->response;
	if (posting->end == OUTBOX_DONE)
		keys_finish(keys, &posting->claim, response->status, buf_view(&response->body));
	else
		keys_release(keys, &posting->claim);
}

/* The outbox goes on; the key still leads to the records. */
static void answer_unproved(struct posting *posting) {
	struct http_response *response = &posting->exchange->response;
	http_put_header(response, "Retry-After", "2");
	http_problem(response, 503, "not-proved", "what the node shows of it is not proved; it is kept, and goes on");
	keys_release(posting->gateway->keys, &posting->claim);
}

static void finish(void *argument) {
	struct posting *posting = argument;
	struct gateway *gateway = posting->gateway;
	bool is_accepted = posting->end == OUTBOX_DONE || posting->end == OUTBOX_KEPT;
	if (posting->end == OUTBOX_UNPROVED) {
		answer_unproved(posting);
	} else if (is_accepted) {
		answer_accepted(posting);
		atomic_fetch_add(&gateway->records_added, posting->folders.count);
		end_claim(posting);
	} else {
		gateway_answer_refusal(&posting->exchange->response, posting->refused_with);
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

/* Before the outbox gets them: after kill -9 at any moment from here on, the key leads to these records. */
static enum status named(void *context, const struct record_added *added, size_t count, struct err *err) {
	struct posting *posting = context;
	if (!http_is_wanted(posting->exchange)) return err_set(err, STATUS_TIMEOUT, "nobody waits for it any more");
	for (size_t i = 0; i < count; i++)
		posting->records[i] =
		    (struct key_record){added[i].record, posting->folders.ids[i], added[i].resource_count};
	return keys_put_records(posting->gateway->keys, &posting->claim, posting->records, count, err);
}

static enum status hand_over(struct posting *posting, const struct record_addition *additions, struct err *err) {
	struct gateway *gateway = posting->gateway;
	struct actor_request request = {0};
	const struct record_listener listener = {named, completed, posting};
	enum status status = gateway_begin(gateway, &request, &posting->arena, err);
	if (status == STATUS_OK)
		status = record_submit(&request, posting->added, additions, posting->folders.count, &listener, err);
	if (status != STATUS_OK) posting->refused_with = request.refused_with;
	actor_request_end(&request);
	return status;
}

/* --- a key that comes again --- */

static void mark_replayed(struct http_response *response) {
	http_put_header(response, "Idempotent-Replayed", "true");
}

static void answer_fate(struct posting *posting, const struct record_fate *fate) {
	struct http_response *response = &posting->exchange->response;
	mark_replayed(response);
	if (fate->state == RECORD_FATE_REFUSED) {
		gateway_answer_refusal(response, fate->refused_with);
		return;
	}
	posting->end = fate->state == RECORD_FATE_REGISTERED ? OUTBOX_DONE : OUTBOX_KEPT;
	answer_accepted(posting);
}

/* What an earlier request with this key made. *is_new: the outbox never accepted it, so it is carried out now. */
static enum status resume(struct posting *posting, bool *is_new, const struct key_answer *earlier, struct err *err) {
	struct actor_request request = {0};
	struct record_fate fate = {.state = RECORD_FATE_ABSENT};
	*is_new = false;
	if (earlier->record_count != posting->folders.count)
		return err_set(err, STATUS_CORRUPT, "a key names other records than its request makes");
	memcpy(posting->records, earlier->records, earlier->record_count * sizeof *earlier->records);
	enum status status = gateway_begin(posting->gateway, &request, &posting->arena, err);
	if (status == STATUS_OK)
		status = record_fate_find(posting->gateway, &request, &fate, &earlier->records->id, err);
	actor_request_end(&request);
	*is_new = status == STATUS_OK && fate.state == RECORD_FATE_ABSENT;
	if (status != STATUS_OK || *is_new) return status;
	answer_fate(posting, &fate);
	end_claim(posting);
	return STATUS_OK;
}

/* True: the work is to be done. False: the answer is written. */
static bool claim_key(struct posting *posting, const char *owner) {
	struct http_exchange *exchange = posting->exchange;
	struct http_response *response = &exchange->response;
	struct bytes key = http_header_get(&exchange->request, "idempotency-key");
	enum key_state state = KEY_NEW;
	struct key_answer earlier;
	struct err err;
	bool is_new = true;
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
	if (status == STATUS_OK && state == KEY_NAMED) status = resume(posting, &is_new, &earlier, &err);
	if (status != STATUS_OK) {
		keys_release(posting->gateway->keys, &posting->claim);
		gateway_answer_failure(response, status, &err);
		return false;
	}
	switch (state) {
	case KEY_NEW:
	case KEY_NAMED: return is_new;
	case KEY_ANSWERED:
		response->status = earlier.status;
		response->content_type = "application/json";
		mark_replayed(response);
		buf_append(&response->body, earlier.body);
		return false;
	case KEY_RUNNING:
		http_put_header(response, "Retry-After", "1");
		http_problem(response, 409, "in-progress", "a request with this key is being carried out");
		return false;
	case KEY_OTHER:
		http_problem(response, 422, "key-reused", "this key was used for another request");
		return false;
	}
	return false;
}

/*
 * After a failing fsync nobody knows what the journal holds until it is read again, and nothing more is accepted: the
 * key stays taken until then.
 */
static void give_key_back(struct posting *posting) {
	if (!outbox_counts(posting->gateway->outbox).is_broken) keys_drop(posting->gateway->keys, &posting->claim);
}

static void seal(void *argument) {
	struct posting *posting = argument;
	struct gateway *gateway = posting->gateway;
	struct http_exchange *exchange = posting->exchange;
	struct record_addition additions[RECORD_ADDITIONS_MAX];
	struct http_query query;
	struct err err = {0};
	char owner[ASKER_NAME_BYTES];
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
		gateway_answer_denial(&exchange->response, &err, posting->refused_with);
	else
		gateway_answer_failure(&exchange->response, status, &err);
	if (exchange->response.status >= 500) log_warn("gateway", "adding a record: %s", status_text(status));
	atomic_fetch_add(&gateway->records_refused, 1);
	give_key_back(posting);
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
