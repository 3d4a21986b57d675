/*
 * Lists in header fields ("gzip;q=0.5, br"): pieces between separators, and words whose case does not count
 * (RFC 9110 §5.6). Quoted strings with a separator inside are not looked for. Threads: pure.
 */
#ifndef BASE_HTTP_LIST_H
#define BASE_HTTP_LIST_H

#include "base/bytes.h"

/* The text up to the first separator, without spaces around it; `rest` moves on behind the separator. */
struct bytes http_list_next(struct bytes *rest, char separator);
bool http_list_word_is(struct bytes text, const char *word);

#endif
