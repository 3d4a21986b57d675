/* In whose name this home asks nodes, and which of its keys opens what it gets. */
#include "health/records/reader.h"

enum status reader_init(struct actor_request *request, struct reader *reader, const hash32 *folder, struct err *err) {
	addr20 controller;
	*reader = (struct reader){.asker = request_asker(request)};
	enum status status = own_folder_load(request, &reader->own, folder, err);
	if (status == STATUS_NOTFOUND) return STATUS_OK;
	TRY(status);
	TRY(home_controller(request->home, &reader->controller_secret, &controller, reader->own.controller_index, err));
	reader->is_controller = true;
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
	struct directory_listed self;
	TRY(directory_find(request, &self, &request->home->account, err));
	*version = self.key_version;
	TRY(home_encryption_key(request->home, secret, key, *version, err));
	if (memcmp(key->xy, self.key.xy, sizeof key->xy) == 0) return STATUS_OK;
	mem_wipe(secret, sizeof *secret);
	return err_set(err, STATUS_DENIED, "the directory shows another encryption key for this home's account");
}
