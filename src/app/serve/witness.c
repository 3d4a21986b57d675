#include "app/serve/witness.h"

#include <pthread.h>
#include <stdio.h>

#include "app/serve/chain_data.h"
#include "app/serve/node_files.h"
#include "app/serve/ops.h"
#include "app/serve/upstream.h"
#include "app/system.h"
#include "app/version.h"
#include "base/files.h"
#include "crypto/secp256k1_keys.h"
#include "ledger/rpc/rpc.h"

#define HTTP_THREADS 2u
#define GENESIS_MAX ((size_t)64 << 20)

struct witness {
	struct witness_options options;
	hash32 secret;
	addr20 account;
	struct chain_data ledger;
	struct pool *pool; /* empty: no method puts anything into it */
	struct upstream *upstream;
	struct engine *engine; /* a replica */
	struct rpc_head_signer signer;
	struct rpc *rpc;
	struct router *router;
	struct http_server *server;
	struct http_metrics http;
	struct http_observer observer;
	struct ops ops;
	struct ops_server *ops_server; /* NULL: metrics are not served */
	atomic_ullong min_free_bytes;
	atomic_bool stopping;
	enum status ledger_status; /* why the following thread ended; read after it was joined */
	struct err ledger_err;
};

/* What a reader needs of a witness; it takes no transactions. */
static const char *const served[] = {"debug_getRawHeader", "eth_blockNumber", "eth_chainId", "eth_getBlockByNumber",
    "eth_getProof", "web3_clientVersion", "xinglin_chainInfo", "xinglin_head", NULL};

static enum status sign(void *context, struct eth_signature *out, const struct head_statement *head, struct err *err) {
	struct witness *witness = context;
	return engine_sign_head(witness->engine, out, head, err);
}

/* --- what operators see --- */

static void check(void *context, struct readiness *out) {
	struct witness *witness = context;
	const struct replica_state state = replica_state(witness->engine);
	readiness_add(out, "following", state.is_following && state.silent_ms <= REPLICA_SILENT_MS,
	    "%s; the node's head is block %llu", state.is_following ? "follows its node" : state.why,
	    (unsigned long long)state.newest);
	readiness_add(out, "chain", true, "block %llu", (unsigned long long)witness_head_number(witness));
	readiness_add_disk(out, witness->options.data, atomic_load(&witness->min_free_bytes));
}

static void write_metrics(void *context, struct buf *out) {
	struct witness *witness = context;
	const struct replica_state state = replica_state(witness->engine);
	metric_put(out, METRIC_GAUGE, "chain_head_block", "Number of the newest block that was executed.",
	    witness_head_number(witness));
	metric_put(out, METRIC_GAUGE, "witness_node_head_block", "The node's.", state.newest);
	metric_put(
	    out, METRIC_GAUGE, "witness_following", "1: it follows its node; 0: it signs nothing.", state.is_following);
}

/* --- opening --- */

/* The genesis given, or the folder's; a new folder keeps a copy. */
static enum status open_chain(struct witness *witness, struct err *err) {
	const struct witness_options *options = &witness->options;
	char own[4096];
	struct buf genesis;
	if ((size_t)snprintf(own, sizeof own, "%s/genesis.json", options->data) >= sizeof own)
		return err_set(err, STATUS_INVALID, "the path of the data folder is too long");
	if (!options->genesis && !files_exists(own))
		return err_set(err, STATUS_INVALID, "--genesis is needed: %s holds none", options->data);
	TRY(files_make_folder(options->data, err));
	buf_init(&genesis, GENESIS_MAX);
	enum status status = files_read(&genesis, options->genesis ? options->genesis : own, err);
	if (status == STATUS_OK) status = chain_data_open(&witness->ledger, options->data, buf_view(&genesis), err);
	if (status == STATUS_OK && !files_exists(own)) status = files_write(own, buf_view(&genesis), err);
	buf_fini(&genesis);
	return status;
}

/* Its pool is empty: no method puts anything into it. */
static enum status open_engine(struct witness *witness, struct err *err) {
	const enum replica_mode mode = witness->options.follow_order ? REPLICA_ORDER : REPLICA_BLOCKS;
	const u256 chain_id = genesis_chain_id(chain_genesis(witness->ledger.chain));
	TRY(pool_open(&witness->pool, witness->ledger.chain, &(struct pool_options){0}, err));
	witness->upstream = upstream_new(witness->options.node, u256_clamp_u64(&chain_id), mode);
	const struct replica_options options = {.mode = mode,
	    .secret = witness->secret,
	    .poll_ms = witness->options.poll_ms,
	    .clock = &world_clock,
	    .link = upstream_link(witness->upstream)};
	return replica_new(
	    &witness->engine, witness->ledger.chain, witness->pool, witness->ledger.store, &options, err);
}

static enum status open_rpc(struct witness *witness, struct err *err) {
	witness->signer = (struct rpc_head_signer){sign, witness};
	const struct rpc_options options = {.chain = witness->ledger.chain,
	    .pool = witness->pool,
	    .head_signer = &witness->signer,
	    .only = served,
	    .client_version = "xinglin/v" XINGLIN_VERSION "/witness",
	    .clock = &world_clock,
	    .random = &world_random};
	return rpc_new(&witness->rpc, &options, err);
}

static enum status open_server(struct witness *witness, struct err *err) {
	const struct witness_options *given = &witness->options;
	const struct http_server_options options = {.address = given->http_address,
	    .port = given->http_port,
	    .threads = HTTP_THREADS,
	    .tls = given->tls.cert || given->tls.key || given->tls.client_ca ? &given->tls : NULL,
	    .vhosts = given->vhosts,
	    .observer = &witness->observer,
	    .drain_ms = given->drain_ms ? given->drain_ms : 1}; /* 0 is the server's default */
	const struct route_table tables[] = {
	    {rpc_routes, rpc_route_count, witness->rpc}, {ops_routes, OPS_HEALTH_COUNT, &witness->ops}};
	witness->router = router_new(tables, sizeof tables / sizeof *tables, NULL);
	http_metrics_init(&witness->http, tables, sizeof tables / sizeof *tables);
	witness->observer = (struct http_observer){http_metrics_observe, &witness->http};
	const struct http_service service = router_service(witness->router);
	return http_server_open(&witness->server, &options, &service, err);
}

static enum status open_all(struct witness *witness, struct err *err) {
	const struct witness_options *options = &witness->options;
	TRY(open_chain(witness, err));
	TRY(node_key(&witness->secret, options->data, &world_random, err));
	TRY(address_of_secret(&witness->account, &witness->secret));
	TRY(open_engine(witness, err));
	TRY(open_rpc(witness, err));
	witness->ops =
	    (struct ops){.check = check, .metrics = write_metrics, .context = witness, .http = &witness->http};
	witness_reload(witness, options->min_free_bytes);
	TRY(open_server(witness, err));
	if (!options->metrics_port) return STATUS_OK;
	return ops_server_open(
	    &witness->ops_server, &witness->ops, options->metrics_address, options->metrics_port, err);
}

enum status witness_open(struct witness **out, const struct witness_options *options, struct err *err) {
	struct witness *witness = mem_zalloc(1, sizeof *witness);
	witness->options = *options;
	enum status status = open_all(witness, err);
	if (status != STATUS_OK) {
		witness_close(witness);
		return status;
	}
	*out = witness;
	return STATUS_OK;
}

void witness_close(struct witness *witness) {
	if (!witness) return;
	ops_server_close(witness->ops_server);
	http_server_close(witness->server);
	router_free(witness->router);
	rpc_free(witness->rpc);
	engine_free(witness->engine);
	upstream_free(witness->upstream);
	if (witness->pool) pool_close(witness->pool);
	if (witness->ledger.store) chain_data_close(&witness->ledger);
	mem_wipe(&witness->secret, sizeof witness->secret);
	mem_free(witness);
}

/* --- running --- */

static void *follow(void *context) {
	struct witness *witness = context;
	witness->ledger_status = engine_run(witness->engine, &witness->ledger_err);
	http_server_stop(witness->server);
	return NULL;
}

enum status witness_run(struct witness *witness, struct err *err) {
	pthread_t thread;
	if (pthread_create(&thread, NULL, follow, witness) != 0)
		return err_set(err, STATUS_INTERNAL, "cannot start the thread that follows");
	enum status status = http_server_run(witness->server, err);
	atomic_store(&witness->stopping, true);
	engine_stop(witness->engine);
	pthread_join(thread, NULL);
	if (witness->ledger_status == STATUS_OK) return status;
	if (err) *err = witness->ledger_err;
	return witness->ledger_status;
}

void witness_stop(struct witness *witness) {
	http_server_stop(witness->server);
}

enum status witness_reload_tls(struct witness *witness, const struct tls_files *files, struct err *err) {
	if (!files->cert && !witness->options.tls.cert) return STATUS_OK;
	return http_server_reload_tls(witness->server, files, err);
}

void witness_reload(struct witness *witness, uint64_t min_free_bytes) {
	atomic_store(&witness->min_free_bytes, min_free_bytes);
}

bool witness_is_alive(struct witness *witness) {
	(void)witness_head_number(witness); /* a lock that nobody gives back stops us here: see node_is_alive */
	return !atomic_load(&witness->stopping);
}

uint16_t witness_port(const struct witness *witness) {
	return http_server_port(witness->server);
}

addr20 witness_account(const struct witness *witness) {
	return witness->account;
}

uint64_t witness_head_number(const struct witness *witness) {
	struct chain_head *head = chain_head(witness->ledger.chain);
	const uint64_t number = head->header.number;
	chain_head_release(head);
	return number;
}
