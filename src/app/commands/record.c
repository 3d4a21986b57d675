/* xinglin record …: sealed FHIR documents. */
#include "app/cli/cli_action.h"
#include "app/commands/commands.h"
#include "codec/hex.h"
#include "health/consent/consent.h"
#include "health/consent/erasing.h"
#include "health/records/division.h"

static enum status argument_id(const struct cli *cli, hash32 *out, struct err *err) {
	if (hex_fixed(out->b, sizeof out->b, bytes_text(cli->arguments[0])) == STATUS_OK) return STATUS_OK;
	return err_set(
	    err, STATUS_INVALID, "\"%s\" is no id: it has \"0x\" and 64 hexadecimal digits", cli->arguments[0]);
}

/* --- record add --- */

static enum status folders_of(struct cli *cli, struct folder_list *out, struct err *err) {
	const char *text;
	TRY(cli_need(cli, &text, "folder", err));
	enum status status = folder_list_parse(out, bytes_text(text), err);
	return status == STATUS_OK ? status : err_prefix(err, status, "--folder");
}

static void put_added(struct cli *cli, const char *path, const hash32 *folder, const struct record_added *added) {
	json_object_begin(&cli->writer, NULL);
	cli_put_text(cli, "file", path);
	cli_put_hex(cli, "record", BYTES_OF(added->record));
	cli_put_hex(cli, "folder", BYTES_OF(*folder));
	cli_put_u64(cli, "resources", added->resource_count);
	cli_put_u64(cli, "bytes", added->container_bytes);
	cli_put_hex(cli, "blob", BYTES_OF(added->blob));
	cli_put_receipt(cli, "registered", &added->receipt);
	json_object_end(&cli->writer);
}

/* A document that was checked, and what is added of it: one for each folder. */
struct checked_file {
	const char *path;
	struct record_addition *additions;
};

/* The records of one document are registered together, or none is. */
static enum status add_file(
    struct cli *cli, const struct checked_file *file, const struct folder_list *folders, struct err *err) {
	struct record_added added[RECORD_ADDITIONS_MAX];
	for (size_t i = 0; i < folders->count; i++)
		cli_say(cli, "%s: sealing %zu resources", file->path, file->additions[i].count);
	enum status status = record_add_many(&cli->request, added, file->additions, folders->count, err);
	if (status == STATUS_LIMIT) return err_prefix(err, status, "%s", file->path);
	if (status != STATUS_OK) return status;
	for (size_t i = 0; i < folders->count; i++) put_added(cli, file->path, &folders->ids[i], &added[i]);
	return STATUS_OK;
}

static enum status check_file(
    struct cli *cli, struct checked_file *out, const char *path, const struct folder_list *folders, struct err *err) {
	struct bytes text;
	struct fhir_document document;
	out->path = path;
	out->additions = arena_zalloc(&cli->arena, folders->count, sizeof *out->additions);
	TRY(cli_read_file(cli, &text, path, FHIR_DOCUMENT_MAX, err));
	struct fhir_issues issues;
	fhir_issues_init(&issues, &cli->arena);
	if (!fhir_document_read(&document, &issues, text))
		return err_prefix(err, fhir_issues_status(&issues, err), "%s", path);
	enum status status = record_divide(out->additions, &cli->arena, &document, folders, err);
	return status == STATUS_OK ? status : err_prefix(err, status, "%s", path);
}

/* All files are checked before the first is added. */
static enum status cmd_record_add(struct cli *cli, struct err *err) {
	struct folder_list folders;
	struct checked_file *files = arena_zalloc(&cli->arena, (size_t)cli->argument_count, sizeof *files);
	TRY(folders_of(cli, &folders, err));
	for (int i = 0; i < cli->argument_count; i++) TRY(check_file(cli, &files[i], cli->arguments[i], &folders, err));
	TRY(request_check_chain(&cli->request, err));
	json_array_begin(&cli->writer, "records");
	for (int i = 0; i < cli->argument_count; i++) TRY(add_file(cli, &files[i], &folders, err));
	json_array_end(&cli->writer);
	return STATUS_OK;
}

const struct cli_command command_record_add = {
    .name = "record add",
    .arguments = "FILE…",
    .arguments_min = 1,
    .arguments_max = 10000,
    .summary = "seal FHIR R4 documents into a folder, and register them",
    .teach = "Each file is a Bundle or a single resource, and becomes one record. It is sealed here, to the\n"
	     "folder's key: the node and the chain never see its content. Needs the right to write, not the right\n"
	     "to read. This home keeps a sealed copy of its own: your legal record, which takes as much disk again\n"
	     "and stays whatever becomes of the record (record read --own-copy). A document of several patients\n"
	     "takes a folder for each, in its order: --folder 0x…,0x…. Its records (at most 64) are registered\n"
	     "together, or none is.\n\n"
	     "  xinglin record add visit.json --folder 0x… --home hospital",
    .options = {{"folder", "ID", "into which folder"}},
    .needs_home = true,
    .run = cmd_record_add,
};

/* --- record list --- */

static void put_registration(struct cli *cli, const struct record_registration *registration) {
	cli_put_hex(cli, "record", BYTES_OF(registration->record));
	cli_put_address(cli, "author", &registration->author);
	cli_put_u64(cli, "epoch", registration->epoch);
	cli_put_text(cli, "state", registration->state == RECORD_ERASED ? "erased" : "registered");
	cli_put_time(cli, "addedAt", registration->added_at);
}

static enum status cmd_record_list(struct cli *cli, struct err *err) {
	struct record_registration *records;
	size_t count;
	hash32 folder;
	TRY(cli_hash(cli, &folder, "folder", err));
	TRY(request_check_chain(&cli->request, err));
	TRY(record_list(&cli->request, &records, &count, &folder, err));
	json_array_begin(&cli->writer, "records");
	for (size_t i = 0; i < count; i++) {
		json_object_begin(&cli->writer, NULL);
		put_registration(cli, &records[i]);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
	if (count == 0) cli_say(cli, "the folder holds no record");
	return STATUS_OK;
}

const struct cli_command command_record_list = {
    .name = "record list",
    .arguments = "",
    .summary = "the records of a folder, newest first",
    .teach = "What the chain shows to everybody: ids, authors and times; never what is in them.\n\n"
	     "  xinglin record list --folder 0x… --home patient",
    .options = {{"folder", "ID", "which folder"}},
    .needs_home = true,
    .run = cmd_record_list,
};

/* --- record read --- */

static enum status write_opened(const char *path, const struct record_opened *record, uint32_t part, struct err *err) {
	if (part) return cli_write_file(path, record->resources[part - 1], err);
	struct buf bundle;
	buf_init(&bundle, 2 * FHIR_DOCUMENT_MAX);
	record_write_bundle(&bundle, record);
	enum status status = buf_status(&bundle, err);
	if (status == STATUS_OK) status = cli_write_file(path, buf_view(&bundle), err);
	buf_wipe(&bundle);
	return status;
}

static void put_manifest(struct cli *cli, const struct record_opened *record) {
	json_array_begin(&cli->writer, "resources");
	for (size_t i = 0; i < record->lead.count; i++) {
		const struct record_lead_resource *resource = &record->lead.resources[i];
		json_object_begin(&cli->writer, NULL);
		cli_put_u64(cli, "part", i + 1);
		cli_put_bytes(cli, "type", resource->type);
		if (resource->id.len) cli_put_bytes(cli, "id", resource->id);
		cli_put_u64(cli, "bytes", resource->size_bytes);
		json_object_end(&cli->writer);
	}
	json_array_end(&cli->writer);
}

static enum status cmd_record_read(struct cli *cli, struct err *err) {
	const char *path = cli_value(cli, "out");
	struct record_opened record;
	uint64_t part;
	hash32 id;
	TRY(argument_id(cli, &id, err));
	TRY(cli_u64(cli, &part, "part", 0, err));
	if (part > RECORD_RESOURCES_MAX || (cli_value(cli, "part") && part == 0))
		return err_set(err, STATUS_INVALID, "--part takes 1 to %u", RECORD_RESOURCES_MAX);
	TRY(request_check_chain(&cli->request, err));
	TRY(cli_flag(cli, "own-copy")
		? record_read_own_copy(&cli->request, &record, &id, (uint32_t)part, err)
		: record_read(&cli->request, &record, &id, (uint32_t)part, &consent_released_keys, err));
	if (path) TRY(write_opened(path, &record, (uint32_t)part, err));
	if (path && strcmp(path, "-") == 0) return STATUS_OK;
	put_registration(cli, &record.registration);
	cli_put_hex(cli, "folder", BYTES_OF(record.registration.folder));
	if (path) cli_put_text(cli, "written", path);
	put_manifest(cli, &record);
	cli_say(cli, "every resource is the one that was committed to on the chain%s",
	    path ? "" : "; --out FILE writes them, --part N one of them");
	return STATUS_OK;
}

const struct cli_command command_record_read = {
    .name = "record read",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "get and open a record",
    .teach = "Opens it with whatever key this home has: as the folder's controller, as the author, by a grant, or\n"
	     "by a release in an emergency. Anybody but the controller and the author needs an open window first\n"
	     "(xinglin access ask); each read is logged for the patient. The whole is written as a FHIR collection\n"
	     "Bundle whose entries are the exact bytes that were sealed; one part is written as it is. With\n"
	     "--own-copy an author reads what it keeps itself, after the record was erased or its folder forgotten\n"
	     "too.\n\n"
	     "  xinglin record read 0x… --home hospital --out visit.json\n"
	     "  xinglin record read 0x… --home hospital --part 3 --out -",
    .options = {{"part", "N", "one resource only, counted from 1"},
	{"own-copy", NULL, "as its author: from this home's own copy; no node is asked for content"},
	{"out", "FILE", "where to write; \"-\": standard output"}},
    .needs_home = true,
    .run = cmd_record_read,
};

/* --- record erase --- */

static enum status cmd_record_erase(struct cli *cli, struct err *err) {
	struct action action;
	hash32 id;
	TRY(cli_action_options(cli, err));
	TRY(argument_id(cli, &id, err));
	TRY(request_check_chain(&cli->request, err));
	TRY(record_erase_action(&cli->request, &action, &id, err));
	TRY(cli_action_finish(cli, "action", &action, err));
	cli_say(cli, "nodes then delete it, and each confirms: xinglin record status");
	return STATUS_OK;
}

const struct cli_command command_record_erase = {
    .name = "record erase",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "as a patient: have a record's content deleted",
    .teach = "Nodes delete the sealed content and each confirms on the chain. A salted commitment, the author's\n"
	     "account and the times stay. What others have read, and the author's legal copy, cannot be called\n"
	     "back.\n\n"
	     "  xinglin record erase 0x… --home patient --out erase.json",
    .options = {ACTION_OPTIONS},
    .needs_home = true,
    .run = cmd_record_erase,
};

/* --- record status --- */

/* Only an account that may read can ask the node; to all others the record is unknown. */
static const char *availability(const struct record_registration *registration, const struct blob_verdict *verdict) {
	if (verdict->ok) return "yes";
	if (verdict->http_status == 410 || registration->state == RECORD_ERASED) return "erased";
	return verdict->http_status == 404 ? "no" : "unknown: the node answers readers only";
}

/* "Erased and confirmed" is said only if nothing that holds the record's key is given to anybody. */
static void say_erasure(struct cli *cli, const struct consent_erasure *erasure, bool is_served) {
	if (erasure->confirmed.unproved)
		cli_say(cli, "%zu confirmations that the node shows are not proved, and do not count",
		    erasure->confirmed.unproved);
	if (erasure->wraps_left)
		cli_say(cli, "%zu wraps of it are not named for deletion yet", erasure->wraps_left);
	else if (is_served || erasure->served || erasure->confirmed.count == 0)
		cli_say(cli, "erased on the chain; no node has confirmed yet that all of it is deleted");
	else
		cli_say(cli, "erased and confirmed");
}

static enum status cmd_record_status(struct cli *cli, struct err *err) {
	struct record_registration registration;
	struct blob_verdict verdict;
	struct consent_erasure erasure = {0};
	hash32 id;
	TRY(argument_id(cli, &id, err));
	TRY(request_check_chain(&cli->request, err));
	TRY(record_find(&cli->request, &registration, &id, err));
	TRY(record_probe(&cli->request, &verdict, &id, err));
	if (registration.state == RECORD_ERASED) TRY(consent_erasure_find(&cli->request, &erasure, &registration, err));
	put_registration(cli, &registration);
	cli_put_hex(cli, "folder", BYTES_OF(registration.folder));
	cli_put_text(cli, "available", availability(&registration, &verdict));
	cli_put_u64(cli, "httpStatus", (uint64_t)verdict.http_status);
	json_array_begin(&cli->writer, "erasureConfirmedBy");
	for (size_t i = 0; i < erasure.confirmed.count; i++) cli_put_address(cli, NULL, &erasure.confirmed.nodes[i]);
	json_array_end(&cli->writer);
	cli_put_u64(cli, "confirmationsNotProved", erasure.confirmed.unproved);
	cli_put_u64(cli, "wraps", erasure.wraps);
	cli_put_u64(cli, "wrapsLeft", erasure.wraps_left);
	cli_put_u64(cli, "wrapsServed", erasure.served);
	if (registration.state == RECORD_ERASED) say_erasure(cli, &erasure, verdict.ok);
	return STATUS_OK;
}

const struct cli_command command_record_status = {
    .name = "record status",
    .arguments = "ID",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "is a record registered, available, erased; which nodes confirmed",
    .teach = "Asking whether the node has the content is a look, which is logged for the patient.\n\n"
	     "  xinglin record status 0x… --home patient",
    .needs_home = true,
    .run = cmd_record_status,
};
