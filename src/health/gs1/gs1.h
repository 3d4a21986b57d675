/*
 * GS1 identifiers: check digits, application identifiers (AIs), and what a scanner reads from a pack.
 *
 * A scan is judged, not guessed: what is well formed gives a typed result, anything else a diagnosis that says what is
 * likely wrong with the scanner or the code, so that a person can mend it before calling a pack false.
 *
 * Sources: GS1 General Specifications §3 (element strings), §7.9 (check digits), GS1 Digital Link URI Syntax 1.4,
 * EPC Tag Data Standard 2.0 §6; the AIs themselves are ai_table.h. Threads: pure. Results own nothing but themselves.
 */
#ifndef HEALTH_GS1_GS1_H
#define HEALTH_GS1_GS1_H

#include "base/mem.h"

/* --- digits and characters --- */

bool gs1_is_digits(struct bytes text);
/* The check digit ('0' … '9') that these digits need behind them. */
char gs1_check_digit(struct bytes digits);
/* At least two digits of which the last is right. */
bool gs1_check_digit_holds(struct bytes digits);
/* Characters of lots and serials (GS1 AI encodable character set 82). */
bool gs1_is_cset82(struct bytes text);
/* 8, 12, 13 or 14 digits whose check digit holds, as 14. */
bool gs1_gtin14(char out[15], struct bytes digits);
/* YYMMDD within 49 years before and 50 after `this_year`; DD 00 is the month's last day. Gives the second after that
 * day ends (UTC): an expiry is exclusive. */
bool gs1_expiry_seconds(uint64_t *out, struct bytes yymmdd, unsigned this_year);
/* "2027-12-31" or the six digits of it; the same meaning. */
bool gs1_date_seconds(uint64_t *out, struct bytes text, unsigned this_year);
/* The last day of an exclusive expiry as "YYMMDD" and "YYYY-MM-DD". */
void gs1_expiry_text(char yymmdd[7], char iso[11], uint64_t seconds);

/* --- application identifiers --- */

struct gs1_ai {
	const char *ai;   /* "01" */
	bool predefined;  /* its length is: no FNC1 need follow */
	const char *spec; /* "N14,csum,gcppos2" */
	const char *keys; /* AIs that may follow it in a Digital Link path; NULL: it is no primary key */
};
/* The AI that this text begins with; NULL: none. */
const struct gs1_ai *gs1_ai_at(struct bytes text);
/* The AI of exactly this name. */
const struct gs1_ai *gs1_ai_named(struct bytes name);
/* Length in characters: least and most. */
void gs1_ai_length(const struct gs1_ai *ai, size_t *least, size_t *most);
/* NULL if the value has the AI's form (lengths, characters, check digits, dates; other linters of the dictionary are
 * not run), otherwise why not, static. */
const char *gs1_value_fault(const struct gs1_ai *ai, struct bytes value);

#endif
