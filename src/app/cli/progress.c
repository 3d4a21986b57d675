#include "app/cli/progress.h"

#include <stdlib.h>
#include <unistd.h>

/* ECMA-48 EL: from the cursor to the line's end. */
#define ERASE "\033[K"

bool progress_line_is_wanted(FILE *out) {
	const char *terminal = getenv("TERM");
	return isatty(fileno(out)) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

/* The cursor stays in front of the text, so that whatever is printed next writes over it. */
static void show(void *context, const char *what, uint64_t done, uint64_t of) {
	struct progress_line *line = context;
	char text[PROGRESS_COLUMNS + 1];
	const uint64_t now_ms = clock_now_ms(line->clock);
	const bool is_new = line->what != what, is_last = of && done == of;
	if (!is_new && !is_last && now_ms - line->shown_ms < PROGRESS_PAUSE_MS) return;
	if (of) {
		snprintf(text, sizeof text, "%s: %llu of %llu (%u%%)", what, (unsigned long long)done,
		    (unsigned long long)of, (unsigned)(done * 100 / of));
		memcpy(line->counted, text, sizeof text);
		if (is_last) line->counted[0] = 0;
	} else {
		snprintf(text, sizeof text, "%s%s%s", line->counted, line->counted[0] ? "; " : "", what);
	}
	fprintf(line->out, "%s" ERASE "\r", text);
	fflush(line->out);
	line->what = what;
	line->shown_ms = now_ms;
}

void progress_line_init(struct progress_line *line, FILE *out, const struct clock_source *clock) {
	*line = (struct progress_line){.progress = {show, line}, .out = out, .clock = clock};
}

void progress_line_end(struct progress_line *line) {
	if (!line->what) return;
	fputs(ERASE, line->out);
	fflush(line->out);
	line->what = NULL;
}
