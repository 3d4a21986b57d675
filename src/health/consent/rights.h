/* What a grant permits (contracts/src/interfaces/IConsent.sol), as bits. Threads: pure. */
#ifndef HEALTH_CONSENT_RIGHTS_H
#define HEALTH_CONSENT_RIGHTS_H

#include "base/bytes.h"
#include "base/status.h"

enum right { RIGHT_READ = 1, RIGHT_WRITE = 2, RIGHT_SHARE = 4, RIGHT_ROTATE = 8 };
/* "read,write" → bits. */
MUST_USE enum status rights_parse(uint8_t *out, struct bytes words, struct err *err);

#endif
