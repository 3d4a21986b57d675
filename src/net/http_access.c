#include "net/http_connection.h"

#include <arpa/inet.h>
#include <strings.h>

static bool is_port(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9') return false;
	return text.len <= 5;
}

#define NAME_MAX_BYTES 253u /* RFC 1035 §2.3.4, without the last dot */

/* What a name or an address consists of: it may stand in a link, and in an answer's header. */
static bool is_name(struct bytes text) {
	if (text.len > NAME_MAX_BYTES) return false;
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = text.data[i];
		const bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		if (!is_letter && !(c >= '0' && c <= '9') && !memchr("-._:", c, 4)) return false;
	}
	return true;
}

/* "name", "name:port" or "[v6]:port" without the port; empty if it is none of these. */
static struct bytes host_name(struct bytes host) {
	const bool is_v6 = host.len > 0 && host.data[0] == '[';
	const uint8_t *end = host.len ? memchr(host.data, is_v6 ? ']' : ':', host.len) : NULL;
	const size_t len = end ? (size_t)(end - host.data) : host.len;
	const struct bytes name = bytes_slice(host, is_v6, len - is_v6);
	struct bytes rest = bytes_slice(host, len + is_v6, host.len);
	if (is_v6 && !end) return (struct bytes){NULL, 0};
	if (rest.len && (rest.data[0] != ':' || !is_port(bytes_slice(rest, 1, rest.len))))
		return (struct bytes){NULL, 0};
	return is_name(name) ? name : (struct bytes){NULL, 0};
}

static bool is_numeric_address(struct bytes name) {
	char text[INET6_ADDRSTRLEN];
	struct in6_addr parsed;
	if (name.len == 0 || name.len >= sizeof text) return false;
	memcpy(text, name.data, name.len);
	text[name.len] = 0;
	return inet_pton(AF_INET, text, &parsed) == 1 || inet_pton(AF_INET6, text, &parsed) == 1;
}

bool http_host_allowed(struct bytes host, const char *const *vhosts) {
	if (!host.data) return true;
	struct bytes name = host_name(host);
	if (!name.len) return false;
	if (is_numeric_address(name)) return true;
	for (; *vhosts; vhosts++) {
		if (strcmp(*vhosts, "*") == 0) return true;
		if (strlen(*vhosts) == name.len && strncasecmp(*vhosts, (const char *)name.data, name.len) == 0)
			return true;
	}
	return false;
}

struct bytes http_cors_allow(struct bytes origin, const char *const *origins) {
	if (!origin.data || !origins) return (struct bytes){NULL, 0};
	for (; *origins; origins++) {
		if (strcmp(*origins, "*") == 0) return BYTES_LITERAL("*");
		if (bytes_equal(origin, bytes_text(*origins))) return origin;
	}
	return (struct bytes){NULL, 0};
}
