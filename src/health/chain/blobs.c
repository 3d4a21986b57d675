#include "health/chain/blobs.h"

#include <stdio.h>

#include "codec/hex.h"
#include "envelope/container.h"
#include "eth/eip712.h"
#include "eth/outer.h"
#include "eth/sign.h"
#include "health/chain/client_private.h"
#include "health/contracts/cause.h"

#define EXPIRY_AHEAD_S 60u
#define AUDIT_PAGE_MAX ((size_t)2 << 20)
#define ONE_OF_MANY_MS 20000u /* for a node's whole answer, if there are others to ask */

/* What is signed: docs/wire-formats.md §5. */
struct blob_request {
	const char *action; /* "put", "get", "part", "audit", "release 0x…" */
	enum http_method method;
	const addr20 *gate; /* NULL: the statement about the outer seal, which everybody may have */
	const hash32 *name;
	uint32_t part; /* of an audit: `before` */
	struct bytes body;
	const hash32 *root; /* of an audit; NULL: none */
};

hash32 blob_said_digest(const struct blob_said *said, uint64_t chain_id, const hash32 *genesis) {
	const struct eip712_domain domain = {.name = "xinglin blob",
	    .version = "1",
	    .chain_id = u256_from(chain_id),
	    .verifying_contract = said->gate,
	    .salt = genesis};
	struct eip712_struct s =
	    eip712_begin("BlobRequest(string action,address node,bytes32 name,uint32 part,uint64 expiry,uint64 nonce)");
	eip712_put_bytes(&s, bytes_text(said->action));
	eip712_put_address(&s, said->node);
	eip712_put_hash32(&s, said->name);
	eip712_put_u64(&s, said->part);
	eip712_put_u64(&s, said->expiry_s);
	eip712_put_u64(&s, said->nonce);
	const hash32 domain_hash = eip712_domain_hash(&domain), struct_hash = eip712_end(&s);
	return eip712_digest(&domain_hash, &struct_hash);
}

static enum status authorization(
    struct buf *out, const struct blob_asker *asker, const struct blob_request *request, struct err *err) {
	const struct clock_source *clock = client_options_of(asker->client)->clock;
	uint64_t expiry = clock_now_ms(clock) / 1000 + EXPIRY_AHEAD_S, nonce;
	random_fill(asker->random, &nonce, sizeof nonce);
	const struct blob_said said = {
	    request->action, asker->node, request->gate, request->name, request->part, expiry, nonce};
	const hash32 digest = blob_said_digest(&said, client_chain_id(asker->client), asker->genesis);
	struct eth_signature signature;
	addr20 account;
	TRY(address_of_secret(&account, asker->secret));
	TRY(eth_sign_digest(&signature, asker->secret, &digest));
	buf_text(out, "Authorization: Xinglin account=");
	hex_put(out, BYTES_OF(account), true);
	buf_printf(out, ",expiry=%llu,nonce=%llu,signature=", (unsigned long long)expiry, (unsigned long long)nonce);
	hex_put(out, BYTES_OF(signature), true);
	return buf_status(out, err);
}

static void put_url(struct buf *out, const char *base, const struct blob_request *request) {
	size_t len = strlen(base);
	while (len && base[len - 1] == '/') len--;
	buf_append(out, bytes_make(base, len));
	if (!request->gate) return buf_text(out, "/members/seal");
	buf_text(out, "/blobs/");
	hex_put(out, BYTES_OF(*request->gate), true);
	buf_byte(out, '/');
	hex_put(out, BYTES_OF(*request->name), true);
	if (strcmp(request->action, "part") == 0) buf_printf(out, "/%u", request->part);
	if (strcmp(request->action, "audit") == 0) buf_text(out, "/audit");
	if (request->method == HTTP_POST) buf_text(out, "/release");
	if (strcmp(request->action, "audit") == 0 && request->part != 0) buf_printf(out, "?before=%u", request->part);
	if (request->root) {
		buf_text(out, "?root=");
		hex_put(out, BYTES_OF(*request->root), true);
	}
}

/* The node's `now` of a problem with the code "clock", beside this computer's. */
static void explain_clock(struct blob_verdict *verdict, const struct json *now, uint64_t here_s) {
	uint64_t there_s;
	if (!json_u64(&there_s, now) || there_s == here_s) return;
	snprintf(verdict->detail, sizeof verdict->detail,
	    "this computer's clock is %llu seconds %s the node's; %u are allowed",
	    (unsigned long long)(here_s > there_s ? here_s - there_s : there_s - here_s),
	    here_s > there_s ? "ahead of" : "behind", EXPIRY_AHEAD_S);
}

unsigned blob_verdict_cause(const struct blob_verdict *verdict) {
	return strcmp(verdict->code, "clock") == 0 ? CAUSE_CLOCKS_DIFFER : CAUSE_NONE;
}

/* RFC 9457: the code and the detail. */
static void read_problem(struct blob_verdict *verdict, struct bytes body, uint64_t here_s) {
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	if (json_parse(&root, &arena, body, NULL, NULL) == STATUS_OK) {
		struct bytes code = json_string(json_get(root, "code")), detail = json_string(json_get(root, "detail"));
		snprintf(verdict->code, sizeof verdict->code, "%.*s", (int)code.len, (const char *)code.data);
		snprintf(verdict->detail, sizeof verdict->detail, "%.*s", (int)detail.len, (const char *)detail.data);
		if (strcmp(verdict->code, "clock") == 0) explain_clock(verdict, json_get(root, "now"), here_s);
	}
	arena_fini(&arena);
	if (!verdict->detail[0])
		snprintf(verdict->detail, sizeof verdict->detail, "the node answers with HTTP status %d",
		    verdict->http_status);
}

static enum status begin_exchange(const struct blob_asker *asker, const struct blob_request *request, struct err *err) {
	const struct client_options *options = client_options_of(asker->client);
	TRY(client_begin_exchange(asker->client, err));
	const uint64_t deadline_ms = asker->client->deadline_ms, now_ms = clock_now_ms(options->clock);
	const bool is_short = deadline_ms != 0 && deadline_ms < now_ms + ONE_OF_MANY_MS;
	if (request->method != HTTP_PUT && asker->other_count > 0 && !is_short && options->http->limit)
		options->http->limit(options->http->context, ONE_OF_MANY_MS);
	return STATUS_OK;
}

static enum status ask(const struct blob_asker *asker, const char *base, struct http_response *response,
    struct blob_verdict *verdict, const struct blob_request *request, struct err *err) {
	const struct http_client *http = client_options_of(asker->client)->http;
	struct buf url, header;
	buf_init(&url, 1024);
	buf_init(&header, 1024);
	put_url(&url, base, request);
	enum status status = buf_status(&url, err);
	if (status == STATUS_OK && request->gate) status = authorization(&header, asker, request, err);
	if (status == STATUS_OK && !request->gate) buf_text(&header, "Accept: application/octet-stream");
	if (status == STATUS_OK) status = begin_exchange(asker, request, err);
	if (status == STATUS_OK) {
		const char *headers[] = {buf_cstr(&header), "Content-Type: application/octet-stream", NULL};
		status = http->exchange(
		    http->context, response, request->method, buf_cstr(&url), headers, request->body, err);
	}
	buf_fini(&url);
	buf_fini(&header);
	if (status != STATUS_OK) return err_prefix(err, status, "blobs at %s", base);
	*verdict = (struct blob_verdict){.ok = response->status / 100 == 2, .http_status = response->status};
	if (!verdict->ok)
		read_problem(
		    verdict, buf_view(&response->body), clock_now_ms(client_options_of(asker->client)->clock) / 1000);
	return STATUS_OK;
}

/* One node's answer. */
struct given {
	struct http_response response;
	struct blob_verdict verdict;
	enum status status;
	struct err err;
};

static void get_at(const struct blob_asker *asker, struct given *given, const char *base,
    const struct blob_request *request, size_t max) {
	http_response_init(&given->response, max);
	given->verdict = (struct blob_verdict){0};
	given->err = (struct err){0};
	given->status = ask(asker, base, &given->response, &given->verdict, request, &given->err);
}

/* Is there nothing to gain from another node? `blob` NULL: whatever is given may be it, and a refusal stands, since the
 * gate would be asked the same elsewhere. */
static bool is_settled(const struct given *given, const hash32 *blob) {
	struct container container;
	if (given->status != STATUS_OK) return false;
	if (blob == NULL) return given->verdict.ok || given->verdict.http_status == 403;
	if (!given->verdict.ok || container_decode(&container, buf_view(&given->response.body), NULL) != STATUS_OK)
		return false;
	const hash32 name = container_name(&container);
	return hash32_equal(&name, blob);
}

static enum status get(const struct blob_asker *asker, struct buf *out, struct blob_verdict *verdict,
    const struct blob_request *request, size_t max, const hash32 *blob, struct err *err) {
	struct given first, other;
	const struct given *best = &first;
	get_at(asker, &first, client_url(asker->client), request, max);
	for (size_t i = 0; i < asker->other_count && best == &first && !is_settled(&first, blob); i++) {
		const char *url = asker->others[i].url;
		if (strcmp(url, client_url(asker->client)) == 0) continue;
		get_at(asker, &other, url, request, max);
		if (is_settled(&other, blob) && other.verdict.ok)
			best = &other;
		else
			http_response_fini(&other.response);
	}
	enum status status = best->status;
	*verdict = best->verdict;
	if (status != STATUS_OK && err) *err = best->err;
	if (status == STATUS_OK && verdict->ok) {
		buf_append(out, buf_view(&best->response.body));
		status = buf_status(out, err);
	}
	http_response_fini(&first.response);
	if (best == &other) http_response_fini(&other.response);
	return status;
}

enum status blobs_put(const struct blob_asker *asker, struct holders *holders, struct blob_verdict *verdict,
    const addr20 *gate, struct bytes container, struct err *err) {
	struct container decoded;
	TRY(container_decode(&decoded, container, err));
	*holders = (struct holders){.blob = {.genesis = asker->genesis,
					.gate = *gate,
					.blob = container_name(&decoded),
					.size_bytes = container.len}};
	TRY(address_of_secret(&holders->blob.putter, asker->secret));
	struct blob_request request = {"put", HTTP_PUT, gate, &holders->blob.blob, 0, container, NULL};
	struct http_response response;
	http_response_init(&response, 1 << 16);
	enum status status = ask(asker, client_url(asker->client), &response, verdict, &request, err);
	if (status == STATUS_OK && verdict->ok) holders_read(holders, buf_view(&response.body));
	http_response_fini(&response);
	return status;
}

enum status blobs_get(const struct blob_asker *asker, struct buf *container, struct blob_verdict *verdict,
    const addr20 *gate, const hash32 *item, const hash32 *blob, struct err *err) {
	struct blob_request request = {"get", HTTP_GET, gate, item, 0, {NULL, 0}, NULL};
	return get(asker, container, verdict, &request, CONTAINER_BYTES_MAX, blob, err);
}

enum status blobs_get_part(const struct blob_asker *asker, struct buf *part, struct blob_verdict *verdict,
    const addr20 *gate, const hash32 *item, uint32_t index, struct err *err) {
	struct blob_request request = {"part", HTTP_GET, gate, item, index, {NULL, 0}, NULL};
	return get(asker, part, verdict, &request, CONTAINER_PART_MAX, NULL, err);
}

enum status blobs_get_audit(const struct blob_asker *asker, struct buf *json, struct blob_verdict *verdict,
    const struct blob_audit_wish *wish, struct err *err) {
	struct blob_request request = {
	    "audit", HTTP_GET, wish->gate, wish->folder, wish->before, {NULL, 0}, wish->before ? NULL : wish->root};
	struct blob_asker alone = *asker; /* each node has its own */
	alone.other_count = 0;
	return get(&alone, json, verdict, &request, AUDIT_PAGE_MAX, NULL, err);
}

/* --- the outer seal --- */

static enum status ask_one(const struct blob_asker *asker, struct buf *out, struct blob_verdict *verdict, size_t node,
    const struct blob_request *request, size_t max, struct err *err) {
	struct http_response response;
	*verdict = (struct blob_verdict){0};
	if (node > asker->other_count) return STATUS_NOTFOUND;
	http_response_init(&response, max);
	const char *url = node == 0 ? client_url(asker->client) : asker->others[node - 1].url;
	enum status status = ask(asker, url, &response, verdict, request, err);
	if (status == STATUS_OK && verdict->ok) {
		buf_append(out, buf_view(&response.body));
		status = buf_status(out, err);
	}
	http_response_fini(&response);
	return status;
}

enum status blobs_release(const struct blob_asker *asker, struct buf *parts, struct blob_verdict *verdict, size_t node,
    const addr20 *gate, const hash32 *item, struct bytes wish, struct err *err) {
	char action[OUTER_ACTION_BYTES];
	outer_action(action, wish);
	const struct blob_request request = {action, HTTP_POST, gate, item, 0, wish, NULL};
	return ask_one(asker, parts, verdict, node, &request, OUTER_PARTS_MAX, err);
}

enum status blobs_get_statement(
    const struct blob_asker *asker, struct buf *statement, struct blob_verdict *verdict, size_t node, struct err *err) {
	const struct blob_request request = {"get", HTTP_GET, NULL, NULL, 0, {NULL, 0}, NULL};
	return ask_one(asker, statement, verdict, node, &request, OUTER_STATEMENT_MAX, err);
}
