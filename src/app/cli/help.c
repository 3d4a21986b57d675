#include "app/cli/help.h"

#include <string.h>

#define NAME_WIDTH 18
#define OPTION_WIDTH 26 /* columns */

const struct cli_option help_home_options[] = {
    {"home", "DIR", "the actor's data folder (or XINGLIN_HOME)"},
    {"password-file", "FILE", "a file whose first line opens the wallet (or XINGLIN_PASSWORD)"},
    {"rpc", "URL", "ask this node instead of the deployment's"},
};

/* --- pages --- */

static void print_line(FILE *out, const struct cli_command *command) {
	fprintf(out, "  %-*s %s\n", NAME_WIDTH, command->name, command->summary);
}

void help_all(FILE *out) {
	fputs("xinglin: health data that is safe to share, on an Ethereum-compatible ledger\n\n"
	      "usage: xinglin COMMAND [options]\n"
	      "       xinglin COMMAND --help    what the command does, with an example\n"
	      "       xinglin pack --help       the commands that begin with a word\n"
	      "       xinglin --version\n",
	    out);
	for (const struct cli_group *group = cli_groups; group->title; group++) {
		fprintf(out, "\n%s\n", group->title);
		for (size_t i = 0; group->commands[i]; i++) print_line(out, group->commands[i]);
	}
	fputs("\nexit codes: 0 done, 1 failed, 2 wrong use, 3 refused, 4 not found, 5 not proven\n", out);
}

static bool begins_with_word(const char *text, const char *word) {
	size_t len = strlen(word);
	return strncmp(text, word, len) == 0 && text[len] == ' ';
}

bool help_group(FILE *out, const char *name) {
	bool any = false;
	for (const struct cli_group *group = cli_groups; group->title; group++)
		for (size_t i = 0; group->commands[i]; i++) {
			const struct cli_command *command = group->commands[i];
			if (!begins_with_word(command->name, name)) continue;
			if (!any) fprintf(out, "the commands of xinglin %s:\n\n", name);
			any = true;
			print_line(out, command);
		}
	if (any) fprintf(out, "\neach has a --help of its own, with an example\n");
	return any;
}

/* How many blanks fill the text, UTF-8, up to so many columns; 0: it is as wide as that. */
static int blanks_after(const char *text, int width) {
	for (; *text && width > 0; text++)
		if (((unsigned char)*text & 0xc0) != 0x80) width--;
	return width;
}

static void print_options(const struct cli_option *options, size_t count) {
	for (size_t i = 0; i < count && options[i].name; i++) {
		char left[48];
		snprintf(left, sizeof left, "--%s%s%s", options[i].name, options[i].value ? " " : "",
		    options[i].value ? options[i].value : "");
		printf("  %s%*s %s\n", left, blanks_after(left, OPTION_WIDTH), "", options[i].help);
	}
}

static void print_settings(const struct settings_section *section) {
	struct buf text;
	buf_init(&text, 1 << 16);
	settings_print_help(&text, section);
	fputs(buf_cstr(&text), stdout);
	buf_fini(&text);
}

void help_command(const struct cli_command *command) {
	printf("xinglin %s%s%s: %s\n\n%s\n\noptions:\n", command->name, command->arguments[0] ? " " : "",
	    command->arguments, command->summary, command->teach);
	print_options(command->options, CLI_OPTIONS_MAX);
	if (command->settings) print_settings(command->settings);
	if (command->needs_home) print_options(help_home_options, HELP_HOME_OPTION_COUNT);
	printf("  %-*s %s\n  %-*s %s\n", OPTION_WIDTH, "--json", "the report as JSON, for programs", OPTION_WIDTH,
	    "--help", "this page");
}

/* --- what may have been meant --- */

static unsigned least(unsigned a, unsigned b) {
	return a < b ? a : b;
}

/* How many letters to insert, remove, replace or swap with their neighbour until `a` is `b` (optimal string alignment).
 * Texts of HELP_NAME_MAX and more are far from everything. */
static unsigned distance(const char *a, const char *b) {
	unsigned rows[3][HELP_NAME_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);
	if (a_len > HELP_NAME_MAX || b_len > HELP_NAME_MAX) return HELP_NAME_MAX;
	for (size_t j = 0; j <= b_len; j++) rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		const unsigned *above = rows[(i - 1) % 3];
		unsigned *row = rows[i % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

/* One slip in a short name, two in a longer one. */
static unsigned slips_allowed(const char *name) {
	return strlen(name) < 5 ? 1 : 2;
}

static size_t count_words(const char *text) {
	size_t words = 1;
	for (; *text; text++) words += *text == ' ';
	return words;
}

/* The first words of a text, as many as asked for. */
static void first_words(char out[HELP_NAME_MAX], const char *text, size_t words) {
	size_t len = 0;
	for (; text[len] && len < HELP_NAME_MAX - 1; len++) {
		if (text[len] == ' ' && --words == 0) break;
		out[len] = text[len];
	}
	out[len] = 0;
}

/* Words behind the command's own name are its arguments, if it takes any. */
static const struct cli_command *nearest_command(const char *name) {
	const struct cli_command *best = NULL;
	unsigned best_distance = HELP_NAME_MAX;
	for (const struct cli_group *group = cli_groups; group->title; group++)
		for (size_t i = 0; group->commands[i]; i++) {
			const struct cli_command *command = group->commands[i];
			char typed[HELP_NAME_MAX];
			if (command->arguments_max == 0 && count_words(name) > count_words(command->name)) continue;
			first_words(typed, name, count_words(command->name));
			unsigned slips = distance(typed, command->name);
			if (slips > slips_allowed(typed) || slips >= best_distance) continue;
			best_distance = slips;
			best = command;
		}
	return best;
}

void help_unknown_command(const char *name) {
	char word[HELP_NAME_MAX];
	if (help_group(stderr, name)) return;
	const struct cli_command *nearest = nearest_command(name);
	fprintf(stderr, "xinglin: there is no command \"%s\"; %s: xinglin %s\n", name, nearest ? "did you mean" : "see",
	    nearest ? nearest->name : "--help");
	first_words(word, name, 1);
	if (!nearest) help_group(stderr, word);
}

const char *help_nearest_option(const struct cli_command *command, const char *name) {
	const char *best = NULL;
	unsigned best_distance = slips_allowed(name) + 1;
	const struct cli_option *lists[] = {command->options, command->needs_home ? help_home_options : NULL};
	const size_t counts[] = {CLI_OPTIONS_MAX, HELP_HOME_OPTION_COUNT};
	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; lists[l] && i < counts[l] && lists[l][i].name; i++) {
			unsigned slips = distance(name, lists[l][i].name);
			if (slips >= best_distance) continue;
			best_distance = slips;
			best = lists[l][i].name;
		}
	for (size_t i = 0; command->settings && i < command->settings->count; i++) {
		unsigned slips = distance(name, command->settings->rows[i].name);
		if (slips >= best_distance) continue;
		best_distance = slips;
		best = command->settings->rows[i].name;
	}
	return best;
}
