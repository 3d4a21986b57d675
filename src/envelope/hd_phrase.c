/* BIP-39: phrase, checksum, seed. */
#include "envelope/hd_wallet.h"

#include "crypto/hash.h"
#include "envelope/bip39_english.h"

#define WORD_BITS 11u
#define WORDS_MAX 24u
#define WORD_LEN_MAX 8u
#define PASSPHRASE_BYTES_MAX 1024u
#define SEED_ITERATIONS 2048u

static bool entropy_len_is_valid(size_t len) {
	return len >= 16 && len <= HD_ENTROPY_MAX && len % 4 == 0;
}

/* Entropy and, behind it, the first byte of its hash: at most 8 checksum bits are used (one a four-byte group). */
static void with_checksum(uint8_t out[HD_ENTROPY_MAX + 1], const struct hd_entropy *entropy) {
	memcpy(out, entropy->bytes, entropy->len);
	hash32 hash = sha256(bytes_make(entropy->bytes, entropy->len));
	out[entropy->len] = hash.b[0];
	mem_wipe(&hash, sizeof hash);
}

static unsigned bit_at(const uint8_t *bytes, size_t at) {
	return bytes[at / 8] >> (7 - at % 8) & 1;
}

enum status hd_phrase(struct buf *out, const struct hd_entropy *entropy, struct err *err) {
	if (!entropy_len_is_valid(entropy->len))
		return err_set(err, STATUS_INVALID, "a phrase stands for 16, 20, 24, 28 or 32 bytes");
	uint8_t bits[HD_ENTROPY_MAX + 1];
	with_checksum(bits, entropy);
	size_t words = entropy->len * 3 / 4;
	for (size_t i = 0; i < words; i++) {
		unsigned index = 0;
		for (size_t j = 0; j < WORD_BITS; j++) index = index << 1 | bit_at(bits, i * WORD_BITS + j);
		if (i) buf_byte(out, ' ');
		buf_text(out, bip39_english[index]);
	}
	mem_wipe(bits, sizeof bits);
	return buf_status(out, err);
}

/* The word's index, or -1. */
static int find_word(struct bytes word) {
	size_t low = 0, high = BIP39_WORDS;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = bytes_compare(word, bytes_text(bip39_english[middle]));
		if (order == 0) return (int)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

/* Reads the words' bits; *words is their count. */
static enum status read_words(uint8_t bits[HD_ENTROPY_MAX + 1], size_t *words, struct bytes phrase, struct err *err) {
	memset(bits, 0, HD_ENTROPY_MAX + 1);
	for (*words = 0;; ++*words) {
		if (*words == WORDS_MAX) return err_set(err, STATUS_INVALID, "phrase: more than 24 words");
		const uint8_t *space = phrase.len ? memchr(phrase.data, ' ', phrase.len) : NULL;
		size_t len = space ? (size_t)(space - phrase.data) : phrase.len;
		int index = len <= WORD_LEN_MAX ? find_word(bytes_slice(phrase, 0, len)) : -1;
		if (index < 0)
			return err_set(err, STATUS_INVALID,
			    "phrase: word %zu is not in the English list (lower case, one space between words)",
			    *words + 1);
		for (size_t j = 0; j < WORD_BITS; j++) {
			size_t at = *words * WORD_BITS + j;
			unsigned bit = (unsigned)index >> (WORD_BITS - 1 - j) & 1;
			bits[at / 8] = (uint8_t)(bits[at / 8] | bit << (7 - at % 8));
		}
		if (!space) break;
		phrase = bytes_slice(phrase, len + 1, phrase.len);
	}
	++*words;
	return STATUS_OK;
}

static enum status check_bits(
    struct hd_entropy *entropy, const uint8_t bits[HD_ENTROPY_MAX + 1], size_t words, struct err *err) {
	if (words < 12 || words % 3)
		return err_set(err, STATUS_INVALID, "phrase: %zu words; 12, 15, 18, 21 or 24 are wanted", words);
	entropy->len = words / 3 * 4;
	memcpy(entropy->bytes, bits, entropy->len);
	uint8_t expected[HD_ENTROPY_MAX + 1];
	with_checksum(expected, entropy);
	unsigned unused = 8 - (unsigned)words / 3;
	bool fits = (expected[entropy->len] >> unused) == (bits[entropy->len] >> unused);
	mem_wipe(expected, sizeof expected);
	return fits ? STATUS_OK : err_set(err, STATUS_INVALID, "phrase: the checksum does not fit; is a word wrong?");
}

enum status hd_phrase_check(struct hd_entropy *entropy, struct bytes phrase, struct err *err) {
	uint8_t bits[HD_ENTROPY_MAX + 1];
	size_t words;
	struct hd_entropy found = {0};
	enum status status = read_words(bits, &words, phrase, err);
	if (status == STATUS_OK) status = check_bits(&found, bits, words, err);
	if (status == STATUS_OK && entropy) *entropy = found;
	mem_wipe(&found, sizeof found);
	mem_wipe(bits, sizeof bits);
	return status;
}

static bool is_ascii(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80) return false;
	return true;
}

enum status hd_seed_of(struct hd_seed *seed, struct bytes phrase, struct bytes passphrase, struct err *err) {
	TRY(hd_phrase_check(NULL, phrase, err));
	if (!is_ascii(passphrase)) return err_set(err, STATUS_UNSUPPORTED, "passphrase: only ASCII is supported");
	if (passphrase.len > PASSPHRASE_BYTES_MAX)
		return err_set(err, STATUS_LIMIT, "passphrase: longer than %u bytes", PASSPHRASE_BYTES_MAX);
	struct buf salt;
	buf_init(&salt, 8 + PASSPHRASE_BYTES_MAX);
	buf_extend(&salt, 8 + passphrase.len); /* at once: growing would leave a copy behind */
	buf_clear(&salt);
	buf_text(&salt, "mnemonic");
	buf_append(&salt, passphrase);
	pbkdf2_sha512(seed->bytes, sizeof seed->bytes, phrase, buf_view(&salt), SEED_ITERATIONS);
	buf_wipe(&salt);
	return STATUS_OK;
}
