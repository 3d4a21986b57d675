#include "app/log_lines.h"

#include <stdio.h>
#include <time.h>

#include "codec/json.h"

static const char *const level_names[] = {"debug", "info", "warn", "error"};

enum log_level log_level_of(const char *name) {
	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (strcmp(level_names[i], name) == 0) return (enum log_level)i;
	return LOG_INFO;
}

static void time_text(char out[32], uint64_t at_ms) {
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm utc;
	char whole[24];
	gmtime_r(&seconds, &utc);
	strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out, 32, "%s.%03uZ", whole, (unsigned)(at_ms % 1000));
}

/* A message goes as it is; a value in quotes if a reader could not see where it ends. */
static void put_text(struct buf *out, const char *text, bool is_value) {
	bool is_quoted = is_value && (!*text || strpbrk(text, " \"=\\") != NULL);
	if (is_quoted) buf_byte(out, '"');
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at < 0x20 || *at == 0x7f)
			buf_printf(out, "\\x%02x", *at);
		else if (is_quoted && (*at == '"' || *at == '\\'))
			buf_printf(out, "\\%c", *at);
		else
			buf_byte(out, *at);
	}
	if (is_quoted) buf_byte(out, '"');
}

static void write_text(struct buf *out, const char *time, const struct log_event *event) {
	buf_printf(out, "%s %-5s %s ", time, level_names[event->level], event->module);
	put_text(out, event->message, false);
	for (size_t i = 0; i < event->field_count; i++) {
		const struct log_field *field = &event->fields[i];
		buf_printf(out, " %s=", field->name);
		if (field->text)
			put_text(out, field->text, true);
		else
			buf_printf(out, "%llu", (unsigned long long)field->number);
	}
}

static void write_json(struct buf *out, const char *time, const struct log_event *event) {
	struct json_writer writer = json_writer(out);
	json_object_begin(&writer, NULL);
	json_put_text(&writer, "time", time);
	json_put_text(&writer, "level", level_names[event->level]);
	json_put_text(&writer, "module", event->module);
	json_put_text(&writer, "message", event->message);
	for (size_t i = 0; i < event->field_count; i++) {
		const struct log_field *field = &event->fields[i];
		if (field->text)
			json_put_text(&writer, field->name, field->text);
		else
			json_put_u64(&writer, field->name, field->number);
	}
	json_object_end(&writer);
}

void log_line_write(struct buf *out, enum log_format format, uint64_t at_ms, const struct log_event *event) {
	char time[32];
	time_text(time, at_ms);
	if (format == LOG_AS_JSON)
		write_json(out, time, event);
	else
		write_text(out, time, event);
	buf_byte(out, '\n');
}
