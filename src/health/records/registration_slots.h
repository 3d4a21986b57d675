/* Inside health/records: where Records keeps what disclosure proofs prove (docs/wire-formats.md §8). Threads: pure. */
#ifndef HEALTH_RECORDS_REGISTRATION_SLOTS_H
#define HEALTH_RECORDS_REGISTRATION_SLOTS_H

#include "base/bytes.h"

/* [0] the root's slot; [1] the one of author, epoch, state and time. */
void registration_slots(hash32 slots[2], const hash32 *record);

#endif
