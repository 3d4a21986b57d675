#include "health/fhir/fhirpath_tree.h"

#include "base/utf8.h"

static enum status refused(const struct fhirpath_lexer *lexer, const char *what) {
	return err_set(lexer->err, STATUS_INVALID, "FHIRPath: %s at byte %zu", what, lexer->at);
}

static uint8_t at(const struct fhirpath_lexer *lexer, size_t ahead) {
	return lexer->at + ahead < lexer->text.len ? lexer->text.data[lexer->at + ahead] : 0;
}

static bool is_digit(uint8_t c) {
	return c >= '0' && c <= '9';
}

static bool is_name(uint8_t c) {
	return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

/* White space and comments. */
static enum status skip_space(struct fhirpath_lexer *lexer) {
	for (;;) {
		uint8_t c = at(lexer, 0);
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			lexer->at++;
		} else if (c == '/' && at(lexer, 1) == '/') {
			while (lexer->at < lexer->text.len && at(lexer, 0) != '\n') lexer->at++;
		} else if (c == '/' && at(lexer, 1) == '*') {
			const uint8_t *from = lexer->text.data + lexer->at + 2;
			const uint8_t *end = memmem(from, lexer->text.len - lexer->at - 2, "*/", 2);
			if (!end) return refused(lexer, "a comment without its end");
			lexer->at = (size_t)(end - lexer->text.data) + 2;
		} else {
			return STATUS_OK;
		}
	}
}

/* Behind "\u": four digits. */
static enum status unicode(struct fhirpath_lexer *lexer, struct buf *out) {
	uint32_t value = 0;
	for (int i = 0; i < 4; i++) {
		uint8_t c = at(lexer, 0), lower = c | 32;
		if (!is_digit(c) && (lower < 'a' || lower > 'f'))
			return refused(lexer, "four hexadecimal digits are missing");
		value = value << 4 | (uint32_t)(is_digit(c) ? c - '0' : lower - 'a' + 10);
		lexer->at++;
	}
	uint8_t bytes[4];
	bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
	buf_append(out, bytes_make(bytes, utf8_encode(bytes, is_surrogate ? 0xfffd : value)));
	return STATUS_OK;
}

static enum status escape(struct fhirpath_lexer *lexer, struct buf *out) {
	static const char letters[] = "rntf", meant[] = "\r\n\t\f";
	uint8_t c = at(lexer, 0);
	if (!c) return refused(lexer, "a text without its end");
	lexer->at++;
	if (c == 'u') return unicode(lexer, out);
	const char *found = strchr(letters, c);
	/* Any other character stands for itself, as patterns of the specification need ("\-"). */
	buf_byte(out, found ? (uint8_t)meant[found - letters] : c);
	return STATUS_OK;
}

/* A text in quotes, the first of which is next. */
static enum status quoted(struct fhirpath_lexer *lexer, struct bytes *out) {
	uint8_t quote = at(lexer, 0);
	struct buf text;
	enum status status = STATUS_OK;
	lexer->at++;
	buf_init(&text, FHIRPATH_TEXT_MAX * 4);
	while (status == STATUS_OK && lexer->at < lexer->text.len && at(lexer, 0) != quote) {
		uint8_t c = lexer->text.data[lexer->at++];
		if (c == '\\')
			status = escape(lexer, &text);
		else
			buf_byte(&text, c);
	}
	if (status == STATUS_OK && at(lexer, 0) != quote) status = refused(lexer, "a text without its end");
	lexer->at++;
	if (status == STATUS_OK) *out = arena_dup(lexer->arena, buf_view(&text));
	buf_fini(&text);
	return status;
}

/* @2015-02-04T14:34:28Z, @T14:34 */
static enum status temporal(struct fhirpath_lexer *lexer, struct fhirpath_word *out) {
	lexer->at++;
	bool is_time = at(lexer, 0) == 'T';
	lexer->at += is_time;
	size_t from = lexer->at;
	for (;;) {
		uint8_t c = at(lexer, 0);
		bool is_fraction = c == '.' && is_digit(at(lexer, 1));
		if (!is_digit(c) && c != '-' && c != ':' && c != 'T' && c != 'Z' && c != '+' && !is_fraction) break;
		bool ends_zone = c == '+' || c == '-';
		if (ends_zone && !is_digit(at(lexer, 1))) break;
		lexer->at++;
		if (c == 'Z') break;
	}
	struct bytes text = bytes_slice(lexer->text, from, lexer->at - from);
	out->kind = FHIRPATH_WORD_TEMPORAL;
	if (!fhir_temporal_read(&out->temporal, text, is_time)) return refused(lexer, "a date or time that cannot be");
	return STATUS_OK;
}

static void name(struct fhirpath_lexer *lexer, struct fhirpath_word *out) {
	size_t from = lexer->at;
	while (is_name(at(lexer, 0))) lexer->at++;
	out->text = bytes_slice(lexer->text, from, lexer->at - from);
}

static void number(struct fhirpath_lexer *lexer, struct fhirpath_word *out) {
	size_t from = lexer->at;
	while (is_digit(at(lexer, 0))) lexer->at++;
	if (at(lexer, 0) == '.' && is_digit(at(lexer, 1))) {
		lexer->at++;
		while (is_digit(at(lexer, 0))) lexer->at++;
	}
	out->kind = FHIRPATH_WORD_NUMBER;
	out->text = bytes_slice(lexer->text, from, lexer->at - from);
}

/* Behind "%": a name, with parts between hyphens, or one in quotes. */
static enum status constant(struct fhirpath_lexer *lexer, struct fhirpath_word *out) {
	lexer->at++;
	out->kind = FHIRPATH_WORD_CONSTANT;
	if (at(lexer, 0) == '`' || at(lexer, 0) == '\'' || at(lexer, 0) == '"') return quoted(lexer, &out->text);
	size_t from = lexer->at;
	while (is_name(at(lexer, 0)) || (at(lexer, 0) == '-' && is_name(at(lexer, 1)))) lexer->at++;
	out->text = bytes_slice(lexer->text, from, lexer->at - from);
	return out->text.len ? STATUS_OK : refused(lexer, "a constant without a name");
}

static enum status sign(struct fhirpath_lexer *lexer, struct fhirpath_word *out) {
	static const char two[][3] = {"<=", ">=", "!=", "!~"};
	static const char one[] = ".,()[]{}+-*/&|=~<>";
	struct bytes rest = bytes_slice(lexer->text, lexer->at, 2);
	size_t len = 0;
	for (size_t i = 0; i < sizeof two / sizeof *two; i++)
		if (bytes_equal(rest, bytes_text(two[i]))) len = 2;
	if (!len && rest.data[0] && strchr(one, rest.data[0])) len = 1;
	if (!len) return refused(lexer, "a character that no expression has");
	out->kind = FHIRPATH_WORD_SIGN;
	out->text = bytes_slice(rest, 0, len);
	lexer->at += len;
	return STATUS_OK;
}

enum status fhirpath_next_word(struct fhirpath_lexer *lexer, struct fhirpath_word *out) {
	TRY(skip_space(lexer));
	*out = (struct fhirpath_word){.kind = FHIRPATH_WORD_END, .at = lexer->at};
	if (lexer->at == lexer->text.len) return STATUS_OK;
	uint8_t c = at(lexer, 0);
	if (c == '\'' || c == '`' || c == '"') {
		/* R4's draft of FHIRPath delimited identifiers by double quotes; strings of old expressions have them
		 * too. */
		out->kind = c == '\'' ? FHIRPATH_WORD_STRING : FHIRPATH_WORD_DELIMITED;
		return quoted(lexer, &out->text);
	}
	if (c == '@') return temporal(lexer, out);
	if (c == '%') return constant(lexer, out);
	if (is_digit(c)) {
		number(lexer, out);
		return STATUS_OK;
	}
	if (is_name(c) || (c == '$' && is_name(at(lexer, 1)))) {
		lexer->at += c == '$';
		out->kind = c == '$' ? FHIRPATH_WORD_VARIABLE : FHIRPATH_WORD_NAME;
		name(lexer, out);
		return STATUS_OK;
	}
	return sign(lexer, out);
}
