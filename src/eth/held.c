#include "eth/held.h"

#include "crypto/hash.h"

#define TEXT_MAX 256u

addr20 held_node_of(const hash32 *key) {
	const hash32 digest = sha256(BYTES_OF(*key));
	addr20 node;
	memcpy(node.b, digest.b, sizeof node.b);
	return node;
}

static void put_u64(struct buf *out, uint64_t value) {
	uint8_t digits[8];
	store_be64(digits, value);
	buf_append(out, bytes_make(digits, sizeof digits));
}

static void receipt_text(struct buf *text, const struct held_blob *blob, uint64_t time_s) {
	buf_init(text, TEXT_MAX);
	buf_text(text, "xinglin held 1\n");
	buf_append(text, BYTES_OF(*blob->genesis));
	buf_append(text, BYTES_OF(blob->gate));
	buf_append(text, BYTES_OF(blob->blob));
	put_u64(text, blob->size_bytes);
	buf_append(text, BYTES_OF(blob->putter));
	put_u64(text, time_s);
}

enum status held_sign(
    struct held_receipt *out, const struct held_blob *blob, const struct ed25519_secret *secret, uint64_t time_s) {
	struct buf text;
	out->time_s = time_s;
	TRY(ed25519_public_of(&out->key, secret));
	receipt_text(&text, blob, time_s);
	const enum status status = ed25519_sign(out->signature, secret, buf_view(&text));
	buf_fini(&text);
	return status;
}

bool held_verify(const struct held_receipt *receipt, const struct held_blob *blob) {
	struct buf text;
	receipt_text(&text, blob, receipt->time_s);
	const bool is_valid = ed25519_verify(receipt->signature, &receipt->key, buf_view(&text));
	buf_fini(&text);
	return is_valid;
}

void held_request_text(struct buf *text, const struct held_request *request) {
	struct buf said;
	buf_init(&said, request->path.len + request->body.len + 1);
	buf_append(&said, request->path);
	buf_byte(&said, '\n');
	buf_append(&said, request->body);
	const hash32 digest = sha256(buf_view(&said));
	buf_fini(&said);
	buf_text(text, "xinglin member 1\n");
	buf_append(text, BYTES_OF(*request->genesis));
	buf_append(text, BYTES_OF(request->asked));
	put_u64(text, request->expiry_s);
	buf_append(text, BYTES_OF(digest));
}
