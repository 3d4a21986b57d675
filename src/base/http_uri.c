#include "base/http_uri.h"

#include "base/utf8.h"

static int digit(uint8_t c) {
	if (c >= '0' && c <= '9') return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_plain_text(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < 0x20 || text.data[i] == 0x7f) return false;
	return utf8_is_valid(text);
}

bool http_percent_decode(struct buf *out, struct bytes text, bool plus_is_space) {
	const size_t before = out->len;
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = text.data[i];
		if (c != '%') {
			buf_byte(out, plus_is_space && c == '+' ? ' ' : c);
			continue;
		}
		const int high = i + 2 < text.len ? digit(text.data[i + 1]) : -1;
		const int low = i + 2 < text.len ? digit(text.data[i + 2]) : -1;
		if (high < 0 || low < 0) return false;
		buf_byte(out, (uint8_t)(high << 4 | low));
		i += 2;
	}
	return !out->overflow && is_plain_text(bytes_slice(buf_view(out), before, out->len));
}

static bool is_unreserved(uint8_t c) {
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

void http_percent_encode(struct buf *out, struct bytes text) {
	for (size_t i = 0; i < text.len; i++) {
		if (is_unreserved(text.data[i]))
			buf_byte(out, text.data[i]);
		else
			buf_printf(out, "%%%02X", text.data[i]);
	}
}

/* The text before `mark`, which is taken from `rest` with it. `*found`: there was one. */
static struct bytes take_until(struct bytes *rest, uint8_t mark, bool *found) {
	const uint8_t *end = rest->len ? memchr(rest->data, mark, rest->len) : NULL;
	const size_t len = end ? (size_t)(end - rest->data) : rest->len;
	const struct bytes part = bytes_slice(*rest, 0, len);
	*found = end != NULL;
	*rest = bytes_slice(*rest, end ? len + 1 : len, rest->len);
	return part;
}

static enum status decode_item(
    struct http_query_item *out, struct arena *arena, struct buf *scratch, struct bytes piece, struct err *err) {
	bool has_value;
	const struct bytes name = take_until(&piece, '=', &has_value);
	if (name.len == 0) return err_set(err, STATUS_INVALID, "a parameter of the query has no name");
	buf_clear(scratch);
	if (!http_percent_decode(scratch, name, true))
		return err_set(err, STATUS_INVALID, "the name of a parameter of the query is malformed");
	out->name = arena_dup(arena, buf_view(scratch));
	if (!has_value) {
		out->value = (struct bytes){NULL, 0};
		return STATUS_OK;
	}
	buf_clear(scratch);
	if (!http_percent_decode(scratch, piece, true))
		return err_set(err, STATUS_INVALID, "the value of %.*s in the query is malformed",
		    (int)(out->name.len < 60 ? out->name.len : 60), (const char *)out->name.data);
	out->value = arena_dup(arena, buf_view(scratch));
	if (!out->value.data) out->value = BYTES_LITERAL("");
	return STATUS_OK;
}

static size_t count_pieces(struct bytes query) {
	size_t count = 1;
	for (size_t i = 0; i < query.len; i++) count += query.data[i] == '&';
	return count;
}

enum status http_query_parse(struct http_query *out, struct arena *arena, struct bytes query, struct err *err) {
	*out = (struct http_query){0};
	const size_t pieces = count_pieces(query);
	if (pieces > HTTP_QUERY_ITEMS_MAX)
		return err_set(err, STATUS_LIMIT, "the query has more than %u parameters", HTTP_QUERY_ITEMS_MAX);
	out->items = arena_alloc(arena, pieces * sizeof *out->items);
	struct buf scratch;
	buf_init(&scratch, query.len + 1);
	enum status status = STATUS_OK;
	while (query.len && status == STATUS_OK) {
		bool ignored;
		const struct bytes piece = take_until(&query, '&', &ignored);
		if (piece.len) status = decode_item(&out->items[out->count++], arena, &scratch, piece, err);
	}
	buf_fini(&scratch);
	return status;
}

struct bytes http_query_get(const struct http_query *query, const char *name) {
	const struct bytes wanted = bytes_text(name);
	for (size_t i = 0; i < query->count; i++)
		if (bytes_equal(query->items[i].name, wanted)) return query->items[i].value;
	return (struct bytes){NULL, 0};
}

void http_origin_write(struct buf *out, bool is_tls, const char *address, uint16_t port) {
	const bool is_v6 = strchr(address, ':') != NULL;
	buf_printf(out, "%s://%s%s%s:%u", is_tls ? "https" : "http", is_v6 ? "[" : "", address, is_v6 ? "]" : "", port);
}
