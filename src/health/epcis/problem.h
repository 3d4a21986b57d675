/*
 * The exceptions of EPCIS's REST binding: each has a name, a status and a title (RFC 7807). Threads: pure.
 * Source: EPCIS 2.0 §12, its OpenAPI; where the two differ, docs/epcis.md says what was taken.
 */
#ifndef HEALTH_EPCIS_PROBLEM_H
#define HEALTH_EPCIS_PROBLEM_H

#include "base/mem.h"

enum epcis_exception {
	EPCIS_VALIDATION,
	EPCIS_QUERY_VALIDATION,
	EPCIS_QUERY_PARAMETER,
	EPCIS_SUBSCRIPTION_CONTROLS,
	EPCIS_UNAUTHENTICATED,
	EPCIS_SECURITY,
	EPCIS_NO_SUCH_NAME,
	EPCIS_NO_SUCH_RESOURCE,
	EPCIS_METHOD,
	EPCIS_NOT_ACCEPTABLE,
	EPCIS_RESOURCE_EXISTS,
	EPCIS_CAPTURE_LIMIT,
	EPCIS_QUERY_TOO_LARGE,
	EPCIS_QUERY_TOO_COMPLEX,
	EPCIS_URI_TOO_LONG,
	EPCIS_UNSUPPORTED_MEDIA_TYPE,
	EPCIS_FAILURE,
	EPCIS_NOT_IMPLEMENTED,
	EPCIS_BUSY,
	EPCIS_EXCEPTION_COUNT
};
int epcis_exception_status(enum epcis_exception exception);
/* "epcisException:ValidationException" */
const char *epcis_exception_name(enum epcis_exception exception);

/* Appends the object: type, title, status, and what happened here. */
void epcis_problem_write(struct buf *out, enum epcis_exception exception, const char *detail);
/* The same under another status. */
void epcis_problem_write_as(struct buf *out, enum epcis_exception exception, int status, const char *detail);

#endif
