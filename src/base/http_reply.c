#include "base/http_reply.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

#define HEADER_VALUE_MAX 4096

/* A JSON string. What is not UTF-8 may come from a client's input and shows as '?'. */
static void put_string(struct buf *out, struct bytes text) {
	buf_byte(out, '"');
	for (size_t i = 0; i < text.len;) {
		const uint8_t c = text.data[i];
		const size_t width = utf8_width(text.data + i, text.len - i);
		if (c < 0x20 || c == '"' || c == '\\')
			buf_printf(out, "\\u%04x", c);
		else if (width == 0)
			buf_byte(out, '?');
		else
			buf_append(out, bytes_make(text.data + i, width));
		i += width ? width : 1;
	}
	buf_byte(out, '"');
}

void http_problem(struct http_response *response, int status, const char *code, const char *detail) {
	response->status = status;
	response->content_type = "application/problem+json";
	buf_clear(&response->body);
	buf_printf(&response->body, "{\"type\":\"about:blank\",\"status\":%d,\"code\":", status);
	put_string(&response->body, bytes_text(code));
	buf_text(&response->body, ",\"detail\":");
	put_string(&response->body, bytes_text(detail));
	buf_byte(&response->body, '}');
}

void http_put_header(struct http_response *response, const char *name, const char *format, ...) {
	char value[HEADER_VALUE_MAX];
	va_list arguments;
	va_start(arguments, format);
	const int len = vsnprintf(value, sizeof value, format, arguments);
	va_end(arguments);
	BUG_ON(len < 0 || len >= HEADER_VALUE_MAX);
	for (int i = 0; i < len; i++) BUG_ON((uint8_t)value[i] < 0x20 || value[i] == 0x7f);
	buf_printf(&response->headers, "%s: %s\r\n", name, value);
}
