#include "base/utf8.h"
#include "codec/hex.h"
#include "codec/json.h"

struct json_writer json_writer(struct buf *out) {
	return (struct json_writer){.out = out};
}

static void put_escaped(struct buf *out, uint8_t c) {
	static const char spelled[] = "\"\\bfnrt", meant[] = "\"\\\b\f\n\r\t";
	const char *found = c ? strchr(meant, c) : NULL;
	if (!found) {
		buf_printf(out, "\\u%04x", c);
		return;
	}
	buf_byte(out, '\\');
	buf_byte(out, (uint8_t)spelled[found - meant]);
}

/* Ill-formed UTF-8 becomes U+FFFD, so that the output is JSON whatever comes in. */
static void put_quoted(struct buf *out, struct bytes text) {
	buf_byte(out, '"');
	for (size_t i = 0; i < text.len;) {
		size_t plain = utf8_plain_run(text.data + i, text.len - i);
		buf_append(out, bytes_slice(text, i, plain));
		i += plain;
		if (i == text.len) break;
		size_t width = utf8_width(text.data + i, text.len - i);
		if (width == 1)
			put_escaped(out, text.data[i]);
		else
			buf_append(out, width ? bytes_slice(text, i, width) : BYTES_LITERAL("\xef\xbf\xbd"));
		i += width ? width : 1;
	}
	buf_byte(out, '"');
}

void json_put_name(struct json_writer *writer, const char *name) {
	if (writer->needs_comma) buf_byte(writer->out, ',');
	writer->needs_comma = true;
	if (!name) return;
	put_quoted(writer->out, bytes_text(name));
	buf_byte(writer->out, ':');
}

static void begin(struct json_writer *writer, const char *name, uint8_t bracket) {
	json_put_name(writer, name);
	buf_byte(writer->out, bracket);
	writer->needs_comma = false;
}

static void end(struct json_writer *writer, uint8_t bracket) {
	buf_byte(writer->out, bracket);
	writer->needs_comma = true;
}

void json_object_begin(struct json_writer *writer, const char *name) {
	begin(writer, name, '{');
}

void json_object_end(struct json_writer *writer) {
	end(writer, '}');
}

void json_array_begin(struct json_writer *writer, const char *name) {
	begin(writer, name, '[');
}

void json_array_end(struct json_writer *writer) {
	end(writer, ']');
}

void json_put_string(struct json_writer *writer, const char *name, struct bytes text) {
	json_put_name(writer, name);
	put_quoted(writer->out, text);
}

void json_put_text(struct json_writer *writer, const char *name, const char *text) {
	json_put_string(writer, name, bytes_text(text));
}

void json_put_u64(struct json_writer *writer, const char *name, uint64_t value) {
	json_put_name(writer, name);
	buf_printf(writer->out, "%llu", (unsigned long long)value);
}

static size_t digits(struct bytes text, size_t at) {
	size_t n = 0;
	while (at + n < text.len && text.data[at + n] >= '0' && text.data[at + n] <= '9') n++;
	return n;
}

bool json_is_number(struct bytes text) {
	size_t at = text.len && text.data[0] == '-', whole = digits(text, at);
	if (whole == 0 || (whole > 1 && text.data[at] == '0')) return false;
	at += whole;
	if (at < text.len && text.data[at] == '.') {
		size_t fraction = digits(text, at + 1);
		if (fraction == 0) return false;
		at += 1 + fraction;
	}
	if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
		at++;
		if (at < text.len && (text.data[at] == '+' || text.data[at] == '-')) at++;
		size_t exponent = digits(text, at);
		if (exponent == 0) return false;
		at += exponent;
	}
	return at == text.len;
}

void json_put_number(struct json_writer *writer, const char *name, struct bytes spelled) {
	BUG_ON(!json_is_number(spelled));
	json_put_raw(writer, name, spelled);
}

void json_put_bool(struct json_writer *writer, const char *name, bool value) {
	json_put_name(writer, name);
	buf_text(writer->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *writer, const char *name) {
	json_put_name(writer, name);
	buf_text(writer->out, "null");
}

void json_put_raw(struct json_writer *writer, const char *name, struct bytes json) {
	json_put_name(writer, name);
	buf_append(writer->out, json);
}

void json_put_hex(struct json_writer *writer, const char *name, struct bytes data) {
	json_put_name(writer, name);
	buf_byte(writer->out, '"');
	hex_put(writer->out, data, true);
	buf_byte(writer->out, '"');
}

void json_put_quantity(struct json_writer *writer, const char *name, uint64_t value) {
	json_put_name(writer, name);
	buf_byte(writer->out, '"');
	hex_put_quantity(writer->out, value);
	buf_byte(writer->out, '"');
}

void json_put_quantity_be(struct json_writer *writer, const char *name, struct bytes big_endian) {
	json_put_name(writer, name);
	buf_byte(writer->out, '"');
	hex_put_quantity_be(writer->out, big_endian);
	buf_byte(writer->out, '"');
}
