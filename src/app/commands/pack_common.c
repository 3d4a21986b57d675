/* What the commands about packs share: opening, capturing, reporting. */
#include "app/cli/remedies.h"
#include "app/commands/pack.h"
#include "app/system.h"
#include "health/actors/directory.h"
#include "health/gs1/epc.h"
#include "health/trace/capture.h"
#include "health/trace/products.h"

#define LEFT_BEHIND_MS 30000u

unsigned pack_year(void) {
	return (unsigned)(1970 + clock_now_ms(&world_clock) / 1000 / 31556952);
}

enum status pack_open(struct cli *cli, struct stock *stock, struct err *err) {
	TRY(request_check_chain(&cli->request, err));
	return index_stock(cli->index, stock, &cli->request, err);
}

enum status pack_scan(struct scan *out, const char *text, struct err *err) {
	scan_read(out, bytes_text(text));
	if (out->fault == SCAN_FAULT_NONE) return STATUS_OK;
	return err_set(err, STATUS_DENIED, "%s: %s", scan_fault_name(out->fault), out->advice);
}

const char *pack_epc(struct cli *cli, const struct scan *scan) {
	char text[EPC_TEXT_MAX];
	return epc_digital_link(text, scan) ? arena_strdup(&cli->arena, bytes_text(text)) : "";
}

enum status pack_scans(struct cli *cli, const char ***out, size_t *count, struct plan_prints *prints, struct err *err) {
	const char **epcs = arena_zalloc(&cli->arena, PACK_SCANS_MAX + 1, sizeof *epcs);
	*count = 0;
	for (int i = 0; i < cli->argument_count; i++) {
		struct bytes lines = bytes_text(cli->arguments[i]);
		if (cli->arguments[i][0] == '@')
			TRY(cli_read_file(cli, &lines, cli->arguments[i] + 1, PACK_FILE_MAX, err));
		while (lines.len) {
			size_t len = 0;
			struct scan scan;
			while (len < lines.len && lines.data[len] != '\n') len++;
			const char *line = arena_strdup(&cli->arena, bytes_slice(lines, 0, len));
			lines = bytes_slice(lines, len + 1, lines.len);
			if (!line[0]) continue;
			if (*count == PACK_SCANS_MAX)
				return err_set(err, STATUS_LIMIT, "at most %u scans", PACK_SCANS_MAX);
			TRY(pack_scan(&scan, line, err));
			plan_print_scan(prints, &cli->arena, &scan, 0);
			epcs[(*count)++] = pack_epc(cli, &scan);
		}
	}
	*out = epcs;
	return STATUS_OK;
}

enum status pack_gtin(const struct cli *cli, char out[15], struct err *err) {
	const char *text;
	TRY(cli_need(cli, &text, "gtin", err));
	if (gs1_gtin14(out, bytes_text(text))) return STATUS_OK;
	return err_set(
	    err, STATUS_INVALID, "--gtin takes 8, 12, 13 or 14 digits with their check digit, not \"%s\"", text);
}

enum status pack_lot(
    struct cli *cli, const struct stock *stock, hash32 *out, const char **gtin14, const char **lot, struct err *err) {
	char digits[15];
	TRY(pack_gtin(cli, digits, err));
	TRY(cli_need(cli, lot, "lot", err));
	*gtin14 = arena_strdup(&cli->arena, bytes_text(digits));
	return judge_lot(&cli->request, out, stock, digits, *lot, err);
}

enum status pack_product(struct cli *cli, hash32 *out, struct err *err) {
	struct product product;
	char gtin[15];
	TRY(pack_gtin(cli, gtin, err));
	TRY(product_load(&cli->request, &product, gtin, err));
	*out = product.tag;
	mem_wipe(&product, sizeof product);
	return STATUS_OK;
}

enum status pack_address(const struct cli *cli, addr20 *out, const char *name, struct err *err) {
	*out = (addr20){{0}};
	return cli_value(cli, name) ? cli_address(cli, out, name, err) : STATUS_OK;
}

void pack_put_container(struct cli *cli, const char *code) {
	if (code && code[0]) cli_put_text(cli, strncmp(code, "http", 4) == 0 ? "case" : "sscc", code);
}

void pack_put_actor(struct cli *cli, const char *name, const addr20 *actor) {
	struct directory_listed listed;
	if (addr20_is_zero(actor)) return;
	cli_put_address(cli, name, actor);
	if (directory_find(&cli->request, &listed, actor, NULL) == STATUS_OK)
		cli_put_text(cli, arena_printf(&cli->arena, "%sName", name), listed.name);
}

static void put_unit_names(struct cli *cli, const struct stock *stock, const struct medicines_alert_event *event) {
	struct medicines_unit place = {event->batch, event->index};
	struct stock_unit unit;
	bool found = false;
	if (stock_unit_at(stock, &unit, &found, &place, NULL) != STATUS_OK || !found) return;
	cli_put_text(cli, "gtin", unit.batch.gtin);
	cli_put_text(cli, "serial", unit.unit.serial);
}

void pack_put_alert(struct cli *cli, const struct stock *stock, const struct medicines_alert *alert) {
	json_object_begin(&cli->writer, NULL);
	cli_put_text(cli, "code", medicines_code_name(alert->event.code));
	cli_put_text(cli, "meaning", medicines_code_text(alert->event.code));
	put_unit_names(cli, stock, &alert->event);
	cli_put_hex(cli, "batch", BYTES_OF(alert->event.batch));
	cli_put_u64(cli, "index", alert->event.index);
	pack_put_actor(cli, "by", &alert->event.by);
	pack_put_actor(cli, "other", &alert->event.other);
	cli_put_u64(cli, "block", alert->block_number);
	if (alert->timestamp) cli_put_time(cli, "at", alert->timestamp);
	cli_put_hex(cli, "transaction", BYTES_OF(alert->tx_hash));
	json_object_end(&cli->writer);
}

enum status pack_beside(struct cli *cli, struct stock *stock, struct err *err) {
	const char *path = cli_value(cli, "document");
	struct bytes sealed;
	if (!path) return STATUS_OK;
	struct document *document = arena_zalloc(&cli->arena, 1, sizeof *document);
	TRY(cli_read_file(cli, &sealed, path, PACK_FILE_MAX, err));
	TRY(document_open(&cli->request, document, sealed, err));
	TRY(document_check(&cli->request, document, err));
	stock->beside = document;
	return STATUS_OK;
}

/* --- capturing --- */

static void report(
    struct cli *cli, const struct stock *stock, const struct plan *plan, const struct plan_results *results) {
	enum medicines_code code = MEDICINES_CODE_OK;
	cli_put_hex(cli, "documentHash", BYTES_OF(plan->document.hash));
	json_array_begin(&cli->writer, "captures");
	for (size_t i = 0; i < results->count; i++) {
		json_object_begin(&cli->writer, NULL);
		cli_put_hex(cli, "captureId", BYTES_OF(results->parts[i].id));
		cli_put_bool(cli, "repeated", results->parts[i].repeated);
		if (results->parts[i].receipt.success) cli_put_receipt(cli, "sent", &results->parts[i].receipt);
		json_object_end(&cli->writer);
		if (results->parts[i].code != MEDICINES_CODE_OK) code = results->parts[i].code;
	}
	json_array_end(&cli->writer);
	cli_put_text(cli, "code", medicines_code_name(code));
	json_array_begin(&cli->writer, "alerts");
	for (size_t i = 0; i < results->count; i++)
		for (size_t a = 0; a < results->parts[i].alert_count; a++)
			pack_put_alert(cli, stock, &results->parts[i].alerts[a]);
	json_array_end(&cli->writer);
	json_array_begin(&cli->writer, "notCaptured");
	for (size_t i = 0; i < plan->skipped_count; i++) {
		json_object_begin(&cli->writer, NULL);
		cli_put_u64(cli, "event", plan->skipped[i].event);
		cli_put_text(cli, "why", plan->skipped[i].why);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
	if (code == MEDICINES_CODE_OK) return;
	cli_put_text(cli, "meaning", medicines_code_text(code));
	if (remedy_of_code(code)[0]) cli_put_text(cli, "remedy", remedy_of_code(code));
	cli->exit_code = EXIT_REFUSED;
}

static enum status write_sealed(struct cli *cli, const struct plan *plan, struct err *err) {
	const char *path = cli_value(cli, "out");
	struct buf sealed;
	if (!path) return STATUS_OK;
	buf_init(&sealed, PACK_FILE_MAX);
	enum status status = plan_seal(&cli->request, &sealed, plan, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&sealed), err);
	buf_fini(&sealed);
	if (status == STATUS_OK) cli_put_text(cli, "sealedDocument", path);
	return status;
}

enum status pack_capture(
    struct cli *cli, struct stock *stock, struct bytes epcis, const struct plan_wish *wish, struct err *err) {
	struct epcis_document document;
	struct outbox *outbox;
	struct plan plan;
	TRY(epcis_parse(&document, &cli->arena, epcis, err));
	/* One line plans at a time, and behind what an earlier one left: a plan counts on the lot's next places. */
	TRY(actor_outbox(cli->actor, &outbox, err));
	TRY(outbox_drain(outbox, clock_now_ms(cli->request.clock) + LEFT_BEHIND_MS, err));
	cli->request.verified.has_head = false; /* it may be from before the wait for the other line */
	TRY(plan_make(&plan, &cli->request, stock, &document, wish, err));
	struct plan_results results;
	TRY(plan_run(&cli->request, stock, &plan, &results, err));
	TRY(write_sealed(cli, &plan, err));
	report(cli, stock, &plan, &results);
	return STATUS_OK;
}

enum status pack_step(struct cli *cli, struct stock *stock, const struct epcis_draft *draft,
    const struct plan_wish *wish, struct err *err) {
	const char *path = cli_value(cli, "epcis-out");
	struct epcis_draft timed = *draft;
	struct buf text;
	timed.time_ms = clock_now_ms(cli->request.clock);
	buf_init(&text, EPCIS_BYTES_MAX);
	epcis_write(&text, &timed);
	enum status status = buf_status(&text, err);
	struct bytes copy = arena_dup(&cli->arena, buf_view(&text));
	buf_fini(&text);
	TRY(status);
	if (path) {
		TRY(cli_write_file(path, copy, err));
		cli_put_text(cli, "epcisDocument", path);
	}
	return pack_capture(cli, stock, copy, wish, err);
}
