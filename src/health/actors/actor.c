#include "health/actors/actor.h"

#include "health/actors/home_heads.h"
#include "health/actors/home_lock.h"
#include "health/contracts/cause.h"

#define CLIENTS_DEFAULT 16u
#define LOCK_WAIT_DEFAULT_MS 10000u

struct actor {
	struct actor_options options;
	struct home *home;
	struct client_pool *pool; /* NULL: no node is known */
	const struct client_log_keeper *keeper;
	/* what is believed of the chain */
	struct monitor *monitor; /* of opening it; NULL: one thread */
	struct head_store store;
	struct heads *heads; /* NULL: nobody has asked yet */
	/* what sends */
	int lock;
	struct http_client http;
	struct client *client;
	struct outbox *outbox;
};

static const char *url_of(const struct actor *actor) {
	if (actor->options.rpc_url) return actor->options.rpc_url;
	return actor->home->has_deployment ? actor->home->deployment.rpc_url : NULL;
}

enum status actor_open(struct actor **out, const struct actor_options *options, struct err *err) {
	struct actor *actor = mem_zalloc(1, sizeof *actor);
	actor->options = *options;
	actor->options.password = (struct bytes){NULL, 0};
	actor->lock = -1;
	enum status status = options->unlocked ? home_open_unlocked(&actor->home, options->unlocked, err)
					       : home_open(&actor->home, options->directory, options->password, err);
	if (status != STATUS_OK) {
		actor_close(actor);
		return status;
	}
	if (options->threads) actor->monitor = options->threads->monitor_new(options->threads->context);
	const unsigned clients = options->threads ? CLIENTS_DEFAULT : 1;
	if (url_of(actor))
		actor->pool = client_pool_new(&(struct client_pool_options){.url = url_of(actor),
		    .maker = options->clients,
		    .clock = options->clock,
		    .sleep_ms = options->sleep_ms,
		    .sleep_context = options->sleep_context,
		    .threads = options->threads,
		    .chain_id = options->chain_id,
		    .max = options->clients_max ? options->clients_max : clients});
	*out = actor;
	return STATUS_OK;
}

static void close_sender(struct actor *actor) {
	outbox_close(actor->outbox);
	if (actor->home) segments_close(actor->home->records);
	if (actor->home) actor->home->records = NULL;
	client_close(actor->client);
	actor->options.clients->close(actor->options.clients->context, &actor->http);
	home_unlock(actor->lock);
	actor->outbox = NULL;
	actor->client = NULL;
	actor->lock = -1;
}

void actor_close(struct actor *actor) {
	if (!actor) return;
	close_sender(actor);
	client_pool_free(actor->pool);
	heads_close(actor->heads);
	if (actor->monitor) actor->options.threads->monitor_free(actor->monitor);
	home_close(actor->home);
	mem_free(actor);
}

struct home *actor_home(const struct actor *actor) {
	return actor->home;
}

void actor_keep_logs(struct actor *actor, const struct client_log_keeper *keeper) {
	actor->keeper = keeper;
}

/* --- what is believed of the chain --- */

static enum status open_heads(struct actor *actor, struct err *err) {
	const struct actor_options *options = &actor->options;
	if (actor->heads) return STATUS_OK;
	actor->store = home_head_store(actor->home);
	return heads_open(&actor->heads,
	    &(struct heads_options){.anchor = &actor->home->deployment,
		.store = &actor->store,
		.clock = options->clock,
		.random = options->random,
		.threads = options->threads,
		.sleep_ms = options->sleep_ms,
		.sleep_context = options->sleep_context},
	    err);
}

enum status actor_heads(struct actor *actor, struct heads **out, struct err *err) {
	if (!actor->home->has_deployment)
		return err_because(
		    err, CAUSE_NO_DEPLOYMENT, err_set(err, STATUS_DENIED, "this home trusts no deployment yet"));
	if (actor->monitor) actor->options.threads->lock(actor->monitor);
	enum status status = open_heads(actor, err);
	if (actor->monitor) actor->options.threads->unlock(actor->monitor);
	if (status == STATUS_OK) *out = actor->heads;
	return status;
}

/* --- sending --- */

static enum status open_client(struct actor *actor, struct err *err) {
	const struct actor_options *options = &actor->options;
	if (!url_of(actor)) return err_set(err, STATUS_IO, "no node to ask: no URL is known");
	TRY(options->clients->open(options->clients->context, &actor->http, err));
	struct client_options client = {.url = url_of(actor),
	    .http = &actor->http,
	    .clock = options->clock,
	    .sleep_ms = options->sleep_ms,
	    .sleep_context = options->sleep_context,
	    .chain_id = options->chain_id};
	return client_open(&actor->client, &client, err);
}

static enum status open_records(struct actor *actor, struct err *err) {
	struct arena arena;
	arena_init(&arena);
	const struct segments_options options = {
	    .directory = arena_printf(&arena, "%s/records", actor->home->directory), .threads = actor->options.threads};
	const enum status status = segments_open(&actor->home->records, &options, err);
	arena_fini(&arena);
	return status;
}

static enum status open_sender(struct actor *actor, struct err *err) {
	const struct actor_options *options = &actor->options;
	const struct home *home = actor->home;
	struct arena arena;
	struct heads *heads = NULL; /* a home that deploys has no anchor yet */
	const struct home_lock_wait wait = {.is_service = options->threads != NULL,
	    .wait_ms = options->lock_wait_ms ? options->lock_wait_ms : LOCK_WAIT_DEFAULT_MS,
	    .clock = options->clock,
	    .sleep_ms = options->sleep_ms,
	    .sleep_context = options->sleep_context,
	    .progress = options->progress};
	TRY(home_lock(&actor->lock, home->directory, &wait, err));
	TRY(open_records(actor, err));
	if (home->has_deployment) TRY(actor_heads(actor, &heads, err));
	TRY(open_client(actor, err));
	arena_init(&arena);
	const char *journal_path = arena_printf(&arena, "%s/%s", home->directory, HOME_OUTBOX);
	enum status status = outbox_open(&actor->outbox,
	    &(struct outbox_options){.client = actor->client,
		.secret = &home->account_secret,
		.node = &home->deployment.sealer,
		.genesis = &home->deployment.genesis,
		.random = options->random,
		.journal_path = journal_path,
		.threads = options->threads,
		.heads = heads},
	    err);
	arena_fini(&arena);
	return status;
}

enum status actor_outbox(struct actor *actor, struct outbox **out, struct err *err) {
	if (!actor->outbox) {
		enum status status = open_sender(actor, err);
		if (status != STATUS_OK) {
			close_sender(actor);
			return status;
		}
	}
	*out = actor->outbox;
	return STATUS_OK;
}

/* --- requests --- */

enum status actor_request_begin(
    struct actor *actor, struct actor_request *request, struct arena *arena, uint64_t deadline_ms, struct err *err) {
	*request = (struct actor_request){.actor = actor,
	    .home = actor->home,
	    .clock = actor->options.clock,
	    .random = actor->options.random,
	    .arena = arena,
	    .deadline_ms = deadline_ms};
	if (!actor->pool) return STATUS_OK;
	TRY(client_pool_borrow(actor->pool, &request->client, deadline_ms, err));
	client_keep_logs(request->client, actor->keeper);
	return STATUS_OK;
}

void actor_request_end(struct actor_request *request) {
	if (request->actor && request->actor->pool) client_pool_return(request->actor->pool, request->client);
	*request = (struct actor_request){0};
}
