/* Requests for blobs over HTTP: a signature proves who the client is, and the gate decides at that moment what the
 * client may do. */
#include "ledger/blob/blob_request.h"
#include "base/http_reply.h"
#include "base/log.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "eth/eip712.h"
#include "eth/sign.h"
#include "ledger/blob/blob_fetch.h"
#include "ledger/blob/blob_peers.h"
#include "ledger/blob/blob_wire.h"

#define LARGE_AT_ONCE 4u                      /* bodies over the server's usual size */
#define MEMBERS_AT_ONCE 8u                    /* requests of members, each with an answer of some megabytes */
#define UNASKED_BYTES_MAX ((uint64_t)1 << 20) /* of a body that is read before the gate is asked */
#define AWAITING_MAX 16u                      /* items that one put can fill */

void blob_request_problem(struct http_response *response, enum status status, const struct err *err) {
	switch (status) {
	case STATUS_INVALID: http_problem(response, 422, "not-a-container", err->message); return;
	case STATUS_NOTFOUND: http_problem(response, 404, "not-found", err->message); return;
	case STATUS_LIMIT: http_problem(response, 413, "too-large", err->message); return;
	case STATUS_IO: http_problem(response, 507, "storage", "the node could not store or read this now"); return;
	case STATUS_OK:
	case STATUS_PRUNED:
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

bool blob_decimal(uint64_t *out, struct bytes text) {
	struct json number = {.type = JSON_NUMBER, .text = text};
	if (text.len == 0 || text.len > 20 || (text.len > 1 && text.data[0] == '0')) return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9') return false;
	return json_u64(out, &number);
}

/* "?before=N" or "?root=0x…", and nothing else. */
static bool read_page(struct blob_request *request, uint64_t *before, const struct http_exchange *exchange) {
	const struct bytes query = exchange->request.query, number = BYTES_LITERAL("before="),
			   root = BYTES_LITERAL("root=");
	if (query.len == 0) return true;
	request->has_root = bytes_equal(bytes_slice(query, 0, root.len), root);
	if (request->has_root)
		return hex_fixed(request->root.b, 32, bytes_slice(query, root.len, query.len)) == STATUS_OK;
	return bytes_equal(bytes_slice(query, 0, number.len), number) &&
	       blob_decimal(before, bytes_slice(query, number.len, query.len)) && *before >= 1 && *before <= UINT32_MAX;
}

/* What the path and the query name. */
static bool read_target(struct blob_request *request, const struct http_exchange *exchange) {
	uint64_t part = 0;
	if (hex_fixed(request->gate.b, 20, route_param(exchange, "gate")) != STATUS_OK) return false;
	if (hex_fixed(request->name.b, 32, route_param(exchange, "name")) != STATUS_OK) return false;
	if (request->action == ACTION_PART &&
	    !(blob_decimal(&part, route_param(exchange, "part")) && part < CONTAINER_PARTS_MAX))
		return false;
	if (request->action == ACTION_AUDIT && !read_page(request, &part, exchange)) return false;
	request->part = (uint32_t)part;
	return true;
}

struct bytes blob_credential(struct bytes header, const char *name) {
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

static const char *action_text(const struct blob_request *request) {
	static const char *const actions[] = {"put", "get", "part", "audit"};
	return request->action == ACTION_RELEASE ? request->release : actions[request->action];
}

static hash32 request_digest(const struct blob_room *room, const struct blob_request *request) {
	const struct eip712_domain domain = {.name = "xinglin blob",
	    .version = "1",
	    .chain_id = genesis_chain_id(chain_genesis(room->chain)),
	    .verifying_contract = &request->gate,
	    .salt = chain_genesis_hash(room->chain)};
	struct eip712_struct s =
	    eip712_begin("BlobRequest(string action,address node,bytes32 name,uint32 part,uint64 expiry,uint64 nonce)");
	eip712_put_bytes(&s, bytes_text(action_text(request)));
	eip712_put_address(&s, &room->options.addressee);
	eip712_put_hash32(&s, &request->name);
	eip712_put_u64(&s, request->part);
	eip712_put_u64(&s, request->expiry_s);
	eip712_put_u64(&s, request->nonce);
	hash32 domain_hash = eip712_domain_hash(&domain), struct_hash = eip712_end(&s);
	return eip712_digest(&domain_hash, &struct_hash);
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

/* True: the client is known now; otherwise the answer says why not. The account that the header names must be the
 * signer: a request that was signed for another node, gate or chain would else be that of a random account. */
static bool authenticate(struct blob_room *room, struct blob_request *request, struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	struct bytes header = http_header_get(&exchange->request, "authorization");
	struct bytes scheme = BYTES_LITERAL("Xinglin ");
	if (!bytes_equal(bytes_slice(header, 0, scheme.len), scheme))
		return refuse(response, "an Authorization header of scheme Xinglin is needed");
	header = bytes_slice(header, scheme.len, header.len);
	addr20 signer;
	if (hex_fixed(request->who.b, 20, blob_credential(header, "account")) != STATUS_OK ||
	    !blob_decimal(&request->expiry_s, blob_credential(header, "expiry")) ||
	    !blob_decimal(&request->nonce, blob_credential(header, "nonce")) ||
	    hex_fixed(request->signature.b, sizeof request->signature.b, blob_credential(header, "signature")) !=
		STATUS_OK)
		return refuse(response, "account, expiry, nonce or signature is missing or malformed");
	uint64_t now_s = clock_now_ms(room->options.clock) / 1000;
	if (request->expiry_s < now_s || request->expiry_s > now_s + BLOB_EXPIRY_AHEAD_S) {
		clock_problem(response, now_s,
		    request->expiry_s < now_s
			? "the request has expired, or its sender's clock is behind this node's"
			: "the expiry is too far ahead: the sender's clock is ahead of this node's");
		return false;
	}
	hash32 digest = request_digest(room, request);
	if (eth_signer(&signer, &request->signature, &digest) != STATUS_OK)
		return refuse(response, "the signature is not valid");
	if (!addr20_equal(&signer, &request->who))
		return refuse(
		    response, "the signature is not this account's over this request, for this node, gate and chain");
	return true;
}

/* True: the request counts, once. Called for accounts that the gate knows only: what strangers send is kept nowhere. */
bool blob_request_use(struct blob_room *room, const struct blob_request *request, struct http_response *response) {
	struct err err = {0};
	bool fresh = false;
	if (!blob_account_asks(room, &request->who)) {
		http_problem(response, 429, "too-many-requests", "this account's share of two minutes is used up");
		http_put_header(response, "Retry-After", "%u", BLOB_EXPIRY_AHEAD_S);
		return false;
	}
	if (blob_nonce_use(room, &fresh, &request->who, request->nonce, request->expiry_s, &err) != STATUS_OK)
		blob_request_problem(response, STATUS_INTERNAL, &err);
	else if (!fresh && request->expiry_s <= room->refuse_until_s)
		refuse(response,
		    "this node's machine stopped without warning and may have forgotten what it served: sign again, with a "
		    "later expiry");
	else if (!fresh)
		refuse(response, "the request was already served");
	return fresh;
}

static void count_stranger(struct blob_room *room) {
	pthread_mutex_lock(&room->lock);
	room->strangers++;
	pthread_mutex_unlock(&room->lock);
}

/* --- putting --- */

/* A put, as the gate sees it. */
struct put {
	const struct blob_request *request;
	struct bytes body;
	bool may;                                /* a new blob of this size */
	struct blob_item awaiting[AWAITING_MAX]; /* items that await this very blob, and that this account may fill */
	size_t awaiting_count;
};

static enum status judge_put(struct blob_room *room, struct put *put, struct err *err) {
	const struct blob_request *request = put->request;
	struct blob_item found[AWAITING_MAX];
	size_t count;
	TRY(blob_gate_may_put(room, &put->may, &request->gate, &request->who, put->body.len, err));
	TRY(blob_index_awaiting(room, found, &count, AWAITING_MAX, &request->gate, &request->name, put->body.len, err));
	for (size_t i = 0; i < count; i++) {
		bool may;
		TRY(blob_gate_may_put_late(room, &may, &request->gate, &request->who, &found[i].item, err));
		if (may) put->awaiting[put->awaiting_count++] = found[i];
	}
	return STATUS_OK;
}

static void refuse_put(struct blob_room *room, const struct blob_request *request, struct http_response *response) {
	struct err err = {0};
	bool knows;
	if (blob_gate_knows(room, &knows, &request->gate, &request->who, &err) != STATUS_OK)
		return blob_request_problem(response, STATUS_INTERNAL, &err);
	if (!knows) count_stranger(room);
	http_problem(response, 403, "put-refused", "the contract does not let this account put a blob of this size");
}

static bool check_container(const struct put *put, struct http_response *response) {
	struct err err = {0};
	struct container container;
	enum status status = container_decode(&container, put->body, &err);
	if (status != STATUS_OK) {
		blob_request_problem(response, status, &err);
		return false;
	}
	hash32 name = container_name(&container);
	if (hash32_equal(&name, &put->request->name)) return true;
	http_problem(response, 409, "name-differs", "the container's name is not the one in the path");
	return false;
}

/* Charges what comes to what waits. For what an item awaits its namer has paid; all else must be within the putter's
 * quota together with what waits of it already. */
static bool charge_put(struct blob_room *room, const struct put *put, struct http_response *response) {
	const struct blob_request *request = put->request;
	const uint64_t charge = blob_charge_bytes(put->body.len);
	struct err err = {0};
	uint64_t waiting_bytes;
	bool may = true;
	if (blob_account_waits(room, &waiting_bytes, &request->gate, &request->who, charge) != STATUS_OK) {
		http_problem(response, 507, "full", "the node's room for blobs is used up");
		return false;
	}
	enum status status = STATUS_OK;
	if (put->awaiting_count == 0 && waiting_bytes > charge)
		status = blob_gate_may_put(room, &may, &request->gate, &request->who, waiting_bytes, &err);
	if (status == STATUS_OK && may) return true;
	blob_account_waits_no_more(room, &request->gate, &request->who, charge);
	if (status != STATUS_OK) {
		blob_request_problem(response, STATUS_INTERNAL, &err);
	} else {
		http_problem(response, 503, "quota-waits",
		    "what this account has put here, and no transaction has named yet, takes up its quota");
		http_put_header(response, "Retry-After", "1");
	}
	return false;
}

static enum status store_put(struct blob_room *room, const struct put *put, struct err *err) {
	const struct blob_waiting waiting = {put->request->gate, put->request->name, put->request->who};
	enum status status = STATUS_OK;
	if (put->may)
		TRY(blob_content_put(room, &waiting, put->body, err));
	else
		blob_account_waits_no_more(room, &waiting.gate, &waiting.putter, blob_charge_bytes(put->body.len));
	for (size_t i = 0; i < put->awaiting_count && status == STATUS_OK; i++)
		status = blob_content_fill(room, &put->awaiting[i], put->body, err);
	return status;
}

/* True: it is kept; otherwise the answer says why not. */
static bool put_here(struct blob_room *room, struct put *put, struct http_response *response) {
	struct err err = {0};
	enum status status = judge_put(room, put, &err);
	if (status != STATUS_OK) {
		blob_request_problem(response, STATUS_INTERNAL, &err);
		return false;
	}
	if (!put->may && put->awaiting_count == 0) {
		refuse_put(room, put->request, response);
		return false;
	}
	if (!blob_request_use(room, put->request, response) || !check_container(put, response)) return false;
	if (!charge_put(room, put, response)) return false;
	status = store_put(room, put, &err);
	if (status == STATUS_OK) return true;
	log_error("blob", "%s", err.message);
	blob_request_problem(response, status, &err);
	return false;
}

static void write_put(const struct put *put, const struct blob_held *held, struct http_response *response) {
	response->status = 201;
	response->content_type = "application/json";
	struct json_writer writer = json_writer(&response->body);
	json_object_begin(&writer, NULL);
	json_put_hex(&writer, "blob", BYTES_OF(put->request->name));
	json_put_u64(&writer, "size", put->body.len);
	if (held != NULL) blob_held_write(&writer, held);
	json_object_end(&writer);
}

/* In a consortium with the receipts of those who hold it. `spreads`: others are given it first. */
static void answer_put(struct blob_room *room, struct put *put, struct http_exchange *exchange, bool spreads) {
	struct http_response *response = &exchange->response;
	struct err err = {0};
	if (!put_here(room, put, response)) return;
	if (room->peers == NULL) return write_put(put, NULL, response);
	struct blob_held held = {.blob = {.genesis = chain_genesis_hash(room->chain),
				     .gate = put->request->gate,
				     .putter = put->request->who,
				     .blob = put->request->name,
				     .size_bytes = put->body.len}};
	if (blob_held_begin(room, &held, &err) != STATUS_OK) {
		log_error("blob", "%s", err.message);
		return blob_request_problem(response, STATUS_INTERNAL, &err);
	}
	if (spreads) blob_held_spread(room, &held, http_header_get(&exchange->request, "authorization"), put->body);
	write_put(put, &held, response);
}

/* --- reading --- */

/* What has no content ends here. True: the item is here. */
bool blob_request_item(struct blob_room *room, struct blob_item *item, const struct blob_request *request,
    struct http_response *response) {
	struct err err = {0};
	enum status status = blob_index_find(room, item, &request->gate, &request->name, &err);
	if (status == STATUS_NOTFOUND) { /* named in a block that is a moment old? */
		blob_index_settle(room);
		status = blob_index_find(room, item, &request->gate, &request->name, &err);
	}
	if (status != STATUS_OK)
		blob_request_problem(response, status, &err);
	else if (item->state == BLOB_MISSING)
		http_problem(
		    response, 404, "not-here", "the item is on the chain; this node does not have its content");
	else if (item->state == BLOB_ERASED || item->state == BLOB_CONFIRMED)
		http_problem(response, 410, "erased", "the item was erased");
	else
		return true;
	return false;
}

/* Whoever may see an item's audit is no stranger to it. */
static enum status may_audit_item(
    struct blob_room *room, bool *may, const struct blob_request *request, struct err *err) {
	struct blob_gate_audit audit;
	TRY(blob_gate_audit_of(room, &audit, &request->gate, &request->name, err));
	*may = false;
	if (!audit.is_wanted) return STATUS_OK;
	return blob_gate_may_audit(room, may, &request->gate, &request->who, &audit.list, err);
}

/* Does the gate let this account read the item, or know it otherwise? A stranger learns nothing, not even what is here,
 * and leaves no trace. */
bool blob_request_judge(
    struct blob_room *room, bool *may, const struct blob_request *request, struct http_response *response) {
	struct err err = {0};
	bool knows = false;
	const addr20 *gate = &request->gate, *who = &request->who;
	enum status status = blob_gate_may_get(room, may, gate, who, &request->name, &err);
	if (status == STATUS_OK && !*may) status = blob_gate_knows(room, &knows, gate, who, &err);
	if (status == STATUS_OK && !*may && !knows) status = may_audit_item(room, &knows, request, &err);
	if (status != STATUS_OK) {
		blob_request_problem(response, STATUS_INTERNAL, &err);
	} else if (!*may && !knows) {
		count_stranger(room);
		http_problem(response, 403, "get-refused", "the contract does not let this account read this item now");
	}
	return status == STATUS_OK && (*may || knows);
}

/* The trace comes first: a read that cannot be logged is not served. */
bool blob_request_log(
    struct blob_room *room, bool may, const struct blob_request *request, struct http_response *response) {
	struct err err = {0};
	struct blob_read read = {.gate = request->gate,
	    .item = request->name,
	    .action = action_text(request),
	    .part = request->part,
	    .who = request->who,
	    .expiry_s = request->expiry_s,
	    .nonce = request->nonce,
	    .served = may};
	memcpy(read.signature, request->signature.b, sizeof read.signature);
	if (!blob_account_is_logged(room, &request->who, may)) {
		http_problem(response, 429, "too-many-entries",
		    may ? "this account has read as much as it may in a day"
			: "this account was refused as often as is logged in a day");
		return false;
	}
	if (blob_audit_add(room, &read, &err) == STATUS_OK) return true;
	log_error("blob", "a read was not served: %s", err.message);
	http_problem(response, 500, "internal", "the node failed; its log says why");
	return false;
}

/* What changed on the disk is not served: a reader would notice, and other members have it. */
static enum status read_checked(
    struct blob_room *room, struct buf *out, const struct blob_item *item, bool whole, uint32_t part, struct err *err) {
	struct container container;
	struct buf content;
	buf_init(&content, CONTAINER_BYTES_MAX);
	enum status status = blob_content_read(room, &content, &item->gate, &item->item, true, 0, err);
	const bool is_good = status == STATUS_OK && blob_is_content_of(item, buf_view(&content)) &&
			     container_decode(&container, buf_view(&content), NULL) == STATUS_OK;
	if (!is_good && status != STATUS_IO) {
		status = blob_damaged(room, item, err);
		if (status == STATUS_OK) status = err_set(err, STATUS_NOTFOUND, "the content is fetched again");
	}
	if (is_good && !whole && part >= container.count)
		status = err_set(err, STATUS_NOTFOUND, "the item has %u parts", container.count);
	else if (is_good)
		buf_append(out, whole ? buf_view(&content) : container_part(&container, part));
	buf_fini(&content);
	return status == STATUS_OK ? buf_status(out, err) : status;
}

static void answer_read(struct blob_room *room, const struct blob_request *request, struct http_response *response) {
	struct err err = {0};
	struct blob_item item;
	bool may, whole = request->action == ACTION_GET;
	if (!blob_peers_is_current(room)) {
		http_problem(response, 503, "catching-up", "this node does not know yet what was erased meanwhile");
		return http_put_header(response, "Retry-After", "1");
	}
	if (!blob_request_judge(room, &may, request, response) || !blob_request_use(room, request, response)) return;
	if (!blob_request_item(room, &item, request, response) || !blob_request_log(room, may, request, response))
		return;
	if (!may)
		return http_problem(
		    response, 403, "get-refused", "the contract does not let this account read this item now");
	enum status status =
	    room->peers == NULL
		? blob_content_read(room, &response->body, &request->gate, &request->name, whole, request->part, &err)
		: read_checked(room, &response->body, &item, whole, request->part, &err);
	if (status != STATUS_OK) return blob_request_problem(response, status, &err);
	response->content_type = whole ? "application/octet-stream" : "application/jose";
}

static void answer_audit(struct blob_room *room, const struct blob_request *request, struct http_response *response) {
	struct err err = {0};
	bool may;
	enum status status = blob_gate_may_audit(room, &may, &request->gate, &request->who, &request->name, &err);
	if (status != STATUS_OK) return blob_request_problem(response, STATUS_INTERNAL, &err);
	if (!may)
		return http_problem(
		    response, 403, "audit-refused", "the contract does not let this account see this log");
	if (!blob_request_use(room, request, response)) return;
	const struct blob_audit_page page = {request->part, request->has_root, request->root};
	status = blob_audit_list(room, &response->body, &request->name, &page, &err);
	if (status == STATUS_NOTFOUND) return http_problem(response, 409, "unknown-root", err.message);
	if (status != STATUS_OK) log_error("blob", "%s", err.message);
	if (status != STATUS_OK) return blob_request_problem(response, STATUS_INTERNAL, &err);
	response->content_type = "application/json";
}

/* A request to a known gate, signed by the account that it names; else the answer says what is wrong. */
bool blob_request_open(struct blob_room *room, struct blob_request *request, struct http_exchange *exchange) {
	struct http_response *response = &exchange->response;
	if (!read_target(request, exchange)) {
		http_problem(
		    response, 404, "not-found", "the path is /blobs/{gate}/{name}[/{part}|/audit[?before=N|?root=H]]");
		return false;
	}
	if (!blob_gate_is(room, &request->gate)) {
		http_problem(response, 404, "no-gate", "this chain's genesis names no such gate");
		return false;
	}
	if (request->action == ACTION_RELEASE) outer_action(request->release, exchange->request.body);
	return authenticate(room, request, exchange);
}

static void handle_put(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_request request = {.action = ACTION_PUT};
	if (!blob_request_open(room, &request, exchange)) return;
	struct put put = {.request = &request, .body = exchange->request.body};
	answer_put(room, &put, exchange, true);
}

/* As another member passes it on: it asks nobody else, so members never wait for each other in a circle. */
static void handle_put_here(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_request request = {.action = ACTION_PUT};
	if (!blob_request_open(room, &request, exchange)) return;
	struct put put = {.request = &request, .body = exchange->request.body};
	answer_put(room, &put, exchange, false);
}

/* Before a large body comes: only accounts whose put may be taken use up one of the places for such bodies. */
static void begin_put(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_request request = {.action = ACTION_PUT};
	struct put put = {.request = &request};
	struct err err = {0};
	uint64_t length = 0;
	if (!blob_decimal(&length, http_header_get(&exchange->request, "content-length")) ||
	    length <= UNASKED_BYTES_MAX)
		return;
	if (!blob_request_open(room, &request, exchange)) return;
	put.body.len = (size_t)length;
	if (judge_put(room, &put, &err) != STATUS_OK)
		return blob_request_problem(&exchange->response, STATUS_INTERNAL, &err);
	if (!put.may && put.awaiting_count == 0) refuse_put(room, &request, &exchange->response);
}

static void handle_audit(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_request request = {.action = ACTION_AUDIT};
	if (blob_request_open(room, &request, exchange)) answer_audit(room, &request, &exchange->response);
}

static void handle_get(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_request request = {.action = ACTION_GET};
	if (blob_request_open(room, &request, exchange)) answer_read(room, &request, &exchange->response);
}

static void handle_part(void *context, struct http_exchange *exchange) {
	struct blob_room *room = context;
	struct blob_request request = {.action = ACTION_PART};
	if (blob_request_open(room, &request, exchange)) answer_read(room, &request, &exchange->response);
}

const struct route blob_routes[] = {
    ROUTE(HTTP_PUT, "/blobs/{gate}/{name}", handle_put,
	"stores a container until a transaction of the same account names it (ten minutes), or for an item that awaits it",
	.limits = {.large_body_max = CONTAINER_BYTES_MAX, .large_at_once = LARGE_AT_ONCE}, .begin = begin_put,
	.waits = true),
    ROUTE(HTTP_POST, "/blobs/{gate}/{name}/release", blob_release,
	"parts of the outer seal's key for one lock of an item, of this member and of others",
	.limits = {.body_max = OUTER_WISH_BYTES}, .waits = true),
    ROUTE(HTTP_POST, "/blobs/{gate}/{name}/release/here", blob_release_here,
	"the same of this member alone, as another member passes it on", .limits = {.body_max = OUTER_WISH_BYTES}),
    ROUTE(HTTP_GET, "/members/seal", blob_member_seal, "who holds shares of the outer seal's key"),
    ROUTE(HTTP_GET, "/members/head", blob_member_head,
	"the number of this node's newest block, for another member's node"),
    ROUTE(HTTP_POST, "/members/blobs", blob_member_wanted, "contents of items, for another member's node",
	.limits = {.body_max = BLOB_WISHES_BYTES_MAX, .at_once = MEMBERS_AT_ONCE}, .waits = true),
    ROUTE(HTTP_POST, "/members/names", blob_member_names,
	"what the chain names and has not erased, for another member's node",
	.limits = {.body_max = BLOB_PAGE_ASK_BYTES, .at_once = MEMBERS_AT_ONCE}, .waits = true),
    ROUTE(HTTP_GET, "/blobs/{gate}/{name}/audit", handle_audit,
	"the sealed audit entries of a folder, newest first, for its controller; ?root=H: with its proof; ?before=N: on"),
};
const size_t blob_route_count = sizeof blob_routes / sizeof *blob_routes;

const struct route blob_store_routes[] = {
    ROUTE(HTTP_PUT, "/blobs/{gate}/{name}/here", handle_put_here,
	"the same, as a member of a consortium passes it on: no further member is given it",
	.limits = {.large_body_max = CONTAINER_BYTES_MAX, .large_at_once = LARGE_AT_ONCE}, .begin = begin_put,
	.waits = true),
    ROUTE(HTTP_GET, "/blobs/{gate}/{name}", handle_get, "the whole container of an item", .waits = true),
    ROUTE(HTTP_GET, "/blobs/{gate}/{name}/{part}", handle_part, "one part of an item's container", .waits = true),
};
const size_t blob_store_route_count = sizeof blob_store_routes / sizeof *blob_store_routes;
