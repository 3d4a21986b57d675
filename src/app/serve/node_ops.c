#include "app/serve/node_ops.h"

#include <stdio.h>

static void check(void *context, struct readiness *out) {
	struct node_ops *ops = context;
	struct chain_head *head = chain_head(ops->chain);
	readiness_add(out, "chain", true, "block %llu", (unsigned long long)head->header.number);
	chain_head_release(head);
	bool is_sealing = atomic_load(&ops->is_sealing);
	readiness_add(out, "execution", is_sealing, is_sealing ? "runs" : "does not run");
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
	write_blob_metrics(out, blob_counts(ops->blobs));
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
