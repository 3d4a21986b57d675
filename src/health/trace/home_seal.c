#include "health/trace/home_seal.h"

#include "base/files.h"
#include "envelope/jwe.h"

#define SEALED_MAX ((size_t)32 << 20)

enum status home_sealed_folder(struct session *session, const char *name, struct err *err) {
	return files_make_folder(arena_printf(session->arena, "%s/%s", session->home->directory, name), err);
}

enum status home_sealed_write(
    struct session *session, const char *relative, const char *type, struct bytes plaintext, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	struct buf sealed;
	TRY(home_encryption_key(session->home, &secret, &key, 1, err));
	mem_wipe(&secret, sizeof secret);
	struct bytes members = bytes_text(arena_printf(session->arena, "{\"typ\":\"%s\"}", type));
	buf_init(&sealed, SEALED_MAX);
	enum status status = jwe_ecdh_seal(&sealed, &key, members, plaintext, session->random, err);
	if (status == STATUS_OK) status = home_write(session->home, relative, buf_view(&sealed), err);
	buf_fini(&sealed);
	return status;
}

enum status home_sealed_read(struct session *session, struct bytes *plaintext, const char *relative, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	struct buf sealed, opened;
	buf_init(&sealed, SEALED_MAX);
	buf_init(&opened, SEALED_MAX);
	enum status status = home_read(session->home, &sealed, relative, err);
	if (status == STATUS_OK) status = home_encryption_key(session->home, &secret, &key, 1, err);
	if (status == STATUS_OK) {
		status = jwe_ecdh_open(&opened, NULL, session->arena, buf_view(&sealed), &secret, err);
		mem_wipe(&secret, sizeof secret);
		if (status != STATUS_OK) status = err_prefix(err, status, "%s", relative);
	}
	if (status == STATUS_OK) *plaintext = arena_dup(session->arena, buf_view(&opened));
	buf_fini(&sealed);
	buf_wipe(&opened);
	return status;
}
