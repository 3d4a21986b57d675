/*
 * The log: one line an event, to a sink that app/ chooses: `time level module message key=value …`, or the same as a
 * JSON object. Secrets and personal data never go here: keys, phrases, plain resources, names (docs/conventions.md);
 * addresses, hashes and sizes may.
 *
 * Threads: any; a line is written whole.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* A fact about an event, beside its message. */
struct log_field {
	const char *name;
	const char *text; /* NULL: `number` is the value */
	uint64_t number;
};
#define LOG_TEXT(name, text)                                                                                           \
	(struct log_field) {                                                                                           \
		name, text, 0                                                                                          \
	}
#define LOG_NUMBER(name, number)                                                                                       \
	(struct log_field) {                                                                                           \
		name, NULL, number                                                                                     \
	}

struct log_event {
	enum log_level level;
	const char *module, *message;
	const struct log_field *fields;
	size_t field_count;
};

struct log_sink {
	void (*write)(void *context, const struct log_event *event);
	void *context;
};

/* Set at start by app/, before threads; without one, lines are dropped. `sink` must outlive the process. */
void log_set_sink(const struct log_sink *sink, enum log_level least);
/* What is less than this is dropped from now on. Any thread. */
void log_set_level(enum log_level least);

void log_write(enum log_level level, const char *module, const char *format, ...) PRINTF_LIKE(3, 4);

/* Views live during the call. */
void log_event(const struct log_event *event);

#define log_debug(module, ...) log_write(LOG_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...) log_write(LOG_INFO, module, __VA_ARGS__)
#define log_warn(module, ...) log_write(LOG_WARN, module, __VA_ARGS__)
#define log_error(module, ...) log_write(LOG_ERROR, module, __VA_ARGS__)

#endif
