#include "health/records/legal_copy.h"

#include "codec/hex.h"
#include "envelope/jwe.h"
#include "health/records/reader.h"
#include "health/records/text_header.h"

#define LEAD_MAX ((size_t)8 << 20)

static const char *path_of(struct arena *arena, const hash32 *record) {
	struct buf path;
	buf_init(&path, 128);
	buf_text(&path, "records/");
	hex_put(&path, BYTES_OF(*record), true);
	buf_text(&path, ".xlc");
	const char *text = arena_strdup(arena, buf_view(&path));
	buf_fini(&path);
	return text;
}

static enum status seal_lead(
    struct actor_request *request, struct buf *sealed, const hash32 *record, struct bytes lead, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	struct buf members;
	uint32_t version = 0;
	TRY(reader_home_key(request, &secret, &key, &version, err));
	mem_wipe(&secret, sizeof secret);
	buf_init(&members, 1024);
	text_header_write(&members,
	    &(struct text_header){.cty = "application/json", .typ = "xinglin-author", .rec = record, .ver = &version});
	enum status status = jwe_ecdh_seal(sealed, &key, buf_view(&members), lead, request->random, err);
	buf_fini(&members);
	return status;
}

/* Another first part; the others are those of the record's container. */
static enum status write_copy(struct actor_request *request, const hash32 *record, struct bytes sealed,
    const struct container *container, struct err *err) {
	struct bytes *parts = arena_zalloc(request->arena, container->count, sizeof *parts);
	struct buf copy;
	parts[0] = sealed;
	for (uint32_t i = 1; i < container->count; i++) parts[i] = container_part(container, i);
	buf_init(&copy, CONTAINER_BYTES_MAX);
	enum status status = container_encode(&copy, parts, container->count, err);
	if (status == STATUS_OK)
		status = home_write(request->home, path_of(request->arena, record), buf_view(&copy), err);
	buf_fini(&copy);
	return status;
}

enum status legal_copy_store(
    struct actor_request *request, const hash32 *record, struct bytes lead, struct bytes content, struct err *err) {
	struct container container;
	struct buf sealed;
	TRY(container_decode(&container, content, err));
	buf_init(&sealed, CONTAINER_PART_MAX);
	enum status status = seal_lead(request, &sealed, record, lead, err);
	if (status == STATUS_OK) status = write_copy(request, record, buf_view(&sealed), &container, err);
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

static enum status read_copy(struct actor_request *request, struct record_lead *lead, struct container *container,
    const hash32 *record, struct bytes content, struct err *err) {
	TRY(container_decode(container, content, err));
	return open_copy(request, lead, record, container_part(container, 0), err);
}

enum status legal_copy_load(struct actor_request *request, struct record_lead *lead, struct container *container,
    const hash32 *record, struct err *err) {
	struct buf copy;
	buf_init(&copy, CONTAINER_BYTES_MAX);
	const char *path = path_of(request->arena, record);
	enum status status = home_read(request->home, &copy, path, err);
	if (status == STATUS_OK) {
		const struct bytes content = arena_dup(request->arena, buf_view(&copy));
		status = read_copy(request, lead, container, record, content, err);
		if (status != STATUS_OK)
			status = err_prefix(err, STATUS_CORRUPT, "%s/%s", request->home->directory, path);
	}
	buf_fini(&copy);
	return status;
}
