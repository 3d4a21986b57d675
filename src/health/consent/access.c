/* Asking for a window, and the log of all who asked. */
#include "eth/abi.h"
#include "health/consent/consent_private.h"

#define CONSENT_TOPICS 4

bool access_event_read(struct access_event *out, const struct log *log) {
	hash32 topic = abi_topic(ACCESS_EVENT);
	if (log->topic_count != CONSENT_TOPICS || !hash32_equal(&log->topics[0], &topic)) return false;
	struct abi_reader reader = abi_reader(log->data);
	*out = (struct access_event){
	    .folder = log->topics[1], .record = log->topics[2], .actor = abi_address_of_topic(&log->topics[3])};
	out->purpose = (uint8_t)abi_u64(&reader);
	out->permitted = abi_bool(&reader);
	out->reason = (uint8_t)abi_u64(&reader);
	out->until = abi_u64(&reader);
	return abi_finish(&reader, NULL) == STATUS_OK;
}

/* The decision that a receipt holds. */
static enum status decision(
    struct actor_request *request, struct access_event *out, const struct client_receipt *receipt, struct err *err) {
	for (size_t i = 0; i < receipt->log_count; i++) {
		const struct log *log = &receipt->logs[i];
		if (!addr20_equal(&log->address, &request->home->deployment.consent)) continue;
		if (!access_event_read(out, log)) continue;
		out->block_number = receipt->block_number;
		out->tx_hash = receipt->tx_hash;
		return STATUS_OK;
	}
	return err_set(err, STATUS_INTERNAL, "the transaction stands in block %llu, but holds no decision",
	    (unsigned long long)receipt->block_number);
}

enum status access_ask(struct actor_request *request, struct access_event *out, const hash32 *folder,
    const hash32 *record, enum purpose purpose, struct err *err) {
	struct client_receipt receipt;
	struct buf data;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "access(bytes32,bytes32,uint8)");
	abi_put_hash32(&data, folder);
	abi_put_hash32(&data, record);
	abi_put_u64(&data, purpose);
	enum status status = buf_status(&data, err);
	if (status == STATUS_OK)
		status = request_transact(request, &receipt, &request->home->deployment.consent, buf_view(&data), err);
	buf_fini(&data);
	TRY(status);
	return decision(request, out, &receipt, err);
}

enum status access_log(
    struct actor_request *request, struct access_event **out, size_t *count, const hash32 *folder, struct err *err) {
	struct client_log *logs;
	size_t found;
	TRY(consent_logs(request, &logs, &found, 0, ACCESS_EVENT, (const hash32 *const[3]){folder}, err));
	*out = arena_zalloc(request->arena, found, sizeof **out);
	*count = 0;
	for (size_t i = 0; i < found; i++) {
		struct access_event *event = &(*out)[*count];
		if (!access_event_read(event, &logs[i].log))
			return err_set(err, STATUS_INTERNAL, "the node shows an access event that makes no sense");
		event->block_number = logs[i].block_number;
		event->timestamp = logs[i].timestamp;
		event->tx_hash = logs[i].tx_hash;
		(*count)++;
	}
	return STATUS_OK;
}

enum status actor_name(struct actor_request *request, const char **name, const addr20 *actor, struct err *err) {
	struct buf data;
	struct bytes output;
	buf_init(&data, CALLDATA_MAX);
	abi_put_selector(&data, "actorOf(address)");
	abi_put_address(&data, actor);
	enum status status = request_call(request, &output, &request->home->deployment.directory, buf_view(&data), err);
	buf_fini(&data);
	TRY(status);
	struct abi_reader reader = abi_reader(output), row = abi_tuple(&reader);
	for (int i = 0; i < 5; i++) (void)abi_u64(&row); /* roles … emergencyFrom */
	(void)abi_hash32(&row);
	(void)abi_hash32(&row);
	*name = arena_strdup(request->arena, abi_bytes(&row));
	return abi_finish(&reader, err);
}
