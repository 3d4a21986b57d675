#include "health/gateway/gateway.h"

#include <ctype.h>
#include <stdio.h>

#include "base/http_reply.h"
#include "base/log.h"
#include "health/contracts/cause.h"
#include "health/fhir/bundle.h"
#include "health/gateway/gateway_private.h"
#include "health/gateway/record_fate.h"
#include "health/gateway/who.h"

#define REQUEST_ID_MAX 64u
#define REQUEST_ID_FIELD "X-Request-Id: "

const struct route gateway_routes[] = {
    ROUTE(HTTP_POST, "/records", gateway_post_records, "seal a FHIR document into a folder, and register it",
	.accepts = "application/fhir+json, application/json", .gzip = HTTP_GZIP_BODIES,
	.limits = {.large_body_max = FHIR_DOCUMENT_MAX, .large_at_once = 4}),
    ROUTE(HTTP_GET, "/records/{id}", gateway_get_record,
	"open a record: a FHIR Bundle, or one part of it; 202: it is in no block yet", .waits = true,
	.gzip = HTTP_GZIP_ANSWERS),
};
const size_t gateway_route_count = sizeof gateway_routes / sizeof *gateway_routes;

struct gateway *gateway_new(const struct gateway_options *options) {
	struct gateway *gateway = mem_zalloc(1, sizeof *gateway);
	gateway->options = *options;
	BUG_ON(actor_outbox(options->actor, &gateway->outbox, NULL) != STATUS_OK);
	outbox_set_witness(gateway->outbox, &(struct outbox_witness){record_fate_note_refusal, gateway});
	gateway->files = outcomes_new(actor_home(options->actor), options->clock);
	gateway->keys = keys_new(gateway->files, options->threads);
	gateway->tokens_lock = options->threads->monitor_new(options->threads->context);
	arena_init(&gateway->tokens_arena);
	arena_init(&gateway->organisations_arena);
	return gateway;
}

void gateway_free(struct gateway *gateway) {
	if (!gateway) return;
	keys_free(gateway->keys);
	outcomes_free(gateway->files);
	gateway->options.threads->monitor_free(gateway->tokens_lock);
	arena_fini(&gateway->tokens_arena);
	arena_fini(&gateway->organisations_arena);
	mem_free(gateway);
}

void gateway_forget(struct gateway *gateway) {
	outcomes_forget(gateway->files);
}

struct gateway_counts gateway_counts(const struct gateway *gateway) {
	return (struct gateway_counts){atomic_load(&gateway->records_added), atomic_load(&gateway->records_read),
	    atomic_load(&gateway->records_refused)};
}

/* --- ids of requests --- */

static bool is_short_word(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (!isalnum(text.data[i]) && text.data[i] != '-' && text.data[i] != '_' && text.data[i] != '.')
			return false;
	return text.len > 0 && text.len <= REQUEST_ID_MAX;
}

void gateway_admit(struct gateway *gateway, struct http_exchange *exchange, bool is_open) {
	struct bytes given = http_header_get(&exchange->request, "x-request-id");
	if (is_short_word(given)) {
		http_put_header(&exchange->response, "X-Request-Id", "%.*s", (int)given.len, (const char *)given.data);
	} else {
		uint8_t id[8];
		random_fill(gateway->options.random, id, sizeof id);
		http_put_header(&exchange->response, "X-Request-Id", "%016llx", (unsigned long long)load_be64(id));
	}
	if (!is_open && !who_is_open(exchange->request.path)) who_admit(gateway, exchange);
}

struct bytes gateway_request_id(const struct http_exchange *exchange) {
	struct bytes fields = buf_view(&exchange->response.headers);
	const struct bytes field = BYTES_LITERAL(REQUEST_ID_FIELD);
	if (!bytes_equal(bytes_slice(fields, 0, field.len), field)) return (struct bytes){NULL, 0};
	const uint8_t *end = memchr(fields.data, '\r', fields.len);
	size_t len = end ? (size_t)(end - fields.data) - field.len : 0;
	return bytes_slice(fields, field.len, len);
}

/* --- what the handlers begin with --- */

enum status gateway_begin(
    struct gateway *gateway, struct actor_request *request, struct arena *arena, struct err *err) {
	uint64_t deadline_ms = clock_now_ms(gateway->options.clock) + gateway->options.request_ms;
	TRY(actor_request_begin(gateway->options.actor, request, arena, deadline_ms, err));
	enum status status = request_check_chain(request, err);
	if (status != STATUS_DENIED) return status;
	log_warn("gateway", "the chain is not believed: %s", err->message);
	return STATUS_IO;
}

enum status gateway_query(
    struct http_query *out, struct arena *arena, const struct http_request *request, struct err *err) {
	TRY(http_query_parse(out, arena, request->query, err));
	for (size_t i = 0; i < out->count; i++)
		for (size_t j = 0; j < i; j++)
			if (bytes_equal(out->items[i].name, out->items[j].name))
				return err_set(err, STATUS_INVALID, "the query has a parameter twice");
	return STATUS_OK;
}

struct bytes gateway_base(
    struct arena *arena, const struct http_exchange *exchange, const char *said, const char *path) {
	const struct http_peer *peer = exchange->request.peer;
	const struct bytes host = http_header_get(&exchange->request, "host");
	if (said) return bytes_text(said);
	return bytes_text(arena_printf(arena, "%s://%.*s%s", peer && peer->is_tls ? "https" : "http",
	    host.len ? (int)host.len : 9, host.len ? (const char *)host.data : "localhost", path));
}

/* --- failures --- */

/* "NotAllowedToWrite": not-allowed-to-write. */
static void put_code(char *out, size_t size, const char *name) {
	size_t used = 0;
	for (; *name && used + 3 <= size; name++) {
		if (isupper((unsigned char)*name) && used) out[used++] = '-';
		out[used++] = (char)tolower((unsigned char)*name);
	}
	out[used] = 0;
}

void gateway_answer_refusal(struct http_response *response, enum contract_error error) {
	char code[64], detail[256];
	if (error <= CONTRACT_ERROR_PANIC) {
		http_problem(response, 403, "refused", "the chain, the node or the folder's keys refuse it");
		return;
	}
	put_code(code, sizeof code, contract_error_name(error));
	snprintf(detail, sizeof detail, "the contract refuses it: %s", contract_error_text(error));
	http_problem(response, 403, code, detail);
}

void gateway_answer_denial(struct http_response *response, const struct err *err, enum contract_error refused_with) {
	static const struct {
		const char *code, *detail;
	} causes[CAUSE_COUNT] = {
	    [CAUSE_KEY_CHANGED] = {"key-changed", "an actor's key is not the one that this organisation has seen"},
	    [CAUSE_NOT_CONTROLLER] = {"not-controller", "this organisation does not control the folder"},
	    [CAUSE_NO_WINDOW] = {"no-window", "the node gives this record within an access window only"},
	    [CAUSE_NO_FOLDER_KEY] = {"no-folder-key", "nobody gave this organisation the folder's key"},
	    [CAUSE_EPOCH_LOST] = {"no-folder-key", "the key of that time was not given on by whoever made it"},
	    [CAUSE_NOT_PROVED] = {"not-proved", "what the node shows is not proved, and was not believed"},
	    [CAUSE_OLD_HEAD] = {"not-proved", "the node shows no block that is new enough, and was not believed"},
	    [CAUSE_OLD_ANCHOR] = {"not-proved", "the validators whom this organisation trusts are known for too long"},
	    [CAUSE_NO_RELEASE] = {"no-release", "no trustee has released the folder's key yet"},
	};
	if (err->cause < CAUSE_COUNT && causes[err->cause].code)
		http_problem(response, 403, causes[err->cause].code, causes[err->cause].detail);
	else
		gateway_answer_refusal(response, refused_with);
}

void gateway_answer_failure(struct http_response *response, enum status status, const struct err *err) {
	if (err->cause == CAUSE_NOT_PROVED) status = STATUS_DENIED; /* whatever the node sent */
	switch (status) {
	case STATUS_INVALID: http_problem(response, 422, "document", err->message); return;
	case STATUS_PRUNED: http_problem(response, 410, "pruned", err->message); return;
	case STATUS_LIMIT: http_problem(response, 413, "limit", err->message); return;
	case STATUS_NOTFOUND: http_problem(response, 404, "not-found", "there is no such record or folder"); return;
	case STATUS_DENIED: gateway_answer_denial(response, err, CONTRACT_ERROR_NONE); return;
	case STATUS_BUSY:
		http_put_header(response, "Retry-After", "1");
		http_problem(response, 503, "busy", "too much is waiting for the chain");
		return;
	case STATUS_IO:
	case STATUS_TIMEOUT:
		http_put_header(response, "Retry-After", "2");
		http_problem(response, 503, "node", "no node answers, or the disk does not take it");
		return;
	case STATUS_OK:
	case STATUS_EXISTS:
	case STATUS_CORRUPT:
	case STATUS_UNSUPPORTED:
	case STATUS_INTERNAL:
	case STATUS_COUNT: break;
	}
	http_problem(response, 500, "internal", "it failed; the log says why");
}
