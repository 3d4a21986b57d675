#include "health/trace/tags.h"

#include <stdio.h>

#include "crypto/hash.h"

static hash32 tag_of(const hash32 *key, const char *domain, const char *first, const char *second) {
	char text[256];
	int len = snprintf(text, sizeof text, "%s%s%s", domain, first, second);
	BUG_ON(len < 0 || (size_t)len >= sizeof text);
	return hmac_sha256(BYTES_OF(*key), bytes_make(text, (size_t)len));
}

hash32 tag_batch(const hash32 *key, const char *gtin, const char *lot) {
	return tag_of(key, "xinglin/batch/1", gtin, lot);
}

hash32 tag_unit(const hash32 *key, const char *gtin, const char *serial) {
	return tag_of(key, "xinglin/unit/1", gtin, serial);
}

hash32 tag_container_salt(const hash32 *container_key, const char *code) {
	return tag_of(container_key, "xinglin/container/1", code, "");
}

hash32 tag_container(const hash32 *salt, const char *code) {
	struct bytes parts[] = {BYTES_LITERAL("xinglin/container/2"), BYTES_OF(*salt), bytes_text(code)};
	return sha256_parts(parts, 3);
}

hash32 tag_key_commitment(const hash32 *key) {
	struct bytes parts[] = {BYTES_LITERAL("xinglin/product-key/1"), BYTES_OF(*key)};
	return sha256_parts(parts, 2);
}

hash32 tag_container_key(const uint8_t entropy[32]) {
	hash32 key;
	hkdf_sha256(key.b, sizeof key.b, (struct bytes){NULL, 0}, bytes_make(entropy, 32),
	    BYTES_LITERAL("xinglin/container-key/1"));
	return key;
}

hash32 tag_batch_id(const hash32 *product, const hash32 *tag) {
	uint8_t words[64];
	memcpy(words, product->b, 32);
	memcpy(words + 32, tag->b, 32);
	return keccak256(bytes_make(words, sizeof words));
}

hash32 tag_container_id(const addr20 *opener, const hash32 *tag) {
	uint8_t words[64] = {0};
	memcpy(words + 12, opener->b, 20);
	memcpy(words + 32, tag->b, 32);
	hash32 id = keccak256(bytes_make(words, sizeof words));
	memset(id.b + 8, 0, 24);
	return id;
}
