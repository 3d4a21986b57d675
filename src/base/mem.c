#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_ALIGN 16u
/* The first chunk is small, since most arenas are; each further one has twice the room, up to the largest. */
#define ARENA_FIRST_BYTES ((size_t)4 << 10)
#define ARENA_CHUNK_BYTES ((size_t)64 << 10)

struct arena_chunk {
	struct arena_chunk *older;
	size_t size_bytes; /* of data */
	_Alignas(16) uint8_t data[];
};

/* mem_wipe_freed */
static atomic_bool wipes_freed;

static bool does_wipe(void) {
	return atomic_load_explicit(&wipes_freed, memory_order_relaxed);
}

static void *require(void *pointer) {
	if (pointer) return pointer;
	fputs("xinglin: out of memory\n", stderr);
	abort();
}

void *mem_alloc(size_t size) {
	return require(malloc(size ? size : 1));
}

void *mem_zalloc(size_t count, size_t size) {
	return require(calloc(count ? count : 1, size ? size : 1));
}

void *mem_realloc(void *old, size_t size) {
	const size_t held = does_wipe() && old ? malloc_usable_size(old) : SIZE_MAX;
	if (held >= size) return require(realloc(old, size ? size : 1));
	/* What moves would leave the old place as it is. */
	void *larger = memcpy(mem_alloc(size), old, held);
	mem_free(old);
	return larger;
}

void mem_free(void *pointer) {
	if (does_wipe() && pointer) mem_wipe(pointer, malloc_usable_size(pointer));
	free(pointer);
}

void mem_wipe_freed(void) {
	atomic_store(&wipes_freed, true);
	mallopt(M_PERTURB, 0xff); /* of libraries too, if it is not small */
}

char *mem_strdup(const char *text) {
	size_t size = strlen(text) + 1;
	return memcpy(mem_alloc(size), text, size);
}

void mem_bound_heap(void) {
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

void mem_wipe(void *pointer, size_t size) {
	if (size) explicit_bzero(pointer, size);
}

void arena_init(struct arena *arena) {
	*arena = (struct arena){0};
}

static void arena_pop(struct arena *arena) {
	struct arena_chunk *chunk = arena->chunks;
	arena->chunks = chunk->older;
	mem_free(chunk);
}

/* Of the newest chunk, what lies behind its first bytes. */
static void give_back(struct arena *arena, size_t keeps_bytes) {
	if (does_wipe() && arena->chunks) mem_wipe(arena->chunks->data + keeps_bytes, arena->used_bytes - keeps_bytes);
	arena->used_bytes = keeps_bytes;
}

void arena_fini(struct arena *arena) {
	while (arena->chunks) arena_pop(arena);
	arena->used_bytes = 0;
}

static void add_chunk(struct arena *arena, size_t least_bytes) {
	size_t chunk_bytes = arena->chunks ? 2 * arena->chunks->size_bytes : ARENA_FIRST_BYTES;
	if (chunk_bytes > ARENA_CHUNK_BYTES) chunk_bytes = ARENA_CHUNK_BYTES;
	if (chunk_bytes < least_bytes) chunk_bytes = least_bytes;
	struct arena_chunk *chunk = mem_alloc(sizeof *chunk + chunk_bytes);
	chunk->older = arena->chunks;
	chunk->size_bytes = chunk_bytes;
	arena->chunks = chunk;
	arena->used_bytes = 0;
}

void *arena_alloc(struct arena *arena, size_t size) {
	BUG_ON(size > SIZE_MAX / 2);
	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!arena->chunks || arena->chunks->size_bytes - arena->used_bytes < size) add_chunk(arena, size);
	void *object = arena->chunks->data + arena->used_bytes;
	arena->used_bytes += size;
	return object;
}

void *arena_zalloc(struct arena *arena, size_t count, size_t size) {
	size_t total;
	BUG_ON(__builtin_mul_overflow(count, size, &total));
	return memset(arena_alloc(arena, total), 0, total);
}

struct bytes arena_dup(struct arena *arena, struct bytes view) {
	uint8_t *copy = arena_alloc(arena, view.len);
	if (view.len) memcpy(copy, view.data, view.len);
	return (struct bytes){copy, view.len};
}

char *arena_strdup(struct arena *arena, struct bytes text) {
	char *copy = arena_alloc(arena, text.len + 1);
	if (text.len) memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	BUG_ON(length < 0);
	char *text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

struct arena_mark arena_mark(const struct arena *arena) {
	return (struct arena_mark){arena->chunks, arena->used_bytes};
}

void arena_rewind(struct arena *arena, struct arena_mark mark) {
	if (!mark.chunk) return arena_reset(arena);
	while (arena->chunks != mark.chunk) {
		arena_pop(arena);
		arena->used_bytes = arena->chunks ? arena->chunks->size_bytes : 0;
	}
	give_back(arena, mark.used_bytes);
}

/* Of chunks that are not oversized the newest is the largest: it is kept for what comes next. */
void arena_reset(struct arena *arena) {
	while (arena->chunks && arena->chunks->size_bytes > ARENA_CHUNK_BYTES) {
		arena_pop(arena);
		arena->used_bytes = arena->chunks ? arena->chunks->size_bytes : 0;
	}
	give_back(arena, 0);
	if (!arena->chunks) return;
	struct arena_chunk *kept = arena->chunks;
	arena->chunks = kept->older;
	arena_fini(arena);
	kept->older = NULL;
	arena->chunks = kept;
}

void buf_init(struct buf *buf, size_t max) {
	*buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf) {
	mem_free(buf->data);
	buf_init(buf, buf->max);
}

void buf_wipe(struct buf *buf) {
	mem_wipe(buf->data, buf->cap);
	buf_fini(buf);
}

void buf_clear(struct buf *buf) {
	buf->len = 0;
	buf->overflow = false;
}

/* One byte more than `len + more` is always there, for buf_cstr. */
static bool buf_reserve(struct buf *buf, size_t more) {
	if (buf->overflow || more > buf->max - buf->len) {
		buf->overflow = true;
		return false;
	}
	size_t need = buf->len + more + 1;
	if (need <= buf->cap) return true;
	size_t cap = buf->cap ? buf->cap : 64;
	while (cap < need) cap *= 2;
	buf->data = mem_realloc(buf->data, cap);
	buf->cap = cap;
	return true;
}

uint8_t *buf_extend(struct buf *buf, size_t len) {
	if (!buf_reserve(buf, len)) return NULL;
	uint8_t *room = buf->data + buf->len;
	buf->len += len;
	return room;
}

void buf_append(struct buf *buf, struct bytes view) {
	uint8_t *room = buf_extend(buf, view.len);
	if (room && view.len) memcpy(room, view.data, view.len);
}

void buf_byte(struct buf *buf, uint8_t byte) {
	buf_append(buf, (struct bytes){&byte, 1});
}

void buf_text(struct buf *buf, const char *text) {
	buf_append(buf, bytes_text(text));
}

void buf_printf(struct buf *buf, const char *format, ...) {
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	BUG_ON(length < 0);
	if (buf_reserve(buf, (size_t)length)) {
		vsnprintf((char *)buf->data + buf->len, (size_t)length + 1, format, again);
		buf->len += (size_t)length;
	}
	va_end(again);
}

const char *buf_cstr(struct buf *buf) {
	if (!buf->data) {
		buf->data = mem_alloc(1);
		buf->cap = 1;
	}
	buf->data[buf->len] = 0;
	return (const char *)buf->data;
}

enum status buf_status(const struct buf *buf, struct err *err) {
	if (!buf->overflow) return STATUS_OK;
	return err_set(err, STATUS_LIMIT, "output is larger than %zu bytes", buf->max);
}
