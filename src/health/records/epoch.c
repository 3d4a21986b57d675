/* A new epoch: a random sealing key, wrapped to the controller and to each reader, dealt in shares to the trustees, and
 * linked to the keys before. */
#include "health/records/epoch.h"

#include "crypto/hash.h"
#include "envelope/container.h"
#include "health/records/share.h"
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

/* The trustees' shares; whoever deals forgets them at once. */
static enum status add_shares(struct actor_request *request, struct parts *parts, struct epoch_draft *epoch,
    const struct p256_secret *secret, struct err *err) {
	struct vss_share shares[VSS_SHARES_MAX];
	const uint8_t count = (uint8_t)epoch->trustee_count;
	enum status status = STATUS_OK;
	BUG_ON(epoch->trustee_count > VSS_SHARES_MAX);
	if (count == 0) return STATUS_OK;
	if (vss_deal(&epoch->commitments, shares, secret, epoch->threshold, count, request->random) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "%u of %u trustees is no threshold", epoch->threshold, count);
	for (uint8_t i = 0; i < count && status == STATUS_OK; i++) {
		const struct share_place place = {.genesis = &request->home->deployment.genesis,
		    .folder = epoch->folder,
		    .epoch = epoch->epoch,
		    .index = (uint8_t)(i + 1)};
		struct buf *part = &parts->bufs[parts->filled++];
		status = share_seal(part, &place, &epoch->recipients[i].key, &shares[i], request->random, err);
	}
	mem_wipe(shares, sizeof shares);
	return status;
}

static size_t link_count(const struct epoch_draft *epoch) {
	return epoch->links ? epoch->links->count : 0;
}

static enum status add_wraps(struct actor_request *request, struct parts *parts, struct epoch_draft *epoch,
    const struct p256_secret *secret, struct err *err) {
	const struct p256_public *controller = &epoch->controller_key;
	TRY(add_wrap(request, parts, WRAP_KEY, controller, epoch->folder, epoch->epoch, secret, err));
	TRY(add_shares(request, parts, epoch, secret, err));
	for (size_t i = epoch->trustee_count; i < epoch->recipient_count; i++)
		TRY(add_wrap(
		    request, parts, WRAP_KEY, &epoch->recipients[i].key, epoch->folder, epoch->epoch, secret, err));
	for (size_t i = 0; i < link_count(epoch); i++) {
		const struct epoch_link *link = &epoch->links->all[i];
		TRY(add_wrap(request, parts, WRAP_LINK, &epoch->key, epoch->folder, link->epoch, &link->secret, err));
	}
	return STATUS_OK;
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
	BUG_ON(container_decode(&container, content, NULL) != STATUS_OK);
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
	struct parts parts = {.count = 1 + epoch->recipient_count + link_count(epoch)};
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

struct folders_glass epoch_glass(struct arena *arena, const struct epoch_draft *epoch, uint16_t minutes) {
	struct folders_glass glass = {.minutes = minutes, .threshold = epoch->threshold};
	if (epoch->trustee_count == 0) return glass;
	const size_t more = (size_t)epoch->threshold - 1;
	hash32 *words = arena_zalloc(arena, 2 * more + 1, sizeof *words);
	for (size_t i = 0; i < more; i++) {
		words[2 * i] = p256_public_x(&epoch->commitments.points[i + 1]);
		words[2 * i + 1] = p256_public_y(&epoch->commitments.points[i + 1]);
	}
	glass.trustees = epoch_addresses(arena, epoch);
	glass.trustees_count = epoch->trustee_count;
	glass.commitments = words;
	glass.commitments_count = 2 * more;
	return glass;
}
