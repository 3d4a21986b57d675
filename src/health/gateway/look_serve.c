/* A folder's looks for its controller, as nodes serve their audit (docs/wire-formats.md §6). */
#include "base/http_reply.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/merkle_map.h"
#include "envelope/jwe.h"
#include "health/chain/blob_signed.h"
#include "health/gateway/gateway_private.h"
#include "health/gateway/look_book.h"
#include "health/records/folder.h"

#define PAGE_LINES 200u
#define SEALED_MAX ((size_t)16 << 10)

struct serving {
	struct look_book *book;
	struct gateway *gateway;
	struct http_exchange *exchange;
	struct actor_request *request;
	hash32 folder, root;
	bool has_root;
	uint64_t before; /* 0: from the newest on */
	struct p256_public key;
};

static bool read_before(uint64_t *out, struct bytes text) {
	const struct json number = {.type = JSON_NUMBER, .text = text};
	if (!text.len || text.len > 10 || text.data[0] == '0') return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9') return false;
	return json_u64(out, &number) && *out <= UINT32_MAX;
}

/* What the path and the query name. */
static bool read_target(struct serving *s) {
	const struct bytes query = s->exchange->request.query, before = BYTES_LITERAL("before="),
			   root = BYTES_LITERAL("root=");
	addr20 gate;
	if (hex_fixed(gate.b, 20, route_param(s->exchange, "gate")) != STATUS_OK ||
	    hex_fixed(s->folder.b, 32, route_param(s->exchange, "name")) != STATUS_OK ||
	    !addr20_equal(&gate, &actor_home(s->gateway->options.actor)->deployment.folders))
		return false;
	if (!query.len) return true;
	s->has_root = bytes_equal(bytes_slice(query, 0, root.len), root);
	if (s->has_root) return hex_fixed(s->root.b, 32, bytes_slice(query, root.len, query.len)) == STATUS_OK;
	return bytes_equal(bytes_slice(query, 0, before.len), before) &&
	       read_before(&s->before, bytes_slice(query, before.len, query.len));
}

/* False: the answer is written. */
static bool authenticate(struct serving *s, addr20 *who) {
	const struct home *home = actor_home(s->gateway->options.actor);
	struct http_response *response = &s->exchange->response;
	struct err err;
	struct blob_said said = {.action = "audit",
	    .node = &home->account,
	    .gate = &home->deployment.folders,
	    .name = &s->folder,
	    .part = (uint32_t)s->before};
	const enum status status = blob_signed_by(who, &said, http_header_get(&s->exchange->request, "authorization"),
	    &home->deployment, clock_now_ms(s->gateway->options.clock) / 1000, &err);
	if (status != STATUS_OK)
		http_problem(response, 401, status == STATUS_TIMEOUT ? "clock" : "not-authenticated", err.message);
	return status == STATUS_OK;
}

static bool may_see(struct serving *s, const addr20 *who, struct err *err) {
	struct folder folder;
	const enum status status = folder_look(s->request, &folder, &s->folder, REQUEST_SHOWN_AGE_S, err);
	const bool may = status == STATUS_OK && addr20_equal(&folder.controller, who);
	if (may)
		s->key = folder.said.audit_key;
	else if (status == STATUS_OK || status == STATUS_NOTFOUND)
		http_problem(
		    &s->exchange->response, 403, "audit-refused", "the folder's controller alone sees its looks");
	else
		gateway_answer_failure(&s->exchange->response, status, err);
	return may;
}

static enum status put_line(struct json_writer *writer, const struct serving *s, const struct list_entry *link,
    struct bytes text, struct err *err) {
	struct buf sealed;
	buf_init(&sealed, SEALED_MAX);
	enum status status = jwe_ecdh_seal(
	    &sealed, &s->key, BYTES_LITERAL("{\"typ\":\"xinglin-audit\"}"), text, s->gateway->options.random, err);
	json_object_begin(writer, NULL);
	json_put_u64(writer, "n", link->n);
	json_put_u64(writer, "time", link->time_s);
	json_put_hex(writer, "before", bytes_make(link->before, LIST_HEAD_BYTES));
	json_put_string(writer, "entry", buf_view(&sealed));
	json_object_end(writer);
	buf_fini(&sealed);
	return status;
}

static enum status write_page(struct serving *s, struct buf *out, struct err *err) {
	struct look_lists *lists = look_book_lists(s->book);
	const struct look_lists_wish wish = {.folder = &s->folder, .before = s->before, .max = PAGE_LINES};
	struct look_lists_page page;
	struct buf proof;
	buf_init(&proof, MERKLE_MAP_PROOF_MAX);
	enum status status = s->has_root ? look_lists_prove(lists, &proof, &s->root, &s->folder, err) : STATUS_OK;
	if (status == STATUS_OK) status = look_lists_page(lists, &page, s->request->arena, &wish, err);
	if (status == STATUS_OK) {
		struct json_writer writer = json_writer(out);
		json_object_begin(&writer, NULL);
		json_put_bool(&writer, "gateway", true);
		json_put_u64(&writer, "count", page.state.count);
		json_put_hex(&writer, "head", bytes_make(page.state.head, LIST_HEAD_BYTES));
		if (s->has_root) json_put_hex(&writer, "proof", buf_view(&proof));
		json_array_begin(&writer, "entries");
		for (size_t i = 0; status == STATUS_OK && i < page.count; i++)
			status = put_line(&writer, s, &page.links[i], page.texts[i], err);
		json_array_end(&writer);
		if (page.count && page.links[page.count - 1].n > 1)
			json_put_u64(&writer, "next", page.links[page.count - 1].n);
		json_object_end(&writer);
	}
	buf_fini(&proof);
	return status;
}

static void answer(struct serving *s) {
	struct http_response *response = &s->exchange->response;
	struct err err = {0};
	enum status status = look_book_settle(s->book, &err);
	if (status == STATUS_OK) status = write_page(s, &response->body, &err);
	if (status == STATUS_OK) {
		response->status = 200;
		response->content_type = "application/json";
		http_put_header(response, "Cache-Control", "no-store");
		return;
	}
	buf_clear(&response->body);
	if (status == STATUS_NOTFOUND)
		http_problem(response, 409, "unknown-root", err.message);
	else
		gateway_answer_failure(response, status, &err);
}

static void serve(void *context, struct http_exchange *exchange) {
	struct look_book *book = context;
	struct actor_request request = {0};
	struct arena arena;
	struct err err = {0};
	struct serving s = {
	    .book = book, .gateway = look_book_gateway(book), .exchange = exchange, .request = &request};
	addr20 who;
	if (!http_header_get(&exchange->request, "authorization").len) {
		http_problem(
		    &exchange->response, 401, "not-authenticated", "the folder's controller signs such a request");
		return;
	}
	if (!read_target(&s)) {
		http_problem(&exchange->response, 404, "not-found",
		    "the path is /blobs/{Folders}/{folder}/audit[?before=N|?root=H]");
		return;
	}
	if (!authenticate(&s, &who)) return;
	arena_init(&arena);
	const enum status status = gateway_begin(s.gateway, &request, &arena, &err);
	if (status != STATUS_OK)
		gateway_answer_failure(&exchange->response, status, &err);
	else if (may_see(&s, &who, &err))
		answer(&s);
	actor_request_end(&request);
	arena_fini(&arena);
}

const struct route look_book_routes[1] = {
    ROUTE(HTTP_GET, "/blobs/{gate}/{name}/audit", serve,
	"a folder's looks through this gateway, newest first, sealed to its controller; ?root=H: with the proof under an "
	"anchor; ?before=N: on",
	.limits = {.at_once = 8}, .waits = true),
};
