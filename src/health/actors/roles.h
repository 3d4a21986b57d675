/* Roles of the directory, as bits (contracts/src/Roles.sol). Threads: pure. */
#ifndef HEALTH_ACTORS_ROLES_H
#define HEALTH_ACTORS_ROLES_H

#include "base/bytes.h"
#include "base/status.h"

#define ROLES(X)                                                                                                       \
	X(HOSPITAL, "hospital", 1)                                                                                     \
	X(PROFESSIONAL, "professional", 2)                                                                             \
	X(MANUFACTURER, "manufacturer", 4)                                                                             \
	X(WHOLESALER, "wholesaler", 8)                                                                                 \
	X(PHARMACY, "pharmacy", 16)                                                                                    \
	X(REGULATOR, "regulator", 32)                                                                                  \
	X(TRUSTEE, "trustee", 64)                                                                                      \
	X(EMERGENCY, "emergency", 128)                                                                                 \
	X(NODE, "node", 256)                                                                                           \
	X(PAYER, "payer", 512)                                                                                         \
	X(VERIFIER, "verifier", 1024)
#define ROLE_ENUM(name, text, bit) ROLE_##name = bit,
enum role { ROLES(ROLE_ENUM) };
#undef ROLE_ENUM
/* "hospital,emergency" → bits; STATUS_INVALID names the word it does not know. */
MUST_USE enum status roles_parse(uint32_t *roles, struct bytes text, struct err *err);
void roles_text(char out[160], uint32_t roles);

#endif
