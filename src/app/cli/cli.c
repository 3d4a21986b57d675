/* Parsing the command line, and the run of one command. Help is in help.c, the report's layout in report.c. */
#include "app/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/cli/cli_request.h"
#include "app/cli/help.h"
#include "app/cli/report.h"
#include "app/system.h"
#include "app/version.h"
#include "codec/hex.h"
#include "health/contracts/cause.h"

#define REPORT_MAX ((size_t)256 << 20)

#define HOME_OPTION_BASE (CLI_OPTIONS_MAX - HELP_HOME_OPTION_COUNT)

/* --- options --- */

/* The place of an option's value; -1 if the command has no option of that name. */
static int option_index(const struct cli_command *command, const char *name) {
	for (int i = 0; i < HOME_OPTION_BASE && command->options[i].name; i++)
		if (strcmp(command->options[i].name, name) == 0) return i;
	for (int i = 0; command->needs_home && i < HELP_HOME_OPTION_COUNT; i++)
		if (strcmp(help_home_options[i].name, name) == 0) return HOME_OPTION_BASE + i;
	const struct setting *row = command->settings ? settings_row(command->settings, name) : NULL;
	return row ? CLI_OPTIONS_MAX + (int)(row - command->settings->rows) : -1;
}

static bool takes_value(const struct cli_command *command, int index) {
	if (index >= CLI_OPTIONS_MAX) return command->settings->rows[index - CLI_OPTIONS_MAX].value != NULL;
	if (index >= HOME_OPTION_BASE) return help_home_options[index - HOME_OPTION_BASE].value != NULL;
	return command->options[index].value != NULL;
}

const char *cli_value(const struct cli *cli, const char *name) {
	int index = option_index(cli->command, name);
	BUG_ON(index < 0);
	return cli->values[index];
}

const char *cli_setting(const void *cli, const char *name) {
	int index = option_index(((const struct cli *)cli)->command, name);
	return index < 0 ? NULL : ((const struct cli *)cli)->values[index];
}

bool cli_flag(const struct cli *cli, const char *name) {
	return cli_value(cli, name) != NULL;
}

enum status cli_need(const struct cli *cli, const char **out, const char *name, struct err *err) {
	*out = cli_value(cli, name);
	if (*out) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "--%s is needed; see: xinglin %s --help", name, cli->command->name);
}

enum status cli_u64(const struct cli *cli, uint64_t *out, const char *name, uint64_t otherwise, struct err *err) {
	const char *text = cli_value(cli, name);
	*out = otherwise;
	if (!text) return STATUS_OK;
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || end == text || text[0] == '-')
		return err_set(err, STATUS_INVALID, "--%s takes a whole number, not \"%s\"", name, text);
	*out = value;
	return STATUS_OK;
}

static enum status fixed(const struct cli *cli, uint8_t *out, size_t len, const char *name, struct err *err) {
	const char *text;
	TRY(cli_need(cli, &text, name, err));
	if (hex_fixed(out, len, bytes_text(text)) == STATUS_OK) return STATUS_OK;
	return err_set(
	    err, STATUS_INVALID, "--%s takes \"0x\" and %zu hexadecimal digits, not \"%s\"", name, 2 * len, text);
}

enum status cli_hash(const struct cli *cli, hash32 *out, const char *name, struct err *err) {
	return fixed(cli, out->b, sizeof out->b, name, err);
}

enum status cli_address(const struct cli *cli, addr20 *out, const char *name, struct err *err) {
	return fixed(cli, out->b, sizeof out->b, name, err);
}

bool cli_next_part(struct bytes *part, struct bytes *rest) {
	size_t len = 0;
	if (!rest->len) return false;
	while (len < rest->len && rest->data[len] != ',') len++;
	*part = bytes_slice(*rest, 0, len);
	*rest = bytes_slice(*rest, len + 1, rest->len);
	return true;
}

enum status cli_addresses(
    struct cli *cli, const addr20 **out, size_t *count, const char *name, size_t max, struct err *err) {
	struct bytes part, rest = bytes_text(cli_value(cli, name) ? cli_value(cli, name) : "");
	addr20 *all = arena_zalloc(&cli->arena, rest.len / 40 + 1, sizeof *all); /* digits */
	*count = 0;
	*out = all;
	while (cli_next_part(&part, &rest)) {
		if (*count == max) return err_set(err, STATUS_LIMIT, "--%s takes at most %zu addresses", name, max);
		if (hex_fixed(all[*count].b, sizeof all->b, part) != STATUS_OK)
			return err_set(err, STATUS_INVALID, "--%s takes addresses with commas between", name);
		++*count;
	}
	return STATUS_OK;
}

/* --- finding and running --- */

/* The first `count` arguments, with a blank between. */
static void join_words(char out[HELP_NAME_MAX], char **words, int count) {
	size_t len = 0;
	out[0] = 0;
	for (int i = 0; i < count && len < HELP_NAME_MAX; i++)
		len += (size_t)snprintf(out + len, HELP_NAME_MAX - len, "%s%s", i ? " " : "", words[i]);
}

/* How many of the arguments may name a command: options begin with "-". */
static int count_words(int argc, char **argv) {
	int words = 0;
	while (words < argc && words < HELP_WORDS_MAX && argv[words][0] != '-') words++;
	return words;
}

/* Commands have one word to three; `*used` says how many. */
static const struct cli_command *find_command(int argc, char **argv, int *used) {
	char name[HELP_NAME_MAX];
	for (*used = count_words(argc, argv); *used > 0; (*used)--) {
		join_words(name, argv, *used);
		for (const struct cli_group *group = cli_groups; group->title; group++)
			for (size_t i = 0; group->commands[i]; i++)
				if (strcmp(group->commands[i]->name, name) == 0) return group->commands[i];
	}
	return NULL;
}

static enum status unknown_option(const struct cli_command *command, const char *name, struct err *err) {
	const char *nearest = help_nearest_option(command, name);
	if (nearest) return err_set(err, STATUS_INVALID, "there is no option --%s; did you mean --%s?", name, nearest);
	return err_set(err, STATUS_INVALID, "there is no option --%s; see: xinglin %s --help", name, command->name);
}

static enum status parse_option(struct cli *cli, int argc, char **argv, int *at, struct err *err) {
	const char *name = argv[*at] + 2;
	if (strcmp(name, "json") == 0) {
		cli->json = true;
		return STATUS_OK;
	}
	int index = option_index(cli->command, name);
	if (index < 0) return unknown_option(cli->command, name, err);
	if (cli->values[index]) return err_set(err, STATUS_INVALID, "%s is given twice", argv[*at]);
	if (!takes_value(cli->command, index)) {
		cli->values[index] = "";
		return STATUS_OK;
	}
	if (*at + 1 >= argc) return err_set(err, STATUS_INVALID, "%s needs a value", argv[*at]);
	cli->values[index] = argv[++*at];
	return STATUS_OK;
}

static enum status parse(struct cli *cli, int argc, char **argv, int at, struct err *err) {
	const char **arguments = arena_zalloc(&cli->arena, (size_t)argc + 1, sizeof *arguments);
	for (; at < argc; at++) {
		if (strncmp(argv[at], "--", 2) == 0 && argv[at][2])
			TRY(parse_option(cli, argc, argv, &at, err));
		else
			arguments[cli->argument_count++] = argv[at];
	}
	cli->arguments = arguments;
	if (cli->argument_count < cli->command->arguments_min || cli->argument_count > cli->command->arguments_max)
		return err_set(err, STATUS_INVALID, "usage: xinglin %s %s; see: xinglin %s --help", cli->command->name,
		    cli->command->arguments, cli->command->name);
	return STATUS_OK;
}

static int exit_code_of(enum status status) {
	switch (status) {
	case STATUS_OK: return EXIT_DONE;
	case STATUS_INVALID: return EXIT_USAGE;
	case STATUS_DENIED:
	case STATUS_EXISTS:
	case STATUS_LIMIT: return EXIT_REFUSED;
	case STATUS_NOTFOUND:
	case STATUS_PRUNED: return EXIT_NOT_FOUND;
	case STATUS_BUSY:
	case STATUS_TIMEOUT:
	case STATUS_IO:
	case STATUS_CORRUPT:
	case STATUS_UNSUPPORTED:
	case STATUS_INTERNAL:
	case STATUS_COUNT: return EXIT_FAILED;
	}
	return EXIT_FAILED;
}

static enum status run(struct cli *cli, struct err *err) {
	if (cli->command->needs_home) TRY(cli_request_open(cli, err));
	json_object_begin(&cli->writer, NULL);
	TRY(cli->command->run(cli, err));
	json_object_end(&cli->writer);
	return buf_status(&cli->report, err);
}

static int finish(struct cli *cli, enum status status, const struct err *err) {
	if (status != STATUS_OK && err->cause == CAUSE_NOT_PROVED) status = STATUS_DENIED; /* whatever the node sent */
	int code = status == STATUS_OK ? cli->exit_code : exit_code_of(status);
	progress_line_end(&cli->progress);
	if (status != STATUS_OK)
		report_failure(cli, status, err, code);
	else if (!cli->has_reported)
		report_print(cli);
	if (fflush(stdout) != 0 && code == EXIT_DONE) code = EXIT_FAILED;
	cli_request_close(cli);
	buf_wipe(&cli->report);
	arena_fini(&cli->arena);
	return code;
}

static bool has_argument(int argc, char **argv, const char *name) {
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], name) == 0) return true;
	return false;
}

static bool wants_help(int argc, char **argv) {
	return has_argument(argc, argv, "--help") || has_argument(argc, argv, "-h");
}

/* No command was named: everything, a group, or a mistake. */
static int help_without_command(int argc, char **argv, bool asked) {
	char name[HELP_NAME_MAX];
	join_words(name, argv, count_words(argc, argv));
	if (!name[0] && (argc == 0 || asked)) {
		help_all(stdout);
		return EXIT_DONE;
	}
	if (asked && help_group(stdout, name)) return EXIT_DONE;
	help_unknown_command(name[0] ? name : argv[0]);
	return EXIT_USAGE;
}

static int run_command(struct cli *cli, int argc, char **argv, int used) {
	struct err err = {0};
	arena_init(&cli->arena);
	buf_init(&cli->report, REPORT_MAX);
	cli->writer = json_writer(&cli->report);
	world_start(getenv("XINGLIN_DEBUG") ? LOG_DEBUG : LOG_INFO);
	enum status status = parse(cli, argc, argv, used, &err);
	if (status == STATUS_OK) status = run(cli, &err);
	return finish(cli, status, &err);
}

int cli_run_unlocked(int argc, char **argv, const struct home *home) {
	int used = 0;
	struct cli cli = {.command = find_command(argc - 1, argv + 1, &used), .unlocked = home};
	const struct cli_command *command = cli.command;
	if (!command || !command->needs_home || command->settings || command->by_itself) return CLI_NOT_RUN;
	if (wants_help(argc - 1, argv + 1) || (command->arguments_max == 0 && count_words(argc - 1, argv + 1) > used))
		return CLI_NOT_RUN;
	return run_command(&cli, argc - 1, argv + 1, used);
}

int cli_main(int argc, char **argv) {
	int used = 0;
	argc--; /* the program's own name */
	argv++;
	bool asked = wants_help(argc, argv);
	if (argc && strcmp(argv[0], "help") == 0) {
		asked = true;
		argc--;
		argv++;
	}
	if (argc == 1 && (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0)) {
		puts("xinglin " XINGLIN_VERSION);
		return EXIT_DONE;
	}
	struct cli cli = {.command = find_command(argc, argv, &used)};
	bool is_deeper = cli.command && cli.command->arguments_max == 0 && count_words(argc, argv) > used;
	if (!cli.command || is_deeper) return help_without_command(argc, argv, asked);
	if (asked) {
		help_command(cli.command);
		return EXIT_DONE;
	}
	return run_command(&cli, argc, argv, used);
}
