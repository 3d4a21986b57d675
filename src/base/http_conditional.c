#include "base/http_conditional.h"

#include "base/http_reply.h"

#include <stdio.h>
#include <strings.h>

static bool is_blank(uint8_t c) {
	return c == ' ' || c == '\t';
}

static struct bytes trim(struct bytes text) {
	while (text.len && is_blank(text.data[0])) text = bytes_slice(text, 1, text.len);
	while (text.len && is_blank(text.data[text.len - 1])) text.len--;
	return text;
}

/* The text before the first `end`, which goes with it. */
static struct bytes take_until(struct bytes *text, char end) {
	const uint8_t *at = text->len ? memchr(text->data, end, text->len) : NULL;
	const struct bytes part = bytes_slice(*text, 0, at ? (size_t)(at - text->data) : text->len);
	*text = bytes_slice(*text, part.len + 1, text->len);
	return part;
}

static bool is_word(struct bytes text, const char *word) {
	return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

/* --- entity tags --- */

static bool is_weak(struct bytes tag) {
	return tag.len >= 2 && tag.data[0] == 'W' && tag.data[1] == '/';
}

/* The bytes of the entity tag that the list begins with; 0: it is malformed. */
static size_t tag_len(struct bytes list) {
	size_t at = is_weak(list) ? 2 : 0;
	if (at == list.len || list.data[at] != '"') return 0;
	for (at++; at < list.len; at++) {
		const uint8_t c = list.data[at];
		if (c == '"') return at + 1;
		if (c <= ' ' || c == 0x7f) return 0;
	}
	return 0;
}

static bool tags_match(struct bytes a, struct bytes b, bool is_strong) {
	if (is_strong && (is_weak(a) || is_weak(b))) return false;
	return bytes_equal(bytes_slice(a, is_weak(a) ? 2 : 0, a.len), bytes_slice(b, is_weak(b) ? 2 : 0, b.len));
}

bool http_etag_listed(struct bytes list, const char *etag, bool is_strong) {
	bool found = false;
	if (!etag) return false;
	list = trim(list);
	if (bytes_equal(list, BYTES_LITERAL("*"))) return true;
	while (list.len) {
		const size_t len = tag_len(list);
		if (len == 0) return false;
		found |= tags_match(bytes_slice(list, 0, len), bytes_text(etag), is_strong);
		list = trim(bytes_slice(list, len, list.len));
		if (list.len && list.data[0] != ',') return false;
		while (list.len && (list.data[0] == ',' || is_blank(list.data[0])))
			list = bytes_slice(list, 1, list.len);
	}
	return found;
}

enum http_precondition http_precondition_of(const struct http_request *request, const char *etag) {
	const struct bytes match = http_header_get(request, "if-match");
	const struct bytes none_match = http_header_get(request, "if-none-match");
	const bool only_reads = request->method == HTTP_GET || request->method == HTTP_HEAD;
	if (match.data && !http_etag_listed(match, etag, true)) return HTTP_PRECONDITION_FAILED;
	if (!none_match.data || !http_etag_listed(none_match, etag, false)) return HTTP_PRECONDITION_MET;
	return only_reads ? HTTP_PRECONDITION_NOT_MODIFIED : HTTP_PRECONDITION_FAILED;
}

/* --- dates --- */

/* Two or four digits; -1: they are none. */
static int digits_at(struct bytes text, size_t at, size_t count) {
	int value = 0;
	for (size_t i = at; i < at + count; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') return -1;
		value = value * 10 + (text.data[i] - '0');
	}
	return value;
}

static int month_at(struct bytes text, size_t at) {
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	for (int i = 0; i < 12; i++)
		if (memcmp(months + 3 * i, text.data + at, 3) == 0) return i + 1;
	return -1;
}

/* Of the proleptic Gregorian calendar, since 1970-01-01. */
static int64_t days_of(int year, int month, int day) {
	const int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
	const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", in seconds since 1970; false: it is no such date. */
static bool read_date(int64_t *out, struct bytes text) {
	if (text.len != 29 || memcmp(text.data + 3, ", ", 2) != 0 || memcmp(text.data + 25, " GMT", 4) != 0)
		return false;
	if (text.data[7] != ' ' || text.data[11] != ' ' || text.data[16] != ' ') return false;
	if (text.data[19] != ':' || text.data[22] != ':') return false;
	const int day = digits_at(text, 5, 2), month = month_at(text, 8), year = digits_at(text, 12, 4);
	const int hour = digits_at(text, 17, 2), minute = digits_at(text, 20, 2), second = digits_at(text, 23, 2);
	if (day < 1 || day > 31 || month < 0 || year < 0) return false;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false;
	*out = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
}

bool http_is_unmodified(const struct http_request *request, int64_t at_ms) {
	int64_t since;
	if (request->method != HTTP_GET && request->method != HTTP_HEAD) return false;
	if (http_header_get(request, "if-none-match").data) return false;
	return read_date(&since, trim(http_header_get(request, "if-modified-since"))) && at_ms / 1000 <= since;
}

/* --- ranges --- */

/* Digits alone; more than 64 bits count as the most that they hold. */
static bool read_number(uint64_t *out, struct bytes digits) {
	*out = 0;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9') return false;
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(digits.data[i] - '0'), out))
			*out = UINT64_MAX;
		if (*out == UINT64_MAX) break;
	}
	for (size_t i = 0; i < digits.len; i++)
		if (digits.data[i] < '0' || digits.data[i] > '9') return false;
	return digits.len > 0;
}

/* "first-last", "first-" or "-count", of which one stands in the field. */
static struct http_range read_range(struct bytes text, uint64_t size) {
	const struct http_range whole = {HTTP_RANGE_WHOLE, 0, size, size}, none = {HTTP_RANGE_NONE, 0, 0, size};
	uint64_t first, last = UINT64_MAX;
	if (!text.len || !memchr(text.data, '-', text.len)) return whole;
	const struct bytes left = take_until(&text, '-');
	if (left.len == 0) {
		uint64_t count;
		if (!read_number(&count, text)) return whole;
		if (count == 0 || size == 0) return none;
		if (count > size) count = size;
		return (struct http_range){HTTP_RANGE_PART, size - count, count, size};
	}
	if (!read_number(&first, left) || (text.len && !read_number(&last, text)) || last < first) return whole;
	if (first >= size) return none;
	if (last >= size) last = size - 1;
	return (struct http_range){HTTP_RANGE_PART, first, last - first + 1, size};
}

struct http_range http_range_of(const struct http_request *request, const char *etag, uint64_t size) {
	const struct http_range whole = {HTTP_RANGE_WHOLE, 0, size, size};
	struct bytes range = http_header_get(request, "range");
	const struct bytes condition = http_header_get(request, "if-range");
	if (request->method != HTTP_GET || !range.data) return whole;
	if (condition.data && !(etag && tags_match(condition, bytes_text(etag), true))) return whole;
	if (!memchr(range.data, '=', range.len) || !is_word(take_until(&range, '='), "bytes")) return whole;
	return read_range(trim(range), size);
}

void http_put_content_range(struct http_response *response, const struct http_range *range) {
	const unsigned long long first = range->first, len = range->len, size = range->size;
	if (range->kind == HTTP_RANGE_PART)
		http_put_header(response, "Content-Range", "bytes %llu-%llu/%llu", first, first + len - 1, size);
	if (range->kind == HTTP_RANGE_NONE) http_put_header(response, "Content-Range", "bytes */%llu", size);
}

/* --- content codings --- */

#define WEIGHT_MAX 1000
#define NOT_NAMED (-1)

/* Of "q=0.5", in thousandths; what is malformed forbids. */
static int weight_of(struct bytes parameters) {
	if (!parameters.len) return WEIGHT_MAX;
	struct bytes weight = parameters;
	if (!is_word(trim(take_until(&weight, '=')), "q")) return 0;
	weight = trim(weight);
	if (weight.len == 0 || weight.len > 5 || (weight.data[0] != '0' && weight.data[0] != '1')) return 0;
	if (weight.len > 1 && weight.data[1] != '.') return 0;
	int sum = (weight.data[0] - '0') * WEIGHT_MAX, place = WEIGHT_MAX / 10;
	for (size_t i = 2; i < weight.len; i++, place /= 10) {
		if (weight.data[i] < '0' || weight.data[i] > '9') return 0;
		sum += (weight.data[i] - '0') * place;
	}
	return sum <= WEIGHT_MAX ? sum : 0;
}

static bool is_gzip(struct bytes name) {
	return is_word(name, "gzip") || is_word(name, "x-gzip");
}

struct weights {
	int gzip, identity, others;
};

static void read_codings(struct weights *weights, struct bytes list) {
	while (list.len) {
		struct bytes parameters = take_until(&list, ',');
		const struct bytes name = trim(take_until(&parameters, ';'));
		const int weight = weight_of(trim(parameters));
		if (is_gzip(name)) weights->gzip = weight;
		if (is_word(name, "identity")) weights->identity = weight;
		if (is_word(name, "*")) weights->others = weight;
	}
}

struct http_codings http_codings_of(const struct http_request *request) {
	struct weights weights = {NOT_NAMED, NOT_NAMED, NOT_NAMED};
	for (size_t i = 0; i < request->header_count; i++)
		if (bytes_equal(request->headers[i].name, BYTES_LITERAL("accept-encoding")))
			read_codings(&weights, request->headers[i].value);
	if (weights.gzip == NOT_NAMED) weights.gzip = weights.others;
	return (struct http_codings){.gzip = weights.gzip > 0 && weights.gzip >= weights.identity,
	    .identity = weights.identity == NOT_NAMED ? weights.others != 0 : weights.identity > 0};
}

enum http_body_coding http_body_coding_of(const struct http_request *request) {
	const struct bytes coding = http_header_get(request, "content-encoding");
	if (!coding.data || is_word(coding, "identity")) return HTTP_BODY_PLAIN;
	return is_gzip(coding) ? HTTP_BODY_GZIP : HTTP_BODY_OTHER;
}
