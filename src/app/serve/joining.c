#include "app/serve/joining.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "comet/light.h"
#include "comet/light_json.h"
#include "crypto/hash.h"
#include "net/http_client.h"

enum { ANSWER_MAX = 4 << 20, ASKING_MS = 5000, URL_MAX = 2048, NODE_ID = 40, AHEAD_S = 60 };
/* A follower takes nobody but members and its own followers as a peer. */
static const char FOLLOWER[] = "follower";

struct asking {
	struct http_client http;
	struct http_response response;
	struct arena arena;
	const char *url; /* of the node that is asked */
};

/* --- one question --- */

/* The URL's length without a slash at its end. */
static size_t base_of(const char *url) {
	const size_t len = strlen(url);
	return len > 0 && url[len - 1] == '/' ? len - 1 : len;
}

static enum status post(
    struct asking *asking, const struct json **out, const char *path, const char *request, struct err *err) {
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	char url[URL_MAX];
	const struct json *answer;
	if ((size_t)snprintf(url, sizeof url, "%.*s%s", (int)base_of(asking->url), asking->url, path) >= sizeof url)
		return err_set(err, STATUS_INVALID, "the URL is too long");
	TRY(asking->http.exchange(
	    asking->http.context, &asking->response, HTTP_POST, url, headers, bytes_text(request), err));
	const struct bytes text = arena_dup(&asking->arena, buf_view(&asking->response.body));
	if (json_parse(&answer, &asking->arena, text, NULL, err) != STATUS_OK)
		return err_set(
		    err, STATUS_DENIED, "%s answers what is not JSON (HTTP %d)", url, asking->response.status);
	*out = json_get(answer, "result");
	return *out != NULL ? STATUS_OK : err_set(err, STATUS_DENIED, "%s refuses to answer", url);
}

static enum status ask(
    struct asking *asking, const struct json **out, const char *method, uint64_t height, struct err *err) {
	char request[256], at[64] = "";
	if (height > 0) snprintf(at, sizeof at, "\"height\":\"%llu\",", (unsigned long long)height);
	snprintf(request, sizeof request,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s\"per_page\":\"100\"}}", method, at);
	if (strcmp(method, "validators") != 0) /* which alone has pages */
		snprintf(request, sizeof request, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%.*s}}",
		    method, at[0] ? (int)strlen(at) - 1 : 0, at);
	return post(asking, out, "/comet", request, err);
}

/* --- peers --- */

static bool is_plain(struct bytes text, const char *allowed) {
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == 0 || strchr(allowed, text.data[i]) == NULL) return false;
	return text.len > 0;
}

static bool is_known(const struct buf *peers, struct bytes id) {
	for (size_t at = 0; at + id.len <= peers->len; at++)
		if (memcmp(peers->data + at, id.data, id.len) == 0) return true;
	return false;
}

/* The port of "tcp://0.0.0.0:26656". */
static struct bytes port_of(struct bytes address) {
	size_t at = address.len;
	while (at > 0 && address.data[at - 1] != ':') at--;
	return bytes_slice(address, at, address.len);
}

static void add_peer(struct buf *peers, const struct json *info, struct bytes host) {
	const struct bytes id = json_string(json_get(info, "id"));
	const struct bytes port = port_of(json_string(json_get(info, "listen_addr")));
	const bool is_follower = json_string_is(json_get(info, "moniker"), FOLLOWER);
	if (is_follower || id.len != NODE_ID || !is_plain(id, "0123456789abcdef") || is_known(peers, id)) return;
	if (!is_plain(port, "0123456789") ||
	    !is_plain(host, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-"))
		return;
	if (peers->len > 0) buf_byte(peers, ',');
	buf_append(peers, id);
	buf_byte(peers, '@');
	buf_append(peers, host);
	buf_byte(peers, ':');
	buf_append(peers, port);
}

/* The host of the node's URL is where its CometBFT is, too. */
static struct bytes host_of(const char *url) {
	const char *at = strstr(url, "://");
	at = at != NULL ? at + 3 : url;
	return bytes_make((const uint8_t *)at, strcspn(at, ":/"));
}

/* Who is asked serves its blobs at the same place. */
static void add_blob_peer(struct asking *asking, struct buf *peers, const struct json *info) {
	const struct bytes id = json_string(json_get(info, "id"));
	if (id.len != NODE_ID || !is_plain(id, "0123456789abcdef") || is_known(peers, id)) return;
	if (peers->len > 0) buf_byte(peers, ',');
	buf_text(peers, "0x");
	buf_append(peers, id);
	buf_byte(peers, '@');
	buf_append(peers, bytes_make((const uint8_t *)asking->url, base_of(asking->url)));
}

static enum status find_peers(struct asking *asking, struct buf *peers, struct buf *blob_peers, struct err *err) {
	const struct json *status, *net;
	TRY(ask(asking, &status, "status", 0, err));
	TRY(ask(asking, &net, "net_info", 0, err));
	add_peer(peers, json_get(status, "node_info"), host_of(asking->url));
	add_blob_peer(asking, blob_peers, json_get(status, "node_info"));
	json_foreach (peer, json_get(net, "peers"))
		add_peer(peers, json_get(peer, "node_info"), json_string(json_get(peer, "remote_ip")));
	return STATUS_OK;
}

/* --- a snapshot --- */

static void find_snapshot(struct asking *asking, uint64_t *newest) {
	const struct json *list;
	uint64_t height;
	static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"xinglin_snapshots\",\"params\":[]}";
	if (post(asking, &list, "/", request, NULL) != STATUS_OK) return;
	json_foreach (one, list)
		if (hex_quantity(&height, json_string(json_get(one, "height"))) == STATUS_OK && height > *newest)
			*newest = height;
}

/* --- a block to trust --- */

static int compare(const void *a, const void *b) {
	const struct comet_validator *left = a, *right = b;
	if (left->power != right->power) return left->power > right->power ? -1 : 1;
	return memcmp(left->address.b, right->address.b, sizeof left->address.b);
}

static bool read_validator(struct comet_validator *out, const struct json *json) {
	struct json power = {.type = JSON_NUMBER, .text = json_string(json_get(json, "power"))};
	struct buf key;
	buf_init(&key, sizeof out->key + 3);
	const bool good = power.text.len > 0 && json_u64(&out->power, &power) &&
			  base64_data(&key, json_string(json_get(json_get(json, "pub_key"), "value"))) == STATUS_OK &&
			  key.len == sizeof out->key;
	if (good) memcpy(out->key.b, key.data, sizeof out->key);
	buf_fini(&key);
	const hash32 hash = sha256(BYTES_OF(out->key));
	memcpy(out->address.b, hash.b, sizeof out->address.b);
	return good;
}

/* The validators of the network's genesis: they decide height 1. */
static enum status trust_genesis(
    struct comet_trusted *out, struct bytes *chain_id, struct arena *arena, struct bytes text, struct err *err) {
	const struct json *genesis;
	*out = (struct comet_trusted){0};
	TRY(json_parse(&genesis, arena, text, NULL, err));
	*chain_id = json_string(json_get(genesis, "chain_id"));
	bool good = chain_id->len > 0 && comet_time_parse(&out->time, json_string(json_get(genesis, "genesis_time")));
	json_foreach (one, json_get(genesis, "validators")) {
		good = good && out->validators.count < COMET_VALIDATORS_MAX &&
		       read_validator(&out->validators.list[out->validators.count++], one);
	}
	if (!good) return err_set(err, STATUS_INVALID, "comet-genesis.json is not one of CometBFT's");
	out->time.s -= 1; /* block 1 has the genesis' own time */
	qsort(out->validators.list, out->validators.count, sizeof *out->validators.list, compare);
	TRY(comet_validators_make(&out->validators, err));
	out->next_validators = out->validators.hash;
	return STATUS_OK;
}

static enum status get_block(void *context, struct comet_light_block *out, uint64_t height, struct err *err) {
	struct asking *asking = context;
	const struct json *commit, *validators;
	struct json spelled = {.type = JSON_NUMBER};
	TRY(ask(asking, &commit, "commit", height, err));
	spelled.text = json_string(json_get(json_get(json_get(commit, "signed_header"), "header"), "height"));
	if (spelled.text.len == 0 || !json_u64(&height, &spelled))
		return err_set(err, STATUS_DENIED, "%s shows a commit without a height", asking->url);
	TRY(ask(asking, &validators, "validators", height, err));
	return comet_light_block_of_json(out, &asking->arena, commit, validators, err);
}

static enum status find_trust(
    struct asking *asking, struct joining_found *out, const struct joining *joining, struct err *err) {
	struct comet_trusted trusted;
	struct comet_light_block newest;
	struct comet_rules rules = {
	    .now = comet_time_of_ms(joining->now_ms), .trust_s = JOINING_TRUST_DAYS * 86400u, .ahead_s = AHEAD_S};
	const struct comet_source source = {get_block, asking};
	TRY(trust_genesis(&trusted, &rules.chain_id, &asking->arena, joining->comet_genesis, err));
	TRY(get_block(asking, &newest, 0, err));
	TRY(comet_light_follow(&trusted, &newest, &rules, &source, err));
	out->height = newest.header.height;
	out->hash = newest.header.hash;
	return STATUS_OK;
}

/* --- all nodes --- */

static enum status ask_all(struct asking *asking, struct joining_found *out, struct buf *peers, struct buf *blob_peers,
    const struct joining *joining, struct err *err) {
	enum status trust = joining->height > 0 ? STATUS_OK : STATUS_IO;
	size_t answered = 0;
	for (size_t i = 0; joining->urls[i] != NULL; i++) {
		asking->url = joining->urls[i];
		const enum status status = find_peers(asking, peers, blob_peers, err);
		if (status != STATUS_OK) {
			log_warn("joining", "%s: %s", asking->url, err->message);
			continue;
		}
		answered++;
		find_snapshot(asking, &out->snapshot);
		if (trust != STATUS_OK) trust = find_trust(asking, out, joining, err);
	}
	if (answered == 0) return err_set(err, STATUS_IO, "none of the nodes answers that --from names");
	if (trust != STATUS_OK)
		return err_prefix(err, trust, "no block is proved by the network's genesis; name one with --trust");
	return STATUS_OK;
}

enum status joining_find(struct joining_found *out, struct buf *peers, struct buf *blob_peers,
    const struct joining *joining, struct err *err) {
	struct asking asking = {0};
	*out = (struct joining_found){.height = joining->height, .hash = joining->hash};
	const struct http_client_options options = {.timeout_ms = ASKING_MS, .connect_timeout_ms = ASKING_MS};
	TRY(http_client_open(&asking.http, &options, err));
	http_response_init(&asking.response, ANSWER_MAX);
	arena_init(&asking.arena);
	const enum status status = ask_all(&asking, out, peers, blob_peers, joining, err);
	arena_fini(&asking.arena);
	http_response_fini(&asking.response);
	http_client_close(&asking.http);
	return status == STATUS_OK ? buf_status(peers, err) : status;
}
