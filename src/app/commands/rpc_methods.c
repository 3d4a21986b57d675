/* xinglin rpc-methods: the table of JSON-RPC methods, as a list, as JSON, or as the table of docs/api.md. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "ledger/rpc/rpc.h"

/* In a code span of a Markdown table. */
static void print_code(const char *text) {
	if (!*text) return;
	putchar('`');
	for (; *text; text++) {
		if (*text == '|') putchar('\\');
		putchar(*text);
	}
	putchar('`');
}

static void print_markdown(void) {
	puts("| method | parameters | what it gives |\n|---|---|---|");
	for (size_t i = 0; i < rpc_method_count(); i++) {
		struct rpc_method_info method = rpc_method_info(i);
		printf("| `%s`%s | ", method.name, method.dev_only ? " †" : method.test_only ? " ‡" : "");
		print_code(method.params);
		printf(" | %s |\n", method.doc);
	}
}

static void print_list(void) {
	for (size_t i = 0; i < rpc_method_count(); i++) {
		struct rpc_method_info method = rpc_method_info(i);
		printf("%s(%s)%s\n    %s\n", method.name, method.params,
		    method.dev_only    ? "  development only"
		    : method.test_only ? "  with --test-methods"
				       : "",
		    method.doc);
	}
}

static void put_json(struct cli *cli) {
	json_array_begin(&cli->writer, "methods");
	for (size_t i = 0; i < rpc_method_count(); i++) {
		struct rpc_method_info method = rpc_method_info(i);
		json_object_begin(&cli->writer, NULL);
		cli_put_text(cli, "name", method.name);
		cli_put_text(cli, "params", method.params);
		cli_put_text(cli, "doc", method.doc);
		cli_put_bool(cli, "devOnly", method.dev_only);
		cli_put_bool(cli, "testOnly", method.test_only);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
}

static enum status cmd_rpc_methods(struct cli *cli, struct err *err) {
	if (cli->json && cli_flag(cli, "markdown"))
		return err_set(err, STATUS_INVALID, "--json and --markdown are two ways to print one table: take one");
	if (cli->json)
		put_json(cli);
	else if (cli_flag(cli, "markdown"))
		print_markdown();
	else
		print_list();
	return STATUS_OK;
}

const struct cli_command command_rpc_methods = {
    .name = "rpc-methods",
    .arguments = "",
    .summary = "list the JSON-RPC methods that a node serves",
    .teach = "The list is made from the table that the node itself dispatches by. Methods marked \"development\n"
	     "only\" are served by `xinglin dev` alone, those marked \"with --test-methods\" by `xinglin node`\n"
	     "with that option.\n\n"
	     "  xinglin rpc-methods\n"
	     "  xinglin rpc-methods --json",
    .options = {{"markdown", NULL, "as a table for docs/api.md"}},
    .run = cmd_rpc_methods,
};
