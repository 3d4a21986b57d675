/* Views and events of the contracts, and the words that they are made of. */
#include "health/records/private.h"

enum status view_call(
    struct actor_request *request, struct abi_reader *answer, const addr20 *to, struct buf *data, struct err *err) {
	struct bytes output;
	enum status status = buf_status(data, err);
	if (status == STATUS_OK) status = request_call(request, &output, to, buf_view(data), err);
	buf_fini(data);
	TRY(status);
	*answer = abi_reader(output);
	return STATUS_OK;
}

enum status event_logs(struct actor_request *request, struct client_log **logs, size_t *count, const addr20 *contract,
    const char *event, const hash32 *const topics[3], struct err *err) {
	struct client_log_filter filter = {.address = contract, .has_topic = {true}};
	filter.topics[0] = abi_topic(event);
	for (size_t i = 0; i < 3; i++) {
		if (!topics[i]) continue;
		filter.topics[i + 1] = *topics[i];
		filter.has_topic[i + 1] = true;
	}
	return client_logs(request->client, logs, count, request->arena, &filter, err);
}

enum status log_is(const struct client_log *log, unsigned topic_count, struct err *err) {
	if (log->log.topic_count == topic_count) return STATUS_OK;
	return err_set(err, STATUS_INTERNAL, "the node shows an event with %u topics instead of %u",
	    log->log.topic_count, topic_count);
}

enum status now_seconds(struct actor_request *request, uint64_t *now, struct err *err) {
	uint64_t here = clock_now_ms(request->clock) / 1000, there;
	TRY(client_timestamp(request->client, &there, err));
	*now = here > there ? here : there;
	return STATUS_OK;
}
