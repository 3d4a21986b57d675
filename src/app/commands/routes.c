/* xinglin routes: what nodes and gateways serve over HTTP, from the tables that they route by. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "app/serve/ops.h"
#include "health/gateway/epcis_routes.h"
#include "health/gateway/fhir_routes.h"
#include "health/gateway/gateway.h"
#include "ledger/blob/blob.h"
#include "ledger/rpc/rpc.h"

struct part {
	const char *server;
	const struct route *rows;
	size_t count;
};

#define PARTS_COUNT 9u

static void parts_of(struct part parts[PARTS_COUNT]) {
	const struct part all[PARTS_COUNT] = {{"node", rpc_routes, rpc_route_count},
	    {"node", blob_routes, blob_route_count}, {"node", blob_store_routes, blob_store_route_count},
	    {"node", ops_routes, OPS_HEALTH_COUNT}, {"gateway", gateway_routes, gateway_route_count},
	    {"gateway", fhir_routes, fhir_route_count}, {"gateway", epcis_routes, epcis_route_count},
	    {"gateway", gateway_open_routes, GATEWAY_OPEN_ROUTE_COUNT}, {"gateway", ops_routes, OPS_ALL_COUNT}};
	memcpy(parts, all, sizeof all);
}

static const char *or_empty(const char *text) {
	return text ? text : "";
}

static const char *gzip_of(const struct route *row) {
	static const char *const names[] = {"", "answers", "bodies", "both"};
	return names[row->gzip & HTTP_GZIP_BOTH];
}

static void print_markdown(const struct part *part, const struct route *row) {
	printf("| %s | `%s %s` | %s%s%s | %s | %s |\n", part->server, http_method_name(row->method), row->path,
	    row->accepts ? "`" : "", or_empty(row->accepts), row->accepts ? "`" : "", gzip_of(row), row->doc);
}

static void print_line(const struct part *part, const struct route *row) {
	printf("%-8s %-5s %s\n    %s\n", part->server, http_method_name(row->method), row->path, row->doc);
}

static void put_json(struct cli *cli, const struct part *part, const struct route *row) {
	json_object_begin(&cli->writer, NULL);
	cli_put_text(cli, "server", part->server);
	cli_put_text(cli, "method", http_method_name(row->method));
	cli_put_text(cli, "path", row->path);
	cli_put_text(cli, "accepts", or_empty(row->accepts));
	cli_put_text(cli, "gzip", gzip_of(row));
	cli_put_text(cli, "doc", row->doc);
	json_object_end(&cli->writer);
}

static enum status cmd_routes(struct cli *cli, struct err *err) {
	struct part parts[PARTS_COUNT];
	const bool is_markdown = cli_flag(cli, "markdown");
	if (cli->json && is_markdown)
		return err_set(err, STATUS_INVALID, "--json and --markdown are two ways to print one table: take one");
	parts_of(parts);
	if (is_markdown) puts("| server | request | body | gzip | what it does |\n|---|---|---|---|---|");
	if (cli->json) json_array_begin(&cli->writer, "routes");
	for (const struct part *part = parts; part < parts + PARTS_COUNT; part++) {
		for (const struct route *row = part->rows; row < part->rows + part->count; row++) {
			if (cli->json)
				put_json(cli, part, row);
			else if (is_markdown)
				print_markdown(part, row);
			else
				print_line(part, row);
		}
	}
	if (cli->json) json_array_end(&cli->writer);
	return STATUS_OK;
}

const struct cli_command command_routes = {
    .name = "routes",
    .arguments = "",
    .summary = "list the HTTP routes that nodes and gateways serve",
    .teach =
	"The list is made from the tables that they route by. A name in braces stands for one part of the path.\n\n"
	"  xinglin routes\n"
	"  xinglin routes --json",
    .options = {{"markdown", NULL, "as a table for docs/api.md"}},
    .run = cmd_routes,
};
