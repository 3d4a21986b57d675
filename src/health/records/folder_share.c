/* A trustee's own share, as it was dealt. */
#include "envelope/container.h"
#include "health/contracts/cause.h"
#include "health/records/items.h"
#include "health/records/reader.h"
#include "health/records/share.h"

/* The container that the epoch's statement names, and no other: what is false in it is then the dealer's. */
static enum status fetch_wraps(
    struct actor_request *request, struct container *out, const struct folder *folder, struct err *err) {
	const struct blob_asker asker = request_asker(request);
	const hash32 item = item_of_wraps(&folder->id, folder->epoch);
	struct blob_verdict verdict;
	struct buf frame;
	buf_init(&frame, CONTAINER_BYTES_MAX);
	enum status status =
	    blobs_get(&asker, &frame, &verdict, &request->home->deployment.folders, &item, &folder->newest.wraps, err);
	const struct bytes content = arena_dup(request->arena, buf_view(&frame));
	buf_fini(&frame);
	TRY(status);
	if (!verdict.ok)
		return err_set(err, STATUS_DENIED, "the node does not give the folder's wraps: %s (%s)", verdict.detail,
		    verdict.code);
	if (container_decode(out, content, NULL) == STATUS_OK) {
		const hash32 name = container_name(out);
		if (hash32_equal(&name, &folder->newest.wraps)) return STATUS_OK;
	}
	err_set(
	    err, STATUS_DENIED, "not proved: the node gives other wraps of epoch %u than were stated", folder->epoch);
	return err_because(err, CAUSE_NOT_PROVED, STATUS_DENIED);
}

enum status folder_share_find(struct actor_request *request, struct vss_share *share, bool *is_false,
    const struct folder *folder, struct err *err) {
	const struct statement_epoch *epoch = &folder->newest;
	struct share_place place = {.genesis = &request->home->deployment.genesis,
	    .folder = &folder->id,
	    .epoch = folder->epoch,
	    .index = share_index_of(epoch, &request->home->account)};
	struct vss_commitments commitments;
	struct container wraps;
	*is_false = false;
	if (!place.index) return err_set(err, STATUS_NOTFOUND, "this home is no trustee of the folder");
	TRY(share_commitments(&commitments, epoch, err));
	TRY(fetch_wraps(request, &wraps, folder, err));
	*is_false = place.index >= wraps.count;
	if (*is_false) return STATUS_OK;
	bool opened;
	TRY(reader_open_share(request, share, &opened, &place, container_part(&wraps, place.index), err));
	*is_false = !opened || !vss_share_is_valid(share, &commitments);
	if (*is_false) mem_wipe(share, sizeof *share);
	return STATUS_OK;
}
