/* Items of blobs (docs/wire-formats.md §3). Threads: pure. */
#ifndef HEALTH_RECORDS_ITEMS_H
#define HEALTH_RECORDS_ITEMS_H

#include "base/bytes.h"

hash32 item_of_wraps(const hash32 *folder, uint32_t epoch);
/* `count`: how many times it was granted, this one included. */
hash32 item_of_grant(const hash32 *folder, const hash32 *record, const addr20 *grantee, uint32_t epoch, uint32_t count);
hash32 item_of_reason(uint64_t review);
hash32 item_of_release(uint64_t review, const addr20 *trustee, uint32_t epoch);

#endif
