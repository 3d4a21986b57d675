#include "health/fhir/narrative.h"

#include <stdlib.h>

#define NAME_SPACE "http://www.w3.org/1999/xhtml"

/* Sorted. What HTML 4 has in its chapters 7 to 11, 13 (without frames), 15 and 9 (lists, tables, text). */
static const char *const elements[] = {"a", "abbr", "acronym", "address", "area", "b", "bdo", "big", "blockquote", "br",
    "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "font", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "label", "li", "map", "ol", "p", "pre", "q", "s",
    "samp", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "tt", "u", "ul", "var"};

struct reader {
	struct bytes text;
	size_t at;
	const char *why;
	struct bytes open[FHIR_NARRATIVE_DEPTH_MAX]; /* names of open elements */
	struct bytes ids[FHIR_NARRATIVE_IDS_MAX];
	uint32_t depth, id_count;
	bool has_content;
};

static bool refuse(struct reader *r, const char *why) {
	if (!r->why) r->why = why;
	return false;
}

static uint8_t peek(const struct reader *r) {
	return r->at < r->text.len ? r->text.data[r->at] : 0;
}

static bool take(struct reader *r, const char *text) {
	size_t len = strlen(text);
	if (!bytes_equal(bytes_slice(r->text, r->at, len), bytes_text(text))) return false;
	r->at += len;
	return true;
}

static bool is_space(uint8_t c) {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool skip_space(struct reader *r) {
	size_t from = r->at;
	while (is_space(peek(r))) r->at++;
	return r->at > from;
}

static bool is_name(uint8_t c) {
	return ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':' ||
	       c == '.' || c >= 0x80;
}

static struct bytes name(struct reader *r) {
	size_t from = r->at;
	while (is_name(peek(r))) r->at++;
	return bytes_slice(r->text, from, r->at - from);
}

static int compare(const void *key, const void *element) {
	return bytes_compare(*(const struct bytes *)key, bytes_text(*(const char *const *)element));
}

static bool is_element(struct bytes name) {
	return bsearch(&name, elements, sizeof elements / sizeof *elements, sizeof *elements, compare) != NULL;
}

/* Behind "&": one of XML's own entities, a number, or a space that does not break. */
static bool read_entity(struct reader *r) {
	static const char *const known[] = {"lt;", "gt;", "amp;", "quot;", "apos;", "nbsp;"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (take(r, known[i])) return true;
	if (!take(r, "#")) return refuse(r, "it has an entity that XML does not define");
	bool is_hex = take(r, "x");
	size_t from = r->at;
	while ((peek(r) >= '0' && peek(r) <= '9') || (is_hex && (peek(r) | 32) >= 'a' && (peek(r) | 32) <= 'f'))
		r->at++;
	return (r->at > from && take(r, ";")) || refuse(r, "it has a character reference without a number");
}

static bool is_event(struct bytes name) {
	return name.len > 2 && (name.data[0] | 32) == 'o' && (name.data[1] | 32) == 'n';
}

static bool begins_script(struct bytes value) {
	static const char script[] = "javascript:";
	size_t len = sizeof script - 1;
	while (value.len && is_space(value.data[0])) value = bytes_slice(value, 1, value.len);
	if (value.len < len) return false;
	for (size_t i = 0; i < len; i++)
		if ((value.data[i] | 32) != (uint8_t)(script[i] | 32)) return false;
	return true;
}

/* Each id names one element, so that links and narrativeLink lead somewhere. */
static bool keep_id(struct reader *r, struct bytes id) {
	for (uint32_t i = 0; i < r->id_count; i++)
		if (bytes_equal(r->ids[i], id)) return refuse(r, "two of its elements have one id");
	if (r->id_count < FHIR_NARRATIVE_IDS_MAX) r->ids[r->id_count++] = id;
	return true;
}

/* One attribute; `*has_name_space` becomes true for the right xmlns. */
static bool read_attribute(struct reader *r, bool *has_name_space) {
	struct bytes key = name(r);
	skip_space(r);
	if (!key.len || !take(r, "=")) return refuse(r, "it has an attribute without a value");
	skip_space(r);
	uint8_t quote = peek(r);
	if (quote != '"' && quote != '\'') return refuse(r, "it has an attribute whose value is not in quotes");
	size_t from = ++r->at;
	while (r->at < r->text.len && peek(r) != quote) {
		uint8_t c = r->text.data[r->at++];
		if (c == '<') return refuse(r, "it has a < in an attribute");
		if (c == '&' && !read_entity(r)) return false;
	}
	struct bytes value = bytes_slice(r->text, from, r->at - from);
	if (r->at++ >= r->text.len) return refuse(r, "it has an attribute without its end");
	if (is_event(key) || begins_script(value)) return refuse(r, "it has a script");
	if (bytes_equal(key, BYTES_LITERAL("id"))) return keep_id(r, value);
	if (bytes_equal(key, BYTES_LITERAL("xmlns"))) *has_name_space = bytes_equal(value, BYTES_LITERAL(NAME_SPACE));
	return true;
}

/* Behind "<" of an opening tag. */
static bool read_open(struct reader *r) {
	struct bytes element = name(r);
	bool is_root = r->depth == 0, has_name_space = false;
	if (!is_element(element)) return refuse(r, "it has an element that narratives do not have");
	if (is_root && !bytes_equal(element, BYTES_LITERAL("div"))) return refuse(r, "it is not a <div>");
	while (skip_space(r) && is_name(peek(r)))
		if (!read_attribute(r, &has_name_space)) return false;
	if (is_root && !has_name_space) return refuse(r, "its <div> is not of XHTML's name space");
	if (bytes_equal(element, BYTES_LITERAL("img"))) r->has_content = true;
	if (take(r, "/>")) return true;
	if (!take(r, ">")) return refuse(r, "it has a tag without its end");
	if (r->depth == FHIR_NARRATIVE_DEPTH_MAX) return refuse(r, "its elements are nested too deep");
	r->open[r->depth++] = element;
	return true;
}

/* Behind "</". */
static bool read_close(struct reader *r) {
	struct bytes element = name(r);
	skip_space(r);
	if (!r->depth || !bytes_equal(element, r->open[r->depth - 1]) || !take(r, ">"))
		return refuse(r, "it has an end tag that does not fit");
	r->depth--;
	return true;
}

static bool read_comment(struct reader *r) {
	const uint8_t *from = r->text.data + r->at, *end = memmem(from, r->text.len - r->at, "-->", 3);
	if (!end) return refuse(r, "it has a comment without its end");
	r->at += (size_t)(end - from) + 3;
	return true;
}

static bool read_part(struct reader *r) {
	if (take(r, "<!--")) return read_comment(r);
	if (take(r, "</")) return read_close(r);
	if (take(r, "<!") || take(r, "<?")) return refuse(r, "it has a declaration or a processing instruction");
	if (take(r, "<")) return read_open(r);
	uint8_t c = r->text.data[r->at++];
	if (c == '&' && !read_entity(r)) return false;
	if (!is_space(c)) r->has_content = true;
	return true;
}

bool fhir_narrative_check(struct bytes div, const char **why) {
	struct reader r = {.text = div};
	*why = NULL;
	skip_space(&r);
	bool is_good = peek(&r) == '<' || refuse(&r, "it is not a <div>");
	do is_good = is_good && r.at < r.text.len && read_part(&r);
	while (is_good && r.depth);
	if (is_good) skip_space(&r);
	if (!r.why && !is_good) refuse(&r, "it ends before its <div> does");
	if (!r.why && r.at < r.text.len) is_good = refuse(&r, "something stands behind its <div>");
	is_good = is_good && !r.why;
	if (is_good && !r.has_content) refuse(&r, "there is nothing to read in it");
	*why = r.why;
	return is_good;
}
