/* Requests for blobs over HTTP: a signature proves who the client is, and the gate decides at that moment what the
 * client may do. */
#include "base/http_reply.h"
#include "base/log.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "eth/eip712.h"
#include "eth/sign.h"
#include "ledger/blob/blob_room.h"

#define EXPIRY_AHEAD_S 120u
#define LARGE_AT_ONCE 4u /* bodies over the server's usual size */

enum blob_action { ACTION_PUT, ACTION_GET, ACTION_PART, ACTION_AUDIT };

struct blob_request {
	enum blob_action action;
	addr20 gate;
	hash32 name; /* the blob of a put; else the item */
	uint32_t part;
	uint64_t expiry_s;
	uint64_t nonce;
	addr20 who;
};

static void problem_of(struct http_response *response, enum status status, const struct err *err) {
	switch (status) {
	case STATUS_INVALID: http_problem(response, 422, "not-a-container", err->message); return;
	case STATUS_NOTFOUND: http_problem(response, 404, "not-found", err->message); return;
	case STATUS_LIMIT: http_problem(response, 413, "too-large", err->message); return;
	case STATUS_IO: http_problem(response, 507, "storage", "the node could not store or read this now"); return;
	case STATUS_OK:
	case STATUS_EXISTS:
	case STATUS_DENIED:
	case STATUS_BUSY:
	case STATUS_TIMEOUT:
	case STATUS_CORRUPT:
	case STATUS_UNSUPPORTED:
	case STATUS_INTERNAL:
	case STATUS_COUNT: http_problem(response, 500, "internal", "the node failed; its log says why"); return;
	}
}

/* --- reading the request --- */

static bool decimal(uint64_t *out, struct bytes text) {
	struct json number = {.type = JSON_NUMBER, .text = text};
	if (text.len == 0 || text.len > 20 || (text.len > 1 && text.data[0] == '0')) return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9') return false;
	return json_u64(out, &number);
}

/* What the path names. */
static bool read_path(struct blob_request *request, const struct http_exchange *exchange) {
	uint64_t part = 0;
	if (hex_fixed(request->gate.b, 20, route_param(exchange, "gate")) != STATUS_OK) return false;
	if (hex_fixed(request->name.b, 32, route_param(exchange, "name")) != STATUS_OK) return false;
	if (request->action == ACTION_PART &&
	    !(decimal(&part, route_param(exchange, "part")) && part < CONTAINER_PARTS_MAX))
		return false;
	request->part = (uint32_t)part;
	return true;
}

/* One "name=value" of the Authorization header, up to ',' or the end. */
static struct bytes credential(struct bytes header, const char *name) {
	struct bytes rest = header, wanted = bytes_text(name);
	while (rest.len) {
		size_t len = 0;
		while (len < rest.len && rest.data[len] != ',') len++;
		struct bytes pair = bytes_slice(rest, 0, len);
		rest = bytes_slice(rest, len + 1, rest.len);
		while (pair.len && pair.data[0] == ' ') pair = bytes_slice(pair, 1, pair.len);
		if (pair.len > wanted.len && pair.data[wanted.len] == '=' &&
		    bytes_equal(bytes_slice(pair, 0, wanted.len), wanted))
			return bytes_slice(pair, wanted.len + 1, pair.len);
	}
	return (struct bytes){NULL, 0};
}

static hash32 request_digest(const struct blob_room *room, const struct blob_request *request) {
	static const char *const actions[] = {"put", "get", "part", "audit"};
	const struct eip712_domain domain = {.name = "xinglin blob",
	    .version = "1",
	    .chain_id = genesis_chain_id(chain_genesis(room->chain)),
	    .verifying_contract = &request->gate};
	struct eip712_struct s =
	    eip712_begin("BlobRequest(string action,address node,bytes32 name,uint32 part,uint64 expiry,uint64 nonce)");
	eip712_put_bytes(&s, bytes_text(actions[request->action]));
	eip712_put_address(&s, &room->options.node);
	eip712_put_hash32(&s, &request->name);
	eip712_put_u64(&s, request->part);
	eip712_put_u64(&s, request->expiry_s);
	eip712_put_u64(&s, request->nonce);
	hash32 domain_hash = eip712_domain_hash(&domain), struct_hash = eip712_end(&s);
	return eip712_digest(&domain_hash, &struct_hash);
}

/* Uses up (who, nonce). Expired entries make room. */
static bool nonce_is_fresh(struct blob_room *room, const struct blob_request *request, uint64_t now_s) {
	bool fresh = true;
	pthread_mutex_lock(&room->lock);
	size_t kept = 0;
	for (size_t i = 0; i < room->nonce_count; i++) {
		struct nonce_entry entry = room->nonces[i];
		if (entry.expiry < now_s) continue;
		if (entry.nonce == request->nonce && addr20_equal(&entry.who, &request->who)) fresh = false;
		room->nonces[kept++] = entry;
	}
	room->nonce_count = kept;
	if (kept == BLOB_NONCES_MAX) fresh = false;
	if (fresh)
		room->nonces[room->nonce_count++] =
		    (struct nonce_entry){request->who, request->nonce, request->expiry_s};
	pthread_mutex_unlock(&room->lock);
	return fresh;
}

/* A problem with the time of this node's clock as `now`, so that the client can say by how much its own differs. */
static void clock_problem(struct http_response *response, uint64_t now_s, const char *detail) {
	response->status = 401;
	response->content_type = "application/problem+json";
	buf_clear(&response->body);
	struct json_writer writer = json_writer(&response->body);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "type", "about:blank");
	json_put_u64(&writer, "status", 401);
	json_put_text(&writer, "code", "clock");
	json_put_text(&writer, "detail", detail);
	json_put_u64(&writer, "now", now_s);
	json_object_end(&writer);
}

static bool refuse(struct http_response *response, const char *detail) {
	http_problem(response, 401, "not-authenticated", detail);
	return false;
}

/* True: the client is known now; otherwise the answer says why not. */
static bool authenticate(struct blob_room *room, struct blob_request *request, struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	const struct http_request *http = &exchange->request;
	struct bytes header = http_header_get(http, "authorization");
	struct bytes scheme = BYTES_LITERAL("Xinglin ");
	if (!bytes_equal(bytes_slice(header, 0, scheme.len), scheme))
		return refuse(response, "an Authorization header of scheme Xinglin is needed");
	header = bytes_slice(header, scheme.len, header.len);
	struct eth_signature signature;
	if (!decimal(&request->expiry_s, credential(header, "expiry")) ||
	    !decimal(&request->nonce, credential(header, "nonce")) ||
	    hex_fixed(signature.b, sizeof signature.b, credential(header, "signature")) != STATUS_OK)
		return refuse(response, "expiry, nonce or signature is missing or malformed");
	uint64_t now_s = clock_now_ms(room->options.clock) / 1000;
	if (request->expiry_s < now_s || request->expiry_s > now_s + EXPIRY_AHEAD_S) {
		clock_problem(response, now_s,
		    request->expiry_s < now_s
			? "the request has expired, or its sender's clock is behind this node's"
			: "the expiry is too far ahead: the sender's clock is ahead of this node's");
		return false;
	}
	hash32 digest = request_digest(room, request);
	if (eth_signer(&request->who, &signature, &digest) != STATUS_OK)
		return refuse(response, "the signature is not valid");
	if (!nonce_is_fresh(room, request, now_s)) return refuse(response, "the request was already served");
	return true;
}

/* --- answering it --- */

static void answer_put(
    struct blob_room *room, const struct blob_request *request, struct bytes body, struct http_response *response) {
	struct err err = {0};
	bool may;
	struct container container;
	enum status status = blob_gate_may_put(room, &may, &request->gate, &request->who, body.len, &err);
	if (status != STATUS_OK) return problem_of(response, STATUS_INTERNAL, &err);
	if (!may)
		return http_problem(
		    response, 403, "put-refused", "the contract does not let this account put a blob of this size");
	status = container_decode(&container, body, &err);
	if (status != STATUS_OK) return problem_of(response, status, &err);
	hash32 name = container_name(&container);
	if (!hash32_equal(&name, &request->name))
		return http_problem(response, 409, "name-differs", "the container's name is not the one in the path");
	pthread_mutex_lock(&room->lock);
	bool fits = body.len <= room->options.bytes_max && room->content_bytes <= room->options.bytes_max - body.len;
	pthread_mutex_unlock(&room->lock);
	if (!fits) return http_problem(response, 507, "full", "the node's room for blobs is used up");
	status = blob_content_put(room, &name, &request->who, body, &err);
	if (status != STATUS_OK) {
		log_error("blob", "%s", err.message);
		return problem_of(response, status, &err);
	}
	response->status = 201;
	response->content_type = "application/json";
	struct json_writer writer = json_writer(&response->body);
	json_object_begin(&writer, NULL);
	json_put_hex(&writer, "blob", BYTES_OF(name));
	json_put_u64(&writer, "size", body.len);
	json_object_end(&writer);
}

/* The trace comes first: a read that cannot be logged is not served. */
static void answer_read(struct blob_room *room, const struct blob_request *request, struct http_response *response) {
	struct err err = {0};
	bool may, whole = request->action == ACTION_GET;
	enum status status = blob_gate_may_get(room, &may, &request->gate, &request->who, &request->name, &err);
	struct blob_read read = {request->gate, request->name, request->part, request->who, may};
	if (status == STATUS_OK) status = blob_audit_add(room, &read, &err);
	if (status != STATUS_OK) {
		log_error("blob", "a read was not served: %s", err.message);
		return http_problem(response, 500, "internal", "the node failed; its log says why");
	}
	if (!may)
		return http_problem(
		    response, 403, "get-refused", "the contract does not let this account read this item now");
	status = blob_content_read(room, &response->body, &request->gate, &request->name, whole, request->part, &err);
	if (status != STATUS_OK) return problem_of(response, status, &err);
	response->content_type = whole ? "application/octet-stream" : "application/jose";
}

static void answer_audit(struct blob_room *room, const struct blob_request *request, struct http_response *response) {
	struct err err = {0};
	bool may;
	enum status status = blob_gate_may_audit(room, &may, &request->gate, &request->who, &request->name, &err);
	if (status == STATUS_OK && !may)
		return http_problem(
		    response, 403, "audit-refused", "the contract does not let this account see this item's log");
	if (status == STATUS_OK) status = blob_audit_list(room, &response->body, &request->gate, &request->name, &err);
	if (status != STATUS_OK) return problem_of(response, status == STATUS_LIMIT ? status : STATUS_INTERNAL, &err);
	response->content_type = "application/json";
}

/* Reads of what is erased or was never here end before the gate is asked. True: the item is here. */
static bool find_item(struct blob_room *room, const struct blob_request *request, struct http_response *response) {
	struct err err = {0};
	struct blob_item item;
	enum status status = blob_index_find(room, &item, &request->gate, &request->name, &err);
	if (status == STATUS_NOTFOUND) { /* named in a block that is a moment old? */
		blob_index_settle(room);
		status = blob_index_find(room, &item, &request->gate, &request->name, &err);
	}
	if (status != STATUS_OK)
		problem_of(response, status, &err);
	else if (item.state == BLOB_MISSING)
		http_problem(
		    response, 404, "not-here", "the item is on the chain; this node was not given its content");
	else if (item.state == BLOB_ERASED || item.state == BLOB_CONFIRMED)
		http_problem(response, 410, "erased", "the item was erased");
	else
		return true;
	return false;
}

/* A request of a known gate by a known account; else the answer says what is wrong. */
static bool open_request(struct blob_room *room, struct blob_request *request, struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	if (!read_path(request, exchange)) {
		http_problem(response, 404, "not-found", "the path is /blobs/{gate}/{name}[/{part}|/audit]");
		return false;
	}
	if (!blob_gate_is(room, &request->gate)) {
		http_problem(response, 404, "no-gate", "this chain's genesis names no such gate");
		return false;
	}
	return authenticate(room, request, exchange);
}

static void handle_put(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_request request = {.action = ACTION_PUT};
	if (open_request(room, &request, exchange))
		answer_put(room, &request, exchange->request.body, &exchange->response);
}

static void handle_audit(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_request request = {.action = ACTION_AUDIT};
	if (open_request(room, &request, exchange)) answer_audit(room, &request, &exchange->response);
}

static void handle_read(struct blob_room *room, enum blob_action action, struct http_exchange *exchange) {
	struct blob_request request = {.action = action};
	if (open_request(room, &request, exchange) && find_item(room, &request, &exchange->response))
		answer_read(room, &request, &exchange->response);
}

static void handle_get(void *context, struct http_exchange *exchange) {
	handle_read(context, ACTION_GET, exchange);
}

static void handle_part(void *context, struct http_exchange *exchange) {
	handle_read(context, ACTION_PART, exchange);
}

const struct route blob_routes[] = {
    ROUTE(HTTP_PUT, "/blobs/{gate}/{name}", handle_put,
	"stores a container until a transaction of the same account names it (ten minutes)",
	.limits = {.large_body_max = CONTAINER_BYTES_MAX, .large_at_once = LARGE_AT_ONCE}),
    ROUTE(HTTP_GET, "/blobs/{gate}/{name}", handle_get, "the whole container of an item"),
    ROUTE(HTTP_GET, "/blobs/{gate}/{name}/audit", handle_audit,
	"the sealed audit entries of an item, for its controller"),
    ROUTE(HTTP_GET, "/blobs/{gate}/{name}/{part}", handle_part, "one part of an item's container"),
};
const size_t blob_route_count = sizeof blob_routes / sizeof *blob_routes;
