/* Sealing a document to several recipients: one content key, one part that holds it for each. */
#include <stdlib.h>

#include "codec/hex.h"
#include "envelope/container.h"
#include "envelope/jwe.h"
#include "health/actors/directory.h"
#include "health/trace/document.h"

#define BUCKET_SMALL 256u
#define BUCKET_MIDDLE 2048u
#define BUCKET_LARGE 16384u

static size_t bucket_of(size_t len) {
	if (len < 8192) return BUCKET_SMALL;
	return len < 131072 ? BUCKET_MIDDLE : BUCKET_LARGE;
}

static void members(
    struct buf *out, const char *type, const struct document *document, const struct directory_listed *to) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	if (!to) json_put_text(&writer, "cty", "application/json");
	json_put_text(&writer, "typ", type);
	json_put_hex(&writer, "doc", BYTES_OF(document->hash));
	if (to) {
		json_put_hex(&writer, "to", BYTES_OF(to->address));
		json_put_u64(&writer, "ver", to->key_version);
	}
	json_object_end(&writer);
}

static enum status seal_content(struct actor_request *request, struct bytes *part, const struct document *document,
    const hash32 *key, struct err *err) {
	struct buf plaintext, header, sealed;
	buf_init(&plaintext, DOCUMENT_BYTES_MAX);
	buf_init(&header, 1024);
	buf_init(&sealed, CONTAINER_PART_MAX);
	document_write(&plaintext, document, request);
	members(&header, "xinglin-epcis", document, NULL);
	enum status status = buf_status(&plaintext, err);
	if (status == STATUS_OK)
		status = jwe_dir_seal(&sealed, key->b, buf_view(&header), buf_view(&plaintext),
		    bucket_of(plaintext.len), request->random, err);
	if (status == STATUS_OK) *part = arena_dup(request->arena, buf_view(&sealed));
	buf_wipe(&plaintext);
	buf_fini(&header);
	buf_fini(&sealed);
	return status;
}

static enum status seal_key(struct actor_request *request, struct bytes *part, const struct document *document,
    const hash32 *key, const addr20 *to, struct err *err) {
	struct directory_listed actor;
	struct buf header, sealed;
	TRY(directory_find(request, &actor, to, err));
	buf_init(&header, 1024);
	buf_init(&sealed, 4096);
	members(&header, "xinglin-epcis-key", document, &actor);
	enum status status =
	    jwe_ecdh_seal(&sealed, &actor.key, buf_view(&header), BYTES_OF(*key), request->random, err);
	if (status == STATUS_OK) *part = arena_dup(request->arena, buf_view(&sealed));
	buf_fini(&header);
	buf_fini(&sealed);
	return status;
}

static bool occurs(const addr20 *list, size_t count, const addr20 *address) {
	for (size_t i = 0; i < count; i++)
		if (addr20_equal(&list[i], address)) return true;
	return false;
}

enum status document_seal(struct actor_request *request, struct buf *sealed, const struct document *document,
    const addr20 *recipients, size_t count, struct err *err) {
	struct bytes parts[1 + DOCUMENT_RECIPIENTS_MAX];
	size_t part_count = 1;
	hash32 key;
	random_fill(request->random, key.b, sizeof key.b);
	enum status status = seal_content(request, &parts[0], document, &key, err);
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		if (addr20_is_zero(&recipients[i]) || occurs(recipients, i, &recipients[i])) continue;
		if (part_count > DOCUMENT_RECIPIENTS_MAX)
			status =
			    err_set(err, STATUS_LIMIT, "a document has at most %u recipients", DOCUMENT_RECIPIENTS_MAX);
		else
			status = seal_key(request, &parts[part_count++], document, &key, &recipients[i], err);
	}
	mem_wipe(&key, sizeof key);
	TRY(status);
	return container_encode(sealed, parts, part_count, err);
}

/* --- opening --- */

/* The part that holds the content key for this home; its key version. */
static enum status find_part(struct actor_request *request, struct bytes *part, uint32_t *version,
    const struct container *container, struct err *err) {
	for (uint32_t i = 1; i < container->count; i++) {
		struct jwe_header header;
		uint64_t number;
		addr20 to;
		*part = container_part(container, i);
		TRY(jwe_read_header(&header, request->arena, *part, err));
		if (hex_fixed(to.b, 20, json_string(json_get(header.members, "to"))) != STATUS_OK ||
		    !addr20_equal(&to, &request->home->account))
			continue;
		if (!json_u64(&number, json_get(header.members, "ver")) || number == 0 || number > UINT32_MAX)
			return err_set(err, STATUS_INVALID, "a recipient's part without its key's version");
		*version = (uint32_t)number;
		return STATUS_OK;
	}
	return err_set(err, STATUS_DENIED, "this document is not sealed to this actor");
}

static enum status open_key(
    struct actor_request *request, hash32 *key, const struct container *container, struct err *err) {
	struct p256_secret secret;
	struct p256_public public_key;
	struct bytes part;
	struct buf plaintext;
	uint32_t version = 0;
	TRY(find_part(request, &part, &version, container, err));
	TRY(home_encryption_key(request->home, &secret, &public_key, version, err));
	buf_init(&plaintext, sizeof key->b);
	enum status status = jwe_ecdh_open(&plaintext, NULL, request->arena, part, &secret, err);
	mem_wipe(&secret, sizeof secret);
	if (status == STATUS_OK && plaintext.len != sizeof key->b)
		status = err_set(err, STATUS_INVALID, "a content key of another length");
	if (status == STATUS_OK) memcpy(key->b, plaintext.data, sizeof key->b);
	buf_wipe(&plaintext);
	return status;
}

enum status document_open(struct actor_request *request, struct document *out, struct bytes sealed, struct err *err) {
	struct container container;
	struct jwe_header header;
	struct buf plaintext;
	hash32 key, named;
	TRY(container_decode(&container, sealed, err));
	TRY(open_key(request, &key, &container, err));
	buf_init(&plaintext, DOCUMENT_BYTES_MAX);
	enum status status =
	    jwe_dir_open(&plaintext, &header, request->arena, container_part(&container, 0), key.b, err);
	mem_wipe(&key, sizeof key);
	if (status == STATUS_OK)
		status = document_parse(out, request, arena_dup(request->arena, buf_view(&plaintext)), err);
	buf_wipe(&plaintext);
	TRY(status);
	if (!json_string_is(json_get(header.members, "typ"), "xinglin-epcis") ||
	    hex_fixed(named.b, 32, json_string(json_get(header.members, "doc"))) != STATUS_OK ||
	    !hash32_equal(&named, &out->hash))
		return err_set(err, STATUS_DENIED, "this document was not sealed for what it holds");
	return STATUS_OK;
}
