/*
 * What stands on a pack, a case or a pallet, read in whatever form a scanner or a person gives it: GS1 element strings
 * (with or without FNC1, with or without a symbology identifier such as "]d2", GS as 0x1d or as scanners spell it),
 * bracketed AIs, Digital Link URIs, EPC URNs, plain digits, and China's 20-digit drug codes (kept as they are: the
 * rules behind them are their issuer's). Threads: pure. A scan is one value and owns nothing.
 */
#ifndef HEALTH_GS1_SCAN_H
#define HEALTH_GS1_SCAN_H

#include "health/gs1/gs1.h"

#define SCAN_BYTES_MAX 2048u
#define SCAN_ELEMENTS_MAX 24u

enum scan_form { SCAN_ELEMENT_STRING, SCAN_BRACKETED, SCAN_DIGITAL_LINK, SCAN_EPC_URN, SCAN_PLAIN_DIGITS, SCAN_NMPA };

/* Why a scan is no identifier of ours. Stable names, for programs. */
#define SCAN_FAULTS(X)                                                                                                 \
	X(NONE, "none")                                                                                                \
	X(EMPTY, "empty")                                                                                              \
	X(TOO_LONG, "too-long")                                                                                        \
	X(CAPS_LOCK, "caps-lock")                                                                                      \
	X(KEYBOARD_LAYOUT, "keyboard-layout")                                                                          \
	X(MISSING_SEPARATOR, "missing-separator")                                                                      \
	X(CHECK_DIGIT, "wrong-check-digit")                                                                            \
	X(UNKNOWN_AI, "unknown-identifier")                                                                            \
	X(BAD_VALUE, "bad-value")                                                                                      \
	X(BAD_DATE, "bad-date")                                                                                        \
	X(NOT_GS1, "not-a-gs1-code")                                                                                   \
	X(BAD_URI, "bad-uri")                                                                                          \
	X(REPEATED, "repeated-identifier")                                                                             \
	X(NOT_CLAIMED, "not-handled")
#define SCAN_FAULT_ENUM(name, text) SCAN_FAULT_##name,
enum scan_fault { SCAN_FAULTS(SCAN_FAULT_ENUM) };
#undef SCAN_FAULT_ENUM
const char *scan_fault_name(enum scan_fault fault);

struct scan_element {
	char ai[5];
	char value[91];
	uint8_t value_len;
};
struct scan {
	enum scan_form form;
	enum scan_fault fault;
	char advice[256]; /* of a fault: what to do about it; also a hint beside a good scan; or empty */
	struct scan_element elements[SCAN_ELEMENTS_MAX];
	size_t element_count;
	/* What medicines need of them; empty strings where absent. */
	char gtin[15], serial[21], lot[21], expiry[7], sscc[19], gln[14], nmpa[21];
};

/* Always gives a scan; `fault` NONE: it is well formed. White space around it is dropped. */
void scan_read(struct scan *out, struct bytes text);
const struct scan_element *scan_element(const struct scan *scan, const char *ai);
/* How the same serial looks from a scanner with caps lock on, or on a keyboard of the other layout (Y and Z swapped):
 * for saying what a serial that is not there may have been. */
void scan_swap_case(char *text);
void scan_swap_yz(char *text);

/* --- inside gs1: the forms --- */

/* Adds an element; sets the fault and returns false if its value is bad. */
bool scan_add(struct scan *scan, const struct gs1_ai *ai, struct bytes value);
bool scan_fail(struct scan *scan, enum scan_fault fault, const char *format, ...) PRINTF_LIKE(3, 4);
bool scan_digital_link(struct scan *scan, struct bytes uri); /* digital_link.c */
bool scan_epc_urn(struct scan *scan, struct bytes urn);      /* epc.c */

#endif
