/* The words of sharing: purposes of use, rights, and the contract's reasons. */
#include "health/consent/access.h"
#include "health/consent/rights.h"

static const char *const purposes[PURPOSE_COUNT] = {
#define PURPOSE_ROW(code) #code,
    PURPOSES(PURPOSE_ROW)
#undef PURPOSE_ROW
};

static const struct {
	const char *word;
	uint8_t bit;
} rights[] = {{"read", RIGHT_READ}, {"write", RIGHT_WRITE}, {"share", RIGHT_SHARE}, {"rotate", RIGHT_ROTATE}};
#define RIGHT_COUNT (sizeof rights / sizeof *rights)

/* In the order of IConsent.Reason; words_test.c holds them to the interface file. */
static const struct {
	const char *name, *text;
} reasons[] = {
    {"PERMITTED", "a grant of the patient covers this purpose now"},
    {"AUTHOR", "the account wrote this record itself"},
    {"EMERGENCY", "an emergency window is open"},
    {"NO_GRANT", "the patient has shared nothing with this account here; ask the patient for a grant"},
    {"NOT_YET", "the patient's grant begins later"},
    {"EXPIRED", "the patient's grant has ended; ask the patient for a new one"},
    {"REVOKED", "the patient has taken the grant back"},
    {"WRONG_PURPOSE", "the patient's grant does not cover this purpose of use"},
    {"NO_READ_RIGHT", "the patient's grant allows no reading"},
    {"ACTOR_INACTIVE", "the directory lists this account as suspended or withdrawn; ask the registrars"},
    {"FOLDER_CLOSED", "the patient has had this folder forgotten"},
    {"RECORD_ERASED", "the patient has had this record erased"},
    {"EMERGENCY_NOT_ALLOWED", "the account is not listed for emergencies, or this folder allows no emergency access"},
    {"EMERGENCY_TOO_NEW", "the account was listed for emergencies less than 48 hours ago"},
    {"UNKNOWN", "there is no such folder, or no such record in it; check the id"},
    {"EMERGENCY_QUOTA", "the account has declared as many emergencies today as it may, over all or in this folder"},
};
#define REASON_COUNT (sizeof reasons / sizeof *reasons)

enum status purpose_parse(enum purpose *out, struct bytes code, struct err *err) {
	for (unsigned i = 0; i < PURPOSE_COUNT; i++) {
		if (!bytes_equal(code, bytes_text(purposes[i]))) continue;
		*out = (enum purpose)i;
		return STATUS_OK;
	}
	return err_set(err, STATUS_INVALID,
	    "\"%.*s\" is no purpose of use; there are TREAT, ETREAT, HPAYMT, HOPERAT, HRESCH, PUBHLTH, PATRQT",
	    (int)(code.len < 40 ? code.len : 40), (const char *)code.data);
}

/* Cuts the next word of a list with commas off; false at the end. An empty word is a word. */
static bool next_word(struct bytes *word, struct bytes *rest, bool *more) {
	if (!*more) return false;
	size_t len = 0;
	while (len < rest->len && rest->data[len] != ',') len++;
	*word = bytes_slice(*rest, 0, len);
	*more = len < rest->len;
	*rest = bytes_slice(*rest, len + 1, rest->len);
	return true;
}

enum status purposes_parse(uint16_t *out, struct bytes codes, struct err *err) {
	struct bytes word;
	bool more = true;
	*out = 0;
	while (next_word(&word, &codes, &more)) {
		enum purpose purpose;
		TRY(purpose_parse(&purpose, word, err));
		*out |= (uint16_t)(1u << purpose);
	}
	return STATUS_OK;
}

enum status rights_parse(uint8_t *out, struct bytes words, struct err *err) {
	struct bytes word;
	bool more = true;
	*out = 0;
	while (next_word(&word, &words, &more)) {
		size_t i = 0;
		while (i < RIGHT_COUNT && !bytes_equal(word, bytes_text(rights[i].word))) i++;
		if (i == RIGHT_COUNT)
			return err_set(err, STATUS_INVALID,
			    "\"%.*s\" is no right; there are read, write, share, rotate",
			    (int)(word.len < 40 ? word.len : 40), (const char *)word.data);
		*out |= rights[i].bit;
	}
	return STATUS_OK;
}

const char *purpose_code(unsigned purpose) {
	return purpose < PURPOSE_COUNT ? purposes[purpose] : "?";
}

const char *access_reason_text(unsigned reason) {
	return reason < REASON_COUNT ? reasons[reason].text : "for a reason that this version does not know";
}

const char *access_reason_name(unsigned reason) {
	return reason < REASON_COUNT ? reasons[reason].name : "?";
}
