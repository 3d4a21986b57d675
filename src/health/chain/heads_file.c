/* A head's bytes: decoded from its header, and as the home keeps it. */
#include "codec/hex.h"
#include "crypto/hash.h"
#include "health/chain/heads.h"

enum status head_decode(struct head *out, struct bytes rlp, struct err *err) {
	struct header header;
	*out = (struct head){0};
	if (rlp.len > sizeof out->rlp) return err_set(err, STATUS_INVALID, "a header of %zu bytes", rlp.len);
	TRY(header_decode(&header, rlp, err));
	out->number = header.number;
	out->hash = keccak256(rlp);
	out->state_root = header.state_root;
	out->time_s = header.timestamp;
	memcpy(out->rlp, rlp.data, rlp.len);
	out->rlp_len = rlp.len;
	return STATUS_OK;
}

void head_write(struct buf *out, const struct head *head) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_u64(&writer, "v", 1);
	json_put_u64(&writer, "number", head->number);
	json_put_hex(&writer, "hash", BYTES_OF(head->hash));
	json_put_hex(&writer, "header", bytes_make(head->rlp, head->rlp_len));
	json_put_hex(&writer, "challenge", BYTES_OF(head->challenge));
	json_put_hex(&writer, "signature", BYTES_OF(head->signature));
	json_object_end(&writer);
}

static enum status read_all(struct head *out, const struct json *root, struct err *err) {
	uint64_t version, number;
	struct buf rlp;
	hash32 hash;
	if (!json_u64(&version, json_get(root, "v")) || version != 1 || !json_u64(&number, json_get(root, "number")))
		return err_set(err, STATUS_CORRUPT, "it is not a head of version 1");
	buf_init(&rlp, HEAD_RLP_MAX);
	enum status status = hex_data(&rlp, json_string(json_get(root, "header")));
	if (status == STATUS_OK) status = buf_status(&rlp, NULL);
	if (status == STATUS_OK) status = head_decode(out, buf_view(&rlp), NULL);
	buf_fini(&rlp);
	if (status != STATUS_OK || out->number != number ||
	    hex_fixed(hash.b, 32, json_string(json_get(root, "hash"))) != STATUS_OK ||
	    !hash32_equal(&hash, &out->hash) ||
	    hex_fixed(out->challenge.b, 32, json_string(json_get(root, "challenge"))) != STATUS_OK ||
	    hex_fixed(out->signature.b, 65, json_string(json_get(root, "signature"))) != STATUS_OK)
		return err_set(err, STATUS_CORRUPT, "its header, challenge or signature is damaged");
	return STATUS_OK;
}

enum status head_parse(struct head *out, struct bytes json, struct err *err) {
	struct arena arena;
	const struct json *root;
	arena_init(&arena);
	enum status status = json_parse(&root, &arena, json, NULL, err);
	status = status == STATUS_OK ? read_all(out, root, err) : STATUS_CORRUPT;
	arena_fini(&arena);
	return status;
}
