/* Inside app/settings: the parts of reading settings that settings.c and settings_file.c share. */
#ifndef APP_SETTINGS_SETTINGS_INTERNAL_H
#define APP_SETTINGS_SETTINGS_INTERNAL_H

#include "app/settings/settings.h"

/* One key of a file, in its order. */
struct file_entry {
	const struct settings_section *section;
	const struct setting *row;
	const char *text;
	unsigned line;
};

/*
 * Reads a whole file: unknown sections and keys, lines that are neither, and keys given twice are problems. Entries are
 * in `arena`. Values are not checked here.
 */
struct file_entries {
	struct file_entry *list;
	size_t count;
};
void settings_read_file(struct file_entries *out, struct arena *arena, const char *path,
    const struct settings_section *const *sections, struct problems *problems);
/* The same for a text: `path` only names it. */
void settings_read_text(struct file_entries *out, struct arena *arena, struct bytes text, const char *path,
    const struct settings_section *const *sections, struct problems *problems);

/* The candidate that is nearest to a mistyped word, or NULL if none is near. */
struct word_guess {
	const char *word, *best;
	unsigned distance;
};
struct word_guess word_guess_make(const char *word);
void word_guess_try(struct word_guess *guess, const char *candidate);

#endif
