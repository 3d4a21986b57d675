/* Events of the medicines contract: alerts, the content of a container, acknowledgements of a recall. */
#include "health/trace/medicines.h"

static struct client_log_filter filter_of(const struct actor_request *request, const struct contract_topics *topics) {
	struct client_log_filter filter = {.address = &request->home->deployment.medicines};
	memcpy(filter.topics, topics->topics, sizeof filter.topics);
	memcpy(filter.has_topic, topics->has_topic, sizeof filter.has_topic);
	return filter;
}

enum status medicines_alerts(struct actor_request *request, struct medicines_alert **alerts, size_t *count,
    const addr20 *actor, struct err *err) {
	struct contract_topics by = medicines_alert_event_topics(NULL, actor, NULL);
	struct contract_topics other = medicines_alert_event_topics(NULL, NULL, actor);
	struct client_log_filter filters[2] = {filter_of(request, &by), filter_of(request, &other)};
	struct client_log *logs;
	TRY(client_logs_kept(request->client, &logs, count, request->arena, filters, actor ? 2 : 1, err));
	*alerts = arena_zalloc(request->arena, *count + 1, sizeof **alerts);
	for (size_t i = 0; i < *count; i++) {
		struct medicines_alert *alert = &(*alerts)[i];
		TRY(medicines_alert_event_read(&alert->event, &logs[i].log, err));
		alert->block_number = logs[i].block_number;
		alert->timestamp = logs[i].timestamp;
		alert->tx_hash = logs[i].tx_hash;
	}
	return STATUS_OK;
}

static size_t find(const hash32 *ids, size_t count, const hash32 *id) {
	size_t i = 0;
	while (i < count && !hash32_equal(&ids[i], id)) i++;
	return i;
}

enum status medicines_children(
    struct actor_request *request, hash32 **out, size_t *count, const hash32 *container, struct err *err) {
	struct contract_topics in = medicines_container_packed_event_topics(container, NULL);
	struct contract_topics off = medicines_container_unpacked_event_topics(container, NULL);
	struct client_log_filter filters[2] = {filter_of(request, &in), filter_of(request, &off)};
	struct client_log *logs;
	size_t log_count;
	TRY(client_logs_kept(request->client, &logs, &log_count, request->arena, filters, 2, err));
	*out = arena_alloc(request->arena, (log_count + 1) * sizeof **out);
	*count = 0;
	for (size_t i = 0; i < log_count; i++) {
		struct medicines_event event;
		TRY(medicines_event_read(&event, request->arena, &logs[i].log, err));
		bool packs = event.kind == MEDICINES_EVENT_CONTAINER_PACKED;
		const hash32 *child = packs ? &event.container_packed.child : &event.container_unpacked.child;
		size_t at = find(*out, *count, child);
		if (packs && at == *count) (*out)[(*count)++] = *child;
		if (!packs && at < *count) (*out)[at] = (*out)[--*count];
	}
	return STATUS_OK;
}

enum status medicines_acknowledgements(struct actor_request *request, struct medicines_acknowledgement **out,
    size_t *count, const hash32 *batch, struct err *err) {
	struct contract_topics topics = medicines_recall_acknowledged_event_topics(batch, NULL);
	struct client_log *logs;
	TRY(request_logs(request, &logs, count, &request->home->deployment.medicines, 0, &topics, err));
	*out = arena_zalloc(request->arena, *count + 1, sizeof **out);
	for (size_t i = 0; i < *count; i++) {
		struct medicines_recall_acknowledged_event event;
		TRY(medicines_recall_acknowledged_event_read(&event, &logs[i].log, err));
		(*out)[i] = (struct medicines_acknowledgement){event.by, logs[i].block_number};
	}
	return STATUS_OK;
}
