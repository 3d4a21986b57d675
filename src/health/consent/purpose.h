/*
 * Purposes of use, as the contract numbers them (contracts/src/interfaces/IConsent.sol; HL7 v3-ActReason).
 * Threads: pure.
 */
#ifndef HEALTH_CONSENT_PURPOSE_H
#define HEALTH_CONSENT_PURPOSE_H

#include "base/bytes.h"
#include "base/status.h"

/* Treatment, emergency treatment, payment, operations, research, public health, what the patient asked for. */
#define PURPOSES(X) X(TREAT) X(ETREAT) X(HPAYMT) X(HOPERAT) X(HRESCH) X(PUBHLTH) X(PATRQT)
#define PURPOSE_ENUM(code) PURPOSE_##code,
enum purpose { PURPOSES(PURPOSE_ENUM) PURPOSE_COUNT };
#undef PURPOSE_ENUM
/* "TREAT". STATUS_INVALID lists what there is. */
MUST_USE enum status purpose_parse(enum purpose *out, struct bytes code, struct err *err);
/* "TREAT,HPAYMT" → bits. */
MUST_USE enum status purposes_parse(uint16_t *out, struct bytes codes, struct err *err);
/* "TREAT"; never NULL: "?" for a number that the contract does not have. */
const char *purpose_code(unsigned purpose);

#endif
