/*
 * Runs a fuzz target over the files named, and over all files at or below the folders named: the regression test of
 * what fuzzing found, with any compiler.
 */
#include "fuzz/target.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static size_t files_run;

static int run_file(const char *path, const struct stat *info, int kind, struct FTW *where) {
	(void)where;
	if (kind != FTW_F) return 0;
	FILE *file = fopen(path, "rb");
	if (!file) {
		fprintf(stderr, "cannot read %s\n", path);
		return 1;
	}
	uint8_t *data = mem_alloc((size_t)info->st_size); /* exactly, so that a sanitizer sees any read behind it */
	size_t size = fread(data, 1, (size_t)info->st_size, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	mem_free(data);
	files_run++;
	return 0;
}

int main(int argc, char **argv) {
	enum { EXIT_SKIPPED = 77, OPEN_FOLDERS_MAX = 16 };
	for (int i = 1; i < argc; i++) {
		struct stat info;
		if (stat(argv[i], &info) != 0)
			printf("no inputs at %s\n", argv[i]);
		else if (nftw(argv[i], run_file, OPEN_FOLDERS_MAX, FTW_PHYS) != 0)
			return 1;
	}
	printf("%zu files\n", files_run);
	return files_run ? 0 : EXIT_SKIPPED;
}
