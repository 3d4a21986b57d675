#include "health/consent/emergency_shares.h"

#include "base/log.h"
#include "envelope/container.h"
#include "health/contracts/cause.h"
#include "health/records/items.h"
#include "health/records/reader.h"
#include "health/records/share.h"

#define RELEASE_BYTES_MAX ((size_t)64 << 10)

/* One trustee's release. */
struct release {
	hash32 item;
	struct consent_stored_item stored; /* proved */
	struct share_place place;
	struct share_release terms;
	addr20 trustee;
};

static bool stands(const struct consent_stored_item *item) {
	return item->kind == CONSENT_ITEM_KIND_RELEASE && !item->refused;
}

static enum status prove_items(struct actor_request *request, struct consent_stored_item *out, uint64_t review,
    const struct statement_epoch *epoch, struct err *err) {
	struct verified *verified;
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	for (size_t i = 0; i < epoch->glass.trustees_count; i++)
		TRY(emergency_release(verified, &out[i], review, &epoch->glass.trustees[i], epoch->epoch, err));
	return STATUS_OK;
}

/* What the trustee named on the chain, and nothing else. *found false: the node does not give it. */
static enum status fetch(
    struct actor_request *request, struct bytes *sealed, bool *found, const struct release *release, struct err *err) {
	const struct blob_asker asker = request_asker(request);
	struct blob_verdict verdict;
	struct container container;
	struct buf frame;
	buf_init(&frame, RELEASE_BYTES_MAX);
	*found = false;
	enum status status = blobs_get(
	    &asker, &frame, &verdict, &request->home->deployment.consent, &release->item, &release->stored.about, err);
	const struct bytes content = arena_dup(request->arena, buf_view(&frame));
	buf_fini(&frame);
	TRY(status);
	if (!verdict.ok || container_decode(&container, content, NULL) != STATUS_OK) return STATUS_OK;
	const hash32 name = container_name(&container);
	*found = hash32_equal(&name, &release->stored.about);
	if (*found) *sealed = container_part(&container, 0);
	return STATUS_OK;
}

/* That it cannot be said now hinders no emergency: it is said next time. */
static void name_false(struct actor_request *request, const struct release *release) {
	struct client_receipt receipt;
	struct err err;
	char trustee[43];
	const uint64_t review = release->terms.review;
	address_checksum(trustee, &release->trustee);
	log_warn("emergency", "the release of trustee %s is false review=%llu", trustee, (unsigned long long)review);
	const struct bytes call =
	    consent_refuse_release_call(request->arena, review, release->place.epoch, &release->trustee);
	if (request_transact(request, &receipt, &request->home->deployment.consent, call, &err) != STATUS_OK)
		log_warn("emergency", "the false release is not named on the chain yet: %s", err.message);
}

static enum status read_one(struct actor_request *request, struct emergency_shares *out, struct release *release,
    const struct vss_commitments *commitments, struct err *err) {
	struct vss_share *share = &out->shares[out->count];
	struct bytes sealed;
	bool found, opened;
	TRY(fetch(request, &sealed, &found, release, err));
	if (!found) {
		log_warn("emergency", "the node does not give what a trustee released review=%llu",
		    (unsigned long long)release->terms.review);
		return STATUS_OK;
	}
	TRY(reader_open_share(request, share, &opened, &release->place, sealed, err));
	if (opened && vss_share_is_valid(share, commitments)) {
		out->count++;
		return STATUS_OK;
	}
	mem_wipe(share, sizeof *share);
	name_false(request, release);
	return STATUS_OK;
}

enum status emergency_shares_released(struct actor_request *request, struct emergency_shares *out, uint64_t review,
    const struct statement_epoch *epoch, struct err *err) {
	struct consent_stored_item items[VSS_SHARES_MAX];
	*out = (struct emergency_shares){.needed = epoch->glass.threshold};
	TRY(prove_items(request, items, review, epoch, err));
	for (size_t i = 0; i < epoch->glass.trustees_count; i++) out->released += stands(&items[i]);
	return STATUS_OK;
}

enum status emergency_shares_read(struct actor_request *request, struct emergency_shares *out, uint64_t number,
    const struct consent_review *review, const struct statement_epoch *epoch, struct err *err) {
	struct consent_stored_item items[VSS_SHARES_MAX];
	struct vss_commitments commitments;
	enum status status = STATUS_OK;
	*out = (struct emergency_shares){.needed = epoch->glass.threshold};
	if (!out->needed) return STATUS_OK;
	TRY(share_commitments(&commitments, epoch, err));
	TRY(prove_items(request, items, number, epoch, err));
	for (size_t i = 0; i < epoch->glass.trustees_count && status == STATUS_OK; i++) {
		struct release release = {.stored = items[i],
		    .terms = {.review = number, .expiry_s = review->until},
		    .trustee = epoch->glass.trustees[i],
		    .item = item_of_release(number, &epoch->glass.trustees[i], epoch->epoch)};
		release.place = (struct share_place){.genesis = &request->home->deployment.genesis,
		    .folder = &review->folder,
		    .epoch = epoch->epoch,
		    .index = (uint8_t)(i + 1),
		    .release = &release.terms};
		if (!stands(&items[i])) continue;
		out->released++;
		status = read_one(request, out, &release, &commitments, err);
	}
	if (status != STATUS_OK) mem_wipe(out, sizeof *out);
	return status;
}

enum status emergency_shares_combine(struct p256_secret *secret, const struct emergency_shares *shares,
    const struct statement_epoch *epoch, struct err *err) {
	struct vss_commitments commitments;
	if (!shares->needed || shares->count < shares->needed) {
		err_set(err, STATUS_DENIED,
		    "%zu of the %zu shares that open the folder's epoch %u were released and are right%s",
		    shares->count, shares->needed, epoch->epoch,
		    shares->count < shares->released ? "; others are false, or the node does not give them" : "");
		return err_because(err, CAUSE_NO_RELEASE, STATUS_DENIED);
	}
	TRY(share_commitments(&commitments, epoch, err));
	if (vss_combine(secret, shares->shares, shares->count, &commitments) == STATUS_OK) return STATUS_OK;
	return err_set(err, STATUS_INTERNAL, "the shares, each right, do not give the folder's key");
}
