/*
 * What a page leaves for the next one, sealed for one asker and one question: AES-256-GCM under a key of the home's,
 * with an IV that follows from the content (there is nothing to hide from whoever was given the same page twice).
 *
 * Ownership: answers are in the arena. Threads: pure.
 */
#ifndef HEALTH_INDEX_CURSOR_H
#define HEALTH_INDEX_CURSOR_H

#include "base/mem.h"

#define CURSOR_MAX 4096u /* bytes of a cursor's content */

struct cursor_place {
	struct bytes asker, question;
};
/* Base64url. */
struct bytes cursor_seal(
    const uint8_t key[32], struct arena *arena, const struct cursor_place *place, struct bytes content);
/* STATUS_INVALID: it was not made here, or for another asker or question. */
MUST_USE enum status cursor_open(const uint8_t key[32], struct bytes *out, struct arena *arena,
    const struct cursor_place *place, struct bytes cursor, struct err *err);

#endif
