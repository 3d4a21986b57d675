/* Scans: which form it is, element strings, bracketed AIs, plain digits; and what they mean for medicines. */
#include "health/gs1/scan.h"

#include <stdarg.h>
#include <stdio.h>

#define GS 0x1d

const char *scan_fault_name(enum scan_fault fault) {
	static const char *const names[] = {
#define SCAN_FAULT_NAME(name, text) text,
	    SCAN_FAULTS(SCAN_FAULT_NAME)
#undef SCAN_FAULT_NAME
	};
	return names[fault];
}

bool scan_fail(struct scan *scan, enum scan_fault fault, const char *format, ...) {
	va_list args;
	scan->fault = fault;
	va_start(args, format);
	vsnprintf(scan->advice, sizeof scan->advice, format, args);
	va_end(args);
	return false;
}

const struct scan_element *scan_element(const struct scan *scan, const char *ai) {
	for (size_t i = 0; i < scan->element_count; i++)
		if (strcmp(scan->elements[i].ai, ai) == 0) return &scan->elements[i];
	return NULL;
}

static bool fail_value(struct scan *scan, const struct gs1_ai *ai, struct bytes value, const char *why) {
	if (strstr(why, "check digit"))
		return scan_fail(scan, SCAN_FAULT_CHECK_DIGIT,
		    "the check digit of (%s) %.*s is wrong: scan again, or compare the printed digits", ai->ai,
		    (int)(value.len < 40 ? value.len : 40), (const char *)value.data);
	if (strstr(why, "date")) return scan_fail(scan, SCAN_FAULT_BAD_DATE, "(%s) holds %s", ai->ai, why);
	if (!ai->predefined && strstr(why, "too many"))
		return scan_fail(scan, SCAN_FAULT_MISSING_SEPARATOR,
		    "the value of (%s) runs on too long: the scanner drops the separator (FNC1, GS, 0x1d) behind it; "
		    "set it to send GS",
		    ai->ai);
	return scan_fail(scan, SCAN_FAULT_BAD_VALUE, "(%s) has %s", ai->ai, why);
}

bool scan_add(struct scan *scan, const struct gs1_ai *ai, struct bytes value) {
	const char *why = gs1_value_fault(ai, value);
	if (why) return fail_value(scan, ai, value, why);
	const struct scan_element *old = scan_element(scan, ai->ai);
	if (old && !bytes_equal(value, bytes_make(old->value, old->value_len)))
		return scan_fail(scan, SCAN_FAULT_REPEATED, "(%s) stands twice with different values", ai->ai);
	if (old) return true;
	if (scan->element_count == SCAN_ELEMENTS_MAX || value.len >= sizeof scan->elements[0].value)
		return scan_fail(scan, SCAN_FAULT_TOO_LONG, "more than %u elements", SCAN_ELEMENTS_MAX);
	struct scan_element *element = &scan->elements[scan->element_count++];
	*element = (struct scan_element){.value_len = (uint8_t)value.len};
	memcpy(element->ai, ai->ai, strlen(ai->ai));
	memcpy(element->value, value.data, value.len);
	return true;
}

/* --- element strings --- */

static size_t up_to_separator(struct bytes text) {
	size_t len = 0;
	while (len < text.len && text.data[len] != GS) len++;
	return len;
}

static bool element_string(struct scan *scan, struct bytes text) {
	if (text.len && text.data[0] == GS) text = bytes_slice(text, 1, text.len);
	if (!text.len) return scan_fail(scan, SCAN_FAULT_EMPTY, "there is nothing in this code");
	while (text.len) {
		const struct gs1_ai *ai = gs1_ai_at(text);
		if (!ai && text.data[0] == GS)
			return scan_fail(scan, SCAN_FAULT_BAD_VALUE, "two separators follow one another");
		if (!ai)
			return scan_fail(scan, scan->element_count ? SCAN_FAULT_UNKNOWN_AI : SCAN_FAULT_NOT_GS1,
			    "\"%.*s\" begins no GS1 element%s", (int)(text.len < 8 ? text.len : 8),
			    (const char *)text.data, scan->element_count ? ": is a separator missing before it?" : "");
		text = bytes_slice(text, strlen(ai->ai), text.len);
		size_t least, most, len = up_to_separator(text);
		gs1_ai_length(ai, &least, &most);
		if (ai->predefined && len > most) len = most;
		if (len > most && len < text.len)
			return scan_fail(scan, SCAN_FAULT_BAD_VALUE, "(%s) has %zu characters; it has at most %zu",
			    ai->ai, len, most);
		if (!scan_add(scan, ai, bytes_slice(text, 0, len))) return false;
		text = bytes_slice(text, len, text.len);
		if (text.len && text.data[0] == GS) text = bytes_slice(text, 1, text.len);
	}
	return true;
}

/* --- bracketed --- */

static struct bytes trim(struct bytes text) {
	while (text.len && text.data[0] == ' ') text = bytes_slice(text, 1, text.len);
	while (text.len && text.data[text.len - 1] == ' ') text.len--;
	return text;
}

/* "\(" stands for a bracket within a value. People who copy the printed text put spaces between; no value has one. */
static bool bracketed_value(struct scan *scan, const struct gs1_ai *ai, struct bytes *rest) {
	uint8_t value[128];
	size_t len = 0;
	while (rest->len && rest->data[0] != '(') {
		if (rest->data[0] == '\\' && rest->len > 1 && rest->data[1] == '(')
			*rest = bytes_slice(*rest, 1, rest->len);
		if (len == sizeof value) return scan_fail(scan, SCAN_FAULT_BAD_VALUE, "(%s) is too long", ai->ai);
		value[len++] = rest->data[0];
		*rest = bytes_slice(*rest, 1, rest->len);
	}
	return scan_add(scan, ai, trim(bytes_make(value, len)));
}

static bool bracketed(struct scan *scan, struct bytes text) {
	while (text.len) {
		size_t len = 1;
		while (len < text.len && text.data[len] != ')') len++;
		if (text.data[0] != '(' || len == text.len)
			return scan_fail(scan, SCAN_FAULT_NOT_GS1, "brackets do not match");
		const struct gs1_ai *ai = gs1_ai_named(bytes_slice(text, 1, len - 1));
		if (!ai)
			return scan_fail(scan, SCAN_FAULT_UNKNOWN_AI, "%.*s) is no GS1 application identifier",
			    (int)(len < 12 ? len : 12), (const char *)text.data);
		text = bytes_slice(text, len + 1, text.len);
		if (!bracketed_value(scan, ai, &text)) return false;
	}
	return true;
}

/* --- digits --- */

static bool plain_digits(struct scan *scan, struct bytes text) {
	char gtin[15];
	if (gs1_gtin14(gtin, text)) return scan_add(scan, gs1_ai_named(BYTES_LITERAL("01")), bytes_text(gtin));
	if (text.len == 18) return scan_add(scan, gs1_ai_named(BYTES_LITERAL("00")), text);
	return scan_fail(scan, SCAN_FAULT_CHECK_DIGIT,
	    "the last of these %zu digits is not their check digit: type or scan them again", text.len);
}

static bool is_plain_length(size_t len) {
	return len == 8 || len == 12 || len == 13 || len == 14 || len == 18;
}

/* --- which form --- */

/* Scanners and people spell GS in several ways; the clean text is in `out`. */
static struct bytes clean(uint8_t out[SCAN_BYTES_MAX], struct bytes text) {
	static const char *const spellings[] = {"<GS>", "{GS}", "<FNC1>", "{FNC1}", "\xe2\x90\x9d"};
	if (bytes_equal(bytes_slice(text, 0, 3), BYTES_LITERAL("\xef\xbb\xbf"))) text = bytes_slice(text, 3, text.len);
	while (text.len && (text.data[0] <= ' ' && text.data[0] != GS)) text = bytes_slice(text, 1, text.len);
	while (text.len && (text.data[text.len - 1] <= ' ' && text.data[text.len - 1] != GS)) text.len--;
	size_t len = 0;
	for (size_t at = 0; at < text.len;) {
		size_t skip = 0;
		for (size_t i = 0; i < sizeof spellings / sizeof *spellings && !skip; i++)
			if (bytes_equal(bytes_slice(text, at, strlen(spellings[i])), bytes_text(spellings[i])))
				skip = strlen(spellings[i]);
		out[len++] = skip ? GS : text.data[at];
		at += skip ? skip : 1;
	}
	return bytes_make(out, len);
}

static bool begins(struct bytes text, const char *with) {
	size_t len = strlen(with);
	if (text.len < len) return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = text.data[i];
		if (c >= 'A' && c <= 'Z') c = (uint8_t)(c + 32);
		if (c != (uint8_t)with[i]) return false;
	}
	return true;
}

/* "]d2" and its kin (ISO/IEC 15424): data behind it is a GS1 element string, or text as in `is_text`. */
static bool symbology(struct scan *scan, struct bytes *text, bool *is_gs1) {
	static const char *const gs1[] = {"]d2", "]Q3", "]C1", "]e0", "]J1"};
	static const struct {
		const char *symbology;
		size_t digits; /* 0: text of any length */
	} others[] = {{"]d1", 0}, {"]Q1", 0}, {"]J0", 0}, {"]E0", 13}, {"]E4", 8}, {"]I1", 14}};
	struct bytes flag = bytes_slice(*text, 0, 3), rest = bytes_slice(*text, 3, text->len);
	for (size_t i = 0; i < 5; i++)
		if (bytes_equal(flag, bytes_text(gs1[i]))) {
			*text = rest;
			return *is_gs1 = true;
		}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (!bytes_equal(flag, bytes_text(others[i].symbology))) continue;
		*text = rest;
		return !others[i].digits || rest.len == others[i].digits ||
		       scan_fail(scan, SCAN_FAULT_BAD_VALUE, "this bar code holds %zu digits", others[i].digits);
	}
	for (size_t i = 0; i < 5; i++)
		if (begins(*text, "]d2") ||
		    (text->len >= 3 && text->data[1] == (gs1[i][1] ^ 0x20) && text->data[2] == gs1[i][2]))
			return scan_fail(scan, SCAN_FAULT_CAPS_LOCK,
			    "\"%.3s\" came instead of \"%s\": caps lock is on at the scanner's computer; turn it "
			    "off and scan again",
			    (const char *)text->data, begins(*text, "]d2") ? "]d2" : gs1[i]);
	return scan_fail(scan, SCAN_FAULT_NOT_GS1, "an unknown symbology identifier");
}

/* The row of digits on a French keyboard without shift, and "]d2" there. */
static bool is_french(struct bytes text) {
	static const char *const keys[] = {
	    "\xc3\xa0", "&", "\xc3\xa9", "\"", "'", "(", "-", "\xc3\xa8", "_", "\xc3\xa7"};
	if (begins(text, "$d2")) return true;
	for (unsigned i = 0; i < 4; i++) {
		size_t len = 0;
		for (size_t k = 0; k < sizeof keys / sizeof *keys && !len; k++)
			if (bytes_equal(bytes_slice(text, 0, strlen(keys[k])), bytes_text(keys[k])))
				len = strlen(keys[k]);
		if (!len) return false;
		text = bytes_slice(text, len, text.len);
	}
	return true;
}

/* A Digital Link whose scheme was dropped: it begins with a letter, and no element string does. */
static bool bare_link(struct scan *scan, struct bytes text) {
	struct scan link = {.form = SCAN_DIGITAL_LINK};
	if (!((text.data[0] | 0x20) >= 'a' && (text.data[0] | 0x20) <= 'z') || !scan_digital_link(&link, text))
		return false;
	*scan = link;
	return true;
}

static bool read_form(struct scan *scan, struct bytes text) {
	bool is_gs1 = false;
	if (!text.len) return scan_fail(scan, SCAN_FAULT_EMPTY, "nothing was scanned");
	if (text.data[0] == ']' && !symbology(scan, &text, &is_gs1)) return false;
	if (is_gs1 || (text.len && text.data[0] == GS)) return element_string(scan, text);
	if (begins(text, "http://") || begins(text, "https://")) {
		scan->form = SCAN_DIGITAL_LINK;
		return scan_digital_link(scan, text);
	}
	if (begins(text, "urn:epc:")) {
		scan->form = SCAN_EPC_URN;
		return scan_epc_urn(scan, text);
	}
	if (is_french(text))
		return scan_fail(scan, SCAN_FAULT_KEYBOARD_LAYOUT,
		    "these are the keys of the digits on a French keyboard: set the scanner to the computer's layout");
	if (begins(text, "http") && text.len > 8)
		return scan_fail(scan, SCAN_FAULT_KEYBOARD_LAYOUT,
		    "this looks like a web address through a keyboard of another layout: set the scanner to the "
		    "computer's layout");
	if (text.len && text.data[0] == '(') {
		scan->form = SCAN_BRACKETED;
		return bracketed(scan, text);
	}
	if (text.len == 20 && text.data[0] == '8' && gs1_is_digits(text)) {
		scan->form = SCAN_NMPA;
		memcpy(scan->nmpa, text.data, text.len);
		return true;
	}
	if (gs1_is_digits(text) && is_plain_length(text.len)) {
		scan->form = SCAN_PLAIN_DIGITS;
		return plain_digits(scan, text);
	}
	return bare_link(scan, text) || element_string(scan, text);
}

/* --- what it means --- */

static void take(char *out, size_t size, const struct scan *scan, const char *ai) {
	const struct scan_element *element = scan_element(scan, ai);
	if (!element || element->value_len >= size) return;
	memcpy(out, element->value, element->value_len);
}

/* A lot or serial whose tail reads like "17" and a date, where no expiry was seen: likely a dropped separator. */
static bool swallows_expiry(const char *value) {
	uint64_t seconds;
	for (size_t i = 1; strlen(value) >= 9 && i + 8 <= strlen(value); i++)
		if (value[i] == '1' && value[i + 1] == '7' &&
		    gs1_expiry_seconds(&seconds, bytes_make(value + i + 2, 6), 2026) &&
		    (value[i + 8] == 0 || strncmp(value + i + 8, "10", 2) == 0 || strncmp(value + i + 8, "21", 2) == 0))
			return true;
	return false;
}

/* (7003) is an expiry to the minute, YYMMDDHHMM: the day counts where (17) is not there, and must not differ from it.
 */
static void take_expiry(struct scan *scan) {
	char minute[11] = "";
	take(scan->expiry, sizeof scan->expiry, scan, "17");
	take(minute, sizeof minute, scan, "7003");
	if (!minute[0]) return;
	minute[6] = 0;
	if (!scan->expiry[0])
		memcpy(scan->expiry, minute, 7);
	else if (strcmp(scan->expiry, minute) != 0)
		scan_fail(
		    scan, SCAN_FAULT_BAD_DATE, "(17) and (7003) name different days: this code contradicts itself");
}

static void interpret(struct scan *scan) {
	take(scan->gtin, sizeof scan->gtin, scan, "01");
	take(scan->serial, sizeof scan->serial, scan, "21");
	take(scan->lot, sizeof scan->lot, scan, "10");
	take_expiry(scan);
	take(scan->sscc, sizeof scan->sscc, scan, "00");
	take(scan->gln, sizeof scan->gln, scan, "414");
	if (!scan->gln[0]) take(scan->gln, sizeof scan->gln, scan, "417");
	bool swallowed = !scan->expiry[0] && (swallows_expiry(scan->serial) || swallows_expiry(scan->lot));
	if (scan->form == SCAN_ELEMENT_STRING && swallowed)
		snprintf(scan->advice, sizeof scan->advice,
		    "the %s seems to hold an expiry date too: the scanner may drop the separator (FNC1, GS, 0x1d)",
		    swallows_expiry(scan->serial) ? "serial" : "lot");
}

void scan_read(struct scan *out, struct bytes text) {
	uint8_t space[SCAN_BYTES_MAX];
	*out = (struct scan){.form = SCAN_ELEMENT_STRING};
	if (text.len > SCAN_BYTES_MAX) {
		scan_fail(out, SCAN_FAULT_TOO_LONG, "more than %u characters are no code on a pack", SCAN_BYTES_MAX);
		return;
	}
	if (read_form(out, clean(space, text))) interpret(out);
}

void scan_swap_case(char *text) {
	for (; *text; text++)
		if ((*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z')) *text = (char)(*text ^ 0x20);
}

void scan_swap_yz(char *text) {
	for (; *text; text++)
		if (strchr("YZyz", *text)) *text = (char)(*text ^ ('Y' ^ 'Z'));
}
