#include "app/conformance/conformance.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

bool conformance_fork(enum fork *fork, struct bytes name) {
	static const struct {
		const char *name;
		enum fork fork;
	} names[] = {{"Frontier", FORK_FRONTIER}, {"Homestead", FORK_HOMESTEAD}, {"EIP150", FORK_TANGERINE},
	    {"EIP158", FORK_SPURIOUS}, {"Byzantium", FORK_BYZANTIUM}, {"Constantinople", FORK_CONSTANTINOPLE},
	    {"ConstantinopleFix", FORK_PETERSBURG}, {"Istanbul", FORK_ISTANBUL}, {"Berlin", FORK_BERLIN},
	    {"London", FORK_LONDON}, {"Paris", FORK_PARIS}, {"Merge", FORK_PARIS}, {"Shanghai", FORK_SHANGHAI},
	    {"Cancun", FORK_CANCUN}, {"Prague", FORK_PRAGUE}, {"Osaka", FORK_OSAKA}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!bytes_equal(name, bytes_text(names[i].name))) continue;
		*fork = names[i].fork;
		return true;
	}
	return false;
}

void conformance_skip(struct conformance *run, const struct json *test, const char *why, struct bytes name) {
	fprintf(run->out, "SKIP %s\n  %.*s: %s %.*s\n", run->path, (int)test->name.len, (const char *)test->name.data,
	    why, (int)name.len, name.data != NULL ? (const char *)name.data : "");
	run->skipped++;
}

static bool read_file(struct buf *out, const char *path) {
	FILE *file = fopen(path, "re");
	char chunk[1 << 16];
	size_t got;
	if (file == NULL) return false;
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) buf_append(out, bytes_make(chunk, got));
	const bool good = !ferror(file) && !out->overflow;
	fclose(file);
	return good;
}

static void run_file(struct conformance *run, const char *path) {
	const struct json_limits limits = {.bytes_max = BUF_MAX_DEFAULT, .depth_max = 64, .values_max = 1 << 24};
	const struct json *root;
	struct buf text;
	run->path = path;
	buf_init(&text, BUF_MAX_DEFAULT);
	if (!read_file(&text, path)) {
		fprintf(run->out, "FAIL %s: cannot be read\n", path);
		run->failed++;
	} else if (json_parse(&root, &run->arena, buf_view(&text), &limits, &run->err) != STATUS_OK) {
		fprintf(run->out, "FAIL %s: %s\n", path, run->err.message);
		run->failed++;
	} else {
		json_foreach (test, root) run->run_test(run, test);
	}
	arena_reset(&run->arena);
	buf_fini(&text);
}

static int not_hidden(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

enum status conformance_walk(struct conformance *run, const char *path, struct err *err) {
	struct stat info;
	struct dirent **entries;
	if (stat(path, &info) != 0) return err_set(err, STATUS_NOTFOUND, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(info.st_mode)) {
		const size_t len = strlen(path);
		if (len > 5 && strcmp(path + len - 5, ".json") == 0) run_file(run, path);
		return STATUS_OK;
	}
	const int count = scandir(path, &entries, not_hidden, alphasort);
	if (count < 0) return err_set(err, STATUS_IO, "%s: %s", path, strerror(errno));
	enum status status = STATUS_OK;
	for (int i = 0; i < count; i++) {
		char below[4096];
		const bool fits =
		    (size_t)snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name) < sizeof below;
		if (status == STATUS_OK && fits) status = conformance_walk(run, below, err);
		free(entries[i]);
	}
	free(entries);
	return status;
}
