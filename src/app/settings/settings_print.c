/* The faces of a table of settings: --help, the sample file, the table of docs/operations.md. */
#include <stdio.h>

#include "app/settings/settings.h"

static void put_range(struct buf *out, const struct setting *row) {
	if (row->max == UINT64_MAX)
		buf_printf(out, "at least %llu", (unsigned long long)row->min);
	else
		buf_printf(out, "%llu to %llu", (unsigned long long)row->min, (unsigned long long)row->max);
}

/* What a person must know beside the help: "1 to 3600000; default 5000". */
static void put_facts(struct buf *out, const struct setting *row) {
	const char *before = "";
	if (row->type == SETTING_NUMBER) {
		put_range(out, row);
		before = "; ";
	}
	if (row->type == SETTING_CHOICE) {
		for (const char *at = row->choices; *at; at++)
			*at == '|' ? buf_text(out, ", ") : buf_byte(out, (uint8_t)*at);
		before = "; ";
	}
	if (row->type == SETTING_SWITCH) return;
	if (row->otherwise) buf_printf(out, "%sdefault %s", before, row->otherwise);
}

static void put_help(struct buf *out, const struct setting *row) {
	struct buf facts;
	buf_init(&facts, 4096);
	put_facts(&facts, row);
	buf_text(out, row->help);
	if (facts.len) buf_printf(out, " (%s)", buf_cstr(&facts));
	buf_fini(&facts);
}

void settings_print_help(struct buf *out, const struct settings_section *section) {
	for (size_t i = 0; i < section->count; i++) {
		const struct setting *row = &section->rows[i];
		char left[64];
		snprintf(left, sizeof left, "--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
		buf_printf(out, "  %-26s ", left);
		put_help(out, row);
		buf_byte(out, '\n');
	}
}

#define SAMPLE_WIDTH 100u

/* A comment, wrapped at words. */
static void put_comment(struct buf *out, const char *text) {
	for (const char *at = text; *at;) {
		size_t len = strlen(at);
		if (len > SAMPLE_WIDTH - 2) {
			len = SAMPLE_WIDTH - 2;
			while (len > 0 && at[len] != ' ') len--;
			if (len == 0) len = strcspn(at, " "); /* a word that is longer stands alone */
		}
		buf_printf(out, "# %.*s\n", (int)len, at);
		at += len + (at[len] == ' ');
	}
}

void settings_print_sample(struct buf *out, const struct settings_section *section) {
	put_comment(out, section->title);
	buf_printf(out, "[%s]\n", section->name);
	for (size_t i = 0; i < section->count; i++) {
		const struct setting *row = &section->rows[i];
		if (row->flags & SETTING_FLAG_ONLY) continue;
		struct buf help;
		buf_init(&help, 4096);
		put_help(&help, row);
		if (row->flags & SETTING_RELOADS) buf_text(&help, " [changed by a reload]");
		buf_byte(out, '\n');
		put_comment(out, buf_cstr(&help));
		buf_fini(&help);
		const char *sample = row->otherwise ? row->otherwise : row->type == SETTING_SWITCH ? "no" : "";
		buf_printf(out, "#%s =%s%s\n", row->name, *sample ? " " : "", sample);
	}
}

void settings_print_markdown(struct buf *out, const struct settings_section *section) {
	buf_printf(out, "| `[%s]` | default | range | reload | |\n|---|---|---|---|---|\n", section->name);
	for (size_t i = 0; i < section->count; i++) {
		const struct setting *row = &section->rows[i];
		buf_printf(out, "| `%s%s` | %s | ", row->flags & SETTING_FLAG_ONLY ? "--" : "", row->name,
		    row->otherwise                ? row->otherwise
		    : row->type == SETTING_SWITCH ? "no"
						  : "");
		if (row->type == SETTING_NUMBER) put_range(out, row);
		for (const char *at = row->type == SETTING_CHOICE ? row->choices : ""; *at; at++)
			*at == '|' ? buf_text(out, ", ") : buf_byte(out, (uint8_t)*at);
		buf_printf(out, " | %s | %s |\n", row->flags & SETTING_RELOADS ? "yes" : "", row->help);
	}
}
