/* Reads of a record, which the folder's controller finds in the node's sealed audit entries. */
#include "envelope/jwe.h"
#include "health/consent/audit.h"
#include "health/consent/consent_private.h"
#include "health/records/record.h"

#define PAGE_MAX ((size_t)2 << 20)
#define ENTRIES_MAX 1000000u /* of one record */
#define ENTRY_MAX ((size_t)4096)

static enum status read_line(struct actor_request *request, struct audit_line *out, const struct p256_secret *secret,
    struct bytes sealed, struct err *err) {
	struct buf plaintext;
	buf_init(&plaintext, ENTRY_MAX);
	enum status status = jwe_ecdh_open(&plaintext, NULL, request->arena, sealed, secret, err);
	struct bytes text = arena_dup(request->arena, buf_view(&plaintext));
	buf_wipe(&plaintext);
	if (status == STATUS_DENIED)
		return err_set(err, STATUS_CORRUPT, "an audit entry does not open with the controller's audit key");
	TRY(status);
	return audit_line_parse(out, request->arena, sealed, text, err);
}

static enum status read_lines(struct actor_request *request, struct audit_line *lines, const struct own_folder *own,
    const struct bytes *sealed, size_t count, struct err *err) {
	struct p256_secret secret;
	struct p256_public key;
	TRY(home_audit_key(request->home, &secret, &key, own->controller_index, err));
	enum status status = STATUS_OK;
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = read_line(request, &lines[i], &secret, sealed[i], err);
	mem_wipe(&secret, sizeof secret);
	return status;
}

/* Where the node anchored one of these very entries, its hash on the chain must be the same. */
static enum status check_anchors(
    struct actor_request *request, size_t *anchors, const struct audit_line *lines, size_t count, struct err *err) {
	struct client_log *logs;
	size_t found;
	const struct deployment *deployment = &request->home->deployment;
	struct contract_topics topics = consent_audit_anchored_event_topics(&deployment->sealer);
	*anchors = 0;
	TRY(request_logs(request, &logs, &found, &deployment->consent, 0, &topics, err));
	for (size_t i = 0; i < found; i++) {
		struct consent_audit_anchored_event anchored;
		TRY(consent_audit_anchored_event_read(&anchored, &logs[i].log, err));
		const uint64_t seq = anchored.count;
		size_t low = 0, high = count;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (lines[middle].entry.seq < seq)
				low = middle + 1;
			else
				high = middle;
		}
		if (low == count || lines[low].entry.seq != seq) continue;
		if (!hash32_equal(&lines[low].hash, &anchored.root))
			return err_set(err, STATUS_CORRUPT,
			    "audit entry %llu is not the one that the node anchored on the chain: its log was changed",
			    (unsigned long long)seq);
		(*anchors)++;
	}
	return STATUS_OK;
}

/* --- asking for the pages --- */

/* A record's sealed entries in the order in which they were made; pages come from the end. */
struct pages {
	struct bytes *sealed;
	uint64_t total; /* as the first page says; what is added meanwhile is left out */
	uint64_t lacks; /* entries 1 to `lacks` did not come yet */
};

static enum status take_page(struct actor_request *request, struct pages *pages, struct bytes text, struct err *err) {
	const struct json *root;
	uint64_t total;
	TRY(json_parse(&root, request->arena, arena_dup(request->arena, text), NULL, err));
	const struct json *entries = json_get(root, "entries");
	if (!json_u64(&total, json_get(root, "total")) || !json_is(entries, JSON_ARRAY) || total > ENTRIES_MAX)
		return err_set(err, STATUS_INTERNAL, "the node's audit answer is not a page of entries");
	if (!pages->sealed) {
		pages->sealed = arena_zalloc(request->arena, total, sizeof *pages->sealed);
		pages->total = pages->lacks = total;
	}
	if (entries->count > pages->lacks)
		return err_set(err, STATUS_INTERNAL, "the node's audit answer has more entries than it says");
	if (entries->count == 0 && pages->lacks > 0)
		return err_set(err, STATUS_INTERNAL, "the node does not give the audit entries 1 to %llu of %llu",
		    (unsigned long long)pages->lacks, (unsigned long long)pages->total);
	json_foreach (entry, entries) {
		const struct bytes sealed = json_string(entry);
		if (!sealed.data) return err_set(err, STATUS_INTERNAL, "the node's audit answer holds no texts");
		pages->sealed[--pages->lacks] = sealed;
	}
	return STATUS_OK;
}

static enum status get_page(struct actor_request *request, struct pages *pages, const struct blob_asker *asker,
    const hash32 *record, struct err *err) {
	struct blob_verdict verdict;
	struct buf json;
	buf_init(&json, PAGE_MAX);
	const uint32_t before = pages->sealed ? (uint32_t)pages->lacks + 1 : 0;
	enum status status =
	    blobs_get_audit(asker, &json, &verdict, &request->home->deployment.records, record, before, err);
	if (status == STATUS_OK && !verdict.ok)
		status = err_set(err, verdict.http_status == 404 ? STATUS_NOTFOUND : STATUS_DENIED,
		    "the node does not give the audit entries: %s (%s)", verdict.detail, verdict.code);
	if (status == STATUS_OK) status = take_page(request, pages, buf_view(&json), err);
	buf_fini(&json);
	return status;
}

static enum status get_audit(struct actor_request *request, struct pages *pages, const struct own_folder *own,
    const hash32 *record, struct err *err) {
	struct blob_asker asker;
	hash32 account;
	*pages = (struct pages){0};
	TRY(consent_asker(request, &asker, &account, own, err));
	enum status status;
	do status = get_page(request, pages, &asker, record, err);
	while (status == STATUS_OK && pages->lacks > 0);
	mem_wipe(&account, sizeof account);
	return status;
}

enum status audit_reads(struct actor_request *request, struct audit_log *out, const hash32 *record, struct err *err) {
	struct record_registration registration;
	struct own_folder own;
	struct pages pages;
	TRY(record_find(request, &registration, record, err));
	TRY(own_folder_load(request, &own, &registration.folder, err));
	*out = (struct audit_log){0};
	TRY(get_audit(request, &pages, &own, record, err));
	out->count = (size_t)pages.total;
	struct audit_line *lines = arena_zalloc(request->arena, out->count, sizeof *lines);
	TRY(read_lines(request, lines, &own, pages.sealed, out->count, err));
	TRY(audit_check(lines, out->count, record, err));
	TRY(check_anchors(request, &out->anchors, lines, out->count, err));
	out->entries = arena_zalloc(request->arena, out->count, sizeof *out->entries);
	for (size_t i = 0; i < out->count; i++) out->entries[i] = lines[i].entry;
	return STATUS_OK;
}
