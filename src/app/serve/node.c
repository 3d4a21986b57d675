#include "app/serve/node.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "app/serve/blob_places.h"
#include "app/serve/comet_door.h"
#include "app/serve/consortium.h"
#include "app/serve/freeze.h"
#include "app/serve/node_ops.h"
#include "app/serve/upstream.h"
#include "app/system.h"
#include "app/threads.h"
#include "app/version.h"
#include "base/files.h"
#include "codec/hex.h"
#include "ledger/blob/blob.h"
#include "ledger/consensus/solo.h"
#include "ledger/rpc/rpc.h"
#include "net/http_server.h"
#include "net/worker_pool.h"

#define GENESIS_MAX ((size_t)64 << 20)
#define JWT_KEYS_MAX ((size_t)256 << 10)
#define MESSAGE_MAX ((size_t)5 << 20) /* of WebSocket: JSON-RPC alone */
#define DUTIES_EVERY_MS 250u
#define FETCH_EVERY_MS 100u
#define STORE_WORKERS 16u /* who read a blob, or keep another member's, wait for the disk or the object store */
#define WORKING_MAX 3u
#define WORKERS 16u /* who put a blob wait for the disk, and for other members */
#define NODE_TX_GAS 500000u
/* Recovering a sender is most of what a transaction costs before it is in the pool; two cores share it. */
#define HTTP_THREADS 2u
#define MEMORY_PER_CACHE 4 /* a quarter keeps the tries' recent parts; the rest is the store's */
#define AHEAD_MAX_S 60u    /* of the chain's time before the clock's */

struct node {
	struct node_options options;
	hash32 secret;
	addr20 self; /* the secret's account: confirms and anchors, and in solo mode seals */
	struct buf genesis;
	struct store *store;
	struct chain *chain;
	struct pool *pool;
	struct dev *dev; /* NULL: no development chain */
	struct engine *engine;
	struct consortium *consortium;     /* NULL: its members do not order transactions */
	struct blob_places *places;        /* NULL: blobs are kept by this node alone */
	struct object_store *object_store; /* NULL: they are in files */
	struct upstream *upstream;         /* NULL: no other node orders them */
	struct rpc_head_signer signer;     /* of a node that follows another */
	struct snapshots *snapshots;       /* of a consortium */
	struct blob_room *blobs;
	struct rpc_callers *callers; /* NULL: everybody may ask */
	struct rpc *rpc;
	struct ws_handler websockets;
	struct worker_pool *workers, *store_workers;
	struct router *router;
	struct http_server *server;
	pthread_t engine_thread, working_threads[WORKING_MAX]; /* duties, fetching, the object store */
	size_t working_count;
	atomic_bool stopping;
	struct node_ops ops;
	struct ops_server *ops_server; /* NULL: metrics are not served */
	enum status ledger_status;     /* why the executing thread ended; read after it was joined */
	struct err ledger_err;
};

/* --- opening --- */

static enum status read_genesis(struct node *node, struct err *err) {
	buf_init(&node->genesis, GENESIS_MAX);
	if (node->options.genesis_json.len) {
		buf_append(&node->genesis, node->options.genesis_json);
		return buf_status(&node->genesis, err);
	}
	char path[4096];
	snprintf(path, sizeof path, "%s/genesis.json", node->options.data);
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(err, STATUS_NOTFOUND, "cannot read %s: %s; make one with: xinglin init --data %s …",
		    path, strerror(errno), node->options.data);
	uint8_t chunk[1 << 14];
	for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
		buf_append(&node->genesis, bytes_make(chunk, got));
	fclose(file);
	return buf_status(&node->genesis, err);
}

static enum status pool_admit(
    void *context, enum pool_verdict *verdict, const struct transaction *tx, const addr20 *sender, struct err *err) {
	static const enum pool_verdict verdicts[] = {
	    [BLOB_ADMITTED] = POOL_OK, [BLOB_NOT_PUT] = POOL_BLOB_NOT_PUT, [BLOB_OTHER_SIZE] = POOL_BLOB_OTHER_SIZE};
	struct node *node = context;
	enum blob_admission admission = BLOB_ADMITTED;
	if (node->blobs) TRY(blob_admits(node->blobs, &admission, tx, sender, err));
	*verdict = verdicts[admission];
	return STATUS_OK;
}

static enum status open_solo(struct node *node, struct err *err) {
	if (node->options.dev_accounts != NULL) node->dev = dev_new(&world_clock);
	if (node->dev && node->options.unhurried) {
		dev_leave_unhurried(node->dev, node->options.unhurried);
		dev_leave_unhurried(node->dev, &node->self);
	}
	struct solo_options solo_options = {.sealer_secret = node->secret,
	    .interval_ms = node->options.interval_ms,
	    .automine = !node->options.test_methods,
	    .ahead_max_s = node->options.dev_accounts != NULL ? 0 : AHEAD_MAX_S,
	    .dev = node->dev,
	    .clock = &world_clock};
	const enum status status = solo_new(&node->engine, node->chain, node->pool, &solo_options, err);
	mem_wipe(&solo_options.sealer_secret, sizeof solo_options.sealer_secret);
	return status;
}

#define SNAPSHOTS_KEPT 2u

static enum status open_snapshots(struct node *node, struct err *err) {
	char path[4096];
	snprintf(path, sizeof path, "%s/snapshots", node->options.data);
	const struct snapshots_options options = {.chain = node->chain,
	    .store = node->store,
	    .directory = path,
	    .every = node->options.snapshot_blocks,
	    .keep = node->options.snapshots_kept ? node->options.snapshots_kept : SNAPSHOTS_KEPT};
	return snapshots_open(&node->snapshots, &options, err);
}

static enum status take_followers(struct node *node, struct comet_options *out, struct err *err) {
	const char *const *ids = node->options.followers;
	char text[2 + 40 + 1];
	for (; ids && ids[out->follower_count]; out->follower_count++) {
		const char *id = ids[out->follower_count];
		if (out->follower_count == COMET_FOLLOWERS_MAX)
			return err_set(err, STATUS_INVALID, "at most %d followers", COMET_FOLLOWERS_MAX);
		snprintf(text, sizeof text, "0x%s", strncmp(id, "0x", 2) == 0 ? id + 2 : id);
		addr20 *follower = &out->followers[out->follower_count];
		if (hex_fixed(follower->b, sizeof follower->b, bytes_text(text)) != STATUS_OK)
			return err_set(err, STATUS_INVALID, "a follower is named by 40 hexadecimal digits, not %s", id);
	}
	return STATUS_OK;
}

static enum status open_comet(struct node *node, struct err *err) {
	if (node->options.interval_ms != 0)
		return err_set(err, STATUS_INVALID,
		    "--block-ms is for a node that seals alone: a consortium's blocks come when there is something to decide");
	const struct consortium_options options = {
	    .data = node->options.data, .home = node->options.comet_home, .program = node->options.comet_program};
	TRY(consortium_open(&node->consortium, &options, err));
	TRY(open_snapshots(node, err));
	struct comet_options comet_options = {.socket = consortium_socket(node->consortium),
	    .clock = &world_clock,
	    .link = consortium_link(node->consortium),
	    .snapshots = node->snapshots};
	TRY(take_followers(node, &comet_options, err));
	TRY(comet_new(&node->engine, node->chain, node->pool, node->store, &comet_options, err));
	consortium_attach(node->consortium, node->engine);
	return STATUS_OK;
}

static enum status open_replica(struct node *node, struct err *err) {
	const enum replica_mode mode = node->options.follow_order ? REPLICA_ORDER : REPLICA_BLOCKS;
	const u256 chain_id = genesis_chain_id(chain_genesis(node->chain));
	if (node->options.interval_ms != 0)
		return err_set(err, STATUS_INVALID, "--block-ms is for a node that seals: this one follows another");
	node->upstream = upstream_new(node->options.follow, u256_clamp_u64(&chain_id), mode);
	struct replica_options options = {.mode = mode,
	    .secret = node->secret,
	    .poll_ms = node->options.poll_ms,
	    .clock = &world_clock,
	    .link = upstream_link(node->upstream)};
	const enum status status = replica_new(&node->engine, node->chain, node->pool, node->store, &options, err);
	mem_wipe(&options.secret, sizeof options.secret);
	return status;
}

/* Another node that it is told to follow, or whom the genesis says. */
static enum status open_engine(struct node *node, struct err *err) {
	addr20 members;
	if (node->options.follow) return open_replica(node, err);
	if (genesis_members(chain_genesis(node->chain), &members)) return open_comet(node, err);
	return open_solo(node, err);
}

static enum status open_ledger(struct node *node, struct err *err) {
	char path[4096];
	snprintf(path, sizeof path, "%s/chaindata", node->options.data);
	const size_t cache_bytes = node->options.memory_bytes / MEMORY_PER_CACHE;
	struct store_options store_options = {
	    .memory_bytes = node->options.memory_bytes - cache_bytes, .create_if_missing = true};
	TRY(store_open(&node->store, path, &store_options, err));
	struct chain_options chain_options = {
	    .genesis_json = buf_view(&node->genesis), .cache_bytes = cache_bytes, .retention = node->options.retention};
	enum status status = chain_open(&node->chain, node->store, &chain_options, err);
	if (status == STATUS_INVALID) return err_prefix(err, status, "%s/genesis.json", node->options.data);
	TRY(status);
	snprintf(path, sizeof path, "%s/pool.journal", node->options.data);
	char sidecars[4096];
	snprintf(sidecars, sizeof sidecars, "%s/pool.sidecars", node->options.data);
	struct pool_options pool_options = {
	    .journal_path = path, .sidecar_path = sidecars, .admit = pool_admit, .admit_context = node};
	TRY(pool_open(&node->pool, node->chain, &pool_options, err));
	return open_engine(node, err);
}

/* A transaction of the node's own account: confirmations and anchors. */
static enum status send_own(void *context, const addr20 *to, struct bytes data, struct err *err) {
	struct node *node = context;
	struct transaction tx = {
	    .type = TX_DYNAMIC_FEE, .has_chain_id = true, .gas_limit = NODE_TX_GAS, .to = *to, .data = data};
	tx.chain_id = genesis_chain_id(chain_genesis(node->chain));
	struct chain_head *head = chain_head(node->chain);
	if (!u256_is_zero(&head->header.base_fee_wei)) { /* twice the base fee, and the least tip that geth takes */
		tx.max_priority_fee_wei = u256_from(1);
		u256_add_overflow(&tx.max_fee_wei, &head->header.base_fee_wei, &head->header.base_fee_wei);
	}
	chain_head_release(head);
	TRY(pool_next_nonce(node->pool, &tx.nonce, &node->self, err));
	struct arena arena;
	arena_init(&arena);
	hash32 hash;
	enum pool_verdict verdict = POOL_OK;
	enum tx_verdict tx_verdict = TX_VERDICT_OK;
	enum status status = transaction_sign(&tx, &arena, &node->secret, err);
	if (status == STATUS_OK) status = pool_add(node->pool, &hash, &verdict, &tx_verdict, tx.raw, err);
	if (status == STATUS_OK && verdict != POOL_OK)
		status = err_set(err, STATUS_DENIED, "the node's own transaction was refused: %s",
		    verdict == POOL_INVALID ? tx_verdict_text(tx_verdict) : pool_verdict_text(verdict));
	arena_fini(&arena);
	return status;
}

/* Linux's identifier of this run of the machine. */
static void read_machine_run(char *out, size_t size) {
	out[0] = 0;
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (!file) return;
	if (!fgets(out, (int)size, file)) out[0] = 0;
	fclose(file);
}

static enum status open_blobs(struct node *node, struct err *err) {
	char path[4096];
	snprintf(path, sizeof path, "%s/blobs", node->options.data);
	struct blob_options options = {.directory = path,
	    .node = node->self,
	    .addressee = engine_sealer(node->engine),
	    .clock = &world_clock,
	    .random = &world_random,
	    .threads = &system_threads,
	    .anchor_every_ms = node->options.anchor_every_ms,
	    .send = send_own,
	    .send_context = node};
	if (node->consortium && node->options.comet_home)
		TRY(blob_places_open(&node->places,
		    &(struct blob_places_options){node->options.data, node->options.comet_home,
			node->options.blob_peers, node->chain, node->engine},
		    err));
	options.members = blob_places_members(node->places);
	TRY(object_store_open(&node->object_store, &node->options.object_store, err));
	options.s3 = object_store_options(node->object_store);
	read_machine_run(options.machine_run, sizeof options.machine_run);
	TRY(blob_open(&node->blobs, node->chain, node->store, &options, err));
	struct chain_observer observer = blob_observer(node->blobs);
	chain_observe(node->chain, &observer);
	return STATUS_OK;
}

static enum status sign_head(
    void *context, struct eth_signature *out, const struct head_statement *head, struct err *err) {
	struct node *node = context;
	return engine_sign_head(node->engine, out, head, err);
}

enum status node_reload_jwt_keys(struct node *node, const char *path, struct err *err) {
	struct buf text;
	if (!path || !node->callers) return STATUS_OK;
	buf_init(&text, JWT_KEYS_MAX);
	enum status status = files_read(&text, path, err);
	const struct rpc_caller_keys keys = {buf_view(&text), node->options.jwt_issuer, node->options.jwt_audience};
	if (status == STATUS_OK) status = rpc_callers_set_keys(node->callers, &keys, err);
	buf_wipe(&text);
	return status == STATUS_OK ? status : err_prefix(err, status, "%s", path);
}

static enum status open_callers(struct node *node, struct err *err) {
	const struct node_options *options = &node->options;
	if (!options->jwt_keys && !options->caller_requests && !options->caller_gas) return STATUS_OK;
	node->callers = rpc_callers_new(
	    &(struct rpc_callers_options){options->caller_requests, options->caller_gas, &world_clock, &world_random});
	return node_reload_jwt_keys(node, options->jwt_keys, err);
}

static enum status open_rpc(struct node *node, struct err *err) {
	const struct dev_accounts *dev = node->options.dev_accounts;
	node->signer = (struct rpc_head_signer){sign_head, node};
	struct rpc_options options = {.chain = node->chain,
	    .pool = node->pool,
	    .engine = node->engine,
	    .head_signer = node->upstream ? &node->signer : NULL,
	    .snapshots = node->snapshots,
	    .dev = node->dev,
	    .test_methods = node->options.test_methods,
	    .dev_mode = dev != NULL,
	    .dev_secrets = dev != NULL ? dev->secrets : NULL,
	    .dev_secret_count = dev != NULL ? DEV_ACCOUNT_COUNT : 0,
	    .client_version =
		node->options.client_version ? node->options.client_version : "xinglin/v" XINGLIN_VERSION "/linux",
	    .only = node->options.methods,
	    .callers = node->callers,
	    .gas_cap = node->options.gas_cap,
	    .call_timeout_ms = node->options.call_timeout_ms,
	    .clock = &world_clock,
	    .random = &world_random};
	return rpc_new(&node->rpc, &options, err);
}

static bool wants_tls(const struct tls_files *files) {
	return files->cert || files->key || files->client_ca;
}

static enum status open_server(struct node *node, struct err *err) {
	struct http_server_options options = {.address = node->options.http_address,
	    .port = node->options.http_port,
	    .threads = HTTP_THREADS,
	    .tls = wants_tls(&node->options.tls) ? &node->options.tls : NULL,
	    .vhosts = node->options.vhosts,
	    .cors_origins = node->options.cors_origins,
	    .websockets = &node->websockets,
	    .ping_interval_ms = node->options.ping_interval_ms,
	    .drain_ms = node->options.drain_ms ? node->options.drain_ms : 1, /* 0 is the server's default */
	    .message_max = MESSAGE_MAX};
	TRY(worker_pool_open(&node->workers, &(struct worker_pool_options){.threads = WORKERS}, err));
	TRY(worker_pool_open(&node->store_workers, &(struct worker_pool_options){.threads = STORE_WORKERS}, err));
	const struct route_table tables[] = {{rpc_routes, rpc_route_count, node->rpc},
	    {blob_routes, blob_route_count, node->blobs}, {blob_store_routes, blob_store_route_count, node->blobs},
	    {ops_routes, OPS_HEALTH_COUNT, &node->ops.ops}, {comet_door_routes, COMET_DOOR_ROUTES, node->consortium}};
	const size_t count = sizeof tables / sizeof *tables - (node->consortium ? 0 : 1);
	node->router = router_new(tables, count, worker_pool_workers(node->workers));
	router_set_workers(node->router, &tables[2], worker_pool_workers(node->store_workers));
	http_metrics_init(&node->ops.http, tables, count);
	const struct http_observer observer = {http_metrics_observe, &node->ops.http};
	options.observer = &observer;
	const struct http_service service = router_service(node->router);
	node->websockets = rpc_ws_handler(node->rpc);
	TRY(http_server_open(&node->server, &options, &service, err));
	rpc_set_waker(node->rpc, &(struct ws_waker){http_server_wake, node->server});
	return STATUS_OK;
}

static enum status open_all(struct node *node, struct err *err) {
	if (mkdir(node->options.data, 0700) != 0 && errno != EEXIST)
		return err_set(err, STATUS_IO, "cannot make %s: %s", node->options.data, strerror(errno));
	TRY(read_genesis(node, err));
	TRY(node_key(&node->secret, node->options.data, &world_random, err));
	if (address_of_secret(&node->self, &node->secret) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "the node's key is not a valid secret");
	TRY(open_ledger(node, err));
	TRY(open_blobs(node, err));
	TRY(open_callers(node, err));
	TRY(open_rpc(node, err));
	node_ops_init(&node->ops, node->chain, node->pool, node->blobs, node->options.data);
	node->ops.callers = node->callers;
	node->ops.consortium = node->consortium;
	node_reload(node, node->options.min_free_bytes);
	if (node->options.metrics_port)
		TRY(ops_server_open(
		    &node->ops_server, &node->ops.ops, node->options.metrics_address, node->options.metrics_port, err));
	return open_server(node, err);
}

enum status node_open(struct node **out, const struct node_options *options, struct err *err) {
	struct node *node = mem_zalloc(1, sizeof *node);
	node->options = *options;
	enum status status = open_all(node, err);
	if (status != STATUS_OK) {
		node_close(node);
		return status;
	}
	*out = node;
	return STATUS_OK;
}

/* --- running --- */

static void *run_engine(void *context) {
	struct node *node = context;
	node->ledger_status = engine_run(node->engine, &node->ledger_err);
	atomic_store(&node->ops.is_sealing, false);
	http_server_stop(node->server);
	return NULL;
}

static void *run_duties(void *context) {
	struct node *node = context;
	const struct freeze_source frozen = {.data = node->options.data,
	    .store = node->store,
	    .comet_home = node->options.comet_home,
	    .consortium = node->consortium};
	while (!atomic_load(&node->stopping)) {
		struct err err = {0};
		freeze_serve(&frozen);
		if (blob_duties(node->blobs, &err) != STATUS_OK) log_warn("node", "blob duties: %s", err.message);
		world_sleep_ms(NULL, DUTIES_EVERY_MS);
	}
	return NULL;
}

static void *run_fetch(void *context) {
	struct node *node = context;
	while (!atomic_load(&node->stopping)) {
		struct err err = {0};
		bool more = false;
		if (blob_fetch(node->blobs, &more, &err) != STATUS_OK) log_warn("node", "fetching: %s", err.message);
		if (!more) world_sleep_ms(NULL, FETCH_EVERY_MS);
	}
	return NULL;
}

static void *run_store(void *context) {
	struct node *node = context;
	while (!atomic_load(&node->stopping)) {
		struct err err = {0};
		bool more = false;
		if (blob_store_duties(node->blobs, &more, &err) != STATUS_OK) log_warn("node", "%s", err.message);
		if (!more) world_sleep_ms(NULL, FETCH_EVERY_MS);
	}
	return NULL;
}

static enum status start_consortium(struct node *node, struct err *err) {
	uint64_t height;
	TRY(comet_kept_height(node->store, &height, err));
	return consortium_start(node->consortium, height, err);
}

static bool start_working(struct node *node, void *(*run)(void *context)) {
	const bool is_started = pthread_create(&node->working_threads[node->working_count], NULL, run, node) == 0;
	node->working_count += is_started;
	return is_started;
}

static void stop_working(struct node *node) {
	atomic_store(&node->stopping, true);
	for (size_t i = 0; i < node->working_count; i++) pthread_join(node->working_threads[i], NULL);
	node->working_count = 0;
}

static enum status start_threads(struct node *node, struct err *err) {
	bool is_started = start_working(node, run_duties);
	if (node->consortium) is_started = is_started && start_working(node, run_fetch);
	if (node->object_store) is_started = is_started && start_working(node, run_store);
	if (is_started) return STATUS_OK;
	stop_working(node);
	return err_set(err, STATUS_INTERNAL, "cannot start a thread for the node's duties");
}

enum status node_run(struct node *node, struct err *err) {
	/* Before its thread runs: the ready line is out, and /readyz must not refuse for as long as a thread needs to
	 * start. */
	atomic_store(&node->ops.is_sealing, true);
	if (pthread_create(&node->engine_thread, NULL, run_engine, node) != 0)
		return err_set(err, STATUS_INTERNAL, "cannot start the executing thread");
	enum status status = STATUS_OK;
	if (node->consortium) status = start_consortium(node, err);
	if (status == STATUS_OK) status = start_threads(node, err);
	if (status != STATUS_OK) {
		engine_stop(node->engine);
		pthread_join(node->engine_thread, NULL);
		return status;
	}
	status = http_server_run(node->server, err);
	stop_working(node);
	if (node->consortium) consortium_stop(node->consortium);
	engine_stop(node->engine);
	pthread_join(node->engine_thread, NULL);
	if (node->ledger_status != STATUS_OK) {
		if (err) *err = node->ledger_err;
		return node->ledger_status;
	}
	return status;
}

enum status node_reload_tls(struct node *node, const struct tls_files *files, struct err *err) {
	if (!files->cert && !node->options.tls.cert) return STATUS_OK;
	return http_server_reload_tls(node->server, files, err);
}

void node_stop(struct node *node) {
	http_server_stop(node->server);
}

void node_close(struct node *node) {
	if (!node) return;
	ops_server_close(node->ops_server);
	worker_pool_close(node->workers);
	worker_pool_close(node->store_workers);
	http_server_close(node->server);
	router_free(node->router);
	rpc_free(node->rpc);
	rpc_callers_free(node->callers);
	blob_close(node->blobs);
	blob_places_close(node->places);
	object_store_close(node->object_store);
	consortium_close(node->consortium);
	engine_free(node->engine);
	upstream_free(node->upstream);
	snapshots_close(node->snapshots);
	dev_free(node->dev);
	if (node->pool) pool_close(node->pool);
	if (node->chain) chain_close(node->chain);
	store_close(node->store);
	buf_fini(&node->genesis);
	mem_wipe(&node->secret, sizeof node->secret);
	mem_free(node);
}

uint16_t node_port(const struct node *node) {
	return http_server_port(node->server);
}

addr20 node_self(const struct node *node) {
	return node->self;
}

bool node_seals(const struct node *node) {
	return node->consortium == NULL;
}

hash32 node_genesis_hash(const struct node *node) {
	return *chain_genesis_hash(node->chain);
}

uint64_t node_head_number(const struct node *node) {
	struct chain_head *head = chain_head(node->chain);
	uint64_t number = head->header.number;
	chain_head_release(head);
	return number;
}

enum status node_reload_blob_peers(struct node *node, const char *const *peers, struct err *err) {
	return blob_places_move(node->places, node->blobs, peers, err);
}

void node_reload(struct node *node, uint64_t min_free_bytes) {
	atomic_store(&node->ops.min_free_bytes, min_free_bytes);
}

bool node_is_alive(struct node *node) {
	(void)node_head_number(node); /* a lock that nobody gives back stops us here, and then the watchdog ends it */
	return atomic_load(&node->ops.is_sealing);
}
