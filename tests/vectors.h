/*
 * For tests that read official vectors: files under $DATA (default: ../shared/data beside the checkout), and a tally
 * that is printed and asserted. Include after tests/unit.h; the build defines SOURCE_ROOT. Header-only, since every
 * test is one program.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "codec/hex.h"
#include "codec/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct vectors {
	const char *name;
	size_t passed, failed, skipped;
};

static inline char *vectors_path(struct arena *arena, const char *relative) {
	const char *data = getenv("DATA");
	return arena_printf(arena, "%s/%s", data ? data : SOURCE_ROOT "/../shared/data", relative);
}

/* Skips the test where the data is not there. */
static inline void vectors_need(const char *relative) {
	struct arena arena;
	struct stat info;
	arena_init(&arena);
	const char *path = vectors_path(&arena, relative);
	bool is_there = stat(path, &info) == 0;
	if (!is_there) printf("no vectors at %s: skipped\n", path);
	arena_fini(&arena);
	if (!is_there) skip();
}

static inline struct bytes vectors_read(struct arena *arena, const char *path) {
	FILE *file = fopen(path, "rb");
	struct stat info;
	if (!file || fstat(fileno(file), &info) != 0) fail_msg("cannot read %s", path);
	uint8_t *data = arena_alloc(arena, (size_t)info.st_size);
	size_t len = fread(data, 1, (size_t)info.st_size, file);
	fclose(file);
	assert_int_equal(len, info.st_size);
	return bytes_make(data, len);
}

static inline const struct json *vectors_parse(struct arena *arena, const char *path) {
	struct json_limits limits = {.bytes_max = (size_t)1 << 30, .depth_max = 128, .values_max = 40000000};
	struct err err;
	const struct json *root;
	if (json_parse(&root, arena, vectors_read(arena, path), &limits, &err)) fail_msg("%s: %s", path, err.message);
	return root;
}

/* The tree of $DATA/relative. */
static inline const struct json *vectors_json(struct arena *arena, const char *relative) {
	return vectors_parse(arena, vectors_path(arena, relative));
}

typedef void vectors_visit(void *context, const char *path);

/* Visits every file at or below the folder `path` whose name ends with `suffix`, in the order of names. */
static inline void vectors_walk(const char *path, const char *suffix, vectors_visit *visit, void *context) {
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	if (count < 0) fail_msg("cannot list %s", path);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char inner[4096];
		struct stat info;
		snprintf(inner, sizeof inner, "%s/%s", path, name);
		size_t len = strlen(name), suffix_len = strlen(suffix);
		if (name[0] != '.' && stat(inner, &info) == 0) {
			if (S_ISDIR(info.st_mode))
				vectors_walk(inner, suffix, visit, context);
			else if (len >= suffix_len && strcmp(name + len - suffix_len, suffix) == 0)
				visit(context, inner);
		}
		free(entries[i]);
	}
	free(entries);
}

/* Counts a case; a failed one is named at once. */
static inline void vectors_count(struct vectors *vectors, bool is_good, const char *file, struct bytes name) {
	if (is_good)
		vectors->passed++;
	else
		vectors->failed++;
	if (!is_good) printf("%s: FAILED %s %.*s\n", vectors->name, file, (int)name.len, (const char *)name.data);
}

static inline void vectors_report(const struct vectors *vectors) {
	size_t run = vectors->passed + vectors->failed;
	printf("%s: %zu run, %zu passed, %zu failed, %zu skipped\n", vectors->name, run, vectors->passed,
	    vectors->failed, vectors->skipped);
	assert_true(run > 0);
	assert_int_equal(vectors->failed, 0);
}

/* "0x…" or bare hexadecimal digits. Fails the test for anything else. */
static inline struct bytes vectors_hex(struct arena *arena, struct bytes text) {
	struct buf out;
	struct bytes prefixed = text;
	if (text.len < 2 || text.data[1] != 'x')
		prefixed = bytes_text(arena_printf(arena, "0x%.*s", (int)text.len, text.data));
	buf_init(&out, BUF_MAX_DEFAULT);
	if (hex_data(&out, prefixed)) fail_msg("not hexadecimal: %.*s", (int)text.len, (const char *)text.data);
	struct bytes decoded = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return decoded;
}

#endif
