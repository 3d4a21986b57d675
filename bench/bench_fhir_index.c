/*
 * The index of resources: writes a second, bytes a resource, reads a second by several threads, the searches of
 * fhirload, and opening. Synthea's bundles are copied under other ids until there are enough resources.
 *
 *	bench_fhir_index DIRECTORY [RESOURCES] [THREADS]
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/threads.h"
#include "base/files.h"
#include "health/index/resources.h"

#define BATCH 64u
#define THREADS_MAX 16u

static double now(void) {
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Processor time: what a loaded machine takes as well. */
static double busy(clockid_t clock) {
	struct timespec at;
	clock_gettime(clock, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void stop(const char *what, const struct err *err) {
	fprintf(stderr, "bench_fhir_index: %s: %s\n", what, err->message);
	exit(1);
}

/* --- resources --- */

struct original {
	uint16_t type;
	struct bytes id, raw;
};
static struct original *originals;
static size_t original_count, original_capacity;
static struct arena kept;

static void add_bundle(const char *path) {
	struct buf text;
	const struct json *bundle;
	struct err err;
	buf_init(&text, BUF_MAX_DEFAULT);
	if (files_read(&text, path, &err)) stop(path, &err);
	if (json_parse(&bundle, &kept, arena_dup(&kept, buf_view(&text)), NULL, &err)) stop(path, &err);
	json_foreach (entry, json_get(bundle, "entry")) {
		const struct json *resource = json_get(entry, "resource");
		if (original_count == original_capacity) {
			original_capacity = original_capacity ? 2 * original_capacity : 8192;
			originals = mem_realloc(originals, original_capacity * sizeof *originals);
		}
		originals[original_count++] = (struct original){
		    fhir_definitions_resource(&fhir_r4, json_string(json_get(resource, "resourceType"))),
		    json_string(json_get(resource, "id")), resource->raw};
	}
	buf_fini(&text);
}

static int by_id(const void *a, const void *b) {
	return bytes_compare(((const struct original *)a)->id, ((const struct original *)b)->id);
}

static const struct original **sorted; /* by id */

static uint16_t type_of(struct bytes id) {
	size_t low = 0, high = original_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = bytes_compare(sorted[middle]->id, id);
		if (order == 0) return sorted[middle]->type;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return FHIR_NONE;
}

/* The id of copy `copy`: another UUID. */
static void copy_id(char out[37], struct bytes id, unsigned copy) {
	char head[9];
	memcpy(out, id.data, 36);
	out[36] = 0;
	snprintf(head, sizeof head, "%08x", (unsigned)strtoul(out, NULL, 16) ^ (copy * 2654435761u));
	memcpy(out, head, 8);
}

static struct bytes copy_of(struct arena *arena, const struct original *original, unsigned copy) {
	static const char urn[] = "urn:uuid:",
			  meta[] = "\"meta\":{\"versionId\":\"1\",\"lastUpdated\":\"2026-11-30T20:00:00.000Z\"},";
	struct buf out;
	char id[37];
	buf_init(&out, BUF_MAX_DEFAULT);
	struct bytes raw = original->raw;
	buf_byte(&out, '{');
	if (!memmem(raw.data, raw.len, "\"meta\"", 6)) buf_text(&out, meta);
	for (size_t at = 1; at < raw.len;) {
		const uint8_t *p = raw.data + at;
		size_t left = raw.len - at;
		if (left > 45 && memcmp(p, urn, 9) == 0) {
			struct bytes target = bytes_make(p + 9, 36);
			uint16_t type = type_of(target);
			copy_id(id, target, copy);
			if (type != FHIR_NONE)
				buf_printf(&out, "%s/%s", fhir_type_name(&fhir_r4, type), id);
			else
				buf_printf(&out, "urn:uuid:%s", id);
			at += 45;
		} else if (left > 36 && p[0] == original->id.data[0] && memcmp(p, original->id.data, 36) == 0) {
			copy_id(id, original->id, copy);
			buf_text(&out, id);
			at += 36;
		} else {
			buf_byte(&out, *p);
			at++;
		}
	}
	struct bytes text = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return text;
}

/* --- writing --- */

struct work {
	struct resources *resources;
	size_t from, to, step; /* batches */
	double making_s;
	size_t bytes;
};

static void *write_all(void *context) {
	struct work *work = context;
	struct err err;
	for (size_t batch = work->from; batch < work->to; batch += work->step) {
		struct resource_write writes[BATCH];
		struct arena arena;
		double begin = busy(CLOCK_THREAD_CPUTIME_ID);
		arena_init(&arena);
		for (size_t i = 0; i < BATCH; i++) {
			size_t number = batch * BATCH + i;
			const struct original *original = &originals[number % original_count];
			unsigned copy = (unsigned)(number / original_count);
			char *id = arena_alloc(&arena, 37);
			copy_id(id, original->id, copy);
			writes[i] = (struct resource_write){.key = {original->type, bytes_text(id)},
			    .version = 1,
			    .at_ms = (int64_t)(1764530000000ull + number),
			    .part = (uint32_t)i + 1,
			    .content = copy_of(&arena, original, copy)};
			store_be64(writes[i].record.b, batch + 1);
			store_be64(writes[i].folder.b, batch / 4 + 1);
			work->bytes += writes[i].content.len;
		}
		work->making_s += busy(CLOCK_THREAD_CPUTIME_ID) - begin;
		if (resources_put(work->resources, writes, BATCH, &err)) stop("put", &err);
		arena_fini(&arena);
	}
	return NULL;
}

static void write_with(struct resources *resources, size_t count, unsigned threads) {
	struct work works[THREADS_MAX];
	pthread_t ids[THREADS_MAX];
	double begin = now(), making = 0, cpu = busy(CLOCK_PROCESS_CPUTIME_ID);
	size_t bytes = 0;
	for (unsigned i = 0; i < threads; i++) {
		works[i] = (struct work){resources, i, count / BATCH, threads, 0, 0};
		pthread_create(&ids[i], NULL, write_all, &works[i]);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		making += works[i].making_s;
		bytes += works[i].bytes;
	}
	double wall = now() - begin;
	cpu = busy(CLOCK_PROCESS_CPUTIME_ID) - cpu - making;
	printf("%zu resources of %.0f bytes written by %u threads: %.0f a second, %.0f us of processor each\n", count,
	    (double)bytes / (double)count, threads, (double)count / wall, 1e6 * cpu / (double)count);
}

/* --- reading --- */

static const struct resource_scope_rule every_rule = {
    .type = FHIR_NONE, .folders = RESOURCE_SCOPE_OWN | RESOURCE_SCOPE_OPEN};
static const struct resource_scope everything = {.rules = &every_rule, .count = 1};
static size_t written;

static void *read_all(void *context) {
	struct work *work = context;
	struct err err;
	uint64_t random = 88172645463325252ull + work->from;
	for (size_t i = 0; i < work->to; i++) {
		struct arena arena;
		struct resource_version version;
		char id[37];
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		size_t number = random % written;
		copy_id(id, originals[number % original_count].id, (unsigned)(number / original_count));
		struct resource_key key = {originals[number % original_count].type, bytes_text(id)};
		arena_init(&arena);
		if (resources_get(work->resources, &version, &arena, &everything, &key, 0, &err)) stop(id, &err);
		arena_fini(&arena);
	}
	return NULL;
}

static void read_with(struct resources *resources, unsigned threads) {
	struct work works[THREADS_MAX];
	pthread_t ids[THREADS_MAX];
	const size_t each = 20000;
	double begin = now(), cpu = busy(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 0; i < threads; i++) {
		works[i] = (struct work){resources, i, each, 1, 0, 0};
		pthread_create(&ids[i], NULL, read_all, &works[i]);
	}
	for (unsigned i = 0; i < threads; i++) pthread_join(ids[i], NULL);
	cpu = busy(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("%zu reads by %u threads: %.0f a second, %.1f us of processor each\n", each * threads, threads,
	    (double)(each * threads) / (now() - begin), 1e6 * cpu / (double)(each * threads));
}

/* --- searching --- */

static int ascending(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static size_t search_once(struct resources *resources, const char *type, const char *query) {
	struct arena arena;
	struct http_query items;
	struct fhir_search *search;
	struct fhir_issues issues;
	struct resource_page page;
	struct err err;
	struct fhir_search_settings settings = {.defs = &fhir_r4,
	    .type = fhir_definitions_resource(&fhir_r4, bytes_text(type)),
	    .is_strict = true,
	    .compartment = FHIR_NONE};
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	if (http_query_parse(&items, &arena, bytes_text(query), &err)) stop(query, &err);
	if (fhir_search_read(&search, &arena, &settings, &items, &issues)) {
		fprintf(stderr, "%s: %s\n", query, issues.list[0].diagnostics);
		exit(1);
	}
	if (resources_search(resources, &page, &arena, &everything, BYTES_LITERAL("bench"), search, &err))
		stop(query, &err);
	size_t count = page.count;
	arena_fini(&arena);
	return count;
}

static const struct original *random_of(const char *type, uint64_t *random) {
	uint16_t wanted = fhir_definitions_resource(&fhir_r4, bytes_text(type));
	for (;;) {
		*random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
		const struct original *original = &originals[*random % original_count];
		if (original->type == wanted) return original;
	}
}

static const char *member(struct arena *arena, const struct original *original, const char *first, const char *second) {
	const struct json *json;
	if (json_parse(&json, arena, original->raw, NULL, NULL)) return "";
	json = json_get(json, first);
	if (json_is(json, JSON_ARRAY)) json = json_at(json, 0);
	if (second && strcmp(second, "coding") == 0) {
		json = json_at(json_get(json, "coding"), 0);
		struct bytes system = json_string(json_get(json, "system")), code = json_string(json_get(json, "code"));
		return arena_printf(arena, "%.*s%%7C%.*s", (int)system.len, (const char *)system.data, (int)code.len,
		    (const char *)code.data);
	}
	struct bytes text = json_string(json_get(json, second));
	return arena_printf(arena, "%.*s", (int)text.len, (const char *)text.data);
}

struct kind {
	const char *name, *type, *format; /* %p patient, %c code, %f family, %3 its beginning */
};

static void fill(struct buf *out, struct arena *arena, const char *format, uint64_t *random, unsigned copies) {
	for (; *format; format++) {
		if (*format != '%') {
			buf_byte(out, (uint8_t)*format);
			continue;
		}
		const struct original *patient = random_of("Patient", random);
		char id[37];
		switch (*++format) {
		case 'p':
			copy_id(id, patient->id, (unsigned)(*random >> 32) % copies);
			buf_text(out, id);
			break;
		case 'c': buf_text(out, member(arena, random_of("Observation", random), "code", "coding")); break;
		case 'f': http_percent_encode(out, bytes_text(member(arena, patient, "name", "family"))); break;
		case '3':
			http_percent_encode(
			    out, bytes_slice(bytes_text(member(arena, patient, "name", "family")), 0, 3));
			break;
		default: break;
		}
	}
}

static void search_all(struct resources *resources, unsigned copies) {
	static const struct kind kinds[] = {{"patient + code", "Observation", "patient=%p&code=%c&_count=20"},
	    {"patient + date, sorted", "Observation", "patient=%p&date=ge2010-01-01&_sort=-date&_count=20"},
	    {"family, a prefix", "Patient", "family=%3&_count=20"},
	    {"encounters + include", "Encounter", "patient=%p&_include=Encounter:service-provider&_count=20"},
	    {"code + value", "Observation", "code=%c&value-quantity=gt50&_count=20"},
	    {"_has", "Patient", "_has:Observation:patient:code=%c&_count=20"},
	    {"chain", "Observation", "patient.family=%f&_count=20"},
	    {"the newest of a type", "Observation", "_sort=-_lastUpdated&_count=20"},
	    {"a count", "Observation", "code=%c&_summary=count"}};
	uint64_t random = 88172645463325252ull;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		double times[300], cpu[300], all = now();
		size_t count = 0, hits = 0;
		while (count < 300 && (now() - all < 3 || count < 5)) {
			struct arena arena;
			struct buf query;
			arena_init(&arena);
			buf_init(&query, 10000);
			fill(&query, &arena, kinds[k].format, &random, copies);
			double begin = now(), begin_cpu = busy(CLOCK_THREAD_CPUTIME_ID);
			hits += search_once(resources, kinds[k].type, buf_cstr(&query));
			cpu[count] = 1000 * (busy(CLOCK_THREAD_CPUTIME_ID) - begin_cpu);
			times[count++] = 1000 * (now() - begin);
			buf_fini(&query);
			arena_fini(&arena);
		}
		qsort(times, count, sizeof *times, ascending);
		qsort(cpu, count, sizeof *cpu, ascending);
		size_t last = (size_t)((double)(count - 1) * 0.99);
		printf("%-24s p50 %7.2f ms  p99 %7.2f ms; of processor %7.2f and %7.2f ms (%.1f results)\n",
		    kinds[k].name, times[count / 2], times[last], cpu[count / 2], cpu[last],
		    (double)hits / (double)count);
	}
}

static void report(struct resources *resources, const char *directory) {
	struct resource_counts counts;
	struct err err;
	struct stat info;
	char path[4096], line[256];
	if (resources_count(resources, &counts, &err)) stop("count", &err);
	snprintf(path, sizeof path, "%s/" RESOURCE_FILE, directory);
	stat(path, &info);
	printf("%llu resources, %llu bytes each in the file\n", (unsigned long long)counts.resources,
	    (unsigned long long)(counts.bytes / (counts.resources ? counts.resources : 1)));
	FILE *status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, "VmRSS", 5) == 0) printf("resident: %s", line + 6);
	if (status) fclose(status);
}

/* The same organisation may be in several bundles. */
static void prepare_ids(void) {
	struct original *copy = mem_alloc(original_count * sizeof *copy);
	size_t count = 0;
	memcpy(copy, originals, original_count * sizeof *copy);
	qsort(copy, original_count, sizeof *copy, by_id);
	sorted = mem_alloc(original_count * sizeof *sorted);
	for (size_t i = 0; i < original_count; i++)
		if (!count || !bytes_equal(sorted[count - 1]->id, copy[i].id)) sorted[count++] = &copy[i];
	size_t kept_count = 0;
	for (size_t i = 0; i < original_count; i++) {
		bool is_first = true;
		for (size_t k = 0; k < kept_count && is_first; k++)
			is_first = !bytes_equal(originals[k].id, originals[i].id);
		if (is_first) originals[kept_count++] = originals[i];
	}
	original_count = kept_count;
	BUG_ON(original_count != count);
}

int main(int argc, char **argv) {
	const char *data = getenv("DATA");
	size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
	unsigned threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 2;
	struct home home = {.directory = argc > 1 ? argv[1] : "."};
	struct resource_settings settings = {.readers = 4, .threads = &system_threads};
	struct resources *resources;
	struct err err;
	char path[4096];
	mem_bound_heap();
	arena_init(&kept);
	mkdir(home.directory, 0700);
	snprintf(path, sizeof path, "%s/fhir/synthea-r4-v2", data ? data : "../shared/data");
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char file[5000];
		snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
		if (strstr(entry->d_name, ".json")) add_bundle(file);
	}
	if (!original_count) return fprintf(stderr, "no bundles in %s\n", path), 1;
	prepare_ids();
	if (resources_open(&resources, &home, &settings, &err)) stop("open", &err);
	written = count / BATCH * BATCH;
	struct resource_counts before;
	if (resources_count(resources, &before, &err)) stop("count", &err);
	if (!before.resources) write_with(resources, count, threads > THREADS_MAX ? THREADS_MAX : threads);
	resources_close(resources);
	double begin = now();
	if (resources_open(&resources, &home, &settings, &err)) stop("open", &err);
	search_once(resources, "Patient", "_count=1");
	printf("opened, and the first search answered: %.1f ms\n", 1000 * (now() - begin));
	read_with(resources, 2);
	search_all(resources, (unsigned)(written / original_count ? written / original_count : 1));
	report(resources, home.directory);
	resources_close(resources);
	return 0;
}
