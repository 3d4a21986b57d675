/* How quickly documents are checked, sealed and opened: a FHIR bundle, each resource a segment.
 *
 *	bench_seal BUNDLE.json [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "health/records/seal.h"

#define FILE_MAX ((size_t)64 << 20)

static void fill(void *context, uint8_t *out, size_t len) {
	(void)context;
	while (len) {
		ssize_t got = getrandom(out, len, 0);
		if (got < 0) abort();
		out += got;
		len -= (size_t)got;
	}
}

static const struct random_source kernel_random = {fill, NULL};

static double seconds(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct bytes read_file(struct arena *arena, const char *path) {
	FILE *file = fopen(path, "rb");
	if (!file) return (struct bytes){NULL, 0};
	uint8_t *data = arena_alloc(arena, FILE_MAX);
	size_t len = fread(data, 1, FILE_MAX, file);
	fclose(file);
	return bytes_make(data, len);
}

static void report(const char *what, double took, size_t count, size_t bytes) {
	printf("%-6s %8.2f ms  %9.0f resources/s  %7.1f MB/s\n", what, took * 1e3, (double)count / took,
	    (double)bytes / took / 1e6);
}

struct run {
	struct arena arena;
	struct record_resource *resources;
	size_t count, bytes;
	struct p256_secret secret;
	struct record_place place;
	struct err err;
};

static enum status parse(struct run *run, struct bytes text) {
	struct fhir_document document;
	struct fhir_issues issues;
	fhir_issues_init(&issues, &run->arena);
	if (!fhir_document_read(&document, &issues, text)) return fhir_issues_status(&issues, &run->err);
	run->count = document.resource_count;
	run->resources = arena_zalloc(&run->arena, run->count, sizeof *run->resources);
	for (size_t i = 0; i < run->count; i++) {
		const struct fhir_resource *resource = &document.resources[i];
		run->resources[i] =
		    (struct record_resource){.type = resource->type, .id = resource->id, .raw = resource->raw};
		run->bytes += resource->raw.len;
	}
	return STATUS_OK;
}

static enum status open_all(struct run *run, const struct record_sealed *sealed) {
	struct container container;
	struct record_lead lead;
	TRY(container_decode(&container, buf_view(&sealed->container), &run->err));
	TRY(record_lead_open(&lead, &run->arena, &run->place, &run->secret, container_part(&container, 0), &run->err));
	struct bytes *opened = arena_zalloc(&run->arena, lead.count, sizeof *opened);
	for (uint32_t i = 1; i <= lead.count; i++) {
		struct buf out;
		buf_init(&out, FILE_MAX);
		enum status status =
		    segment_open(&out, &run->arena, &run->place, &lead, i, container_part(&container, i), &run->err);
		opened[i - 1] = arena_dup(&run->arena, buf_view(&out));
		buf_fini(&out);
		TRY(status);
	}
	return record_matches(&sealed->root, &lead, opened) ? STATUS_OK : STATUS_CORRUPT;
}

static enum status rounds(struct run *run, struct bytes text, unsigned count) {
	const struct deployment deployment = {.chain_id = 7};
	const hash32 author_secret = {{1}};
	struct record_author author = {&deployment, {{0}}, &author_secret};
	struct p256_public key;
	TRY(p256_public_of(&key, &run->secret));
	TRY(address_of_secret(&author.address, &author_secret));
	double best[3] = {1e9, 1e9, 1e9};
	size_t container_bytes = 0;
	for (unsigned i = 0; i < count; i++) {
		struct record_sealed sealed;
		arena_reset(&run->arena);
		run->bytes = 0;
		double at = seconds();
		TRY(parse(run, text));
		double parsed = seconds();
		const struct record_draft draft = {&run->place, &key, &author, run->resources, run->count, 0};
		TRY(record_seal(&sealed, &draft, &kernel_random, &run->err));
		double closed = seconds();
		TRY(open_all(run, &sealed));
		double opened = seconds();
		const double took[3] = {parsed - at, closed - parsed, opened - closed};
		for (size_t j = 0; j < 3; j++)
			if (took[j] < best[j]) best[j] = took[j];
		container_bytes = sealed.container.len;
		record_sealed_fini(&sealed);
	}
	printf(
	    "%zu resources, %zu bytes; sealed %zu bytes; best of %u\n", run->count, run->bytes, container_bytes, count);
	report("check", best[0], run->count, run->bytes);
	report("seal", best[1], run->count, run->bytes);
	report("open", best[2], run->count, run->bytes);
	return STATUS_OK;
}

int main(int argc, char **argv) {
	struct run run = {.secret = {{7}}, .place = {.epoch = 1}};
	struct arena file;
	if (argc < 2) return fprintf(stderr, "usage: bench_seal BUNDLE.json [ROUNDS]\n"), 2;
	arena_init(&file);
	arena_init(&run.arena);
	struct bytes text = read_file(&file, argv[1]);
	enum status status = rounds(&run, text, argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20);
	if (status != STATUS_OK) fprintf(stderr, "bench_seal: %s\n", run.err.message);
	arena_fini(&run.arena);
	arena_fini(&file);
	return status == STATUS_OK ? 0 : 1;
}
