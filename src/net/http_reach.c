#include "net/http_reach.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct block {
	uint8_t prefix[16];
	unsigned bits;
};

static bool is_in(const uint8_t *address, const struct block *block) {
	const unsigned whole = block->bits / 8, rest = block->bits % 8;
	if (memcmp(address, block->prefix, whole) != 0) return false;
	return !rest || (address[whole] ^ block->prefix[whole]) >> (8 - rest) == 0;
}

/* This network, private, shared, link-local, protocol assignments, documentation, benchmarks, multicast, reserved. */
static bool is_inside_4(const uint8_t address[4]) {
	static const struct block blocks[] = {{{0}, 8}, {{10}, 8}, {{100, 64}, 10}, {{127}, 8}, {{169, 254}, 16},
	    {{172, 16}, 12}, {{192, 0, 0}, 24}, {{192, 0, 2}, 24}, {{192, 88, 99}, 24}, {{192, 168}, 16},
	    {{198, 18}, 15}, {{198, 51, 100}, 24}, {{203, 0, 113}, 24}, {{224}, 4}, {{240}, 4}};
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		if (is_in(address, &blocks[i])) return true;
	return false;
}

static bool admits_4(enum http_reach reach, const uint8_t address[4]) {
	if (reach == HTTP_REACH_LOOPBACK && address[0] == 127) return true;
	return !is_inside_4(address);
}

/* What is global unicast (2000::/3), but for tunnels, documentation and protocol assignments. */
static bool is_outside_6(const uint8_t address[16]) {
	static const struct block global = {{0x20}, 3};
	static const struct block inner[] = {
	    {{0x20, 0x01, 0x00}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x3f, 0xff}, 20}};
	if (!is_in(address, &global)) return false;
	for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
		if (is_in(address, &inner[i])) return false;
	return true;
}

static bool admits_6(enum http_reach reach, const uint8_t address[16]) {
	static const struct block mapped = {{[10] = 0xff, [11] = 0xff}, 96}, nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
	static const struct block local_nat64 = {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48},
				  six_to_four = {{0x20, 0x02}, 16};
	static const struct block loopback = {{[15] = 1}, 128};
	if (is_in(address, &mapped) || is_in(address, &nat64)) return admits_4(reach, address + 12);
	if (is_in(address, &local_nat64)) return false;
	if (is_in(address, &six_to_four)) return admits_4(reach, address + 2);
	if (reach == HTTP_REACH_LOOPBACK && is_in(address, &loopback)) return true;
	return is_outside_6(address);
}

bool http_reach_admits(enum http_reach reach, const struct sockaddr *address) {
	if (address->sa_family == AF_INET) {
		uint8_t bytes[4];
		memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, sizeof bytes);
		return reach == HTTP_REACH_ANY || admits_4(reach, bytes);
	}
	if (address->sa_family == AF_INET6) {
		uint8_t bytes[16];
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, sizeof bytes);
		return reach == HTTP_REACH_ANY || admits_6(reach, bytes);
	}
	return false;
}
