/*
 * Purposes of use, as the contract numbers them (contracts/src/interfaces/IConsent.sol; HL7 v3-ActReason).
 * Threads: pure.
 */
#ifndef HEALTH_CONSENT_PURPOSE_H
#define HEALTH_CONSENT_PURPOSE_H

#include "base/bytes.h"
#include "base/status.h"

#define PURPOSES(X)                                                                                                    \
	X(TREAT, "treatment")                                                                                          \
	X(ETREAT, "emergency treatment")                                                                               \
	X(HPAYMT, "healthcare payment")                                                                                \
	X(HOPERAT, "healthcare operations")                                                                            \
	X(HRESCH, "healthcare research")                                                                               \
	X(PUBHLTH, "public health")                                                                                    \
	X(PATRQT, "patient requested")
#define PURPOSE_ENUM(code, text) PURPOSE_##code,
enum purpose { PURPOSES(PURPOSE_ENUM) PURPOSE_COUNT };
#undef PURPOSE_ENUM
/* "TREAT". STATUS_INVALID lists what there is. */
MUST_USE enum status purpose_parse(enum purpose *out, struct bytes code, struct err *err);
/* "TREAT,HPAYMT" → bits. */
MUST_USE enum status purposes_parse(uint16_t *out, struct bytes codes, struct err *err);
/* "TREAT", "treatment"; never NULL: "?" for a number that the contract does not have. */
const char *purpose_code(unsigned purpose);
const char *purpose_text(unsigned purpose);

#endif
