/* The service: opening, serving, signing. How it follows its node is in witness_follow.c. */
#include "app/serve/witness.h"

#include <pthread.h>
#include <stdio.h>

#include "app/serve/node_files.h"
#include "app/serve/witness_private.h"
#include "app/system.h"
#include "app/version.h"
#include "base/files.h"
#include "crypto/secp256k1_keys.h"

#define HTTP_THREADS 2u
#define GENESIS_MAX ((size_t)64 << 20)

/* What a reader needs of a witness; it takes no transactions. */
static const char *const served[] = {"debug_getRawHeader", "eth_blockNumber", "eth_chainId", "eth_getBlockByNumber",
    "eth_getProof", "web3_clientVersion", "xinglin_chainInfo", "xinglin_head", NULL};

/* --- signing --- */

static enum status sign(void *context, struct eth_signature *out, const struct head_statement *head, struct err *err) {
	struct witness *witness = context;
	const hash32 digest = head_digest(&witness->domain, head);
	pthread_mutex_lock(&witness->lock);
	const uint64_t silent_ms = clock_now_ms(&world_clock) - witness->seen_ms;
	const bool is_following = witness->is_following;
	char why[sizeof witness->why];
	memcpy(why, witness->why, sizeof why);
	pthread_mutex_unlock(&witness->lock);
	if (!is_following) return err_set(err, STATUS_DENIED, "this witness signs nothing: %s", why);
	if (silent_ms > WITNESS_SILENT_MS)
		return err_set(err, STATUS_DENIED, "this witness signs nothing: its node has not answered for %llu ms",
		    (unsigned long long)silent_ms);
	return eth_sign_digest(out, &witness->secret, &digest);
}

/* --- what operators see --- */

static void check(void *context, struct readiness *out) {
	struct witness *witness = context;
	pthread_mutex_lock(&witness->lock);
	const bool is_following = witness->is_following;
	const uint64_t silent_ms = clock_now_ms(&world_clock) - witness->seen_ms;
	readiness_add(out, "following", is_following && silent_ms <= WITNESS_SILENT_MS,
	    "%s; the node's head is block %llu", is_following ? "follows its node" : witness->why,
	    (unsigned long long)witness->node_head);
	pthread_mutex_unlock(&witness->lock);
	readiness_add(out, "chain", true, "block %llu", (unsigned long long)witness_head_number(witness));
	readiness_add_disk(out, witness->options.data, atomic_load(&witness->min_free_bytes));
}

static void write_metrics(void *context, struct buf *out) {
	struct witness *witness = context;
	const uint64_t own = witness_head_number(witness);
	pthread_mutex_lock(&witness->lock);
	const uint64_t theirs = witness->node_head;
	const bool is_following = witness->is_following;
	pthread_mutex_unlock(&witness->lock);
	metric_put(out, METRIC_GAUGE, "chain_head_block", "Number of the newest block that was executed.", own);
	metric_put(out, METRIC_GAUGE, "witness_node_head_block", "The node's.", theirs);
	metric_put(
	    out, METRIC_GAUGE, "witness_following", "1: it follows its node; 0: it signs nothing.", is_following);
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
	if (status != STATUS_OK) return status;
	const struct genesis *of_chain = chain_genesis(witness->ledger.chain);
	const u256 chain_id = genesis_chain_id(of_chain);
	witness->domain = seal_domain(&chain_id, chain_genesis_hash(witness->ledger.chain));
	witness->has_sealer = genesis_sealer(of_chain, &witness->sealer);
	return STATUS_OK;
}

static enum status open_rpc(struct witness *witness, struct err *err) {
	TRY(pool_open(&witness->pool, witness->ledger.chain, &(struct pool_options){0}, err));
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
	pthread_mutex_init(&witness->lock, NULL);
	snprintf(witness->why, sizeof witness->why, "it has not reached its node yet");
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
	if (witness->pool) pool_close(witness->pool);
	if (witness->ledger.store) chain_data_close(&witness->ledger);
	pthread_mutex_destroy(&witness->lock);
	mem_wipe(&witness->secret, sizeof witness->secret);
	mem_free(witness);
}

/* --- running --- */

static void *follow(void *context) {
	struct witness *witness = context;
	witness->ledger_status = witness_follow(witness, &witness->ledger_err);
	http_server_stop(witness->server);
	return NULL;
}

enum status witness_run(struct witness *witness, struct err *err) {
	pthread_t thread;
	if (pthread_create(&thread, NULL, follow, witness) != 0)
		return err_set(err, STATUS_INTERNAL, "cannot start the thread that follows");
	enum status status = http_server_run(witness->server, err);
	atomic_store(&witness->stopping, true);
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
