/*
 * Our half of the differential fuzzer.
 *
 *   differ generate SEED TRANSACTIONS   frames of new cases to the output, until so many transactions; counts to stderr
 *   differ replay FILE…                 the cases of these files once more, as frames with the results of today
 *   differ check FILE…                  the results in these files must be what comes out today
 *
 * fuzz/README.md says how they are used.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/differ/counts.h"
#include "fuzz/differ/run.h"
#include "fuzz/differ/scene.h"

enum { WATCH_EVERY = 16, EXIT_SKIPPED = 77 };

static uint64_t nonce_now(void *context, const addr20 *address) {
	return run_nonce(context, address);
}

static void emit(struct buf *frame, const struct differ_frame *parts) {
	buf_clear(frame);
	frame_encode(frame, parts);
	if (fwrite(frame->data, 1, frame->len, stdout) != frame->len) {
		fprintf(stderr, "differ: nobody reads the cases\n");
		exit(1);
	}
}

static void generate_case(
    struct scene *scene, struct differ_run *run, struct counts *counts, struct differ_case *one, uint64_t seed) {
	const struct scene_nonces nonces = {nonce_now, run};
	const struct evm_tracer tracer = counts_tracer(counts);
	const bool watched = seed % WATCH_EVERY == 0;
	scene_begin(scene, one, seed);
	evm_set_tracer(run_evm(run), watched ? &tracer : NULL);
	run_begin(run, one);
	for (size_t left = scene_transactions(scene); left > 0; left--) {
		const struct case_transaction *item = scene_add_transaction(scene, &nonces);
		counts_add(counts, one->fork, &item->tx, run_transaction(run, item));
		counts->watched += watched;
	}
	counts->cases++;
}

static int generate(uint64_t seed, uint64_t transactions) {
	struct differ_case *one = mem_alloc(sizeof *one);
	struct counts *counts = mem_zalloc(1, sizeof *counts);
	struct differ_run *run = run_new();
	struct scene scene;
	struct buf bytes, frame;
	struct differ_frame parts;
	scene_init(&scene);
	buf_init(&bytes, BUF_MAX_DEFAULT);
	buf_init(&frame, BUF_MAX_DEFAULT);
	for (; counts->transactions < transactions; seed++) {
		generate_case(&scene, run, counts, one, seed);
		buf_clear(&bytes);
		case_encode(&bytes, one);
		parts.one = buf_view(&bytes);
		run_end(run, &parts.result, &parts.remark);
		emit(&frame, &parts);
	}
	counts_print(counts, stderr);
	buf_fini(&bytes);
	buf_fini(&frame);
	scene_fini(&scene);
	run_free(run);
	mem_free(counts);
	mem_free(one);
	return fflush(stdout) == 0 ? 0 : 1;
}

static bool read_file(struct buf *out, const char *path) {
	uint8_t block[4096];
	FILE *file = fopen(path, "rb");
	if (file == NULL) return false;
	for (size_t len; (len = fread(block, 1, sizeof block, file)) > 0;) buf_append(out, bytes_make(block, len));
	const bool good = ferror(file) == 0;
	fclose(file);
	return good;
}

struct counted {
	size_t passed, failed;
};

/* A frame of a file, executed today: what comes out is compared, or given on. */
static enum status run_frame(
    struct differ_run *run, struct counted *counted, const struct differ_frame *frame, bool gives_on, struct err *err) {
	struct differ_case one;
	struct arena arena;
	struct differ_frame today = {.one = frame->one};
	arena_init(&arena);
	const enum status status = case_decode(&one, &arena, frame->one, err);
	if (status == STATUS_OK) {
		run_begin(run, &one);
		for (size_t i = 0; i < one.transaction_count; i++) run_transaction(run, &one.transactions[i]);
		run_end(run, &today.result, &today.remark);
		const bool same = bytes_equal(today.result, frame->result);
		*(same ? &counted->passed : &counted->failed) += 1;
		if (gives_on) {
			struct buf bytes;
			buf_init(&bytes, BUF_MAX_DEFAULT);
			emit(&bytes, &today);
			buf_fini(&bytes);
		}
	}
	arena_fini(&arena);
	return status;
}

static int run_files(char **paths, bool gives_on) {
	struct differ_run *run = run_new();
	struct counted counted = {0};
	struct buf content;
	struct err err;
	buf_init(&content, BUF_MAX_DEFAULT);
	for (; *paths != NULL; paths++) {
		const size_t failed = counted.failed;
		enum status status = STATUS_OK;
		buf_clear(&content);
		if (!read_file(&content, *paths)) status = err_set(&err, STATUS_IO, "cannot be read");
		struct bytes rest = buf_view(&content);
		while (status == STATUS_OK && rest.len > 0) {
			struct differ_frame frame;
			status = frame_decode(&frame, &rest, &err);
			if (status == STATUS_OK) status = run_frame(run, &counted, &frame, gives_on, &err);
		}
		if (status != STATUS_OK) {
			fprintf(stderr, "%s: %s\n", *paths, err.message);
			counted.failed++;
		} else if (counted.failed > failed && !gives_on) {
			fprintf(stderr, "%s: has another result\n", *paths);
		}
	}
	if (!gives_on) printf("%zu passed, %zu failed\n", counted.passed, counted.failed);
	buf_fini(&content);
	run_free(run);
	if (counted.passed + counted.failed == 0) return EXIT_SKIPPED;
	return counted.failed > 0 && !gives_on;
}

int main(int argc, char **argv) {
	if (argc == 4 && strcmp(argv[1], "generate") == 0)
		return generate(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	if (argc >= 3 && strcmp(argv[1], "replay") == 0) return run_files(argv + 2, true);
	if (argc >= 3 && strcmp(argv[1], "check") == 0) return run_files(argv + 2, false);
	fprintf(stderr, "usage: differ generate SEED TRANSACTIONS | replay FILE... | check FILE...\n");
	return 2;
}
