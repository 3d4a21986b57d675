/* What grants, looks and emergencies need alike: containers, blobs, short names. */
#include "codec/hex.h"
#include "crypto/hash.h"
#include "envelope/container.h"
#include "health/consent/consent_private.h"

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

enum status consent_asker(struct actor_request *request, struct blob_asker *asker, hash32 *secret,
    const struct own_folder *folder, struct err *err) {
	addr20 address;
	TRY(home_controller(request->home, secret, &address, folder->controller_index, err));
	*asker = request_asker(request);
	asker->secret = secret;
	return STATUS_OK;
}

hash32 consent_key(const hash32 *folder, const hash32 *record, const addr20 *account) {
	uint8_t words[3][32] = {{0}};
	memcpy(words[0], folder->b, 32);
	memcpy(words[1], record->b, 32);
	memcpy(words[2] + 12, account->b, 20);
	return keccak256(bytes_make(*words, sizeof words));
}
