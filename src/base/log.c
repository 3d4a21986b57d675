#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

/* The one mutable global of the ground floor: where lines go, fixed before threads start. */
static const struct log_sink *log_sink;
static enum log_level log_least = LOG_INFO;

void log_set_sink(const struct log_sink *sink, enum log_level least) {
	log_sink = sink;
	log_least = least;
}

void log_write(enum log_level level, const char *module, const char *format, ...) {
	if (!log_sink || level < log_least) return;
	char message[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	log_sink->write(log_sink->context, level, module, message);
}
