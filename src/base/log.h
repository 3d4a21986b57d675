/*
 * The log: one line an event, `time level module message key=value …`, to a sink that app/ chooses. Secrets and
 * personal data never go here: keys, phrases, plain resources, names (docs/conventions.md); addresses, hashes and sizes
 * may.
 *
 * Threads: any; a line is written whole.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/status.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_sink {
	void (*write)(void *context, enum log_level level, const char *module, const char *message);
	void *context;
};

/* Set once at start by app/, before threads; without one, lines are dropped. `sink` must outlive the process. */
void log_set_sink(const struct log_sink *sink, enum log_level least);

void log_write(enum log_level level, const char *module, const char *format, ...) PRINTF_LIKE(3, 4);

#define log_debug(module, ...) log_write(LOG_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...) log_write(LOG_INFO, module, __VA_ARGS__)
#define log_warn(module, ...) log_write(LOG_WARN, module, __VA_ARGS__)
#define log_error(module, ...) log_write(LOG_ERROR, module, __VA_ARGS__)

#endif
