#include "health/records/legal_copy.h"

#include "codec/hex.h"
#include "health/records/reader.h"
#include "health/records/text_header.h"

#define LEAD_MAX ((size_t)8 << 20)
#define COPY_MAX ((size_t)12 << 20)

static const char *path_of(struct arena *arena, const hash32 *record) {
	struct buf path;
	buf_init(&path, 128);
	buf_text(&path, "records/");
	hex_put(&path, BYTES_OF(*record), true);
	buf_text(&path, ".jwe");
	const char *text = arena_strdup(arena, buf_view(&path));
	buf_fini(&path);
	return text;
}

enum status legal_copy_store(struct actor_request *request, const hash32 *record, struct bytes lead, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	struct buf members, sealed;
	uint32_t version = 0;
	TRY(reader_home_key(request, &secret, &key, &version, err));
	mem_wipe(&secret, sizeof secret);
	buf_init(&members, 1024);
	buf_init(&sealed, COPY_MAX);
	text_header_write(&members,
	    &(struct text_header){.cty = "application/json", .typ = "xinglin-author", .rec = record, .ver = &version});
	enum status status = jwe_ecdh_seal(&sealed, &key, buf_view(&members), lead, request->random, err);
	if (status == STATUS_OK)
		status = home_write(request->home, path_of(request->arena, record), buf_view(&sealed), err);
	buf_fini(&members);
	buf_fini(&sealed);
	return status;
}

void legal_copy_remove(const struct home *home, const hash32 *record) {
	struct arena arena;
	arena_init(&arena);
	home_remove(home, path_of(&arena, record));
	arena_fini(&arena);
}

/* `ver` in the header names the key; the opening then proves the header. */
static enum status open_copy(struct actor_request *request, struct record_lead *lead, const hash32 *record,
    struct bytes sealed, struct err *err) {
	struct jwe_header header;
	struct p256_secret secret;
	struct p256_public key;
	struct buf plaintext;
	uint64_t named;
	TRY(jwe_read_header(&header, request->arena, sealed, err));
	if (!json_u64(&named, json_get(header.members, "ver")) || named < 1 || named >= UINT32_C(0x80000000))
		return err_set(err, STATUS_INVALID, "\"ver\" is missing or malformed");
	uint32_t version = (uint32_t)named;
	TRY(reader_home_key(request, &secret, &key, &version, err));
	buf_init(&plaintext, LEAD_MAX);
	enum status status = jwe_ecdh_open(&plaintext, &header, request->arena, sealed, &secret, err);
	struct text_header wanted = {
	    .cty = "application/json", .typ = "xinglin-author", .rec = record, .ver = &version};
	if (status == STATUS_OK && !text_header_matches(&header, &wanted))
		status = err_set(err, STATUS_INVALID, "it is of another record");
	if (status == STATUS_OK) status = record_lead_parse(lead, request->arena, buf_view(&plaintext), err);
	mem_wipe(&secret, sizeof secret);
	buf_wipe(&plaintext);
	return status;
}

enum status legal_copy_load(
    struct actor_request *request, struct record_lead *lead, const hash32 *record, struct err *err) {
	struct buf sealed;
	buf_init(&sealed, COPY_MAX);
	const char *path = path_of(request->arena, record);
	enum status status = home_read(request->home, &sealed, path, err);
	if (status == STATUS_OK) {
		status = open_copy(request, lead, record, arena_dup(request->arena, buf_view(&sealed)), err);
		if (status != STATUS_OK)
			status = err_prefix(err, STATUS_CORRUPT, "%s/%s", request->home->directory, path);
	}
	buf_fini(&sealed);
	return status;
}
