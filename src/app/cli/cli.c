/* Parsing the command line, help, and the run of one command. The report's layout is in report.c. */
#include "app/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/cli/cli_request.h"
#include "app/cli/report.h"
#include "app/system.h"
#include "codec/hex.h"

#define REPORT_MAX ((size_t)256 << 20)

static const struct cli_option home_options[] = {
    {"home", "DIR", "the actor's data folder (or XINGLIN_HOME)"},
    {"password-file", "FILE", "whose first line opens the wallet (or XINGLIN_PASSWORD)"},
    {"rpc", "URL", "the node to ask instead of the deployment's"},
};
#define HOME_OPTION_COUNT 3
#define HOME_OPTION_BASE (CLI_OPTIONS_MAX - HOME_OPTION_COUNT)

/* --- options --- */

/* Where an option's value is kept; -1 where the command has none of that name. */
static int option_index(const struct cli_command *command, const char *name) {
	for (int i = 0; i < HOME_OPTION_BASE && command->options[i].name; i++)
		if (strcmp(command->options[i].name, name) == 0) return i;
	for (int i = 0; command->needs_home && i < HOME_OPTION_COUNT; i++)
		if (strcmp(home_options[i].name, name) == 0) return HOME_OPTION_BASE + i;
	const struct setting *row = command->settings ? settings_row(command->settings, name) : NULL;
	return row ? CLI_OPTIONS_MAX + (int)(row - command->settings->rows) : -1;
}

static bool takes_value(const struct cli_command *command, int index) {
	if (index >= CLI_OPTIONS_MAX) return command->settings->rows[index - CLI_OPTIONS_MAX].value != NULL;
	if (index >= HOME_OPTION_BASE) return home_options[index - HOME_OPTION_BASE].value != NULL;
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

/* --- help --- */

static void print_options(const struct cli_option *options, size_t count) {
	for (size_t i = 0; i < count && options[i].name; i++) {
		char left[48];
		snprintf(left, sizeof left, "--%s%s%s", options[i].name, options[i].value ? " " : "",
		    options[i].value ? options[i].value : "");
		printf("  %-26s %s\n", left, options[i].help);
	}
}

static void print_settings(const struct settings_section *section) {
	struct buf text;
	buf_init(&text, 1 << 16);
	settings_print_help(&text, section);
	fputs(buf_cstr(&text), stdout);
	buf_fini(&text);
}

static void print_command_help(const struct cli_command *command) {
	printf("xinglin %s%s%s: %s\n\n%s\n\noptions:\n", command->name, command->arguments[0] ? " " : "",
	    command->arguments, command->summary, command->teach);
	print_options(command->options, CLI_OPTIONS_MAX);
	if (command->settings) print_settings(command->settings);
	if (command->needs_home) print_options(home_options, HOME_OPTION_COUNT);
	printf("  %-26s %s\n  %-26s %s\n", "--json", "the report as JSON, for programs", "--help", "this page");
}

static void print_help(void) {
	puts("xinglin: health data that is safe to share, on an Ethereum-compatible ledger\n\n"
	     "usage: xinglin COMMAND [options]; each command has a --help that teaches\n");
	for (const struct cli_command *const *command = cli_commands; *command; command++)
		printf("  %-18s %s\n", (*command)->name, (*command)->summary);
	puts("\nexit codes: 0 done, 1 failed, 2 wrong use, 3 refused, 4 not found, 5 not proven");
}

/* --- finding and running --- */

/* Commands have one word to three; `*used` says how many. */
static const struct cli_command *find_command(int argc, char **argv, int *used) {
	char name[96];
	for (*used = argc > 3 ? 3 : argc - 1; *used > 0; (*used)--) {
		snprintf(name, sizeof name, "%s%s%s%s%s", argv[1], *used > 1 ? " " : "", *used > 1 ? argv[2] : "",
		    *used > 2 ? " " : "", *used > 2 ? argv[3] : "");
		for (const struct cli_command *const *command = cli_commands; *command; command++)
			if (strcmp((*command)->name, name) == 0) return *command;
	}
	return NULL;
}

static enum status parse_option(struct cli *cli, int argc, char **argv, int *at, struct err *err) {
	const char *name = argv[*at] + 2;
	if (strcmp(name, "json") == 0) {
		cli->json = true;
		return STATUS_OK;
	}
	int index = option_index(cli->command, name);
	if (index < 0)
		return err_set(
		    err, STATUS_INVALID, "unknown option %s; see: xinglin %s --help", argv[*at], cli->command->name);
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
	case STATUS_NOTFOUND: return EXIT_NOT_FOUND;
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
	int code = status == STATUS_OK ? cli->exit_code : exit_code_of(status);
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

static bool wants_help(int argc, char **argv) {
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
	return false;
}

int cli_main(int argc, char **argv) {
	int used = 0;
	struct cli cli = {.command = find_command(argc, argv, &used)};
	if (!cli.command) {
		bool asked = argc < 2 || wants_help(argc, argv) || strcmp(argv[1], "help") == 0;
		if (asked)
			print_help();
		else
			fprintf(stderr, "xinglin: there is no command \"%s\"; see: xinglin --help\n", argv[1]);
		return asked ? EXIT_DONE : EXIT_USAGE;
	}
	if (wants_help(argc, argv)) {
		print_command_help(cli.command);
		return EXIT_DONE;
	}
	arena_init(&cli.arena);
	buf_init(&cli.report, REPORT_MAX);
	cli.writer = json_writer(&cli.report);
	world_start(getenv("XINGLIN_DEBUG") ? LOG_DEBUG : LOG_INFO);
	struct err err = {""};
	enum status status = parse(&cli, argc, argv, 1 + used, &err);
	if (status == STATUS_OK) status = run(&cli, &err);
	return finish(&cli, status, &err);
}
