#include "ledger/consensus/comet_private.h"

#include <stdio.h>

#include "base/log.h"

enum { IDLE_WAIT_MS = 1000 };

static struct comet *comet_of(struct engine *engine) {
	return (struct comet *)engine; /* its first member */
}

/* --- what an engine is asked --- */

static void wake(struct engine *engine) {
	struct comet *comet = comet_of(engine);
	abci_server_wake(comet->server);
	pool_wake(comet->pool);
}

static void stop(struct engine *engine) {
	work_queue_stop(&comet_of(engine)->work);
}

static enum status call(struct engine *engine, engine_work *work, void *context, struct err *err) {
	return work_queue_call(&comet_of(engine)->work, work, context, err);
}

static enum status seal(struct engine *engine, struct err *err) {
	(void)engine;
	return err_set(err, STATUS_UNSUPPORTED, "a consortium's blocks are decided by its members together");
}

static enum status next(struct engine *engine, struct engine_next *out, struct err *err) {
	struct comet *comet = comet_of(engine);
	const struct block_decision decision = {.time_ms = clock_now_ms(comet->options.clock)};
	out->head = chain_head(comet->chain);
	const enum status status = chain_decide_header(comet->chain, &out->header, out->head, &decision, err);
	if (status != STATUS_OK) chain_head_release(out->head);
	return status;
}

static addr20 sealer(const struct engine *engine) {
	(void)engine;
	return (addr20){{0}};
}

static enum status sign_seal(
    const struct engine *engine, struct secp_signature *out, uint64_t number, const hash32 *hash, struct err *err) {
	(void)engine, (void)out, (void)number, (void)hash;
	return err_set(err, STATUS_UNSUPPORTED, "no single node seals a consortium's blocks");
}

static enum status sign_head(
    const struct engine *engine, struct eth_signature *out, const struct head_statement *head, struct err *err) {
	(void)engine, (void)out, (void)head;
	return err_set(err, STATUS_UNSUPPORTED, "no single node signs a consortium's head");
}

static enum status light_block(struct engine *engine, struct buf *out, uint64_t height, struct err *err) {
	const struct comet_link *link = &comet_of(engine)->options.link;
	return link->light_block(link->context, out, height, err);
}

static enum status decided_at(struct engine *engine, uint64_t *height, uint64_t number, struct err *err) {
	return comet_decided_at(comet_of(engine), height, number, err);
}

/* --- the executing thread --- */

static enum status serve(struct comet *comet, struct err *err) {
	enum status status = STATUS_OK;
	while (status == STATUS_OK && !work_queue_is_stopping(&comet->work)) {
		if (atomic_load(&comet->has_failed)) {
			comet_report(comet);
			return err_set(err, STATUS_CORRUPT, "this node differs from the other members: %s", comet->why);
		}
		if (!comet->decision.is_there) work_queue_run(&comet->work, false); /* between two blocks */
		status = abci_server_turn(comet->server, IDLE_WAIT_MS, err);
	}
	return status;
}

static enum status run(struct engine *engine, struct err *err) {
	struct comet *comet = comet_of(engine);
	if (pthread_create(&comet->bundler, NULL, comet_bundle, comet) != 0)
		return err_set(err, STATUS_INTERNAL, "cannot start the bundling thread");
	const enum status status = serve(comet, err);
	stop(engine); /* nobody may wait for a thread that has gone */
	work_queue_run(&comet->work, true);
	pthread_join(comet->bundler, NULL);
	comet_drop_decision(comet);
	return status;
}

/* --- making and freeing --- */

static void free_comet(struct engine *engine) {
	struct comet *comet = comet_of(engine);
	comet_drop_decision(comet);
	snapshot_load_free(comet->taking.load); /* the chain finds its mark when it is opened again */
	abci_server_close(comet->server);
	senders_free(comet->senders);
	work_queue_fini(&comet->work);
	arena_fini(&comet->decision.arena);
	mem_free(comet);
}

static const struct engine_kind comet_kind = {.run = run,
    .stop = stop,
    .call = call,
    .seal = seal,
    .next = next,
    .sealer = sealer,
    .sign_seal = sign_seal,
    .sign_head = sign_head,
    .light_block = light_block,
    .decided_at = decided_at,
    .free = free_comet,
    .is_final = true};

/* After the newest block; none if the genesis names no contract. */
static enum status read_members(struct members *out, struct comet *comet, struct err *err) {
	addr20 contract;
	out->count = 0;
	if (!genesis_members(chain_genesis(comet->chain), &contract)) return STATUS_OK;
	struct chain_head *head = chain_head(comet->chain);
	const struct state_source state = state_view_source(head->view);
	const enum status status = members_read(out, &state, &contract, err);
	chain_head_release(head);
	return status;
}

enum status comet_read_standing(struct comet *comet, struct err *err) {
	uint64_t height;
	TRY(comet_kept_height(comet->store, &height, err));
	atomic_store(&comet->height, height);
	atomic_store(&comet->height_at, clock_monotonic_ns(comet->options.clock));
	(void)genesis_members(chain_genesis(comet->chain), &comet->contract);
	const enum status status = read_members(&comet->members, comet, err);
	struct chain_head *head = chain_head(comet->chain);
	const uint64_t number = head->header.number;
	chain_head_release(head);
	if (status == STATUS_OK && height == 0 && number != 0)
		return err_set(err, STATUS_INVALID,
		    "this data folder holds %llu blocks that no consortium decided: take an empty one",
		    (unsigned long long)number);
	return status;
}

enum status comet_make(struct comet **out, struct chain *chain, struct pool *pool, struct store *store,
    const struct comet_options *options, struct err *err) {
	struct comet *comet = mem_zalloc(1, sizeof *comet);
	comet->engine.kind = &comet_kind;
	comet->chain = chain;
	comet->pool = pool;
	comet->store = store;
	comet->options = *options;
	comet->senders = senders_new();
	pace_init(&comet->pace);
	work_queue_init(&comet->work, &comet->engine, wake);
	arena_init(&comet->decision.arena);
	const enum status status = comet_read_standing(comet, err);
	if (status == STATUS_OK)
		*out = comet;
	else
		free_comet(&comet->engine);
	return status;
}

enum status comet_new(struct engine **out, struct chain *chain, struct pool *pool, struct store *store,
    const struct comet_options *options, struct err *err) {
	struct comet *comet;
	TRY(comet_make(&comet, chain, pool, store, options, err));
	const struct abci_application application = comet_application(comet);
	const enum status status = abci_server_open(&comet->server, options->socket, &application, err);
	if (status == STATUS_OK)
		*out = &comet->engine;
	else
		free_comet(&comet->engine);
	return status;
}

struct comet_progress comet_progress(struct engine *engine) {
	struct comet *comet = comet_of(engine);
	const uint64_t came = atomic_load(&comet->height_at), now = clock_monotonic_ns(comet->options.clock);
	return (struct comet_progress){
	    .height = atomic_load(&comet->height), .quiet_ms = now > came ? (now - came) / 1000000 : 0};
}

bool comet_is_follower(const struct engine *engine, const addr20 *node) {
	const struct comet_options *options = &((const struct comet *)engine)->options;
	for (size_t i = 0; i < options->follower_count; i++)
		if (addr20_equal(&options->followers[i], node)) return true;
	return false;
}

enum status comet_member_place(struct engine *engine, size_t *place, const addr20 *node, struct err *err) {
	struct comet *comet = comet_of(engine);
	struct members members;
	TRY(read_members(&members, comet, err));
	const struct member *member = members_by_node(&members, node);
	if (member == NULL) return err_set(err, STATUS_NOTFOUND, "no member has this node");
	*place = (size_t)(member - members.list);
	return STATUS_OK;
}

size_t comet_member_count(struct engine *engine) {
	struct members members;
	return read_members(&members, comet_of(engine), NULL) == STATUS_OK ? members.count : 0;
}

size_t comet_liars(struct engine *engine, struct comet_liar out[COMET_LIARS_MAX]) {
	struct comet *comet = comet_of(engine);
	struct members members;
	size_t count = 0;
	if (read_members(&members, comet, NULL) != STATUS_OK) return 0;
	for (size_t i = 0; i < members.count; i++) {
		struct comet_liar liar = {.account = members.list[i].account};
		if (!comet_lied_at(comet, &liar.height, &members.list[i].address)) continue;
		if (count < COMET_LIARS_MAX) out[count] = liar;
		count++;
	}
	return count;
}

void comet_fail(struct engine *engine, const char *why) {
	struct comet *comet = comet_of(engine);
	if (atomic_load(&comet->has_failed)) return;
	snprintf(comet->why, sizeof comet->why, "%s", why);
	atomic_store(&comet->has_failed, true);
	abci_server_wake(comet->server);
}
