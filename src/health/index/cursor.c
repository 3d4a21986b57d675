#include "health/index/cursor.h"

#include "codec/hex.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

#define IV_LEN 12u
#define TAG_LEN 16u

/* Both ends of the asker are known by the length before it. */
static struct bytes bound_to(struct arena *arena, const struct cursor_place *place) {
	uint8_t *aad = arena_alloc(arena, 8 + place->asker.len + place->question.len);
	store_be64(aad, place->asker.len);
	if (place->asker.len) memcpy(aad + 8, place->asker.data, place->asker.len);
	if (place->question.len) memcpy(aad + 8 + place->asker.len, place->question.data, place->question.len);
	return bytes_make(aad, 8 + place->asker.len + place->question.len);
}

struct bytes cursor_seal(
    const uint8_t key[32], struct arena *arena, const struct cursor_place *place, struct bytes content) {
	struct buf text;
	struct bytes aad = bound_to(arena, place), parts[] = {bytes_make(key, 32), aad, content};
	size_t len = IV_LEN + TAG_LEN + content.len;
	uint8_t *sealed = arena_alloc(arena, len);
	hash32 iv = sha256_parts(parts, 3);
	memcpy(sealed, iv.b, IV_LEN);
	aes256gcm_seal(sealed + IV_LEN + TAG_LEN, sealed + IV_LEN, key, sealed, aad, content);
	buf_init(&text, 2 * len + 4);
	base64url_put(&text, bytes_make(sealed, len));
	struct bytes out = arena_dup(arena, buf_view(&text));
	buf_fini(&text);
	return out;
}

enum status cursor_open(const uint8_t key[32], struct bytes *out, struct arena *arena, const struct cursor_place *place,
    struct bytes cursor, struct err *err) {
	struct buf sealed;
	buf_init(&sealed, IV_LEN + TAG_LEN + CURSOR_MAX);
	enum status status = base64url_data(&sealed, cursor);
	if (status == STATUS_OK && sealed.len < IV_LEN + TAG_LEN) status = STATUS_INVALID;
	if (status == STATUS_OK) {
		size_t len = sealed.len - IV_LEN - TAG_LEN;
		uint8_t *content = arena_alloc(arena, len);
		status = aes256gcm_open(content, sealed.data + IV_LEN, key, sealed.data, bound_to(arena, place),
		    bytes_make(sealed.data + IV_LEN + TAG_LEN, len));
		*out = bytes_make(content, len);
	}
	buf_fini(&sealed);
	return status == STATUS_OK
		   ? STATUS_OK
		   : err_set(err, STATUS_INVALID,
			 "the cursor is not one of this question: follow the links of its pages, from the first on");
}
