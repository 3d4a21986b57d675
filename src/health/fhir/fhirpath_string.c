/* Functions on strings. Positions and lengths count characters, not bytes. */
#include "health/fhir/fhirpath_functions.h"

#include "base/utf8.h"
#include "health/fhir/regex_tree.h"

/* The one string of the input; `*is_there` false if it is empty. */
static enum status input_text(
    struct fhirpath_run *run, const struct fhirpath_call *call, bool *is_there, struct bytes *out) {
	const struct fhirpath_value *value;
	TRY(fhirpath_single(run, call->in, &value));
	*is_there = value != NULL;
	if (!value) return STATUS_OK;
	if (!fhirpath_text_of(run, value, out) || value->kind == FHIRPATH_QUANTITY)
		return fhirpath_invalid(
		    run, "%s() on %s", call->tree->function->name, fhirpath_type_text(run->defs, value));
	return fhirpath_step(run, (uint32_t)(out->len / FHIRPATH_STEP_BYTES));
}

/* The input and the first argument, both strings. */
static enum status two_texts(struct fhirpath_run *run, const struct fhirpath_call *call, bool *are_there,
    struct bytes *text, struct bytes *argument) {
	bool has_argument;
	TRY(input_text(run, call, are_there, text));
	TRY(fhirpath_text_argument(run, call, 0, &has_argument, argument));
	*are_there &= has_argument;
	return STATUS_OK;
}

static size_t length_of(struct bytes text) {
	size_t count = 0;
	for (size_t at = 0; at < text.len; count++) regex_next(text, &at);
	return count;
}

/* The byte where the nth character begins; the length if there is none. */
static size_t offset_of(struct bytes text, uint64_t number) {
	size_t at = 0;
	while (number && at < text.len) {
		regex_next(text, &at);
		number--;
	}
	return at;
}

static const uint8_t *find(struct bytes text, struct bytes part) {
	if (!part.len) return text.data ? text.data : (const uint8_t *)"";
	return text.len < part.len ? NULL : memmem(text.data, text.len, part.data, part.len);
}

enum status fhirpath_fn_index_of(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text, part;
	bool are_there;
	TRY(two_texts(run, call, &are_there, &text, &part));
	if (!are_there) return STATUS_OK;
	const uint8_t *found = find(text, part);
	bool is_first = !part.len || found == text.data;
	int64_t index = !found     ? -1
			: is_first ? 0
				   : (int64_t)length_of(bytes_make(text.data, (size_t)(found - text.data)));
	fhirpath_push_integer(run, out, index);
	return STATUS_OK;
}

enum status fhirpath_fn_last_index_of(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text, part;
	bool are_there;
	int64_t index = -1;
	TRY(two_texts(run, call, &are_there, &text, &part));
	if (!are_there) return STATUS_OK;
	for (size_t at = text.len + 1; at-- > 0 && index < 0;)
		if (bytes_equal(bytes_slice(text, at, part.len), part))
			index = (int64_t)length_of(bytes_slice(text, 0, at));
	fhirpath_push_integer(run, out, index);
	return STATUS_OK;
}

enum status fhirpath_fn_substring(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text;
	bool is_there, has_start, has_length;
	int64_t start = 0, length = INT32_MAX;
	TRY(input_text(run, call, &is_there, &text));
	TRY(fhirpath_integer_argument(run, call, 0, &has_start, &start));
	TRY(fhirpath_integer_argument(run, call, 1, &has_length, &length));
	if (!is_there || !has_start || start < 0) return STATUS_OK;
	size_t from = offset_of(text, (uint64_t)start);
	if (from == text.len) return STATUS_OK;
	struct bytes rest = bytes_slice(text, from, text.len);
	fhirpath_push_text(run, out, bytes_slice(rest, 0, length < 0 ? 0 : offset_of(rest, (uint64_t)length)));
	return STATUS_OK;
}

enum status fhirpath_fn_starts_with(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text, part;
	bool are_there;
	TRY(two_texts(run, call, &are_there, &text, &part));
	if (are_there) fhirpath_push_bool(run, out, bytes_equal(bytes_slice(text, 0, part.len), part));
	return STATUS_OK;
}

enum status fhirpath_fn_ends_with(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text, part;
	bool are_there;
	TRY(two_texts(run, call, &are_there, &text, &part));
	bool fits = are_there && part.len <= text.len;
	if (are_there)
		fhirpath_push_bool(
		    run, out, fits && bytes_equal(bytes_slice(text, text.len - part.len, part.len), part));
	return STATUS_OK;
}

enum status fhirpath_fn_contains(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text, part;
	bool are_there;
	TRY(two_texts(run, call, &are_there, &text, &part));
	if (are_there) fhirpath_push_bool(run, out, find(text, part) != NULL);
	return STATUS_OK;
}

/* ASCII letters alone: what else has a case depends on a locale. */
static enum status recase(
    struct fhirpath_run *run, const struct fhirpath_call *call, char first, struct fhirpath_values *out) {
	struct bytes text;
	bool is_there;
	TRY(input_text(run, call, &is_there, &text));
	if (!is_there) return STATUS_OK;
	uint8_t *copy = arena_alloc(run->arena, text.len);
	for (size_t i = 0; i < text.len; i++) {
		bool is_other = text.data[i] >= (uint8_t)first && text.data[i] < (uint8_t)first + 26;
		copy[i] = is_other ? text.data[i] ^ 32 : text.data[i];
	}
	fhirpath_push_text(run, out, bytes_make(copy, text.len));
	return STATUS_OK;
}

enum status fhirpath_fn_upper(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return recase(run, call, 'a', out);
}

enum status fhirpath_fn_lower(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return recase(run, call, 'A', out);
}

enum status fhirpath_fn_trim(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text;
	bool is_there;
	TRY(input_text(run, call, &is_there, &text));
	while (is_there && text.len && strchr(" \t\r\n", text.data[0])) text = bytes_slice(text, 1, text.len);
	while (is_there && text.len && strchr(" \t\r\n", text.data[text.len - 1])) text.len--;
	if (is_there) fhirpath_push_text(run, out, text);
	return STATUS_OK;
}

enum status fhirpath_fn_length(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text;
	bool is_there;
	TRY(input_text(run, call, &is_there, &text));
	if (is_there) fhirpath_push_integer(run, out, (int64_t)length_of(text));
	return STATUS_OK;
}

enum status fhirpath_fn_to_chars(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text;
	bool is_there;
	TRY(input_text(run, call, &is_there, &text));
	for (size_t at = 0, from = 0; is_there && at < text.len; from = at) {
		TRY(fhirpath_step(run, 1));
		regex_next(text, &at);
		fhirpath_push_text(run, out, bytes_slice(text, from, at - from));
	}
	return STATUS_OK;
}

enum status fhirpath_fn_split(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text, part;
	bool are_there;
	TRY(two_texts(run, call, &are_there, &text, &part));
	while (are_there && part.len) {
		const uint8_t *found = find(text, part);
		TRY(fhirpath_step(run, 1));
		if (!found) break;
		size_t len = (size_t)(found - text.data);
		fhirpath_push_text(run, out, bytes_slice(text, 0, len));
		text = bytes_slice(text, len + part.len, text.len);
	}
	if (are_there) fhirpath_push_text(run, out, text);
	return STATUS_OK;
}

/* --- texts that grow --- */

/* Hands a grown text over to the arena, or refuses what outgrew it. */
static enum status push_grown(struct fhirpath_run *run, struct fhirpath_values *out, struct buf *text) {
	enum status status = fhirpath_step(run, (uint32_t)(text->len / FHIRPATH_STEP_BYTES));
	if (status == STATUS_OK) status = buf_status(text, run->err);
	if (status == STATUS_OK) fhirpath_push_text(run, out, arena_dup(run->arena, buf_view(text)));
	buf_fini(text);
	return status;
}

#define GROWN_MAX ((size_t)16 << 20)

enum status fhirpath_fn_join(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes between = {NULL, 0}, text;
	struct buf joined;
	bool is_there;
	TRY(fhirpath_text_argument(run, call, 0, &is_there, &between));
	if (!call->in->count) return STATUS_OK;
	buf_init(&joined, GROWN_MAX);
	for (uint32_t i = 0; i < call->in->count; i++) {
		struct fhirpath_value plain = fhirpath_plain(run->defs, &call->in->items[i]);
		if (i) buf_append(&joined, between);
		if (fhirpath_text_of(run, &plain, &text)) buf_append(&joined, text);
	}
	return push_grown(run, out, &joined);
}

enum status fhirpath_fn_replace(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes text, part, by;
	bool are_there, has_by;
	struct buf grown;
	TRY(two_texts(run, call, &are_there, &text, &part));
	TRY(fhirpath_text_argument(run, call, 1, &has_by, &by));
	if (!are_there || !has_by) return STATUS_OK;
	buf_init(&grown, GROWN_MAX);
	while (text.len) {
		size_t len = 0;
		if (!part.len) { /* before every character */
			buf_append(&grown, by);
			regex_next(text, &len);
		} else {
			const uint8_t *found = find(text, part);
			len = found ? (size_t)(found - text.data) : text.len;
		}
		buf_append(&grown, bytes_slice(text, 0, len));
		bool is_hit = part.len && len < text.len;
		if (is_hit) buf_append(&grown, by);
		text = bytes_slice(text, len + (is_hit ? part.len : 0), text.len);
	}
	if (!part.len) buf_append(&grown, by);
	return push_grown(run, out, &grown);
}

/* --- regular expressions --- */

/* Takes what a search needed from the steps of the evaluation. */
static void pay(struct fhirpath_run *run, uint64_t left) {
	uint32_t now = (uint32_t)(left / FHIRPATH_REGEX_STEPS);
	if (now < run->steps) run->steps = now;
}

/* The pattern: compiled with the expression if it is a literal, else now. NULL if it is empty. */
static enum status pattern_of(
    struct fhirpath_run *run, const struct fhirpath_call *call, bool is_full, const struct fhir_regex **out) {
	struct bytes pattern;
	bool is_there;
	*out = call->tree->regex;
	if (*out) return STATUS_OK;
	TRY(fhirpath_text_argument(run, call, 0, &is_there, &pattern));
	if (!is_there) return STATUS_OK;
	if (is_full)
		pattern =
		    bytes_text(arena_printf(run->arena, "^(?:%.*s)$", (int)pattern.len, (const char *)pattern.data));
	TRY(fhirpath_step(run, 1000));
	return fhir_regex_compile(out, run->arena, pattern, run->err);
}

static enum status matches(
    struct fhirpath_run *run, const struct fhirpath_call *call, bool is_full, struct fhirpath_values *out) {
	const struct fhir_regex *regex;
	struct bytes text;
	bool is_there, is_found;
	TRY(input_text(run, call, &is_there, &text));
	TRY(pattern_of(run, call, is_full, &regex));
	if (!is_there || !regex) return STATUS_OK;
	uint64_t steps = (uint64_t)run->steps * FHIRPATH_REGEX_STEPS;
	TRY(fhir_regex_has(&is_found, &steps, run->arena, regex, text, run->err));
	pay(run, steps);
	fhirpath_push_bool(run, out, is_found);
	return STATUS_OK;
}

enum status fhirpath_fn_matches(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return matches(run, call, false, out);
}

enum status fhirpath_fn_matches_full(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return matches(run, call, true, out);
}

/* "$1" and "${name}" of a replacement. */
static void put_replacement(struct buf *out, const struct fhir_regex *regex, const struct fhir_regex_match *match,
    struct bytes text, struct bytes by) {
	for (size_t i = 0; i < by.len; i++) {
		uint32_t group = FHIR_REGEX_GROUPS_MAX;
		struct bytes rest = bytes_slice(by, i + 1, by.len);
		if (by.data[i] == '$' && rest.len && rest.data[0] >= '0' && rest.data[0] <= '9') {
			group = (uint32_t)(rest.data[0] - '0');
			i++;
		} else if (by.data[i] == '$' && rest.len && rest.data[0] == '{') {
			const uint8_t *end = memchr(rest.data, '}', rest.len);
			if (end) {
				group = fhir_regex_group(regex, bytes_slice(rest, 1, (size_t)(end - rest.data) - 1));
				i += (size_t)(end - rest.data) + 1;
			}
		}
		if (group == FHIR_REGEX_GROUPS_MAX)
			buf_byte(out, by.data[i]);
		else if (match->from[group] != SIZE_MAX)
			buf_append(out, bytes_slice(text, match->from[group], match->to[group] - match->from[group]));
	}
}

enum status fhirpath_fn_replace_matches(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	const struct fhir_regex *regex;
	struct bytes text, by;
	bool is_there, has_by;
	struct buf grown;
	TRY(input_text(run, call, &is_there, &text));
	TRY(pattern_of(run, call, false, &regex));
	TRY(fhirpath_text_argument(run, call, 1, &has_by, &by));
	if (!is_there || !regex || !has_by) return STATUS_OK;
	buf_init(&grown, GROWN_MAX);
	enum status status = STATUS_OK;
	for (size_t at = 0; status == STATUS_OK && at <= text.len;) {
		struct fhir_regex_match match;
		status = fhirpath_step(run, 100);
		uint64_t steps = (uint64_t)run->steps * FHIRPATH_REGEX_STEPS;
		if (status == STATUS_OK)
			status = fhir_regex_search(&match, &steps, run->arena, regex, text, at, run->err);
		pay(run, steps);
		if (status != STATUS_OK) break;
		size_t from = match.is_found ? match.from[0] : text.len,
		       to = match.is_found ? match.to[0] : text.len + 1;
		buf_append(&grown, bytes_slice(text, at, from - at));
		if (match.is_found && to > from) put_replacement(&grown, regex, &match, text, by);
		at = to;
		if (match.is_found && to == from) { /* a match of nothing: one character goes on as it is */
			size_t next = to;
			if (next < text.len) regex_next(text, &next);
			buf_append(&grown, bytes_slice(text, to, next - to));
			at = next > to ? next : to + 1;
		}
	}
	if (status == STATUS_OK) return push_grown(run, out, &grown);
	buf_fini(&grown);
	return status;
}

/* --- encodings --- */

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static void encode64(struct buf *out, struct bytes text, const char *alphabet) {
	for (size_t i = 0; i < text.len; i += 3) {
		size_t left = text.len - i;
		uint32_t group = (uint32_t)text.data[i] << 16 | (left > 1 ? (uint32_t)text.data[i + 1] << 8 : 0) |
				 (left > 2 ? text.data[i + 2] : 0u);
		for (size_t j = 0; j < 4; j++)
			buf_byte(out, j <= left ? (uint8_t)alphabet[group >> (18 - 6 * j) & 63] : '=');
	}
}

static bool decode64(struct buf *out, struct bytes text, const char *alphabet) {
	uint32_t group = 0, count = 0;
	while (text.len && text.data[text.len - 1] == '=') text.len--;
	for (size_t i = 0; i < text.len; i++) {
		const char *found = text.data[i] ? strchr(alphabet, text.data[i]) : NULL;
		if (!found) return false;
		group = group << 6 | (uint32_t)(found - alphabet);
		if (++count % 4) continue;
		for (int shift = 16; shift >= 0; shift -= 8) buf_byte(out, (uint8_t)(group >> shift));
		group = 0;
	}
	if (count % 4 == 1) return false;
	if (count % 4) group <<= 6 * (4 - count % 4);
	for (uint32_t i = 1; i < count % 4; i++) buf_byte(out, (uint8_t)(group >> (24 - 8 * i)));
	return true;
}

static bool decode_hex(struct buf *out, struct bytes text) {
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i], letter = c | 32;
		int digit = c >= '0' && c <= '9' ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
		if (digit < 0) return false;
		if (i % 2)
			out->data[out->len - 1] = (uint8_t)(out->data[out->len - 1] << 4 | digit);
		else
			buf_byte(out, (uint8_t)digit);
	}
	return text.len % 2 == 0;
}

static enum status recode(
    struct fhirpath_run *run, const struct fhirpath_call *call, bool is_encoding, struct fhirpath_values *out) {
	struct bytes text, name;
	bool are_there, is_good = true;
	struct buf grown;
	TRY(two_texts(run, call, &are_there, &text, &name));
	if (!are_there) return STATUS_OK;
	bool is_hex = bytes_equal(name, BYTES_LITERAL("hex")), is_url = bytes_equal(name, BYTES_LITERAL("urlbase64"));
	if (!is_hex && !is_url && !bytes_equal(name, BYTES_LITERAL("base64"))) return STATUS_OK;
	const char *alphabet = is_url ? BASE64 "-_" : BASE64 "+/";
	buf_init(&grown, GROWN_MAX);
	if (is_encoding && is_hex)
		for (size_t i = 0; i < text.len; i++) buf_printf(&grown, "%02x", text.data[i]);
	else if (is_encoding)
		encode64(&grown, text, alphabet);
	else
		is_good = is_hex ? decode_hex(&grown, text) : decode64(&grown, text, alphabet);
	if (is_good && utf8_is_valid(buf_view(&grown))) return push_grown(run, out, &grown);
	buf_fini(&grown);
	return STATUS_OK;
}

enum status fhirpath_fn_encode(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return recode(run, call, true, out);
}

enum status fhirpath_fn_decode(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return recode(run, call, false, out);
}

static const struct {
	const char *target, *plain, *escaped;
} escapes[] = {{"html", "&", "&amp;"}, {"html", "<", "&lt;"}, {"html", ">", "&gt;"}, {"html", "\"", "&quot;"},
    {"html", "'", "&#39;"}, {"json", "\\", "\\\\"}, {"json", "\"", "\\\""}, {"json", "\n", "\\n"},
    {"json", "\r", "\\r"}, {"json", "\t", "\\t"}};

static enum status reescape(
    struct fhirpath_run *run, const struct fhirpath_call *call, bool is_escaping, struct fhirpath_values *out) {
	struct bytes text, target;
	bool are_there;
	struct buf grown;
	TRY(two_texts(run, call, &are_there, &text, &target));
	if (!are_there) return STATUS_OK;
	buf_init(&grown, GROWN_MAX);
	while (text.len) {
		const char *to = NULL;
		size_t len = 1;
		for (size_t i = 0; !to && i < sizeof escapes / sizeof *escapes; i++) {
			const char *from = is_escaping ? escapes[i].plain : escapes[i].escaped;
			bool fits = bytes_equal(target, bytes_text(escapes[i].target)) &&
				    bytes_equal(bytes_slice(text, 0, strlen(from)), bytes_text(from));
			if (!fits) continue;
			to = is_escaping ? escapes[i].escaped : escapes[i].plain;
			len = strlen(from);
		}
		buf_append(&grown, to ? bytes_text(to) : bytes_slice(text, 0, 1));
		text = bytes_slice(text, len, text.len);
	}
	return push_grown(run, out, &grown);
}

enum status fhirpath_fn_escape(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return reescape(run, call, true, out);
}

enum status fhirpath_fn_unescape(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return reescape(run, call, false, out);
}
