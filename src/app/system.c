#include "app/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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

/* One write, so that lines of several threads and processes do not mix. */
static void write_line(enum log_format format, const struct log_event *event) {
	struct buf line;
	buf_init(&line, LOG_LINE_MAX);
	log_line_write(&line, format, now_ms(NULL), event);
	if (line.overflow) { /* a message is bounded (base/log.c), so its fields were too much */
		struct log_event bare = {event->level, event->module, event->message, NULL, 0};
		buf_clear(&line);
		log_line_write(&line, format, now_ms(NULL), &bare);
	}
	ssize_t written = write(STDERR_FILENO, line.data, line.len);
	(void)written; /* there is nowhere left to report it */
	buf_fini(&line);
}

static void write_text_line(void *context, const struct log_event *event) {
	(void)context;
	write_line(LOG_AS_TEXT, event);
}

static void write_json_line(void *context, const struct log_event *event) {
	(void)context;
	write_line(LOG_AS_JSON, event);
}

void world_log(enum log_format format, enum log_level least) {
	static const struct log_sink sinks[] = {
	    [LOG_AS_TEXT] = {write_text_line, NULL}, [LOG_AS_JSON] = {write_json_line, NULL}};
	log_set_sink(&sinks[format], least);
}

void world_start(enum log_level least) {
	world_log(LOG_AS_TEXT, least);
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	uint8_t seed[32];
	fill(NULL, seed, sizeof seed);
	secp_init(seed);
	mem_wipe(seed, sizeof seed);
}
