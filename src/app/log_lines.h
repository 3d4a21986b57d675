/*
 * The log's two faces: lines for a person, and JSON objects for a collector. One event is one line whatever is in it:
 * control characters are escaped, so that no client can forge a line.
 *
 * Threads: a line is written whole, by one write(2). The functions are pure.
 */
#ifndef APP_LOG_LINES_H
#define APP_LOG_LINES_H

#include "base/log.h"
#include "base/mem.h"

#define LOG_LINE_MAX 4096u /* bytes; a longer line is cut */

enum log_format { LOG_AS_TEXT, LOG_AS_JSON };

/* `at_ms`: Unix time. Appends one line with its end. */
void log_line_write(struct buf *out, enum log_format format, uint64_t at_ms, const struct log_event *event);
/* LOG_INFO for an unknown one. */
enum log_level log_level_of(const char *name);

#endif
