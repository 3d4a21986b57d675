/* What grants, looks and emergencies need alike: calls and logs of Consent, signatures, containers. */
#include "codec/hex.h"
#include "health/consent/consent_private.h"

enum status consent_sign(struct actor_request *request, uint8_t signature[65], const struct own_folder *folder,
    struct eip712_struct *fields, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	u256 chain_id = u256_from(deployment->chain_id);
	hash32 domain = eip712_domain("xinglin consent", "1", &chain_id, &deployment->consent);
	hash32 struct_hash = eip712_end(fields), digest = eip712_digest(&domain, &struct_hash);
	return folder_sign(request, signature, folder, &digest, err);
}

enum status consent_deadline(struct actor_request *request, uint64_t *deadline, struct err *err) {
	uint64_t now = clock_now_ms(request->clock) / 1000, of_chain;
	TRY(client_timestamp(request->client, &of_chain, err));
	*deadline = (now > of_chain ? now : of_chain) + ACTION_LIFE_SECONDS;
	return STATUS_OK;
}

enum status consent_call(struct actor_request *request, struct abi_reader *answer, struct buf *data, struct err *err) {
	struct bytes output;
	TRY(buf_status(data, err));
	TRY(request_call(request, &output, &request->home->deployment.consent, buf_view(data), err));
	*answer = abi_reader(output);
	return STATUS_OK;
}

enum status consent_carry(struct actor_request *request, struct action *action, hash32 *blob, const struct buf *parts,
    size_t count, struct err *err) {
	struct bytes *views = arena_zalloc(request->arena, count, sizeof *views);
	for (size_t i = 0; i < count; i++) views[i] = buf_view(&parts[i]);
	struct buf frame;
	buf_init(&frame, CONTAINER_BYTES_MAX);
	enum status status = container_encode(&frame, views, count, err);
	struct bytes content = arena_dup(request->arena, buf_view(&frame));
	buf_fini(&frame);
	TRY(status);
	struct container container;
	TRY(container_decode(&container, content, err));
	*blob = container_name(&container);
	BUG_ON(action->blob_count == ACTION_BLOBS_MAX);
	size_t i = action->blob_count++;
	action->blobs[i].gate = request->home->deployment.consent;
	action->blobs[i].blob = *blob;
	action->blobs[i].container = content;
	return STATUS_OK;
}

enum status consent_logs(struct actor_request *request, struct client_log **logs, size_t *count, uint64_t from_block,
    const char *event, const hash32 *const topics[3], struct err *err) {
	struct client_log_filter filter = {
	    .from_block = from_block, .address = &request->home->deployment.consent, .has_topic = {true}};
	filter.topics[0] = abi_topic(event);
	for (size_t i = 0; i < 3; i++) {
		if (!topics[i]) continue;
		filter.topics[i + 1] = *topics[i];
		filter.has_topic[i + 1] = true;
	}
	return client_logs(request->client, logs, count, request->arena, &filter, err);
}

enum status controller_asker(struct actor_request *request, struct blob_asker *asker, hash32 *secret,
    const struct own_folder *folder, struct err *err) {
	addr20 address;
	TRY(home_controller(request->home, secret, &address, folder->controller_index, err));
	*asker = request_asker(request);
	asker->secret = secret;
	return STATUS_OK;
}

const char *short_id(struct actor_request *request, const hash32 *id) {
	return arena_printf(request->arena, "0x%02x%02x%02x%02x…", id->b[0], id->b[1], id->b[2], id->b[3]);
}
