#include "health/chain/blob_signed.h"

#include "codec/hex.h"
#include "codec/json.h"
#include "eth/sign.h"

#define AHEAD_S 120u

static bool read_number(uint64_t *out, struct bytes text) {
	const struct json number = {.type = JSON_NUMBER, .text = text};
	if (text.len == 0 || text.len > 20 || (text.len > 1 && text.data[0] == '0')) return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9') return false;
	return json_u64(out, &number);
}

/* "account=0x…,expiry=N": the value of a name; data == NULL: it is not there. */
static struct bytes value_of(struct bytes list, const char *name) {
	const size_t name_len = strlen(name);
	while (list.len) {
		const uint8_t *end = memchr(list.data, ',', list.len);
		const size_t len = end ? (size_t)(end - list.data) : list.len;
		struct bytes pair = bytes_slice(list, 0, len);
		list = bytes_slice(list, len + 1, list.len);
		while (pair.len && pair.data[0] == ' ') pair = bytes_slice(pair, 1, pair.len);
		if (pair.len > name_len && pair.data[name_len] == '=' && memcmp(pair.data, name, name_len) == 0)
			return bytes_slice(pair, name_len + 1, pair.len);
	}
	return (struct bytes){NULL, 0};
}

enum status blob_signed_by(addr20 *out, struct blob_said *said, struct bytes field, const struct deployment *deployment,
    uint64_t now_s, struct err *err) {
	const struct bytes scheme = BYTES_LITERAL("Xinglin ");
	struct eth_signature signature;
	addr20 account;
	if (!bytes_equal(bytes_slice(field, 0, scheme.len), scheme))
		return err_set(err, STATUS_INVALID, "an Authorization header of scheme Xinglin is needed");
	const struct bytes list = bytes_slice(field, scheme.len, field.len);
	if (hex_fixed(account.b, 20, value_of(list, "account")) != STATUS_OK ||
	    !read_number(&said->expiry_s, value_of(list, "expiry")) ||
	    !read_number(&said->nonce, value_of(list, "nonce")) ||
	    hex_fixed(signature.b, sizeof signature.b, value_of(list, "signature")) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "account, expiry, nonce or signature is missing or malformed");
	if (said->expiry_s < now_s || said->expiry_s > now_s + AHEAD_S)
		return err_set(
		    err, STATUS_TIMEOUT, "the request is expired, or signed for later than in %u s", AHEAD_S);
	const hash32 digest = blob_said_digest(said, deployment->chain_id, &deployment->genesis);
	if (eth_signer(out, &signature, &digest) == STATUS_OK && addr20_equal(out, &account)) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "the account did not sign this request, or not for this gateway");
}
