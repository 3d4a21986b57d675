/*
 * What is wrong with a configuration: a list, so that one look shows all of it.
 *
 * Ownership: texts live in the list's arena. Threads: one owner.
 */
#ifndef APP_SETTINGS_PROBLEMS_H
#define APP_SETTINGS_PROBLEMS_H

#include "base/mem.h"

#define PROBLEMS_MAX 200u /* further ones are counted and not kept */

struct problem {
	const char *where; /* "xinglin.conf:12", "--http-port", "XINGLIN_NODE_HTTP_PORT" */
	const char *what;
};

struct problems {
	struct arena arena;
	struct problem list[PROBLEMS_MAX];
	size_t count;
};

void problems_init(struct problems *problems);
void problems_fini(struct problems *problems);
void problems_add(struct problems *problems, const char *where, const char *format, ...) PRINTF_LIKE(3, 4);
/* How many were kept. */
size_t problems_kept(const struct problems *problems);

#endif
