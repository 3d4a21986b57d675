/* The real clock, randomness, sleep and log of a process: what everything below is handed (base/world.h). */
#ifndef APP_SYSTEM_H
#define APP_SYSTEM_H

#include "app/log_lines.h"
#include "base/world.h"

extern const struct clock_source world_clock;
extern const struct random_source world_random;
void world_sleep_ms(void *context, uint32_t ms);
/* No core dumps, log lines to stderr, the signing context blinded. Once, before threads. */
void world_start(enum log_level least);
/* Log lines to stderr in this format from now on. Before threads. */
void world_log(enum log_format format, enum log_level least);

#endif
