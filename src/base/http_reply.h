/*
 * Answers that every service gives in the same way. Threads: as the exchange they write to.
 */
#ifndef BASE_HTTP_REPLY_H
#define BASE_HTTP_REPLY_H

#include "base/http.h"

/*
 * An answer that is a problem (RFC 9457, which was 7807): application/problem+json with `type`, `status`, a short
 * stable `code` for programs and `detail` for people. What stood in the body goes; header lines stay.
 */
void http_problem(struct http_response *response, int status, const char *code, const char *detail);
/* Adds "name: value" to the answer's header; a value with control characters is a bug. */
void http_put_header(struct http_response *response, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
