#include "app/serve/node_ops.h"

#include <stdio.h>

#include "codec/hex.h"

/* An empty height comes once a minute, and homes believe no head that is older than two. */
enum { QUIET_MAX_MS = 120000, STUCK_MS = 15000 };

static void check_consensus(const struct node_ops *ops, struct readiness *out) {
	static const char name[] = "consensus";
	const struct consortium_standing is = consortium_standing(ops->consortium);
	const unsigned long long height = is.progress.height, quiet_s = is.progress.quiet_ms / 1000;
	const size_t pending = pool_counts(ops->pool).pending;
	if (!is.answers)
		readiness_add(out, name, false, "CometBFT does not answer; height %llu", height);
	else if (is.is_catching_up)
		readiness_add(out, name, false, "catches up with the other members; height %llu", height);
	else if (is.progress.quiet_ms > (pending > 0 ? STUCK_MS : QUIET_MAX_MS))
		readiness_add(out, name, false,
		    "no height for %llu s, %zu transactions wait; height %llu, round %llu, %llu peers", quiet_s,
		    pending, height, (unsigned long long)is.round, (unsigned long long)is.peers);
	else
		readiness_add(out, name, true, "height %llu, %llu peers", height, (unsigned long long)is.peers);
}

/* Nothing is wrong with this node. */
static void check_members(const struct node_ops *ops, struct readiness *out) {
	const struct consortium_standing is = consortium_standing(ops->consortium);
	struct buf account;
	if (is.liar_count == 0) return;
	buf_init(&account, 64);
	hex_put(&account, BYTES_OF(is.liars[0].account), true);
	readiness_add(out, "members", true,
	    "%s signed two things for one height, by evidence at height %llu%s: vote it out", buf_cstr(&account),
	    (unsigned long long)is.liars[0].height, is.liar_count > 1 ? ", and so did others" : "");
	buf_fini(&account);
}

static void check_store(const struct node_ops *ops, struct readiness *out) {
	const struct blob_store_state is = blob_store_state(ops->blobs);
	if (!is.is_remote) return;
	readiness_add(out, "object-store", is.is_usable, "%s", is.is_usable ? "answers" : is.why);
}

static void check(void *context, struct readiness *out) {
	struct node_ops *ops = context;
	struct chain_head *head = chain_head(ops->chain);
	readiness_add(out, "chain", true, "block %llu", (unsigned long long)head->header.number);
	chain_head_release(head);
	bool is_sealing = atomic_load(&ops->is_sealing);
	readiness_add(out, "execution", is_sealing, is_sealing ? "runs" : "does not run");
	if (ops->consortium != NULL) check_consensus(ops, out);
	if (ops->consortium != NULL) check_members(ops, out);
	check_store(ops, out);
	readiness_add_disk(out, ops->data, atomic_load(&ops->min_free_bytes));
}

static void write_blob_metrics(struct buf *out, struct blob_counts counts) {
	metric_put(out, METRIC_GAUGE, "blob_items", "Items whose content is here.", counts.items);
	metric_put(out, METRIC_GAUGE, "blob_bytes", "Bytes of their content.", counts.bytes);
	metric_put(
	    out, METRIC_GAUGE, "blob_waiting_bytes", "Bytes that were put and not yet named.", counts.waiting_bytes);
	metric_put(out, METRIC_GAUGE, "blob_audit_entries", "Entries in the audit log.", counts.audit_entries);
	metric_put(
	    out, METRIC_GAUGE, "blob_missing_items", "Items on the chain whose content is not here.", counts.missing);
	metric_put(out, METRIC_COUNTER, "blob_damaged_total", "Contents that were found lost or changed on this disk.",
	    counts.damaged);
	metric_put(out, METRIC_COUNTER, "blob_stranger_requests_total", "Requests of accounts that no gate knows.",
	    counts.strangers);
}

static void write_store_metrics(struct buf *out, const struct blob_store_state *is) {
	if (!is->is_remote) return;
	metric_put(
	    out, METRIC_GAUGE, "object_store_up", "Does the object store answer, and may it be used?", is->is_usable);
	metric_put(out, METRIC_COUNTER, "object_store_requests_total", "Requests to it.", is->requests);
	metric_put(out, METRIC_COUNTER, "object_store_retries_total", "Times that one was tried again.", is->retries);
	metric_put(
	    out, METRIC_COUNTER, "object_store_failures_total", "Requests that failed in the end.", is->failures);
	metric_put(out, METRIC_GAUGE, "object_store_objects", "Objects that the newest pass found.", is->objects);
	metric_put(out, METRIC_GAUGE, "object_store_bytes", "Their bytes.", is->bytes);
	metric_put(
	    out, METRIC_COUNTER, "object_store_passes_total", "Passes through the list of the bucket.", is->passes);
	metric_put(out, METRIC_COUNTER, "object_store_strays_total",
	    "Objects that passes found, and that should not be there.", is->strays);
	metric_put(out, METRIC_GAUGE, "object_store_owed_deletions", "Objects that are to be deleted still.", is->owed);
	metric_put(out, METRIC_COUNTER, "object_store_deletions_total", "Objects that were deleted.", is->deleted);
}

/* A line for each other member, whose label is its node's identifier. */
static void write_peer_family(
    struct blob_room *blobs, struct buf *out, const char *name, const char *help, size_t member) {
	struct blob_peer_counts counts;
	metric_begin(out, "counter", name, help);
	for (size_t i = 0; blob_peer_counts(blobs, i, &counts); i++) {
		char labels[64];
		const uint64_t values[] = {counts.asked, counts.failed, counts.fetched, counts.absent, counts.forged};
		int len = snprintf(labels, sizeof labels, "member=\"");
		for (size_t k = 0; k < sizeof counts.node.b; k++)
			len += snprintf(labels + len, sizeof labels - (size_t)len, "%02x", counts.node.b[k]);
		snprintf(labels + len, sizeof labels - (size_t)len, "\"");
		metric_line(out, name, labels, values[member]);
	}
}

static void write_peer_metrics(struct blob_room *blobs, struct buf *out) {
	static const char *const families[][2] = {{"blob_peer_requests_total", "Requests for blobs to this member."},
	    {"blob_peer_failures_total", "Those without a sensible answer."},
	    {"blob_peer_fetched_total", "Contents that it gave, and that were right."},
	    {"blob_peer_absent_total", "Contents that it had not, and another member had."},
	    {"blob_peer_forged_total", "Contents that it gave, and that were not what was asked for."}};
	struct blob_peer_counts counts;
	if (!blob_peer_counts(blobs, 0, &counts)) return;
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		write_peer_family(blobs, out, families[i][0], families[i][1], i);
}

static void write_consensus_metrics(struct buf *out, struct consortium *consortium) {
	const struct consortium_standing is = consortium_standing(consortium);
	metric_put(
	    out, METRIC_GAUGE, "consensus_height", "The newest height that is committed here.", is.progress.height);
	metric_put(out, METRIC_GAUGE, "consensus_quiet_milliseconds", "Since that height was committed.",
	    is.progress.quiet_ms);
	metric_put(out, METRIC_GAUGE, "consensus_comet_up", "Does CometBFT answer?", is.answers);
	metric_put(
	    out, METRIC_GAUGE, "consensus_catching_up", "Does it fetch heights that others have?", is.is_catching_up);
	metric_put(
	    out, METRIC_GAUGE, "consensus_round", "Its round of the next height; above 0, proposals failed.", is.round);
	metric_put(out, METRIC_GAUGE, "consensus_peers", "Members that it is connected to.", is.peers);
	metric_put(out, METRIC_GAUGE, "consensus_liars", "Members against whom evidence stands: vote them out.",
	    is.liar_count);
}

static void write_caller_metrics(struct buf *out, struct rpc_callers *callers) {
	const struct rpc_caller_counts counts = rpc_callers_count(callers);
	metric_put(out, METRIC_COUNTER, "rpc_unknown_callers_total",
	    "Requests of JSON-RPC without a token that the keys know (401).", counts.unknown);
	metric_put(out, METRIC_COUNTER, "rpc_limited_messages_total",
	    "Messages of callers that had to wait (429, or error -32005).", counts.limited);
	metric_put(out, METRIC_COUNTER, "rpc_limited_calls_total",
	    "Calls that were refused since their caller had no gas left.", counts.gas_limited);
}

static void write_metrics(void *context, struct buf *out) {
	struct node_ops *ops = context;
	struct chain_head *head = chain_head(ops->chain);
	struct pool_counts counts = pool_counts(ops->pool);
	metric_put(out, METRIC_GAUGE, "chain_head_block", "Number of the newest block.", head->header.number);
	metric_put(out, METRIC_GAUGE, "chain_head_timestamp_seconds", "Its time.", head->header.timestamp);
	metric_put(out, METRIC_GAUGE, "chain_head_gas_used", "Gas that its transactions used.", head->header.gas_used);
	chain_head_release(head);
	metric_put(out, METRIC_GAUGE, "txpool_pending", "Transactions that could be executed now.", counts.pending);
	metric_put(out, METRIC_GAUGE, "txpool_queued", "Transactions that wait behind a gap.", counts.queued);
	if (ops->consortium != NULL) write_consensus_metrics(out, ops->consortium);
	if (ops->callers != NULL) write_caller_metrics(out, ops->callers);
	write_blob_metrics(out, blob_counts(ops->blobs));
	const struct blob_store_state store = blob_store_state(ops->blobs);
	write_store_metrics(out, &store);
	write_peer_metrics(ops->blobs, out);
}

void node_ops_init(
    struct node_ops *ops, struct chain *chain, struct pool *pool, struct blob_room *blobs, const char *data) {
	ops->chain = chain;
	ops->pool = pool;
	ops->blobs = blobs;
	ops->data = data;
	ops->ops = (struct ops){.check = check, .metrics = write_metrics, .context = ops, .http = &ops->http};
}
