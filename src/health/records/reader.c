/* In whose name this home asks nodes, and which of its keys opens what it gets. */
#include "health/records/reader.h"

#include "health/contracts/folders.h"

static enum status is_controller(
    struct actor_request *request, bool *out, const hash32 *folder, const addr20 *controller, struct err *err) {
	struct verified *verified;
	struct folders_head head;
	hash32 words[FOLDERS_STORED_HEAD_SLOTS];
	const hash32 slot = folders_heads_slot(folder);
	TRY(request_verified(request, &verified, REQUEST_SHOWN_AGE_S, err));
	TRY(verified_struct(
	    verified, words, &request->home->deployment.folders, &slot, FOLDERS_STORED_HEAD_SLOTS, err));
	TRY(folders_stored_head_load(&head, words, err));
	*out = addr20_equal(&head.controller, controller);
	return STATUS_OK;
}

enum status folder_is_closed(struct actor_request *request, bool *out, const hash32 *id, struct err *err) {
	struct verified *verified;
	struct folders_head head;
	hash32 words[FOLDERS_STORED_HEAD_SLOTS];
	const hash32 slot = folders_heads_slot(id);
	TRY(request_verified(request, &verified, HEADS_FRESH, err));
	TRY(verified_struct(
	    verified, words, &request->home->deployment.folders, &slot, FOLDERS_STORED_HEAD_SLOTS, err));
	TRY(folders_stored_head_load(&head, words, err));
	*out = head.closed;
	return STATUS_OK;
}

enum status reader_init(struct actor_request *request, struct reader *reader, const hash32 *folder, struct err *err) {
	addr20 controller;
	*reader = (struct reader){.asker = request_asker(request)};
	enum status status = own_folder_load(request, &reader->own, folder, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(status);
	TRY(home_controller(request->home, &reader->controller_secret, &controller, reader->own.controller_index, err));
	TRY(is_controller(request, &reader->is_controller, folder, &controller, err));
	if (!reader->is_controller) return STATUS_OK; /* it was handed over, or is not yet */
	reader->asker.secret = &reader->controller_secret;
	return STATUS_OK;
}

void reader_fini(struct reader *reader) {
	mem_wipe(reader, sizeof *reader);
}

enum status reader_part(const struct reader *reader, struct buf *out, bool *found, struct blob_verdict *verdict,
    const addr20 *gate, const hash32 *item, uint32_t part, struct err *err) {
	*verdict = (struct blob_verdict){0};
	*found = false;
	TRY(blobs_get_part(&reader->asker, out, verdict, gate, item, part, err));
	*found = verdict->ok;
	return STATUS_OK;
}

enum status reader_home_key(struct actor_request *request, struct p256_secret *secret, struct p256_public *key,
    uint32_t *version, struct err *err) {
	if (*version) return home_encryption_key(request->home, secret, key, *version, err);
	struct directory_own own;
	TRY(directory_own(request, &own, err));
	*version = own.key_version;
	return home_encryption_key(request->home, secret, key, *version, err);
}

enum status reader_open_share(struct actor_request *request, struct vss_share *share, bool *opened,
    const struct share_place *place, struct bytes sealed, struct err *err) {
	enum status status = STATUS_DENIED;
	uint32_t newest = 0;
	struct p256_secret secret;
	struct p256_public key;
	struct share_release terms = {0};
	struct share_place at = *place;
	if (place->release) {
		terms = *place->release;
		at.release = &terms;
	}
	TRY(reader_home_key(request, &secret, &key, &newest, err));
	mem_wipe(&secret, sizeof secret);
	for (terms.key_version = newest; terms.key_version > 0 && status == STATUS_DENIED; terms.key_version--) {
		TRY(home_encryption_key(request->home, &secret, &key, terms.key_version, err));
		status = share_open(share, &at, &secret, sealed, NULL);
		mem_wipe(&secret, sizeof secret);
	}
	*opened = status == STATUS_OK;
	return STATUS_OK;
}
