#include "app/serve/node_ops.h"

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
	metric_put(out, METRIC_COUNTER, "blob_stranger_requests_total", "Requests of accounts that no gate knows.",
	    counts.strangers);
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
}

void node_ops_init(
    struct node_ops *ops, struct chain *chain, struct pool *pool, struct blob_room *blobs, const char *data) {
	ops->chain = chain;
	ops->pool = pool;
	ops->blobs = blobs;
	ops->data = data;
	ops->ops = (struct ops){.check = check, .metrics = write_metrics, .context = ops, .http = &ops->http};
}
