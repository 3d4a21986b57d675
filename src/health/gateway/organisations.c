#include "health/gateway/organisations.h"

#include <stdio.h>

#include "codec/hex.h"

static bool is_blank(uint8_t c) {
	return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes trim(struct bytes text) {
	while (text.len && is_blank(text.data[0])) text = bytes_slice(text, 1, text.len);
	while (text.len && is_blank(text.data[text.len - 1])) text.len--;
	return text;
}

static bool begins(struct bytes text, const char *with) {
	return bytes_equal(bytes_slice(text, 0, strlen(with)), bytes_text(with));
}

static enum status take_hash(hash32 *out, struct bytes digits, struct err *err) {
	char text[67];
	if (digits.len == 64) {
		snprintf(text, sizeof text, "0x%.64s", (const char *)digits.data);
		if (hex_fixed(out->b, 32, bytes_text(text)) == STATUS_OK && !hash32_is_zero(out)) return STATUS_OK;
	}
	return err_set(err, STATUS_INVALID, "sha256: is followed by 64 hexadecimal digits");
}

static enum status parse_line(struct organisation *out, struct bytes line, struct err *err) {
	size_t len = 0;
	while (len < line.len && !is_blank(line.data[len])) len++;
	*out = (struct organisation){
	    .certificate = bytes_slice(line, 0, len), .name = trim(bytes_slice(line, len, line.len))};
	if (!out->name.len || out->name.len > ORGANISATION_NAME_MAX)
		return err_set(err, STATUS_INVALID,
		    "the line is: a certificate's name, an organisation of 1 to %u bytes", ORGANISATION_NAME_MAX);
	for (size_t i = 0; i < line.len; i++)
		if ((line.data[i] < ' ' && line.data[i] != '\t') || line.data[i] == 0x7f)
			return err_set(err, STATUS_INVALID, "the line has control characters");
	if (begins(out->certificate, "sha256:"))
		return take_hash(&out->sha256, bytes_slice(out->certificate, 7, out->certificate.len), err);
	if (begins(out->certificate, "DNS:") || begins(out->certificate, "URI:") || begins(out->certificate, "email:"))
		return STATUS_OK;
	return err_set(err, STATUS_INVALID, "a certificate's name begins with DNS:, URI:, email: or sha256:");
}

static enum status check_new(const struct organisation_table *table, const struct organisation *one, struct err *err) {
	if (table->count == ORGANISATIONS_MAX)
		return err_set(err, STATUS_LIMIT, "there are more than %u lines", ORGANISATIONS_MAX);
	for (size_t i = 0; i < table->count; i++)
		if (bytes_equal(table->list[i].certificate, one->certificate))
			return err_set(err, STATUS_INVALID, "the certificate is there twice");
	return STATUS_OK;
}

enum status organisations_parse(
    struct organisation_table *out, struct arena *arena, struct bytes text, struct err *err) {
	*out = (struct organisation_table){.list = arena_zalloc(arena, ORGANISATIONS_MAX, sizeof *out->list)};
	struct bytes rest = arena_dup(arena, text);
	for (unsigned number = 1; rest.len; number++) {
		const uint8_t *end = memchr(rest.data, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.data) : rest.len;
		struct bytes line = trim(bytes_slice(rest, 0, len));
		rest = bytes_slice(rest, len + 1, rest.len);
		if (!line.len || line.data[0] == '#') continue;
		struct organisation one;
		enum status status = parse_line(&one, line, err);
		if (status == STATUS_OK) status = check_new(out, &one, err);
		if (status != STATUS_OK) return err_prefix(err, status, "line %u", number);
		out->list[out->count++] = one;
	}
	return STATUS_OK;
}

static bool is_of(const struct organisation *one, const struct http_peer *peer) {
	if (!hash32_is_zero(&one->sha256)) return hash32_equal(&one->sha256, &peer->certificate_sha256);
	for (size_t i = 0; i < peer->name_count; i++)
		if (bytes_equal(peer->names[i], one->certificate)) return true;
	return false;
}

struct bytes organisation_find(const struct organisation_table *table, const struct http_peer *peer) {
	for (size_t i = 0; peer && peer->has_certificate && i < table->count; i++)
		if (is_of(&table->list[i], peer)) return table->list[i].name;
	return (struct bytes){NULL, 0};
}
