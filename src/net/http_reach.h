/*
 * Which addresses a client may connect to. What a stranger names in a URL must not lead to this machine or into the
 * network that it stands in: neither as a literal, nor by a name that resolves there.
 *
 * Threads: pure. Source: IANA's special-purpose address registries (RFC 6890).
 */
#ifndef NET_HTTP_REACH_H
#define NET_HTTP_REACH_H

#include "base/bytes.h"

struct sockaddr;

enum http_reach {
	HTTP_REACH_ANY,      /* wherever the URL leads */
	HTTP_REACH_LOOPBACK, /* outside, and this machine's own loopback */
	HTTP_REACH_OUTSIDE   /* globally reachable addresses alone */
};

/* An address of another family than IPv4 and IPv6 is never reached. An IPv4 address inside an IPv6 one (mapped, NAT64,
 * 6to4) counts as itself. */
bool http_reach_admits(enum http_reach reach, const struct sockaddr *address);

#endif
