#include "app/serve/gateway_service.h"

#include <pthread.h>
#include <stdio.h>

#include "app/serve/follower.h"
#include "app/serve/nodes.h"
#include "app/serve/own_key.h"
#include "app/serve/periodic.h"
#include "app/serve/profile_files.h"
#include "app/serve/trustee.h"
#include "app/system.h"
#include "app/threads.h"
#include "base/files.h"
#include "health/gateway/epcis_routes.h"
#include "health/gateway/epcis_server.h"
#include "health/gateway/fhir_routes.h"
#include "health/gateway/fhir_server.h"
#include "health/gateway/gateway.h"
#include "health/gateway/look_book.h"
#include "health/gateway/organisations.h"
#include "health/index/index.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/worker_pool.h"

#define HTTP_THREADS 2u
#define CONNECTIONS_MAX 2048u
#define DEFERRED_MAX 1024u
#define QUEUE_MAX 1024u
#define DEPLOYMENT_MAX ((size_t)64 << 10)
#define WAITING_MAX (OUTBOX_ENTRIES_MAX / 10 * 9) /* near its bound it is not ready */
/* Beyond the request's own time, so that the gateway and not the server says that it is over. */
#define ANSWER_GRACE_MS 5000u
/* Beyond the drain's time, so that whoever waits for a block then is told that the record is kept (202). */
#define LET_GO_MS 1000u
#define LET_GO_EVERY_MS 50u
#define TEND_EVERY_MS 1000u
#define TRAIL_EVERY_MS 100u
#define OVERDUE_MS 1000u /* of a waiter whose deadline the outbox does not see, since it waits for a node itself */
#define NODE_WAIT_MS 50u
#define HOOK_CONNECT_MS 5000u
#define HOOK_ANSWER_MS 10000u
#define HOOK_ATTEMPTS_DEFAULT 20u
#define ANCHOR_MS_DEFAULT 60000u
#define ANCHOR_LOOK_MS 200u

struct gateway_service {
	struct gateway_service_options options;
	struct deployment deployment;
	struct nodes *nodes;
	struct client_maker maker, hooks;
	struct fhir_profiles *profiles; /* NULL: none */
	struct actor *actor;
	struct outbox *outbox;
	struct worker_pool *pool;
	struct gateway *gateway;
	struct fhir_server *fhir;
	struct epcis_server *epcis;
	struct router *router;
	struct http_service routes; /* the router's */
	struct http_metrics http;
	struct ops ops;
	struct ops_server *ops_server;
	struct http_server *server;
	pthread_t outbox_thread;
	struct trustee_service *trustee;
	struct own_key_watch *own_key;
	struct issuer_service *issuer; /* NULL: none */
	struct trail *trail;
	struct look_book *looks;
	struct index *index; /* of the actor's home */
	struct follower *follower;
	struct periodic *tending, *letting_go, *trailing, *anchoring;
	atomic_ullong let_go_at_ms; /* monotonic; when the drain's time is over */
	atomic_bool is_stopping, is_ending, is_sending;
	atomic_ullong min_free_bytes;
};

/* --- requests --- */

/* Who asks for a folder's looks shows a signature, and no token. */
static bool is_looks_path(struct bytes path) {
	const struct bytes blobs = BYTES_LITERAL("/blobs/");
	return bytes_equal(bytes_slice(path, 0, blobs.len), blobs);
}

static bool is_open_path(struct bytes path) {
	return bytes_equal(path, BYTES_LITERAL("/livez")) || bytes_equal(path, BYTES_LITERAL("/readyz"));
}

static void admit(void *context, struct http_exchange *exchange) {
	struct gateway_service *service = context;
	fhir_routes_trim(exchange);
	gateway_admit(
	    service->gateway, exchange, is_open_path(exchange->request.path) || is_looks_path(exchange->request.path));
	if (exchange->response.status == 0) service->routes.admit(service->routes.context, exchange);
	fhir_routes_translate(exchange);
	epcis_routes_translate(exchange);
}

static void refused(void *context, struct http_exchange *exchange) {
	(void)context;
	fhir_routes_translate(exchange);
	epcis_routes_translate(exchange);
}

static void handle(void *context, struct http_exchange *exchange) {
	struct gateway_service *service = context;
	service->routes.handle(service->routes.context, exchange);
}

static void answered(void *context, const struct http_exchange *exchange, uint64_t duration_ns) {
	struct gateway_service *service = context;
	const char *path = router_path(exchange);
	struct bytes id = gateway_request_id(exchange);
	char id_text[80], name[ASKER_NAME_BYTES];
	http_metrics_observe(&service->http, exchange, duration_ns);
	snprintf(id_text, sizeof id_text, "%.*s", (int)id.len, (const char *)id.data);
	gateway_note(service->gateway, exchange, name);
	const struct log_field fields[] = {LOG_TEXT("request", id_text),
	    LOG_TEXT("method", http_method_name(exchange->request.method)), LOG_TEXT("route", path ? path : "none"),
	    LOG_NUMBER("status", (uint64_t)exchange->response.status), LOG_NUMBER("microseconds", duration_ns / 1000),
	    LOG_TEXT("token", name)};
	bool is_health = is_open_path(exchange->request.path);
	log_event(&(struct log_event){is_health ? LOG_DEBUG : LOG_INFO, "gateway", "request", fields, 6});
}

static void handle_metrics(void *context, struct http_exchange *exchange) {
	struct gateway_service *service = context;
	if (gateway_allows(service->gateway, exchange, TOKEN_METRICS, NULL))
		ops_routes[OPS_HEALTH_COUNT].handle(&service->ops, exchange);
}

static const struct route metrics_route[] = {ROUTE(
    HTTP_GET, "/metrics", handle_metrics, "what it counted, for a token with that right", .gzip = HTTP_GZIP_ANSWERS)};

/* --- what operators see --- */

static void check(void *context, struct readiness *out) {
	struct gateway_service *service = context;
	struct outbox_counts counts = outbox_counts(service->outbox);
	bool is_sending = atomic_load(&service->is_sending);
	nodes_check(service->nodes, out);
	readiness_add(out, "outbox", is_sending && !counts.is_broken && counts.waiting < WAITING_MAX,
	    "%s; %zu wait, %zu are on their way",
	    counts.is_broken ? "its journal could not be synced, which needs a restart"
	    : is_sending     ? "runs"
			     : "does not run",
	    counts.waiting, counts.in_flight);
	follower_check(service->follower, out);
	issuer_service_check(service->issuer, out);
	const char *fault = look_book_fault(service->looks);
	readiness_add(out, "trail", trail_is_ready(service->trail) && !fault, "%s",
	    !trail_is_ready(service->trail) ? "what is asked cannot be written down"
	    : fault                         ? fault
					    : "what is asked can be written down");
	readiness_add_disk(out, service->options.home, atomic_load(&service->min_free_bytes));
}

static void write_metrics(void *context, struct buf *out) {
	struct gateway_service *service = context;
	struct outbox_counts outbox = outbox_counts(service->outbox);
	struct gateway_counts counts = gateway_counts(service->gateway);
	struct trail_counts trail = trail_counts(service->trail);
	nodes_metrics(service->nodes, out);
	follower_metrics(service->follower, out);
	trustee_service_metrics(service->trustee, out);
	own_key_watch_metrics(service->own_key, out);
	issuer_service_metrics(service->issuer, out);
	metric_put(
	    out, METRIC_GAUGE, "outbox_waiting", "Entries that were accepted and are not finished.", outbox.waiting);
	metric_put(out, METRIC_GAUGE, "outbox_in_flight", "Transactions without a receipt.", outbox.in_flight);
	metric_put(out, METRIC_COUNTER, "outbox_done_total", "Entries that are in a block.", outbox.done);
	metric_put(
	    out, METRIC_COUNTER, "outbox_refused_total", "Entries that were refused or reverted.", outbox.refused);
	metric_put(out, METRIC_COUNTER, "outbox_transactions_total", "Transactions signed.", outbox.transactions);
	metric_put(out, METRIC_COUNTER, "outbox_resent_total", "Transactions sent again.", outbox.resent);
	metric_put(
	    out, METRIC_GAUGE, "workers_waiting", "Tasks that wait for a worker.", worker_pool_waiting(service->pool));
	metric_put(
	    out, METRIC_GAUGE, "workers_running", "Tasks that workers carry out.", worker_pool_running(service->pool));
	metric_put(out, METRIC_COUNTER, "trail_entries_total", "Answers that were written down.", trail.added);
	metric_put(out, METRIC_COUNTER, "trail_lost_total", "Answers that the disk did not take down.", trail.lost);
	const struct look_book_counts looks = look_book_counts(service->looks);
	metric_put(out, METRIC_GAUGE, "looks_listed", "Entries of the trail that patients find.", looks.listed);
	metric_put(out, METRIC_GAUGE, "looks_anchored", "Entries of the trail that are anchored.", looks.anchored);
	metric_put(out, METRIC_GAUGE, "looks_anchored_at", "Unix time of the newest anchor.", looks.anchored_at_s);
	metric_put(out, METRIC_COUNTER, "records_added_total", "Records accepted.", counts.records_added);
	metric_put(out, METRIC_COUNTER, "records_read_total", "Records opened.", counts.records_read);
	metric_put(
	    out, METRIC_COUNTER, "records_refused_total", "Records that were not taken.", counts.records_refused);
}

/* --- opening --- */

static enum status read_deployment(struct gateway_service *service, struct err *err) {
	char path[4096];
	struct buf text;
	snprintf(path, sizeof path, "%s/deployment.json", service->options.home);
	buf_init(&text, DEPLOYMENT_MAX);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK) status = deployment_parse(&service->deployment, buf_view(&text), err);
	buf_fini(&text);
	return status == STATUS_OK ? status : err_prefix(err, status, "the home has no usable deployment");
}

static enum status open_actor(struct gateway_service *service, struct err *err) {
	const char *deployed[] = {service->deployment.rpc_url, NULL};
	const char *const *urls = service->options.nodes ? service->options.nodes : deployed;
	TRY(nodes_new(&service->nodes, urls, service->deployment.chain_id, &service->deployment.genesis, err));
	if (service->options.node_token) TRY(nodes_show_token(service->nodes, service->options.node_token, err));
	TRY(nodes_probe(service->nodes, err));
	service->maker = nodes_maker(service->nodes);
	struct actor_options options = {.directory = service->options.home,
	    .password = service->options.password,
	    .rpc_url = nodes_url(service->nodes),
	    .clients = &service->maker,
	    .clock = &world_clock,
	    .random = &world_random,
	    .sleep_ms = world_sleep_ms,
	    .threads = &system_threads,
	    .chain_id = service->deployment.chain_id,
	    .clients_max = service->options.workers + 4}; /* trustee, own key, follower, and one to spare */
	TRY(actor_open(&service->actor, &options, err));
	service->options.password = (struct bytes){NULL, 0};
	service->index = index_new(actor_home(service->actor), &system_threads);
	actor_keep_logs(service->actor, index_keeper(service->index));
	service->follower = follower_new(service->actor, service->index, service->nodes);
	return actor_outbox(service->actor, &service->outbox, err);
}

/* A file that was cut while it was written takes tokens away without a mistake in it: so the number is said. */
static void report_tokens(size_t count, const char *path) {
	const struct log_field fields[] = {LOG_NUMBER("tokens", count), LOG_TEXT("file", path)};
	if (count)
		log_event(&(struct log_event){LOG_INFO, "gateway", "tokens are taken", fields, 2});
	else
		log_event(&(struct log_event){
		    LOG_ERROR, "gateway", "the file of tokens holds none: nobody may ask", fields, 2});
}

static enum status load_tokens(struct gateway_service *service, const char *path, struct err *err) {
	struct buf text;
	buf_init(&text, TOKENS_FILE_MAX);
	enum status status = files_read(&text, path, err);
	if (status == STATUS_OK) {
		status = gateway_set_tokens(service->gateway, buf_view(&text), err);
		if (status != STATUS_OK) status = err_prefix(err, status, "%s", path);
	}
	buf_wipe(&text);
	if (status == STATUS_OK) report_tokens(gateway_token_count(service->gateway), path);
	return status;
}

/* No file: no certificate names an organisation. */
static enum status load_organisations(struct gateway_service *service, const char *path, struct err *err) {
	struct buf text;
	buf_init(&text, ORGANISATIONS_FILE_MAX);
	enum status status = path ? files_read(&text, path, err) : STATUS_OK;
	if (status == STATUS_OK) {
		status = gateway_set_organisations(service->gateway, buf_view(&text), err);
		if (status != STATUS_OK) status = err_prefix(err, status, "%s", path);
	}
	buf_fini(&text);
	return status;
}

static enum status open_hook(void *context, struct http_client *out, struct err *err) {
	const struct gateway_hooks *hooks = context;
	return http_client_open(out,
	    &(struct http_client_options){.connect_timeout_ms = HOOK_CONNECT_MS,
		.timeout_ms = HOOK_ANSWER_MS,
		.ca_file = hooks->ca_file,
		.reach = hooks->reach},
	    err);
}

static void close_hook(void *context, struct http_client *client) {
	(void)context;
	http_client_close(client);
}

static enum status open_gateway(struct gateway_service *service, struct err *err) {
	const struct worker_pool_options pool = {.threads = service->options.workers, .queue_max = QUEUE_MAX};
	TRY(worker_pool_open(&service->pool, &pool, err));
	TRY(issuer_service_open(&service->issuer, &service->options.oauth, err));
	const struct trail_options trail = {actor_home(service->actor), &world_random, &system_threads};
	TRY(trail_open(&service->trail, &trail, err));
	TRY(profile_files_read(&service->profiles, service->options.profiles, err));
	service->hooks = (struct client_maker){open_hook, close_hook, &service->options.hooks};
	struct gateway_options options = {.actor = service->actor,
	    .workers = worker_pool_workers(service->pool),
	    .threads = &system_threads,
	    .clock = &world_clock,
	    .random = &world_random,
	    .request_ms = service->options.request_ms,
	    .issuer = issuer_service_issuer(service->issuer),
	    .trail = service->trail,
	    .profiles = service->profiles,
	    .fhir_url = service->options.fhir_url,
	    .epcis_url = service->options.epcis_url,
	    .hooks = service->options.hooks.is_off ? NULL : &service->hooks,
	    .hooks_are_plain = service->options.hooks.reach != HTTP_REACH_OUTSIDE,
	    .hooks_attempts =
		service->options.hooks.attempts ? service->options.hooks.attempts : HOOK_ATTEMPTS_DEFAULT};
	service->gateway = gateway_new(&options);
	TRY(look_book_open(&service->looks, service->gateway,
	    service->options.anchor_ms ? service->options.anchor_ms : ANCHOR_MS_DEFAULT, err));
	TRY(fhir_server_open(&service->fhir, service->gateway, err));
	TRY(epcis_server_open(&service->epcis, service->gateway, err));
	TRY(load_tokens(service, service->options.tokens, err));
	TRY(load_organisations(service, service->options.organisations, err));
	service->ops =
	    (struct ops){.check = check, .metrics = write_metrics, .context = service, .http = &service->http};
	return STATUS_OK;
}

static enum status open_server(struct gateway_service *service, struct err *err) {
	const struct gateway_service_options *wanted = &service->options;
	const struct route_table tables[] = {{gateway_routes, gateway_route_count, service->gateway},
	    {fhir_routes, fhir_route_count, service->fhir}, {epcis_routes, epcis_route_count, service->epcis},
	    {gateway_open_routes, GATEWAY_OPEN_ROUTE_COUNT, service->gateway}, {look_book_routes, 1, service->looks},
	    {ops_routes, OPS_HEALTH_COUNT, &service->ops}, {metrics_route, 1, service}};
	const struct http_observer observer = {answered, service};
	service->router = router_new(tables, sizeof tables / sizeof *tables, worker_pool_workers(service->pool));
	service->routes = router_service(service->router);
	http_metrics_init(&service->http, tables, sizeof tables / sizeof *tables);
	if (wanted->metrics_port)
		TRY(ops_server_open(
		    &service->ops_server, &service->ops, wanted->metrics_address, wanted->metrics_port, err));
	const bool wants_tls = wanted->tls.cert || wanted->tls.key || wanted->tls.client_ca;
	struct http_server_options options = {.address = wanted->http_address,
	    .port = wanted->http_port,
	    .tls = wants_tls ? &wanted->tls : NULL,
	    .threads = HTTP_THREADS,
	    .connections_max = CONNECTIONS_MAX,
	    .deferred_max = DEFERRED_MAX,
	    .deferred_timeout_ms = wanted->request_ms + ANSWER_GRACE_MS,
	    .drain_ms = wanted->drain_ms + LET_GO_MS,
	    .vhosts = wanted->vhosts,
	    .cors_origins = wanted->cors_origins,
	    .observer = &observer};
	const struct http_service http = {.handle = handle, .admit = admit, .refused = refused, .context = service};
	return http_server_open(&service->server, &options, &http, err);
}

static enum status open_all(struct gateway_service *service, struct err *err) {
	http_client_global_init();
	TRY(read_deployment(service, err));
	TRY(open_actor(service, err));
	TRY(open_gateway(service, err));
	return open_server(service, err);
}

enum status gateway_service_open(
    struct gateway_service **out, const struct gateway_service_options *options, struct err *err) {
	mem_wipe_freed(); /* it holds what is others' while they let it */
	struct gateway_service *service = mem_zalloc(1, sizeof *service);
	service->options = *options;
	atomic_store(&service->min_free_bytes, options->min_free_bytes);
	enum status status = open_all(service, err);
	if (status != STATUS_OK) {
		gateway_service_close(service);
		return status;
	}
	*out = service;
	return STATUS_OK;
}

uint16_t gateway_service_port(const struct gateway_service *service) {
	return http_server_port(service->server);
}

/* --- running --- */

/* What is on its way is not shown to a node before one has proved to be of this chain: another would refuse it for
 * ever. */
static void await_node(struct gateway_service *service) {
	if (!nodes_any_is_up(service->nodes)) log_warn("gateway", "no node answers yet: waiting for one");
	while (!nodes_any_is_up(service->nodes) && !atomic_load(&service->is_ending))
		world_sleep_ms(NULL, NODE_WAIT_MS);
}

static void *run_outbox(void *context) {
	struct gateway_service *service = context;
	atomic_store(&service->is_sending, true);
	await_node(service);
	outbox_run(service->outbox);
	atomic_store(&service->is_sending, false);
	return NULL;
}

static void tend(void *context) {
	struct gateway_service *service = context;
	gateway_forget(service->gateway);
	fhir_server_tend(service->fhir);
	epcis_server_tend(service->epcis);
	outbox_let_go(service->outbox, clock_now_ms(&world_clock) - OVERDUE_MS);
}

static void sync_trail(void *context) {
	struct gateway_service *service = context;
	trail_sync(service->trail);
	look_book_step(service->looks);
}

static void anchor_looks(void *context) {
	struct gateway_service *service = context;
	if (atomic_load(&service->is_sending)) look_book_anchor(service->looks);
}

static enum status start_threads(struct gateway_service *service, struct err *err) {
	TRY(nodes_watch_start(service->nodes, err));
	if (service->options.trustee_every_ms)
		TRY(trustee_service_start(&service->trustee, service->actor, service->options.trustee_every_ms, err));
	TRY(own_key_watch_start(&service->own_key, service->actor, err));
	TRY(issuer_service_start(service->issuer, err));
	TRY(follower_start(service->follower, err));
	const struct periodic_work work = {"the gateway's own duties", TEND_EVERY_MS, tend, service};
	TRY(periodic_start(&service->tending, &work, err));
	const struct periodic_work trail = {"the trail", TRAIL_EVERY_MS, sync_trail, service};
	TRY(periodic_start(&service->trailing, &trail, err));
	const struct periodic_work anchor = {"anchoring looks", ANCHOR_LOOK_MS, anchor_looks, service};
	TRY(periodic_start(&service->anchoring, &anchor, err));
	if (pthread_create(&service->outbox_thread, NULL, run_outbox, service) != 0)
		return err_set(err, STATUS_INTERNAL, "cannot start the outbox's thread");
	return STATUS_OK;
}

/* But for the outbox's, which others wait for. */
static void stop_threads(struct gateway_service *service) {
	periodic_stop(service->letting_go);
	periodic_stop(service->tending);
	periodic_stop(service->trailing);
	periodic_stop(service->anchoring);
	follower_stop(service->follower);
	own_key_watch_stop(service->own_key);
	trustee_service_stop(service->trustee);
	service->letting_go = service->tending = service->trailing = service->anchoring = NULL;
	nodes_watch_stop(service->nodes);
}

enum status gateway_service_run(struct gateway_service *service, struct err *err) {
	enum status status = start_threads(service, err);
	if (status == STATUS_OK) {
		status = http_server_run(service->server, err);
		epcis_server_stop(service->epcis);
		/* Workers first: what they still hand over is journaled, and goes on at the next start. The pool itself
		 * stays: the outbox still offers it work, and /metrics counts its tasks. */
		worker_pool_stop(service->pool);
		trustee_service_stop(service->trustee); /* it waits for what it sent */
		periodic_stop(service->anchoring);      /* so does this */
		service->anchoring = NULL;
		atomic_store(&service->is_ending, true);
		outbox_stop(service->outbox);
		pthread_join(service->outbox_thread, NULL);
	}
	stop_threads(service);
	return status;
}

/* Once the drain's time is over: what is in the journal is accepted, and whoever waits for its block is told so. */
static void let_go(void *context) {
	struct gateway_service *service = context;
	uint64_t now_ms = clock_monotonic_ns(&world_clock) / 1000000;
	if (now_ms >= atomic_load(&service->let_go_at_ms)) outbox_let_go(service->outbox, UINT64_MAX);
}

void gateway_service_stop(struct gateway_service *service) {
	const struct periodic_work work = {"the drain", LET_GO_EVERY_MS, let_go, service};
	struct err err;
	if (atomic_exchange(&service->is_stopping, true)) return;
	atomic_store(&service->let_go_at_ms, clock_monotonic_ns(&world_clock) / 1000000 + service->options.drain_ms);
	if (periodic_start(&service->letting_go, &work, &err) != STATUS_OK) log_warn("gateway", "%s", err.message);
	http_server_stop(service->server);
}

bool gateway_service_reload(struct gateway_service *service, const struct gateway_service_files *files) {
	struct err err;
	atomic_store(&service->min_free_bytes, files->min_free_bytes);
	bool took_tokens = load_tokens(service, files->tokens, &err) == STATUS_OK;
	if (!took_tokens) log_error("gateway", "the tokens stay as they were: %s", err.message);
	bool took_names = load_organisations(service, files->organisations, &err) == STATUS_OK;
	if (!took_names) log_error("gateway", "the organisations stay as they were: %s", err.message);
	bool took_keys = issuer_service_reload(service->issuer, &err) == STATUS_OK;
	if (!took_keys) log_error("gateway", "the issuer's keys stay as they were: %s", err.message);
	bool is_tls = files->tls.cert || service->options.tls.cert;
	bool took_tls = !is_tls || http_server_reload_tls(service->server, &files->tls, &err) == STATUS_OK;
	if (!took_tls) log_error("gateway", "the certificates stay as they were: %s", err.message);
	return took_tokens && took_names && took_keys && took_tls;
}

void gateway_service_condition(struct gateway_service *service, char out[TRUSTEE_CONDITION_BYTES]) {
	trustee_condition(out, trustee_service_limited(service->trustee));
	if (!out[0]) own_key_watch_condition(service->own_key, out);
}

bool gateway_service_is_alive(struct gateway_service *service) {
	(void)outbox_counts(service->outbox); /* a lock that nobody gives back stops us here */
	return atomic_load(&service->is_sending);
}

/* The metrics' server is closed before what it shows. The actor is closed before the gateway, since its outbox still
 * answers waiting clients that their entries are kept. */
void gateway_service_close(struct gateway_service *service) {
	if (!service) return;
	ops_server_close(service->ops_server);
	if (service->pool) worker_pool_stop(service->pool);
	follower_free(service->follower);
	own_key_watch_free(service->own_key);
	trustee_service_free(service->trustee);
	index_free(service->index);
	actor_close(service->actor);
	worker_pool_close(service->pool);
	http_server_close(service->server);
	router_free(service->router);
	fhir_server_close(service->fhir);
	epcis_server_close(service->epcis);
	look_book_close(service->looks);
	gateway_free(service->gateway);
	fhir_profiles_free(service->profiles);
	trail_close(service->trail);
	issuer_service_close(service->issuer);
	nodes_free(service->nodes);
	mem_free(service);
}
