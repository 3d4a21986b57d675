/*
 * What a gateway remembers of requests: small files in the home's folder requests/, so that they survive kill -9. One
 * for an idempotency key (keys.h), one for a record that was refused after it was accepted. They hold hashes, ids and
 * codes, no content, and are forgotten OUTCOME_KEPT_SECONDS after they were written.
 *
 * Threads: outcomes_forget belongs to one; the others may be called from any.
 */
#ifndef HEALTH_GATEWAY_OUTCOME_H
#define HEALTH_GATEWAY_OUTCOME_H

#include "health/actors/home.h"

#define OUTCOME_KEPT_SECONDS (7u * 86400u)
#define OUTCOME_FILE_MAX ((size_t)64 << 10)
#define OUTCOME_FORGET_STEP 1000u          /* files that one step looks at */
#define OUTCOME_FORGET_EVERY_SECONDS 3600u /* from the end of one pass over the folder to the next */

struct outcomes;
/* Makes the folder. Both are borrowed. */
struct outcomes *outcomes_new(const struct home *home, const struct clock_source *clock);
void outcomes_free(struct outcomes *files); /* NULL is allowed */

/* What became of a key, by its name. STATUS_NOTFOUND. */
MUST_USE enum status outcome_key_read(
    const struct outcomes *files, struct buf *out, const hash32 *name, struct err *err);
MUST_USE enum status outcome_key_write(
    const struct outcomes *files, const hash32 *name, struct bytes content, struct err *err);
void outcome_key_remove(const struct outcomes *files, const hash32 *name);

/* That a record was refused, and with which error. */
MUST_USE enum status outcome_refusal_write(
    const struct outcomes *files, const hash32 *record, enum contract_error error, struct err *err);
/* STATUS_NOTFOUND: it was not, as far as is remembered. */
MUST_USE enum status outcome_refusal_read(
    const struct outcomes *files, enum contract_error *error, const hash32 *record, struct err *err);

/* One bounded step of forgetting: to be called every second or so. It reads no file, only its time. */
void outcomes_forget(struct outcomes *files);

#endif
