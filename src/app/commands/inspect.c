/* xinglin record inspect, pack inspect: what a document holds, before anything is sent. Neither asks a node. */
#include "app/commands/commands.h"
#include "app/commands/pack.h"
#include "crypto/hash.h"
#include "health/epcis/epcis_xml.h"
#include "health/epcis/event_hash.h"
#include "health/fhir/bundle.h"
#include "health/gs1/epc.h"
#include "health/trace/places.h"

/* --- record inspect --- */

static void put_resources(struct cli *cli, const struct fhir_document *document) {
	json_array_begin(&cli->writer, "resources");
	for (size_t i = 0; i < document->resource_count; i++) {
		const struct fhir_resource *resource = &document->resources[i];
		hash32 digest = sha256(resource->raw);
		json_object_begin(&cli->writer, NULL);
		cli_put_u64(cli, "part", i + 1);
		cli_put_bytes(cli, "type", resource->type);
		if (resource->id.len) cli_put_bytes(cli, "id", resource->id);
		cli_put_u64(cli, "bytes", resource->raw.len);
		cli_put_hex(cli, "sha256", BYTES_OF(digest));
		if (resource->patient != SIZE_MAX)
			cli_put_bytes(cli, "patient", document->patients[resource->patient].key);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
}

static enum status cmd_record_inspect(struct cli *cli, struct err *err) {
	struct bytes text;
	struct fhir_document document;
	struct fhir_issues issues;
	TRY(cli_read_file(cli, &text, cli->arguments[0], FHIR_DOCUMENT_MAX, err));
	fhir_issues_init(&issues, &cli->arena);
	if (!fhir_document_read(&document, &issues, text))
		return err_prefix(err, fhir_issues_status(&issues, err), "%s", cli->arguments[0]);
	json_array_begin(&cli->writer, "patients");
	for (size_t i = 0; i < document.patient_count; i++) {
		json_object_begin(&cli->writer, NULL);
		cli_put_bytes(cli, "key", document.patients[i].key);
		cli_put_bytes(cli, "display", document.patients[i].display);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
	put_resources(cli, &document);
	return STATUS_OK;
}

const struct cli_command command_record_inspect = {
    .name = "record inspect",
    .arguments = "FILE",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "check a FHIR R4 document, and list its patients and resources",
    .teach = "Reads the file as record add does, and sends nothing. Each patient needs a folder of their own. The\n"
	     "digests are of each resource's exact bytes: the same before sealing and after reading back.\n\n"
	     "  xinglin record inspect visit.json",
    .run = cmd_record_inspect,
};

/* --- pack inspect --- */

static void put_packs(struct cli *cli, const struct epcis_event *event) {
	json_array_begin(&cli->writer, "packs");
	for (size_t i = 0; i < event->epc_count; i++) {
		char link[EPC_TEXT_MAX];
		struct scan scan;
		scan_read(&scan, event->epcs[i]);
		if (scan.fault != SCAN_FAULT_NONE || !scan.gtin[0] || !scan.serial[0]) continue;
		json_object_begin(&cli->writer, NULL);
		cli_put_text(cli, "gtin", scan.gtin);
		cli_put_text(cli, "serial", scan.serial);
		if (epc_digital_link(link, &scan)) cli_put_text(cli, "digitalLink", link);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
}

/* Events that commission packs, by GTIN and serial. */
static struct places born_in(struct cli *cli, const struct epcis_document *document) {
	struct places born = {.count = 0};
	for (size_t e = 0; e < document->count; e++) {
		const struct epcis_event *event = &document->events[e];
		if (event->kind != EPCIS_OBJECT || event->action != EPCIS_ADD) continue;
		if (strcmp(event->step, "commissioning") != 0) continue;
		for (size_t i = 0; i < event->epc_count; i++) {
			struct scan scan;
			scan_read(&scan, event->epcs[i]);
			const hash32 name = places_name(scan.gtin, scan.serial);
			if (scan.fault == SCAN_FAULT_NONE && scan.serial[0])
				places_put(&born, &cli->arena, &name, (uint32_t)e);
		}
	}
	return born;
}

/* What an event's packs say of their lot and expiry, against the event that commissions them: judged as pack capture
 * judges it, as far as the document itself says. */
static void put_disagreement(struct cli *cli, const struct epcis_document *document, const struct places *born,
    const struct epcis_event *event) {
	for (size_t i = 0; i < event->epc_count; i++) {
		struct document_batch batch = {.expiry_s = 0};
		struct scan scan;
		scan_read(&scan, event->epcs[i]);
		const hash32 name = places_name(scan.gtin, scan.serial);
		const uint32_t *at = scan.fault == SCAN_FAULT_NONE && scan.serial[0] ? places_get(born, &name) : NULL;
		if (!at) continue;
		const struct epcis_event *birth = &document->events[*at];
		const bool has_expiry = epcis_date_seconds(&batch.expiry_s, birth->expiry, pack_year());
		batch.lot = arena_strdup(&cli->arena, birth->lot);
		const enum judge_print print =
		    judge_print(birth->lot.len ? scan.lot : "", has_expiry ? scan.expiry : "", &batch, pack_year());
		if (print == JUDGE_PRINT_AGREES) continue;
		cli_put_text(cli, "disagrees", judge_print_text(&cli->arena, print, scan.lot));
		return;
	}
}

static void put_last_day(struct cli *cli, struct bytes expiry) {
	char last_day[11];
	uint64_t expiry_s;
	if (!expiry.len) return;
	if (!epcis_date_seconds(&expiry_s, expiry, pack_year())) return cli_put_bytes(cli, "expiry", expiry);
	gs1_expiry_text(NULL, last_day, expiry_s);
	cli_put_text(cli, "expiry", last_day);
}

/* As it is written, and in the one spelling that packs have here too: a case may have a GTIN and a serial. */
static void put_parent(struct cli *cli, struct bytes parent) {
	char link[EPC_TEXT_MAX];
	struct scan scan;
	scan_read(&scan, parent);
	cli_put_bytes(cli, "parent", parent);
	if (scan.fault == SCAN_FAULT_NONE && epc_digital_link(link, &scan)) cli_put_text(cli, "parentLink", link);
}

/* Text of JSON-LD: as it stands, or of XML what the same document would have. */
static void put_text_of(
    struct cli *cli, const char *name, const struct epcis_document *document, const struct json *tree) {
	struct buf text;
	buf_init(&text, EPCIS_BYTES_MAX * 4);
	if (document->is_xml && tree) epcis_xml_write(&text, tree);
	cli_put_bytes(cli, name, document->is_xml ? buf_view(&text) : tree ? tree->raw : (struct bytes){NULL, 0});
	buf_fini(&text);
}

static void put_event(struct cli *cli, const struct event_hash_names *names, const struct epcis_document *document,
    const struct places *born, size_t at) {
	const struct epcis_event *event = &document->events[at];
	static const char *const actions[] = {"", "ADD", "OBSERVE", "DELETE"};
	char hash[EVENT_HASH_TEXT_SIZE];
	event_hash(hash, event_hash_prehash(names, event->tree));
	json_object_begin(&cli->writer, NULL);
	cli_put_u64(cli, "event", at + 1);
	cli_put_text(cli, "kind", epcis_kind_name(event->kind));
	cli_put_text(cli, "hash", hash);
	cli_put_u64(cli, "latestSeconds", event->latest_ms / 1000); /* since 1970, of the times that it names */
	if (actions[event->action][0]) cli_put_text(cli, "action", actions[event->action]);
	if (event->step[0]) cli_put_text(cli, "bizStep", event->step);
	if (event->disposition[0]) cli_put_text(cli, "disposition", event->disposition);
	if (event->lot.len) cli_put_bytes(cli, "lot", event->lot);
	put_last_day(cli, event->expiry);
	if (event->parent.len) put_parent(cli, event->parent);
	if (event->corrects) cli_put_bool(cli, "corrects", true);
	if (event->sets_recalled) cli_put_bool(cli, "recalls", true);
	if (event->unsets_recalled) cli_put_bool(cli, "reversesRecall", true);
	cli_put_u64(cli, "identifiers", event->epc_count);
	put_packs(cli, event);
	put_disagreement(cli, document, born, event);
	if (cli->json) put_text_of(cli, "source", document, event->tree);
	json_object_end(&cli->writer);
}

static enum status cmd_pack_inspect(struct cli *cli, struct err *err) {
	struct bytes text;
	struct epcis_document document;
	TRY(cli_read_file(cli, &text, cli->arguments[0], EPCIS_BYTES_MAX, err));
	enum status status = epcis_parse(&document, &cli->arena, text, err);
	if (status != STATUS_OK) return err_prefix(err, status, "%s", cli->arguments[0]);
	const struct event_hash_names *names = event_hash_names_of(&cli->arena, document.tree, document.is_xml);
	const struct places born = born_in(cli, &document);
	if (cli->json) put_text_of(cli, "context", &document, json_get(document.tree, "@context"));
	json_array_begin(&cli->writer, "events");
	for (size_t i = 0; i < document.count; i++) put_event(cli, names, &document, &born, i);
	json_array_end(&cli->writer);
	return STATUS_OK;
}

const struct cli_command command_pack_inspect = {
    .name = "pack inspect",
    .arguments = "EPCIS",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "check an EPCIS document (2.0 in JSON-LD, 1.0 to 2.0 in XML), and list its events, lots and packs",
    .teach = "Reads the file as pack capture does, and sends nothing. `hash` is the event hash of CBV 2.0: the\n"
	     "same for the same event, however its document is written. With --json each event has its exact text\n"
	     "too. `disagrees`: a pack says another lot or expiry than the event that commissions it.\n\n"
	     "  xinglin pack inspect events.jsonld",
    .run = cmd_pack_inspect,
};
