/* Wraps: a folder's sealing key, sealed to one recipient as an EC JWK (RFC 7518 §6.2). */
#include "health/records/wrap.h"

#include "codec/hex.h"
#include "health/records/seal.h"
#include "health/records/text_header.h"

#define WRAP_MAX 4096u

static const char *typ_of(enum wrap_kind kind) {
	switch (kind) {
	case WRAP_KEY: return "xinglin-wrap";
	case WRAP_LINK: return "xinglin-link";
	}
	return NULL;
}

static void put_base64url(struct json_writer *writer, const char *name, struct bytes data) {
	json_put_name(writer, name);
	buf_byte(writer->out, '"');
	base64url_put(writer->out, data);
	buf_byte(writer->out, '"');
}

static void write_jwk(struct buf *out, const struct p256_secret *secret, const struct p256_public *key) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "kty", "EC");
	json_put_text(&writer, "crv", "P-256");
	put_base64url(&writer, "x", bytes_make(key->xy, 32));
	put_base64url(&writer, "y", bytes_make(key->xy + 32, 32));
	put_base64url(&writer, "d", bytes_make(secret->d, 32));
	json_object_end(&writer);
}

enum status wrap_seal(struct buf *out, enum wrap_kind kind, const struct p256_public *recipient, const hash32 *folder,
    uint32_t epoch, const struct p256_secret *folder_secret, const struct random_source *random, struct err *err) {
	struct p256_public key;
	struct buf members, jwk;
	if (p256_public_of(&key, folder_secret) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "the folder's key is no P-256 secret");
	buf_init(&members, 1024);
	buf_init(&jwk, WRAP_MAX);
	text_header_write(
	    &members, &(struct text_header){.cty = "jwk+json", .typ = typ_of(kind), .fld = folder, .epo = &epoch});
	write_jwk(&jwk, folder_secret, &key);
	enum status status = jwe_ecdh_seal(out, recipient, buf_view(&members), buf_view(&jwk), random, err);
	buf_fini(&members);
	buf_wipe(&jwk);
	return status;
}

static bool is_member(const struct json *jwk, const char *name, const uint8_t wanted[32]) {
	struct buf found;
	struct bytes text = json_string(json_get(jwk, name));
	buf_init(&found, 33);
	bool fits = text.data && base64url_data(&found, text) == STATUS_OK && !found.overflow &&
		    bytes_equal(buf_view(&found), bytes_make(wanted, 32));
	buf_wipe(&found);
	return fits;
}

/* A secret whose public key is the one beside it. */
static bool read_jwk(struct p256_secret *secret, struct arena *arena, struct bytes text) {
	const struct json *jwk;
	struct p256_public key;
	struct buf d;
	buf_init(&d, 33);
	bool fits = json_parse(&jwk, arena, text, NULL, NULL) == STATUS_OK &&
		    json_string_is(json_get(jwk, "kty"), "EC") && json_string_is(json_get(jwk, "crv"), "P-256") &&
		    json_string(json_get(jwk, "d")).data &&
		    base64url_data(&d, json_string(json_get(jwk, "d"))) == STATUS_OK && !d.overflow && d.len == 32;
	if (fits) memcpy(secret->d, d.data, 32);
	buf_wipe(&d);
	return fits && p256_public_of(&key, secret) == STATUS_OK && is_member(jwk, "x", key.xy) &&
	       is_member(jwk, "y", key.xy + 32);
}

/* Any epoch's if `wanted` names none. */
static enum status open_wanted(struct p256_secret *folder_secret, uint32_t *epoch, const struct text_header *wanted,
    const struct p256_secret *recipient, struct bytes wrap, struct err *err) {
	struct arena arena;
	struct jwe_header header;
	struct buf jwk;
	uint64_t named = 0;
	arena_init(&arena);
	buf_init(&jwk, WRAP_MAX);
	enum status status = jwe_ecdh_open(&jwk, &header, &arena, wrap, recipient, err);
	if (status == STATUS_OK && (!text_header_matches(&header, wanted) ||
				       !json_u64(&named, json_get(header.members, "epo")) || named > UINT32_MAX))
		status = err_set(err, STATUS_INVALID, "this wrap is of another kind, folder or epoch");
	if (status == STATUS_OK && !read_jwk(folder_secret, &arena, buf_view(&jwk)))
		status = err_set(err, STATUS_INVALID, "the wrap holds no P-256 key pair");
	if (status != STATUS_OK) mem_wipe(folder_secret, sizeof *folder_secret);
	*epoch = (uint32_t)named;
	buf_wipe(&jwk);
	arena_fini(&arena);
	return status;
}

enum status wrap_open(struct p256_secret *folder_secret, enum wrap_kind kind, const struct p256_secret *recipient,
    const hash32 *folder, uint32_t epoch, struct bytes wrap, struct err *err) {
	const struct text_header wanted = {.cty = "jwk+json", .typ = typ_of(kind), .fld = folder, .epo = &epoch};
	uint32_t named;
	return open_wanted(folder_secret, &named, &wanted, recipient, wrap, err);
}

enum status wrap_open_any(struct p256_secret *folder_secret, uint32_t *epoch, enum wrap_kind kind,
    const struct p256_secret *recipient, const hash32 *folder, struct bytes wrap, struct err *err) {
	const struct text_header wanted = {.cty = "jwk+json", .typ = typ_of(kind), .fld = folder};
	return open_wanted(folder_secret, epoch, &wanted, recipient, wrap, err);
}
