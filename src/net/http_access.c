#include "net/http_connection.h"

#include <arpa/inet.h>
#include <strings.h>

/* "name", "name:port" or "[v6]:port" without the port; empty where it is none of these. */
static struct bytes host_name(struct bytes host) {
	const uint8_t *end;
	if (host.len > 0 && host.data[0] == '[') {
		end = memchr(host.data, ']', host.len);
		return end ? bytes_make(host.data + 1, (size_t)(end - host.data) - 1) : (struct bytes){NULL, 0};
	}
	end = memchr(host.data, ':', host.len);
	return end ? bytes_slice(host, 0, (size_t)(end - host.data)) : host;
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
