/* A new epoch: a random sealing key, wrapped to the controller, to each recipient, and linked to the key before. */
#include "health/records/epoch.h"

#include "crypto/hash.h"
#include "envelope/container.h"
#include "health/records/wrap.h"

/* Where epoch_make puts its parts. */
struct parts {
	struct buf *bufs;
	size_t count, filled;
};

static enum status add_wrap(struct actor_request *request, struct parts *parts, enum wrap_kind kind,
    const struct p256_public *recipient, const hash32 *folder, uint32_t epoch, const struct p256_secret *secret,
    struct err *err) {
	struct buf *part = &parts->bufs[parts->filled++];
	return wrap_seal(part, kind, recipient, folder, epoch, secret, request->random, err);
}

static enum status add_wraps(struct actor_request *request, struct parts *parts, const struct epoch_draft *epoch,
    const struct p256_secret *secret, struct err *err) {
	const struct p256_public *controller = &epoch->controller_key;
	TRY(add_wrap(request, parts, WRAP_KEY, controller, epoch->folder, epoch->epoch, secret, err));
	for (size_t i = 0; i < epoch->recipient_count; i++)
		TRY(add_wrap(
		    request, parts, WRAP_KEY, &epoch->recipients[i].key, epoch->folder, epoch->epoch, secret, err));
	if (!epoch->previous) return STATUS_OK;
	return add_wrap(request, parts, WRAP_LINK, &epoch->key, epoch->folder, epoch->epoch - 1, epoch->previous, err);
}

static enum status carry(struct actor_request *request, struct action *action, struct epoch_draft *epoch,
    const struct parts *parts, struct err *err) {
	struct bytes *views = arena_zalloc(request->arena, parts->count, sizeof *views);
	struct container container;
	struct buf frame;
	for (size_t i = 0; i < parts->count; i++) views[i] = buf_view(&parts->bufs[i]);
	buf_init(&frame, CONTAINER_BYTES_MAX);
	enum status status = container_encode(&frame, views, parts->count, err);
	struct bytes content = arena_dup(request->arena, buf_view(&frame));
	buf_fini(&frame);
	TRY(status);
	if (container_decode(&container, content, err) != STATUS_OK)
		return err_prefix(err, STATUS_CORRUPT, "what the node gives");
	BUG_ON(action->blob_count == ACTION_BLOBS_MAX);
	size_t i = action->blob_count++;
	action->blobs[i].gate = request->home->deployment.folders;
	action->blobs[i].blob = epoch->wraps = container_name(&container);
	action->blobs[i].container = content;
	epoch->wraps_bytes = content.len;
	return STATUS_OK;
}

enum status epoch_make(
    struct actor_request *request, struct action *action, struct epoch_draft *epoch, struct err *err) {
	struct parts parts = {.count = 1 + epoch->recipient_count + (epoch->previous ? 1 : 0)};
	struct p256_secret secret;
	uint8_t ikm[32];
	random_fill(request->random, ikm, sizeof ikm);
	enum status status = p256_derive_key_pair(&secret, &epoch->key, bytes_make(ikm, sizeof ikm));
	mem_wipe(ikm, sizeof ikm);
	if (status != STATUS_OK) return err_set(err, status, "no folder key could be made");
	parts.bufs = arena_zalloc(request->arena, parts.count, sizeof *parts.bufs);
	for (size_t i = 0; i < parts.count; i++) buf_init(&parts.bufs[i], CONTAINER_PART_MAX);
	status = add_wraps(request, &parts, epoch, &secret, err);
	if (status == STATUS_OK) status = carry(request, action, epoch, &parts, err);
	mem_wipe(&secret, sizeof secret);
	for (size_t i = 0; i < parts.count; i++) buf_fini(&parts.bufs[i]);
	return status;
}

const addr20 *epoch_addresses(struct arena *arena, const struct epoch_draft *epoch) {
	addr20 *addresses = arena_zalloc(arena, epoch->recipient_count, sizeof *addresses);
	for (size_t i = 0; i < epoch->recipient_count; i++) addresses[i] = epoch->recipients[i].address;
	return addresses;
}
