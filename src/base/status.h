/*
 * Operational results, and the one place their text is written.
 *
 * Three kinds of bad news never mix (docs/conventions.md):
 *   a verdict (a reverted call, a refused access) is a value of its own type;
 *   an operational failure is an `enum status`, explained once in a `struct err`;
 *   a bug aborts, through BUG_ON.
 *
 * Threads: all functions are pure but for the `struct err` they write, which one thread owns.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define STATUS_LIST(X)                                                                                                 \
	X(OK, "ok")                                                                                                    \
	X(INVALID, "invalid input")                                                                                    \
	X(NOTFOUND, "not found")                                                                                       \
	X(PRUNED, "history that is not kept")                                                                          \
	X(EXISTS, "already exists")                                                                                    \
	X(LIMIT, "over a limit")                                                                                       \
	X(DENIED, "not allowed")                                                                                       \
	X(BUSY, "in use")                                                                                              \
	X(TIMEOUT, "timed out")                                                                                        \
	X(IO, "input/output error")                                                                                    \
	X(CORRUPT, "stored data is damaged")                                                                           \
	X(UNSUPPORTED, "not supported")                                                                                \
	X(INTERNAL, "internal error")

#define STATUS_ENUM(name, text) STATUS_##name,
enum status { STATUS_LIST(STATUS_ENUM) STATUS_COUNT };
#undef STATUS_ENUM

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* What went wrong, for a person. Owned by the caller; a NULL `struct err *` is allowed everywhere and discards it. */
struct err {
	char message[384];
	unsigned cause; /* a room's own number for what somebody can mend (health/contracts/cause.h); 0: none */
};

/* The fixed text of a status, never NULL. */
const char *status_text(enum status status);

/* Writes the message and returns `status`, so that a failure is one line: `return err_set(err, STATUS_IO, ...)`. */
enum status err_set(struct err *err, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds the cause to a failure that was just explained; returns `status`. err_set forgets it, err_prefix keeps it. */
enum status err_because(struct err *err, unsigned cause, enum status status);

/* Puts "prefix: " before the message that is there; returns `status`. At most once a layer. */
enum status err_prefix(struct err *err, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);

/* A state that cannot be: stop rather than diverge. Always compiled in. */
#define BUG_ON(condition)                                                                                              \
	do {                                                                                                           \
		if (__builtin_expect(!!(condition), 0)) bug_stop(#condition, __FILE__, __LINE__);                      \
	} while (0)

/* An invariant of a representation that costs too much to check always: only in a build with -Dverify=true. */
#ifdef VERIFY
#define VERIFY_CHECK(condition) BUG_ON(!(condition))
#else
#define VERIFY_CHECK(condition) ((void)0)
#endif
__attribute__((noreturn, cold)) void bug_stop(const char *condition, const char *file, int line);

/* Returns early with a failure that was already explained. */
#define TRY(expression)                                                                                                \
	do {                                                                                                           \
		enum status try_status_ = (expression);                                                                \
		if (try_status_ != STATUS_OK) return try_status_;                                                      \
	} while (0)

#endif
