#include "app/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "crypto/secp256k1_keys.h"

static uint64_t now_ms(void *context) {
	(void)context;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t monotonic_ns(void *context) {
	(void)context;
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fill(void *context, uint8_t *out, size_t len) {
	(void)context;
	while (len) {
		ssize_t got = getrandom(out, len, 0);
		if (got < 0 && errno == EINTR) continue;
		BUG_ON(got <= 0);
		out += got;
		len -= (size_t)got;
	}
}

const struct clock_source world_clock = {now_ms, monotonic_ns, NULL};
const struct random_source world_random = {fill, NULL};

void world_sleep_ms(void *context, uint32_t ms) {
	(void)context;
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
	while (nanosleep(&t, &t) != 0 && errno == EINTR) continue;
}

static void write_line(void *context, enum log_level level, const char *module, const char *message) {
	(void)context;
	static const char *const names[] = {"debug", "info", "warn", "error"};
	uint64_t at_ms = now_ms(NULL);
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm utc;
	char text[32];
	gmtime_r(&seconds, &utc);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	fprintf(stderr, "%s.%03uZ %-5s %s %s\n", text, (unsigned)(at_ms % 1000), names[level], module, message);
}

void world_start(enum log_level least) {
	static const struct log_sink sink = {write_line, NULL};
	log_set_sink(&sink, least);
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	uint8_t seed[32];
	fill(NULL, seed, sizeof seed);
	secp_init(seed);
	mem_wipe(seed, sizeof seed);
}
