/*
 * A line of a folder's list of looks, as it follows from an entry of the trail (docs/wire-formats.md §6). Inside
 * health/gateway. Threads: pure.
 */
#ifndef HEALTH_GATEWAY_LOOK_LINE_H
#define HEALTH_GATEWAY_LOOK_LINE_H

#include "health/gateway/trail.h"

/* The entry's lines, one for each of its folders, in the arena. What is not a trail's entry has none. */
void look_lines_of(struct look_lists_line **out, size_t *count, struct arena *arena, const struct trail_seen *seen);

#endif
