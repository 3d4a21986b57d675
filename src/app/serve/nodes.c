#include "app/serve/nodes.h"

#include <stdio.h>

#include "app/bearer.h"
#include "app/serve/periodic.h"
#include "app/system.h"
#include "base/log.h"
#include "codec/hex.h"
#include "net/http_client.h"

#define PROBE_MS 2000u
#define PROBE_EVERY_MS 1000u
#define ANSWER_MAX ((size_t)64 << 10)
#define URL_MAX 2048u
#define ERROR_MAX 1024u /* of an answer that says only that something is pruned */
#define BEHIND_BLOCKS 64u

enum node_health { NODE_UNKNOWN, NODE_UP, NODE_DOWN, NODE_FOREIGN, NODE_BEHIND };
static const char *const health_texts[] = {
    "not asked yet", "answers", "does not answer", "is of another chain", "is behind the others"};

struct one_node {
	char *url; /* without a '/' at its end */
	atomic_int health;
	atomic_ullong head, asked, failed;
};

struct nodes {
	struct one_node list[NODES_MAX];
	size_t count;
	atomic_size_t preferred;
	uint64_t chain_id;
	hash32 genesis;
	struct periodic *watch;
	struct bearer *bearer; /* NULL: the nodes ask for none */
};

enum status nodes_new(
    struct nodes **out, const char *const *urls, uint64_t chain_id, const hash32 *genesis, struct err *err) {
	struct nodes *nodes = mem_zalloc(1, sizeof *nodes);
	nodes->chain_id = chain_id;
	nodes->genesis = *genesis;
	for (; urls && urls[nodes->count] && nodes->count < NODES_MAX; nodes->count++) {
		char *url = mem_strdup(urls[nodes->count]);
		size_t len = strlen(url);
		if (len && url[len - 1] == '/') url[len - 1] = 0;
		nodes->list[nodes->count].url = url;
	}
	if (nodes->count && !urls[nodes->count]) {
		*out = nodes;
		return STATUS_OK;
	}
	nodes_free(nodes);
	return err_set(err, STATUS_INVALID, "1 to %u nodes are taken", NODES_MAX);
}

enum status nodes_show_token(struct nodes *nodes, const char *path, struct err *err) {
	return bearer_open(&nodes->bearer, path, &world_clock, err);
}

void nodes_free(struct nodes *nodes) {
	if (!nodes) return;
	bearer_close(nodes->bearer);
	for (size_t i = 0; i < nodes->count; i++) mem_free(nodes->list[i].url);
	mem_free(nodes);
}

const char *nodes_url(const struct nodes *nodes) {
	return nodes->list[0].url;
}

/* Says so once, when it changes. `why` may be empty. */
static void set_health(struct one_node *node, enum node_health health, const char *why) {
	int before = atomic_exchange(&node->health, (int)health);
	if (before == (int)health) return;
	const struct log_field fields[] = {LOG_TEXT("node", node->url), LOG_TEXT("why", why)};
	log_event(&(struct log_event){
	    health == NODE_UP ? LOG_INFO : LOG_WARN, "nodes", health_texts[health], fields, *why ? 2 : 1});
}

/* --- clients --- */

struct failover {
	struct http_client inner;
	struct nodes *nodes;
};

static bool may_ask(const struct one_node *node, bool also_down) {
	int health = atomic_load(&node->health);
	return health != NODE_FOREIGN && (also_down || (health != NODE_DOWN && health != NODE_BEHIND));
}

struct asking {
	struct http_response *response;
	enum http_method method;
	const char *path; /* behind the node's URL */
	const char *const *headers;
	struct bytes body;
};

static bool is_no_answer(enum status status, const struct http_response *response) {
	if (status == STATUS_OK) return response->status == 502 || response->status == 504; /* a proxy before it */
	return status == STATUS_IO || status == STATUS_TIMEOUT;
}

static enum status ask(struct failover *client, struct one_node *node, const struct asking *asking, struct err *err) {
	char url[URL_MAX];
	if ((size_t)snprintf(url, sizeof url, "%s%s", node->url, asking->path) >= sizeof url)
		return err_set(err, STATUS_LIMIT, "the URL is too long");
	buf_clear(&asking->response->body);
	buf_clear(&asking->response->headers);
	atomic_fetch_add_explicit(&node->asked, 1, memory_order_relaxed);
	struct arena arena;
	arena_init(&arena);
	const char *const *headers = bearer_headers(client->nodes->bearer, &arena, asking->headers);
	const enum status status = client->inner.exchange(
	    client->inner.context, asking->response, asking->method, url, headers, asking->body, err);
	arena_fini(&arena);
	return status;
}

/* It does not keep what was asked for (EIP-4444's code): another one may. */
static bool is_pruned(const struct http_response *response) {
	static const char code[] = "\"code\":4444";
	const struct bytes body = buf_view(&response->body);
	if (response->status != 200 || body.len > ERROR_MAX || body.len < sizeof code) return false;
	return memmem(body.data, body.len, code, sizeof code - 1) != NULL;
}

/* From the preferred one on; first those that are thought to answer, then all. */
static enum status exchange(void *context, struct http_response *response, enum http_method method, const char *url,
    const char *const *headers, struct bytes body, struct err *err) {
	struct failover *client = context;
	struct nodes *nodes = client->nodes;
	size_t base = strlen(nodes_url(nodes)), first = atomic_load(&nodes->preferred);
	if (strncmp(url, nodes_url(nodes), base) != 0)
		return client->inner.exchange(client->inner.context, response, method, url, headers, body, err);
	const struct asking asking = {response, method, url + base, headers, body};
	enum status status = err_set(err, STATUS_IO, "no node of this chain answers");
	for (size_t i = 0; i < 2 * nodes->count; i++) {
		size_t at = (first + i) % nodes->count;
		struct one_node *node = &nodes->list[at];
		bool is_second_round = i >= nodes->count;
		if (!may_ask(node, is_second_round) || (is_second_round && may_ask(node, false))) continue;
		status = ask(client, node, &asking, err);
		if (status == STATUS_OK && is_pruned(response) && i + 1 < nodes->count) continue;
		/* A signed transaction that is handed to a second node is the same one: it stands in a block once. */
		if (!is_no_answer(status, response)) {
			atomic_store(&nodes->preferred, at);
			return status;
		}
		atomic_fetch_add_explicit(&node->failed, 1, memory_order_relaxed);
		set_health(node, NODE_DOWN, status != STATUS_OK && err ? err->message : "");
	}
	return status;
}

static void limit(void *context, uint32_t timeout_ms) {
	struct failover *client = context;
	if (client->inner.limit) client->inner.limit(client->inner.context, timeout_ms);
}

static enum status open_client(void *context, struct http_client *out, struct err *err) {
	struct failover *client = mem_zalloc(1, sizeof *client);
	client->nodes = context;
	enum status status = http_client_open(&client->inner, &(struct http_client_options){.timeout_ms = 60000}, err);
	if (status != STATUS_OK) {
		mem_free(client);
		return status;
	}
	*out = (struct http_client){.exchange = exchange, .context = client, .limit = limit};
	return STATUS_OK;
}

static void close_client(void *context, struct http_client *client) {
	(void)context;
	struct failover *failover = client->context;
	if (!failover) return;
	http_client_close(&failover->inner);
	mem_free(failover);
	client->context = NULL;
}

struct client_maker nodes_maker(struct nodes *nodes) {
	return (struct client_maker){open_client, close_client, nodes};
}

/* --- looking at them --- */

static const char probe_body[] =
    "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]},"
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_getBlockByNumber\",\"params\":[\"0x0\",false]},"
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"eth_blockNumber\",\"params\":[]}]";

static const struct json *result_of(const struct json *root, uint64_t wanted) {
	json_foreach (answer, root) {
		uint64_t id;
		if (json_u64(&id, json_get(answer, "id")) && id == wanted) return json_get(answer, "result");
	}
	return NULL;
}

static enum node_health judge(const struct nodes *nodes, struct one_node *node, const struct json *root) {
	uint64_t chain_id, head;
	hash32 genesis;
	bool is_whole = hex_quantity(&chain_id, json_string(result_of(root, 1))) == STATUS_OK &&
			hex_fixed(genesis.b, 32, json_string(json_get(result_of(root, 2), "hash"))) == STATUS_OK &&
			hex_quantity(&head, json_string(result_of(root, 3))) == STATUS_OK;
	if (!is_whole) return NODE_DOWN;
	if (chain_id != nodes->chain_id || !hash32_equal(&genesis, &nodes->genesis)) return NODE_FOREIGN;
	atomic_store(&node->head, head);
	return atomic_load(&node->health) == NODE_BEHIND ? NODE_BEHIND : NODE_UP;
}

static bool answers(const struct one_node *node) {
	const int health = atomic_load(&node->health);
	return health == NODE_UP || health == NODE_BEHIND;
}

/* A node is behind if two others are far ahead of it: what one alone claims makes nobody else look old. */
static void find_behind(struct nodes *nodes) {
	for (size_t i = 0; i < nodes->count; i++) {
		struct one_node *node = &nodes->list[i];
		size_t ahead = 0;
		for (size_t k = 0; k < nodes->count; k++)
			ahead += answers(&nodes->list[k]) &&
				 atomic_load(&nodes->list[k].head) > atomic_load(&node->head) + BEHIND_BLOCKS;
		if (answers(node)) set_health(node, ahead >= 2 ? NODE_BEHIND : NODE_UP, "");
	}
}

static void probe(struct nodes *nodes, struct http_client *client, struct one_node *node) {
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	struct http_response response;
	struct arena arena;
	const struct json *root;
	struct err err;
	arena_init(&arena);
	http_response_init(&response, ANSWER_MAX);
	enum status status = client->exchange(client->context, &response, HTTP_POST, node->url,
	    bearer_headers(nodes->bearer, &arena, headers), bytes_make(probe_body, sizeof probe_body - 1), &err);
	if (status == STATUS_OK) status = json_parse(&root, &arena, buf_view(&response.body), NULL, &err);
	if (status == STATUS_OK)
		set_health(node, judge(nodes, node, root), "");
	else
		set_health(node, NODE_DOWN, err.message);
	http_response_fini(&response);
	arena_fini(&arena);
}

enum status nodes_probe(struct nodes *nodes, struct err *err) {
	struct http_client client = {0};
	size_t foreign = 0, up = 0;
	TRY(http_client_open(
	    &client, &(struct http_client_options){.connect_timeout_ms = PROBE_MS, .timeout_ms = PROBE_MS}, err));
	for (size_t i = 0; i < nodes->count; i++) {
		probe(nodes, &client, &nodes->list[i]);
		foreign += atomic_load(&nodes->list[i].health) == NODE_FOREIGN;
		up += answers(&nodes->list[i]);
	}
	http_client_close(&client);
	find_behind(nodes);
	if (foreign && up == 0)
		return err_set(
		    err, STATUS_DENIED, "no node is of the deployment's chain: its chain id or genesis differs");
	return STATUS_OK;
}

static void look(void *context) {
	struct err err;
	if (nodes_probe(context, &err) != STATUS_OK) log_debug("nodes", "%s", err.message);
}

enum status nodes_watch_start(struct nodes *nodes, struct err *err) {
	const struct periodic_work work = {"the nodes' watch", PROBE_EVERY_MS, look, nodes};
	return periodic_start(&nodes->watch, &work, err);
}

void nodes_watch_stop(struct nodes *nodes) {
	if (!nodes) return;
	periodic_stop(nodes->watch);
	nodes->watch = NULL;
}

bool nodes_any_is_up(const struct nodes *nodes) {
	for (size_t i = 0; i < nodes->count; i++)
		if (answers(&nodes->list[i])) return true;
	return false;
}

uint64_t nodes_head(const struct nodes *nodes) {
	uint64_t newest = 0;
	for (size_t i = 0; i < nodes->count; i++) {
		uint64_t head = atomic_load(&nodes->list[i].head);
		if (answers(&nodes->list[i]) && head > newest) newest = head;
	}
	return newest;
}

/* --- what operators see --- */

/* Ready with one that answers; the detail names all that do not. */
void nodes_check(const struct nodes *nodes, struct readiness *out) {
	size_t up = 0;
	char others[120] = "";
	for (size_t i = 0; i < nodes->count; i++) {
		int health = atomic_load(&nodes->list[i].health);
		up += health == NODE_UP;
		if (health != NODE_UP && !others[0])
			snprintf(others, sizeof others, "; %s %s", nodes->list[i].url, health_texts[health]);
	}
	readiness_add(out, "node", up > 0, "%zu of %zu answer%s", up, nodes->count, others);
}

static void write_family(const struct nodes *nodes, struct buf *out, const char *name, size_t member) {
	for (size_t i = 0; i < nodes->count; i++) {
		const struct one_node *node = &nodes->list[i];
		char labels[URL_MAX + 16];
		snprintf(labels, sizeof labels, "node=\"%s\"", node->url);
		const uint64_t values[] = {atomic_load(&node->health) == NODE_UP, atomic_load(&node->head),
		    atomic_load(&node->asked), atomic_load(&node->failed)};
		metric_line(out, name, labels, values[member]);
	}
}

void nodes_metrics(const struct nodes *nodes, struct buf *out) {
	static const char *const families[][3] = {{"node_up", "gauge", "Does this node answer, for the right chain?"},
	    {"node_head_block", "gauge", "Number of its newest block."},
	    {"node_requests_total", "counter", "Requests that it was sent."},
	    {"node_failures_total", "counter", "Requests that it did not answer."}};
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		metric_begin(out, families[i][1], families[i][0], families[i][2]);
		write_family(nodes, out, families[i][0], i);
	}
}
