/* Opening what seal.c sealed. */
#include "codec/hex.h"
#include "health/records/segment.h"
#include "health/records/text_header.h"

#define LEAD_MAX ((size_t)8 << 20)

static enum status bad_lead(struct err *err, const char *member) {
	return err_set(err, STATUS_INVALID, "the record's lead: \"%s\" is missing or malformed", member);
}

static bool read_secret(uint8_t out[32], const struct json *member) {
	struct buf secret;
	struct bytes text = json_string(member);
	buf_init(&secret, 33);
	bool fits = text.data && base64url_data(&secret, text) == STATUS_OK && !secret.overflow && secret.len == 32;
	if (fits) memcpy(out, secret.data, 32);
	buf_wipe(&secret);
	return fits;
}

const char *record_method_text(enum record_method method) {
	static const char *const texts[] = {"POST", "PUT", "PATCH", "DELETE"};
	return texts[method];
}

/* False: it is malformed. */
static bool read_version(struct record_version *out, const struct json *entry) {
	uint64_t number;
	int method = RECORD_POST;
	const struct json *previous = json_get(entry, "previous");
	if (!json_get(entry, "version")) return true;
	if (!json_u64(&number, json_get(entry, "version")) || number < 1 || number > UINT32_MAX) return false;
	while (method <= RECORD_DELETE &&
	       !json_string_is(json_get(entry, "method"), record_method_text((enum record_method)method)))
		method++;
	if (method > RECORD_DELETE) return false;
	*out = (struct record_version){
	    .number = (uint32_t)number, .method = (enum record_method)method, .has_previous = previous != NULL};
	return !previous || hex_fixed(out->previous.b, sizeof out->previous.b, json_string(previous)) == STATUS_OK;
}

static enum status read_lead(struct record_lead *out, struct arena *arena, const struct json *root, struct err *err) {
	uint64_t version;
	if (!json_u64(&version, json_get(root, "v")) || version < SEGMENT_LEAD_PLAIN ||
	    version > SEGMENT_LEAD_VERSIONED)
		return bad_lead(err, "v");
	if (version == SEGMENT_LEAD_VERSIONED && (!json_u64(&out->at_ms, json_get(root, "at")) || out->at_ms == 0))
		return bad_lead(err, "at");
	if (!read_secret(out->key, json_get(root, "key"))) return bad_lead(err, "key");
	if (!read_secret(out->seed, json_get(root, "seed"))) return bad_lead(err, "seed");
	if (hex_fixed(out->author.b, sizeof out->author.b, json_string(json_get(root, "author"))))
		return bad_lead(err, "author");
	if (hex_fixed(out->signature, sizeof out->signature, json_string(json_get(root, "signature"))))
		return bad_lead(err, "signature");
	const struct json *resources = json_get(root, "resources");
	if (!json_is(resources, JSON_ARRAY) || resources->count < 1 || resources->count > RECORD_RESOURCES_MAX)
		return bad_lead(err, "resources");
	out->resources = arena_zalloc(arena, resources->count, sizeof *out->resources);
	json_foreach (entry, resources) {
		struct record_lead_resource *resource = &out->resources[out->count++];
		struct bytes type = json_string(json_get(entry, "type")), id = json_string(json_get(entry, "id"));
		bool fits = type.data && id.data && json_u64(&resource->size_bytes, json_get(entry, "size")) &&
			    resource->size_bytes <= CONTAINER_BYTES_MAX &&
			    (version == SEGMENT_LEAD_PLAIN || read_version(&resource->version, entry));
		if (!fits) return bad_lead(err, "resources");
		resource->type = arena_dup(arena, type);
		resource->id = arena_dup(arena, id);
	}
	return STATUS_OK;
}

/* The tree views the plaintext, which the caller wipes; the lead does not. */
enum status record_lead_parse(struct record_lead *out, struct arena *arena, struct bytes plaintext, struct err *err) {
	const struct json *root;
	struct arena tree;
	*out = (struct record_lead){0};
	arena_init(&tree);
	enum status status = json_parse(&root, &tree, plaintext, NULL, err);
	if (status == STATUS_OK) status = read_lead(out, arena, root, err);
	arena_fini(&tree);
	if (status != STATUS_OK) mem_wipe(out, sizeof *out);
	return status;
}

/* Leads of before, and those of a grant of one record, name their place in full. */
static bool is_of_place(const struct jwe_header *header, const struct record_place *place) {
	char at[TEXT_HEADER_AT_BYTES];
	struct text_header wanted = {.cty = "application/json", .typ = "xinglin-record"};
	text_header_at(at, place);
	if (json_get(header->members, "at")) {
		wanted.at = at;
	} else {
		wanted.fld = &place->folder;
		wanted.epo = &place->epoch;
		wanted.rec = &place->record;
	}
	return text_header_matches(header, &wanted);
}

enum status record_lead_open(struct record_lead *out, struct arena *arena, const struct record_place *place,
    const struct p256_secret *folder_secret, struct bytes part, struct err *err) {
	struct jwe_header header;
	struct buf plaintext;
	buf_init(&plaintext, LEAD_MAX);
	enum status status = jwe_ecdh_open(&plaintext, &header, arena, part, folder_secret, err);
	if (status == STATUS_OK && !is_of_place(&header, place))
		status = err_set(err, STATUS_INVALID, "this is the lead of another record, folder or epoch");
	if (status == STATUS_OK) status = record_lead_parse(out, arena, buf_view(&plaintext), err);
	buf_wipe(&plaintext);
	return status;
}

enum status record_lead_check(const struct record_lead *lead, const struct deployment *deployment,
    const struct record_place *place, const struct record_commitment *said, struct err *err) {
	const struct statement_record statement = {place->record, place->folder, place->epoch, said->root, said->facts};
	if (!addr20_equal(&lead->author, &said->author))
		return err_set(err, STATUS_DENIED, "the record's author is another one than the chain shows");
	return statement_record_check(
	    deployment, &statement, &said->author, bytes_make(lead->signature, sizeof lead->signature), err);
}

enum status segment_open(struct buf *out, struct arena *arena, const struct record_place *place,
    const struct record_lead *lead, uint32_t index, struct bytes part, struct err *err) {
	if (index < 1 || index > lead->count)
		return err_set(err, STATUS_NOTFOUND, "the record has resources 1 to %zu", lead->count);
	uint8_t key[32];
	struct jwe_header header;
	struct buf plaintext;
	const struct text_header wanted = {.typ = "xinglin-segment"};
	buf_init(&plaintext, lead->resources[index - 1].size_bytes);
	segment_key(key, lead->key, place, index);
	enum status status = jwe_dir_open(&plaintext, &header, arena, part, key, err);
	if (status == STATUS_OK && !text_header_matches(&header, &wanted))
		status = err_set(err, STATUS_INVALID, "this is no segment");
	if (status == STATUS_OK && plaintext.len != lead->resources[index - 1].size_bytes)
		status = err_set(err, STATUS_INVALID, "the segment has another size than the record's lead says");
	if (status == STATUS_OK) buf_append(out, buf_view(&plaintext));
	if (status == STATUS_OK) status = buf_status(out, err);
	mem_wipe(key, sizeof key);
	buf_wipe(&plaintext);
	return status == STATUS_OK ? status : err_prefix(err, status, "resource %u", index);
}

bool record_matches(const hash32 *root, const struct record_lead *lead, const struct bytes *resources) {
	struct arena arena;
	arena_init(&arena);
	hash32 *leaves = arena_zalloc(&arena, lead->count, sizeof *leaves);
	for (size_t i = 0; i < lead->count; i++) {
		hash32 salt;
		leaves[i] = record_leaf(&salt, lead->seed, (uint32_t)i + 1, resources[i]);
	}
	hash32 found = merkle_root(leaves, lead->count);
	arena_fini(&arena);
	return hash32_equal(&found, root);
}
