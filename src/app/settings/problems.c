#include "app/settings/problems.h"

#include <stdarg.h>
#include <stdio.h>

void problems_init(struct problems *problems) {
	*problems = (struct problems){0};
	arena_init(&problems->arena);
}

void problems_fini(struct problems *problems) {
	arena_fini(&problems->arena);
}

void problems_add(struct problems *problems, const char *where, const char *format, ...) {
	if (problems->count++ >= PROBLEMS_MAX) return;
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	problems->list[problems->count - 1] = (struct problem){
	    arena_strdup(&problems->arena, bytes_text(where)), arena_strdup(&problems->arena, bytes_text(text))};
}

size_t problems_kept(const struct problems *problems) {
	return problems->count < PROBLEMS_MAX ? problems->count : PROBLEMS_MAX;
}
