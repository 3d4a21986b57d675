#include "health/records/legal_copy.h"

#include "base/log.h"
#include "codec/hex.h"
#include "envelope/jwe.h"
#include "health/records/reader.h"
#include "health/records/text_header.h"

#define LEAD_MAX ((size_t)8 << 20)

/* As older homes kept it. */
static const char *path_of(struct arena *arena, const hash32 *record) {
	struct buf path;
	buf_init(&path, 128);
	buf_text(&path, "records/");
	hex_put(&path, BYTES_OF(*record), true);
	buf_text(&path, ".xlc");
	const char *text = arena_strdup(arena, buf_view(&path));
	buf_fini(&path);
	return text;
}

static struct segments_label label_of(const hash32 *record) {
	struct segments_label label = {{0}};
	memcpy(label.b, record->b, sizeof record->b);
	return label;
}

static bool is_of(const void *context, const struct segments_label *label) {
	const struct segments_label wanted = label_of(context);
	return memcmp(label->b, wanted.b, sizeof wanted.b) == 0;
}

static enum status seal_lead(
    struct actor_request *request, struct buf *sealed, const hash32 *record, struct bytes lead, struct err *err) {
	struct directory_own own;
	struct buf members;
	TRY(directory_own(request, &own, err));
	buf_init(&members, 1024);
	text_header_write(
	    &members, &(struct text_header){
			  .cty = "application/json", .typ = "xinglin-author", .rec = record, .ver = &own.key_version});
	enum status status = jwe_ecdh_seal(sealed, &own.key, buf_view(&members), lead, request->random, err);
	buf_fini(&members);
	return status;
}

/* Another first part; the others are those of the record's container. */
static enum status write_copy(struct actor_request *request, const hash32 *record, struct bytes sealed,
    const struct container *container, struct err *err) {
	struct bytes *parts = arena_zalloc(request->arena, container->count, sizeof *parts);
	struct buf copy;
	parts[0] = sealed;
	for (uint32_t i = 1; i < container->count; i++) parts[i] = container_part(container, i);
	buf_init(&copy, CONTAINER_BYTES_MAX);
	enum status status = container_encode(&copy, parts, container->count, err);
	struct segments_place place;
	const struct segments_label label = label_of(record);
	if (status == STATUS_OK) status = home_records_append(request->home, &place, &label, buf_view(&copy), err);
	buf_fini(&copy);
	return status;
}

enum status legal_copy_store(
    struct actor_request *request, const hash32 *record, struct bytes lead, struct bytes content, struct err *err) {
	struct container container;
	struct buf sealed;
	TRY(container_decode(&container, content, err));
	buf_init(&sealed, CONTAINER_PART_MAX);
	enum status status = seal_lead(request, &sealed, record, lead, err);
	if (status == STATUS_OK) status = write_copy(request, record, buf_view(&sealed), &container, err);
	buf_fini(&sealed);
	return status;
}

enum status legal_copy_sync_all(struct actor_request *request, struct err *err) {
	return home_records_sync(request->home, err);
}

void legal_copy_remove(const struct home *home, const hash32 *record) {
	struct arena arena;
	struct segments_place place;
	struct err err;
	arena_init(&arena);
	home_remove(home, path_of(&arena, record));
	arena_fini(&arena);
	if (!home->records || segments_find_last(home->records, &place, is_of, record, NULL) != STATUS_OK) return;
	if (segments_erase(home->records, &place, &err) != STATUS_OK)
		log_warn("records", "the copy of a record that was refused stays: %s", err.message);
}

/* Into `copy`. STATUS_NOTFOUND: it is not kept, or was removed. */
static enum status find_copy(struct actor_request *request, struct buf *copy, const hash32 *record, struct err *err) {
	const struct segments *segments;
	struct segments *opened;
	struct segments_place place;
	TRY(home_records_open(request->home, &segments, &opened, err));
	enum status status = segments_find_last(segments, &place, is_of, record, err);
	if (status == STATUS_OK) status = segments_read(segments, copy, &place, err);
	segments_close(opened);
	if (status == STATUS_NOTFOUND) status = home_read(request->home, copy, path_of(request->arena, record), err);
	return status;
}

/* `ver` in the header names the key; the opening then proves the header. */
static enum status open_copy(struct actor_request *request, struct record_lead *lead, const hash32 *record,
    struct bytes sealed, struct err *err) {
	struct jwe_header header;
	struct p256_secret secret;
	struct p256_public key;
	struct buf plaintext;
	uint64_t named;
	TRY(jwe_read_header(&header, request->arena, sealed, err));
	if (!json_u64(&named, json_get(header.members, "ver")) || named < 1 || named >= UINT32_C(0x80000000))
		return err_set(err, STATUS_INVALID, "\"ver\" is missing or malformed");
	uint32_t version = (uint32_t)named;
	TRY(reader_home_key(request, &secret, &key, &version, err));
	buf_init(&plaintext, LEAD_MAX);
	enum status status = jwe_ecdh_open(&plaintext, &header, request->arena, sealed, &secret, err);
	struct text_header wanted = {
	    .cty = "application/json", .typ = "xinglin-author", .rec = record, .ver = &version};
	if (status == STATUS_OK && !text_header_matches(&header, &wanted))
		status = err_set(err, STATUS_INVALID, "it is of another record");
	if (status == STATUS_OK) status = record_lead_parse(lead, request->arena, buf_view(&plaintext), err);
	mem_wipe(&secret, sizeof secret);
	buf_wipe(&plaintext);
	return status;
}

static enum status read_copy(struct actor_request *request, struct record_lead *lead, struct container *container,
    const hash32 *record, struct bytes content, struct err *err) {
	TRY(container_decode(container, content, err));
	return open_copy(request, lead, record, container_part(container, 0), err);
}

enum status legal_copy_load(struct actor_request *request, struct record_lead *lead, struct container *container,
    const hash32 *record, struct err *err) {
	struct buf copy;
	buf_init(&copy, CONTAINER_BYTES_MAX);
	enum status status = find_copy(request, &copy, record, err);
	if (status == STATUS_OK) {
		const struct bytes content = arena_dup(request->arena, buf_view(&copy));
		status = read_copy(request, lead, container, record, content, err);
		if (status != STATUS_OK)
			status = err_prefix(
			    err, STATUS_CORRUPT, "%s/records: the copy is damaged", request->home->directory);
	}
	buf_fini(&copy);
	return status;
}

/* --- all of them --- */

struct copies {
	struct record_copy *list; /* NULL: they are only counted */
	size_t count, capacity;
};

static enum status note_copy(
    void *context, const struct segments_place *place, const struct segments_label *label, struct err *err) {
	struct copies *copies = context;
	(void)err;
	if (copies->list && copies->count == copies->capacity) return STATUS_NOTFOUND; /* it is of this run */
	struct record_copy *copy = copies->list ? &copies->list[copies->count] : NULL;
	copies->count++;
	if (!copy) return STATUS_OK;
	copy->place = *place;
	memcpy(copy->record.b, label->b, sizeof copy->record.b);
	return STATUS_OK;
}

enum status record_own_copies(
    struct actor_request *request, struct record_copy **out, size_t *count, bool only_newest, struct err *err) {
	struct segments *segments = request->home->records;
	struct segments_place from = {0};
	struct copies copies = {NULL, 0, 0};
	BUG_ON(!segments);
	if (only_newest) from.segment = segments_end(segments).segment - 1;
	TRY(segments_walk(segments, &from, note_copy, &copies, err));
	const size_t all = copies.count;
	copies = (struct copies){arena_zalloc(request->arena, all + 1, sizeof *copies.list), 0, all};
	enum status status = all ? segments_walk(segments, &from, note_copy, &copies, err) : STATUS_OK;
	*out = copies.list;
	*count = copies.count;
	return status;
}

enum status record_copy_has_versions(
    struct actor_request *request, bool *out, const struct record_copy *copy, struct err *err) {
	const struct segments *segments;
	struct segments *opened;
	struct container container;
	struct record_lead lead;
	struct buf content;
	*out = false;
	TRY(home_records_open(request->home, &segments, &opened, err));
	buf_init(&content, CONTAINER_BYTES_MAX);
	enum status status = segments_read(segments, &content, &copy->place, err);
	segments_close(opened);
	if (status == STATUS_OK) status = read_copy(request, &lead, &container, &copy->record, buf_view(&content), err);
	buf_fini(&content);
	if (status == STATUS_OK) *out = lead.at_ms > 0;
	mem_wipe(&lead, sizeof lead);
	return status;
}
