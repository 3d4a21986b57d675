#include "health/gateway/tokens.h"

#include <stdio.h>
#include <strings.h>

#include "codec/hex.h"
#include "crypto/hash.h"

#define SCHEME_LEN 7u /* "Bearer " */
#define TOKEN_PREFIX "xinglin_"

static const struct {
	const char *name;
	unsigned right;
} rights[] = {{"read", TOKEN_READ}, {"write", TOKEN_WRITE}, {"metrics", TOKEN_METRICS}, {"all", TOKEN_ALL}};
#define RIGHTS_COUNT (sizeof rights / sizeof *rights)

enum status token_rights_parse(unsigned *out, struct bytes text, struct err *err) {
	*out = 0;
	while (text.len) {
		size_t len = 0, i = 0;
		while (len < text.len && text.data[len] != ',') len++;
		while (i < RIGHTS_COUNT && !bytes_equal(bytes_slice(text, 0, len), bytes_text(rights[i].name))) i++;
		if (i == RIGHTS_COUNT)
			return err_set(err, STATUS_INVALID,
			    "rights are read, write, metrics or all, with commas between, not \"%.*s\"",
			    (int)(len < 32 ? len : 32), (const char *)text.data);
		*out |= rights[i].right;
		text = bytes_slice(text, len + 1, text.len);
	}
	return *out ? STATUS_OK : err_set(err, STATUS_INVALID, "a token has at least one right");
}

bool token_name_is_valid(struct bytes name) {
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.') return false;
	}
	return name.len > 0 && name.len <= TOKEN_NAME_MAX;
}

/* --- the file --- */

static struct bytes take_word(struct bytes *line) {
	size_t start = 0, end;
	while (start < line->len && (line->data[start] == ' ' || line->data[start] == '\t')) start++;
	for (end = start; end < line->len && line->data[end] != ' ' && line->data[end] != '\t';) end++;
	struct bytes word = bytes_slice(*line, start, end - start);
	*line = bytes_slice(*line, end, line->len);
	return word;
}

static bool take_hash(hash32 *out, struct bytes digits) {
	char text[67] = "0x";
	if (digits.len != 64) return false;
	memcpy(text + 2, digits.data, 64);
	return hex_fixed(out->b, 32, bytes_text(text)) == STATUS_OK;
}

static enum status parse_line(struct token *out, struct bytes line, struct err *err) {
	struct bytes name = take_word(&line), rights_text = take_word(&line), hash = take_word(&line);
	if (!token_name_is_valid(name))
		return err_set(
		    err, STATUS_INVALID, "a name has 1 to %u letters, digits, '-', '_' or '.'", TOKEN_NAME_MAX);
	memcpy(out->name, name.data, name.len);
	out->name[name.len] = 0;
	TRY(token_rights_parse(&out->rights, rights_text, err));
	if (take_word(&line).len || !take_hash(&out->hash, hash))
		return err_set(err, STATUS_INVALID, "the line is: name, rights, 64 hexadecimal digits");
	return STATUS_OK;
}

static enum status check_new(const struct token_table *table, const struct token *token, struct err *err) {
	if (table->count == TOKENS_MAX) return err_set(err, STATUS_LIMIT, "there are more than %u tokens", TOKENS_MAX);
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->list[i].name, token->name) == 0)
			return err_set(err, STATUS_INVALID, "the name %s is there twice", token->name);
		if (hash32_equal(&table->list[i].hash, &token->hash))
			return err_set(err, STATUS_INVALID, "the token of %s is there twice", token->name);
	}
	return STATUS_OK;
}

enum status tokens_parse(struct token_table *out, struct arena *arena, struct bytes text, struct err *err) {
	*out = (struct token_table){.list = arena_zalloc(arena, TOKENS_MAX, sizeof *out->list)};
	for (unsigned number = 1; text.len; number++) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t len = end ? (size_t)(end - text.data) : text.len;
		struct bytes line = bytes_slice(text, 0, len), rest = line;
		text = bytes_slice(text, len + 1, text.len);
		struct bytes first = take_word(&rest);
		if (first.len == 0 || first.data[0] == '#') continue;
		struct token token = {.rights = 0};
		enum status status = parse_line(&token, line, err);
		if (status == STATUS_OK) status = check_new(out, &token, err);
		if (status != STATUS_OK) return err_prefix(err, status, "line %u", number);
		out->list[out->count++] = token;
	}
	return STATUS_OK;
}

/* --- presenting one --- */

const struct token *tokens_find(const struct token_table *table, struct bytes authorization) {
	if (authorization.len <= SCHEME_LEN || authorization.len > SCHEME_LEN + TOKEN_TEXT_MAX) return NULL;
	if (strncasecmp((const char *)authorization.data, "Bearer ", SCHEME_LEN) != 0) return NULL;
	hash32 hash = sha256(bytes_slice(authorization, SCHEME_LEN, authorization.len));
	const struct token *found = NULL;
	for (size_t i = 0; i < table->count; i++) /* of a hash, so that the time shows nothing of a token */
		if (hash32_equal(&table->list[i].hash, &hash)) found = &table->list[i];
	return found;
}

void token_make(
    char text[TOKEN_TEXT_MAX], struct buf *line, const char *name, unsigned mask, const struct random_source *random) {
	uint8_t secret[32];
	struct buf out;
	random_fill(random, secret, sizeof secret);
	buf_init(&out, TOKEN_TEXT_MAX);
	buf_text(&out, TOKEN_PREFIX);
	base64url_put(&out, bytes_make(secret, sizeof secret));
	snprintf(text, TOKEN_TEXT_MAX, "%s", buf_cstr(&out));
	hash32 hash = sha256(bytes_text(text));
	buf_printf(line, "%s ", name);
	const char *before = "";
	for (size_t i = 0; i < RIGHTS_COUNT; i++) {
		bool is_all = rights[i].right == TOKEN_ALL;
		if (is_all ? mask != TOKEN_ALL : mask == TOKEN_ALL || !(mask & rights[i].right)) continue;
		buf_printf(line, "%s%s", before, rights[i].name);
		before = ",";
	}
	buf_byte(line, ' ');
	hex_put(line, BYTES_OF(hash), false);
	buf_byte(line, '\n');
	buf_wipe(&out);
	mem_wipe(secret, sizeof secret);
}
