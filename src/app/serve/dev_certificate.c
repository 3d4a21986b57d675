#include "app/serve/dev_certificate.h"

#include <stdio.h>
#include <time.h>

#include "base/files.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "crypto/p256.h"

#define DER_MAX ((size_t)4096)

/* --- DER --- */

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_TIME = 0x17,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_DNS_NAME = 0x82, /* of a GeneralName */
	DER_IP_ADDRESS = 0x87,
	DER_TAG_0 = 0xa0, /* [0], constructed */
	DER_TAG_1 = 0xa1,
	DER_TAG_3 = 0xa3
};

static void put(struct buf *out, uint8_t tag, struct bytes content) {
	buf_byte(out, tag);
	if (content.len >= 256) {
		buf_byte(out, 0x82);
		buf_byte(out, (uint8_t)(content.len >> 8));
	} else if (content.len >= 128) {
		buf_byte(out, 0x81);
	}
	buf_byte(out, (uint8_t)content.len);
	buf_append(out, content);
}

/* What stands in `out` from `start` on becomes the content of one value. */
static void wrap(struct buf *out, size_t start, uint8_t tag) {
	struct buf content;
	buf_init(&content, DER_MAX);
	buf_append(&content, bytes_slice(buf_view(out), start, out->len));
	out->len = start;
	put(out, tag, buf_view(&content));
	buf_wipe(&content);
}

/* A positive number: no needless zeros before it, and one if its highest bit is set. */
static void put_integer(struct buf *out, struct bytes number) {
	size_t zeros = 0, start = out->len;
	while (zeros + 1 < number.len && number.data[zeros] == 0) zeros++;
	if (number.data[zeros] & 0x80) buf_byte(out, 0);
	buf_append(out, bytes_slice(number, zeros, number.len));
	wrap(out, start, DER_INTEGER);
}

static void put_bits(struct buf *out, struct bytes content) {
	size_t start = out->len;
	buf_byte(out, 0); /* unused bits */
	buf_append(out, content);
	wrap(out, start, DER_BITS);
}

/* --- the parts of a certificate --- */

static const struct bytes ecdsa_with_sha256 = BYTES_LITERAL("\x2a\x86\x48\xce\x3d\x04\x03\x02");
static const struct bytes ec_public_key = BYTES_LITERAL("\x2a\x86\x48\xce\x3d\x02\x01");
static const struct bytes prime256v1 = BYTES_LITERAL("\x2a\x86\x48\xce\x3d\x03\x01\x07");

static void put_algorithm(struct buf *out) {
	size_t start = out->len;
	put(out, DER_OID, ecdsa_with_sha256);
	wrap(out, start, DER_SEQUENCE);
}

/* Issuer and subject: a common name. */
static void put_name(struct buf *out) {
	size_t start = out->len;
	put(out, DER_OID, BYTES_LITERAL("\x55\x04\x03"));
	put(out, DER_UTF8, BYTES_LITERAL("xinglin dev"));
	wrap(out, start, DER_SEQUENCE);
	wrap(out, start, DER_SET);
	wrap(out, start, DER_SEQUENCE);
}

static void put_time(struct buf *out, uint64_t seconds) {
	char text[32];
	struct tm parts;
	time_t when = (time_t)seconds;
	BUG_ON(!gmtime_r(&when, &parts) || strftime(text, sizeof text, "%y%m%d%H%M%SZ", &parts) != 13);
	put(out, DER_TIME, bytes_text(text));
}

static void put_point(struct buf *out, const struct p256_public *key) {
	uint8_t point[65] = {0x04};
	memcpy(point + 1, key->xy, sizeof key->xy);
	put_bits(out, bytes_make(point, sizeof point));
}

static void put_public_key(struct buf *out, const struct p256_public *key) {
	size_t start = out->len;
	put(out, DER_OID, ec_public_key);
	put(out, DER_OID, prime256v1);
	wrap(out, start, DER_SEQUENCE);
	put_point(out, key);
	wrap(out, start, DER_SEQUENCE);
}

/* `value` is DER. */
static void put_extension(struct buf *out, struct bytes oid, bool is_critical, struct bytes value) {
	size_t start = out->len;
	put(out, DER_OID, oid);
	if (is_critical) put(out, DER_BOOLEAN, BYTES_LITERAL("\xff"));
	put(out, DER_OCTETS, value);
	wrap(out, start, DER_SEQUENCE);
}

static void put_alternative_names(struct buf *out) {
	static const uint8_t four[4] = {127, 0, 0, 1}, six[16] = {[15] = 1};
	struct buf names;
	buf_init(&names, DER_MAX);
	put(&names, DER_DNS_NAME, BYTES_LITERAL("localhost"));
	put(&names, DER_IP_ADDRESS, bytes_make(four, sizeof four));
	put(&names, DER_IP_ADDRESS, bytes_make(six, sizeof six));
	wrap(&names, 0, DER_SEQUENCE);
	put_extension(out, BYTES_LITERAL("\x55\x1d\x11"), false, buf_view(&names));
	buf_fini(&names);
}

/* No authority (basicConstraints without CA), digitalSignature, serverAuth. */
static void put_extensions(struct buf *out) {
	size_t start = out->len;
	put_extension(out, BYTES_LITERAL("\x55\x1d\x13"), true, BYTES_LITERAL("\x30\x00"));
	put_extension(out, BYTES_LITERAL("\x55\x1d\x0f"), true, BYTES_LITERAL("\x03\x02\x07\x80"));
	put_extension(out, BYTES_LITERAL("\x55\x1d\x25"), false,
	    BYTES_LITERAL("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"));
	put_alternative_names(out);
	wrap(out, start, DER_SEQUENCE);
	wrap(out, start, DER_TAG_3);
}

/* --- whole --- */

struct certificate_plan {
	const struct p256_secret *secret;
	const struct p256_public *key;
	uint8_t serial[16];
	uint64_t now_s;
};

static void put_to_be_signed(struct buf *out, const struct certificate_plan *plan) {
	size_t start = out->len;
	put_integer(out, BYTES_LITERAL("\x02")); /* v3 */
	wrap(out, start, DER_TAG_0);
	put_integer(out, bytes_make(plan->serial, sizeof plan->serial));
	put_algorithm(out);
	put_name(out);
	size_t times = out->len;
	put_time(out, plan->now_s - 3600);
	put_time(out, plan->now_s + DEV_CERTIFICATE_DAYS * 86400u);
	wrap(out, times, DER_SEQUENCE);
	put_name(out);
	put_public_key(out, plan->key);
	put_extensions(out);
	wrap(out, start, DER_SEQUENCE);
}

static enum status put_signature(struct buf *out, const struct p256_secret *secret, struct bytes content) {
	uint8_t signature[64];
	struct buf pair;
	hash32 digest = sha256(content);
	TRY(p256_sign(signature, secret, &digest));
	buf_init(&pair, DER_MAX);
	put_integer(&pair, bytes_make(signature, 32));
	put_integer(&pair, bytes_make(signature + 32, 32));
	wrap(&pair, 0, DER_SEQUENCE);
	put_bits(out, buf_view(&pair));
	buf_fini(&pair);
	return STATUS_OK;
}

static enum status put_certificate(struct buf *out, const struct certificate_plan *plan) {
	struct buf content;
	buf_init(&content, DER_MAX);
	put_to_be_signed(&content, plan);
	buf_append(out, buf_view(&content));
	put_algorithm(out);
	enum status status = put_signature(out, plan->secret, buf_view(&content));
	wrap(out, 0, DER_SEQUENCE);
	buf_fini(&content);
	return status;
}

static void put_key(struct buf *out, const struct certificate_plan *plan) {
	put_integer(out, BYTES_LITERAL("\x01"));
	put(out, DER_OCTETS, bytes_make(plan->secret->d, sizeof plan->secret->d));
	size_t start = out->len;
	put(out, DER_OID, prime256v1);
	wrap(out, start, DER_TAG_0);
	start = out->len;
	put_point(out, plan->key);
	wrap(out, start, DER_TAG_1);
	wrap(out, 0, DER_SEQUENCE);
}

/* --- files --- */

static enum status write_pem(const char *path, const char *label, struct bytes der, struct err *err) {
	struct buf text, pem;
	buf_init(&text, 2 * DER_MAX);
	buf_init(&pem, 4 * DER_MAX);
	base64url_put(&text, der);
	while (text.len % 4) buf_byte(&text, '=');
	for (size_t i = 0; i < text.len; i++)
		text.data[i] = text.data[i] == '-' ? '+' : text.data[i] == '_' ? '/' : text.data[i];
	buf_printf(&pem, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < text.len; at += 64) {
		buf_append(&pem, bytes_slice(buf_view(&text), at, 64));
		buf_byte(&pem, '\n');
	}
	buf_printf(&pem, "-----END %s-----\n", label);
	enum status status = files_write(path, buf_view(&pem), err);
	buf_wipe(&text);
	buf_wipe(&pem);
	return status;
}

enum status dev_certificate_write(const char *cert_path, const char *key_path, const struct random_source *random,
    const struct clock_source *clock, struct err *err) {
	uint8_t entropy[32];
	struct p256_secret secret;
	struct p256_public key;
	struct certificate_plan plan = {.secret = &secret, .key = &key, .now_s = clock_now_ms(clock) / 1000};
	struct buf cert, key_der;
	random_fill(random, entropy, sizeof entropy);
	random_fill(random, plan.serial, sizeof plan.serial);
	plan.serial[0] = (plan.serial[0] & 0x7f) | 0x40;
	buf_init(&cert, DER_MAX);
	buf_init(&key_der, DER_MAX);
	enum status status = p256_derive_key_pair(&secret, &key, bytes_make(entropy, sizeof entropy));
	if (status == STATUS_OK) status = put_certificate(&cert, &plan);
	if (status != STATUS_OK) err_set(err, status, "a development certificate could not be made");
	if (status == STATUS_OK) {
		put_key(&key_der, &plan);
		BUG_ON(cert.overflow || key_der.overflow);
		status = write_pem(key_path, "EC PRIVATE KEY", buf_view(&key_der), err);
	}
	if (status == STATUS_OK) status = write_pem(cert_path, "CERTIFICATE", buf_view(&cert), err);
	mem_wipe(entropy, sizeof entropy);
	mem_wipe(&secret, sizeof secret);
	buf_wipe(&key_der);
	buf_fini(&cert);
	return status;
}
