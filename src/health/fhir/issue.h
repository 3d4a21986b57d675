/*
 * Issues: what is wrong with a FHIR document, as values (FHIR R4 operationoutcome.html). A library gathers them; a
 * command line prints them, and a server answers with an OperationOutcome.
 *
 * Ownership: the list and its texts live in the arena that it was given. Threads: one owner a list.
 */
#ifndef HEALTH_FHIR_ISSUE_H
#define HEALTH_FHIR_ISSUE_H

#include "base/mem.h"

enum fhir_severity { FHIR_FATAL, FHIR_ERROR, FHIR_WARNING, FHIR_INFORMATION };

/* valueset-issue-type.html: the codes that this program gives. */
#define FHIR_ISSUE_CODES(X)                                                                                            \
	X(INVALID, "invalid")             /* the content does not fit the specification */                             \
	X(STRUCTURE, "structure")         /* it is not JSON, or not of a resource's form */                            \
	X(REQUIRED, "required")           /* something is missing */                                                   \
	X(VALUE, "value")                 /* an element's value is not valid */                                        \
	X(CODE_INVALID, "code-invalid")   /* a code that its value set does not have */                                \
	X(INVARIANT, "invariant")         /* a rule of the specification fails */                                      \
	X(NOT_SUPPORTED, "not-supported") /* valid, and not taken here */                                              \
	X(DUPLICATE, "duplicate")                                                                                      \
	X(MULTIPLE_MATCHES, "multiple-matches")                                                                        \
	X(NOT_FOUND, "not-found")                                                                                      \
	X(TOO_LONG, "too-long")                                                                                        \
	X(TOO_COSTLY, "too-costly")                                                                                    \
	X(FORBIDDEN, "forbidden")                                                                                      \
	X(LOGIN, "login")       /* a token is needed, or this one is not taken */                                      \
	X(CONFLICT, "conflict") /* of two writes, or with what is there */                                             \
	X(DELETED, "deleted")   /* it was there once */                                                                \
	X(PROCESSING, "processing")                                                                                    \
	X(TRANSIENT, "transient") /* try again */                                                                      \
	X(TIMEOUT, "timeout")                                                                                          \
	X(THROTTLED, "throttled")                                                                                      \
	X(INFORMATIONAL, "informational")                                                                              \
	X(EXCEPTION, "exception") /* this program or what it stands on failed */
#define FHIR_ISSUE_ENUM(name, text) FHIR_ISSUE_##name,
enum fhir_issue_code { FHIR_ISSUE_CODES(FHIR_ISSUE_ENUM) FHIR_ISSUE_CODE_COUNT };
#undef FHIR_ISSUE_ENUM
const char *fhir_issue_code_text(enum fhir_issue_code code);

struct fhir_issue {
	enum fhir_severity severity;
	enum fhir_issue_code code;
	const char *expression;  /* FHIRPath of the place, or empty */
	const char *diagnostics; /* one sentence without its full stop */
};

/* Further ones are counted and not kept. */
#define FHIR_ISSUES_MAX 100u

struct fhir_issues {
	struct arena *arena;
	struct fhir_issue list[FHIR_ISSUES_MAX];
	size_t count;   /* kept */
	size_t dropped; /* beyond FHIR_ISSUES_MAX */
	bool has_error; /* one of severity fatal or error was added */
};
void fhir_issues_init(struct fhir_issues *issues, struct arena *arena);
/* Both texts are copied. */
void fhir_issues_add(struct fhir_issues *issues, enum fhir_severity severity, enum fhir_issue_code code,
    const char *expression, const char *diagnostics);

/* For callers that show one line: STATUS_INVALID with the first error and how many more there are; STATUS_OK if there
 * is none. */
MUST_USE enum status fhir_issues_status(const struct fhir_issues *issues, struct err *err);
/* The issues as an OperationOutcome; one that says "informational" if there are none. */
void fhir_operation_outcome(struct buf *out, const struct fhir_issues *issues);

#endif
