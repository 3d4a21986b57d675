/*
 * What people hand over when a JSON document is asked for: a file that begins with a byte order mark (RFC 8259 §8.1
 * lets a reader skip it), or one that is not JSON at all and should be named as what it is. Threads: pure.
 */
#ifndef CODEC_JSON_INPUT_H
#define CODEC_JSON_INPUT_H

#include "base/bytes.h"
#include "base/status.h"

/* Moves `text` behind a UTF-8 byte order mark. STATUS_INVALID names XML, gzip, zip, PDF, UTF-16 and UTF-32. */
MUST_USE enum status json_input(struct bytes *text, struct err *err);

#endif
