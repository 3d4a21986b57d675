/* Names of what is kept for a folder, as the contracts make them: keccak256(abi.encode("label", …)). */
#include "health/records/items.h"

#include "crypto/hash.h"
#include "eth/abi.h"
#include "health/records/folder.h"

/* The words that stand behind the label's offset. */
struct words {
	hash32 words[5];
	size_t count;
};

static void put_word(struct words *words, struct bytes right_aligned) {
	hash32 *word = &words->words[words->count++];
	*word = (hash32){{0}};
	memcpy(word->b + 32 - right_aligned.len, right_aligned.data, right_aligned.len);
}

static void put_number(struct words *words, uint64_t value) {
	uint8_t bytes[8];
	store_be64(bytes, value);
	put_word(words, bytes_make(bytes, sizeof bytes));
}

static hash32 item(const char *label, const struct words *words) {
	struct buf encoded;
	buf_init(&encoded, 512);
	struct abi_row row = abi_row_begin(&encoded);
	size_t head = abi_reserve(&encoded);
	for (size_t i = 0; i < words->count; i++) abi_put_hash32(&encoded, &words->words[i]);
	abi_tail(&row, head);
	abi_put_bytes(&encoded, bytes_text(label));
	BUG_ON(encoded.overflow);
	hash32 hash = keccak256(buf_view(&encoded));
	buf_fini(&encoded);
	return hash;
}

hash32 item_of_wraps(const hash32 *folder, uint32_t epoch) {
	struct words words = {.count = 0};
	put_word(&words, BYTES_OF(*folder));
	put_number(&words, epoch);
	return item("wraps", &words);
}

hash32 item_of_grant(
    const hash32 *folder, const hash32 *record, const addr20 *grantee, uint32_t epoch, uint32_t count) {
	struct words words = {.count = 0};
	put_word(&words, BYTES_OF(*folder));
	put_word(&words, BYTES_OF(*record));
	put_word(&words, BYTES_OF(*grantee));
	put_number(&words, epoch);
	put_number(&words, count);
	return item("grant", &words);
}

hash32 item_of_reason(uint64_t review) {
	struct words words = {.count = 0};
	put_number(&words, review);
	return item("reason", &words);
}

hash32 item_of_release(uint64_t review, const addr20 *trustee, uint32_t epoch) {
	struct words words = {.count = 0};
	put_number(&words, review);
	put_word(&words, BYTES_OF(*trustee));
	put_number(&words, epoch);
	return item("release", &words);
}
