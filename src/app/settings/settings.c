#include "app/settings/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/settings/settings_internal.h"

/* --- rows --- */

const struct setting *settings_row(const struct settings_section *section, const char *name) {
	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->rows[i].name, name) == 0) return &section->rows[i];
	return NULL;
}

size_t settings_index(const struct settings_section *section, const char *name) {
	const struct setting *row = settings_row(section, name);
	BUG_ON(!row);
	return (size_t)(row - section->rows);
}

void setting_variable(
    char out[SETTING_VARIABLE_MAX], const struct settings_section *section, const struct setting *row) {
	snprintf(out, SETTING_VARIABLE_MAX, "XINGLIN_%s_%s", section->name, row->name);
	for (char *at = out; *at; at++) *at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
}

struct setting_place settings_place(const struct settings *settings, const char *name) {
	size_t i = settings_index(settings->section, name);
	const struct setting *row = &settings->section->rows[i];
	struct setting_place out;
	char variable[SETTING_VARIABLE_MAX];
	switch (settings->values[i].origin) {
	case FROM_FILE:
		snprintf(out.text, sizeof out.text, "%s:%u", settings->file, settings->values[i].line);
		return out;
	case FROM_ENVIRONMENT:
		setting_variable(variable, settings->section, row);
		snprintf(out.text, sizeof out.text, "%s", variable);
		return out;
	case FROM_CREDENTIAL: snprintf(out.text, sizeof out.text, "the credential %s", row->name); return out;
	case FROM_DEFAULT:
	case FROM_FLAG: break;
	}
	snprintf(out.text, sizeof out.text, "--%s", row->name);
	return out;
}

/* --- loading --- */

static void set(struct settings *out, size_t i, const char *text, enum setting_origin origin, unsigned line) {
	if (out->values[i].text && out->values[i].origin > origin) return;
	out->values[i] =
	    (struct setting_value){.text = arena_strdup(&out->arena, bytes_text(text)), .origin = origin, .line = line};
}

static void take_entries(struct settings *out, const struct file_entries *entries) {
	for (size_t i = 0; i < entries->count; i++) {
		const struct file_entry *entry = &entries->list[i];
		if (entry->section != out->section) continue;
		set(out, (size_t)(entry->row - out->section->rows), entry->text, FROM_FILE, entry->line);
	}
}

static const char *environment_get(const struct settings_source *source, const char *name) {
	size_t len = strlen(name);
	for (size_t i = 0; source->environment && source->environment[i]; i++)
		if (strncmp(source->environment[i], name, len) == 0 && source->environment[i][len] == '=')
			return source->environment[i] + len + 1;
	return NULL;
}

static void load_credential(struct settings *out, size_t i, const struct settings_source *source) {
	const char *folder = environment_get(source, "CREDENTIALS_DIRECTORY");
	if (!folder || out->section->rows[i].type != SETTING_SECRET) return;
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, out->section->rows[i].name);
	FILE *file = fopen(path, "re");
	if (!file) return;
	fclose(file);
	set(out, i, path, FROM_CREDENTIAL, 0);
}

static void load_row(struct settings *out, size_t i, const struct settings_source *source) {
	const struct setting *row = &out->section->rows[i];
	char variable[SETTING_VARIABLE_MAX];
	setting_variable(variable, out->section, row);
	const char *flag = source->flag ? source->flag(source->context, row->name) : NULL;
	const char *environment = row->flags & SETTING_FLAG_ONLY ? NULL : environment_get(source, variable);
	if (row->otherwise) set(out, i, row->otherwise, FROM_DEFAULT, 0);
	load_credential(out, i, source);
	if (environment) set(out, i, environment, FROM_ENVIRONMENT, 0);
	if (flag) set(out, i, row->type == SETTING_SWITCH && !*flag ? "yes" : flag, FROM_FLAG, 0);
}

/* A variable that begins as this section's do, and that no setting has. Its value, which may be a secret, is not
 * repeated. */
static void check_variable(
    const struct settings_section *section, const char *name, size_t prefix_len, struct problems *problems) {
	char variables[SETTINGS_MAX][SETTING_VARIABLE_MAX];
	struct word_guess guess = word_guess_make(name + prefix_len);
	for (size_t i = 0; i < section->count; i++) {
		if (section->rows[i].flags & SETTING_FLAG_ONLY) continue;
		setting_variable(variables[i], section, &section->rows[i]);
		if (strcmp(variables[i], name) == 0) return;
		word_guess_try(&guess, variables[i] + prefix_len);
	}
	const char *best = guess.best ? guess.best - prefix_len : NULL;
	problems_add(problems, name, "[%s] has no such setting%s%s%s", section->name, best ? "; did you mean " : "",
	    best ? best : "", best ? "?" : "");
}

static void check_environment(
    const struct settings *settings, const struct settings_source *source, struct problems *problems) {
	char prefix[SETTING_VARIABLE_MAX], name[SETTING_VARIABLE_MAX];
	setting_variable(prefix, settings->section, &(struct setting){.name = ""});
	size_t prefix_len = strlen(prefix);
	for (size_t i = 0; source->environment && source->environment[i]; i++) {
		const char *text = source->environment[i];
		if (strncmp(text, prefix, prefix_len) != 0) continue;
		snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
		check_variable(settings->section, name, prefix_len, problems);
	}
}

/* A credential's file belongs to the service manager, which decides who reads it. */
static void check_row(struct settings *settings, size_t i, struct problems *problems) {
	struct setting row = settings->section->rows[i];
	struct setting_value *value = &settings->values[i];
	if (!value->text) return;
	struct setting_place where = settings_place(settings, row.name);
	if (value->origin == FROM_CREDENTIAL) row.type = SETTING_FILE;
	(void)setting_check(&row, value->text, &value->number, where.text, problems);
}

static void begin(struct settings *out, const struct settings_section *section, const char *file) {
	BUG_ON(section->count > SETTINGS_MAX);
	*out = (struct settings){.section = section};
	arena_init(&out->arena);
	if (file) out->file = arena_strdup(&out->arena, bytes_text(file));
}

static void finish(struct settings *out, const struct settings_source *source, struct problems *problems) {
	size_t before = problems->count;
	check_environment(out, source, problems);
	for (size_t i = 0; i < out->section->count; i++) {
		load_row(out, i, source);
		check_row(out, i, problems);
	}
	/* Contradictions of values that are wrong by themselves would only confuse. */
	if (problems->count == before && out->section->check) out->section->check(out, problems);
}

void settings_load(struct settings *out, const struct settings_source *source, struct problems *problems) {
	begin(out, source->section, source->file);
	if (out->file) {
		struct file_entries entries;
		settings_read_file(&entries, &out->arena, out->file, source->sections, problems);
		take_entries(out, &entries);
	}
	finish(out, source, problems);
}

void settings_fini(struct settings *settings) {
	arena_fini(&settings->arena);
}

/* --- getting --- */

static const struct setting_value *value_of(const struct settings *settings, const char *name) {
	return &settings->values[settings_index(settings->section, name)];
}

const char *settings_text(const struct settings *settings, const char *name) {
	return value_of(settings, name)->text;
}

uint64_t settings_number(const struct settings *settings, const char *name) {
	return value_of(settings, name)->number;
}

bool settings_is_on(const struct settings *settings, const char *name) {
	return value_of(settings, name)->number != 0;
}

bool settings_is_given(const struct settings *settings, const char *name) {
	const struct setting_value *value = value_of(settings, name);
	return value->text && value->origin != FROM_DEFAULT;
}

const char *const *settings_list(struct settings *settings, const char *name) {
	const char *text = settings_text(settings, name);
	if (!text) return NULL;
	char *rest = arena_strdup(&settings->arena, bytes_text(text));
	const char **list = arena_zalloc(&settings->arena, strlen(rest) + 2, sizeof *list);
	size_t count = 0;
	for (char *part; (part = strsep(&rest, ", \t")) != NULL;)
		if (*part) list[count++] = part;
	return list;
}

/* --- a whole file --- */

static bool has_section(const struct file_entries *entries, const struct settings_section *section) {
	for (size_t i = 0; i < entries->count; i++)
		if (entries->list[i].section == section) return true;
	return false;
}

static bool ends_with(const char *text, const char *end) {
	size_t len = strlen(text), end_len = strlen(end);
	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A port that a process listens on: 0 means none, or any free one. */
struct taken_port {
	const char *section, *name, *address;
	uint64_t port;
};

/* The address of http-port is http-addr. */
static const char *address_of_port(const struct settings *settings, const char *port_name) {
	char name[64];
	snprintf(name, sizeof name, "%.*saddr", (int)(strlen(port_name) - strlen("port")), port_name);
	const char *address = settings_row(settings->section, name) ? settings_text(settings, name) : NULL;
	return address ? address : "127.0.0.1";
}

#define PORTS_MAX 32u

static void check_ports(struct taken_port *taken, size_t *count, struct settings *settings, struct problems *problems) {
	for (size_t i = 0; i < settings->section->count; i++) {
		const struct setting *row = &settings->section->rows[i];
		uint64_t port = settings->values[i].number;
		if (row->type != SETTING_PORT || !ends_with(row->name, "port") || port == 0) continue;
		struct taken_port mine = {
		    settings->section->name, row->name, address_of_port(settings, row->name), port};
		for (size_t j = 0; j < *count; j++) {
			if (taken[j].port != port || strcmp(taken[j].address, mine.address) != 0) continue;
			struct setting_place where = settings_place(settings, row->name);
			problems_add(problems, settings->values[i].origin == FROM_DEFAULT ? settings->file : where.text,
			    "%s of [%s] is %llu, and so is %s of [%s]: a port is taken once", row->name, mine.section,
			    (unsigned long long)port, taken[j].name, taken[j].section);
		}
		if (*count < PORTS_MAX) taken[(*count)++] = mine;
	}
}

void settings_check_file(const char *path, const struct settings_section *const *sections, struct problems *problems) {
	struct arena arena;
	arena_init(&arena);
	struct file_entries entries;
	struct taken_port taken[PORTS_MAX];
	size_t taken_count = 0;
	settings_read_file(&entries, &arena, path, sections, problems);
	for (size_t i = 0; sections[i]; i++) {
		if (!has_section(&entries, sections[i])) continue;
		struct settings settings;
		begin(&settings, sections[i], path);
		take_entries(&settings, &entries);
		finish(&settings, &(struct settings_source){.section = sections[i]}, problems);
		check_ports(taken, &taken_count, &settings, problems);
		/* The ports' addresses are borrowed to the end. */
		for (size_t j = 0; j < taken_count; j++)
			taken[j].address = arena_strdup(&arena, bytes_text(taken[j].address));
		settings_fini(&settings);
	}
	arena_fini(&arena);
}
