/* The opening handshake (RFC 6455 §4.2). */
#include "net/ws_server.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <strings.h>

/* Is `token` in the comma-separated list? Case does not matter. */
static bool has_token(struct bytes list, const char *token) {
	const size_t len = strlen(token);
	for (size_t start = 0; start < list.len;) {
		size_t end = start;
		while (end < list.len && list.data[end] != ',') end++;
		size_t from = start, to = end;
		while (from < to && list.data[from] == ' ') from++;
		while (to > from && list.data[to - 1] == ' ') to--;
		if (to - from == len && strncasecmp((const char *)list.data + from, token, len) == 0) return true;
		start = end + 1;
	}
	return false;
}

bool ws_is_upgrade(const struct http_request *request) {
	return request->method == HTTP_GET && has_token(http_header_get(request, "upgrade"), "websocket") &&
	       has_token(http_header_get(request, "connection"), "upgrade");
}

int ws_check_handshake(char accept[WS_ACCEPT_BYTES], const struct http_request *request) {
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	const struct bytes key = http_header_get(request, "sec-websocket-key");
	uint8_t text[24 + sizeof guid - 1], nonce[24], digest[SHA_DIGEST_LENGTH];
	if (!bytes_equal(http_header_get(request, "sec-websocket-version"), BYTES_LITERAL("13"))) return 426;
	if (key.len != 24 || EVP_DecodeBlock(nonce, key.data, 24) != 18 || key.data[22] != '=') return 400;
	memcpy(text, key.data, 24);
	memcpy(text + 24, guid, sizeof guid - 1);
	SHA1(text, sizeof text, digest);
	EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
	return 0;
}
