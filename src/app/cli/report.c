/* A report is JSON; a person sees the same members as aligned lines. */
#include "app/cli/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "app/cli/remedies.h"

void cli_put_text(struct cli *cli, const char *name, const char *text) {
	json_put_text(&cli->writer, name, text);
}

void cli_put_bytes(struct cli *cli, const char *name, struct bytes text) {
	json_put_string(&cli->writer, name, text);
}

void cli_put_hex(struct cli *cli, const char *name, struct bytes data) {
	json_put_hex(&cli->writer, name, data);
}

void cli_put_address(struct cli *cli, const char *name, const addr20 *address) {
	char text[43];
	address_checksum(text, address);
	json_put_text(&cli->writer, name, text);
}

void cli_put_u64(struct cli *cli, const char *name, uint64_t value) {
	json_put_u64(&cli->writer, name, value);
}

void cli_put_bool(struct cli *cli, const char *name, bool value) {
	json_put_bool(&cli->writer, name, value);
}

void cli_put_time(struct cli *cli, const char *name, uint64_t seconds) {
	time_t at = (time_t)seconds;
	struct tm utc;
	char text[32];
	gmtime_r(&at, &utc);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
	json_put_text(&cli->writer, name, text);
}

void cli_put_receipt(struct cli *cli, const char *name, const struct client_receipt *receipt) {
	json_object_begin(&cli->writer, name);
	cli_put_hex(cli, "transaction", BYTES_OF(receipt->tx_hash));
	cli_put_u64(cli, "block", receipt->block_number);
	cli_put_u64(cli, "gas", receipt->gas_used);
	json_object_end(&cli->writer);
}

void cli_say(struct cli *cli, const char *format, ...) {
	if (cli->json) return;
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void print_scalar(const struct json *value) {
	if (value->type == JSON_STRING)
		printf("%.*s\n", (int)value->text.len, (const char *)value->text.data);
	else
		printf("%.*s\n", (int)value->raw.len, (const char *)value->raw.data);
}

static bool is_scalar(const struct json *value) {
	return value->type != JSON_OBJECT && value->type != JSON_ARRAY;
}

/* Our own reports are at most four deep. */
static void print_members(const struct json *parent, int indent) {
	size_t widest = 0;
	json_foreach (member, parent)
		if (is_scalar(member) && member->name.len > widest) widest = member->name.len;
	size_t number = 0;
	json_foreach (member, parent) {
		number++;
		if (is_scalar(member) && parent->type == JSON_OBJECT)
			printf("%*s%-*.*s  ", indent, "", (int)widest, (int)member->name.len,
			    (const char *)member->name.data);
		else if (is_scalar(member))
			printf("%*s", indent, "");
		else if (parent->type == JSON_OBJECT)
			printf("%*s%.*s:\n", indent, "", (int)member->name.len, (const char *)member->name.data);
		else
			printf("%*s- %zu\n", indent, "", number);
		if (is_scalar(member))
			print_scalar(member);
		else
			print_members(member, indent + 2);
	}
}

void report_print(struct cli *cli) {
	if (cli->json) {
		fwrite(cli->report.data, 1, cli->report.len, stdout);
		putchar('\n');
		return;
	}
	const struct json *root;
	struct err err;
	if (json_parse(&root, &cli->arena, buf_view(&cli->report), NULL, &err) != STATUS_OK) BUG_ON(true);
	print_members(root, 0);
}

void report_failure(struct cli *cli, enum status status, const struct err *err, int exit_code) {
	const char *message = err->message[0] ? err->message : status_text(status),
		   *remedy = remedy_of_cause(err->cause);
	fprintf(stderr, "xinglin %s: %s%s%s\n", cli->command->name, message, *remedy ? "; " : "", remedy);
	if (!cli->json) return;
	buf_clear(&cli->report);
	cli->writer = json_writer(&cli->report);
	json_object_begin(&cli->writer, NULL);
	cli_put_text(cli, "error", message);
	if (*remedy) cli_put_text(cli, "remedy", remedy);
	cli_put_text(cli, "status", status_text(status));
	cli_put_u64(cli, "exitCode", (uint64_t)exit_code);
	json_object_end(&cli->writer);
	fwrite(cli->report.data, 1, cli->report.len, stdout);
	putchar('\n');
}
