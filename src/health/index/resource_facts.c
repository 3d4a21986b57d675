/* Values as bytes that sort. */
#include "health/index/resource_facts.h"

#include "codec/hex.h"
#include "crypto/hash.h"

#define DIGEST_LEN 5u
#define MOMENT_LEN 7u
#define MOMENT_MAX (((int64_t)1 << 55) - 1)

void resource_fact_put_parameter(struct buf *out, unsigned parameter) {
	buf_byte(out, (uint8_t)(parameter >> 8));
	buf_byte(out, (uint8_t)parameter);
}

unsigned resource_fact_number(const struct fhir_search_def *search) {
	return (unsigned)(search - fhir_r4.searches);
}

struct bytes resource_fact_text(struct arena *arena, struct bytes text) {
	if (text.len <= RESOURCE_FACT_TEXT_MAX) return text;
	hash32 digest = sha256(text);
	struct buf out;
	buf_init(&out, RESOURCE_FACT_TEXT_MAX);
	buf_append(&out, bytes_slice(text, 0, RESOURCE_FACT_TEXT_MAX - 33));
	buf_byte(&out, 1);
	hex_put(&out, bytes_make(digest.b, 16), false);
	struct bytes copy = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return copy;
}

void resource_fact_put_text(struct buf *out, struct bytes text) {
	for (size_t i = 0; i < text.len; i++) buf_byte(out, text.data[i] ? text.data[i] : 1);
	buf_byte(out, 0);
}

/* --- digests of systems: SipHash-2-4 (Aumasson, Bernstein 2012), so that nobody makes two that are alike --- */

static uint64_t rotate(uint64_t value, unsigned bits) {
	return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4]) {
	v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
	v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static uint64_t sip(const struct resource_digest_key *key, struct bytes text) {
	uint64_t v[4] = {key->halves[0] ^ 0x736f6d6570736575ull, key->halves[1] ^ 0x646f72616e646f6dull,
	    key->halves[0] ^ 0x6c7967656e657261ull, key->halves[1] ^ 0x7465646279746573ull};
	for (size_t at = 0; at <= text.len; at += 8) {
		uint64_t word = 0;
		size_t len = text.len - at < 8 ? text.len - at : 8;
		if (len) memcpy(&word, text.data + at, len);
		if (len < 8) word |= (uint64_t)text.len << 56;
		v[3] ^= word;
		sip_round(v), sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++) sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void resource_fact_put_digest(struct buf *out, const struct resource_digest_key *key, struct bytes system) {
	uint64_t digest = sip(key, system);
	buf_byte(out, RESOURCE_FACT_SYSTEM);
	buf_append(out, bytes_make(&digest, DIGEST_LEN));
}

/* --- numbers --- */

void resource_fact_put_moment(struct buf *out, int64_t ms) {
	uint8_t bytes[8];
	int64_t bounded = ms > MOMENT_MAX ? MOMENT_MAX : ms < -MOMENT_MAX ? -MOMENT_MAX : ms;
	store_be64(bytes, (uint64_t)(bounded + MOMENT_MAX));
	buf_append(out, bytes_make(bytes + 1, MOMENT_LEN));
}

void resource_fact_put_row(struct buf *out, uint32_t row) {
	uint8_t bytes[4];
	store_be32(bytes, row);
	buf_append(out, bytes_make(bytes, sizeof bytes));
}

/*
 * 0.D1 D2 … times 100^e, D1 not 0: a byte for sign and e, then a byte 2D+1 for each pair of digits D but the last one,
 * which is 2D. Of a negative one, every byte's complement. Zero is 0x80.
 */
void resource_fact_put_decimal(struct buf *out, struct fhir_decimal value) {
	uint8_t pairs[24];
	int count = 0, exponent = 0;
	struct fhir_decimal plain = fhir_decimal_trim(value);
	bool is_negative = plain.digits < 0;
	unsigned __int128 digits = (unsigned __int128)(is_negative ? -plain.digits : plain.digits);
	if (!digits) {
		buf_byte(out, 0x80);
		return;
	}
	if (plain.scale & 1) digits *= 10; /* below 10^38, which is below 2^127 */
	exponent = -((plain.scale + 1) / 2);
	while (digits % 100 == 0) digits /= 100, exponent++;
	for (; digits; digits /= 100) pairs[count++] = (uint8_t)(digits % 100);
	exponent += count;
	uint8_t flip = is_negative ? 0xff : 0;
	buf_byte(out, (uint8_t)(0xc0 + exponent) ^ flip);
	while (count--) buf_byte(out, (uint8_t)(2 * pairs[count] + (count > 0)) ^ flip);
}

/* --- reading --- */

bool resource_fact_take(struct bytes *out, struct bytes *key, size_t len) {
	if (key->len < len) return false;
	*out = bytes_slice(*key, 0, len);
	*key = bytes_make(key->data + len, key->len - len);
	return true;
}

bool resource_fact_take_text(struct bytes *out, struct bytes *key) {
	const uint8_t *end = key->len ? memchr(key->data, 0, key->len) : NULL;
	struct bytes zero;
	return end && resource_fact_take(out, key, (size_t)(end - key->data)) && resource_fact_take(&zero, key, 1);
}

bool resource_fact_take_token(struct resource_fact_token *out, struct bytes *key) {
	struct bytes mark;
	if (!resource_fact_take_text(&out->code, key) || !resource_fact_take(&mark, key, 1)) return false;
	out->mark = (enum resource_fact_mark)mark.data[0];
	out->digest = (struct bytes){NULL, 0};
	return out->mark != RESOURCE_FACT_SYSTEM || resource_fact_take(&out->digest, key, DIGEST_LEN);
}

bool resource_fact_take_decimal(struct bytes *out, struct bytes *key) {
	if (!key->len) return false;
	size_t len = 1;
	uint8_t flip = key->data[0] < 0x80 ? 0xff : 0;
	if (key->data[0] != 0x80) {
		do len++;
		while (len <= key->len && ((key->data[len - 1] ^ flip) & 1));
	}
	return resource_fact_take(out, key, len);
}

bool resource_fact_next(struct bytes *out, struct bytes *facts) {
	if (facts->len < 2) return false;
	size_t len = (size_t)facts->data[0] << 8 | facts->data[1];
	struct bytes head;
	return resource_fact_take(&head, facts, 2) && resource_fact_take(out, facts, len);
}
