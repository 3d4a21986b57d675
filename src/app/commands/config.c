/* xinglin config: the configuration file of services, checked and shown. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "app/serve/sections.h"

#define PRINTED_MAX ((size_t)1 << 20)

static void print_problems(const struct problems *problems) {
	for (size_t i = 0; i < problems_kept(problems); i++)
		printf("%s: %s\n", problems->list[i].where, problems->list[i].what);
	if (problems->count == 0)
		puts("the configuration has no mistakes");
	else
		printf("%zu mistake%s\n", problems->count, problems->count == 1 ? "" : "s");
}

static void put_problems(struct cli *cli, const struct problems *problems) {
	json_array_begin(&cli->writer, "problems");
	for (size_t i = 0; i < problems_kept(problems); i++) {
		json_object_begin(&cli->writer, NULL);
		cli_put_text(cli, "where", problems->list[i].where);
		cli_put_text(cli, "what", problems->list[i].what);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
}

static enum status cmd_config_check(struct cli *cli, struct err *err) {
	(void)err;
	struct problems problems;
	problems_init(&problems);
	settings_check_file(cli->arguments[0], service_sections, &problems);
	if (problems.count) cli->exit_code = EXIT_USAGE;
	if (cli->json) {
		put_problems(cli, &problems);
	} else {
		print_problems(&problems);
		cli->has_reported = true;
	}
	problems_fini(&problems);
	return STATUS_OK;
}

const struct cli_command command_config_check = {
    .name = "config check",
    .arguments = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "report every mistake in a configuration file, with its line",
    .teach = "Unknown names, wrong values, files that are missing or that others may read, a port that is taken\n"
	     "twice, settings that contradict each other. Nothing is started. Exit code 2: there are mistakes.\n\n"
	     "  xinglin config check /etc/xinglin/xinglin.conf",
    .run = cmd_config_check,
};

static enum status print_sections(
    struct cli *cli, void (*print)(struct buf *, const struct settings_section *), struct err *err) {
	struct buf text;
	buf_init(&text, PRINTED_MAX);
	for (size_t i = 0; service_sections[i]; i++) {
		if (i) buf_byte(&text, '\n');
		print(&text, service_sections[i]);
	}
	enum status status = buf_status(&text, err);
	if (status == STATUS_OK) fputs(buf_cstr(&text), stdout);
	buf_fini(&text);
	cli->has_reported = true;
	return status;
}

static enum status cmd_config_sample(struct cli *cli, struct err *err) {
	return print_sections(cli, settings_print_sample, err);
}

const struct cli_command command_config_sample = {
    .name = "config sample",
    .arguments = "",
    .summary = "print a commented configuration file in which every setting has its default",
    .teach = "A file of sections, [name], and settings, name = value; lines that begin with # or ; are comments. A\n"
	     "list has commas between, or goes on in indented lines. A flag wins over the environment\n"
	     "(XINGLIN_NODE_HTTP_PORT), the environment over the file.\n\n"
	     "  xinglin config sample > xinglin.conf",
    .run = cmd_config_sample,
};

static enum status cmd_config_table(struct cli *cli, struct err *err) {
	return print_sections(cli, settings_print_markdown, err);
}

const struct cli_command command_config_table = {
    .name = "config table",
    .arguments = "",
    .summary = "print all settings as tables in Markdown",
    .teach = "The tables of docs/operations.md are made from this.\n\n"
	     "  xinglin config table",
    .run = cmd_config_table,
};
