#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *status_text(enum status status) {
	static const char *const texts[] = {
#define STATUS_TEXT(name, text) text,
	    STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
	};
	return (unsigned)status < STATUS_COUNT ? texts[status] : "unknown status";
}

enum status err_set(struct err *err, enum status status, const char *format, ...) {
	if (!err) return status;
	va_list args;
	va_start(args, format);
	vsnprintf(err->message, sizeof err->message, format, args);
	va_end(args);
	err->cause = 0;
	return status;
}

enum status err_because(struct err *err, unsigned cause, enum status status) {
	if (err) err->cause = cause;
	return status;
}

enum status err_prefix(struct err *err, enum status status, const char *format, ...) {
	if (!err) return status;
	struct err rest = *err;
	va_list args;
	va_start(args, format);
	int length = vsnprintf(err->message, sizeof err->message, format, args);
	va_end(args);
	if (length < 0) length = 0;
	size_t used = (size_t)length < sizeof err->message ? (size_t)length : sizeof err->message - 1;
	snprintf(err->message + used, sizeof err->message - used, ": %s", rest.message);
	return status;
}

void bug_stop(const char *condition, const char *file, int line) {
	fprintf(stderr, "xinglin: bug: %s at %s:%d\n", condition, file, line);
	abort();
}
