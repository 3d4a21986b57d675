#include "health/records/lead_lock.h"

#include "health/chain/outer_parts.h"

static bool is_locked(struct bytes part) {
	return part.len > 0 && (part.data[0] == 2 || part.data[0] == 3);
}

enum status lead_lock_put(struct buf *out, const struct deployment *deployment, const hash32 *record, struct bytes lead,
    const struct random_source *random, struct err *err) {
	uint8_t label[OUTER_LABEL_BYTES];
	if (!deployment->has_outer) {
		buf_append(out, lead);
		return buf_status(out, err);
	}
	outer_label(label, &deployment->genesis, &deployment->records, record);
	const enum status status = tdh2_lock(out, &deployment->outer, bytes_make(label, sizeof label), lead, random);
	return status == STATUS_OK ? buf_status(out, err) : err_set(err, status, "the outer seal's key is no key");
}

enum status lead_lock_open(struct actor_request *request, struct buf *out, const struct blob_asker *asker,
    const hash32 *record, struct bytes part, struct err *err) {
	const struct deployment *deployment = &request->home->deployment;
	struct verified *verified;
	if (!is_locked(part)) {
		buf_append(out, part);
		return buf_status(out, err);
	}
	if (!deployment->has_outer)
		return err_set(err, STATUS_INVALID, "the record has a lock, and this deployment names no outer seal");
	const struct outer_parts_lock lock = {&deployment->records, record, part};
	TRY(request_verified(request, &verified, REQUEST_SHOWN_AGE_S, err));
	return outer_parts_open(out, verified, deployment, asker, &lock, err);
}
