/*
 * Memory: the heap, arenas, and growable buffers.
 *
 * Running out of memory stops the process (docs/decisions/0002): every input is bounded, the ledger survives `kill -9`
 * at any moment, and a half-handled failure would be worse. So nothing here returns NULL.
 *
 * arena: many small objects that die together (process, block, transaction, request). Aligned to 16 bytes.
 * buf:   owned bytes that grow up to a hard maximum. Going over it is sticky: appends become no-ops and `overflow` is
 * set, so one check at the end is enough (`buf_status`).
 *
 * Threads: one owner at a time.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/bytes.h"
#include "base/status.h"

void *mem_alloc(size_t size);                /* uninitialised; size 0 is allowed */
void *mem_zalloc(size_t count, size_t size); /* zeroed; an overflowing product stops the process */
void *mem_realloc(void *old, size_t size);
void mem_free(void *pointer); /* NULL is allowed */
char *mem_strdup(const char *text);

/*
 * Once, before there are threads: what is freed serves all, or goes back to the system. By itself libc makes eight
 * pools a processor, and lets each keep ever more at its end; with the store's readers that was 100 MB.
 */
void mem_bound_heap(void);

/*
 * From now on what is given back is overwritten first, also what a buffer leaves when it grows. For
 * a program that holds what others may take away from it. Of what libraries free by themselves only pieces of more than
 * a kilobyte are.
 */
void mem_wipe_freed(void);

/* Overwrites secrets in a way that the compiler keeps. */
void mem_wipe(void *pointer, size_t size);

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used_bytes;          /* in the newest chunk */
};
struct arena_mark {
	struct arena_chunk *chunk;
	size_t used_bytes;
};

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t count, size_t size);
struct bytes arena_dup(struct arena *arena, struct bytes view);
/* A NUL-terminated copy. */
char *arena_strdup(struct arena *arena, struct bytes text);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
struct arena_mark arena_mark(const struct arena *arena);
/* Frees everything allocated since the mark. */
void arena_rewind(struct arena *arena, struct arena_mark mark);
/* Frees everything, but keeps the largest chunk of a usual size for reuse. */
void arena_reset(struct arena *arena);

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;    /* bytes; len never passes it */
	bool overflow; /* sticky */
};

#define BUF_MAX_DEFAULT ((size_t)1 << 30)

void buf_init(struct buf *buf, size_t max);
void buf_fini(struct buf *buf);
/* As buf_fini, wiping first. */
void buf_wipe(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the memory, forgets overflow */
void buf_append(struct buf *buf, struct bytes view);
void buf_byte(struct buf *buf, uint8_t byte);
void buf_text(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* Room for `len` more bytes, which count as appended, uninitialised; NULL on overflow. */
uint8_t *buf_extend(struct buf *buf, size_t len);
/* The content as a C string: a NUL stands behind it but is not counted. */
const char *buf_cstr(struct buf *buf);
static inline struct bytes buf_view(const struct buf *buf) {
	return (struct bytes){buf->data, buf->len};
}
/* STATUS_LIMIT if an append was over `max`. */
MUST_USE enum status buf_status(const struct buf *buf, struct err *err);

#endif
