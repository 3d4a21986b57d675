/* Inside health/index: the words of resources, for _text and _content. */
#ifndef HEALTH_INDEX_RESOURCE_WORDS_H
#define HEALTH_INDEX_RESOURCE_WORDS_H

#include "health/index/resource_condition.h"

/* Folded, with blanks between. */
struct resource_words {
	struct bytes narrative, content;
};
void resource_words_make(struct resource_words *out, struct arena *arena, const struct json *tree);
MUST_USE enum status resource_words_put(
    struct db *db, int64_t row, const struct resource_words *words, struct err *err);
/* Exactly what was put. */
MUST_USE enum status resource_words_take(
    struct db *db, int64_t row, const struct resource_words *words, struct err *err);

#endif
