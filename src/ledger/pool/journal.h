/*
 * The pool's journal: envelopes in a file, in pool.h's format. Internal to pool/.
 * Threads: one owner at a time (the pool's lock).
 */
#ifndef LEDGER_POOL_JOURNAL_H
#define LEDGER_POOL_JOURNAL_H

#include "base/mem.h"

enum { JOURNAL_HEADER_BYTES = 8 };

struct journal {
	char *path; /* NULL: no journal */
	int fd;
	uint64_t size_bytes;
};

/* `visit` gets every whole record of what is there. STATUS_IO. */
MUST_USE enum status journal_open(struct journal *journal, const char *path,
    void (*visit)(void *context, struct bytes envelope), void *context, struct err *err);
void journal_close(struct journal *journal);
/* In the kernel's hands when it returns. On STATUS_IO the file is as before. */
MUST_USE enum status journal_append(struct journal *journal, struct bytes envelope, struct err *err);

/* Puts a file of these records in place of the old one, which stays on STATUS_IO. */
void journal_put(struct buf *records, struct bytes envelope);
/* The first record of these bytes, and its size with the header; 0 if it is not whole. */
size_t journal_get(struct bytes *envelope, struct bytes records);
MUST_USE enum status journal_replace(struct journal *journal, struct bytes records, struct err *err);

#endif
