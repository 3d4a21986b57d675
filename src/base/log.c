#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

/* The one mutable global of the ground floor: where lines go, fixed before threads start; and how many of them. */
static const struct log_sink *log_sink;
static atomic_int log_least = LOG_INFO;

void log_set_sink(const struct log_sink *sink, enum log_level least) {
	log_sink = sink;
	log_set_level(least);
}

void log_set_level(enum log_level least) {
	atomic_store_explicit(&log_least, (int)least, memory_order_relaxed);
}

static bool is_dropped(enum log_level level) {
	return !log_sink || (int)level < atomic_load_explicit(&log_least, memory_order_relaxed);
}

void log_event(const struct log_event *event) {
	if (!is_dropped(event->level)) log_sink->write(log_sink->context, event);
}

void log_write(enum log_level level, const char *module, const char *format, ...) {
	if (is_dropped(level)) return;
	char message[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	log_event(&(struct log_event){.level = level, .module = module, .message = message});
}
