/*
 * Threads that read: a disk answers many questions at once sooner than one after another. They start when they are
 * first needed and end with their owner. Internal to store/. Threads: one owner calls; the work runs on all.
 */
#ifndef LEDGER_STORE_READERS_H
#define LEDGER_STORE_READERS_H

#include "base/mem.h"

struct readers;
struct readers *readers_new(void);
void readers_free(struct readers *readers);
/* Calls work(context, i) for every i below `count`, in any order, also on the calling thread; returns after the last.
 */
void readers_run(struct readers *readers, void (*work)(void *context, size_t index), void *context, size_t count);

#endif
