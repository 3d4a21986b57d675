#include "health/trace/home_seal.h"

#include "base/files.h"
#include "envelope/jwe.h"

#define SEALED_MAX ((size_t)192 << 20)

enum status home_seal_folder(struct actor_request *request, const char *name, struct err *err) {
	return files_make_folder(arena_printf(request->arena, "%s/%s", request->home->directory, name), err);
}

enum status home_seal_write(
    struct actor_request *request, const char *relative, const char *type, struct bytes plaintext, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	struct buf sealed;
	TRY(home_encryption_key(request->home, &secret, &key, 1, err));
	mem_wipe(&secret, sizeof secret);
	struct bytes members = bytes_text(arena_printf(request->arena, "{\"typ\":\"%s\"}", type));
	buf_init(&sealed, SEALED_MAX);
	enum status status = jwe_ecdh_seal(&sealed, &key, members, plaintext, request->random, err);
	if (status == STATUS_OK) status = home_write(request->home, relative, buf_view(&sealed), err);
	buf_fini(&sealed);
	return status;
}

enum status home_seal_read(
    struct actor_request *request, struct bytes *plaintext, const char *relative, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	struct buf sealed, opened;
	buf_init(&sealed, SEALED_MAX);
	buf_init(&opened, SEALED_MAX);
	enum status status = home_read(request->home, &sealed, relative, err);
	if (status == STATUS_OK) status = home_encryption_key(request->home, &secret, &key, 1, err);
	if (status == STATUS_OK) {
		status = jwe_ecdh_open(&opened, NULL, request->arena, buf_view(&sealed), &secret, err);
		mem_wipe(&secret, sizeof secret);
		if (status != STATUS_OK) status = err_prefix(err, status, "%s", relative);
	}
	if (status == STATUS_OK) *plaintext = arena_dup(request->arena, buf_view(&opened));
	buf_fini(&sealed);
	buf_wipe(&opened);
	return status;
}
