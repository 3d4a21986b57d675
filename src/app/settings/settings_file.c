/*
 * The configuration file, line by line. libinih divides lines into section, name and value; this file hands it the
 * lines, so it knows their numbers, and can say what is wrong with each. See docs/decisions/0020-inih.md.
 */
#include "app/settings/settings_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)256 << 10)
#define ENTRIES_MAX 1024u

struct reading {
	struct file_entries *out;
	struct arena *arena;
	struct problems *problems;
	const struct settings_section *const *sections;
	const char *path;
	struct bytes rest;
	unsigned line;
	bool is_indented;                       /* the current line */
	bool awaits_handler;                    /* it is neither blank, nor a comment, nor a section */
	const struct settings_section *section; /* NULL: none yet, or an unknown one */
	bool has_section;
};

static const char *place(const struct reading *reading) {
	return arena_printf(reading->arena, "%s:%u", reading->path, reading->line);
}

#define complain(reading, ...) problems_add((reading)->problems, place(reading), __VA_ARGS__)

/* --- guesses --- */

/* Words are short: settings' names and sections. */
#define WORD_MAX 48u

static unsigned least(unsigned a, unsigned b) {
	return a < b ? a : b;
}

/* Levenshtein's distance; SETTINGS' names fit, and longer words are far from everything. */
static unsigned word_distance(const char *a, const char *b) {
	size_t a_len = strlen(a), b_len = strlen(b);
	if (a_len > WORD_MAX || b_len > WORD_MAX) return UINT32_MAX;
	unsigned row[WORD_MAX + 1];
	for (size_t j = 0; j <= b_len; j++) row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned above = row[j];
			row[j] = least(least(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_len];
}

/* A third of the letters may be wrong. */
struct word_guess word_guess_make(const char *word) {
	return (struct word_guess){.word = word, .distance = (unsigned)strlen(word) / 3 + 2};
}

void word_guess_try(struct word_guess *guess, const char *candidate) {
	unsigned distance = word_distance(guess->word, candidate);
	if (distance >= guess->distance) return;
	guess->best = candidate;
	guess->distance = distance;
}

/* --- lines --- */

static void open_section(struct reading *reading, const char *name) {
	reading->has_section = true;
	reading->section = NULL;
	struct word_guess guess = word_guess_make(name);
	for (size_t i = 0; reading->sections[i]; i++) {
		if (strcmp(reading->sections[i]->name, name) == 0) reading->section = reading->sections[i];
		word_guess_try(&guess, reading->sections[i]->name);
	}
	if (reading->section) return;
	complain(reading, "there is no section [%s]%s%s%s", name, guess.best ? "; did you mean [" : "",
	    guess.best ? guess.best : "", guess.best ? "]?" : "");
}

/* "[name]", and nothing but a comment behind it. */
static bool read_section(struct reading *reading, const char *text) {
	const char *end = strchr(text, ']');
	const char *after = end ? end + 1 + strspn(end + 1, " \t\r\n") : "x";
	if (end && (*after == 0 || *after == ';' || *after == '#')) {
		open_section(reading, arena_strdup(reading->arena, bytes_make(text + 1, (size_t)(end - text) - 1)));
		return true;
	}
	complain(reading, "a section is [name], alone on its line");
	reading->has_section = true;
	reading->section = NULL;
	return false;
}

static void finish_line(struct reading *reading) {
	if (reading->awaits_handler) complain(reading, "the line is not a comment, a [section] or name = value");
	reading->awaits_handler = false;
}

/* What the library reads lines with: as fgets. */
static char *next_line(char *out, int room, void *context) {
	struct reading *reading = context;
	finish_line(reading);
	if (reading->rest.len == 0) return NULL;
	const uint8_t *end = memchr(reading->rest.data, '\n', reading->rest.len);
	size_t len = end ? (size_t)(end - reading->rest.data) : reading->rest.len;
	struct bytes line = bytes_slice(reading->rest, 0, len);
	reading->rest = bytes_slice(reading->rest, len + 1, reading->rest.len);
	reading->line++;
	size_t keep = line.len;
	if (keep + 2 > (size_t)room) {
		complain(
		    reading, "the line is longer than %d bytes: continue a list on the next line, indented", room - 2);
		keep = 0;
	}
	memcpy(out, line.data, keep);
	memcpy(out + keep, "\n", 2);
	char *text = out + strspn(out, " \t\r\n");
	reading->is_indented = text != out;
	bool is_section = *text == '[';
	if (is_section && !read_section(reading, text)) *text = '#';
	reading->awaits_handler = *text && *text != '#' && *text != ';' && !is_section;
	return out;
}

/* --- keys --- */

static const struct setting *find_row(struct reading *reading, const char *name) {
	const struct settings_section *section = reading->section;
	struct word_guess guess = word_guess_make(name);
	for (size_t i = 0; i < section->count; i++) {
		const struct setting *row = &section->rows[i];
		if (row->flags & SETTING_FLAG_ONLY) continue;
		if (strcmp(row->name, name) == 0) return row;
		word_guess_try(&guess, row->name);
	}
	complain(reading, "[%s] has no setting %s%s%s%s", section->name, name, guess.best ? "; did you mean " : "",
	    guess.best ? guess.best : "", guess.best ? "?" : "");
	return NULL;
}

static struct file_entry *find_entry(const struct reading *reading, const struct setting *row) {
	for (size_t i = 0; i < reading->out->count; i++)
		if (reading->out->list[i].row == row) return &reading->out->list[i];
	return NULL;
}

static bool is_list(const struct setting *row) {
	return row->type == SETTING_LIST || row->type == SETTING_URLS;
}

static void add_again(struct reading *reading, struct file_entry *entry, const char *value) {
	const struct setting *row = entry->row;
	if (reading->is_indented && is_list(row))
		entry->text = arena_printf(reading->arena, "%s,%s", entry->text, value);
	else if (reading->is_indented)
		complain(reading, "the line is indented, so it continues %s, which takes one value", row->name);
	else
		complain(reading, "%s is given twice, first in line %u", row->name, entry->line);
}

/* What the library calls for each name = value, and for a line that continues one. */
static int take(void *context, const char *section, const char *name, const char *value) {
	(void)section;
	struct reading *reading = context;
	reading->awaits_handler = false;
	if (!reading->has_section) complain(reading, "%s stands before the first [section]", name);
	if (!reading->section) return 1;
	const struct setting *row = find_row(reading, name);
	if (!row) return 1;
	struct file_entry *entry = find_entry(reading, row);
	if (entry) {
		add_again(reading, entry, value);
	} else if (reading->out->count < ENTRIES_MAX) {
		reading->out->list[reading->out->count++] = (struct file_entry){
		    reading->section, row, arena_strdup(reading->arena, bytes_text(value)), reading->line};
	}
	return 1;
}

void settings_read_text(struct file_entries *out, struct arena *arena, struct bytes text, const char *path,
    const struct settings_section *const *sections, struct problems *problems) {
	*out = (struct file_entries){.list = arena_zalloc(arena, ENTRIES_MAX, sizeof *out->list)};
	if (text.len && memchr(text.data, 0, text.len)) {
		problems_add(problems, path, "the file holds a NUL byte: it is not a configuration");
		return;
	}
	if (bytes_equal(bytes_slice(text, 0, 3), BYTES_LITERAL("\xef\xbb\xbf"))) /* a byte order mark */
		text = bytes_slice(text, 3, text.len);
	struct reading reading = {
	    .out = out, .arena = arena, .problems = problems, .sections = sections, .path = path, .rest = text};
	(void)ini_parse_stream(next_line, &reading, take, &reading); /* each bad line was named by next_line */
}

/* A pipe or a device is not waited for. -1: a problem was added. */
static int open_regular(const char *path, struct problems *problems) {
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return fd;
	if (fd < 0)
		problems_add(problems, path, "the file cannot be read: %s", strerror(errno));
	else
		problems_add(
		    problems, path, "it is not a file: settings are not read from a folder, a pipe or a device");
	if (fd >= 0) close(fd);
	return -1;
}

void settings_read_file(struct file_entries *out, struct arena *arena, const char *path,
    const struct settings_section *const *sections, struct problems *problems) {
	struct buf content;
	uint8_t chunk[4096];
	ssize_t got;
	*out = (struct file_entries){0};
	int fd = open_regular(path, problems);
	if (fd < 0) return;
	buf_init(&content, FILE_BYTES_MAX);
	while ((got = read(fd, chunk, sizeof chunk)) > 0 && !content.overflow)
		buf_append(&content, bytes_make(chunk, (size_t)got));
	if (got < 0)
		problems_add(problems, path, "the file cannot be read: %s", strerror(errno));
	else if (content.overflow)
		problems_add(problems, path, "the file is larger than %zu bytes", FILE_BYTES_MAX);
	else
		settings_read_text(out, arena, buf_view(&content), path, sections, problems);
	close(fd);
	buf_fini(&content);
}
