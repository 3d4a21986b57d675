/* The engine as CometBFT's application: what it answers, and what it keeps. */
#include "ledger/consensus/comet_private.h"

#include <stdio.h>

#include "base/log.h"
#include "codec/hex.h"
#include "codec/protobuf.h"
#include "comet/light.h"
#include "ledger/consensus/verdicts.h"

/* Verdicts over bundles and queries; 0 is yes. */
enum { REFUSED_FORM = 1, REFUSED_STALE = 2, REFUSED_PEER = 3, REFUSED_PATH = 4 };

/* The code of a height's bundles if one of their transactions stands in no block. */
enum { LEFT_OUT = 1 };

/* --- what is kept --- */

/* The keys of rows of META (store/tables.h). */
static const char HEIGHT_KEY[] = "comet", LIAR_KEY[] = "liar";

static void height_key(uint8_t out[sizeof HEIGHT_KEY - 1 + 8], uint64_t number) {
	memcpy(out, HEIGHT_KEY, sizeof HEIGHT_KEY - 1);
	store_be64(out + sizeof HEIGHT_KEY - 1, number);
}

/* STATUS_NOTFOUND. */
static enum status read_height(struct store *store, uint64_t *out, struct bytes key, struct err *err) {
	struct store_value row;
	TRY(store_get(store, NULL, TABLE_META, &row, key, err));
	const bool is_there = row.view.data != NULL, good = row.view.len == 8;
	if (is_there && good) *out = load_be64(row.view.data);
	store_value_release(&row);
	if (!is_there) return err_set(err, STATUS_NOTFOUND, "no height is kept for this block");
	return good ? STATUS_OK : err_set(err, STATUS_CORRUPT, "a stored height is malformed");
}

enum status comet_kept_height(struct store *store, uint64_t *out, struct err *err) {
	*out = 0;
	const enum status status = read_height(store, out, bytes_text(HEIGHT_KEY), err);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

enum status comet_decided_at(struct comet *comet, uint64_t *height, uint64_t number, struct err *err) {
	uint8_t key[sizeof HEIGHT_KEY - 1 + 8];
	height_key(key, number);
	return read_height(comet->store, height, bytes_make(key, sizeof key), err);
}

void comet_note_height(struct height_notes *out, uint64_t height, uint64_t number) {
	const size_t len = sizeof HEIGHT_KEY - 1 + 8;
	_Static_assert(sizeof HEIGHT_KEY - 1 + 8 <= sizeof out->key, "a key's room");
	height_key(out->key, number);
	store_be64(out->value, height);
	const struct bytes value = bytes_make(out->value, sizeof out->value);
	out->notes[0] = (struct chain_note){bytes_text(HEIGHT_KEY), value};
	out->notes[1] = (struct chain_note){bytes_make(out->key, len), value};
}

static hash32 head_hash(struct comet *comet) {
	struct chain_head *head = chain_head(comet->chain);
	const hash32 hash = head->hash;
	chain_head_release(head);
	return hash;
}

void comet_drop_decision(struct comet *comet) {
	struct decision *decision = &comet->decision;
	if (decision->pending != NULL) chain_drop(comet->chain, decision->pending);
	struct arena arena = decision->arena;
	arena_reset(&arena);
	*decision = (struct decision){.arena = arena};
}

/* --- starting --- */

static enum status info(void *context, struct abci_standing *out, struct err *err) {
	(void)err;
	struct comet *comet = context;
	*out = (struct abci_standing){.height = atomic_load(&comet->height), .app_hash = head_hash(comet)};
	return STATUS_OK;
}

static enum status check_start(const struct comet *comet, const struct abci_init *init, struct err *err) {
	char chain_id[COMET_CHAIN_ID_SIZE];
	comet_chain_id(chain_id, chain_genesis_hash(comet->chain));
	if (!bytes_equal(init->chain_id, bytes_text(chain_id)))
		return err_set(err, STATUS_INVALID, "CometBFT's genesis names the chain %.*s, and this one is %s",
		    (int)(init->chain_id.len < 64 ? init->chain_id.len : 64), (const char *)init->chain_id.data,
		    chain_id);
	if (init->initial_height > 1)
		return err_set(err, STATUS_INVALID, "CometBFT's genesis begins with height %llu instead of 1",
		    (unsigned long long)init->initial_height);
	if (comet->members.count > 0 && !members_are(&comet->members, init->validators, init->validator_count))
		return err_set(err, STATUS_INVALID,
		    "CometBFT's genesis names other validators than the members' contract in genesis.json");
	return STATUS_OK;
}

static enum status init_chain(
    void *context, struct abci_started *out, struct arena *arena, const struct abci_init *init, struct err *err) {
	struct comet *comet = context;
	TRY(comet_drop_taking(comet, err));
	TRY(check_start(comet, init, err));
	if (atomic_load(&comet->height) != 0)
		return err_set(err, STATUS_INVALID, "CometBFT begins anew, and this node holds height %llu",
		    (unsigned long long)atomic_load(&comet->height));
	struct abci_validator *validators = arena_alloc(arena, init->validator_count * sizeof *validators);
	if (init->validator_count > 0) memcpy(validators, init->validators, init->validator_count * sizeof *validators);
	*out = (struct abci_started){
	    .validators = validators, .validator_count = init->validator_count, .app_hash = head_hash(comet)};
	return STATUS_OK;
}

/* CometBFT asks whether a peer may stay: by its address, which says nothing here, and by its node's identifier, 40
 * hexadecimal digits. */
static bool admits_peer(const struct comet *comet, struct bytes identifier) {
	addr20 node;
	char text[2 + 2 * sizeof node.b + 1];
	if (comet->members.count == 0) return true;
	if (identifier.len != 2 * sizeof node.b) return false;
	snprintf(text, sizeof text, "0x%.*s", (int)identifier.len, (const char *)identifier.data);
	if (hex_fixed(node.b, sizeof node.b, bytes_text(text)) != STATUS_OK) return false;
	return comet_is_follower(&comet->engine, &node) || members_by_node(&comet->members, &node) != NULL;
}

static enum status query(void *context, struct abci_verdict *out, const struct abci_query *query, struct err *err) {
	(void)err;
	static const char by_address[] = "/p2p/filter/addr/", by_node[] = "/p2p/filter/id/";
	const struct bytes path = query->path;
	if (bytes_equal(bytes_slice(path, 0, sizeof by_address - 1), bytes_text(by_address))) return STATUS_OK;
	if (!bytes_equal(bytes_slice(path, 0, sizeof by_node - 1), bytes_text(by_node))) {
		*out = (struct abci_verdict){REFUSED_PATH, "nothing is answered here; ask JSON-RPC"};
		return STATUS_OK;
	}
	const struct bytes identifier = bytes_slice(path, sizeof by_node - 1, path.len);
	if (admits_peer(context, identifier)) return STATUS_OK;
	log_warn("comet", "a peer that is no member is refused: %.*s", (int)(identifier.len < 40 ? identifier.len : 40),
	    (const char *)identifier.data);
	*out = (struct abci_verdict){REFUSED_PEER, "not a member"};
	return STATUS_OK;
}

/* --- bundles that are not decided yet --- */

/* Could any of them stand in a block after the head? */
static enum status any_may_stand(struct comet *comet, bool *out, const struct bundle_txs *txs, struct err *err) {
	struct chain_head *head = chain_head(comet->chain);
	enum status status = STATUS_OK;
	*out = false;
	for (size_t i = 0; status == STATUS_OK && !*out && i < txs->count; i++) {
		struct account account;
		bool exists;
		status = state_view_account(head->view, &account, &exists, &txs->txs[i].sender, err);
		*out = status == STATUS_OK && txs->txs[i].tx->nonce >= account.nonce;
	}
	chain_head_release(head);
	return status;
}

static enum status check_tx(void *context, struct abci_verdict *out, struct bytes tx, struct err *err) {
	struct comet *comet = context;
	struct bundle_txs txs;
	struct arena arena;
	bool may_stand = false;
	arena_init(&arena);
	bundles_read(&txs, &arena, comet->senders, &tx, 1);
	enum status status = STATUS_OK;
	if (txs.bad != 0)
		*out = (struct abci_verdict){REFUSED_FORM, "not a bundle of signed transactions"};
	else
		status = any_may_stand(comet, &may_stand, &txs, err);
	if (txs.bad == 0 && !may_stand)
		*out = (struct abci_verdict){REFUSED_STALE, "all of its transactions are in blocks already"};
	arena_fini(&arena);
	return status;
}

static uint64_t gas_of(const struct bundle_txs *txs) {
	uint64_t gas = 0;
	for (size_t i = 0; i < txs->count; i++) gas += txs->txs[i].tx->gas_limit;
	return gas;
}

/* Bundles whole and in their order, while there is room and the height will not take too long (pace.h); the first one
 * always, lest it wait for ever. */
static enum status prepare(
    void *context, struct bytes *txs, size_t *count, const struct abci_block *block, struct err *err) {
	(void)err;
	struct comet *comet = context;
	struct chain_head *head = chain_head(comet->chain);
	uint64_t gas = 0, bytes = 0;
	const uint64_t bytes_wanted = atomic_load(&comet->pace.bytes);
	const uint64_t gas_max = head->header.gas_limit;
	chain_head_release(head);
	struct arena arena;
	arena_init(&arena);
	for (size_t i = 0; i < block->tx_count; i++) {
		struct bundle_txs read;
		const struct arena_mark mark = arena_mark(&arena);
		bundles_read(&read, &arena, comet->senders, &block->txs[i], 1);
		const uint64_t more_gas = gas_of(&read), more_bytes = block->txs[i].len + 6; /* tag and length */
		arena_rewind(&arena, mark);
		if (read.bad != 0) continue; /* never: CheckTx let it pass */
		if (bytes + more_bytes > block->max_tx_bytes) break;
		if (*count > 0 && (gas + more_gas > gas_max || bytes + more_bytes > bytes_wanted)) break;
		gas += more_gas;
		bytes += more_bytes;
		txs[(*count)++] = block->txs[i];
	}
	arena_fini(&arena);
	return STATUS_OK;
}

static enum status process(void *context, struct abci_verdict *out, const struct abci_block *block, struct err *err) {
	(void)err;
	struct comet *comet = context;
	struct bundle_txs txs;
	struct arena arena;
	arena_init(&arena);
	bundles_read(&txs, &arena, comet->senders, block->txs, block->tx_count);
	if (txs.bad != 0) *out = (struct abci_verdict){REFUSED_FORM, "what is no bundle of signed transactions"};
	arena_fini(&arena);
	return STATUS_OK;
}

/* --- deciding --- */

/* The bundles' bytes outlive the request, since what is executed views them until it is committed. */
static void read_decided(struct comet *comet, const struct abci_block *block) {
	struct decision *decision = &comet->decision;
	struct bytes *bundles = arena_alloc(&decision->arena, block->tx_count * sizeof *bundles);
	for (size_t i = 0; i < block->tx_count; i++) {
		bundles[i] = arena_dup(&decision->arena, block->txs[i]);
		decision->bundle_bytes += block->txs[i].len;
	}
	bundles_read(&decision->txs, &decision->arena, comet->senders, bundles, block->tx_count);
	bundles_order(&decision->txs, &decision->arena);
	const struct member *proposer = members_by_address(&comet->members, block->proposer);
	decision->block = (struct block_decision){.txs = decision->txs.txs,
	    .tx_count = decision->txs.count,
	    .time_ms = block->time_ms,
	    .proposer = proposer != NULL ? proposer->account : (addr20){{0}}};
}

/* What the members' contract says after the pending block, if that changed it. */
static enum status read_updates(struct comet *comet, struct abci_outcome *out, struct arena *arena, struct err *err) {
	struct decision *decision = &comet->decision;
	const struct pending_block *pending = decision->pending;
	if (comet->members.count == 0 || !members_changed(pending->receipts, pending->receipt_count, &comet->contract))
		return STATUS_OK;
	const struct state_source state = chain_pending_state(comet->chain, pending);
	TRY(members_read(&decision->members, &state, &comet->contract, err));
	decision->members_changed = true;
	for (size_t i = 0; i < comet->members.count; i++)
		if (members_by_node(&decision->members, &comet->members.list[i].node) == NULL)
			decision->somebody_left = true;
	struct abci_validator *updates = arena_alloc(arena, MEMBERS_UPDATES_MAX * sizeof *updates);
	out->update_count = members_updates(updates, &comet->members, &decision->members);
	out->updates = updates;
	return STATUS_OK;
}

static enum status check_height(const struct comet *comet, uint64_t height, struct err *err) {
	const uint64_t kept = atomic_load(&comet->height);
	if (height == kept + 1) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT,
	    "CometBFT decides height %llu, and this node holds %llu: their data are not of the same moment, so restore "
	    "both from one backup",
	    (unsigned long long)height, (unsigned long long)kept);
}

/* A member votes before others decide, and its key remembers it before it votes. So if a vote of it stands in a block
 * and its key does not know, an older state of the key was put back, and it would sign a second time. */
static enum status check_own_vote(struct comet *comet, const struct abci_block *block, struct err *err) {
	const struct comet_link *link = &comet->options.link;
	const uint64_t decided = block->height - 1;
	addr20 validator;
	if (link->remembers == NULL || decided <= comet->remembered) return STATUS_OK;
	if (!link->remembers(link->context, &validator, &comet->remembered)) return STATUS_OK;
	bool has_voted = false;
	for (size_t i = 0; i < block->voter_count; i++) has_voted |= bytes_equal(block->voters[i], BYTES_OF(validator));
	if (!has_voted || decided <= comet->remembered) return STATUS_OK;
	link->forgot(link->context);
	return err_set(err, STATUS_CORRUPT,
	    "this member voted for height %llu, and its priv_validator_state.json remembers %llu: an old one was put back, "
	    "and it would sign twice. Start the node again: it will sign nothing until it has caught up",
	    (unsigned long long)decided, (unsigned long long)comet->remembered);
}

/* The key of the row that says when evidence against a validator last stood in a block. */
static void liar_key(uint8_t out[sizeof LIAR_KEY - 1 + 20], struct bytes validator) {
	memcpy(out, LIAR_KEY, sizeof LIAR_KEY - 1);
	memcpy(out + sizeof LIAR_KEY - 1, validator.data, 20);
}

bool comet_lied_at(struct comet *comet, uint64_t *height, const addr20 *validator) {
	uint8_t key[sizeof LIAR_KEY - 1 + 20];
	liar_key(key, BYTES_OF(*validator));
	return read_height(comet->store, height, bytes_make(key, sizeof key), NULL) == STATUS_OK;
}

static enum status note_liar(
    struct comet *comet, const struct abci_block *block, struct bytes validator, struct err *err) {
	uint8_t key[sizeof LIAR_KEY - 1 + 20], height[8];
	struct buf text;
	buf_init(&text, 128);
	hex_put(&text, validator, false);
	log_error("comet", "the validator %s signed two things for one height, before %llu", buf_cstr(&text),
	    (unsigned long long)block->height);
	buf_fini(&text);
	if (validator.len != 20) return STATUS_OK; /* never: CometBFT verified the evidence */
	liar_key(key, validator);
	store_be64(height, block->height);
	struct store_batch *batch = store_batch_new();
	store_batch_put(
	    batch, comet->store, TABLE_META, bytes_make(key, sizeof key), bytes_make(height, sizeof height));
	const enum status status = store_commit(comet->store, batch, false, err);
	store_batch_free(batch);
	return status;
}

static enum status note_misbehaviour(struct comet *comet, const struct abci_block *block, struct err *err) {
	const size_t known = sizeof block->misbehaved / sizeof *block->misbehaved;
	for (size_t i = 0; i < block->misbehaviour_count && i < known; i++)
		TRY(note_liar(comet, block, block->misbehaved[i], err));
	return STATUS_OK;
}

/* Of every bundle of a height, equal at all members. CometBFT takes a bundle that it has seen decided with code 0 never
 * again, so nothing may be left out under that code: it is sent again, perhaps in the same bytes. */
static uint32_t code_of(const struct decision *decision) {
	for (size_t i = 0; i < decision->txs.count; i++)
		if (decision->pending->verdicts[i] != TX_VERDICT_OK) return LEFT_OUT;
	return 0;
}

static enum status finalize(
    void *context, struct abci_outcome *out, struct arena *arena, const struct abci_block *block, struct err *err) {
	struct comet *comet = context;
	struct decision *decision = &comet->decision;
	TRY(comet_drop_taking(comet, err));
	TRY(check_height(comet, block->height, err));
	TRY(check_own_vote(comet, block, err));
	comet_drop_decision(comet); /* of a CometBFT that is gone */
	TRY(note_misbehaviour(comet, block, err));
	read_decided(comet, block);
	if (decision->txs.count > 0) {
		TRY(chain_execute(comet->chain, &decision->pending, &decision->block, err));
		if (decision->pending->block.transaction_count > 0) TRY(read_updates(comet, out, arena, err));
	}
	decision->is_there = true;
	decision->height = block->height;
	const bool changes = decision->pending != NULL && decision->pending->block.transaction_count > 0;
	out->app_hash = changes ? decision->pending->hash : head_hash(comet);
	out->code = code_of(decision);
	return STATUS_OK;
}

/* --- committing --- */

/* Transactions that the block left out: this node's own are sent again, or forgotten. */
static void settle_left_out(struct comet *comet, const enum tx_verdict *verdicts, bool block_is_empty) {
	const struct bundle_txs *txs = &comet->decision.txs;
	for (size_t i = 0; i < txs->count; i++) {
		if (verdicts[i] == TX_VERDICT_OK) continue;
		if (verdict_may_stand_later(verdicts[i], block_is_empty))
			pool_send_again(comet->pool, txs->txs[i].hash);
		else
			pool_reject(comet->pool, txs->txs[i].hash);
	}
}

/* The height alone: lost with the power it is decided again, so nothing waits for the disk. */
static enum status commit_nothing(struct comet *comet, struct err *err) {
	uint8_t height[8];
	store_be64(height, comet->decision.height);
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, comet->store, TABLE_META, bytes_text(HEIGHT_KEY), bytes_make(height, sizeof height));
	const enum status status = store_commit(comet->store, batch, false, err);
	store_batch_free(batch);
	return status;
}

static enum status commit_block(struct comet *comet, struct err *err) {
	struct decision *decision = &comet->decision;
	struct pending_block *pending = decision->pending;
	struct height_notes notes;
	comet_note_height(&notes, decision->height, pending->header.number);
	pending->notes = notes.notes;
	pending->note_count = 2;
	decision->pending = NULL; /* the commit frees it, whatever comes of it */
	return chain_commit(comet->chain, pending, NULL, err);
}

static void note_commit(struct comet *comet) {
	struct chain_head *head = chain_head(comet->chain);
	if (comet->options.snapshots != NULL)
		snapshots_committed(comet->options.snapshots, comet->decision.height, head->header.number);
	chain_head_release(head);
}

static enum status commit(void *context, uint64_t *retain_height, struct err *err) {
	struct comet *comet = context;
	struct decision *decision = &comet->decision;
	if (!decision->is_there) return err_set(err, STATUS_CORRUPT, "CometBFT commits what it has not decided");
	const size_t count = decision->txs.count;
	const bool changes = decision->pending != NULL && decision->pending->block.transaction_count > 0;
	enum tx_verdict *verdicts = arena_alloc(&decision->arena, count * sizeof *verdicts);
	if (count > 0) memcpy(verdicts, decision->pending->verdicts, count * sizeof *verdicts);
	TRY(changes ? commit_block(comet, err) : commit_nothing(comet, err));
	atomic_store(&comet->height, decision->height);
	const uint64_t now_ns = clock_monotonic_ns(comet->options.clock);
	atomic_store(&comet->height_at, now_ns);
	pace_height(&comet->pace, now_ns / 1000000, decision->bundle_bytes);
	if (changes) note_commit(comet);
	settle_left_out(comet, verdicts, !changes);
	if (decision->members_changed) comet->members = decision->members;
	if (decision->somebody_left) comet->options.link.members_left(comet->options.link.context);
	comet_drop_decision(comet);
	return comet_retain_height(comet, retain_height, err);
}

/* What CometBFT held is gone with it: decisions come again, and what was under way is sent again. */
static void closed(void *context) {
	struct comet *comet = context;
	struct err err;
	comet_drop_decision(comet);
	if (comet_drop_taking(comet, &err) != STATUS_OK) log_error("comet", "%s", err.message);
	pool_send_again(comet->pool, NULL);
}

struct abci_application comet_application(struct comet *comet) {
	struct abci_application application = {.info = info,
	    .init_chain = init_chain,
	    .query = query,
	    .check_tx = check_tx,
	    .prepare = prepare,
	    .process = process,
	    .finalize = finalize,
	    .commit = commit,
	    .closed = closed,
	    .name = "xinglin",
	    .context = comet};
	comet_add_snapshots(&application);
	return application;
}
