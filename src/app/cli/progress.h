/*
 * How far long work is, as one line on a terminal that is written over and erased at the end. It is shown on a terminal
 * only: a program that reads standard error sees nothing of it. Threads: one, the one that works.
 */
#ifndef APP_CLI_PROGRESS_H
#define APP_CLI_PROGRESS_H

#include <stdio.h>

#include "base/world.h"

#define PROGRESS_COLUMNS 79u /* a longer line would wrap, and could not be written over */
#define PROGRESS_PAUSE_MS 100u

struct progress_line {
	struct progress progress; /* for those who work */
	FILE *out;
	const struct clock_source *clock;
	const char *what; /* shown now; NULL: nothing is */
	char counted[PROGRESS_COLUMNS +
		     1]; /* work of a known size that is not done: what happens meanwhile stands behind it */
	uint64_t shown_ms;
};

/* Is it a terminal that can erase a line? */
bool progress_line_is_wanted(FILE *out);
/* `out` and `clock` are borrowed. The line may not move afterwards. */
void progress_line_init(struct progress_line *line, FILE *out, const struct clock_source *clock);
/* Erases it, before anything else is printed. A zeroed one is allowed. */
void progress_line_end(struct progress_line *line);

#endif
